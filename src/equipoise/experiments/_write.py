"""Results as a page, as files and as plain objects."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from equipoise.experiments._record import Experiment, Result
from equipoise.reporting.figures import save
from equipoise.reporting.html import Report
from equipoise.reporting.tables import jsonable


def to_dict(experiment: Experiment, settings: Any, result: Result) -> dict[str, object]:
    """A result as plain objects that `json` can write.

    Args:
        experiment: what was run.
        settings: with which settings.
        result: what came out.

    Returns:
        Names, settings, answer, claims and tables; pictures by caption only.
    """
    return {
        "experiment": experiment.name,
        "question": experiment.question,
        "source": experiment.source,
        "settings": jsonable(asdict(settings)),
        "answer": result.answer,
        "claims": [jsonable(asdict(claim)) for claim in result.claims],
        "tables": {name: table.to_dict() for name, table in result.tables.items()},
        "pictures": {name: picture.caption for name, picture in result.pictures.items()},
        "certified": bool(result.certified),
    }


def add_to(page: Report, result: Result, pictures: tuple[str, ...] | None = None) -> Report:
    """Add a result to a page: answer, pictures, claims, tables.

    Args:
        page: the page.
        result: what came out.
        pictures: which pictures; all by default.

    Returns:
        The longer page.
    """
    page = page.text(result.answer)
    for name in result.pictures if pictures is None else pictures:
        page = page.figure(result.pictures[name].draw(), result.pictures[name].caption)
    if result.claims:
        page = page.text("### Claims").table(result.claims_table())
    page = page.text("### Numbers")
    for table in result.tables.values():
        page = page.table(table)
    return page


def report(experiment: Experiment, result: Result, command: str) -> Report:
    """One experiment as a page.

    Args:
        experiment: what was run.
        result: what came out.
        command: the command that makes the page, for its last line.

    Returns:
        The page.
    """
    page = Report(experiment.question, f"Made by `{command}`. Source: {experiment.source}.")
    return add_to(page, result)


def write(folder: Path, experiment: Experiment, settings: Any, result: Result, command: str) -> list[Path]:
    """Write everything: pictures as PNG, tables as CSV, all of it as JSON and as one HTML page.

    Args:
        folder: where to; it is made if it is missing.
        experiment: what was run.
        settings: with which settings.
        result: what came out.
        command: the command that was given.

    Returns:
        The files written, the page last.
    """
    import json

    folder.mkdir(parents=True, exist_ok=True)
    files = [save(picture.draw(), folder / f"{name}.png") for name, picture in result.pictures.items()]
    for name, table in result.tables.items():
        files.append(folder / f"{name}.csv")
        files[-1].write_text(table.to_csv(), encoding="utf-8")
    files.append(folder / f"{experiment.name}.json")
    text = json.dumps(to_dict(experiment, settings, result), indent=2, ensure_ascii=False, allow_nan=False)
    files[-1].write_text(text + "\n", encoding="utf-8")
    files.append(report(experiment, result, command).write(folder / "index.html"))
    return files
