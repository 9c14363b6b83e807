"""What is worth knowing about a game before it is solved."""

from __future__ import annotations

import itertools

import numpy as np

from equipoise.games._markov_findings import markov_findings
from equipoise.games.markov import MarkovGame
from equipoise.games.normal_form import NormalFormGame

_LARGE_RATIO = 1e6


def check_game(game: NormalFormGame | MarkovGame) -> list[str]:
    """Look for what makes a game degenerate, ambiguous or badly scaled.

    A game that exists has passed all validation; this finds what is allowed but often a mistake, or makes
    equilibria non-unique, or strains solvers.

    Args:
        game: the game.

    Returns:
        Warnings, one sentence each; empty where nothing stands out. Normal form: constant payoffs, a single
        action, payoffs that do not depend on the others, actions that are duplicates of, payoff-equivalent
        to or dominated by another pure action, repeated names, payoffs of very different size. Markov
        games: states that are never reached or absorbing; states that uniform play without end visits only
        for a while, or in turn; players whose reward is constant; actions that are duplicates in every
        state; repeated names.

    Raises:
        TypeError: `game` is not a game.
    """
    if isinstance(game, MarkovGame):
        return [*markov_findings(game), *_name_warnings(game)]
    if not isinstance(game, NormalFormGame):
        raise TypeError(
            f"game must be a NormalFormGame or MarkovGame, not {type(game).__name__}; wrap payoffs with "
            "NormalFormGame([R1, R2])"
        )
    warnings = []
    for i in range(game.num_players):
        warnings += _player_warnings(game, i)
    return [*warnings, *_scale_warnings(game), *_name_warnings(game)]


def _player_warnings(game: NormalFormGame, i: int) -> list[str]:
    own = game.own_first(i)
    who = game.player_names[i]
    if own.shape[0] == 1:
        return [f"{who} has only one action."]
    if np.ptp(own) == 0:
        return [f"{who} gets {own[0, 0]:g} whatever happens: every strategy is a best response."]
    warnings = []
    if own.shape[1] > 1 and np.all(np.ptp(own, axis=1) == 0):
        warnings.append(f"The payoffs of {who} do not depend on what the others do.")
    by_action = [np.take(np.stack(game.payoffs), a, axis=i + 1) for a in range(own.shape[0])]
    for a, b in itertools.combinations(range(own.shape[0]), 2):
        first, second = (f"{game.action_names[i][k]!r}" for k in (a, b))
        if np.array_equal(by_action[a], by_action[b]):
            warnings.append(
                f"Actions {first} and {second} of {who} are duplicates: they pay everybody the same."
            )
        elif np.array_equal(own[a], own[b]):
            warnings.append(f"Actions {first} and {second} of {who} always pay {who} the same.")
    for b in range(own.shape[0]):
        strictly = np.flatnonzero(np.all(own > own[b], axis=1))
        weakly = np.flatnonzero(np.all(own >= own[b], axis=1) & np.any(own > own[b], axis=1))
        if len(weakly):
            kind, a = ("strictly", strictly[0]) if len(strictly) else ("weakly", weakly[0])
            names = game.action_names[i]
            warnings.append(f"Action {names[b]!r} of {who} is {kind} dominated by {names[a]!r}.")
    return warnings


def _scale_warnings(game: NormalFormGame) -> list[str]:
    warnings = []
    ranges = game.payoff_ranges()
    positive = ranges[ranges > 0]
    if len(positive) > 1 and np.max(positive) / np.min(positive) > _LARGE_RATIO:
        warnings.append(
            f"Payoff ranges differ between players by a factor of {np.max(positive) / np.min(positive):.0e}."
        )
    for i, tensor in enumerate(game.payoffs):
        if 0 < ranges[i] * _LARGE_RATIO < np.max(np.abs(tensor)):
            warnings.append(
                f"The payoffs of {game.player_names[i]} are large beside their differences ({ranges[i]:g}); "
                "subtract a constant to keep accuracy."
            )
    return warnings


def _name_warnings(game: NormalFormGame | MarkovGame) -> list[str]:
    warnings = []
    if len(set(game.player_names)) < game.num_players:
        warnings.append("Two players have the same name.")
    for who, names in zip(game.player_names, game.action_names, strict=True):
        if len(set(names)) < len(names):
            warnings.append(f"Two actions of {who} have the same name.")
    if isinstance(game, MarkovGame) and len(set(game.state_names)) < game.num_states:
        warnings.append("Two states have the same name.")
    return warnings
