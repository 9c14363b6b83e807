"""The pictures: one style, plain `Figure` objects, no global state.

Every function returns a matplotlib `Figure` that belongs to nobody else (no pyplot, no window);
`save` writes it as PNG or SVG, `Report.figure` embeds it in a page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Num

from equipoise.reporting.style import FAINT, INK, MARKERS, PALETTE, canvas, headline, save, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "Branch",
    "Mark",
    "Series",
    "convergence",
    "dots",
    "observed_against_predicted",
    "path",
    "regions",
    "save",
]

Curve = Callable[[Float[np.ndarray, " points"]], Float[np.ndarray, " points"]]


@dataclass(frozen=True, eq=False)
class Branch:
    """One branch of an equilibrium path.

    Attributes:
        parameter: where the points lie, shape `[points]`, in the order they were traced.
        value: what is drawn against it (usually one action's probability), shape `[points]`.
        stable: whether each point is stable, shape `[points]`; unstable stretches are dashed.
        label: name in the legend.
    """

    parameter: Float[np.ndarray, " points"]
    value: Float[np.ndarray, " points"]
    stable: Bool[np.ndarray, " points"]
    label: str


@dataclass(frozen=True)
class Mark:
    """A named point in a picture, such as a bifurcation or a published parameter.

    Attributes:
        x: horizontal position.
        y: vertical position.
        label: text written beside it, may be empty.
    """

    x: float
    y: float
    label: str = ""


@dataclass(frozen=True, eq=False)
class Series:
    """One set of values to compare, with intervals where they are known.

    Attributes:
        label: name in the legend.
        values: shape `[items]`; NaN where there is none.
        low: lower ends of the intervals, `[items]`, or None.
        high: upper ends, `[items]`, or None.
    """

    label: str
    values: Float[np.ndarray, " items"]
    low: Float[np.ndarray, " items"] | None = None
    high: Float[np.ndarray, " items"] | None = None


@styled
def observed_against_predicted(
    observed: Mapping[str, Float[np.ndarray, " _"]],
    predicted: Mapping[str, Mapping[str, Float[np.ndarray, " _"]]],
    *,
    labels: Sequence[str] = (),
    title: str = "",
) -> Figure:
    """Scatter what people did against what each theory says, one panel per theory.

    Args:
        observed: probabilities seen, by what they are of ("row plays U"), each `[points]`.
        predicted: for each theory, the probabilities it predicts under the same keys.
        labels: a short name per point, written beside those that are more than 0.1 off.
        title: heading of the whole figure.

    Returns:
        The figure; the diagonal is perfect prediction, each panel states its root mean square error.

    Raises:
        ValueError: a theory lacks a key or has another number of points.
    """
    columns = 2 if len(predicted) == 4 else min(3, len(predicted))
    rows = math.ceil(len(predicted) / columns)
    figure, axes = canvas(columns * 3.3 + 0.4, rows * 3.3 + (0.5 if title else 0.1) + 0.4, rows, columns)
    for panel, (theory, values) in enumerate(predicted.items()):
        ax = axes[panel]
        ax.plot([0, 1], [0, 1], color=FAINT, linewidth=1.0, zorder=1)
        errors = []
        for k, (name, seen) in enumerate(observed.items()):
            if name not in values or np.shape(values[name]) != np.shape(seen):
                raise ValueError(
                    f"predicted[{theory!r}] needs {len(seen)} values under {name!r}, as observed has"
                )
            said = np.asarray(values[name])
            errors.append(said - seen)
            ax.scatter(
                said,
                seen,
                s=34,
                color=PALETTE[k],
                marker=MARKERS[k],
                edgecolor="white",
                linewidth=0.6,
                label=name,
                zorder=3,
            )
            for text, x, y in zip(labels, said, seen, strict=bool(labels)):
                if abs(x - y) > 0.1:
                    ax.annotate(
                        text, (x, y), xytext=(5, -3), textcoords="offset points", fontsize=8, color=FAINT
                    )
        error = float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))
        ax.set_title(theory)
        ax.text(0.97, 0.04, f"RMS error {error:.3f}", transform=ax.transAxes, ha="right", fontsize=9)
        ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
        if panel % columns == 0:
            ax.set_ylabel("observed")
        if panel + columns >= len(predicted):
            ax.set_xlabel("predicted")
    for ax in axes[len(predicted) :]:
        ax.set_visible(False)
    if len(observed) > 1:
        axes[0].legend(loc="upper left", handletextpad=0.2)
    headline(figure, title)
    return figure


@styled
def dots(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    xlabel: str,
    title: str = "",
    reference: float | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Compare several values per item on one line each, with intervals where given.

    Args:
        labels: the items, one line each, first at the top.
        series: what is compared; each has one value per item.
        xlabel: what the values are, with unit.
        title: heading.
        reference: a value to draw a vertical line at (for example zero).
        limits: ends of the axis, from the data by default.

    Returns:
        The figure.

    Raises:
        ValueError: a series does not have one value per label.
    """
    height = max(0.36, 0.14 * len(series))
    figure, (ax,) = canvas(6.6, 1.3 + height * len(labels) + (0.3 if title else 0.0))
    places = np.arange(len(labels), dtype=float)
    step = min(0.22, 0.76 / max(1, len(series)))
    for k, one in enumerate(series):
        if len(one.values) != len(labels):
            raise ValueError(f"series {one.label!r} has {len(one.values)} values for {len(labels)} labels")
        y = places + (k - (len(series) - 1) / 2) * step
        colour = PALETTE[k % len(PALETTE)]
        if one.low is not None and one.high is not None:
            ax.hlines(y, one.low, one.high, color=colour, linewidth=1.6, alpha=0.7)
        ax.plot(
            one.values,
            y,
            linestyle="none",
            marker=MARKERS[k % len(MARKERS)],
            color=colour,
            markeredgecolor="white",
            markeredgewidth=0.6,
            label=one.label,
        )
    if reference is not None:
        ax.axvline(reference, color=FAINT, linewidth=1.0, zorder=0)
    ax.set_yticks(places, labels)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.set_xlabel(xlabel)
    if limits is not None:
        ax.set_xlim(*limits)
    if len(series) > 1:
        # About ninety letters fit below the axes.
        columns = min(4, len(series), max(1, 90 // (6 + max(len(one.label) for one in series))))
        figure.legend(loc="outside lower center", ncols=columns, handletextpad=0.3)
    headline(figure, title)
    return figure


@styled
def path(
    branches: Sequence[Branch],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    bifurcations: Sequence[Mark] = (),
    logarithmic: bool = False,
) -> Figure:
    """Draw equilibrium branches against a parameter: stable solid, unstable dashed.

    Args:
        branches: the branches, each in the order it was traced (folds are drawn as such).
        xlabel: name of the parameter.
        ylabel: what is drawn against it.
        title: heading.
        bifurcations: points where branches meet or turn, marked with an open circle.
        logarithmic: logarithmic parameter axis.

    Returns:
        The figure.
    """
    figure, (ax,) = canvas(6.6, 4.2)
    any_unstable = draw_branches(ax, branches, bifurcations)
    if logarithmic:
        ax.set_xscale("log")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if any_unstable:
        ax.plot([], [], color=FAINT, linestyle=(0, (4, 2.5)), linewidth=1.4, label="unstable")
    if len(branches) > 1 or any_unstable:
        ax.legend()
    headline(figure, title)
    return figure


@styled
def convergence(
    curves: Mapping[str, tuple[Num[np.ndarray, " _"], Float[np.ndarray, " _"]]],
    *,
    xlabel: str = "iterations",
    ylabel: str = "error",
    title: str = "",
    slopes: Mapping[str, float] | None = None,
    logarithmic_steps: bool = True,
) -> Figure:
    """Draw errors against work on logarithmic axes.

    Args:
        curves: for each method its steps and its errors, both positive, `[points]`; points with a
            zero or missing error are left out.
        xlabel: what the steps are.
        ylabel: what the error is.
        title: heading.
        slopes: reference lines by name, each an exponent (-0.5 for one over the square root).
        logarithmic_steps: False for a linear step axis, on which linear convergence is a line.

    Returns:
        The figure.
    """
    figure, (ax,) = canvas(6.6, 4.2)
    ax.set_yscale("log")
    if logarithmic_steps:
        ax.set_xscale("log")
    for k, (name, (steps, errors)) in enumerate(curves.items()):
        shown = np.isfinite(errors) & (errors > 0) & (steps > 0 if logarithmic_steps else np.isfinite(steps))
        ax.plot(steps[shown], errors[shown], color=PALETTE[k % len(PALETTE)], label=name)
    bottom, top = ax.get_ylim()
    left, right = ax.dataLim.intervalx
    for k, (name, exponent) in enumerate((slopes or {}).items()):
        steps = np.geomspace(left, right, 50)
        # Through the upper left corner, each a little below the one before.
        line = top / 3.0 ** (k + 1) * (steps / left) ** exponent
        ax.plot(steps, line, color=FAINT, linewidth=1.0, linestyle=(0, (1, 2)))
        end = int(np.flatnonzero(line >= bottom)[-1]) if np.any(line >= bottom) else 0
        ax.annotate(
            name,
            (steps[end], line[end]),
            xytext=(-4, 6),
            textcoords="offset points",
            ha="right",
            fontsize=9,
            color=FAINT,
        )
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(bottom, top))
    if len(curves) > 1:
        ax.legend()
    headline(figure, title)
    return figure


@styled
def regions(
    panels: Mapping[
        str,
        tuple[
            Mapping[str, Callable[[Float[np.ndarray, " points"]], Float[np.ndarray, " points"]]],
            Sequence[Mark],
        ],
    ],
    *,
    xlabel: str,
    ylabel: str,
    limits: tuple[tuple[float, float], tuple[float, float]],
    title: str = "",
) -> Figure:
    """Draw the regions above curves, with points in them, on logarithmic axes.

    Args:
        panels: for each panel its curves (name to a function of x, shaded above) and its points.
        xlabel: name of the horizontal axis.
        ylabel: name of the vertical axis.
        limits: ((left, right), (bottom, top)), all positive.
        title: heading of the whole figure.

    Returns:
        The figure.
    """
    from equipoise.reporting._labels import label_points

    (left, right), (bottom, top) = limits
    figure, axes = canvas(0.6 + 3.9 * len(panels), 4.5 + (0.3 if title else 0.0), 1, len(panels))
    x = np.geomspace(left, right, 200)
    lines: dict[str, Any] = {}
    for ax, (name, (curves, marks)) in zip(axes, panels.items(), strict=True):
        for curve, function in curves.items():
            y = function(x)
            colour = PALETTE[list(lines).index(curve) if curve in lines else len(lines)]
            (line,) = ax.plot(x, y, color=colour)
            lines.setdefault(curve, line)
            ax.fill_between(x, np.clip(y, bottom, top), top, color=PALETTE[0], alpha=0.07, linewidth=0)
        ax.scatter(
            [m.x for m in marks],
            [m.y for m in marks],
            s=26,
            color=INK,
            edgecolor="white",
            linewidth=0.5,
            zorder=4,
        )
        ax.set(xscale="log", yscale="log", xlim=(left, right), ylim=(bottom, top), xlabel=xlabel)
        ax.set_title(name)
    axes[0].set_ylabel(ylabel)
    if lines:
        figure.legend(lines.values(), lines.keys(), loc="outside lower center", ncols=min(3, len(lines)))
    headline(figure, title)
    for ax, (_, marks) in zip(axes, panels.values(), strict=True):
        label_points(ax, [(m.x, m.y, m.label) for m in marks], colour=INK)
    return figure


def draw_branches(ax: Axes, branches: Sequence[Branch], bifurcations: Sequence[Mark]) -> bool:
    """Draw branches and bifurcations into axes; tells whether any stretch is unstable."""
    any_unstable = False
    for k, branch in enumerate(branches):
        colour = PALETTE[k % len(PALETTE)]
        runs = _runs(branch.stable)
        named = next((start for start, _ in runs if branch.stable[start]), runs[0][0])
        for start, stop in runs:
            stable = bool(branch.stable[start])
            any_unstable |= not stable
            # One point of overlap, so that the curve does not break where stability changes.
            piece = slice(max(start - 1, 0), stop)
            ax.plot(
                branch.parameter[piece],
                branch.value[piece],
                color=colour,
                linestyle="-" if stable else (0, (4, 2.5)),
                linewidth=2.0 if stable else 1.4,
                label=branch.label if start == named else None,
            )
    for mark in bifurcations:
        ax.plot(
            mark.x, mark.y, marker="o", markersize=8, markerfacecolor="white", markeredgecolor=INK, zorder=5
        )
        halo = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.0}
        place = (mark.x, mark.y)
        ax.annotate(mark.label, place, (10, 12), textcoords="offset points", fontsize=9, bbox=halo)
    return any_unstable


def _runs(flags: Bool[np.ndarray, " points"]) -> list[tuple[int, int]]:
    """First and one-past-last index of each stretch of equal flags."""
    edges = [0, *(np.flatnonzero(np.diff(flags.astype(int))) + 1).tolist(), len(flags)]
    return [(a, b) for a, b in pairwise(edges) if b > a]
