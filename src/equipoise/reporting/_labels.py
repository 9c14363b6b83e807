"""Names beside points, placed so that they cover neither points nor each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LETTER = 0.64  # width and height of an average letter, in units of the font size
LINE = 1.05
MARGIN = 1.5  # kept free around every text, in typographic points
DIRECTIONS = tuple(p for p in product((1, 0, -1), (1, 0, -1)) if p != (0, 0))


def label_points(
    ax: Axes, points: Sequence[tuple[float, float, str]], *, size: float = 8.0, colour: str = "black"
) -> None:
    """Write a name beside each point, where there is room; a line joins them when it is far.

    Args:
        ax: the axes, with their final limits and scales.
        points: position in data units, and name.
        size: of the font.
        colour: of text and lines.
    """
    figure = ax.get_figure()
    assert figure is not None
    figure.draw_without_rendering()  # type: ignore[union-attr]
    unit = figure.dpi / 72.0
    at = ax.transData.transform([(x, y) for x, y, _ in points]) / unit if points else np.zeros((0, 2))
    half_marker = 3.5
    taken = [(x - half_marker, y - half_marker, x + half_marker, y + half_marker) for x, y in at]
    frame = ax.get_window_extent()
    inside = tuple(edge / unit for edge in (frame.x0, frame.y0, frame.x1, frame.y1))
    for (x, y), (px, py, name) in zip(at, points, strict=True):
        width, height = LETTER * size * len(name), LINE * size
        best: tuple[float, tuple[float, float], tuple[float, float, float, float]] | None = None
        for reach, (h, v) in product((5.0, 10.0, 17.0, 26.0), DIRECTIONS):
            # Lower left corner of the text relative to the point.
            dx = h * reach - width * (0.0 if h > 0 else 0.5 if h == 0 else 1.0)
            dy = v * reach - height * (0.0 if v > 0 else 0.5 if v == 0 else 1.0)
            box = (x + dx - MARGIN, y + dy - MARGIN, x + dx + width + MARGIN, y + dy + height + MARGIN)
            outside = _area(box) - _overlap(box, inside)
            cost = sum(_overlap(box, other) for other in taken) + 3.0 * outside + 0.6 * reach
            if best is None or cost < best[0]:
                best = (cost, (dx, dy), box)
        assert best is not None
        _, (dx, dy), box = best
        taken.append(box)
        far = min(abs(dx), abs(dx + width)) > 9.0 or min(abs(dy), abs(dy + height)) > 9.0
        ax.annotate(
            name,
            (px, py),
            xytext=(dx, dy),
            textcoords="offset points",
            fontsize=size,
            color=colour,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "alpha": 0.6} if far else None,
        )


def _area(box: tuple[float, ...]) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return _area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))
