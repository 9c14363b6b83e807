"""The equations of a quantal response equilibrium, risk-averse or not, with their exact Jacobian.

One system serves QRE (tau = 0) and every RQE whose adversary is explicit: KL penalties (Mazumdar,
Panaganti and Shi 2024), with the adversary eliminated. Arrays carry the batch of games on their last axis,
so that thousands of small games run through the same few array operations as one large game.

Unknowns are the scaled payoffs z_i (see `_responses`), one block per player; the equations are

    G_i = eps_i z_i - w U_i(z) = 0,        U_i = R_i p_i,    p_i prop. to q_i exp(-tau_i R_i' pi_i),

q_i the product of the opponents' strategies. The weight w runs from 0 (uniform play, solved exactly by
z = 0) to 1 (the equilibrium): dividing by w shows it to be a path in eps from infinity down to eps_i.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped

from equipoise.equilibria._responses import RESPONSES, Response

Array = Shaped[np.ndarray, "..."]


class Parameters(NamedTuple):
    """Where on a path the equations are evaluated.

    Attributes:
        weight: w above, `[batch]`.
        tau, eps: risk aversion and bounded rationality, `[players, batch]`.
        kappa: smoothing of the joint adversary (sum-of-marginals penalty only), `[batch]`.
    """

    weight: Array
    tau: Array
    eps: Array
    kappa: Array

    def take(self, index: Array) -> Parameters:
        """Parameters of the selected games."""
        return Parameters(*(part[..., index] for part in self))


class Evaluation(NamedTuple):
    """Equations and derivatives at one point.

    `by_tau` and `by_eps` hold, in the rows of player i, the derivative in that player's own parameter:
    nobody else's parameter enters those rows.
    """

    residual: Array  # [unknowns, batch]
    jacobian: Array  # [unknowns, unknowns, batch]
    by_weight: Array  # [unknowns, batch]
    by_tau: Array  # [unknowns, batch]
    by_eps: Array  # [unknowns, batch]
    by_kappa: Array  # [unknowns, batch]


def others(player: int, players: int) -> list[int]:
    """The opponents of a player, in order."""
    return [j for j in range(players) if j != player]


def outer_sum(blocks: Sequence[Array]) -> Array:
    """Sum of one entry per block for every combination, `[prod of sizes, batch]`, last block fastest."""
    if not blocks:  # a player without opponents faces one certain outcome
        return np.zeros((1, 1))
    total = blocks[0]
    for block in blocks[1:]:
        total = (total[:, None] + block).reshape(-1, total.shape[-1])
    return total


def outer_product(blocks: Sequence[Any]) -> Any:
    """Product of one entry per block for every combination, `[prod of sizes, batch]`, last block fastest.

    In NumPy or in JAX.
    """
    if not blocks:
        return np.ones((1, 1))
    total = blocks[0]
    for block in blocks[1:]:
        total = (total[:, None] * block).reshape(-1, total.shape[-1])
    return total


def marginal(weights: Array, sizes: Sequence[int], keep: int) -> Array:
    """Sum `[..., prod sizes, batch]` over all of `sizes` but axis `keep`."""
    if len(sizes) == 1:
        return weights
    lead = weights.ndim - 2
    split = weights.reshape(*weights.shape[:lead], *sizes, weights.shape[-1])
    return split.sum(axis=tuple(lead + k for k in range(len(sizes)) if k != keep))


def product(left: Array, right: Array) -> Array:
    """Matrix product over the leading axes, batch last."""
    if left.shape[-1] == 1:
        return (left[..., 0] @ right[..., 0])[..., None]
    return np.einsum("abk,bck->ack", left, right)


def softmax_columns(logits: Array) -> tuple[Array, Array]:
    """Softmax over the first axis, and its logarithm."""
    shifted = logits - logits.max(axis=0)
    weights = np.exp(shifted)
    total = weights.sum(axis=0)
    return weights / total, shifted - np.log(total)


class System(ABC):
    """Equations of an equilibrium for a batch of games, that a path can be followed through."""

    @property
    @abstractmethod
    def pivot(self) -> int:
        """On so many first unknowns the Jacobian is eps times the identity (a risk-neutral player)."""

    @property
    @abstractmethod
    def parity(self) -> int:
        """Sign of det J at an equilibrium of index +1."""

    @property
    @abstractmethod
    def unknowns(self) -> int:
        """Number of unknowns."""

    @property
    @abstractmethod
    def batch(self) -> int:
        """Number of games."""

    @property
    @abstractmethod
    def blocks(self) -> tuple[slice, ...]:
        """Where each player's unknowns stand, an adversary's included."""

    @abstractmethod
    def take(self, index: Array) -> System:
        """The same equations for the selected games only."""

    @abstractmethod
    def start(self, at: Parameters) -> Array:
        """Solution at weight 0: uniform play."""

    @abstractmethod
    def pack(self, scaled: Sequence[Array], at: Parameters) -> Array:
        """Unknowns with the given scaled payoffs z, everything else in answer to them."""

    @abstractmethod
    def responses(self, x: Array) -> list[Response]:
        """Every player's strategy at the unknowns x."""

    @abstractmethod
    def repair(self, x: Array, at: Parameters) -> Array:
        """The nearest unknowns that can be a solution at all."""

    @abstractmethod
    def residual(self, x: Array, at: Parameters) -> Array:
        """The equations alone."""

    @abstractmethod
    def evaluate(self, x: Array, at: Parameters) -> Evaluation:
        """The equations with Jacobian and parameter derivatives."""

    @abstractmethod
    def payoff_gradient(self, x: Array, at: Parameters, multipliers: Array) -> list[Array]:
        """Minus the derivative of multipliers'G in every payoff, `[A_i, M_i, batch]` per player."""

    @abstractmethod
    def along_payoffs(self, x: Array, at: Parameters, changes: Sequence[Array]) -> Array:
        """Derivative of the equations along a change of all payoffs, `[A_i, M_i, batch]` per player."""

    @abstractmethod
    def scaled(self, x: Array) -> list[Array]:
        """The players' scaled payoffs z among the unknowns, or any array of that layout."""

    def rows(self, values: Array) -> Array:
        """Values per player `[players, batch]`, repeated on each player's rows."""
        spread = np.empty((self.unknowns, values.shape[1]))
        for block, value in zip(self.blocks, values, strict=True):
            spread[block] = value
        return spread

    def scales(self, x: Array) -> Array:
        """Units in which steps along a path are measured."""
        return 1.0 + np.abs(x)


@dataclass(frozen=True)
class KLSystem(System):
    """Equations of the (risk-averse) quantal response equilibrium with KL penalty, adversaries eliminated.

    Attributes:
        payoffs: own-first matrices R_i `[A_i, prod of the others, batch]`, normalised to range one.
        regularizer: "entropy" or "log_barrier".
        neutral: every tau is 0, so that the terms of the adversary can be skipped (plain QRE).
    """

    payoffs: tuple[Array, ...]
    regularizer: str
    neutral: bool

    @property
    def parity(self) -> int:
        """Adversaries are eliminated: the sign of det J is the index."""
        return 1

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        return tuple(r.shape[0] for r in self.payoffs)

    @cached_property
    def blocks(self) -> tuple[slice, ...]:
        """Where each player's unknowns stand; the largest player's come first, cheap to eliminate."""
        first = int(np.argmax(self.sizes))
        order = [first, *others(first, len(self.sizes))]
        ends = np.cumsum([self.sizes[j] for j in order])
        spans = {j: slice(int(end) - self.sizes[j], int(end)) for j, end in zip(order, ends, strict=True)}
        return tuple(spans[j] for j in range(len(self.sizes)))

    @property
    def unknowns(self) -> int:
        return sum(self.sizes)

    @property
    def batch(self) -> int:
        return int(self.payoffs[0].shape[-1])

    @property
    def logit(self) -> bool:
        """Whether this is plain QRE: risk-neutral logit players."""
        return self.neutral and self.regularizer == "entropy"

    @property
    def pivot(self) -> int:
        """On so many first unknowns the Jacobian is eps times the identity (a risk-neutral player)."""
        return max(self.sizes) if self.neutral else 0

    def take(self, index: Array) -> KLSystem:
        """The same equations for the selected games only."""
        return replace(self, payoffs=tuple(np.ascontiguousarray(r[..., index]) for r in self.payoffs))

    def start(self, at: Parameters) -> Array:
        """Solution at weight 0: uniform play."""
        return np.zeros((self.unknowns, self.batch))

    def pack(self, scaled: Sequence[Array], at: Parameters) -> Array:
        """Unknowns with the given scaled payoffs z; adversaries are functions of them."""
        x = np.empty((self.unknowns, self.batch))
        for block, z in zip(self.blocks, scaled, strict=True):
            x[block] = z
        return x

    def haste(self, i: int, responses: list[Response], at: Parameters) -> Array | None:
        """How far to move towards one's answer, `[batch]`; None for all the way.

        A risk-averse answer turns back on the player's own move, with slopes between 0 and minus the trace
        computed here; going only part of the way is then faster.
        """
        if self.neutral:
            return None
        p, pi = self.adversary(i, responses, at.tau)[0], responses[i].strategy
        payoff = self.payoffs[i]
        centred = payoff - np.einsum("amb,mb->ab", payoff, p)[:, None]
        second = np.einsum("amb,ab,mb->b", centred * centred, pi * responses[i].slope, p)
        mean = np.einsum("amb,ab->mb", centred, pi)
        trace = np.maximum(second - (mean * mean * p).sum(axis=0), 0.0)
        return 1.0 / (1.0 + 0.5 * at.weight * at.tau[i] / at.eps[i] * trace)

    def repair(self, x: Array, at: Parameters) -> Array:
        """Every x is a strategy profile: nothing to repair."""
        return x

    def responses(self, x: Array) -> list[Response]:
        respond = RESPONSES[self.regularizer]
        return [respond(x[block]) for block in self.blocks]

    def adversary(self, i: int, responses: Sequence[Response], tau: Array) -> tuple[Array, Array]:
        """Worst-case law p_i over the opponents' joint actions, and the costs R_i' pi_i it tilts by."""
        rivals = [responses[j] for j in others(i, len(responses))]
        if self.neutral:
            q = outer_product([r.strategy for r in rivals])
            return q, q
        log_q = outer_sum([r.log_strategy for r in rivals])
        costs = np.einsum("amb,ab->mb", self.payoffs[i], responses[i].strategy)
        return softmax_columns(log_q - tau[i] * costs)[0], costs

    def utility(self, i: int, responses: Sequence[Response], tau: Array) -> Array:
        """U_i, the payoff of every own action against the player's adversary, `[A_i, batch]`."""
        return np.einsum("amb,mb->ab", self.payoffs[i], self.adversary(i, responses, tau)[0])

    def residual(self, x: Array, at: Parameters) -> Array:
        """The equations alone."""
        responses = self.responses(x)
        residual = np.empty_like(x)
        for i, block in enumerate(self.blocks):
            residual[block] = at.eps[i] * x[block] - at.weight * self.utility(i, responses, at.tau)
        return residual

    def evaluate(self, x: Array, at: Parameters) -> Evaluation:
        """Residual, Jacobian and parameter derivatives at x."""
        responses = self.responses(x)
        n, size, batch = len(self.sizes), self.unknowns, self.batch
        residual = np.empty((size, batch))
        by_weight = np.empty((size, batch))
        by_tau = np.zeros((size, batch))
        jacobian = np.zeros((size, size, batch))
        for i, (payoff, block) in enumerate(zip(self.payoffs, self.blocks, strict=True)):
            p, costs = self.adversary(i, responses, at.tau)
            weighted = payoff * p
            utility = weighted.sum(axis=1)
            residual[block] = at.eps[i] * x[block] - at.weight * utility
            by_weight[block] = -utility
            diagonal = np.arange(block.start, block.stop)
            jacobian[diagonal, diagonal] = at.eps[i]
            if not self.neutral:
                own = responses[i]
                spread = product(weighted, payoff.swapaxes(0, 1)) - utility[:, None] * utility
                tilt = (at.weight * at.tau[i]) * spread
                reach = own.strategy * own.slope
                jacobian[block, block] += tilt * reach
                jacobian[block, block] -= np.einsum("acb,cb->ab", tilt, reach)[:, None] * own.mean
                by_tau[block] = at.weight * (
                    np.einsum("amb,mb->ab", weighted, costs) - utility * (p * costs).sum(axis=0)
                )
            rivals = others(i, n)
            rival_sizes = [self.sizes[j] for j in rivals]
            for place, j in enumerate(rivals):
                moved = marginal(weighted, rival_sizes, place)
                moved = moved - utility[:, None] * marginal(p, rival_sizes, place)
                jacobian[block, self.blocks[j]] = -at.weight * through(moved, responses[j])
        eps_rows = np.empty((size, batch))
        for block in self.blocks:
            eps_rows[block] = x[block]
        return Evaluation(residual, jacobian, by_weight, by_tau, eps_rows, np.zeros((size, batch)))

    def payoff_gradient(self, x: Array, at: Parameters, multipliers: Array) -> list[Array]:
        """Minus the derivative of multipliers'G in every payoff, `[A_i, M_i, batch]` per player."""
        responses = self.responses(x)
        gradients = []
        for i, (payoff, block) in enumerate(zip(self.payoffs, self.blocks, strict=True)):
            p, own = self.adversary(i, responses, at.tau)[0], multipliers[block]
            reach = np.einsum("amb,ab->mb", payoff, own)
            tilt = at.tau[i] * p * (reach - (p * reach).sum(axis=0))
            gradients.append(at.weight * (own[:, None] * p - responses[i].strategy[:, None] * tilt))
        return gradients

    def along_payoffs(self, x: Array, at: Parameters, changes: Sequence[Array]) -> Array:
        """Derivative of the equations along a change of all payoffs, `[A_i, M_i, batch]` per player."""
        responses = self.responses(x)
        total = np.empty_like(x)
        for i, (payoff, change, block) in enumerate(zip(self.payoffs, changes, self.blocks, strict=True)):
            p = self.adversary(i, responses, at.tau)[0]
            moved = np.einsum("amb,mb->ab", change, p)
            if not self.neutral:
                costs = np.einsum("amb,ab->mb", change, responses[i].strategy)
                tilt = at.tau[i] * p * (costs - (p * costs).sum(axis=0))
                moved -= np.einsum("amb,mb->ab", payoff, tilt)
            total[block] = -at.weight * moved
        return total

    def scaled(self, x: Array) -> list[Array]:
        """The players' scaled payoffs z: all there is among the unknowns."""
        return [x[block] for block in self.blocks]


def through(moved: Array, response: Response) -> Array:
    """Chain d(something) = moved @ d log pi through the response: `[rows, A_j, batch]`."""
    scaled = moved * response.slope
    return scaled - scaled.sum(axis=1)[:, None] * response.mean
