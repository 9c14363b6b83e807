"""Robust-Q-FTRL as a learner: equal to the exact solver, resumable, unbiased where it should be."""

import warnings

import numpy as np
import pytest

import equipoise as eqp
from equipoise.equilibria import RobustCCE, Uncertainty, robust_evaluation
from equipoise.games import GenerativeModel, MarkovGame, named_markov_game, random_markov_game
from equipoise.learning import FewRoundsWarning, RobustQFTRL, check_learner, train
from equipoise.learning.tabular.robust_ftrl import THEORY, sampled_centres, suggested_sizes
from robust_plays import RADII

GAME = named_markov_game("toy-3")
RADIUS = tuple(RADII["toy-3"])


def learn(learner, game=GAME, **more):
    return train(learner, game, steps=learner.updates(game) * learner.samples_per_update(game), **more)


@pytest.fixture(scope="module")
def exact():
    learner = RobustQFTRL(RADIUS, rounds=60)
    return learner, learn(learner)


@pytest.mark.slow
def test_it_keeps_the_contract_of_learners():
    check_learner(RobustQFTRL(RADIUS, rounds=40, samples=2), GAME)


def test_exact_mode_is_the_solver(exact):
    learner, run = exact
    solution = eqp.solve(GAME, RobustCCE(RADIUS, rounds=60, polish="none"), throw=False)
    for ours, theirs in zip(run.policies, solution.strategies, strict=True):
        np.testing.assert_allclose(ours[0], theirs, atol=1e-9)
    np.testing.assert_allclose(learner.play(GAME, run.states).joint(), solution.joint, atol=1e-9)


def test_values_are_those_of_the_mixture(exact):
    learner, run = exact
    found = robust_evaluation(GAME, learner.play(GAME, run.states), Uncertainty(list(RADIUS)))
    np.testing.assert_allclose(run.states.values[0], found.values, atol=1e-11)


def test_nothing_happens_after_the_last_round(exact):
    learner, run = exact
    longer = train(learner, GAME, steps=learner.updates(GAME) + 7)
    for one, other in zip(run.policies, longer.policies, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(run.states.history, longer.states.history)


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_to_the_same_numbers(tmp_path):
    learner = RobustQFTRL(RADIUS, rounds=40, samples=2)
    whole = learn(learner, seeds=2)
    half = learner.updates(GAME) // 2 * learner.samples_per_update(GAME)
    train(learner, GAME, steps=half, seeds=2, directory=tmp_path)
    resumed = learn(learner, seeds=2, directory=tmp_path)
    np.testing.assert_array_equal(whole.states.history, resumed.states.history)
    np.testing.assert_array_equal(whole.policies[0], eqp.load_run(tmp_path).policies[0])
    assert not np.array_equal(whole.policies[0][0], whole.policies[0][1])


def test_samples_follow_the_model_and_the_others():
    """Frequencies against exact expectations, for ragged players; five standard errors."""
    import jax

    from equipoise.equilibria.robust_evaluation import component_centres

    learner = RobustQFTRL(0.1, samples=4)
    game = random_markov_game(3, (2, 1, 3), horizon=2, rng=np.random.default_rng(0))
    rng = np.random.default_rng(1)
    laws = [rng.dirichlet(np.ones(a), 3) for a in game.num_actions]
    padded = np.zeros((3, 3, 3))
    for i, law in enumerate(laws):
        padded[i, :, : law.shape[1]] = law
    count = 4000
    with jax.enable_x64(True):
        model = jax.tree.map(jax.numpy.asarray, learner.prepare(game))
        drawn, rewards = sampled_centres(
            model.sampler, jax.numpy.asarray(padded), 1, count, jax.random.key(0)
        )
    for i, actions in enumerate(game.num_actions):
        centre, reward = component_centres(game, tuple(law[:, None] for law in laws), 1, i)
        seen = np.asarray(drawn[i, :, :actions].mean(axis=-2))
        assert np.abs(seen - centre[:, 0]).max() < 5 * 0.5 / np.sqrt(count)
        assert np.abs(np.asarray(rewards[i, :, :actions]) - reward[:, 0]).max() < 5 * 0.5 / np.sqrt(count)


@pytest.mark.slow
def test_more_samples_come_closer_to_the_exact_values(exact):
    _, run = exact
    errors = []
    for samples in (2, 64):
        found = learn(RobustQFTRL(RADIUS, rounds=60, samples=samples), seeds=3)
        errors.append(np.abs(found.states.values - run.states.values).mean())
    assert errors[1] < 0.5 * errors[0]


def kinked_game():
    """One decision whose law of the next state has exactly the radius of mass on the better state."""
    kernel = np.zeros((2, 1, 1, 2))
    kernel[:, 0, 0] = [0.7, 0.3]
    rewards = np.zeros((2, 2, 2, 1, 1))
    rewards[:, 1, 1] = 1.0
    return MarkovGame(kernel, rewards, horizon=2)


@pytest.mark.slow
def test_sampling_bends_worst_cases_upwards_at_a_kink_and_correction_helps():
    """E max(phat - sigma, 0) is half the mean deviation of phat where phat's mean is sigma."""
    game, samples = kinked_game(), 16
    found = {}
    for correct in (False, True):
        learner = RobustQFTRL(0.3, rounds=400, samples=samples, step_constant=None, correct_bias=correct)
        run = learn(learner, game, seeds=4)
        found[correct] = run.states.values[:, 0, 0, 0].mean()
        if not correct:
            assert run.metrics["plug_in_bias"].mean() > 0
    from scipy.stats import binom

    k = np.arange(samples + 1)
    bias = binom.pmf(k, samples, 0.3) @ np.maximum(k / samples - 0.3, 0.0)
    assert found[False] == pytest.approx(bias, rel=0.1)
    assert 0 < found[True] < 0.75 * found[False]


def test_theory_is_optimistic_and_says_that_it_averages_few_rounds():
    learner = RobustQFTRL(RADIUS, rounds=40, **THEORY)
    with pytest.warns(FewRoundsWarning, match="lower step_constant"):
        learner.check(GAME)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = learn(learner)
    found = robust_evaluation(GAME, learner.play(GAME, run.states), Uncertainty(list(RADIUS)))
    assert (run.states.values[0] >= found.deviation_values - 1e-9).all()
    assert (run.states.values[0, 0] <= 3.0).all()


def crowd_sample(parameters, key, h, s, actions):
    import jax
    import jax.numpy as jnp

    share = (actions == 0).mean()
    following = (jax.random.uniform(key) < 0.2 + 0.6 * share).astype(int)
    return following, jnp.where(actions == 0, parameters[s], 0.5)


def test_many_players_who_can_only_be_sampled():
    crowd = GenerativeModel(crowd_sample, 2, (2,) * 12, 2, parameters=np.array([0.2, 0.9]))
    learner = RobustQFTRL(0.1, rounds=30, samples=2)
    assert learner.samples_per_update(crowd) == 2 * 2 * 24
    run = learn(learner, crowd)
    last = run.policies[0][0, -1]
    assert last[0, 0] < 0.35  # .2 against .5 in the first state
    assert last[1, 0] > 0.65  # .9 against .5 in the second
    with pytest.raises(ValueError, match="samples=16"):
        RobustQFTRL(0.1).check(crowd)


def test_suggested_sizes_have_the_orders_of_the_theorem():
    assert suggested_sizes(4, 0.5, 1.0) == (64, 32)
    assert suggested_sizes(4, 0.01, 1.0) == (64, 64)
    assert suggested_sizes(4, 0.5, 0.5) == (256, 128)
    assert suggested_sizes(10, 0.1, 0.01)[1] == 256


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"radius": 2.0}, "radius = 2"),
        ({"rounds": 1}, "rounds = 1"),
        ({"samples": 0}, "samples must be at least 1"),
        ({"samples": 3, "correct_bias": True}, "even number"),
        ({"bonus": -1.0}, "bonus"),
        ({"failure": 0.0}, "failure"),
        ({"step_constant": -2.0}, "step_constant"),
    ],
)
def test_bad_settings_are_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        RobustQFTRL(**{"radius": 0.1, **arguments})


def test_games_that_do_not_fit_are_refused(exact):
    with pytest.raises(ValueError, match="horizon"):
        RobustQFTRL(0.1).check(named_markov_game("mdp-3"))
    with pytest.raises(ValueError, match="one per player"):
        RobustQFTRL((0.1, 0.2, 0.3)).check(GAME)
    with pytest.raises(TypeError, match="MarkovGame"):
        RobustQFTRL(0.1).check(eqp.named_game("stag-hunt"))
    learner = exact[0]
    with pytest.raises(ValueError, match="train for steps=180"):
        learner.play(GAME, train(learner, GAME, steps=10).states)
