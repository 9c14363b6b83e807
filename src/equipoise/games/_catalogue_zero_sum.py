"""Catalogue: zero-sum and constant-sum games of two players."""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Float

from equipoise.games._catalogue_entry import CatalogueEntry, entry, zero_sum


def zero_sum_games() -> list[CatalogueEntry]:
    """Zero-sum games, from matching pennies to poker."""
    penalty = np.array([[58.30, 94.97], [92.91, 69.92]])
    kick, keep = 22.99 / 59.66, 25.05 / 59.66
    cards = np.array([[-1, 1, 1, -1], [1, -1, 1, -1], [1, 1, -1, -1], [-1, -1, -1, 1]])
    fifth = [0.2, 0.2, 0.2, 0.2, 0.2]
    third = [1 / 3, 1 / 3, 1 / 3]
    morra = [[0, 0.6, 0.4, 0], [0, 4 / 7, 3 / 7, 0]]
    return [
        entry(
            "matching-pennies",
            "Matching pennies",
            zero_sum([[1, -1], [-1, 1]]),
            "heads tails",
            "The smallest game without an equilibrium in pure strategies.",
            "von Neumann and Morgenstern (1944), Theory of Games and Economic Behavior, Princeton",
            [([0.5, 0.5], [0.5, 0.5])],
            tags="zero-sum mixed",
        ),
        entry(
            "rock-paper-scissors",
            "Rock, paper, scissors",
            zero_sum([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]),
            "rock paper scissors",
            "Three actions that beat one another in a cycle.",
            "von Neumann and Morgenstern (1944), Theory of Games and Economic Behavior, Princeton",
            [(third, third)],
            tags="zero-sum symmetric cycle",
        ),
        entry(
            "biased-rock-paper-scissors",
            "Rock, paper, scissors with a threefold win of rock",
            zero_sum([[0, -1, 3], [1, 0, -1], [-3, 1, 0]]),
            "rock paper scissors",
            "The winning bonus of rock over scissors makes paper the most frequent action.",
            "Payoffs chosen here",
            [([0.2, 0.6, 0.2], [0.2, 0.6, 0.2])],
            tags="zero-sum symmetric cycle",
        ),
        entry(
            "rock-paper-scissors-lizard-spock",
            "Rock, paper, scissors, lizard, Spock",
            zero_sum(_tournament(5, {0: (2, 3), 1: (0, 4), 2: (1, 3), 3: (1, 4), 4: (0, 2)})),
            "rock paper scissors lizard Spock",
            "Every action beats two others; the regular tournament has one equilibrium.",
            "Fisher and Ryan (1992), American Mathematical Monthly 99(10), 935-942",
            [(fifth, fifth)],
            tags="zero-sum symmetric cycle",
        ),
        entry(
            "hide-and-seek",
            "Hide and seek",
            zero_sum(np.diag([1, 2, 3])),
            "1 2 3",
            "The seeker wins the value of the place where it finds the hider; valuable places are used less.",
            "von Neumann (1953), Contributions to the Theory of Games II, Princeton, 5-12; payoffs ours",
            [([6 / 11, 3 / 11, 2 / 11], [6 / 11, 3 / 11, 2 / 11])],
            tags="zero-sum mixed",
            players=["Seeker", "Hider"],
        ),
        entry(
            "two-by-three",
            "Zero-sum game with two and three actions",
            zero_sum([[2, 3, 11], [7, 5, 2]]),
            ["1 2", "1 2 3"],
            "Solved by drawing the lower envelope of three lines; the value is 49/11.",
            "Dresher (1961), Games of Strategy: Theory and Applications, Prentice-Hall; payoffs chosen here",
            [([3 / 11, 8 / 11], [0, 9 / 11, 2 / 11])],
            tags="zero-sum mixed rectangular",
        ),
        entry(
            "oneill",
            "O'Neill's card game",
            zero_sum(cards),
            "ace two three joker",
            "One equilibrium, whatever the players think of money, as there are only two outcomes.",
            "O'Neill (1987), Proceedings of the National Academy of Sciences 84(7), 2106-2109",
            [([0.2, 0.2, 0.2, 0.4], [0.2, 0.2, 0.2, 0.4])],
            tags="zero-sum mixed experiment",
        ),
        entry(
            "penalty-kick",
            "Penalty kick",
            [penalty, 100 - penalty],
            ["left right", "left right"],
            "Scoring rates of professionals, whose observed play is close to the equilibrium.",
            "Palacios-Huerta (2003), Review of Economic Studies 70(2), 395-415",
            [([kick, 1 - kick], [keep, 1 - keep])],
            tags="constant-sum mixed experiment",
            players=["Kicker", "Goalkeeper"],
        ),
        entry(
            "bismarck-sea",
            "Battle of the Bismarck Sea",
            zero_sum([[2, 2], [1, 3]]),
            "north south",
            "The northern route is weakly dominant for the convoy: a saddle point that is not the only one.",
            "Haywood (1954), Journal of the Operations Research Society of America 2(4), 365-385",
            [(0, 0), (0, [0.5, 0.5])],
            complete=False,
            tags="zero-sum degenerate",
            players=["Kenney", "Kimura"],
        ),
        entry(
            "two-finger-morra",
            "Two-finger Morra",
            zero_sum([[0, 2, -3, 0], [-2, 0, 0, 3], [3, 0, 0, -4], [0, -3, 4, 0]]),
            "1-guess-1 1-guess-2 2-guess-1 2-guess-2",
            "A fair game whose optimal strategies form a segment.",
            "Chvátal (1983), Linear Programming, Freeman, chapter 15",
            list(itertools.product(morra, morra)),
            complete=False,
            tags="zero-sum symmetric degenerate",
        ),
        _blotto(),
        _kuhn_poker(),
    ]


def _tournament(count: int, beats: dict[int, tuple[int, ...]]) -> Float[np.ndarray, "actions actions"]:
    matrix = np.zeros((count, count))
    for winner, losers in beats.items():
        for loser in losers:
            matrix[winner, loser], matrix[loser, winner] = 1.0, -1.0
    return matrix


def _blotto() -> CatalogueEntry:
    soldiers = 5
    allocations = [(a, b, soldiers - a - b) for a in range(soldiers + 1) for b in range(soldiers - a + 1)]
    table = np.array(allocations)
    won = np.sum(np.sign(table[:, None, :] - table[None, :, :]), axis=-1)
    law = [1 / 6 if sorted(allocation) == [0, 2, 3] else 0.0 for allocation in allocations]
    return entry(
        "colonel-blotto",
        "Colonel Blotto with five soldiers on three fields",
        zero_sum(np.sign(won)),
        " ".join("-".join(map(str, allocation)) for allocation in allocations),
        "Whoever sends more wins a field, whoever wins more fields wins; five soldiers are best "
        "split 3, 2, 0 in random order.",
        "Borel (1921), translated in Econometrica 21(1), 97-100 (1953); Hart (2008), International Journal "
        "of Game Theory 36(3), 441-460",
        [(law, law)],
        complete=False,
        tags="zero-sum symmetric large",
    )


def _kuhn_poker() -> CatalogueEntry:
    """Kuhn's poker with its 27 by 64 pure strategies and the two ends of the equilibrium segment."""
    # Per card: the first player bets, checks and folds to a bet, or checks and calls; the second answers
    # a bet (f fold, c call) and a check (k check, b bet).
    first = list(itertools.product("bfc", repeat=3))
    second = list(itertools.product(("fk", "fb", "ck", "cb"), repeat=3))
    payoffs = np.zeros((len(first), len(second)))
    for (i, one), (j, two) in itertools.product(enumerate(first), enumerate(second)):
        for c, d in itertools.permutations(range(3), 2):
            high = 1 if c > d else -1
            if one[c] == "b":
                won = 2 * high if two[d][0] == "c" else 1
            elif two[d][1] == "k":
                won = high
            else:
                won = 2 * high if one[c] == "c" else -1
            payoffs[i, j] += won / 6

    def first_law(alpha: float) -> list[float]:
        per_card = [
            {"b": alpha, "f": 1 - alpha, "c": 0.0},
            {"b": 0.0, "f": 2 / 3 - alpha, "c": alpha + 1 / 3},
            {"b": 3 * alpha, "f": 0.0, "c": 1 - 3 * alpha},
        ]
        return [
            float(np.prod([law[move] for law, move in zip(per_card, plan, strict=True)])) for plan in first
        ]

    answers = [
        {"fk": 2 / 3, "fb": 1 / 3, "ck": 0.0, "cb": 0.0},
        {"fk": 2 / 3, "fb": 0.0, "ck": 1 / 3, "cb": 0.0},
        {"fk": 0.0, "fb": 0.0, "ck": 0.0, "cb": 1.0},
    ]
    second_law = [
        float(np.prod([law[move] for law, move in zip(answers, plan, strict=True)])) for plan in second
    ]
    return entry(
        "kuhn-poker",
        "Kuhn poker in normal form",
        zero_sum(payoffs),
        [" ".join("".join(plan) for plan in first), " ".join("-".join(plan) for plan in second)],
        "Three cards, one bet: bluffing and slow-playing are optimal, and the first player loses 1/18.",
        "Kuhn (1950), Contributions to the Theory of Games I, Princeton, 97-103",
        [(first_law(0.0), second_law), (first_law(1 / 3), second_law)],
        complete=False,
        tags="zero-sum large degenerate",
    )
