from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.equilibria._sampling import (
    action_sampling_by_draws,
    action_sampling_choice,
    payoff_sampling_by_draws,
    payoff_sampling_choice,
    sample_space,
)


def split(totals: np.ndarray) -> np.ndarray:
    best = totals >= totals.max() - 1e-9
    return best / best.sum()


def action_sampling_over_sequences(M: np.ndarray, q: np.ndarray, n: int) -> np.ndarray:
    draws = list(product(range(M.shape[1]), repeat=n))
    return sum(np.prod(q[list(d)]) * split(M[:, list(d)].sum(axis=1)) for d in draws)


def payoff_sampling_over_sequences(M: np.ndarray, q: np.ndarray, n: int) -> np.ndarray:
    own, others = M.shape
    chosen = np.zeros(own)
    for draws in product(product(range(others), repeat=n), repeat=own):
        totals = np.array([M[a, list(d)].sum() for a, d in enumerate(draws)])
        chosen += np.prod([q[list(d)].prod() for d in draws]) * split(totals)
    return chosen


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 10**6),
    st.sampled_from([(2, 2, 3), (3, 2, 2), (2, 3, 2), (1, 2, 2), (3, 1, 2)]),
    st.sampled_from([1.0, 1 / 3]),
)
def test_both_evaluations_equal_the_sum_over_all_sequences_of_draws(seed, shape, unit):
    own, others, n = shape
    rng = np.random.default_rng(seed)
    M = rng.integers(0, 4, size=(own, others)) * unit  # many ties, also inexact ones
    q = rng.dirichlet(np.ones(others))
    by_sequence = action_sampling_over_sequences(M, q, n)
    np.testing.assert_allclose(action_sampling_choice(M, n)(q), by_sequence, atol=1e-13)
    np.testing.assert_allclose(action_sampling_by_draws(M, q, n), by_sequence, atol=1e-13)
    by_sequence = payoff_sampling_over_sequences(M, q, n)
    np.testing.assert_allclose(payoff_sampling_choice(M, n)(q), by_sequence, atol=1e-13)
    np.testing.assert_allclose(payoff_sampling_by_draws(M, q, n), by_sequence, atol=1e-13)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.integers(5, 20), st.integers(2, 3))
def test_the_two_evaluations_agree_where_sequences_are_too_many(seed, n, others):
    rng = np.random.default_rng(seed)
    M, q = rng.normal(size=(4, others)), rng.dirichlet(np.ones(others))
    np.testing.assert_allclose(action_sampling_choice(M, n)(q), action_sampling_by_draws(M, q, n), atol=1e-12)
    np.testing.assert_allclose(payoff_sampling_choice(M, n)(q), payoff_sampling_by_draws(M, q, n), atol=1e-12)


def test_common_level_and_unit_of_payoffs_do_not_matter():
    M, q = np.array([[3.0, 0.0], [1.0, 1.0]]), np.array([0.3, 0.7])
    for choice in (action_sampling_choice, payoff_sampling_choice):
        expected = choice(M, 6)(q)
        np.testing.assert_allclose(choice(1e-4 * M + 1e3, 6)(q), expected, atol=1e-12)


def test_constant_payoffs_are_all_ties():
    for by_draws in (action_sampling_by_draws, payoff_sampling_by_draws):
        np.testing.assert_allclose(by_draws(np.ones((3, 2)), np.array([0.2, 0.8]), 4), np.full(3, 1 / 3))


def test_sample_space_counts_multisets():
    assert sample_space(12, 2) == 13
    assert sample_space(4, 3) == 15
    assert sample_space(7, 1) == 1


def test_thousand_samples_stay_finite():
    M = np.array([[1.0, 0.0], [0.0, 1.0]])
    chosen = action_sampling_choice(M, 1000)(np.array([0.55, 0.45]))
    # The sample share of the first action exceeds one half unless a binomial deviates by 3.2 sigma.
    assert chosen.sum() == pytest.approx(1.0)
    assert 0.999 < chosen[0] < 1.0
