"""Risk-averse quantal response equilibrium (RQE) of normal-form games."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from equipoise.equilibria import _branch
from equipoise.equilibria._branch import Rules
from equipoise.equilibria._markov_solution import MarkovSolution, find_markov
from equipoise.equilibria._quantal import certify_branch, one, solution, stacked
from equipoise.equilibria._settings import (
    PerPlayer,
    check_choice,
    check_flag,
    check_preference,
    per_player,
    show,
)
from equipoise.equilibria._solution import Solution
from equipoise.equilibria.uniqueness import uniqueness
from equipoise.games.markov import MarkovGame
from equipoise.games.normal_form import NormalFormGame

PENALTIES = ("kl", "reverse_kl", "l1")
REGULARIZERS = ("entropy", "log_barrier")
FORMS = ("aggregate", "action_dependent")
JOINT_PENALTIES = ("joint", "marginals")
ENVIRONMENT_PENALTIES = ("kl", "reverse_kl", "l1", "tv", "chi2")


@dataclass(frozen=True)
class RQE:
    """Risk-averse quantal response equilibrium.

    Every player maximises U_i(x) = min_p { x'R_i p + D(p, q_i)/tau_i } - eps_i nu(x): it is wary of an
    adversary p that distorts the opponents' play q_i at a price, and it plays noisily. Aggregate form: one
    adversary, after the player's own randomisation; action-dependent form: one adversary per own action.

    Attributes:
        risk_aversion: tau >= 0, in 1/payoff units, one number or one per player; larger is more averse.
        bounded_rationality: eps >= 0, in payoff units, one number or one per player; larger is noisier.
        penalty: D: "kl" KL(p || q), "reverse_kl" KL(q || p), or "l1" sum |p - q|.
        regularizer: nu: "entropy" (sum x log x) or "log_barrier" (-sum log x).
        form: "aggregate" or "action_dependent".
        joint_penalty: for three or more players, D on the "joint" law of the opponents, or the sum of the KL
            divergences of its "marginals" (the form the uniqueness theorems cover; penalty "kl" only).
        environment_risk_aversion: in Markov games, aversion to chance moves: what the next state is worth is
            min_P { P'V + D_env(P, P(.|s,a))/tau_env }. None: as in the papers, the player's own
            `risk_aversion` in games with a horizon, 0 in discounted games. No effect in normal-form games.
        environment_penalty: D_env: "kl", "reverse_kl", "l1", "tv" (half of l1) or "chi2".
        regularizer_in_value: whether values count -eps nu(x), so that in Markov games earlier moves reckon
            with the regularizer of later ones. In a normal-form game it changes the values reported only.

    Limits: tau = 0 is quantal response equilibrium, tau = eps = 0 Nash, and tau infinite with eps = 0
    security strategies; they are solved as what they are.

    Source: Mazumdar, Panaganti and Shi (2024), arXiv 2406.14156; Zhang and Mazumdar (2026), arXiv 2602.12386.
    """

    risk_aversion: PerPlayer = 1.0
    bounded_rationality: PerPlayer = 1.0
    penalty: str = "kl"
    regularizer: str = "entropy"
    form: str = "aggregate"
    joint_penalty: str = "joint"
    environment_risk_aversion: PerPlayer | None = field(default=None, kw_only=True)
    environment_penalty: str = field(default="kl", kw_only=True)
    regularizer_in_value: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        check_preference(self.risk_aversion, "risk_aversion")
        check_preference(self.bounded_rationality, "bounded_rationality")
        check_choice(self.penalty, "penalty", PENALTIES)
        check_choice(self.regularizer, "regularizer", REGULARIZERS)
        check_choice(self.form, "form", FORMS)
        check_choice(self.joint_penalty, "joint_penalty", JOINT_PENALTIES)
        if self.environment_risk_aversion is not None:
            check_preference(self.environment_risk_aversion, "environment_risk_aversion")
        check_choice(self.environment_penalty, "environment_penalty", ENVIRONMENT_PENALTIES)
        check_flag(self.regularizer_in_value, "regularizer_in_value")
        if self.joint_penalty == "marginals" and (self.penalty != "kl" or self.form != "aggregate"):
            raise ValueError(
                "joint_penalty='marginals', the sum of KL divergences of the opponents' marginals, needs "
                f"penalty='kl' and form='aggregate', got penalty={self.penalty!r}, form={self.form!r}"
            )

    @property
    def name(self) -> str:
        """Name with parameters, for tables."""
        kind = f"{self.penalty}, {self.regularizer}"
        if self.form != "aggregate":
            kind += ", action-dependent"
        if self.environment_risk_aversion is not None:
            kind += f"; environment {self.environment_penalty}, tau={show(self.environment_risk_aversion)}"
        elif self.environment_penalty != "kl":
            kind += f"; environment {self.environment_penalty}"
        if not self.regularizer_in_value:
            kind += "; values without regularizer"
        return f"RQE(tau={show(self.risk_aversion)}, eps={show(self.bounded_rationality)}; {kind})"

    @property
    def rules(self) -> Rules:
        """How players judge, without their parameters."""
        return Rules(self.penalty, self.regularizer, self.form, self.joint_penalty, self.regularizer_in_value)

    def parameters(self, players: int) -> tuple[np.ndarray, np.ndarray]:
        """Tau and eps of every player, `[players]` each.

        Raises:
            ValueError: a list of the wrong length, or a combination without a guaranteed algorithm.
        """
        tau = per_player(self.risk_aversion, "risk_aversion", players)
        eps = per_player(self.bounded_rationality, "bounded_rationality", players)
        if not np.isfinite(eps).all():
            raise ValueError("bounded_rationality must be finite; infinitely noisy play is uniform play")
        if (eps == 0.0).any() and not (_nash(tau, eps) or _security(tau, eps)):
            raise ValueError(
                f"bounded_rationality = {show(eps)} with risk_aversion = {show(tau)}: without noise an "
                "equilibrium is computed only for risk-neutral players (tau = 0: Nash) or infinitely averse "
                "ones (tau = inf: security). Risk-averse Nash equilibria have no algorithm with a guarantee; "
                "use a small bounded_rationality, such as a thousandth of the payoff range"
            )
        if np.isinf(tau).any() and not _security(tau, eps):
            raise ValueError(
                "risk_aversion = inf needs bounded_rationality = 0 for every player (security strategies); "
                "with noise use a large finite risk_aversion"
            )
        if self.penalty == "l1" and self.form == "aggregate" and tau.any():
            raise ValueError(
                "penalty='l1' has a piecewise constant worst case in the aggregate form, for which no "
                "algorithm is guaranteed; use form='action_dependent', or penalty 'kl' or 'reverse_kl'"
            )
        return tau, eps

    def environment(self, game: MarkovGame) -> np.ndarray:
        """Aversion to chance moves of every player of a Markov game, `[players]`."""
        chosen = self.environment_risk_aversion
        if chosen is None:
            chosen = 0.0 if game.horizon is None else self.risk_aversion
        return per_player(chosen, "environment_risk_aversion", game.num_players)

    def find_markov(self, game: MarkovGame) -> MarkovSolution:
        """Policies of a Markov game: an RQE of the stage game in every state.

        By backward induction in a game with a horizon (Mazumdar, Panaganti and Shi 2024, Algorithm 1),
        stationary in a discounted one (Zhang and Mazumdar 2026).
        """
        return find_markov(game, self)

    def find(self, game: NormalFormGame) -> Solution:
        """The principal branch: the equilibrium reached from uniform play as eps falls from infinity."""
        tau, eps = self.parameters(game.num_players)
        if _nash(tau, eps):
            from equipoise.equilibria.nash import Nash

            return _as(self, Nash().find(game), "tau = eps = 0: Nash equilibrium")
        if _security(tau, eps):
            from equipoise.equilibria.security import Security

            return _as(self, Security().find(game), "tau infinite, eps = 0: security strategies")
        branch = _branch.principal_branch(one(game, tau, eps, self.rules))
        known = uniqueness(game, self)
        named = "the equilibrium" if known.unique else "principal"
        return solution(
            game,
            self,
            branch,
            certify_branch(branch, stacked(game)),
            0,
            named=named,
            status=known.status,
        )


def _nash(tau: np.ndarray, eps: np.ndarray) -> bool:
    return not tau.any() and not eps.any()


def _security(tau: np.ndarray, eps: np.ndarray) -> bool:
    return bool(np.isinf(tau).all()) and not eps.any()


def _as(concept: RQE, found: Solution, why: str) -> Solution:
    return replace(found, concept=concept, status=f"{why}; {found.status}" if found.status else why)
