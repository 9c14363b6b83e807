"""Samples against the radius: does a larger radius make learning cheaper, as min(H, 1/sigma) says?

A large radius shrinks the span of values, from the horizon H to about 1/sigma, and with it the noise. That
can only be seen where states last: in a game that mixes at once the span never grows with H. The error
measured is that of Robust-Q-FTRL about the value of its own play, which is known exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from equipoise.equilibria import Uncertainty, robust_evaluation
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.experiments._robust import PAPER, as_play, learn_many, slope
from equipoise.games import MarkovGame
from equipoise.learning import RobustQFTRL
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Settings:
    """How much.

    Attributes:
        horizons: numbers of moves H.
        radii: radii of the sets.
        samples: samples N per round that are tried.
        rounds: rounds K.
        target: error to be reached, on the law N^(-1/2) through what is tried.
        seeds: independent runs.
        stay: how likely a state lasts, whatever is played.
        seed: what all is drawn from.
    """

    horizons: tuple[int, ...] = (2, 10)
    radii: tuple[float, ...] = (0.01, 0.03, 0.07, 0.15, 0.3, 0.6, 0.9)
    samples: tuple[int, ...] = (2, 16)
    rounds: int = 60
    target: float = 0.02
    seeds: int = 6
    stay: float = 0.9
    seed: int = 0


def run(settings: Settings, progress: Progress) -> Result:
    """Learn with every horizon, number of samples and radius.

    Args:
        settings: how much.
        progress: told how far it is.

    Returns:
        Samples and calls to the target against the radius, beside min(H, 1/sigma).
    """
    radii = np.array(settings.radii)
    calls: dict[int, Float[np.ndarray, " radii"]] = {}
    rows: list[list[object]] = []
    for k, horizon in enumerate(settings.horizons):
        game = lasting_game(horizon, settings.stay, settings.seed)
        errors = np.stack([_errors(game, settings, count) for count in settings.samples])
        effort = np.array(settings.samples, float)
        # Errors of few samples are noisy; with the exponent known, all of them say where the target is met.
        needed = np.exp(np.mean(np.log(effort)[:, None] + 2 * np.log(errors / settings.target), axis=0))
        per_sample = horizon * settings.rounds * game.num_states * sum(game.num_actions)
        calls[horizon] = needed * per_sample
        rows.append([horizon, "samples N to the target", *map(_cell, needed)])
        rows.append([horizon, "calls", *map(_cell, calls[horizon])])
        rows.append([horizon, "min(H, 1/σ)", *map(float, np.minimum(horizon, 1 / radii))])
        progress((k + 1) / len(settings.horizons), f"radius: horizon {horizon}")
    longest = settings.horizons[-1]
    above = radii > 1 / longest
    power = slope(radii[above], calls[longest][above])
    small = radii <= 1 / longest
    flat = (
        float(calls[longest][small].max() / calls[longest][small].min()) if small.sum() > 1 else float("nan")
    )
    return Result(
        answer=(
            f"With H = {longest}, calls to an error of {settings.target:g} fall as the radius to the power "
            f"{power:.2f} beyond 1/H, and differ by a factor of {flat:.2f} below it. The theory's "
            "upper bound has min(H, 1/sigma): power -1, then flat."
        ),
        tables={
            "radius": Table(
                ["H", "what", *(f"σ = {r:g}" for r in radii)],
                rows,
                f"Error of value estimates at most {settings.target:g}; K = {settings.rounds}, mean over "
                f"{settings.seeds} seeds",
                digits=3,
            )
        },
        pictures={
            "radius": Picture(
                lambda: _figure(radii, calls),
                "Calls of the generative model to a fixed error of values against the radius, and the "
                "shape of the theory's bound.",
            )
        },
        claims=(
            Claim(
                "calls follow min(H, 1/sigma): as 1/sigma beyond 1/H, flat below",
                PAPER,
                f"power {power:.2f} beyond; factor {flat:.2f} below",
                bool(-1.3 < power < -0.7 and flat < 1.5),
            ),
        ),
        certified=all(bool(np.isfinite(c).all()) for c in calls.values()),
    )


def lasting_game(horizon: int, stay: float | int, seed: int, states: int = 4, actions: int = 3) -> MarkovGame:
    """A random game of two players with rewards in [0, 1] whose states last, the same for every horizon.

    Args:
        horizon: number of moves.
        stay: probability of staying, whatever is played; otherwise the next state has a random law.
        seed: what it is drawn from.
        states: number of states.
        actions: of each player.
    """
    rng = np.random.default_rng(seed)
    shape = (states, actions, actions)
    kernel = (1.0 - stay) * rng.dirichlet(np.ones(states), shape)
    kernel += stay * np.eye(states)[:, None, None]
    return MarkovGame(kernel, rng.random((2, *shape)), horizon=horizon)


def _errors(game: MarkovGame, settings: Settings, samples: int) -> Float[np.ndarray, " radii"]:
    """Largest error of the value estimates over players and states, mean over seeds, for every radius."""
    learner = RobustQFTRL(0.0, settings.rounds, samples)
    history, estimates = learn_many(learner, game, settings.radii, settings.seeds, settings.seed)
    found = np.zeros((len(settings.radii), settings.seeds))
    for r, radius in enumerate(settings.radii):
        for k in range(settings.seeds):
            exact = robust_evaluation(game, as_play(learner, game, history[r, k]), Uncertainty(radius))
            found[r, k] = np.abs(estimates[r, k, 0] - exact.values[0]).max()
    return found.mean(axis=1)


def _cell(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _figure(radii: np.ndarray, calls: dict[int, np.ndarray]) -> Figure:
    from equipoise.reporting.grids import curve_grid

    panels = {}
    for horizon, values in calls.items():
        shape = np.minimum(horizon, 1 / radii)
        panels[f"H = {horizon}"] = {
            "measured": (radii, values),
            "shape of min(H, 1/σ)": (radii, shape * values[0] / shape[0]),
        }
    return curve_grid(
        panels, xlabel="radius σ", ylabel="calls to the target", dashed=("shape of min(H, 1/σ)",)
    )


EXPERIMENT = Experiment(
    name="robust-ftrl-radius",
    question="Does a larger radius make robust learning cheaper?",
    source=PAPER,
    laptop=Settings(),
    full=Settings(horizons=(2, 5, 10, 20), samples=(2, 8, 32), rounds=200, seeds=20),
    run=run,
)
