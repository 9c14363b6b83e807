"""The fair test: does RQE with common parameters predict how people play games it was not fitted to?

The published fits of RQE have four parameters per game. Here every concept has at most two, the same for all
games and both roles, and is judged on games left out of the fit: one game at a time, one half of the twelve
Selten-Chmura games from the other, and four games of other experiments. The rivals are those of Selten and
Chmura (2008) and Brunner, Camerer and Goeree (2011). The measure is theirs: the squared distance between
predicted and observed (P(U), P(L)), averaged over games.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from equipoise.equilibria.compare import ComparisonRow, compare_fits
from equipoise.equilibria.fit import Fit
from equipoise.experiments._competition import (
    Entry,
    Settings,
    compete,
    contenders,
    observed_shifts,
    shifts,
    signs,
)
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.experiments.human_play import game_label
from equipoise.games.observed_play import (
    BRUNNER_CAMERER_GOEREE,
    SELTEN_CHMURA,
    ObservedPlay,
    observed_play,
)
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OFF = 4.0
"""Concepts this many times worse than the best are left out of pictures."""


def run(settings: Settings, progress: Progress) -> Result:
    """Fit everyone, leave games out, and compare.

    Args:
        settings: who competes, and how often games are resampled.
        progress: told how far it is.

    Returns:
        The fit table, differences with intervals, the games of other experiments, signs of the shifts;
        pictures of the same; the claims.
    """
    records = [record for key, record in observed_play().items() if key.startswith("selten-chmura-")]
    others = [record for record in observed_play().values() if record not in records]
    entries = []
    competing = contenders(settings)
    for k, contender in enumerate(competing):
        progress(k / len(competing), f"out of sample: {contender.label}")
        entries.append(compete(contender, records, others, settings))
    progress(1.0, "out of sample")
    rng = np.random.default_rng(settings.seed)
    rows = compare_fits([entry.singly for entry in entries], bootstrap=rng, resamples=settings.resamples).rows
    return Result(
        answer=_answer(entries, rows),
        tables={
            "fit": _fit_table(entries, rows),
            "differences": _difference_table(entries, rows),
            "shifts": _shift_table(entries),
            "other-experiments": _other_table(entries, others, converted=True),
            "other-experiments-as-is": _other_table(entries, others, converted=False),
        },
        pictures={
            "held-out": Picture(
                lambda: _held_out_figure(entries),
                "Mean squared distance to human play in twelve 2x2 games, on the games fitted and on games "
                "left out. Every RQE here has one (τ, ε) for all games and both roles."
                + _out_of_view(entries),
            ),
            "differences": Picture(
                lambda: _difference_figure(entries, rows),
                f"Mean squared distance in games left out, less that of {entries[0].label}; 95 % intervals "
                "from resampling games, the same ones for both. Right of zero: predicts worse."
                + _out_of_view(entries),
            ),
            "predictions": Picture(
                lambda: _prediction_figure(entries, records),
                "Observed choice frequencies against predictions, each game predicted from a fit to the "
                "eleven others.",
            ),
        },
        claims=_claims(entries, rows),
        certified=all(e.gap < 1e-6 and e.singly.converged and e.halves.converged for e in entries),
    )


def _parameters(one: Fit) -> str:
    names = {"risk_aversion": "τ", "bounded_rationality": "ε", "precision": "λ", "samples": "n"}
    return ", ".join(f"{names[e.field]} = {e.value:.4g}" for e in one.estimates)


def _fit_table(entries: Sequence[Entry], rows: Sequence[ComparisonRow]) -> Table:
    cells = [
        [
            entry.label,
            row.free_parameters,
            _parameters(entry.singly),
            1e3 * row.mean_error,
            1e3 * entry.held,
            1e3 * entry.half[0],
            1e3 * entry.half[1],
            row.largest_error,
            entry.gap,
        ]
        for entry, row in zip(entries, rows, strict=True)
    ]
    return Table(
        [
            "concept",
            "free",
            "fitted to all twelve",
            "in sample",
            "left out",
            "1-6 → 7-12",
            "7-12 → 1-6",
            "largest error",
            "certificate ≤",
        ],
        cells,
        "Squared distance to human play in thousandths, mean over games: fitted to all twelve, each game "
        "left out once, one half predicted from the other",
    )


def _difference_table(entries: Sequence[Entry], rows: Sequence[ComparisonRow]) -> Table:
    cells = [
        [
            entry.label,
            1e3 * row.difference,
            1e3 * (row.difference_low or 0.0),
            1e3 * (row.difference_high or 0.0),
            _verdict(row),
        ]
        for entry, row in list(zip(entries, rows, strict=True))[1:]
    ]
    return Table(
        ["concept", "difference", "95 % from", "to", f"against {entries[0].label}"],
        cells,
        f"Squared distance in games left out, less that of {entries[0].label}, in thousandths; intervals "
        "from resampling games, the same ones for both",
    )


def _verdict(row: ComparisonRow) -> str:
    assert row.difference_low is not None
    assert row.difference_high is not None
    if row.difference_low > 0.0:
        return "predicts worse"
    return "predicts better" if row.difference_high < 0.0 else "not decided"


def _shift_table(entries: Sequence[Entry]) -> Table:
    seen = observed_shifts(entries[0])
    cells: list[list[object]] = []
    for entry in entries:
        right, wrong, still = signs(entry)
        correlation = None
        if still < seen.size:
            correlation = float(np.corrcoef(shifts(entry).ravel(), seen.ravel())[0, 1])
        cells.append([entry.label, right, wrong, still, correlation])
    return Table(
        ["concept", "right direction", "wrong direction", "no change", "correlation"],
        cells,
        "Shift of both frequencies from game k to k + 6, which differ by a function of the opponent's "
        "action: twelve observed shifts against the predicted ones",
    )


def _other_table(entries: Sequence[Entry], others: Sequence[ObservedPlay], *, converted: bool) -> Table:
    errors = [entry.converted if converted else entry.elsewhere for entry in entries]
    how = "converted so that payoff ranges agree" if converted else "taken for points"
    return Table(
        ["concept", *(game_label(record) for record in others), "mean"],
        [
            [entry.label, *(1e3 * some).tolist(), 1e3 * float(some.mean())]
            for entry, some in zip(entries, errors, strict=True)
        ],
        f"Other experiments, predicted from the fit to the twelve, cents {how}: squared distance in "
        "thousandths",
    )


def _answer(entries: Sequence[Entry], rows: Sequence[ComparisonRow]) -> str:
    first = entries[0]
    rivals = [(e, row) for e, row in zip(entries, rows, strict=True) if not e.contender.averse]
    best, against = min(rivals, key=lambda pair: pair[0].held)
    assert against.difference_low is not None
    assert against.difference_high is not None
    verdicts = {e.label: _verdict(row) for e, row in rivals}
    named = {v: [name for name, verdict in verdicts.items() if verdict == v] for v in set(verdicts.values())}
    right, wrong, still = signs(first)
    total = right + wrong + still
    luck = sum(comb(total, k) for k in range(right, total + 1)) / 2**total

    def place(score: Callable[[Entry], float]) -> str:
        return f"{1 + sum(score(e) < score(first) for e, _ in rivals)} of {1 + len(rivals)}"

    parts = [
        f"With one τ and one ε for all games and both roles ({_parameters(first.singly)}), {first.label} "
        f"misses a game left out by a mean squared distance of {first.held:.5f}, place "
        f"{place(lambda e: e.held)}; the best rival is {best.label} with {best.held:.5f}. The difference of "
        f"{against.difference:+.5f} has a 95 % interval from {against.difference_low:+.5f} to "
        f"{against.difference_high:+.5f}.",
    ]
    if "predicts worse" in named:
        parts.append(f"RQE predicts better than {_list(named['predicts worse'])} beyond resampling error.")
    if "not decided" in named:
        parts.append(f"Against {_list(named['not decided'])} twelve games do not decide.")
    if "predicts better" in named:
        parts.append(f"It predicts worse than {_list(named['predicts better'])}.")
    parts += [
        f"Games 7-12 from 1-6: place {place(lambda e: e.half[0])}; games 1-6 from 7-12: place "
        f"{place(lambda e: e.half[1])}.",
        f"It gives the direction of {right} of {total} shifts between games that differ by a function of the "
        "opponent's action, which QRE and action sampling say do not exist (guessing does as well with "
        f"probability {luck:.2f}).",
        "The four games of other experiments, with the same parameters: place "
        f"{place(lambda e: float(e.elsewhere.mean()))} with cents taken for points, place "
        f"{place(lambda e: float(e.converted.mean()))} with cents converted.",
        "With a single free parameter the product held fixed matters: "
        + ", ".join(
            f"{e.held:.5f} at {e.label.rsplit(', ', 1)[1]}"
            for e in entries
            if "product" in e.contender.options
        )
        + ".",
    ]
    return " ".join(parts)


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _claims(entries: Sequence[Entry], rows: Sequence[ComparisonRow]) -> tuple[Claim, ...]:
    by_label = {entry.label: (entry, row) for entry, row in zip(entries, rows, strict=True)}
    names = ("impulse balance", "action sampling", "payoff sampling", "logit QRE")
    inside = {name: by_label[name][1].mean_error for name in names}
    nash = by_label["Nash"][1].mean_error
    order = " < ".join(f"{name} {error:.5f}" for name, error in sorted(inside.items(), key=lambda x: x[1]))
    first = entries[0]
    rivals = [e for e in entries if not e.contender.averse]
    return (
        Claim(
            "Nash is clearly the worst, the four other concepts are about equal",
            BRUNNER_CAMERER_GOEREE,
            f"Nash {nash:.5f}; {order}",
            bool(nash > 4.0 * max(inside.values()) and max(inside.values()) < 1.5 * min(inside.values())),
        ),
        Claim(
            "impulse balance < payoff sampling < action sampling < QRE < Nash",
            SELTEN_CHMURA,
            f"in sample: {order}",
            bool(
                inside["impulse balance"]
                < inside["payoff sampling"]
                < inside["action sampling"]
                < inside["logit QRE"]
                < nash
            ),
        ),
        Claim(
            f"{first.label} with common parameters predicts games left out better than every rival",
            "open question",
            f"{first.held:.5f} against {min(e.held for e in rivals):.5f}",
            bool(first.held < min(e.held for e in rivals)),
        ),
        Claim(
            "... and the difference to every rival is beyond resampling error",
            "open question",
            "; ".join(f"{e.label}: {_verdict(by_label[e.label][1])}" for e in rivals),
            all(_verdict(by_label[e.label][1]) == "predicts worse" for e in rivals),
        ),
    )


def _in_view(entries: Sequence[Entry]) -> list[int]:
    """Entries close enough to draw, best in games left out first; the others would squeeze them together."""
    best = min(entry.held for entry in entries)
    return sorted(
        (k for k, entry in enumerate(entries) if entry.held < OFF * best), key=lambda k: entries[k].held
    )


def _out_of_view(entries: Sequence[Entry]) -> str:
    shown = _in_view(entries)
    far = [f"{e.label} ({1e3 * e.held:.0f})" for k, e in enumerate(entries) if k not in shown]
    return f" Too far off to draw: {_list(far)}." if far else ""


def _held_out_figure(entries: Sequence[Entry]) -> Figure:
    from equipoise.reporting.figures import Series, dots

    shown = [entries[k] for k in _in_view(entries)]
    series = [
        Series("in sample", np.array([1e3 * e.singly.mean_error for e in shown])),
        Series("each game left out", np.array([1e3 * e.held for e in shown])),
        Series("7-12 from 1-6", np.array([1e3 * e.half[0] for e in shown])),
        Series("1-6 from 7-12", np.array([1e3 * e.half[1] for e in shown])),
    ]
    return dots(
        [entry.label for entry in shown],
        series,
        xlabel="squared distance to human play (thousandths)",
        limits=(0.0, 1.05 * max(float(one.values.max()) for one in series)),
    )


def _difference_figure(entries: Sequence[Entry], rows: Sequence[ComparisonRow]) -> Figure:
    from equipoise.reporting.figures import Series, dots

    shown = [k for k in _in_view(entries) if k > 0]
    values, low, high = (
        1e3 * np.array([getattr(rows[k], name) for k in shown], dtype=float)
        for name in ("difference", "difference_low", "difference_high")
    )
    return dots(
        [entries[k].label for k in shown],
        [Series("difference", values, low, high)],
        xlabel="difference in squared distance (thousandths)",
        reference=0.0,
    )


def _prediction_figure(entries: Sequence[Entry], records: Sequence[ObservedPlay]) -> Figure:
    from equipoise.reporting.figures import observed_against_predicted

    by_label = {entry.label: entry for entry in entries}
    keys = ("row plays U", "column plays L")
    panels = {}
    for name in (entries[0].label, "impulse balance", "action sampling", "logit QRE"):
        held = by_label[name].singly.held_out
        assert held is not None
        said = np.array([[x[0] for x in profile] for profile in held.predictions])
        panels[name] = dict(zip(keys, said.T, strict=True))
    seen = np.array([[x[0] for x in record.frequencies] for record in records])
    return observed_against_predicted(
        dict(zip(keys, seen.T, strict=True)), panels, labels=[game_label(record) for record in records]
    )


EXPERIMENT = Experiment(
    name="out-of-sample",
    question="Does RQE predict how people play games it was not fitted to?",
    source=f"our test, on the data of {SELTEN_CHMURA}",
    laptop=Settings(),
    full=Settings(resamples=100_000, largest_sample=30, all_pairs=True),
    run=run,
)
