"""The decision process a player faces when everybody else keeps to a stationary policy.

The others' policies are averaged out of rewards and transitions, and the process is solved by policy
iteration (Howard 1960), with an entropy bonus by its smooth analogue. No equilibrium equation is used here.
Several players with equally many actions are one process with a leading axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from equipoise.equilibria._system import Array
from equipoise.games.markov import MarkovGame

ROUNDS = 200
ENOUGH = 1e-13  # improvement of the bound that counts, relative to the values


class Process(NamedTuple):
    """One or several decision processes of one shape.

    Attributes:
        rewards: `[..., S, A]`.
        kernel: law of the next state, `[..., S, A, S]`; or a sparse matrix `[S * A, S]`.
        discount: the discount factor.
    """

    rewards: Array
    kernel: Any
    discount: float

    def ahead(self, values: Array) -> Array:
        """What every action is worth when the next state is worth `values` `[..., S]`."""
        if isinstance(self.kernel, np.ndarray):
            future = (self.kernel @ values[..., None, :, None])[..., 0]
        else:
            future = (self.kernel @ values).reshape(self.rewards.shape)
        return np.asarray(self.rewards + self.discount * future)

    def evaluate(self, policy: Array, bonus: Array | float = 0.0) -> Array:
        """Values `[..., S]` of a policy `[..., S, A]`, with a bonus per state on top of rewards."""
        gain = (policy * self.rewards).sum(axis=-1) + bonus
        if isinstance(self.kernel, np.ndarray):
            matrix = (policy[..., None, :] @ self.kernel)[..., 0, :]
            matrix *= -self.discount
            states = matrix.shape[-1]
            matrix.reshape(*matrix.shape[:-2], -1)[..., :: states + 1] += 1.0
            return np.asarray(np.linalg.solve(matrix, gain[..., None])[..., 0])
        from equipoise.equilibria._value_equations import gmres

        def image(v: Array) -> Array:
            return np.asarray(
                v - self.discount * (policy * (self.kernel @ v).reshape(policy.shape)).sum(axis=-1)
            )

        return gmres(image, gain, 1e-13)


class Margin(NamedTuple):
    """What a better policy could gain, `[...]` over leading axes.

    Attributes:
        upper, lower: bounds on the largest gain over all first states.
        values: values of the policy, `[..., S]`.
    """

    upper: Array
    lower: Array
    values: Array


class Standing(NamedTuple):
    """Where a policy leaves a player.

    Attributes:
        process: the decision process.
        policy: the policy, `[..., S, A]`.
        bonus: reward per state on top of the process's, `[..., S]` or 0.
        values: values of the policy, `[..., S]`.
        worth: what every action is worth when they follow, `[..., S, A]`.
        drift: what is left of the evaluation equations, from rounding, `[..., S]`.
    """

    process: Process
    policy: Array
    bonus: Array | float
    values: Array
    worth: Array
    drift: Array

    @classmethod
    def of(cls, process: Process, policy: Array, bonus: Array | float = 0.0) -> Standing:
        """Evaluate a policy."""
        values = process.evaluate(policy, bonus)
        worth = process.ahead(values)
        drift = (policy * worth).sum(axis=-1) + bonus - values
        return cls(process, policy, bonus, values, worth, drift)


def facing(game: MarkovGame, policies: Sequence[Array]) -> list[Process]:
    """Every player's process against the others' policies `[S, A_j]`; equal shapes come as one.

    Args:
        game: a discounted game.
        policies: one policy per player.
    """
    counts, states, discount = game.num_actions, game.num_states, game.discount
    assert discount is not None
    players = range(len(counts))
    if game.is_sparse:
        return [_facing_sparse(game, policies, i) for i in players]
    kernel = game.transitions_at()
    alike = len(set(counts)) == 1
    kernels = [np.empty((len(counts), states, counts[0], states))] if alike else []
    gains = [np.empty((len(counts), states, counts[0]))] if alike else []
    for i in players:
        law = rivals_law(policies, i)
        order = (0, 1 + i, *(1 + j for j in players if j != i))
        own = kernel.transpose(*order, -1).reshape(states, counts[i], -1, states)
        payoff = game.rewards[i].transpose(order).reshape(states, counts[i], -1)
        if not alike:
            kernels.append(np.empty((states, counts[i], states)))
            gains.append(np.empty((states, counts[i])))
        future, gain = (kernels[0][i], gains[0][i]) if alike else (kernels[i], gains[i])
        np.matmul(law[:, None, None, :], own, out=future[:, :, None])
        np.matmul(payoff, law[:, :, None], out=gain[:, :, None])
    return [Process(gain, future, discount) for gain, future in zip(gains, kernels, strict=True)]


def rivals_law(policies: Sequence[Array], i: int) -> Array:
    """Law of the others' joint action in every state, `[S, M_i]`."""
    law: Array | None = None
    for j, policy in enumerate(policies):
        if j != i:
            law = policy if law is None else (law[:, :, None] * policy[:, None]).reshape(len(policy), -1)
    return np.ones((len(policies[i]), 1)) if law is None else law


def _facing_sparse(game: MarkovGame, policies: Sequence[Array], i: int) -> Process:
    from scipy.sparse import csr_array

    counts, states, discount = game.num_actions, game.num_states, game.discount
    assert discount is not None
    lists = game.successors_at()
    law = rivals_law(policies, i)
    own = np.moveaxis(lists.probabilities, 1 + i, 1).reshape(states, counts[i], law.shape[1], -1)
    weights = own * law[:, None, :, None]
    places = np.moveaxis(lists.successors, 1 + i, 1).reshape(states * counts[i], -1)
    starts = np.arange(0, places.size + 1, places.shape[1])
    kernel = csr_array((weights.ravel(), places.ravel(), starts), shape=(len(places), states))
    payoff = np.moveaxis(game.rewards[i], 1 + i, 1).reshape(states, counts[i], -1)
    return Process(np.einsum("sam,sm->sa", payoff, law), kernel, discount)


def margin(standing: Standing, eps: Array | float | None = None) -> Margin:
    """How much the best policy gains over a given one; with rewards r - eps * (negative entropy) if eps.

    Bounds hold whatever the rounding: a value V with T V - V in [l, u] lies between l/(1 - discount) below
    and u/(1 - discount) above the fixed point of the monotone operator T (MacQueen 1966).

    Args:
        standing: the policy, evaluated with the entropy as its bonus if eps is given.
        eps: weight of the entropy, `[...]`; None is the ordinary process.
    """
    process, values = standing.process, standing.values
    noise = None if eps is None else np.asarray(eps)[..., None]
    factor = 1.0 / (1.0 - process.discount)
    best, worth, last = values, standing.worth, np.inf
    enough = ENOUGH * (1.0 + float(np.abs(values).max()))
    for _ in range(ROUNDS):
        optimum, answer, bonus = _answer(worth, noise)
        gain = (optimum - best).max(axis=-1)
        most = float(gain.max())
        if most <= enough or not most < last:
            break
        last = most
        best = process.evaluate(answer, bonus)
        worth = process.ahead(best)
    low = factor * np.minimum(standing.drift.min(axis=-1), 0.0)
    high = factor * np.maximum(standing.drift.max(axis=-1), 0.0)
    most_gained = (best - values).max(axis=-1)
    upper = np.maximum(most_gained + factor * np.maximum(gain, 0.0) - low, 0.0)
    return Margin(upper, np.maximum(most_gained - high, 0.0), values)


def one_move(standing: Standing, eps: Array | float, entropy: Array) -> Margin:
    """How much the best single move gains, with an entropy bonus, over a policy whose values have none.

    The player goes on with its policy afterwards.

    Args:
        standing: the policy, evaluated without bonus.
        eps: weight of the entropy, `[...]`.
        entropy: entropy of the policy, `[..., S]`.
    """
    noise, discount = np.asarray(eps)[..., None], standing.process.discount
    drift = np.abs(standing.drift).max(axis=-1)
    doubt = 2.0 * discount / (1.0 - discount) * drift
    have = standing.values + standing.drift + noise * entropy
    gain = np.maximum((_answer(standing.worth, noise)[0] - have).max(axis=-1), 0.0)
    return Margin(gain + doubt, np.maximum(gain - doubt, 0.0), standing.values)


def _answer(worth: Array, noise: Array | None) -> tuple[Array, Array, Array | float]:
    """Value of the best policy when actions are worth so much, that policy, and its bonus."""
    peak = worth.max(axis=-1, keepdims=True)
    if noise is None:
        best = worth == peak
        return peak[..., 0], best / best.sum(axis=-1, keepdims=True), 0.0
    regret = (worth - peak) / noise[..., None]
    odds = np.exp(regret)
    total = odds.sum(axis=-1, keepdims=True)
    spread, answer = np.log(total[..., 0]), odds / total
    return peak[..., 0] + noise * spread, answer, noise * (spread - (answer * regret).sum(axis=-1))
