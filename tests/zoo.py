"""The games that every solver must pass: the whole catalogue, seeded random games and awkward ones."""

from functools import cache

import numpy as np

from equipoise.games import (
    NormalFormGame,
    catalogue,
    covariant_game,
    random_2x2,
    random_coordination,
    random_game,
    random_zero_sum,
)

LARGE = 10
"""Games in which a player has more actions than this belong to `large_games`, not to `small_games`."""


def catalogue_games() -> dict[str, NormalFormGame]:
    """Every named game, by its key."""
    return {key: entry.game for key, entry in catalogue().items()}


@cache
def random_games() -> dict[str, NormalFormGame]:
    """Seeded random games of many shapes; the same ones in every run."""
    rng = np.random.default_rng(2024)
    games = {}
    for shape in [
        (2, 2),
        (3, 3),
        (4, 4),
        (5, 5),
        (6, 6),
        (2, 3),
        (5, 2),
        (2, 3, 2),
        (2, 2, 2),
        (3, 2, 2, 2),
        (2,) * 4,
    ]:
        games["random-" + "x".join(map(str, shape))] = random_game(shape, rng)
    for kind in ("dominant", "coordination", "anti-coordination", "matching-pennies"):
        games[f"random-{kind}"] = random_2x2(kind, rng)
    games["random-zero-sum-4x5"] = random_zero_sum((4, 5), rng)
    games["random-common-interest-3x3"] = random_coordination((3, 3), rng)
    games["random-covariant-3x3x2"] = covariant_game((3, 3, 2), -0.4, rng)
    return games


@cache
def awkward_games() -> dict[str, NormalFormGame]:
    """Constant payoffs, single actions, single players, ties, and payoffs of very different size."""
    rng = np.random.default_rng(7)
    pennies = np.array([[1.0, -1.0], [-1.0, 1.0]])
    one_flat = rng.standard_normal((2, 3, 3))
    one_flat[1] = 4.0
    tied = rng.integers(0, 2, (2, 4, 4)).astype(float)
    twins = rng.standard_normal((2, 3, 2))
    twins[:, 2] = twins[:, 1]
    return {
        "zero-range": NormalFormGame(np.zeros((2, 2, 3)), "All payoffs zero"),
        "constant": NormalFormGame(np.full((3, 2, 2, 2), 5.0), "All payoffs five"),
        "one-player-indifferent": NormalFormGame(one_flat, "Column indifferent to everything"),
        "decision": NormalFormGame([[1.0, 3.0, 2.0]], "One player, three actions"),
        "single-cell": NormalFormGame([[[2.0]], [[-2.0]]], "One action each"),
        "one-action-row": NormalFormGame(rng.standard_normal((2, 1, 4)), "Row has one action"),
        "one-action-column": NormalFormGame(rng.standard_normal((2, 3, 1)), "Column has one action"),
        "one-action-among-three": NormalFormGame(
            rng.standard_normal((3, 2, 1, 3)), "Second of three has one"
        ),
        "tied-payoffs": NormalFormGame(tied, "Payoffs zero and one at random"),
        "duplicate-action": NormalFormGame(twins, "Row's last two actions are the same"),
        "huge-payoffs": NormalFormGame([1e9 * pennies, -1e9 * pennies], "Matching pennies for billions"),
        "tiny-payoffs": NormalFormGame([1e-9 * pennies, -1e-9 * pennies], "Matching pennies for nano-units"),
        "unequal-scales": NormalFormGame(
            [1e6 * pennies, -1e-6 * pennies], "Matching pennies, unequal stakes"
        ),
        "unequal-cells": NormalFormGame(
            [[[1e6, 0.0], [0.0, 1e-3]], [[1e-3, 0.0], [0.0, 1e6]]], "Coordination with a ratio of a billion"
        ),
        "far-from-zero": NormalFormGame([1e8 + pennies, 1e8 - pennies], "Matching pennies on top of 1e8"),
    }


def all_games() -> dict[str, NormalFormGame]:
    """The whole zoo, by name."""
    return {**catalogue_games(), **random_games(), **awkward_games()}


def small_games(players: int | None = None) -> dict[str, NormalFormGame]:
    """The zoo without the games in which a player has more than ten actions.

    Args:
        players: only games of so many players.
    """
    return {
        name: game
        for name, game in all_games().items()
        if max(game.num_actions) <= LARGE and players in (None, game.num_players)
    }


def large_games() -> dict[str, NormalFormGame]:
    """The games of the zoo in which a player has more than ten actions."""
    return {name: game for name, game in all_games().items() if max(game.num_actions) > LARGE}
