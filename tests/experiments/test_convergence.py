"""Convergence: measures on made-up curves, and a small run of the whole."""

import json

import numpy as np
import pytest

from equipoise.equilibria.dynamics import Learning, Play
from equipoise.experiments import convergence as module
from equipoise.experiments import experiment, silent, to_dict

SMALL = module.Settings(games=2, steps=300)
T = np.unique(np.geomspace(1, 1000, 40).round().astype(int))


def track(last):
    last = np.asarray(last, dtype=float).T
    return module.Track(T, last, last, np.full(last.shape[1], True), np.ones(last.shape[1]), 1e-6)


def test_slopes_are_exponents():
    errors = np.stack([T**-0.5, 3.0 * T**-1.0, np.full(T.shape, 0.1)], axis=1)
    np.testing.assert_allclose(module.slope(T, errors), [-0.5, -1.0, 0.0], atol=1e-12)


def test_arrival_is_where_the_error_stays_small():
    falls, returns, never, always = 0.5**T, np.full(T.shape, 1e-9), np.ones(T.shape), np.zeros(T.shape)
    returns[20] = 1.0
    found = module.arrival(track([falls, returns, never, always]))
    assert found[0] == T[np.argmax(0.5**T <= 1e-6)]
    assert found[1] == T[21]
    assert found[2] == np.inf
    assert found[3] == 1


def test_falling_means_arrived_or_still_approaching():
    cycle, slow, done = np.full(T.shape, 0.1), np.exp(-T / 1000), np.full(T.shape, 1e-9)
    fast = np.exp(-T / 300)
    np.testing.assert_array_equal(
        module.falling(T, np.stack([cycle, slow, fast, done], axis=1)), [False, True, True, True]
    )


def test_distance_is_to_the_nearest_equilibrium():
    equilibria = np.array([[1.0, 0.0, 1.0, 0.0], [0.5, 0.5, 0.5, 0.5]])
    problems = module.Problems([], [], np.zeros(1, int), [equilibria], 0.0, 0.0, np.array([True]))
    x, y = np.array([0.6, 0.4]), np.array([0.55, 0.45])
    found = Play(
        np.array([1]), (x[None, :, None], y[None, :, None]), (x[None, :, None], x[None, :, None]), (), ()
    )
    last, average = module.distances(problems, found)
    np.testing.assert_allclose(last, [[0.1]])
    np.testing.assert_allclose(average, [[0.1]])


def test_preferences_lie_where_the_region_says():
    problems = module.draw(SMALL, ("kl", "log_barrier"))
    for concept, region, game in zip(problems.concepts, problems.region, problems.games, strict=True):
        product = concept.risk_aversion * concept.bounded_rationality
        assert product == pytest.approx(list(module.REGIONS.values())[region])
        np.testing.assert_allclose(game.payoff_ranges(), 1.0)
    assert problems.converged.all()
    assert problems.gap < 1e-9


def test_the_best_step_of_every_game_is_kept():
    problems = module.draw(SMALL, ("kl", "log_barrier"))
    best = module.learn(problems, Learning(1.0, 1, geometry="entropic"), SMALL, lambda share: None)
    assert set(best.step) <= set(module.STEPS["entropic"])
    assert best.last.shape == (len(best.checkpoints), 8)
    assert best.last[-1].max() < best.last[0].max()


@pytest.mark.slow
def test_a_small_run_has_every_method_and_can_be_written():
    wanted = experiment("convergence")
    seen = []
    result = wanted.run(SMALL, lambda share, what: seen.append(share))
    assert seen[-1] == 1.0
    assert min(np.diff(seen)) > -1e-9
    assert len(result.tables["convergence"].rows) == 2 * 4 * 5
    assert result.certified
    assert "8 of 8 games" not in result.answer
    assert "16 of 16 games, certified" in result.answer
    json.dumps(to_dict(wanted, SMALL, result), allow_nan=False)
    figure = result.pictures["errors-log-barrier"].draw()
    assert [ax.get_title(loc="left") for ax in figure.axes] == list(module.REGIONS)
    again = wanted.run(SMALL, silent)
    assert again.tables["convergence"].to_csv() == result.tables["convergence"].to_csv()
