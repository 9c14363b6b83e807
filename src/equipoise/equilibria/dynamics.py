"""Learning an RQE by play: no-regret dynamics on the game of the players and their adversaries.

Every player i gets an adversary that picks a law p_i over the opponents' joint actions. Player i minimises
J_i = -x_i'R_i p_i - D(p_i, q_i)/tau_i + eps_i nu(x_i), its adversary minimises -J_i; q_i is the product of
the opponents' strategies, and no player counts its influence on the price D of the other adversaries. The
equilibria of this 2n-player game are the RQE (Mazumdar, Panaganti and Shi 2024). With two players, if tau_1
tau_2 eps_1 eps_2 >= 1 and the pair of penalty and regularizer is covered, every coarse correlated equilibrium
has the RQE as its marginals, so the time averages of no-regret play converge to it (their Theorem 3), at the
rate of the regrets.

With a Euclidean geometry a step is projected gradient descent (Zinkevich 2003), with an entropic one it is
multiplicative weights (Freund and Schapire 1999). Extrapolation makes them the extragradient method
(Korpelevich 1976) and mirror-prox (Nemirovski 2004), whose last iterate converges in monotone games as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Num

from equipoise._arrays import namespace
from equipoise.equilibria._settings import check_choice
from equipoise.games.normal_form import NormalFormGame

if TYPE_CHECKING:
    from equipoise.equilibria.rqe import RQE

Array = np.ndarray
Blocks = list[Array]

GEOMETRIES = ("euclidean", "entropic")

# Derivatives of the regularizers, and of the penalties in the adversary's law; elementwise.
_SLOPE: dict[str, Callable[[Any], Any]] = {
    "entropy": lambda x: namespace(x).log(x) + 1.0,
    "log_barrier": lambda x: -1.0 / x,
}
_PRICE: dict[str, Callable[[Any, Any], Any]] = {
    "kl": lambda p, q: namespace(p).log(p / q) + 1.0,
    "reverse_kl": lambda p, q: -q / p,
}


@dataclass(frozen=True)
class Learning:
    """How every player and every adversary learns; all move at the same time.

    Attributes:
        step: step size of the first step, in 1/payoff units.
        steps: number of steps.
        geometry: "euclidean" (projected gradient) or "entropic" (multiplicative weights).
        extrapolate: move with the gradient found after a trial step: the extragradient method in the
            Euclidean geometry, mirror-prox in the entropic one. Costs two gradients per step.
        decay: step t has size step / t^decay; 0 is constant, 0.5 the schedule of the general regret bounds.
        clip: clip probabilities to [clip, 1 - clip] before projecting on the simplex, as in the code of
            Mazumdar, Panaganti and Shi. None keeps every law above the bounds that equilibria provably
            satisfy, which cuts off no equilibrium and keeps gradients bounded.
    """

    step: float
    steps: int
    geometry: str = "euclidean"
    extrapolate: bool = False
    decay: float = 0.0
    clip: float | None = None

    def __post_init__(self) -> None:
        check_choice(self.geometry, "geometry", GEOMETRIES)
        if not (np.isfinite(self.step) and self.step > 0.0):
            raise ValueError(f"step must be positive and finite, got {self.step}")
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}")
        if not 0.0 <= self.decay <= 1.0:
            raise ValueError(f"decay must be between 0 (constant) and 1, got {self.decay}")
        if self.clip is not None and not 0.0 < self.clip < 0.5:
            raise ValueError(f"clip must be between 0 and 0.5, got {self.clip}; None uses provable bounds")
        if self.clip is not None and self.geometry != "euclidean":
            raise ValueError("clip is for geometry='euclidean'; entropic steps need none, use clip=None")


AUTHORS_SETTINGS = Learning(step=2e-4, steps=10_000, clip=1e-8)
"""What Mazumdar, Panaganti and Shi ran on the twelve Selten-Chmura games, from random starts; they report the
last iterate. Their run on the fourth game of Goeree, Holt and Palfrey has step 1e-4 and 1,000 steps."""


@dataclass(frozen=True, eq=False)
class Play:
    """Strategies along a run of learning, at the steps asked for; games on the last axis.

    Attributes:
        checkpoints: after how many steps.
        last: the players' strategies at that time, one array per player.
        average: average over all steps until then of the strategies at which gradients were taken (after the
            trial step, with extrapolation). This is what the regret bounds speak of.
        adversaries: the adversaries' laws over the opponents' joint actions (last player fastest).
        adversaries_average: their averages.
    """

    checkpoints: Int[np.ndarray, " checkpoints"]
    last: tuple[Float[np.ndarray, "checkpoints _ batch"], ...]
    average: tuple[Float[np.ndarray, "checkpoints _ batch"], ...]
    adversaries: tuple[Float[np.ndarray, "checkpoints _ batch"], ...]
    adversaries_average: tuple[Float[np.ndarray, "checkpoints _ batch"], ...]


def play(
    games: Sequence[NormalFormGame],
    concept: RQE | Sequence[RQE],
    learning: Learning,
    *,
    start: np.random.Generator | None = None,
    checkpoints: Sequence[int] | Int[np.ndarray, " checkpoints"] | None = None,
    each: Callable[[int], None] | None = None,
) -> Play:
    """Let players and adversaries learn, in many games at once.

    Args:
        games: games of one shape; list a game several times for several starts.
        concept: the players' preferences, one for all games or one per game; of one penalty and regularizer.
            With three or more players the adversary pays for its joint law.
        learning: how they learn.
        start: draws every first law uniformly from its simplex; None starts all uniform.
        checkpoints: numbers of steps after which to record, rising; by default only the end.
        each: called with the number of steps done, about a hundred times, for a progress bar.

    Returns:
        The recorded strategies.

    Raises:
        ValueError: games of different shapes, concepts that differ in more than their numbers, a concept
            that is not played this way, or checkpoints that are not rising and within the number of steps.
    """
    concepts = list(concept) if isinstance(concept, Sequence) else [concept] * len(games)
    table = _table(games, concepts)
    marks = np.array([learning.steps] if checkpoints is None else checkpoints, dtype=int)
    if marks.size == 0 or marks[0] < 1 or marks[-1] > learning.steps or (np.diff(marks) <= 0).any():
        raise ValueError(
            f"checkpoints must be rising step numbers from 1 to {learning.steps}, got {marks.tolist()}"
        )
    move = _mover(table, learning)
    z = _first(table, start)
    total = [np.zeros_like(block) for block in z]
    records: list[tuple[Blocks, Blocks]] = []
    due = iter(marks.tolist())
    next_mark = next(due)
    every = max(1, learning.steps // 100)
    for t in range(1, learning.steps + 1):
        size = learning.step * float(t) ** -learning.decay
        at = move(z, gradient(table, z), size) if learning.extrapolate else z
        for block, value in zip(total, at, strict=True):
            block += value
        z = move(z, gradient(table, at), size)
        if t == next_mark:
            records.append((z, [block / t for block in total]))
            next_mark = next(due, 0)
        if each is not None and t % every == 0:
            each(t)
    n = len(games[0].num_actions)
    last, mean = (
        [np.stack(blocks) for blocks in zip(*side, strict=True)] for side in zip(*records, strict=True)
    )
    return Play(marks, tuple(last[:n]), tuple(mean[:n]), tuple(last[n:]), tuple(mean[n:]))


class Table(NamedTuple):
    """Payoffs `[A_i, M_i, batch]`, tau and eps `[players, batch]`, and how players judge."""

    payoffs: Blocks
    tau: Array
    eps: Array
    penalty: str
    regularizer: str

    @property
    def sizes(self) -> list[int]:
        """Actions of every player, then joint actions open to every adversary."""
        return [r.shape[0] for r in self.payoffs] + [r.shape[1] for r in self.payoffs]


def _table(games: Sequence[NormalFormGame], concepts: Sequence[RQE]) -> Table:
    if not games or len({game.num_actions for game in games}) > 1:
        raise ValueError(
            "games must be one or more games of one shape; got shapes "
            f"{sorted({game.num_actions for game in games})}"
        )
    if len(concepts) != len(games):
        raise ValueError(f"{len(games)} games but {len(concepts)} concepts; give one, or one for each game")
    rules = {concept.rules for concept in concepts}
    if len(rules) > 1:
        raise ValueError("concepts must share penalty, regularizer and form; play them in separate calls")
    (rule,) = rules
    n = games[0].num_players
    if rule.form != "aggregate" or rule.penalty not in _PRICE or (n > 2 and rule.joint_penalty != "joint"):
        raise ValueError(
            f"{concepts[0].name} is not played by these dynamics; they need form='aggregate', "
            "joint_penalty='joint' and penalty 'kl' or 'reverse_kl'"
        )
    tau, eps = (np.array(v).T for v in zip(*(concept.parameters(n) for concept in concepts), strict=True))
    if not ((tau > 0.0).all() and np.isfinite(tau).all() and (eps > 0.0).all()):
        raise ValueError(
            "risk_aversion must be positive and finite and bounded_rationality positive: without "
            "risk aversion there is no adversary, without noise no theorem"
        )
    payoffs = [np.stack([g.own_first(i) for g in games], axis=-1) for i in range(n)]
    return Table(payoffs, tau, eps, rule.penalty, rule.regularizer)


def _first(table: Table, rng: np.random.Generator | None) -> Blocks:
    batch = table.tau.shape[1]
    if rng is None:
        return [np.full((size, batch), 1.0 / size) for size in table.sizes]
    return [np.ascontiguousarray(rng.dirichlet(np.ones(size), batch).T) for size in table.sizes]


def gradient(table: Table, z: list[Any]) -> list[Any]:
    """Everybody's cost gradient in the own law, players first; in NumPy or in JAX."""
    n = len(table.payoffs)
    strategies, laws = z[:n], z[n:]
    slope, price = _SLOPE[table.regularizer], _PRICE[table.penalty]
    players, adversaries = [], []
    for i, payoff in enumerate(table.payoffs):
        rivals = [strategies[j] for j in range(n) if j != i]
        q = rivals[0]
        for x in rivals[1:]:
            q = (q[:, None] * x[None]).reshape(-1, q.shape[-1])
        players.append(table.eps[i] * slope(strategies[i]) - (payoff * laws[i]).sum(axis=1))
        adversaries.append((payoff * strategies[i][:, None]).sum(axis=0) + price(laws[i], q) / table.tau[i])
    return players + adversaries


def _mover(table: Table, learning: Learning) -> Callable[[Blocks, Blocks, float], Blocks]:
    """One step of everybody: laws, gradients, step size -> laws."""
    if learning.clip is not None:
        low = learning.clip

        def clipped(z: Blocks, g: Blocks, size: float) -> Blocks:
            # Clipping before projecting keeps two-action laws positive; longer ones may touch zero.
            return [
                np.maximum(
                    project(np.clip(x - size * d, low, 1.0 - low), np.zeros(x.shape[1])),
                    np.finfo(float).tiny,
                )
                for x, d in zip(z, g, strict=True)
            ]

        return clipped
    floors = floors_of(table)
    if learning.geometry == "euclidean":
        return lambda z, g, size: [project(x - size * d, f) for x, d, f in zip(z, g, floors, strict=True)]

    def weighted(z: Blocks, g: Blocks, size: float) -> Blocks:
        moved = []
        for x, d, f in zip(z, g, floors, strict=True):
            score = np.log(x) - size * d
            weights = np.exp(score - score.max(axis=0))
            moved.append(lift(weights / weights.sum(axis=0), f))
        return moved

    return weighted


def floors_of(table: Table, spans: Sequence[Array | float] | None = None) -> Blocks:
    """Bounds that every equilibrium strategy and worst case exceeds, `[batch]`, players first.

    With rg the range of a player's payoffs (`spans`, by default that of the table): exp(-rg/eps)/A (entropy)
    and eps/(A eps + rg) (log-barrier) for the player; exp(-tau rg) (KL) and 1/(1 + tau rg) (reverse KL) times
    the least nominal probability for its adversary. Half of them is taken, so that no law settles on its
    bound for rounding.
    """
    if spans is None:
        spans = [r.max(axis=(0, 1)) - r.min(axis=(0, 1)) for r in table.payoffs]
    own = []
    for r, span, eps in zip(table.payoffs, spans, table.eps, strict=True):
        actions = r.shape[0]
        own.append(
            np.exp(-span / eps) / actions if table.regularizer == "entropy" else eps / (actions * eps + span)
        )
    rivals = [np.prod([own[j] for j in range(len(own)) if j != i], axis=0) for i in range(len(own))]
    fear = [
        np.exp(-tau * span) if table.penalty == "kl" else 1.0 / (1.0 + tau * span)
        for span, tau in zip(spans, table.tau, strict=True)
    ]
    floors = own + [q * f for q, f in zip(rivals, fear, strict=True)]
    return [np.maximum(0.5 * floor, np.finfo(float).tiny) for floor in floors]


def project(points: Num[Any, "actions batch"], floor: Num[Any, " batch"]) -> Num[Any, "actions batch"]:
    """Nearest laws with no probability below the floor, in the Euclidean norm; in NumPy or in JAX.

    Args:
        points: one point per column.
        floor: least probability of every column, at most 1/actions.

    Returns:
        The projections (Held, Wolfe and Crowder 1974).
    """
    xp = namespace(points, floor)
    size = points.shape[0]
    mass = 1.0 - size * floor
    shifted = points - floor
    falling = -xp.sort(-shifted, axis=0)
    excess = (xp.cumsum(falling, axis=0) - mass) / xp.arange(1, size + 1)[:, None]
    # The right threshold is the largest one: it rises while the next coordinate stays positive, then falls.
    return xp.maximum(shifted - excess.max(axis=0), 0.0) + floor


def lift(
    laws: Float[np.ndarray, "actions batch"], floor: Float[np.ndarray, " batch"]
) -> Float[np.ndarray, "actions batch"]:
    """Nearest laws with no probability below the floor, in relative entropy KL(new || old).

    Args:
        laws: one law per column.
        floor: least probability of every column, at most 1/actions.

    Returns:
        Laws whose low probabilities are raised to the floor and whose others shrink by one factor.
    """
    low = laws < floor
    while True:
        free = np.where(low, 0.0, laws).sum(axis=0)
        scaled = laws * ((1.0 - floor * low.sum(axis=0)) / free)
        more = (scaled < floor) & ~low
        if not more.any():
            return np.asarray(np.where(low, floor, scaled))
        low |= more
