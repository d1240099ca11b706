"""What a query may not do; see `kg.sparql`, which is to be used instead."""

from __future__ import annotations

from collections.abc import Collection

from kg import sparql


def check_query(query: str, services: Collection[str] = ()) -> None:
    """Refuse a query that would reach out of this machine; see `kg.sparql.check_query`."""
    sparql.check_query(query, services=services)
