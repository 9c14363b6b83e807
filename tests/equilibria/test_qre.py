"""Logit QRE: closed forms, scalar equations, published predictions, and errors."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit, logit, softmax

from equipoise.equilibria._solution import solve
from equipoise.equilibria.nash import Nash
from equipoise.equilibria.qre import QRE
from equipoise.equilibria.rqe import RQE
from equipoise.games import NormalFormGame, named_game, random_game, reference_concepts
from quantal_reference import stationary_profile

PENNIES = named_game("matching-pennies")


def distance(first, second):
    return max(np.abs(a - b).max() for a, b in zip(first, second, strict=True))


def scalar_equilibrium(game, precision):
    """(p, q) of a 2x2 game with one QRE: logit p = lambda (gain of the first action), one bracketed root."""
    row, column = game.own_first(0), game.own_first(1)

    def response(payoffs, other):
        gains = payoffs[0] - payoffs[1]
        return expit(precision * (gains @ [other, 1.0 - other]))

    p = brentq(lambda p: response(row, response(column, p)) - p, 0.0, 1.0, xtol=1e-15)
    return p, response(column, p)


class TestClosedForms:
    @pytest.mark.parametrize("precision", [0.1, 1.0, 30.0])
    def test_decisions_are_logit(self, precision):
        game = NormalFormGame([[0.3, -0.2, 0.9]])
        np.testing.assert_allclose(
            solve(game, QRE(precision)).strategies[0], softmax(precision * game.payoffs[0]), rtol=1e-11
        )

    @pytest.mark.parametrize("precision", [1e-3, 1.0, 20.0])
    def test_dominance_solvable_prisoners_dilemma(self, precision):
        # [[3, 0], [5, 1]]: the gain of defecting is 1 + (share of cooperators).
        solution = solve(NormalFormGame([[[3.0, 0.0], [5.0, 1.0]], [[3.0, 5.0], [0.0, 1.0]]]), QRE(precision))
        c = brentq(lambda c: logit(c) + precision * (1.0 + c), 1e-300, 1.0 - 1e-12, xtol=1e-300)
        np.testing.assert_allclose([s[0] for s in solution.strategies], c, rtol=1e-9)

    def test_coordination_leaves_uniform_play_at_the_pitchfork(self):
        # p = expit(lambda (2 p - 1)): slope lambda/2 at p = 1/2, so the pitchfork is at lambda = 2.
        game = NormalFormGame([np.eye(2), np.eye(2)])
        before, after = solve(game, QRE(1.9)), solve(game, QRE(2.1))
        for solution in (before, after):
            np.testing.assert_allclose(np.concatenate(solution.strategies), 0.5, atol=1e-10)
        assert (before.details["index"], before.details["bifurcated"]) == (1, False)
        assert (after.details["index"], after.details["bifurcated"]) == (-1, True)

    def test_zero_precision_is_uniform_play(self):
        solution = solve(random_game((3, 2, 4), np.random.default_rng(0)), QRE(0.0))
        for strategy in solution.strategies:
            np.testing.assert_allclose(strategy, 1.0 / len(strategy), rtol=1e-12)

    def test_values_are_payoffs_plus_entropy(self):
        game = random_game((3, 3), np.random.default_rng(2))
        solution = solve(game, QRE(2.0))
        entropy = [-(s @ np.log(s)) for s in solution.strategies]
        expected = game.expected_payoffs(solution.strategies) + np.array(entropy) / 2.0
        np.testing.assert_allclose(solution.values, expected, rtol=1e-10)


class TestAgainstScalarEquations:
    @pytest.mark.parametrize("k", range(1, 13))
    def test_selten_chmura_games(self, k):
        game = named_game(f"selten-chmura-{k}")
        for precision in (0.2, 1.0, 10.0):
            p, q = scalar_equilibrium(game, precision)
            solution = solve(game, QRE(precision))
            np.testing.assert_allclose([s[0] for s in solution.strategies], [p, q], atol=1e-11)
            assert solution.branch == "the equilibrium"

    def test_published_predictions_at_the_best_common_precision(self):
        (reference,) = (r for r in reference_concepts() if r.name == "logit QRE")
        assert reference.parameter == "lambda = 1.047"
        found = [
            [s[0] for s in solve(named_game(f"selten-chmura-{k}"), QRE(1.047)).strategies]
            for k in range(1, 13)
        ]
        np.testing.assert_allclose(found, reference.predictions, atol=6e-4)


class TestAgainstStationarity:
    @pytest.mark.parametrize("shape", [(4, 5), (2, 3, 2), (2, 2, 2, 2)])
    def test_roots_agree_with_unequal_precisions(self, shape):
        rng = np.random.default_rng(shape)
        game = random_game(shape, rng)
        precision = tuple(rng.uniform(0.3, 3.0, len(shape)))
        solution = solve(game, QRE(precision))
        root = stationary_profile(game, RQE(0.0, tuple(1.0 / p for p in precision)), solution.strategies)
        assert distance(root, solution.strategies) < 1e-10
        for i, strategy in enumerate(solution.strategies):
            response = softmax(precision[i] * game.deviation_payoffs(i, solution.strategies))
            np.testing.assert_allclose(strategy, response, atol=1e-11)


class TestLimits:
    @pytest.mark.parametrize("key", ["stag-hunt", "prisoners-dilemma", "three-by-two", "selten-chmura-2"])
    def test_high_precision_is_nearly_nash(self, key):
        game = named_game(key)
        game = game.scaled(1.0 / game.payoff_ranges().max())
        gaps = [solve(game, QRE(precision)).certificate.nash_gap for precision in (10.0, 100.0, 1000.0)]
        assert gaps[2] <= gaps[1] <= gaps[0]
        # A logit player loses at most log(actions)/lambda.
        assert gaps[2] <= sum(np.log(count) for count in game.num_actions) / 1000.0

    def test_unique_mixed_equilibrium_is_reached(self):
        game = named_game("selten-chmura-5")
        nash = solve(game, Nash()).strategies
        assert distance(solve(game, QRE(1e4)).strategies, nash) < 1e-3

    def test_stag_hunt_selects_the_risk_dominant_action(self):
        # Stag is payoff-dominant, hare risk-dominant: the principal branch ends at hare.
        solution = solve(named_game("stag-hunt"), QRE(20.0))
        assert solution.strategies[0][1] > 0.99

    def test_payoff_units_and_levels(self):
        game = random_game((3, 4), np.random.default_rng(5))
        base = solve(game, QRE(2.0))
        rescaled = solve(game.scaled((1e3, 1e-3), (7.0, -2.0)), QRE((2e-3, 2e3)))
        assert distance(base.strategies, rescaled.strategies) < 1e-10


class TestNames:
    def test_noise_and_precision_are_inverse(self):
        assert QRE.from_bounded_rationality(0.25) == QRE(4.0)
        assert QRE.from_bounded_rationality((0.5, 2.0)) == QRE((2.0, 0.5))
        game = random_game((2, 3), np.random.default_rng(3))
        same = solve(game, QRE.from_bounded_rationality((0.5, 2.0))), solve(game, RQE(0.0, (0.5, 2.0)))
        assert distance(same[0].strategies, same[1].strategies) < 1e-12

    def test_name_and_concept(self):
        solution = solve(PENNIES, QRE(2.0))
        assert solution.concept == QRE(2.0)
        assert QRE((1.0, 2.0)).name == "QRE(lambda=(1, 2))"
        assert "QRE(lambda=2)" in solution.certificate.concept


class TestRefusals:
    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: QRE(-1.0), "precision must be zero or positive, got -1; larger means more rational"),
            (lambda: QRE(float("nan")), "precision must be zero or positive, got nan"),
            (
                lambda: QRE(float("inf")),
                "precision must be finite; its limit at infinity is a Nash equilibrium",
            ),
            (lambda: QRE((1.0, -3.0)), "got -3"),
            (lambda: QRE(()), "precision must be a number or one number per player"),
            (lambda: QRE.from_bounded_rationality(0.0), "bounded_rationality must be positive for a QRE"),
            (lambda: QRE.from_bounded_rationality(-0.1), "bounded_rationality must be zero or positive"),
            (
                lambda: solve(PENNIES, QRE((1.0, 2.0, 3.0))),
                "precision has 3 entries but the game has 2 players",
            ),
        ],
    )
    def test_bad_values(self, make, message):
        with pytest.raises(ValueError, match=message):
            make()

    def test_class_instead_of_instance(self):
        with pytest.raises(TypeError, match="must be an instance"):
            solve(PENNIES, QRE)
