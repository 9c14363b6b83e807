"""Solvers that know the game: a strategy for every player, with a certificate."""

from equipoise.equilibria._gaps import nash_gap
from equipoise.equilibria._solution import Certificate, Concept, NotConvergedError, Solution, solve
from equipoise.equilibria.behavioural import ActionSampling, ImpulseBalance, PayoffSampling
from equipoise.equilibria.correlated import CoarseCorrelatedEquilibrium, CorrelatedEquilibrium
from equipoise.equilibria.nash import Nash, all_nash_equilibria, pure_nash_equilibria
from equipoise.equilibria.security import Security
from equipoise.equilibria.stackelberg import Stackelberg

__all__ = [
    "ActionSampling",
    "Certificate",
    "CoarseCorrelatedEquilibrium",
    "Concept",
    "CorrelatedEquilibrium",
    "ImpulseBalance",
    "Nash",
    "NotConvergedError",
    "PayoffSampling",
    "Security",
    "Solution",
    "Stackelberg",
    "all_nash_equilibria",
    "nash_gap",
    "pure_nash_equilibria",
    "solve",
]
