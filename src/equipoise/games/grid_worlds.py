"""The grid worlds of published experiments, and stand-ins where only their story is published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from equipoise.games.grid import grid_game
from equipoise.games.markov import MarkovGame

PAPER_MAP = ("2....A", "x.....", "x.....", "x.....", "x.....", "1....B")
CODE_MAP = ("2.A", "x..", "x..", "1.B")
_COOPERATION_MAP = ("ccA..", "cc...", "...dd", "...dd", "B..dd")


def cliff_walk(
    version: Literal["paper", "code"] = "paper",
    *,
    rows: Sequence[str] | None = None,
    floor: float | int | None = None,
    cliff: float | int = -2.0,
    goal: float | int = 1.0,
    success: float | int = 0.9,
    near_success: float | int = 0.5,
    discount: float | int | None = None,
    horizon: int | None = None,
) -> MarkovGame:
    """Two agents cross a cliff to their goals, and stumble more where they are close to each other.

    Mazumdar, Panaganti and Shi (2024), arXiv 2406.14156. An intended move succeeds for both agents with
    probability .9, or .5 where they are within one cell; otherwise both step to one of their neighbouring
    cells, all pairs equally likely.

    Args:
        version: "paper" is 6x6; an agent that falls (-2) or reaches its goal (+1) is paid once and stays
            there; floor pays 0; 200 moves. "code" is the map 4x3 of the authors' program; agents are paid in
            every step for the cell they are in (floor .1, goal 1, cliff -2), and leave it again; 15 moves.
        rows: another map, as in `grid_game`.
        floor: payment on the floor; 0 in the paper's version, .1 in the code's.
        cliff: payment at the cliff.
        goal: payment at the own goal.
        success: probability that moves succeed.
        near_success: the same where the agents are within one cell.
        discount: factor on the future, instead of a horizon.
        horizon: number of moves; 200 or 15 unless a discount is given.

    Returns:
        The game. The start, the corner opposite to the own goal, and the place of the cliff on the 6x6 map
        (as on the small one) are ours: the paper's are not known.
    """
    if version not in ("paper", "code"):
        raise ValueError(f"version must be 'paper' or 'code', got {version!r}")
    paper = version == "paper"
    if horizon is None and discount is None:
        horizon = 200 if paper else 15
    if floor is None:
        floor = 0.0 if paper else 0.1
    if rows is None:
        rows = PAPER_MAP if paper else CODE_MAP
    payments = {".": floor, "x": cliff, "1": goal, "2": goal}
    return grid_game(
        rows,
        {kind: paid for kind, paid in payments.items() if any(kind in row for row in rows)},
        discount=discount,
        horizon=horizon,
        success=success,
        near_success=near_success,
        failure="neighbours",
        together=True,
        absorbing="x12" if paper else "",
        paid="on_arrival" if paper else "every_step",
        title=f"Cliff walk, the {version}'s version",
    )


def cooperation_grid(
    *,
    together: float | int = 1.0,
    defect: float | int = 0.4,
    success: float | int = 0.9,
    discount: float | int | None = None,
    horizon: int | None = None,
) -> MarkovGame:
    """Two agents on a 5x5 grid with a zone that pays only both, and a zone that pays anybody.

    The rules are ours: Zhang and Mazumdar (2026), arXiv 2602.12386, publish only that there are a cooperation
    and a defection zone. Each agent moves or stays; a move slips to one of its sides with probability .1.

    Args:
        together: what the cooperation zone pays each agent per step while both are in it; alone it pays 0.
        defect: what the defection zone pays an agent per step.
        success: probability that a move succeeds.
        discount: factor on the future; .95 unless a horizon is given.
        horizon: number of moves.
    """

    def payments(characters: np.ndarray) -> np.ndarray:
        both = np.all(characters == "c", axis=1)
        return np.stack([together * both + defect * (own == "d") for own in characters.T])

    return grid_game(
        _COOPERATION_MAP,
        payments,
        discount=0.95 if discount is None and horizon is None else discount,
        horizon=horizon,
        success=success,
        failure="sideways",
        can_stay=True,
        title="Cooperation grid (rules ours)",
    )
