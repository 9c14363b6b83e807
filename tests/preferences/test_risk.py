"""Risk measures: what makes them convex risk measures, and their limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.preferences import KL, CVaR, RiskMeasure, entropic
from law_strategies import laws, payoffs

MEASURES = (
    entropic(0.7),
    RiskMeasure("kl", "constrained", 0.2),
    RiskMeasure("cvar", "constrained", 0.3),
    RiskMeasure("chi2", "penalised", 0.5),
    RiskMeasure.from_risk_aversion(2.0, "reverse_kl"),
    RiskMeasure("tv", "constrained", 0.1, support="ac"),
)
each = pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.name)


def test_entropic_by_hand():
    v, p = np.array([1.0, 0.0]), np.array([0.5, 0.5])
    measure = entropic(np.log(3))
    assert measure.certainty_equivalent(v, p) == pytest.approx(np.log(1.5) / np.log(3), abs=1e-12)
    np.testing.assert_allclose(measure.worst_case(v, p).kernel, [0.25, 0.75])


def test_indifference_to_a_safe_action_by_hand():
    """Payoffs [[3, 0], [1, 1]]: indifferent where the opponent's first action has this probability."""
    for tau, probability in ((0.0, 1 / 3), (np.log(2), 4 / 7)):
        law = np.array([probability, 1 - probability])
        assert entropic(tau).certainty_equivalent(np.array([3.0, 0.0]), law) == pytest.approx(1.0)


def test_averaging_before_risk_is_worth_more():
    """One adversary for the mixed row (.5) against one for each row (.369) of the identity game."""
    q, tau = np.array([0.5, 0.5]), np.log(3)
    rows = entropic(tau).certainty_equivalent(np.eye(2), q)
    np.testing.assert_allclose(rows, 0.36907, atol=5e-6)
    assert entropic(tau).certainty_equivalent(np.full(2, 0.5), q) == pytest.approx(0.5)


@each
@given(data=st.data())
def test_axioms(measure, data):
    p, v, other = data.draw(laws(4)), data.draw(payoffs(4)), data.draw(payoffs(4))
    value = measure.certainty_equivalent(v, p)
    assert measure.certainty_equivalent(v + 3, p) == pytest.approx(value + 3, abs=1e-10)
    assert measure.certainty_equivalent(np.maximum(v, other), p) >= value - 1e-11
    middle = measure.certainty_equivalent((v + other) / 2, p)
    assert middle >= (value + measure.certainty_equivalent(other, p)) / 2 - 1e-11
    assert value <= p @ v + 1e-11
    assert measure.certainty_equivalent(np.full(4, 0.3), p) == 0.3


@pytest.mark.parametrize("name", ["kl", "reverse_kl", "tv", "l1", "chi2"])
def test_risk_aversion_runs_from_the_mean_to_the_minimum(name):
    p, v = np.array([0.2, 0.5, 0.3]), np.array([1.0, -2.0, 5.0])
    values = [
        RiskMeasure.from_risk_aversion(tau, name).certainty_equivalent(v, p)
        for tau in (0.0, 1e-6, 1e-2, 1.0, 1e2, 1e6, np.inf)
    ]
    assert values[0] == pytest.approx(p @ v, abs=1e-15)
    assert values[-1] == -2.0
    assert (np.diff(values) <= 1e-15).all()
    assert values[1] == pytest.approx(values[0], abs=1e-5)
    assert values[-2] == pytest.approx(values[-1], abs=1e-4)


def test_entropic_in_second_order():
    p, v = np.array([0.2, 0.5, 0.3]), np.array([1.0, -2.0, 5.0])
    mean = p @ v
    for tau in (1e-4, 1e-6):
        loss = mean - entropic(tau).certainty_equivalent(v, p)
        assert loss == pytest.approx(tau / 2 * (p @ (v - mean) ** 2), rel=10 * tau + 1e-8)


def test_certain_payoffs_carry_no_risk_under_absolute_continuity():
    v, p = np.array([4.0, -1.0]), np.array([1.0, 0.0])
    assert entropic(3.0).certainty_equivalent(v, p) == 4.0
    assert RiskMeasure("tv", "constrained", 0.1).certainty_equivalent(v, p) == pytest.approx(3.5)


def test_names_and_resolution():
    assert entropic(2.0) == RiskMeasure(KL(), "penalised", 0.5)
    assert entropic(2.0).name == "kl penalised(0.5)"
    assert RiskMeasure("cvar", "constrained", 0.25).name == "cvar(0.25)"
    assert RiskMeasure("cvar", "constrained", 0.25).divergence == CVaR()


def test_errors_name_the_offending_value():
    with pytest.raises(ValueError, match=r"tau = -1\.0"):
        entropic(-1.0)
    with pytest.raises(ValueError, match="tau = nan"):
        entropic(np.nan)
    with pytest.raises(ValueError, match=r"tau = 1\.0 has no meaning for 'cvar'"):
        RiskMeasure.from_risk_aversion(1.0, "cvar")
    with pytest.raises(ValueError, match=r"level = -2\.0"):
        RiskMeasure("kl", "constrained", -2.0)
    with pytest.raises(ValueError, match=r"'free' has no meaning"):
        RiskMeasure("kl", "constrained", 1.0, support="free")
    with pytest.raises(ValueError, match="unknown divergence 'entropic'"):
        RiskMeasure("entropic", "penalised", 1.0)
