"""What a solver of stage games hands to backward induction: the games of all states, solved in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from equipoise.equilibria._system import Array


class Stage(NamedTuple):
    """All stage games of one step, solved.

    Attributes:
        strategies: one array per player, `[S, A_i]`; marginals for correlated concepts.
        values: `[n, S]`.
        solved: where the solver reached its tolerance, `[S]`.
        certain: where the equilibrium is known to be the only one, `[S]`.
        selected: where it is the one that the solver's rule of selection asks for, `[S]`.
        iterations: linear solves or pivots of this step.
        residual: largest violation of the solver's equations, in payoff units.
        logs: logarithms of `strategies`, where probabilities may be too small for a number.
        joint: law over joint actions, `[S, A_1, ..., A_n]`.
        laws: one law per player over the others' joint actions, `[S, M_i]`: its adversary, or the advice
            that proves a guarantee.
        memory: whatever the solver wants to know at the step before.
    """

    strategies: list[Array]
    values: Array
    solved: Array
    certain: Array
    selected: Array
    iterations: int
    residual: float
    logs: list[Array] | None = None
    joint: Array | None = None
    laws: list[Array] | None = None
    memory: Any = None


@runtime_checkable
class StageSolver(Protocol):
    """Solves the stage games of all states at once."""

    @property
    def branch(self) -> str:
        """Which equilibrium is taken where there may be several."""
        ...

    def __call__(self, payoffs: Sequence[Array], later: Stage | None) -> Stage:
        """Solve.

        Args:
            payoffs: one tensor per player, `[S, A_1, ..., A_n]`.
            later: the answer of the step that follows in time, if any.
        """
        ...
