"""Work with the games that come with Equipoise, and with game files.

Examples:
  equipoise games list
  equipoise games list --tag zero-sum
  equipoise games show stag-hunt
  equipoise games show cliff-walk
  equipoise games export matching-pennies pennies.nfg
  equipoise games export cliff-walk cliff.npz
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from equipoise.cli._inputs import GameArgument, Json, read_game
from equipoise.cli._terminal import Terminal, closest
from equipoise.games import MarkovGame, NormalFormGame, catalogue, markov_catalogue
from equipoise.reporting.games import payoff_table, transition_table
from equipoise.reporting.tables import Table


@dataclass(frozen=True)
class List:
    """List the catalogues: key, players, actions and title of every game, in normal form and Markov."""

    tag: Annotated[str | None, tyro.conf.arg(metavar="TAG", help_behavior_hint="")] = None
    """only games with this tag, for example zero-sum or experiment"""
    json: Json = False
    """print JSON for machines"""

    def run(self, terminal: Terminal) -> int:
        """Show the list."""
        games = [one for one in catalogue().values() if self.tag is None or self.tag in one.tags]
        moving = [one for one in markov_catalogue().values() if self.tag is None or self.tag in one.tags]
        if not games and not moving:
            known = {tag for one in catalogue().values() for tag in one.tags}
            tags = sorted(known.union(*(one.tags for one in markov_catalogue().values())))
            hint = closest(str(self.tag), tags)
            raise ValueError(f"no game has the tag {self.tag!r}{hint}; there are {', '.join(tags)}")
        rows = [
            [one.key, one.game.num_players, "×".join(map(str, one.game.num_actions)), one.title]
            for one in games
        ]
        if games:
            terminal.show(Table(["key", "players", "actions", "title"], rows, "Games in normal form"))
        rows = [
            [
                one.key,
                one.game.num_players,
                one.game.num_states,
                "×".join(map(str, one.game.num_actions)),
                _time(one.game),
                one.title,
            ]
            for one in moving
        ]
        if moving:
            columns = ["key", "players", "states", "actions", "time", "title"]
            terminal.show(Table(columns, rows, "Markov games"))
        terminal.say("`equipoise games show KEY` shows one, `equipoise solve KEY` solves it.")
        terminal.emit(
            {
                "games": [
                    {
                        "key": one.key,
                        "title": one.title,
                        "players": one.game.num_players,
                        "actions": one.game.num_actions,
                        "description": one.description,
                        "source": one.source,
                        "tags": one.tags,
                    }
                    for one in games
                ],
                "markov_games": [
                    {
                        "key": one.key,
                        "title": one.title,
                        "players": one.game.num_players,
                        "states": one.game.num_states,
                        "actions": one.game.num_actions,
                        "discount": one.game.discount,
                        "horizon": one.game.horizon,
                        "description": one.description,
                        "source": one.source,
                        "facts": one.facts,
                        "tags": one.tags,
                    }
                    for one in moving
                ],
            }
        )
        return 0


@dataclass(frozen=True)
class Show:
    """Show a game: payoffs or transitions, source and what is known about its equilibria."""

    game: GameArgument
    """a key of the catalogue, or a .nfg, .json or .npz file"""
    json: Json = False
    """print JSON for machines"""

    def run(self, terminal: Terminal) -> int:
        """Show the game."""
        game = read_game(self.game)
        if isinstance(game, MarkovGame):
            _show_markov(game, self.game, terminal)
        else:
            self._show_normal_form(game, terminal)
        return 0

    def _show_normal_form(self, game: NormalFormGame, terminal: Terminal) -> None:
        known = catalogue().get(self.game)
        terminal.say(game.title or self.game, style="bold")
        if known is not None:
            terminal.say(f"{known.description}\n{known.source}")
        terminal.show(payoff_table(game))
        if known is not None and known.equilibria:
            rows = [
                [k + 1, *(_mixture(x, names) for x, names in zip(profile, game.action_names, strict=True))]
                for k, profile in enumerate(known.equilibria)
            ]
            caption = "Nash equilibria" if known.complete else "Nash equilibria, some of possibly more"
            terminal.show(Table(["", *game.player_names], rows, caption))
        terminal.emit(
            {
                "key": None if known is None else known.key,
                "title": game.title,
                "players": game.player_names,
                "actions": game.action_names,
                "payoffs": game.payoffs,
                "description": None if known is None else known.description,
                "source": None if known is None else known.source,
                "nash_equilibria": None if known is None else known.equilibria,
                "nash_equilibria_complete": None if known is None else known.complete,
            }
        )


@dataclass(frozen=True)
class Export:
    """Write a game to a file: Gambit's strategic form (.nfg), JSON (.json) or, Markov games only, .npz."""

    game: GameArgument
    """a key of the catalogue, or a file to convert"""
    file: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILE", help_behavior_hint="")]
    """where to; the ending decides the format"""
    json: Json = False
    """print JSON for machines"""

    def run(self, terminal: Terminal) -> int:
        """Write the file."""
        from equipoise.games import save

        save(read_game(self.game), self.file)
        terminal.say(f"Written to {self.file}.")
        terminal.emit({"game": self.game, "file": str(self.file)})
        return 0


Command = (
    Annotated[List, tyro.conf.subcommand("list")]
    | Annotated[Show, tyro.conf.subcommand("show")]
    | Annotated[Export, tyro.conf.subcommand("export")]
)


def _show_markov(game: MarkovGame, argument: str, terminal: Terminal) -> None:
    known = markov_catalogue().get(argument)
    terminal.say(game.title or argument, style="bold")
    actions = " x ".join(map(str, game.num_actions))
    terminal.say(f"{game.num_players} players, {game.num_states} states, {actions} actions, {_time(game)}")
    if known is not None:
        terminal.say(f"{known.description}\n{known.source}\n{known.facts}")
    start = int(np.argmax(game.initial))
    if game.layout is not None:
        terminal.say(f"\n{game.layout.draw(start)}")
        terminal.say(f"The most likely first state, {game.state_names[start]}: A, B, ... are the players.")
    terminal.show(transition_table(game))
    terminal.emit(
        {
            "key": None if known is None else known.key,
            "title": game.title,
            "players": game.player_names,
            "states": game.num_states,
            "actions": game.action_names,
            "discount": game.discount,
            "horizon": game.horizon,
            "sparse": game.is_sparse,
            "map": None if game.layout is None else game.layout.rows,
            "description": None if known is None else known.description,
            "source": None if known is None else known.source,
            "facts": None if known is None else known.facts,
        }
    )


def _time(game: MarkovGame) -> str:
    return f"{game.horizon} moves" if game.discount is None else f"discount {game.discount:g}"


def _mixture(strategy: np.ndarray, names: tuple[str, ...]) -> str:
    """A mixed strategy in words: "Stag", or "0.6 Stag + 0.4 Hare"."""
    played = [(float(p), name) for p, name in zip(strategy, names, strict=True) if p > 0]
    return played[0][1] if len(played) == 1 else " + ".join(f"{p:.4g} {name}" for p, name in played)
