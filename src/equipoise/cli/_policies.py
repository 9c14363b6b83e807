"""`equipoise solve` on Markov games: policies as tables, text on the map, or a picture."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from equipoise.cli._terminal import Terminal

if TYPE_CHECKING:
    from equipoise.cli.solve import Command
    from equipoise.equilibria import Concept, MarkovSolution
    from equipoise.games import MarkovGame


def solve_markov(options: Command, terminal: Terminal, game: MarkovGame, concept: Concept) -> int:
    """Solve a Markov game and show its policies.

    Args:
        options: the options of the command.
        terminal: where to write.
        game: the game.
        concept: what to solve for.

    Returns:
        The exit code: 0 where the solver converged, 1 where not.

    Raises:
        ValueError: an option does not fit the game.
    """
    from equipoise.equilibria import solve
    from equipoise.reporting.policies import markov_solution_to_dict

    if options.all:
        raise ValueError(
            "--all is for games in normal form; Markov games have no search for several equilibria"
        )
    last = game.horizon or 1
    if not 1 <= options.step <= last:
        raise ValueError(f"--step takes 1 to {last} in this game, got {options.step}")
    start = time.perf_counter()
    with terminal.working(f"Solving {game.title or options.game} for {concept.name} ..."):
        solution = solve(game, concept, throw=False)  # type: ignore[call-overload]
    seconds = time.perf_counter() - start
    _show(options, terminal, solution)
    terminal.say(f"{seconds:.2f} s")
    terminal.emit(
        {
            "game": {
                "title": game.title,
                "players": game.player_names,
                "actions": game.action_names,
                "states": game.num_states,
                "horizon": game.horizon,
                "discount": game.discount,
            },
            "solutions": [markov_solution_to_dict(solution)],
            "seconds": seconds,
        },
        options.out,
    )
    return 0 if solution.converged else 1


def _show(options: Command, terminal: Terminal, solution: MarkovSolution) -> None:
    from equipoise.reporting.figures import save
    from equipoise.reporting.paths import likely_path
    from equipoise.reporting.policies import (
        draw_policy,
        markov_evidence_table,
        path_text,
        policy_table,
        policy_text,
    )

    game, step = solution.game, options.step - 1
    terminal.say(f"{game.title or 'Untitled game'}: {solution.concept.name}", style="bold")
    if options.show == "policy" and game.layout is not None:
        at = f" at step {options.step} of {game.horizon}" if game.horizon is not None else ""
        terminal.say(f"Most likely moves{at} while the others stand at their start (+: undecided).")
        terminal.say(policy_text(solution, step))
    else:
        terminal.show(policy_table(solution, step))
    if options.show == "policy":
        terminal.say("Most likely path, without waiting:")
        terminal.say(path_text(solution, likely_path(solution)))
    terminal.show(markov_evidence_table(solution))
    if solution.status:
        terminal.say(solution.status)
    if options.output is not None:
        terminal.say(f"Drawn in {save(draw_policy(solution, step), options.output)}.")
