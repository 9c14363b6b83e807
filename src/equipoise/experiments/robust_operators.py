"""Worst-case expectations against an independent optimiser: how exact, and how fast in one call.

The oracle maximises the dual objective `eta - lambda E phi*((eta - V)/lambda)` written out from the table of
conjugates, over eta and, for balls, over lambda, with SciPy's scalar search; total variation is a linear
program. It shares no code with the library.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.preferences import worst_case
from equipoise.preferences.worst_case import Form
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Vector = Float[np.ndarray, " states"]
ORDER = 3.0
CASES: dict[tuple[str, Form], float] = {
    ("tv", "constrained"): 0.2,
    ("tv", "penalised"): 0.3,
    ("kl", "constrained"): 0.2,
    ("kl", "penalised"): 0.3,
    ("chi2", "constrained"): 0.3,
    ("chi2", "penalised"): 0.3,
    ("cressie_read", "constrained"): 0.3,
    ("cressie_read", "penalised"): 0.3,
    ("cvar", "constrained"): 0.4,
}
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Settings:
    """How many and how large.

    Attributes:
        states: sizes of the random laws.
        cases: random cases of every kind and size that are compared with the oracle.
        batch: cases in the one call that is timed against a loop.
        seed: what they are drawn from.
    """

    states: tuple[int, ...] = (4, 16, 64, 256)
    cases: int = 5
    batch: int = 1000
    seed: int = 0


def run(settings: Settings, progress: Progress) -> Result:
    """Draw random laws and values, and compare.

    Args:
        settings: how many and how large.
        progress: told how far it is.

    Returns:
        Errors, residuals and times; the wrong formula that is in circulation for total variation.
    """
    rng = np.random.default_rng(settings.seed)
    rows: list[list[object]] = []
    times: dict[str, list[float]] = {}
    work = len(CASES) * len(settings.states)
    for (rule, form), level in CASES.items():
        order = ORDER if rule == "cressie_read" else None
        for count in settings.states:
            laws = rng.dirichlet(np.ones(count), settings.cases)
            values = rng.random((settings.cases, count))
            found = worst_case(laws, values, rule, form, level=level, order=order)
            exact = [oracle(p, v, rule, form, level) for p, v in zip(laws, values, strict=True)]
            many = rng.dirichlet(np.ones(count), settings.batch)
            other = rng.random((settings.batch, count))
            start = time.perf_counter()
            worst_case(many, other, rule, form, level=level, order=order)
            batched = (time.perf_counter() - start) / settings.batch
            start = time.perf_counter()
            for p, v in zip(many[:50], other[:50], strict=True):
                worst_case(p, v, rule, form, level=level, order=order)
            looped = (time.perf_counter() - start) / 50
            rows.append(
                [
                    rule,
                    form,
                    count,
                    float(np.max(np.abs(found.value - exact))),
                    float(np.max(np.abs(found.residual))),
                    1e6 * batched,
                    1e6 * looped,
                    looped / batched,
                ]
            )
            times.setdefault(f"{rule}, {form}", []).append(1e6 * batched)
            progress(len(rows) / work, f"operators: {rule}, {form}, {count} states")
    wrong = _wrong_formula(rng, settings)
    worst_error, worst_residual = (max(float(row[k]) for row in rows) for k in (3, 4))  # type: ignore[arg-type]
    gains = [float(row[7]) for row in rows]  # type: ignore[arg-type]
    return Result(
        answer=(
            f"Over {work * settings.cases} random cases the largest difference from an independent optimiser "
            f"is {worst_error:.1e}, the largest primal-dual residual {worst_residual:.1e}. One call for "
            f"{settings.batch} cases is {np.median(gains):.0f} times faster than a loop (median). The "
            "formula E V - sigma (max V - E V), which is in circulation for total variation, is off by "
            f"{wrong:.2f} on average for values in [0, 1] and radius {CASES['tv', 'constrained']}."
        ),
        tables={
            "operators": Table(
                [
                    "divergence",
                    "form",
                    "states",
                    "error",
                    "residual",
                    "µs per case, one call",
                    "µs per case, loop",
                    "ratio",
                ],
                rows,
                "Errors against an independent optimiser, and times (NumPy, float64)",
                digits=3,
            )
        },
        pictures={
            "operators": Picture(
                lambda: _figure(np.array(settings.states), times),
                f"Time of a worst case within one call for {settings.batch}, against the number of states.",
            )
        },
        claims=(
            Claim(
                "worst cases agree with convex programming to 1e-6",
                "ours",
                f"largest difference {worst_error:.1e}",
                bool(worst_error < _TOLERANCE),
            ),
            Claim(
                "the worst case of a total variation ball is E V - sigma (max V - E V)",
                "a formula in circulation",
                f"mean error {wrong:.3f}",
                bool(wrong < _TOLERANCE),
            ),
        ),
        certified=bool(worst_residual < _TOLERANCE),
    )


def oracle(p: Vector, v: Vector, rule: str, form: str, level: float) -> float:
    """The worst case by a linear program (total variation) or by scalar searches in the dual."""
    if rule == "tv":
        return _linear_program(p, v, form, level)
    low, high = float(v.min()), float(v.max())
    if rule == "cvar":
        return _maximum(lambda x: x - float(p @ np.maximum(x - v, 0.0)) / level, low, high)
    conjugate = _conjugate(rule)

    def penalised(weight: float) -> float:
        def dual(eta: float) -> float:
            return eta - weight * float(p @ conjugate((eta - v) / weight))

        return _maximum(dual, low, high)

    if form == "penalised":
        return penalised(level)
    return _maximum(lambda log: penalised(float(np.exp(log))) - float(np.exp(log)) * level, -9.0, 5.0)


def _conjugate(rule: str) -> Callable[[Vector], Vector]:
    """phi* of the divergence, phi normalised to phi'(1) = 0."""
    if rule == "kl":
        return lambda y: np.expm1(np.minimum(y, 700.0))
    if rule == "chi2":
        return lambda y: np.where(y >= -2, y + y**2 / 4, -1.0)
    k = ORDER
    return lambda y: (np.maximum((k - 1) * y + 1, 0.0) ** (k / (k - 1)) - 1) / k


def _maximum(function: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda x: -function(float(x)), bounds=(low, high), method="bounded", options={"xatol": 1e-11}
    )
    return max(-float(found.fun), function(low), function(high))


def _linear_program(p: Vector, v: Vector, form: str, level: float) -> float:
    """In mass added and removed: P = p + u - w, TV = sum of w, at most the radius or at a price."""
    from scipy.optimize import linprog

    n = len(p)
    price = level if form == "penalised" else 0.0
    answer = linprog(
        np.concatenate([v, price - v]),
        A_ub=None if form == "penalised" else [np.append(np.zeros(n), np.ones(n))],
        b_ub=None if form == "penalised" else [level],
        A_eq=[np.append(np.ones(n), -np.ones(n))],
        b_eq=[0.0],
        bounds=[(0, None)] * n + [(0, mass) for mass in p],
        method="highs",
    )
    return float(p @ v + answer.fun)


def _wrong_formula(rng: np.random.Generator, settings: Settings) -> float:
    count, sigma = settings.states[0], CASES["tv", "constrained"]
    laws, values = rng.dirichlet(np.ones(count), 1000), rng.random((1000, count))
    mean = (laws * values).sum(axis=1)
    wrong = mean - sigma * (values.max(axis=1) - mean)
    return float(np.abs(wrong - worst_case(laws, values, "tv", "constrained", level=sigma).value).mean())


def _figure(states: np.ndarray, times: dict[str, list[float]]) -> Figure:
    from equipoise.reporting.figures import convergence

    return convergence(
        {name: (states, np.array(t)) for name, t in times.items()},
        xlabel="states",
        ylabel="µs per worst case",
    )


EXPERIMENT = Experiment(
    name="robust-operators",
    question="How exact and how fast are worst-case expectations?",
    source="the operators of Shi et al. (2025), ICML, and Panaganti et al. (2024), ICML",
    laptop=Settings(),
    full=Settings((4, 16, 64, 256, 1000), cases=50, batch=20_000),
    run=run,
)
