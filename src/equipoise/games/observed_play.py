"""How people played: payoffs, observed choice frequencies and the published predictions for them.

Two experiments are recorded. The thirteen repeated 2x2 games are the twelve of Selten and Chmura (2008) and
the fourth game of Goeree, Holt and Palfrey (2003); the three one-shot games are the matching-pennies
treatments of Goeree and Holt (2001). All have one Nash equilibrium, fully mixed in both roles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
from jaxtyping import Float

from equipoise.games.normal_form import NormalFormGame

SELTEN_CHMURA = "Selten and Chmura (2008), American Economic Review 98(3), 938-966"
GOEREE_HOLT_PALFREY = "Goeree, Holt and Palfrey (2003), Games and Economic Behavior 45(1), 97-113"
GOEREE_HOLT = "Goeree and Holt (2001), American Economic Review 91(5), 1402-1422"
MAZUMDAR_PANAGANTI_SHI = "Mazumdar, Panaganti and Shi (2025), ICLR; parameters from the authors' public code"
BRUNNER_CAMERER_GOEREE = "Brunner, Camerer and Goeree (2011), American Economic Review 101(2), 1029-1040"


@dataclass(frozen=True, eq=False)
class PublishedFit:
    """Risk aversion and bounded rationality that an author fitted to one game's observed play.

    Attributes:
        penalty: the adversary's penalty, "kl" or "reverse_kl".
        regularizer: "log_barrier" or "entropy".
        risk_aversion: tau of every player, in 1/payoff units, `[players]`.
        bounded_rationality: eps of every player, in payoff units, `[players]`.
        game: the game the authors computed on, with their mistyped payoffs where they had any.
        iterate: the strategies their unconverged iteration printed, rounded to three decimals; no target
            for a solver. None where nothing was printed.
        note: what is odd about this fit, in words.
        source: where the numbers come from.
    """

    penalty: str
    regularizer: str
    risk_aversion: tuple[float, ...]
    bounded_rationality: tuple[float, ...]
    game: NormalFormGame
    iterate: tuple[Float[np.ndarray, " _"], ...] | None
    note: str
    source: str


@dataclass(frozen=True, eq=False)
class ObservedPlay:
    """Observed choices in one game.

    Attributes:
        game: the game played, payoffs in the experiment's own unit.
        frequencies: observed relative frequency of every action, one array `[A_i]` per player.
        observations: number of choices behind each player's frequencies, or None where not known.
        source: where game and frequencies come from.
        key: short name.
        unit: what one payoff unit is.
        groups: independent groups of subjects, or None where not known.
        subjects: subjects per group, both roles together, or None where not known.
        rounds: how often each subject chose, or None where not known.
        nash: the game's Nash equilibrium to the four decimals in print, or None.
        published_fits: published parameter values for this game.

    Raises:
        ValueError: frequencies or observations do not fit the game.
    """

    game: NormalFormGame
    frequencies: tuple[Float[np.ndarray, " _"], ...]
    observations: tuple[int, ...] | None = None
    source: str = ""
    key: str = ""
    unit: str = ""
    groups: int | None = None
    subjects: int | None = None
    rounds: int | None = None
    nash: tuple[Float[np.ndarray, " _"], ...] | None = None
    published_fits: tuple[PublishedFit, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "frequencies", self.game.check_strategies(self.frequencies))
        if self.observations is None:
            return
        if len(self.observations) != self.game.num_players or min(self.observations) < 1:
            raise ValueError(
                f"observations must be one positive count per player ({self.game.num_players}), got "
                f"{self.observations}; use None where it is not known"
            )

    def counts(self) -> tuple[Float[np.ndarray, " _"], ...]:
        """Observed number of choices of every action, one array per player.

        Frequencies in print are rounded, so these are not whole numbers.

        Raises:
            ValueError: the number of observations is not known.
        """
        if self.observations is None:
            raise ValueError(f"{self.key or 'this record'} has no number of observations; use frequencies")
        return tuple(n * x for n, x in zip(self.observations, self.frequencies, strict=True))


@dataclass(frozen=True, eq=False)
class ReferenceConcept:
    """A stationary concept's predictions for the twelve Selten-Chmura games, at one common parameter.

    Errors are the squared Euclidean distance of (P(U), P(L)) to observed play, averaged over games.

    Attributes:
        name: the concept.
        parameter: its free parameter and value in words, "" where it has none.
        free_parameters: how many numbers were fitted to all twelve games.
        predictions: (P(U), P(L)) per game, `[12, 2]`, to three decimals (Nash: four).
        error_all: mean squared distance over the twelve games.
        error_constant_sum: the same over games 1-6.
        error_other: the same over games 7-12.
        largest_error: largest absolute error of a probability.
        source: where concept and comparison come from.
    """

    name: str
    parameter: str
    free_parameters: int
    predictions: Float[np.ndarray, "games 2"]
    error_all: float
    error_constant_sum: float
    error_other: float
    largest_error: float
    source: str


# Per game: payoff pairs UL, UR, DL, DR; observed P(U), P(L); Nash P(U), P(L).
_GAMES: dict[str, tuple[str, str, str]] = {
    "selten-chmura-1": ("10,8 0,18 9,9 10,8", ".079 .690", ".0909 .9091"),
    "selten-chmura-2": ("9,4 0,13 6,7 8,5", ".217 .527", ".1818 .7273"),
    "selten-chmura-3": ("8,6 0,14 7,7 10,4", ".163 .793", ".2727 .9091"),
    "selten-chmura-4": ("7,4 0,11 5,6 9,2", ".286 .736", ".3636 .8182"),
    "selten-chmura-5": ("7,2 0,9 4,5 8,1", ".327 .664", ".3636 .7273"),
    "selten-chmura-6": ("7,1 1,7 3,5 8,0", ".445 .596", ".4545 .6364"),
    "selten-chmura-7": ("10,12 4,22 9,9 14,8", ".141 .564", ".0909 .9091"),
    "selten-chmura-8": ("9,7 3,16 6,7 11,5", ".250 .586", ".1818 .7273"),
    "selten-chmura-9": ("8,9 3,17 7,7 13,4", ".254 .827", ".2727 .9091"),
    "selten-chmura-10": ("7,6 2,13 5,6 11,2", ".366 .699", ".3636 .8182"),
    "selten-chmura-11": ("7,4 2,11 4,5 10,1", ".331 .652", ".3636 .7273"),
    "selten-chmura-12": ("7,3 3,9 3,5 10,0", ".439 .604", ".4545 .6364"),
    "goeree-holt-palfrey-4": ("200,160 160,10 370,200 10,370", ".47 .65", ".5312 .4688"),
    "goeree-holt-80": ("80,40 40,80 40,80 80,40", ".48 .48", ".5 .5"),
    "goeree-holt-320": ("320,40 40,80 40,80 80,40", ".96 .16", ".5 .125"),
    "goeree-holt-44": ("44,40 40,80 40,80 80,40", ".08 .80", ".5 .9091"),
}

# Per game: eps1, eps2, tau1, tau2 for KL with log-barrier; what its iteration printed; the same four for
# reverse KL with entropy.
_FITS: dict[str, tuple[str, str, str]] = {
    "selten-chmura-1": (".21 .555 .1 100", ".080 .690", "1.2 .9 1.15 1"),
    "selten-chmura-2": (".68 10 .08 2", ".214 .524", ".5 15 .9 1"),
    "selten-chmura-3": (".216 .837 .1 56", ".163 .793", ".85 2.2 .2 2.8"),
    "selten-chmura-4": (".35 1.64 .1 30", ".287 .736", ".4 2.9 .4 2.2"),
    "selten-chmura-5": (".38 2.7 .1 10", ".328 .665", ".3 3.5 .5 2"),
    "selten-chmura-6": (".92 3.8 .1 6", ".458 .610", ".9 6 1 2.2"),
    "selten-chmura-7": (".49 1.88 .1 11", ".141 .564", "1.15 3.5 .2 2.8"),
    "selten-chmura-8": (".36 2.8 .1 10", ".249 .586", ".5 6 .2 2.5"),
    "selten-chmura-9": (".179 .65 .1 90", ".255 .828", ".75 2 .067 10"),
    "selten-chmura-10": (".1 2.11 .3 20", ".366 .699", ".7 4.1 .35 1"),
    "selten-chmura-11": (".172 2.97 .1 25", ".328 .652", ".88 6.4 .11 1.7"),
    "selten-chmura-12": (".23 5.74 .04 19", ".439 .604", ".3 12 .1 3"),
    "goeree-holt-palfrey-4": ("170 110 .001 .06", ".469 .650", "110 355 .001 .1"),
}

# Payoffs as the authors of the fits had them in their code, where they differ from the experiment.
_MISTYPED: dict[tuple[str, str], tuple[str, str]] = {
    ("selten-chmura-1", "kl"): (
        "10,10 0,18 9,9 10,8",
        "Computed with column payoff 10 instead of 8 at (U, L).",
    ),
    ("selten-chmura-2", "reverse_kl"): (
        "9,4 0,13 6,8 10,5",
        "Computed with row payoff 10 instead of 8 at (D, R) and column payoff 8 instead of 7 at (D, L).",
    ),
    ("goeree-holt-palfrey-4", "reverse_kl"): (
        _GAMES["goeree-holt-palfrey-4"][0],
        "Fitted to the frequencies (.445, .404), which are not those of this game.",
    ),
}


def _pairs(text: str) -> list[tuple[float, float]]:
    return [(float(a), float(b)) for a, b in (cell.split(",") for cell in text.split())]


def _game(cells: str, title: str) -> NormalFormGame:
    table = np.array(_pairs(cells)).reshape(2, 2, 2)
    return NormalFormGame(np.moveaxis(table, 2, 0), title, ["Row", "Column"], [["U", "D"], ["L", "R"]])


def _profile(text: str) -> tuple[Float[np.ndarray, " _"], ...]:
    return tuple(np.array([p, 1.0 - p]) for p in map(float, text.split()))


def _title(key: str) -> str:
    if key.startswith("selten-chmura"):
        return f"Selten-Chmura game {key.rsplit('-', 1)[1]}"
    if key.startswith("goeree-holt-palfrey"):
        return "Goeree-Holt-Palfrey game 4"
    return f"Goeree-Holt matching pennies, x = {key.rsplit('-', 1)[1]}"


def _fit(key: str, penalty: str, numbers: str, iterate: str) -> PublishedFit:
    eps1, eps2, tau1, tau2 = map(float, numbers.split())
    cells, note = _MISTYPED.get((key, penalty), (_GAMES[key][0], ""))
    return PublishedFit(
        penalty=penalty,
        regularizer="log_barrier" if penalty == "kl" else "entropy",
        risk_aversion=(tau1, tau2),
        bounded_rationality=(eps1, eps2),
        game=_game(cells, _title(key) + (", as mistyped" if cells != _GAMES[key][0] else "")),
        iterate=_profile(iterate) if iterate else None,
        note=note,
        source=MAZUMDAR_PANAGANTI_SHI,
    )


def _record(key: str) -> ObservedPlay:
    cells, observed, nash = _GAMES[key]
    repeated = key.startswith("selten-chmura")
    one_shot = key.startswith("goeree-holt-") and "palfrey" not in key
    groups = (12 if int(key.rsplit("-", 1)[1]) <= 6 else 6) if repeated else None
    fits: tuple[PublishedFit, ...] = ()
    if key in _FITS:
        barrier, iterate, entropy = _FITS[key]
        fits = (_fit(key, "kl", barrier, iterate), _fit(key, "reverse_kl", entropy, ""))
    # Half of the subjects play each role: 4 of the 8 in a group, 25 of the 50 in a one-shot treatment.
    per_role = 4 * 200 * groups if groups else 25 if one_shot else None
    return ObservedPlay(
        game=_game(cells, _title(key)),
        frequencies=_profile(observed),
        observations=(per_role, per_role) if per_role else None,
        source=SELTEN_CHMURA if repeated else GOEREE_HOLT if one_shot else GOEREE_HOLT_PALFREY,
        key=key,
        unit="experimental points" if repeated else "US cents",
        groups=groups if repeated else 1 if one_shot else None,
        subjects=8 if repeated else 50 if one_shot else None,
        rounds=200 if repeated else 1 if one_shot else None,
        nash=_profile(nash),
        published_fits=fits,
    )


@cache
def observed_play() -> Mapping[str, ObservedPlay]:
    """All records of human play, by key.

    Returns:
        "selten-chmura-1" to "selten-chmura-12", "goeree-holt-palfrey-4" and "goeree-holt-80", "-320",
        "-44", in this order. Games 1-6 of Selten and Chmura are constant-sum; game k + 6 adds to game k a
        function of the opponent's action alone, which changes neither Nash nor logit quantal response.
    """
    return MappingProxyType({key: _record(key) for key in _GAMES})


def _predictions(*games: str) -> Float[np.ndarray, "games 2"]:
    return np.array([[float(p) for p in game.split("/")] for text in games for game in text.split()])


@cache
def reference_concepts() -> tuple[ReferenceConcept, ...]:
    """Predictions of Nash, logit QRE, two sampling equilibria and impulse balance for games 1-12.

    Each parametric concept has one parameter common to all games. The errors are recomputed from payoffs
    and frequencies; they agree with the published comparisons in size and order.
    """
    nash = np.array([[x[0] for x in _profile(_GAMES[f"selten-chmura-{k}"][2])] for k in range(1, 13)])
    qre = ".042/.637 .154/.579 .168/.770 .275/.734 .307/.657 .417/.607"
    action = ".090/.704 .193/.584 .208/.774 .302/.719 .329/.643 .426/.596"
    payoff = ".071/.643 .184/.569 .152/.771 .285/.726 .307/.654 .427/.597"
    payoff_other = ".060/.691 .222/.601 .154/.767 .308/.730 .338/.650 .404/.599"
    impulse = ".068/.580 .172/.491 .161/.765 .259/.710 .297/.628 .400/.600"
    impulse_other = ".104/.634 .258/.561 .188/.764 .304/.724 .354/.646 .466/.604"
    source = f"{SELTEN_CHMURA}; {BRUNNER_CAMERER_GOEREE}"
    return (
        ReferenceConcept("Nash", "", 0, nash, 0.025865, 0.022476, 0.029254, 0.345, source),
        ReferenceConcept(
            "logit QRE",
            "lambda = 1.047",
            1,
            _predictions(qre, qre),
            0.004879,
            0.002147,
            0.007611,
            0.099,
            source,
        ),
        ReferenceConcept(
            "payoff-sampling equilibrium",
            "n = 6",
            1,
            _predictions(payoff, payoff_other),
            0.004138,
            0.001101,
            0.007175,
            0.127,
            source,
        ),
        ReferenceConcept(
            "action-sampling equilibrium",
            "n = 12",
            1,
            _predictions(action, action),
            0.003609,
            0.001310,
            0.005908,
            0.141,
            source,
        ),
        ReferenceConcept(
            "impulse balance equilibrium",
            "",
            0,
            _predictions(impulse, impulse_other),
            0.003594,
            0.003674,
            0.003513,
            0.110,
            source,
        ),
    )
