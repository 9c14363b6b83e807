"""Loading and saving games; the suffix of the file decides the format."""

from __future__ import annotations

import os
from pathlib import Path

from equipoise.games import _markov_archive, json_format, markov_json
from equipoise.games._json import JsonDocument
from equipoise.games._text import read_text, write_text
from equipoise.games.markov import MarkovGame
from equipoise.games.nfg import format_nfg, parse_nfg
from equipoise.games.normal_form import NormalFormGame

SUFFIXES = (".nfg", ".json", ".npz")


def load(path: str | os.PathLike[str]) -> NormalFormGame | MarkovGame:
    """Read a game from a file.

    Args:
        path: a Gambit .nfg file (normal form), a .json file in Equipoise's format (normal form or Markov), or
            a .npz file that `save` wrote (Markov).

    Raises:
        FileNotFoundError: there is no such file.
        IsADirectoryError: it is a folder.
        GameFileError: it cannot be read; with file, line and column, or the path inside the JSON.
        ValueError: the suffix is none of these.
    """
    suffix = _suffix(path)
    if suffix == ".npz":
        if not Path(path).exists():
            read_text(path)  # raises, with names that are similar
        return _markov_archive.read_archive(path)
    text, name = read_text(path), os.fspath(path)
    if suffix == ".nfg":
        return parse_nfg(text, name)
    document = JsonDocument(text, name)
    if document.root.get("format") == json_format.MARKOV_FORMAT:
        return markov_json.read_markov(document)
    return json_format.read_normal_form(document)


def save(game: NormalFormGame | MarkovGame, path: str | os.PathLike[str]) -> None:
    """Write a game to a file; loading it gives exactly the same game.

    Args:
        game: the game.
        path: a file ending in .nfg (Gambit; normal form only), .json (Equipoise) or .npz (NumPy arrays; only
            Markov games, of any size); an existing one is replaced.

    Raises:
        FileNotFoundError: the folder does not exist.
        IsADirectoryError: `path` is a folder.
        ValueError: the suffix does not fit the game, a name cannot be written in the format, or the game is
            too large for text.
    """
    suffix = _suffix(path)
    if isinstance(game, NormalFormGame):
        if suffix == ".npz":
            raise ValueError(f"{path}: a game in normal form is saved to a file that ends in .nfg or .json")
        write_text(format_nfg(game) if suffix == ".nfg" else json_format.format_json(game), path)
    elif suffix == ".npz":
        _markov_archive.write_archive(game, path)
    elif suffix == ".json":
        write_text(markov_json.format_markov_json(game), path)
    else:
        raise ValueError(f"{path}: a Markov game is saved to a file that ends in .json or .npz")


def _suffix(path: str | os.PathLike[str]) -> str:
    suffix = Path(path).suffix.lower()
    if suffix in SUFFIXES:
        return suffix
    if Path(path).is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a game file in it")
    hint = (
        "; an extensive-form .efg game must be converted to .nfg with Gambit first"
        if suffix == ".efg"
        else ""
    )
    raise ValueError(
        f"{path} ends in {suffix or 'no suffix'}; a game file ends in {', '.join(SUFFIXES)}{hint}"
    )
