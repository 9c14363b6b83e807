"""Playing a Markov game move by move: the part that the Gymnasium and the PettingZoo environment share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from equipoise.games import MarkovGame


class Sampler:
    """The state of one play of a Markov game.

    Attributes:
        game: the game.
        state: number of the present state.
        move: number of moves made.
        final: which states are never left and pay nothing.
    """

    def __init__(self, game: MarkovGame):
        self.game = game
        self.state = 0
        self.move = 0
        self.final = _final_states(game)
        self._lists = game.successors_at()

    def reset(self, rng: np.random.Generator) -> None:
        """Draw a first state."""
        self.state = int(rng.choice(self.game.num_states, p=self.game.initial / np.sum(self.game.initial)))
        self.move = 0

    def step(
        self, joint: Sequence[int], rng: np.random.Generator
    ) -> tuple[Float[np.ndarray, " players"], bool]:
        """Make one move.

        Args:
            joint: every player's action.
            rng: source of randomness.

        Returns:
            Every player's reward, and whether play is over: the horizon is reached, or a state that is never
            left and pays nothing.
        """
        game = self.game
        step = 0 if game.horizon is None else self.move
        index = (self.state, *joint)
        rewards = np.array(
            [r[index] if r.ndim == game.num_players + 1 else r[(step, *index)] for r in game.rewards]
        )
        lists = self._lists if game.is_stationary else game.successors_at(step)
        probabilities = lists.probabilities[index]
        k = rng.choice(len(probabilities), p=probabilities / np.sum(probabilities))
        self.state = int(lists.successors[(*index, k)])
        self.move += 1
        return rewards, self.move == game.horizon or bool(self.final[self.state])

    def draw(self) -> str:
        """The present state as text: its name, and the map if the game has one."""
        name = self.game.state_names[self.state]
        return name if self.game.layout is None else f"{name}\n{self.game.layout.draw(self.state)}"


def _final_states(game: MarkovGame) -> Bool[np.ndarray, " states"]:
    """States of a stationary game that are never left and pay nothing."""
    if not game.is_stationary:
        return np.zeros(game.num_states, dtype=bool)
    lists = game.successors_at()
    here = np.arange(game.num_states).reshape(-1, *(1,) * (lists.ndim - 1))
    axes = tuple(range(1, lists.ndim))
    kept = np.all((lists.successors == here) | (lists.probabilities == 0.0), axis=axes)
    idle = [np.all(r == 0.0, axis=axes[:-1]) for r in game.rewards]
    return np.logical_and.reduce([kept, *idle])
