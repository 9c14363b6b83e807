"""Paths as tables, objects and a picture."""

import json

import numpy as np
import pytest

from equipoise.equilibria import QRE, Bifurcation, Curve, Trace
from equipoise.games import NormalFormGame
from equipoise.reporting.traces import (
    bifurcation_table,
    branch_table,
    point_table,
    trace_figure,
    trace_to_dict,
)


@pytest.fixture
def trace():
    """A made-up path: the row player's third action varies most, the middle point is unstable."""
    game = NormalFormGame(
        [np.zeros((3, 2))] * 2, action_names=[["a", "b", "c"], ["l", "r"]], player_names=["Ann", "Bob"]
    )
    row = np.array([[0.4, 0.4, 0.2], [0.3, 0.3, 0.4], [0.1, 0.1, 0.8]])
    column = np.array([[0.5, 0.5], [0.6, 0.4], [0.5, 0.5]])
    curve = Curve(
        np.array([1.0, 30.0, 20.0]),
        (row, column),
        np.array([1, -1, 1]),
        np.array([True, False, True]),
        "principal",
    )
    fold = Bifurcation(30.0, "fold", (row[1], column[1]), "principal")
    return Trace(game, QRE(), "precision", (curve,), (fold,), True)


def test_points(trace):
    lines = point_table(trace).to_csv().splitlines()
    assert lines[0] == "branch,precision,Ann: a,Ann: b,Ann: c,Bob: l,Bob: r,index,stable"
    assert lines[2] == "principal,30.0,0.3,0.3,0.4,0.6,0.4,-1,False"
    assert len(lines) == 4


def test_branches_and_bifurcations(trace):
    assert branch_table(trace).rows == (("principal", "1.000", "30.00", "+1, -1", "in part", 3),)
    assert bifurcation_table(trace).rows == (
        ("fold", "30.00", "principal", "0.3000, 0.3000, 0.4000; 0.6000, 0.4000"),
    )


def test_objects(trace):
    data = json.loads(json.dumps(trace_to_dict(trace), allow_nan=False))
    assert data["branches"][0]["strategies"]["Ann"]["c"] == [0.2, 0.4, 0.8]
    assert data["branches"][0]["stable"] == [True, False, True]
    assert data["bifurcations"][0]["strategies"]["Bob"] == {"l": 0.6, "r": 0.4}


def test_picture(trace):
    (ax,) = trace_figure(trace).axes
    assert ax.get_ylabel() == "probability that Ann plays c"
    assert ax.get_xscale() == "log"
    assert trace_figure(trace, player=1).axes[0].get_ylabel() == "probability that Bob plays l"
    with pytest.raises(ValueError, match="player must be from 0 to 1, got 2"):
        trace_figure(trace, player=2)
