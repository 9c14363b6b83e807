"""How many equilibria there are as risk aversion grows.

Two symmetric games and random games of common interest, for every pair of penalty and regularizer. In the
free-riding game of Qu, Zhang, Lanzetti and Mazumdar (2026) a project succeeds if anyone collaborates; without
risk aversion either player may leave it to the other, and the three equilibria merge in a pitchfork.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from equipoise.equilibria import RQE, Trace, trace
from equipoise.equilibria.uniqueness import COLLAPSE, MONOTONE, MONOTONE_TANGENT, covered_pair
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.games import NormalFormGame, named_game, random_coordination
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SRPO = "Qu, Zhang, Lanzetti and Mazumdar (2026), arXiv 2602.21515"
PAIRS = {
    ("kl", "entropy"): "KL + entropy",
    ("reverse_kl", "entropy"): "reverse KL + entropy",
    ("kl", "log_barrier"): "KL + log-barrier",
    ("reverse_kl", "log_barrier"): "reverse KL + log-barrier",
}
Pair = tuple[str, str]
CONDITIONS = {
    "no-regret play finds it: ετ = 1": COLLAPSE,
    "monotone: ετ = 1/4": MONOTONE,
    "monotone on the simplex: ετ = 1/8": MONOTONE_TANGENT,
}
LEAST = 2e-3  # smallest product of bounded rationality and risk aversion


@dataclass(frozen=True)
class Settings:
    """What is traced.

    Attributes:
        entropy_noise: bounded rationality with the entropy.
        barrier_noise: with the log-barrier, which is noisier at the same number.
        largest: product of bounded rationality and risk aversion up to which branches are followed.
        games: number of random games of common interest.
        actions: their number of actions.
        seed: what they are drawn from.
    """

    entropy_noise: float = 0.2
    barrier_noise: float = 0.05
    largest: float = 1.25
    games: int = 12
    actions: int = 3
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Count:
    """Number of equilibria of random games along the product of bounded rationality and risk aversion.

    Attributes:
        products: where they are counted, `[points]`.
        numbers: how many, `[games, points]`.
        last: the product beyond which each game has one equilibrium, `[games]`; 0 where that is always so.
    """

    products: Float[np.ndarray, " points"]
    numbers: Int[np.ndarray, "games points"]
    last: Float[np.ndarray, " games"]


def run(settings: Settings, progress: Progress) -> Result:
    """Trace all branches in the named and the random games.

    Args:
        settings: noise, range and number of random games.
        progress: told how far it is.

    Returns:
        Where equilibria merge, how many there are, bifurcation diagrams, the claims.
    """
    games = {key: named_game(key) for key in ("collaborate-or-defect", "stag-hunt")}
    work = len(PAIRS) * (len(games) + settings.games)
    done = 0

    def follow(game: NormalFormGame, pair: Pair, what: str) -> Trace:
        nonlocal done
        done += 1
        progress(done / work, f"multiplicity: {what}")
        noise = _noise(settings, pair)
        return trace(
            game,
            RQE(1.0, noise, *pair),
            "risk_aversion",
            LEAST / noise,
            settings.largest / noise,
            every=0.005,
        )

    traces = {
        (key, pair): follow(game, pair, game.title or key) for key, game in games.items() for pair in PAIRS
    }
    rng = np.random.default_rng(settings.seed)
    drawn = [random_coordination((settings.actions, settings.actions), rng) for _ in range(settings.games)]
    random = {
        pair: [follow(game, pair, f"random games, {name}") for game in drawn] for pair, name in PAIRS.items()
    }
    counts = {pair: count(random[pair], settings, _noise(settings, pair)) for pair in PAIRS}
    exact = pitchfork(settings.entropy_noise)
    everything = [*traces.values(), *(t for some in random.values() for t in some)]
    return Result(
        answer=_answer(settings, traces, counts, exact),
        tables={
            "merging": _merging_table(settings, traces),
            "random-games": _count_table(settings, counts),
        },
        pictures={
            "collaborate-or-defect": Picture(
                lambda: _diagram(settings, traces, "collaborate-or-defect", "probability of collaborating"),
                "Free-riding game: every equilibrium's probability that the row player collaborates, against "
                "risk aversion (times bounded rationality, which makes the theorems' conditions the same in "
                "all panels). Circles: where equilibria merge. Grey lines: where uniqueness is proved; for "
                "KL with the entropy nowhere.",
            ),
            "stag-hunt": Picture(
                lambda: _diagram(settings, traces, "stag-hunt", "probability of stag"),
                "Stag hunt: the risky equilibrium disappears in a fold as risk aversion grows.",
            ),
            "random-games": Picture(
                lambda: _count_figure(counts),
                f"Mean number of equilibria of {settings.games} random {settings.actions}x{settings.actions} "
                "games of common interest (standard normal payoffs) against risk aversion.",
            ),
        },
        claims=_claims(settings, traces, counts, exact),
        certified=all(one.complete for one in everything),
    )


def pitchfork(noise: float, cost: float = 0.4) -> float:
    """Risk aversion at which the equilibria of the free-riding game merge, for KL with the entropy.

    With own and the other's probability a of collaborating and the adversary's p, the symmetric equilibrium
    solves logit p = logit a - tau (1 - a) and eps logit a = 1 - cost - p; there the response to the other has
    slope -1 where eps = p (1 - p) (1 - tau a (1 - a)). Both conditions are solved for a and tau.

    Args:
        noise: bounded rationality eps.
        cost: what collaborating costs.

    Returns:
        The risk aversion tau.
    """
    from scipy.optimize import brentq

    def state(a: float) -> tuple[float, float]:
        """Adversary's p and the risk aversion that makes a symmetric equilibrium of a."""
        logit = np.log(a / (1.0 - a))
        p = 1.0 - cost - noise * logit
        return p, (logit - np.log(p / (1.0 - p))) / (1.0 - a)

    def excess(a: float) -> float:
        p, tau = state(a)
        return float(p * (1.0 - p) * (1.0 - tau * a * (1.0 - a)) - noise)

    # p lies between 0 and 1 where the logit of a lies between these.
    low, high = (1.0 / (1.0 + np.exp(-logit)) for logit in (1e-9 - cost / noise, (1.0 - cost) / noise - 1e-9))
    neutral = brentq(lambda a: state(a)[1], low, high)
    return float(state(brentq(excess, neutral, high, xtol=1e-14))[1])


def count(traces: Sequence[Trace], settings: Settings, noise: float) -> Count:
    """How many equilibria each game has along the range.

    Args:
        traces: all branches of every game.
        settings: the range.
        noise: bounded rationality of the traces.

    Returns:
        The numbers, and where the last bifurcation lies.
    """
    # A little inside the range, where every branch still has points on both sides.
    products = np.geomspace(1.01 * LEAST, 0.99 * settings.largest, 200)
    numbers = np.zeros((len(traces), len(products)), dtype=int)
    last = np.zeros(len(traces))
    for k, one in enumerate(traces):
        for curve in one.curves:
            x = noise * curve.parameter
            # A branch that folds passes the same parameter several times.
            numbers[k] += ((x[:-1, None] <= products) != (x[1:, None] <= products)).sum(axis=0)
        if one.bifurcations:
            last[k] = noise * max(b.parameter for b in one.bifurcations)
    return Count(products, numbers, last)


def _noise(settings: Settings, pair: Pair) -> float:
    return settings.entropy_noise if pair[1] == "entropy" else settings.barrier_noise


def _conditions(pair: Pair) -> dict[str, float]:
    """Products of bounded rationality and risk aversion beyond which uniqueness is proved, by name."""
    if not covered_pair(RQE(1.0, 1.0, *pair), 2):
        return {}
    levels = {name: 1.0 / bound for name, bound in CONDITIONS.items()}
    if pair[1] != "log_barrier":
        levels = {name: level for name, level in levels.items() if "simplex" not in name}
    return levels


def _last(one: Trace) -> float:
    return max((b.parameter for b in one.bifurcations), default=0.0)


def _merging_table(settings: Settings, traces: dict[tuple[str, Pair], Trace]) -> Table:
    rows: list[list[object]] = []
    for (_, pair), one in traces.items():
        noise, tau = _noise(settings, pair), _last(one)
        proved = min(_conditions(pair).values(), default=None)
        rows.append(
            [
                one.game.title,
                PAIRS[pair],
                noise,
                max(count([one], settings, noise).numbers[0]),
                round(tau, 8) if tau else None,
                ", ".join(
                    dict.fromkeys({"crossing": "pitchfork"}.get(b.kind, b.kind) for b in one.bifurcations)
                )
                or None,
                None if proved is None else proved / noise,
            ]
        )
    return Table(
        ["game", "pair", "ε", "equilibria at most", "one beyond τ =", "they merge in a", "proved beyond τ ="],
        rows,
        "Risk aversion at which several equilibria become one, and beyond which a theorem says so",
    )


def _count_table(settings: Settings, counts: dict[Pair, Count]) -> Table:
    rows = [
        [
            PAIRS[pair],
            _noise(settings, pair),
            int((one.numbers.max(axis=1) > 1).sum()),
            int(one.numbers.max()),
            float(np.median(one.last[one.last > 0])) if (one.last > 0).any() else None,
            float(one.last.max()) or None,
            min(_conditions(pair).values(), default=None),
        ]
        for pair, one in counts.items()
    ]
    return Table(
        [
            "pair",
            "ε",
            "games with several",
            "most",
            "median last ετ",
            "largest last ετ",
            "proved beyond ετ =",
        ],
        rows,
        f"{settings.games} random games of common interest: products ετ at the last bifurcation",
    )


def _answer(
    settings: Settings, traces: dict[tuple[str, Pair], Trace], counts: dict[Pair, Count], exact: float
) -> str:
    free = traces["collaborate-or-defect", ("kl", "entropy")]
    gap = min(
        level / (_noise(settings, pair) * _last(traces[key, pair]))
        for key, pair in traces
        if _last(traces[key, pair])
        for level in [min(_conditions(pair).values(), default=np.inf)]
    )
    uncovered = counts["kl", "entropy"]
    mean = uncovered.numbers.mean(axis=0)
    return (
        f"In the free-riding game (ε = {settings.entropy_noise:g}, KL with entropy) three equilibria merge "
        f"in a pitchfork at τ = {_last(free):.5f}; the closed form says {exact:.5f}. In the two named games "
        f"the equilibrium of every covered pair is unique at least {gap:.1f} times earlier than the theorems "
        "promise. For KL with entropy, which no theorem covers, risk aversion can also create equilibria: in "
        f"random games their mean number is {mean[0]:.1f} at the smallest ετ, {mean.max():.1f} at ετ = "
        f"{uncovered.products[mean.argmax()]:.2g}, and 1 beyond {uncovered.last.max():.2g}."
    )


def _claims(
    settings: Settings, traces: dict[tuple[str, Pair], Trace], counts: dict[Pair, Count], exact: float
) -> tuple[Claim, ...]:
    free = traces["collaborate-or-defect", ("kl", "entropy")]
    principal = free.curves[0]
    beyond = principal.strategies[0][principal.parameter > _last(free), 0]
    number = count([free], settings, settings.entropy_noise).numbers[0]
    hunt = traces["stag-hunt", ("kl", "entropy")]
    hunted = count([hunt], settings, settings.entropy_noise).numbers[0]
    broken = [
        f"{one.game.title}, {PAIRS[pair]}"
        for (_, pair), one in traces.items()
        if _conditions(pair) and _noise(settings, pair) * _last(one) > min(_conditions(pair).values())
    ]
    broken += [
        f"random game {k + 1}, {PAIRS[pair]}"
        for pair, one in counts.items()
        if _conditions(pair)
        for k in np.flatnonzero(one.last > min(_conditions(pair).values()))
    ]
    covered = sum(bool(_conditions(pair)) for pair in PAIRS) * (2 + settings.games)
    return (
        Claim(
            "in the free-riding game one symmetric and two free-riding equilibria merge at a threshold",
            SRPO,
            f"{number[0]} at the smallest τ, {number[-1]} at the largest, pitchfork at τ = {_last(free):.6f}",
            bool(number[0] == 3 and number[-1] == 1),
        ),
        Claim(
            "the pitchfork lies where ε = p(1 − p)(1 − τa(1 − a))",
            "ours",
            f"closed form {exact:.8f}, path following {_last(free):.8f}",
            bool(abs(exact - _last(free)) < 1e-5 * exact),
        ),
        Claim(
            "beyond the threshold collaboration rises with risk aversion",
            SRPO,
            f"from {beyond.min():.3f} to {beyond.max():.3f} along the remaining branch",
            bool(_rising(principal.parameter[principal.parameter > _last(free)], beyond)),
        ),
        Claim(
            "stag hunt has three equilibria for small and one (hare) for larger risk aversion",
            "ours",
            f"{hunted[0]} and {hunted[-1]}, fold at τ = {_last(hunt):.4f}",
            bool(hunted[0] == 3 and hunted[-1] == 1),
        ),
        Claim(
            "no game of a covered pair has several equilibria where a theorem promises one",
            "Mazumdar, Panaganti and Shi (2025); Zhang and Mazumdar (2026); tangent space: ours",
            f"{len(broken)} exceptions in {covered} traces" + (": " + "; ".join(broken) if broken else ""),
            not broken,
        ),
    )


def _rising(parameter: Float[np.ndarray, " points"], value: Float[np.ndarray, " points"]) -> bool:
    order = np.argsort(parameter)
    return bool((np.diff(value[order]) > -1e-9).all())


def _diagram(settings: Settings, traces: dict[tuple[str, Pair], Trace], key: str, ylabel: str) -> Figure:
    from equipoise.reporting.figures import Branch, Mark
    from equipoise.reporting.grids import BranchPanel, branch_grid

    panels = {}
    for pair, name in PAIRS.items():
        one, noise = traces[key, pair], _noise(settings, pair)
        panels[f"{name}, ε = {noise:g}"] = BranchPanel(
            [Branch(noise * c.parameter, c.strategies[0][:, 0], c.stable, c.name) for c in one.curves],
            [Mark(noise * b.parameter, float(b.strategies[0][0])) for b in one.bifurcations],
            _conditions(pair),
            "" if _conditions(pair) else "no theorem",
        )
    return branch_grid(
        panels,
        xlabel="ετ (bounded rationality times risk aversion)",
        ylabel=ylabel,
        limits=(LEAST, settings.largest),
        logarithmic=True,
    )


def _count_figure(counts: dict[Pair, Count]) -> Figure:
    from equipoise.reporting.figures import Branch, path

    return path(
        [
            Branch(one.products, one.numbers.mean(axis=0), np.full(one.products.shape, True), PAIRS[pair])
            for pair, one in counts.items()
        ],
        xlabel="ετ (bounded rationality times risk aversion)",
        ylabel="mean number of equilibria",
        logarithmic=True,
    )


EXPERIMENT = Experiment(
    name="multiplicity",
    question="How much risk aversion makes the equilibrium unique?",
    source=f"{SRPO}, example 4.2; Mazumdar, Panaganti and Shi (2025), ICLR",
    laptop=Settings(),
    full=Settings(games=100, actions=4),
    run=run,
)
