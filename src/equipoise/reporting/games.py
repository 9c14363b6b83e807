"""Games as tables."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from equipoise.games import MarkovGame, NormalFormGame

MOST_ROWS = 64


def payoff_table(game: NormalFormGame) -> Table:
    """The payoffs of a game: a matrix for two players, otherwise one row per joint action.

    Args:
        game: the game.

    Returns:
        The table. Of a larger game with one or more than two players, only the first 64 joint actions.
    """
    if game.num_players == 2:
        row, column = game.player_names
        cells = [
            [
                action,
                *(
                    f"{game.payoffs[0][a, b]:g}, {game.payoffs[1][a, b]:g}"
                    for b in range(game.num_actions[1])
                ),
            ]
            for a, action in enumerate(game.action_names[0])
        ]
        caption = f"Payoffs of {row} (rows) and {column} (columns)"
        return Table(["", *game.action_names[1]], cells, caption)
    size = int(np.prod(game.num_actions))
    joint = list(product(*game.action_names))[:MOST_ROWS]
    payoffs = np.stack([tensor.ravel() for tensor in game.payoffs], axis=1)
    rows = [[*names, *(f"{x:g}" for x in payoffs[k])] for k, names in enumerate(joint)]
    caption = f"The first {MOST_ROWS} of {size} joint actions" if size > MOST_ROWS else ""
    return Table([*game.player_names, *(f"payoff, {name}" for name in game.player_names)], rows, caption)


def transition_table(game: MarkovGame, step: int = 0) -> Table:
    """Rewards and next states of a Markov game, one row per state and joint action.

    Args:
        game: the game.
        step: the move, where the game depends on time.

    Returns:
        The table. Of a game with more than 64 such rows, the first 64 of the most likely first state.
    """
    shape = (game.num_states, *game.num_actions)
    size = int(np.prod(shape))
    lists = game.successors_at(step)
    rewards = game.rewards_at(step)
    rows = []
    start, stop = 0, size
    if size > MOST_ROWS:
        per_state = size // game.num_states
        start = int(np.argmax(game.initial)) * per_state
        stop = start + min(per_state, MOST_ROWS)
    for flat in range(start, stop):
        state, *joint = (int(k) for k in np.unravel_index(flat, shape))
        index = (state, *joint)
        law = np.bincount(lists.successors[index], lists.probabilities[index])
        reached = ", ".join(f"{game.state_names[t]} {law[t]:.4g}" for t in np.flatnonzero(law))
        actions = [names[a] for names, a in zip(game.action_names, joint, strict=True)]
        rows.append([game.state_names[state], *actions, *(f"{r[index]:.4g}" for r in rewards), reached])
    caption = f"{len(rows)} of {size} states with joint actions" if size > len(rows) else ""
    if not game.is_stationary:
        caption = f"{caption}{'; ' if caption else ''}move {step + 1} of {game.horizon}"
    paid = [f"reward, {name}" for name in game.player_names]
    return Table(["state", *game.player_names, *paid, "next states"], rows, caption)
