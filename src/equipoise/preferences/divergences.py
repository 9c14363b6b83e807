"""Divergences D(P, p): how far a law P that an adversary may choose lies from the nominal law p."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Num

from equipoise._arrays import namespace
from equipoise.preferences._checks import probability_array

# Closer to order 1 than this, a Cressie-Read divergence is KL to more digits than its own formula keeps.
_KL_ORDER_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Divergence(ABC):
    """A divergence between laws on a finite set: convex in both arguments, zero where they agree.

    Attributes:
        leaves_support: whether the divergence stays finite when P puts mass where p has none.
    """

    leaves_support: ClassVar[bool] = False

    @property
    @abstractmethod
    def name(self) -> str:
        """Name under which `divergence` finds it; with its parameter, if any."""

    def value(
        self, kernel: Num[Any, "*#batch states"], nominal: Num[Any, "*#batch states"]
    ) -> Num[Any, "*batch"]:
        """D(kernel, nominal) over the last axis.

        Args:
            kernel: the adversary's law P.
            nominal: the nominal law p.

        Returns:
            The divergence, infinite where P leaves the support of p and the divergence forbids it.

        Raises:
            ValueError: an argument is not a law (NumPy input only).
        """
        xp = namespace(kernel, nominal)
        if xp is np:
            kernel = probability_array("kernel", kernel)
            nominal = probability_array("nominal", nominal)
        with np.errstate(all="ignore"):  # the branch of a `where` that is not taken may overflow
            return self._value(xp, *xp.broadcast_arrays(kernel, nominal))

    @abstractmethod
    def _value(self, xp: Any, q: Any, p: Any) -> Any:
        """`value` on arrays of one shape."""

    @abstractmethod
    def collapse_radius(self, xp: Any, least: Any, rest: Any) -> Any:
        """Smallest divergence at which all mass can sit on the worst states.

        Args:
            xp: the array namespace.
            least: nominal mass of the worst states.
            rest: nominal mass of all others, `1 - least` without its cancellation.

        Returns:
            The radius of the ball from which on the worst case is the minimum itself.
        """


class PowerDivergence(Divergence):
    """The family phi(t) = (t^k - k t + k - 1)/(k (k - 1)); KL is its limit k = 1, reverse KL k = 0.

    Source: Cressie, Read, Journal of the Royal Statistical Society B, 1984.
    """

    @property
    @abstractmethod
    def power(self) -> float:
        """The exponent k."""

    def terms(self, xp: Any, p: Any, q: Any, excess: Any, log_density: Any) -> Any:
        """Contributions p phi(q/p) of the states, from q/p - 1 and log(q/p): nothing cancels near q = p."""
        k = self.power
        if k == 0:
            terms = p * excess - p * log_density
        else:
            growth = log_density if k == 1 else xp.expm1((k - 1) * log_density) / (k - 1)
            terms = (q * xp.where(q > 0, growth, 0.0) - p * excess) / k
        return xp.where(p > 0, terms, 0.0)

    def _value(self, xp: Any, q: Any, p: Any) -> Any:
        safe = xp.where(p > 0, p, 1.0)
        excess = (q - p) / safe
        near = xp.abs(excess) < 0.5
        apart = xp.log(xp.where(q > 0, q, 1.0)) - xp.log(safe)
        log_density = xp.where(near, xp.log1p(xp.where(near, excess, 0.0)), xp.where(q > 0, apart, -xp.inf))
        inside = self.terms(xp, p, q, excess, log_density).sum(-1)
        outside = xp.where(p > 0, 0.0, q).sum(-1)
        cost = outside if self.leaves_support else xp.where(outside > 0, xp.inf, 0.0)
        # The terms are nonnegative; at q = p their sum may round below zero.
        return xp.maximum(inside + cost, 0.0)


@dataclass(frozen=True)
class KL(PowerDivergence):
    """Kullback-Leibler divergence, sum P log(P/p)."""

    name = "kl"
    power = 1.0

    def collapse_radius(self, xp: Any, least: Any, rest: Any) -> Any:
        """-log p(worst states)."""
        return -xp.log(least)


@dataclass(frozen=True)
class ReverseKL(PowerDivergence):
    """Kullback-Leibler divergence with the arguments exchanged, sum p log(p/P)."""

    leaves_support: ClassVar[bool] = True
    name = "reverse_kl"
    power = 0.0

    def collapse_radius(self, xp: Any, least: Any, rest: Any) -> Any:
        """Infinite: no ball reaches a law that vanishes where p does not."""
        return xp.where(rest > 0, xp.inf, 0.0)


@dataclass(frozen=True)
class CressieRead(PowerDivergence):
    """Cressie-Read divergence of order k > 1, sum p ((P/p)^k - k P/p + k - 1)/(k (k - 1)).

    Order 2 is half the chi-square divergence; order 1 is KL, which stands in for orders within 1e-6 of it.

    Attributes:
        order: the exponent k > 1.
    """

    order: float | int

    def __post_init__(self) -> None:
        if not (1 < self.order < np.inf):
            raise ValueError(
                "order of the Cressie-Read divergence must be finite and greater than 1, "
                f"but order = {self.order}; for the limits 1 and 0 use 'kl' and 'reverse_kl'"
            )

    @property
    def name(self) -> str:
        """cressie_read(order)."""
        return f"cressie_read({self.order:g})"

    @property
    def power(self) -> float:
        """The order, or exactly 1 where the two cannot be told apart."""
        return 1.0 if self.order - 1 < _KL_ORDER_TOLERANCE else float(self.order)

    def collapse_radius(self, xp: Any, least: Any, rest: Any) -> Any:
        """(p(worst)^(1-k) - 1)/(k (k-1))."""
        k = self.power
        return -xp.log(least) if k == 1 else xp.expm1((1 - k) * xp.log(least)) / (k * (k - 1))


@dataclass(frozen=True)
class ChiSquare(Divergence):
    """Chi-square divergence, sum (P - p)^2/p, without a factor 1/2."""

    name = "chi2"

    def _value(self, xp: Any, q: Any, p: Any) -> Any:
        inside = xp.where(p > 0, (q - p) * ((q - p) / xp.where(p > 0, p, 1.0)), 0.0).sum(-1)
        return xp.where((xp.where(p > 0, 0.0, q) > 0).any(-1), xp.inf, inside)

    def collapse_radius(self, xp: Any, least: Any, rest: Any) -> Any:
        """1/p(worst) - 1."""
        return rest / least


@dataclass(frozen=True)
class TotalVariation(Divergence):
    """Total variation, (1/2) sum |P - p|: the mass that has to move."""

    leaves_support: ClassVar[bool] = True
    scale: ClassVar[float] = 1.0  # the divergence in units of mass moved
    name = "tv"

    def _value(self, xp: Any, q: Any, p: Any) -> Any:
        return 0.5 * self.scale * xp.abs(q - p).sum(-1)

    def collapse_radius(self, xp: Any, least: Any, rest: Any) -> Any:
        """All the mass that is not on the worst states yet."""
        return self.scale * rest


@dataclass(frozen=True)
class L1(TotalVariation):
    """The l1 distance sum |P - p|, twice the total variation."""

    scale: ClassVar[float] = 2.0
    name = "l1"


@dataclass(frozen=True)
class CVaR(Divergence):
    """Renyi divergence of infinite order, log max P/p, whose balls define conditional value at risk.

    The worst case over `log max P/p <= -log a` is the mean of the worst outcomes of total probability a.
    In `worst_case` its level is a itself: 1 is neutral, smaller is more averse.
    """

    name = "cvar"

    def _value(self, xp: Any, q: Any, p: Any) -> Any:
        density = xp.where(p > 0, q / xp.where(p > 0, p, 1.0), xp.where(q > 0, xp.inf, 0.0))
        return xp.log(density.max(-1))

    def collapse_radius(self, xp: Any, least: Any, rest: Any) -> Any:
        """-log p(worst states)."""
        return -xp.log(least)


_BY_NAME: dict[str, type[Divergence]] = {
    "kl": KL,
    "reverse_kl": ReverseKL,
    "tv": TotalVariation,
    "l1": L1,
    "chi2": ChiSquare,
    "cressie_read": CressieRead,
    "cvar": CVaR,
}


def divergence(name: str | Divergence, order: float | int | None = None) -> Divergence:
    """Find a divergence by name.

    Args:
        name: "kl", "reverse_kl", "tv", "l1", "chi2", "cressie_read" or "cvar"; a divergence is returned
            as it is.
        order: exponent k > 1, for "cressie_read" only.

    Returns:
        The divergence.

    Raises:
        ValueError: the name is unknown, or `order` is missing, superfluous or out of range.
    """
    if isinstance(name, Divergence):
        if order is not None:
            raise ValueError(f"order = {order} must not be given with {name!r}, which is complete by itself")
        return name
    if name not in _BY_NAME:
        raise ValueError(f"unknown divergence {name!r}; known are {', '.join(map(repr, _BY_NAME))}")
    if name == "cressie_read":
        if order is None:
            raise ValueError(
                "divergence 'cressie_read' needs its order, a number greater than 1; order is missing"
            )
        return CressieRead(order)
    if order is not None:
        raise ValueError(f"order = {order} belongs to 'cressie_read' only; divergence {name!r} has none")
    return _BY_NAME[name]()
