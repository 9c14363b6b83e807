"""Concepts as families: which of their numbers are estimated, within which range, and what the ends mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from equipoise.equilibria._settings import PerPlayer, check_preference
from equipoise.equilibria._solution import Concept
from equipoise.equilibria.behavioural import ActionSampling, PayoffSampling
from equipoise.equilibria.qre import QRE
from equipoise.equilibria.rqe import RQE
from equipoise.games.observed_play import ObservedPlay

Sharing = Literal["common", "per_player", "per_game"]
Range = tuple[float | int, float | int]


@dataclass(frozen=True)
class Field:
    """A number of a concept that can be estimated.

    Attributes:
        name: the concept's field.
        low, high: searched range, where payoffs have range one.
        power: its unit is payoff to this power.
        at_low, at_high: what an estimate at either end means.
    """

    name: str
    low: float
    high: float
    power: int
    at_low: str
    at_high: str


_TAU = Field(
    "risk_aversion",
    1e-3,
    1e3,
    -1,
    "the data show no risk aversion; a quantal response equilibrium fits as well",
    "the data ask for extreme risk aversion: worst-case play, limited only by noise",
)
_EPS = Field(
    "bounded_rationality",
    1e-3,
    1e2,
    1,
    "the data ask for noiseless play, where few parameters matter and equilibria can be many",
    "play is close to uniform, whatever the other parameters are",
)
_LAMBDA = Field(
    "precision",
    1e-2,
    1e3,
    -1,
    "play is close to uniform",
    "the data ask for noiseless play: a Nash equilibrium fits as well",
)
_SAMPLES = Field(
    "samples",
    1.0,
    20.0,
    0,
    "players act on a single observation",
    "a larger sample might fit better; widen the search",
)
_FIELDS: dict[type, tuple[Field, ...]] = {
    RQE: (_TAU, _EPS),
    QRE: (_LAMBDA,),
    ActionSampling: (_SAMPLES,),
    PayoffSampling: (_SAMPLES,),
}


@dataclass(frozen=True)
class Parameter:
    """One estimated number: a field, for all players or one of them."""

    field: Field
    player: int | None = None


@dataclass(frozen=True)
class Family:
    """A concept with free parameters.

    Attributes:
        template: the concept, with arbitrary values of its free fields.
        parameters: what is estimated.
        low, high: searched range of every parameter, in its own unit, `[parameters]`.
        narrowed: fields whose searched range the user has set.
        fixed: fields that are held at given values.
        product: value that risk_aversion * bounded_rationality is held at, or None.
    """

    template: Concept
    parameters: tuple[Parameter, ...]
    low: Float[np.ndarray, " parameters"]
    high: Float[np.ndarray, " parameters"]
    narrowed: frozenset[str]
    fixed: Mapping[str, PerPlayer]
    product: float | int | None

    @property
    def whole(self) -> bool:
        """Whether the parameter is a whole number."""
        return any(one.field is _SAMPLES for one in self.parameters)

    def concept(self, values: Float[np.ndarray, " parameters"]) -> Concept:
        """The concept at given parameter values, in their own units."""
        filled: dict[str, Any] = dict(self.fixed)
        for field in dict.fromkeys(one.field for one in self.parameters):
            own = [
                (one.player, float(value))
                for one, value in zip(self.parameters, values, strict=True)
                if one.field is field
            ]
            filled[field.name] = own[0][1] if own[0][0] is None else tuple(value for _, value in own)
        if self.whole:
            filled["samples"] = round(filled["samples"])
        if self.product is not None:
            noise = filled["bounded_rationality"]
            filled["risk_aversion"] = (
                tuple(self.product / one for one in noise)
                if isinstance(noise, tuple)
                else self.product / noise
            )
        return replace(self.template, **filled)  # type: ignore[type-var]

    def candidates(self) -> Float[np.ndarray, "points parameters"]:
        """Parameter values to try everywhere first, both ends of the range among them."""
        count = len(self.parameters)
        if self.whole:
            return np.arange(self.low[0], self.high[0] + 1.0)[:, None]
        if count == 0:
            return np.zeros((1, 0))
        if count <= 2:
            sides = (61,) if count == 1 else (25, 21)
            axes = [np.linspace(0.0, 1.0, side) for side in sides]
            unit = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, count)
        else:
            # Roberts's additive recurrence fills a box of any dimension evenly.
            root = 2.0
            for _ in range(60):
                root = (1.0 + root) ** (1.0 / (count + 1))
            steps = root ** -np.arange(1.0, count + 1.0)
            unit = (0.5 + np.arange(1, 801)[:, None] * steps) % 1.0
        return np.asarray(np.exp(np.log(self.low) + unit * np.log(self.high / self.low)))


def make_family(
    concept: Any,
    records: Sequence[ObservedPlay],
    sharing: Sharing,
    fixed: Mapping[str, PerPlayer],
    product: float | int | None,
    search: Mapping[str, Range],
) -> Family:
    """The family that a class or a template stands for, on these games.

    Raises:
        TypeError: it is no concept.
        ValueError: names that the concept does not have, wrong values, or parameters that cannot be shared
            in this way.
    """
    template = _template(concept)
    fields = _FIELDS.get(type(template), ())
    names = [field.name for field in fields]
    for option, given in (("fixed", fixed), ("search", search)):
        for name in given:
            if name not in names:
                raise ValueError(
                    f"{option}: {type(template).__name__} has no parameter {name!r} to estimate; "
                    + (f"it has {', '.join(names)}" if names else "it has none")
                )
    for name, value in fixed.items():
        if name == "samples":
            replace(template, samples=value)  # type: ignore[type-var]
        else:
            check_preference(value, name)
    free = [field for field in fields if field.name not in fixed]
    if product is not None:
        if not isinstance(template, RQE) or fixed:
            raise ValueError(
                "product holds risk_aversion * bounded_rationality of an RQE at one value and leaves one "
                "parameter to estimate; it goes with RQE alone and without fixed"
            )
        if not 0.0 < product < np.inf:
            raise ValueError(f"product must be positive and finite, got {product}")
        free = [_EPS]
    for name in search:
        if name not in [field.name for field in free]:
            raise ValueError(f"search: {name} is not estimated here, so there is nothing to search")
    players = {record.game.num_players for record in records}
    if sharing == "per_player":
        if _SAMPLES in free:
            raise ValueError(f"{type(template).__name__} has one sample size for both roles; use 'common'")
        if len(players) > 1:
            raise ValueError("sharing='per_player' needs games with the same number of players")
        roles: Sequence[int | None] = range(players.pop())
    else:
        roles = [None]
    unit = float(np.median([max(record.game.payoff_ranges().max(), 1e-300) for record in records]))
    parameters = tuple(Parameter(field, role) for field in free for role in roles)
    ranges = {field.name: _range(field, unit, search.get(field.name)) for field in free}
    return Family(
        template,
        parameters,
        np.array([ranges[one.field.name][0] for one in parameters]),
        np.array([ranges[one.field.name][1] for one in parameters]),
        frozenset(search),
        dict(fixed),
        product,
    )


def _template(concept: Any) -> Concept:
    if isinstance(concept, type):
        if concept in (ActionSampling, PayoffSampling):
            return concept(1)
        try:
            concept = concept()
        except TypeError as error:
            raise TypeError(
                f"concept {concept.__name__} cannot be made without arguments ({error}); give an instance"
            ) from None
    if not isinstance(concept, Concept):
        raise TypeError(f"concept must be a solution concept such as RQE or QRE, got {concept!r}")
    return concept


def _range(field: Field, unit: float, given: Range | None) -> tuple[float, float]:
    if given is None:
        return field.low * unit**field.power, field.high * unit**field.power
    low, high = map(float, given)
    if not 0.0 < low < high < np.inf:
        raise ValueError(f"search: {field.name} needs 0 < low < high, both finite, got {given}")
    if field is _SAMPLES and (low % 1 or high % 1):
        raise ValueError(f"search: {field.name} needs whole numbers, got {given}")
    return low, high
