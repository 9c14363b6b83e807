"""How many more samples smoothed best responses need where the states of the game change slowly.

Two states that are kept with probability a: after k moves the start is forgotten up to |2a - 1|^k. The bounds
of Chen et al. grow with this mixing time. Here is how the first round of value iteration really fares, whose
target in each state is known exactly, and what steps by visits change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from equipoise.equilibria.zero_sum import nash_distribution
from equipoise.experiments._payoff import SOURCE, follow, marks_up_to, smoothed
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.games import MarkovGame
from equipoise.games.markov_instances import mixing
from equipoise.learning.tabular._smoothed_player import StepSizes
from equipoise.learning.tabular._uncoupled import world
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCATTER = 0.7  # arrivals of equal runs differ by chance, at laptop size by less than this
KINDS = {False: "steps by moves, as published", True: "steps by visits (not the paper's)"}


@dataclass(frozen=True)
class Settings:
    """What is played.

    Attributes:
        stays: a, the probability of staying in a state.
        noise: eps.
        tolerance: squared distance to the Nash distributions of both states at which a run has arrived.
        moves: moves of a run.
        seeds: repetitions.
        seed: what they are derived from.
    """

    stays: tuple[float, ...] = (0.5, 0.9, 0.99, 0.999)
    noise: float = 0.5
    tolerance: float = 0.01
    moves: int = 30_000
    seeds: int = 50
    seed: int = 0


def mixing_time(stay: float | int) -> float:
    """Moves until the start is forgotten up to a quarter: |2a - 1|^k/2 <= 1/4; at least 1."""
    kept = abs(2.0 * stay - 1.0)
    return max(1.0, float(np.log(0.5) / np.log(kept))) if kept > 0 else 1.0


def run(settings: Settings, progress: Progress) -> Result:
    """Play with all probabilities of staying.

    Args:
        settings: probabilities, noise, moves, seeds.
        progress: told how far it is.

    Returns:
        Moves to the tolerance beside mixing times, with the claims.
    """
    progress(0.0, "vi-sbr-mixing")
    keys = [(stay, visits) for visits in KINDS for stay in settings.stays]
    players = [smoothed(settings.noise, steps=StepSizes(per_visit=visits)) for _, visits in keys]
    # Play starts in a state drawn evenly, so that errors at equal moves can be compared.
    games = [mixing(stay) for stay, _ in keys]
    even = [MarkovGame(g.transitions_at(0), list(g.rewards), g.discount) for g in games]
    marks = marks_up_to(settings.moves, per_decade=16)
    cases = [(world(game), one, one) for game, one in zip(even, players, strict=True)]
    trail = follow(cases, marks, settings.seeds, settings.seed)
    exact = nash_distribution(np.asarray(even[0].rewards[0]), settings.noise)
    errors, arrivals = {}, {}
    for case, key in enumerate(keys):
        away = sum(
            ((p[:, case] - e) ** 2).sum(-1) for p, e in zip(trail.strategies, exact.strategies, strict=True)
        )
        errors[key] = np.asarray(away).max(-1).mean(1)
        arrivals[key] = arrival(marks, errors[key], settings.tolerance)
    times = [mixing_time(stay) for stay in settings.stays]
    rows = [
        [
            stay,
            time,
            *(x for visits in KINDS for x in (_moves(arrivals[stay, visits]), errors[stay, visits][-1])),
        ]
        for stay, time in zip(settings.stays, times, strict=True)
    ]
    plain = [arrivals[stay, False] for stay in settings.stays]
    visit = [arrivals[stay, True] for stay in settings.stays]
    ends = [errors[stay, False][-1] for stay in settings.stays]
    progress(1.0, "vi-sbr-mixing")
    return Result(
        answer=(
            f"With a mixing time of {times[0]:.0f} the players arrive (error {settings.tolerance:g}) after "
            f"{_moves(plain[0])} moves, with {times[-1]:.0f} after {_moves(plain[-1])}; with steps by visits "
            "after "
            f"{_moves(visit[0])} and {_moves(visit[-1])}. After {settings.moves} moves the error is "
            f"{ends[0]:.1e} with the shortest and {ends[-1]:.1e} with the longest mixing time."
        ),
        tables={
            "mixing": Table(
                [
                    "stay",
                    "mixing time",
                    "moves to tolerance",
                    "error at the end",
                    "moves, steps by visits",
                    "error, steps by visits",
                ],
                rows,
                f"Noise {settings.noise:g}, first round of value iteration, the worse of both states; means "
                "over "
                f"{settings.seeds} seeds.",
            )
        },
        pictures={
            "error": Picture(
                lambda: _figure(settings, marks, errors),
                "Squared distance to the Nash distributions against moves, the worse of both states, steps "
                "by moves.",
            )
        },
        claims=(
            Claim(
                "samples to a tolerance grow with the mixing time",
                SOURCE,
                ", ".join(_moves(k) for k in plain) + " moves",
                all(SCATTER * x <= y for x, y in pairwise(plain)) and plain[0] < SCATTER * plain[-1],
            ),
        ),
        certified=bool(exact.converged.all()),
    )


def arrival(marks: list[int], error: Float[np.ndarray, " marks"], tolerance: float) -> float:
    """Moves from which on the error stays within the tolerance; infinite if it does not."""
    late = np.flatnonzero(error > tolerance)
    first = 0 if not late.size else int(late[-1]) + 1
    return float(marks[first]) if first < len(marks) else float("inf")


def _moves(count: float) -> str:
    return f"{count:.0f}" if np.isfinite(count) else "more than all"


def _figure(
    settings: Settings, marks: list[int], errors: dict[tuple[float, bool], Float[np.ndarray, " marks"]]
) -> Figure:
    from equipoise.reporting.figures import convergence

    curves = {f"stay {stay:g}": (np.array(marks), errors[stay, False]) for stay in settings.stays}
    return convergence(curves, xlabel="moves", ylabel="squared distance", slopes={"1/k": -1.0})


EXPERIMENT = Experiment(
    name="vi-sbr-mixing",
    question="How many more samples do players need where states change slowly?",
    source=SOURCE,
    laptop=Settings(),
    full=replace(Settings(), moves=1_000_000, seeds=200, stays=(0.5, 0.9, 0.99, 0.999, 0.9999)),
    run=run,
)
