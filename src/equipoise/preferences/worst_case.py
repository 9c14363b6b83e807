"""Worst-case expectations: what a payoff is worth when an adversary may shift the law it was drawn from."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Num

from equipoise._arrays import namespace, stop_gradient
from equipoise.preferences import divergences
from equipoise.preferences._checks import level_array, number_array, probability_array
from equipoise.preferences._tilt import Outcome, choose, expect
from equipoise.preferences.constrained import constrained
from equipoise.preferences.divergences import CVaR, Divergence
from equipoise.preferences.penalised import penalised

Form = Literal["penalised", "constrained"]
Support = Literal["ac", "free"]


# A NamedTuple because JAX then sees a PyTree without being imported here.
class WorstCase(NamedTuple):
    """A worst-case expectation, the law that attains it and the evidence.

    Attributes:
        value: the worst case, `[...]`; the objective at `kernel`.
        kernel: a minimising law, `[..., states]`; also the derivative of the value in v. Ties are shared
            equally, or in proportion to p where the divergence forbids leaving its support.
        multiplier: the dual variable eta, a location in units of v, `[...]`. With penalty weight lambda
            the dual objective is eta - lambda E phi*((eta - v)/lambda), phi normalised to phi'(1) = 0.
        penalty: the weight lambda of the divergence: the level itself in the penalised form, the ball's
            Lagrange multiplier, `-dvalue/dradius`, in the constrained form, `[...]`.
        distance: D(kernel, p), `[...]`; in the penalised form `dvalue/dlevel`.
        gradient_p: derivative of the value in p, up to a constant that moves along the simplex do not
            see, `[..., states]`. At states without mass it is one-sided, and -inf where any mass at all
            would change the answer at an infinite rate.
        residual: objective at `kernel` minus dual objective, in units of v, `[...]`. Zero to rounding;
            the exact worst case lies between the two.
    """

    value: Any
    kernel: Any
    multiplier: Any
    penalty: Any
    distance: Any
    gradient_p: Any
    residual: Any


def worst_case(
    p: Num[Any, "*#batch states"],
    v: Num[Any, "*#batch states"],
    divergence: str | Divergence = "kl",
    form: Form = "penalised",
    *,
    level: float | int | Num[Any, "*#batch"],
    support: Support | None = None,
    order: float | int | None = None,
) -> WorstCase:
    """Worst-case expectation of v around the nominal law p.

    Penalised: `min over P of E_P v + level * D(P, p)`. Constrained: `min of E_P v over D(P, p) <= level`.
    Exact to rounding: closed form for KL, sorting for total variation, chi-square and CVaR, a bracketed
    one-dimensional root for the others.

    NumPy input is validated and computed in float64. JAX arrays and tracers are accepted without
    validation; then the function can be compiled and batched, `value` has the envelope derivatives in p,
    v and level, and `kernel` can be differentiated too where it is smooth.

    Args:
        p: nominal laws, `[..., states]`, summing to one over the last axis.
        v: values, `[states]` or `[..., states]`; larger is better.
        divergence: "kl", "reverse_kl", "tv", "l1", "chi2", "cressie_read", "cvar", or a `Divergence`.
        form: "penalised" or "constrained".
        level: lambda >= 0 (penalised; infinity is neutral, 0 the plain minimum), sigma >= 0 (constrained;
            0 is neutral) or the tail probability in (0, 1] ("cvar", either form; 1 is neutral); a number
            or `[...]`. Risk aversion tau in the penalised form is level = 1/tau.
        support: "ac", the adversary stays on the support of p, or "free", it may use every state. Without
            it, every state on which the divergence is finite. "free" needs "tv", "l1" or "reverse_kl".
        order: k > 1, for "cressie_read".

    Returns:
        The worst case with its minimiser, dual variables and primal-dual residual.

    Raises:
        ValueError: p is not a law, v or level is out of range, the divergence is unknown, or "free" was
            asked of a divergence that is infinite outside the support of p.
        TypeError: an argument is not an array of numbers.

    Source: duality as in Ben-Tal and Teboulle, Mathematical Finance, 2007; the forms used for learning in
    Panaganti et al., ICML 2024, and Shi et al., ICML 2025.
    """
    rule = divergences.divergence(divergence, order)
    if form not in get_args(Form):
        raise ValueError(f"form must be 'penalised' or 'constrained', not {form!r}")
    if support is not None and support not in get_args(Support):
        raise ValueError(f"support must be 'ac', 'free' or None, not {support!r}")
    if support == "free" and not rule.leaves_support:
        raise ValueError(
            f"support = 'free' has no meaning for divergence {rule.name!r}, which is infinite outside the "
            "support of p; use support='ac', or a divergence such as 'tv' or 'reverse_kl'"
        )
    xp = namespace(p, v, level)
    if xp is np:
        p, v = probability_array("p", p), number_array("v", v)
        level = check_level(rule, form, level)
    if np.shape(p)[-1:] != np.shape(v)[-1:]:
        raise ValueError(
            f"p and v must have the same number of states on their last axes, but have shapes {np.shape(p)} "
            f"and {np.shape(v)}"
        )
    free = rule.leaves_support and support != "ac"
    return solve(xp, rule, form, p, v, level, free)


def check_level(rule: Divergence, form: str, level: Any) -> np.ndarray:
    """The level as a float64 array in its range."""
    if isinstance(rule, CVaR):
        smallest = float(np.finfo(np.float64).tiny)
        return level_array("level", level, smallest, 1.0, "a tail probability in (0, 1], 1 being neutral")
    meaning = "a weight lambda >= 0, infinity being neutral"
    if form == "constrained":
        meaning = "a radius sigma >= 0, 0 being neutral"
    return level_array("level", level, 0.0, np.inf, meaning)


def solve(xp: Any, rule: Divergence, form: str, p: Any, v: Any, level: Any, free: bool) -> WorstCase:
    """`worst_case` on arguments that have been checked."""
    if xp is np:
        dtype: Any = np.float64
    else:
        dtype = xp.result_type(p, v, level, xp.float32)
    p, v, level = (xp.asarray(a, dtype=dtype) for a in (p, v, level))
    try:
        batch = np.broadcast_shapes(p.shape[:-1], v.shape[:-1], level.shape)
    except ValueError as error:
        raise ValueError(
            f"the leading axes of p {p.shape}, of v {v.shape} and the shape of level {level.shape} must "
            "broadcast together"
        ) from error
    p, v = (xp.broadcast_to(a, (*batch, p.shape[-1])) for a in (p, v))
    level = xp.broadcast_to(level, batch)
    # Branches of a `where` that are not taken may overflow or divide by zero.
    with np.errstate(all="ignore") if xp is np else nullcontext():
        answer, slope = _solve(xp, rule, form, p, v, level, free)
    return answer if xp is np else answer._replace(value=_enveloped(xp, p, v, level, answer, slope))


def _solve(
    xp: Any, rule: Divergence, form: str, p: Any, v: Any, level: Any, free: bool
) -> tuple[WorstCase, Any]:
    info = xp.finfo(p.dtype)
    p = p / p.sum(-1, keepdims=True)
    allowed = xp.full(p.shape, True) if free else p > 0
    # The problem is equivariant under shift and scale of v, so these two are constants to derivatives.
    lowest = stop_gradient(xp, xp.where(allowed, v, xp.inf).min(-1))
    shifted = v - lowest[..., None]
    span = stop_gradient(xp, xp.where(p > 0, shifted, 0.0).max(-1))
    unit = xp.where(span > 0, span, 1.0)
    # Only states without mass can exceed [0, 1]; they enter no expectation.
    gaps = xp.clip(shifted / unit[..., None], -(info.max**0.25), info.max**0.25)

    at_worst = allowed & (gaps == 0)
    uniform = at_worst / at_worst.sum(-1, keepdims=True)
    least = xp.where(at_worst, p, 0.0).sum(-1)
    rest = xp.where(at_worst, 0.0, p).sum(-1)
    radius = rule.collapse_radius(xp, least, rest)
    tail = isinstance(rule, CVaR)
    if tail:
        scaled, penal = level, False
        neutral, collapsed = level >= 1, level <= least
        inside = 0.5 * (1 + least)
    elif form == "penalised":
        scaled, penal = level / unit, True
        # So far from the scale of v that the answer is its limit to the last digit.
        neutral, collapsed = scaled > info.max * info.eps, scaled < info.tiny / info.eps
        inside = xp.ones_like(scaled)
    else:
        scaled, penal = level, False
        neutral, collapsed = level == 0, level >= radius
        inside = xp.where(xp.isfinite(radius), radius / 2, 1.0)
    neutral = neutral | (span == 0)
    collapsed = collapsed & ~neutral
    # The solvers see an interior level everywhere; the two limits replace their answer afterwards.
    interior = xp.where(neutral | collapsed, inside, scaled)
    outcome = (penalised if penal else constrained)(rule, xp, p, gaps, interior, uniform)

    zero = xp.zeros_like(scaled)
    mean = expect(xp, p, gaps)
    centred = gaps - mean[..., None]
    # As the weight grows, -lambda phi*((eta - d)/lambda) tends to d - eta. A smooth divergence is flat at
    # p, so that the price of a ball without radius is infinite; moving mass has a price per unit.
    price = (
        scaled if penal else expect(xp, p, -centred * (centred < 0)) if tail else xp.full_like(scaled, xp.inf)
    )
    if isinstance(rule, divergences.TotalVariation) and not penal:
        price = xp.where(span > 0, 1 / rule.scale, 0.0) + zero
    limit = Outcome(p, mean, price, centred, zero)
    outcome = choose(xp, neutral, limit, outcome)
    settled = xp.where((least > 0)[..., None], xp.where(at_worst, p, 0.0) / least[..., None], uniform)
    if isinstance(rule, divergences.TotalVariation):
        settled = xp.where(at_worst, p, 0.0) + uniform * rest[..., None]
    floor = Outcome(settled, zero, scaled if penal else zero, xp.zeros_like(gaps), radius)
    outcome = choose(xp, collapsed, floor, outcome)
    return _assemble(xp, rule, p, gaps, lowest, unit, level, outcome, penal, neutral | collapsed)


def _assemble(
    xp: Any,
    rule: Divergence,
    p: Any,
    gaps: Any,
    lowest: Any,
    unit: Any,
    level: Any,
    outcome: Outcome,
    penal: bool,
    limiting: Any,
) -> tuple[WorstCase, Any]:
    """Back to the units of v, with the two objectives; and the derivative of the value in the level."""
    kernel = outcome.kernel / outcome.kernel.sum(-1, keepdims=True)
    primal = xp.where(kernel > 0, kernel * xp.where(kernel > 0, gaps, 0.0), 0.0).sum(-1)
    dual = outcome.location + expect(xp, p, outcome.potential)
    if penal:
        primal = primal + xp.where(limiting, 0.0, outcome.penalty * outcome.distance)
        slope, penalty = outcome.distance, level
    elif isinstance(rule, CVaR):
        slope, penalty = outcome.penalty * unit / level, outcome.penalty * unit
    else:
        dual = dual - xp.where(limiting, 0.0, outcome.penalty * level)
        slope, penalty = -outcome.penalty * unit, outcome.penalty * unit
    answer = WorstCase(
        value=lowest + unit * primal,
        kernel=kernel,
        multiplier=lowest + unit * outcome.location,
        penalty=penalty,
        distance=outcome.distance,
        gradient_p=unit[..., None] * outcome.potential,
        residual=unit * (primal - dual),
    )
    return answer, slope


def _enveloped(xp: Any, p: Any, v: Any, level: Any, answer: WorstCase, slope: Any) -> Any:
    """The value with the envelope theorem as its derivative rule."""
    import jax

    @jax.custom_jvp
    def value(p: Any, v: Any, level: Any, answer: WorstCase, slope: Any) -> Any:
        return answer.value

    @value.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        _, _, _, answer, slope = primals
        dp, dv, dlevel, *_ = tangents
        # An infinite slope times a zero tangent must stay zero.
        gradient, slope = xp.nan_to_num(answer.gradient_p), xp.nan_to_num(slope)
        change = (gradient * dp + answer.kernel * dv).sum(-1) + slope * dlevel
        return answer.value, change

    return value(p, v, level, answer, slope)
