"""Security (maximin) strategies: the best payoff a player can guarantee against anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.equilibria._gaps import nash_gap
from equipoise.equilibria._linear_program import maximise_on_simplex
from equipoise.equilibria._markov_solution import MarkovSolution, find_markov
from equipoise.equilibria._solution import Certificate, Solution
from equipoise.games.markov import MarkovGame
from equipoise.games.normal_form import NormalFormGame


@dataclass(frozen=True)
class Security:
    """Maximin strategies: every player maximises its payoff in the worst case.

    Each player solves `max_x min_b (x' R_i)_b` over its mixed strategies x, where b runs over the joint
    actions of all others: one linear program (von Neumann and Morgenstern 1944). With three or more
    players the others' worst case is a joint action, so it makes no difference to the guaranteed payoff
    whether they can coordinate. In two-player constant-sum games, and only there in general, security
    strategies are Nash strategies.

    The certificate's gap is the duality gap: the payoff to which a mixture of the others' joint actions
    provably holds the player down, minus the payoff the strategy guarantees.

    Attributes:
        pure: guarantee with a single action, without mixing. The gap then compares pure actions only.
    """

    pure: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.pure, bool):
            raise TypeError(f"pure must be True or False, got {self.pure!r}")

    @property
    def name(self) -> str:
        """Name of the concept with its parameters."""
        return "security (pure)" if self.pure else "security"

    def find_markov(self, game: MarkovGame) -> MarkovSolution:
        """What every player can guarantee from every state on, whatever the others do, backwards in time."""
        return find_markov(game, self)

    def find(self, game: NormalFormGame) -> Solution:
        """Find every player's maximin strategy.

        Args:
            game: the game, any number of players.

        Returns:
            The strategies; `values` are the guaranteed payoffs. Mixed: `details["adversaries"]` holds
            for every player the law over the others' joint actions (flat, C order) that attains the
            bound.
        """
        return _pure(game, self) if self.pure else _mixed(game, self)


def _mixed(game: NormalFormGame, concept: Security) -> Solution:
    strategies, adversaries, messages = [], [], []
    values, bounds = np.zeros(game.num_players), np.zeros(game.num_players)
    iterations = 0
    for i in range(game.num_players):
        payoffs = game.own_first(i)
        program = maximise_on_simplex(np.zeros(payoffs.shape[0]), worst_of=payoffs.T)
        values[i] = np.min(program.point @ payoffs)
        bounds[i] = np.max(payoffs @ program.weights)
        iterations += program.iterations
        strategies.append(program.point)
        adversaries.append(program.weights)
        messages += [f"{game.player_names[i]}: {program.message}"] if program.message else []
    gaps = np.maximum(bounds - values, 0.0)
    certificate = Certificate(
        concept="security: bound on the guaranteed payoff, from the adversary, minus the guaranteed payoff",
        gap=float(np.sum(gaps)),
        gap_per_player=gaps,
        lower=0.0,
        nash_gap=nash_gap(game, strategies)[0],
    )
    scale = np.maximum(game.payoff_ranges(), 1.0)
    return Solution(
        game=game,
        concept=concept,
        strategies=tuple(strategies),
        values=values,
        certificate=certificate,
        converged=not messages and bool(np.all(gaps <= 1e-9 * scale)),
        iterations=iterations,
        residual=float(np.max(gaps)),
        branch="linear program",
        status=" ".join(messages) or "The guaranteed payoffs are unique; the strategies need not be.",
        details={"adversaries": tuple(adversaries), "bounds": bounds},
    )


def _pure(game: NormalFormGame, concept: Security) -> Solution:
    guarantees = [np.min(game.own_first(i), axis=1) for i in range(game.num_players)]
    # Ties go to the first action, so that the answer is one and the same everywhere.
    strategies = [np.eye(len(g))[int(np.argmax(g))] for g in guarantees]
    values = np.array([np.max(g) for g in guarantees])
    # Checked apart: the smallest payoff in the rows the strategies use, read off the joint tensors.
    worst = np.array(
        [
            np.min(np.compress(x > 0, tensor, axis=i))
            for i, (x, tensor) in enumerate(zip(strategies, game.payoffs, strict=True))
        ]
    )
    gaps = np.abs(values - worst)
    ties = [
        f"{game.player_names[i]} has {int(np.sum(g == np.max(g)))} such actions"
        for i, g in enumerate(guarantees)
        if np.sum(g == np.max(g)) > 1
    ]
    return Solution(
        game=game,
        concept=concept,
        strategies=tuple(strategies),
        values=values,
        certificate=Certificate(
            concept="security among pure actions",
            gap=float(np.sum(gaps)),
            gap_per_player=gaps,
            lower=float(np.sum(gaps)),
            nash_gap=nash_gap(game, strategies)[0],
        ),
        converged=bool(np.all(gaps == 0.0)),
        iterations=sum(len(g) for g in guarantees),
        residual=float(np.max(gaps)),
        branch="first action attaining the maximum",
        status=f"{'; '.join(ties)}; the first is taken." if ties else "The pure security actions are unique.",
    )
