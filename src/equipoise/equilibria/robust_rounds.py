"""The inner loop of Robust-Q-FTRL: rounds of play at one step, by all players in all states at once.

Every player follows the regularised leader (exponential weights) against its own worst case of what it saw,
with steps that forget early rounds. Written once for the exact solver, which knows the model, and for the
learner, which samples it. Source: Shi et al., ICML 2025, algorithm 1; the steps as in Li, Chi, Wei and Chen,
NeurIPS 2022. Constants that the papers leave open are arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from equipoise._arrays import namespace
from equipoise.equilibria.uncertainty import Doubt
from equipoise.preferences.divergences import TotalVariation
from equipoise.preferences.worst_case import solve


class Rounds(NamedTuple):
    """Where the rounds of one step stand; players' actions are padded to the largest number of them.

    Attributes:
        action_values: the leader's weighted mean of action values, `[n, S, A]`.
        policies: what is played in the next round, `[n, S, A]`; zero where there is no such action.
        average: weighted mean of what play was worth, `[n, S]`.
        spread: weighted mean of the variance of action values under play, `[n, S]`, for the bonus.
    """

    action_values: Any
    policies: Any
    average: Any
    spread: Any


def start_rounds(xp: Any, real: Any, states: int) -> Rounds:
    """Uniform play and nothing learnt.

    Args:
        xp: the array namespace.
        real: which actions there are, `[n, A]`.
        states: number of states.
    """
    shape = (real.shape[0], states, real.shape[1])
    uniform = xp.broadcast_to((real / real.sum(axis=1, keepdims=True))[:, None], shape)
    return Rounds(xp.zeros(shape), uniform, xp.zeros(shape[:2]), xp.zeros(shape[:2]))


def next_round(xp: Any, rounds: Rounds, seen: Any, step: Any, pace: Any, real: Any) -> Rounds:
    """Take in the action values of one round and choose the next round's policies.

    Args:
        xp: the array namespace.
        rounds: where things stand.
        seen: robust action values of this round, `[n, S, A]`.
        step: alpha_k, how much this round counts.
        pace: eta_(k+1) of exponential weights.
        real: which actions there are, `[n, A]`.
    """
    now = (rounds.policies * seen).sum(-1)
    variance = (rounds.policies * (seen - now[..., None]) ** 2).sum(-1)
    leader = (1 - step) * rounds.action_values + step * seen
    score = xp.where(real[:, None], pace * leader, -xp.inf)
    odds = xp.exp(score - score.max(axis=-1, keepdims=True))
    return Rounds(
        leader,
        odds / odds.sum(axis=-1, keepdims=True),
        (1 - step) * rounds.average + step * now,
        (1 - step) * rounds.spread + step * variance,
    )


def step_sizes(rounds: int, constant: float | None) -> Float[np.ndarray, " rounds"]:
    """alpha_k = c log K/(k - 1 + c log K); with c = None those of plain averaging, 1/k.

    Raises:
        ValueError: fewer than two rounds, for which log K is zero.
    """
    if rounds < 2:
        raise ValueError(f"rounds = {rounds}; Robust-Q-FTRL needs at least 2, because its steps have log K")
    weight = 1.0 if constant is None else constant * np.log(rounds)
    return weight / (np.arange(rounds) + weight)


def paces(steps: Float[np.ndarray, " rounds"], horizon: int) -> Float[np.ndarray, " rounds"]:
    """eta_(k+1) = sqrt(log K/(alpha_k H))."""
    return np.sqrt(np.log(len(steps)) / (steps * horizon))


def round_weights(steps: Float[np.ndarray, " rounds"]) -> Float[np.ndarray, " rounds"]:
    """Weight of every round in the end, alpha_k times the product of later (1 - alpha_j); they sum to one."""
    # The first round replaces everything, so that its factor 1 - 1 never enters a product.
    later = np.append(np.cumsum(np.log1p(-steps[:0:-1]))[::-1], 0.0)
    return steps * np.exp(later)


def effective_rounds(weights: Float[np.ndarray, " rounds"]) -> float:
    """How many equally weighted rounds average as much, 1/sum of squares."""
    return float(1.0 / np.sum(weights**2))


def robust_backup(
    doubt: Doubt, levels: Any, values: Any
) -> Callable[[Any], Float[Any, "players states actions"]]:
    """Worst-case expectation of the next value, as a function of what every player thinks comes next.

    For total variation the worst case is a maximum of functions linear in the law,
    `max over x in V of E min(V, x) - sigma (x - min V)`, so that values are looked at once, not every round.

    Args:
        doubt: what the adversaries may do.
        levels: one per player, `[n]`.
        values: next values, `[n, S]`.

    Returns:
        From laws `[n, S, A, S]` to worst cases `[n, S, A]`.
    """
    xp = namespace(values, levels)
    rule, form, free = doubt
    if isinstance(rule, TotalVariation) and form == "constrained" and free:
        capped = xp.minimum(values[:, :, None], values[:, None, :])  # [n, S', x]
        price = (levels / rule.scale)[:, None] * (values - values.min(axis=1, keepdims=True))

        def by_caps(laws: Any) -> Any:
            return (xp.einsum("isat,itx->isax", laws, capped) - price[:, None, None]).max(-1)

        return by_caps

    def general(laws: Any) -> Any:
        return solve(xp, rule, form, laws, values[:, None, None], levels[:, None, None], free).value

    return general


def exact_centres(xp: Any, models: tuple[Any, ...], policies: Any, counts: tuple[int, ...]) -> Any:
    """What every player sees when the others' policies are averaged out of the model.

    Args:
        xp: the array namespace.
        models: one array per player, `[S, A_1, ..., A_n, S + 1]`: laws of the next state, then the reward.
        policies: `[n, S, A]`, padded.
        counts: numbers of actions.

    Returns:
        `[n, S, A, S + 1]`, padded; where there is no such action the law is uniform and the reward zero.
    """
    states, most, n = policies.shape[1], policies.shape[2], len(counts)
    found = []
    for i, model in enumerate(models):
        tensor = model
        for j in reversed(range(n)):
            if j != i:
                moved = xp.moveaxis(tensor, 1 + j, 1)
                flat = moved.reshape(states, counts[j], -1)
                tensor = (policies[j, :, None, : counts[j]] @ flat).reshape(states, *moved.shape[2:])
        missing = most - counts[i]
        padding = xp.full((states, missing, tensor.shape[-1]), 1.0 / states).at[..., -1].set(0.0)
        found.append(xp.concatenate([tensor, padding], axis=1))
    return xp.stack(found)


@cache
def exact_rounds(counts: tuple[int, ...], doubt: Doubt) -> Callable[..., Any]:
    """The compiled loop over all rounds of one step with a known model.

    Args:
        counts: numbers of actions.
        doubt: what the adversaries may do.

    Returns:
        From models (per player), levels `[n]`, next values `[n, S]`, steps and paces `[K]` to the last
        `Rounds` and the policies of all rounds `[K, n, S, A]`.
    """
    import jax
    import jax.numpy as jnp

    real = np.arange(max(counts)) < np.array(counts)[:, None]

    def run(models: tuple[Any, ...], levels: Any, values: Any, steps: Any, rates: Any) -> Any:
        worst = robust_backup(doubt, levels, values)

        def body(rounds: Rounds, constants: tuple[Any, Any]) -> tuple[Rounds, Any]:
            centres = exact_centres(jnp, models, rounds.policies, counts)
            seen = jnp.where(real[:, None], centres[..., -1] + worst(centres[..., :-1]), 0.0)
            return next_round(jnp, rounds, seen, *constants, real), rounds.policies

        first = start_rounds(jnp, jnp.asarray(real), values.shape[1])
        return jax.lax.scan(body, first, (steps, rates))

    return jax.jit(run)
