"""How fast and how exact are Nash equilibria of two-player games beside nashpy, QuantEcon and Gambit?

    python benchmarks/nash_against_peers.py [--markdown] [--repetitions 3]

One equilibrium by Lemke and Howson's path, and all equilibria, on random games. Games are built beforehand.
"""

from __future__ import annotations

from _measure import cpu_seconds, milliseconds, options, show

# isort: split
import signal
import warnings
from collections.abc import Callable, Sequence

import nashpy
import numpy as np
import pygambit
import quantecon.game_theory as quantecon

from equipoise.equilibria import Nash, all_nash_equilibria, nash_gap, solve
from equipoise.equilibria._polytope import extreme_equilibria, lemke_howson
from equipoise.games import NormalFormGame
from equipoise.reporting.tables import Table

SEED = 5
LIMIT = 1.0  # CPU seconds after which a method gives up a game
ONE = ((5, 30), (10, 20), (20, 10), (50, 5))  # actions, games
ALL = ((3, 50), (5, 20), (7, 3))

FIRST = NormalFormGame(list(np.random.default_rng(SEED).standard_normal((2, 3, 3))))

Pair = tuple[np.ndarray, np.ndarray]
Method = tuple[Callable[[NormalFormGame], object], Callable[[object], list[Pair]]]


def to_quantecon(game: NormalFormGame) -> quantecon.NormalFormGame:
    return quantecon.NormalFormGame([quantecon.Player(np.array(game.own_first(i))) for i in range(2)])


def to_gambit(game: NormalFormGame) -> pygambit.Game:
    return pygambit.StrategicGame.from_arrays(*game.payoffs)


def from_gambit(profile, actions: Sequence[int]) -> Pair:
    first, second = (
        np.array([float(player[str(a + 1)]) for a in range(count)])
        for player, count in zip(profile, actions, strict=True)
    )
    return first, second


# For each method how it builds a game, and how it answers.
ONE_METHODS: dict[str, Method] = {
    "Equipoise, lemke_howson": (lambda g: g, lambda g: [lemke_howson(g, 0)[0]]),
    "Equipoise, solve with certificate": (
        lambda g: g,
        lambda g: [solve(g, Nash("lemke_howson")).strategies],
    ),
    "QuantEcon, lemke_howson": (to_quantecon, lambda g: [quantecon.lemke_howson(g, 0)]),
    "nashpy, lemke_howson": (lambda g: nashpy.Game(*g.payoffs), lambda g: [g.lemke_howson(0)]),
    "Gambit, lcp_solve": (
        to_gambit,
        lambda g: list(pygambit.nash.lcp_solve(g, rational=False, stop_after=1).equilibria),
    ),
}
ALL_METHODS: dict[str, Method] = {
    "Equipoise, extreme_equilibria": (lambda g: g, extreme_equilibria),
    "Equipoise, all_nash_equilibria": (lambda g: g, lambda g: [s.strategies for s in all_nash_equilibria(g)]),
    "QuantEcon, vertex_enumeration": (to_quantecon, quantecon.vertex_enumeration),
    "QuantEcon, support_enumeration": (to_quantecon, quantecon.support_enumeration),
    "nashpy, vertex_enumeration": (lambda g: nashpy.Game(*g.payoffs), lambda g: list(g.vertex_enumeration())),
    "nashpy, support_enumeration": (
        lambda g: nashpy.Game(*g.payoffs),
        lambda g: list(g.support_enumeration()),
    ),
    "Gambit, enummixed_solve": (
        to_gambit,
        lambda g: list(pygambit.nash.enummixed_solve(g, rational=False).equilibria),
    ),
}


class Late(Exception):  # noqa: N818
    """A method has used up its time for a game."""


def within(limit: float, answer: Callable[[object], list], game: object) -> list | None:
    """The answer to a game, or None where it takes more CPU seconds than allowed."""

    def late(*_: object) -> None:
        raise Late

    previous = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit)
    try:
        return answer(game)
    except Late:
        return None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, previous)


def measure(
    methods: dict[str, Method], actions: int, count: int, runs: int, rng: np.random.Generator
) -> list[list[object]]:
    """One row per method: time per game, games given up, largest gap, answers, games with another number."""
    games = [NormalFormGame(list(p)) for p in rng.standard_normal((count, 2, actions, actions))]
    rows: list[list[object]] = []
    expected: list[int] = []
    for name, (build, answer) in methods.items():
        # Some compile or import on their first call.
        answer(build(FIRST))
        built = [build(game) for game in games]
        # Which games would take for ever?
        found = [within(LIMIT, answer, one) for one in built]
        timed = [one for one, answers in zip(built, found, strict=True) if answers is not None]
        seconds, _ = cpu_seconds(lambda answer=answer, timed=timed: [answer(g) for g in timed], runs)
        profiles = [
            [one if isinstance(one, tuple) else from_gambit(one, game.num_actions) for one in answers or []]
            for game, answers in zip(games, found, strict=True)
        ]
        counts = [len(some) for some in profiles]
        expected = expected or counts
        gaps = [gap(game, pair) for game, some in zip(games, profiles, strict=True) for pair in some]
        rows.append(
            [
                f"{count} of {actions}×{actions}",
                name,
                milliseconds(seconds / len(timed)) if timed else None,
                f"{max(gaps):.0e}" if gaps else None,
                count - len(timed),
                sum(counts),
                sum(a != b for a, b in zip(counts, expected, strict=True)),
            ]
        )
    return rows


def gap(game: NormalFormGame, pair: Pair) -> float:
    """Exploitability; infinite where the answer is no pair of strategies."""
    if any(x.shape != (n,) or not np.isfinite(x).all() for x, n in zip(pair, game.num_actions, strict=True)):
        return float("inf")
    return float(nash_gap(game, tuple(np.asarray(x, float) for x in pair))[0])


def study(methods: dict[str, Method], sizes: Sequence[tuple[int, int]], runs: int) -> list[list[object]]:
    rng = np.random.default_rng(SEED)
    return [row for actions, count in sizes for row in measure(methods, actions, count, runs, rng)]


def main() -> None:
    chosen = options(__doc__.splitlines()[0], repetitions=(3, "runs of which the median counts"))
    with warnings.catch_warnings():
        # Peers warn about games they take for degenerate; the tables show what came of it.
        warnings.simplefilter("ignore")
        one = study(ONE_METHODS, ONE, chosen.repetitions)
        every = study(ALL_METHODS, ALL, chosen.repetitions)
    headings = ["games", "method", "CPU ms per game", "largest gap", "given up"]
    show(
        [
            Table(headings, [row[:5] for row in one], "One equilibrium"),
            Table([*headings, "equilibria", "games that differ"], every, "All equilibria"),
        ],
        [
            f"Payoffs are independent standard normal numbers, seed {SEED}, so that every game has an odd "
            "number of equilibria. Times are CPU time of the games that were answered, the median of several "
            f"runs; a game is given up after {LIMIT:g} s.",
            "The gap is the sum over players of what the best action would gain, computed for all by the "
            "same function.",
            "“Games that differ” have another number of equilibria than in the first row.",
        ],
        peers=["nashpy", "quantecon", "pygambit"],
        markdown=chosen.markdown,
    )


if __name__ == "__main__":
    main()
