"""Named Markov games: what is said of them holds."""

import numpy as np
import pytest

from equipoise.games import check_game, load, markov_catalogue, named_markov_game, save
from equipoise.games.markov_instances import absorbing, fishing, mixing

KEYS = list(markov_catalogue())


@pytest.mark.parametrize("key", KEYS)
def test_entries_are_complete_and_survive_a_file(key, tmp_path):
    entry = markov_catalogue()[key]
    game = entry.game
    assert named_markov_game(key) is game
    assert entry.title == game.title != ""
    assert all((entry.description, entry.source, entry.facts, entry.tags))
    assert ("horizon" in entry.tags) == (game.horizon is not None)
    assert ("grid" in entry.tags) == (game.layout is not None)
    if "zero-sum" in entry.tags:
        np.testing.assert_array_equal(game.rewards[0], -game.rewards[1])
    assert not any("Never reached" in finding or "duplicates" in finding for finding in check_game(game))
    path = tmp_path / ("game.json" if "small" in entry.tags else "game.npz")
    save(game, path)
    assert load(path) == game


def test_unknown_names_get_suggestions():
    with pytest.raises(ValueError, match="no Markov game named 'Cliff walk'; did you mean 'cliff-walk'"):
        named_markov_game("Cliff walk")
    with pytest.raises(ValueError, match=r"see markov_catalogue\(\)"):
        named_markov_game("zzzzzz")


def test_toy_3_follows_its_formulas():
    game = named_markov_game("toy-3")
    for h, s, a, b in np.ndindex(3, 3, 2, 3):
        weights = np.array(
            [1 + (7 * h + 5 * s + 3 * a + 2 * b + 4 * t * (a + 1) + t * t * b) % 11 for t in range(3)]
        )
        np.testing.assert_allclose(game.transitions[h, s, a, b], weights / weights.sum(), atol=1e-15)
        assert game.rewards[0][h, s, a, b] == pytest.approx(
            ((3 * h + 2 * s + 5 * a + 7 * b + a * b) % 10) / 9
        )
        assert game.rewards[1][h, s, a, b] == pytest.approx(
            ((1 + 4 * h + 3 * s + 2 * a + 6 * b + 5 * a * b) % 10) / 9
        )


def value(matrix):
    """Value of a 2x2 zero-sum game and the row player's probability of its first action."""
    (a, b), (c, d) = matrix
    security, threat = max(min(a, b), min(c, d)), min(max(a, c), max(b, d))
    if security >= threat:
        return security, float(min(a, b) >= min(c, d))
    return (a * d - b * c) / (a + d - b - c), (d - c) / (a + d - b - c)


def shapley(game, sweeps=120):
    values = np.zeros(game.num_states)
    for _ in range(sweeps):
        stages = [game.stage_game(s, np.stack([values, -values])).payoffs[0] for s in range(game.num_states)]
        values = np.array([value(stage)[0] for stage in stages])
    return values, [value(stage)[1] for stage in stages]


@pytest.mark.parametrize("discount", [0.0, 0.75])
def test_the_absorbing_game_is_worth_what_is_said(discount):
    values, first = shapley(absorbing(discount=discount))
    known = 1 / (1 + np.sqrt(1 - discount))
    assert values == pytest.approx([known, 0], abs=1e-9)
    assert first[0] == pytest.approx(known, abs=1e-9)


def test_the_absorbing_game_with_restart_keeps_moving():
    game = named_markov_game("absorbing-restart")
    values, _ = shapley(game)
    ended = 0.75 * (0.5 * values[0] + 0.5 * values[1])
    assert values[1] == pytest.approx(ended, abs=1e-9)
    go_on, end = 0.75 * values[0], 1 + 0.75 * values[1]
    assert value([[go_on, end], [end, end - 1]])[0] == pytest.approx(values[0])


@pytest.mark.parametrize("stay", [0.5, 0.9, 0.99])
def test_the_mixing_example(stay):
    game = mixing(stay)
    values, first = shapley(game)
    known = 0.1 / (1 - 0.5 * (2 * stay - 1))
    assert values == pytest.approx([known, -known])
    assert first == pytest.approx([0.4, 0.4])
    law = game.initial
    for k in range(1, 6):
        law = law @ game.transitions[:, 0, 0]
        assert law[0] == pytest.approx((1 + (2 * stay - 1) ** k) / 2)


@pytest.mark.parametrize(("collapse", "heavy"), [(0.049, True), (0.051, False)])
def test_the_fishing_equilibrium_flips(collapse, heavy):
    game = fishing(collapse)
    last = game.stage_game(0, np.zeros((2, 2)))
    assert np.all(last.own_first(0)[1] > last.own_first(0)[0])
    first = game.stage_game(0, np.array([[20.0, 0.0]] * 2))
    for i in range(2):
        assert np.all((first.own_first(i)[1] > first.own_first(i)[0]) == heavy)


def test_inspection_mixes_as_known():
    stage = named_markov_game("inspection").stage_game(0, np.zeros((2, 1)))
    inspector, inspectee = stage.payoffs
    assert np.ptp(np.array([0.4, 0.6]) @ inspectee) == pytest.approx(0)
    assert np.ptp(inspector @ np.array([1 / 6, 5 / 6])) == pytest.approx(0)


def test_two_state_probabilities():
    game = named_markov_game("two-state")
    np.testing.assert_allclose(game.transitions[..., 0], [[[0.9, 0.5], [0.5, 0.1]], [[0.2, 0.6], [0.6, 0.8]]])
    assert named_markov_game("two-state-horizon").horizon == 3
