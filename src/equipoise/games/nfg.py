r"""Gambit's .nfg format for games in normal form: reader and writer.

The format: the words `NFG 1 R`, a quoted title, player names in braces, then either the numbers of actions
or their quoted names in nested braces, an optional quoted comment, and the body. The body is one payoff per
player for every joint action (payoff form), or a list of outcomes and their numbers for every joint action
(outcome form). Joint actions run with the first player's action fastest. White space is free; inside quotes
only `\"` is an escape.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NoReturn

import numpy as np
from jaxtyping import Float

from equipoise.games._text import (
    MOST_PLAYERS,
    GameFileError,
    line_and_column,
    number_text,
    parse_number,
    shown,
)
from equipoise.games.normal_form import NormalFormGame

_TOKEN = re.compile(r'[ \t\r\n\v\f]*+(?:([{},])|"((?:[^"\\]|\\"?)*+)"|([^ \t\r\n\v\f{},"]+)|(\Z)|)')
_COUNT = re.compile(r"[0-9]{1,9}")


class NfgError(GameFileError):
    """An .nfg file that cannot be read; the message has file, line, column, what was expected and found."""


def parse_nfg(text: str, path: str = "<text>") -> NormalFormGame:
    """Read a game in Gambit's .nfg format.

    Args:
        text: contents of the file.
        path: its name, for error messages.

    Returns:
        The game. Rational payoffs become the nearest float64; a comment is not kept.

    Raises:
        NfgError: the text is not a game in this format.
    """
    return _Reader(text, path).game()


def format_nfg(game: NormalFormGame) -> str:
    """Write a game in Gambit's .nfg format, payoff form; reading it gives exactly the same game.

    Args:
        game: the game.

    Returns:
        Contents of the file.

    Raises:
        ValueError: a name ends in a backslash, which the format cannot express.
    """
    names = " ".join(_quoted(name) for name in game.player_names)
    actions = "\n".join(
        "{ " + " ".join(_quoted(name) for name in names) + " }" for names in game.action_names
    )
    # Reversing the axes makes C order run with the first player's action fastest.
    profiles = np.stack([tensor.T.ravel() for tensor in game.payoffs], axis=1)
    body = "\n".join(" ".join(number_text(value) for value in profile) for profile in profiles)
    return f"NFG 1 R {_quoted(game.title)}\n{{ {names} }}\n{{\n{actions}\n}}\n\n{body}\n"


def _quoted(text: str) -> str:
    if text.endswith("\\"):
        raise ValueError(
            f"the name {text!r} ends in a backslash, which the .nfg format cannot express; rename it or save "
            "the game as .json"
        )
    return '"' + text.replace('"', '\\"') + '"'


class _Reader:
    """Reads token by token; `kind`, `value` and `start` describe the token not yet taken."""

    def __init__(self, text: str, path: str):
        self.text, self.path = text, path
        self.position = 0
        self.advance()

    def advance(self) -> None:
        match = _TOKEN.match(self.text, self.position)
        # The last alternative of the pattern is empty, so that it always matches.
        assert match is not None
        punctuation, string, word, end = match.groups()
        if punctuation is not None:
            self.kind, self.value, self.start = punctuation, punctuation, match.start(1)
        elif string is not None:
            self.kind, self.value, self.start = "string", string.replace('\\"', '"'), match.start(2) - 1
        elif word is not None:
            self.kind, self.value, self.start = "word", word, match.start(3)
        elif end is not None:
            self.kind, self.value, self.start = "end", "", match.end()
        else:
            self.start = match.end()
            self.fail("found a quotation mark that is never closed; expected a closing one")
        self.position = match.end()

    def fail(self, message: str) -> NoReturn:
        raise NfgError(message, self.path, *line_and_column(self.text, self.start))

    def expected(self, what: str) -> NoReturn:
        found = "the end of the file" if self.kind == "end" else shown(self.value)
        if self.kind == "string":
            found = "the text " + found
        self.fail(f"expected {what}, found {found}")

    def take(self, kind: str, what: str) -> str:
        if self.kind != kind:
            self.expected(what)
        value = self.value
        self.advance()
        return value

    def strings(self, what: str) -> list[str]:
        """Quoted texts up to a closing brace, after an opening one."""
        self.take("{", f"'{{' before {what}")
        found = []
        while self.kind != "}":
            found.append(self.take("string", f"{what} in quotes or '}}'"))
        self.advance()
        return found

    def game(self) -> NormalFormGame:
        self.header()
        title = self.take("string", "the title of the game in quotes")
        start = self.start
        players = self.strings("player names")
        if not 1 <= len(players) <= MOST_PLAYERS:
            self.start = start
            self.fail(f"expected 1 to {MOST_PLAYERS} players, found {len(players)}")
        counts, actions = self.actions(players)
        if self.kind == "string":
            self.advance()
        cells = math.prod(counts)
        form = "an outcome list in braces" if self.kind == "{" else "payoffs"
        # A number and its separator take two characters; more cannot follow, so do not make room for more.
        needed = cells if self.kind == "{" else cells * len(counts)
        if 2 * needed > len(self.text) - self.start + 1:
            self.start = len(self.text)
            shape = " x ".join(map(str, counts))
            self.fail(
                f"expected {form} with {needed} numbers for {shape} joint actions, found the end of the file"
            )
        body = self.outcomes(counts, players) if self.kind == "{" else self.payoffs(counts, players)
        if self.kind != "end":
            self.expected(f"the end of the file after {needed} numbers")
        tensors = [body[:, i].reshape(counts[::-1]).T for i in range(len(counts))]
        return NormalFormGame(tensors, title, players, actions)

    def header(self) -> None:
        if self.kind == "word" and self.value == "EFG":
            self.fail(
                "found an extensive-form game (EFG), expected a normal-form one (NFG); convert it with "
                "Gambit first"
            )
        for word, what in [(("NFG",), "'NFG'"), (("1",), "version '1'"), (("R", "D"), "'R' or 'D'")]:
            if self.kind != "word" or self.value not in word:
                self.expected(f'{what} (a file begins: NFG 1 R "title")')
            self.advance()

    def actions(self, players: list[str]) -> tuple[tuple[int, ...], list[list[str]] | None]:
        """Numbers and, where the file has them, names of the players' actions."""
        self.take("{", "'{' before the players' actions")
        counts: list[int] = []
        names: list[list[str]] = []
        nested = self.kind == "{"
        while self.kind != "}":
            if len(counts) == len(players):
                self.expected(f"'}}' after the actions of {len(players)} players")
            whose = f"of player {len(counts) + 1} ({shown(players[len(counts)])})"
            start = self.start
            if nested:
                names.append(self.strings(f"action names {whose}"))
                counts.append(len(names[-1]))
            else:
                if self.kind != "word" or not _COUNT.fullmatch(self.value):
                    self.expected(f"the number of actions {whose}, or their names in braces")
                counts.append(int(self.value))
                self.advance()
            if counts[-1] == 0:
                self.start = start
                self.fail(f"expected at least one action {whose}, found none")
        if len(counts) < len(players):
            self.expected(f"the actions of {len(players)} players, {len(counts)} given so far")
        self.advance()
        return tuple(counts), names if nested else None

    def number(self, what: str) -> float:
        if self.kind != "word":
            self.expected(what)
        try:
            value = parse_number(self.value)
        except ValueError as error:
            self.expected(f"{what}, {error}")
        self.advance()
        if self.kind == ",":
            self.advance()
        return value

    def payoffs(self, counts: tuple[int, ...], players: list[str]) -> Float[np.ndarray, "cells players"]:
        body = np.empty((math.prod(counts), len(players)))
        for row, profile in zip(body, _profiles(counts), strict=True):
            for i in range(len(players)):
                if self.kind != "word":
                    self.expected(f"the payoff of player {i + 1} at joint action {profile}")
                row[i] = self.number("a payoff")
        return body

    def outcomes(self, counts: tuple[int, ...], players: list[str]) -> Float[np.ndarray, "cells players"]:
        self.advance()
        # Outcome 0 stands for no outcome and pays nothing.
        table = [[0.0] * len(players)]
        while self.kind != "}":
            self.take("{", "an outcome in braces, or '}'")
            self.take("string", "the outcome's name in quotes")
            if self.kind == ",":
                self.advance()
            table.append(
                [self.number(f"the outcome's payoff of player {i + 1}") for i in range(len(players))]
            )
            self.take("}", f"'}}' after the outcome's {len(players)} payoffs")
        self.advance()
        rows = []
        for profile in _profiles(counts):
            what = f"the outcome at joint action {profile}, a whole number from 0 to {len(table) - 1}"
            if self.kind != "word" or not _COUNT.fullmatch(self.value) or int(self.value) >= len(table):
                self.expected(what)
            rows.append(table[int(self.value)])
            self.advance()
        return np.array(rows)


def _profiles(counts: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Joint actions, numbered from 1, the first player's fastest."""
    for index in np.ndindex(counts[::-1]):
        yield tuple(k + 1 for k in reversed(index))
