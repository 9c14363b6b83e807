"""The .nfg reader and writer: exact round trips, both forms, and errors with a place for anything else."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from equipoise.games import NfgError, NormalFormGame
from equipoise.games.nfg import format_nfg, parse_nfg
from game_strategies import game_arguments

SELTEN = (
    'NFG 1 R "Selten (IJGT, 75), Figure 2" { "Player 1" "Player 2" } { 3 2 }\n\n1 1 0 2 0 2 1 1 0 3 2 0\n'
)
ROW = np.array([[1, 1], [0, 0], [0, 2]])
COLUMN = np.array([[1, 1], [2, 3], [2, 0]])

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(lambda s: not s.endswith("\\"))


@given(game_arguments(names))
def test_round_trip_is_exact(arguments):
    game = NormalFormGame(*arguments)
    assert parse_nfg(format_nfg(game)) == game


@pytest.mark.parametrize("name", zoo.all_games())
def test_round_trip_of_the_zoo(name):
    game = zoo.all_games()[name]
    assert parse_nfg(format_nfg(game)) == game


def test_first_players_action_runs_fastest():
    game = parse_nfg(SELTEN)
    np.testing.assert_array_equal(game.payoffs[0], ROW)
    np.testing.assert_array_equal(game.payoffs[1], COLUMN)
    assert game.title == "Selten (IJGT, 75), Figure 2"
    assert game.action_names == (("1", "2", "3"), ("1", "2"))


def test_three_players_in_order():
    payoffs = np.arange(3 * 2 * 3 * 2, dtype=float).reshape(3, 2, 3, 2)
    numbers = [payoffs[i, a, b, c] for c in range(2) for b in range(3) for a in range(2) for i in range(3)]
    text = 'NFG 1 R "t" {"x" "y" "z"} {2 3 2} ' + " ".join(map(str, numbers))
    assert parse_nfg(text) == NormalFormGame(payoffs, "t", ["x", "y", "z"])


def test_outcome_form_with_names_and_comment():
    text = (
        'NFG 1 R "Selten (IJGT, 75), Figure 2" { "Player 1" "Player 2" }\n'
        '{ { "1" "2" "3" } { "1" "2" } }\n"a comment, with \\"quotes\\""\n'
        '{ { "both" 1, 1 } { "second" 0 2 } { "" 0, 3, } { "" 2/1, 0.0 } }\n1 2 2 1 3 4'
    )
    assert parse_nfg(text) == parse_nfg(SELTEN)


def test_outcome_zero_pays_nothing():
    game = parse_nfg('NFG 1 D "" {"a" "b"} {{"1" "2"} {"1"}} {{"o" 3 -1/4}} 0 1')
    assert game.payoffs[0].tolist() == [[0.0], [3.0]]
    assert game.payoffs[1].tolist() == [[0.0], [-0.25]]
    assert not np.any(parse_nfg('NFG 1 R "" {"a"} {2} {} 0 0').payoffs)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/3", 1 / 3),
        ("-2/6", -1 / 3),
        ("+7", 7.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),
        ("-2.5E+2", -250.0),
        ("123456789012345678901234567890/123456789012345678901234567890", 1.0),
        ("1e-999999999", 0.0),
        ("10000000000000000000000000000000000000001/30000000000000000000000000000000000000000", 1 / 3),
    ],
)
def test_numbers(text, value):
    assert parse_nfg(f'NFG 1 R "" {{"a"}} {{1}} {text}').payoffs[0].tolist() == [value]


def test_white_space_and_commas_are_free():
    dense = 'NFG 1 R"Selten (IJGT, 75), Figure 2"{"Player 1""Player 2"}{3 2}1,1,0,2,0,2,1,1,0,3,2,0'
    spread = SELTEN.replace(" ", "\r\n\t").replace("Selten\r\n\t(IJGT,\r\n\t75),\r\n\tFigure\r\n\t2", "x")
    spread = spread.replace("Player\r\n\t", "Player ")
    assert parse_nfg(dense) == parse_nfg(SELTEN)
    np.testing.assert_array_equal(parse_nfg(spread).payoffs[1], COLUMN)


def test_only_a_quotation_mark_is_escaped():
    game = parse_nfg('NFG 1 R "a \\"b\\" c\\d \\\\\\" e\nf" {"p"} {1} 0')
    assert game.title == 'a "b" c\\d \\\\" e\nf'
    assert parse_nfg(format_nfg(game)) == game
    with pytest.raises(ValueError, match="ends in a backslash"):
        format_nfg(NormalFormGame([[1.0]], "back\\"))


ERRORS = [
    ("", 1, 1, "expected 'NFG' .*, found the end of the file"),
    ('EFG 2 R "t" {"a"}', 1, 1, "extensive-form"),
    ('NFG 2 R "t"', 1, 5, "expected version '1' .*, found '2'"),
    ('NFG 1 X "t"', 1, 7, "expected 'R' or 'D' .*, found 'X'"),
    ("NFG 1 R title {", 1, 9, "expected the title of the game in quotes, found 'title'"),
    ('NFG 1 R "never closed', 1, 9, "never closed"),
    ('NFG 1 R "t"\n"a" "b"', 2, 1, "expected '{' before player names, found the text 'a'"),
    ('NFG 1 R "t"\n{ "a" b }', 2, 7, "expected player names in quotes or '}', found 'b'"),
    ('NFG 1 R "t" { } { } ', 1, 13, "expected 1 to 64 players, found 0"),
    ('NFG 1 R "t" { ' + '"p" ' * 65 + "}", 1, 13, "expected 1 to 64 players, found 65"),
    ('NFG 1 R "t" {"a" "b"} { 2 0 } 1 2', 1, 27, r"at least one action of player 2 \('b'\)"),
    ('NFG 1 R "t" {"a" "b"} { 2 -1 } 1 2', 1, 27, "number of actions of player 2 .*, found '-1'"),
    ('NFG 1 R "t" {"a" "b"} { 2 2.0 } 1 2', 1, 27, "found '2.0'"),
    ('NFG 1 R "t" {"a" "b"} { 2 } 1 2', 1, 27, "actions of 2 players, 1 given so far, found '}'"),
    ('NFG 1 R "t" {"a" "b"} { 2 2 2 } 1 2', 1, 29, "expected '}' after the actions of 2 players, found '2'"),
    ('NFG 1 R "t" {"a" "b"} { {"1"} {} } 1 2', 1, 31, r"at least one action of player 2"),
    ('NFG 1 R "t" {"a" "b"} { {"1"} 2 } 1 2', 1, 31, "expected '{' before action names of player 2"),
    ('NFG 1 R "t" {"a" "b"} { 1 2 }\n1 2 3 x', 2, 7, r"payoff, a number such as .*, found 'x'"),
    ('NFG 1 R "t" {"a" "b"} { 1 2 }\n1 2 3 "x"', 2, 7, r"payoff of player 2 at joint action \(1, 2\)"),
    (
        'NFG 1 R "t" {"a" "b"} { 1 2 }\n1 2 3   ',
        2,
        9,
        r"payoff of player 2 at joint action \(1, 2\), found the end",
    ),
    ('NFG 1 R "t" {"a" "b"} { 1 2 }\n1 2 3 4 5', 2, 9, "end of the file after 4 numbers, found '5'"),
    ('NFG 1 R "t" {"a"} { 1 }\n1/0', 2, 1, "denominator other than 0"),
    ('NFG 1 R "t" {"a"} { 1 }\n1e301', 2, 1, "at most 1e300"),
    ('NFG 1 R "t" {"a"} { 1 }\n-' + "9" * 400, 2, 1, "at most 1e300"),
    ('NFG 1 R "t" {"a"} { 1 }\n' + "9" * 400 + "/1", 2, 1, "at most 1e300"),
    ('NFG 1 R "t" {"a"} { 1 }\n' + "9" * 5000 + "/7", 2, 1, "at most 1000 digits"),
    ('NFG 1 R "t" {"a"} { 1 }\nnan', 2, 1, "found 'nan'"),
    ('NFG 1 R "t" {"a"} { 1 }\n1_0', 2, 1, "found '1_0'"),
    ('NFG 1 R "t" {"a"} { 1 }\n{ { "o" 1 2 } } 1', 2, 11, "'}' after the outcome's 1 payoffs, found '2'"),
    ('NFG 1 R "t" {"a"} { 1 }\n{ { 1 } } 1', 2, 5, "outcome's name in quotes, found '1'"),
    ('NFG 1 R "t" {"a"} { 1 }\n{ { "o" 1 } } 2', 2, 15, "whole number from 0 to 1, found '2'"),
    ('NFG 1 R "t" {"a"} { 1 }\n{ { "o" 1 } } -1', 2, 15, "whole number from 0 to 1, found '-1'"),
    ('NFG 1 R "t" {"a"} { 2 }\n{ { "o" 1 } } 1', 2, 16, r"joint action \(2,\), .*, found the end"),
    (
        'NFG 1 R "t" {"a" "b"} { 999999999 999999999 } 1 2',
        1,
        50,
        "999999999 x 999999999 joint actions, found the end",
    ),
    ('NFG 1 R "t" {"a"} { 9999999999 } 1', 1, 21, "number of actions"),
]


@pytest.mark.parametrize(("text", "line", "column", "message"), ERRORS)
def test_errors_say_where_and_what(text, line, column, message):
    with pytest.raises(NfgError, match=message) as caught:
        parse_nfg(text, "game.nfg")
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value).startswith(f"game.nfg:{line}:{column}: ")


def reads_or_complains(text):
    place = None
    try:
        game = parse_nfg(text)
    except NfgError as error:
        place = error.line, error.column
    if place is None:
        assert parse_nfg(format_nfg(game)) == game
    else:
        assert 1 <= place[0] <= text.count("\n") + 1
        assert 1 <= place[1] <= len(text) + 1


PIECES = [
    "NFG",
    "1",
    "R",
    '"',
    '\\"',
    "\\",
    "{",
    "}",
    ",",
    " ",
    "\n",
    "2",
    "-3/4",
    "1e9",
    ".",
    '"a"',
    "999999999",
    "x",
]


@settings(max_examples=150)
@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=30).map("".join)))
def test_any_text_reads_or_complains(text):
    reads_or_complains(text)
    reads_or_complains('NFG 1 R "t" {"a" "b"} ' + text)
    reads_or_complains('NFG 1 R "t" {"a" "b"} {1 2} ' + text)


@settings(max_examples=100)
@given(game_arguments(names), st.data())
def test_damaged_files_read_or_complain(arguments, data):
    text = format_nfg(NormalFormGame(*arguments))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        stop = min(len(text), start + data.draw(st.integers(0, 5)))
        text = text[:start] + "".join(data.draw(st.lists(st.sampled_from(PIECES), max_size=3))) + text[stop:]
    reads_or_complains(text)


@pytest.mark.parametrize(
    "text",
    [
        'NFG 1 R "' + "\\" * 200_000,
        'NFG 1 R "' + '\\"' * 100_000,
        'NFG 1 R "t" ' + "{" * 200_000,
        'NFG 1 R "t" {"a"} {1} {' + " " * 200_000,
        'NFG 1 R "t" {"a"} {1} ' + "1" * 200_000,
        'NFG 1 R "t" {' + '"a"' * 60 + "} {" + "9 " * 60 + "} 1",
    ],
)
def test_hostile_files_are_refused_quickly(text):
    start = time.perf_counter()
    with pytest.raises(NfgError):
        parse_nfg(text)
    assert time.perf_counter() - start < 1.0


@pytest.mark.peer
@pytest.mark.parametrize("name", ["jordan-with-exit", "prisoners-dilemma", "irrational", "random-3x2x2x2"])
def test_gambit_reads_what_we_write_and_the_other_way_round(name, tmp_path):
    gambit = pytest.importorskip("pygambit")
    game = zoo.all_games()[name]
    path = tmp_path / "game.nfg"
    path.write_text(format_nfg(game), encoding="utf-8")
    theirs = gambit.read_nfg(str(path))
    for ours, tensor in zip(game.payoffs, theirs.to_arrays(dtype=float), strict=True):
        np.testing.assert_allclose(np.asarray(tensor, dtype=float), ours, rtol=1e-15)
    back = parse_nfg(theirs.to_nfg())
    assert back.num_actions == game.num_actions
    for ours, tensor in zip(game.payoffs, back.payoffs, strict=True):
        np.testing.assert_allclose(tensor, ours, rtol=1e-15)


@pytest.mark.peer
def test_reads_the_games_that_gambit_ships():
    gambit = pytest.importorskip("pygambit")
    from pathlib import Path

    files = sorted(Path(gambit.__file__).parent.rglob("*.nfg"))
    assert files
    for file in files:
        ours, theirs = parse_nfg(file.read_text(encoding="utf-8")), gambit.read_nfg(str(file))
        assert ours.title == theirs.title
        for tensor, array in zip(ours.payoffs, theirs.to_arrays(dtype=float), strict=True):
            np.testing.assert_array_equal(tensor, np.asarray(array, dtype=float))
