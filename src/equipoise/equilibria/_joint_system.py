"""Equations of RQE whose adversaries are unknowns themselves: reverse KL and sum-of-marginals penalties.

Eliminating a reverse-KL adversary breaks down at small eps and large tau: its mass on the worst action is
q_b/(tau gap) with a gap below rounding. Kept as an unknown it is the slack of a complementarity pair, as in
an interior-point method, and stays accurate. The sum-of-marginals adversary has no closed form at all.

Unknowns of player i, one block: z_i (scaled payoffs), l_i = log p_i over the opponents' joint actions, and
the multiplier m_i of sum p_i = 1, in units of T/tau with T = max(1, tau).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from equipoise.equilibria._adversaries import log_marginal, marginals_adversary, reverse_kl_adversary
from equipoise.equilibria._responses import RESPONSES, Response
from equipoise.equilibria._system import Array, Evaluation, Parameters, System, others, outer_sum, through


@dataclass(frozen=True)
class JointSystem(System):
    """Equations of the aggregate RQE with adversaries as unknowns.

    Attributes:
        payoffs: own-first matrices R_i `[A_i, M_i, batch]`, M_i the opponents' joint actions; range one.
        regularizer: "entropy" or "log_barrier".
        penalty: "reverse_kl", or "marginals" for the sum of KL divergences of the opponents' marginals,
            smoothed by kappa times the KL divergence from uniform.
        scale: T above, `[players, batch]`; a fixed unit, so tau may move away from it along a path.
        neutral: players with tau = 0, whose p is the opponents' own law.
    """

    payoffs: tuple[Array, ...]
    regularizer: str
    penalty: str
    scale: Array
    neutral: tuple[bool, ...]

    @property
    def pivot(self) -> int:
        """No block of the Jacobian is a multiple of the identity."""
        return 0

    @property
    def parity(self) -> int:
        """Sign of det J at an equilibrium of index +1: each adversary's constraint contributes a minus."""
        return -1 if len(self.payoffs) % 2 else 1

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        return tuple(r.shape[0] for r in self.payoffs)

    @cached_property
    def blocks(self) -> tuple[slice, ...]:
        """Where each player's z, l and m stand together."""
        ends = np.cumsum([r.shape[0] + r.shape[1] + 1 for r in self.payoffs])
        return tuple(
            slice(int(end) - r.shape[0] - r.shape[1] - 1, int(end))
            for end, r in zip(ends, self.payoffs, strict=True)
        )

    @cached_property
    def own(self) -> tuple[slice, ...]:
        """Where each player's scaled payoffs z stand."""
        return tuple(slice(b.start, b.start + a) for b, a in zip(self.blocks, self.sizes, strict=True))

    @property
    def unknowns(self) -> int:
        return self.blocks[-1].stop

    @property
    def batch(self) -> int:
        return int(self.payoffs[0].shape[-1])

    def take(self, index: Array) -> JointSystem:
        """The same equations for the selected games only."""
        return replace(
            self,
            payoffs=tuple(np.ascontiguousarray(r[..., index]) for r in self.payoffs),
            scale=self.scale[:, index],
        )

    def pack(self, scaled: Sequence[Array], at: Parameters) -> Array:
        """Unknowns with the given z and the adversaries that answer them."""
        responses = [RESPONSES[self.regularizer](z) for z in scaled]
        x = np.empty((self.unknowns, self.batch))
        for i, (payoff, block) in enumerate(zip(self.payoffs, self.blocks, strict=True)):
            rivals = [responses[j].log_strategy for j in others(i, len(self.sizes))]
            costs = np.einsum("amb,ab->mb", payoff, responses[i].strategy)
            if self.neutral[i]:
                log_p, multiplier = outer_sum(rivals), np.zeros(self.batch)
            elif self.penalty == "reverse_kl":
                log_p, multiplier = reverse_kl_adversary(costs, outer_sum(rivals), at.tau[i])
            else:
                log_p, multiplier = marginals_adversary(costs, rivals, at.tau[i], at.kappa)
            x[block] = np.vstack([scaled[i], log_p, multiplier / self.scale[i]])
        return x

    def start(self, at: Parameters) -> Array:
        """Solution at weight 0: uniform play and the adversaries that answer it."""
        return self.pack([np.zeros((a, self.batch)) for a in self.sizes], at)

    def repair(self, x: Array, at: Parameters) -> Array:
        """Keep reverse-KL adversaries above their floor p >= q / (1 + tau); costs have range one at most."""
        if self.penalty == "reverse_kl":
            logs = [response.log_strategy for response in self.responses(x)]
            for i, (own, block) in enumerate(zip(self.own, self.blocks, strict=True)):
                adversary = slice(own.stop, block.stop - 1)
                log_q = outer_sum([logs[j] for j in others(i, len(logs))])
                x[adversary] = np.maximum(x[adversary], log_q - np.log1p(at.tau[i]))
        return x

    def responses(self, x: Array) -> list[Response]:
        respond = RESPONSES[self.regularizer]
        return [respond(x[span]) for span in self.own]

    def residual(self, x: Array, at: Parameters) -> Array:
        """The equations alone."""
        return self.evaluate(x, at).residual

    def evaluate(self, x: Array, at: Parameters) -> Evaluation:
        """Residual, Jacobian and parameter derivatives at x."""
        responses = self.responses(x)
        size, batch = self.unknowns, self.batch
        residual, jacobian = np.empty((size, batch)), np.zeros((size, size, batch))
        by_weight, by_tau, by_eps, by_kappa = (np.zeros((size, batch)) for _ in range(4))
        for i, (payoff, own, block) in enumerate(zip(self.payoffs, self.own, self.blocks, strict=True)):
            log_p = x[own.stop : block.stop - 1]
            p = np.exp(log_p)
            adversary = slice(own.stop, block.stop - 1)
            last = block.stop - 1
            utility = np.einsum("amb,mb->ab", payoff, p)
            residual[own] = at.eps[i] * x[own] - at.weight * utility
            by_weight[own] = -utility
            by_eps[own] = x[own]
            diagonal = np.arange(own.start, own.stop)
            jacobian[diagonal, diagonal] = at.eps[i]
            jacobian[own, adversary] = -at.weight * payoff * p
            residual[last] = p.sum(axis=0) - 1.0
            jacobian[last, adversary] = p

            rows = self.adversary_rows(i, log_p, x[last], responses, at)
            residual[adversary] = rows.value
            jacobian[adversary, adversary] = rows.by_log_p
            jacobian[adversary, last] = rows.by_multiplier
            by_tau[adversary] = rows.by_tau
            by_kappa[adversary] = rows.by_kappa
            mine = responses[i]
            by_own = (rows.by_cost * payoff * mine.strategy[:, None]).transpose(1, 0, 2)
            jacobian[adversary, own] = through(by_own, mine)
            for j, by_log_strategy in rows.by_rival.items():
                jacobian[adversary, self.own[j]] = through(by_log_strategy, responses[j])
        return Evaluation(residual, jacobian, by_weight, by_tau, by_eps, by_kappa)

    def adversary_rows(
        self, i: int, log_p: Array, multiplier: Array, responses: Sequence[Response], at: Parameters
    ) -> AdversaryRows:
        """Stationarity of player i's adversary in p_i, with its derivatives."""
        rivals = others(i, len(self.sizes))
        counts = [self.sizes[j] for j in rivals]
        costs = np.einsum("amb,ab->mb", self.payoffs[i], responses[i].strategy)
        tau, unit = at.tau[i], self.scale[i]
        selectors = {j: selector(counts, place) for place, j in enumerate(rivals)}
        diagonal = np.eye(len(log_p))[..., None]
        if self.neutral[i]:
            ones, zeros = np.ones_like(log_p), np.zeros_like(log_p)
            return AdversaryRows(
                value=log_p - outer_sum([responses[j].log_strategy for j in rivals]) + multiplier,
                by_log_p=diagonal,
                by_multiplier=ones,
                by_cost=zeros,
                by_tau=zeros,
                by_kappa=zeros,
                by_rival={j: -pick[..., None] for j, pick in selectors.items()},
            )
        if self.penalty == "reverse_kl":
            # p (slack) = q with slack = tau (m + c). Away from zero its logarithm is nearly linear in l;
            # where it vanishes (actions the adversary truly plays) the slack itself is linear in m and c.
            log_q = outer_sum([responses[j].log_strategy for j in rivals])
            slack = unit * multiplier + tau * costs
            loose = slack > 1e-2 * unit
            safe = np.where(loose, slack, 1.0)
            tight = np.exp(np.minimum(log_q - log_p, 700.0)) / unit
            move = np.where(loose, 1.0 / safe, 1.0 / unit)
            return AdversaryRows(
                value=np.where(loose, log_p - log_q + np.log(safe), slack / unit - tight),
                by_log_p=diagonal * np.where(loose, 1.0, tight),
                by_multiplier=unit * move,
                by_cost=tau * move,
                by_tau=costs * move,
                by_kappa=np.zeros_like(move),
                by_rival={
                    j: -np.where(loose, 1.0, tight)[:, None] * pick[..., None]
                    for j, pick in selectors.items()
                },
            )
        # tau kappa (l + log M) + sum_j (log p_j - log pi_j) + tau (m + c) = 0, p_j the marginals of p.
        value = tau * at.kappa * (log_p + np.log(len(log_p))) + tau * costs
        by_log_p = diagonal * (tau * at.kappa)
        for place, j in enumerate(rivals):
            pick = selectors[j]
            side = log_marginal(log_p, counts, place)
            value = value + pick @ (side - responses[j].log_strategy)
            share = np.minimum(log_p - (pick @ side)[:, None], 0.0)  # positive only where it does not count
            by_log_p = by_log_p + (pick @ pick.T)[..., None] * np.exp(share)
        return AdversaryRows(
            value=value / unit + multiplier,
            by_log_p=by_log_p / unit,
            by_multiplier=np.ones_like(log_p),
            by_cost=np.broadcast_to(tau / unit, log_p.shape),
            by_tau=(at.kappa * (log_p + np.log(len(log_p))) + costs) / unit,
            by_kappa=tau * (log_p + np.log(len(log_p))) / unit,
            by_rival={j: -pick[..., None] / unit for j, pick in selectors.items()},
        )

    def payoff_gradient(self, x: Array, at: Parameters, multipliers: Array) -> list[Array]:
        """Minus the derivative of multipliers'G in every payoff, `[A_i, M_i, batch]` per player."""
        responses = self.responses(x)
        gradients = []
        for i, (own, block) in enumerate(zip(self.own, self.blocks, strict=True)):
            adversary = slice(own.stop, block.stop - 1)
            rows = self.adversary_rows(i, x[adversary], x[block.stop - 1], responses, at)
            gain = at.weight * multipliers[own][:, None] * np.exp(x[adversary])
            gradients.append(gain - responses[i].strategy[:, None] * (multipliers[adversary] * rows.by_cost))
        return gradients

    def along_payoffs(self, x: Array, at: Parameters, changes: Sequence[Array]) -> Array:
        """Derivative of the equations along a change of all payoffs, `[A_i, M_i, batch]` per player."""
        responses = self.responses(x)
        total = np.zeros_like(x)
        for i, (change, own, block) in enumerate(zip(changes, self.own, self.blocks, strict=True)):
            adversary = slice(own.stop, block.stop - 1)
            rows = self.adversary_rows(i, x[adversary], x[block.stop - 1], responses, at)
            costs = np.einsum("amb,ab->mb", change, responses[i].strategy)
            total[own] = -at.weight * np.einsum("amb,mb->ab", change, np.exp(x[adversary]))
            total[adversary] = rows.by_cost * costs
        return total

    def scaled(self, x: Array) -> list[Array]:
        """The players' scaled payoffs z among the unknowns."""
        return [x[span] for span in self.own]


@dataclass(frozen=True)
class AdversaryRows:
    """Equations of one adversary `[M_i, batch]` and their derivatives."""

    value: Array
    by_log_p: Array  # [M_i, M_i, batch]
    by_multiplier: Array
    by_cost: Array  # each row depends on its own cost only
    by_tau: Array
    by_kappa: Array
    by_rival: dict[int, Array]  # in log pi_j, [M_i, A_j, batch]


def selector(sizes: Sequence[int], place: int) -> Array:
    """0/1 matrix `[prod sizes, sizes[place]]`: which action of one opponent a joint action contains."""
    actions = np.indices(sizes)[place].ravel()
    return np.equal.outer(actions, np.arange(sizes[place])).astype(float)
