"""Learners for games small enough for tables."""
