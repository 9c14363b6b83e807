"""Catalogue: two-player games that are not zero-sum."""

from __future__ import annotations

import itertools

import numpy as np

from equipoise.games._catalogue_entry import CatalogueEntry, entry, symmetric


def two_player_games() -> list[CatalogueEntry]:
    """Two-player games with several, mixed, pure or infinitely many equilibria."""
    return [*_dilemmas(), *_coordination(), *_mixed(), *_degenerate()]


def _dilemmas() -> list[CatalogueEntry]:
    travellers = np.array(
        [[min(a, b) + 2 * np.sign(b - a) for b in range(2, 9)] for a in range(2, 9)], dtype=np.float64
    )
    return [
        entry(
            "prisoners-dilemma",
            "Prisoner's dilemma",
            symmetric([[3, 0], [5, 1]]),
            "cooperate defect",
            "Defection is dominant and both are worse off for it.",
            "Axelrod (1980), Journal of Conflict Resolution 24(1), 3-25",
            [(1, 1)],
            tags="symmetric dilemma dominance",
        ),
        entry(
            "deadlock",
            "Deadlock",
            symmetric([[1, 0], [3, 2]]),
            "cooperate defect",
            "Defection is dominant and also what both prefer.",
            "Snyder and Diesing (1977), Conflict among Nations, Princeton; payoffs chosen here",
            [(1, 1)],
            tags="symmetric dominance",
        ),
        entry(
            "travellers-dilemma",
            "Traveller's dilemma, claims 2 to 8, reward 2",
            symmetric(travellers),
            "2 3 4 5 6 7 8",
            "Undercutting by one always pays, down to the smallest claim.",
            "Basu (1994), American Economic Review 84(2), 391-395",
            [(0, 0)],
            tags="symmetric dilemma experiment",
        ),
        entry(
            "dominance-solvable",
            "Dominance-solvable 3x3 game",
            [[[4, 5, 6], [2, 8, 3], [3, 9, 2]], [[3, 1, 2], [1, 4, 6], [0, 6, 8]]],
            ["U M D", "L M R"],
            "Removing strictly dominated actions again and again leaves one profile.",
            "Fudenberg and Tirole (1991), Game Theory, MIT Press, figure 1.1",
            [(0, 0)],
            tags="dominance",
        ),
        entry(
            "collaborate-or-defect",
            "Volunteer's game for two",
            symmetric([[0.6, 0.6], [1, 0]]),
            "collaborate defect",
            "One collaborator is enough for both, so each would rather be the other.",
            "Diekmann (1985), Journal of Conflict Resolution 29(4), 605-610; payoffs as in Qu, Zhang, "
            "Lanzetti and Mazumdar (2026), arXiv 2602.21515, example 4.2",
            [(0, 1), (1, 0), ([0.6, 0.4], [0.6, 0.4])],
            tags="symmetric free-riding bifurcation",
        ),
    ]


def _coordination() -> list[CatalogueEntry]:
    effort = np.array([[0.6 + 0.2 * min(a, b) - 0.1 * a for b in range(1, 8)] for a in range(1, 8)])
    return [
        entry(
            "stag-hunt",
            "Stag hunt",
            symmetric([[4, 0], [3, 3]]),
            "stag hare",
            "Hunting stag pays more but only if both do; hare is safe.",
            "Skyrms (2004), The Stag Hunt, Cambridge University Press; payoffs chosen here",
            [(0, 0), (1, 1), ([0.75, 0.25], [0.75, 0.25])],
            tags="symmetric coordination bifurcation",
        ),
        entry(
            "risk-dominance",
            "Risk dominance against payoff dominance",
            symmetric([[9, 0], [8, 7]]),
            "risky safe",
            "The better equilibrium is the riskier one, and promises to play it are not believable.",
            "Aumann (1990), in Gabszewicz, Richard and Wolsey, Economic Decision-Making, 201-206",
            [(0, 0), (1, 1), ([0.875, 0.125], [0.875, 0.125])],
            tags="symmetric coordination",
        ),
        entry(
            "coordination",
            "Pure coordination",
            symmetric(np.eye(2)),
            "left right",
            "All that matters is to choose the same.",
            "Schelling (1960), The Strategy of Conflict, Harvard University Press",
            [(0, 0), (1, 1), ([0.5, 0.5], [0.5, 0.5])],
            tags="symmetric coordination",
        ),
        entry(
            "ranked-coordination",
            "Coordination on three ranked conventions",
            symmetric(np.diag([1, 2, 3])),
            "1 2 3",
            "Every set of conventions supports an equilibrium: seven in all, the fully mixed one the worst.",
            "Payoffs chosen here, after Harsanyi and Selten (1988), A General Theory of Equilibrium "
            "Selection in Games, MIT Press",
            _diagonal_equilibria([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]),
            tags="symmetric coordination",
        ),
        entry(
            "three-way-battle",
            "Battle with a compromise",
            [np.diag([3, 2, 1]), np.diag([1, 2, 3])],
            "mine-or-yours compromise yours-or-mine",
            "Three conventions, one better for each player and one in between: seven equilibria.",
            "Payoffs chosen here, after Luce and Raiffa (1957), Games and Decisions, Wiley",
            _diagonal_equilibria([3.0, 2.0, 1.0], [1.0, 2.0, 3.0]),
            tags="coordination",
        ),
        entry(
            "battle-of-the-sexes",
            "Battle of the sexes",
            [np.diag([2, 1]), np.diag([1, 2])],
            "opera boxing",
            "Both want to meet but disagree where.",
            "Luce and Raiffa (1957), Games and Decisions, Wiley",
            [(0, 0), (1, 1), ([2 / 3, 1 / 3], [1 / 3, 2 / 3])],
            tags="coordination",
        ),
        entry(
            "chicken",
            "Chicken",
            symmetric([[0, -1], [1, -10]]),
            "swerve straight",
            "Each wants the other to give way, and a clash is worst for both.",
            "Rapoport and Chammah (1966), American Behavioral Scientist 10(3), 10-28; payoffs chosen here",
            [(0, 1), (1, 0), ([0.9, 0.1], [0.9, 0.1])],
            tags="symmetric anti-coordination",
        ),
        entry(
            "correlated-chicken",
            "Chicken with a gain from correlation",
            symmetric([[6, 2], [7, 0]]),
            "yield dare",
            "A correlated equilibrium pays both players more than the average over Nash equilibria can.",
            "Aumann (1974), Journal of Mathematical Economics 1(1), 67-96",
            [(0, 1), (1, 0), ([2 / 3, 1 / 3], [2 / 3, 1 / 3])],
            tags="symmetric anti-coordination correlated",
        ),
        entry(
            "hawk-dove",
            "Hawk and dove, value 2, injury 4",
            symmetric([[-1, 2], [0, 1]]),
            "hawk dove",
            "The mixed equilibrium is the evolutionarily stable one.",
            "Maynard Smith and Price (1973), Nature 246, 15-18",
            [(0, 1), (1, 0), ([0.5, 0.5], [0.5, 0.5])],
            tags="symmetric anti-coordination",
        ),
        entry(
            "minimum-effort",
            "Minimum-effort coordination with seven efforts",
            symmetric(effort),
            "1 2 3 4 5 6 7",
            "Any common effort is an equilibrium; the less the others can be relied on, the lower it is.",
            "Van Huyck, Battalio and Beil (1990), American Economic Review 80(1), 234-248",
            [(k, k) for k in range(7)],
            complete=False,
            tags="symmetric coordination experiment",
        ),
    ]


def _mixed() -> list[CatalogueEntry]:
    request = np.array(
        [[a + 20 * (b == a + 1) for b in range(11, 21)] for a in range(11, 21)], dtype=np.float64
    )
    request_law = [0, 0, 0, 0, 0.25, 0.25, 0.20, 0.15, 0.10, 0.05]
    return [
        entry(
            "asymmetric-matching-pennies",
            "Asymmetric matching pennies",
            [[[9, 0], [0, 1]], [[0, 1], [1, 0]]],
            ["U D", "L R"],
            "Raising one's own payoff moves only the opponent's Nash strategy; people move their own.",
            "Ochs (1995), Games and Economic Behavior 10(1), 202-217",
            [([0.5, 0.5], [0.1, 0.9])],
            tags="mixed experiment",
        ),
        entry(
            "inspection-game",
            "Inspection game",
            [[[2, -1], [-3, 0]], [[-3, 0], [2, 0]]],
            ["inspect trust", "violate comply"],
            "The inspector mixes to keep the other just indifferent to violating, and the other way round.",
            "Avenhaus, von Stengel and Zamir (2002), Handbook of Game Theory 3, 1947-1987; payoffs ours",
            [([0.4, 0.6], [1 / 6, 5 / 6])],
            tags="mixed",
            players=["Inspector", "Inspectee"],
        ),
        entry(
            "shapley",
            "Shapley's game",
            [np.eye(3), np.roll(np.eye(3), 1, axis=1)],
            "1 2 3",
            "Fictitious play cycles for ever and never approaches the only equilibrium.",
            "Shapley (1964), in Dresher, Shapley and Tucker, Advances in Game Theory, Princeton, 1-28",
            [([1 / 3] * 3, [1 / 3] * 3)],
            tags="mixed cycle",
        ),
        entry(
            "unprofitable",
            "Unprofitable game",
            [[[2, 4], [6, 0]], [[6, 2], [0, 4]]],
            "1 2",
            "The equilibrium pays each player exactly what its security strategy guarantees, yet is another "
            "strategy.",
            "Aumann and Maschler (1972), Management Science 18(5), P54-P63",
            [([0.5, 0.5], [0.5, 0.5])],
            tags="mixed security",
        ),
        entry(
            "three-by-two",
            "Game with three and two actions",
            [[[3, 3], [2, 5], [0, 6]], [[3, 2], [2, 6], [3, 1]]],
            ["1 2 3", "4 5"],
            "Three equilibria, one pure and two with different supports.",
            "von Stengel (2002), Handbook of Game Theory 3, 1723-1759",
            [(0, 0), ([0.8, 0.2, 0], [2 / 3, 1 / 3]), ([0, 1 / 3, 2 / 3], [1 / 3, 2 / 3])],
            tags="mixed rectangular",
        ),
        entry(
            "money-request",
            "The 11-20 money request game",
            symmetric(request),
            "11 12 13 14 15 16 17 18 19 20",
            "A player gets what it asks for, and 20 more for asking exactly one less than the other.",
            "Arad and Rubinstein (2012), American Economic Review 102(7), 3561-3573",
            [(request_law, request_law)],
            complete=False,
            tags="symmetric mixed experiment",
        ),
    ]


def _degenerate() -> list[CatalogueEntry]:
    ring = [(0, 0), (0, 2), (1, 2), (1, 1), (2, 1), (2, 0)]
    two_worlds = "Payoffs chosen here; the question is that of Zhang, Ma and Mazumdar (2025), ICML"
    return [
        entry(
            "entry-deterrence",
            "Entry deterrence",
            [[[0, 2], [1, 1]], [[0, 2], [5, 5]]],
            ["enter stay-out", "fight share"],
            "Fighting is weakly dominated, yet the threat of it supports a continuum of equilibria.",
            "Selten (1978), Theory and Decision 9(2), 127-159",
            [(0, 1), (1, 0), (1, [0.5, 0.5])],
            complete=False,
            tags="degenerate dominance",
            players=["Entrant", "Incumbent"],
        ),
        entry(
            "kohlberg-mertens",
            "Ring of equilibria",
            symmetric([[1, 0, -1], [-1, 0, -1], [1, 0, -2]]),
            "1 2 3",
            "The equilibria form a closed ring, none of whose points survives every small change of payoffs.",
            "Kohlberg and Mertens (1986), Econometrica 54(5), 1003-1037",
            ring,
            complete=False,
            tags="degenerate symmetric",
        ),
        entry(
            "continuum",
            "Game with a segment of equilibria",
            [[[3, 3], [2, 5], [0, 6]], [[3, 3], [2, 6], [3, 1]]],
            ["1 2 3", "4 5"],
            "The column player is indifferent against the first row: a whole segment of mixtures will do.",
            "von Stengel (2007), in Nisan et al., Algorithmic Game Theory, Cambridge, 53-78",
            [(0, 0), (0, [2 / 3, 1 / 3]), ([0, 1 / 3, 2 / 3], [1 / 3, 2 / 3])],
            complete=False,
            tags="degenerate rectangular",
        ),
        entry(
            "centipede",
            "Four-move centipede in reduced normal form",
            [
                [[0.4, 0.4, 0.4], [0.2, 1.6, 1.6], [0.2, 0.8, 6.4]],
                [[0.1, 0.1, 0.1], [0.8, 0.4, 0.4], [0.8, 3.2, 1.6]],
            ],
            ["take-1 take-3 pass", "take-2 take-4 pass"],
            "Taking at once is the only equilibrium outcome although passing could make both far better off.",
            "McKelvey and Palfrey (1992), Econometrica 60(4), 803-836",
            [(0, 0)],
            complete=False,
            tags="degenerate experiment",
        ),
        entry(
            "commitment-1",
            "Commitment, first world",
            [[[0, 0], [1, 0]], np.eye(2)],
            ["U D", "L R"],
            "The leader gains by committing: Stackelberg value 1/2 at P(U) = 1/2, while equilibria pay 0.",
            two_worlds,
            [(1, 1), ([0.5, 0.5], 1)],
            complete=False,
            tags="degenerate stackelberg",
            players=["Leader", "Learner"],
        ),
        entry(
            "commitment-2",
            "Commitment, second world",
            [[[0, 0], [1, 0]], np.diag([3, 1])],
            ["U D", "L R"],
            "As the first world for the leader, but the learner's payoffs make 3/4 attainable at P(U) = 1/4.",
            two_worlds,
            [(1, 1), ([0.25, 0.75], 1)],
            complete=False,
            tags="degenerate stackelberg",
            players=["Leader", "Learner"],
        ),
    ]


def _diagonal_equilibria(row: list[float], column: list[float]) -> list[tuple[list[float], list[float]]]:
    """All equilibria of a game with positive diagonal payoffs: on every support each equalises the other."""
    count = len(row)
    profiles = []
    for size in range(1, count + 1):
        for support in itertools.combinations(range(count), size):
            x = [1 / column[a] if a in support else 0.0 for a in range(count)]
            y = [1 / row[a] if a in support else 0.0 for a in range(count)]
            profiles.append(([a / sum(x) for a in x], [b / sum(y) for b in y]))
    return profiles
