import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

from equipoise.equilibria._solution import NotConvergedError, Solution, solve
from equipoise.equilibria.batch import solve_batch
from equipoise.equilibria.behavioural import ActionSampling, ImpulseBalance, PayoffSampling
from equipoise.equilibria.fit import FitWarning, IdentificationWarning, fit
from equipoise.equilibria.nash import Nash
from equipoise.equilibria.qre import QRE
from equipoise.equilibria.rqe import RQE
from equipoise.games.normal_form import NormalFormGame
from equipoise.games.observed_play import ObservedPlay, observed_play, reference_concepts

RECORDS = [record for key, record in observed_play().items() if key.startswith("selten-chmura")]
GAMES = [record.game for record in RECORDS]
THREE = [GAMES[0], GAMES[3], GAMES[7]]


def played(games, concept, observations=None):
    """What a concept predicts exactly, as if observed."""
    return [ObservedPlay(game, solve(game, concept).strategies, observations) for game in games]


# The expensive fixture is made once, in one process.
pytestmark = pytest.mark.xdist_group("fit")


@pytest.fixture(scope="module")
def common():
    """One tau and eps for all twelve games, and for the first six to predict the others."""
    return fit(RQE, RECORDS, level=None, held_out=[range(6, 12)])


def log_likelihood(records, concept):
    """Multinomial log-likelihood, from the definition."""
    batch = solve_batch([record.game for record in records], concept)
    return sum(
        float(counts @ np.log(x))
        for record, solution in zip(records, batch, strict=True)
        for counts, x in zip(record.counts(), solution.strategies, strict=True)
    )


@pytest.mark.parametrize(
    ("template", "concept", "observations"),
    [
        (RQE, RQE(0.3, 0.7), None),
        (RQE, RQE(0.3, 0.7), (900, 700)),
        (RQE(penalty="reverse_kl"), RQE(0.2, 1.1, penalty="reverse_kl"), None),
        (RQE(regularizer="log_barrier"), RQE(0.15, 0.4, regularizer="log_barrier"), (80, 80)),
        (RQE(form="action_dependent"), RQE(0.1, 0.9, form="action_dependent"), None),
    ],
)
def test_parameters_behind_exact_frequencies_are_recovered(template, concept, observations):
    found = fit(template, played(THREE, concept, observations), level=None)
    assert found.criterion == ("likelihood" if observations else "least_squares")
    assert found.parameters["risk_aversion"] == pytest.approx(concept.risk_aversion, rel=1e-6)
    assert found.parameters["bounded_rationality"] == pytest.approx(concept.bounded_rationality, rel=1e-6)
    assert found.value < 1e-10
    assert found.largest_error < 1e-7
    assert found.converged
    assert found.largest_gap < 1e-8
    assert found.concept.penalty == concept.penalty


def test_every_player_can_have_parameters_of_its_own():
    concept = RQE((0.1, 0.4), (1.2, 0.6))
    found = fit(RQE, played(GAMES, concept), sharing="per_player")
    assert [one.player for one in found.estimates] == ["Row", "Column", "Row", "Column"]
    np.testing.assert_allclose([one.value for one in found.estimates], [0.1, 0.4, 1.2, 0.6], rtol=1e-6)
    np.testing.assert_allclose(found.concept.risk_aversion, (0.1, 0.4), rtol=1e-6)
    assert found.identified


def test_every_game_can_have_parameters_of_its_own():
    precisions = [0.5, 1.0, 2.0]
    data = [played([game], QRE(p))[0] for game, p in zip(THREE, precisions, strict=True)]
    found = fit(QRE, data, sharing="per_game")
    np.testing.assert_allclose([one.value for one in found.estimates], precisions, rtol=1e-6)
    assert [one.game for one in found.estimates] == [game.title for game in THREE]
    assert [concept.precision for concept in found.concepts] == [one.value for one in found.estimates]
    with pytest.raises(ValueError, match=r"use fit\.concepts"):
        _ = found.concept


def test_three_players_and_unequal_actions():
    game = NormalFormGame(np.random.default_rng(3).normal(size=(3, 2, 3, 2)))
    concept = RQE(0.8, 0.5)
    found = fit(RQE, [*played([game], concept), *played(THREE, concept)])
    assert found.parameters["risk_aversion"] == pytest.approx(0.8, rel=1e-6)
    assert found.parameters["bounded_rationality"] == pytest.approx(0.5, rel=1e-6)
    assert [len(profile) for profile in found.predictions] == [3, 2, 2, 2]


def test_scaling_payoffs_scales_the_estimates():
    # Payoffs times s are the same as tau times s and eps divided by s.
    data = played(THREE, RQE(0.3, 0.7))
    scaled = [ObservedPlay(NormalFormGame([100 * p for p in r.game.payoffs]), r.frequencies) for r in data]
    found = fit(RQE, scaled)
    assert found.parameters["risk_aversion"] == pytest.approx(0.003, rel=1e-6)
    assert found.parameters["bounded_rationality"] == pytest.approx(70.0, rel=1e-6)


def test_held_fields_stay_and_the_rest_is_fitted():
    data = played(THREE, RQE(0.3, 0.7))
    found = fit(RQE, data, fixed={"risk_aversion": 0.3})
    assert found.free_parameters == 1
    assert found.concept.risk_aversion == 0.3
    assert found.parameters == pytest.approx({"bounded_rationality": 0.7}, rel=1e-6)
    found = fit(RQE, data, fixed={"risk_aversion": 0.3, "bounded_rationality": 0.7})
    assert found.free_parameters == 0
    assert found.value < 1e-15


def test_product_of_the_two_parameters_can_be_held():
    found = fit(RQE, played(THREE, RQE(0.3, 0.7)), product=0.21)
    assert found.free_parameters == 1
    assert found.concept.risk_aversion == pytest.approx(0.3, rel=1e-6)
    assert found.concept.bounded_rationality == pytest.approx(0.7, rel=1e-6)
    both = fit(RQE, played(THREE, RQE((0.1, 0.3), (2.1, 0.7))), product=0.21, sharing="per_player")
    np.testing.assert_allclose(both.concept.risk_aversion, (0.1, 0.3), rtol=1e-6)


@pytest.mark.parametrize(
    ("concept", "reference", "value"),
    [
        (QRE, "logit QRE", 1.047),
        (ActionSampling, "action-sampling equilibrium", 12),
        (PayoffSampling, "payoff-sampling equilibrium", 6),
        (ImpulseBalance, "impulse balance equilibrium", None),
        (Nash, "Nash", None),
    ],
)
def test_published_fits_to_the_twelve_games(concept, reference, value):
    search = {"samples": (value - 1, value + 1)} if concept in (ActionSampling, PayoffSampling) else None
    found = fit(concept, RECORDS, criterion="least_squares", search=search)
    published = next(one for one in reference_concepts() if one.name == reference)
    assert found.free_parameters == published.free_parameters
    if value is not None:
        assert found.estimates[0].value == pytest.approx(value, abs=5e-4)
    for part, error in [
        (slice(None), published.error_all),
        (slice(6), published.error_constant_sum),
        (slice(6, None), published.error_other),
    ]:
        assert found.errors[part].mean() == pytest.approx(error, abs=5.1e-7)
    assert found.value == pytest.approx(found.mean_error, rel=1e-12)
    # Of action sampling it is .1405 in truth, .141 in print.
    assert found.largest_error == pytest.approx(published.largest_error, abs=6e-4)


def test_maximum_likelihood_agrees_with_scipy(common):
    qre = fit(QRE, RECORDS, level=None)
    by_scipy = minimize_scalar(
        lambda p: -log_likelihood(RECORDS, QRE(p)), bounds=(0.5, 2.0), options={"xatol": 1e-10}
    )
    assert qre.log_likelihood == pytest.approx(-by_scipy.fun, rel=1e-13)
    assert qre.parameters["precision"] == pytest.approx(by_scipy.x, rel=1e-5)

    by_scipy = minimize(
        lambda x: -log_likelihood(RECORDS, RQE(*np.exp(x))),
        np.log([0.1, 1.0]),
        method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-7},
    )
    assert common.log_likelihood == pytest.approx(-by_scipy.fun, rel=1e-12)
    np.testing.assert_allclose(list(common.parameters.values()), np.exp(by_scipy.x), rtol=1e-4)


def test_gradient_vanishes_at_the_optimum(common):
    h = 1e-4
    tau, eps = common.parameters.values()
    for direction in ((1, 0), (0, 1)):
        above, below = (
            log_likelihood(
                RECORDS, RQE(tau * np.exp(s * h * direction[0]), eps * np.exp(s * h * direction[1]))
            )
            for s in (1, -1)
        )
        # The second derivative in a logarithm is in the thousands: a thousandth is a step of 1e-6.
        assert abs(above - below) / (2 * h) < 5e-3


def test_information_criteria_and_deviance_from_their_definitions(common):
    found = common
    assert found.log_likelihood == pytest.approx(log_likelihood(RECORDS, found.concept), rel=1e-13)
    best = sum(float(n @ np.log(n / n.sum())) for record in RECORDS for n in record.counts())
    assert found.value == pytest.approx(2 * (best - found.log_likelihood), rel=1e-9)
    choices = sum(sum(record.observations) for record in RECORDS)
    assert found.aic == pytest.approx(4 - 2 * found.log_likelihood, rel=1e-14)
    assert found.bic == pytest.approx(2 * np.log(choices) - 2 * found.log_likelihood, rel=1e-14)


@pytest.mark.slow
def test_profile_interval_ends_where_the_deviance_has_risen_by_the_quantile():
    found = fit(QRE, RECORDS[:3])
    (one,) = found.estimates
    assert found.intervals == "profile likelihood"
    assert one.low < one.value < one.high
    for end in (one.low, one.high):
        # 3.841459 is the 95 % quantile of chi-square with one degree of freedom.
        rise = 2 * (found.log_likelihood - log_likelihood(RECORDS[:3], QRE(end)))
        assert rise == pytest.approx(3.841459, rel=1e-4)

    both = fit(RQE, RECORDS[:3], level=0.9)
    noise = both.estimates[1]
    # The other parameter is fitted anew at the end of the interval.
    held = fit(RQE, RECORDS[:3], fixed={"bounded_rationality": noise.high}, level=None)
    assert held.value - both.value == pytest.approx(2.705543, rel=1e-4)


@pytest.mark.slow
def test_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(20)
    predicted = solve(GAMES[3], QRE(1.2)).strategies
    data = [(GAMES[3], [rng.multinomial(200, x) for x in predicted]) for _ in range(60)]
    found = fit(QRE, data, sharing="per_game", level=0.9)
    covered = sum(one.low < 1.2 < one.high for one in found.estimates)
    # 54 expected of 60, with a standard deviation of 2.3.
    assert 48 <= covered <= 59


def test_whole_numbers_have_an_interval_of_candidates():
    data = played(THREE, ActionSampling(4), (40, 40))
    found = fit(ActionSampling, data, search={"samples": (1, 8)})
    (one,) = found.estimates
    assert one.value == 4
    inside = [
        n
        for n in range(1, 9)
        if 2 * (found.log_likelihood - log_likelihood(data, ActionSampling(n))) <= 3.841459
    ]
    assert one.low == min(inside)
    assert one.high == (np.inf if 8 in inside else max(inside))
    assert found.concept == ActionSampling(4)
    assert found.identification is None


@pytest.mark.slow
def test_bootstrap_over_games_covers_the_estimate_and_follows_the_generator():
    first, second = (
        fit(QRE, RECORDS, criterion="least_squares", bootstrap=np.random.default_rng(1), resamples=12)
        for _ in range(2)
    )
    (one,) = first.estimates
    assert first.intervals == "bootstrap over games"
    assert one.low < one.value < one.high
    assert second.estimates == first.estimates
    # Identical games leave nothing to chance.
    (same,) = fit(
        QRE,
        [RECORDS[0]] * 2,
        criterion="least_squares",
        bootstrap=np.random.default_rng(1),
        resamples=3,
    ).estimates
    assert same.low == pytest.approx(same.value, rel=1e-3)
    assert same.high == pytest.approx(same.value, rel=1e-3)


def test_four_parameters_for_two_numbers_are_not_identified():
    with pytest.warns(IdentificationWarning, match="not identified: 4 parameters for 2 observed numbers"):
        found = fit(RQE, RECORDS[0], sharing="per_player", level=None)
    assert not found.identified
    assert found.identification.rank == 2
    assert found.identification.condition == np.inf
    assert "not identified" in found.warnings[0]
    assert found.value < 1e-10


def test_two_parameters_of_twelve_games_are_identified(common):
    found = common
    assert found.identified
    assert found.identification.warning == ""
    assert (found.identification.parameters, found.identification.numbers) == (2, 24)
    assert 1.0 <= found.identification.condition < 10.0


@pytest.mark.slow
def test_estimates_at_the_end_of_the_range_are_reported_with_their_meaning():
    with pytest.warns(FitWarning, match=r"risk_aversion = .* lower end .* no risk aversion"):
        found = fit(RQE, played(THREE, QRE(1.5), (100, 100)))
    tau, eps = found.estimates
    assert (tau.at_end, eps.at_end) == ("low", "")
    assert tau.low == 0.0
    assert np.isfinite(tau.high)
    assert eps.value == pytest.approx(1 / 1.5, rel=1e-3)
    assert found.identification.parameters == 1

    uniform = [ObservedPlay(game, (np.full(2, 0.5), np.full(2, 0.5)), (50, 50)) for game in THREE]
    with pytest.warns(FitWarning, match=r"precision = .* lower end .* close to uniform"):
        fit(QRE, uniform, level=None)
    with pytest.warns(FitWarning, match=r"precision = 0.8 sits at the upper end .* may lie beyond"):
        fit(QRE, RECORDS, search={"precision": (0.1, 0.8)}, level=None)


def test_leaving_one_game_out_refits_to_the_others():
    found = fit(QRE, RECORDS[:3], criterion="least_squares", held_out=True)
    held = found.held_out
    assert held.folds == ((0,), (1,), (2,))
    for k in (0, 2):
        rest = fit(QRE, [r for j, r in enumerate(RECORDS[:3]) if j != k], criterion="least_squares")
        assert held.concepts[k].precision == pytest.approx(rest.concept.precision, rel=1e-6)
        predicted = solve(GAMES[k], rest.concept).strategies
        error = sum((x[0] - o[0]) ** 2 for x, o in zip(predicted, RECORDS[k].frequencies, strict=True))
        assert held.errors[k] == pytest.approx(error, rel=1e-6)
    assert held.mean_error == pytest.approx(held.errors.mean(), rel=1e-14)
    assert held.mean_error > found.mean_error


def test_half_of_the_games_predicts_the_other_half(common):
    held = common.held_out
    assert held.games == tuple(range(6, 12))
    rest = fit(RQE, RECORDS[:6], level=None)
    np.testing.assert_allclose(
        [held.concepts[0].risk_aversion, held.concepts[0].bounded_rationality],
        list(rest.parameters.values()),
        rtol=1e-6,
    )
    assert held.log_likelihood == pytest.approx(log_likelihood(RECORDS[6:], rest.concept), rel=1e-9)
    assert len(held.predictions) == 6


def test_concepts_without_parameters_are_predicted_as_they_are():
    found = fit(ImpulseBalance, RECORDS, criterion="least_squares", held_out=True)
    assert found.held_out.mean_error == found.mean_error
    assert found.estimates == ()
    assert found.intervals == ""


def test_weights_of_games():
    weights = [record.groups for record in RECORDS]
    found = fit(QRE, RECORDS, criterion="least_squares", weights=weights)
    assert found.value == pytest.approx(np.average(found.errors, weights=weights), rel=1e-12)
    equal = fit(QRE, RECORDS[:6] * 2 + RECORDS[6:], criterion="least_squares")
    assert found.concept.precision == pytest.approx(equal.concept.precision, rel=1e-7)


def test_counts_and_frequencies_are_told_apart():
    counts = [np.array([30, 70]), np.array([45, 55])]
    by_counts = fit(QRE, (GAMES[0], counts), level=None)
    record = ObservedPlay(GAMES[0], (np.array([0.3, 0.7]), np.array([0.45, 0.55])), (100, 100))
    by_record = fit(QRE, record, level=None)
    assert by_counts.criterion == by_record.criterion == "likelihood"
    assert by_counts.parameters == by_record.parameters
    shares = fit(QRE, [(GAMES[0], ([0.3, 0.7], [0.45, 0.55]))])
    assert shares.criterion == "least_squares"
    assert shares.log_likelihood is None
    single = fit(Nash, (GAMES[0], ([1, 0], [0, 1])))
    assert single.records[0].observations == (1, 1)


def test_impossible_observations_have_no_likelihood():
    prisoners = NormalFormGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
    with pytest.warns(FitWarning, match="predicted probability zero"):
        found = fit(Nash, (prisoners, ([5, 95], [10, 90])))
    assert found.value == np.inf
    assert found.log_likelihood == -np.inf
    assert found.largest_error == pytest.approx(0.1)


class Lost(Nash):
    def find(self, game) -> Solution:
        found = Nash().find(game)
        return Solution(**{**vars(found), "converged": False})


def test_predictions_that_did_not_converge_are_refused():
    with pytest.raises(NotConvergedError):
        fit(Lost(), RECORDS[:1])


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((int, RECORDS), {}, TypeError, "concept must be a solution concept"),
        ((QRE, "choices.csv"), {}, TypeError, "data must be ObservedPlay"),
        ((QRE, GAMES[0]), {}, TypeError, "data must be ObservedPlay"),
        ((QRE, []), {}, ValueError, "data is empty"),
        ((QRE, [GAMES[0]]), {}, TypeError, r"data\[0\] must be"),
        ((QRE, (GAMES[0], [[1, 2]])), {}, ValueError, "choices of 1 players"),
        ((QRE, (GAMES[0], [[1, 2, 3], [1, 2]])), {}, ValueError, r"Row: choices have shape \(3,\)"),
        ((QRE, (GAMES[0], [[0.5, 0.4], [0.5, 0.5]])), {}, ValueError, "Row: .* sums to 0.9"),
        ((QRE, (GAMES[0], [[0.5, 0.7], [0.5, 0.5]])), {}, ValueError, "frequencies must sum to 1"),
        ((QRE, (GAMES[0], [[-1, 2], [1, 1]])), {}, ValueError, "zero or positive"),
        ((QRE, (GAMES[0], [[0, 0], [1, 1]])), {}, ValueError, "at least one choice"),
        ((QRE, (GAMES[0], [["a", "b"], [1, 1]])), {}, TypeError, "one number per action"),
        ((QRE, RECORDS), {"criterion": "chi2"}, ValueError, "criterion must be one of"),
        ((QRE, RECORDS), {"sharing": "all"}, ValueError, "sharing must be one of"),
        ((QRE, RECORDS), {"level": 95.0}, ValueError, "level must be between 0 and 1"),
        ((QRE, RECORDS), {"fixed": {"tau": 1.0}}, ValueError, "QRE has no parameter 'tau'.*precision"),
        ((RQE, RECORDS), {"fixed": {"risk_aversion": -1.0}}, ValueError, "risk_aversion must be zero or"),
        ((Nash, RECORDS), {"search": {"precision": (1, 2)}}, ValueError, "it has none"),
        ((QRE, RECORDS), {"search": {"precision": (2, 1)}}, ValueError, "0 < low < high"),
        ((ActionSampling, RECORDS), {"search": {"samples": (1.5, 3)}}, ValueError, "whole numbers"),
        ((ActionSampling, RECORDS), {"sharing": "per_player"}, ValueError, "one sample size"),
        ((QRE, RECORDS), {"product": 1.0}, ValueError, "goes with RQE alone"),
        ((RQE, RECORDS), {"product": -1.0}, ValueError, "product must be positive"),
        ((RQE, RECORDS), {"product": 1.0, "search": {"risk_aversion": (1, 2)}}, ValueError, "not estimated"),
        ((QRE, RECORDS), {"weights": [1.0] * 12}, ValueError, "the likelihood weighs games"),
        ((QRE, RECORDS), {"criterion": "least_squares", "weights": [1.0]}, ValueError, "one positive number"),
        ((QRE, RECORDS[:1]), {"held_out": True}, ValueError, "leaves no game to fit"),
        ((QRE, RECORDS), {"held_out": [[0], [0, 1]]}, ValueError, "at most once"),
        ((QRE, RECORDS), {"held_out": [[12]]}, ValueError, "0 to 11"),
        ((QRE, RECORDS), {"held_out": True, "sharing": "per_game"}, ValueError, "nothing is learned"),
        ((QRE, RECORDS[:1]), {"bootstrap": np.random.default_rng()}, ValueError, "at least two games"),
    ],
)
def test_bad_input_is_explained(arguments, options, error, message):
    with pytest.raises(error, match=message):
        fit(*arguments, **options)


def test_likelihood_needs_numbers_of_observations():
    unknown = observed_play()["goeree-holt-palfrey-4"]
    with pytest.raises(ValueError, match="not known for goeree-holt-palfrey-4; give counts"):
        fit(QRE, unknown, criterion="likelihood")
