"""Implicit derivatives against central differences of whole solves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from equipoise.equilibria import QRE, RQE, Nash, solve
from equipoise.equilibria.derivatives import derivatives
from equipoise.games import NormalFormGame, random_game

TAU, EPS = (0.7, 1.3, 0.4), (0.6, 0.9, 0.8)
KINDS = [
    {},
    {"regularizer": "log_barrier"},
    {"penalty": "reverse_kl"},
    {"penalty": "reverse_kl", "regularizer": "log_barrier"},
    {"form": "action_dependent"},
    {"form": "action_dependent", "penalty": "reverse_kl"},
    {"joint_penalty": "marginals"},
    {"joint_penalty": "marginals", "regularizer": "log_barrier"},
]


def central(function, step):
    """Derivative of a tuple-of-arrays function at 0."""
    return [(a - b) / (2 * step) for a, b in zip(function(step), function(-step), strict=True)]


@pytest.mark.parametrize("shape", [(3, 2), (2, 3, 2)])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_all_derivatives_match_central_differences(shape, kind):
    rng = np.random.default_rng(3)
    n = len(shape)
    game = random_game(shape, rng)
    concept = RQE(TAU[:n], EPS[:n], **kind)
    found = derivatives(solve(game, concept))
    assert found.reliable
    # The smoothing of the sum-of-marginals adversary limits the accuracy of differences.
    loose = 1e-5 if "joint_penalty" in kind else 2e-6
    for i in range(n):
        for name, analytic in (
            ("risk_aversion", found.risk_aversion),
            ("bounded_rationality", found.bounded_rationality),
        ):

            def moved(h, name=name, i=i):
                values = list(getattr(concept, name))
                values[i] += h
                return solve(game, replace(concept, **{name: tuple(values)})).strategies

            for k, numeric in enumerate(central(moved, 1e-5)):
                np.testing.assert_allclose(analytic[k][i], numeric, atol=loose)
    direction = [rng.standard_normal(shape) for _ in range(n)]

    def shifted(h):
        payoffs = [r + h * d for r, d in zip(game.payoffs, direction, strict=True)]
        return solve(NormalFormGame(payoffs), concept).strategies

    for k, numeric in enumerate(central(shifted, 1e-5)):
        analytic = np.tensordot(found.payoffs[k], np.stack(direction), axes=n + 1)
        np.testing.assert_allclose(analytic, numeric, atol=loose)


def test_qre_moves_with_risk_aversion_from_zero():
    game = random_game((3, 3), np.random.default_rng(5))
    found = derivatives(solve(game, QRE(2.0)))
    ahead = solve(game, RQE((1e-4, 0.0), 0.5)).strategies
    here = solve(game, QRE(2.0)).strategies
    for k in range(2):
        np.testing.assert_allclose(found.risk_aversion[k][0], (ahead[k] - here[k]) / 1e-4, atol=1e-4)


def test_strategies_keep_summing_to_one():
    found = derivatives(solve(random_game((4, 3), np.random.default_rng(0)), RQE(1.0, 0.5)))
    for part in (*found.risk_aversion, *found.bounded_rationality):
        np.testing.assert_allclose(part.sum(axis=1), 0.0, atol=1e-12)
    for part in found.payoffs:
        np.testing.assert_allclose(part.sum(axis=0), 0.0, atol=1e-12)


def test_derivatives_blow_up_at_a_pitchfork_and_say_so():
    coordination = NormalFormGame([np.eye(2), np.eye(2)])
    near = derivatives(solve(coordination, QRE(2.0 * (1.0 - 1e-13))))
    assert not near.reliable
    assert derivatives(solve(coordination, QRE(1.0))).reliable


def test_what_cannot_be_differentiated_is_refused():
    game = random_game((2, 2), np.random.default_rng(0))
    with pytest.raises(TypeError, match="QRE or RQE"):
        derivatives(solve(game, Nash()))
    with pytest.raises(ValueError, match="l1"):
        derivatives(solve(game, RQE(1.0, 0.5, penalty="l1", form="action_dependent")))
    three = random_game((2, 2, 2), np.random.default_rng(0))
    with pytest.raises(ValueError, match="marginals"):
        derivatives(solve(three, RQE((1.0, 0.0, 1.0), 0.5, joint_penalty="marginals")))
