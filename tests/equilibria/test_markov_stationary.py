"""Stationary RQE and QRE: closed forms, limits, invariances, independent solvers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import root

import equipoise as eqp
from equipoise.equilibria import (
    QRE,
    RQE,
    _markov_path,
    certify_stationary,
    follow_noise,
    solve_stationary,
    stage_value_iteration,
)
from equipoise.equilibria._markov_system import MarkovSystem, Point
from equipoise.equilibria._stage_values import stage_values
from stationary_games import matching_pennies, random_discounted, two_state

CONCEPTS = [
    QRE(3.0),
    QRE(3.0, regularizer_in_value=False),
    RQE(1.0, 0.3),
    RQE((0.0, 2.0), 0.3),
    RQE(1.0, 0.3, regularizer="log_barrier"),
    RQE(1.0, 0.3, penalty="reverse_kl"),
    RQE(1.0, 0.3, form="action_dependent"),
    RQE(1.0, 0.3, form="action_dependent", penalty="reverse_kl"),
    RQE(1.0, 0.3, environment_risk_aversion=0.7),
    RQE(1.0, 0.3, environment_risk_aversion=0.7, environment_penalty="chi2"),
    RQE(1.0, 0.3, environment_risk_aversion=0.7, regularizer_in_value=False),
]


def names(concepts):
    return [concept.name for concept in concepts]


@pytest.mark.parametrize("concept", CONCEPTS, ids=names(CONCEPTS))
def test_newton_and_tangent_are_derivatives_of_the_equations(concept):
    system = MarkovSystem.of(random_discounted(4, (3, 2)), concept)
    rng = np.random.default_rng(1)
    theta = 0.7 * system.end
    start = system.start(theta)
    x = start.x + 0.1 * rng.standard_normal(start.x.shape)
    values = 0.3 * rng.standard_normal(start.values.shape)

    def equations(x, values, theta):
        at = system.parameters(theta)[0]
        stage = system.system(system.lookahead(values))
        rules = system.rules
        worth = stage_values(stage, x, at, rules.regularizer, rules.regularizer_in_value).value
        return np.concatenate([stage.evaluate(x, at).residual.ravel(), (worth - values).ravel()])

    def change(dx, dvalues, dtheta, h=1e-6):
        ahead = equations(x + h * dx, values + h * dvalues, theta + h * dtheta)
        return (ahead - equations(x - h * dx, values - h * dvalues, theta - h * dtheta)) / (2 * h)

    step = system.linearise(Point(x, values, theta))
    np.testing.assert_allclose(
        change(step.newton_x, step.newton_values, 0.0), -equations(x, values, theta), atol=1e-8
    )
    np.testing.assert_allclose(change(step.along_x, step.along_values, 1.0), 0.0, atol=1e-8)


@pytest.mark.parametrize("discount", [0.0, 0.6, 0.99])
@pytest.mark.parametrize(("rule", "cost"), [("entropy", -np.log(2)), ("log_barrier", 2 * np.log(2))])
def test_matching_pennies_for_ever(discount, rule, cost):
    """W5: uniform play, worth -eps nu(uniform)/(1 - discount) to both."""
    found = eqp.solve(matching_pennies(discount), RQE(1.5, 0.4, regularizer=rule))
    np.testing.assert_allclose(found.strategies, 0.5, atol=1e-12)
    np.testing.assert_allclose(found.values, -0.4 * cost / (1 - discount), rtol=1e-10)


@pytest.mark.parametrize("concept", CONCEPTS[:8], ids=names(CONCEPTS[:8]))
def test_without_a_future_every_state_is_its_own_game(concept):
    game = random_discounted(3, (2, 3), discount=0.0, seed=4)
    found = eqp.solve(game, concept)
    for s in range(3):
        alone = eqp.solve(game.stage_game(s, np.zeros((2, 3))), concept)
        for mine, theirs in zip(found.strategies, alone.strategies, strict=True):
            np.testing.assert_allclose(mine[s], theirs, atol=1e-9)
        np.testing.assert_allclose(found.values[:, s], alone.values, atol=1e-9)


def test_states_alike_are_played_alike():
    one = random_discounted(1, (3, 3), discount=0.9, seed=3)
    rng = np.random.default_rng(0)
    kernel = rng.dirichlet(np.ones(4), size=(4, 3, 3))
    four = eqp.MarkovGame(kernel, [np.repeat(r, 4, axis=0) for r in one.rewards], discount=0.9)
    concept = RQE(2.0, 0.2)
    alone, together = eqp.solve(one, concept), eqp.solve(four, concept)
    for mine, theirs in zip(together.strategies, alone.strategies, strict=True):
        np.testing.assert_allclose(mine, np.repeat(theirs, 4, axis=0), atol=1e-10)
    np.testing.assert_allclose(together.values, np.repeat(alone.values, 4, axis=1), rtol=1e-10)


def test_scipy_root_agrees_on_the_two_state_game():
    """The equations written out anew: gamma = .8, tau = 1, eps = .5, KL and entropy."""
    game, tau, eps, discount = two_state(), 1.0, 0.5, 0.8
    kernel, rewards = game.transitions_at(), game.rewards_at()

    def play(logit):
        p = 1 / (1 + np.exp(-logit))
        return np.array([p, 1 - p])

    def parts(z):
        logits, values = z[:4].reshape(2, 2), z[4:].reshape(2, 2)
        misfit, worth = np.zeros((2, 2)), np.zeros((2, 2))
        for s in range(2):
            x = [play(logits[i, s]) for i in range(2)]
            for i in range(2):
                q = rewards[i, s] + discount * kernel[s] @ values[i]
                q = q if i == 0 else q.T
                law = x[1 - i] * np.exp(-tau * (x[i] @ q))
                fear = law / law.sum()
                u = q @ fear
                misfit[i, s] = logits[i, s] - (u[0] - u[1]) / eps
                worth[i, s] = -np.log(law.sum()) / tau - eps * (x[i] * np.log(x[i])).sum()
        return misfit, worth - values

    answer = root(lambda z: np.concatenate([b.ravel() for b in parts(z)]), np.zeros(8), tol=1e-13)
    assert answer.success
    found = eqp.solve(game, RQE(tau, eps))
    np.testing.assert_allclose(found.values, answer.x[4:].reshape(2, 2), atol=1e-9)
    for i in range(2):
        odds = np.log(found.strategies[i][:, 0] / found.strategies[i][:, 1])
        np.testing.assert_allclose(odds, answer.x[:4].reshape(2, 2)[i], atol=1e-9)


@pytest.mark.parametrize("concept", [QRE(4.0), RQE(1.0, 0.25)], ids=["QRE", "RQE"])
def test_a_single_player_solves_a_soft_decision_process(concept):
    game = random_discounted(6, (4,), discount=0.9, seed=5)
    found = eqp.solve(game, concept)
    values = np.zeros(6)
    for _ in range(600):
        q = game.rewards[0] + 0.9 * game.transitions_at() @ values
        values = 0.25 * np.log(np.exp(q / 0.25).sum(axis=1))
    np.testing.assert_allclose(found.values[0], values, rtol=1e-10)
    np.testing.assert_allclose(found.strategies[0], np.exp((q - values[:, None]) / 0.25), atol=1e-9)


@pytest.mark.parametrize("concept", CONCEPTS, ids=names(CONCEPTS))
def test_solved_and_certified_and_found_again_by_value_iteration(concept):
    game = random_discounted(2, (2, 2), discount=0.4, seed=2)
    found = eqp.solve(game, concept)
    assert found.converged
    assert found.branch == "principal"
    assert 0.0 <= found.certificate.lower <= found.certificate.gap < 1e-9
    assert found.residual < 1e-8
    again = stage_value_iteration(game, concept)
    assert again.converged
    np.testing.assert_allclose(found.values, again.values, atol=1e-8)
    # P17: adding a constant to all values adds discount times it, so the ratio cannot stay below it.
    assert again.details["contraction"] > 0.4 - 1e-2


@pytest.mark.parametrize(
    "concept",
    [
        RQE((0.5, 1.0, 0.0), 0.4),
        QRE(2.0),
        pytest.param(RQE(1.0, 1.0, joint_penalty="marginals"), marks=pytest.mark.slow),
    ],
    ids=["joint", "QRE", "marginals"],
)
def test_three_players(concept):
    found = eqp.solve(random_discounted(2, (2, 3, 2), discount=0.5, seed=6), concept)
    assert found.converged
    assert found.certificate.gap < 1e-7
    assert [p.shape for p in found.strategies] == [(2, 2), (2, 3), (2, 2)]


def test_the_quick_way_is_the_principal_branch():
    for seed in range(6):
        game = random_discounted(5, (3, 3), discount=0.95, seed=seed)
        concept = QRE(1.5, regularizer_in_value=bool(seed % 2))
        quick, path = solve_stationary(game, concept), follow_noise(game, concept)
        assert quick.details["method"] == "mutual answers"
        assert path.details["index"] == 1
        np.testing.assert_allclose(quick.values, path.values, rtol=1e-9)
        np.testing.assert_allclose(quick.strategies, path.strategies, atol=1e-8)


def test_large_precision_takes_the_path():
    found = eqp.solve(random_discounted(20, (3, 3), discount=0.95, seed=7), QRE(100.0))
    assert found.converged
    assert found.details["method"] == "path from uniform play"
    assert found.details["index"] in (-1, 1)
    assert found.certificate.gap < 1e-9
    # An entropy bonus of at most eps log A per step is all that separates it from Nash.
    assert found.certificate.nash_gap <= 0.01 * np.log(3) / 0.05 + 1e-9


def test_small_aversion_tends_to_the_logit_equilibrium():
    game = random_discounted(3, (2, 2), discount=0.7, seed=8)
    neutral = eqp.solve(game, QRE(2.0))
    gaps = [
        np.abs(eqp.solve(game, RQE(tau, 0.5)).values - neutral.values).max() for tau in (1e-2, 1e-4, 1e-9)
    ]
    assert gaps[0] < 0.05
    assert gaps[1] < 0.02 * gaps[0]
    assert gaps[2] < 1e-8


@settings(max_examples=4, deadline=None)
@given(scale=st.floats(1e-2, 1e2), seed=st.integers(0, 1000), shift=st.floats(-3, 3))
def test_scaling_rewards_scales_preferences(scale, seed, shift):
    """P3 and P4: (R, tau, eps) -> (sR + k, tau/s, eps s), also aversion to chance."""
    game = random_discounted(2, (2, 2), discount=0.7, seed=seed)
    scaled = eqp.MarkovGame(game.transitions, [scale * r + shift for r in game.rewards], discount=0.7)
    first = eqp.solve(game, RQE(1.0, 0.4, environment_risk_aversion=0.5))
    second = eqp.solve(scaled, RQE(1.0 / scale, 0.4 * scale, environment_risk_aversion=0.5 / scale))
    np.testing.assert_allclose(first.strategies, second.strategies, atol=1e-8)
    # The entropy is worth eps log 2 per step at most, so values scale as rewards do.
    np.testing.assert_allclose(scale * first.values + shift / 0.3, second.values, rtol=1e-8, atol=1e-8)


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1000))
def test_renaming_players_actions_and_states_renames_the_answer(seed):
    game = random_discounted(3, (2, 3), discount=0.8, seed=seed)
    concept = RQE((1.0, 2.0), (0.4, 0.3))
    found = eqp.solve(game, concept)
    order, actions = [2, 0, 1], [1, 2, 0]
    kernel = game.transitions.transpose(0, 2, 1, 3)[order][:, actions][..., order]
    rewards = [game.rewards[i].transpose(0, 2, 1)[order][:, actions] for i in (1, 0)]
    renamed = eqp.solve(eqp.MarkovGame(kernel, rewards, discount=0.8), RQE((2.0, 1.0), (0.3, 0.4)))
    np.testing.assert_allclose(renamed.values, found.values[::-1][:, order], atol=1e-8)
    np.testing.assert_allclose(renamed.strategies[0], found.strategies[1][order][:, actions], atol=1e-8)
    np.testing.assert_allclose(renamed.strategies[1], found.strategies[0][order], atol=1e-8)


def test_certain_transitions_leave_nothing_for_kl_to_fear():
    """P16: KL cannot leave the support; reverse KL and l1 can."""
    rng = np.random.default_rng(0)
    kernel = np.eye(4)[rng.integers(0, 4, size=(4, 2, 2))]
    game = eqp.MarkovGame(kernel, list(rng.random((2, 4, 2, 2))), discount=0.7)
    plain = eqp.solve(game, RQE(1.0, 0.5))
    feared = {
        penalty: eqp.solve(game, RQE(1.0, 0.5, environment_risk_aversion=50.0, environment_penalty=penalty))
        for penalty in ("kl", "reverse_kl")
    }
    np.testing.assert_allclose(feared["kl"].values, plain.values, atol=1e-9)
    assert (feared["reverse_kl"].values < plain.values - 1e-6).all()


@pytest.mark.parametrize("penalty", ["kl", "reverse_kl", "chi2"])
def test_sparse_and_dense_games_agree(penalty):
    rng = np.random.default_rng(3)
    lists = eqp.SuccessorLists(
        np.argsort(rng.random((6, 2, 2, 6)), axis=-1)[..., :3], rng.dirichlet(np.ones(3), size=(6, 2, 2))
    )
    rewards = list(rng.random((2, 6, 2, 2)))
    sparse = eqp.MarkovGame(lists, rewards, discount=0.8)
    dense = eqp.MarkovGame(lists.dense(), rewards, discount=0.8)
    for concept in (
        QRE(1.0),
        QRE(20.0),
        RQE(1.0, 0.3, environment_risk_aversion=0.5, environment_penalty=penalty),
    ):
        one, other = eqp.solve(sparse, concept), eqp.solve(dense, concept)
        np.testing.assert_allclose(one.values, other.values, atol=1e-8)
        np.testing.assert_allclose(one.certificate.nash_gap, other.certificate.nash_gap, atol=1e-8)


def test_iterated_linear_algebra_agrees_with_factorised(monkeypatch):
    rng = np.random.default_rng(4)
    lists = eqp.SuccessorLists(rng.integers(0, 40, (40, 2, 2, 3)), rng.dirichlet(np.ones(3), (40, 2, 2)))
    game = eqp.MarkovGame(lists, list(rng.random((2, 40, 2, 2))), discount=0.9)
    concept = RQE(1.0, 0.3)
    direct = follow_noise(game, concept)
    monkeypatch.setattr("equipoise.equilibria._markov_system.LARGEST_DENSE_SPARSE", 0)
    iterated = follow_noise(game, concept)
    assert iterated.converged
    assert "index" not in iterated.details
    assert direct.details["index"] == 1
    np.testing.assert_allclose(iterated.values, direct.values, rtol=1e-9)


def test_certificate_of_arbitrary_policies_brackets_the_gain():
    """Soft value iteration and the policy's own values, both by brute force."""
    game = random_discounted(4, (3, 2), discount=0.85, seed=9)
    rng = np.random.default_rng(1)
    policies = [rng.dirichlet(np.ones(3), 4), rng.dirichlet(np.ones(2), 4)]
    eps = np.array([0.3, 0.5])
    checked = certify_stationary(game, QRE(tuple(1.0 / eps)), policies)
    gain = []
    for i in range(2):
        kernel = np.einsum("sabt,sb->sat" if i == 0 else "sabt,sa->sbt", game.transitions, policies[1 - i])
        reward = np.einsum("sab,sb->sa" if i == 0 else "sab,sa->sb", game.rewards[i], policies[1 - i])
        own, best = np.zeros(4), np.zeros(4)
        bonus = -eps[i] * (policies[i] * np.log(policies[i])).sum(axis=1)
        for _ in range(400):
            own = (policies[i] * (reward + 0.85 * kernel @ own)).sum(axis=1) + bonus
            best = eps[i] * np.log(np.exp((reward + 0.85 * kernel @ best) / eps[i]).sum(axis=1))
        gain.append((best - own).max())
        np.testing.assert_allclose(checked.values[i], own, rtol=1e-10)
    np.testing.assert_allclose(checked.certificate.gap_per_player, gain, rtol=1e-8)
    assert checked.certificate.lower <= max(gain) + 1e-12
    assert checked.certificate.lower > 0.99 * max(gain)


@pytest.mark.parametrize("concept", CONCEPTS[2:], ids=names(CONCEPTS[2:]))
def test_certificate_of_a_risk_averse_player_is_tight(concept):
    game = random_discounted(3, (3, 2), discount=0.8, seed=10)
    checked = certify_stationary(game, concept, [np.full((3, 3), 1 / 3), np.full((3, 2), 0.5)])
    assert 0.0 < checked.certificate.lower <= checked.certificate.gap
    assert checked.certificate.gap - checked.certificate.lower < 1e-4 * checked.certificate.gap


def test_a_path_cut_short_is_flagged(monkeypatch):
    monkeypatch.setattr(_markov_path, "MAX_SOLVES", 5)
    game = random_discounted(4, (3, 3), seed=11)
    found = eqp.solve(game, RQE(2.0, 0.05), throw=False)
    assert not found.converged
    assert "lost at" in found.status
    assert found.certificate.gap > 1e-3
    with pytest.raises(eqp.NotConvergedError, match="did not converge"):
        eqp.solve(game, RQE(2.0, 0.05))


def test_what_cannot_be_asked():
    game = two_state()
    with pytest.raises(ValueError, match="Risk-averse Nash"):
        eqp.solve(game, RQE(1.0, 0.0))
    finite = eqp.MarkovGame(game.transitions, game.rewards, horizon=3)
    with pytest.raises(ValueError, match="horizon 3"):
        solve_stationary(finite, QRE(1.0))
    with pytest.raises(ValueError, match="bounded_rationality > 0"):
        follow_noise(game, replace(RQE(0.0, 0.0)))
    with pytest.raises(TypeError, match="no solver for discounted games"):
        eqp.solve(game, eqp.Security())


@pytest.mark.peer
@pytest.mark.parametrize("precision", [1.0, 10.0])
@pytest.mark.parametrize("seed", range(3))
def test_sgamesolver_agrees(monkeypatch, precision, seed):
    """Its values leave the entropy out; it was written for an older NumPy."""
    for name, value in {"product": np.prod, "NaN": np.nan, "Inf": np.inf}.items():
        monkeypatch.setattr(np, name, value, raising=False)
    sgamesolver = pytest.importorskip("sgamesolver")
    game = random_discounted(4, (3, 2), discount=0.95, seed=seed)
    rewards, kernel = game.rewards_at(), game.transitions_at()
    theirs = sgamesolver.SGame([rewards[:, s] for s in range(4)], list(kernel), 0.95)
    homotopy = sgamesolver.homotopy.QRE(theirs)
    homotopy.solver_setup(target_lambda=precision)
    homotopy.solver.set_parameters(convergence_tol=1e-11, corrector_tol=1e-11)
    homotopy.solver.verbose = 0
    homotopy.solve()
    strategies, values = np.array(homotopy.equilibrium.strategies), np.array(homotopy.equilibrium.values)
    ours = eqp.solve(game, QRE(precision, regularizer_in_value=False))
    for i, count in enumerate(game.num_actions):
        np.testing.assert_allclose(ours.strategies[i], strategies[:, i, :count], atol=1e-6)
    np.testing.assert_allclose(ours.values, values.T, rtol=1e-6)
