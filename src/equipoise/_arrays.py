"""One source for NumPy and JAX: which namespace an array belongs to, loops, and cutting derivatives.

The mathematics of a function is written once over a namespace `xp`. With NumPy arrays it runs in NumPy
and JAX is never imported; with JAX arrays or tracers it can be compiled, batched and differentiated.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np


def namespace(*arrays: Any) -> Any:
    """The array namespace that `arrays` call for.

    Args:
        arrays: arrays, tracers, sequences or numbers.

    Returns:
        `jax.numpy` if any of them is a JAX array or tracer, otherwise `numpy`.
    """
    jax = sys.modules.get("jax")
    # Nobody can hold a JAX array before JAX has been imported, so there is no need to import it here.
    if jax is not None and any(isinstance(array, jax.Array) for array in arrays):
        return jax.numpy
    return np


def repeat(
    xp: Any,
    n: int,
    body: Callable[[Any], Any],
    init: Any,
    until: Callable[[Any], Any] | None = None,
) -> Any:
    """Apply `body` to a state up to `n` times.

    Args:
        xp: `numpy` (a Python loop) or `jax.numpy` (a compiled loop).
        n: number of times, at most.
        body: from the state to the next state, of the same structure and shapes.
        init: the first state.
        until: stop as soon as this holds of the state. In JAX such a loop cannot be differentiated in
            reverse: cut the derivative of whatever enters it with `stop_gradient`.

    Returns:
        The last state.
    """
    if xp is np:
        state = init
        for _ in range(n):
            if until is not None and until(state):
                break
            state = body(state)
        return state

    from jax import lax

    if until is None:
        return lax.fori_loop(0, n, lambda _, state: body(state), init)
    _, state = lax.while_loop(
        lambda carry: (carry[0] < n) & ~until(carry[1]),
        lambda carry: (carry[0] + 1, body(carry[1])),
        (0, init),
    )
    return state


def stop_gradient(xp: Any, values: Any) -> Any:
    """`values` (an array or nested tuples of arrays) as constants to differentiation."""
    if xp is np:
        return values
    from jax import lax

    return lax.stop_gradient(values)
