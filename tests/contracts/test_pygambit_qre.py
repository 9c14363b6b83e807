"""The principal branch of logit QRE against Gambit's tracer, and against a third follower with tiny steps."""

import numpy as np
import pytest

from equipoise.equilibria._solution import solve
from equipoise.equilibria.batch import solve_batch
from equipoise.equilibria.qre import QRE
from equipoise.games import NormalFormGame, catalogue

pytestmark = pytest.mark.peer


def traced(game, precision):
    """Gambit's point on the principal branch, one array per player."""
    gambit = pytest.importorskip("pygambit")
    found = gambit.qre.logit_solve_lambda(gambit.StrategicGame.from_arrays(*game.payoffs), precision)
    (point,) = found
    return [
        np.array([float(player[str(a + 1)]) for a in range(count)])
        for player, count in zip(point.profile, game.num_actions, strict=True)
    ]


def distance(first, second):
    return max(np.abs(a - b).max() for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("precision", [1.0, 10.0, 100.0])
@pytest.mark.parametrize(
    ("shape", "games"), [((5, 5), 100), ((2, 2), 50), ((2, 2, 2), 40), ((3, 3, 3), 20), ((2, 2, 2, 2), 20)]
)
def test_random_games_lie_on_the_same_branch(shape, games, precision):
    # With these seeds a follower that takes long steps ends on other equilibria in 9 of the 230 games.
    rng = np.random.default_rng(100 + len(shape) + shape[0])
    payoffs = rng.standard_normal((games, len(shape), *shape))
    batch = solve_batch(payoffs, QRE(precision))
    assert batch.converged.all()
    for k, game in enumerate(batch.games):
        assert distance(batch[k].strategies, traced(game, precision)) < 1e-8, f"game {k}"


# Symmetric games whose branch meets a pitchfork before lambda = 8 (payoffs scaled to range one): Gambit
# may perturb the game and leave on an asymmetric branch, we stay on the symmetric one and say so.
PITCHFORKS = {"battle-of-the-sexes", "chicken", "collaborate-or-defect", "coordination", "hawk-dove"}


@pytest.mark.parametrize("key", sorted(k for k, e in catalogue().items() if max(e.game.num_actions) <= 6))
def test_catalogue_games_lie_on_the_same_branch(key):
    game = catalogue()[key].game
    game = game.scaled(1.0 / game.payoff_ranges().max())
    early, late = solve(game, QRE(1.0)), solve(game, QRE(8.0))
    assert distance(early.strategies, traced(game, 1.0)) < 1e-8
    assert late.details["bifurcated"] == (key in PITCHFORKS)
    if key in PITCHFORKS:
        assert late.details["index"] == -1
    else:
        assert distance(late.strategies, traced(game, 8.0)) < 1e-8


def follow_with_tiny_steps(tensors, precision, step=0.02):
    """Three-player logit QRE by arclength in (z, lambda), z = lambda u(softmax z), with fixed steps."""
    sizes = tensors[0].shape
    splits = np.cumsum(sizes)[:-1]
    size = sum(sizes)
    letters = "abc"

    def play(z):
        blocks = [np.exp(b - b.max()) for b in np.split(z, splits)]
        return [b / b.sum() for b in blocks]

    def expected(i, keep, strategies):
        """Player i's payoffs, averaged over all but the players in `keep`."""
        averaged = [j for j in range(3) if j not in keep]
        terms = ",".join(["abc", *(letters[j] for j in averaged)])
        kept = "".join(letters[j] for j in keep)
        return np.einsum(f"{terms}->{kept}", tensors[i], *(strategies[j] for j in averaged))

    def utilities(strategies):
        return np.concatenate([expected(i, [i], strategies) for i in range(3)])

    def jacobian(z, level):
        strategies = play(z)
        spreads = [np.diag(s) - np.outer(s, s) for s in strategies]
        rows = [
            [
                expected(i, [i, j], strategies) @ spreads[j] if i != j else np.zeros((sizes[i], sizes[i]))
                for j in range(3)
            ]
            for i in range(3)
        ]
        return np.column_stack([np.eye(size) - level * np.block(rows), -utilities(strategies)])

    point, direction = np.zeros(size + 1), np.r_[np.zeros(size), 1.0]
    while True:
        rows = jacobian(point[:-1], point[-1])
        tangent = np.linalg.solve(np.vstack([rows, direction]), np.r_[np.zeros(size), 1.0])
        direction = tangent / np.linalg.norm(tangent)
        last, ahead = point[-1] + step * direction[-1] >= precision, point + step * direction
        border = np.r_[np.zeros(size), 1.0] if last else direction
        goal = precision if last else border @ ahead
        for _ in range(6 if last else 2):
            rows = jacobian(ahead[:-1], ahead[-1])
            value = ahead[:-1] - ahead[-1] * utilities(play(ahead[:-1]))
            ahead = ahead - np.linalg.solve(np.vstack([rows, border]), np.r_[value, border @ ahead - goal])
        point = ahead
        if last:
            return play(point[:-1])


def test_a_third_follower_agrees_where_long_steps_go_astray():
    payoffs = np.random.default_rng(105).standard_normal((40, 3, 2, 2, 2))[12]
    ours = solve(NormalFormGame(list(payoffs)), QRE(10.0)).strategies
    assert distance(ours, follow_with_tiny_steps(list(payoffs), 10.0)) < 1e-9
