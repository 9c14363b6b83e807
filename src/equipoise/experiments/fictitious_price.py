"""What the sets of Robust-Q-FTRL cost: one play, judged by five evaluations, and in worlds drawn at random.

Fictitious sets let the adversary act on what a player sees after averaging the others, and so make play worth
less than sets around every joint action do, for the same radius. How much less is measured here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from equipoise.equilibria import MixturePlay, Uncertainty, product_play, robust_evaluation
from equipoise.equilibria.robust_evaluation import Evaluation
from equipoise.experiments._perturbed import by_joint_action, by_own_action, model_laws, values_in
from equipoise.experiments._record import Claim, Experiment, Picture, Progress, Result
from equipoise.experiments._robust import PAPER
from equipoise.games import MarkovGame, congestion_markov_game, random_markov_game
from equipoise.reporting.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS: tuple[Evaluation, ...] = ("joint", "mixture", "rectangular", "nominal")
FAMILIES = ("random", "congestion")


@dataclass(frozen=True)
class Settings:
    """How much.

    Attributes:
        games: games of each family.
        players: their number of players.
        radii: radii of the sets.
        components: independent policies in the mixture that is judged.
        worlds: true worlds drawn for every game and radius.
        seed: what all is drawn from.
    """

    games: int = 10
    players: int = 3
    radii: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
    components: int = 6
    worlds: int = 100
    seed: int = 0


def run(settings: Settings, progress: Progress) -> Result:
    """Judge random mixtures in random games.

    Args:
        settings: how much.
        progress: told how far it is.

    Returns:
        Losses against the nominal value by evaluation and radius, and values in worlds drawn at random.
    """
    losses = {family: np.zeros((len(KINDS), len(settings.radii))) for family in FAMILIES}
    own = {family: np.zeros(len(settings.radii)) for family in FAMILIES}
    drawn: dict[str, list[list[float]]] = {family: [] for family in FAMILIES}
    ordered, count = 0, 0
    for f, family in enumerate(FAMILIES):
        for g in range(settings.games):
            rng = np.random.default_rng([settings.seed, f, g])
            game = _game(family, settings.players, rng)
            play = _play(game, settings.components, rng)
            alone = product_play(game, play.marginals())
            for r, radius in enumerate(settings.radii):
                doubt = Uncertainty(radius)
                found = {kind: robust_evaluation(game, play, doubt, kind).values[0] for kind in KINDS}
                for k, kind in enumerate(KINDS):
                    losses[family][k, r] += float((found["nominal"] - found[kind]).mean()) / settings.games
                single = robust_evaluation(game, alone, doubt).values[0]
                plain = robust_evaluation(game, alone, doubt, "nominal").values[0]
                own[family][r] += float((plain - single).mean()) / settings.games
                ordered += all((found[a] <= found[b] + 1e-9).all() for a, b in pairwise(KINDS))
                count += 1
                if radius == settings.radii[len(settings.radii) // 2]:
                    drawn[family].append(_worlds(game, play, found, radius, settings.worlds, rng))
            progress((f * settings.games + g + 1) / (2 * settings.games), f"price: {family}")
    table = _table(settings, losses, own)
    ratio = {
        family: losses[family][KINDS.index("mixture")] / losses[family][KINDS.index("rectangular")]
        for family in FAMILIES
    }
    middle = settings.radii[len(settings.radii) // 2]
    below = {family: np.mean(np.array(rows), axis=0) for family, rows in drawn.items()}
    safe = all(row[0] <= row[2] + 1e-9 and row[1] <= row[3] + 1e-9 for rows in drawn.values() for row in rows)
    return Result(
        answer=(
            "For the same play the loss that fictitious sets charge is "
            + " and ".join(
                f"{ratio[f].min():.2f} to {ratio[f].max():.2f} times ({f} games)" for f in FAMILIES
            )
            + " the loss that rectangular sets charge. It is largest at "
            + " and ".join(f"radius {settings.radii[int(ratio[f].argmax())]:g} ({f})" for f in FAMILIES)
            + ". The values always stand in the order joint, mixture, rectangular, nominal."
        ),
        tables={
            "price": table,
            "worlds": Table(
                [
                    "games",
                    "value, fictitious",
                    "value, rectangular",
                    "worst world by own action",
                    "worst world by joint action",
                    "mean world",
                    "nominal",
                ],
                [[family, *map(float, values)] for family, values in below.items()],
                f"Guaranteed values at radius {middle:g} beside the worst of {settings.worlds} worlds drawn "
                "at random within the sets (mean over games, players and states)",
            ),
        },
        pictures={
            "price": Picture(
                lambda: _figure(settings, losses),
                "Mean loss against the nominal value that fictitious sets charge one and the same mixture, "
                "relative to the loss that rectangular sets charge it.",
            )
        },
        claims=(
            Claim(
                "joint <= mixture <= rectangular <= nominal",
                "ours; the outer inequality for fictitious sets also in " + PAPER,
                f"in {ordered} of {count} cases",
                bool(ordered == count),
            ),
            Claim(
                "no world drawn within the sets is worse than the guarantee",
                "ours",
                f"{len(FAMILIES) * settings.games} games, {settings.worlds} worlds of each kind",
                safe,
            ),
        ),
        certified=True,
    )


def _game(family: str, players: int, rng: np.random.Generator) -> MarkovGame:
    if family == "congestion":
        return congestion_markov_game(players, rng=rng)
    return random_markov_game(4, (4,) * players, horizon=3, rng=rng)


def _play(game: MarkovGame, components: int, rng: np.random.Generator) -> MixturePlay:
    shape = (int(game.horizon or 0), game.num_states)
    return MixturePlay(
        rng.dirichlet(np.ones(components), shape),
        tuple(rng.dirichlet(np.full(a, 0.5), (*shape, components)) for a in game.num_actions),
    )


def _worlds(
    game: MarkovGame,
    play: MixturePlay,
    found: dict[Evaluation, Float[np.ndarray, "players states"]],
    radius: float,
    count: int,
    rng: np.random.Generator,
) -> list[float]:
    """Guarantees, and the worst and mean values in random worlds; means over players and states."""
    laws, joint = model_laws(game), play.joint()
    own = np.full(found["nominal"].shape, np.inf)
    every = np.full(found["nominal"].shape, np.inf)
    mean = 0.0
    for _ in range(count):
        for i in range(game.num_players):
            own[i] = np.minimum(own[i], values_in(by_own_action(laws, radius, i, rng), game, joint)[i])
        values = values_in(by_joint_action(laws, radius, rng), game, joint)
        every = np.minimum(every, values)
        mean += float(values.mean()) / count
    return [
        float(found["mixture"].mean()),
        float(found["rectangular"].mean()),
        float(own.mean()),
        float(every.mean()),
        mean,
        float(found["nominal"].mean()),
    ]


def _table(settings: Settings, losses: dict[str, np.ndarray], own: dict[str, np.ndarray]) -> Table:
    rows: list[list[object]] = []
    for family in FAMILIES:
        rows.extend([family, kind, *map(float, losses[family][k])] for k, kind in enumerate(KINDS[:-1]))
        rows.append([family, "its marginals, played independently", *map(float, own[family])])
    return Table(
        ["games", "evaluation", *(f"σ = {r:g}" for r in settings.radii)],
        rows,
        f"Loss against the nominal value, mean over {settings.games} games, players and states",
    )


def _figure(settings: Settings, losses: dict[str, np.ndarray]) -> Figure:
    from equipoise.reporting.figures import Branch, path

    radii = np.array(settings.radii)
    solid = np.full(radii.shape, True)
    branches = [
        Branch(radii, losses[family][KINDS.index(kind)] / losses[family][2], solid, f"{family} games, {kind}")
        for family in FAMILIES
        for kind in KINDS[:2]
    ]
    return path(branches, xlabel="radius σ", ylabel="loss, relative to rectangular sets")


EXPERIMENT = Experiment(
    name="fictitious-price",
    question="What do sets that move with the others' play cost?",
    source=PAPER,
    laptop=Settings(),
    full=Settings(games=100, players=4, worlds=1000),
    run=run,
)
