"""The decision process a player faces when everybody else keeps to a stationary policy.

The others' policies are averaged out of rewards and transitions, and the process is solved by policy iteration
(Howard 1960), with an entropy bonus by its smooth analogue. No equilibrium equation is used here. Several
players with equally many actions are one process with a leading axis.
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
    rewards, kernel = game.rewards, game.transitions_at()
    kernels, gains = [], []
    for i in players:
        law = rivals_law(policies, i)
        own = np.moveaxis(kernel, 1 + i, 1).reshape(states, counts[i], -1, states)
        kernels.append((law[:, None, None, :] @ own)[:, :, 0])
        payoff = np.moveaxis(rewards[i], 1 + i, 1).reshape(states, counts[i], -1)
        gains.append((payoff @ law[:, :, None])[..., 0])
    if len(set(counts)) == 1:
        return [Process(np.stack(gains), np.stack(kernels), discount)]
    return [Process(gain, law, discount) for gain, law in zip(gains, kernels, strict=True)]


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


def margin(
    process: Process, policy: Array, eps: Array | float = 0.0, log_policy: Array | None = None
) -> Margin:
    """How much the best policy gains over a given one, with rewards r - eps * (negative entropy).

    Bounds hold whatever the rounding: a value V with T V - V in [l, u] lies between l/(1 - discount) below
    and u/(1 - discount) above the fixed point of the monotone operator T (MacQueen 1966).

    Args:
        process: the decision process.
        policy: `[..., S, A]`.
        eps: weight of the entropy, `[...]`; 0 is the ordinary process.
        log_policy: logarithm of the policy, where eps is positive.
    """
    noise = np.asarray(eps)[..., None]
    bonus: Array | float = 0.0
    if log_policy is not None:
        bonus = -noise * (policy * log_policy).sum(axis=-1)
    values = process.evaluate(policy, bonus)
    factor = 1.0 / (1.0 - process.discount)
    worth = process.ahead(values)
    drift = (policy * worth).sum(axis=-1) + bonus - values
    floor = values + factor * np.minimum(drift.min(axis=-1, keepdims=True), 0.0)
    ceiling = values + factor * np.maximum(drift.max(axis=-1, keepdims=True), 0.0)
    best, roof, last = values, np.full_like(values, np.inf), np.inf
    enough = ENOUGH * factor * (1.0 + np.abs(values).max())
    for _ in range(ROUNDS):
        answer, optimum, reward = _answer(worth, noise, log_policy is not None)
        gain = optimum - best
        roof = np.minimum(roof, best + factor * np.maximum(gain.max(axis=-1, keepdims=True), 0.0))
        width = float((roof - best).max())
        if width <= enough or not width < last:
            break
        last = width
        best = process.evaluate(answer, reward)
        worth = process.ahead(best)
    upper = (roof - floor).max(axis=-1)
    lower = np.maximum((best - ceiling).max(axis=-1), 0.0)
    return Margin(upper, lower, values)


def _answer(worth: Array, noise: Array, smooth: bool) -> tuple[Array, Array, Array | float]:
    """Best policy, its value and its bonus when actions are worth so much."""
    peak = worth.max(axis=-1, keepdims=True)
    if not smooth:
        return (worth == peak) / (worth == peak).sum(axis=-1, keepdims=True), peak[..., 0], 0.0
    regret = (worth - peak) / noise[..., None]
    odds = np.exp(regret)
    total = odds.sum(axis=-1, keepdims=True)
    answer = odds / total
    entropy = np.log(total[..., 0]) - (answer * regret).sum(axis=-1)
    return answer, peak[..., 0] + noise * np.log(total[..., 0]), noise * entropy
