"""Where the output of commands goes: tables for people, JSON for machines, the rest to standard error."""

from __future__ import annotations

import difflib
import json
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from equipoise.reporting.tables import Table, jsonable

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 1.0
"""Seconds of silence before a running command says what it is doing."""

PIPE_WIDTH = 160


@dataclass(frozen=True)
class Terminal:
    """Where a command writes.

    Results go to standard output, everything else (progress, errors) to standard error.

    Attributes:
        out: console on standard output.
        err: console on standard error.
        json: results are wanted as JSON; `say` and `show` are then silent.
    """

    out: Console
    err: Console
    json: bool

    @classmethod
    def of_process(cls, *, json: bool) -> Terminal:
        """The terminal this process runs in."""
        # Rich takes 80 columns where there is no terminal and would cut wide tables in files.
        width = None if sys.stdout.isatty() else PIPE_WIDTH
        return cls(Console(highlight=False, width=width), Console(stderr=True, highlight=False), json)

    def say(self, text: str, style: str = "") -> None:
        """Print a line for people."""
        if not self.json:
            self.out.print(Text(text, style=style), soft_wrap=True)

    def show(self, table: Table) -> None:
        """Print a table for people."""
        if not self.json:
            self.out.print(table.to_rich())

    def emit(self, payload: Mapping[str, object], path: Path | None = None) -> None:
        """Give the result to machines: to standard output if asked for, and to a file if named.

        Args:
            payload: the result; arrays become lists, numbers that are not finite become null.
            path: a file to write the same JSON to; missing folders are made.
        """
        text = json.dumps(jsonable(payload), indent=2, ensure_ascii=False, allow_nan=False)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n", encoding="utf-8")
            self.say(f"Written to {path}.")
        if self.json:
            sys.stdout.write(text + "\n")

    def error(self, message: str) -> None:
        """Print a short error in red."""
        self.err.print(Text.assemble(("error: ", "bold red"), (message, "red")), soft_wrap=True)

    def warn(self, message: str) -> None:
        """Print a remark that must not be missed, also when the output is for machines."""
        self.err.print(Text(message, style="yellow"), soft_wrap=True)

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show a spinner with `what` while the block runs, if it takes more than a second."""
        if not self.err.is_terminal:
            yield
            return
        status = self.err.status(Text(what))
        timer = threading.Timer(PATIENCE, status.start)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            status.stop()

    def progress(self) -> Progress:
        """A progress bar on standard error, gone when done and absent where there is no terminal."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self.err,
            transient=True,
            disable=not self.err.is_terminal,
        )

    def show_commands(self, commands: Mapping[str, str]) -> None:
        """Print what `equipoise --help` says."""
        self.out.print(Text("equipoise COMMAND [options]\n", style="bold"))
        self.out.print("Strategies that stay good when the others are not what was assumed.\n")
        width = max(map(len, commands))
        for name, summary in commands.items():
            self.out.print(Text.assemble("  ", (name.ljust(width + 2), "bold cyan"), summary))
        lines = (
            "",
            "`equipoise COMMAND --help` explains a command, with examples; `--version` prints the version.",
            "Every command takes --json. Exit codes: 0 done, 1 not converged or claim failed, 2 bad input.",
            "EQUIPOISE_DEBUG=1 shows where an error comes from.",
        )
        self.out.print(Text("\n".join(lines)), soft_wrap=True)


def closest(word: str, choices: Iterable[str]) -> str:
    """Name the choices that look like a word, for an error message.

    Args:
        word: what was typed.
        choices: what would have been right.

    Returns:
        " (did you mean 'a' or 'b'?)" or nothing.
    """
    folded = {choice.casefold(): choice for choice in choices}
    near = difflib.get_close_matches(word.casefold(), folded, n=3, cutoff=0.6)
    return f" (did you mean {' or '.join(repr(folded[match]) for match in near)}?)" if near else ""
