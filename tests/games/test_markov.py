"""MarkovGame: what it stores, its stage games, what it refuses, and its file format."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.games import (
    GameFileError,
    MarkovGame,
    NormalFormGame,
    load,
    load_markov,
    named_game,
    save_markov,
)
from equipoise.games.json_format import format_json
from equipoise.games.markov_json import format_markov_json, parse_markov_json

# The two-state game of two players that the tests of Markov solvers use.
REWARDS = np.array([[[[1, 0], [0, 0.5]], [[0, 2], [1, 0.5]]], [[[0, 1], [1, 0]], [[2, 0], [0, 1]]]])
FIRST = np.array([[[0.9, 0.5], [0.5, 0.1]], [[0.2, 0.6], [0.6, 0.8]]])
KERNEL = np.stack([FIRST, 1 - FIRST], axis=-1)


def two_states(**changes):
    return MarkovGame(**{"transitions": KERNEL, "rewards": REWARDS, "discount": 0.8, **changes})


def random_markov(seed, states, shape, horizon=None, timed_kernel=False, timed_rewards=False):
    rng = np.random.default_rng(seed)
    time = (horizon,)
    kernel = rng.dirichlet(np.ones(states), ((time if timed_kernel else ()) + (states, *shape)))
    rewards = rng.normal(size=(len(shape), *(time if timed_rewards else ()), states, *shape))
    return MarkovGame(
        kernel,
        rewards,
        discount=None if horizon else float(rng.uniform(0, 0.99)),
        horizon=horizon,
        initial=rng.dirichlet(np.ones(states)),
    )


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


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    states=st.integers(1, 3),
    shape=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    horizon=st.sampled_from([None, 1, 2, 3]),
    timed=st.tuples(st.booleans(), st.booleans()),
)
def test_round_trip_is_exact(seed, states, shape, horizon, timed):
    game = random_markov(seed, states, shape, horizon, *(flag and horizon is not None for flag in timed))
    assert parse_markov_json(format_markov_json(game)) == game


def test_files(tmp_path):
    game = two_states(
        title="zwei Räume",
        player_names=["r", "c"],
        action_names=[["U", "D"], ["L", "R"]],
        state_names=["a", "b"],
        initial=[1, 0],
    )
    path = tmp_path / "game.json"
    save_markov(game, path)
    assert load_markov(path) == game
    with pytest.raises(
        GameFileError, match=r"expected 'equipoise-game/1' \(load_markov\(\) reads Markov games\)"
    ):
        load(path)
    path.write_text(format_json(named_game("stag-hunt")), encoding="utf-8")
    with pytest.raises(GameFileError, match=r"load\(\) reads games in normal form"):
        load_markov(path)
    with pytest.raises(ValueError, match=r"must end in \.json"):
        save_markov(game, tmp_path / "game.nfg")
    with pytest.raises(FileNotFoundError):
        load_markov(tmp_path / "other.json")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rewards": None}, "rewards is missing"),
        ({"rewards": []}, "rewards: expected a list"),
        ({"discont": 1}, "discont is not a field"),
        ({"discount": 1}, r"discount must be in \[0, 1\)"),
        ({"discount": "9/10", "horizon": 2}, "exactly one"),
        ({"horizon": 2.5}, "horizon: expected a whole number, found 2.5"),
        (
            {"states": ["only one"]},
            r"rewards\[0\]: expected a list of 1 \(the number of states\), found a list of 2",
        ),
        ({"initial": [1]}, r"initial: expected a list of 2 \(the number of states\)"),
        ({"transitions": KERNEL[:1].tolist()}, r"transitions: expected a list of 2 \(the number of states\)"),
        ({"transitions": KERNEL[0].tolist()}, r"transitions\[0\]\[0\]\[0\]: expected a list of 2"),
        ({"transitions": (KERNEL / 2).tolist()}, r"state 0, joint action \(0, 0\) sum to 0.5"),
        ({"transitions": "x"}, "transitions: expected a list of 2"),
    ],
)
def test_file_errors_say_where(changes, message):
    base = {
        "format": "equipoise-markov-game/1",
        "discount": 0.8,
        "transitions": KERNEL.tolist(),
        "rewards": REWARDS.tolist(),
    }
    text = json.dumps({key: value for key, value in {**base, **changes}.items() if value is not None})
    with pytest.raises(GameFileError, match=message):
        parse_markov_json(text)


@settings(max_examples=100)
@given(data=st.data())
def test_damaged_files_read_or_complain(data):
    text = format_markov_json(two_states())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        piece = data.draw(
            st.sampled_from(["", "[", "]", "{", "}", ",", '"', "1", "-", "1e999", "null", "NaN", "9"])
        )
        text = text[:start] + piece + text[start + data.draw(st.integers(0, 5)) :]
    try:
        game = parse_markov_json(text)
    except GameFileError:
        return
    assert parse_markov_json(format_markov_json(game)) == game
