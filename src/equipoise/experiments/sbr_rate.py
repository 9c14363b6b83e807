"""How fast independent smoothed best responses reach the Nash distribution of a matrix game.

Chen et al. prove that the last iterate's error falls as 1/k at a fixed noise; their constants are
astronomical. Here are observed exponents, at several noises, beside Exp3-IX and a variant with importance
weights.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from equipoise.equilibria.zero_sum import lyapunov, matrix_gap, nash_distribution
from equipoise.experiments._payoff import (
    SOURCE,
    Case,
    biased_rock_paper_scissors,
    follow,
    marks_up_to,
    matrix_pair,
    pennies,
    slope,
    smoothed,
    squared_distance,
    zero_sum,
)
from equipoise.experiments._payoff_peers import ExponentialPlayer
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.learning.tabular._uncoupled import world
from equipoise.learning.tabular.payoff_based import theory_ratio
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLAIN, WEIGHTED, PEER = "smoothed best response", "with importance weights (not the paper's)", "Exp3-IX"
CLEAR = 0.5  # noise from which on the rate can be expected within the moves made


@dataclass(frozen=True)
class Settings:
    """What is played.

    Attributes:
        noises: eps.
        moves: moves of a run.
        fit_from: moves from which on exponents are fitted.
        seeds: repetitions.
        random_games: number of random 3 by 4 games beside the named ones.
        clip: largest importance weight of the variant.
        seed: what everything is drawn from.
    """

    noises: tuple[float, ...] = (0.5, 0.3, 0.2, 0.1)
    moves: int = 20_000
    fit_from: int = 2_000
    seeds: int = 50
    random_games: int = 1
    clip: float = 10.0
    seed: int = 0


class Track(NamedTuple):
    """Means over seeds of one method at one noise, `[marks]` each.

    Attributes:
        error: squared distance to the Nash distribution.
        lyapunov: V_R.
        gap: exploitability.
        average_gap: exploitability of the mean strategies.
    """

    error: Float[np.ndarray, " marks"]
    lyapunov: Float[np.ndarray, " marks"]
    gap: Float[np.ndarray, " marks"]
    average_gap: Float[np.ndarray, " marks"]


Tracks = dict[tuple[str, float, str], Track]


def matrices(settings: Settings) -> dict[str, Float[np.ndarray, "rows columns"]]:
    """The games by name."""
    rng = np.random.default_rng(settings.seed)
    named = {
        "matching pennies": pennies(),
        "asymmetric pennies": pennies(0.3),
        "biased rock-paper-scissors": biased_rock_paper_scissors(),
    }
    drawn = {f"random 3 by 4, {k + 1}": rng.uniform(-1.0, 1.0, (3, 4)) for k in range(settings.random_games)}
    return named | drawn


def run(settings: Settings, progress: Progress) -> Result:
    """Play all games at all noises.

    Args:
        settings: games, noises, moves, seeds.
        progress: told how far it is.

    Returns:
        Errors and exponents, with the claims.
    """
    games = matrices(settings)
    marks = marks_up_to(settings.moves)
    tracks: Tracks = {}
    certified = True
    for k, (name, payoffs) in enumerate(games.items()):
        progress(k / len(games), f"sbr-rate: {name}")
        found, good = _measure(settings, payoffs, marks)
        tracks |= {(name, *key): track for key, track in found.items()}
        certified = certified and good
    progress(1.0, "sbr-rate")
    slopes = {
        key: slope(marks, track.error, settings.fit_from) for key, track in tracks.items() if key[2] == PLAIN
    }
    clear = [value for key, value in slopes.items() if key[1] >= CLEAR]
    small = [value for key, value in slopes.items() if key[1] < CLEAR]
    return Result(
        answer=(
            f"At noise {CLEAR} and more the squared distance to the Nash distribution falls with exponents "
            f"{min(clear):.2f} to {max(clear):.2f} (theory: -1). "
            + (
                f"At smaller noises with {min(small):.2f} to {max(small):.2f}: the rate sets in later. "
                if small
                else ""
            )
            + "Exploitability itself levels off at what the noise costs, for smoothed best responses; "
            "that of Exp3-IX's last iterate need not fall, though its average's does."
        ),
        tables={"rate": _table(settings, games, tracks, slopes)},
        pictures={
            "rate": Picture(
                lambda: _figure(settings, tuple(games), marks, tracks),
                "Squared distance to the Nash distribution against moves, mean over seeds. Dotted: 1/k.",
            )
        },
        claims=(
            Claim(
                "the last iterate reaches the Nash distribution at the rate 1/k",
                SOURCE,
                f"exponents {min(clear):.2f} to {max(clear):.2f} at noise {CLEAR} and more",
                bool(clear) and max(abs(value + 1.0) for value in clear) < 0.25,
            ),
            Claim(
                "exploitability ends below V_R + 2 eps log A",
                SOURCE,
                f"largest share of that bound {_share(games, tracks):.2f}",
                _share(games, tracks) <= 1.0,
            ),
        ),
        certified=certified,
    )


def _measure(
    settings: Settings, payoffs: Float[np.ndarray, "rows columns"], marks: list[int]
) -> tuple[dict[tuple[float, str], Track], bool]:
    place = world(zero_sum(payoffs))
    kinds = [(noise, kind) for noise in settings.noises for kind in (PLAIN, WEIGHTED)]
    cases: list[Case] = []
    for noise, kind in kinds:
        player = smoothed(noise, clip=0.0 if kind == PLAIN else settings.clip)
        cases.append((place, player, player))
    ours = follow(cases, marks, settings.seeds, settings.seed)
    peer = ExponentialPlayer(np.abs(payoffs).max())
    theirs = follow([(place, peer, peer)], marks, settings.seeds, settings.seed)
    tracks, good = {}, True
    for noise in settings.noises:
        exact = nash_distribution(payoffs, noise)
        good = good and bool(exact.converged)
        for trail, case, kind in (
            (ours, kinds.index((noise, PLAIN)), PLAIN),
            (ours, kinds.index((noise, WEIGHTED)), WEIGHTED),
            (theirs, 0, PEER),
        ):
            last = matrix_pair(trail.strategies, case)
            stack = np.broadcast_to(payoffs, (*last[0].shape[:2], *payoffs.shape))
            tracks[noise, kind] = Track(
                squared_distance(trail, case, exact.strategies).mean(1),
                lyapunov((stack, -stack), last, noise).mean(1),
                matrix_gap(stack, last).mean(1),
                matrix_gap(stack, matrix_pair(trail.averages, case)).mean(1),
            )
    return tracks, good


def _share(games: dict[str, np.ndarray], tracks: Tracks) -> float:
    return max(
        float((t.gap / (t.lyapunov + 2.0 * noise * np.log(max(games[name].shape)))).max())
        for (name, noise, kind), t in tracks.items()
        if kind != PEER
    )


def _table(
    settings: Settings,
    games: dict[str, np.ndarray],
    tracks: Tracks,
    slopes: dict[tuple[str, float, str], float],
) -> Table:
    rows = []
    for (name, noise, kind), track in tracks.items():
        ratio = theory_ratio(max(games[name].shape), noise, float(np.abs(games[name]).max()))
        rows.append(
            [
                name,
                noise,
                kind,
                f"{slopes[name, noise, kind]:.2f}" if kind == PLAIN else None,
                f"{track.error[-1]:.1e}",
                f"{track.lyapunov[-1]:.1e}",
                f"{track.gap[-1]:.3f}",
                f"{track.average_gap[-1]:.3f}",
                f"{ratio:.0e}" if kind == PLAIN else None,
            ]
        )
    return Table(
        ["game", "noise", "method", "exponent", "error", "V_R", "gap, last", "gap, average", "theory's c"],
        rows,
        f"After {settings.moves} moves, means over {settings.seeds} seeds; c = 0.05 was used. Exponents of "
        "the "
        f"squared distance from {settings.fit_from} moves on.",
    )


def _figure(settings: Settings, names: tuple[str, ...], marks: list[int], tracks: Tracks) -> Figure:
    from equipoise.reporting.style import PALETTE, canvas, headline, styled

    @styled
    def draw() -> Figure:
        shown = names[:4]
        figure, axes = canvas(2.9 * len(shown), 3.3, 1, len(shown))
        for ax, name in zip(axes, shown, strict=True):
            for k, noise in enumerate(settings.noises):
                ax.loglog(marks, tracks[name, noise, PLAIN].error, color=PALETTE[k], label=f"noise {noise:g}")
                ax.loglog(marks, tracks[name, noise, WEIGHTED].error, color=PALETTE[k], ls="--", lw=0.8)
            x = np.array([1_000.0, marks[-1]])
            ax.loglog(x, 0.1 * (x / x[0]) ** -1.0, color="0.5", ls=":")
            ax.set_title(name, fontsize=9)
            ax.set_xlabel("moves")
        axes[0].set_ylabel("squared distance")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
        headline(figure, "Solid: as published; dashed: with importance weights; dotted: 1/k")
        return figure

    return draw()


EXPERIMENT = Experiment(
    name="sbr-rate",
    question="How fast do players who see only their own payoffs reach the Nash distribution?",
    source=SOURCE,
    laptop=Settings(),
    full=replace(Settings(), moves=300_000, fit_from=3_000, seeds=200, random_games=20),
    run=run,
)
