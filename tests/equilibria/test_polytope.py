from itertools import chain, combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.equilibria import _polytope
from equipoise.equilibria._gaps import nash_gap
from equipoise.equilibria._polytope import best_reply_polytopes, extreme_equilibria, lemke_howson
from equipoise.games.normal_form import NormalFormGame

SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 4))


def random_game(seed: int, shape: tuple[int, int], kind: str) -> NormalFormGame:
    rng = np.random.default_rng(seed)
    payoffs = rng.normal(size=(2, *shape)) if kind == "normal" else rng.integers(0, 3, size=(2, *shape))
    return NormalFormGame(payoffs)


def by_supports(game: NormalFormGame) -> list[np.ndarray]:
    """All equilibria of a nondegenerate game: try every pair of supports of equal size."""
    A, B = game.payoffs
    found = []
    for size in range(1, min(A.shape) + 1):
        for rows, columns in product(
            combinations(range(A.shape[0]), size), combinations(range(A.shape[1]), size)
        ):
            profile = []
            for matrix in (B[np.ix_(rows, columns)].T, A[np.ix_(rows, columns)]):
                system = np.block([[matrix, -np.ones((size, 1))], [np.ones((1, size)), np.zeros((1, 1))]])
                if abs(np.linalg.det(system)) < 1e-12:
                    break
                profile.append(np.linalg.solve(system, np.eye(size + 1)[-1])[:size])
            if len(profile) < 2 or min(profile[0].min(), profile[1].min()) <= 0:
                continue
            x, y = np.zeros(A.shape[0]), np.zeros(A.shape[1])
            x[list(rows)], y[list(columns)] = profile
            if nash_gap(game, [x / x.sum(), y / y.sum()])[0] < 1e-9:
                found.append(np.concatenate([x, y]))
    return found


def vertices_by_bases(game: NormalFormGame, i: int) -> set[bytes]:
    """Label sets of all corners of player i's polytope, from every choice of tight constraints."""
    polytope = best_reply_polytopes(game)[i]
    others, own = polytope.constraints.shape
    rows = np.vstack([np.eye(own), polytope.constraints])
    sides = np.concatenate([np.zeros(own), np.ones(others)])
    corners = set()
    for tight in combinations(range(own + others), own):
        matrix = rows[list(tight)]
        if abs(np.linalg.det(matrix)) < 1e-9:
            continue
        x = np.linalg.solve(matrix, sides[list(tight)])
        slack = np.concatenate([x, 1 - polytope.constraints @ x])
        if slack.min() > -1e-9 and x.max() > 1e-9:
            has = np.zeros(own + others, dtype=bool)
            has[polytope.labels[np.abs(slack) < 1e-9]] = True
            corners.add(has.tobytes())
    return corners


@given(st.integers(0, 10**6), SHAPES, st.sampled_from(["normal", "integer"]))
def test_vertices_are_those_of_every_choice_of_tight_constraints(seed, shape, kind):
    game = random_game(seed, shape, kind)
    for i, polytope in enumerate(best_reply_polytopes(game)):
        strategies, labels = polytope.vertices()
        assert {row.tobytes() for row in labels} == vertices_by_bases(game, i)
        np.testing.assert_allclose(strategies.sum(axis=1), 1.0)
        assert strategies.min() >= 0.0


def test_five_hundred_random_games_have_as_many_equilibria_as_supports_allow():
    rng = np.random.default_rng(31)
    for _ in range(500):
        game = NormalFormGame(rng.normal(size=(2, *rng.integers(2, 5, size=2))))
        listed = [np.concatenate(pair) for pair in extreme_equilibria(game)]
        expected = by_supports(game)
        assert len(listed) == len(expected)
        assert len(listed) % 2 == 1  # a nondegenerate game has an odd number
        for one in expected:
            assert min(np.abs(one - other).max() for other in listed) < 1e-9


@given(st.integers(0, 10**6), SHAPES, st.sampled_from(["normal", "integer"]))
def test_every_label_leads_to_a_listed_equilibrium(seed, shape, kind):
    game = random_game(seed, shape, kind)
    listed = [np.concatenate(pair) for pair in extreme_equilibria(game)]
    for label in range(sum(shape)):
        profile, pivots, finished = lemke_howson(game, label)
        assert finished
        assert pivots >= 2
        assert nash_gap(game, profile)[0] < 1e-12
        assert min(np.abs(np.concatenate(profile) - one).max() for one in listed) < 1e-9


def test_degenerate_game_by_hand():
    # Column is indifferent against the top row: the continuum has the end points y = (1, 0) and (1/2, 1/2).
    game = NormalFormGame([[[2, 0], [1, 1]], [[1, 1], [0, 0]]])
    pairs = [np.concatenate(pair) for pair in extreme_equilibria(game)]
    expected = [[1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 0.5, 0.5], [0, 1, 0.5, 0.5]]
    assert len(pairs) == len(expected)
    for one in expected:
        assert min(np.abs(one - pair).max() for pair in pairs) < 1e-12


def test_all_profiles_are_equilibria_of_a_constant_game():
    pairs = extreme_equilibria(NormalFormGame(np.ones((2, 2, 3))))
    assert len(pairs) == 6
    assert all(np.count_nonzero(x) == 1 for x in chain.from_iterable(pairs))


def test_payoff_units_and_levels_change_no_path():
    rng = np.random.default_rng(3)
    game = NormalFormGame(rng.integers(0, 4, size=(2, 4, 4)))
    # A function of the opponent's action changes no best reply.
    shifted = NormalFormGame(
        [1e6 * game.payoffs[0] + rng.normal(size=4), 1e-6 * game.payoffs[1] + rng.normal(size=(4, 1))]
    )
    for label in range(8):
        for one, other in zip(lemke_howson(game, label)[0], lemke_howson(shifted, label)[0], strict=True):
            np.testing.assert_allclose(one, other, atol=1e-8)


def test_larger_games_stay_exact():
    game = NormalFormGame(np.random.default_rng(0).normal(size=(2, 50, 40)))
    profile, _, finished = lemke_howson(game, 3)
    assert finished
    assert nash_gap(game, profile)[0] < 1e-12


def test_too_many_vertices_are_refused(monkeypatch):
    monkeypatch.setattr(_polytope, "MAX_BASES", 50)
    with pytest.raises(ValueError, match="6 actions against 6 has more than 50 bases"):
        extreme_equilibria(random_game(0, (6, 6), "normal"))


def test_payoffs_too_uneven_for_floats_are_reported_not_guessed():
    # Payoffs over more than thirty orders of magnitude: some of these games have singular bases.
    rng = np.random.default_rng(0)
    refusals = []
    for _ in range(60):
        shape = (2, *rng.integers(3, 6, size=2))
        game = NormalFormGame(rng.choice([-1, 1], size=shape) * np.exp(25 * rng.normal(size=shape)))
        try:
            extreme_equilibria(game)
        except ValueError as error:
            refusals.append(str(error))
        lemke_howson(game, 0)
    assert refusals
    assert all("orders of magnitude" in message for message in refusals)
