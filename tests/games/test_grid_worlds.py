"""The grid worlds of published experiments."""

import numpy as np
import pytest

from equipoise.games import cliff_walk, cooperation_grid

RIGHT, UP, LEFT, DOWN = range(4)


def at(game, name):
    return game.state_names.index(name)


def law(game, state, *joint):
    lists = game.successors_at()
    chances = np.bincount(lists.successors[(state, *joint)], lists.probabilities[(state, *joint)])
    return {game.state_names[s]: p for s, p in enumerate(chances) if p > 0}


def test_the_papers_cliff_walk():
    game = cliff_walk()
    assert (game.num_states, game.num_actions, game.horizon) == (1296, (4, 4), 200)
    assert game.state_names[int(np.argmax(game.initial))] == "A(0,5) B(5,5)"
    far = at(game, "A(3,3) B(0,5)")
    outcome = law(game, far, LEFT, DOWN)
    # Both succeed with .9; else the four neighbours of A times the two of B, the intended pair among them.
    assert outcome["A(3,2) B(1,5)"] == pytest.approx(0.9 + 0.1 / 8)
    assert len(outcome) == 8
    assert outcome["A(2,3) B(0,4)"] == pytest.approx(0.1 / 8)
    near = at(game, "A(3,3) B(2,2)")
    assert law(game, near, LEFT, DOWN)["A(3,2) B(3,2)"] == pytest.approx(0.5 + 0.5 / 16)
    # Who falls is paid -2 once and stays; so is who arrives, with 1.
    edge = at(game, "A(2,1) B(0,5)")
    assert game.rewards[0][edge, LEFT, DOWN] == pytest.approx(-2 * (0.9 + 0.1 / 4))
    fallen = at(game, "A(2,0) B(0,5)")
    assert all(name.startswith("A(2,0)") for name in law(game, fallen, RIGHT, DOWN))
    np.testing.assert_array_equal(game.rewards[0][fallen], 0.0)
    step = at(game, "A(5,1) B(0,5)")
    assert game.rewards[0][step, LEFT, UP] == pytest.approx(0.9 + 0.1 / 3)
    # The other's goal is floor.
    assert game.rewards[1][at(game, "A(0,5) B(5,1)"), UP, LEFT] == 0.0


def test_the_codes_cliff_walk():
    game = cliff_walk("code")
    assert (game.num_states, game.num_actions, game.horizon) == (144, (4, 4), 15)
    paid = {
        name: float(game.rewards[0][at(game, f"{name} B(0,1)"), 0, 0])
        for name in ("A(0,1)", "A(2,0)", "A(3,0)")
    }
    assert paid == {"A(0,1)": 0.1, "A(2,0)": -2.0, "A(3,0)": 1.0}
    assert game.rewards[1][at(game, "A(0,1) B(0,0)"), 0, 0] == 1.0
    # Falling is no end: the agent walks off again. Its three neighbours are as likely for a failed move.
    fallen = at(game, "A(1,0) B(3,2)")
    outcome = law(game, fallen, RIGHT, UP)
    assert outcome["A(1,1) B(2,2)"] == pytest.approx(0.9 + 0.1 / 6)
    # An illegal move stays, which a failed move never does.
    corner = law(game, at(game, "A(0,0) B(3,2)"), UP, DOWN)
    assert corner["A(0,0) B(3,2)"] == pytest.approx(0.9)
    assert corner["A(0,1) B(2,2)"] == pytest.approx(0.1 / 4)


def test_the_appendix_of_the_paper():
    game = cliff_walk(floor=-0.1, cliff=-100.0, goal=20.0, horizon=100)
    edge = at(game, "A(2,1) B(0,5)")
    fall = 0.9 + 0.1 / 4
    assert game.rewards[0][edge, LEFT, DOWN] == pytest.approx(-100 * fall - 0.1 * (1 - fall))


def test_other_maps_and_time():
    game = cliff_walk(rows=["A12B"], discount=0.9)
    assert (game.num_states, game.discount, game.horizon) == (16, 0.9, None)


def test_cooperation_pays_only_both():
    game = cooperation_grid()
    assert (game.num_states, game.num_actions, game.discount) == (625, (5, 5), 0.95)
    both = at(game, "A(0,0) B(1,1)")
    assert [float(r[both, 0, 0]) for r in game.rewards] == [1.0, 1.0]
    alone = at(game, "A(0,0) B(0,3)")
    assert [float(r[alone, 0, 0]) for r in game.rewards] == [0.0, 0.0]
    defects = at(game, "A(0,0) B(4,4)")
    assert [float(r[defects, 0, 0]) for r in game.rewards] == pytest.approx([0.0, 0.4])
    assert cooperation_grid(horizon=10).horizon == 10
