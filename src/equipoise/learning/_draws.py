"""Draws from finite laws, given by their running sums."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float


def running_sums(laws: Float[np.ndarray, "*batch places"]) -> Float[np.ndarray, "*batch places"]:
    """Probabilities of each place and those before it."""
    return np.cumsum(laws, axis=-1)


def places(sums: Any, marks: Any) -> Any:
    """One place from each law.

    A place without probability is never drawn, whatever rounding has made of the sums.

    Args:
        sums: running sums of the laws, `[..., places]`, broadcast against the draws.
        marks: uniform draws from [0, 1), one per place wanted. Many are best drawn at once: every call of a
            random number generator takes its time to compile.
    """
    return (sums <= (marks * sums[..., -1])[..., None]).sum(-1)
