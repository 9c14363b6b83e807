"""Logit quantal response equilibrium (QRE), and its path in the precision."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from equipoise.equilibria import _branch
from equipoise.equilibria._branch import Rules
from equipoise.equilibria._markov_solution import MarkovSolution, find_markov
from equipoise.equilibria._quantal import certify_branch, one, solution, stacked
from equipoise.equilibria._settings import PerPlayer, check_flag, check_preference, per_player, show
from equipoise.equilibria._solution import Solution
from equipoise.equilibria.rqe import RQE
from equipoise.equilibria.uniqueness import uniqueness
from equipoise.games.markov import MarkovGame
from equipoise.games.normal_form import NormalFormGame


@dataclass(frozen=True)
class QRE:
    """Logit quantal response equilibrium: every player plays softmax(precision * expected payoffs).

    Attributes:
        precision: lambda >= 0, in 1/payoff units, one number or one per player; larger is more rational.
            Zero is uniform play. With bounded rationality eps, lambda = 1/eps.
        regularizer_in_value: whether values count the entropy, H(x)/lambda, so that in Markov games earlier
            moves reckon with the noise of later ones. In a normal-form game it changes the values reported
            only.
        environment_risk_aversion: in Markov games, aversion to chance moves (KL, as in `RQE`); 0 is neutral.

    Source: McKelvey and Palfrey (1995), Games and Economic Behavior 10, 6-38.
    """

    precision: PerPlayer = 1.0
    regularizer_in_value: bool = field(default=True, kw_only=True)
    environment_risk_aversion: PerPlayer = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        check_preference(self.precision, "precision")
        check_flag(self.regularizer_in_value, "regularizer_in_value")
        check_preference(self.environment_risk_aversion, "environment_risk_aversion")
        if not np.isfinite(np.asarray(self.precision, dtype=float)).all():
            raise ValueError(
                "precision must be finite; its limit at infinity is a Nash equilibrium, see Nash()"
            )

    @classmethod
    def from_bounded_rationality(cls, eps: PerPlayer) -> QRE:
        """QRE with precision 1/eps.

        Raises:
            ValueError: eps is not positive.
        """
        check_preference(eps, "bounded_rationality")
        noise = np.asarray(eps, dtype=float)
        if (noise == 0.0).any():
            raise ValueError("bounded_rationality must be positive for a QRE; without noise see Nash()")
        inverse = 1.0 / noise
        return cls(tuple(float(v) for v in inverse) if inverse.ndim else float(inverse))

    @property
    def name(self) -> str:
        """Name with parameters, for tables."""
        more = ""
        if np.any(np.asarray(self.environment_risk_aversion)):
            more += f"; environment kl, tau={show(self.environment_risk_aversion)}"
        if not self.regularizer_in_value:
            more += "; values without regularizer"
        return f"QRE(lambda={show(self.precision)}{more})"

    @property
    def rules(self) -> Rules:
        """How players judge: neutral, with entropy."""
        return Rules(regularizer_in_value=self.regularizer_in_value)

    def parameters(self, players: int) -> tuple[np.ndarray, np.ndarray]:
        """Tau = 0 and eps = 1/lambda of every player, `[players]` each."""
        precision = per_player(self.precision, "precision", players)
        # A precision of zero is uniform play to the last digit at this noise.
        return np.zeros(players), 1.0 / np.maximum(precision, np.finfo(float).tiny ** 0.5)

    @property
    def environment_penalty(self) -> str:
        """What a feared deviation of chance costs: the KL divergence."""
        return "kl"

    def environment(self, game: MarkovGame) -> np.ndarray:
        """Aversion to chance moves of every player of a Markov game, `[players]`."""
        return per_player(self.environment_risk_aversion, "environment_risk_aversion", game.num_players)

    def find_markov(self, game: MarkovGame) -> MarkovSolution:
        """Policies of a Markov game: a QRE of the stage game in every state.

        By backward induction in a game with a horizon, stationary in a discounted one.
        """
        return find_markov(game, self)

    def find(self, game: NormalFormGame) -> Solution:
        """The principal branch: the equilibrium reached from uniform play as lambda rises from zero."""
        tau, eps = self.parameters(game.num_players)
        branch = _branch.principal_branch(one(game, tau, eps, self.rules))
        known = uniqueness(game, RQE(0.0, tuple(eps)))
        return solution(
            game,
            self,
            branch,
            certify_branch(branch, stacked(game)),
            0,
            named="the equilibrium" if known.unique else "principal",
            status=known.status,
        )
