"""check_game finds what it promises and is silent about games with nothing to report."""

import numpy as np
import pytest

import zoo
from equipoise.games import MarkovGame, NormalFormGame, check_game, named_game
from stored_markov_games import sparse

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


def ring(*, states=3, rewards=None, horizon=None, **parts):
    """One player stays with its first action and goes to the next state with its second."""
    kernel = np.zeros((states, 2, states))
    for s in range(states):
        kernel[s, 0, s] = kernel[s, 1, (s + 1) % states] = 1.0
    rewards = np.arange(2.0 * states).reshape(1, states, 2) if rewards is None else rewards
    discount = 0.5 if horizon is None else None
    return MarkovGame(kernel, rewards, **{"discount": discount, "horizon": horizon, **parts})


def test_markov_games_with_nothing_to_report():
    assert check_game(ring()) == []
    assert check_game(sparse(ring())) == []
    assert check_game(ring(horizon=3, initial=[1, 0, 0])) == []


def test_states_never_reached():
    # The third state is entered by the second move, after which nothing is played.
    only(ring(horizon=2, initial=[1, 0, 0]), "Never reached from the initial states: State 3.")
    only(ring(horizon=1, initial=[1, 0, 0]), "Never reached from the initial states: State 2, State 3.")
    only(ring(horizon=1, states=9, initial=np.eye(9)[0]), "State 5, State 6 and 3 more.")


def test_names_duplicates_and_constant_rewards():
    only(ring(state_names=["a", "a", "b"]), "Two states have the same name.")
    only(ring(rewards=np.full((1, 3, 2), 2.0)), "Player 1 gets 2 at every move, whatever happens.")
    game = ring()
    for kind in (lambda one: one, sparse):
        same = kind(MarkovGame(game.transitions[:, [0, 1, 1]], game.rewards[0][None, :, [0, 1, 1]], 0.5))
        only(same, "Actions '2' and '3' of Player 1 are duplicates in every state.")


def test_states_that_one_trajectory_does_not_keep_visiting():
    kernel = ring().transitions.copy()
    kernel[2] = np.eye(3)[2]
    rewards = ring().rewards
    absorbing = check_game(MarkovGame(kernel, rewards, 0.5))
    assert absorbing == [
        "Absorbing, whatever is played: State 3.",
        "Left for ever under uniform play: State 1, State 2; a learner that follows one trajectory needs "
        "restarts.",
    ]
    kernel[1] = np.eye(3)[1]
    two_ends = check_game(MarkovGame(kernel[:, [0, 1]], rewards, 0.5))
    assert "Uniform play ends in one of 2 separate sets of states" in two_ends[-1]
    # Sets that the initial states do not lead to are no trouble.
    kernel[1] = ring().transitions[1]
    kernel[1, 1] = np.eye(3)[0]
    only(
        MarkovGame(kernel, rewards, 0.5, initial=[1, 0, 0]), "Never reached from the initial states: State 3."
    )


def test_period():
    kernel = np.zeros((4, 1, 4))
    for s in range(4):
        kernel[s, 0, (s + 1) % 4] = 0.5
        kernel[s, 0, (s + 3) % 4] = 0.5
    rewards = np.arange(4.0).reshape(1, 4, 1)
    only(MarkovGame(kernel, rewards, 0.5), "States come round with period 2")
    kernel[0, 0] = [0.5, 0.5, 0.0, 0.0]
    assert check_game(MarkovGame(kernel, rewards, 0.5)) == []


def test_markov_games_that_change_over_time():
    kernel = np.tile(np.eye(2)[None, :, None, :], (3, 1, 1, 1))
    rewards = np.arange(2.0).reshape(1, 2, 1)
    assert check_game(MarkovGame(kernel, rewards, horizon=3, initial=[1, 0])) == [
        "Never reached from the initial states: State 2.",
        "Absorbing, whatever is played: State 1.",
    ]
    kernel[1] = np.eye(2)[::-1][:, None, :]
    assert check_game(MarkovGame(kernel, rewards, horizon=3, initial=[1, 0])) == []


def test_other_objects_are_refused():
    with pytest.raises(TypeError):
        check_game(np.eye(2))
