"""Content negotiation for the endpoint: from an Accept header to media types, remembered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from server.formats import QUAD_FORMATS, RDF_FORMATS, RESULT_FORMATS, SHORT_NAMES, Format, choose_format
from server.front.protocol import media_type_of

_PARAMETER = re.compile(r";\s*(?!q\s*=)[^;,=\"]+=(?:\"[^\"]*\"|[^;,\"]*)", re.IGNORECASE)
_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "json": ("application/sparql-results+json", "application/ld+json"),
    "xml": ("application/sparql-results+xml", "application/rdf+xml"),
    "turtle": ("text/turtle",),
    "n3": ("text/turtle",),
    "ntriples": ("application/n-triples",),
    "rdf+xml": ("application/rdf+xml",),
    "json-ld": ("application/ld+json",),
}
"""What clients such as SPARQLWrapper say in `format=`, beside our short names: for rows first, then for statements."""

_GRAPHS: Mapping[str, Format] = {**RDF_FORMATS, **QUAD_FORMATS}


class Wanted(NamedTuple):
    """What a client takes.

    Parameters:
        result_type: media type for rows and truth values, empty for none.
        rdf_type: media type for statements, empty for none.
        page: it would rather have a page.
    """

    result_type: str
    rdf_type: str
    page: bool


@lru_cache(4096)
def wanted(accept: str, form: str = "", *, quads: bool = False) -> Wanted:
    """Return what a client takes.

    Parameters:
        accept: its Accept header.
        form: short name of a format, or media types and commas, which comes before the header; a plus sign in it
            that was not encoded has come as a space.
        quads: whether statements may come with their graphs.

    >>> wanted("text/csv;q=0.1, application/sparql-results+xml")
    Wanted(result_type='application/sparql-results+xml', rdf_type='', page=False)
    >>> wanted("", "xml")
    Wanted(result_type='application/sparql-results+xml', rdf_type='application/rdf+xml', page=False)
    >>> wanted("", "ttl").rdf_type, wanted("text/turtle; charset=utf-8").rdf_type
    ('text/turtle', 'text/turtle')
    """
    types = MIMEAccept([(name, 1) for name in _named(form)]) if form else _types(accept)
    results = choose_format(types, RESULT_FORMATS)
    statements = choose_format(types, _GRAPHS if quads else RDF_FORMATS)
    page = bool(types) and types.best_match(["application/sparql-results+json", "text/html"]) == "text/html"
    return Wanted(results[0] if results else "", statements[0] if statements else "", page)


@lru_cache(1024)
def takes_gzip(accept_encoding: str) -> bool:
    """Tell whether a client takes compressed answers.

    >>> takes_gzip("br, gzip;q=0.5"), takes_gzip("gzip;q=0"), takes_gzip("")
    (True, False, False)
    """
    return parse_accept_header(accept_encoding[:1_000])["gzip"] > 0 if accept_encoding else False


@lru_cache(1024)
def problem_type(accept: str) -> str:
    """Return the media type in which a client is told of a problem."""
    best = _types(accept).best_match(
        ["text/plain", "application/problem+json", "application/json", "application/sparql-results+json"]
    )
    return "text/plain; charset=utf-8" if best in (None, "text/plain") else "application/problem+json"


def _named(form: str) -> tuple[str, ...]:
    """Return the media types that `format=` asks for."""
    names = [media_type_of(part).replace(" ", "+") for part in form[:1_000].split(",")]
    return tuple(t for name in names for t in _OTHER_NAMES.get(name) or (SHORT_NAMES.get(name, name),))


def _types(accept: str) -> MIMEAccept:
    """Read an Accept header; parameters of media types (charset, version) are no reason to have nothing to offer."""
    return parse_accept_header(_PARAMETER.sub("", accept[:1_000]), MIMEAccept)
