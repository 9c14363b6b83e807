"""What play of a Markov game is worth, and what deviating would be, when every player doubts the model.

A player's adversary may move the law of the next state within a set around a centre. The same play has
several values, because the worst case is not linear in the centre:

- "mixture": the centre is what player i sees in one component of the play, after averaging the others;
- "joint": the same with the play collapsed to one law over joint actions;
- "rectangular": one set around the law of every joint action;
- "nominal": no doubt.

Worst cases are convex in the centre, so joint <= mixture <= rectangular <= nominal for one and the same law
over joint actions. The first two have the sets that Shi et al. (ICML 2025) call fictitious: they move with
the play of the others. Which of the two their definition means is not stated; both are offered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Float, Int

from equipoise.equilibria.mixture_play import MixturePlay
from equipoise.equilibria.uncertainty import Uncertainty
from equipoise.games._checks import Numbers
from equipoise.games.markov import MarkovGame

Evaluation = Literal["mixture", "joint", "rectangular", "nominal"]
_CHUNK = 4_000_000  # numbers held at once while the others are averaged out


@dataclass(frozen=True, eq=False)
class RobustEvaluation:
    """Values of a play, the best deviations from it and the laws that make both what they are.

    Attributes:
        evaluation: which of the values this is.
        values: worst-case value of following the play, `[H + 1, n, S]`.
        deviation_values: of the best deviation against it, which does not see what is drawn, `[H + 1, n, S]`.
        deviations: an action that attains it, `[H, n, S]`.
        path_laws: for every step and player the worst laws along the play, `[S, C, A_i, S]`. The C cells are
            the components of the mixture, the others' joint actions in the order of `numpy.ndindex`
            (rectangular, nominal), or a single one (joint). Empty unless asked for.
        deviation_laws: the same against deviations.
    """

    evaluation: Evaluation
    values: Float[np.ndarray, "steps players states"]
    deviation_values: Float[np.ndarray, "steps players states"]
    deviations: Int[np.ndarray, "horizon players states"]
    path_laws: tuple[tuple[Float[np.ndarray, "states cells _ states"], ...], ...] = ()
    deviation_laws: tuple[tuple[Float[np.ndarray, "states cells _ states"], ...], ...] = ()

    @property
    def gaps(self) -> Float[np.ndarray, "players states"]:
        """What every player gains by deviating, from every state at the first step; may be negative."""
        return self.deviation_values[0] - self.values[0]

    @property
    def gap(self) -> float:
        """The largest gain of any player from any state at the first step; may be negative."""
        return float(np.max(self.gaps))


class Cells(NamedTuple):
    """One player's decision at one step: centres with their weights, on the path and for a deviator.

    Attributes:
        path_weights: `[S, C, A_i]`, summing to one over cells and actions.
        path_laws: `[S, C, A_i, S]`.
        path_rewards: `[S, C, A_i]`.
        deviation_weights: `[S, C]`, summing to one.
        deviation_laws: `[S, C, A_i, S]`.
        deviation_rewards: `[S, C, A_i]`.
    """

    path_weights: np.ndarray
    path_laws: np.ndarray
    path_rewards: np.ndarray
    deviation_weights: np.ndarray
    deviation_laws: np.ndarray
    deviation_rewards: np.ndarray


def robust_evaluation(
    game: MarkovGame,
    play: MixturePlay | Numbers,
    uncertainty: Uncertainty,
    evaluation: Evaluation = "mixture",
    *,
    laws: bool = False,
) -> RobustEvaluation:
    """Evaluate a play, and the best deviations from it, by one backward pass.

    Args:
        game: a game with a horizon.
        play: a mixture of independent play; or a law over joint actions, `[H, S, A_1, ..., A_n]`, which has
            no "mixture" value until it is said how it is mixed (`pure_play`).
        uncertainty: what the adversaries may do; its level a number or one per player.
        evaluation: "mixture", "joint", "rectangular" or "nominal".
        laws: return the worst laws too.

    Raises:
        ValueError: the game has no horizon, or play, level or evaluation do not fit.
    """
    if evaluation not in get_args(Evaluation):
        raise ValueError(f"evaluation must be one of {', '.join(get_args(Evaluation))}, got {evaluation!r}")
    if evaluation == "mixture" and not isinstance(play, MixturePlay):
        raise ValueError(
            "a law over joint actions has no mixture value of its own: say how it is mixed with "
            "MixturePlay(weights, strategies) or pure_play(joint), or ask for evaluation='joint'"
        )
    levels = player_levels(game, uncertainty)
    if evaluation == "nominal":
        uncertainty, levels = Uncertainty(0.0, "tv", support="ac"), np.zeros(game.num_players)
    joint = None if evaluation == "mixture" else _joint(game, play)
    horizon, n = int(game.horizon or 0), game.num_players
    values, best = np.zeros((2, horizon + 1, n, game.num_states))
    deviations = np.zeros((horizon, n, game.num_states), dtype=int)
    path_laws: list[tuple[np.ndarray, ...]] = []
    deviation_laws: list[tuple[np.ndarray, ...]] = []
    for h in reversed(range(horizon)):
        kept: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        for i in range(n):
            cells = _cells(game, play, joint, h, i, evaluation)
            path = uncertainty.worst(cells.path_laws, values[h + 1, i], float(levels[i]))
            values[h, i] = (cells.path_weights * (cells.path_rewards + path.value)).sum(axis=(1, 2))
            off = uncertainty.worst(cells.deviation_laws, best[h + 1, i], float(levels[i]))
            gains = cells.deviation_weights[..., None] * (cells.deviation_rewards + off.value)
            per_action = gains.sum(axis=1)
            best[h, i], deviations[h, i] = per_action.max(axis=1), per_action.argmax(axis=1)
            kept[0].append(path.kernel)
            kept[1].append(off.kernel)
        if laws:
            path_laws.insert(0, tuple(kept[0]))
            deviation_laws.insert(0, tuple(kept[1]))
    return RobustEvaluation(evaluation, values, best, deviations, tuple(path_laws), tuple(deviation_laws))


def player_levels(game: MarkovGame, uncertainty: Uncertainty) -> Float[np.ndarray, " players"]:
    """The adversaries' levels, one per player, of a game with a horizon.

    Raises:
        ValueError: the game has no horizon, or the number of levels is not that of the players.
    """
    if game.horizon is None:
        raise ValueError(
            f"{game!r} has a discount; robust play of several players is defined here for games with a "
            "horizon: give MarkovGame(..., horizon=H)"
        )
    level = np.asarray(uncertainty.level, dtype=float)
    if level.shape not in ((), (game.num_players,)):
        raise ValueError(
            f"level has shape {level.shape}; it must be a number or one per player, ({game.num_players},)"
        )
    return np.broadcast_to(level, (game.num_players,))


def component_centres(
    game: MarkovGame, strategies: tuple[np.ndarray, ...], step: int, player: int
) -> tuple[Float[np.ndarray, "states components _ states"], Float[np.ndarray, "states components _"]]:
    """Next-state laws and rewards that a player sees in every component, the others averaged out.

    Args:
        game: the game.
        strategies: one array per player, `[S, K, A_i]`.
        step: the move.
        player: whose view.

    Returns:
        Laws `[S, K, A_i, S]` and rewards `[S, K, A_i]`.
    """
    model = np.concatenate([game.transitions_at(step), game.rewards_at(step)[player][..., None]], axis=-1)
    states, count = strategies[0].shape[:2]
    own = game.num_actions[player]
    found = np.empty((states, count, own, model.shape[-1]))
    chunk = max(1, int(_CHUNK / (model.size / min(game.num_actions))))
    for start in range(0, count, chunk):
        part = slice(start, start + chunk)
        tensor = model[:, None]  # [S, K or 1, A_1, ..., A_n, S + 1]
        for j in reversed(range(game.num_players)):
            if j != player:
                law = strategies[j][:, part]
                moved = np.moveaxis(tensor, 2 + j, 2)
                flat = moved.reshape(*moved.shape[:3], -1)
                tensor = (law[:, :, None] @ flat).reshape(states, law.shape[1], *moved.shape[3:])
        found[:, part] = tensor
    return found[..., :-1], found[..., -1]


def _cells(
    game: MarkovGame,
    play: MixturePlay | Numbers,
    joint: np.ndarray | None,
    step: int,
    i: int,
    evaluation: str,
) -> Cells:
    if joint is None:
        weights = play.weights[step]
        strategies = tuple(one[step] for one in play.strategies)
        laws, rewards = component_centres(game, strategies, step, i)
        return Cells(weights[..., None] * strategies[i], laws, rewards, weights, laws, rewards)
    states, own = game.num_states, game.num_actions[i]
    # Own action last, the others' joint action before it.
    law = np.moveaxis(joint[step], 1 + i, -1).reshape(states, -1, own)
    kernel = np.moveaxis(game.transitions_at(step), 1 + i, -2).reshape(states, -1, own, states)
    rewards = np.moveaxis(game.rewards_at(step)[i], 1 + i, -1).reshape(states, -1, own)
    others = law.sum(axis=2)
    if evaluation != "joint":
        return Cells(law, kernel, rewards, others, kernel, rewards)
    mass = law.sum(axis=1)
    # An action that is never advised has no conditional law; any will do, for its weight is zero.
    given = np.where(mass[:, None] > 0, law, others[..., None]) / np.where(mass > 0, mass, 1.0)[:, None]
    return Cells(
        mass[:, None],
        np.einsum("sca,scat->sat", given, kernel)[:, None],
        (given * rewards).sum(axis=1)[:, None],
        np.ones((states, 1)),
        np.einsum("sc,scat->sat", others, kernel)[:, None],
        (others[..., None] * rewards).sum(axis=1)[:, None],
    )


def _joint(game: MarkovGame, play: MixturePlay | Numbers) -> Float[np.ndarray, "horizon states *actions"]:
    joint = play.joint() if isinstance(play, MixturePlay) else np.asarray(play, dtype=float)
    shape = (int(game.horizon or 0), game.num_states, *game.num_actions)
    if joint.shape != shape:
        raise ValueError(f"play has shape {joint.shape}; this game asks for {shape}")
    totals = joint.reshape(*shape[:2], -1).sum(axis=-1)
    if not (np.min(joint) >= -1e-8 and np.max(np.abs(totals - 1.0)) <= 1e-8):
        raise ValueError(
            "play must hold probabilities of joint actions that sum to 1 for every step and state; its sums "
            f"reach from {np.min(totals)} to {np.max(totals)}"
        )
    return joint
