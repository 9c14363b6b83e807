"""Solutions as tables for people and as plain objects for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from equipoise.reporting.tables import Table, format_number, jsonable

if TYPE_CHECKING:
    from equipoise.equilibria import MarkovSolution, Solution

# Beyond this many actions of one player, those played less than `NEGLIGIBLE` are left out of the table.
LONG = 12
NEGLIGIBLE = 1e-6


def strategy_table(solutions: Sequence[Solution]) -> Table:
    """Who plays what how often: one row per action, one column per solution.

    Args:
        solutions: one or more solutions of the same game.

    Returns:
        The table. Of a player with many actions only those are shown that some solution plays.
    """
    game = solutions[0].game
    rows: list[list[object]] = []
    hidden = 0
    for i, (player, actions) in enumerate(zip(game.player_names, game.action_names, strict=True)):
        first = True
        for a, action in enumerate(actions):
            probabilities = [float(solution.strategies[i][a]) for solution in solutions]
            if len(actions) > LONG and max(probabilities) < NEGLIGIBLE:
                hidden += 1
                continue
            rows.append([player if first else "", action, *probabilities])
            first = False
    caption = f"{hidden} actions with a probability below {NEGLIGIBLE:g} are not shown" if hidden else ""
    return Table(["player", "action", *_headings(len(solutions), "probability")], rows, caption)


def joint_table(solution: Solution) -> Table:
    """The law over joint actions of a correlated solution, most likely first.

    Args:
        solution: a solution with a `joint` law.

    Returns:
        One row per joint action in the support.

    Raises:
        ValueError: the solution has no joint law.
    """
    if solution.joint is None:
        raise ValueError(f"{solution.concept.name} has no joint law: its players act independently")
    game = solution.game
    law = solution.joint.ravel()
    cells = list(product(*game.action_names))
    order = [int(k) for k in np.argsort(-law, kind="stable") if law[k] >= NEGLIGIBLE]
    return Table([*game.player_names, "probability"], [[*cells[k], float(law[k])] for k in order])


def evidence_table(solutions: Sequence[Solution]) -> Table:
    """Values, certificate and status: one row per quantity, one column per solution.

    Args:
        solutions: one or more solutions of the same game.

    Returns:
        The table; every number is formatted on its own.
    """
    game = solutions[0].game
    rows: list[list[object]] = [
        [f"value, {player}", *(format_number(float(s.values[i])) for s in solutions)]
        for i, player in enumerate(game.player_names)
    ]
    rows += [
        ["exploitability, at most", *(format_number(float(s.certificate.gap)) for s in solutions)],
        ["exploitability, at least", *(format_number(float(s.certificate.lower)) for s in solutions)],
        ["Nash gap", *(format_number(float(s.certificate.nash_gap)) for s in solutions)],
        ["converged", *(s.converged for s in solutions)],
        ["iterations", *(s.iterations for s in solutions)],
    ]
    rows += [
        [name, *(s.details.get(name) for s in solutions)]
        for name in ("index", "stable")
        if any(name in s.details for s in solutions)
    ]
    if any(s.branch for s in solutions):
        rows.append(["branch", *(s.branch or None for s in solutions)])
    return Table(["", *_headings(len(solutions), "")], rows)


def solution_to_dict(solution: Solution) -> dict[str, object]:
    """A solution as plain objects that `json` can write.

    Args:
        solution: the solution.

    Returns:
        Concept with parameters, strategies and values by player and action, certificate, status and
        the solver's details; the game itself is left out.
    """
    game = solution.game
    return {
        "concept": solution.concept.name,
        "parameters": parameters(solution.concept),
        "strategies": {
            player: dict(zip(actions, jsonable(strategy), strict=True))  # type: ignore[call-overload]
            for player, actions, strategy in zip(
                game.player_names, game.action_names, solution.strategies, strict=True
            )
        },
        "joint": jsonable(solution.joint),
        "values": dict(zip(game.player_names, jsonable(solution.values), strict=True)),  # type: ignore[call-overload]
        **evidence_to_dict(solution),
        "details": jsonable(dict(solution.details)),
    }


def evidence_to_dict(solution: Solution | MarkovSolution) -> dict[str, object]:
    """What there is to say for a solution, for machines: certificate, convergence, branch.

    Args:
        solution: of a game in normal form, or of a Markov game.
    """
    certificate = solution.certificate
    return {
        "certificate": {
            "measured_in": certificate.concept,
            "gap": jsonable(certificate.gap),
            "gap_per_player": jsonable(certificate.gap_per_player),
            "lower": jsonable(certificate.lower),
            "nash_gap": jsonable(certificate.nash_gap),
        },
        "converged": bool(solution.converged),
        "iterations": int(solution.iterations),
        "residual": jsonable(solution.residual),
        "branch": solution.branch,
        "status": solution.status,
    }


def parameters(concept: object) -> dict[str, object]:
    """The parameters of a concept by name, as plain objects.

    Args:
        concept: a solution concept.

    Returns:
        Its public fields; empty for a concept that is not a dataclass.
    """
    if not is_dataclass(concept):
        return {}
    return {f.name: jsonable(getattr(concept, f.name)) for f in fields(concept) if f.init}


def _headings(count: int, single: str) -> list[str]:
    return [single] if count == 1 else [f"#{k}" for k in range(1, count + 1)]
