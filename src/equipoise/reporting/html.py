"""A report in one HTML file that opens anywhere: no script, no font, no picture from outside."""

from __future__ import annotations

import base64
import html
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.reporting.style import render

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from equipoise.reporting.tables import Table

CSS = """
:root { color-scheme: light dark; --accent: #0072b2;
  --ink: #1c2024; --soft: #5b6570; --paper: #fff; --line: #dfe3e8; --tint: #f5f7f9; }
@media (prefers-color-scheme: dark) { :root { --accent: #56b4e9;
  --ink: #e6e9ec; --soft: #9aa5b1; --paper: #15181c; --line: #323941; --tint: #1e2329; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.25; margin: 0 0 .5rem; border-left: 4px solid var(--accent);
  padding-left: .75rem; }
h2 { font-size: 1.35rem; margin: 2.5rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.1rem; margin: 1.75rem 0 .25rem; }
p, ul, ol, figcaption { max-width: 46rem; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .9em; }
code { background: var(--tint); border-radius: 4px; padding: .1em .3em; }
pre { background: var(--tint); border: 1px solid var(--line); border-radius: 6px; padding: .75rem 1rem;
  overflow-x: auto; }
pre code { background: none; padding: 0; font-size: 1em; }
.wide { overflow-x: auto; margin: 1.25rem 0; }
table { border-collapse: collapse; font-size: .92rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
th, td { padding: .35rem 1.25rem .35rem 0; text-align: left; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th { border-bottom: 2px solid var(--line); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.prose { white-space: normal; min-width: 13rem; max-width: 24rem; }
td { vertical-align: top; }
figure { margin: 1.5rem 0; }
figure img { max-width: 100%; height: auto; background: #fff; border-radius: 6px;
  border: 1px solid var(--line); }
figcaption, footer { color: var(--soft); font-size: .92rem; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: .75rem; }
@media print { h2 { break-after: avoid; } figure, table { break-inside: avoid; } }
"""


@dataclass(frozen=True)
class Report:
    """A page made of text, tables and pictures, in the order they were added.

    Every method returns a new report, so calls can be chained:
    `Report("Results").text("What was done.").table(table).write("results.html")`.

    Attributes:
        title: heading of the page.
        footer: one line at the end, for example the command that made the report.
    """

    title: str
    footer: str = ""
    _blocks: tuple[str, ...] = ()

    def text(self, markdown: str) -> Report:
        """Add text in a small Markdown: headings, paragraphs, lists, code, bold, italic.

        Args:
            markdown: the text. HTML in it is shown, not obeyed; addresses stay plain text.

        Returns:
            The report with the text added.
        """
        return self._with(render_markdown(markdown))

    def table(self, table: Table) -> Report:
        """Add a table; a wide one scrolls inside the page.

        Args:
            table: the table.

        Returns:
            The report with the table added.
        """
        return self._with(f'<div class="wide">{table.to_html()}</div>')

    def figure(self, figure: Figure, caption: str = "", *, alt: str = "", kind: str = "svg") -> Report:
        """Add a picture, embedded in the page.

        Args:
            figure: a matplotlib figure.
            caption: text below it.
            alt: description for readers who cannot see it; the caption by default.
            kind: "svg", or "png" where a picture has so many points that SVG grows large.

        Returns:
            The report with the picture added.

        Raises:
            ValueError: `kind` is neither.
        """
        types = {"svg": "image/svg+xml", "png": "image/png"}
        if kind not in types:
            raise ValueError(f"kind must be 'svg' or 'png', got {kind!r}")
        data = base64.b64encode(render(figure, kind)).decode("ascii")
        width = round(figure.get_size_inches()[0] * 96)
        words = html.escape(alt or caption)
        image = f'<img src="data:{types[kind]};base64,{data}" width="{width}" alt="{words}">'
        below = f"<figcaption>{_inline(caption)}</figcaption>" if caption else ""
        return self._with(f"<figure>{image}{below}</figure>")

    def html(self) -> str:
        """The whole page as text."""
        title = html.escape(self.title)
        body = "\n".join(self._blocks)
        foot = f"<footer>{_inline(self.footer)}</footer>" if self.footer else ""
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{title}</title>\n<style>{CSS}</style>\n</head>\n"
            f"<body><main>\n<h1>{title}</h1>\n{body}\n{foot}\n</main></body>\n</html>\n"
        )

    def write(self, path: str | Path) -> Path:
        """Write the page to a file.

        Args:
            path: where to; missing folders are made.

        Returns:
            The path written.
        """
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self.html(), encoding="utf-8")
        return target

    def _with(self, block: str) -> Report:
        return replace(self, _blocks=(*self._blocks, block))


def render_markdown(markdown: str) -> str:
    """Turn a small Markdown into HTML, escaping everything else.

    Args:
        markdown: text with `#` headings (a page has one title already, so `#` becomes a second-level
            heading), paragraphs, `-` and `1.` lists, fenced code, `code`, **bold** and *italic*.

    Returns:
        HTML.
    """
    out: list[str] = []
    for kind, content in _blocks(markdown):
        if kind == "code":
            out.append(f"<pre><code>{html.escape(content)}</code></pre>")
        elif kind == "heading":
            marks, _, words = content.partition(" ")
            level = min(len(marks) + 1, 4)
            out.append(f"<h{level}>{_inline(words.strip())}</h{level}>")
        elif kind in ("ul", "ol"):
            items = "".join(f"<li>{_inline(item)}</li>" for item in content.split("\0"))
            out.append(f"<{kind}>{items}</{kind}>")
        else:
            out.append(f"<p>{_inline(content)}</p>")
    return "\n".join(out)


def _blocks(markdown: str) -> list[tuple[str, str]]:
    """Cut text into (kind, content); the items of a list are joined by NUL."""
    # Fences first: blank lines inside code must not end it.
    pieces = re.split(r"^```[^\n]*\n(.*?)^```[ \t]*$", markdown, flags=re.MULTILINE | re.DOTALL)
    blocks: list[tuple[str, str]] = []
    for i, piece in enumerate(pieces):
        if i % 2:
            blocks.append(("code", piece.rstrip("\n")))
            continue
        for paragraph in re.split(r"\n[ \t]*\n", piece):
            blocks.extend(_paragraph(paragraph))
    return blocks


def _paragraph(text: str) -> list[tuple[str, str]]:
    blocks: list[tuple[str, str]] = []
    for line in (line.strip() for line in text.splitlines()):
        if not line:
            continue
        if re.match(r"#{1,6} ", line):
            blocks.append(("heading", line))
            continue
        item = re.match(r"([-*]|\d+\.) +(.*)", line)
        kind = "p" if item is None else "ol" if item[1][0].isdigit() else "ul"
        if item is not None and blocks and blocks[-1][0] == kind:
            blocks[-1] = (kind, blocks[-1][1] + "\0" + item[2])
        elif item is not None:
            blocks.append((kind, item[2]))
        elif blocks and blocks[-1][0] != "heading":
            blocks[-1] = (blocks[-1][0], blocks[-1][1] + " " + line)
        else:
            blocks.append(("p", line))
    return blocks


def _inline(text: str) -> str:
    """Escape a line and mark its code, bold and italic."""
    parts = re.split(r"(`[^`]+`)", text)
    for i, part in enumerate(parts):
        if i % 2:
            parts[i] = f"<code>{html.escape(part[1:-1])}</code>"
        else:
            escaped = re.sub(r"\*\*(?=\S)(.+?)(?<=\S)\*\*", r"<strong>\1</strong>", html.escape(part))
            parts[i] = re.sub(r"(?<![\w*])\*(?=[^\s*])(.+?)(?<=[^\s*])\*(?![\w*])", r"<em>\1</em>", escaped)
    return "".join(parts)
