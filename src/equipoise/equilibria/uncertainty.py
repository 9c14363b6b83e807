"""How far the law of the next state may be from the one in the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from equipoise.games._checks import Numbers
from equipoise.preferences import CVaR, Divergence, WorstCase, divergence, worst_case
from equipoise.preferences.divergences import TotalVariation
from equipoise.preferences.worst_case import Form, Support, check_level


class Doubt(NamedTuple):
    """What an adversary may do apart from how much of it; hashable, so that programs are compiled once.

    Attributes:
        rule: the divergence.
        form: "constrained" or "penalised".
        free: whether it may put mass where the model has none.
    """

    rule: Divergence
    form: str
    free: bool


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """What an adversary may do to the law p of the next state, in every state and action anew.

    Constrained, it may choose any law P with D(P, p) <= level. Penalised, it may choose any law but pays
    level * D(P, p) to the player.

    Attributes:
        level: the radius of the ball, 0 being neutral (constrained); the weight of the penalty, infinity
            being neutral (penalised); the tail probability, 1 being neutral ("cvar"). A number, or an array
            that broadcasts against the states and actions.
        divergence: "tv", "kl", "chi2", "cressie_read", "reverse_kl", "l1", "cvar" or a `Divergence`.
        form: "constrained" or "penalised".
        support: "ac", the adversary only reweights what can happen; "free", it may go anywhere (total
            variation, L1, reverse KL). By default as free as the divergence allows.
        order: exponent k > 1 of "cressie_read".

    Raises:
        ValueError: the level is out of range, the divergence unknown, or "free" not possible with it.
        TypeError: the level is not a number or an array of them.
    """

    level: float | int | Numbers
    divergence: str | Divergence = "tv"
    form: Form = "constrained"
    support: Support | None = None
    order: float | int | None = None

    def __post_init__(self) -> None:
        rule = divergence(self.divergence, self.order)
        level = check_level(rule, self.form, self.level)
        # A worst case of nothing in particular checks the form and the support.
        worst_case(np.ones(1), np.zeros(1), rule, self.form, level=level, support=self.support)
        largest = rule.scale if isinstance(rule, TotalVariation) else np.inf
        if self.form == "constrained" and np.max(level) > largest:
            raise ValueError(
                f"level = {np.max(level):g} is no radius for {rule.name!r}: that distance is at most "
                f"{largest:g}, at which the adversary may choose any state"
            )
        level.setflags(write=False)
        object.__setattr__(self, "level", level)
        object.__setattr__(self, "divergence", rule)
        object.__setattr__(self, "order", None)

    @property
    def rule(self) -> Divergence:
        """The divergence."""
        return divergence(self.divergence)

    @property
    def name(self) -> str:
        """What the adversary may do, in words."""
        level = np.asarray(self.level)
        size = f"{float(level):g}" if level.ndim == 0 else f"{np.min(level):g} to {np.max(level):g}"
        what = "tail" if isinstance(self.rule, CVaR) else "radius" if self.form == "constrained" else "weight"
        support = f", {self.support}" if self.support is not None else ""
        return f"{self.rule.name} {self.form}, {what} {size}{support}"

    @property
    def doubt(self) -> Doubt:
        """The record without its level."""
        return Doubt(self.rule, self.form, self.is_free)

    @property
    def is_free(self) -> bool:
        """Whether the adversary may put mass where the model has none."""
        return self.rule.leaves_support and self.support != "ac"

    def worst(
        self,
        laws: Float[np.ndarray, "*#batch states"],
        values: Float[np.ndarray, "*#batch states"],
        level: float | Float[np.ndarray, "*#batch"] | None = None,
    ) -> WorstCase:
        """Worst-case expectations of values of the next state.

        Args:
            laws: laws of the next state, `[..., S]`.
            values: `[S]` or `[..., S]`.
            level: which levels to use, `[...]`; the record's own by default.
        """
        return worst_case(
            laws,
            values,
            self.rule,
            self.form,
            level=self.level if level is None else level,
            support=self.support,
        )
