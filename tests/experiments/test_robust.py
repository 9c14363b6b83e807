"""The experiments on robust games at their smallest, and the pieces they are made of."""

import numpy as np
import pytest

from equipoise.equilibria import Uncertainty
from equipoise.experiments import (
    experiment,
    fictitious_price,
    fictitious_worth,
    robust_ftrl_agents,
    robust_ftrl_radius,
    robust_ftrl_rounds,
    robust_ftrl_samples,
    robust_operators,
    silent,
)
from equipoise.experiments._perturbed import (
    at_rare_actions,
    by_joint_action,
    by_own_action,
    model_laws,
    values_in,
)
from equipoise.experiments._robust import crossing, exact_play, slope
from equipoise.games import congestion_markov_game, named_markov_game, random_markov_game


def test_operators_agree_with_the_oracle():
    result = experiment("robust-operators").run(robust_operators.Settings((5,), 2, 20), silent)
    assert [claim.holds for claim in result.claims] == [True, False]
    assert result.certified


@pytest.mark.slow
def test_rounds_on_the_toy_games():
    result = experiment("robust-ftrl-rounds").run(robust_ftrl_rounds.Settings((10, 30, 100, 300), 30), silent)
    assert all(row[-1] for row in result.tables["evaluations"].rows)
    gaps = {(row[0], row[1]): row[2:6] for row in result.tables["gaps"].rows}
    assert gaps["toy-3", "plain averaging"][3] < gaps["toy-3", "c = 24"][3]


def test_bias_is_exact_and_halves_cancel_what_falls_as_one_over_n():
    settings = robust_ftrl_samples.Settings(bias_samples=(4, 64, 256))
    kink = robust_ftrl_samples._bias(settings, 0.5)
    # One draw: E max(min over capped) is a mean over three outcomes.
    worst = Uncertainty(0.5).worst(np.eye(3), robust_ftrl_samples.VALUES).value
    assert robust_ftrl_samples._expected(1, 0.5) == pytest.approx(robust_ftrl_samples.LAW @ worst)
    assert slope(np.array([64, 256]), kink["plug-in"][1:]) == pytest.approx(-0.5, abs=0.02)
    assert 0 < kink["half samples"][2] < 0.65 * kink["plug-in"][2]


@pytest.mark.slow
def test_samples_and_agents_and_radius_at_their_smallest():
    small = robust_ftrl_samples.Settings((2,), False, 30, 2, (4, 8, 16, 32, 64))
    assert experiment("robust-ftrl-samples").run(small, silent).tables["samples"].rows
    few = robust_ftrl_agents.Settings((2, 3), 0.2, 0.2, 2, (20, 60), (2, 16), 1, 2)
    assert experiment("robust-ftrl-agents").run(few, silent).tables["agents"].rows
    one = robust_ftrl_radius.Settings((2,), (0.1, 0.6, 0.9), (2, 8), 20, 0.05, 1)
    assert experiment("robust-ftrl-radius").run(one, silent).certified


def test_the_congestion_sampler_is_the_table():
    import jax

    table = congestion_markov_game(3, rng=np.random.default_rng(5))
    model = robust_ftrl_agents.congestion_model(3, np.random.default_rng(5))
    keys = jax.random.split(jax.random.key(0), 4000)
    joint = np.array([0, 2, 0])
    following, rewards = jax.vmap(lambda key: model.sample(model.parameters, key, 0, 1, joint))(keys)
    np.testing.assert_allclose(rewards[0], [r[1, 0, 2, 0] for r in table.rewards], atol=1e-6)
    seen = np.bincount(np.asarray(following), minlength=4) / 4000
    np.testing.assert_allclose(seen, table.transitions[1, 0, 2, 0], atol=5 * 0.5 / np.sqrt(4000))


def test_worlds_stay_within_their_sets():
    rng = np.random.default_rng(0)
    game = random_markov_game(3, (2, 3), horizon=2, rng=rng)
    laws, joint = model_laws(game), np.full((2, 3, 2, 3), 1 / 6)
    for world in (by_joint_action(laws, 0.2, rng), by_own_action(laws, 0.2, 0, rng)):
        np.testing.assert_allclose(world.sum(axis=-1), 1.0)
        assert np.abs(world - laws).sum(axis=-1).max() / 2 <= 0.2 + 1e-12
    own = by_own_action(laws, 1.0, 1, rng)
    np.testing.assert_allclose(own[:, :, 0], own[:, :, 1])
    rare = at_rare_actions(laws, 0.4, joint, rng)
    assert (np.abs(rare - laws).sum(axis=-1) > 1e-9).sum(axis=(2, 3)).max() == 2  # two sixths are below .4
    np.testing.assert_allclose(
        values_in(laws, game, joint)[0],
        (game.rewards_at(0)[0] + game.transitions_at(0) @ game.rewards_at(1)[0].mean(axis=(1, 2))).mean(
            axis=(1, 2)
        ),
    )


def test_price_and_worth_at_their_smallest():
    price = experiment("fictitious-price").run(fictitious_price.Settings(2, 2, (0.1, 0.3), 2, 5), silent)
    assert all(claim.holds for claim in price.claims)
    price.pictures["price"].draw()
    worth = experiment("fictitious-worth").run(fictitious_worth.Settings(2, 0.2, 10, 3, 30), silent)
    assert worth.certified
    worth.pictures["worth"].draw()


def test_crossings_and_slopes_of_power_laws():
    x = np.array([1.0, 10.0, 100.0])
    assert slope(x, 3 / np.sqrt(x)) == pytest.approx(-0.5)
    assert crossing(x, 3 / np.sqrt(x), 0.03) == pytest.approx(10_000.0)
    assert np.isnan(crossing(x, x, 0.5))
    play = exact_play(named_markov_game("toy-2"), (0.2, 0.3), 20)
    assert play.weights.shape == (2, 2, 20)
