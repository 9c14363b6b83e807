"""How many samples a generative model must give before the plug-in equilibrium is right.

Every state and joint action of a game with a horizon is sampled N times, and the game with the observed
frequencies is solved exactly. Theory promises max |V - V*| <= 8 H L sqrt(S log(2 S H prod A/delta)/N).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from equipoise.equilibria import solve
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.games import MarkovGame, named_markov_game, random_markov_game
from equipoise.learning import GenerativeRQE, sample_bound
from equipoise.learning.tabular.generative import Seen
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SOURCE = "Mazumdar, Panaganti and Shi (2024), arXiv 2406.14156, Theorem 5"
PENALTIES = {"kl": "KL", "l1": "l1"}
FROM = 100  # the slope is fitted from this many draws on, where the square-root law can be expected
SLOPE = 0.1  # largest distance of a fitted exponent from theory, with a dozen seeds


@dataclass(frozen=True)
class Settings:
    """What is sampled and solved.

    Attributes:
        draws: numbers N of draws per state and joint action.
        seeds: independent repetitions of each.
        random_games: number of random games (4 states, 2 by 2 actions, horizon 3) beside the two-state game.
        sizes: how often S, H and A are doubled from 2, each alone, in the scaling study.
        scaling_draws: N there.
        risk_aversion, bounded_rationality: of both players; aversion to chance moves is the same.
        seed: what everything is drawn from.
    """

    draws: tuple[int, ...] = (10, 30, 100, 300, 1000, 3000, 10000)
    seeds: int = 12
    random_games: int = 2
    sizes: int = 3
    scaling_draws: int = 1000
    risk_aversion: float = 1.0
    bounded_rationality: float = 0.5
    seed: int = 0


class Errors(NamedTuple):
    """Errors of the plug-in equilibrium, `[seeds]` each.

    Attributes:
        value: largest difference of the players' values of any state at the first step.
        policy: largest difference of a probability at any step.
        solved: whether all solutions converged.
    """

    value: Float[np.ndarray, " seeds"]
    policy: Float[np.ndarray, " seeds"]
    solved: bool


def plug_in(game: MarkovGame, learner: GenerativeRQE, seeds: int, seed: int) -> Errors:
    """Sample a game once per seed, solve what was seen, and compare with the exact solution.

    Args:
        game: the true game.
        learner: how often everything is drawn, and the equilibrium.
        seeds: repetitions.
        seed: what they are derived from.
    """
    import jax

    exact = solve(game, learner.concept, throw=False)
    model = learner.prepare(game)
    with jax.enable_x64(True):
        counts = np.asarray(_sampler(learner)(model, jax.random.split(jax.random.key(seed), seeds)))
    found = [learner.solve(model, Seen(one)) for one in counts]
    policy = [
        max(float(np.abs(a - b).max()) for a, b in zip(one.strategies, exact.strategies, strict=True))
        for one in found
    ]
    value = np.array([np.abs(one.values - exact.values).max() for one in found])
    return Errors(value, np.array(policy), exact.converged and all(one.converged for one in found))


@cache
def _sampler(learner: GenerativeRQE) -> Any:
    """One update of all seeds, compiled once per learner and shape of the game."""
    import jax

    def sample(model: Any, key: Any) -> Any:
        return learner.update(model, learner.init(model, key), key)[0].counts

    return jax.jit(jax.vmap(sample, in_axes=(None, 0)))


def slope(x: Int[np.ndarray, " points"], y: Float[np.ndarray, " points"]) -> float:
    """Exponent of y against x by least squares in logarithms."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def run(settings: Settings, progress: Progress) -> Result:
    """Measure the error against N, and against S, H and A at one N.

    Args:
        settings: sizes, seeds, preferences.
        progress: told how far it is.

    Returns:
        Errors with slopes, the bound beside them, the scaling study, the claims.
    """
    rng = np.random.default_rng(settings.seed)
    games = {"two states, H = 3": named_markov_game("two-state-horizon")}
    for k in range(settings.random_games):
        games[f"random {k + 1}"] = random_markov_game(4, (2, 2), horizon=3, rng=rng)
    scaled = {
        what: [
            [_random(what, 2 ** (k + 1), rng) for _ in range(settings.seeds)] for k in range(settings.sizes)
        ]
        for what in ("S", "H", "A")
    }
    work = len(games) * len(PENALTIES) * len(settings.draws) + 3 * settings.sizes
    done = 0
    solved = True

    def measure(games: list[MarkovGame], penalty: str, draws: int, seeds: int) -> list[Errors]:
        nonlocal done, solved
        progress(done / work, f"generative model: N = {draws}")
        done += 1
        learner = _learner(settings, penalty, draws)
        errors = [
            plug_in(game, learner, seeds, settings.seed + 1000 * done + k) for k, game in enumerate(games)
        ]
        solved = solved and all(one.solved for one in errors)
        return errors

    curves = {
        (name, penalty): [measure([game], penalty, n, settings.seeds)[0] for n in settings.draws]
        for name, game in games.items()
        for penalty in PENALTIES
    }
    scaling = {
        what: [measure(some, "l1", settings.scaling_draws, 1) for some in sizes]
        for what, sizes in scaled.items()
    }
    table, slopes, below = _rate_table(settings, games, curves)
    scaling_table, exponents = _scaling_table(settings, scaled, scaling)
    claims = _claims(settings, slopes, below, exponents)
    mean = float(np.mean(list(slopes.values())))
    return Result(
        answer=(
            f"The error of the values falls as N to the power {mean:.2f} on average over games and penalties "
            f"(theory: -1/2), {below:.0f} times or more below the bound. At N = {settings.scaling_draws} it "
            f"grows with exponents {exponents['S']:.2f} in the number of states (bound: 1/2, but the error "
            f"is the largest over all states), {exponents['H']:.2f} in the horizon (bound: 1) and "
            f"{exponents['A']:.2f} in the number of joint actions (bound: logarithmic); but every joint "
            "action has to be sampled, so samples in total grow with their number."
        ),
        tables={"rate": table, "scaling": scaling_table},
        pictures={
            "rate": Picture(
                lambda: _figure(settings, games, curves),
                f"Largest error of the players' values against draws per state and joint action, mean over "
                f"{settings.seeds} seeds. Dotted: the rate of theory.",
            )
        },
        claims=claims,
        certified=solved,
    )


def _learner(settings: Settings, penalty: str, draws: int) -> GenerativeRQE:
    return GenerativeRQE(
        draws=draws,
        risk_aversion=settings.risk_aversion,
        bounded_rationality=settings.bounded_rationality,
        environment_penalty=penalty,
    )


Curves = Mapping[tuple[str, str], list[Errors]]


def _rate_table(
    settings: Settings, games: Mapping[str, MarkovGame], curves: Curves
) -> tuple[Table, dict[tuple[str, str], float], float]:
    """The table, the slopes, and by what factor the bound at least exceeds the error."""
    draws = np.array(settings.draws)
    late = draws >= FROM
    rows, slopes, below = [], {}, np.inf
    for (name, penalty), errors in curves.items():
        values = np.array([e.value.mean() for e in errors])
        policies = np.array([e.policy.mean() for e in errors])
        slopes[name, penalty] = slope(draws[late], values[late])
        bounds = np.array([sample_bound(games[name], int(n)) for n in draws])
        below = min(below, float((bounds / [e.value.max() for e in errors]).min()))
        rows.append(
            [
                name,
                PENALTIES[penalty],
                slopes[name, penalty],
                slope(draws[late], policies[late]),
                values[0],
                values[-1],
                policies[-1],
                bounds[-1],
            ]
        )
    columns = [
        "game",
        "penalty on chance",
        "slope of values",
        "slope of policies",
        f"value error, N = {draws[0]}",
        f"value error, N = {draws[-1]}",
        f"policy error, N = {draws[-1]}",
        f"bound, N = {draws[-1]}",
    ]
    caption = (
        f"Errors of the plug-in equilibrium, means over {settings.seeds} seeds; slopes from N = {FROM} on."
    )
    return Table(columns, rows, caption), slopes, below


def _random(what: str, size: int, rng: np.random.Generator) -> MarkovGame:
    """A random game of two states, moves and actions, except for what grows."""
    return random_markov_game(
        size if what == "S" else 2,
        (size if what == "A" else 2, 2),
        horizon=size if what == "H" else 2,
        rng=rng,
    )


def _scaling_table(
    settings: Settings,
    scaled: Mapping[str, list[list[MarkovGame]]],
    scaling: Mapping[str, list[list[Errors]]],
) -> tuple[Table, dict[str, float]]:
    """The table, and the exponent of the error in every size."""
    rows, exponents = [], {}
    draws = settings.scaling_draws
    for what, sizes in scaling.items():
        values = np.array([np.mean([one.value for one in errors]) for errors in sizes])
        numbers = np.array([2 ** (k + 1) for k in range(settings.sizes)])
        exponents[what] = slope(numbers, values)
        for (game, *_), number, value in zip(scaled[what], numbers, values, strict=True):
            total = draws * game.num_states * int(np.prod(game.num_actions))
            rows.append([what, int(number), value, sample_bound(game, draws), total])
    caption = (
        f"Value error at N = {draws} as one size grows and the others stay at 2 (l1); means over "
        f"{settings.seeds} random games."
    )
    return Table(["what grows", "size", "value error", "bound", "samples in total"], rows, caption), exponents


def _claims(
    settings: Settings,
    slopes: Mapping[tuple[str, str], float],
    below: float,
    exponents: Mapping[str, float],
) -> tuple[Claim, ...]:
    worst = max(slopes.values(), key=lambda s: abs(s + 0.5))
    return (
        Claim(
            "the error falls as the square root of the number of draws",
            SOURCE,
            f"exponents from {min(slopes.values()):.3f} to {max(slopes.values()):.3f}",
            abs(worst + 0.5) <= SLOPE,
        ),
        Claim(
            "it stays below 8 H L sqrt(S log(2 S H prod A/delta)/N)",
            f"{SOURCE} (as summarised; L = 1)",
            f"at least {below:.0f} times below in all {settings.seeds} seeds",
            below >= 1.0,
        ),
        Claim(
            "it grows at most linearly in the horizon",
            f"{SOURCE} (reading its bound as a rate)",
            f"exponent {exponents['H']:.2f}",
            exponents["H"] <= 1.0 + SLOPE,
        ),
        Claim(
            "the number of joint actions enters the accuracy only through a logarithm",
            f"{SOURCE} (reading its bound as a rate)",
            f"exponent {exponents['A']:.2f}",
            exponents["A"] <= 0.5,
        ),
    )


def _figure(settings: Settings, games: Mapping[str, MarkovGame], curves: Curves) -> Figure:
    from equipoise.reporting.figures import convergence

    draws = np.array(settings.draws)
    lines = {
        f"{name}, {PENALTIES[penalty]}": (draws, np.array([e.value.mean() for e in errors]))
        for (name, penalty), errors in curves.items()
    }
    return convergence(
        lines,
        xlabel="draws per state and joint action, N",
        ylabel="largest error of a value",
        slopes={"N^(-1/2)": -0.5},
    )


EXPERIMENT = Experiment(
    name="generative-model",
    question="How many samples does a generative model need to give?",
    source=SOURCE,
    laptop=Settings(),
    full=replace(Settings(), seeds=100, random_games=10, sizes=5),
    run=run,
)
