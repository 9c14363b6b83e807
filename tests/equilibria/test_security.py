import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.equilibria._solution import solve
from equipoise.equilibria.security import Security
from equipoise.games.normal_form import NormalFormGame


def zero_sum(matrix) -> NormalFormGame:
    return NormalFormGame([matrix, -np.asarray(matrix, dtype=float)])


def test_two_by_two_by_hand():
    # Without saddle point: value (ad - bc)/(a + d - b - c) and x = (d - c)/(a + d - b - c).
    solution = solve(zero_sum([[3.0, -1.0], [-2.0, 4.0]]), Security())
    np.testing.assert_allclose(solution.values, [1.0, -1.0], atol=1e-12)
    np.testing.assert_allclose(solution.strategies[0], [0.6, 0.4], atol=1e-12)
    np.testing.assert_allclose(solution.strategies[1], [0.5, 0.5], atol=1e-12)


def test_a_game_where_security_is_pure_and_nash_is_mixed():
    # Goeree, Holt and Palfrey (2003), game 4: (U, L) is the security profile.
    game = NormalFormGame([[[200, 160], [370, 10]], [[160, 10], [200, 370]]])
    solution = solve(game, Security())
    np.testing.assert_allclose(solution.strategies[0], [1, 0], atol=1e-12)
    np.testing.assert_allclose(solution.strategies[1], [1, 0], atol=1e-12)
    np.testing.assert_allclose(solution.values, [160, 160], atol=1e-9)
    assert solution.certificate.nash_gap == pytest.approx(170)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from([(3, 4), (1, 3), (2, 2, 3), (4,)]))
def test_guarantee_holds_and_cannot_be_beaten(seed, shape):
    rng = np.random.default_rng(seed)
    game = NormalFormGame(rng.normal(size=(len(shape), *shape)))
    solution = solve(game, Security())
    assert 0 <= solution.certificate.gap < 1e-9
    for i, count in enumerate(shape):
        matrix = game.own_first(i)
        assert np.all(solution.strategies[i] @ matrix >= solution.values[i] - 1e-12)
        others = rng.dirichlet(np.full(count, 0.5), size=200) @ matrix
        assert np.all(np.min(others, axis=1) <= solution.values[i] + 1e-9)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6))
def test_minimax_theorem_and_units(seed):
    rng = np.random.default_rng(seed)
    game = zero_sum(rng.normal(size=(3, 5)))
    solution = solve(game, Security())
    assert solution.values.sum() == pytest.approx(0.0, abs=1e-9)
    assert solution.certificate.nash_gap < 1e-8
    scaled = solve(game.scaled([1e6, 1e-3], [5.0, -7.0]), Security())
    np.testing.assert_allclose(
        scaled.values, solution.values * [1e6, 1e-3] + [5.0, -7.0], rtol=1e-9, atol=1e-9
    )


def test_pure_maximin_with_and_without_ties():
    game = NormalFormGame([[[2, 0], [1, 1], [1, 3]], [[0, 5], [4, 5], [0, 5]]])
    solution = solve(game, Security(pure=True))
    np.testing.assert_array_equal(solution.values, [1, 5])
    np.testing.assert_array_equal(solution.strategies[0], [0, 1, 0])
    np.testing.assert_array_equal(solution.strategies[1], [0, 1])
    assert "Player 1 has 2 such actions" in solution.status
    assert np.all(solve(game, Security()).values >= solution.values - 1e-12)


def test_one_player_just_maximises():
    solution = solve(NormalFormGame([[1.0, 4.0, 2.0]]), Security())
    np.testing.assert_allclose(solution.strategies[0], [0, 1, 0], atol=1e-12)
    assert solution.values[0] == 4.0


def test_pure_must_be_a_truth_value():
    with pytest.raises(TypeError, match="pure"):
        Security(pure="yes")
