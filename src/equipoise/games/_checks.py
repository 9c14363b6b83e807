"""Checks that the game records share: numbers, probabilities and names, with errors that say what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float

Numbers: TypeAlias = Any
"""Whatever NumPy turns into an array of real numbers: nested lists, NumPy and JAX arrays, fractions.

A precise type would make the type checker answer bad input before the checks below can explain it.
"""

_SIMPLEX_TOLERANCE = 1e-8


def number_array(value: Numbers, field: str) -> Float[np.ndarray, "*shape"]:
    """A C-contiguous float64 copy of an array of real numbers.

    Args:
        value: what should be an array of numbers.
        field: its name in error messages.

    Raises:
        TypeError: the entries are not real numbers.
        ValueError: nested lists of unequal length.
    """
    try:
        raw = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{field} is ragged: its nested lists differ in length; make it rectangular"
        ) from None
    if raw.dtype.kind not in "biufO":
        raise TypeError(f"{field} must hold real numbers, got an array of {raw.dtype}; convert it first")
    try:
        array = np.array(raw, dtype=np.float64, order="C")
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"{field} must hold real numbers ({error}); convert it first") from None
    # Adding zero turns -0.0 into 0.0, so that equal games have equal bytes and equal hashes.
    array += 0.0
    return array


def check_finite(array: Float[np.ndarray, "*shape"], field: str, largest: float = np.inf) -> None:
    """Raise unless all entries are finite and at most `largest` in size.

    Args:
        array: the numbers.
        field: their name in the error message.
        largest: largest absolute value allowed.

    Raises:
        ValueError: an entry is NaN, infinite or too large; the message has the index of the first.
    """
    bad = ~(np.abs(array) <= largest) | ~np.isfinite(array)
    if np.any(bad):
        index = tuple(int(k) for k in np.argwhere(bad)[0])
        place = f"{field}[{', '.join(map(str, index))}]" if index else field
        limit = "a finite number" if largest == np.inf else f"a finite number of at most {largest:g} in size"
        raise ValueError(
            f"{place} is {array[index]}; it must be {limit} ({np.count_nonzero(bad)} such in all)"
        )


def check_probabilities(value: Numbers, count: int, field: str) -> Float[np.ndarray, " count"]:
    """A probability vector of given length as a float64 array.

    Args:
        value: the numbers; they may miss the simplex by rounding (1e-8) and are returned as they are.
        count: how many there must be.
        field: their name in error messages.

    Raises:
        ValueError: wrong length, a negative or non-finite entry, or a sum other than 1.
    """
    vector = number_array(value, field)
    if vector.shape != (count,):
        raise ValueError(
            f"{field} has shape {vector.shape}; it must be ({count},), one probability per action"
        )
    check_finite(vector, field)
    if np.min(vector) < -_SIMPLEX_TOLERANCE:
        worst = int(np.argmin(vector))
        raise ValueError(f"{field}[{worst}] is {vector[worst]}; probabilities must not be negative")
    if abs(float(np.sum(vector)) - 1.0) > _SIMPLEX_TOLERANCE:
        raise ValueError(f"{field} sums to {np.sum(vector)}; probabilities must sum to 1, divide by the sum")
    return vector


def permutation(order: Sequence[int], count: int, what: str) -> list[int]:
    """The integers 0 to `count - 1` in the order given.

    Raises:
        ValueError: one is missing or listed twice.
    """
    numbers = list(order)
    if sorted(numbers) != list(range(count)):
        raise ValueError(f"order must list each of the {count} {what} once (0 to {count - 1}), got {numbers}")
    return [int(k) for k in numbers]


def check_player_names(names: Sequence[str] | None, count: int) -> tuple[str, ...]:
    """Names of `count` players, "Player 1", "Player 2", ... where none are given.

    Raises:
        TypeError: a name is not a string.
        ValueError: the number of names is wrong.
    """
    if names is None:
        return tuple(f"Player {k + 1}" for k in range(count))
    return check_names(names, count, "player_names")


def check_action_names(
    names: Sequence[Sequence[str]] | None, counts: Sequence[int]
) -> tuple[tuple[str, ...], ...]:
    """Names of every player's actions, "1", "2", ... where none are given.

    Raises:
        TypeError: a name is not a string.
        ValueError: the number of names is wrong.
    """
    if names is None:
        return tuple(tuple(str(a + 1) for a in range(count)) for count in counts)
    given = list(names)
    if len(given) != len(counts):
        raise ValueError(
            f"action_names has {len(given)} entries; it needs one sequence of names for each of the "
            f"{len(counts)} players"
        )
    return tuple(
        check_names(one, count, f"action_names[{i}]")
        for i, (one, count) in enumerate(zip(given, counts, strict=True))
    )


def check_names(names: Sequence[str], count: int, field: str) -> tuple[str, ...]:
    """A tuple of `count` names.

    Raises:
        TypeError: `names` is one string, or a name is not a string.
        ValueError: the number of names is wrong.
    """
    if isinstance(names, str):
        raise TypeError(
            f"{field} must be a sequence of names, got the single string {names!r}; put it in a list"
        )
    given = tuple(names)
    for k, name in enumerate(given):
        if not isinstance(name, str):
            raise TypeError(f"{field}[{k}] must be a string, got {name!r}")
    if len(given) != count:
        raise ValueError(f"{field} has {len(given)} names; it needs {count}")
    return given
