"""Solvers that know the game: a strategy for every player, with a certificate."""
