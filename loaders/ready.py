"""Importing this reads the shapes and parses their queries, which takes seconds.

The process from which cells are forked imports it, so that every cell is ready when it begins.
"""

from kg.validation import make_ready
from loaders import judging

make_ready()

__all__ = ["judging"]
