"""Out of sample: published reference errors, honest counting, and verdicts that follow from intervals."""

import numpy as np
import pytest

from equipoise.equilibria import QRE, RQE, ActionSampling, ImpulseBalance, Nash, PayoffSampling
from equipoise.experiments import _competition, experiment, out_of_sample, silent
from equipoise.experiments._competition import Contender, Settings, compete, contenders, unit_ratio
from equipoise.games.observed_play import observed_play, reference_concepts

TWELVE = [record for key, record in observed_play().items() if key.startswith("selten-chmura-")]
OTHERS = [record for record in observed_play().values() if record not in TWELVE]
# With small samples that are not searched for, so that a test takes seconds.
FEW = [
    Contender("RQE, KL + entropy", RQE(), {"product": 0.125}),
    Contender("impulse balance", ImpulseBalance, averse=False),
    Contender("action sampling", ActionSampling, {"fixed": {"samples": 3}}, averse=False),
    Contender("payoff sampling", PayoffSampling, {"fixed": {"samples": 2}}, averse=False),
    Contender("logit QRE", QRE, averse=False),
    Contender("Nash", Nash, averse=False),
]


# The expensive fixture is made once, in one process.
pytestmark = pytest.mark.xdist_group("out-of-sample")


@pytest.fixture(scope="module")
def entries():
    return [compete(contender, TWELVE, OTHERS, Settings()) for contender in FEW]


@pytest.fixture(scope="module")
def result(entries):
    by_label = {entry.label: entry for entry in entries}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(out_of_sample, "contenders", lambda settings: FEW)
        patch.setattr(out_of_sample, "compete", lambda contender, *rest: by_label[contender.label])
        found = experiment("out-of-sample").run(Settings(resamples=500), silent)
    return found  # with the patches undone, or they would reach every later test of this file


def test_rivals_reach_their_reference_errors(entries):
    known = {
        concept.name.removesuffix(" equilibrium").replace("-", " "): concept
        for concept in reference_concepts()
    }
    for entry in entries:
        if entry.label not in ("impulse balance", "logit QRE", "Nash"):
            continue
        reference = known[entry.label]
        assert entry.singly.mean_error == pytest.approx(reference.error_all, abs=2e-6)
        assert entry.gap < 1e-9
    for name in ("Nash", "impulse balance"):
        (entry,) = (e for e in entries if e.label == name)
        assert entry.held == pytest.approx(entry.singly.mean_error)
        assert entry.half == pytest.approx(
            (known[name].error_other, known[name].error_constant_sum), abs=2e-6
        )


def test_a_game_left_out_is_predicted_from_the_others(entries):
    rqe = entries[0]
    alone = _competition.fit(
        RQE(), TWELVE[1:], criterion="least_squares", level=None, product=0.125
    ).concept.find(TWELVE[0].game)
    held = rqe.singly.held_out
    np.testing.assert_allclose(held.predictions[0][0], alone.strategies[0], atol=1e-5)
    assert rqe.held > rqe.singly.mean_error


def test_units_do_not_matter_once_converted(entries):
    unit = unit_ratio(TWELVE, OTHERS)
    assert unit > 1
    by_label = {entry.label: entry for entry in entries}
    # Scale-free concepts do not care; the others do.
    for name in ("impulse balance", "action sampling", "payoff sampling", "Nash"):
        np.testing.assert_allclose(by_label[name].elsewhere, by_label[name].converted, atol=1e-9)
    assert abs(by_label["logit QRE"].elsewhere - by_label["logit QRE"].converted).max() > 0.01
    concept = by_label["RQE, KL + entropy"].singly.concept
    scaled = RQE(concept.risk_aversion / unit, concept.bounded_rationality * unit)
    errors = [
        sum((p[0] - o[0]) ** 2 for p, o in zip(scaled.find(r.game).strategies, r.frequencies, strict=True))
        for r in OTHERS
    ]
    np.testing.assert_allclose(by_label["RQE, KL + entropy"].converted, errors, atol=1e-9)


def test_shifts_exist_only_for_concepts_that_see_the_opponents_action_function(result):
    rows = {row[0]: row[1:] for row in result.tables["shifts"].rows}
    for name in ("logit QRE", "action sampling", "Nash"):
        assert rows[name][:3] == (0, 0, 12)
        assert rows[name][3] is None
    right, wrong, still, correlation = rows["RQE, KL + entropy"]
    assert right + wrong == 12
    assert still == 0
    assert -1 <= correlation <= 1


def test_tables_verdicts_and_answer_agree(result):
    differences = {row[0]: row[1:] for row in result.tables["differences"].rows}
    for difference, low, high, verdict in differences.values():
        assert low <= difference <= high
        assert verdict == ("predicts worse" if low > 0 else "predicts better" if high < 0 else "not decided")
    fit = {
        row[0]: dict(zip(result.tables["fit"].columns, row, strict=True)) for row in result.tables["fit"].rows
    }
    for name, (difference, *_) in differences.items():
        assert difference == pytest.approx(fit[name]["left out"] - fit["RQE, KL + entropy"]["left out"])
    assert "place 1 of 6; the best rival is impulse balance with 0.00359" in result.answer
    verdicts = [claim.holds for claim in result.claims]
    assert verdicts[2] is (min(d for d, *_ in differences.values()) > 0)
    assert result.certified


def test_pictures_leave_nash_out_and_say_so(result):
    caption = result.pictures["held-out"].caption
    assert caption.endswith(" and Nash (26).")
    assert "Too far off to draw: " in caption
    (ax,) = result.pictures["held-out"].draw().axes
    assert "Nash" not in [label.get_text() for label in ax.get_yticklabels()]
    assert result.pictures["differences"].draw().axes
    assert len(result.pictures["predictions"].draw().axes) == 4


def test_the_library_default_goes_first():
    for settings in (Settings(), Settings(all_pairs=True)):
        some = contenders(settings)
        assert some[0].concept == RQE()
        assert len({one.label for one in some}) == len(some)


@pytest.mark.slow
def test_rqe_with_common_parameters_predicts_games_left_out():
    wanted = experiment("out-of-sample")
    result = wanted.run(wanted.laptop, silent)
    fit = {
        row[0]: dict(zip(result.tables["fit"].columns, row, strict=True)) for row in result.tables["fit"].rows
    }
    rqe = fit["RQE, KL + entropy"]
    assert rqe["left out"] == pytest.approx(3.06, abs=0.01)
    assert rqe["in sample"] == pytest.approx(2.26, abs=0.01)
    assert fit["action sampling"]["in sample"] == pytest.approx(3.609, abs=1e-3)
    assert fit["payoff sampling"]["in sample"] == pytest.approx(4.138, abs=1e-3)
    assert result.claims[0].holds
    assert rqe["left out"] < min(row["left out"] for name, row in fit.items() if not name.startswith("RQE"))
    assert result.certified
