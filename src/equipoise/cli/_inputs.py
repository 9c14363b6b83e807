"""How commands read what they are given: games and numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from equipoise.cli._terminal import closest

if TYPE_CHECKING:
    from equipoise.games import MarkovGame, NormalFormGame

GameArgument = Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="GAME", help_behavior_hint="")]
Json = Annotated[bool, tyro.conf.arg(help_behavior_hint="")]


def read_game(argument: str) -> NormalFormGame | MarkovGame:
    """The game a GAME argument names: a file, or a key of one of the catalogues.

    Args:
        argument: a path that ends in .nfg, .json or .npz, or a key such as "stag-hunt" or "cliff-walk".

    Returns:
        The game.

    Raises:
        ValueError: the file is not a game, or there is no such key; the message suggests similar ones.
        FileNotFoundError: the argument looks like a path and nothing is there.
    """
    from equipoise.games import catalogue, load, markov_catalogue, named_markov_game

    path = Path(argument)
    if path.suffix.lower() in (".nfg", ".json", ".npz") or len(path.parts) > 1 or path.is_file():
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {argument!r}")
        return load(path)
    known = catalogue()
    if argument in known:
        return known[argument].game
    if argument in markov_catalogue():
        return named_markov_game(argument)
    raise ValueError(
        f"there is no game {argument!r}{closest(argument, [*known, *markov_catalogue()])}; `equipoise games "
        "list` shows all; a file name must end in .nfg, .json or .npz"
    )


def read_normal_form(argument: str) -> NormalFormGame:
    """The game in normal form that a GAME argument names, as `read_game` finds it.

    Raises:
        ValueError: also where it is a Markov game.
    """
    from equipoise.games import NormalFormGame

    game = read_game(argument)
    if not isinstance(game, NormalFormGame):
        raise ValueError(f"{argument!r} is a Markov game; this command takes a game in normal form")
    return game


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
