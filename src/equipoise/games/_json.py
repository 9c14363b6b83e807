"""Reading JSON with errors that say where, and writing arrays so that people can read them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from jaxtyping import Float, Real

from equipoise.games._checks import check_action_names
from equipoise.games._text import GameFileError, number_text, parse_number, shown

_LINE = 90


def json_text(value: Any) -> str:
    """JSON on one line, letters of all scripts as they are."""
    return json.dumps(value, ensure_ascii=False)


def tensor_text(tensor: Real[np.ndarray, "*shape"], indent: int) -> str:
    """A nested JSON list, every innermost list on a line of its own; a small matrix takes one line.

    Args:
        tensor: the numbers, at least one axis.
        indent: number of blanks that the list's own line begins with.
    """
    if tensor.ndim == 1:
        return "[" + ", ".join(number_text(float(value)) for value in tensor) + "]"
    inner = [tensor_text(part, indent + 2) for part in tensor]
    if tensor.ndim == 2 and sum(map(len, inner)) <= _LINE:
        return "[" + ", ".join(inner) + "]"
    blanks = "\n" + " " * (indent + 2)
    return "[" + blanks + ("," + blanks).join(inner) + "\n" + " " * indent + "]"


class JsonDocument:
    """A parsed JSON object whose complaints say where in it something is wrong."""

    def __init__(self, text: str, path: str):
        self.path = path
        try:
            # Every number becomes a float at once, so that no huge integer is ever built.
            root = json.loads(
                text, object_pairs_hook=self._unique, parse_int=float, parse_constant=self._constant
            )
        except json.JSONDecodeError as error:
            raise GameFileError(f"not JSON: {error.msg}", path, error.lineno, error.colno) from None
        except RecursionError:
            raise GameFileError("not a game: lists or objects are nested too deeply", path) from None
        if not isinstance(root, dict):
            self.expected("the file", "one object in braces", root)
        self.root: dict[str, Any] = root

    def _unique(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise GameFileError(f"the key {shown(key)} is given twice in one object", self.path)
            found[key] = value
        return found

    def _constant(self, name: str) -> NoReturn:
        raise GameFileError(f"found {name}, which is not a finite number", self.path)

    def expected(self, where: str, what: str, found: Any) -> NoReturn:
        """Raise an error about the value at a path inside the document."""
        raise GameFileError(f"{where}: expected {what}, found {_described(found)}", self.path)

    def check_format(self, name: str, otherwise: str) -> None:
        """Raise unless the document says that it has this format; `otherwise` is the hint if not."""
        found = self.root.get("format")
        if found != name:
            self.expected("format", f"{name!r} ({otherwise})", found)

    def players(
        self, root: Mapping[str, Any], count: int, lists: str
    ) -> tuple[list[str], list[list[str] | None]]:
        """Names of the players and, where they are given, of their actions.

        Args:
            root: the object whose field "players" is read, if it has one.
            count: number of players.
            lists: the field that decided the number.
        """
        players = root.get("players", [{}] * count)
        if not isinstance(players, list) or len(players) != count:
            self.expected("players", f"a list of {count} players, one for each list in {lists}", players)
        names: list[str] = []
        actions: list[list[str] | None] = []
        for i, player in enumerate(players):
            where = f"players[{i}]"
            if not isinstance(player, dict):
                self.expected(where, 'an object such as {"name": "Row", "actions": ["U", "D"]}', player)
            self.check_keys(player, where, required=(), optional=("name", "actions"))
            names.append(self.string(player.get("name", f"Player {i + 1}"), f"{where}.name"))
            actions.append(
                self.strings(player["actions"], f"{where}.actions") if "actions" in player else None
            )
        return names, actions

    @staticmethod
    def filled(actions: Sequence[list[str] | None], counts: Sequence[int]) -> list[Sequence[str]]:
        """Action names with "1", "2", ... where a player's are not given."""
        numbers = check_action_names(None, counts)
        return [own if given is None else given for given, own in zip(actions, numbers, strict=True)]

    def check_keys(
        self, value: Mapping[str, Any], where: str, required: Sequence[str], optional: Sequence[str]
    ) -> None:
        """Raise if an object lacks a required key or has one that means nothing here."""
        prefix = f"{where}." if where else ""
        for key in required:
            if key not in value:
                raise GameFileError(f"{prefix}{key} is missing", self.path)
        for key in value:
            if key not in required and key not in optional:
                known = ", ".join((*required, *optional))
                raise GameFileError(
                    f"{prefix}{key[:40]} is not a field of this format; it has {known}", self.path
                )

    def string(self, value: Any, where: str) -> str:
        """A string, or an error."""
        if not isinstance(value, str):
            self.expected(where, "a text in quotes", value)
        return value

    def strings(self, value: Any, where: str) -> list[str]:
        """A list of strings that is not empty, or an error."""
        if not isinstance(value, list) or not value:
            self.expected(where, "a list of names, at least one", value)
        return [self.string(one, f"{where}[{k}]") for k, one in enumerate(value)]

    def number(self, value: Any, where: str) -> float:
        """A finite number, given as such or as a text like "1/3", or an error."""
        if isinstance(value, str):
            try:
                return parse_number(value)
            except ValueError as error:
                self.expected(where, str(error), value)
        if not isinstance(value, float) or not abs(value) <= 1e300:
            self.expected(where, 'a number of at most 1e300 in size, or a text such as "1/3"', value)
        return value

    def tensor(
        self, value: Any, where: str, counts: Sequence[int | None], axes: Sequence[str]
    ) -> Float[np.ndarray, "*shape"]:
        """A rectangular nested list of numbers as an array.

        Args:
            value: the nested list.
            where: its path inside the document.
            counts: length of every axis, None where the first list met decides.
            axes: what each length is, for error messages.
        """
        lengths = list(counts)

        def walk(item: Any, path: str, depth: int) -> Any:
            if depth == len(lengths):
                return self.number(item, path)
            wanted = lengths[depth]
            if not isinstance(item, list) or not item or wanted not in (None, len(item)):
                length = "one or more" if wanted is None else str(wanted)
                self.expected(path, f"a list of {length} ({axes[depth]})", item)
            lengths[depth] = len(item)
            return [walk(part, f"{path}[{k}]", depth + 1) for k, part in enumerate(item)]

        return np.array(walk(value, where, 0), dtype=np.float64)


def _described(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return "an object"
    return f"the text {shown(value)}" if isinstance(value, str) else shown(str(value)).strip("'")
