"""NormalFormGame: what it stores, what it computes, what it refuses."""

import dataclasses
import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.games import NormalFormGame

A = np.array([[9.0, 0.0], [6.0, 8.0]])
B = np.array([[4.0, 13.0], [7.0, 5.0]])

shapes = st.sampled_from([(3,), (1, 1), (2, 2), (2, 3), (3, 1), (2, 3, 2), (1, 2, 3), (2, 2, 2, 2)])


def random_game(shape, seed):
    return NormalFormGame(np.random.default_rng(seed).normal(size=(len(shape), *shape)))


def random_profile(shape, seed):
    rng = np.random.default_rng(seed)
    return [rng.dirichlet(np.ones(count)) for count in shape]


def expectation_by_enumeration(game, i, strategies):
    total = 0.0
    for joint in itertools.product(*(range(count) for count in game.num_actions)):
        total += game.payoffs[i][joint] * np.prod([x[a] for x, a in zip(strategies, joint, strict=True)])
    return total


def test_stores_read_only_float64_copies():
    source = np.array([[1, 2], [3, 4]], dtype=np.int32)
    game = NormalFormGame([source, source.T])
    source[0, 0] = 99
    assert game.payoffs[0][0, 0] == 1.0
    for tensor in game.payoffs:
        assert tensor.dtype == np.float64
        assert tensor.flags.c_contiguous
        assert not tensor.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        game.payoffs[0][0, 0] = 5.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        game.title = "other"


def test_sequence_and_stacked_array_are_the_same_game():
    assert (
        NormalFormGame([A, B]) == NormalFormGame(np.stack([A, B])) == NormalFormGame((A.tolist(), B.tolist()))
    )
    assert NormalFormGame([[Fraction(1, 2), 0]]).payoffs[0].tolist() == [0.5, 0.0]


def test_names_have_defaults_and_are_kept():
    game = NormalFormGame([A, B])
    assert game.player_names == ("Player 1", "Player 2")
    assert game.action_names == (("1", "2"), ("1", "2"))
    named = NormalFormGame([A, B], "Two", ["Row", "Column"], [["U", "D"], ["L", "R"]])
    assert named.title == "Two"
    assert named.player_names == ("Row", "Column")
    assert named.action_names == (("U", "D"), ("L", "R"))
    assert dataclasses.replace(named, title="Three").action_names == named.action_names


def test_repr_says_what_it_is():
    assert repr(NormalFormGame([A, B], "Two")) == "NormalFormGame('Two', 2 players, 2 x 2 actions)"
    assert repr(NormalFormGame([[1.0]])) == "NormalFormGame(1 player, 1 action)"
    assert repr(NormalFormGame([[1.0, 2.0]])) == "NormalFormGame(1 player, 2 actions)"


def test_own_first_of_the_column_player_is_the_transpose():
    game = NormalFormGame([A, B])
    np.testing.assert_array_equal(game.own_first(0), A)
    np.testing.assert_array_equal(game.own_first(1), B.T)


def test_own_first_keeps_the_others_in_order():
    payoffs = np.arange(3 * 2 * 3 * 4, dtype=float).reshape(3, 2, 3, 4)
    game = NormalFormGame(payoffs)
    matrix = game.own_first(1)
    assert matrix.shape == (3, 8)
    for a, b, c in itertools.product(range(2), range(3), range(4)):
        assert matrix[b, a * 4 + c] == payoffs[1, a, b, c]


@given(shape=shapes, seed=st.integers(0, 10**6))
def test_expectations_equal_enumeration(shape, seed):
    game, strategies = random_game(shape, seed), random_profile(shape, seed + 1)
    expected = game.expected_payoffs(strategies)
    for i in range(game.num_players):
        np.testing.assert_allclose(expected[i], expectation_by_enumeration(game, i, strategies), atol=1e-12)
        for a in range(shape[i]):
            pure = [*strategies[:i], np.eye(shape[i])[a], *strategies[i + 1 :]]
            np.testing.assert_allclose(
                game.deviation_payoffs(i, strategies)[a],
                expectation_by_enumeration(game, i, pure),
                atol=1e-12,
            )


@given(shape=shapes, seed=st.integers(0, 10**6))
def test_own_first_gives_the_deviation_payoffs(shape, seed):
    game, strategies = random_game(shape, seed), random_profile(shape, seed + 1)
    for i in range(game.num_players):
        others = np.ones(1)
        for j, x in enumerate(strategies):
            if j != i:
                others = np.kron(others, x)
        np.testing.assert_allclose(
            game.own_first(i) @ others, game.deviation_payoffs(i, strategies), atol=1e-12
        )


@given(shape=shapes, seed=st.integers(0, 10**6), data=st.data())
def test_permuting_players_permutes_payoffs(shape, seed, data):
    order = data.draw(st.permutations(range(len(shape))))
    game, strategies = random_game(shape, seed), random_profile(shape, seed + 1)
    permuted = game.permute_players(order)
    np.testing.assert_allclose(
        permuted.expected_payoffs([strategies[k] for k in order]),
        game.expected_payoffs(strategies)[list(order)],
        atol=1e-12,
    )
    assert permuted.player_names == tuple(game.player_names[k] for k in order)
    assert permuted.permute_players(np.argsort(order).tolist()) == game


@given(shape=shapes, seed=st.integers(0, 10**6), data=st.data())
def test_permuting_actions_permutes_deviations(shape, seed, data):
    i = data.draw(st.integers(0, len(shape) - 1))
    order = data.draw(st.permutations(range(shape[i])))
    game, strategies = random_game(shape, seed), random_profile(shape, seed + 1)
    permuted = game.permute_actions(i, order)
    moved = [*strategies[:i], strategies[i][list(order)], *strategies[i + 1 :]]
    np.testing.assert_allclose(
        permuted.expected_payoffs(moved), game.expected_payoffs(strategies), atol=1e-12
    )
    np.testing.assert_allclose(
        permuted.deviation_payoffs(i, moved), game.deviation_payoffs(i, strategies)[list(order)], atol=1e-12
    )
    assert permuted.permute_actions(i, np.argsort(order).tolist()) == game


def test_scaled_changes_units_per_player():
    game = NormalFormGame([A, B]).scaled([2.0, 0.5], [1.0, -1.0])
    np.testing.assert_array_equal(game.payoffs[0], 2 * A + 1)
    np.testing.assert_array_equal(game.payoffs[1], B / 2 - 1)
    np.testing.assert_array_equal(game.payoff_ranges(), [18.0, 4.5])
    assert NormalFormGame([A, B]).scaled() == NormalFormGame([A, B])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0.0,), "positive"), (([1.0, -1.0],), "positive"), ((1.0, [1, 2, 3]), "shift"), ((np.nan,), "scale")],
)
def test_scaled_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        NormalFormGame([A, B]).scaled(*arguments)


def test_sum_properties():
    zero = NormalFormGame([A, -A])
    assert zero.is_zero_sum
    assert zero.is_constant_sum
    constant = NormalFormGame([A, 10 - A])
    assert constant.is_constant_sum
    assert not constant.is_zero_sum
    assert not NormalFormGame([A, B + np.eye(2)]).is_constant_sum
    # 0.1 + 0.2 - 0.3 is not 0 in floating point.
    assert NormalFormGame(np.array([0.1, 0.2, -0.3]).reshape(3, 1, 1, 1)).is_zero_sum
    assert NormalFormGame(np.zeros((2, 2, 2))).is_zero_sum


def test_symmetry():
    assert NormalFormGame([A, A.T]).is_symmetric
    assert not NormalFormGame([A, A]).is_symmetric
    assert not NormalFormGame([np.ones((2, 3)), np.ones((2, 3))]).is_symmetric
    assert NormalFormGame([[1.0, 2.0]]).is_symmetric
    # One's payoff counts one's own choice and how many others make it: symmetric for three players.
    crowd = np.zeros((3, 2, 2, 2))
    for joint in itertools.product(range(2), repeat=3):
        for i in range(3):
            crowd[(i, *joint)] = joint[i] * (1 + sum(joint)) ** 2
    assert NormalFormGame(crowd).is_symmetric
    crowd[0, 0, 1, 0] += 1
    assert not NormalFormGame(crowd).is_symmetric


def test_equality_and_hash_are_by_content():
    game = NormalFormGame([A, B], "g")
    assert game == NormalFormGame([A.copy(), B.copy()], "g")
    assert hash(game) == hash(NormalFormGame([A.copy(), B.copy()], "g"))
    assert len({game, NormalFormGame([A, B], "g"), NormalFormGame([A, B], "h")}) == 2
    assert game != NormalFormGame([A, B + 1], "g")
    assert game != NormalFormGame([A, B], "g", ["x", "y"])
    assert game != "game"
    assert NormalFormGame([[0.0, 1.0]]) == NormalFormGame([[-0.0, 1.0]])
    assert hash(NormalFormGame([[0.0, 1.0]])) == hash(NormalFormGame([[-0.0, 1.0]]))


@pytest.mark.parametrize(
    ("payoffs", "error", "message"),
    [
        (3, TypeError, "one array per player"),
        ([], ValueError, "at least one player"),
        ([A], ValueError, r"needs 1 axes"),
        (A, ValueError, r"pass \[A, -A\]"),
        ([A, np.ones((3, 2))], ValueError, r"payoffs\[1\] has shape \(3, 2\)"),
        ([np.ones((2, 3)), np.ones((3, 2))], ValueError, "transpose it"),
        ([[[1, 2], [3]], A], ValueError, r"payoffs\[0\] is ragged"),
        ([A, [["a", "b"], ["c", "d"]]], TypeError, r"payoffs\[1\] must hold real numbers"),
        ([A, A * 1j], TypeError, "complex128"),
        ([A, [[1, 10**400], [0, 0]]], TypeError, r"payoffs\[1\]"),
        ([[[1, 2], [3, np.nan]], B], ValueError, r"payoffs\[0\]\[1, 1\] is nan"),
        ([A, [[1, np.inf], [0, 0]]], ValueError, r"payoffs\[1\]\[0, 1\] is inf"),
        ([A, [[1, 1], [-1e301, 0]]], ValueError, r"payoffs\[1\]\[1, 0\] is -1e\+301"),
        (np.ones((2, 2, 0)), ValueError, "player 1 .* has no actions"),
        ("ab", TypeError, "real numbers"),
    ],
)
def test_refuses_bad_payoffs(payoffs, error, message):
    with pytest.raises(error, match=message):
        NormalFormGame(payoffs)


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        ({"player_names": ["x"]}, ValueError, "player_names has 1 names; it needs 2"),
        ({"player_names": "xy"}, TypeError, "single string"),
        ({"action_names": [["U", "D"]]}, ValueError, "action_names has 1 entries"),
        ({"action_names": [["U", "D"], ["L"]]}, ValueError, r"action_names\[1\] has 1 names"),
        ({"action_names": [["U", "D"], "LR"]}, TypeError, r"action_names\[1\]"),
    ],
)
def test_refuses_bad_names(names, error, message):
    with pytest.raises(error, match=message):
        NormalFormGame([A, B], **names)


@pytest.mark.parametrize(
    ("strategies", "message"),
    [
        ([[0.5, 0.5]], "has 1 entries; the game has 2 players"),
        ([[0.5, 0.5], [1.0]], r"strategies\[1\] \(Player 2\) has shape \(1,\)"),
        ([[0.5, 0.5], [1.1, -0.1]], r"strategies\[1\] \(Player 2\)\[1\] is -0.1"),
        ([[0.5, 0.6], [1, 0]], "sums to 1.1"),
        ([[0.5, np.nan], [1, 0]], "is nan"),
        ([[np.inf, 0.0], [1, 0]], "is inf"),
    ],
)
def test_refuses_bad_strategies(strategies, message):
    with pytest.raises(ValueError, match=message):
        NormalFormGame([A, B]).expected_payoffs(strategies)


def test_check_strategies_keeps_rounding_errors():
    checked = NormalFormGame([A, B]).check_strategies([[1 + 1e-12, -1e-12], (0.25, 0.75)])
    assert checked[0].tolist() == [1 + 1e-12, -1e-12]
    assert checked[1].dtype == np.float64


@pytest.mark.parametrize("i", [-1, 2, True, 0.0])
def test_refuses_players_that_do_not_exist(i):
    game = NormalFormGame([A, B])
    with pytest.raises((ValueError, TypeError)):  # a float is caught by the type checker in tests
        game.own_first(i)


def test_refuses_orders_that_are_not_permutations():
    game = NormalFormGame([A, B])
    with pytest.raises(ValueError, match="2 players once"):
        game.permute_players([0, 0])
    with pytest.raises(ValueError, match="2 actions of Player 2 once"):
        game.permute_actions(1, [0])
