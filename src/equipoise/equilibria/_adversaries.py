"""Worst-case laws without an explicit formula, batched over a trailing axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from equipoise.equilibria._system import Array, outer_sum


def reverse_kl_root(costs: Array, log_q: Array, tau: Array) -> tuple[Array, Array]:
    """Gaps d = c - min c and log of v in p = q / (v + tau d), sum p = 1; first axis the outcomes.

    The sum is convex and decreasing in v, so Newton's method climbs monotonically from the lower bound v =
    mass of the cheapest outcomes. It runs in log v, where the root may be tiny: with w = q/(v + tau d) the
    step is v (sum w - 1)/(v sum w/(v + tau d)).
    """
    gaps = costs - costs.min(axis=0)
    q = np.exp(log_q)
    scaled = tau * gaps
    with np.errstate(divide="ignore"):
        log_v = np.log(np.where(gaps == 0.0, q, 0.0).sum(axis=0))
        log_v = np.maximum(log_v, np.where(gaps == 0.0, log_q, -np.inf).max(axis=0))
    for _ in range(200):
        v = np.exp(log_v)
        # Cheapest outcomes contribute exp(log_q - log_v), which does not underflow when both are tiny.
        terms = np.where(
            gaps == 0.0, np.exp(np.minimum(log_q - log_v, 700.0)), q / np.where(gaps == 0.0, 1.0, v + scaled)
        )
        share = np.where(gaps == 0.0, 1.0, v / np.where(gaps == 0.0, 1.0, v + scaled))
        excess = terms.sum(axis=0) - 1.0
        step = excess / (terms * share).sum(axis=0)
        step = np.where(step > 0.0, np.log1p(np.maximum(step, 0.0)), step)
        log_v = log_v + step
        if (np.abs(step) <= 1e-15 * np.maximum(1.0, np.abs(log_v))).all():
            break
    return gaps, log_v


def reverse_kl_adversary(costs: Array, log_q: Array, tau: Array) -> tuple[Array, Array]:
    """Minimiser of c'p + KL(q || p)/tau: its logarithm, and tau times the multiplier m in tau (m + c) p = q.

    Args:
        costs: expected payoff under each joint action of the opponents, `[M, batch]`.
        log_q: log of the opponents' law, `[M, batch]`.
        tau: risk aversion, `[batch]`; 0 gives p = q.
    """
    gaps, log_v = reverse_kl_root(costs, log_q, tau)
    log_p = np.where(gaps == 0.0, log_q - log_v, log_q - np.log(np.exp(log_v) + tau * gaps))
    return log_p, np.exp(log_v) - tau * costs.min(axis=0)


def log_marginal(log_p: Array, sizes: Sequence[int], keep: int) -> Array:
    """Logarithm of the marginal over axis `keep` of a law given by its logarithm `[prod sizes, batch]`."""
    split = log_p.reshape(*sizes, log_p.shape[-1])
    rest = tuple(k for k in range(len(sizes)) if k != keep)
    peak = split.max(axis=rest, keepdims=True)
    total = np.exp(split - peak).sum(axis=rest)
    return np.log(total) + peak.reshape(total.shape)


def marginals_adversary(
    costs: Array, log_strategies: Sequence[Array], tau: Array, kappa: Array, sweeps: int = 500
) -> tuple[Array, Array]:
    """Minimiser of c'p + sum_j KL(p_j || q_j)/tau + kappa KL(p || uniform), p_j the marginals of p.

    Cyclic block ascent on the dual (a Sinkhorn-like scaling): p is the kernel K = exp(-(c - min c)/kappa)/M
    times one weight per opponent's action, w_j <- (q_j / S_j)^(1/(1 + tau kappa)) with S_j the marginal of
    the rest. Everything in logarithms.

    Returns:
        log p `[M, batch]`, and tau times the multiplier m of the stationarity condition
        tau kappa (log p + log M) + sum_j (log p_j - log q_j) + tau (c + m) = 0.
    """
    sizes = [len(block) for block in log_strategies]
    count = len(costs)
    kernel = -(costs - costs.min(axis=0)) / kappa - np.log(count)
    weights = [np.zeros_like(block) for block in log_strategies]
    log_p = kernel
    for _ in range(sweeps):
        before = log_p
        for place, log_q in enumerate(log_strategies):
            rest = kernel + outer_sum([np.zeros_like(w) if k == place else w for k, w in enumerate(weights)])
            weights[place] = (log_q - log_marginal(rest, sizes, place)) / (1.0 + tau * kappa)
            log_p = kernel + outer_sum(weights)
            peak = log_p.max(axis=0)
            total = np.log(np.exp(log_p - peak).sum(axis=0)) + peak
            weights[place] = weights[place] - total
            log_p = log_p - total
        if np.abs(np.exp(log_p) - np.exp(before)).max() <= 1e-14:
            break
    logs = [log_marginal(log_p, sizes, place) for place in range(len(sizes))]
    ratio = outer_sum([a - b for a, b in zip(logs, log_strategies, strict=True)])
    stationarity = tau * kappa * (log_p + np.log(count)) + ratio + tau * costs
    return log_p, -(np.exp(log_p) * stationarity).sum(axis=0)
