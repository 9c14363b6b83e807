"""PettingZoo environments of finitely many states as Markov games, and back."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Iterator
from importlib import import_module
from typing import Any

import numpy as np

from equipoise.games import MarkovGame
from equipoise.games.exploration import Outcome, explore


def from_pettingzoo(
    env: Any,
    *,
    discount: float | int | None = None,
    horizon: int | None = None,
    identify: Callable[[Any], Hashable] | None = None,
    reseed: Callable[[Any, int], None] | None = None,
    samples: int = 1,
    seed: int = 0,
    max_states: int = 100_000,
) -> MarkovGame:
    """A PettingZoo parallel environment as a Markov game, by trying every joint action in every state.

    The environment is copied with `copy.deepcopy` to come back to a state. Agents that have left before the
    others do nothing and get nothing.

    Args:
        env: a `ParallelEnv` whose agents have discrete actions (its wrapped AEC kind: convert it with
            `pettingzoo.utils.aec_to_parallel` first).
        discount: factor on the future, in [0, 1). Give either this or `horizon`.
        horizon: number of moves.
        identify: from the environment to what distinguishes its states, anything hashable; the numbers in
            `env.state()` by default. Leave out what does not matter, such as a clock.
        reseed: gives a copied environment new random numbers from a seed. Needed where moves or first states
            are random; then every move is tried `samples` times and probabilities are frequencies.
        samples: number of trials of every move, and of first states.
        seed: where seeds begin.
        max_states: most states to look for.

    Raises:
        TypeError: the object is no parallel environment, or an agent's actions are not discrete.
        ValueError: there are too many states, the environment's own time limit cut play short, or samples are
            asked for without `reseed`.
    """
    if not all(hasattr(env, name) for name in ("possible_agents", "reset", "step", "action_space")):
        raise TypeError(f"env must be a PettingZoo ParallelEnv, not {type(env).__name__}")
    if samples < 1 or (samples > 1 and reseed is None):
        raise ValueError(f"samples={samples} needs reseed, a function that gives a copy new random numbers")
    agents = list(env.possible_agents)
    counts = [_count(env.action_space(agent), agent) for agent in agents]
    known: dict[Hashable, Any] = {}
    names: dict[Hashable, str] = {}

    def remember(world: Any) -> Hashable:
        seen = _numbers(world) if identify is None else identify(world)
        key = (tuple(world.agents), seen)
        if key not in known:
            known[key] = world
            names[key] = ", ".join(map(str, seen)) if isinstance(seen, tuple) else str(seen)
        return key

    def outcomes(state: Hashable, joint: tuple[int, ...]) -> Iterator[Outcome]:
        for k in range(samples):
            world = copy.deepcopy(known[state])
            if reseed is not None:
                reseed(world, seed + k)
            moves = {agent: a for agent, a in zip(agents, joint, strict=True) if agent in world.agents}
            _, rewards, _, truncated, _ = world.step(moves)
            if any(truncated.values()):
                raise ValueError(
                    "the environment's own time limit cut play short; make it without one, or with one "
                    "longer than any path to a new state"
                )
            after = remember(world) if world.agents else None
            yield 1.0 / samples, after, [rewards.get(agent, 0.0) for agent in agents]

    initial: dict[Hashable, float] = {}
    for k in range(samples):
        world = copy.deepcopy(env)
        world.reset(seed=seed + k)
        first = remember(world)
        initial[first] = initial.get(first, 0.0) + 1.0 / samples
    return explore(
        initial,
        outcomes,
        counts,
        discount=discount,
        horizon=horizon,
        max_states=max_states,
        name=lambda key: names[key],
        title=str(getattr(env, "metadata", {}).get("name", type(env).__name__)),
        player_names=[str(agent) for agent in agents],
    )


def to_pettingzoo(game: MarkovGame, render_mode: str | None = None) -> Any:
    """A Markov game as a PettingZoo `ParallelEnv`.

    Every agent observes the number of the state; play terminates for all at the horizon, and in a state that
    is never left and pays nothing.

    Args:
        game: the game.
        render_mode: "ansi" for text, or None.

    Raises:
        ImportError: PettingZoo is not installed.
        ValueError: there is no such render mode.
    """
    try:
        module = import_module("equipoise.environments._parallel_env")
    except ModuleNotFoundError as error:
        if error.name != "pettingzoo":
            raise
        raise ImportError(
            "this needs PettingZoo; install it with: pip install 'equipoise[environments]'"
        ) from error
    return module.MarkovParallelEnv(game, render_mode)


def _count(space: Any, agent: Any) -> int:
    if not hasattr(space, "n") or int(getattr(space, "start", 0)) != 0:
        raise TypeError(f"agent {agent!r} has actions {space}; they must be Discrete, numbered from 0")
    return int(space.n)


def _numbers(world: Any) -> Hashable:
    try:
        state = np.asarray(world.state())
    except (NotImplementedError, AttributeError):
        raise ValueError(
            "the environment does not tell its state; give identify, a function from the environment to what "
            "distinguishes its states"
        ) from None
    return tuple(state.ravel().tolist())
