"""The one loop that trains every learner: seeds together, records, checkpoints, resumption."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from equipoise.games import MarkovGame, NormalFormGame, load, save
from equipoise.learning._metrics import JsonLines, Logger, TensorBoard, read_lines
from equipoise.learning._protocol import Learner, Model, State
from equipoise.learning._settings import fingerprint, first_difference, settings_of
from equipoise.learning.checkpoint import CheckpointError, read_checkpoint, replace_file, write_checkpoint
from equipoise.learning.run import CHECKPOINT, FORMAT, MANIFEST, METRICS, Run, columns, read_manifest

RECORDS = 100  # records of metrics in a run whose log_every is not given
PATIENCE = 30.0  # seconds between checkpoints where checkpoint_every is not given

Policies = tuple[Float[np.ndarray, "seeds ..."], ...]
Evaluate = Callable[[Policies], Mapping[str, Any]]


class TrainingDivergedError(RuntimeError):
    """A state or metric became NaN; the last checkpoint before it is kept."""


@dataclass(frozen=True)
class Program:
    """A learner's functions compiled for one game and a number of seeds.

    Attributes:
        model: the game as arrays.
        fresh: states before the first sample, leading axis seeds.
        advance: from model, states, number of the next update and number of updates to states and the sums of
            the metrics over those updates.
        policy: from model and states to policies.
    """

    model: Model
    fresh: State
    advance: Callable[[Model, State, int, int], tuple[State, dict[str, Any]]]
    policy: Callable[[Model, State], tuple[Any, ...]]


def train(
    learner: Learner,
    game: Any,
    *,
    steps: int,
    seeds: int = 1,
    seed: int = 0,
    directory: str | os.PathLike[str] | None = None,
    log_every: int | None = None,
    checkpoint_every: int | None = None,
    evaluate: Evaluate | None = None,
    loggers: Sequence[Logger] = (),
    tensorboard: bool = False,
    progress: bool | None = None,
) -> Run:
    """Train a learner, for several seeds at once.

    With a directory the run is kept there: `run.json` says what it is, `metrics.jsonl` has the records,
    `checkpoint.npz` the learner's state. Calling `train` again with the same directory and settings goes on
    from the checkpoint, to the same numbers, bit for bit on the same machine, as a run that was never
    stopped; with more `steps` it continues a finished run.

    Args:
        learner: what learns.
        game: what it learns in.
        steps: samples (environment steps) for each seed; rounded up to whole updates.
        seeds: independent repetitions, trained side by side.
        seed: number they are derived from.
        directory: folder of the run, made if needed; None keeps nothing on disk.
        log_every: samples between records; a hundredth of the run by default.
        checkpoint_every: samples between checkpoints, which are made at records; about every half minute by
            default. There is always one at the end, and one when the run is interrupted from the keyboard.
        evaluate: called at every record with the policies, one array per player with a leading axis of
            seeds; returns further metrics, one number per seed each. It sees what the learner need not see.
        loggers: further places for metrics.
        tensorboard: also write TensorBoard events to the directory (package tensorboardX).
        progress: show a progress bar; by default where standard error is a terminal.

    Returns:
        The run.

    Raises:
        TrainingDivergedError: a state or a metric became NaN.
        CheckpointError: the directory holds a run of another configuration (the message names the setting),
            or is damaged.
        ValueError: a number is out of range, or the game does not suit the learner.
        TypeError: the learner is none, or the game is of the wrong kind.
    """
    check_kind(learner)
    for name, value in (("steps", steps), ("seeds", seeds), ("log_every", log_every)):
        _check_count(name, value)
    _check_count("checkpoint_every", checkpoint_every)
    if tensorboard and directory is None:
        raise ValueError("tensorboard=True writes to the run's directory; pass directory=")
    learner.check(game)
    per_update = learner.samples_per_update(game)
    updates = -(-steps // per_update)
    interval = max(1, updates // RECORDS if log_every is None else -(-log_every // per_update))
    with in_precision(learner.precision):
        program = compile_learner(learner, learner.prepare(game), seeds, seed)
        folder = None if directory is None else Path(directory)
        manifest = _describe(learner, game, program.model, seeds, seed)
        states, done = program.fresh, 0
        if folder is not None:
            states, done = _open(folder, manifest, game, program.fresh)
        sinks: list[Logger] = list(loggers)
        if folder is not None and done < updates:
            sinks.append(JsonLines(folder / METRICS, keep=done * per_update))
            if tensorboard:
                sinks.append(TensorBoard(folder / "tensorboard", seeds, done * per_update))
        records: list[dict[str, Any]] = []
        saved, last_save = done, time.monotonic()

        def keep() -> None:
            if folder is not None:
                write_checkpoint(folder / CHECKPOINT, states, {**manifest, "updates": done})

        with ExitStack() as stack:
            for sink in sinks:
                stack.callback(sink.close)
            tick = stack.enter_context(_progress(learner.name, updates, done, progress))
            try:
                while done < updates:
                    count = min(interval - done % interval, updates - done)
                    ahead, sums = program.advance(program.model, states, done, count)
                    metrics = {name: np.asarray(total, float) / count for name, total in sums.items()}
                    if evaluate is not None:
                        metrics.update(_evaluated(evaluate, program, ahead, seeds))
                    _check_finite(ahead, metrics, (done + count) * per_update, folder, saved * per_update)
                    states, done = ahead, done + count
                    for sink in sinks:
                        sink.write(done * per_update, metrics)
                    records.append({"step": done * per_update, **metrics})
                    tick(done)
                    due = (
                        time.monotonic() - last_save >= PATIENCE
                        if checkpoint_every is None
                        else (done - saved) * per_update >= checkpoint_every
                    )
                    if due or done == updates:
                        keep()
                        saved, last_save = done, time.monotonic()
            except KeyboardInterrupt:
                keep()
                raise
        if folder is not None:
            records = _records(folder, done * per_update)
        at, table = columns(records)
        policies = tuple(np.asarray(p) for p in program.policy(program.model, states))
        kept = _host(states)
    return Run(learner, game, seeds, seed, done * per_update, done, at, table, kept, policies, folder)


def load_run(directory: str | os.PathLike[str], learner: Learner | None = None, game: Any = None) -> Run:
    """Read a run that `train` wrote, finished or not, without training it further.

    Args:
        directory: its folder.
        learner: needed only for a learner that is not Equipoise's own.
        game: needed only where the run was trained in something that `eqp.save` cannot write.

    Raises:
        FileNotFoundError: the folder has no run.
        CheckpointError: it is damaged, or `learner` or `game` is not the one it was trained with.
    """
    folder = Path(directory)
    manifest = read_manifest(folder)
    if game is None:
        if manifest["game"] is None:
            raise CheckpointError(f"{folder} does not hold what it was trained in; pass it as game=")
        game = load(folder / manifest["game"])
    if learner is None:
        learner = _known_learner(manifest, folder)
    check_kind(learner)
    seeds, seed = manifest["seeds"], manifest["seed"]
    with in_precision(learner.precision):
        program = compile_learner(learner, learner.prepare(game), seeds, seed)
        states, done = _open(
            folder, _describe(learner, game, program.model, seeds, seed), game, program.fresh
        )
        step = done * learner.samples_per_update(game)
        at, table = columns(_records(folder, step))
        policies = tuple(np.asarray(p) for p in program.policy(program.model, states))
        return Run(learner, game, seeds, seed, step, done, at, table, _host(states), policies, folder)


def _records(folder: Path, step: int) -> list[dict[str, Any]]:
    """Records of a run's folder up to a step; later ones were written after the last checkpoint."""
    path = folder / METRICS
    return [line for line in read_lines(path) if line["step"] <= step] if path.exists() else []


def compile_learner(learner: Learner, model: Model, seeds: int, seed: int) -> Program:
    """A learner's functions for all seeds at once; nothing is compiled before it is called."""
    import jax

    base = jax.random.key(seed)
    keys = jax.vmap(lambda k: jax.random.fold_in(base, k))(np.arange(seeds, dtype=np.uint32))
    # The key of update t is made of t + 1, so that no update shares the key of `init`.
    init = jax.jit(jax.vmap(lambda m, key: learner.init(m, jax.random.fold_in(key, 0)), in_axes=(None, 0)))

    def one(m: Model, state: State, key: Any, t: Any) -> tuple[State, dict[str, Any]]:
        return learner.update(m, state, jax.random.fold_in(key, t + 1))

    many = jax.vmap(one, in_axes=(None, 0, 0, None))

    @jax.jit
    def advance(m: Model, states: State, first: Any, count: Any) -> tuple[State, dict[str, Any]]:
        # One program for every number of updates: the last, shorter stretch compiles nothing new.
        shapes = jax.eval_shape(many, m, states, keys, first)[1]
        zeros = jax.tree.map(lambda s: jax.numpy.zeros(s.shape, float), shapes)

        def body(k: Any, carry: Any) -> Any:
            states, sums = carry
            states, metrics = many(m, states, keys, first + k)
            return states, jax.tree.map(lambda a, b: a + b, sums, metrics)

        return jax.lax.fori_loop(0, count, body, (states, zeros))

    policy = jax.jit(jax.vmap(learner.policy, in_axes=(None, 0)))
    return Program(model, init(model, keys), advance, policy)


def check_kind(learner: object) -> None:
    """Refuse what is no learner.

    Raises:
        TypeError: with what is missing.
    """
    if isinstance(learner, type) or not isinstance(learner, Learner):
        shown = f"the class {learner.__name__}" if isinstance(learner, type) else type(learner).__name__
        raise TypeError(
            f"learner must be an instance such as RQEActorCritic(risk_aversion=1.0), not {shown}; see the "
            "protocol equipoise.learning.Learner for your own"
        )


def _check_count(name: str, value: int | None) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")


@contextmanager
def in_precision(precision: str) -> Iterator[None]:
    """Compute in the learner's precision without touching the user's configuration."""
    import jax

    if precision not in ("float64", "float32"):
        raise ValueError(f"a learner's precision must be 'float64' or 'float32', got {precision!r}")
    with jax.enable_x64(precision == "float64"):
        yield


def _host(states: State) -> State:
    import jax

    return jax.tree.map(np.asarray, states)


def _describe(learner: Learner, game: Any, model: Model, seeds: int, seed: int) -> dict[str, Any]:
    """What a run is: equal descriptions mean equal numbers."""
    return {
        "format": FORMAT,
        "learner": {"kind": type(learner).__name__, "settings": settings_of(learner)},
        "game": _game_file(game),
        "model": fingerprint(model),
        "seeds": int(seeds),
        "seed": int(seed),
    }


def _game_file(game: Any) -> str | None:
    """The file in the run's folder that holds the game; None for what `eqp.save` cannot write."""
    if isinstance(game, NormalFormGame):
        return "game.json"
    return "game.npz" if isinstance(game, MarkovGame) else None


def _open(folder: Path, manifest: dict[str, Any], game: Any, fresh: State) -> tuple[State, int]:
    """States and number of updates to go on from; a new folder is begun.

    Raises:
        CheckpointError: the folder has a run of another configuration.
    """
    if (folder / MANIFEST).exists():
        _compare(manifest, read_manifest(folder), folder)
        if not (folder / CHECKPOINT).exists():
            return fresh, 0
        states, written = read_checkpoint(folder / CHECKPOINT, fresh)
        _compare(manifest, {k: v for k, v in written.items() if k != "updates"}, folder)
        return states, int(written["updates"])
    folder.mkdir(parents=True, exist_ok=True)
    if manifest["game"] is not None:
        save(game, folder / manifest["game"])
    (folder / METRICS).unlink(missing_ok=True)
    replace_file(folder / MANIFEST, json.dumps(manifest, indent=1).encode())
    return fresh, 0


def _compare(ours: dict[str, Any], theirs: dict[str, Any], folder: Path) -> None:
    found = first_difference(ours, theirs)
    if found is not None:
        name, mine, other = found
        what = "the game" if name in ("model", "game") else name.removeprefix("learner.")
        shown = (
            "another game" if name in ("model", "game") else f"{what} = {other!r}, but {mine!r} was asked for"
        )
        raise CheckpointError(
            f"{folder} holds a run with {shown}; use another directory, or the same settings to resume it"
        )


def _known_learner(manifest: Mapping[str, Any], folder: Path) -> Learner:
    """The learner a manifest describes; only Equipoise's own are ever made from a file."""
    from equipoise.learning import LEARNERS

    kind, settings = manifest["learner"]["kind"], manifest["learner"]["settings"]
    if kind not in LEARNERS:
        raise CheckpointError(
            f"{folder} was trained with {kind}, which is not Equipoise's; pass it as learner="
        )
    made = getattr(import_module("equipoise.learning"), kind)
    try:
        return made(**{name: tuple(v) if isinstance(v, list) else v for name, v in settings.items()})
    except TypeError as error:
        raise CheckpointError(f"{folder}: settings do not fit {kind} in this version: {error}") from None


def _evaluated(
    evaluate: Evaluate, program: Program, states: State, seeds: int
) -> dict[str, Float[np.ndarray, " seeds"]]:
    policies = tuple(np.asarray(p) for p in program.policy(program.model, states))
    found = {}
    for name, values in evaluate(policies).items():
        found[name] = np.asarray(values, float)
        if found[name].shape != (seeds,):
            raise ValueError(
                f"evaluate must return one number per seed ({seeds}); {name!r} has shape {found[name].shape}"
            )
    return found


def _check_finite(
    states: State, metrics: Mapping[str, Any], step: int, folder: Path | None, saved: int
) -> None:
    import jax

    leaves = [(f"metric {name!r}", values) for name, values in metrics.items()]
    leaves += [
        (f"state{jax.tree_util.keystr(where)}", leaf)
        for where, leaf in jax.tree_util.tree_flatten_with_path(states)[0]
        if np.issubdtype(leaf.dtype, np.floating)
    ]
    for name, values in leaves:
        rows = np.asarray(values).reshape(len(values), -1)
        bad = np.isnan(rows).any(axis=1)
        if bad.any():
            kept = f"The checkpoint at {saved} steps in {folder} is good." if folder and saved else ""
            raise TrainingDivergedError(
                f"{name} of seed {int(np.flatnonzero(bad)[0])} became NaN by step {step}: the learner "
                f"diverged; try smaller step sizes. {kept}".rstrip()
            )


@contextmanager
def _progress(name: str, total: int, done: int, show: bool | None) -> Iterator[Callable[[int], None]]:
    """A bar on standard error, as a function that takes the number of updates made."""
    if not (sys.stderr.isatty() if show is None else show):
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    parts = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Progress(*parts, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=total, completed=done)
        yield lambda made: bar.update(task, completed=made)
