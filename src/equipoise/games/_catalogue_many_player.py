"""Catalogue: games of three players."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import permutations, product
from math import sqrt

import numpy as np
from jaxtyping import Float

from equipoise.games._catalogue_entry import CatalogueEntry, entry
from equipoise.games._checks import Numbers


def many_player_games() -> list[CatalogueEntry]:
    """Three-player games: public goods, crowds, cycles and an irrational equilibrium."""
    d = sqrt(0.4)
    g = sqrt(0.5)
    r = (sqrt(601) - 23) / 4
    p, q = (3 - 2 * r) / (4 - r), (2 - r) / (3 + r)
    half = [0.5, 0.5]
    return [
        entry(
            "volunteers-dilemma",
            "Volunteer's dilemma for three",
            _symmetric_counts(lambda own, others: 0.6 if own else float(others > 0)),
            "wait volunteer",
            "One volunteer is enough for all; the more there are to volunteer, the less each one does.",
            "Diekmann (1985), Journal of Conflict Resolution 29(4), 605-610",
            [
                *_orders([1, 0, 0]),
                ([d, 1 - d], [d, 1 - d], [d, 1 - d]),
                *_orders([0, [0.4, 0.6], [0.4, 0.6]]),
            ],
            tags="symmetric free-riding three-player",
        ),
        entry(
            "public-goods",
            "Public good for three",
            _symmetric_counts(lambda own, others: 1 - own + 0.5 * (own + others)),
            "keep contribute",
            "Each coin given returns a coin and a half to the group but only half of one to the giver.",
            "Isaac and Walker (1988), Quarterly Journal of Economics 103(1), 179-199; payoffs chosen here",
            [(0, 0, 0)],
            tags="symmetric dilemma free-riding dominance three-player",
        ),
        entry(
            "diners-dilemma",
            "Diner's dilemma for three",
            _symmetric_counts(lambda own, others: 12 + 6 * own - (3 * 10 + 12 * (own + others)) / 3),
            "cheap expensive",
            "The bill is shared, so everybody orders the dish that nobody would have ordered alone.",
            "Gneezy, Haruvy and Yafe (2004), Economic Journal 114, 265-280; payoffs chosen here",
            [(1, 1, 1)],
            tags="symmetric dilemma dominance three-player",
        ),
        entry(
            "el-farol",
            "El Farol bar with two seats for three",
            _symmetric_counts(lambda own, others: 0 if not own else 1 if others < 2 else -1),
            "stay go",
            "Going out is fun unless everybody does.",
            "Arthur (1994), American Economic Review 84(2), 406-411; payoffs chosen here",
            [
                *_orders([0, 1, 1]),
                ([1 - g, g], [1 - g, g], [1 - g, g]),
                *_orders([1, half, half]),
            ],
            tags="symmetric crowd three-player",
        ),
        entry(
            "minority",
            "Minority game for three",
            _symmetric_counts(lambda own, others: float(others == (0 if own else 2))),
            "left right",
            "Only a player who is alone on its side wins, so those in the majority can do nothing about it.",
            "Challet and Zhang (1997), Physica A 246, 407-418",
            [*_orders([0, 1, 1]), *_orders([1, 0, 0]), (half, half, half)],
            complete=False,
            tags="symmetric crowd degenerate three-player",
        ),
        entry(
            "jordan",
            "Matching pennies for three",
            _jordan(),
            "heads tails",
            "Each wants to match the next, the last to differ from the first; simple learning rules cycle.",
            "Jordan (1993), Games and Economic Behavior 5(3), 368-386",
            [(half, half, half)],
            tags="cycle three-player",
        ),
        entry(
            "jordan-with-exit",
            "Matching pennies for three with a poor way out",
            np.concatenate(
                [_jordan(), np.array([-2.0, 0.0, 0.0])[:, None, None, None] * np.ones((3, 1, 2, 2))], 1
            ),
            ["heads tails leave", "heads tails", "heads tails"],
            "The first player has a third, dominated action: unequal numbers of actions.",
            "Payoffs chosen here, after Jordan (1993), Games and Economic Behavior 5(3), 368-386",
            [([0.5, 0.5, 0], half, half)],
            tags="cycle dominance rectangular three-player",
        ),
        entry(
            "irrational",
            "Three-player game with one irrational equilibrium",
            _stack(
                {
                    (0, 0, 0): (3, 0, 2),
                    (1, 0, 0): (0, 1, 0),
                    (0, 1, 0): (0, 2, 0),
                    (1, 1, 0): (1, 0, 0),
                    (0, 0, 1): (1, 0, 0),
                    (1, 0, 1): (0, 3, 0),
                    (0, 1, 1): (0, 1, 0),
                    (1, 1, 1): (2, 0, 3),
                }
            ),
            ["top bottom", "left right", "1 2"],
            "All payoffs are whole numbers, yet the only equilibrium contains the square root of 601.",
            "Nau, Gomez Canovas and Hansen (2004), International Journal of Game Theory 32(4), 443-453",
            [([p, 1 - p], [q, 1 - q], [r, 1 - r])],
            tags="mixed three-player",
        ),
        entry(
            "seltens-horse",
            "Selten's horse",
            _stack(
                {
                    (0, 0, 0): (1, 1, 1),
                    (0, 0, 1): (1, 1, 1),
                    (0, 1, 0): (4, 4, 0),
                    (0, 1, 1): (0, 0, 1),
                    (1, 0, 0): (3, 2, 2),
                    (1, 0, 1): (0, 0, 0),
                    (1, 1, 0): (3, 2, 2),
                    (1, 1, 1): (0, 0, 0),
                }
            ),
            "R L",
            "Two families of equilibria, of which only one survives small mistakes.",
            "Selten (1975), International Journal of Game Theory 4(1), 25-55",
            [(0, 0, 1), (0, 0, [0.25, 0.75]), (1, 0, 0)],
            complete=False,
            tags="degenerate three-player",
        ),
    ]


def _symmetric_counts(payoff: Callable[[int, int], float]) -> Float[np.ndarray, "3 2 2 2"]:
    """Payoffs of three players from one's own action and how many of the others play the second action."""
    table = {
        (a, b, c): (payoff(a, b + c), payoff(b, a + c), payoff(c, a + b))
        for a, b, c in product(range(2), repeat=3)
    }
    return _stack(table)


def _stack(table: Mapping[tuple[int, int, int], Numbers]) -> Float[np.ndarray, "3 2 2 2"]:
    payoffs = np.zeros((3, 2, 2, 2))
    for (a, b, c), values in table.items():
        payoffs[:, a, b, c] = values
    return payoffs


def _jordan() -> Float[np.ndarray, "3 2 2 2"]:
    return _stack(
        {
            (a, b, c): (1 if a == b else -1, 1 if b == c else -1, 1 if c != a else -1)
            for a, b, c in product(range(2), repeat=3)
        }
    )


def _orders(profile: list[int | list[float]]) -> list[tuple[int | list[float], ...]]:
    """The profile with its players exchanged in every way, each once."""
    unique: list[tuple[int | list[float], ...]] = []
    for order in permutations(profile):
        if order not in unique:
            unique.append(order)
    return unique
