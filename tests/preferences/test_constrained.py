"""The ball-constrained adversary, and its link with the penalised one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.preferences import CVaR, TotalVariation, worst_case
from law_strategies import RULES, SMOOTH, laws, payoffs

LINKED = (*SMOOTH, TotalVariation())


@given(st.data(), st.sampled_from(LINKED))
def test_ball_is_the_best_penalty_minus_its_price(data, rule):
    """con(sigma) = sup over lambda of reg(lambda) - lambda sigma, attained at the reported multiplier."""
    p, v = data.draw(laws(4)), data.draw(payoffs(4))
    radius = 10.0 ** data.draw(st.floats(-3, 0))
    ball = worst_case(p, v, rule, "constrained", level=radius)
    if np.isfinite(ball.penalty):
        at_multiplier = worst_case(p, v, rule, level=ball.penalty)
        assert at_multiplier.value - ball.penalty * radius == pytest.approx(ball.value, abs=1e-9)
    for weight in 10.0 ** np.linspace(-2, 2, 9):
        assert worst_case(p, v, rule, level=weight).value - weight * radius <= ball.value + 1e-10


def test_lagrange_link_by_hand():
    """For total variation on two states sup of .5 min(4, lambda) - .25 lambda is 1, at lambda = 4."""
    ball = worst_case(np.array([0.5, 0.5]), np.array([0.0, 4.0]), "tv", "constrained", level=0.25)
    assert ball.value == pytest.approx(1.0, abs=1e-12)
    assert ball.penalty == pytest.approx(4.0, abs=1e-12)


@given(st.data())
def test_total_variation_maximises_its_dual(data):
    """max over x of p [v]_x - sigma (x - m), looked for at every data point."""
    p, v, radius = data.draw(laws(6)), data.draw(payoffs(6)), data.draw(st.floats(1e-3, 1.2))
    for support, m in (("free", v.min()), ("ac", v[p > 0].min())):
        knots = v[v >= m]
        dual = max(p @ np.minimum(v, x) - radius * (x - m) for x in knots)
        answer = worst_case(p, v, "tv", "constrained", level=radius, support=support)
        assert answer.value == pytest.approx(dual, abs=1e-12)


@given(st.data())
def test_chi_square_is_mean_minus_deviation_until_it_clips(data):
    p, v, radius = data.draw(laws(5)), data.draw(payoffs(5)), 10.0 ** data.draw(st.floats(-4, 1))
    mean = p @ v
    variance = p @ (v - mean) ** 2
    answer = worst_case(p, v, "chi2", "constrained", level=radius)
    highest = v[p > 0].max()
    if variance > 0 and radius <= variance / (highest - mean) ** 2:
        assert answer.value == pytest.approx(mean - np.sqrt(radius * variance), abs=1e-12)
    assert answer.value >= mean - np.sqrt(radius * variance) - 1e-12
    kept = answer.kernel > 0
    # The kernel is p (x - v)_+ up to a factor: kernel/p is affine in v on its support.
    density, values = answer.kernel[kept] / p[kept], v[kept]
    if np.ptp(values) > 1e-2 and answer.penalty > 0:
        low, high = values.argmin(), values.argmax()
        slope = (density[high] - density[low]) / (values[high] - values[low])
        np.testing.assert_allclose(density, density[low] + slope * (values - values[low]), rtol=1e-7)


@given(st.data())
def test_cressie_read_of_order_two_is_half_chi_square(data):
    p, v, radius = data.draw(laws(5)), data.draw(payoffs(5)), 10.0 ** data.draw(st.floats(-4, 1))
    half = worst_case(p, v, "cressie_read", "constrained", level=radius, order=2)
    chi2 = worst_case(p, v, "chi2", "constrained", level=2 * radius)
    assert half.value == pytest.approx(chi2.value, abs=1e-11)
    np.testing.assert_allclose(half.kernel, chi2.kernel, atol=1e-9)


@pytest.mark.parametrize("order", [1.2, 3.0, 10.0])
def test_cressie_read_dual_by_its_moment(order):
    """con = max over x of x - (1 + k (k-1) sigma)^(1/k) (E (x - v)_+^k*)^(1/k*)."""
    rng = np.random.default_rng(11)
    conjugate = order / (order - 1)
    for radius in (1e-3, 0.05, 0.3):
        p, v = rng.dirichlet(np.ones(5)), rng.normal(size=5)
        answer = worst_case(p, v, "cressie_read", "constrained", level=radius, order=order)
        factor = (1 + order * (order - 1) * radius) ** (1 / order)
        x = v.min() + np.geomspace(1e-6, 1e3, 200_001)
        moment = (p * np.maximum(x[:, None] - v, 0) ** conjugate).sum(-1) ** (1 / conjugate)
        dual = (x - factor * moment).max()
        assert dual <= answer.value + 1e-9
        assert answer.value == pytest.approx(dual, abs=1e-6)


@given(st.data(), st.sampled_from(RULES))
def test_ball_scales_with_the_payoff(data, rule):
    p, v = data.draw(laws(4)), data.draw(payoffs(4))
    level = data.draw(st.floats(0.01, 0.9))
    answer = worst_case(p, v, rule, "constrained", level=level)
    scaled = worst_case(p, 1e4 * v, rule, "constrained", level=level)
    assert scaled.value == pytest.approx(1e4 * answer.value, rel=1e-10, abs=1e-8)
    np.testing.assert_allclose(scaled.kernel, answer.kernel, atol=1e-8)


@given(st.data(), st.sampled_from(RULES))
def test_active_ball_is_used_up(data, rule):
    p, v = data.draw(laws(4)), data.draw(payoffs(4))
    level = data.draw(st.floats(0.01, 0.5))
    answer = worst_case(p, v, rule, "constrained", level=level)
    # Reverse KL may want a probability that underflows; its ball is then left in part unused.
    if 1e-200 < answer.penalty < np.inf and not isinstance(rule, CVaR):
        assert answer.distance == pytest.approx(level, rel=1e-9)


@pytest.mark.parametrize("atom", [0.0, 1e-300, 1e-200, 1e-12])
@pytest.mark.parametrize("radius", [1e-4, 0.3, 3.0, 300.0])
def test_reverse_kl_ball_where_the_worst_state_has_hardly_any_mass(atom, radius):
    p, v = np.array([atom, 0.4, 0.6]), np.array([-1.0, 0.0, 0.5])
    answer = worst_case(p, v, "reverse_kl", "constrained", level=radius)
    # Without mass at the worst state its share is free: the others keep lambda/d each.
    log_gaps = 0.4 * np.log(1.0) + 0.6 * np.log(1.5)
    if radius >= log_gaps + np.log(0.4 / 1.0 + 0.6 / 1.5):
        assert answer.value == pytest.approx(-1 + np.exp(log_gaps - radius), abs=1e-9)
    assert answer.residual == pytest.approx(0, abs=1e-13)
    assert answer.kernel.sum() == pytest.approx(1, abs=1e-14)
