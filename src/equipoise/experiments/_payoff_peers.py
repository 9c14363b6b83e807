"""Independent players to compare smoothed best responses with: Exp3-IX, Q-learning, a fixed policy."""

from __future__ import annotations

from typing import Any, NamedTuple

from equipoise.learning.tabular._uncoupled import Sight


class Record(NamedTuple):
    """What such a player remembers.

    Attributes:
        strategy: what it plays, `[S, A]`.
        average: mean of its strategies so far, `[S, A]`.
        estimates: what it thinks of its actions, `[S, A]`.
        visits: how often it took them, `[S, A]`.
        clock: moves made.
        discount: factor on the future.
    """

    strategy: Any
    average: Any
    estimates: Any
    visits: Any
    clock: Any
    discount: Any


class Peer:
    """What these players have in common."""

    def begin(self, states: int, actions: int, discount: Any) -> Record:
        """Uniform play, estimates 0."""
        import jax.numpy as jnp

        zeros, even = jnp.zeros((states, actions)), jnp.full((states, actions), 1.0 / actions)
        return Record(even, even, zeros, zeros, jnp.zeros(()), discount * jnp.ones(()))

    def law(self, memory: Record, state: Any) -> Any:
        """Its probabilities in a state."""
        return memory.strategy[state]


class _Fixed(NamedTuple):
    policy: Any


class FixedPlayer(Peer, _Fixed):
    """Plays one policy `[S, A]` for ever."""

    def begin(self, states: int, actions: int, discount: Any) -> Record:
        """Its policy."""
        import jax.numpy as jnp

        policy = jnp.asarray(self.policy)
        return super().begin(states, actions, discount)._replace(strategy=policy, average=policy)

    def intend(self, memory: Record) -> Record:
        """Nothing to do."""
        return memory

    def again(self, memory: Record, epoch: Any) -> Record:
        """A new round changes nothing."""
        return memory

    def learn(self, memory: Record, sight: Sight) -> Record:
        """It only counts moves."""
        return memory._replace(clock=memory.clock + 1.0)


class _Exponential(NamedTuple):
    largest: Any


class ExponentialPlayer(Peer, _Exponential):
    """Exp3-IX for rewards up to `largest` in size, with rates for an unknown number of moves.

    Source: Neu (2015), arXiv 1506.03271, "Explore no more: improved high-probability regret bounds for
    non-stochastic bandits".
    """

    def intend(self, memory: Record) -> Record:
        """Exponential weights; estimates are minus the estimated sums of losses."""
        import jax

        return _playing(memory, jax.nn.softmax(self._rate(memory) * memory.estimates, axis=-1))

    def learn(self, memory: Record, sight: Sight) -> Record:
        """Add the loss over the action's probability plus half the rate: implicit exploration."""
        cell = (sight.state, sight.action)
        loss = (self.largest - sight.reward) / (2.0 * self.largest)
        loss = loss / (memory.strategy[cell] + self._rate(memory) / 2.0)
        return _counted(memory, cell, memory.estimates.at[cell].add(-loss))

    def _rate(self, memory: Record) -> Any:
        import jax.numpy as jnp

        actions = memory.strategy.shape[-1]
        return jnp.sqrt(jnp.log(float(actions)) / (actions * (memory.clock + 1.0)))


class _Greedy(NamedTuple):
    exploration: Any
    decay: Any = 0.7


class GreedyPlayer(Peer, _Greedy):
    """Q-learning with epsilon-greedy play, which takes the other player for part of the world.

    Steps are `1/(visits + 1)^decay`.

    Source: Watkins (1989).
    """

    def intend(self, memory: Record) -> Record:
        """The best actions, with exploration; ties are shared."""
        best = memory.estimates == memory.estimates.max(-1, keepdims=True)
        share = self.exploration / best.shape[-1]
        return _playing(memory, (1.0 - self.exploration) * best / best.sum(-1, keepdims=True) + share)

    def again(self, memory: Record, epoch: Any) -> Record:
        """It has no rounds."""
        return memory

    def learn(self, memory: Record, sight: Sight) -> Record:
        """Move the estimate towards the reward and the best that can follow."""
        cell = (sight.state, sight.action)
        worth = sight.reward + memory.discount * memory.estimates[sight.next_state].max()
        step = (memory.visits[cell] + 1.0) ** -self.decay
        return _counted(memory, cell, memory.estimates.at[cell].add(step * (worth - memory.estimates[cell])))


def _playing(memory: Record, strategy: Any) -> Record:
    average = memory.average + (strategy - memory.average) / (memory.clock + 1.0)
    return memory._replace(strategy=strategy, average=average)


def _counted(memory: Record, cell: Any, estimates: Any) -> Record:
    return memory._replace(
        estimates=estimates, visits=memory.visits.at[cell].add(1.0), clock=memory.clock + 1.0
    )
