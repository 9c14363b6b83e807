"""Exact answers in zero-sum games: closed forms, limits, and solvers written by other means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.equilibria import QRE, Nash, solve
from equipoise.equilibria.zero_sum import (
    exploring_distribution,
    lyapunov,
    markov_nash_gap,
    matrix_gap,
    matrix_value,
    nash_distribution,
    smoothed_fixed_point,
    softmax,
)
from equipoise.games import MarkovGame, NormalFormGame, random_markov_game

PENNIES = np.array([[1.0, -1.0], [-1.0, 1.0]])


def cyclic(a, b, c):
    return np.array([[0.0, -a, b], [a, 0.0, -c], [-b, c, 0.0]])


def absorbing(discount):
    """Worked example: only the first cell of the first state goes on, all others end play."""
    kernel = np.zeros((2, 2, 2, 2))
    kernel[..., 1] = 1.0
    kernel[0, 0, 0] = [1.0, 0.0]
    reward = np.array([[[0.0, 1.0], [1.0, 0.0]], np.zeros((2, 2))])
    return MarkovGame(kernel, [reward, -reward], discount=discount, initial=[1.0, 0.0])


def random_matrices(seed, count=20, shape=(3, 4)):
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (count, *shape))


def test_cyclic_game_mixes_by_the_opposite_stakes():
    found = matrix_value(cyclic(1.0, 2.0, 3.0))
    for strategy in found.strategies:
        np.testing.assert_allclose(strategy, np.array([3.0, 2.0, 1.0]) / 6.0, atol=1e-9)
    assert found.value == pytest.approx(0.0, abs=1e-9)
    assert 0.0 <= found.gap < 1e-9


@given(st.integers(0, 10_000), st.floats(-3.0, 3.0))
def test_value_moves_with_constants_and_is_dual(seed, constant):
    R = random_matrices(seed, 1)[0]
    found, shifted, turned = matrix_value(R), matrix_value(R + constant), matrix_value(-R.T)
    assert shifted.value == pytest.approx(found.value + constant, abs=1e-8)
    assert turned.value == pytest.approx(-found.value, abs=1e-8)
    assert matrix_gap(R, found.strategies) == pytest.approx(0.0, abs=1e-8)
    order = np.random.default_rng(seed).permutation(3)
    assert matrix_value(R[order]).value == pytest.approx(found.value, abs=1e-8)


@pytest.mark.parametrize("noise", [10.0, 1.0, 0.1, 0.01])
def test_nash_distribution_is_its_own_response_and_zero_of_the_lyapunov_function(noise):
    R = random_matrices(1)
    found = nash_distribution(R, noise)
    assert found.converged.all()
    x, y = found.strategies
    np.testing.assert_allclose(softmax(np.einsum("gab,gb->ga", R, y) / noise), x, atol=1e-9)
    np.testing.assert_allclose(softmax(-np.einsum("gab,ga->gb", R, x) / noise), y, atol=1e-9)
    np.testing.assert_allclose(lyapunov((R, -R), (x, y), noise), 0.0, atol=1e-9)
    assert (matrix_gap(R, (x, y)) <= noise * (np.log(3) + np.log(4)) + 1e-12).all()


def test_nash_distribution_agrees_with_the_logit_branch():
    for noise in (1.0, 0.2):
        for R in random_matrices(2, 5):
            other = solve(NormalFormGame([R, -R]), QRE(1.0 / noise)).strategies
            for ours, theirs in zip(nash_distribution(R, noise).strategies, other, strict=True):
                np.testing.assert_allclose(ours, theirs, atol=1e-8)


def test_nash_distribution_has_its_limits():
    R = random_matrices(3)
    for strategy in nash_distribution(R, 1e6).strategies:
        np.testing.assert_allclose(strategy, 1.0 / strategy.shape[-1], atol=1e-6)
    gaps = [matrix_gap(R, nash_distribution(R, noise).strategies).max() for noise in (0.3, 0.03, 0.003)]
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 0.02
    for even in (PENNIES, cyclic(1.0, 1.0, 1.0)):
        for noise in (0.02, 0.5, 5.0):
            for strategy in nash_distribution(even, noise).strategies:
                np.testing.assert_allclose(strategy, 1.0 / len(even), atol=1e-9)


def test_nash_distribution_refuses_zero_noise():
    with pytest.raises(ValueError, match="noise must be positive"):
        nash_distribution(PENNIES, 0.0)


@given(st.integers(0, 10_000), st.floats(0.02, 3.0))
def test_lyapunov_function_is_a_divergence_and_bounds_exploitability(seed, noise):
    rng = np.random.default_rng(seed)
    R, x, y = rng.uniform(-1, 1, (3, 4)), rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(4))
    value = float(lyapunov((R, -R), (x, y), noise))
    kl = sum((p * np.log(p / softmax(u / noise))).sum() for p, u in ((x, R @ y), (y, -R.T @ x)))
    assert value == pytest.approx(noise * kl, abs=1e-9)
    assert value >= -1e-12
    entropies = -(x * np.log(x)).sum() - (y * np.log(y)).sum()
    assert matrix_gap(R, (x, y)) <= value + noise * entropies + 1e-12


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_exploring_players_rest_where_they_answer_each_other(share):
    R, noise = random_matrices(4), 0.2
    found = exploring_distribution(R, noise, share)
    x, y = found.strategies
    np.testing.assert_allclose(
        (1 - share) * softmax(np.einsum("gab,gb->ga", R, y) / noise) + share / 3, x, atol=1e-9
    )
    np.testing.assert_allclose(
        (1 - share) * softmax(-np.einsum("gab,ga->gb", R, x) / noise) + share / 4, y, atol=1e-9
    )
    assert (matrix_gap(R, (x, y)) <= noise * (np.log(3) + np.log(4)) + 4 * share).all()


def test_a_repeated_matrix_game_is_worth_its_value_over_and_over():
    R = cyclic(0.3, 0.5, 1.0) + 0.2
    game = MarkovGame(np.ones((1, 3, 3, 1)), [R[None], -R[None]], discount=0.8)
    fixed = smoothed_fixed_point(game, 0.05)
    assert fixed.converged
    assert fixed.values[0] == pytest.approx(matrix_value(R).value / 0.2, abs=0.05 * np.log(3) / 0.2)


@pytest.mark.parametrize("discount", [0.0, 0.75])
def test_the_absorbing_game_has_its_closed_form(discount):
    game = absorbing(discount)
    worth = 1.0 / (1.0 + np.sqrt(1.0 - discount))
    fixed = smoothed_fixed_point(game, 0.02)
    assert fixed.converged
    assert fixed.values[0] == pytest.approx(worth, abs=0.02 * np.log(2) / (1.0 - discount))
    for policy in fixed.strategies:
        assert policy[0, 0] == pytest.approx(worth, abs=0.03)


def test_smoothed_fixed_point_is_the_value_of_its_policies_and_tends_to_shapley():
    game = random_markov_game(4, (2, 3), rng=np.random.default_rng(5), discount=0.7, zero_sum=True)
    exact = solve(game, Nash()).values[0]
    errors = []
    for noise in (0.5, 0.1, 0.02):
        fixed = smoothed_fixed_point(game, noise, starts=3)
        assert fixed.converged
        assert fixed.spread < 1e-8
        x, y = fixed.strategies
        chain = np.einsum("sa,sb,sabz->sz", x, y, game.transitions_at(0))
        reward = np.einsum("sa,sb,sab->s", x, y, game.rewards[0])
        np.testing.assert_allclose(fixed.values, np.linalg.solve(np.eye(4) - 0.7 * chain, reward), atol=1e-8)
        errors.append(np.abs(fixed.values - exact).max())
        assert errors[-1] <= noise * np.log(3) / 0.3
        assert markov_nash_gap(game, (x, y)).sum() <= noise * (np.log(2) + np.log(3)) / 0.3
    assert errors[0] > errors[-1]


def test_markov_gap_matches_the_certificate_and_brute_force():
    game = random_markov_game(3, (2, 2), rng=np.random.default_rng(6), discount=0.6, zero_sum=True)
    policies = solve(game, Nash()).strategies
    assert markov_nash_gap(game, (policies[0], policies[1])).sum() == pytest.approx(0.0, abs=1e-9)
    rng = np.random.default_rng(7)
    pair = (rng.dirichlet(np.ones(2), (5, 3)), rng.dirichlet(np.ones(2), (5, 3)))

    def worth(x, y):
        chain = np.einsum("sa,sb,sabz->sz", x, y, game.transitions_at(0))
        reward = np.einsum("sa,sb,sab->s", x, y, game.rewards[0])
        return game.initial @ np.linalg.solve(np.eye(3) - 0.6 * chain, reward)

    gains = markov_nash_gap(game, pair)
    pure = [np.eye(2)[list(choice)] for choice in np.ndindex(2, 2, 2)]
    for k in range(5):
        x, y = pair[0][k], pair[1][k]
        assert gains[k, 0] == pytest.approx(max(worth(p, y) for p in pure) - worth(x, y), abs=1e-10)
        assert gains[k, 1] == pytest.approx(worth(x, y) - min(worth(x, p) for p in pure), abs=1e-10)


def test_games_of_other_kinds_are_refused():
    rng = np.random.default_rng(8)
    with pytest.raises(ValueError, match="not zero-sum: in state"):
        smoothed_fixed_point(random_markov_game(2, 2, rng=rng, discount=0.5), 0.1)
    with pytest.raises(ValueError, match="horizon"):
        smoothed_fixed_point(random_markov_game(2, 2, rng=rng, horizon=3, zero_sum=True), 0.1)
