"""One game of the catalogue and a compact way to write it down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from equipoise.games._checks import Numbers
from equipoise.games.normal_form import NormalFormGame


@dataclass(frozen=True, eq=False)
class CatalogueEntry:
    """A named game with what is known about it.

    Attributes:
        key: short name, for look-up.
        game: the game; its title is the full name.
        description: what it is an example of, in one sentence.
        source: author, year and journal or book; "payoffs chosen here" where only the story is published.
        equilibria: known Nash equilibria, each one probability vector per player.
        complete: whether `equilibria` lists all of them. Where False there is a continuum, or more may
            exist than are listed.
        tags: words to select games by.
    """

    key: str
    game: NormalFormGame
    description: str
    source: str
    equilibria: tuple[tuple[Float[np.ndarray, " _"], ...], ...]
    complete: bool
    tags: tuple[str, ...]

    @property
    def title(self) -> str:
        """The game's full name."""
        return self.game.title


def entry(
    key: str,
    title: str,
    payoffs: Numbers,
    actions: str | Sequence[str],
    description: str,
    source: str,
    equilibria: Sequence[Sequence[Numbers]],
    *,
    complete: bool = True,
    tags: str = "",
    players: Sequence[str] | None = None,
) -> CatalogueEntry:
    """Write down one game of the catalogue.

    Args:
        key: short name.
        title: full name.
        payoffs: one array per player in joint layout.
        actions: action names separated by blanks, one string for all players or one per player.
        description: what the game is an example of.
        source: where it comes from.
        equilibria: Nash equilibria; a pure strategy is written as the number of its action, from 0.
        complete: whether these are all.
        tags: words separated by blanks.
        players: player names; by default "Row" and "Column", or numbers for three and more.
    """
    count = len(payoffs)
    names = [actions] * count if isinstance(actions, str) else actions
    if players is None and count == 2:
        players = ["Row", "Column"]
    game = NormalFormGame(payoffs, title, players, [text.split() for text in names])
    profiles = tuple(
        tuple(_strategy(x, size) for x, size in zip(profile, game.num_actions, strict=True))
        for profile in equilibria
    )
    return CatalogueEntry(key, game, description, source, profiles, complete, tuple(tags.split()))


def symmetric(own_first: Numbers) -> list[Float[np.ndarray, "own other"]]:
    """Both players' payoffs in joint layout from one matrix of own actions by the other's actions."""
    matrix = np.asarray(own_first, dtype=np.float64)
    return [matrix, matrix.T]


def zero_sum(row: Numbers) -> list[Float[np.ndarray, "row column"]]:
    """Both players' payoffs from the row player's."""
    matrix = np.asarray(row, dtype=np.float64)
    return [matrix, -matrix]


def _strategy(given: Numbers, size: int) -> Float[np.ndarray, " actions"]:
    return np.eye(size)[given] if isinstance(given, int) else np.asarray(given, dtype=np.float64)
