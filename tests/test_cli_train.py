"""`equipoise train` and `equipoise runs`."""

from __future__ import annotations

import json

import numpy as np
import pytest

from equipoise.cli import BAD_INPUT, OK, main
from equipoise.cli.train import LEARNERS, command_name
from equipoise.learning import load_run

ARGUMENTS = ["train", "generative-rqe", "two-state", "--steps", "800", "--seeds", "2"]


def test_trains_keeps_the_run_and_lists_it(tmp_path, capsys):
    folder = tmp_path / "run"
    settings = ["--risk-aversion", "1", "2", "--draws", "20", "--dir", str(folder)]
    assert main([*ARGUMENTS, *settings]) == OK
    shown = capsys.readouterr().out
    assert "Player 1: probability of each action." in shown
    run = load_run(folder)
    assert run.learner.risk_aversion == (1.0, 2.0)
    assert run.learner.draws == 20
    assert run.seeds == 2
    assert (folder / "metrics.png").stat().st_size > 1000

    assert main(["runs", str(tmp_path), "--json"]) == OK
    (listed,) = json.loads(capsys.readouterr().out)["runs"]
    assert listed["learner"] == "GenerativeRQE"
    assert (listed["step"], listed["updates"]) == (800, 5)
    assert listed["metrics"]["draws"] == 100.0


def test_goes_on_with_a_run(tmp_path, capsys):
    place = ["--dir", str(tmp_path), "--json"]
    assert main([*ARGUMENTS, *place]) == OK
    first = json.loads(capsys.readouterr().out)
    assert main([*ARGUMENTS[:4], "1600", *ARGUMENTS[5:], *place]) == OK
    second = json.loads(capsys.readouterr().out)
    assert second["at"][: len(first["at"])] == first["at"]
    assert second["steps"] == 1600
    assert np.shape(second["policies"][0]) == (2, 2, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "generative-rqe", "two-state", "--steps", "many"], "--steps must be a whole number"),
        (["train", "generative-rq", "two-state", "--steps", "10"], "did you mean"),
        (["train", "generative-rqe", "stag-hunt", "--steps", "10"], "learns in a MarkovGame"),
        (["runs", "nowhere"], "there is no folder"),
    ],
)
def test_what_is_wrong_is_said(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == BAD_INPUT
    assert message in capsys.readouterr().err


def test_every_learner_has_a_name_on_the_command_line(capsys):
    assert command_name("RQEActorCritic") == "rqe-actor-critic"
    assert command_name("SmoothedBestResponse") == "smoothed-best-response"
    assert command_name("GenerativeRQE") == "generative-rqe"
    for name in LEARNERS:
        assert main(["train", name, "--help"]) == OK
        assert "learner options" in capsys.readouterr().out
