"""Shared by all tests: puts this folder on the import path (for `zoo`) and sets Hypothesis up."""

from hypothesis import settings

# Compilation and a busy machine make single examples slow; a deadline would fail at random.
settings.register_profile("equipoise", deadline=None, max_examples=30)
settings.load_profile("equipoise")
