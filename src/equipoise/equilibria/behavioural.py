"""Stationary concepts for behaviour in repeated play: sampling equilibria and impulse balance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from equipoise.equilibria._gaps import nash_gap
from equipoise.equilibria._linear_program import as_distribution
from equipoise.equilibria._sampling import (
    Choice,
    action_sampling_by_draws,
    action_sampling_choice,
    payoff_sampling_by_draws,
    payoff_sampling_choice,
    sample_space,
)
from equipoise.equilibria._solution import Certificate, Concept, Solution
from equipoise.games.normal_form import NormalFormGame

Profile = tuple[Float[np.ndarray, " _"], ...]

# Samples are enumerated one by one; where there are more the concept is refused rather than approximated.
LARGEST_SAMPLE_SPACE = 200_000
LARGEST_SAMPLE = 1000
# The dynamic has come to rest where no probability wants to change by more than this; Newton does the rest.
SETTLED = 1e-4


@dataclass(frozen=True)
class ActionSampling:
    """Action-sampling equilibrium of a two-player game.

    Every player observes `samples` independent actions of the opponent and plays a best reply to their
    average, ties split evenly; in equilibrium the samples come from the strategies that result (Osborne and
    Rubinstein 2003; Selten and Chmura 2008). The response is an exact sum over all samples.

    Several equilibria can exist. The one returned is where the sampling best-response dynamic (Oyama,
    Sandholm and Tercieux 2015) comes to rest from the uniform profile.

    Attributes:
        samples: number of observed actions n, from 1 to 1000.
    """

    samples: int

    def __post_init__(self) -> None:
        _check_samples(self.samples)

    @property
    def name(self) -> str:
        """Name of the concept with its parameters."""
        return f"action sampling (n = {self.samples})"

    def find(self, game: NormalFormGame) -> Solution:
        """Find the equilibrium reached from the uniform profile.

        Args:
            game: a two-player game.

        Returns:
            The strategies. The certificate's gap is the total-variation distance of every strategy from
            the response to the other, times the player's payoff range, with the response computed apart.

        Raises:
            ValueError: the game does not have two players, or too many samples to enumerate.
        """
        return _rest_point(game, self, self.samples, action_sampling_choice, action_sampling_by_draws)


@dataclass(frozen=True)
class PayoffSampling:
    """Payoff-sampling equilibrium of a two-player game.

    Every player tries each of its actions `samples` times, against independent draws of the opponent's
    action, and plays the one with the largest total, ties split evenly; in equilibrium the draws come from
    the strategies that result (Osborne and Rubinstein 1998; Selten and Chmura 2008). The response is exact.

    Several equilibria can exist. The one returned is where the dynamic that moves every strategy towards
    its response comes to rest from the uniform profile.

    Attributes:
        samples: number of trials of each own action n, from 1 to 1000.
    """

    samples: int

    def __post_init__(self) -> None:
        _check_samples(self.samples)

    @property
    def name(self) -> str:
        """Name of the concept with its parameters."""
        return f"payoff sampling (n = {self.samples})"

    def find(self, game: NormalFormGame) -> Solution:
        """Find the equilibrium reached from the uniform profile.

        Args:
            game: a two-player game.

        Returns:
            The strategies, certified as for `ActionSampling`.

        Raises:
            ValueError: the game does not have two players, or too many samples to enumerate.
        """
        return _rest_point(game, self, self.samples, payoff_sampling_choice, payoff_sampling_by_draws)


@dataclass(frozen=True)
class ImpulseBalance:
    """Impulse balance equilibrium of a 2x2 game whose only equilibrium is completely mixed.

    After each round a player has an impulse towards the other action, as strong as what that action would
    have earned more; what falls below the security level, the pure maximin payoff, counts double. In
    equilibrium the expected impulses of each player balance (Selten and Chmura 2008). With transformed
    payoffs this has a closed form.
    """

    @property
    def name(self) -> str:
        """Name of the concept."""
        return "impulse balance"

    def find(self, game: NormalFormGame) -> Solution:
        """Find the impulse balance equilibrium.

        Args:
            game: a 2x2 game in which best replies cycle, as in matching pennies.

        Returns:
            The strategies. The certificate's gap is the difference between the expected impulses in both
            directions, computed from the original payoffs.

        Raises:
            ValueError: the game is not 2x2, or its best replies do not cycle.
        """
        if game.num_actions != (2, 2):
            raise ValueError(
                "impulse balance is defined for 2x2 games, this one is "
                f"{'x'.join(map(str, game.num_actions))}; the sampling equilibria allow more actions"
            )
        tables = [_transformed(game.own_first(i)) for i in range(2)]
        # What the first action earns more than the second, against each action of the other player.
        row, column = (table[0] - table[1] for table in tables)
        if not (row[0] * row[1] < 0 and column[0] * column[1] < 0 and row[0] * column[0] < 0):
            raise ValueError(
                "impulse balance is defined for games whose only equilibrium is completely mixed, but in "
                "this one best replies do not cycle; use Nash, QRE or a sampling equilibrium"
            )
        c, d = -row[0] / row[1], -column[0] / column[1]
        # Odds P, Q of the first actions. Row prefers its first action against the column's first:
        # P = c Q and Q = 1 / (d P); otherwise P = 1 / (c Q) and Q = d P.
        odds = (np.sqrt(c / d), 1 / np.sqrt(c * d)) if row[0] > 0 else (1 / np.sqrt(c * d), np.sqrt(d / c))
        profile = tuple(np.array([o, 1.0]) / (1.0 + o) for o in odds)
        x, y = profile
        # Solver's own equations: expected transformed impulses in both directions, per player.
        own = [
            abs(p[0] * (np.maximum(-lead, 0) @ q) - p[1] * (np.maximum(lead, 0) @ q))
            for lead, p, q in ((row, x, y), (column, y, x))
        ]
        return _answer(
            game,
            self,
            profile,
            np.array([_imbalance(game.own_first(i), profile[i], profile[1 - i]) for i in range(2)]),
            measure="impulse balance: difference between the expected impulses in both directions",
            residual=float(max(own)),
            iterations=1,
            branch="closed form",
            status="The only impulse balance equilibrium.",
        )


def _rest_point(
    game: NormalFormGame,
    concept: Concept,
    samples: int,
    choice: Callable[[Float[np.ndarray, "own others"], int], Choice],
    by_draws: Callable[
        [Float[np.ndarray, "own others"], Float[np.ndarray, " others"], int], Float[np.ndarray, " own"]
    ],
) -> Solution:
    if game.num_players != 2:
        raise ValueError(f"{concept.name} needs a two-player game, this one has {game.num_players} players")
    largest = max(sample_space(samples, count) for count in game.num_actions)
    if largest > LARGEST_SAMPLE_SPACE:
        raise ValueError(
            f"samples={samples} makes {largest} different samples of {max(game.num_actions)} actions; at "
            f"most {LARGEST_SAMPLE_SPACE} are enumerated, so use fewer samples"
        )
    responses = [choice(game.own_first(i), samples) for i in range(2)]
    profile, iterations, settled = _settle(responses, game.num_actions)
    ranges = game.payoff_ranges()

    def distance(response: Profile) -> Float[np.ndarray, " players"]:
        apart = [float(np.sum(np.abs(x - r))) / 2 for x, r in zip(profile, response, strict=True)]
        return np.asarray(apart * ranges)

    checked = tuple(by_draws(game.own_first(i), profile[1 - i], samples) for i in range(2))
    return _answer(
        game,
        concept,
        profile,
        distance(checked),
        measure=f"{concept.name}: distance from the response to the other's strategy, in payoff units",
        residual=float(np.max(distance(_respond(responses, profile)))),
        iterations=iterations,
        branch="uniform start" if settled else "root near a dynamic that does not settle",
        status="Several sampling equilibria can exist; this is the one "
        + ("the dynamic reaches" if settled else "found near where the dynamic moves")
        + " from the uniform profile.",
    )


def _respond(responses: list[Choice], profile: Profile) -> Profile:
    return responses[0](profile[1]), responses[1](profile[0])


def _settle(responses: list[Choice], counts: tuple[int, ...]) -> tuple[Profile, int, bool]:
    """Rest point of "every strategy moves towards its response" from uniform, then refined to rounding."""
    first = counts[0]

    def excess(flat: Float[np.ndarray, " both"]) -> Float[np.ndarray, " both"]:
        return np.asarray(np.concatenate(_respond(responses, (flat[:first], flat[first:]))) - flat)

    def distribution(flat: Float[np.ndarray, " both"]) -> Float[np.ndarray, " both"]:
        return np.concatenate([as_distribution(flat[:first]), as_distribution(flat[first:])])

    flat = np.concatenate([np.full(count, 1 / count) for count in counts])
    total, steps, change = np.zeros_like(flat), 0, excess(flat)
    while np.max(np.abs(change)) > SETTLED and steps < 1000:
        # Smaller steps late tell an overshooting iteration from a dynamic that truly cycles.
        flat = distribution(flat + (0.5 if steps < 100 else 0.1) * change)
        total, steps, change = total + flat, steps + 1, excess(flat)
    settled = bool(np.max(np.abs(change)) <= SETTLED)
    flat = flat if settled else distribution(total)
    # Newton in the tangent space of the simplices, with differences exact enough for a few rounds to reach
    # rounding; a round that does not improve is halved, then given up.
    tangent = _tangent(counts)
    size = np.max(np.abs(excess(flat)))
    share = 1.0
    while size > 1e-15 and share > 1e-3 and steps < 1200:
        steps += 1
        slopes = [(excess(flat + 1e-6 * t) - excess(flat - 1e-6 * t)) / 2e-6 for t in tangent]
        move = np.linalg.lstsq(np.array(slopes).T, -excess(flat), rcond=None)[0] @ tangent
        moved = distribution(flat + share * move)
        new_size = np.max(np.abs(excess(moved)))
        if new_size < size:
            flat, size, share = moved, new_size, min(1.0, 2 * share)
        else:
            share /= 2
    return (flat[:first], flat[first:]), steps, settled


def _tangent(counts: tuple[int, ...]) -> Float[np.ndarray, "directions both"]:
    """Directions that move probability from each strategy's last action to another one."""
    blocks = [np.hstack([np.eye(count - 1), -np.ones((count - 1, 1))]) for count in counts]
    return np.vstack(
        [
            np.hstack([blocks[0], np.zeros((counts[0] - 1, counts[1]))]),
            np.hstack([np.zeros((counts[1] - 1, counts[0])), blocks[1]]),
        ]
    )


def _answer(
    game: NormalFormGame,
    concept: Concept,
    profile: Profile,
    gaps: Float[np.ndarray, " players"],
    *,
    measure: str,
    residual: float,
    iterations: int,
    branch: str,
    status: str,
) -> Solution:
    tolerance = 1e-9 * np.maximum(game.payoff_ranges(), 1.0)
    return Solution(
        game=game,
        concept=concept,
        strategies=profile,
        values=game.expected_payoffs(profile),
        certificate=Certificate(
            concept=measure,
            gap=float(np.sum(gaps)),
            gap_per_player=gaps,
            lower=float(np.sum(gaps)),
            nash_gap=nash_gap(game, profile)[0],
        ),
        converged=bool(np.all(gaps <= tolerance) and residual <= np.max(tolerance)),
        iterations=iterations,
        residual=residual,
        branch=branch,
        status=status,
    )


def _transformed(payoffs: Float[np.ndarray, "own others"]) -> Float[np.ndarray, "own others"]:
    """Payoffs with gains above the security level halved, so that losses weigh double."""
    security = np.max(np.min(payoffs, axis=1))
    return np.asarray(np.where(payoffs > security, security + (payoffs - security) / 2, payoffs))


def _imbalance(
    payoffs: Float[np.ndarray, "own others"],
    own: Float[np.ndarray, " own"],
    other: Float[np.ndarray, " others"],
) -> float:
    """Difference between the expected impulses in both directions, from the original payoffs.

    An impulse from payoff f to a larger payoff t has the part above the security level s counted half and
    the part below it in full: (t - max(f, s))^+ / 2 + (min(t, s) - f)^+.
    """
    s = float(np.max(np.min(payoffs, axis=1)))

    def impulse(f: float, t: float) -> float:
        return max(t - max(f, s), 0.0) / 2 + max(min(t, s) - f, 0.0)

    away, back = (
        sum(float(q) * impulse(payoffs[start, b], payoffs[1 - start, b]) for b, q in enumerate(other))
        for start in (0, 1)
    )
    return float(abs(own[0] * away - own[1] * back))


def _check_samples(samples: int) -> None:
    if isinstance(samples, bool) or not isinstance(samples, int | np.integer):
        raise TypeError(f"samples must be a whole number, got {samples!r}; samples cannot be split")
    if not 1 <= samples <= LARGEST_SAMPLE:
        raise ValueError(f"samples must be from 1 to {LARGEST_SAMPLE}, got {samples}")
