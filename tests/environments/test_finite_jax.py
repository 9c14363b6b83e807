"""JAX environments with few states are found by trying everything."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equipoise.environments import from_jax_environment


class Corridor:
    """Two agents push a cart along five cells; it leaves at the right end. A clock runs beside it."""

    agents = ("left", "right")
    name = "corridor"

    def reset(self, key):
        return {}, {"cart": jnp.int32(2), "clock": jnp.int32(0)}

    def step_env(self, key, state, actions):
        cart = jnp.clip(state["cart"] + actions["right"] - actions["left"], 0, 4)
        rewards = {"left": -actions["left"] * 1.0, "right": cart * 0.5}
        after = {"cart": cart, "clock": state["clock"] + 1}
        return {}, after, rewards, {"__all__": cart == 4}, {}

    def step(self, key, state, actions):
        raise AssertionError("step starts again by itself; step_env is there")


class Coin:
    """One agent; the next state is drawn with a probability that depends on its action."""

    agents = ("tosser",)

    def reset(self, key):
        return {}, jax.random.bernoulli(key, 0.5).astype(jnp.int32)

    def step(self, key, state, actions):
        heads = jax.random.bernoulli(key, 0.2 + 0.6 * actions["tosser"])
        return {}, heads.astype(jnp.int32), {"tosser": state * 1.0}, {"__all__": False}, {}


def test_a_deterministic_environment():
    game = from_jax_environment(Corridor(), (2, 2), discount=0.9, identify=lambda state: state["cart"])
    assert game.title == "corridor"
    assert game.player_names == ("left", "right")
    assert sorted(game.state_names) == ["0", "1", "2", "3", "end"]
    assert game.state_names[0] == "2"
    assert game.initial[0] == 1
    names = game.state_names
    for s, name in enumerate(names[:-1]):
        for left in range(2):
            for right in range(2):
                cart = min(max(int(name) + right - left, 0), 4)
                law = game.expected(np.array([float(x == (str(cart) if cart < 4 else "end")) for x in names]))
                assert law[s, left, right] == 1
                assert game.rewards[0][s, left, right] == -left
                assert game.rewards[1][s, left, right] == pytest.approx(cart / 2)


def test_without_leaving_out_the_clock_there_are_too_many_states():
    with pytest.raises(ValueError, match=r"more than 50 states.*such as a clock"):
        from_jax_environment(Corridor(), (2, 2), discount=0.9, max_states=50)


def test_random_moves_are_estimated():
    game = from_jax_environment(Coin(), (2,), horizon=3, samples=4000)
    heads = game.state_names.index("1")
    np.testing.assert_allclose(game.expected(np.eye(2)[heads]), [[0.2, 0.8], [0.2, 0.8]], atol=0.03)
    np.testing.assert_array_equal(game.rewards[0][heads], 1)
    np.testing.assert_allclose(game.initial, 0.5, atol=0.03)


def test_refusals():
    with pytest.raises(TypeError, match="must have agents, reset and step"):
        from_jax_environment(object(), (2,), discount=0.9)
    with pytest.raises(ValueError, match="num_actions has 1 numbers; there are 2 agents"):
        from_jax_environment(Corridor(), (2,), discount=0.9)
    with pytest.raises(ValueError, match="samples must be at least 1"):
        from_jax_environment(Coin(), (2,), discount=0.9, samples=0)
