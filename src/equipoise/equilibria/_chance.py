"""What the next state is worth to players who are wary of chance."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from equipoise.equilibria._system import Array
from equipoise.games.markov import MarkovGame
from equipoise.preferences import divergence, worst_case

ENTRIES = 2**20  # probabilities that are judged at once, to bound memory
SMALL, LARGE = 1.0, 500.0  # risk aversion times range of values: below, above which exp needs more care


def worth(
    game: MarkovGame,
    values: Float[np.ndarray, "players states"],
    step: int,
    aversion: Float[np.ndarray, " players"],
    penalty: str,
) -> Float[np.ndarray, "*players_and_joint"]:
    """Worst-case expectation of the next state's value, min_P { P'V + D(P, P(.|s,a))/tau }.

    Args:
        game: the game.
        values: what every state is worth to every player, `[n, S]`.
        step: the move, from 0.
        aversion: tau of every player towards chance, `[n]`; 0 is the expectation, infinity the minimum.
        penalty: the divergence D. Those that may leave the support reach every state of the game, in sparse
            games as well.

    Returns:
        `[n, S, A_1, ..., A_n]`.

    Source: Mazumdar, Panaganti and Shi (2024), arXiv 2406.14156, Equation 13.
    """
    if not aversion.any():
        return game.expected(values, step)
    judged = [_one(game, own, step, float(tau), penalty) for own, tau in zip(values, aversion, strict=True)]
    return np.stack(judged)


def _one(game: MarkovGame, values: Array, step: int, tau: float, penalty: str) -> Array:
    span = float(np.ptp(values))
    if tau == 0.0 or span == 0.0:
        return game.expected(values, step)
    if penalty == "kl" and tau * span <= SMALL:
        centre = values.min() + 0.5 * span
        return centre - np.log1p(game.expected(np.expm1(-tau * (values - centre)), step)) / tau
    if penalty == "kl" and tau * span <= LARGE:
        least = values.min()
        return least - np.log(game.expected(np.exp(-tau * (values - least)), step)) / tau
    return _listed(game, values, step, tau, penalty)


def _listed(game: MarkovGame, values: Array, step: int, tau: float, penalty: str) -> Array:
    """Every law on its own, by the worst cases of the preferences room."""
    lists = game.successors_at(step)
    shape = lists.successors.shape
    places = lists.successors.reshape(-1, shape[-1])
    laws = lists.probabilities.reshape(-1, shape[-1])
    level = 0.0 if np.isinf(tau) else 1.0 / tau
    # A feared law that leaves the support gains most from the worst state of all, listed or not.
    leaves = game.is_sparse and divergence(penalty).leaves_support
    worst = int(np.argmin(values))
    answer = np.empty(len(places))
    rows = max(ENTRIES // (shape[-1] + 1), 1)
    for begin in range(0, len(places), rows):
        part = slice(begin, begin + rows)
        law, outcome = laws[part], values[places[part]]
        if leaves:
            law = np.pad(law, ((0, 0), (0, 1)))
            outcome = np.pad(outcome, ((0, 0), (0, 1)), constant_values=values[worst])
        answer[part] = worst_case(law, outcome, penalty, level=level).value
    return answer.reshape(shape[:-1])
