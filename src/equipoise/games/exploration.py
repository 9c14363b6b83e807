"""A Markov game from rules: all states that play can reach, found by trying every joint action."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from equipoise.games.markov import MarkovGame
from equipoise.games.successors import SuccessorLists

Outcome: TypeAlias = tuple[Any, Hashable, Sequence[Any]]
"""Probability, next state (None where play ends), and one reward per player."""

_ROUNDING = 1e-6


def explore(
    initial: Mapping[Hashable, float],
    outcomes: Callable[[Hashable, tuple[int, ...]], Iterable[Outcome]],
    num_actions: Sequence[int],
    *,
    discount: float | int | None = None,
    horizon: int | None = None,
    max_states: int = 100_000,
    name: Callable[[Any], str] = str,
    title: str = "",
    player_names: Sequence[str] | None = None,
    action_names: Sequence[Sequence[str]] | None = None,
) -> MarkovGame:
    """The Markov game of some rules: states are found by trying all joint actions from the first ones.

    Args:
        initial: probability of every first state. A state is anything hashable but None.
        outcomes: from a state and a joint action to what may follow, each with its probability; the next
            state None ends play.
        num_actions: number of actions of every player.
        discount: factor on the future, in [0, 1). Give either this or `horizon`.
        horizon: number of moves.
        max_states: most states to look for.
        name: from a state to its name.
        title: what the game is called.
        player_names: one name per player.
        action_names: names of every player's actions.

    Returns:
        The game with successor lists. States are numbered in the order in which they were found; if play
        can end, the last one is the end, which is absorbing and pays nothing.

    Raises:
        ValueError: there are more than `max_states` states, or probabilities do not sum to one.
    """
    if not initial:
        raise ValueError("initial is empty; there must be a first state")
    counts = tuple(int(count) for count in num_actions)
    joints = list(itertools.product(*map(range, counts)))
    number: dict[Hashable, int] = {state: k for k, state in enumerate(initial)}
    queue = list(initial)
    laws: list[dict[int, float]] = []
    rewards: list[np.ndarray] = []
    for state in queue:
        for joint in joints:
            law: dict[int, float] = {}
            paid = np.zeros(len(counts))
            for probability, after, pay in outcomes(state, joint):
                if after is not None and after not in number:
                    if len(number) == max_states:
                        raise ValueError(
                            f"there are more than {max_states} states, the last found {name(after)!r}; leave "
                            "out of the state what does not matter (such as a clock), or raise max_states"
                        )
                    number[after] = len(queue)
                    queue.append(after)
                target = -1 if after is None else number[after]
                law[target] = law.get(target, 0.0) + float(probability)
                paid += float(probability) * np.asarray(pay, dtype=np.float64)
            total = sum(law.values())
            if abs(total - 1.0) > _ROUNDING:
                raise ValueError(
                    f"outcomes of state {name(state)!r}, joint action {joint} have probabilities that sum to "
                    f"{total}"
                )
            laws.append({target: p / total for target, p in law.items()})
            rewards.append(paid)
    ends = any(-1 in law for law in laws)
    if ends:
        laws += [{-1: 1.0}] * len(joints)
        rewards += [np.zeros(len(counts))] * len(joints)
    states = len(queue) + ends
    shape = (states, *counts)
    start = np.zeros(states)
    start[: len(initial)] = list(initial.values())
    return MarkovGame(
        successor_lists(laws, shape),
        np.stack(rewards, axis=1).reshape(len(counts), *shape),
        discount=discount,
        horizon=horizon,
        initial=start,
        title=title,
        player_names=player_names,
        action_names=action_names,
        state_names=[*map(name, queue), "end"] if ends else [name(state) for state in queue],
    )


def successor_lists(laws: Sequence[Mapping[int, float]], shape: tuple[int, ...]) -> SuccessorLists:
    """Successor lists from one law per state and joint action.

    Args:
        laws: probability of every next state, states and joint actions in row-major order; -1 is the last.
        shape: `(S, A_1, ..., A_n)`.
    """
    length = max(map(len, laws))
    successors = np.zeros((len(laws), length), dtype=np.int32)
    probabilities = np.zeros((len(laws), length))
    for row, law in enumerate(laws):
        successors[row, : len(law)] = [target % shape[0] for target in law]
        probabilities[row, : len(law)] = list(law.values())
    return SuccessorLists(successors.reshape(*shape, length), probabilities.reshape(*shape, length))
