"""A finished or interrupted training run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from equipoise.learning._metrics import read_lines
from equipoise.learning._protocol import Learner, State
from equipoise.learning.checkpoint import CheckpointError, read_checkpoint_manifest

MANIFEST, METRICS, CHECKPOINT = "run.json", "metrics.jsonl", "checkpoint.npz"
FORMAT = "equipoise-run/1"


@dataclass(frozen=True, eq=False)
class Run:
    """What came out of `train`.

    Attributes:
        learner: the learner, with its settings.
        game: what it learned in.
        seeds: number of independent repetitions.
        seed: the number they are derived from.
        steps: samples (environment steps) used by each of them.
        updates: updates made by each of them.
        at: samples after which metrics were recorded, `[records]`.
        metrics: by name, `[records, seeds]`; a learner's own metrics are means over the updates since the
            record before, those of `evaluate` belong to the moment of the record.
        states: the learner's final state, every array with a leading axis of seeds.
        policies: one array per player, `[seeds, ..., actions]`.
        directory: where the run is kept, or None.
    """

    learner: Learner
    game: Any
    seeds: int
    seed: int
    steps: int
    updates: int
    at: Int[np.ndarray, " records"]
    metrics: Mapping[str, Float[np.ndarray, "records seeds"]]
    states: State
    policies: tuple[Float[np.ndarray, "seeds ..."], ...]
    directory: Path | None = None

    def __repr__(self) -> str:
        place = f", {self.directory}" if self.directory else ""
        return f"Run({self.learner.name}, {self.steps} steps, {self.seeds} seeds{place})"


def columns(
    records: Sequence[Mapping[str, Any]],
) -> tuple[Int[np.ndarray, " records"], dict[str, Float[np.ndarray, "records seeds"]]]:
    """Records of metrics as arrays by name."""
    steps = np.array([record["step"] for record in records], dtype=int)
    names = [name for name in records[0] if name != "step"] if records else []
    return steps, {name: np.array([record[name] for record in records], dtype=float) for name in names}


def read_manifest(folder: Path) -> dict[str, Any]:
    """The description of a run.

    Raises:
        FileNotFoundError: the folder has none.
        CheckpointError: it is damaged.
    """
    path = folder / MANIFEST
    if not path.exists():
        raise FileNotFoundError(f"{folder} has no {MANIFEST}: it is not the folder of a run")
    try:
        manifest = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise CheckpointError(f"{path} is damaged: {error}") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not in the format {FORMAT}")
    return manifest


def summary(directory: str | os.PathLike[str]) -> dict[str, Any]:
    """What a run's folder says of it, read without loading or compiling anything.

    Args:
        directory: the folder.

    Returns:
        The learner's class and settings, seeds, seed, updates at the last checkpoint, and the step and the
        medians over seeds of the last record.

    Raises:
        FileNotFoundError: the folder has no run.
        CheckpointError: it is damaged.
    """
    folder = Path(directory)
    manifest = read_manifest(folder)
    saved = folder / CHECKPOINT
    lines = read_lines(folder / METRICS) if (folder / METRICS).exists() else []
    last = dict(lines[-1]) if lines else {"step": 0}
    step = last.pop("step")
    return {
        "learner": manifest["learner"]["kind"],
        "settings": manifest["learner"]["settings"],
        "seeds": manifest["seeds"],
        "seed": manifest["seed"],
        "updates": read_checkpoint_manifest(saved)["updates"] if saved.exists() else 0,
        "step": step,
        "metrics": {name: float(np.median(values)) for name, values in last.items()},
    }
