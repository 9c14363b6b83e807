"""Choosing the array namespace, and loops in both of them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from equipoise._arrays import namespace, repeat, stop_gradient


def test_numpy_is_the_default_and_jax_is_not_imported():
    assert namespace(np.ones(2), 1.0, [1, 2]) is np
    code = (
        "import sys, numpy as np; from equipoise._arrays import namespace; namespace(np.ones(1)); "
        "assert 'jax' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_jax_arrays_and_tracers_call_for_jax():
    jax = pytest.importorskip("jax")
    assert namespace(np.ones(2), jax.numpy.ones(2)) is jax.numpy
    seen = []
    jax.jit(lambda x: seen.append(namespace(x)) or x)(np.ones(2))
    assert seen == [jax.numpy]


@pytest.mark.parametrize("library", ["numpy", "jax.numpy"])
def test_repeat(library):
    xp = np if library == "numpy" else pytest.importorskip("jax").numpy

    def halve(state):
        x, count = state
        return x / 2, count + 1

    init = (xp.asarray([8.0, 1.0]), xp.asarray(0))
    x, count = repeat(xp, 3, halve, init)
    np.testing.assert_allclose(x, [1.0, 0.125])
    assert count == 3
    x, count = repeat(xp, 100, halve, init, until=lambda state: (state[0] <= 2).all())
    assert count == 2
    _, count = repeat(xp, 4, halve, init, until=lambda state: (state[0] <= 0).all())
    assert count == 4
    _, count = repeat(xp, 0, halve, init)
    assert count == 0


def test_stop_gradient():
    jax = pytest.importorskip("jax")
    x = np.ones(2)
    assert stop_gradient(np, x) is x
    slope = jax.grad(lambda x: (x * stop_gradient(jax.numpy, x)).sum())(jax.numpy.array([3.0]))
    assert slope == 3.0
    first, second = stop_gradient(jax.numpy, (jax.numpy.ones(1), jax.numpy.zeros(2)))
    assert first.shape == (1,)
    assert second.shape == (2,)
