"""Independent learners of two-player zero-sum games that see nothing but their own payoffs.

Both players follow the same rule. Each sees the state, its own action and its own reward, not the other's
actions, and yet the policies themselves (not only their averages) come to rest near an equilibrium.

Source: Chen, Zhang, Mazumdar, Ozdaglar and Wierman, "A Finite-Sample Analysis of Payoff-Based Independent
Learning in Zero-Sum Stochastic Games" (2023), arXiv 2303.03100, algorithms 2 and 3; and arXiv 2409.01447,
"Last-Iterate Convergence of Payoff-Based Independent Learning in Zero-Sum Stochastic Games", whose third
version is called "Decentralized Best-Response-Based Learning in Two-Player Zero-Sum Stochastic Games: A
Finite-Sample Analysis". The latter's listing of the variant with exploration was not at hand: ours mixes
uniform play into the response.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from equipoise.equilibria.zero_sum import (
    check_zero_sum,
    exploring_distribution,
    markov_nash_gap,
    matrix_gap,
    smoothed_fixed_point,
)
from equipoise.games import MarkovGame, NormalFormGame
from equipoise.learning.tabular import _uncoupled
from equipoise.learning.tabular._smoothed_player import Memory, SmoothedPlayer, StepSizes
from equipoise.learning.tabular._uncoupled import Table, World

COLLAPSED = 0.05
"""An estimate that gives more weight than this to where it started was hardly learnt."""


class UnvisitedStatesWarning(UserWarning):
    """Play cannot return to some states, so that little is learnt about them."""


@dataclass(frozen=True)
class SmoothedBestResponse:
    """Payoff-based smoothed best response dynamics in a zero-sum matrix game.

    At every move both players shift their strategy towards the softmax of their payoff estimates, play it,
    and update the estimate of the action taken. The last iterate goes to the Nash distribution, at the rate
    1/k; with exploration to `equilibria.zero_sum.exploring_distribution`.

    Metrics: `nash_gap`, `lyapunov` (V_R) and `value_sum`, which only an onlooker can compute;
    `min_probability` and `min_visits` over both players' actions; `start_weight`, the largest weight
    an estimate still gives to where it started: above 0.05 some action is hardly tried.

    Attributes:
        bounded_rationality: eps > 0, the softmax's temperature, in payoff units.
        exploration: zeta in [0, 1), the share of uniform play; 0 is the paper's algorithm 2.
        step_sizes: see `StepSizes`.
        halve_after: moves after which noise and exploration are halved and step sizes start anew, estimates
            and strategies being kept; every next epoch is `epoch_growth` times as long. None: never.
        epoch_growth: see there; at least 1.
        importance_clip: weigh estimates' steps with 1/probability, at most this; None as in the paper.
        moves_per_update: moves in one update of the training loop.

    Raises:
        ValueError: a setting is out of range.
    """

    bounded_rationality: float | int = 0.1
    exploration: float | int = 0.0
    step_sizes: StepSizes = field(default_factory=StepSizes)
    halve_after: int | None = None
    epoch_growth: float | int = 4.0
    importance_clip: float | int | None = None
    moves_per_update: int = 1000

    precision = "float64"

    def __post_init__(self) -> None:
        _check_common(self.bounded_rationality, self.exploration)
        if self.halve_after is not None and self.halve_after < 1:
            raise ValueError(f"halve_after must be at least 1 move, or None, got {self.halve_after}")
        if not self.epoch_growth >= 1:
            raise ValueError(f"epoch_growth must be at least 1, got {self.epoch_growth}")
        if self.importance_clip is not None and not self.importance_clip >= 1:
            raise ValueError(f"importance_clip must be at least 1, or None, got {self.importance_clip}")
        if self.moves_per_update < 1:
            raise ValueError(f"moves_per_update must be at least 1, got {self.moves_per_update}")

    @property
    def name(self) -> str:
        """Name of the algorithm with its main settings."""
        return f"SmoothedBestResponse (eps={self.bounded_rationality:g}, zeta={self.exploration:g})"

    @property
    def player(self) -> SmoothedPlayer:
        """What each of the two players is."""
        return _player(self.bounded_rationality, self.exploration, self.step_sizes)._replace(
            clip=float(self.importance_clip or 0.0),
            epoch=float(self.halve_after or 0),
            growth=float(self.epoch_growth),
        )

    def check(self, game: Any) -> None:
        """Refuse what is no two-player zero-sum game in normal form.

        Raises:
            TypeError: it is no `NormalFormGame`.
            ValueError: it has not two players, or payoffs do not add up to zero.
        """
        if not isinstance(game, NormalFormGame):
            raise TypeError(
                f"SmoothedBestResponse learns in a NormalFormGame, not in a {type(game).__name__}; for "
                "Markov games there is ValueIterationSBR"
            )
        if game.num_players != 2 or not game.is_zero_sum:
            raise ValueError(
                f"SmoothedBestResponse needs a two-player zero-sum game; this one has {game.num_players} "
                "players"
                + ("" if game.num_players != 2 else " whose payoffs do not add up to zero everywhere")
            )

    def prepare(self, game: NormalFormGame) -> World:
        """The game as arrays, which the players do not see."""
        return _uncoupled.world(game)

    def samples_per_update(self, game: NormalFormGame) -> int:
        """Moves in one update."""
        return self.moves_per_update

    def init(self, model: World, key: Any) -> Table:
        """Uniform play and zero estimates."""
        return _uncoupled.seat(model, (self.player, self.player), key)

    def update(self, model: World, state: Table, key: Any) -> tuple[Table, dict[str, Any]]:
        """Make `moves_per_update` moves."""
        import jax.numpy as jnp

        table = _uncoupled.play(model, (self.player, self.player), state, key, 0, self.moves_per_update)
        first, second = table.memories
        x, y = first.strategy[0], second.strategy[0]
        gap, smooth = 0.0, 0.0
        for own, payoffs, memory in (
            (x, model.rewards[0, 0] @ y, first),
            (y, model.rewards[1, 0].T @ x, second),
        ):
            noise = self.bounded_rationality * 0.5**memory.epoch
            best = payoffs.max()
            gap = gap + best - own @ payoffs
            soft = noise * jnp.log(jnp.exp((payoffs - best) / noise).sum())
            smooth = smooth + soft - own @ (payoffs - best) + noise * (own * jnp.log(own)).sum()
        value = jnp.abs((x * first.estimates[0]).sum() + (y * second.estimates[0]).sum())
        return table, {"nash_gap": gap, "lyapunov": smooth, "value_sum": value} | _diagnostics(table)

    def policy(self, model: World, state: Table) -> tuple[Any, ...]:
        """Both players' strategies, `[A_i]`: the last iterate."""
        first, second = state.memories
        return first.strategy[0], second.strategy[0]


@dataclass(frozen=True)
class ValueIterationSBR:
    """Payoff-based smoothed best responses with value iteration, in a discounted zero-sum Markov game.

    One update is one outer round: estimates and policies start anew, the players make `inner_steps` moves
    along one trajectory with the future valued as the round before left it, and each then values every
    state by its own policy and estimates.

    Metrics: `value_sum`, the largest |v_1 + v_2| over states, which an onlooker can compute;
    `min_probability`, `min_visits` and `start_weight` as in `SmoothedBestResponse`. For exploitability pass
    `evaluate=onlooker(learner, game)` to `train`.

    Attributes:
        bounded_rationality: eps > 0, the softmax's temperature, in payoff units.
        exploration: zeta in [0, 1), the share of uniform play; 0 is the paper's algorithm 3. With little
            noise some actions are then hardly tried and values come out wrong; `start_weight` shows it.
        step_sizes: see `StepSizes`.
        inner_steps: moves K of a round.
        restart: chance after every move that play goes on from a new first state, for games that do not come
            back to every state by themselves. What is learnt is the game without restarts.
        halve_every: rounds after which noise and exploration are halved; None keeps them constant.

    Raises:
        ValueError: a setting is out of range.
    """

    bounded_rationality: float | int = 0.1
    exploration: float | int = 0.0
    step_sizes: StepSizes = field(default_factory=StepSizes)
    inner_steps: int = 20_000
    restart: float | int = 0.0
    halve_every: int | None = None

    precision = "float64"

    def __post_init__(self) -> None:
        _check_common(self.bounded_rationality, self.exploration)
        if self.inner_steps < 1:
            raise ValueError(f"inner_steps must be at least 1, got {self.inner_steps}")
        if not 0 <= self.restart <= 1:
            raise ValueError(f"restart must be a probability, got {self.restart}")
        if self.halve_every is not None and self.halve_every < 1:
            raise ValueError(f"halve_every must be at least 1 round, or None, got {self.halve_every}")

    @property
    def name(self) -> str:
        """Name of the algorithm with its main settings."""
        return f"ValueIterationSBR (eps={self.bounded_rationality:g}, zeta={self.exploration:g})"

    @property
    def player(self) -> SmoothedPlayer:
        """What each of the two players is."""
        return _player(self.bounded_rationality, self.exploration, self.step_sizes)

    def check(self, game: Any) -> None:
        """Refuse what is no discounted two-player zero-sum Markov game.

        Raises:
            TypeError: it is no `MarkovGame`.
            ValueError: it has a horizon, not two players, or rewards that do not add up to zero.

        Warns:
            UnvisitedStatesWarning: play does not return to every state by itself.
        """
        if not isinstance(game, MarkovGame):
            raise TypeError(
                f"ValueIterationSBR learns in a MarkovGame, not in a {type(game).__name__}; for games in "
                "normal form there is SmoothedBestResponse"
            )
        try:
            check_zero_sum(game)
        except ValueError as error:
            raise ValueError(f"ValueIterationSBR: {error}") from None
        lost = _left_for_good(game, float(self.restart))
        if lost:
            names = ", ".join(game.state_names[s] for s in lost[:5]) + (", ..." if len(lost) > 5 else "")
            warnings.warn(
                f"play leaves or never reaches some states for good ({names}); little is learnt there. Set "
                "restart, for example restart=0.1, and give these states a share of the game's initial law",
                UnvisitedStatesWarning,
                stacklevel=2,
            )

    def prepare(self, game: MarkovGame) -> World:
        """The game as arrays, which the players do not see."""
        return _uncoupled.world(game, float(self.restart))

    def samples_per_update(self, game: MarkovGame) -> int:
        """Moves of a round."""
        return self.inner_steps

    def init(self, model: World, key: Any) -> tuple[Table, Any]:
        """Uniform play, zero estimates and values; no round made."""
        import jax.numpy as jnp

        return _uncoupled.seat(model, (self.player, self.player), key), jnp.zeros(())

    def update(
        self, model: World, state: tuple[Table, Any], key: Any
    ) -> tuple[tuple[Table, Any], dict[str, Any]]:
        """Make one round."""
        import jax.numpy as jnp

        (memories, where), rounds = state
        players = (self.player, self.player)
        epoch = rounds // self.halve_every if self.halve_every else 0.0 * rounds
        fresh = tuple(player.again(memory, epoch) for player, memory in zip(players, memories, strict=True))
        table = _uncoupled.play(model, players, Table((fresh[0], fresh[1]), where), key, 0, self.inner_steps)
        first, second = (learnt_values(memory) for memory in table.memories)
        metrics = {"value_sum": jnp.abs(first + second).max()} | _diagnostics(table)
        return (table, rounds + 1.0), metrics

    def policy(self, model: World, state: tuple[Table, Any]) -> tuple[Any, ...]:
        """Both players' policies, `[S, A_i]`: the last iterate."""
        first, second = state[0].memories
        return first.strategy, second.strategy


def learnt_values(memory: Memory) -> Any:
    """What a player takes states to be worth by its own policy and estimates, `[..., S]`."""
    return (memory.strategy * memory.estimates).sum(-1)


def probability_floor(
    actions: int, noise: float | int, discount: float | int = 0.0, largest: float | int = 1.0
) -> float:
    """Lower bound `l = 1/(1 + (A - 1) exp(2 largest/((1 - discount) eps)))` on every probability ever played.

    Args:
        actions: the larger of both players' numbers of actions, A.
        noise: eps, in payoff units.
        discount: factor on the future; 0 in a matrix game.
        largest: the largest reward in size.
    """
    power = 2.0 * largest / ((1.0 - discount) * noise)
    return 1.0 if actions == 1 else math.exp(-power) / (math.exp(-power) + actions - 1)


def theory_ratio(actions: int, noise: float | int, largest: float | int = 1.0) -> float:
    """A ratio c of step sizes that the matrix game's theorem certainly covers; practical ones are far larger.

    `c (256 A^2/(l^2 eps^3) + 17 A^2/eps + 1/2) <= l`: then the drifts of strategies and of estimates, as the
    paper's appendix has them, add up to the rate 1 - c alpha/2.

    Args:
        actions: the larger of both players' numbers of actions, A.
        noise: eps, in payoff units.
        largest: the largest payoff in size; the paper's is 1.
    """
    unit, floor = noise / largest, probability_floor(actions, noise, 0.0, largest)
    # Multiplied through by l^2, which may be too small to divide by.
    return floor**3 / (256 * actions**2 / unit**3 + floor**2 * (17 * actions**2 / unit + 0.5))


def onlooker(
    learner: SmoothedBestResponse | ValueIterationSBR, game: NormalFormGame | MarkovGame
) -> Callable[[tuple[Float[np.ndarray, "seeds ..."], ...]], dict[str, Float[np.ndarray, " seeds"]]]:
    """Measures for someone who knows the game, for `train(..., evaluate=onlooker(learner, game))`.

    Args:
        learner: what learns; noise and exploration are taken from it as they are before any halving.
        game: what it learns in.

    Returns:
        A function from policies to `nash_gap`, the exploitability summed over players, and `distance`, the
        largest difference of a probability to where the dynamics should come to rest: the Nash distribution,
        in Markov games the smoothed fixed point.

    Raises:
        ValueError: the game is not zero-sum between two players, or that point was not found.
    """
    noise, share = learner.bounded_rationality, learner.exploration
    if isinstance(game, NormalFormGame):
        found = exploring_distribution(game.payoffs[0], noise, share)
        rest, converged = found.strategies, bool(found.converged.all())
    else:
        fixed = smoothed_fixed_point(game, noise, share)
        rest, converged = fixed.strategies, fixed.converged
    if not converged:
        raise ValueError(
            f"the resting point at bounded_rationality {noise:g} was not found; try a larger one"
        )

    def measure(policies: tuple[Any, ...]) -> dict[str, Any]:
        pair = (np.asarray(policies[0], float), np.asarray(policies[1], float))
        if isinstance(game, NormalFormGame):
            gap = matrix_gap(game.payoffs[0], pair)
        else:
            gap = markov_nash_gap(game, pair).sum(axis=-1)
        far = [np.abs(p - r).reshape(len(p), -1).max(axis=1) for p, r in zip(pair, rest, strict=True)]
        return {"nash_gap": gap, "distance": np.maximum(far[0], far[1])}

    return measure


def _check_common(noise: float | int, exploration: float | int) -> None:
    if not (noise > 0 and math.isfinite(noise)):
        raise ValueError(f"bounded_rationality must be positive and finite, got {noise}")
    if not 0 <= exploration < 1:
        raise ValueError(f"exploration must be in [0, 1), got {exploration}")


def _player(noise: float | int, exploration: float | int, steps: StepSizes) -> SmoothedPlayer:
    alpha, delay = steps.numbers
    parts = (noise, exploration, steps.ratio, alpha, delay, steps.decay, steps.per_visit)
    return SmoothedPlayer(*(float(part) for part in parts))


def _diagnostics(table: Table) -> dict[str, Any]:
    import jax.numpy as jnp

    first, second = table.memories
    return {
        "min_probability": jnp.minimum(first.least, second.least),
        "min_visits": jnp.minimum(first.visits.min(), second.visits.min()),
        "start_weight": jnp.maximum(first.start_weight.max(), second.start_weight.max()),
        "largest_estimate": jnp.maximum(first.largest, second.largest),
    }


def _left_for_good(game: MarkovGame, restart: float) -> list[int]:
    """States outside the one class that play, if all actions are tried, comes back to for ever."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    lists = game.successors_at(0)
    source = np.broadcast_to(np.arange(game.num_states).reshape(-1, 1, 1, 1), lists.successors.shape)
    held = lists.probabilities > 0
    edges = [np.stack([source[held], lists.successors[held]])]
    if restart > 0:
        first = np.flatnonzero(game.initial > 0)
        grid = np.meshgrid(np.arange(game.num_states), first, indexing="ij")
        edges.append(np.stack([axis.ravel() for axis in grid]))
    ends = np.concatenate(edges, axis=1)
    graph = coo_array((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(game.num_states,) * 2)
    count, label = connected_components(graph, directed=True, connection="strong")
    if count == 1:
        return []
    # A class with an edge out is left for good; with several closed classes none is safe.
    out = set(label[ends[0][label[ends[0]] != label[ends[1]]]])
    closed = [k for k in range(count) if k not in out]
    safe = closed[0] if len(closed) == 1 else -1
    return [int(s) for s in np.flatnonzero(label != safe)]
