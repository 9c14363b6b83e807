"""JAX environments of finitely many states as Markov games."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from equipoise.games import MarkovGame
from equipoise.games.exploration import Outcome, explore


def from_jax_environment(
    env: Any,
    num_actions: Sequence[int],
    *,
    discount: float | int | None = None,
    horizon: int | None = None,
    identify: Callable[[Any], Any] | None = None,
    samples: int = 1,
    seed: int = 0,
    max_states: int = 100_000,
) -> MarkovGame:
    """A JAX environment as a Markov game, by trying every joint action in every state.

    The environment has `agents`, `reset(key)` giving (observations, state), and `step(key, state, actions)`
    giving (observations, state, rewards, dones, infos), with one entry per agent in a dictionary, and
    `dones["__all__"]`, as in JaxMARL. Where there is also `step_env`, which does not start again by itself
    after the end, it is used.

    Args:
        env: the environment.
        num_actions: number of actions of every agent, in the order of `env.agents`.
        discount: factor on the future, in [0, 1). Give either this or `horizon`.
        horizon: number of moves.
        identify: from a state to an array, or a nested structure of arrays, that distinguishes states; the
            whole state by default. Leave out what does not matter, such as a clock. It must be traceable.
        samples: number of trials of every move and of first states; 1 where nothing is random. With more,
            probabilities are frequencies.
        seed: where random keys begin.
        max_states: most states to look for.

    Raises:
        TypeError: the object has no agents, reset or step.
        ValueError: the numbers of actions do not fit the agents, or there are too many states.
    """
    import jax

    if not all(hasattr(env, name) for name in ("agents", "reset", "step")):
        raise TypeError(
            f"env must have agents, reset and step, as JAX environments do; {type(env).__name__} has not"
        )
    agents = list(env.agents)
    if len(num_actions) != len(agents):
        raise ValueError(f"num_actions has {len(num_actions)} numbers; there are {len(agents)} agents")
    if samples < 1:
        raise ValueError(f"samples must be at least 1, got {samples}")
    advance = getattr(env, "step_env", env.step)
    tell = identify or (lambda state: state)
    joints = np.array(list(itertools.product(*map(range, num_actions))))
    keys = jax.random.split(jax.random.key(seed), samples)
    known: dict[Hashable, Any] = {}
    answers: dict[Hashable, list[list[Outcome]]] = {}

    def move(state: Any, joint: Any, key: Any) -> tuple[Any, ...]:
        actions = {agent: joint[i] for i, agent in enumerate(agents)}
        _, after, rewards, dones, _ = advance(key, state, actions)
        return after, tell(after), [rewards[agent] for agent in agents], dones["__all__"]

    # One compiled call tries all joint actions of a state, all samples of each.
    everything = jax.jit(jax.vmap(jax.vmap(move, (None, None, 0)), (None, 0, None)))

    def remember(state: Any, seen: Any) -> Hashable:
        key = tuple(tuple(np.asarray(leaf).ravel().tolist()) for leaf in jax.tree.leaves(seen))
        known.setdefault(key, state)
        return key

    def outcomes(state: Hashable, joint: tuple[int, ...]) -> list[Outcome]:
        if state not in answers:
            answers.clear()
            tried = jax.tree.map(np.asarray, everything(known[state], joints, keys))
            answers[state] = [merged(*jax.tree.map(lambda x: x[j], tried)) for j in range(len(joints))]  # noqa: B023
        return answers[state][int(np.ravel_multi_index(joint, tuple(num_actions)))]

    def merged(after: Any, seen: Any, rewards: Any, over: np.ndarray) -> list[Outcome]:
        """Samples of one joint action with the same next state and rewards as one outcome."""
        leaves = [*jax.tree.leaves(seen), *rewards, over]
        rows = np.concatenate([np.asarray(x, dtype=np.float64).reshape(samples, -1) for x in leaves], axis=1)
        _, first, count = np.unique(rows, axis=0, return_index=True, return_counts=True)
        return [
            (
                repeats / samples,
                None if over[k] else remember(*jax.tree.map(lambda x: x[k], (after, seen))),  # noqa: B023
                [reward[k] for reward in rewards],
            )
            for k, repeats in zip(first, count, strict=True)
        ]

    def begin(key: Any) -> tuple[Any, Any]:
        _, state = env.reset(key)
        return state, tell(state)

    states, seen = jax.tree.map(np.asarray, jax.jit(jax.vmap(begin))(keys))
    initial = {first: p for p, first, _ in merged(states, seen, [], np.zeros(samples, dtype=bool))}
    return explore(
        initial,
        outcomes,
        num_actions,
        discount=discount,
        horizon=horizon,
        max_states=max_states,
        name=lambda key: ", ".join(f"{number:g}" for leaf in key for number in leaf),
        title=str(getattr(env, "name", type(env).__name__)),
        player_names=[str(agent) for agent in agents],
    )
