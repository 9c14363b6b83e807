"""The command line: what it prints, what it returns, and that it stays quick and polite."""

import json
import re

import numpy as np
import pytest

from equipoise import cli
from equipoise.cli import COMMANDS, main
from equipoise.cli._inputs import read_numbers
from equipoise.games import catalogue, named_game


def run(capsys, *arguments):
    """Exit code, standard output, standard error."""
    code = main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def run_json(capsys, *arguments):
    code, out, err = run(capsys, *arguments, "--json")
    return code, json.loads(out), err


def test_help_lists_every_command(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    for name, summary in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(summary)}$", out, flags=re.MULTILINE)


def test_nothing_is_not_a_command(capsys):
    code, out, _ = run(capsys)
    assert code == 2
    assert "COMMAND" in out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_examples(name, capsys):
    code, out, _ = run(capsys, name, "--help")
    assert code == 0
    assert f"equipoise {name} " in out.split("Examples:")[1]
    assert "default: None" not in out


def test_version(capsys):
    code, out, _ = run(capsys, "--version")
    assert code == 0
    assert re.fullmatch(r"equipoise \d+\.\d+\.\d+\S*\n", out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["solv"], "there is no command 'solv' (did you mean 'solve'?)"),
        (["games", "show", "stag-hont"], "there is no game 'stag-hont' (did you mean 'stag-hunt'"),
        (["games", "show", "nowhere/game.nfg"], "there is no file 'nowhere/game.nfg'"),
        (["games", "list", "--tag", "zero sum"], "no game has the tag 'zero sum' (did you mean 'zero-sum'"),
    ],
)
def test_wrong_input_gets_one_line_and_code_2(arguments, message, capsys):
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_options_that_do_not_exist_are_bad_input(capsys):
    code, _, err = run(capsys, "games", "list", "--tga", "x")
    assert code == 2
    assert "--tag" in err


def test_debugging_shows_where_an_error_comes_from(monkeypatch):
    monkeypatch.setenv("EQUIPOISE_DEBUG", "1")
    with pytest.raises(ValueError, match="there is no game 'nothing-like-it'"):
        main(["games", "show", "nothing-like-it"])


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (KeyError("boom"), 3, "a fault in Equipoise (KeyError: 'boom')"),
        (OSError(28, "No space left on device"), 2, "No space left on device"),
    ],
)
def test_what_goes_wrong_inside_decides_the_exit_code(error, code, words, monkeypatch, capsys):
    def fail(*_):
        raise error

    monkeypatch.setattr(cli, "_dispatch", fail)
    got, _, err = run(capsys, "games", "list")
    assert got == code
    assert words in err


def test_games_list_has_the_whole_catalogue(capsys):
    code, out, _ = run(capsys, "games", "list")
    assert code == 0
    keys = [line.split()[0] for line in out.splitlines() if line.strip()]
    assert set(catalogue()) <= set(keys)
    code, data, _ = run_json(capsys, "games", "list", "--tag", "experiment")
    assert code == 0
    assert {one["key"] for one in data["games"]} == {
        key for key, one in catalogue().items() if "experiment" in one.tags
    }


def test_games_show_prints_payoffs_and_equilibria(capsys):
    code, out, _ = run(capsys, "games", "show", "stag-hunt")
    assert code == 0
    assert "4, 4" in out
    assert "0.75 stag + 0.25 hare" in out
    _, data, _ = run_json(capsys, "games", "show", "stag-hunt")
    np.testing.assert_array_equal(data["payoffs"], np.stack(named_game("stag-hunt").payoffs))
    assert data["nash_equilibria"][2] == [[0.75, 0.25], [0.75, 0.25]]


@pytest.mark.parametrize("ending", ["nfg", "json"])
def test_exported_games_come_back(ending, tmp_path, capsys):
    path = tmp_path / f"game.{ending}"
    assert run(capsys, "games", "export", "three-way-battle", str(path))[0] == 0
    code, data, _ = run_json(capsys, "games", "show", str(path))
    assert code == 0
    np.testing.assert_array_equal(data["payoffs"], np.stack(named_game("three-way-battle").payoffs))
    assert data["actions"] == [list(names) for names in named_game("three-way-battle").action_names]


@pytest.mark.parametrize(
    ("text", "value"), [("0.5", 0.5), ("1,2e-3", (1.0, 2e-3)), ("-1", -1.0), ("inf", np.inf)]
)
def test_numbers_for_all_or_per_player(text, value):
    assert read_numbers(text, "--tau") == value


@pytest.mark.parametrize("text", ["", "a", "1,", "1;2"])
def test_what_is_not_a_number_is_named(text):
    with pytest.raises(ValueError, match=rf"--tau takes one number.*got {re.escape(repr(text))}"):
        read_numbers(text, "--tau")
