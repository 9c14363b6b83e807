"""Grid worlds: Markov games of agents that move on a map, written as lines of text."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float, Int

from equipoise.games._grid_moves import WALL, Failure, joint_moves, landing, open_cells, outcomes
from equipoise.games.grid_map import MARKS, GridMap
from equipoise.games.markov import MarkovGame

MOVES = {"right": (0, 1), "up": (-1, 0), "left": (0, -1), "down": (1, 0)}
"""The four moves: cells down and to the right."""

Payments: TypeAlias = Mapping[str, float | int] | Callable[[np.ndarray], np.ndarray]
"""What is paid, by the character of a player's own cell, or a function of all players' characters."""


def grid_game(
    rows: Sequence[str],
    payments: Payments,
    *,
    players: int = 2,
    discount: float | int | None = None,
    horizon: int | None = None,
    success: float | int = 1.0,
    near_success: float | int | None = None,
    failure: Failure = "neighbours",
    together: bool = False,
    can_stay: bool = False,
    absorbing: str = "",
    paid: Literal["every_step", "on_arrival"] = "every_step",
    starts: Sequence[tuple[int, int]] | None = None,
    title: str = "",
    player_names: Sequence[str] | None = None,
) -> MarkovGame:
    """The Markov game of agents that move on a map.

    In the map `#` is a wall, `A`, `B`, ... is where player 1, 2, ... starts (and floor otherwise), a digit
    `1`, `2`, ... is the goal of that player, and any other character is a kind of floor. Every player moves
    right, up, left or down; a move into a wall or off the map stays. Several players may share a cell. The
    states are all combinations of the players' cells, that of the last player changing fastest.

    Args:
        rows: the map, lines of one length from top to bottom.
        payments: by character, what a player is paid in such a cell (0 for characters not mentioned); a
            digit pays only the player of that number, to the others it is `.`. Or a function from the
            characters of all players' cells `[S, n]` to all players' payments `[n, S]`.
        players: number of players.
        discount: factor on the future, in [0, 1). Give either this or `horizon`.
        horizon: number of moves.
        success: probability that a move does what it should.
        near_success: the same where another player is within one cell, diagonals included; `success` by
            default.
        failure: a failed move leads to one of the cells that some action would lead to, all equally likely
            ("neighbours"), to one of the two sides ("sideways"), or nowhere ("stay").
        together: whether one draw decides for all players; otherwise each succeeds or fails by itself.
        can_stay: whether there is a fifth action, "stay".
        absorbing: characters of cells that a player never leaves; a digit keeps only the player of that
            number.
        paid: "every_step" pays for the cell a player moves from, so also while it is kept there;
            "on_arrival" pays for the cell it moves to, and nothing once it is kept there.
        starts: row and column of every player's first cell, instead of letters in the map. With neither, all
            states are equally likely at first.
        title: what the game is called.
        player_names: one name per player; "Player 1", "Player 2", ... by default.

    Returns:
        The game, with successor lists and a map (`layout`) from which its states can be drawn.

    Raises:
        ValueError: the map has lines of different length or no free cell, a letter is missing or twice, a
            start is in a wall, a probability is outside [0, 1], or payments do not fit.
    """
    lines, letters = _read(rows, players)
    cells = open_cells(lines)
    width = len(lines[0])
    moves = {**MOVES, "stay": (0, 0)} if can_stay else MOVES
    for name, value in (("success", success), ("near_success", near_success)):
        if value is not None and not 0.0 <= value <= 1.0:
            raise ValueError(f"{name} must be a probability from 0 to 1, got {value}")
    characters = np.array(list("".join(lines)))[cells]
    kinds = [_seen_by(characters, i) for i in range(players)]
    stuck = [np.isin(kind, list(absorbing)) for kind in kinds]
    lands = landing(lines, list(moves.values()))
    laws = [outcomes(lands, list(moves.values()), failure, own) for own in stuck]
    where = np.stack(np.unravel_index(np.arange(len(cells) ** players), (len(cells),) * players), axis=1)
    positions = cells[where]
    near = _near(positions, width)
    chance = np.where(near, success if near_success is None else near_success, success).astype(np.float64)
    lists = joint_moves(laws, chance, together)
    pay = _payments(payments, kinds, characters, where)
    shape = lists.shape[:-1]
    if paid == "every_step":
        rewards = [np.broadcast_to(own.reshape(-1, *(1,) * players), shape) for own in pay]
    else:
        kept = [own[where[:, i]].reshape(-1, *(1,) * players) for i, own in enumerate(stuck)]
        rewards = [np.where(own, 0.0, lists.expected(p)) for own, p in zip(kept, pay, strict=True)]
    return MarkovGame(
        lists,
        rewards,
        discount=discount,
        horizon=horizon,
        initial=_initial(_starts(starts, letters, players), lines, cells, players),
        title=title,
        player_names=player_names,
        action_names=[list(moves)] * players,
        state_names=_state_names(positions, width),
        layout=GridMap(lines, positions, list(moves.values())),
    )


def _read(rows: Sequence[str], players: int) -> tuple[list[str], dict[str, tuple[int, int]]]:
    """The map with starts turned into floor, and where the letters were."""
    if isinstance(rows, str):
        raise TypeError("rows must be a list of lines, not one string; use text.split()")
    if not 1 <= players <= 9:
        raise ValueError(f"players must be from 1 to 9, got {players}")
    lines = list(rows)
    if not lines or not lines[0] or len({len(line) for line in lines}) > 1:
        raise ValueError(
            f"the lines of a map must have one length, at least 1; got {[len(x) for x in lines]}"
        )
    letters: dict[str, tuple[int, int]] = {}
    for row, line in enumerate(lines):
        for column, character in enumerate(line):
            if character in MARKS[:players]:
                if character in letters:
                    raise ValueError(f"the map has {character}, the start of a player, more than once")
                letters[character] = (row, column)
    plain = str.maketrans(dict.fromkeys(letters, "."))
    lines = [line.translate(plain) for line in lines]
    if not len(open_cells(lines)):
        raise ValueError("the map has only walls")
    return lines, letters


def _seen_by(characters: np.ndarray, player: int) -> np.ndarray:
    """Characters of the open cells as one player sees them: another's goal is floor."""
    own = str(player + 1)
    return np.array([c if not c.isdigit() or c == own else "." for c in characters])


def _near(positions: Int[np.ndarray, "states players"], width: int) -> np.ndarray:
    """Whether two players are within one cell of each other, diagonals included."""
    near = np.zeros(len(positions), dtype=bool)
    for i, j in itertools.combinations(range(positions.shape[1]), 2):
        first, second = (np.stack(np.divmod(positions[:, k], width)) for k in (i, j))
        near |= np.max(np.abs(first - second), axis=0) <= 1
    return near


def _payments(
    payments: Payments,
    kinds: Sequence[np.ndarray],
    characters: np.ndarray,
    where: Int[np.ndarray, "states players"],
) -> Float[np.ndarray, "players states"]:
    players = where.shape[1]
    if not callable(payments):
        unknown = set(payments) - set(characters) - {"."}
        if unknown:
            raise ValueError(f"payments has {sorted(unknown)}, which the map has not")
        return np.stack(
            [
                np.array([float(payments.get(str(c), 0.0)) for c in kinds[i]])[where[:, i]]
                for i in range(players)
            ]
        )
    pay = np.asarray(payments(characters[where]), dtype=np.float64)
    if pay.shape != (players, len(where)):
        raise ValueError(f"payments returned shape {pay.shape}; it must be ({players}, {len(where)})")
    return pay


def _starts(
    given: Sequence[tuple[int, int]] | None, letters: Mapping[str, tuple[int, int]], players: int
) -> Sequence[tuple[int, int]] | None:
    if given is not None:
        if letters:
            raise ValueError("starts are given both as letters in the map and as an argument; choose one")
        if len(given) != players:
            raise ValueError(f"starts has {len(given)} cells; it needs {players}, one per player")
        return given
    if not letters:
        return None
    missing = [mark for mark in MARKS[:players] if mark not in letters]
    if missing:
        raise ValueError(f"the map has starts of some players but not {', '.join(missing)}")
    return [letters[mark] for mark in MARKS[:players]]


def _initial(
    starts: Sequence[tuple[int, int]] | None,
    lines: Sequence[str],
    cells: Int[np.ndarray, " cells"],
    players: int,
) -> Float[np.ndarray, " states"] | None:
    if starts is None:
        return None
    width = len(lines[0])
    chosen = []
    for i, (row, column) in enumerate(starts):
        if not (0 <= row < len(lines) and 0 <= column < width) or lines[row][column] == WALL:
            raise ValueError(
                f"player {i + 1} cannot start at row {row}, column {column}: no free cell is there"
            )
        chosen.append(int(np.searchsorted(cells, row * width + column)))
    law = np.zeros(len(cells) ** players)
    law[np.ravel_multi_index(chosen, (len(cells),) * players)] = 1.0
    return law


def _state_names(positions: Int[np.ndarray, "states players"], width: int) -> list[str]:
    if positions.shape[1] == 1:
        return [f"({cell // width},{cell % width})" for (cell,) in positions.tolist()]
    return [
        " ".join(f"{mark}({cell // width},{cell % width})" for mark, cell in zip(MARKS, own, strict=False))
        for own in positions.tolist()
    ]
