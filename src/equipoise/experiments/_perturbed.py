"""True worlds that differ from the model: random ones within the sets, and ones wrong at rare actions."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from equipoise.games import MarkovGame

Laws = Float[np.ndarray, "horizon states *actions next"]


def model_laws(game: MarkovGame) -> Laws:
    """Laws of all steps, `[H, S, A_1, ..., A_n, S]`."""
    return np.stack([game.transitions_at(h) for h in range(int(game.horizon or 0))])


def moved(laws: Laws, share: Float[np.ndarray, "*index"], target: Laws) -> Laws:
    """Laws of which a share goes elsewhere; their total variation from the old ones is at most the share.

    Args:
        laws: the model's.
        share: how much, broadcast against all but the last axis.
        target: laws that the share is drawn from.
    """
    return (1.0 - share[..., None]) * laws + share[..., None] * target


def by_joint_action(laws: Laws, radius: float, rng: np.random.Generator) -> Laws:
    """Every joint action's law is wrong in its own way."""
    target = rng.dirichlet(np.full(laws.shape[-1], 0.2), laws.shape[:-1])
    return moved(laws, np.full(laws.shape[:-1], radius), target)


def by_own_action(laws: Laws, radius: float, player: int, rng: np.random.Generator) -> Laws:
    """Laws are wrong in one way for each action of one player, whatever the others do."""
    shape = list(laws.shape[:-1])
    for axis in range(2, len(shape)):
        if axis != 2 + player:
            shape[axis] = 1
    target = rng.dirichlet(np.full(laws.shape[-1], 0.2), shape)
    return moved(laws, np.full(laws.shape[:-1], radius), np.broadcast_to(target, laws.shape))


def at_rare_actions(
    laws: Laws, radius: float, joint: Float[np.ndarray, "horizon states *actions"], rng: np.random.Generator
) -> Laws:
    """Laws are quite wrong, but only at joint actions that are hardly ever played.

    In every state joint actions are taken from the least likely on, while their probability is below the
    radius; these have any law whatever. What a player sees after averaging the others hardly moves, although
    single laws move by up to one.
    """
    flat = joint.reshape(*joint.shape[:2], -1)
    order = np.argsort(flat, axis=-1)
    total = np.cumsum(np.take_along_axis(flat, order, -1), axis=-1)
    rare = np.zeros_like(flat)
    np.put_along_axis(rare, order, (total <= radius).astype(float), -1)
    target = rng.dirichlet(np.full(laws.shape[-1], 0.2), laws.shape[:-1])
    return moved(laws, rare.reshape(joint.shape), target)


def values_in(
    laws: Laws, game: MarkovGame, joint: Float[np.ndarray, "horizon states *actions"]
) -> Float[np.ndarray, "players states"]:
    """Ordinary values of a law over joint actions in a world with other laws."""
    horizon, states, n = joint.shape[0], joint.shape[1], game.num_players
    values = np.zeros((n, states))
    for h in reversed(range(horizon)):
        weight = joint[h].reshape(states, -1)
        kernel = laws[h].reshape(states, -1, states)
        reward = game.rewards_at(h).reshape(n, states, -1)
        values = np.einsum("sa,isa->is", weight, reward) + np.einsum("sa,sat,it->is", weight, kernel, values)
    return values
