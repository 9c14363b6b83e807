from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from equipoise.equilibria._solution import solve
from equipoise.equilibria.correlated import (
    CoarseCorrelatedEquilibrium,
    CorrelatedEquilibrium,
    correlated_gains,
)
from equipoise.games.normal_form import NormalFormGame

CHICKEN = NormalFormGame([[[0, 7], [2, 6]], [[0, 2], [7, 6]]])  # dare, chicken
SHAPES = st.sampled_from([(2, 2), (3, 4), (2, 2, 2), (3, 2, 2), (1, 3), (3,)])


def random_game(seed: int, shape: tuple[int, ...]) -> NormalFormGame:
    return NormalFormGame(np.random.default_rng(seed).normal(size=(len(shape), *shape)))


def gains_written_out(game: NormalFormGame, joint: np.ndarray, *, recommended: bool) -> list[float]:
    """Best gain over all maps from recommended to played actions (constant maps only for the coarse kind)."""
    result = []
    for i, count in enumerate(game.num_actions):
        maps = product(range(count), repeat=count) if recommended else [(b,) * count for b in range(count)]
        best = max(
            sum(
                joint[cell]
                * (game.payoffs[i][(*cell[:i], change[cell[i]], *cell[i + 1 :])] - game.payoffs[i][cell])
                for cell in product(*map(range, game.num_actions))
            )
            for change in maps
        )
        result.append(max(best, 0.0))
    return result


def test_chicken_has_the_known_optimum():
    # Half the mass on (chicken, chicken), a quarter on each mixed cell: 5.25 each, above any Nash welfare.
    solution = solve(CHICKEN, CorrelatedEquilibrium())
    np.testing.assert_allclose(solution.joint, [[0, 0.25], [0.25, 0.5]], atol=1e-9)
    np.testing.assert_allclose(solution.values, [5.25, 5.25], atol=1e-9)
    np.testing.assert_allclose(solution.strategies[0], [0.25, 0.75], atol=1e-9)
    assert solution.details["objective"] == pytest.approx(10.5)


def test_strict_dominance_leaves_one_correlated_equilibrium():
    dilemma = NormalFormGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
    for concept in [
        CorrelatedEquilibrium(),
        CorrelatedEquilibrium("egalitarian"),
        CorrelatedEquilibrium("any"),
    ]:
        solution = solve(dilemma, concept)
        np.testing.assert_allclose(solution.joint, [[0, 0], [0, 1]], atol=1e-9)


def test_coarse_equilibria_can_use_strictly_dominated_actions():
    # Moulin and Vial (1978): commitment before the advice lets a law mix in outcomes no one would follow.
    matrix = np.array([[0.0, 1.0, -1.0], [-1.0, 0.0, 1.0], [1.0, -1.0, 0.0]])
    game = NormalFormGame([matrix - np.eye(3) * 0.1, -matrix - np.eye(3) * 0.1])
    coarse = solve(game, CoarseCorrelatedEquilibrium(sense="minimise"))
    fine = solve(game, CorrelatedEquilibrium(sense="minimise"))
    assert coarse.details["objective"] <= fine.details["objective"] + 1e-9
    assert correlated_gains(game, coarse.joint, recommended=False).max() < 1e-9


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), SHAPES, st.booleans())
def test_gains_equal_the_best_map_written_out(seed, shape, recommended):
    game = random_game(seed, shape)
    joint = np.random.default_rng(seed + 1).dirichlet(np.ones(np.prod(shape))).reshape(shape)
    np.testing.assert_allclose(
        correlated_gains(game, joint, recommended=recommended),
        gains_written_out(game, joint, recommended=recommended),
        atol=1e-12,
    )


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), SHAPES)
def test_solutions_are_equilibria_and_coarse_ones_are_no_worse(seed, shape):
    game = random_game(seed, shape)
    weights = np.random.default_rng(seed + 2).normal(size=shape)
    for objective in ["welfare", "egalitarian", 0, weights]:
        fine = solve(game, CorrelatedEquilibrium(objective))
        coarse = solve(game, CoarseCorrelatedEquilibrium(objective))
        assert fine.joint.sum() == pytest.approx(1.0)
        assert fine.joint.min() >= 0
        assert max(gains_written_out(game, fine.joint, recommended=True)) < 1e-9
        assert max(gains_written_out(game, coarse.joint, recommended=False)) < 1e-9
        assert coarse.details["objective"] >= fine.details["objective"] - 1e-8
        for solution in (fine, coarse):
            assert solution.details["objective_bound"] >= solution.details["objective"] - 1e-8


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6))
def test_optimum_equals_a_dense_program_written_independently(seed):
    game = random_game(seed, (3, 3))
    rows = []
    for i, (a, b) in product(range(2), product(range(3), range(3))):
        row = np.zeros((3, 3))
        for c in range(3):
            told, instead = ((a, c), (b, c)) if i == 0 else ((c, a), (c, b))
            row[told] = game.payoffs[i][told] - game.payoffs[i][instead]
        rows.append(row.ravel())
    welfare = (game.payoffs[0] + game.payoffs[1]).ravel()
    for sense, sign in [("maximise", -1.0), ("minimise", 1.0)]:
        answer = linprog(
            sign * welfare, A_ub=-np.array(rows), b_ub=np.zeros(18), A_eq=np.ones((1, 9)), b_eq=[1]
        )
        ours = solve(game, CorrelatedEquilibrium(sense=sense))
        assert ours.details["objective"] == pytest.approx(sign * answer.fun, abs=1e-7)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6))
def test_zero_sum_correlated_values_are_the_minimax_values(seed):
    matrix = np.random.default_rng(seed).normal(size=(3, 4))
    game = NormalFormGame([matrix, -matrix])
    best, worst = (solve(game, CorrelatedEquilibrium(0, sense)) for sense in ("maximise", "minimise"))
    assert best.values[0] == pytest.approx(worst.values[0], abs=1e-8)


def test_weights_and_joint_tensor_state_the_same_objective():
    game = random_game(5, (3, 3))
    weights = np.array([0.3, 2.0])
    by_player = solve(game, CorrelatedEquilibrium(weights))
    by_cell = solve(game, CorrelatedEquilibrium(0.3 * game.payoffs[0] + 2.0 * game.payoffs[1]))
    assert by_player.details["objective"] == pytest.approx(by_cell.details["objective"], abs=1e-9)
    assert weights @ by_player.values == pytest.approx(by_player.details["objective"], abs=1e-9)


def test_payoff_units_do_not_matter():
    game = random_game(11, (3, 3, 2))
    plain = solve(game, CorrelatedEquilibrium(1))
    scaled = solve(game.scaled([1e6, 1e-4, 3.0], [1.0, -2.0, 1e3]), CorrelatedEquilibrium(1))
    assert scaled.values[1] == pytest.approx(plain.values[1] * 1e-4 - 2.0, rel=1e-9)


@pytest.mark.parametrize("kind", [CorrelatedEquilibrium, CoarseCorrelatedEquilibrium])
def test_helpful_errors(kind):
    with pytest.raises(ValueError, match="objective must be one of 'welfare'"):
        kind("fairness")
    with pytest.raises(ValueError, match="can only be maximised"):
        kind("egalitarian", "minimise")
    with pytest.raises(ValueError, match="numbered from 0"):
        kind(-1)
    with pytest.raises(ValueError, match=r"objective\[1\] is nan"):
        kind(np.array([0.0, np.nan]))
    with pytest.raises(ValueError, match="names a player from 0, but the game has 2"):
        kind(2).find(CHICKEN)
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        kind(np.ones(3)).find(CHICKEN)
