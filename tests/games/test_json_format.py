"""The JSON format: exact round trips, room for writing by hand, errors that say where."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from equipoise.games import GameFileError, NormalFormGame, named_game
from equipoise.games.json_format import FORMAT, format_json, parse_json
from game_strategies import game_arguments

names = st.text(max_size=8)


def document(**changes):
    base = {
        "format": FORMAT,
        "title": "t",
        "players": [{"name": "r", "actions": ["U", "D"]}, {"name": "c", "actions": ["L", "M", "R"]}],
        "payoffs": [[[1, 2, 3], [4, 5, 6]], [[6, 5, 4], [3, 2, 1]]],
    }
    return json.dumps({key: value for key, value in {**base, **changes}.items() if value is not None})


@given(game_arguments(names))
def test_round_trip_is_exact(arguments):
    game = NormalFormGame(*arguments)
    assert parse_json(format_json(game)) == game


@pytest.mark.parametrize("name", zoo.all_games())
def test_round_trip_of_the_zoo(name):
    game = zoo.all_games()[name]
    assert parse_json(format_json(game)) == game


def test_what_is_written_can_be_read_by_people():
    text = format_json(named_game("stag-hunt"))
    assert text.splitlines() == [
        "{",
        '  "format": "equipoise-game/1",',
        '  "title": "Stag hunt",',
        '  "players": [',
        '    {"name": "Row", "actions": ["stag", "hare"]},',
        '    {"name": "Column", "actions": ["stag", "hare"]}',
        "  ],",
        '  "payoffs": [',
        "    [[4, 0], [3, 3]],",
        "    [[4, 3], [0, 3]]",
        "  ]",
        "}",
    ]
    assert max(map(len, format_json(named_game("jordan")).splitlines())) < 80


def test_everything_but_format_and_payoffs_may_be_left_out():
    game = parse_json('{"format": "equipoise-game/1", "payoffs": [[["1/3", 1e2]], [[-0.5, "-2"]]]}')
    assert game == NormalFormGame([[[1 / 3, 100.0]], [[-0.5, -2.0]]])
    partly = parse_json(document(players=[{"name": "r"}, {"actions": ["L", "M", "R"]}]))
    assert partly.player_names == ("r", "Player 2")
    assert partly.action_names == (("1", "2"), ("L", "M", "R"))


def test_joint_layout_for_every_player():
    game = parse_json(document())
    assert game.payoffs[1][0].tolist() == [6.0, 5.0, 4.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1:1: not JSON"),
        ('{"format": "equipoise-game/1",\n  "payoffs": [1,]}', ":2:17: not JSON"),
        ("[1]", "the file: expected one object in braces, found a list of 1"),
        ("null", "found nothing"),
        ("[" * 100_000, "nested too deeply"),
        ('{"payoffs": NaN}', "found NaN, which is not a finite number"),
        ('{"a": 1, "a": 2}', "key 'a' is given twice"),
        (document(format="equipoise-game/2"), "format: expected 'equipoise-game/1' .*, found the text"),
        (document(format=None), "format: expected .*, found nothing"),
        (document(payoffs=None), "payoffs is missing"),
        (document(payof=1), "payof is not a field of this format; it has format, payoffs, title, players"),
        (document(title=3), "title: expected a text in quotes, found 3.0"),
        (document(payoffs=[]), r"payoffs: expected a list .*, found a list of 0"),
        (document(payoffs={}), "payoffs: expected a list .*, found an object"),
        (document(players=[{}]), "players: expected a list of 2 players"),
        (document(players=["r", "c"]), r"players\[0\]: expected an object .*, found the text 'r'"),
        (document(players=[{}, {"action": []}]), r"players\[1\].action is not a field"),
        (
            document(players=[{}, {"actions": []}]),
            r"players\[1\].actions: expected a list of names, at least one",
        ),
        (document(players=[{}, {"actions": ["a", 2, "c"]}]), r"players\[1\].actions\[1\]: expected a text"),
        (
            document(players=[{"actions": ["U"]}, {}]),
            r"payoffs\[0\]: expected a list of 1 \(the number of actions of",
        ),
        (
            document(payoffs=[[[1, 2], [4, 5]], [[6, 5, 4], [3, 2, 1]]]),
            r"payoffs\[0\]\[0\]: expected a list of 3",
        ),
        (
            document(payoffs=[[[1, 2, 3], [4, 5, 6]], [[6, 5, 4], [3, 2]]]),
            r"payoffs\[1\]\[1\]: expected a list of 3",
        ),
        (
            document(payoffs=[[[1, 2, 3], [4, 5, 6]], [[6, 5, 4], 3]]),
            r"payoffs\[1\]\[1\]: expected a list .*, found 3",
        ),
        (
            document(payoffs=[[[1, 2, "x"], [4, 5, 6]], []]),
            r"payoffs\[0\]\[0\]\[2\]: expected a number such as",
        ),
        (
            document(payoffs=[[[1, 2, True], [4, 5, 6]], []]),
            r"payoffs\[0\]\[0\]\[2\]: expected a number .*, found True",
        ),
        (document(payoffs=[[[1, 2, "1/0"], [4, 5, 6]], []]), r"denominator other than 0"),
        (
            document(payoffs=[[[1, 2, [3]], [4, 5, 6]], []]),
            r"payoffs\[0\]\[0\]\[2\]: expected a number .*, found a list",
        ),
        (
            document(payoffs=[[[1, 10**400, 1], [4, 5, 6]], []]),
            r"payoffs\[0\]\[0\]\[1\]: expected a number .*, found inf",
        ),
        (document(payoffs=[[[1, 2, -1e301], [4, 5, 6]], []]), r"payoffs\[0\]\[0\]\[2\]: .* found -1e\+301"),
        (document(payoffs=[[]] * 65), "1 to 64"),
    ],
)
def test_errors_say_where_and_what(text, message):
    with pytest.raises(GameFileError, match=message) as caught:
        parse_json(text, "game.json")
    assert str(caught.value).startswith("game.json:")


def test_numbers_of_many_digits_are_read_quickly():
    text = document().replace("[1, 2, 3]", "[1, 2, 0." + "1" * 100_000 + "]")
    assert parse_json(text).payoffs[0][0, 2] == 1 / 9


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


def reads_or_complains(text):
    try:
        game = parse_json(text)
    except GameFileError:
        return
    assert parse_json(format_json(game)) == game


@settings(max_examples=100)
@given(values, st.sampled_from(["format", "title", "players", "payoffs"]), st.text(max_size=20))
def test_any_value_reads_or_complains(value, key, text):
    reads_or_complains(document(**{key: value}))
    reads_or_complains(json.dumps(value))
    reads_or_complains(text)


@settings(max_examples=100)
@given(game_arguments(names), st.data())
def test_damaged_files_read_or_complain(arguments, data):
    text = format_json(NormalFormGame(*arguments))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        stop = min(len(text), start + data.draw(st.integers(0, 5)))
        piece = data.draw(
            st.sampled_from(["", "[", "]", "{", "}", ",", '"', "1", "-", "1e999", "null", "NaN", "\\u"])
        )
        text = text[:start] + piece + text[stop:]
    reads_or_complains(text)
