"""The path follower on curves with known folds, gaps and pitchforks, and on games against tiny steps."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from equipoise.equilibria._branch import Rules, from_uniform, principal_branch, stack, system_for
from equipoise.equilibria._path import Rates, follow
from equipoise.equilibria._system import Evaluation, Parameters, System


@dataclass(frozen=True)
class Curve(System):
    """One equation g(x, w) = 0 per game, with constants of its own, as a system to follow in w."""

    value: object  # (x, w, constants) -> g
    slope: object  # (x, w, constants) -> (dg/dx, dg/dw)
    constants: np.ndarray

    pivot = 0
    parity = 1
    unknowns = 1
    blocks = (slice(0, 1),)

    @property
    def batch(self):
        return len(self.constants)

    def take(self, index):
        return replace(self, constants=self.constants[index])

    def repair(self, x, at):
        return x

    def residual(self, x, at):
        return self.value(x[0], at.weight, self.constants)[None]

    def evaluate(self, x, at):
        by_x, by_weight = self.slope(x[0], at.weight, self.constants)
        nothing = np.zeros_like(x)
        residual = self.residual(x, at)
        return Evaluation(residual, by_x[None, None], by_weight[None], nothing, nothing, nothing)

    def unused(self, *arguments):
        raise NotImplementedError

    start = pack = responses = payoff_gradient = along_payoffs = scaled = unused


def walk(value, slope, constants, start, end, **options):
    """Follow from w = 0; returns x, arrived, index, solves, bifurcated."""
    constants = np.atleast_1d(np.asarray(constants, float))
    batch = len(constants)

    def schedule(theta, index):
        one = np.ones((1, len(theta)))
        return Parameters(theta, one, one, theta), Rates(weight=np.ones(len(theta)))

    start = np.broadcast_to(np.asarray(start, float), (batch,))[None].copy()
    end = np.broadcast_to(np.asarray(end, float), (batch,)).copy()
    x, *rest = follow(Curve(value, slope, constants), schedule, start, end, **options)
    return (x[0], *rest)


def s_curve(x, w, c):
    """x^3 - 3 x = w - 18: folds at x = -1 (w = 20) and x = 1 (w = 16)."""
    return x**3 - 3.0 * x + 18.0 - w


def s_slope(x, w, c):
    return 3.0 * x**2 - 3.0, -np.ones_like(x)


def fork(x, w, c):
    """x^3 - (w - 1) x = c: a pitchfork at w = 1 for c = 0, unfolded by c."""
    return x**3 - (w - 1.0) * x - c


def fork_slope(x, w, c):
    return 3.0 * x**2 - (w - 1.0), -x


class TestCurves:
    def test_the_first_arrival_counts(self):
        # At w = 18 there are three solutions; the branch from below meets -sqrt 3 first.
        x, arrived, index, _, _ = walk(s_curve, s_slope, 0.0, -3.0, 18.0)
        assert arrived[0]
        np.testing.assert_allclose(x, -np.sqrt(3.0), rtol=1e-12)
        assert index[0] == 1

    def test_two_folds_are_turned(self):
        x, arrived, index, solves, bifurcated = walk(s_curve, s_slope, 0.0, -3.0, 36.0)
        assert arrived[0]
        np.testing.assert_allclose(x, 3.0, rtol=1e-12)
        assert index[0] == 1
        assert not bifurcated[0]
        assert solves[0] < 200

    @pytest.mark.parametrize("beyond", [1e-3, 1e-6])
    def test_an_end_just_beyond_a_fold_lies_on_the_far_side(self, beyond):
        x, arrived, _, _, _ = walk(s_curve, s_slope, 0.0, -3.0, 20.0 + beyond)
        assert arrived[0]
        np.testing.assert_allclose(x, 2.0, atol=1e-3)
        before, arrived, _, _, _ = walk(s_curve, s_slope, 0.0, -3.0, 20.0 - beyond)
        assert arrived[0]
        np.testing.assert_allclose(before, -1.0, atol=0.05)
        assert before[0] < -1.0

    @pytest.mark.parametrize("tilt", [1e-1, 1e-3, 2e-5, -2e-5, -1e-3])
    def test_an_unfolded_pitchfork_is_not_jumped(self, tilt):
        # The branch from x(0) near c goes to the outer solution on its own side.
        start = np.roots([1.0, 0.0, 1.0, -tilt])
        start = start[np.abs(start.imag) < 1e-9].real[0]
        x, arrived, index, _, bifurcated = walk(fork, fork_slope, tilt, start, 5.0)
        assert arrived[0]
        np.testing.assert_allclose(x, np.sign(tilt) * 2.0, atol=0.02)
        assert index[0] == 1
        assert not bifurcated[0]

    def test_an_asymmetry_too_small_to_see_is_reported_as_a_bifurcation(self):
        x, arrived, index, _, bifurcated = walk(fork, fork_slope, 1e-12, 1e-12, 5.0)
        assert arrived[0]
        assert bifurcated[0]
        assert index[0] == -1
        np.testing.assert_allclose(x, -2.5e-13, rtol=1e-3)

    def test_a_perfect_pitchfork_is_passed_on_the_symmetric_branch(self):
        x, arrived, index, _, bifurcated = walk(fork, fork_slope, 0.0, 0.0, 5.0)
        assert arrived[0]
        assert x[0] == 0.0
        assert index[0] == -1
        assert bifurcated[0]

    def test_a_narrow_gap_between_branches(self):
        # (x - w)(x + w - 4) = c: two lines crossing at w = 2, pulled apart by c.
        def value(x, w, c):
            return (x - w) * (x + w - 4.0) - c

        def slope(x, w, c):
            return 2.0 * x - 4.0, -(x + w - 4.0) + (x - w)

        for gap in (0.1, 1e-3):
            x, arrived, _, _, _ = walk(value, slope, -gap, 2.0 - np.sqrt(4.0 - gap), 4.0)
            # For c < 0 the branch from x(0) near 0 turns back at w near 2 and never reaches w = 4.
            assert not arrived[0]
            x, arrived, _, _, _ = walk(value, slope, gap, 2.0 - np.sqrt(4.0 + gap), 4.0)
            assert arrived[0]
            np.testing.assert_allclose(x, 2.0 - np.sqrt(4.0 + gap), rtol=1e-9)

    def test_a_path_to_infinity_is_flagged(self):
        # x = 1/(1 - w): no solution path passes w = 1.
        x, arrived, _, solves, _ = walk(
            lambda x, w, c: x * (1.0 - w) - 1.0, lambda x, w, c: (1.0 - w, -x), 0.0, 1.0, 2.0, max_solves=500
        )
        assert not arrived[0]
        assert solves[0] <= 500
        assert np.isfinite(x).all()

    def test_equations_that_end_in_nan_are_flagged(self):
        # sqrt(1 - w) exists up to w = 1 only.
        x, arrived, _, _, _ = walk(
            lambda x, w, c: x - np.sqrt(1.0 - w),
            lambda x, w, c: (np.ones_like(x), 0.5 / np.sqrt(1.0 - w)),
            0.0,
            1.0,
            2.0,
        )
        assert not arrived[0]
        assert np.isfinite(x).all()

    def test_games_of_a_batch_walk_on_their_own(self):
        tilts = np.array([0.1, -0.1, 1e-4, 0.0, -3.0])
        starts = [np.real(r[np.abs(r.imag) < 1e-9][0]) for r in (np.roots([1, 0, 1, -t]) for t in tilts)]
        ends = np.array([5.0, 3.0, 0.5, 5.0, 4.0])
        together = walk(fork, fork_slope, tilts, starts, ends)
        for k, tilt in enumerate(tilts):
            alone = walk(fork, fork_slope, tilt, starts[k], ends[k])
            for whole, part in zip(together, alone, strict=True):
                np.testing.assert_allclose(whole[k], part[0], rtol=1e-12)


class TestGames:
    """The principal branch must not depend on how long the steps are."""

    @pytest.mark.parametrize(
        ("rules", "tau", "eps"),
        [
            (Rules(), 0.0, 0.02),
            (Rules(), 10.0, 0.01),
            (Rules(regularizer="log_barrier"), 3.0, 0.003),
            (Rules("reverse_kl"), 3.0, 0.01),
            (Rules("reverse_kl", "log_barrier"), 10.0, 0.01),
            (Rules("kl", "entropy", "action_dependent"), 3.0, 0.01),
            (Rules("reverse_kl", "log_barrier", "action_dependent"), 3.0, 0.01),
        ],
    )
    @pytest.mark.parametrize("shape", [(3, 4), (2, 2, 2)])
    def test_tiny_steps_lead_to_the_same_equilibrium(self, rules, tau, eps, shape):
        payoffs = np.random.default_rng([7, *shape]).standard_normal((len(shape), 25, *shape))
        payoffs /= np.ptp(payoffs.reshape(len(shape), 25, -1), axis=2).reshape(
            len(shape), 25, *[1] * len(shape)
        )
        batch = stack(list(payoffs), np.array(tau), np.array(eps), rules)
        branch = principal_branch(batch)
        assert branch.arrived.all()
        system = system_for(batch)
        schedule, end = from_uniform(batch)
        start = system.start(schedule(np.zeros(25), np.arange(25))[0])
        x, arrived, _, _, _ = follow(system, schedule, start, end, max_step=0.05)
        assert arrived.all()
        for ours, theirs in zip(branch.strategies, system.responses(x), strict=True):
            np.testing.assert_allclose(ours, theirs.strategy, atol=1e-7)
