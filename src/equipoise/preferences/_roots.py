"""Roots of increasing functions of a positive unknown, to rounding and for whole batches at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from equipoise._arrays import repeat, stop_gradient

# Alternating Newton with bisection halves the bracket at least every third step; 1e-300 to 1e300 needs
# ten halvings in the logarithm of the unknown to come within a factor 2, and 50 more to reach rounding.
_MAX_STEPS = 200


def positive_root(
    xp: Any,
    function: Callable[[Any, tuple[Any, ...]], tuple[Any, Any]],
    parameters: tuple[Any, ...],
    lower: Any,
    upper: Any,
    start: Any,
) -> Any:
    """Solve f(x) = 0 for x > 0 by Newton steps in log x, safeguarded by bisection.

    The answer carries first derivatives with respect to the parameters: its last Newton step is taken
    with them, which is the implicit function theorem.

    Args:
        xp: the array namespace.
        function: from (x, parameters) to f and df/dlog x, elementwise over the batch; f increases and is
            scaled so that a change of 1e-12 does not matter.
        parameters: arrays that f depends on.
        lower: a positive x with f <= 0.
        upper: an x with f >= 0.
        start: where to begin, between them.

    Returns:
        The root, of the shape of `lower`.
    """
    constants, lower, upper, start = stop_gradient(xp, (parameters, lower, upper, start))
    rounding = 8 * np.finfo(lower.dtype).eps
    tolerance = np.finfo(lower.dtype).eps ** 0.8
    # A root that rounding has put on the lower end would otherwise be approached by bisection alone.
    upper = xp.where(function(lower, constants)[0] >= 0, lower, upper)

    def step(state: tuple[Any, ...]) -> tuple[Any, ...]:
        low, high, x, last, before_last, active = state
        f, slope = function(x, constants)
        low, high = xp.where(f <= 0, x, low), xp.where(f >= 0, x, high)
        newton = x * xp.exp(-f / slope)
        # Bisect when Newton leaves the bracket or gains less than a factor 2 in two steps: at a kink of f
        # its slope says nothing about the distance to the root.
        trusted = (newton >= low) & (newton <= high) & (xp.abs(2 * f) <= xp.abs(before_last * slope))
        new = xp.where(trusted, newton, xp.sqrt(low) * xp.sqrt(high))
        new = xp.where(active, new, x)  # at the root, rounding would send a finished member off again
        size = xp.abs(xp.log(new / x))
        # Written so that a NaN, from a batch member that has no root to be found, counts as finished.
        moving = (size > tolerance) | (xp.abs(f) > tolerance)
        moving = active & moving & (xp.abs(f) > rounding) & (high / low - 1 > tolerance)
        return low, high, new, size, last, moving

    far = xp.full_like(lower, np.inf)
    init = (lower, upper, xp.minimum(start, upper), far, far, xp.full(lower.shape, True))
    x = repeat(xp, _MAX_STEPS, step, init, until=lambda state: ~state[5].any())[2]
    x = stop_gradient(xp, x)
    f, slope = function(x, parameters)
    polished = x * xp.exp(-f / slope)
    return xp.where(xp.abs(f) < 1e-3 * xp.abs(slope), polished, x)
