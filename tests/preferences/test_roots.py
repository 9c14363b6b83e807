"""The safeguarded root finder, on functions that Newton's method alone gets wrong."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from equipoise.preferences._roots import positive_root


def test_roots_of_very_different_sizes_in_one_batch():
    target = 10.0 ** np.array([-250.0, -9.0, 0.0, 3.5, 200.0])

    def function(x, parameters):
        return np.log(x) - np.log(parameters[0]), np.ones_like(x)

    root = positive_root(np, function, (target,), np.full(5, 1e-300), np.full(5, 1e300), np.ones(5))
    np.testing.assert_allclose(root, target, rtol=1e-13)


@pytest.mark.parametrize("power", [0.05, 0.5, 1.0, 6.0])
def test_kinks_and_flat_stretches(power):
    """A power of x - 1 that is cut off below 1, on top of a slow logarithm."""

    def function(x, parameters):
        above = np.maximum(x - 1, 0)
        f = np.sign(above) * above**power + 1e-3 * np.log(x) - parameters[0]
        slope = np.where(above > 0, power * x * np.where(above > 0, above, 1.0) ** (power - 1), 0) + 1e-3
        return f, slope

    targets = np.array([-5e-3, -1e-4, 0.3, 2.0])
    with np.errstate(over="ignore"):
        root = positive_root(np, function, (targets,), np.full(4, 1e-3), np.full(4, 1e50), np.full(4, 1e20))
    for x, target in zip(root, targets, strict=True):
        exact = brentq(lambda z, t=target: function(np.exp(z), (t,))[0], -7, 115, xtol=1e-14, maxiter=1000)
        assert x == pytest.approx(np.exp(exact), rel=1e-9)


def test_root_at_an_end_and_members_without_one():
    def function(x, parameters):
        return np.log(x) + parameters[0], np.ones_like(x)

    with np.errstate(invalid="ignore"):
        root = positive_root(
            np, function, (np.array([0.0, np.nan]),), np.ones(2), np.array([1.0, 4.0]), np.ones(2)
        )
    assert root[0] == 1.0
    assert np.isfinite(root[1])
