"""Every classical concept certifies its answer on the whole zoo of games, in the units of each game."""

import numpy as np
import pytest

from equipoise.equilibria._solution import solve
from equipoise.equilibria.behavioural import ActionSampling, ImpulseBalance, PayoffSampling
from equipoise.equilibria.correlated import CoarseCorrelatedEquilibrium, CorrelatedEquilibrium
from equipoise.equilibria.nash import Nash, all_nash_equilibria, pure_nash_equilibria
from equipoise.equilibria.security import Security
from equipoise.equilibria.stackelberg import Stackelberg
from equipoise.games import catalogue
from equipoise.games.normal_form import NormalFormGame
from zoo import all_games, catalogue_games, small_games

ANY_PLAYERS = [
    Nash(),
    Security(),
    Security(pure=True),
    CorrelatedEquilibrium(),
    CorrelatedEquilibrium("egalitarian"),
    CoarseCorrelatedEquilibrium(),
]
TWO_PLAYERS = [Nash("lemke_howson"), Stackelberg(), Stackelberg(leader=1)]


def certify(game: NormalFormGame, concept) -> None:
    solution = solve(game, concept)
    scale = max(1.0, float(np.max(game.payoff_ranges())))
    assert solution.certificate.gap < 1e-8 * scale
    assert solution.certificate.lower <= solution.certificate.gap
    for x in solution.strategies:
        assert x.min() >= 0.0
        assert x.sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("concept", ANY_PLAYERS, ids=lambda concept: concept.name)
def test_on_the_whole_zoo(concept):
    for game in all_games().values():
        certify(game, concept)


@pytest.mark.parametrize("concept", TWO_PLAYERS, ids=lambda concept: concept.name)
def test_on_all_two_player_games(concept):
    for game in all_games().values():
        if game.num_players == 2:
            certify(game, concept)


@pytest.mark.parametrize(
    "concept", [Nash("logit"), ActionSampling(3), PayoffSampling(2)], ids=lambda concept: concept.name
)
def test_on_small_two_player_games(concept):
    for game in small_games(players=2).values():
        certify(game, concept)


def test_impulse_balance_on_every_game_it_is_defined_for():
    solved = 0
    for game in catalogue_games().values():
        if game.num_actions != (2, 2) or pure_nash_equilibria(game):
            with pytest.raises(ValueError, match="impulse balance is defined for"):
                ImpulseBalance().find(game)
        else:
            certify(game, ImpulseBalance())
            solved += 1
    assert solved >= 15


@pytest.mark.parametrize("key", [key for key, one in catalogue().items() if one.complete])
def test_listed_equilibria_are_those_the_catalogue_knows(key):
    entry = catalogue()[key]
    known = [np.concatenate(profile) for profile in entry.equilibria]
    if entry.game.num_players == 2:
        found = [np.concatenate(solution.strategies) for solution in all_nash_equilibria(entry.game)]
        assert len(found) == len(known)
    else:
        found = [np.concatenate(solve(entry.game, Nash()).strategies)]
    for one in found:
        assert min(np.abs(one - other).max() for other in known) < 1e-8
