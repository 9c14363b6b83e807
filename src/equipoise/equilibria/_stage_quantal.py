"""Quantal response equilibria of all stage games at once, with what the step after already knew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from equipoise.equilibria import _branch
from equipoise.equilibria._branch import Batch, Branch, merge, own_first
from equipoise.equilibria._certificate import utilities
from equipoise.equilibria._path import Arrival
from equipoise.equilibria._quantal import adversaries, laws
from equipoise.equilibria._stage import Stage
from equipoise.equilibria._system import Array
from equipoise.equilibria.qre import QRE
from equipoise.equilibria.rqe import RQE
from equipoise.equilibria.uniqueness import (
    MONOTONE,
    MONOTONE_TANGENT,
    coupling,
    covered_pair,
    spectral_radius,
)

NUDGES = (1e-6, -1e-4, 1e-3)  # changes of normalised payoffs that lead past a bifurcation
SAME = 1e-13  # change of normalised payoffs and preferences below which a game counts as unchanged


class _Memory(NamedTuple):
    """Solutions of a step, and the normalised games that they solve (not always of the step itself)."""

    batch: Batch
    arrival: Arrival
    principal: Array  # whether the solution is known to be on the principal branch


@dataclass(frozen=True)
class QuantalStage:
    """Solves stage games for a quantal concept.

    A stage game that has not changed since the step after keeps its solution. Others start Newton's method
    from there where the equilibrium is known to be unique, and follow the principal branch where not. Where
    that branch is lost, next to a bifurcation, any equilibrium reached from nearby is taken, and reported.
    """

    concept: RQE | QRE
    branch: str = "principal branch of every stage game"

    def __call__(self, payoffs: Sequence[Array], later: Stage | None) -> Stage:
        """Solve; see `StageSolver`."""
        concept, players = self.concept, len(payoffs)
        tau, eps = concept.parameters(players)
        batch = _branch.stack(payoffs, tau, eps, concept.rules)
        flat = own_first(payoffs)
        unique = certain(flat, concept, tau, eps)
        branch, principal = _solve(batch, None if later is None else later.memory, unique)
        logs = [np.ascontiguousarray(r.log_strategy.T) for r in branch.system.responses(branch.x)]
        fears = adversaries(branch) if tau.any() else None
        witnesses = None if fears is None else laws(fears)
        shape = (batch.size, players)
        with np.errstate(all="ignore"):
            values = utilities(
                flat,
                logs,
                np.broadcast_to(tau, shape),
                np.broadcast_to(eps, shape),
                concept.rules,
                witnesses,
            )
        arrival = Arrival(branch.x, branch.arrived, branch.index, branch.solves, branch.bifurcated)
        return Stage(
            strategies=[np.exp(law) for law in logs],
            values=values.T,
            solved=branch.arrived,
            certain=unique,
            selected=principal | (branch.arrived & unique),
            iterations=int(branch.solves.sum()),
            residual=float(branch.residual.max()),
            logs=logs,
            laws=witnesses,
            memory=_Memory(branch.batch, arrival, principal),
        )


def certain(own: Sequence[Array], concept: RQE | QRE, tau: Array, eps: Array) -> Array:
    """States whose stage game has one equilibrium by a theorem, `[S]`.

    The theorems of `uniqueness`, which speak of all payoffs at once; the sign rule of 2x2 games; and best
    responses that contract: with D_i the largest range, over the opponents' actions, of an action's payoffs,
    player i's response moves by at most L_i times the opponents' (in the l1 norm), where L_i = D_i/(2 eps_i)
    for neutral players, times exp(tau_i D_i) for the aggregate form, (exp(tau_i D_i) - 1)/(tau_i D_i) for
    the action-dependent one (KL penalty, joint). L_1 L_2 < 1, or (n - 1) max L_i < 1, leaves one equilibrium.
    Both regularizers are 1-strongly convex in that norm.
    """
    states, players = len(own[0]), len(own)
    rules = concept.rules
    if players == 1:
        return np.ones(states, bool)
    if isinstance(concept, RQE) and covered_pair(concept, players):
        bound = MONOTONE_TANGENT if rules.regularizer == "log_barrier" else MONOTONE
        if spectral_radius(coupling(tau, eps)) < bound:
            return np.ones(states, bool)
    known = np.zeros(states, bool)
    smooth = rules.penalty != "l1" and rules.form == "aggregate"
    if players == 2 and own[0].shape[1:] == (2, 2) and (smooth or not tau.any()):
        first, second = (np.sign(r[:, 0, 0] - r[:, 0, 1] - r[:, 1, 0] + r[:, 1, 1]) for r in own)
        known |= first * second <= 0.0
    if not tau.any() or (rules.penalty == "kl" and (players == 2 or rules.joint_penalty == "joint")):
        known |= _contraction(own, tau, eps, rules.form) < 1.0
    return known


def _contraction(own: Sequence[Array], tau: Array, eps: Array, form: str) -> Array:
    factors = []
    for r, averse, noise in zip(own, tau, eps, strict=True):
        stakes = np.ptp(r, axis=2).max(axis=1)
        exponent = np.minimum(averse * stakes, 700.0)
        if form == "aggregate":
            growth = np.exp(exponent)
        else:
            growth = np.where(
                exponent > 0.0, np.expm1(exponent) / np.where(exponent > 0.0, exponent, 1.0), 1.0
            )
        factors.append(stakes * growth / (2.0 * noise))
    if len(own) == 2:
        return np.asarray(factors[0] * factors[1])
    return np.asarray((len(own) - 1) * np.max(factors, axis=0))


def _solve(batch: Batch, memory: _Memory | None, unique: Array) -> tuple[Branch, Array]:
    """Equilibria of the batch, and which of them are on the principal branch."""
    states = batch.size
    kept = np.zeros(states, bool)
    if memory is not None:
        kept = memory.arrival.arrived & _unchanged(batch, memory.batch)
        # An unchanged game keeps the game it was solved for as well, so that small changes cannot add up.
        batch = _mixed(batch, memory.batch, kept)
        whole = Arrival(*(np.copy(part) for part in memory.arrival))
        whole.solves[:] = 0
        whole.arrived[~kept] = False
        principal = memory.principal & kept
        _finish_from(batch, whole, np.flatnonzero(~kept & unique & memory.arrival.arrived), whole.x)
        principal |= whole.arrived & unique
    else:
        whole = _nowhere(batch)
        principal = kept
    left = np.flatnonzero(~whole.arrived)
    if left.size:
        found = _branch.principal_branch(batch.take(left))
        merge(whole, Arrival(found.x, found.arrived, found.index, found.solves, found.bifurcated), left)
        principal[left] = found.arrived
        lost = left[~found.arrived]
        if memory is not None:
            _finish_from(batch, whole, lost, memory.arrival.x)
            lost = lost[~whole.arrived[lost]]
        for nudge in NUDGES:
            if not lost.size:
                break
            start = np.copy(whole.x)
            start[:, lost] = _branch.principal_branch(_nudged(batch.take(lost), nudge)).x
            _finish_from(batch, whole, lost, start)
            lost = lost[~whole.arrived[lost]]
    return _branch.finish(batch, _branch.system_for(batch), whole), principal


def _nudged(batch: Batch, size: float) -> Batch:
    """The batch with slightly other payoffs, whose paths pass a bifurcation by on one side."""
    changed = []
    for i, payoff in enumerate(batch.payoffs):
        cells = np.arange(payoff[..., 0].size).reshape(payoff.shape[:2])
        changed.append(payoff + size * np.sin(1.0 + cells + 0.5 * i)[..., None])
    return replace(batch, payoffs=tuple(changed))


def _nowhere(batch: Batch) -> Arrival:
    unknowns, states = _branch.system_for(batch).unknowns, batch.size
    none = np.zeros(states, bool)
    return Arrival(np.zeros((unknowns, states)), none, np.ones(states), np.zeros(states, int), none.copy())


def _finish_from(batch: Batch, whole: Arrival, places: Array, start: Array) -> None:
    """Newton's method in the given games from given unknowns `[unknowns, S]`."""
    if places.size:
        system = _branch.system_for(batch).take(places)
        near = _branch.correct(system, batch.parameters(places), start[:, places], max_solves=20)
        merge(whole, near, places)


def _unchanged(new: Batch, old: Batch) -> Array:
    same = np.ones(new.size, bool)
    for now, then in zip(new.payoffs, old.payoffs, strict=True):
        same &= (np.abs(now - then) <= SAME).all(axis=(0, 1))
    for now, then in ((new.tau, old.tau), (new.eps, old.eps)):
        same &= (np.abs(now - then) <= SAME * np.abs(then)).all(axis=0)
    return same


def _mixed(new: Batch, old: Batch, kept: Array) -> Batch:
    return Batch(
        tuple(np.where(kept, then, now) for now, then in zip(new.payoffs, old.payoffs, strict=True)),
        new.scale,
        new.shift,
        np.where(kept, old.tau, new.tau),
        np.where(kept, old.eps, new.eps),
        new.rules,
    )
