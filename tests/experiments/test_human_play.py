"""Human play: errors, products and certificates are those of the games, and the verdicts follow."""

import numpy as np
import pytest

from equipoise.equilibria.dynamics import AUTHORS_SETTINGS
from equipoise.experiments import experiment, silent
from equipoise.experiments import human_play as module
from equipoise.games.observed_play import observed_play

# The expensive fixture is made once, in one process.
pytestmark = pytest.mark.xdist_group("human-play")


@pytest.fixture(scope="module")
def result():
    return experiment("human-play").run(module.Settings(seeds=2), silent)


def rows_by_game(table):
    return {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}


def test_tables_state_errors_that_add_up(result):
    for name in ("fits-kl", "fits-reverse-kl"):
        table = result.tables[name]
        for row in rows_by_game(table).values():
            for action in "UL":
                assert row[f"error {action}"] == pytest.approx(
                    100 * (row[f"RQE {action}"] - row[f"observed {action}"]), abs=2e-4
                )
            assert row["exploitability ≤"] < 1e-10
    assert result.certified


def test_known_errors_of_the_published_parameters(result):
    barrier = rows_by_game(result.tables["fits-kl"])
    entropy = rows_by_game(result.tables["fits-reverse-kl"])
    assert set(barrier) - set(entropy) == {"1 mistyped"}
    assert set(entropy) - set(barrier) == {"2 mistyped"}
    assert abs(barrier["6"]["error U"]) > 1
    assert all(max(abs(r["error U"]), abs(r["error L"])) < 1 for k, r in barrier.items() if k != "6")
    assert abs(entropy["2"]["error U"]) > 8
    assert abs(entropy["2 mistyped"]["error U"]) < 1
    assert barrier["12"]["ε₁τ₁"] * barrier["12"]["ε₂τ₂"] == pytest.approx(0.23 * 0.04 * 5.74 * 19)


def test_verdicts_follow_the_numbers(result):
    verdicts = {claim.claim: claim.holds for claim in result.claims}
    assert [holds for claim, holds in verdicts.items() if "every game within one point" in claim] == [
        False
    ] * 2
    assert verdicts["the parameters for game 2 (reverse KL + entropy) reproduce human play"] is False
    assert "12 of 13 games within one percentage point" in result.answer


def test_the_authors_iteration_is_run_on_the_games_of_their_code(monkeypatch):
    seen = []

    def spy(games, concepts, learning, **rest):
        seen.append((games, learning))
        return play(games, concepts, learning, **rest)

    play = module.play
    monkeypatch.setattr(module, "play", spy)
    settings = module.Settings(seeds=1)
    module.gradient_descent("reverse_kl", settings, silent, 0.0)
    (twelve, first), (last, second) = seen
    assert len(twelve) == 12
    assert first == AUTHORS_SETTINGS
    assert (second.step, second.steps) == (1e-4, 1000)
    assert twelve[1].payoffs[0][1, 1] == 10.0
    assert last == [observed_play()["goeree-holt-palfrey-4"].game]


def test_pictures_are_drawn_from_the_same_numbers(result):
    figure = result.pictures["human-play"].draw()
    nash, barrier, _ = figure.axes
    assert nash.get_title(loc="left") == "Nash"
    table = rows_by_game(result.tables["fits-kl"])
    drawn = barrier.collections[0].get_offsets()
    expected = [[r["RQE U"], r["observed U"]] for k, r in table.items() if "mistyped" not in k]
    np.testing.assert_allclose(drawn, expected, atol=1e-6)
    assert result.pictures["human-play-errors"].draw().axes
