"""What a query may not do: reach out.

From Python the engine's `SERVICE` and `LOAD` cannot be switched off, so the words are looked
for before evaluation, by a tokeniser that knows strings, IRIs and comments.

Source: SPARQL 1.1, https://www.w3.org/TR/sparql11-query/#sparqlGrammar (terminals).
"""

from __future__ import annotations

import re

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
    return [m.group() for m in _TOKEN.finditer(query) if m.lastgroup == "name"]


def check_query(query: str) -> None:
    """Refuse a query that would reach out of this machine.

    Raises:
        RefusedError: it has a SERVICE clause.

    >>> check_query("SELECT * { SERVICE <http://example.org/> { ?s ?p ?o } }")
    Traceback (most recent call last):
    kg.errors.RefusedError: SERVICE is not allowed here
      mend: ask the other endpoint directly
    """
    plain = (
        w for w in words(_ESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)), query)) if ":" not in w and w[0] not in "?$@"
    )
    if any("SERVICE" in word.upper() for word in plain):  # contained, since 1SERVICE is a number and a keyword
        raise RefusedError("SERVICE is not allowed here", mend="ask the other endpoint directly")
