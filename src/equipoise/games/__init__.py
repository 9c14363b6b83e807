"""What is played: games in normal form, their catalogue, their files and observed human play."""

from equipoise.games.normal_form import NormalFormGame
from equipoise.games.observed_play import (
    ObservedPlay,
    PublishedFit,
    ReferenceConcept,
    observed_play,
    reference_concepts,
)

__all__ = [
    "NormalFormGame",
    "ObservedPlay",
    "PublishedFit",
    "ReferenceConcept",
    "observed_play",
    "reference_concepts",
]
