"""Pseudo-arclength path following for a whole batch of games at once.

Every game walks its own path with its own step length. One round evaluates the equations of all games
that are still walking and does one linear solve for each; a game that has landed on its path takes the next
predictor step in the same round, one that has gone astray goes back and halves its step. Games that arrive
leave the batch, so late ones do not hold up the others.

Steps are accepted only if (i) the first correction is small against the step, (ii) the whole move is at
most twice the step, (iii) successive tangents turn little, (iv) the determinant of the bordered
Jacobian keeps its sign. The last test catches jumps to another branch, which the first three miss on sharply
folded paths; it is the invariant "sign det J times the direction of travel" of the path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from equipoise.equilibria._system import Array, Evaluation, Parameters, System, product


class Rates(NamedTuple):
    """Derivatives of the parameters in the path parameter; None where constant."""

    weight: Array | None = None
    tau: Array | None = None
    eps: Array | None = None
    kappa: Array | None = None


# From the path parameter theta [batch] of the games given by their numbers to parameters and their rates.
Schedule = Callable[[Array, Array], tuple[Parameters, Rates]]


def by_theta(system: System, evaluation: Evaluation, rates: Rates) -> Array:
    """Derivative of the equations in the path parameter."""
    total = np.zeros_like(evaluation.residual)
    if rates.weight is not None:
        total += rates.weight * evaluation.by_weight
    if rates.kappa is not None:
        total += rates.kappa * evaluation.by_kappa
    if rates.tau is not None:
        total += system.rows(rates.tau) * evaluation.by_tau
    if rates.eps is not None:
        total += system.rows(rates.eps) * evaluation.by_eps
    return total


MAX_CORRECTIONS = 8
MIN_STEP = 1e-7
MAX_STEP = 1.0
FIRST_STEP = 0.5
SHARE = 0.2  # largest first correction, as a share of the step
MAX_LEAN = 0.3  # largest change of direction by the predictor's second-order term
GROWTH = (0.5, 3.0)  # least and largest change of the step length
ROUNDING = 5e-13
NEAR = 1e-4  # largest violation of the equations, payoffs of range one, at a point taken for on the path
NOISE = 1e-6  # Newton step of solved equations that shows a singular Jacobian
# Below this step a determinant of the wrong sign is a true bifurcation (symmetric games), not a jump.
BIFURCATION_STEP = 1e-4
TURN = 0.9  # least cosine between successive tangents
BEND = 0.05  # first correction aimed at, as a share of the step


class Arrival(NamedTuple):
    """Where the paths ended.

    Attributes:
        x: unknowns at the end, `[unknowns, batch]`; the last point reached where `arrived` is False.
        arrived: whether the end was reached, `[batch]`.
        indices: sign of det J at the end, `[batch]`; +1 on a branch that has turned an even number of times.
        solves: linear solves used, `[batch]`.
        bifurcated: whether the path ran through a bifurcation and stayed on its (symmetric) branch.
    """

    x: Array
    arrived: Array
    indices: Array
    solves: Array
    bifurcated: Array


@dataclass
class Walk:
    """Where every game still walking stands; changed in place, round by round."""

    game: Array  # which game of the batch this is
    x: Array  # [unknowns, batch] current iterate
    theta: Array
    base_x: Array  # last accepted point
    base_theta: Array
    tangent: Array  # [unknowns + 1, batch], of unit length in the scaled norm
    bend: Array  # [unknowns + 1, batch], change of the tangent per unit of length
    step: Array
    corrections: Array  # made since the last accepted point
    first: Array  # size of the first of them
    final: Array  # whether correcting at the end itself
    orientation: Array  # sign of the bordered determinant that the path must keep
    bifurcated: Array

    def keep(self, chosen: Array) -> Walk:
        """The chosen games only."""
        return Walk(**{f.name: getattr(self, f.name)[..., chosen] for f in fields(self)})


def follow(
    system: System,
    schedule: Schedule,
    x: Array,
    end: Array,
    *,
    begin: Array | None = None,
    max_solves: int = 5000,
    max_step: float = MAX_STEP,
    watch: Callable[[Walk, Array], Array] | None = None,
) -> Arrival:
    """Follow the solution of `system` from theta = `begin`, where x solves it, to theta = `end` [batch].

    Args:
        system: the equations.
        schedule: parameters as a function of theta.
        x: solution at the beginning, `[unknowns, batch]`, with a regular Jacobian.
        end: last theta, one per game.
        begin: first theta, one per game, below `end`; 0 if not given.
        max_solves: give up on a game after so many linear solves.
        max_step: longest step, in the scaled norm.
        watch: called after every round with the walk and the games that have just landed on their path; says
            which of those still walking to take off it.

    Returns:
        The end points; a game whose path could not be followed is flagged, never guessed.
    """
    batch = x.shape[1]
    out = Arrival(
        x.copy(), np.zeros(batch, bool), np.zeros(batch), np.zeros(batch, int), np.zeros(batch, bool)
    )
    zeros = np.zeros(batch)
    first = zeros if begin is None else begin
    walk = Walk(
        game=np.arange(batch),
        x=x.copy(),
        theta=first.copy(),
        base_x=x.copy(),
        base_theta=first.copy(),
        tangent=np.zeros((x.shape[0] + 1, batch)),
        bend=np.zeros((x.shape[0] + 1, batch)),
        step=np.minimum(end - first, min(FIRST_STEP, max_step)),
        corrections=np.zeros(batch, int),
        first=zeros.copy(),
        final=np.zeros(batch, bool),
        orientation=zeros.copy(),
        bifurcated=np.zeros(batch, bool),
    )
    walk.tangent[-1] = 1.0
    with np.errstate(all="ignore"):
        while walk.game.size:
            done, failed, on = advance(walk, system, schedule, end, max_step)
            if watch is not None:
                failed |= watch(walk, on) & ~done
            out.solves[walk.game] += 1
            failed |= (out.solves[walk.game] >= max_solves) & ~done
            leaving = done | failed
            if leaving.any():
                out.x[:, walk.game[leaving]] = walk.x[:, leaving]
                out.arrived[walk.game[done]] = True
                out.indices[walk.game[leaving]] = system.parity * walk.orientation[leaving]
                out.bifurcated[walk.game[leaving]] = walk.bifurcated[leaving]
                walk, system, end = walk.keep(~leaving), system.take(~leaving), end[~leaving]
    return out


def advance(
    walk: Walk, system: System, schedule: Schedule, end: Array, max_step: float
) -> tuple[Array, Array, Array]:
    """One round: one linear solve per game, then accept, correct, or go back.

    Returns:
        Which games are done, which have failed, and which have just landed on their path.
    """
    at, rates = schedule(walk.theta, walk.game)
    evaluation = system.evaluate(walk.x, at)
    scale = system.scales(walk.base_x)
    ahead = weigh(walk.tangent, scale)
    row = ahead.copy()
    row[:, walk.final] = 0.0
    row[-1, walk.final] = 1.0
    change, tangent, sign = bordered_solve(evaluation, by_theta(system, evaluation, rates), row, system.pivot)

    error = np.abs(evaluation.residual).max(axis=0)
    solved = error <= ROUNDING
    size = length(change, scale)
    # Equations solved to rounding are solved, even where the Jacobian leaves a direction undetermined, as at
    # a bifurcation that happens to lie at the very end: a Newton step that is not tiny there is noise.
    singular = walk.final & solved & ~(size <= NOISE)
    change[:, singular], size[singular], sign[singular] = 0.0, 0.0, 0.0
    # The path keeps the sign it starts with.
    walk.orientation = np.where(walk.orientation == 0.0, sign, walk.orientation)
    walk.first = np.where(walk.corrections == 0, size, walk.first)
    x, theta = system.repair(walk.x + change[:-1], at), walk.theta + change[-1]
    moved = length(np.vstack([x - walk.base_x, theta - walk.base_theta]), scale)
    stretch = length(tangent, scale)
    # At the end itself the determinant is that of J alone, to be compared with the direction of travel.
    expected = np.where(walk.final, np.sign(walk.tangent[-1]), 1.0) * walk.orientation
    astray = ~np.isfinite(size) | (moved > 2.0 * walk.step) | (walk.corrections > MAX_CORRECTIONS)
    astray |= (walk.corrections == 0) & (size > SHARE * walk.step)
    small = np.where(walk.final, 1e-9, np.minimum(1e-3, 0.1 * walk.step))
    landed = ~astray & (((size <= small) & (error <= NEAR)) | solved)
    # The very first point is only given a direction.
    stepped = moved > 0.1 * walk.step
    turned = landed & stepped & ~singular & ((ahead * tangent).sum(axis=0) < TURN * stretch)
    crossed = landed & (sign != expected) & ~singular
    through = crossed & ~turned & (walk.step <= BIFURCATION_STEP)
    astray |= turned | (crossed & ~through)
    landed &= ~astray

    done = landed & walk.final
    over = landed & ~walk.final & (theta >= end)  # corrected past the end, which therefore lies before it
    on = landed & ~walk.final & ~over
    correcting = ~astray & ~landed
    walk.x[:, correcting | done] = x[:, correcting | done]
    walk.theta[correcting] = theta[correcting]
    walk.corrections[correcting] += 1
    walk.bifurcated |= through
    walk.orientation[on & through] *= -1.0
    walk.orientation[done] = sign[done]

    # The next predictor step: from the point just accepted, or again from the last one with a shorter step.
    ratio = walk.first / walk.step
    growth = np.clip(np.sqrt(BEND / np.maximum(ratio, 1e-12)), *GROWTH)
    walk.step[on & stepped] = np.minimum(walk.step * growth, max_step)[on & stepped]
    unit = tangent / length(tangent, system.scales(x))
    walk.bend[:, on] = np.where(stepped, (unit - walk.tangent) / moved, 0.0)[:, on]
    walk.tangent[:, on] = unit[:, on]
    walk.base_x[:, on], walk.base_theta[on] = x[:, on], theta[on]
    walk.step[astray] *= np.where(walk.final, 0.25, 0.5)[astray]
    failed = astray & (walk.step < MIN_STEP)
    again = on | (astray & ~failed)
    # The bend corrects the direction a little; a large one says that the last step was too long to tell.
    lean = 0.5 * walk.step * length(walk.bend, system.scales(walk.base_x))
    bend = walk.bend * (0.5 * walk.step * np.minimum(1.0, MAX_LEAN / np.maximum(lean, MAX_LEAN)))
    leg = walk.step * (walk.tangent + bend)
    reaching = again & (walk.base_theta + leg[-1] >= end)
    share = np.where(reaching, (end - walk.base_theta) / leg[-1], 1.0)
    walk.x[:, again] = (walk.base_x + share * leg[:-1])[:, again]
    walk.theta[again] = (walk.base_theta + share * leg[-1])[again]
    walk.theta[reaching] = end[reaching]
    walk.step *= share
    walk.final = np.where(again, reaching, walk.final)
    walk.corrections[again] = 0
    walk.x[:, failed] = walk.base_x[:, failed]
    back = (end - walk.base_theta) / np.where(over, theta - walk.base_theta, 1.0)
    walk.x[:, over] = (walk.base_x + back * (x - walk.base_x))[:, over]
    walk.theta[over], walk.final[over], walk.corrections[over] = end[over], True, 0
    return done, failed, on


def weigh(vector: Array, scale: Array) -> Array:
    """Gradient of the scaled inner product: mean over unknowns of a b / scale^2, plus the theta part."""
    row = vector.copy()
    row[:-1] /= scale * scale * scale.shape[0]
    return row


def length(vector: Array, scale: Array) -> Array:
    """Scaled length of `[unknowns + 1, batch]`: root mean square of the unknowns, and theta."""
    return np.sqrt(np.square(vector[:-1] / scale).mean(axis=0) + np.square(vector[-1]))


def bordered_solve(
    evaluation: Evaluation, slope: Array, row: Array, pivot: int
) -> tuple[Array, Array, Array]:
    """Newton step and tangent of the bordered system, with the sign of its determinant.

    Solves [[J, G_theta], [row]] for the right-hand sides (-G, 0) and (0, 1). When J is a positive multiple
    of the identity on its first `pivot` unknowns (a player who is not risk-averse), they are eliminated
    first: the rest is half as large for two players, and its determinant has the same sign.
    """
    size, batch = evaluation.residual.shape
    matrix = np.empty((size + 1, size + 3, batch))
    matrix[:size, :size] = evaluation.jacobian
    matrix[:size, size] = slope
    matrix[size, : size + 1] = row
    matrix[:size, size + 1] = -evaluation.residual
    matrix[size, size + 1] = 0.0
    matrix[:size, size + 2] = 0.0
    matrix[size, size + 2] = 1.0
    if not pivot:
        solved, sign = solve_batch_last(matrix)
        return solved[:, 0], solved[:, 1], sign
    top = matrix[:pivot, pivot:] / matrix[0, 0]
    rest, sign = solve_batch_last(matrix[pivot:, pivot:] - product(matrix[pivot:, :pivot], top))
    solved = np.concatenate([top[:, -2:] - product(top[:, :-2], rest), rest])
    return solved[:, 0], solved[:, 1], sign


def solve_batch_last(augmented: Array) -> tuple[Array, Array]:
    """Solve `[n, n + sides, batch]` for its sides; returns the solutions and the sign of the determinant."""
    n = augmented.shape[0]
    stacked = np.moveaxis(augmented, -1, 0)
    matrix, sides = stacked[..., :n], stacked[..., n:]
    sign = np.linalg.slogdet(matrix)[0]
    try:
        solved = np.linalg.solve(matrix, sides)
    except np.linalg.LinAlgError:
        # Some game of the batch stands on an exactly singular point: send that one back, keep the others.
        solved = np.full(sides.shape, np.nan)
        regular = np.isfinite(matrix).all(axis=(1, 2)) & (sign != 0.0)
        solved[regular] = np.linalg.solve(matrix[regular], sides[regular])
    return np.moveaxis(solved, 0, -1), sign
