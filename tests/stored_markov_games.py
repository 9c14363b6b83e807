"""Markov games for the tests of what a game stores and of its files."""

import numpy as np

from equipoise.games import MarkovGame, SuccessorLists

# The two-state game of two players that the tests of Markov solvers use.
REWARDS = np.array([[[[1, 0], [0, 0.5]], [[0, 2], [1, 0.5]]], [[[0, 1], [1, 0]], [[2, 0], [0, 1]]]])
FIRST = np.array([[[0.9, 0.5], [0.5, 0.1]], [[0.2, 0.6], [0.6, 0.8]]])
KERNEL = np.stack([FIRST, 1 - FIRST], axis=-1)


def two_states(**changes):
    return MarkovGame(**{"transitions": KERNEL, "rewards": REWARDS, "discount": 0.8, **changes})


def random_markov(seed, states, shape, horizon=None, timed_kernel=False, timed_rewards=False):
    rng = np.random.default_rng(seed)
    time = (horizon,)
    kernel = rng.dirichlet(np.ones(states), ((time if timed_kernel else ()) + (states, *shape)))
    rewards = rng.normal(size=(len(shape), *(time if timed_rewards else ()), states, *shape))
    return MarkovGame(
        kernel,
        rewards,
        discount=None if horizon else float(rng.uniform(0, 0.99)),
        horizon=horizon,
        initial=rng.dirichlet(np.ones(states)),
    )


def sparse(game, **changes):
    """The same game with successor lists."""
    states = game.num_states
    kernel = game.transitions
    successors = np.broadcast_to(np.arange(states), kernel.shape)
    parts = {
        "discount": game.discount,
        "horizon": game.horizon,
        "initial": game.initial,
        "title": game.title,
        "player_names": game.player_names,
        "action_names": game.action_names,
        "state_names": game.state_names,
        "layout": game.layout,
    }
    return MarkovGame(SuccessorLists(successors, kernel), game.rewards, **{**parts, **changes})
