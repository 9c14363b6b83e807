"""Checkpoints: all arrays of a run in one file with a description, written at once or not at all."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from equipoise.learning._protocol import State

MANIFEST = "manifest"


class CheckpointError(ValueError):
    """A checkpoint cannot be used: damaged, or of another configuration."""


def write_checkpoint(path: Path, states: State, manifest: Mapping[str, Any]) -> None:
    """Write arrays and their description; a kill at any moment leaves the old file or the new one.

    Args:
        path: the file (NumPy's .npz format, without pickled objects).
        states: a PyTree of arrays.
        manifest: what they belong to, ready for JSON.
    """
    import jax

    leaves = {
        jax.tree_util.keystr(where): np.asarray(leaf)
        for where, leaf in jax.tree_util.tree_flatten_with_path(states)[0]
    }
    text = np.frombuffer(json.dumps(dict(manifest)).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {MANIFEST: text, **{f"state{name}": leaf for name, leaf in leaves.items()}}
    np.savez(buffer, **arrays)
    replace_file(path, buffer.getvalue())


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file by another in one step, and only once its content is safe on disk."""
    temporary = path.with_name(path.name + ".new")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def read_checkpoint_manifest(path: Path) -> dict[str, Any]:
    """What a checkpoint belongs to.

    Raises:
        CheckpointError: the file is damaged or no checkpoint.
    """
    return _read(path)[0]


def read_checkpoint(path: Path, like: State) -> tuple[State, dict[str, Any]]:
    """Read arrays and their description.

    Args:
        path: the file.
        like: a PyTree with the structure, shapes and types the states must have.

    Raises:
        CheckpointError: the file is damaged, or its arrays are others; the message names the first.
    """
    import jax

    manifest, arrays = _read(path)
    paths, structure = jax.tree_util.tree_flatten_with_path(like)
    wanted = {f"state{jax.tree_util.keystr(where)}": leaf for where, leaf in paths}
    for name in [*wanted, *arrays]:
        if name not in arrays or name not in wanted:
            kind = "lacks" if name not in arrays else "has an unknown"
            raise CheckpointError(f"{path} {kind} array {name!r}: it was written by another version")
        ours, theirs = wanted[name], arrays[name]
        if (tuple(ours.shape), ours.dtype) != (theirs.shape, theirs.dtype):
            raise CheckpointError(
                f"{path}: {name} is {theirs.dtype} {theirs.shape}, but this run needs {ours.dtype} "
                f"{tuple(ours.shape)}"
            )
    return jax.tree_util.tree_unflatten(structure, [arrays[name] for name in wanted]), manifest


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        manifest = json.loads(arrays.pop(MANIFEST).tobytes())
    except (zipfile.BadZipFile, KeyError, EOFError, ValueError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise CheckpointError(
            f"{path} is damaged or no checkpoint ({error}); remove it to begin the run anew"
        ) from None
    return manifest, arrays
