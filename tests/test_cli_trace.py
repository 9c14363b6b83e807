"""`equipoise trace`: the volunteer's pitchfork, a fold, files, and what it refuses."""

import csv
import json

import numpy as np
import pytest

from equipoise.cli import main
from equipoise.equilibria import RQE, find_equilibria
from equipoise.games import named_game

VOLUNTEER = ("collaborate-or-defect", "--from", "0", "--to", "2", "--eps", "0.2")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(capsys, *arguments):
    code = main(["trace", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_pitchfork_with_its_points_and_picture(capsys, tmp_path):
    code, out, err = run(capsys, *VOLUNTEER)
    assert code == 0
    assert err == ""
    assert "crossing      0.8288   principal" in out
    folder = tmp_path / "out" / "trace-collaborate-or-defect"
    assert (folder / "trace.png").read_bytes().startswith(b"\x89PNG")
    points = read(folder / "trace.csv")
    assert {row["branch"] for row in points} == {"principal", "branch 2"}
    # The symmetric branch is stable exactly beyond the crossing, the free riders' everywhere.
    for row in points:
        tau, stable = float(row["risk_aversion"]), row["stable"] == "True"
        assert stable == (row["branch"] == "branch 2" or tau > 0.8288)
        assert int(row["index"]) == (1 if stable else -1)


def test_points_are_equilibria(capsys):
    code, out, _ = run(capsys, *VOLUNTEER, "--json")
    assert code == 0
    branches = json.loads(out)["branches"]
    game = named_game("collaborate-or-defect")
    found = find_equilibria(game, RQE(risk_aversion=0.0, bounded_rationality=0.2))
    ends = [
        branch["strategies"]["Row"]["collaborate"][k]
        for branch in branches
        for k, tau in enumerate(branch["parameter"])
        if tau == 0.0
    ]
    np.testing.assert_allclose(sorted(ends), sorted(s.strategies[0][0] for s in found), atol=1e-6)


def test_json_goes_nowhere_else(capsys, tmp_path):
    code, _, _ = run(capsys, *VOLUNTEER, "--json")
    assert code == 0
    assert list(tmp_path.iterdir()) == []


def test_a_fold_of_qre_into_a_named_file(capsys, tmp_path):
    # Two more equilibria of the stag hunt appear together where lambda = 3.59.
    code, out, _ = run(
        capsys, "stag-hunt", "--concept", "qre", "--from", "0", "--to", "10", "--out", "hunt.csv"
    )
    assert code == 0
    assert "fold" in out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["hunt.csv", "hunt.png"]
    points = read(tmp_path / "hunt.csv")
    folded = [row for row in points if row["branch"] == "branch 2"]
    assert min(float(row["precision"]) for row in folded) == pytest.approx(3.590, abs=2e-3)
    # Every point solves the logit equations.
    payoffs = named_game("stag-hunt").payoffs
    for row in points[::20]:
        own = [np.array([float(v) for k, v in row.items() if k.startswith(f"{who}: ")]) for who in NAMES]
        for utility, strategy in ((payoffs[0] @ own[1], own[0]), (payoffs[1].T @ own[0], own[1])):
            odds = np.log(strategy[0] / strategy[1])
            assert odds == pytest.approx(float(row["precision"]) * (utility[0] - utility[1]), abs=1e-6)


NAMES = named_game("stag-hunt").player_names


def test_eps_falls_with_ratios_between_players(capsys, tmp_path):
    arguments = ("--parameter", "eps", "--from", "2", "--to", "0.1", "--eps", "1,0.5", "--tau", "0.5")
    code, out, _ = run(capsys, "chicken", *arguments, "--player", "2", "--out", "there")
    assert code == 0
    assert "highest ε" in out
    assert sorted(p.name for p in (tmp_path / "there").iterdir()) == ["trace.csv", "trace.png"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tau", "2"), "--tau 2 is what varies"),
        (("--parameter", "lambda"), "--parameter lambda does not belong to --concept rqe"),
        (("--concept", "qre", "--parameter", "tau"), "--parameter tau does not belong to --concept qre"),
        (("--concept", "qre", "--eps", "0.2"), "--eps does not apply to --concept qre"),
        (("--player", "3"), "--player takes a player from 1 to 2, got 3"),
        (("--out", "picture.png"), "--out takes a folder or a .csv file, got 'picture.png'"),
        (("--parameter", "eps"), "bounded_rationality must stay positive"),
    ],
)
def test_refused(capsys, tmp_path, arguments, said):
    code, out, err = run(capsys, "chicken", "--from", "0", "--to", "2", *arguments)
    assert code == 2
    assert said in " ".join(err.split())
    assert out == ""
    assert list(tmp_path.iterdir()) == []
