"""What is played: games in normal form, their catalogue, their files and observed human play."""

from equipoise.games._catalogue_entry import CatalogueEntry
from equipoise.games._text import GameFileError
from equipoise.games.catalogue import catalogue, catalogue_entry, named_game
from equipoise.games.check import check_game
from equipoise.games.choices import load_choices, parse_choices
from equipoise.games.convert import (
    from_nashpy,
    from_openspiel,
    from_pygambit,
    to_nashpy,
    to_openspiel,
    to_pygambit,
)
from equipoise.games.files import load, save
from equipoise.games.generators import (
    covariant_game,
    random_2x2,
    random_coordination,
    random_game,
    random_zero_sum,
    two_robot_game,
)
from equipoise.games.grid_map import GridMap
from equipoise.games.markov import MarkovGame
from equipoise.games.nfg import NfgError
from equipoise.games.normal_form import NormalFormGame
from equipoise.games.observed_play import (
    ObservedPlay,
    PublishedFit,
    ReferenceConcept,
    observed_play,
    reference_concepts,
)
from equipoise.games.successors import SuccessorLists

__all__ = [
    "CatalogueEntry",
    "GameFileError",
    "GridMap",
    "MarkovGame",
    "NfgError",
    "NormalFormGame",
    "ObservedPlay",
    "PublishedFit",
    "ReferenceConcept",
    "SuccessorLists",
    "catalogue",
    "catalogue_entry",
    "check_game",
    "covariant_game",
    "from_nashpy",
    "from_openspiel",
    "from_pygambit",
    "load",
    "load_choices",
    "named_game",
    "observed_play",
    "parse_choices",
    "random_2x2",
    "random_coordination",
    "random_game",
    "random_zero_sum",
    "reference_concepts",
    "save",
    "to_nashpy",
    "to_openspiel",
    "to_pygambit",
    "two_robot_game",
]
