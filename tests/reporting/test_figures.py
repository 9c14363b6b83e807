"""Figures: what is drawn is what was given, and nothing outside the figure changes."""

import matplotlib
import numpy as np
import pytest

from equipoise.reporting import figures
from equipoise.reporting.figures import Branch, Mark, Series
from equipoise.reporting.style import render

OBSERVED = {"row": np.array([0.1, 0.5]), "column": np.array([0.7, 0.9])}


def lines(ax, style):
    return [line for line in ax.get_lines() if line.get_linestyle() == style and len(line.get_xdata())]


def test_scatter_states_the_error_of_each_theory():
    off = {name: values + 0.2 for name, values in OBSERVED.items()}
    figure = figures.observed_against_predicted(
        OBSERVED, {"right": OBSERVED, "wrong": off}, labels=["g1", "g2"]
    )
    right, wrong = figure.axes
    assert [t.get_text() for t in right.texts] == ["RMS error 0.000"]
    texts = [t.get_text() for t in wrong.texts]
    assert "RMS error 0.200" in texts
    assert texts.count("g1") == 2
    np.testing.assert_allclose(wrong.collections[0].get_offsets(), [[0.3, 0.1], [0.7, 0.5]])


def test_scatter_needs_the_same_keys_and_lengths():
    with pytest.raises(ValueError, match="predicted\\['t'\\] needs 2 values under 'column'"):
        figures.observed_against_predicted(OBSERVED, {"t": {"row": OBSERVED["row"]}})
    with pytest.raises(ValueError, match="needs 2 values under 'row'"):
        figures.observed_against_predicted(OBSERVED, {"t": {**OBSERVED, "row": np.array([0.1])}})


def test_dots_draw_intervals_only_where_known():
    values = np.array([0.2, 0.4, 0.6])
    sure = Series("sure", values)
    unsure = Series("unsure", values, values - 0.1, values + 0.1)
    figure = figures.dots(["a", "b", "c"], [sure, unsure], xlabel="p", reference=0.5)
    (ax,) = figure.axes
    assert len(ax.collections) == 1
    ends = [segment[:, 0] for segment in ax.collections[0].get_segments()]
    np.testing.assert_allclose(ends, np.stack([values - 0.1, values + 0.1], axis=1))
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["sure", "unsure"]
    top_first = ax.get_ylim()
    assert top_first[0] > top_first[1]


def test_dots_need_one_value_per_label():
    with pytest.raises(ValueError, match="series 's' has 1 values for 2 labels"):
        figures.dots(["a", "b"], [Series("s", np.array([1.0]))], xlabel="p")


def test_path_dashes_exactly_the_unstable_stretches():
    t = np.linspace(0.0, 1.0, 11)
    branch = Branch(t, t**2, t > 0.45, "b")
    figure = figures.path([branch], xlabel="t", ylabel="x", bifurcations=[Mark(0.5, 0.25, "here")])
    (ax,) = figure.axes
    (stable,) = [line for line in lines(ax, "-") if len(line.get_xdata()) > 1]
    (unstable,) = lines(ax, "--")
    np.testing.assert_allclose(unstable.get_xdata(), t[:5])
    # One point of overlap closes the gap between the pieces.
    np.testing.assert_allclose(stable.get_xdata(), t[4:])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["b", "unstable"]
    assert [text.get_text() for text in ax.texts] == ["here"]


def test_convergence_leaves_out_what_a_logarithm_cannot_show():
    steps = np.array([0, 1, 10, 100])
    errors = np.array([1.0, 0.5, 0.0, np.nan])
    figure = figures.convergence({"m": (steps, errors)}, slopes={"1/T": -1.0})
    (ax,) = figure.axes
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    np.testing.assert_allclose(ax.get_lines()[0].get_xdata(), [1.0])


def test_reference_slopes_have_their_exponent():
    steps = np.array([1.0, 10.0, 100.0])
    figure = figures.convergence({"m": (steps, 1.0 / steps)}, slopes={"half": -0.5, "one": -1.0})
    for line, exponent in zip(figure.axes[0].get_lines()[1:], (-0.5, -1.0), strict=True):
        x, y = np.log(line.get_xdata()), np.log(line.get_ydata())
        np.testing.assert_allclose(np.diff(y) / np.diff(x), exponent, rtol=1e-9)


def test_regions_shade_above_their_curve():
    panels = {"left": ({"y = 1/x": lambda x: 1.0 / x}, [Mark(2.0, 2.0, "1")]), "right": ({}, [])}
    figure = figures.regions(panels, xlabel="x", ylabel="y", limits=((0.1, 10.0), (0.1, 10.0)))
    shade = figure.axes[0].collections[0].get_paths()[0]
    assert shade.contains_point((2.0, 2.0))
    assert not shade.contains_point((0.3, 0.3))
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["left", "right"]


def test_drawing_changes_no_setting_and_opens_no_window():
    before = dict(matplotlib.rcParams)
    ends = np.array([0.0, 1.0])
    figures.path([Branch(ends, ends, np.array([True, True]), "b")], xlabel="t", ylabel="x")
    assert dict(matplotlib.rcParams) == before


def test_saved_files_are_what_they_claim_and_repeat(tmp_path):
    figure = figures.dots(["a"], [Series("s", np.array([1.0]))], xlabel="p")
    png = figures.save(figure, tmp_path / "deep" / "f.png")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in figures.save(figure, tmp_path / "f.SVG").read_bytes()
    assert render(figure, "svg") == render(figure, "svg")
    with pytest.raises(ValueError, match="must end in"):
        figures.save(figure, tmp_path / "f.gif")
