"""Every system of equations: derivatives against differences, and solutions against the definition."""

import numpy as np
import pytest

from equipoise.equilibria._branch import Rules, stack, system_for
from equipoise.equilibria._system import Parameters
from quantal_reference import product_of_others

RULES = [
    (Rules(), False),
    (Rules(), True),
    (Rules(regularizer="log_barrier"), False),
    (Rules(regularizer="log_barrier"), True),
    (Rules("reverse_kl"), True),
    (Rules("reverse_kl", "log_barrier"), True),
    (Rules("kl", "entropy", "action_dependent"), True),
    (Rules("kl", "log_barrier", "action_dependent"), True),
    (Rules("reverse_kl", "entropy", "action_dependent"), True),
    (Rules("reverse_kl", "log_barrier", "action_dependent"), True),
    (Rules(joint_penalty="marginals"), True),
    (Rules(regularizer="log_barrier", joint_penalty="marginals"), True),
]
NAMES = [f"{'-'.join(rules[:4])}{'' if averse else '-neutral'}" for rules, averse in RULES]


def problem(rules, averse, shape, *, some_neutral=False):
    """A system, parameters and a point, all at random, for three games."""
    rng = np.random.default_rng([*shape, *map(ord, "".join(rules[:4]))])
    players, games = len(shape), 3
    payoffs = [rng.standard_normal((games, *shape)) for _ in range(players)]
    tau = rng.uniform(0.5, 4.0, (games, players)) * averse
    if some_neutral:
        tau[:, 0] = 0.0
    batch = stack(payoffs, tau, rng.uniform(0.2, 1.0, (games, players)), rules)
    system = system_for(batch)
    at = Parameters(rng.uniform(0.2, 1.0, games), batch.tau, batch.eps, rng.uniform(0.05, 0.5, games))
    scaled = [rng.standard_normal((count, games)) - 3.0 for count in shape]
    x = system.pack(scaled, at)
    return system, at, x + 0.1 * rng.standard_normal(x.shape)


def difference(function, x, step=1e-6):
    """Central difference in direction `step`, which may be an array."""
    return (function(x + step) - function(x - step)) / (2.0 * np.abs(step).max())


@pytest.mark.parametrize(("rules", "averse"), RULES, ids=NAMES)
@pytest.mark.parametrize("shape", [(2, 3), (3, 2, 2)])
@pytest.mark.parametrize("some_neutral", [False, True])
def test_derivatives_are_those_of_the_residual(rules, averse, shape, some_neutral):
    system, at, x = problem(rules, averse, shape, some_neutral=some_neutral)
    evaluation = system.evaluate(x, at)
    np.testing.assert_allclose(evaluation.residual, system.residual(x, at), atol=1e-13)

    for column in range(system.unknowns):
        step = np.zeros_like(x)
        step[column] = 1e-6
        slope = difference(lambda v: system.residual(v, at), x, step)
        np.testing.assert_allclose(evaluation.jacobian[:, column], slope, atol=1e-7, rtol=1e-6)

    for field, derivative in [
        ("weight", evaluation.by_weight),
        ("kappa", evaluation.by_kappa),
        ("eps", evaluation.by_eps),
        ("tau", evaluation.by_tau),
    ]:
        value = getattr(at, field)
        if field == "tau" and not value.any():
            continue  # a neutral system has no adversary to differentiate
        step = 1e-6 * np.where(value > 0.0, 1.0, 0.0)  # of every player: each enters its own rows alone
        slope = difference(lambda v, f=field: system.residual(x, at._replace(**{f: v})), value, step)
        np.testing.assert_allclose(
            derivative * system.rows(np.sign(np.atleast_2d(value)) + np.zeros_like(at.tau)),
            slope,
            atol=1e-7,
            rtol=1e-6,
        )


@pytest.mark.parametrize(("rules", "averse"), RULES, ids=NAMES)
@pytest.mark.parametrize("shape", [(2, 3), (3, 2, 2)])
def test_uniform_play_solves_the_equations_at_the_start(rules, averse, shape):
    system, at, _ = problem(rules, averse, shape)
    at = at._replace(weight=np.zeros(3))
    x = system.start(at)
    assert np.abs(system.residual(x, at)).max() < 1e-10
    for response, count in zip(system.responses(x), shape, strict=True):
        np.testing.assert_allclose(response.strategy, 1.0 / count, rtol=1e-13)


@pytest.mark.parametrize(("rules", "averse"), RULES, ids=NAMES)
def test_selected_games_have_the_same_equations(rules, averse):
    system, at, x = problem(rules, averse, (3, 2, 2))
    chosen = np.array([2, 0])
    part = system.take(chosen).evaluate(x[:, chosen], at.take(chosen))
    for whole, piece in zip(system.evaluate(x, at), part, strict=True):
        np.testing.assert_allclose(whole[..., chosen], piece, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("rules", "averse"), RULES, ids=NAMES)
def test_packed_strategies_come_back(rules, averse):
    system, at, _ = problem(rules, averse, (2, 3))
    rng = np.random.default_rng(0)
    scaled = [rng.standard_normal((2, 3)), rng.standard_normal((3, 3))]
    x = system.pack(scaled, at)
    for response, z in zip(system.responses(x), scaled, strict=True):
        if rules.regularizer == "entropy":
            expected = np.exp(z) / np.exp(z).sum(axis=0)
            np.testing.assert_allclose(response.strategy, expected, rtol=1e-12)
        np.testing.assert_allclose(response.strategy.sum(axis=0), 1.0, rtol=1e-12)
        np.testing.assert_allclose(np.exp(response.log_strategy), response.strategy, rtol=1e-12)


@pytest.mark.parametrize("penalty", ["reverse_kl"])
def test_packed_adversaries_minimise(penalty):
    system, at, _ = problem(Rules(penalty), True, (3, 2, 2))
    rng = np.random.default_rng(1)
    x = system.pack([rng.standard_normal((count, 3)) for count in (3, 2, 2)], at)
    strategies = [r.strategy for r in system.responses(x)]
    for i, (own, block) in enumerate(zip(system.own, system.blocks, strict=True)):
        laws = np.exp(x[own.stop : block.stop - 1])
        for game in range(3):
            q = product_of_others([s[:, game] for s in strategies], i)
            costs = np.einsum("am,a->m", system.payoffs[i][..., game], strategies[i][:, game])
            p, tau = laws[:, game], at.tau[i, game]
            np.testing.assert_allclose(p.sum(), 1.0, rtol=1e-10)
            slack = tau * costs - q / p  # constant over outcomes at the minimum
            np.testing.assert_allclose(slack, slack[0], atol=1e-9)


@pytest.mark.parametrize(("rules", "averse"), RULES, ids=NAMES)
def test_change_along_payoffs_is_the_transpose_of_the_payoff_gradient(rules, averse):
    system, at, x = problem(rules, averse, (3, 2, 2))
    rng = np.random.default_rng(0)
    multipliers = rng.standard_normal(x.shape)
    changes = [rng.standard_normal(r.shape) for r in system.payoffs]
    forward = (multipliers * system.along_payoffs(x, at, changes)).sum(axis=0)
    gradients = system.payoff_gradient(x, at, multipliers)
    backward = -sum((g * c).sum(axis=(0, 1)) for g, c in zip(gradients, changes, strict=True))
    np.testing.assert_allclose(forward, backward, rtol=1e-10, atol=1e-12)
