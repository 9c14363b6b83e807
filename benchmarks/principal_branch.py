"""Does the fast route to the principal branch ever end on another equilibrium?

    python benchmarks/principal_branch.py [--markdown] [--games 4000]

`_leap` solves mild games by mutual answers. Every game it solves is followed again from uniform play along
the path, in steps of at most a twentieth, and the two answers are compared. Both routes share the equations,
so this checks the branch; that the equations are right is checked elsewhere, by certificates and by Gambit.
"""

from __future__ import annotations

from _measure import options, show

# isort: split
import numpy as np

from equipoise.equilibria._branch import Rules, from_uniform, stack, system_for
from equipoise.equilibria._leap import leap
from equipoise.equilibria._path import follow
from equipoise.reporting.tables import Table

SHAPES = ((5, 5), (3, 3, 3), (2, 8), (2, 2))
PRECISIONS = (0.5, 1.0, 1.5, 2.0, 3.0)
RISKS = (0.0, 1.0)
SAME = 1e-6  # largest difference of strategies on the same branch
TINY = 0.05


def compare(shape: tuple[int, ...], precision: float, tau: float, games: int) -> tuple[int, int, int]:
    """Games solved by mutual answers, those of them on another branch, and those the path lost."""
    rng = np.random.default_rng([*shape, int(10 * precision), int(tau)])
    payoffs = [rng.standard_normal((games, *shape)) for _ in shape]
    batch = stack(payoffs, np.array(tau), np.array(1.0 / precision), Rules())
    quick = leap(system_for(batch), batch.parameters())
    solved = np.flatnonzero(quick.solved)
    if not solved.size:
        return 0, 0, 0
    part = batch.take(solved)
    system = system_for(part)
    schedule, end = from_uniform(part)
    start = system.start(schedule(np.zeros(solved.size), np.arange(solved.size))[0])
    slow = follow(system, schedule, start, end, max_step=TINY)
    pairs = zip(system.responses(quick.x[:, solved]), system.responses(slow.x), strict=True)
    apart = np.max([np.abs(a.strategy - b.strategy).max(axis=0) for a, b in pairs], axis=0)
    return solved.size, int((slow.arrived & (apart > SAME)).sum()), int((~slow.arrived).sum())


def main() -> None:
    asked = options(__doc__, games=(4000, "games of every shape, precision and risk aversion"))
    rows = []
    for shape in SHAPES:
        counts = [compare(shape, precision, tau, asked.games) for precision in PRECISIONS for tau in RISKS]
        rows.append(
            ["×".join(map(str, shape)), asked.games * len(counts), *map(sum, zip(*counts, strict=True))]
        )
    rows.append(["all", *map(sum, list(zip(*rows, strict=True))[1:])])
    columns = ["games", "tried", "solved by mutual answers", "on another branch", "path lost"]
    notes = [
        f"Standard normal payoffs; λ in {PRECISIONS}, τ in {RISKS} (KL, entropy), equal numbers of each.",
        f"Steps of the path: at most {TINY}. On another branch: a probability differs by more than {SAME:g}.",
    ]
    show([Table(columns, rows, "Which branch")], notes, peers=[], markdown=asked.markdown)


if __name__ == "__main__":
    main()
