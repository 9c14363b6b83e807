"""check_game finds what it promises and is silent about games with nothing to report."""

import numpy as np
import pytest

import zoo
from equipoise.games import MarkovGame, NormalFormGame, check_game, named_game

A = np.array([[1.0, 4.0, 2.0], [3.0, 0.0, 5.0]])
B = np.array([[2.0, 1.0, 0.5], [0.0, 3.0, 3.5]])


def only(game, text):
    warnings = check_game(game)
    assert len(warnings) == 1, warnings
    assert text in warnings[0]


@pytest.mark.parametrize(
    "name", ["matching-pennies", "stag-hunt", "shapley", "jordan", "irrational", "three-by-two"]
)
def test_silent_about_ordinary_games(name):
    assert check_game(named_game(name)) == []


def test_dominance():
    only(named_game("jordan-with-exit"), "Action 'leave' of Player 1 is strictly dominated by 'heads'.")
    only(named_game("entry-deterrence"), "Action 'fight' of Incumbent is weakly dominated by 'share'.")
    assert check_game(named_game("prisoners-dilemma")) == [
        "Action 'cooperate' of Row is strictly dominated by 'defect'.",
        "Action 'cooperate' of Column is strictly dominated by 'defect'.",
    ]


def test_duplicates_and_equivalents():
    double = NormalFormGame([np.vstack([A, A[:1]]), np.vstack([B, B[:1]])])
    only(double, "Actions '1' and '3' of Player 1 are duplicates: they pay everybody the same.")
    alike = NormalFormGame([np.vstack([A, A[:1]]), np.vstack([B, B[:1] + 0.25])])
    only(alike, "Actions '1' and '3' of Player 1 always pay Player 1 the same.")


def test_constant_single_and_independent():
    only(NormalFormGame([A, np.full((2, 3), 7.0)]), "Player 2 gets 7 whatever happens")
    assert "Player 2 has only one action." in check_game(NormalFormGame([[[1.0], [2.0]], [[1.0], [2.0]]]))
    own = NormalFormGame([A, np.broadcast_to([1.0, 1.0, 1.0], (2, 3)) * [1.0, 2.0, 3.0]])
    assert "The payoffs of Player 2 do not depend on what the others do." in check_game(own)


def test_scales():
    assert any("Payoff ranges differ" in w for w in check_game(zoo.awkward_games()["unequal-scales"]))
    assert sum("subtract a constant" in w for w in check_game(zoo.awkward_games()["far-from-zero"])) == 2


def test_names():
    game = NormalFormGame([A, B], "", ["x", "x"], [["a", "a"], ["L", "M", "R"]])
    assert check_game(game) == ["Two players have the same name.", "Two actions of x have the same name."]


@pytest.mark.parametrize("name", zoo.awkward_games())
def test_awkward_games_are_reported_or_ordinary(name):
    warnings = check_game(zoo.awkward_games()[name])
    assert all(warning.endswith(".") for warning in warnings)
    ordinary = {"huge-payoffs", "tiny-payoffs", "tied-payoffs", "unequal-cells"}
    assert bool(warnings) or name in ordinary


def test_markov_games():
    kernel = np.zeros((3, 2, 1, 3))
    kernel[0, 0, 0, 0] = kernel[0, 1, 0, 1] = 1
    kernel[1, :, :, 1] = kernel[2, :, :, 0] = 1
    rewards = np.zeros((2, 3, 2, 1))
    rewards[0, 0, 1] = 1.0
    game = MarkovGame(kernel, rewards, discount=0.5, initial=[1, 0, 0])
    only(game, "Never reached from the initial states: State 3.")
    # One move only: the second state is entered after it.
    assert "Never reached from the initial states: State 2, State 3." in check_game(
        MarkovGame(kernel, rewards, horizon=1, initial=[1, 0, 0])
    )
    assert check_game(MarkovGame(kernel, rewards, horizon=2)) == []
    same = MarkovGame(kernel[:, [0, 0]], rewards[:, :, [0, 0]], discount=0.5)
    only(same, "Actions '1' and '2' of Player 1 are duplicates in every state.")
    only(
        MarkovGame(kernel, rewards, discount=0.5, state_names=["a", "a", "b"]),
        "Two states have the same name.",
    )


def test_markov_games_that_change_over_time():
    stay = np.array([1.0, 0.0])
    move = np.array([0.0, 1.0])
    kernel = np.empty((3, 2, 1, 2))
    kernel[:, 0, 0], kernel[:, 1, 0] = stay, move
    kernel[1, 0, 0] = move
    late = MarkovGame(kernel, np.zeros((1, 2, 1)), horizon=3, initial=[1, 0])
    assert check_game(late) == []
    kernel[1, 0, 0] = stay
    only(MarkovGame(kernel, np.zeros((1, 2, 1)), horizon=3, initial=[1, 0]), "Never reached")


def test_other_objects_are_refused():
    with pytest.raises(TypeError):
        check_game(np.eye(2))
