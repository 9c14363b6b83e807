"""The counted model and its robust equilibrium."""

import numpy as np
import pytest

from equipoise.equilibria import RectangularEquilibrium, Uncertainty, robust_evaluation
from equipoise.games import MarkovGame, named_markov_game, random_markov_game
from equipoise.learning import RobustNashVI
from equipoise.learning.tabular.robust_plug_in import counted_model


def test_frequencies_approach_the_laws():
    game = named_markov_game("toy-3")
    errors = [
        np.abs(counted_model(game, n, np.random.default_rng(0)).transitions - game.transitions).max()
        for n in (10, 100_000)
    ]
    assert errors[1] < 0.01 < errors[0]


def test_sparse_games_keep_their_successors():
    game = random_markov_game(6, (2, 2), horizon=2, successors=3, rng=np.random.default_rng(0))
    found = counted_model(game, 50, np.random.default_rng(1))
    assert found.is_sparse
    assert ((found.transitions_at(0) > 0) <= (game.transitions_at(0) > 0)).all()


def test_the_gap_in_the_true_game_falls_with_samples():
    game, doubt = named_markov_game("toy-2"), Uncertainty([0.2, 0.3])
    gaps = []
    for samples in (5, 5000):
        found = [
            RobustNashVI((0.2, 0.3), samples).learn(game, np.random.default_rng(k)).joint for k in range(8)
        ]
        gaps.append(np.mean([robust_evaluation(game, x, doubt, "rectangular").gap for x in found]))
    assert gaps[1] < 0.25 * gaps[0]
    limit = RectangularEquilibrium([0.2, 0.3]).find_markov(game)
    assert limit.certificate.gap < 1e-9


def test_samples_grow_with_the_number_of_joint_actions():
    assert RobustNashVI(0.1, 10).calls(named_markov_game("toy-2")) == 2 * 4 * 10
    assert RobustNashVI(0.1, 10).calls(named_markov_game("toy-3")) == 3 * 3 * 6 * 10


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="samples"):
        RobustNashVI(0.1, 0)
    with pytest.raises(ValueError, match="no radius"):
        RobustNashVI(1.2)
    endless = MarkovGame(np.ones((1, 1, 1, 1)), np.zeros((2, 1, 1, 1)), discount=0.5)
    with pytest.raises(ValueError, match="horizon"):
        RobustNashVI(0.1).learn(endless, np.random.default_rng(0))
