"""The cliff walk: simulated walks against exact expectations, and what the experiment reports."""

import numpy as np
import pytest

from equipoise.equilibria import RQE, solve
from equipoise.experiments import cliff_walk as module
from equipoise.experiments import experiment, silent
from equipoise.games.grid_worlds import cliff_walk
from equipoise.reporting.style import render

SMALL = module.Settings(horizon=7, walks=500)


@pytest.fixture(scope="module")
def result():
    return experiment("cliff-walk").run(SMALL, silent)


def test_simulated_walks_earn_what_they_should():
    game = cliff_walk("code", horizon=6)
    solution = solve(game, RQE(0.0, 0.3, "kl", "log_barrier", regularizer_in_value=False))
    walks = module.simulate(solution, 40_000, np.random.default_rng(1))
    # Without aversion and regularizer a value is the expected return.
    expected = solution.values @ game.initial
    error = walks.returns.std(axis=1) / np.sqrt(40_000)
    assert (np.abs(walks.returns.mean(axis=1) - expected) < 4.0 * error).all()
    falls = module.measure(game, walks)["falls"]
    # The map and the rules are the same for both agents.
    assert abs(falls[0] - falls[1]) < 4.0 * np.sqrt(0.5 / 40_000)


def test_measures_of_a_walk_told_by_hand():
    game = cliff_walk("code", horizon=3)
    layout = game.layout
    # Agent 1 waits one move, then goes down twice; agent 2 goes left into its own goal's opposite corner.
    cells = np.array([[2, 11], [2, 10], [5, 9], [8, 6]])
    states = [int(np.flatnonzero((layout.positions == pair).all(axis=1))[0]) for pair in cells]
    walks = module.Walks(np.array([states]), np.array([[1.0], [2.0]]))
    measured = module.measure(game, walks)
    assert measured["waits"].tolist() == [3.0, 2.0]
    assert measured["falls"].tolist() == [0.0, 1.0]
    assert measured["arrives"].tolist() == [0.0, 0.0]
    assert measured["edge"].tolist() == [0.0, 1.0]
    assert measured["mean"].tolist() == [1.0, 2.0]


@pytest.mark.slow
def test_every_setting_is_certified_and_shown(result):
    assert result.certified
    names = [row[0] for row in result.tables["solutions"].rows]
    assert names[-3:] == ["authors' numbers", "risk-neutral", "Nash"]
    assert len(names) == 8
    assert all(row[3] < 1e-9 for row in result.tables["solutions"].rows)
    for picture in result.pictures.values():
        assert render(picture.draw(), "png").startswith(b"\x89PNG")


@pytest.mark.slow
def test_risk_aversion_keeps_away_from_the_cliff(result):
    verdicts = {claim.claim: claim.holds for claim in result.claims}
    assert verdicts["a more averse agent 2 keeps away from the cliff"]
    assert verdicts["a less averse agent 2 heads for its goal"]
