"""Exact answers in two-player zero-sum games, to measure learners by: values, Nash distributions, gaps.

The row player maximises `R`, the column player `-R`. A Nash distribution is the logit equilibrium at noise
eps: both play the softmax of their expected payoffs over eps; in a zero-sum game there is exactly one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from equipoise.equilibria._linear_program import maximise_on_simplex
from equipoise.games.markov import MarkovGame

_SHRINK = 0.7  # of the noise from one stage of the continuation to the next
_NEWTON = 60  # steps of Newton's method in a stage, at most
_HALVINGS = 40  # of a Newton step, at most
_BEST_RESPONSE = 1_000  # rounds of policy iteration, at most; it needs a handful


@dataclass(frozen=True, eq=False)
class MatrixValue:
    """Value and optimal strategies of a matrix game.

    Attributes:
        value: what the row player can guarantee, in payoff units.
        strategies: optimal strategies, `[rows]` and `[columns]`.
        gap: what the column player can hold it to minus what it can guarantee, for these strategies;
            zero for exact ones.
    """

    value: float
    strategies: tuple[Float[np.ndarray, " rows"], Float[np.ndarray, " columns"]]
    gap: float


@dataclass(frozen=True, eq=False)
class NashDistribution:
    """Logit equilibria of a batch of zero-sum matrix games.

    Attributes:
        strategies: both players' strategies, `[..., rows]` and `[..., columns]`.
        residual: largest difference between a strategy and the softmax that it should be, `[...]`.
        converged: whether that is at the level of rounding, `[...]`.
    """

    strategies: tuple[Float[np.ndarray, "*batch rows"], Float[np.ndarray, "*batch columns"]]
    residual: Float[np.ndarray, "*batch"]
    converged: Bool[np.ndarray, "*batch"]


@dataclass(frozen=True, eq=False)
class SmoothedFixedPoint:
    """Where value iteration with Nash distributions in every state comes to rest.

    Attributes:
        values: the first player's values, `[S]`; exactly the values of `strategies`.
        strategies: both players' policies, `[S, A_1]` and `[S, A_2]`.
        residual: change of the values in the last step.
        spread: largest difference between the values reached from different starting points; uniqueness is
            not proved for every noise.
        converged: whether every starting point came to rest.
    """

    values: Float[np.ndarray, " states"]
    strategies: tuple[Float[np.ndarray, "states _"], Float[np.ndarray, "states _"]]
    residual: float
    spread: float
    converged: bool


def matrix_value(payoffs: Float[np.ndarray, "rows columns"]) -> MatrixValue:
    """Value of a zero-sum matrix game, by one linear program for each player.

    Args:
        payoffs: what the row player gets and the column player loses, `[rows, columns]`.

    Source: von Neumann and Morgenstern (1944).
    """
    row = maximise_on_simplex(np.zeros(payoffs.shape[0]), worst_of=payoffs.T).point
    column = maximise_on_simplex(np.zeros(payoffs.shape[1]), worst_of=-payoffs).point
    lower, upper = float(np.min(row @ payoffs)), float(np.max(payoffs @ column))
    return MatrixValue((lower + upper) / 2.0, (row, column), upper - lower)


def softmax(values: Float[np.ndarray, "*batch actions"]) -> Float[np.ndarray, "*batch actions"]:
    """`exp(v) / sum exp(v)` along the last axis."""
    weights = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def nash_distribution(
    payoffs: Float[np.ndarray, "*batch rows columns"],
    noise: float | int,
    start: Float[np.ndarray, "*batch columns"] | None = None,
) -> NashDistribution:
    """The logit equilibrium of every game of a batch: x = softmax(R y/eps), y = softmax(-R'x/eps).

    Newton's method with halved steps on `y - softmax(-R' softmax(R y/eps)/eps)`, whose derivative
    `I + D_y R' D_x R/eps^2` with D = diag(p) - p p' is always invertible, while the noise comes down from
    four times the payoffs' size. Where the result is known nearly, `start` saves the way.

    Args:
        payoffs: the row players' payoffs, `[..., rows, columns]`.
        noise: eps > 0, in payoff units.
        start: column players' strategies to try first, `[..., columns]`.

    Raises:
        ValueError: the noise is not positive.
    """
    if not noise > 0:
        raise ValueError(f"noise must be positive, got {noise}; without noise see matrix_value")
    batch, (rows, columns) = payoffs.shape[:-2], payoffs.shape[-2:]
    R = payoffs.reshape(-1, rows, columns)
    # Softmax does not see a constant, and a smaller one loses fewer digits.
    R = R - (R.max(axis=(1, 2), keepdims=True) + R.min(axis=(1, 2), keepdims=True)) / 2.0
    size = float(np.abs(R).max())
    # Rounding of payoffs over noise, which the derivative may amplify once more.
    tolerance = 1e-12 + 1e-15 * (size / noise) ** 2
    if start is not None:
        y, residual = _newton(R, start.reshape(-1, columns), float(noise))
    if start is None or (residual > tolerance).any():
        y, level = np.full((len(R), columns), 1.0 / columns), max(float(noise), 4.0 * size)
        while True:
            y, residual = _newton(R, y, level)
            if level == noise:
                break
            level = max(float(noise), _SHRINK * level)
    x = softmax((R @ y[..., None])[..., 0] / noise)
    y = softmax(-(x[:, None] @ R)[:, 0] / noise)
    again = softmax((R @ y[..., None])[..., 0] / noise)
    residual = np.abs(again - x).max(axis=1)
    return NashDistribution(
        (x.reshape(*batch, rows), y.reshape(*batch, columns)),
        residual.reshape(batch),
        np.asarray(residual <= 10.0 * tolerance).reshape(batch),
    )


def _newton(
    R: Float[np.ndarray, "games rows columns"], y: Float[np.ndarray, "games columns"], noise: float
) -> tuple[Float[np.ndarray, "games columns"], Float[np.ndarray, " games"]]:
    """Newton's method at one level of noise: column strategies and residuals."""

    def parts(y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x = softmax((R @ y[..., None])[..., 0] / noise)
        z = softmax(-(x[:, None] @ R)[:, 0] / noise)
        return x, z, y - z

    x, z, error = parts(y)
    size = np.linalg.norm(error, axis=1)
    for _ in range(_NEWTON):
        if size.max() < 1e-15:
            break
        inner = (x[..., None] * R - x[..., None] * (x[:, None] @ R)) / noise
        outer = np.swapaxes(R, 1, 2) @ inner / noise
        outer = z[..., None] * (outer - z[:, None] @ outer)
        step = np.linalg.solve(np.eye(y.shape[1]) + outer, -error[..., None])[..., 0]
        scale = np.ones(len(y))
        for _ in range(_HALVINGS):
            trial = y + scale[:, None] * step
            # The Newton step is a direction of descent for this norm.
            better = np.linalg.norm(parts(trial)[2], axis=1) < size
            if better.all():
                break
            scale = np.where(better, scale, scale / 2.0)
        if not better.any():
            break
        y = np.where(better[:, None], trial, y)
        x, z, error = parts(y)
        size = np.linalg.norm(error, axis=1)
    return y, size


def entropy(law: Float[np.ndarray, "*batch actions"]) -> Float[np.ndarray, "*batch"]:
    """Shannon entropy along the last axis, in nats."""
    return np.asarray(-(law * np.log(np.where(law > 0, law, 1.0))).sum(axis=-1))


def lyapunov(
    payoffs: tuple[Float[np.ndarray, "... rows columns"], Float[np.ndarray, "... rows columns"]],
    strategies: tuple[Float[np.ndarray, "... rows"], Float[np.ndarray, "... columns"]],
    noise: float | int,
) -> Float[np.ndarray, ...]:
    """Regularised duality gap: what both could gain together where mixing is worth eps times entropy.

    `V_R = sum_i [eps log sum_a exp(u_i(a)/eps) - pi_i'u_i - eps H(pi_i)]` with u_i the expected payoffs
    against the other. It is zero at the Nash distribution only, and the exploitability is at most
    `V_R + eps (H(pi_1) + H(pi_2))`.

    Args:
        payoffs: both players' payoffs, each `[..., rows, columns]`; they need not add up to zero exactly.
        strategies: `[..., rows]` and `[..., columns]`; leading axes broadcast, so that many strategies of one
            game are judged at once.
        noise: eps > 0, in payoff units.

    Returns:
        `[...]`, in payoff units.

    Source: Chen et al. (2023), arXiv 2303.03100.
    """
    x, y = strategies
    total = 0.0
    for own, gains in (
        (x, np.einsum("...ab,...b->...a", payoffs[0], y)),
        (y, np.einsum("...ab,...a->...b", payoffs[1], x)),
    ):
        top = gains.max(axis=-1, keepdims=True)
        soft = noise * np.log(np.exp((gains - top) / noise).sum(axis=-1))
        total = total + soft - (own * (gains - top)).sum(axis=-1) - noise * entropy(own)
    return np.asarray(total)


def matrix_gap(
    payoffs: Float[np.ndarray, "... rows columns"],
    strategies: tuple[Float[np.ndarray, "... rows"], Float[np.ndarray, "... columns"]],
) -> Float[np.ndarray, ...]:
    """Exploitability of strategies in zero-sum matrix games, summed over the players.

    Args:
        payoffs: the row players' payoffs, `[..., rows, columns]`.
        strategies: `[..., rows]` and `[..., columns]`; leading axes broadcast, so that many strategies of one
            game are judged at once.
    """
    x, y = strategies
    rows, columns = np.einsum("...ab,...b->...a", payoffs, y), np.einsum("...ab,...a->...b", payoffs, x)
    return np.asarray(rows.max(axis=-1) - columns.min(axis=-1))


def exploring_game(
    payoffs: Float[np.ndarray, "*batch rows columns"], exploration: float | int
) -> Float[np.ndarray, "*batch rows columns"]:
    """The game whose Nash distribution tells where players who explore come to rest.

    If both play `pi = (1 - zeta) softmax(expected payoffs/eps) + zeta u` with u uniform, then their softmaxes
    are the Nash distribution of `(1 - zeta) R + zeta (R u_2) 1' + zeta 1 (u_1'R)`: the other's exploration
    adds the same to all cells of a row (or column), and softmax does not see the rest.

    Args:
        payoffs: R, `[..., rows, columns]`.
        exploration: zeta, in [0, 1].
    """
    shares = payoffs.mean(axis=-1, keepdims=True) + payoffs.mean(axis=-2, keepdims=True)
    return np.asarray((1.0 - exploration) * payoffs + exploration * shares)


def exploring_distribution(
    payoffs: Float[np.ndarray, "*batch rows columns"],
    noise: float | int,
    exploration: float | int = 0.0,
    start: Float[np.ndarray, "*batch columns"] | None = None,
) -> NashDistribution:
    """Where smoothed best responses with exploration come to rest: `(1 - zeta) mu + zeta uniform`.

    Args:
        payoffs: R, `[..., rows, columns]`.
        noise: eps > 0, in payoff units.
        exploration: zeta, in [0, 1]; 0 gives the Nash distribution itself.
        start: as in `nash_distribution`.

    Returns:
        The limit. Its exploitability is at most `eps (log A_1 + log A_2) + 4 zeta max|R|`.
    """
    found = nash_distribution(exploring_game(payoffs, exploration), noise, start)
    mixed = tuple((1.0 - exploration) * mu + exploration / mu.shape[-1] for mu in found.strategies)
    return NashDistribution((mixed[0], mixed[1]), found.residual, found.converged)


def check_zero_sum(game: MarkovGame) -> None:
    """Refuse a Markov game that is not discounted, of two players and zero-sum.

    Raises:
        ValueError: it is not; the message says where.
    """
    if game.discount is None:
        raise ValueError(f"the game has a horizon ({game.horizon}); it must have a discount instead")
    if game.num_players != 2:
        raise ValueError(f"the game has {game.num_players} players; it must have two")
    total = np.abs(game.rewards[0] + game.rewards[1])
    if total.max() > 1e-9 * max(float(np.abs(game.rewards[0]).max()), 1.0):
        where = [int(k) for k in np.unravel_index(int(total.argmax()), total.shape)]
        raise ValueError(
            f"the game is not zero-sum: in state {where[0]} at joint action {tuple(where[1:])} rewards are "
            f"{game.rewards[0][tuple(where)]:g} and {game.rewards[1][tuple(where)]:g}; they must add up to 0"
        )


def smoothed_fixed_point(
    game: MarkovGame,
    noise: float | int,
    exploration: float | int = 0.0,
    *,
    starts: int = 3,
    rng: np.random.Generator | None = None,
    tolerance: float | int = 1e-10,
    rounds: int = 5_000,
) -> SmoothedFixedPoint:
    """Iterate `v(s) <- mu_1' T(v)(s) mu_2`, mu the Nash distribution of the matrix `T(v)(s)`, to rest.

    It is what independent smoothed best responses with value iteration approach: the value leaves the entropy
    out, so it is the value of its own policies, within `eps log A/(1 - gamma)` of the game's value. That the
    iteration contracts is not proved for every noise, so it is run from several points.

    Args:
        game: a discounted two-player zero-sum game.
        noise: eps > 0, in payoff units.
        exploration: zeta in [0, 1], as in `exploring_distribution`.
        starts: starting points: zero, and random ones over the range of possible values.
        rng: draws the random ones; seeded with 0 by default.
        tolerance: change of values at which the iteration rests, as a share of their possible size.
        rounds: iterations, at most.

    Raises:
        ValueError: the game is not of that kind, or a number is out of range.
    """
    check_zero_sum(game)
    if starts < 1:
        raise ValueError(f"starts must be at least 1, got {starts}")
    gamma, reward = float(game.discount or 0.0), game.rewards_at(0)[0]
    largest = max(float(np.abs(reward).max()), 1e-300) / (1.0 - gamma)
    draw = (np.random.default_rng(0) if rng is None else rng).uniform(-1.0, 1.0, (starts, game.num_states))
    values = largest * np.concatenate([np.zeros((1, game.num_states)), draw[1:]])
    y: np.ndarray | None = None
    for _ in range(rounds):
        matrices = reward + gamma * game.expected(values)
        # A softmax of exploring strategies is where Newton starts, so the exploration is taken off again.
        found = nash_distribution(exploring_game(matrices, exploration), noise, y)
        y = found.strategies[1]
        pair = [(1.0 - exploration) * mu + exploration / mu.shape[-1] for mu in found.strategies]
        new = np.einsum("ksa,ksab,ksb->ks", pair[0], matrices, pair[1])
        change = np.abs(new - values).max(axis=1)
        values = new
        if change.max() <= tolerance * largest:
            break
    return SmoothedFixedPoint(
        values[0],
        (pair[0][0], pair[1][0]),
        float(change.max()),
        float(np.ptp(values, axis=0).max()),
        bool(change.max() <= tolerance * largest and found.converged.all()),
    )


def markov_nash_gap(
    game: MarkovGame,
    policies: tuple[Float[np.ndarray, "*batch states _"], Float[np.ndarray, "*batch states _"]],
) -> Float[np.ndarray, "*batch players"]:
    """What each player could gain by a best response, expected over the first state: two policy iterations.

    Args:
        game: a discounted game of two players.
        policies: policies `[..., S, A_1]` and `[..., S, A_2]`; leading axes are independent profiles.

    Returns:
        Gains, `[..., 2]`, in payoff units; their sum is the exploitability.
    """
    if game.discount is None or game.num_players != 2:
        raise ValueError("markov_nash_gap needs a discounted game of two players")
    kernel, rewards, gamma = game.transitions_at(0), game.rewards_at(0), game.discount
    gains = []
    for i, (own, other) in enumerate((policies, policies[::-1])):
        law, reward = (
            (kernel, rewards[0]) if i == 0 else (np.swapaxes(kernel, 1, 2), rewards[1].swapaxes(1, 2))
        )
        process = np.einsum("sabz,...sb->...saz", law, other)
        payoff = np.einsum("sab,...sb->...sa", reward, other)
        best = _best_values(process, payoff, gamma)
        had = _policy_values(process, payoff, own, gamma)
        gains.append(np.maximum((best - had) @ game.initial, 0.0))
    return np.stack(gains, axis=-1)


def _policy_values(process: np.ndarray, payoff: np.ndarray, policy: np.ndarray, gamma: float) -> np.ndarray:
    chain = np.einsum("...saz,...sa->...sz", process, policy)
    earned = (payoff * policy).sum(axis=-1)
    solved = np.linalg.solve(np.eye(chain.shape[-1]) - gamma * chain, earned[..., None])
    return np.asarray(solved[..., 0])


def _best_values(process: np.ndarray, payoff: np.ndarray, gamma: float) -> np.ndarray:
    """Values of optimal play in decision processes, by Howard's policy iteration from the greedy policy."""
    choice = payoff.argmax(axis=-1)
    for _ in range(_BEST_RESPONSE):
        values = _policy_values(process, payoff, np.eye(payoff.shape[-1])[choice], gamma)
        worth = payoff + gamma * np.einsum("...saz,...z->...sa", process, values)
        kept = np.take_along_axis(worth, choice[..., None], axis=-1)[..., 0]
        # Ties to rounding keep the old choice, or the iteration might go round for ever.
        better = worth.max(axis=-1) > kept + 1e-13 * (1.0 + np.abs(kept))
        if not better.any():
            break
        choice = np.where(better, worth.argmax(axis=-1), choice)
    return values
