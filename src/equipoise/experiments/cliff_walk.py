"""How two agents cross a cliff as their risk aversion and their noise vary.

Mazumdar, Panaganti and Shi (2024) show pictures of likely paths: an agent that is more averse, or less noisy,
keeps away from the cliff; one that seeks risk heads for its goal while the other waits. Here the policies are
exact, their most likely paths are found by Viterbi's algorithm, and what the pictures say is measured on
simulated walks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from equipoise.equilibria import RQE, MarkovSolution, Nash, solve
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.games import MarkovGame
from equipoise.games.grid_worlds import cliff_walk
from equipoise.reporting.paths import Path, greedy_path, likely_path, likely_start, policies_at
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAPER = "Mazumdar, Panaganti and Shi (2024), arXiv 2406.14156"
AUTHORS = (0.1, 10.0)  # risk aversion and bounded rationality of both agents in the authors' program
TAIL = 0.1  # share of walks whose mean return is the conditional value at risk
CLIFF = "x"


@dataclass(frozen=True)
class Settings:
    """What is walked.

    Attributes:
        version: of the map and the rules, "code" (4x3, 15 moves) or "paper" (6x6).
        horizon: number of moves.
        first: risk aversion and bounded rationality of agent 1, the same throughout.
        aversions: risk aversion of agent 2, with its noise at the smallest of `noises`.
        noises: bounded rationality of agent 2, with its aversion in the middle of `aversions`.
        walks: simulated walks per setting.
        seed: of the simulation.
    """

    version: str = "code"
    horizon: int = 15
    first: tuple[float, float] = (0.1, 0.1)
    aversions: tuple[float, ...] = (0.01, 0.1, 1.0)
    noises: tuple[float, ...] = (0.1, 1.0, 10.0)
    walks: int = 20_000
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Walks:
    """Simulated walks.

    Attributes:
        states: `[walks, steps + 1]`.
        returns: undiscounted, `[agents, walks]`.
    """

    states: Int[np.ndarray, "walks steps"]
    returns: Float[np.ndarray, "agents walks"]


@dataclass(frozen=True, eq=False)
class Case:
    """One setting: the policies, where they lead, and what was measured per agent."""

    solution: MarkovSolution
    path: Path
    greedy: Path
    walks: Walks
    measures: dict[str, Float[np.ndarray, " agents"]]


def simulate(solution: MarkovSolution, walks: int, rng: np.random.Generator) -> Walks:
    """Play policies of finite horizon many times at once.

    Args:
        solution: policies that players choose from independently.
        walks: how often.
        rng: source of chance.
    """
    game = solution.game
    assert game.horizon is not None
    state = rng.choice(game.num_states, walks, p=game.initial)
    states, returns = [state], np.zeros((game.num_players, walks))
    for step in range(game.horizon):
        actions = tuple(_draw(policy[state], rng) for policy in policies_at(solution, step))
        returns += np.stack([reward[(state, *actions)] for reward in game.rewards_at(step)])
        lists = game.successors_at(step)
        chosen = _draw(lists.probabilities[(state, *actions)], rng)
        state = lists.successors[(state, *actions)][np.arange(walks), chosen]
        states.append(state)
    return Walks(np.stack(states, axis=1), returns)


def _draw(laws: Float[np.ndarray, "walks _"], rng: np.random.Generator) -> Int[np.ndarray, " walks"]:
    rising = np.cumsum(laws, axis=1)
    return np.argmax(rng.random((len(laws), 1)) * rising[:, -1:] < rising, axis=1)


def measure(game: MarkovGame, walks: Walks) -> dict[str, Float[np.ndarray, " agents"]]:
    """What walks were like, one number per agent each.

    Returns:
        Mean, standard deviation and tail mean of the return; the share of walks that ever fall and that ever
        reach the own goal; the share of moves spent within one cell of the cliff; and the number of moves
        until the agent is first more than one cell away from its start (the horizon where it never is).
    """
    layout = game.layout
    assert layout is not None
    text = np.array(list("".join(layout.rows)))
    places = np.stack(np.divmod(np.arange(text.size), layout.width), axis=1)
    apart = np.abs(places[:, None] - places[None]).max(axis=2)
    edge = apart[:, text == CLIFF].min(axis=1) <= 1
    tail = max(int(TAIL * walks.returns.shape[1]), 1)
    steps = walks.states.shape[1] - 1
    rows: dict[str, list[float]] = {
        key: [] for key in ("mean", "spread", "tail", "falls", "arrives", "edge", "waits")
    }
    for i, earned in enumerate(walks.returns):
        cells = layout.positions[walks.states, i]
        gone = apart[cells[:, :1], cells] > 1
        rows["mean"].append(float(earned.mean()))
        rows["spread"].append(float(earned.std()))
        rows["tail"].append(float(np.sort(earned)[:tail].mean()))
        rows["falls"].append(float((text[cells] == CLIFF).any(axis=1).mean()))
        rows["arrives"].append(float((text[cells] == str(i + 1)).any(axis=1).mean()))
        rows["edge"].append(float(edge[cells[:, 1:]].mean()))
        rows["waits"].append(float(np.where(gone.any(axis=1), gone.argmax(axis=1), steps).mean()))
    return {key: np.array(values) for key, values in rows.items()}


def run(settings: Settings, progress: Progress) -> Result:
    """Solve, walk and measure.

    Args:
        settings: the map, the agents and the number of walks.
        progress: told how far it is.

    Returns:
        A table of all settings, paths and risk profiles as pictures, and the claims.
    """
    version: Any = settings.version
    game = cliff_walk(version, horizon=settings.horizon)
    concepts = _concepts(settings)
    cases: dict[str, Case] = {}
    for k, (name, concept) in enumerate(concepts.items()):
        progress(k / len(concepts), f"cliff walk: {name}")
        solution = solve(game, concept, throw=False)
        walks = simulate(solution, settings.walks, np.random.default_rng(settings.seed))
        cases[name] = Case(
            solution, likely_path(solution), greedy_path(solution), walks, measure(game, walks)
        )
    claims = _claims(settings, cases)
    held = sum(claim.holds for claim in claims)
    worst = max(case.solution.certificate.gap for case in cases.values())
    return Result(
        answer=(
            f"{game.title}, {game.num_states} states, {game.horizon} moves: {held} of {len(claims)} claims "
            f"hold. No player of any of the {len(cases)} policies could gain more than {worst:.1e} by "
            "deviating, as it judges itself."
        ),
        tables={"walks": _table(cases), "solutions": _solutions(cases)},
        pictures={
            "paths": Picture(
                lambda: _draw_paths(cases),
                "Most likely paths from the start (dot) to the end (square); agent 1 blue, agent 2 orange.",
            ),
            "profiles": Picture(
                lambda: _draw_profiles(settings, cases), "Share of walks in which agent 2 earned less."
            ),
        },
        claims=claims,
        certified=all(case.solution.converged for case in cases.values()),
    )


def _concepts(settings: Settings) -> dict[str, RQE | Nash]:
    """All settings by name: agent 2's aversion, its noise, the authors' own numbers, and the baselines."""

    def agents(tau: tuple[float, float], eps: tuple[float, float]) -> RQE:
        return RQE(tau, eps, "kl", "log_barrier", regularizer_in_value=False)

    tau, eps = settings.first
    out: dict[str, RQE | Nash] = {}
    for averse, noise in _settings_of_agent_2(settings):
        out[_name(averse, noise)] = agents((tau, averse), (eps, noise))
    out["authors' numbers"] = agents((AUTHORS[0],) * 2, (AUTHORS[1],) * 2)
    out["risk-neutral"] = agents((0.0, 0.0), (eps, settings.noises[0]))
    out["Nash"] = Nash()
    return out


def _settings_of_agent_2(settings: Settings) -> list[tuple[float, float]]:
    middle = settings.aversions[len(settings.aversions) // 2]
    found = [(averse, settings.noises[0]) for averse in settings.aversions]
    found += [(middle, noise) for noise in settings.noises[1:]]
    return found


def _name(averse: float, noise: float) -> str:
    return f"τ₂ = {averse:g}, ε₂ = {noise:g}"


def _claims(settings: Settings, cases: dict[str, Case]) -> tuple[Claim, ...]:
    bold = cases[_name(settings.aversions[0], settings.noises[0])]
    shy = cases[_name(settings.aversions[-1], settings.noises[0])]
    middle = settings.aversions[len(settings.aversions) // 2]
    exact = cases[_name(middle, settings.noises[0])]
    noisy = cases[_name(middle, settings.noises[-1])]
    same = sum(np.array_equal(case.path.states, case.greedy.states) for case in cases.values())
    risky = [cases[_name(a, settings.noises[0])].measures["spread"][1] for a in settings.aversions]

    def told(what: str, first: Case, second: Case, agent: int = 1) -> str:
        return f"{first.measures[what][agent]:.3g} and {second.measures[what][agent]:.3g}"

    return (
        Claim(
            "a more averse agent 2 keeps away from the cliff",
            PAPER,
            f"share of moves within a cell of it, at τ₂ = {settings.aversions[0]:g} and "
            f"{settings.aversions[-1]:g}: {told('edge', bold, shy)}",
            bool(shy.measures["edge"][1] < bold.measures["edge"][1]),
        ),
        Claim(
            "a less noisy agent 2 falls less often",
            PAPER,
            f"share of walks with a fall, at ε₂ = {settings.noises[-1]:g} and {settings.noises[0]:g}: "
            f"{told('falls', noisy, exact)}",
            bool(exact.measures["falls"][1] < noisy.measures["falls"][1]),
        ),
        Claim(
            "a less averse agent 2 heads for its goal",
            PAPER,
            f"share of walks that reach it, at τ₂ = {settings.aversions[0]:g} and "
            f"{settings.aversions[-1]:g}: {told('arrives', bold, shy)}",
            bool(bold.measures["arrives"][1] > shy.measures["arrives"][1]),
        ),
        Claim(
            "while a less averse agent 2 heads for its goal, agent 1 waits at its corner",
            PAPER,
            f"moves until agent 1 leaves it, at τ₂ = {settings.aversions[0]:g} and "
            f"{settings.aversions[-1]:g}: {told('waits', bold, shy, 0)}",
            bool(bold.measures["waits"][0] > shy.measures["waits"][0]),
        ),
        Claim(
            "a more averse agent 2 has less variable returns",
            "ours",
            "standard deviation as τ₂ rises: " + ", ".join(f"{value:.3g}" for value in risky),
            bool(np.all(np.diff(risky) < 0.0)),
        ),
        Claim(
            "the path of everybody's likeliest actions is the most likely path",
            "the authors' program, which draws it",
            f"in {same} of {len(cases)} settings",
            same == len(cases),
        ),
    )


def _table(cases: dict[str, Case]) -> Table:
    heads = [
        "setting",
        "agent",
        "mean return",
        "spread",
        "worst tenth",
        "falls",
        "reaches goal",
        "at the edge",
    ]
    rows: list[list[object]] = []
    for name, case in cases.items():
        for i in range(2):
            numbers = [
                float(case.measures[key][i])
                for key in ("mean", "spread", "tail", "falls", "arrives", "edge", "waits")
            ]
            rows.append([name if i == 0 else "", i + 1, *numbers])
    return Table([*heads, "moves at start"], rows, "shares of walks and of moves", digits=3)


def _solutions(cases: dict[str, Case]) -> Table:
    rows: list[list[object]] = []
    for name, case in cases.items():
        solution, report = case.solution, case.solution.details["stage"]
        start = likely_start(solution)
        rows.append(
            [
                name,
                *(float(v) for v in solution.values[:, start]),
                float(solution.certificate.gap),
                float(solution.certificate.nash_gap),
                float(report.certain.mean()),
                case.path.probability,
                np.array_equal(case.path.states, case.greedy.states),
            ]
        )
    heads = ["setting", "value, agent 1", "value, agent 2", "gap", "Nash gap", "certainly unique"]
    return Table(
        [*heads, "path probability", "is the likeliest actions' path"],
        rows,
        "values as the agents judge; share of stage games whose equilibrium is unique by theorem",
        digits=3,
    )


def _draw_paths(cases: dict[str, Case]) -> Figure:
    from equipoise.reporting.policies import draw_paths

    solutions = {name: case.solution for name, case in cases.items()}
    return draw_paths(solutions, {name: case.path for name, case in cases.items()}, columns=4)


def _draw_profiles(settings: Settings, cases: dict[str, Case]) -> Figure:
    from equipoise.reporting.style import PALETTE, canvas, styled

    def panel(axis: Any, names: Sequence[str], title: str) -> None:
        for k, name in enumerate(names):
            earned = np.sort(cases[name].walks.returns[1])
            axis.step(earned, np.linspace(0.0, 1.0, len(earned)), color=PALETTE[k], label=name)
        axis.set(xlabel="return of agent 2", ylabel="share of walks below", ylim=(0, 1))
        axis.set_title(title)
        axis.legend(loc="upper left")

    @styled
    def draw() -> Figure:
        figure, axes = canvas(9.0, 3.6, 1, 2)
        averse = [_name(a, settings.noises[0]) for a in settings.aversions]
        middle = settings.aversions[len(settings.aversions) // 2]
        panel(axes[0], [*averse, "risk-neutral", "Nash"], "risk aversion")
        panel(axes[1], [_name(middle, noise) for noise in settings.noises], "noise")
        return figure

    return draw()


EXPERIMENT = Experiment(
    name="cliff-walk",
    question="How do two agents cross a cliff as risk aversion and noise vary?",
    source=f"{PAPER}, the cliff walk",
    laptop=Settings(),
    full=Settings(version="paper", horizon=200, walks=100_000),
    run=run,
)
