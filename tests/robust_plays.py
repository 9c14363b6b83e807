"""The plays of Toy-2 and Toy-3 that robust evaluations are recorded for."""

import numpy as np

from equipoise.equilibria import MixturePlay, product_play, pure_play
from equipoise.games import named_markov_game

RADII = {"toy-2": [0.2, 0.3], "toy-3": [0.15, 0.25]}


def _mixture(game, first, second):
    shape = (game.horizon, game.num_states, 2)
    return MixturePlay(
        np.full(shape, 0.5), tuple(np.broadcast_to(one, (*shape, len(one[0]))) for one in (first, second))
    )


def _everywhere(game, joint):
    return np.broadcast_to(joint, (game.horizon, game.num_states, *np.shape(joint)))


def plays(name):
    """A game and its plays by name; correlated ones as mixtures of pure profiles."""
    game = named_markov_game(name)

    def independent(*laws):
        return product_play(game, [np.broadcast_to(x, (game.num_states, len(x))) for x in laws])

    if name == "toy-2":
        return game, {
            "uniform": independent([0.5, 0.5], [0.5, 0.5]),
            "product": independent([0.6, 0.4], [0.3, 0.7]),
            "correlated": pure_play(_everywhere(game, np.diag([0.5, 0.5]))),
            "mixture": _mixture(game, [[0.8, 0.2], [0.3, 0.7]], [[0.9, 0.1], [0.2, 0.8]]),
        }
    return game, {
        "product": independent([0.6, 0.4], [0.2, 0.3, 0.5]),
        "correlated": pure_play(_everywhere(game, [[0.3, 0.1, 0.0], [0.0, 0.2, 0.4]])),
        "mixture": _mixture(game, [[0.8, 0.2], [0.1, 0.9]], [[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]]),
    }
