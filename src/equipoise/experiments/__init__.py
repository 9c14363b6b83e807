"""Published results, rerun: each with its settings, its tables and figures, and a verdict on every claim."""

from equipoise.experiments._record import Claim, Experiment, Picture, Result, silent
from equipoise.experiments._registry import NAMES, experiment
from equipoise.experiments._write import add_to, report, to_dict, write

__all__ = [
    "NAMES",
    "Claim",
    "Experiment",
    "Picture",
    "Result",
    "add_to",
    "experiment",
    "report",
    "silent",
    "to_dict",
    "write",
]
