"""The actor-critic: exact iteration, rates, samples, replay, refusals."""

from dataclasses import replace
from functools import cache

import jax
import numpy as np
import pytest

import equipoise as eqp
from equipoise.equilibria import coupled_iteration
from equipoise.learning._draws import places, running_sums

TWO_STATES = eqp.named_markov_game("two-state")
COVERED = {"risk_aversion": 1.0, "bounded_rationality": 0.5}  # KL with log-barrier: unique, by theorem
EXACT = eqp.RQEActorCritic(source="exact", critic=0.1, actor=0.1, schedule="constant", **COVERED)
PENNIES = np.array([[1.0, -1.0], [-1.0, 1.0]])


@cache
def solved():
    return eqp.solve(TWO_STATES, EXACT.concept)


def distance(strategies):
    """Squared distance of every seed's policies from given ones."""
    return lambda policies: {
        "far": sum(((p - q) ** 2).sum((1, 2)) for p, q in zip(policies, strategies, strict=True))
    }


def test_the_exact_learner_makes_the_steps_of_the_coupled_iteration():
    learner = replace(EXACT, geometry="euclidean")
    run = eqp.train(learner, TWO_STATES, steps=60, log_every=20, evaluate=distance(solved().strategies))
    exact = coupled_iteration(TWO_STATES, learner.concept, coupling=learner.coupling, steps=60, marks=[60])
    for ours, theirs in zip(run.policies, exact.strategies, strict=True):
        np.testing.assert_allclose(ours[0], theirs, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    "change",
    [{}, {"penalty": "reverse_kl", "regularizer": "entropy", "bounded_rationality": (0.5, 0.8)}],
    ids=["kl, log-barrier", "reverse kl, entropy"],
)
def test_exact_learning_ends_at_the_solver_s_equilibrium_at_a_linear_rate(change):
    learner = replace(EXACT, **change)
    solution = eqp.solve(TWO_STATES, learner.concept)
    run = eqp.train(learner, TWO_STATES, steps=1500, log_every=100, evaluate=distance(solution.strategies))
    assert run.metrics["far"][-1, 0] < 1e-24
    # With a fast actor the values decide the pace: they close a share critic * (1 - discount) of their gap.
    errors = run.metrics["error"][:, 0]
    pace = (errors[12] / errors[7]) ** (1 / 500)
    assert pace == pytest.approx(1 - 0.1 * (1 - 0.8), abs=1e-5)
    worth = run.states.payoffs[0]
    expected = np.stack(TWO_STATES.rewards) + 0.8 * TWO_STATES.expected(solution.values)
    np.testing.assert_allclose(worth, expected, atol=1e-10)


@pytest.mark.parametrize(("regularizer", "cost"), [("entropy", -np.log(2)), ("log_barrier", 2 * np.log(2))])
def test_matching_pennies_without_end_by_hand(regularizer, cost):
    pennies = eqp.MarkovGame(np.ones((1, 2, 2, 1)), [PENNIES[None], -PENNIES[None]], discount=0.8)
    learner = replace(EXACT, regularizer=regularizer)
    run = eqp.train(learner, pennies, steps=37, log_every=37)
    for policy in run.policies:
        np.testing.assert_allclose(policy, 0.5, atol=1e-15)
    worth = -0.5 * cost / (1 - 0.8)
    rewards = np.stack(pennies.rewards)
    limit = rewards + 0.8 * worth
    expected = limit + (1 - 0.1 * (1 - 0.8)) ** 37 * (rewards - limit)
    np.testing.assert_allclose(run.states.payoffs[0], expected, rtol=1e-13)


@pytest.mark.parametrize(
    "change", [{"walks": 4}, {"source": "replay", "memory": 20_000}], ids=["on policy", "replay"]
)
def test_learning_from_samples_has_mean_square_error_of_order_one_over_t(change):
    learner = replace(eqp.RQEActorCritic(**COVERED), **change)
    steps = 20_000
    run = eqp.train(
        learner, TWO_STATES, steps=steps, seeds=8, log_every=500, evaluate=distance(solved().strategies)
    )
    error = run.metrics["far"].mean(axis=1)
    late = run.at >= 1000
    slope = np.polyfit(np.log(run.at[late]), np.log(error[late]), 1)[0]
    assert -1.5 < slope < -0.6
    assert error[-1] < 5e-5
    assert run.states.visits.sum(axis=(1, 2)).min() >= steps
    assert run.states.visits.min() > 0


@pytest.mark.slow
def test_constant_steps_end_near_the_equilibrium_but_not_at_it():
    learner = replace(EXACT, source="on_policy", walks=4)
    run = eqp.train(learner, TWO_STATES, steps=8000, seeds=8, evaluate=distance(solved().strategies))
    last = run.metrics["far"][-20:].mean()
    assert 1e-6 < last < 1e-2


def test_three_players_learn_the_solver_s_equilibrium():
    rng = np.random.default_rng(3)
    game = eqp.random_markov_game(3, (2, 3, 2), discount=0.5, players=3, rng=rng)
    learner = replace(EXACT, risk_aversion=(0.5, 1.0, 0.0), bounded_rationality=1.0, penalty="kl")
    solution = eqp.solve(game, learner.concept)
    run = eqp.train(learner, game, steps=1000, log_every=1000, evaluate=distance(solution.strategies))
    assert run.metrics["far"][-1, 0] < 1e-20


def test_sparse_transitions_give_the_numbers_of_dense_ones():
    rng = np.random.default_rng(5)
    sparse = eqp.random_markov_game(6, 2, discount=0.7, players=2, successors=2, rng=rng)
    assert sparse.is_sparse
    dense = eqp.MarkovGame(sparse.transitions_at(), sparse.rewards, discount=0.7)
    with jax.enable_x64(True):
        model = EXACT.prepare(sparse)
        state = EXACT.init(model, jax.random.key(0))
        ours, theirs = (EXACT.update(EXACT.prepare(game), state, None)[0].payoffs for game in (sparse, dense))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_neutral_players_learn_the_quantal_response_equilibrium():
    learner = replace(EXACT, risk_aversion=0.0, regularizer="entropy", actor=0.3)
    solution = eqp.solve(TWO_STATES, eqp.QRE(precision=2.0))
    run = eqp.train(learner, TWO_STATES, steps=1500, log_every=1500, evaluate=distance(solution.strategies))
    assert run.metrics["far"][-1, 0] < 1e-20


def test_gradient_play_without_risk_or_noise_circles_where_averse_players_settle():
    game = eqp.named_markov_game("inspection")
    neutral = replace(EXACT, risk_aversion=0.0, bounded_rationality=0.0, geometry="euclidean")
    run = eqp.train(neutral, game, steps=4000, log_every=10)
    assert run.metrics["move"][-100:].max() > 0.1
    averse = replace(EXACT, risk_aversion=2.0, bounded_rationality=0.2)
    run = eqp.train(averse, game, steps=4000, log_every=10)
    assert run.metrics["move"][-100:].max() < 1e-8


def test_everybody_scaling_their_rewards_changes_nothing():
    scale = 7.0
    bigger = eqp.MarkovGame(TWO_STATES.transitions, [scale * r for r in TWO_STATES.rewards], discount=0.8)
    wide = replace(EXACT, risk_aversion=1.0 / scale, bounded_rationality=0.5 * scale, actor=0.1 / scale)
    ours, theirs = (
        eqp.train(a, b, steps=40, log_every=40).policies for a, b in ((EXACT, TWO_STATES), (wide, bigger))
    )
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)


def test_walks_begin_anew_so_that_no_state_is_left_for_good():
    game = eqp.named_markov_game("absorbing")
    learner = eqp.RQEActorCritic(walks=8, exploration=1.0)
    run = eqp.train(learner, game, steps=4000, seeds=1)
    shares = run.states.visits[0].sum(axis=1) / 4000
    # The discounted law of visits under uniform play, which restarts at rate 1 - discount reproduce.
    moves = game.transitions_at().mean(axis=(1, 2))
    law = (1 - game.discount) * np.linalg.solve(
        np.eye(game.num_states) - game.discount * moves.T, game.initial
    )
    np.testing.assert_allclose(shares, law, atol=0.04)


def test_places_without_probability_are_never_drawn():
    laws = np.array([[0.0, 0.25, 0.0, 0.75, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0]])
    with jax.enable_x64(True):
        drawn = np.asarray(places(running_sums(laws), jax.random.uniform(jax.random.key(0), (4000, 2))))
    assert set(drawn[:, 0]) == {1, 3}
    assert set(drawn[:, 1]) == {2}
    assert (drawn[:, 0] == 3).mean() == pytest.approx(0.75, abs=4 * np.sqrt(0.75 * 0.25 / 4000))


@pytest.mark.slow
@pytest.mark.parametrize("source", ["on_policy", "replay"])
def test_keeps_the_contract_of_learners(source):
    eqp.check_learner(eqp.RQEActorCritic(source=source, walks=2, memory=8, batch=4), TWO_STATES)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"source": "offline"}, "source must be one of"),
        ({"geometry": "hyperbolic"}, "geometry must be one of"),
        ({"critic": 0.0}, r"critic must be in \(0, 1\], got 0"),
        ({"actor": -1.0}, "actor must be positive"),
        ({"schedule": "sudden"}, "schedule must be one of"),
        ({"exploration": 1.5}, "exploration must be from 0 to 1, got 1.5"),
        ({"restart": -0.1}, "restart must be from 0 to 1"),
        ({"walks": 0}, "walks must be at least 1, got 0"),
        ({"walks": 8, "memory": 4}, "memory must be at least 8, got 4"),
        ({"batch": 0}, "batch must be at least 1"),
        ({"risk_aversion": -1.0}, "risk_aversion must be zero or positive"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        eqp.RQEActorCritic(**wrong)


def test_games_that_do_not_fit_are_refused():
    with pytest.raises(TypeError, match="learns in a MarkovGame, not a NormalFormGame"):
        eqp.RQEActorCritic().check(eqp.named_game("stag-hunt"))
    with pytest.raises(ValueError, match="discount; for one with a horizon use GenerativeRQE"):
        eqp.RQEActorCritic().check(eqp.named_markov_game("two-state-horizon"))
    alone = eqp.MarkovGame(np.ones((1, 2, 1)), [np.ones((1, 2))], discount=0.5)
    with pytest.raises(ValueError, match="at least two players"):
        eqp.RQEActorCritic().check(alone)
    with pytest.raises(ValueError, match="risk_aversion has 3 entries"):
        eqp.RQEActorCritic(risk_aversion=(1.0, 1.0, 1.0)).check(TWO_STATES)
    with pytest.raises(ValueError, match=r"bounded_rationality = .* use a small"):
        eqp.RQEActorCritic(bounded_rationality=0.0).check(TWO_STATES)
