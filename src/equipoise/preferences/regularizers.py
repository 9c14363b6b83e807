"""Regularizers: strictly convex costs on mixed strategies that make a best response unique and noisy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Num

from equipoise._arrays import namespace
from equipoise.preferences._checks import level_array, number_array, probability_array
from equipoise.preferences.divergences import KL, ChiSquare, Divergence, ReverseKL
from equipoise.preferences.worst_case import WorstCase, solve


@dataclass(frozen=True)
class Regularizer(ABC):
    """A strictly convex nu on the simplex; a player with bounded rationality eps pays eps nu.

    Every one here is, up to a factor and a constant, a divergence from the uniform law. A noisy best
    response is therefore the law that an adversary of that divergence chooses against the payoffs' negative,
    and the worst cases' solvers compute it.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Name under which `regularizer` finds it."""

    @abstractmethod
    def _divergence(self, actions: int) -> tuple[Divergence, float, float]:
        """D, factor and constant with nu = factor D(., uniform) + constant on so many actions."""

    @abstractmethod
    def _value(self, xp: Any, pi: Any) -> Any:
        """`value` on an array."""

    @abstractmethod
    def _gradient(self, xp: Any, pi: Any) -> Any:
        """`gradient` on an array."""

    def value(self, pi: Num[Any, "*batch actions"]) -> Num[Any, "*batch"]:
        """nu(pi).

        Args:
            pi: mixed strategies.

        Returns:
            The cost, in the units of payoff per unit of eps.

        Raises:
            ValueError: pi is not a law (NumPy input only).
        """
        xp, pi = _strategy(pi)
        return self._value(xp, pi)

    def gradient(self, pi: Num[Any, "*batch actions"]) -> Num[Any, "*batch actions"]:
        """Derivative of nu at pi, infinite on the boundary where nu is steep there.

        Args:
            pi: mixed strategies.

        Returns:
            The gradient in R^actions, not projected on the simplex.

        Raises:
            ValueError: pi is not a law (NumPy input only).
        """
        xp, pi = _strategy(pi)
        return self._gradient(xp, pi)

    def respond(
        self, u: Num[Any, "*#batch actions"], eps: float | int | Num[Any, "*#batch"]
    ) -> Num[Any, "*batch actions"]:
        """The noisy best response, argmax over pi of u'pi - eps nu(pi).

        Args:
            u: payoffs of the actions.
            eps: bounded rationality, in units of payoff; 0 plays the best actions, equally often where
                they tie, infinity plays uniformly.

        Returns:
            The mixed strategy.

        Raises:
            ValueError: u is not finite or eps negative (NumPy input only).
        """
        return self._solve(u, eps, np.inf)[0].kernel

    def maximum(
        self, u: Num[Any, "*#batch actions"], eps: float | int | Num[Any, "*#batch"]
    ) -> Num[Any, "*batch"]:
        """The regularised value, max over pi of u'pi - eps nu(pi).

        Args:
            u: payoffs of the actions.
            eps: bounded rationality, in units of payoff, finite.

        Returns:
            The maximum; its derivative in u is `respond`.

        Raises:
            ValueError: u is not finite, or eps negative or infinite (NumPy input only).
        """
        answer, constant = self._solve(u, eps, float(np.finfo(np.float64).max))
        return -answer.value - eps * constant

    def _solve(self, u: Any, eps: Any, largest: float) -> tuple[WorstCase, float]:
        xp, u, eps = _payoffs(u, eps, largest)
        actions = u.shape[-1]
        rule, factor, constant = self._divergence(actions)
        uniform = xp.full(actions, 1 / actions, dtype=u.dtype)
        return solve(xp, rule, "penalised", uniform, -u, eps * factor, False), constant


@dataclass(frozen=True)
class NegativeEntropy(Regularizer):
    """nu = sum pi log pi, the regularizer of the logit: responses are softmax(u/eps)."""

    name = "entropy"

    def _divergence(self, actions: int) -> tuple[Divergence, float, float]:
        return KL(), 1.0, -float(np.log(actions))

    def _value(self, xp: Any, pi: Any) -> Any:
        return (pi * xp.log(xp.where(pi > 0, pi, 1.0))).sum(-1)

    def _gradient(self, xp: Any, pi: Any) -> Any:
        return xp.where(pi > 0, xp.log(xp.where(pi > 0, pi, 1.0)) + 1, -xp.inf)

    def log_respond(
        self, u: Num[Any, "*#batch actions"], eps: float | int | Num[Any, "*#batch"]
    ) -> Num[Any, "*batch actions"]:
        """Logarithm of `respond`, finite also where the probability itself underflows.

        Args:
            u: payoffs of the actions.
            eps: bounded rationality, in units of payoff.

        Returns:
            Log-probabilities; -inf only at eps = 0.

        Raises:
            ValueError: u is not finite or eps negative (NumPy input only).
        """
        xp, u, eps = _payoffs(u, eps, np.inf)
        regret = u.max(-1, keepdims=True) - u
        noise = eps[..., None]
        pure = xp.where(regret > 0, -xp.inf, 0.0)
        scaled = xp.where(noise > 0, -regret / xp.where(noise > 0, noise, 1.0), pure)
        return scaled - xp.log(xp.exp(scaled).sum(-1, keepdims=True))


@dataclass(frozen=True)
class LogBarrier(Regularizer):
    """nu = -sum log pi: responses are eps/(kappa - u) with kappa set by the sum of one."""

    name = "log_barrier"

    def _divergence(self, actions: int) -> tuple[Divergence, float, float]:
        return ReverseKL(), float(actions), float(actions * np.log(actions))

    def _value(self, xp: Any, pi: Any) -> Any:
        return -xp.where(pi > 0, xp.log(xp.where(pi > 0, pi, 1.0)), -xp.inf).sum(-1)

    def _gradient(self, xp: Any, pi: Any) -> Any:
        return xp.where(pi > 0, -1 / xp.where(pi > 0, pi, 1.0), -xp.inf)

    def log_respond(
        self, u: Num[Any, "*#batch actions"], eps: float | int | Num[Any, "*#batch"]
    ) -> Num[Any, "*batch actions"]:
        """Logarithm of `respond`.

        Args:
            u: payoffs of the actions.
            eps: bounded rationality, in units of payoff.

        Returns:
            Log-probabilities; -inf only at eps = 0.

        Raises:
            ValueError: u is not finite or eps negative (NumPy input only).
        """
        pi = self.respond(u, eps)
        xp = namespace(pi)
        return xp.where(pi > 0, xp.log(xp.where(pi > 0, pi, 1.0)), -xp.inf)


@dataclass(frozen=True)
class SquaredNorm(Regularizer):
    """nu = (1/2) sum pi^2: responses are the projection of u/eps on the simplex, often sparse."""

    name = "squared_norm"

    def _divergence(self, actions: int) -> tuple[Divergence, float, float]:
        return ChiSquare(), 0.5 / actions, 0.5 / actions

    def _value(self, xp: Any, pi: Any) -> Any:
        return (pi**2).sum(-1) / 2

    def _gradient(self, xp: Any, pi: Any) -> Any:
        return pi


NEGATIVE_ENTROPY = NegativeEntropy()
LOG_BARRIER = LogBarrier()
SQUARED_NORM = SquaredNorm()

_BY_NAME: dict[str, Regularizer] = {r.name: r for r in (NEGATIVE_ENTROPY, LOG_BARRIER, SQUARED_NORM)}


def regularizer(name: str | Regularizer) -> Regularizer:
    """Find a regularizer by name.

    Args:
        name: "entropy", "log_barrier" or "squared_norm"; a regularizer is returned as it is.

    Returns:
        The regularizer.

    Raises:
        ValueError: the name is unknown.
    """
    if isinstance(name, Regularizer):
        return name
    if name not in _BY_NAME:
        raise ValueError(f"unknown regularizer {name!r}; known are {', '.join(map(repr, _BY_NAME))}")
    return _BY_NAME[name]


def _strategy(pi: Any) -> tuple[Any, Any]:
    xp = namespace(pi)
    return xp, probability_array("pi", pi) if xp is np else pi


def _payoffs(u: Any, eps: Any, largest: float) -> tuple[Any, Any, Any]:
    xp = namespace(u, eps)
    if xp is np:
        meaning = f"a bounded rationality in [0, {largest:.3g}], 0 being a best response"
        return xp, number_array("u", u), level_array("eps", eps, 0.0, largest, meaning)
    dtype = xp.result_type(u, eps, xp.float32)
    return xp, xp.asarray(u, dtype), xp.asarray(eps, dtype)
