"""The principal branch: quantal response equilibria of many games of one shape in one call.

Payoffs are centred and scaled to range one first. Scaling payoffs by s is the same as dividing tau and
multiplying eps by s (Mazumdar, Panaganti and Shi 2024), so nothing is lost and every tolerance is relative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from equipoise.equilibria._action_dependent import ActionDependentSystem
from equipoise.equilibria._joint_system import JointSystem
from equipoise.equilibria._leap import Leap, leap
from equipoise.equilibria._path import MAX_STEP, Arrival, Rates, Schedule, follow
from equipoise.equilibria._responses import SCALED_PAYOFFS
from equipoise.equilibria._system import Array, KLSystem, Parameters, System

KAPPA = 1e-9  # final smoothing of the sum-of-marginals adversary, in units of the payoff range
KAPPA_START = 1.0
EXACT = 1e-14  # residual of equations that hold to rounding, in normalised units
SMALL_STEP = 0.1  # of the last attempt at a path


class Rules(NamedTuple):
    """How players judge, the same for every game of a batch; and whether values count the regularizer."""

    penalty: str = "kl"
    regularizer: str = "entropy"
    form: str = "aggregate"
    joint_penalty: str = "joint"
    regularizer_in_value: bool = True


@dataclass(frozen=True)
class Batch:
    """Games of one shape with their preferences, normalised; batch on the last axis.

    Attributes:
        payoffs: own-first matrices `[A_i, M_i, batch]`, of mean zero and range one (or zero).
        scale, shift: payoff units and levels taken out, `[players, batch]`.
        tau, eps: risk aversion and bounded rationality in normalised units, `[players, batch]`.
    """

    payoffs: tuple[Array, ...]
    scale: Array
    shift: Array
    tau: Array
    eps: Array
    rules: Rules

    @property
    def size(self) -> int:
        return int(self.scale.shape[1])

    @property
    def marginals(self) -> bool:
        """Whether the sum-of-marginals penalty makes a difference."""
        return self.rules.joint_penalty == "marginals" and len(self.payoffs) > 2

    def take(self, index: Array) -> Batch:
        """The selected games only."""
        return replace(
            self,
            payoffs=tuple(r[..., index] for r in self.payoffs),
            scale=self.scale[:, index],
            shift=self.shift[:, index],
            tau=self.tau[:, index],
            eps=self.eps[:, index],
        )

    def parameters(self, index: Array | slice = slice(None)) -> Parameters:
        """The parameters asked for, at the end of every path."""
        eps = self.eps[:, index]
        one = np.ones(eps.shape[1])
        return Parameters(one, self.tau[:, index], eps, KAPPA * one)


def stack(payoffs: Sequence[Array], tau: Array, eps: Array, rules: Rules) -> Batch:
    """Normalise stacked games.

    Args:
        payoffs: one tensor per player, `[batch, A_1, ..., A_n]`.
        tau: risk aversion in 1/payoff units, broadcastable to `[batch, players]`.
        eps: bounded rationality in payoff units, likewise.
        rules: how players judge.
    """
    batch, players = payoffs[0].shape[0], len(payoffs)
    flat = own_first(payoffs)
    shift = np.array([p.mean(axis=(1, 2)) for p in flat])
    span = np.array([p.max(axis=(1, 2)) - p.min(axis=(1, 2)) for p in flat])
    scale = np.where(span > 0.0, span, 1.0)
    own = tuple(
        np.ascontiguousarray(((p.T - low) / unit).transpose(1, 0, 2))
        for p, low, unit in zip(flat, shift, scale, strict=True)
    )
    tau, eps = (np.broadcast_to(np.asarray(v, float), (batch, players)).T for v in (tau, eps))
    return Batch(own, scale, shift, tau * scale, eps / scale, rules)


def own_first(payoffs: Sequence[Array]) -> list[Array]:
    """Own-first matrices `[batch, A_i, M_i]` of stacked payoffs `[batch, A_1, ..., A_n]`."""
    return [np.moveaxis(p, 1 + i, 1).reshape(p.shape[0], p.shape[1 + i], -1) for i, p in enumerate(payoffs)]


def system_for(batch: Batch) -> System:
    """The equations that fit the batch's rules."""
    rules, tau = batch.rules, batch.tau
    if not tau.any():
        return KLSystem(batch.payoffs, rules.regularizer, neutral=True)
    if rules.form == "action_dependent":
        if rules.penalty == "l1":
            return KLSystem(truncated(batch.payoffs, tau), rules.regularizer, neutral=True)
        return ActionDependentSystem(batch.payoffs, rules.regularizer, True, rules.penalty)
    if rules.penalty == "kl" and not batch.marginals:
        return KLSystem(batch.payoffs, rules.regularizer, neutral=False)
    penalty = "marginals" if batch.marginals else rules.penalty
    neutral = tuple(bool(row.all()) for row in tau == 0.0)
    return JointSystem(batch.payoffs, rules.regularizer, penalty, np.maximum(1.0, tau), neutral)


def truncated(payoffs: Sequence[Array], tau: Array) -> tuple[Array, ...]:
    """Payoffs as an action-dependent l1-averse player sees them: no outcome better than the worst + 2/tau.

    The risk value of an action is then its plain expectation, so the RQE is the QRE of this game.
    """
    with np.errstate(divide="ignore"):
        return tuple(
            np.minimum(r, r.min(axis=1, keepdims=True) + 2.0 / t) for r, t in zip(payoffs, tau, strict=True)
        )


def from_uniform(batch: Batch) -> tuple[Schedule, Array]:
    """Path from uniform play to the batch's eps: schedule and last theta.

    The weight w = (e^theta - 1)/(e^end - 1) grows linearly at first and exponentially later, so that steps
    are absolute in 1/eps where it is small and relative where it is large. A large tau makes play steep
    early.
    """
    end = np.log1p(np.maximum(1.0, batch.tau.max(axis=0)) / batch.eps.min(axis=0))
    fall = np.log(KAPPA / KAPPA_START)

    def schedule(theta: Array, index: Array) -> tuple[Parameters, Rates]:
        last = end[index]
        weight, growth = np.expm1(theta) / np.expm1(last), np.exp(theta) / np.expm1(last)
        kappa = KAPPA_START * np.exp(fall * theta / last)
        at = Parameters(weight, batch.tau[:, index], batch.eps[:, index], kappa)
        return at, Rates(weight=growth, kappa=fall / last * kappa)

    return schedule, end


@dataclass(frozen=True)
class Branch:
    """Equilibria of a batch; strategies `[A_i, batch]`, the rest per game.

    Attributes:
        system: the equations, for whoever needs derivatives or a neighbouring solution.
        x: their unknowns at the solution.
        strategies: one array per player, `[A_i, batch]`.
        residual: largest violation of the equations, in payoff units.
        arrived, index, solves, bifurcated: as in `Arrival`.
    """

    batch: Batch
    system: System
    x: Array
    strategies: list[Array]
    residual: Array
    arrived: Array
    index: Array
    solves: Array
    bifurcated: Array


def principal_branch(batch: Batch) -> Branch:
    """Follow every game from uniform play (eps infinite) to its own eps."""
    system = system_for(batch)
    if isinstance(system, KLSystem):
        quick = leap(system, batch.parameters())
    else:
        nowhere = np.zeros(batch.size)
        quick = Leap(np.zeros((system.unknowns, batch.size)), nowhere, nowhere > 0.0, nowhere.astype(int))
    whole = Arrival(
        quick.x, quick.solved, np.ones(batch.size), quick.sweeps, np.zeros(batch.size, dtype=bool)
    )
    # The rest walks on from where mutual answers got; whoever is lost starts again, at last in small steps.
    uniform = np.zeros(batch.size)
    for ground, max_step in ((quick.weight, MAX_STEP), (uniform, MAX_STEP), (uniform, SMALL_STEP)):
        left = np.flatnonzero(~whole.arrived)
        if left.size:
            part = batch.take(left)
            schedule, end = from_uniform(part)
            begin = np.log1p(ground[left] * np.expm1(end))
            start = system.take(left).start(schedule(begin, np.arange(left.size))[0])
            x = np.where(begin > 0.0, quick.x[:, left], start)
            merge(whole, follow(system.take(left), schedule, x, end, begin=begin, max_step=max_step), left)
    return finish(batch, system, whole)


def merge(whole: Arrival, part: Arrival, places: Array) -> None:
    """Put the arrivals of some games in their places; linear solves add up."""
    whole.x[:, places] = part.x
    whole.arrived[places] = part.arrived
    whole.indices[places] = part.indices
    whole.solves[places] += part.solves
    whole.bifurcated[places] = part.bifurcated


def from_guess(batch: Batch, strategies: Sequence[Array], max_solves: int = 60) -> Branch:
    """Newton's method at the batch's own parameters from given strategies `[A_i, batch]`, all positive."""
    system = system_for(batch)
    scaled = [SCALED_PAYOFFS[batch.rules.regularizer](s) for s in strategies]
    at = batch.parameters()
    x = system.pack(scaled, at)
    return finish(batch, system, correct(system, at, x, max_solves))


def correct(system: System, at: Parameters, x: Array, max_solves: int) -> Arrival:
    """Damped Newton iteration at fixed parameters; games that do not converge are flagged."""
    size, batch = x.shape
    out = Arrival(
        x.copy(), np.zeros(batch, bool), np.zeros(batch), np.zeros(batch, int), np.zeros(batch, bool)
    )
    games = np.arange(batch)
    with np.errstate(all="ignore"):
        for _ in range(max_solves):
            evaluation = system.evaluate(x, at)
            jacobian = np.moveaxis(evaluation.jacobian, -1, 0)
            sign = np.linalg.slogdet(jacobian)[0]
            regular = np.isfinite(jacobian).all(axis=(1, 2)) & (sign != 0.0)
            change = np.full((batch, size), np.nan)
            change[regular] = np.linalg.solve(jacobian[regular], -evaluation.residual.T[regular][..., None])[
                ..., 0
            ]
            solved = np.abs(evaluation.residual).max(axis=0) <= EXACT
            change[solved & ~regular] = 0.0
            relative = (np.abs(change.T) / system.scales(x)).max(axis=0)
            done = (relative <= 1e-9) | solved
            x = system.repair(x + change.T * np.minimum(1.0, 1.0 / np.maximum(relative, 1e-300)), at)
            out.solves[games] += 1
            lost = ~np.isfinite(x).all(axis=0)
            leaving = done | lost
            if leaving.any():
                out.x[:, games[leaving]] = x[:, leaving]
                out.arrived[games[done & ~lost]] = True
                out.indices[games[leaving]] = system.parity * sign[leaving]
                keep = ~leaving
                system, at, x, games = system.take(keep), at.take(keep), x[:, keep], games[keep]
                batch = games.size
                if not batch:
                    break
    return out


def finish(batch: Batch, system: System, arrival: Arrival) -> Branch:
    """Strategies and residuals, in payoff units, at the end of the paths."""
    x = arrival.x
    with np.errstate(all="ignore"):
        residual = np.abs(system.residual(x, batch.parameters())).max(axis=0)
    strategies = [r.strategy for r in system.responses(x)]
    return Branch(
        batch,
        system,
        x,
        strategies,
        residual * batch.scale.max(axis=0),
        arrival.arrived,
        arrival.indices,
        arrival.solves,
        arrival.bifurcated,
    )
