"""Whether observed play can tell the parameters apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from equipoise.equilibria._objective import STEP, Objective

# Differences are known to about 1e-8; singular values below this share of the largest count as zero.
_RANK_TOLERANCE = 1e-6
_WEAK = 1e3


@dataclass(frozen=True)
class Identification:
    """What the derivatives of predicted play in the parameters say about the estimates.

    Derivatives are taken in the logarithms of the parameters, at the estimates. Parameters at an end of the
    searched range are left out: the range, not the data, determines them.

    Attributes:
        parameters: how many parameters are estimated away from the ends of their ranges.
        numbers: freely varying observed numbers: all probabilities but one per player and game.
        rank: numerical rank of the derivatives.
        condition: largest singular value over the smallest; infinite without full rank.
    """

    parameters: int
    numbers: int
    rank: int
    condition: float

    @property
    def identified(self) -> bool:
        """Whether a small change of any parameters together changes some prediction."""
        return self.rank == self.parameters

    @property
    def warning(self) -> str:
        """What is wrong, in words; empty where nothing is."""
        remedy = "Share parameters (sharing='common'), hold some (fixed=...), or add games."
        if not self.identified:
            return (
                f"not identified: {self.parameters} parameters for {self.numbers} observed numbers, of which "
                f"only {self.rank} combinations matter; many other values fit as well. {remedy}"
            )
        if self.condition > _WEAK:
            return (
                f"weakly identified: the condition number of the predictions' derivatives is "
                f"{self.condition:.2g}; some combination of parameters hardly matters. {remedy}"
            )
        return ""


def identification(
    objective: Objective,
    values: Float[np.ndarray, "problems parameters"],
    used: Bool[np.ndarray, "problems games"],
    inside: Bool[np.ndarray, "problems parameters"],
) -> Identification:
    """Rank and condition of the derivatives; problems are estimated apart from each other.

    Args:
        objective: the predictions.
        values: the estimates.
        used: the games of every problem.
        inside: estimates away from the ends of their ranges.
    """
    count = values.shape[1]
    near = objective.nearby(np.log(values), used)
    slopes = (near[:, count : 2 * count] - near[:, :count]) / (2.0 * STEP)
    rank, condition = 0, 1.0
    for slope, games, free in zip(slopes, used, inside, strict=True):
        if not free.any():
            continue
        singular = np.linalg.svd(slope[free][:, games[objective.game_of]], compute_uv=False)
        own = int(np.sum(singular > _RANK_TOLERANCE * max(singular[0], np.finfo(float).tiny)))
        rank += own
        condition = max(condition, float(singular[0] / singular[-1]) if own == free.sum() else np.inf)
    return Identification(int(inside.sum()), objective.numbers, rank, condition)
