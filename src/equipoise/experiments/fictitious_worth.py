"""Does robustness help when the model is wrong, and which sets help against which errors?

Equilibria computed for a model are played in worlds that differ from it: differently for every joint action,
differently for every action of one player, or only at joint actions that are hardly ever played.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from equipoise.equilibria import MarkovSolution, RectangularEquilibrium, RepresentationWarning, RobustCCE
from equipoise.experiments._perturbed import (
    Laws,
    at_rare_actions,
    by_joint_action,
    by_own_action,
    model_laws,
    moved,
    values_in,
)
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.experiments._robust import PAPER
from equipoise.games import MarkovGame, random_markov_game
from equipoise.learning.tabular.robust_plug_in import counted_model
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FICTITIOUS, RECTANGULAR = "fictitious", "rectangular"
# Robust training beside the same algorithm without doubt, so that only the doubt differs.
BASELINES = {FICTITIOUS: "fictitious, radius 0", RECTANGULAR: "rectangular, radius 0"}
TRAININGS = tuple(name for robust, plain in BASELINES.items() for name in (plain, robust))
WORLDS = ("the model", "each joint action", "each own action", "rare joint actions", "worst against player")


@dataclass(frozen=True)
class Settings:
    """How much.

    Attributes:
        games: random games.
        radius: of the sets in training and of the errors in the test.
        samples: draws per joint action of the model that all trainings are given.
        worlds: worlds drawn for every kind of error.
        rounds: rounds of Robust-Q-FTRL.
        seed: what all is drawn from.
    """

    games: int = 20
    radius: float = 0.2
    samples: int = 50
    worlds: int = 60
    rounds: int = 200
    seed: int = 0


def run(settings: Settings, progress: Progress) -> Result:
    """Train on counted models, test in wrong worlds.

    Args:
        settings: how much.
        progress: told how far it is.

    Returns:
        Mean and worst welfare by training and kind of error.
    """
    shape = (len(TRAININGS), len(WORLDS), settings.games)
    mean, worst = np.zeros(shape), np.zeros(shape)
    converged = True
    for g in range(settings.games):
        rng = np.random.default_rng([settings.seed, g])
        game = random_markov_game(4, (3, 3), horizon=3, rng=rng)
        model = counted_model(game, settings.samples, rng)
        for t, training in enumerate(TRAININGS):
            solution = _train(model, training, settings)
            converged = converged and solution.converged
            assert solution.joint is not None
            # The same worlds for every training.
            draws = np.random.default_rng([settings.seed, g, 1])
            for w, kind in enumerate(WORLDS):
                values = _tested(game, solution.joint, kind, settings, draws)
                mean[t, w, g], worst[t, w, g] = values.mean(), values.min()
        progress((g + 1) / settings.games, f"worth: game {g + 1}")
    gains = {r: worst[TRAININGS.index(r)] - worst[TRAININGS.index(plain)] for r, plain in BASELINES.items()}
    error = {r: gain.std(axis=1, ddof=1) / np.sqrt(settings.games) for r, gain in gains.items()}
    middle = {r: gain.mean(axis=1) for r, gain in gains.items()}
    rows: list[list[object]] = []
    for w, kind in enumerate(WORLDS):
        for t, training in enumerate(TRAININGS):
            known = training in gains
            rows.append(
                [
                    kind,
                    training,
                    float(mean[t, w].mean()),
                    float(worst[t, w].mean()),
                    float(middle[training][w]) if known else None,
                    float(error[training][w]) if known else None,
                ]
            )
    clear = [
        f"{training} in worlds wrong at {kind} ({middle[training][w]:+.3f})"
        for training in BASELINES
        for w, kind in enumerate(WORLDS)
        if middle[training][w] > 2 * error[training][w]
    ]
    own = WORLDS.index("worst against player")
    return Result(
        answer=(
            f"Over {settings.games} random games, by the worst of {settings.worlds} worlds. Better than the "
            "same algorithm without doubt by more than two standard errors: "
            + ("; ".join(clear) if clear else "nothing")
            + ". A ball of total variation charges nearly the same for every action (its radius times the "
            "distance between good and bad states), and so changes values far more than play."
        ),
        tables={
            "worth": Table(
                ["errors of the world", "trained", "mean", "worst", "gain of the worst", "standard error"],
                rows,
                f"Value per player at the first step, mean over states; radius {settings.radius:g}, model "
                f"counted from {settings.samples} draws per joint action",
            )
        },
        pictures={
            "worth": Picture(
                lambda: _figure(middle, error),
                "Gain in the worst world over training without doubt, with two standard errors.",
            )
        },
        claims=(
            Claim(
                "robust training does better in the worst world within its sets",
                f"the purpose of {PAPER}",
                "in the adversary's own worlds: "
                + ", ".join(f"{r} {middle[r][own]:+.3f} ± {2 * error[r][own]:.3f}" for r in BASELINES),
                bool(all(middle[r][own] > 2 * error[r][own] for r in BASELINES)),
            ),
        ),
        certified=converged,
    )


def _train(model: MarkovGame, training: str, settings: Settings) -> MarkovSolution:
    radius = 0.0 if training in BASELINES.values() else settings.radius
    if training.startswith(FICTITIOUS):
        with warnings.catch_warnings():
            # The test judges joint laws in given worlds, where the mixing does not matter.
            warnings.simplefilter("ignore", RepresentationWarning)
            return RobustCCE(radius, rounds=settings.rounds).find_markov(model)
    return RectangularEquilibrium(radius).find_markov(model)


def _tested(
    game: MarkovGame,
    joint: Float[np.ndarray, "horizon states *actions"],
    kind: str,
    settings: Settings,
    rng: np.random.Generator,
) -> Float[np.ndarray, " worlds"]:
    """Mean value over players and states in every world of a kind."""
    laws, radius, n = model_laws(game), settings.radius, game.num_players
    if kind == "the model":
        return np.array([values_in(laws, game, joint).mean()])
    if kind == "worst against player":
        return np.array(
            [np.mean([values_in(_against(laws, game, joint, i, radius), game, joint)[i] for i in range(n)])]
        )
    found = []
    for k in range(settings.worlds):
        if kind == "each joint action":
            world = by_joint_action(laws, radius, rng)
        elif kind == "each own action":
            world = by_own_action(laws, radius, k % n, rng)
        else:
            world = at_rare_actions(laws, radius, joint, rng)
        found.append(values_in(world, game, joint).mean())
    return np.array(found)


def _against(
    laws: Laws,
    game: MarkovGame,
    joint: Float[np.ndarray, "horizon states *actions"],
    player: int,
    radius: float,
) -> Laws:
    """A world that moves a share of every law to the state that is worst for a player afterwards."""
    world = laws.copy()
    values = np.zeros(game.num_states)
    for h in reversed(range(joint.shape[0])):
        target = np.zeros(laws[h].shape)
        target[..., int(np.argmin(values))] = 1.0
        world[h] = moved(laws[h], np.full(laws[h].shape[:-1], radius), target)
        reward = game.rewards_at(h)[player] + world[h] @ values
        values = (joint[h] * reward).reshape(game.num_states, -1).sum(axis=1)
    return world


def _figure(middle: dict[str, Float[np.ndarray, " worlds"]], error: dict[str, np.ndarray]) -> Figure:
    from equipoise.reporting.figures import Series, dots

    series = [Series(r, middle[r], middle[r] - 2 * error[r], middle[r] + 2 * error[r]) for r in BASELINES]
    return dots(WORLDS, series, xlabel="gain in the worst world over training without doubt", reference=0.0)


EXPERIMENT = Experiment(
    name="fictitious-worth",
    question="Does robust training help when the model is wrong?",
    source=PAPER,
    laptop=Settings(),
    full=Settings(games=200, worlds=500, rounds=1000),
    run=run,
)
