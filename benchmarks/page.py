"""Run benchmarks and put their tables into docs/evidence/benchmarks.md.

    python benchmarks/page.py [NAME ...]      all of them, or those named (qre_against_gambit, ...)

Each section of the page names its command; the tables below it, between two markers, are replaced.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "evidence" / "benchmarks.md"
SECTION = re.compile(
    r"```sh\npython benchmarks/(?P<name>\w+)\.py(?P<options>[^\n]*)\n```\n\n"
    r"<!-- tables -->\n(?P<tables>.*?)<!-- end -->\n",
    flags=re.DOTALL,
)


def measured(section: re.Match[str]) -> str:
    """A section with new tables."""
    script, options = HERE / f"{section['name']}.py", section["options"].split()
    print(f"{script.name} ...", file=sys.stderr, flush=True)
    command = [sys.executable, str(script), *options, "--markdown"]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=HERE.parent)
    start, end = section.start("tables") - section.start(), section.end("tables") - section.start()
    return f"{section[0][:start]}\n{run.stdout}\n{section[0][end:]}"


def main(names: list[str]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    known = [section["name"] for section in SECTION.finditer(page)]
    if unknown := set(names) - set(known):
        sys.exit(
            f"no section of the page is made by {', '.join(sorted(unknown))}; there are {', '.join(known)}"
        )
    for name in names or known:
        # One at a time, so that an interruption keeps what is done.
        page = SECTION.sub(lambda s, name=name: measured(s) if s["name"] == name else s[0], page)
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
