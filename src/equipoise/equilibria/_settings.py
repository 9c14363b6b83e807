"""Checks shared by the quantal response concepts: preferences given once or per player."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

PerPlayer: TypeAlias = float | int | Sequence[float] | np.ndarray
"""One number for all players, or one per player."""


def check_preference(value: PerPlayer, field: str) -> None:
    """Raise unless value is a non-negative number (infinity allowed) or a sequence of such."""
    try:
        numbers = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"{field} must be a number or one number per player, got {value!r}") from None
    if numbers.ndim > 1 or numbers.size == 0:
        raise ValueError(f"{field} must be a number or one number per player, got {value!r}")
    bad = numbers[~(numbers >= 0.0)] if numbers.ndim else numbers[None][~(numbers[None] >= 0.0)]
    if bad.size:
        raise ValueError(f"{field} must be zero or positive, got {bad[0]:g}; larger means {MEANING[field]}")


MEANING = {
    "risk_aversion": "more averse, 0 is risk-neutral",
    "bounded_rationality": "noisier, 0 is a best response",
    "precision": "more rational, 0 is uniform play",
    "environment_risk_aversion": "more averse to chance, 0 is risk-neutral",
}


def per_player(value: PerPlayer, field: str, players: int) -> Float[np.ndarray, " players"]:
    """The value for every player.

    Raises:
        ValueError: a sequence whose length is not the number of players.
    """
    numbers = np.asarray(value, dtype=float)
    if numbers.ndim and len(numbers) != players:
        raise ValueError(
            f"{field} has {len(numbers)} entries but the game has {players} players; give one number for all "
            "or one per player"
        )
    return np.broadcast_to(numbers, (players,)).copy()


def check_choice(value: object, field: str, known: Sequence[str]) -> None:
    """Raise unless value is one of the known names."""
    if value not in known:
        raise ValueError(f"{field} must be one of {', '.join(map(repr, known))}, got {value!r}")


def check_flag(value: object, field: str) -> None:
    """Raise unless value is True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{field} must be True or False, got {value!r}")


def show(value: PerPlayer) -> str:
    """The value for a name or a table: one number, or a bracketed list."""
    numbers = np.asarray(value, dtype=float)
    if not numbers.ndim:
        return f"{float(numbers):g}"
    return "(" + ", ".join(f"{number:g}" for number in numbers) + ")"
