"""Exploitability in the game a quantal response concept is defined on, apart from any solver.

Worst cases and responses come from the preferences room, not from the solver's equations. The batch of
games is on the first axis here.

For a fixed opponent a player's utility is concave in its own strategy, U(x) = min_p { x'R p + D(p, q)/tau } -
eps nu(x). Fixing the minimiser p at x bounds the best utility from above by max_y { y'R p - eps nu(y) } +
D(p, q)/tau, in closed form; any better strategy found bounds it from below.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from equipoise.equilibria._branch import Rules
from equipoise.equilibria._system import Array
from equipoise.preferences import (
    LOG_BARRIER,
    NEGATIVE_ENTROPY,
    Regularizer,
    divergence,
    regularizer,
    worst_case,
)


class Gaps(NamedTuple):
    """What players can gain by deviating alone, and what they have; all `[batch, players]`.

    Attributes:
        upper, lower: bounds on the gain in the concept's own game.
        values: utility of the profile in that game (a lower bound for the sum-of-marginals penalty), without
            the regularizer where the rules leave it out of values.
        nash: gain in the game itself, without risk or noise.
    """

    upper: Array
    lower: Array
    values: Array
    nash: Array


def certify(
    payoffs: Sequence[Array],
    log_strategies: Sequence[Array],
    tau: Array,
    eps: Array,
    rules: Rules,
    witnesses: Sequence[Array] | None = None,
) -> Gaps:
    """Bound the exploitability of profiles in the regularised, risk-adjusted game.

    Args:
        payoffs: own-first matrices in payoff units, `[batch, A_i, M_i]`.
        log_strategies: `[batch, A_i]`. Logarithms, because a very averse adversary finds even probabilities
            that are too small for a floating-point number.
        tau: risk aversion, `[batch, players]`.
        eps: bounded rationality, `[batch, players]`.
        rules: how players judge.
        witnesses: some law per player over the opponents' joint actions, `[batch, M_i]`. The bounds hold for
            every such law and are tight for the right one, which matters where worst cases are tied, and
            always for the sum-of-marginals penalty.
    """
    players = len(payoffs)
    rule = regularizer(rules.regularizer)
    columns = []
    for i in range(players):
        rivals = [log_strategies[j] for j in range(players) if j != i]
        seat = Seat(
            payoffs[i], np.exp(log_strategies[i]), joint_log(rivals, len(payoffs[i])), tau[:, i], eps[:, i]
        )
        plain = np.einsum("bam,bm->ba", seat.payoff, np.exp(seat.log_q))
        nash = np.maximum(plain.max(axis=1) - (plain * seat.strategy).sum(axis=1), 0.0)
        witness = None if witnesses is None else witnesses[i]
        bounds = bounds_at(seat, rule, rules, rivals, witness)
        upper, lower, value = bounds
        if not rules.regularizer_in_value:
            value = value - regularised(np.zeros_like(seat.strategy), seat.strategy, seat.eps, rule)
        columns.append((upper, lower, value, nash))
    return Gaps(*(np.stack(part, axis=1) for part in zip(*columns, strict=True)))


def utilities(
    payoffs: Sequence[Array],
    log_strategies: Sequence[Array],
    tau: Array,
    eps: Array,
    rules: Rules,
    witnesses: Sequence[Array] | None = None,
) -> Array:
    """The players' values of profiles, `[batch, players]`: those of `certify`, without its search."""
    players = len(payoffs)
    rule = regularizer(rules.regularizer)
    columns = []
    for i in range(players):
        rivals = [log_strategies[j] for j in range(players) if j != i]
        seat = Seat(
            payoffs[i], np.exp(log_strategies[i]), joint_log(rivals, len(payoffs[i])), tau[:, i], eps[:, i]
        )
        if rules.form == "action_dependent" and seat.tau.any():
            u = risk_value(seat.log_q[:, None], seat.payoff, seat.tau[:, None], rules.penalty)[0]
            value = (u * seat.strategy).sum(axis=1)
        elif rules.joint_penalty == "marginals" and players > 2 and seat.tau.any():
            assert witnesses is not None
            value = _against_marginals(seat, rivals, witnesses[i]).value
        else:
            value = _against_others(seat, seat.strategy, rules.penalty)[0]
        if rules.regularizer_in_value:
            value = value + regularised(np.zeros_like(seat.strategy), seat.strategy, seat.eps, rule)
        columns.append(value)
    return np.stack(columns, axis=1)


class Seat(NamedTuple):
    """One player's position: payoffs `[batch, A, M]`, strategy, log law of the others, preferences."""

    payoff: Array
    strategy: Array
    log_q: Array
    tau: Array
    eps: Array


Bounds = tuple[Array, Array, Array]  # gain from above and from below, and the value of the profile


def bounds_at(
    seat: Seat, rule: Regularizer, rules: Rules, rivals: Sequence[Array], witness: Array | None
) -> Bounds:
    """What one player could gain by deviating, and what it has.

    Args:
        seat: the player's position.
        rule: the regularizer.
        rules: how players judge.
        rivals: log-strategies of the others.
        witness: as in `certify`, for this player.
    """
    if rules.form == "action_dependent" and seat.tau.any():
        return _action_dependent(seat, rule, rules.penalty)
    if rules.joint_penalty == "marginals" and len(rivals) > 1 and seat.tau.any():
        assert witness is not None
        return _marginals(seat, rule, rivals, witness)
    return _aggregate(seat, rule, rules.penalty, witness)


def joint_log(logs: Sequence[Array], batch: int) -> Array:
    """Logarithm of the product law over joint actions, `[batch, prod of sizes]`, last player fastest."""
    joint = np.zeros((batch, 1))
    for law in logs:
        joint = (joint[:, :, None] + law[:, None, :]).reshape(batch, -1)
    return joint


def best_value(u: Array, eps: Array, rule: Regularizer) -> tuple[Array, Array]:
    """Maximum of u'x - eps nu(x) over strategies, and the maximiser."""
    if rule is NEGATIVE_ENTROPY and (eps > 0.0).all():
        peak = u.max(axis=1)
        weights = np.exp((u - peak[:, None]) / eps[:, None])
        total = weights.sum(axis=1)
        return peak + eps * np.log(total), weights / total[:, None]
    if rule is LOG_BARRIER and (eps > 0.0).all():
        return _best_barrier_value(u, eps[:, None])
    answer = rule.respond(u, eps)
    return regularised(u, answer, eps, rule), answer


def _best_barrier_value(u: Array, eps: Array) -> tuple[Array, Array]:
    """Maximum of u'x + eps sum log x: x_a = eps/(d + max u - u_a), with d in [eps, A eps] to make it a law.

    By weak duality every d gives an upper bound, which is the maximum to second order in the error of d.
    """
    peak = u.max(axis=1, keepdims=True)
    regret = peak - u
    shift = eps.copy()
    for _ in range(60):
        law = eps / (shift + regret)
        # The sum is convex and falling in d, so that Newton's method rises to the root from the left end.
        step = (law.sum(axis=1, keepdims=True) - 1.0) / (law**2 / eps).sum(axis=1, keepdims=True)
        shift = shift + np.maximum(step, 0.0)
        if (step <= 1e-15 * shift).all():
            break
    law = eps / (shift + regret)
    bound = (peak + shift)[:, 0] + (eps * (np.log(law) - 1.0)).sum(axis=1)
    return bound, law / law.sum(axis=1, keepdims=True)


def regularised(u: Array, x: Array, eps: Array, rule: Regularizer) -> Array:
    """U'x - eps nu(x), without nu where eps = 0 (nu may be infinite there)."""
    noise = np.where(eps > 0.0, eps, 0.0)
    with np.errstate(all="ignore"):
        cost = np.where(eps > 0.0, noise * rule.value(x), 0.0)
    return (u * x).sum(axis=1) - cost


def risk_value(log_q: Array, values: Array, tau: Array, penalty: str) -> tuple[Array, Array]:
    """Worst-case expectation with penalty weight 1/tau and the law that attains it; tau = 0 is neutral."""
    averse = tau > 0.0
    safe = np.where(averse, tau, 1.0)[..., None]
    if penalty == "kl":
        # The entropic risk measure, in logarithms; for small tau the mean is taken out first.
        q = np.exp(log_q)
        mean = (q * values).sum(axis=-1, keepdims=True)
        tilted = log_q - safe * (values - mean)
        peak = tilted.max(axis=-1, keepdims=True)
        weights = np.exp(tilted - peak)
        total = weights.sum(axis=-1, keepdims=True)
        excess = (q * np.expm1(np.clip(-safe * (values - mean), -1.0, 1.0))).sum(axis=-1)
        small = (np.abs(safe * (values - mean)) < 0.5).all(axis=-1)
        log_mean = np.where(small, np.log1p(excess), (peak + np.log(total))[..., 0])
        risk = mean[..., 0] - np.where(averse, log_mean / safe[..., 0], 0.0)
        return risk, np.where(averse[..., None], weights / total, q)
    # Below 1e-290 a probability is zero for every purpose but the logarithms above.
    law = np.where(log_q > -667.0, np.exp(log_q), 0.0)
    answer = worst_case(
        np.broadcast_to(law / law.sum(axis=-1, keepdims=True), values.shape),
        values,
        penalty,
        level=np.where(averse, 1.0 / safe[..., 0], np.inf),
    )
    return answer.value, answer.kernel


def _divergence(p: Array, log_q: Array, penalty: str) -> Array:
    """D(p, q) with q given by its logarithm."""
    if penalty == "kl":
        return np.where(p > 0.0, p * (np.log(np.where(p > 0.0, p, 1.0)) - log_q), 0.0).sum(axis=1)
    law = np.where(log_q > -667.0, np.exp(log_q), 0.0)
    return divergence(penalty).value(p, law / law.sum(axis=1, keepdims=True))


def _against_others(seat: Seat, strategy: Array, penalty: str) -> tuple[Array, Array]:
    """Risk-adjusted payoff of a strategy, and payoffs u of the actions against its adversary."""
    payoff, _, log_q, tau, _ = seat
    if (tau > 0.0).any():
        value, p = risk_value(log_q, np.einsum("bam,ba->bm", payoff, strategy), tau, penalty)
        return value, np.einsum("bam,bm->ba", payoff, p)
    u = np.einsum("bam,bm->ba", payoff, np.exp(log_q))
    return (u * strategy).sum(axis=1), u


def _aggregate(seat: Seat, rule: Regularizer, penalty: str, witness: Array | None) -> Bounds:
    payoff, x, log_q, tau, eps = seat
    averse = tau > 0.0

    def look(strategy: Array) -> Bounds:
        """Utility of a strategy, payoffs u against its adversary, and an upper bound on the best utility."""
        value, u = _against_others(seat, strategy, penalty)
        cost = regularised(u, strategy, eps, rule)
        have = value + cost - (u * strategy).sum(axis=1)
        return have, u, have + best_value(u, eps, rule)[0] - cost

    have, u, ceiling = look(x)
    if witness is not None and averse.any():
        price = np.where(averse, _divergence(witness, log_q, penalty) / np.where(averse, tau, 1.0), 0.0)
        against = np.where(averse[:, None], witness, np.exp(log_q))
        bound = best_value(np.einsum("bam,bm->ba", payoff, against), eps, rule)[0] + price
        ceiling = np.minimum(ceiling, bound)
    floor = have.copy()
    spread = np.ptp(payoff, axis=(1, 2))
    step = np.ones(len(x))
    weight = x
    # Conditional gradient on U, which is concave: mix towards the answer to the current adversary.
    for _ in range(100):
        if (ceiling - floor <= 1e-12 * np.maximum(spread, 1.0)).all():
            break
        answer = best_value(u, eps, rule)[1]
        candidate = weight + step[:, None] * (answer - weight)
        new, new_u, bound = look(candidate)
        better = new >= floor
        ceiling = np.minimum(ceiling, bound)
        weight = np.where(better[:, None], candidate, weight)
        u = np.where(better[:, None], new_u, u)
        floor = np.maximum(floor, new)
        step = np.where(better, np.minimum(1.0, 1.5 * step), 0.5 * step)
    return np.maximum(ceiling - have, 0.0), np.maximum(floor - have, 0.0), have


def _action_dependent(seat: Seat, rule: Regularizer, penalty: str) -> Bounds:
    u = risk_value(seat.log_q[:, None], seat.payoff, seat.tau[:, None], penalty)[0]
    have = regularised(u, seat.strategy, seat.eps, rule)
    gain = np.maximum(best_value(u, seat.eps, rule)[0] - have, 0.0)
    return gain, gain, have


class _Marginals(NamedTuple):
    """A seat against a witness under the sum-of-marginals penalty.

    Attributes:
        value: risk-adjusted payoff of the strategy, from below.
        action: payoffs of the actions against the witness, or against the others for neutral players.
        price: what the witness costs, the sum of its marginals' divergences over tau.
    """

    value: Array
    action: Array
    price: Array


def _against_marginals(seat: Seat, logs: Sequence[Array], witness: Array) -> _Marginals:
    payoff, x, log_q, tau, _ = seat
    batch, averse = len(witness), tau > 0.0
    sizes = [law.shape[1] for law in logs]
    split = witness.reshape(batch, *sizes)
    ratios = np.zeros_like(split)
    distance = np.zeros(batch)
    for place, law in enumerate(logs):
        side = split.sum(axis=tuple(1 + k for k in range(len(sizes)) if k != place))
        # Any positive marginal gives a valid bound, so one that underflows may be replaced by the smallest.
        log_ratio = np.log(np.maximum(side, np.finfo(float).tiny)) - law
        distance += (side * log_ratio).sum(axis=1)
        ratios += log_ratio.reshape([batch] + [n if k == place else 1 for k, n in enumerate(sizes)])
    safe = np.where(averse, tau, 1.0)
    costs = np.einsum("bam,ba->bm", payoff, x)
    dual = (costs + ratios.reshape(batch, -1) / safe[:, None]).min(axis=1)
    u = np.einsum("bam,bm->ba", payoff, np.where(averse[:, None], witness, np.exp(log_q)))
    value = np.where(averse, dual, (u * x).sum(axis=1))
    return _Marginals(value, u, np.where(averse, distance / safe, 0.0))


def _marginals(seat: Seat, rule: Regularizer, logs: Sequence[Array], witness: Array) -> Bounds:
    """Weak duality with the witness: its value bounds utilities from above, its marginals from below."""
    value, u, price = _against_marginals(seat, logs, witness)
    have = value + regularised(np.zeros_like(seat.strategy), seat.strategy, seat.eps, rule)
    best = best_value(u, seat.eps, rule)[0] + price
    return np.maximum(best - have, 0.0), np.zeros(len(have)), have
