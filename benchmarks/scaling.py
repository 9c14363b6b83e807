"""How does time grow with the number of actions and of players?

    python benchmarks/scaling.py [--markdown] [--picture FILE.png] [--actions 500] [--players 8]

Every game is solved alone, certificate included, as one call of `equipoise.solve`.
"""

from __future__ import annotations

from _measure import cpu_seconds, logit_residual, milliseconds, options, show

# isort: split
from collections.abc import Iterator, Sequence

import numpy as np

import equipoise as eqp
from equipoise.games import NormalFormGame
from equipoise.reporting.style import MARKERS, PALETTE, canvas, save, styled
from equipoise.reporting.tables import Table

SEED = 7
GAMES = 3  # random games per size, each solved alone
PRECISION = 4.0
QRE = eqp.QRE(PRECISION)
RQE = eqp.RQE(risk_aversion=1.0, bounded_rationality=1.0 / PRECISION)
SIZES = (2, 3, 5, 10, 20, 50, 100, 200, 500)
LONG = 1.0  # seconds; what takes longer is measured once


def shapes(actions: int, players: int) -> Iterator[tuple[int, ...]]:
    """Two players with more and more actions, then more and more players with two."""
    yield from ((count, count) for count in SIZES if count <= actions)
    yield from ((2,) * count for count in range(3, players + 1))


def median_seconds(games: Sequence[NormalFormGame], concept: eqp.QRE | eqp.RQE) -> tuple[float, list]:
    """Median time of one game, and the solutions."""
    found = [cpu_seconds(lambda game=game: eqp.solve(game, concept), 1) for game in games]
    seconds = float(np.median([one for one, _ in found]))
    if seconds < LONG:
        seconds = float(
            np.median([cpu_seconds(lambda game=game: eqp.solve(game, concept))[0] for game in games])
        )
    return seconds, [solution for _, solution in found]


@styled
def picture(rows: Sequence[tuple[tuple[int, ...], float, float]]):
    """Both growths side by side on logarithmic time axes."""
    figure, axes = canvas(8.0, 3.6, 1, 2)
    two = [row for row in rows if len(row[0]) == 2]
    many = [row for row in rows if set(row[0]) == {2}]
    every = [seconds for row in rows for seconds in row[1:]]
    limits = (min(every) / 1.5, max(every) * 1.5)
    for ax, some, x, label in (
        (axes[0], two, [row[0][0] for row in two], "actions of each of two players"),
        (axes[1], many, [len(row[0]) for row in many], "players with two actions each"),
    ):
        for k, name in enumerate(("QRE", "RQE")):
            y = [row[1 + k] for row in some]
            ax.plot(x, y, marker=MARKERS[k], color=PALETTE[k], label=name, markeredgecolor="white")
        ax.set(yscale="log", ylim=limits, xlabel=label)
    axes[0].set(xscale="log", ylabel="CPU seconds per game")
    axes[1].set_xticks([len(row[0]) for row in many])
    axes[0].legend()
    return figure


def main() -> None:
    chosen = options(
        __doc__.splitlines()[0],
        actions=(max(SIZES), "largest number of actions"),
        players=(8, "largest number of players"),
        picture=("", "file to draw the growth to"),
    )
    rng = np.random.default_rng(SEED)
    for concept in (QRE, RQE):
        eqp.solve(NormalFormGame(list(rng.standard_normal((2, 2, 2)))), concept)
    rows: list[list[object]] = []
    drawn: list[tuple[tuple[int, ...], float, float]] = []
    for shape in shapes(chosen.actions, chosen.players):
        games = [NormalFormGame(list(rng.standard_normal((len(shape), *shape)))) for _ in range(GAMES)]
        plain, answers = median_seconds(games, QRE)
        averse, careful = median_seconds(games, RQE)
        residual = max(
            logit_residual(g.payoffs, s.strategies, PRECISION) for g, s in zip(games, answers, strict=True)
        )
        gap = max(s.certificate.gap for s in careful)
        good = all(s.converged for s in (*answers, *careful))
        many = len(shape) > 3
        name = f"2 to the {len(shape)}" if many else "×".join(map(str, shape))
        rows.append(
            [
                name,
                milliseconds(plain),
                milliseconds(averse),
                f"{averse / plain:.1f}",
                f"{residual:.0e}",
                f"{gap:.0e}",
                good,
            ]
        )
        drawn.append((shape, plain, averse))
    if chosen.picture:
        save(picture(drawn), chosen.picture)
    headings = ["actions", "QRE, ms", "RQE, ms", "RQE / QRE", "QRE residual", "RQE gap", "converged"]
    show(
        [Table(headings, rows)],
        [
            f"{GAMES} random games per size (standard normal payoffs, seed {SEED}), each solved alone: QRE "
            f"at λ = {PRECISION:g}, RQE at τ = 1, ε = {1 / PRECISION:g} with the kl penalty. Medians of CPU "
            "time, certificates included.",
            "Residual: max |π − softmax(λ u(π))|. Gap: certified exploitability in the risk-averse game.",
        ],
        peers=[],
        markdown=chosen.markdown,
    )


if __name__ == "__main__":
    main()
