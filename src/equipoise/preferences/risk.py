"""Risk measures: the certainty equivalent of an uncertain payoff as a worst-case expectation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Num

from equipoise.preferences import divergences
from equipoise.preferences.divergences import Divergence
from equipoise.preferences.worst_case import Form, Support, WorstCase, check_level, worst_case


@dataclass(frozen=True)
class RiskMeasure:
    """A convex risk measure in its dual form.

    The certainty equivalent of a payoff v under the law p is the worst-case expectation of v around p. It
    is monotone, concave in v and moves with constants: CE(v + c) = CE(v) + c. The risk measure in the
    convention of finance, a capital requirement, is its negative.

    Attributes:
        divergence: the divergence, or its name.
        form: "penalised" or "constrained".
        level: weight, radius or tail probability, as in `worst_case`.
        support: where the worst law may put mass, as in `worst_case`.

    Source: Foellmer and Schied, Finance and Stochastics, 2002; Ben-Tal and Teboulle, Mathematical Finance,
    2007.
    """

    divergence: Divergence | str
    form: Form
    level: float | int
    support: Support | None = None

    def __post_init__(self) -> None:
        rule = divergences.divergence(self.divergence)
        object.__setattr__(self, "divergence", rule)
        object.__setattr__(self, "level", float(check_level(rule, self.form, self.level)))
        # Asking once here brings the errors about form and support to where the mistake was made.
        worst_case(np.ones(1), np.zeros(1), rule, self.form, level=self.level, support=self.support)

    @classmethod
    def from_risk_aversion(
        cls, tau: float | int, divergence: Divergence | str = "kl", support: Support | None = None
    ) -> RiskMeasure:
        """The penalised measure with weight 1/tau.

        Args:
            tau: risk aversion >= 0, in units of one over payoff; 0 is the mean, infinity the minimum.
            divergence: the divergence, or its name; not "cvar", whose level is a tail probability.
            support: as in `worst_case`.

        Returns:
            The risk measure.

        Raises:
            ValueError: tau is negative or NaN, or the divergence has no weight.
        """
        rule = divergences.divergence(divergence)
        if isinstance(rule, divergences.CVaR):
            raise ValueError(
                f"tau = {tau} has no meaning for 'cvar'; use RiskMeasure('cvar', 'constrained', level)"
            )
        if not tau >= 0:
            raise ValueError(f"tau must be a number >= 0 (0 is neutral, larger more averse), but tau = {tau}")
        return cls(rule, "penalised", np.inf if tau == 0 else 1 / tau, support)

    @property
    def name(self) -> str:
        """Name with parameters, for tables."""
        rule = divergences.divergence(self.divergence)
        if isinstance(rule, divergences.CVaR):
            return f"cvar({self.level:g})"
        return f"{rule.name} {self.form}({self.level:g})"

    def worst_case(self, v: Num[Any, "*#batch states"], p: Num[Any, "*#batch states"]) -> WorstCase:
        """The worst case behind the certainty equivalent, with its law and residual.

        Args:
            v: payoffs.
            p: their nominal laws.

        Returns:
            The worst case, as from the function `worst_case`.
        """
        return worst_case(p, v, self.divergence, self.form, level=self.level, support=self.support)

    def certainty_equivalent(
        self, v: Num[Any, "*#batch states"], p: Num[Any, "*#batch states"]
    ) -> Num[Any, "*batch"]:
        """The sure payoff that is worth as much as v under p.

        Args:
            v: payoffs, `[states]` or `[..., states]`.
            p: their nominal laws, `[..., states]`.

        Returns:
            The certainty equivalent, between the minimum and the mean of v.
        """
        return self.worst_case(v, p).value


def entropic(tau: float | int) -> RiskMeasure:
    """The entropic risk measure, CE = -(1/tau) log E exp(-tau v).

    Args:
        tau: risk aversion >= 0, in units of one over payoff.

    Returns:
        The risk measure.

    Raises:
        ValueError: tau is negative or NaN.
    """
    return RiskMeasure.from_risk_aversion(tau)
