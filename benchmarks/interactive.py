"""How long does a person at a prompt wait?

    python benchmarks/interactive.py [--markdown] [--repetitions 7]

Wall-clock time of a new shell command, of importing the package, and of the first game of a shape that this
process has not met before.
"""

from __future__ import annotations

from _measure import Target, milliseconds, options, show, target_table

# isort: split
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

import equipoise as eqp
from equipoise.games import NormalFormGame, named_game, save
from equipoise.reporting.tables import Table, format_number

SEED = 11
SHAPES = (
    *((2, 2), (2, 3), (3, 3), (4, 6), (5, 5), (10, 10), (20, 30), (50, 50), (100, 100)),
    *((2, 2, 2), (3, 2, 4), (4, 4, 4), (5, 5, 5), (8, 8, 8)),
    *((2, 2, 2, 2), (2, 3, 2, 4), (3, 3, 3, 3), (4, 4, 4, 4)),
)
# Each is asked of every new shape.
CONCEPTS = {
    "RQE, τ = 1, ε = 0.5": eqp.RQE(risk_aversion=1.0, bounded_rationality=0.5),
    "RQE, reverse kl": eqp.RQE(risk_aversion=1.0, bounded_rationality=0.5, penalty="reverse_kl"),
    "QRE, λ = 10": eqp.QRE(10.0),
}


def first_calls() -> None:
    """In a child process: time the first game of every shape and print the seconds as JSON."""
    rng = np.random.default_rng(SEED)
    seconds: dict[str, list[float]] = {}
    for name, concept in CONCEPTS.items():
        # One game of a shape not in the list, so that imports are not counted.
        eqp.solve(NormalFormGame(list(rng.standard_normal((2, 7, 3)))), concept)
        seconds[name] = []
        for shape in SHAPES:
            game = NormalFormGame(list(rng.standard_normal((len(shape), *shape))))
            start = time.perf_counter()
            solution = eqp.solve(game, concept)
            seconds[name].append(time.perf_counter() - start)
            if not solution.converged:
                raise RuntimeError(f"{name} did not converge on a game of shape {shape}")
    print(json.dumps(seconds))


def wall(command: Sequence[str], repetitions: int, **variables: str) -> list[float]:
    """Wall seconds of a command in a new process, several times."""
    seconds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **variables})
        seconds.append(time.perf_counter() - start)
    return seconds


def commands(game: str, repetitions: int, without_bytecode: str) -> dict[str, list[float]]:
    """What is measured in new processes, with its seconds."""
    # As the installed script `equipoise` does it.
    shell = [sys.executable, "-c", "import sys; from equipoise.cli import main; sys.exit(main())"]
    solve = [*shell, "solve", game, "--concept", "rqe"]
    everything = "import equipoise; [getattr(equipoise, name) for name in equipoise.__all__]"
    return {
        "python -c pass": wall([sys.executable, "-c", "pass"], repetitions),
        "import equipoise": wall([sys.executable, "-c", "import equipoise"], repetitions),
        "import every public name": wall([sys.executable, "-c", everything], repetitions),
        "equipoise solve GAME.nfg --concept rqe": wall(solve, repetitions),
        "the same with --all": wall([*solve, "--all"], repetitions),
        "the same, nothing compiled to bytecode yet": wall(solve, 1, PYTHONPYCACHEPREFIX=without_bytecode),
    }


def shape_rows(runs: Sequence[Mapping[str, Sequence[float]]]) -> list[list[object]]:
    """One row per shape: the median over processes, for every concept."""
    rows: list[list[object]] = []
    for k, shape in enumerate(SHAPES):
        medians = [statistics.median(run[name][k] for run in runs) for name in CONCEPTS]
        rows.append(["×".join(map(str, shape)), *(milliseconds(one) for one in medians)])
    return rows


def worst(runs: Sequence[Mapping[str, Sequence[float]]], name: str) -> float:
    """Seconds of the shape that takes longest."""
    return max(statistics.median(run[name][k] for run in runs) for k in range(len(SHAPES)))


def main() -> None:
    if sys.argv[1:] == ["--first-calls"]:
        return first_calls()
    chosen = options(__doc__.splitlines()[0], repetitions=(7, "new processes per measurement"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "game.nfg"
        save(named_game("stag-hunt"), path)
        waits = commands(str(path), chosen.repetitions, str(Path(folder) / "bytecode"))
    child = [sys.executable, __file__, "--first-calls"]
    runs = [
        json.loads(subprocess.run(child, check=True, capture_output=True, text=True).stdout)
        for _ in range(chosen.repetitions)
    ]
    typical = {name: statistics.median(seconds) for name, seconds in waits.items()}

    def target(question: str, asked: float, reached: float) -> Target:
        return Target(question, f"≤ {asked:g} s", f"{reached:.2g} s", reached <= asked)

    show(
        [
            Table(
                ["in a new process", "seconds", "fastest", "slowest"],
                [
                    [name, *(format_number(value, 2) for value in (typical[name], min(some), max(some)))]
                    for name, some in waits.items()
                ],
            ),
            Table(["first game of shape", *(f"{name}, ms" for name in CONCEPTS)], shape_rows(runs)),
            target_table(
                [
                    target(
                        "shell command, two-player game",
                        2.5,
                        typical["equipoise solve GAME.nfg --concept rqe"],
                    ),
                    target("import equipoise", 1.5, typical["import equipoise"]),
                    target("import every public name", 1.5, typical["import every public name"]),
                    *(target(f"slowest new shape, {name}", 0.1, worst(runs, name)) for name in CONCEPTS),
                ]
            ),
        ],
        [
            f"Wall-clock time, median of {chosen.repetitions} new processes (one where nothing is compiled).",
            f"Random games with standard normal payoffs, seed {SEED}; certificates included.",
        ],
        peers=[],
        markdown=chosen.markdown,
    )


if __name__ == "__main__":
    main()
