"""Choice probabilities of players who sample: by enumerating samples, and again draw by draw.

A player with payoffs M (own actions by opponent's actions) either observes n opponent's actions and takes
the best reply to all of them together (action sampling), or tries every own action n times and takes the
one with the largest total (payoff sampling). Ties are split evenly. The enumeration serves the solver; the
convolution, which shares no code with it, checks the result.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import comb, factorial, prod

import numpy as np
from jaxtyping import Float, Int

Array = Float[np.ndarray, "*_"]
Choice = Callable[[Float[np.ndarray, " others"]], Float[np.ndarray, " own"]]

# Totals closer than this share of the payoff range are ties: payoffs such as 1/3 do not add up exactly.
_TIE = 1e-9


def sample_space(samples: int, actions: int) -> int:
    """Number of different samples of `samples` unordered draws of one out of `actions`."""
    return comb(samples + actions - 1, actions - 1)


def action_sampling_choice(payoffs: Float[np.ndarray, "own others"], samples: int) -> Choice:
    """Response to an opponent of whom `samples` actions are observed.

    Args:
        payoffs: own actions by opponent's actions.
        samples: number of observed actions n.

    Returns:
        The map from the opponent's strategy to own choice probabilities.
    """
    counts, coefficients = _multinomial(samples, payoffs.shape[1])
    totals = counts @ _levelled(payoffs).T
    best = totals >= np.max(totals, axis=1, keepdims=True) - _tie(payoffs)
    shares = best / np.sum(best, axis=1, keepdims=True)

    def choice(strategy: Float[np.ndarray, " others"]) -> Float[np.ndarray, " own"]:
        return np.asarray((coefficients * np.prod(strategy**counts, axis=1)) @ shares)

    return choice


def payoff_sampling_choice(payoffs: Float[np.ndarray, "own others"], samples: int) -> Choice:
    """Response of a player who tries every own action `samples` times.

    Args:
        payoffs: own actions by opponent's actions.
        samples: number of trials of each own action n.

    Returns:
        The map from the opponent's strategy to own choice probabilities.
    """
    own = payoffs.shape[0]
    counts, coefficients = _multinomial(samples, payoffs.shape[1])
    totals = (counts @ _levelled(payoffs).T).T
    order = np.argsort(totals, axis=None)
    steps = np.diff(totals.ravel()[order]) > _tie(payoffs)
    rank = np.empty(totals.size, dtype=np.intp)
    rank[order] = np.concatenate([[0], np.cumsum(steps)])
    rank = rank.reshape(totals.shape)
    size = int(rank.max()) + 1
    # With k ties the share is 1/(k + 1), the integral of t^k over [0, 1]; the degree in t is own - 1.
    nodes, weights = np.polynomial.legendre.leggauss(own // 2 + 1)
    nodes, weights = (nodes + 1) / 2, weights / 2

    def choice(strategy: Float[np.ndarray, " others"]) -> Float[np.ndarray, " own"]:
        law = coefficients * np.prod(strategy**counts, axis=1)
        equal = np.array([np.bincount(r, law, size) for r in rank])
        below = np.cumsum(equal, axis=1) - equal
        # beaten[a, v, g]: probability that action a stays below v, ties counted with weight t_g.
        beaten = below[:, :, None] + equal[:, :, None] * nodes
        return np.array(
            [equal[a] @ (np.prod(np.delete(beaten, a, axis=0), axis=0) @ weights) for a in range(own)]
        )

    return choice


def action_sampling_by_draws(
    payoffs: Float[np.ndarray, "own others"], strategy: Float[np.ndarray, " others"], samples: int
) -> Float[np.ndarray, " own"]:
    """Action-sampling response, by building up the law of the sampled payoffs draw by draw.

    Args:
        payoffs: own actions by opponent's actions.
        strategy: the opponent's strategy.
        samples: number of observed actions n.

    Returns:
        Own choice probabilities.
    """
    unit = float(np.ptp(payoffs)) * 1e-11 or 1.0
    leads = payoffs - payoffs[0]
    totals: Array = np.zeros((1, payoffs.shape[0]))
    law: Array = np.ones(1)
    for _ in range(samples):
        reached = (totals[:, None, :] + leads.T).reshape(-1, payoffs.shape[0])
        _, first, group = np.unique(np.rint(reached / unit), axis=0, return_index=True, return_inverse=True)
        totals, law = reached[first], np.bincount(group.ravel(), np.outer(law, strategy).ravel())
    chosen = np.zeros(payoffs.shape[0])
    for total, probability in zip(totals, law, strict=True):
        best = np.flatnonzero(np.max(total) - total <= _tie(payoffs))
        chosen[best] += probability / len(best)
    return chosen


def payoff_sampling_by_draws(
    payoffs: Float[np.ndarray, "own others"], strategy: Float[np.ndarray, " others"], samples: int
) -> Float[np.ndarray, " own"]:
    """Payoff-sampling response, by convolving every own action's payoffs draw by draw.

    Args:
        payoffs: own actions by opponent's actions.
        strategy: the opponent's strategy.
        samples: number of trials of each own action n.

    Returns:
        Own choice probabilities.
    """
    tie = _tie(payoffs)
    totals = [_total(row - np.min(payoffs), strategy, samples, tie) for row in payoffs]
    chosen = np.zeros(len(totals))
    for a, (values, law) in enumerate(totals):
        # ties[k]: probability that no other action is above the value and exactly k are equal to it.
        ties = np.ones((1, len(values)))
        for b, (other_values, other_law) in enumerate(totals):
            if b == a:
                continue
            cumulated = np.concatenate([[0.0], np.cumsum(other_law)])
            below = cumulated[np.searchsorted(other_values, values - tie)]
            equal = cumulated[np.searchsorted(other_values, values + tie, side="right")] - below
            ties = np.vstack([ties * below, np.zeros_like(values)]) + np.vstack(
                [np.zeros_like(values), ties * equal]
            )
        chosen[a] = np.sum(law * ties / np.arange(1, len(ties) + 1)[:, None])
    return chosen


def _total(
    row: Float[np.ndarray, " others"], strategy: Float[np.ndarray, " others"], samples: int, tie: float
) -> tuple[Float[np.ndarray, " values"], Float[np.ndarray, " values"]]:
    """Values, in rising order, and law of the sum of independent draws from `row`."""
    values: Array = np.zeros(1)
    law: Array = np.ones(1)
    for _ in range(samples):
        values, law = (values[:, None] + row).ravel(), np.outer(law, strategy).ravel()
        order = np.argsort(values)
        values, law = values[order], law[order]
        starts = np.concatenate([[True], np.diff(values) > tie])
        values, law = values[starts], np.bincount(np.cumsum(starts) - 1, law)
    return values, law


def _multinomial(
    samples: int, actions: int
) -> tuple[Int[np.ndarray, "sample actions"], Float[np.ndarray, " sample"]]:
    """All samples as counts of every action, with the number of orders in which each can come."""
    bars = np.array(list(combinations(range(samples + actions - 1), actions - 1)), dtype=np.int64)
    bars = bars.reshape(sample_space(samples, actions), actions - 1)
    edges = np.pad(bars, ((0, 0), (1, 1)), constant_values=-1)
    edges[:, -1] = samples + actions - 1
    counts = np.diff(edges, axis=1) - 1
    factorials = [factorial(k) for k in range(samples + 1)]
    # Exact integers first: a quotient of factorials does not fit a float where the coefficient does.
    orders = [float(factorials[samples] // prod(factorials[c] for c in row)) for row in counts.tolist()]
    return counts, np.array(orders)


def _levelled(payoffs: Float[np.ndarray, "own others"]) -> Float[np.ndarray, "own others"]:
    """Payoffs from zero up: a large common level would drown the differences in rounding."""
    return np.asarray(payoffs - np.min(payoffs))


def _tie(payoffs: Float[np.ndarray, "own others"]) -> float:
    return _TIE * float(np.ptp(payoffs))
