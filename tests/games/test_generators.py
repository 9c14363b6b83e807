"""Random games have the shape, the structure and the moments they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.games import (
    covariant_game,
    random_2x2,
    random_coordination,
    random_game,
    random_zero_sum,
    two_robot_game,
)

KINDS = ("dominant", "coordination", "anti-coordination", "matching-pennies")


def pure_equilibria(game):
    (R, C) = game.payoffs
    best = (np.max(R, axis=0, keepdims=True) == R) & (np.max(C, axis=1, keepdims=True) == C)
    return [tuple(int(k) for k in index) for index in np.argwhere(best)]


@given(shape=st.lists(st.integers(1, 4), min_size=1, max_size=4), seed=st.integers(0, 2**32 - 1))
def test_the_seed_decides_everything(shape, seed):
    for make in (random_game, random_coordination):
        game = make(shape, np.random.default_rng(seed))
        assert game.num_actions == tuple(shape)
        assert game == make(shape, np.random.default_rng(seed))


@given(seed=st.integers(0, 2**32 - 1))
def test_structures(seed):
    rng = np.random.default_rng(seed)
    assert random_zero_sum((3, 4), rng).is_zero_sum
    common = random_coordination((3, 2, 2), rng)
    assert all(np.array_equal(tensor, common.payoffs[0]) for tensor in common.payoffs)
    assert covariant_game((3, 3), -1.0, rng).is_zero_sum
    assert covariant_game((2, 2, 2), -0.5, rng).is_zero_sum
    extreme = covariant_game((2, 3, 2), 1.0, rng).payoffs
    np.testing.assert_allclose(extreme[0], extreme[1], atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32 - 1))
def test_2x2_kinds_have_their_equilibria(kind, seed):
    equilibria = pure_equilibria(random_2x2(kind, np.random.default_rng(seed)))
    expected = {
        "dominant": [(0, 0)],
        "coordination": [(0, 0), (1, 1)],
        "anti-coordination": [(0, 1), (1, 0)],
        "matching-pennies": [],
    }
    assert equilibria == expected[kind]


@pytest.mark.parametrize(("players", "rho"), [(2, -0.7), (2, 0.0), (2, 0.6), (3, -0.4), (3, 0.5), (4, 0.2)])
def test_covariant_payoffs_have_the_correlation(players, rho):
    shape = (40,) * players if players == 2 else (12,) * players
    game = covariant_game(shape, rho, np.random.default_rng(1))
    covariance = np.cov(np.array(game.payoffs).reshape(players, -1))
    expected = np.full((players, players), rho)
    np.fill_diagonal(expected, 1.0)
    np.testing.assert_allclose(covariance, expected, atol=5 / np.sqrt(np.prod(shape)))


@pytest.mark.parametrize("target", [1, 3.0, -1.5])
def test_two_robots_share_the_load(target):
    grid = target * np.linspace(0, 1, 10)  # holds target / 3
    game = two_robot_game(grid, target)
    assert game.is_symmetric
    profile = [np.eye(10)[3], np.eye(10)[3]]
    for i in range(2):
        assert np.argmax(game.deviation_payoffs(i, profile)) == 3
    np.testing.assert_allclose(game.expected_payoffs(profile), -(target**2) / 9)
    # The player's own effort costs it alone: only that part differs between the players.
    difference = game.payoffs[0] - game.payoffs[1]
    np.testing.assert_allclose(difference, (grid[None, :] ** 2 - grid[:, None] ** 2) / 2, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: random_game((), rng), "at least one action"),
        (lambda rng: random_game((2, 0), rng), "at least one action"),
        (lambda rng: random_zero_sum((2, 2, 2), rng), "two entries"),
        (lambda rng: covariant_game((2, 2, 2), -0.6, rng), "from -0.5 to 1 for 3 players"),
        (lambda rng: covariant_game((2, 2), float("nan"), rng), "from -1 to 1"),
        (lambda rng: two_robot_game([[1.0]]), "one list of efforts"),
        (lambda rng: two_robot_game([1.0, np.inf]), r"grid\[1\] is inf"),
        (lambda rng: two_robot_game([1.0], float("nan")), "target is nan"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0))
