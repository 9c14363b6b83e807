"""Markov games of finite horizon, solved backwards in time: the stage games of all states, step by step."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from equipoise.equilibria._chance import worth
from equipoise.equilibria._markov_certificate import Play, certify_play
from equipoise.equilibria._markov_solution import MarkovConcept, MarkovSolution
from equipoise.equilibria._quantal import TOLERANCE
from equipoise.equilibria._stage import Stage, StageSolver
from equipoise.equilibria._stage_plain import CorrelatedStage, NashStage, SecurityStage
from equipoise.equilibria._stage_quantal import QuantalStage
from equipoise.equilibria._system import Array
from equipoise.equilibria.correlated import CoarseCorrelatedEquilibrium, CorrelatedEquilibrium
from equipoise.equilibria.nash import Nash
from equipoise.equilibria.qre import QRE
from equipoise.equilibria.rqe import RQE
from equipoise.equilibria.security import Security
from equipoise.games.markov import MarkovGame

LARGEST_NOISE = 1e100  # bounded rationality whose entropy would swamp every value


class Chance(NamedTuple):
    """How players judge chance moves.

    Attributes:
        aversion: tau_env per player, `[n]`.
        penalty: divergence of a feared law of the next state from the true one.
    """

    aversion: Array
    penalty: str


class StageReport(NamedTuple):
    """What was found about the stage games, all `[H, S]`.

    Attributes:
        solved: the solver reached its tolerance.
        certain: the equilibrium is known to be the only one.
        selected: it is the one the solver selects (`branch` of the solution says which); elsewhere the
            principal branch was lost and another equilibrium may have been taken.
        gain: the most any player could gain by deviating from this step and state on (certified bound).
    """

    solved: Array
    certain: Array
    selected: Array
    gain: Array


def backward_induction(game: MarkovGame, concept: MarkovConcept) -> MarkovSolution:
    """Solve a game with a horizon for a concept: from the last step back, the stage game of every state.

    Stage payoffs are the rewards plus what the next state is worth to the player, judged with its aversion to
    chance; what the stage game is worth at its equilibrium is the state's value at that step.

    Args:
        game: a game with a horizon; transitions and rewards may depend on time.
        concept: `RQE`, `QRE`, `Nash`, `Security`, `CorrelatedEquilibrium` or `CoarseCorrelatedEquilibrium`.

    Returns:
        Policies `[H, S, A_i]`. `details["values"]` has the values of all steps, `[H + 1, n, S]`;
        `details["stage"]` the report on the stage games, `[H, S]`; `details["adversaries"]` each player's
        feared law of the others' play, `[H, S, M_i]`, where the concept has one.

    Raises:
        ValueError: the concept cannot be asked of this game.
        TypeError: the concept has no stage game solver.

    Source: for RQE, Mazumdar, Panaganti and Shi (2024), arXiv 2406.14156, Algorithm 1.
    """
    assert game.horizon is not None
    solver = _solver(game, concept)
    chance = judgement(game, concept)
    players, states, horizon = game.num_players, game.num_states, game.horizon
    values = np.zeros((horizon + 1, players, states))
    stakes = np.zeros((horizon, players))
    record = _Record(game, horizon)
    stage: Stage | None = None
    for step in reversed(range(horizon)):
        payoffs = game.rewards_at(step) + worth(game, values[step + 1], step, *chance)
        stage = solver(list(payoffs), stage)
        if not np.isfinite(stage.values).all():
            raise ValueError(
                f"values overflow at step {step}; rewards, or the inverse of a tiny risk aversion or "
                "precision, are too large for this horizon"
            )
        values[step] = stage.values
        stakes[step] = np.ptp(payoffs.reshape(players, states, -1), axis=2).max(axis=1)
        record.add(step, stage)
    play = Play(record.policies, record.logs, record.laws, record.joint)
    certificate, gains = certify_play(game, concept, *chance, play)
    good = record.solved.all()
    exact = bool((certificate.gap_per_player <= TOLERANCE * np.maximum(stakes, 1e-300).sum(axis=0)).all())
    report = StageReport(record.solved, record.certain, record.selected, gains)
    details: dict[str, Any] = {"values": values, "stage": report}
    if record.laws is not None:
        details["adversaries"] = tuple(record.laws)
    return MarkovSolution(
        game=game,
        concept=concept,
        strategies=tuple(record.policies),
        values=values[0].copy(),
        certificate=certificate,
        converged=bool(good and exact),
        iterations=record.iterations,
        residual=record.residual,
        branch="the equilibrium" if record.certain.all() else solver.branch,
        status=_status(solver, report, bool(good), exact),
        joint=record.joint,
        details=details,
    )


def judgement(game: MarkovGame, concept: Any) -> Chance:
    """How the concept's players judge chance moves; neutral unless the concept says otherwise."""
    if isinstance(concept, RQE | QRE):
        return Chance(concept.environment(game), concept.environment_penalty)
    return Chance(np.zeros(game.num_players), "kl")


def _solver(game: MarkovGame, concept: Any) -> StageSolver:
    if isinstance(concept, RQE | QRE):
        tau, eps = concept.parameters(game.num_players)
        if eps.all():
            if eps.max() > LARGEST_NOISE and concept.regularizer_in_value:
                raise ValueError(
                    f"{concept.name}: uniform play has an infinitely large entropy bonus; leave it out of "
                    "values with regularizer_in_value=False"
                )
            return QuantalStage(concept)
        return NashStage(Nash()) if not tau.any() else SecurityStage(Security())
    if isinstance(concept, Nash):
        return NashStage(concept)
    if isinstance(concept, Security):
        if concept.pure:
            raise ValueError("pure security strategies are for games in normal form; use Security()")
        return SecurityStage(concept)
    if isinstance(concept, CorrelatedEquilibrium | CoarseCorrelatedEquilibrium):
        return CorrelatedStage(concept)
    raise TypeError(f"{concept.name} has no solver for stage games of Markov games with a horizon")


class _Record:
    """Collects the stages of all steps."""

    def __init__(self, game: MarkovGame, horizon: int):
        self.shape = (horizon, game.num_states)
        self.policies = [np.zeros((*self.shape, size)) for size in game.num_actions]
        self.solved = np.zeros(self.shape, bool)
        self.certain = np.zeros(self.shape, bool)
        self.selected = np.zeros(self.shape, bool)
        self.logs: list[Array] | None = None
        self.laws: list[Array] | None = None
        self.joint: Array | None = None
        self.iterations = 0
        self.residual = 0.0

    def add(self, step: int, stage: Stage) -> None:
        for mine, own in zip(self.policies, stage.strategies, strict=True):
            mine[step] = own
        self.solved[step], self.certain[step] = stage.solved, stage.certain
        self.selected[step] = stage.selected
        self.iterations += stage.iterations
        self.residual = max(self.residual, stage.residual)
        if stage.logs is not None:
            self.logs = self.logs or [np.zeros_like(policy) for policy in self.policies]
            for mine, own in zip(self.logs, stage.logs, strict=True):
                mine[step] = own
        if stage.laws is not None:
            self.laws = self.laws or [np.zeros((*self.shape, law.shape[1])) for law in stage.laws]
            for mine, own in zip(self.laws, stage.laws, strict=True):
                mine[step] = own
        if stage.joint is not None:
            if self.joint is None:
                self.joint = np.zeros((*self.shape, *stage.joint.shape[1:]))
            self.joint[step] = stage.joint


def _status(solver: StageSolver, report: StageReport, good: bool, exact: bool) -> str:
    total = report.solved.size
    if not good:
        return f"not converged: {int((~report.solved).sum())} of {total} stage games were not solved"
    if not exact:
        return "not converged: the certified gap exceeds the tolerance"
    unknown = int((~report.certain).sum())
    if not unknown:
        return "unique: every stage game has one equilibrium"
    if isinstance(solver, QuantalStage):
        lost = int((~report.selected).sum())
        elsewhere = f", but in {lost} it was lost and a nearby equilibrium taken" if lost else ""
        return (
            f"in {unknown} of {total} stage games uniqueness is not certified; the principal branch is taken "
            f"there{elsewhere}, and values of earlier steps depend on that choice"
        )
    if isinstance(solver, SecurityStage):
        return "The guaranteed payoffs are unique; the strategies need not be."
    return (
        f"in {unknown} of {total} stage games other equilibria may exist; values of earlier steps depend on "
        "the one selected"
    )
