"""Batches of games: the same answers as one by one, for mixed shapes and concepts."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from equipoise.equilibria._solution import Solution, solve
from equipoise.equilibria.batch import SolutionBatch, solve_batch
from equipoise.equilibria.nash import Nash
from equipoise.equilibria.qre import QRE
from equipoise.equilibria.rqe import RQE
from equipoise.equilibria.security import Security
from equipoise.games import NormalFormGame, named_game, random_game


def games_of(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [random_game(shape, rng) for shape in shapes]


def same(first, second, tolerance=1e-12):
    return all(
        np.abs(a - b).max() < tolerance for a, b in zip(first.strategies, second.strategies, strict=True)
    )


CONCEPTS = [
    QRE(2.0),
    RQE(0.0, 0.5),
    RQE(1.0, 0.3),
    RQE((2.0, 0.0), (0.4, 0.2)),
    RQE(1.0, 0.3, "kl", "log_barrier"),
    RQE(1.0, 0.3, "reverse_kl"),
    RQE((0.0, 1.0), 0.3, "reverse_kl", "log_barrier"),
    RQE(1.0, 0.3, "l1", form="action_dependent"),
    RQE(1.0, 0.3, "reverse_kl", form="action_dependent"),
]


class TestSameAsOneByOne:
    @pytest.mark.parametrize("concept", CONCEPTS, ids=lambda c: c.name)
    def test_one_concept_for_many_games(self, concept):
        games = games_of((3, 2), (2, 2), (3, 2), (2, 4), (2, 2))
        batch = solve_batch(games, concept)
        assert batch.converged.all()
        for game, answer in zip(games, batch, strict=True):
            alone = solve(game, concept)
            assert same(answer, alone)
            np.testing.assert_allclose(answer.values, alone.values, rtol=1e-10)
            assert (answer.branch, answer.status) == (alone.branch, alone.status)
            assert answer.details["index"] == alone.details["index"]

    def test_a_concept_for_each_game(self):
        # All concepts over one game, so that groups of different rules and neutral players mix.
        game = games_of((3, 3))[0]
        batch = solve_batch([game] * len(CONCEPTS), CONCEPTS)
        for concept, answer in zip(CONCEPTS, batch, strict=True):
            assert answer.concept == concept
            assert same(answer, solve(game, concept))

    def test_a_grid_of_parameters(self):
        game = named_game("selten-chmura-4")
        grid = [RQE(tau, eps) for tau in (0.0, 0.1, 1.0, 10.0) for eps in (0.1, 1.0)]
        batch = solve_batch([game] * len(grid), grid)
        assert batch.strategies[0].shape == (8, 2)
        for k, concept in enumerate(grid):
            assert same(batch[k], solve(game, concept))

    def test_classical_concepts_are_solved_one_by_one(self):
        games = [named_game("matching-pennies"), named_game("stag-hunt")]
        batch = solve_batch(games, Security())
        assert same(batch[1], solve(games[1], Security()))
        mixed = solve_batch(games, [Nash(), QRE(1.0)])
        assert same(mixed[0], solve(games[0], Nash()))
        assert same(mixed[1], solve(games[1], QRE(1.0)))
        limits = solve_batch(games, [RQE(0.0, 0.0), RQE(np.inf, 0.0)])
        assert same(limits[0], solve(games[0], Nash()))
        assert same(limits[1], solve(games[1], Security()))

    def test_three_players_and_marginals(self):
        games = games_of((2, 2, 2), (2, 3, 2), (2, 2, 2), seed=4)
        concept = RQE(1.0, 0.5, "kl", "log_barrier", joint_penalty="marginals")
        batch = solve_batch(games, concept)
        for game, answer in zip(games, batch, strict=True):
            assert same(answer, solve(game, concept), 1e-9)

    def test_answers_do_not_depend_on_company(self):
        games = games_of(*[(3, 3)] * 40, seed=1)
        together = solve_batch(games, RQE(3.0, 0.05))
        for k in (0, 17, 39):
            assert same(together[k], solve_batch([games[k]], RQE(3.0, 0.05))[0], 1e-11)


class TestInput:
    def test_stacked_payoffs(self):
        payoffs = np.random.default_rng(2).standard_normal((6, 2, 3, 2))
        batch = solve_batch(payoffs, QRE(1.0))
        assert len(batch) == 6
        assert same(batch[4], solve(NormalFormGame(list(payoffs[4])), QRE(1.0)))

    def test_any_iterable_of_games(self):
        games = games_of((2, 2), (2, 2))
        assert same(solve_batch(iter(games), QRE(1.0))[1], solve_batch(games, QRE(1.0))[1])

    def test_no_games(self):
        batch = solve_batch([], QRE(1.0))
        assert len(batch) == 0
        assert list(batch) == []

    def test_progress_reaches_the_number_of_games(self):
        seen = []
        solve_batch(games_of((2, 2), (2, 3), (2, 2)), [QRE(1.0), QRE(1.0), Nash()], each=seen.append)
        assert seen == sorted(seen)
        assert seen[-1] == 3


class TestRecord:
    def test_arrays_repeat_the_solutions(self):
        games = games_of((2, 2), (2, 2), (2, 2))
        batch = solve_batch(games, RQE(1.0, 0.2))
        assert isinstance(batch, SolutionBatch)
        for k, answer in enumerate(batch):
            assert isinstance(answer, Solution)
            assert answer.game is games[k]
            np.testing.assert_allclose(batch.gaps[k], answer.certificate.gap)
            np.testing.assert_allclose(batch.values[k], answer.values)
            assert batch.residuals[k] == answer.residual
            assert batch.iterations[k] == answer.iterations
            np.testing.assert_array_equal(batch.strategies[1][k], answer.strategies[1])
        np.testing.assert_allclose(np.sum(batch.strategies[0], axis=1), 1.0)

    def test_indexing_like_a_sequence(self):
        batch = solve_batch(games_of((2, 2), (2, 3), (3, 2)), QRE(1.0))
        assert batch[-1].game.num_actions == (3, 2)
        assert [answer.game.num_actions for answer in batch[:2]] == [(2, 2), (2, 3)]
        with pytest.raises(IndexError, match="solution 3 of a batch of 3"):
            batch[3]
        with pytest.raises(IndexError, match="solution -4"):
            batch[-4]

    def test_values_of_games_with_fewer_players_end_in_nan(self):
        batch = solve_batch(games_of((2, 2), (2, 2, 2)), QRE(1.0))
        assert np.isnan(batch.values[0]).tolist() == [False, False, True]
        assert np.isfinite(batch.values[1]).all()

    def test_strategies_of_different_shapes_are_not_stacked(self):
        batch = solve_batch(games_of((2, 2), (2, 3)), QRE(1.0))
        with pytest.raises(ValueError, match=r"games differ in shape; use batch\[k\]\.strategies"):
            _ = batch.strategies


class TestRefusals:
    def test_numbers_of_games_and_concepts(self):
        with pytest.raises(ValueError, match="2 games but 3 concepts"):
            solve_batch(games_of((2, 2), (2, 2)), [QRE(1.0)] * 3)

    def test_parameters_that_do_not_fit_a_game(self):
        with pytest.raises(ValueError, match="risk_aversion has 2 entries but the game has 3 players"):
            solve_batch(games_of((2, 2), (2, 2, 2)), RQE((1.0, 2.0), 1.0))
        with pytest.raises(ValueError, match="without noise"):
            solve_batch(games_of((2, 2)), RQE(1.0, 0.0))

    @pytest.mark.parametrize(
        ("games", "concept"),
        [
            ([named_game("stag-hunt")], RQE),
            ([named_game("stag-hunt")], "rqe"),
            ([[[1.0, 2.0], [3.0, 4.0]]], QRE(1.0)),
        ],
    )
    def test_wrong_types(self, games, concept):
        with pytest.raises(TypeError):
            solve_batch(games, concept)

    def test_wrong_types_are_named_to_users_who_run_without_a_type_checker(self):
        calls = {
            "solve_batch([game], RQE)": "must be an instance",
            "solve_batch([game], 'rqe')": "must be an instance",
            "solve_batch([[[1.0, 2.0], [3.0, 4.0]]], QRE(1.0))": "NormalFormGame",
            "solve_batch(game, QRE(1.0))": "game",
        }
        attempt = "try: {}\nexcept (TypeError, ValueError) as e: print(str(e).splitlines()[0])\nelse: print()"
        script = "\n".join(
            [
                "from equipoise.equilibria.batch import solve_batch",
                "from equipoise.equilibria.qre import QRE",
                "from equipoise.equilibria.rqe import RQE",
                "from equipoise.games import named_game",
                "game = named_game('stag-hunt')",
                *map(attempt.format, calls),
            ]
        )
        said = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        ).stdout
        for call, expected, line in zip(calls, calls.values(), said.splitlines(), strict=True):
            assert expected in line, f"{call}: {line!r}"

    def test_games_that_do_not_converge_are_counted_in_a_warning(self, monkeypatch):
        monkeypatch.setattr("equipoise.equilibria._quantal.TOLERANCE", -1.0)
        with pytest.warns(RuntimeWarning, match="2 of 2 games did not converge"):
            batch = solve_batch(games_of((2, 2), (2, 2)), QRE(1.0))
        assert not batch.converged.any()
        assert "not converged" in batch[0].status

    def test_no_warning_when_all_is_well(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            solve_batch(games_of((2, 2), (3, 2)), QRE(1.0))
