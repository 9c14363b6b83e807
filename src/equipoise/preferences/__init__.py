"""How a player judges risk: divergences, regularizers and the risk measures built from them."""

from equipoise.preferences.divergences import (
    KL,
    L1,
    ChiSquare,
    CressieRead,
    CVaR,
    Divergence,
    ReverseKL,
    TotalVariation,
    divergence,
)
from equipoise.preferences.regularizers import (
    LOG_BARRIER,
    NEGATIVE_ENTROPY,
    SQUARED_NORM,
    LogBarrier,
    NegativeEntropy,
    Regularizer,
    SquaredNorm,
    regularizer,
)
from equipoise.preferences.risk import RiskMeasure, entropic
from equipoise.preferences.worst_case import WorstCase, worst_case

__all__ = [
    "KL",
    "L1",
    "LOG_BARRIER",
    "NEGATIVE_ENTROPY",
    "SQUARED_NORM",
    "CVaR",
    "ChiSquare",
    "CressieRead",
    "Divergence",
    "LogBarrier",
    "NegativeEntropy",
    "Regularizer",
    "ReverseKL",
    "RiskMeasure",
    "SquaredNorm",
    "TotalVariation",
    "WorstCase",
    "divergence",
    "entropic",
    "regularizer",
    "worst_case",
]
