"""From the best points of a grid to the exact optimum, for many weightings of the games at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Int

from equipoise.equilibria._objective import STEP, Objective

# Longest step, in logarithms of the parameters.
LONGEST = 2.0
# Starting points further apart than this share of the searched box count as different.
APART = 0.25
TOLERANCE = 1e-9
# Largest last step before the ends reached from different starting points are compared.
ROUGH = 1e-2
SHORT = 1e-5
ROUNDS = 100


@dataclass(frozen=True, eq=False)
class Optimum:
    """Minimisers, one per problem.

    Attributes:
        values: parameters in their own units, `[problems, parameters]`.
        cost: weighted criterion, `[problems]`; infinite where no prediction converged.
        settled: whether the last step was below the tolerance, `[problems]`.
    """

    values: Float[np.ndarray, "problems parameters"]
    cost: Float[np.ndarray, " problems"]
    settled: Bool[np.ndarray, " problems"]


@dataclass(frozen=True, eq=False)
class Search:
    """The candidates, solved once, and the search from them; every fold and resample reuses both.

    Attributes:
        objective: what is minimised.
        points: candidate parameters, `[points, parameters]`.
        play: predictions at the candidates, `[points, entries]`.
        gaps: their certified gaps, `[points, games]`.
        costs: criterion of every game at the candidates, `[points, games]`.
    """

    objective: Objective
    points: Float[np.ndarray, "points parameters"]
    play: Float[np.ndarray, "points entries"]
    gaps: Float[np.ndarray, "points games"]
    costs: Float[np.ndarray, "points games"]

    @classmethod
    def of(cls, objective: Objective) -> Search:
        """Solve all games at all candidates."""
        points = objective.family.candidates()
        found = objective.predict(points)
        return cls(objective, points, found.play, found.gaps, objective.per_game(found.play))

    @property
    def finite(self) -> bool:
        """Whether the candidates are all there is to try."""
        return self.objective.family.whole or not self.objective.family.parameters

    def totals(self, weights: Float[np.ndarray, "problems games"]) -> Float[np.ndarray, "problems points"]:
        """Weighted criterion of every candidate."""
        good = np.isfinite(self.costs)
        bad = (weights > 0.0).astype(float) @ (~good).T.astype(float) > 0.0
        return np.where(bad, np.inf, weights @ np.where(good, self.costs, 0.0).T)

    def best(
        self, weights: Float[np.ndarray, "problems games"], starts: int, tolerance: float = TOLERANCE
    ) -> Optimum:
        """Minimise from the best candidates.

        Args:
            weights: one weighting of the games per problem; games of weight zero are left out.
            starts: how many candidates, far from each other, to start from.
            tolerance: largest last step, in logarithms of the parameters.
        """
        totals = self.totals(weights)
        if self.finite:
            chosen = np.argmin(totals, axis=1)
            cost = totals[np.arange(len(totals)), chosen]
            return Optimum(self.points[chosen], cost, np.isfinite(cost))
        family = self.objective.family
        box = np.log(self.points / family.low) / np.log(family.high / family.low)
        picks = [_spread(row, box, starts) for row in totals]
        owner = np.repeat(np.arange(len(picks)), [len(one) for one in picks])
        rough = minimise(self.objective, weights[owner], self.points[np.concatenate(picks)], tolerance=ROUGH)
        order = np.lexsort((rough.cost, owner))
        first = order[np.searchsorted(owner[order], np.arange(len(picks)))]
        return minimise(self.objective, weights, rough.values[first], tolerance=tolerance)


def _spread(
    totals: Float[np.ndarray, " points"], box: Float[np.ndarray, "points parameters"], most: int
) -> Int[np.ndarray, " starts"]:
    """The best point, then the best one far from those already taken, and so on."""
    left = totals.copy()
    taken: list[int] = []
    while len(taken) < most:
        k = int(np.argmin(left))
        if taken and not np.isfinite(left[k]):
            break
        taken.append(k)
        left[np.abs(box - box[k]).max(axis=1) <= APART] = np.inf
    return np.array(taken)


def minimise(
    objective: Objective,
    weights: Float[np.ndarray, "problems games"],
    values: Float[np.ndarray, "problems parameters"],
    *,
    held: Bool[np.ndarray, "problems parameters"] | None = None,
    tolerance: float = TOLERANCE,
) -> Optimum:
    """Damped Newton steps in the logarithms of the parameters, within the searched range.

    A step to where some prediction does not converge is refused like one that does not improve.

    Args:
        objective: what is minimised.
        weights: one weighting of the games per problem.
        values: starting points.
        held: parameters that stay where they start.
        tolerance: largest last step.

    Returns:
        The end points. Problems that start where a prediction does not converge stay there, at infinite cost.
    """
    low, high = np.log(objective.family.low), np.log(objective.family.high)
    logs = np.clip(np.log(values), low, high)
    if held is not None:
        logs = np.where(held, np.log(values), logs)
    stay = np.zeros(logs.shape, bool) if held is None else held
    used = weights > 0.0
    entry_weights = weights[:, objective.game_of]
    play = objective.predict(np.exp(logs), used).play
    cost = objective.cost(play, weights)
    damping = np.full(len(logs), 1e-3)
    settled = np.isfinite(cost) & stay.all(axis=1)
    running = np.isfinite(cost) & ~settled
    for _ in range(ROUNDS):
        rows = np.flatnonzero(running)
        if not len(rows):
            break
        normal, gradient = _quadratic_model(
            objective, logs[rows], play[rows], entry_weights[rows], used[rows]
        )
        at = logs[rows]
        fast = stay[rows] | ((at <= low) & (gradient > 0.0)) | ((at >= high) & (gradient < 0.0))
        step = _step(normal, gradient, damping[rows], fast)
        trial = np.where(stay[rows], at, np.clip(at + step, low, high))
        moved = np.abs(trial - at).max(axis=1)
        new_play = objective.predict(np.exp(trial), used[rows]).play
        new_cost = objective.cost(new_play, weights[rows])
        # A Newton step this short changes the criterion by less than its rounding errors.
        last = (moved <= SHORT) & (new_cost <= cost[rows] * (1.0 + 1e-10))
        better = (new_cost < cost[rows]) | last
        logs[rows[better]], play[rows[better]] = trial[better], new_play[better]
        cost[rows[better]] = new_cost[better]
        damping[rows] *= np.where(better, 0.1, 10.0)
        settled[rows] = (moved <= tolerance) | last
        # A gradient that is not finite, beside predictions that fail, stops the search unsettled.
        running[rows] = ~settled[rows] & np.isfinite(moved)
    return Optimum(np.exp(logs), cost, settled)


def _quadratic_model(
    objective: Objective,
    logs: Float[np.ndarray, "problems parameters"],
    play: Float[np.ndarray, "problems entries"],
    weights: Float[np.ndarray, "problems entries"],
    used: Bool[np.ndarray, "problems games"],
) -> tuple[Float[np.ndarray, "problems parameters parameters"], Float[np.ndarray, "problems parameters"]]:
    """Half the criterion's Hessian (the Gauss-Newton matrix where it is indefinite) and half its gradient."""
    near = objective.nearby(logs, used)
    problems, entries = play.shape
    count = logs.shape[1]
    use = weights > 0.0
    here = np.where(use, objective.residuals(play), 0.0)
    around = objective.residuals(near.reshape(-1, entries)).reshape(problems, -1, entries)
    around = np.where(use[:, None], around, 0.0)
    below, above, both = np.split(around, [count, 2 * count], axis=1)
    slope = (above - below) / (2.0 * STEP)
    weighted = slope * weights[:, None]
    outer = weighted @ slope.transpose(0, 2, 1)
    gradient = (weighted @ here[..., None])[..., 0]
    bend = np.empty((problems, count, count, entries))
    for i in range(count):
        bend[:, i, i] = above[:, i] - 2.0 * here + below[:, i]
    for k, (i, j) in enumerate(combinations(range(count), 2)):
        bend[:, i, j] = bend[:, j, i] = both[:, k] - above[:, i] - above[:, j] + here
    curved = outer + (bend @ (weights * here)[:, None, :, None])[..., 0] / STEP**2
    root = np.sqrt(np.einsum("bii->bi", outer))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scaled = curved / root[:, :, None] / root[:, None, :]
    sound = np.isfinite(scaled).all(axis=(1, 2))
    sound[sound] = np.linalg.eigvalsh(scaled[sound])[:, 0] > 0.05
    return np.where(sound[:, None, None], curved, outer), gradient


def curvature(
    objective: Objective,
    weights: Float[np.ndarray, "problems games"],
    values: Float[np.ndarray, "problems parameters"],
) -> Float[np.ndarray, "problems parameters parameters"]:
    """Half the Hessian of the criterion in the logarithms of the parameters."""
    play = objective.predict(values, weights > 0.0).play
    expanded = weights[:, objective.game_of]
    return _quadratic_model(objective, np.log(values), play, expanded, weights > 0.0)[0]


def _step(
    normal: Float[np.ndarray, "problems parameters parameters"],
    gradient: Float[np.ndarray, "problems parameters"],
    damping: Float[np.ndarray, " problems"],
    fast: Bool[np.ndarray, "problems parameters"],
) -> Float[np.ndarray, "problems parameters"]:
    """The damped step with some parameters held fast."""
    count = gradient.shape[1]
    identity = np.eye(count)
    scale = np.einsum("bii->bi", normal)
    floor = 1e-12 * scale.max(axis=1, keepdims=True) + np.finfo(float).tiny
    system = normal + identity * (damping[:, None] * scale + floor)[:, None]
    system = np.where(fast[:, :, None] | fast[:, None, :], identity, system)
    step = np.linalg.solve(system, -np.where(fast, 0.0, gradient)[..., None])[..., 0]
    longest = np.abs(step).max(axis=1, keepdims=True)
    return np.asarray(step * np.minimum(1.0, LONGEST / np.maximum(longest, np.finfo(float).tiny)))
