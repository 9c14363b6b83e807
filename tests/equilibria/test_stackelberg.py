import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.equilibria._solution import solve
from equipoise.equilibria.security import Security
from equipoise.equilibria.stackelberg import Stackelberg
from equipoise.games.normal_form import NormalFormGame

A_PAIR = np.array([[0.0, 0.0], [1.0, 0.0]])
PENNIES = np.array([[1.0, -1.0], [-1.0, 1.0]])


def value(game: NormalFormGame, **fields) -> float:
    return solve(game, Stackelberg(**fields)).details["value"]


def random_pair(seed: int, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape), rng.normal(size=shape)


def on_grid(A: np.ndarray, B: np.ndarray, margin: float, points: int = 20001) -> float:
    """Value for a leader with two actions: every commitment on a grid, and all indifference points."""
    p = np.linspace(0, 1, points)
    for j in range(B.shape[1]):
        for k in range(j):
            slope = (B[0, j] - B[1, j]) - (B[0, k] - B[1, k])
            for lead in (margin, -margin):
                p = np.append(p, (lead - (B[1, j] - B[1, k])) / slope)
    p = p[(p >= 0) & (p <= 1)]
    x = np.column_stack([p, 1 - p])
    replies = x @ B
    best = -np.inf
    for j in range(B.shape[1]):
        rivals = np.delete(replies, j, axis=1).max(axis=1, initial=-np.inf)
        fits = replies[:, j] - rivals >= margin - 1e-12
        best = max(best, np.max((x @ A[:, j])[fits], initial=-np.inf))
    return best


@pytest.mark.parametrize(
    ("follower", "share", "expected"), [(np.eye(2), 1 / 2, 1 / 2), (np.diag([3.0, 1.0]), 1 / 4, 3 / 4)]
)
def test_worked_pair(follower, share, expected):
    # L is a best reply exactly when P(U) is at least the share; the leader wants D as often as L survives.
    solution = solve(NormalFormGame([A_PAIR, follower]), Stackelberg())
    assert solution.details["value"] == pytest.approx(expected, abs=1e-12)
    np.testing.assert_allclose(solution.strategies[0], [share, 1 - share], atol=1e-12)
    np.testing.assert_array_equal(solution.strategies[1], [1, 0])
    assert solution.details["attainable"]
    # Against diag(b, 1) one unit of margin needs 1/(1 + b) more of U, and costs as much.
    np.testing.assert_allclose(solution.details["margin_duals"], [0, 1 / (1 + follower[0, 0])], atol=1e-12)
    margin = solve(NormalFormGame([A_PAIR, follower]), Stackelberg(margin=0.5))
    assert margin.details["value"] == pytest.approx(expected - 0.5 / (1 + follower[0, 0]), abs=1e-12)
    assert margin.values[0] == pytest.approx(margin.details["value"])


def test_commitment_beats_the_dominant_strategy():
    # Row 1 dominates, so the only Nash equilibrium gives 2; committing to (1/2, 1/2) buys the reply R: 3.5.
    game = NormalFormGame([[[2, 4], [1, 3]], [[1, 0], [0, 1]]])
    solution = solve(game, Stackelberg())
    assert solution.details["value"] == pytest.approx(3.5)
    np.testing.assert_allclose(solution.details["per_reply"], [2.0, 3.5], atol=1e-12)
    assert solution.certificate.nash_gap > 0.1


def test_value_that_hangs_on_ties_is_flagged():
    # Column R is only weakly best, and only at the top row: the leader's 5 there needs a favourable tie.
    game = NormalFormGame([[[0, 5], [1, 0]], [[1, 1], [1, 0]]])
    solution = solve(game, Stackelberg())
    assert solution.details["value"] == pytest.approx(5.0)
    assert not solution.details["attainable"]
    assert solution.details["attainable_value"] == pytest.approx(1.0)
    assert "hangs on ties" in solution.status
    assert value(game, margin=1e-3) == pytest.approx(1.0)


def test_identical_replies_allow_no_margin():
    game = NormalFormGame([[[1, 2], [3, 0]], [[1, 1], [0, 0]]])
    solution = solve(game, Stackelberg())
    assert solution.details["value"] == pytest.approx(3.0)
    assert solution.details["attainable_value"] == -np.inf
    with pytest.raises(ValueError, match=r"margin=0.1 rules out every reply.*more than 0"):
        Stackelberg(margin=0.1).find(game)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 4), st.sampled_from([0.0, 0.05, 0.3]))
def test_two_row_leaders_against_a_grid(seed, replies, margin):
    A, B = random_pair(seed, (2, replies))
    expected = on_grid(A, B, margin)
    if expected == -np.inf:
        with pytest.raises(ValueError, match="rules out every reply"):
            Stackelberg(margin=margin).find(NormalFormGame([A, B]))
        return
    solution = solve(NormalFormGame([A, B]), Stackelberg(margin=margin))
    assert solution.details["value"] == pytest.approx(expected, abs=1e-9)
    x, j = solution.strategies[0], solution.details["reply"]
    lead = x @ B[:, j] - np.max(np.delete(x @ B, j), initial=-np.inf)
    assert lead >= margin - 1e-9


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6))
def test_three_row_leaders_are_never_beaten_by_sampled_commitments(seed):
    A, B = random_pair(seed, (3, 4))
    solution = solve(NormalFormGame([A, B]), Stackelberg())
    commitment, reply = solution.strategies[0], solution.details["reply"]
    assert commitment @ B[:, reply] >= np.max(commitment @ B) - 1e-9
    assert commitment @ A[:, reply] == pytest.approx(solution.details["value"], abs=1e-12)
    x = np.random.default_rng(seed + 1).dirichlet(np.full(3, 0.7), size=2000)
    sampled = np.take_along_axis(x @ A, np.argmax(x @ B, axis=1)[:, None], axis=1)
    assert np.max(sampled) <= solution.details["value"] + 1e-9


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([(2, 3), (3, 3), (4, 2)]))
def test_invariances_and_monotonicity(seed, shape):
    rng = np.random.default_rng(seed)
    A, B = random_pair(seed, shape)
    base = value(NormalFormGame([A, B]))
    # The follower's best replies only depend on differences between its columns, up to scale.
    shifted = 2.5 * B + rng.normal(size=(shape[0], 1))
    assert value(NormalFormGame([A, shifted])) == pytest.approx(base, abs=1e-9)
    assert value(NormalFormGame([A + 3.0, B])) == pytest.approx(base + 3.0, abs=1e-9)
    rows, columns = rng.permutation(shape[0]), rng.permutation(shape[1])
    permuted = NormalFormGame([A[rows][:, columns], B[rows][:, columns]])
    assert value(permuted) == pytest.approx(base, abs=1e-9)
    assert value(NormalFormGame([B.T, A.T]), leader=1) == pytest.approx(base, abs=1e-9)
    widest = np.max(solve(NormalFormGame([A, B]), Stackelberg()).details["widths"])
    margins = np.linspace(0, 0.99 * widest, 4)
    values = [value(NormalFormGame([A, B]), margin=float(d)) for d in margins]
    assert np.all(np.diff(values) <= 1e-9)
    assert base >= solve(NormalFormGame([A, B]), Security()).values[0] - 1e-9


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6))
def test_zero_sum_commitment_is_worth_the_minimax_value(seed):
    A, _ = random_pair(seed, (3, 4))
    game = NormalFormGame([A, -A])
    for leader in (0, 1):
        assert value(game, leader=leader) == pytest.approx(solve(game, Security()).values[leader], abs=1e-8)


def test_matching_pennies():
    solution = solve(NormalFormGame([PENNIES, -PENNIES]), Stackelberg())
    assert solution.details["value"] == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(solution.strategies[0], [0.5, 0.5], atol=1e-12)


def test_helpful_errors():
    with pytest.raises(ValueError, match="leader must be 0 or 1, got 2"):
        Stackelberg(leader=2)
    with pytest.raises(ValueError, match=r"margin must be a finite number >= 0, got -0\.1"):
        Stackelberg(margin=-0.1)
    with pytest.raises(ValueError, match="two-player game, this one has 3"):
        Stackelberg().find(NormalFormGame(np.zeros((3, 2, 2, 2))))
