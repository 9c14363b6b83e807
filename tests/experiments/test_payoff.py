"""Experiments on payoff-based learning: their tools, the players to compare with, and small runs."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from equipoise.equilibria.zero_sum import matrix_gap, matrix_value
from equipoise.experiments import _payoff as tools
from equipoise.experiments import experiment, silent, to_dict, vi_sbr_mixing
from equipoise.experiments._payoff_peers import ExponentialPlayer, FixedPlayer, GreedyPlayer
from equipoise.learning.tabular._uncoupled import world

STAKES = tools.biased_rock_paper_scissors()
PLACE = world(tools.zero_sum(STAKES))


def test_the_biased_games_equilibrium_is_in_proportion_to_the_opposite_stakes():
    found = matrix_value(STAKES)
    assert found.value == pytest.approx(0.0, abs=1e-9)
    for strategy in found.strategies:
        np.testing.assert_allclose(strategy, np.array([0.25, 0.5, 1.0]) / 1.75, atol=1e-8)


def test_slopes_and_arrivals():
    x = [10, 100, 1000]
    assert tools.slope(x, 5.0 * np.array(x) ** -0.7) == pytest.approx(-0.7)
    assert tools.slope(x, np.array([99.0, 1.0, 0.1]), 100) == pytest.approx(-1.0)
    assert vi_sbr_mixing.arrival([1, 2, 3, 4], np.array([0.1, 9.0, 0.1, 0.2]), 0.5) == 3.0
    assert vi_sbr_mixing.arrival([1, 2], np.array([0.1, 9.0]), 0.5) == float("inf")


@pytest.mark.parametrize("stay", [0.1, 0.9, 0.999])
def test_the_mixing_time_is_when_the_start_is_forgotten_up_to_a_quarter(stay):
    k = vi_sbr_mixing.mixing_time(stay)
    law = np.linalg.matrix_power(np.array([[stay, 1 - stay], [1 - stay, stay]]), int(np.ceil(k)))
    assert np.abs(law[0] - 0.5).max() <= 0.25 + 1e-12
    assert vi_sbr_mixing.mixing_time(0.5) == 1.0


def test_looking_on_the_way_changes_nothing():
    player = tools.smoothed(0.5)
    straight = tools.follow([(PLACE, player, player)], [700], 2, 3)
    stops = tools.follow([(PLACE, player, player)], [10, 256, 300, 700], 2, 3)
    np.testing.assert_array_equal(straight.strategies[0][-1], stops.strategies[0][-1])
    # Cases beside each other are what they are alone.
    beside = tools.follow([(PLACE, player, player), (PLACE, tools.smoothed(0.1), player)], [700], 2, 3)
    np.testing.assert_allclose(beside.strategies[0][:, :1], straight.strategies[0], atol=1e-12)
    assert np.abs(beside.strategies[0][:, 1] - straight.strategies[0][:, 0]).max() > 0.01


def test_q_learning_finds_the_best_answer_to_a_fixed_policy():
    law = np.array([[0.5, 0.3, 0.2]])
    trail = tools.follow([(PLACE, GreedyPlayer(0.2), FixedPlayer(law))], [2000], 10, 0)
    # Paper earns 0.45 against this law, rock -0.2, scissors -0.175.
    np.testing.assert_allclose(trail.strategies[0][-1, 0, :, 0], [[0.2 / 3, 1 - 0.4 / 3, 0.2 / 3]] * 10)
    # Estimates of what is played often are near; 10 draws in 2,000 moves of variance about 0.2.
    np.testing.assert_allclose(trail.estimates[0][-1, 0, :, 0, 1].mean(), 0.45, atol=0.03)
    assert (trail.strategies[1] == law).all()
    assert trail.visits[0].sum() == 10 * 2000


@pytest.mark.slow
def test_the_mean_play_of_exponential_weights_becomes_unexploitable():
    peer = ExponentialPlayer(1.0)
    trail = tools.follow([(PLACE, peer, peer)], [100, 6400], 10, 0)
    stack = np.broadcast_to(STAKES, (2, 10, 3, 3))
    gaps = matrix_gap(stack, tools.matrix_pair(trail.averages, 0)).mean(1)
    # The regret bound falls with the square root of 64: a factor of 8, here at least 3.
    assert gaps[1] < gaps[0] / 3
    assert gaps[1] < 0.1


SMALL = {
    "sbr-rate": {"noises": (0.5,), "moves": 2_000, "fit_from": 500, "seeds": 4, "random_games": 0},
    "sbr-constant-step": {"moves": 400, "looks": 4, "seeds": 4},
    "sbr-exploration": {"moves": 2_000, "seeds": 4},
    "vi-sbr": {"rounds": 2, "moves": 300, "seeds": 3},
    "vi-sbr-collapse": {"rounds": 2, "moves": 300, "seeds": 3, "games": 2},
    "sbr-rationality": {"moves": 2_000, "fit_from": 500, "seeds": 4, "opponents": 2},
    "vi-sbr-mixing": {"moves": 1_000, "seeds": 4},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_every_experiment_runs_small(name):
    wanted = experiment(name)
    settings = replace(wanted.laptop, **SMALL[name])
    result = wanted.run(settings, silent)
    assert result.certified
    json.dumps(to_dict(wanted, settings, result), allow_nan=False)
    for picture in result.pictures.values():
        assert picture.draw().axes


@pytest.mark.slow
def test_the_last_iterate_reaches_the_nash_distribution_at_the_rate_one_over_k():
    settings = replace(experiment("sbr-rate").laptop, noises=(0.5,), moves=30_000, fit_from=3_000)
    result = experiment("sbr-rate").run(replace(settings, seeds=200, random_games=0), silent)
    exponents = [float(row[3]) for row in result.tables["rate"].rows if row[3] is not None]
    assert len(exponents) == 3
    # The error's relative standard error is about 1/sqrt(200) at each end of a decade: 0.05 in exponents.
    assert all(-1.2 < exponent < -0.8 for exponent in exponents)
