"""Estimating a concept's parameters from how people played."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

import numpy as np
from jaxtyping import Float

from equipoise.equilibria._families import Family, Range, Sharing, make_family
from equipoise.equilibria._fit_record import Estimate, Fit, FitWarning, HeldOut, IdentificationWarning
from equipoise.equilibria._identification import Identification, identification
from equipoise.equilibria._intervals import profile, resample
from equipoise.equilibria._objective import Criterion, Objective
from equipoise.equilibria._observations import as_records, game_names
from equipoise.equilibria._refine import Optimum, Search
from equipoise.equilibria._settings import PerPlayer, check_choice
from equipoise.equilibria._solution import Concept, NotConvergedError
from equipoise.games.observed_play import ObservedPlay

# Different candidates from which every fit is refined.
_STARTS = 3


def fit(
    concept: type | Concept,
    data: Any,
    *,
    sharing: str = "common",
    criterion: str | None = None,
    fixed: Mapping[str, PerPlayer] | None = None,
    product: float | int | None = None,
    search: Mapping[str, Range] | None = None,
    weights: Sequence[float | int] | None = None,
    level: float | None = 0.95,
    bootstrap: np.random.Generator | None = None,
    resamples: int = 200,
    held_out: bool | Sequence[Sequence[int]] = False,
) -> Fit:
    """Estimate a concept's parameters from observed play.

    All games are solved on a logarithmic grid of parameters in one batch; the best points that are far from
    each other are refined by damped Newton steps within the searched range. Whole-number parameters are
    tried one by one. Folds and resamples reuse the grid.

    The likelihood takes all choices as independent. Choices of the same people in repeated play are not, and
    intervals are then too narrow; `bootstrap` resamples whole games instead.

    Args:
        concept: what to fit: `RQE` (risk_aversion and bounded_rationality), `QRE` (precision),
            `ActionSampling` or `PayoffSampling` (samples), or a concept without parameters, such as `Nash` or
            `ImpulseBalance`. An instance sets the rest, for example `RQE(penalty="reverse_kl")`; its
            parameter values do not matter, `fixed` holds them.
        data: one `ObservedPlay` or pair `(game, choices)`, or a sequence of these. `choices` has one array
            per player: counts of the actions, or frequencies.
        sharing: "common": one set of parameters for all games and players; "per_player": each player role has
            its own; "per_game": each game has its own.
        criterion: "likelihood": multinomial maximum likelihood, from numbers of observations;
            "least_squares": the mean over games of squared distances between predicted and observed
            probabilities. By default the likelihood where numbers of observations are known.
        fixed: parameters to hold, for example `{"risk_aversion": 0.5}`.
        product: hold risk_aversion * bounded_rationality of an RQE at this value; it has no unit.
        search: ranges to search instead of the default, in each parameter's own unit, for example
            `{"samples": (1, 30)}`. The default spans 1e-3 to 1e3 for tau, 1e-3 to 1e2 for eps and 1e-2 to 1e3
            for lambda where payoffs have range one, and 1 to 20 samples.
        weights: weight of every game in least squares, such as its number of independent groups; equal by
            default.
        level: confidence level of the intervals; None for no intervals.
        bootstrap: randomness for intervals by resampling games. Without it, intervals are made by profile
            likelihood, which least squares does not have.
        resamples: number of resamples.
        held_out: True to predict every game from a fit to all others, or lists of positions of games: each
            list is predicted from a fit to the games outside it.

    Returns:
        The fit. What is doubtful about it is in `warnings`, and is warned of.

    Raises:
        TypeError: `concept` or `data` is of another kind.
        ValueError: the data do not fit the games, numbers of observations are missing for the likelihood, or
            options contradict each other.
        NotConvergedError: some game has no converged prediction at any parameters.

    Source: the distance is that of Selten and Chmura (2008), American Economic Review 98(3), 938-966; profile
    likelihood: Venzon and Moolgavkar (1988), Applied Statistics 37(1), 87-94.
    """
    records = as_records(data)
    used_criterion = _criterion(criterion, records)
    check_choice(sharing, "sharing", get_args(Sharing))
    if level is not None and not 0.0 < level < 1.0:
        raise ValueError(f"level must be between 0 and 1, for example 0.95, got {level}")
    game_weights = _weights(weights, used_criterion, len(records))
    shared = cast(Sharing, sharing)
    folds = _folds(held_out, len(records), shared)
    family = make_family(concept, records, shared, fixed or {}, product, search or {})
    objective = Objective.of(records, family, used_criterion)
    apart = sharing == "per_game"
    if bootstrap is not None and (apart or len(records) < 2 or resamples < 2):
        raise ValueError(
            "the bootstrap resamples games: it needs at least two games that share parameters, and at least "
            f"two resamples; got {len(records)} games, sharing={sharing!r}, resamples={resamples}"
        )

    candidates = Search.of(objective)
    owner = np.arange(len(records)) if apart else np.zeros(len(records), int)
    problem_weights = np.where(owner == np.arange(owner[-1] + 1)[:, None], game_weights, 0.0)
    masks = np.array([[k in fold for k in range(len(records))] for fold in folds], bool)
    masks = masks.reshape(len(folds), len(records))
    optima = candidates.best(np.vstack([problem_weights, np.where(masks, 0.0, game_weights)]), _STARTS)
    optimum, refits = _split(optima, len(problem_weights))

    notes = []
    low = high = None
    method = ""
    if level is not None and family.parameters and bootstrap is not None:
        (low, high), lost = resample(candidates, game_weights, bootstrap, resamples, level)
        method = "bootstrap over games"
        if lost:
            notes.append(
                f"{lost} of {resamples} resamples could not be fitted and are left out of the intervals"
            )
    elif (
        level is not None
        and family.parameters
        and used_criterion == "likelihood"
        and np.isfinite(optimum.cost).all()
    ):
        (low, high), optimum = profile(candidates, problem_weights, optimum, level)
        method = "profile likelihood"

    play, gap = _predict(objective, optimum.values, owner, np.ones(len(records), bool))
    names = game_names(records)
    ends = _at_ends(family, optimum.values)
    estimates = _estimates(family, records, names if apart else (), optimum.values, low, high, ends)
    known = None
    if family.parameters and not family.whole:
        known = identification(objective, optimum.values, problem_weights > 0.0, ends == "")
    held = _held_out(objective, refits, folds, masks, game_weights) if folds else None
    notes += _notes(candidates, family, estimates, optimum, refits)
    log_likelihoods = objective.log_likelihoods(play)
    log_likelihood = None if log_likelihoods is None else float(log_likelihoods.sum())
    aic = bic = None
    if used_criterion == "likelihood" and log_likelihood is not None:
        choices = sum(sum(record.observations or ()) for record in records)
        aic = 2.0 * len(estimates) - 2.0 * log_likelihood
        bic = float(np.log(choices)) * len(estimates) - 2.0 * log_likelihood
    doubt = known.warning if known is not None else ""
    if doubt:
        warnings.warn(doubt, IdentificationWarning, stacklevel=2)
    for note in notes:
        warnings.warn(note, FitWarning, stacklevel=2)
    return Fit(
        records=records,
        game_names=names,
        sharing=shared,
        criterion=used_criterion,
        value=float(optimum.cost.sum()),
        concepts=tuple(family.concept(row) for row in optimum.values),
        estimates=estimates,
        level=level if method else None,
        intervals=method,
        weights=game_weights,
        predictions=objective.profiles(play),
        errors=objective.squared_distances(play),
        largest_error=float(np.max(np.abs(play - objective.observed))),
        log_likelihood=log_likelihood,
        aic=aic,
        bic=bic,
        held_out=held,
        identification=known,
        warnings=tuple(([doubt] if doubt else []) + notes),
        largest_gap=gap,
        converged=bool(optimum.settled.all() and refits.settled.all()),
    )


def _criterion(given: str | None, records: Sequence[ObservedPlay]) -> Criterion:
    if given is None:
        return "likelihood" if all(record.observations for record in records) else "least_squares"
    check_choice(given, "criterion", get_args(Criterion))
    return cast(Criterion, given)


def _weights(
    given: Sequence[float | int] | None, criterion: Criterion, games: int
) -> Float[np.ndarray, " games"]:
    if criterion == "likelihood":
        if given is not None:
            raise ValueError(
                "weights go with criterion='least_squares'; the likelihood weighs games by their counts"
            )
        return np.ones(games)
    if given is None:
        return np.full(games, 1.0 / games)
    numbers = np.asarray(given, dtype=float)
    if numbers.shape != (games,) or not (np.isfinite(numbers).all() and (numbers > 0.0).all()):
        raise ValueError(f"weights must be one positive number per game ({games}), got {given!r}")
    return np.asarray(numbers / numbers.sum())


def _folds(
    given: bool | Sequence[Sequence[int]], games: int, sharing: Sharing
) -> tuple[tuple[int, ...], ...]:
    if given is False:
        return ()
    if sharing == "per_game":
        raise ValueError("with sharing='per_game' nothing is learned about a game that is held out")
    folds = tuple((k,) for k in range(games)) if given is True else tuple(map(tuple, given))
    listed = [k for fold in folds for k in fold]
    if not all(isinstance(k, int | np.integer) and 0 <= k < games for k in listed):
        raise ValueError(f"held_out must list positions of games, 0 to {games - 1}, got {given!r}")
    if len(set(listed)) < len(listed) or not all(folds):
        raise ValueError(f"held_out must list every game at most once, and no empty list, got {given!r}")
    if any(len(fold) == games for fold in folds):
        raise ValueError("held_out leaves no game to fit; give at least two games")
    return folds


def _split(optima: Optimum, count: int) -> tuple[Optimum, Optimum]:
    first, rest = slice(count), slice(count, None)
    one, other = (
        Optimum(optima.values[part], optima.cost[part], optima.settled[part]) for part in (first, rest)
    )
    return one, other


def _predict(
    objective: Objective,
    values: Float[np.ndarray, "problems parameters"],
    owner: np.ndarray,
    wanted: np.ndarray,
) -> tuple[Float[np.ndarray, " entries"], float]:
    """Predictions of the wanted games, each at its own problem's parameters, and the largest gap."""
    used = (owner == np.arange(len(values))[:, None]) & wanted
    found = objective.predict(values, used)
    play = found.play[owner[objective.game_of], np.arange(len(objective.observed))]
    for k in map(int, np.flatnonzero(wanted)):
        if np.isnan(play[objective.game_of == k]).any():
            family = objective.family
            raise NotConvergedError(family.concept(values[owner[k]]).find(objective.records[k].game))
    return play, float(np.max(found.gaps[used]))


def _at_ends(family: Family, values: Float[np.ndarray, "problems parameters"]) -> np.ndarray:
    """Which end of the searched range every estimate sits at: "low", "high" or ""."""
    return np.where(
        values <= family.low * (1.0 + 1e-6), "low", np.where(values >= family.high * (1.0 - 1e-6), "high", "")
    )


def _estimates(
    family: Family,
    records: Sequence[ObservedPlay],
    games: Sequence[str],
    values: Float[np.ndarray, "problems parameters"],
    low: np.ndarray | None,
    high: np.ndarray | None,
    ends: np.ndarray,
) -> tuple[Estimate, ...]:
    return tuple(
        Estimate(
            parameter.field.name,
            None if parameter.player is None else records[0].game.player_names[parameter.player],
            games[k] if games else None,
            float(values[k, j]),
            None if low is None else float(low[k, j]),
            None if high is None else float(high[k, j]),
            str(ends[k, j]),
        )
        for k in range(len(values))
        for j, parameter in enumerate(family.parameters)
    )


def _held_out(
    objective: Objective,
    refits: Optimum,
    folds: tuple[tuple[int, ...], ...],
    masks: np.ndarray,
    weights: Float[np.ndarray, " games"],
) -> HeldOut:
    wanted = np.asarray(masks.any(axis=0))
    play, _ = _predict(objective, refits.values, np.argmax(masks, axis=0), wanted)
    games = np.flatnonzero(wanted)
    errors = objective.squared_distances(play)[games]
    log_likelihoods = objective.log_likelihoods(play)
    return HeldOut(
        folds,
        tuple(objective.family.concept(row) for row in refits.values),
        tuple(int(k) for k in games),
        tuple(profile for k, profile in enumerate(objective.profiles(play)) if wanted[k]),
        errors,
        float(weights[games] @ errors / weights[games].sum()),
        None if log_likelihoods is None else float(log_likelihoods[games].sum()),
    )


def _notes(
    candidates: Search,
    family: Family,
    estimates: Sequence[Estimate],
    optimum: Optimum,
    refits: Optimum,
) -> list[str]:
    notes = []
    lost = int(np.isnan(candidates.play).any(axis=1).sum())
    if lost:
        notes.append(
            f"{lost} of {len(candidates.points)} candidate parameters had a prediction that did not converge "
            "and were left out of the search"
        )
    fields = {parameter.field.name: parameter.field for parameter in family.parameters}
    for one in estimates:
        if one.at_end:
            field = fields[one.field]
            meaning = field.at_low if one.at_end == "low" else field.at_high
            if one.field in family.narrowed:
                meaning = "a better fit may lie beyond it"
            notes.append(
                f"{one.name} = {one.value:.4g} sits at the {'lower' if one.at_end == 'low' else 'upper'} end "
                f"of the searched range: {meaning}. search={{'{one.field}': (low, high)}} changes the range"
            )
        if one.low is not None and np.isnan([one.low, one.high or 0.0]).any():
            notes.append(
                f"an end of the interval of {one.name} was not found: predictions did not converge there"
            )
    if not np.isfinite(optimum.cost).all():
        notes.append("some observed choice has predicted probability zero at every parameter value tried")
    elif not optimum.settled.all():
        notes.append("the search for the optimum did not settle; the estimates are approximate")
    if not refits.settled.all():
        count = int((~refits.settled).sum())
        notes.append(f"the search did not settle in {count} of {len(refits.settled)} folds")
    return notes


__all__ = ["Estimate", "Fit", "FitWarning", "HeldOut", "Identification", "IdentificationWarning", "fit"]
