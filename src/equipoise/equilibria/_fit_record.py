"""What a fit returns: parameters with intervals, predictions with errors, and what is doubtful about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from equipoise.equilibria._families import Sharing
from equipoise.equilibria._identification import Identification
from equipoise.equilibria._objective import Criterion
from equipoise.equilibria._solution import Concept
from equipoise.games.observed_play import ObservedPlay

Profiles = tuple[tuple[Float[np.ndarray, " _"], ...], ...]


class FitWarning(UserWarning):
    """Something about a fit that its numbers alone do not show."""


class IdentificationWarning(FitWarning):
    """The observations cannot tell the parameters apart."""


@dataclass(frozen=True)
class Estimate:
    """One estimated parameter.

    Attributes:
        field: the concept's field, such as "risk_aversion".
        player: whose it is, or None where all players share it.
        game: which game's it is, or None where all games share it.
        value: the estimate, in the field's own unit.
        low, high: ends of the interval, None where none was asked for. Zero or infinity: the data do not
            bound the parameter on this side; NaN: predictions stopped converging before the end was found.
        at_end: "low" or "high" where the estimate sits at that end of the searched range, else "".
    """

    field: str
    player: str | None
    game: str | None
    value: float
    low: float | None
    high: float | None
    at_end: str

    @property
    def name(self) -> str:
        """Field, player and game in one text."""
        owners = ", ".join(owner for owner in (self.player, self.game) if owner is not None)
        return f"{self.field} ({owners})" if owners else self.field


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Predictions for games that the parameters were not fitted to.

    Attributes:
        folds: positions of the games predicted together, all others being fitted.
        concepts: the fitted concept of every fold.
        games: positions of the games predicted, in the order of the records.
        predictions: predicted strategies of these games.
        errors: their squared distances to observed play, as in `Fit.errors`, `[predicted]`.
        mean_error: weighted mean of these.
        log_likelihood: of these games together, without multinomial coefficients; None without counts.
    """

    folds: tuple[tuple[int, ...], ...]
    concepts: tuple[Concept, ...]
    games: tuple[int, ...]
    predictions: Profiles
    errors: Float[np.ndarray, " predicted"]
    mean_error: float
    log_likelihood: float | None


@dataclass(frozen=True, eq=False)
class Fit:
    """A concept fitted to observed play.

    Attributes:
        records: the observations.
        game_names: what the games are called.
        sharing: who shares parameters: "common", "per_player" or "per_game".
        criterion: "likelihood" or "least_squares".
        value: what was minimised: the deviance (twice what the log-likelihood falls short of a perfect fit),
            or the weighted mean squared distance.
        concepts: the fitted concept; with `sharing="per_game"` one per game.
        estimates: the parameters.
        level: confidence level of the intervals, None where there are none.
        intervals: how they were made: "profile likelihood", "bootstrap over games" or "".
        weights: weight of every game in the criterion, `[games]`.
        predictions: predicted strategies, per game and player.
        errors: per game, half the squared distance over all action probabilities, which in a 2x2 game is
            the squared distance of (P(U), P(L)), `[games]`.
        largest_error: largest absolute error of a probability.
        log_likelihood: without multinomial coefficients; None where numbers of observations are not known.
        aic, bic: Akaike's and Schwarz's criteria, for the likelihood only; the number of observations in
            `bic` is the number of choices.
        held_out: predictions for games left out, or None where not asked for.
        identification: rank and condition of the predictions' derivatives; None for concepts without
            continuous parameters.
        warnings: what one should know about this fit, in words.
        largest_gap: largest certified exploitability among the predictions, in payoff units.
        converged: whether the search for the optimum settled. Predictions always converged.
    """

    records: tuple[ObservedPlay, ...]
    game_names: tuple[str, ...]
    sharing: Sharing
    criterion: Criterion
    value: float
    concepts: tuple[Concept, ...]
    estimates: tuple[Estimate, ...]
    level: float | None
    intervals: str
    weights: Float[np.ndarray, " games"]
    predictions: Profiles
    errors: Float[np.ndarray, " games"]
    largest_error: float
    log_likelihood: float | None
    aic: float | None
    bic: float | None
    held_out: HeldOut | None
    identification: Identification | None
    warnings: tuple[str, ...]
    largest_gap: float
    converged: bool

    @property
    def concept(self) -> Concept:
        """The fitted concept, ready for `solve`.

        Raises:
            ValueError: every game has its own; see `concepts`.
        """
        if self.sharing == "per_game" and len(self.concepts) > 1:
            raise ValueError("with sharing='per_game' every game has its own concept; use fit.concepts")
        return self.concepts[0]

    @property
    def name(self) -> str:
        """The concept with its parameters, for tables."""
        if self.sharing == "per_game" and len(self.concepts) > 1:
            return f"{type(self.concepts[0]).__name__}, one per game"
        return self.concepts[0].name

    @property
    def free_parameters(self) -> int:
        """Number of estimated parameters."""
        return len(self.estimates)

    @property
    def parameters(self) -> dict[str, float]:
        """The estimates by name."""
        return {one.name: one.value for one in self.estimates}

    @property
    def identified(self) -> bool:
        """Whether the observations determine the parameters, as far as derivatives tell."""
        return self.identification is None or self.identification.identified

    @property
    def mean_error(self) -> float:
        """Weighted mean over games of `errors`."""
        return float(self.weights @ self.errors / self.weights.sum())
