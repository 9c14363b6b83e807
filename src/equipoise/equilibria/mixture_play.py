"""Correlated play of a Markov game as a mixture of independent play, drawn afresh at every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from equipoise.games._checks import Numbers, check_finite, number_array
from equipoise.games.markov import MarkovGame

_ROUNDING = 1e-8


@dataclass(frozen=True, eq=False)
class MixturePlay:
    """At every step and state a component k is drawn with probability w_k, then all play it independently.

    One law over joint actions can be mixed in many ways, and an adversary who must answer each component
    apart judges them differently; that is why the components are part of the play.

    Attributes:
        weights: `w[h, s, k]`, summing to one over k.
        strategies: one array per player, `[h, s, k, a_i]`.
    """

    weights: Float[np.ndarray, "horizon states components"]
    strategies: tuple[Float[np.ndarray, "horizon states components _"], ...]

    def __post_init__(self) -> None:
        weights = _laws(self.weights, "weights")
        strategies = tuple(_laws(one, f"strategies[{i}]") for i, one in enumerate(self.strategies))
        for i, one in enumerate(strategies):
            if weights.ndim != 3 or one.shape[:-1] != weights.shape:
                raise ValueError(
                    f"weights has shape {weights.shape} and strategies[{i}] {one.shape}; they must be "
                    "[h, s, k] and [h, s, k, a]"
                )
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "strategies", strategies)

    def joint(self) -> Float[np.ndarray, "horizon states *actions"]:
        """Law over joint actions, `[H, S, A_1, ..., A_n]`."""
        n = len(self.strategies)
        letters = "abcdefgijlmnopq"[:n]  # h, s and k name the other axes
        terms = ",".join(f"hsk{letter}" for letter in letters)
        return np.einsum(f"hsk,{terms}->hs{letters}", self.weights, *self.strategies, optimize=True)

    def marginals(self) -> tuple[Float[np.ndarray, "horizon states _"], ...]:
        """Law over every player's own actions, `[H, S, A_i]` each."""
        return tuple(np.einsum("hsk,hska->hsa", self.weights, one) for one in self.strategies)

    def pure(self) -> MixturePlay:
        """The same law over joint actions, mixed from profiles without any randomness of their own."""
        return pure_play(self.joint())


def product_play(game: MarkovGame, strategies: Sequence[Numbers]) -> MixturePlay:
    """Independent play.

    Args:
        game: a game with a horizon.
        strategies: one array per player, `[H, S, A_i]`, or `[S, A_i]` for the same at every step.

    Raises:
        ValueError: a shape does not fit the game, or a row is not a law.
    """
    given = []
    for i, one in enumerate(strategies):
        array = _laws(one, f"strategies[{i}]")
        shape = (int(game.horizon or 0), game.num_states, game.num_actions[i])
        if array.shape not in (shape, shape[1:]):
            raise ValueError(f"strategies[{i}] has shape {array.shape}; it must be {shape} or {shape[1:]}")
        given.append(np.broadcast_to(array, shape)[:, :, None])
    return MixturePlay(np.ones(given[0].shape[:3]), tuple(given))


def pure_play(joint: Numbers) -> MixturePlay:
    """A law over joint actions as a mixture of pure profiles.

    Args:
        joint: `[H, S, A_1, ..., A_n]`.
    """
    law = number_array(joint, "joint")
    counts = law.shape[2:]
    profiles = np.indices(counts).reshape(len(counts), -1)
    flat = law.reshape(*law.shape[:2], -1)
    strategies = tuple(
        np.broadcast_to(np.eye(count)[profiles[i]], (*flat.shape, count)) for i, count in enumerate(counts)
    )
    return MixturePlay(flat, strategies)


def _laws(value: Numbers, field: str) -> Float[np.ndarray, "*index choices"]:
    array = number_array(value, field)
    check_finite(array, field)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{field} must hold probabilities over its last axis, but has shape {array.shape}")
    sums = array.sum(axis=-1)
    if np.min(array) < -_ROUNDING or np.max(np.abs(sums - 1.0)) > _ROUNDING:
        raise ValueError(
            f"{field} must hold probabilities that sum to 1 over its last axis; its smallest entry is "
            f"{np.min(array)} and its sums reach from {np.min(sums)} to {np.max(sums)}"
        )
    array = np.maximum(array, 0.0)
    array.setflags(write=False)
    return array
