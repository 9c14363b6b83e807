"""The ring buffer: a queue of bounded length, drawn from evenly, under jit and vmap."""

from __future__ import annotations

from collections import deque

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.learning._replay import add, draw, empty

ONE = {"state": jax.ShapeDtypeStruct((), jnp.int32), "reward": jax.ShapeDtypeStruct((2,), jnp.float32)}


def batch(first, count):
    numbers = jnp.arange(first, first + count, dtype=jnp.int32)
    return {"state": numbers, "reward": jnp.stack([numbers, -numbers], axis=1).astype(jnp.float32)}


def kept(buffer):
    """The items in the buffer, oldest first."""
    capacity, written = len(buffer.items["state"]), int(buffer.written)
    places = np.arange(max(0, written - capacity), written) % capacity
    return np.asarray(buffer.items["state"])[places].tolist()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4).flatmap(lambda c: st.tuples(st.just(c), st.lists(st.integers(1, c), max_size=6))))
def test_is_a_queue_that_forgets_the_oldest(plan):
    capacity, pushes = plan
    buffer, queue, first = empty(ONE, capacity), deque(maxlen=capacity), 0
    for count in pushes:
        buffer = add(buffer, batch(first, count))
        queue.extend(range(first, first + count))
        first += count
        assert kept(buffer) == list(queue)
    assert (np.asarray(buffer.items["reward"])[:, 0] == np.asarray(buffer.items["state"])).all()
    assert int(buffer.written) == first


def test_draws_come_evenly_from_what_was_written():
    buffer = add(empty(ONE, 8), batch(10, 5))
    drawn = draw(buffer, jax.random.key(0), 10_000)
    values, counts = np.unique(np.asarray(drawn["state"]), return_counts=True)
    assert values.tolist() == [10, 11, 12, 13, 14]
    # A binomial count of 10,000 draws at 1/5 has a standard deviation of 40.
    assert np.abs(counts - 2000).max() < 5 * 40
    assert (np.asarray(drawn["reward"])[:, 1] == -np.asarray(drawn["state"])).all()


def test_seeds_side_by_side_have_buffers_of_their_own():
    buffers = jax.vmap(lambda k: add(empty(ONE, 4), jax.tree.map(lambda x: x + k, batch(0, 3))))(
        jnp.arange(2, dtype=jnp.int32) * 100
    )
    keys = jax.random.split(jax.random.key(1), 2)
    drawn = jax.jit(jax.vmap(lambda b, k: draw(b, k, 50)))(buffers, keys)["state"]
    assert set(np.asarray(drawn[0]).tolist()) == {0, 1, 2}
    assert set(np.asarray(drawn[1]).tolist()) == {100, 101, 102}


def test_more_items_than_places_are_refused():
    with pytest.raises(ValueError, match="5 items do not fit a buffer with 4 places"):
        add(empty(ONE, 4), batch(0, 5))
