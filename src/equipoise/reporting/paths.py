"""Which way policies lead: the most likely path, and the path of the most likely actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

if TYPE_CHECKING:
    from equipoise.equilibria import MarkovSolution

STEPS = 50  # of a path in a discounted game, which has no last step


@dataclass(frozen=True, eq=False)
class Path:
    """A sequence of states.

    Attributes:
        states: from the start on, `[steps + 1]`.
        probability: of exactly this sequence, from its start.
    """

    states: Int[np.ndarray, " steps"]
    probability: float


def policies_at(solution: MarkovSolution, step: int = 0) -> tuple[Float[np.ndarray, "states _"], ...]:
    """Every player's policy of one step, `[S, A_i]`; a stationary policy at any step."""
    if solution.game.horizon is None:
        return tuple(solution.strategies)
    return tuple(policy[step] for policy in solution.strategies)


def joint_policy(solution: MarkovSolution, step: int = 0) -> Float[np.ndarray, "states joint"]:
    """Law over joint actions of one step, flat, `[S, A_1 * ... * A_n]`."""
    states = solution.game.num_states
    if solution.joint is not None:
        law = solution.joint if solution.game.horizon is None else solution.joint[step]
        return law.reshape(states, -1)
    joint = np.ones((states, 1))
    for policy in policies_at(solution, step):
        joint = (joint[:, :, None] * policy[:, None, :]).reshape(states, -1)
    return joint


def chain(solution: MarkovSolution, step: int = 0) -> Any:
    """Law of the next state under the policies, a sparse matrix `[S, S]`."""
    from scipy.sparse import csr_array

    game = solution.game
    lists = game.successors_at(step)
    length = lists.successors.shape[-1]
    weights = joint_policy(solution, step).reshape(-1, 1) * lists.probabilities.reshape(-1, length)
    width = weights.size // game.num_states
    starts = np.arange(0, weights.size + 1, width)
    shape = (game.num_states, game.num_states)
    moves = csr_array((weights.ravel(), lists.successors.ravel(), starts), shape=shape)
    moves.sum_duplicates()
    moves.eliminate_zeros()
    return moves


def likely_start(solution: MarkovSolution) -> int:
    """The most likely first state."""
    return int(np.argmax(solution.game.initial))


def likely_path(solution: MarkovSolution, start: int | None = None, steps: int | None = None) -> Path:
    """The single most likely sequence of states under the policies (Viterbi's algorithm).

    It need not follow the most likely action of every step: a chain of probable moves can lose to a detour.

    Args:
        solution: policies of a Markov game.
        start: the first state; the most likely one by default.
        steps: how many moves; the horizon, or 50 in a discounted game, by default.
    """
    start = likely_start(solution) if start is None else start
    count = _steps(solution, steps)
    score = np.full(solution.game.num_states, -np.inf)
    score[start] = 0.0
    origins = []
    moves = None
    for step in range(count):
        if moves is None or solution.game.horizon is not None:
            moves = chain(solution, step).tocsc()
        score, origin = _best_origin(moves, score)
        origins.append(origin)
    state = int(np.argmax(score))
    probability = float(np.exp(score[state]))
    states = [state]
    for origin in reversed(origins):
        state = int(origin[state])
        states.append(state)
    return Path(np.array(states[::-1]), probability)


def greedy_path(solution: MarkovSolution, start: int | None = None, steps: int | None = None) -> Path:
    """Everybody's most likely action at every step, followed by its most likely outcome.

    This is how the authors of the cliff walk draw paths; it is in general not the most likely path.

    Args:
        solution: policies of a Markov game.
        start: the first state; the most likely one by default.
        steps: how many moves, as in `likely_path`.
    """
    state = likely_start(solution) if start is None else start
    states, log_probability = [state], 0.0
    for step in range(_steps(solution, steps)):
        actions = tuple(int(np.argmax(policy[state])) for policy in policies_at(solution, step))
        lists = solution.game.successors_at(step)
        law = np.zeros(solution.game.num_states)
        np.add.at(law, lists.successors[(state, *actions)], lists.probabilities[(state, *actions)])
        new = int(np.argmax(law))
        row = chain(solution, step)[[state]].toarray()[0]
        log_probability += float(np.log(max(row[new], np.finfo(float).tiny)))
        state = new
        states.append(state)
    return Path(np.array(states), float(np.exp(log_probability)))


def _steps(solution: MarkovSolution, steps: int | None) -> int:
    horizon = solution.game.horizon
    if steps is None:
        return STEPS if horizon is None else horizon
    if steps < 1 or (horizon is not None and steps > horizon):
        most = "" if horizon is None else f" and at most the horizon {horizon}"
        raise ValueError(f"steps must be at least 1{most}, got {steps}")
    return steps


def _best_origin(
    moves: Any, score: Float[np.ndarray, " states"]
) -> tuple[Float[np.ndarray, " states"], Int[np.ndarray, " states"]]:
    """For every next state the best way to reach it: logarithm of its probability, and where from."""
    with np.errstate(divide="ignore"):
        reached = score[moves.indices] + np.log(moves.data)
    filled = np.flatnonzero(np.diff(moves.indptr))
    best, origin = np.full(len(score), -np.inf), np.zeros(len(score), int)
    begins = moves.indptr[filled]
    best[filled] = np.maximum.reduceat(reached, begins)
    # The first entry of every column that attains its maximum.
    hits = np.flatnonzero(reached == np.repeat(best[filled], np.diff(moves.indptr)[filled]))
    columns = np.repeat(filled, np.diff(moves.indptr)[filled])[hits]
    origin[columns[::-1]] = moves.indices[hits[::-1]]
    return best, origin
