"""Two agents on a 5x5 grid who gain from meeting: actor-critic learning with the exact model, averse and not.

Zhang and Mazumdar (2026) report that risk-averse agents learn consistently and fast, and risk-neutral ones
do not. Their rules and rewards are not published, so the grid is ours: a zone pays 1 each if both are in it,
another pays .4 to anybody. Every run starts from other random policies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from equipoise.equilibria import RQE, Coupling, coupled_iteration
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.games import MarkovGame, cooperation_grid
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SOURCE = "Zhang and Mazumdar (2026), arXiv 2602.12386"
NEUTRAL = 1e-3  # noise of the agents who would have none
SETTLED = 0.05  # change of a return over the last tenth of a run, as a share of the best return, that is none


@dataclass(frozen=True)
class Settings:
    """What is run.

    Attributes:
        aversions: risk aversion of both agents; 0 is neutral gradient play. Neutral agents without noise
            come first of all.
        noise: bounded rationality of the others.
        regularizer: the agents' regularizer; with the KL penalty.
        runs: random starts.
        steps: steps of learning.
        actor, critic: step sizes.
        seed: what starts are drawn from.
    """

    aversions: tuple[float, ...] = (0.0, 0.5, 2.0)
    noise: float = 0.1
    regularizer: str = "log_barrier"
    runs: int = 2
    steps: int = 300
    actor: float = 0.02
    critic: float = 0.5
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Curves:
    """What the agents' policies are worth along the runs of one preference.

    Attributes:
        name: what the agents are like.
        steps: numbers of steps, `[marks]`.
        returns: expected discounted rewards from the first state, without risk or noise, averaged over the
            agents, `[runs, marks]`.
        gaps: certified gain of a better response in the agents' own terms at the end, `[runs]`.
    """

    name: str
    steps: Int[np.ndarray, " marks"]
    returns: Float[np.ndarray, "runs marks"]
    gaps: Float[np.ndarray, " runs"]


def run(settings: Settings, progress: Progress) -> Result:
    """Learn at every aversion from every start.

    Args:
        settings: what is run.
        progress: told how far it is.

    Returns:
        Returns along the way and at the end, with the claims.
    """
    game = cooperation_grid()
    agents = {"neutral, no noise": RQE(0.0, NEUTRAL)}
    agents |= {
        f"τ = {tau:g}": RQE(tau, settings.noise, regularizer=settings.regularizer)
        for tau in settings.aversions
    }
    found = []
    for k, (name, concept) in enumerate(agents.items()):
        progress(k / len(agents), f"cooperation-grid: {name}")
        found.append(_learn(settings, game, name, concept))
    progress(1.0, "cooperation-grid")
    return Result(
        answer=_answer(found),
        tables={"returns": _table(found)},
        pictures={
            "returns": Picture(
                lambda: _figure(found),
                "Expected discounted reward of both agents from the first state against steps; thin: single "
                "runs, thick: their median.",
            )
        },
        claims=_claims(found),
        # No equilibrium stands behind these numbers; the learned policies carry their gaps.
        certified=all(bool(np.isfinite(curves.gaps).all()) for curves in found),
    )


def _learn(settings: Settings, game: MarkovGame, name: str, concept: RQE) -> Curves:
    marks = np.unique(np.linspace(0, settings.steps, 21).astype(int))
    returns, gaps = [], []
    for run_number in range(settings.runs):
        learned = coupled_iteration(
            game,
            concept,
            coupling=Coupling(settings.critic, settings.actor),
            steps=settings.steps,
            start=np.random.default_rng((settings.seed, run_number)),
            marks=marks.tolist(),
        )
        paths = learned.details["trail"].policies
        returns.append([worth(game, [path[k] for path in paths]).mean() for k in range(len(marks))])
        gaps.append(learned.certificate.gap)
    return Curves(name, marks, np.array(returns), np.array(gaps))


def worth(
    game: MarkovGame, policies: Sequence[Float[np.ndarray, "states _"]]
) -> Float[np.ndarray, " players"]:
    """Expected discounted rewards of stationary policies from the first state.

    Args:
        game: a discounted game of two players.
        policies: `[S, A_i]` per player.
    """
    from scipy.sparse import csr_array, eye_array
    from scipy.sparse.linalg import spsolve

    lists, states = game.successors_at(), game.num_states
    law = policies[0][:, :, None] * policies[1][:, None]
    weights = law[..., None] * lists.probabilities
    rows = np.repeat(np.arange(states), weights[0].size)
    chain = csr_array((weights.ravel(), (rows, lists.successors.ravel())), shape=(states, states))
    gains = np.stack([(law * reward).sum(axis=(1, 2)) for reward in game.rewards], axis=1)
    values = spsolve((eye_array(states) - (game.discount or 0.0) * chain).tocsc(), gains)
    return np.asarray(game.initial @ values)


def _table(found: Sequence[Curves]) -> Table:
    rows = []
    for curves in found:
        last = curves.returns[:, -1]
        rows.append(
            [
                curves.name,
                f"{np.median(last):.2f}",
                f"{last.min():.2f} to {last.max():.2f}",
                f"{_spread(curves):.3f}",
                f"{int(settled(curves).sum())} of {len(last)}",
                f"{np.median(curves.gaps):.2g}",
            ]
        )
    headings = [
        "agents",
        "last return, median",
        "range over runs",
        "spread along the way",
        "runs that settled",
        "certified gap, median",
    ]
    return Table(headings, rows)


def _spread(curves: Curves) -> float:
    """Standard deviation over runs, averaged over the second half of learning."""
    return float(curves.returns.std(axis=0)[len(curves.steps) // 2 :].mean())


def settled(curves: Curves) -> np.ndarray:
    """Which runs' returns no longer changed over the last tenth of the steps, `[runs]`.

    Args:
        curves: the runs.
    """
    late = curves.steps >= 0.9 * curves.steps[-1]
    moved = np.ptp(curves.returns[:, late], axis=1)
    return np.asarray(moved <= SETTLED * np.abs(curves.returns).max())


def _answer(found: Sequence[Curves]) -> str:
    parts = [
        f"{c.name}: median last return {np.median(c.returns[:, -1]):.2f}, spread over runs "
        f"{_spread(c):.3f}, {int(settled(c).sum())} of {len(c.returns)} runs settled"
        for c in found
    ]
    return "; ".join(parts) + "."


def _claims(found: Sequence[Curves]) -> tuple[Claim, ...]:
    neutral, averse = found[0], found[-1]
    return (
        Claim(
            "risk-averse learning is consistent over runs",
            SOURCE,
            f"spread {_spread(averse):.3f} at {averse.name}, {_spread(neutral):.3f} {neutral.name}",
            _spread(averse) < _spread(neutral),
        ),
        Claim(
            "risk-neutral learning is inconsistent or does not converge",
            SOURCE,
            f"{int(settled(neutral).sum())} of {len(neutral.returns)} neutral runs settled, gap "
            f"{np.median(neutral.gaps):.2g}; averse {int(settled(averse).sum())}, gap "
            f"{np.median(averse.gaps):.2g}",
            bool(np.median(neutral.gaps) > 10.0 * np.median(averse.gaps)),
        ),
    )


def _figure(found: Sequence[Curves]) -> Figure:
    from equipoise.reporting.style import PALETTE, canvas, styled

    @styled
    def draw() -> Figure:
        figure, (ax,) = canvas(5.4, 3.4)
        for k, curves in enumerate(found):
            ax.plot(curves.steps, curves.returns.T, color=PALETTE[k], linewidth=0.7, alpha=0.5)
            ax.plot(
                curves.steps,
                np.median(curves.returns, axis=0),
                color=PALETTE[k],
                linewidth=2.4,
                label=curves.name,
            )
        ax.set(xlabel="steps", ylabel="expected discounted reward")
        ax.legend()
        return figure

    return draw()


EXPERIMENT = Experiment(
    name="cooperation-grid",
    question="Do risk-averse agents learn to cooperate on a grid more reliably than neutral ones?",
    source=SOURCE,
    laptop=Settings(),
    full=Settings(runs=10, steps=4000),
    run=run,
)
