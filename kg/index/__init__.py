"""The index: search, facets and rows of assertions, kept in a file beside the store and in step with it.

The graph answers everything, and the index sooner what pages ask most. `Index` is what others use.
"""

from kg.index.answers import HIT_KINDS, AssertionRow, Explored, FacetValue, Found, Hit
from kg.index.index import Index, make_index
from kg.index.stances import StanceRow
from kg.index.writing import Quote

__all__ = [
    "HIT_KINDS",
    "AssertionRow",
    "Explored",
    "FacetValue",
    "Found",
    "Hit",
    "Index",
    "Quote",
    "StanceRow",
    "make_index",
]
