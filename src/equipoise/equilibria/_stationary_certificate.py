"""What players could gain by deviating from stationary policies of a discounted game.

Every player's values are those of its own policy against the others', risk-adjusted and regularised as the
concept says. A best response solves the Markov decision process that the others leave to the player, whose
stage problem is the convex best response of `_certificate`. Values come from policy iteration; the bounds on
the gain hold whatever it left undone: if T V - V lies in [l, u] for the monotone operator T, its fixed point
lies between V + l/(1 - discount) and V + u/(1 - discount) (MacQueen 1966).

Where values leave the regularizer out, there is no decision process that a noisy player solves: each move is
a quantal response to the values of noisy play. The gain is then that of one move, by a player who goes on as
before: the largest in any state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from equipoise.equilibria._certificate import (
    Seat,
    best_value,
    bounds_at,
    joint_log,
    regularised,
    risk_value,
)
from equipoise.equilibria._decision_process import Margin, Standing, facing, margin, one_move
from equipoise.equilibria._lookahead import Lookahead
from equipoise.equilibria._markov_solution import MarkovCertificate
from equipoise.equilibria._markov_system import LARGEST_DENSE, Quantal
from equipoise.equilibria._system import Array
from equipoise.equilibria._value_equations import evaluate
from equipoise.games.markov import MarkovGame
from equipoise.preferences import regularizer

ROUNDS = 100
ENOUGH = 1e-13  # change of values that ends an evaluation, relative to their size


class StationaryCheck(NamedTuple):
    """Policies' values and what deviating from them could gain.

    Attributes:
        certificate: the certificate.
        values: risk-adjusted, regularised values `[players, S]`, in payoff units.
    """

    certificate: MarkovCertificate
    values: Array


def certify_stationary(
    game: MarkovGame,
    concept: Quantal,
    policies: Sequence[Array],
    log_policies: Sequence[Array] | None = None,
    witnesses: Sequence[Array] | None = None,
) -> StationaryCheck:
    """Certificate of stationary policies for a quantal response concept.

    Args:
        game: a discounted game.
        concept: RQE or QRE with positive noise.
        policies: `[S, A_i]` per player, all positive.
        log_policies: their logarithms, where some probabilities are too small for a floating-point number.
        witnesses: laws over the opponents' joint actions, `[S, M_i]` per player, which the bounds of the
            sum-of-marginals penalty need and others profit from.
    """
    tau, eps = concept.parameters(game.num_players)
    rules = concept.rules
    processes = facing(game, policies)
    # Players with equally many actions are looked at side by side.
    alike = len(processes) == 1
    own = [np.array(policies)] if alike else list(policies)
    noises = [eps] if alike else [np.asarray(noise) for noise in eps]
    standings = [Standing.of(process, policy) for process, policy in zip(processes, own, strict=True)]
    nash = max(float(margin(standing).upper.max()) for standing in standings)
    if rules.regularizer == "entropy" and not (tau.any() or concept.environment(game).any()):
        gains = [
            _logit(standing, noise, rules.regularizer_in_value)
            for standing, noise in zip(standings, noises, strict=True)
        ]
        upper, lower, values = gains[0] if alike else (np.stack(side) for side in zip(*gains, strict=True))
    else:
        logs = [np.log(policy) for policy in policies] if log_policies is None else log_policies
        upper, lower, values = _averse(game, concept, logs, witnesses)
    what = "regularised, risk-adjusted decision process against the others' policies"
    if not rules.regularizer_in_value:
        what = "one regularised, risk-adjusted move against the others' policies"
    certificate = MarkovCertificate(
        concept=f"{concept.name}: {what}",
        gap=float(upper.max()),
        gap_per_player=upper,
        lower=float(lower.max()),
        nash_gap=nash,
    )
    return StationaryCheck(certificate, values)


def _logit(standing: Standing, eps: Array, counted: bool) -> Margin:
    """Gain of a risk-neutral logit player, all in closed form."""
    policy = standing.policy
    entropy = -(policy * np.log(np.maximum(policy, np.finfo(float).tiny))).sum(axis=-1)
    if not counted:
        return one_move(standing, eps, entropy)
    return margin(Standing.of(standing.process, policy, eps[..., None] * entropy), eps)


def _averse(
    game: MarkovGame, concept: Quantal, log_policies: Sequence[Array], witnesses: Sequence[Array] | None
) -> tuple[Array, Array, Array]:
    """Bounds on the gain of every player and its values, for any preferences."""
    tau, eps = concept.parameters(game.num_players)
    rewards = game.rewards_at().reshape(game.num_players, game.num_states, -1)
    lookahead = Lookahead(game, rewards, concept.environment(game), concept.environment_penalty)
    desks = [
        _Desk(
            lookahead,
            concept,
            i,
            tau[i],
            eps[i],
            list(log_policies),
            None if witnesses is None else witnesses[i],
        )
        for i in range(game.num_players)
    ]
    columns = [desk.bounds() for desk in desks]
    upper, lower, values = zip(*columns, strict=True)
    return np.array(upper), np.array(lower), np.stack(values)


class _Desk:
    """One player's problem, the others' policies being given."""

    def __init__(
        self,
        lookahead: Lookahead,
        concept: Quantal,
        i: int,
        tau: float,
        eps: float,
        logs: list[Array],
        witness: Array | None,
    ):
        self.lookahead, self.rules, self.i = lookahead, concept.rules, i
        self.rule = regularizer(concept.rules.regularizer)
        states = len(logs[i])
        self.tau, self.eps = np.full(states, tau), np.full(states, eps)
        self.own = logs[i]
        self.rivals = [log for j, log in enumerate(logs) if j != i]
        self.log_q = joint_log(self.rivals, states)
        self.witness = witness
        self.counted = concept.rules.regularizer_in_value
        self.factor = 1.0 / (1.0 - lookahead.discount)

    def bounds(self) -> tuple[float, float, Array]:
        """Bounds on the largest gain in any state, and the policy's own values."""
        values, drift = self.evaluate(self.own, np.zeros(len(self.own)))
        floor = values + self.factor * min(float(drift.min()), 0.0)
        ceiling = values + self.factor * max(float(drift.max()), 0.0)
        payoff, _ = self.stage(values)
        gain, least = self.gain(payoff, self.own)
        if not self.counted:
            # The values of noisy play are known up to these bounds, and so are the stage's payoffs.
            doubt = self.lookahead.discount * float((ceiling - floor).max())
            return float(gain.max()) + doubt, max(float(least.max()) - doubt, 0.0), values
        best, log = values, self.own
        roof = best + self.factor * max(float((drift + gain).max()), 0.0)
        width = float((roof - best).max())
        enough = ENOUGH * self.factor * (1.0 + float(np.abs(values).max()))
        for _ in range(ROUNDS):
            if width <= max(enough, 1e-9 * float(np.ptp(payoff))):
                break
            log = self.improve(payoff, log)
            best, drift = self.evaluate(log, best)
            payoff, _ = self.stage(best)
            gain = self.gain(payoff, log)[0]
            roof = np.minimum(roof, best + self.factor * max(float((drift + gain).max()), 0.0))
            if not float((roof - best).max()) < 0.99 * width:
                break
            width = float((roof - best).max())
        sure = best + self.factor * min(float(drift.min()), 0.0)
        return float((roof - floor).max()), max(float((sure - ceiling).max()), 0.0), values

    def stage(self, values: Array) -> tuple[Array, Any]:
        """The player's stage payoffs `[S, A_i, M_i]` at continuation values, and its law of next states."""
        payoff, kernel = self.lookahead.of(self.i, values)
        return np.ascontiguousarray(payoff.transpose(2, 0, 1)), kernel

    def gain(self, payoff: Array, log: Array) -> tuple[Array, Array]:
        """Bounds on what one move could gain, from above and from below."""
        seat = Seat(payoff, np.exp(log), self.log_q, self.tau, self.eps)
        return bounds_at(seat, self.rule, self.rules, self.rivals, self.witness)[:2]

    def look(self, payoff: Array, log: Array) -> _Look:
        """One move as the player judges it."""
        own, tau, penalty = np.exp(log), self.tau, self.rules.penalty
        cost = regularised(np.zeros_like(own), own, self.eps, self.rule) if self.counted else 0.0
        if self.rules.form == "action_dependent" and tau.any():
            action, fear = risk_value(self.log_q[:, None], payoff, tau[:, None], penalty)
            return _Look((own * action).sum(axis=1) + cost, action, fear)
        if not tau.any():
            law = np.exp(self.log_q)
            action = np.einsum("sam,sm->sa", payoff, law)
            value = (own * action).sum(axis=1)
        elif self.marginals:
            assert self.witness is not None
            law = self.witness
            seat = Seat(payoff, own, self.log_q, tau, self.eps)
            value = bounds_at(seat, self.rule, self.rules, self.rivals, law)[2]
            value = value - regularised(np.zeros_like(own), own, self.eps, self.rule)
            action = np.einsum("sam,sm->sa", payoff, law)
        else:
            value, law = risk_value(self.log_q, np.einsum("sam,sa->sm", payoff, own), tau, penalty)
            action = np.einsum("sam,sm->sa", payoff, law)
        return _Look(value + cost, action, law[:, None])

    @property
    def marginals(self) -> bool:
        """Whether the sum-of-marginals penalty makes a difference."""
        return self.rules.joint_penalty == "marginals" and len(self.rivals) > 1

    def evaluate(self, log: Array, values: Array) -> tuple[Array, Array]:
        """Values of a policy against the others', and T V - V for them: Newton's method on worst cases."""
        best, size = (values, np.full_like(values, np.inf)), np.inf
        direct = self.lookahead.game.num_states <= LARGEST_DENSE
        for _ in range(ROUNDS):
            payoff, kernel = self.stage(values)
            look = self.look(payoff, log)
            drift = look.value - values
            if not float(np.abs(drift).max()) < size:
                break
            best, size = (values, drift), float(np.abs(drift).max())
            if size <= ENOUGH * (1.0 + float(np.abs(values).max())):
                break
            law = self.lookahead.joint_first(self.i, (np.exp(log)[:, :, None] * look.fear).transpose(1, 2, 0))
            values = values + evaluate(law[None], [kernel], self.lookahead.discount, drift[None], direct)[0]
        return best

    def improve(self, payoff: Array, log: Array) -> Array:
        """A better policy: answers to the worst case of the last one, as far as each is an improvement."""
        step = np.ones(len(log))
        look = self.look(payoff, log)
        have, action = look.value, look.action
        for _ in range(20):
            own = np.exp(log)
            answer = best_value(action, self.eps, self.rule)[1]
            trial = np.log(np.maximum(own + step[:, None] * (answer - own), np.finfo(float).tiny))
            look = self.look(payoff, trial)
            better = look.value > have
            log, have = np.where(better[:, None], trial, log), np.where(better, look.value, have)
            action = np.where(better[:, None], look.action, action)
            step = np.where(better, np.minimum(1.0, 1.5 * step), 0.5 * step)
            if not better.any() and step.max() < 1e-3:
                break
        return log


class _Look(NamedTuple):
    """One move: its value, regularised as values are, the worth of each action, and the laws feared."""

    value: Array  # [S]
    action: Array  # [S, A_i]
    fear: Array  # [S, A_i or 1, M_i]
