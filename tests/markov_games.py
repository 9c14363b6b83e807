"""Small Markov games with a horizon, and quantal concepts to try on them."""

import numpy as np

import equipoise as eqp
from equipoise.games import MarkovGame, SuccessorLists

R1 = np.array([[[1, 0], [0, 0.5]], [[0, 2], [1, 0.5]]], dtype=float)
R2 = np.array([[[0, 1], [1, 0]], [[2, 0], [0, 1]]], dtype=float)
STAY = np.array([[[0.9, 0.5], [0.5, 0.1]], [[0.2, 0.6], [0.6, 0.8]]])
KERNEL = np.stack([STAY, 1.0 - STAY], axis=-1)


def two_states(horizon: int = 3) -> MarkovGame:
    return MarkovGame(KERNEL, [R1, R2], horizon=horizon)


def random_markov_game(seed: int, states=3, actions=(2, 3), horizon=3, *, timed=False) -> MarkovGame:
    rng = np.random.default_rng(seed)
    time = (horizon,) if timed else ()
    kernel = rng.dirichlet(np.ones(states), (*time, states, *actions))
    return MarkovGame(kernel, rng.normal(size=(len(actions), *time, states, *actions)), horizon=horizon)


def sparse_copy(game: MarkovGame) -> MarkovGame:
    """The same game as lists in which every state's possible successors stand in another order."""
    kernel = np.asarray(game.transitions)
    order = np.argsort(-kernel, axis=-1)
    lists = SuccessorLists(order, np.take_along_axis(kernel, order, -1))
    return MarkovGame(lists, game.rewards, horizon=game.horizon)


QUANTAL = [
    eqp.RQE(1.0, 0.5),
    eqp.RQE((2.0, 0.5), (0.3, 0.6), regularizer_in_value=False),
    eqp.RQE(1.0, 1.2, "kl", "log_barrier", environment_risk_aversion=0.3),
    eqp.RQE(1.0, 0.7, "reverse_kl", environment_penalty="l1"),
    eqp.RQE(0.8, 0.5, form="action_dependent", environment_penalty="chi2"),
    eqp.QRE(1.5),
    eqp.QRE((1.0, 2.0), regularizer_in_value=False, environment_risk_aversion=0.4),
]
