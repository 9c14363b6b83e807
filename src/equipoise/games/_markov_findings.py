"""What is worth knowing about a Markov game: states never reached, never left or not visited again."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from equipoise.games.markov import MarkovGame

_NAMED = 5


def markov_findings(game: MarkovGame) -> list[str]:
    """Sentences about states, actions and rewards that are often mistakes or make learning hard."""
    steps = range(1 if game.is_stationary or game.horizon is None else game.horizon)
    timed = game.transitions.ndim == game.num_players + 3
    graphs = [_graph(game, step) for step in (steps if timed else range(1))]
    reached = _reached(game, graphs)
    findings = []
    if not np.all(reached):
        findings.append(f"Never reached from the initial states: {_listed(game, ~reached)}.")
    absorbing = np.logical_and.reduce([_absorbing(graph) for graph in graphs])
    if np.any(absorbing & reached) and game.num_states > 1:
        findings.append(f"Absorbing, whatever is played: {_listed(game, absorbing & reached)}.")
    if game.horizon is None:
        findings += _recurrence(game, graphs[0], reached)
    return [*findings, *_constant_rewards(game), *_duplicates(game, steps)]


def _graph(game: MarkovGame, step: int) -> Any:
    """Which state can follow which, by any joint action, as a sparse matrix of ones."""
    from scipy.sparse import csr_array

    lists = game.successors_at(step)
    states = game.num_states
    possible = lists.probabilities.reshape(states, -1) > 0
    columns = lists.successors.reshape(states, -1)[possible]
    starts = np.concatenate([[0], np.cumsum(np.count_nonzero(possible, axis=1))])
    return csr_array((np.ones(len(columns), dtype=np.int8), columns, starts), shape=(states, states))


def _reached(game: MarkovGame, graphs: list[Any]) -> Bool[np.ndarray, " states"]:
    """Which states have positive probability at some move."""
    here = np.flatnonzero(game.initial > 0)
    reached = game.initial > 0
    moves = game.num_states if game.horizon is None else game.horizon - 1
    for step in range(moves):
        here = np.unique(graphs[step if len(graphs) > 1 else 0][here].indices)
        if len(graphs) == 1:
            here = here[~reached[here]]
            if not len(here):
                break
        reached[here] = True
    return reached


def _absorbing(graph: Any) -> Bool[np.ndarray, " states"]:
    """Which states only lead to themselves."""
    states = graph.shape[0]
    rows = np.repeat(np.arange(states), np.diff(graph.indptr))
    leaves = np.zeros(states, dtype=bool)
    leaves[rows[graph.indices != rows]] = True
    return ~leaves


def _recurrence(game: MarkovGame, graph: Any, reached: Bool[np.ndarray, " states"]) -> list[str]:
    """Whether one endless trajectory of uniform play keeps visiting all states that it can reach."""
    from scipy.sparse.csgraph import connected_components

    count, label = connected_components(graph, connection="strong")
    rows = np.repeat(np.arange(game.num_states), np.diff(graph.indptr))
    left = np.zeros(count, dtype=bool)
    left[label[rows[label[rows] != label[graph.indices]]]] = True
    closed = np.unique(label[reached & ~left[label]])
    if len(closed) > 1:
        return [
            f"Uniform play ends in one of {len(closed)} separate sets of states that are never left: a "
            "learner that follows one trajectory sees only one of them and needs restarts."
        ]
    passing = reached & (label != closed[0])
    if np.any(passing):
        return [
            f"Left for ever under uniform play: {_listed(game, passing)}; a learner that follows one "
            "trajectory needs restarts."
        ]
    period = _period(graph, int(np.flatnonzero(label == closed[0])[0]))
    if period > 1:
        return [f"States come round with period {period}: the law of the state does not converge."]
    return []


def _period(graph: Any, start: int) -> int:
    """Greatest common divisor of the lengths of all cycles of the closed set of states around `start`."""
    level = np.full(graph.shape[0], -1)
    level[start] = 0
    here: Int[np.ndarray, " _"] = np.array([start])
    depth = 0
    while len(here):
        depth += 1
        here = np.unique(graph[here].indices)
        here = here[level[here] < 0]
        level[here] = depth
    rows = np.repeat(np.arange(graph.shape[0]), np.diff(graph.indptr))
    inside = level[rows] >= 0
    return int(np.gcd.reduce(np.abs(level[rows[inside]] + 1 - level[graph.indices[inside]])))


def _constant_rewards(game: MarkovGame) -> list[str]:
    findings = []
    for who, rewards in zip(game.player_names, game.rewards, strict=True):
        if rewards.size > 1 and np.ptp(rewards) == 0:
            findings.append(f"{who} gets {rewards.flat[0]:g} at every move, whatever happens.")
    return findings


def _duplicates(game: MarkovGame, steps: range) -> list[str]:
    findings = []
    for i, count in enumerate(game.num_actions):
        for a, b in itertools.combinations(range(count), 2):
            if all(_same(game, step, i, a, b) for step in steps):
                first, second = (repr(game.action_names[i][k]) for k in (a, b))
                who = game.player_names[i]
                findings.append(f"Actions {first} and {second} of {who} are duplicates in every state.")
    return findings


def _same(game: MarkovGame, step: int, player: int, a: int, b: int) -> bool:
    rewards, lists = game.rewards_at(step), game.successors_at(step)
    return all(
        np.array_equal(np.take(array, a, axis=axis), np.take(array, b, axis=axis))
        for array, axis in (
            (rewards, player + 2),
            (lists.probabilities, player + 1),
            (lists.successors, player + 1),
        )
    )


def _listed(game: MarkovGame, which: Bool[np.ndarray, " states"]) -> str:
    names = [game.state_names[s] for s in np.flatnonzero(which)]
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest
