"""Learners' settings and models as text and as fingerprints, to tell one run from another."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import numpy as np

from equipoise.learning._protocol import Model


def settings_of(learner: object) -> dict[str, Any]:
    """A learner's settings, ready for JSON.

    Raises:
        TypeError: the learner is no dataclass, or a setting cannot be written as JSON.
    """
    if not dataclasses.is_dataclass(learner):
        raise TypeError(f"a learner must be a dataclass of settings; {type(learner).__name__} is none")
    return {
        field.name: _plain(getattr(learner, field.name), f"{type(learner).__name__}.{field.name}")
        for field in dataclasses.fields(learner)
    }


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return [_plain(item, f"{where}[{k}]") for k, item in enumerate(value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {
            f.name: _plain(getattr(value, f.name), f"{where}.{f.name}") for f in dataclasses.fields(value)
        }
        return {"kind": type(value).__name__, **parts}
    raise TypeError(
        f"{where} is a {type(value).__name__}; settings are numbers, texts, None, or tuples or dataclasses "
        "of them"
    )


def fingerprint(model: Model) -> str:
    """A short digest of all arrays of a model: equal models have equal fingerprints."""
    import jax

    digest = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_flatten_with_path(model)[0]:
        array = np.ascontiguousarray(leaf)
        digest.update(f"{jax.tree_util.keystr(path)} {array.dtype} {array.shape}".encode())
        digest.update(array.data if array.size else b"")
    return digest.hexdigest()[:16]


def first_difference(ours: Any, theirs: Any, where: str = "") -> tuple[str, Any, Any] | None:
    """Where two JSON values first differ: a dotted name, and both values there."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in [*ours, *(n for n in theirs if n not in ours)]:
            inner = f"{where}.{name}" if where else name
            found = first_difference(ours.get(name), theirs.get(name), inner)
            if found is not None:
                return found
        return None
    return None if ours == theirs else (where, ours, theirs)
