"""Training runs as tables, curves and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from equipoise.learning import Run
from equipoise.reporting.style import FAINT, INK, PALETTE, styled
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ROWS = 24  # policies longer than this are for files, not for screens
WIDE = 100.0  # a positive metric that varies by more than this factor is drawn on a logarithmic axis


def final_table(run: Run) -> Table:
    """The metrics at the last record: their median over seeds, and the range.

    Args:
        run: the run.
    """
    rows = [
        [name, float(np.median(values[-1])), float(values[-1].min()), float(values[-1].max())]
        for name, values in run.metrics.items()
    ]
    return Table(["metric", "median", "lowest", "highest"], rows, f"After {run.steps} steps, over seeds.")


def policy_table(run: Run) -> list[Table]:
    """What players do in the end, one table per player; none where policies are long.

    Args:
        run: the run.

    Returns:
        Tables with a row per state (and step) and a column per action: medians over seeds, and the widest
        range over seeds in the row.
    """
    tables = []
    for i, policy in enumerate(run.policies):
        seeds, *index, actions = policy.shape
        flat = policy.reshape(seeds, -1, actions)
        if flat.shape[1] > MOST_ROWS:
            continue
        middle, spread = np.median(flat, axis=0), np.ptp(flat, axis=0).max(axis=1)
        labels = _labels(run.game, index)
        names = [str(name) for name in _actions(run.game, i, actions)]
        rows = [
            [label, *map(float, law), float(width)]
            for label, law, width in zip(labels, middle, spread, strict=True)
        ]
        where = "step, state" if len(index) == 2 else "state" if index else ""
        player = getattr(run.game, "player_names", None)
        who = player[i] if player else f"Player {i + 1}"
        tables.append(Table([where, *names, "range over seeds"], rows, f"{who}: probability of each action."))
    return tables


def _labels(game: Any, index: Sequence[int]) -> list[str]:
    if not index:
        return [""]
    states = getattr(game, "state_names", None) or [str(s + 1) for s in range(index[-1])]
    if len(index) == 1:
        return list(states)
    return [f"{h}, {name}" for h in range(index[0]) for name in states]


def _actions(game: Any, player: int, count: int) -> Sequence[str]:
    names = getattr(game, "action_names", None)
    return names[player] if names else [str(a + 1) for a in range(count)]


def run_to_dict(run: Run) -> dict[str, object]:
    """A run for machines: settings are in its folder, here are its results.

    Args:
        run: the run.
    """
    return {
        "learner": run.learner.name,
        "seeds": run.seeds,
        "seed": run.seed,
        "steps": run.steps,
        "updates": run.updates,
        "directory": None if run.directory is None else str(run.directory),
        "at": run.at.tolist(),
        "metrics": {name: values.tolist() for name, values in run.metrics.items()},
        "policies": [policy.tolist() for policy in run.policies],
    }


@styled
def draw_metrics(run: Run) -> Figure:
    """One panel per metric against samples: every seed, and the median.

    Args:
        run: a run with at least one metric.

    Raises:
        ValueError: it has none.
    """
    from matplotlib.figure import Figure

    if not run.metrics:
        raise ValueError("the run has no metrics to draw")
    count = len(run.metrics)
    columns = min(count, 3)
    rows = -(-count // columns)
    figure = Figure(figsize=(3.6 * columns + 0.4, 2.6 * rows + 0.4), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, (name, values) in zip(axes, run.metrics.items(), strict=False):
        _panel(ax, run.at, values, name)
    for ax in axes[count:]:
        ax.set_visible(False)
    figure.supxlabel("samples per seed", color=INK, fontsize=10)
    return figure


def _panel(ax: Axes, at: np.ndarray, values: np.ndarray, name: str) -> None:
    ax.set_title(name)
    if values.shape[1] > 1:
        ax.plot(at, values, color=FAINT, linewidth=0.6, alpha=0.6)
    ax.plot(at, np.median(values, axis=1), color=PALETTE[0])
    positive = values[values > 0.0]
    if positive.size == values.size and positive.max() > WIDE * positive.min():
        ax.set_yscale("log")
