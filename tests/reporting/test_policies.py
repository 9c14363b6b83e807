"""Policies as text, tables and pictures, and the paths they lead along."""

from itertools import pairwise, product

import numpy as np
import pytest

import equipoise as eqp
from equipoise.games import MarkovGame
from equipoise.games.grid import grid_game
from equipoise.reporting import paths, policies
from equipoise.reporting.style import render
from markov_games import random_markov_game, two_states


@pytest.fixture(scope="module")
def walk():
    """Two agents swap ends of a corridor two cells wide, certain of their moves."""
    game = grid_game(["A.1", "B.2"], {"1": 1.0, "2": 1.0}, horizon=4, success=0.9, failure="stay")
    return eqp.solve(game, eqp.QRE(30.0))


class TestPaths:
    def test_the_most_likely_path_is_the_best_of_all(self):
        for seed in range(3):
            game = random_markov_game(seed, states=3, actions=(2, 2), horizon=4)
            solution = eqp.solve(game, eqp.QRE(2.0))
            moves = [paths.chain(solution, h).toarray() for h in range(4)]
            found = paths.likely_path(solution, start=1)

            def chance(route, moves=moves):
                return np.prod([moves[h][a, b] for h, (a, b) in enumerate(pairwise(route))])

            best = max(product([1], *[range(3)] * 4), key=chance)
            assert found.probability == pytest.approx(chance(best))
            assert tuple(found.states) == best

    def test_chains_are_laws_and_follow_the_joint_policy(self):
        game = random_markov_game(3, states=4, horizon=2)
        for concept in (eqp.QRE(1.0), eqp.CorrelatedEquilibrium()):
            solution = eqp.solve(game, concept)
            law = paths.joint_policy(solution, 1).reshape(4, 2, 3)
            direct = np.einsum("sab,sabt->st", law, game.transitions)
            assert np.allclose(paths.chain(solution, 1).toarray(), direct)
        if solution.joint is not None:
            assert np.allclose(law, solution.joint[1])

    def test_a_detour_can_be_likelier_than_the_likeliest_actions(self):
        """From state 0: 40 % to 1 and then nowhere in particular, or 30 % each to 2 and 3 that stay put."""
        kernel = np.array([[0, 0.4, 0.3, 0.3], [0.25] * 4, [0, 0, 1, 0], [0, 0, 0, 1.0]])[:, None]
        game = MarkovGame(kernel, [np.zeros((4, 1))], horizon=2, initial=[1, 0, 0, 0])
        solution = eqp.solve(game, eqp.QRE(1.0))
        assert list(paths.likely_path(solution).states) == [0, 2, 2]
        assert paths.likely_path(solution).probability == pytest.approx(0.3)
        greedy = paths.greedy_path(solution)
        assert greedy.states[1] == 1
        assert greedy.probability == pytest.approx(0.1)

    def test_steps_out_of_range_are_refused(self):
        with pytest.raises(ValueError, match="at most the horizon 3, got 4"):
            paths.likely_path(eqp.solve(two_states(), eqp.QRE(1.0)), steps=4)


class TestText:
    def test_arrows_point_to_the_goals(self, walk):
        text = policies.policy_text(walk)
        first, second = text.split("\n\n")
        assert first.splitlines()[0] == "Player 1:"
        assert first.splitlines()[1].strip().startswith("→  →")
        assert second.splitlines()[2].strip().startswith("→  →")
        path = policies.path_text(walk, paths.likely_path(walk))
        assert path.splitlines()[0] == "Player 1: (0,0) (0,1) (0,2)"
        assert path.splitlines()[1] == "Player 2: (1,0) (1,1) (1,2)"

    def test_indifference_shows_as_a_plus(self, walk):
        last = policies.policy_text(walk, step=3)
        assert "+1" in last

    def test_games_without_a_map(self):
        solution = eqp.solve(two_states(), eqp.QRE(1.0))
        with pytest.raises(ValueError, match="has no map"):
            policies.policy_text(solution)
        assert "State 1" in policies.path_text(solution, paths.likely_path(solution))

    def test_table_holds_policies_and_values(self):
        game = random_markov_game(2)
        solution = eqp.solve(game, eqp.QRE(1.0))
        table = policies.policy_table(solution, 1)
        assert len(table.rows) == 6
        assert table.rows[0][-1] == pytest.approx(solution.details["values"][1, 0, 0])
        assert table.rows[1][2].endswith(policies.format_number(float(solution.strategies[1][1, 0, 0])))
        evidence = dict(policies.markov_evidence_table(solution).rows)
        assert evidence["converged"] is True

    def test_plain_objects(self):
        solution = eqp.solve(two_states(), eqp.CorrelatedEquilibrium())
        plain = policies.markov_solution_to_dict(solution)
        assert np.allclose(plain["joint"], solution.joint)
        assert np.allclose(plain["strategies"]["Player 2"], solution.strategies[1])


class TestPictures:
    def test_map_has_a_panel_and_a_path_per_player(self, walk):
        figure = policies.draw_policy(walk)
        panels = [axis for axis in figure.axes if axis.get_title(loc="left")]
        assert [p.get_title(loc="left") for p in panels] == ["Player 1, step 1", "Player 2, step 1"]
        assert len(panels[0].lines) == 6  # line, start and end of two agents
        assert len(panels[0].texts) > 6  # arrows are annotations
        values = panels[0].images[0].get_array()
        cell = walk.game.layout.positions[:, 0] == 2
        there = walk.game.layout.positions[:, 1] == walk.game.layout.positions[walk.game.initial.argmax(), 1]
        assert values[0, 2] == pytest.approx(walk.values[0][cell & there][0])
        assert render(figure, "png") == render(policies.draw_policy(walk), "png")

    def test_bars_without_a_map(self):
        figure = policies.draw_policy(eqp.solve(two_states(), eqp.QRE(1.0)))
        assert len(figure.axes) == 2
        heights = [bar.get_height() for bar in figure.axes[0].patches]
        assert sum(heights) == pytest.approx(2.0)

    def test_paths_side_by_side(self, walk):
        found = {"one": paths.likely_path(walk), "two": paths.greedy_path(walk)}
        figure = policies.draw_paths({"one": walk, "two": walk}, found)
        assert [axis.get_title(loc="left") for axis in figure.axes] == ["one", "two"]
