"""Grid worlds: where moves lead, what is paid, who is kept, and maps that make no sense."""

import numpy as np
import pytest

from equipoise.games import MarkovGame, grid_game, load, save

RIGHT, UP, LEFT, DOWN = range(4)


def law(game, state, *joint):
    """Probabilities of the next states by name."""
    lists = game.successors_at()
    chances = np.bincount(lists.successors[(state, *joint)], lists.probabilities[(state, *joint)])
    return {game.state_names[s]: p for s, p in enumerate(chances) if p > 0}


def state(game, name):
    return game.state_names.index(name)


def test_sure_moves_lead_where_they_say_and_stay_at_walls():
    game = grid_game(["..#", "A.1"], {"1": 1}, players=1, discount=0.9)
    assert game.num_states == 5
    assert game.action_names == (("right", "up", "left", "down"),)
    assert game.layout.rows == ("..#", "..1")
    assert game.state_names[int(np.argmax(game.initial))] == "(1,0)"
    targets = {
        name: [next(iter(law(game, s, a))) for a in range(4)] for s, name in enumerate(game.state_names)
    }
    assert targets == {
        "(0,0)": ["(0,1)", "(0,0)", "(0,0)", "(1,0)"],
        "(0,1)": ["(0,1)", "(0,1)", "(0,0)", "(1,1)"],
        "(1,0)": ["(1,1)", "(0,0)", "(1,0)", "(1,0)"],
        "(1,1)": ["(1,2)", "(0,1)", "(1,0)", "(1,1)"],
        "(1,2)": ["(1,2)", "(1,2)", "(1,1)", "(1,2)"],
    }
    np.testing.assert_array_equal(game.rewards[0][state(game, "(1,2)")], 1)
    assert np.count_nonzero(game.rewards[0]) == 4


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        # From the left end of a corridor, upwards into the wall: staying is no neighbour, but a side.
        ("neighbours", {"(0,0)": 0.8, "(0,1)": 0.2}),
        ("sideways", {"(0,0)": 0.9, "(0,1)": 0.1}),
        ("stay", {"(0,0)": 1.0}),
    ],
)
def test_failed_moves(failure, expected):
    game = grid_game(["..."], {".": 0}, players=1, discount=0.9, success=0.8, failure=failure)
    assert law(game, 0, UP) == pytest.approx(expected)


def test_failed_moves_in_the_open():
    game = grid_game(["...", "...", "..."], {}, players=1, discount=0.9, success=0.6, can_stay=True)
    centre = state(game, "(1,1)")
    assert law(game, centre, RIGHT) == pytest.approx({"(1,2)": 0.7, "(0,1)": 0.1, "(1,0)": 0.1, "(2,1)": 0.1})
    assert law(game, centre, 4) == pytest.approx(
        {"(1,1)": 0.6, "(1,2)": 0.1, "(0,1)": 0.1, "(1,0)": 0.1, "(2,1)": 0.1}
    )
    sideways = grid_game(["...", "...", "..."], {}, players=1, discount=0.9, success=0.6, failure="sideways")
    assert law(sideways, centre, RIGHT) == pytest.approx({"(1,2)": 0.6, "(0,1)": 0.2, "(2,1)": 0.2})


def test_each_by_itself_or_all_together():
    alone = grid_game(["...."], {}, discount=0.9, success=0.8, failure="stay")
    start = state(alone, "A(0,0) B(0,3)")
    assert law(alone, start, RIGHT, LEFT) == pytest.approx(
        {
            "A(0,1) B(0,2)": 0.64,
            "A(0,1) B(0,3)": 0.16,
            "A(0,0) B(0,2)": 0.16,
            "A(0,0) B(0,3)": 0.04,
        }
    )
    together = grid_game(["...."], {}, discount=0.9, success=0.8, failure="stay", together=True)
    assert law(together, start, RIGHT, LEFT) == pytest.approx({"A(0,1) B(0,2)": 0.8, "A(0,0) B(0,3)": 0.2})


def test_success_depends_on_how_near_the_others_are():
    game = grid_game(["...", "...", "..."], {}, discount=0.9, success=1, near_success=0, failure="stay")
    assert law(game, state(game, "A(0,0) B(1,1)"), RIGHT, RIGHT) == {"A(0,0) B(1,1)": 1}
    assert law(game, state(game, "A(0,0) B(0,2)"), RIGHT, DOWN) == {"A(0,1) B(1,2)": 1}


def test_goals_and_kept_players_are_each_players_own():
    rows = ["12x"]
    game = grid_game(rows, {".": 0.5, "1": 1, "2": 2, "x": -3}, discount=0.9, absorbing="12x")
    at = state(game, "A(0,0) B(0,0)")
    assert [float(r[at, 0, 0]) for r in game.rewards] == [1.0, 0.5]
    assert law(game, at, RIGHT, RIGHT) == {"A(0,0) B(0,1)": 1}
    at = state(game, "A(0,1) B(0,2)")
    assert [float(r[at, 0, 0]) for r in game.rewards] == [0.5, -3.0]
    assert law(game, at, LEFT, LEFT) == {"A(0,0) B(0,2)": 1}


def test_paid_on_arrival_is_paid_once():
    rows = ["..1"]
    parts = {"players": 1, "horizon": 5, "success": 0.75, "failure": "stay", "absorbing": "1"}
    game = grid_game(rows, {"1": 4, ".": -1}, paid="on_arrival", starts=[(0, 1)], **parts)
    np.testing.assert_array_equal(game.initial, [0, 1, 0])
    assert game.rewards[0][1, RIGHT] == pytest.approx(0.75 * 4 - 0.25)
    np.testing.assert_array_equal(game.rewards[0][2], 0.0)
    # A player that always goes right is paid the goal once, however long it is kept there.
    value = np.zeros(3)
    for _ in range(200):
        value = game.rewards[0][:, RIGHT] + game.expected(value)[:, RIGHT]
    assert value[1] == pytest.approx(4 - 1 / 3)


def test_payments_may_depend_on_all_players():
    game = grid_game(
        ["c."], lambda cells: np.stack([np.all(cells == "c", axis=1), cells[:, 1] == "."]), discount=0.5
    )
    assert game.rewards[0][:, 0, 0].tolist() == [1, 0, 0, 0]
    assert game.rewards[1][:, 0, 0].tolist() == [0, 1, 0, 1]


def test_three_players_and_a_file(tmp_path):
    game = grid_game(["C.1", "BA."], {"1": 1}, players=3, horizon=4, success=0.9, title="Three")
    assert (game.num_states, game.num_actions) == (216, (4, 4, 4))
    assert game.layout.draw(int(np.argmax(game.initial))) == "C.1\nBA."
    save(game, tmp_path / "three.npz")
    assert load(tmp_path / "three.npz") == game


def test_a_large_grid_is_made_in_one_go():
    game = grid_game(["." * 20] * 20, {}, discount=0.9, success=0.8, failure="sideways")
    assert isinstance(game, MarkovGame)
    assert (game.num_states, game.successors_at().shape) == (160_000, (160_000, 4, 4, 9))
    columns = np.tile(np.arange(400) % 20, 400).astype(float)
    ahead = game.expected(columns)
    # The second player goes right with probability .8 and up or down otherwise.
    inner = columns < 19
    np.testing.assert_allclose(ahead[inner][:, :, RIGHT], np.repeat(columns[inner][:, None] + 0.8, 4, axis=1))


@pytest.mark.parametrize(
    ("rows", "changes", "error", "message"),
    [
        ("..", {}, TypeError, "rows must be a list of lines"),
        (["..", "."], {}, ValueError, r"must have one length, at least 1; got \[2, 1\]"),
        (["##"], {}, ValueError, "only walls"),
        (["A."], {}, ValueError, "starts of some players but not B"),
        (["AA"], {}, ValueError, "A, the start of a player, more than once"),
        (["AB"], {"starts": [(0, 0), (0, 1)]}, ValueError, "choose one"),
        (["..#"], {"starts": [(0, 0), (0, 2)]}, ValueError, "player 2 cannot start at row 0, column 2"),
        (["..#"], {"starts": [(0, 0)]}, ValueError, "starts has 1 cells; it needs 2"),
        ([".."], {"success": 1.5}, ValueError, "success must be a probability from 0 to 1, got 1.5"),
        ([".."], {"near_success": -1}, ValueError, "near_success must be a probability"),
        ([".."], {"players": 0}, ValueError, "players must be from 1 to 9"),
        ([".."], {"payments": {"x": 1}}, ValueError, r"payments has \['x'\], which the map has not"),
        ([".."], {"payments": lambda cells: np.zeros(3)}, ValueError, r"payments returned shape \(3,\)"),
        ([".."], {"discount": None}, ValueError, "exactly one of discount and horizon"),
    ],
)
def test_refusals(rows, changes, error, message):
    parts = {"payments": {".": 0}, "discount": 0.9, **changes}
    with pytest.raises(error, match=message):
        grid_game(rows, **parts)
