from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.equilibria._solution import NotConvergedError, solve
from equipoise.equilibria.correlated import CorrelatedEquilibrium
from equipoise.equilibria.nash import Nash, all_nash_equilibria, pure_nash_equilibria
from equipoise.equilibria.security import Security
from equipoise.equilibria.stackelberg import Stackelberg
from equipoise.games import random_game, random_zero_sum, to_pygambit
from equipoise.games.normal_form import NormalFormGame

DILEMMA = NormalFormGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
STAG_HUNT = NormalFormGame([[[4, 0], [3, 3]], [[4, 3], [0, 3]]])


def test_zero_sum_by_linear_program():
    game = NormalFormGame([[[3, -1], [-2, 4]], [[-3, 1], [2, -4]]])
    solution = solve(game, Nash())
    np.testing.assert_allclose(solution.strategies[0], [0.6, 0.4], atol=1e-12)
    np.testing.assert_allclose(solution.strategies[1], [0.5, 0.5], atol=1e-12)
    np.testing.assert_allclose(solution.values, [1.0, -1.0], atol=1e-12)
    assert solution.branch == "linear program"
    assert solution.status == "Mixed equilibrium. All equilibria have these values."


def test_dominance_and_the_words_about_uniqueness():
    solution = solve(DILEMMA, Nash())
    np.testing.assert_array_equal(solution.strategies[0], [0, 1])
    assert solution.status == "Pure equilibrium. There is no other."
    assert "3 extreme equilibria" in solve(STAG_HUNT, Nash()).status
    assert solve(random_game((6, 6), np.random.default_rng(0)), Nash()).status.endswith("Others may exist.")


def test_labels_reach_different_equilibria():
    # Dropping the label of an action of the stag hunt ends at the pure equilibrium that uses it.
    for label, expected in [(0, [1, 0]), (1, [0, 1]), (2, [1, 0]), (3, [0, 1])]:
        solution = solve(STAG_HUNT, Nash("lemke_howson", label=label))
        np.testing.assert_array_equal(solution.strategies[0], expected)


def test_logit_limit_selects_the_risk_dominant_equilibrium_of_the_stag_hunt():
    # Against uniform play the hare earns 3 and the stag 2, so the branch bends towards the hare.
    solution = solve(STAG_HUNT, Nash("logit"))
    np.testing.assert_array_equal(solution.strategies[0], [0, 1])
    assert solution.branch == "limit of the principal logit branch"


@settings(max_examples=12)
@given(st.integers(0, 10**6), st.sampled_from([(2, 3), (4, 4), (6, 3)]))
def test_all_methods_certify_on_zero_sum_games_with_one_value(seed, shape):
    game = random_zero_sum(shape, np.random.default_rng(seed))
    values = [solve(game, Nash(method)).values for method in ("linear_program", "lemke_howson", "logit")]
    np.testing.assert_allclose(values, [values[0]] * 3, atol=1e-9)
    np.testing.assert_allclose(values[0], solve(game, Security()).values, atol=1e-9)


@pytest.mark.parametrize("shape", [(2, 2, 2), (3, 3, 3), (2, 2, 2, 2), (2, 3, 4), (2,) * 5])
def test_many_players_reach_certified_equilibria(shape):
    rng = np.random.default_rng(sum(shape))
    for _ in range(12):
        game = random_game(shape, rng)
        solution = solve(game, Nash())
        assert solution.certificate.gap < 1e-12
        assert solution.residual < 1e-12


def test_many_players_with_ties():
    rng = np.random.default_rng(8)
    for _ in range(12):
        game = NormalFormGame(rng.integers(0, 3, size=(3, 3, 2, 2)))
        assert solve(game, Nash()).certificate.gap < 1e-12


def test_three_players_by_hand():
    # Volunteer's game: the good is worth 1 to all if someone provides it at cost c. In the symmetric
    # equilibrium each provides with 1 - c^(1/2), and the branch from uniform play keeps the symmetry.
    cost, payoffs = 0.3, np.zeros((3, 2, 2, 2))
    for cell in product(range(2), repeat=3):
        payoffs[(slice(None), *cell)] = [float(min(cell) == 0) - cost * (a == 0) for a in cell]
    solution = solve(NormalFormGame(payoffs), Nash())
    for x in solution.strategies:
        np.testing.assert_allclose(x[0], 1 - np.sqrt(cost), atol=1e-10)


def test_one_player_maximises():
    solution = solve(NormalFormGame([[1.0, 4.0, 2.0]]), Nash())
    np.testing.assert_array_equal(solution.strategies[0], [0, 1, 0])


@settings(max_examples=12)
@given(st.integers(0, 10**6), st.sampled_from([(2, 2), (3, 3), (2, 2, 2), (3, 2, 2)]))
def test_equilibria_do_not_depend_on_payoff_units(seed, shape):
    game = random_game(shape, np.random.default_rng(seed))
    scaled = game.scaled(np.geomspace(1e-3, 1e6, len(shape)), 7.0)
    for x, y in zip(solve(game, Nash()).strategies, solve(scaled, Nash()).strategies, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-8)


@given(st.integers(0, 10**6))
def test_other_concepts_bracket_every_nash_equilibrium(seed):
    game = random_game((3, 3), np.random.default_rng(seed))
    committed = [solve(game, Stackelberg(leader)).details["value"] for leader in (0, 1)]
    security = solve(game, Security()).values
    best = [solve(game, CorrelatedEquilibrium(i)).values[i] for i in (0, 1)]
    for solution in all_nash_equilibria(game):
        assert solution.converged
        assert np.all(solution.values >= security - 1e-9)
        assert np.all(solution.values <= np.array(committed) + 1e-9)
        assert np.all(solution.values <= np.array(best) + 1e-9)


def test_all_equilibria_tell_isolated_ones_from_continua():
    solutions = all_nash_equilibria(STAG_HUNT)
    assert len(solutions) == 3
    np.testing.assert_allclose(solutions[2].strategies[0], [0.75, 0.25], atol=1e-12)
    assert all(solution.status.endswith("Isolated equilibrium.") for solution in solutions)
    # The column player is indifferent, whatever row does.
    continuum = all_nash_equilibria(NormalFormGame([[[2, 0], [1, 1]], [[1, 1], [0, 0]]]))
    assert all(solution.status.endswith("End point of a continuum of equilibria.") for solution in continuum)


@given(st.integers(0, 10**6), st.sampled_from([(2, 2), (3, 2, 2), (4,), (2, 2, 2, 2)]))
def test_pure_equilibria_against_enumeration(seed, shape):
    game = NormalFormGame(np.random.default_rng(seed).integers(0, 3, size=(len(shape), *shape)))
    expected = [
        cell
        for cell in product(*map(range, shape))
        if all(
            game.payoffs[i][cell]
            >= max(game.payoffs[i][(*cell[:i], a, *cell[i + 1 :])] for a in range(count))
            for i, count in enumerate(shape)
        )
    ]
    assert list(pure_nash_equilibria(game)) == expected


def test_a_path_cut_short_is_flagged(monkeypatch):
    monkeypatch.setattr("equipoise.equilibria._polytope.MAX_PIVOTS", 1)
    game = random_game((4, 4), np.random.default_rng(2))
    with pytest.raises(NotConvergedError, match="try another label"):
        solve(game, Nash("lemke_howson"))


def test_helpful_errors():
    three = NormalFormGame(np.zeros((3, 2, 2, 2)))
    with pytest.raises(ValueError, match="label must be 0 or more, got -1"):
        Nash("lemke_howson", label=-1)
    with pytest.raises(ValueError, match="label=2 needs method='lemke_howson', got 'auto'"):
        Nash(label=2)
    with pytest.raises(ValueError, match="label=4, but the game has 4 actions"):
        Nash("lemke_howson", label=4).find(DILEMMA)
    with pytest.raises(ValueError, match="needs a two-player constant-sum game"):
        Nash("linear_program").find(DILEMMA)
    with pytest.raises(ValueError, match="needs two players, this game has 3; use 'logit'"):
        Nash("lemke_howson").find(three)
    with pytest.raises(ValueError, match="use pure_nash_equilibria"):
        all_nash_equilibria(three)


def probabilities(profile) -> np.ndarray:
    """A pygambit mixed profile as one vector."""
    return np.array([float(p) for mixed in profile for _, p in mixed])


@pytest.mark.peer
@given(st.integers(0, 10**6), st.sampled_from([(2, 2), (3, 3), (3, 4), (4, 2)]), st.booleans())
def test_gambit_lists_the_same_extreme_equilibria(seed, shape, integer):
    gambit = pytest.importorskip("pygambit")
    rng = np.random.default_rng(seed)
    game = NormalFormGame(rng.integers(*((0, 3) if integer else (-999, 999)), size=(2, *shape)))
    ours = [np.concatenate(solution.strategies) for solution in all_nash_equilibria(game)]
    exact = gambit.nash.enummixed_solve(to_pygambit(game), rational=True).equilibria
    # Gambit repeats an equilibrium where the polytopes are degenerate.
    theirs = {tuple(probabilities(profile)) for profile in exact}
    assert len(ours) == len(theirs)
    for one in theirs:
        assert min(np.abs(one - other).max() for other in ours) < 1e-9


@pytest.mark.peer
def test_gambit_agrees_on_lcp_and_lp():
    gambit = pytest.importorskip("pygambit")
    rng = np.random.default_rng(4)
    for _ in range(5):
        game = NormalFormGame(rng.integers(-99, 99, size=(2, 4, 5)))
        theirs = probabilities(gambit.nash.lcp_solve(to_pygambit(game), rational=True).equilibria[0])
        ours = [np.concatenate(solution.strategies) for solution in all_nash_equilibria(game)]
        assert min(np.abs(theirs - one).max() for one in ours) < 1e-9
        zero_sum = NormalFormGame([game.payoffs[0], -game.payoffs[0]])
        profile = gambit.nash.lp_solve(to_pygambit(zero_sum), rational=True).equilibrium
        x, y = (np.array([float(p) for _, p in mixed]) for mixed in profile)
        assert solve(zero_sum, Nash()).values[0] == pytest.approx(x @ game.payoffs[0] @ y, abs=1e-9)


@pytest.mark.peer
def test_nashpy_vertex_enumeration_agrees_on_nondegenerate_games():
    nashpy = pytest.importorskip("nashpy")
    rng = np.random.default_rng(6)
    for _ in range(20):
        game = random_game((3, 4), rng)
        theirs = [np.concatenate(pair) for pair in nashpy.Game(*game.payoffs).vertex_enumeration()]
        ours = [np.concatenate(s.strategies) for s in all_nash_equilibria(game)]
        assert len(ours) == len(theirs)
        for one in theirs:
            assert min(np.abs(one - other).max() for other in ours) < 1e-9


@pytest.mark.peer
def test_quantecon_follows_the_same_lemke_howson_paths():
    quantecon = pytest.importorskip("quantecon")
    rng = np.random.default_rng(9)
    for _ in range(5):
        game = random_game((4, 3), rng)
        players = [quantecon.game_theory.Player(np.array(game.own_first(i))) for i in range(2)]
        theirs = quantecon.game_theory.NormalFormGame(players)
        for label in range(7):
            expected = quantecon.game_theory.lemke_howson(theirs, init_pivot=label)
            found = solve(game, Nash("lemke_howson", label=label)).strategies
            for x, y in zip(found, expected, strict=True):
                np.testing.assert_allclose(x, y, atol=1e-9)
