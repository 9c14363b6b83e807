"""Whether smoothed best responses learn to answer an opponent who never changes, beside Q-learning.

Chen et al. prove the same rate as in self-play, to a best response up to what the noise costs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from equipoise.equilibria.zero_sum import softmax
from equipoise.experiments._payoff import (
    SOURCE,
    biased_rock_paper_scissors,
    follow,
    marks_up_to,
    slope,
    smoothed,
    zero_sum,
)
from equipoise.experiments._payoff_peers import FixedPlayer, GreedyPlayer
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.learning.tabular._uncoupled import world
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Settings:
    """What is played: biased rock-paper-scissors against opponents who never change.

    Attributes:
        noises: eps.
        opponents: how many, drawn uniformly from the simplex.
        exploration: of Q-learning.
        moves: moves of a run.
        fit_from: moves from which on exponents are fitted.
        seeds: repetitions.
        seed: what everything is drawn from.
    """

    noises: tuple[float, ...] = (0.5, 0.2)
    opponents: int = 4
    exploration: float = 0.1
    moves: int = 20_000
    fit_from: int = 1_000
    seeds: int = 40
    seed: int = 0


def run(settings: Settings, progress: Progress) -> Result:
    """Play against every opponent.

    Args:
        settings: noises, opponents, moves, seeds.
        progress: told how far it is.

    Returns:
        Losses against a best response, with the claims.
    """
    progress(0.0, "sbr-rationality")
    payoffs = biased_rock_paper_scissors()
    place = world(zero_sum(payoffs))
    laws = np.random.default_rng(settings.seed).dirichlet(np.ones(3), size=settings.opponents)
    marks = marks_up_to(settings.moves)
    keys = [(noise, k) for noise in settings.noises for k in range(settings.opponents)]
    ours = follow(
        [(place, smoothed(noise), FixedPlayer(laws[k][None])) for noise, k in keys],
        marks,
        settings.seeds,
        settings.seed,
    )
    theirs = follow(
        [(place, GreedyPlayer(settings.exploration), FixedPlayer(law[None])) for law in laws],
        marks,
        settings.seeds,
        settings.seed,
    )
    rows, curves, shares = [], {}, []
    for k, law in enumerate(laws):
        gains = payoffs @ law
        learnt = ours.strategies[0][:, :, :, 0][:, [keys.index((noise, k)) for noise in settings.noises]]
        for i, noise in enumerate(settings.noises):
            rest = softmax(gains / noise)
            error = ((learnt[:, i] - rest) ** 2).sum(-1).mean(1)
            loss = (gains.max() - learnt[:, i] @ gains).mean(1)
            cost = float(gains.max() - rest @ gains)
            shares.append(cost / (noise * np.log(3.0)))
            curves[noise, k] = error
            fitted = slope(marks, error, settings.fit_from)
            rows.append([k + 1, f"smoothed best response, noise {noise:g}", fitted, loss[-1], cost])
        loss = (gains.max() - theirs.strategies[0][:, k, :, 0] @ gains).mean(1)
        cost = settings.exploration * float(gains.max() - gains.mean())
        rows.append([k + 1, "Q-learning", None, loss[-1], cost])
    exponents = [float(row[2]) for row in rows if row[2] is not None]
    mean = {
        noise: np.mean([curves[noise, k] for k in range(settings.opponents)], axis=0)
        for noise in settings.noises
    }
    excess = max(abs(float(row[3]) - float(row[4])) for row in rows if row[2] is not None)
    progress(1.0, "sbr-rationality")
    return Result(
        answer=(
            "Against opponents who never change, the squared distance to the smoothed best response falls "
            "with "
            f"exponents {min(exponents):.2f} to {max(exponents):.2f} (theory: -1). What is lost against a "
            "best "
            f"response in the end is what the noise costs, within {excess:.4f}; Q-learning loses what its "
            "exploration costs."
        ),
        tables={
            "loss": Table(
                ["opponent", "learner", "exponent", "loss at the end", "cost of noise or exploration"],
                rows,
                f"After {settings.moves} moves, means over {settings.seeds} seeds.",
            )
        },
        pictures={
            "error": Picture(
                lambda: _figure(marks, mean),
                "Squared distance to the smoothed best response, mean over opponents and seeds.",
            )
        },
        claims=(
            Claim(
                "against a fixed opponent the rate is 1/k as in self-play",
                SOURCE,
                f"exponents {min(exponents):.2f} to {max(exponents):.2f}",
                bool(max(abs(e + 1.0) for e in exponents) < 0.3),
            ),
            Claim(
                "to a best response up to eps log A",
                SOURCE,
                f"noise costs at most {max(shares):.2f} of that",
                bool(max(shares) <= 1.0),
            ),
        ),
        certified=True,
    )


def _figure(marks: list[int], mean: dict[float, Float[np.ndarray, " marks"]]) -> Figure:
    from equipoise.reporting.figures import convergence

    curves = {f"noise {noise:g}": (np.array(marks), error) for noise, error in mean.items()}
    return convergence(curves, xlabel="moves", ylabel="squared distance", slopes={"1/k": -1.0})


EXPERIMENT = Experiment(
    name="sbr-rationality",
    question="Do smoothed best responses learn to answer an opponent who never changes?",
    source=SOURCE,
    laptop=Settings(),
    full=replace(Settings(), moves=300_000, fit_from=3_000, seeds=200, opponents=20),
    run=run,
)
