"""RQE: closed forms, limits, an independent solver, and what it refuses."""

import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit, logit

from equipoise.equilibria._branch import from_guess, stack
from equipoise.equilibria._solution import solve
from equipoise.equilibria.nash import Nash
from equipoise.equilibria.qre import QRE
from equipoise.equilibria.rqe import RQE
from equipoise.equilibria.security import Security
from equipoise.games import NormalFormGame, named_game, random_game, two_robot_game
from quantal_reference import Reference, exploitability, stationary_profile

PENALTIES = ("kl", "reverse_kl")
REGULARIZERS = ("entropy", "log_barrier")
FORMS = ("aggregate", "action_dependent")
KINDS = [
    *product(PENALTIES, REGULARIZERS, FORMS, ["joint"]),
    *product(["l1"], REGULARIZERS, ["action_dependent"], ["joint"]),
    *product(["kl"], REGULARIZERS, ["aggregate"], ["marginals"]),
]
SMOOTH = [kind for kind in KINDS if kind[0] != "l1" and kind[3] == "joint"]
PENNIES = NormalFormGame([[[1.0, -1.0], [-1.0, 1.0]], [[-1.0, 1.0], [1.0, -1.0]]])


def distance(first, second):
    return max(np.abs(a - b).max() for a, b in zip(first, second, strict=True))


class TestClosedForms:
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_dominant_action_by_one_unit_of_noise(self, kind):
        # The row's payoffs do not depend on the column: p drops out and pi solves u/eps = nu'(pi) + const.
        eps = 0.37
        game = NormalFormGame([[[eps, eps], [0.0, 0.0]], [[1.0, -2.0], [0.5, 3.0]]])
        solution = solve(game, RQE((2.0, 0.7), (eps, 0.2), *kind))
        golden = (np.sqrt(5.0) - 1.0) / 2.0
        expected = golden if kind[1] == "log_barrier" else 1.0 / (1.0 + np.exp(-1.0))
        np.testing.assert_allclose(solution.strategies[0], [expected, 1.0 - expected], rtol=1e-13)

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("key", ["matching-pennies", "rock-paper-scissors", "shapley"])
    def test_cyclic_games_are_played_uniformly(self, kind, key):
        game = named_game(key)
        solution = solve(game, RQE(3.0, 0.1, *kind))
        for strategy, count in zip(solution.strategies, game.num_actions, strict=True):
            np.testing.assert_allclose(strategy, 1.0 / count, atol=1e-10)
        nu = {"entropy": -np.log(count), "log_barrier": count * np.log(count)}[kind[1]]
        if kind[2] == "aggregate":  # uniform play hides the other's choice: no risk is left
            mean = game.expected_payoffs([np.full(c, 1.0 / c) for c in game.num_actions])
            np.testing.assert_allclose(solution.values, mean - 0.1 * nu, atol=1e-10)

    def test_action_dependent_value_of_matching_pennies_is_its_certainty_equivalent(self):
        tau, eps = 2.5, 0.3
        solution = solve(PENNIES, RQE(tau, eps, form="action_dependent"))
        expected = -np.log(np.cosh(tau)) / tau + eps * np.log(2.0)
        np.testing.assert_allclose(solution.values, expected, rtol=1e-12)

    def test_one_player_plays_the_quantal_response(self):
        game = NormalFormGame([[1.0, 3.0, 2.5]])
        logits = np.exp(game.payoffs[0] / 0.4)
        solution = solve(game, RQE(5.0, 0.4))
        np.testing.assert_allclose(solution.strategies[0], logits / logits.sum(), rtol=1e-12)
        assert "single player" in solution.status

    @pytest.mark.parametrize("kind", KINDS)
    def test_games_without_stakes_or_choice(self, kind):
        flat = solve(NormalFormGame(np.full((2, 2, 3), 7.0)), RQE(4.0, 0.5, *kind))
        np.testing.assert_allclose(flat.strategies[1], 1.0 / 3.0, atol=1e-12)
        lone = solve(NormalFormGame([[[2.0, 1.0, 0.0]], [[0.0, 1.0, 5.0]]]), RQE(4.0, 0.5, *kind))
        np.testing.assert_array_equal(lone.strategies[0], [1.0])


class TestVolunteersGame:
    """Collaborate or defect: one volunteer is enough, at a cost kappa (Qu et al. 2026, example 4.2)."""

    game = named_game("collaborate-or-defect")
    kappa, eps = 0.4, 0.2

    def response(self, partner, tau):
        """P(collaborate) from the scalar equations of the player and its KL adversary."""

        def excess(own):
            p = expit(logit(partner) - tau * (1.0 - own))
            return 1.0 - self.kappa - p - self.eps * logit(own)

        return brentq(excess, 1e-12, 1.0 - 1e-12, xtol=1e-15)

    def symmetric(self, tau):
        return brentq(lambda a: self.response(a, tau) - a, 1e-9, 1.0 - 1e-9, xtol=1e-15)

    def excess_at_pitchfork(self, tau):
        a = self.symmetric(tau)
        p = expit(logit(a) - tau * (1.0 - a))
        return p * (1.0 - p) * (1.0 - tau * a * (1.0 - a)) - self.eps

    def test_catalogue_game_is_the_one_of_the_equations(self):
        np.testing.assert_allclose(self.game.own_first(0), [[0.6, 0.6], [1.0, 0.0]])
        np.testing.assert_allclose(self.game.own_first(1), [[0.6, 0.6], [1.0, 0.0]])

    @pytest.mark.parametrize("tau", [0.0, 0.3, 1.0, 3.0, 20.0])
    def test_symmetric_branch_solves_the_scalar_equations(self, tau):
        solution = solve(self.game, RQE(tau, self.eps))
        a = self.symmetric(tau)
        np.testing.assert_allclose([s[0] for s in solution.strategies], a, rtol=1e-10)
        p = solution.details["adversaries"][0][0]
        np.testing.assert_allclose(logit(p), logit(a) - tau * (1.0 - a), rtol=1e-9)

    def test_collaboration_rises_with_risk_aversion(self):
        shares = [solve(self.game, RQE(tau, self.eps)).strategies[0][0] for tau in (0, 0.5, 1, 2, 5, 20, 100)]
        assert (np.diff(shares) > 0.0).all()

    def test_index_turns_where_the_pitchfork_identity_says(self):
        critical = brentq(self.excess_at_pitchfork, 1e-6, 3.0, xtol=1e-13)
        below, above = (
            solve(self.game, RQE(t, self.eps)).details for t in (0.99 * critical, 1.01 * critical)
        )
        assert (below["index"], above["index"]) == (-1, 1)
        assert below["bifurcated"]

        def count(tau):
            grid = expit(np.linspace(-12.0, 12.0, 801))
            twice = np.array([self.response(self.response(a, tau), tau) - a for a in grid])
            return int((twice[:-1] * twice[1:] < 0.0).sum())

        # 801 points put one on neither root: 3 equilibria below, 1 above.
        assert (count(0.9 * critical), count(1.1 * critical)) == (3, 1)

    def test_free_riding_shrinks_with_risk_aversion_and_ends_at_the_pitchfork(self):
        critical = brentq(self.excess_at_pitchfork, 1e-6, 3.0, xtol=1e-13)
        degrees = []
        shares = [np.array([[0.95], [0.05]]), np.array([[0.05], [0.95]])]
        for tau in np.array([0.0, 0.5, 0.9, 0.99, 0.9999]) * critical:
            concept = RQE(float(tau), self.eps)
            batch = stack([p[None] for p in self.game.payoffs], *concept.parameters(2), concept.rules)
            found = from_guess(batch, shares)
            assert found.arrived[0]
            a, b = found.strategies[0][0, 0], found.strategies[1][0, 0]
            np.testing.assert_allclose([self.response(b, tau), self.response(a, tau)], [a, b], atol=1e-9)
            degrees.append(self.kappa * abs(a - b))
            shares = list(found.strategies)
        assert (np.diff(degrees) < 0.0).all()
        assert degrees[0] > 0.2
        # A pitchfork closes like a square root.
        np.testing.assert_allclose(degrees[3] / degrees[4], 10.0, rtol=0.1)


class TestTwoRobots:
    """The quadratic game with normal strategies: m = target/(3 - tau eps/2), variance eps/2."""

    @pytest.mark.parametrize("product_", [0.5, 1.0, 1.5])
    def test_grid_reproduces_the_normal_equilibrium(self, product_):
        eps, mean = 0.1, 1.0 / (3.0 - product_ / 2.0)
        grid = np.linspace(mean - 2.0, mean + 2.0, 33) + 0.013  # not symmetric about the answer
        strategy = solve(two_robot_game(grid), RQE(product_ / eps, eps)).strategies[0]
        found = strategy @ grid
        assert abs(found - mean) < 3e-5
        assert abs(strategy @ (grid - found) ** 2 - eps / 2.0) < 1e-6
        printed = 1.0 / (3.0 - product_)  # without the factor 1/2
        assert abs(found - printed) > 100 * abs(found - mean)

    def test_grid_error_falls_as_the_grid_refines(self):
        mean = 1.0 / 2.5
        errors = []
        for points in (7, 9, 13):
            grid = np.linspace(mean - 2.0, mean + 2.0, points) + 0.05
            strategy = solve(two_robot_game(grid), RQE(10.0, 0.1)).strategies[0]
            errors.append(abs(strategy @ grid - mean))
        assert errors[0] > 3 * errors[1] > 9 * errors[2]


class TestIndependentSolver:
    """Roots of the stationarity conditions and direct minimisation, both written from the definition."""

    @pytest.mark.parametrize("kind", SMOOTH)
    @pytest.mark.parametrize("shape", [(2, 2), (3, 4), (2, 3, 2)])
    def test_stationarity_conditions_have_the_same_root(self, kind, shape):
        rng = np.random.default_rng([*shape, *map(ord, "".join(kind))])
        players = len(shape)
        game = random_game(shape, rng)
        concept = RQE(tuple(rng.uniform(0.3, 3.0, players)), tuple(rng.uniform(0.2, 1.0, players)), *kind)
        solution = solve(game, concept)
        start = [s * np.exp(0.05 * rng.standard_normal(len(s))) for s in solution.strategies]
        root = stationary_profile(game, concept, [s / s.sum() for s in start])
        assert distance(root, solution.strategies) < 1e-8

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("shape", [(2, 3), (2, 2, 3)])
    def test_nobody_gains_by_brute_force(self, kind, shape):
        rng = np.random.default_rng([*shape, *map(ord, "".join(kind))])
        game = random_game(shape, rng)
        players = len(shape)
        concept = RQE(tuple(rng.uniform(0.3, 3.0, players)), tuple(rng.uniform(0.2, 1.0, players)), *kind)
        solution = solve(game, concept)
        accuracy = 1e-8 if kind[3] == "marginals" else 1e-9
        assert np.abs(exploitability(game, concept, solution.strategies)).max() < accuracy
        for i, strategy in enumerate(solution.strategies):
            problem = Reference.of(game, concept, solution.strategies, i)
            np.testing.assert_allclose(problem.best()[1], strategy, atol=1e-7)
            np.testing.assert_allclose(problem.utility(strategy), solution.values[i], atol=accuracy)

    @pytest.mark.parametrize("kind", SMOOTH)
    def test_some_players_risk_neutral(self, kind):
        game = random_game((3, 2), np.random.default_rng(4))
        concept = RQE((0.0, 2.0), (0.4, 0.3), *kind)
        solution = solve(game, concept)
        assert distance(stationary_profile(game, concept, solution.strategies), solution.strategies) < 1e-8
        assert np.abs(exploitability(game, concept, solution.strategies)).max() < 1e-9

    @pytest.mark.parametrize("regularizer", REGULARIZERS)
    def test_joint_and_marginal_penalties_agree_when_payoffs_add_up_over_opponents(self, regularizer):
        rng = np.random.default_rng(11)
        own = [rng.standard_normal((2, 2)) for _ in range(6)]
        # Player i gets the sum of two-player payoffs against each opponent.
        tensors = [
            own[0][:, :, None] + own[1][:, None, :],
            own[2].T[:, :, None] + own[3][None, :, :],
            own[4].T[:, None, :] + own[5].T[None, :, :],
        ]
        game = NormalFormGame(tensors)
        joint, apart = (
            solve(game, RQE(2.0, 0.3, "kl", regularizer, joint_penalty=form))
            for form in ("joint", "marginals")
        )
        assert distance(joint.strategies, apart.strategies) < 1e-7
        np.testing.assert_allclose(joint.values, apart.values, atol=1e-7)

    def test_joint_and_marginal_penalties_differ_in_general(self):
        game = random_game((2, 2, 2), np.random.default_rng(3))
        joint, apart = (solve(game, RQE(2.0, 0.3, joint_penalty=form)) for form in ("joint", "marginals"))
        assert distance(joint.strategies, apart.strategies) > 1e-3


class TestLimits:
    @pytest.mark.parametrize("kind", [k for k in KINDS if k[1] == "entropy"])
    def test_without_risk_aversion_it_is_logit_qre(self, kind):
        game = random_game((3, 2, 2), np.random.default_rng(8))
        logit_qre = solve(game, QRE(2.5))
        assert distance(solve(game, RQE(0.0, 0.4, *kind)).strategies, logit_qre.strategies) < 1e-12

    @pytest.mark.parametrize("kind", SMOOTH)
    def test_slight_risk_aversion_is_a_slight_change(self, kind):
        game = random_game((3, 2, 2), np.random.default_rng(8))
        neutral = solve(game, RQE(0.0, 0.4, *kind))
        near, nearer = (
            distance(solve(game, RQE(tau, 0.4, *kind)).strategies, neutral.strategies) for tau in (1e-3, 1e-5)
        )
        assert 95 < near / nearer < 105

    @pytest.mark.parametrize("kind", SMOOTH)
    def test_tiny_risk_aversion_loses_no_accuracy(self, kind):
        game = random_game((3, 2, 2), np.random.default_rng(8))
        neutral = solve(game, RQE(0.0, 0.4, *kind))
        tiny = RQE(1e-9, 0.4, *kind).find(game)
        assert distance(tiny.strategies, neutral.strategies) < 1e-8
        assert tiny.converged

    @pytest.mark.parametrize("kind", SMOOTH)
    def test_large_noise_is_uniform_play(self, kind):
        game = random_game((3, 4), np.random.default_rng(5))
        solution = solve(game, RQE(1.0, 1e5, *kind))
        assert distance(solution.strategies, [np.full(3, 1 / 3), np.full(4, 0.25)]) < 1e-4

    def test_small_noise_without_risk_aversion_approaches_nash(self):
        game = named_game("selten-chmura-3")
        nash = solve(game, Nash())
        errors = [
            distance(solve(game, RQE(0.0, eps)).strategies, nash.strategies) for eps in (0.1, 0.01, 1e-3)
        ]
        assert errors[1] < errors[0] / 5
        assert errors[2] < 3e-4

    # In this game security strategies are pure, (U, L), and Nash is mixed.
    security = named_game("goeree-holt-palfrey-4").scaled(1 / 360.0)

    @pytest.mark.parametrize(
        ("penalty", "regularizer"),
        [("reverse_kl", "entropy"), ("reverse_kl", "log_barrier"), ("kl", "log_barrier")],
    )
    def test_security_strategies_in_the_limit(self, penalty, regularizer):
        target = solve(self.security, Security()).strategies
        np.testing.assert_allclose([t[0] for t in target], 1.0)
        errors = [
            distance(solve(self.security, RQE(tau, 1 / tau, penalty, regularizer)).strategies, target)
            for tau in (1e2, 1e3, 1e4)
        ]
        assert errors[2] <= errors[1] <= errors[0]
        assert errors[2] < 1e-3

    def test_kl_with_entropy_needs_risk_aversion_to_outgrow_noise(self):
        coupled = solve(self.security, RQE(1e3, 1e-3))
        assert coupled.strategies[0][0] < 0.7
        strong = solve(self.security, RQE(1e4, 1e-3))
        assert strong.strategies[0][0] > 0.999

    def test_exact_limits_are_solved_as_what_they_are(self):
        game = named_game("selten-chmura-1")
        nash = solve(game, RQE(0.0, 0.0))
        assert distance(nash.strategies, solve(game, Nash()).strategies) < 1e-12
        assert nash.status.startswith("tau = eps = 0: Nash")
        assert nash.concept == RQE(0.0, 0.0)
        cautious = solve(game, RQE(np.inf, 0.0))
        assert distance(cautious.strategies, solve(game, Security()).strategies) < 1e-12
        assert "security" in cautious.status

    @pytest.mark.parametrize("k", [1, 4, 6])
    def test_opponent_only_payoffs_move_rqe_but_not_qre(self, k):
        # Game k + 6 adds to game k a function of the opponent's action for each player.
        plain, shifted = named_game(f"selten-chmura-{k}"), named_game(f"selten-chmura-{k + 6}")
        for precision in (0.5, 1.047, 3.0):
            assert (
                distance(solve(plain, QRE(precision)).strategies, solve(shifted, QRE(precision)).strategies)
                < 1e-11
            )
        averse = RQE(0.5, 1.0)
        assert distance(solve(plain, averse).strategies, solve(shifted, averse).strategies) > 5e-3


class TestRecord:
    def test_status_names_the_theorem_or_its_absence(self):
        sure = solve(PENNIES, RQE(1.0, 0.1))
        assert sure.branch == "the equilibrium"
        assert "sign rule" in sure.status
        open_ = solve(named_game("stag-hunt"), RQE(1.0, 0.2))
        assert open_.branch == "principal"
        assert "uniqueness not certified" in open_.status

    def test_details_hold_the_adversaries(self):
        game = random_game((2, 3), np.random.default_rng(1))
        concept = RQE(2.0, 0.5)
        solution = solve(game, concept)
        for i, law in enumerate(solution.details["adversaries"]):
            costs = solution.strategies[i] @ game.own_first(i)
            tilted = solution.strategies[1 - i] * np.exp(-2.0 * costs)
            np.testing.assert_allclose(law, tilted / tilted.sum(), rtol=1e-9)

    def test_name_carries_the_parameters(self):
        assert RQE(2.0, (0.5, 1.0)).name == "RQE(tau=2, eps=(0.5, 1); kl, entropy)"
        assert "action-dependent" in RQE(form="action_dependent").name


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"risk_aversion": -1.0}, "risk_aversion must be zero or positive, got -1"),
            ({"risk_aversion": float("nan")}, "risk_aversion must be zero or positive, got nan"),
            ({"bounded_rationality": (0.1, -2.0)}, "bounded_rationality must be zero or positive, got -2"),
            ({"bounded_rationality": ()}, "bounded_rationality must be a number or one number per player"),
            ({"risk_aversion": np.ones((1, 2))}, "risk_aversion must be a number or one number per player"),
            (
                {"penalty": "wasserstein"},
                "penalty must be one of 'kl', 'reverse_kl', 'l1', got 'wasserstein'",
            ),
            ({"regularizer": "l2"}, "regularizer must be one of 'entropy', 'log_barrier', got 'l2'"),
            ({"form": "both"}, "form must be one of 'aggregate', 'action_dependent', got 'both'"),
            ({"joint_penalty": "sum"}, "joint_penalty must be one of 'joint', 'marginals', got 'sum'"),
            ({"joint_penalty": "marginals", "penalty": "reverse_kl"}, "needs penalty='kl'"),
            ({"joint_penalty": "marginals", "form": "action_dependent"}, "form='aggregate'"),
        ],
    )
    def test_bad_parameters(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            RQE(**arguments)

    @pytest.mark.parametrize(
        ("concept", "message"),
        [
            (RQE((1.0, 2.0, 3.0)), "risk_aversion has 3 entries but the game has 2 players"),
            (RQE(1.0, (1.0,)), "bounded_rationality has 1 entries but the game has 2 players"),
            (RQE(1.0, 0.0), "without noise an equilibrium is computed only for"),
            (RQE((1.0, 0.0), (0.5, 0.0)), "without noise"),
            (RQE(np.inf, 0.5), "risk_aversion = inf needs bounded_rationality = 0"),
            (RQE((np.inf, 1.0), 0.5), "risk_aversion = inf needs bounded_rationality = 0"),
            (RQE(1.0, np.inf), "bounded_rationality must be finite"),
            (RQE(1.0, 0.5, "l1"), "use form='action_dependent'"),
        ],
    )
    def test_combinations_without_an_algorithm(self, concept, message):
        with pytest.raises(ValueError, match=message):
            solve(PENNIES, concept)

    def test_class_instead_of_instance(self):
        with pytest.raises(TypeError, match=r"concept must be an instance such as RQE\(.*not RQE"):
            solve(PENNIES, RQE)

    def test_wrong_types_are_named_to_users_who_run_without_a_type_checker(self):
        calls = {
            "RQE('much')": "risk_aversion must be a number or one number per player, got 'much'",
            "RQE(1.0, ['a', 'b'])": "bounded_rationality must be a number or one number per player",
            "RQE([[1.0, 2.0]])": "risk_aversion must be a number or one number per player",
            "RQE(penalty=3)": "penalty must be one of 'kl', 'reverse_kl', 'l1', got 3",
            "RQE(penalty=['kl'])": "penalty must be one of 'kl', 'reverse_kl', 'l1', got ['kl']",
            "QRE('high')": "precision must be a number or one number per player, got 'high'",
            "solve([[1.0, 2.0]], RQE())": "game must be a NormalFormGame or MarkovGame, not list; wrap",
            "solve(game, 'rqe')": "concept must be an instance such as RQE(",
        }
        attempt = "try: {}\nexcept (TypeError, ValueError) as e: print(str(e).splitlines()[0])\nelse: print()"
        script = "\n".join(
            [
                "from equipoise.equilibria._solution import solve",
                "from equipoise.equilibria.qre import QRE",
                "from equipoise.equilibria.rqe import RQE",
                "from equipoise.games import named_game",
                "game = named_game('stag-hunt')",
                *map(attempt.format, calls),
            ]
        )
        said = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        ).stdout
        for call, expected, line in zip(calls, calls.values(), said.splitlines(), strict=True):
            assert expected in line, f"{call}: {line!r}"
