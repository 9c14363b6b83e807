"""Named games with what is known about them: where they come from and their Nash equilibria."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType

import numpy as np
from jaxtyping import Float

from equipoise.games._catalogue_entry import CatalogueEntry
from equipoise.games._catalogue_many_player import many_player_games
from equipoise.games._catalogue_two_player import two_player_games
from equipoise.games._catalogue_zero_sum import zero_sum_games
from equipoise.games.normal_form import NormalFormGame
from equipoise.games.observed_play import ObservedPlay, observed_play


@cache
def catalogue() -> Mapping[str, CatalogueEntry]:
    """All named games, by key, in the order zero-sum, two players, three players, experiments."""
    entries = [*zero_sum_games(), *two_player_games(), *many_player_games()]
    entries += [_from_experiment(record) for record in observed_play().values()]
    return MappingProxyType({one.key: one for one in entries})


def catalogue_entry(key: str) -> CatalogueEntry:
    """One named game with its source and known equilibria.

    Args:
        key: its short name, such as "stag-hunt".

    Raises:
        ValueError: there is no game of this name; the message suggests similar ones.
    """
    known = catalogue()
    if key not in known:
        similar = get_close_matches(key.lower().replace(" ", "-").replace("_", "-"), known, n=3, cutoff=0.4)
        hint = (
            f"did you mean {' or '.join(map(repr, similar))}?" if similar else "see catalogue() for all names"
        )
        raise ValueError(f"there is no game named {key!r} in the catalogue; {hint}")
    return known[key]


def named_game(key: str) -> NormalFormGame:
    """The game of a catalogue entry.

    Args:
        key: its short name, such as "stag-hunt".

    Raises:
        ValueError: there is no game of this name.
    """
    return catalogue_entry(key).game


def _from_experiment(record: ObservedPlay) -> CatalogueEntry:
    constant = " constant-sum" if record.game.is_constant_sum else ""
    return CatalogueEntry(
        key=record.key,
        game=record.game,
        description="A 2x2 game with one, fully mixed equilibrium, played by people: see observed_play().",
        source=record.source,
        equilibria=(_mixed_2x2(record.game),),
        complete=True,
        tags=tuple(f"mixed experiment observed{constant}".split()),
    )


def _mixed_2x2(game: NormalFormGame) -> tuple[Float[np.ndarray, " 2"], Float[np.ndarray, " 2"]]:
    """The fully mixed equilibrium of a 2x2 game: each player makes the other indifferent."""
    strategies = []
    for matrix in (game.own_first(1), game.own_first(0)):
        gain = matrix[0] - matrix[1]
        p = gain[1] / (gain[1] - gain[0])
        strategies.append(np.array([p, 1.0 - p]))
    return strategies[0], strategies[1]
