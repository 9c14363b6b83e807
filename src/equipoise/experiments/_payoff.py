"""What the experiments on payoff-based learning share: games, runs of many cases at once, slopes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from equipoise.games import NormalFormGame
from equipoise.learning.tabular import _uncoupled
from equipoise.learning.tabular._smoothed_player import SmoothedPlayer, StepSizes

FLOOR = 0.3  # every next state has at least this share of an even probability, so that chains mix
SOURCE = "Chen, Zhang, Mazumdar, Ozdaglar and Wierman (2023), arXiv 2303.03100"
LATER = "Chen, Zhang, Mazumdar, Ozdaglar and Wierman (2024), arXiv 2409.01447"
Case = tuple[_uncoupled.World, Any, Any]
"""A game and its two players."""


class Trail(NamedTuple):
    """What was seen of many cases at some moments, `[moments, cases, seeds, S, A_i]` for each player.

    Attributes:
        strategies: what the players play.
        averages: means of that since steps started.
        estimates: their estimates.
        visits: how often they took each action.
        start_weight: the weight that an estimate still gives to where it started; None for other players.
    """

    strategies: tuple[Float[np.ndarray, "moments cases seeds states _"], ...]
    averages: tuple[Float[np.ndarray, "moments cases seeds states _"], ...]
    estimates: tuple[Float[np.ndarray, "moments cases seeds states _"], ...]
    visits: tuple[Float[np.ndarray, "moments cases seeds states _"], ...]
    start_weight: tuple[Float[np.ndarray, "moments cases seeds states _"] | None, ...]


def smoothed(
    noise: float | int, exploration: float | int = 0.0, steps: StepSizes | None = None, **others: float | int
) -> SmoothedPlayer:
    """A smoothed best response player.

    Args:
        noise: eps.
        exploration: zeta.
        steps: step sizes; c = 0.05, alpha = 4/c, h = 8/c, z = 1 by default.
        others: further fields of `SmoothedPlayer`.
    """
    steps = StepSizes() if steps is None else steps
    alpha, delay = steps.numbers
    numbers = (noise, exploration, steps.ratio, alpha, delay, steps.decay, steps.per_visit)
    player = SmoothedPlayer(*(float(number) for number in numbers))
    return player._replace(**{name: float(value) for name, value in others.items()})


def follow(cases: Sequence[Case], marks: Sequence[int], seeds: int, seed: int) -> Trail:
    """Play matrix or Markov games of one shape, all cases and seeds at once, and look at some moments.

    Args:
        cases: games and players; all of the same shapes and kinds.
        marks: numbers of moves after which to look, increasing.
        seeds: repetitions of every case.
        seed: what they are derived from.
    """
    import jax

    begin, go, _ = _programs()
    with jax.enable_x64(True):
        batch = _stack(cases)
        keys = jax.random.split(jax.random.key(seed), seeds)
        table, done, seen = begin(batch, keys), 0, []
        for mark in marks:
            table, done = go(batch, table, keys, done, int(mark)), int(mark)
            seen.append(jax.tree.map(np.asarray, table.memories))
    return _trail(seen)


def follow_rounds(cases: Sequence[Case], rounds: int, moves: int, seeds: int, seed: int) -> Trail:
    """Value iteration with smoothed best responses; look at the end of every round.

    Args:
        cases: games and players; all of the same shapes and kinds.
        rounds: outer rounds.
        moves: moves in each.
        seeds: repetitions of every case.
        seed: what they are derived from.
    """
    import jax

    begin, go, again = _programs()
    with jax.enable_x64(True):
        batch = _stack(cases)
        key = jax.random.key(seed)
        table, seen = begin(batch, jax.random.split(key, seeds)), []
        for t in range(rounds):
            keys = jax.random.split(jax.random.fold_in(key, t + 1), seeds)
            table = go(batch, again(batch, table), keys, 0, moves)
            seen.append(jax.tree.map(np.asarray, table.memories))
    return _trail(seen)


@cache
def _programs() -> tuple[Any, Any, Any]:
    """Begin, go on and begin a new round, for all cases (first axis) and seeds (second axis)."""
    import jax

    def begin(case: Case, key: Any) -> Any:
        return _uncoupled.seat(case[0], case[1:], key)

    def go(case: Case, table: Any, key: Any, start: Any, until: Any) -> Any:
        return _uncoupled.play(case[0], case[1:], table, key, start, until)

    def again(case: Case, table: Any) -> Any:
        first, second = (
            player.again(memory, 0.0) for player, memory in zip(case[1:], table.memories, strict=True)
        )
        return table._replace(memories=(first, second))

    def many(one: Any, seeded: Sequence[int | None], cased: Sequence[int | None]) -> Any:
        return jax.jit(jax.vmap(jax.vmap(one, in_axes=tuple(seeded)), in_axes=tuple(cased)))

    return (
        many(begin, (None, 0), (0, None)),
        many(go, (None, 0, 0, None, None), (0, 0, None, None, None)),
        many(again, (None, 0), (0, 0)),
    )


def _stack(cases: Sequence[Case]) -> Any:
    import jax

    return jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *cases)


def _trail(seen: Sequence[Any]) -> Trail:
    def all_of(field: str) -> tuple[Any, Any]:
        return _moments(seen, 0, field), _moments(seen, 1, field)

    return Trail(*(all_of(field) for field in ("strategy", "average", "estimates", "visits", "start_weight")))


def _moments(seen: Sequence[Any], player: int, field: str) -> Float[np.ndarray, "*_shape"] | None:
    if not hasattr(seen[0][player], field):
        return None
    return np.stack([getattr(memories[player], field) for memories in seen])


def squared_distance(
    trail: Trail, case: int, exact: Sequence[Float[np.ndarray, "*_shape"]]
) -> Float[np.ndarray, "moments seeds"]:
    """Squared Euclidean distance of both players' policies to given ones, summed over states.

    Args:
        trail: what was seen.
        case: which case.
        exact: both players' policies, `[S, A_i]` or `[A_i]`.
    """
    parts = zip(trail.strategies, exact, strict=True)
    return np.asarray(sum(((seen[:, case] - law) ** 2).sum(axis=(-1, -2)) for seen, law in parts))


def matrix_pair(
    parts: Sequence[Float[np.ndarray, "moments cases seeds states _"]], case: int
) -> tuple[Float[np.ndarray, "moments seeds _"], Float[np.ndarray, "moments seeds _"]]:
    """One case's strategies in a matrix game, of both players."""
    return parts[0][:, case, :, 0], parts[1][:, case, :, 0]


def marks_up_to(moves: int, first: int = 100, per_decade: int = 8) -> list[int]:
    """Numbers of moves, evenly spread in their logarithm.

    Args:
        moves: the last.
        first: the first.
        per_decade: how many in a tenfold.
    """
    count = max(2, round(per_decade * np.log10(moves / first)) + 1)
    return [int(m) for m in np.unique(np.geomspace(first, moves, count).round())]


def slope(
    x: Sequence[float | int] | Float[np.ndarray, " _"] | Int[np.ndarray, " _"],
    y: Float[np.ndarray, " _"],
    start: float | int = 0.0,
) -> float:
    """Exponent of y against x by least squares in logarithms, from x = `start` on."""
    late = np.asarray(x) >= start
    return float(np.polyfit(np.log(np.asarray(x)[late]), np.log(y[late]), 1)[0])


def zero_sum(payoffs: Float[np.ndarray, "rows columns"]) -> NormalFormGame:
    """The matrix game with these payoffs of the row player."""
    return NormalFormGame([payoffs, -payoffs])


def pennies(x: float | int = 1.0) -> Float[np.ndarray, "2 2"]:
    """Matching pennies for x = 1; otherwise asymmetric ones, `[[1, -x], [-x, x]]`."""
    return np.array([[1.0, -x], [-x, float(x)]])


def biased_rock_paper_scissors(a: float = 1.0, b: float = 0.5, c: float = 0.25) -> Float[np.ndarray, "3 3"]:
    """Rock, paper, scissors with unequal stakes; the equilibrium is in proportion to (c, b, a)."""
    return np.array([[0.0, -a, b], [a, 0.0, -c], [-b, c, 0.0]])
