"""How fast the actor-critic learns risk-averse equilibria from samples, and what its actor must be.

Zhang and Mazumdar (2026) prove, for their actor-critic with a faster actor and a slower critic, a mean-square
error of order 1/t from samples, and show in experiments that risk-neutral play does not settle where
risk-averse play does. Here it learns in a game with two states, on its own steps and from replay, with
constant and diminishing steps, and with the usual order of a slow actor; then in a game of inspection, averse
and neutral. Errors are distances to the exact equilibrium over seeds that are trained side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from equipoise.equilibria import solve
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.games import MarkovGame, named_markov_game
from equipoise.learning import RQEActorCritic, train
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAPER = "Zhang and Mazumdar (2026), arXiv 2602.12386"
AVERSE = RQEActorCritic(
    risk_aversion=1.0, bounded_rationality=0.5, penalty="reverse_kl", regularizer="entropy", batch=8
)
# From samples: where they come from, and how steps shrink.
RATES = {
    "own steps, diminishing": replace(AVERSE, source="on_policy"),
    "own steps, constant": replace(AVERSE, source="on_policy", schedule="constant"),
    "replay, diminishing": replace(AVERSE, source="replay"),
    "replay, constant": replace(AVERSE, source="replay", schedule="constant"),
}
# First steps (actor, critic): the order of the theorem first, the usual one last.
ORDERS = {
    "actor 5 × critic": replace(AVERSE, actor=0.5, critic=0.1),
    "actor 1/10 of critic": replace(AVERSE, actor=0.02, critic=0.2),
    "actor 1/40 of critic": replace(AVERSE, actor=0.005, critic=0.2),
}
TWINS = {
    "averse, τ = 1, ε = 0.2": replace(AVERSE, bounded_rationality=0.2),
    "neutral, τ = 0, ε = 0.2": replace(AVERSE, risk_aversion=0.0, bounded_rationality=0.2),
    "neutral, τ = ε = 0": replace(AVERSE, risk_aversion=0.0, bounded_rationality=0.0),
}
PANELS = {  # the games of the panels
    "Two states: samples and steps": "two-state",
    "Two states: who is faster": "two-state",
    "Inspection: aversion": "inspection",
}
SETTLED = 0.1  # a root mean-square distance below this counts as settled


@dataclass(frozen=True)
class Settings:
    """What is run.

    Attributes:
        steps: environment steps of every seed.
        seeds: seeds of every learner.
        resamples: bootstrap samples of seeds behind an interval.
        seed: what everything is drawn from.
    """

    steps: int = 20_000
    seeds: int = 12
    resamples: int = 2000
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Track:
    """A learner's way.

    Attributes:
        at: environment steps, `[records]`.
        squares: squared Euclidean distance of all policies to the equilibrium, `[records, seeds]`.
        learner: its settings.
    """

    at: Int[np.ndarray, " records"]
    squares: Float[np.ndarray, "records seeds"]
    learner: RQEActorCritic

    @property
    def error(self) -> Float[np.ndarray, " records"]:
        """Mean-square error over seeds."""
        return np.asarray(self.squares.mean(axis=1))


def run(settings: Settings, progress: Progress) -> Result:
    """Train every learner on all seeds and measure distances to the exact equilibria.

    Args:
        settings: how many steps and seeds.
        progress: told how far it is.

    Returns:
        Errors and exponents; curves; the claims.
    """
    cases = [
        (panel, name, learner)
        for panel, learners in zip(PANELS, (RATES, ORDERS, TWINS), strict=True)
        for name, learner in learners.items()
    ]
    tracks: dict[str, dict[str, Track]] = {panel: {} for panel in PANELS}
    known: dict[tuple[str, RQEActorCritic], Track] = {}
    gap = 0.0
    for k, (panel, name, learner) in enumerate(cases):
        progress(k / len(cases), f"actor-critic-sampled: {name}")
        case = (PANELS[panel], learner)
        if case not in known:
            known[case], certified = track(named_markov_game(PANELS[panel]), learner, settings)
            gap = max(gap, certified)
        tracks[panel][name] = known[case]
    progress(1.0, "actor-critic-sampled")
    return Result(
        answer=_answer(tracks, settings, gap),
        tables={"actor-critic-sampled": _table(tracks, settings)},
        pictures={"actor-critic-sampled": Picture(lambda: _figure(tracks), _caption(settings))},
        claims=_claims(tracks, settings),
        certified=gap < 1e-8,
    )


def track(game: MarkovGame, learner: RQEActorCritic, settings: Settings) -> tuple[Track, float]:
    """Train a learner and follow its distance to the exact equilibrium.

    Args:
        game: the game.
        learner: the learner; what it remembers is enlarged to all steps.
        settings: how many steps and seeds.

    Returns:
        The track, and the certified gap of the exact equilibrium.
    """
    exact = solve(game, learner.concept)
    learner = replace(learner, memory=settings.steps)

    def evaluate(policies: tuple[np.ndarray, ...]) -> Mapping[str, Float[np.ndarray, " seeds"]]:
        pairs = zip(policies, exact.strategies, strict=True)
        return {"squares": np.sum([((mine - true) ** 2).sum(axis=(1, 2)) for mine, true in pairs], axis=0)}

    found = train(
        learner,
        game,
        steps=settings.steps,
        seeds=settings.seeds,
        seed=settings.seed,
        evaluate=evaluate,
        progress=False,
    )
    return Track(found.at, found.metrics["squares"], learner), exact.certificate.gap


def exponent(some: Track) -> float:
    """Slope of log mean-square error against log steps over the last tenfold of steps."""
    late = some.at >= some.at[-1] / 10.0
    return float(np.polyfit(np.log(some.at[late]), np.log(some.error[late]), 1)[0])


def interval(some: Track, settings: Settings) -> tuple[float, float]:
    """Bootstrap interval of the exponent, 95 %: seeds are drawn anew, with replacement."""
    rng = np.random.default_rng(settings.seed)
    late = some.at >= some.at[-1] / 10.0
    x = np.log(some.at[late])
    picks = rng.integers(some.squares.shape[1], size=(settings.resamples, some.squares.shape[1]))
    errors = np.log(some.squares[late][:, picks].mean(axis=2))
    slopes = (x - x.mean()) @ (errors - errors.mean(axis=0)) / ((x - x.mean()) ** 2).sum()
    low, high = np.quantile(slopes, (0.025, 0.975))
    return float(low), float(high)


def late_error(some: Track) -> float:
    """Root of the mean-square error over the last tenth of the steps."""
    return float(np.sqrt(some.error[some.at > 0.9 * some.at[-1]].mean()))


def _table(tracks: dict[str, dict[str, Track]], settings: Settings) -> Table:
    rows: list[list[object]] = []
    for panel, some in tracks.items():
        for name, one in some.items():
            low, high = interval(one, settings)
            rows.append(
                [
                    panel.partition(":")[0],
                    name,
                    f"{one.learner.actor:g}",
                    f"{one.learner.critic:g}",
                    f"{np.sqrt(one.error[0]):.1e}",
                    f"{late_error(one):.1e}",
                    f"{exponent(one):.2f}",
                    f"{low:.2f} to {high:.2f}",
                ]
            )
    return Table(
        ["game", "learner", "actor", "critic", "first error", "last error", "exponent", "95 % interval"],
        rows,
        f"Roots of mean-square errors over {settings.seeds} seeds, after a hundredth of {settings.steps} "
        "steps and over the last tenth; exponent of the mean-square error in the number of steps over the "
        "last tenfold (theory: -1)",
    )


def _figure(tracks: dict[str, dict[str, Track]]) -> Figure:
    from equipoise.reporting.grids import curve_grid

    return curve_grid(
        {
            panel: {name: (one.at, np.sqrt(one.error)) for name, one in some.items()}
            for panel, some in tracks.items()
        },
        xlabel="environment steps",
        ylabel="distance to equilibrium",
        slopes={"1/√t": -0.5},
        dashed=[name for name in RATES if name.endswith("constant")],
        columns=3,
    )


def _caption(settings: Settings) -> str:
    return (
        f"Root of the mean-square distance to the exact equilibrium over {settings.seeds} seeds. A "
        "mean-square error of order 1/t falls along the dotted lines. Left: where samples come from, and "
        "how steps shrink. Middle: a faster actor against a slower one. Right: the inspection game, "
        "own steps, diminishing."
    )


def _answer(tracks: dict[str, dict[str, Track]], settings: Settings, gap: float) -> str:
    rates, orders, twins = (tracks[panel] for panel in PANELS)
    parts = [
        f"After {settings.steps} steps the actor-critic is {late_error(rates['own steps, diminishing']):.4f} "
        f"from the exact equilibrium (certified to {gap:.0e}) on its own steps and "
        f"{late_error(rates['replay, diminishing']):.4f} with replay; constant steps end at "
        f"{late_error(rates['own steps, constant']):.3f} and {late_error(rates['replay, constant']):.3f}.",
        f"With an actor slower than the critic, the usual order, errors are "
        f"{late_error(orders['actor 1/10 of critic']):.3f} (a tenth) and "
        f"{late_error(orders['actor 1/40 of critic']):.3f} (a fortieth).",
        "In the inspection game "
        + ", ".join(f"{name}: {late_error(one):.1e}" for name, one in twins.items())
        + ".",
    ]
    return " ".join(parts)


def _claims(tracks: dict[str, dict[str, Track]], settings: Settings) -> tuple[Claim, ...]:
    rates, orders, twins = (tracks[panel] for panel in PANELS)
    claims = []
    for name, where in (("own steps, diminishing", "on-policy"), ("replay, diminishing", "replay")):
        low, high = interval(rates[name], settings)
        claims.append(
            Claim(
                f"the mean-square error falls as 1/t with diminishing steps ({where})",
                PAPER,
                f"exponent {exponent(rates[name]):.2f}, 95 % interval {low:.2f} to {high:.2f}",
                bool(low <= -1.0),
            )
        )
    fast, slow = late_error(orders["actor 5 × critic"]), late_error(orders["actor 1/40 of critic"])
    claims.append(
        Claim(
            "the actor must be faster than the critic, the reverse of the usual order",
            PAPER,
            f"last error {fast:.4f} with an actor five times the critic, {slow:.4f} with one of a fortieth",
            bool(slow > 3.0 * fast),
        )
    )
    averse, neutral, pure = (late_error(one) for one in twins.values())
    claims.append(
        Claim(
            "risk-neutral play does not settle where risk-averse play does (inspection game)",
            PAPER,
            f"last error {averse:.0e} averse; neutral {pure:.2f} without noise, but {neutral:.0e} with the "
            "noise of the averse",
            bool(averse < SETTLED < pure),
        )
    )
    return tuple(claims)


EXPERIMENT = Experiment(
    name="actor-critic-sampled",
    question="How fast does the actor-critic learn from samples, and must its actor be the faster one?",
    source=PAPER,
    laptop=Settings(),
    full=Settings(steps=300_000, seeds=50),
    run=run,
)
