"""What is played: games in normal form, their catalogue, their files and observed human play."""

from equipoise.games.normal_form import NormalFormGame

__all__ = ["NormalFormGame"]
