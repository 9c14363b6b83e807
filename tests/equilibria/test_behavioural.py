import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.equilibria._solution import solve
from equipoise.equilibria.behavioural import ActionSampling, ImpulseBalance, PayoffSampling
from equipoise.games.normal_form import NormalFormGame
from equipoise.games.observed_play import observed_play, reference_concepts

RECORDS = [record for key, record in observed_play().items() if key.startswith("selten-chmura")]
OBSERVED = np.array([[x[0] for x in record.frequencies] for record in RECORDS])
REFERENCE = {concept.name: concept for concept in reference_concepts()}
CASES = [
    (PayoffSampling(6), "payoff-sampling equilibrium"),
    (ActionSampling(12), "action-sampling equilibrium"),
    (ImpulseBalance(), "impulse balance equilibrium"),
]


def symmetric(own_first) -> NormalFormGame:
    matrix = np.array(own_first, dtype=float)
    return NormalFormGame([matrix, matrix.T])


@pytest.mark.parametrize(("concept", "reference"), CASES)
def test_published_predictions_for_the_twelve_games(concept, reference):
    solutions = [solve(record.game, concept) for record in RECORDS]
    predicted = np.array([[x[0] for x in solution.strategies] for solution in solutions])
    expected = REFERENCE[reference]
    np.testing.assert_allclose(predicted, expected.predictions, rtol=0, atol=5.001e-4)
    assert max(solution.certificate.gap for solution in solutions) < 1e-12
    errors = np.sum((predicted - OBSERVED) ** 2, axis=1)
    for found, published in [
        (errors.mean(), expected.error_all),
        (errors[:6].mean(), expected.error_constant_sum),
        (errors[6:].mean(), expected.error_other),
    ]:
        assert found == pytest.approx(published, abs=5.1e-7)
    # The largest error of action sampling is .1405 in truth, .141 in print.
    assert np.abs(predicted - OBSERVED).max() == pytest.approx(expected.largest_error, abs=6e-4)


def test_action_sampling_ignores_what_only_the_opponent_decides():
    # Game k + 6 adds to game k a function of the opponent's action, which no best reply depends on.
    for one, other in zip(RECORDS[:6], RECORDS[6:], strict=True):
        pair = [solve(record.game, ActionSampling(12)).strategies for record in (one, other)]
        np.testing.assert_allclose(pair[0][0], pair[1][0], atol=1e-10)
        np.testing.assert_allclose(pair[0][1], pair[1][1], atol=1e-10)


@pytest.mark.parametrize(("samples", "share"), [(1, 1 / 2), (2, (np.sqrt(5) - 1) / 2)])
def test_payoff_sampling_by_hand(samples, share):
    # The first action pays 1; the second 3 against the first and 0 against itself. With p the share of the
    # second it wins unless all its draws meet itself: p = 1 - p^n for n = 1, 2.
    solution = solve(symmetric([[1, 1], [3, 0]]), PayoffSampling(samples))
    np.testing.assert_allclose(solution.strategies[0][1], share, atol=1e-12)
    np.testing.assert_allclose(solution.strategies[1][1], share, atol=1e-12)


def test_action_sampling_by_hand():
    # One observed action: copy the opponent in one role, oppose it in the other; only 1/2 is consistent.
    pennies = np.array([[1.0, -1.0], [-1.0, 1.0]])
    solution = solve(NormalFormGame([pennies, -pennies]), ActionSampling(1))
    np.testing.assert_allclose(solution.strategies[0], [0.5, 0.5], atol=1e-12)
    # Hawk is better only if both observed opponents are doves: p = (1 - p)^2 for its share.
    solution = solve(symmetric([[0, 4], [2, 3]]), ActionSampling(2))
    np.testing.assert_allclose(solution.strategies[0][0], (3 - np.sqrt(5)) / 2, atol=1e-12)


def test_dominance_and_more_than_two_actions():
    dilemma = symmetric([[3, 0], [5, 1]])
    np.testing.assert_allclose(solve(dilemma, ActionSampling(5)).strategies[0], [0, 1], atol=1e-12)
    rps = symmetric([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    for concept in (ActionSampling(4), PayoffSampling(4)):
        np.testing.assert_allclose(solve(rps, concept).strategies[0], np.full(3, 1 / 3), atol=1e-10)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.sampled_from([(2, 2), (2, 3), (3, 3)]), st.integers(1, 5))
def test_flag_agrees_with_the_independent_certificate(seed, shape, samples):
    rng = np.random.default_rng(seed)
    game = NormalFormGame(rng.integers(0, 9, size=(2, *shape)))
    for concept in (ActionSampling(samples), PayoffSampling(samples)):
        solution = solve(game, concept, throw=False)
        assert solution.converged == (solution.certificate.gap < 1e-8)
        if shape == (2, 2):
            assert solution.converged


def test_many_samples_approach_nash():
    record = RECORDS[1]
    nash = np.array([x[0] for x in record.nash])
    distances = []
    for samples in (5, 20, 80, 320):
        found = solve(record.game, ActionSampling(samples)).strategies
        distances.append(np.abs([found[0][0] - nash[0], found[1][0] - nash[1]]).max())
    assert np.all(np.diff(distances) < 0)
    assert distances[-1] < 0.03


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.booleans(), st.booleans(), st.booleans())
def test_impulse_balance_does_not_depend_on_how_actions_and_players_are_listed(seed, rows, columns, roles):
    rng = np.random.default_rng(seed)
    up, down = rng.uniform(0.5, 3, size=(2, 4))
    row = np.array([[up[0], 0], [0, up[1]]]) + rng.normal(size=2)
    column = np.array([[0, down[0]], [down[1], 0]]) + rng.normal(size=(2, 1))
    game = NormalFormGame([row, column])
    solution = solve(game, ImpulseBalance())
    assert solution.certificate.gap < 1e-12
    other, expected = game, list(solution.strategies)
    for player, exchange in enumerate((rows, columns)):
        if exchange:
            other = other.permute_actions(player, [1, 0])
            expected[player] = expected[player][::-1]
    if roles:
        other, expected = other.permute_players([1, 0]), expected[::-1]
    found = solve(other, ImpulseBalance()).strategies
    np.testing.assert_allclose(found[0], expected[0], atol=1e-12)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-12)


def test_helpful_errors():
    for kind in (ActionSampling, PayoffSampling):
        with pytest.raises(TypeError, match="samples"):
            kind(2.5)
        with pytest.raises(TypeError, match="whole number"):
            kind(True)
        with pytest.raises(ValueError, match="from 1 to 1000, got 0"):
            kind(0)
        with pytest.raises(ValueError, match="two-player game, this one has 3"):
            kind(2).find(NormalFormGame(np.zeros((3, 2, 2, 2))))
        with pytest.raises(ValueError, match="use fewer samples"):
            kind(100).find(NormalFormGame(np.zeros((2, 6, 6))))
    with pytest.raises(ValueError, match="defined for 2x2 games, this one is 2x3"):
        ImpulseBalance().find(NormalFormGame(np.zeros((2, 2, 3))))
    with pytest.raises(ValueError, match="best replies do not cycle"):
        ImpulseBalance().find(symmetric([[4, 0], [3, 3]]))
