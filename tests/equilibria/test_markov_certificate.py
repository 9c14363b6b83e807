"""Certificates of policies with a horizon, against brute force over deviations."""

from itertools import product

import numpy as np
import pytest

import equipoise as eqp
from equipoise.equilibria import _markov_certificate
from equipoise.equilibria._chance import worth
from equipoise.equilibria._markov_certificate import Play, certify_play
from equipoise.games import MarkovGame
from equipoise.preferences import regularizer, worst_case
from markov_games import QUANTAL, random_markov_game, two_states


def pure_policies(game: MarkovGame, i: int):
    """All pure Markov policies of one player, `[H, S, A_i]`."""
    cells = game.horizon * game.num_states
    for choice in product(range(game.num_actions[i]), repeat=cells):
        yield np.eye(game.num_actions[i])[list(choice)].reshape(game.horizon, game.num_states, -1)


def plain_values(game: MarkovGame, policies) -> np.ndarray:
    """Expected returns from the first step, `[n, S]`, by following the chain of states forward."""
    totals = np.zeros((game.num_players, game.num_states))
    occupancy = np.eye(game.num_states)
    for h in range(game.horizon):
        joint = np.einsum("sa,sb->sab", policies[0][h], policies[1][h])
        totals += np.stack([occupancy @ (joint * r).sum(axis=(1, 2)) for r in game.rewards_at(h)])
        occupancy = occupancy @ np.einsum("sab,sabt->st", joint, game.transitions_at(h))
    return totals


class TestCertificates:
    def test_nash_gap_is_the_best_of_all_pure_policies(self):
        game = two_states(2)
        solution = eqp.solve(game, eqp.RQE(1.0, 0.5))
        have = plain_values(game, solution.strategies)
        best = have.copy()
        for i in range(2):
            for mine in pure_policies(game, i):
                profile = [mine if j == i else solution.strategies[j] for j in range(2)]
                best[i] = np.maximum(best[i], plain_values(game, profile)[i])
        # The certificate's gap is over all steps; brute force looks at the first one.
        first = (best - have).max()
        last = _markov_certificate._nash(game, (np.zeros(2), "kl"), Play(solution.strategies))
        assert last[0].max() == pytest.approx(first, abs=1e-12)
        assert solution.certificate.nash_gap == pytest.approx(last.max(), abs=1e-12)

    @pytest.mark.parametrize(
        "concept",
        [
            # Worst cases of the reverse KL divergence are roots, hundreds of them here.
            pytest.param(c, marks=[pytest.mark.slow] if c.rules.penalty == "reverse_kl" else [])
            for c in QUANTAL
            if c.regularizer_in_value
        ],
        ids=lambda c: c.name,
    )
    def test_no_sampled_deviation_beats_the_bound_and_some_come_near(self, concept):
        """Policies that are not in equilibrium: the bounds must enclose the best of many deviations."""
        game = two_states(2)
        rng = np.random.default_rng(3)
        policies = [rng.dirichlet(np.ones(2), (2, 2)) for _ in range(2)]
        chance = (concept.environment(game), concept.environment_penalty)
        certificate, _ = certify_play(game, concept, *chance, Play(policies))
        assert certificate.gap > 0.05
        assert certificate.gap - certificate.lower < 1e-6
        grid = np.linspace(0.001, 0.999, 20)
        tau, eps = concept.parameters(2)
        for i in range(2):
            best = _best_on_grid(game, concept, policies, i, grid, tau[i], eps[i], chance)
            assert best <= certificate.gap_per_player[i] + 1e-9
            assert best > certificate.gap_per_player[i] - 0.03

    def test_an_unfinished_answer_is_flagged_with_its_gap(self):
        game = two_states(2)
        concept = eqp.QRE(2.0)
        uniform = Play([np.full((2, 2, 2), 0.5)] * 2)
        certificate, gains = certify_play(game, concept, np.zeros(2), "kl", uniform)
        assert certificate.gap == pytest.approx(gains.max())
        assert certificate.lower == pytest.approx(certificate.gap, abs=1e-9)
        assert certificate.gap > 0.1

    def test_correlated_play_that_pays_to_leave_is_caught(self):
        game = two_states(2)
        joint = np.full((2, 2, 2, 2), 0.25)
        play = Play([np.full((2, 2, 2), 0.5)] * 2, joint=joint)
        coarse, _ = certify_play(game, eqp.CoarseCorrelatedEquilibrium(), np.zeros(2), "kl", play)
        advised, _ = certify_play(game, eqp.CorrelatedEquilibrium(), np.zeros(2), "kl", play)
        # Advice that carries no information is worth nothing to a deviator.
        assert coarse.gap == pytest.approx(advised.gap)
        assert coarse.gap == pytest.approx(coarse.nash_gap)

    def test_correlated_deviations_by_brute_force(self):
        game = random_markov_game(21, states=2, actions=(2, 2), horizon=2)
        joint = np.random.default_rng(5).dirichlet(np.ones(4), (2, 2)).reshape(2, 2, 2, 2)
        play = Play([joint.sum(axis=3), joint.sum(axis=2)], joint=joint)
        certificate, _ = certify_play(game, eqp.CorrelatedEquilibrium(), np.zeros(2), "kl", play)
        value = _correlated_value(game, joint)
        best = value.copy()
        for swap in product(
            product(range(2), repeat=2), repeat=4
        ):  # for each step and state: advice -> action
            rule = np.array(swap).reshape(2, 2, 2)
            moved = np.zeros_like(joint)
            for h, s, a, b in np.ndindex(2, 2, 2, 2):
                moved[h, s, rule[h, s, a], b] += joint[h, s, a, b]
            best[0] = np.maximum(best[0], _correlated_value(game, moved)[0])
        gains = _markov_certificate._correlated(game, play, recommended=True)
        assert np.allclose(gains[0, 0], (best - value)[0], atol=1e-12)
        assert certificate.gap == pytest.approx(gains.max())


def _correlated_value(game, joint):
    value = np.zeros((2, game.num_states))
    for h in reversed(range(game.horizon)):
        ahead = game.rewards_at(h) + game.expected(value, h)
        value = (joint[h] * ahead).sum(axis=(2, 3))
    return value


def _best_on_grid(game, concept, policies, i, grid, tau, eps, chance) -> float:
    """Largest gain over grids of mixed actions, stage by stage, from the preferences room alone."""
    rule = regularizer(concept.rules.regularizer)
    best, have = np.zeros(2), np.zeros(2)
    gains = []
    for h in reversed(range(2)):
        new_best, new_have = np.empty(2), np.empty(2)
        for s in range(2):
            for out, ahead, mine in (
                (new_best, best, np.stack([grid, 1 - grid], axis=1)),
                (new_have, have, policies[i][h][s][None]),
            ):
                both = np.zeros((2, 2))
                both[i] = ahead
                q = (game.rewards_at(h)[i] + worth(game, both, h, *chance)[i])[s]
                q = q if i == 0 else q.T
                law = policies[1 - i][h][s]
                if concept.rules.form == "action_dependent":
                    risk = worst_case(law, q, concept.rules.penalty, level=1 / tau).value
                    utility = mine @ risk
                elif tau:
                    utility = worst_case(law, mine @ q, concept.rules.penalty, level=1 / tau).value
                else:
                    utility = mine @ q @ law
                out[s] = (utility - eps * rule.value(mine)).max()
        best, have = new_best, new_have
        gains.append((best - have).max())
    return max(gains)
