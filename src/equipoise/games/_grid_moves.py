"""How agents move on a map: legal cells, what a move does when it fails, and joint successor lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int

from equipoise.games.successors import SuccessorLists

Failure = Literal["neighbours", "sideways", "stay"]
WALL = "#"

Outcomes: TypeAlias = tuple[
    Int[np.ndarray, "cells actions _"],
    Float[np.ndarray, "cells actions _"],
    Float[np.ndarray, "cells actions _"],
]
"""One agent's possible next cells, their probabilities if a move succeeds, and if it fails."""


def open_cells(rows: Sequence[str]) -> Int[np.ndarray, " cells"]:
    """Numbers, row by row from 0, of the cells that are no walls."""
    return np.flatnonzero([character != WALL for row in rows for character in row]).astype(np.int32)


def landing(rows: Sequence[str], moves: Sequence[tuple[int, int]]) -> Int[np.ndarray, "cells actions"]:
    """Where each action leads from each open cell, as an index among open cells.

    A move into a wall or off the map stays.
    """
    cells = open_cells(rows)
    height, width = len(rows), len(rows[0])
    index = np.full(height * width, -1, dtype=np.int32)
    index[cells] = np.arange(len(cells))
    here = np.arange(len(cells))
    columns = []
    for down, right in moves:
        row, column = cells // width + down, cells % width + right
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        target = np.where(inside, index[np.where(inside, row * width + column, 0)], -1)
        columns.append(np.where(target >= 0, target, here))
    return np.stack(columns, axis=1).astype(np.int32)


def outcomes(
    lands: Int[np.ndarray, "cells actions"],
    moves: Sequence[tuple[int, int]],
    failure: Failure,
    stuck: Bool[np.ndarray, " cells"],
) -> Outcomes:
    """One agent's possible next cells, all different, and two laws on them.

    Args:
        lands: where each action leads.
        moves: cells down and to the right of each action; (0, 0) is to stay.
        failure: what a failed move does, as in `grid_game`.
        stuck: cells that this agent never leaves.

    Returns:
        The cells; their probabilities if the move succeeds; and if it fails.
    """
    count, actions = lands.shape
    intended, failed = np.zeros((2, count, actions, count))
    here, action = np.ogrid[:count, :actions]
    intended[here, action, lands] = 1.0
    for a, move in enumerate(moves):
        if failure == "stay" or (failure == "sideways" and move == (0, 0)):
            failed[np.arange(count), a, np.arange(count)] = 1.0
        elif failure == "sideways":
            for b, other in enumerate(moves):
                if other != (0, 0) and other[0] * move[0] + other[1] * move[1] == 0:
                    failed[np.arange(count), a, lands[:, b]] += 1.0
        else:
            for b in range(actions):
                # A neighbour that two actions lead to is still one cell; staying is no neighbour.
                elsewhere = lands[:, b] != np.arange(count)
                failed[np.flatnonzero(elsewhere), a, lands[elsewhere, b]] = 1.0
    alone = np.sum(failed, axis=-1) == 0.0
    failed[alone] = intended[alone]
    for law in (intended, failed):
        law[stuck] = np.eye(count)[stuck][:, None, :]
    failed /= np.sum(failed, axis=-1, keepdims=True)
    possible = (intended > 0) | (failed > 0)
    length = int(np.max(np.sum(possible, axis=-1)))
    cells = np.argsort(~possible, axis=-1, kind="stable")[..., :length].astype(np.int32)
    return (
        cells,
        np.take_along_axis(intended, cells, axis=-1),
        np.take_along_axis(failed, cells, axis=-1),
    )


def joint_moves(
    laws: Sequence[Outcomes],
    success: Float[np.ndarray, " states"],
    together: bool,
) -> SuccessorLists:
    """Successor lists of all agents' cells, for every joint state and joint action.

    States are all combinations of the agents' cells, the last agent's changing fastest.

    Args:
        laws: every agent's `outcomes`.
        success: probability that a move succeeds, in every joint state.
        together: whether one draw decides for all agents; otherwise each succeeds or fails by itself.
    """
    n = len(laws)
    cells = len(laws[0][0])
    states = (cells,) * n
    chance = success.reshape(*states, *(1,) * (2 * n))

    def place(array: np.ndarray, agent: int) -> np.ndarray:
        """An array [cells, actions, k] of one agent along its axes among [cells..., actions..., k...]."""
        shape = [1] * (3 * n)
        shape[agent], shape[n + agent], shape[2 * n + agent] = array.shape
        return array.reshape(shape)

    successors: np.ndarray = np.zeros((1,) * (3 * n), dtype=np.int32)
    win: np.ndarray = chance if together else np.ones_like(chance[:1])
    lose: np.ndarray = 1.0 - chance if together else win
    for agent, (targets, intended, failed) in enumerate(laws):
        successors = successors * np.int32(cells) + place(targets, agent)
        if together:
            win, lose = win * place(intended, agent), lose * place(failed, agent)
        else:
            win = win * (chance * place(intended, agent) + (1.0 - chance) * place(failed, agent))
    if together:
        win += lose
    joint = (cells**n, *(law[0].shape[1] for law in laws), -1)
    full = np.broadcast_to(successors, win.shape)
    parts = np.ascontiguousarray(full).reshape(joint), win.reshape(joint)
    for array in parts:
        array.setflags(write=False)
    return SuccessorLists(*parts)
