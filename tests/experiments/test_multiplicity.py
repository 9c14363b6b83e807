"""Multiplicity: thresholds against closed forms and against a count by brute force."""

import numpy as np
import pytest

from equipoise.equilibria import RQE, trace
from equipoise.experiments import experiment, silent
from equipoise.experiments import multiplicity as module
from equipoise.games import named_game

SMALL = module.Settings(games=1)


# The expensive fixture is made once, in one process.
pytestmark = pytest.mark.xdist_group("multiplicity")


@pytest.fixture(scope="module")
def result():
    return experiment("multiplicity").run(SMALL, silent)


def responses(b, tau, eps, cost=0.4):
    """Best response a to every b in the free-riding game with KL and entropy, by bisection."""
    low, high = np.zeros_like(b), np.ones_like(b)
    for _ in range(60):
        a = (low + high) / 2
        p = 1 / (1 + np.exp(-(np.log(b / (1 - b)) - tau * (1 - a))))
        too_low = 1 - cost - p > eps * np.log(a / (1 - a))
        low, high = np.where(too_low, a, low), np.where(too_low, high, a)
    return (low + high) / 2


@pytest.mark.parametrize("noise", [0.15, 0.2, 0.22])
def test_the_pitchfork_separates_three_equilibria_from_one(noise):
    tau = module.pitchfork(noise)
    b = np.linspace(0.001, 0.999, 4001)
    for factor, expected in ((0.97, 3), (1.03, 1)):
        again = responses(responses(b, factor * tau, noise), factor * tau, noise) - b
        assert (np.diff(np.sign(again)) != 0).sum() == expected


def test_equilibria_are_counted_along_a_folding_branch():
    one = trace(named_game("stag-hunt"), RQE(1.0, 0.2), "risk_aversion", 0.01, 1.0)
    found = module.count([one], SMALL, 0.2)
    fold = found.last[0]
    assert set(found.numbers[0, (found.products > 0.005) & (found.products < 0.98 * fold)]) == {3}
    assert set(found.numbers[0, (found.products > 1.02 * fold) & (found.products < 0.19)]) == {1}


def test_all_claims_hold_and_every_branch_was_followed(result):
    assert [claim.claim for claim in result.claims if not claim.holds] == []
    assert result.certified


def test_the_table_puts_bifurcations_before_what_is_proved(result):
    table = result.tables["merging"]
    at, proved = (table.columns.index(c) for c in ("one beyond τ =", "proved beyond τ ="))
    assert len(table.rows) == 8
    for row in table.rows:
        assert row[proved] is None or row[at] < row[proved]


def test_diagrams_show_the_conditions_of_covered_pairs_only(result):
    figure = result.pictures["collaborate-or-defect"].draw()
    lines = [[line for line in ax.get_lines() if len(set(line.get_xdata())) == 1] for ax in figure.axes]
    places = [sorted(line.get_xdata()[0] for line in some if len(line.get_xdata()) == 2) for some in lines]
    assert places == [[], [0.25, 1.0], [0.125, 0.25, 1.0], [0.125, 0.25, 1.0]]
    assert result.pictures["random-games"].draw().axes
