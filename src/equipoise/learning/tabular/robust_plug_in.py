"""The model-based way to robust play: count what follows every joint action, then solve the counted model.

DR-NVI of Shi et al. (ICML 2024): not adaptive, and with a set around the law of every joint action. Its
samples grow with the number of joint actions, where Robust-Q-FTRL's grow with the sum of own actions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.equilibria import MarkovSolution, RectangularEquilibrium
from equipoise.equilibria.rectangular import Equilibrium, Select
from equipoise.games import MarkovGame, SuccessorLists


@dataclass(frozen=True)
class RobustNashVI:
    """Plug-in robust equilibrium with rectangular sets (DR-NVI).

    Attributes:
        radius: size of the sets, a number or one per player.
        samples: draws of the next state for every step, state and joint action.
        equilibrium: "cce", "ce" or "nash".
        select: as in `RectangularEquilibrium`.

    Raises:
        ValueError: a setting is out of range.
    """

    radius: float | int | tuple[float | int, ...]
    samples: int = 100
    equilibrium: Equilibrium = "cce"
    select: Select = "welfare"

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"samples must be at least 1, got {self.samples}")
        self.concept  # noqa: B018  checks the other fields

    @property
    def concept(self) -> RectangularEquilibrium:
        """What the counted model is solved for."""
        return RectangularEquilibrium(
            self.radius if np.ndim(self.radius) == 0 else np.asarray(self.radius),
            self.equilibrium,
            self.select,
        )

    def calls(self, game: MarkovGame) -> int:
        """Samples in all, H S (product of A_i) N; stationary laws are sampled once, without the H."""
        return int(np.prod(_laws(game).shape[:-1])) * self.samples

    def learn(self, game: MarkovGame, rng: np.random.Generator) -> MarkovSolution:
        """Sample, count and solve.

        Args:
            game: a game with a horizon, used as a generative model; rewards are known.
            rng: source of randomness.

        Returns:
            The solution of the counted model; its certificate is about that model, not about `game`.

        Raises:
            ValueError: the game has no horizon.
        """
        return self.concept.find_markov(counted_model(game, self.samples, rng))


def counted_model(game: MarkovGame, samples: int, rng: np.random.Generator) -> MarkovGame:
    """The game with every law replaced by the frequencies of so many draws from it.

    Args:
        game: the game.
        samples: draws from every law.
        rng: source of randomness.
    """
    laws = _laws(game)
    flat = laws.reshape(-1, laws.shape[-1])
    counts = rng.multinomial(samples, flat / flat.sum(axis=-1, keepdims=True))
    found: np.ndarray | SuccessorLists = counts.reshape(laws.shape) / samples
    if isinstance(game.transitions, SuccessorLists):
        found = SuccessorLists(game.transitions.successors, found)
    return MarkovGame(
        found,
        list(game.rewards),
        game.discount,
        game.horizon,
        game.initial,
        f"{game.title}, counted" if game.title else "counted model",
        game.player_names,
        game.action_names,
        game.state_names,
    )


def _laws(game: MarkovGame) -> np.ndarray:
    given = game.transitions
    return given.probabilities if isinstance(given, SuccessorLists) else given
