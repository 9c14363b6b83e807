"""How fast is logit QRE, and is it the same equilibrium, beside Gambit's branch tracer?

    python benchmarks/qre_against_gambit.py [--markdown] [--games 1000] [--repetitions 5]

Gambit solves pre-built games in a loop, `logit_solve_lambda(game, lam)`; Equipoise solves the same payoffs in
one `solve_batch`, certificates included. Reading Gambit's answers out is not timed.
"""

from __future__ import annotations

from _measure import Target, cpu_seconds, logit_residual, milliseconds, options, show, target_table, times

# isort: split
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pygambit

import equipoise as eqp
from equipoise.equilibria import _branch
from equipoise.equilibria._path import follow
from equipoise.games import NormalFormGame
from equipoise.reporting.tables import Table

SEED = 2024
SAME = 1e-6  # largest difference of strategies on the same branch
TINY = 0.02  # longest step of the path that decides who is right
RESIDUAL = 1e-9

Profile = list[np.ndarray]


@dataclass
class Study:
    """Rows of the three tables, filled while measuring."""

    repetitions: int
    speeds: list[list[object]] = field(default_factory=list)
    branches: list[list[object]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def speed(
        self, what: str, precision: float, method: str, each: float, ratio: float, residual: str
    ) -> None:
        """Add a row to the table of times."""
        self.speeds.append([what, f"{precision:g}", method, milliseconds(each), times(ratio), residual])

    def target(self, question: str, asked: str, reached: str, met: bool) -> None:
        """Add a row to the table of targets."""
        self.targets.append(Target(question, asked, reached, bool(met)))

    def at_least(self, question: str, asked: float, ratio: float) -> None:
        """Add a target on how much faster than Gambit."""
        self.target(f"{question}: Gambit / Equipoise", f"≥ {asked:g}×", times(ratio), ratio >= asked)


def random_games(rng: np.random.Generator, count: int, shape: Sequence[int]) -> list[NormalFormGame]:
    """Games whose payoffs are independent standard normal numbers."""
    return [NormalFormGame(list(p)) for p in rng.standard_normal((count, len(shape), *shape))]


def gambit(study: Study, games: Sequence[NormalFormGame], precision: float) -> tuple[float, list[Profile]]:
    """Gambit's time for all games, and its answers."""
    built = [pygambit.StrategicGame.from_arrays(*game.payoffs) for game in games]
    seconds, points = cpu_seconds(
        lambda: [pygambit.qre.logit_solve_lambda(game, precision)[0] for game in built], study.repetitions
    )
    found = [
        [
            np.array([float(player[str(a + 1)]) for a in range(count)])
            for player, count in zip(point.profile, game.num_actions, strict=True)
        ]
        for point, game in zip(points, games, strict=True)
    ]
    return seconds, found


def profiles_of(answers: eqp.SolutionBatch | list[eqp.Solution]) -> list[Profile]:
    """Our answers, one profile per game."""
    if isinstance(answers, list):
        return [list(solution.strategies) for solution in answers]
    return [list(profile) for profile in zip(*answers.strategies, strict=True)]


def tiny_steps(game: NormalFormGame, precision: float) -> Profile:
    """The principal branch with steps so short that no other branch comes near."""
    payoffs = [tensor[None] for tensor in game.payoffs]
    batch = _branch.stack(payoffs, np.zeros(1), np.full(1, 1.0 / precision), _branch.Rules())
    system = _branch.system_for(batch)
    schedule, end = _branch.from_uniform(batch)
    start = system.start(schedule(np.zeros(1), np.zeros(1, int))[0])
    arrival = follow(system, schedule, start, end, max_step=TINY, max_solves=100_000)
    if not arrival.arrived[0]:
        raise RuntimeError("the path with tiny steps was lost")
    return [s[:, 0] for s in _branch.finish(batch, system, arrival).strategies]


def distance(first: Profile, second: Profile) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(first, second, strict=True))


def residual(games: Sequence[NormalFormGame], profiles: Sequence[Profile], precision: float) -> float:
    return max(logit_residual(g.payoffs, p, precision) for g, p in zip(games, profiles, strict=True))


def compare_branches(
    study: Study,
    what: str,
    games: Sequence[NormalFormGame],
    precision: float,
    ours: Sequence[Profile],
    theirs: Sequence[Profile],
) -> None:
    """How many games ended on different branches, and who is on the principal one."""
    right = {"Equipoise": 0, "Gambit": 0, "neither": 0}
    differ = [k for k in range(len(games)) if distance(ours[k], theirs[k]) > SAME]
    for k in differ:
        judge = tiny_steps(games[k], precision)
        on = [n for n, p in (("Equipoise", ours[k]), ("Gambit", theirs[k])) if distance(p, judge) <= SAME]
        right[on[0] if on else "neither"] += 1
    study.branches.append([what, f"{precision:g}", len(differ), *right.values()])


def many_small_games(study: Study, games: Sequence[NormalFormGame], precision: float, asked: float) -> None:
    """QRE and RQE of many 5×5 games in one call each."""
    what, name = f"{len(games)} of 5×5", f"5×5, λ = {precision:g}"
    qre = eqp.QRE(precision)
    rqe = eqp.RQE(risk_aversion=1.0, bounded_rationality=1.0 / precision)
    stacked = np.stack([game.payoffs for game in games])
    slow, theirs = gambit(study, games, precision)
    listed, _ = cpu_seconds(lambda: eqp.solve_batch(games, qre), study.repetitions)
    quick, batch = cpu_seconds(lambda: eqp.solve_batch(stacked, qre), study.repetitions)
    averse, risky = cpu_seconds(lambda: eqp.solve_batch(stacked, rqe), study.repetitions)
    ours = profiles_of(batch)
    error = residual(games, ours, precision)
    count = len(games)
    study.speed(what, precision, "Gambit", slow / count, 1.0, f"{residual(games, theirs, precision):.0e}")
    study.speed(what, precision, "Equipoise, stacked payoffs", quick / count, slow / quick, f"{error:.0e}")
    study.speed(what, precision, "Equipoise, list of games", listed / count, slow / listed, f"{error:.0e}")
    study.speed(what, precision, "Equipoise, RQE, τ = 1, stacked", averse / count, slow / averse, "")
    compare_branches(study, what, games, precision, ours, theirs)
    done = int(batch.converged.sum() + risky.converged.sum())
    study.at_least(name, asked, slow / quick)
    study.target(f"{name}: residual", f"≤ {RESIDUAL:g}", f"{error:.0e}", error <= RESIDUAL)
    study.target(f"{name}: time of RQE / QRE", "≤ 3×", times(averse / quick), averse <= 3.0 * quick)
    study.target(f"{name}: QRE and RQE converged", "all", f"{done} of {2 * count}", done == 2 * count)


def larger_games(
    study: Study, games: Sequence[NormalFormGame], precision: float, asked: float, *, batched: bool
) -> None:
    """QRE of games of another shape, one call each and, if asked, all in one."""
    name = "×".join(map(str, games[0].num_actions))
    what, qre = f"{len(games)} of {name}", eqp.QRE(precision)
    slow, theirs = gambit(study, games, precision)
    study.speed(
        what, precision, "Gambit", slow / len(games), 1.0, f"{residual(games, theirs, precision):.0e}"
    )
    ways = {"one by one": lambda: [eqp.solve(game, qre) for game in games]}
    if batched:
        ways["batch"] = lambda: eqp.solve_batch(games, qre)
    for way, work in ways.items():
        quick, found = cpu_seconds(work, study.repetitions)
        ours = profiles_of(found)
        error = residual(games, ours, precision)
        study.speed(what, precision, f"Equipoise, {way}", quick / len(games), slow / quick, f"{error:.0e}")
        study.at_least(f"{name}, λ = {precision:g}, {way}", asked, slow / quick)
    compare_branches(study, what, games, precision, ours, theirs)


def main() -> None:
    chosen = options(
        __doc__.splitlines()[0],
        games=(1000, "number of 5×5 games"),
        repetitions=(5, "runs of which the median counts"),
    )
    rng = np.random.default_rng(SEED)
    study = Study(chosen.repetitions)
    games = random_games(rng, chosen.games, (5, 5))
    # The first calls import what they need.
    eqp.solve_batch(games[:2], eqp.QRE(1.0)), eqp.solve_batch(games[:2], eqp.RQE(1.0, 1.0))
    many_small_games(study, games, 1.0, 100.0)
    many_small_games(study, games, 10.0, 10.0)
    larger_games(study, random_games(rng, 1, (100, 100)), 1.0, 100.0, batched=False)
    few = max(1, chosen.games // 10)
    larger_games(study, random_games(rng, few, (5, 5, 5)), 10.0, 1.0, batched=True)
    larger_games(study, random_games(rng, few, (4, 4, 4, 4)), 10.0, 1.0, batched=True)
    show(
        [
            Table(["games", "λ", "method", "CPU ms per game", "speed", "largest residual"], study.speeds),
            Table(["games", "λ", "differ", "Equipoise right", "Gambit right", "neither"], study.branches),
            target_table(study.targets),
        ],
        [
            f"Payoffs are independent standard normal numbers, seed {SEED}. Times are CPU time, the "
            f"median of {study.repetitions} runs; speed is Gambit's time over the row's.",
            "The residual is max |π − softmax(λ u(π))| over players, actions and games, computed for all by "
            "the same lines of this script.",
            f"Two answers differ where a probability differs by more than {SAME:g}. A path with steps of at "
            f"most {TINY} then decides which of them is on the principal branch.",
        ],
        peers=["pygambit"],
        markdown=chosen.markdown,
    )


if __name__ == "__main__":
    main()
