"""Grids of panels: what is drawn in each, with one legend and labels on the outside only."""

import numpy as np

from equipoise.reporting.figures import Branch, Mark
from equipoise.reporting.grids import BranchPanel, branch_grid, curve_grid

T = np.linspace(0.1, 1.0, 10)


def test_branches_share_a_legend_that_names_every_line_once():
    stable = np.full(10, True)
    panels = {
        "one": BranchPanel([Branch(T, T, stable, "b")], [Mark(0.5, 0.5)], {"bound": 0.25}, "note"),
        "two": BranchPanel([Branch(T, T, ~stable, "b")], lines={"bound": 0.75, "other": 0.5}),
        "three": BranchPanel([]),
    }
    figure = branch_grid(panels, xlabel="t", ylabel="x", limits=(0.1, 1.0))
    (legend,) = figure.legends
    assert [t.get_text() for t in legend.get_texts()] == ["stable", "unstable", "bound", "other"]
    one, two, three, unused = figure.axes
    assert "note" in [t.get_text() for t in one.texts]
    upright = [line.get_xdata()[0] for line in two.get_lines() if len(line.get_xdata()) == 2]
    assert upright == [0.75, 0.5]
    assert not unused.get_visible()
    assert [ax.get_xlabel() for ax in (one, two, three)] == ["", "t", "t"]
    assert [ax.get_ylabel() for ax in (one, two, three)] == ["x", "", "x"]


def test_curves_keep_their_colour_and_leave_out_what_has_no_logarithm():
    errors = T.copy()
    errors[3] = 0.0
    panels = {"a": {"first": (T, T), "second": (T, errors)}, "b": {"second": (T, T)}}
    figure = curve_grid(panels, xlabel="steps", ylabel="error", slopes={"1/t": -1.0}, dashed=["second"])
    a, b = figure.axes
    first, second, slope = a.get_lines()
    assert len(second.get_xdata()) == 9
    assert b.get_lines()[0].get_color() == second.get_color() != first.get_color()
    assert second.get_linestyle() == "--"
    x, y = slope.get_data()
    np.testing.assert_allclose(np.diff(np.log(y)) / np.diff(np.log(x)), -1.0)
