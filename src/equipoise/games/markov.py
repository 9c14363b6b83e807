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
from equipoise.games._markov_checks import check_time, common_shape, kernel, reward_tensors
from equipoise.games.grid_map import GridMap
from equipoise.games.normal_form import LARGEST_PAYOFF, NormalFormGame
from equipoise.games.successors import SuccessorLists, all_states

_MOST_DENSE = 2**27
"""Most probabilities (1 GiB) that a sparse game is written out to when somebody asks for all of them."""


@dataclass(frozen=True, eq=False, init=False, repr=False)
class MarkovGame:
    """A finite Markov game, discounted or of finite horizon; players maximise.

    Every player has the same number of actions in every state. Joint actions are in joint layout, as in
    `NormalFormGame`, for all players.

    Attributes:
        transitions: `P[s, a_1, ..., a_n, s']`, or `[h, s, a_1, ..., a_n, s']` where they depend on time; or
            `SuccessorLists`, for games of many states with few that can come next.
        rewards: one array per player, `r[s, a_1, ..., a_n]`, or `[h, s, a_1, ..., a_n]`.
        discount: the factor in [0, 1) on the next state's value, or None in a game of finite horizon.
        horizon: number of moves H, or None in a discounted game.
        initial: law of the first state, `[S]`.
        title: what the game is called.
        player_names: one name per player.
        action_names: the names of every player's actions.
        state_names: one name per state.
        layout: the map of a grid world, for drawing, or None.

    Raises:
        ValueError: shapes do not fit, a reward is not finite, probabilities are negative or do not sum to
            one (the message has the state, the joint action and the sum), the discount is outside [0, 1),
            the horizon is below 1, or both or neither of them are given.
        TypeError: entries are not numbers, names not strings, or the horizon not a whole number.
    """

    transitions: Float[np.ndarray, "*time_and_joint"] | SuccessorLists
    rewards: tuple[Float[np.ndarray, "*_shape"], ...]
    discount: float | None
    horizon: int | None
    initial: Float[np.ndarray, " states"]
    title: str
    player_names: tuple[str, ...]
    action_names: tuple[tuple[str, ...], ...]
    state_names: tuple[str, ...]
    layout: GridMap | None

    def __init__(
        self,
        transitions: Numbers | SuccessorLists,
        rewards: Numbers,
        discount: float | int | None = None,
        horizon: int | None = None,
        initial: Numbers = None,
        title: str = "",
        player_names: Sequence[str] | None = None,
        action_names: Sequence[Sequence[str]] | None = None,
        state_names: Sequence[str] | None = None,
        layout: GridMap | None = None,
    ):
        """Check and store a game.

        Args:
            transitions: `[S, A_1, ..., A_n, S]`; with a horizon also `[H, S, A_1, ..., A_n, S]`. Or
                `SuccessorLists` with the same axes before the last.
            rewards: one array `[S, A_1, ..., A_n]` per player, or all stacked; with a horizon also with a
                first axis H each.
            discount: factor on the future, in [0, 1). Give either this or `horizon`.
            horizon: number of moves, at least 1.
            initial: law of the first state, `[S]`; uniform by default.
            title: what the game is called.
            player_names: one name per player; "Player 1", "Player 2", ... by default.
            action_names: a sequence of names per player; "1", "2", ... by default.
            state_names: one name per state; "State 1", "State 2", ... by default.
            layout: the map of a grid world with the positions of its agents in every state.
        """
        check_time(discount, horizon)
        tensors = reward_tensors(rewards)
        n = len(tensors)
        shape = common_shape(tensors, n, horizon)
        moves = kernel(transitions, shape, n, horizon)
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
        _check_layout(layout, states)
        for array in (law, *tensors) if isinstance(moves, SuccessorLists) else (moves, law, *tensors):
            array.setflags(write=False)
        object.__setattr__(self, "transitions", moves)
        object.__setattr__(self, "rewards", tensors)
        object.__setattr__(self, "discount", None if discount is None else float(discount))
        object.__setattr__(self, "horizon", None if horizon is None else int(horizon))
        object.__setattr__(self, "initial", law)
        object.__setattr__(self, "title", title)
        object.__setattr__(self, "player_names", check_player_names(player_names, n))
        object.__setattr__(self, "action_names", check_action_names(action_names, counts))
        object.__setattr__(self, "state_names", names)
        object.__setattr__(self, "layout", layout)

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
    def is_sparse(self) -> bool:
        """Whether transitions are successor lists."""
        return isinstance(self.transitions, SuccessorLists)

    @property
    def is_stationary(self) -> bool:
        """Whether neither transitions nor rewards depend on time."""
        return not self._timed_transitions and self.rewards[0].ndim == self.num_players + 1

    def transitions_at(self, step: int = 0) -> Float[np.ndarray, "*joint_by_state"]:
        """Transition kernel of one move, `[S, A_1, ..., A_n, S]`.

        Args:
            step: the move, from 0 to H - 1; without effect where transitions do not depend on time.

        Raises:
            ValueError: the step does not exist, or the game is sparse and too large to write out.
        """
        step = self._step(step)
        if isinstance(self.transitions, SuccessorLists):
            entries = self.num_states**2 * int(np.prod(self.num_actions))
            if entries > _MOST_DENSE:
                raise ValueError(
                    f"all transition probabilities of this sparse game are {entries:.1e} numbers; use "
                    "successors_at() or expected() instead of transitions_at()"
                )
            return self.successors_at(step).dense()
        return self.transitions[step] if self._timed_transitions else self.transitions

    def successors_at(self, step: int = 0) -> SuccessorLists:
        """Successor lists of one move, `[S, A_1, ..., A_n, K]`; in a dense game all states, K = S.

        Args:
            step: the move, from 0 to H - 1; without effect where transitions do not depend on time.
        """
        step = self._step(step)
        if not isinstance(self.transitions, SuccessorLists):
            return all_states(self.transitions_at(step))
        return self.transitions.at(step) if self._timed_transitions else self.transitions

    def expected(
        self, values: Float[np.ndarray, "*batch states"], step: int = 0
    ) -> Float[np.ndarray, "*batch_and_joint"]:
        """Expected value of the next state, `E[V(s') | s, a]`, for all states and joint actions.

        Args:
            values: values of the S states, `[..., S]`; leading axes, if any, are independent.
            step: the move, from 0 to H - 1; without effect where transitions do not depend on time.

        Returns:
            `[..., S, A_1, ..., A_n]`.

        Raises:
            ValueError: the step does not exist, or `values` does not have one number per state.
        """
        values = np.asarray(values, dtype=np.float64)
        if values.ndim == 0 or values.shape[-1] != self.num_states:
            raise ValueError(
                f"values has shape {values.shape}; its last axis must have {self.num_states} states"
            )
        if self.is_sparse:
            return self.successors_at(step).expected(values)
        moves = self.transitions_at(step)
        flat = values.reshape(-1, self.num_states) @ moves.reshape(-1, self.num_states).T
        return flat.reshape(*values.shape[:-1], *moves.shape[:-1])

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
        lists = self.successors_at(step)
        future = np.sum(lists.probabilities[state] * values[:, lists.successors[state]], axis=-1)
        payoffs = self.rewards_at(step)[:, state] + factor * future
        title = f"{self.title}, {self.state_names[state]}" if self.title else self.state_names[state]
        return NormalFormGame(payoffs, title, self.player_names, self.action_names)

    def __deepcopy__(self, memo: object) -> MarkovGame:
        # Nothing in a game changes, so environments that hold one can be copied at no cost.
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MarkovGame):
            return NotImplemented
        if self._labels() != other._labels() or self.is_sparse != other.is_sparse:
            return False
        if isinstance(self.transitions, SuccessorLists):
            same = self.transitions == other.transitions
        else:
            same = np.array_equal(self.transitions, other.transitions)  # type: ignore[arg-type]
        return same and all(
            np.array_equal(a, b)
            for a, b in zip((self.initial, *self.rewards), (other.initial, *other.rewards), strict=True)
        )

    def __hash__(self) -> int:
        moves = (
            self.transitions if isinstance(self.transitions, SuccessorLists) else self.transitions.tobytes()
        )
        return hash((self._labels(), moves, tuple(a.tobytes() for a in (self.initial, *self.rewards))))

    def __repr__(self) -> str:
        title = f"{self.title!r}, " if self.title else ""
        actions = " x ".join(str(count) for count in self.num_actions)
        time = f"horizon {self.horizon}" if self.discount is None else f"discount {self.discount:g}"
        sizes = f"{self.num_players} players, {self.num_states} states, {actions} actions"
        if self.is_sparse:
            sizes += f", at most {self.transitions.shape[-1]} next states"
        return f"MarkovGame({title}{sizes}, {time})"

    def _labels(self) -> tuple[object, ...]:
        return (
            self.title,
            self.player_names,
            self.action_names,
            self.state_names,
            self.discount,
            self.horizon,
            self.layout,
        )

    @property
    def _timed_transitions(self) -> bool:
        return self.transitions.ndim == self.num_players + 3

    def _step(self, step: int) -> int:
        last = 0 if self.horizon is None else self.horizon - 1
        if not 0 <= step <= last:
            kind = "a discounted game has only step 0" if self.horizon is None else f"from 0 to {last}"
            raise ValueError(f"step must be {kind}, got {step}" if self.horizon else f"{kind}, got {step}")
        return step


def _check_layout(layout: GridMap | None, states: int) -> None:
    if layout is None:
        return
    if not isinstance(layout, GridMap):
        raise TypeError(f"layout must be a GridMap, not {type(layout).__name__}")
    if len(layout.positions) != states:
        raise ValueError(f"layout has positions for {len(layout.positions)} states; the game has {states}")
