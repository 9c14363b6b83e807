"""Validation of NumPy input to this room: the error names the field, the value found and the fix."""

from __future__ import annotations

from typing import Any

import numpy as np

# Probabilities computed in single precision miss a sum of one by about this much; they are renormalised.
_SUM_TOLERANCE = 1e-6


def number_array(name: str, values: Any) -> np.ndarray:
    """`values` as a float64 array without NaN or infinity and with at least one axis."""
    array = _floats(name, values)
    if array.ndim == 0 or array.shape[-1] == 0:
        raise ValueError(
            f"{name} must have a last axis with at least one entry, but its shape is {array.shape}"
        )
    if not np.isfinite(array).all():
        at, value = _first(array, ~np.isfinite(array))
        raise ValueError(f"{name} must be finite, but {name}{at} = {value}")
    return array


def probability_array(name: str, values: Any) -> np.ndarray:
    """`values` as a float64 array that is nonnegative and sums to one over its last axis."""
    array = number_array(name, values)
    if (array < 0).any():
        at, value = _first(array, array < 0)
        raise ValueError(
            f"{name} must be nonnegative, but {name}{at} = {value}; clip rounding errors to zero"
        )
    total = array.sum(-1)
    if (np.abs(total - 1) > _SUM_TOLERANCE).any():
        at, value = _first(total, np.abs(total - 1) > _SUM_TOLERANCE)
        row = f"{name}{at}" if at else name
        raise ValueError(
            f"{row} must sum to 1 over its last axis, but sums to {value:.9g}; divide it by its sum"
        )
    return array


def level_array(name: str, values: Any, lowest: float, highest: float, meaning: str) -> np.ndarray:
    """`values` as a float64 array within `[lowest, highest]`; `meaning` says what is expected."""
    array = _floats(name, values)
    inside = (array >= lowest) & (array <= highest)
    if not inside.all():
        at, value = _first(array, ~inside)
        raise ValueError(f"{name} must be {meaning}, but {name}{at} = {value}")
    return array


def _floats(name: str, values: Any) -> np.ndarray:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} must be an array of real numbers, but it is {values!r} of type {type(values).__name__}"
        ) from error


def _first(array: Any, where: Any) -> tuple[str, float]:
    index = tuple(int(i) for i in np.argwhere(where)[0])
    return (str(list(index)) if index else ""), float(np.asarray(array)[index])
