"""Content negotiation: which format an answer is written in."""

from __future__ import annotations

from collections.abc import Mapping

import pyoxigraph as ox
from werkzeug.datastructures import MIMEAccept

Format = ox.QueryResultsFormat | ox.RdfFormat

RESULT_FORMATS: Mapping[str, ox.QueryResultsFormat] = {
    "application/sparql-results+json": ox.QueryResultsFormat.JSON,
    "application/json": ox.QueryResultsFormat.JSON,
    "application/sparql-results+xml": ox.QueryResultsFormat.XML,
    "application/xml": ox.QueryResultsFormat.XML,
    "text/xml": ox.QueryResultsFormat.XML,
    "text/csv": ox.QueryResultsFormat.CSV,
    "text/tab-separated-values": ox.QueryResultsFormat.TSV,
}
"""Media types for SELECT and ASK."""

RDF_FORMATS: Mapping[str, ox.RdfFormat] = {
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
    "application/ld+json": ox.RdfFormat.JSON_LD,
    "text/plain": ox.RdfFormat.N_TRIPLES,
}
"""Media types for CONSTRUCT and DESCRIBE."""

QUAD_FORMATS: Mapping[str, ox.RdfFormat] = {
    "application/n-quads": ox.RdfFormat.N_QUADS,
    "application/trig": ox.RdfFormat.TRIG,
}
"""Media types for statements with their graphs."""

SHORT_NAMES: Mapping[str, str] = {
    "json": "application/sparql-results+json",
    "xml": "application/sparql-results+xml",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "ttl": "text/turtle",
    "nt": "application/n-triples",
    "rdf": "application/rdf+xml",
    "jsonld": "application/ld+json",
    "nq": "application/n-quads",
    "trig": "application/trig",
    "html": "text/html",
}
"""What `?format=` takes instead of a media type."""


def choose_format(accept: MIMEAccept, offered: Mapping[str, Format]) -> tuple[str, Format] | None:
    """Return the media type and format that a client likes best.

    Parameters:
        accept: the request's Accept header; empty means that anything goes.
        offered: media types in our order of preference.

    Returns:
        None where nothing that we offer is acceptable.

    >>> from werkzeug.datastructures import MIMEAccept
    >>> choose_format(MIMEAccept([("text/csv", 1)]), RESULT_FORMATS)[0]
    'text/csv'
    """
    if not accept:
        media_type = next(iter(offered))
    else:
        best = accept.best_match(list(offered))
        if best is None:
            return None
        media_type = best
    return media_type, offered[media_type]
