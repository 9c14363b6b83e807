"""Distance between predicted and observed play, as sums of squares, for many parameter values at once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from equipoise.equilibria._families import Family
from equipoise.equilibria.batch import solve_batch
from equipoise.games.observed_play import ObservedPlay

Criterion = Literal["likelihood", "least_squares"]

# Step of the differences, in logarithms of the parameters: truncation and rounding are both near 1e-8.
STEP = 1e-4


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predicted play of all games at several parameter values.

    Attributes:
        play: all players' strategies of all games one after another, `[points, entries]`; NaN where the
            solver did not converge or was not asked.
        gaps: certified exploitability, `[points, games]`; NaN where not asked.
    """

    play: Float[np.ndarray, "points entries"]
    gaps: Float[np.ndarray, "points games"]


@dataclass(frozen=True, eq=False)
class Objective:
    """What a fit minimises: a weighted sum over games of squared residuals.

    Least squares: half the squared distance over all action probabilities, which in a 2x2 game is the
    squared distance of (P(U), P(L)). Likelihood: the deviance 2 sum n o log(o/p), twice what the
    log-likelihood falls short of a perfect fit, as a sum of squared deviance residuals.

    Attributes:
        records: the observations.
        family: the concept.
        criterion: "likelihood" or "least_squares".
        observed: frequencies, laid out as `Predictions.play`, `[entries]`.
        counts: observations behind every entry, `[entries]`; None where not known.
        game_of: the game of every entry, `[entries]`.
    """

    records: Sequence[ObservedPlay]
    family: Family
    criterion: Criterion
    observed: Float[np.ndarray, " entries"]
    counts: Float[np.ndarray, " entries"] | None
    game_of: Int[np.ndarray, " entries"]

    @classmethod
    def of(cls, records: Sequence[ObservedPlay], family: Family, criterion: Criterion) -> Objective:
        """Lay the records out.

        Raises:
            ValueError: the likelihood is wanted and a number of observations is not known.
        """
        missing = [
            record.key or record.game.title or f"record {k + 1}"
            for k, record in enumerate(records)
            if record.observations is None
        ]
        if missing and criterion == "likelihood":
            raise ValueError(
                f"criterion='likelihood' needs numbers of observations, which are not known for {missing[0]}"
                + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
                + "; give counts, or use criterion='least_squares'"
            )
        counts = None
        if not missing:
            counts = np.concatenate(
                [
                    np.full(len(x), float(n))
                    for record in records
                    for n, x in zip(record.observations or (), record.frequencies, strict=True)
                ]
            )
        return cls(
            records,
            family,
            criterion,
            np.concatenate([x for record in records for x in record.frequencies]),
            counts,
            np.repeat(np.arange(len(records)), [sum(record.game.num_actions) for record in records]),
        )

    @property
    def games(self) -> int:
        """Number of games."""
        return len(self.records)

    @property
    def numbers(self) -> int:
        """Number of freely varying observed numbers: all probabilities but one per player and game."""
        return len(self.observed) - sum(record.game.num_players for record in self.records)

    def predict(
        self,
        values: Float[np.ndarray, "points parameters"],
        used: Bool[np.ndarray, "points games"] | None = None,
    ) -> Predictions:
        """Predicted play at several parameter values, games of one shape in one batch.

        Args:
            values: parameter values, in their own units.
            used: which games are wanted at which point; all by default.
        """
        points = len(values)
        wanted = np.ones((points, self.games), bool) if used is None else used
        play = np.full((points, len(self.observed)), np.nan)
        gaps = np.full((points, self.games), np.nan)
        concepts = [self.family.concept(value) for value in values]
        shapes = [record.game.num_actions for record in self.records]
        for shape in dict.fromkeys(shapes):
            members = np.array([k for k, own in enumerate(shapes) if own == shape])
            at, place = np.nonzero(wanted[:, members])
            if not len(at):
                continue
            which = members[place]
            with warnings.catch_warnings():
                # Predictions that did not converge are marked below and counted by the fit.
                warnings.filterwarnings("ignore", message=".*did not converge", category=RuntimeWarning)
                batch = solve_batch([self.records[k].game for k in which], [concepts[b] for b in at])
            strategies = np.concatenate(batch.strategies, axis=1)
            strategies[~batch.converged] = np.nan
            first = np.searchsorted(self.game_of, which)
            play[at[:, None], first[:, None] + np.arange(strategies.shape[1])] = strategies
            gaps[at, which] = batch.gaps
        return Predictions(play, gaps)

    def residuals(self, play: Float[np.ndarray, "points entries"]) -> Float[np.ndarray, "points entries"]:
        """Residuals whose squares add up to the criterion; infinite where what was seen is impossible."""
        if self.criterion == "least_squares":
            return np.asarray((play - self.observed) / np.sqrt(2.0))
        assert self.counts is not None
        seen = self.observed > 0.0
        share = np.where(seen, self.observed, 1.0)
        excess = (play - self.observed) / share
        with np.errstate(divide="ignore", invalid="ignore"):
            # Equal to o log(o/p) - o + p; what is subtracted and added here cancels over a player's actions.
            terms = np.where(seen, share * (excess - np.log1p(excess)), play)
        return np.asarray(np.sign(excess) * np.sqrt(2.0 * self.counts * np.maximum(terms, 0.0)))

    def per_game(self, play: Float[np.ndarray, "points entries"]) -> Float[np.ndarray, "points games"]:
        """The criterion of every game; infinite where a prediction is missing."""
        squares = self.residuals(play) ** 2
        starts = np.searchsorted(self.game_of, np.arange(self.games))
        totals = np.add.reduceat(squares, starts, axis=1)
        return np.where(np.isnan(totals), np.inf, totals)

    def cost(
        self, play: Float[np.ndarray, "points entries"], weights: Float[np.ndarray, "points games"]
    ) -> Float[np.ndarray, " points"]:
        """Weighted criterion over the games with a positive weight."""
        return np.asarray((np.where(weights > 0.0, self.per_game(play), 0.0) * weights).sum(axis=1))

    def squared_distances(self, play: Float[np.ndarray, " entries"]) -> Float[np.ndarray, " games"]:
        """Half the squared distance to observed play per game; of (P(U), P(L)) in 2x2 games."""
        squares = (play - self.observed) ** 2 / 2.0
        return np.bincount(self.game_of, squares, self.games)

    def log_likelihoods(self, play: Float[np.ndarray, " entries"]) -> Float[np.ndarray, " games"] | None:
        """Log-likelihood per game without the multinomial coefficients; None without counts."""
        if self.counts is None:
            return None
        seen = self.observed > 0.0
        with np.errstate(divide="ignore"):
            terms = np.where(seen, self.counts * self.observed * np.log(np.where(seen, play, 1.0)), 0.0)
        return np.bincount(self.game_of, terms, self.games)

    def profiles(self, play: Float[np.ndarray, " entries"]) -> tuple[tuple[np.ndarray, ...], ...]:
        """Predicted strategies per game and player."""
        sizes = [count for record in self.records for count in record.game.num_actions]
        pieces = iter(np.split(play, np.cumsum(sizes)[:-1]))
        return tuple(tuple(next(pieces) for _ in record.game.num_actions) for record in self.records)

    def nearby(
        self,
        logs: Float[np.ndarray, "points parameters"],
        used: Bool[np.ndarray, "points games"],
    ) -> Float[np.ndarray, "points directions entries"]:
        """Predictions a `STEP` away in the logarithms of the parameters.

        Directions: every parameter down, every parameter up, every pair up.
        """
        points, count = logs.shape
        up = np.eye(count)
        pairs = [up[i] + up[j] for i, j in combinations(range(count), 2)]
        shift = STEP * np.array([*-up, *up, *pairs])
        near = (logs[:, None] + shift).reshape(-1, count)
        play = self.predict(np.exp(near), np.repeat(used, len(shift), axis=0)).play
        return play.reshape(points, len(shift), -1)
