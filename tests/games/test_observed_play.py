"""The experimental records: internal consistency, and predictions recomputed from the payoffs."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom

from equipoise.games import NormalFormGame, ObservedPlay, observed_play, reference_concepts

RECORDS = observed_play()
TWELVE = [RECORDS[f"selten-chmura-{k}"] for k in range(1, 13)]
FITTED = [*TWELVE, RECORDS["goeree-holt-palfrey-4"]]


def p_first(profile):
    return np.array([x[0] for x in profile])


def exact_nash_2x2(game):
    """Each player makes the other indifferent."""
    (a, b), (c, d) = game.payoffs[0]
    (e, f), (g, h) = game.payoffs[1]
    return np.array([(h - g) / (e - f - g + h), (d - b) / (a - b - c + d)])


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())
def test_nash_is_the_equilibrium_to_the_digits_in_print(record):
    exact = exact_nash_2x2(record.game)
    np.testing.assert_allclose(p_first(record.nash), exact, atol=5.1e-5)
    profile = [np.array([p, 1 - p]) for p in exact]
    for i in range(2):
        assert np.ptp(record.game.deviation_payoffs(i, profile)) <= 1e-12 * np.max(
            np.abs(record.game.payoffs)
        )


@pytest.mark.parametrize("record", TWELVE[:6], ids=lambda r: r.key)
def test_games_1_to_6_are_constant_sum(record):
    assert record.game.is_constant_sum


@pytest.mark.parametrize("k", range(6))
def test_game_k_plus_6_adds_a_function_of_the_opponents_action(k):
    for i in range(2):
        difference = TWELVE[k + 6].game.own_first(i) - TWELVE[k].game.own_first(i)
        assert np.all(np.ptp(difference, axis=0) == 0)
        assert np.ptp(difference) > 0


def test_goeree_holt_differ_in_one_cell_only():
    games = {x: RECORDS[f"goeree-holt-{x}"].game for x in (80, 320, 44)}
    for x, game in games.items():
        assert game.payoffs[0][0, 0] == x
        np.testing.assert_array_equal(game.payoffs[1], games[80].payoffs[1])
        np.testing.assert_array_equal(game.payoffs[0].ravel()[1:], games[80].payoffs[0].ravel()[1:])
    # With 25 choices per role every frequency is a multiple of 1/25.
    for x in games:
        for counts in RECORDS[f"goeree-holt-{x}"].counts():
            np.testing.assert_allclose(counts, np.round(counts), atol=1e-12)


def test_numbers_of_observations():
    assert [r.observations for r in TWELVE] == [(9600, 9600)] * 6 + [(4800, 4800)] * 6
    assert [r.groups for r in TWELVE] == [12] * 6 + [6] * 6
    assert all(r.groups * r.subjects * r.rounds == sum(r.observations) for r in TWELVE)
    assert RECORDS["goeree-holt-palfrey-4"].observations is None
    with pytest.raises(ValueError, match="no number of observations"):
        RECORDS["goeree-holt-palfrey-4"].counts()
    assert len(RECORDS) == 16


@pytest.mark.parametrize("record", FITTED, ids=lambda r: r.key)
def test_published_parameters_satisfy_the_collapse_condition(record):
    assert [(f.penalty, f.regularizer) for f in record.published_fits] == [
        ("kl", "log_barrier"),
        ("reverse_kl", "entropy"),
    ]
    for fit in record.published_fits:
        assert np.prod(fit.risk_aversion) * np.prod(fit.bounded_rationality) >= 1.003


def test_smallest_collapse_product_is_the_known_one():
    products = [
        np.prod(f.risk_aversion) * np.prod(f.bounded_rationality) for r in FITTED for f in r.published_fits
    ]
    assert min(products) == pytest.approx(1.003, abs=5e-4)


def test_mistyped_games_differ_in_the_named_cells():
    fit = RECORDS["selten-chmura-1"].published_fits[0]
    assert fit.game.payoffs[1][0, 0] - TWELVE[0].game.payoffs[1][0, 0] == 2
    reverse = RECORDS["selten-chmura-2"].published_fits[1]
    assert reverse.game.payoffs[0][1, 1] - TWELVE[1].game.payoffs[0][1, 1] == 2
    assert reverse.game.payoffs[1][1, 0] - TWELVE[1].game.payoffs[1][1, 0] == 1
    typed = [f for r in FITTED for f in r.published_fits if f.game != r.game]
    assert typed == [fit, reverse]
    assert all(f.note for f in typed)


def test_printed_iterates_are_near_observed_play():
    for record in FITTED:
        printed = p_first(record.published_fits[0].iterate)
        np.testing.assert_allclose(printed, p_first(record.frequencies), atol=0.015)


# The reference concepts, recomputed here from payoffs alone.


def logit_qre(game, precision):
    (a, b), (c, d) = game.payoffs[0]
    (e, f), (g, h) = game.payoffs[1]

    def row(q):
        return 1 / (1 + np.exp(-precision * (q * (a - c) + (1 - q) * (b - d))))

    def column(p):
        return 1 / (1 + np.exp(-precision * (p * (e - f) + (1 - p) * (g - h))))

    q = brentq(lambda q: column(row(q)) - q, 0, 1, xtol=1e-14)
    return np.array([row(q), q])


def half_above(differences):
    return np.where(differences > 1e-12, 1.0, np.where(differences < -1e-12, 0.0, 0.5))


def action_sampling(game, n):
    (a, b), (c, d) = game.payoffs[0]
    (e, f), (g, h) = game.payoffs[1]
    k = np.arange(n + 1)

    def row(q):
        return binom.pmf(k, n, q) @ half_above(k * (a - c) + (n - k) * (b - d))

    def column(p):
        return binom.pmf(k, n, p) @ half_above(k * (e - f) + (n - k) * (g - h))

    q = brentq(lambda q: column(row(q)) - q, 0, 1, xtol=1e-14)
    return np.array([row(q), q])


def payoff_sampling(game, n):
    k = np.arange(n + 1)

    def respond(own, prob):
        first = k * own[0, 0] + (n - k) * own[0, 1]
        second = k * own[1, 0] + (n - k) * own[1, 1]
        w = binom.pmf(k, n, prob)
        return w @ half_above(first[:, None] - second[None, :]) @ w

    own = [game.own_first(0), game.own_first(1)]
    q = brentq(lambda q: respond(own[1], respond(own[0], q)) - q, 0, 1, xtol=1e-14)
    return np.array([respond(own[0], q), q])


def impulse_balance(game):
    def transformed(own):
        security = np.max(np.min(own, axis=1))
        return np.where(own > security, security + (own - security) / 2, own)

    A, B = transformed(game.own_first(0)), transformed(game.own_first(1))
    c = (A[0, 0] - A[1, 0]) / (A[1, 1] - A[0, 1])
    d = (B[1, 0] - B[0, 0]) / (B[0, 1] - B[1, 1])
    return np.array([np.sqrt(c) / (np.sqrt(c) + np.sqrt(d)), 1 / (1 + np.sqrt(c * d))])


RECIPES = {
    "Nash": exact_nash_2x2,
    "logit QRE": lambda game: logit_qre(game, 1.047),
    "payoff-sampling equilibrium": lambda game: payoff_sampling(game, 6),
    "action-sampling equilibrium": lambda game: action_sampling(game, 12),
    "impulse balance equilibrium": impulse_balance,
}


@pytest.mark.parametrize("concept", reference_concepts(), ids=lambda c: c.name)
def test_reference_predictions_and_errors_recomputed(concept):
    exact = np.array([RECIPES[concept.name](record.game) for record in TWELVE])
    np.testing.assert_allclose(concept.predictions, exact, atol=5.2e-4)
    misses = exact - np.array([p_first(record.frequencies) for record in TWELVE])
    errors = np.sum(misses**2, axis=1)
    assert concept.error_all == pytest.approx(np.mean(errors), abs=2e-6)
    assert concept.error_constant_sum == pytest.approx(np.mean(errors[:6]), abs=2e-6)
    assert concept.error_other == pytest.approx(np.mean(errors[6:]), abs=2e-6)
    assert concept.largest_error == pytest.approx(np.max(np.abs(misses)), abs=6e-4)


def test_common_parameters_are_the_best_ones():
    observed = np.array([p_first(record.frequencies) for record in TWELVE])

    def error(recipe, parameter):
        return np.mean(
            np.sum((np.array([recipe(r.game, parameter) for r in TWELVE]) - observed) ** 2, axis=1)
        )

    assert min(range(3, 16), key=lambda n: error(action_sampling, n)) == 12
    assert min(range(2, 12), key=lambda n: error(payoff_sampling, n)) == 6
    assert error(logit_qre, 1.047) < min(error(logit_qre, 1.0), error(logit_qre, 1.1))


def test_observed_play_refuses_what_does_not_fit():
    game = NormalFormGame([np.eye(2), np.eye(2)])
    half = np.array([0.5, 0.5])
    with pytest.raises(ValueError, match=r"strategies\[0\]"):
        ObservedPlay(game, (np.array([0.7, 0.7]), half))
    with pytest.raises(ValueError, match="one positive count per player"):
        ObservedPlay(game, (half, half), (3,))
    with pytest.raises(ValueError, match="one positive count per player"):
        ObservedPlay(game, (half, half), (3, 0))
