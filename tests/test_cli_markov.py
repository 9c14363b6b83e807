"""`equipoise solve` on Markov games."""

import numpy as np
import pytest

import equipoise as eqp
from equipoise.games import grid_game, named_markov_game
from test_cli import run, run_json

GAME = "two-state-horizon"


def test_solve_passes_options_on(capsys):
    arguments = ["--tau", "2,1", "--eps", "0.5", "--environment-tau", "0.3", "--environment-penalty", "l1"]
    code, data, err = run_json(capsys, "solve", GAME, *arguments, "--no-regularizer-in-value")
    assert (code, err) == (0, "")
    concept = eqp.RQE(
        (2.0, 1.0),
        0.5,
        environment_risk_aversion=0.3,
        environment_penalty="l1",
        regularizer_in_value=False,
    )
    expected = eqp.solve(named_markov_game(GAME), concept)
    (answer,) = data["solutions"]
    assert answer["concept"] == concept.name
    np.testing.assert_allclose(list(answer["strategies"].values()), expected.strategies, atol=1e-12)
    np.testing.assert_allclose(list(answer["values"].values()), expected.values)


def test_policy_is_drawn_as_text_and_in_a_file(capsys, tmp_path):
    picture, path = tmp_path / "policy.png", tmp_path / "yard.json"
    yard = grid_game(["A.1", "B.2"], {"1": 1.0, "2": 1.0}, horizon=3, success=0.9)
    eqp.save(yard, path)
    code, out, _ = run(
        capsys,
        "solve",
        str(path),
        "--concept",
        "qre",
        "--lambda",
        "2",
        "--show",
        "policy",
        "--step",
        "2",
        "--output",
        str(picture),
    )
    assert code == 0
    assert "at step 2 of 3" in out
    assert "→" in out
    assert "Most likely path, without waiting:" in out
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_table_of_a_game_without_a_map(capsys):
    code, out, _ = run(capsys, "solve", GAME, "--concept", "nash", "--show", "policy")
    assert code == 0
    assert "gain by deviating, at most" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([GAME, "--all"], "--all is for games in normal form"),
        ([GAME, "--step", "9"], "--step takes 1 to 3 in this game, got 9"),
        ([GAME, "--concept", "stackelberg"], "is not defined for Markov games"),
        (["stag-hunt", "--show", "policy"], "--show, --step and --output are for Markov games"),
        ([GAME, "--concept", "nash", "--environment-tau", "1"], "--environment-tau does not apply to"),
    ],
)
def test_wrong_options_say_what_is_right(arguments, message, capsys):
    code, out, err = run(capsys, "solve", *arguments)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
