"""Exact equilibria with rectangular sets: certificates, limits, selections, bounds on every equilibrium."""

import numpy as np
import pytest

import equipoise as eqp
from equipoise.equilibria import RectangularEquilibrium, RobustPolicy, Uncertainty, robust_evaluation
from equipoise.equilibria._entropy_selection import MaximumEntropy
from equipoise.equilibria.rectangular import advised_deviation_values
from equipoise.games import MarkovGame, NormalFormGame, named_markov_game, random_markov_game
from robust_plays import RADII


def game_of(seed, actions=(2, 3)):
    return random_markov_game(3, actions, horizon=2, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("equilibrium", ["cce", "ce", "nash"])
@pytest.mark.parametrize("name", list(RADII))
def test_nobody_gains_by_deviating(name, equilibrium):
    solution = eqp.solve(named_markov_game(name), RectangularEquilibrium(RADII[name], equilibrium))
    assert solution.certificate.gap < 1e-9
    assert solution.joint.reshape(*solution.joint.shape[:2], -1).sum(axis=-1) == pytest.approx(1.0)


def test_without_doubt_it_is_the_equilibrium_of_every_stage():
    game = game_of(1)
    solution = eqp.solve(game, RectangularEquilibrium(0.0))
    later = [
        eqp.solve(NormalFormGame(game.rewards_at(1)[:, s]), eqp.CoarseCorrelatedEquilibrium()).values
        for s in range(3)
    ]
    np.testing.assert_allclose(solution.details["values"][1], np.transpose(later), atol=1e-8)


def test_one_player_is_a_robust_decision():
    rng = np.random.default_rng(2)
    game = MarkovGame(rng.dirichlet(np.ones(3), (3, 4)), [rng.random((3, 4))], horizon=3)
    one = eqp.solve(game, RectangularEquilibrium(0.2))
    np.testing.assert_allclose(one.values, eqp.solve(game, RobustPolicy(0.2)).values, atol=1e-9)


def test_three_players():
    game = game_of(3, (2, 2, 2))
    solution = eqp.solve(game, RectangularEquilibrium([0.1, 0.2, 0.3], "ce", "maxmin"))
    assert solution.certificate.gap < 1e-9


def test_selections_do_what_they_say_at_the_last_stage():
    game = game_of(4, (3, 3))
    found = {
        s: eqp.solve(game, RectangularEquilibrium(0.1, "cce", s)) for s in ("welfare", "maxmin", "entropy")
    }
    last = {s: one.details["values"][1] for s, one in found.items()}
    entropy = {
        s: -np.sum(x.joint[1] * np.log(np.maximum(x.joint[1], 1e-300)), axis=(1, 2)) for s, x in found.items()
    }
    for other in ("maxmin", "entropy"):
        assert (last["welfare"].sum(axis=0) >= last[other].sum(axis=0) - 1e-7).all()
    for other in ("welfare", "entropy"):
        assert (last["maxmin"].min(axis=0) >= last[other].min(axis=0) - 1e-7).all()
    for other in ("welfare", "maxmin"):
        assert (entropy["entropy"] >= entropy[other] - 1e-6).all()


def test_advised_deviations_gain_at_least_as_much_as_fixed_ones():
    rng = np.random.default_rng(5)
    game = game_of(5)
    joint = rng.dirichlet(np.ones(6), (2, 3)).reshape(2, 3, 2, 3)
    doubt = Uncertainty([0.1, 0.2])
    fixed = robust_evaluation(game, joint, doubt, "rectangular").deviation_values
    assert (advised_deviation_values(game, joint, doubt) >= fixed - 1e-12).all()


def test_maximum_entropy_of_matching_pennies_is_uniform_and_of_a_dominated_game_pure():
    pennies = np.array([[1.0, -1.0], [-1.0, 1.0]])
    for recommended in (False, True):
        found = MaximumEntropy(recommended).find(NormalFormGame([pennies, -pennies]))
        np.testing.assert_allclose(found.joint, 0.25, atol=1e-8)
    prisoners = np.array([[3.0, 0.0], [5.0, 1.0]])
    found = MaximumEntropy().find(NormalFormGame([prisoners, prisoners.T]))
    assert found.joint[1, 1] == pytest.approx(1.0, abs=1e-6)


def test_bad_input_is_refused():
    for field in ("equilibrium", "select"):
        with pytest.raises((ValueError, TypeError), match=field):
            RectangularEquilibrium(0.1, **{field: "best"})
    endless = random_markov_game(2, (2, 2), discount=0.9, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="horizon=H"):
        eqp.solve(endless, RectangularEquilibrium(0.1))
