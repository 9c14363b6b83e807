"""Nash equilibria of discounted games: the limit of the logit path, and what every solver returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from equipoise.equilibria._decision_process import Standing, facing, margin, rivals_law
from equipoise.equilibria._markov_path import follow
from equipoise.equilibria._markov_solution import MarkovCertificate, MarkovConcept, MarkovSolution
from equipoise.equilibria._markov_system import MarkovSystem
from equipoise.equilibria._system import Array
from equipoise.games.markov import MarkovGame

TOLERANCE = 1e-8  # gap of a converged solution, as a share of the range of rewards / (1 - discount)
PRECISIONS = (1e2, 1e3, 1e4, 1e5)  # of play when it is handed over to Newton's method, times the range
MAX_STEPS = 100
EXACT = 1e-14
LARGEST = 3000  # unknowns of the final Newton method


def nash_solution(
    game: MarkovGame,
    concept: MarkovConcept,
    policies: Sequence[Array],
    *,
    iterations: int,
    residual: float,
    solved: bool,
    branch: str,
    status: str,
    details: Mapping[str, Any],
) -> MarkovSolution:
    """Policies as a certified Nash equilibrium, or flagged where they are none."""
    assert game.discount is not None
    processes = facing(game, policies)
    alike = len(processes) == 1
    own = [np.array(policies)] if alike else list(policies)
    margins = [margin(Standing.of(process, mine)) for process, mine in zip(processes, own, strict=True)]
    upper, lower, values = margins[0] if alike else (np.stack(side) for side in zip(*margins, strict=True))
    spans = np.array([max(float(np.ptp(r)), 1e-300) for r in game.rewards])
    good = solved and bool((upper * (1.0 - game.discount) <= TOLERANCE * spans).all())
    if not good and solved:
        status = f"not converged: some player could gain {float(upper.max()):.3g}"
    return MarkovSolution(
        game=game,
        concept=concept,
        strategies=tuple(policies),
        values=values,
        certificate=MarkovCertificate(
            concept=f"{concept.name}: decision process against the others' policies",
            gap=float(upper.max()),
            gap_per_player=upper,
            lower=float(lower.max()),
            nash_gap=float(upper.max()),
        ),
        converged=good,
        iterations=iterations,
        residual=residual,
        branch=branch,
        status=status,
        details=details,
    )


def logit_limit(game: MarkovGame, concept: MarkovConcept) -> MarkovSolution:
    """The Nash equilibrium that the principal branch of logit equilibria leads to.

    The path of quantal response equilibria, whose values leave the entropy out, is followed to ever larger
    precision; near its limit Newton's method solves the complementarity conditions of Nash equilibrium.

    Args:
        game: a discounted game.
        concept: what to store as the concept.

    Source: Eibelshauser and Poensgen (2019); Turocy (2005), Games and Economic Behavior 51, 243-263.
    """
    from equipoise.equilibria.qre import QRE

    span = max(float(np.ptp(r)) for r in game.rewards) or 1.0
    solves, best = 0, None
    for precision in PRECISIONS:
        system = MarkovSystem.of(game, QRE(precision / span, regularizer_in_value=False))
        arrival = follow(system)
        solves += arrival.solves
        policies = [np.exp(log) for log in system.log_strategies(arrival.point)]
        values = system.values(arrival.point)
        refined, error, steps = _refine(game, policies, values)
        solves += steps
        found = nash_solution(
            game,
            concept,
            refined,
            iterations=solves,
            residual=error * span,
            solved=True,
            branch="limit of the principal logit branch",
            status="one found, others not ruled out",
            details={"method": "limit of the logit path", "precision": precision / span},
        )
        if best is None or found.certificate.gap < best.certificate.gap:
            best = found
        if found.converged or not arrival.arrived:
            break
    assert best is not None
    return best


def _refine(game: MarkovGame, policies: list[Array], values: Array) -> tuple[list[Array], float, int]:
    """Solve the complementarity conditions of Nash equilibrium from a guess.

    0 <= pi_i(a|s), 0 <= V_i(s) - Q_i(s, a), one of them zero, with Q_i from the others' policies and V_i: the
    function of Fischer and Burmeister makes equations of them (as in `_complementarity`), solved by a
    Levenberg-Marquardt method.
    """
    problem = _Complementarity(game)
    if problem.size > LARGEST:
        return policies, np.inf, 0
    z = problem.join(policies, values)
    error, jacobian = problem.evaluate(z)
    damping = 1e-6
    steps = 0
    while steps < MAX_STEPS and float(np.abs(error).max()) > EXACT:
        steps += 1
        merit = float(error @ error)
        normal = jacobian.T @ jacobian
        normal[np.diag_indices(len(normal))] += damping * min(1.0, merit)
        try:
            move = np.linalg.solve(normal, -jacobian.T @ error)
        except np.linalg.LinAlgError:
            break
        trial_error, trial_jacobian = problem.evaluate(z + move)
        if float(trial_error @ trial_error) < merit:
            z, error, jacobian = z + move, trial_error, trial_jacobian
            damping = max(damping * 0.1, 1e-16)
        else:
            damping = damping * 10.0
            if damping > 1e6:
                break
    return problem.split(z), float(np.abs(error).max()), steps


class _Complementarity:
    """The conditions of a game, rewards of range one; unknowns are policies and values, player by player."""

    def __init__(self, game: MarkovGame):
        self.game = game
        self.spans = np.array([float(np.ptp(r)) or 1.0 for r in game.rewards])
        states = game.num_states
        self.widths = [states * count for count in game.num_actions]
        ends = np.cumsum(self.widths)
        self.policies = [slice(int(e) - w, int(e)) for e, w in zip(ends, self.widths, strict=True)]
        total = int(ends[-1])
        self.values = [slice(total + i * states, total + (i + 1) * states) for i in range(game.num_players)]
        self.size = total + states * game.num_players

    def join(self, policies: Sequence[Array], values: Array) -> Array:
        flat = [p.ravel() for p in policies] + [v / s for v, s in zip(values, self.spans, strict=True)]
        return np.concatenate(flat)

    def split(self, z: Array) -> list[Array]:
        """Policies, with what is below zero by rounding or unused taken out."""
        out = []
        for block, count in zip(self.policies, self.game.num_actions, strict=True):
            policy = z[block].reshape(-1, count)
            policy = np.where(policy > 1e-13, policy, 0.0)
            out.append(policy / policy.sum(axis=1, keepdims=True))
        return out

    def evaluate(self, z: Array) -> tuple[Array, Array]:
        game, states, counts = self.game, self.game.num_states, self.game.num_actions
        players, discount = len(counts), self.game.discount
        assert discount is not None
        policies = [z[b].reshape(states, c) for b, c in zip(self.policies, counts, strict=True)]
        values = np.stack([z[b] for b in self.values])
        worth = game.expected(values) * discount + np.stack(
            [r / s for r, s in zip(game.rewards, self.spans, strict=True)]
        )
        processes = facing(game, policies)
        alike = len(processes) == 1 and players > 1
        error, jacobian = np.empty(self.size), np.zeros((self.size, self.size))
        diagonal = np.arange(states)
        for i, count in enumerate(counts):
            block, own = self.policies[i], policies[i]
            order = (0, 1 + i, *(1 + j for j in range(players) if j != i))
            payoff = worth[i].transpose(order).reshape(states, count, -1)
            action = (payoff @ rivals_law(policies, i)[:, :, None])[:, :, 0]
            slack = values[i][:, None] - action
            norm = np.hypot(own, slack)
            safe = np.where(norm > 0.0, norm, 1.0)
            error[block] = (own + slack - norm).ravel()
            by_own = np.where(norm > 0.0, 1.0 - own / safe, 0.3)
            by_slack = np.where(norm > 0.0, 1.0 - slack / safe, 0.3)
            places = np.arange(block.start, block.stop)
            jacobian[places, places] = by_own.ravel()
            kernel = processes[0].kernel[i] if alike else processes[i].kernel
            kernel = kernel if isinstance(kernel, np.ndarray) else kernel.toarray()
            by_values = -discount * kernel.reshape(states, count, states)
            by_values[diagonal, :, diagonal] += 1.0
            jacobian[block, self.values[i]] = (by_slack[:, :, None] * by_values).reshape(-1, states)
            for j in range(players):
                if j != i:
                    by_rival = -by_slack[:, :, None] * self._toward(payoff, policies, i, j)
                    target = jacobian[block, self.policies[j]].reshape(states, count, states, counts[j])
                    target[diagonal, :, diagonal] = by_rival
                    jacobian[block, self.policies[j]] = target.reshape(states * count, -1)
            rows = self.values[i]
            error[rows] = own.sum(axis=1) - 1.0
            sums = np.zeros((states, states, count))
            sums[diagonal, diagonal] = 1.0
            jacobian[rows, block] = sums.reshape(states, -1)
        return error, jacobian

    def _toward(self, payoff: Array, policies: Sequence[Array], i: int, j: int) -> Array:
        """Derivative of player i's action values in player j's policy, `[S, A_i, A_j]`."""
        rivals = [k for k in range(len(policies)) if k != i]
        counts = [self.game.num_actions[k] for k in rivals]
        split = payoff.reshape(len(payoff), payoff.shape[1], *counts)
        for place in reversed(range(len(rivals))):
            if rivals[place] != j:
                law = policies[rivals[place]]
                shape = (len(law), 1, *([1] * place), law.shape[1], *([1] * (split.ndim - 3 - place)))
                split = (split * law.reshape(shape)).sum(axis=2 + place)
        return split
