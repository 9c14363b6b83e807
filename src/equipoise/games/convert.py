"""Games to and from pygambit, nashpy and OpenSpiel.

Reading works on the object it is given and imports nothing; writing imports the other package when called.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from equipoise.games.normal_form import NormalFormGame


def from_pygambit(game: Any) -> NormalFormGame:
    """A Gambit game in strategic form, or the strategic form of an extensive one.

    Args:
        game: a `pygambit.Game` (versions 16.1 to 17), with at least one player.

    Returns:
        The game with its title and labels; rational payoffs become the nearest float64.

    Raises:
        TypeError: the object is not a pygambit game.
    """
    if not all(hasattr(game, name) for name in ("to_arrays", "players", "title")):
        raise TypeError(f"game must be a pygambit game, not {type(game).__name__}")
    players = list(game.players)
    if hasattr(game, "get_strategies"):
        actions = [[_label(s) for s in game.get_strategies(player)] for player in players]
    else:
        actions = [[_label(s) for s in player.strategies] for player in players]
    payoffs = [np.asarray(tensor, dtype=np.float64) for tensor in game.to_arrays(dtype=float)]
    return NormalFormGame(payoffs, game.title, [_label(player) for player in players], actions)


def to_pygambit(game: NormalFormGame) -> Any:
    """The game as a pygambit strategic game, payoffs converted exactly.

    Gambit wants labels that are not empty and differ within a player; where ours are not such, its numbers
    are kept.

    Args:
        game: the game.

    Raises:
        ImportError: pygambit is not installed.
    """
    gambit = package("pygambit")
    kind = gambit.StrategicGame if hasattr(gambit, "StrategicGame") else gambit.Game
    theirs = kind.from_arrays(*game.payoffs, title=game.title)
    relabels = hasattr(theirs, "relabel_players")
    players = list(theirs.players)
    for player, names in zip(players, game.action_names, strict=True):
        if not _distinct(names):
            continue
        if relabels:
            theirs.relabel_strategies(player, dict(zip(theirs.get_strategies(player), names, strict=True)))
        else:
            for strategy, name in zip(player.strategies, names, strict=True):
                strategy.label = name
    if _distinct(game.player_names):
        if relabels:
            theirs.relabel_players(dict(zip(players, game.player_names, strict=True)))
        else:
            for player, name in zip(players, game.player_names, strict=True):
                player.label = name
    return theirs


def from_nashpy(game: Any) -> NormalFormGame:
    """A nashpy game; nashpy, too, indexes both players' matrices by row and column.

    Args:
        game: a `nashpy.Game`.

    Raises:
        TypeError: the object is not a nashpy game.
    """
    if not hasattr(game, "payoff_matrices"):
        raise TypeError(f"game must be a nashpy.Game, not {type(game).__name__}")
    return NormalFormGame(game.payoff_matrices)


def to_nashpy(game: NormalFormGame) -> Any:
    """The game as a `nashpy.Game`, without title and names, which nashpy does not have.

    Args:
        game: a game of two players.

    Raises:
        ValueError: the game does not have two players.
        ImportError: nashpy is not installed.
    """
    if game.num_players != 2:
        raise ValueError(f"nashpy knows only games of two players, this one has {game.num_players}")
    return package("nashpy").Game(*(tensor.copy() for tensor in game.payoffs))


def from_openspiel(game: Any) -> NormalFormGame:
    """An OpenSpiel matrix or tensor game.

    Args:
        game: a `pyspiel.MatrixGame` or `pyspiel.TensorGame`.

    Raises:
        TypeError: the object is neither; the message says how to make one.
    """
    if hasattr(game, "row_utilities"):
        payoffs = [game.row_utilities(), game.col_utilities()]
        actions = [
            [game.row_action_name(a) for a in range(game.num_rows())],
            [game.col_action_name(a) for a in range(game.num_cols())],
        ]
    elif hasattr(game, "player_utilities") and hasattr(game, "shape"):
        shape = tuple(game.shape())
        payoffs = [np.asarray(game.player_utilities(i)).reshape(shape) for i in range(len(shape))]
        actions = [[game.action_name(i, a) for a in range(count)] for i, count in enumerate(shape)]
    else:
        raise TypeError(
            f"game must be an OpenSpiel matrix or tensor game, not {type(game).__name__}; "
            "pyspiel.load_matrix_game and pyspiel.extensive_to_tensor_game make one"
        )
    return NormalFormGame(payoffs, game.get_type().long_name, None, actions)


def to_openspiel(game: NormalFormGame) -> Any:
    """The game as an OpenSpiel matrix game (two players) or tensor game (any other number).

    OpenSpiel keeps the title and the names of actions, not those of players.

    Args:
        game: the game.

    Raises:
        ImportError: OpenSpiel is not installed.
    """
    spiel = package("pyspiel")
    names = [list(one) for one in game.action_names]
    if game.num_players == 2:
        return spiel.create_matrix_game("equipoise", game.title, *names, *(t.tolist() for t in game.payoffs))
    return spiel.create_tensor_game(
        "equipoise", game.title, names, [t.ravel().tolist() for t in game.payoffs]
    )


def package(name: str) -> Any:
    """Another package, or an error that says how to install it."""
    try:
        return import_module(name)
    except ImportError as error:
        install = "open-spiel" if name == "pyspiel" else name
        raise ImportError(
            f"this conversion needs {install}; install it with: pip install {install}"
        ) from error


def _label(item: Any) -> str:
    return item if isinstance(item, str) else str(item.label)


def _distinct(names: Sequence[str]) -> bool:
    return len(set(names)) == len(names) and all(name.strip() == name != "" for name in names)
