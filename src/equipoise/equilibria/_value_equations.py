"""Linear equations for the values of all states: (I - discount * W K) V = b.

K takes values to the worth of the next state for every state and joint action, W weighs those. Few unknowns
are solved for by factorisation, many by GMRES, at a cost in proportion to the number of transitions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from equipoise.equilibria._system import Array

RESTART = 60
ROUNDS = 10  # of GMRES


class ValueEquations(NamedTuple):
    """A linear system in the values.

    Attributes:
        solve: right-hand side `[players, S]` and relative tolerance (of iterative solutions) to the solution.
        sign: sign of the determinant; 0 where it is not known.
    """

    solve: Callable[[Array, float], Array]
    sign: float


def coupled(weights: Array, kernels: Sequence[Any], discount: float, direct: bool) -> ValueEquations:
    """Equations V_i(s) = b_i(s) + discount * sum over j, a of W_ij(s, a) (K_j V_j)(s, a).

    Args:
        weights: W, `[players, players, S, J]`.
        kernels: K of every player, `[S * J, S]`, arrays or sparse matrices.
        discount: the discount factor.
        direct: factorise, or iterate.
    """
    players, _, states, actions = weights.shape
    if not direct:

        def image(values: Array) -> Array:
            split = values.reshape(players, states)
            worth = np.stack([kernels[j] @ split[j] for j in range(players)]).reshape(
                players, states, actions
            )
            return np.asarray(values - discount * np.einsum("ijsa,jsa->is", weights, worth).ravel())

        return ValueEquations(lambda b, rtol: gmres(image, b, rtol), 0.0)
    from scipy.linalg import lu_factor, lu_solve

    matrix = np.empty((players, states, players, states))
    for j, kernel in enumerate(kernels):
        for i in range(players):
            matrix[i, :, j] = -discount * weigh(weights[i, j], kernel)
    flat = matrix.reshape(players * states, -1)
    flat[np.diag_indices(len(flat))] += 1.0
    if not np.isfinite(flat).all():
        return ValueEquations(lambda b, rtol: np.full_like(b, np.nan), 0.0)
    factors, pivots = lu_factor(flat, check_finite=False)
    diagonal = np.diag(factors)
    sign = float(np.prod(np.sign(diagonal)) * (-1.0) ** np.count_nonzero(pivots != np.arange(len(pivots))))

    def solve(b: Array, rtol: float) -> Array:
        return np.asarray(lu_solve((factors, pivots), b.ravel(), check_finite=False)).reshape(b.shape)

    return ValueEquations(solve, sign)


def evaluate(weights: Array, kernels: Sequence[Any], discount: float, rewards: Array, direct: bool) -> Array:
    """Values of every player under a law over joint actions: V_i = rewards_i + discount * W_i K_i V_i.

    Args:
        weights: the law each player reckons with, `[players, S, J]`; a single one may serve all.
        kernels: K of every player, `[S * J, S]`.
        discount: the discount factor.
        rewards: expected reward of every state, `[players, S]`.
        direct: factorise, or iterate.
    """
    values = np.empty_like(rewards)
    for i, kernel in enumerate(kernels):
        law = weights[min(i, len(weights) - 1)]
        if direct:
            matrix = -discount * weigh(law, kernel)
            matrix[np.diag_indices(len(matrix))] += 1.0
            values[i] = np.linalg.solve(matrix, rewards[i])
        else:

            def image(v: Array, law: Array = law, kernel: Any = kernel) -> Array:
                return np.asarray(v - discount * (law * (kernel @ v).reshape(law.shape)).sum(axis=1))

            values[i] = gmres(image, rewards[i], 1e-13)
    return values


def weigh(law: Array, kernel: Any) -> Array:
    """Law of the next state, `[S, S]`, under weights `[S, J]` of the joint actions."""
    states, actions = law.shape
    if isinstance(kernel, np.ndarray):
        return np.asarray((law[:, None] @ kernel.reshape(states, actions, states))[:, 0])
    from scipy.sparse import csr_array

    starts = np.arange(0, law.size + 1, actions)
    rows = csr_array((law.ravel(), np.arange(law.size), starts), shape=(states, law.size))
    return np.asarray((rows @ kernel).toarray())


def gmres(image: Callable[[Array], Array], b: Array, rtol: float) -> Array:
    """Solve image(x) = b for a linear map of flat vectors."""
    from scipy.sparse.linalg import LinearOperator
    from scipy.sparse.linalg import gmres as scipy_gmres

    flat = b.ravel()
    if not np.isfinite(flat).all():
        return np.full_like(b, np.nan)
    operator = LinearOperator((flat.size, flat.size), matvec=lambda v: image(v.ravel()), dtype=np.float64)
    restart = min(RESTART, flat.size)
    solution = scipy_gmres(operator, flat, rtol=rtol, atol=0.0, restart=restart, maxiter=ROUNDS)[0]
    return np.asarray(solution).reshape(b.shape)
