"""Reaching the principal branch without linear algebra, where play responds mildly.

Many games at moderate precision are solved by letting players answer each other in turn. To stay on the
principal branch the weight w is raised in stages, each predicted from the last ones; a game is accepted only
if the answers contract fast and the predictions hold at every stage. (Against small steps along the path none
of 96,000 random games accepted so was on another branch: benchmarks/principal_branch.py.) The others are left
to the path follower.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from equipoise.equilibria._responses import RESPONSES
from equipoise.equilibria._system import Array, KLSystem, Parameters, others, outer_product

STAGES = 6
WIDTH = 1.2  # largest rise of 1/eps per stage, in units of the payoff range
LAST_ROUNDS = 12
MANY_ACTIONS = 16
LOGIT_SAFE = 300.0  # payoffs of range one times this cannot overflow an exponential
CONVERGED = 1e-12
KEEP = 0.6  # compact the batch when fewer than this share are still in it


class Limits(NamedTuple):
    """What makes a stage safe.

    Attributes:
        prediction: largest error of a prediction, as a share of the stage's move.
        contraction: largest factor by which moves shrink per sweep.
    """

    prediction: float
    contraction: float


SAFE = Limits(0.25, 0.5)
STRICT = Limits(0.1, 0.2)


class Leap(NamedTuple):
    """How far mutual answers got.

    Attributes:
        x: unknowns, `[unknowns, batch]`.
        weight: the weight they belong to, `[batch]`; 1 where solved, else of the last stage that was safe.
        solved: whether x solves the equations at weight 1.
        sweeps: sweeps made.
    """

    x: Array
    weight: Array
    solved: Array
    sweeps: Array


def leap(system: KLSystem, at: Parameters) -> Leap:
    """Go as far from uniform play as mutual answers can go safely.

    Args:
        system: equations whose adversaries are explicit.
        at: parameters at the end of the path (weight 1).
    """
    batch = system.batch
    out = Leap(
        np.zeros((system.unknowns, batch)), np.zeros(batch), np.zeros(batch, bool), np.zeros(batch, int)
    )
    if max(system.sizes) >= MANY_ACTIONS:
        # Many actions average out, and play is often so mild that one stage will do.
        climb(system, at, np.ones(batch), 1, STRICT, out)
        left = np.flatnonzero(out.weight < 1.0)
        if not left.size:
            return out
        rest = Leap(*(part[..., left] for part in out))
        climb(system.take(left), at.take(left), stage_width(at.take(left)), STAGES, SAFE, rest)
        for whole, part in zip(out, rest, strict=True):
            whole[..., left] = part
        return out
    climb(system, at, stage_width(at), STAGES, SAFE, out)
    return out


def stage_width(at: Parameters) -> Array:
    """Rise of the weight per stage, `[batch]`."""
    return np.minimum(1.0 / STAGES, WIDTH * at.eps.min(axis=0))


def climb(system: KLSystem, at: Parameters, width: Array, stages: int, limits: Limits, out: Leap) -> None:
    """Raise the weight in stages and finish the games that reach 1, filling in `out`."""
    games = np.arange(system.batch)
    alive = np.ones(games.size, bool)
    last = np.zeros((system.unknowns, games.size))
    responses = system.responses(last)
    slope = np.empty_like(last)
    for i, block in enumerate(system.blocks):
        slope[block] = system.utility(i, responses, at.tau) / at.eps[i]
    # z(w) = slope w + bend(w) w^2 with a bend that changes slowly: the last two predict the next.
    bends: list[Array] = []
    moved = np.zeros(games.size)
    for stage in range(1, stages + 1):
        w = stage * width
        predicted = slope * w
        if bends:
            bend = bends[-1] if len(bends) == 1 else 2.0 * bends[-1] - bends[-2]
            predicted += bend * (w * w)
        x, factor, moved = answer_in_turn(system, at._replace(weight=w), predicted)
        out.sweeps[games] += 3
        error = np.square(x - predicted).sum(axis=0)
        safe = error <= limits.prediction**2 * np.square(x - last).sum(axis=0) + CONVERGED**2
        safe &= factor <= limits.contraction
        lost = alive & ~safe
        if lost.any():
            alive &= safe
            out.x[:, games[lost]], out.weight[games[lost]] = last[:, lost], (w - width)[lost]
            if not alive.any():
                return
            if alive.mean() < KEEP:  # copying games costs more than carrying a few lost ones along
                system, at, games, width = system.take(alive), at.take(alive), games[alive], width[alive]
                slope, x, w, moved = slope[:, alive], x[:, alive], w[alive], moved[alive]
                bends = [b[:, alive] for b in bends]
                alive = alive[alive]
        last = x
        if stage < stages:
            bends.append((x / w - slope) / w)
    short = alive & (stages * width < 1.0 - 1e-12)
    out.x[:, games[short]], out.weight[games[short]] = last[:, short], (stages * width)[short]
    alive &= ~short
    finish(system, at, games, alive, last, moved, out)


def finish(
    system: KLSystem, at: Parameters, games: Array, alive: Array, x: Array, moved: Array, out: Leap
) -> None:
    """Keep answering at weight 1 until play no longer moves; games that keep moving are left out."""
    for _ in range(LAST_ROUNDS):
        done = alive & (moved <= CONVERGED)
        # Copying the slow games costs more than carrying a few finished ones along.
        if (alive & ~done).mean() < KEEP:
            out.x[:, games[done]], out.solved[games[done]], out.weight[games[done]] = x[:, done], True, 1.0
            alive &= ~done
            if not alive.any():
                return
            system, at, games = system.take(alive), at.take(alive), games[alive]
            x, alive = x[:, alive], alive[alive]
        x, factor, moved = answer_in_turn(system, at, x)
        moved = moved * np.minimum(factor, 1.0)  # what the next sweep would still change
        out.sweeps[games] += 3
    done = alive & (moved <= CONVERGED)
    out.x[:, games[done]], out.solved[games[done]], out.weight[games[done]] = x[:, done], True, 1.0


def answer_in_turn(system: KLSystem, at: Parameters, x: Array) -> tuple[Array, Array, Array]:
    """Three sweeps in which players answer each other in turn, then one extrapolation to their limit.

    Returns:
        The unknowns, the factor by which moves shrink per sweep, and the size of the last move.
    """
    gains = [at.weight / at.eps[i] for i in range(len(system.sizes))]
    points = [x]
    plain = system.logit and max(g.max() for g in gains) < LOGIT_SAFE
    points += (logit_sweeps if plain else sweeps)(system, at, x, gains)
    before, after = points[2] - points[1], points[3] - points[2]
    scale = (before * before).sum(axis=0)
    size = (after * after).sum(axis=0)
    # Aitken: along the slowest direction moves shrink by a constant ratio.
    ratio = (before * after).sum(axis=0) / np.maximum(scale, 1e-300)
    ratio = np.clip(ratio, -0.8, 0.8)
    limit = points[3] + after * (ratio / (1.0 - ratio))
    # Where nothing moves, as on the symmetric branch beyond a pitchfork, nothing shows that answers contract.
    factor = np.where(scale > 1e-26, np.sqrt(size / np.maximum(scale, 1e-26)), np.inf)
    return limit, factor, np.sqrt(size)


def sweeps(system: KLSystem, at: Parameters, x: Array, gains: Sequence[Array]) -> Iterator[Array]:
    """Three rounds in which every player answers the others' latest play."""
    respond = RESPONSES[system.regularizer]
    responses = system.responses(x)
    haste = [system.haste(i, responses, at) for i in range(len(system.sizes))]
    for _ in range(3):
        before, x = x, np.empty_like(x)
        for i, block in enumerate(system.blocks):
            answer = gains[i] * system.utility(i, responses, at.tau)
            pace = haste[i]
            x[block] = answer if pace is None else before[block] + pace * (answer - before[block])
            responses[i] = respond(x[block])
        yield x


def logit_sweeps(system: KLSystem, at: Parameters, x: Array, gains: Sequence[Array]) -> Iterator[Array]:
    """`sweeps` for risk-neutral logit players with moderate payoffs: strategies alone, and no overflow."""

    def softmax(z: Array) -> Array:
        weights = np.exp(z)
        weights /= weights.sum(axis=0)
        return weights

    strategies = [softmax(x[block]) for block in system.blocks]
    players = len(strategies)
    for _ in range(3):
        x = np.empty_like(x)
        for i, block in enumerate(system.blocks):
            law = outer_product([strategies[j] for j in others(i, players)])
            x[block] = gains[i] * np.einsum("amb,mb->ab", system.payoffs[i], law)
            strategies[i] = softmax(x[block])
        yield x
