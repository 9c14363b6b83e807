"""One player's smoothed best response dynamics, from its own payoffs only."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple

from equipoise.learning.tabular._uncoupled import Sight


class StepSizeWarning(UserWarning):
    """Step sizes are outside what the convergence theorems ask for."""


@dataclass(frozen=True)
class StepSizes:
    """Step sizes `alpha_k = step_size/(k + delay)^decay` of estimates, and `beta_k = ratio alpha_k` of play.

    Attributes:
        ratio: c in (0, 1). Theory asks for a tiny one (`theory_ratio`); 0.02 to 0.1 works.
        step_size: alpha; by default 4/ratio where decay is 1, and 0.1 where it is 0.
        delay: h; by default 2 step_size where decay is 1, the least that theory allows where it is between, 0
            where it is 0.
        decay: z in [0, 1]; 1 for steps of the size 1/k, 0 for constant ones.
        per_visit: count k by visits to the state and action, for estimates; by moves in the paper.

    Raises:
        ValueError: a number is out of range, or the first step would be 1 or more.

    Warns:
        StepSizeWarning: with decay 1, ratio times step_size is 2 or less, where the rate is not proved.
    """

    ratio: float | int = 0.05
    step_size: float | int | None = None
    delay: float | int | None = None
    decay: float | int = 1.0
    per_visit: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.ratio < 1:
            raise ValueError(f"ratio must be between 0 and 1, got {self.ratio}")
        if not 0 <= self.decay <= 1:
            raise ValueError(f"decay must be from 0 (constant steps) to 1, got {self.decay}")
        if self.step_size is None and 0 < self.decay < 1:
            raise ValueError(
                f"step_size must be given where decay is {self.decay}; for example step_size=1.0"
            )
        if self.step_size is not None and not self.step_size > 0:
            raise ValueError(f"step_size must be positive, got {self.step_size}")
        if self.delay is not None and not self.delay >= 0:
            raise ValueError(f"delay must not be negative, got {self.delay}")
        alpha, h = self.numbers
        first = math.inf if h == 0 and self.decay > 0 else alpha / (h**self.decay if self.decay else 1.0)
        if not first < 1:
            raise ValueError(
                f"the first step, step_size/delay^decay = {first:g}, must be below 1; raise delay (now "
                f"{h:g}) or lower step_size (now {alpha:g})"
            )
        if self.decay == 1 and not self.ratio * alpha > 2:
            warnings.warn(
                f"ratio times step_size is {self.ratio * alpha:g}; the 1/k rate needs more than 2, for "
                f"example step_size = 4/ratio = {4 / self.ratio:g} with delay {8 / self.ratio:g}",
                StepSizeWarning,
                stacklevel=3,
            )

    @property
    def numbers(self) -> tuple[float, float]:
        """Step size alpha and delay h, defaults filled in."""
        alpha = self.step_size
        if alpha is None:
            alpha = 4.0 / self.ratio if self.decay == 1 else 0.1
        if self.delay is not None:
            return float(alpha), float(self.delay)
        if self.decay == 1:
            return float(alpha), 2.0 * alpha
        if self.decay == 0:
            return float(alpha), 0.0
        least = (4.0 * self.decay / (self.ratio * alpha)) ** (1.0 / (1.0 - self.decay))
        # The first step must also be below one.
        return float(alpha), max(least, (2.0 * alpha) ** (1.0 / self.decay))


class Memory(NamedTuple):
    """What one player remembers.

    Attributes:
        strategy: the policy it plays by, `[S, A]`.
        estimates: q, `[S, A]`.
        values: what it takes the future to be worth, v, `[S]`.
        discount: factor on the future.
        clock: moves since step sizes started.
        epoch: how often noise and exploration were halved.
        average: mean of the policies since step sizes started, `[S, A]`.
        visits: how often it took each action, `[S, A]`, since the estimates started.
        start_weight: the weight that each estimate still gives to where it started, `[S, A]`.
        least: the smallest probability it ever played with.
        largest: the largest estimate in size it ever held.
    """

    strategy: Any
    estimates: Any
    values: Any
    discount: Any
    clock: Any
    epoch: Any
    average: Any
    visits: Any
    start_weight: Any
    least: Any
    largest: Any


class SmoothedPlayer(NamedTuple):
    """Smoothed best response with payoff-based estimates; all numbers may be arrays that are batched over.

    Attributes:
        noise: eps.
        exploration: zeta; the share of uniform play that is mixed into the response.
        ratio, step, delay, decay: c, alpha, h, z of the step sizes.
        per_visit: 1 to count estimates' steps by visits, 0 by moves.
        clip: largest importance weight 1/pi on an estimate's step; 0 for none, as in the paper.
        epoch: moves until noise and exploration are first halved; 0 for never.
        growth: factor on the length of every next epoch.
    """

    noise: Any
    exploration: Any = 0.0
    ratio: Any = 0.05
    step: Any = 80.0
    delay: Any = 160.0
    decay: Any = 1.0
    per_visit: Any = 0.0
    clip: Any = 0.0
    epoch: Any = 0.0
    growth: Any = 4.0

    def begin(self, states: int, actions: int, discount: Any) -> Memory:
        """Zero estimates, uniform play."""
        import jax.numpy as jnp

        zeros = jnp.zeros((states, actions))
        one, none = jnp.ones(()), jnp.zeros(())
        return Memory(
            zeros + 1.0 / actions,
            zeros,
            jnp.zeros(states),
            discount * one,
            none,
            none,
            zeros + 1.0 / actions,
            zeros,
            zeros + 1.0,
            one / actions,
            none,
        )

    def again(self, memory: Memory, epoch: Any) -> Memory:
        """Start the estimates over, with the values of the policy just learnt: v(s) = pi(s)'q(s)."""
        states, actions = memory.strategy.shape
        fresh = self.begin(states, actions, memory.discount)
        return fresh._replace(values=(memory.strategy * memory.estimates).sum(-1), epoch=epoch + fresh.epoch)

    def intend(self, memory: Memory) -> Memory:
        """Move play at all states towards the smoothed best response to the estimates."""
        import jax
        import jax.numpy as jnp

        due = (self.epoch > 0) & (memory.clock >= self.epoch * self.growth**memory.epoch)
        epoch = memory.epoch + due
        clock = jnp.where(due, 0.0, memory.clock)
        share = self.exploration * 0.5**epoch
        response = jax.nn.softmax(memory.estimates / (self.noise * 0.5**epoch), axis=-1)
        target = (1.0 - share) * response + share / response.shape[-1]
        strategy = memory.strategy + self.ratio * self._step(clock) * (target - memory.strategy)
        return memory._replace(
            strategy=strategy,
            clock=clock,
            epoch=epoch,
            average=memory.average + (strategy - memory.average) / (clock + 1.0),
            least=jnp.minimum(memory.least, strategy.min()),
        )

    def law(self, memory: Memory, state: Any) -> Any:
        """Its probabilities in a state."""
        return memory.strategy[state]

    def learn(self, memory: Memory, sight: Sight) -> Memory:
        """Move the one estimate that was tried towards what came of it."""
        import jax.numpy as jnp

        states, actions = memory.estimates.shape
        tried = (jnp.arange(states)[:, None] == sight.state) & (jnp.arange(actions) == sight.action)
        count = jnp.where(self.per_visit > 0, memory.visits, memory.clock)
        weight = jnp.where(self.clip > 0, jnp.minimum(1.0 / memory.strategy, self.clip), 1.0)
        pace = jnp.where(tried, jnp.minimum(self._step(count) * weight, 1.0), 0.0)
        worth = sight.reward + memory.discount * memory.values[sight.next_state]
        estimates = memory.estimates + pace * (worth - memory.estimates)
        return memory._replace(
            estimates=estimates,
            clock=memory.clock + 1.0,
            visits=memory.visits + tried,
            start_weight=memory.start_weight * (1.0 - pace),
            largest=jnp.maximum(memory.largest, jnp.abs(estimates).max()),
        )

    def _step(self, count: Any) -> Any:
        return self.step / (count + self.delay) ** self.decay
