"""Fits as tables and as JSON."""

import json

import numpy as np

from equipoise.equilibria.behavioural import ImpulseBalance
from equipoise.equilibria.compare import compare_fits
from equipoise.equilibria.fit import fit
from equipoise.equilibria.qre import QRE
from equipoise.games.observed_play import observed_play
from equipoise.reporting.fits import (
    comparison_table,
    estimate_table,
    fit_to_dict,
    prediction_table,
    quality_table,
)

RECORDS = [record for key, record in observed_play().items() if key.startswith("selten-chmura")][:4]
FIT = fit(QRE, RECORDS, held_out=[[1]])


def test_estimates_have_intervals():
    table = estimate_table(FIT)
    (row,) = table.rows
    assert row[0] == "precision"
    estimate, low, high = map(float, row[1:])
    assert low < estimate < high
    assert abs(estimate - FIT.concept.precision) < 1e-4
    assert table.caption == "95% intervals: profile likelihood"
    assert estimate_table(fit(QRE, RECORDS, level=None)).rows[0][2:] == (None, None)


def test_quality_names_what_was_minimised():
    names = [row[0] for row in quality_table(FIT).rows]
    assert {"deviance", "AIC", "log-likelihood, held out", "condition number", "converged"} <= set(names)
    plain = quality_table(fit(ImpulseBalance, RECORDS, criterion="least_squares"))
    assert not {"deviance", "AIC", "condition number"} & {row[0] for row in plain.rows}


def test_predictions_stand_beside_what_was_seen():
    table = prediction_table(FIT)
    assert table.columns[-1] == "held out"
    assert len(table.rows) == 16
    assert table.rows[0][:4] == ("selten-chmura-1", "Row", "U", 0.079)
    assert table.rows[0][4] == FIT.predictions[0][0][0]
    assert [row[5] is not None for row in table.rows] == [False] * 4 + [True] * 4 + [False] * 8
    assert table.rows[4][5] == FIT.held_out.predictions[0][0][0]


def test_comparison_leaves_out_empty_columns():
    fits = [fit(concept, RECORDS, criterion="least_squares") for concept in (QRE, ImpulseBalance)]
    table = comparison_table(compare_fits(fits))
    assert [row[0] for row in table.rows] == [one.name for one in fits]
    assert not {"AIC", "error, held out", "from"} & set(table.columns)
    with_draws = comparison_table(compare_fits(fits, bootstrap=np.random.default_rng(0), resamples=50))
    assert {"from", "to"} <= set(with_draws.columns)
    assert "95% intervals" in with_draws.caption


def test_everything_can_be_written_as_json():
    data = json.loads(json.dumps(fit_to_dict(FIT), allow_nan=False))
    assert data["estimates"][0]["field"] == "precision"
    assert data["held_out"]["games"] == [1]
    assert data["games"][0]["observed"][0] == [0.079, 0.921]
    np.testing.assert_array_equal(data["games"][2]["predicted"][1], FIT.predictions[2][1])
    assert fit_to_dict(fit(ImpulseBalance, RECORDS))["held_out"] is None
