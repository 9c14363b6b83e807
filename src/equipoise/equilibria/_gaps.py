"""How much players could gain by deviating alone: the independent check on every Nash-like answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from jaxtyping import Float

from equipoise.games._checks import Numbers
from equipoise.games.normal_form import NormalFormGame


def nash_gap(
    game: NormalFormGame, strategies: Sequence[Numbers]
) -> tuple[float, Float[np.ndarray, " players"]]:
    """Exploitability of independent mixed strategies in the game itself.

    A player's share is the payoff of its best action against the others' strategies minus the payoff it
    gets. The profile is a Nash equilibrium exactly when all shares are zero, and an eps-equilibrium
    exactly when none exceeds eps. The law over the others' joint actions is written out, so the numbers
    do not depend on how a solver contracts payoff tensors.

    Args:
        game: the game.
        strategies: one probability vector `[A_i]` per player.

    Returns:
        The sum of the shares, and the shares `[players]`, in payoff units; none is negative.

    Raises:
        ValueError: the strategies do not fit the game or are not probability vectors.
    """
    checked = game.check_strategies(strategies)
    shares = np.zeros(game.num_players)
    for i, own in enumerate(checked):
        others = reduce(np.multiply.outer, (x for j, x in enumerate(checked) if j != i), np.ones(()))
        payoffs = game.own_first(i)
        # Only payoff differences matter; without the common level they suffer less rounding.
        per_action = (payoffs - np.min(payoffs)) @ others.ravel()
        shares[i] = max(float(np.max(per_action) - own @ per_action), 0.0)
    return float(np.sum(shares)), shares
