"""Observed play in the ways a user may hand it over, as records of one kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from equipoise.games.normal_form import NormalFormGame
from equipoise.games.observed_play import ObservedPlay

EXPECTED = "ObservedPlay records, or pairs (game, choices) with one array of counts or frequencies per player"
_SUM_TOLERANCE = 1e-8


def as_records(data: Any) -> tuple[ObservedPlay, ...]:
    """Observed play as a tuple of records.

    Args:
        data: one `ObservedPlay` or `(game, choices)` pair, or a sequence of these. `choices` holds one
            array per player: counts of every action, or frequencies that sum to one.

    Raises:
        TypeError: it is something else.
        ValueError: there is no record, or counts or frequencies do not fit the game.
    """
    if isinstance(data, ObservedPlay):
        return (data,)
    if isinstance(data, tuple) and len(data) == 2 and isinstance(data[0], NormalFormGame):
        return (_record(data, "data"),)
    if isinstance(data, str | bytes | NormalFormGame) or not isinstance(data, Sequence):
        raise TypeError(f"data must be {EXPECTED}, got {type(data).__name__}")
    if not data:
        raise ValueError(f"data is empty; give {EXPECTED}")
    return tuple(
        item if isinstance(item, ObservedPlay) else _record(item, f"data[{k}]") for k, item in enumerate(data)
    )


def game_names(records: Sequence[ObservedPlay]) -> tuple[str, ...]:
    """What each record is called: key, title, or its place in the list."""
    return tuple(record.key or record.game.title or f"game {k + 1}" for k, record in enumerate(records))


def _record(pair: Any, field: str) -> ObservedPlay:
    if not (isinstance(pair, Sequence) and len(pair) == 2 and isinstance(pair[0], NormalFormGame)):
        raise TypeError(f"{field} must be {EXPECTED}, got {type(pair).__name__}")
    game, choices = pair
    if len(choices) != game.num_players:
        raise ValueError(f"{field} has choices of {len(choices)} players, the game has {game.num_players}")
    rows = [
        _numbers(one, count, f"{field}, {name}")
        for one, count, name in zip(choices, game.num_actions, game.player_names, strict=True)
    ]
    # Whole numbers are counts even where they sum to one: a single choice.
    whole = [np.asarray(one).dtype.kind in "iu" for one in choices]
    sums = [float(np.sum(row)) for row in rows]
    if not any(whole) and all(abs(total - 1.0) <= _SUM_TOLERANCE for total in sums):
        return ObservedPlay(game, tuple(rows))
    for row, total, name in zip(rows, sums, game.player_names, strict=True):
        if total < 1.0 or np.any(row != np.round(row)):
            raise ValueError(
                f"{field}, {name}: {row.tolist()} sums to {total:g}; frequencies must sum to 1 for every "
                "player, and counts must be whole numbers, at least one choice per player"
            )
    return ObservedPlay(
        game, tuple(row / total for row, total in zip(rows, sums, strict=True)), tuple(map(int, sums))
    )


def _numbers(value: Any, count: int, field: str) -> Float[np.ndarray, " actions"]:
    try:
        row = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"{field}: choices must be one number per action, got {value!r}") from None
    if row.shape != (count,):
        raise ValueError(f"{field}: choices have shape {row.shape}, but there are {count} actions")
    if not (np.isfinite(row).all() and (row >= 0.0).all()):
        raise ValueError(f"{field}: counts and frequencies must be zero or positive, got {row.tolist()}")
    return row
