"""What every solver returns: strategies, and a certificate computed apart from the solver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast, overload, runtime_checkable

import numpy as np
from jaxtyping import Float

from equipoise.equilibria._markov_solution import MarkovConcept, MarkovSolution
from equipoise.games.markov import MarkovGame
from equipoise.games.normal_form import NormalFormGame


@dataclass(frozen=True, eq=False)
class Certificate:
    """How far a profile is from an equilibrium of the stated concept, in payoff units.

    Attributes:
        concept: what the gap is measured in, in words ("logit QRE: regularised game").
        gap: exploitability, summed over players: how much they could gain by deviating alone, in the
            game the concept is defined on. An upper bound on it where the exact number is not known.
        gap_per_player: the players' own shares of `gap`, shape `[players]`.
        lower: a lower bound on the exploitability, so that the truth lies in `[lower, gap]`.
        nash_gap: exploitability of the same strategies in the game itself, without risk or noise.
    """

    concept: str
    gap: float
    gap_per_player: Float[np.ndarray, " players"]
    lower: float
    nash_gap: float


@dataclass(frozen=True, eq=False)
class Solution:
    """An answer to "how is this game played?", with the evidence for it.

    Attributes:
        game: the game that was solved.
        concept: the concept it was solved for.
        strategies: one array per player, `[actions]`. For correlated concepts, the marginals.
        values: each player's value as the concept defines it, `[players]`: the expected payoff, for
            risk-averse concepts the risk-adjusted and regularised one.
        certificate: exploitability of `strategies`, computed apart from the solver.
        converged: whether the solver reached its tolerance *and* the certificate agrees.
        iterations: linear solves, pivots or sweeps, whichever the solver counts.
        residual: largest violation of the solver's own equations, in payoff units.
        branch: which equilibrium this is when there may be several ("principal", "given start", ...).
        status: what is known about uniqueness, in words.
        joint: law over joint actions `[A_1, ..., A_n]` for correlated concepts, else None.
        details: whatever else the solver has to tell, by name.
    """

    game: NormalFormGame
    concept: Concept
    strategies: tuple[Float[np.ndarray, " _"], ...]
    values: Float[np.ndarray, " players"]
    certificate: Certificate
    converged: bool
    iterations: int
    residual: float
    branch: str = ""
    status: str = ""
    joint: Float[np.ndarray, ...] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Concept(Protocol):
    """A solution concept: a frozen record of its parameters that knows how to find itself."""

    @property
    def name(self) -> str:
        """Name of the concept with its parameters, for tables."""
        ...

    def find(self, game: NormalFormGame) -> Solution:
        """Find the concept's equilibrium; never raises for want of convergence, flags it instead."""
        ...


class NotConvergedError(RuntimeError):
    """A solver stopped short of its tolerance; the best answer it had is in `solution`."""

    def __init__(self, solution: Solution | MarkovSolution):
        self.solution = solution
        super().__init__(
            f"{solution.concept.name} did not converge on {solution.game.title or 'the game'}: after "
            f"{solution.iterations} iterations the residual is {solution.residual:.3g} and the certified "
            f"gap {solution.certificate.gap:.3g}. {solution.status} The best answer is in `.solution` of "
            "this error; solve(..., throw=False) returns it flagged."
        )


@overload
def solve(game: NormalFormGame, concept: Concept, *, throw: bool = True) -> Solution: ...
@overload
def solve(game: MarkovGame, concept: MarkovConcept, *, throw: bool = True) -> MarkovSolution: ...
def solve(
    game: NormalFormGame | MarkovGame, concept: Concept | MarkovConcept, *, throw: bool = True
) -> Solution | MarkovSolution:
    """Solve a game for a solution concept.

    Args:
        game: a game in normal form, or a Markov game.
        concept: what to solve for, for example `RQE(risk_aversion=1.0, bounded_rationality=0.5)`.
        throw: raise when the solver does not reach its tolerance. With False the best answer is
            returned with `converged=False`.

    Returns:
        The solution with its certificate: policies for every state in a Markov game.

    Raises:
        NotConvergedError: the tolerance was not reached and `throw` is True.
        TypeError: `game` or `concept` is not one, or the concept is not defined for Markov games.
        ValueError: the concept cannot be asked of this game; the message says why.
    """
    if not isinstance(game, NormalFormGame | MarkovGame):
        raise TypeError(
            f"game must be a NormalFormGame or MarkovGame, not {type(game).__name__}; wrap payoff arrays "
            "with NormalFormGame([R1, R2])"
        )
    # Protocols are checked by their names alone: isinstance would take longer than solving a small game.
    static, markov = hasattr(concept, "find"), hasattr(concept, "find_markov")
    if isinstance(concept, type) or not (static or markov) or not hasattr(concept, "name"):
        shown = concept.__name__ if isinstance(concept, type) else type(concept).__name__
        raise TypeError(
            "concept must be an instance such as RQE(risk_aversion=1.0, bounded_rationality=0.5), not "
            f"{shown}"
        )
    solution: Solution | MarkovSolution
    if isinstance(game, MarkovGame):
        if not markov:
            raise TypeError(f"{concept.name} is not defined for Markov games; use RQE, QRE or Nash, say")
        solution = cast(MarkovConcept, concept).find_markov(game)
    else:
        if not static:
            raise TypeError(f"{concept.name} is defined for Markov games only, not for games in normal form")
        solution = cast(Concept, concept).find(game)
    if throw and not solution.converged:
        raise NotConvergedError(solution)
    return solution
