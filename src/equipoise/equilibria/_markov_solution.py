"""What every solver of a Markov game returns, and which solver a game asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from equipoise.games.markov import MarkovGame


@dataclass(frozen=True, eq=False)
class MarkovCertificate:
    """How far policies are from an equilibrium of the stated concept, in payoff units.

    Each player's best response to the others' policies is computed as a Markov decision process of its own,
    apart from the solver.

    Attributes:
        concept: what the gap is measured in, in words.
        gap: the most any player could gain by deviating alone from any state on (and from any step on, in
            games with a horizon). An upper bound on it where the exact number is not known.
        gap_per_player: the same for every player, `[players]`.
        lower: a lower bound on the same quantity, so that the truth lies in `[lower, gap]`.
        nash_gap: the most any player could gain in the game itself, without risk or noise.
    """

    concept: str
    gap: float
    gap_per_player: Float[np.ndarray, " players"]
    lower: float
    nash_gap: float


@dataclass(frozen=True, eq=False)
class MarkovSolution:
    """Policies for every player of a Markov game, with the evidence for them.

    Attributes:
        game: the game that was solved.
        concept: the concept it was solved for.
        strategies: one array per player, `[S, A_i]` in a discounted game, `[H, S, A_i]` in a game with a
            horizon. For correlated concepts, the marginals.
        values: each player's value of every state at the first step, as the concept defines it,
            `[players, S]`. With a horizon `details["values"]` has all steps, `[H + 1, players, S]`.
        certificate: what players could gain by deviating, computed apart from the solver.
        converged: whether every stage reached its tolerance *and* the certificate agrees.
        iterations: linear solves, pivots or sweeps, whichever the solver counts.
        residual: largest violation of the solver's own equations, in payoff units.
        branch: which equilibrium is taken where a stage game may have several.
        status: what is known about uniqueness, in words.
        joint: for correlated concepts the law over joint actions, `[S, A_1, ..., A_n]` or
            `[H, S, A_1, ..., A_n]`; else None.
        details: whatever else the solver has to tell, by name.
    """

    game: MarkovGame
    concept: MarkovConcept
    strategies: tuple[Float[np.ndarray, ...], ...]
    values: Float[np.ndarray, "players states"]
    certificate: MarkovCertificate
    converged: bool
    iterations: int
    residual: float
    branch: str = ""
    status: str = ""
    joint: Float[np.ndarray, ...] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class MarkovConcept(Protocol):
    """A solution concept that knows how to find itself in a Markov game."""

    @property
    def name(self) -> str:
        """Name of the concept with its parameters, for tables."""
        ...

    def find_markov(self, game: MarkovGame) -> MarkovSolution:
        """Find the concept's policies; never raises for want of convergence, flags it instead."""
        ...


def find_markov(game: MarkovGame, concept: MarkovConcept) -> MarkovSolution:
    """Backward induction in a game with a horizon, a stationary solution in a discounted game."""
    if game.horizon is not None:
        from equipoise.equilibria.markov import backward_induction

        return backward_induction(game, concept)
    from equipoise.equilibria.markov_stationary import solve_stationary

    return solve_stationary(game, concept)
