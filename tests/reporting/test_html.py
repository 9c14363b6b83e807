"""The report: escaped, self-contained, well-formed."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from equipoise.reporting import Report, Table
from equipoise.reporting.figures import Series, dots
from equipoise.reporting.html import render_markdown

VOID = {"meta", "img", "br", "hr", "link"}


class Checker(HTMLParser):
    """Collects tags and complains about those that are not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.resources = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.resources += [value for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parse(page):
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    return checker


def picture():
    return dots(["one", "two"], [Series("a", np.array([0.1, 0.2]))], xlabel="x")


def test_page_is_well_formed_and_self_contained(tmp_path):
    report = (
        Report("Results & <more>", footer="made by `equipoise demo`")
        .text("# First\nWords.\n\n- a\n- b")
        .table(Table(["a"], [["<script>alert(1)</script>"]]))
        .figure(picture(), "As *drawn*")
        .figure(picture(), "png", kind="png")
    )
    page = report.write(tmp_path / "new" / "page.html").read_text(encoding="utf-8")
    checker = parse(page)
    assert "script" not in checker.tags
    assert "link" not in checker.tags
    assert checker.tags.count("img") == 2
    assert all(resource.startswith("data:image/") for resource in checker.resources)
    assert not re.search(r"@import|url\(", page)
    assert "<title>Results &amp; &lt;more&gt;</title>" in page
    assert "prefers-color-scheme: dark" in page


def test_adding_leaves_the_first_report_alone():
    first = Report("t").text("one")
    second = first.text("two")
    assert "two" not in first.html()
    assert second.html().index("one") < second.html().index("two")


@pytest.mark.parametrize(
    ("markdown", "page"),
    [
        ("a\nb\n\nc", "<p>a b</p>\n<p>c</p>"),
        ("# T\ntext", "<h2>T</h2>\n<p>text</p>"),
        ("### T", "<h4>T</h4>"),
        ("- a\n- b\n  more", "<ul><li>a</li><li>b more</li></ul>"),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("words\n- a", "<p>words</p>\n<ul><li>a</li></ul>"),
        ("```\na < b\n\n# c\n```", "<pre><code>a &lt; b\n\n# c</code></pre>"),
        ("**b** *i* `c*d*`", "<p><strong>b</strong> <em>i</em> <code>c*d*</code></p>"),
        ("2*3*4 and a * b * c", "<p>2*3*4 and a * b * c</p>"),
        ('<img src=x onerror="f()">', "<p>&lt;img src=x onerror=&quot;f()&quot;&gt;</p>"),
        ("`<b>`", "<p><code>&lt;b&gt;</code></p>"),
        ("", ""),
    ],
)
def test_small_markdown(markdown, page):
    assert render_markdown(markdown) == page


def test_unknown_picture_kind_is_refused():
    with pytest.raises(ValueError, match="'svg' or 'png', got 'gif'"):
        Report("t").figure(picture(), kind="gif")


def test_alternative_text_cannot_break_out_of_its_attribute():
    page = Report("t").figure(picture(), alt='" onload="f()').html()
    assert 'alt="&quot; onload=&quot;f()"' in page
    assert parse(page).tags.count("img") == 1
