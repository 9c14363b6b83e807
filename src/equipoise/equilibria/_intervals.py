"""How precisely parameters are known: profile likelihood, and resampling of whole games."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from equipoise.equilibria._refine import Optimum, Search, curvature, minimise

_ROUNDS = 60
# First step outwards, in logarithms of the parameter.
_SHORTEST, _LONGEST = 1e-3, 1.0
# The deviance moves with the square of what the other parameters are off.
_NUISANCE_TOLERANCE = 1e-6
# Parameters of a resample need only be known to a fraction of their spread.
_RESAMPLE_TOLERANCE = 1e-3

Ends = tuple[Float[np.ndarray, "problems parameters"], Float[np.ndarray, "problems parameters"]]


def profile(
    search: Search, weights: Float[np.ndarray, "problems games"], optimum: Optimum, level: float
) -> tuple[Ends, Optimum]:
    """Profile likelihood intervals: where the deviance exceeds its minimum by the chi-square quantile.

    One parameter is moved outwards from its estimate while the others are fitted anew; all parameters and
    both directions advance together. The interval is the connected one around the estimate.

    Args:
        search: the search, of criterion "likelihood".
        weights: the games of every problem.
        optimum: where the deviance is smallest.
        level: confidence level.

    Returns:
        Lower and upper ends, and the optimum, which is a better one if the profile came across it. An end
        is 0 or infinity where the deviance stays below the cutoff to the end of the searched range, and
        NaN where predictions stopped converging before it was reached.
    """
    from scipy.special import chdtri

    cutoff = float(np.sqrt(chdtri(1, 1.0 - level)))
    if search.finite:
        return _accepted(search, weights, optimum, cutoff**2), optimum
    objective = search.objective
    bounds = np.log(objective.family.low), np.log(objective.family.high)
    problems, count = optimum.values.shape
    # One row per problem, parameter and direction.
    problem, which, upward = (a.ravel() for a in np.indices((problems, count, 2)))
    rows = np.arange(len(problem))
    side = np.where(upward == 1, 1.0, -1.0)
    limit = np.where(upward == 1, bounds[1][which], bounds[0][which])
    normal = curvature(objective, weights, optimum.values)
    normal += np.eye(count) * (1e-10 * np.einsum("bii->b", normal)[:, None, None] + 1e-300)
    spread = np.sqrt(np.maximum(np.einsum("bii->bi", np.linalg.inv(normal)), 0.0))
    stride = np.clip(cutoff * spread[problem, which], _SHORTEST, _LONGEST)

    logs = np.log(optimum.values)[problem]
    inner, inner_height = logs[rows, which].copy(), np.zeros(len(rows))
    outer, outer_height = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    end = np.full(len(rows), np.nan)
    held = np.eye(count, dtype=bool)[which]
    open_end = np.where(upward == 1, np.inf, -np.inf)
    running = np.abs(inner - limit) > 1e-9
    end[~running] = open_end[~running]
    for _ in range(_ROUNDS):
        live = np.flatnonzero(running)
        if not len(live):
            break
        bracketed = np.isfinite(outer[live])
        reach = np.minimum(stride[live], np.abs(limit[live] - inner[live]))
        with np.errstate(invalid="ignore"):
            share = (cutoff - inner_height[live]) / (outer_height[live] - inner_height[live])
        within = (outer[live] - inner[live]) * np.clip(share, 0.02, 0.98)
        at = inner[live] + np.where(bracketed, within, side[live] * reach)
        start = logs[live].copy()
        start[np.arange(len(live)), which[live]] = at
        found = minimise(
            objective, weights[problem[live]], np.exp(start), held=held[live], tolerance=_NUISANCE_TOLERANCE
        )
        excess = found.cost - optimum.cost[problem[live]]
        lower = np.flatnonzero(excess < -1e-7 * np.maximum(1.0, optimum.cost[problem[live]]))
        if len(lower):
            return profile(search, weights, _improved(search, weights, optimum, found, problem[live]), level)
        # The height grows about linearly from the estimate, which suits the secant rule.
        height = np.sqrt(np.maximum(excess, 0.0))
        finite = np.isfinite(height)
        inside = height <= cutoff
        logs[live[finite]] = np.log(found.values[finite])
        for target, values in ((inner, at), (inner_height, height)):
            target[live[inside]] = values[inside]
        for target, values in ((outer, at), (outer_height, np.where(finite, height, 2.0 * cutoff))):
            target[live[~inside]] = values[~inside]
        stride[live[inside]] = np.minimum(2.0 * stride[live[inside]], _LONGEST)
        reached = np.abs(height - cutoff) <= 1e-5 * cutoff
        narrow = np.abs(outer[live] - inner[live]) <= 1e-9
        done = reached | (narrow & finite)
        end[live[done]] = at[done]
        at_limit = inside & (np.abs(at - limit[live]) <= 1e-9)
        end[live[at_limit]] = open_end[live[at_limit]]
        running[live[done | at_limit | (narrow & ~finite)]] = False
    ends = np.exp(end.reshape(problems, count, 2))
    return (ends[..., 0], ends[..., 1]), optimum


def _improved(
    search: Search,
    weights: Float[np.ndarray, "problems games"],
    optimum: Optimum,
    found: Optimum,
    problem: np.ndarray,
) -> Optimum:
    """The optimum, searched again from the best points the profile found."""
    start, cost = optimum.values.copy(), optimum.cost.copy()
    for k in np.argsort(-found.cost):
        if found.cost[k] < cost[problem[k]]:
            start[problem[k]], cost[problem[k]] = found.values[k], found.cost[k]
    return minimise(search.objective, weights, start)


def _accepted(
    search: Search, weights: Float[np.ndarray, "problems games"], optimum: Optimum, most: float
) -> Ends:
    """Smallest and largest candidate that the deviance does not reject."""
    inside = search.totals(weights) - optimum.cost[:, None] <= most
    inside &= np.isfinite(optimum.cost)[:, None]
    points = np.where(inside[..., None], search.points, np.nan)
    if not inside.any(axis=1).all():
        return np.full(optimum.values.shape, np.nan), np.full(optimum.values.shape, np.nan)
    low, high = np.nanmin(points, axis=1), np.nanmax(points, axis=1)
    family = search.objective.family
    return low, np.where(high >= family.high, np.inf, high)


def resample(
    search: Search,
    weights: Float[np.ndarray, " games"],
    rng: np.random.Generator,
    resamples: int,
    level: float,
) -> tuple[Ends, int]:
    """Percentile intervals from refits to games drawn with replacement, all players of a game together.

    Args:
        search: the search.
        weights: the games' weights.
        rng: source of randomness.
        resamples: number of refits.
        level: confidence level.

    Returns:
        Lower and upper ends `[1, parameters]`, and how many refits did not settle and were left out.
    """
    games = len(weights)
    drawn = rng.multinomial(games, np.full(games, 1.0 / games), size=resamples)
    found = search.best(weights * drawn, starts=1, tolerance=_RESAMPLE_TOLERANCE)
    good = found.values[found.settled]
    if not len(good):
        nothing = np.full((1, found.values.shape[1]), np.nan)
        return (nothing, nothing), resamples
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(good, [tail, 1.0 - tail], axis=0)
    return (low[None], high[None]), resamples - len(good)
