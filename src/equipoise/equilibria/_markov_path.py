"""Following the equilibrium of a whole Markov game from uniform play as the noise falls.

Pseudo-arclength continuation of all stage games and values together, with the rules of acceptance of `_path`:
small first correction, little turning, and a determinant that keeps its sign, which tells a jump to another
branch (where values are too many to factorise, only the first two). The homotopy from uniform play is that of
Eibelshauser and Poensgen (2019) for the logit QRE of stochastic games.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from equipoise.equilibria._markov_system import MarkovSystem, Point, Step
from equipoise.equilibria._path import BEND, BIFURCATION_STEP, GROWTH, MAX_LEAN, MIN_STEP, SHARE, TURN
from equipoise.equilibria._system import Array

BEGIN = 0.1  # first theta, where play is nearly uniform
MAX_STEP = 1.0
FIRST_STEP = 0.5
MAX_CORRECTIONS = 6
SOLVED = 1e-12  # violation of the equations at the end, in units of the range of rewards times 1 + |V|
CLOSE = 1e-3  # largest last Newton step at accepted points of the path, each unknown divided by 1 + |x|
NEAR = 0.05  # violation of the equations at these points before that step, in units of the noise
EXACT = 1e-9  # the same at points from which steps are short
FAR = 0.1  # the same where an accepted point turns out to be wrong
MAX_SOLVES = 3000


@dataclass
class Arrival:
    """Where a path ended.

    Attributes:
        point: the last point.
        arrived: whether it is the end asked for, with its equations solved.
        solves: linear solves.
        steps: steps accepted.
        error: largest violation of the equations at the last point, in units of the range of rewards.
        sign: sign of the determinant at the end, the index of the equilibrium; 0 where not known.
        bifurcated: whether the path went straight through a bifurcation.
    """

    point: Point
    arrived: bool
    solves: int
    steps: int
    error: float
    sign: float
    bifurcated: bool


def correct(system: MarkovSystem, point: Point, rounds: int = 30) -> tuple[Point, Step, bool, int]:
    """Newton's method at fixed theta.

    Returns:
        The last point, its linearisation, whether it solves the equations, and the number of solves.
    """
    best, step = point, system.linearise(point)
    for used in range(1, rounds + 1):
        target = SOLVED * (1.0 + float(np.abs(best.values).max()))
        if not np.isfinite(step.error):
            return best, step, False, used
        trial = Point(best.x + step.newton_x, best.values + step.newton_values, best.theta)
        after = system.linearise(trial)
        settled = step.error <= target
        if settled and not after.error < step.error:
            return best, step, True, used + 1
        if not settled and not after.error <= max(step.error * 2.0, 0.1):
            return best, step, False, used + 1
        best, step = trial, after
        if settled:
            return best, step, True, used + 1
    return best, step, False, rounds


def follow(system: MarkovSystem, *, max_step: float = MAX_STEP) -> Arrival:
    """Follow the principal branch from uniform play to the concept's own noise.

    Args:
        system: the equations.
        max_step: longest step, in the scaled norm of the unknowns.

    Returns:
        The end, or the last point from which the path could not be followed.
    """
    with np.errstate(all="ignore"):
        return _follow(system, max_step)


def _follow(system: MarkovSystem, max_step: float) -> Arrival:
    end = system.end
    begin, good, solves = min(BEGIN, 0.5 * end), False, 0
    while not good and begin > BEGIN * 1e-6:
        point, here, good, used = correct(system, system.start(begin))
        solves, begin = solves + used, 0.25 * begin
    walk = _Walk(system, point, here, solves)
    if not good:
        return walk.arrival(False)
    while walk.solves < MAX_SOLVES and walk.step >= MIN_STEP:
        leg = walk.leg()
        final = walk.point.theta + leg.theta >= end
        if final:
            leg = leg.times((end - walk.point.theta) / leg.theta)
        trial = walk.land(leg.start_from(walk.point), final)
        if trial is not None and not final and trial.theta >= end:
            # Corrected past the end, which therefore lies before it.
            final = True
            back = (end - walk.point.theta) / (trial.theta - walk.point.theta)
            trial = walk.land(_Move.between(walk.point, trial).times(back).start_from(walk.point), True)
        if trial is None:
            walk.step *= 0.25 if final else 0.5
            walk.settle()
        elif final:
            walk.point, walk.here, good, used = correct(system, trial._replace(theta=end))
            walk.solves += used
            return walk.arrival(good)
        else:
            walk.accept(trial, max_step)
    return walk.arrival(False)


class _Move(NamedTuple):
    """A change of everything along the path."""

    x: Array
    values: Array
    theta: float

    @classmethod
    def between(cls, first: Point, last: Point) -> _Move:
        return cls(last.x - first.x, last.values - first.values, last.theta - first.theta)

    def times(self, factor: float) -> _Move:
        return _Move(factor * self.x, factor * self.values, factor * self.theta)

    def plus(self, other: _Move) -> _Move:
        return _Move(self.x + other.x, self.values + other.values, self.theta + other.theta)

    def start_from(self, point: Point) -> Point:
        return Point(point.x + self.x, point.values + self.values, point.theta + self.theta)

    def product(self, other: _Move, at: Point) -> float:
        """Scaled inner product: means over the stage unknowns and over the values, and the theta part."""
        stage = (self.x * other.x / np.square(1.0 + np.abs(at.x))).mean()
        worth = (self.values * other.values / np.square(1.0 + np.abs(at.values))).mean()
        return float(stage + worth + self.theta * other.theta)

    def length(self, at: Point) -> float:
        """Length in the inner product."""
        return float(np.sqrt(self.product(self, at)))

    def largest(self, at: Point) -> float:
        """Largest scaled change of anything: a mean over many states would hide that one of them jumps."""
        stage = np.max(np.abs(self.x) / (1.0 + np.abs(at.x)))
        worth = np.max(np.abs(self.values) / (1.0 + np.abs(at.values)))
        return float(max(stage, worth, abs(self.theta)))


class _Walk:
    """Where the walk stands; changed in place, step by step."""

    def __init__(self, system: MarkovSystem, point: Point, here: Step, solves: int):
        self.system, self.point, self.here, self.solves = system, point, here, solves
        tangent = _Move(here.along_x, here.along_values, 1.0)
        self.ahead = tangent.times(1.0 / tangent.length(point))
        self.bend: _Move | None = None
        self.orientation = here.sign
        self.step, self.first, self.steps = FIRST_STEP, 0.0, 0
        self.bifurcated = False
        self.noise = float(system.eps.min())
        self.before: deque[tuple[Point, _Move, float]] = deque(
            maxlen=20
        )  # earlier points, their tangents and steps
        self.settled = True  # whether the point solves the equations to rounding

    def arrival(self, good: bool) -> Arrival:
        """The walk's end as a record."""
        return Arrival(
            self.point, good, self.solves, self.steps, self.here.error, self.here.sign, self.bifurcated
        )

    def leg(self) -> _Move:
        """The next predicted move: along the tangent, bent a little as the last step was."""
        if self.bend is None:
            return self.ahead.times(self.step)
        lean = 0.5 * self.step * self.bend.length(self.point)
        share = 0.5 * self.step * min(1.0, MAX_LEAN / max(lean, MAX_LEAN))
        return self.ahead.plus(self.bend.times(share)).times(self.step)

    def land(self, trial: Point, final: bool) -> Point | None:
        """Correct a predicted point back on to the path; None where that breaks a rule."""
        reach = _Move.between(self.point, trial).largest(self.point)
        for round_ in range(MAX_CORRECTIONS):
            self.here = self.system.linearise(trial, accuracy=1e-5)
            self.solves += 1
            tangent = _Move(self.here.along_x, self.here.along_values, 1.0)
            newton = _Move(self.here.newton_x, self.here.newton_values, 0.0)
            along = self.ahead.product(tangent, self.point)
            change = newton
            if not final:
                change = newton.plus(tangent.times(-self.ahead.product(newton, self.point) / along))
            size = change.largest(self.point)
            if round_ == 0:
                self.first = size / reach
            if not np.isfinite(size) or (round_ == 0 and size > SHARE * reach):
                return None
            trial = change.start_from(trial)
            if _Move.between(self.point, trial).largest(self.point) > 2.0 * reach:
                return None
            if size <= min(CLOSE, 0.1 * reach) and self.here.error <= NEAR * self.noise:
                return trial if self._sound(tangent, along, final) else None
        return None

    def _sound(self, tangent: _Move, along: float, final: bool) -> bool:
        """Whether the tangent turned little and the determinant tells of no jump to another branch."""
        if abs(along) < TURN * tangent.length(self.point):
            return False
        going = np.sign(self.ahead.theta if final else along)
        if self.here.sign * going != self.orientation:
            # With a step this small it is a true bifurcation, as in symmetric games, and no jump.
            if self.step > BIFURCATION_STEP:
                return False
            self.orientation, self.bifurcated = -self.orientation, True
        return True

    def accept(self, trial: Point, max_step: float) -> None:
        """Move on to a corrected point and choose the next step's length."""
        moved = _Move.between(self.point, trial).length(self.point)
        tangent = _Move(self.here.along_x, self.here.along_values, 1.0)
        sign = float(np.sign(self.ahead.product(tangent, self.point)))
        unit = tangent.times(sign / tangent.length(trial))
        self.before.append((self.point, self.ahead, self.step))
        self.bend = unit.plus(self.ahead.times(-1.0)).times(1.0 / moved)
        self.ahead, self.point = unit, trial
        growth = float(np.clip(np.sqrt(BEND / max(self.first, 1e-12)), *GROWTH))
        self.step = min(self.step * growth, max_step)
        self.steps, self.settled = self.steps + 1, False

    def settle(self) -> None:
        """Correct the last accepted point to rounding: short steps from it must not mistake its error.

        If that fails, or the determinant shows only then that the point lies on another branch, the walk goes
        back to the point before.
        """
        if self.settled:
            return
        point, self.settled = self.point, True
        for _ in range(2 * MAX_CORRECTIONS):
            here = self.system.linearise(point)
            self.solves += 1
            tangent = _Move(here.along_x, here.along_values, 1.0)
            newton = _Move(here.newton_x, here.newton_values, 0.0)
            along = self.ahead.product(tangent, point)
            change = newton.plus(tangent.times(-self.ahead.product(newton, point) / along))
            size, sign = change.largest(point), float(np.sign(along))
            if not size <= FAR:
                break
            point = change.start_from(point)
            if size <= EXACT:
                if here.sign * sign == self.orientation:
                    self.point, self.ahead = point, tangent.times(sign / tangent.length(point))
                    self.bend = None
                    return
                break
        if self.before:
            self.point, self.ahead, step = self.before.pop()
            self.step, self.bend, self.settled = 0.25 * step, None, False
