"""Value iteration with smoothed best responses in zero-sum Markov games, round by round.

Chen et al. bound the exploitability by a sum of four terms: what value iteration has not yet contracted, what
the players have not yet learnt, what their samples scatter, and what the noise costs. All four are measured
apart here, for two sizes of c and with and without exploration.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from equipoise.equilibria import Nash, solve
from equipoise.equilibria.zero_sum import markov_nash_gap, smoothed_fixed_point
from equipoise.experiments._payoff import FLOOR, SOURCE, Case, Trail, follow_rounds, smoothed
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.games import MarkovGame, random_markov_game
from equipoise.learning.tabular._smoothed_player import StepSizes
from equipoise.learning.tabular._uncoupled import world
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Settings:
    """What is played.

    Attributes:
        noise: eps.
        discounts: one random game for each.
        ratios: c.
        explorations: zeta.
        states, actions: size of the games.
        rounds: outer rounds T.
        moves: moves K of each.
        seeds: repetitions.
        seed: what everything is drawn from.
    """

    noise: float = 0.2
    discounts: tuple[float, ...] = (0.5, 0.9)
    ratios: tuple[float, ...] = (0.02, 0.1)
    explorations: tuple[float, ...] = (0.0, 0.1)
    states: int = 3
    actions: int = 2
    rounds: int = 8
    moves: int = 5_000
    seeds: int = 20
    seed: int = 0


class Outcome(NamedTuple):
    """One game with one pair of c and zeta; means over seeds, `[rounds]`.

    Attributes:
        gap: exploitability, summed over players.
        error: largest error of a value against the smoothed fixed point.
        total: largest |v_1 + v_2|.
        bias: exploitability of the smoothed fixed point itself.
        shift: largest distance of its values to the game's.
        stale: largest weight of an estimate's starting point in the last round.
        certified: whether both exact answers converged.
    """

    gap: Float[np.ndarray, " rounds"]
    error: Float[np.ndarray, " rounds"]
    total: Float[np.ndarray, " rounds"]
    bias: float
    shift: float
    stale: float
    certified: bool


def judge(game: MarkovGame, trail: Trail, case: int, noise: float | int, exploration: float | int) -> Outcome:
    """Measure one case of a trail of rounds against the exact answers.

    Args:
        game: the game.
        trail: from `follow_rounds`.
        case: which case.
        noise: eps of the case.
        exploration: zeta of the case.
    """
    fixed = smoothed_fixed_point(game, noise, exploration)
    exact = solve(game, Nash(), throw=False)
    pair = (trail.strategies[0][:, case], trail.strategies[1][:, case])
    values = [(p * q[:, case]).sum(-1) for p, q in zip(pair, trail.estimates, strict=True)]
    stale = [part[-1, case].max() for part in trail.start_weight if part is not None]
    return Outcome(
        markov_nash_gap(game, pair).sum(-1).mean(1),
        np.abs(values[0] - fixed.values).max(-1).mean(1),
        np.abs(values[0] + values[1]).max(-1).mean(1),
        float(markov_nash_gap(game, fixed.strategies).sum()),
        float(np.abs(fixed.values - exact.values[0]).max()),
        float(max(stale)),
        fixed.converged and exact.converged,
    )


def run(settings: Settings, progress: Progress) -> Result:
    """Play all games with all c and zeta.

    Args:
        settings: games, noise, rounds, moves, seeds.
        progress: told how far it is.

    Returns:
        Errors by round and at the end, with the claims.
    """
    progress(0.0, "vi-sbr")
    shape = settings.states, settings.actions
    games = {}
    for gamma in settings.discounts:
        rng = np.random.default_rng(settings.seed)
        games[gamma] = random_markov_game(*shape, discount=gamma, zero_sum=True, floor=FLOOR, rng=rng)
    keys = list(product(settings.discounts, settings.ratios, settings.explorations))
    cases: list[Case] = []
    for gamma, c, zeta in keys:
        player = smoothed(settings.noise, zeta, StepSizes(c))
        cases.append((world(games[gamma]), player, player))
    trail = follow_rounds(cases, settings.rounds, settings.moves, settings.seeds, settings.seed)
    progress(0.8, "vi-sbr: exact answers")
    found = {key: judge(games[key[0]], trail, k, settings.noise, key[2]) for k, key in enumerate(keys)}
    progress(1.0, "vi-sbr")
    longest = max(settings.discounts)
    ends = [one.error[-1] * (1.0 - gamma) for (gamma, _, _), one in found.items()]
    biased = []
    for (gamma, _, zeta), one in found.items():
        # In every state payoffs are at most 1/(1 - gamma) in size, and losses add up over time.
        stage = 2.0 * settings.noise * np.log(settings.actions) + 4.0 * zeta / (1.0 - gamma)
        biased.append(one.bias * (1.0 - gamma) / stage)
    falls = [one.error[-1] / one.error[0] for (gamma, _, _), one in found.items() if gamma == longest]
    sums = [one.total[-1] * (1.0 - gamma) for (gamma, _, _), one in found.items()]
    return Result(
        answer=(
            f"After {settings.rounds} rounds values are within {min(ends):.3f} to {max(ends):.3f} of the "
            "smoothed "
            "fixed point, as a share of the largest possible value; both players' values add up to zero "
            "within "
            f"{max(sums):.3f}. What is left of the exploitability is mostly what noise and exploration cost "
            "even at that fixed point, so it must not be read as an error of learning."
        ),
        tables={"end": _table(settings, found)},
        pictures={
            "rounds": Picture(
                lambda: _figure(settings, found),
                "By rounds: error of values against the smoothed fixed point (solid) and |v_1 + v_2| "
                "(dashed).",
            )
        },
        claims=(
            Claim(
                "outer rounds contract by the discount until samples limit the error",
                SOURCE,
                f"discount {longest:g}: to {min(falls):.2f} to {max(falls):.2f} of the first round's error, "
                f"the discount to the power of {settings.rounds - 1} is "
                f"{longest ** (settings.rounds - 1):.2f}",
                bool(max(falls) < 2.0 * longest ** (settings.rounds - 1)),
            ),
            Claim(
                "both players' values add up to zero in the end",
                SOURCE,
                f"at most {max(sums):.3f} of the largest possible value",
                bool(max(sums) < 0.1),
            ),
            Claim(
                "at the fixed point, noise and exploration cost at most "
                "(eps (log A_1 + log A_2) + 4 zeta/(1 - gamma))/(1 - gamma)",
                "our derivation",
                f"at most {max(biased):.2f} of it",
                bool(max(biased) <= 1.0),
            ),
        ),
        certified=all(one.certified for one in found.values()),
    )


Found = dict[tuple[float, float, float], Outcome]


def _table(settings: Settings, found: Found) -> Table:
    rows = [
        [gamma, c, zeta, one.gap[-1], one.bias, one.error[-1], one.shift, one.total[-1], one.stale]
        for (gamma, c, zeta), one in found.items()
    ]
    return Table(
        [
            "discount",
            "c",
            "exploration",
            "gap",
            "gap of fixed point",
            "value error",
            "fixed point to value",
            "|v_1 + v_2|",
            "weight of start",
        ],
        rows,
        f"Noise {settings.noise:g}, after {settings.rounds} rounds of {settings.moves} moves, means over "
        f"{settings.seeds} seeds (the weight: the largest).",
    )


def _figure(settings: Settings, found: Found) -> Figure:
    from equipoise.reporting.style import PALETTE, canvas, headline, styled

    @styled
    def draw() -> Figure:
        count = len(settings.discounts)
        figure, axes = canvas(3.6 * count, 3.6, 1, count)
        for ax, gamma in zip(axes, settings.discounts, strict=True):
            own = [(key, one) for key, one in found.items() if key[0] == gamma]
            for k, ((_, c, zeta), one) in enumerate(own):
                x = np.arange(1, settings.rounds + 1)
                ax.semilogy(x, one.error, color=PALETTE[k], label=f"c = {c:g}, exploration {zeta:g}")
                ax.semilogy(x, one.total, color=PALETTE[k], ls="--", lw=0.9)
            ax.set_title(f"discount {gamma:g}", fontsize=9)
            ax.set_xlabel("round")
        axes[0].set_ylabel("payoff units")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
        headline(figure, "Value iteration by play: error (solid), |v_1 + v_2| (dashed)")
        return figure

    return draw()


EXPERIMENT = Experiment(
    name="vi-sbr",
    question="What do two players who see only their own payoffs reach in a zero-sum Markov game?",
    source=SOURCE,
    laptop=Settings(),
    full=replace(Settings(), moves=100_000, seeds=100, states=10, actions=3, rounds=20),
    run=run,
)
