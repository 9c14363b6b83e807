"""Stackelberg equilibrium in mixed strategies: what to commit to when the other side replies best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from equipoise.equilibria._gaps import nash_gap
from equipoise.equilibria._linear_program import SimplexProgram, maximise_on_simplex
from equipoise.equilibria._solution import Certificate, Solution
from equipoise.games.normal_form import NormalFormGame

# A reply whose region is thinner than this share of the follower's payoff range counts as having no interior.
_THIN = 1e-9


@dataclass(frozen=True)
class Stackelberg:
    """Optimal commitment to a mixed strategy in a two-player game.

    The leader commits to x; the follower sees x (not its outcome) and replies with a pure action j that is
    best for it. Without margin, ties are broken in the leader's favour (strong Stackelberg equilibrium).
    With a margin d the reply must be better than any other by at least d, so that the leader's payoff does
    not hang on ties or on small errors about the follower's payoffs. One linear program per reply j
    (Conitzer and Sandholm 2006), leader's payoffs A and follower's B, leader's actions on the rows:

        max x'A_j  subject to  x'(B_j - B_k) >= d for all k != j, x a probability vector.

    The certificate adds the leader's share, a bound on every program's optimum minus the payoff reached, to
    the follower's, its loss from not replying best. A reply that the margin rules out is proved impossible
    by a mixture of rival actions.

    Attributes:
        leader: which player commits, 0 or 1.
        margin: d >= 0, in units of the follower's payoffs.
    """

    leader: int = 0
    margin: float = 0.0

    def __post_init__(self) -> None:
        if self.leader not in (0, 1):
            raise ValueError(f"leader must be 0 or 1, got {self.leader!r}")
        if not (np.isfinite(self.margin) and self.margin >= 0):
            raise ValueError(f"margin must be a finite number >= 0, got {self.margin!r}")

    @property
    def name(self) -> str:
        """Name of the concept with its parameters."""
        margin = f", margin {self.margin:g}" if self.margin else ""
        return f"Stackelberg (leader {self.leader}{margin})"

    def find(self, game: NormalFormGame) -> Solution:
        """Find the optimal commitment.

        Args:
            game: a two-player game.

        Returns:
            `strategies` has the leader's commitment and the follower's reply. `details`:
            `reply`, the follower's action; `per_reply`, the leader's optimum for every reply `[actions]`
            (minus infinity where the margin rules it out); `widths`, the largest margin possible for every
            reply; `margin_duals`, the leader's loss per unit of margin against every rival action
            `[actions]`; `attainable_value`, the supremum that positive margins can reach (minus infinity
            where no reply's region has interior), and `attainable`, whether that is the value itself.

        Raises:
            ValueError: the game does not have two players, or the margin rules out every reply.
        """
        if game.num_players != 2:
            raise ValueError(
                f"Stackelberg needs a two-player game, this one has {game.num_players} players; merge the "
                "followers into one player or fix their strategies"
            )
        follower = 1 - self.leader
        # Rows are the leader's actions in both.
        A, B = game.own_first(self.leader), game.own_first(follower).T
        widths, proofs = _widths(B)
        thin = _THIN * float(game.payoff_ranges()[follower])
        # A reply that is best only on a tie has a region without interior; rounding must not rule it out.
        allowed = widths >= self.margin - thin
        programs = {
            j: maximise_on_simplex(
                A[:, j],
                constraints=np.delete(B - B[:, [j]], j, axis=1).T,
                limit=-float(min(self.margin, widths[j])),
            )
            for j in np.flatnonzero(allowed).tolist()
        }
        if not programs:
            raise ValueError(
                f"margin={self.margin:g} rules out every reply: no commitment makes one action better than "
                f"all others by more than {np.max(widths):.6g}; use a smaller margin"
            )
        per_reply = np.full(B.shape[1], -np.inf)
        for j, program in programs.items():
            per_reply[j] = program.value
        reply = int(np.argmax(per_reply))
        best = programs[reply]
        interior = widths > thin
        attainable_value = float(np.max(per_reply, where=interior, initial=-np.inf))
        strategies = [best.point, np.eye(B.shape[1])[reply]]
        gaps = _gaps(A, B, best.point, reply, programs)
        profile = tuple(strategies if self.leader == 0 else strategies[::-1])
        ranges = np.maximum(game.payoff_ranges()[[self.leader, follower]], 1.0)
        rivals = np.delete(best.point @ B, reply)
        shortfall = self.margin - float(best.point @ B[:, reply] - np.max(rivals)) if rivals.size else 0.0
        messages = [f"Reply {j}: {p.message}" for j, p in programs.items() if p.message]
        messages += [
            f"Reply {j} could not be proved impossible."
            for j in np.flatnonzero(~allowed).tolist()
            if proofs[j] >= self.margin
        ]
        attainable = attainable_value >= per_reply[reply] - 1e-9 * ranges[0]
        return Solution(
            game=game,
            concept=self,
            strategies=profile,
            values=game.expected_payoffs(profile),
            certificate=Certificate(
                concept="Stackelberg: the leader's other commitments, the follower's other replies",
                gap=float(np.sum(gaps)),
                gap_per_player=gaps if self.leader == 0 else gaps[::-1],
                lower=float(gaps[1]),
                nash_gap=nash_gap(game, profile)[0],
            ),
            converged=not messages
            and bool(np.all(gaps <= 1e-9 * ranges))
            and bool(shortfall <= 1e-9 * ranges[1]),
            iterations=sum(program.iterations for program in programs.values()),
            residual=max(shortfall, float(np.max(gaps)), 0.0),
            branch="leader-favourable ties" if self.margin == 0 else f"margin {self.margin:g}",
            status=" ".join(messages)
            or (
                "The value is unique; the commitment need not be."
                if attainable
                else "No optimal reply is strictly best anywhere: the value hangs on ties in the leader's "
                f"favour; commitments with strict replies only reach up to {attainable_value:.6g}."
            ),
            details={
                "value": float(best.value),
                "reply": reply,
                "per_reply": per_reply,
                "widths": widths,
                "margin_duals": np.insert(best.multipliers, reply, 0.0),
                "attainable_value": attainable_value,
                "attainable": bool(attainable),
            },
        )


def _widths(B: Float[np.ndarray, "leader follower"]) -> tuple[Float[np.ndarray, " follower"], ...]:
    """Largest lead every reply can be given over its best rival, as found and as bounded by duality."""
    replies = B.shape[1]
    if replies == 1:
        return np.full(1, np.inf), np.full(1, np.inf)
    programs = [
        maximise_on_simplex(np.zeros(B.shape[0]), worst_of=np.delete(B[:, [j]] - B, j, axis=1).T)
        for j in range(replies)
    ]
    return np.array([p.value for p in programs]), np.array([p.bound for p in programs])


def _gaps(
    A: Float[np.ndarray, "leader follower"],
    B: Float[np.ndarray, "leader follower"],
    x: Float[np.ndarray, " leader"],
    reply: int,
    programs: dict[int, SimplexProgram],
) -> Float[np.ndarray, " roles"]:
    """What the leader could still gain by another commitment, and the follower by another reply."""
    bound = max(program.bound for program in programs.values())
    loss = np.max(x @ (B - B[:, [reply]]))
    return np.maximum([bound - float(x @ A[:, reply]), float(loss)], 0.0)
