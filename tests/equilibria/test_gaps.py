from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.equilibria._gaps import nash_gap
from equipoise.games.normal_form import NormalFormGame


def random_game(rng: np.random.Generator, shape: tuple[int, ...]) -> NormalFormGame:
    return NormalFormGame(rng.normal(size=(len(shape), *shape)))


def test_zero_at_an_equilibrium_and_exact_off_it():
    dilemma = NormalFormGame([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])
    assert nash_gap(dilemma, [[0, 1], [0, 1]])[0] == 0.0
    total, shares = nash_gap(dilemma, [[1, 0], [0.5, 0.5]])
    # Against (1/2, 1/2) defecting gains (2 + 1)/2; the other gains 5 - 4 from its mixture.
    np.testing.assert_allclose(shares, [1.5, 1.0], atol=1e-15)
    assert total == pytest.approx(2.5)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([(2,), (2, 3), (3, 2, 2), (2, 2, 2, 2)]))
def test_equals_the_sum_written_out_over_joint_actions(seed, shape):
    rng = np.random.default_rng(seed)
    game = random_game(rng, shape)
    profile = [rng.dirichlet(np.ones(count)) for count in shape]
    total, shares = nash_gap(game, profile)

    def payoff(i: int, strategies: list[np.ndarray]) -> float:
        return sum(
            game.payoffs[i][cell] * np.prod([x[a] for x, a in zip(strategies, cell, strict=True)])
            for cell in product(*map(range, shape))
        )

    for i, count in enumerate(shape):
        pure = [payoff(i, [*profile[:i], np.eye(count)[a], *profile[i + 1 :]]) for a in range(count)]
        assert shares[i] == pytest.approx(max(pure) - payoff(i, profile), abs=1e-12)
    assert total == pytest.approx(shares.sum())


def test_a_large_common_level_costs_no_accuracy():
    pennies = np.array([[1.0, -1.0], [-1.0, 1.0]])
    game = NormalFormGame([pennies + 2.0**40, -pennies])
    total, _ = nash_gap(game, [[0.75, 0.25], [0.75, 0.25]])
    assert total == pytest.approx(0.25 + 0.75, abs=1e-14)


def test_rejects_what_is_no_strategy():
    game = random_game(np.random.default_rng(0), (2, 2))
    with pytest.raises(ValueError, match="sums to"):
        nash_gap(game, [[0.5, 0.6], [0.5, 0.5]])
