"""Learning from samples: learners, and the one loop that trains them all."""

from equipoise.learning._metrics import Logger
from equipoise.learning._protocol import Learner
from equipoise.learning.check import check_learner
from equipoise.learning.checkpoint import CheckpointError
from equipoise.learning.run import Run, summary
from equipoise.learning.tabular._smoothed_player import StepSizes, StepSizeWarning
from equipoise.learning.tabular.actor_critic import RQEActorCritic
from equipoise.learning.tabular.generative import GenerativeRQE, sample_bound
from equipoise.learning.tabular.payoff_based import (
    SmoothedBestResponse,
    UnvisitedStatesWarning,
    ValueIterationSBR,
    onlooker,
    probability_floor,
    theory_ratio,
)
from equipoise.learning.tabular.robust_ftrl import FewRoundsWarning, RobustQFTRL
from equipoise.learning.tabular.robust_plug_in import RobustNashVI
from equipoise.learning.training import TrainingDivergedError, load_run, train

LEARNERS: dict[str, str] = {
    "GenerativeRQE": "risk-averse quantal response equilibria from a generative model",
    "RQEActorCritic": "stationary risk-averse quantal response equilibria, by play",
    "RobustQFTRL": "robust coarse correlated equilibria with fictitious sets",
    "SmoothedBestResponse": "zero-sum matrix games, by players who see only their own payoffs",
    "ValueIterationSBR": "zero-sum Markov games, by players who see only their own payoffs",
}
"""Equipoise's own learners by class name, and what each one is, in a line."""

__all__ = [
    "LEARNERS",
    "CheckpointError",
    "FewRoundsWarning",
    "GenerativeRQE",
    "Learner",
    "Logger",
    "RQEActorCritic",
    "RobustNashVI",
    "RobustQFTRL",
    "Run",
    "SmoothedBestResponse",
    "StepSizeWarning",
    "StepSizes",
    "TrainingDivergedError",
    "UnvisitedStatesWarning",
    "ValueIterationSBR",
    "check_learner",
    "load_run",
    "onlooker",
    "probability_floor",
    "sample_bound",
    "summary",
    "theory_ratio",
    "train",
]
