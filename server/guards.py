"""What a query may not do: reach out.

From Python the engine's `SERVICE` and `LOAD` cannot be switched off, so the words are looked
for before evaluation, by a tokeniser that knows strings, IRIs and comments.

Source: SPARQL 1.1, https://www.w3.org/TR/sparql11-query/#sparqlGrammar (terminals).
"""

from __future__ import annotations

import re
from collections.abc import Collection

from kg.errors import RefusedError

_TOKEN = re.compile(
    r"""
    (?P<string>\"\"\"(?:[^"\\]|\\.|"(?!""))*\"\"\" | '''(?:[^'\\]|\\.|'(?!''))*'''
             | "(?:[^"\\\n\r]|\\.)*" | '(?:[^'\\\n\r]|\\.)*')
  | (?P<iri><[^<>"{}|^`\\\x00-\x20]*>)
  | (?P<comment>\#[^\n\r]*)
  | (?P<name>[?$@]?[\w.\-]*:?(?:[\w.\-:%]|\\.)*[\w:])
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U(0[0-9A-Fa-f]{7})")


def words(query: str) -> list[str]:
    """Return the keywords and names of a query, without strings, IRIs and comments.

    >>> words('SELECT * { ?s ?p "SERVICE" } # SERVICE')
    ['SELECT', '?s', '?p']
    """
    return [token for kind, token in _tokens(query) if kind == "name"]


def _tokens(query: str) -> list[tuple[str, str]]:
    found = ((str(m.lastgroup), m.group()) for m in _TOKEN.finditer(query))
    return [(kind, token) for kind, token in found if kind in ("name", "iri", "string")]


def check_query(query: str, services: Collection[str] = ()) -> None:
    """Refuse a query that would reach out of this machine.

    Parameters:
        query: SPARQL.
        services: endpoints that it may reach; only a whole IRI that stands in the query is compared.

    Raises:
        RefusedError: it has a SERVICE clause to anything else.

    >>> check_query("SELECT * { SERVICE <http://example.org/> { ?s ?p ?o } }")
    Traceback (most recent call last):
    kg.errors.RefusedError: SERVICE is not allowed here
      mend: ask the other endpoint directly
    """
    tokens = _tokens(_ESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)), query))
    for position, (kind, token) in enumerate(tokens):
        # Contained, since 1SERVICE is a number and a keyword.
        if kind != "name" or ":" in token or token[0] in "?$@" or "SERVICE" not in token.upper():
            continue
        rest = [t for t in tokens[position + 1 :][:2] if t != ("name", "SILENT")]
        if token.upper() != "SERVICE" or not rest or rest[0][0] != "iri" or rest[0][1][1:-1] not in services:
            raise RefusedError("SERVICE is not allowed here", mend="ask the other endpoint directly")
