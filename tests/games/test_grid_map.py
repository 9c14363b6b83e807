"""GridMap: what it draws and what it refuses."""

import numpy as np
import pytest

from equipoise.games import GridMap


def test_draws_the_agents_of_a_state():
    layout = GridMap(["..1", "0#."], [[0, 5], [4, -1], [1, 1]], [(0, 1), (0, 0)])
    assert (layout.height, layout.width, layout.num_agents) == (2, 3, 2)
    assert layout.draw(0) == "A.1\n0#B"
    assert layout.draw(1) == "..1\n0A."
    assert layout.draw(2) == ".+1\n0#."
    assert layout.place(0, 1) == (1, 2)
    assert layout.place(1, 1) is None


def test_is_compared_by_content():
    first, second = (GridMap(["..", ".."], np.array([[k], [1]]), [(0, 1)]) for k in (0, 2))
    assert first == GridMap(["..", ".."], [[0], [1]], [(0, 1)])
    assert hash(first) == hash(GridMap(["..", ".."], [[0], [1]], [(0, 1)]))
    assert first != second
    assert first != ".."


def test_refusals():
    with pytest.raises(ValueError, match="lines of text of one length"):
        GridMap(["..", "."], [[0]], [(0, 1)])
    with pytest.raises(ValueError, match="lines of text of one length"):
        GridMap([], [[0]], [(0, 1)])
    with pytest.raises(ValueError, match="cells from 0 to 3, or -1"):
        GridMap(["..", ".."], [[4]], [(0, 1)])
