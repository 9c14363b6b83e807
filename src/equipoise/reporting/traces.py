"""Paths of equilibria as tables and a picture for people, and as plain objects for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.reporting.tables import Table, format_number, jsonable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from equipoise.equilibria import Curve, Trace

SYMBOLS = {"risk_aversion": "τ", "bounded_rationality": "ε", "precision": "λ"}
# Beyond this ratio of its ends a range is drawn on a logarithmic axis.
WIDE = 20.0


def point_table(trace: Trace) -> Table:
    """Every point of every branch, in the order it was traced: what a data file wants.

    Args:
        trace: the branches.

    Returns:
        The table: name of the branch, the parameter, one column per player and action, index and stability.
    """
    game = trace.game
    actions = [
        f"{player}: {action}"
        for player, names in zip(game.player_names, game.action_names, strict=True)
        for action in names
    ]
    rows: list[list[object]] = []
    for curve in trace.curves:
        probabilities = np.hstack(curve.strategies)
        for k, value in enumerate(curve.parameter):
            rows.append(
                [curve.name, value, *probabilities[k], int(curve.index[k]), bool(curve.stable[k])],
            )
    return Table(["branch", trace.parameter, *actions, "index", "stable"], rows)


def branch_table(trace: Trace) -> Table:
    """The branches, one row each: where they live, their index and stability.

    Args:
        trace: the branches.
    """
    rows: list[list[object]] = [
        [
            curve.name,
            format_number(float(curve.parameter.min())),
            format_number(float(curve.parameter.max())),
            ", ".join(f"{sign:+d}" for sign in np.unique(curve.index)[::-1]),
            "yes" if curve.stable.all() else "in part" if curve.stable.any() else "no",
            len(curve.parameter),
        ]
        for curve in trace.curves
    ]
    symbol = SYMBOLS[trace.parameter]
    return Table(["branch", f"lowest {symbol}", f"highest {symbol}", "index", "stable", "points"], rows)


def bifurcation_table(trace: Trace) -> Table:
    """Where branches turn or cross, one row each.

    Args:
        trace: the branches.
    """
    rows: list[list[object]] = [
        [
            met.kind,
            format_number(met.parameter),
            met.curve,
            "; ".join(", ".join(format_number(float(p)) for p in own) for own in met.strategies),
        ]
        for met in trace.bifurcations
    ]
    return Table(["bifurcation", SYMBOLS[trace.parameter], "met on", "strategies there"], rows)


def trace_to_dict(trace: Trace) -> dict[str, object]:
    """A path as plain objects that `json` can write.

    Args:
        trace: the branches.

    Returns:
        Game, concept, branches with every point, bifurcations, and whether the branches are complete.
    """
    game = trace.game

    def by_action(strategies: tuple[np.ndarray, ...]) -> dict[str, object]:
        return {
            player: dict(zip(names, jsonable(own.T), strict=True))  # type: ignore[call-overload]
            for player, names, own in zip(game.player_names, game.action_names, strategies, strict=True)
        }

    return {
        "game": {"title": game.title, "players": game.player_names, "actions": game.action_names},
        "concept": type(trace.concept).__name__,
        "parameter": trace.parameter,
        "branches": [
            {
                "name": curve.name,
                "parameter": jsonable(curve.parameter),
                "strategies": by_action(curve.strategies),
                "index": jsonable(curve.index),
                "stable": jsonable(curve.stable),
            }
            for curve in trace.curves
        ],
        "bifurcations": [
            {
                "kind": met.kind,
                "parameter": met.parameter,
                "strategies": by_action(met.strategies),
                "branch": met.curve,
            }
            for met in trace.bifurcations
        ],
        "complete": trace.complete,
    }


def trace_figure(trace: Trace, player: int = 0) -> Figure:
    """The branches as one player sees them: its action whose probability varies most.

    Args:
        trace: the branches.
        player: whose action is drawn, counted from 0.

    Returns:
        The figure: stable stretches solid, unstable ones dashed, folds and crossings marked.

    Raises:
        ValueError: the game has no such player.
    """
    from equipoise.reporting.figures import Branch, Mark, path

    game = trace.game
    if not 0 <= player < game.num_players:
        raise ValueError(f"player must be from 0 to {game.num_players - 1}, got {player}")
    action = _liveliest(trace.curves, player)
    name, symbol = trace.parameter.replace("_", " "), SYMBOLS[trace.parameter]
    ends = np.concatenate([curve.parameter for curve in trace.curves])
    return path(
        [Branch(c.parameter, c.strategies[player][:, action], c.stable, c.name) for c in trace.curves],
        xlabel=f"{name} {symbol}",
        ylabel=f"probability that {game.player_names[player]} plays {game.action_names[player][action]}",
        title=game.title,
        bifurcations=[
            Mark(b.parameter, float(b.strategies[player][action]), f"{b.kind}, {symbol} = {b.parameter:.3g}")
            for b in trace.bifurcations
        ],
        logarithmic=bool(ends.min() > 0.0 and ends.max() > WIDE * ends.min()),
    )


def _liveliest(curves: tuple[Curve, ...], player: int) -> int:
    """The action of a player whose probability covers the widest range, the first of equals."""
    points = np.vstack([curve.strategies[player] for curve in curves])
    spans = np.ptp(points, axis=0)
    return int(np.flatnonzero(spans >= spans.max() - 1e-9)[0])
