"""Exact equilibria of small robust Markov games with a set around the law of every joint action.

Backward induction: with the values of the next step known, a stage is an ordinary game whose payoffs contain
the worst case of every joint action. This is the model-based way (DR-NVI of Shi et al., ICML 2024), whose
cost grows with the number of joint actions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float

from equipoise.equilibria._entropy_selection import MaximumEntropy
from equipoise.equilibria._markov_solution import MarkovCertificate, MarkovSolution
from equipoise.equilibria.correlated import CoarseCorrelatedEquilibrium, CorrelatedEquilibrium
from equipoise.equilibria.mixture_play import pure_play
from equipoise.equilibria.nash import Nash
from equipoise.equilibria.robust_evaluation import player_levels, robust_evaluation
from equipoise.equilibria.uncertainty import Uncertainty
from equipoise.games._checks import Numbers
from equipoise.games.markov import MarkovGame
from equipoise.games.normal_form import NormalFormGame
from equipoise.preferences import Divergence
from equipoise.preferences.worst_case import Form, Support

Equilibrium = Literal["cce", "ce", "nash"]
Select = Literal["welfare", "maxmin", "entropy"]
_TOLERANCE = 1e-7


@dataclass(frozen=True, eq=False)
class RectangularEquilibrium:
    """Robust equilibrium with a set around the law of every joint action, by backward induction.

    Attributes:
        radius: size of the sets, a number or one per player, as in `RobustCCE`.
        equilibrium: of the stages: "cce", "ce" (deviations may depend on the advice) or "nash".
        select: which of several: the largest sum of values ("welfare"), the largest smallest value
            ("maxmin"), or the most random ("entropy"); Nash equilibria are taken as `Nash` finds them.
        divergence: as in `Uncertainty`.
        form: "constrained" or "penalised".
        support: "ac", "free" or None.

    Raises:
        ValueError: a field is out of range or unknown.
    """

    radius: float | int | Numbers
    equilibrium: Equilibrium = "cce"
    select: Select = "welfare"
    divergence: str | Divergence = "tv"
    form: Form = "constrained"
    support: Support | None = None

    def __post_init__(self) -> None:
        if self.equilibrium not in get_args(Equilibrium):
            raise ValueError(f"equilibrium must be 'cce', 'ce' or 'nash', got {self.equilibrium!r}")
        if self.select not in get_args(Select):
            raise ValueError(f"select must be 'welfare', 'maxmin' or 'entropy', got {self.select!r}")
        self.uncertainty  # noqa: B018  checks the other fields

    @property
    def uncertainty(self) -> Uncertainty:
        """What the adversaries may do."""
        return Uncertainty(self.radius, self.divergence, self.form, self.support)

    @property
    def name(self) -> str:
        """Name of the concept with its parameters."""
        select = "" if self.equilibrium == "nash" else f", {self.select}"
        return f"robust {self.equilibrium.upper()} (rectangular sets, {self.uncertainty.name}{select})"

    def find_markov(self, game: MarkovGame) -> MarkovSolution:
        """Find the equilibrium stage by stage, last step first.

        Args:
            game: a game with a horizon.

        Returns:
            `joint` is the law over joint actions, `strategies` its marginals; details have the values of all
            steps ("values"), the play ("play") and its decomposition.

        Raises:
            ValueError: the game has no horizon, or the radii do not fit its players.
        """
        uncertainty = self.uncertainty
        levels = player_levels(game, uncertainty)
        horizon, n = int(game.horizon or 0), game.num_players
        values = np.zeros((horizon + 1, n, game.num_states))
        joint = np.zeros((horizon, game.num_states, *game.num_actions))
        finished, iterations, residual = True, 0, 0.0
        for h in reversed(range(horizon)):
            worst = np.stack(
                [
                    uncertainty.worst(game.transitions_at(h), values[h + 1, i], float(levels[i])).value
                    for i in range(n)
                ]
            )
            payoffs = game.rewards_at(h) + worst
            for s in range(game.num_states):
                answer = self._stage().find(NormalFormGame(payoffs[:, s]))
                law = answer.joint if answer.joint is not None else _independent(answer.strategies)
                joint[h, s] = law
                values[h, :, s] = [float(np.sum(law * payoffs[i, s])) for i in range(n)]
                finished = finished and answer.converged
                iterations += answer.iterations
                residual = max(residual, float(answer.residual))
        return self._solution(game, joint, values, finished, iterations, residual)

    def _stage(self) -> Any:
        if self.equilibrium == "nash":
            return Nash()
        if self.select == "entropy":
            return MaximumEntropy(recommended=self.equilibrium == "ce")
        objective = {"welfare": "welfare", "maxmin": "egalitarian"}[self.select]
        kind = CorrelatedEquilibrium if self.equilibrium == "ce" else CoarseCorrelatedEquilibrium
        return kind(objective)

    def _solution(
        self,
        game: MarkovGame,
        joint: np.ndarray,
        values: np.ndarray,
        finished: bool,
        iterations: int,
        residual: float,
    ) -> MarkovSolution:
        uncertainty = self.uncertainty
        judged = robust_evaluation(game, joint, uncertainty, "rectangular")
        gaps = judged.gaps
        if self.equilibrium == "ce":
            gaps = advised_deviation_values(game, joint, uncertainty)[0] - judged.values[0]
        per_player = np.maximum(gaps.max(axis=1), 0.0)
        gap = float(np.max(per_player))
        nominal = max(robust_evaluation(game, joint, uncertainty, "nominal").gap, 0.0)
        scale = int(game.horizon or 1) * max(float(np.max(np.abs(tensor))) for tensor in game.rewards)
        chosen = "as found" if self.equilibrium == "nash" else self.select
        play = pure_play(joint)
        return MarkovSolution(
            game=game,
            concept=self,
            strategies=play.marginals(),
            values=judged.values[0],
            certificate=MarkovCertificate(
                f"robust {self.equilibrium.upper()}, rectangular sets", gap, per_player, gap, nominal
            ),
            converged=bool(finished and gap <= _TOLERANCE * max(scale, np.finfo(float).tiny)),
            iterations=iterations,
            residual=max(residual, float(np.max(np.abs(values - judged.values)))),
            branch=f"backward induction, {chosen} in every stage",
            status="Equilibria are many; each stage's is the one that `select` names.",
            joint=joint,
            details={
                "values": judged.values,
                "play": play,
                "decomposition": "pure profiles",
                "evaluations": {"rectangular": judged},
            },
        )


def advised_deviation_values(
    game: MarkovGame, joint: Numbers, uncertainty: Uncertainty
) -> Float[np.ndarray, "steps players states"]:
    """Values of the best deviations that may depend on the advice, with sets around every joint action.

    Args:
        game: a game with a horizon.
        joint: law over joint actions, `[H, S, A_1, ..., A_n]`.
        uncertainty: what the adversaries may do.
    """
    levels = player_levels(game, uncertainty)
    horizon, n, states = int(game.horizon or 0), game.num_players, game.num_states
    values = np.zeros((horizon + 1, n, states))
    for h in reversed(range(horizon)):
        for i, own in enumerate(game.num_actions):
            worst = uncertainty.worst(game.transitions_at(h), values[h + 1, i], float(levels[i])).value
            payoffs = np.moveaxis(game.rewards_at(h)[i] + worst, 1 + i, 1).reshape(states, own, -1)
            law = np.moveaxis(np.asarray(joint)[h], 1 + i, 1).reshape(states, own, -1)
            # Advice a, action b: expected payoff on the event that a is advised.
            values[h, i] = np.einsum("sac,sbc->sab", law, payoffs).max(axis=2).sum(axis=1)
    return values


def _independent(strategies: tuple[np.ndarray, ...]) -> np.ndarray:
    joint = np.ones(())
    for one in strategies:
        joint = np.multiply.outer(joint, one)
    return joint
