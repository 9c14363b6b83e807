"""Estimate how risk-averse and how noisy players were from what they chose; compare concepts.

DATA is a .csv file, or a recorded experiment: a key from `equipoise games list --tag experiment`, or the
start of several ("selten-chmura" is all twelve games).

The first line of the file names its columns, others are ignored:
  player, action      names, or numbers from 1
  count               choices; or
  frequency           shares that sum to 1; without either column every row is one choice
  game                a key or a file, where there are several games

Examples:
  equipoise fit choices.csv --game game.nfg
  equipoise fit choices.csv --game game.nfg --concept rqe,qre,nash
  equipoise fit selten-chmura --penalty reverse_kl --held-out
  equipoise fit selten-chmura --concept qre --criterion least_squares --bootstrap 200 --seed 1
  equipoise fit selten-chmura --tau 0.1 --json
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import tyro

from equipoise.cli._inputs import Json, read_normal_form, read_numbers
from equipoise.cli._terminal import Terminal, closest
from equipoise.reporting.fits import (
    comparison_table,
    estimate_table,
    fit_to_dict,
    prediction_table,
    quality_table,
)
from equipoise.reporting.tables import jsonable

if TYPE_CHECKING:
    from equipoise.equilibria.fit import Fit
    from equipoise.games import NormalFormGame, ObservedPlay

CONCEPTS = {
    "rqe": "RQE",
    "qre": "QRE",
    "nash": "Nash",
    "action-sampling": "ActionSampling",
    "payoff-sampling": "PayoffSampling",
    "impulse-balance": "ImpulseBalance",
}


@dataclass(frozen=True)
class Command:
    """Options of `equipoise fit`."""

    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA", help_behavior_hint="")]
    """a .csv file, or the key of a recorded experiment"""
    game: Annotated[tuple[str, ...], tyro.conf.arg(metavar="GAME ...", help_behavior_hint="")] = ()
    """the games played, for a .csv file: .nfg or .json files, or keys"""
    concept: Annotated[str, tyro.conf.arg(metavar="NAME[,NAME...]", help_behavior_hint="")] = "rqe"
    """rqe, qre, nash, action-sampling, payoff-sampling or impulse-balance; several are compared"""
    penalty: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None
    """rqe: what a feared deviation costs: kl, reverse_kl or l1 (default kl)"""
    regularizer: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None
    """rqe: entropy or log_barrier (default entropy)"""
    form: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None
    """rqe: aggregate or action_dependent (default aggregate)"""
    tau: Annotated[str | None, tyro.conf.arg(metavar="TAU[,TAU...]", help_behavior_hint="")] = None
    """rqe: hold the risk aversion at this value instead of estimating it"""
    eps: Annotated[str | None, tyro.conf.arg(metavar="EPS[,EPS...]", help_behavior_hint="")] = None
    """rqe: hold the bounded rationality at this value instead of estimating it"""
    product: Annotated[float | None, tyro.conf.arg(metavar="P", help_behavior_hint="")] = None
    """rqe: hold tau times eps at this value and estimate one parameter"""
    sharing: Literal["common", "per_player", "per_game"] = "common"
    """who shares parameters: all, each player role its own, each game its own"""
    criterion: Annotated[
        Literal["likelihood", "least_squares"] | None, tyro.conf.arg(help_behavior_hint="")
    ] = None
    """what is fitted (default likelihood where numbers of choices are known)"""
    held_out: Annotated[bool, tyro.conf.arg(help_behavior_hint="")] = False
    """also predict every game from a fit to all others"""
    level: Annotated[float, tyro.conf.arg(metavar="L", help_behavior_hint="")] = 0.95
    """confidence level of the intervals (default 0.95)"""
    bootstrap: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")] = None
    """make the intervals from N resamples of the games instead of the profile likelihood"""
    seed: Annotated[int, tyro.conf.arg(metavar="SEED", help_behavior_hint="")] = 0
    """seed of the resampling (default 0)"""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE.json", help_behavior_hint="")] = None
    """write the answer to a file as well"""
    json: Json = False
    """print JSON for machines"""

    def run(self, terminal: Terminal) -> int:
        """Fit and show."""
        from equipoise.equilibria.compare import compare_fits
        from equipoise.equilibria.fit import FitWarning, fit

        records = read_data(self.data, self.game)
        concepts = read_concepts(self)
        if self.bootstrap is not None and self.bootstrap < 2:
            raise ValueError(f"--bootstrap takes the number of resamples, at least 2, got {self.bootstrap}")
        start = time.perf_counter()
        fits = []
        for name, concept, options in concepts:
            with terminal.working(f"Fitting {name} ..."), warnings.catch_warnings():
                # They are in the record, and shown below with the name of their fit.
                warnings.simplefilter("ignore", FitWarning)
                fits.append(
                    fit(
                        concept,
                        records,
                        sharing=self.sharing,
                        criterion=self.criterion,
                        level=self.level,
                        bootstrap=self._generator(),
                        resamples=self.bootstrap or 2,
                        held_out=self.held_out,
                        **options,
                    )
                )
        comparison = compare_fits(fits, bootstrap=self._generator(), level=self.level)
        seconds = time.perf_counter() - start
        for one in fits:
            _show(terminal, one, brief=len(fits) > 1)
        if len(fits) > 1:
            terminal.show(comparison_table(comparison))
        terminal.say(f"{seconds:.2f} s")
        terminal.emit(
            {
                "fits": [fit_to_dict(one) for one in fits],
                "comparison": jsonable(asdict(comparison)),
                "seconds": seconds,
            },
            self.out,
        )
        return 0 if all(one.converged for one in fits) else 1

    def _generator(self) -> np.random.Generator | None:
        return None if self.bootstrap is None else np.random.default_rng(self.seed)


def read_data(data: str, games: tuple[str, ...]) -> tuple[ObservedPlay, ...]:
    """The observations that DATA and --game name.

    Args:
        data: a file of comma-separated values, or the key of a recorded experiment.
        games: files or keys of the games in the file.

    Raises:
        ValueError: there is no such record, a game is missing, or the file cannot be read.
        FileNotFoundError: `data` looks like a file and nothing is there.
    """
    from equipoise.games.choices import load_choices
    from equipoise.games.observed_play import observed_play

    if Path(data).suffix.lower() in (".csv", ".tsv", ".txt") or Path(data).is_file():
        known = {argument: read_normal_form(argument) for argument in games}
        return load_choices(data, next(iter(known.values())) if len(known) == 1 else _finder(known))
    if games:
        raise ValueError(f"--game goes with a .csv file; the experiment {data!r} has its own games")
    records = observed_play()
    found = tuple(one for key, one in records.items() if key == data or key.startswith(f"{data}-"))
    if not found:
        raise ValueError(
            f"there is no recorded experiment {data!r}{closest(data, records)}; a data file must end in .csv"
        )
    return found


def _finder(known: dict[str, NormalFormGame]) -> Callable[[str], NormalFormGame]:
    """Finds games by argument, file name or title; any key or file where no games were given."""
    if not known:
        return read_normal_form
    names = {name: game for argument, game in known.items() for name in (argument, Path(argument).stem)}
    names |= {game.title: game for game in known.values() if game.title}

    def find(name: str) -> NormalFormGame:
        if name not in names:
            raise ValueError(f"{name!r} is none of the games given with --game: {', '.join(known)}")
        return names[name]

    return find


def read_concepts(options: Command) -> list[tuple[str, Any, dict[str, Any]]]:
    """The concepts to fit: name on the command line, concept, and the arguments that are its own.

    Args:
        options: the options of the command.

    Raises:
        ValueError: a name is unknown, or an option is for a concept that is not fitted.
    """
    from equipoise import equilibria

    names = [name.strip() for name in options.concept.split(",")]
    for name in names:
        if name not in CONCEPTS:
            raise ValueError(
                f"--concept: there is no {name!r}{closest(name, CONCEPTS)}; there are {', '.join(CONCEPTS)}"
            )
    own = {"penalty": options.penalty, "regularizer": options.regularizer, "form": options.form}
    fixed = {
        field: read_numbers(text, option)
        for field, option, text in (
            ("risk_aversion", "--tau", options.tau),
            ("bounded_rationality", "--eps", options.eps),
        )
        if text is not None
    }
    fields = {name: value for name, value in own.items() if value is not None}
    given = [*fields, *fixed] + (["product"] if options.product is not None else [])
    if given and "rqe" not in names:
        raise ValueError("--penalty, --regularizer, --form, --tau, --eps and --product are for --concept rqe")
    kinds = {name: getattr(equilibria, CONCEPTS[name]) for name in names}
    return [
        (name, kinds[name](**fields), {"fixed": fixed, "product": options.product})
        if name == "rqe"
        else (name, kinds[name], {})
        for name in names
    ]


def _show(terminal: Terminal, fit: Fit, *, brief: bool) -> None:
    count = len(fit.records)
    games = "one game" if count == 1 else f"{count} games"
    terminal.say(f"{fit.name}, fitted to {games} by {fit.criterion.replace('_', ' ')}", style="bold")
    if fit.estimates:
        terminal.show(estimate_table(fit))
    if not brief:
        terminal.show(quality_table(fit))
        terminal.show(prediction_table(fit))
    for warning in fit.warnings:
        terminal.warn(warning)
