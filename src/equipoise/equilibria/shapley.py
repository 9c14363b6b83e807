"""Zero-sum discounted games: Shapley's iteration, with the steps of policy iteration where they help."""

from __future__ import annotations

import numpy as np

from equipoise.equilibria._decision_process import facing
from equipoise.equilibria._markov_nash import nash_solution
from equipoise.equilibria._markov_solution import MarkovConcept, MarkovSolution
from equipoise.equilibria._matrix_games import solve_matrix_games
from equipoise.equilibria._system import Array
from equipoise.games.markov import MarkovGame

MAX_ROUNDS = 20_000
SOLVED = 1e-12  # change of values that ends the iteration, relative to their size


def is_constant_sum(game: MarkovGame) -> bool:
    """Whether two players' rewards add up to the same number everywhere, to rounding."""
    if game.num_players != 2:
        return False
    total = game.rewards[0] + game.rewards[1]
    size = max(float(np.abs(r).max()) for r in game.rewards)
    return bool(np.ptp(total) <= 1e-12 * max(size, 1e-300))


def shapley_iteration(game: MarkovGame, concept: MarkovConcept, *, polish: bool = True) -> MarkovSolution:
    """Value and optimal stationary policies of a two-player constant-sum discounted game.

    Every round solves the matrix games of all states at the current values, by one linear program. Shapley's
    step takes their values, and contracts by the discount factor. The step of Pollatschek and Avi-Itzhak
    (1969) takes the exact values of the policies found instead, which is Newton's method; it is kept where
    it violates Shapley's equation less than the last point, and undone otherwise.

    Args:
        game: a discounted two-player game whose rewards add up to a constant.
        concept: what to store as the concept, usually `Nash()`.
        polish: use steps of Pollatschek and Avi-Itzhak; False is Shapley's iteration as it was written.

    Returns:
        The solution. Its certificate is that of a Nash equilibrium: what each player could gain from any
        state on, by policy iteration. `details["contraction"]` is the observed ratio of successive changes.

    Raises:
        ValueError: the game has a horizon, not two players, or is not constant-sum.

    Source: Shapley (1953), Proceedings of the National Academy of Sciences 39, 1095-1100.
    """
    if game.discount is None or not is_constant_sum(game):
        raise ValueError(
            "shapley_iteration needs a discounted game of two players whose rewards add up to a constant; "
            "got "
            + (f"horizon {game.horizon}" if game.discount is None else f"{game.num_players} players")
            + " or rewards whose sum varies"
        )
    reward = game.rewards[0]
    values = np.zeros(game.num_states)
    held: Array | None = None  # where to go on if the Newton step does not help
    last, ratio, contraction, message = np.inf, 0.0, 0.0, ""
    rounds = 0
    while rounds < MAX_ROUNDS:
        rounds += 1
        stage = solve_matrix_games(reward + game.discount * game.expected(values))
        change = float(np.abs(stage.values - values).max())
        message = stage.message
        if change <= SOLVED * (1.0 + float(np.abs(values).max())) or message:
            break
        if held is not None and not change < last:
            # The Newton step made matters worse: take the step it replaced, which contracts.
            values, held, last = held, None, np.inf
            continue
        ratio = change / last
        contraction = max(contraction, ratio) if np.isfinite(last) else contraction
        last = change
        held, values = stage.values, stage.values
        if polish:
            values = _value(game, stage.rows, stage.columns)
    return nash_solution(
        game,
        concept,
        [stage.rows, stage.columns],
        iterations=rounds,
        residual=change,
        solved=not message,
        branch="the value",
        status=f"the linear program stopped: {message}" if message else "constant-sum: the value is unique",
        details={"method": "Shapley iteration", "contraction": ratio if not polish else None},
    )


def _value(game: MarkovGame, rows: Array, columns: Array) -> Array:
    """The row player's values of two policies."""
    process = facing(game, [rows, columns])[0]
    if len(set(game.num_actions)) == 1 and not game.is_sparse:
        process = process._replace(rewards=process.rewards[0], kernel=process.kernel[0])
    return process.evaluate(rows)
