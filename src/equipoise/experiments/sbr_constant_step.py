"""How near smoothed best responses come with constant steps, and how the distance depends on the steps.

Chen et al. prove geometric decay to a floor of order alpha/c; here is how the floor really depends on both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from equipoise.equilibria.zero_sum import lyapunov, nash_distribution
from equipoise.experiments._payoff import (
    SOURCE,
    biased_rock_paper_scissors,
    follow,
    matrix_pair,
    smoothed,
    squared_distance,
    zero_sum,
)
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.learning.tabular._smoothed_player import StepSizes
from equipoise.learning.tabular._uncoupled import world
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Settings:
    """What is played: biased rock-paper-scissors.

    Attributes:
        noise: eps.
        steps: alpha.
        ratios: c.
        moves: moves of a run; floors are means over the second half.
        looks: how often the second half is looked at.
        seeds: repetitions.
        seed: what they are derived from.
    """

    noise: float = 0.5
    steps: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4)
    ratios: tuple[float, ...] = (0.05, 0.1, 0.2)
    moves: int = 10_000
    looks: int = 40
    seeds: int = 50
    seed: int = 0


def run(settings: Settings, progress: Progress) -> Result:
    """Play with every pair of steps.

    Args:
        settings: noise, steps, moves, seeds.
        progress: told how far it is.

    Returns:
        Floors and their exponents, with the claims.
    """
    progress(0.0, "sbr-constant-step")
    payoffs = biased_rock_paper_scissors()
    exact = nash_distribution(payoffs, settings.noise)
    place = world(zero_sum(payoffs))
    pairs = [(alpha, c) for c in settings.ratios for alpha in settings.steps]
    players = [smoothed(settings.noise, steps=StepSizes(c, alpha, decay=0.0)) for alpha, c in pairs]
    early = np.unique(np.geomspace(10, settings.moves // 2, 30).astype(int))
    late = np.linspace(settings.moves // 2, settings.moves, settings.looks + 1).astype(int)[1:]
    marks = [*early.tolist(), *late.tolist()]
    trail = follow([(place, one, one) for one in players], marks, settings.seeds, settings.seed)
    errors, floors, means = [], [], []
    for case in range(len(pairs)):
        last = matrix_pair(trail.strategies, case)
        stack = np.broadcast_to(payoffs, (*last[0].shape[:2], *payoffs.shape))
        errors.append(lyapunov((stack, -stack), last, settings.noise).mean(1))
        floors.append(float(errors[-1][len(early) :].mean()))
        mean = trail._replace(strategies=trail.averages)
        means.append(
            (
                float(squared_distance(trail, case, exact.strategies)[len(early) :].mean()),
                float(squared_distance(mean, case, exact.strategies)[-1].mean()),
            )
        )
    # log floor = constant + p log alpha + q log c
    design = np.array([[1.0, np.log(alpha), np.log(c)] for alpha, c in pairs])
    _, in_step, in_ratio = np.linalg.lstsq(design, np.log(floors), rcond=None)[0]
    rows = [
        [alpha, c, floor, alpha / c, *mean]
        for (alpha, c), floor, mean in zip(pairs, floors, means, strict=True)
    ]
    shrinks = bool((np.diff(np.reshape(floors, (len(settings.ratios), -1)), axis=1) > 0).all())
    progress(1.0, "sbr-constant-step")
    return Result(
        answer=(
            f"The floor of V_R is proportional to alpha^{in_step:.2f} c^{in_ratio:.2f}: it shrinks with "
            "alpha as "
            "the bound says, but it grows with c where the bound, alpha/c, falls. The mean of the strategies "
            "is "
            f"{min(last / mean for last, mean in means):.0f} to "
            f"{max(last / mean for last, mean in means):.0f} "
            "times nearer to the Nash distribution than the last one (in squared distance)."
        ),
        tables={
            "floors": Table(
                ["alpha", "c", "floor of V_R", "alpha/c", "squared distance, last", "squared distance, mean"],
                rows,
                f"Noise {settings.noise:g}, means over {settings.seeds} seeds and the second half of "
                f"{settings.moves} moves; the mean strategy is that of all moves.",
            )
        },
        pictures={
            "decay": Picture(
                lambda: _figure(marks, pairs, errors, settings.ratios[len(settings.ratios) // 2]),
                "V_R against moves with constant steps: decay to a floor.",
            )
        },
        claims=(
            Claim(
                "V_R decays to a floor that shrinks with alpha",
                SOURCE,
                f"exponent {in_step:.2f} in alpha",
                shrinks and bool(in_step > 0.5),
            ),
            Claim(
                "the floor falls as c grows, as the bound alpha/c does",
                f"{SOURCE} (reading its bound as a rate)",
                f"exponent {in_ratio:.2f} in c",
                bool(in_ratio < -0.5),
            ),
        ),
        certified=bool(exact.converged),
    )


def _figure(
    marks: list[int],
    pairs: list[tuple[float, float]],
    errors: list[Float[np.ndarray, " marks"]],
    ratio: float,
) -> Figure:
    from equipoise.reporting.figures import convergence

    curves = {
        f"alpha = {alpha:g}": (np.array(marks), error)
        for (alpha, c), error in zip(pairs, errors, strict=True)
        if c == ratio
    }
    return convergence(curves, xlabel="moves", ylabel="V_R", title=f"Constant steps, c = {ratio:g}")


EXPERIMENT = Experiment(
    name="sbr-constant-step",
    question="How near do smoothed best responses come with constant steps?",
    source=SOURCE,
    laptop=Settings(),
    full=replace(Settings(), moves=100_000, seeds=400, steps=(0.0125, 0.025, 0.05, 0.1, 0.2, 0.4)),
    run=run,
)
