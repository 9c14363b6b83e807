"""The same functions on JAX arrays: equal to NumPy, compiled, batched and differentiated."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.preferences import (
    KL,
    LOG_BARRIER,
    NEGATIVE_ENTROPY,
    SQUARED_NORM,
    ChiSquare,
    CressieRead,
    CVaR,
    ReverseKL,
    TotalVariation,
    worst_case,
)
from law_strategies import RULES

jax = pytest.importorskip("jax")
jnp = jax.numpy

RNG = np.random.default_rng(0)
P, V = RNG.dirichlet(np.ones(4), size=3), RNG.normal(size=(3, 4))
LEVEL = np.array([0.1, 0.3, 0.05])

# Compilation of the iterative ones takes seconds each: one of each kind in every run, all in the full run.
QUICK = [
    (KL(), "penalised"),
    (KL(), "constrained"),
    (TotalVariation(), "penalised"),
    (ChiSquare(), "constrained"),
    (ReverseKL(), "penalised"),
]
SLOW = [(rule, form) for rule in RULES for form in ("penalised", "constrained") if (rule, form) not in QUICK]


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize(
    ("rule", "form"),
    [*QUICK, *(pytest.param(*case, marks=pytest.mark.slow) for case in SLOW)],
    ids=lambda x: x if isinstance(x, str) else x.name,
)
def test_compiled_batched_and_differentiated(rule, form):
    @jax.jit
    @jax.vmap
    def everything(p, v, level):
        def value(p, v, level):
            answer = worst_case(p, v, rule, form, level=level)
            return answer.value, answer

        (_, answer), slopes = jax.value_and_grad(value, argnums=(0, 1, 2), has_aux=True)(p, v, level)
        return answer, slopes

    answer, (in_p, in_v, in_level) = everything(*map(jnp.asarray, (P, V, LEVEL)))
    expected = worst_case(P, V, rule, form, level=LEVEL)
    for name, ours, theirs in zip(expected._fields, answer, expected, strict=True):
        assert ours.dtype == jnp.float64
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(in_v, expected.kernel, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(in_p, expected.gradient_p, rtol=1e-9, atol=1e-12)
    if isinstance(rule, CVaR):
        slope = expected.penalty / LEVEL
    else:
        slope = expected.distance if form == "penalised" else -expected.penalty
    np.testing.assert_allclose(in_level, slope, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("rule", "form"),
    [
        (KL(), "penalised"),
        pytest.param(KL(), "constrained", marks=pytest.mark.slow),
        pytest.param(ReverseKL(), "penalised", marks=pytest.mark.slow),
        pytest.param(ChiSquare(), "constrained", marks=pytest.mark.slow),
        pytest.param(CressieRead(3.0), "penalised", marks=pytest.mark.slow),
        pytest.param(CressieRead(1.5), "constrained", marks=pytest.mark.slow),
    ],
    ids=lambda x: x if isinstance(x, str) else x.name,
)
def test_kernels_can_be_differentiated_too(rule, form):
    def kernel(v):
        return worst_case(jnp.asarray(P[0]), v, rule, form, level=LEVEL[0]).kernel

    def numerical(i, step=1e-6):
        shift = step * np.eye(4)[i]
        above, below = (
            worst_case(P[0], V[0] + s, rule, form, level=LEVEL[0]).kernel for s in (shift, -shift)
        )
        return (above - below) / (2 * step)

    jacobian = jax.jit(jax.jacrev(kernel))(jnp.asarray(V[0]))
    expected = np.stack([numerical(i) for i in range(4)], axis=-1)
    np.testing.assert_allclose(jacobian, expected, atol=1e-7)
    hessian = jax.jit(
        jax.hessian(lambda v: worst_case(jnp.asarray(P[0]), v, rule, form, level=LEVEL[0]).value)
    )(jnp.asarray(V[0]))
    np.testing.assert_allclose(hessian, expected, atol=1e-7)


@pytest.mark.parametrize("rule", [KL(), TotalVariation()], ids=lambda rule: rule.name)
def test_no_derivative_is_nan_at_the_limits(rule):
    """Neutral, collapsed and constant problems, and states without mass."""
    p = jnp.array([[0.0, 0.4, 0.6], [0.3, 0.3, 0.4], [0.3, 0.3, 0.4], [1.0, 0.0, 0.0]])
    v = jnp.array([[-50.0, 1.0, 2.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0], [1.0, 2.0, 0.0]])

    for form, levels in (("penalised", (0.0, 0.5, jnp.inf)), ("constrained", (0.0, 0.5, 1e3))):

        @jax.jit
        def slopes(p, v, level, form=form):
            return jax.grad(
                lambda p, v, level: worst_case(p, v, rule, form, level=level).value.sum(), argnums=(0, 1, 2)
            )(p, v, level)

        for level in levels:
            for slope in slopes(p, v, jnp.full(4, level)):
                assert not jnp.isnan(slope).any()


def test_single_precision():
    with jax.enable_x64(False):
        answer = worst_case(jnp.asarray(P), jnp.asarray(V), "kl", "constrained", level=0.1)
    assert answer.value.dtype == jnp.float32
    expected = worst_case(P, V, "kl", "constrained", level=0.1)
    np.testing.assert_allclose(answer.value, expected.value, rtol=1e-5)
    np.testing.assert_allclose(answer.kernel, expected.kernel, rtol=1e-3)


@pytest.mark.parametrize("nu", [NEGATIVE_ENTROPY, LOG_BARRIER, SQUARED_NORM], ids=lambda nu: nu.name)
def test_responses(nu):
    u, eps = V[0], 0.7

    @jax.jit
    def everything(u):
        return (
            nu.respond(u, eps),
            jax.jacfwd(lambda u: nu.respond(u, eps))(u),
            *jax.value_and_grad(lambda u: nu.maximum(u, eps))(u),
        )

    pi, jacobian, best, slope = everything(jnp.asarray(u))
    np.testing.assert_allclose(pi, nu.respond(u, eps), atol=1e-12)
    np.testing.assert_allclose(best, nu.maximum(u, eps), atol=1e-12)
    np.testing.assert_allclose(slope, pi, atol=1e-12)
    step = 1e-6
    columns = [
        (nu.respond(u + step * e, eps) - nu.respond(u - step * e, eps)) / (2 * step) for e in np.eye(4)
    ]
    np.testing.assert_allclose(jacobian, np.stack(columns, axis=-1), atol=1e-7)
    np.testing.assert_allclose(nu.value(pi), nu.value(np.asarray(pi)), atol=1e-12)
    np.testing.assert_allclose(nu.gradient(pi), nu.gradient(np.asarray(pi)), atol=1e-12)


def test_divergences_and_log_responses():
    for rule in RULES:
        np.testing.assert_allclose(rule.value(jnp.asarray(P[0]), jnp.asarray(P[1])), rule.value(P[0], P[1]))
    np.testing.assert_allclose(
        NEGATIVE_ENTROPY.log_respond(jnp.asarray(V[0]), 0.3), NEGATIVE_ENTROPY.log_respond(V[0], 0.3)
    )
