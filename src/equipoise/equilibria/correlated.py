"""Correlated and coarse correlated equilibria: a mediator's advice that nobody gains by ignoring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from equipoise.equilibria._gaps import nash_gap
from equipoise.equilibria._linear_program import maximise_on_simplex
from equipoise.equilibria._markov_solution import MarkovSolution, find_markov
from equipoise.equilibria._solution import Certificate, Concept, Solution
from equipoise.games._checks import Numbers, check_finite, number_array
from equipoise.games.markov import MarkovGame
from equipoise.games.normal_form import NormalFormGame

_NAMED = ("welfare", "egalitarian", "any")


@dataclass(frozen=True, eq=False)
class CorrelatedEquilibrium:
    """Correlated equilibrium: no player gains by replacing recommended actions (Aumann 1974, 1987).

    A law p over joint actions such that for every player i and all actions a, b
    `sum over the others' actions c of p(a, c) (u_i(b, c) - u_i(a, c)) <= 0`. The set of these laws is a
    polytope that contains every Nash equilibrium; one linear program finds its best point for a linear
    objective.

    Attributes:
        objective: what to optimise over the polytope. "welfare": the sum of expected payoffs;
            "egalitarian": the smallest expected payoff of any player; "any": nothing, the first point
            found; an integer: that player's expected payoff; an array of n weights: the weighted sum of
            expected payoffs; an array in joint layout: its expectation.
        sense: "maximise" or "minimise" the objective ("egalitarian" can only be maximised).
    """

    objective: str | int | Numbers = "welfare"
    sense: Literal["maximise", "minimise"] = "maximise"

    def __post_init__(self) -> None:
        object.__setattr__(self, "objective", _checked_objective(self.objective, self.sense))

    @property
    def name(self) -> str:
        """Name of the concept with its parameters."""
        return f"correlated equilibrium ({describe(self.objective, self.sense)})"

    def find_markov(self, game: MarkovGame) -> MarkovSolution:
        """In every state and at every step the best correlated equilibrium of the stage game."""
        return find_markov(game, self)

    def find(self, game: NormalFormGame) -> Solution:
        """Find the best correlated equilibrium for the objective.

        Args:
            game: the game, any number of players.

        Returns:
            `joint` is the law over joint actions, `strategies` its marginals, `values` the expected
            payoffs under it. The certificate's gap is what players could gain by the best replacement of
            every recommendation; `details` has the objective and a bound on it over all correlated
            equilibria.

        Raises:
            ValueError: the objective does not fit the game.
        """
        return _solve(game, self, self.objective, self.sense, recommended=True)


@dataclass(frozen=True, eq=False)
class CoarseCorrelatedEquilibrium:
    """Coarse correlated equilibrium: no player gains by committing to one action before any advice.

    A law p over joint actions with `sum over joint actions (a, c) of p(a, c) (u_i(b, c) - u_i(a, c)) <= 0`
    for every player i and action b (Moulin and Vial 1978). Time averages of no-regret play approach this
    set, which contains the correlated equilibria.

    Attributes:
        objective: as in `CorrelatedEquilibrium`.
        sense: as in `CorrelatedEquilibrium`.
    """

    objective: str | int | Numbers = "welfare"
    sense: Literal["maximise", "minimise"] = "maximise"

    def __post_init__(self) -> None:
        object.__setattr__(self, "objective", _checked_objective(self.objective, self.sense))

    @property
    def name(self) -> str:
        """Name of the concept with its parameters."""
        return f"coarse correlated equilibrium ({describe(self.objective, self.sense)})"

    def find_markov(self, game: MarkovGame) -> MarkovSolution:
        """In every state and at every step the best coarse correlated equilibrium of the stage game."""
        return find_markov(game, self)

    def find(self, game: NormalFormGame) -> Solution:
        """Find the best coarse correlated equilibrium for the objective.

        Args:
            game: the game, any number of players.

        Returns:
            As for `CorrelatedEquilibrium`; the certificate's gap counts deviations fixed in advance.

        Raises:
            ValueError: the objective does not fit the game.
        """
        return _solve(game, self, self.objective, self.sense, recommended=False)


def correlated_gains(
    game: NormalFormGame, joint: Float[np.ndarray, "*actions"], *, recommended: bool
) -> Float[np.ndarray, " players"]:
    """What every player can gain by leaving a joint law alone.

    Args:
        game: the game.
        joint: probabilities of joint actions, `[A_1, ..., A_n]`.
        recommended: deviations may depend on the recommended action (correlated equilibrium), or are
            chosen before any recommendation (coarse correlated equilibrium).

    Returns:
        The gain of the best deviation, `[players]`, in payoff units; none is negative.
    """
    gains = np.zeros(game.num_players)
    for i in range(game.num_players):
        payoffs = game.own_first(i)
        law = np.moveaxis(joint, i, 0).reshape(payoffs.shape)
        # outcome[a, b]: payoff from playing b whenever a is recommended, times the probability of a.
        outcome = law @ (payoffs - np.min(payoffs)).T
        best = np.sum(np.max(outcome, axis=1)) if recommended else np.max(np.sum(outcome, axis=0))
        gains[i] = max(float(best - np.trace(outcome)), 0.0)
    return gains


def _solve(
    game: NormalFormGame, concept: Concept, objective: object, sense: str, *, recommended: bool
) -> Solution:
    shape = game.num_actions
    sign = 1.0 if sense == "maximise" else -1.0
    linear, worst_of = _coefficients(game, objective)
    program = maximise_on_simplex(
        sign * linear, worst_of=worst_of, constraints=_incentives(game, recommended=recommended)
    )
    joint = program.point.reshape(shape)
    gains = correlated_gains(game, joint, recommended=recommended)
    marginals = tuple(
        joint.sum(axis=tuple(j for j in range(game.num_players) if j != i)) for i in range(game.num_players)
    )
    scale = max(1.0, float(np.max(game.payoff_ranges())))
    objective_scale = max(1.0, float(np.ptp(linear)), 0.0 if worst_of is None else float(np.ptp(worst_of)))
    # A law that violates a constraint by a rounding error may pass the bound by as much.
    residual = max(program.bound - program.value, 0.0)
    deviations = "recommended actions" if recommended else "deviations fixed in advance"
    return Solution(
        game=game,
        concept=concept,
        strategies=marginals,
        values=np.array([float(np.sum(joint * tensor)) for tensor in game.payoffs]),
        certificate=Certificate(
            concept=f"{'correlated' if recommended else 'coarse correlated'} equilibrium: {deviations}",
            gap=float(np.sum(gains)),
            gap_per_player=gains,
            lower=float(np.sum(gains)),
            nash_gap=nash_gap(game, marginals)[0],
        ),
        converged=not program.message
        and bool(np.max(gains) <= 1e-9 * scale)
        and residual <= 1e-9 * objective_scale,
        iterations=program.iterations,
        residual=residual,
        branch=describe(objective, sense),
        status=program.message or "The objective's optimum is unique; the law attaining it need not be.",
        joint=joint,
        details={"objective": sign * program.value, "objective_bound": sign * program.bound},
    )


def _incentives(game: NormalFormGame, *, recommended: bool) -> Any:
    """The gain of every deviation as a linear function of the law, one sparse row each; all are <= 0."""
    from scipy.sparse import csr_array, vstack

    size = int(np.prod(game.num_actions))
    cells = np.arange(size).reshape(game.num_actions)
    blocks = [csr_array((0, size))]
    for i, count in enumerate(game.num_actions):
        payoffs = game.own_first(i)
        # where[a, c]: flat number of the joint action in which i plays a and the others c.
        where = np.moveaxis(cells, i, 0).reshape(payoffs.shape)
        for b in range(count):
            gain = payoffs[b] - payoffs
            if recommended:
                others = np.arange(count) != b
                rows = np.repeat(np.arange(count - 1), payoffs.shape[1])
                entries = (gain[others].ravel(), (rows, where[others].ravel()))
                blocks.append(csr_array(entries, shape=(count - 1, size)))
            else:
                blocks.append(
                    csr_array((gain.ravel(), (np.zeros(size, int), where.ravel())), shape=(1, size))
                )
    return vstack(blocks, format="csr")


def _coefficients(
    game: NormalFormGame, objective: object
) -> tuple[Float[np.ndarray, " joint"], Float[np.ndarray, "rows joint"] | None]:
    """Linear objective over flat joint actions, and the rows of which the smallest counts."""
    flat = np.array([tensor.ravel() for tensor in game.payoffs])
    if isinstance(objective, str):
        linear = np.sum(flat, axis=0) if objective == "welfare" else np.zeros(flat.shape[1])
        return linear, flat if objective == "egalitarian" else None
    if isinstance(objective, int):
        if objective >= game.num_players:
            raise ValueError(
                f"objective={objective} names a player from 0, but the game has {game.num_players}; use "
                f"0 to {game.num_players - 1}"
            )
        return flat[objective], None
    array = np.asarray(objective)
    if array.shape == game.num_actions:
        return array.ravel(), None
    if array.shape == (game.num_players,):
        return array @ flat, None
    raise ValueError(
        f"objective has shape {array.shape}; it must hold one weight per player ({game.num_players},) or one "
        f"number per joint action {game.num_actions}"
    )


def _checked_objective(objective: object, sense: str) -> object:
    if sense not in ("maximise", "minimise"):
        raise ValueError(f"sense must be 'maximise' or 'minimise', got {sense!r}")
    if isinstance(objective, str):
        if objective not in _NAMED:
            raise ValueError(
                f"objective must be one of {', '.join(map(repr, _NAMED))}, a player's number, or an array of "
                f"weights, got {objective!r}"
            )
        if objective == "egalitarian" and sense == "minimise":
            raise ValueError("objective='egalitarian' can only be maximised; leave sense out")
        return objective
    if isinstance(objective, int | np.integer) and not isinstance(objective, bool):
        if objective < 0:
            raise ValueError(f"objective={objective}: players are numbered from 0")
        return int(objective)
    array = number_array(objective, "objective")
    check_finite(array, "objective")
    if array.ndim == 0:
        raise ValueError(
            f"objective={objective!r} is neither a player's whole number nor an array of weights"
        )
    array.setflags(write=False)
    return array


def describe(objective: object, sense: str) -> str:
    """An objective in words."""
    if isinstance(objective, str):
        what = {"welfare": "welfare", "egalitarian": "smallest payoff", "any": ""}[objective]
    elif isinstance(objective, int):
        what = f"payoff of player {objective}"
    else:
        what = "weighted objective"
    return f"{sense} {what}" if what else "any"
