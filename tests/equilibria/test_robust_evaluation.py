"""Robust evaluation: order of the values, brute force, limits, invariances, recorded numbers."""

from itertools import pairwise, product

import numpy as np
import pytest

from equipoise.equilibria import (
    MixturePlay,
    RobustPolicy,
    Uncertainty,
    product_play,
    pure_play,
    robust_evaluation,
)
from equipoise.games import MarkovGame, random_markov_game
from robust_plays import RADII, plays

DOUBTS = [
    Uncertainty(0.2),
    Uncertainty(0.2, support="ac"),
    Uncertainty(0.1, "kl"),
    Uncertainty(1.0, "kl", "penalised"),
    Uncertainty(0.3, "chi2"),
    Uncertainty(0.6, "cvar"),
]
KINDS = ("joint", "mixture", "rectangular", "nominal")


def random_play(seed, players=2, components=3):
    rng = np.random.default_rng(seed)
    shape = (2, 3, *(2, 3, 2)[:players])
    game = MarkovGame(rng.dirichlet(np.ones(3), shape), rng.random((players, *shape)), horizon=2)
    weights = rng.dirichlet(np.ones(components), (2, 3))
    strategies = tuple(rng.dirichlet(np.ones(a), (2, 3, components)) for a in shape[2:])
    return game, MixturePlay(weights, strategies)


@pytest.mark.parametrize("doubt", DOUBTS, ids=lambda d: d.name)
@pytest.mark.parametrize("players", [2, 3])
def test_coarser_sets_are_worth_less(doubt, players):
    game, play = random_play(players, players)
    found = {kind: robust_evaluation(game, play, doubt, kind) for kind in KINDS}
    for low, high in pairwise(KINDS):
        assert (found[low].values <= found[high].values + 1e-9).all()
        assert (found[low].deviation_values <= found[high].deviation_values + 1e-9).all()
    assert found["joint"].values[0].max() < found["nominal"].values[0].max()


def test_w8_1_one_decision_three_ways():
    kernel = np.zeros((2, 1, 2, 2))
    kernel[:, 0, 0], kernel[:, 0, 1] = [0.9, 0.1], [0.3, 0.7]
    rewards = np.zeros((2, 2, 2, 1, 2))
    rewards[:, 1, 1] = 1.0  # worth 0 or 1 at the second move
    game = MarkovGame(kernel, rewards, horizon=2)
    play = product_play(game, [np.ones((2, 1)), np.full((2, 2), 0.5)])
    for kind, expected in (("nominal", 0.4), ("rectangular", 0.25), ("mixture", 0.2), ("joint", 0.2)):
        assert robust_evaluation(game, play, Uncertainty(0.2), kind).values[0, 0, 0] == pytest.approx(
            expected
        )


@pytest.mark.parametrize("doubt", DOUBTS, ids=lambda d: d.name)
def test_pure_components_are_the_rectangular_game_and_one_component_is_both(doubt):
    game, play = random_play(5)
    pure, rectangular = (
        robust_evaluation(game, play.pure(), doubt),
        robust_evaluation(game, play, doubt, "rectangular"),
    )
    np.testing.assert_allclose(pure.values, rectangular.values, atol=1e-9)
    np.testing.assert_allclose(pure.deviation_values, rectangular.deviation_values, atol=1e-9)
    single = product_play(game, play.marginals())
    one, other = (robust_evaluation(game, single, doubt, kind) for kind in ("mixture", "joint"))
    np.testing.assert_allclose(one.values, other.values, atol=1e-9)
    np.testing.assert_allclose(one.deviation_values, other.deviation_values, atol=1e-9)


def test_no_plan_of_a_deviator_is_better_and_the_one_returned_is_as_good():
    game, play = random_play(6, components=2)
    doubt = Uncertainty([0.2, 0.3])
    for kind in KINDS:
        found = robust_evaluation(game, play, doubt, kind)
        for i, count in enumerate(game.num_actions):
            best = np.full(3, -np.inf)
            for plan in product(range(count), repeat=6):
                best = np.maximum(best, follow(game, play, doubt, kind, i, np.reshape(plan, (2, 3))))
            np.testing.assert_allclose(found.deviation_values[0, i], best, atol=1e-9)
            np.testing.assert_allclose(
                follow(game, play, doubt, kind, i, found.deviations[:, i]), best, atol=1e-9
            )


def follow(game, play, doubt, kind, i, plan):
    """Value of a fixed plan of player i against the others, spelt out state by state (two players)."""
    level = np.broadcast_to(doubt.level, 2)[i]
    values = np.zeros(3)
    for h in reversed(range(2)):
        fresh = np.zeros(3)
        for s in range(3):
            kernel, reward = game.transitions_at(h)[s], game.rewards_at(h)[i, s]
            if i == 1:
                kernel, reward = np.swapaxes(kernel, 0, 1), reward.T
            kernel, reward = kernel[plan[h, s]], reward[plan[h, s]]
            weights, others = play.weights[h, s], play.strategies[1 - i][h, s]
            if kind == "joint":
                weights, others = np.ones(1), (weights @ others)[None]
            for w, law in zip(weights, others, strict=True):
                if kind in ("mixture", "joint"):
                    fresh[s] += w * (law @ reward + worst(law @ kernel, values, level))
                else:
                    radius = level if kind == "rectangular" else 0.0
                    fresh[s] += w * law @ (reward + [worst(p, values, radius) for p in kernel])
        values = fresh
    return values


def worst(p, v, radius):
    """Total variation from its dual: the best of all values as a cap."""
    return max(p @ np.minimum(v, x) - radius * (x - v.min()) for x in v)


def test_worst_laws_give_the_values_they_come_with():
    game, play = random_play(7)
    doubt = Uncertainty([0.2, 0.3])
    found = robust_evaluation(game, play, doubt, "mixture", laws=True)
    for h in range(2):
        for i in range(2):
            law = found.path_laws[h][i]
            np.testing.assert_allclose(law.sum(axis=-1), 1.0)
            reward = np.moveaxis(game.rewards_at(h)[i], 1 + i, 1)
            seen = np.einsum("skb,sab->ska", play.strategies[1 - i][h], reward)
            value = np.einsum(
                "sk,ska,ska->s",
                play.weights[h],
                play.strategies[i][h],
                seen + law @ found.values[h + 1, i],
            )
            np.testing.assert_allclose(value, found.values[h, i], atol=1e-12)


def test_limits_of_the_radius():
    game, play = random_play(8)
    for kind in KINDS:
        neutral = robust_evaluation(game, play, Uncertainty(0.0), kind)
        nominal = robust_evaluation(game, play, Uncertainty(0.0), "nominal")
        np.testing.assert_allclose(neutral.values, nominal.values)
        np.testing.assert_allclose(neutral.deviation_values, nominal.deviation_values)
    total = robust_evaluation(game, play, Uncertainty(1.0), "joint")
    reward = np.einsum("hsab,nhsab->hns", play.joint(), np.stack(game.rewards))
    np.testing.assert_allclose(total.values[0], reward[0] + reward[1].min(axis=-1, keepdims=True))


def test_one_player_is_a_robust_decision():
    rng = np.random.default_rng(9)
    game = MarkovGame(rng.dirichlet(np.ones(3), (3, 4)), [rng.random((3, 4))], horizon=3)
    best = RobustPolicy(0.2).find_markov(game)
    play = product_play(game, best.strategies)
    for kind in ("mixture", "joint", "rectangular"):
        found = robust_evaluation(game, play, Uncertainty(0.2), kind)
        np.testing.assert_allclose(found.values[0], best.values, atol=1e-12)
        assert found.gap == pytest.approx(0.0, abs=1e-12)


def test_actions_never_advised_and_single_actions_do_no_harm():
    game, _ = random_play(10)
    joint = np.zeros((2, 3, 2, 3))
    joint[:, :, 0, 1] = 1.0
    for kind in KINDS:
        found = robust_evaluation(game, pure_play(joint), Uncertainty(0.2), kind)
        assert np.isfinite(found.values).all()
        assert np.isfinite(found.deviation_values).all()
    lonely = random_markov_game(3, (1, 2), horizon=2, rng=np.random.default_rng(0))
    play = product_play(lonely, [np.ones((3, 1)), np.full((3, 2), 0.5)])
    assert robust_evaluation(lonely, play, Uncertainty(0.2)).gaps[0] == pytest.approx(np.zeros(3), abs=1e-12)


def test_renaming_players_renames_the_answer():
    game, play = random_play(11)
    swapped = MarkovGame(
        np.swapaxes(game.transitions, 2, 3), [np.swapaxes(r, 2, 3) for r in game.rewards[::-1]], horizon=2
    )
    other = MixturePlay(play.weights, play.strategies[::-1])
    for kind in KINDS:
        one = robust_evaluation(game, play, Uncertainty([0.1, 0.3]), kind)
        two = robust_evaluation(swapped, other, Uncertainty([0.3, 0.1]), kind)
        np.testing.assert_allclose(one.values[:, ::-1], two.values, atol=1e-12)
        np.testing.assert_allclose(one.gaps[::-1], two.gaps, atol=1e-12)


@pytest.mark.parametrize("name", list(RADII))
def test_recorded_values_of_the_toy_games(name):
    """Ours: values of player 1 and 2 from the first state, and the gap; no published numbers exist."""
    game, given = plays(name)
    for (play, kind), expected in RECORDED[name].items():
        found = robust_evaluation(game, given[play], Uncertainty(RADII[name]), kind)
        assert [*found.values[0, :, 0], found.gap] == pytest.approx(expected, abs=1e-8), (play, kind)


def test_bad_input_is_refused():
    game, play = random_play(12)
    with pytest.raises(ValueError, match="say how it is mixed"):
        robust_evaluation(game, play.joint(), Uncertainty(0.1))
    with pytest.raises(ValueError, match="play has shape"):
        robust_evaluation(game, play.joint()[:1], Uncertainty(0.1), "joint")
    with pytest.raises(ValueError, match="sum to 1"):
        robust_evaluation(game, 2 * play.joint(), Uncertainty(0.1), "joint")
    with pytest.raises(ValueError, match="one per player"):
        robust_evaluation(game, play, Uncertainty([0.1, 0.2, 0.3]))
    endless = MarkovGame(game.transitions_at(0), [r[0] for r in game.rewards], discount=0.9)
    with pytest.raises(ValueError, match="horizon=H"):
        robust_evaluation(endless, play, Uncertainty(0.1))


RECORDED = {
    "toy-2": {
        ("uniform", "joint"): [0.8825, 0.955, 0.214375],
        ("uniform", "mixture"): [0.8825, 0.955, 0.214375],
        ("uniform", "rectangular"): [0.8825, 0.95625, 0.21375],
        ("product", "joint"): [0.778344, 0.97784, 0.317944],
        ("product", "mixture"): [0.778344, 0.97784, 0.317944],
        ("product", "rectangular"): [0.780252, 0.98036, 0.317944],
        ("correlated", "joint"): [1.21, 0.4625, 0.5375],
        ("correlated", "mixture"): [1.21, 0.4625, 0.5375],
        ("correlated", "rectangular"): [1.21, 0.4625, 0.5375],
        ("mixture", "joint"): [1.035426, 0.765825, 0.286125],
        ("mixture", "mixture"): [1.035426, 0.7692, 0.2829],
        ("mixture", "rectangular"): [1.035426, 0.776625, 0.279179],
    },
    "toy-3": {
        ("product", "joint"): [1.272821715, 1.234758569, 0.858314162],
        ("product", "mixture"): [1.272821715, 1.234758569, 0.858314162],
        ("product", "rectangular"): [1.274517231, 1.242108511, 0.858270767],
        ("correlated", "joint"): [1.164105038, 1.433650936, 0.662554029],
        ("correlated", "mixture"): [1.164105038, 1.435330638, 0.681873316],
        ("correlated", "rectangular"): [1.164105038, 1.435330638, 0.681873316],
        ("mixture", "joint"): [1.189488888, 1.326319954, 0.632577957],
        ("mixture", "mixture"): [1.189766392, 1.32727364, 0.641523901],
        ("mixture", "rectangular"): [1.190719831, 1.331123949, 0.642099483],
    },
}
