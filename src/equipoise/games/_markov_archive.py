"""Markov games of any size in one .npz file: NumPy arrays and a JSON header, without pickle."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from equipoise.games._text import GameFileError
from equipoise.games.grid_map import GridMap
from equipoise.games.markov import MarkovGame
from equipoise.games.successors import SuccessorLists

FORMAT = "equipoise-markov-archive/1"


def write_archive(game: MarkovGame, path: str | os.PathLike[str]) -> None:
    """Write a Markov game to a .npz file; reading it gives exactly the same game.

    The archive holds `header` (names, time and title as JSON in UTF-8), `initial`, `rewards_0`, `rewards_1`,
    ..., and `transitions` or `successors` and `probabilities`; for a grid world also `positions`.
    """
    arrays: dict[str, np.ndarray] = {"initial": game.initial}
    arrays |= {f"rewards_{i}": tensor for i, tensor in enumerate(game.rewards)}
    if isinstance(game.transitions, SuccessorLists):
        arrays["successors"] = game.transitions.successors
        arrays["probabilities"] = game.transitions.probabilities
    else:
        arrays["transitions"] = game.transitions
    header: dict[str, Any] = {
        "format": FORMAT,
        "title": game.title,
        "discount": game.discount,
        "horizon": game.horizon,
        "player_names": game.player_names,
        "action_names": game.action_names,
        "state_names": game.state_names,
    }
    if game.layout is not None:
        arrays["positions"] = game.layout.positions
        header |= {"rows": game.layout.rows, "moves": game.layout.moves}
    text = json.dumps(header).encode()
    with Path(path).open("wb") as file:
        np.savez(file, header=np.frombuffer(text, dtype=np.uint8), **arrays)  # type: ignore[arg-type]


def read_archive(path: str | os.PathLike[str]) -> MarkovGame:
    """Read a Markov game from a .npz file.

    Raises:
        FileNotFoundError: there is no such file.
        GameFileError: it is not an archive of a Markov game, or a part of it is missing or wrong.
    """
    name = os.fspath(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            parts = {key: archive[key] for key in archive.files}
        header = json.loads(parts["header"].tobytes())
        if header["format"] != FORMAT:
            raise GameFileError(f"expected format {FORMAT!r}, found {header['format']!r}", name)
        return _game(header, parts)
    except (zipfile.BadZipFile, EOFError, json.JSONDecodeError, UnicodeDecodeError, AttributeError) as error:
        raise GameFileError(f"not an archive of a Markov game ({error})", name) from None
    except KeyError as error:
        raise GameFileError(f"{error} is missing from the archive", name) from None
    except (ValueError, TypeError) as error:
        if isinstance(error, GameFileError):
            raise
        raise GameFileError(str(error), name) from None


def _game(header: dict[str, Any], parts: dict[str, np.ndarray]) -> MarkovGame:
    transitions: np.ndarray | SuccessorLists
    if "successors" in parts:
        # Nobody else holds these arrays, so they need not be copied again.
        parts["successors"].setflags(write=False)
        parts["probabilities"].setflags(write=False)
        transitions = SuccessorLists(parts["successors"], parts["probabilities"])
    else:
        transitions = parts["transitions"]
    players = header["player_names"]
    return MarkovGame(
        transitions,
        [parts[f"rewards_{i}"] for i in range(len(players))],
        discount=header["discount"],
        horizon=header["horizon"],
        initial=parts["initial"],
        title=header["title"],
        player_names=players,
        action_names=header["action_names"],
        state_names=header["state_names"],
        layout=GridMap(header["rows"], parts["positions"], header["moves"]) if "positions" in parts else None,
    )
