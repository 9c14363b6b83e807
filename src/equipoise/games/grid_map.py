"""The map of a grid world: what its cells are and where the agents stand in every state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from equipoise.games._checks import Numbers

MARKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""How agents are drawn: the first as A, the second as B, and so on."""


@dataclass(frozen=True, eq=False, init=False)
class GridMap:
    """A map of cells and the agents' cells in every state of a game, for drawing states and policies.

    Attributes:
        rows: lines of text from top to bottom, all of one length, one character per cell.
        positions: cell of every agent in every state, `[S, agents]`, numbered row by row from 0; -1 where an
            agent is not on the map.
        moves: for every action, how many cells it goes down and to the right, such as (0, 1) for "right".
    """

    rows: tuple[str, ...]
    positions: Int[np.ndarray, "states agents"]
    moves: tuple[tuple[int, int], ...]

    def __init__(
        self,
        rows: Sequence[str],
        positions: Numbers,
        moves: Sequence[Sequence[int]],
    ):
        """Check and store a map.

        Raises:
            ValueError: lines differ in length, or positions are not `[S, agents]` or outside the map.
        """
        lines = tuple(rows)
        if not lines or not lines[0] or len(set(map(len, lines))) > 1:
            raise ValueError(f"rows must be lines of text of one length, at least one character: {lines}")
        cells = np.array(positions, dtype=np.int32)
        if cells.ndim != 2:
            raise ValueError(f"positions has shape {cells.shape}; it must be [states, agents]")
        size = len(lines) * len(lines[0])
        if np.any(cells < -1) or np.any(cells >= size):
            raise ValueError(f"positions must be cells from 0 to {size - 1}, or -1; got {np.unique(cells)}")
        cells.setflags(write=False)
        object.__setattr__(self, "rows", lines)
        object.__setattr__(self, "positions", cells)
        object.__setattr__(self, "moves", tuple((int(down), int(right)) for down, right in moves))

    @property
    def height(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.rows[0])

    @property
    def num_agents(self) -> int:
        """Number of agents."""
        return self.positions.shape[1]

    def place(self, state: int, agent: int) -> tuple[int, int] | None:
        """Row and column of an agent in a state, from 0, or None where it is not on the map."""
        cell = int(self.positions[state, agent])
        return None if cell < 0 else divmod(cell, self.width)

    def draw(self, state: int) -> str:
        """The map as text with the agents of one state on it; `+` marks a cell that several share."""
        picture = [list(row) for row in self.rows]
        taken = set()
        for agent in range(self.num_agents):
            place = self.place(state, agent)
            if place is not None:
                row, column = place
                picture[row][column] = "+" if place in taken else MARKS[agent % len(MARKS)]
                taken.add(place)
        return "\n".join("".join(row) for row in picture)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GridMap):
            return NotImplemented
        same = self.rows == other.rows and self.moves == other.moves
        return same and np.array_equal(self.positions, other.positions)

    def __hash__(self) -> int:
        return hash((self.rows, self.moves, self.positions.tobytes()))
