"""The quick way to a stationary logit equilibrium, where play responds mildly.

In every sweep the players answer each other in turn in all states, and values follow: by one step of value
iteration, and after every other sweep exactly, to what the policies are worth. Started from uniform play, it
is the Markov counterpart of `_leap`: the answer is taken for the principal branch only if every sweep moves
play far less than the one before, and is left to the path follower otherwise.
(benchmarks/markov_against_sgamesolver.py counts how often that was wrong on random games.)
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
DONE = 3e-11  # what the next sweep would still move
MAX_SWEEPS = 40


class Sweeps(NamedTuple):
    """Where mutual answers led.

    Attributes:
        policies: `[S, A_i]` per player.
        solved: whether they contracted fast all the way, to the end.
        sweeps: how many there were.
        contraction: largest factor by which a move shrank.
        residual: what the next sweep would still move, any probability.
    """

    policies: list[Array]
    solved: bool
    sweeps: int
    contraction: float
    residual: float


def is_mild(game: MarkovGame, spans: Array, eps: Array) -> bool:
    """Whether answers can be computed this way at all, without overflow.

    Args:
        game: a discounted game.
        spans: range of every player's rewards.
        eps: noise of every player.
    """
    assert game.discount is not None
    return bool((spans < SAFE * (1.0 - game.discount) * eps).all())


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
    rewards -= rewards.mean(axis=1, keepdims=True)
    rewards /= eps[:, None]
    joint = rewards.shape[1] // states
    orders = [(0, 1 + i, *(1 + j for j in range(players) if j != i)) for i in range(players)]
    shape = (states, *counts)
    policies = [np.full((states, count), 1.0 / count) for count in counts]
    law = np.full((states, joint), 1.0 / joint)
    entropies = np.zeros((players, states))
    value_of, worth_of = _evaluation(game, rewards)
    values = value_of(law, entropies, np.zeros((players, states)))
    moved, ratio, contraction = np.inf, 1.0, 0.0
    for sweep in range(1, MAX_SWEEPS + 1):
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
        change = law - before
        last, moved = moved, float(np.vdot(change, change)) ** 0.5
        before_last, ratio = ratio, moved / last if last else 0.0
        contraction = max(contraction, ratio)
        # Sweeps with exact values and without contract differently: count on the slower of the two.
        left = moved * max(ratio, before_last)
        if (left <= DONE and sweep > 1) or contraction > CONTRACTION:
            break
        if sweep % 2:
            # Where chance mixes well one step is as good as all of them.
            values = (worth.reshape(players, states, 1, joint) @ law[:, :, None])[:, :, 0, 0] + entropies
        else:
            values = value_of(law, entropies, values)
    return Sweeps(policies, contraction <= CONTRACTION and left <= DONE, sweep, contraction, left)


def _joint(policies: list[Array]) -> Array:
    """Law over joint actions, `[S, J]`."""
    law = policies[0]
    for policy in policies[1:]:
        law = (law[:, :, None] * policy[:, None]).reshape(len(policy), -1)
    return law


def _evaluation(
    game: MarkovGame, rewards: Array
) -> tuple[Callable[[Array, Array, Array], Array], Callable[[Array], Array]]:
    """Two functions: values of a joint law, given bonuses and a guess; and the discounted worth of values."""
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
    # numpy.linalg.solve is right, but takes longer than all the rest of a sweep of a small game.
    from scipy.linalg.lapack import dgesv

    kernel = game.transitions_at().reshape(states, -1, states)
    transposed = kernel.reshape(-1, states).T
    # Rows I - discount P of every joint action: averaged over a law they are its evaluation equations.
    rows = kernel * -discount
    diagonal = np.arange(states)
    rows[diagonal, :, diagonal] += 1.0
    gains = split.transpose(1, 2, 0).copy()

    def value_exactly(law: Array, bonus: Array, guess: Array) -> Array:
        average = law[:, None]
        *_, values, trouble = dgesv((average @ rows)[:, 0], (average @ gains)[:, 0] + bonus.T)
        assert trouble == 0  # I - discount P is strictly diagonally dominant
        return np.asarray(values.T)

    return value_exactly, lambda values: (discount * values) @ transposed
