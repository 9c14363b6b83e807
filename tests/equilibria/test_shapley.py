"""Zero-sum discounted games, and Nash equilibria as limits of logit equilibria."""

from __future__ import annotations

import numpy as np
import pytest

import equipoise as eqp
from equipoise.equilibria import shapley_iteration
from equipoise.equilibria._linear_program import maximise_on_simplex
from equipoise.equilibria._matrix_games import solve_matrix_games
from stationary_games import absorbing, random_discounted, two_state


def zero_sum(states: int, actions: tuple[int, int], discount: float, seed: int = 0) -> eqp.MarkovGame:
    game = random_discounted(states, actions, discount, seed)
    return eqp.MarkovGame(game.transitions, [game.rewards[0], 2.0 - game.rewards[0]], discount=discount)


def test_many_matrix_games_are_solved_one_by_one():
    payoffs = np.random.default_rng(0).standard_normal((6, 3, 4))
    payoffs[5] = 7.0
    batch = solve_matrix_games(payoffs)
    assert not batch.message
    for k, payoff in enumerate(payoffs):
        alone = maximise_on_simplex(np.zeros(3), worst_of=payoff.T)
        assert batch.values[k] == pytest.approx(alone.value, abs=1e-9)
        assert (batch.rows[k] @ payoff).min() == pytest.approx(batch.values[k], abs=1e-9)
        assert (payoff @ batch.columns[k]).max() == pytest.approx(batch.values[k], abs=1e-9)


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.75, 0.99])
def test_the_absorbing_game_has_its_closed_form(discount):
    found = eqp.solve(absorbing(discount), eqp.Nash())
    v = 1.0 / (1.0 + np.sqrt(1.0 - discount))
    np.testing.assert_allclose(found.values, [[v, 0.0], [-v, 0.0]], atol=1e-10)
    for policy in found.strategies:
        np.testing.assert_allclose(policy[0], [v, 1.0 - v], atol=1e-9)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4)])
def test_policy_steps_and_plain_iteration_agree(shape):
    game = zero_sum(5, shape, 0.8)
    fast, plain = eqp.solve(game, eqp.Nash()), shapley_iteration(game, eqp.Nash(), polish=False)
    assert fast.iterations < 12 < plain.iterations
    np.testing.assert_allclose(fast.values, plain.values, atol=1e-9)
    assert plain.details["contraction"] == pytest.approx(0.8, abs=2e-3)
    np.testing.assert_allclose(fast.values.sum(axis=0), 2.0 / 0.2, rtol=1e-10)
    assert fast.certificate.gap < 1e-9
    assert fast.certificate.nash_gap == fast.certificate.gap


def test_sparse_games_too():
    game = zero_sum(6, (2, 2), 0.9)
    places = np.broadcast_to(np.arange(6), game.transitions.shape)
    sparse = eqp.MarkovGame(eqp.SuccessorLists(places, game.transitions), game.rewards, discount=0.9)
    np.testing.assert_allclose(
        eqp.solve(sparse, eqp.Nash()).values, eqp.solve(game, eqp.Nash()).values, atol=1e-9
    )


def test_only_constant_sums():
    with pytest.raises(ValueError, match="add up to a constant"):
        shapley_iteration(two_state(), eqp.Nash())


@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (2, 2, 2)])
def test_limit_of_the_logit_path_is_a_nash_equilibrium(shape):
    game = random_discounted(2, shape, discount=0.6, seed=1)
    found = eqp.solve(game, eqp.Nash())
    assert found.certificate.gap < 1e-9
    # The logit equilibrium at large precision is on the same branch.
    near = eqp.solve(game, eqp.QRE(300.0, regularizer_in_value=False))
    np.testing.assert_allclose(found.values, near.values, atol=0.02)


def test_defection_for_ever():
    payoff = np.array([[[3.0, 0.0], [5.0, 1.0]]])
    game = eqp.MarkovGame(np.ones((1, 2, 2, 1)), [payoff, payoff.transpose(0, 2, 1)], discount=0.9)
    found = eqp.solve(game, eqp.Nash())
    np.testing.assert_allclose(found.strategies, [[[0.0, 1.0]], [[0.0, 1.0]]], atol=1e-12)
    np.testing.assert_allclose(found.values, 10.0)
    neutral = eqp.solve(game, eqp.RQE(0.0, 0.0))
    np.testing.assert_allclose(neutral.values, 10.0)


def test_what_is_not_reached_is_flagged(monkeypatch):
    monkeypatch.setattr("equipoise.equilibria._markov_nash.MAX_STEPS", 0)
    monkeypatch.setattr("equipoise.equilibria._markov_nash.PRECISIONS", (5.0,))
    found = eqp.solve(random_discounted(2, (2, 2), seed=1), eqp.Nash(), throw=False)
    assert not found.converged
    assert "could gain" in found.status
    assert found.certificate.gap > 1e-6
