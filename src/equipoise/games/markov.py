"""Markov games: players move in every state, and their joint action decides rewards and the next state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from equipoise.games._checks import (
    Numbers,
    check_action_names,
    check_finite,
    check_names,
    check_player_names,
    check_probabilities,
    number_array,
)
from equipoise.games.normal_form import LARGEST_PAYOFF, NormalFormGame

_SUM_TOLERANCE = 1e-8


@dataclass(frozen=True, eq=False, init=False, repr=False)
class MarkovGame:
    """A finite Markov game, discounted or of finite horizon; players maximise.

    Every player has the same number of actions in every state. Joint actions are in joint layout, as in
    `NormalFormGame`, for all players.

    Attributes:
        transitions: `P[s, a_1, ..., a_n, s']`, or `[h, s, a_1, ..., a_n, s']` where they depend on time.
        rewards: one array per player, `r[s, a_1, ..., a_n]`, or `[h, s, a_1, ..., a_n]`.
        discount: the factor in [0, 1) on the next state's value, or None in a game of finite horizon.
        horizon: number of moves H, or None in a discounted game.
        initial: law of the first state, `[S]`.
        title: what the game is called.
        player_names: one name per player.
        action_names: the names of every player's actions.
        state_names: one name per state.

    Raises:
        ValueError: shapes do not fit, a reward is not finite, probabilities are negative or do not sum to
            one (the message has the state, the joint action and the sum), the discount is outside [0, 1),
            the horizon is below 1, or both or neither of them are given.
        TypeError: entries are not numbers, names not strings, or the horizon not a whole number.
    """

    transitions: Float[np.ndarray, "*time_and_joint"]
    rewards: tuple[Float[np.ndarray, "*_shape"], ...]
    discount: float | None
    horizon: int | None
    initial: Float[np.ndarray, " states"]
    title: str
    player_names: tuple[str, ...]
    action_names: tuple[tuple[str, ...], ...]
    state_names: tuple[str, ...]

    def __init__(
        self,
        transitions: Numbers,
        rewards: Numbers,
        discount: float | int | None = None,
        horizon: int | None = None,
        initial: Numbers = None,
        title: str = "",
        player_names: Sequence[str] | None = None,
        action_names: Sequence[Sequence[str]] | None = None,
        state_names: Sequence[str] | None = None,
    ):
        """Check and store a game.

        Args:
            transitions: `[S, A_1, ..., A_n, S]`; with a horizon also `[H, S, A_1, ..., A_n, S]`.
            rewards: one array `[S, A_1, ..., A_n]` per player, or all stacked; with a horizon also with a
                first axis H each.
            discount: factor on the future, in [0, 1). Give either this or `horizon`.
            horizon: number of moves, at least 1.
            initial: law of the first state, `[S]`; uniform by default.
            title: what the game is called.
            player_names: one name per player; "Player 1", "Player 2", ... by default.
            action_names: a sequence of names per player; "1", "2", ... by default.
            state_names: one name per state; "State 1", "State 2", ... by default.
        """
        _check_time(discount, horizon)
        tensors = _reward_tensors(rewards)
        n = len(tensors)
        shape = _common_shape(tensors, n, horizon)
        kernel = _kernel(transitions, shape, n, horizon)
        states, counts = shape[0], shape[1:]
        law = (
            np.full(states, 1.0 / states)
            if initial is None
            else check_probabilities(initial, states, "initial")
        )
        names = (
            tuple(f"State {s + 1}" for s in range(states))
            if state_names is None
            else check_names(state_names, states, "state_names")
        )
        if not isinstance(title, str):
            raise TypeError(f"title must be a string, not {type(title).__name__}")
        for array in (kernel, law, *tensors):
            array.setflags(write=False)
        object.__setattr__(self, "transitions", kernel)
        object.__setattr__(self, "rewards", tensors)
        object.__setattr__(self, "discount", None if discount is None else float(discount))
        object.__setattr__(self, "horizon", None if horizon is None else int(horizon))
        object.__setattr__(self, "initial", law)
        object.__setattr__(self, "title", title)
        object.__setattr__(self, "player_names", check_player_names(player_names, n))
        object.__setattr__(self, "action_names", check_action_names(action_names, counts))
        object.__setattr__(self, "state_names", names)

    @property
    def num_players(self) -> int:
        """Number of players n."""
        return len(self.rewards)

    @property
    def num_states(self) -> int:
        """Number of states S."""
        return len(self.initial)

    @property
    def num_actions(self) -> tuple[int, ...]:
        """Number of actions of every player, `(A_1, ..., A_n)`."""
        return self.transitions.shape[-self.num_players - 1 : -1]

    @property
    def is_stationary(self) -> bool:
        """Whether neither transitions nor rewards depend on time."""
        return self.transitions.ndim == self.num_players + 2 and self.rewards[0].ndim == self.num_players + 1

    def transitions_at(self, step: int = 0) -> Float[np.ndarray, "*joint_by_state"]:
        """Transition kernel of one move, `[S, A_1, ..., A_n, S]`.

        Args:
            step: the move, from 0 to H - 1; without effect where transitions do not depend on time.
        """
        step = self._step(step)
        return self.transitions if self.transitions.ndim == self.num_players + 2 else self.transitions[step]

    def rewards_at(self, step: int = 0) -> Float[np.ndarray, "*players_and_joint"]:
        """Rewards of one move, `[n, S, A_1, ..., A_n]`.

        Args:
            step: the move, from 0 to H - 1; without effect where rewards do not depend on time.
        """
        step = self._step(step)
        stationary = self.rewards[0].ndim == self.num_players + 1
        return np.stack([r if stationary else r[step] for r in self.rewards])

    def stage_game(self, state: int, continuation: Numbers, step: int = 0) -> NormalFormGame:
        """The game in normal form that is played in one state when the future is worth what is given.

        Payoffs are `r_i(s, a) + discount * sum_s' P(s' | s, a) V_i(s')`, with discount 1 where the game has
        a horizon.

        Args:
            state: the state, from 0.
            continuation: values of all states for every player, `[n, S]`.
            step: the move, from 0, where the game depends on time.

        Raises:
            ValueError: the state or step does not exist, or `continuation` does not fit.
        """
        if not 0 <= state < self.num_states:
            raise ValueError(f"state must be from 0 to {self.num_states - 1}, got {state}")
        values = number_array(continuation, "continuation")
        if values.shape != (self.num_players, self.num_states):
            raise ValueError(
                f"continuation has shape {values.shape}; it must be ({self.num_players}, {self.num_states}), "
                "players by states"
            )
        check_finite(values, "continuation", LARGEST_PAYOFF)
        factor = 1.0 if self.discount is None else self.discount
        future = self.transitions_at(step)[state] @ values.T
        payoffs = self.rewards_at(step)[:, state] + factor * np.moveaxis(future, -1, 0)
        title = f"{self.title}, {self.state_names[state]}" if self.title else self.state_names[state]
        return NormalFormGame(payoffs, title, self.player_names, self.action_names)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MarkovGame):
            return NotImplemented
        return self._labels() == other._labels() and all(
            np.array_equal(a, b) for a, b in zip(self._arrays(), other._arrays(), strict=True)
        )

    def __hash__(self) -> int:
        return hash((self._labels(), tuple(array.tobytes() for array in self._arrays())))

    def __repr__(self) -> str:
        title = f"{self.title!r}, " if self.title else ""
        actions = " x ".join(str(count) for count in self.num_actions)
        time = f"horizon {self.horizon}" if self.discount is None else f"discount {self.discount:g}"
        sizes = f"{self.num_players} players, {self.num_states} states, {actions} actions"
        return f"MarkovGame({title}{sizes}, {time})"

    def _labels(self) -> tuple[object, ...]:
        return (
            self.title,
            self.player_names,
            self.action_names,
            self.state_names,
            self.discount,
            self.horizon,
        )

    def _arrays(self) -> tuple[Float[np.ndarray, ...], ...]:
        return (self.transitions, self.initial, *self.rewards)

    def _step(self, step: int) -> int:
        last = 0 if self.horizon is None else self.horizon - 1
        if not 0 <= step <= last:
            kind = "a discounted game has only step 0" if self.horizon is None else f"from 0 to {last}"
            raise ValueError(f"step must be {kind}, got {step}" if self.horizon else f"{kind}, got {step}")
        return step


def _check_time(discount: float | int | None, horizon: int | None) -> None:
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


def _reward_tensors(rewards: Numbers) -> tuple[Float[np.ndarray, "*shape"], ...]:
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


def _common_shape(
    tensors: tuple[Float[np.ndarray, "*shape"], ...], n: int, horizon: int | None
) -> tuple[int, ...]:
    """Shape `(S, A_1, ..., A_n)` of one move's rewards."""
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


def _kernel(
    transitions: Numbers, shape: tuple[int, ...], n: int, horizon: int | None
) -> Float[np.ndarray, "*time_and_joint"]:
    kernel = number_array(transitions, "transitions")
    if kernel.ndim == n + 3:
        _check_horizon_axis(kernel.shape, "transitions", horizon)
    expected = (*shape, shape[0])
    if kernel.ndim not in (n + 2, n + 3) or kernel.shape[-n - 2 :] != expected:
        raise ValueError(
            f"transitions has shape {kernel.shape}; rewards of shape {shape} ask for {expected}, indexed "
            "[s, a_1, ..., a_n, s']"
        )
    check_finite(kernel, "transitions")
    timed = kernel.ndim == n + 3
    lowest = np.unravel_index(int(np.argmin(kernel)), kernel.shape)
    if kernel[lowest] < -_SUM_TOLERANCE:
        raise ValueError(
            f"transitions at {_where(lowest[:-1], timed)} gives state {lowest[-1]} probability "
            f"{kernel[lowest]}; probabilities must not be negative"
        )
    sums = np.sum(kernel, axis=-1)
    worst = np.unravel_index(int(np.argmax(np.abs(sums - 1.0))), sums.shape)
    if abs(sums[worst] - 1.0) > _SUM_TOLERANCE:
        raise ValueError(
            f"transitions at {_where(worst, timed)} sum to {sums[worst]}; probabilities of the next "
            "state must sum to 1"
        )
    # A negative probability of rounding size would be a NaN in the first logarithm.
    return np.asarray(np.maximum(kernel, 0.0))


def _where(index: tuple[np.intp, ...], timed: bool) -> str:
    numbers = [int(k) for k in index]
    time = f"step {numbers.pop(0)}, " if timed else ""
    return f"{time}state {numbers[0]}, joint action {tuple(numbers[1:])}"
