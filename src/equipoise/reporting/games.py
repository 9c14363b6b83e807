"""Games as tables."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from equipoise.games import NormalFormGame

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
