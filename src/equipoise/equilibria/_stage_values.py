"""Values of stage games at strategies that need not be in equilibrium yet, with their derivatives.

Conventions as in `_system`: the states of the Markov game are the batch, on the last axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from equipoise.equilibria._action_dependent import ActionDependentSystem
from equipoise.equilibria._adversaries import log_marginal
from equipoise.equilibria._joint_system import JointSystem, selector
from equipoise.equilibria._responses import Response
from equipoise.equilibria._system import (
    Array,
    KLSystem,
    Parameters,
    System,
    marginal,
    others,
    outer_product,
    outer_sum,
    through,
)
from equipoise.preferences import regularizer


class StageValues(NamedTuple):
    """Risk-adjusted values of all stage games.

    Attributes:
        value: `[players, batch]`.
        by_x: derivative in the system's unknowns, `[players, unknowns, batch]`.
        by_payoff: derivative in the player's own payoffs, `[A_i, M_i, batch]` per player.
        by_weight: derivative in the weight w of the path, `[players, batch]`.
    """

    value: Array
    by_x: Array
    by_payoff: list[Array]
    by_weight: Array


class _Worst(NamedTuple):
    """One player's worst case against its rivals.

    Attributes:
        value: risk-adjusted expectation, `[batch]`.
        action: what each own action is worth, the derivative in the own strategy, `[A_i, batch]`.
        law: derivative in the payoffs, `[A_i, M_i, batch]`.
        pull: derivative in log pi_j of every rival, `[A_j, batch]` each.
        by_adversary: derivative in the adversary's own unknowns, where it has any, `[_, batch]`.
    """

    value: Array
    action: Array
    law: Array
    pull: dict[int, Array]
    by_adversary: Array | None = None


def stage_values(system: System, x: Array, at: Parameters, rule: str, counted: bool) -> StageValues:
    """Values v_i(x) of all stage games.

    Where values count the regularizer, they are v_i - (eps_i/w)(nu(pi_i) - nu(uniform)): at weight w the
    players are as noisy as at eps/w, and without the constant everything stays finite as w tends to 0.

    Args:
        system: the equations with their payoffs.
        x: their unknowns.
        at: parameters, of which w is the weight.
        rule: name of the regularizer nu.
        counted: whether values count the regularizer.
    """
    assert isinstance(system, KLSystem | JointSystem)
    responses = system.responses(x)
    players, batch = len(responses), x.shape[1]
    nu = regularizer(rule)
    value, by_weight = np.empty((players, batch)), np.zeros((players, batch))
    by_x = np.zeros((players, *x.shape))
    by_payoff = []
    spans = system.own if isinstance(system, JointSystem) else system.blocks
    for i, own in enumerate(responses):
        worst = _worst(system, i, x, at, responses)
        value[i], slope = worst.value, worst.action
        if counted:
            size = own.strategy.shape[0]
            excess = _excess(rule, own, size)
            noise = at.eps[i] / at.weight
            value[i] = value[i] - noise * excess
            by_weight[i] = noise / at.weight * excess
            slope = slope - noise * nu.gradient(own.strategy.T).T
        by_x[i, spans[i]] = through((slope * own.strategy)[None], own)[0]
        for j, moved in worst.pull.items():
            by_x[i, spans[j]] = through(moved[None], responses[j])[0]
        if worst.by_adversary is not None:
            by_x[i, spans[i].stop : system.blocks[i].stop] = worst.by_adversary
        by_payoff.append(worst.law)
    return StageValues(value, by_x, by_payoff, by_weight)


def uniform_cost(rule: str, actions: int) -> float:
    """nu(uniform), what values count on top of `stage_values`."""
    return float(-np.log(actions) if rule == "entropy" else actions * np.log(actions))


def _excess(rule: str, own: Response, actions: int) -> Array:
    """nu(pi) - nu(uniform), exactly zero at uniform play."""
    tilt = own.log_strategy + np.log(actions)
    if rule == "entropy":
        return np.asarray((own.strategy * tilt).sum(axis=0))
    return np.asarray(-tilt.sum(axis=0))


def _worst(
    system: KLSystem | JointSystem, i: int, x: Array, at: Parameters, responses: Sequence[Response]
) -> _Worst:
    if isinstance(system, JointSystem):
        return _joint(system, i, x, at, responses)
    rivals = others(i, len(responses))
    sizes = [system.sizes[j] for j in rivals]
    own = responses[i].strategy
    if isinstance(system, ActionDependentSystem):
        risk = system.certainty(i, responses, at.tau)
        pull = np.einsum("amb,ab->mb", risk.pull, own)
        return _Worst(
            (own * risk.value).sum(axis=0), risk.value, own[:, None] * risk.worst, _split(pull, rivals, sizes)
        )
    payoff, tau = system.payoffs[i], at.tau[i]
    costs = np.einsum("amb,ab->mb", payoff, own)
    q = outer_product([responses[j].strategy for j in rivals])
    if system.neutral:
        p, value, pull = q, (q * costs).sum(axis=0), q * costs
    else:
        p, value, pull = _entropic(q, outer_sum([responses[j].log_strategy for j in rivals]), costs, tau)
    action = np.einsum("amb,mb->ab", payoff, p)
    return _Worst(value, action, own[:, None] * p, _split(pull, rivals, sizes))


def _entropic(q: Array, log_q: Array, costs: Array, tau: Array) -> tuple[Array, Array, Array]:
    """Worst law, value -log E exp(-tau c)/tau, and its derivative in log q; accurate for every tau >= 0."""
    averse = tau > 0.0
    t = np.where(averse, tau, 1.0)
    least = costs.min(axis=0)
    excess = costs - least
    raw = (q * np.expm1(-t * excess)).sum(axis=0)
    tilted = log_q - t * excess
    peak = tilted.max(axis=0)
    total = peak + np.log(np.exp(tilted - peak).sum(axis=0))
    log_mean = np.where(raw > -0.5, np.log1p(np.maximum(raw, -0.5)), total)
    value = np.where(averse, least - log_mean / t, (q * costs).sum(axis=0))
    gap = costs - value
    p = np.where(averse, np.exp(tilted - total), q)
    near = np.abs(t * gap) < 1.0
    slight = -q * np.expm1(-t * np.where(near, gap, 0.0))
    pull = np.where(averse, np.where(near, slight, q - p) / t, q * gap)
    return p, value, pull


def _joint(system: JointSystem, i: int, x: Array, at: Parameters, responses: Sequence[Response]) -> _Worst:
    rivals = others(i, len(responses))
    sizes = [system.sizes[j] for j in rivals]
    log_p = x[system.own[i].stop : system.blocks[i].stop - 1]
    p = np.exp(log_p)
    own, tau = responses[i].strategy, at.tau[i]
    costs = np.einsum("amb,ab->mb", system.payoffs[i], own)
    value, slope = (p * costs).sum(axis=0), p * costs
    pull: dict[int, Array] = {}
    if system.neutral[i]:
        pass  # p is the rivals' law by the system's own equations
    elif system.penalty == "reverse_kl":
        log_q = outer_sum([responses[j].log_strategy for j in rivals])
        q = np.exp(log_q)
        value = value + (q * (log_q - log_p)).sum(axis=0) / tau
        slope = slope - q / tau
        pull = _split(q * (log_q - log_p) / tau, rivals, sizes)
    else:
        for place, j in enumerate(rivals):
            side = log_marginal(log_p, sizes, place)
            ratio = side - responses[j].log_strategy
            value = value + (np.exp(side) * ratio).sum(axis=0) / tau
            slope = slope + p * (selector(sizes, place) @ ratio + 1.0) / tau
            pull[j] = -np.exp(side) / tau
    by_adversary = np.vstack([slope, np.zeros_like(value)])
    action = np.einsum("amb,mb->ab", system.payoffs[i], p)
    return _Worst(value, action, own[:, None] * p, pull, by_adversary)


def _split(pull: Array, rivals: Sequence[int], sizes: Sequence[int]) -> dict[int, Array]:
    """Derivative in each rival's log-strategy from that in the log of their joint law `[M, batch]`."""
    return {j: marginal(pull[None], sizes, place)[0] for place, j in enumerate(rivals)}
