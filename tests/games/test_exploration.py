"""explore: games from rules."""

import numpy as np
import pytest

from equipoise.games import explore


def walk(state, joint):
    """On 0..3: the first player steps up with probability 1/2, or ends play; the second only gets paid."""
    stop, bonus = joint
    if stop:
        return [(1.0, None, (state, bonus))]
    return [(0.5, min(state + 1, 3), (0, bonus)), (0.25, state, (0, 0)), (0.25, state, (4, 0))]


def test_states_are_found_and_the_end_comes_last():
    game = explore({0: 1.0}, walk, (2, 2), discount=0.9, name=lambda s: f"at {s}", title="Walk")
    assert game.state_names == ("at 0", "at 1", "at 2", "at 3", "end")
    assert game.title == "Walk"
    np.testing.assert_array_equal(game.initial, [1, 0, 0, 0, 0])
    kernel = game.transitions_at()
    np.testing.assert_allclose(kernel[1, 0, 1], [0, 0.5, 0.5, 0, 0])
    np.testing.assert_allclose(kernel[3, 0, 1], [0, 0, 0, 1, 0])
    np.testing.assert_allclose(kernel[:, 1], np.broadcast_to(np.eye(5)[4], (5, 2, 5)))
    np.testing.assert_allclose(game.rewards[0][2], [[1, 1], [2, 2]])
    np.testing.assert_allclose(game.rewards[1][2], [[0, 0.5], [0, 1]])
    np.testing.assert_array_equal([r[4] for r in game.rewards], 0)


def test_play_without_an_end_and_several_first_states():
    game = explore({1: 0.25, 0: 0.75}, lambda s, joint: [(1, (s + joint[0]) % 3, [s])], (3,), horizon=4)
    assert game.state_names == ("1", "0", "2")
    np.testing.assert_array_equal(game.initial, [0.25, 0.75, 0])
    assert game.horizon == 4


def test_refusals():
    with pytest.raises(ValueError, match="initial is empty"):
        explore({}, walk, (2, 2), discount=0.9)
    with pytest.raises(ValueError, match=r"more than 10 states, the last found '10'"):
        explore({0: 1.0}, lambda s, joint: [(1, s + 1, [0])], (1,), discount=0.9, max_states=10)
    with pytest.raises(
        ValueError, match=r"state '0', joint action \(0,\) have probabilities that sum to 0.5"
    ):
        explore({0: 1.0}, lambda s, joint: [(0.5, 0, [0])], (1,), discount=0.9)
    with pytest.raises(ValueError, match="initial sums to"):
        explore({0: 0.5}, lambda s, joint: [(1, 0, [0])], (1,), discount=0.9)
