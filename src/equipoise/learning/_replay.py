"""A ring buffer of what was seen, as a PyTree: filled in order, the oldest overwritten, drawn from evenly."""

from __future__ import annotations

from typing import Any, NamedTuple


class Replay(NamedTuple):
    """A buffer.

    Attributes:
        items: a PyTree of arrays, each with a leading axis of places.
        written: how many items were ever put in; the next one goes to this place, modulo the capacity.
    """

    items: Any
    written: Any


def empty(like: Any, capacity: int) -> Replay:
    """A buffer without items.

    Args:
        like: one item, a PyTree of arrays or of `jax.ShapeDtypeStruct`.
        capacity: number of places.
    """
    import jax
    import jax.numpy as jnp

    return Replay(
        jax.tree.map(lambda leaf: jnp.zeros((capacity, *leaf.shape), leaf.dtype), like),
        jnp.zeros((), int),
    )


def add(buffer: Replay, items: Any) -> Replay:
    """Put items in, in their order.

    Args:
        buffer: the buffer.
        items: a PyTree like the buffer's, with a leading axis of at most as many items as there are places.

    Raises:
        ValueError: there are more items than places.
    """
    import jax
    import jax.numpy as jnp

    capacity, count = (len(jax.tree.leaves(tree)[0]) for tree in (buffer.items, items))
    if count > capacity:
        raise ValueError(f"{count} items do not fit a buffer with {capacity} places")
    where = (buffer.written + jnp.arange(count)) % capacity
    kept = jax.tree.map(lambda old, new: old.at[where].set(new), buffer.items, items)
    return Replay(kept, buffer.written + count)


def draw(buffer: Replay, key: Any, count: int) -> Any:
    """Draw items evenly and independently, with replacement; the buffer must not be empty.

    Args:
        buffer: the buffer.
        key: a JAX random key.
        count: how many.

    Returns:
        A PyTree like the buffer's, with a leading axis of `count`.
    """
    import jax
    import jax.numpy as jnp

    capacity = len(jax.tree.leaves(buffer.items)[0])
    filled = jnp.minimum(buffer.written, capacity)
    where = (jax.random.uniform(key, (count,)) * filled).astype(int)  # compiles faster than whole numbers
    return jax.tree.map(lambda leaf: leaf[where], buffer.items)
