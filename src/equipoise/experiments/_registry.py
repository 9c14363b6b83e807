"""Which experiments there are."""

from __future__ import annotations

from importlib import import_module

from equipoise.experiments._record import Experiment

NAMES = (
    "human-play",
    "tractable-region",
    "out-of-sample",
    "convergence",
    "multiplicity",
    "cliff-walk",
    "generative-model",
    "actor-critic-rates",
    "actor-critic-sampled",
    "inspection",
    "cooperation-grid",
    "robust-operators",
    "robust-ftrl-rounds",
    "robust-ftrl-samples",
    "robust-ftrl-agents",
    "robust-ftrl-radius",
    "fictitious-price",
    "fictitious-worth",
    "sbr-rate",
    "sbr-constant-step",
    "sbr-exploration",
    "vi-sbr",
    "vi-sbr-collapse",
    "sbr-rationality",
    "vi-sbr-mixing",
)


def experiment(name: str) -> Experiment:
    """The experiment of a name.

    Args:
        name: one of `NAMES`.

    Returns:
        The experiment, ready to run.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in NAMES:
        raise ValueError(f"there is no experiment {name!r}; there are {', '.join(NAMES)}")
    found: Experiment = import_module(f"equipoise.experiments.{name.replace('-', '_')}").EXPERIMENT
    return found
