"""Plug-in learning from a generative model: sample every state and joint action, then solve what was seen."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from equipoise.equilibria import RQE, MarkovSolution, solve
from equipoise.games import MarkovGame, SuccessorLists

PerPlayer = float | int | tuple[float | int, ...]


class Sampled(NamedTuple):
    """A game as arrays, to be sampled and to be solved with other probabilities.

    Attributes:
        probabilities: of the possible next states, `[..., S, A_1, ..., A_n, K]`, with a first axis of steps
            where they depend on time.
        successors: which states these are, of the same shape.
        rewards: `[n, ..., S, A_1, ..., A_n]`.
        initial: law of the first state, `[S]`.
        discount: 1 in a game with a horizon.
        clock: one entry per move, `[H]`, none in a discounted game: an array, because its length is a shape.
    """

    probabilities: Any
    successors: Any
    rewards: Any
    initial: Any
    discount: Any
    clock: Any


class Seen(NamedTuple):
    """What was seen so far.

    Attributes:
        counts: how often each possible next state followed, `[..., S, A_1, ..., A_n, K]`.
    """

    counts: Any


@dataclass(frozen=True)
class GenerativeRQE:
    """Learns a Markov game's risk-averse quantal response equilibrium from a generative model.

    An update draws `draws` next states for every state and joint action (and step, where transitions depend
    on time). The policy is the exact equilibrium of the game with the observed frequencies in place of the
    transition probabilities; rewards are seen exactly with the first draw.

    Source: Mazumdar, Panaganti and Shi (2024), arXiv 2406.14156, Theorem 5.

    Attributes:
        draws: next states drawn per state and joint action in one update.
        smoothing: added to every count; above 0 it keeps next states that were not seen within reach of an
            adversary that cannot leave the support (penalty "kl").
        risk_aversion: tau of the equilibrium, one number or one per player; larger is more averse.
        bounded_rationality: eps, one number or one per player; larger is noisier.
        penalty: "kl", "reverse_kl" or "l1", as in `equipoise.RQE`.
        regularizer: "entropy" or "log_barrier".
        form: "aggregate" or "action_dependent".
        joint_penalty: with three or more players, "joint" or "marginals".
        environment_risk_aversion: aversion to chance moves; None as in `equipoise.RQE`.
        environment_penalty: divergence that it fears, as in `equipoise.RQE`.
        regularizer_in_value: whether values count the regularizer.

    Raises:
        ValueError: a setting is out of range.
    """

    draws: int = 10
    smoothing: float | int = 0.0
    risk_aversion: PerPlayer = 1.0
    bounded_rationality: PerPlayer = 1.0
    penalty: str = "kl"
    regularizer: str = "entropy"
    form: str = "aggregate"
    joint_penalty: str = "joint"
    environment_risk_aversion: PerPlayer | None = None
    environment_penalty: str = "kl"
    regularizer_in_value: bool = True

    def __post_init__(self) -> None:
        if self.draws < 1:
            raise ValueError(f"draws must be at least 1, got {self.draws}")
        if not 0.0 <= self.smoothing < np.inf:
            raise ValueError(f"smoothing must be a finite number of at least 0, got {self.smoothing}")
        _ = self.concept

    @property
    def concept(self) -> RQE:
        """The equilibrium that is learned."""
        own = ("draws", "smoothing")
        return RQE(**{f.name: getattr(self, f.name) for f in fields(self) if f.name not in own})

    @property
    def name(self) -> str:
        """Name with the main settings, for tables."""
        return f"GenerativeRQE({self.draws} draws; {self.concept.name})"

    @property
    def precision(self) -> str:
        """Counts are exact, and the solver works in double precision."""
        return "float64"

    def check(self, game: Any) -> None:
        """Refuse what is no Markov game, and parameters that do not fit it.

        Raises:
            TypeError: `game` is no MarkovGame.
            ValueError: the numbers of parameters and players differ, or the concept cannot be solved.
        """
        if not isinstance(game, MarkovGame):
            raise TypeError(
                f"GenerativeRQE learns in a MarkovGame, not a {type(game).__name__}: it draws next states"
            )
        self.concept.parameters(game.num_players)

    def prepare(self, game: MarkovGame) -> Sampled:
        """The generative model, and the rewards."""
        successors, probabilities = _listed(game)
        return Sampled(
            probabilities,
            successors,
            np.stack(game.rewards),
            game.initial,
            np.float64(1.0 if game.discount is None else game.discount),
            np.zeros(game.horizon or 0),
        )

    def samples_per_update(self, game: MarkovGame) -> int:
        """Draws for all states and joint actions (and steps) together."""
        return self.draws * int(np.prod(_listed(game)[1].shape[:-1]))

    def init(self, model: Sampled, key: Any) -> Seen:
        """Nothing seen."""
        import jax.numpy as jnp

        return Seen(jnp.zeros(model.probabilities.shape, jnp.int64))

    def update(self, model: Sampled, state: Seen, key: Any) -> tuple[Seen, dict[str, Any]]:
        """Draw next states everywhere."""
        import jax
        import jax.numpy as jnp

        shape = model.probabilities.shape
        laws = model.probabilities.reshape(-1, shape[-1])
        # Random numbers below each cumulative probability, counted: cheaper to compile than a multinomial.
        edges = jnp.cumsum(laws, axis=1)
        drawn = jax.random.uniform(key, (len(laws), self.draws)) * edges[:, -1:]
        found = jax.vmap(lambda edge, u: jnp.searchsorted(edge, u, side="right"))(edges, drawn)
        counted = jax.vmap(lambda where: jnp.zeros(shape[-1], jnp.int64).at[where].add(1))(found)
        counts = state.counts + counted.reshape(shape)
        return Seen(counts), {"draws": counts.sum(-1).min()}

    def policy(self, model: Sampled, state: Seen) -> tuple[Any, ...]:
        """Equilibrium of the game as seen so far; uniform play before the first draw."""
        import jax

        players, states, steps = model.rewards.shape[0], model.initial.shape[0], model.clock.shape[0]
        lead = (steps, states) if steps else (states,)
        actions = model.probabilities.shape[-1 - players : -1]
        struct: Any = jax.ShapeDtypeStruct
        shapes = tuple(struct((*lead, count), float) for count in actions)

        def play(model: Sampled, state: Seen) -> tuple[np.ndarray, ...]:
            if not np.asarray(state.counts).any():
                return tuple(np.full(s.shape, 1.0 / s.shape[-1]) for s in shapes)
            return self.solve(model, state).strategies

        return jax.pure_callback(play, shapes, model, state, vmap_method="sequential")

    def solve(self, model: Sampled, state: Seen) -> MarkovSolution:
        """Solve the game as seen so far, with its certificate (in that game, not in the true one).

        Args:
            model: from `prepare`.
            state: of one seed, after at least one update.

        Returns:
            The solution; a warning says so if the solver stopped short of its tolerance.
        """
        counts = np.asarray(state.counts) + float(self.smoothing)
        listed = np.asarray(model.successors)
        game = MarkovGame(
            SuccessorLists(listed, counts / counts.sum(axis=-1, keepdims=True)),
            list(np.asarray(model.rewards)),
            horizon=len(model.clock) or None,
            discount=None if len(model.clock) else float(model.discount),
            initial=np.asarray(model.initial),
        )
        solution = solve(game, self.concept, throw=False)
        if not solution.converged:
            warnings.warn(f"the game as seen so far was not solved: {solution.status}", stacklevel=2)
        return solution


def sample_bound(game: MarkovGame, draws: int, failure: float = 0.05, lipschitz: float | int = 1.0) -> float:
    """The accuracy that theory promises after so many draws per state and joint action.

    8 H L sqrt(S log(2 S H prod_i A_i / delta) / N), with 1/(1 - discount) for H in discounted games. The
    statement is known from summaries only, for penalties on chance moves with an L-Lipschitz dependence on
    the true law (total variation, l1); read it as an order of magnitude.

    Args:
        game: the game.
        draws: N, next states drawn per state and joint action.
        failure: delta, the probability with which the promise may fail.
        lipschitz: L.

    Source: Mazumdar, Panaganti and Shi (2024), arXiv 2406.14156, Theorem 5.
    """
    if draws < 1 or not 0.0 < failure < 1.0:
        raise ValueError(f"draws must be at least 1 and failure in (0, 1), got {draws} and {failure}")
    length = 1.0 / (1.0 - game.discount) if game.discount is not None else float(game.horizon or 1)
    states = game.num_states
    many = 2.0 * states * length * float(np.prod(game.num_actions)) / failure
    return 8.0 * length * lipschitz * math.sqrt(states * math.log(many) / draws)


def _listed(game: MarkovGame) -> tuple[np.ndarray, np.ndarray]:
    """Possible next states and their probabilities, for all steps at once where they depend on time."""
    if isinstance(game.transitions, SuccessorLists):
        return game.transitions.successors, game.transitions.probabilities
    kernel = game.transitions
    return np.broadcast_to(np.arange(game.num_states, dtype=np.int32), kernel.shape), kernel
