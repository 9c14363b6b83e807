"""What the benchmarks share: one thread each, a clock, the machine's facts, tables.

Import this module before anything that imports NumPy: libraries read the number of threads only once.
"""

from __future__ import annotations

import os

for _variable in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
):
    os.environ[_variable] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import argparse
import math
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

import numpy as np

from equipoise.reporting.tables import Table, format_number

T = TypeVar("T")


SHORTEST = 0.1  # seconds; some systems count CPU time in steps of 10 ms


def cpu_seconds(work: Callable[[], T], repetitions: int = 5) -> tuple[float, T]:
    """CPU time of some work in this process, and what it returned.

    Short work is repeated until the clock can tell; the median of so many measurements counts.
    """
    start = time.process_time()
    result = work()
    first = time.process_time() - start
    if first >= SHORTEST:
        loops, measured = 1, [first]
    else:
        loops, measured = math.ceil(SHORTEST / max(first, SHORTEST / 1000)), []
    while len(measured) < repetitions:
        start = time.process_time()
        for _ in range(loops):
            result = work()
        measured.append((time.process_time() - start) / loops)
    return statistics.median(measured), result


def milliseconds(seconds: float) -> str:
    """A time for a table, to three digits."""
    return format_number(1e3 * seconds, 3)


def times(ratio: float) -> str:
    """A ratio for a table: whole from ten on, two digits below."""
    return f"{ratio:.0f}×" if ratio >= 9.95 else f"{ratio:.2g}×"


@dataclass(frozen=True)
class Target:
    """What was asked for, and what was measured.

    Attributes:
        question: what is compared.
        asked: the target in words.
        reached: the measurement in words.
        met: whether the measurement meets the target.
    """

    question: str
    asked: str
    reached: str
    met: bool


def target_table(targets: Sequence[Target]) -> Table:
    """Targets beside measurements, misses as plain as hits."""
    rows = [[one.question, one.asked, one.reached, "yes" if one.met else "NO"] for one in targets]
    return Table(["target", "asked", "reached", "met"], rows)


def options(description: str, **others: tuple[int | str, str]) -> argparse.Namespace:
    """Read the command line: `--markdown`, and options of the script's own with their defaults."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--markdown", action="store_true", help="print Markdown instead of plain tables")
    for name, (default, meaning) in others.items():
        hint = f" (default {default})" if default else ""
        parser.add_argument(f"--{name}", type=type(default), default=default, help=meaning + hint)
    return parser.parse_args()


def show(tables: Sequence[Table], notes: Sequence[str], *, peers: Sequence[str], markdown: bool) -> None:
    """Print the machine, the tables and the notes."""
    facts = machine(peers)
    if markdown:
        print(f"{facts}\n")
        print("\n".join(table.to_markdown() for table in tables))
        print("\n".join(f"- {note}" for note in notes))
        return
    from rich.console import Console

    # Wide, so that no table is cut where there is no terminal.
    console = Console(width=None if sys.stdout.isatty() else 180, highlight=False, markup=False)
    console.print(facts + "\n")
    for table in tables:
        console.print(table.to_rich())
    for note in notes:
        console.print(f"- {note}")


def machine(peers: Sequence[str]) -> str:
    """CPU, cores and versions on one line."""
    packages = ["numpy", "scipy", "equipoise", *peers]
    versions = ", ".join(f"{package} {_version(package)}" for package in packages)
    return (
        f"{_cpu_model()}, {os.cpu_count()} cores, one thread used; {platform.system()}, "
        f"Python {platform.python_version()}, {versions}."
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def logit_residual(
    payoffs: Sequence[np.ndarray], strategies: Sequence[np.ndarray], precision: float
) -> float:
    """Largest |pi - softmax(lambda u(pi))| of one game, from nothing but payoffs and strategies."""
    worst = 0.0
    for i, (tensor, own) in enumerate(zip(payoffs, strategies, strict=True)):
        utility = np.moveaxis(tensor, i, 0)
        for other in reversed([s for j, s in enumerate(strategies) if j != i]):
            utility = utility @ other
        odds = np.exp(precision * (utility - utility.max()))
        worst = max(worst, float(np.abs(own - odds / odds.sum()).max()))
    return worst
