"""Branches of equilibria as risk aversion or bounded rationality varies, through folds and bifurcations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from equipoise.equilibria import _branch
from equipoise.equilibria._branch import Batch, Branch
from equipoise.equilibria._path import Rates, Schedule, Walk, follow
from equipoise.equilibria._system import Array, Parameters
from equipoise.equilibria.multiplicity import SAME, quantal_batch, search, stability
from equipoise.equilibria.qre import QRE
from equipoise.equilibria.rqe import RQE
from equipoise.games.normal_form import NormalFormGame

Parameter = Literal["risk_aversion", "bounded_rationality", "precision"]
ENDS_MEET = 1e-4


@dataclass(frozen=True, eq=False)
class Curve:
    """One branch, ordered along itself; the parameter need not be monotone.

    Attributes:
        parameter: value of the parameter at each point, `[points]`.
        strategies: one array per player, `[points, actions]`.
        index: index of the equilibrium at each point, `[points]`.
        stable: whether it attracts continuous best-response adjustment, `[points]`.
        name: "principal" for the branch of the principal equilibrium at the start, else "branch 2", ...
    """

    parameter: Float[np.ndarray, " points"]
    strategies: tuple[Float[np.ndarray, "points _"], ...]
    index: Int[np.ndarray, " points"]
    stable: Bool[np.ndarray, " points"]
    name: str


@dataclass(frozen=True, eq=False)
class Bifurcation:
    """A point where branches turn or cross.

    Attributes:
        parameter: where.
        kind: "fold" (a branch turns back) or "crossing" (another branch passes through; a pitchfork in
            symmetric games).
        strategies: one array per player, `[actions]`.
        curve: name of the branch it was met on.
    """

    parameter: float
    kind: str
    strategies: tuple[Float[np.ndarray, " _"], ...]
    curve: str


@dataclass(frozen=True, eq=False)
class Trace:
    """All branches followed over a range of a parameter.

    Attributes:
        game, concept: what was traced; the concept's own value of the parameter plays no role.
        parameter: which parameter varies.
        curves: the branches, the principal one first.
        bifurcations: folds and crossings met on the way.
        complete: every branch was followed to an end of the range.
    """

    game: NormalFormGame
    concept: RQE | QRE
    parameter: str
    curves: tuple[Curve, ...]
    bifurcations: tuple[Bifurcation, ...]
    complete: bool


def trace(
    game: NormalFormGame,
    concept: RQE | QRE,
    parameter: Parameter,
    start: float,
    stop: float,
    *,
    every: float = 0.01,
    starts: int = 64,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Trace:
    """Follow every equilibrium found at `start`, and every further one found at `stop`, over the range.

    Branches are followed by pseudo-arclength, so they pass folds; a branch that turns back ends where it
    leaves the range again. In a symmetric game the symmetric branch is kept through a pitchfork.

    Args:
        game: the game.
        concept: QRE or RQE. With one value per player the ratios are kept and the largest takes the
            parameter's value.
        parameter: "risk_aversion" or "bounded_rationality" of an RQE, or "precision" of a QRE.
        start: where the range begins; positive, or zero for risk aversion and precision.
        stop: where it ends, likewise, on either side of `start`.
        every: longest step between points, as a share of the range.
        starts: random starting profiles of the searches at both ends, see `find_equilibria`.
        seed: of these profiles.
        progress: called with the share of branches followed.

    Raises:
        ValueError: the parameter does not belong to the concept or the range is not valid.
    """
    route = _Route.plan(game, concept, parameter, float(start), float(stop))
    curves: list[Curve] = []
    bifurcations: list[Bifurcation] = []
    complete = True
    for forward in (True, False):
        origin = route.batch_at(0.0 if forward else 1.0)
        found = search(origin, starts, seed)
        for k, branch in enumerate(found):
            here = route.value(0.0 if forward else 1.0)
            if any(_passes(curve, here, branch) for curve in curves):
                continue
            name = "principal" if not curves else f"branch {len(curves) + 1}"
            curve, met, ended = _follow_curve(route, branch, forward, name, every)
            curves.append(curve)
            bifurcations += [b for b in met if all(_differ(b, c) for c in bifurcations)]
            complete &= ended
            if progress is not None:
                progress(0.5 * (k + 1) / len(found) + (0.0 if forward else 0.5))
    return Trace(game, concept, parameter, tuple(curves), tuple(bifurcations), complete)


def _differ(first: Bifurcation, second: Bifurcation) -> bool:
    """Whether two events are not one and the same, met on two branches."""
    close = abs(first.parameter - second.parameter) <= 0.01 * max(first.parameter, second.parameter)
    return not close or any(
        np.abs(a - b).max() > 0.02 for a, b in zip(first.strategies, second.strategies, strict=True)
    )


@dataclass(frozen=True)
class _Route:
    """The parameter as a function of theta in [0, 1]: geometric between positive ends, else linear."""

    base: Batch
    parameter: str
    start: float
    stop: float

    @classmethod
    def plan(
        cls, game: NormalFormGame, concept: RQE | QRE, parameter: str, start: float, stop: float
    ) -> _Route:
        allowed = ("precision",) if isinstance(concept, QRE) else ("risk_aversion", "bounded_rationality")
        if parameter not in allowed:
            known = " or ".join(map(repr, allowed))
            raise ValueError(f"parameter of a {type(concept).__name__} must be {known}, got {parameter!r}")
        lowest = min(start, stop)
        if not (np.isfinite([start, stop]).all() and lowest >= 0.0 and start != stop):
            raise ValueError(
                f"start and stop must be different finite numbers >= 0, got {start:g} and {stop:g}"
            )
        if lowest == 0.0 and parameter == "bounded_rationality":
            raise ValueError("bounded_rationality must stay positive; start or stop is 0")
        marginals = isinstance(concept, RQE) and concept.joint_penalty == "marginals" and game.num_players > 2
        if lowest == 0.0 and parameter == "risk_aversion" and marginals:
            raise ValueError(
                "risk_aversion must stay positive with joint_penalty='marginals': its limit is not neutral"
            )
        if isinstance(concept, RQE) and concept.penalty == "l1" and parameter == "risk_aversion":
            raise ValueError("the l1 penalty is not smooth in risk_aversion; use 'kl' or 'reverse_kl'")
        values = np.asarray(getattr(concept, parameter), dtype=float)
        if not values.any():
            values = np.ones_like(values)
        ratios = values / values.max()
        if (ratios == 0.0).any():
            raise ValueError(f"{parameter} is zero for some player, so no common range can be traced")
        # Any positive value makes the right equations; the route sets its own.
        unit = tuple(float(v) for v in ratios) if ratios.ndim else float(ratios)
        changes: dict[str, Any] = {parameter: unit}
        return cls(quantal_batch(game, replace(concept, **changes)), parameter, start, stop)

    @property
    def geometric(self) -> bool:
        return min(self.start, self.stop) > 0.0

    def value(self, theta: Array | float) -> Array | float:
        """Value of the parameter."""
        if self.geometric:
            return self.start * (self.stop / self.start) ** theta
        return self.start + (self.stop - self.start) * theta

    def rate(self, theta: Array) -> Array:
        """Derivative of the value in theta."""
        if self.geometric:
            return self.value(theta) * np.log(self.stop / self.start)
        return np.full_like(theta, self.stop - self.start)

    def at(self, theta: Array, index: Array) -> tuple[Parameters, Rates]:
        """Parameters and rates at theta."""
        at = self.base.parameters(np.zeros(len(theta), int))
        value, rate = self.value(theta), self.rate(theta)
        if self.parameter == "risk_aversion":
            return at._replace(tau=at.tau * value), Rates(tau=at.tau * rate)
        if self.parameter == "bounded_rationality":
            return at._replace(eps=at.eps * value), Rates(eps=at.eps * rate)
        # eps = 1/lambda: weighing payoffs by lambda instead stays regular at lambda = 0.
        return at._replace(weight=np.asarray(value)), Rates(weight=np.asarray(rate))

    def batch_at(self, theta: float) -> Batch:
        """The game at one value of the parameter, as the search wants it."""
        value = float(self.value(theta))
        if self.parameter == "risk_aversion":
            return replace(self.base, tau=self.base.tau * value)
        if self.parameter == "bounded_rationality":
            return replace(self.base, eps=self.base.eps * value)
        return replace(self.base, eps=self.base.eps / max(value, 1e-100))


def _passes(curve: Curve, value: float | Array, branch: Branch) -> bool:
    """Whether a curve already contains an equilibrium at one end of the range."""
    near = np.flatnonzero(np.abs(curve.parameter - value) <= 1e-9 * max(1.0, abs(float(value))))
    return any(
        all(
            np.abs(s[k] - t[:, 0]).max() <= max(SAME, ENDS_MEET)
            for s, t in zip(curve.strategies, branch.strategies, strict=True)
        )
        for k in near
    )


def _follow_curve(
    route: _Route, branch: Branch, forward: bool, name: str, every: float
) -> tuple[Curve, list[Bifurcation], bool]:
    """Follow one equilibrium from an end of the range until it leaves the range."""

    def place(theta: Array) -> Array:
        return theta if forward else 1.0 - theta

    schedule = _schedule(route, forward)
    system = _branch.system_for(route.base)
    x = system.pack(_scaled(route, branch), schedule(np.zeros(1), np.zeros(1, int))[0])
    thetas: list[float] = []
    points: list[Array] = []

    def watch(walk: Walk, on: Array) -> Array:
        if on[0]:
            thetas.append(float(walk.base_theta[0]))
            points.append(walk.base_x.copy())
        # A branch that has turned back ends where it leaves the range at its start.
        return on & (walk.base_theta < 0.0)

    arrival = follow(system, schedule, x, np.ones(1), max_solves=20000, max_step=every, watch=watch)
    if arrival.arrived[0]:
        thetas.append(1.0)
        points.append(arrival.x)
    elif len(thetas) > 1 and thetas[-1] < 0.0:
        share = thetas[-2] / (thetas[-2] - thetas[-1])
        guess = points[-2] + share * (points[-1] - points[-2])
        points[-1] = _branch.correct(system, schedule(np.zeros(1), np.zeros(1, int))[0], guess, 60).x
        thetas[-1] = 0.0
    theta, xs = np.array(thetas), np.hstack(points)
    wide = system.take(np.zeros(len(theta), int))
    at = route.at(place(theta), np.zeros(len(theta), int))[0]
    sign, size = np.linalg.slogdet(np.moveaxis(wide.evaluate(xs, at).jacobian, -1, 0))
    curve = Curve(
        np.asarray(route.value(place(theta))),
        tuple(np.ascontiguousarray(r.strategy.T) for r in wide.responses(xs)),
        (system.parity * sign).astype(int),
        stability(wide, xs, at),
        name,
    )
    return curve, _bifurcations(curve, theta, sign * np.exp(size - size.max())), bool(theta[-1] in (0.0, 1.0))


def _schedule(route: _Route, forward: bool) -> Schedule:
    def schedule(theta: Array, index: Array) -> tuple[Parameters, Rates]:
        if forward:
            return route.at(theta, index)
        at, rates = route.at(1.0 - theta, index)
        return at, Rates(*(None if part is None else -part for part in rates))

    return schedule


def _scaled(route: _Route, branch: Branch) -> Sequence[Array]:
    """Scaled payoffs z of the branch; its own unknowns may belong to other equations (tau = 0)."""
    spans = getattr(branch.system, "own", branch.system.blocks)
    return [branch.x[span] for span in spans]


def _bifurcations(curve: Curve, theta: Array, determinant: Array) -> list[Bifurcation]:
    """Folds and crossings along a curve.

    At a fold the parameter turns and the index flips. Where the index flips alone, or the parameter turns
    alone (a side branch passing the tip of a pitchfork), another branch crosses.
    """
    met: list[Bifurcation] = []
    turns = _flips(np.diff(theta), np.arange(1, len(theta) - 1))
    flips = _flips(determinant, np.arange(len(theta) - 1))
    for k in turns:
        near = [j for j in flips if abs(j - k) <= 2]
        flips = [j for j in flips if j not in near]
        met.append(_event(curve, "fold" if len(near) == 1 else "crossing", k, 0.0))
    for k in flips:
        share = determinant[k] / (determinant[k] - determinant[k + 1])
        met.append(_event(curve, "crossing", k, float(share)))
    return met


def _flips(values: Array, places: Array) -> list[int]:
    """Places after which the sign of the values changes for good, not only for a point or two."""
    sign = np.sign(values)
    return [
        int(places[k])
        for k in range(len(values) - 1)
        if sign[k] != sign[k + 1] and sign[max(k - 3, 0)] != sign[min(k + 4, len(sign) - 1)]
    ]


def _event(curve: Curve, kind: str, k: int, share: float) -> Bifurcation:
    """An event at a share of the way from point k to the next."""
    ahead = min(k + 1, len(curve.parameter) - 1)
    between = [s[k] + share * (s[ahead] - s[k]) for s in curve.strategies]
    parameter = curve.parameter[k] + share * (curve.parameter[ahead] - curve.parameter[k])
    return Bifurcation(float(parameter), kind, tuple(between), curve.name)
