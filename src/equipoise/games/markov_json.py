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
"""

from __future__ import annotations

import os
from typing import Any

from equipoise.games._json import JsonDocument, json_text, tensor_text
from equipoise.games._text import MOST_PLAYERS, GameFileError, number_text, read_text, write_text
from equipoise.games.markov import MarkovGame

FORMAT = "equipoise-markov-game/1"


def parse_markov_json(text: str, path: str = "<text>") -> MarkovGame:
    """Read a Markov game in Equipoise's JSON format.

    Args:
        text: contents of the file.
        path: its name, for error messages.

    Raises:
        GameFileError: the text is not JSON (with line and column), or not a Markov game.
    """
    document = JsonDocument(text, path)
    root = document.root
    document.check_format(FORMAT, "load() reads games in normal form")
    document.check_keys(
        root,
        "",
        required=("format", "transitions", "rewards"),
        optional=("title", "players", "states", "discount", "horizon", "initial"),
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
    lengths, what = shape(root["transitions"], n + 2)
    kernel = document.tensor(
        root["transitions"], "transitions", [*lengths, counts[0]], [*what, "the number of states"]
    )
    try:
        return MarkovGame(
            kernel,
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
            action_names=document.filled(actions, kernel.shape[-n - 1 : -1]),
            state_names=states,
        )
    except ValueError as error:
        if isinstance(error, GameFileError):
            raise
        raise GameFileError(str(error), path) from None


def format_markov_json(game: MarkovGame) -> str:
    """Write a Markov game in Equipoise's JSON format; reading it gives exactly the same game.

    Args:
        game: the game.
    """
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
        f'  "transitions": {tensor_text(game.transitions, 2)},\n'
        f'  "rewards": [\n    {separator.join(tensor_text(r, 4) for r in game.rewards)}\n  ]\n}}\n'
    )


def load_markov(path: str | os.PathLike[str]) -> MarkovGame:
    """Read a Markov game from a .json file.

    Args:
        path: the file.

    Raises:
        FileNotFoundError: there is no such file.
        GameFileError: it cannot be read; with line and column, or the path inside the JSON.
    """
    return parse_markov_json(read_text(path), os.fspath(path))


def save_markov(game: MarkovGame, path: str | os.PathLike[str]) -> None:
    """Write a Markov game to a .json file; loading it gives exactly the same game.

    Args:
        game: the game.
        path: the file; an existing one is replaced.

    Raises:
        FileNotFoundError: the folder does not exist.
        ValueError: the name does not end in .json.
    """
    if not os.fspath(path).lower().endswith(".json"):
        raise ValueError(f"{path} must end in .json, the only format for Markov games")
    write_text(format_markov_json(game), path)


def _depth(value: Any) -> int:
    depth = 0
    while isinstance(value, list) and value and depth <= MOST_PLAYERS:
        value, depth = value[0], depth + 1
    return depth
