"""When the RQE is unique: the conditions of the two papers, evaluated for a game and its preferences.

With K_ij = 1/(tau_i eps_j) for i != j, all conditions are bounds on the spectral radius of K (for two
players, 1/sqrt(tau1 tau2 eps1 eps2)). Payoffs do not enter, except through the sign rule for 2x2 games. The
constants for n players and on the tangent space of the simplex are our derivation; for two players they agree
with
Mazumdar, Panaganti and Shi (2024), Theorem 3, and Zhang and Mazumdar (2026), Theorem 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float

from equipoise.equilibria._settings import PerPlayer, per_player
from equipoise.games.normal_form import NormalFormGame

if TYPE_CHECKING:
    from equipoise.equilibria.rqe import RQE

COLLAPSE = 1.0  # every coarse correlated equilibrium of the 2n-player game collapses to the RQE
MONOTONE = 4.0  # the 2n-player game is monotone on all of R^A
MONOTONE_TANGENT = 8.0  # ... on differences of strategies, with the log-barrier


@dataclass(frozen=True)
class Uniqueness:
    """What is known about uniqueness.

    Attributes:
        unique: a theorem applies.
        status: in words, naming the theorem or saying that none applies.
        covered: the pair of penalty and regularizer falls under the theorems at all.
        spectral_radius: rho(K); infinite when some player is risk-neutral.
        collapse: rho(K) <= 1 (Mazumdar, Panaganti and Shi), so that no-regret play finds the RQE.
        collapse_equal_weights: the stronger eps_j >= sum over i != j of 1/tau_i.
        monotone: rho(K) < 4 (Zhang and Mazumdar), on the full space.
        monotone_tangent: rho(K) < 8 with the log-barrier (4 without), on the tangent space.
        sign_rule: a 2x2 game whose interactions have opposite signs, or one none; None for other games.
    """

    unique: bool
    status: str
    covered: bool
    spectral_radius: float
    collapse: bool
    collapse_equal_weights: bool
    monotone: bool
    monotone_tangent: bool
    sign_rule: bool | None


def coupling(
    tau: Float[np.ndarray, " players"], eps: Float[np.ndarray, " players"]
) -> Float[np.ndarray, "players players"]:
    """K_ij = 1/(tau_i eps_j), zero on the diagonal."""
    with np.errstate(divide="ignore"):
        matrix = 1.0 / np.outer(tau, eps)
    np.fill_diagonal(matrix, 0.0)
    return matrix


def spectral_radius(matrix: Float[np.ndarray, "n n"]) -> float:
    """Largest absolute eigenvalue; infinite if an entry is."""
    if not np.isfinite(matrix).all():
        return float("inf")
    return float(np.abs(np.linalg.eigvals(matrix)).max())


def covered_pair(concept: RQE, players: int) -> bool:
    """Whether the theorems speak of this penalty, regularizer and form."""
    if concept.form != "aggregate":
        return False
    if players > 2:
        return concept.joint_penalty == "marginals" and concept.regularizer == "log_barrier"
    return concept.penalty == "reverse_kl" or (concept.penalty, concept.regularizer) == ("kl", "log_barrier")


def sign_rule(game: NormalFormGame) -> bool | None:
    """Whether a 2x2 game has interactions of opposite signs, or a player without any; None for other games.

    A best response is strictly monotone in the opponent's probability, with the sign of the interaction
    R(1,1) - R(1,2) - R(2,1) + R(2,2). Opposite signs make one response rise and the other fall, so they
    cross once: for KL and reverse KL, every regularizer, and every tau >= 0 and eps > 0.
    """
    if game.num_actions != (2, 2):
        return None
    first, second = (float(r[0, 0] - r[0, 1] - r[1, 0] + r[1, 1]) for r in game.payoffs)
    return bool(np.sign(first) * np.sign(second) <= 0.0)


def uniqueness(game: NormalFormGame, concept: RQE) -> Uniqueness:
    """Evaluate every uniqueness condition for a game and an RQE concept.

    Args:
        game: the game; only its shape matters, and the payoffs of 2x2 games.
        concept: the preferences.
    """
    players = game.num_players
    tau = per_player(concept.risk_aversion, "risk_aversion", players)
    eps = per_player(concept.bounded_rationality, "bounded_rationality", players)
    matrix = coupling(tau, eps)
    rho = spectral_radius(matrix)
    covered = covered_pair(concept, players)
    tangent = MONOTONE_TANGENT if concept.regularizer == "log_barrier" else MONOTONE
    collapse, monotone, on_tangent = rho <= COLLAPSE, rho < MONOTONE, rho < tangent
    signs = sign_rule(game) if concept.form == "aggregate" and concept.penalty != "l1" else None
    if players == 1:
        reason, unique = "unique: a single player maximises a strictly concave utility", True
    elif covered and collapse:
        reason, unique = (
            f"unique by theorem (Mazumdar, Panaganti and Shi 2024: rho(K) = {rho:.3g} <= 1)",
            True,
        )
    elif covered and monotone:
        reason, unique = f"unique by theorem (Zhang and Mazumdar 2026: rho(K) = {rho:.3g} < 4)", True
    elif covered and on_tangent:
        reason, unique = (
            f"unique by theorem (monotone on the simplices: rho(K) = {rho:.3g} < {tangent:g})",
            True,
        )
    elif signs:
        reason, unique = "unique by theorem (2x2 sign rule: interactions of opposite signs)", True
    elif not tau.any():
        reason, unique = "not covered: risk-neutral players (QRE); one found, uniqueness not certified", False
    elif covered:
        reason, unique = (
            f"not covered: rho(K) = {rho:.3g} is not below {tangent:g}; one found, uniqueness not certified",
            False,
        )
    else:
        reason, unique = (
            f"not covered: no global theorem for {_describe(concept, players)}; one found, uniqueness not "
            "certified",
            False,
        )
    return Uniqueness(
        unique=unique,
        status=reason,
        covered=covered,
        spectral_radius=rho,
        collapse=collapse,
        collapse_equal_weights=bool((matrix.sum(axis=0) * eps <= eps * (1.0 + 1e-12)).all()),
        monotone=monotone,
        monotone_tangent=on_tangent,
        sign_rule=signs,
    )


def _describe(concept: RQE, players: int) -> str:
    pair = f"penalty {concept.penalty!r} with regularizer {concept.regularizer!r}"
    if concept.form != "aggregate":
        return "the action-dependent form"
    if players > 2 and concept.joint_penalty == "joint":
        return f"the joint penalty with {players} players (joint_penalty='marginals' is covered)"
    return pair


@dataclass(frozen=True)
class Monotonicity:
    """Monotonicity of the 2n-player game of players and adversaries.

    Attributes:
        holds: some weights make the game monotone.
        weights: the weights lambda, one per player and its adversary, scaled to mean one.
        mu: modulus of strong monotonicity with these weights, on strategies above `floor`; zero or negative
            when there is none. On the tangent space None: only the condition is known.
        floor: smallest probability considered.
    """

    holds: bool
    weights: Float[np.ndarray, " players"]
    mu: float | None
    floor: float


def monotonicity(
    risk_aversion: PerPlayer,
    bounded_rationality: PerPlayer,
    *,
    players: int = 2,
    penalty: str = "kl",
    regularizer: str = "log_barrier",
    space: Literal["full", "tangent"] = "full",
    floor: float = 1e-3,
    weights: PerPlayer | None = None,
) -> Monotonicity:
    """Strong monotonicity of the game of players and adversaries, and the weights that show it.

    Args:
        risk_aversion: tau > 0, one number or one per player.
        bounded_rationality: eps > 0, one number or one per player.
        players: number of players.
        penalty: "kl" or "reverse_kl".
        regularizer: "log_barrier" or "entropy" ("kl" with "entropy" is not monotone near the boundary).
        space: "full" asks for positive definite blocks on R^A, "tangent" only on differences of strategies.
        floor: smallest probability of the floored strategies on which mu is taken. Irrelevant for "kl".
        weights: weights to evaluate; by default the best ones (two players), or the left Perron vector of K.

    Raises:
        ValueError: the pair is not covered, or a parameter is not positive.
    """
    tau = per_player(risk_aversion, "risk_aversion", players)
    eps = per_player(bounded_rationality, "bounded_rationality", players)
    if (penalty, regularizer) not in {
        ("kl", "log_barrier"),
        ("reverse_kl", "entropy"),
        ("reverse_kl", "log_barrier"),
    }:
        raise ValueError(f"no monotonicity is known for penalty {penalty!r} with regularizer {regularizer!r}")
    if not ((tau > 0.0).all() and (eps > 0.0).all() and np.isfinite(tau).all() and np.isfinite(eps).all()):
        raise ValueError("risk_aversion and bounded_rationality must be positive and finite")
    matrix = coupling(tau, eps)
    bound = MONOTONE_TANGENT if space == "tangent" and regularizer == "log_barrier" else MONOTONE
    holds = spectral_radius(matrix) < bound

    def modulus(lam: Float[np.ndarray, " players"]) -> float:
        return min(
            _block_modulus(lam[j] * eps[j], lam[i] / tau[i], penalty, regularizer, floor)
            for i in range(players)
            for j in range(players)
            if i != j
        )

    if weights is not None:
        lam = per_player(weights, "weights", players)
    else:
        values, vectors = np.linalg.eig(matrix.T)
        lam = np.abs(np.real(vectors[:, np.argmax(np.real(values))]))
        lam = lam / lam.mean()
        if players == 2 and space == "full":
            from scipy.optimize import minimize_scalar

            best = minimize_scalar(
                lambda s: -modulus(np.array([1.0 + s, 1.0 - s])),
                bounds=(-1.0, 1.0),
                method="bounded",
                options={"xatol": 1e-12},
            )
            lam = np.array([1.0 + best.x, 1.0 - best.x])
    return Monotonicity(holds, lam, modulus(lam) if space == "full" else None, floor)


def _block_modulus(own: float, price: float, penalty: str, regularizer: str, floor: float) -> float:
    """Least eigenvalue over q, p of [[own nu''(q), price D_qp/2], [., price D_pp]] (one coordinate)."""
    if penalty == "kl":  # smallest at q = p = 1
        q = p = np.ones(1)
    else:
        grid = np.geomspace(floor, 1.0, 200)
        q, p = (g.ravel() for g in np.meshgrid(grid, grid))
    curvature = own / q**2 if regularizer == "log_barrier" else own / q
    cross, adversary = (1.0 / q, 1.0 / p) if penalty == "kl" else (1.0 / p, q / p**2)
    centre, spread = (curvature + price * adversary) / 2.0, (curvature - price * adversary) / 2.0
    return float((centre - np.hypot(spread, price * cross / 2.0)).min())
