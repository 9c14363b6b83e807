"""Bridges to PettingZoo: games as parallel environments, checked by its own tests, and found again."""

import numpy as np
import pytest

from equipoise.environments import from_pettingzoo, to_pettingzoo
from equipoise.games import check_game, grid_game, named_markov_game

pytestmark = pytest.mark.peer
pytest.importorskip("pettingzoo", reason="PettingZoo is an extra: pip install 'equipoise[environments]'")

GRID = grid_game(["A..", "1#2", "..B"], {"1": 1, "2": 1}, discount=0.9, absorbing="12", paid="on_arrival")


@pytest.mark.parametrize("key", ["two-state", "toy-3", "cooperation-grid", "congestion"])
def test_games_pass_pettingzoos_own_checks(key):
    from pettingzoo.test import parallel_api_test, parallel_seed_test

    game = named_markov_game(key)
    parallel_api_test(to_pettingzoo(game), num_cycles=50)
    parallel_seed_test(lambda: to_pettingzoo(game), num_cycles=20)


def test_a_deterministic_grid_is_found_again():
    found = from_pettingzoo(to_pettingzoo(GRID), discount=0.9)
    assert found.player_names == ("Player 1", "Player 2")
    # The original keeps states that play does not reach, and a state for every pair of goals; the states
    # found end play there.
    numbers = {name: int(name) for name in found.state_names if name != "end"}
    assert numbers[found.state_names[int(np.argmax(found.initial))]] == int(np.argmax(GRID.initial))
    rows, columns = list(numbers.values()), [found.state_names.index(name) for name in numbers]
    kernel, original = found.transitions_at()[columns], GRID.transitions_at()[rows]
    np.testing.assert_allclose(kernel[..., columns], original[..., rows])
    both_home = GRID.state_names.index("A(1,0) B(1,2)")
    np.testing.assert_allclose(kernel[..., found.state_names.index("end")], original[..., both_home])
    np.testing.assert_allclose([r[columns] for r in found.rewards], [r[rows] for r in GRID.rewards])
    assert not any("Never reached" in one for one in check_game(found))


def test_random_moves_are_estimated():
    game = named_markov_game("two-state")

    def reseed(env, seed):
        env._rng = np.random.default_rng(seed)

    found = from_pettingzoo(
        to_pettingzoo(game),
        discount=0.8,
        identify=lambda env: int(env.state()[0]),
        reseed=reseed,
        samples=500,
    )
    order = [int(name) for name in found.state_names]
    kernel = found.transitions_at()[np.argsort(order)][..., np.argsort(order)]
    np.testing.assert_allclose(kernel, game.transitions, atol=0.08)
    np.testing.assert_allclose([r[np.argsort(order)] for r in found.rewards], game.rewards)
    np.testing.assert_allclose(found.initial, 0.5, atol=0.08)


class Leaving:
    """Two agents; the second leaves after its first move, the first after two more."""

    possible_agents = ("stays", "leaves")
    metadata = {"name": "leaving"}  # noqa: RUF012

    def action_space(self, agent):
        from gymnasium.spaces import Discrete

        return Discrete(2)

    def reset(self, seed=None, options=None):
        self.agents, self.clock = list(self.possible_agents), 0
        return {}, {}

    def step(self, actions):
        assert set(actions) == set(self.agents)
        self.clock += 1
        rewards = {agent: 1.0 + actions[agent] for agent in self.agents}
        self.agents = [] if self.clock == 3 else ["stays"]
        return {}, rewards, {}, {}, {}


def test_agents_may_leave_early():
    game = from_pettingzoo(Leaving(), discount=0.5, identify=lambda env: env.clock)
    assert game.state_names == ("0", "1", "2", "end")
    assert game.title == "leaving"
    np.testing.assert_array_equal(game.rewards[0][:, :, 0], [[1, 2], [1, 2], [1, 2], [0, 0]])
    np.testing.assert_array_equal(game.rewards[1][:, 0], [[1, 2], [0, 0], [0, 0], [0, 0]])


def test_refusals():
    env = to_pettingzoo(named_markov_game("two-state"))
    with pytest.raises(ValueError, match="needs reseed"):
        from_pettingzoo(env, discount=0.9, samples=3)
    with pytest.raises(TypeError, match="env must be a PettingZoo ParallelEnv, not int"):
        from_pettingzoo(3, discount=0.9)
    with pytest.raises(ValueError, match="there are more than 3 states"):
        from_pettingzoo(to_pettingzoo(GRID), discount=0.9, max_states=3)
    with pytest.raises(ValueError, match="give identify"):
        from_pettingzoo(Leaving(), discount=0.9)
    with pytest.raises(ValueError, match="render_mode"):
        to_pettingzoo(GRID, render_mode="human")
    with pytest.raises(RuntimeError, match=r"call reset\(\) first"):
        env.step({})


def test_a_time_limit_of_its_own_is_refused():
    class Cut(Leaving):
        def step(self, actions):
            observations, rewards, over, _, infos = super().step(actions)
            return observations, rewards, over, dict.fromkeys(self.possible_agents, self.clock == 2), infos

    with pytest.raises(ValueError, match="own time limit cut play short"):
        from_pettingzoo(Cut(), discount=0.9, identify=lambda env: env.clock)


def test_pictures():
    env = to_pettingzoo(GRID, render_mode="ansi")
    env.reset(seed=0)
    assert env.render() == "A(0,0) B(2,2)\nA..\n1#2\n..B"
