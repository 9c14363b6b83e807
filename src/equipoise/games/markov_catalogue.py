"""Named Markov games with what is known about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, cached_property
from types import MappingProxyType

import numpy as np

from equipoise.games import markov_instances as instances
from equipoise.games.grid_worlds import cliff_walk, cooperation_grid
from equipoise.games.markov import MarkovGame
from equipoise.games.markov_generators import congestion_markov_game


@dataclass(frozen=True, eq=False)
class MarkovEntry:
    """A named Markov game with what is known about it.

    Attributes:
        key: short name, for look-up.
        make: builds the game.
        description: what it is an example of.
        source: where it comes from; "ours" where only the story is published, or nothing.
        facts: what is known about its solutions.
        tags: words to select games by.
    """

    key: str
    make: Callable[[], MarkovGame]
    description: str
    source: str
    facts: str
    tags: tuple[str, ...]

    @cached_property
    def game(self) -> MarkovGame:
        """The game; built when first asked for."""
        return self.make()

    @property
    def title(self) -> str:
        """The game's full name."""
        return self.game.title


@cache
def markov_catalogue() -> Mapping[str, MarkovEntry]:
    """All named Markov games, by key: small instances first, then grid worlds."""
    entries = [*_small(), *_zero_sum(), *_grids()]
    return MappingProxyType({one.key: one for one in entries})


def named_markov_game(key: str) -> MarkovGame:
    """A Markov game of the catalogue.

    Args:
        key: its short name, such as "cliff-walk".

    Raises:
        ValueError: there is no game of this name; the message suggests similar ones.
    """
    known = markov_catalogue()
    if key not in known:
        similar = get_close_matches(key.lower().replace(" ", "-").replace("_", "-"), known, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(map(repr, similar))}?" if similar else "see markov_catalogue()"
        raise ValueError(f"there is no Markov game named {key!r}; {hint}")
    return known[key].game


def _entry(
    key: str, make: Callable[[], MarkovGame], description: str, source: str, facts: str, tags: str
) -> MarkovEntry:
    return MarkovEntry(key, make, description, source, facts, tuple(tags.split()))


def _small() -> list[MarkovEntry]:
    ours = "ours, a standard instance of Equipoise"
    return [
        _entry(
            "two-state",
            instances.two_states,
            "Two players in two states, discount .8: all entries differ enough to betray a wrong axis.",
            ours,
            "Value iteration for risk-averse quantal equilibria contracts by the discount here.",
            "discounted two-player small",
        ),
        _entry(
            "two-state-horizon",
            lambda: instances.two_states(None, 3),
            "The same two states with three moves.",
            ours,
            "With one move left, play is that of the two matrices.",
            "horizon two-player small",
        ),
        _entry(
            "toy-2",
            instances.toy_2,
            "Two moves and two states, for robust Markov games with radii (.2, .3).",
            ours,
            "At radius 0, robust and ordinary values agree.",
            "horizon two-player small robust",
        ),
        _entry(
            "toy-3",
            instances.toy_3,
            "Three moves, three states, 2 x 3 actions, all depending on time; radii (.15, .25).",
            ours,
            "At radius 0, robust and ordinary values agree.",
            "horizon two-player small robust time-dependent",
        ),
        _entry(
            "mdp-3",
            instances.mdp_3,
            "A Markov decision process of three states: one player.",
            ours,
            "A deterministic stationary policy is optimal, nominally and against state-action sets.",
            "discounted one-player small robust",
        ),
        _entry(
            "mdp-3-horizon",
            lambda: instances.mdp_3(None, 3),
            "The same decision process with three moves.",
            ours,
            "A deterministic policy is optimal.",
            "horizon one-player small robust",
        ),
        _entry(
            "fishing-049",
            lambda: instances.fishing(0.049),
            "Two fishers, two seasons; every heavy catch adds .049 to the probability that fish run out.",
            "ours; the example of a Nash equilibrium that flips between .049 and .051 is published "
            "without payoffs",
            "Heavy fishing is dominant in both seasons: it gains 1 and risks .98.",
            "horizon two-player small robust dominance",
        ),
        _entry(
            "fishing-051",
            lambda: instances.fishing(0.051),
            "The same with .051: a change of .002 in the model flips the first season's equilibrium.",
            "ours; see fishing-049",
            "Light fishing is dominant in the first season: heavy gains 1 and risks 1.02.",
            "horizon two-player small robust dominance",
        ),
        _entry(
            "inspection",
            instances.inspection,
            "An inspector and an inspectee, repeated without end.",
            "ours, a stand-in for the matrix of Zhang and Mazumdar (2026), arXiv 2602.12386, not published",
            "The unique Nash equilibrium of the matrix: inspect 2/5, violate 1/6.",
            "discounted two-player small mixed",
        ),
        _entry(
            "congestion",
            lambda: congestion_markov_game(3, rng=np.random.default_rng(0)),
            "Three players share four facilities; crowding wears out the state.",
            "ours; congestion_markov_game makes such games for any number of players",
            "Permuting the players changes nothing.",
            "horizon many-player symmetric",
        ),
    ]


def _zero_sum() -> list[MarkovEntry]:
    return [
        _entry(
            "absorbing",
            instances.absorbing,
            "Zero-sum: play goes on only while both play their first action.",
            "ours, in the manner of Everett's recursive games (1957)",
            "With discount g the active state is worth v = 1 / (1 + sqrt(1 - g)), here 2/3; both go on with "
            "probability v.",
            "discounted two-player zero-sum small absorbing",
        ),
        _entry(
            "absorbing-restart",
            lambda: instances.absorbing(restart=0.5),
            "The same, but what has ended starts again with probability 1/2 per move.",
            "ours",
            "Every state is visited for ever, so that learners can learn it.",
            "discounted two-player zero-sum small",
        ),
        _entry(
            "mixing",
            instances.mixing,
            "Zero-sum: two states that are left with probability .1, whatever is played.",
            "ours",
            "Both players play their first action with probability .4 in both states; the first is worth "
            "1/6. After k moves the state is the first with probability (1 + .8^k) / 2.",
            "discounted two-player zero-sum small",
        ),
    ]


def _grids() -> list[MarkovEntry]:
    cliff = "Mazumdar, Panaganti and Shi (2024), arXiv 2406.14156; start and place of the cliff are ours"
    return [
        _entry(
            "cliff-walk",
            cliff_walk,
            "Two agents pass a cliff on a 6x6 grid and stumble where they are close; 200 moves.",
            cliff,
            "Claimed: a more averse agent 2 keeps away from the cliff.",
            "horizon two-player grid absorbing",
        ),
        _entry(
            "cliff-walk-code",
            lambda: cliff_walk("code"),
            "The map 4x3 of the authors' program, paid in every step; 15 moves.",
            "the public code of Mazumdar, Panaganti and Shi; the start is ours",
            "Their parameters: risk aversion .1, bounded rationality 10, log-barrier, values without it.",
            "horizon two-player grid",
        ),
        _entry(
            "cliff-walk-steep",
            lambda: cliff_walk(floor=-0.1, cliff=-100.0, goal=20.0, horizon=100),
            "The 6x6 grid with the payments of the paper's appendix D.2: cliff -100, goal 20, step -.1.",
            cliff,
            "Risk matters much more here: one fall costs five goals.",
            "horizon two-player grid absorbing",
        ),
        _entry(
            "cooperation-grid",
            cooperation_grid,
            "Two agents on a 5x5 grid: a zone pays 1 each if both are in it, another .4 to anybody.",
            "rules ours; the setting is that of Zhang and Mazumdar (2026), arXiv 2602.12386",
            "Cooperation pays more, if the other comes along.",
            "discounted two-player grid cooperation",
        ),
    ]
