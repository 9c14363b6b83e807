"""The quick way to a stationary logit equilibrium, where play responds mildly.

In every sweep the players answer each other in turn in all states, and then values are those of the policies so
found, exactly: policy iteration for many players. Started from uniform play, it is the Markov counterpart of
`_leap`: the answer is taken for the principal branch only if every sweep moves play far less than the one
before, and is left to the path follower otherwise. (benchmarks/markov_against_sgamesolver.py counts how often
that was wrong on random games.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from equipoise.equilibria._decision_process import rivals_law
from equipoise.equilibria._system import Array
from equipoise.equilibria._value_equations import gmres
from equipoise.games.markov import MarkovGame

SAFE = 300.0  # rewards over noise and 1 - discount that cannot overflow an exponential
CONTRACTION = 0.4  # largest factor by which moves may shrink per sweep
DONE = 1e-9  # last move of any probability
MAX_SWEEPS = 40


class Sweeps(NamedTuple):
    """Where mutual answers led.

    Attributes:
        policies: `[S, A_i]` per player.
        values: `[players, S]`, of the policies before the last answers.
        solved: whether they contracted fast all the way, to the end.
        sweeps: how many there were.
        contraction: largest factor by which a move shrank.
        residual: largest last move of a probability.
    """

    policies: list[Array]
    values: Array
    solved: bool
    sweeps: int
    contraction: float
    residual: float


def is_mild(game: MarkovGame, eps: Array) -> bool:
    """Whether answers can be computed at all this way, without overflow."""
    assert game.discount is not None
    span = max(float(r.max()) - float(r.min()) for r in game.rewards)
    return span < SAFE * float(eps.min()) * (1.0 - game.discount)


def answer_in_turn(game: MarkovGame, eps: Array, counted: bool) -> Sweeps:
    """Mutual answers of risk-neutral logit players, from uniform play.

    Args:
        game: a discounted game that `is_mild`.
        eps: noise of every player.
        counted: whether values count the entropy.
    """
    counts, states, players = game.num_actions, game.num_states, game.num_players
    # In units of each player's noise, and without the level of rewards, which policies do not see.
    rewards = np.array([r.ravel() for r in game.rewards])
    level = rewards.mean(axis=1, keepdims=True)
    noise = eps[:, None]
    rewards = (rewards - level) / noise
    shape = (states, *counts)
    orders = [(0, 1 + i, *(1 + j for j in range(players) if j != i)) for i in range(players)]
    policies = [np.full((states, count), 1.0 / count) for count in counts]
    entropies = np.zeros((players, states))
    law = np.full((states, rewards.shape[1] // states), states / rewards.shape[1])
    value_of, worth_of = _evaluation(game, rewards)
    values = np.zeros((players, states))
    moved, worst = np.inf, 0.0
    for sweep in range(1, MAX_SWEEPS + 1):
        values = value_of(law, entropies, values)
        worth = worth_of(values)
        worth += rewards
        for i in range(players):
            own = worth[i].reshape(shape).transpose(orders[i]).reshape(states, counts[i], -1)
            action = (own @ rivals_law(policies, i)[:, :, None])[:, :, 0]
            odds = np.exp(action)
            total = np.add.reduce(odds, axis=1, keepdims=True)
            policies[i] = odds / total
            if counted:
                entropies[i] = np.log(total[:, 0]) - (policies[i] * action).sum(axis=1)
        before, law = law, _joint(policies)
        last, moved = moved, float(np.abs(law - before).max())
        if sweep > 1:
            worst = max(worst, moved / last)
        if moved <= DONE or not worst <= CONTRACTION:
            break
    factor = 1.0 - (game.discount or 0.0)
    found = values * noise + level / factor
    return Sweeps(policies, found, moved <= DONE, sweep, worst, moved)


def _joint(policies: list[Array]) -> Array:
    """Law over joint actions, `[S, J]`."""
    law = policies[0]
    for policy in policies[1:]:
        law = (law[:, :, None] * policy[:, None]).reshape(len(policy), -1)
    return law


def _evaluation(
    game: MarkovGame, rewards: Array
) -> tuple[Callable[[Array, Array, Array], Array], Callable[[Array], Array]]:
    """Two functions: values of a joint law (given bonuses and a guess), and the discounted worth of values."""
    states, discount, players = game.num_states, game.discount, len(rewards)
    assert discount is not None
    split = rewards.reshape(players, states, -1)
    if game.is_sparse:
        lists = game.successors_at()

        def worth_of(values: Array) -> Array:
            return np.asarray(discount * lists.expected(values)).reshape(rewards.shape)

        def value_of(law: Array, bonus: Array, guess: Array) -> Array:
            """Some steps of GMRES are enough: the next sweep goes on from there."""
            worth = (worth_of(guess) + rewards).reshape(split.shape)
            short = (law * worth).sum(axis=2) + bonus - guess

            def image(flat: Array) -> Array:
                v = flat.reshape(guess.shape)
                return np.asarray(v - (law * worth_of(v).reshape(split.shape)).sum(axis=2)).ravel()

            return guess + gmres(image, short, 1e-4)

        return value_of, worth_of
    kernel = game.transitions_at().reshape(-1, states)
    # Rows (I - discount P, r) of every joint action: averaged over a law they are its evaluation equations.
    rows = np.empty((states, split.shape[2], states + players))
    np.multiply(game.transitions_at().reshape(states, -1, states), -discount, out=rows[:, :, :states])
    diagonal = np.arange(states)
    rows[diagonal, :, diagonal] += 1.0
    rows[:, :, states:] = split.transpose(1, 2, 0)
    transposed = kernel.T

    def value_exactly(law: Array, bonus: Array, guess: Array) -> Array:
        system = (law[:, None] @ rows)[:, 0]
        return np.asarray(np.linalg.solve(system[:, :states], system[:, states:] + bonus.T).T)

    return value_exactly, lambda values: (discount * values) @ transposed
