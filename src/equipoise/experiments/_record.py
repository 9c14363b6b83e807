"""What an experiment is and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Progress = Callable[[float, str], None]
"""Called while an experiment runs with the share done, from 0 to 1, and what is being done."""


def silent(share: float, what: str) -> None:
    """Progress for nobody."""


@dataclass(frozen=True)
class Claim:
    """A claim in print (or of our own) beside what was measured.

    Attributes:
        claim: what was claimed.
        source: by whom.
        measured: what came out here, with numbers.
        holds: whether that agrees with the claim.
    """

    claim: str
    source: str
    measured: str
    holds: bool


@dataclass(frozen=True)
class Picture:
    """A figure that is drawn when it is needed.

    Attributes:
        draw: draws it.
        caption: what it shows.
    """

    draw: Callable[[], Figure]
    caption: str


@dataclass(frozen=True, eq=False)
class Result:
    """What came out of an experiment.

    Attributes:
        answer: the outcome in one paragraph, made from the numbers.
        tables: tables by name; the first is the main one.
        pictures: figures by name.
        claims: the claims and whether they hold.
        certified: every equilibrium behind the numbers converged and carries a certificate that agrees.
    """

    answer: str
    tables: Mapping[str, Table]
    pictures: Mapping[str, Picture]
    claims: tuple[Claim, ...]
    certified: bool

    def claims_table(self) -> Table:
        """The claims beside what was measured."""
        rows = [[c.claim, c.source, c.measured, "holds" if c.holds else "does not hold"] for c in self.claims]
        return Table(["claim", "source", "measured here", "verdict"], rows)


@dataclass(frozen=True)
class Experiment:
    """A published result, rerun.

    Attributes:
        name: what it is called on the command line.
        question: what it answers, in one line.
        source: where the result was published.
        laptop: settings for a minute on one core.
        full: settings for the whole thing.
        run: does it: settings (of the type of `laptop`) and a progress callback -> result.
    """

    name: str
    question: str
    source: str
    laptop: Any
    full: Any
    run: Callable[[Any, Progress], Result]
