"""SuccessorLists: what is stored, what is shared, what is refused."""

import numpy as np
import pytest

from equipoise.games import SuccessorLists


def test_entries_of_probability_zero_mean_nothing():
    lists = SuccessorLists([[[1, -1]], [[0, 7]]], [[[1, 0]], [[1.0, -1e-12]]])
    assert lists.successors.tolist() == [[[1, 0]], [[0, 0]]]
    assert lists.probabilities.tolist() == [[[1.0, 0.0]], [[1.0, 0.0]]]
    assert lists.successors.dtype == np.int32
    assert lists == SuccessorLists([[[1, 3]], [[0, 5]]], [[[1, 0]], [[1, 0]]])
    assert repr(lists) == "SuccessorLists(2 x 1 lists of 2)"


def test_a_state_listed_twice_has_the_sum():
    lists = SuccessorLists([[[1, 1, 0]], [[0, 1, 0]]], [[[0.25, 0.5, 0.25]], [[0.5, 0.25, 0.25]]])
    np.testing.assert_array_equal(lists.dense(), [[[0.25, 0.75]], [[0.75, 0.25]]])
    np.testing.assert_array_equal(lists.expected(np.array([0.0, 4.0])), [[3.0], [1.0]])


def test_read_only_arrays_are_shared_and_others_copied():
    states, chances = np.zeros((2, 1, 1), dtype=np.int32), np.ones((2, 1, 1))
    copied = SuccessorLists(states, chances)
    assert not np.shares_memory(copied.successors, states)
    assert not np.shares_memory(copied.probabilities, chances)
    for array in (states, chances):
        array.setflags(write=False)
    shared = SuccessorLists(states, chances)
    assert shared.successors is states
    assert shared.probabilities is chances
    assert not copied.successors.flags.writeable


@pytest.mark.parametrize(
    ("successors", "probabilities", "error", "message"),
    [
        ([[[0, 1]]], [[[1.0]]], ValueError, "they must agree"),
        ([[0]], [[1.0]], ValueError, r"must be \[s, a_1, \.\.\., a_n, k\]"),
        ([[[-1]]], [[[1.0]]], ValueError, r"successors\[0, 0, 0\] is -1"),
        ([[[0.5]]], [[[1.0]]], TypeError, r"successors\[0, 0, 0\] is 0.5"),
        ([[[2**40]]], [[[1.0]]], ValueError, r"successors\[0, 0, 0\]"),
        ([[[0, 0]]], [[[1.5, -0.5]]], ValueError, r"probabilities\[0, 0, 1\] is -0.5"),
        ([[[0]]], [[[np.nan]]], ValueError, r"probabilities\[0, 0, 0\] is nan"),
        ([[[0]]], [[[np.inf]]], ValueError, r"probabilities\[0, 0, 0\] is inf"),
        ([[["a"]]], [[[1.0]]], TypeError, "real numbers"),
    ],
)
def test_refusals(successors, probabilities, error, message):
    with pytest.raises(error, match=message):
        SuccessorLists(successors, probabilities)
