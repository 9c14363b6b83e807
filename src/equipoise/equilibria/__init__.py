"""Solvers that know the game: a strategy for every player, with a certificate."""

from equipoise.equilibria._gaps import nash_gap
from equipoise.equilibria._markov_solution import MarkovCertificate, MarkovConcept, MarkovSolution
from equipoise.equilibria._solution import Certificate, Concept, NotConvergedError, Solution, solve
from equipoise.equilibria._stationary_certificate import StationaryCheck, certify_stationary
from equipoise.equilibria.batch import SolutionBatch, solve_batch
from equipoise.equilibria.behavioural import ActionSampling, ImpulseBalance, PayoffSampling
from equipoise.equilibria.compare import Comparison, compare_fits
from equipoise.equilibria.correlated import CoarseCorrelatedEquilibrium, CorrelatedEquilibrium
from equipoise.equilibria.coupled import Coupling, Trail, coupled_iteration
from equipoise.equilibria.derivatives import Derivatives, derivatives
from equipoise.equilibria.dynamics import AUTHORS_SETTINGS, Learning, Play, play
from equipoise.equilibria.fit import Fit, FitWarning, IdentificationWarning, fit
from equipoise.equilibria.markov_stationary import follow_noise, solve_stationary
from equipoise.equilibria.mixture_play import MixturePlay, product_play, pure_play
from equipoise.equilibria.multiplicity import EquilibriumSet, find_equilibria
from equipoise.equilibria.nash import Nash, all_nash_equilibria, pure_nash_equilibria
from equipoise.equilibria.qre import QRE
from equipoise.equilibria.rectangular import RectangularEquilibrium
from equipoise.equilibria.robust_evaluation import RobustEvaluation, robust_evaluation
from equipoise.equilibria.robust_games import RepresentationWarning, RobustCCE
from equipoise.equilibria.robust_mdp import RobustPolicy, RobustValue, robust_policy_value
from equipoise.equilibria.rqe import RQE
from equipoise.equilibria.security import Security
from equipoise.equilibria.shapley import shapley_iteration
from equipoise.equilibria.stackelberg import Stackelberg
from equipoise.equilibria.stage_iteration import stage_value_iteration
from equipoise.equilibria.trace import Bifurcation, Curve, Trace, trace
from equipoise.equilibria.uncertainty import Uncertainty
from equipoise.equilibria.uniqueness import Monotonicity, Uniqueness, monotonicity, uniqueness
from equipoise.equilibria.zero_sum import (
    MatrixValue,
    NashDistribution,
    SmoothedFixedPoint,
    exploring_distribution,
    lyapunov,
    markov_nash_gap,
    matrix_gap,
    matrix_value,
    nash_distribution,
    smoothed_fixed_point,
)

__all__ = [
    "AUTHORS_SETTINGS",
    "QRE",
    "RQE",
    "ActionSampling",
    "Bifurcation",
    "Certificate",
    "CoarseCorrelatedEquilibrium",
    "Comparison",
    "Concept",
    "CorrelatedEquilibrium",
    "Coupling",
    "Curve",
    "Derivatives",
    "EquilibriumSet",
    "Fit",
    "FitWarning",
    "IdentificationWarning",
    "ImpulseBalance",
    "Learning",
    "MarkovCertificate",
    "MarkovConcept",
    "MarkovSolution",
    "MatrixValue",
    "MixturePlay",
    "Monotonicity",
    "Nash",
    "NashDistribution",
    "NotConvergedError",
    "PayoffSampling",
    "Play",
    "RectangularEquilibrium",
    "RepresentationWarning",
    "RobustCCE",
    "RobustEvaluation",
    "RobustPolicy",
    "RobustValue",
    "Security",
    "SmoothedFixedPoint",
    "Solution",
    "SolutionBatch",
    "Stackelberg",
    "StationaryCheck",
    "Trace",
    "Trail",
    "Uncertainty",
    "Uniqueness",
    "all_nash_equilibria",
    "certify_stationary",
    "compare_fits",
    "coupled_iteration",
    "derivatives",
    "exploring_distribution",
    "find_equilibria",
    "fit",
    "follow_noise",
    "lyapunov",
    "markov_nash_gap",
    "matrix_gap",
    "matrix_value",
    "monotonicity",
    "nash_distribution",
    "nash_gap",
    "play",
    "product_play",
    "pure_nash_equilibria",
    "pure_play",
    "robust_evaluation",
    "robust_policy_value",
    "shapley_iteration",
    "smoothed_fixed_point",
    "solve",
    "solve_batch",
    "solve_stationary",
    "stage_value_iteration",
    "trace",
    "uniqueness",
]
