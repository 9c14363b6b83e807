"""Equipoise's JSON format for Markov games.

    {
      "format": "equipoise-markov-game/1",
      "title": "Two rooms",
      "players": [{"name": "Row", "actions": ["stay", "go"]}, {"name": "Column", "actions": ["stay", "go"]}],
      "states": ["left", "right"],
      "discount": 0.9,
      "initial": [1, 0],
      "transitions": [[[[1, 0], ...]]],
      "rewards": [[[[1, 0], ...]], ...]
    }

Either "discount" or "horizon" is given. `transitions` is indexed `[s][a_1]...[a_n][s']`, `rewards` as
`[player][s][a_1]...[a_n]`; with a horizon both may have a time index before the state. Numbers may be texts
such as "1/3". Title, players, states and initial may be left out.

A game with few next states has `"transitions": {"successors": ..., "probabilities": ...}` instead, both
indexed `[s][a_1]...[a_n][k]`; states are numbered from 0. A grid world may have its map:

    "map": {"rows": ["..1", "0.."], "moves": [[0, 1], [-1, 0]], "positions": [[0, 5], [0, 4], ...]}

with how many cells down and to the right each action goes, and every agent's cell in every state, numbered
row by row from 0, or -1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from equipoise.games._json import JsonDocument, json_text, tensor_text
from equipoise.games._text import MOST_PLAYERS, GameFileError, number_text
from equipoise.games.grid_map import GridMap
from equipoise.games.json_format import MARKOV_FORMAT as FORMAT
from equipoise.games.markov import MarkovGame
from equipoise.games.successors import SuccessorLists

MOST_NUMBERS = 5_000_000
"""More numbers than this make a text too long to be of use to anybody."""


def parse_markov_json(text: str, path: str = "<text>") -> MarkovGame:
    """Read a Markov game in Equipoise's JSON format.

    Args:
        text: contents of the file.
        path: its name, for error messages.

    Raises:
        GameFileError: the text is not JSON (with line and column), or not a Markov game.
    """
    return read_markov(JsonDocument(text, path))


def read_markov(document: JsonDocument) -> MarkovGame:
    """The Markov game that a JSON document describes.

    Raises:
        GameFileError: it is not one.
    """
    root = document.root
    document.check_format(FORMAT, "load() tells games in normal form and Markov games apart")
    document.check_keys(
        root,
        "",
        required=("format", "transitions", "rewards"),
        optional=("title", "players", "states", "discount", "horizon", "initial", "map"),
    )
    rewards = root["rewards"]
    if not isinstance(rewards, list) or not 1 <= len(rewards) < MOST_PLAYERS - 2:
        document.expected("rewards", "a list with one nested list per player", rewards)
    n = len(rewards)
    names, actions = document.players(root, n, "rewards")
    states = document.strings(root["states"], "states") if "states" in root else None
    horizon = document.number(root["horizon"], "horizon") if "horizon" in root else None
    if horizon is not None and horizon != int(horizon):
        document.expected("horizon", "a whole number", horizon)
    size = None if states is None else len(states)
    counts = [size, *(None if one is None else len(one) for one in actions)]
    axes = ["the number of states", *(f"the number of actions of player {j + 1}" for j in range(n))]

    def shape(value: Any, plain: int) -> tuple[list[int | None], list[str]]:
        timed = _depth(value) == plain + 1
        return ([None, *counts] if timed else counts), (["time steps", *axes] if timed else axes)

    tensors = []
    for i, nested in enumerate(rewards):
        tensors.append(document.tensor(nested, f"rewards[{i}]", *shape(nested, n + 1)))
        counts = list(tensors[0].shape[-n - 1 :])

    def kernel(value: Any, where: str, last: int | None, meaning: str) -> np.ndarray:
        lengths, what = shape(value, n + 2)
        return document.tensor(value, where, [*lengths, last], [*what, meaning])

    given = root["transitions"]
    try:
        transitions: np.ndarray | SuccessorLists
        if isinstance(given, dict):
            document.check_keys(given, "transitions", ("successors", "probabilities"), ())
            successors = kernel(given["successors"], "transitions.successors", None, "next states")
            transitions = SuccessorLists(
                successors,
                kernel(
                    given["probabilities"], "transitions.probabilities", successors.shape[-1], "next states"
                ),
            )
        else:
            transitions = kernel(given, "transitions", counts[0], "the number of states")
        return MarkovGame(
            transitions,
            tensors,
            discount=document.number(root["discount"], "discount") if "discount" in root else None,
            horizon=None if horizon is None else int(horizon),
            initial=(
                document.tensor(root["initial"], "initial", [counts[0]], ["the number of states"])
                if "initial" in root
                else None
            ),
            title=document.string(root.get("title", ""), "title"),
            player_names=names,
            action_names=document.filled(actions, tensors[0].shape[-n:]),
            state_names=states,
            layout=_read_map(document, int(tensors[0].shape[-n - 1])) if "map" in root else None,
        )
    except (ValueError, TypeError) as error:
        if isinstance(error, GameFileError):
            raise
        raise GameFileError(str(error), document.path) from None


def format_markov_json(game: MarkovGame) -> str:
    """Write a Markov game in Equipoise's JSON format; reading it gives exactly the same game.

    Args:
        game: the game.

    Raises:
        ValueError: the game is too large for a text (5 million numbers).
    """
    size = int(np.prod(game.transitions.shape)) + sum(r.size for r in game.rewards)
    if size > MOST_NUMBERS:
        raise ValueError(f"this game has {size:.1e} numbers, too many for JSON; save it to a .npz file")
    players = [
        json_text({"name": name, "actions": list(actions)})
        for name, actions in zip(game.player_names, game.action_names, strict=True)
    ]
    time = (
        f'"horizon": {game.horizon}' if game.discount is None else f'"discount": {number_text(game.discount)}'
    )
    separator = ",\n    "
    return (
        f'{{\n  "format": "{FORMAT}",\n  "title": {json_text(game.title)},\n'
        f'  "players": [\n    {separator.join(players)}\n  ],\n'
        f'  "states": {json_text(list(game.state_names))},\n  {time},\n'
        f'  "initial": {tensor_text(game.initial, 2)},\n'
        f'  "transitions": {_transitions_text(game.transitions)},\n{_map_text(game.layout)}'
        f'  "rewards": [\n    {separator.join(tensor_text(r, 4) for r in game.rewards)}\n  ]\n}}\n'
    )


def _depth(value: Any) -> int:
    depth = 0
    while isinstance(value, list) and value and depth <= MOST_PLAYERS:
        value, depth = value[0], depth + 1
    return depth


def _transitions_text(transitions: np.ndarray | SuccessorLists) -> str:
    if not isinstance(transitions, SuccessorLists):
        return tensor_text(transitions, 2)
    successors = tensor_text(transitions.successors, 4)
    probabilities = tensor_text(transitions.probabilities, 4)
    return f'{{\n    "successors": {successors},\n    "probabilities": {probabilities}\n  }}'


def _map_text(layout: GridMap | None) -> str:
    if layout is None:
        return ""
    rows, moves = json_text(list(layout.rows)), json_text(layout.moves)
    positions = tensor_text(layout.positions, 4)
    return f'  "map": {{\n    "rows": {rows},\n    "moves": {moves},\n    "positions": {positions}\n  }},\n'


def _read_map(document: JsonDocument, states: int) -> GridMap:
    value = document.root["map"]
    if not isinstance(value, dict):
        document.expected("map", 'an object with "rows", "moves" and "positions"', value)
    document.check_keys(value, "map", ("rows", "moves", "positions"), ())
    moves = document.tensor(value["moves"], "map.moves", [None, 2], ["actions", "down and right"])
    positions = document.tensor(
        value["positions"], "map.positions", [states, None], ["the number of states", "agents"]
    )
    rows = document.strings(value["rows"], "map.rows")
    return GridMap(rows, positions.astype(np.int32), [(int(down), int(right)) for down, right in moves])
