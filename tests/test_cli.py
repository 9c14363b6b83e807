"""The command line: what it prints, what it returns, and that it stays quick and polite."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import equipoise as eqp
from equipoise import cli
from equipoise.cli import COMMANDS, main
from equipoise.cli._inputs import read_numbers
from equipoise.cli.solve import CONCEPTS
from equipoise.games import catalogue, load, markov_catalogue, named_game


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


def test_markov_games_are_listed_shown_and_exported(tmp_path, capsys):
    code, out, _ = run(capsys, "games", "list", "--tag", "grid")
    assert code == 0
    assert "cliff-walk-code" in out
    assert "Games in normal form" not in out
    _, data, _ = run_json(capsys, "games", "list")
    assert {one["key"] for one in data["markov_games"]} == set(markov_catalogue())
    code, out, _ = run(capsys, "games", "show", "cliff-walk-code")
    assert code == 0
    assert "2.A\nx..\nx..\n1.B" in out
    assert "16 of 2304 states with joint actions" in out
    _, data, _ = run_json(capsys, "games", "show", "toy-3")
    assert (data["states"], data["horizon"], data["sparse"]) == (3, 3, False)
    for ending in ("json", "npz"):
        path = tmp_path / f"game.{ending}"
        assert run(capsys, "games", "export", "toy-3", str(path))[0] == 0
        assert load(path) == markov_catalogue()["toy-3"].game
    code, _, err = run(capsys, "games", "export", "toy-3", str(tmp_path / "game.nfg"))
    assert code == 2
    assert "a Markov game is saved to a file that ends in .json or .npz" in err
    code, _, err = run(capsys, "trace", "toy-3", "--from", "0", "--to", "1")
    assert code == 2
    assert "'toy-3' is a Markov game; this command takes a game in normal form" in err


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


ARGUMENTS = {
    "rqe": ["--tau", "1,0.5", "--eps", "0.2", "--penalty", "reverse_kl", "--regularizer", "log_barrier"],
    "qre": ["--lambda", "2"],
    "nash": [],
    "ce": ["--objective", "2"],
    "cce": ["--objective", "1,0.5"],
    "stackelberg": ["--leader", "2", "--margin", "0.1"],
    "security": [],
    "payoff-sampling": ["--n", "6"],
    "action-sampling": ["--n", "12"],
    "impulse-balance": [],
}
DIRECT = {
    "rqe": lambda: eqp.RQE((1.0, 0.5), 0.2, penalty="reverse_kl", regularizer="log_barrier"),
    "qre": lambda: eqp.QRE(2.0),
    "nash": lambda: eqp.Nash(),
    "ce": lambda: eqp.CorrelatedEquilibrium(1),
    "cce": lambda: eqp.CoarseCorrelatedEquilibrium((1.0, 0.5)),
    "stackelberg": lambda: eqp.Stackelberg(leader=1, margin=0.1),
    "security": lambda: eqp.Security(),
    "payoff-sampling": lambda: eqp.PayoffSampling(6),
    "action-sampling": lambda: eqp.ActionSampling(12),
    "impulse-balance": lambda: eqp.ImpulseBalance(),
}


@pytest.mark.parametrize("concept", CONCEPTS)
def test_solve_passes_every_option_on(concept, capsys):
    game = named_game("selten-chmura-3")
    code, data, err = run_json(capsys, "solve", "selten-chmura-3", "--concept", concept, *ARGUMENTS[concept])
    assert code == 0
    assert err == ""
    (answer,) = data["solutions"]
    expected = eqp.solve(game, DIRECT[concept]())
    assert answer["concept"] == expected.concept.name
    assert answer["converged"] is True
    for strategy, player in zip(expected.strategies, game.player_names, strict=True):
        np.testing.assert_allclose(list(answer["strategies"][player].values()), strategy, atol=1e-12)
    np.testing.assert_allclose(list(answer["values"].values()), expected.values, rtol=1e-9)
    assert answer["certificate"]["gap"] <= 1e-9


def test_solve_shows_what_json_says(capsys):
    _, data, _ = run_json(capsys, "solve", "collaborate-or-defect", "--tau", "1", "--eps", "0.2")
    code, out, _ = run(capsys, "solve", "collaborate-or-defect", "--tau", "1", "--eps", "0.2")
    assert code == 0
    (answer,) = data["solutions"]
    for name, probability in answer["strategies"]["Row"].items():
        assert re.search(rf"{name} +{probability:.4f}", out)
    assert re.search(r"Nash gap +0\.010", out)
    assert answer["status"] in out


def test_solve_defaults_are_those_of_the_concept(capsys):
    _, data, _ = run_json(capsys, "solve", "stag-hunt")
    assert data["solutions"][0]["concept"] == eqp.RQE().name


def test_correlated_play_is_shown_jointly(capsys):
    code, out, _ = run(capsys, "solve", "correlated-chicken", "--concept", "ce")
    assert code == 0
    assert re.search(r"yield +dare +0\.2500", out)


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["collaborate-or-defect", "--concept", "nash"], 3),
        (["collaborate-or-defect", "--concept", "rqe", "--tau", "0.5", "--eps", "0.2"], 3),
        (["collaborate-or-defect", "--concept", "qre", "--lambda", "1"], 1),
    ],
)
def test_all_finds_the_others_too(arguments, count, capsys):
    code, data, _ = run_json(capsys, "solve", *arguments, "--all")
    assert code == 0
    assert len(data["solutions"]) == count
    code, out, _ = run(capsys, "solve", *arguments, "--all")
    assert data["search"].splitlines()[0] in out
    assert ("#3" in out) == (count == 3)


def test_answers_can_be_kept_in_a_file(tmp_path, capsys):
    path = tmp_path / "new" / "answer.json"
    code, out, _ = run(capsys, "solve", "stag-hunt", "--concept", "security", "--out", str(path))
    assert code == 0
    assert f"Written to {path}." in out
    data = json.loads(path.read_text(encoding="utf-8"))
    assert data["solutions"][0]["strategies"]["Row"] == {"stag": 0.0, "hare": 1.0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--concept", "nash", "--tau", "1"], "--tau does not apply to --concept nash; it is for rqe"),
        (["--concept", "qre", "--n", "3"], "--n does not apply to --concept qre; it is for payoff-sampling"),
        (["--concept", "action-sampling"], "needs a sample size, for example --n 6"),
        (["--tau", "x"], "--tau takes one number, or one per player"),
        (["--tau", "-1"], "risk_aversion must be zero or positive, got -1"),
        (["--eps", "1,2,3"], "bounded_rationality has 3 entries but the game has 2 players"),
        (["--penalty", "kll"], "penalty must be one of 'kl'"),
        (["--concept", "ce", "--objective", "3"], "--objective takes a player from 1 to 2, got 3"),
        (["--concept", "stackelberg", "--leader", "0"], "--leader takes 1 or 2"),
        (["--concept", "ce", "--all"], "--all is for --concept rqe, qre and nash"),
    ],
)
def test_wrong_options_of_solve_say_what_is_right(arguments, message, capsys):
    code, out, err = run(capsys, "solve", "stag-hunt", *arguments)
    assert code == 2
    assert out == ""
    assert message in " ".join(err.split())


def test_unknown_concepts_are_refused_with_the_list(capsys):
    code, _, err = run(capsys, "solve", "stag-hunt", "--concept", "nsah")
    assert code == 2
    assert "impulse-balance" in err


def test_damaged_files_are_reported_with_line_and_column(tmp_path, capsys):
    path = tmp_path / "bad.nfg"
    path.write_text('NFG 1 R "x"\n{ "a" "b" } { 2 2 }\n1 2 3 4 5 6 x 8\n')
    code, _, err = run(capsys, "solve", str(path))
    assert code == 2
    assert "bad.nfg:3:13: expected a payoff" in err


def test_what_did_not_converge_is_shown_and_gets_code_1(monkeypatch, capsys):
    found = eqp.solve(named_game("stag-hunt"), eqp.RQE())
    monkeypatch.setattr(eqp.RQE, "find", lambda *_: replace(found, converged=False, status="stopped early"))
    code, out, _ = run(capsys, "solve", "stag-hunt")
    assert code == 1
    assert re.search(r"converged +no", out)
    assert "stopped early" in out


def test_a_cold_start_loads_nothing_heavy():
    code = (
        "import sys; from equipoise.cli import main; "
        "status = main(['solve', 'stag-hunt', '--concept', 'rqe', '--tau', '1', '--eps', '0.5']); "
        "heavy = {'jax', 'matplotlib', 'scipy', 'pandas'} & {name.split('.')[0] for name in sys.modules}; "
        "print(status, sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"
    assert done.stderr == ""


def test_a_reader_that_stops_early_is_no_error():
    code = "import sys; from equipoise.cli import main; sys.exit(main(['games', 'list', '--json']))"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0
    process.stderr.close()


def test_reproduce_lists_the_experiments(capsys):
    from equipoise.experiments import NAMES

    code, out, _ = run(capsys, "reproduce")
    assert code == 0
    for name in NAMES:
        assert name in out
    code, data, _ = run_json(capsys, "reproduce")
    assert [one["name"] for one in data["experiments"]] == list(NAMES)


def test_reproduce_writes_pictures_tables_and_a_page(capsys, tmp_path):
    code, out, _ = run(capsys, "reproduce", "tractable-region", "--out", str(tmp_path / "here"))
    assert code == 0
    assert "26 of the 26 published fits" in out
    assert "holds" in out
    names = {path.name for path in (tmp_path / "here").iterdir()}
    assert names == {"tractable-region.png", "tractable-region.csv", "tractable-region.json", "index.html"}


def test_reproduce_for_machines_writes_no_files(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, data, _ = run_json(capsys, "reproduce", "tractable-region")
    assert code == 0
    assert data["claims"][0]["holds"] is True
    assert list(tmp_path.iterdir()) == []


def made_up_result(holds, certified=True):
    from equipoise.experiments import Claim, Picture, Result
    from equipoise.reporting import Table
    from equipoise.reporting.figures import Series, dots

    names = ("human-play", "held-out", "differences", "tractable-region")
    picture = Picture(lambda: dots(["a"], [Series("s", np.array([1.0]))], xlabel="x"), "a picture")
    return Result(
        "The answer.",
        {"fit": Table(["concept"], [["RQE"]])},
        dict.fromkeys(names, picture),
        (Claim("it is so", "Somebody", "it is", holds),),
        certified,
    )


@pytest.mark.parametrize(
    ("holds", "certified", "expected"), [(True, True, 0), (False, True, 1), (True, False, 1)]
)
def test_reproduce_tells_by_its_code_whether_claims_hold(holds, certified, expected):
    from equipoise.cli.reproduce import verdict

    assert verdict(made_up_result(holds, certified)) == expected


def test_reproduce_refuses_what_it_does_not_know(capsys):
    code, _, err = run(capsys, "reproduce", "human-plai")
    assert code == 2
    assert "did you mean 'human-play'?" in err
    code, _, err = run(capsys, "reproduce", "--full")
    assert code == 2
    assert "need the NAME of an experiment" in err


def test_demo_prints_the_fit_table_and_says_where_the_page_is(capsys, tmp_path, monkeypatch):
    from dataclasses import replace

    from equipoise.cli import demo
    from equipoise.experiments import experiment

    quick = made_up_result(holds=False)
    monkeypatch.setattr(demo, "experiment", lambda name: replace(experiment(name), run=lambda s, p: quick))
    code, out, _ = run(capsys, "demo", "--out", str(tmp_path))
    assert code == 0
    assert "RQE" in out
    assert str(tmp_path / "index.html") in out
    page = (tmp_path / "index.html").read_text()
    assert page.count("<img ") == 4
    assert page.count("<h2>") == 3
