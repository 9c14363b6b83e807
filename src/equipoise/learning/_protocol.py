"""What a learner is: settings, and pure functions that turn samples into policies."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

Model = Any  # a PyTree of arrays: what of the game enters the computation
State = Any  # a PyTree of arrays: everything a learner knows and remembers
Key = Any  # a JAX random key


@runtime_checkable
class Learner(Protocol):
    """A learning algorithm: a frozen dataclass of settings with pure functions.

    `train` runs every learner the same way. It calls `prepare` once, `init` once per seed, and `update` again
    and again, compiled and for all seeds at once; so `init`, `update` and `policy` must be functions of their
    arguments alone that JAX can trace. Update t of a seed gets a random key made of the seed and t: nothing
    random need be remembered, and a resumed run goes on exactly as if it had never stopped.

    Settings are numbers, texts, None, tuples of these, or dataclasses of them, so that a run can be written
    down and checked.
    """

    @property
    def name(self) -> str:
        """Name of the algorithm with its main settings, for tables."""
        ...

    @property
    def precision(self) -> str:
        """The precision everything is computed in, "float64" or "float32"."""
        ...

    def check(self, game: Any) -> None:
        """Refuse a game or environment that the algorithm is not made for.

        Raises:
            TypeError: it is of another kind.
            ValueError: it is of the right kind but does not fit; the message says why and what to do.
        """
        ...

    def prepare(self, game: Any) -> Model:
        """What of the game enters the computation, as arrays."""
        ...

    def samples_per_update(self, game: Any) -> int:
        """How many samples of the game (environment steps) one update uses; at least 1."""
        ...

    def init(self, model: Model, key: Key) -> State:
        """What the learner knows before the first sample."""
        ...

    def update(self, model: Model, state: State, key: Key) -> tuple[State, dict[str, Any]]:
        """Use `samples_per_update` samples.

        Returns:
            The state, of the same shapes and types, and metrics: numbers by name, always the same names.
        """
        ...

    def policy(self, model: Model, state: State) -> tuple[Any, ...]:
        """What the players would do now: one array of laws per player, actions on the last axis."""
        ...
