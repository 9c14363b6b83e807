"""How a quantal equilibrium moves with payoffs, risk aversion and noise: implicit differentiation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from equipoise.equilibria import _branch
from equipoise.equilibria._action_dependent import ActionDependentSystem
from equipoise.equilibria._branch import Batch
from equipoise.equilibria._responses import SCALED_PAYOFFS, Response
from equipoise.equilibria._solution import Solution
from equipoise.equilibria._system import Array, KLSystem, System
from equipoise.equilibria.multiplicity import quantal_batch
from equipoise.equilibria.qre import QRE
from equipoise.equilibria.rqe import RQE

UNRELIABLE = 1e12  # condition number of the Jacobian from which a bifurcation is too near


@dataclass(frozen=True, eq=False)
class Derivatives:
    """Derivatives of the equilibrium strategies; one entry per player k whose strategy moves.

    Attributes:
        risk_aversion: d strategy_k / d tau_i, `[players i, A_k]`; at tau = 0 from above.
        bounded_rationality: d strategy_k / d eps_i, `[players i, A_k]`.
        payoffs: d strategy_k / d payoffs_i[joint action], `[A_k, players i, A_1, ..., A_n]`.
        condition: condition number of the equations' Jacobian.
        reliable: False near a fold or bifurcation, where derivatives blow up.
    """

    risk_aversion: tuple[Float[np.ndarray, "players _"], ...]
    bounded_rationality: tuple[Float[np.ndarray, "players _"], ...]
    payoffs: tuple[Float[np.ndarray, "_ players *actions"], ...]
    condition: float
    reliable: bool


def derivatives(solution: Solution) -> Derivatives:
    """Derivatives of a solved QRE or RQE by the implicit function theorem.

    With equations G(x, theta) = 0 that hold at the equilibrium, dx = -J^{-1} dG/dtheta dtheta: one
    factorisation gives them all, and none of the solver's iterations is differentiated.

    Args:
        solution: a converged solution of a `QRE` or `RQE` with positive bounded rationality.

    Returns:
        All first derivatives. The one in a QRE's precision lambda is -eps^2 times the one in eps = 1/lambda.

    Raises:
        TypeError: the concept is not a quantal one.
        ValueError: the solution has not converged, or its penalty is not differentiable ("l1"; a risk-neutral
            player under the sum-of-marginals penalty, whose limit at tau = 0 is not neutral).
    """
    concept, game = solution.concept, solution.game
    if not isinstance(concept, (QRE, RQE)):
        raise TypeError(f"derivatives need a solution of QRE or RQE, not of {type(concept).__name__}")
    if not solution.converged:
        raise ValueError(
            f"the solution has not converged, so there is nothing to differentiate: {solution.status}"
        )
    batch = quantal_batch(game, concept)
    if batch.rules.penalty == "l1" and batch.tau.any():
        raise ValueError("penalty 'l1' is piecewise linear and has no derivatives; use 'kl' or 'reverse_kl'")
    if batch.marginals and not batch.tau.all():
        raise ValueError("joint_penalty='marginals' needs risk_aversion > 0 for every player here")
    system = _smooth_system(batch)
    at = batch.parameters()
    floor = np.finfo(float).tiny
    scaled = [
        SCALED_PAYOFFS[batch.rules.regularizer](np.maximum(s, floor)[:, None]) for s in solution.strategies
    ]
    guess = system.pack(scaled, at)
    # Strategies fix z up to a constant only; the equations eps z = U give the rest.
    off = system.scaled(system.residual(guess, at))
    x = system.pack([z - r / e for z, r, e in zip(system.scaled(guess), off, at.eps, strict=True)], at)
    x = _branch.correct(system, at, x, 60).x
    responses = system.responses(x)
    moved = max(
        float(np.abs(r.strategy[:, 0] - s).max()) for r, s in zip(responses, solution.strategies, strict=True)
    )
    if not moved < 1e-6:
        raise ValueError("the solution's strategies do not solve the concept's equations")

    evaluation = system.evaluate(x, at)
    jacobian = evaluation.jacobian[..., 0]
    players = game.num_players
    sides = []
    for by, unit in ((evaluation.by_tau, batch.scale), (evaluation.by_eps, 1.0 / batch.scale)):
        for i in range(players):
            own = np.zeros((players, 1))
            own[i] = unit[i]
            sides.append((system.rows(own) * by)[:, 0])
    change = np.linalg.solve(jacobian, -np.stack(sides, axis=1))
    by_parameter = [through_response(z, r) for z, r in zip(system.scaled(change), responses, strict=True)]
    condition = float(np.linalg.cond(jacobian))
    return Derivatives(
        risk_aversion=tuple(d[:, :players].T.copy() for d in by_parameter),
        bounded_rationality=tuple(d[:, players:].T.copy() for d in by_parameter),
        payoffs=_by_payoffs(batch, system, x, jacobian, responses),
        condition=condition,
        reliable=condition < UNRELIABLE,
    )


def _smooth_system(batch: Batch) -> System:
    """The batch's equations, without the shortcut for risk-neutral players that hides d/dtau."""
    if batch.rules.form == "action_dependent":
        return ActionDependentSystem(batch.payoffs, batch.rules.regularizer, True, batch.rules.penalty)
    if not batch.tau.any():
        return KLSystem(batch.payoffs, batch.rules.regularizer, neutral=False)
    return _branch.system_for(batch)


def through_response(change: Array, response: Response) -> Array:
    """Change of the strategy for changes of z, both `[A, any]`."""
    mean, slope, strategy = (part[:, :1] for part in (response.mean, response.slope, response.strategy))
    return strategy * slope * (change - (mean * change).sum(axis=0))


def _by_payoffs(
    batch: Batch, system: System, x: Array, jacobian: Array, responses: list[Response]
) -> tuple[Array, ...]:
    """One transposed solve per strategy entry gives its derivative in all payoffs at once."""
    sizes = [r.shape[0] for r in batch.payoffs]
    total = sum(sizes)
    outputs = np.zeros((x.shape[0], total))
    start = 0
    places = np.arange(x.shape[0])[:, None]
    for place, response in zip(system.scaled(places), responses, strict=True):
        size = len(place)
        # Row a of the response's derivative, as a weight on z.
        outputs[place[:, 0], start : start + size] = through_response(np.eye(size), response).T
        start += size
    multipliers = np.linalg.solve(jacobian.T, outputs)
    copies = system.take(np.zeros(total, int))
    at = batch.parameters(np.zeros(total, int))
    gradients = copies.payoff_gradient(np.repeat(x, total, axis=1), at, multipliers)
    joint = []
    for i, gradient in enumerate(gradients):
        rest = [size for j, size in enumerate(sizes) if j != i]
        tensor = gradient.reshape(sizes[i], *rest, total) / batch.scale[i, 0]
        joint.append(np.moveaxis(tensor, (-1, 0), (0, 1 + i)))
    whole = np.stack(joint, axis=1)
    edges = np.cumsum([0, *sizes])
    return tuple(whole[a:b].copy() for a, b in pairwise(edges))
