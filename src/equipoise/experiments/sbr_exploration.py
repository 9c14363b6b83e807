"""How fast exploitability itself can fall, with exploration and less and less noise.

At a fixed noise the exploitability of smoothed best responses levels off. The follow-up paper proves that
with exploration and noise in proportion to the gap g, O(g^-8) samples are enough: K^(-1/8). No uncoupled
learner that sees only payoffs can beat K^(-1/4) in its last iterate. Here is what happens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from equipoise.equilibria.zero_sum import exploring_distribution, matrix_gap
from equipoise.experiments._payoff import (
    LATER,
    biased_rock_paper_scissors,
    follow,
    marks_up_to,
    matrix_pair,
    slope,
    smoothed,
    zero_sum,
)
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.learning.tabular._uncoupled import world
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Settings:
    """What is played: biased rock-paper-scissors.

    Attributes:
        levels: noise eps; the share of exploration zeta is in proportion.
        share: zeta/eps.
        moves: moves of a run.
        first_epoch: moves until the annealed run, which starts at the second level, first halves both.
        growth: every next epoch is so many times as long.
        seeds: repetitions.
        seed: what they are derived from.
    """

    levels: tuple[float, ...] = (0.8, 0.4, 0.2, 0.1, 0.05)
    share: float = 0.25
    moves: int = 30_000
    first_epoch: int = 500
    growth: float = 16.0
    seeds: int = 40
    seed: int = 0


def run(settings: Settings, progress: Progress) -> Result:
    """Play at all levels, and with levels that are halved again and again.

    Args:
        settings: levels, moves, seeds.
        progress: told how far it is.

    Returns:
        Exploitability against moves, and its exponents, with the claims.
    """
    progress(0.0, "sbr-exploration")
    payoffs = biased_rock_paper_scissors()
    place = world(zero_sum(payoffs))
    players = [smoothed(eps, settings.share * eps) for eps in settings.levels]
    first = settings.levels[1]
    players.append(
        smoothed(first, settings.share * first, epoch=settings.first_epoch, growth=settings.growth)
    )
    marks = marks_up_to(settings.moves)
    trail = follow([(place, one, one) for one in players], marks, settings.seeds, settings.seed)
    gaps = []
    for case in range(len(players)):
        last = matrix_pair(trail.strategies, case)
        gaps.append(matrix_gap(np.broadcast_to(payoffs, (*last[0].shape[:2], *payoffs.shape)), last).mean(1))
    rests = [exploring_distribution(payoffs, eps, settings.share * eps) for eps in settings.levels]
    biases = [float(matrix_gap(payoffs, rest.strategies)) for rest in rests]
    bounds = [2.0 * eps * np.log(3.0) + 4.0 * settings.share * eps for eps in settings.levels]
    best = np.min(gaps[:-1], axis=0)
    of_best, of_annealed = slope(marks, best, 1_000), slope(marks, gaps[-1], 1_000)
    rows: list[list[object]] = [
        [f"{eps:g}", settings.share * eps, bias, bound, gap[-1]]
        for eps, bias, bound, gap in zip(settings.levels, biases, bounds, gaps, strict=False)
    ]
    rows += [["best at every number of moves", None, None, None, best[-1]]]
    rows += [["halved again and again", None, None, None, gaps[-1][-1]]]
    progress(1.0, "sbr-exploration")
    return Result(
        answer=(
            f"Exploitability falls as K^{of_best:.2f} where the best level is taken for every number of "
            "moves K, "
            f"and as K^{of_annealed:.2f} where both are halved again and again (proved: -1/8; nobody can do "
            "better than -1/4 on all games)."
        ),
        tables={
            "levels": Table(
                [
                    "noise",
                    "exploration",
                    "gap at rest, exact",
                    "its bound",
                    f"gap after {settings.moves} moves",
                ],
                rows,
                f"Biased rock-paper-scissors, means over {settings.seeds} seeds; every epoch is "
                f"{settings.growth:g} times as long as the one before.",
            )
        },
        pictures={
            "gap": Picture(
                lambda: _figure(settings, marks, gaps),
                "Exploitability of the last iterate against moves; dotted: the proved rate and the best "
                "possible.",
            )
        },
        claims=(
            Claim(
                "with noise and exploration chosen for the number of moves, exploitability falls at least as "
                "K^(-1/8)",
                LATER,
                f"exponent {of_best:.2f}",
                of_best <= -0.125,
            ),
            Claim(
                "halving both again and again, without choosing, does as well",
                "our question",
                f"exponent {of_annealed:.2f}; every halving throws play back for a while",
                of_annealed <= -0.125,
            ),
            Claim(
                "where it comes to rest it is at most eps (log A_1 + log A_2) + 4 zeta",
                "our derivation",
                f"at most {max(b / c for b, c in zip(biases, bounds, strict=True)):.2f} of it",
                all(b <= c for b, c in zip(biases, bounds, strict=True)),
            ),
        ),
        certified=all(bool(rest.converged) for rest in rests),
    )


def _figure(settings: Settings, marks: list[int], gaps: list[Float[np.ndarray, " marks"]]) -> Figure:
    from equipoise.reporting.style import PALETTE, canvas, headline, styled

    @styled
    def draw() -> Figure:
        figure, (ax,) = canvas(6.6, 4.6)
        for k, gap in enumerate(gaps):
            level = settings.levels[k] if k < len(settings.levels) else None
            name = (
                "both halved" if level is None else f"noise {level:g}, exploration {settings.share * level:g}"
            )
            ax.loglog(marks, gap, color=PALETTE[k % len(PALETTE)], label=name)
        for name, power in (("K^(-1/8)", -0.125), ("K^(-1/4)", -0.25)):
            x = np.array([marks[0], marks[-1]], float)
            ax.loglog(x, 0.15 * (x / x[0]) ** power, color="0.5", ls=":")
            ax.annotate(name, (x[1], 0.15 * (x[1] / x[0]) ** power), fontsize=8, ha="right", va="bottom")
        ax.set(xlabel="moves", ylabel="exploitability")
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)
        headline(figure, "Less noise is better in the end, and later")
        return figure

    return draw()


EXPERIMENT = Experiment(
    name="sbr-exploration",
    question="How fast does exploitability fall with exploration and ever less noise?",
    source=LATER,
    laptop=Settings(),
    full=replace(Settings(), moves=3_000_000, seeds=200, levels=(0.8, 0.4, 0.2, 0.1, 0.05, 0.025, 0.0125)),
    run=run,
)
