"""The actor-critic that learns stationary risk-averse quantal response equilibria of discounted games.

Every state has its stage game Q(s), and every player a policy and an adversary there. Each update moves all
policies and adversaries along their own gradients in the current stage games; then the stage games move
towards what the policies are worth: everywhere if the model is known, otherwise at the states and actions
that were seen. The actor is the faster one, the reverse of the usual order, and no equilibrium is ever solved
for. With risk aversion 0 a player has no adversary: plain gradient play, the baseline that need not converge.

Source: Zhang and Mazumdar (2026), arXiv 2602.12386, Theorems 4.4 (exact) and 4.7 (sampled), Algorithm 1. The
paper leaves step sizes, exploration and coverage open; the defaults here are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from equipoise.equilibria import RQE
from equipoise.equilibria._settings import check_choice
from equipoise.equilibria.coupled import Coupling, check_played, mirror, step_weights, worth_of
from equipoise.equilibria.dynamics import GEOMETRIES, Table, floors_of, gradient, project
from equipoise.games import MarkovGame
from equipoise.learning import _replay
from equipoise.learning._draws import places, running_sums

PerPlayer = float | int | tuple[float | int, ...]
SOURCES = ("exact", "on_policy", "replay")


class Prepared(NamedTuple):
    """A game as the actor-critic sees it; J joint actions, K possible next states.

    Attributes:
        rewards: `[n, S, A_1, ..., A_n]`.
        probabilities: of the possible next states, `[S, J, K]`.
        edges: their running sums, `[S, J, K]`.
        successors: which states these are, `[S, J, K]`; None where they are all states in order.
        initial: running sums of the law of the first state, `[S]`.
        discount: the discount factor.
        restart: probability that a walk begins anew.
        tau: risk aversion, 1 for neutral players, `[n, S]`.
        eps: bounded rationality, `[n, S]`.
        weights: factors on each player's steps, `[n]`.
        floors: least probability of every law, of the players, then of their adversaries, `[S]` each.
    """

    rewards: Any
    probabilities: Any
    edges: Any
    successors: Any
    initial: Any
    discount: Any
    restart: Any
    tau: Any
    eps: Any
    weights: Any
    floors: tuple[Any, ...]


class Transition(NamedTuple):
    """What is seen in one step: state, joint action, the players' rewards, next state."""

    state: Any
    action: Any
    reward: Any
    successor: Any


class Learnt(NamedTuple):
    """Where learning stands.

    Attributes:
        laws: the players' policies `[A_i, S]`, then their adversaries' laws over the others' joint actions.
        payoffs: the stage games Q, `[n, S, A_1, ..., A_n]`.
        updates: updates made.
        visits: how often each state and joint action was used, `[S, J]`; None if the model is known.
        walks: current states of the walks, `[walks]`; None if the model is known.
        memory: transitions to draw from; None without replay.
    """

    laws: tuple[Any, ...]
    payoffs: Any
    updates: Any
    visits: Any
    walks: Any
    memory: Any


@dataclass(frozen=True)
class RQEActorCritic:
    """Actor-critic for the stationary risk-averse quantal response equilibrium of a discounted Markov game.

    Attributes:
        source: what the critic learns from: "exact" expectations of a known model, one "step" per update;
            "on_policy", the steps just made; "replay", a batch drawn from the latest steps.
        critic: alpha, the share of the way that values move at first, in (0, 1].
        actor: beta, the step of policies and adversaries at first, in 1/payoff units; large beside `critic`.
        geometry: of the actor's steps: "euclidean" (projected gradients, as in the theorems) or "entropic"
            (multiplicative weights, which take longer steps where probabilities are small).
        schedule: "constant", or "diminishing": both fall as 1/t, the critic's for every state and joint
            action with the number of its samples.
        exploration: share of uniform play in what is done (not in what is learnt).
        walks: walks made side by side; each makes one step per update.
        restart: probability with which a walk begins anew from the game's initial law; None: 1 - discount.
        memory: how many of the latest steps "replay" draws from.
        batch: how many it draws per update.
        risk_aversion: as in `equipoise.RQE`, like the following ones.
        bounded_rationality: as there; positive for players who are averse.
        penalty: "kl" or "reverse_kl"; with three or more players on the others' joint law.
        regularizer: "entropy" or "log_barrier".
        regularizer_in_value: whether values count what noise costs.

    Raises:
        ValueError: a setting is out of range.
    """

    source: str = "on_policy"
    critic: float | int = 0.1
    actor: float | int = 0.2
    geometry: str = "entropic"
    schedule: str = "diminishing"
    exploration: float | int = 0.1
    walks: int = 1
    restart: float | int | None = None
    memory: int = 10_000
    batch: int = 32
    risk_aversion: PerPlayer = 1.0
    bounded_rationality: PerPlayer = 1.0
    penalty: str = "kl"
    regularizer: str = "log_barrier"
    regularizer_in_value: bool = True

    precision = "float64"

    def __post_init__(self) -> None:
        check_choice(self.source, "source", SOURCES)
        check_choice(self.geometry, "geometry", GEOMETRIES)
        _ = self.coupling, self.concept
        for field, lowest in (("walks", 1), ("memory", self.walks), ("batch", 1)):
            if getattr(self, field) < lowest:
                raise ValueError(f"{field} must be at least {lowest}, got {getattr(self, field)}")
        for field, share in (("exploration", self.exploration), ("restart", self.restart or 0.0)):
            if not 0.0 <= share <= 1.0:
                raise ValueError(f"{field} must be from 0 to 1, got {share}")

    @property
    def concept(self) -> RQE:
        """The equilibrium that is learned."""
        return RQE(
            self.risk_aversion,
            self.bounded_rationality,
            self.penalty,
            self.regularizer,
            regularizer_in_value=self.regularizer_in_value,
        )

    @property
    def coupling(self) -> Coupling:
        """The step sizes, as the exact iteration has them."""
        return Coupling(float(self.critic), float(self.actor), self.schedule, halve=False)

    @property
    def name(self) -> str:
        """Name with the main settings, for tables."""
        return f"RQEActorCritic({self.source}, {self.schedule}; {self.concept.name})"

    def check(self, game: Any) -> None:
        """Refuse what is no discounted Markov game of two players or more.

        Raises:
            TypeError: `game` is no MarkovGame.
            ValueError: it has a horizon or a single player, or the preferences do not fit it.
        """
        if not isinstance(game, MarkovGame):
            raise TypeError(f"RQEActorCritic learns in a MarkovGame, not a {type(game).__name__}")
        if game.discount is None:
            raise ValueError(
                "RQEActorCritic learns stationary policies, which need a game with a discount; for one with "
                "a horizon use GenerativeRQE, or eqp.solve"
            )
        if game.num_players < 2:
            raise ValueError("RQEActorCritic needs at least two players; this game has one")
        check_played(self.concept, game.num_players)

    def prepare(self, game: MarkovGame) -> Prepared:
        """The game's rewards and transitions, and bounds that no equilibrium policy falls below."""
        assert game.discount is not None
        players, states = game.num_players, game.num_states
        tau, eps = check_played(self.concept, players)
        rewards = game.rewards_at()
        ones = np.ones((players, states))
        safe, noise = np.where(tau > 0.0, tau, 1.0)[:, None] * ones, eps[:, None] * ones
        table = Table(_own_first(rewards, np), safe, noise, self.penalty, self.regularizer)
        # The stage games of an equilibrium range no wider than rewards do, summed over discounted time.
        spans = [np.full(states, np.ptp(r) / (1.0 - game.discount)) for r in rewards]
        with np.errstate(divide="ignore"):  # without noise there is no bound, and none is needed
            floors = floors_of(table, spans)
        lists = game.successors_at() if game.is_sparse else None
        laws = game.transitions_at() if lists is None else lists.probabilities
        laws = laws.reshape(states, -1, laws.shape[-1])
        return Prepared(
            rewards=rewards,
            probabilities=laws,
            edges=running_sums(laws),
            successors=None if lists is None else lists.successors.reshape(laws.shape),
            initial=running_sums(game.initial),
            discount=np.float64(game.discount),
            restart=np.float64(1.0 - game.discount if self.restart is None else self.restart),
            tau=safe,
            eps=noise,
            weights=step_weights(self.concept, players),
            floors=tuple(floors),
        )

    def samples_per_update(self, game: MarkovGame) -> int:
        """One step of every walk; an update with the known model counts as one."""
        return 1 if self.source == "exact" else self.walks

    def init(self, model: Prepared, key: Any) -> Learnt:
        """Uniform play, stage games worth their rewards, walks at random first states."""
        import jax
        import jax.numpy as jnp

        states, counts = model.rewards.shape[1], model.rewards.shape[2:]
        joint = int(np.prod(counts))
        sizes = [*counts, *(joint // count for count in counts)]
        sampled = self.source != "exact"
        walks = places(model.initial, jax.random.uniform(key, (self.walks,))) if sampled else None
        example = Transition(
            jnp.zeros((), int), jnp.zeros((), int), jnp.zeros(len(counts)), jnp.zeros((), int)
        )
        return Learnt(
            laws=tuple(jnp.full((size, states), 1.0 / size) for size in sizes),
            payoffs=jnp.asarray(model.rewards),
            updates=jnp.zeros((), int),
            visits=jnp.zeros((states, joint), int) if sampled else None,
            walks=walks,
            memory=_replay.empty(example, self.memory) if self.source == "replay" else None,
        )

    def update(self, model: Prepared, state: Learnt, key: Any) -> tuple[Learnt, dict[str, Any]]:
        """Move play in all states, then values where something was seen."""
        import jax
        import jax.numpy as jnp

        averse = self._averse(model)
        share = self.coupling.share(state.updates, model.discount)
        table = Table(_own_first(state.payoffs, jnp), model.tau, model.eps, self.penalty, self.regularizer)
        laws = self._moved(model, table, state.laws, share, averse)
        values = worth_of(table, laws, averse, self.regularizer_in_value)
        speed = [jnp.abs(new - old).max() for new, old in zip(laws, state.laws, strict=True)]
        metrics = {"move": jnp.stack(speed[: len(averse)]).max() / (self.actor * share)}
        state = state._replace(laws=tuple(laws), updates=state.updates + 1)
        if self.source == "exact":
            error = model.rewards + model.discount * _expected(model, values) - state.payoffs
            payoffs = state.payoffs + self.critic * share * error
            return state._replace(payoffs=payoffs), {**metrics, "error": jnp.abs(error).max()}

        seen, walks = self._walk(model, laws[: len(averse)], state.walks, key)
        for i in range(len(averse)):
            metrics[f"reward_{i + 1}"] = seen.reward[:, i].mean()
        state = state._replace(walks=walks)
        if self.source == "replay":
            state = state._replace(memory=_replay.add(state.memory, seen))
            seen = _replay.draw(state.memory, jax.random.fold_in(key, 1), self.batch)
        state, metrics["error"] = self._learnt(model, state, seen, values)
        return state, metrics

    def policy(self, model: Prepared, state: Learnt) -> tuple[Any, ...]:
        """The players' policies, `[S, A_i]` each."""
        return tuple(law.T for law in state.laws[: model.rewards.shape[0]])

    def _averse(self, model: Prepared) -> np.ndarray:
        return np.broadcast_to(np.asarray(self.risk_aversion, float), model.rewards.shape[:1]) > 0.0

    def _moved(self, model: Prepared, table: Table, laws: Any, share: Any, averse: np.ndarray) -> list[Any]:
        """Everybody's law one gradient step further, in all states."""
        size, players = self.actor * share, len(averse)
        slopes = gradient(table, list(laws))
        step = _projected if self.geometry == "euclidean" else _weighted
        moved = [
            step(law, size * model.weights[k % players] * slope, floor)
            for k, (law, slope, floor) in enumerate(zip(laws, slopes, model.floors, strict=True))
        ]
        return mirror(moved, averse)

    def _walk(self, model: Prepared, policies: Any, here: Any, key: Any) -> tuple[Transition, Any]:
        """One step of every walk, and where the walks go on."""
        import jax
        import jax.numpy as jnp

        players = len(policies)
        marks = jax.random.uniform(key, (players + 3, *here.shape))
        action = jnp.zeros(here.shape, int)
        for policy, own in zip(policies, marks[:players], strict=True):
            size = policy.shape[0]
            mixed = (1.0 - self.exploration) * policy[:, here] + self.exploration / size
            action = action * size + places(jnp.cumsum(mixed, axis=0).T, own)
        place = places(model.edges[here, action], marks[-3])
        there = place if model.successors is None else model.successors[here, action, place].astype(int)
        rewards = model.rewards.reshape(*model.rewards.shape[:2], -1)[:, here, action].T
        anew = places(model.initial, marks[-2])
        return Transition(here, action, rewards, there), jnp.where(marks[-1] < model.restart, anew, there)

    def _learnt(self, model: Prepared, state: Learnt, seen: Transition, values: Any) -> tuple[Learnt, Any]:
        """Stage games moved towards what was seen, and the mean size of the surprise."""
        import jax.numpy as jnp

        shape = state.payoffs.shape
        flat = state.payoffs.reshape(*shape[:2], -1)
        target = seen.reward.T + model.discount * values[:, seen.successor]
        surprise = target - flat[:, seen.state, seen.action]
        here = (seen.state, seen.action)
        count = jnp.zeros(state.visits.shape, int).at[here].add(1)
        total = jnp.zeros(flat.shape).at[:, seen.state, seen.action].add(surprise)
        rate = self.critic * self.coupling.share(state.visits, model.discount)
        if seen.state.shape == (1,):
            way = rate * count
        else:  # as if the samples of one state and joint action came one after the other, with their mean
            way = jnp.where(count > 0, (1.0 - (1.0 - rate) ** count) / jnp.maximum(count, 1), 0.0)
        payoffs = (flat + way * total).reshape(shape)
        return state._replace(payoffs=payoffs, visits=state.visits + count), jnp.abs(surprise).mean()


def _projected(law: Any, move: Any, floor: Any) -> Any:
    """A step against a gradient, back to the simplex."""
    return project(law - move, floor)


def _weighted(law: Any, move: Any, floor: Any) -> Any:
    """A step of multiplicative weights; no weight is let sink below the floor."""
    import jax
    import jax.numpy as jnp

    weights = jnp.maximum(jax.nn.softmax(jnp.log(law) - move, axis=0), floor)
    return weights / weights.sum(axis=0)


def _own_first(joint: Any, xp: Any) -> list[Any]:
    """`[n, S, A_1, ..., A_n]` as one matrix game per player, `[A_i, M_i, S]`."""
    players, states = joint.shape[:2]
    turned = [xp.moveaxis(xp.moveaxis(joint[i], 0, -1), i, 0) for i in range(players)]
    return [one.reshape(one.shape[0], -1, states) for one in turned]


def _expected(model: Prepared, values: Any) -> Any:
    """Expected value of the next state, `[n, S]` to `[n, S, A_1, ..., A_n]`."""
    import jax.numpy as jnp

    if model.successors is None:
        worth = jnp.einsum("sjk,nk->nsj", model.probabilities, values)
    else:
        worth = (model.probabilities * values[:, model.successors]).sum(-1)
    return worth.reshape(model.rewards.shape)
