"""Names beside points do not cover each other."""

import numpy as np
from matplotlib.text import Text

from equipoise.reporting._labels import label_points
from equipoise.reporting.style import canvas


def test_names_of_crowded_points_do_not_overlap():
    figure, (ax,) = canvas(4.0, 4.0)
    ax.set(xlim=(0.0, 1.0), ylim=(0.0, 1.0))
    rng = np.random.default_rng(0)
    points = [
        (0.5 + 0.03 * x, 0.5 + 0.03 * y, f"p{k}") for k, (x, y) in enumerate(rng.standard_normal((8, 2)))
    ]
    points.append((1.0, 1.0, "corner"))
    label_points(ax, points)
    figure.draw_without_rendering()
    # Without the lines that join far names to their points.
    boxes = [Text.get_window_extent(text) for text in ax.texts]
    assert [text.get_text() for text in ax.texts] == [name for *_, name in points]
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])
    frame = ax.get_window_extent()
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 and box.y1 <= frame.y1 for box in boxes)


def test_nothing_to_name():
    _, (ax,) = canvas(2.0, 2.0)
    label_points(ax, [])
    assert len(ax.texts) == 0
