"""The entry point: worked examples, edge cases, errors. Optimality itself is tested beside this file."""

from __future__ import annotations

import inspect
import subprocess
import sys

import numpy as np
import pytest

from equipoise.preferences import CVaR, TotalVariation, divergence, worst_case
from law_strategies import FORMS, RULES, SMOOTH

HALVES = np.array([0.5, 0.5])


@pytest.mark.parametrize(
    ("name", "form", "level", "value"),
    [
        ("tv", "constrained", 0.25, 1.0),
        ("tv", "penalised", 1.0, 0.5),
        ("chi2", "constrained", 0.25, 1.0),
        ("chi2", "penalised", 2.0, 1.5),
        ("cvar", "constrained", 0.75, 4 / 3),
        ("cvar", "penalised", 0.75, 4 / 3),
        ("kl", "penalised", 4 / np.log(3), 4 / np.log(3) * np.log(1.5)),
        ("l1", "penalised", 0.5, 0.5),
        ("l1", "constrained", 0.5, 1.0),
    ],
)
def test_two_states_by_hand(name, form, level, value):
    answer = worst_case(HALVES, np.array([0.0, 4.0]), name, form, level=level)
    assert answer.value == pytest.approx(value, abs=1e-12)
    assert answer.residual == pytest.approx(0, abs=1e-12)


def test_total_variation_moves_mass_from_the_best_states_to_the_worst():
    p, v = np.array([0.2, 0.5, 0.3]), np.array([1.0, 2.0, 5.0])
    answer = worst_case(p, v, "tv", "constrained", level=0.4)
    assert answer.value == pytest.approx(1.4, abs=1e-12)
    np.testing.assert_allclose(answer.kernel, [0.6, 0.4, 0.0], atol=1e-15)
    # A formula in circulation, E v - sigma (max v - E v), gives another number.
    assert p @ v - 0.4 * (v.max() - p @ v) == pytest.approx(1.78)


def test_point_mass_is_safe_unless_the_adversary_may_leave_it():
    p, v = np.array([1.0, 0.0]), np.array([3.0, 0.0])
    assert worst_case(p, v, "tv", "constrained", level=0.25, support="free").value == pytest.approx(2.25)
    for name in ("tv", "kl", "chi2"):
        assert worst_case(p, v, name, "constrained", level=0.25, support="ac").value == 3.0


def test_adversary_of_a_quantal_game_by_hand():
    payoff = np.array([-1.0, 0.0])  # costs c = (1, 0) seen by an adversary that maximises -c
    cost = -payoff
    kl = worst_case(HALVES, cost, "kl", level=1 / np.log(3))
    np.testing.assert_allclose(kl.kernel, [0.25, 0.75], atol=1e-14)
    assert -kl.value == pytest.approx(np.log(2 / 3) / np.log(3), abs=1e-12)
    reverse = worst_case(HALVES, cost, "reverse_kl", level=1.0)
    np.testing.assert_allclose(reverse.kernel, [1 - np.sqrt(0.5), np.sqrt(0.5)], atol=1e-12)
    s = np.sqrt(0.5)
    objective = (1 - s) + 0.5 * np.log(0.5 / (1 - s)) + 0.5 * np.log(0.5 / s)
    assert reverse.value == pytest.approx(objective, abs=1e-12)
    assert -reverse.value == pytest.approx(-0.38701, abs=5e-6)


def test_environment_risk_by_hand():
    v = np.array([0.0, 1.0])
    assert worst_case(HALVES, v, "kl", level=1 / np.log(3)).value == pytest.approx(
        -np.log(2 / 3) / np.log(3), abs=1e-12
    )
    assert worst_case(HALVES, v, "l1", level=0.25).value == pytest.approx(0.25, abs=1e-12)


def test_l1_penalty_closed_form():
    rng = np.random.default_rng(3)
    q, c = rng.dirichlet(np.ones(5), size=20), rng.normal(size=(20, 5))
    q[:, 0] = 0
    q /= q.sum(-1, keepdims=True)
    for weight in (0.01, 0.3, 5.0):
        answer = worst_case(q, c, "l1", level=weight, support="free")
        expected = (q * np.minimum(c, c.min(-1, keepdims=True) + 2 * weight)).sum(-1)
        np.testing.assert_allclose(answer.value, expected, atol=1e-14)
        twice = worst_case(q, c, "tv", level=2 * weight, support="free")
        np.testing.assert_allclose(answer.value, twice.value, atol=1e-14)
        np.testing.assert_allclose(answer.multiplier, twice.multiplier, atol=1e-14)
        np.testing.assert_allclose(answer.distance, 2 * twice.distance, atol=1e-14)


@pytest.mark.parametrize("tau", [0.1, 1.0, 7.0, 300.0])
def test_reverse_kl_on_two_states_solves_its_quadratic(tau):
    gap = 0.8
    for least in (0.0, 1e-300, 1e-9, 0.3, 0.999):
        b = tau * gap - 1
        root = np.sqrt(b**2 + 4 * tau * least * gap)
        s = 2 * least * gap / (b + root) if b > 0 else (root - b) / (2 * tau)
        answer = worst_case(np.array([least, 1 - least]), np.array([0.0, gap]), "reverse_kl", level=1 / tau)
        kept = (1 - least) / (tau * (s + gap))
        np.testing.assert_allclose(answer.kernel, [1 - kept, kept], rtol=1e-12, atol=1e-15)


def test_reverse_kl_moves_onto_a_state_without_mass():
    answer = worst_case(np.array([1.0, 0.0]), np.array([2.0, 0.0]), "reverse_kl", level=0.5)
    np.testing.assert_allclose(answer.kernel, [0.25, 0.75], atol=1e-15)  # 1/(tau d) stays
    assert answer.residual == pytest.approx(0, abs=1e-15)
    assert answer.gradient_p[1] == -np.inf
    stays = worst_case(np.array([1.0, 0.0]), np.array([2.0, 0.0]), "reverse_kl", level=0.5, support="ac")
    assert stays.value == 2.0


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("form", FORMS)
class TestLimits:
    p = np.array([0.2, 0.5, 0.3])
    v = np.array([1.0, -2.0, 5.0])

    def test_neutral_level_is_the_mean(self, rule, form):
        neutral = 1.0 if isinstance(rule, CVaR) else np.inf if form == "penalised" else 0.0
        answer = worst_case(self.p, self.v, rule, form, level=neutral)
        assert answer.value == pytest.approx(self.p @ self.v, abs=1e-15)
        np.testing.assert_array_equal(answer.kernel, self.p)
        assert answer.distance == 0
        assert answer.residual == pytest.approx(0, abs=1e-15)

    def test_worst_level_is_the_minimum(self, rule, form):
        worst = 1e-3 if isinstance(rule, CVaR) else 0.0 if form == "penalised" else np.inf
        answer = worst_case(self.p, self.v, rule, form, level=worst)
        assert answer.value == -2.0
        np.testing.assert_array_equal(answer.kernel, [0, 1, 0])

    def test_constant_payoff(self, rule, form):
        level = 0.37
        answer = worst_case(self.p, np.full(3, 0.1), rule, form, level=level)
        assert answer.value == 0.1
        assert answer.residual == 0
        np.testing.assert_allclose(answer.kernel.sum(), 1)

    def test_one_state(self, rule, form):
        answer = worst_case(np.ones(1), np.array([0.7]), rule, form, level=0.5)
        assert answer.value == 0.7
        assert answer.kernel == 1

    def test_one_atom_under_absolute_continuity(self, rule, form):
        answer = worst_case(np.array([0.0, 1, 0]), self.v, rule, form, level=0.5, support="ac")
        assert answer.value == -2.0
        np.testing.assert_array_equal(answer.kernel, [0, 1, 0])

    def test_tied_payoffs_share_as_one_state(self, rule, form):
        merged = worst_case(np.array([0.4, 0.6]), np.array([0.0, 1.0]), rule, form, level=0.15)
        split = worst_case(
            np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.0, 1.0, 0.0, 1.0]), rule, form, level=0.15
        )
        assert split.value == pytest.approx(merged.value, abs=1e-14)
        assert split.residual == pytest.approx(0, abs=1e-14)
        assert 2 * split.kernel[1] == pytest.approx(split.kernel[3])

    def test_extreme_levels_and_scales_stay_exact(self, rule, form):
        rng = np.random.default_rng(0)
        p = rng.dirichlet(np.ones(6), size=200)
        p[rng.random(p.shape) < 0.3] = 1e-300
        p[:, 0] += 1e-3
        p /= p.sum(-1, keepdims=True)
        v = rng.normal(size=(200, 6)) * 10.0 ** rng.uniform(-6, 6, size=(200, 1))
        exponent = {"penalised": (-6, 6), "constrained": (-12, 2)}[form]
        level = 10.0 ** rng.uniform(*((-4, 0) if isinstance(rule, CVaR) else exponent), size=200)
        answer = worst_case(p, v, rule, form, level=level)
        scale = v.max(-1) - v.min(-1)
        assert np.abs(answer.residual / scale).max() < 2e-14
        assert (answer.kernel >= 0).all()
        np.testing.assert_allclose(answer.kernel.sum(-1), 1, atol=1e-14)
        if form == "constrained" and not isinstance(rule, CVaR):
            assert (answer.distance <= level * (1 + 1e-9) + 1e-15).all()

    def test_levels_and_values_broadcast(self, rule, form):
        rng = np.random.default_rng(1)
        p, v = rng.dirichlet(np.ones(4), size=(2, 3)), rng.normal(size=4)
        level = np.array([0.1, 0.4, 0.9])
        together = worst_case(p, v, rule, form, level=level)
        assert together.value.shape == (2, 3)
        assert together.kernel.shape == (2, 3, 4)
        for i, j in np.ndindex(2, 3):
            alone = worst_case(p[i, j], v, rule, form, level=level[j])
            assert together.value[i, j] == pytest.approx(alone.value, abs=1e-14)
            np.testing.assert_allclose(together.kernel[i, j], alone.kernel, atol=1e-12)


@pytest.mark.parametrize("rule", [*SMOOTH, TotalVariation()], ids=lambda rule: rule.name)
def test_vanishing_aversion_in_second_order(rule):
    """E v - f tends to Var v/(2 lambda phi''(1)); total variation is exactly neutral from span(v) on."""
    p, v = np.array([0.2, 0.5, 0.3]), np.array([1.0, -2.0, 5.0])
    mean = p @ v
    variance = p @ (v - mean) ** 2
    curvature = 2.0 if rule.name == "chi2" else 1.0
    for weight in (1e4, 1e6):
        loss = mean - worst_case(p, v, rule, level=weight).value
        if isinstance(rule, TotalVariation):
            assert loss == pytest.approx(0, abs=1e-15)
        else:
            assert loss * weight == pytest.approx(variance / (2 * curvature), rel=30 / weight)


@pytest.mark.parametrize(
    ("name", "threshold"),
    [
        ("kl", lambda least: -np.log(least)),
        ("chi2", lambda least: 1 / least - 1),
        ("tv", lambda least: 1 - least),
        ("l1", lambda least: 2 * (1 - least)),
    ],
)
def test_ball_that_reaches_the_minimum(name, threshold):
    p, v = np.array([0.25, 0.5, 0.25]), np.array([-1.0, 0.0, 3.0])
    edge = threshold(0.25)
    assert worst_case(p, v, name, "constrained", level=edge * (1 + 1e-9)).value == -1.0
    assert worst_case(p, v, name, "constrained", level=edge).value == pytest.approx(-1.0, abs=1e-12)
    assert worst_case(p, v, name, "constrained", level=edge * (1 - 1e-6)).value > -1.0
    beyond = worst_case(p, v, name, "constrained", level=10 * edge)
    np.testing.assert_array_equal(beyond.kernel, [1, 0, 0])
    assert beyond.penalty == 0


@pytest.mark.parametrize("order", [1.3, 2.0, 5.0])
def test_cressie_read_ball_that_reaches_the_minimum(order):
    p, v = np.array([0.25, 0.5, 0.25]), np.array([-1.0, 0.0, 3.0])
    edge = (0.25 ** (1 - order) - 1) / (order * (order - 1))
    ball = {"divergence": "cressie_read", "form": "constrained", "order": order}
    assert worst_case(p, v, level=edge * (1 + 1e-9), **ball).value == -1.0
    assert worst_case(p, v, level=edge * (1 - 1e-6), **ball).value > -1.0


def test_cvar_is_the_mean_of_the_lower_tail():
    p, v = np.full(10, 0.1), np.arange(10.0)
    assert worst_case(p, v, "cvar", level=0.3).value == pytest.approx(1.0)
    assert worst_case(p, v, "cvar", level=0.25).value == pytest.approx((0 + 1 + 0.5 * 2) / 2.5)
    assert worst_case(p, v, "cvar", level=0.1).value == 0.0


def test_fail_state_makes_total_variation_a_scaled_cvar():
    rng = np.random.default_rng(5)
    p, v = rng.dirichlet(np.ones(6), size=30), rng.uniform(0, 2, size=(30, 6))
    p, v = np.insert(p, 0, 0.0, axis=1), np.insert(v, 0, 0.0, axis=1)
    for sigma in (0.05, 0.3, 0.8):
        ball = worst_case(p, v, "tv", "constrained", level=sigma, support="free")
        tail = worst_case(p, v, "cvar", level=1 - sigma)
        np.testing.assert_allclose(ball.value, (1 - sigma) * tail.value, atol=1e-14)


def test_many_states_at_once():
    rng = np.random.default_rng(2)
    p, v = rng.dirichlet(np.ones(1000)), rng.normal(size=1000)
    for rule in RULES:
        answer = worst_case(p, v, rule, "constrained", level=0.2)
        assert answer.residual == pytest.approx(0, abs=1e-13)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"p": np.array([0.5, -0.1, 0.6])}, ValueError, r"p\[1\] = -0.1"),
        ({"p": np.array([0.5, 0.1, 0.6])}, ValueError, r"p must sum to 1.*1\.2"),
        ({"p": np.array([[0.5, 0.5, 0.0], [0.5, 0.1, 0.6]])}, ValueError, r"p\[1\] must sum to 1"),
        ({"p": np.array([0.5, np.nan, 0.5])}, ValueError, r"p\[1\] = nan"),
        ({"p": np.array([0.5, 0.5])}, ValueError, r"\(2,\) and \(3,\)"),
        ({"v": np.array([0.0, np.inf, 1.0])}, ValueError, r"v\[1\] = inf"),
        ({"level": -1.0}, ValueError, r"level = -1.0"),
        ({"level": np.nan}, ValueError, r"level = nan"),
        ({"level": np.array([1.0, -2.0])}, ValueError, r"level\[1\] = -2.0"),
        ({"level": np.ones(2), "v": np.ones((3, 3))}, ValueError, r"must broadcast together"),
        ({"divergence": "cvar", "level": 0.0}, ValueError, r"level = 0.0"),
        ({"divergence": "cvar", "level": 1.5}, ValueError, r"level = 1.5"),
        ({"divergence": "wasserstein"}, ValueError, r"'wasserstein'; known are 'kl', 'reverse_kl', 'tv'"),
        ({"divergence": "cressie_read"}, ValueError, r"order is missing"),
        ({"divergence": "cressie_read", "order": 1.0}, ValueError, r"order = 1.0"),
        ({"divergence": "cressie_read", "order": 0.5}, ValueError, r"order = 0.5"),
        ({"divergence": "kl", "order": 2.0}, ValueError, r"order = 2.0 belongs to 'cressie_read' only"),
        ({"form": "ball"}, ValueError, r"'penalised' or 'constrained', not 'ball'"),
        ({"support": "everywhere"}, ValueError, r"not 'everywhere'"),
        ({"support": "free"}, ValueError, r"'free' has no meaning for divergence 'kl'"),
    ],
)
def test_errors_name_the_offending_value(changes, error, message):
    arguments = {"p": np.array([0.5, 0.1, 0.4]), "v": np.zeros(3), "level": 1.0} | changes
    # Unwrapped, because the type checks of the test run would catch some of these before the library does.
    unchecked = inspect.unwrap(worst_case)
    with pytest.raises(error, match=message):
        unchecked(**arguments)


def test_rounding_in_single_precision_is_forgiven():
    p = np.array([0.1, 0.2, 0.7], dtype=np.float32)
    answer = worst_case(p, np.array([1, 2, 3]), level=1)
    assert answer.kernel.dtype == np.float64
    assert answer.kernel.sum() == pytest.approx(1, abs=1e-15)


def test_numpy_alone_never_imports_jax():
    code = (
        "import sys, numpy as np; from equipoise.preferences import worst_case; "
        "worst_case(np.ones(2)/2, np.arange(2.0), 'reverse_kl', 'constrained', level=.1); "
        "assert not {'jax', 'scipy', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_divergence_can_be_given_by_name_or_as_itself():
    p, v = np.array([0.3, 0.7]), np.array([0.0, 1.0])
    by_name = worst_case(p, v, "cressie_read", level=1.0, order=3)
    assert worst_case(p, v, divergence("cressie_read", 3), level=1.0).value == by_name.value
