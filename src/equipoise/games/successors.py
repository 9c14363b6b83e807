"""Sparse transitions: for every state and joint action, the few states that can come next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from equipoise.games._checks import Numbers, check_finite, number_array

_ROUNDING = 1e-8


@dataclass(frozen=True, eq=False, init=False, repr=False)
class SuccessorLists:
    """The possible next states of every state and joint action, and their probabilities.

    All lists have the same length K, the largest that is needed; a shorter list is filled up with entries of
    probability 0, whose state means nothing and is stored as 0. A state listed twice has the sum of its two
    probabilities. Memory is 12 bytes per entry.

    Attributes:
        successors: next states, `[S, A_1, ..., A_n, K]`, or `[H, S, A_1, ..., A_n, K]` where they depend on
            time.
        probabilities: their probabilities, of the same shape; every list sums to one, which `MarkovGame`
            checks.
    """

    successors: Int[np.ndarray, "*index K"]
    probabilities: Float[np.ndarray, "*index K"]

    def __init__(self, successors: Numbers, probabilities: Numbers):
        """Check and store successor lists.

        Args:
            successors: whole numbers, `[S, A_1, ..., A_n, K]`, with a first axis H where they depend on time.
            probabilities: numbers of the same shape.

        Arrays that are read-only and already of the right type (int32, float64) are shared, not copied.

        Raises:
            ValueError: the shapes differ or have fewer than three axes, a state is negative, or a probability
                is negative or not finite.
            TypeError: successors are not whole numbers, or probabilities not numbers.
        """
        chances = _shared(probabilities, np.float64)
        if chances is None:
            chances = number_array(probabilities, "probabilities")
        states = _shared(successors, np.int32)
        if states is None:
            states = _whole_numbers(successors)
        if states.shape != chances.shape:
            raise ValueError(
                f"successors has shape {states.shape} but probabilities has {chances.shape}; they must agree"
            )
        if states.ndim < 3 or 0 in states.shape:
            raise ValueError(
                f"successors has shape {states.shape}; it must be [s, a_1, ..., a_n, k], with at least one "
                "entry in every list"
            )
        lowest = np.min(chances)
        if not np.isfinite(lowest) or not np.isfinite(np.max(chances)):
            check_finite(chances, "probabilities")
        if lowest < -_ROUNDING:
            index = np.unravel_index(int(np.argmin(chances)), chances.shape)
            raise ValueError(f"probabilities{_place(index)} is {lowest}; probabilities must not be negative")
        if lowest < 0.0:
            # A negative probability of rounding size would be a NaN in the first logarithm.
            chances = np.maximum(chances, 0.0)
        idle = (chances == 0.0) & (states != 0)
        if np.any(idle):
            states = np.where(idle, np.int32(0), states)
        if np.min(states) < 0:
            index = np.unravel_index(int(np.argmin(states)), states.shape)
            raise ValueError(f"successors{_place(index)} is {states[index]}; states are numbered from 0")
        for array in (states, chances):
            array.setflags(write=False)
        object.__setattr__(self, "successors", states)
        object.__setattr__(self, "probabilities", chances)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of both arrays."""
        return self.successors.shape

    @property
    def ndim(self) -> int:
        """Number of axes of both arrays."""
        return self.successors.ndim

    def at(self, step: int) -> SuccessorLists:
        """The lists of one move, where they depend on time."""
        return _unchecked(self.successors[step], self.probabilities[step])

    def expected(self, values: Float[np.ndarray, "*batch states"]) -> Float[np.ndarray, "*batch_and_joint"]:
        """Expectation of values of the next state, `[..., S]` to `[..., S, A_1, ..., A_n]`.

        For lists of one move.

        Args:
            values: values of the S states; leading axes, if any, are independent.
        """
        rows = self._matrix @ np.reshape(values, (-1, values.shape[-1])).T
        return np.ascontiguousarray(rows.T).reshape(*values.shape[:-1], *self.shape[:-1])

    def dense(self) -> Float[np.ndarray, "*index states"]:
        """Probabilities of all states, `[S, A_1, ..., A_n, S]`, for lists of one move."""
        return np.asarray(self._matrix.toarray()).reshape(*self.shape[:-1], self.shape[0])

    @cached_property
    def _matrix(self) -> Any:
        """A compressed sparse row matrix, (state, joint action) by next state, that shares our memory."""
        from scipy.sparse import csr_array

        size, length = self.successors.size, self.shape[-1]
        kind = np.int32 if size < 2**31 else np.int64
        starts = np.arange(0, size + 1, length, dtype=kind)
        columns = self.successors.reshape(-1).astype(kind, copy=False)
        shape = (size // length, self.shape[0])
        return csr_array((self.probabilities.reshape(-1), columns, starts), shape=shape, copy=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SuccessorLists):
            return NotImplemented
        return np.array_equal(self.successors, other.successors) and np.array_equal(
            self.probabilities, other.probabilities
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.successors.tobytes(), self.probabilities.tobytes()))

    def __repr__(self) -> str:
        lists = " x ".join(map(str, self.shape[:-1]))
        return f"SuccessorLists({lists} lists of {self.shape[-1]})"


def all_states(kernel: Float[np.ndarray, "*joint states"]) -> SuccessorLists:
    """Dense transitions of one move as lists of all states, without copying them.

    Args:
        kernel: `[S, A_1, ..., A_n, S]`.
    """
    everyone = np.broadcast_to(np.arange(kernel.shape[-1], dtype=np.int32), kernel.shape)
    return _unchecked(everyone, kernel)


def _unchecked(
    successors: Int[np.ndarray, "*index K"], probabilities: Float[np.ndarray, "*index K"]
) -> SuccessorLists:
    lists = object.__new__(SuccessorLists)
    object.__setattr__(lists, "successors", successors)
    object.__setattr__(lists, "probabilities", probabilities)
    return lists


def _shared(given: Any, kind: type[np.generic]) -> np.ndarray | None:
    ours = isinstance(given, np.ndarray) and given.dtype == kind and given.flags.c_contiguous
    return given if ours and not given.flags.writeable else None


def _whole_numbers(given: Numbers) -> Int[np.ndarray, "*shape"]:
    numbers = number_array(given, "successors")
    check_finite(numbers, "successors", 2.0**31 - 1.0)
    whole = numbers.astype(np.int32)
    if np.any(whole != numbers):
        index = tuple(np.argwhere(whole != numbers)[0])
        raise TypeError(f"successors{_place(index)} is {numbers[index]}; a state is a whole number from 0")
    return whole


def _place(index: tuple[Any, ...]) -> str:
    return f"[{', '.join(str(int(k)) for k in index)}]"
