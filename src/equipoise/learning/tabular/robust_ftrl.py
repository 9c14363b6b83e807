"""Robust-Q-FTRL: learning to play well when the model that samples come from is not quite the world.

Backwards over the steps of the game, all players play K rounds against each other in every state: each
samples what follows its own actions, takes the worst case over laws near the empirical one, and follows the
regularised leader. No player's work depends on the number of joint actions, because the sets are fictitious:
around what it sees after averaging the others.

Source: Shi et al., ICML 2025 (arXiv 2409.20067), algorithm 1. The paper leaves its constants open; `THEORY`
has those of its proofs' kind, the defaults are better in practice.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from equipoise.equilibria.mixture_play import MixturePlay
from equipoise.equilibria.robust_rounds import (
    Rounds,
    effective_rounds,
    exact_centres,
    next_round,
    paces,
    robust_backup,
    round_weights,
    start_rounds,
    step_sizes,
)
from equipoise.equilibria.uncertainty import Uncertainty
from equipoise.games import GenerativeModel, MarkovGame

THEORY = {"step_constant": 24.0, "bonus": 1.0}
"""Constants of the size proofs use: `RobustQFTRL(radius, **THEORY)`. They average the last rounds only."""

FEW_ROUNDS = 10
_MOST_SAMPLES = 256


class FewRoundsWarning(UserWarning):
    """The weights of Robust-Q-FTRL average so few rounds that play is hardly mixed."""


class Prepared(NamedTuple):
    """A game as Robust-Q-FTRL sees it.

    Attributes:
        actions: zeros, per player `[A_i]`; players with fewer actions than others are padded.
        levels: radii, `[n]`.
        steps: alpha_k, `[K]`.
        paces: eta_(k+1), `[K]`, for rewards as they are.
        ceilings: largest possible value from every step on, `[H, n]`.
        bonus: c_b sqrt(log^3(K S sum A/delta)/(K H)).
        unit: width of the range of rewards.
        initial: zeros, `[S]`.
        exact: with a known model, per player `[H, S, A_1, ..., A_n, S + 1]`: laws, then the reward.
        sampler: otherwise, from key, step, state and actions to next state and rewards.
    """

    actions: tuple[Any, ...]
    levels: Any
    steps: Any
    paces: Any
    ceilings: Any
    bonus: Any
    unit: Any
    initial: Any
    exact: tuple[Any, ...]
    sampler: Any


class FTRLState(NamedTuple):
    """Where learning stands.

    Attributes:
        step: the move being learnt, from H - 1 down; -1 when all is done.
        round: rounds of it that are done.
        rounds: the leaders and the next policies.
        values: optimistic value estimates, `[H + 1, n, S]`.
        average: weighted mean of the policies so far, `[H, n, S, A]`.
        history: the policies of all rounds, `[H, K, n, S, A]`.
    """

    step: Any
    round: Any
    rounds: Rounds
    values: Any
    average: Any
    history: Any


@dataclass(frozen=True)
class RobustQFTRL:
    """Robust-Q-FTRL for a robust coarse correlated equilibrium with fictitious sets.

    One update is one round of one step; `updates(game)` are needed, and more do
    nothing.

    Attributes:
        radius: size of the sets, a number or one per player.
        rounds: rounds K at every step.
        samples: samples N per round, state and own action; None: exact expectations from a known model.
        step_constant: c in alpha_k = c log K/(k - 1 + c log K); None for plain averaging.
        bonus: constant c_b of the optimistic bonus; 0 for none.
        failure: failure probability delta in the bonus.
        correct_bias: subtract an estimate of the plug-in bias from every worst case (half samples).
        divergence: as in `Uncertainty`.
        form: "constrained" or "penalised".
        support: "ac", "free" or None.

    Raises:
        ValueError: a setting is out of range.
    """

    radius: float | int | tuple[float | int, ...]
    rounds: int = 1000
    samples: int | None = None
    step_constant: float | int | None = 2.0
    bonus: float | int = 0.0
    failure: float | int = 0.05
    correct_bias: bool = False
    divergence: str = "tv"
    form: str = "constrained"
    support: str | None = None

    precision = "float64"

    def __post_init__(self) -> None:
        self.uncertainty  # noqa: B018  checks the radius and its kind
        if self.step_constant is not None and not self.step_constant > 0:
            raise ValueError(f"step_constant must be positive, got {self.step_constant}")
        step_sizes(self.rounds, self.step_constant)
        if self.samples is not None and self.samples < 1:
            raise ValueError(f"samples must be at least 1, or None for a known model, got {self.samples}")
        if self.correct_bias and (self.samples is None or self.samples % 2):
            raise ValueError(f"correct_bias needs an even number of samples, got {self.samples}")
        if not self.bonus >= 0:
            raise ValueError(f"bonus must not be negative, got {self.bonus}")
        if not 0 < self.failure < 1:
            raise ValueError(f"failure must be a probability between 0 and 1, got {self.failure}")

    @property
    def name(self) -> str:
        """Name of the algorithm with its main settings."""
        samples = "exact" if self.samples is None else f"N={self.samples}"
        return f"Robust-Q-FTRL ({self.uncertainty.name}, K={self.rounds}, {samples})"

    @property
    def uncertainty(self) -> Uncertainty:
        """What the adversaries may do."""
        form: Any = self.form
        support: Any = self.support
        try:
            return Uncertainty(np.asarray(self.radius, float), self.divergence, form, support)
        except ValueError as error:
            raise ValueError(str(error).replace("level", "radius")) from None

    def check(self, game: Any) -> None:
        """Refuse what is no game with a horizon.

        Raises:
            TypeError: it is no MarkovGame or GenerativeModel.
            ValueError: it has no horizon, the radii are not one per player, or it can only be sampled and
                `samples` is None.

        Warns:
            FewRoundsWarning: fewer than ten rounds count in effect.
        """
        if not isinstance(game, MarkovGame | GenerativeModel):
            raise TypeError(
                f"RobustQFTRL learns in a MarkovGame or a GenerativeModel, not in a {type(game).__name__}"
            )
        if game.horizon is None:
            raise ValueError("RobustQFTRL goes backwards from the last step; give the game a horizon")
        if self.samples is None and isinstance(game, GenerativeModel):
            raise ValueError("a GenerativeModel can only be sampled; give samples, for example samples=16")
        if np.ndim(self.radius) and np.shape(self.radius) != (game.num_players,):
            raise ValueError(
                f"radius = {self.radius}; give one number, or one per player ({game.num_players})"
            )
        counted = effective_rounds(round_weights(step_sizes(self.rounds, self.step_constant)))
        if counted < FEW_ROUNDS:
            warnings.warn(
                f"with step_constant = {self.step_constant} and {self.rounds} rounds only {counted:.1f} "
                "rounds count in effect; lower step_constant or raise rounds",
                FewRoundsWarning,
                stacklevel=2,
            )

    def updates(self, game: MarkovGame | GenerativeModel) -> int:
        """How many updates learning takes, H K."""
        return int(game.horizon or 0) * self.rounds

    def samples_per_update(self, game: MarkovGame | GenerativeModel) -> int:
        """Samples of one round, S N sum of A_i; 1 where the model is known."""
        if self.samples is None:
            return 1
        return game.num_states * self.samples * sum(game.num_actions)

    def prepare(self, game: MarkovGame | GenerativeModel) -> Prepared:
        """The game and all constants as arrays."""
        from jax import tree_util

        bound: Any = tree_util.Partial  # a function with arrays, as a PyTree

        horizon, n, states = int(game.horizon or 0), game.num_players, game.num_states
        steps = step_sizes(self.rounds, self.step_constant)
        low, high = _reward_range(game)
        unit = high - low if high > low else 1.0
        logarithm = math.log(self.rounds * states * sum(game.num_actions) / self.failure)
        exact: tuple[Any, ...] = ()
        sampler = None
        if isinstance(game, GenerativeModel):
            sampler = bound(game.sample, game.parameters)
        elif self.samples is None:
            exact = _stacked(game)
        else:
            sampler = bound(_sample_tables, _tables(game))
        return Prepared(
            actions=tuple(np.zeros(count) for count in game.num_actions),
            levels=np.broadcast_to(np.asarray(self.radius, float), (n,)).copy(),
            steps=steps,
            paces=paces(steps, horizon) / unit,
            ceilings=np.outer(np.arange(horizon, 0, -1), np.full(n, high)),
            bonus=np.asarray(self.bonus * math.sqrt(logarithm**3 / (self.rounds * horizon))),
            unit=np.asarray(unit),
            initial=np.zeros(states),
            exact=exact,
            sampler=sampler,
        )

    def init(self, model: Prepared, key: Any) -> FTRLState:
        """Uniform play at the last step."""
        import jax.numpy as jnp

        horizon, n = model.ceilings.shape
        states = model.initial.shape[0]
        first = start_rounds(jnp, jnp.asarray(_real(model)), states)
        return FTRLState(
            step=jnp.asarray(horizon - 1),
            round=jnp.asarray(0),
            rounds=first,
            values=jnp.zeros((horizon + 1, n, states)),
            average=jnp.broadcast_to(first.policies, (horizon, *first.policies.shape)),
            history=jnp.zeros((horizon, self.rounds, *first.policies.shape)),
        )

    def update(self, model: Prepared, state: FTRLState, key: Any) -> tuple[FTRLState, dict[str, Any]]:
        """One round of the current step."""
        import jax
        import jax.numpy as jnp

        done = state.step < 0
        h, k = jnp.maximum(state.step, 0), state.round
        real = _real(model)
        seen, metrics = self._round(model, state.rounds.policies, state.values[h + 1], h, key)
        alpha = model.steps[k]
        played = state.rounds.policies
        rounds = next_round(jnp, state.rounds, seen, alpha, model.paces[k], real)
        average = (1 - alpha) * state.average[h] + alpha * played

        horizon = model.ceilings.shape[0]
        optimism = model.bonus * (rounds.spread / model.unit + horizon * model.unit)
        estimate = jnp.minimum(rounds.average + optimism, model.ceilings[h][:, None])
        last = k + 1 == self.rounds
        fresh = start_rounds(jnp, jnp.asarray(real), model.initial.shape[0])
        after = FTRLState(
            step=jnp.where(last, h - 1, h),
            round=jnp.where(last, 0, k + 1),
            rounds=jax.tree.map(lambda a, b: jnp.where(last, a, b), fresh, rounds),
            values=state.values.at[h].set(jnp.where(last, estimate, state.values[h])),
            average=state.average.at[h].set(average),
            history=state.history.at[h, k].set(jnp.where(done, state.history[h, k], played)),
        )
        kept = jax.tree.map(
            lambda a, b: jnp.where(done, a, b),
            state._replace(history=jnp.zeros(())),
            after._replace(history=jnp.zeros(())),
        )
        return kept._replace(history=after.history), {"steps_left": after.step + 1.0, **metrics}

    def policy(self, model: Prepared, state: FTRLState) -> tuple[Any, ...]:
        """Every player's weighted mean policy, `[H, S, A_i]`; uniform at steps not yet reached."""
        return tuple(state.average[:, i, :, :count] for i, count in enumerate(_counts(model)))

    def play(self, game: MarkovGame | GenerativeModel, states: FTRLState, seed: int = 0) -> MixturePlay:
        """What was learnt: a mixture of the policies of all rounds, with their weights.

        Args:
            game: the game.
            states: a finished run's `states`.
            seed: which seed's.

        Raises:
            ValueError: learning is not finished.
        """
        if int(np.asarray(states.step)[seed]) >= 0:
            whole = self.updates(game) * self.samples_per_update(game)
            raise ValueError(
                f"learning is still at step {int(np.asarray(states.step)[seed])}; train for steps={whole}"
            )
        history = np.asarray(states.history)[seed]
        weights = round_weights(step_sizes(self.rounds, self.step_constant))
        shape = (history.shape[0], game.num_states, self.rounds)
        return MixturePlay(
            np.broadcast_to(weights, shape),
            tuple(np.moveaxis(history[:, :, i, :, :count], 1, 2) for i, count in enumerate(game.num_actions)),
        )

    def _round(
        self, model: Prepared, policies: Any, values: Any, h: Any, key: Any
    ) -> tuple[Float[Any, "players states actions"], dict[str, Any]]:
        """Robust action values of one round, and how much the sampling bends them."""
        import jax.numpy as jnp

        real = _real(model)[:, None]
        worst = robust_backup(self.uncertainty.doubt, model.levels, values)
        if self.samples is None:
            centres = exact_centres(jnp, tuple(m[h] for m in model.exact), policies, _counts(model))
            return jnp.where(real, centres[..., -1] + worst(centres[..., :-1]), 0.0), {}
        laws, rewards = sampled_centres(model.sampler, policies, h, self.samples, key)
        whole = worst(laws.mean(axis=-2))
        metrics = {}
        if self.samples % 2 == 0:
            halves = laws.reshape(*laws.shape[:3], 2, self.samples // 2, laws.shape[-1]).mean(axis=-2)
            # Worst cases are convex in the law, so that halves cannot have less on average than the whole.
            excess = 0.5 * (worst(halves[..., 0, :]) + worst(halves[..., 1, :])) - whole
            metrics["plug_in_bias"] = (excess * real).sum() / (real * jnp.ones_like(excess)).sum()
            whole = whole - excess if self.correct_bias else whole
        return jnp.where(real, rewards + whole, 0.0), metrics


def sampled_centres(sampler: Any, policies: Any, h: Any, samples: int, key: Any) -> tuple[Any, Any]:
    """Draw the others' actions and the next state, for every player, state and own action.

    Args:
        sampler: from key, step, state and actions `[n]` to the next state and rewards `[n]`.
        policies: `[n, S, A]`, zero where there is no such action.
        h: the step.
        samples: number of draws N.
        key: a JAX random key.

    Returns:
        The states drawn as unit vectors, `[n, S, A, N, S]`, and mean rewards, `[n, S, A]`.
    """
    import jax
    import jax.numpy as jnp

    n, states, most = policies.shape
    shape = (n, states, most, samples)
    drawn, moved = jax.random.split(key)
    cumulative = jnp.cumsum(policies, axis=-1)  # [j, s, a]
    levels = jax.random.uniform(drawn, (*shape, n))
    # The action of player j is the number of cumulative probabilities that the draw exceeds.
    table = jnp.moveaxis(cumulative / cumulative[..., -1:], 0, 1)[None, :, None, None]
    actions = (levels[..., None] >= table).sum(-1)
    own = jnp.arange(most)[None, None, :, None, None]
    mine = jnp.eye(n, dtype=bool)[:, None, None, None]
    actions = jnp.where(mine, own, jnp.minimum(actions, most - 1))
    at = jnp.broadcast_to(jnp.arange(states)[None, :, None, None], shape).ravel()
    keys = jax.random.split(moved, at.shape[0])
    following, rewards = jax.vmap(sampler, in_axes=(0, None, 0, 0))(keys, h, at, actions.reshape(-1, n))
    laws = (following[:, None] == jnp.arange(states)).astype(policies.dtype)
    mine_only = (rewards.reshape(*shape, n) * mine).sum(axis=(-1, -2)) / samples
    return laws.reshape(*shape, states), mine_only


def suggested_sizes(
    horizon: int, radius: float | int | tuple[float | int, ...], accuracy: float | int
) -> tuple[int, int]:
    """Rounds and samples of the theorem's order, H^3/accuracy^2 and H^2 min(1/radius, H)/accuracy^2.

    Constants and logarithms are left out, and samples capped at 256 per round.

    Args:
        horizon: number of moves H.
        radius: the smallest counts.
        accuracy: gap aimed at, for rewards in [0, 1].
    """
    if not accuracy > 0:
        raise ValueError(f"accuracy must be positive, got {accuracy}")
    smallest = float(np.min(radius))
    factor = horizon if smallest * horizon <= 1 else 1 / smallest
    samples = math.ceil(horizon**2 * factor / accuracy**2)
    return max(2, math.ceil(horizon**3 / accuracy**2)), min(samples, _MOST_SAMPLES)


def _counts(model: Prepared) -> tuple[int, ...]:
    return tuple(len(one) for one in model.actions)


def _real(model: Prepared) -> Bool[np.ndarray, "players actions"]:
    """Which actions there are, without padding."""
    counts = np.array(_counts(model))
    return np.arange(counts.max()) < counts[:, None]


def _reward_range(game: MarkovGame | GenerativeModel) -> tuple[float, float]:
    if isinstance(game, GenerativeModel):
        return float(game.reward_range[0]), float(game.reward_range[1])
    return min(float(r.min()) for r in game.rewards), max(float(r.max()) for r in game.rewards)


def _stacked(game: MarkovGame) -> tuple[Any, ...]:
    steps = range(int(game.horizon or 0))
    laws = np.stack([game.transitions_at(h) for h in steps])
    rewards = np.stack([game.rewards_at(h) for h in steps], axis=1)
    return tuple(np.concatenate([laws, r[..., None]], axis=-1) for r in rewards)


def _tables(game: MarkovGame) -> tuple[Any, Any, Any]:
    """Cumulative laws `[H, S, joint, S]`, rewards `[H, S, joint, n]` and strides of joint actions `[n]`."""
    steps, states, n = range(int(game.horizon or 0)), game.num_states, game.num_players
    laws = np.stack([game.transitions_at(h) for h in steps]).reshape(len(steps), states, -1, states)
    rewards = np.stack([game.rewards_at(h) for h in steps])
    flat = np.moveaxis(rewards, 1, -1).reshape(len(steps), states, -1, n)
    strides = np.append(np.cumprod(game.num_actions[:0:-1])[::-1], 1).astype(np.int64)
    return np.cumsum(laws, axis=-1), flat, strides


def _sample_tables(tables: tuple[Any, Any, Any], key: Any, h: Any, s: Any, actions: Any) -> tuple[Any, Any]:
    import jax
    import jax.numpy as jnp

    cumulative, rewards, strides = tables
    joint = (actions * strides).sum()
    law = cumulative[h, s, joint]
    following = (jax.random.uniform(key) * law[-1] >= law).sum()
    return jnp.minimum(following, law.shape[0] - 1), rewards[h, s, joint]
