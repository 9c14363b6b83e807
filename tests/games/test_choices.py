"""Observed choices from CSV: three ways to write the same data, and every error's place."""

import numpy as np
import pytest

from equipoise.games import GameFileError, NormalFormGame, named_game
from equipoise.games.choices import load_choices, parse_choices

GAME = NormalFormGame(np.zeros((2, 2, 3)), "t", ["Row", "Column"], [["U", "D"], ["L", "M", "R"]])


def assert_same(record, frequencies, observations):
    for found, expected in zip(record.frequencies, frequencies, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert record.observations == observations
    assert record.game == GAME


def test_counts_frequencies_and_single_choices_say_the_same():
    counts = "player,action,count\nRow,U,1\nRow,D,3\nColumn,L,2\nColumn,R,2\n"
    (record,) = parse_choices(counts, GAME)
    assert_same(record, ([0.25, 0.75], [0.5, 0, 0.5]), (4, 4))
    shares = "player,action,frequency\nRow,U,1/4\nRow,D,.75\nColumn,L,5e-1\nColumn,R,0.5\n"
    (record,) = parse_choices(shares, GAME)
    assert_same(record, ([0.25, 0.75], [0.5, 0, 0.5]), None)
    choices = "round,player,action\n1,Row,U\n1,Column,L\n2,Row,D\n2,Column,R\n3,Row,D\n3,Column,L\n"
    (record,) = parse_choices(choices + "4,Row,D\n4,Column,R\n", GAME)
    assert_same(record, ([0.25, 0.75], [0.5, 0, 0.5]), (4, 4))


def test_rows_of_one_action_add_up_and_numbers_stand_for_names():
    text = "Action;Player;Count;session\n1;1;2;a\n1;1;1;b\nD;Row;1;b\n\n3;2;5;a\n"
    (record,) = parse_choices(text, GAME)
    assert_same(record, ([0.75, 0.25], [0, 0, 1]), (4, 5))


def test_names_come_before_numbers():
    game = NormalFormGame(np.zeros((1, 2)), "", ["P"], [["2", "1"]])
    (record,) = parse_choices("player,action,count\nP,2,3\n1,1,1\n", game)
    np.testing.assert_array_equal(record.frequencies[0], [0.75, 0.25])


def test_several_games_keep_the_order_of_the_file(tmp_path):
    file = tmp_path / "choices.csv"
    rows = [f"{g},{p},1,3" for g in ("stag-hunt", "chicken") for p in (1, 2)]
    file.write_text("\ufeffgame,player,action,count\n" + "\n".join(rows), encoding="utf-8")
    records = load_choices(file, named_game)
    assert [record.key for record in records] == ["stag-hunt", "chicken"]
    assert records[1].game == named_game("chicken")


def test_quoted_cells():
    game = NormalFormGame(np.zeros((1, 2)), "", ["A, B"], [["x", 'y "z"']])
    (record,) = parse_choices('player,action\n"A, B",x\n"A, B","y ""z"""\n', game)
    np.testing.assert_array_equal(record.frequencies[0], [0.5, 0.5])


HEAD = "player,action,count\n"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", ":1:1:", "the file is empty"),
        ("player,choice\nRow,U\n", ":1:1:", "no column 'action'"),
        ("player,action,cuont\nRow,U,1\n", ":1:15:", "rename it 'count'"),
        ("player,action,player\n", ":1:1:", "'player' is there twice"),
        ("player,action,count,frequency\n", ":1:1:", "count or frequency, not both"),
        (HEAD, ":1:1:", "there are no rows"),
        (HEAD + "Row,U\n", ":2:1:", "found 2 cells, but the first line names 3"),
        (
            HEAD + "Row,U,1\n\nRwo,D,1\n",
            ":4:1:",
            "player: 'Rwo' is none of 'Row', 'Column'.*did you mean 'Row'",
        ),
        (HEAD + "Row,X,1\n", ":2:5:", "action: 'X' is none of 'U', 'D', nor a number from 1 to 2"),
        (HEAD + "Row,3,1\n", ":2:5:", "action: '3' is none of"),
        (HEAD + "Row,U,many\n", ":2:7:", "count: found 'many', expected a number"),
        (HEAD + "Row,U,1.5\n", ":2:7:", "count: must be a whole number"),
        (HEAD + "Row,U,-1\n", ":2:7:", "count: must be a whole number, zero or more, got -1"),
        (HEAD + "Row,U,1\n", ":2:1:", "there is no choice of player 'Column'"),
        ("player,action,frequency\nRow,U,40\n", ":2:7:", "frequency: must be between 0 and 1"),
        ("player,action,frequency\nRow,U,.4\nRow,U,.6\n", ":3:5:", "action: 'U' has its frequency"),
        (
            "player,action,frequency\nRow,U,.4\nRow,D,.5\nColumn,L,1\n",
            ":2:7:",
            r"frequencies of player 'Row' \(0.4, 0.5\) sum to 0.9; they must sum to 1",
        ),
        ("game,player,action\na,Row,U\na,Column,L\nb,Row,U\n", ":4:1:", "'b' is another game"),
    ],
)
def test_errors_have_a_place(text, place, message):
    with pytest.raises(GameFileError, match=f"choices.csv{place} .*{message}"):
        parse_choices(text, GAME, "choices.csv")


def test_unknown_games_have_a_place():
    def find(name):
        raise ValueError("there is no such game")

    with pytest.raises(GameFileError, match=r"c\.csv:2:1: game: there is no such game"):
        parse_choices("game,player,action\nx,Row,U\n", find, "c.csv")
    with pytest.raises(GameFileError, match=r"c\.csv:2:1: game: the cell is empty"):
        parse_choices("game,player,action\n,Row,U\n", find, "c.csv")
    with pytest.raises(GameFileError, match=r"c\.csv:2:1: player: there are several games"):
        parse_choices("player,action\nRow,U\n", find, "c.csv")
