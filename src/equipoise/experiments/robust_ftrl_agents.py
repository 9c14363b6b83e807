"""Samples to a fixed gap as players become many: Robust-Q-FTRL beside the model-based DR-NVI.

The two algorithms solve **different games**: fictitious sets for one, a set around the law of every joint
action for the other. Both answers are therefore judged in both games.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from equipoise.equilibria import Uncertainty, robust_evaluation
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.experiments._robust import PAPER, as_play, crossing, learn_many, slope
from equipoise.games import GenerativeModel, congestion_markov_game
from equipoise.learning import RobustNashVI, RobustQFTRL
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACTIONS, STATES, HORIZON = 4, 4, 3
NOTE = "they solve different games"
FTRL, PLUG_IN = "Robust-Q-FTRL (fictitious sets)", "DR-NVI (rectangular sets)"


@dataclass(frozen=True)
class Settings:
    """How much.

    Attributes:
        players: numbers of players.
        target: gap to be reached, mean over seeds, on the power law through what is tried.
        radius: of all sets.
        samples: samples N per round of Robust-Q-FTRL.
        rounds: numbers of rounds that are tried.
        draws: draws per joint action that DR-NVI tries.
        seeds: independent runs of Robust-Q-FTRL.
        plug_in_seeds: independent runs of DR-NVI, whose gaps vary more.
        seed: what all is drawn from.
    """

    players: tuple[int, ...] = (2, 3, 4)
    target: float = 0.06
    radius: float = 0.2
    samples: int = 4
    rounds: tuple[int, ...] = (100, 400)
    draws: tuple[int, ...] = (1, 4, 16, 64)
    seeds: int = 2
    plug_in_seeds: int = 10
    seed: int = 0


def run(settings: Settings, progress: Progress) -> Result:
    """Raise rounds or draws until the gap is reached.

    Args:
        settings: how much.
        progress: told how far it is.

    Returns:
        Calls of the generative model against the number of players, and both answers in both games.
    """
    rows: list[list[object]] = []
    calls: dict[str, list[float]] = {FTRL: [], PLUG_IN: []}
    for k, players in enumerate(settings.players):
        for name, solve in ((FTRL, _ftrl), (PLUG_IN, _plug_in)):
            found = solve(players, settings)
            effort, used, gaps, others = (np.array(column, float) for column in zip(*found, strict=True))
            # Nobody can draw less than once.
            calls[name].append(max(crossing(used, gaps, settings.target), used[0] / effort[0]))
            for row in zip(effort, used, gaps, others, strict=True):
                fictitious, rectangular = row[2:] if name == FTRL else (row[3], row[2])
                rows.append([players, name, int(row[0]), int(row[1]), float(fictitious), float(rectangular)])
        progress((k + 1) / len(settings.players), f"agents: {players} players")
    count = np.array(settings.players, float)
    power = slope(count, np.array(calls[FTRL]))
    growth = {name: float(np.exp(_rate(count, np.array(v)))) for name, v in calls.items()}
    return Result(
        answer=(
            f"To a gap of {settings.target:g}, Robust-Q-FTRL's calls grow as n to the power {power:.2f}; "
            f"DR-NVI's grow {growth[PLUG_IN]:.1f} times with every player (its model has "
            f"{ACTIONS}^n joint actions). With {settings.players[-1]} players Robust-Q-FTRL "
            f"needs {calls[FTRL][-1]:.2g} calls and DR-NVI {calls[PLUG_IN][-1]:.2g}. Mind that {NOTE}."
        ),
        tables={
            "agents": Table(
                [
                    "players",
                    "algorithm",
                    "rounds or draws",
                    "calls",
                    "gap, fictitious sets",
                    "gap, rectangular sets",
                ],
                rows,
                f"Congestion games, {ACTIONS} actions, {STATES} states, {HORIZON} moves, radius "
                f"{settings.radius:g}; mean over {settings.seeds} and {settings.plug_in_seeds} seeds. "
                "A joint law without a mixture is judged as joint law in the fictitious game",
            )
        },
        pictures={
            "agents": Picture(
                lambda: _figure(count, calls),
                f"Calls of the generative model until the gap is at most {settings.target:g}; {NOTE}.",
            )
        },
        claims=(
            Claim(
                "calls of Robust-Q-FTRL grow with the sum of the players' actions (power 1 of n)",
                PAPER,
                f"power {power:.2f}",
                bool(power < 1.6),
            ),
            Claim(
                "calls of DR-NVI grow with the product of the players' actions",
                PAPER,
                f"factor {growth[PLUG_IN]:.1f} per player; {ACTIONS} at constant draws per joint action",
                bool(growth[PLUG_IN] > 2.0),
            ),
        ),
        certified=bool(np.isfinite([*calls[FTRL], *calls[PLUG_IN]]).all()),
    )


def congestion_model(players: int, rng: np.random.Generator) -> GenerativeModel:
    """`congestion_markov_game` as a sampler: the same game from the same generator, without joint actions.

    Args:
        players: number of players.
        rng: source of randomness, in the same state as for the table.
    """
    worth = rng.uniform(size=(STATES, ACTIONS))
    ends = rng.dirichlet(np.ones(STATES), (2, STATES))
    return GenerativeModel(
        sample_congestion, STATES, (ACTIONS,) * players, HORIZON, (worth, ends), title="Congestion"
    )


def sample_congestion(parameters: Any, key: Any, h: Any, s: Any, actions: Any) -> tuple[Any, Any]:
    """Next state and rewards of the congestion game."""
    import jax
    import jax.numpy as jnp

    worth, ends = (jnp.asarray(x) for x in parameters)
    share = (actions[:, None] == jnp.arange(ACTIONS)).mean(axis=0)
    law = (1.0 - share[0]) * ends[0, s] + share[0] * ends[1, s]
    following = (jax.random.uniform(key) >= jnp.cumsum(law)).sum()
    rewards = worth[s, actions] * (1.0 - share[actions] + 1.0 / actions.shape[0])
    return jnp.minimum(following, STATES - 1), rewards


Trial = tuple[int, int, float, float]


def _ftrl(players: int, settings: Settings) -> list[Trial]:
    """For every number of rounds: it, calls, gap in the own game, gap in the other game."""
    model = congestion_model(players, np.random.default_rng([settings.seed, players]))
    game = congestion_markov_game(players, rng=np.random.default_rng([settings.seed, players]))
    doubt = Uncertainty(settings.radius)
    found = []
    for rounds in settings.rounds:
        learner = RobustQFTRL(settings.radius, rounds, settings.samples, step_constant=None)
        history, _ = learn_many(learner, model, [settings.radius], settings.seeds, settings.seed)
        plays = [as_play(learner, model, one) for one in history[0]]
        gap = float(np.mean([robust_evaluation(game, play, doubt).gap for play in plays]))
        other = float(np.mean([robust_evaluation(game, play, doubt, "rectangular").gap for play in plays]))
        found.append((rounds, learner.updates(model) * learner.samples_per_update(model), gap, other))
    return found


def _plug_in(players: int, settings: Settings) -> list[Trial]:
    """For every number of draws: it, calls, gap in the own game, gap in the other game."""
    game = congestion_markov_game(players, rng=np.random.default_rng([settings.seed, players]))
    doubt = Uncertainty(settings.radius)
    found = []
    for draws in settings.draws:
        algorithm = RobustNashVI(settings.radius, draws)
        plays = [
            algorithm.learn(game, np.random.default_rng([settings.seed, k])).joint
            for k in range(settings.plug_in_seeds)
        ]
        gap = float(np.mean([robust_evaluation(game, play, doubt, "rectangular").gap for play in plays]))
        other = float(np.mean([robust_evaluation(game, play, doubt, "joint").gap for play in plays]))
        # As its theory counts: every step's law is sampled by itself, although here they are all the same.
        found.append((draws, HORIZON * algorithm.calls(game), gap, other))
    return found


def _rate(count: np.ndarray, calls: np.ndarray) -> float:
    """Exponential growth per player."""
    good = np.isfinite(calls)
    return float(np.polyfit(count[good], np.log(calls[good]), 1)[0]) if good.sum() > 1 else float("nan")


def _figure(count: np.ndarray, calls: dict[str, list[float]]) -> Figure:
    from equipoise.reporting.figures import convergence

    return convergence(
        {name: (count, np.array(v)) for name, v in calls.items()},
        xlabel=f"players ({NOTE})",
        ylabel="calls of the generative model",
        logarithmic_steps=False,
    )


EXPERIMENT = Experiment(
    name="robust-ftrl-agents",
    question="Does Robust-Q-FTRL escape the curse of many agents?",
    source=PAPER,
    laptop=Settings(),
    full=Settings((2, 3, 4, 5, 6), target=0.03, rounds=(100, 400, 1600), seeds=20, plug_in_seeds=40),
    run=run,
)
