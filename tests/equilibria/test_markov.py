"""Backward induction, and its certificates, against closed forms, other solvers and brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import equipoise as eqp
from equipoise.equilibria import Security, _stage_quantal
from equipoise.equilibria._certificate import best_value
from equipoise.equilibria._chance import worth
from equipoise.games import MarkovGame, NormalFormGame, SuccessorLists
from equipoise.preferences import LOG_BARRIER, worst_case
from markov_games import KERNEL, QUANTAL, R1, R2, random_markov_game, sparse_copy, two_states

OTHERS = [
    eqp.Nash(),
    Security(),
    eqp.CorrelatedEquilibrium(),
    eqp.CoarseCorrelatedEquilibrium("egalitarian"),
    eqp.RQE(0.0, 0.0),
    eqp.RQE(np.inf, 0.0),
]


class TestEveryConcept:
    @pytest.mark.parametrize("concept", QUANTAL + OTHERS, ids=lambda c: c.name)
    @pytest.mark.parametrize("timed", [False, True])
    def test_certified_on_random_games(self, concept, timed):
        solution = eqp.solve(random_markov_game(4, timed=timed), concept)
        assert solution.certificate.gap < 1e-10
        assert solution.certificate.lower <= solution.certificate.gap
        assert [x.shape for x in solution.strategies] == [(3, 3, 2), (3, 3, 3)]
        for policy in solution.strategies:
            assert np.allclose(policy.sum(axis=-1), 1.0)
        assert solution.details["values"].shape == (4, 2, 3)
        assert np.array_equal(solution.details["values"][0], solution.values)

    @pytest.mark.parametrize("concept", QUANTAL + OTHERS, ids=lambda c: c.name)
    def test_one_step_is_the_normal_form_game_of_every_state(self, concept):
        game = random_markov_game(5, horizon=1)
        solution = eqp.solve(game, concept)
        for s in range(game.num_states):
            alone = eqp.solve(NormalFormGame([r[s] for r in game.rewards]), concept)
            assert np.allclose(solution.values[:, s], alone.values, atol=1e-9)
            if not isinstance(concept, eqp.CoarseCorrelatedEquilibrium):
                for mine, theirs in zip(solution.strategies, alone.strategies, strict=True):
                    assert np.allclose(mine[0, s], theirs, atol=1e-8)

    @pytest.mark.parametrize("concept", QUANTAL + OTHERS, ids=lambda c: c.name)
    def test_successor_lists_give_the_same_answer_as_dense_transitions(self, concept):
        game = random_markov_game(6)
        dense, sparse = (eqp.solve(g, concept) for g in (game, sparse_copy(game)))
        assert np.allclose(dense.values, sparse.values, atol=1e-9)

    @pytest.mark.parametrize("concept", QUANTAL, ids=lambda c: c.name)
    def test_identical_states_are_played_alike(self, concept):
        game = MarkovGame(np.full((2, 2, 2, 2), 0.5), [R1[[0, 0]], R2[[0, 0]]], horizon=4)
        solution = eqp.solve(game, concept)
        for policy in solution.strategies:
            assert np.allclose(policy[:, 0], policy[:, 1], atol=1e-12)
            # The future adds a constant, which changes no quantal equilibrium.
            assert np.allclose(policy[0], policy[3], atol=1e-10)

    def test_three_players(self):
        game = random_markov_game(8, states=2, actions=(2, 2, 2), horizon=2)
        for concept in (
            eqp.RQE(0.5, 0.8),
            eqp.RQE(2.0, 2.0, "kl", "log_barrier", joint_penalty="marginals"),
            eqp.CorrelatedEquilibrium(1),
            eqp.Nash(),
        ):
            assert eqp.solve(game, concept).certificate.gap < 1e-6

    def test_one_player_is_a_decision_process(self):
        rng = np.random.default_rng(0)
        kernel, reward = rng.dirichlet(np.ones(4), (4, 3)), rng.normal(size=(4, 3))
        game = MarkovGame(kernel, [reward], horizon=5)
        solution = eqp.solve(game, eqp.QRE(4.0))
        value = np.zeros(4)
        for _ in range(5):
            value = np.log(np.exp(4.0 * (reward + kernel @ value)).sum(axis=1)) / 4.0
        assert np.allclose(solution.values[0], value)
        assert solution.branch == "the equilibrium"
        best = np.zeros(4)
        for _ in range(5):
            best = (reward + kernel @ best).max(axis=1)
        assert np.allclose(eqp.solve(game, eqp.Nash()).values[0], best)


class TestClosedForms:
    """The worked examples W4 and W5, and what chance costs."""

    def test_worked_example_of_chance(self):
        game = MarkovGame(np.full((2, 1, 1, 2), 0.5), np.zeros((2, 2, 1, 1)), horizon=1)
        values = np.array([[0.0, 1.0], [0.0, 1.0]])
        entropic = worth(game, values, 0, np.array([np.log(3.0), 0.0]), "kl")
        assert np.allclose(entropic[:, 0, 0, 0], [-np.log(2 / 3) / np.log(3), 0.5])
        # l1 with 2 L / tau = 1/2: half of the mass moves from the good state to the bad one at no more cost.
        assert np.allclose(worth(game, values, 0, np.array([4.0, np.inf]), "l1")[:, 0, 0, 0], [0.25, 0.0])

    @pytest.mark.parametrize("regularizer", ["entropy", "log_barrier"])
    @pytest.mark.parametrize("counted", [True, False])
    def test_matching_pennies_is_uniform_and_worth_its_regularizer(self, regularizer, counted):
        pennies = np.array([[[1.0, -1.0], [-1.0, 1.0]]])
        game = MarkovGame(np.ones((1, 2, 2, 1)), [pennies, -pennies], horizon=7)
        concept = eqp.RQE(1.5, 0.4, "kl", regularizer, regularizer_in_value=counted)
        solution = eqp.solve(game, concept)
        assert np.allclose(solution.strategies[0], 0.5)
        bonus = 0.4 * np.log(2.0) * (1.0 if regularizer == "entropy" else -2.0)
        assert np.allclose(solution.values, 7.0 * bonus if counted else 0.0, atol=1e-12)

    def test_the_last_stage_differs_by_the_regularizer_alone(self):
        inside, outside = (
            eqp.solve(two_states(), eqp.RQE(1.0, 0.5, regularizer_in_value=flag)) for flag in (True, False)
        )
        for mine, theirs in zip(inside.strategies, outside.strategies, strict=True):
            assert np.allclose(mine[-1], theirs[-1], atol=1e-12)
            assert np.abs(mine[0] - theirs[0]).max() > 1e-6
            entropy = -(mine[-1] * np.log(mine[-1])).sum(axis=-1)
            i = 0 if mine is inside.strategies[0] else 1
            last = inside.details["values"][-2][i] - outside.details["values"][-2][i]
            assert np.allclose(last, 0.5 * entropy, atol=1e-12)

    def test_certain_moves_are_without_risk_for_kl_but_not_for_l1(self):
        kernel = np.zeros((2, 2, 2, 2))
        kernel[:, 0, :, 0] = kernel[:, 1, :, 1] = 1.0
        game = MarkovGame(kernel, [R1, R2], horizon=3)
        neutral = eqp.solve(game, eqp.RQE(1.0, 0.5, environment_risk_aversion=0.0))
        wary = eqp.solve(game, eqp.RQE(1.0, 0.5, environment_risk_aversion=30.0))
        l1 = eqp.solve(game, eqp.RQE(1.0, 0.5, environment_risk_aversion=30.0, environment_penalty="l1"))
        assert np.allclose(neutral.values, wary.values, atol=1e-12)
        assert (l1.values <= neutral.values + 1e-12).all()
        assert l1.values.sum() < neutral.values.sum() - 0.1
        lists = sparse_copy(game)
        trimmed = MarkovGame(
            SuccessorLists(lists.transitions.successors[..., :1], lists.transitions.probabilities[..., :1]),
            game.rewards,
            horizon=3,
        )
        # A feared state need not be among the listed ones.
        assert np.allclose(
            eqp.solve(
                trimmed, eqp.RQE(1.0, 0.5, environment_risk_aversion=30.0, environment_penalty="l1")
            ).values,
            l1.values,
        )

    def test_vanishing_risk_aversion_is_the_quantal_response_equilibrium(self):
        game = two_states()
        limit = eqp.solve(game, eqp.QRE(2.0))
        for tau in (1e-3, 1e-6):
            near = eqp.solve(game, eqp.RQE(tau, 0.5))
            for mine, theirs in zip(near.strategies, limit.strategies, strict=True):
                assert np.abs(mine - theirs).max() < 3.0 * tau
        same = eqp.solve(game, eqp.RQE(0.0, 0.5))
        assert np.allclose(same.values, limit.values, atol=1e-13)

    def test_aversion_to_chance_lowers_values_by_half_the_variance(self):
        game = two_states(2)
        future = np.array([[0.3, 1.0], [-1.0, 2.0]])
        mean = game.expected(future)
        variance = game.expected(future**2) - mean**2
        for penalty in ("kl", "reverse_kl"):
            small = worth(game, future, 0, np.full(2, 1e-4), penalty)
            assert np.allclose(small, mean - 0.5e-4 * variance, atol=1e-7)
        assert np.allclose(
            worth(game, future, 0, np.full(2, 1e6), "kl"), future.min(axis=1)[:, None, None, None]
        )

    @given(st.integers(0, 10**6), st.floats(1e-6, 1e4))
    def test_the_quick_route_of_kl_is_the_worst_case(self, seed, tau):
        rng = np.random.default_rng(seed)
        kernel = rng.dirichlet(np.full(4, 0.3), (4, 2))
        game = MarkovGame(kernel, [np.zeros((4, 2))], horizon=1)
        future = rng.normal(size=(1, 4)) * 10.0 ** rng.integers(-2, 3)
        slow = worst_case(game.transitions, future[0], "kl", level=1.0 / tau).value
        assert np.allclose(worth(game, future, 0, np.array([tau]), "kl")[0], slow, rtol=1e-9, atol=1e-11)


class TestAgainstOtherSolvers:
    def test_the_whole_system_solved_at_once(self):
        """All stages of the 2-state game as one root of SciPy's, from the definition by fixed points."""
        from scipy.optimize import root

        tau, eps, horizon = (1.3, 0.6), (0.5, 0.4), 3
        game = two_states(horizon)

        def residual(z):
            logits = z.reshape(horizon, 2, 2)  # step, state, player
            value = np.zeros((2, 2))
            out = np.empty_like(logits)
            for h in reversed(range(horizon)):
                new = np.empty((2, 2))
                for s in range(2):
                    pi = [1 / (1 + np.exp(-logits[h, s, i])) * np.array([1, 0]) for i in range(2)]
                    pi = [np.array([p[0], 1 - p[0]]) for p in pi]
                    for i in range(2):
                        chance = -np.log(KERNEL[s] @ np.exp(-tau[i] * value[i])) / tau[i]
                        q = (R1, R2)[i][s] + chance
                        q = q if i == 0 else q.T
                        cost = q.T @ pi[i]
                        weights = pi[1 - i] * np.exp(-tau[i] * cost)
                        fear = weights / weights.sum()
                        u = q @ fear
                        out[h, s, i] = logits[h, s, i] - (u[0] - u[1]) / eps[i]
                        entropy = -(pi[i] * np.log(pi[i])).sum()
                        new[i, s] = -np.log(weights.sum()) / tau[i] + eps[i] * entropy
                value = new
            residual.value = value
            return out.ravel()

        found = root(residual, np.zeros(horizon * 4), tol=1e-13)
        assert found.success
        residual(found.x)
        solution = eqp.solve(game, eqp.RQE(tau, eps))
        assert np.allclose(residual.value, solution.values, atol=1e-10)
        mine = np.stack([policy[..., 0] for policy in solution.strategies], axis=-1)
        assert np.allclose(1 / (1 + np.exp(-found.x.reshape(horizon, 2, 2))), mine, atol=1e-10)

    @pytest.mark.parametrize("seed", range(3))
    def test_zero_sum_games_by_one_linear_program_per_state(self, seed):
        from equipoise.equilibria._linear_program import maximise_on_simplex

        base = random_markov_game(seed, states=4, actions=(3, 4), horizon=4)
        game = MarkovGame(base.transitions, [base.rewards[0], 2.0 - base.rewards[0]], horizon=4)
        value = np.zeros(4)
        for _ in range(4):
            payoffs = game.rewards[0] + game.expected(value)
            value = np.array([maximise_on_simplex(np.zeros(3), worst_of=p.T).value for p in payoffs])
        for concept in (eqp.Nash(), eqp.RQE(0.0, 0.0), Security()):
            solution = eqp.solve(game, concept)
            assert np.allclose(solution.values[0], value, atol=1e-9)
            assert np.allclose(solution.values[1], 8.0 - value, atol=1e-9)
            assert solution.certificate.nash_gap < 1e-9
        assert eqp.solve(game, eqp.Nash()).status.startswith("unique")

    @pytest.mark.parametrize("objective", ["welfare", "egalitarian", "any", 1, [2.0, 1.0]])
    @pytest.mark.parametrize("kind", [eqp.CorrelatedEquilibrium, eqp.CoarseCorrelatedEquilibrium])
    def test_correlated_stages_are_those_of_the_normal_form_game(self, kind, objective):
        game = random_markov_game(11, states=5, actions=(3, 3), horizon=1)
        concept = kind(objective if not isinstance(objective, list) else np.array(objective))
        solution = eqp.solve(game, concept)
        for s in range(5):
            alone = eqp.solve(NormalFormGame([r[s] for r in game.rewards]), concept)
            weights = {"welfare": [1, 1], 1: [0, 1]}.get(objective if not isinstance(objective, list) else 0)
            weights = objective if isinstance(objective, list) else weights
            if weights is not None:
                assert np.dot(weights, solution.values[:, s]) == pytest.approx(np.dot(weights, alone.values))
            elif objective == "egalitarian":
                assert solution.values[:, s].min() == pytest.approx(alone.values.min())

    def test_a_minimised_objective_is_no_larger(self):
        game = random_markov_game(12, states=4, actions=(3, 3), horizon=1)
        low = eqp.solve(game, eqp.CoarseCorrelatedEquilibrium("welfare", "minimise")).values.sum(axis=0)
        high = eqp.solve(game, eqp.CoarseCorrelatedEquilibrium()).values.sum(axis=0)
        assert (low <= high + 1e-9).all()
        assert (low < high - 1e-3).any()


class TestUniquenessOfStages:
    def test_contraction_bound_holds_on_random_pairs(self):
        """The l1 Lipschitz constant of best responses, measured between random opponents' strategies."""
        from equipoise.equilibria._certificate import risk_value

        rng = np.random.default_rng(9)
        worst = 0.0
        for _ in range(60):
            own = rng.normal(size=(1, 2, 3)) * 0.7
            tau, eps = rng.uniform(0.1, 2.0), rng.uniform(0.2, 1.0)
            stakes = np.ptp(own, axis=2).max()
            bound = stakes * np.exp(tau * stakes) / (2 * eps)
            q = rng.dirichlet(np.ones(3), 2)
            grid = np.linspace(1e-6, 1 - 1e-6, 4001)
            x = np.stack([grid, 1 - grid], axis=1)
            answers = []
            for law in q:
                value = risk_value(np.log(law)[None], x @ own[0], np.full(len(x), tau), "kl")[0]
                answers.append(x[np.argmax(value - eps * (x * np.log(x)).sum(axis=1))])
            moved = np.abs(answers[0] - answers[1]).sum() / np.abs(q[0] - q[1]).sum()
            worst = max(worst, moved / bound)
        assert worst <= 1.0 + 1e-2

    def test_certain_games_have_one_equilibrium(self):
        rng = np.random.default_rng(1)
        payoffs = rng.normal(size=(40, 2, 3, 3))
        for concept in (eqp.QRE(0.6), eqp.RQE(0.5, 2.0), eqp.RQE(0.5, 2.0, form="action_dependent")):
            own = [payoffs[:, 0], payoffs[:, 1].transpose(0, 2, 1)]
            known = _stage_quantal.certain(own, concept, *concept.parameters(2))
            assert 0 < known.sum() < 40
            for k in np.flatnonzero(known)[:1]:
                found = eqp.find_equilibria(NormalFormGame(list(payoffs[k])), concept)
                assert len(found) == 1

    def test_multiplicity_is_reported(self):
        stag = np.array([[[4.0, 0.0], [3.0, 3.0]]])
        game = MarkovGame(np.ones((1, 2, 2, 1)), [stag, stag.transpose(0, 2, 1)], horizon=4)
        solution = eqp.solve(game, eqp.RQE(0.1, 0.2))
        assert not solution.details["stage"].certain.any()
        assert "4 of 4 stage games uniqueness is not certified" in solution.status
        assert solution.branch.startswith("principal branch")

    def test_later_steps_speed_up_without_changing_the_answer(self, monkeypatch):
        game = random_markov_game(14, states=4, actions=(3, 3), horizon=4)
        for concept in (eqp.RQE(1.0, 1.2, "kl", "log_barrier"), eqp.RQE(1.0, 0.2)):
            quick = eqp.solve(game, concept)
            with monkeypatch.context() as patch:
                patch.setattr(_stage_quantal, "SAME", -1.0)
                patch.setattr(_stage_quantal, "certain", lambda own, *_: np.zeros(len(own[0]), bool))
                slow = eqp.solve(game, concept)
            assert np.allclose(quick.values, slow.values, atol=1e-10)
            assert quick.iterations < slow.iterations or not quick.details["stage"].certain.any()

    def test_barrier_best_value_is_that_of_the_preferences_room(self):
        rng = np.random.default_rng(0)
        u, eps = (
            rng.normal(size=(50, 5)) * 10.0 ** rng.integers(-3, 3, (50, 1)),
            10.0 ** rng.uniform(-4, 2, 50),
        )
        value, law = best_value(u, eps, LOG_BARRIER)
        assert np.allclose(value, LOG_BARRIER.maximum(u, eps), rtol=1e-10)
        assert np.allclose(law, LOG_BARRIER.respond(u, eps), rtol=1e-8, atol=1e-14)


class TestRefusals:
    def test_messages(self):
        game = two_states()
        with pytest.raises(TypeError, match=r"Stackelberg.* is not defined for Markov games"):
            eqp.solve(game, eqp.Stackelberg())
        with pytest.raises(ValueError, match="uniform play has an infinitely large entropy bonus"):
            eqp.solve(game, eqp.QRE(0.0))
        assert np.allclose(eqp.solve(game, eqp.QRE(0.0, regularizer_in_value=False)).strategies[0], 0.5)
        with pytest.raises(ValueError, match="objective has shape"):
            eqp.solve(game, eqp.CorrelatedEquilibrium(np.ones((2, 2))))
        with pytest.raises(ValueError, match="names a player from 0"):
            eqp.solve(game, eqp.CorrelatedEquilibrium(5))
        with pytest.raises(ValueError, match="pure security strategies"):
            eqp.solve(game, Security(pure=True))
        with pytest.raises(ValueError, match="environment_risk_aversion must be zero or positive"):
            eqp.RQE(environment_risk_aversion=-1.0)
        with pytest.raises(ValueError, match="environment_penalty must be one of"):
            eqp.RQE(environment_penalty="cvar")
        with pytest.raises(ValueError, match="environment_risk_aversion has 3 entries"):
            eqp.solve(game, eqp.RQE(environment_risk_aversion=[1.0, 1.0, 1.0]))

    def test_not_converged_is_raised_with_the_answer(self, monkeypatch):
        monkeypatch.setattr("equipoise.equilibria.markov.TOLERANCE", -1.0)
        with pytest.raises(eqp.NotConvergedError, match="certified gap") as caught:
            eqp.solve(two_states(), eqp.QRE(1.0))
        assert caught.value.solution.strategies[0].shape == (3, 2, 2)
