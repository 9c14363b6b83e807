"""Quantal response equilibria straight from their definition, on SciPy: no formula of the solver is used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import OptimizeResult, brentq, linprog, minimize, root
from scipy.special import logsumexp

from equipoise.equilibria.rqe import RQE
from equipoise.games import NormalFormGame


def product_of_others(strategies, i):
    """The opponents' law over their joint actions, last player fastest."""
    joint = np.ones(1)
    for j, strategy in enumerate(strategies):
        if j != i:
            joint = np.outer(joint, strategy).ravel()
    return joint


@dataclass(frozen=True)
class Reference:
    """One player's problem: payoffs, the opponents' strategies, and how the player judges."""

    payoff: np.ndarray
    rivals: tuple[np.ndarray, ...]
    tau: float
    eps: float
    concept: RQE

    @classmethod
    def of(cls, game: NormalFormGame, concept: RQE, strategies, i: int) -> Reference:
        tau = np.broadcast_to(concept.risk_aversion, game.num_players)
        eps = np.broadcast_to(concept.bounded_rationality, game.num_players)
        rivals = tuple(np.asarray(s, float) for j, s in enumerate(strategies) if j != i)
        return cls(game.own_first(i), rivals, float(tau[i]), float(eps[i]), concept)

    @property
    def law(self) -> np.ndarray:
        return product_of_others((*self.rivals, None), len(self.rivals))

    @property
    def summed(self) -> bool:
        return self.concept.joint_penalty == "marginals" and len(self.rivals) > 1

    def distance(self, p):
        """D(p, q) and its gradient in p."""
        if self.summed:
            split = p.reshape([len(r) for r in self.rivals])
            total, gradient = 0.0, np.zeros_like(split)
            for j, rival in enumerate(self.rivals):
                rest = tuple(k for k in range(split.ndim) if k != j)
                side = split.sum(axis=rest)
                log_ratio = np.log(side / rival)
                total += side @ log_ratio
                shape = [1] * split.ndim
                shape[j] = -1
                gradient = gradient + (log_ratio + 1.0).reshape(shape)
            return total, gradient.ravel()
        q = self.law
        if self.concept.penalty == "kl":
            return p @ np.log(p / q), np.log(p / q) + 1.0
        return q @ np.log(q / p), -q / p

    def worst(self, values):
        """min over laws p of values'p + D(p, q)/tau, by sequential quadratic programming."""
        if self.tau == 0.0:
            return float(self.law @ values)
        if self.concept.penalty == "l1":
            count = len(values)  # variables p and t >= |p - q|
            above = np.block([[np.eye(count), -np.eye(count)], [-np.eye(count), -np.eye(count)]])
            found = linprog(
                np.r_[values, np.full(count, 1.0 / self.tau)],
                A_ub=above,
                b_ub=np.r_[self.law, -self.law],
                A_eq=np.r_[np.ones(count), np.zeros(count)][None],
                b_eq=[1.0],
            )
            return float(found.fun)

        def objective(p):
            distance, gradient = self.distance(p)
            return values @ p + distance / self.tau, values + gradient / self.tau

        return float(_on_simplex(objective, self.law).fun)

    def cost(self, x):
        """nu(x)."""
        return x @ np.log(x) if self.concept.regularizer == "entropy" else -np.log(x).sum()

    def conjugate(self, u):
        """max over strategies x of u'x - eps nu(x), and the maximiser."""
        if self.concept.regularizer == "entropy":
            peak = self.eps * logsumexp(u / self.eps)
            return peak, np.exp((u - peak) / self.eps)
        gap, count = u.max() - u, len(u)
        level = brentq(
            lambda s: (self.eps / (s + gap)).sum() - 1.0,
            0.5 * self.eps,
            2.0 * count * self.eps,
            xtol=1e-300,
            rtol=1e-15,
        )
        x = self.eps / (level + gap)
        x = x / x.sum()
        return u @ x - self.eps * self.cost(x), x

    def utility(self, x):
        """U(x): worst case less eps nu(x)."""
        if self.concept.form == "aggregate":
            risk = self.worst(x @ self.payoff)
        else:
            risk = x @ [self.worst(row) for row in self.payoff]
        return risk - self.eps * self.cost(x)

    def best(self):
        """Largest utility and the best response, by the minimax theorem: the adversary moves first.

        max over x of min over p equals min over p of the regularised best value, a convex problem in p alone.
        """
        if self.concept.form == "action_dependent":
            return self.conjugate(np.array([self.worst(row) for row in self.payoff]))
        if self.tau == 0.0:
            return self.conjugate(self.payoff @ self.law)

        def objective(p):
            value, x = self.conjugate(self.payoff @ p)
            distance, gradient = self.distance(p)
            return value + distance / self.tau, x @ self.payoff + gradient / self.tau

        found = _on_simplex(objective, self.law)
        return found.fun, self.conjugate(self.payoff @ found.x)[1]


def _on_simplex(objective, start):
    """Minimise a convex function of a law with positive entries: in logits, then on the simplex itself.

    Logits cope with laws of very unequal entries, quadratic programming with minima at the boundary.
    """

    def in_logits(logits):
        p = np.exp(logits - logsumexp(logits))
        p = np.maximum(p, 1e-300)
        value, gradient = objective(p)
        return value, p * (gradient - p @ gradient)

    free = minimize(
        in_logits, np.log(start), jac=True, method="BFGS", options={"gtol": 1e-12, "maxiter": 2000}
    )
    inside = np.exp(free.x - logsumexp(free.x))
    best = OptimizeResult(x=inside, fun=free.fun)
    for first in (inside, start):
        found = minimize(
            objective,
            first,
            jac=True,
            method="SLSQP",
            bounds=[(1e-13, 1.0)] * len(start),
            constraints={"type": "eq", "fun": lambda p: p.sum() - 1.0, "jac": lambda p: np.ones_like(p)},
            options={"ftol": 1e-15, "maxiter": 500},
        )
        if found.fun < best.fun and abs(found.x.sum() - 1.0) < 1e-13:
            best = found
    return best


def exploitability(game, concept, strategies):
    """What every player can gain by deviating alone in the regularised, risk-adjusted game."""
    problems = [Reference.of(game, concept, strategies, i) for i in range(game.num_players)]
    return np.array([r.best()[0] - r.utility(s) for r, s in zip(problems, strategies, strict=True)])


def stationary_profile(game, concept, start):
    """Equilibrium near `start`, as a root of all players' and adversaries' stationarity conditions.

    Unknowns are logarithms of strategies and of adversaries' laws (one per player, or one per own action),
    with one multiplier for every sum that must be one.
    """
    players = range(game.num_players)
    payoffs = [game.own_first(i) for i in players]
    tau = np.broadcast_to(concept.risk_aversion, game.num_players)
    eps = np.broadcast_to(concept.bounded_rationality, game.num_players)
    averse = concept.form == "action_dependent"
    laws = [r.shape[0] if averse else 1 for r in payoffs]

    def slope(p, q):
        return np.log(p / q) + 1.0 if concept.penalty == "kl" else -q / p

    def distance(p, q):
        return (p * np.log(p / q) if concept.penalty == "kl" else q * np.log(q / p)).sum(axis=-1)

    def unpack(v):
        parts, at = [], 0
        for r, count in zip(payoffs, laws, strict=True):
            sizes = (r.shape[0], 1, count * r.shape[1], count)
            pieces = np.split(v[at : at + sum(sizes)], np.cumsum(sizes)[:-1])
            parts.append((np.exp(pieces[0]), pieces[1], np.exp(pieces[2].reshape(count, -1)), pieces[3]))
            at += sum(sizes)
        return parts

    def equations(v):
        parts = unpack(v)
        strategies = [part[0] for part in parts]
        rows = []
        for i in players:
            x, level, p, multiplier = parts[i]
            q = product_of_others(strategies, i)
            against = payoffs[i] if averse else (x @ payoffs[i])[None]
            price = 1.0 / tau[i] if tau[i] else 1.0
            pull = against if tau[i] else np.zeros_like(against)
            rows.append((pull + price * slope(p, q) + multiplier[:, None]).ravel())
            if averse:
                u = (payoffs[i] * p).sum(axis=1) + (distance(p, q) / tau[i] if tau[i] else 0.0)
            else:
                u = payoffs[i] @ p[0]
            marginal = np.log(x) + 1.0 if concept.regularizer == "entropy" else -1.0 / x
            rows += [u - eps[i] * marginal - level, [x.sum() - 1.0], p.sum(axis=1) - 1.0]
        return np.concatenate(rows)

    first = []
    for i in players:
        q = product_of_others(start, i)
        first += [np.log(start[i]), [0.0], np.log(np.tile(q, laws[i])), np.zeros(laws[i])]
    found = root(equations, np.concatenate(first), method="lm", options={"xtol": 1e-15, "ftol": 1e-15})
    assert np.abs(found.fun).max() < 1e-10, found.message
    return [part[0] for part in unpack(found.x)]
