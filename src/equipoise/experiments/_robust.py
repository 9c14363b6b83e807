"""What the experiments on robust Markov games share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float, Num

from equipoise.equilibria import MixturePlay, RobustCCE
from equipoise.equilibria.robust_games import Polish, follow_the_leader
from equipoise.games import GenerativeModel, MarkovGame, named_markov_game
from equipoise.learning import RobustQFTRL

PAPER = "Shi, Gai, Mazumdar, Chi and Wierman (2025), ICML, arXiv 2409.20067"
RADII = {"toy-2": (0.2, 0.3), "toy-3": (0.15, 0.25)}


def toys() -> dict[str, MarkovGame]:
    """The two small standard instances."""
    return {name: named_markov_game(name) for name in RADII}


def exact_play(
    game: MarkovGame,
    radius: Sequence[float] | float,
    rounds: int,
    constant: float | None = 2.0,
    polish: Polish = "none",
) -> MixturePlay:
    """Robust-Q-FTRL's mixture with exact expectations.

    Args:
        game: a game with a horizon.
        radius: one number, or one per player.
        rounds: K.
        constant: of the steps; None for plain averaging.
        polish: as in `RobustCCE`.
    """
    size = radius if isinstance(radius, float | int) else list(radius)
    return follow_the_leader(game, RobustCCE(size, rounds=rounds, step_constant=constant), polish)[0]


def last_round(play: MixturePlay) -> MixturePlay:
    """Only what is played in the last round."""
    return MixturePlay(
        np.ones((*play.weights.shape[:2], 1)), tuple(one[:, :, -1:] for one in play.strategies)
    )


def slope(x: Num[np.ndarray, " points"], y: Float[np.ndarray, " points"]) -> float:
    """Exponent of y as a power of x, by least squares on logarithms; NaN with fewer than two points."""
    good = np.isfinite(y) & (y > 0)
    if good.sum() < 2:
        return float("nan")
    return float(np.polyfit(np.log(x[good]), np.log(y[good]), 1)[0])


def crossing(effort: Num[np.ndarray, " points"], error: Float[np.ndarray, " points"], target: float) -> float:
    """Effort at which an error meets a target, on the power law through the points; NaN where it rises."""
    power, level = np.polyfit(np.log(effort), np.log(np.maximum(error, 1e-12)), 1)
    return float(np.exp((np.log(target) - level) / power)) if power < 0 else float("nan")


def learn_many(
    learner: RobustQFTRL, game: MarkovGame | GenerativeModel, radii: Sequence[float], seeds: int, seed: int
) -> tuple[Float[np.ndarray, "radii seeds ..."], Float[np.ndarray, "radii seeds ..."]]:
    """Robust-Q-FTRL for many radii and seeds in one compiled program.

    Args:
        learner: its settings; the radius is replaced.
        game: what it learns in.
        radii: radii, shared by the players.
        seeds: independent runs for each radius.
        seed: number they are derived from.

    Returns:
        Policies of all rounds, `[radii, seeds, H, K, n, S, A]`, and value estimates
        `[radii, seeds, H + 1, n, S]`.
    """
    import jax

    updates = learner.updates(game)
    with jax.enable_x64(True):
        model = replace(learner, radius=0.0).prepare(game)
        levels = np.repeat(np.asarray(radii, float), seeds)[:, None] * np.ones(game.num_players)
        keys = jax.random.split(jax.random.key(seed), len(levels))

        def one(level: Any, key: Any, model: Any) -> Any:
            own = model._replace(levels=level)

            def body(t: Any, state: Any) -> Any:
                return learner.update(own, state, jax.random.fold_in(key, t))[0]

            state = jax.lax.fori_loop(0, updates, body, learner.init(own, key))
            return state.history, state.values

        history, values = jax.jit(jax.vmap(one, in_axes=(0, 0, None)))(levels, keys, model)
    shape = (len(radii), seeds)
    return tuple(np.asarray(x).reshape(*shape, *x.shape[1:]) for x in (history, values))  # type: ignore[return-value]


def as_play(
    learner: RobustQFTRL, game: MarkovGame | GenerativeModel, history: Float[np.ndarray, "H K n S A"]
) -> MixturePlay:
    """The mixture that a history of policies stands for."""
    from equipoise.equilibria.robust_rounds import round_weights, step_sizes

    weights = round_weights(step_sizes(learner.rounds, learner.step_constant))
    return MixturePlay(
        np.broadcast_to(weights, (history.shape[0], game.num_states, learner.rounds)),
        tuple(np.moveaxis(history[:, :, i, :, :count], 1, 2) for i, count in enumerate(game.num_actions)),
    )
