"""What the future is worth for every state and joint action of a discounted game, and how that changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from equipoise.equilibria._system import Array
from equipoise.games.markov import MarkovGame
from equipoise.preferences import divergence, worst_case


class Outlook(NamedTuple):
    """Stage games at given continuation values.

    Attributes:
        payoffs: own-first matrices r_i + discount * (worth of the next state), `[A_i, M_i, S]` per player.
        kernels: the law of the next state each player reckons with, `[S * J, S]`, J joint actions: arrays or
            sparse matrices; the derivative of the worth in the player's values. Neutral players share one.
    """

    payoffs: list[Array]
    kernels: list[Any]


@dataclass(frozen=True, eq=False)
class Lookahead:
    """Rewards and transitions of a discounted game as its players judge them.

    Attributes:
        game: the game.
        rewards: rewards in the units that values are counted in, `[players, S, J]`.
        aversion: each player's aversion to chance moves, in the inverse of those units, `[players]`.
        penalty: divergence of the feared law of the next state from the true one.
    """

    game: MarkovGame
    rewards: Array
    aversion: Array
    penalty: str

    @property
    def discount(self) -> float:
        """The discount factor."""
        assert self.game.discount is not None
        return self.game.discount

    @cached_property
    def kernel(self) -> Any:
        """The true law of the next state, `[S * J, S]`, an array or a sparse matrix."""
        game = self.game
        if not game.is_sparse:
            return game.transitions_at().reshape(-1, game.num_states)
        lists = game.successors_at()
        return _rows(lists.successors, lists.probabilities, game.num_states)

    def __call__(self, values: Array) -> Outlook:
        """Stage games when the next state is worth `values`, `[players, S]`."""
        worth, kernels = self.worth(values)
        return Outlook(self.own_first(self.rewards + self.discount * worth), kernels)

    def worth(self, values: Array) -> tuple[Array, list[Any]]:
        """Risk-adjusted expectation of the next state's value `[players, S, J]`, and its kernels."""
        shape = self.rewards.shape
        worth = np.ascontiguousarray((self.kernel @ values.T).T).reshape(shape)
        kernels = [self.kernel] * len(values)
        for i in np.flatnonzero(self.aversion):
            worth[i], kernels[i] = self._feared(values[i], 1.0 / self.aversion[i])
        return worth, kernels

    def of(self, i: int, values: Array) -> tuple[Array, Any]:
        """One player's own-first payoffs `[A_i, M_i, S]` and kernel, at its values `[S]`."""
        if self.aversion[i]:
            worth, kernel = self._feared(values, 1.0 / self.aversion[i])
        else:
            worth, kernel = (self.kernel @ values).reshape(self.rewards.shape[1:]), self.kernel
        return self._own_first(i, self.rewards[i] + self.discount * worth), kernel

    def _feared(self, values: Array, level: float) -> tuple[Array, Any]:
        game, states = self.game, len(values)
        lists = game.successors_at()
        length = lists.successors.shape[-1]
        nominal = lists.probabilities.reshape(-1, length)
        places = lists.successors.reshape(-1, length)
        if game.is_sparse and divergence(self.penalty).leaves_support:
            # Mass that leaves the support goes to the worst state of all, whether it is listed or not.
            worst = np.full((len(places), 1), int(np.argmin(values)), dtype=places.dtype)
            nominal = np.hstack([nominal, np.zeros((len(places), 1))])
            places = np.hstack([places, worst])
        answer = worst_case(nominal, values[places], self.penalty, level=level)
        kernel = _rows(places, answer.kernel, states) if game.is_sparse else answer.kernel
        return answer.value.reshape(self.rewards.shape[1:]), kernel

    def own_first(self, joint: Array) -> list[Array]:
        """Own-first matrices `[A_i, M_i, S]` of numbers per player, state and joint action, `[n, S, J]`."""
        return [self._own_first(i, numbers) for i, numbers in enumerate(joint)]

    def _own_first(self, i: int, numbers: Array) -> Array:
        counts, states = self.game.num_actions, self.game.num_states
        split = np.moveaxis(numbers.reshape(states, *counts), 0, -1)
        return np.ascontiguousarray(np.moveaxis(split, i, 0)).reshape(counts[i], -1, states)

    def joint_first(self, i: int, own: Array) -> Array:
        """Inverse of `own_first` for one player: `[A_i, M_i, S]` to `[S, J]`."""
        counts, states = self.game.num_actions, self.game.num_states
        rest = [count for j, count in enumerate(counts) if j != i]
        split = np.moveaxis(own.reshape(counts[i], *rest, states), 0, i)
        return np.ascontiguousarray(np.moveaxis(split, -1, 0)).reshape(states, -1)


def _rows(places: Array, weights: Array, states: int) -> Any:
    """Sparse matrix with the given entries in its rows, `[rows, states]`."""
    from scipy.sparse import csr_array

    length = places.shape[-1]
    starts = np.arange(0, places.size + 1, length)
    return csr_array((weights.ravel(), places.ravel(), starts), shape=(places.size // length, states))
