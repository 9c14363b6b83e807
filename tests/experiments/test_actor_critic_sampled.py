"""Actor-critic from samples: measures on made-up tracks, and a small run of the whole."""

import numpy as np
import pytest

from equipoise.experiments import actor_critic_sampled as module
from equipoise.experiments import silent

SETTINGS = module.Settings(resamples=200)
T = np.arange(200, 20_001, 200)


def track(squares):
    return module.Track(T, np.asarray(squares, dtype=float), module.AVERSE)


def test_exponents_are_those_of_powers():
    for power in (-1.0, -0.5, 0.0):
        one = track(np.outer(T**power, [1.0, 2.0, 5.0]))
        assert module.exponent(one) == pytest.approx(power, abs=1e-12)
        # Seeds that differ by a factor have one exponent, whichever are drawn.
        assert module.interval(one, SETTINGS) == pytest.approx((power, power), abs=1e-12)


def test_intervals_cover_what_seeds_disagree_about():
    one = track(np.stack([T**-1.0, 100.0 * T**-1.5], axis=1))
    low, high = module.interval(one, SETTINGS)
    assert low == pytest.approx(-1.5, abs=1e-9)
    assert high == pytest.approx(-1.0, abs=1e-9)
    assert low < module.exponent(one) < high


def test_the_last_error_is_that_of_the_last_tenth():
    squares = np.where(T > 18_000, 0.04, 1.0)
    assert module.late_error(track(squares[:, None])) == pytest.approx(0.2)


@pytest.mark.slow
def test_a_small_run_of_the_whole():
    result = module.run(module.Settings(steps=400, seeds=2, resamples=50), silent)
    table = result.tables["actor-critic-sampled"]
    assert len(table.rows) == len(module.RATES) + len(module.ORDERS) + len(module.TWINS)
    assert result.certified
    assert len(result.claims) == 4
    assert result.pictures["actor-critic-sampled"].draw().axes
