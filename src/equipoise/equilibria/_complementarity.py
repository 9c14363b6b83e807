"""Nash equilibrium as a complementarity problem: exact to rounding from a nearby guess.

With payoffs normalised to range one, x is an equilibrium with values v exactly when for all players i and
actions a: x_ia >= 0, v_i - U_ia(x) >= 0, one of the two is zero, and each x_i sums to one. The function of
Fischer and Burmeister, phi(a, b) = a + b - sqrt(a^2 + b^2), is zero exactly on such pairs. It turns the
conditions into as many equations as unknowns, solved by a Levenberg-Marquardt method (Facchinei and Pang
2003, Finite-Dimensional Variational Inequalities and Complementarity Problems, chapter 9). No support need
be guessed, and equilibria that are not isolated do no harm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from equipoise.equilibria._linear_program import as_distribution
from equipoise.games.normal_form import NormalFormGame

Profile = tuple[Float[np.ndarray, " _"], ...]

MAX_STEPS = 100
# Largest violation, relative to the payoff range, at which another step cannot help.
_EXACT = 1e-15
# Probabilities that cannot be told from zero.
_UNUSED = 1e-13


@dataclass(frozen=True, eq=False)
class Refined:
    """Where the iteration stopped.

    Attributes:
        strategies: one probability vector per player.
        residual: largest violation of the equations; payoffs have range one.
        steps: linear solves.
    """

    strategies: Profile
    residual: float
    steps: int


def refine(game: NormalFormGame, start: Sequence[Float[np.ndarray, " _"]]) -> Refined:
    """Solve the complementarity problem from a guess.

    Args:
        game: the game, any number of players.
        start: one probability vector per player.

    Returns:
        The profile reached; `residual` tells whether it is an equilibrium.
    """
    problem = _Problem(game)
    z = problem.join(start)
    value, jacobian = problem.evaluate(z)
    steps = 0
    while steps < MAX_STEPS and np.max(np.abs(value)) >= _EXACT:
        steps += 1
        size = float(value @ value)
        # Damping in proportion to the error leaves the last steps undamped and quadratically convergent.
        damping = min(np.sqrt(size), 0.1) * np.eye(len(z))
        gradient = jacobian.T @ value
        system = np.vstack([jacobian, damping])
        step = np.linalg.lstsq(system, np.concatenate([-value, np.zeros(len(z))]), rcond=None)[0]
        length, slope = 1.0, float(gradient @ step)
        while True:
            moved = z + length * step
            new_value, new_jacobian = problem.evaluate(moved)
            if new_value @ new_value <= size + 1e-4 * length * slope or length < 1e-10:
                break
            length /= 2
        if new_value @ new_value >= size:
            break
        z, value, jacobian = moved, new_value, new_jacobian
    strategies = tuple(as_distribution(np.where(x > _UNUSED, x, 0.0)) for x in problem.split(z)[0])
    residual = float(np.max(np.abs(problem.evaluate(problem.join(strategies))[0])))
    return Refined(strategies, residual, steps)


def spread_starts(counts: Sequence[int]) -> Iterator[Profile]:
    """Endless sequence of profiles that fills the product of simplices evenly, the same one every time.

    A Weyl sequence (multiples of square roots of primes, modulo one) turned into exponential variables and
    normalised, which is uniform on each simplex.
    """
    total = sum(counts)
    primes = [p for p in range(2, 20 * total + 20) if all(p % q for q in range(2, int(p**0.5) + 1))]
    angles = np.sqrt(np.array(primes[:total], dtype=np.float64))
    k = 0
    while True:
        k += 1
        weights = -np.log(1.0 - (k * angles) % 1.0)
        yield tuple(as_distribution(part) for part in np.split(weights, np.cumsum(counts)[:-1]))


class _Problem:
    """The equations of one game and their Jacobian; unknowns are all x_i in a row, then all v_i."""

    def __init__(self, game: NormalFormGame):
        ranges = np.where(game.payoff_ranges() > 0, game.payoff_ranges(), 1.0)
        self.payoffs = [(u - np.min(u)) / r for u, r in zip(game.payoffs, ranges, strict=True)]
        self.counts = game.num_actions
        self.ends = np.cumsum(self.counts)

    def split(
        self, z: Float[np.ndarray, " unknowns"]
    ) -> tuple[list[Float[np.ndarray, " _"]], Float[np.ndarray, " players"]]:
        parts = np.split(z, self.ends)
        return parts[:-1], parts[-1]

    def join(self, strategies: Sequence[Float[np.ndarray, " _"]]) -> Float[np.ndarray, " unknowns"]:
        values = [np.max(self.pairwise(i, i, strategies)) for i in range(len(self.counts))]
        return np.concatenate([*strategies, values])

    def pairwise(
        self, i: int, j: int, strategies: Sequence[Float[np.ndarray, " _"]]
    ) -> Float[np.ndarray, ...]:
        """Payoffs of i by own action and by j's action (own only if j is i), the others mixing."""
        result = self.payoffs[i]
        for k in reversed(range(len(self.counts))):
            if k not in (i, j):
                result = np.tensordot(result, strategies[k], axes=(k, 0))
        return np.asarray(result if i <= j else result.T)

    def evaluate(
        self, z: Float[np.ndarray, " unknowns"]
    ) -> tuple[Float[np.ndarray, " unknowns"], Float[np.ndarray, "unknowns unknowns"]]:
        x, v = self.split(z)
        n, total = len(self.counts), int(self.ends[-1])
        value, jacobian = np.empty(total + n), np.zeros((total + n, total + n))
        starts = self.ends - self.counts
        for i, own in enumerate(x):
            rows = slice(starts[i], self.ends[i])
            slack = v[i] - self.pairwise(i, i, x)
            norm = np.hypot(own, slack)
            # At the kink any limit of gradients will do.
            safe = np.where(norm > 0, norm, 1.0)
            by_own = np.where(norm > 0, 1 - own / safe, 1 - np.sqrt(0.5))
            by_slack = np.where(norm > 0, 1 - slack / safe, 1 - np.sqrt(0.5))
            value[rows] = own + slack - norm
            value[total + i] = np.sum(own) - 1
            jacobian[rows, rows] = np.diag(by_own)
            jacobian[rows, total + i] = by_slack
            jacobian[total + i, rows] = 1.0
            for j in range(n):
                if j != i:
                    moved = self.pairwise(i, j, x)
                    jacobian[rows, starts[j] : self.ends[j]] = -by_slack[:, None] * moved
        return value, jacobian
