"""Hypothesis strategies for laws, payoffs and divergences, and textbook formulas to hold answers against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from equipoise.preferences import (
    KL,
    L1,
    ChiSquare,
    CressieRead,
    CVaR,
    Divergence,
    ReverseKL,
    TotalVariation,
    WorstCase,
    worst_case,
)

RULES = (KL(), ReverseKL(), TotalVariation(), L1(), ChiSquare(), CressieRead(1.3), CressieRead(4.0), CVaR())
SMOOTH = (KL(), ReverseKL(), ChiSquare(), CressieRead(1.3), CressieRead(4.0))
FORMS = ("penalised", "constrained")


@dataclass(frozen=True)
class Problem:
    """A worst case to be found."""

    p: np.ndarray
    v: np.ndarray
    rule: Divergence
    form: str
    level: float
    support: str | None

    def solve(self, **changes: object) -> WorstCase:
        known = {"p": self.p, "v": self.v, "level": self.level, "support": self.support} | changes
        p, v = known.pop("p"), known.pop("v")
        return worst_case(p, v, self.rule, self.form, **known)

    @property
    def reach(self) -> np.ndarray:
        """Where the adversary may go."""
        free = self.rule.leaves_support and self.support != "ac"
        return np.full(self.p.shape, True) if free else self.p > 0

    @property
    def span(self) -> float:
        return float(self.v[self.p > 0].max() - self.v[self.reach].min())


@st.composite
def laws(draw: st.DrawFn, states: int) -> np.ndarray:
    """Probabilities with zeros and entries of very different sizes."""
    weight = st.one_of(st.just(0.0), st.floats(1e-3, 1), st.floats(-9, 0).map(lambda x: 10.0**x))
    weights = np.array(draw(st.lists(weight, min_size=states, max_size=states)))
    weights[draw(st.integers(0, states - 1))] += 0.5
    return weights / weights.sum()


@st.composite
def payoffs(draw: st.DrawFn, states: int) -> np.ndarray:
    """Payoffs with ties."""
    value = st.one_of(st.integers(-2, 2).map(float), st.floats(-3, 3).map(lambda x: round(x, 4)))
    return np.array(draw(st.lists(value, min_size=states, max_size=states)))


@st.composite
def levels(draw: st.DrawFn, rule: Divergence, form: str) -> float:
    """Levels from very averse to nearly neutral."""
    if isinstance(rule, CVaR):
        return draw(st.floats(0.01, 1.0))
    return 10.0 ** draw(st.floats(-3, 3) if form == "penalised" else st.floats(-6, 1))


@st.composite
def problems(
    draw: st.DrawFn,
    rules: tuple[Divergence, ...] = RULES,
    forms: tuple[str, ...] = FORMS,
    min_states: int = 1,
) -> Problem:
    states = draw(st.integers(min_states, 6))
    rule, form = draw(st.sampled_from(rules)), draw(st.sampled_from(forms))
    support = draw(st.sampled_from((None, "ac")))
    return Problem(draw(laws(states)), draw(payoffs(states)), rule, form, draw(levels(rule, form)), support)


def textbook_divergence(rule: Divergence, q: np.ndarray, p: np.ndarray) -> float:
    """D(q, p) straight from its definition; fine for numbers that are not extreme."""
    on = p > 0
    p_on, q_on, off = p[on], q[on], q[~on].sum()
    if isinstance(rule, TotalVariation):
        return rule.scale * np.abs(q - p).sum() / 2
    if isinstance(rule, ReverseKL):
        return float(np.sum(p_on * np.log(p_on / q_on))) if (q_on > 0).all() else np.inf
    if off > 0:
        return np.inf
    t = q_on / p_on
    if isinstance(rule, KL):
        return float(np.sum(q_on[t > 0] * np.log(t[t > 0])))
    if isinstance(rule, ChiSquare):
        return float(np.sum(p_on * (t - 1) ** 2))
    if isinstance(rule, CressieRead):
        k = rule.order
        return float(np.sum(p_on * (t**k - k * t + k - 1)) / (k * (k - 1)))
    return float(np.log(t.max()))


def textbook_conjugate(rule: Divergence, y: np.ndarray) -> np.ndarray:
    """phi*(y), phi normalised to phi'(1) = 0, from a table."""
    if isinstance(rule, TotalVariation):
        return rule.scale * np.maximum(y / rule.scale, -0.5)
    if isinstance(rule, KL):
        return np.exp(np.minimum(y, 700)) - 1
    if isinstance(rule, ReverseKL):
        return -np.log(np.maximum(1 - y, 1e-300))
    if isinstance(rule, ChiSquare):
        return np.where(y >= -2, y + y**2 / 4, -1)
    assert isinstance(rule, CressieRead)
    k = rule.order
    return (np.maximum((k - 1) * y + 1, 0) ** (k / (k - 1)) - 1) / k


def ball_radius(rule: Divergence, level: float) -> float:
    """The radius that a constrained level stands for."""
    return -np.log(level) if isinstance(rule, CVaR) else level
