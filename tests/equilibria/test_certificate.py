"""The certificate on profiles that are no equilibria, against brute force."""

from itertools import product

import numpy as np
import pytest

from equipoise.equilibria._branch import Rules
from equipoise.equilibria._certificate import certify
from equipoise.equilibria._gaps import nash_gap
from equipoise.equilibria._solution import solve
from equipoise.equilibria.rqe import RQE
from equipoise.games import NormalFormGame, random_game
from quantal_reference import Reference, exploitability

SMOOTH = [
    *product(["kl", "reverse_kl"], ["entropy", "log_barrier"], ["aggregate", "action_dependent"], ["joint"])
]
KINDS = [*SMOOTH, *product(["l1"], ["entropy", "log_barrier"], ["action_dependent"], ["joint"])]
PENNIES = NormalFormGame([[[1.0, -1.0], [-1.0, 1.0]], [[-1.0, 1.0], [1.0, -1.0]]])


def gaps(game, concept, strategies, witnesses=None):
    """The certificate of one profile."""
    players = game.num_players
    with np.errstate(divide="ignore"):
        logs = [np.log(np.asarray(s, float))[None] for s in strategies]
    return certify(
        [game.own_first(i)[None] for i in range(players)],
        logs,
        np.broadcast_to(np.asarray(concept.risk_aversion, float), (1, players)),
        np.broadcast_to(np.asarray(concept.bounded_rationality, float), (1, players)),
        concept.rules,
        witnesses,
    )


def random_case(shape, kind, seed, strength=1.0):
    rng = np.random.default_rng([seed, *shape, *map(ord, "".join(kind))])
    players = len(shape)
    concept = RQE(
        tuple(strength * rng.uniform(0.3, 3.0, players)), tuple(rng.uniform(0.1, 1.0, players)), *kind
    )
    return random_game(shape, rng), concept, [rng.dirichlet(np.ones(count)) for count in shape]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(2, 3), (2, 2, 3)])
def test_gap_and_values_of_wrong_profiles_are_the_brute_force_ones(kind, shape):
    for seed in range(2):
        game, concept, wrong = random_case(shape, kind, seed)
        bounds = gaps(game, concept, wrong)
        true = exploitability(game, concept, wrong)
        assert true.max() > 1e-2
        np.testing.assert_allclose(bounds.upper[0], true, atol=1e-8)
        np.testing.assert_allclose(bounds.lower[0], true, atol=1e-8)
        utilities = [Reference.of(game, concept, wrong, i).utility(x) for i, x in enumerate(wrong)]
        np.testing.assert_allclose(bounds.values[0], utilities, atol=1e-10)


@pytest.mark.parametrize("kind", SMOOTH)
def test_bounds_hold_where_they_cannot_be_tight(kind):
    # Very averse players: the search for a better strategy may stop early, but never claims too much.
    game, concept, wrong = random_case((2, 2, 3), kind, 5, strength=30.0)
    bounds = gaps(game, concept, wrong)
    true = exploitability(game, concept, wrong)
    assert (bounds.lower[0] <= true + 1e-9).all()
    assert (bounds.upper[0] >= true - 1e-9).all()


@pytest.mark.parametrize("kind", SMOOTH)
def test_any_witness_gives_a_valid_bound_and_the_right_one_a_tight_bound(kind):
    rng = np.random.default_rng(9)
    game, concept, wrong = random_case((3, 3), kind, 3)
    free = gaps(game, concept, wrong)
    some = gaps(game, concept, wrong, [rng.dirichlet(np.ones(3))[None] for _ in range(2)])
    true = exploitability(game, concept, wrong)
    assert (some.upper[0] >= true - 1e-10).all()
    assert (some.upper[0] <= free.upper[0] + 1e-15).all()


@pytest.mark.parametrize("regularizer", ["entropy", "log_barrier"])
def test_marginal_penalty_bounds_enclose_brute_force(regularizer):
    rng = np.random.default_rng(3)
    game = random_game((2, 2, 2), rng)
    concept = RQE((1.0, 2.0, 0.5), 0.5, "kl", regularizer, joint_penalty="marginals")
    wrong = [rng.dirichlet(np.ones(2)) for _ in range(3)]
    witnesses = [rng.dirichlet(np.ones(4))[None] for _ in range(3)]
    bounds = gaps(game, concept, wrong, witnesses)
    true = exploitability(game, concept, wrong)
    assert (bounds.upper[0] >= true - 1e-9).all()
    assert (bounds.lower[0] <= true + 1e-9).all()
    utilities = [Reference.of(game, concept, wrong, i).utility(x) for i, x in enumerate(wrong)]
    assert (bounds.values[0] <= np.array(utilities) + 1e-9).all()


def test_a_slightly_wrong_equilibrium_has_a_gap_of_second_order():
    game, concept, _ = random_case((3, 4), SMOOTH[0], 1)
    right = solve(game, concept).strategies
    tilt = np.array([1.0, -1.0, 0.0])
    sizes = [gaps(game, concept, [right[0] + h * tilt, right[1]]).upper[0, 0] for h in (1e-3, 1e-4)]
    np.testing.assert_allclose(sizes[0] / sizes[1], 100.0, rtol=0.02)


class TestByHand:
    @pytest.mark.parametrize("tau", [1e-3, 0.3, 2.0, 50.0])
    def test_risk_aversion_destroys_zero_sums(self, tau):
        # Pure against uniform in matching pennies: costs +-1, so f_1 = log(cosh tau)/tau, f_2 = 0.
        profile = [np.array([1.0, 0.0]), np.array([0.5, 0.5])]
        values = gaps(PENNIES, RQE(tau, 0.0), profile).values[0]
        f_1 = (np.logaddexp(tau, -tau) - np.log(2.0)) / tau
        np.testing.assert_allclose(values, [-f_1, 0.0], atol=1e-12)

    def test_kl_and_reverse_kl_worst_cases(self):
        # Costs (1, 0), opponent uniform. KL, tau = log 3: log(2/3)/log 3; reverse KL, tau = 1: -0.38701.
        game = NormalFormGame([[[1.0, 0.0]], [[0.0, 0.0]]])
        profile = [np.array([1.0]), np.array([0.5, 0.5])]
        kl = gaps(game, RQE(np.log(3.0), 0.0), profile)
        np.testing.assert_allclose(kl.values[0, 0], -np.log(2.0 / 3.0) / np.log(3.0), rtol=1e-13)
        s = 1.0 / np.sqrt(2.0)
        p = 0.5 / (s + np.array([1.0, 0.0]))
        expected = p[0] + 0.5 * np.log(0.5 / p).sum()
        reverse = gaps(game, RQE(1.0, 0.0, "reverse_kl"), profile)
        np.testing.assert_allclose(p.sum(), 1.0)
        np.testing.assert_allclose(reverse.values[0, 0], expected, rtol=1e-13)
        assert abs(reverse.values[0, 0] - 0.38701) < 5e-6

    def test_logit_gap_is_noise_times_kl_to_the_response(self):
        game, concept, wrong = random_case((3, 3), SMOOTH[0], 2)
        concept = RQE(0.0, 0.7)
        bounds = gaps(game, concept, wrong)
        for i, x in enumerate(wrong):
            u = game.deviation_payoffs(i, wrong) / 0.7
            response = np.exp(u) / np.exp(u).sum()
            np.testing.assert_allclose(bounds.upper[0, i], 0.7 * x @ np.log(x / response), rtol=1e-10)

    def test_without_noise_and_risk_it_is_the_nash_gap(self):
        game, _, wrong = random_case((3, 3), SMOOTH[0], 2)
        bounds = gaps(game, RQE(0.0, 0.0), wrong)
        np.testing.assert_allclose(bounds.upper[0], nash_gap(game, wrong)[1], atol=1e-12)
        np.testing.assert_allclose(bounds.nash[0], nash_gap(game, wrong)[1], atol=1e-14)


class TestRisk:
    """Monotonicity and order of the risk-adjusted values, at fixed profiles."""

    @pytest.mark.parametrize("penalty", ["kl", "reverse_kl"])
    def test_value_falls_with_risk_aversion_from_mean_to_minimum(self, penalty):
        game, _, profile = random_case((3, 4), SMOOTH[0], 7)
        values = np.array(
            [gaps(game, RQE(tau, 0.0, penalty), profile).values[0] for tau in (0.0, 0.1, 1.0, 1e4)]
        )
        assert (np.diff(values, axis=0) <= 1e-12).all()
        np.testing.assert_allclose(values[0], game.expected_payoffs(profile), rtol=1e-12)
        worst = [(x @ game.own_first(i)).min() for i, x in enumerate(profile)]
        np.testing.assert_allclose(values[-1], worst, atol=2e-3)
        shifted = gaps(game.scaled(1.0, (0.7, -3.0)), RQE(1.0, 0.0, penalty), profile)
        np.testing.assert_allclose(shifted.values[0] - values[2], [0.7, -3.0], atol=1e-12)

    @pytest.mark.parametrize("penalty", ["kl", "reverse_kl"])
    def test_second_order_expansion_is_the_variance(self, penalty):
        game, _, profile = random_case((3, 4), SMOOTH[0], 8)
        for i in range(2):
            outcome = profile[i] @ game.own_first(i)
            q = profile[1 - i]
            variance = q @ outcome**2 - (q @ outcome) ** 2
            tau = 1e-4
            value = gaps(game, RQE(tau, 0.0, penalty), profile).values[0, i]
            np.testing.assert_allclose((q @ outcome - value) / (tau / 2.0), variance, rtol=1e-3)

    @pytest.mark.parametrize("penalty", ["kl", "reverse_kl"])
    def test_one_adversary_for_all_actions_hurts_less_than_one_each(self, penalty):
        game, _, profile = random_case((3, 4), SMOOTH[0], 9)
        shared = gaps(game, RQE(2.0, 0.0, penalty), profile).values
        each = gaps(game, RQE(2.0, 0.0, penalty, form="action_dependent"), profile).values
        assert (shared > each + 1e-6).all()
        pure = [np.eye(3)[1], profile[1]]
        shared = gaps(game, RQE(2.0, 0.0, penalty), pure).values
        each = gaps(game, RQE(2.0, 0.0, penalty, form="action_dependent"), pure).values
        np.testing.assert_allclose(shared[0, 0], each[0, 0], rtol=1e-12)

    def test_support_of_the_opponent_binds_kl_but_not_reverse_kl(self):
        # Opponent plays the harmless action for sure, but the other one would cost 10.
        game = NormalFormGame([[[0.0, -10.0]], [[0.0, 0.0]]])
        profile = [np.array([1.0]), np.array([1.0, 0.0])]
        assert gaps(game, RQE(5.0, 0.0), profile).values[0, 0] == pytest.approx(0.0, abs=1e-12)
        # p = 1 - 1/(tau d) on the costly action: value = -d p + log(1/(1 - p))/tau.
        p = 1.0 - 1.0 / (5.0 * 10.0)
        expected = -10.0 * p - np.log(1.0 - p) / 5.0
        value = gaps(game, RQE(5.0, 0.0, "reverse_kl"), profile).values[0, 0]
        assert value == pytest.approx(expected, rel=1e-10)


class TestBatch:
    def test_games_of_a_batch_do_not_influence_each_other(self):
        cases = [random_case((2, 3), SMOOTH[1], seed) for seed in range(5)]
        together = certify(
            [np.stack([game.own_first(i) for game, _, _ in cases]) for i in range(2)],
            [np.stack([np.log(x[i]) for _, _, x in cases]) for i in range(2)],
            np.array([c.risk_aversion for _, c, _ in cases]),
            np.array([c.bounded_rationality for _, c, _ in cases]),
            Rules("kl", "entropy", "action_dependent"),
        )
        for k, case in enumerate(cases):
            alone = gaps(*case)
            np.testing.assert_allclose(together.upper[k], alone.upper[0], rtol=1e-12)
            np.testing.assert_allclose(together.values[k], alone.values[0], rtol=1e-12)

    def test_a_probability_below_the_smallest_float_still_counts(self):
        # The adversary lifts exp(-774) by exp(1000 (c_1 - c_2)): only logarithms see it.
        game = NormalFormGame(
            [
                [[-0.7261818092401416, 0.2738181907598583], [-0.24028090552003264, -0.24594672112683788]],
                [[-0.43212982541932077, 0.3415560807006592], [-0.4927691782870823, 0.5072308217129178]],
            ]
        )
        solution = solve(game, RQE(1000.0, 0.001))
        assert solution.strategies[1][0] == 0.0
        assert solution.certificate.gap < 1e-12
        odds = np.log(solution.strategies[0][0] / solution.strategies[0][1])
        assert odds == pytest.approx(1.236894710316, abs=1e-8)  # bisection of BR1(BR2), all in logarithms
