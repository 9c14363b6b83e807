"""One table, shown anywhere: terminal, HTML, Markdown, CSV, JSON."""

from __future__ import annotations

import csv
import html
import io
import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Group

MISSING = "–"
LARGEST_FIXED = 1e6
SMALLEST_FIXED = 1e-3
PROSE = 40  # cells with more letters are sentences, which a page may break into lines


@dataclass(frozen=True)
class Table:
    """Rows under named columns.

    A cell is a string, a number, a truth value or None (shown as a dash). Numbers keep their full
    precision in `to_csv` and `to_dict`; everywhere else a column of numbers is rounded as one.

    Attributes:
        columns: the headings, one per column.
        rows: the cells, each row as long as `columns`.
        caption: one line that says what the table shows.
        digits: significant digits of the largest number in a column.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    caption: str = ""
    digits: int = 4

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "rows", tuple(tuple(row) for row in self.rows))
        if self.digits < 1:
            raise ValueError(f"digits must be at least 1, got {self.digits}")
        for i, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"rows[{i}] has {len(row)} cells but there are {len(self.columns)} columns "
                    f"({', '.join(self.columns)}); give one cell per column, None where nothing is known"
                )

    def texts(self) -> list[list[str]]:
        """The cells as they are shown, row by row."""
        columns = [
            format_column([row[j] for row in self.rows], self.digits) for j in range(len(self.columns))
        ]
        return [[column[i] for column in columns] for i in range(len(self.rows))]

    def numeric(self) -> list[bool]:
        """Whether each column holds numbers (and is therefore aligned to the right)."""
        return [
            any(_is_number(row[j]) for row in self.rows)
            and all(row[j] is None or _is_number(row[j]) for row in self.rows)
            for j in range(len(self.columns))
        ]

    def to_rich(self) -> Group:
        """The table for a terminal; cells are plain text, so brackets in them are not taken for markup."""
        from rich import box
        from rich.console import Group
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, show_header=any(self.columns))
        for name, numeric in zip(self.columns, self.numeric(), strict=True):
            table.add_column(Text(name), justify="right" if numeric else "left")
        for row in self.texts():
            table.add_row(*(Text(cell) for cell in row))
        # A title would be wrapped to the width of the table.
        return Group(*([Text(self.caption)] if self.caption else []), table, Text())

    def to_html(self) -> str:
        """The table as an HTML element, everything escaped."""
        texts = self.texts()
        classes = [
            ' class="number"'
            if numeric
            else ' class="prose"'
            if any(len(row[j]) > PROSE for row in texts)
            else ""
            for j, numeric in enumerate(self.numeric())
        ]
        head = "".join(
            f'<th scope="col"{c}>{html.escape(name)}</th>'
            for name, c in zip(self.columns, classes, strict=True)
        )
        body = "".join(
            "<tr>"
            + "".join(f"<td{c}>{html.escape(cell)}</td>" for cell, c in zip(row, classes, strict=True))
            + "</tr>\n"
            for row in texts
        )
        caption = f"<caption>{html.escape(self.caption)}</caption>" if self.caption else ""
        return f"<table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table>"

    def to_markdown(self) -> str:
        """The table in the pipe syntax of Markdown, caption first."""
        lines = [self.caption, ""] if self.caption else []
        lines.append(_pipes(self.columns))
        lines.append("|" + "|".join(" ---: " if numeric else " --- " for numeric in self.numeric()) + "|")
        lines.extend(_pipes(row) for row in self.texts())
        return "\n".join(lines) + "\n"

    def to_csv(self) -> str:
        """The table as comma-separated values with full precision; an empty field is a missing cell."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([["" if cell is None else _plain(cell) for cell in row] for row in self.rows])
        return buffer.getvalue()

    def to_dict(self) -> dict[str, object]:
        """The table as plain objects that `json` can write; what is not a finite number becomes None."""
        return {
            "caption": self.caption,
            "columns": list(self.columns),
            "rows": [[jsonable(cell) for cell in row] for row in self.rows],
        }


def format_number(value: float | int, digits: int = 4) -> str:
    """A number on its own: `digits` significant digits, scientific when tiny or huge.

    Args:
        value: the number.
        digits: significant digits, at least 1.

    Returns:
        For example `0.09091`, `12.50`, `3.1e-13`, `∞`.
    """
    return format_column([value], digits)[0]


def format_column(values: Sequence[object], digits: int = 4) -> list[str]:
    """Show the cells of one column, its numbers rounded to the same place.

    The largest number gets `digits` significant digits and fixes how many decimals all have. Numbers
    that would keep fewer than two significant digits are shown in scientific notation instead, so
    that a small number never looks like zero.

    Args:
        values: strings, numbers, truth values or None.
        digits: significant digits of the largest number.

    Returns:
        One text per value.
    """
    sizes = [
        abs(float(v))  # type: ignore[arg-type]
        for v in values
        if _is_number(v) and not isinstance(v, Integral) and math.isfinite(v) and v != 0  # type: ignore[arg-type]
    ]
    fixed = [size for size in sizes if SMALLEST_FIXED <= size < LARGEST_FIXED]
    decimals = max(0, digits - 1 - math.floor(math.log10(max(fixed)))) if fixed else 0
    return [_format(value, decimals, digits) for value in values]


def jsonable(value: object) -> object:
    """Turn arrays, NumPy scalars and containers into what `json` can write.

    Args:
        value: any nesting of mappings, sequences, arrays, numbers, strings, None.

    Returns:
        The same as dicts, lists, ints, floats, bools, strings; non-finite numbers become None, and
        objects of other kinds their text.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, np.ndarray):
        return jsonable(value.tolist())
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    plain = _plain(value)
    if isinstance(plain, float) and not math.isfinite(plain):
        return None
    return plain if isinstance(plain, int | float | bool) else str(value)


def _format(value: object, decimals: int, digits: int) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if not _is_number(value):
        return str(value)
    if isinstance(value, Integral):
        return str(int(value))
    number = float(value)  # type: ignore[arg-type]
    if math.isnan(number):
        return MISSING
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    if number == 0:
        return "0"
    # Below this, rounding to the column's decimals would leave a single significant digit.
    too_small = max(SMALLEST_FIXED, 10.0 ** (1 - decimals)) if decimals else SMALLEST_FIXED
    if abs(number) >= LARGEST_FIXED or abs(number) < too_small:
        return f"{number:.{min(digits, 2) - 1}e}"
    return f"{number:.{decimals}f}"


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _pipes(cells: Sequence[str]) -> str:
    return (
        "| "
        + " | ".join(cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ") for cell in cells)
        + " |"
    )
