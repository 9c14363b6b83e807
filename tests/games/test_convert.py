"""Conversions: exact both ways, joint layout kept, and a helpful error where the other package is missing."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from equipoise.games import (
    NormalFormGame,
    from_nashpy,
    from_openspiel,
    from_pygambit,
    named_game,
    random_game,
    to_nashpy,
    to_openspiel,
    to_pygambit,
)

GAMES = {
    name: zoo.all_games()[name]
    for name in (
        "stag-hunt",
        "three-by-two",
        "jordan-with-exit",
        "random-3x2x2x2",
        "tiny-payoffs",
        "single-cell",
    )
}


def same_payoffs(one, other):
    return one.num_actions == other.num_actions and all(map(np.array_equal, one.payoffs, other.payoffs))


@pytest.mark.peer
@pytest.mark.parametrize("name", [*GAMES, "decision"])
def test_pygambit_both_ways(name):
    pytest.importorskip("pygambit")
    game = zoo.all_games()[name]
    assert from_pygambit(to_pygambit(game)) == game


@pytest.mark.peer
@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_pygambit_payoffs_are_exact(seed):
    pytest.importorskip("pygambit")
    game = random_game((2, 3), np.random.default_rng(seed)).scaled(1 / 3)
    assert from_pygambit(to_pygambit(game)) == game


@pytest.mark.peer
def test_pygambit_keeps_numbers_where_names_repeat():
    pytest.importorskip("pygambit")
    game = NormalFormGame(np.zeros((2, 2, 2)), "t", ["same", "same"], [["x", ""], ["y", "z"]])
    back = from_pygambit(to_pygambit(game))
    assert back.player_names == ("1", "2")
    assert back.action_names == (("1", "2"), ("y", "z"))


@pytest.mark.peer
def test_pygambit_extensive_game_becomes_its_strategic_form():
    gambit = pytest.importorskip("pygambit")
    tree = gambit.catalog.load("journals/ijgt/selten1975/fig1")
    assert same_payoffs(from_pygambit(tree), named_game("seltens-horse"))


def test_pygambit_16_is_understood_by_its_shape():
    """Version 16 has labelled objects where version 17 has labels."""

    def labelled(label, **more):
        return SimpleNamespace(label=label, **more)

    old = SimpleNamespace(
        title="old",
        players=[
            labelled("r", strategies=[labelled("U"), labelled("D")]),
            labelled("c", strategies=[labelled("L"), labelled("R")]),
        ],
        to_arrays=lambda dtype: [np.eye(2, dtype=object), 2 * np.eye(2, dtype=object)],
    )
    assert from_pygambit(old) == NormalFormGame(
        [np.eye(2), 2 * np.eye(2)], "old", ["r", "c"], [["U", "D"], ["L", "R"]]
    )


def test_pygambit_16_is_written_through_its_constructor(monkeypatch):
    class OldGame:
        def __init__(self, arrays, title):
            self.arrays, self.title = arrays, title
            self.players = [
                SimpleNamespace(
                    label=str(i + 1), strategies=[SimpleNamespace(label=str(a + 1)) for a in range(n)]
                )
                for i, n in enumerate(arrays[0].shape)
            ]

        @classmethod
        def from_arrays(cls, *arrays, title):
            return cls(arrays, title)

        def to_arrays(self, dtype):
            return [tensor.astype(dtype) for tensor in self.arrays]

    monkeypatch.setitem(sys.modules, "pygambit", SimpleNamespace(Game=OldGame))
    game = named_game("inspection-game")
    assert from_pygambit(to_pygambit(game)) == game


@pytest.mark.peer
@pytest.mark.parametrize("name", [name for name, game in GAMES.items() if game.num_players == 2])
def test_nashpy_both_ways(name):
    pytest.importorskip("nashpy")
    game = GAMES[name]
    assert same_payoffs(from_nashpy(to_nashpy(game)), game)


@pytest.mark.peer
def test_nashpy_finds_the_known_equilibria():
    pytest.importorskip("nashpy")
    found = list(to_nashpy(named_game("three-by-two")).vertex_enumeration())
    assert len(found) == 3


@pytest.mark.peer
@pytest.mark.parametrize("name", GAMES)
def test_openspiel_both_ways(name):
    pytest.importorskip("pyspiel")
    game = GAMES[name]
    back = from_openspiel(to_openspiel(game))
    assert same_payoffs(back, game)
    assert back.title == game.title
    assert back.action_names == game.action_names


@pytest.mark.peer
def test_openspiel_games_by_name():
    spiel = pytest.importorskip("pyspiel")
    game = from_openspiel(spiel.load_matrix_game("matrix_shapleys_game"))
    assert game.num_actions == (3, 3)
    tree = from_openspiel(spiel.extensive_to_tensor_game(spiel.load_game("kuhn_poker")))
    known = named_game("kuhn-poker")
    assert tree.is_zero_sum
    assert tree.num_actions[1] == known.num_actions[1]
    assert np.max(tree.payoffs[0]) == pytest.approx(np.max(known.payoffs[0]))
    assert np.min(tree.payoffs[0]) == pytest.approx(np.min(known.payoffs[0]))


def test_only_two_players_for_nashpy():
    with pytest.raises(ValueError, match="this one has 3"):
        to_nashpy(named_game("jordan"))


@pytest.mark.parametrize("convert", [from_pygambit, from_nashpy, from_openspiel])
def test_other_objects_are_refused(convert):
    with pytest.raises(TypeError, match=r"must be an? .* not dict"):
        convert({})


@pytest.mark.parametrize(
    ("convert", "module", "package"),
    [
        (to_pygambit, "pygambit", "pygambit"),
        (to_nashpy, "nashpy", "nashpy"),
        (to_openspiel, "pyspiel", "open-spiel"),
    ],
)
def test_missing_packages_are_named(convert, module, package, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=f"pip install {package}"):
        convert(named_game("stag-hunt"))
