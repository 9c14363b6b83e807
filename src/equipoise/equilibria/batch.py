"""Thousands of games in one call."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload

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


class _Group(NamedTuple):
    """Games of one shape solved together; `members` are their places in the batch."""

    members: Int[np.ndarray, " group"]
    branch: Branch
    gaps: Gaps


@dataclass(frozen=True, eq=False)
class SolutionBatch(Sequence[Solution]):
    """Solutions of many games, in the order the games were given.

    Indexing gives a full `Solution`; the arrays give all of them at once.

    Attributes:
        converged: which solutions reached their tolerance, `[batch]`.
        gaps: certified exploitability, `[batch]`.
        values: the players' values; NaN where a game has fewer players than another, `[batch, players]`.
        residuals: largest violation of the solver's own equations, in payoff units, `[batch]`.
        iterations: `[batch]`.
    """

    converged: Bool[np.ndarray, " batch"]
    gaps: Float[np.ndarray, " batch"]
    values: Float[np.ndarray, "batch players"]
    residuals: Float[np.ndarray, " batch"]
    iterations: Int[np.ndarray, " batch"]
    _groups: Sequence[_Group]
    _singles: dict[int, Solution]
    _game: Callable[[int], NormalFormGame]
    _concept: Callable[[int], Concept]

    @property
    def games(self) -> list[NormalFormGame]:
        """The games, in order."""
        return [self._game(k) for k in range(len(self))]

    @property
    def strategies(self) -> tuple[Float[np.ndarray, "batch actions"], ...]:
        """One array per player, `[batch, actions]`.

        Raises:
            ValueError: the games differ in shape; take the solutions one by one.
        """
        shapes = {tuple(s.shape[0] for s in group.branch.strategies) for group in self._groups}
        shapes |= {tuple(len(s) for s in single.strategies) for single in self._singles.values()}
        if len(shapes) != 1:
            raise ValueError("the games differ in shape; use batch[k].strategies")
        out = tuple(np.empty((len(self), size)) for size in shapes.pop())
        for i, player in enumerate(out):
            for group in self._groups:
                player[group.members] = group.branch.strategies[i].T
            for k, single in self._singles.items():
                player[k] = single.strategies[i]
        return out

    def __len__(self) -> int:
        return len(self.converged)

    @overload
    def __getitem__(self, k: int) -> Solution: ...
    @overload
    def __getitem__(self, k: slice) -> list[Solution]: ...
    def __getitem__(self, k: int | slice) -> Solution | list[Solution]:
        if isinstance(k, slice):
            return [self[i] for i in range(*k.indices(len(self)))]
        if not -len(self) <= k < len(self):
            raise IndexError(f"solution {k} of a batch of {len(self)}")
        k %= len(self)
        if k in self._singles:
            return self._singles[k]
        group = next(g for g in self._groups if k in g.members)
        game, concept = self._game(k), self._concept(k)
        known = uniqueness(game, _as_rqe(concept, game.num_players))
        return solution(
            game,
            concept,
            group.branch,
            group.gaps,
            int(np.flatnonzero(group.members == k)[0]),
            named="the equilibrium" if known.unique else "principal",
            status=known.status,
        )


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
        ValueError: the numbers of games and concepts differ, payoffs are not finite, or a concept cannot be
            asked of a game.
        TypeError: `concept` is not a concept.
    """
    if isinstance(games, NormalFormGame):
        raise TypeError(
            "games must be a list of games or stacked payoffs; for one game use solve(game, concept)"
        )
    stacked = games if isinstance(games, np.ndarray) else None
    listed = [] if stacked is not None else list(games)
    for k, item in enumerate(listed):
        if not isinstance(item, NormalFormGame):
            raise TypeError(
                f"games[{k}] must be a NormalFormGame, not {type(item).__name__}; stacked payoffs must be "
                "one NumPy array [batch, players, A_1, ..., A_n]"
            )
    count = len(stacked) if stacked is not None else len(listed)
    common = concept if isinstance(concept, Concept) and not isinstance(concept, type) else None
    concepts = [] if common is not None else _concepts(concept, count)

    def game_at(k: int) -> NormalFormGame:
        return NormalFormGame(list(stacked[k])) if stacked is not None else listed[k]

    def concept_at(k: int) -> Concept:
        return common if common is not None else concepts[k]

    groups: list[_Group] = []
    singles: dict[int, Solution] = {}
    finished = 0
    if stacked is not None and isinstance(common, (QRE, RQE)):
        tau, eps = common.parameters(_check_stack(stacked))
        if eps.all():
            payoffs = [np.asarray(stacked[:, i], dtype=float) for i in range(stacked.shape[1])]
            groups.append(_Group(np.arange(count), *many(payoffs, tau, eps, common.rules)))
    if not groups:
        for members in _same_shape([game_at(k) for k in range(count)], concept_at):
            group = _solve_group(members, game_at, concept_at)
            groups.append(group)
            finished += len(group.members)
            if each is not None:
                each(finished)
        together = {int(k) for group in groups for k in group.members}
        for k in range(count):
            if k not in together:
                singles[k] = concept_at(k).find(game_at(k))
                finished += 1
                if each is not None:
                    each(finished)
    return _assemble(count, groups, singles, game_at, concept_at)


def _concepts(concept: object, count: int) -> list[Concept]:
    if isinstance(concept, (type, str)) or not isinstance(concept, Iterable):
        raise TypeError(f"concept must be an instance such as QRE(1.0), or one per game, not {concept!r}")
    concepts = list(concept)
    for k, item in enumerate(concepts):
        if isinstance(item, type) or not isinstance(item, Concept):
            raise TypeError(f"concept[{k}] must be an instance such as QRE(1.0), not {item!r}")
    if len(concepts) != count:
        raise ValueError(
            f"{count} games but {len(concepts)} concepts; give one concept, or one for each game"
        )
    return concepts


def _check_stack(stacked: np.ndarray) -> int:
    """Number of players of stacked payoffs `[batch, players, A_1, ..., A_n]`."""
    players = stacked.shape[1] if stacked.ndim > 2 else 0
    if not players or stacked.ndim != 2 + players or not stacked.size:
        raise ValueError(
            f"stacked payoffs must have shape [batch, players, A_1, ..., A_n], got {stacked.shape}"
        )
    if not np.isfinite(stacked).all():
        where = tuple(int(v) for v in np.argwhere(~np.isfinite(stacked))[0])
        raise ValueError(f"payoffs must be finite, but payoffs{list(where)} = {stacked[where]}")
    return players


def _same_shape(games: Sequence[NormalFormGame], concept_at: Callable[[int], Concept]) -> list[list[int]]:
    """Places of the games that can share one path following: same shape, rules and neutral players."""
    together: dict[object, list[int]] = {}
    memory: dict[tuple[int, int], tuple[object, tuple[bool, ...]] | None] = {}
    for k, game in enumerate(games):
        concept, shape = concept_at(k), game.payoffs[0].shape
        key = (id(concept), len(shape))
        if key not in memory:
            memory[key] = None
            if isinstance(concept, (QRE, RQE)):
                tau, eps = concept.parameters(len(shape))
                if eps.all():
                    memory[key] = (concept.rules, tuple(bool(t) for t in tau == 0.0))
        kind = memory[key]
        if kind is not None:
            together.setdefault((shape, kind), []).append(k)
    return list(together.values())


def _solve_group(
    members: Sequence[int], game_at: Callable[[int], NormalFormGame], concept_at: Callable[[int], Concept]
) -> _Group:
    concepts = [concept_at(k) for k in members]
    games = [game_at(k) for k in members]
    players = games[0].num_players
    payoffs = [np.stack([game.payoffs[i] for game in games]) for i in range(players)]
    distinct = {id(c): _quantal(c) for c in concepts}
    known = {key: c.parameters(players) for key, c in distinct.items()}
    if len(known) == 1:
        tau, eps = known[id(concepts[0])]
    else:
        tau, eps = (np.stack([known[id(c)][part] for c in concepts]) for part in (0, 1))
    return _Group(np.array(members), *many(payoffs, tau, eps, _quantal(concepts[0]).rules))


def _quantal(concept: Concept) -> QRE | RQE:
    assert isinstance(concept, (QRE, RQE))
    return concept


def _as_rqe(concept: Concept, players: int) -> RQE:
    if isinstance(concept, RQE):
        return concept
    return RQE(0.0, tuple(_quantal(concept).parameters(players)[1]))


def _assemble(
    count: int,
    groups: Sequence[_Group],
    singles: dict[int, Solution],
    game_at: Callable[[int], NormalFormGame],
    concept_at: Callable[[int], Concept],
) -> SolutionBatch:
    good, gaps = np.zeros(count, bool), np.zeros(count)
    residuals, iterations = np.zeros(count), np.zeros(count, int)
    widths = [g.gaps.values.shape[1] for g in groups] + [len(s.values) for s in singles.values()]
    values = np.full((count, max(widths, default=0)), np.nan)
    for members, branch, gap in groups:
        good[members] = converged(branch, gap)
        gaps[members] = gap.upper.sum(axis=1)
        residuals[members], iterations[members] = branch.residual, branch.solves
        values[members, : gap.values.shape[1]] = gap.values
    for k, single in singles.items():
        good[k], gaps[k] = single.converged, single.certificate.gap
        residuals[k], iterations[k] = single.residual, single.iterations
        values[k, : len(single.values)] = single.values
    if not good.all():
        warnings.warn(
            f"{count - int(good.sum())} of {count} games did not converge; see `.converged` of the result",
            RuntimeWarning,
            stacklevel=3,
        )
    return SolutionBatch(good, gaps, values, residuals, iterations, groups, singles, game_at, concept_at)
