"""Quantal responses as smooth maps of scaled payoffs, batched over a trailing axis.

A regularizer nu turns scaled payoffs z = u/eps into the strategy that maximises z'pi - nu(pi). The
equilibrium solver keeps z as its unknown: every z is a valid strategy, so no iterate can leave the simplex.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

Batch = Float[np.ndarray, "actions batch"]


class Response(NamedTuple):
    """A strategy and its derivative in log form.

    d log pi = slope * (dz - mean'dz): `slope` and `mean` are all a Jacobian needs.
    """

    strategy: Batch
    log_strategy: Batch
    slope: Batch
    mean: Batch


def entropy_response(z: Batch) -> Response:
    """Logit response, nu = sum pi log pi: pi = softmax(z)."""
    shifted = z - z.max(axis=0)
    weights = np.exp(shifted)
    total = weights.sum(axis=0)
    strategy = weights / total
    return Response(strategy, shifted - np.log(total), np.ones_like(z), strategy)


def barrier_response(z: Batch) -> Response:
    """Log-barrier response, nu = -sum log pi: pi = 1/(k - z) with k fixed by sum pi = 1.

    The root s = k - max z of sum 1/(s + gap) = 1 lies in [1, number of actions]; the sum is convex and
    decreasing in s, so Newton's method from the left end climbs to it monotonically.
    """
    gap = z.max(axis=0) - z
    s = np.ones(z.shape[1])
    for _ in range(60):
        inverse = 1.0 / (s + gap)
        total = inverse.sum(axis=0)
        step = (total - 1.0) / (inverse * inverse).sum(axis=0)
        s = s + step
        if (np.abs(step) <= 4e-16 * s).all():
            break
    strategy = 1.0 / (s + gap)
    square = strategy * strategy
    return Response(strategy, -np.log(s + gap), strategy, square / square.sum(axis=0))


RESPONSES: dict[str, Callable[[Batch], Response]] = {
    "entropy": entropy_response,
    "log_barrier": barrier_response,
}


def entropy_scaled(strategy: Batch) -> Batch:
    """Some z whose logit response is `strategy` (all probabilities positive)."""
    return np.log(strategy)


def barrier_scaled(strategy: Batch) -> Batch:
    """Some z whose log-barrier response is `strategy` (all probabilities positive)."""
    return -1.0 / strategy


SCALED_PAYOFFS: dict[str, Callable[[Batch], Batch]] = {
    "entropy": entropy_scaled,
    "log_barrier": barrier_scaled,
}
