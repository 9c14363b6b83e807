"""Uniqueness conditions: constants by hand, Jacobians of the 2n-player game, searches for counterexamples."""

import numpy as np
import pytest

from equipoise.equilibria import _branch
from equipoise.equilibria.rqe import RQE
from equipoise.equilibria.uniqueness import coupling, monotonicity, sign_rule, spectral_radius, uniqueness
from equipoise.games import NormalFormGame, named_game, random_2x2, random_game

COVERED = [("kl", "log_barrier"), ("reverse_kl", "entropy"), ("reverse_kl", "log_barrier")]


def second_derivatives(penalty, regularizer, p, q):
    """D_pp, D_qp and nu'' of one coordinate of an adversary p and an opponent q."""
    curvature = 1.0 / q if regularizer == "entropy" else 1.0 / q**2
    if penalty == "kl":  # p log(p/q)
        return 1.0 / p, -1.0 / q, curvature
    return q / p**2, -1.0 / p, curvature  # q log(q/p)


def symmetric_jacobian(payoffs, strategies, adversaries, tau, eps, weights, penalty, regularizer):
    """Symmetric part of the weighted Jacobian of the four players' gradients, assembled with the payoffs in.

    Order: player 1, player 2, adversary of 1 (a law over 2's actions), adversary of 2.
    """
    sizes = [len(s) for s in (*strategies, *adversaries)]
    at = np.r_[0, np.cumsum(sizes)]
    jacobian = np.zeros((at[-1], at[-1]))

    def put(row, column, block):
        jacobian[at[row] : at[row + 1], at[column] : at[column + 1]] += block

    for i in range(2):
        j = 1 - i
        by_p, by_both, nu = second_derivatives(penalty, regularizer, adversaries[i], strategies[j])
        put(j, j, weights[j] * eps[j] * np.diag(nu))
        put(i, 2 + i, -weights[i] * payoffs[i])
        put(2 + i, i, weights[i] * payoffs[i].T)
        put(2 + i, 2 + i, weights[i] / tau[i] * np.diag(by_p))
        put(2 + i, j, weights[i] / tau[i] * np.diag(by_both))
    return (jacobian + jacobian.T) / 2.0, sizes


def tangent_basis(sizes):
    """Orthonormal basis of the vectors whose blocks sum to zero."""
    blocks = [np.linalg.svd(np.ones((1, n)))[2][1:].T for n in sizes]
    basis = np.zeros((sum(sizes), sum(sizes) - len(sizes)))
    row = column = 0
    for block in blocks:
        basis[row : row + block.shape[0], column : column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    return basis


def least_eigenvalue(rng, tau, eps, weights, penalty, regularizer, *, floor=1e-4, tangent=False, draws=300):
    """Smallest eigenvalue over random payoffs and profiles, some of them close to the boundary."""
    least = np.inf
    for _ in range(draws):
        sizes = rng.integers(2, 5, 2)
        laws = [rng.dirichlet(np.full(n, 10.0 ** rng.uniform(-1, 2))) for n in (*sizes, *sizes[::-1])]
        laws = [floor + (1.0 - floor * len(x)) * x for x in laws]
        payoffs = [rng.standard_normal(sizes), rng.standard_normal(sizes[::-1])]
        matrix, blocks = symmetric_jacobian(
            payoffs, laws[:2], laws[2:], tau, eps, weights, penalty, regularizer
        )
        if tangent:
            basis = tangent_basis(blocks)
            matrix = basis.T @ matrix @ basis
        least = min(least, np.linalg.eigvalsh(matrix)[0])
    return least


class TestConstantsByHand:
    def test_modulus_of_equal_weights(self):
        found = monotonicity(2.0, 1.0, weights=1.0)
        np.testing.assert_allclose(found.mu, 0.75 - np.sqrt(2.0) / 4.0, rtol=1e-12)

    @pytest.mark.parametrize(("penalty", "regularizer"), COVERED)
    def test_product_of_one_sixteenth_is_the_boundary(self, penalty, regularizer):
        tau, eps = np.array([0.5, 2.0]), np.array([0.25, 0.25])
        assert 16.0 * np.prod(tau) * np.prod(eps) == 1.0
        kinds = {"penalty": penalty, "regularizer": regularizer}
        at, above, below = (monotonicity(tau, s * eps, **kinds) for s in (1.0, 1.05, 0.95))
        assert not at.holds
        assert above.holds
        assert not below.holds
        if penalty == "kl":
            assert abs(at.mu) < 1e-6
        assert above.mu > 0.0
        assert below.mu < 0.0

    def test_spectral_radius_of_two_players_is_the_product_condition(self):
        tau, eps = np.array([0.3, 5.0]), np.array([2.0, 0.1])
        np.testing.assert_allclose(
            spectral_radius(coupling(tau, eps)), 1.0 / np.sqrt(np.prod(tau) * np.prod(eps)), rtol=1e-12
        )

    def test_best_weights_succeed_where_equal_ones_and_the_collapse_condition_fail(self):
        tau, eps = (10.0, 0.05), (1.0, 1.0)
        assert monotonicity(tau, eps).mu > 0.0
        assert monotonicity(tau, eps, weights=1.0).mu < 0.0
        known = uniqueness(named_game("stag-hunt"), RQE(tau, eps, "kl", "log_barrier"))
        assert (known.collapse, known.monotone, known.unique) == (False, True, True)

    def test_best_weights_of_two_players_are_best(self):
        rng = np.random.default_rng(0)
        for _ in range(10):
            tau, eps = 10.0 ** rng.uniform(-1, 1, (2, 2))
            best = monotonicity(tau, eps).mu
            for share in np.linspace(0.05, 1.95, 39):
                assert monotonicity(tau, eps, weights=(share, 2.0 - share)).mu <= best + 1e-9


class TestJacobians:
    @pytest.mark.parametrize(("penalty", "regularizer"), COVERED)
    def test_no_random_jacobian_beats_the_modulus(self, penalty, regularizer):
        rng = np.random.default_rng(1)
        tau, eps, floor = np.array([1.5, 0.4]), np.array([0.5, 0.9]), 0.02
        known = monotonicity(tau, eps, penalty=penalty, regularizer=regularizer, floor=floor)
        assert known.holds
        assert known.mu > 0.0
        least = least_eigenvalue(rng, tau, eps, known.weights, penalty, regularizer, floor=floor)
        assert least >= known.mu - 1e-9

    def test_modulus_is_attained_at_the_corner(self):
        tau, eps = np.array([1.5, 0.4]), np.array([0.5, 0.9])
        known = monotonicity(tau, eps)
        corner = np.array([1.0, 1e-3])
        matrix, _ = symmetric_jacobian(
            np.zeros((2, 2, 2)), [corner] * 2, [corner] * 2, tau, eps, known.weights, "kl", "log_barrier"
        )
        np.testing.assert_allclose(np.linalg.eigvalsh(matrix)[0], known.mu, rtol=1e-6)

    @pytest.mark.parametrize(("penalty", "regularizer"), [COVERED[0], COVERED[2]])
    def test_barrier_is_monotone_on_the_simplices_down_to_one_sixtyfourth(self, penalty, regularizer):
        rng = np.random.default_rng(2)
        for scale, monotone in ((1.02, True), (0.9, False)):
            tau, eps = np.array([0.5, 2.0]), np.sqrt(scale / 64.0) * np.array([1.0, 1.0])
            kinds = {"penalty": penalty, "regularizer": regularizer}
            known = monotonicity(tau, eps, space="tangent", **kinds)
            assert known.holds == monotone
            assert not monotonicity(tau, eps, **kinds).holds
            half = np.full(2, 0.5)
            matrix, blocks = symmetric_jacobian(
                np.zeros((2, 2, 2)), [half] * 2, [half] * 2, tau, eps, known.weights, **kinds
            )
            basis = tangent_basis(blocks)
            # Uniform play of two actions is where the bound is attained.
            assert (np.linalg.eigvalsh(basis.T @ matrix @ basis)[0] > 0.0) == monotone
            if monotone:
                least = least_eigenvalue(rng, tau, eps, known.weights, penalty, regularizer, tangent=True)
                assert least > 0.0

    def test_reverse_kl_with_entropy_gains_nothing_on_the_simplices(self):
        assert not monotonicity(0.5, 0.4, penalty="reverse_kl", regularizer="entropy", space="tangent").holds
        assert monotonicity(0.5, 0.51, penalty="reverse_kl", regularizer="entropy", space="tangent").holds

    def test_kl_with_entropy_is_indefinite_near_the_boundary(self):
        tau, eps = np.array([5.0, 5.0]), np.array([5.0, 5.0])
        unequal = [np.array([1e-3, 1.0 - 1e-3]), np.array([0.5, 0.5])]
        matrix, _ = symmetric_jacobian(
            np.zeros((2, 2, 2)), unequal, unequal, tau, eps, [1.0, 1.0], "kl", "entropy"
        )
        assert np.linalg.eigvalsh(matrix)[0] < 0.0

    @pytest.mark.parametrize(("radius", "monotone"), [(3.9, True), (4.1, False)])
    def test_three_players_with_marginals(self, radius, monotone):
        # Adversary i holds one law over the product of the others' actions and pays for its marginals.
        rng = np.random.default_rng(3)
        tau, eps = rng.uniform(0.5, 2.0, 3), rng.uniform(0.5, 2.0, 3)
        eps *= spectral_radius(coupling(tau, eps)) / radius
        known = monotonicity(tau, eps, players=3)
        assert known.holds == monotone
        np.testing.assert_allclose(spectral_radius(coupling(tau, eps)), radius, rtol=1e-12)
        # lambda_j eps_j >= sum of lambda_i/(4 tau_i) over i != j is 4 lambda >= K' lambda.
        np.testing.assert_allclose(coupling(tau, eps).T @ known.weights, radius * known.weights, rtol=1e-8)
        marginals = [np.kron(np.eye(2), np.ones((1, 2))), np.kron(np.ones((1, 2)), np.eye(2))]

        def least(strategies, adversaries):
            matrix = np.zeros((6 + 12, 6 + 12))
            for j, strategy in enumerate(strategies):
                matrix[2 * j : 2 * j + 2, 2 * j : 2 * j + 2] += np.diag(
                    known.weights[j] * eps[j] / strategy**2
                )
            for i, p in enumerate(adversaries):
                own = slice(6 + 4 * i, 10 + 4 * i)
                for place, j in enumerate(k for k in range(3) if k != i):
                    pick, price = marginals[place], known.weights[i] / tau[i]
                    matrix[own, own] += price * pick.T @ np.diag(1.0 / (pick @ p)) @ pick
                    cross = -price / 2.0 * pick.T / strategies[j]
                    matrix[own, 2 * j : 2 * j + 2] += cross
                    matrix[2 * j : 2 * j + 2, own] += cross.T
            return np.linalg.eigvalsh(matrix)[0]

        if monotone:
            for _ in range(200):
                shape = 10.0 ** rng.uniform(-1, 1)
                laws = [np.maximum(rng.dirichlet(np.full(2, shape)), 1e-4) for _ in range(3)]
                joint = [np.maximum(rng.dirichlet(np.full(4, shape)), 1e-4) for _ in range(3)]
                assert least(laws, joint) > -1e-7
        pure, corner = np.array([1.0, 1e-3]), np.array([1.0, 1e-4, 1e-4, 1e-4])
        # Zero, not positive: joint laws with the same marginals cost the same.
        assert (least([pure] * 3, [corner] * 3) > -1e-7) == monotone


class TestRecord:
    def test_conditions_at_their_boundaries(self):
        game = named_game("stag-hunt")

        def known(product_, regularizer="log_barrier"):
            return uniqueness(game, RQE(1.0, np.sqrt(product_), "reverse_kl", regularizer))

        assert known(1.0).collapse
        assert not known(0.999).collapse
        assert known(1.001 / 16.0).monotone
        assert not known(1.0 / 16.0).monotone
        assert known(1.0 / 16.0).unique  # on the tangent space still
        assert known(1.001 / 64.0).unique
        assert not known(1.0 / 64.0).unique
        assert known(1.001 / 16.0, "entropy").unique
        assert not known(1.0 / 16.0, "entropy").unique

    def test_equal_weights_are_stronger_than_the_product_condition(self):
        game = named_game("stag-hunt")
        known = uniqueness(game, RQE((10.0, 0.2), (1.0, 1.0), "kl", "log_barrier"))
        assert known.collapse
        assert not known.collapse_equal_weights
        assert uniqueness(game, RQE(2.0, 0.5, "kl", "log_barrier")).collapse_equal_weights

    @pytest.mark.parametrize(
        ("concept", "covered"),
        [
            (RQE(5.0, 5.0), False),
            (RQE(5.0, 5.0, "kl", "log_barrier"), True),
            (RQE(5.0, 5.0, "reverse_kl", "entropy"), True),
            (RQE(5.0, 5.0, "reverse_kl", "log_barrier"), True),
            (RQE(5.0, 5.0, "kl", "log_barrier", "action_dependent"), False),
            (RQE(5.0, 5.0, "l1", "log_barrier", "action_dependent"), False),
        ],
    )
    def test_pairs_of_two_players(self, concept, covered):
        known = uniqueness(named_game("stag-hunt"), concept)
        assert (known.covered, known.unique) == (covered, covered)
        assert ("unique by theorem" in known.status) == covered
        assert ("no global theorem" in known.status) != covered

    @pytest.mark.parametrize(
        ("concept", "covered"),
        [
            (RQE(5.0, 5.0, "kl", "log_barrier", joint_penalty="marginals"), True),
            (RQE(5.0, 5.0, "kl", "entropy", joint_penalty="marginals"), False),
            (RQE(5.0, 5.0, "kl", "log_barrier"), False),
            (RQE(5.0, 5.0, "reverse_kl", "entropy"), False),
        ],
    )
    def test_pairs_of_three_players(self, concept, covered):
        known = uniqueness(random_game((2, 2, 2), np.random.default_rng(0)), concept)
        assert (known.covered, known.unique) == (covered, covered)

    def test_neutral_players_and_single_players(self):
        assert "QRE" in uniqueness(named_game("stag-hunt"), RQE(0.0, 1.0)).status
        assert np.isinf(uniqueness(named_game("stag-hunt"), RQE((0.0, 1.0), 1.0)).spectral_radius)
        assert uniqueness(NormalFormGame([[1.0, 2.0]]), RQE()).unique

    @pytest.mark.parametrize(
        ("kind", "opposite"),
        [("matching-pennies", True), ("coordination", False), ("anti-coordination", False)],
    )
    def test_sign_rule(self, kind, opposite):
        rng = np.random.default_rng(0)
        for _ in range(20):
            game = random_2x2(kind, rng)
            assert sign_rule(game) == opposite
            assert uniqueness(game, RQE(1.0, 0.01)).unique == opposite
        assert sign_rule(random_game((2, 3), rng)) is None
        assert sign_rule(NormalFormGame([[[1.0, 1.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]]))

    def test_sign_rule_does_not_depend_on_payoff_units(self):
        assert not sign_rule(named_game("stag-hunt").scaled(1e-170))

    def test_refusals(self):
        with pytest.raises(
            ValueError, match="no monotonicity is known for penalty 'kl' with regularizer 'entropy'"
        ):
            monotonicity(1.0, 1.0, regularizer="entropy")
        for tau, eps in ((0.0, 1.0), (1.0, 0.0), (np.inf, 1.0)):
            with pytest.raises(ValueError, match="must be positive and finite"):
                monotonicity(tau, eps)


def equilibria_from_random_starts(game, concept, rng, starts=24):
    """Distinct solutions that Newton's method finds."""
    tau, eps = concept.parameters(game.num_players)
    many = _branch.stack([np.stack([p] * starts) for p in game.payoffs], tau, eps, concept.rules)
    guesses = [rng.dirichlet(np.full(n, 0.7), starts).T + 1e-6 for n in game.num_actions]
    branch = _branch.from_guess(many, [g / g.sum(axis=0) for g in guesses])
    good = branch.arrived & (branch.residual < 1e-10)
    found = np.vstack([s[:, good] for s in branch.strategies]).T
    distinct = []
    for profile in found:
        if all(np.abs(profile - other).max() > 1e-6 for other in distinct):
            distinct.append(profile)
    return distinct, int(good.sum())


class TestNoCounterexample:
    @pytest.mark.parametrize(("penalty", "regularizer"), COVERED)
    def test_certified_games_have_one_equilibrium(self, penalty, regularizer):
        rng = np.random.default_rng(4)
        bound = 64.0 if regularizer == "log_barrier" else 16.0
        reached = 0
        for _ in range(5):
            tau = 10.0 ** rng.uniform(-1, 2, 2)
            eps = 1.1 / bound / np.prod(tau)
            eps = np.sqrt(eps) * np.array([2.0, 0.5]) ** rng.uniform(-1, 1)
            # Common interest, large stakes: as many equilibria as possible.
            payoff = 10.0 * np.eye(3) + rng.standard_normal((3, 3))
            game, concept = (
                NormalFormGame([payoff, payoff]),
                RQE(tuple(tau), tuple(eps), penalty, regularizer),
            )
            assert uniqueness(game, concept).unique
            distinct, good = equilibria_from_random_starts(game, concept, rng)
            assert len(distinct) <= 1
            reached += good
        assert reached > 10

    def test_the_search_does_find_several_where_they_exist(self):
        rng = np.random.default_rng(5)
        distinct, _ = equilibria_from_random_starts(named_game("stag-hunt"), RQE(0.01, 0.2), rng)
        assert len(distinct) == 3
