"""Value iteration with an equilibrium solver for the stage games: the operator of stationary equilibria."""

from __future__ import annotations

import numpy as np

from equipoise.equilibria import _branch
from equipoise.equilibria._branch import Batch, Branch
from equipoise.equilibria._lookahead import Lookahead
from equipoise.equilibria._markov_solution import MarkovSolution
from equipoise.equilibria._markov_system import Quantal
from equipoise.equilibria._quantal import adversaries, certify_branch
from equipoise.equilibria._stationary_certificate import certify_stationary
from equipoise.equilibria._system import Array
from equipoise.equilibria.markov_stationary import check_discounted, check_noisy, stakes, within_tolerance
from equipoise.equilibria.uniqueness import monotonicity
from equipoise.games.markov import MarkovGame


def stage_value_iteration(
    game: MarkovGame,
    concept: Quantal,
    *,
    damping: float | int = 1.0,
    tolerance: float | int = 1e-10,
    max_sweeps: int = 5000,
) -> MarkovSolution:
    """Repeat V <- (1 - damping) V + damping * T V, T V being the values of all stage equilibria at V.

    The stage games are solved on their principal branches in the first sweep and from the sweep before in all
    others. T is a contraction where the stage equilibria depend little enough on payoffs (Zhang and Mazumdar
    2026, Proposition 4.2); adding a constant to all values adds discount times it, so that the observed ratio
    of successive changes cannot stay below the discount factor.

    Args:
        game: a discounted game.
        concept: RQE or QRE with positive noise.
        damping: share of the way to go in every sweep, in (0, 1]; less than one where play oscillates.
        tolerance: error of the values at which to stop, as a share of the range of rewards / (1 - discount),
            if the observed ratio is what it seems.
        max_sweeps: give up after so many.

    Returns:
        The solution with its certificate. In its `details`: `contraction`, the largest ratio of successive
        changes in the last ten sweeps; `changes`, the largest change of a value in every sweep, `[sweeps]`;
        `sufficient`, a bound on the modulus of contraction from monotonicity where one is known (two players
        and a covered pair), else None, with the contraction not certified.

    Raises:
        ValueError: the game has a horizon, the concept is not one of noisy play, or damping is out of range.
    """
    check_discounted(game)
    tau, eps = check_noisy(game, concept)
    if not 0.0 < damping <= 1.0:
        raise ValueError(f"damping must be in (0, 1], got {damping}")
    discount, players, states = game.discount, game.num_players, game.num_states
    assert discount is not None
    rewards = game.rewards_at().reshape(players, states, -1)
    lookahead = Lookahead(game, rewards, concept.environment(game), concept.environment_penalty)
    spans = stakes(game)
    goal = float(tolerance) * float(spans.max() or 1.0) / (1.0 - discount)
    values, ratio = np.zeros((players, states)), 1.0
    changes: list[float] = []
    branch: Branch | None = None
    while len(changes) < max_sweeps:
        payoffs = [
            q.reshape(states, *game.num_actions) for q in rewards + discount * lookahead.worth(values)[0]
        ]
        batch = _branch.stack(payoffs, tau, eps, concept.rules)
        branch = _solve_stages(batch, branch)
        target = certify_branch(branch, payoffs).values.T
        change = float(np.abs(target - values).max())
        changes.append(damping * change)
        values = values + damping * (target - values)
        if len(changes) > 10:
            ratio = max(b / a if a else 0.0 for a, b in zip(changes[-11:-1], changes[-10:], strict=True))
        if change <= goal * (1.0 - max(min(ratio, 0.999), discount)) or not np.isfinite(change):
            break
    assert branch is not None
    laws = adversaries(branch)
    logs = [np.ascontiguousarray(r.log_strategy.T) for r in branch.system.responses(branch.x)]
    policies = [np.exp(log) for log in logs]
    witnesses = None if laws is None else [law.T / law.sum(axis=0)[:, None] for law in laws]
    checked = certify_stationary(game, concept, policies, logs, witnesses)
    solved = bool(branch.arrived.all()) and change <= goal
    good = solved and within_tolerance(game, checked.certificate.gap_per_player, spans)
    sufficient = _sufficient(concept, tau, eps, payoffs, discount)
    certified = sufficient is not None and sufficient < 1.0
    status = "contraction certified: the only one" if certified else "contraction not certified"
    if not good:
        status = f"not converged: after {len(changes)} sweeps values still change by {change:.3g}"
    return MarkovSolution(
        game=game,
        concept=concept,
        strategies=tuple(policies),
        values=checked.values,
        certificate=checked.certificate,
        converged=good,
        iterations=len(changes),
        residual=change,
        branch="the equilibrium" if certified else "stage games' principal branches, continued",
        status=status,
        details={
            "method": "value iteration",
            "contraction": ratio,
            "changes": np.array(changes),
            "sufficient": sufficient,
        },
    )


def _solve_stages(batch: Batch, last: Branch | None) -> Branch:
    """Principal branches of all stage games; from the last sweep's play where that still leads somewhere."""
    if last is None:
        return _branch.principal_branch(batch)
    branch = _branch.from_guess(batch, [np.maximum(s, np.finfo(float).tiny) for s in last.strategies])
    return branch if branch.arrived.all() else _branch.principal_branch(batch)


def _sufficient(
    concept: Quantal, tau: Array, eps: Array, payoffs: list[Array], discount: float
) -> float | None:
    """Discount (1 + max_i L_i/tau_i (lambda_max/mu) sqrt(2 (A_1 + A_2))), where the theorems apply.

    L_i is the Lipschitz constant of the divergence in the opponent's strategy on those that stage games of
    the range found can have.
    """
    rules = concept.rules
    covered = rules.penalty == "reverse_kl" or (rules.penalty, rules.regularizer) == ("kl", "log_barrier")
    if len(tau) != 2 or rules.form != "aggregate" or not covered or not tau.all():
        return None
    span = max(float(p.max() - p.min()) for p in payoffs)
    actions = payoffs[0].shape[1:]
    if rules.regularizer == "entropy":
        floor = min(float(np.exp(-span / e)) / a for e, a in zip(eps, actions, strict=True))
    else:
        floor = min(float(e / (a * e + span)) for e, a in zip(eps, actions, strict=True))
    known = monotonicity(
        tau, eps, penalty=rules.penalty, regularizer=rules.regularizer, floor=max(floor, 1e-12)
    )
    if known.mu is None or known.mu <= 0.0:
        return None
    if rules.penalty == "kl":
        slope = 1.0 / floor
    else:
        worst = max(float(np.log1p(t * span)) for t in tau)
        slope = (1.0 + max(worst, -float(np.log(floor)))) * float(np.sqrt(max(actions)))
    steep = slope / float(tau.min()) * float(known.weights.max()) / known.mu
    return discount * (1.0 + steep * float(np.sqrt(2.0 * sum(actions))))
