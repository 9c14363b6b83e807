"""Uncertainty: what it refuses, and that levels mean what they say."""

import numpy as np
import pytest

from equipoise.equilibria import Uncertainty


def test_w8_3_moves_mass_from_the_best_states_to_the_worst():
    assert Uncertainty(0.4).worst(
        np.array([0.2, 0.5, 0.3]), np.array([1.0, 2.0, 5.0])
    ).value == pytest.approx(1.4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"level": 1.5}, "level = 1.5 is no radius for 'tv'"),
        ({"level": 2.5, "divergence": "l1"}, "at most 2"),
        ({"level": -0.1}, "radius sigma >= 0"),
        ({"level": float("nan"), "divergence": "kl"}, "nan"),
        ({"level": [0.1, -1.0]}, r"level\[1\] = -1"),
        ({"level": 0.1, "divergence": "euclidean"}, "unknown divergence"),
        ({"level": 0.1, "divergence": "kl", "support": "free"}, "support = 'free'"),
        ({"level": 0.1, "divergence": "cressie_read"}, "needs its order"),
        ({"level": 0.0, "divergence": "cvar"}, "tail probability"),
    ],
)
def test_bad_input_is_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        Uncertainty(**arguments)


def test_a_level_that_is_no_number_is_a_type_error():
    with pytest.raises(TypeError, match="level"):
        Uncertainty("large")


def test_names_say_what_the_adversary_may_do():
    assert Uncertainty([0.1, 0.2]).name == "tv constrained, radius 0.1 to 0.2"
    assert Uncertainty(2.0, "kl", "penalised").name == "kl penalised, weight 2"
    assert Uncertainty(0.3, "cvar").name == "cvar constrained, tail 0.3"
    assert Uncertainty(0.3, support="ac").name == "tv constrained, radius 0.3, ac"


def test_only_divergences_that_leave_the_support_are_free():
    assert Uncertainty(0.1).is_free
    assert not Uncertainty(0.1, support="ac").is_free
    assert not Uncertainty(0.1, "kl").is_free
