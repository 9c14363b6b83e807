"""Robust coarse correlated equilibria of Markov games whose players doubt the model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float

from equipoise.equilibria._markov_solution import MarkovCertificate, MarkovSolution
from equipoise.equilibria._polish import polished_weights
from equipoise.equilibria.mixture_play import MixturePlay
from equipoise.equilibria.rectangular import RectangularEquilibrium, Select
from equipoise.equilibria.robust_evaluation import (
    Evaluation,
    RobustEvaluation,
    component_centres,
    player_levels,
    robust_evaluation,
)
from equipoise.equilibria.robust_rounds import (
    effective_rounds,
    exact_rounds,
    paces,
    round_weights,
    step_sizes,
)
from equipoise.equilibria.uncertainty import Uncertainty
from equipoise.games._checks import Numbers
from equipoise.games.markov import MarkovGame
from equipoise.preferences import Divergence
from equipoise.preferences.worst_case import Form, Support

Sets = Literal["fictitious", "rectangular"]
Polish = Literal["exact", "weights", "none"]
_MOST_PROFILES = 4096  # pure profiles that the exact polish may add
FEW_ROUNDS = 10
_ROUNDING = 1e-6  # of the accuracy asked for
_WORTH_TELLING = 1e-6  # difference of gaps, relative to the horizon


class RepresentationWarning(UserWarning):
    """The same law over joint actions has different gaps, depending on how it is mixed."""


@dataclass(frozen=True, eq=False)
class RobustCCE:
    """Robust coarse correlated equilibrium: nobody gains by fixing an action in advance, in the worst case.

    Every player has an adversary of its own who may move the law of the next state within a set.

    Attributes:
        radius: size of the sets, a number or one per player: the ball's radius, in (0, 1) for total
            variation (constrained), or the penalty's weight (penalised).
        sets: "fictitious": around what the player sees after averaging the others, as Shi et al. (ICML 2025),
            found by their Robust-Q-FTRL with exact expectations; "rectangular": around the law of every
            joint action, found by backward induction.
        evaluation: how fictitious sets judge correlated play, "mixture" (component by component) or "joint";
            see `robust_evaluation`. The certificate's gap is this one; details have all of them.
        divergence: "tv", "kl", "chi2", "cressie_read", "reverse_kl", "l1" or a `Divergence`.
        form: "constrained" or "penalised".
        support: "ac", "free" or None, as in `Uncertainty`.
        rounds: rounds K of Robust-Q-FTRL at every step.
        step_constant: c in alpha_k = c log K/(k - 1 + c log K); None for plain averaging.
        polish: "weights": choose the weights of the K policies by linear programs, step by step; "exact": let
            pure profiles join them, as few as it takes until nobody gains (in games of up to 4096 profiles);
            "none": the algorithm's own weights.
        accuracy: the gap up to which the answer counts as converged, per unit of the largest possible return.
        select: for rectangular sets, which equilibrium of every stage: "welfare", "maxmin" or "entropy".

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    radius: float | int | Numbers
    sets: Sets = "fictitious"
    evaluation: Literal["mixture", "joint"] = "mixture"
    divergence: str | Divergence = "tv"
    form: Form = "constrained"
    support: Support | None = None
    rounds: int = 1000
    step_constant: float | int | None = 2.0
    polish: Polish = "exact"
    accuracy: float | int = 1e-3
    select: Select = "welfare"

    def __post_init__(self) -> None:
        if self.sets not in get_args(Sets):
            raise ValueError(f"sets must be 'fictitious' or 'rectangular', got {self.sets!r}")
        if self.evaluation not in ("mixture", "joint"):
            raise ValueError(
                f"evaluation must be 'mixture' or 'joint', got {self.evaluation!r}; for sets around every "
                "joint action say sets='rectangular'"
            )
        if self.polish not in get_args(Polish):
            raise ValueError(f"polish must be 'exact', 'weights' or 'none', got {self.polish!r}")
        if self.step_constant is not None and not self.step_constant > 0:
            raise ValueError(f"step_constant must be positive, got {self.step_constant}")
        if not self.accuracy > 0:
            raise ValueError(f"accuracy must be positive, got {self.accuracy}")
        step_sizes(self.rounds, self.step_constant)
        if self.sets == "rectangular":
            self.rectangular  # noqa: B018  checks the other fields
        self.uncertainty  # noqa: B018

    @property
    def uncertainty(self) -> Uncertainty:
        """What the adversaries may do."""
        return named_radius(self.radius, self.divergence, self.form, self.support)

    @property
    def rectangular(self) -> RectangularEquilibrium:
        """The concept that answers for rectangular sets."""
        return RectangularEquilibrium(
            self.radius, "cce", self.select, self.divergence, self.form, self.support
        )

    @property
    def name(self) -> str:
        """Name of the concept with its parameters."""
        judged = f", {self.evaluation} evaluation" if self.sets == "fictitious" else f", {self.select}"
        return f"robust CCE ({self.sets} sets, {self.uncertainty.name}{judged})"

    def find_markov(self, game: MarkovGame) -> MarkovSolution:
        """Find a robust coarse correlated equilibrium.

        Args:
            game: a game with a horizon.

        Returns:
            `joint` is the law over joint actions, `strategies` its marginals. Details: "play", the mixture;
            "values" of all steps; "evaluations", by name, with gaps and best deviations; "decomposition",
            how the play is mixed; "effective_rounds".

        Raises:
            ValueError: the game has no horizon, or the radii do not fit its players.

        Warns:
            RepresentationWarning: the mixture's gap and the joint law's gap differ.
        """
        if self.sets == "rectangular":
            return self.rectangular.find_markov(game)
        uncertainty = self.uncertainty
        player_levels(game, uncertainty)
        limit = self.accuracy * int(game.horizon or 1) * _reward_range(game)
        play, residual = follow_the_leader(game, self, self.polish)
        evaluations = all_evaluations(game, play, uncertainty)
        if self.polish != "none" and evaluations[self.evaluation].gap > _ROUNDING * limit:
            # Each linear program helps its own step; together, or for the joint law, they may do harm.
            plain, plain_residual = follow_the_leader(game, self, "none")
            others = all_evaluations(game, plain, uncertainty)
            if others[self.evaluation].gap < evaluations[self.evaluation].gap - _ROUNDING * limit:
                play, residual, evaluations = plain, plain_residual, others
        weights = round_weights(step_sizes(self.rounds, self.step_constant))
        averaged = effective_rounds(weights)
        tell_representation(game, evaluations)
        judged = evaluations[self.evaluation]
        gap = max(judged.gap, 0.0)
        status = (
            "Robust CCE are many; which one this is depends on the uniform start and the number of rounds."
        )
        if gap > limit:
            status += f" The gap is above {limit:.3g}; raise rounds (now {self.rounds})."
        if averaged < FEW_ROUNDS and self.polish == "none":
            status += f" Only {averaged:.1f} rounds count in effect; lower step_constant."
        return MarkovSolution(
            game=game,
            concept=self,
            strategies=play.marginals(),
            values=judged.values[0],
            certificate=robust_certificate(f"robust CCE, {self.evaluation} evaluation", judged, evaluations),
            converged=gap <= limit,
            iterations=self.rounds * int(game.horizon or 0),
            residual=residual,
            branch=f"Robust-Q-FTRL from uniform play, polish: {self.polish}",
            status=status,
            joint=play.joint(),
            details={
                "play": play,
                "values": judged.values,
                "evaluations": evaluations,
                "decomposition": _decomposition(play, self.rounds),
                "effective_rounds": averaged,
            },
        )


def named_radius(radius: Numbers, rule: str | Divergence, form: Form, support: Support | None) -> Uncertainty:
    """An uncertainty whose error messages speak of the radius."""
    try:
        return Uncertainty(radius, rule, form, support)
    except (TypeError, ValueError) as error:
        raise type(error)(str(error).replace("level", "radius")) from None


def all_evaluations(
    game: MarkovGame, play: MixturePlay, uncertainty: Uncertainty
) -> dict[str, RobustEvaluation]:
    """The play under every evaluation, by name."""
    return {name: robust_evaluation(game, play, uncertainty, name) for name in get_args(Evaluation)}


def tell_representation(game: MarkovGame, evaluations: Mapping[str, RobustEvaluation]) -> None:
    """Warn where the gap depends on how the joint law is mixed."""
    mixture, joint = evaluations["mixture"].gap, evaluations["joint"].gap
    if abs(mixture - joint) > _WORTH_TELLING * int(game.horizon or 1) * _reward_range(game):
        warnings.warn(
            f"the gap of this play is {mixture:.3g} as a mixture of independent policies and {joint:.3g} as "
            "a joint law; say which one you mean (evaluation='mixture' or 'joint')",
            RepresentationWarning,
            stacklevel=4,
        )


def robust_certificate(
    concept: str, judged: RobustEvaluation, evaluations: Mapping[str, RobustEvaluation]
) -> MarkovCertificate:
    """The evaluation's gaps as a certificate; no gain is counted as zero, not as negative."""
    per_player = np.maximum(judged.gaps.max(axis=1), 0.0)
    gap = float(np.max(per_player))
    nominal = max(evaluations["nominal"].gap, 0.0)
    return MarkovCertificate(concept, gap, per_player, gap, nominal)


def _decomposition(play: MixturePlay, rounds: int) -> str:
    pure = play.weights[..., rounds:].sum(axis=-1)
    text = f"{rounds} independent policies, drawn afresh at every step and state"
    if play.weights.shape[-1] > rounds:
        text += f", and pure profiles with {pure.mean():.2g} of the weight ({pure.max():.2g} at most)"
    return text


def follow_the_leader(game: MarkovGame, concept: RobustCCE, polish: Polish) -> tuple[MixturePlay, float]:
    """Robust-Q-FTRL with exact expectations, backwards; and how far its values are from the mixture's."""
    import jax

    uncertainty = concept.uncertainty
    levels = player_levels(game, uncertainty)
    horizon, n, states, count = int(game.horizon or 0), game.num_players, game.num_states, concept.rounds
    steps = step_sizes(count, concept.step_constant)
    rates = paces(steps, horizon) / _reward_range(game)  # written for rewards in [0, 1]
    profiles = np.zeros((n, 0), dtype=int)
    if polish == "exact" and np.prod(game.num_actions) <= _MOST_PROFILES:
        profiles = np.indices(game.num_actions).reshape(n, -1)
    start = np.append(round_weights(steps), np.zeros(profiles.shape[1]))
    values, best = np.zeros((n, states)), np.zeros((n, states))
    weights = np.empty((horizon, states, len(start)))
    strategies = tuple(np.empty((horizon, states, len(start), own)) for own in game.num_actions)
    residual = 0.0
    with jax.enable_x64(True):
        rounds = exact_rounds(game.num_actions, uncertainty.doubt)
        for h in reversed(range(horizon)):
            model, rewards = game.transitions_at(h), game.rewards_at(h)
            models = tuple(np.concatenate([model, r[..., None]], axis=-1) for r in rewards)
            last, policies = rounds(models, levels, values, steps, rates)
            for i, one in enumerate(strategies):
                one[h, :, :count] = np.moveaxis(np.asarray(policies)[:, i, :, : one.shape[-1]], 0, 1)
                one[h, :, count:] = np.eye(one.shape[-1])[profiles[i]]
            at_step = tuple(one[h] for one in strategies)
            worth, deviations, owner = _component_values(game, at_step, uncertainty, levels, values, best, h)
            residual = max(residual, float(np.max(np.abs(worth @ start - np.asarray(last.average)))))
            for s in range(states):
                weights[h, s] = start
                if polish != "none":
                    weights[h, s] = polished_weights(deviations[:, s] - worth[owner, s], start, count)
            values = np.einsum("isk,sk->is", worth, weights[h])
            reached = np.einsum("rsk,sk->rs", deviations, weights[h])
            best = np.stack([reached[np.array(owner) == i].max(axis=0) for i in range(n)])
    return MixturePlay(weights, strategies), residual


def _component_values(
    game: MarkovGame,
    strategies: tuple[np.ndarray, ...],
    uncertainty: Uncertainty,
    levels: Float[np.ndarray, " players"],
    values: Float[np.ndarray, "players states"],
    best: Float[np.ndarray, "players states"],
    step: int,
) -> tuple[
    Float[np.ndarray, "players states components"], Float[np.ndarray, "rows states components"], list[int]
]:
    """What every component is worth, and every fixed action against it, followed by the best deviation."""
    worth, deviations, owner = [], [], []
    for i, own in enumerate(strategies):
        laws, rewards = component_centres(game, strategies, step, i)
        on_path = rewards + uncertainty.worst(laws, values[i], float(levels[i])).value
        worth.append((own * on_path).sum(axis=-1))
        off = rewards + uncertainty.worst(laws, best[i], float(levels[i])).value
        deviations.extend(np.moveaxis(off, -1, 0))
        owner.extend([i] * own.shape[-1])
    return np.stack(worth), np.stack(deviations), owner


def _reward_range(game: MarkovGame) -> float:
    spread = max(float(r.max()) for r in game.rewards) - min(float(r.min()) for r in game.rewards)
    return spread if spread > 0 else 1.0
