"""Linear programs over a probability simplex, each with a bound on its optimum from weak duality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

# HiGHS stops at 1e-7 unless told otherwise; that would be the accuracy of every equilibrium.
TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False)
class SimplexProgram:
    """Best point found of a linear program over the simplex, and proof of how good it is.

    Attributes:
        point: probability vector, `[size]`.
        value: the objective at `point`.
        bound: no feasible point has a larger objective. Computed from the multipliers by weak duality,
            so it holds however inexact they are.
        weights: multipliers of the rows of `worst_of`, a probability vector.
        multipliers: multipliers of the constraints, non-negative, `[constraints]`.
        iterations: simplex pivots.
        message: empty, or what the solver reported instead of an optimum.
    """

    point: Float[np.ndarray, " size"]
    value: float
    bound: float
    weights: Float[np.ndarray, " rows"]
    multipliers: Float[np.ndarray, " constraints"]
    iterations: int
    message: str


def maximise_on_simplex(
    linear: Float[np.ndarray, " size"],
    *,
    worst_of: Float[np.ndarray, "rows size"] | None = None,
    constraints: Any = None,
    limit: float = 0.0,
) -> SimplexProgram:
    """Maximise `linear @ p + min(worst_of @ p)` over probability vectors p with `constraints @ p <= limit`.

    Args:
        linear: objective coefficients, `[size]`.
        worst_of: rows of which the smallest counts; none by default.
        constraints: matrix `[constraints, size]`, dense or a SciPy sparse array; none by default.
        limit: right-hand side shared by all constraints, in their units.

    Returns:
        The best point with its bound. Where the program has no feasible point, or the solver stopped
        early, `message` says so and the point is the uniform one.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, hstack, vstack

    size = linear.shape[0]
    rows = np.zeros((0, size)) if worst_of is None else worst_of
    limits = csr_array((0, size)) if constraints is None else csr_array(constraints)
    # Adding a constant to every coefficient adds it to the objective, because p sums to one. Shifting and
    # scaling first makes the solver's absolute tolerance a relative one.
    scale = max(float(np.ptp(linear)), float(np.ptp(rows)) if rows.size else 0.0) or 1.0
    row_scale = abs(limits).max(axis=1).toarray().ravel() if limits.shape[0] else np.zeros(0)
    row_scale = np.where(row_scale > 0, row_scale, 1.0)
    scaled_limits = csr_array(limits.multiply(1 / row_scale[:, None])) if limits.shape[0] else limits

    # Variables: p, then the worst row's value, which is free and absent when there are no rows.
    extra = int(rows.shape[0] > 0)
    low = float(np.min(rows)) if extra else 0.0
    objective = np.concatenate([(linear - np.min(linear)) / scale, np.ones(extra)])
    worst_rows = csr_array(np.hstack([-(rows - low) / scale, np.ones((rows.shape[0], extra))]))
    limit_rows = hstack([scaled_limits, csr_array((limits.shape[0], extra))])
    answer = linprog(
        -objective,
        A_ub=vstack([worst_rows, limit_rows], format="csr"),
        b_ub=np.concatenate([np.zeros(rows.shape[0]), limit / row_scale]),
        A_eq=np.concatenate([np.ones(size), np.zeros(extra)])[None],
        b_eq=[1.0],
        bounds=[(0, None)] * size + [(None, None)] * extra,
        method="highs",
        options={"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE},
    )
    message = "" if answer.status == 0 else str(answer.message)
    point, weights, multipliers = np.full(size, 1 / size), np.zeros(rows.shape[0]), np.zeros(limits.shape[0])
    if answer.x is not None:
        point = as_distribution(answer.x[:size])
        weights = -answer.ineqlin.marginals[: rows.shape[0]]
        multipliers = np.maximum(-answer.ineqlin.marginals[rows.shape[0] :], 0.0) * scale / row_scale
    if extra:
        weights = as_distribution(weights)
    value = float(linear @ point) + (float(np.min(rows @ point)) if extra else 0.0)
    bound = float(np.max(linear + weights @ rows - multipliers @ limits) + limit * np.sum(multipliers))
    return SimplexProgram(point, value, bound, weights, multipliers, int(answer.nit), message)


def as_distribution(values: Float[np.ndarray, " size"]) -> Float[np.ndarray, " size"]:
    """The probability vector proportional to the positive part of `values`; uniform if there is none."""
    positive = np.maximum(values, 0.0)
    total = float(np.sum(positive))
    return positive / total if total > 0 else np.full(values.shape, 1 / values.size)
