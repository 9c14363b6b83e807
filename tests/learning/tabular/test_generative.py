"""GenerativeRQE: counts, the plug-in equilibrium, the rate at which it nears the true one."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import equipoise as eqp
from equipoise.games.markov_generators import random_markov_game
from equipoise.games.markov_instances import two_states
from equipoise.learning import GenerativeRQE, check_learner, load_run, train
from equipoise.learning.tabular.generative import Seen, sample_bound

FINITE = two_states(None, 3)
LEARNER = GenerativeRQE(draws=20, bounded_rationality=0.5)


@pytest.mark.parametrize("game", [FINITE, two_states(0.8)], ids=["horizon", "discount"])
def test_keeps_the_contract(game):
    check_learner(LEARNER, game)


@pytest.mark.parametrize("game", [FINITE, two_states(0.8)], ids=["horizon", "discount"])
def test_with_the_true_frequencies_it_is_the_exact_solution(game):
    counts = np.rint(game.transitions * 1000).astype(int)
    model = LEARNER.prepare(game)
    found = LEARNER.solve(model, Seen(counts))
    exact = eqp.solve(game, LEARNER.concept)
    for ours, true in zip(found.strategies, exact.strategies, strict=True):
        assert np.allclose(ours, true, atol=1e-12)
    assert np.allclose(found.values, exact.values, atol=1e-12)


def test_a_time_dependent_sparse_game():
    game = random_markov_game(3, (2, 2), horizon=2, successors=2, rng=np.random.default_rng(1))
    run = train(LEARNER, game, steps=LEARNER.samples_per_update(game) * 500)
    exact = eqp.solve(game, LEARNER.concept)
    for ours, true in zip(run.policies, exact.strategies, strict=True):
        assert ours.shape == (1, *true.shape)
        assert np.abs(ours - true).max() < 0.02


def test_every_state_and_joint_action_is_drawn_equally_often():
    run = train(LEARNER, FINITE, steps=3 * LEARNER.samples_per_update(FINITE), seeds=4)
    assert run.states.counts.shape == (4, 2, 2, 2, 2)
    assert (run.states.counts.sum(axis=-1) == 60).all()
    assert run.steps == 3 * 20 * 8
    assert run.metrics["draws"][-1] == pytest.approx(60.0)


@pytest.mark.slow
def test_the_error_falls_with_the_square_root_of_the_draws():
    # Mean over 64 seeds of max |V - V*| at N = 100 and 6,400 draws: theory says a factor 8; the standard
    # error of either mean is about 6 %, so three of them for the ratio are below 30 %.
    exact = eqp.solve(FINITE, LEARNER.concept).values
    model = LEARNER.prepare(FINITE)
    errors = []
    for draws in (100, 6400):
        run = train(GenerativeRQE(draws=draws, bounded_rationality=0.5), FINITE, steps=1, seeds=64)
        values = [LEARNER.solve(model, Seen(counts)).values for counts in run.states.counts]
        errors.append(np.abs(np.array(values) - exact).max(axis=(1, 2)).mean())
        assert errors[-1] < sample_bound(FINITE, draws)
    assert 8 * 0.7 < errors[0] / errors[1] < 8 * 1.3


def test_smoothing_keeps_unseen_states_possible():
    kernel = np.zeros((2, 1, 2))
    kernel[..., 0] = 1.0
    game = eqp.MarkovGame(kernel, [np.array([[1.0], [0.0]])], horizon=2)
    counts = np.array([[[10, 0]], [[10, 0]]])
    plain = GenerativeRQE(risk_aversion=5.0)
    smooth = GenerativeRQE(risk_aversion=5.0, smoothing=1.0)
    model = plain.prepare(game)
    assert plain.solve(model, Seen(counts)).values[0, 0] == pytest.approx(2.0)
    # Add-one smoothing: the next state is bad with probability 1/12, feared with entropic risk at tau = 5.
    expected = 1.0 - np.log(11 / 12 * np.exp(-5.0) + 1 / 12) / 5.0
    assert smooth.solve(model, Seen(counts)).values[0, 0] == pytest.approx(expected)


def test_a_run_loads_from_its_folder(tmp_path):
    run = train(LEARNER, FINITE, steps=480, seeds=2, directory=tmp_path)
    loaded = load_run(tmp_path)
    assert loaded.learner == LEARNER
    assert loaded.game == FINITE
    assert np.array_equal(loaded.policies[0], run.policies[0])


def test_before_the_first_draw_play_is_uniform():
    model = LEARNER.prepare(FINITE)
    with jax.enable_x64(True):
        policy = LEARNER.policy(model, LEARNER.init(model, jax.random.key(0)))
    assert np.allclose(policy[0], 0.5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"draws": 0}, "draws must be at least 1"),
        ({"smoothing": -1.0}, "smoothing must be"),
        ({"penalty": "euclid"}, "penalty"),
        ({"risk_aversion": -1.0}, "risk_aversion"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        GenerativeRQE(**settings)


def test_games_it_is_not_made_for_are_refused():
    with pytest.raises(TypeError, match="MarkovGame"):
        LEARNER.check(eqp.NormalFormGame([[[1.0]], [[1.0]]]))
    with pytest.raises(ValueError, match="risk_aversion"):
        GenerativeRQE(risk_aversion=(1.0, 1.0, 1.0)).check(FINITE)
    with pytest.raises(ValueError, match="draws"):
        sample_bound(FINITE, 0)
