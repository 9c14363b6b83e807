"""Markov games of other packages: the same values on both sides."""

import itertools

import numpy as np
import pytest

from equipoise.games import (
    from_sgamesolver,
    markov_from_openspiel,
    named_markov_game,
    random_markov_game,
    to_sgamesolver,
)

peer = pytest.mark.peer


class Jagged:
    """What from_sgamesolver reads of a game, without the package."""

    nums_actions = np.array([[2, 2], [2, 1]])
    delta = np.array([0.9, 0.9])
    u = np.zeros((2, 2, 2, 2))
    phi = np.ones((2, 2, 2, 2)) / 2


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"state 1 has \[2, 1\] actions and state 0 \[2, 2\]"):
        from_sgamesolver(Jagged())
    other = Jagged()
    other.nums_actions, other.delta = np.full((2, 2), 2), np.array([0.9, 0.8])
    with pytest.raises(ValueError, match=r"discount factors \[0.9, 0.8\]; a MarkovGame has one"):
        from_sgamesolver(other)
    with pytest.raises(TypeError, match=r"must be an sgamesolver\.SGame, not int"):
        from_sgamesolver(3)
    with pytest.raises(ValueError, match="only discounted games"):
        to_sgamesolver(named_markov_game("toy-2"))
    with pytest.raises(TypeError, match=r"must be a pyspiel\.Game, not int"):
        markov_from_openspiel(3)


@peer
def test_sgamesolver_there_and_back():
    pytest.importorskip("sgamesolver", reason="sgamesolver is not installed")
    game = random_markov_game(4, (2, 3), rng=np.random.default_rng(1), discount=0.9)
    theirs = to_sgamesolver(game)
    assert theirs.nums_actions.tolist() == [[2, 3]] * 4
    again = from_sgamesolver(theirs, initial=game.initial)
    np.testing.assert_array_equal(again.transitions, game.transitions)
    np.testing.assert_array_equal(again.rewards, game.rewards)
    assert again.discount == 0.9


@peer
def test_sgamesolver_agrees_on_the_value_of_play():
    sgamesolver = pytest.importorskip("sgamesolver", reason="sgamesolver is not installed")
    theirs = sgamesolver.SGame.random_game(3, 2, 2, delta=0.8, seed=4)
    game = from_sgamesolver(theirs)
    play = np.full((3, 2, 2), 0.5)
    known = theirs.get_values(play)
    values = np.zeros((2, 3))
    for _ in range(300):
        values = np.mean(np.stack(game.rewards) + 0.8 * game.expected(values), axis=(2, 3))
    np.testing.assert_allclose(values.T, known, atol=1e-8)


def by_recursion(spiel_state, moves):
    """Expected payoffs when all joint actions are equally likely, from OpenSpiel's own tree."""
    if spiel_state.is_terminal():
        return np.zeros(2)
    if spiel_state.is_chance_node():
        parts = [(p, spiel_state.child(a)) for a, p in spiel_state.chance_outcomes()]
        return sum(p * (np.array(after.rewards()) + by_recursion(after, moves)) for p, after in parts)
    total = np.zeros(2)
    joints = list(itertools.product(range(moves), repeat=2))
    for joint in joints:
        legal = [spiel_state.legal_actions(i) for i in range(2)]
        after = spiel_state.clone()
        after.apply_actions([a if a in own else own[0] for a, own in zip(joint, legal, strict=True)])
        total += (np.array(after.rewards()) + by_recursion(after, moves)) / len(joints)
    return total


@peer
@pytest.mark.parametrize(
    ("text", "moves"),
    [
        ("goofspiel(num_cards=3,imp_info=false,returns_type=total_points)", 3),
        ("repeated_game(stage_game=matrix_pd(),num_repetitions=3)", 2),
    ],
)
def test_openspiel_games_with_simultaneous_moves(text, moves):
    pyspiel = pytest.importorskip("pyspiel")
    theirs = pyspiel.load_game(text)
    game = markov_from_openspiel(theirs)
    assert game.horizon == theirs.max_game_length()
    values = np.zeros((2, game.num_states))
    for _ in range(game.horizon):
        values = np.mean(np.stack(game.rewards) + game.expected(values), axis=(2, 3))
    np.testing.assert_allclose(values @ game.initial, by_recursion(theirs.new_initial_state(), moves))


@peer
def test_openspiel_games_of_one_player_and_in_turns():
    pyspiel = pytest.importorskip("pyspiel")
    walk = markov_from_openspiel(pyspiel.load_game("cliff_walking"), discount=0.9)
    values = np.zeros(walk.num_states)
    for _ in range(200):
        values = np.max(walk.rewards[0] + 0.9 * walk.expected(values), axis=1)
    # Up, seven to the right, and down to the goal.
    assert values @ walk.initial == pytest.approx(-(1 - 0.9**9) / 0.1)
    pig = markov_from_openspiel(
        pyspiel.load_game("pig(winscore=4,diceoutcomes=3)"), horizon=6, max_states=5000
    )
    # Only the player whose turn it is matters: no action of the other changes anything.
    lists = pig.transitions_at()
    first, second = (np.ptp(lists, axis=axis).max(axis=(1, 2)) for axis in (1, 2))
    assert np.all(np.minimum(first, second) == 0)
    assert np.any(first > 0)
    assert np.any(second > 0)
