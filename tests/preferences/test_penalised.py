"""The penalised adversary: its structure for each divergence, and independent solvers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, NonlinearConstraint, linprog, minimize, minimize_scalar

from equipoise.preferences import (
    ChiSquare,
    CressieRead,
    CVaR,
    ReverseKL,
    TotalVariation,
    worst_case,
)
from law_strategies import FORMS, RULES, SMOOTH, ball_radius, laws, payoffs, textbook_divergence

# The two forms are pinned against SciPy here together: the programmes differ in one line.


@pytest.mark.parametrize("rule", SMOOTH, ids=lambda rule: rule.name)
@pytest.mark.parametrize("form", FORMS)
def test_agrees_with_a_nonlinear_programme(rule, form):
    rng = np.random.default_rng(7)
    for _ in range(4):
        p, v = rng.dirichlet(np.full(4, 2.0)), rng.normal(size=4)
        level = rng.uniform(0.1, 1.0) if form == "penalised" else rng.uniform(0.01, 0.1)
        answer = worst_case(p, v, rule, form, level=level)

        def distance(q, p=p):
            return textbook_divergence(rule, np.maximum(q, 1e-12), p)

        constraints = [LinearConstraint(np.ones(4), 1, 1)]
        if form == "penalised":
            found = minimize(
                lambda q, v=v, level=level, d=distance: q @ v + level * d(q),
                p,
                method="SLSQP",
                bounds=[(0, 1)] * 4,
                constraints=constraints,
                options={"ftol": 1e-12},
            )
        else:
            constraints.append(NonlinearConstraint(distance, -np.inf, level))
            found = minimize(
                lambda q, v=v: q @ v,
                p,
                method="SLSQP",
                bounds=[(0, 1)] * 4,
                constraints=constraints,
                options={"ftol": 1e-12},
            )
        assert answer.value == pytest.approx(found.fun, abs=1e-6)
        np.testing.assert_allclose(answer.kernel, found.x, atol=1e-3)


@pytest.mark.parametrize("support", ["ac", "free"])
@pytest.mark.parametrize("form", FORMS)
def test_total_variation_agrees_with_a_linear_programme(form, support):
    rng = np.random.default_rng(8)
    for _ in range(6):
        p, v = rng.dirichlet(np.ones(5)), rng.normal(size=5)
        p[1] = 0
        p /= p.sum()
        level = rng.uniform(0.05, 0.6)
        answer = worst_case(p, v, "tv", form, level=level, support=support)
        # Variables: the law q and the mass moved, m >= |q - p|/2.
        identity = np.eye(5)
        moved = np.block([[identity, -identity], [-identity, -identity]])
        cost = np.concatenate([v, np.full(5, level / 2 if form == "penalised" else 0.0)])
        rows, limits = moved, np.concatenate([p, -p])
        if form == "constrained":
            rows = np.vstack([rows, np.concatenate([np.zeros(5), np.full(5, 0.5)])])
            limits = np.append(limits, level)
        bounds = [(0, None if support == "free" or p[i] > 0 else 0) for i in range(5)] + [(0, None)] * 5
        found = linprog(
            cost, rows, limits, np.concatenate([np.ones(5), np.zeros(5)])[None], [1.0], bounds=bounds
        )
        assert answer.value == pytest.approx(found.fun, abs=1e-9)


def test_cvar_agrees_with_a_linear_programme():
    rng = np.random.default_rng(9)
    for level in (0.05, 0.4, 0.9):
        p, v = rng.dirichlet(np.ones(6)), rng.normal(size=6)
        found = linprog(v, A_eq=np.ones((1, 6)), b_eq=[1.0], bounds=[(0, x / level) for x in p])
        assert worst_case(p, v, "cvar", level=level).value == pytest.approx(found.fun, abs=1e-9)


@pytest.mark.parametrize("rule", [*SMOOTH, TotalVariation(), CVaR()], ids=lambda rule: rule.name)
def test_agrees_with_the_maximum_of_the_textbook_dual(rule):
    from law_strategies import textbook_conjugate

    rng = np.random.default_rng(10)
    for _ in range(4):
        p, v, level = rng.dirichlet(np.full(5, 2.0)), rng.normal(size=5), rng.uniform(0.2, 1.0)
        answer = worst_case(p, v, rule, level=level, support="ac")

        def loss(eta, p=p, v=v, level=level):
            if isinstance(rule, CVaR):
                return p @ np.maximum(eta - v, 0) / level - eta
            return level * p @ textbook_conjugate(rule, (eta - v) / level) - eta

        # The conjugate of total variation is infinite above 1/2, that of reverse KL from 1 on.
        highest = {"tv": v.min() + level / 2, "reverse_kl": v.min() + level * (1 - 1e-12)}
        upper = min(v.max(), highest.get(rule.name, np.inf))
        found = minimize_scalar(loss, bounds=(v.min(), upper), method="bounded", options={"xatol": 1e-12})
        ends = min(loss(v.min()), loss(upper))
        assert answer.value == pytest.approx(-min(found.fun, ends), abs=1e-8)


@given(st.data())
def test_chi_square_is_mean_minus_variance_until_it_clips(data):
    p, v = data.draw(laws(5)), data.draw(payoffs(5))
    weight = 10.0 ** data.draw(st.floats(-2, 2))
    mean = p @ v
    variance = p @ (v - mean) ** 2
    answer = worst_case(p, v, "chi2", level=weight)
    expansion = mean - variance / (4 * weight)
    assert answer.value >= expansion - 1e-12 * (1 + variance / weight)
    on = p > 0
    worst = v[on].min()
    if weight >= (v[on].max() - mean) / 2:
        assert answer.value == pytest.approx(expansion, abs=1e-12)
    elif weight < (v[on].max() - mean) / 2 - 1e-2 and p[on & (v == v[on].max())].sum() > 1e-3:
        assert answer.value > expansion
    least = p[on & (v == worst)].sum()
    higher = v[on & (v > worst)]
    if higher.size and weight <= least * (higher.min() - worst) / 2:
        assert answer.value == pytest.approx(worst + weight * (1 / least - 1), abs=1e-12)


@given(st.data())
def test_total_variation_caps_the_payoff(data):
    p, v, weight = data.draw(laws(5)), data.draw(payoffs(5)), data.draw(st.floats(0.01, 8))
    free = worst_case(p, v, "tv", level=weight, support="free")
    assert free.value == pytest.approx(p @ np.minimum(v, v.min() + weight), abs=1e-13)
    ac = worst_case(p, v, "tv", level=weight, support="ac")
    assert ac.value == pytest.approx(p @ np.minimum(v, v[p > 0].min() + weight), abs=1e-13)
    if weight >= np.ptp(v):
        assert free.value == pytest.approx(p @ v, abs=1e-13)


@given(st.data())
def test_kl_is_the_entropic_mean_and_its_own_multiplier(data):
    p, v, weight = data.draw(laws(5)), data.draw(payoffs(5)), 10.0 ** data.draw(st.floats(-1.5, 2))
    answer = worst_case(p, v, "kl", level=weight)
    assert answer.value == pytest.approx(-weight * np.log(p @ np.exp(-v / weight)), abs=1e-10)
    assert answer.multiplier == pytest.approx(answer.value, abs=1e-12)
    tilted = p * np.exp(-v / weight)
    np.testing.assert_allclose(answer.kernel, tilted / tilted.sum(), rtol=1e-10)


@given(st.data())
def test_cressie_read_of_order_two_is_half_chi_square(data):
    p, v, weight = data.draw(laws(5)), data.draw(payoffs(5)), 10.0 ** data.draw(st.floats(-2, 2))
    half = worst_case(p, v, "cressie_read", level=weight, order=2)
    chi2 = worst_case(p, v, "chi2", level=weight / 2)
    assert half.value == pytest.approx(chi2.value, abs=1e-12)
    np.testing.assert_allclose(half.kernel, chi2.kernel, atol=1e-9)
    assert half.multiplier == pytest.approx(chi2.multiplier, abs=1e-9)


@given(st.data(), st.sampled_from(FORMS))
def test_cressie_read_tends_to_kl(data, form):
    p, v = data.draw(laws(5)), data.draw(payoffs(5))
    level = 10.0 ** data.draw(st.floats(-1, 1) if form == "penalised" else st.floats(-3, -1))
    kl = worst_case(p, v, "kl", form, level=level)
    near = [worst_case(p, v, "cressie_read", form, level=level, order=1 + x).value for x in (1e-3, 1e-5)]
    assert worst_case(p, v, "cressie_read", form, level=level, order=1 + 1e-8).value == kl.value
    assert abs(near[1] - kl.value) <= abs(near[0] - kl.value) / 20 + 1e-12


@pytest.mark.parametrize("order", [1.2, 1.7, 3.0, 8.0])
def test_cressie_read_kernel_is_a_clipped_power(order):
    rng = np.random.default_rng(4)
    p, v = rng.dirichlet(np.ones(6)), rng.normal(size=6)
    for level in (0.05, 0.5, 5.0):
        answer = worst_case(p, v, "cressie_read", level=level, order=order)
        base = np.maximum((order - 1) * (answer.multiplier - v) / level + 1, 0)
        np.testing.assert_allclose(answer.kernel, p * base ** (1 / (order - 1)), atol=1e-9)


@given(st.data())
def test_reverse_kl_keeps_its_floor(data):
    """The law keeps at least p/(1 + span/lambda) of every state."""
    p, v, weight = data.draw(laws(5)), data.draw(payoffs(5)), 10.0 ** data.draw(st.floats(-2, 2))
    answer = worst_case(p, v, "reverse_kl", level=weight)
    assert (answer.kernel >= p / (1 + np.ptp(v) / weight) * (1 - 1e-12)).all()
    assert answer.kernel.sum() == pytest.approx(1)


@given(st.data(), st.sampled_from(RULES))
def test_penalty_scales_with_the_payoff(data, rule):
    assume(not isinstance(rule, CVaR))
    p, v, weight = data.draw(laws(4)), data.draw(payoffs(4)), 10.0 ** data.draw(st.floats(-2, 2))
    answer = worst_case(p, v, rule, level=weight)
    scaled = worst_case(p, 1e4 * v, rule, level=1e4 * weight)
    assert scaled.value == pytest.approx(1e4 * answer.value, rel=1e-12, abs=1e-10)


@pytest.mark.parametrize("rule", [ChiSquare(), CressieRead(1.5), ReverseKL()], ids=lambda rule: rule.name)
def test_multiplier_lies_between_the_extreme_payoffs(rule):
    rng = np.random.default_rng(6)
    p, v = rng.dirichlet(np.ones(5), size=100), rng.normal(size=(100, 5))
    for level in (1e-3, 0.1, 1.0, 1e3):
        eta = worst_case(p, v, rule, level=level).multiplier
        assert (eta >= v.min(-1) - 1e-9).all()
        assert (eta <= v.max(-1) + 1e-9).all()


def test_ball_radius_of_cvar_is_its_log_level():
    assert ball_radius(CVaR(), 0.5) == pytest.approx(np.log(2))
    answer = worst_case(np.full(4, 0.25), np.arange(4.0), "cvar", level=0.5)
    assert answer.distance == pytest.approx(np.log(2))
