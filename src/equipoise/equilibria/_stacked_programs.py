"""Many small linear programs over probability simplices as one, each with its own bound from weak duality."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from equipoise.equilibria._linear_program import TOLERANCE
from equipoise.equilibria._system import Array

CHUNK = 500  # programs that go to the solver together


class StackedPrograms(NamedTuple):
    """Answers to a batch of programs.

    Attributes:
        point: probability vectors, `[batch, size]`.
        value: the objectives at `point`, `[batch]`.
        bound: no feasible point has a larger objective, `[batch]`.
        weights: multipliers of the rows of `worst_of`, probability vectors, `[batch, rows]`.
        solved: False where the solver stopped early, `[batch]`.
        iterations: simplex pivots, all programs together.
    """

    point: Array
    value: Array
    bound: Array
    weights: Array
    solved: Array
    iterations: int


def maximise_on_simplices(
    linear: Array, *, worst_of: Array | None = None, constraints: Array | None = None
) -> StackedPrograms:
    """Maximise `linear @ p + min(worst_of @ p)` over laws p with `constraints @ p <= 0`, for a whole batch.

    The programs share no variable, so that the optimum of their sum is the optimum of each; one call of the
    solver for hundreds of them saves its overhead.

    Args:
        linear: objectives, `[batch, size]`.
        worst_of: rows of which the smallest counts, `[batch, rows, size]`.
        constraints: `[batch, limits, size]`.
    """
    batch, size = linear.shape
    rows = np.zeros((batch, 0, size)) if worst_of is None else worst_of
    limits = np.zeros((batch, 0, size)) if constraints is None else constraints
    parts = [
        _chunk(linear[k : k + CHUNK], rows[k : k + CHUNK], limits[k : k + CHUNK])
        for k in range(0, batch, CHUNK)
    ]
    return StackedPrograms(
        point=np.concatenate([part.point for part in parts]),
        value=np.concatenate([part.value for part in parts]),
        bound=np.concatenate([part.bound for part in parts]),
        weights=np.concatenate([part.weights for part in parts]),
        solved=np.concatenate([part.solved for part in parts]),
        iterations=sum(part.iterations for part in parts),
    )


def _chunk(linear: Array, rows: Array, limits: Array) -> StackedPrograms:
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    batch, size = linear.shape
    extra = int(rows.shape[1] > 0)
    # Shifted and scaled, so that the solver's absolute tolerance is relative to every program's own stakes.
    low = rows.min(axis=(1, 2)) if extra else np.zeros(batch)
    spread = np.ptp(rows, axis=(1, 2)) if extra else np.zeros(batch)
    scale = np.maximum(np.ptp(linear, axis=1), spread)
    scale = np.where(scale > 0.0, scale, 1.0)
    weight = np.abs(limits).max(axis=2, initial=0.0)
    weight = np.where(weight > 0.0, weight, 1.0)

    width = size + extra
    height = rows.shape[1] + limits.shape[1]
    table = np.zeros((batch, height, width))
    table[:, : rows.shape[1], :size] = (low[:, None, None] - rows) / scale[:, None, None]
    table[:, : rows.shape[1], size:] = 1.0
    table[:, rows.shape[1] :, :size] = limits / weight[..., None]
    block, row, column = np.nonzero(table)
    entries = (table[block, row, column], (block * height + row, block * width + column))
    places = np.arange(batch)[:, None] * width + np.arange(size)
    ones = (np.ones(batch * size), (np.repeat(np.arange(batch), size), places.ravel()))
    objective = np.concatenate(
        [(linear - linear.min(axis=1, keepdims=True)) / scale[:, None], np.ones((batch, extra))], axis=1
    )
    lower = np.where(np.arange(width) < size, 0.0, -np.inf)
    answer = linprog(
        -objective.ravel(),
        A_ub=csr_array(entries, shape=(batch * height, batch * width)) if height else None,
        b_ub=np.zeros(batch * height) if height else None,
        A_eq=csr_array(ones, shape=(batch, batch * width)),
        b_eq=np.ones(batch),
        bounds=np.stack([np.tile(lower, batch), np.full(batch * width, np.inf)], axis=1),
        method="highs",
        options={"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE},
    )
    if answer.x is None:
        point, duals = np.full((batch, size), 1.0 / size), np.zeros((batch, height))
    else:
        point = _laws(answer.x.reshape(batch, width)[:, :size])
        duals = np.maximum(-answer.ineqlin.marginals.reshape(batch, height), 0.0)
    weights = _laws(duals[:, : rows.shape[1]]) if extra else np.zeros((batch, 0))
    multipliers = duals[:, rows.shape[1] :] * scale[:, None] / weight
    value = (linear * point).sum(axis=1)
    reduced = linear - np.einsum("bk,bka->ba", multipliers, limits)
    if extra:
        value = value + np.einsum("bra,ba->br", rows, point).min(axis=1)
        reduced = reduced + np.einsum("br,bra->ba", weights, rows)
    return StackedPrograms(
        point, value, reduced.max(axis=1), weights, np.full(batch, answer.status == 0), int(answer.nit)
    )


def _laws(values: Array) -> Array:
    positive = np.maximum(values, 0.0)
    total = positive.sum(axis=1, keepdims=True)
    safe = np.where(total > 0.0, total, 1.0)
    return np.where(total > 0.0, positive / safe, 1.0 / values.shape[1])
