"""How fast are worst cases in one call, beside a loop of calls and a linear program each?

python benchmarks/worst_cases.py [--markdown] [--cases 100000] [--states 100]
"""

from __future__ import annotations

from _measure import cpu_seconds, milliseconds, options, show, times

# isort: split
import numpy as np
from scipy.optimize import linprog

from equipoise.preferences import worst_case
from equipoise.reporting.tables import Table

CASES = {
    "tv": ("constrained", 0.2),
    "kl": ("constrained", 0.2),
    "kl ": ("penalised", 0.5),
    "chi2": ("constrained", 0.3),
}
LOOP = 200


def by_program(p: np.ndarray, v: np.ndarray, radius: float) -> float:
    """Total variation by HiGHS, in mass added and mass removed."""
    n = len(p)
    answer = linprog(
        np.concatenate([v, -v]),
        A_ub=[np.append(np.zeros(n), np.ones(n))],
        b_ub=[radius],
        A_eq=[np.append(np.ones(n), -np.ones(n))],
        b_eq=[0.0],
        bounds=[(0, None)] * n + [(0, mass) for mass in p],
    )
    return float(p @ v + answer.fun)


def main() -> None:
    given = options(__doc__ or "", cases=(100_000, "worst cases in one call"), states=(100, "states of each"))
    rng = np.random.default_rng(0)
    laws = rng.dirichlet(np.ones(given.states), given.cases)
    values = rng.random((given.cases, given.states))
    few = list(zip(laws[:LOOP], values[:LOOP], strict=True))
    rows = []
    for name, (form, level) in CASES.items():
        rule = name.strip()
        once, found = cpu_seconds(
            lambda r=rule, f=form, x=level: worst_case(laws, values, r, f, level=x).value, repetitions=1
        )
        loop, single = cpu_seconds(
            lambda r=rule, f=form, x=level: [worst_case(p, v, r, f, level=x).value for p, v in few],
            repetitions=1,
        )
        assert np.allclose(found[:LOOP], single)
        each = loop / LOOP
        program = None
        if rule == "tv":
            slow, exact = cpu_seconds(
                lambda x=level: [by_program(p, v, x) for p, v in few[:20]], repetitions=1
            )
            assert np.allclose(found[:20], exact)
            program = slow / 20
        per_case = once / given.cases
        rows.append(
            [
                rule,
                form,
                f"{once:.2f}",
                f"{1e6 * per_case:.1f}",
                milliseconds(each),
                times(each / per_case),
                None if program is None else milliseconds(program),
                None if program is None else times(program / per_case),
            ]
        )
    columns = [
        "divergence",
        "form",
        f"{given.cases} cases in one call, s",
        "per case, µs",
        "one call per case, ms",
        "ratio",
        "linear program, ms",
        "ratio ",
    ]
    caption = f"Worst cases over {given.states} states, CPU time of one thread"
    notes = ["The loop calls the same function case by case; the linear program is SciPy's HiGHS."]
    show([Table(columns, rows, caption)], notes, peers=(), markdown=given.markdown)


if __name__ == "__main__":
    main()
