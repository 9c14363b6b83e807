"""Divergence values: definitions, zeros, lookup."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import rel_entr

from equipoise.preferences import KL, CressieRead, CVaR, Divergence, divergence
from equipoise.preferences.divergences import PowerDivergence
from law_strategies import RULES, laws, textbook_divergence

P, Q = np.array([0.2, 0.5, 0.3]), np.array([0.4, 0.5, 0.1])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kl", 0.4 * np.log(2) + 0.1 * np.log(1 / 3)),
        ("reverse_kl", 0.2 * np.log(1 / 2) + 0.3 * np.log(3)),
        ("tv", 0.2),
        ("l1", 0.4),
        ("chi2", 0.04 / 0.2 + 0.04 / 0.3),
        ("cvar", np.log(2)),
    ],
)
def test_by_hand(name, expected):
    assert divergence(name).value(Q, P) == pytest.approx(expected, abs=1e-15)


def test_cressie_read_by_hand():
    k = 3.0
    t = Q / P
    expected = (P @ t**k - 1) / (k * (k - 1))
    assert CressieRead(k).value(Q, P) == pytest.approx(expected, abs=1e-15)
    assert CressieRead(2).value(Q, P) == pytest.approx(divergence("chi2").value(Q, P) / 2, abs=1e-15)
    assert CressieRead(1 + 1e-5).value(Q, P) == pytest.approx(KL().value(Q, P), rel=1e-4)
    assert CressieRead(1 + 1e-9).value(Q, P) == KL().value(Q, P)


@given(st.data(), st.sampled_from(RULES))
def test_agrees_with_the_definition(data, rule):
    p, q = data.draw(laws(5)), data.draw(laws(5))
    assert rule.value(q, p) == pytest.approx(textbook_divergence(rule, q, p), rel=1e-9, abs=1e-12)
    assert rule.value(p, p) == pytest.approx(0, abs=1e-15)
    assert rule.value(q, p) >= 0


@given(st.data())
def test_kl_agrees_with_scipy(data):
    p, q = data.draw(laws(6)), data.draw(laws(6))
    assert KL().value(q, p) == pytest.approx(rel_entr(q, p).sum(), rel=1e-12, abs=1e-12)
    assert divergence("reverse_kl").value(q, p) == pytest.approx(rel_entr(p, q).sum(), rel=1e-12, abs=1e-12)


@given(st.data(), st.sampled_from(RULES))
def test_jointly_convex(data, rule):
    if isinstance(rule, CVaR):
        return  # the logarithm of a quasi-convex function: only its balls are convex
    p, q, p2, q2 = (data.draw(laws(4)) for _ in range(4))
    ends = (rule.value(q, p) + rule.value(q2, p2)) / 2
    assert rule.value((q + q2) / 2, (p + p2) / 2) <= ends * (1 + 1e-12) + 1e-12


def test_zeros():
    inside, outside = np.array([0.0, 1.0]), np.array([0.5, 0.5])
    for rule in RULES:
        leaving, vanishing = rule.value(outside, inside), rule.value(inside, outside)
        if rule.name in ("tv", "l1"):
            assert np.isfinite(leaving)
            assert np.isfinite(vanishing)
        elif rule.name == "reverse_kl":
            assert leaving == pytest.approx(np.log(2))
            assert vanishing == np.inf
        else:
            assert leaving == np.inf
            assert np.isfinite(vanishing)


def test_neighbouring_laws_lose_no_digits():
    p = np.array([0.25, 0.75])
    for step in (1e-3, 1e-6, 1e-8):
        q = p + np.array([step, -step])
        second_order = step**2 * (1 / 0.25 + 1 / 0.75) / 2
        for rule in RULES:
            if isinstance(rule, PowerDivergence):
                assert rule.value(q, p) == pytest.approx(second_order, rel=20 * step + 1e-7)


def test_tiny_probabilities():
    p, q = np.array([1e-300, 1.0]), np.array([0.5, 0.5])
    assert KL().value(q, p) == pytest.approx(0.5 * np.log(0.5e300) + 0.5 * np.log(0.5))
    assert divergence("reverse_kl").value(q, p) == pytest.approx(np.log(2))
    assert divergence("chi2").value(q, p) == pytest.approx(0.25e300)


def test_batches_and_broadcasting():
    p = np.array([[0.2, 0.8], [0.6, 0.4]])
    values = KL().value(np.array([0.5, 0.5]), p)
    assert values.shape == (2,)
    assert values[1] == pytest.approx(KL().value(np.array([0.5, 0.5]), p[1]))


def test_lookup():
    for name in ("kl", "reverse_kl", "tv", "l1", "chi2", "cvar"):
        found = divergence(name)
        assert isinstance(found, Divergence)
        assert found.name == name
    assert divergence("cressie_read", 2.5) == CressieRead(2.5)
    assert divergence("cressie_read", 2.5).name == "cressie_read(2.5)"
    assert divergence(KL()) == KL()
    with pytest.raises(ValueError, match=r"order = 2 must not be given with KL\(\)"):
        divergence(KL(), 2)
    with pytest.raises(ValueError, match="unknown divergence 'KL'; known are"):
        divergence("KL")
    with pytest.raises(ValueError, match="order = inf"):
        CressieRead(np.inf)


def test_values_are_validated():
    value = inspect.unwrap(KL.value)
    with pytest.raises(ValueError, match=r"kernel must sum to 1.*0\.7"):
        value(KL(), np.array([0.2, 0.5]), np.array([0.5, 0.5]))
    with pytest.raises(ValueError, match=r"nominal\[0\] = -0\.5"):
        value(KL(), np.array([0.5, 0.5]), np.array([-0.5, 1.5]))
    with pytest.raises(TypeError, match="kernel must be an array of real numbers"):
        value(KL(), ["a", "b"], np.array([0.5, 0.5]))
    with pytest.raises(ValueError, match="last axis with at least one entry"):
        value(KL(), np.zeros(0), np.zeros(0))
