"""Several concepts fitted to the same play, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.equilibria._fit_record import Fit


@dataclass(frozen=True)
class ComparisonRow:
    """One fit among several.

    Attributes:
        concept: the fitted concept by name.
        free_parameters: how many numbers were estimated.
        mean_error: in sample, mean over games of the squared distance.
        log_likelihood: in sample; None where numbers of observations are not known.
        aic, bic: Akaike's and Schwarz's criteria; None unless fitted by likelihood.
        held_out_error: mean squared distance in games left out; None where not asked for.
        held_out_log_likelihood: log-likelihood of games left out; None likewise.
        largest_error: in sample, largest absolute error of a probability.
        difference: this concept's mean error less the first one's: held out where both were, else in sample.
        difference_low, difference_high: its interval, from resampling games; None without resampling.
    """

    concept: str
    free_parameters: int
    mean_error: float
    log_likelihood: float | None
    aic: float | None
    bic: float | None
    held_out_error: float | None
    held_out_log_likelihood: float | None
    largest_error: float
    difference: float
    difference_low: float | None
    difference_high: float | None


@dataclass(frozen=True)
class Comparison:
    """Fits to the same observations, in the order given.

    Attributes:
        criterion: what all fits minimise.
        held_out: whether `difference` compares predictions for games left out.
        level: confidence level of the differences' intervals; None without resampling.
        rows: one per fit.
    """

    criterion: str
    held_out: bool
    level: float | None
    rows: tuple[ComparisonRow, ...]


def compare_fits(
    fits: Sequence[Fit],
    *,
    bootstrap: np.random.Generator | None = None,
    resamples: int = 10_000,
    level: float = 0.95,
) -> Comparison:
    """Compare fits of several concepts to the same observations.

    Args:
        fits: the fits; the first is what the others are measured against.
        bootstrap: randomness for intervals of the differences in mean error: games are drawn with
            replacement, the same ones for both concepts. The fits themselves stay as they are.
        resamples: number of resamples.
        level: confidence level.

    Returns:
        One row per fit.

    Raises:
        ValueError: no fits, or fits to different observations, of different criteria, weights or folds.
    """
    if not fits:
        raise ValueError("compare_fits needs at least one fit")
    first = fits[0]
    for k, one in enumerate(fits):
        same_data = len(one.records) == len(first.records) and all(
            a is b
            or (
                a.game == b.game
                and a.observations == b.observations
                and all(map(np.array_equal, a.frequencies, b.frequencies))
            )
            for a, b in zip(one.records, first.records, strict=False)
        )
        if not same_data:
            raise ValueError(f"fits[{k}] is to other observations than fits[0]; fit all to the same records")
        if one.criterion != first.criterion or not np.array_equal(one.weights, first.weights):
            raise ValueError(f"fits[{k}] has another criterion or other weights than fits[0]")
    held = all(one.held_out is not None for one in fits)
    if held and len({one.held_out.folds for one in fits if one.held_out is not None}) > 1:
        raise ValueError("the fits hold out different games; give all the same held_out")
    if held:
        assert first.held_out is not None
        weights = first.weights[list(first.held_out.games)]
        errors = [one.held_out.errors for one in fits if one.held_out is not None]
    else:
        weights, errors = first.weights, [one.errors for one in fits]
    shares = None
    if bootstrap is not None:
        games = len(weights)
        shares = bootstrap.multinomial(games, np.full(games, 1.0 / games), size=resamples) * weights
        shares = shares / shares.sum(axis=1, keepdims=True)
    tail = (1.0 - level) / 2.0
    rows = []
    for one, own in zip(fits, errors, strict=True):
        excess = own - errors[0]
        ends = None if shares is None else np.quantile(shares @ excess, [tail, 1.0 - tail])
        rows.append(
            ComparisonRow(
                concept=one.name,
                free_parameters=one.free_parameters,
                mean_error=one.mean_error,
                log_likelihood=one.log_likelihood,
                aic=one.aic,
                bic=one.bic,
                held_out_error=None if one.held_out is None else one.held_out.mean_error,
                held_out_log_likelihood=None if one.held_out is None else one.held_out.log_likelihood,
                largest_error=one.largest_error,
                difference=float(weights @ excess / weights.sum()),
                difference_low=None if ends is None else float(ends[0]),
                difference_high=None if ends is None else float(ends[1]),
            )
        )
    return Comparison(first.criterion, held, level if bootstrap is not None else None, tuple(rows))
