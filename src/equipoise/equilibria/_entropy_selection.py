"""The most random (coarse) correlated equilibrium of a game: one well-defined point of a large set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.equilibria._gaps import nash_gap
from equipoise.equilibria._solution import Certificate, Solution
from equipoise.equilibria.correlated import _incentives, correlated_gains
from equipoise.games.normal_form import NormalFormGame

_TOLERANCE = 1e-7


@dataclass(frozen=True)
class MaximumEntropy:
    """The (coarse) correlated equilibrium of largest entropy; it is unique.

    Its law is proportional to exp(-sum of multipliers times gains of deviations), and the multipliers
    minimise a smooth convex function on the positive orthant (Ortiz, Schapire and Kakade, AISTATS 2007).

    Attributes:
        recommended: deviations may depend on the advice (correlated), or not (coarse correlated).
    """

    recommended: bool = False

    @property
    def name(self) -> str:
        """Name of the concept."""
        return f"maximum-entropy {'' if self.recommended else 'coarse '}correlated equilibrium"

    def find(self, game: NormalFormGame) -> Solution:
        """Find it; the certificate has what players could gain."""
        from scipy.optimize import minimize
        from scipy.special import logsumexp, softmax

        gains = _incentives(game, recommended=self.recommended).toarray()
        scale = float(np.max(np.abs(gains), initial=0.0)) or 1.0
        gains = gains / scale

        def dual(multipliers: np.ndarray) -> tuple[float, np.ndarray]:
            exponents = -multipliers @ gains
            return float(logsumexp(exponents)), -gains @ softmax(exponents)

        answer = minimize(
            dual,
            np.zeros(len(gains)),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, None)] * len(gains),
            options={"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-16, "gtol": 1e-11, "maxcor": 30},
        )
        joint = softmax(-answer.x @ gains).reshape(game.num_actions)
        left = correlated_gains(game, joint, recommended=self.recommended)
        n = game.num_players
        marginals = tuple(joint.sum(axis=tuple(j for j in range(n) if j != i)) for i in range(n))
        return Solution(
            game=game,
            concept=self,
            strategies=marginals,
            values=np.array([float(np.sum(joint * tensor)) for tensor in game.payoffs]),
            certificate=Certificate(
                self.name, float(left.sum()), left, float(left.sum()), nash_gap(game, marginals)[0]
            ),
            converged=bool(left.max() <= _TOLERANCE * scale),
            iterations=int(answer.nit),
            residual=float(left.max()),
            branch="largest entropy",
            status="The law is unique; its multipliers grow without bound where it must rule profiles out.",
            joint=joint,
        )
