"""Equipoise: strategies that stay good when the others, or the world, are not what was assumed.

The names below are all most users need. They load on first use, so that `import equipoise` is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from equipoise.equilibria import (
        QRE,
        RQE,
        ActionSampling,
        Certificate,
        CoarseCorrelatedEquilibrium,
        Comparison,
        CorrelatedEquilibrium,
        EquilibriumSet,
        Fit,
        ImpulseBalance,
        MarkovSolution,
        Nash,
        NotConvergedError,
        PayoffSampling,
        Security,
        Solution,
        SolutionBatch,
        Stackelberg,
        Trace,
        all_nash_equilibria,
        compare_fits,
        derivatives,
        find_equilibria,
        fit,
        solve,
        solve_batch,
        trace,
        uniqueness,
    )
    from equipoise.games import (
        MarkovGame,
        NormalFormGame,
        ObservedPlay,
        catalogue,
        check_game,
        load,
        load_choices,
        named_game,
        observed_play,
        save,
    )
    from equipoise.learning import Run, check_learner, load_run, train
    from equipoise.preferences import worst_case

__version__ = "0.1.0"

_HOMES = {
    "equilibria": (
        "QRE",
        "RQE",
        "ActionSampling",
        "Certificate",
        "CoarseCorrelatedEquilibrium",
        "Comparison",
        "CorrelatedEquilibrium",
        "EquilibriumSet",
        "Fit",
        "ImpulseBalance",
        "MarkovSolution",
        "Nash",
        "NotConvergedError",
        "PayoffSampling",
        "Security",
        "Solution",
        "SolutionBatch",
        "Stackelberg",
        "Trace",
        "all_nash_equilibria",
        "compare_fits",
        "derivatives",
        "find_equilibria",
        "fit",
        "solve",
        "solve_batch",
        "trace",
        "uniqueness",
    ),
    "games": (
        "MarkovGame",
        "NormalFormGame",
        "ObservedPlay",
        "catalogue",
        "check_game",
        "load",
        "load_choices",
        "named_game",
        "observed_play",
        "save",
    ),
    "learning": ("Run", "check_learner", "load_run", "train"),
    "preferences": ("worst_case",),
}
_HOME_OF = {name: room for room, names in _HOMES.items() for name in names}

__all__ = [
    "QRE",
    "RQE",
    "ActionSampling",
    "Certificate",
    "CoarseCorrelatedEquilibrium",
    "Comparison",
    "CorrelatedEquilibrium",
    "EquilibriumSet",
    "Fit",
    "ImpulseBalance",
    "MarkovGame",
    "MarkovSolution",
    "Nash",
    "NormalFormGame",
    "NotConvergedError",
    "ObservedPlay",
    "PayoffSampling",
    "Run",
    "Security",
    "Solution",
    "SolutionBatch",
    "Stackelberg",
    "Trace",
    "all_nash_equilibria",
    "catalogue",
    "check_game",
    "check_learner",
    "compare_fits",
    "derivatives",
    "find_equilibria",
    "fit",
    "load",
    "load_choices",
    "load_run",
    "named_game",
    "observed_play",
    "save",
    "solve",
    "solve_batch",
    "trace",
    "train",
    "uniqueness",
    "worst_case",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"equipoise has no {name!r}; it offers {', '.join(__all__)}")
    return getattr(import_module(f"equipoise.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
