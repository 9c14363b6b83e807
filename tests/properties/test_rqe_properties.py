"""What must hold of RQE in every game: invariances, floors, bounds, extremes and the 2x2 sign rule."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import brentq
from scipy.special import logsumexp

from equipoise.equilibria._solution import solve
from equipoise.equilibria.nash import Nash
from equipoise.equilibria.qre import QRE
from equipoise.equilibria.rqe import RQE
from equipoise.games import NormalFormGame
from quantal_reference import Reference, product_of_others

SMOOTH = [
    (penalty, regularizer, form, "joint")
    for penalty in ("kl", "reverse_kl")
    for regularizer in ("entropy", "log_barrier")
    for form in ("aggregate", "action_dependent")
]
KINDS = [
    *SMOOTH,
    ("l1", "entropy", "action_dependent", "joint"),
    ("l1", "log_barrier", "action_dependent", "joint"),
]
kinds = st.sampled_from(KINDS)


@st.composite
def payoff_tensors(draw, players=(2, 3), actions=(1, 3)):
    """Payoffs with ties, integers and fractions, up to three actions for up to three players."""
    n = draw(st.integers(*players))
    shape = tuple(draw(st.integers(*actions)) for _ in range(n))
    entry = st.one_of(st.integers(-2, 2).map(float), st.floats(-3.0, 3.0).map(lambda v: round(v, 3)))
    return draw(arrays(np.float64, (n, *shape), elements=entry))


def mild(draw, n):
    """Preferences for which play is unique in practice: noise a good part of the payoffs' size."""
    tau = tuple(draw(st.floats(0.05, 1.0)) for _ in range(n))
    return tau, tuple(draw(st.floats(2.5, 6.0)) for _ in range(n))


@st.composite
def mild_problems(draw, kinds=kinds, **shape):
    # Concepts are made in the tests: the run-time type checker draws random numbers of its own.
    payoffs = draw(payoff_tensors(**shape))
    return payoffs, (*mild(draw, len(payoffs)), *draw(kinds))


def assert_same(first, second, atol=1e-9):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a, b, atol=atol)


@given(mild_problems(), st.floats(-4, 4), st.floats(-5, 5))
def test_units_of_payoff(problem, log_scale, shift):
    payoffs, concept = problem[0], RQE(*problem[1])
    scale = 10.0**log_scale
    base = solve(NormalFormGame(payoffs), concept)
    moved = solve(
        NormalFormGame(scale * payoffs + scale * shift),
        RQE(
            tuple(t / scale for t in concept.risk_aversion),
            tuple(e * scale for e in concept.bounded_rationality),
            concept.penalty,
            concept.regularizer,
            concept.form,
        ),
    )
    assert_same(base.strategies, moved.strategies, 1e-8)
    np.testing.assert_allclose(moved.values / scale, base.values + shift, atol=1e-8)


@given(mild_problems(), st.data())
def test_order_of_actions_and_players(problem, data):
    payoffs, concept = problem[0], RQE(*problem[1])
    n = len(payoffs)
    game = NormalFormGame(payoffs)
    base = solve(game, concept).strategies
    player = data.draw(st.integers(0, n - 1))
    order = data.draw(st.permutations(range(game.num_actions[player])))
    shuffled = solve(game.permute_actions(player, order), concept).strategies
    assert_same([s[list(order)] if i == player else s for i, s in enumerate(base)], shuffled)
    seats = data.draw(st.permutations(range(n)))
    moved = RQE(
        tuple(concept.risk_aversion[k] for k in seats),
        tuple(concept.bounded_rationality[k] for k in seats),
        concept.penalty,
        concept.regularizer,
        concept.form,
    )
    assert_same([base[k] for k in seats], solve(game.permute_players(seats), moved).strategies)


@given(mild_problems(players=(2, 2), actions=(2, 3), kinds=st.sampled_from(SMOOTH)), st.data())
def test_payoffs_from_the_opponents_action_alone_tilt_the_adversary(problem, data):
    payoffs, concept = problem[0], RQE(*problem[1])
    added = np.array(
        data.draw(st.lists(st.floats(-2, 2), min_size=payoffs.shape[2], max_size=payoffs.shape[2]))
    )
    changed = payoffs.copy()
    changed[0] += added
    neutral = QRE(0.4)
    game, moved = NormalFormGame(payoffs), NormalFormGame(changed)
    assert_same(solve(game, neutral).strategies, solve(moved, neutral).strategies)
    solution = solve(moved, concept)
    if concept.penalty != "kl":
        return
    # Against the KL adversary g(b) acts as the tilted reference law q exp(-tau g).
    tau = concept.risk_aversion[0]
    logits = np.log(solution.strategies[1]) - tau * added
    tilted = np.exp(logits - logsumexp(logits))
    seen = Reference.of(game, concept, [solution.strategies[0], tilted], 0)
    np.testing.assert_allclose(seen.best()[1], solution.strategies[0], atol=1e-6)


def test_payoffs_from_the_opponents_action_alone_change_rqe_but_not_nash():
    pennies = np.array([[[1.0, -1.0], [-1.0, 1.0]], [[-1.0, 1.0], [1.0, -1.0]]])
    changed = pennies.copy()
    changed[0] += [0.0, 1.0]
    assert_same(
        solve(NormalFormGame(pennies), Nash()).strategies, solve(NormalFormGame(changed), Nash()).strategies
    )
    moved = solve(NormalFormGame(changed), RQE(1.0, 0.3)).strategies
    assert max(abs(s[0] - 0.5) for s in moved) > 1e-2


@given(payoff_tensors(), kinds, st.floats(-2, 2), st.floats(-1.5, 1))
def test_strategies_stay_above_their_floors(payoffs, kind, log_tau, log_eps):
    eps = 10.0**log_eps
    game = NormalFormGame(payoffs)
    solution = RQE(10.0**log_tau, eps, *kind).find(game)
    assume(solution.converged)
    for i, strategy in enumerate(solution.strategies):
        count, spread = len(strategy), np.ptp(payoffs[i])
        floor = np.exp(-spread / eps) / count if kind[1] == "entropy" else eps / (count * eps + spread)
        assert strategy.min() >= floor * (1.0 - 1e-9)
        np.testing.assert_allclose(strategy.sum(), 1.0, atol=1e-12)


@given(payoff_tensors(), st.sampled_from(SMOOTH), st.floats(-2, 2), st.floats(-1.5, 1))
def test_adversaries_stay_above_their_floors_and_answer_the_strategies(payoffs, kind, log_tau, log_eps):
    assume(kind[2] == "aggregate")
    tau = 10.0**log_tau
    game = NormalFormGame(payoffs)
    solution = RQE(tau, 10.0**log_eps, *kind).find(game)
    assume(solution.converged)
    for i, law in enumerate(solution.details["adversaries"]):
        q = product_of_others(solution.strategies, i)
        costs = solution.strategies[i] @ game.own_first(i)
        reach = tau * np.ptp(costs)
        floor = q * np.exp(-reach) if kind[0] == "kl" else q / (1.0 + reach)
        assert (law >= floor * (1.0 - 1e-6) - 1e-12).all()
        np.testing.assert_allclose(law.sum(), 1.0, atol=1e-9)


@given(mild_problems())
def test_the_certificate_encloses_a_gap_of_nothing(problem):
    payoffs, concept = problem[0], RQE(*problem[1])
    certificate = solve(NormalFormGame(payoffs), concept).certificate
    assert 0.0 <= certificate.lower <= certificate.gap < 1e-10
    np.testing.assert_allclose(certificate.gap_per_player.sum(), certificate.gap)
    assert certificate.nash_gap >= 0.0


@settings(max_examples=80)
@given(
    payoff_tensors(),
    st.sampled_from([*KINDS, ("kl", "log_barrier", "aggregate", "marginals")]),
    st.sampled_from([0.0, 1e-6, 1e-3, 1.0, 30.0, 1e3]),
    st.sampled_from([1e-3, 1e-2, 0.3, 1.0, 1e3]),
)
def test_extremes_are_solved_or_flagged_and_never_nan(payoffs, kind, tau, eps):
    spread = max(np.ptp(p) for p in payoffs) or 1.0
    game = NormalFormGame(payoffs / spread)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        solution = RQE(tau, eps, *kind).find(game)
    numbers = [*solution.strategies, solution.values, solution.certificate.gap_per_player]
    assert all(np.isfinite(part).all() for part in numbers)
    assert np.isfinite(solution.residual)
    if solution.converged:
        assert solution.certificate.gap < 3e-8
    else:
        assert "not converged" in solution.status


@given(mild_problems(kinds=st.sampled_from(SMOOTH)))
def test_index_of_a_lone_equilibrium_is_one(problem):
    payoffs, concept = problem[0], RQE(*problem[1])
    assert solve(NormalFormGame(payoffs), concept).details["index"] == 1


@given(
    arrays(np.float64, (2, 2, 2), elements=st.floats(-1, 1).map(lambda v: round(v, 3))),
    st.floats(-1, 2),
    st.floats(-2, 0),
)
def test_interactions_of_opposite_signs_leave_one_equilibrium(payoffs, log_tau, log_eps):
    interactions = payoffs[:, 0, 0] - payoffs[:, 0, 1] - payoffs[:, 1, 0] + payoffs[:, 1, 1]
    assume(interactions[0] * interactions[1] < -1e-3)
    tau, eps = 10.0**log_tau, 10.0**log_eps
    matrices = [payoffs[0], payoffs[1].T]

    def response(matrix, odds):
        """Log-odds of the KL, entropy best response to an opponent with the given log-odds."""
        log_q = -np.logaddexp(0.0, [-odds, odds])

        def excess(own):
            weights = log_q - tau * (np.exp(-np.logaddexp(0.0, [-own, own])) @ matrix)
            p = np.exp(weights - logsumexp(weights))
            return (matrix[0] - matrix[1]) @ p - eps * own

        edge = np.abs(matrix[0] - matrix[1]).max() / eps + 1.0
        return brentq(excess, -edge, edge, xtol=1e-13)

    grid = np.linspace(-2.0 / eps - 2.0, 2.0 / eps + 2.0, 81)
    twice = np.array([response(matrices[0], response(matrices[1], x)) - x for x in grid])
    assert (np.diff(twice + grid) <= 1e-7 * (1.0 + np.abs(grid[1:]))).all()  # falling: one crossing only
    solution = RQE(tau, eps).find(NormalFormGame(payoffs))
    assert solution.converged
    assert "sign rule" in solution.status
    if solution.strategies[0].min() > 0.0:
        first = np.log(solution.strategies[0][0]) - np.log(solution.strategies[0][1])
        again = response(matrices[0], response(matrices[1], first))
        np.testing.assert_allclose(again, first, atol=1e-6 / eps)


@pytest.mark.parametrize("kind", SMOOTH)
def test_more_risk_aversion_lowers_every_value_at_fixed_play_of_the_others(kind):
    rng = np.random.default_rng(3)
    payoffs = rng.standard_normal((2, 3, 3))
    others = [rng.dirichlet(np.ones(3)) for _ in range(2)]
    best = [
        Reference.of(NormalFormGame(payoffs), RQE(tau, 0.5, *kind), others, 0).best()[0]
        for tau in (0.01, 0.1, 1.0, 10.0)
    ]
    assert (np.diff(best) < 0.0).all()
