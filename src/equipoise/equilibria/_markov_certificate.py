"""Certificates of policies of finite horizon: every player's best response as a decision process of its own.

Nothing here comes from a solver but the policies (and laws that make bounds tight, whatever they are). With
the others' policies fixed, a player's value of a stage is monotone in what the next states are worth to it.
So the best response, over all policies however they depend on the past, is found backwards in time: at every
step and state the best reply in the stage game whose continuation values are those of the best response.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from equipoise.equilibria import _certificate
from equipoise.equilibria._branch import own_first
from equipoise.equilibria._chance import worth
from equipoise.equilibria._markov_solution import MarkovCertificate
from equipoise.equilibria._system import Array
from equipoise.equilibria.correlated import CoarseCorrelatedEquilibrium, CorrelatedEquilibrium
from equipoise.equilibria.qre import QRE
from equipoise.equilibria.rqe import RQE
from equipoise.equilibria.security import Security
from equipoise.games.markov import MarkovGame

NEGLIGIBLE = 1e-9  # gaps below this share of the values need no lower bound but zero


class Play(NamedTuple):
    """Policies to be certified, all over steps and states.

    Attributes:
        policies: `[H, S, A_i]` per player.
        logs: their logarithms, where probabilities may be too small for a number.
        laws: a law per player over the others' joint actions, `[H, S, M_i]`: its adversary's play, which
            makes the bounds tight, or for security the play that holds it down.
        joint: law over joint actions `[H, S, A_1, ..., A_n]`, for correlated play.
    """

    policies: Sequence[Array]
    logs: Sequence[Array] | None = None
    laws: Sequence[Array] | None = None
    joint: Array | None = None


def certify_play(
    game: MarkovGame, concept: Any, aversion: Array, penalty: str, play: Play
) -> tuple[MarkovCertificate, Array]:
    """Certify policies of a game with a horizon.

    Args:
        game: the game.
        concept: what the policies claim to be.
        aversion: the players' aversion to chance moves, `[n]`.
        penalty: divergence of a feared law of the next state from the true one.
        play: the policies.

    Returns:
        The certificate, and the most any player can gain from each step and state on, `[H, S]`.
    """
    chance = (aversion, penalty)
    lower = None
    if isinstance(concept, RQE | QRE) and concept.parameters(game.num_players)[1].all():
        gains, lower = _quantal(game, concept, chance, play)
        kind = f"{concept.name}: best response in the decision process with its risk and regularisation"
        if not concept.regularizer_in_value:
            # Then the player of one step does not want what the player of another step wants.
            kind = f"{concept.name}: best response of every step's player, with its risk and regularisation"
    elif isinstance(concept, CorrelatedEquilibrium | CoarseCorrelatedEquilibrium):
        recommended = isinstance(concept, CorrelatedEquilibrium)
        gains = _correlated(game, play, recommended=recommended)
        deviations = "advised" if recommended else "before any advice"
        kind = f"{concept.name}: deviations from every state on, {deviations}"
    elif isinstance(concept, Security) or (
        isinstance(concept, RQE) and concept.parameters(game.num_players)[0].any()
    ):
        gains = _security(game, chance, play)
        kind = "security: bound on the guaranteed value, from the adversary, minus the guaranteed value"
        lower = np.zeros_like(gains)
    else:
        gains = _nash(game, chance, play)
        kind = f"{concept.name}: exploitability from every state on"
    per_player = gains.max(axis=(0, 2))
    return MarkovCertificate(
        concept=kind,
        gap=float(per_player.max()),
        gap_per_player=per_player,
        lower=float((gains if lower is None else lower).max()),
        nash_gap=float(_nash(game, (np.zeros(game.num_players), "kl"), play).max()),
    ), gains.max(axis=1)


def _quantal(
    game: MarkovGame, concept: RQE | QRE, chance: tuple[Array, str], play: Play
) -> tuple[Array, Array]:
    """Gains from above and from below, `[H, n, S]`."""
    horizon, states, players = len(play.policies[0]), game.num_states, game.num_players
    tau, eps = (np.broadcast_to(v, (states, players)) for v in concept.parameters(players))
    whole = concept.regularizer_in_value
    # What the policies are worth, and what the best response is worth from above and from below.
    value, ceiling, floor = np.zeros((3, horizon + 1, players, states))
    upper, lower = np.zeros((2, horizon, players, states))

    def look(step: int, ahead: Array) -> _certificate.Gaps:
        rewards = game.rewards_at(step) + worth(game, ahead[step + 1], step, *chance)
        laws = None if play.laws is None else [law[step] for law in play.laws]
        with np.errstate(all="ignore"):
            return _certificate.certify(
                own_first(list(rewards)), _logarithms(play, step), tau, eps, concept.rules, laws
            )

    for step in reversed(range(horizon)):
        gaps = look(step, value)
        value[step] = gaps.values.T
        upper[step], lower[step] = gaps.upper.T, gaps.lower.T
        if whole:
            gaps = look(step, ceiling)
            ceiling[step] = (gaps.values + gaps.upper).T
            upper[step] = np.maximum(ceiling[step] - value[step], 0.0)
    if whole and upper.max() > NEGLIGIBLE * max(1.0, float(np.abs(value).max())):
        for step in reversed(range(horizon)):
            gaps = look(step, floor)
            floor[step] = (gaps.values + gaps.lower).T
            lower[step] = np.maximum(floor[step] - value[step], 0.0)
    return upper, lower


def _logarithms(play: Play, step: int) -> list[Array]:
    if play.logs is not None:
        return [law[step] for law in play.logs]
    return [np.log(np.maximum(policy[step], np.finfo(float).tiny)) for policy in play.policies]


def _nash(game: MarkovGame, chance: tuple[Array, str], play: Play) -> Array:
    """Gains without noise or wariness of the others, `[H, n, S]`; of marginals, for correlated play."""
    horizon, states, players = len(play.policies[0]), game.num_states, game.num_players
    best, value = np.zeros((2, horizon + 1, players, states))
    for step in reversed(range(horizon)):
        policies = [policy[step] for policy in play.policies]
        rewards = game.rewards_at(step)
        now = rewards + worth(game, value[step + 1], step, *chance)
        ahead = rewards + worth(game, best[step + 1], step, *chance)
        for i in range(players):
            value[step, i] = (_per_action(now[i], policies, i) * policies[i]).sum(axis=1)
            best[step, i] = _per_action(ahead[i], policies, i).max(axis=1)
    return np.maximum(best[:-1] - value[:-1], 0.0)


def _per_action(payoffs: Array, policies: Sequence[Array], i: int) -> Array:
    """Expected payoff of every own action against the others' independent play, `[S, A_i]`."""
    for j in reversed(range(len(policies))):
        if j != i:
            weights = policies[j].reshape(
                len(payoffs), *[-1 if k == j else 1 for k in range(payoffs.ndim - 1)]
            )
            payoffs = (payoffs * weights).sum(axis=1 + j, keepdims=True)
    return payoffs.reshape(len(payoffs), -1)


def _correlated(game: MarkovGame, play: Play, *, recommended: bool) -> Array:
    """Gains of leaving a correlated law, having heard the advice or before, `[H, n, S]`."""
    assert play.joint is not None
    horizon, states, players = len(play.joint), game.num_states, game.num_players
    best, value = np.zeros((2, horizon + 1, players, states))
    for step in reversed(range(horizon)):
        rewards = game.rewards_at(step)
        now, ahead = (rewards + game.expected(v[step + 1], step) for v in (value, best))
        for i in range(players):
            law = np.moveaxis(play.joint[step], 1 + i, 1).reshape(states, game.num_actions[i], -1)
            payoffs = own_first(list(ahead))[i]
            # outcome[s, a, b]: what playing b is worth whenever a is advised, times the probability of a.
            outcome = np.einsum("sam,sbm->sab", law, payoffs)
            best[step, i] = (
                outcome.max(axis=2).sum(axis=1) if recommended else outcome.sum(axis=1).max(axis=1)
            )
            value[step, i] = (play.joint[step] * now[i]).reshape(states, -1).sum(axis=1)
    return np.maximum(best[:-1] - value[:-1], 0.0)


def _security(game: MarkovGame, chance: tuple[Array, str], play: Play) -> Array:
    """Bound on what anybody could guarantee, minus what the policies do, `[H, n, S]`."""
    assert play.laws is not None
    horizon, states, players = len(play.policies[0]), game.num_states, game.num_players
    bound, value = np.zeros((2, horizon + 1, players, states))
    for step in reversed(range(horizon)):
        rewards = game.rewards_at(step)
        now = own_first(list(rewards + worth(game, value[step + 1], step, *chance)))
        ahead = own_first(list(rewards + worth(game, bound[step + 1], step, *chance)))
        for i in range(players):
            value[step, i] = np.einsum("sa,sam->sm", play.policies[i][step], now[i]).min(axis=1)
            bound[step, i] = np.einsum("sm,sam->sa", play.laws[i][step], ahead[i]).max(axis=1)
    return np.maximum(bound[:-1] - value[:-1], 0.0)
