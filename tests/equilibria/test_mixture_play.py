"""Mixtures of independent play: their joint laws and marginals."""

import numpy as np
import pytest

from equipoise.equilibria import MixturePlay, product_play, pure_play
from equipoise.games import named_markov_game


def test_joint_law_and_marginals():
    rng = np.random.default_rng(0)
    play = MixturePlay(
        rng.dirichlet(np.ones(4), (2, 3)), tuple(rng.dirichlet(np.ones(a), (2, 3, 4)) for a in (2, 3, 2))
    )
    joint = play.joint()
    k = sum(
        play.weights[1, 2, c] * np.einsum("a,b,c->abc", *(s[1, 2, c] for s in play.strategies))
        for c in range(4)
    )
    np.testing.assert_allclose(joint[1, 2], k)
    for i, one in enumerate(play.marginals()):
        np.testing.assert_allclose(one, joint.sum(axis=tuple(2 + j for j in range(3) if j != i)))
    np.testing.assert_allclose(play.pure().joint(), joint)


def test_independent_play_has_one_component():
    play = product_play(named_markov_game("toy-2"), [np.full((2, 2), 0.5), np.full((2, 2, 2), 0.5)])
    np.testing.assert_allclose(play.joint(), 0.25)
    np.testing.assert_allclose(pure_play(play.joint()).weights, 0.25)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="sum to 1"):
        MixturePlay(np.ones((1, 1, 2)), (np.ones((1, 1, 2, 1)),))
    with pytest.raises((ValueError, TypeError), match="strategies"):
        MixturePlay(np.ones((1, 1, 1)), (np.ones((1, 2, 1, 1)),))
    with pytest.raises(ValueError, match=r"strategies\[1\] has shape"):
        product_play(named_markov_game("toy-2"), [np.full((2, 2), 0.5), np.full((3, 2), 0.5)])
