"""Finite Gymnasium environments as Markov games of one player, and back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import gymnasium
import numpy as np

from equipoise.environments._sampler import Sampler
from equipoise.games import GridMap, MarkovGame
from equipoise.games._checks import Numbers
from equipoise.games.exploration import successor_lists

_ACTIONS = {
    "FrozenLakeEnv": ("left", "down", "right", "up"),
    "CliffWalkingEnv": ("up", "right", "down", "left"),
    "TaxiEnv": ("south", "north", "east", "west", "pick up", "drop off"),
}
_DIRECTIONS = {"left": (0, -1), "down": (1, 0), "right": (0, 1), "up": (-1, 0)}


def from_gymnasium(
    env: gymnasium.Env[Any, Any],
    *,
    discount: float | int | None = None,
    horizon: int | None = None,
    initial: Numbers = None,
) -> MarkovGame:
    """A Gymnasium environment that publishes its transitions, as a Markov game of one player.

    The environment, or what it wraps, must have `P[state][action]`, a list of (probability, next state,
    reward, terminated), as FrozenLake, CliffWalking, Taxi and others of the "toy text" kind have.

    Args:
        env: the environment. Its wrappers, a time limit too, are left out.
        discount: factor on the future, in [0, 1). Give either this or `horizon`.
        horizon: number of moves.
        initial: law of the first state; the environment's `initial_state_distrib` by default.

    Returns:
        The game, states and actions numbered as in the environment. Where termination leads is an absorbing
        state that pays nothing; only if it can also be reached without termination, a further state "end"
        stands for it. Rewards are expected rewards. FrozenLake and CliffWalking get their map.

    Raises:
        TypeError: the environment does not publish its transitions.
        ValueError: neither or both of discount and horizon are given, or the first state is not known.
    """
    inner = env.unwrapped
    table = getattr(inner, "P", None)
    if not isinstance(table, Mapping) or not table:
        raise TypeError(
            f"{type(inner).__name__} has no table P[state][action] of its transitions; of environments with "
            "several agents from_pettingzoo and from_jax_environment find the states"
        )
    if discount is None and horizon is None:
        limit = None if env.spec is None else env.spec.max_episode_steps
        hint = f" (the environment's own time limit is {limit} steps)" if limit else ""
        raise ValueError(f"give discount or horizon{hint}")
    states, actions = len(table), len(table[0])
    law = getattr(inner, "initial_state_distrib", None) if initial is None else initial
    if law is None:
        raise ValueError(f"{type(inner).__name__} does not tell its first state; give initial, [{states}]")
    law = np.asarray(law, dtype=np.float64)
    final = {
        int(t) for row in table.values() for outs in row.values() for p, t, _, over in outs if over and p
    }
    extra = not _only_by_termination(table, np.flatnonzero(law > 0), final)
    laws: list[dict[int, float]] = []
    rewards = np.zeros((states + extra, actions))
    for s in range(states):
        for a in range(actions):
            chances: dict[int, float] = {}
            if s in final and not extra:
                laws.append({s: 1.0})
                continue
            for p, after, reward, over in table[s][a]:
                target = -1 if over and extra else int(after)
                chances[target] = chances.get(target, 0.0) + float(p)
                rewards[s, a] += float(p) * float(reward)
            laws.append(chances)
    laws += [{-1: 1.0}] * (actions * extra)
    kind = type(inner).__name__
    names = _ACTIONS.get(kind)
    layout = _layout(inner, names)
    return MarkovGame(
        successor_lists(laws, (states + extra, actions)),
        rewards[None],
        discount=discount,
        horizon=horizon,
        initial=np.append(law, 0.0) if extra else law,
        title=kind.removesuffix("Env") if env.spec is None else env.spec.id,
        player_names=["Agent"],
        action_names=None if names is None else [names],
        state_names=[*map(str, range(states)), "end"] if extra else [str(s) for s in range(states)],
        layout=layout if not extra else None,
    )


def _only_by_termination(table: Mapping[int, Any], first: np.ndarray, final: set[int]) -> bool:
    """Whether play from the first states enters final states only when it terminates."""
    seen = {int(s) for s in first}
    queue = list(seen)
    if seen & final:
        return False
    for s in queue:
        for outs in table[s].values():
            for p, after, _, over in outs:
                t = int(after)
                if not p or over:
                    continue
                if t in final:
                    return False
                if t not in seen:
                    seen.add(t)
                    queue.append(t)
    return True


def _layout(inner: Any, names: tuple[str, ...] | None) -> GridMap | None:
    if hasattr(inner, "desc") and names is not None and set(names) == set(_DIRECTIONS):
        rows = ["".join(cell.decode() for cell in row) for row in inner.desc]
    elif hasattr(inner, "_cliff") and names is not None:
        rows = ["".join("x" if cell else "." for cell in row) for row in inner._cliff]
    else:
        return None
    cells = np.arange(len(rows) * len(rows[0]))
    return GridMap(rows, cells[:, None], [_DIRECTIONS[name] for name in names])


class MarkovEnv(gymnasium.Env[Any, Any]):
    """A Markov game of one player as a Gymnasium environment.

    Observations are numbers of states, actions numbers of actions. An episode terminates at the horizon,
    and in a state that is never left and pays nothing. A discount is not applied to rewards; that is the
    learner's part. `render()` gives text.

    Attributes:
        game: the game.
        metadata, render_mode, observation_space, action_space: as in Gymnasium.
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 4}  # noqa: RUF012

    def __init__(self, game: MarkovGame, render_mode: str | None = None):
        """Make an environment.

        Args:
            game: a game of one player.
            render_mode: "ansi" or None.

        Raises:
            ValueError: the game has more players, or there is no such render mode.
        """
        if game.num_players != 1:
            raise ValueError(
                f"a Gymnasium environment has one player, this game has {game.num_players}; use to_pettingzoo"
            )
        if render_mode not in (None, "ansi"):
            raise ValueError(f"render_mode must be 'ansi' or None, got {render_mode!r}")
        self.game = game
        self.render_mode = render_mode
        self.observation_space = gymnasium.spaces.Discrete(game.num_states)
        self.action_space = gymnasium.spaces.Discrete(game.num_actions[0])
        self._play = Sampler(game)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Draw a first state.

        Args:
            seed: of the environment's random numbers, which go on where they are by default.
            options: none are known.
        """
        super().reset(seed=seed)
        self._play.reset(self.np_random)
        return self._play.state, self._info()

    def step(self, action: Any) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Make a move: next state, reward, whether play is over, False, and the state's name."""
        rewards, over = self._play.step((int(action),), self.np_random)
        return self._play.state, float(rewards[0]), over, False, self._info()

    def render(self) -> str | None:
        """The present state as text, in render mode "ansi"."""
        return self._play.draw() if self.render_mode == "ansi" else None

    @cached_property
    def P(self) -> dict[int, dict[int, list[tuple[float, int, float, bool]]]]:  # noqa: N802
        """Transitions as the toy-text environments give them; of a stationary game."""
        if not self.game.is_stationary:
            raise ValueError("a game that depends on time has no single table of transitions")
        lists, rewards = self.game.successors_at(), self.game.rewards[0]
        final = self._play.final
        return {
            s: {
                a: [
                    (float(p), int(t), float(rewards[s, a]), bool(final[t]))
                    for p, t in zip(lists.probabilities[s, a], lists.successors[s, a], strict=True)
                    if p > 0
                ]
                for a in range(self.game.num_actions[0])
            }
            for s in range(self.game.num_states)
        }

    @property
    def initial_state_distrib(self) -> np.ndarray:
        """Law of the first state, as the toy-text environments give it."""
        return self.game.initial

    def _info(self) -> dict[str, Any]:
        return {"move": self._play.move, "state": self.game.state_names[self._play.state]}


def to_gymnasium(game: MarkovGame, render_mode: str | None = None) -> MarkovEnv:
    """A Markov game of one player as a Gymnasium environment.

    Args:
        game: a game of one player.
        render_mode: "ansi" for text, or None.

    Raises:
        ValueError: the game has more players, or there is no such render mode.
    """
    return MarkovEnv(game, render_mode)
