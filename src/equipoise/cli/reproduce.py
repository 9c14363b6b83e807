"""Rerun a published result and compare it with what was printed. Without a NAME, list them.

Exit code 1 says that a printed claim does not hold, or that a solver did not converge.

Examples:
  equipoise reproduce
  equipoise reproduce human-play
  equipoise reproduce out-of-sample --full --out results
  equipoise reproduce tractable-region --json
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from equipoise.cli._inputs import Json
from equipoise.cli._terminal import Terminal, closest
from equipoise.experiments import NAMES, experiment, to_dict, write
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from equipoise.experiments import Result
    from equipoise.experiments._record import Progress


@dataclass(frozen=True)
class Command:
    """Options of `equipoise reproduce`."""

    name: Annotated[
        tyro.conf.Positional[str | None], tyro.conf.arg(metavar="[NAME]", help_behavior_hint="")
    ] = None
    """the experiment; all are listed without it"""
    full: Annotated[bool, tyro.conf.arg(help_behavior_hint="")] = False
    """the full size instead of the one for a minute on a laptop"""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="")] = None
    """where pictures, tables and the page go (default out/NAME; with --json nowhere)"""
    json: Json = False
    """print JSON for machines"""

    def run(self, terminal: Terminal) -> int:
        """Run one, or list all."""
        if self.name is None:
            if self.full or self.out:
                raise ValueError(f"--full and --out need the NAME of an experiment: {', '.join(NAMES)}")
            return _list(terminal)
        if self.name not in NAMES:
            raise ValueError(
                f"there is no experiment {self.name!r}{closest(self.name, NAMES)}; "
                "`equipoise reproduce` lists all"
            )
        wanted = experiment(self.name)
        settings = wanted.full if self.full else wanted.laptop
        start = time.perf_counter()
        with shown(terminal) as progress:
            result = wanted.run(settings, progress)
        seconds = time.perf_counter() - start
        terminal.say(wanted.question, style="bold")
        terminal.say(f"{wanted.source}\n")
        for table in result.tables.values():
            terminal.show(table)
        terminal.say(result.answer + "\n")
        terminal.show(result.claims_table())
        if not result.certified:
            terminal.warn("Not every equilibrium behind these numbers converged; see the tables.")
        folder = self.out or (None if self.json else Path("out") / self.name)
        if folder is not None:
            command = f"equipoise reproduce {self.name}" + (" --full" if self.full else "")
            page = write(folder, wanted, settings, result, command)[-1]
            terminal.say(f"{seconds:.0f} s. Pictures, tables and the page are in {folder}; open {page}.")
        terminal.emit(to_dict(wanted, settings, result))
        return verdict(result)


def verdict(result: Result) -> int:
    """Exit code: 0 when everything converged and all claims hold, else 1."""
    return 0 if result.certified and all(claim.holds for claim in result.claims) else 1


@contextmanager
def shown(terminal: Terminal) -> Iterator[Progress]:
    """Show a progress bar while the block runs."""
    with terminal.progress() as bars:
        task = bars.add_task("", total=100)
        yield lambda share, what: bars.update(task, completed=round(100 * share), description=what)


def _list(terminal: Terminal) -> int:
    every = [experiment(name) for name in NAMES]
    terminal.show(
        Table(["name", "question", "published in"], [[e.name, e.question, e.source] for e in every])
    )
    terminal.say("`equipoise reproduce NAME` runs one; --full takes its full size.")
    terminal.emit(
        {"experiments": [{"name": e.name, "question": e.question, "source": e.source} for e in every]}
    )
    return 0
