"""Who competes in predicting human play, and how a contender is fitted and scored."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from equipoise.equilibria import QRE, RQE, ActionSampling, ImpulseBalance, Nash, PayoffSampling
from equipoise.equilibria.fit import Fit, FitWarning, fit
from equipoise.games import NormalFormGame
from equipoise.games.observed_play import ObservedPlay

HALVES = (tuple(range(6, 12)), tuple(range(6)))
"""Games 7-12 are predicted from 1-6, then games 1-6 from 7-12."""


@dataclass(frozen=True)
class Settings:
    """How much is run.

    Attributes:
        resamples: bootstrap resamples of games.
        seed: of the bootstrap.
        largest_sample: largest sample size tried for the sampling concepts.
        all_pairs: every pair of penalty and regularizer in both forms, instead of the four main ones.
        by_groups: weigh games by their number of independent groups of subjects (12 or 6).
    """

    resamples: int = 10_000
    seed: int = 0
    largest_sample: int = 16
    all_pairs: bool = False
    by_groups: bool = False


@dataclass(frozen=True)
class Contender:
    """A concept in the competition.

    Attributes:
        label: name in tables and pictures.
        concept: class or template.
        options: how its parameters are estimated.
        averse: whether it is an RQE.
    """

    label: str
    concept: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    averse: bool = True


@dataclass(frozen=True, eq=False)
class Entry:
    """A contender with its fits.

    Attributes:
        contender: who.
        singly: fitted to all games, with every game left out once.
        halves: the same fit, with either half of the games left out.
        gap: largest certified gap among predictions for games left out, in payoff units.
        elsewhere: squared distances in the games of other experiments, payoffs as they are, `[games]`.
        converted: the same with payoffs brought to the same range first.
    """

    contender: Contender
    singly: Fit
    halves: Fit
    gap: float
    elsewhere: Float[np.ndarray, " games"]
    converted: Float[np.ndarray, " games"]

    @property
    def label(self) -> str:
        """Name in tables and pictures."""
        return self.contender.label

    @property
    def held(self) -> float:
        """Mean squared distance in games left out one at a time."""
        assert self.singly.held_out is not None
        return self.singly.held_out.mean_error

    @property
    def half(self) -> tuple[float, float]:
        """Mean squared distance in games 7-12 (fitted to 1-6), and in 1-6 (fitted to 7-12)."""
        assert self.halves.held_out is not None
        errors = dict(zip(self.halves.held_out.games, self.halves.held_out.errors, strict=True))
        first, second = (float(np.mean([errors[k] for k in fold])) for fold in HALVES)
        return first, second


def contenders(settings: Settings) -> list[Contender]:
    """Everyone who competes; the first is the library's default RQE, chosen before looking.

    Args:
        settings: which variants.

    Returns:
        The contenders: RQE variants, then the rivals.
    """
    samples = {"search": {"samples": (1, settings.largest_sample)}}
    rqe = [
        Contender("RQE, KL + entropy", RQE()),
        Contender("RQE, KL + log-barrier", RQE(regularizer="log_barrier")),
        Contender("RQE, reverse KL + entropy", RQE(penalty="reverse_kl")),
        Contender("RQE, KL + entropy, action-dependent", RQE(form="action_dependent")),
    ]
    if settings.all_pairs:
        rqe += [
            Contender("RQE, reverse KL + log-barrier", RQE(penalty="reverse_kl", regularizer="log_barrier")),
            Contender(
                "RQE, KL + log-barrier, action-dependent",
                RQE(regularizer="log_barrier", form="action_dependent"),
            ),
            Contender(
                "RQE, reverse KL + entropy, action-dependent",
                RQE(penalty="reverse_kl", form="action_dependent"),
            ),
        ]
    # One parameter: the product is fixed beforehand, where a theorem begins for the covered pairs.
    rqe += [
        Contender(f"RQE, KL + entropy, τε = {name}", RQE(), {"product": value})
        for name, value in (("1", 1.0), ("1/4", 0.25), ("1/8", 0.125))
    ]
    return [
        *rqe,
        Contender("impulse balance", ImpulseBalance, averse=False),
        Contender("action sampling", ActionSampling, samples, averse=False),
        Contender("payoff sampling", PayoffSampling, samples, averse=False),
        Contender("logit QRE", QRE, averse=False),
        Contender("Nash", Nash, averse=False),
    ]


def compete(
    contender: Contender, records: Sequence[ObservedPlay], others: Sequence[ObservedPlay], settings: Settings
) -> Entry:
    """Fit a contender and let it predict games left out.

    Args:
        contender: who.
        records: the games it is fitted to.
        others: games of other experiments.
        settings: how games are weighted.

    Returns:
        Its fits and errors.
    """
    weights = [float(record.groups or 1) for record in records] if settings.by_groups else None
    with warnings.catch_warnings():
        # What fits warn of is in their records.
        warnings.simplefilter("ignore", FitWarning)
        singly, halves = (
            fit(
                contender.concept,
                records,
                criterion="least_squares",
                level=None,
                weights=weights,
                held_out=held_out,
                **contender.options,
            )
            for held_out in (True, HALVES)
        )
    gap = singly.largest_gap
    for one in (singly, halves):
        assert one.held_out is not None
        for fold, concept in zip(one.held_out.folds, one.held_out.concepts, strict=True):
            gap = max(gap, *(concept.find(records[k].game).certificate.gap for k in fold))
    elsewhere = [_distance(singly, record.game, record) for record in others]
    unit = unit_ratio(records, others)
    converted = [_distance(singly, record.game.scaled(1.0 / unit), record) for record in others]
    return Entry(contender, singly, halves, gap, np.array(elsewhere), np.array(converted))


def unit_ratio(records: Sequence[ObservedPlay], others: Sequence[ObservedPlay]) -> float:
    """How many units of the other experiments make one of these: the ratio of median payoff ranges.

    Scaling payoffs by s asks for tau / s and eps s. What a point was worth to a subject next to a cent is
    not known; equal ranges are the assumption.
    """
    here, there = (np.median([r.game.payoff_ranges().max() for r in some]) for some in (records, others))
    return float(there / here)


def _distance(fitted: Fit, game: NormalFormGame, record: ObservedPlay) -> float:
    predicted = fitted.concept.find(game).strategies
    return float(sum((p[0] - o[0]) ** 2 for p, o in zip(predicted, record.frequencies, strict=True)))


def shifts(entry: Entry) -> Float[np.ndarray, "six two"]:
    """Predicted change of (P(U), P(L)) from game k to game k + 6, for k = 1 to 6."""
    predicted = np.array([[x[0] for x in profile] for profile in entry.singly.predictions])
    return np.asarray(predicted[6:] - predicted[:6])


def observed_shifts(entry: Entry) -> Float[np.ndarray, "six two"]:
    """Observed change of (P(U), P(L)) from game k to game k + 6."""
    seen = np.array([[x[0] for x in record.frequencies] for record in entry.singly.records])
    return np.asarray(seen[6:] - seen[:6])


def signs(entry: Entry) -> tuple[int, int, int]:
    """Numbers of shifts predicted in the right and in the wrong direction, and predicted not to exist."""
    said, seen = shifts(entry).ravel(), observed_shifts(entry).ravel()
    still = np.abs(said) < 1e-6
    right = (np.sign(said) == np.sign(seen)) & ~still
    return int(right.sum()), int((~right & ~still).sum()), int(still.sum())
