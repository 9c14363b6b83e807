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
from equipoise.games.convert_markov import from_sgamesolver, markov_from_openspiel, to_sgamesolver
from equipoise.games.exploration import explore
from equipoise.games.files import load, save
from equipoise.games.generative import GenerativeModel
from equipoise.games.generators import (
    covariant_game,
    random_2x2,
    random_coordination,
    random_game,
    random_zero_sum,
    two_robot_game,
)
from equipoise.games.grid import grid_game
from equipoise.games.grid_map import GridMap
from equipoise.games.grid_worlds import cliff_walk, cooperation_grid
from equipoise.games.markov import MarkovGame
from equipoise.games.markov_catalogue import MarkovEntry, markov_catalogue, named_markov_game
from equipoise.games.markov_generators import congestion_markov_game, random_markov_game
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
    "GenerativeModel",
    "GridMap",
    "MarkovEntry",
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
    "cliff_walk",
    "congestion_markov_game",
    "cooperation_grid",
    "covariant_game",
    "explore",
    "from_nashpy",
    "from_openspiel",
    "from_pygambit",
    "from_sgamesolver",
    "grid_game",
    "load",
    "load_choices",
    "markov_catalogue",
    "markov_from_openspiel",
    "named_game",
    "named_markov_game",
    "observed_play",
    "parse_choices",
    "random_2x2",
    "random_coordination",
    "random_game",
    "random_markov_game",
    "random_zero_sum",
    "reference_concepts",
    "save",
    "to_nashpy",
    "to_openspiel",
    "to_pygambit",
    "to_sgamesolver",
    "two_robot_game",
]
