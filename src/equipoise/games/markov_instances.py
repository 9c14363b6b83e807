"""Small Markov games with known answers, which the tests of solvers and learners share."""

from __future__ import annotations

import numpy as np

from equipoise.games.markov import MarkovGame

_ROW = ("Row", "Column")


def two_states(discount: float | None = 0.8, horizon: int | None = None) -> MarkovGame:
    """Two states, two players, two actions; all entries differ enough to betray a wrong axis."""
    rewards = [[[[1, 0], [0, 0.5]], [[0, 2], [1, 0.5]]], [[[0, 1], [1, 0]], [[2, 0], [0, 1]]]]
    first = np.array([[[0.9, 0.5], [0.5, 0.1]], [[0.2, 0.6], [0.6, 0.8]]])
    return MarkovGame(
        np.stack([first, 1.0 - first], axis=-1),
        rewards,
        discount=discount,
        horizon=horizon,
        title="Two states",
        state_names=["s0", "s1"],
    )


def toy_2() -> MarkovGame:
    """Two moves, two states, two actions each, for robust Markov games."""
    first = np.array([[[0.9, 0.5], [0.4, 0.2]], [[0.7, 0.1], [0.6, 0.3]]])
    rewards = [
        [[[1, 0], [0.2, 0.6]], [[0.3, 0.8], [0.5, 0.1]]],
        [[[0.2, 0.9], [0.7, 0.1]], [[0.6, 0], [0.4, 1]]],
    ]
    return MarkovGame(
        np.stack([first, 1.0 - first], axis=-1), rewards, horizon=2, title="Toy-2", state_names=["s0", "s1"]
    )


def toy_3() -> MarkovGame:
    """Three moves, three states, two by three actions; everything depends on time."""
    h, s, a, b, t = np.ogrid[:3, :3, :2, :3, :3]
    weights = 1.0 + np.mod(7 * h + 5 * s + 3 * a + 2 * b + 4 * t * (a + 1) + t**2 * b, 11)
    h, s, a, b = np.ogrid[:3, :3, :2, :3]
    return MarkovGame(
        weights / np.sum(weights, axis=-1, keepdims=True),
        [
            np.mod(3 * h + 2 * s + 5 * a + 7 * b + a * b, 10) / 9.0,
            np.mod(1 + 4 * h + 3 * s + 2 * a + 6 * b + 5 * a * b, 10) / 9.0,
        ],
        horizon=3,
        title="Toy-3",
    )


def mdp_3(discount: float | None = 0.9, horizon: int | None = None) -> MarkovGame:
    """A Markov decision process: one player, three states, two actions."""
    kernel = [
        [(0.7, 0.2, 0.1), (0.1, 0.6, 0.3)],
        [(0.3, 0.4, 0.3), (0.05, 0.15, 0.8)],
        [(0.2, 0.3, 0.5), (0.6, 0.3, 0.1)],
    ]
    return MarkovGame(
        kernel, [[[0.1, 0.3], [0.4, 0], [1, 0.2]]], discount=discount, horizon=horizon, title="MDP-3"
    )


def inspection() -> MarkovGame:
    """One state in which an inspector and an inspectee meet again and again."""
    rewards = [[[[2, -1], [-3, 0]]], [[[-3, 0], [2, 0]]]]
    return MarkovGame(
        np.ones((1, 2, 2, 1)),
        rewards,
        discount=0.9,
        title="Repeated inspection",
        player_names=["Inspector", "Inspectee"],
        action_names=[["inspect", "not"], ["violate", "comply"]],
        state_names=["always"],
    )


def absorbing(restart: float = 0.0, discount: float = 0.75) -> MarkovGame:
    """Zero-sum: play goes on only while both play their first action; everything else ends it.

    Args:
        restart: probability per move that the end leads back; 0 for an end that is absorbing. With a restart
            every state keeps being visited, as learners need, and the end is worth something.
        discount: factor on the future.
    """
    kernel = np.zeros((2, 2, 2, 2))
    kernel[0, :, :, 1] = 1.0
    kernel[0, 0, 0] = [1.0, 0.0]
    kernel[1] = [restart, 1.0 - restart]
    row = np.array([[[0.0, 1.0], [1.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    return MarkovGame(
        kernel,
        [row, -row],
        discount=discount,
        initial=[1, 0],
        title="Absorbing game" + (" with restart" if restart else ""),
        player_names=_ROW,
        action_names=[["on", "end"], ["on", "end"]],
        state_names=["active", "ended"],
    )


def mixing(stay: float = 0.9, discount: float = 0.5) -> MarkovGame:
    """Zero-sum: two states that keep to themselves with probability `stay`, whatever is played.

    Asymmetric pennies `[[1, -x], [-x, x]]` with x = 1/2 in one state, their negative in the other.

    Args:
        stay: probability of the same state at the next move; mixing takes ever longer as it tends to 1.
        discount: factor on the future.
    """
    pennies = np.array([[1.0, -0.5], [-0.5, 0.5]])
    row = np.stack([pennies, -pennies])
    kernel = np.array([[stay, 1.0 - stay], [1.0 - stay, stay]])
    return MarkovGame(
        np.broadcast_to(kernel[:, None, None, :], (2, 2, 2, 2)),
        [row, -row],
        discount=discount,
        initial=[1, 0],
        title=f"Mixing example, stay {stay:g}",
        player_names=_ROW,
        state_names=["for", "against"],
    )


def fishing(collapse: float) -> MarkovGame:
    """Two fishers, two seasons: a heavy catch pays one more and may make the stock collapse.

    In a season with fish a light catch pays 19, a heavy one 20, whatever the other does; every heavy fisher
    adds `collapse` to the probability that there are no fish next season. In the last season heavy is
    dominant and pays 20, so in the first it pays if and only if 1 > 20 * collapse.

    Args:
        collapse: probability of collapse per heavy fisher, at most 1/2.
    """
    heavy = np.array([[0.0, 1.0], [1.0, 2.0]])
    kernel = np.zeros((2, 2, 2, 2))
    kernel[0, ..., 1] = collapse * heavy
    kernel[0, ..., 0] = 1.0 - collapse * heavy
    kernel[1, ..., 1] = 1.0
    first = np.array([[[19.0, 19.0], [20.0, 20.0]], [[0.0, 0.0], [0.0, 0.0]]])
    return MarkovGame(
        kernel,
        [first, np.swapaxes(first, 1, 2)],
        horizon=2,
        initial=[1, 0],
        title=f"Fishing, collapse {collapse:g}",
        player_names=["Fisher 1", "Fisher 2"],
        action_names=[["light", "heavy"]] * 2,
        state_names=["fish", "no fish"],
    )
