"""Solutions and games as tables: every number lands beside its own player and action."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from equipoise.equilibria._solution import Certificate, Solution
from equipoise.games import NormalFormGame, named_game
from equipoise.reporting.games import payoff_table
from equipoise.reporting.solutions import (
    evidence_table,
    joint_table,
    parameters,
    solution_to_dict,
    strategy_table,
)


@dataclass(frozen=True)
class Fixed:
    """A concept whose answer is given."""

    noise: float = 0.5
    weights: tuple[float, ...] = (1.0, 2.0)

    @property
    def name(self):
        return "fixed"

    def find(self, game):
        raise NotImplementedError


def solution(strategies, game=None, joint=None, **changes):
    game = game or NormalFormGame(
        [[[1.0, 0.0, 2.0], [0.0, 3.0, 1.0]]] * 2, "T", ["Ann", "Bob"], [["U", "D"], ["L", "M", "R"]]
    )
    certificate = Certificate("fixed game", 3e-12, np.array([1e-12, 2e-12]), 0.0, 0.25)
    answer = Solution(
        game=game,
        concept=Fixed(),
        strategies=tuple(np.array(x) for x in strategies),
        values=np.array([1.5, -2.0]),
        certificate=certificate,
        converged=True,
        iterations=7,
        residual=1e-13,
        branch="principal",
        status="unique",
        joint=joint,
        details={"index": np.int64(1), "path": np.array([1.0, np.inf])},
    )
    return replace(answer, **changes)


ONE = solution([[0.25, 0.75], [0.5, 0.125, 0.375]])


def test_strategies_stand_beside_their_actions():
    assert strategy_table([ONE]).rows == (
        ("Ann", "U", 0.25),
        ("", "D", 0.75),
        ("Bob", "L", 0.5),
        ("", "M", 0.125),
        ("", "R", 0.375),
    )


def test_several_solutions_get_a_column_each():
    other = solution([[1.0, 0.0], [0.0, 1.0, 0.0]], branch="", converged=False)
    table = strategy_table([ONE, other])
    assert table.columns == ("player", "action", "#1", "#2")
    assert table.rows[3] == ("", "M", 0.125, 1.0)
    evidence = {row[0]: row[1:] for row in evidence_table([ONE, other]).rows}
    assert evidence["converged"] == (True, False)
    assert evidence["branch"] == ("principal", None)


def test_unplayed_actions_of_long_lists_are_left_out_and_counted():
    size = 13
    game = NormalFormGame(np.zeros((2, size, 2)))
    first = np.eye(size)[2]
    table = strategy_table([solution([first, [0.5, 0.5]], game)])
    assert [row[1] for row in table.rows] == ["3", "1", "2"]
    assert table.rows[0][0] == "Player 1"
    assert table.caption.startswith("12 actions")


def test_evidence_has_values_certificate_and_state():
    rows = {row[0]: row[1] for row in evidence_table([ONE]).rows}
    assert rows == {
        "value, Ann": "1.500",
        "value, Bob": "-2.000",
        "exploitability, at most": "3.0e-12",
        "exploitability, at least": "0",
        "Nash gap": "0.2500",
        "converged": True,
        "iterations": 7,
        "index": 1,
        "branch": "principal",
    }


def test_joint_law_names_every_player_and_skips_what_is_not_played():
    joint = np.array([[0.125, 0.0, 0.0], [0.0, 0.25, 0.625]])
    table = joint_table(solution([[0.125, 0.875], [0.125, 0.25, 0.625]], joint=joint))
    assert table.rows == (("D", "R", 0.625), ("D", "M", 0.25), ("U", "L", 0.125))
    with pytest.raises(ValueError, match="fixed has no joint law"):
        joint_table(ONE)


def test_plain_objects_are_strict_json_with_names():
    data = json.loads(json.dumps(solution_to_dict(ONE), allow_nan=False))
    assert data["strategies"]["Bob"] == {"L": 0.5, "M": 0.125, "R": 0.375}
    assert data["values"] == {"Ann": 1.5, "Bob": -2.0}
    assert data["certificate"]["gap_per_player"] == [1e-12, 2e-12]
    assert data["details"] == {"index": 1, "path": [1.0, None]}
    assert data["parameters"] == {"noise": 0.5, "weights": [1.0, 2.0]}


def test_parameters_of_what_is_not_a_record():
    assert parameters(object()) == {}


def test_two_player_payoffs_are_the_printed_matrix():
    table = payoff_table(named_game("stag-hunt"))
    assert table.columns == ("", "stag", "hare")
    assert table.rows == (("stag", "4, 4", "0, 3"), ("hare", "3, 0", "3, 3"))


def test_three_player_payoffs_list_joint_actions():
    tensor = np.arange(12.0).reshape(2, 3, 2)
    table = payoff_table(NormalFormGame([tensor, -tensor, tensor / 2]))
    assert len(table.rows) == 12
    assert table.rows[5] == ("1", "3", "2", "5", "-5", "2.5")
    large = payoff_table(NormalFormGame(np.zeros((3, 5, 5, 5))))
    assert len(large.rows) == 64
    assert large.caption == "The first 64 of 125 joint actions"
