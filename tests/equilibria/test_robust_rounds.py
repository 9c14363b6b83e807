"""The rounds of Robust-Q-FTRL: weights, worst cases by caps, and a plain loop beside the compiled one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.equilibria import Uncertainty
from equipoise.equilibria.robust_rounds import (
    effective_rounds,
    exact_rounds,
    paces,
    robust_backup,
    round_weights,
    step_sizes,
)
from equipoise.games import named_markov_game


def test_w8_2_plain_averaging():
    np.testing.assert_allclose(step_sizes(3, 1 / np.log(3)), [1.0, 1 / 2, 1 / 3])
    np.testing.assert_allclose(step_sizes(3, None), [1.0, 1 / 2, 1 / 3])
    np.testing.assert_allclose(round_weights(step_sizes(3, None)), np.full(3, 1 / 3))


@given(st.integers(2, 3000), st.floats(0.05, 30))
def test_weights_are_a_law_and_follow_the_recursion(rounds, constant):
    steps = step_sizes(rounds, constant)
    weights = round_weights(steps)
    assert weights.sum() == pytest.approx(1.0, abs=1e-9)
    sequence = np.sin(np.arange(rounds))
    mean = 0.0
    for alpha, x in zip(steps, sequence, strict=True):
        mean = (1 - alpha) * mean + alpha * x
    assert weights @ sequence == pytest.approx(mean, abs=1e-9)


def test_effective_rounds_are_about_two_k_over_c_log_k():
    for constant in (1.0, 2.0, 24.0):
        counted = effective_rounds(round_weights(step_sizes(100_000, constant)))
        assert counted == pytest.approx(2 * 100_000 / (constant * np.log(100_000)), rel=0.06)
    assert step_sizes(100, 24.0)[-1] == pytest.approx(0.53, abs=0.005)


def test_one_round_is_refused():
    with pytest.raises(ValueError, match="rounds = 1"):
        step_sizes(1, 2.0)


@pytest.mark.parametrize(
    "doubt",
    [Uncertainty(0.3), Uncertainty(0.3, support="ac"), Uncertainty(0.5, "l1"), Uncertainty(0.2, "kl")],
)
def test_backups_are_worst_cases(doubt):
    rng = np.random.default_rng(0)
    laws, values = rng.dirichlet(np.ones(4), (2, 3, 5)), rng.random((2, 4))
    with jax.enable_x64(True):
        levels = jnp.full(2, doubt.level)
        found = jax.jit(lambda p, v: robust_backup(doubt.doubt, levels, v)(p))(laws, values)
    np.testing.assert_allclose(found, doubt.worst(laws, values[:, None, None]).value, atol=1e-9)


def plain_loop(game, levels, rounds, h, values):
    """Algorithm 1 at one step, spelt out."""
    steps, states, counts = step_sizes(rounds, 2.0), game.num_states, game.num_actions
    rates = paces(steps, game.horizon)
    policies = [np.full((states, a), 1 / a) for a in counts]
    leaders = [np.zeros((states, a)) for a in counts]
    average, history = np.zeros((2, states)), []
    for alpha, rate in zip(steps, rates, strict=True):
        history.append(policies)
        fresh = []
        for i in range(2):
            order = "sab,sb->sa" if i == 0 else "sab,sa->sb"
            laws = np.einsum(
                order.replace("->", ",sabt->") + "t",
                game.rewards_at(h)[i] * 0 + 1,
                policies[1 - i],
                game.transitions_at(h),
            )
            seen = np.einsum(order, game.rewards_at(h)[i], policies[1 - i])
            seen = seen + Uncertainty(levels[i]).worst(laws, values[i]).value
            average[i] = (1 - alpha) * average[i] + alpha * (policies[i] * seen).sum(axis=1)
            leaders[i] = (1 - alpha) * leaders[i] + alpha * seen
            odds = np.exp(rate * (leaders[i] - leaders[i].max(axis=1, keepdims=True)))
            fresh.append(odds / odds.sum(axis=1, keepdims=True))
        policies = fresh
    return average, history


def test_the_compiled_loop_is_the_plain_one():
    game, levels, rounds = named_markov_game("toy-3"), [0.15, 0.25], 40
    values = np.random.default_rng(1).random((2, 3))
    average, history = plain_loop(game, levels, rounds, 1, values)
    models = tuple(
        np.concatenate([game.transitions_at(1), r[..., None]], axis=-1) for r in game.rewards_at(1)
    )
    steps = step_sizes(rounds, 2.0)
    with jax.enable_x64(True):
        run = exact_rounds(game.num_actions, Uncertainty(0.1).doubt)
        last, policies = run(models, np.array(levels), values, steps, paces(steps, 3))
    np.testing.assert_allclose(last.average, average, atol=1e-12)
    for i, count in enumerate(game.num_actions):
        np.testing.assert_allclose(policies[:, i, :, :count], [p[i] for p in history], atol=1e-10)
        assert (np.asarray(policies)[:, i, :, count:] == 0).all()
