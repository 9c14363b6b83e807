"""What Equipoise is about, on people: does risk-averse equilibrium describe and predict how they play?

Solves thirteen published games at the published parameters, then fits every concept with common
parameters and lets it predict games it has not seen. Takes about a minute; writes a page with the
pictures.

Examples:
  equipoise demo
  equipoise demo --out results
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from equipoise.cli._inputs import Json
from equipoise.cli._terminal import Terminal
from equipoise.cli.reproduce import shown
from equipoise.experiments import add_to, experiment, to_dict
from equipoise.reporting import Report

# What is run, the pictures that go on the page, and the tables that are printed.
PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "human-play": (("human-play",), ()),
    "out-of-sample": (("held-out", "differences"), ("fit",)),
    "tractable-region": (("tractable-region",), ()),
}


@dataclass(frozen=True)
class Command:
    """Options of `equipoise demo`."""

    out: Annotated[Path, tyro.conf.arg(metavar="DIR", help_behavior_hint="")] = Path("out/demo")
    """where the page goes (default out/demo)"""
    json: Json = False
    """print JSON for machines"""

    def run(self, terminal: Terminal) -> int:
        """Run the parts, show the main table, write the page."""
        start = time.perf_counter()
        page = Report(
            "How do people play, and which equilibrium says so?",
            "Made by `equipoise demo`. `equipoise reproduce` lists all experiments.",
        ).text(
            "A Nash equilibrium assumes players who never err and never doubt each other. In a "
            "**risk-averse quantal response equilibrium** (RQE) everybody fears being surprised by the "
            "others (risk aversion τ) and errs now and then (bounded rationality ε). Both are held against "
            "what people did in published experiments, beside the classical rivals. Every equilibrium behind "
            "these numbers carries a certificate: a bound on what anybody could gain by deviating."
        )
        payload: dict[str, object] = {}
        converged = True
        for name, (pictures, tables) in PARTS.items():
            wanted = experiment(name)
            with shown(terminal) as progress:
                result = wanted.run(wanted.laptop, progress)
            converged &= result.certified
            payload[name] = to_dict(wanted, wanted.laptop, result)
            page = add_to(page.text(f"# {wanted.question}"), result, pictures)
            terminal.say(wanted.question, style="bold")
            for table in tables:
                terminal.show(result.tables[table])
            terminal.say(result.answer + "\n")
        written = page.write(self.out / "index.html")
        terminal.say(
            f"{time.perf_counter() - start:.0f} s. The pictures are in {written}; open it in a browser."
        )
        terminal.emit(payload)
        return 0 if converged else 1
