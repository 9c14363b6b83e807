"""`equipoise fit`: data from files and records, comparison, and what it refuses."""

import json

import pytest

from equipoise.cli import main
from equipoise.games import named_game, save
from equipoise.games.observed_play import observed_play

CHOICES = "player,action,count\nRow,U,30\nRow,D,70\nColumn,L,45\nColumn,R,55\n"


def run(capsys, *arguments):
    code = main(["fit", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def files(tmp_path):
    """A table of choices and the game they were made in."""
    data, game = tmp_path / "choices.csv", tmp_path / "game.nfg"
    data.write_text(CHOICES)
    save(observed_play()["selten-chmura-2"].game, game)
    return str(data), str(game)


def test_a_table_of_choices(files, capsys):
    data, game = files
    code, out, err = run(capsys, data, "--game", game, "--concept", "qre", "--level", "0.9")
    assert code == 0
    assert "fitted to one game by likelihood" in out
    assert "90% intervals: profile likelihood" in out
    assert err == ""


def test_json_has_every_fit_and_goes_to_a_file(files, tmp_path, capsys):
    data, game = files
    out_file = tmp_path / "fit.json"
    arguments = ("--concept", "qre,impulse-balance", "--json", "--out", str(out_file))
    code, out, _ = run(capsys, data, "--game", game, *arguments)
    assert code == 0
    answer = json.loads(out)
    assert [one["concept"][:3] for one in answer["fits"]] == ["QRE", "imp"]
    assert [row["free_parameters"] for row in answer["comparison"]["rows"]] == [1, 0]
    assert json.loads(out_file.read_text()) == answer


def test_games_named_in_the_table(tmp_path, capsys):
    rows = [f"{g},{p},{a},5" for g in ("stag-hunt", "chicken") for p in (1, 2) for a in (1, 2)]
    data = tmp_path / "many.csv"
    data.write_text("game,player,action,count\n" + "\n".join(rows) + "\n")
    code, out, err = run(capsys, str(data), "--concept", "qre", "--json")
    assert code == 0
    assert [one["game"] for one in json.loads(out)["fits"][0]["games"]] == ["stag-hunt", "chicken"]
    assert "precision = 0.001333 sits at the lower end" in err
    assert "play is close to uniform" in err
    save(named_game("chicken"), tmp_path / "chicken.nfg")
    code, _, err = run(capsys, str(data), "--game", str(tmp_path / "chicken.nfg"), "stag-hunt")
    assert code == 0
    code, _, err = run(capsys, str(data), "--game", "prisoners-dilemma", "stag-hunt")
    assert code == 2
    assert "many.csv:6:1: game: 'chicken' is none of the games given" in err


def test_recorded_experiments_with_bootstrap(capsys):
    arguments = ("--concept", "qre,impulse-balance", "--criterion", "least_squares", "--held-out")
    code, out, _ = run(capsys, "selten-chmura", *arguments, "--bootstrap", "20", "--seed", "3")
    assert code == 0
    assert "bootstrap over games" in out
    assert "held out, with 95% intervals" in out
    assert "0.004879" in out


@pytest.mark.slow
def test_doubts_are_shown_on_standard_error(files, capsys):
    data, game = files
    code, _, err = run(capsys, data, "--game", game, "--sharing", "per_player", "--json")
    assert code == 0
    assert "not identified: 4 parameters for 2 observed numbers" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["selten-chmora"], "no recorded experiment 'selten-chmora'"),
        (["nowhere.csv"], "there is no file nowhere.csv"),
        (["selten-chmura", "--game", "stag-hunt"], "--game goes with a .csv file"),
        (["selten-chmura", "--concept", "qrr"], "there is no 'qrr' (did you mean 'qre'"),
        (["selten-chmura", "--concept", "qre", "--tau", "1"], "are for --concept rqe"),
        (["selten-chmura", "--tau", "x"], "--tau takes one number"),
        (["selten-chmura", "--bootstrap", "1"], "--bootstrap takes the number of resamples"),
        (["selten-chmura", "--penalty", "kll"], "penalty must be one of"),
    ],
)
def test_wrong_input_gets_one_line_and_code_2(arguments, message, capsys):
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
