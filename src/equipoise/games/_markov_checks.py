"""Checks of the parts of a Markov game: time, rewards and transitions."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from equipoise.games._checks import Numbers, check_finite, number_array
from equipoise.games.normal_form import LARGEST_PAYOFF
from equipoise.games.successors import SuccessorLists

_SUM_TOLERANCE = 1e-8


def check_time(discount: float | int | None, horizon: int | None) -> None:
    """Raise unless exactly one of discount, in [0, 1), and horizon, at least 1, is given."""
    if (discount is None) == (horizon is None):
        raise ValueError(
            f"give exactly one of discount and horizon, got discount={discount} and horizon={horizon}: "
            "discount for play without end, horizon for a number of moves"
        )
    if discount is not None and not 0.0 <= discount < 1.0:
        raise ValueError(f"discount must be in [0, 1), got {discount}; for no discounting give a horizon")
    if horizon is not None:
        if isinstance(horizon, bool) or not isinstance(horizon, int | np.integer):
            raise TypeError(f"horizon must be a whole number, got {horizon!r}")
        if horizon < 1:
            raise ValueError(f"horizon must be at least 1, got {horizon}")


def reward_tensors(rewards: Numbers) -> tuple[Float[np.ndarray, "*shape"], ...]:
    """One finite array per player, all of one shape."""
    try:
        given = list(rewards)
    except TypeError:
        raise TypeError(f"rewards must be one array per player, not {type(rewards).__name__}") from None
    if not given:
        raise ValueError("rewards is empty; a game needs one reward array per player and at least one player")
    tensors = tuple(number_array(item, f"rewards[{i}]") for i, item in enumerate(given))
    for i, tensor in enumerate(tensors):
        if tensor.shape != tensors[0].shape:
            raise ValueError(
                f"rewards[{i}] has shape {tensor.shape} but rewards[0] has {tensors[0].shape}; all players' "
                "rewards are indexed [s, a_1, ..., a_n]"
            )
        check_finite(tensor, f"rewards[{i}]", LARGEST_PAYOFF)
    return tensors


def common_shape(
    tensors: tuple[Float[np.ndarray, "*shape"], ...], n: int, horizon: int | None
) -> tuple[int, ...]:
    """Shape `(S, A_1, ..., A_n)` of one move's rewards, with or without a time axis as the horizon allows."""
    shape = tensors[0].shape
    timed = len(shape) == n + 2
    if len(shape) != n + 1 and not timed:
        raise ValueError(
            f"rewards[0] has shape {shape}, but {n} arrays mean {n} players, so each needs {n + 1} axes: "
            "state, then one per player; with a horizon, time may come before them"
        )
    if timed:
        _check_horizon_axis(shape, "rewards[0]", horizon)
        shape = shape[1:]
    if 0 in shape:
        raise ValueError(
            f"rewards[0] has shape {shape}; there must be a state, and an action for each player"
        )
    return shape


def _check_horizon_axis(shape: tuple[int, ...], field: str, horizon: int | None) -> None:
    if horizon is None:
        raise ValueError(
            f"{field} has shape {shape}, one axis too many: only a game with a horizon has a time axis"
        )
    if shape[0] != horizon:
        raise ValueError(f"{field} has {shape[0]} time steps; the horizon is {horizon}")


def kernel(
    transitions: Numbers | SuccessorLists, shape: tuple[int, ...], n: int, horizon: int | None
) -> Float[np.ndarray, "*time_and_joint"] | SuccessorLists:
    """Transitions that fit rewards of shape `(S, A_1, ..., A_n)` and are probabilities.

    Args:
        transitions: `[S, A_1, ..., A_n, S]`, or successor lists, with or without a time axis.
        shape: shape of one move's rewards.
        n: number of players.
        horizon: number of moves, or None.
    """
    if isinstance(transitions, SuccessorLists):
        _check_kernel_shape(transitions.shape, (*shape, transitions.shape[-1]), n, horizon, "k")
        _check_successors(transitions.successors, shape[0], n)
        _check_sums(transitions.probabilities, n)
        return transitions
    dense = number_array(transitions, "transitions")
    _check_kernel_shape(dense.shape, (*shape, shape[0]), n, horizon, "s'")
    check_finite(dense, "transitions")
    lowest = np.unravel_index(int(np.argmin(dense)), dense.shape)
    if dense[lowest] < -_SUM_TOLERANCE:
        raise ValueError(
            f"transitions at {_where(lowest[:-1], dense.ndim == n + 3)} gives state {lowest[-1]} probability "
            f"{dense[lowest]}; probabilities must not be negative"
        )
    _check_sums(dense, n)
    # A negative probability of rounding size would be a NaN in the first logarithm.
    return np.asarray(np.maximum(dense, 0.0))


def _check_kernel_shape(
    given: tuple[int, ...], expected: tuple[int, ...], n: int, horizon: int | None, last: str
) -> None:
    if len(given) == n + 3:
        _check_horizon_axis(given, "transitions", horizon)
    if len(given) not in (n + 2, n + 3) or given[-n - 2 :] != expected:
        raise ValueError(
            f"transitions has shape {given}; rewards of shape {expected[:-1]} ask for {expected}, indexed "
            f"[s, a_1, ..., a_n, {last}]"
        )


def _check_sums(probabilities: Float[np.ndarray, "*index K"], n: int) -> None:
    sums = np.sum(probabilities, axis=-1)
    worst = np.unravel_index(int(np.argmax(np.abs(sums - 1.0))), sums.shape)
    if abs(sums[worst] - 1.0) > _SUM_TOLERANCE:
        raise ValueError(
            f"transitions at {_where(worst, sums.ndim == n + 2)} sum to {sums[worst]}; probabilities of the "
            "next state must sum to 1"
        )


def _check_successors(successors: Int[np.ndarray, "*index K"], states: int, n: int) -> None:
    largest = np.unravel_index(int(np.argmax(successors)), successors.shape)
    if successors[largest] >= states:
        raise ValueError(
            f"transitions at {_where(largest[:-1], successors.ndim == n + 3)} lists state "
            f"{successors[largest]}; there are states 0 to {states - 1}"
        )


def _where(index: tuple[np.intp, ...], timed: bool) -> str:
    numbers = [int(k) for k in index]
    time = f"step {numbers.pop(0)}, " if timed else ""
    return f"{time}state {numbers[0]}, joint action {tuple(numbers[1:])}"
