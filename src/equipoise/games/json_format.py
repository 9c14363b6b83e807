"""Equipoise's own JSON format for games in normal form, made to be written by hand.

    {
      "format": "equipoise-game/1",
      "title": "Matching pennies",
      "players": [
        {"name": "Row", "actions": ["heads", "tails"]},
        {"name": "Column", "actions": ["heads", "tails"]}
      ],
      "payoffs": [
        [[1, -1], [-1, 1]],
        [[-1, 1], [1, "-1"]]
      ]
    }

`payoffs` has one nested list per player, indexed `[a_1][a_2]...[a_n]` for every player. A payoff is a number
or a text such as "1/3". `title`, `players` and their fields may be left out.
"""

from __future__ import annotations

from equipoise.games._json import JsonDocument, json_text, tensor_text
from equipoise.games._text import MOST_PLAYERS
from equipoise.games.normal_form import NormalFormGame

FORMAT = "equipoise-game/1"
MARKOV_FORMAT = "equipoise-markov-game/1"


def parse_json(text: str, path: str = "<text>") -> NormalFormGame:
    """Read a game in Equipoise's JSON format.

    Args:
        text: contents of the file.
        path: its name, for error messages.

    Raises:
        GameFileError: the text is not JSON (with line and column), or not a game (with the path inside it,
            such as `payoffs[1][0]`).
    """
    return read_normal_form(JsonDocument(text, path))


def read_normal_form(document: JsonDocument) -> NormalFormGame:
    """The game in normal form that a JSON document describes.

    Raises:
        GameFileError: it is not one.
    """
    document.check_format(FORMAT, f"or {MARKOV_FORMAT!r} for a Markov game")
    document.check_keys(document.root, "", required=("format", "payoffs"), optional=("title", "players"))
    payoffs = document.root["payoffs"]
    if not isinstance(payoffs, list) or not 1 <= len(payoffs) <= MOST_PLAYERS:
        document.expected("payoffs", f"a list with one nested list per player (1 to {MOST_PLAYERS})", payoffs)
    n = len(payoffs)
    names, actions = document.players(document.root, n, "payoffs")
    counts: list[int | None] = [None if one is None else len(one) for one in actions]
    tensors = []
    for i, nested in enumerate(payoffs):
        axes = [f"the number of actions of player {j + 1}" for j in range(n)]
        tensors.append(document.tensor(nested, f"payoffs[{i}]", counts, axes))
        counts = list(tensors[0].shape)
    title = document.string(document.root.get("title", ""), "title")
    return NormalFormGame(tensors, title, names, document.filled(actions, tensors[0].shape))


def format_json(game: NormalFormGame) -> str:
    """Write a game in Equipoise's JSON format; reading it gives exactly the same game.

    Args:
        game: the game.
    """
    players = [
        json_text({"name": name, "actions": list(actions)})
        for name, actions in zip(game.player_names, game.action_names, strict=True)
    ]
    payoffs = [tensor_text(tensor, indent=4) for tensor in game.payoffs]
    separator = ",\n    "
    return (
        f'{{\n  "format": "{FORMAT}",\n  "title": {json_text(game.title)},\n'
        f'  "players": [\n    {separator.join(players)}\n  ],\n'
        f'  "payoffs": [\n    {separator.join(payoffs)}\n  ]\n}}\n'
    )
