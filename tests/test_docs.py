"""The documentation: every Python block runs, and prints what the page says it prints."""

import ast
import contextlib
import io
import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from equipoise.cli import COMMANDS
from equipoise.games import named_game, save

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def blocks(page):
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def execute(code, names):
    """Run a block as the interactive interpreter would: a last expression is printed."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(tree, "<page>", "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "<page>", "eval"), names)
            if value is not None:
                print(repr(value))
    return out.getvalue()


def with_python():
    """Pages to run; those that take long only in the full test."""
    for page in PAGES:
        if "```python" in page.read_text(encoding="utf-8"):
            long = page.name in ("fit-to-your-data.md", "train-a-learner.md", "write-a-learner.md")
            yield pytest.param(page, id=page.name, marks=[pytest.mark.slow] if long else [])


@pytest.mark.parametrize("page", list(with_python()))
def test_python_on_the_page_runs_and_prints_what_it_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(named_game("stag-hunt"), "game.nfg")
    names = {}
    listing = blocks(page)
    for k, (language, code) in enumerate(listing):
        if language != "python":
            continue
        printed = execute(code, names)
        following = listing[k + 1] if k + 1 < len(listing) else ("", "")
        if following[0] == "text" and printed:
            assert printed == following[1]


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:")[1]
    listed = set(re.findall(r"[\w/-]+\.md", navigation))
    assert listed == {str(p.relative_to(ROOT / "docs")) for p in PAGES if p.name != "README.md"}


def test_commands_on_the_pages_exist():
    used = {
        match[1]
        for page in PAGES
        for language, code in blocks(page)
        if language in ("sh", "text")
        for match in re.finditer(r"^equipoise ([a-z-]+)", code, flags=re.MULTILINE)
    }
    assert used
    assert used <= set(COMMANDS)


def test_the_command_reference_has_every_command():
    reference = (ROOT / "docs/reference/command-line.md").read_text(encoding="utf-8")
    assert re.findall(r"^## equipoise (\S+)", reference, flags=re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize(
    "room", ["equipoise", *(f"equipoise.{r}" for r in ("environments", "equilibria", "games", "preferences"))]
)
def test_the_reference_has_every_public_name(room):
    pages = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "docs/reference").glob("*.md"))
    documented = set(re.findall(r"^::: equipoise\S*\.(\w+)$", pages, flags=re.MULTILINE))
    assert set(import_module(room).__all__) <= documented


def test_version_is_stated_once():
    import equipoise

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == equipoise.__version__


def test_nothing_is_fetched_from_elsewhere():
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert "font: false" in settings
    assert not re.search(r"https?://", settings)
