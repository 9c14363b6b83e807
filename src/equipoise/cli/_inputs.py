"""How commands read what they are given: games and numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from equipoise.cli._terminal import closest

if TYPE_CHECKING:
    from equipoise.games import NormalFormGame

GameArgument = Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="GAME", help_behavior_hint="")]
Json = Annotated[bool, tyro.conf.arg(help_behavior_hint="")]


def read_game(argument: str) -> NormalFormGame:
    """The game a GAME argument names: a file, or a key of the catalogue.

    Args:
        argument: a path that ends in .nfg or .json, or a key such as "stag-hunt".

    Returns:
        The game.

    Raises:
        ValueError: the file is not a game, or there is no such key; the message suggests similar ones.
        FileNotFoundError: the argument looks like a path and nothing is there.
    """
    path = Path(argument)
    if path.suffix.lower() in (".nfg", ".json") or len(path.parts) > 1 or path.is_file():
        from equipoise.games import load

        if not path.is_file():
            raise FileNotFoundError(f"there is no file {argument!r}")
        return load(path)
    from equipoise.games import catalogue

    known = catalogue()
    if argument not in known:
        raise ValueError(
            f"there is no game {argument!r}{closest(argument, known)}; `equipoise games list` shows all; "
            "a file name must end in .nfg or .json"
        )
    return known[argument].game


def read_numbers(text: str, option: str) -> float | tuple[float, ...]:
    """Read an option that takes one number for all players or one per player.

    Args:
        text: for example "0.5" or "0.5,0.2".
        option: the option's name, for the error.

    Returns:
        The number, or the numbers in the players' order.

    Raises:
        ValueError: a part is not a number.
    """
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(
            f"{option} takes one number, or one per player separated by commas (0.5 or 0.5,0.2); got {text!r}"
        ) from None
    return numbers[0] if len(numbers) == 1 else numbers
