"""Where the published parameters lie: inside the region in which RQE is proved unique and learnable.

Figure 1 of Mazumdar, Panaganti and Shi (2025), with the weaker conditions that came later: monotonicity of
the game of players and adversaries (Zhang and Mazumdar 2026), and the same on differences of strategies only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from equipoise.equilibria.uniqueness import COLLAPSE, MONOTONE, MONOTONE_TANGENT, uniqueness
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.experiments.human_play import PAIRS, PAPER, concept_of, fitted_records, game_label
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIMITS = ((3e-3, 5.0), (0.3, 300.0))


@dataclass(frozen=True)
class Settings:
    """Nothing to choose: the figure is made of published numbers."""


@dataclass(frozen=True)
class Point:
    """One fit: products of bounded rationality and risk aversion of both players, and what covers it."""

    label: str
    x: float
    y: float
    collapse: bool
    monotone: bool
    unique: bool


def points(penalty: str) -> list[Point]:
    """The thirteen published fits with one penalty.

    Args:
        penalty: "kl" (with log-barrier) or "reverse_kl" (with entropy).

    Returns:
        One point per game.
    """
    found = []
    for record in fitted_records():
        (fit,) = (fit for fit in record.published_fits if fit.penalty == penalty)
        x, y = (e * t for e, t in zip(fit.bounded_rationality, fit.risk_aversion, strict=True))
        known = uniqueness(record.game, concept_of(fit))
        found.append(Point(game_label(record), x, y, known.collapse, known.monotone, known.unique))
    return found


def run(settings: Settings, progress: Progress) -> Result:
    """Place the published fits in the regions of the theorems.

    Args:
        settings: none.
        progress: told when it is done.

    Returns:
        The table of products, the figure, the claim.
    """
    found = {penalty: points(penalty) for penalty in PAIRS}
    progress(1.0, "tractable region")
    rows = [
        [name, one.label, one.x, one.y, one.x * one.y, one.collapse, one.monotone]
        for penalty, name in PAIRS.items()
        for one in found[penalty]
    ]
    everywhere = [one for some in found.values() for one in some]
    least = min(everywhere, key=lambda one: one.x * one.y)
    inside = sum(one.collapse for one in everywhere)
    table = Table(
        ["pair", "game", "ε₁τ₁", "ε₂τ₂", "product", "≥ 1", "> 1/16"],
        rows,
        "Published parameters and the conditions ε₁ε₂τ₁τ₂ ≥ 1 and > 1/16",
    )
    return Result(
        answer=(
            f"{inside} of the {len(everywhere)} published fits satisfy ε₁ε₂τ₁τ₂ ≥ 1, under which no-regret "
            f"play finds the RQE; the smallest product is {least.x * least.y:.4f} (game {least.label}), just "
            "inside. The RQE is already unique for products above 1/16, with the log-barrier above 1/64; and "
            "in games like these thirteen, whose interactions have opposite signs, for all parameters."
        ),
        tables={"tractable-region": table},
        pictures={
            "tractable-region": Picture(
                lambda: _figure(found),
                "Published parameters of thirteen games (dots) and three sufficient conditions, each for "
                "the region above its curve: no-regret play finds the RQE (1), the game of players and "
                "adversaries is monotone (1/16), or on differences of strategies (1/64, log-barrier only).",
            )
        },
        claims=(
            Claim(
                "all fitted parameters lie in the region where RQE is tractable",
                PAPER + ", figure 1",
                f"{inside} of {len(everywhere)} products are at least 1, the least {least.x * least.y:.4f}",
                inside == len(everywhere),
            ),
            Claim(
                "the RQE of every fit is unique",
                PAPER,
                f"certified for {sum(one.unique for one in everywhere)} of {len(everywhere)}",
                all(one.unique for one in everywhere),
            ),
        ),
        certified=True,
    )


def _figure(found: dict[str, list[Point]]) -> Figure:
    from equipoise.reporting.figures import Mark, regions

    bounds = {
        "no-regret play: product ≥ 1": COLLAPSE,
        "monotone: > 1/16": MONOTONE,
        "monotone on the simplex: > 1/64": MONOTONE_TANGENT,
    }
    # The conditions bound 1/sqrt(product).
    curves = {name: (lambda x, level=bound**-2: level / x) for name, bound in bounds.items()}
    return regions(
        {
            name: (
                {k: c for k, c in curves.items() if penalty == "kl" or not k.endswith("1/64")},
                [Mark(one.x, one.y, one.label) for one in found[penalty]],
            )
            for penalty, name in PAIRS.items()
        },
        xlabel="ε₁τ₁ (row player)",
        ylabel="ε₂τ₂ (column player)",
        limits=LIMITS,
    )


EXPERIMENT = Experiment(
    name="tractable-region",
    question="Do the parameters that fit people lie where RQE is proved tractable?",
    source=f"{PAPER}, figure 1",
    laptop=Settings(),
    full=Settings(),
    run=run,
)
