"""Nash equilibrium: one of them for any game, all extreme ones for two players, all pure ones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np
from jaxtyping import Float

from equipoise.equilibria._branch import Rules, principal_branch, stack
from equipoise.equilibria._complementarity import refine, spread_starts
from equipoise.equilibria._gaps import nash_gap
from equipoise.equilibria._linear_program import maximise_on_simplex
from equipoise.equilibria._markov_solution import MarkovSolution, find_markov
from equipoise.equilibria._polytope import PolytopeError, extreme_equilibria, lemke_howson
from equipoise.equilibria._solution import Certificate, Solution
from equipoise.games.markov import MarkovGame
from equipoise.games.normal_form import NormalFormGame

Profile = tuple[Float[np.ndarray, " _"], ...]

_METHODS = ("auto", "linear_program", "lemke_howson", "logit")
# Noise levels, as shares of the payoff ranges, at which the logit branch is handed over to Newton's method.
_HANDOVER = (1e-3, 1e-5)
# Residual, relative to the payoff ranges, below which a refined profile is an equilibrium.
_SOLVED = 1e-12
# How far play may still be from the branch's limit at the hand-over.
_NEAR = 0.1
# Further starting points tried where the logit branch does not lead to an equilibrium.
_STARTS = 100
# Two-player games with at most so many actions altogether are checked for further equilibria.
_LISTED = 10


@dataclass(frozen=True)
class Nash:
    """Nash equilibrium: no player gains by deviating alone (Nash 1951).

    A game can have many; each method names the one it selects.

    - "linear_program": two-player constant-sum games. Both players' maximin strategies.
    - "lemke_howson": two-player games. The end of the Lemke-Howson path (1964) that drops `label`, with a
      lexicographic ratio test, so that degenerate games are no exception. Exact to rounding.
    - "logit": any game. The limit of the principal branch of logit quantal response equilibria as noise
      vanishes (McKelvey and Palfrey 1995), the branch that starts at uniform play; its end is refined by
      solving the equilibrium's complementarity conditions. Where that fails other starting points are tried,
      and the result says so.
    - "auto": the first of these that fits the game; one player simply maximises.

    Attributes:
        method: as above.
        label: for "lemke_howson", the label dropped, counted from 0 over the row player's actions, then
            the column player's. Different labels can reach different equilibria.
    """

    method: Literal["auto", "linear_program", "lemke_howson", "logit"] = "auto"
    label: int = 0

    def __post_init__(self) -> None:
        if self.method not in _METHODS:
            raise ValueError(f"method must be one of {', '.join(map(repr, _METHODS))}, got {self.method!r}")
        if isinstance(self.label, bool) or not isinstance(self.label, int | np.integer):
            raise TypeError(f"label must be a whole number, got {self.label!r}")
        if self.label < 0:
            raise ValueError(f"label must be 0 or more, got {self.label}; labels are counted from 0")
        if self.label and self.method != "lemke_howson":
            raise ValueError(f"label={self.label} needs method='lemke_howson', got {self.method!r}")

    @property
    def name(self) -> str:
        """Name of the concept with its parameters."""
        method = "" if self.method == "auto" else f", {self.method.replace('_', ' ')}"
        return f"Nash{method}{f', label {self.label}' if self.label else ''}"

    def find_markov(self, game: MarkovGame) -> MarkovSolution:
        """Policies that are a Nash equilibrium from every state on.

        With a horizon, the selected equilibrium of the stage game in every state, backwards in time. In a
        discounted game only for two players and constant sums, by Shapley's iteration.
        """
        return find_markov(game, self)

    def find(self, game: NormalFormGame) -> Solution:
        """Find one equilibrium.

        Args:
            game: the game, any number of players.

        Returns:
            The strategies; `branch` says how they were selected and `status` what is known of others. The
            certificate's gap is the exploitability. `residual` is the largest loss, against the best
            action, of an action played with positive probability.

        Raises:
            ValueError: the method does not fit the game, or the game has no such label.
        """
        method = self._method_for(game)
        if self.label >= sum(game.num_actions):
            raise ValueError(
                f"label={self.label}, but the game has {sum(game.num_actions)} actions altogether; use 0 to "
                f"{sum(game.num_actions) - 1}"
            )
        if method == "linear_program":
            return _by_linear_program(game, self)
        if method == "lemke_howson":
            profile, pivots, finished = lemke_howson(game, self.label)
            status = "" if finished else "The path did not come to its end; try another label or 'logit'."
            return _answer(game, self, profile, pivots, f"Lemke-Howson path, label {self.label}", status)
        return _by_logit_branch(game, self)

    def _method_for(self, game: NormalFormGame) -> str:
        two = game.num_players == 2
        if self.method == "auto":
            return "logit" if not two else "linear_program" if game.is_constant_sum else "lemke_howson"
        if self.method == "linear_program" and not (two and game.is_constant_sum):
            raise ValueError("method='linear_program' needs a two-player constant-sum game; use 'auto'")
        if self.method == "lemke_howson" and not two:
            raise ValueError(
                f"method='lemke_howson' needs two players, this game has {game.num_players}; use 'logit'"
            )
        return self.method


def all_nash_equilibria(game: NormalFormGame) -> tuple[Solution, ...]:
    """All extreme Nash equilibria of a two-player game.

    The set of equilibria is a finite union of products of polytopes; the extreme equilibria are the pairs
    of their corners (Mangasarian 1964; Avis, Rosenberg, Savani and von Stengel 2010). In a nondegenerate
    game they are all equilibria there are. In a degenerate one, mixtures of extreme equilibria that share one
    player's strategy are equilibria too. The corners of both best-reply polytopes are listed and matched.

    Args:
        game: a two-player game of moderate size (about ten actions each; more if they are few for one).

    Returns:
        One certified solution per extreme equilibrium, pure ones first. `status` says whether it is isolated
        or an end point of a continuum.

    Raises:
        ValueError: the game does not have two players, has too many corners to list, or payoffs too uneven
            to tell them apart.
    """
    if game.num_players != 2:
        raise ValueError(
            f"all_nash_equilibria needs a two-player game, this one has {game.num_players} players; for pure "
            "equilibria use pure_nash_equilibria"
        )
    profiles = extreme_equilibria(game)
    solutions = []
    for k, profile in enumerate(profiles):
        shared = sum(
            np.array_equal(x, other) for one in profiles for x, other in zip(profile, one, strict=True)
        )
        # Every profile shares both strategies with itself.
        continuum = shared > 2
        solutions.append(
            _answer(
                game,
                Nash(),
                profile,
                1,
                f"extreme equilibrium {k + 1} of {len(profiles)}",
                others="End point of a continuum of equilibria." if continuum else "Isolated equilibrium.",
            )
        )
    return tuple(solutions)


def pure_nash_equilibria(game: NormalFormGame) -> tuple[tuple[int, ...], ...]:
    """All Nash equilibria in pure strategies, weak ones included.

    Args:
        game: the game, any number of players.

    Returns:
        Joint actions, in lexicographic order.
    """
    stable = np.ones(game.num_actions, dtype=bool)
    for i, tensor in enumerate(game.payoffs):
        stable &= tensor >= np.max(tensor, axis=i, keepdims=True)
    return tuple(tuple(int(a) for a in cell) for cell in np.argwhere(stable))


def _by_linear_program(game: NormalFormGame, concept: Nash) -> Solution:
    programs = []
    for i in range(2):
        payoffs = game.own_first(i)
        programs.append(maximise_on_simplex(np.zeros(payoffs.shape[0]), worst_of=payoffs.T))
    return _answer(
        game,
        concept,
        tuple(program.point for program in programs),
        sum(program.iterations for program in programs),
        "linear program",
        " ".join(program.message for program in programs if program.message),
        others="All equilibria have these values.",
    )


def _by_logit_branch(game: NormalFormGame, concept: Nash) -> Solution:
    ranges = np.where(game.payoff_ranges() > 0, game.payoff_ranges(), 1.0)
    steps = 0
    for noise in _HANDOVER:
        payoffs = [tensor[None] for tensor in game.payoffs]
        branch = principal_branch(stack(payoffs, np.zeros(1), noise * ranges, Rules()))
        start = [strategy[:, 0] for strategy in branch.strategies]
        refined = refine(game, start)
        steps += int(branch.solves[0]) + refined.steps
        distance = max(float(np.max(np.abs(x - s))) for x, s in zip(refined.strategies, start, strict=True))
        if refined.residual < _SOLVED and branch.arrived[0] and distance < _NEAR:
            label = "limit of the principal logit branch"
            if branch.bifurcated[0]:
                label += " (symmetric where it bifurcates)"
            return _answer(game, concept, refined.strategies, steps, label)
    best, label = refined, "reached from near the principal logit branch"
    for k, spread in enumerate(islice(spread_starts(game.num_actions), _STARTS)):
        if best.residual < _SOLVED:
            break
        refined = refine(game, spread)
        steps += refined.steps
        if refined.residual < best.residual:
            best, label = refined, f"reached from spread starting point {k + 1}"
    failure = "" if best.residual < _SOLVED else f"No equilibrium was reached from {_STARTS} starting points."
    return _answer(game, concept, best.strategies, steps, label, failure)


def _answer(
    game: NormalFormGame,
    concept: Nash,
    profile: Profile,
    iterations: int,
    branch: str,
    failure: str = "",
    *,
    others: str = "",
) -> Solution:
    gap, shares = nash_gap(game, profile)
    losses = []
    for i, own in enumerate(profile):
        payoffs = game.deviation_payoffs(i, profile)
        losses.append(float(np.max(payoffs) - np.min(payoffs[own > 0])))
    tolerance = 1e-9 * np.maximum(game.payoff_ranges(), 1.0)
    kind = "Pure" if all(np.count_nonzero(own) == 1 for own in profile) else "Mixed"
    return Solution(
        game=game,
        concept=concept,
        strategies=profile,
        values=game.expected_payoffs(profile),
        certificate=Certificate("Nash: exploitability", gap, shares, gap, gap),
        converged=not failure and bool(np.all(shares <= tolerance) and np.all(losses <= tolerance)),
        iterations=iterations,
        residual=max(losses),
        branch=branch,
        status=failure or f"{kind} equilibrium. {others or _known_of_others(game)}",
    )


def _known_of_others(game: NormalFormGame) -> str:
    if game.num_players == 2 and sum(game.num_actions) <= _LISTED:
        try:
            count = len(extreme_equilibria(game))
        except PolytopeError:
            count = 0
        if count == 1:
            return "There is no other."
        if count > 1:
            return f"There are {count} extreme equilibria; all_nash_equilibria lists them."
    if game.num_players == 1:
        return "All optimal actions earn the same."
    return "Others may exist."
