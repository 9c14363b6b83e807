"""Best-reply polytopes of a two-player game: complementary pivoting and enumeration of vertices.

A player's mixed strategies, unnormalised, form the polytope {x >= 0, C x <= 1}, where row j of C holds what
action j of the opponent earns against each action of the player. At a point of it, label i means that own
action i is unused and label m + j that the opponent's action j is a best reply; labels count the row player's
actions first. A pair of points, one from each polytope and not both zero, is a Nash equilibrium, up to
normalisation, exactly when every label occurs (Lemke and Howson 1964).

Bases are pivoted with a lexicographic ratio test, as if the right-hand side were 1 + (t, t^2, ...) for an
infinitesimal t. The perturbed polytope is simple, so degenerate games need no special case and paths cannot
cycle. Every basis is factorised afresh: rounding errors do not build up along a path.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from equipoise.equilibria._linear_program import as_distribution
from equipoise.games.normal_form import NormalFormGame

# Entries of C lie between 1 and 2; differences below this are ties.
_TIE = 1e-10
MAX_PIVOTS = 20_000
# Bases visited in one polytope before the enumeration gives up.
MAX_BASES = 50_000


class PolytopeError(ValueError):
    """A polytope has more vertices than can be listed, or payoffs too uneven for the precision of floats."""


@dataclass(frozen=True, eq=False)
class BestReplyPolytope:
    """The polytope of one player's strategies in equations `[C | I] (x, s) = 1` with x, s >= 0.

    Attributes:
        constraints: C scaled so that every column runs from 1 to 2, `[opponent's actions, own actions]`.
        units: factor of every column, to turn points back into strategies, `[own actions]`.
        labels: label of every variable, x first, then the slacks s.
    """

    constraints: Float[np.ndarray, "others own"]
    units: Float[np.ndarray, " own"]
    labels: Int[np.ndarray, " variables"]

    @cached_property
    def matrix(self) -> Float[np.ndarray, "others variables"]:
        """[C | I]."""
        return np.hstack([self.constraints, np.eye(self.constraints.shape[0])])

    @property
    def origin(self) -> Int[np.ndarray, " others"]:
        """The basis of x = 0: all slacks."""
        others, own = self.constraints.shape
        return np.arange(own, own + others)

    def pivot(
        self, bases: Int[np.ndarray, "bases others"]
    ) -> tuple[Int[np.ndarray, "bases variables"], Float[np.ndarray, "bases others"]]:
        """For all bases and entering variables at once: which position of the basis leaves.

        Args:
            bases: variables in each basis.

        Returns:
            The leaving position for every entering variable (undefined for variables already in), and the
            values of the variables in each basis.

        Raises:
            PolytopeError: a basis is singular to rounding.
        """
        try:
            inverse = np.linalg.inv(np.moveaxis(self.matrix[:, bases], 1, 0))
        except np.linalg.LinAlgError:
            raise PolytopeError(
                "payoffs differ by too many orders of magnitude: a basis of the best-reply polytope is "
                "singular to rounding; drop actions that matter little"
            ) from None
        # Right-hand sides of the perturbed system, most significant first: 1, then t, t^2, ...
        sides = np.concatenate([inverse.sum(axis=2, keepdims=True), inverse], axis=2)
        directions = inverse @ self.matrix
        eligible = directions > _TIE
        safe = np.where(eligible, directions, 1.0)
        for level in range(sides.shape[2]):
            ratios = np.where(eligible, sides[:, :, level, None] / safe, np.inf)
            best = ratios.min(axis=1, keepdims=True)
            eligible &= ratios <= best + _TIE * (1.0 + np.abs(best))
            if np.all(eligible.sum(axis=1) <= 1):
                break
        return eligible.argmax(axis=1), sides[:, :, 0]

    def strategy(
        self, basis: Int[np.ndarray, " others"], values: Float[np.ndarray, " others"]
    ) -> Float[np.ndarray, " own"]:
        """The mixed strategy at a basis; uniform at the origin, which is none."""
        own = self.constraints.shape[1]
        x = np.zeros(own)
        x[basis[basis < own]] = np.maximum(values[basis < own], 0.0)
        # Points below the tie level are zeros of a degenerate vertex.
        return as_distribution(np.where(x > _TIE * np.max(x), x, 0.0) / self.units)

    def vertices(self) -> tuple[Float[np.ndarray, "vertices own"], Bool[np.ndarray, "vertices labels"]]:
        """All vertices but the origin, normalised, each with its set of labels.

        Returns:
            Strategies, and for each whether it has each label.

        Raises:
            PolytopeError: there are more than 50,000 bases, or one is singular to rounding.
        """
        size = self.matrix.shape[1]
        frontier = self.origin[None]
        seen = {tuple(self.origin.tolist())}
        found: dict[bytes, Float[np.ndarray, " own"]] = {}
        while len(frontier):
            leaving, values = self.pivot(frontier)
            following = []
            for basis, row, level in zip(frontier, leaving, values, strict=True):
                # Tight: not in the basis, or in it at value zero.
                tight = np.ones(size, dtype=bool)
                tight[basis[level > _TIE]] = False
                has = np.zeros(size, dtype=bool)
                has[self.labels[tight]] = True
                if not np.all(tight[: self.constraints.shape[1]]) and has.tobytes() not in found:
                    found[has.tobytes()] = self.strategy(basis, level)
                for entering in np.setdiff1d(np.arange(size), basis).tolist():
                    adjacent = basis.copy()
                    adjacent[row[entering]] = entering
                    adjacent.sort()
                    key = tuple(adjacent.tolist())
                    if key not in seen:
                        seen.add(key)
                        following.append(adjacent)
            if len(seen) > MAX_BASES:
                raise PolytopeError(
                    f"a best-reply polytope with {size - self.constraints.shape[0]} actions against "
                    f"{self.constraints.shape[0]} has more than {MAX_BASES} bases"
                )
            frontier = np.array(following, dtype=np.int64).reshape(-1, frontier.shape[1])
        masks = np.array([np.frombuffer(key, dtype=bool) for key in found]).reshape(-1, size)
        return np.array(list(found.values())), masks


def best_reply_polytopes(game: NormalFormGame) -> tuple[BestReplyPolytope, BestReplyPolytope]:
    """The polytopes of the row and of the column player's strategies.

    Args:
        game: a two-player game.

    Returns:
        Row's polytope, constrained by the column player's payoffs, and the reverse.
    """
    m, n = game.num_actions
    rows, columns = np.arange(m), np.arange(m, m + n)
    return (
        _polytope(game.own_first(1), np.concatenate([rows, columns])),
        _polytope(game.own_first(0), np.concatenate([columns, rows])),
    )


def _polytope(
    payoffs: Float[np.ndarray, "others own"], labels: Int[np.ndarray, " variables"]
) -> BestReplyPolytope:
    # What a best reply is does not change when a number is added to a column, nor, once the strategy is
    # rescaled, when a column is: every column gets the same, well-conditioned range.
    span = np.ptp(payoffs, axis=0)
    units = np.where(span > 0, span, 1.0)
    return BestReplyPolytope((payoffs - np.min(payoffs, axis=0)) / units + 1.0, units / np.max(units), labels)


def lemke_howson(game: NormalFormGame, label: int) -> tuple[tuple[Float[np.ndarray, " _"], ...], int, bool]:
    """Follow the path of almost completely labelled vertices from the artificial equilibrium.

    Args:
        game: a two-player game.
        label: the label to drop, from 0: the row player's actions first, then the column player's.

    Returns:
        The profile at the end of the path, the number of pivots, and whether the path came to its end.
    """
    polytopes = best_reply_polytopes(game)
    bases = [polytope.origin for polytope in polytopes]
    # The first step makes the player to whom the dropped label belongs use that action.
    side = 0 if label < game.num_actions[0] else 1
    entering, leaving, pivots = label, -1, 0
    values = [np.ones(len(basis)) for basis in bases]
    try:
        while leaving != label and pivots < MAX_PIVOTS:
            pivots += 1
            polytope, basis = polytopes[side], bases[side].copy()
            variable = int(np.flatnonzero(polytope.labels == entering)[0])
            position = int(polytope.pivot(basis[None])[0][0, variable])
            leaving = int(polytope.labels[basis[position]])
            basis[position] = variable
            bases[side] = basis
            entering, side = leaving, 1 - side
        values = [polytope.pivot(basis[None])[1][0] for polytope, basis in zip(polytopes, bases, strict=True)]
    except PolytopeError:
        leaving = -1
    strategies = tuple(
        polytope.strategy(basis, value)
        for polytope, basis, value in zip(polytopes, bases, values, strict=True)
    )
    return strategies, pivots, leaving == label


def extreme_equilibria(
    game: NormalFormGame,
) -> list[tuple[Float[np.ndarray, " _"], Float[np.ndarray, " _"]]]:
    """All pairs of vertices that have every label between them.

    Args:
        game: a two-player game.

    Returns:
        The extreme equilibria, pure ones first, then by support.

    Raises:
        PolytopeError: as for `BestReplyPolytope.vertices`.
    """
    (x, has_x), (y, has_y) = (polytope.vertices() for polytope in best_reply_polytopes(game))
    # A pair lacks a label exactly where both lack it.
    missing = (~has_x).astype(np.float64) @ (~has_y).T.astype(np.float64)
    pairs = [(x[i], y[j]) for i, j in np.argwhere(missing == 0)]
    return sorted(pairs, key=lambda pair: [(np.count_nonzero(p), *(-p).tolist()) for p in pair])
