"""How fast play learns the equilibrium, next to the exact solver, inside and outside the theorems' regions.

Random 3x3 games, every player's payoffs scaled to range one. Mazumdar, Panaganti and Shi (2025) prove that
time averages of no-regret play converge where the products of bounded rationality and risk aversion are large
enough: exploitability at O(1/sqrt T), hence distance at O(T^-1/4), since costs are strongly convex. Zhang and
Mazumdar (2026) prove linear convergence where the game of players and adversaries is monotone, for steps that
are small enough; for every method and game the best of a few step sizes is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int

from equipoise.equilibria import RQE, find_equilibria, solve_batch
from equipoise.equilibria.dynamics import Learning, Play, play
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.experiments.human_play import PAPER
from equipoise.games import NormalFormGame, random_game
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ZHANG_MAZUMDAR = "Zhang and Mazumdar (2026), arXiv 2602.12386"
PAIRS = {("kl", "log_barrier"): "KL + log-barrier", ("reverse_kl", "entropy"): "reverse KL + entropy"}
Pair = tuple[str, str]
# Product of bounded rationality and risk aversion of both players, by what is proved there. Between, the game
# is monotone on differences of strategies with the log-barrier, and nothing is proved with the entropy.
REGIONS = {
    "no-regret theorem, ετ = 2": 2.0,
    "monotone, ετ = 0.5": 0.5,
    "between, ετ = 0.18": 0.18,
    "beyond, ετ = 0.05": 0.05,
}
PROVED_AVERAGE, PROVED_LAST = list(REGIONS)[:1], list(REGIONS)[:2]
METHODS = {
    "gradient descent": Learning(1.0, 1),
    "gradient descent, step/√t": Learning(1.0, 1, decay=0.5),
    "extragradient": Learning(1.0, 1, extrapolate=True),
    "multiplicative weights": Learning(1.0, 1, geometry="entropic"),
    "mirror-prox": Learning(1.0, 1, geometry="entropic", extrapolate=True),
}
STEPS = {"euclidean": (0.005, 0.02, 0.1), "entropic": (0.05, 0.2, 1.0)}
SOLVED = 1e-6
BOTTOM = 1e-14  # errors below this are rounding


@dataclass(frozen=True)
class Settings:
    """What is run.

    Attributes:
        games: random games per region.
        steps: steps of every learning rule.
        seed: what games and preferences are drawn from.
    """

    games: int = 10
    steps: int = 3000
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Track:
    """One learning rule on all games of a pair.

    Attributes:
        checkpoints: numbers of steps.
        last, average: distance of last iterate and time average to the nearest equilibrium,
            `[checkpoints, games]`.
        falling: whether with some step size the last iterate arrives or still approaches, `[games]`.
        step: the step size chosen for each game, `[games]`.
        seconds: time per step and game.
    """

    checkpoints: Int[np.ndarray, " checkpoints"]
    last: Float[np.ndarray, "checkpoints games"]
    average: Float[np.ndarray, "checkpoints games"]
    falling: Bool[np.ndarray, " games"]
    step: Float[np.ndarray, " games"]
    seconds: float


@dataclass(frozen=True, eq=False)
class Problems:
    """Games with preferences and all their known equilibria.

    Attributes:
        games: the games, region by region.
        concepts: one per game.
        region: index of each game's region, `[games]`.
        equilibria: per game all equilibria found, each (P1, P2, ...) flattened.
        seconds: time of the exact solver per game.
        gap: largest certified gap.
        converged: which games it solved, `[games]`.
    """

    games: Sequence[NormalFormGame]
    concepts: Sequence[RQE]
    region: Int[np.ndarray, " games"]
    equilibria: Sequence[Float[np.ndarray, "_ flat"]]
    seconds: float
    gap: float
    converged: Bool[np.ndarray, " games"]


def run(settings: Settings, progress: Progress) -> Result:
    """Let every rule learn every game and measure distances to the exact equilibria.

    Args:
        settings: how many games and steps.
        progress: told how far it is.

    Returns:
        Success rates, slopes, times; errors against steps and time; the claims.
    """
    problems: dict[Pair, Problems] = {}
    tracks: dict[Pair, dict[str, Track]] = {}
    for k, (pair, name) in enumerate(PAIRS.items()):
        problems[pair] = draw(settings, pair)
        tracks[pair] = {}
        for m, method in enumerate(METHODS):
            begun, share = (k + m / len(METHODS)) / len(PAIRS), 1.0 / len(PAIRS) / len(METHODS)
            tracks[pair][method] = learn(
                problems[pair],
                METHODS[method],
                settings,
                lambda part, b=begun, s=share, w=f"convergence: {method}, {name}": (  # type: ignore[misc]
                    progress(b + s * part, w)
                ),
            )
    progress(1.0, "convergence")
    return Result(
        answer=_answer(problems, tracks),
        tables={
            "convergence": _table(problems, tracks),
            "seconds": _seconds_table(problems, tracks),
        },
        pictures={
            f"errors-{pair[1].replace('_', '-')}": Picture(
                lambda pair=pair: _figure(problems[pair], tracks[pair], seconds=False),  # type: ignore[misc]
                f"{PAIRS[pair]}: median distance to the exact equilibrium over {settings.games} random "
                "games, last iterates; dashed: time average, which the theorem on no-regret play is about.",
            )
            for pair in PAIRS
        }
        | {
            "errors-in-time": Picture(
                lambda: _figure(problems["kl", "log_barrier"], tracks["kl", "log_barrier"], seconds=True),
                "KL + log-barrier: the same against seconds of one core per game, batches of all games at "
                "once. The vertical line is the exact solver. Times depend on the machine.",
            )
        },
        claims=_claims(problems, tracks),
        certified=all(bool(some.converged.all()) for some in problems.values()),
    )


def draw(settings: Settings, pair: Pair) -> Problems:
    """Draw games and preferences, and solve them exactly.

    Bounded rationality is drawn between 0.05 and 0.3 per game (payoffs have range one); risk aversion follows
    from the region's product.

    Args:
        settings: how many games, and the seed.
        pair: penalty and regularizer.

    Returns:
        The problems with their equilibria.
    """
    rng = np.random.default_rng(settings.seed)
    games, concepts, region = [], [], []
    for k, product in enumerate(REGIONS.values()):
        for _ in range(settings.games):
            game = random_game((3, 3), rng)
            noise = float(np.exp(rng.uniform(np.log(0.05), np.log(0.3))))
            games.append(game.scaled(1.0 / game.payoff_ranges()))
            concepts.append(RQE(product / noise, noise, *pair))
            region.append(k)
    start = time.perf_counter()
    exact = solve_batch(games, concepts)
    seconds = (time.perf_counter() - start) / len(games)
    equilibria = []
    for k, (game, concept) in enumerate(zip(games, concepts, strict=True)):
        found = [exact[k].strategies]
        if region[k] >= len(PROVED_LAST):
            # Where nothing is proved there may be several, and play may find any of them.
            found += [one.strategies for one in find_equilibria(game, concept, starts=16)]
        equilibria.append(np.array([np.concatenate(profile) for profile in found]))
    return Problems(
        games,
        concepts,
        np.array(region),
        equilibria,
        seconds,
        float(exact.gaps.max()),
        exact.converged,
    )


def learn(problems: Problems, method: Learning, settings: Settings, tick: Callable[[float], None]) -> Track:
    """Run a rule with every step size and keep, for each game, the one with the least final error.

    Args:
        problems: the games.
        method: the rule; its step and number of steps are replaced.
        settings: how many steps.
        tick: told the share done.

    Returns:
        Errors along the way.
    """
    marks = np.unique(np.geomspace(1, settings.steps, 60).round().astype(int))
    sizes = STEPS[method.geometry]
    runs, elapsed = [], 0.0
    for k, size in enumerate(sizes):
        start = time.perf_counter()
        found = play(
            problems.games,
            problems.concepts,
            replace(method, step=size, steps=settings.steps),
            checkpoints=marks,
            each=lambda t, k=k: tick((k + t / settings.steps) / len(sizes)),  # type: ignore[misc]
        )
        elapsed += time.perf_counter() - start
        runs.append(distances(problems, found))
    last, average = (np.stack(part) for part in zip(*runs, strict=True))
    chosen = np.argmin(np.maximum(last[:, -1], BOTTOM), axis=0)
    here = np.arange(len(problems.games))
    return Track(
        marks,
        last[chosen, :, here].T,
        average[chosen, :, here].T,
        np.asarray(falling(marks, last).any(axis=0)),
        np.array(sizes)[chosen],
        elapsed / (len(sizes) * settings.steps * len(problems.games)),
    )


def distances(
    problems: Problems, found: Play
) -> tuple[Float[np.ndarray, "checkpoints games"], Float[np.ndarray, "checkpoints games"]]:
    """Largest difference of a probability to the nearest equilibrium, of last iterates and of averages."""
    answers = []
    for strategies in (found.last, found.average):
        flat = np.concatenate(strategies, axis=1)
        answers.append(
            np.stack(
                [
                    np.abs(flat[None, :, :, k] - some[:, None]).max(axis=2).min(axis=0)
                    for k, some in enumerate(problems.equilibria)
                ],
                axis=1,
            )
        )
    return answers[0], answers[1]


def slope(
    checkpoints: Int[np.ndarray, " checkpoints"], errors: Float[np.ndarray, "checkpoints games"]
) -> Float[np.ndarray, " games"]:
    """Exponent of the errors' decay: slope of log error against log steps over the last tenfold of steps."""
    late = checkpoints >= checkpoints[-1] / 10.0
    x = np.log(checkpoints[late])
    y = np.log(np.maximum(errors[late], BOTTOM))
    x = x - x.mean()
    return np.asarray((x[:, None] * (y - y.mean(axis=0))).sum(axis=0) / (x**2).sum())


def arrival(track: Track) -> Float[np.ndarray, " games"]:
    """Steps after which the last iterate stays within 1e-6 of an equilibrium; infinite where it does not."""
    outside = track.last > SOLVED
    # Position of the last checkpoint outside, plus one; all checkpoints may be inside.
    after = np.where(outside.any(axis=0), len(outside) - np.argmax(outside[::-1], axis=0), 0)
    steps = np.append(track.checkpoints, np.inf)
    return np.asarray(steps[after], dtype=float)


def falling(
    checkpoints: Int[np.ndarray, " checkpoints"], last: Float[np.ndarray, "*runs checkpoints games"]
) -> Bool[np.ndarray, "*runs games"]:
    """Whether last iterates have arrived, or still came closer by a third over the last half of the steps."""
    half = int(np.searchsorted(checkpoints, checkpoints[-1] / 2.0))
    end, before = last[..., -1, :], last[..., half, :]
    return np.asarray((end < SOLVED) | (end < before / 1.5))


def _table(problems: dict[Pair, Problems], tracks: dict[Pair, dict[str, Track]]) -> Table:
    rows: list[list[object]] = []
    for pair, some in tracks.items():
        for k, region in enumerate(REGIONS):
            members = problems[pair].region == k
            for method, track in some.items():
                reached = arrival(track)[members]
                rows.append(
                    [
                        PAIRS[pair],
                        region,
                        method,
                        float(np.median(track.step[members])),
                        f"{int(np.isfinite(reached).sum())}/{members.sum()}",
                        float(np.median(reached)),
                        _median(track.last[-1, members]),
                        _median(track.average[-1, members]),
                        round(float(np.median(slope(track.checkpoints, track.average[:, members]))), 3),
                    ]
                )
    return Table(
        [
            "pair",
            "region",
            "method",
            "median step",
            "solved",
            "median steps",
            "last iterate",
            "time average",
            "slope of average",
        ],
        rows,
        "Distance to the exact equilibrium (medians over games at the last step); solved: last iterate "
        "within 1e-6; slope: exponent of the time average's error over the last tenfold of steps",
    )


def _median(errors: Float[np.ndarray, " games"]) -> str:
    # As text: numbers of one column would be rounded to one place.
    return f"{float(np.median(np.maximum(errors, BOTTOM))):.1e}"


def _seconds_table(problems: dict[Pair, Problems], tracks: dict[Pair, dict[str, Track]]) -> Table:
    rows: list[list[object]] = []
    for pair, some in tracks.items():
        rows.append([PAIRS[pair], "exact solver", _solved(problems[pair]), 1e3 * problems[pair].seconds])
        for method, track in some.items():
            steps = arrival(track)
            rows.append(
                [
                    PAIRS[pair],
                    method,
                    f"{int(np.isfinite(steps).sum())}/{len(steps)}",
                    1e3 * track.seconds * float(np.median(steps)),
                ]
            )
    return Table(
        ["pair", "method", "solved", "milliseconds per game"],
        rows,
        "Time to an error of 1e-6 (median over all games), all games in one batch; it depends on the machine "
        "and differs from run to run",
    )


def _solved(problems: Problems) -> str:
    return f"{int(problems.converged.sum())}/{len(problems.games)}"


def _figure(problems: Problems, tracks: dict[str, Track], *, seconds: bool) -> Figure:
    from equipoise.reporting.grids import curve_grid

    averaged = "gradient descent, step/√t"
    panels = {}
    for k, region in enumerate(REGIONS):
        members = problems.region == k
        curves = {}
        for method, track in tracks.items():
            x = track.checkpoints * (track.seconds if seconds else 1.0)
            curves[method] = (x, np.median(np.maximum(track.last[:, members], BOTTOM), axis=1))
        if seconds:
            curves["exact solver"] = (np.full(2, problems.seconds), np.array([1.0, BOTTOM]))
        else:
            track = tracks[averaged]
            curves[f"average of {averaged}"] = (
                track.checkpoints,
                np.median(track.average[:, members], axis=1),
            )
        panels[region] = curves
    return curve_grid(
        panels,
        xlabel="seconds per game" if seconds else "steps",
        ylabel="distance to equilibrium",
        limits=(BOTTOM / 2.0, 1.0),
        slopes={} if seconds else {"1/√T": -0.5, "1/T": -1.0},
        dashed=[f"average of {averaged}"],
    )


def _answer(problems: dict[Pair, Problems], tracks: dict[Pair, dict[str, Track]]) -> str:
    solved = sum(int(some.converged.sum()) for some in problems.values())
    total = sum(len(some.games) for some in problems.values())
    gap = max(some.gap for some in problems.values())
    parts = [f"The exact solver solves {solved} of {total} games, certified to {gap:.0e}."]
    for k, region in enumerate(REGIONS):
        members = {pair: problems[pair].region == k for pair in PAIRS}
        shares = [
            f"{method} {sum(_reached(tracks[pair][method], members[pair]) for pair in PAIRS)}"
            for method in METHODS
        ]
        count = sum(int(some.sum()) for some in members.values())
        parts.append(f"{region[0].upper()}{region[1:]}: of {count} games " + ", ".join(shares) + ".")
    return " ".join(parts) + " Counted is a last iterate that arrives within 1e-6 of an equilibrium."


def _reached(track: Track, members: Bool[np.ndarray, " games"]) -> int:
    return int(np.isfinite(arrival(track)[members]).sum())


def _claims(problems: dict[Pair, Problems], tracks: dict[Pair, dict[str, Track]]) -> tuple[Claim, ...]:
    proved = [list(REGIONS).index(name) for name in PROVED_AVERAGE]
    slopes = [
        slope(track.checkpoints, track.average[:, np.isin(problems[pair].region, proved)])
        for pair, some in tracks.items()
        for method, track in some.items()
        if method in ("gradient descent, step/√t", "multiplicative weights")
    ]
    worst = float(np.concatenate(slopes).max())
    claims = [
        Claim(
            "time averages of no-regret play converge where ε₁ε₂τ₁τ₂ ≥ 1, in distance at O(T^-1/4)",
            PAPER,
            f"exponents {np.concatenate(slopes).min():.2f} to {worst:.2f} over the last tenfold of steps",
            bool(worst <= -0.25),
        )
    ]
    claims += [_linear(name, problems[pair], tracks[pair]) for pair, name in PAIRS.items()]
    return tuple(claims)


def _linear(name: str, problems: Problems, tracks: dict[str, Track]) -> Claim:
    """The claim of linear convergence, for one pair of penalty and regularizer."""
    members = np.isin(problems.region, [list(REGIONS).index(region) for region in PROVED_LAST])
    constant = {method: tracks[method] for method, rule in METHODS.items() if rule.decay == 0.0}
    reached = ", ".join(f"{method} {_reached(track, members)}" for method, track in constant.items())
    stuck = sum(int((~track.falling)[members].sum()) for track in constant.values())
    steps = int(next(iter(constant.values())).checkpoints[-1])
    return Claim(
        f"small constant steps converge linearly where the game is monotone ({name})",
        ZHANG_MAZUMDAR,
        f"within 1e-6 after {steps} steps in {members.sum()} games: {reached}; of the others {stuck} came no "
        "closer, even with the smallest step",
        stuck == 0,
    )


EXPERIMENT = Experiment(
    name="convergence",
    question="How fast does play learn the equilibrium, and where does it fail?",
    source=f"{PAPER}; {ZHANG_MAZUMDAR}",
    laptop=Settings(),
    full=Settings(games=50, steps=30_000),
    run=run,
)
