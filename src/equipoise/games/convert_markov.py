"""Markov games to and from sgamesolver, and from OpenSpiel.

Reading works on the object it is given and imports nothing; writing imports the other package when called.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

import numpy as np

from equipoise.games._checks import Numbers
from equipoise.games.convert import package
from equipoise.games.exploration import Outcome, explore
from equipoise.games.markov import MarkovGame


def from_sgamesolver(game: Any, *, initial: Numbers = None) -> MarkovGame:
    """A stochastic game of sgamesolver, without its labels.

    Args:
        game: an `sgamesolver.SGame` in which every player has the same actions in all states, and all players
            the same discount factor.
        initial: law of the first state, `[S]`, which sgamesolver does not know; uniform by default.

    Raises:
        TypeError: the object is no `SGame`.
        ValueError: numbers of actions or discount factors differ.
    """
    if not all(hasattr(game, name) for name in ("u", "phi", "delta", "nums_actions")):
        raise TypeError(f"game must be an sgamesolver.SGame, not {type(game).__name__}")
    counts = np.asarray(game.nums_actions)
    if np.any(counts != counts[0]):
        state = int(np.argmax(np.any(counts != counts[0], axis=1)))
        raise ValueError(
            f"state {state} has {counts[state].tolist()} actions and state 0 {counts[0].tolist()}; a "
            "MarkovGame has the same actions everywhere: repeat an action where there are fewer"
        )
    discounts = np.asarray(game.delta, dtype=np.float64)
    if np.ptp(discounts) > 0:
        raise ValueError(f"players have the discount factors {discounts.tolist()}; a MarkovGame has one")
    # Arrays have the largest number of actions of any player along every axis.
    joint: tuple[Any, ...] = tuple(slice(int(count)) for count in counts[0])
    players = np.asarray(game.u).shape[1]
    return MarkovGame(
        np.asarray(game.phi)[(slice(None), *joint)],
        [np.asarray(game.u)[:, i][(slice(None), *joint)] for i in range(players)],
        discount=float(discounts[0]),
        initial=initial,
    )


def to_sgamesolver(game: MarkovGame) -> Any:
    """A discounted game as an `sgamesolver.SGame`, without title, names and the law of the first state.

    Args:
        game: a discounted game.

    Raises:
        ValueError: the game has a horizon, or is sparse and too large to write out.
        ImportError: sgamesolver is not installed.
    """
    if game.discount is None:
        raise ValueError("sgamesolver knows only discounted games, this one has a horizon")
    kernel, rewards = game.transitions_at(), game.rewards_at()
    return package("sgamesolver").SGame(
        [rewards[:, s] for s in range(game.num_states)], list(kernel), game.discount
    )


def markov_from_openspiel(
    game: Any,
    *,
    discount: float | int | None = None,
    horizon: int | None = None,
    identify: Callable[[Any], Hashable] = str,
    max_states: int = 20_000,
) -> MarkovGame:
    """An OpenSpiel game of several moves as a Markov game, by trying every joint action in every state.

    All players see the state, so this suits games of perfect information, with moves that are simultaneous
    or in turns. A player whose turn it is not has actions without effect; an action that is not legal is
    played as the first legal one. Chance moves belong to the move before them.

    Args:
        game: a `pyspiel.Game`.
        discount: factor on the future, in [0, 1); by default the game has a horizon.
        horizon: number of moves; the game's own longest by default.
        identify: from a `pyspiel.State` to what distinguishes states, anything hashable; its text by default.
        max_states: most states to look for.

    Raises:
        TypeError: the object is no OpenSpiel game.
        ValueError: there are more than `max_states` states.
    """
    if not all(hasattr(game, name) for name in ("new_initial_state", "num_distinct_actions", "get_type")):
        raise TypeError(f"game must be a pyspiel.Game, not {type(game).__name__}")
    if discount is None and horizon is None:
        horizon = int(game.max_game_length())
    players = int(game.num_players())
    known: dict[Hashable, Any] = {}

    def remember(state: Any) -> Hashable:
        key = identify(state)
        known.setdefault(key, state)
        return key

    def outcomes(key: Hashable, joint: tuple[int, ...]) -> Iterator[Outcome]:
        state = known[key].clone()
        _play(state, joint)
        for probability, after, paid in _after_chance(state, np.zeros(players)):
            yield probability, None if after.is_terminal() else remember(after), paid.tolist()

    initial: dict[Hashable, float] = {}
    for probability, state, _ in _after_chance(game.new_initial_state(), np.zeros(players), counts=False):
        key = remember(state)
        initial[key] = initial.get(key, 0.0) + probability
    return explore(
        initial,
        outcomes,
        [int(game.num_distinct_actions())] * players,
        discount=discount,
        horizon=horizon,
        max_states=max_states,
        name=lambda key: " / ".join(line for line in str(key).splitlines() if line),
        title=str(game.get_type().long_name),
    )


def _play(state: Any, joint: tuple[int, ...]) -> None:
    def legal(player: int) -> int:
        actions = state.legal_actions(player)
        return joint[player] if joint[player] in actions else actions[0]

    if state.is_simultaneous_node():
        # A player without any action at this node gives none.
        state.apply_actions([legal(i) if state.legal_actions(i) else 0 for i in range(len(joint))])
    else:
        state.apply_action(legal(state.current_player()))


def _after_chance(
    state: Any, paid: np.ndarray, counts: bool = True
) -> Iterator[tuple[float, Any, np.ndarray]]:
    """What chance makes of a state, with all that is paid on the way."""
    paid = paid + np.asarray(state.rewards()) if counts else paid
    if not state.is_chance_node():
        yield 1.0, state, paid
        return
    for action, probability in state.chance_outcomes():
        for rest, after, sums in _after_chance(state.child(action), paid):
            yield probability * rest, after, sums
