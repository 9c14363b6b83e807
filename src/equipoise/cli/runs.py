"""List training runs: what learned in what, how far it is, and what came out last.

Examples:
  equipoise runs
  equipoise runs out --json
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from equipoise.cli._inputs import Json
from equipoise.cli._terminal import Terminal
from equipoise.learning import CheckpointError, summary
from equipoise.reporting.tables import Table

METRICS_SHOWN = 3


@dataclass(frozen=True)
class Command:
    """Options of `equipoise runs`."""

    dir: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="[DIR]", help_behavior_hint="")] = Path(
        "runs"
    )
    """folder whose runs are listed, at any depth (default runs)"""
    json: Json = False
    """print JSON for machines"""

    def run(self, terminal: Terminal) -> int:
        """Find and list."""
        if not self.dir.is_dir():
            raise FileNotFoundError(f"there is no folder {str(self.dir)!r}; `equipoise train` makes runs")
        found: list[dict[str, Any]] = []
        for manifest in sorted(self.dir.rglob("run.json")):
            try:
                found.append({"run": str(manifest.parent), **summary(manifest.parent)})
            except CheckpointError as error:
                terminal.warn(str(error))
        rows = [
            [one["run"], one["learner"], one["seeds"], one["updates"], one["step"], _last(one["metrics"])]
            for one in found
        ]
        if rows:
            terminal.show(
                Table(["run", "learner", "seeds", "updates", "steps", "last metrics (median)"], rows)
            )
        else:
            terminal.say(f"There are no runs in {self.dir}.")
        terminal.emit({"runs": found})
        return 0


def _last(metrics: dict[str, float]) -> str:
    shown = [f"{name} {value:.4g}" for name, value in list(metrics.items())[:METRICS_SHOWN]]
    return ", ".join(shown) + (", ..." if len(metrics) > METRICS_SHOWN else "")
