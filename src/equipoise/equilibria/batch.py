"""Thousands of games in one call."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from jaxtyping import Bool, Float, Int

from equipoise.equilibria._branch import Branch
from equipoise.equilibria._certificate import Gaps
from equipoise.equilibria._quantal import converged, many, solution
from equipoise.equilibria._solution import Concept, Solution
from equipoise.equilibria.qre import QRE
from equipoise.equilibria.rqe import RQE
from equipoise.equilibria.uniqueness import uniqueness
from equipoise.games.normal_form import NormalFormGame


@dataclass(frozen=True, eq=False)
class SolutionBatch(Sequence[Solution]):
    """Solutions of many games, in the order the games were given.

    Indexing gives a full `Solution`. The arrays are there for speed; `strategies` needs games of one shape.

    Attributes:
        games, concepts: what was solved, one of each per solution.
        converged: which solutions reached their tolerance, `[batch]`.
        gaps: certified exploitability, `[batch]`.
        values: the players' values; NaN where a game has fewer players than another, `[batch, players]`.
        residuals: largest violation of the solver's own equations, in payoff units, `[batch]`.
        iterations: `[batch]`.
    """

    games: Sequence[NormalFormGame]
    concepts: Sequence[Concept]
    converged: Bool[np.ndarray, " batch"]
    gaps: Float[np.ndarray, " batch"]
    values: Float[np.ndarray, "batch players"]
    residuals: Float[np.ndarray, " batch"]
    iterations: Int[np.ndarray, " batch"]
    _strategies: Sequence[tuple[np.ndarray, ...]]
    _record: Callable[[int], Solution]

    @property
    def strategies(self) -> tuple[Float[np.ndarray, "batch actions"], ...]:
        """One array per player, `[batch, actions]`.

        Raises:
            ValueError: the games differ in shape; take the solutions one by one.
        """
        if len({game.num_actions for game in self.games}) > 1:
            raise ValueError("the games differ in shape; use batch[k].strategies")
        return tuple(np.stack(player) for player in zip(*self._strategies, strict=True))

    def __len__(self) -> int:
        return len(self.games)

    @overload
    def __getitem__(self, k: int) -> Solution: ...
    @overload
    def __getitem__(self, k: slice) -> list[Solution]: ...
    def __getitem__(self, k: int | slice) -> Solution | list[Solution]:
        if isinstance(k, slice):
            return [self._record(i) for i in range(*k.indices(len(self)))]
        if not -len(self) <= k < len(self):
            raise IndexError(f"solution {k} of a batch of {len(self)}")
        return self._record(k % len(self))


def solve_batch(
    games: Iterable[NormalFormGame] | Float[np.ndarray, "batch players *actions"],
    concept: Concept | Sequence[Concept],
    *,
    each: Callable[[int], None] | None = None,
) -> SolutionBatch:
    """Solve many games for one concept, or for one concept each.

    Quantal concepts (`QRE`, `RQE`) are solved together, all games of one shape in one vectorised path
    following; other concepts one by one.

    Args:
        games: games, possibly of different shapes, or stacked payoffs `[batch, players, A_1, ..., A_n]`.
        concept: one concept for all games, or a sequence with one per game (a grid of parameters, say).
        each: called with the number of solutions finished, for a progress bar.

    Returns:
        The solutions, with certificates. A game that did not converge is flagged and a warning counts them.

    Raises:
        ValueError: the numbers of games and concepts differ, or a concept cannot be asked of a game.
    """
    listed = [NormalFormGame(list(g)) for g in games] if isinstance(games, np.ndarray) else list(games)
    concepts = list(concept) if isinstance(concept, Sequence) else [concept] * len(listed)
    if len(concepts) != len(listed):
        raise ValueError(
            f"{len(listed)} games but {len(concepts)} concepts; give one concept, or one for each game"
        )
    groups: dict[object, list[int]] = {}
    parameters: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for k, (game, wanted) in enumerate(zip(listed, concepts, strict=True)):
        if isinstance(wanted, (QRE, RQE)):
            tau, eps = parameters[k] = wanted.parameters(game.num_players)
            if eps.all():
                groups.setdefault((game.num_actions, wanted.rules, tuple(tau == 0.0)), []).append(k)

    found: dict[int, tuple[Branch, Gaps, int] | Solution] = {}
    for members in groups.values():
        payoffs = [
            np.stack([listed[k].payoffs[i] for k in members]) for i in range(listed[members[0]].num_players)
        ]
        tau = np.stack([parameters[k][0] for k in members])
        eps = np.stack([parameters[k][1] for k in members])
        branch, gaps = many(payoffs, tau, eps, concepts[members[0]].rules)  # type: ignore[attr-defined]
        found.update({k: (branch, gaps, place) for place, k in enumerate(members)})
        if each is not None:
            each(len(found))
    for k, (game, wanted) in enumerate(zip(listed, concepts, strict=True)):
        if k not in found:
            found[k] = wanted.find(game)
            if each is not None:
                each(len(found))
    return _assemble(listed, concepts, found)


def _assemble(
    games: Sequence[NormalFormGame],
    concepts: Sequence[Concept],
    found: dict[int, tuple[Branch, Gaps, int] | Solution],
) -> SolutionBatch:
    count = len(games)
    good, gaps = np.zeros(count, bool), np.zeros(count)
    residuals, iterations = np.zeros(count), np.zeros(count, int)
    values = np.full((count, max((g.num_players for g in games), default=0)), np.nan)
    strategies: list[tuple[np.ndarray, ...]] = []
    flags: dict[int, np.ndarray] = {}
    for k in range(count):
        item = found[k]
        if isinstance(item, Solution):
            good[k], gaps[k] = item.converged, item.certificate.gap
            residuals[k], iterations[k] = item.residual, item.iterations
            values[k, : len(item.values)] = item.values
            strategies.append(item.strategies)
            continue
        branch, gap, place = item
        flag = flags.setdefault(id(branch), converged(branch, gap))
        good[k], gaps[k] = flag[place], gap.upper[place].sum()
        residuals[k], iterations[k] = branch.residual[place], branch.solves[place]
        values[k, : gap.values.shape[1]] = gap.values[place]
        strategies.append(tuple(s[:, place] for s in branch.strategies))

    def record(k: int) -> Solution:
        item = found[k]
        if isinstance(item, Solution):
            return item
        branch, gap, place = item
        wanted = concepts[k]
        risk = (
            wanted if isinstance(wanted, RQE) else RQE(0.0, tuple(wanted.parameters(games[k].num_players)[1]))
        )  # type: ignore[attr-defined]
        known = uniqueness(games[k], risk)
        return solution(
            games[k],
            wanted,
            branch,
            gap,
            place,
            named="the equilibrium" if known.unique else "principal",
            status=known.status,
        )

    if not good.all():
        warnings.warn(
            f"{count - int(good.sum())} of {count} games did not converge; see `.converged` of the result",
            RuntimeWarning,
            stacklevel=3,
        )
    return SolutionBatch(games, concepts, good, gaps, values, residuals, iterations, strategies, record)
