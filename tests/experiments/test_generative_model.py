"""The sample-complexity study: its estimator and its parts at a small size."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.experiments import experiment, silent
from equipoise.experiments import generative_model as module
from equipoise.games import named_markov_game
from equipoise.learning import GenerativeRQE


def test_the_slope_of_a_power_law_is_its_exponent():
    x = np.array([10, 100, 1000])
    assert module.slope(x, 3.0 * x**-0.5) == pytest.approx(-0.5)


def test_errors_vanish_with_many_draws():
    game = named_markov_game("two-state-horizon")
    few = module.plug_in(game, GenerativeRQE(draws=20), 3, 0)
    many = module.plug_in(game, GenerativeRQE(draws=20000), 3, 0)
    assert few.solved
    assert many.solved
    # One over the square root of 1,000 is 0.03; both means have a standard error of about a quarter.
    assert many.value.mean() < 0.1 * few.value.mean()
    assert many.policy.max() < 0.01


@pytest.mark.slow
def test_runs_at_a_small_size():
    settings = module.Settings(draws=(100, 1600), seeds=3, random_games=0, sizes=2)
    result = experiment("generative-model").run(settings, silent)
    assert result.certified
    assert [len(table.rows) for table in result.tables.values()] == [2, 6]
    # Two points, three seeds: a factor four within a half.
    for row in result.tables["rate"].rows:
        assert -0.8 < row[2] < -0.2
