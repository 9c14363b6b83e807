"""Tables: the same cells in every format, numbers that never mislead."""

import csv
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from equipoise.reporting.tables import Table, format_column, format_number, jsonable

AWKWARD = Table(
    ["action", "probability", "gap", "sure", "n"],
    [
        ["[bold]U[/bold] | <i>", 0.079, 1e-13, True, 3],
        ['say "hi", then\nleave', 0.69, 3.25e-12, np.bool_(False), np.int64(12)],
        ["none", None, math.nan, None, 0],
    ],
    caption="Play of <Row> & [Column]",
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (1.0 / 11.0, "0.09091"),
        (2.0 / 3.0, "0.6667"),
        (12.5, "12.50"),
        (-370.0, "-370.0"),
        (1e-13, "1.0e-13"),
        (2.5e7, "2.5e+07"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "–"),
        (np.float64(0.25), "0.2500"),
        (7, "7"),
    ],
)
def test_single_numbers(value, shown):
    assert format_number(value) == shown


def test_a_column_shares_its_decimals():
    assert format_column([0.0909, 0.9, 0.0, 1.0]) == ["0.091", "0.900", "0", "1.000"]


def test_small_numbers_in_a_column_never_look_like_zero():
    assert format_column([370.0, 0.004, 0.3]) == ["370.0", "4.0e-03", "3.0e-01"]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=5))
def test_shown_numbers_keep_two_significant_digits(values):
    for value, shown in zip(values, format_column(values), strict=True):
        assert float(shown) == pytest.approx(value, rel=0.0501, abs=0.0)


def test_csv_keeps_every_digit_and_every_character():
    rows = list(csv.reader(io.StringIO(Table(["x", "y"], [[1 / 3, 'a,"b"\nc']]).to_csv())))
    assert rows[0] == ["x", "y"]
    assert float(rows[1][0]) == 1 / 3
    assert rows[1][1] == 'a,"b"\nc'


def test_json_is_strict_json():
    data = json.loads(json.dumps(AWKWARD.to_dict(), allow_nan=False))
    assert data["rows"][0] == ["[bold]U[/bold] | <i>", 0.079, 1e-13, True, 3]
    assert data["rows"][2] == ["none", None, None, None, 0]


def test_html_escapes_what_users_wrote():
    page = AWKWARD.to_html()
    assert "<i>" not in page
    assert "&lt;i&gt;" in page
    assert "Play of &lt;Row&gt; &amp; [Column]" in page
    assert page.count("<tr>") == 4
    assert page.count('<td class="number">') == 9


def test_markdown_has_one_line_per_row():
    lines = AWKWARD.to_markdown().strip().splitlines()
    assert len(lines) == 2 + 2 + 3
    assert "\\| <i>" in lines[4]
    assert lines[3] == "| --- | ---: | ---: | --- | ---: |"


def test_terminal_does_not_take_labels_for_markup():
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(AWKWARD.to_rich())
    text = console.export_text()
    assert "[bold]U[/bold]" in text
    assert "[Column]" in text
    assert "1.0e-13" in text


def test_rows_of_the_wrong_length_are_refused():
    with pytest.raises(ValueError, match=r"rows\[1\] has 1 cells but there are 2 columns \(a, b\)"):
        Table(["a", "b"], [[1, 2], [3]])


def test_jsonable_reaches_inside():
    value = {
        "a": (np.arange(3), np.float64(0.5)),
        2: [math.inf, {"b": np.array([[math.nan]])}],
        "c": {3}.__class__,
    }
    assert jsonable(value) == {"a": [[0, 1, 2], 0.5], "2": [None, {"b": [[None]]}], "c": "<class 'set'>"}


def test_a_page_may_break_sentences_but_not_short_cells():
    page = Table(["name", "what"], [["a b", "word " * 10], ["c", "short"]]).to_html()
    assert page.count('<td class="prose">') == 2
    assert "<td>a b</td>" in page
