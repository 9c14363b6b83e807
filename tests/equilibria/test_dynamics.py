"""Learning by play: rates, the invariant of coarse correlated equilibria, and the published iterates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.equilibria.dynamics import AUTHORS_SETTINGS, Learning, lift, play, project
from equipoise.equilibria.rqe import RQE
from equipoise.games import NormalFormGame, random_game
from equipoise.games.observed_play import observed_play
from equipoise.preferences import regularizer

BARRIER = RQE(1.0, 0.5, "kl", "log_barrier")
RULES = {
    "gradient": {},
    "extragradient": {"extrapolate": True},
    "multiplicative weights": {"geometry": "entropic"},
    "mirror-prox": {"geometry": "entropic", "extrapolate": True},
}


def error(strategies, exact, k=0):
    """Sup distance to the exact equilibrium at every checkpoint, for the k-th game."""
    return np.max(
        [np.abs(s[:, :, k] - x).max(axis=1) for s, x in zip(strategies, exact, strict=True)], axis=0
    )


def test_gradient_descent_converges_linearly_and_its_average_like_one_over_t():
    game = observed_play()["selten-chmura-2"].game.scaled(0.1)
    exact = BARRIER.find(game).strategies
    marks = [200, 300, 400, 500, 2000, 4000]
    run = play([game], BARRIER, Learning(step=0.02, steps=4000), checkpoints=marks)
    last, mean = error(run.last, exact), error(run.average, exact)
    # A straight line in the logarithm, down to rounding.
    falls = np.diff(np.log(last[:4]))
    np.testing.assert_allclose(falls, falls.mean(), rtol=0.15)
    assert falls.mean() < -2
    assert last[-1] < 1e-14
    assert mean[-1] / mean[-2] == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "concept",
    [
        RQE(2.0, 0.8, "kl", "log_barrier"),
        RQE((2.0, 1.0), 1.0, "reverse_kl", "entropy"),
        RQE(1.5, 1.0, "reverse_kl", "log_barrier"),
    ],
    ids=lambda c: c.name,
)
def test_every_rule_finds_the_exact_equilibrium_where_the_theorem_holds(rule, concept):
    game = random_game((3, 4), np.random.default_rng(5)).scaled(0.4)
    run = play([game], concept, Learning(step=0.05, steps=3000, **RULES[rule]))
    assert error(run.last, concept.find(game).strategies)[-1] < 1e-9
    assert error(run.average, concept.find(game).strategies)[-1] < 0.01


def test_three_players_with_joint_adversaries():
    game = random_game((2, 3, 2), np.random.default_rng(3)).scaled(0.5)
    concept = RQE((1.0, 2.0, 0.5), (0.5, 0.7, 0.6), "kl", "entropy")
    run = play([game], concept, Learning(step=0.1, steps=2000, geometry="entropic"))
    exact = concept.find(game)
    assert error(run.last, exact.strategies)[-1] < 1e-9
    for law, worst in zip(run.adversaries, exact.details["adversaries"], strict=True):
        np.testing.assert_allclose(law[-1, :, 0], worst, atol=1e-9)


@pytest.mark.parametrize(
    ("pair", "geometry", "step"),
    [
        (("kl", "log_barrier"), "euclidean", 0.2),
        (("kl", "log_barrier"), "entropic", 0.2),
        (("reverse_kl", "entropy"), "euclidean", 0.05),
        (("reverse_kl", "entropy"), "entropic", 0.2),
    ],
)
def test_the_invariant_of_coarse_correlated_equilibria(pair, geometry, step):
    """eps (E nu(x) - nu(E x)) + E[D(p, q) - D(E p, q)]/tau is at most the regrets of player and adversary.

    Regrets are against the best fixed law in hindsight, which has a closed form: a noisy best response for
    the player; for the adversary exp(E log q - tau c), normalised (KL), or q/(tau (m + c)) (reverse KL).
    """
    game = random_game((3, 3), np.random.default_rng(8)).scaled(0.3)
    tau, eps = 1.0, 0.1
    steps = 1000
    run = play(
        [game],
        RQE(tau, eps, *pair),
        Learning(step=step, steps=steps, geometry=geometry, decay=0.5),
        checkpoints=np.arange(1, steps + 1),
    )
    x = [np.vstack([np.full((1, 3), 1 / 3), s[:-1, :, 0]]) for s in run.last]
    p = [np.vstack([np.full((1, 3), 1 / 3), s[:-1, :, 0]]) for s in run.adversaries]
    np.testing.assert_allclose(x[0].mean(axis=0), run.average[0][-1, :, 0], atol=1e-12)
    rule = regularizer(pair[1])

    def price(law, nominal):
        if pair[0] == "kl":
            return (law * np.log(law / nominal)).sum(axis=-1)
        return (nominal * np.log(nominal / law)).sum(axis=-1)

    for i in range(2):
        payoff, q = game.own_first(i), x[1 - i]
        invariant = (
            eps * (rule.value(x[i]).mean() - rule.value(x[i].mean(axis=0)))
            + (price(p[i], q).mean() - price(p[i].mean(axis=0), q).mean()) / tau
        )
        u, c = payoff @ p[i].mean(axis=0), payoff.T @ x[i].mean(axis=0)
        play_cost = -np.einsum("ta,ab,tb->t", x[i], payoff, p[i]).mean() + eps * rule.value(x[i]).mean()
        regret = play_cost + rule.maximum(u, eps)
        fear_cost = np.einsum("ta,ab,tb->t", x[i], payoff, p[i]).mean() + price(p[i], q).mean() / tau
        if pair[0] == "kl":
            best = np.exp(np.log(q).mean(axis=0) - tau * c)
            best /= best.sum()
        else:
            # Reverse KL in p depends on q through its mean alone: a noisy best response with weights E q.
            best = reverse_kl_answer(q.mean(axis=0), tau, c)
        regret_fear = fear_cost - best @ c - price(best, q).mean() / tau
        assert invariant <= regret + regret_fear + 1e-12
        assert regret + regret_fear < 0.05


def reverse_kl_answer(q, tau, c):
    """The law q_b/(tau (m + c_b)) with m from the sum of one, by bisection."""
    low, high = -c.min(), 1 / tau - c.min()
    for _ in range(200):
        m = (low + high) / 2
        low, high = (m, high) if (q / (tau * (m + c))).sum() > 1 else (low, m)
    return q / (tau * (m + c))


def test_authors_settings_land_on_the_iterates_they_printed():
    printed = {2: (0.214, 0.524), 3: (0.163, 0.793), 4: (0.287, 0.736), 7: (0.141, 0.564), 10: (0.366, 0.699)}
    fits = [observed_play()[f"selten-chmura-{k}"].published_fits[0] for k in printed]
    run = play(
        [fit.game for fit in fits],
        [RQE(fit.risk_aversion, fit.bounded_rationality, fit.penalty, fit.regularizer) for fit in fits],
        AUTHORS_SETTINGS,
        start=np.random.default_rng(73),
    )
    found = np.array([strategy[-1, 0] for strategy in run.last]).T
    np.testing.assert_allclose(found, list(printed.values()), atol=1e-3)


def test_random_starts_are_reproducible_and_differ():
    game = random_game((2, 2), np.random.default_rng(0))
    short = Learning(step=0.01, steps=2)
    first, again = (
        play([game] * 2, BARRIER, short, start=np.random.default_rng(1)).last[0] for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    assert abs(first[0, 0, 0] - first[0, 0, 1]) > 1e-3


def test_progress_reaches_the_end():
    seen = []
    play([random_game((2, 2), np.random.default_rng(0))], BARRIER, Learning(0.01, 300), each=seen.append)
    assert seen[-1] == 300
    assert len(seen) == 100


@given(
    st.lists(st.floats(-20, 20), min_size=1, max_size=6),
    st.floats(0, 1),
)
def test_projection_satisfies_its_variational_inequality(numbers, share):
    point = np.array(numbers)[:, None]
    size = len(numbers)
    floor = np.array([share / size])
    answer = project(point, floor)[:, 0]
    assert answer.sum() == pytest.approx(1.0, abs=1e-9)
    assert answer.min() >= floor[0]
    vertices = floor[0] + (1 - size * floor[0]) * np.eye(size)
    assert ((vertices - answer) @ (point[:, 0] - answer)).max() <= 1e-8


@given(st.lists(st.floats(1e-9, 1), min_size=1, max_size=6), st.floats(0, 1))
def test_lifting_satisfies_its_variational_inequality(numbers, share):
    law = np.array(numbers)[:, None] / np.sum(numbers)
    size = len(numbers)
    floor = np.array([share / size])
    answer = lift(law, floor)[:, 0]
    assert answer.sum() == pytest.approx(1.0, abs=1e-12)
    assert answer.min() >= floor[0]
    vertices = floor[0] + (1 - size * floor[0]) * np.eye(size)
    assert ((vertices - answer) @ np.log(answer / law[:, 0])).min() >= -1e-9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"step": 0.0, "steps": 1}, "step must be positive"),
        ({"step": 0.1, "steps": 0}, "steps must be at least 1"),
        ({"step": 0.1, "steps": 1, "decay": 2.0}, "decay must be between 0"),
        ({"step": 0.1, "steps": 1, "geometry": "round"}, "geometry must be one of 'euclidean', 'entropic'"),
        ({"step": 0.1, "steps": 1, "clip": 0.7}, "clip must be between 0 and 0.5"),
        ({"step": 0.1, "steps": 1, "clip": 0.1, "geometry": "entropic"}, "clip is for geometry='euclidean'"),
    ],
)
def test_settings_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        Learning(**arguments)


SMALL = NormalFormGame(np.zeros((2, 2, 2)))


@pytest.mark.parametrize(
    ("games", "concept", "checkpoints", "message"),
    [
        ([SMALL], BARRIER, [0], "checkpoints must be rising step numbers from 1 to 5"),
        ([SMALL], BARRIER, [3, 2], "checkpoints must be rising"),
        ([SMALL], BARRIER, [6], "checkpoints must be rising"),
        ([], BARRIER, None, "one or more games of one shape"),
        ([SMALL, NormalFormGame(np.zeros((2, 2, 3)))], BARRIER, None, "one or more games of one shape"),
        ([SMALL], [BARRIER, BARRIER], None, "1 games but 2 concepts"),
        ([SMALL] * 2, [BARRIER, RQE(1.0, 0.5)], None, "must share penalty, regularizer and form"),
        ([SMALL], RQE(1.0, 0.5, form="action_dependent"), None, "need form='aggregate'"),
        ([SMALL], RQE(0.0, 0.5), None, "risk_aversion must be positive"),
    ],
)
def test_what_cannot_be_played_is_refused(games, concept, checkpoints, message):
    with pytest.raises(ValueError, match=message):
        play(games, concept, Learning(step=0.1, steps=5), checkpoints=checkpoints)
