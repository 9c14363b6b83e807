"""How value iteration with smoothed best responses goes wrong with little noise, and what shows it.

With small noise a player soon hardly tries some actions; their estimates stay where they started, and values
come out wrong although the point that the players should reach is good. Exploration cures it. Neither paper
reports this.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from equipoise.equilibria.zero_sum import smoothed_fixed_point
from equipoise.experiments._payoff import FLOOR, LATER, Trail, follow_rounds, smoothed
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.games import random_markov_game
from equipoise.learning.tabular._smoothed_player import StepSizes
from equipoise.learning.tabular._uncoupled import world
from equipoise.learning.tabular.payoff_based import COLLAPSED
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Settings:
    """What is played.

    Attributes:
        noise: eps.
        ratio: c; the larger, the sooner play is greedy.
        explorations: zeta; without and with.
        discount: of the random games.
        games: how many.
        states, actions: their size.
        rounds: outer rounds.
        moves: moves of each.
        seeds: repetitions.
        seed: what everything is drawn from.
    """

    noise: float = 0.1
    ratio: float = 0.1
    explorations: tuple[float, float] = (0.0, 0.2)
    discount: float = 0.5
    games: int = 4
    states: int = 3
    actions: int = 2
    rounds: int = 5
    moves: int = 5_000
    seeds: int = 20
    seed: int = 0


def run(settings: Settings, progress: Progress) -> Result:
    """Play without and with exploration.

    Args:
        settings: noise, games, moves, seeds.
        progress: told how far it is.

    Returns:
        Errors of values beside the diagnostics, with the claims.
    """
    progress(0.0, "vi-sbr-collapse")
    rng = np.random.default_rng(settings.seed)
    shape = settings.states, settings.actions
    games = [
        random_markov_game(*shape, discount=settings.discount, zero_sum=True, floor=FLOOR, rng=rng)
        for _ in range(settings.games)
    ]
    keys = [(k, zeta) for k in range(settings.games) for zeta in settings.explorations]
    players = [smoothed(settings.noise, zeta, StepSizes(settings.ratio)) for _, zeta in keys]
    cases = [(world(games[k]), one, one) for (k, _), one in zip(keys, players, strict=True)]
    trail = follow_rounds(cases, settings.rounds, settings.moves, settings.seeds, settings.seed)
    errors, weights, visits, solved = [], [], [], True
    for case, (k, zeta) in enumerate(keys):
        fixed = smoothed_fixed_point(games[k], settings.noise, zeta)
        solved = solved and fixed.converged
        value = (trail.strategies[0][-1, case] * trail.estimates[0][-1, case]).sum(-1)
        errors.append(np.abs(value - fixed.values).max(-1))
        weights.append(_ends(trail.start_weight, case).max(1))
        visits.append(_ends(trail.visits, case).min(1))
    rows = [
        [
            k + 1,
            zeta,
            float(error.mean()),
            float(error.max()),
            int(np.median(seen)),
            float(np.median(weight)),
            f"{int((weight > COLLAPSED).sum())} of {settings.seeds}",
        ]
        for (k, zeta), error, weight, seen in zip(keys, errors, weights, visits, strict=True)
    ]
    bare, cured = (np.array(errors)[i::2] for i in (0, 1))
    flags = np.array(weights) > COLLAPSED
    shares = flags[0::2].mean(), flags[1::2].mean()
    progress(1.0, "vi-sbr-collapse")
    return Result(
        answer=(
            f"At noise {settings.noise:g} the values are off by {bare.mean():.3f} on average without "
            "exploration, "
            f"and by {cured.mean():.3f} with {settings.explorations[1]:g} of uniform play. The warning, an "
            "estimate "
            f"that still gives more than {COLLAPSED:.0%} weight to where it started, shows in "
            f"{shares[0]:.0%} of the runs without exploration and {shares[1]:.0%} of those "
            "with it."
        ),
        tables={
            "collapse": Table(
                [
                    "game",
                    "exploration",
                    "value error",
                    "worst",
                    "fewest visits",
                    "weight of start",
                    "flagged",
                ],
                rows,
                f"After {settings.rounds} rounds of {settings.moves} moves at discount "
                f"{settings.discount:g}; errors "
                "against the smoothed fixed point of the same noise and exploration; visits and weight are "
                "medians "
                "over seeds of the worst action.",
            )
        },
        pictures={
            "collapse": Picture(
                lambda: _figure(settings, trail, errors, weights),
                "Every run: weight that the least tried action's estimate gives to its start, and error of "
                "values.",
            )
        },
        claims=(
            Claim(
                "without exploration little noise makes values wrong; exploration cures it",
                "our derivation",
                f"mean errors {bare.mean():.3f} and {cured.mean():.3f}",
                bool(bare.mean() > 2.0 * cured.mean()),
            ),
            Claim(
                "the diagnostic shows it",
                "ours",
                f"{shares[0]:.0%} of the runs without exploration are flagged, {shares[1]:.0%} of those with "
                "it",
                bool(shares[0] > 0.5 and shares[1] < 0.05),
            ),
        ),
        certified=solved,
    )


def _ends(parts: tuple[np.ndarray | None, ...], case: int) -> np.ndarray:
    """All players, states and actions at the end, `[seeds, _]`."""
    ends = [part[-1, case].reshape(part.shape[2], -1) for part in parts if part is not None]
    return np.concatenate(ends, axis=1)


def _figure(settings: Settings, trail: Trail, errors: list[np.ndarray], weights: list[np.ndarray]) -> Figure:
    from equipoise.reporting.style import PALETTE, canvas, headline, styled

    @styled
    def draw() -> Figure:
        figure, (ax,) = canvas(6.0, 3.8)
        for i, zeta in enumerate(settings.explorations):
            x, y = np.concatenate(weights[i::2]), np.concatenate(errors[i::2])
            ax.scatter(np.maximum(x, 1e-6), y, s=12, color=PALETTE[i], label=f"exploration {zeta:g}")
        ax.axvline(COLLAPSED, color="0.5", ls=":")
        ax.set(xscale="log", yscale="log", xlabel="weight of the start in the least learnt estimate")
        ax.set_ylabel("largest error of a value")
        ax.legend()
        headline(figure, f"Exploration collapse at noise {settings.noise:g}")
        return figure

    return draw()


EXPERIMENT = Experiment(
    name="vi-sbr-collapse",
    question="What goes wrong with little noise and no exploration, and how does one see it?",
    source=LATER,
    laptop=Settings(),
    full=replace(Settings(), moves=50_000, seeds=100, games=20, rounds=8),
    run=run,
)
