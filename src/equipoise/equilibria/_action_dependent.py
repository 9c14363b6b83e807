"""Equations of the action-dependent RQE: one adversary per own action, all of them explicit.

The risk value u_a of an action depends on the opponents' strategies only, so that the player's best response
is its quantal response to u. Unknowns and conventions as in `_system`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from equipoise.equilibria._adversaries import reverse_kl_root
from equipoise.equilibria._responses import Response
from equipoise.equilibria._system import (
    Array,
    Evaluation,
    KLSystem,
    Parameters,
    marginal,
    others,
    outer_sum,
    through,
)


class Certainty(NamedTuple):
    """Risk values u of one player's actions.

    Attributes:
        value: u, `[A_i, batch]`.
        pull: du/dlog q, `[A_i, M_i, batch]`.
        slope: du/dtau, `[A_i, batch]`.
        worst: the adversaries' laws p, which are also du/dpayoff, `[A_i, M_i, batch]`.
    """

    value: Array
    pull: Array
    slope: Array
    worst: Array


@dataclass(frozen=True)
class ActionDependentSystem(KLSystem):
    """Action-dependent RQE with penalty "kl" or "reverse_kl"; `neutral` here only says J is eps I."""

    penalty: str = "kl"

    logit = False

    def certainty(self, i: int, responses: Sequence[Response], tau: Array) -> Certainty:
        """Risk values of player i's actions, with their derivatives."""
        log_q = outer_sum([responses[j].log_strategy for j in others(i, len(responses))])
        q, payoff, t = np.exp(log_q), self.payoffs[i], np.where(tau[i] > 0.0, tau[i], 1.0)
        mean = np.einsum("amb,mb->ab", payoff, q)
        averse = tau[i] > 0.0
        if self.penalty == "kl":
            # u = -log E exp(-tau R) / tau. Small tau needs expm1, large tau a sum in logarithms.
            least = payoff.min(axis=1)
            excess = payoff - least[:, None]
            raw = np.einsum("amb,mb->ab", np.expm1(-t * excess), q)
            tilted = log_q - t * excess
            peak = tilted.max(axis=1)
            total = peak + np.log(np.exp(tilted - peak[:, None]).sum(axis=1))
            log_mean = np.where(raw > -0.5, np.log1p(np.maximum(raw, -0.5)), total)
            value = np.where(averse, least - log_mean / t, mean)
            gap = payoff - value[:, None]
            p = np.exp(log_q - t * gap)
            slight = -np.expm1(-np.clip(t * gap, -1.0, 1.0)) * q
            pull = np.where(averse, np.where(t * np.abs(gap) < 1.0, slight, q - p) / t, gap * q)
            worst = np.einsum("amb,amb->ab", payoff, p)
            spread = np.einsum("amb,mb->ab", gap * gap, q)
            slope = np.where(averse, (worst - value) / t, -0.5 * spread)
            return Certainty(value, pull, slope, np.where(averse, p, q))
        # Reverse KL: p = q / (v + tau d), so log(q/p) = log(v + tau d) =: log(1 + tau y).
        flat = payoff.transpose(1, 0, 2).reshape(payoff.shape[1], -1)
        spread_q = np.broadcast_to(log_q[:, None], (payoff.shape[1], *mean.shape)).reshape(flat.shape)
        gaps, log_v = reverse_kl_root(flat, spread_q, np.tile(t, payoff.shape[0]))
        gaps = gaps.reshape(payoff.shape[1], *mean.shape).transpose(1, 0, 2)
        log_v = log_v.reshape(mean.shape)[:, None]
        small = (t < 0.5)[None, None]
        y = self.small_tau_root(gaps, q, np.minimum(t, 0.5))
        tilt = np.where(small, 1.0 + t * y, np.exp(log_v) + t * gaps)
        log_ratio = np.where(
            small, np.log1p(np.where(small, t * y, 0.0)), np.where(gaps == 0.0, log_v, np.log(tilt))
        )
        p = np.exp(log_q - log_ratio)
        # sum q (1 - p/q) = 0, taken out term by term, keeps the divergence exact where it is tiny.
        distance = (q * (log_ratio + np.where(small, -t * y / tilt, 0.0))).sum(axis=1)
        value = np.where(averse, (payoff * p).sum(axis=1) + distance / t, mean)
        pull = np.where(averse, log_ratio / t, payoff - mean[:, None]) * q
        variance = np.einsum("amb,mb->ab", (payoff - mean[:, None]) ** 2, q)
        slope = np.where(averse, -distance / (t * t), -0.5 * variance)
        return Certainty(value, pull, slope, np.where(averse, p, q))

    def haste(self, i: int, responses: list[Response], at: Parameters) -> None:
        """All the way: an answer does not depend on the player's own play."""

    def utility(self, i: int, responses: Sequence[Response], tau: Array) -> Array:
        """U_i, the risk value of every own action, `[A_i, batch]`."""
        return self.certainty(i, responses, tau).value

    @staticmethod
    def small_tau_root(gaps: Array, q: Array, tau: Array) -> Array:
        """Y = gap + e with sum of q y/(1 + tau y) = 0, accurate for tau down to 0; tau at most 1/2."""
        e = -(gaps * q).sum(axis=1, keepdims=True)
        for _ in range(12):
            tilt = 1.0 + tau * (gaps + e)
            e = e - (q * (gaps + e) / tilt).sum(axis=1, keepdims=True) / (q / tilt**2).sum(
                axis=1, keepdims=True
            )
        return gaps + e

    def evaluate(self, x: Array, at: Parameters) -> Evaluation:
        """Residual, Jacobian and parameter derivatives at x."""
        responses = self.responses(x)
        size, batch = self.unknowns, self.batch
        residual, jacobian = np.empty((size, batch)), np.zeros((size, size, batch))
        by_weight, by_tau, by_eps = (np.empty((size, batch)) for _ in range(3))
        for i, block in enumerate(self.blocks):
            value, pull, slope, _ = self.certainty(i, responses, at.tau)
            residual[block] = at.eps[i] * x[block] - at.weight * value
            by_weight[block], by_tau[block], by_eps[block] = -value, -at.weight * slope, x[block]
            diagonal = np.arange(block.start, block.stop)
            jacobian[diagonal, diagonal] = at.eps[i]
            rivals = others(i, len(self.sizes))
            rival_sizes = [self.sizes[j] for j in rivals]
            for place, j in enumerate(rivals):
                moved = marginal(pull, rival_sizes, place)
                jacobian[block, self.blocks[j]] = -at.weight * through(moved, responses[j])
        return Evaluation(residual, jacobian, by_weight, by_tau, by_eps, np.zeros((size, batch)))

    def payoff_gradient(self, x: Array, at: Parameters, multipliers: Array) -> list[Array]:
        """Minus the derivative of multipliers'G in every payoff, `[A_i, M_i, batch]` per player."""
        responses = self.responses(x)
        return [
            at.weight * multipliers[block][:, None] * self.certainty(i, responses, at.tau).worst
            for i, block in enumerate(self.blocks)
        ]

    def along_payoffs(self, x: Array, at: Parameters, changes: Sequence[Array]) -> Array:
        """Derivative of the equations along a change of all payoffs, `[A_i, M_i, batch]` per player."""
        responses = self.responses(x)
        total = np.empty_like(x)
        for i, (change, block) in enumerate(zip(changes, self.blocks, strict=True)):
            total[block] = -at.weight * (change * self.certainty(i, responses, at.tau).worst).sum(axis=1)
        return total
