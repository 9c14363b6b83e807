"""The penalised adversary, min over P of E_P V + lambda D(P, p), for each divergence.

Every function takes laws p that sum to one, gaps V - min V scaled to [0, 1] on the support of p (with
both ends attained), the positive and finite weight lambda in the same units, and the uniform law on the
worst states that the adversary may use.
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
    ReverseKL,
    TotalVariation,
)


@singledispatch
def penalised(rule: Divergence, xp: Any, p: Any, gaps: Any, weight: Any, worst: Any) -> Outcome:
    """The adversary's answer.

    Args:
        rule: the divergence.
        xp: the array namespace.
        p: nominal laws, `[..., states]`.
        gaps: scaled V - min V, `[..., states]`.
        weight: lambda, `[...]`.
        worst: uniform law on the worst admissible states, `[..., states]`.

    Returns:
        The outcome in scaled units.
    """
    raise NotImplementedError(f"no penalised worst case for {rule!r}")


@penalised.register
def _(rule: KL, xp: Any, p: Any, gaps: Any, weight: Any, worst: Any) -> Outcome:
    return tilt_outcome(xp, rule, p, gaps, 1 / weight)


@penalised.register
def _(rule: CressieRead, xp: Any, p: Any, gaps: Any, weight: Any, worst: Any) -> Outcome:
    k = rule.power
    if k == 1:
        return tilt_outcome(xp, rule, p, gaps, 1 / weight)

    def excess_weight(tilt: Tilt, beta: Any, weight: Any) -> Any:
        """Log of the weight lambda = (E w)^(k-1)/beta of a tilt, relative to the one asked for."""
        return (k - 1) * tilt.log_total - xp.log(beta) - xp.log(weight)

    threshold = find_threshold(xp, k, p, gaps, lambda tilt, beta: excess_weight(tilt, beta, weight) < 0)

    def mismatch(remainder: Any, parameters: tuple[Any, ...]) -> tuple[Any, Any]:
        p, gaps, weight, *ends = parameters
        beta, base = Threshold(*ends).tilt(k, gaps, remainder)
        tilt = tilted(xp, k, p, gaps, beta, base)
        share = remainder / (Threshold(*ends).below + remainder)
        return excess_weight(tilt, beta, weight), share * over_base(xp, p, tilt).sum(-1)

    # eta <= max V is x <= 1 + lambda/(k-1).
    upper = xp.minimum(threshold.above, 1 + weight / (k - 1)) - threshold.below
    lower = threshold.least_remainder(xp, k)
    upper = xp.maximum(upper, lower)
    remainder = positive_root(xp, mismatch, (p, gaps, weight, *threshold), lower, upper, start=upper)
    return tilt_outcome(xp, rule, p, gaps, *threshold.tilt(k, gaps, remainder))


@penalised.register
def _(rule: ReverseKL, xp: Any, p: Any, gaps: Any, weight: Any, worst: Any) -> Outcome:
    strongest = xp.finfo(p.dtype).max * xp.finfo(p.dtype).eps
    least = xp.where(gaps == 0, p, 0.0).sum(-1)
    # 1/lambda = beta E w with E w in [p(worst), 1] brackets beta; where p(worst) is tiny or zero, the
    # Newton step that starts at beta = infinity bounds it better.
    near = least_gap(xp, p, gaps)
    ratio = xp.where(gaps > 0, near[..., None] / xp.where(gaps > 0, gaps, 1.0), 0.0)
    first, second = expect(xp, p, ratio), expect(xp, p, ratio**2)
    newton = weight * second / (near * (weight * first - near))
    upper = 1 / (weight * least)
    upper = xp.where(newton > 0, xp.minimum(upper, newton), upper)

    def mismatch(beta: Any, parameters: tuple[Any, ...]) -> tuple[Any, Any]:
        p, gaps, weight = parameters
        tilt = tilted(xp, rule.power, p, gaps, beta)
        return xp.log(beta) + xp.log(weight) + tilt.log_total, over_base(xp, p, tilt).sum(-1)

    lower, upper = 1 / weight, xp.minimum(upper, strongest)
    beta = positive_root(xp, mismatch, (p, gaps, weight), lower, upper, start=lower)
    vanished = (weight * least * strongest < 1) & (weight * first <= near)
    return choose(
        xp,
        vanished,
        vanished_outcome(xp, p, gaps, weight, worst),
        tilt_outcome(xp, rule, p, gaps, beta),
    )


@penalised.register
def _(rule: ChiSquare, xp: Any, p: Any, gaps: Any, weight: Any, worst: Any) -> Outcome:
    order = xp.argsort(gaps, axis=-1)
    ascending = xp.take_along_axis(gaps, order, -1)
    mass = xp.cumsum(xp.take_along_axis(p, order, -1), -1)
    # E (x - d)_+ at x = each next gap; the density t = (x - d)_+/(2 lambda) has mean one, so the states
    # below x are those whose next gap has not used up 2 lambda yet.
    filled = xp.cumsum(mass[..., :-1] * xp.diff(ascending, axis=-1), -1)
    filled = xp.concatenate([xp.zeros_like(gaps[..., :1]), filled], -1)
    double = 2 * weight[..., None]
    active = (filled[..., 1:] < double).sum(-1)[..., None]
    last = xp.take_along_axis(ascending, active, -1)
    kept = gaps <= last
    inside = xp.where(kept, p, 0.0).sum(-1)
    outside = xp.where(kept, 0.0, p).sum(-1)
    location = (expect(xp, p, xp.where(kept, gaps, 0.0)) + 2 * weight * outside) / inside
    # A small weight makes small differences x - d count, a large one small differences t - 1.
    remainder = (double - xp.take_along_axis(filled, active, -1)) / inside[..., None]
    excess = xp.where(
        double > 1, (location[..., None] - gaps) / double, ((last - gaps) + remainder) / double - 1
    )
    excess = xp.maximum(excess, -1.0)
    return Outcome(
        kernel=p * (1 + excess),
        location=location,
        penalty=weight,
        potential=-(weight[..., None] * excess) * (excess + 2),
        distance=expect(xp, p, excess**2),
    )


@penalised.register
def _(rule: TotalVariation, xp: Any, p: Any, gaps: Any, weight: Any, worst: Any) -> Outcome:
    unit = weight * rule.scale  # the price of a unit of moved mass
    moved = xp.where(gaps > unit[..., None], p, 0.0)
    distance = moved.sum(-1)
    location = xp.minimum(unit, 1.0) / 2
    return Outcome(
        kernel=p - moved + worst * distance[..., None],
        location=location,
        penalty=weight,
        potential=xp.minimum(gaps - location[..., None], unit[..., None] / 2),
        distance=rule.scale * distance,
    )


@penalised.register
def _(rule: CVaR, xp: Any, p: Any, gaps: Any, weight: Any, worst: Any) -> Outcome:
    """Lower tail of nominal probability `weight`, the level a; the penalty weight itself drops out."""
    order = xp.argsort(gaps, axis=-1)
    ascending = xp.take_along_axis(gaps, order, -1)
    mass = xp.cumsum(xp.take_along_axis(p, order, -1), -1)
    index = xp.minimum((mass < weight[..., None]).sum(-1), gaps.shape[-1] - 1)[..., None]
    quantile = xp.minimum(xp.take_along_axis(ascending, index, -1), 1.0)
    below = xp.where(gaps < quantile, p, 0.0)
    at = xp.where(gaps == quantile, p, 0.0)
    share = xp.clip((weight - below.sum(-1)) / at.sum(-1), 0.0, 1.0)
    shortfall = xp.maximum(quantile - gaps, 0.0) / weight[..., None]
    return Outcome(
        kernel=(below + share[..., None] * at) / weight[..., None],
        location=quantile[..., 0],
        penalty=expect(xp, p, shortfall),
        potential=-shortfall,
        distance=-xp.log(weight),
    )
