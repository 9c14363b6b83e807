"""Better weights for the components of a mixture: at one step and state, a small linear program."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from equipoise.equilibria._linear_program import maximise_on_simplex


def polished_weights(
    gains: Float[np.ndarray, "rows components"], weights: Float[np.ndarray, " components"], learnt: int
) -> Float[np.ndarray, " components"]:
    """Weights under which nobody gains by deviating; where there are none, those with the smallest gain.

    With the values of the next step known, a play's worth and that of every deviation are linear in the
    weights. Among weights without gains the largest share goes to the components that were learnt.

    Args:
        gains: what every deviation gains against every component.
        weights: weights to start from, which are kept where none are better.
        learnt: the number of learnt components, which come first.
    """
    count = gains.shape[1]
    prefer = np.where(np.arange(count) < learnt, 1.0, 0.0)
    candidates = [weights]
    exact = maximise_on_simplex(prefer, constraints=gains)
    if not exact.message:
        candidates.append(exact.point)
    else:
        candidates.append(maximise_on_simplex(np.zeros(count), worst_of=-gains).point)
    # Not being better than nothing to gain is no reason to prefer the other.
    return min(reversed(candidates), key=lambda w: max(float(np.max(gains @ w)), 1e-12))
