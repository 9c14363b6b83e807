"""Loading and saving games; the suffix of the file decides the format."""

from __future__ import annotations

import os
from pathlib import Path

from equipoise.games._text import read_text, write_text
from equipoise.games.json_format import format_json, parse_json
from equipoise.games.nfg import format_nfg, parse_nfg
from equipoise.games.normal_form import NormalFormGame

_READERS = {".nfg": parse_nfg, ".json": parse_json}
_WRITERS = {".nfg": format_nfg, ".json": format_json}


def load(path: str | os.PathLike[str]) -> NormalFormGame:
    """Read a game in normal form from a file.

    Args:
        path: a Gambit .nfg file, or a .json file in Equipoise's format.

    Raises:
        FileNotFoundError: there is no such file.
        IsADirectoryError: it is a folder.
        GameFileError: it cannot be read; with file, line and column, or the path inside the JSON.
        ValueError: the suffix is neither .nfg nor .json.
    """
    reader = _READERS[_suffix(path)]
    return reader(read_text(path), os.fspath(path))


def save(game: NormalFormGame, path: str | os.PathLike[str]) -> None:
    """Write a game in normal form to a file; loading it gives exactly the same game.

    Args:
        game: the game.
        path: a file ending in .nfg (Gambit) or .json (Equipoise); an existing one is replaced.

    Raises:
        FileNotFoundError: the folder does not exist.
        IsADirectoryError: `path` is a folder.
        ValueError: the suffix is neither .nfg nor .json, or a name cannot be written in the format.
    """
    writer = _WRITERS[_suffix(path)]
    write_text(writer(game), path)


def _suffix(path: str | os.PathLike[str]) -> str:
    suffix = Path(path).suffix.lower()
    if suffix in _READERS:
        return suffix
    if Path(path).is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a game file in it")
    hint = (
        "; an extensive-form .efg game must be converted to .nfg with Gambit first"
        if suffix == ".efg"
        else ""
    )
    raise ValueError(f"{path} ends in {suffix or 'no suffix'}; a game file ends in .nfg or .json{hint}")
