"""A Markov game as a PettingZoo environment in which all agents move at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.spaces import Discrete
from gymnasium.utils import seeding
from pettingzoo import ParallelEnv

from equipoise.environments._sampler import Sampler
from equipoise.games import MarkovGame


class MarkovParallelEnv(ParallelEnv[str, int, int]):  # type: ignore[misc, unused-ignore]
    """A Markov game whose agents all see the number of the state.

    Play terminates for all at the horizon, and in a state that is never left and pays nothing.

    Attributes:
        game: the game.
        possible_agents, agents, metadata, render_mode: as in PettingZoo.
    """

    metadata = {"name": "equipoise_markov_game", "render_modes": ["ansi"], "render_fps": 4}  # noqa: RUF012

    def __init__(self, game: MarkovGame, render_mode: str | None = None):
        if render_mode not in (None, "ansi"):
            raise ValueError(f"render_mode must be 'ansi' or None, got {render_mode!r}")
        names = list(game.player_names)
        distinct = len(set(names)) == len(names)
        self.game = game
        self.render_mode = render_mode
        self.possible_agents = names if distinct else [f"player_{i + 1}" for i in range(len(names))]
        self.agents: list[str] = []
        # PettingZoo wants the same space every time, so that seeding it has an effect.
        self._observation_spaces = {agent: Discrete(game.num_states) for agent in self.possible_agents}
        self._action_spaces = {
            agent: Discrete(count)
            for agent, count in zip(self.possible_agents, game.num_actions, strict=True)
        }
        self._play = Sampler(game)
        self._rng: np.random.Generator | None = None

    def observation_space(self, agent: str) -> Discrete[Any]:
        """Numbers of states."""
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete[Any]:
        """Numbers of the agent's actions."""
        return self._action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
        """Draw a first state."""
        if seed is not None or self._rng is None:
            self._rng = seeding.np_random(seed)[0]
        self._play.reset(self._rng)
        self.agents = self.possible_agents[:]
        return self._seen(), self._infos()

    def step(self, actions: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        """Make a move: observations, rewards, terminations, truncations, infos."""
        if self._rng is None or not self.agents:
            raise RuntimeError("play is over or has not begun; call reset() first")
        joint = [int(actions[agent]) for agent in self.agents]
        rewards, over = self._play.step(joint, self._rng)
        agents = self.agents
        result = (
            self._seen(),
            {agent: float(reward) for agent, reward in zip(agents, rewards, strict=True)},
            dict.fromkeys(agents, over),
            dict.fromkeys(agents, False),
            self._infos(),
        )
        if over:
            self.agents = []
        return result

    def state(self) -> np.ndarray:
        """The number of the state, in an array."""
        return np.array([self._play.state])

    def render(self) -> str | None:
        """The present state as text, in render mode "ansi"."""
        return self._play.draw() if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Nothing to release."""

    def _seen(self) -> dict[str, int]:
        return dict.fromkeys(self.agents, self._play.state)

    def _infos(self) -> dict[str, dict[str, Any]]:
        name = self.game.state_names[self._play.state]
        return {agent: {"move": self._play.move, "state": name} for agent in self.agents}
