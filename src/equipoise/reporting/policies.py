"""Policies of Markov games: pictures on the map, text for the terminal, tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from equipoise.reporting.paths import Path, likely_path, likely_start, policies_at
from equipoise.reporting.style import FAINT, INK, PALETTE, canvas, headline, styled
from equipoise.reporting.tables import Table, format_number, jsonable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from equipoise.equilibria import MarkovSolution
    from equipoise.games import GridMap

ARROWS = {(0, 1): "→", (-1, 0): "↑", (0, -1): "←", (1, 0): "↓", (0, 0): "•"}
LARGEST = 40  # states shown in a table or as bars
ORDINARY = " .#"  # characters of cells that need no label
WALL = "#"
UNDECIDED = 0.1  # how much the likeliest action must exceed the uniform probability to be drawn as text


def policy_table(solution: MarkovSolution, step: int = 0) -> Table:
    """Policies and values of one step, one row per state and player.

    Args:
        solution: policies of a Markov game.
        step: the step, from 0, in a game with a horizon.

    Returns:
        The table; of many states only the first ones.
    """
    game = solution.game
    actions = max(game.num_actions)
    shared = len(set(game.action_names)) == 1
    heads = game.action_names[0] if shared else tuple(f"action {a + 1}" for a in range(actions))
    values = _values(solution, step)
    rows: list[list[object]] = []
    for s in range(min(game.num_states, LARGEST)):
        for i, policy in enumerate(policies_at(solution, step)):
            cells: list[object] = [float(p) for p in policy[s]]
            if not shared:
                cells = [
                    f"{name} {format_number(float(p))}"
                    for name, p in zip(game.action_names[i], policy[s], strict=True)
                ]
            cells += [None] * (actions - len(cells))
            state = game.state_names[s] if i == 0 else ""
            rows.append([state, game.player_names[i], *cells, float(values[i, s])])
    left = game.num_states - LARGEST
    caption = f"the first {LARGEST} of {game.num_states} states" if left > 0 else ""
    return Table(["state", "player", *heads, "value"], rows, caption)


def policy_text(solution: MarkovSolution, step: int = 0, state: int | None = None) -> str:
    """Every player's policy as arrows on the map, for the terminal.

    In every cell stands the player's most likely action there while the others stand where `state` has them;
    `+` where no action stands out. Cells that are not floor show their character beside it.

    Args:
        solution: policies of a grid world.
        step: the step, from 0, in a game with a horizon.
        state: where the others stand; the most likely first state by default.

    Raises:
        ValueError: the game has no map.
    """
    layout = _layout(solution)
    state = likely_start(solution) if state is None else state
    blocks = []
    for i, policy in enumerate(policies_at(solution, step)):
        where = _states_by_cell(layout, state, i)
        lines = [f"{solution.game.player_names[i]}:"]
        for row, text in enumerate(layout.rows):
            cells = []
            for column, character in enumerate(text):
                s = where[row * layout.width + column]
                mark = " " if s < 0 else _mark(layout, policy[s])
                label = " " if character in ORDINARY.replace(WALL, "") else character
                cells.append(f"{mark}{label}")
            lines.append("  " + " ".join(cells).rstrip())
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def path_text(solution: MarkovSolution, path: Path) -> str:
    """A path as one line per player: the cells it visits, without waiting; states where there is no map."""
    game, layout = solution.game, solution.game.layout
    ends = f"probability of exactly this path: {format_number(path.probability)}"
    if layout is None:
        names = [game.state_names[s] for s in _without_waiting(path.states)]
        return f"{' -> '.join(names)} ({ends})"
    lines = []
    for i, player in enumerate(game.player_names):
        cells = _without_waiting(layout.positions[path.states, i])
        lines.append(f"{player}: " + " ".join(f"({c // layout.width},{c % layout.width})" for c in cells))
    return "\n".join([*lines, ends])


@styled
def draw_policy(
    solution: MarkovSolution,
    step: int = 0,
    state: int | None = None,
    *,
    path: Path | None = None,
    title: str = "",
) -> Figure:
    """Draw every player's policy: arrows on the map, or bars where the game has no map.

    Arrows are as long as their actions are likely, with the other players where `state` has them; colours
    are the player's values. The most likely path starts at the player's dot.

    Args:
        solution: policies of a Markov game.
        step: the step, from 0, in a game with a horizon.
        state: where the others stand; the most likely first state by default.
        path: the path to draw; the most likely one from `state` by default.
        title: stands over the picture.
    """
    game, layout = solution.game, solution.game.layout
    state = likely_start(solution) if state is None else state
    if layout is None:
        figure, axes = canvas(
            min(3.0 + 0.35 * game.num_states, 14.0), 2.4 * game.num_players, game.num_players
        )
        for i, axis in enumerate(axes):
            _bars(axis, solution, i, step)
    else:
        path = likely_path(solution, state) if path is None else path
        width = max(2.6, 0.62 * layout.width + 1.2)
        figure, axes = canvas(width * game.num_players, 0.62 * layout.height + 1.5, 1, game.num_players)
        for i, axis in enumerate(axes):
            _map(axis, solution, i, step, state, path)
    headline(figure, title or game.title)
    return figure


@styled
def draw_paths(solutions: dict[str, MarkovSolution], paths: dict[str, Path], columns: int = 3) -> Figure:
    """Draw one path per solution on the map, side by side.

    Args:
        solutions: policies of grid worlds by name.
        paths: the path to draw of each.
        columns: panels in a row.
    """
    layout = _layout(next(iter(solutions.values())))
    rows = -(-len(solutions) // columns)
    figure, axes = canvas(
        columns * (0.42 * layout.width + 1.0), rows * (0.42 * layout.height + 0.75), rows, columns
    )
    for axis in axes[len(solutions) :]:
        axis.remove()
    for axis, (name, solution) in zip(axes, solutions.items(), strict=False):
        game_map = _layout(solution)
        _board(axis, game_map)
        for i in range(game_map.num_agents):
            _trail(axis, game_map, paths[name], i)
        axis.set_title(name, fontsize=9, fontweight="normal")
    return figure


def markov_evidence_table(solution: MarkovSolution) -> Table:
    """Values at the start, certificate and status of policies, one row per quantity."""
    game, certificate = solution.game, solution.certificate
    start = solution.values @ game.initial
    rows: list[list[object]] = [
        [f"value, {player}", format_number(float(start[i]))] for i, player in enumerate(game.player_names)
    ]
    rows += [
        ["gain by deviating, at most", format_number(float(certificate.gap))],
        ["gain by deviating, at least", format_number(float(certificate.lower))],
        ["Nash gap", format_number(float(certificate.nash_gap))],
        ["converged", solution.converged],
        ["iterations", solution.iterations],
        ["branch", solution.branch or None],
    ]
    return Table(["", "value"], rows, "values under the law of the first state")


def markov_solution_to_dict(solution: MarkovSolution) -> dict[str, object]:
    """Policies and their evidence as plain objects that `json` can write.

    Returns:
        Concept with parameters, policies by player as nested lists, values, certificate and status; the game
        itself is left out.
    """
    from equipoise.reporting.solutions import evidence_to_dict, parameters

    names = solution.game.player_names
    return {
        "concept": solution.concept.name,
        "parameters": parameters(solution.concept),
        "strategies": {
            name: jsonable(policy) for name, policy in zip(names, solution.strategies, strict=True)
        },
        "joint": jsonable(solution.joint),
        "values": {name: jsonable(own) for name, own in zip(names, solution.values, strict=True)},
        **evidence_to_dict(solution),
    }


def _values(solution: MarkovSolution, step: int) -> Any:
    return solution.values if solution.game.horizon is None else solution.details["values"][step]


def _layout(solution: MarkovSolution) -> GridMap:
    if solution.game.layout is None:
        raise ValueError(
            f"{solution.game.title or 'the game'} has no map to draw on; use policy_table or draw_policy"
        )
    return solution.game.layout


def _states_by_cell(layout: GridMap, state: int, agent: int) -> Any:
    """For every cell the state with the agent there and the others where `state` has them, or -1."""
    others = [j for j in range(layout.num_agents) if j != agent]
    same = np.all(layout.positions[:, others] == layout.positions[state, others], axis=1)
    found = np.full(layout.height * layout.width, -1)
    places = layout.positions[same, agent]
    found[places[places >= 0]] = np.flatnonzero(same)[places >= 0]
    return found


def _mark(layout: GridMap, law: Any) -> str:
    best = int(np.argmax(law))
    if law[best] < 1.0 / len(law) + UNDECIDED:
        return "+"
    return ARROWS.get(layout.moves[best], str(best + 1))


def _without_waiting(places: Any) -> list[int]:
    return [int(p) for k, p in enumerate(places) if k == 0 or p != places[k - 1]]


def _board(axis: Axes, layout: GridMap, *, shaded: bool = True) -> None:
    """The map's cells with their characters, rows downwards."""
    from matplotlib.patches import Rectangle

    axis.set(xlim=(-0.5, layout.width - 0.5), ylim=(layout.height - 0.5, -0.5), aspect="equal")
    axis.grid(visible=False)
    axis.set_xticks([])
    axis.set_yticks([])
    for side in axis.spines.values():
        side.set_visible(False)
    for row, text in enumerate(layout.rows):
        for column, character in enumerate(text):
            plain = character in ORDINARY or not shaded
            face = INK if character == WALL else "none" if plain else "#e8e8e8"
            box = (column - 0.5, row - 0.5)
            axis.add_patch(Rectangle(box, 1, 1, facecolor=face, edgecolor=FAINT, linewidth=0.6, zorder=1))
            if character not in ORDINARY:
                axis.text(
                    column - 0.42,
                    row - 0.4,
                    character,
                    fontsize=7,
                    color=FAINT,
                    va="top",
                    ha="left",
                    zorder=6,
                )


def _map(axis: Axes, solution: MarkovSolution, i: int, step: int, state: int, path: Path) -> None:
    layout = _layout(solution)
    where = _states_by_cell(layout, state, i)
    values = np.where(where >= 0, _values(solution, step)[i][np.maximum(where, 0)], np.nan)
    _board(axis, layout, shaded=False)
    shown = axis.imshow(
        values.reshape(layout.height, layout.width),
        cmap="Blues",
        alpha=0.75,
        zorder=0,
        interpolation="nearest",
    )
    _span(shown)
    policy = policies_at(solution, step)[i]
    for cell in np.flatnonzero(where >= 0):
        row, column = divmod(int(cell), layout.width)
        for (down, right), probability in zip(layout.moves, policy[where[cell]], strict=True):
            _arrow(axis, row, column, down, right, float(probability))
    for j in range(layout.num_agents):
        _trail(axis, layout, path, j, faint=j != i)
    axis.figure.colorbar(shown, ax=axis, shrink=0.7, label="value")
    at = f", step {step + 1}" if solution.game.horizon is not None else ""
    axis.set_title(f"{solution.game.player_names[i]}{at}", color=PALETTE[i % len(PALETTE)])


def _span(shown: Any) -> None:
    """A colour scale of some width even where all values are equal."""
    low, high = shown.get_clim()
    if not high - low > 1e-9 * max(abs(low), abs(high), 1e-9):
        shown.set_clim(low - 0.5, high + 0.5)


def _arrow(axis: Axes, row: int, column: int, down: int, right: int, probability: float) -> None:
    if probability < 0.02:
        return
    if down == right == 0:
        axis.plot(column, row, "o", color=INK, markersize=5.0 * probability, zorder=3)
        return
    length = 0.44 * probability
    axis.annotate(
        "",
        (column + length * right, row + length * down),
        (column, row),
        arrowprops={
            "mutation_scale": 3.0 + 8.0 * probability,
            "arrowstyle": "-|>",
            "color": INK,
            "lw": 0.4 + 1.2 * probability,
            "shrinkA": 0,
            "shrinkB": 0,
        },
        zorder=3,
    )


def _trail(axis: Axes, layout: GridMap, path: Path, i: int, *, faint: bool = False) -> None:
    """One agent's way along a path, drawn a little aside so that several can be told apart."""
    cells = np.array(_without_waiting(layout.positions[path.states, i]))
    cells = cells[cells >= 0]
    if not cells.size:
        return
    aside = 0.1 * (i - (layout.num_agents - 1) / 2)
    x, y = cells % layout.width + aside, cells // layout.width + aside
    colour = PALETTE[i % len(PALETTE)]
    axis.plot(x, y, color=colour, lw=2.4, alpha=0.3 if faint else 0.75, zorder=4, solid_capstyle="round")
    axis.plot(x[:1], y[:1], "o", color=colour, markersize=8, alpha=0.4 if faint else 1.0, zorder=5)
    axis.plot(x[-1:], y[-1:], "s", color=colour, markersize=6, alpha=0.4 if faint else 1.0, zorder=5)


def _bars(axis: Axes, solution: MarkovSolution, i: int, step: int) -> None:
    game = solution.game
    policy = policies_at(solution, step)[i][:LARGEST]
    bottom = np.zeros(len(policy))
    for a, action in enumerate(game.action_names[i]):
        axis.bar(
            range(len(policy)), policy[:, a], bottom=bottom, color=PALETTE[a % len(PALETTE)], label=action
        )
        bottom += policy[:, a]
    axis.set_xticks(range(len(policy)), game.state_names[:LARGEST], rotation=45, ha="right")
    axis.set(ylim=(0, 1), ylabel="probability")
    axis.set_title(game.player_names[i])
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
