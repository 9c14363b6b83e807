"""Files of Markov games: JSON to read and write by hand, and archives of any size."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.games import GameFileError, GridMap, MarkovGame, SuccessorLists, load, named_game, save
from equipoise.games.json_format import format_json, parse_json
from equipoise.games.markov_json import format_markov_json, parse_markov_json
from stored_markov_games import KERNEL, REWARDS, random_markov, sparse, two_states


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    states=st.integers(1, 3),
    shape=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    horizon=st.sampled_from([None, 1, 2, 3]),
    timed=st.tuples(st.booleans(), st.booleans()),
)
def test_round_trip_is_exact(seed, states, shape, horizon, timed):
    game = random_markov(seed, states, shape, horizon, *(flag and horizon is not None for flag in timed))
    assert parse_markov_json(format_markov_json(game)) == game
    assert parse_markov_json(format_markov_json(sparse(game))) == sparse(game)


def full_game():
    return two_states(
        title="zwei Räume",
        player_names=["r", "c"],
        action_names=[["U", "D"], ["L", "R"]],
        state_names=["a", "b\0"],
        initial=[1, 0],
        layout=GridMap(["..", "#1"], [[0, 1], [2, -1]], [(0, 1), (-1, 0)]),
    )


@pytest.mark.parametrize("suffix", [".json", ".npz"])
@pytest.mark.parametrize("make", [full_game, lambda: sparse(full_game()), two_states])
def test_files_are_lossless(tmp_path, suffix, make):
    game = make()
    path = tmp_path / f"game{suffix}"
    save(game, path)
    again = load(path)
    assert again == game
    assert again.is_sparse == game.is_sparse
    assert again.layout == game.layout


def test_load_tells_kinds_of_games_apart(tmp_path):
    path = tmp_path / "game.json"
    save(named_game("stag-hunt"), path)
    assert load(path) == named_game("stag-hunt")
    with pytest.raises(GameFileError, match="expected 'equipoise-game/1' \\(or 'equipoise-markov-game/1'"):
        parse_json(format_markov_json(two_states()))
    with pytest.raises(GameFileError, match="expected 'equipoise-markov-game/1'"):
        parse_markov_json(format_json(named_game("stag-hunt")))
    with pytest.raises(ValueError, match=r"a Markov game is saved to a file that ends in \.json or \.npz"):
        save(two_states(), tmp_path / "game.nfg")
    with pytest.raises(ValueError, match=r"normal form is saved to a file that ends in \.nfg or \.json"):
        save(named_game("stag-hunt"), tmp_path / "game.npz")
    for missing in ("other.json", "other.npz"):
        with pytest.raises(FileNotFoundError, match="there is no file"):
            load(tmp_path / missing)


def test_a_game_too_large_for_text_is_refused():
    states = 1_700_000
    moves = SuccessorLists(np.zeros((states, 2, 1), dtype=int), np.ones((states, 2, 1)))
    game = MarkovGame(moves, np.zeros((1, states, 2)), discount=0.5, state_names=[""] * states)
    with pytest.raises(ValueError, match=r"save it to a \.npz file"):
        format_markov_json(game)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda parts: parts.pop("header"), "'header' is missing"),
        (lambda parts: parts.pop("rewards_1"), "'rewards_1' is missing"),
        (lambda parts: parts.update(transitions=KERNEL / 2), "joint action \\(0, 0\\) sum to 0.5"),
        (lambda parts: parts.update(header=np.frombuffer(b"{", np.uint8)), "not an archive of a Markov game"),
        (lambda parts: parts.update(header=np.frombuffer(b'{"format": "x"}', np.uint8)), "found 'x'"),
        (lambda parts: parts.update(initial=np.array([None])), "pickle"),
    ],
)
def test_damaged_archives_are_refused(tmp_path, spoil, message):
    path = tmp_path / "game.npz"
    save(two_states(), path)
    parts = dict(np.load(path))
    spoil(parts)
    np.savez(path, **parts)
    with pytest.raises(GameFileError, match=message):
        load(path)
    path.write_bytes(b"not an archive")
    with pytest.raises(GameFileError):
        load(path)
    path.write_bytes(b"")
    with pytest.raises(GameFileError):
        load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rewards": None}, "rewards is missing"),
        ({"rewards": []}, "rewards: expected a list"),
        ({"discont": 1}, "discont is not a field"),
        ({"discount": 1}, r"discount must be in \[0, 1\)"),
        ({"discount": "9/10", "horizon": 2}, "exactly one"),
        ({"horizon": 2.5}, "horizon: expected a whole number, found 2.5"),
        (
            {"states": ["only one"]},
            r"rewards\[0\]: expected a list of 1 \(the number of states\), found a list of 2",
        ),
        ({"initial": [1]}, r"initial: expected a list of 2 \(the number of states\)"),
        ({"transitions": KERNEL[:1].tolist()}, r"transitions: expected a list of 2 \(the number of states\)"),
        ({"transitions": KERNEL[0].tolist()}, r"transitions\[0\]\[0\]\[0\]: expected a list of 2"),
        ({"transitions": (KERNEL / 2).tolist()}, r"state 0, joint action \(0, 0\) sum to 0.5"),
        ({"transitions": "x"}, "transitions: expected a list of 2"),
        ({"transitions": {"successors": [[[[0]]]]}}, "transitions.probabilities is missing"),
        (
            {
                "transitions": {
                    "successors": np.full((2, 2, 2, 1), 2).tolist(),
                    "probabilities": np.ones((2, 2, 2, 1)).tolist(),
                }
            },
            r"state 0, joint action \(0, 0\) lists state 2",
        ),
        (
            {
                "transitions": {
                    "successors": np.full((2, 2, 2, 1), 0.5).tolist(),
                    "probabilities": np.ones((2, 2, 2, 1)).tolist(),
                }
            },
            r"successors\[0, 0, 0, 0\] is 0.5",
        ),
        (
            {"map": {"rows": ["..", "."], "moves": [[0, 1]], "positions": [[0], [1]]}},
            "lines of text of one length",
        ),
        (
            {"map": {"rows": [".."], "moves": [[0, 1]], "positions": [[0], [2]]}},
            "positions must be cells from 0 to 1",
        ),
        ({"map": {"rows": [".."], "moves": [[0, 1]], "positions": [[0]]}}, "expected a list of 2"),
    ],
)
def test_file_errors_say_where(changes, message):
    base = {
        "format": "equipoise-markov-game/1",
        "discount": 0.8,
        "transitions": KERNEL.tolist(),
        "rewards": REWARDS.tolist(),
    }
    text = json.dumps({key: value for key, value in {**base, **changes}.items() if value is not None})
    with pytest.raises(GameFileError, match=message):
        parse_markov_json(text)


@settings(max_examples=100)
@given(data=st.data())
def test_damaged_files_read_or_complain(data):
    text = format_markov_json(two_states())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        piece = data.draw(
            st.sampled_from(["", "[", "]", "{", "}", ",", '"', "1", "-", "1e999", "null", "NaN", "9"])
        )
        text = text[:start] + piece + text[start + data.draw(st.integers(0, 5)) :]
    try:
        game = parse_markov_json(text)
    except GameFileError:
        return
    assert parse_markov_json(format_markov_json(game)) == game
