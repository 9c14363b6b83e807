"""Bridges to Gymnasium: toy-text environments as games, games as environments, and back again."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from equipoise.environments import from_gymnasium, to_gymnasium
from equipoise.games import MarkovGame, check_game, cliff_walk, grid_game, named_markov_game


def optimal(game, sweeps=300):
    values = np.zeros(game.num_states)
    for _ in range(sweeps):
        values = np.max(game.rewards[0] + game.discount * game.expected(values), axis=1)
    return values


def test_cliff_walking_takes_thirteen_steps():
    game = from_gymnasium(gymnasium.make("CliffWalking-v1"), discount=0.9)
    assert (game.num_states, game.num_actions, game.action_names[0]) == (
        48,
        (4,),
        ("up", "right", "down", "left"),
    )
    start = int(np.argmax(game.initial))
    assert game.state_names[start] == "36"
    assert optimal(game)[start] == pytest.approx(-(1 - 0.9**13) / (1 - 0.9))
    assert game.layout.draw(start).splitlines() == ["............"] * 3 + ["Axxxxxxxxxx."]
    # The goal keeps whoever reaches it and costs nothing, although the table has more to say about it.
    assert optimal(game)[47] == 0


def test_frozen_lake_keeps_its_map_and_known_values():
    game = from_gymnasium(gymnasium.make("FrozenLake-v1", is_slippery=False), discount=0.9)
    assert game.layout.rows == ("SFFF", "FHFH", "FFFH", "HFFG")
    assert optimal(game)[0] == pytest.approx(0.9**5)
    slippery = from_gymnasium(gymnasium.make("FrozenLake-v1"), discount=0.99)
    # The value of the start under the optimal policy, as published in many places for discount .99.
    assert optimal(slippery, 1500)[0] == pytest.approx(0.5420, abs=1e-4)
    right = slippery.action_names[0].index("right")
    law = slippery.transitions_at()[0, right]
    np.testing.assert_allclose(law[[0, 1, 4]], 1 / 3)


def test_taxi_ends_when_the_passenger_is_dropped():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env = gymnasium.make("Taxi-v4") if "Taxi-v4" in gymnasium.registry else gymnasium.make("Taxi-v3")
    game = from_gymnasium(env, discount=0.99)
    assert (game.num_states, game.num_actions) == (500, (6,))
    assert any(finding.startswith("Absorbing") for finding in check_game(game))
    start = env.reset(seed=3)[0]
    # Playing greedily in the real environment earns what the values of the game say.
    values = optimal(game)
    best = np.argmax(game.rewards[0] + 0.99 * game.expected(values), axis=1)
    state, total, factor, over = start, 0.0, 1.0, False
    while not over:
        state, reward, over, _, _ = env.step(int(best[state]))
        total, factor = total + factor * float(reward), factor * 0.99
    assert total == pytest.approx(values[start])


class Table(gymnasium.Env):
    """An environment in which state 1 ends play only when it is entered by the second action."""

    observation_space = gymnasium.spaces.Discrete(2)
    action_space = gymnasium.spaces.Discrete(2)
    initial_state_distrib = np.array([1.0, 0.0])
    P = {  # noqa: RUF012
        0: {0: [(0.5, 1, 2.0, False), (0.5, 0, 0.0, False)], 1: [(1.0, 1, 1.0, True)]},
        1: {0: [(1.0, 0, 0.0, False)], 1: [(1.0, 1, 1.0, False)]},
    }


def test_a_state_that_ends_play_only_sometimes_gets_a_further_state():
    game = from_gymnasium(Table(), horizon=4)
    assert game.state_names == ("0", "1", "end")
    assert game.horizon == 4
    np.testing.assert_array_equal(game.transitions_at()[0], [[0.5, 0.5, 0], [0, 0, 1]])
    np.testing.assert_array_equal(game.transitions_at()[1], [[1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(game.transitions_at()[2], [[0, 0, 1], [0, 0, 1]])
    np.testing.assert_array_equal(game.rewards[0], [[1, 1], [0, 1], [0, 0]])


@pytest.mark.parametrize("key", ["mdp-3", "mdp-3-horizon"])
def test_games_pass_gymnasiums_own_check(key):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*(not wrapped|different from the unwrapped|spec).*")
        check_env(to_gymnasium(named_markov_game(key), render_mode="ansi"))


@pytest.mark.parametrize(
    "make",
    [lambda: named_markov_game("mdp-3"), lambda: grid_game(["A.1"], {"1": 1}, players=1, discount=0.9)],
)
def test_there_and_back(make):
    game = make()
    again = from_gymnasium(to_gymnasium(game), discount=0.9)
    np.testing.assert_allclose(again.transitions_at(), game.transitions_at())
    np.testing.assert_allclose(again.rewards[0], game.rewards[0])
    np.testing.assert_array_equal(again.initial, game.initial)


def test_episodes_follow_the_game():
    game = named_markov_game("mdp-3")
    env = to_gymnasium(game)
    state, _ = env.reset(seed=0)
    counts = np.zeros((3, 2, 3))
    rng = np.random.default_rng(0)
    for _ in range(3000):
        action = int(rng.integers(2))
        after, reward, over, cut, info = env.step(action)
        assert reward == game.rewards[0][state, action]
        assert not over
        assert not cut
        assert info["state"] == game.state_names[after]
        counts[state, action, after] += 1
        state = after
    frequencies = counts / counts.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(frequencies, game.transitions, atol=0.08)


def test_the_same_seed_gives_the_same_episode():
    runs = []
    for _ in range(2):
        env = to_gymnasium(named_markov_game("mdp-3"))
        states = [env.reset(seed=5)[0]] + [env.step(k % 2)[0] for k in range(20)]
        runs.append(states)
    assert runs[0] == runs[1]


def test_episodes_end_at_the_horizon_and_in_final_states():
    env = to_gymnasium(named_markov_game("mdp-3-horizon"))
    env.reset(seed=0)
    assert [env.step(0)[2] for _ in range(3)] == [False, False, True]
    walk = grid_game(["A.1"], {"1": 1}, players=1, discount=0.9, paid="on_arrival", absorbing="1")
    env = to_gymnasium(walk, render_mode="ansi")
    assert env.reset(seed=0)[0] == 0
    assert env.render() == "(0,0)\nA.1"
    assert [env.step(0)[1:3] for _ in range(2)] == [(0.0, False), (1.0, True)]
    assert env.render() == "(0,2)\n..A"


def test_time_dependent_games_use_their_own_step():
    kernel = np.zeros((2, 2, 1, 2))
    kernel[0, :, 0, 1] = kernel[1, :, 0, 0] = 1
    game = MarkovGame(kernel, np.arange(4.0).reshape(1, 2, 2, 1), horizon=2, initial=[1, 0])
    env = to_gymnasium(game)
    env.reset(seed=0)
    assert env.step(0)[:3] == (1, 0.0, False)
    assert env.step(0)[:3] == (0, 3.0, True)
    with pytest.raises(ValueError, match="no single table"):
        _ = env.P


def test_refusals():
    with pytest.raises(
        ValueError, match=r"give discount or horizon \(the environment's own time limit is 100 steps\)"
    ):
        from_gymnasium(gymnasium.make("FrozenLake-v1"))
    with pytest.raises(TypeError, match=r"CartPoleEnv has no table P\[state\]\[action\]"):
        from_gymnasium(gymnasium.make("CartPole-v1"), discount=0.9)
    with pytest.raises(ValueError, match="one player, this game has 2; use to_pettingzoo"):
        to_gymnasium(cliff_walk("code"))
    with pytest.raises(ValueError, match="render_mode must be 'ansi' or None"):
        to_gymnasium(named_markov_game("mdp-3"), render_mode="human")
