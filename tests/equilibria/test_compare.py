import numpy as np
import pytest

from equipoise.equilibria.behavioural import ImpulseBalance
from equipoise.equilibria.compare import compare_fits
from equipoise.equilibria.fit import fit
from equipoise.equilibria.nash import Nash
from equipoise.equilibria.qre import QRE
from equipoise.games.observed_play import observed_play

RECORDS = [record for key, record in observed_play().items() if key.startswith("selten-chmura")]


def fitted(concept, **options):
    return fit(concept, RECORDS, criterion="least_squares", **options)


def test_rows_repeat_what_the_fits_say():
    fits = [fitted(concept, held_out=True) for concept in (QRE, ImpulseBalance, Nash)]
    comparison = compare_fits(fits)
    assert comparison.held_out
    assert comparison.level is None
    for row, one in zip(comparison.rows, fits, strict=True):
        assert row.concept == one.concept.name
        assert row.free_parameters == len(one.estimates)
        assert row.mean_error == one.mean_error
        assert row.held_out_error == one.held_out.mean_error
        expected = one.held_out.mean_error - fits[0].held_out.mean_error
        assert row.difference == pytest.approx(expected, abs=1e-15)
        assert row.difference_low is None


def test_differences_are_in_sample_unless_all_fits_hold_games_out():
    comparison = compare_fits([fitted(QRE, held_out=True), fitted(Nash)])
    assert not comparison.held_out
    # The published mean squared distances.
    assert comparison.rows[1].difference == pytest.approx(0.025865 - 0.004879, abs=1.1e-6)


def test_resampling_pairs_the_games():
    fits = [fitted(Nash), fitted(QRE), fitted(ImpulseBalance)]
    comparison = compare_fits(fits, bootstrap=np.random.default_rng(0), resamples=4000)
    assert comparison.rows[0].difference_low == comparison.rows[0].difference_high == 0.0
    for row, one in zip(comparison.rows[1:], fits[1:], strict=True):
        excess = one.errors - fits[0].errors
        assert row.difference_low < row.difference < row.difference_high < 0.0
        # For a mean of many the percentile interval is about the normal one.
        width = 2 * 1.96 * excess.std() / np.sqrt(len(excess))
        assert row.difference_high - row.difference_low == pytest.approx(width, rel=0.15)


def test_fits_must_be_comparable():
    with pytest.raises(ValueError, match="at least one"):
        compare_fits([])
    with pytest.raises(ValueError, match="other observations"):
        compare_fits([fitted(Nash), fit(Nash, RECORDS[:6], criterion="least_squares")])
    with pytest.raises(ValueError, match="another criterion"):
        compare_fits([fitted(Nash), fit(Nash, RECORDS, criterion="likelihood")])
    with pytest.raises(ValueError, match="hold out different games"):
        compare_fits([fitted(Nash, held_out=True), fitted(Nash, held_out=[[0]])])
