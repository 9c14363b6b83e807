"""Games in normal form: every player's payoff for every combination of actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from equipoise.games._checks import (
    Numbers,
    check_action_names,
    check_finite,
    check_player_names,
    check_probabilities,
    number_array,
    permutation,
)

LARGEST_PAYOFF = 1e300
"""Payoffs beyond this size would overflow in a difference or a sum of two of them."""

_EQUAL_TOLERANCE = 1e-12


@dataclass(frozen=True, eq=False, init=False, repr=False)
class NormalFormGame:
    """A finite game in normal form; players maximise.

    Every player's payoffs are one tensor in joint layout: `payoffs[i][a_1, ..., a_n]` is what player i
    gets when player 1 plays a_1, ..., player n plays a_n. In a two-player game both matrices therefore
    have the row player's actions on axis 0 and the column player's on axis 1: the column player's matrix
    is *not* transposed.

    Attributes:
        payoffs: one read-only, C-contiguous float64 tensor per player, each `[A_1, ..., A_n]`.
        title: what the game is called.
        player_names: one name per player.
        action_names: the names of every player's actions.

    Raises:
        ValueError: the number of tensors and axes disagree, shapes differ between players, a payoff is
            not a finite number below 1e300 in size, a player has no actions, or names do not fit.
        TypeError: names are not strings, or payoffs are not arrays of numbers.
    """

    payoffs: tuple[Float[np.ndarray, "*joint"], ...]
    title: str
    player_names: tuple[str, ...]
    action_names: tuple[tuple[str, ...], ...]

    def __init__(
        self,
        payoffs: Numbers,
        title: str = "",
        player_names: Sequence[str] | None = None,
        action_names: Sequence[Sequence[str]] | None = None,
    ):
        """Check and store a game.

        Args:
            payoffs: one array per player, or one stacked array `[n, A_1, ..., A_n]`, in joint layout.
            title: what the game is called.
            player_names: one name per player; "Player 1", "Player 2", ... by default.
            action_names: a sequence of names per player; "1", "2", ... by default.
        """
        tensors = _payoff_tensors(payoffs)
        counts = tensors[0].shape
        if not isinstance(title, str):
            raise TypeError(f"title must be a string, not {type(title).__name__}")
        object.__setattr__(self, "payoffs", tensors)
        object.__setattr__(self, "title", title)
        object.__setattr__(self, "player_names", check_player_names(player_names, len(counts)))
        object.__setattr__(self, "action_names", check_action_names(action_names, counts))

    @property
    def num_players(self) -> int:
        """Number of players n."""
        return len(self.payoffs)

    @property
    def num_actions(self) -> tuple[int, ...]:
        """Number of actions of every player, `(A_1, ..., A_n)`."""
        return self.payoffs[0].shape

    @property
    def is_zero_sum(self) -> bool:
        """Whether the payoffs of every joint action add up to zero, up to rounding."""
        return self.is_constant_sum and bool(np.max(np.abs(self._sums())) <= self._rounding())

    @property
    def is_constant_sum(self) -> bool:
        """Whether the payoffs of all joint actions add up to one number, up to rounding."""
        return bool(np.ptp(self._sums()) <= self._rounding())

    @property
    def is_symmetric(self) -> bool:
        """Whether exchanging any players, with their actions as they are ordered, changes no payoff.

        Actions are matched by position. Equality is up to rounding.
        """
        if len(set(self.num_actions)) > 1:
            return False
        tolerance = self._rounding()
        # Neighbour exchanges generate every permutation.
        for i in range(self.num_players - 1):
            order = list(range(self.num_players))
            order[i], order[i + 1] = i + 1, i
            exchanged = self.permute_players(order).payoffs
            if any(np.max(np.abs(a - b)) > tolerance for a, b in zip(self.payoffs, exchanged, strict=True)):
                return False
        return True

    def own_first(self, i: int) -> Float[np.ndarray, "own others"]:
        """Payoffs of player i as a matrix: own actions by the others' joint actions.

        Args:
            i: the player, from 0.

        Returns:
            `[A_i, product of the others' A_j]`: the others stay in player order and their joint actions
            run in C order (the last player's action fastest). For the column player of a two-player game
            this is the transpose of `payoffs[1]`.
        """
        i = self._player(i)
        return np.ascontiguousarray(np.moveaxis(self.payoffs[i], i, 0).reshape(self.num_actions[i], -1))

    def expected_payoffs(self, strategies: Sequence[Numbers]) -> Float[np.ndarray, " players"]:
        """Expected payoff of every player when all play independent mixed strategies.

        Args:
            strategies: one probability vector `[A_i]` per player.

        Returns:
            Expected payoffs, `[players]`.
        """
        checked = self.check_strategies(strategies)
        return np.array([checked[i] @ self._deviations(i, checked) for i in range(self.num_players)])

    def deviation_payoffs(self, i: int, strategies: Sequence[Numbers]) -> Float[np.ndarray, " actions"]:
        """Expected payoff of each action of player i against the others' mixed strategies.

        Args:
            i: the player, from 0.
            strategies: one probability vector per player; player i's own is checked but not used.

        Returns:
            Expected payoffs, `[A_i]`.
        """
        return self._deviations(self._player(i), self.check_strategies(strategies))

    def payoff_ranges(self) -> Float[np.ndarray, " players"]:
        """Largest minus smallest payoff of every player, `[players]`."""
        return np.array([np.ptp(tensor) for tensor in self.payoffs])

    def permute_players(self, order: Sequence[int]) -> NormalFormGame:
        """The same game with the players listed in another order.

        Args:
            order: player k of the new game is player `order[k]` of this one.
        """
        order = permutation(order, self.num_players, "players")
        return NormalFormGame(
            [np.transpose(self.payoffs[k], order) for k in order],
            self.title,
            [self.player_names[k] for k in order],
            [self.action_names[k] for k in order],
        )

    def permute_actions(self, i: int, order: Sequence[int]) -> NormalFormGame:
        """The same game with one player's actions listed in another order.

        Args:
            i: the player, from 0.
            order: action k of the new game is action `order[k]` of this one.
        """
        i = self._player(i)
        order = permutation(order, self.num_actions[i], f"actions of {self.player_names[i]}")
        names = list(self.action_names)
        names[i] = tuple(names[i][k] for k in order)
        return NormalFormGame(
            [np.take(tensor, order, axis=i) for tensor in self.payoffs], self.title, self.player_names, names
        )

    def scaled(self, scale: Numbers = 1.0, shift: Numbers = 0.0) -> NormalFormGame:
        """The same game in other payoff units: `scale * payoff + shift`.

        Args:
            scale: positive factor, one number or one per player.
            shift: number to add, one or one per player.

        Raises:
            ValueError: a scale is not positive and finite, or a shift is not finite.
        """
        scales, shifts = self._per_player(scale, "scale"), self._per_player(shift, "shift")
        if np.any(scales <= 0):
            raise ValueError(
                f"scale must be positive, got {scales.tolist()}; a negative one makes another game"
            )
        return NormalFormGame(
            [a * u + b for u, a, b in zip(self.payoffs, scales, shifts, strict=True)],
            self.title,
            self.player_names,
            self.action_names,
        )

    def check_strategies(self, strategies: Sequence[Numbers]) -> tuple[Float[np.ndarray, " _"], ...]:
        """Mixed strategies as float64 arrays, after checking that they fit the game.

        Args:
            strategies: one probability vector `[A_i]` per player.

        Returns:
            The same numbers, one array per player.

        Raises:
            ValueError: wrong number or length of vectors, an entry that is negative or not finite, or a
                sum that differs from 1 by more than 1e-8.
        """
        given = list(strategies)
        if len(given) != self.num_players:
            raise ValueError(
                f"strategies has {len(given)} entries; the game has {self.num_players} players and needs "
                "one probability vector for each"
            )
        return tuple(
            check_probabilities(x, count, f"strategies[{i}] ({self.player_names[i]})")
            for i, (x, count) in enumerate(zip(given, self.num_actions, strict=True))
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NormalFormGame):
            return NotImplemented
        return (
            self._names() == other._names()
            and self.num_actions == other.num_actions
            and all(np.array_equal(a, b) for a, b in zip(self.payoffs, other.payoffs, strict=True))
        )

    def __hash__(self) -> int:
        return hash((self._names(), tuple(tensor.tobytes() for tensor in self.payoffs)))

    def __repr__(self) -> str:
        players = f"{self.num_players} player{'s' if self.num_players > 1 else ''}"
        actions = " x ".join(str(count) for count in self.num_actions)
        title = f"{self.title!r}, " if self.title else ""
        return f"NormalFormGame({title}{players}, {actions} action{'s' if actions != '1' else ''})"

    def _names(self) -> tuple[object, ...]:
        return (self.title, self.player_names, self.action_names)

    def _sums(self) -> Float[np.ndarray, "*joint"]:
        return np.asarray(np.sum(self.payoffs, axis=0))

    def _rounding(self) -> float:
        return _EQUAL_TOLERANCE * max(float(np.max(np.abs(tensor))) for tensor in self.payoffs)

    def _player(self, i: int) -> int:
        if not isinstance(i, int | np.integer) or isinstance(i, bool) or not 0 <= i < self.num_players:
            raise ValueError(f"player must be an integer from 0 to {self.num_players - 1}, got {i!r}")
        return int(i)

    def _per_player(self, value: Numbers, field: str) -> Float[np.ndarray, " players"]:
        array = np.asarray(value, dtype=np.float64)
        if array.shape not in ((), (self.num_players,)) or not np.all(np.isfinite(array)):
            raise ValueError(
                f"{field} must be one finite number or one per player ({self.num_players}), got {value!r}"
            )
        return np.broadcast_to(array, (self.num_players,))

    def _deviations(
        self, i: int, strategies: tuple[Float[np.ndarray, " _"], ...]
    ) -> Float[np.ndarray, " actions"]:
        result = self.payoffs[i]
        # From the last axis to the first, so that the axes still to come keep their numbers.
        for j in reversed(range(self.num_players)):
            if j != i:
                result = np.tensordot(result, strategies[j], axes=(j, 0))
        return np.array(result)


def _payoff_tensors(payoffs: Numbers) -> tuple[Float[np.ndarray, "*joint"], ...]:
    try:
        given = list(payoffs)
    except TypeError:
        raise TypeError(
            f"payoffs must be a sequence with one array per player, not {type(payoffs).__name__}; for "
            "example NormalFormGame([R1, R2])"
        ) from None
    if not given:
        raise ValueError("payoffs is empty; a game needs one payoff array per player and at least one player")
    tensors = tuple(number_array(item, f"payoffs[{i}]") for i, item in enumerate(given))
    n = len(tensors)
    for i, tensor in enumerate(tensors):
        if tensor.ndim != n:
            hint = "; for a zero-sum game given by one matrix A pass [A, -A]" if tensor.ndim == 1 else ""
            raise ValueError(
                f"payoffs[{i}] has shape {tensor.shape}, but {n} arrays mean {n} players, so every array "
                f"needs {n} axes, one per player{hint}"
            )
        if 0 in tensor.shape:
            raise ValueError(
                f"payoffs[{i}] has shape {tensor.shape}: player {tensor.shape.index(0)} (from 0) has no "
                "actions; give every player at least one"
            )
        if tensor.shape != tensors[0].shape:
            transposed = tensor.shape == tensors[0].shape[::-1]
            raise ValueError(
                f"payoffs[{i}] has shape {tensor.shape} but payoffs[0] has {tensors[0].shape}; all players' "
                "payoffs are indexed [a_1, ..., a_n]"
                + ("; transpose it (the column player's matrix is not turned round)" if transposed else "")
            )
        check_finite(tensor, f"payoffs[{i}]", LARGEST_PAYOFF)
        tensor.setflags(write=False)
    return tensors
