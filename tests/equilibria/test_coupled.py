"""The coupled actor-critic iteration with the exact model."""

from __future__ import annotations

import numpy as np
import pytest

import equipoise as eqp
from equipoise.equilibria import RQE, Coupling, coupled_iteration
from stationary_games import matching_pennies, random_discounted, two_state


@pytest.mark.parametrize("rule", ["entropy", "log_barrier"])
def test_values_of_matching_pennies_fall_by_a_known_factor(rule):
    """W6: policies stay uniform, and Q_t - Q* = (1 - alpha (1 - gamma))^t (Q_0 - Q*) exactly."""
    game, concept = matching_pennies(0.9), RQE(1.0, 0.5, regularizer=rule)
    found = coupled_iteration(game, concept, coupling=Coupling(0.2, 0.1), steps=60, marks=range(61))
    trail = found.details["trail"]
    np.testing.assert_allclose(trail.policies, 0.5, atol=1e-14)
    error = trail.values - eqp.solve(game, concept).values
    expected = error[0] * (1 - 0.2 * 0.1) ** np.arange(61)[:, None, None]
    np.testing.assert_allclose(error, expected, atol=1e-11)


@pytest.mark.parametrize(("penalty", "rule"), [("kl", "log_barrier"), ("reverse_kl", "entropy")])
def test_constant_steps_converge_linearly(penalty, rule):
    """P18: with a fast actor the factor per step tends to 1 - alpha (1 - gamma)."""
    game, concept = two_state(), RQE(1.0, 0.5, penalty=penalty, regularizer=rule)
    found = coupled_iteration(game, concept, coupling=Coupling(0.2, 0.2), steps=300)
    error = np.abs(found.details["trail"].values - eqp.solve(game, concept).values).max(axis=(1, 2))
    steps = found.details["trail"].steps
    rate = (error[90] / error[50]) ** (1.0 / (steps[90] - steps[50]))
    assert rate == pytest.approx(1 - 0.2 * 0.2, abs=2e-3)
    assert found.certificate.gap < 1e-3


def test_diminishing_steps_converge_as_their_inverse():
    game, concept = two_state(), RQE(1.0, 0.5, regularizer="log_barrier")
    found = coupled_iteration(
        game, concept, coupling=Coupling(0.5, 0.5, "diminishing"), steps=1200, marks=(300, 600, 1200)
    )
    error = np.abs(found.details["trail"].values - eqp.solve(game, concept).values).max(axis=(1, 2))
    # a = 2/(1 - gamma): the transient falls as 1/t^2, so at least at the rate 1/t.
    assert error[2] < 0.55 * error[1] < 0.55**2 * error[0]


def test_too_long_an_actor_step_is_halved():
    game, concept = random_discounted(2, (3, 3), 0.7, seed=3), RQE(1.0, 0.1)
    found = coupled_iteration(game, concept, coupling=Coupling(0.1, 20.0), steps=700)
    assert found.details["actor"] < 20.0
    kept = coupled_iteration(game, concept, coupling=Coupling(0.1, 20.0, halve=False), steps=400)
    assert kept.details["actor"] == 20.0
    assert found.certificate.gap < kept.certificate.gap


def test_neutral_players_have_no_adversary():
    """With a single averse player the other one learns a QRE response, and both settle."""
    game, concept = two_state(0.6), RQE((0.0, 1.0), 0.5)
    found = coupled_iteration(game, concept, coupling=Coupling(0.2, 0.3), steps=300)
    np.testing.assert_allclose(found.values, eqp.solve(game, concept).values, atol=1e-6)


def test_what_is_not_played():
    with pytest.raises(ValueError, match="form='aggregate'"):
        coupled_iteration(two_state(), RQE(1.0, 0.5, form="action_dependent"))
    with pytest.raises(ValueError, match=r"critic must be in \(0, 1\]"):
        Coupling(critic=1.5)
    with pytest.raises(ValueError, match="rising step numbers"):
        coupled_iteration(two_state(), RQE(1.0, 0.5), steps=10, marks=(5, 20))
