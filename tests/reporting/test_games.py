"""Tables of games."""

import numpy as np

from equipoise.games import MarkovGame, named_markov_game
from equipoise.reporting.games import transition_table


def test_small_markov_games_are_shown_whole():
    table = transition_table(named_markov_game("two-state"))
    assert len(table.rows) == 8
    assert table.rows[1] == ("s0", "1", "2", "0", "1", "s0 0.5, s1 0.5")
    assert table.caption == ""


def test_large_ones_by_their_first_state():
    game = named_markov_game("cliff-walk-code")
    table = transition_table(game)
    assert len(table.rows) == 16
    assert {row[0] for row in table.rows} == {game.state_names[int(np.argmax(game.initial))]}
    assert table.caption == "16 of 2304 states with joint actions"


def test_moves_of_games_that_depend_on_time():
    kernel = np.stack([np.eye(2)[:, None, :], np.eye(2)[::-1][:, None, :]])
    game = MarkovGame(kernel, np.zeros((1, 2, 1)), horizon=2)
    assert [row[-1] for row in transition_table(game, 1).rows] == ["State 2 1", "State 1 1"]
    assert transition_table(game, 1).caption == "move 2 of 2"
