"""Backward induction in the cliff walk, beside gradient play in every state as the authors' program does it.

    python benchmarks/markov_backward.py

The peer is our own loop in plain Python and NumPy with the published settings of the authors' program: in
every state, four players (two agents and their adversaries) take projected gradient steps at the same time,
of size 0.001/(t + 1) at the t-th step from the end, until both agents' strategies move by less than 1e-5 or
1,000 steps are made. It is timed on a sample of the stage games of the exact solution, and compared with it.
"""

from _measure import Target, cpu_seconds, options, show, target_table  # isort: skip

import numpy as np

import equipoise as eqp
from equipoise.equilibria._chance import worth
from equipoise.games.grid_worlds import cliff_walk
from equipoise.reporting.tables import Table

AUTHORS = eqp.RQE(0.1, 10.0, "kl", "log_barrier", regularizer_in_value=False)
SHARP = eqp.RQE(1.0, 1.0, "kl", "log_barrier", regularizer_in_value=False)
FLOOR = 1e-8


def project(point: np.ndarray) -> np.ndarray:
    """Euclidean projection on the simplex."""
    falling = np.sort(point)[::-1]
    excess = (np.cumsum(falling) - 1.0) / np.arange(1, len(point) + 1)
    return np.maximum(point - excess[np.flatnonzero(falling > excess)[-1]], 0.0)


def gradient_play(
    r1: np.ndarray, r2: np.ndarray, tau: float, eps: float, rate: float, rng
) -> list[np.ndarray]:
    """Projected gradient steps of two players and their adversaries in one stage game."""
    x, y = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(4))
    p, q = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(4))  # adversaries of x and of y
    r2 = r2.T
    for _ in range(1000):
        steps = (
            -r1 @ p - eps / x,
            -r2 @ q - eps / y,
            r1.T @ x + (np.log(p / y) + 1.0) / tau,
            r2.T @ y + (np.log(q / x) + 1.0) / tau,
        )
        new = [
            project(np.clip(z - rate * g, FLOOR, 1.0 - FLOOR))
            for z, g in zip((x, y, p, q), steps, strict=True)
        ]
        new = [np.clip(z, FLOOR, 1.0) for z in new]
        moved = max(np.abs(new[0] - x).sum(), np.abs(new[1] - y).sum())
        x, y, p, q = new
        if moved < 1e-5:
            break
    return [x, y]


def row(name: str, game: eqp.MarkovGame, concept: eqp.RQE, sample: int) -> list[object]:
    """One line of the table."""
    ours, solution = cpu_seconds(lambda: eqp.solve(game, concept), repetitions=1)
    rng = np.random.default_rng(0)
    tau, eps = float(concept.risk_aversion), float(concept.bounded_rationality)
    games = []
    for state in rng.choice(game.num_states, sample, replace=False):
        step = game.horizon - 1 - int(rng.integers(min(game.horizon, 15)))
        ahead = solution.details["values"][step + 1]
        payoffs = game.rewards_at(step) + worth(game, ahead, step, np.full(2, tau), "kl")
        games.append((step, int(state), payoffs[:, state]))

    def play() -> list[list[np.ndarray]]:
        return [
            gradient_play(r[0], r[1], tau, eps, 0.001 / (game.horizon - step), rng) for step, _, r in games
        ]

    theirs, found = cpu_seconds(play, repetitions=1)
    errors = [
        np.abs(mine[i] - solution.strategies[i][step, state]).max()
        for (step, state, _), mine in zip(games, found, strict=True)
        for i in range(2)
    ]
    stages = game.num_states * game.horizon
    return [
        name,
        stages,
        ours,
        1e3 * ours / stages,
        1e3 * theirs / sample,
        theirs / sample * stages / ours,
        float(np.median(errors)),
        float(np.max(errors)),
        float(solution.certificate.gap),
    ]


def main() -> None:
    chosen = options(
        __doc__.splitlines()[0],
        sample=(40, "stage games that gradient play is timed on"),
        small=(0, "1: the map 4x3 only"),
    )
    small, large = cliff_walk("code"), cliff_walk("paper")
    eqp.solve(small, AUTHORS)  # the first call imports what it needs
    rows = [
        row("4x3, H = 15, τ .1, ε 10", small, AUTHORS, chosen.sample),
        row("4x3, H = 15, τ 1, ε 1", small, SHARP, chosen.sample),
    ]
    targets = []
    if not chosen.small:
        rows += [
            row("6x6, H = 200, τ .1, ε 10", large, AUTHORS, chosen.sample),
            row("6x6, H = 200, τ 1, ε 1", large, SHARP, chosen.sample),
        ]
        seconds = float(rows[2][2])
        targets = [
            Target(
                "cliff walk 6x6, 200 moves, the authors' τ and ε", "10 s", f"{seconds:.1f} s", seconds < 10.0
            )
        ]
    heads = ["cliff walk", "stage games", "exact, s", "exact, ms per game", "gradient play, ms per game"]
    show(
        [
            Table([*heads, "ratio", "its median error", "its largest error", "certified gap"], rows),
            target_table(targets),
        ],
        [
            "CPU time of one run, certificate included. KL and log-barrier, values without the regularizer; "
            "τ .1, ε 10 are the authors' numbers.",
            f"Gradient play is timed on {chosen.sample} stage games among the last 15 steps; its error is "
            "the largest difference of a probability to the exact equilibrium of the same stage game.",
        ],
        peers=[],
        markdown=chosen.markdown,
    )


if __name__ == "__main__":
    main()
