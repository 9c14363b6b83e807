"""MarkovGame: what it stores, its stage games, what it refuses, and its file format."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.games import GridMap, MarkovGame, NormalFormGame, SuccessorLists
from stored_markov_games import KERNEL, REWARDS, random_markov, sparse, two_states


def test_stores_read_only_arrays_and_names():
    game = two_states(title="two", player_names=["r", "c"], state_names=["s0", "s1"], initial=[0.25, 0.75])
    assert (game.num_players, game.num_states, game.num_actions) == (2, 2, (2, 2))
    assert game.state_names == ("s0", "s1")
    assert game.action_names == (("1", "2"), ("1", "2"))
    assert game.is_stationary
    assert two_states().state_names == ("State 1", "State 2")
    assert two_states().initial.tolist() == [0.5, 0.5]
    for array in (game.transitions, game.initial, *game.rewards):
        assert array.dtype == np.float64
        assert not array.flags.writeable
    assert repr(game) == "MarkovGame('two', 2 players, 2 states, 2 x 2 actions, discount 0.8)"
    assert (
        repr(two_states(discount=None, horizon=3))
        == "MarkovGame(2 players, 2 states, 2 x 2 actions, horizon 3)"
    )


def test_equality_and_hash_are_by_content():
    assert two_states() == two_states()
    assert hash(two_states()) == hash(two_states())
    assert two_states() != two_states(discount=0.7)
    assert two_states() != two_states(discount=None, horizon=2)
    assert two_states() != two_states(rewards=REWARDS + 1)
    assert two_states() != two_states(state_names=["a", "b"])
    assert two_states(discount=None, horizon=2) != two_states(
        discount=None, horizon=2, transitions=np.stack([KERNEL, KERNEL])
    )
    assert two_states() != "two"


@given(
    seed=st.integers(0, 10**6),
    states=st.integers(1, 3),
    shape=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    horizon=st.sampled_from([None, 1, 3]),
)
def test_stage_game_adds_the_expected_continuation(seed, states, shape, horizon):
    timed = horizon is not None and seed % 2 == 0
    game = random_markov(seed, states, shape, horizon, timed, timed)
    values = np.random.default_rng(seed + 1).normal(size=(len(shape), states))
    step = (horizon or 1) - 1
    for state in range(states):
        stage = game.stage_game(state, values, step)
        for joint in itertools.product(*(range(count) for count in shape)):
            for i in range(len(shape)):
                kernel = game.transitions[step] if timed else game.transitions
                reward = game.rewards[i][step] if timed else game.rewards[i]
                future = sum(kernel[(state, *joint, s)] * values[i, s] for s in range(states))
                factor = 1.0 if horizon else game.discount
                np.testing.assert_allclose(
                    stage.payoffs[i][joint], reward[(state, *joint)] + factor * future, atol=1e-12
                )


def test_stage_game_without_a_future_is_the_reward():
    game = two_states(discount=0, title="two")
    stage = game.stage_game(1, np.full((2, 2), 7.0))
    assert stage == NormalFormGame(REWARDS[:, 1], "two, State 2")
    assert two_states().stage_game(0, np.zeros((2, 2))) == NormalFormGame(REWARDS[:, 0], "State 1")


def test_time_dependent_parts_are_told_apart():
    stacked = np.stack([KERNEL, KERNEL[::-1]])
    game = two_states(discount=None, horizon=2, transitions=stacked)
    assert not game.is_stationary
    np.testing.assert_array_equal(game.transitions_at(1), KERNEL[::-1])
    np.testing.assert_array_equal(game.rewards_at(1), REWARDS)
    timed = two_states(discount=None, horizon=2, rewards=np.stack([REWARDS, 2 * REWARDS], axis=1))
    np.testing.assert_array_equal(timed.rewards_at(1), 2 * REWARDS)
    np.testing.assert_array_equal(timed.transitions_at(1), KERNEL)
    with pytest.raises(ValueError, match="step must be from 0 to 1, got 2"):
        timed.rewards_at(2)
    with pytest.raises(ValueError, match="a discounted game has only step 0, got 1"):
        two_states().transitions_at(1)


def test_rounding_below_zero_is_removed():
    kernel = KERNEL.copy()
    kernel[0, 0, 0] = [1 + 1e-17, -1e-17]
    assert np.min(two_states(transitions=kernel).transitions) == 0.0


def changed(array, index, value):
    array = array.copy()
    array[index] = value
    return array


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"discount": 1.0}, ValueError, r"discount must be in \[0, 1\), got 1.0"),
        ({"discount": -0.1}, ValueError, r"discount must be in \[0, 1\)"),
        ({"discount": float("nan")}, ValueError, r"discount must be in \[0, 1\)"),
        ({"discount": None}, ValueError, "exactly one of discount and horizon"),
        ({"horizon": 3}, ValueError, "exactly one of discount and horizon"),
        ({"discount": None, "horizon": 0}, ValueError, "horizon must be at least 1, got 0"),
        ({"discount": None, "horizon": True}, TypeError, "horizon must be a whole number"),
        ({"rewards": 3}, TypeError, "one array per player"),
        ({"rewards": []}, ValueError, "rewards is empty"),
        (
            {"rewards": REWARDS[0, 0]},
            ValueError,
            r"rewards\[0\] has shape \(2,\), but 2 arrays mean 2 players",
        ),
        ({"rewards": [REWARDS[0], REWARDS[1, :1]]}, ValueError, r"rewards\[1\] has shape \(1, 2, 2\) but"),
        ({"rewards": np.stack([REWARDS] * 2, 1)}, ValueError, "only a game with a horizon has a time axis"),
        ({"rewards": changed(REWARDS, (1, 0, 1, 0), np.inf)}, ValueError, r"rewards\[1\]\[0, 1, 0\] is inf"),
        ({"rewards": np.zeros((2, 0, 2, 2))}, ValueError, "there must be a state"),
        (
            {"transitions": KERNEL[0]},
            ValueError,
            r"transitions has shape \(2, 2, 2\); .* ask for \(2, 2, 2, 2\)",
        ),
        ({"transitions": KERNEL[..., :1]}, ValueError, "ask for"),
        ({"transitions": np.stack([KERNEL] * 2)}, ValueError, "only a game with a horizon has a time axis"),
        (
            {"transitions": np.stack([KERNEL] * 2), "discount": None, "horizon": 3},
            ValueError,
            "transitions has 2 time steps; the horizon is 3",
        ),
        (
            {"transitions": changed(KERNEL, (1, 0, 1, 0), 0.7)},
            ValueError,
            r"transitions at state 1, joint action \(0, 1\) sum to 1.1",
        ),
        (
            {"transitions": changed(KERNEL, (1, 0, 1), [1.5, -0.5])},
            ValueError,
            r"state 1, joint action \(0, 1\) gives state 1 probability -0.5",
        ),
        (
            {
                "transitions": changed(np.stack([KERNEL] * 2), (1, 0, 1, 1), 0.0),
                "discount": None,
                "horizon": 2,
            },
            ValueError,
            r"transitions at step 1, state 0, joint action \(1, 1\) sum to 0.0",
        ),
        (
            {"transitions": changed(KERNEL, (0, 0, 0, 0), np.nan)},
            ValueError,
            r"transitions\[0, 0, 0, 0\] is nan",
        ),
        ({"initial": [0.5, 0.6]}, ValueError, "initial sums to 1.1"),
        ({"initial": [1.0]}, ValueError, r"initial has shape \(1,\)"),
        ({"state_names": ["one"]}, ValueError, "state_names has 1 names; it needs 2"),
        ({"player_names": ["one"]}, ValueError, "player_names has 1 names"),
    ],
)
def test_refusals(changes, error, message):
    with pytest.raises(error, match=message):
        two_states(**changes)


@pytest.mark.parametrize(
    ("state", "values", "message"),
    [
        (2, np.zeros((2, 2)), "state must be from 0 to 1"),
        (-1, np.zeros((2, 2)), "state must be from 0 to 1"),
        (0, np.zeros(2), "players by states"),
        (0, np.full((2, 2), np.nan), r"continuation\[0, 0\] is nan"),
    ],
)
def test_stage_game_refusals(state, values, message):
    with pytest.raises(ValueError, match=message):
        two_states().stage_game(state, values)


@given(
    seed=st.integers(0, 10**6),
    states=st.integers(1, 4),
    shape=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    horizon=st.sampled_from([None, 2]),
)
def test_expected_and_successors_agree_with_the_definition(seed, states, shape, horizon):
    game = random_markov(seed, states, shape, horizon, timed_kernel=horizon is not None)
    lists = sparse(game)
    values = np.random.default_rng(seed + 1).normal(size=(2, 3, states))
    step = (horizon or 1) - 1
    exact = np.einsum("...t,bct->bc...", game.transitions_at(step), values)
    for one in (game, lists):
        np.testing.assert_allclose(one.expected(values, step), exact, atol=1e-12)
        np.testing.assert_allclose(one.expected(values[0, 0], step), exact[0, 0], atol=1e-12)
        successors = one.successors_at(step)
        assert successors.shape == (states, *shape, states)
        weighted = successors.probabilities * values[1, 2][successors.successors]
        np.testing.assert_allclose(np.sum(weighted, axis=-1), exact[1, 2], atol=1e-12)
    np.testing.assert_allclose(lists.transitions_at(step), game.transitions_at(step))
    for state in range(states):
        ahead = np.zeros((len(shape), states))
        ahead[0] = values[0, 0]
        stage, other = (one.stage_game(state, ahead, step) for one in (game, lists))
        np.testing.assert_allclose(stage.payoffs, other.payoffs, atol=1e-12)


def test_sparse_games_are_compared_by_content_too():
    lists = sparse(two_states())
    assert lists.is_sparse
    assert not two_states().is_sparse
    assert lists == sparse(two_states())
    assert hash(lists) == hash(sparse(two_states()))
    assert lists != two_states()
    assert two_states() != lists
    assert lists != sparse(two_states(transitions=KERNEL[::-1]))
    assert (
        repr(lists) == "MarkovGame(2 players, 2 states, 2 x 2 actions, at most 2 next states, discount 0.8)"
    )


def test_a_game_too_large_to_write_out_says_so():
    moves = SuccessorLists(np.zeros((20_000, 1, 1), dtype=int), np.ones((20_000, 1, 1)))
    game = MarkovGame(moves, np.zeros((1, 20_000, 1)), discount=0.5)
    with pytest.raises(ValueError, match="use successors_at"):
        game.transitions_at()
    np.testing.assert_array_equal(game.expected(np.arange(20_000.0)), np.zeros((20_000, 1)))


@pytest.mark.parametrize(
    ("successors", "probabilities", "message"),
    [
        (
            [[[2]], [[0]]],
            [[[1.0]], [[1.0]]],
            r"state 0, joint action \(0,\) lists state 2; there are states 0 to 1",
        ),
        ([[[1, 0]], [[0, 0]]], [[[0.5, 0.5]], [[0.5, 0.4]]], r"state 1, joint action \(0,\) sum to 0.9"),
        (
            [[[0]]],
            [[[1.0]]],
            r"transitions has shape \(1, 1, 1\); rewards of shape \(2, 1\) ask for \(2, 1, 1\)",
        ),
    ],
)
def test_sparse_refusals(successors, probabilities, message):
    with pytest.raises(ValueError, match=message):
        MarkovGame(SuccessorLists(successors, probabilities), np.zeros((1, 2, 1)), discount=0.5)


def test_values_must_fit():
    with pytest.raises(ValueError, match="its last axis must have 2 states"):
        two_states().expected(np.zeros(3))


def test_layout_must_fit():
    layout = GridMap([".."], [[0], [1]], [(0, 1)])
    assert two_states(layout=layout).layout is layout
    assert two_states(layout=layout) != two_states()
    with pytest.raises(ValueError, match="layout has positions for 1 states; the game has 2"):
        two_states(layout=GridMap([".."], [[0]], [(0, 1)]))
    with pytest.raises(TypeError, match="layout"):
        two_states(layout=[".."])
