"""Several equilibria: a search that returns all it finds, with index and stability."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from jaxtyping import Bool, Int

from equipoise.equilibria import _branch
from equipoise.equilibria._branch import Batch, Branch
from equipoise.equilibria._path import Rates, Schedule, follow
from equipoise.equilibria._quantal import certify_branch, one, solution, stacked
from equipoise.equilibria._solution import Solution
from equipoise.equilibria._system import Array, Parameters, System
from equipoise.equilibria.qre import QRE
from equipoise.equilibria.rqe import RQE
from equipoise.games.normal_form import NormalFormGame

SAME = 1e-6  # strategies closer than this (largest difference) are one equilibrium
WARMER = (30.0, 10.0, 3.0, 1.0)  # multiples of eps at which the search starts before cooling down
PURE_STARTS = 256
SMOOTHING = 0.02


@dataclass(frozen=True, eq=False)
class EquilibriumSet(Sequence[Solution]):
    """Equilibria found for one game and concept, the principal branch first.

    Attributes:
        solutions: the equilibria.
        indices: index of each, +1 or -1 (0 at a bifurcation). Over all regular equilibria the indices sum
            to +1, and their number is odd.
        stable: whether each attracts slow best-response adjustment (all players moving towards their best
            response, continuously).
        status: in words: how many, their index sum, and what that says about completeness.
    """

    solutions: tuple[Solution, ...]
    indices: Int[np.ndarray, " found"]
    stable: Bool[np.ndarray, " found"]
    status: str

    def __len__(self) -> int:
        return len(self.solutions)

    def __getitem__(self, k):  # type: ignore[no-untyped-def]
        return self.solutions[k]

    def __iter__(self) -> Iterator[Solution]:
        return iter(self.solutions)


def find_equilibria(
    game: NormalFormGame, concept: RQE | QRE, *, starts: int = 64, seed: int = 0
) -> EquilibriumSet:
    """Search for all equilibria of a quantal concept from many starts.

    Newton's method starts from the pure profiles (smoothed), the principal branch and random profiles, at the
    concept's own eps and at multiples of it; what it finds at a multiple is followed down to eps. Nothing
    guarantees completeness, but the indices say when something must be missing.

    Args:
        game: the game.
        concept: QRE or RQE with positive bounded rationality.
        starts: random starting profiles, besides the others.
        seed: of the random starts.

    Raises:
        TypeError: the concept is not a quantal one.
        ValueError: a parameter combination without noise.
    """
    batch = quantal_batch(game, concept)
    found = search(batch, starts, seed)
    solutions = tuple(record(game, concept, branch) for branch in found)
    solutions = tuple(s for s in solutions if s.converged)
    index = np.array([s.details["index"] for s in solutions], dtype=int)
    stable = np.array([s.details["stable"] for s in solutions], dtype=bool)
    total = int(index.sum())
    if total == 1 and index.all():
        verdict = "indices sum to +1, as they do over all equilibria"
    else:
        verdict = f"indices sum to {total}, not +1: at least one is missing or singular"
    return EquilibriumSet(solutions, index, stable, f"{len(solutions)} found; {verdict}")


def quantal_batch(game: NormalFormGame, concept: RQE | QRE, copies: int = 1) -> Batch:
    """The game with its preferences, repeated.

    Raises:
        TypeError: the concept is not a quantal one.
        ValueError: some player has no noise.
    """
    if not isinstance(concept, (RQE, QRE)):
        raise TypeError(f"concept must be RQE(...) or QRE(...), not {type(concept).__name__}")
    tau, eps = concept.parameters(game.num_players)
    if not eps.all():
        raise ValueError("bounded_rationality must be positive; for Nash equilibria see all_nash_equilibria")
    batch = one(game, tau, eps, concept.rules)
    return batch.take(np.zeros(copies, int)) if copies > 1 else batch


def record(game: NormalFormGame, concept: RQE | QRE, branch: Branch) -> Solution:
    """A certified solution from a branch of one game, with its stability among the details."""
    found = solution(
        game,
        concept,
        branch,
        certify_branch(branch, stacked(game)),
        0,
        named="principal" if branch.solves[0] < 0 else "found by search",
        status="one of the equilibria found by a search",
    )
    details = {
        **found.details,
        "stable": bool(stability(branch.system, branch.x, branch.batch.parameters())[0]),
    }
    return replace(found, details=details, iterations=abs(found.iterations))


def search(batch: Batch, starts: int, seed: int) -> list[Branch]:
    """All distinct equilibria found for a batch of one game, the principal branch first."""
    main = _branch.principal_branch(batch)
    found = [replace(main, solves=-main.solves)] if main.arrived[0] else []
    profiles = starting_profiles(batch, starts, seed)
    count = profiles[0].shape[1]
    for factor in WARMER:
        crowd = batch.take(np.zeros(count, int))
        warm = replace(crowd, eps=crowd.eps * factor)
        hits = distinct(_branch.from_guess(warm, profiles))
        if factor > 1.0 and hits:
            hits = cool(batch, hits, factor)
        found += [hit for hit in hits if all(apart(hit, other) for other in found)]
    return found


def starting_profiles(batch: Batch, starts: int, seed: int) -> list[Array]:
    """Smoothed pure profiles and Dirichlet draws, `[A_i, starts]` per player."""
    sizes = [r.shape[0] for r in batch.payoffs]
    generator = np.random.default_rng(seed)
    pure = list(product(*map(range, sizes))) if np.prod(sizes) <= PURE_STARTS else []
    profiles = []
    for i, size in enumerate(sizes):
        corners = np.full((size, len(pure)), SMOOTHING / size)
        for k, profile in enumerate(pure):
            corners[profile[i], k] += 1.0 - SMOOTHING
        draws = generator.dirichlet(np.ones(size), starts).T + 1e-3 / size
        profiles.append(np.hstack([corners, draws / draws.sum(axis=0)]))
    return profiles


def distinct(branch: Branch) -> list[Branch]:
    """The different equilibria of a crowd of copies of one game, one branch each."""
    found: list[Branch] = []
    for k in np.flatnonzero(branch.arrived):
        single = pick(branch, int(k))
        if all(apart(single, other) for other in found):
            found.append(single)
    return found


def pick(branch: Branch, k: int) -> Branch:
    """The k-th game of a branch."""
    index = np.array([k])
    return Branch(
        branch.batch.take(index),
        branch.system.take(index),
        branch.x[:, index],
        [s[:, index] for s in branch.strategies],
        branch.residual[index],
        branch.arrived[index],
        branch.index[index],
        branch.solves[index],
        branch.bifurcated[index],
    )


def apart(first: Branch, second: Branch) -> bool:
    """Whether two branches of one game end at different equilibria."""
    return any(np.abs(a - b).max() > SAME for a, b in zip(first.strategies, second.strategies, strict=True))


def cool(batch: Batch, hits: Sequence[Branch], factor: float) -> list[Branch]:
    """Follow equilibria found at eps * factor down to eps."""
    crowd = batch.take(np.zeros(len(hits), int))
    system = _branch.system_for(crowd)
    x = np.hstack([hit.x for hit in hits])
    schedule = eps_schedule(crowd, factor)
    arrival = follow(system, schedule, x, np.full(len(hits), np.log(factor)), max_solves=1000)
    return distinct(_branch.finish(crowd, system, arrival))


def eps_schedule(batch: Batch, factor: float) -> Schedule:
    """Eps falls from factor * eps (theta = 0) to eps (theta = log factor)."""

    def schedule(theta: Array, index: Array) -> tuple[Parameters, Rates]:
        at = batch.parameters(index)
        eps = at.eps * factor * np.exp(-theta)
        return at._replace(eps=eps), Rates(eps=-eps)

    return schedule


def stability(system: System, x: Array, at: Parameters) -> Bool[np.ndarray, " batch"]:
    """Whether each point attracts continuous best-response adjustment.

    Linearised, a player's best response moves by B = -D^{-1} O with D the block of the Jacobian in its own
    unknowns (adversary included) and O the rest; the adjustment pi' = BR(pi) - pi is stable when all
    eigenvalues of B have real part below one.
    """
    jacobian = np.moveaxis(system.evaluate(x, at).jacobian, -1, 0)
    own = np.zeros_like(jacobian)
    for block in system.blocks:
        own[:, block, block] = jacobian[:, block, block]
    answers = np.zeros(len(jacobian), bool)
    for k, (inner, whole) in enumerate(zip(own, jacobian, strict=True)):
        if np.isfinite(whole).all() and np.linalg.slogdet(inner)[0]:
            eigenvalues = np.linalg.eigvals(np.linalg.solve(inner, inner - whole))
            answers[k] = bool(eigenvalues.real.max() < 1.0)
    return answers
