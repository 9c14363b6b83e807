"""Discounted games that the tests of stationary solvers share."""

from __future__ import annotations

import numpy as np

from equipoise import MarkovGame


def two_state(discount: float = 0.8) -> MarkovGame:
    """Two states, two actions, general sum."""
    rewards = [
        np.array([[[1.0, 0.0], [0.0, 0.5]], [[0.0, 2.0], [1.0, 0.5]]]),
        np.array([[[0.0, 1.0], [1.0, 0.0]], [[2.0, 0.0], [0.0, 1.0]]]),
    ]
    first = np.array([[[0.9, 0.5], [0.5, 0.1]], [[0.2, 0.6], [0.6, 0.8]]])
    return MarkovGame(np.stack([first, 1.0 - first], axis=-1), rewards, discount=discount)


def random_discounted(
    states: int, actions: tuple[int, ...], discount: float = 0.9, seed: int = 0
) -> MarkovGame:
    """Dense transitions, rewards uniform on [0, 1]."""
    rng = np.random.default_rng(seed)
    kernel = rng.dirichlet(np.ones(states), size=(states, *actions))
    return MarkovGame(kernel, list(rng.random((len(actions), states, *actions))), discount=discount)


def matching_pennies(discount: float) -> MarkovGame:
    """Matching pennies for ever."""
    payoff = np.array([[[1.0, -1.0], [-1.0, 1.0]]])
    return MarkovGame(np.ones((1, 2, 2, 1)), [payoff, -payoff], discount=discount)


def absorbing(discount: float) -> MarkovGame:
    """Continue with reward 0 if both play the first action, and again after (2, 2); else 1 or 0 at the end.

    The active state is [[continue with reward 0, 1], [1, 0]]; all cells but the first end play. Its value v
    solves v = 1 / (2 - discount v), so v = 1 / (1 + sqrt(1 - discount)); both play the first action with
    probability v.
    """
    kernel = np.zeros((2, 2, 2, 2))
    kernel[..., 1] = 1.0
    kernel[0, 0, 0] = [1.0, 0.0]
    reward = np.zeros((2, 2, 2))
    reward[0] = [[0.0, 1.0], [1.0, 0.0]]
    return MarkovGame(kernel, [reward, -reward], discount=discount)
