"""Value iteration with stage equilibria."""

from __future__ import annotations

import numpy as np
import pytest

import equipoise as eqp
from equipoise.equilibria import RQE, stage_value_iteration
from stationary_games import matching_pennies, two_state

PAIRS = [("kl", "log_barrier"), ("reverse_kl", "entropy"), ("kl", "entropy")]


@pytest.mark.parametrize(("penalty", "rule"), PAIRS)
def test_contracts_by_the_discount_on_the_two_state_game(penalty, rule):
    """P17: the asymptotic ratio is the discount factor."""
    concept = RQE(1.0, 0.5, penalty=penalty, regularizer=rule)
    found = stage_value_iteration(two_state(0.5), concept)
    assert found.converged
    assert found.details["contraction"] == pytest.approx(0.5, abs=1e-3)
    np.testing.assert_allclose(found.values, eqp.solve(two_state(0.5), concept).values, atol=1e-8)
    assert "not certified" in found.status


def test_damping_slows_down_and_leads_to_the_same_place():
    concept = RQE(1.0, 0.5)
    whole, half = (stage_value_iteration(two_state(0.5), concept, damping=d) for d in (1.0, 0.5))
    assert half.converged
    assert half.iterations > 1.5 * whole.iterations
    assert half.details["contraction"] == pytest.approx(0.5 + 0.5 * 0.5, abs=1e-3)
    np.testing.assert_allclose(half.values, whole.values, atol=1e-8)


def test_strong_regularisation_certifies_the_contraction():
    game = matching_pennies(0.1)
    found = stage_value_iteration(game, RQE(200.0, 50.0, regularizer="log_barrier"))
    assert found.details["sufficient"] < 1.0
    assert found.details["contraction"] <= found.details["sufficient"]
    assert found.branch == "the equilibrium"


def test_stopping_early_is_flagged():
    found = stage_value_iteration(two_state(0.5), RQE(1.0, 0.5), max_sweeps=5)
    assert not found.converged
    assert "after 5 sweeps" in found.status
    assert found.certificate.gap < 1e-2  # play settles long before values do
    with pytest.raises(ValueError, match="damping must be in"):
        stage_value_iteration(two_state(0.5), RQE(1.0, 0.5), damping=0.0)
