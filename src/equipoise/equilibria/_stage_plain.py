"""Stage games of concepts without noise: Nash, security and (coarse) correlated equilibrium."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from equipoise.equilibria._branch import own_first
from equipoise.equilibria._stacked_programs import StackedPrograms, maximise_on_simplices
from equipoise.equilibria._stage import Stage
from equipoise.equilibria._system import Array
from equipoise.equilibria.correlated import CoarseCorrelatedEquilibrium, CorrelatedEquilibrium, describe
from equipoise.equilibria.nash import Nash
from equipoise.equilibria.security import Security
from equipoise.games.normal_form import NormalFormGame

ROUNDING = 1e-12  # differences of payoffs that count as none, relative to the largest payoff of the stage
ACCURATE = 1e-9  # of a linear program's duality gap, relative to the payoff range


@dataclass(frozen=True)
class NashStage:
    """One Nash equilibrium per state: linear programs where payoffs are constant-sum, one by one elsewhere.

    Payoffs that differ by rounding only are made equal, because a tie broken by rounding would select another
    equilibrium. A game of general sum that has not changed since the step after keeps its equilibrium.
    """

    concept: Nash

    @property
    def branch(self) -> str:
        """Which equilibrium is selected."""
        chosen = "Lemke-Howson path, label 0" if self.concept.method == "auto" else self.concept.name
        return f"constant-sum stage games by linear program, others by {chosen}"

    def __call__(self, payoffs: Sequence[Array], later: Stage | None) -> Stage:
        """Solve; see `StageSolver`."""
        given, payoffs = payoffs, [_rounded(tensor) for tensor in payoffs]
        states = len(payoffs[0])
        strategies = [np.zeros((states, size)) for size in payoffs[0].shape[1:]]
        residual = np.zeros(states)
        solved, certain = np.zeros(states, bool), np.zeros(states, bool)
        zero_sum = _constant_sum(payoffs) & (self.concept.method in ("auto", "linear_program"))
        iterations = 0
        if zero_sum.any():
            program = _security(own_first([payoffs[0][zero_sum]])[0])
            strategies[0][zero_sum], strategies[1][zero_sum] = program.point, program.weights
            residual[zero_sum] = program.bound - program.value
            solved[zero_sum] = program.solved & _accurate(program, payoffs[0][zero_sum])
            certain[zero_sum] = True
            iterations += program.iterations
        memory = _Normalised(payoffs)
        kept = np.zeros(states, bool)
        if later is not None:
            kept = memory.same_as(later.memory) & later.solved & ~zero_sum
            for mine, theirs in zip(strategies, later.strategies, strict=True):
                mine[kept] = theirs[kept]
            solved |= kept
            certain |= kept & later.certain
        for s in np.flatnonzero(~zero_sum & ~kept):
            answer = self.concept.find(NormalFormGame([tensor[s] for tensor in payoffs]))
            for mine, own in zip(strategies, answer.strategies, strict=True):
                mine[s] = own
            solved[s], residual[s] = answer.converged, answer.residual
            certain[s] = "no other" in answer.status
            iterations += answer.iterations
        values = np.stack([_expectation(tensor, strategies) for tensor in given])
        return Stage(
            strategies, values, solved, certain, solved, iterations, float(residual.max()), memory=memory
        )


@dataclass(frozen=True)
class SecurityStage:
    """Every player's maximin strategy in every state."""

    concept: Security
    branch: str = "linear program"

    def __call__(self, payoffs: Sequence[Array], later: Stage | None) -> Stage:
        """Solve; see `StageSolver`."""
        programs = [_security(own) for own in own_first(payoffs)]
        return Stage(
            strategies=[program.point for program in programs],
            values=np.stack([program.value for program in programs]),
            solved=np.all(
                [_accurate(p, r) & p.solved for p, r in zip(programs, payoffs, strict=True)], axis=0
            ),
            certain=np.zeros(len(payoffs[0]), bool),
            selected=np.ones(len(payoffs[0]), bool),
            iterations=sum(program.iterations for program in programs),
            residual=float(max((program.bound - program.value).max() for program in programs)),
            laws=[program.weights for program in programs],
        )


@dataclass(frozen=True)
class CorrelatedStage:
    """The law over joint actions that is best for the objective among the (coarse) correlated equilibria."""

    concept: CorrelatedEquilibrium | CoarseCorrelatedEquilibrium

    @property
    def branch(self) -> str:
        """Which law is selected."""
        return describe(self.concept.objective, self.concept.sense)

    def __call__(self, payoffs: Sequence[Array], later: Stage | None) -> Stage:
        """Solve; see `StageSolver`."""
        states, counts = len(payoffs[0]), payoffs[0].shape[1:]
        players = len(counts)
        recommended = isinstance(self.concept, CorrelatedEquilibrium)
        incentives = _incentives(payoffs, recommended=recommended)
        linear, worst_of = _objective(self.concept.objective, payoffs)
        sign = 1.0 if self.concept.sense == "maximise" else -1.0
        program = maximise_on_simplices(sign * linear, worst_of=worst_of, constraints=incentives)
        joint = program.point.reshape(states, *counts)
        flat = np.stack([tensor.reshape(states, -1) for tensor in payoffs])
        gains = np.einsum("bka,ba->bk", incentives, program.point).max(axis=1, initial=0.0)
        stakes = np.maximum(np.ptp(flat, axis=2).max(axis=0), np.finfo(float).tiny)
        spread = np.ptp(linear, axis=1) + (0.0 if worst_of is None else np.ptp(worst_of, axis=(1, 2)))
        slack = np.abs(program.bound - program.value)
        return Stage(
            strategies=[
                joint.sum(axis=tuple(1 + j for j in range(players) if j != i)) for i in range(players)
            ],
            values=np.einsum("isa,sa->is", flat, program.point),
            solved=program.solved
            & (gains <= ACCURATE * stakes)
            & (slack <= ACCURATE * np.maximum(spread, stakes)),
            certain=np.zeros(states, bool),
            selected=np.ones(states, bool),
            iterations=program.iterations,
            residual=float(max(gains.max(), slack.max())),
            joint=joint,
        )


class _Normalised(NamedTuple):
    """Stage payoffs, for telling whether games of two steps are the same up to shift and scale."""

    payoffs: Sequence[Array]

    def same_as(self, other: _Normalised) -> Array:
        """States whose games have the same equilibria because one is a positive affine image of the other."""
        same = np.ones(len(self.payoffs[0]), bool)
        for mine, theirs in zip(self._scaled(), other._scaled(), strict=True):
            same &= (np.abs(mine - theirs) <= ROUNDING).all(axis=1)
        return same

    def _scaled(self) -> list[Array]:
        out = []
        for tensor in self.payoffs:
            flat = tensor.reshape(len(tensor), -1)
            span = np.ptp(flat, axis=1, keepdims=True)
            out.append((flat - flat.min(axis=1, keepdims=True)) / np.where(span > 0.0, span, 1.0))
        return out


def _rounded(tensor: Array) -> Array:
    """Payoffs on a grid as fine as rounding, so that equal ones are equal."""
    largest = float(np.abs(tensor).max())
    if largest == 0.0:
        return tensor
    unit = 2.0 ** np.ceil(np.log2(largest * ROUNDING))
    return np.round(tensor / unit) * unit


def _constant_sum(payoffs: Sequence[Array]) -> Array:
    if len(payoffs) != 2:
        return np.zeros(len(payoffs[0]), bool)
    total = payoffs[0] + payoffs[1]
    largest = max(float(np.abs(tensor).max()) for tensor in payoffs)
    return np.asarray(np.ptp(total, axis=(1, 2)) <= 4.0 * ROUNDING * largest)


def _security(own: Array) -> StackedPrograms:
    """Maximin strategies of own-first payoffs `[S, A, M]`; the weights are the others' answer."""
    return maximise_on_simplices(np.zeros(own.shape[:2]), worst_of=own.transpose(0, 2, 1))


def _accurate(program: StackedPrograms, payoffs: Array) -> Array:
    spread = np.ptp(payoffs.reshape(len(payoffs), -1), axis=1)
    return np.asarray(program.bound - program.value <= ACCURATE * np.maximum(spread, 1.0))


def _expectation(tensor: Array, strategies: Sequence[Array]) -> Array:
    for x in reversed(strategies):
        tensor = np.einsum("s...a,sa->s...", tensor, x)
    return tensor


def _incentives(payoffs: Sequence[Array], *, recommended: bool) -> Array:
    """Gains of all deviations as linear functions of the law, `[S, deviations, joint actions]`."""
    states, counts = len(payoffs[0]), payoffs[0].shape[1:]
    rows = []
    for i, tensor in enumerate(payoffs):
        own = np.moveaxis(tensor, 1 + i, 1)
        for b in range(counts[i]):
            gain = own[:, b : b + 1] - own
            for a in range(counts[i]) if recommended else (None,):
                if a == b:
                    continue
                row = (
                    gain
                    if a is None
                    else gain * (np.arange(counts[i]) == a).reshape(-1, *[1] * (len(counts) - 1))
                )
                rows.append(np.moveaxis(row, 1, 1 + i).reshape(states, -1))
    return np.stack(rows, axis=1)


def _objective(objective: Any, payoffs: Sequence[Array]) -> tuple[Array, Array | None]:
    """Objectives `[S, joint actions]`, and the rows of which the smallest counts."""
    states, players = len(payoffs[0]), len(payoffs)
    flat = np.stack([tensor.reshape(states, -1) for tensor in payoffs], axis=1)
    if isinstance(objective, str):
        linear = flat.sum(axis=1) if objective == "welfare" else np.zeros((states, flat.shape[2]))
        return linear, flat if objective == "egalitarian" else None
    if isinstance(objective, int):
        if objective >= players:
            raise ValueError(
                f"objective={objective} names a player from 0, but the game has {players}; use 0 to "
                f"{players - 1}"
            )
        return flat[:, objective], None
    array = np.asarray(objective)
    if array.shape == (players,):
        return np.einsum("i,sia->sa", array, flat), None
    raise ValueError(
        f"objective has shape {array.shape}; in a Markov game it must hold one weight per player, {players}, "
        "because what a joint action is worth depends on the state"
    )
