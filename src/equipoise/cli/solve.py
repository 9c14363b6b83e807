"""Find how a game is played, under one of ten solution concepts, with a certificate.

GAME is a .nfg, .json or .npz file, or a key from `equipoise games list`; of a Markov game the answer is a
policy for every state.

Examples:
  equipoise solve stag-hunt --concept rqe --tau 1 --eps 0.5
  equipoise solve game.nfg --tau 2,0.5 --eps 0.1 --penalty reverse_kl
  equipoise solve game.nfg --concept qre --lambda 2 --json
  equipoise solve chicken --concept nash --all --out answer.json
  equipoise solve game.json --concept stackelberg --leader 2 --margin 0.1
  equipoise solve cliff-walk-code --concept rqe --tau 0.1 --eps 0.1 --show policy --output policy.png
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from equipoise.cli._inputs import GameArgument, Json, read_game, read_numbers
from equipoise.cli._policies import solve_markov
from equipoise.cli._terminal import Terminal
from equipoise.reporting.solutions import evidence_table, joint_table, solution_to_dict, strategy_table

if TYPE_CHECKING:
    from equipoise.equilibria import Concept, Solution
    from equipoise.games import MarkovGame, NormalFormGame

# For every concept its class in `equipoise.equilibria`, and which option sets which of its fields.
CONCEPTS: dict[str, tuple[str, dict[str, str]]] = {
    "rqe": (
        "RQE",
        {
            "tau": "risk_aversion",
            "eps": "bounded_rationality",
            "penalty": "penalty",
            "regularizer": "regularizer",
            "form": "form",
            "joint-penalty": "joint_penalty",
            "environment-tau": "environment_risk_aversion",
            "environment-penalty": "environment_penalty",
            "no-regularizer-in-value": "regularizer_in_value",
        },
    ),
    "qre": (
        "QRE",
        {
            "lambda": "precision",
            "environment-tau": "environment_risk_aversion",
            "no-regularizer-in-value": "regularizer_in_value",
        },
    ),
    "nash": ("Nash", {}),
    "ce": ("CorrelatedEquilibrium", {"objective": "objective"}),
    "cce": ("CoarseCorrelatedEquilibrium", {"objective": "objective"}),
    "stackelberg": ("Stackelberg", {"leader": "leader", "margin": "margin"}),
    "security": ("Security", {}),
    "payoff-sampling": ("PayoffSampling", {"n": "samples"}),
    "action-sampling": ("ActionSampling", {"n": "samples"}),
    "impulse-balance": ("ImpulseBalance", {}),
}


@dataclass(frozen=True)
class Command:
    """Options of `equipoise solve`."""

    game: GameArgument
    """a .nfg or .json file, or a key of the catalogue"""
    concept: Literal[
        "rqe",
        "qre",
        "nash",
        "ce",
        "cce",
        "stackelberg",
        "security",
        "payoff-sampling",
        "action-sampling",
        "impulse-balance",
    ] = "rqe"
    """what to solve for"""
    tau: Annotated[str | None, tyro.conf.arg(metavar="TAU[,TAU...]", help_behavior_hint="")] = None
    """rqe: risk aversion, larger is more averse, for all or per player (default 1)"""
    eps: Annotated[str | None, tyro.conf.arg(metavar="EPS[,EPS...]", help_behavior_hint="")] = None
    """rqe: bounded rationality, larger is noisier, for all or per player (default 1)"""
    penalty: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None
    """rqe: what a feared deviation costs: kl, reverse_kl or l1 (default kl)"""
    regularizer: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None
    """rqe: entropy or log_barrier (default entropy)"""
    form: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None
    """rqe: aggregate or action_dependent (default aggregate)"""
    joint_penalty: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None
    """rqe, three or more players: joint or marginals (default joint)"""
    environment_tau: Annotated[str | None, tyro.conf.arg(metavar="TAU[,TAU...]", help_behavior_hint="")] = (
        None
    )
    """rqe, qre, Markov games: aversion to chance (default: TAU with a horizon, 0 with a discount)"""
    environment_penalty: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None
    """rqe, Markov games: kl, reverse_kl, l1, tv or chi2 (default kl)"""
    regularizer_in_value: Annotated[bool, tyro.conf.arg(help_behavior_hint="")] = True
    """rqe, qre: whether values count the noise's regularizer (default yes)"""
    lambda_: Annotated[
        str | None, tyro.conf.arg(name="lambda", metavar="L[,L...]", help_behavior_hint="")
    ] = None
    """qre: precision, larger is more exact (default 1)"""
    objective: Annotated[str | None, tyro.conf.arg(metavar="GOAL", help_behavior_hint="")] = None
    """ce, cce: welfare, egalitarian, any, a player's number from 1, or weights W,W,... (default welfare)"""
    leader: Annotated[int | None, tyro.conf.arg(metavar="1|2", help_behavior_hint="")] = None
    """stackelberg: which player commits (default 1)"""
    margin: Annotated[float | None, tyro.conf.arg(metavar="D", help_behavior_hint="")] = None
    """stackelberg: by how much the intended reply must be best (default 0)"""
    n: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")] = None
    """payoff-sampling, action-sampling: sample size (required)"""
    all: Annotated[bool, tyro.conf.arg(help_behavior_hint="")] = False
    """rqe, qre, nash: search for all equilibria (complete for nash with two players)"""
    show: Annotated[
        Literal["table", "policy"], tyro.conf.arg(metavar="table|policy", help_behavior_hint="")
    ] = "table"
    """Markov games: policies as a table, or drawn on the map with the most likely path (default table)"""
    step: Annotated[int, tyro.conf.arg(metavar="H", help_behavior_hint="")] = 1
    """Markov games with a horizon: which step's policies are shown (default 1)"""
    output: Annotated[Path | None, tyro.conf.arg(metavar="FILE.png", help_behavior_hint="")] = None
    """Markov games: write the policies' picture, .png or .svg"""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE.json", help_behavior_hint="")] = None
    """write the answer to a file as well"""
    json: Json = False
    """print JSON for machines"""

    def run(self, terminal: Terminal) -> int:
        """Solve and show."""
        from equipoise.games import MarkovGame

        game = read_game(self.game)
        concept = build_concept(self, game)
        if isinstance(game, MarkovGame):
            return solve_markov(self, terminal, game, concept)
        if self.show != "table" or self.output is not None or self.step != 1:
            raise ValueError("--show, --step and --output are for Markov games; this one is in normal form")
        start = time.perf_counter()
        with terminal.working(f"Solving {game.title or self.game} for {concept.name} ..."):
            solutions, search = find_all(game, concept) if self.all else ([concept.find(game)], None)
        seconds = time.perf_counter() - start
        _show(terminal, game, solutions, search, seconds)
        terminal.emit(
            {
                "game": {
                    "title": game.title,
                    "players": game.player_names,
                    "actions": game.action_names,
                },
                "solutions": [solution_to_dict(solution) for solution in solutions],
                "search": search,
                "seconds": seconds,
            },
            self.out,
        )
        return 0 if solutions and all(solution.converged for solution in solutions) else 1


def build_concept(options: Command, game: NormalFormGame | MarkovGame) -> Concept:
    """Make the concept that the options describe.

    Args:
        options: the options of the command.
        game: the game, for the number of players.

    Returns:
        The concept.

    Raises:
        ValueError: an option belongs to another concept, is missing, or has a wrong value.
    """
    from equipoise import equilibria

    given = {
        "tau": options.tau and read_numbers(options.tau, "--tau"),
        "eps": options.eps and read_numbers(options.eps, "--eps"),
        "penalty": options.penalty,
        "regularizer": options.regularizer,
        "form": options.form,
        "joint-penalty": options.joint_penalty,
        "environment-tau": options.environment_tau
        and read_numbers(options.environment_tau, "--environment-tau"),
        "environment-penalty": options.environment_penalty,
        "no-regularizer-in-value": None if options.regularizer_in_value else False,
        "lambda": options.lambda_ and read_numbers(options.lambda_, "--lambda"),
        "objective": options.objective and _objective(options.objective, game),
        "leader": None if options.leader is None else _leader(options.leader),
        "margin": options.margin,
        "n": options.n,
    }
    name, fields = CONCEPTS[options.concept]
    arguments: dict[str, Any] = {}
    for option, value in given.items():
        if option not in fields:
            if value is not None:
                owners = ", ".join(key for key, (_, own) in CONCEPTS.items() if option in own)
                raise ValueError(
                    f"--{option} does not apply to --concept {options.concept}; it is for {owners}"
                )
        elif value is not None:
            arguments[fields[option]] = value
        elif option == "n":
            raise ValueError(f"--concept {options.concept} needs a sample size, for example --n 6")
    concept: Concept = getattr(equilibria, name)(**arguments)
    return concept


def find_all(game: NormalFormGame, concept: Concept) -> tuple[list[Solution], str]:
    """Every equilibrium that a concept's search finds.

    Args:
        game: the game.
        concept: the concept.

    Returns:
        The solutions, and in words how complete they are.

    Raises:
        ValueError: the concept has no such search.
    """
    from equipoise.equilibria import QRE, RQE, Nash, all_nash_equilibria, find_equilibria

    if isinstance(concept, Nash):
        extreme = list(all_nash_equilibria(game))
        statuses = "\n".join(f"#{k}: {solution.status}" for k, solution in enumerate(extreme, start=1))
        return extreme, f"All extreme equilibria, {len(extreme)} of them.\n{statuses}"
    if isinstance(concept, RQE | QRE):
        found = find_equilibria(game, concept)
        return list(found), found.status
    raise ValueError("--all is for --concept rqe, qre and nash; the others have no search for several")


def _objective(text: str, game: NormalFormGame | MarkovGame) -> object:
    """The goal of a correlated concept: a name, a player's number from 1, or weights."""
    if "," in text:
        return read_numbers(text, "--objective")
    if not text.isdigit():
        return text
    if not 1 <= int(text) <= game.num_players:
        raise ValueError(f"--objective takes a player from 1 to {game.num_players}, got {text}")
    return int(text) - 1


def _leader(number: int) -> int:
    if number not in (1, 2):
        raise ValueError(f"--leader takes 1 or 2, the player that commits, got {number}")
    return number - 1


def _show(
    terminal: Terminal, game: NormalFormGame, solutions: list[Solution], search: str | None, seconds: float
) -> None:
    if solutions:
        terminal.say(f"{game.title or 'Untitled game'}: {solutions[0].concept.name}", style="bold")
        terminal.show(strategy_table(solutions))
        for solution in solutions:
            if solution.joint is not None:
                terminal.show(joint_table(solution))
        terminal.show(evidence_table(solutions))
    # Where a search was made, its verdict says more than what was known before it.
    statuses = [solution.status for solution in solutions] if search is None else [search]
    for status in dict.fromkeys(filter(None, statuses)):
        terminal.say(status)
    terminal.say(f"{seconds:.2f} s")
