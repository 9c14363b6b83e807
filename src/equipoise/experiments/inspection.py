"""Inspection games: does risk aversion make learning converge, and whom does it make behave?

Zhang and Mazumdar (2026) report, for a matrix they do not print: risk-neutral gradient play fails to
converge; with bounded rationality .2 and growing risk aversion it converges, the faster the more averse; the
inspector inspects less, the inspectee complies more, and the variance of utilities falls. Here is our
stand-in, and the same questions to random inspection games.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from equipoise.equilibria import RQE, Coupling, MarkovSolution, coupled_iteration, solve
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.games import MarkovGame, named_markov_game
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SOURCE = "Zhang and Mazumdar (2026), arXiv 2602.12386"
NOISE = 0.2
NEUTRAL = 1e-3  # noise of the neutral players, who would have none
ARRIVED = 1e-3  # distance of probabilities to the equilibrium that counts as there


@dataclass(frozen=True)
class Settings:
    """What is run.

    Attributes:
        aversions: risk aversion of both players; 0 is neutral play with the noise of the others.
        regularizer: the players' regularizer; with the KL penalty.
        games: random inspection games.
        steps: steps of learning.
        actor: step of policies and adversaries.
        critic: share of the way that values move per step.
        starts: random starts on the stand-in, of which the slowest counts.
        seed: what games and starts are drawn from.
    """

    aversions: tuple[float, ...] = (0.0, 0.1, 0.5, 1.0, 2.0)
    regularizer: str = "log_barrier"
    games: int = 100
    steps: int = 4000
    actor: float = 0.005
    critic: float = 0.005
    starts: int = 10
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Case:
    """One preference on many copies or kinds of the game, one per state.

    Attributes:
        name: what the players are like.
        exact: the equilibria.
        steps: numbers of steps, `[marks]`.
        errors: largest distance of a probability to the equilibrium, `[marks, games]`.
        paths: probability of inspecting and of complying, `[marks, 2, games]`.
        inspects, complies: the same at equilibrium, `[games]`.
        variance: variance of each player's payoff of one encounter at equilibrium, `[2, games]`.
    """

    name: str
    exact: MarkovSolution
    steps: Int[np.ndarray, " marks"]
    errors: Float[np.ndarray, "marks games"]
    paths: Float[np.ndarray, "marks two games"]
    inspects: Float[np.ndarray, " games"]
    complies: Float[np.ndarray, " games"]
    variance: Float[np.ndarray, "two games"]

    @property
    def arrival(self) -> Float[np.ndarray, " games"]:
        """Steps after which play stays at equilibrium; infinite if it does not."""
        return arrival(self.steps, self.errors)


def arrival(
    steps: Int[np.ndarray, " marks"], errors: Float[np.ndarray, "marks games"]
) -> Float[np.ndarray, " games"]:
    """Steps after which errors stay within `ARRIVED`, `[games]`; infinite where they do not.

    Args:
        steps: numbers of steps.
        errors: distances to the equilibrium.
    """
    away = errors > ARRIVED
    last = len(steps) - 1 - np.argmax(away[::-1], axis=0)
    there = np.where(away.any(axis=0), steps[np.minimum(last + 1, len(steps) - 1)], steps[0])
    return np.where(away[-1], np.inf, there)


def run(settings: Settings, progress: Progress) -> Result:
    """Learn the stand-in from many starts, and random games, at every aversion.

    Args:
        settings: what is run.
        progress: told how far it is.

    Returns:
        Rates, variances and speeds, with the claims on the stand-in and their frequency on random games.
    """
    stand_in = copies(named_markov_game("inspection"), settings.starts)
    others = random_inspection(settings.games, np.random.default_rng(settings.seed))
    preferences = {"neutral, no noise": RQE(0.0, NEUTRAL)}
    preferences |= {
        f"τ = {tau:g}": RQE(tau, NOISE, regularizer=settings.regularizer) for tau in settings.aversions
    }
    ours: dict[str, Case] = {}
    random: dict[str, Case] = {}
    for k, (name, concept) in enumerate(preferences.items()):
        progress(k / len(preferences), f"inspection: {name}")
        ours[name] = _case(settings, name, stand_in, concept)
        random[name] = _case(settings, name, others, concept)
    progress(1.0, "inspection")
    averse = [f"τ = {tau:g}" for tau in settings.aversions]
    return Result(
        answer=_answer(ours, random, averse),
        tables={"stand-in": _table(ours), "random-games": _counts(random, averse)},
        pictures={
            "learning": Picture(
                lambda: _learning(ours),
                "Probability of inspecting (blue) and of complying (orange) from random starts on the "
                "stand-in; dotted: the equilibrium.",
            ),
            "behaviour": Picture(
                lambda: _behaviour(ours, averse),
                "What risk aversion does at equilibrium of the stand-in, at bounded rationality .2.",
            ),
        },
        claims=_claims(ours, random, averse),
        certified=all(case.exact.converged for case in (*ours.values(), *random.values())),
    )


def copies(game: MarkovGame, count: int) -> MarkovGame:
    """The same encounter in several states that are never left, for several starts side by side.

    Args:
        game: a game of one state.
        count: how many.
    """
    return _side_by_side([np.repeat(r, count, axis=0) for r in game.rewards], game.discount or 0.0)


def random_inspection(count: int, rng: np.random.Generator) -> MarkovGame:
    """Random inspection games, one per state that is never left.

    Inspecting a violation is worth catching it to the inspector, inspecting compliance costs; a violation
    missed does damage. Violating gains when not inspected and is fined when it is. All sizes are uniform on
    [1/2, 4]; rows inspect or not, columns violate or comply.

    Args:
        count: how many.
        rng: draws them.
    """
    caught, cost, damage, fine, gain = rng.uniform(0.5, 4.0, (5, count))
    nothing = np.zeros(count)
    first = np.array([[caught, -cost], [-damage, nothing]]).transpose(2, 0, 1)
    second = np.array([[-fine, nothing], [gain, nothing]]).transpose(2, 0, 1)
    return _side_by_side([first, second], 0.9)


def _side_by_side(rewards: list[Float[np.ndarray, "games rows columns"]], discount: float) -> MarkovGame:
    count = len(rewards[0])
    kernel = np.broadcast_to(np.eye(count)[:, None, None], (count, 2, 2, count))
    return MarkovGame(kernel, rewards, discount=discount)


def _case(settings: Settings, name: str, game: MarkovGame, concept: RQE) -> Case:
    exact = solve(game, concept, throw=False)
    marks = np.unique(np.linspace(0, settings.steps, 120).astype(int))
    found = coupled_iteration(
        game,
        concept,
        coupling=Coupling(settings.critic, settings.actor, halve=False),
        steps=settings.steps,
        start=np.random.default_rng(settings.seed),
        marks=marks.tolist(),
    )
    trail = found.details["trail"]
    first, second = exact.strategies
    errors = np.max(
        [np.abs(path - own).max(axis=2) for path, own in zip(trail.policies, exact.strategies, strict=True)],
        axis=0,
    )
    law = first[:, :, None] * second[:, None]
    payoff = np.stack(game.rewards)
    mean = (law * payoff).sum(axis=(2, 3))
    variance = (law * payoff**2).sum(axis=(2, 3)) - mean**2
    paths = np.stack([trail.policies[0][:, :, 0], trail.policies[1][:, :, 1]], axis=1)
    return Case(name, exact, marks, errors, paths, first[:, 0], second[:, 1], variance)


def _table(cases: dict[str, Case]) -> Table:
    rows = []
    for name, case in cases.items():
        slowest = float(case.arrival.max())
        rows.append(
            [
                name,
                f"{case.inspects[0]:.3f}",
                f"{case.complies[0]:.3f}",
                f"{case.variance[0, 0]:.3f}",
                f"{case.variance[1, 0]:.3f}",
                "never" if np.isinf(slowest) else f"{slowest:.0f}",
                f"{case.errors[-1].max():.0e}",
                f"{case.exact.certificate.gap:.0e}",
            ]
        )
    headings = [
        "players",
        "inspects",
        "complies",
        "variance, inspector",
        "variance, inspectee",
        "steps to stay within 0.001",
        "last distance",
        "certified gap",
    ]
    return Table(headings, rows)


def _counts(cases: dict[str, Case], averse: list[str]) -> Table:
    """On how many random games each claim holds, between the least and the most averse players."""
    rows = [[claim, f"{int(held.sum())} of {len(held)}"] for claim, held in _held(cases, averse).items()]
    return Table([f"claim, {averse[1]} against {averse[-1]}", "random games on which it holds"], rows)


def _held(cases: dict[str, Case], averse: list[str]) -> dict[str, np.ndarray]:
    low, high = cases[averse[1]], cases[averse[-1]]
    neutral = cases["neutral, no noise"]
    return {
        "neutral play without noise fails to arrive": np.isinf(neutral.arrival),
        "averse play arrives": np.isfinite(high.arrival),
        "the more averse arrive sooner": high.arrival < low.arrival,
        "the inspector inspects less": high.inspects < low.inspects,
        "the inspectee complies more": high.complies > low.complies,
        "the inspector's utility varies less": high.variance[0] < low.variance[0],
        "the inspectee's utility varies less": high.variance[1] < low.variance[1],
    }


def _claims(ours: dict[str, Case], random: dict[str, Case], averse: list[str]) -> tuple[Claim, ...]:
    everywhere = {
        claim: f"{int(h.sum())} of {len(h)} random games" for claim, h in _held(random, averse).items()
    }
    low, high = ours[averse[1]], ours[averse[-1]]
    last = ours["neutral, no noise"].errors[-1]
    shown = {
        "neutral play without noise fails to arrive": f"last distances {last.min():.2f} to {last.max():.2f}",
        "averse play arrives": f"slowest start after {high.arrival.max():.0f} steps",
        "the more averse arrive sooner": f"{low.arrival.max():.0f} and {high.arrival.max():.0f} steps",
        "the inspector inspects less": f"{low.inspects[0]:.3f} and {high.inspects[0]:.3f}",
        "the inspectee complies more": f"{low.complies[0]:.3f} and {high.complies[0]:.3f}",
        "the inspector's utility varies less": f"{low.variance[0, 0]:.2f} and {high.variance[0, 0]:.2f}",
        "the inspectee's utility varies less": f"{low.variance[1, 0]:.2f} and {high.variance[1, 0]:.2f}",
    }
    return tuple(
        Claim(claim, SOURCE, f"stand-in: {shown[claim]}; {everywhere[claim]}", bool(held.all()))
        for claim, held in _held(ours, averse).items()
    )


def _answer(ours: dict[str, Case], random: dict[str, Case], averse: list[str]) -> str:
    held = _held(ours, averse)
    yes = [claim for claim, one in held.items() if one.all()]
    no = [claim for claim, one in held.items() if not one.all()]
    counts = ", ".join(f"{claim} {int(h.sum())}" for claim, h in _held(random, averse).items())
    games = len(next(iter(random.values())).inspects)
    parts = [f"On the stand-in it holds that {'; '.join(yes)}."] if yes else []
    parts += [f"It does not hold that {'; '.join(no)}."] if no else []
    return " ".join(parts) + f" Of {games} random inspection games: {counts}."


def _learning(cases: dict[str, Case]) -> Figure:
    from equipoise.reporting.style import PALETTE, canvas, headline, styled

    @styled
    def draw() -> Figure:
        names = [next(iter(cases)), *list(cases)[1::2]]
        figure, axes = canvas(2.9 * len(names), 3.0, 1, len(names))
        for ax, name in zip(axes, names, strict=True):
            case = cases[name]
            for k in range(2):
                ax.plot(case.steps, case.paths[:, k], color=PALETTE[k], linewidth=0.9, alpha=0.6)
                goal = (case.inspects, case.complies)[k][0]
                ax.axhline(goal, color=PALETTE[k], linestyle=":", linewidth=1.6)
            ax.set(ylim=(-0.02, 1.02), xlabel="steps")
            ax.set_title(name, fontsize=10)
        axes[0].set_ylabel("probability")
        headline(figure, "Learning to inspect (blue) and to comply (orange)")
        return figure

    return draw()


def _behaviour(cases: dict[str, Case], averse: list[str]) -> Figure:
    from equipoise.reporting.style import PALETTE, canvas, styled

    @styled
    def draw() -> Figure:
        figure, (left, right) = canvas(8.0, 3.2, 1, 2)
        x = np.arange(len(averse))
        chosen = [cases[name] for name in averse]
        left.plot(x, [case.inspects[0] for case in chosen], marker="o", color=PALETTE[0], label="inspects")
        left.plot(x, [case.complies[0] for case in chosen], marker="s", color=PALETTE[1], label="complies")
        left.set(ylabel="probability", ylim=(0.0, 1.0))
        right.plot(
            x, [case.variance[0, 0] for case in chosen], marker="o", color=PALETTE[0], label="inspector"
        )
        right.plot(
            x, [case.variance[1, 0] for case in chosen], marker="s", color=PALETTE[1], label="inspectee"
        )
        right.set(ylabel="variance of the payoff", ylim=(0.0, None))
        for ax in (left, right):
            ax.set_xticks(x, [name.removeprefix("τ = ") for name in averse])
            ax.set_xlabel("risk aversion τ")
            ax.legend()
        return figure

    return draw()


EXPERIMENT = Experiment(
    name="inspection",
    question="Does risk aversion make learning converge in inspection games, and whom does it make behave?",
    source=SOURCE,
    laptop=Settings(),
    full=Settings(games=1000, steps=20_000, starts=50),
    run=run,
)
