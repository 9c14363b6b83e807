"""How fast are stationary logit equilibria of Markov games, beside sgamesolver, and how do they scale?

    python benchmarks/markov_against_sgamesolver.py [--markdown] [--repetitions 5] [--picture FILE]

Random two-player games, rewards uniform on [0, 1], dense transitions from a flat Dirichlet law, discount
0.95.
sgamesolver (Eibelshauser and Poensgen) follows the logit homotopy with its compiled functions; it was written
for an older NumPy and needs three names that NumPy has dropped.
"""

from __future__ import annotations

from _measure import Target, cpu_seconds, milliseconds, options, show, target_table, times

# isort: split
import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

for _name, _value in {"product": np.prod, "NaN": np.nan, "Inf": np.inf}.items():
    setattr(np, _name, _value)
import sgamesolver
from matplotlib.ticker import NullFormatter

import equipoise as eqp
from equipoise import MarkovGame
from equipoise.equilibria import follow_noise
from equipoise.equilibria._markov_sweeps import answer_in_turn
from equipoise.reporting.style import PALETTE, canvas, save, styled
from equipoise.reporting.tables import Table

SEED = 2024
DISCOUNT = 0.95
DENSE = ((5, 3, 50.0), (20, 5, 100.0), (100, 3, 300.0))  # states, actions, speed asked for
SPARSE = (300, 1000, 3000, 10_000)
SUCCESSORS = 5
BRANCHES = 200  # random games on which the quick way is compared with the path
SAME = 1e-6

Profile = list[np.ndarray]


@dataclass
class Study:
    """Rows of the tables, filled while measuring."""

    repetitions: int
    speeds: list[list[object]] = field(default_factory=list)
    growth: list[list[object]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)


def dense_game(rng: np.random.Generator, states: int, actions: int) -> MarkovGame:
    """A random game with dense transitions."""
    shape = (states, actions, actions)
    return MarkovGame(
        rng.dirichlet(np.ones(states), size=shape), list(rng.random((2, *shape))), discount=DISCOUNT
    )


def sparse_game(rng: np.random.Generator, states: int, actions: int) -> MarkovGame:
    """A random game in which few states can come next."""
    shape = (states, actions, actions)
    lists = eqp.SuccessorLists(
        rng.integers(0, states, size=(*shape, SUCCESSORS)),
        rng.dirichlet(np.ones(SUCCESSORS), size=shape),
    )
    return MarkovGame(lists, list(rng.random((2, *shape))), discount=DISCOUNT)


def theirs(game: sgamesolver.SGame, precision: float) -> Profile:
    """Sgamesolver's answer, `[S, A_i]` per player."""
    with contextlib.redirect_stdout(io.StringIO()):
        homotopy = sgamesolver.homotopy.QRE(game)
        homotopy.solver_setup(target_lambda=precision)
        homotopy.solver.verbose = 0
        homotopy.solve()
    found = np.array(homotopy.equilibrium.strategies)
    return [found[:, 0], found[:, 1]]


def as_theirs(game: MarkovGame) -> sgamesolver.SGame:
    """The game as sgamesolver wants it."""
    rewards = game.rewards_at()
    return sgamesolver.SGame(
        [rewards[:, s] for s in range(game.num_states)], list(game.transitions_at()), DISCOUNT
    )


def residual(game: MarkovGame, profile: Sequence[np.ndarray], precision: float) -> float:
    """Largest |pi - softmax(lambda Q)| over states, from nothing but the game and the policies."""
    first, second = profile
    law = first[:, :, None] * second[:, None]
    kernel = game.transitions_at()
    chain = np.einsum("sab,sabt->st", law, kernel)
    worst = 0.0
    for i, reward in enumerate(game.rewards):
        values = np.linalg.solve(np.eye(len(chain)) - DISCOUNT * chain, (law * reward).sum(axis=(1, 2)))
        payoff = reward + DISCOUNT * kernel @ values
        worth = (payoff * second[:, None]).sum(axis=2) if i == 0 else (payoff * first[:, :, None]).sum(axis=1)
        odds = np.exp(precision * (worth - worth.max(axis=1, keepdims=True)))
        worst = max(worst, float(np.abs(profile[i] - odds / odds.sum(axis=1, keepdims=True)).max()))
    return worst


def plain(game: MarkovGame, precision: float) -> Profile:
    """Answers and one step of value iteration in turn, until values change by 1e-8."""
    kernel = game.transitions_at().reshape(-1, game.num_states)
    rewards = [r.reshape(-1) for r in game.rewards]
    shape = (game.num_states, *game.num_actions)
    values = np.zeros((2, game.num_states))
    first, second = (np.full((shape[0], a), 1.0 / a) for a in shape[1:])
    while True:
        payoff = [(r + DISCOUNT * (kernel @ v)).reshape(shape) for r, v in zip(rewards, values, strict=True)]
        worth = (payoff[0] @ second[:, :, None])[:, :, 0]
        odds = np.exp(precision * (worth - worth.max(axis=1, keepdims=True)))
        first = odds / odds.sum(axis=1, keepdims=True)
        worth = (first[:, None] @ payoff[1])[:, 0]
        odds = np.exp(precision * (worth - worth.max(axis=1, keepdims=True)))
        second = odds / odds.sum(axis=1, keepdims=True)
        law = first[:, :, None] * second[:, None]
        new = np.stack([(law * p).sum(axis=(1, 2)) for p in payoff])
        change = np.abs(new - values).max()
        values = new
        if change <= 1e-8:
            return [first, second]


def compare(study: Study, states: int, actions: int, asked: float | None, precision: float) -> None:
    """Rows for one game and precision."""
    rng = np.random.default_rng(SEED)
    game = dense_game(rng, states, actions)
    peer = as_theirs(game)
    concept = eqp.QRE(precision, regularizer_in_value=False)
    what = [f"{states} states, {actions}×{actions}", f"{precision:g}"]
    slow, their = cpu_seconds(lambda: theirs(peer, precision), 1 if states >= 100 else study.repetitions)
    study.speeds.append(
        [*what, "sgamesolver", milliseconds(slow), "1×", f"{residual(game, their, precision):.0e}", ""]
    )
    ours = eqp.solve(game, concept)
    if ours.details["method"] == "mutual answers":
        seconds, point = cpu_seconds(lambda: plain(game, precision), study.repetitions)
        study.speeds.append(
            [*what, "value iteration", milliseconds(seconds), times(slow / seconds),
             f"{residual(game, point, precision):.0e}", ""]
        )  # fmt: skip
        eps = np.full(2, 1.0 / precision)
        seconds, swept = cpu_seconds(lambda: answer_in_turn(game, eps, False), study.repetitions)
        study.speeds.append(
            [*what, "Equipoise, no certificate", milliseconds(seconds), times(slow / seconds),
             f"{residual(game, swept.policies, precision):.0e}", ""]
        )  # fmt: skip
    seconds, ours = cpu_seconds(lambda: eqp.solve(game, concept), study.repetitions)
    error = residual(game, ours.strategies, precision)
    study.speeds.append(
        [*what, f"Equipoise, {ours.details['method']}", milliseconds(seconds), times(slow / seconds),
         f"{error:.0e}", f"{ours.certificate.gap:.0e}"]
    )  # fmt: skip
    apart = max(float(np.abs(a - b).max()) for a, b in zip(their, ours.strategies, strict=True))
    same = "the same" if apart <= 1e-5 else f"{apart:.1g} apart"
    question = f"{what[0]}, λ = {precision:g}: sgamesolver / Equipoise with certificate; answers"
    if asked is not None:
        met = slow / seconds >= asked and error <= residual(game, their, precision)
        study.targets.append(
            Target(question, f"≥ {asked:g}×, the same", f"{times(slow / seconds)}, {same}", met)
        )
    else:
        met = ours.converged and apart <= 1e-5
        study.targets.append(Target(question, "certified, the same", f"{times(slow / seconds)}, {same}", met))


def grow(study: Study) -> list[tuple[int, float]]:
    """Times of sparse games of growing size."""
    rng = np.random.default_rng(SEED)
    drawn = []
    for states in SPARSE:
        game = sparse_game(rng, states, 3)
        transitions = states * 9 * SUCCESSORS
        concept = eqp.QRE(1.0, regularizer_in_value=False)
        seconds, found = cpu_seconds(lambda g=game, c=concept: eqp.solve(g, c), 3)  # type: ignore[misc]
        study.growth.append(
            [states, f"{transitions:,}", f"{seconds:.3g}", f"{1e6 * seconds / transitions:.2g}",
             f"{found.certificate.gap:.0e}", found.converged]
        )  # fmt: skip
        drawn.append((transitions, seconds))
    (few, fast), (many, slow) = drawn[0], drawn[-1]
    exponent = float(np.log(slow / fast) / np.log(many / few))
    study.targets.append(
        Target(
            f"sparse games, λ = 1: exponent of the time in the number of transitions, {few:,} to {many:,}",
            "about 1, at most 1.2",
            f"{exponent:.2f}",
            exponent <= 1.2,
        )
    )
    return drawn


@styled
def picture(drawn: Sequence[tuple[int, float]]):
    """Time against the number of transitions, beside proportional growth."""
    figure, (ax,) = canvas(4.6, 3.4)
    size, seconds = np.array(drawn).T
    ax.plot(size, seconds, marker="o", color=PALETTE[0], label="measured")
    ax.plot(size, seconds[-1] * size / size[-1], color=PALETTE[1], linestyle="--", label="proportional")
    ax.set(xscale="log", yscale="log", xlabel="transitions of positive probability", ylabel="CPU seconds")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.legend()
    return figure


def branches(study: Study) -> None:
    """Whether the quick way ends where the path from uniform play ends."""
    rng = np.random.default_rng(SEED)
    quick = wrong = 0
    for _ in range(BRANCHES):
        game = dense_game(rng, int(rng.integers(1, 8)), int(rng.integers(2, 4)))
        concept = eqp.QRE(float(10.0 ** rng.uniform(-1, 1)), regularizer_in_value=False)
        found = eqp.solve(game, concept)
        if found.details["method"] == "mutual answers":
            quick += 1
            path = follow_noise(game, concept)
            apart = max(
                float(np.abs(a - b).max()) for a, b in zip(path.strategies, found.strategies, strict=True)
            )
            wrong += not path.converged or apart > SAME
    study.targets.append(
        Target(
            f"random games, λ from 0.1 to 10, of which {quick} of {BRANCHES} went the quick way: off the "
            "principal branch",
            "0",
            str(wrong),
            wrong == 0,
        )
    )


def main() -> None:
    chosen = options(
        __doc__.splitlines()[0],
        repetitions=(5, "runs of which the median counts"),
        picture=("", "file to draw the growth to"),
    )
    study = Study(chosen.repetitions)
    # The first calls import what they need.
    eqp.solve(dense_game(np.random.default_rng(0), 2, 2), eqp.QRE(1.0))
    for states, actions, asked in DENSE:
        compare(study, states, actions, asked, 1.0)
    for states, actions, _ in DENSE[:2]:
        compare(study, states, actions, None, 10.0)
    drawn = grow(study)
    branches(study)
    if chosen.picture:
        save(picture(drawn), chosen.picture)
    headings = ["game", "λ", "method", "CPU ms", "speed", "residual", "certified gap"]
    show(
        [
            Table(headings, study.speeds),
            Table(
                ["states", "transitions", "CPU s", "µs per transition", "certified gap", "converged"],
                study.growth,
            ),
            target_table(study.targets),
        ],
        [
            f"One random game per size, seed {SEED}, discount {DISCOUNT}. CPU time, the median of "
            f"{study.repetitions} runs (one run of sgamesolver from 100 states on). "
            "Building either program's game is not timed.",
            "Residual: max |π − softmax(λ Q)| with exact values of the policies, computed for all by "
            "the same lines of this script. Values leave the entropy out, as sgamesolver's do.",
            "The certificate holds every player's best reply, noisy and not, by policy iteration. It is "
            "included in the time unless the row says otherwise.",
            f"Sparse games: 3×3 actions, {SUCCESSORS} possible successors of every joint action, λ = 1.",
        ],
        peers=["sgamesolver"],
        markdown=chosen.markdown,
    )


if __name__ == "__main__":
    main()
