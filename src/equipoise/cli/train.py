"""Train a learner in a game, for several seeds at once; run it again to resume or go on.

`equipoise train LEARNER --help` lists a learner's settings. GAME is a .nfg, .json or .npz file, or a key from
`equipoise games list`. The run's folder gets run.json, metrics.jsonl, checkpoint.npz and metrics.png. A run
that was stopped, by Ctrl-C or otherwise, goes on where it was when the same command is given again.

Examples:
  equipoise train generative-rqe two-state --steps 100000 --seeds 8
  equipoise train rqe-actor-critic two-state --steps 200000 --risk-aversion 1 2 --dir out/two-state
  equipoise train generative-rqe grid.json --steps 1e6 --draws 100 --json
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

import equipoise.learning as learning
from equipoise.cli._inputs import GameArgument, Json, read_game
from equipoise.cli._terminal import Terminal, closest
from equipoise.reporting.runs import draw_metrics, final_table, policy_table, run_to_dict
from equipoise.reporting.style import save

if TYPE_CHECKING:
    from equipoise.learning import Run


def command_name(kind: str) -> str:
    """Name of a learner's class as it is typed: "RQEActorCritic" is rqe-actor-critic."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", kind).lower()


LEARNERS = {command_name(kind): kind for kind in learning.LEARNERS}


@dataclass(frozen=True, kw_only=True)
class Command:
    """Options of `equipoise train`."""

    learner: Annotated[
        tyro.conf.Positional[Any],
        tyro.conf.arg(
            constructor=str, metavar="LEARNER", help=f"one of {', '.join(LEARNERS)}", help_behavior_hint=""
        ),
    ]
    game: GameArgument
    """a .nfg, .json or .npz file, or a key of the catalogue"""
    steps: Annotated[str, tyro.conf.arg(metavar="N", help_behavior_hint="")]
    """samples (environment steps) for each seed, such as 100000 or 1e5"""
    seeds: Annotated[int, tyro.conf.arg(metavar="K")] = 1
    """independent repetitions, trained side by side"""
    seed: Annotated[int, tyro.conf.arg(metavar="S")] = 0
    """number they are derived from"""
    dir: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="")] = None
    """the run's folder (default runs/LEARNER-GAME)"""
    tensorboard: Annotated[bool, tyro.conf.arg(help_behavior_hint="")] = False
    """write TensorBoard events too"""
    json: Json = False
    """print JSON for machines"""

    def run(self, terminal: Terminal) -> int:
        """Train and show."""
        learner: Any = self.learner
        game = read_game(self.game)
        folder = self.dir or Path("runs") / f"{command_name(type(learner).__name__)}-{Path(self.game).stem}"
        start = time.perf_counter()
        run = learning.train(
            learner,
            game,
            steps=_whole(self.steps),
            seeds=self.seeds,
            seed=self.seed,
            directory=folder,
            tensorboard=self.tensorboard,
            progress=False if self.json else None,
        )
        seconds = time.perf_counter() - start
        terminal.say(f"{learner.name} in {game.title or self.game}", style="bold")
        for table in (final_table(run), *policy_table(run)):
            terminal.show(table)
        picture = _draw(run, folder)
        drawn = f" and {picture}" if picture else ""
        terminal.say(
            f"{seconds:.1f} s, {run.steps} steps for each of {run.seeds} seeds. Run: {folder}{drawn}."
        )
        terminal.emit({**run_to_dict(run), "seconds": seconds})
        return 0


def select(arguments: list[str]) -> tuple[type[Command], str, list[str]]:
    """The options of the learner named first; without one, those that all learners share.

    Args:
        arguments: what follows `equipoise train`.

    Returns:
        The type of the command, its name, and the arguments left.

    Raises:
        ValueError: there is no such learner.
    """
    if not arguments or arguments[0].startswith("-"):
        return Command, "train", arguments
    name, *rest = arguments
    if name not in LEARNERS:
        raise ValueError(
            f"there is no learner {name!r}{closest(name, LEARNERS)}; there are {', '.join(LEARNERS)}"
        )
    plain_names: Any = tyro.conf.OmitArgPrefixes
    settings = plain_names[getattr(learning, LEARNERS[name])]
    made = make_dataclass(
        "Command", [("learner", settings, field())], bases=(Command,), frozen=True, kw_only=True
    )
    return made, f"train {name}", rest


def _whole(text: str) -> int:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if number != number or number != int(number):
        raise ValueError(f"--steps must be a whole number such as 100000 or 1e5, got {text!r}")
    return int(number)


def _draw(run: Run, folder: Path) -> Path | None:
    """The curves of the metrics; nothing where there are none."""
    if not run.metrics:
        return None
    return save(draw_metrics(run), folder / "metrics.png")
