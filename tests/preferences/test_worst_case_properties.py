"""What holds for the worst case of every divergence in both forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from equipoise.preferences import CVaR, TotalVariation, worst_case
from law_strategies import (
    SMOOTH,
    Problem,
    ball_radius,
    laws,
    payoffs,
    problems,
    textbook_conjugate,
    textbook_divergence,
)

ABS = 1e-11


def close(expected):
    return pytest.approx(expected, abs=ABS)


@settings(max_examples=150)
@given(problems())
def test_primal_and_dual_meet(problem: Problem):
    """Both objectives from textbook formulas: the kernel is feasible, the multipliers prove it optimal."""
    p, v, rule, level = problem.p, problem.v, problem.rule, problem.level
    answer = problem.solve()
    q = answer.kernel
    assert (q >= 0).all()
    assert q.sum() == pytest.approx(1, abs=1e-14)
    assert not q[~problem.reach].any()
    assert answer.residual == pytest.approx(0, abs=1e-12)

    distance = textbook_divergence(rule, q, p)
    assert answer.distance == pytest.approx(distance, rel=1e-6, abs=1e-9)
    if isinstance(rule, CVaR) or problem.form == "constrained":
        assert distance <= ball_radius(rule, level) * (1 + 1e-6) + 1e-9
        assert answer.value == close(q @ v)
    else:
        assert answer.value == pytest.approx(q @ v + level * distance, abs=1e-8 * (1 + level))

    if isinstance(rule, CVaR):
        dual = answer.multiplier - p @ np.maximum(answer.multiplier - v, 0) / level
    elif 1e-6 < answer.penalty < 1e6:
        eta, weight = answer.multiplier, answer.penalty
        dual = eta - weight * p[p > 0] @ textbook_conjugate(rule, (eta - v[p > 0]) / weight)
        if problem.form == "constrained":
            dual -= weight * level
    else:
        return
    assert answer.value == pytest.approx(dual, abs=1e-7)


@given(problems(min_states=2))
def test_between_the_minimum_and_the_mean(problem):
    value = problem.solve().value
    assert problem.v[problem.reach].min() - ABS <= value <= problem.p @ problem.v + ABS


@given(problems(min_states=2), st.data())
def test_monotone_and_nonexpansive_in_the_payoff(problem, data):
    more = np.array(data.draw(st.lists(st.floats(0, 2), min_size=problem.v.size, max_size=problem.v.size)))
    before, after = problem.solve().value, problem.solve(v=problem.v + more).value
    assert before - ABS <= after <= before + more.max() + ABS


@given(problems(), st.floats(-100, 100))
def test_moves_with_constants(problem, constant):
    assert problem.solve(v=problem.v + constant).value == pytest.approx(
        problem.solve().value + constant, abs=1e-9
    )


@given(problems(min_states=2), st.data())
def test_concave_in_the_payoff(problem, data):
    other = data.draw(payoffs(problem.v.size))
    ends = (problem.solve().value + problem.solve(v=other).value) / 2
    assert problem.solve(v=(problem.v + other) / 2).value >= ends - ABS


@given(problems(min_states=2), st.data())
def test_convex_in_the_law(problem, data):
    other = data.draw(laws(problem.p.size))
    ends = (problem.solve().value + problem.solve(p=other).value) / 2
    assert problem.solve(p=(problem.p + other) / 2).value <= ends + ABS


@given(problems(), st.floats(1, 10))
def test_monotone_in_the_level(problem, factor):
    level = problem.level * factor
    if isinstance(problem.rule, CVaR):
        level = min(level, 1.0)
    before, after = problem.solve().value, problem.solve(level=level).value
    sign = -1 if problem.form == "constrained" and not isinstance(problem.rule, CVaR) else 1
    assert sign * (after - before) >= -ABS


@given(problems(), st.randoms(use_true_random=False))
def test_permuting_the_states_permutes_the_kernel(problem, random):
    order = list(range(problem.p.size))
    random.shuffle(order)
    plain, permuted = problem.solve(), problem.solve(p=problem.p[order], v=problem.v[order])
    assert permuted.value == close(plain.value)
    np.testing.assert_allclose(permuted.kernel, plain.kernel[order], atol=1e-7)


@given(problems(), st.floats(-20, 20))
def test_a_state_without_mass_is_void_under_absolute_continuity(problem, payoff):
    p, v = np.append(problem.p, 0.0), np.append(problem.v, payoff)
    plain, longer = problem.solve(support="ac"), problem.solve(p=p, v=v, support="ac")
    assert longer.value == close(plain.value)
    np.testing.assert_allclose(longer.kernel[:-1], plain.kernel, atol=1e-7)
    assert longer.kernel[-1] == 0


@given(problems(rules=(TotalVariation(),), forms=("constrained",)))
def test_a_worse_state_without_mass_is_reached_by_a_free_adversary(problem):
    p, v = np.append(problem.p, 0.0), np.append(problem.v, problem.v.min() - 50)
    assert problem.solve(p=p, v=v, support="free").value < problem.solve(support="free").value


@given(st.data(), st.floats(1e-4, 0.5))
def test_losses_in_a_ball_are_bounded(data, radius):
    p, v = data.draw(laws(5)), data.draw(payoffs(5))
    mean, span = p @ v, np.ptp(v)
    variance = p @ (v - mean) ** 2

    def loss(name):
        return mean - worst_case(p, v, name, "constrained", level=radius).value

    assert loss("tv") <= radius * span + ABS
    assert loss("kl") <= span * np.sqrt(radius / 2) + ABS
    assert loss("chi2") <= np.sqrt(radius * variance) + ABS


@given(st.data(), st.floats(-2, 2).map(lambda x: 10.0**x))
def test_losses_under_a_penalty_are_bounded(data, weight):
    p, v = data.draw(laws(5)), data.draw(payoffs(5))
    mean, span = p @ v, np.ptp(v)
    variance = p @ (v - mean) ** 2

    def loss(name):
        return mean - worst_case(p, v, name, level=weight).value

    assert loss("tv") == close(p @ np.maximum(v - v.min() - weight, 0))
    assert loss("kl") <= span**2 / (8 * weight) + ABS
    assert loss("chi2") <= variance / (4 * weight) + ABS


@given(problems(rules=SMOOTH, min_states=2), st.data())
def test_gradients_are_those_of_the_value(problem, data):
    """Central differences, in v and along the simplex in p."""
    p = 0.9 * problem.p + 0.1 / problem.p.size  # away from the boundary, where the slope may be infinite
    answer = problem.solve(p=p)
    assume(answer.penalty > 1e-2 and answer.residual < 1e-12 and problem.span > 0.1)
    step = 1e-5

    def slope(change):
        return (change(step) - change(-step)) / (2 * step)

    direction = np.array(data.draw(st.lists(st.floats(-1, 1), min_size=p.size, max_size=p.size)))
    in_v = slope(lambda h: problem.solve(p=p, v=problem.v + h * direction).value)
    assert answer.kernel @ direction == pytest.approx(in_v, abs=3e-3)
    direction -= direction.mean()
    in_p = slope(lambda h: problem.solve(p=p + h * direction).value)
    assert answer.gradient_p @ direction == pytest.approx(in_p, rel=1e-3, abs=1e-3)


@given(problems(min_states=2))
def test_derivative_in_the_level(problem):
    """dvalue/dlambda = D(kernel, p); dvalue/dsigma = -penalty; for CVaR dvalue/da = penalty/a."""
    level = problem.level
    answer = problem.solve()
    assume(np.isfinite(answer.penalty))
    if isinstance(problem.rule, CVaR):
        expected = answer.penalty / level
    else:
        expected = answer.distance if problem.form == "penalised" else -answer.penalty
    step = 1e-4 * level
    upper = min(level + step, 1.0) if isinstance(problem.rule, CVaR) else level + step
    above, below = problem.solve(level=upper).value, problem.solve(level=level - step).value
    # The value is concave in lambda, convex in sigma: the derivative lies between the one-sided slopes.
    slopes = sorted([(above - answer.value) / step, (answer.value - below) / step])
    slack = 1e-6 + 1e-10 / step
    if upper < level + step:
        return
    if isinstance(problem.rule, CVaR):
        slack += 1e-3 * abs(expected)
    assert slopes[0] - slack <= expected <= slopes[1] + slack
