"""The ball-constrained adversary, min of E_P V over D(P, p) <= sigma, for each divergence.

Every function takes laws p that sum to one, gaps V - min V scaled to [0, 1] on the support of p (with
both ends attained), a radius sigma above zero and below the one at which all mass reaches the worst
states, and the uniform law on the worst states that the adversary may use.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from equipoise.preferences._roots import positive_root
from equipoise.preferences._tilt import (
    Outcome,
    Threshold,
    Tilt,
    choose,
    expect,
    find_threshold,
    least_gap,
    over_base,
    tilt_distance,
    tilt_outcome,
    tilted,
    vanished_outcome,
)
from equipoise.preferences.divergences import (
    KL,
    ChiSquare,
    CressieRead,
    CVaR,
    Divergence,
    PowerDivergence,
    ReverseKL,
    TotalVariation,
)
from equipoise.preferences.penalised import penalised

# exp(-this) is far below rounding.
_SATURATED = 100.0


@singledispatch
def constrained(rule: Divergence, xp: Any, p: Any, gaps: Any, radius: Any, worst: Any) -> Outcome:
    """The adversary's answer.

    Args:
        rule: the divergence.
        xp: the array namespace.
        p: nominal laws, `[..., states]`.
        gaps: scaled V - min V, `[..., states]`.
        radius: sigma, `[...]`.
        worst: uniform law on the worst admissible states, `[..., states]`.

    Returns:
        The outcome in scaled units; its penalty is the Lagrange multiplier of the ball.
    """
    raise NotImplementedError(f"no constrained worst case for {rule!r}")


def _relative_distance(
    xp: Any, rule: PowerDivergence, p: Any, gaps: Any, radius: Any, beta: Any, base: Any = None
) -> tuple[Any, Any]:
    """log(D/sigma)/2 of a tilt, nearly linear in log beta, and its derivative in log beta."""
    tilt = tilted(xp, rule.power, p, gaps, beta, base)
    distance = xp.maximum(tilt_distance(xp, rule, p, tilt), xp.finfo(p.dtype).tiny)
    mean = expect(xp, p, tilt.density * gaps)
    # dD/dbeta = Cov_q(d, d/base)/lambda; beta alone squared may overflow, beta d and beta lambda do not.
    spread = (over_base(xp, p, tilt) * (gaps - mean[..., None]) * (beta[..., None] * gaps)).sum(-1)
    slope = beta * xp.exp((1 - rule.power) * tilt.log_total) * spread
    return xp.log(distance / radius) / 2, slope / (2 * distance)


def _smooth(
    rule: KL | ReverseKL | CressieRead, xp: Any, p: Any, gaps: Any, radius: Any, upper: Any
) -> Outcome:
    """The tilt of order k <= 1 at distance sigma, its strength at most `upper`."""

    def mismatch(beta: Any, parameters: tuple[Any, ...]) -> tuple[Any, Any]:
        p, gaps, radius = parameters
        return _relative_distance(xp, rule, p, gaps, radius, beta)

    info = xp.finfo(p.dtype)
    lower = xp.sqrt(radius)  # D <= beta^2/8
    upper = xp.minimum(xp.maximum(upper, lower), info.max * info.eps)
    beta = positive_root(xp, mismatch, (p, gaps, radius), lower, upper, start=lower)
    return tilt_outcome(xp, rule, p, gaps, beta)


@constrained.register
def _(rule: KL, xp: Any, p: Any, gaps: Any, radius: Any, worst: Any) -> Outcome:
    least = xp.where(gaps == 0, p, 0.0).sum(-1)
    return _smooth(rule, xp, p, gaps, radius, (_SATURATED - xp.log(least)) / least_gap(xp, p, gaps))


@constrained.register
def _(rule: ReverseKL, xp: Any, p: Any, gaps: Any, radius: Any, worst: Any) -> Outcome:
    others = gaps > 0
    least = xp.where(others, 0.0, p).sum(-1)
    # D >= (1 - p(worst)) log(beta near) + log p(worst).
    furthest = xp.exp((radius - xp.log(least)) / xp.where(others, p, 0.0).sum(-1))
    outcome = _smooth(rule, xp, p, gaps, radius, furthest / least_gap(xp, p, gaps))
    log_gaps = expect(xp, p, xp.log(xp.where(others, gaps, 1.0)))
    inverse = expect(xp, p, xp.where(others, 1 / xp.where(others, gaps, 1.0), 0.0))
    weight = xp.exp(log_gaps - radius)
    strongest = xp.finfo(p.dtype).max * xp.finfo(p.dtype).eps
    vanished = (weight * least * strongest < 1) & (radius >= log_gaps + xp.log(inverse))
    return choose(xp, vanished, vanished_outcome(xp, p, gaps, weight, worst), outcome)


@constrained.register
def _(rule: CressieRead, xp: Any, p: Any, gaps: Any, radius: Any, worst: Any) -> Outcome:
    k = rule.power
    if k == 1:
        return constrained(KL(), xp, p, gaps, radius, worst)

    def is_higher(tilt: Tilt, beta: Any) -> Any:
        return tilt_distance(xp, rule, p, tilt) > radius

    threshold = find_threshold(xp, k, p, gaps, is_higher)

    def mismatch(remainder: Any, parameters: tuple[Any, ...]) -> tuple[Any, Any]:
        p, gaps, radius, *ends = parameters
        beta, base = Threshold(*ends).tilt(k, gaps, remainder)
        f, slope = _relative_distance(xp, rule, p, gaps, radius, beta, base)
        return -f, slope * remainder / (Threshold(*ends).below + remainder)

    # D <= beta^2 while the base stays above 1/2.
    furthest = 1 / ((k - 1) * xp.minimum(xp.sqrt(radius), 0.5 / (k - 1)))
    upper = xp.minimum(threshold.above, furthest) - threshold.below
    lower = threshold.least_remainder(xp, k)
    upper = xp.maximum(upper, lower)
    remainder = positive_root(xp, mismatch, (p, gaps, radius, *threshold), lower, upper, start=upper)
    return tilt_outcome(xp, rule, p, gaps, *threshold.tilt(k, gaps, remainder))


@constrained.register
def _(rule: ChiSquare, xp: Any, p: Any, gaps: Any, radius: Any, worst: Any) -> Outcome:
    order = xp.argsort(gaps, axis=-1)
    ascending = xp.take_along_axis(gaps, order, -1)
    mass = xp.cumsum(xp.take_along_axis(p, order, -1), -1)[..., :-1]
    steps = xp.diff(ascending, axis=-1)
    # E (x - d)_+ and E (x - d)_+^2 at x = each next gap, as sums of nonnegative terms. The kernel
    # p (x - d)_+ has divergence second/first^2 - 1, which falls as x grows.
    first = xp.cumsum(mass * steps, -1)
    second = xp.cumsum((2 * first - mass * steps) * steps, -1)
    outside_ball = ~(second / first**2 - 1 <= radius[..., None])  # 0/0 counts: no mass below x yet
    active = outside_ball.sum(-1)[..., None]
    last = xp.take_along_axis(ascending, active, -1)
    kept = gaps <= last
    beyond = xp.where(kept, xp.inf, gaps).min(-1)
    inside = xp.where(kept, p, 0.0).sum(-1)
    outside = xp.where(kept, 0.0, p).sum(-1)
    depth = last - gaps
    mean = expect(xp, p, xp.where(kept, depth, 0.0)) / inside
    deviation = mean[..., None] - depth
    spread = expect(xp, p, xp.where(kept, deviation**2, 0.0))
    tiny = xp.finfo(p.dtype).tiny
    # x as its distance from the conditional mean, between the last state below it and the next above.
    reach = xp.sqrt(spread / (inside * xp.maximum(radius * inside - outside, tiny)))
    reach = xp.maximum(xp.clip(reach, mean, beyond - last[..., 0] + mean), tiny)
    excess = (outside[..., None] - deviation / reach[..., None]) / inside[..., None]
    excess = xp.where(kept, xp.maximum(excess, -1.0), -1.0)
    penalty = inside * reach / 2
    return Outcome(
        kernel=xp.where(p > 0, p * (1 + excess), 0.0),
        location=last[..., 0] - mean + outside * reach,
        penalty=penalty,
        potential=-(penalty[..., None] * excess) * (excess + 2),
        distance=expect(xp, p, excess**2),
    )


@constrained.register
def _(rule: TotalVariation, xp: Any, p: Any, gaps: Any, radius: Any, worst: Any) -> Outcome:
    budget = (radius / rule.scale)[..., None]
    order = xp.argsort(gaps, axis=-1)
    ascending = xp.take_along_axis(gaps, order, -1)
    mass = xp.flip(xp.take_along_axis(p, order, -1), -1)
    above = xp.flip(xp.cumsum(mass, -1) - mass, -1)
    # The mass moved is taken from the top; the first state with less than sigma above it gives the last.
    index = xp.minimum((above >= budget).sum(-1), gaps.shape[-1] - 1)[..., None]
    quantile = xp.take_along_axis(ascending, index, -1)
    top = xp.where(gaps > quantile, p, 0.0)
    at = xp.where(gaps == quantile, p, 0.0)
    share = xp.clip((budget[..., 0] - top.sum(-1)) / at.sum(-1), 0.0, 1.0)[..., None]
    moved = top + share * at
    distance = moved.sum(-1)
    return Outcome(
        kernel=p - moved + worst * distance[..., None],
        location=quantile[..., 0] / 2,
        penalty=quantile[..., 0] / rule.scale,
        potential=xp.minimum(gaps - quantile / 2, quantile / 2),
        distance=rule.scale * distance,
    )


@constrained.register
def _(rule: CVaR, xp: Any, p: Any, gaps: Any, radius: Any, worst: Any) -> Outcome:
    return penalised(rule, xp, p, gaps, radius, worst)
