"""Where the metrics of a run go: JSON lines always, TensorBoard when asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

Record = Mapping[str, Float[np.ndarray, " seeds"]]


@runtime_checkable
class Logger(Protocol):
    """A place for metrics: anything with these two methods can be given to `train`."""

    def write(self, step: int, metrics: Record) -> None:
        """Take the metrics of all seeds after so many samples."""
        ...

    def close(self) -> None:
        """The run is over."""
        ...


class JsonLines:
    """Metrics as lines of JSON: `{"step": 1000, "gap": [0.1, 0.2]}`, one number per seed."""

    def __init__(self, path: Path, keep: int):
        """Open the file.

        Args:
            path: the file.
            keep: records up to this step stay; later ones, written after the last checkpoint by a run that
                was killed, are dropped, for they will be written again.
        """
        kept = [line for line in read_lines(path) if line["step"] <= keep] if path.exists() else []
        path.write_text("".join(json.dumps(line) + "\n" for line in kept))
        self._file: IO[str] = open(path, "a", buffering=1)  # noqa: SIM115 (closed by close)

    def write(self, step: int, metrics: Record) -> None:
        """Add a line."""
        record: dict[str, Any] = {"step": step}
        record.update({name: [float(x) for x in values] for name, values in metrics.items()})
        self._file.write(json.dumps(record) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Records of a metrics file; a last line that a kill cut short is left out."""
    records = []
    for line in path.read_text().splitlines():
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return records


class TensorBoard:
    """Metrics as TensorBoard events, one run per seed.

    Raises:
        ModuleNotFoundError: tensorboardX is not installed.
    """

    def __init__(self, directory: Path, seeds: int, begin: int):
        """Open one event file per seed.

        Args:
            directory: where the event files go, in a folder per seed.
            seeds: number of seeds.
            begin: first step that will be written; TensorBoard hides what an earlier, killed run wrote after.
        """
        try:
            from tensorboardX import SummaryWriter
        except ModuleNotFoundError:
            raise ModuleNotFoundError(
                "tensorboard=True needs the package tensorboardX: pip install 'equipoise[tensorboard]'"
            ) from None
        self._writers = [
            SummaryWriter(str(directory / f"seed-{k}"), purge_step=begin or None) for k in range(seeds)
        ]

    def write(self, step: int, metrics: Record) -> None:
        """Add one point to every curve."""
        for name, values in metrics.items():
            for writer, value in zip(self._writers, values, strict=True):
                writer.add_scalar(name, float(value), step)

    def close(self) -> None:
        """Write out what is buffered."""
        for writer in self._writers:
            writer.close()
