"""Regularizers and the noisy best responses they define."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import log_softmax, softmax

from equipoise.preferences import LOG_BARRIER, NEGATIVE_ENTROPY, SQUARED_NORM, regularizer
from law_strategies import laws, payoffs

ALL = (NEGATIVE_ENTROPY, LOG_BARRIER, SQUARED_NORM)
GOLDEN = (np.sqrt(5) - 1) / 2

each = pytest.mark.parametrize("nu", ALL, ids=lambda nu: nu.name)


def test_values_by_hand():
    pi = np.array([0.5, 0.25, 0.25])
    assert NEGATIVE_ENTROPY.value(pi) == pytest.approx(-1.5 * np.log(2))
    assert LOG_BARRIER.value(pi) == pytest.approx(5 * np.log(2))
    assert SQUARED_NORM.value(pi) == pytest.approx(0.1875)
    np.testing.assert_allclose(NEGATIVE_ENTROPY.gradient(pi), np.log(pi) + 1)
    np.testing.assert_allclose(LOG_BARRIER.gradient(pi), -1 / pi)
    np.testing.assert_allclose(SQUARED_NORM.gradient(pi), pi)


def test_values_on_the_boundary():
    pi = np.array([1.0, 0.0])
    assert NEGATIVE_ENTROPY.value(pi) == 0
    assert LOG_BARRIER.value(pi) == np.inf
    assert SQUARED_NORM.value(pi) == 0.5
    assert NEGATIVE_ENTROPY.gradient(pi)[1] == -np.inf
    assert LOG_BARRIER.gradient(pi)[1] == -np.inf


def test_responses_by_hand():
    """One action better by eps: golden section for the barrier, 1/(1 + 1/e) for the entropy."""
    for eps in (0.01, 1.0, 300.0):
        u = np.array([eps, 0.0])
        np.testing.assert_allclose(LOG_BARRIER.respond(u, eps), [GOLDEN, 1 - GOLDEN], rtol=1e-13)
        np.testing.assert_allclose(NEGATIVE_ENTROPY.respond(u, eps)[0], 1 / (1 + np.exp(-1)), rtol=1e-13)
        np.testing.assert_allclose(SQUARED_NORM.respond(u, eps), [1, 0], atol=1e-15)
        np.testing.assert_allclose(SQUARED_NORM.respond(u / 2, eps), [0.75, 0.25], rtol=1e-13)


@given(st.data(), st.floats(-3, 6).map(lambda x: 10.0**x), st.floats(-6, 6).map(lambda x: 10.0**x))
def test_entropy_response_is_the_softmax(data, eps, scale):
    u = scale * data.draw(payoffs(5))
    np.testing.assert_allclose(NEGATIVE_ENTROPY.respond(u, eps), softmax(u / eps), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(
        NEGATIVE_ENTROPY.log_respond(u, eps), log_softmax(u / eps), rtol=1e-9, atol=1e-12
    )


@given(st.data(), st.floats(-3, 6).map(lambda x: 10.0**x), st.floats(-6, 6).map(lambda x: 10.0**x))
def test_barrier_response_solves_its_equation(data, eps, scale):
    u = scale * data.draw(payoffs(5))
    pi = LOG_BARRIER.respond(u, eps)
    distance = brentq(lambda x: np.log(np.sum(eps / (x * eps + (u.max() - u)))), 1.0, 5.0 + 1e-9, xtol=1e-15)
    np.testing.assert_allclose(pi, eps / (distance * eps + (u.max() - u)), rtol=1e-9)
    # kappa = u + eps/pi is the same for every action and lies in the bracket [max u + eps, max u + A eps].
    excess = eps / pi - (u.max() - u)
    tolerance = 1e-13 * (np.ptp(u) + eps)
    assert np.ptp(excess) <= 10 * tolerance
    assert eps - tolerance <= excess.min() <= excess.max() <= 5 * eps + tolerance
    assert (pi >= eps / (5 * eps + np.ptp(u)) * (1 - 1e-12)).all()
    np.testing.assert_allclose(LOG_BARRIER.log_respond(u, eps), np.log(pi))


@given(st.data(), st.floats(-3, 6).map(lambda x: 10.0**x))
def test_squared_norm_response_is_the_projection(data, eps):
    u = data.draw(payoffs(5))
    pi = SQUARED_NORM.respond(u, eps)
    # Projection by the sorted threshold, written out.
    w = np.sort((u - u.max()) / eps)[::-1]
    sums = (np.cumsum(w) - 1) / np.arange(1, 6)
    threshold = sums[np.nonzero(w > sums)[0].max()]
    np.testing.assert_allclose(pi, np.maximum((u - u.max()) / eps - threshold, 0), atol=1e-13)


@each
@given(data=st.data())
def test_response_beats_every_other_strategy(nu, data):
    u, eps = data.draw(payoffs(4)), 10.0 ** data.draw(st.floats(-2, 1))
    pi, best = nu.respond(u, eps), nu.maximum(u, eps)
    assert pi.sum() == pytest.approx(1, abs=1e-14)
    assert best == pytest.approx(u @ pi - eps * nu.value(pi), abs=1e-10)
    other = data.draw(laws(4))
    assert u @ other - eps * nu.value(other) <= best + 1e-10
    gap = u @ pi - u @ other - eps * (nu.value(pi) - nu.value(other))
    # Strong convexity: the loss is eps times the Bregman divergence, at least eps |x - y|^2/2.
    assert gap >= eps * np.sum((pi - other) ** 2) / 2 - 1e-10


@each
@given(data=st.data())
def test_response_ignores_a_common_payoff_and_the_units(nu, data):
    u, eps = data.draw(payoffs(4)), 10.0 ** data.draw(st.floats(-2, 1))
    pi = nu.respond(u, eps)
    np.testing.assert_allclose(nu.respond(u + 7, eps), pi, atol=1e-9)
    np.testing.assert_allclose(nu.respond(1e6 * u, 1e6 * eps), pi, rtol=1e-9, atol=1e-12)
    assert nu.maximum(u + 7, eps) == pytest.approx(nu.maximum(u, eps) + 7, abs=1e-10)


@each
def test_limits(nu):
    u = np.array([1.0, 3.0, 3.0, -2.0])
    np.testing.assert_array_equal(nu.respond(u, 0), [0, 0.5, 0.5, 0])
    np.testing.assert_allclose(nu.respond(u, np.inf), np.full(4, 0.25))
    np.testing.assert_allclose(nu.respond(u, 1e-9), [0, 0.5, 0.5, 0], atol=1e-8)
    assert nu.maximum(u, 0) == 3.0
    np.testing.assert_array_equal(nu.respond(np.array([5.0]), 2.0), [1.0])
    assert nu.maximum(np.array([5.0]), 2.0) == pytest.approx(5.0 - 2.0 * nu.value(np.ones(1)))
    np.testing.assert_allclose(nu.respond(np.zeros(3), 0.1), np.full(3, 1 / 3))


def test_log_response_survives_underflow():
    u = np.array([0.0, -1e6])
    np.testing.assert_array_equal(NEGATIVE_ENTROPY.log_respond(u, 1e-3), [0, -1e9])
    assert NEGATIVE_ENTROPY.respond(u, 1e-3)[1] == 0
    np.testing.assert_array_equal(NEGATIVE_ENTROPY.log_respond(u, 0), [0, -np.inf])
    np.testing.assert_array_equal(LOG_BARRIER.log_respond(u, 0), [0, -np.inf])


@each
def test_batches(nu):
    rng = np.random.default_rng(0)
    u, eps = rng.normal(size=(2, 3, 4)), np.array([0.1, 1.0, 10.0])
    pi, best = nu.respond(u, eps), nu.maximum(u, eps)
    assert pi.shape == (2, 3, 4)
    assert best.shape == (2, 3)
    np.testing.assert_allclose(pi[1, 2], nu.respond(u[1, 2], 10.0), atol=1e-14)
    np.testing.assert_allclose(nu.value(pi)[1, 2], nu.value(pi[1, 2]))


def test_lookup():
    assert regularizer("entropy") is NEGATIVE_ENTROPY
    assert regularizer("log_barrier") is LOG_BARRIER
    assert regularizer("squared_norm") is SQUARED_NORM
    assert regularizer(LOG_BARRIER) is LOG_BARRIER
    with pytest.raises(ValueError, match="unknown regularizer 'barrier'; known are 'entropy'"):
        regularizer("barrier")


@each
def test_errors_name_the_offending_value(nu):
    u = np.zeros(2)
    with pytest.raises(ValueError, match=r"eps = -1\.0"):
        nu.respond(u, -1.0)
    with pytest.raises(ValueError, match="eps = inf"):
        nu.maximum(u, np.inf)
    with pytest.raises(ValueError, match=r"u\[1\] = nan"):
        nu.respond(np.array([0.0, np.nan]), 1.0)
    with pytest.raises(ValueError, match=r"pi must sum to 1.*0\.9"):
        inspect.unwrap(type(nu).value)(nu, np.array([0.2, 0.7]))
