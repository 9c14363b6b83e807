"""How many samples a round of Robust-Q-FTRL needs, and the bias that makes one too few.

A worst case is convex in the law, so that the worst case of an empirical law is too large on average: by
order N^(-1/2) where the mass above some value equals the radius (a kink), far less elsewhere. Without doubt
there is no bias and N = 1 would do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from equipoise.equilibria import Uncertainty, robust_evaluation
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.experiments._robust import PAPER, RADII, exact_play, slope, toys
from equipoise.learning import RobustQFTRL, train
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAW, VALUES = np.array([0.2, 0.3, 0.5]), np.array([0.0, 0.6, 1.0])
PLACES = {"at a kink": 0.5, "off kinks": 0.25}
PLUG_IN, CORRECTED = "plug-in", "half samples"
EXACT = "exact expectations"


@dataclass(frozen=True)
class Settings:
    """How much.

    Attributes:
        samples: samples N per round, even numbers.
        corrected: learn with corrected bias too.
        rounds: rounds K.
        seeds: independent runs.
        bias_samples: samples N for the bias of one worst case, even numbers.
        seed: what all is drawn from.
    """

    samples: tuple[int, ...] = (2, 8, 32)
    corrected: bool = False
    rounds: int = 200
    seeds: int = 4
    bias_samples: tuple[int, ...] = (2, 4, 8, 16, 32, 64, 128, 256, 512)
    seed: int = 0


def run(settings: Settings, progress: Progress) -> Result:
    """Learn with every N, and measure the bias of one worst case by itself.

    Args:
        settings: how much.
        progress: told how far it is.

    Returns:
        Gaps and errors of values against N, biases against N, claims.
    """
    biases = {place: _bias(settings, radius) for place, radius in PLACES.items()}
    rows: list[list[object]] = []
    errors: dict[str, dict[str, list[float]]] = {}
    work = 2 * len(settings.samples)
    for name, game in toys().items():
        doubt = Uncertainty(list(RADII[name]))
        limit = robust_evaluation(game, exact_play(game, RADII[name], settings.rounds), doubt)
        rows.append([name, EXACT, None, limit.gap, 0.0, 0.0, None])
        curves: dict[str, list[float]] = {PLUG_IN: [], CORRECTED: []}
        for count in settings.samples:
            for kind, correct in ((PLUG_IN, False), (CORRECTED, True))[: 1 + settings.corrected]:
                learner = RobustQFTRL(RADII[name], settings.rounds, count, correct_bias=correct)
                steps = learner.updates(game) * learner.samples_per_update(game)
                done = train(learner, game, steps=steps, seeds=settings.seeds, seed=settings.seed)
                found = [
                    robust_evaluation(game, learner.play(game, done.states, k), doubt)
                    for k in range(settings.seeds)
                ]
                over = np.stack([done.states.values[k, 0] - one.values[0] for k, one in enumerate(found)])
                rows.append(
                    [
                        name,
                        f"N = {count}, {kind}",
                        steps,
                        float(np.mean([one.gap for one in found])),
                        float(over.mean()),
                        float(np.abs(over).max(axis=(1, 2)).mean()),
                        float(done.metrics["plug_in_bias"].mean()),
                    ]
                )
                curves[kind].append(float(np.abs(over).max(axis=(1, 2)).mean()))
            progress((len(errors) * len(settings.samples) + len(curves[PLUG_IN])) / work, f"samples: {name}")
        errors[name] = curves
    numbers = np.array(settings.bias_samples)
    powers = {"at a kink": slope(numbers[3:], biases["at a kink"][PLUG_IN][3:])}
    share = abs(biases["off kinks"][PLUG_IN][-1] / biases["at a kink"][PLUG_IN][-1])
    helped = biases["at a kink"][CORRECTED][-1] / biases["at a kink"][PLUG_IN][-1]
    samples = np.array(settings.samples, float)
    learnt = {name: slope(samples, np.array(curves[PLUG_IN])) for name, curves in errors.items()}
    return Result(
        answer=(
            f"The bias of one worst case falls as N to the power {powers['at a kink']:.2f} at a kink and "
            f"much faster off kinks ({share:.1g} of it at N = {numbers[-1]}); "
            f"half samples leave {100 * helped:.0f} % of it at the kink. "
            "Robust-Q-FTRL's error about its own values falls as N to the power "
            f"{learnt['toy-2']:.2f} (Toy-2) and {learnt['toy-3']:.2f} (Toy-3), while its gap "
            "comes close to that of exact expectations with few samples, because rounds average the noise."
        ),
        tables={
            "samples": Table(
                [
                    "game",
                    "samples per round",
                    "calls",
                    "gap",
                    "mean error of values",
                    "largest error of values",
                    "bias estimate",
                ],
                rows,
                f"K = {settings.rounds}, mean over {settings.seeds} seeds; values at the first step",
            ),
            "bias": Table(
                ["place", "estimate", *(f"N = {n}" for n in numbers)],
                [
                    [place, kind, *map(float, curve)]
                    for place, curves in biases.items()
                    for kind, curve in curves.items()
                ],
                "Bias of one worst case (masses .2, .3, .5 on values 0, .6, 1)",
                digits=3,
            ),
        },
        pictures={
            "bias": Picture(
                lambda: _figure(numbers, biases),
                "Upward bias of a worst case of an empirical law of N draws, where the radius equals the "
                "mass above a value (kink) and where it does not.",
            )
        },
        claims=(
            Claim(
                "the plug-in worst case is biased upwards, by N^(-1/2) at a kink and less elsewhere",
                "ours",
                f"at the kink power {powers['at a kink']:.3f}; off kinks {share:.1g} of that bias at N = "
                f"{numbers[-1]}",
                bool(abs(powers["at a kink"] + 0.5) < 0.05 and share < 0.01),
            ),
            Claim(
                "errors fall with N as N ~ 1/accuracy^2 says, or faster",
                PAPER,
                ", ".join(f"{name}: power {value:.2f}" for name, value in learnt.items()),
                bool(max(learnt.values()) < -0.4),
            ),
        ),
        certified=True,
    )


def _bias(settings: Settings, radius: float) -> dict[str, Float[np.ndarray, " numbers"]]:
    """Expected worst case of an empirical law minus the true one, exactly, for both estimates.

    Half samples subtract the mean excess of the halves' worst cases over that of the whole.
    """
    true = float(Uncertainty(radius).worst(LAW, VALUES).value)
    plain = {n: _expected(n, radius) - true for m in settings.bias_samples for n in (m, m // 2)}
    return {
        PLUG_IN: np.array([plain[n] for n in settings.bias_samples]),
        CORRECTED: np.array([2 * plain[n] - plain[n // 2] for n in settings.bias_samples]),
    }


def _expected(count: int, radius: float) -> float:
    """Expected worst case of the empirical law of so many draws, over all ways they can fall."""
    from scipy.stats import multinomial

    first, second = np.meshgrid(np.arange(count + 1), np.arange(count + 1))
    kept = first + second <= count
    counts = np.stack([first[kept], second[kept], count - first[kept] - second[kept]], axis=1)
    worst = Uncertainty(radius).worst(counts / count, VALUES).value
    return float(multinomial.pmf(counts, count, LAW) @ worst)


def _figure(numbers: np.ndarray, biases: dict[str, dict[str, np.ndarray]]) -> Figure:
    from equipoise.reporting.figures import convergence

    curves = {
        f"{place}, {kind}": (numbers, np.where(curve > 1e-6, curve, np.nan))
        for place, curves in biases.items()
        for kind, curve in curves.items()
        if (curve > 1e-6).sum() > 1  # off kinks half samples correct too much, by less and less
    }
    return convergence(
        curves, xlabel="samples N", ylabel="bias of the worst case", slopes={"N^(-1/2)": -0.5, "1/N": -1.0}
    )


EXPERIMENT = Experiment(
    name="robust-ftrl-samples",
    question="How many samples does a round of Robust-Q-FTRL need?",
    source=PAPER,
    laptop=Settings(),
    full=Settings(samples=(2, 8, 32, 128, 512, 1024), corrected=True, rounds=3000, seeds=20),
    run=run,
)
