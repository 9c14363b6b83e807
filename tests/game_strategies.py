"""Hypothesis strategies for games."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays


@st.composite
def game_arguments(draw, names):
    """Arguments of `NormalFormGame`: payoffs of any finite size, title and names.

    The game itself is made in the test: the run-time type checker samples long lists at random, which
    Hypothesis does not like inside a strategy.
    """
    shape = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    finite = st.floats(-1e300, 1e300, allow_nan=False)
    return (
        draw(arrays(np.float64, (len(shape), *shape), elements=finite)),
        draw(names),
        [draw(names) for _ in shape],
        [[draw(names) for _ in range(count)] for count in shape],
    )
