import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from equipoise.equilibria._linear_program import as_distribution, maximise_on_simplex


def test_without_constraints_the_best_corner_wins():
    program = maximise_on_simplex(np.array([1e6, 3e6, -2e6]))
    np.testing.assert_allclose(program.point, [0, 1, 0], atol=1e-12)
    assert program.value == program.bound == 3e6


def test_constraint_and_multiplier_by_hand():
    # Maximise p_1 with p_1 - p_2 <= 0.2: p = (0.6, 0.4); one more unit of limit moves p_1 by 1/2.
    program = maximise_on_simplex(np.array([1.0, 0.0]), constraints=np.array([[1.0, -1.0]]), limit=0.2)
    np.testing.assert_allclose(program.point, [0.6, 0.4], atol=1e-12)
    np.testing.assert_allclose(program.multipliers, [0.5], atol=1e-12)
    assert program.bound == pytest.approx(0.6, abs=1e-12)


def test_rescaling_a_constraint_changes_only_its_multiplier():
    linear, row = np.array([1.0, 0.0, 0.3]), np.array([[1.0, -2.0, 0.5]])
    plain = maximise_on_simplex(linear, constraints=row)
    scaled = maximise_on_simplex(linear, constraints=csr_array(1e7 * row))
    np.testing.assert_allclose(scaled.point, plain.point, atol=1e-12)
    np.testing.assert_allclose(scaled.multipliers * 1e7, plain.multipliers, atol=1e-12)


def test_no_feasible_point_is_reported():
    program = maximise_on_simplex(np.zeros(2), constraints=np.ones((1, 2)), limit=0.5)
    assert "infeasible" in program.message.lower()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 5))
def test_bound_holds_for_every_feasible_point_and_is_attained(seed, size, rows):
    rng = np.random.default_rng(seed)
    linear, worst_of = rng.normal(size=size), rng.normal(size=(rows, size))
    constraints = rng.normal(size=(2, size))
    limit = float(np.max(constraints @ np.full(size, 1 / size)))
    program = maximise_on_simplex(linear, worst_of=worst_of, constraints=constraints, limit=limit)
    assert program.message == ""
    assert np.max(constraints @ program.point) <= limit + 1e-9
    assert program.bound - program.value == pytest.approx(0.0, abs=1e-9)
    points = rng.dirichlet(np.ones(size), size=300)
    feasible = points[np.max(points @ constraints.T, axis=1) <= limit]
    values = feasible @ linear + np.min(feasible @ worst_of.T, axis=1)
    assert np.all(values <= program.bound + 1e-12)


def test_as_distribution():
    np.testing.assert_array_equal(as_distribution(np.array([3.0, -1e-12, 1.0])), [0.75, 0.0, 0.25])
    np.testing.assert_array_equal(as_distribution(np.zeros(2)), [0.5, 0.5])
