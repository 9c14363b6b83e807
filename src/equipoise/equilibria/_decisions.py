"""One-player Markov games as arrays, and their backups against an adversary who bends the next law."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from equipoise.equilibria.uncertainty import Uncertainty
from equipoise.games._checks import Numbers, check_finite, number_array
from equipoise.games.markov import MarkovGame
from equipoise.preferences import CVaR, WorstCase

_ROUNDING = 1e-8


class Move(NamedTuple):
    """One move of a one-player game.

    Attributes:
        rewards: `[S, A]`.
        laws: probabilities of the next state, `[S, A, K]`.
        successors: which states these are, `[S, A, K]`; None where they are all states in order.
        level: the adversary's, broadcast to `[S, A]`.
    """

    rewards: Float[np.ndarray, "states actions"]
    laws: Float[np.ndarray, "states actions next"]
    successors: Int[np.ndarray, "states actions next"] | None
    level: Float[np.ndarray, "states actions"]


def moves(game: MarkovGame, uncertainty: Uncertainty) -> list[Move]:
    """All moves of a one-player game: one if it is stationary, else one per step.

    Raises:
        ValueError: the game has several players, or the levels do not fit its states and actions.
    """
    if game.num_players != 1:
        raise ValueError(
            f"{game!r} has {game.num_players} players; a robust policy is for one. For several use "
            "RobustCCE, or fix the policies of the others"
        )
    steps = 1 if game.is_stationary or game.horizon is None else game.horizon
    shape = (game.num_states, game.num_actions[0])
    return [
        Move(
            game.rewards_at(h)[0],
            *_successors(game, h, uncertainty.is_free),
            _levels(uncertainty, shape),
        )
        for h in range(steps)
    ]


def _successors(game: MarkovGame, step: int, free: bool) -> tuple[np.ndarray, np.ndarray | None]:
    if not game.is_sparse:
        return game.transitions_at(step), None
    lists = game.successors_at(step)
    laws, states = lists.probabilities, lists.successors
    if free:
        # One more entry, without nominal mass, for the worst state of all; `backup` fills it in.
        laws = np.concatenate([laws, np.zeros((*laws.shape[:-1], 1))], axis=-1)
        states = np.concatenate([states, np.full((*states.shape[:-1], 1), -1, states.dtype)], axis=-1)
    return laws, states


def _levels(uncertainty: Uncertainty, shape: tuple[int, int]) -> Float[np.ndarray, "states actions"]:
    try:
        return np.broadcast_to(np.asarray(uncertainty.level), shape)
    except ValueError:
        raise ValueError(
            f"level has shape {np.shape(uncertainty.level)}; it must be a number or broadcast to {shape}, "
            "states by actions"
        ) from None


def backup(
    move: Move, uncertainty: Uncertainty, values: Float[np.ndarray, " states"], discount: float
) -> tuple[Float[np.ndarray, "states actions"], WorstCase, Int[np.ndarray, "states actions next"] | None]:
    """Robust action values, `R + discount * worst case of V`, with the worst cases and their states."""
    states = move.successors
    if states is not None:
        states = np.where(states < 0, np.argmin(values), states)
    worst = uncertainty.worst(move.laws, values if states is None else values[states], move.level)
    return move.rewards + discount * worst.value, worst, states


def penalty_paid(uncertainty: Uncertainty, worst: WorstCase) -> Float[np.ndarray, "*batch"]:
    """What the adversary pays the player for its law: level * D in the penalised form, else nothing."""
    if uncertainty.form == "constrained" or isinstance(uncertainty.rule, CVaR):
        return np.zeros_like(worst.distance)
    # A weight of zero buys any law and an infinite one none: both pay nothing.
    paying = (worst.penalty > 0) & np.isfinite(worst.penalty)
    return np.where(paying, worst.penalty, 0.0) * np.where(paying, worst.distance, 0.0)


def check_policy(game: MarkovGame, policy: Numbers, steps: int | None) -> Float[np.ndarray, "*policy"]:
    """Probabilities `[S, A]`, or `[H, S, A]` where the game has a horizon.

    Raises:
        ValueError: the shape does not fit, or a row is not a law.
    """
    array = number_array(policy, "policy")
    shape = (game.num_states, game.num_actions[0])
    if array.shape == shape and steps is not None:
        array = np.broadcast_to(array, (steps, *shape))
    expected = shape if steps is None else (steps, *shape)
    if array.shape != expected:
        raise ValueError(f"policy has shape {array.shape}; this game asks for {expected}")
    check_finite(array, "policy")
    sums = array.sum(axis=-1)
    if np.min(array) < -_ROUNDING or np.max(np.abs(sums - 1.0)) > _ROUNDING:
        raise ValueError(
            f"policy must hold probabilities that sum to 1 over actions; its smallest entry is "
            f"{np.min(array)} and its sums reach from {np.min(sums)} to {np.max(sums)}"
        )
    return array
