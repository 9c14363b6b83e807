"""Games that can only be sampled: a simulator that answers for any state and joint action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class GenerativeModel:
    """A Markov game with a horizon, given by a function that samples it anywhere (a generative model).

    Nothing of the size of all joint actions is ever stored, so that many players are no obstacle.

    Attributes:
        sample: from (parameters, key, step, state, actions `[n]`) to the next state and the rewards `[n]`; a
            pure function that JAX can trace.
        num_states: number of states S.
        num_actions: number of actions of every player.
        horizon: number of moves H.
        parameters: arrays that `sample` reads (a PyTree); they identify the game.
        reward_range: smallest and largest reward there can be.
        title: what it is called.

    Raises:
        ValueError: a number is out of range.
    """

    sample: Callable[[Any, Any, Any, Any, Any], tuple[Any, Any]]
    num_states: int
    num_actions: tuple[int, ...]
    horizon: int
    parameters: Any = ()
    reward_range: tuple[float | int, float | int] = (0.0, 1.0)
    title: str = ""

    def __post_init__(self) -> None:
        for name, value in (("num_states", self.num_states), ("horizon", self.horizon)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if not self.num_actions or min(self.num_actions) < 1:
            raise ValueError(f"num_actions must have at least 1 for every player, got {self.num_actions}")
        low, high = self.reward_range
        if not (np.isfinite(low) and np.isfinite(high) and low <= high):
            raise ValueError(f"reward_range must be two finite numbers in order, got {self.reward_range}")

    @property
    def num_players(self) -> int:
        """Number of players n."""
        return len(self.num_actions)
