"""Robust decisions: one player against an adversary who bends the law of the next state.

The robust backup `(T Q)(s, a) = R(s, a) + discount * worst case over laws near P(s, a) of max Q(s', .)` is a
contraction and a deterministic greedy policy is optimal, because the adversary chooses for every state and
action separately. Sources: Iyengar, Mathematics of Operations Research, 2005; Nilim and El Ghaoui,
Operations Research, 2005; with penalties, Panaganti et al., ICML 2024.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float

from equipoise.equilibria._decisions import Move, backup, check_policy, moves, penalty_paid
from equipoise.equilibria._markov_solution import MarkovCertificate, MarkovSolution
from equipoise.equilibria.uncertainty import Uncertainty
from equipoise.games._checks import Numbers
from equipoise.games.markov import MarkovGame
from equipoise.games.successors import SuccessorLists
from equipoise.preferences import Divergence
from equipoise.preferences.worst_case import Form, Support

Method = Literal["policy_iteration", "value_iteration"]
_TOLERANCE = 1e-10  # of the value, relative to its range
_MOST_LAWS = 200  # Newton steps; each answers the adversary's last law, and a handful suffices
_MOST_POLICIES = 1000
_MOST_SWEEPS = 1_000_000


@dataclass(frozen=True, eq=False)
class RobustValue:
    """What a policy is worth in the worst case, with the world that makes it so.

    Attributes:
        values: worst-case value of every state, `[S]`; with a horizon `[H + 1, S]`, the last row zero.
        action_values: the same of every action followed by the policy, `[S, A]` or `[H, S, A]`.
        world: the ordinary game whose laws are the adversary's. In the penalised form its rewards include
            what the adversary pays. The policy's ordinary value there is its robust value.
        iterations: laws the adversary tried, or steps of the horizon.
        error: a bound on how far `values` are from the exact ones.
    """

    values: Float[np.ndarray, "*time states"]
    action_values: Float[np.ndarray, "*moves states actions"]
    world: MarkovGame
    iterations: int
    error: float


def robust_policy_value(game: MarkovGame, policy: Numbers, uncertainty: Uncertainty) -> RobustValue:
    """Value of a policy against the adversary, exact up to the error that is returned.

    With a discount by Newton's method: the adversary's best laws against the last values, the exact value
    under these laws, and so on; values fall until they stop. With a horizon by one backward pass.

    Args:
        game: a one-player game.
        policy: probabilities of actions, `[S, A]`; with a horizon also `[H, S, A]`.
        uncertainty: what the adversary may do; its level a number or an array that broadcasts to `[S, A]`.

    Returns:
        The values with the worst laws.

    Raises:
        ValueError: the game has several players, or policy or level do not fit it.
    """
    given = moves(game, uncertainty)
    policy = check_policy(game, policy, game.horizon)
    if game.horizon is not None:
        return _dynamic_programming(game, given, uncertainty, policy)
    return _newton(game, given[0], uncertainty, policy, np.zeros(game.num_states))


@dataclass(frozen=True, eq=False)
class RobustPolicy:
    """The policy that is best in the worst case, when the law of the next state is not quite known.

    Attributes:
        level: the ball's radius (constrained), the penalty's weight (penalised) or the tail probability
            ("cvar"): a number or one per state and action, `[S, A]`. See `Uncertainty`.
        divergence: "tv", "kl", "chi2", "cressie_read", "reverse_kl", "l1", "cvar" or a `Divergence`.
        form: "constrained" or "penalised".
        support: "ac", "free" or None, as in `Uncertainty`.
        order: exponent of "cressie_read".
        method: "policy_iteration" (few, exact steps) or "value_iteration" (many cheap ones), for games with a
            discount.

    Raises:
        ValueError: the level is out of range, or a name unknown.
    """

    level: float | int | Numbers
    divergence: str | Divergence = "tv"
    form: Form = "constrained"
    support: Support | None = None
    order: float | int | None = None
    method: Method = "policy_iteration"

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise ValueError(f"method must be one of {', '.join(get_args(Method))}, got {self.method!r}")
        self.uncertainty  # noqa: B018  checks the other fields

    @property
    def uncertainty(self) -> Uncertainty:
        """What the adversary may do."""
        return Uncertainty(self.level, self.divergence, self.form, self.support, self.order)

    @property
    def name(self) -> str:
        """Name of the concept with its parameters."""
        return f"robust policy ({self.uncertainty.name})"

    def find_markov(self, game: MarkovGame) -> MarkovSolution:
        """Find the best policy in the worst case.

        Args:
            game: a one-player game, with a discount or a horizon.

        Returns:
            The greedy policy and its exact robust value. The certificate's gap bounds how much any policy
            could have in addition; details have the world of the worst laws ("world"), the robust action
            values ("action_values"), an upper bound on the optimal values ("upper") and, with a horizon,
            the values of all steps ("values").

        Raises:
            ValueError: the game has several players, or the level does not fit it.
        """
        uncertainty = self.uncertainty
        given = moves(game, uncertainty)
        if game.horizon is not None:
            found = _dynamic_programming(game, given, uncertainty, None)
            policy = _greedy(found.action_values)
            return _solution(game, self, given, policy, found, found.iterations, True)
        improve = _policy_iteration if self.method == "policy_iteration" else _value_iteration
        policy, iterations, finished = improve(game, given[0], uncertainty)
        found = _newton(game, given[0], uncertainty, policy, np.zeros(game.num_states))
        return _solution(game, self, given, policy, found, iterations, finished)


def _policy_iteration(game: MarkovGame, move: Move, uncertainty: Uncertainty) -> tuple[np.ndarray, int, bool]:
    """Exact robust value of a policy, then a better policy, until none is (Hoffman and Karp 1966)."""
    policy = _greedy(move.rewards)
    values = np.zeros(game.num_states)
    for iteration in range(1, _MOST_POLICIES + 1):
        found = _newton(game, move, uncertainty, policy, values)
        # A change within the error of the values would be no improvement and could go round in circles.
        better = found.action_values.max(axis=1) > found.values + _scale(move) * _TOLERANCE + found.error
        if not better.any():
            return policy, iteration, True
        policy = np.where(better[:, None], _greedy(found.action_values), policy)
        values = found.values
    return policy, _MOST_POLICIES, False


def _value_iteration(game: MarkovGame, move: Move, uncertainty: Uncertainty) -> tuple[np.ndarray, int, bool]:
    """Robust backups until what is left of the geometric series does not matter."""
    discount = float(game.discount or 0.0)
    values = np.zeros(game.num_states)
    goal = _TOLERANCE * _scale(move) * (1.0 - discount)
    for iteration in range(1, _MOST_SWEEPS + 1):
        action_values = backup(move, uncertainty, values, discount)[0]
        change = float(np.max(np.abs(action_values.max(axis=1) - values)))
        values = action_values.max(axis=1)
        if discount * change <= goal:
            return _greedy(action_values), iteration, True
    return _greedy(action_values), _MOST_SWEEPS, False


def _newton(
    game: MarkovGame, move: Move, uncertainty: Uncertainty, policy: np.ndarray, values: np.ndarray
) -> RobustValue:
    """Alternate the worst laws of given values with the exact values of given laws.

    Worst cases are concave in the values, so that after the first step values only fall, and Newton's method
    converges; for total variation, which has finitely many extreme laws, in finitely many steps.
    """
    discount = float(game.discount or 0.0)
    goal = _TOLERANCE * _scale(move) * (1.0 - discount)
    best: tuple[float, np.ndarray] | None = None
    for iteration in range(1, _MOST_LAWS + 1):
        action_values, worst, states = backup(move, uncertainty, values, discount)
        wrong = float(np.max(np.abs((policy * action_values).sum(axis=1) - values)))
        if best is None or wrong < best[0]:
            best = (wrong, values)
        elif wrong <= goal or (iteration > 3 and wrong >= best[0]):
            break  # at the level of rounding
        if wrong == 0.0:
            break
        pay = move.rewards + discount * penalty_paid(uncertainty, worst)
        values = _value_under(policy, worst.kernel, states, pay, discount)
    error, values = best if best is not None else (np.inf, values)
    action_values, worst, states = backup(move, uncertainty, values, discount)
    pay = move.rewards + discount * penalty_paid(uncertainty, worst)
    doubt = discount * float(np.max(np.abs(worst.residual)))
    return RobustValue(
        values=values,
        action_values=action_values,
        world=_world(game, [worst.kernel], [states], [pay]),
        iterations=iteration,
        error=(error + doubt) / (1.0 - discount),
    )


def _value_under(
    policy: np.ndarray, kernel: np.ndarray, states: np.ndarray | None, pay: np.ndarray, discount: float
) -> Float[np.ndarray, " states"]:
    """Ordinary value of a policy under given laws, by one linear solve."""
    reward = (policy * pay).sum(axis=1)
    weights = policy[..., None] * kernel
    count = policy.shape[0]
    if states is None:
        return np.linalg.solve(np.eye(count) - discount * weights.sum(axis=1), reward)
    from scipy.sparse import csc_array, eye_array
    from scipy.sparse.linalg import spsolve

    rows = np.broadcast_to(np.arange(count)[:, None, None], states.shape)
    chain = csc_array((weights.ravel(), (rows.ravel(), states.ravel())), shape=(count, count))
    return np.asarray(spsolve(csc_array(eye_array(count) - discount * chain), reward))


def _dynamic_programming(
    game: MarkovGame, given: list[Move], uncertainty: Uncertainty, policy: np.ndarray | None
) -> RobustValue:
    """One backward pass; without a policy, of the greedy one."""
    horizon = int(game.horizon or 0)
    values = np.zeros((horizon + 1, game.num_states))
    action_values = np.zeros((horizon, game.num_states, game.num_actions[0]))
    kernels: list[Any] = [None] * horizon
    states: list[Any] = [None] * horizon
    pay: list[Any] = [None] * horizon
    doubt = 0.0
    for h in reversed(range(horizon)):
        move = given[h % len(given)]
        action_values[h], worst, states[h] = backup(move, uncertainty, values[h + 1], 1.0)
        kernels[h], pay[h] = worst.kernel, move.rewards + penalty_paid(uncertainty, worst)
        doubt += float(np.max(np.abs(worst.residual)))
        choice = _greedy(action_values[h]) if policy is None else policy[h]
        values[h] = (choice * action_values[h]).sum(axis=1)
    return RobustValue(values, action_values, _world(game, kernels, states, pay), horizon, doubt)


def _world(game: MarkovGame, kernels: list[Any], states: list[Any], pay: list[Any]) -> MarkovGame:
    """The game with the adversary's laws and its payments."""
    timed = game.horizon is not None
    kernel = np.stack(kernels) if timed else kernels[0]
    rewards = np.stack(pay) if timed else pay[0]
    transitions: Any = kernel
    if states[0] is not None:
        transitions = SuccessorLists(np.stack(states) if timed else states[0], kernel)
    return MarkovGame(
        transitions,
        [rewards],
        game.discount,
        game.horizon,
        game.initial,
        f"{game.title}, worst case" if game.title else "worst case",
        game.player_names,
        game.action_names,
        game.state_names,
    )


def _solution(
    game: MarkovGame,
    concept: RobustPolicy,
    given: list[Move],
    policy: np.ndarray,
    found: RobustValue,
    iterations: int,
    finished: bool,
) -> MarkovSolution:
    upper = _upper_bound(game, given, concept.uncertainty, found)
    first = found.values if game.horizon is None else found.values[0]
    gap = max(float(np.max(upper - first)), 0.0) + found.error
    scale = _scale(given[0])
    return MarkovSolution(
        game=game,
        concept=concept,
        strategies=(policy,),
        values=first[None],
        certificate=MarkovCertificate(
            concept="robust policy: loss in the worst case",
            gap=gap,
            gap_per_player=np.array([gap]),
            lower=0.0,
            nash_gap=_nominal_loss(game, policy),
        ),
        converged=bool(finished and gap <= 1e-7 * scale),
        iterations=iterations,
        residual=found.error,
        status="The optimal worst-case values are unique; the policy need not be, nor are the worst laws.",
        details={
            "values": found.values,
            "action_values": found.action_values,
            "world": found.world,
            "upper": upper,
        },
    )


def _upper_bound(
    game: MarkovGame, given: list[Move], uncertainty: Uncertainty, found: RobustValue
) -> Float[np.ndarray, " states"]:
    """Values at the first step that no policy can exceed, however `found` was reached.

    With a discount, from one backup: V* <= V + max(T V - V)/(1 - discount). With a horizon, by the plain
    recursion for V* itself. Worst cases are primal objectives, which are never too small.
    """
    if game.horizon is not None:
        values = np.zeros(game.num_states)
        for h in reversed(range(game.horizon)):
            values = backup(given[h % len(given)], uncertainty, values, 1.0)[0].max(axis=1)
        return values
    discount = float(game.discount or 0.0)
    after = backup(given[0], uncertainty, found.values, discount)[0].max(axis=1)
    return found.values + max(float(np.max(after - found.values)), 0.0) / (1.0 - discount)


def _nominal_loss(game: MarkovGame, policy: np.ndarray) -> float:
    """What the policy gives away if the model is right after all."""
    neutral = Uncertainty(0.0, "tv", support="ac")
    given = moves(game, neutral)
    own = robust_policy_value(game, policy, neutral).values
    if game.horizon is not None:
        best = _dynamic_programming(game, given, neutral, None).values
        return max(float(np.max(best - own)), 0.0)
    greedy, _, _ = _policy_iteration(game, given[0], neutral)
    best = _newton(game, given[0], neutral, greedy, own).values
    return max(float(np.max(best - own)), 0.0)


def _greedy(action_values: Float[np.ndarray, "*index actions"]) -> Float[np.ndarray, "*index actions"]:
    return np.eye(action_values.shape[-1])[np.argmax(action_values, axis=-1)]


def _scale(move: Move) -> float:
    return max(float(np.max(np.abs(move.rewards))), np.finfo(float).tiny)
