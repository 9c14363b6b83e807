"""Tilted laws: what an adversary makes of the nominal law under a Cressie-Read divergence or a KL.

Every minimiser of E_P V + lambda D(P, p) with a power divergence of order k is the nominal law times
t = w/E w, w = (1 - (k-1) beta d)_+^(1/(k-1)), d = V - min V, for one number beta >= 0. The limit k = 1
(KL) is w = exp(-beta d); k = 0 (reverse KL) is w = 1/(1 + beta d). The penalised form fixes beta by the
weight lambda, the constrained form by the radius.

Gaps d here are scaled to [0, 1] on the support of p; expectations are under p, over the last axis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from equipoise._arrays import repeat, stop_gradient
from equipoise.preferences.divergences import PowerDivergence


class Outcome(NamedTuple):
    """What the adversary does, in units where V runs from 0 to 1 on the support of p.

    Attributes:
        kernel: the minimising law.
        location: the dual variable eta.
        penalty: the weight lambda of the divergence at which this law is also the penalised answer.
        potential: -lambda phi*((eta - d)/lambda) for each state, the derivative of the value in p.
        distance: D(kernel, p).
    """

    kernel: Any
    location: Any
    penalty: Any
    potential: Any
    distance: Any


class Tilt(NamedTuple):
    """A tilted law: density t, t - 1, log t, the base r = 1 - (k-1) beta d of the power, and log E w."""

    density: Any
    excess: Any
    log_density: Any
    base: Any
    log_total: Any


def expect(xp: Any, p: Any, f: Any) -> Any:
    """E f under p; f may be infinite where p is zero."""
    return xp.where(p > 0, p * xp.where(p > 0, f, 0.0), 0.0).sum(-1)


def tilted(xp: Any, k: float, p: Any, gaps: Any, beta: Any, base: Any = None) -> Tilt:
    """The tilt of order k and strength beta, accurate both near t = 1 and where E w is tiny.

    Args:
        xp: the array namespace.
        k: order of the divergence.
        p: nominal law.
        gaps: V - min V.
        beta: strength, without the axis of states.
        base: 1 - (k-1) beta d, where the caller knows it more accurately than this formula has it.
    """
    slope = beta[..., None] * gaps
    base = 1 - (k - 1) * slope if base is None else base
    if k == 1:
        log_weight = -slope
    else:
        weak, alive = base > 0.5, base > 0
        log_base = xp.where(
            weak, xp.log1p(xp.where(weak, -(k - 1) * slope, 0.0)), xp.log(xp.where(alive, base, 1.0))
        )
        log_weight = xp.where(alive, log_base, -xp.inf) / (k - 1)
    change = xp.expm1(log_weight)
    mean_change = expect(xp, p, change)
    plain_total = expect(xp, p, xp.exp(log_weight))
    near = mean_change > -0.5
    log_total = xp.where(near, xp.log1p(xp.where(near, mean_change, 0.0)), xp.log(plain_total))
    total = xp.where(near, 1 + mean_change, plain_total)[..., None]
    density = xp.exp(log_weight) / total
    excess = xp.where(near[..., None], (change - mean_change[..., None]) / total, density - 1)
    return Tilt(density, excess, log_weight - log_total[..., None], base, log_total)


def over_base(xp: Any, p: Any, tilt: Tilt) -> Any:
    """Kernel divided by the base of the power; zero where the tilt is clipped."""
    alive = (p > 0) & (tilt.base > 0)
    return xp.where(alive, p * tilt.density / xp.where(alive, tilt.base, 1.0), 0.0)


def tilt_distance(xp: Any, rule: PowerDivergence, p: Any, tilt: Tilt) -> Any:
    """D(t p, p)."""
    q = xp.where(p > 0, p * tilt.density, 0.0)
    return rule.terms(xp, p, q, tilt.excess, tilt.log_density).sum(-1)


def tilt_outcome(xp: Any, rule: PowerDivergence, p: Any, gaps: Any, beta: Any, base: Any = None) -> Outcome:
    """The adversary's law at tilt strength beta with its dual variables; arguments as in `tilted`."""
    k = rule.power
    tilt = tilted(xp, k, p, gaps, beta, base)
    # phi'(t) = (eta - d)/lambda is linear in d; its slope gives lambda and its value at d = 0 gives eta.
    penalty = xp.exp((k - 1) * tilt.log_total) / beta
    shift = -tilt.log_total if k == 1 else xp.expm1((1 - k) * tilt.log_total) / (k - 1)
    weight = penalty[..., None]
    if k == 1:
        potential = -weight * tilt.excess
    elif k == 0:
        potential = -weight * tilt.log_density
    else:
        power = k * tilt.log_density
        # t^k may overflow where lambda t^k does not.
        potential = -xp.where(power > 50, xp.exp(power + xp.log(weight)), weight * xp.expm1(power)) / k
    return Outcome(
        kernel=xp.where(p > 0, p * tilt.density, 0.0),
        location=penalty * shift,
        penalty=penalty,
        potential=potential,
        distance=tilt_distance(xp, rule, p, tilt),
    )


class Threshold(NamedTuple):
    """For k > 1: the tilt is clipped where d reaches x = 1/((k-1) beta).

    A base close to zero is a difference x - d, and for large k the law depends on its (k-1)-th root. So x
    is kept as the largest gap below it plus a remainder, which loses nothing.

    Attributes:
        below: largest gap below x, zero at least.
        above: smallest gap at or above x, infinite if there is none.
    """

    below: Any
    above: Any

    def tilt(self, k: float, gaps: Any, remainder: Any) -> tuple[Any, Any]:
        """Strength beta and base of the tilt with x = below + remainder."""
        x = self.below + remainder
        return 1 / ((k - 1) * x), ((self.below[..., None] - gaps) + remainder[..., None]) / x[..., None]

    def least_remainder(self, xp: Any, k: float) -> Any:
        """A remainder that gives the state at `below` less weight than rounding."""
        info = xp.finfo(self.below.dtype)
        return xp.maximum(self.below * info.eps ** max(k, 2.0), info.tiny)


def find_threshold(xp: Any, k: float, p: Any, gaps: Any, is_higher: Callable[[Tilt, Any], Any]) -> Threshold:
    """Bisect the gaps for the two neighbours that enclose x.

    Args:
        xp: the array namespace.
        k: order of the divergence, above 1.
        p: nominal law.
        gaps: V - min V.
        is_higher: from a tilt and its strength to whether x is larger than the one belonging to them.
    """
    p, gaps = stop_gradient(xp, (p, gaps))
    states = gaps.shape[-1]
    ascending = xp.sort(gaps, axis=-1)

    def gap_at(index: Any) -> Any:
        return xp.take_along_axis(ascending, xp.clip(index, 0, states - 1)[..., None], -1)[..., 0]

    def halve(ends: tuple[Any, Any]) -> tuple[Any, Any]:
        low, high = ends
        middle = (low + high) // 2
        x = gap_at(middle)
        at_gap = Threshold(xp.where(x > 0, x, 1.0), xp.full_like(x, xp.inf))
        beta, base = at_gap.tilt(k, gaps, xp.zeros_like(x))
        higher = (x <= 0) | is_higher(tilted(xp, k, p, gaps, beta, base), beta)
        return xp.where(higher, middle, low), xp.where(higher, high, middle)

    low = xp.zeros(gaps.shape[:-1], dtype=int)
    low, high = repeat(xp, states.bit_length(), halve, (low, xp.full_like(low, states)))
    return Threshold(xp.maximum(gap_at(low), 0.0), xp.where(high < states, gap_at(high), xp.inf))


def vanished_outcome(xp: Any, p: Any, gaps: Any, penalty: Any, worst: Any) -> Outcome:
    """Reverse KL where p has no mass on the worst states: they receive what the others give up.

    The others keep p lambda/d, whose sum is below one; this is the limit beta -> infinity of the tilt.

    Args:
        xp: the array namespace.
        p: the nominal law.
        gaps: V - min V.
        penalty: lambda.
        worst: uniform law on the worst states.
    """
    tiny = xp.finfo(p.dtype).tiny
    weight = penalty[..., None]
    others = (p > 0) & (gaps > 0)
    kept = xp.where(others, p * weight / xp.where(others, gaps, 1.0), 0.0)
    # Mass too small to be resolved still has a finite potential; no mass at all has slope -infinity.
    floor = xp.where(p > 0, xp.maximum(gaps, tiny), gaps)
    above = floor > 0
    potential = xp.where(above, weight * (xp.log(xp.where(above, floor, 1.0)) - xp.log(weight)), -xp.inf)
    return Outcome(
        kernel=kept + worst * (1 - kept.sum(-1))[..., None],
        location=penalty,
        penalty=penalty,
        potential=potential,
        distance=expect(xp, p, potential / weight),
    )


def least_gap(xp: Any, p: Any, gaps: Any) -> Any:
    """Smallest positive gap on the support of p."""
    return xp.where((p > 0) & (gaps > 0), gaps, xp.inf).min(-1)


def choose(xp: Any, condition: Any, chosen: Outcome, otherwise: Outcome) -> Outcome:
    """`chosen` for the batch members where `condition` holds."""
    column = condition[..., None]
    return Outcome(
        *(
            xp.where(column if name in ("kernel", "potential") else condition, a, b)
            for name, a, b in zip(Outcome._fields, chosen, otherwise, strict=True)
        )
    )
