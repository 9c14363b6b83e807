"""Rates of the coupled iteration, inspection games, the cooperation grid: measures, and small runs."""

from __future__ import annotations

import json

import numpy as np
import pytest

import equipoise as eqp
from equipoise.equilibria import pure_nash_equilibria
from equipoise.experiments import (
    actor_critic_rates,
    cooperation_grid,
    experiment,
    inspection,
    silent,
    to_dict,
)

T = np.unique(np.geomspace(1, 1000, 60).round().astype(int))


def test_factors_and_exponents_are_those_of_made_up_errors():
    falling = actor_critic_rates.Track(T, 0.98**T, 1.0)
    assert actor_critic_rates.factor(falling) == pytest.approx(0.98, abs=1e-6)
    slow = actor_critic_rates.Track(T, 3.0 * T**-1.5, 1.0)
    assert actor_critic_rates.exponent(slow) == pytest.approx(-1.5, abs=1e-6)


def test_random_inspection_games_are_inspection_games():
    game = inspection.random_inspection(20, np.random.default_rng(0))
    first, second = game.rewards
    assert (first[:, 0, 0] > 0).all()
    assert (first[:, 0, 1] < 0).all()
    assert (second[:, 1, 0] > 0).all()
    assert (second[:, 0, 0] < 0).all()
    # No pure equilibrium: violators are inspected, the inspected comply, the compliant are left alone.
    for s in range(20):
        assert not pure_nash_equilibria(game.stage_game(s, np.zeros((2, 20))))


def test_arrival_is_where_play_stays():
    returns, never, always = [1.0, 1e-4, 1.0, 1e-4, 1e-5], np.ones(5), np.zeros(5)
    found = inspection.arrival(np.arange(5), np.stack([returns, never, always], axis=1))
    np.testing.assert_array_equal(found, [3, np.inf, 0])


def test_worth_is_the_discounted_reward():
    game = eqp.cooperation_grid()
    policies = [np.full((game.num_states, 5), 0.2)] * 2
    values = np.zeros((2, game.num_states))
    for _ in range(500):
        worth = np.stack(game.rewards) + game.discount * game.expected(values)
        values = worth.mean(axis=(2, 3))
    np.testing.assert_allclose(cooperation_grid.worth(game, policies), values @ game.initial, rtol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("actor-critic-rates", actor_critic_rates.Settings(games=0, steps=300, late=300)),
        ("inspection", inspection.Settings(aversions=(0.0, 0.5, 2.0), games=5, steps=300, starts=2)),
        ("cooperation-grid", cooperation_grid.Settings(aversions=(0.0, 1.0), runs=2, steps=20)),
    ],
)
def test_small_runs(name, settings):
    chosen = experiment(name)
    result = chosen.run(settings, silent)
    json.dumps(to_dict(chosen, settings, result), allow_nan=False)
    assert result.claims
    for picture in result.pictures.values():
        assert picture.draw().axes
