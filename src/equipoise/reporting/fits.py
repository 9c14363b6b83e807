"""Fits to observed play as tables for people and as plain objects for machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from equipoise.reporting.tables import Table, format_number, jsonable

if TYPE_CHECKING:
    from equipoise.equilibria.compare import Comparison
    from equipoise.equilibria.fit import Fit


def estimate_table(fit: Fit) -> Table:
    """The estimated parameters with their intervals, one row each.

    Args:
        fit: a fit with at least one parameter.

    Returns:
        The table; a dash is an end that was not asked for or not found.
    """
    rows: list[list[object]] = [
        [
            one.name,
            format_number(one.value, 5),
            None if one.low is None else format_number(one.low, 5),
            None if one.high is None else format_number(one.high, 5),
        ]
        for one in fit.estimates
    ]
    caption = f"{fit.level:.0%} intervals: {fit.intervals}" if fit.level is not None else ""
    return Table(["parameter", "estimate", "from", "to"], rows, caption)


def quality_table(fit: Fit) -> Table:
    """How well a fit describes the observations: one row per measure.

    Args:
        fit: the fit.
    """
    rows: list[list[object]] = [
        ["mean squared distance", format_number(fit.mean_error)],
        ["largest error of a probability", format_number(fit.largest_error)],
    ]
    if fit.criterion == "likelihood":
        rows.append(["deviance", format_number(fit.value, 6)])
    for name, value in (("log-likelihood", fit.log_likelihood), ("AIC", fit.aic), ("BIC", fit.bic)):
        if value is not None:
            rows.append([name, f"{value:.2f}"])
    if fit.held_out is not None:
        rows.append(["mean squared distance, held out", format_number(fit.held_out.mean_error)])
        if fit.held_out.log_likelihood is not None:
            rows.append(["log-likelihood, held out", f"{fit.held_out.log_likelihood:.2f}"])
    if fit.identification is not None:
        rows.append(["condition number", format_number(fit.identification.condition, 3)])
    rows.append(["largest certified gap of a prediction", format_number(fit.largest_gap, 2)])
    rows.append(["converged", fit.converged])
    return Table(["", fit.name], rows)


def prediction_table(fit: Fit) -> Table:
    """Observed and predicted probability of every action, one row each; held-out predictions beside them.

    Args:
        fit: the fit.
    """
    held = (
        {} if fit.held_out is None else dict(zip(fit.held_out.games, fit.held_out.predictions, strict=True))
    )
    rows: list[list[object]] = []
    for k, (record, profile) in enumerate(zip(fit.records, fit.predictions, strict=True)):
        game = record.game
        for i, (player, actions) in enumerate(zip(game.player_names, game.action_names, strict=True)):
            for a, action in enumerate(actions):
                row: list[object] = [
                    fit.game_names[k] if i == a == 0 else "",
                    player if a == 0 else "",
                    action,
                    float(record.frequencies[i][a]),
                    float(profile[i][a]),
                ]
                if held:
                    row.append(float(held[k][i][a]) if k in held else None)
                rows.append(row)
    return Table(["game", "player", "action", "observed", "predicted", *(["held out"] if held else [])], rows)


def comparison_table(comparison: Comparison) -> Table:
    """Several fits, one row each, without the columns that no fit fills.

    Args:
        comparison: from `compare_fits`.

    Returns:
        The table. Errors are mean squared distances.
    """
    columns: list[tuple[str, list[object]]] = [
        ("concept", [row.concept for row in comparison.rows]),
        ("parameters", [row.free_parameters for row in comparison.rows]),
        ("error", [row.mean_error for row in comparison.rows]),
        ("error, held out", [row.held_out_error for row in comparison.rows]),
        ("largest error", [row.largest_error for row in comparison.rows]),
        ("log-likelihood", [row.log_likelihood for row in comparison.rows]),
        ("held out", [row.held_out_log_likelihood for row in comparison.rows]),
        ("AIC", [row.aic for row in comparison.rows]),
        ("BIC", [row.bic for row in comparison.rows]),
        ("difference", [row.difference for row in comparison.rows]),
        ("from", [row.difference_low for row in comparison.rows]),
        ("to", [row.difference_high for row in comparison.rows]),
    ]
    filled = [(name, cells) for name, cells in columns if any(cell is not None for cell in cells)]
    where = "held out" if comparison.held_out else "in sample"
    caption = f"Error: mean squared distance. Difference: from the first row's error, {where}"
    if comparison.level is not None:
        caption += f", with {comparison.level:.0%} intervals from resampling games"
    rows = list(zip(*(cells for _, cells in filled), strict=True))
    return Table([name for name, _ in filled], rows, caption)


def fit_to_dict(fit: Fit) -> dict[str, object]:
    """A fit as plain objects that `json` can write.

    Args:
        fit: the fit.
    """
    held = fit.held_out
    plain = {
        "concept": fit.name,
        "sharing": fit.sharing,
        "criterion": fit.criterion,
        "value": fit.value,
        "estimates": [{"name": one.name, **asdict(one)} for one in fit.estimates],
        "level": fit.level,
        "intervals": fit.intervals,
        "games": [
            {
                "game": fit.game_names[k],
                "players": record.game.player_names,
                "actions": record.game.action_names,
                "observations": record.observations,
                "observed": record.frequencies,
                "predicted": fit.predictions[k],
                "error": fit.errors[k],
            }
            for k, record in enumerate(fit.records)
        ],
        "mean_error": fit.mean_error,
        "largest_error": fit.largest_error,
        "log_likelihood": fit.log_likelihood,
        "aic": fit.aic,
        "bic": fit.bic,
        "held_out": held
        and {
            "folds": held.folds,
            "concepts": [concept.name for concept in held.concepts],
            "games": held.games,
            "predicted": held.predictions,
            "errors": held.errors,
            "mean_error": held.mean_error,
            "log_likelihood": held.log_likelihood,
        },
        "identification": fit.identification and asdict(fit.identification),
        "warnings": fit.warnings,
        "largest_gap": fit.largest_gap,
        "converged": fit.converged,
    }
    return {key: jsonable(value) for key, value in plain.items()}
