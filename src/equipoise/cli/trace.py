"""Follow all equilibria of a game while risk aversion, noise or precision varies.

GAME is a .nfg or .json file, or a key from `equipoise games list`. Every point goes to a .csv file, the
branches to a picture: stable ones solid, unstable ones dashed, folds and crossings marked.

Examples:
  equipoise trace collaborate-or-defect --parameter tau --from 0 --to 5 --eps 0.2
  equipoise trace game.nfg --parameter eps --from 2 --to 0.05 --tau 0.5 --penalty reverse_kl
  equipoise trace stag-hunt --concept qre --from 0 --to 10 --player 2 --out stag.csv
  equipoise trace chicken --parameter tau --from 0 --to 3 --json
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from equipoise.cli._inputs import GameArgument, Json, read_normal_form, read_numbers
from equipoise.cli._terminal import Terminal
from equipoise.reporting.traces import (
    bifurcation_table,
    branch_table,
    point_table,
    trace_figure,
    trace_to_dict,
)

if TYPE_CHECKING:
    from equipoise.equilibria import QRE, RQE, Trace
    from equipoise.equilibria.trace import Parameter

FIELDS: dict[str, Parameter] = {
    "tau": "risk_aversion",
    "eps": "bounded_rationality",
    "lambda": "precision",
}


@dataclass(frozen=True)
class Command:
    """Options of `equipoise trace`."""

    game: GameArgument
    """a .nfg or .json file, or a key of the catalogue"""
    from_: Annotated[float, tyro.conf.arg(name="from", metavar="X", help_behavior_hint="")]
    """where the parameter starts; all equilibria there are searched for and followed"""
    to: Annotated[float, tyro.conf.arg(metavar="X", help_behavior_hint="")]
    """where it ends; equilibria there that no branch has reached are followed back"""
    concept: Literal["rqe", "qre"] = "rqe"
    """what to solve for"""
    parameter: Annotated[
        Literal["tau", "eps", "lambda"] | None, tyro.conf.arg(metavar="tau|eps|lambda", help_behavior_hint="")
    ] = None
    """what varies: tau (default) or eps of rqe, lambda of qre"""
    tau: Annotated[str | None, tyro.conf.arg(metavar="TAU[,TAU...]", help_behavior_hint="")] = None
    """rqe: risk aversion, for all or per player (default 1); where it varies, its ratios between players"""
    eps: Annotated[str | None, tyro.conf.arg(metavar="EPS[,EPS...]", help_behavior_hint="")] = None
    """rqe: bounded rationality, for all or per player (default 1); where it varies, its ratios"""
    penalty: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None
    """rqe: what a feared deviation costs: kl, reverse_kl or l1 (default kl)"""
    regularizer: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None
    """rqe: entropy or log_barrier (default entropy)"""
    form: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None
    """rqe: aggregate or action_dependent (default aggregate)"""
    joint_penalty: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None
    """rqe, three or more players: joint or marginals (default joint)"""
    player: Annotated[int, tyro.conf.arg(metavar="N", help_behavior_hint="")] = 1
    """whose action the picture shows, from 1: the one whose probability varies most (default 1)"""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR|FILE.csv", help_behavior_hint="")] = None
    """where the points and the picture go (default out/trace-GAME; with --json nowhere)"""
    json: Json = False
    """print JSON for machines"""

    def run(self, terminal: Terminal) -> int:
        """Follow and show."""
        game = read_normal_form(self.game)
        if not 1 <= self.player <= game.num_players:
            raise ValueError(f"--player takes a player from 1 to {game.num_players}, got {self.player}")
        concept, parameter = build_concept(self)
        table_file = _table_file(self)

        from equipoise.equilibria import trace

        start = time.perf_counter()
        with terminal.progress() as bars:
            task = bars.add_task("following branches", total=100)
            followed = trace(
                game,
                concept,
                parameter,
                self.from_,
                self.to,
                progress=lambda share: bars.update(task, completed=round(100 * share)),
            )
        seconds = time.perf_counter() - start
        _show(terminal, followed, self.game)
        if table_file is not None:
            picture = _write(followed, self.player - 1, table_file)
            terminal.say(f"{seconds:.2f} s. Points in {table_file}, picture in {picture}.")
        terminal.emit({**trace_to_dict(followed), "seconds": seconds})
        return 0 if followed.complete else 1


def build_concept(options: Command) -> tuple[RQE | QRE, Parameter]:
    """Make the concept that the options describe, and name what varies.

    Args:
        options: the options of the command.

    Returns:
        The concept, and the field of it that varies.

    Raises:
        ValueError: an option belongs to the other concept or has a wrong value.
    """
    from equipoise.equilibria import QRE, RQE

    rqe = options.concept == "rqe"
    varying = options.parameter or ("tau" if rqe else "lambda")
    if (varying == "lambda") == rqe:
        raise ValueError(
            f"--parameter {varying} does not belong to --concept {options.concept}; "
            "rqe has tau and eps, qre has lambda"
        )
    given: dict[str, Any] = {
        "tau": options.tau and read_numbers(options.tau, "--tau"),
        "eps": options.eps and read_numbers(options.eps, "--eps"),
        "penalty": options.penalty,
        "regularizer": options.regularizer,
        "form": options.form,
        "joint-penalty": options.joint_penalty,
    }
    given = {option: value for option, value in given.items() if value is not None}
    if not rqe:
        if given:
            raise ValueError(f"--{next(iter(given))} does not apply to --concept qre; it is for rqe")
        return QRE(), FIELDS[varying]
    if isinstance(given.get(varying), float):
        raise ValueError(
            f"--{varying} {given[varying]:g} is what varies from --from to --to; leave it out, "
            "or give one value per player to keep their ratios"
        )
    fields = {FIELDS.get(option, option.replace("-", "_")): value for option, value in given.items()}
    return RQE(**fields), FIELDS[varying]


def _table_file(options: Command) -> Path | None:
    """Where the points go; the picture goes beside them."""
    out = options.out
    if out is None:
        return None if options.json else Path("out") / f"trace-{Path(options.game).stem}" / "trace.csv"
    if out.suffix and out.suffix.lower() != ".csv" and not out.is_dir():
        raise ValueError(f"--out takes a folder or a .csv file, got {str(out)!r}")
    return out if out.suffix.lower() == ".csv" else out / "trace.csv"


def _write(followed: Trace, player: int, table_file: Path) -> Path:
    """Write the points and, beside them, the picture."""
    from equipoise.reporting.style import save

    table_file.parent.mkdir(parents=True, exist_ok=True)
    table_file.write_text(point_table(followed).to_csv(), encoding="utf-8")
    return save(trace_figure(followed, player), table_file.with_suffix(".png"))


def _show(terminal: Terminal, followed: Trace, argument: str) -> None:
    title = followed.game.title or argument
    terminal.say(f"{title}: equilibria along {followed.parameter.replace('_', ' ')}", style="bold")
    terminal.show(branch_table(followed))
    if followed.bifurcations:
        terminal.show(bifurcation_table(followed))
    else:
        terminal.say("No branch turns or crosses another.")
    if not followed.complete:
        terminal.warn("A branch was lost before it left the range; it ends where its points end.")
