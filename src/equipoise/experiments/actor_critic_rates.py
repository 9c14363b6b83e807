"""How fast the coupled actor-critic iteration reaches the stationary RQE, with the exact model.

Zhang and Mazumdar (2026), Theorem 4.4: with constant steps the error falls geometrically, with steps as 1/t
it falls as 1/t, if the actor is fast and the critic slow. Their constants are not printed; here are observed
factors and exponents for several ratios of the two steps, the usual order (slow actor) among them, and the
time beside value iteration with an equilibrium solver and beside the exact path.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from equipoise.equilibria import (
    RQE,
    Coupling,
    MarkovSolution,
    coupled_iteration,
    follow_noise,
    stage_value_iteration,
)
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.games import MarkovGame, named_markov_game
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SOURCE = "Zhang and Mazumdar (2026), arXiv 2602.12386"
# Both pairs are covered by their theorem at these parameters: 16 (tau eps)^2 = 4 > 1.
CONCEPTS = {
    "KL + log-barrier": RQE(1.0, 0.5, regularizer="log_barrier"),
    "reverse KL + entropy": RQE(1.0, 0.5, penalty="reverse_kl"),
}
# Steps of critic and actor; the actor's is in 1/payoff units.
ORDERS = {
    "actor 8 times slower": (0.2, 0.025),
    "both alike": (0.2, 0.2),
    "critic 4 times slower": (0.05, 0.2),
    "critic 16 times slower": (0.0125, 0.2),
}
SLOW = next(iter(ORDERS))
FAST = [name for name, (critic, actor) in ORDERS.items() if actor >= critic]
BOTTOM = 1e-12  # errors below this are rounding


@dataclass(frozen=True)
class Settings:
    """What is run.

    Attributes:
        games: random games beside the one of two states.
        states, actions: their size.
        discount: their discount factor.
        steps: steps of the iteration with constant steps.
        late: steps of the iteration with diminishing steps.
        seed: what the games are drawn from.
    """

    games: int = 1
    states: int = 5
    actions: int = 3
    discount: float = 0.8
    steps: int = 1500
    late: int = 2000
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Track:
    """One run of the iteration.

    Attributes:
        steps: numbers of steps, `[marks]`.
        errors: largest error of a value at these, `[marks]`.
        seconds: time of the whole run.
        delay: b, where steps fall as 1/(t + b).
    """

    steps: Int[np.ndarray, " marks"]
    errors: Float[np.ndarray, " marks"]
    seconds: float
    delay: float = 0.0


@dataclass(frozen=True, eq=False)
class Problem:
    """A game with a concept, its exact solution and everything that was run on it."""

    name: str
    pair: str
    game: MarkovGame
    exact: MarkovSolution
    exact_seconds: float
    sweeps: Track
    constant: dict[str, Track]
    diminishing: dict[str, Track]


def run(settings: Settings, progress: Progress) -> Result:
    """Run the iteration on all games in all orders of steps.

    Args:
        settings: how many games and steps.
        progress: told how far it is.

    Returns:
        Observed factors, exponents and times, with the claims.
    """
    games = draw(settings)
    problems = []
    total = len(games) * len(CONCEPTS)
    for k, (name, game) in enumerate(games.items()):
        for m, pair in enumerate(CONCEPTS):
            progress((k * len(CONCEPTS) + m) / total, f"actor-critic-rates: {name}, {pair}")
            problems.append(_problem(settings, name, game, pair))
    progress(1.0, "actor-critic-rates")
    return Result(
        answer=_answer(problems),
        tables={"rates": _rates(problems), "times": _times(problems)},
        pictures={
            "constant-steps": Picture(
                lambda: _figure(problems, lambda p: p.constant, "steps", slopes={}),
                "Largest error of a value against steps, constant steps. Straight lines are geometric "
                "convergence.",
            ),
            "diminishing-steps": Picture(
                lambda: _figure(problems, lambda p: p.diminishing, "steps", slopes={"1/t": -1.0}),
                "The same with both steps falling as 1/t, on two logarithmic axes.",
            ),
            "errors-in-time": Picture(
                lambda: _figure(problems, _in_time, "seconds", slopes={}),
                "Error against seconds of one core: the fast actor beside value iteration with an "
                "equilibrium solver for the stage games. Times depend on the machine.",
            ),
        },
        claims=_claims(problems),
        certified=all(problem.exact.converged for problem in problems),
    )


def draw(settings: Settings) -> dict[str, MarkovGame]:
    """The game of two states and the random ones, rewards uniform on [0, 1].

    Args:
        settings: their size, number and seed.
    """
    rng = np.random.default_rng(settings.seed)
    shape = (settings.states, settings.actions, settings.actions)
    games = {"two states": named_markov_game("two-state")}
    for k in range(settings.games):
        kernel = rng.dirichlet(np.ones(settings.states), size=shape)
        games[f"random {k + 1}"] = MarkovGame(kernel, list(rng.random((2, *shape))), settings.discount)
    return games


def _problem(settings: Settings, name: str, game: MarkovGame, pair: str) -> Problem:
    concept = CONCEPTS[pair]
    start = time.perf_counter()
    exact = follow_noise(game, concept)
    exact_seconds = time.perf_counter() - start
    start = time.perf_counter()
    sweeps = stage_value_iteration(game, concept)
    seconds = time.perf_counter() - start
    changes = sweeps.details["changes"]
    ratio = sweeps.details["contraction"]
    # What is left after a sweep of change c is c ratio / (1 - ratio), as the changes shrink by `ratio`.
    left = changes * ratio / (1.0 - ratio)
    track = Track(np.arange(1, len(changes) + 1), left, seconds)
    runs: dict[str, dict[str, Track]] = {}
    for schedule, steps in (("constant", settings.steps), ("diminishing", settings.late)):
        marks = np.unique(np.geomspace(1, steps, 80).astype(int))
        if schedule == "constant":
            marks = np.unique(np.linspace(1, steps, 80).astype(int))
        runs[schedule] = {
            order: _track(game, concept, exact, Coupling(critic, actor, schedule), marks)
            for order, (critic, actor) in ORDERS.items()
        }
    return Problem(name, pair, game, exact, exact_seconds, track, runs["constant"], runs["diminishing"])


def _track(
    game: MarkovGame,
    concept: RQE,
    exact: MarkovSolution,
    coupling: Coupling,
    marks: Int[np.ndarray, " marks"],
) -> Track:
    start = time.perf_counter()
    found = coupled_iteration(game, concept, coupling=coupling, steps=int(marks[-1]), marks=marks.tolist())
    seconds = time.perf_counter() - start
    errors = np.abs(found.details["trail"].values - exact.values).max(axis=(1, 2))
    delay = coupling.delay(game.discount or 0.0) if coupling.schedule == "diminishing" else 0.0
    return Track(marks, np.maximum(errors, BOTTOM), seconds, delay)


def factor(track: Track) -> float:
    """Factor per step by which the error falls, over the second half of what is above rounding.

    Args:
        track: a run with constant steps.
    """
    seen = np.flatnonzero(track.errors > 1e3 * BOTTOM)
    late = seen[len(seen) // 2 :]
    if len(late) < 2:
        return float("nan")
    return float(np.exp(np.polyfit(track.steps[late], np.log(track.errors[late]), 1)[0]))


def exponent(track: Track) -> float:
    """Exponent of the error in t + b, the inverse of the steps' size, over the second half of its logarithm.

    Args:
        track: a run with diminishing steps.
    """
    inverse = track.steps + track.delay
    late = (inverse >= np.sqrt(inverse[0] * inverse[-1])) & (track.errors > 1e3 * BOTTOM)
    if late.sum() < 2:
        return float("nan")
    return float(np.polyfit(np.log(inverse[late]), np.log(track.errors[late]), 1)[0])


def _rates(problems: Sequence[Problem]) -> Table:
    rows = []
    for problem in problems:
        discount = problem.game.discount or 0.0
        for order, (critic, _) in ORDERS.items():
            still, late = problem.constant[order], problem.diminishing[order]
            rows.append(
                [
                    problem.name,
                    problem.pair,
                    order,
                    f"{factor(still):.4f}",
                    f"{1.0 - critic * (1.0 - discount):.4f}",
                    f"{still.errors[-1]:.0e}",
                    f"{exponent(late):.1f}",
                    f"{late.errors[-1]:.0e}",
                ]
            )
    return Table(
        [
            "game",
            "pair",
            "steps",
            "factor per step",
            "1 − α(1 − γ)",
            "error, constant",
            "exponent in t + b",
            "error, as 1/(t + b)",
        ],
        rows,
    )


def _times(problems: Sequence[Problem]) -> Table:
    rows = []
    for problem in problems:
        rows.append(
            [problem.name, problem.pair, "path from uniform play", f"{problem.exact_seconds:.2g}", "exact"]
        )
        sweeps = problem.sweeps
        rows.append(
            [
                problem.name,
                problem.pair,
                "value iteration",
                f"{_arrival(sweeps):.2g}",
                f"{len(sweeps.steps)} sweeps",
            ]
        )
        for order, track in problem.constant.items():
            rows.append(
                [problem.name, problem.pair, order, f"{_arrival(track):.2g}", f"{track.steps[-1]} steps"]
            )
    return Table(["game", "pair", "method", "seconds to an error of 1e-6", "run for"], rows)


def _arrival(track: Track, error: float = 1e-6) -> float:
    """Seconds until the error is below a bound; infinite if never."""
    below = np.flatnonzero(track.errors <= error)
    if not len(below):
        return float("inf")
    return float(track.seconds * track.steps[below[0]] / track.steps[-1])


def _in_time(problem: Problem) -> dict[str, Track]:
    return {"value iteration": problem.sweeps, **{name: problem.constant[name] for name in FAST}}


def _figure(problems: Sequence[Problem], tracks: Any, unit: str, slopes: dict[str, float]) -> Figure:
    from equipoise.reporting.style import PALETTE, canvas, headline, styled

    @styled
    def draw_all() -> Figure:
        names = list(dict.fromkeys(problem.name for problem in problems))[:2]
        shown = [problem for problem in problems if problem.name in names]
        columns = len(shown)
        figure, axes = canvas(3.0 * columns, 3.4, 1, columns)
        for ax, problem in zip(axes, shown, strict=True):
            for k, (name, track) in enumerate(tracks(problem).items()):
                x = track.steps.astype(float)
                if unit == "seconds":
                    x = x * track.seconds / track.steps[-1]
                ax.plot(x, np.maximum(track.errors, BOTTOM), color=PALETTE[k], label=name, linewidth=1.4)
            for label, slope in slopes.items():
                x = np.geomspace(30.0, float(next(iter(tracks(problem).values())).steps[-1]), 2)
                ax.plot(x, 3.0 * (x / x[0]) ** slope, color="0.6", linestyle=":", label=label)
            ax.set(yscale="log", xlabel=unit, ylim=(BOTTOM / 2.0, 30.0))
            if slopes:
                ax.set_xscale("log")
            ax.set_title(f"{problem.name}: {problem.pair}", fontsize=9)
        axes[0].set_ylabel("largest error of a value")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
        headline(figure, "The coupled iteration against the exact solution")
        return figure

    return draw_all()


def _answer(problems: Sequence[Problem]) -> str:
    fast = _over(problems, FAST, lambda p, order: factor(p.constant[order]))
    alone = _over(problems, FAST, _critic_alone)
    late = _over(problems, FAST, lambda p, order: exponent(p.diminishing[order]))
    slow = _over(problems, [SLOW], lambda p, order: factor(p.constant[order]))
    gap = max(problem.exact.certificate.gap for problem in problems)
    apart = max(float(np.nanmax(np.abs(fast - alone))), 1e-5)
    speed = np.median([_arrival(p.constant["both alike"]) / _arrival(p.sweeps) for p in problems])
    return (
        f"The exact equilibria are certified to {gap:.0e}. With constant steps and a fast actor the error "
        f"falls by a factor per step within {apart:.0e} of 1 − α(1 − γ), as with the critic alone; with "
        f"an actor eight times slower than the critic by {np.nanmin(slow):.4f} to {np.nanmax(slow):.4f}, "
        f"against {_critic_alone(problems[0], SLOW):.4f}. With steps as 1/t the exponents are "
        f"{np.nanmin(late):.1f} to {np.nanmax(late):.1f}. To an error of 1e-6 the iteration with both steps "
        f"alike takes {speed:.1f} times as long as value iteration with an equilibrium solver (median)."
    )


def _critic_alone(problem: Problem, order: str) -> float:
    return 1.0 - ORDERS[order][0] * (1.0 - (problem.game.discount or 0.0))


def _over(
    problems: Sequence[Problem], orders: Sequence[str], measure: Callable[[Problem, str], float]
) -> Float[np.ndarray, " _"]:
    return np.array([measure(problem, order) for problem in problems for order in orders])


def _claims(problems: Sequence[Problem]) -> tuple[Claim, ...]:
    factors = _over(problems, FAST, lambda p, order: factor(p.constant[order]))
    exponents = _over(problems, FAST, lambda p, order: exponent(p.diminishing[order]))
    bounds = _over(problems, FAST, _critic_alone)
    slow = _over(problems, [SLOW], lambda p, order: factor(p.constant[order]))
    alone = _over(problems, [SLOW], _critic_alone)
    return (
        Claim(
            "with constant steps, alpha < beta, the error falls geometrically",
            SOURCE,
            f"factors per step {np.nanmin(factors):.4f} to {np.nanmax(factors):.4f}",
            bool((factors < 1.0).all()),
        ),
        Claim(
            "with a fast actor the factor tends to 1 − α(1 − γ)",
            "our derivation",
            f"largest difference {max(float(np.nanmax(np.abs(factors - bounds))), 1e-5):.0e}",
            bool((np.abs(factors - bounds) < 2e-3).all()),
        ),
        Claim(
            "with both steps as 1/(t + b) the error is O(1/t)",
            SOURCE,
            f"exponents {np.nanmin(exponents):.1f} to {np.nanmax(exponents):.1f} in t + b",
            bool((exponents <= -1.0).all()),
        ),
        Claim(
            "the usual order, a slow actor, can hold the critic back, and never helps it",
            "our question",
            f"factors {np.nanmin(slow):.4f} to {np.nanmax(slow):.4f}, critic alone {alone.min():.4f} to "
            f"{alone.max():.4f}",
            bool((slow > alone - 1e-3).all() and (slow > alone + 1e-3).any()),
        ),
    )


EXPERIMENT = Experiment(
    name="actor-critic-rates",
    question="How fast does the coupled actor-critic iteration learn, and in which order of steps?",
    source=SOURCE,
    laptop=Settings(),
    full=Settings(games=8, states=20, steps=10_000, late=50_000),
    run=run,
)
