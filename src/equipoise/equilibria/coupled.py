"""The coupled actor-critic iteration with the exact model: play moves fast, the values of play follow slowly.

Every state has its stage game Q(s), and every player a policy and an adversary there. Each step moves all of
them along their own gradients in the current stage games, and then the stage games a share of the way to what
the policies are worth (Zhang and Mazumdar 2026, Theorem 4.4, arXiv 2602.12386). No equilibrium is ever solved
for. The actor is the faster one, the reverse of the usual order; both steps are of the same order in time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from equipoise._arrays import namespace
from equipoise.equilibria._lookahead import Lookahead
from equipoise.equilibria._markov_solution import MarkovSolution
from equipoise.equilibria._settings import check_choice
from equipoise.equilibria._stationary_certificate import certify_stationary
from equipoise.equilibria._system import Array, outer_product
from equipoise.equilibria.dynamics import Table, floors_of, gradient, project
from equipoise.equilibria.markov_stationary import check_discounted, stakes, within_tolerance
from equipoise.equilibria.rqe import RQE
from equipoise.equilibria.uniqueness import covered_pair, monotonicity
from equipoise.games.markov import MarkovGame

SCHEDULES = ("constant", "diminishing")
# Costs nu of strategies and prices D of laws, all entries positive; actions on the first axis.
_COST: dict[str, Callable[[Any], Any]] = {
    "entropy": lambda x: (x * namespace(x).log(x)).sum(axis=0),
    "log_barrier": lambda x: -namespace(x).log(x).sum(axis=0),
}
_PRICE: dict[str, Callable[[Any, Any], Any]] = {
    "kl": lambda p, q: (p * namespace(p).log(p / q)).sum(axis=0),
    "reverse_kl": lambda p, q: (q * namespace(p).log(q / p)).sum(axis=0),
}
SETTLING = 0.999  # factor by which play must get more settled in that time
WATCH = 50  # steps between two looks at whether the actor's step is too long


@dataclass(frozen=True)
class Coupling:
    """Step sizes of the coupled iteration.

    Attributes:
        critic: alpha, the share of the way that values move in the first step, in (0, 1].
        actor: beta, the step of policies and adversaries, in 1/payoff units; the theorem wants it large
            against `critic`.
        schedule: "constant" (error falls geometrically) or "diminishing" (both as 1/t, error O(1/t)).
        halve: halve the actor's step whenever play in the stage games does not settle further in 50 steps.
    """

    critic: float = 0.05
    actor: float = 0.05
    schedule: str = "constant"
    halve: bool = True

    def __post_init__(self) -> None:
        if not 0.0 < self.critic <= 1.0:
            raise ValueError(f"critic must be in (0, 1], got {self.critic}")
        if not (self.actor > 0.0 and np.isfinite(self.actor)):
            raise ValueError(f"actor must be positive and finite, got {self.actor}")
        check_choice(self.schedule, "schedule", SCHEDULES)

    def share(self, step: Any, discount: Any) -> Any:
        """Factor on both steps, 1 at first; a diminishing step is a/(t + b) with a = 2/(1 - discount)."""
        if self.schedule == "constant":
            return 1.0
        late = self.delay(discount)
        return late / (step + late)

    def delay(self, discount: Any) -> Any:
        """The number of steps b after which diminishing steps have fallen to half."""
        return 2.0 / ((1.0 - discount) * self.critic)


class Trail(NamedTuple):
    """Where the iteration has been.

    Attributes:
        steps: after how many steps, `[marks]`.
        values: values of play by the current stage games, `[marks, players, S]`.
        policies: `[marks, S, A_i]` per player.
    """

    steps: Array
    values: Array
    policies: tuple[Array, ...]


def coupled_iteration(
    game: MarkovGame,
    concept: RQE,
    *,
    coupling: Coupling | None = None,
    steps: int = 10_000,
    start: np.random.Generator | None = None,
    marks: Sequence[int] | None = None,
) -> MarkovSolution:
    """Let all players learn together, with exact gradients and expectations.

    With `risk_aversion` 0 a player has no adversary and does plain (regularised) gradient play, the baseline
    that need not converge.

    Args:
        game: a discounted game.
        concept: preferences; aggregate form, penalty "kl" or "reverse_kl" on the opponents' joint law.
        coupling: step sizes; the defaults of `Coupling` if not given.
        steps: number of steps.
        start: draws every first policy uniformly from its simplex; None starts all uniform.
        marks: rising numbers of steps after which to record; by default about a hundred, evenly spread.

    Returns:
        The last point as a solution, `converged` if its certificate says so. `details["trail"]` is the
        `Trail`, `details["actor"]` the actor's last step before its schedule.

    Raises:
        ValueError: the game has a horizon, or the concept is not played this way.
    """
    check_discounted(game)
    rule = coupling or Coupling()
    learner = _Learner(game, concept, rule, start)
    spaced = np.unique(np.linspace(1, steps, min(steps, 100)).astype(int))
    due = np.asarray(spaced if marks is None else marks, dtype=int)
    if not len(due) or due[0] < 0 or due[-1] > steps or (np.diff(due) <= 0).any():
        raise ValueError(f"marks must be rising step numbers from 0 to {steps}, got {list(due)}")
    wanted, values, policies = set(due.tolist()), [], []
    for step in range(steps + 1):
        if step:
            learner.step(step)
        if step in wanted:
            values.append(learner.values())
            policies.append([x.T.copy() for x in learner.laws[: game.num_players]])
    trail = Trail(due, np.stack(values), tuple(np.stack(side) for side in zip(*policies, strict=True)))
    last = [np.maximum(policy[-1], np.finfo(float).tiny) for policy in trail.policies]
    checked = certify_stationary(game, concept, last)
    good = within_tolerance(game, checked.certificate.gap_per_player, stakes(game))
    return MarkovSolution(
        game=game,
        concept=concept,
        strategies=tuple(last),
        values=checked.values,
        certificate=checked.certificate,
        converged=good,
        iterations=steps,
        residual=learner.unrest,
        branch="learned",
        status="reached by play" if good else f"not converged after {steps} steps",
        details={"method": "coupled iteration", "trail": trail, "actor": learner.actor},
    )


class _Learner:
    """Policies, adversaries and stage games; changed in place, step by step."""

    def __init__(self, game: MarkovGame, concept: RQE, coupling: Coupling, start: np.random.Generator | None):
        players, states = game.num_players, game.num_states
        tau, eps = check_played(concept, players)
        rules = concept.rules
        rewards = game.rewards_at().reshape(players, states, -1)
        self.lookahead = Lookahead(game, rewards, concept.environment(game), concept.environment_penalty)
        self.rules, self.coupling, self.actor = rules, coupling, coupling.actor
        if not eps.all():
            raise ValueError("the coupled iteration needs a positive bounded_rationality; try 1e-6")
        self.averse = tau > 0.0
        self.weights = step_weights(concept, players)
        ones = np.ones((players, states))
        # A neutral player's row of tau is never used; 1 keeps it finite.
        safe = np.where(self.averse, tau, 1.0)[:, None] * ones
        self.table = Table(
            [q.copy() for q in self.lookahead.own_first(rewards)],
            safe,
            eps[:, None] * ones,
            rules.penalty,
            rules.regularizer,
        )
        # Below every law that a stage game within the range of values can ask for.
        spans = [np.full(states, np.ptp(r) / (1.0 - self.lookahead.discount)) for r in rewards]
        self.floors = floors_of(self.table, spans)
        self.laws = [
            np.full((size, states), 1.0 / size)
            if start is None
            else np.ascontiguousarray(start.dirichlet(np.ones(size), states).T)
            for size in self.table.sizes
        ]
        self._mirror()
        self.unrest, self.before = np.inf, np.inf

    def _mirror(self) -> None:
        """Neutral players reckon with the others' policies themselves."""
        self.laws = mirror(self.laws, self.averse)

    def step(self, number: int) -> None:
        """Move play, then values."""
        assert self.lookahead.game.discount is not None
        share = self.coupling.share(number - 1, self.lookahead.game.discount)
        size, players = self.actor * share, len(self.averse)
        slopes = gradient(self.table, self.laws)
        moved = [
            project(x - size * self.weights[k % players] * d, floor)
            for k, (x, d, floor) in enumerate(zip(self.laws, slopes, self.floors, strict=True))
        ]
        if number % WATCH == 0:
            unrest = max(
                float(np.abs(new - old).max()) / size
                for new, old in zip(moved[:players], self.laws[:players], strict=True)
            )
            if self.coupling.halve and unrest > SETTLING * self.before and unrest > 1e-9:
                self.actor *= 0.5
            self.unrest, self.before = unrest, unrest
        self.laws = moved
        self._mirror()
        rate = self.coupling.critic * share
        target = self.lookahead(self.values()).payoffs
        for old, new in zip(self.table.payoffs, target, strict=True):
            old += rate * (new - old)

    def values(self) -> Array:
        """What play is worth in the stage games, `[players, S]`."""
        return worth_of(self.table, self.laws, self.averse, self.rules.regularizer_in_value)


def check_played(concept: RQE, players: int) -> tuple[Array, Array]:
    """Tau and eps of players who learn an equilibrium by coupled gradient steps, `[players]` each.

    Raises:
        ValueError: the concept is not learnt this way.
    """
    tau, eps = concept.parameters(players)
    rules = concept.rules
    joint = players == 2 or rules.joint_penalty == "joint"
    if rules.form != "aggregate" or rules.penalty not in ("kl", "reverse_kl") or not joint:
        raise ValueError(
            f"{concept.name} is not played by the coupled iteration; it needs form='aggregate', "
            "joint_penalty='joint' and penalty 'kl' or 'reverse_kl'"
        )
    if not np.isfinite(tau).all():
        raise ValueError(f"the coupled iteration needs a finite risk_aversion, got {tau}")
    return tau, eps


def step_weights(concept: RQE, players: int) -> Array:
    """Factors on the steps of each player and its adversary: those that make the game monotone, if known."""
    tau, eps = concept.parameters(players)
    if not ((tau > 0.0).all() and covered_pair(concept, players)):
        return np.ones(players)
    rules = concept.rules
    return monotonicity(
        tau, eps, players=players, penalty=rules.penalty, regularizer=rules.regularizer
    ).weights


def mirror(laws: Sequence[Any], averse: Array) -> list[Any]:
    """Laws of players, then adversaries; those of neutral players replaced by the others' play."""
    players = len(averse)
    fears = [
        laws[players + i] if averse[i] else outer_product([laws[j] for j in range(players) if j != i])
        for i in range(players)
    ]
    return [*laws[:players], *fears]


def worth_of(table: Table, laws: Sequence[Any], averse: Array, regularized: bool) -> Any:
    """What play is worth: x'Q p + D(p, q)/tau - eps nu(x), `[players, batch]`; in NumPy or in JAX.

    Args:
        table: payoffs and preferences.
        laws: of the players, then of their adversaries, `[actions, batch]`.
        averse: which players have an adversary that pays for its law.
        regularized: count the last term.
    """
    players = len(averse)
    cost, price = _COST[table.regularizer], _PRICE[table.penalty]
    out = []
    for i, payoff in enumerate(table.payoffs):
        x, p = laws[i], laws[players + i]
        worth = ((payoff * p).sum(axis=1) * x).sum(axis=0)
        if averse[i]:
            q = outer_product([laws[j] for j in range(players) if j != i])
            worth = worth + price(p, q) / table.tau[i]
        out.append(worth - table.eps[i] * cost(x) if regularized else worth)
    return namespace(*out).stack(out)
