"""Random Markov games: reproducible, and as asked for."""

import numpy as np
import pytest

from equipoise.games import check_game, congestion_markov_game, random_markov_game


def rng(seed=0):
    return np.random.default_rng(seed)


def test_dense_games_are_reproducible_and_full():
    game = random_markov_game(5, 3, rng=rng(), discount=0.9)
    assert game == random_markov_game(5, 3, rng=rng(), discount=0.9)
    assert game != random_markov_game(5, 3, rng=rng(1), discount=0.9)
    assert (game.num_states, game.num_actions, game.is_sparse) == (5, (3, 3), False)
    assert np.min(game.transitions) > 0
    assert -1 <= np.min(game.rewards) < np.max(game.rewards) <= 1


def test_players_actions_and_rewards_as_asked_for():
    assert random_markov_game(2, [2, 3, 1], rng=rng(), horizon=2).num_actions == (2, 3, 1)
    assert random_markov_game(2, 2, players=4, rng=rng(), horizon=2).num_actions == (2, 2, 2, 2)
    assert random_markov_game(4, 2, players=1, rng=rng(), discount=0).num_players == 1
    scaled = random_markov_game(4, 2, rng=rng(), horizon=3, rewards=(0, 0.25))
    assert 0 <= np.min(scaled.rewards) <= np.max(scaled.rewards) <= 0.25
    zero = random_markov_game(4, (2, 3), rng=rng(), discount=0.5, zero_sum=True)
    np.testing.assert_array_equal(zero.rewards[0], -zero.rewards[1])


@pytest.mark.parametrize("floor", [0.0, 0.3, 1.0])
def test_probabilities_have_the_floor(floor):
    game = random_markov_game(6, 2, rng=rng(), discount=0.9, floor=floor)
    assert np.min(game.transitions) >= floor / 6 - 1e-15
    # The law of the state forgets where it came from at least as fast as the floor promises.
    chain = np.mean(game.transitions, axis=(1, 2))
    distance = np.max(np.abs(chain[:, None] - chain[None]).sum(axis=-1)) / 2
    assert distance <= 1 - floor + 1e-12


@pytest.mark.parametrize("successors", [1, 2, 4, 7])
@pytest.mark.parametrize("horizon", [None, 3])
def test_sparse_games_list_different_states(successors, horizon):
    timed = horizon is not None
    game = random_markov_game(
        7,
        (2, 3),
        rng=rng(),
        discount=None if timed else 0.9,
        horizon=horizon,
        successors=successors,
        floor=0.2,
        time_dependent=timed,
    )
    assert game.is_sparse
    assert game.is_stationary != timed
    listed = np.sort(game.transitions.successors, axis=-1)
    assert np.all(np.diff(listed, axis=-1) > 0)
    assert np.min(game.transitions.probabilities) >= 0.2 / successors - 1e-15
    ahead = (np.arange(7) + 1) % 7
    assert np.all(np.any(game.successors_at().successors == ahead[:, None, None, None], axis=-1))
    assert not any("Never reached" in finding for finding in check_game(game))


def test_sparse_games_choose_among_all_states_evenly():
    game = random_markov_game(5, 1, players=1, rng=rng(), horizon=4000, successors=3, time_dependent=True)
    ahead = (game.transitions.successors - np.arange(5)[:, None, None]) % 5
    counts = np.bincount(ahead.ravel(), minlength=5) / ahead[..., 0].size
    # The next state always, each of the other four with probability 1/2.
    np.testing.assert_allclose(counts, [0.5, 1, 0.5, 0.5, 0.5], atol=0.015)


def test_large_sparse_games_are_quick():
    game = random_markov_game(10_000, 3, rng=rng(), discount=0.95, successors=5)
    assert game.expected(np.ones(10_000)) == pytest.approx(1.0)


def test_congestion_depends_only_on_counts():
    game = congestion_markov_game(3, rng=rng(), actions=2, states=3, horizon=2)
    np.testing.assert_allclose(game.transitions[:, 0, 1, 1], game.transitions[:, 1, 0, 1])
    np.testing.assert_allclose(game.rewards[0][:, 0, 1, 0], game.rewards[1][:, 1, 0, 0])
    lonely, crowded = game.rewards[0][:, 0, 1, 1], game.rewards[0][:, 0, 0, 0]
    np.testing.assert_allclose(crowded, lonely / 3)
    assert 0 <= np.min(game.rewards) <= np.max(game.rewards) <= 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"states": 0}, "there must be a state"),
        ({"actions": [2, 0]}, "there must be a state"),
        ({"zero_sum": True, "players": 3}, "a zero-sum game has two players, not 3"),
        ({"time_dependent": True}, "only a game with a horizon can depend on time"),
        ({"successors": 5}, "successors must be from 1 to the number of states, 4, got 5"),
        ({"successors": 0}, "successors must be from 1"),
        ({"floor": 1.5}, "floor must be from 0 to 1"),
        ({"rewards": (1, 0)}, "rewards must be lowest and highest"),
        ({"horizon": 3}, "exactly one of discount and horizon"),
    ],
)
def test_refusals(changes, message):
    parts = {"states": 4, "actions": 2, "rng": rng(), "discount": 0.9, **changes}
    with pytest.raises(ValueError, match=message):
        random_markov_game(**parts)


def test_congestion_refusals():
    with pytest.raises(ValueError, match="there must be players"):
        congestion_markov_game(0, rng=rng())
