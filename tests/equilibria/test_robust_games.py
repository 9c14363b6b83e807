"""Robust CCE with fictitious sets: exactness, limits, certificates apart from the solver, warnings."""

import warnings

import numpy as np
import pytest

import equipoise as eqp
from equipoise.equilibria import RepresentationWarning, RobustCCE, Uncertainty, robust_evaluation
from equipoise.equilibria._polish import polished_weights
from equipoise.games import MarkovGame, named_markov_game, random_markov_game
from robust_plays import RADII


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RepresentationWarning)
        yield


@pytest.mark.parametrize("name", list(RADII))
def test_solve_reaches_an_exact_equilibrium(name):
    solution = eqp.solve(named_markov_game(name), RobustCCE(RADII[name], rounds=300))
    assert solution.certificate.gap < 1e-9
    assert solution.residual < 1e-12
    again = robust_evaluation(solution.game, solution.details["play"], Uncertainty(RADII[name]))
    np.testing.assert_array_equal(again.values[0], solution.values)
    assert "pure profiles" in solution.details["decomposition"]


def test_the_plain_algorithm_values_its_mixture_exactly_and_gaps_fall_with_rounds():
    game = named_markov_game("toy-3")
    found = [
        eqp.solve(game, RobustCCE(RADII["toy-3"], rounds=k, polish="none"), throw=False)
        for k in (30, 300, 3000)
    ]
    gaps = [one.certificate.gap for one in found]
    assert gaps[0] > 2 * gaps[1] > 4 * gaps[2] > 0
    assert not found[0].converged
    assert "raise rounds" in found[0].status
    assert max(one.residual for one in found) < 1e-11


@pytest.mark.parametrize("name", list(RADII))
def test_polishing_is_never_worse(name):
    game = named_markov_game(name)
    gaps = {
        polish: eqp.solve(
            game, RobustCCE(RADII[name], rounds=300, polish=polish), throw=False
        ).certificate.gap
        for polish in ("none", "weights", "exact")
    }
    assert gaps["exact"] <= gaps["weights"] <= gaps["none"]


def test_polished_weights_keep_learnt_components_where_they_can():
    gains = np.array([[1.0, -1.0, -5.0], [-1.0, 0.5, -5.0]])
    weights = polished_weights(gains, np.array([0.9, 0.1, 0.0]), 2)
    assert (gains @ weights <= 1e-9).all()
    assert weights[:2].sum() == pytest.approx(1.0)
    stubborn = np.array([[1.0, 0.2], [1.0, 0.3]])
    np.testing.assert_allclose(polished_weights(stubborn, np.array([1.0, 0.0]), 2), [0.0, 1.0], atol=1e-9)


def test_without_doubt_all_evaluations_agree():
    solution = eqp.solve(named_markov_game("toy-3"), RobustCCE(0.0, rounds=300), throw=False)
    gaps = [one.gap for one in solution.details["evaluations"].values()]
    np.testing.assert_allclose(gaps, gaps[0], atol=1e-9)


def test_one_player_learns_the_robust_policy():
    rng = np.random.default_rng(0)
    game = MarkovGame(rng.dirichlet(np.ones(3), (3, 4)), [rng.random((3, 4))], horizon=3)
    best = eqp.solve(game, eqp.RobustPolicy(0.2)).values
    np.testing.assert_allclose(eqp.solve(game, RobustCCE(0.2, rounds=50)).values, best, atol=1e-9)


def test_three_players_with_a_single_action_among_them():
    game = random_markov_game(2, (2, 1, 3), horizon=2, rng=np.random.default_rng(1))
    solution = eqp.solve(game, RobustCCE([0.1, 0.2, 0.3], rounds=50))
    assert solution.certificate.gap < 1e-9
    assert solution.certificate.gap_per_player.shape == (3,)


def test_shifting_and_scaling_rewards_changes_nothing_about_play():
    game = named_markov_game("toy-2")
    other = MarkovGame(game.transitions, [7.0 * r - 3.0 for r in game.rewards], horizon=2)
    one, two = (
        eqp.solve(g, RobustCCE([0.2, 0.3], rounds=50, polish="none"), throw=False) for g in (game, other)
    )
    np.testing.assert_allclose(one.joint, two.joint, atol=1e-9)
    assert two.certificate.gap == pytest.approx(7 * one.certificate.gap)


def test_rectangular_sets_have_an_exact_answer():
    solution = eqp.solve(named_markov_game("toy-3"), RobustCCE(RADII["toy-3"], sets="rectangular"))
    assert solution.certificate.gap < 1e-9
    assert solution.details["decomposition"] == "pure profiles"


def test_other_divergences_follow_the_same_algorithm():
    game = named_markov_game("toy-2")
    concept = RobustCCE(0.1, divergence="chi2", rounds=60)
    solution = eqp.solve(game, concept)
    assert solution.certificate.gap < 1e-9
    assert solution.residual < 1e-8


def test_gaps_that_depend_on_the_mixing_are_told():
    game = named_markov_game("toy-3")
    with pytest.warns(RepresentationWarning, match="as a mixture"):
        RobustCCE(RADII["toy-3"], rounds=100, divergence="kl").find_markov(game)


def test_joint_evaluation_is_certified_as_such():
    solution = eqp.solve(
        named_markov_game("toy-3"), RobustCCE(RADII["toy-3"], evaluation="joint", rounds=300), throw=False
    )
    joint = solution.details["evaluations"]["joint"]
    assert solution.certificate.gap == max(joint.gap, 0.0)
    np.testing.assert_array_equal(solution.values, joint.values[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"radius": 1.5}, "radius = 1.5"),
        ({"radius": -0.5}, "radius sigma"),
        ({"rounds": 1}, "rounds = 1"),
        ({"step_constant": 0.0}, "step_constant"),
        ({"accuracy": -1.0}, "accuracy"),
        ({"sets": "round"}, "sets"),
        ({"evaluation": "rectangular"}, "evaluation"),
        ({"polish": "shiny"}, "polish"),
    ],
)
def test_bad_input_is_refused_by_name(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        RobustCCE(**{"radius": 0.1, **arguments})


def test_games_without_a_horizon_and_wrong_radii_are_refused():
    endless = random_markov_game(2, (2, 2), discount=0.9, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="horizon=H"):
        eqp.solve(endless, RobustCCE(0.1))
    with pytest.raises(ValueError, match="one per player"):
        eqp.solve(named_markov_game("toy-2"), RobustCCE([0.1, 0.1, 0.1]))
