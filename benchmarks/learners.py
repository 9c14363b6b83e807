"""How many samples does each learner use per CPU second, and what do twenty seeds cost beside one?

    python benchmarks/learners.py [--markdown] [--seeds 20]

Every case is a learner and a game it is made for. Compilation is measured apart: the first call of the same
program. To measure another learner add a line to CASES.
"""

from __future__ import annotations

from _measure import SHORTEST, Target, cpu_seconds, options, show, target_table, times

# isort: split
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

import equipoise as eqp
from equipoise.games import MarkovGame, NormalFormGame, random_zero_sum
from equipoise.learning import LEARNERS, GenerativeRQE, Learner, RQEActorCritic
from equipoise.learning.training import compile_learner, in_precision
from equipoise.reporting.tables import Table, format_number

MOST = 4.0  # what twenty seeds may cost beside one
RUN = 5000  # updates of a short run


class Case(NamedTuple):
    """What is measured: a learner, in a game."""

    learner: Learner
    game: MarkovGame | NormalFormGame


def random(states: int, actions: int, *, horizon: int | None = None) -> MarkovGame:
    """A random game of two players; discounted unless it has a horizon."""
    return eqp.random_markov_game(
        states,
        (actions, actions),
        discount=None if horizon else 0.9,
        horizon=horizon,
        rng=np.random.default_rng(0),
    )


SMALL, LARGE = (2, 2), (50, 4)  # states, actions of each of two players
CASES: Mapping[str, Callable[[], Case]] = {
    "GenerativeRQE": lambda: Case(GenerativeRQE(), random(*LARGE)),
    "RQEActorCritic, small": lambda: Case(RQEActorCritic(), random(*SMALL)),
    "RQEActorCritic, small, replay": lambda: Case(RQEActorCritic(source="replay"), random(*SMALL)),
    "RQEActorCritic, large": lambda: Case(RQEActorCritic(), random(*LARGE)),
    "RQEActorCritic, large, 16 walks": lambda: Case(RQEActorCritic(walks=16), random(*LARGE)),
    "RobustQFTRL": lambda: Case(eqp.RobustQFTRL(0.2), random(10, 3, horizon=5)),
    "SmoothedBestResponse": lambda: Case(
        eqp.SmoothedBestResponse(0.3), random_zero_sum((3, 3), np.random.default_rng(0))
    ),
    "ValueIterationSBR": lambda: Case(
        eqp.ValueIterationSBR(0.3, inner_steps=2000),
        eqp.random_markov_game(5, 3, discount=0.9, zero_sum=True, floor=0.3, rng=np.random.default_rng(0)),
    ),
}


def measure(case: Case, seeds: int) -> tuple[float, float]:
    """CPU seconds of compilation, and per update of all seeds together."""
    with in_precision(case.learner.precision):
        program = compile_learner(case.learner, case.learner.prepare(case.game), seeds, 0)

        def advance(updates: int) -> Any:
            return jax.block_until_ready(program.advance(program.model, program.fresh, 0, updates))

        start = time.process_time()
        advance(1)
        compiling = time.process_time() - start
        updates, spent = 1, 0.0
        while spent < SHORTEST:
            # Enough updates that the call itself does not count.
            updates *= 4
            start = time.process_time()
            advance(updates)
            spent = time.process_time() - start
        return compiling, cpu_seconds(lambda: advance(updates), 3)[0] / updates


def main() -> None:
    chosen = options(__doc__.splitlines()[0], seeds=(20, "seeds trained side by side"))
    rows, targets = [], []
    missing = [name for name in LEARNERS if not any(case.startswith(name) for case in CASES)]
    for name, make in CASES.items():
        case = make()
        samples = case.learner.samples_per_update(case.game)
        states = () if isinstance(case.game, NormalFormGame) else (case.game.num_states,)
        compiling, alone = measure(case, 1)
        compiling_all, together = measure(case, chosen.seeds)
        run_alone, run_together = compiling + RUN * alone, compiling_all + RUN * together
        rows.append(
            [
                name,
                "×".join(map(str, (*states, *case.game.num_actions))),
                str(samples),
                format_number(compiling, 2),
                f"{samples / alone:,.0f}",
                f"{chosen.seeds * samples / together:,.0f}",
                times(together / alone),
                times(run_together / run_alone),
            ]
        )
        targets.append(
            Target(
                f"{name}: {chosen.seeds} seeds beside one",
                f"≤ {MOST:g}×",
                times(together / alone),
                together <= MOST * alone,
            )
        )
    headings = [
        "learner",
        "states × actions",
        "samples per update",
        "compilation, s",
        "samples per s, one seed",
        f"samples per s, {chosen.seeds} seeds",
        f"cost of {chosen.seeds} seeds",
        "with compilation",
    ]
    notes = [
        "CPU seconds of one thread, evaluation and records not counted; compilation is that of one seed.",
        f"Cost of {chosen.seeds} seeds: time of an update of all of them beside that of one seed alone; "
        f"with compilation: of a new run of {RUN} updates.",
    ]
    if missing:
        notes.append(f"Not measured: {', '.join(missing)}.")
    show(
        [Table(headings, rows), target_table(targets)],
        notes,
        peers=["jax", "jaxlib"],
        markdown=chosen.markdown,
    )


if __name__ == "__main__":
    main()
