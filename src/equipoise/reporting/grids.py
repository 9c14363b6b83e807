"""The same picture for several cases side by side, with shared axes and one legend."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Num

from equipoise.reporting.figures import Branch, Mark, draw_branches
from equipoise.reporting.style import FAINT, INK, PALETTE, canvas, headline, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

UNSTABLE = (0, (4, 2.5))
REFERENCES = ((0, (1, 1.5)), (0, (6, 1.5, 1, 1.5)), (0, (6, 2)))


@dataclass(frozen=True, eq=False)
class BranchPanel:
    """One panel of branches.

    Attributes:
        branches: the branches.
        bifurcations: points where they meet or turn.
        lines: vertical lines by name, for example where a theorem begins.
        note: a remark written into the panel.
    """

    branches: Sequence[Branch]
    bifurcations: Sequence[Mark] = ()
    lines: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


@styled
def branch_grid(
    panels: Mapping[str, BranchPanel],
    *,
    xlabel: str,
    ylabel: str,
    limits: tuple[float, float],
    logarithmic: bool = False,
    columns: int = 2,
    title: str = "",
) -> Figure:
    """Draw equilibrium branches for several cases: stable solid, unstable dashed.

    Args:
        panels: what each panel shows, by its heading.
        xlabel: name of the parameter.
        ylabel: what is drawn against it, a probability.
        limits: ends of the parameter axis.
        logarithmic: logarithmic parameter axis.
        columns: panels in a row.
        title: heading of the whole figure.

    Returns:
        The figure; a vertical line of one name looks the same in all panels.
    """
    rows = math.ceil(len(panels) / columns)
    figure, axes = canvas(3.5 * columns + 0.4, 2.6 * rows + 0.7 + (0.3 if title else 0.0), rows, columns)
    named: dict[str, Line2D] = {}
    for ax, (heading, panel) in zip(axes, panels.items(), strict=False):
        draw_branches(ax, panel.branches, panel.bifurcations)
        for name, place in panel.lines.items():
            dash = REFERENCES[(list(named).index(name) if name in named else len(named)) % len(REFERENCES)]
            line = ax.axvline(place, color=FAINT, linewidth=1.2, linestyle=dash, zorder=0)
            named.setdefault(name, line)
        if logarithmic:
            ax.set_xscale("log")
        ax.set(xlim=limits, ylim=(-0.03, 1.03))
        ax.set_title(heading)
        ax.text(0.97, 0.94, panel.note, transform=ax.transAxes, ha="right", va="top", fontsize=8.5, color=INK)
    _outer_labels(axes, len(panels), columns, xlabel, ylabel)
    figure.legend(
        [
            *axes[0].plot([], [], color=INK, linewidth=2.0),
            *axes[0].plot([], [], color=INK, linewidth=1.4, linestyle=UNSTABLE),
            *named.values(),
        ],
        ["stable", "unstable", *named],
        loc="outside lower center",
        ncols=min(3, 2 + len(named)),
    )
    headline(figure, title)
    return figure


@styled
def curve_grid(
    panels: Mapping[str, Mapping[str, tuple[Num[np.ndarray, " _"], Float[np.ndarray, " _"]]]],
    *,
    xlabel: str,
    ylabel: str,
    limits: tuple[float, float] | None = None,
    slopes: Mapping[str, float] | None = None,
    dashed: Sequence[str] = (),
    columns: int = 2,
    title: str = "",
) -> Figure:
    """Draw errors against work on logarithmic axes for several cases.

    Args:
        panels: for each panel its curves by name: steps and errors, both positive; a curve of one name has
            one colour in all panels. Points with a zero or missing error are left out.
        xlabel: what the steps are.
        ylabel: what the error is.
        limits: ends of the error axis.
        slopes: reference lines by name, each an exponent (-0.5 for one over the square root).
        dashed: names of curves to dash.
        columns: panels in a row.
        title: heading of the whole figure.

    Returns:
        The figure.
    """
    rows = math.ceil(len(panels) / columns)
    figure, axes = canvas(3.5 * columns + 0.4, 2.7 * rows + 0.9 + (0.3 if title else 0.0), rows, columns)
    named: dict[str, Line2D] = {}
    for ax, (heading, curves) in zip(axes, panels.items(), strict=False):
        ax.set(xscale="log", yscale="log")
        for name, (steps, errors) in curves.items():
            rank = list(named).index(name) if name in named else len(named)
            shown = np.isfinite(errors) & (errors > 0) & (steps > 0)
            (line,) = ax.plot(
                steps[shown],
                errors[shown],
                color=PALETTE[rank % len(PALETTE)],
                linestyle=UNSTABLE if name in dashed else "-",
                # Later curves are thinner, so that those they cover can still be seen.
                linewidth=max(1.2, 3.0 - 0.4 * rank),
            )
            named.setdefault(name, line)
        if limits is not None:
            ax.set_ylim(*limits)
        _slope_lines(ax, slopes or {})
        ax.set_title(heading)
    _outer_labels(axes, len(panels), columns, xlabel, ylabel)
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=min(3, len(named)))
    headline(figure, title)
    return figure


def _slope_lines(ax: Axes, slopes: Mapping[str, float]) -> None:
    (bottom, top), (left, right) = ax.get_ylim(), ax.dataLim.intervalx
    steps = np.geomspace(left, right, 50)
    for k, (name, exponent) in enumerate(slopes.items()):
        line = top / 2.0 ** (k + 1) * (steps / left) ** exponent
        ax.plot(steps, line, color=FAINT, linewidth=1.0, linestyle=(0, (1, 2)))
        end = int(np.flatnonzero(line >= bottom)[-1])
        ax.annotate(
            name,
            (steps[end], line[end]),
            xytext=(-2, 5),
            textcoords="offset points",
            ha="right",
            fontsize=8.5,
            color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.5},
            zorder=6,
        )
    ax.set_ylim(bottom, top)


def _outer_labels(axes: Sequence[Axes], count: int, columns: int, xlabel: str, ylabel: str) -> None:
    """Label the outer axes only, and hide those without a panel."""
    for k, ax in enumerate(axes):
        ax.set_visible(k < count)
        if k % columns == 0:
            ax.set_ylabel(ylabel)
        if k + columns >= count:
            ax.set_xlabel(xlabel)
