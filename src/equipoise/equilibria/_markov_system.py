"""Equations of a stationary quantal response equilibrium: all stage games and all values together.

Unknowns are those of the stage games x, `[unknowns, S]` (see `_system`), and the values V, `[players, S]`:

    G(x(s); Q(s, V)) = 0,        V_i(s) = v_i(x(s); Q(s, V)),        Q_i = r_i + discount * (worth of V_i).

A Newton step first eliminates the stage games, which are small and independent, and is left with one linear
system in V. Rewards are centred and scaled to range one per player first; scaling rewards by s is the same as
dividing tau and multiplying eps by s (Mazumdar, Panaganti and Shi 2024).

At weight w the equations are those of eps/w, so that a path in w from 0 to 1 is the path in the noise from
infinity down. V leaves out the constant part of the regularizer's cost (see `_stage_values`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from equipoise.equilibria._branch import KAPPA, KAPPA_START, Batch, Rules, system_for
from equipoise.equilibria._lookahead import Lookahead, Outlook
from equipoise.equilibria._markov_solution import MarkovSolution
from equipoise.equilibria._path import Rates, by_theta
from equipoise.equilibria._stage_values import stage_values, uniform_cost
from equipoise.equilibria._system import Array, Parameters, System
from equipoise.equilibria._value_equations import coupled
from equipoise.games.markov import MarkovGame

LARGEST_DENSE = 2000  # values; with more of them linear systems are solved by iteration
LARGEST_DENSE_SPARSE = 300  # the same for games given by successor lists


@runtime_checkable
class Quantal(Protocol):
    """A concept of noisy, possibly risk-averse play: RQE or QRE."""

    @property
    def name(self) -> str:
        """Name with parameters."""
        ...

    @property
    def rules(self) -> Rules:
        """How players judge."""
        ...

    def find_markov(self, game: MarkovGame) -> MarkovSolution:
        """Find the concept's policies."""
        ...

    @property
    def environment_penalty(self) -> str:
        """What a feared deviation of chance costs."""
        ...

    def parameters(self, players: int) -> tuple[Array, Array]:
        """Tau and eps of every player."""
        ...

    def environment(self, game: MarkovGame) -> Array:
        """Aversion to chance moves of every player."""
        ...


class Point(NamedTuple):
    """A point of the path: stage unknowns `[unknowns, S]`, values `[players, S]`, path parameter."""

    x: Array
    values: Array
    theta: float


class Step(NamedTuple):
    """What the linearised equations say at a point.

    Attributes:
        newton_x, newton_values: Newton step at fixed theta.
        along_x, along_values: change of the solution per unit of theta.
        sign: sign of the determinant of the whole Jacobian; 0 where it is not computed.
        error: largest violation of the equations, in units of the rewards' range.
    """

    newton_x: Array
    newton_values: Array
    along_x: Array
    along_values: Array
    sign: float
    error: float


@dataclass(frozen=True, eq=False)
class MarkovSystem:
    """The equations of one game and concept, in units of each player's range of rewards.

    Attributes:
        lookahead: rewards and transitions as the players judge them.
        rules: how players judge each other.
        tau, eps: risk aversion and bounded rationality, `[players, 1]`.
        scale, shift: units and levels of rewards taken out, `[players]`.
    """

    lookahead: Lookahead
    rules: Rules
    tau: Array
    eps: Array
    scale: Array
    shift: Array

    @classmethod
    def of(cls, game: MarkovGame, concept: Quantal) -> MarkovSystem:
        """The equations of a concept on a discounted game."""
        players = game.num_players
        tau, eps = concept.parameters(players)
        rewards = game.rewards_at().reshape(players, game.num_states, -1)
        low, high = rewards.min(axis=(1, 2)), rewards.max(axis=(1, 2))
        scale = np.where(high > low, high - low, 1.0)
        shift = rewards.mean(axis=(1, 2))
        normal = (rewards - shift[:, None, None]) / scale[:, None, None]
        averse = concept.environment(game) * scale
        lookahead = Lookahead(game, normal, averse, concept.environment_penalty)
        return cls(lookahead, concept.rules, (tau * scale)[:, None], (eps / scale)[:, None], scale, shift)

    @property
    def states(self) -> int:
        return self.lookahead.game.num_states

    @property
    def players(self) -> int:
        return len(self.scale)

    @cached_property
    def end(self) -> float:
        """Theta at weight 1."""
        return float(np.log1p(np.maximum(1.0, self.tau.max()) / self.eps.min()))

    @cached_property
    def direct(self) -> bool:
        """Whether linear systems in the values are factorised, and their determinants known."""
        sparse = self.lookahead.game.is_sparse
        return self.players * self.states <= (LARGEST_DENSE_SPARSE if sparse else LARGEST_DENSE)

    def system(self, outlook: Outlook) -> System:
        """Equations of the stage games."""
        ones = np.ones((self.players, self.states))
        batch = Batch(tuple(outlook.payoffs), ones, 0.0 * ones, self.tau * ones, self.eps * ones, self.rules)
        return system_for(batch)

    def parameters(self, theta: float) -> tuple[Parameters, Rates]:
        """Parameters of the stage games at theta, and how they change with it."""
        ones = np.ones(self.states)
        weight, growth = np.expm1(theta) / np.expm1(self.end), np.exp(theta) / np.expm1(self.end)
        fall = np.log(KAPPA / KAPPA_START)
        kappa = KAPPA_START * np.exp(fall * theta / self.end)
        at = Parameters(weight * ones, self.tau * ones, self.eps * ones, kappa * ones)
        return at, Rates(weight=growth * ones, kappa=fall / self.end * kappa * ones)

    def start(self, theta: float) -> Point:
        """Uniform play, where paths begin; Newton's method at a small theta corrects it and finds values."""
        values = np.zeros((self.players, self.states))
        return Point(self.system(self.lookahead(values)).start(self.parameters(theta)[0]), values, theta)

    def linearise(self, point: Point, accuracy: float = 1e-8) -> Step:
        """Newton step and tangent at a point, and how far it is from solving the equations.

        Args:
            point: where.
            accuracy: relative accuracy of the Newton step where linear systems are solved by iteration.
        """
        x, values, theta = point
        at, rates = self.parameters(theta)
        outlook = self.lookahead(values)
        system = self.system(outlook)
        stage = system.evaluate(x, at)
        slope = by_theta(system, stage, rates)
        worth = stage_values(system, x, at, self.rules.regularizer, self.rules.regularizer_in_value)
        assert rates.weight is not None
        worth_slope = worth.by_weight * rates.weight
        jacobian = np.moveaxis(stage.jacobian, -1, 0)
        inverse = np.linalg.inv(jacobian)
        adjoint = np.einsum("iub,buv->ivb", worth.by_x, inverse)
        gap = worth.value - values
        error = max(float(np.abs(stage.residual).max()), float(np.abs(gap).max()))

        weights = np.empty((self.players, self.players, self.states, outlook.payoffs[0][..., 0].size))
        for i in range(self.players):
            blocks = system.payoff_gradient(x, at, adjoint[i])
            blocks[i] = blocks[i] + worth.by_payoff[i]
            for j, block in enumerate(blocks):
                weights[i, j] = self.lookahead.joint_first(j, block)
        equations = coupled(weights, outlook.kernels, self.lookahead.discount, self.direct)
        newton = equations.solve(gap - np.einsum("iub,ub->ib", adjoint, stage.residual), accuracy)
        along = equations.solve(worth_slope - np.einsum("iub,ub->ib", adjoint, slope), 1e-6)
        sign = equations.sign
        if sign:
            sign *= float(np.prod(np.linalg.slogdet(jacobian)[0]))
        return Step(
            self._stages(system, x, at, inverse, stage.residual, outlook, newton),
            newton,
            self._stages(system, x, at, inverse, slope, outlook, along),
            along,
            sign,
            error,
        )

    def _stages(
        self,
        system: System,
        x: Array,
        at: Parameters,
        inverse: Array,
        residual: Array,
        outlook: Outlook,
        change: Array,
    ) -> Array:
        """How stage unknowns move along with a change of values: -J^-1 (residual + G_Q dQ)."""
        worth = np.stack([kernel @ dv for kernel, dv in zip(outlook.kernels, change, strict=True)])
        payoffs = self.lookahead.own_first(
            self.lookahead.discount * worth.reshape(self.players, self.states, -1)
        )
        return np.asarray(-np.einsum("buv,vb->ub", inverse, residual + system.along_payoffs(x, at, payoffs)))

    def log_strategies(self, point: Point) -> list[Array]:
        """Logarithms of the players' strategies, `[S, A_i]`."""
        system = self.system(self.lookahead(point.values))
        return [np.ascontiguousarray(r.log_strategy.T) for r in system.responses(point.x)]

    def values(self, point: Point) -> Array:
        """Values in payoff units, with everything that was taken out of them, `[players, S]`."""
        rule, counts = self.rules.regularizer, self.lookahead.game.num_actions
        level = self.shift.copy()
        if self.rules.regularizer_in_value:
            level -= self.scale * self.eps[:, 0] * [uniform_cost(rule, count) for count in counts]
        return point.values * self.scale[:, None] + (level / (1.0 - self.lookahead.discount))[:, None]
