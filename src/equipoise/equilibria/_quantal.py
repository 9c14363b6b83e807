"""From a batch of branches to certified solutions, shared by RQE and QRE."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from equipoise.equilibria import _branch
from equipoise.equilibria._branch import Batch, Branch, Rules, own_first
from equipoise.equilibria._certificate import Gaps, certify
from equipoise.equilibria._joint_system import JointSystem
from equipoise.equilibria._solution import Certificate, Concept, Solution
from equipoise.equilibria._system import Array, KLSystem
from equipoise.games.normal_form import NormalFormGame

TOLERANCE = 1e-8  # certified gap of each player of a converged solution, as a share of its payoff range


def adversaries(branch: Branch) -> list[Array] | None:
    """Each player's worst-case law over the opponents' joint actions `[M_i, batch]`, where there is one."""
    system = branch.system
    if isinstance(system, JointSystem):
        return [
            np.exp(np.minimum(branch.x[own.stop : block.stop - 1], 0.0))
            for own, block in zip(system.own, system.blocks, strict=True)
        ]
    if type(system) is KLSystem and branch.batch.rules.form == "aggregate":
        responses = system.responses(branch.x)
        return [system.adversary(i, responses, branch.batch.tau)[0] for i in range(len(responses))]
    return None


def certify_branch(branch: Branch, payoffs: Sequence[Array]) -> Gaps:
    """Certificate of every game of a branch, on the payoffs as they were given `[batch, A_1, ..., A_n]`."""
    batch = branch.batch
    fears = adversaries(branch) if batch.tau.any() else None  # neutral players have no adversary to witness
    with np.errstate(all="ignore"):
        return certify(
            own_first(payoffs),
            [np.ascontiguousarray(r.log_strategy.T) for r in branch.system.responses(branch.x)],
            (batch.tau / batch.scale).T,
            (batch.eps * batch.scale).T,
            batch.rules,
            None if fears is None else laws(fears),
        )


def laws(fears: Sequence[Array]) -> list[Array]:
    """Adversaries' weights `[M_i, batch]`, possibly of an unfinished iteration, as laws `[batch, M_i]`."""
    return [_law(weights.T) for weights in fears]


def _law(weights: Array) -> Array:
    weights = np.where(np.isfinite(weights), weights, 0.0) + np.finfo(float).tiny
    return weights / weights.sum(axis=1, keepdims=True)


def converged(branch: Branch, gaps: Gaps) -> Array:
    """Games whose path arrived and whose certificate agrees, for every player at its own stakes."""
    return branch.arrived & (gaps.upper <= TOLERANCE * branch.batch.scale.T).all(axis=1)


def solution(
    game: NormalFormGame,
    concept: Concept,
    branch: Branch,
    gaps: Gaps,
    k: int,
    *,
    named: str,
    status: str,
) -> Solution:
    """The k-th game of a branch as a record."""
    good = bool(converged(branch, gaps)[k])
    fears = adversaries(branch)
    details: dict[str, object] = {"index": int(branch.index[k]), "bifurcated": bool(branch.bifurcated[k])}
    if fears is not None:
        details["adversaries"] = tuple(law[:, k].copy() for law in fears)
    if not good:
        reason = (
            f"the path from uniform play was lost after {branch.solves[k]} linear solves"
            if not branch.arrived[k]
            else "the certified gap exceeds the tolerance"
        )
        status = f"not converged: {reason}"
    return Solution(
        game=game,
        concept=concept,
        strategies=tuple(s[:, k].copy() for s in branch.strategies),
        values=gaps.values[k].copy(),
        certificate=Certificate(
            concept=f"{concept.name}: game with its risk and regularisation",
            gap=float(gaps.upper[k].sum()),
            gap_per_player=gaps.upper[k].copy(),
            lower=float(gaps.lower[k].sum()),
            nash_gap=float(gaps.nash[k].sum()),
        ),
        converged=good,
        iterations=int(branch.solves[k]),
        residual=float(branch.residual[k]),
        branch=named,
        status=status,
        details=details,
    )


def one(game: NormalFormGame, tau: Array, eps: Array, rules: Rules) -> Batch:
    """A batch of a single game."""
    return _branch.stack(stacked(game), tau, eps, rules)


def stacked(game: NormalFormGame) -> list[Array]:
    """A single game's payoffs as a batch of one, `[1, A_1, ..., A_n]`."""
    return [p[None] for p in game.payoffs]


def many(payoffs: Sequence[Array], tau: Array, eps: Array, rules: Rules) -> tuple[Branch, Gaps]:
    """Principal branches of stacked games `[batch, A_1, ..., A_n]`, certified."""
    branch = _branch.principal_branch(_branch.stack(payoffs, tau, eps, rules))
    return branch, certify_branch(branch, payoffs)
