"""Stationary quantal response equilibria of discounted Markov games, risk-averse or not.

Risk-averse players: Zhang and Mazumdar (2026), arXiv 2602.12386. The logit equilibrium: Eibelshauser and
Poensgen (2019), "Markov quantal response equilibrium and a homotopy method for computing and selecting Markov
perfect equilibria of dynamic stochastic games".
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from equipoise.equilibria._joint_system import JointSystem
from equipoise.equilibria._markov_nash import logit_limit
from equipoise.equilibria._markov_path import Arrival, follow
from equipoise.equilibria._markov_solution import MarkovConcept, MarkovSolution
from equipoise.equilibria._markov_sweeps import Sweeps, answer_in_turn, is_mild
from equipoise.equilibria._markov_system import MarkovSystem, Quantal
from equipoise.equilibria._stationary_certificate import certify_stationary
from equipoise.equilibria._system import Array
from equipoise.equilibria.nash import Nash
from equipoise.equilibria.shapley import is_constant_sum, shapley_iteration
from equipoise.games.markov import MarkovGame

TOLERANCE = 1e-8  # certified gap of a converged solution, as a share of the range of rewards / (1 - discount)
LONGEST_STEPS = (1.0, 0.1, 0.02)  # of the attempts at a path


def solve_stationary(game: MarkovGame, concept: MarkovConcept) -> MarkovSolution:
    """Stationary equilibrium of a discounted Markov game, by the fastest method that is safe for it.

    Risk-neutral logit players who respond mildly are solved by mutual answers with exact values in between.
    All others by following the equilibrium of the whole game from uniform play as the noise falls to what was
    asked for, to the principal branch. Nash equilibria: see `solve_nash`.

    Args:
        game: a discounted game.
        concept: RQE, QRE or Nash.

    Returns:
        The solution with its certificate; `converged=False` where no method reached the tolerance.

    Raises:
        ValueError: the game has a horizon, or the concept is not defined for it.
        TypeError: the concept has no stationary solver.
    """
    check_discounted(game)
    if isinstance(concept, Nash) or _is_nash(game, concept):
        return solve_nash(game, concept)
    if not hasattr(concept, "rules"):
        raise TypeError(f"{concept.name} has no solver for discounted games; use RQE, QRE or Nash")
    quantal = cast("Quantal", concept)
    tau, eps = check_noisy(game, quantal)
    if quantal.rules.regularizer == "entropy" and not (tau.any() or quantal.environment(game).any()):
        spans = stakes(game)
        if is_mild(game, spans, eps):
            quick = answer_in_turn(game, eps, quantal.rules.regularizer_in_value)
            if quick.solved:
                found = _from_sweeps(game, quantal, quick, spans)
                if found.converged:
                    return found
    return follow_noise(game, quantal)


def solve_nash(game: MarkovGame, concept: MarkovConcept) -> MarkovSolution:
    """A stationary Nash equilibrium: the value of constant-sum games, else the limit of the logit path.

    Args:
        game: a discounted game.
        concept: what to store as the concept, usually `Nash()`.

    Returns:
        The solution; flagged where the equilibrium was not reached.
    """
    check_discounted(game)
    if is_constant_sum(game):
        return shapley_iteration(game, concept)
    return logit_limit(game, concept)


def _is_nash(game: MarkovGame, concept: MarkovConcept) -> bool:
    """Whether it is an RQE of neutral players without noise."""
    from equipoise.equilibria.rqe import RQE

    if not isinstance(concept, RQE):
        return False
    tau, eps = concept.parameters(game.num_players)
    return not (tau.any() or eps.any() or concept.environment(game).any())


def follow_noise(game: MarkovGame, concept: Quantal) -> MarkovSolution:
    """The principal branch: the equilibrium reached from uniform play as the noise falls from infinity.

    All states move together along one path, followed by pseudo-arclength continuation with the exact
    Jacobian (up to some hundred states factorised, beyond that by iteration). A path that is lost is tried
    again with shorter steps.

    Args:
        game: a discounted game.
        concept: RQE or QRE with positive noise.

    Returns:
        The solution; flagged where the path was lost.

    Raises:
        ValueError: the game has a horizon, or the concept is not one of noisy play.
    """
    check_discounted(game)
    check_noisy(game, concept)
    system = MarkovSystem.of(game, concept)
    solves = 0
    for longest in LONGEST_STEPS:
        arrival = follow(system, max_step=longest)
        solves += arrival.solves
        if arrival.arrived:
            break
    return from_arrival(game, concept, system, arrival, solves)


def from_arrival(
    game: MarkovGame, concept: Quantal, system: MarkovSystem, arrival: Arrival, solves: int
) -> MarkovSolution:
    """The end of a path as a certified solution."""
    logs = system.log_strategies(arrival.point)
    policies = [np.exp(log) for log in logs]
    checked = certify_stationary(game, concept, policies, logs, _witnesses(system, arrival))
    good = arrival.arrived and within_tolerance(game, checked.certificate.gap_per_player, system.scale)
    if not arrival.arrived:
        share = arrival.point.theta / system.end
        status = (
            f"not converged: the path from uniform play was lost at {share:.0%} of its way; "
            "stage_value_iteration may find an equilibrium, on whatever branch"
        )
    elif not good:
        status = "not converged: the certified gap exceeds the tolerance"
    else:
        status = "one found, uniqueness not certified"
    details: dict[str, Any] = {"method": "path from uniform play", "steps": arrival.steps}
    if arrival.sign:
        details |= {"index": int(arrival.sign), "bifurcated": arrival.bifurcated}
    return MarkovSolution(
        game=game,
        concept=concept,
        strategies=tuple(policies),
        values=checked.values,
        certificate=checked.certificate,
        converged=good,
        iterations=solves,
        residual=arrival.error * float(system.scale.max()),
        branch="principal",
        status=status,
        details=details,
    )


def _witnesses(system: MarkovSystem, arrival: Arrival) -> list[Array] | None:
    """Worst-case laws `[S, M_i]` of adversaries that are unknowns themselves."""
    stage = system.system(system.lookahead(arrival.point.values))
    if not isinstance(stage, JointSystem):
        return None
    laws = []
    for own, block in zip(stage.own, stage.blocks, strict=True):
        weights = np.exp(np.minimum(arrival.point.x[own.stop : block.stop - 1], 0.0)).T
        weights = np.where(np.isfinite(weights), weights, 0.0) + np.finfo(float).tiny
        laws.append(weights / weights.sum(axis=1, keepdims=True))
    return laws


def _from_sweeps(game: MarkovGame, concept: Quantal, quick: Sweeps, spans: Array) -> MarkovSolution:
    checked = certify_stationary(game, concept, quick.policies)
    return MarkovSolution(
        game=game,
        concept=concept,
        strategies=tuple(quick.policies),
        values=checked.values,
        certificate=checked.certificate,
        converged=within_tolerance(game, checked.certificate.gap_per_player, spans),
        iterations=quick.sweeps,
        residual=quick.residual * float(spans.max()),
        branch="principal",
        status=f"mutual answers contract by {quick.contraction:.2g} or less per sweep",
        details={"method": "mutual answers", "contraction": quick.contraction},
    )


def stakes(game: MarkovGame) -> Array:
    """Range of every player's rewards, `[players]`."""
    return np.array([r.max() - r.min() for r in game.rewards])


def within_tolerance(game: MarkovGame, gaps: Array, spans: Array) -> bool:
    """Whether every player's gap is small against its stakes."""
    assert game.discount is not None
    return bool((gaps * (1.0 - game.discount) <= TOLERANCE * np.maximum(spans, 1e-300)).all())


def check_discounted(game: MarkovGame) -> None:
    """Raise unless the game is discounted."""
    if game.discount is None:
        raise ValueError(
            f"stationary policies are for discounted games; this one has horizon {game.horizon}: use "
            "solve() or backward_induction()"
        )


def check_noisy(game: MarkovGame, concept: Quantal) -> tuple[Array, Array]:
    """Risk aversion and noise of every player, the latter positive.

    Raises:
        ValueError: a player without noise.
    """
    tau, eps = concept.parameters(game.num_players)
    if not (eps > 0.0).all() or not np.isfinite(tau).all():
        raise ValueError(
            f"{concept.name}: stationary equilibria of risk-averse players need bounded_rationality > 0 and "
            "a finite risk_aversion; for Nash equilibria use Nash()"
        )
    return tau, eps
