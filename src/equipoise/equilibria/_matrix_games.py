"""Many zero-sum matrix games of one shape at once, by a single linear program."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from equipoise.equilibria._system import Array


class MatrixGames(NamedTuple):
    """Solutions of a batch of matrix games in which the row player maximises.

    Attributes:
        values: `[batch]`.
        rows, columns: optimal strategies, `[batch, A]` and `[batch, B]`.
        message: empty, or what the linear program reported instead of an optimum.
    """

    values: Array
    rows: Array
    columns: Array
    message: str


def solve_matrix_games(payoffs: Array) -> MatrixGames:
    """Maximin and minimax strategies of every game.

    The programs max v with x'R >= v of all games are the blocks of one sparse program, whose dual holds the
    column players' strategies (von Neumann and Morgenstern 1944).

    Args:
        payoffs: `[batch, A, B]`, to the row player.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    batch, rows, columns = payoffs.shape
    least, span = payoffs.min(axis=(1, 2)), np.ptp(payoffs, axis=(1, 2))
    unit = np.where(span > 0.0, span, 1.0)
    scaled = (payoffs - least[:, None, None]) / unit[:, None, None]
    # Variables (x, v) game by game; constraints v - x'R_b <= 0 for every column b, and sum x = 1.
    width = rows + 1
    entries = np.concatenate([-scaled.transpose(0, 2, 1), np.ones((batch, columns, 1))], axis=2)
    places = (np.arange(batch) * width)[:, None, None] + np.arange(width)
    places = np.broadcast_to(places, entries.shape)
    starts = np.arange(0, entries.size + 1, width)
    upper = csr_array((entries.ravel(), places.ravel(), starts), shape=(batch * columns, batch * width))
    sums = csr_array(
        (np.ones(batch * rows), places[:, 0, :rows].ravel(), np.arange(0, batch * rows + 1, rows)),
        shape=(batch, batch * width),
    )
    cost = np.zeros((batch, width))
    cost[:, rows] = -1.0
    answer = linprog(
        cost.ravel(),
        A_ub=upper,
        b_ub=np.zeros(batch * columns),
        A_eq=sums,
        b_eq=np.ones(batch),
        bounds=(0.0, None),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if answer.x is None:
        uniform = np.full((batch, rows), 1.0 / rows), np.full((batch, columns), 1.0 / columns)
        return MatrixGames(payoffs.mean(axis=(1, 2)), *uniform, str(answer.message))
    points = answer.x.reshape(batch, width)
    duals = -answer.ineqlin.marginals.reshape(batch, columns)
    x, y = (np.maximum(part, 0.0) for part in (points[:, :rows], duals))
    x, y = x / x.sum(axis=1, keepdims=True), y / y.sum(axis=1, keepdims=True)
    values = least + unit * points[:, rows]
    return MatrixGames(values, x, y, "" if answer.status == 0 else str(answer.message))
