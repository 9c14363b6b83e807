"""A contract for learners, that anyone can run on their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from equipoise.learning._protocol import Learner
from equipoise.learning._settings import settings_of
from equipoise.learning.training import check_kind, compile_learner, in_precision


def check_learner(learner: Learner, game: Any, *, updates: int = 3, seed: int = 0) -> None:
    """Check that a learner keeps the contract of `Learner` in a game.

    It must be a dataclass of plain settings; equal keys must give equal numbers, and seeds trained side by
    side the numbers they have alone; an update must keep the shapes and types of the state; metrics must be
    numbers; and policies must be laws over actions.

    Args:
        learner: the learner.
        game: a small game that it is made for.
        updates: how many updates to make.
        seed: number that the random keys are derived from.

    Raises:
        TypeError: it is no learner, or states or metrics are of the wrong type.
        ValueError: the contract is broken; the message says where.
    """
    import jax

    check_kind(learner)
    settings_of(learner)
    learner.check(game)
    used = learner.samples_per_update(game)
    if isinstance(used, bool) or not isinstance(used, int) or used < 1:
        raise ValueError(f"samples_per_update must be a whole number of at least 1, got {used!r}")
    with in_precision(learner.precision):
        model = learner.prepare(game)
        runs = []
        for seeds in (2, 2, 1):
            program = compile_learner(learner, model, seeds, seed)
            shapes = jax.tree.map(lambda x: (x.shape, x.dtype), program.fresh)
            states, sums = program.advance(program.model, program.fresh, 0, updates)
            if jax.tree.map(lambda x: (x.shape, x.dtype), states) != shapes:
                raise TypeError("update changes the structure, shapes or types of the state")
            for name, values in sums.items():
                if values.shape != (seeds,):
                    raise TypeError(f"metric {name!r} must be one number, but has shape {values.shape[1:]}")
            runs.append((states, program.policy(program.model, states)))
        first, again, alone = ([np.asarray(x) for x in jax.tree.leaves(run)] for run in runs)
        for x, y in zip(first, again, strict=True):
            if not np.array_equal(x, y, equal_nan=True):
                raise ValueError("the same key gives other numbers: update or init depends on something else")
        for x, y in zip(first, alone, strict=True):
            if not np.allclose(x[:1], y, rtol=1e-6, atol=1e-9, equal_nan=True):
                raise ValueError("a seed trained beside another one gives other numbers than alone")
        for i, law in enumerate(runs[0][1]):
            law = np.asarray(law)
            if not (law >= 0.0).all() or not np.allclose(law.sum(axis=-1), 1.0, atol=1e-5):
                raise ValueError(f"policy of player {i}: not a law over actions (last axis)")
