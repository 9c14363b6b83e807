"""Markov games made to order: random ones, drawn from the NumPy generator given, and congestion games."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from equipoise.games.markov import MarkovGame
from equipoise.games.successors import SuccessorLists


def random_markov_game(
    states: int,
    actions: int | Sequence[int],
    *,
    rng: np.random.Generator,
    discount: float | int | None = None,
    horizon: int | None = None,
    players: int = 2,
    successors: int | None = None,
    floor: float | int = 0.0,
    rewards: tuple[float | int, float | int] = (-1.0, 1.0),
    zero_sum: bool = False,
    time_dependent: bool = False,
) -> MarkovGame:
    """A Markov game with uniform rewards and, over each list of next states, uniformly random probabilities.

    Args:
        states: number of states S.
        actions: number of actions of every player, or one number for all.
        rng: source of randomness.
        discount: factor on the future, in [0, 1). Give either this or `horizon`.
        horizon: number of moves.
        players: number of players; without effect where `actions` has one number per player.
        successors: number K of different states that can come next, among them the next by number, so that
            all states are visited; None for all states, in a dense game.
        floor: every listed next state has at least this fraction, from 0 to 1, of the probability it would
            have if all were equally likely; above 0, chains of a dense game mix at a known rate.
        rewards: lowest and highest reward.
        zero_sum: whether the second of two players gets the negative of what the first gets.
        time_dependent: whether every move has its own transitions and rewards; only with a horizon.

    Raises:
        ValueError: a number is out of range, a zero-sum game has not two players, or a game that depends on
            time has no horizon.
    """
    counts = (actions,) * players if isinstance(actions, int | np.integer) else tuple(actions)
    n = len(counts)
    if states < 1 or not counts or min(counts) < 1:
        raise ValueError(
            f"there must be a state, a player and actions, got states={states}, actions={actions}"
        )
    if zero_sum and n != 2:
        raise ValueError(f"a zero-sum game has two players, not {n}")
    if time_dependent and horizon is None:
        raise ValueError("only a game with a horizon can depend on time; give horizon")
    if successors is not None and not 1 <= successors <= states:
        raise ValueError(f"successors must be from 1 to the number of states, {states}, got {successors}")
    if not 0.0 <= floor <= 1.0:
        raise ValueError(f"floor must be from 0 to 1, got {floor}")
    low, high = rewards
    if not low <= high:
        raise ValueError(f"rewards must be lowest and highest, got {rewards}")
    time = (horizon,) if time_dependent and horizon is not None else ()
    shape = (*time, states, *counts)
    length = states if successors is None else successors
    weights = rng.standard_exponential((*shape, length))
    weights /= np.sum(weights, axis=-1, keepdims=True)
    probabilities = (1.0 - floor) * weights + floor / length
    transitions: np.ndarray | SuccessorLists = probabilities
    if successors is not None:
        transitions = SuccessorLists(_different_states(shape, len(time), length, rng), probabilities)
    first = rng.uniform(low, high, shape)
    rest = [-first] if zero_sum else [rng.uniform(low, high, shape) for _ in range(n - 1)]
    return MarkovGame(
        transitions,
        [first, *rest],
        discount=discount,
        horizon=horizon,
        title=f"Random {'zero-sum ' if zero_sum else ''}Markov game",
    )


def congestion_markov_game(
    players: int, *, rng: np.random.Generator, actions: int = 4, states: int = 4, horizon: int = 3
) -> MarkovGame:
    """Players share facilities: crowds lower the pay of all in them and wear out the state (ours).

    Action `a` uses facility `a`, worth a uniform number in [0, 1] in every state. A player gets its worth
    times the share of players who are elsewhere, plus 1/n. The next state has a random law if nobody uses the
    first facility, another if all do, and in between the mixture in proportion to the number who do, so
    neither reward nor transitions depend on who does what.

    Args:
        players: number of players n.
        rng: source of randomness.
        actions: number of facilities.
        states: number of states.
        horizon: number of moves.

    Raises:
        ValueError: there is no player, facility or state.
    """
    if min(players, actions, states) < 1:
        raise ValueError(f"there must be players, actions and states, got {players}, {actions}, {states}")
    worth = rng.uniform(size=(states, actions))
    empty, full = rng.dirichlet(np.ones(states), (2, states))
    chosen = np.indices((actions,) * players)
    share = np.stack([np.sum(chosen == a, axis=0) for a in range(actions)]) / players
    first = share[0][None, ..., None]
    ends = [law.reshape(states, *(1,) * players, states) for law in (empty, full)]
    crowd = [np.take_along_axis(share, own[None], axis=0)[0] for own in chosen]
    tensors: list[Float[np.ndarray, "*shape"]] = [
        worth[:, own] * (1.0 - crowded + 1.0 / players) for own, crowded in zip(chosen, crowd, strict=True)
    ]
    return MarkovGame(
        (1.0 - first) * ends[0] + first * ends[1],
        tensors,
        horizon=horizon,
        title=f"Congestion game of {players}",
    )


def _different_states(
    shape: tuple[int, ...], axis: int, length: int, rng: np.random.Generator
) -> Int[np.ndarray, "*index K"]:
    """For every list, the next state by number and `length - 1` other ones, all different.

    The others are drawn by Floyd's method, for all lists at once.

    Args:
        shape: shape of the lists.
        axis: which of its axes is the state.
        length: number of states in a list.
        rng: source of randomness.
    """
    states = shape[axis]
    ahead = np.zeros((*shape, length), dtype=np.int32)
    for k in range(1, length):
        last = states - length + k
        drawn = rng.integers(1, last + 1, shape, dtype=np.int32)
        repeated = np.any(ahead[..., 1:k] == drawn[..., None], axis=-1)
        ahead[..., k] = np.where(repeated, last, drawn)
    here = np.arange(states, dtype=np.int32).reshape(-1, *(1,) * (len(shape) - axis))
    return (here + 1 + ahead) % np.int32(states)
