"""Payoff-based learners: worked examples, invariants, limits, and what each player may know."""

import inspect
import math
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equipoise.equilibria.zero_sum import exploring_distribution, lyapunov, softmax
from equipoise.games import MarkovGame, NormalFormGame, random_markov_game
from equipoise.learning import check_learner, train
from equipoise.learning.tabular import _uncoupled
from equipoise.learning.tabular._smoothed_player import SmoothedPlayer, StepSizes, StepSizeWarning
from equipoise.learning.tabular._uncoupled import Sight
from equipoise.learning.tabular.payoff_based import (
    COLLAPSED,
    SmoothedBestResponse,
    UnvisitedStatesWarning,
    ValueIterationSBR,
    learnt_values,
    onlooker,
    probability_floor,
    theory_ratio,
)

PENNIES = NormalFormGame([[[1.0, -1.0], [-1.0, 1.0]], [[-1.0, 1.0], [1.0, -1.0]]])
ASYMMETRIC = np.array([[1.0, -0.5], [-0.5, 0.5]])


def matrix(R):
    return NormalFormGame([R, -R])


def moving(seed=0, discount=0.5, states=3, actions=(2, 3)):
    rng = np.random.default_rng(seed)
    return random_markov_game(states, actions, rng=rng, discount=discount, zero_sum=True, floor=0.3)


def run_moves(game, players, moves, seed=0):
    with jax.enable_x64(True):
        place = jax.tree.map(jnp.asarray, _uncoupled.world(game))
        key = jax.random.key(seed)
        table = _uncoupled.seat(place, players, key)
        compiled = jax.jit(lambda table, a, b: _uncoupled.play(place, players, table, key, a, b))

        def go(table, a, b):
            with jax.enable_x64(True):
                return compiled(table, a, b)

        return go, table, go(table, 0, moves)


def test_worked_example_of_one_move():
    with jax.enable_x64(True):
        player = SmoothedPlayer(1.0 / (2.0 * math.log(3.0)), ratio=0.2, step=0.5, delay=0.0, decay=0.0)
        memory = player.learn(player.begin(1, 2, 0.0), Sight(0, 0, 1.0, 0))
        np.testing.assert_allclose(memory.estimates, [[0.5, 0.0]])
        np.testing.assert_allclose(player.intend(memory).strategy, [[0.525, 0.475]], rtol=1e-12)


def test_worked_example_of_the_floor():
    assert probability_floor(2, 1.0 / math.log(2.0)) == pytest.approx(0.2)


def test_moves_do_not_depend_on_where_play_is_interrupted():
    players = (SmoothedPlayer(0.3), SmoothedPlayer(0.3))
    go, fresh, whole = run_moves(moving(), players, 700)
    halves = go(go(fresh, 0, 300), 300, 700)
    jax.tree.map(np.testing.assert_array_equal, whole, halves)


def test_a_player_is_told_nothing_of_the_other():
    assert Sight._fields == ("state", "action", "reward", "next_state")
    assert list(inspect.signature(SmoothedPlayer.learn).parameters) == ["self", "memory", "sight"]
    assert list(inspect.signature(SmoothedPlayer.begin).parameters) == [
        "self",
        "states",
        "actions",
        "discount",
    ]

    class Stubborn:
        """Always the first action, and it remembers nothing."""

        def begin(self, states, actions, discount):
            return jnp.eye(actions)[0]

        def intend(self, memory):
            return memory

        def law(self, memory, state):
            return memory

        def learn(self, memory, sight):
            return memory

    player = SmoothedPlayer(0.3)
    seen = []

    class Watched:
        """Writes down the shapes of what it sees."""

        begin, intend, law = player.begin, player.intend, player.law

        def learn(self, memory, sight):
            seen.append(jax.tree.map(lambda part: (jnp.shape(part), jnp.asarray(part).dtype), sight))
            return player.learn(memory, sight)

    run_moves(moving(), (Watched(), SmoothedPlayer(0.3)), 5)
    run_moves(moving(), (Watched(), Stubborn()), 5)
    assert len(set(seen)) == 1
    # The memory holds nothing with the size of the other's action set.
    _, _, table = run_moves(moving(actions=(2, 5)), (player, Stubborn()), 50)
    assert all(5 not in np.shape(part) for part in table.memories[0])


def test_one_state_without_a_future_is_the_matrix_game_move_for_move():
    R = np.random.default_rng(1).uniform(-1, 1, (3, 4))
    players = (SmoothedPlayer(0.3), SmoothedPlayer(0.3))
    one = MarkovGame(np.ones((1, 3, 4, 1)), [R[None], -R[None]], discount=0.0)
    jax.tree.map(
        np.testing.assert_allclose, run_moves(one, players, 500)[2], run_moves(matrix(R), players, 500)[2]
    )


def test_invariants_hold_at_every_move():
    game, noise = moving(discount=0.5), 0.7
    for share in (0.0, 0.2):
        learner = ValueIterationSBR(noise, share, inner_steps=2000)
        run = train(learner, game, steps=4 * 2000, seeds=3)
        floor = max(probability_floor(3, noise, 0.5), share / 3)
        assert (np.asarray(run.metrics["min_probability"]) >= floor).all()
        assert (np.asarray(run.metrics["largest_estimate"]) <= 1.0 / (1.0 - 0.5)).all()
        for policy in run.policies:
            np.testing.assert_allclose(np.asarray(policy).sum(-1), 1.0, atol=1e-12)


def test_last_iterate_goes_to_the_nash_distribution_at_rate_one_over_k():
    R, noise, seeds = ASYMMETRIC, 0.5, 200
    rest = np.concatenate(exploring_distribution(R, noise).strategies)
    player = SmoothedBestResponse(noise).player
    with jax.enable_x64(True):
        place = jax.tree.map(jnp.asarray, _uncoupled.world(matrix(R)))
        keys = jax.random.split(jax.random.key(0), seeds)
        table = jax.vmap(lambda key: _uncoupled.seat(place, (player, player), key))(keys)
        one = lambda t, k, a, b: _uncoupled.play(place, (player, player), t, k, a, b)  # noqa: E731
        go = jax.jit(jax.vmap(one, in_axes=(0, 0, None, None)))
        errors, marks = [], [1000, 3000, 10_000, 30_000]
        for a, b in zip([0, *marks], marks, strict=False):
            table = go(table, keys, a, b)
            play = np.concatenate([m.strategy[:, 0] for m in table.memories], axis=1)
            errors.append(float(((play - rest) ** 2).sum(axis=1).mean()))
    # Between K = 3,000 and 30,000; the standard error of each mean over 200 seeds is about a tenth.
    slope = np.log(errors[3] / errors[1]) / np.log(10.0)
    assert -1.25 < slope < -0.75
    assert errors[3] < 1e-3


@pytest.mark.slow
def test_constant_steps_leave_a_floor_that_shrinks_with_them():
    R, noise, floors = ASYMMETRIC, 0.5, []
    for step in (0.4, 0.05):
        learner = SmoothedBestResponse(noise, step_sizes=StepSizes(0.05, step, decay=0.0))
        run = train(learner, matrix(R), steps=10_000, seeds=50, evaluate=onlooker(learner, matrix(R)))
        floors.append(np.asarray(run.metrics["lyapunov"])[-40:].mean())
    assert floors[1] < floors[0] / 3.0


@pytest.mark.slow
def test_exploration_rests_at_its_own_oracle():
    R = np.random.default_rng(2).uniform(-1, 1, (3, 3))
    learner = SmoothedBestResponse(0.3, 0.2)
    run = train(learner, matrix(R), steps=50_000, seeds=50, evaluate=onlooker(learner, matrix(R)))
    rest = exploring_distribution(R, 0.3, 0.2).strategies
    for played, limit in zip(run.policies, rest, strict=True):
        np.testing.assert_allclose(np.asarray(played).mean(axis=0), limit, atol=0.01)
    plain = exploring_distribution(R, 0.3).strategies
    assert max(np.abs(a - b).max() for a, b in zip(rest, plain, strict=True)) > 0.02


def test_smoothed_best_response_flow_never_raises_the_lyapunov_function():
    rng, noise = np.random.default_rng(3), 0.2
    R, x, y = rng.uniform(-1, 1, (3, 4)), rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(4))
    before = float(lyapunov((R, -R), (x, y), noise))
    for _ in range(2000):
        x, y = x + 0.005 * (softmax(R @ y / noise) - x), y + 0.005 * (softmax(-R.T @ x / noise) - y)
        after = float(lyapunov((R, -R), (x, y), noise))
        assert after <= before + 1e-12
        before = after
    assert before < 1e-6


def test_drift_of_the_lyapunov_function_is_within_the_papers():
    rng = np.random.default_rng(4)
    for _ in range(100):
        noise, beta = rng.uniform(0.2, 2.0), rng.uniform(0.0, 0.1)
        R, q1, q2 = rng.uniform(-1, 1, (3, 3)), rng.uniform(-1, 1, 3), rng.uniform(-1, 1, 3)
        floor = probability_floor(3, noise)
        x, y = (floor + (1 - 3 * floor) * rng.dirichlet(np.ones(3)) for _ in range(2))
        here = lyapunov((R, -R), (x, y), noise)
        nx, ny = x + beta * (softmax(q1 / noise) - x), y + beta * (softmax(q2 / noise) - y)
        far = ((q1 - R @ y) ** 2).sum() + ((q2 + R.T @ x) ** 2).sum()
        bound = (1 - 0.75 * beta) * here + 36 * beta**2 / floor + 256 * 9 * beta / (floor**2 * noise**3) * far
        assert lyapunov((R, -R), (nx, ny), noise) <= bound


def test_values_go_to_the_smoothed_fixed_point():
    game = moving(discount=0.5)
    learner = ValueIterationSBR(0.5, inner_steps=10_000)
    run = train(learner, game, steps=6 * 10_000, seeds=10, evaluate=onlooker(learner, game))
    assert np.asarray(run.metrics["distance"])[-1].mean() < 0.06
    assert np.asarray(run.metrics["value_sum"])[-1].mean() < 0.05
    first, second = (np.asarray(learnt_values(memory)) for memory in run.states[0].memories)
    assert np.abs(first + second).max(axis=1).mean() < 0.05


@pytest.mark.slow
def test_exploration_collapse_is_seen():
    game = random_markov_game(5, 3, rng=np.random.default_rng(0), discount=0.5, zero_sum=True, floor=0.3)
    weights = {}
    for share in (0.0, 0.2):
        run = train(ValueIterationSBR(0.1, share, inner_steps=10_000), game, steps=20_000, seeds=5)
        weights[share] = np.asarray(run.metrics["start_weight"])[-1]
        assert (np.asarray(run.metrics["min_visits"])[-1] < 50).all() == (share == 0.0)
    assert (weights[0.0] > COLLAPSED).mean() >= 0.6
    assert (weights[0.2] < COLLAPSED).all()


def test_rational_against_a_stationary_opponent():
    R = np.array([[1.0, -1.0, 0.2], [-1.0, 1.0, 0.0]])

    class Stationary:
        def begin(self, states, actions, discount):
            return jnp.array([0.7, 0.2, 0.1])

        def intend(self, memory):
            return memory

        def law(self, memory, state):
            return memory

        def learn(self, memory, sight):
            return memory

    _, _, table = run_moves(matrix(R), (SmoothedPlayer(0.1), Stationary()), 20_000)
    gains = R @ np.array([0.7, 0.2, 0.1])
    played = np.asarray(table.memories[0].strategy[0])
    assert gains.max() - played @ gains <= 0.1 * math.log(2) + 0.02


def test_absorbing_states_are_warned_of_and_restarts_cure_them():
    kernel = np.zeros((2, 2, 2, 2))
    kernel[..., 1] = 1.0
    kernel[0, 0, 0] = [1.0, 0.0]
    reward = np.array([[[0.0, 1.0], [1.0, 0.0]], np.zeros((2, 2))])
    game = MarkovGame(kernel, [reward, -reward], discount=0.75, initial=[1.0, 0.0])
    with pytest.warns(UnvisitedStatesWarning, match="State 1"):
        ValueIterationSBR(0.1).check(game)
    learner = ValueIterationSBR(0.02, 0.02, inner_steps=10_000, restart=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = train(learner, game, steps=10 * 10_000, seeds=10)
    first = np.asarray(learnt_values(run.states[0].memories[0]))[:, 0]
    assert first.mean() == pytest.approx(2.0 / 3.0, abs=0.03)


def test_one_action_and_no_move():
    learner = SmoothedBestResponse(0.5, moves_per_update=50)
    run = train(learner, matrix(np.array([[0.3, -0.2]])), steps=200, seeds=2)
    np.testing.assert_array_equal(run.policies[0], 1.0)
    _, _, table = run_moves(matrix(ASYMMETRIC), (SmoothedPlayer(0.5), SmoothedPlayer(0.5)), 0)
    np.testing.assert_array_equal(table.memories[0].strategy, 0.5)


def test_halving_lowers_noise_and_exploration():
    learner = SmoothedBestResponse(0.8, 0.4, halve_after=500, epoch_growth=2.0, moves_per_update=1600)
    run = train(learner, PENNIES, steps=1600)
    # Epochs of 500 and 1000 moves are over, the third has begun.
    memory = run.states.memories[0]
    assert np.asarray(memory.epoch)[0] == 2
    assert np.asarray(memory.clock)[0] == 100


def test_average_is_the_mean_of_the_policies():
    players = (SmoothedPlayer(0.3), SmoothedPlayer(0.3))
    go, table, _ = run_moves(matrix(ASYMMETRIC), players, 0)
    seen = []
    for k in range(20):
        table = go(table, k, k + 1)
        seen.append(np.asarray(table.memories[0].strategy))
    np.testing.assert_allclose(table.memories[0].average, np.mean(seen, axis=0), rtol=1e-12)


@pytest.mark.slow
def test_learners_keep_the_contract():
    check_learner(SmoothedBestResponse(0.3, moves_per_update=20), PENNIES)
    check_learner(ValueIterationSBR(0.3, inner_steps=20), moving())


def test_games_they_are_not_made_for_are_refused():
    common = NormalFormGame([np.eye(2), np.eye(2)])
    with pytest.raises(ValueError, match="do not add up to zero"):
        SmoothedBestResponse(0.3).check(common)
    with pytest.raises(TypeError, match="ValueIterationSBR"):
        SmoothedBestResponse(0.3).check(moving())
    with pytest.raises(TypeError, match="SmoothedBestResponse"):
        ValueIterationSBR(0.3).check(PENNIES)
    with pytest.raises(ValueError, match="not zero-sum"):
        ValueIterationSBR(0.3).check(random_markov_game(2, 2, rng=np.random.default_rng(0), discount=0.5))


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="bounded_rationality must be positive"):
        SmoothedBestResponse(0.0)
    with pytest.raises(ValueError, match="exploration must be in"):
        ValueIterationSBR(0.1, 1.0)
    with pytest.raises(ValueError, match="must be below 1; raise delay"):
        StepSizes(0.05, 80.0, 40.0)
    with pytest.raises(ValueError, match="step_size must be given"):
        StepSizes(decay=0.5)
    with pytest.warns(StepSizeWarning, match="needs more than 2"):
        StepSizes(0.05, 40.0)
    assert StepSizes(0.05).numbers == (80.0, 160.0)


def test_theory_asks_for_tiny_ratios():
    assert theory_ratio(2, 0.5) < 1e-7
    assert theory_ratio(2, 0.5, 2.0) == pytest.approx(theory_ratio(2, 0.25))
