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
from equipoise.preferences import Regularizer, divergence, regularizer, worst_case


class Gaps(NamedTuple):
    """What players can gain by deviating alone, and what they have; all `[batch, players]`.

    Attributes:
        upper, lower: bounds on the gain in the concept's own game.
        values: utility of the profile in that game (a lower bound for the sum-of-marginals penalty).
        nash: gain in the game itself, without risk or noise.
    """

    upper: Array
    lower: Array
    values: Array
    nash: Array


def certify(
    payoffs: Sequence[Array],
    strategies: Sequence[Array],
    tau: Array,
    eps: Array,
    rules: Rules,
    witnesses: Sequence[Array] | None = None,
) -> Gaps:
    """Bound the exploitability of profiles in the regularised, risk-adjusted game.

    Args:
        payoffs: own-first matrices in payoff units, `[batch, A_i, M_i]`.
        strategies: `[batch, A_i]`.
        tau, eps: `[batch, players]`.
        rules: how players judge.
        witnesses: some law per player over the opponents' joint actions, `[batch, M_i]`. The bounds hold for
            every such law and are tight for the right one, which matters where worst cases are tied, and
            always for the sum-of-marginals penalty.
    """
    players = len(payoffs)
    rule = regularizer(rules.regularizer)
    columns = []
    for i in range(players):
        rivals = [strategies[j] for j in range(players) if j != i]
        q = outer_product(rivals, len(payoffs[i]))
        plain = np.einsum("bam,bm->ba", payoffs[i], q)
        nash = np.maximum(plain.max(axis=1) - (plain * strategies[i]).sum(axis=1), 0.0)
        args = (payoffs[i], strategies[i], q, tau[:, i], eps[:, i], rule)
        if rules.form == "action_dependent" and tau[:, i].any():
            bounds = _action_dependent(*args, rules.penalty)
        elif rules.joint_penalty == "marginals" and players > 2 and tau[:, i].any():
            assert witnesses is not None
            bounds = _marginals(*args, rivals, witnesses[i])
        else:
            bounds = _aggregate(*args, rules.penalty, None if witnesses is None else witnesses[i])
        columns.append((*bounds, nash))
    return Gaps(*(np.stack(part, axis=1) for part in zip(*columns, strict=True)))


def outer_product(laws: Sequence[Array], batch: int) -> Array:
    """Product law over joint actions, `[batch, prod of sizes]`, last player fastest."""
    joint = np.ones((batch, 1))
    for law in laws:
        joint = (joint[:, :, None] * law[:, None, :]).reshape(batch, -1)
    return joint


def best_value(u: Array, eps: Array, rule: Regularizer) -> tuple[Array, Array]:
    """Maximum of u'x - eps nu(x) over strategies, and the maximiser."""
    answer = rule.respond(u, eps)
    return regularised(u, answer, eps, rule), answer


def regularised(u: Array, x: Array, eps: Array, rule: Regularizer) -> Array:
    """U'x - eps nu(x), without nu where eps = 0 (nu may be infinite there)."""
    noise = np.where(eps > 0.0, eps, 0.0)
    with np.errstate(all="ignore"):
        cost = np.where(eps > 0.0, noise * rule.value(x), 0.0)
    return (u * x).sum(axis=1) - cost


def _risk(law: Array, values: Array, tau: Array, penalty: str) -> tuple[Array, Array]:
    """Worst-case expectation with penalty weight 1/tau and the law that attains it; tau = 0 is neutral."""
    with np.errstate(divide="ignore"):
        answer = worst_case(law, values, penalty, level=np.where(tau > 0.0, 1.0 / tau, np.inf))
    return answer.value, answer.kernel


def _aggregate(
    payoff: Array,
    x: Array,
    q: Array,
    tau: Array,
    eps: Array,
    rule: Regularizer,
    penalty: str,
    witness: Array | None,
) -> tuple[Array, Array, Array]:
    def look(strategy: Array) -> tuple[Array, Array, Array]:
        """Utility of a strategy, payoffs u against its adversary, and an upper bound on the best utility."""
        value, p = _risk(q, np.einsum("bam,ba->bm", payoff, strategy), tau, penalty)
        u = np.einsum("bam,bm->ba", payoff, p)
        have = value + regularised(u, strategy, eps, rule) - (u * strategy).sum(axis=1)
        return have, u, have + best_value(u, eps, rule)[0] - regularised(u, strategy, eps, rule)

    have, u, ceiling = look(x)
    if witness is not None:
        price = np.where(
            tau > 0.0, divergence(penalty).value(witness, q) / np.where(tau > 0.0, tau, 1.0), 0.0
        )
        against = np.where(tau[:, None] > 0.0, witness, q)
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


def _action_dependent(
    payoff: Array, x: Array, q: Array, tau: Array, eps: Array, rule: Regularizer, penalty: str
) -> tuple[Array, Array, Array]:
    u = _risk(q[:, None], payoff, tau[:, None], penalty)[0]
    have = regularised(u, x, eps, rule)
    gain = np.maximum(best_value(u, eps, rule)[0] - have, 0.0)
    return gain, gain, have


def _marginals(
    payoff: Array,
    x: Array,
    q: Array,
    tau: Array,
    eps: Array,
    rule: Regularizer,
    rivals: Sequence[Array],
    witness: Array,
) -> tuple[Array, Array, Array]:
    """Weak duality with the witness: its value bounds utilities from above, its marginals from below."""
    sizes = [law.shape[1] for law in rivals]
    split = witness.reshape(len(witness), *sizes)
    ratios = np.zeros_like(split)
    distance = np.zeros(len(witness))
    for place, law in enumerate(rivals):
        axes = tuple(1 + k for k in range(len(sizes)) if k != place)
        side = split.sum(axis=axes)
        positive = side > 0.0
        log_ratio = np.where(positive, np.log(np.where(positive, side, 1.0) / law), 0.0)
        distance += (side * log_ratio).sum(axis=1)
        # A marginal that underflows is as good as the smallest number: the bound stays valid.
        log_ratio = np.where(positive, log_ratio, np.log(np.finfo(float).tiny / law))
        shape = [len(witness)] + [sizes[k] if k == place else 1 for k in range(len(sizes))]
        ratios += log_ratio.reshape(shape)
    safe = np.where(tau > 0.0, tau, 1.0)
    costs = np.einsum("bam,ba->bm", payoff, x)
    dual = (costs + ratios.reshape(len(witness), -1) / safe[:, None]).min(axis=1)
    u = np.einsum("bam,bm->ba", payoff, np.where(tau[:, None] > 0.0, witness, q))
    have = np.where(tau > 0.0, dual, (u * x).sum(axis=1)) + regularised(np.zeros_like(x), x, eps, rule)
    best = best_value(u, eps, rule)[0] + np.where(tau > 0.0, distance / safe, 0.0)
    return np.maximum(best - have, 0.0), np.zeros(len(x)), have
