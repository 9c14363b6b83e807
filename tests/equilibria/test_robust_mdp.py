"""Robust decisions: brute force, linear programs, limits, invariances, recorded numbers."""

from itertools import pairwise, product

import numpy as np
import pytest
from scipy.optimize import linprog

import equipoise as eqp
from equipoise.equilibria import RobustPolicy, Uncertainty, robust_policy_value
from equipoise.games import MarkovGame, SuccessorLists, named_markov_game

DOUBTS = {
    "tv": (0.2, "tv", "constrained", None),
    "tv-ac": (0.2, "tv", "constrained", "ac"),
    "tv-penalised": (0.5, "tv", "penalised", None),
    "kl": (0.1, "kl", "constrained", None),
    "kl-penalised": (1.0, "kl", "penalised", None),
    "chi2": (0.2, "chi2", "constrained", None),
    "chi2-penalised": (1.0, "chi2", "penalised", None),
    "cvar": (0.6, "cvar", "constrained", None),
}
COUNT = 4


def random_game(seed=0, actions=3, sparse=False, **time):
    rng = np.random.default_rng(seed)
    time = time or {"discount": 0.9}
    rewards = rng.random((COUNT, actions))
    if not sparse:
        return MarkovGame(rng.dirichlet(np.ones(COUNT), (COUNT, actions)), [rewards], **time)
    states = np.array([[rng.permutation(COUNT)[:2] for _ in range(actions)] for _ in range(COUNT)])
    return MarkovGame(SuccessorLists(states, rng.dirichlet(np.ones(2), (COUNT, actions))), [rewards], **time)


def tv_by_program(p, v, radius):
    """min P v over laws P with |P - p|_1 <= 2 radius, as a linear program in P and |P - p|."""
    n = len(p)
    eye = np.eye(n)
    answer = linprog(
        np.append(v, np.zeros(n)),
        A_ub=np.block([[eye, -eye], [-eye, -eye], [np.zeros(n), np.ones(n)]]),
        b_ub=np.concatenate([p, -p, [2 * radius]]),
        A_eq=[np.append(np.ones(n), np.zeros(n))],
        b_eq=[1.0],
        bounds=[(0, None)] * (2 * n),
    )
    return answer.fun


@pytest.mark.parametrize("doubt", DOUBTS.values(), ids=DOUBTS)
def test_no_deterministic_policy_is_better(doubt):
    game = random_game(1, actions=2)
    found = RobustPolicy(*doubt).find_markov(game)
    values = [
        robust_policy_value(game, np.eye(2)[list(choice)], Uncertainty(*doubt)).values
        for choice in product(range(2), repeat=COUNT)
    ]
    np.testing.assert_allclose(found.values[0], np.max(values, axis=0), atol=1e-8)
    assert found.converged
    assert found.certificate.gap < 1e-8


@pytest.mark.parametrize("doubt", DOUBTS.values(), ids=DOUBTS)
def test_value_in_the_worst_world_is_the_robust_value(doubt):
    game = random_game(2)
    policy = np.random.default_rng(3).dirichlet(np.ones(3), COUNT)
    found = robust_policy_value(game, policy, Uncertainty(*doubt))
    world = found.world
    chain = np.einsum("sa,sat->st", policy, world.transitions)
    reward = np.einsum("sa,sa->s", policy, world.rewards[0])
    np.testing.assert_allclose(np.linalg.solve(np.eye(COUNT) - 0.9 * chain, reward), found.values, atol=1e-8)
    assert found.error < 1e-8
    finite = random_game(2, horizon=3)
    found = robust_policy_value(finite, policy, Uncertainty(*doubt))
    values = np.zeros(COUNT)
    for h in reversed(range(3)):
        law, pay = found.world.transitions_at(h), found.world.rewards_at(h)[0]
        values = (policy * (pay + law @ values)).sum(axis=1)
    np.testing.assert_allclose(values, found.values[0], atol=1e-9)


@pytest.mark.parametrize("doubt", DOUBTS.values(), ids=DOUBTS)
def test_policy_iteration_and_value_iteration_agree(doubt):
    game = random_game(4)
    one, other = (
        RobustPolicy(*doubt, method=m).find_markov(game) for m in ("policy_iteration", "value_iteration")
    )
    np.testing.assert_allclose(one.values, other.values, atol=1e-8)
    assert one.iterations < 10 < other.iterations


def test_backups_solve_the_linear_program_of_total_variation():
    game = random_game(5)
    found = RobustPolicy(0.25).find_markov(game)
    v = found.values[0]
    for s in range(COUNT):
        best = max(
            game.rewards[0][s, a] + 0.9 * tv_by_program(game.transitions[s, a], v, 0.25) for a in range(3)
        )
        assert v[s] == pytest.approx(best, abs=1e-7)


def test_without_doubt_it_is_the_ordinary_optimum():
    game = random_game(6)
    nominal = np.zeros(COUNT)
    for _ in range(400):
        nominal = (game.rewards[0] + 0.9 * game.transitions @ nominal).max(axis=1)
    for doubt in ((0.0, "tv"), (0.0, "kl"), (np.inf, "kl", "penalised"), (1.0, "cvar"), (0.0, "chi2")):
        np.testing.assert_allclose(RobustPolicy(*doubt).find_markov(game).values[0], nominal, atol=1e-9)


def test_values_fall_with_the_radius_and_rise_with_the_weight():
    game = random_game(7)
    radii = [RobustPolicy(level).find_markov(game).values for level in (0.0, 0.1, 0.3, 1.0)]
    weights = [RobustPolicy(level, "kl", "penalised").find_markov(game).values for level in (0.1, 1.0, 10.0)]
    assert all((b < a).all() for a, b in pairwise(radii))
    assert all((a < b).all() for a, b in pairwise(weights))


def test_a_radius_per_state_and_action_is_used_where_it_belongs():
    game = random_game(8)
    levels = np.zeros((COUNT, 3))
    levels[0] = 0.5
    found = RobustPolicy(levels).find_markov(game)
    world = found.details["world"].transitions
    assert np.allclose(world[1:], game.transitions[1:])
    assert not np.allclose(world[0], game.transitions[0])


def test_shifting_and_scaling_rewards():
    game = random_game(9)
    for doubt, scaled in (((0.2, "tv"), (0.2, "tv")), ((1.0, "kl", "penalised"), (3.0, "kl", "penalised"))):
        base = RobustPolicy(*doubt).find_markov(game).values
        shifted = MarkovGame(game.transitions, [game.rewards[0] + 2.0], discount=0.9)
        np.testing.assert_allclose(RobustPolicy(*doubt).find_markov(shifted).values, base + 20.0, atol=1e-8)
        larger = MarkovGame(game.transitions, [3.0 * game.rewards[0]], discount=0.9)
        np.testing.assert_allclose(RobustPolicy(*scaled).find_markov(larger).values, 3.0 * base, atol=1e-8)


def test_many_undiscounted_steps_with_a_chance_of_stopping_are_the_discounted_game():
    """Stopping with probability 1 - gamma in a state worth nothing; nobody doubts the model here."""
    game = random_game(10)
    kernel = np.zeros((COUNT + 1, 3, COUNT + 1))
    kernel[:COUNT, :, :COUNT] = 0.9 * game.transitions
    kernel[:COUNT, :, COUNT] = 0.1
    kernel[COUNT, :, COUNT] = 1.0
    rewards = np.append(game.rewards[0], np.zeros((1, 3)), axis=0)
    long = MarkovGame(kernel, [rewards], horizon=250)
    found = RobustPolicy(0.0).find_markov(long).values[0, :COUNT]
    np.testing.assert_allclose(found, RobustPolicy(0.0).find_markov(game).values[0], atol=1e-8)


@pytest.mark.parametrize("doubt", [DOUBTS["tv"], DOUBTS["tv-ac"], DOUBTS["kl"]])
@pytest.mark.parametrize("time", [{"discount": 0.9}, {"horizon": 4}])
def test_successor_lists_give_the_answer_of_the_dense_game(doubt, time):
    sparse = random_game(11, sparse=True, **time)
    kernel = np.stack([sparse.transitions_at(0)])[0]
    dense = MarkovGame(kernel, [sparse.rewards[0]], **time)
    one, other = RobustPolicy(*doubt).find_markov(sparse), RobustPolicy(*doubt).find_markov(dense)
    np.testing.assert_allclose(one.values, other.values, atol=1e-9)
    for h in range(time.get("horizon", 1)):
        worlds = [x.details["world"].transitions_at(h) for x in (one, other)]
        np.testing.assert_allclose(*worlds, atol=1e-7)


def test_recorded_values_of_mdp_3():
    """Ours: no published numbers exist for this instance."""
    game, finite = named_markov_game("mdp-3"), named_markov_game("mdp-3-horizon")
    recorded = {
        0.0: ([5.68716412, 5.77190988, 6.51291856], [1.461, 1.545, 2.299]),
        0.1: ([4.94398512, 5.02873088, 5.76973956], [1.310, 1.394, 2.148]),
        0.3: ([3.45762712, 3.54237288, 4.28338156], [1.008, 1.092, 1.846]),
    }
    for radius, (discounted, three_steps) in recorded.items():
        for one, expected in ((game, discounted), (finite, three_steps)):
            assert eqp.solve(one, RobustPolicy(radius)).values[0] == pytest.approx(expected, abs=1e-8)


def test_bad_input_is_refused():
    two = MarkovGame(np.ones((1, 2, 2, 1)), np.zeros((2, 1, 2, 2)), horizon=1)
    with pytest.raises(ValueError, match="2 players"):
        RobustPolicy(0.1).find_markov(two)
    with pytest.raises((ValueError, TypeError), match="method"):
        RobustPolicy(0.1, method="guess")
    with pytest.raises(ValueError, match="broadcast to"):
        RobustPolicy(np.full(7, 0.1)).find_markov(random_game())
    with pytest.raises(ValueError, match="policy has shape"):
        robust_policy_value(random_game(), np.ones((2, 2)), Uncertainty(0.1))
    with pytest.raises(ValueError, match="sum to 1"):
        robust_policy_value(random_game(), np.ones((COUNT, 3)), Uncertainty(0.1))
