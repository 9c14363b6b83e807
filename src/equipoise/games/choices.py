"""Observed choices in tables of comma-separated values.

The first line names the columns, in any order and case; others than these are ignored:

    game        which game; not needed where there is only one
    player      a player's name, or its number from 1
    action      one of that player's actions by name, or its number from 1
    count       how often it was chosen, in this row's share of the data; rows of one action add up
    frequency   its relative frequency; one row per action, actions left out have frequency zero

Without `count` and `frequency` every row is one choice. Semicolons or tabs may separate columns, too.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from equipoise.games._text import GameFileError, parse_number, read_text, shown
from equipoise.games.normal_form import NormalFormGame
from equipoise.games.observed_play import ObservedPlay

_COLUMNS = ("game", "player", "action", "count", "frequency")
_SUM_TOLERANCE = 1e-8


@dataclass(frozen=True)
class _Row:
    """One line of the file, with what an error about it has to say."""

    cells: dict[str, str]
    places: dict[str, int]
    line: int
    path: str

    def error(self, column: str, message: str) -> GameFileError:
        return GameFileError(f"{column}: {message}", self.path, self.line, self.places[column])


@dataclass
class _Tally:
    """What has been read about one game."""

    game: NormalFormGame
    amounts: list[np.ndarray]
    seen: set[tuple[int, int]]
    first: _Row


def load_choices(
    path: str | os.PathLike[str], games: NormalFormGame | Callable[[str], NormalFormGame]
) -> tuple[ObservedPlay, ...]:
    """Read observed choices from a file of comma-separated values.

    Args:
        path: the file.
        games: the game played, or what finds a game by its name in the column `game`; a `ValueError` of
            the latter is shown with the place of the name.

    Returns:
        One record per game, in the order of their first rows; `key` is the name in the file.

    Raises:
        GameFileError: the table cannot be read; the message has line and column.
        FileNotFoundError: there is no such file.
    """
    return parse_choices(read_text(path), games, os.fspath(path))


def parse_choices(
    text: str, games: NormalFormGame | Callable[[str], NormalFormGame], path: str = "<text>"
) -> tuple[ObservedPlay, ...]:
    """Read observed choices from comma-separated values.

    Args:
        text: contents of the file.
        games: as in `load_choices`.
        path: its name, for error messages.

    Returns:
        One record per game.

    Raises:
        GameFileError: the table cannot be read; the message has line and column.
    """
    rows, measure = _rows(text, path)
    tallies: dict[str, _Tally] = {}
    for row in rows:
        name = row.cells.get("game", "")
        if name not in tallies:
            game = _find(games, name, row, already=len(tallies))
            tallies[name] = _Tally(game, [np.zeros(count) for count in game.num_actions], set(), row)
        _add(tallies[name], row, measure)
    return tuple(_record(tally, name, measure) for name, tally in tallies.items())


def _rows(text: str, path: str) -> tuple[list[_Row], str]:
    """The rows below the heading, and the column that measures: "count", "frequency" or ""."""
    lines = text.splitlines()
    head = next((k for k, line in enumerate(lines) if line.strip()), None)
    if head is None:
        raise GameFileError("the file is empty; its first line must name the columns", path, 1, 1)
    delimiter = max(",;\t", key=lines[head].count)
    reader = csv.reader(lines[head:], delimiter=delimiter)
    columns = [name.strip().lower() for name in next(reader)]
    for k, name in enumerate(columns):
        near = get_close_matches(name, _COLUMNS, n=1, cutoff=0.75)
        if name not in _COLUMNS and near:
            raise GameFileError(
                f"column {shown(name)} is not known; rename it {near[0]!r} if that is what it holds",
                path,
                head + 1,
                _place(lines[head], columns, k),
            )
        if name in _COLUMNS and name in columns[:k]:
            raise GameFileError(f"column {name!r} is there twice", path, head + 1, 1)
    missing = [name for name in ("player", "action") if name not in columns]
    if missing:
        raise GameFileError(
            f"there is no column {missing[0]!r}; the first line must name the columns player and action, and "
            "may name game, and count or frequency",
            path,
            head + 1,
            1,
        )
    if "count" in columns and "frequency" in columns:
        raise GameFileError("give count or frequency, not both", path, head + 1, 1)
    measure = next((name for name in ("count", "frequency") if name in columns), "")
    rows = []
    for cells in reader:
        line = head + reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            raise GameFileError(
                f"found {len(cells)} cells, but the first line names {len(columns)} columns", path, line, 1
            )
        named = {c: cell.strip() for c, cell in zip(columns, cells, strict=True) if c in _COLUMNS}
        places = {c: _place(lines[line - 1], cells, k) for k, c in enumerate(columns) if c in _COLUMNS}
        rows.append(_Row(named, places, line, path))
    if not rows:
        raise GameFileError("there are no rows below the names of the columns", path, head + 1, 1)
    return rows, measure


def _place(line: str, cells: list[str], k: int) -> int:
    """Column, from 1, where the k-th cell starts; with quotes in the line, where its text is first found."""
    if '"' in line:
        return max(line.find(cells[k]), 0) + 1
    return sum(len(cell) + 1 for cell in cells[:k]) + 1


def _find(
    games: NormalFormGame | Callable[[str], NormalFormGame], name: str, row: _Row, already: int
) -> NormalFormGame:
    if isinstance(games, NormalFormGame):
        if already:
            raise row.error("game", f"{shown(name)} is another game, but only one was given; give all games")
        return games
    if not name:
        if "game" in row.cells:
            raise row.error("game", "the cell is empty; every row must name its game")
        raise row.error("player", "there are several games; a column 'game' must say which one a row is from")
    try:
        return games(name)
    except ValueError as error:
        raise row.error("game", str(error)) from None


def _add(tally: _Tally, row: _Row, measure: str) -> None:
    game = tally.game
    i = _position(row, "player", game.player_names)
    a = _position(row, "action", game.action_names[i])
    amount = 1.0
    if measure:
        try:
            amount = parse_number(row.cells[measure])
        except ValueError as error:
            raise row.error(measure, f"found {shown(row.cells[measure])}, expected {error}") from None
        if measure == "count" and (amount < 0 or amount % 1):
            raise row.error("count", f"must be a whole number, zero or more, got {amount:g}")
        if measure == "frequency" and not 0 <= amount <= 1:
            raise row.error("frequency", f"must be between 0 and 1, got {amount:g}; per cent divide by 100")
    if measure == "frequency" and (i, a) in tally.seen:
        raise row.error("action", f"{shown(row.cells['action'])} has its frequency in an earlier row already")
    tally.seen.add((i, a))
    tally.amounts[i][a] += amount


def _position(row: _Row, column: str, names: tuple[str, ...]) -> int:
    """Which player or action a cell names."""
    cell = row.cells[column]
    if cell in names:
        return names.index(cell)
    if cell.isdecimal() and 1 <= int(cell) <= len(names):
        return int(cell) - 1
    near = get_close_matches(cell, names, n=1)
    raise row.error(
        column,
        f"{shown(cell)} is none of {', '.join(map(repr, names))}, nor a number from 1 to {len(names)}"
        + (f"; did you mean {near[0]!r}?" if near else ""),
    )


def _record(tally: _Tally, name: str, measure: str) -> ObservedPlay:
    game = tally.game
    of = f" in game {name!r}" if name else ""
    totals = [float(np.sum(amounts)) for amounts in tally.amounts]
    for player, total, amounts in zip(game.player_names, totals, tally.amounts, strict=True):
        if measure == "frequency" and abs(total - 1.0) > _SUM_TOLERANCE:
            raise tally.first.error(
                "frequency",
                f"the frequencies of player {player!r}{of} ({', '.join(f'{x:g}' for x in amounts)}) sum to "
                f"{total:.10g}; they must sum to 1 for every player: divide by the sum, or give counts",
            )
        if total == 0.0:
            raise tally.first.error(
                "player", f"there is no choice of player {player!r}{of}; all must be observed"
            )
    return ObservedPlay(
        game,
        tuple(amounts / total for amounts, total in zip(tally.amounts, totals, strict=True)),
        None if measure == "frequency" else tuple(map(int, totals)),
        key=name,
    )
