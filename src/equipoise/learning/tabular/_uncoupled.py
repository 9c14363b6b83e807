"""Two players who share a game but no information: what each sees of a move, and the table they play at."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from equipoise.games.markov import MarkovGame
from equipoise.games.normal_form import NormalFormGame

BLOCK = 256  # moves whose random numbers are drawn at once


class Sight(NamedTuple):
    """All that a player sees of one move. Nothing of the other player is in it.

    Attributes:
        state: where the move was made.
        action: the player's own action.
        reward: the player's own reward.
        next_state: where it led.
    """

    state: Any
    action: Any
    reward: Any
    next_state: Any


@runtime_checkable
class Player(Protocol):
    """How one player learns. It knows how many states there are, its own actions, and what `Sight` shows."""

    def begin(self, states: int, actions: int, discount: Any) -> Any:
        """What it remembers before the first move, a PyTree."""
        ...

    def intend(self, memory: Any) -> Any:
        """Get ready for the next move."""
        ...

    def law(self, memory: Any, state: Any) -> Any:
        """Probabilities of its actions in a state, `[A]`."""
        ...

    def learn(self, memory: Any, sight: Sight) -> Any:
        """Take in what it saw of the move."""
        ...


class World(NamedTuple):
    """The game, which only the table knows.

    Attributes:
        rewards: `[2, S, A_1, A_2]`.
        successors: states that can come next, `[S, A_1, A_2, K]`.
        sums: running sums of their probabilities, `[S, A_1, A_2, K]`.
        discount: factor on the future.
        initial: running sums of the law of the first state, `[S]`.
        restart: chance after every move that play goes on from a new first state.
    """

    rewards: Any
    successors: Any
    sums: Any
    discount: Any
    initial: Any
    restart: Any


class Table(NamedTuple):
    """Where play stands.

    Attributes:
        memories: both players'.
        state: the game's.
    """

    memories: tuple[Any, Any]
    state: Any


def world(game: NormalFormGame | MarkovGame, restart: float = 0.0) -> World:
    """A two-player game as arrays; a matrix game is a Markov game of one state without a future."""
    if isinstance(game, NormalFormGame):
        shape = (1, *game.num_actions, 1)
        zeros = np.zeros(shape, dtype=np.int64)
        rewards = np.stack(game.payoffs)[:, None]
        return World(rewards, zeros, np.ones(shape), np.zeros(()), np.ones(1), np.zeros(()))
    lists = game.successors_at(0)
    return World(
        game.rewards_at(0),
        np.asarray(lists.successors, dtype=np.int64),
        np.cumsum(lists.probabilities, axis=-1),
        np.asarray(float(game.discount or 0.0)),
        np.cumsum(game.initial),
        np.asarray(float(restart)),
    )


def seat(place: World, players: tuple[Player, Player], key: Any) -> Table:
    """Both players before the first move, which is made in a random first state."""
    import jax

    states, *counts = place.rewards.shape[-3:]
    memories = tuple(
        player.begin(states, count, place.discount) for player, count in zip(players, counts, strict=True)
    )
    first = _draw(place.initial, jax.random.uniform(key, dtype=float))
    return Table((memories[0], memories[1]), first)


def play(
    place: World, players: tuple[Player, Player], table: Table, key: Any, start: Any, until: Any
) -> Table:
    """Make moves number `start` to `until - 1`.

    Random numbers belong to the move's number, so that it makes no difference where play is interrupted.

    Args:
        place: the game.
        players: both players; each gets its own memory and sight and nothing else.
        table: where play stands.
        key: a JAX random key, the same for all moves.
        start: moves made so far, a number or a tracer; the same for all that is batched.
        until: moves made in the end.
    """
    import jax
    import jax.numpy as jnp
    from jax import lax

    def draws(block: Any) -> Any:
        return jax.random.uniform(jax.random.fold_in(key, block), (BLOCK, 5), dtype=float)

    def move(luck: Any, k: Any, table: Table) -> Table:
        memories, state = table
        mark = luck[k % BLOCK]
        ready = [player.intend(memory) for player, memory in zip(players, memories, strict=True)]
        actions = [
            _draw(player.law(memory, state).cumsum(-1), mark[i])
            for i, (player, memory) in enumerate(zip(players, ready, strict=True))
        ]
        where = (state, actions[0], actions[1])
        following = place.successors[where][_draw(place.sums[where], mark[2])]
        # Players learn from where the move led, even if play then goes on elsewhere.
        memory_1, memory_2 = (
            player.learn(memory, Sight(state, actions[i], place.rewards[(i, *where)], following))
            for i, (player, memory) in enumerate(zip(players, ready, strict=True))
        )
        elsewhere = _draw(place.initial, mark[4])
        state = jnp.where(mark[3] < place.restart, elsewhere, following)
        return Table((memory_1, memory_2), state)

    def moves(block: Any, table: Table) -> Table:
        first, last = jnp.maximum(start, block * BLOCK), jnp.minimum(until, (block + 1) * BLOCK)
        return lax.fori_loop(first, last, partial(move, draws(block)), table)

    return lax.fori_loop(start // BLOCK, -(-until // BLOCK), moves, table)


def _draw(sums: Any, mark: Any) -> Any:
    """The place where running sums pass a uniform number; never one without probability."""
    return (sums[..., :-1] <= mark * sums[..., -1:]).sum(-1)
