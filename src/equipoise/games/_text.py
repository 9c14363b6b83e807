"""What the game file formats share: reading and writing text, numbers as text, errors with a place."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path

MOST_PLAYERS = 64
"""NumPy arrays have at most 64 axes, and a game needs one axis per player."""

_NUMBER = re.compile(r"([+-]?)(?:([0-9]+)/([0-9]+)|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_MOST_DIGITS = 1000


class GameFileError(ValueError):
    """A game file that cannot be read, with the place of the first error.

    Attributes:
        path: the file, or "<text>" for text that came from none.
        line: line of the error, from 1, or None where the error has no place.
        column: column of the error in characters, from 1, or None.
    """

    def __init__(self, message: str, path: str, line: int | None = None, column: int | None = None):
        self.path, self.line, self.column = path, line, column
        place = path if line is None else f"{path}:{line}:{column}"
        super().__init__(f"{place}: {message}")


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of the character at `offset`."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def read_text(path: str | os.PathLike[str]) -> str:
    """Text of a UTF-8 file, line ends as they are, without a byte-order mark.

    Args:
        path: the file.

    Raises:
        FileNotFoundError: there is no such file; the message suggests similar names beside it.
        IsADirectoryError: it is a folder.
        GameFileError: it is not UTF-8.
    """
    file = Path(path)
    if file.is_dir():
        raise IsADirectoryError(f"{file} is a folder; name the game file in it")
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        beside = [one.name for one in file.parent.iterdir()] if file.parent.is_dir() else []
        similar = get_close_matches(file.name, beside, n=3)
        hint = f"; did you mean {' or '.join(similar)}?" if similar else ""
        raise FileNotFoundError(f"there is no file {file}{hint}") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", errors="replace")
        raise GameFileError(
            f"found byte 0x{raw[error.start]:02x}, which is not UTF-8; save the file in UTF-8",
            str(file),
            *line_and_column(before, len(before)),
        ) from None


def write_text(text: str, path: str | os.PathLike[str]) -> None:
    """Write a UTF-8 file with the line ends that `text` has.

    Args:
        text: what to write.
        path: the file; an existing one is replaced.

    Raises:
        FileNotFoundError: the folder does not exist.
        IsADirectoryError: `path` is a folder.
        ValueError: `text` has half a surrogate pair, which UTF-8 cannot hold.
    """
    file = Path(path)
    if file.is_dir():
        raise IsADirectoryError(f"{file} is a folder; add a file name")
    if not file.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {file.parent}; make it first")
    file.write_bytes(text.encode("utf-8"))


def parse_number(text: str) -> float:
    """The float64 nearest to a number written as integer, decimal, with exponent, or as a fraction.

    Args:
        text: such as "3", "-0.25", "1e-3" or "1/3".

    Raises:
        ValueError: it is none of these, has more than 1000 digits, divides by zero or is out of range.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError("a number such as 3, -0.25, 1e-3 or 1/3")
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"a number of at most {_MOST_DIGITS} digits")
    sign, numerator, denominator = match.groups()
    if denominator is None:
        value = float(text)
    elif int(denominator) == 0:
        raise ValueError("a fraction with a denominator other than 0")
    else:
        try:
            value = float(Fraction(int(sign + numerator), int(denominator)))
        except OverflowError:
            value = float("inf")
    if abs(value) > 1e300:
        raise ValueError("a number of at most 1e300 in size")
    return value


def number_text(value: float) -> str:
    """The shortest text that reads back as exactly this float64, without a superfluous ".0"."""
    text = repr(float(value))
    return text.removesuffix(".0")


def shown(text: str) -> str:
    """A piece of a file for an error message: quoted, and cut where it is long."""
    return repr(text if len(text) <= 40 else text[:37] + "...")
