from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.equilibria._complementarity import _Problem, refine, spread_starts
from equipoise.equilibria._gaps import nash_gap
from equipoise.games.normal_form import NormalFormGame

SHAPES = st.sampled_from([(3,), (2, 3), (2, 2, 2), (3, 2, 2), (2, 2, 2, 2)])


@given(st.integers(0, 10**6), SHAPES)
def test_jacobian_equals_central_differences(seed, shape):
    rng = np.random.default_rng(seed)
    problem = _Problem(NormalFormGame(rng.normal(size=(len(shape), *shape))))
    z = problem.join([rng.dirichlet(np.ones(count)) for count in shape]) + rng.normal(
        scale=0.05, size=sum(shape) + len(shape)
    )
    _, jacobian = problem.evaluate(z)
    for k, step in enumerate(1e-6 * np.eye(len(z))):
        difference = (problem.evaluate(z + step)[0] - problem.evaluate(z - step)[0]) / 2e-6
        np.testing.assert_allclose(jacobian[:, k], difference, atol=1e-5)


@given(st.integers(0, 10**6), SHAPES, st.booleans())
def test_residual_is_zero_at_equilibria_and_nowhere_else(seed, shape, integer):
    rng = np.random.default_rng(seed)
    size = (len(shape), *shape)
    game = NormalFormGame(rng.integers(0, 4, size=size) if integer else rng.normal(size=size))
    for start in islice(spread_starts(shape), 2):
        found = refine(game, start)
        gap = nash_gap(game, found.strategies)[0]
        # Ranges are at most about ten, and the residual is in units of them.
        assert gap <= 100 * found.residual + 1e-13
        if found.residual > 1e-6:
            assert gap > 1e-9


def test_an_equilibrium_is_left_alone_and_a_nearby_guess_returns_to_it():
    # Three players, each wants to differ from the next: only mixing evenly is stable against all.
    payoffs = np.zeros((3, 2, 2, 2))
    for a, b, c in np.ndindex(2, 2, 2):
        payoffs[:, a, b, c] = [a != b, b != c, c == a]
    game = NormalFormGame(payoffs)
    even = tuple(np.array([0.5, 0.5]) for _ in range(3))
    assert refine(game, even).steps <= 1
    guess = tuple(np.array([0.5 + e, 0.5 - e]) for e in (0.1, -0.05, 0.08))
    for x in refine(game, guess).strategies:
        np.testing.assert_allclose(x, [0.5, 0.5], atol=1e-12)


def test_unused_actions_get_exactly_zero():
    dilemma = NormalFormGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
    for x in refine(dilemma, (np.array([0.3, 0.7]), np.array([0.3, 0.7]))).strategies:
        np.testing.assert_array_equal(x, [0.0, 1.0])


def test_starts_cover_the_simplices_evenly_and_are_always_the_same():
    profiles = list(islice(spread_starts((3, 2)), 3000))
    for place, count in enumerate((3, 2)):
        points = np.array([profile[place] for profile in profiles])
        np.testing.assert_allclose(points.sum(axis=1), 1.0)
        # Uniform on the simplex: mean 1/k, variance (k - 1) / (k^2 (k + 1)).
        np.testing.assert_allclose(points.mean(axis=0), 1 / count, atol=0.01)
        np.testing.assert_allclose(points.var(axis=0), (count - 1) / (count**2 * (count + 1)), atol=0.01)
    again = next(iter(spread_starts((3, 2))))
    assert again[0] == pytest.approx(profiles[0][0], abs=0)
