"""Games made to order: random ones, drawn from the NumPy generator given, and a quadratic one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from equipoise.games._checks import Numbers, check_finite, number_array
from equipoise.games.normal_form import NormalFormGame

Kind2x2 = Literal["dominant", "coordination", "anti-coordination", "matching-pennies"]


def random_game(shape: Sequence[int], rng: np.random.Generator) -> NormalFormGame:
    """A game with independent standard normal payoffs.

    Args:
        shape: number of actions of every player, `(A_1, ..., A_n)`.
        rng: source of randomness.

    Raises:
        ValueError: a player has no action, or there is no player.
    """
    counts = _shape(shape)
    return NormalFormGame(rng.standard_normal((len(counts), *counts)), f"Random {_times(counts)} game")


def random_zero_sum(shape: Sequence[int], rng: np.random.Generator) -> NormalFormGame:
    """A two-player zero-sum game with independent standard normal payoffs of the row player.

    Args:
        shape: number of rows and columns.
        rng: source of randomness.

    Raises:
        ValueError: `shape` is not two positive integers.
    """
    counts = _shape(shape)
    if len(counts) != 2:
        raise ValueError(f"shape must have two entries for a zero-sum game, got {counts}; use covariant_game")
    row = rng.standard_normal(counts)
    return NormalFormGame([row, -row], f"Random {_times(counts)} zero-sum game")


def random_coordination(shape: Sequence[int], rng: np.random.Generator) -> NormalFormGame:
    """A game of common interest: all players have the same standard normal payoffs.

    The joint action with the highest payoff is a Nash equilibrium, and there may be many more.

    Args:
        shape: number of actions of every player.
        rng: source of randomness.

    Raises:
        ValueError: a player has no action, or there is no player.
    """
    counts = _shape(shape)
    common = rng.standard_normal(counts)
    return NormalFormGame([common] * len(counts), f"Random {_times(counts)} coordination game")


def random_2x2(kind: Kind2x2, rng: np.random.Generator) -> NormalFormGame:
    """A random 2x2 game with a known pattern of Nash equilibria.

    Every player's gain from its first action over its second, against each action of the other, has the
    sign that the pattern asks for and a size between 0.1 and 2; a function of the other's action, standard
    normal, is added.

    Args:
        kind: "dominant" (row's first action is dominant; one pure equilibrium), "coordination" and
            "anti-coordination" (two pure, one mixed), "matching-pennies" (one mixed).
        rng: source of randomness.

    Raises:
        ValueError: `kind` is none of these.
    """
    signs = {
        "dominant": ([1, 1], [1, -1]),
        "coordination": ([1, -1], [1, -1]),
        "anti-coordination": ([-1, 1], [-1, 1]),
        "matching-pennies": ([1, -1], [-1, 1]),
    }
    if kind not in signs:
        raise ValueError(f"kind must be one of {', '.join(map(repr, signs))}, got {kind!r}")
    own_first = []
    for sign in signs[kind]:
        gain = np.array(sign) * rng.uniform(0.1, 2.0, 2)
        own_first.append(np.stack([gain, np.zeros(2)]) + rng.standard_normal(2))
    return NormalFormGame([own_first[0], own_first[1].T], f"Random {kind} game")


def covariant_game(shape: Sequence[int], rho: float, rng: np.random.Generator) -> NormalFormGame:
    """A game whose players' payoffs at one joint action are correlated standard normals.

    Args:
        shape: number of actions of every player.
        rho: correlation between any two players' payoffs, from -1/(n-1) (for two players: zero-sum) over
            0 (independent) to 1 (common interest).
        rng: source of randomness.

    Raises:
        ValueError: no n payoffs can have pairwise correlation `rho`.

    The family is that of Rinott and Scarsini (2000), Games and Economic Behavior 33(2), 274-293.
    """
    counts = _shape(shape)
    n = len(counts)
    lowest = -1.0 / (n - 1) if n > 1 else -1.0
    if not lowest <= rho <= 1.0:
        raise ValueError(f"rho must be from {lowest:g} to 1 for {n} players, got {rho}")
    noise = rng.standard_normal((n, *counts))
    mean = np.mean(noise, axis=0)
    # Eigenvalues of the correlation matrix: 1 + (n-1) rho along the mean, 1 - rho across it.
    along, across = np.sqrt(max(1.0 + (n - 1) * rho, 0.0)), np.sqrt(1.0 - rho)
    payoffs = along * mean + across * (noise - mean)
    return NormalFormGame(payoffs, f"Covariant {_times(counts)} game, correlation {rho:g}")


def two_robot_game(grid: Numbers, target: float | int = 1.0) -> NormalFormGame:
    """The quadratic game of two robots that share a load, with actions on a grid.

    Both want the sum of their efforts to meet the target and each pays for its own:
    `u_i = -(a_1 + a_2 - target)^2 / 2 - a_i^2 / 2`. With real-valued actions the Nash equilibrium is
    `a_i = target / 3` for both, and every player's risk-averse quantal response equilibrium is normal.

    Args:
        grid: efforts to choose from, `[actions]`, the same for both players.
        target: what the efforts should add up to.

    Raises:
        ValueError: the grid is not a list of finite numbers, or the target is not finite.

    The game is that of Qu, Zhang, Lanzetti and Mazumdar (2026), arXiv 2602.21515.
    """
    efforts = number_array(grid, "grid")
    if efforts.ndim != 1:
        raise ValueError(f"grid has shape {efforts.shape}; it must be one list of efforts")
    check_finite(efforts, "grid")
    check_finite(np.array(float(target)), "target")
    shared = -0.5 * (efforts[:, None] + efforts[None, :] - target) ** 2
    own = shared - 0.5 * efforts[:, None] ** 2
    names = [f"{effort:g}" for effort in efforts]
    return NormalFormGame([own, own.T], "Two robots", None, [names, names])


def _shape(shape: Sequence[int]) -> tuple[int, ...]:
    counts = tuple(int(count) for count in shape)
    if not counts or min(counts) < 1:
        raise ValueError(f"shape must list at least one action for every player, got {tuple(shape)}")
    return counts


def _times(counts: tuple[int, ...]) -> str:
    return "x".join(map(str, counts))
