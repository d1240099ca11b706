"""The words of a SPARQL text: its tokens, in time that grows with its length only.

The terminals are those of the grammar, with two things borne in mind:

- *Our engine has no tokeniser.* Its parser asks at each place what may stand there, so `1SERVICE` is a number
  and a keyword, `SERVICE:foo` may be a keyword and a name, and `?a<?b#>` a comparison and a comment where it
  stands in an expression. Whoever looks for a keyword must look inside the tokens too; and where `<` may begin
  an IRI or mean *less*, the tokens that follow cannot be relied on: they are *unsure*.
- Operators are single characters here (`<<(` is three tokens): what longer ones mean makes no difference to us.

Sources: SPARQL 1.1, https://www.w3.org/TR/sparql11-query/#sparqlGrammar (terminals);
SPARQL 1.2, https://www.w3.org/TR/sparql12-query/#sparqlGrammar (directions of language tags, `VERSION`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

_BASE = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_IN_VARIABLE = _BASE + "_0-9\u00b7\u0300-\u036f\u203f-\u2040"
_IN_NAME = _IN_VARIABLE + r"\-"
_ESCAPED = r"%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?\#@%]"
_LOCAL = rf"(?:(?:[{_IN_VARIABLE}:]|{_ESCAPED})(?:[{_IN_NAME}:]|{_ESCAPED})*+(?:\.++(?:[{_IN_NAME}:]|{_ESCAPED})++)*+)"
_CODE_POINT = r"\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}"

# Possessive throughout (`*+`): nothing is tried twice. A string that does not end is one token nevertheless,
# else each quotation mark in it would be tried anew; no engine takes it.
_TOKEN = re.compile(
    rf"""
    [?$][{_IN_VARIABLE}]++
  | [{_BASE}][{_IN_NAME}.]*+(?::{_LOCAL}?+)?+ | :{_LOCAL}?+
  | <(?:[^<>"{{}}|^`\\\x00-\x20]++|{_CODE_POINT})*+>
  | \"\"\"(?:[^"\\]++|\\.|"(?!""))*+(?:\"\"\")?+ | '''(?:[^'\\]++|\\.|'(?!''))*+(?:''')?+
  | "(?:[^"\\\n\r]++|\\.)*+"?+ | '(?:[^'\\\n\r]++|\\.)*+'?+
  | _:[{_IN_VARIABLE}][{_IN_NAME}]*+(?:\.++[{_IN_NAME}]++)*+
  | (?:[0-9]++(?:\.[0-9]*+(?=[eE])|\.[0-9]++)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+
  | @[A-Za-z]++(?:-[A-Za-z0-9]++)*+(?:--[A-Za-z]++)?+
  | \#[^\n\r]*+
  | [^ \t\n\r]
    """,
    re.VERBOSE | re.DOTALL,
)
_PART = re.compile(r"[A-Za-z][A-Za-z0-9_]*+|\.[0-9]++|[0-9]++|.", re.DOTALL)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U(00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4})")
_WITH_AUTHORITY = re.compile(r"<[A-Za-z][A-Za-z0-9+.\-]*://")
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


Token: TypeAlias = tuple[str, int]
"""A token as it is written, and where its first character stands, counted from 0."""


class Brackets:
    """Which brackets are open while tokens are read one after another, and which `<` is unsure.

    >>> brackets = Brackets()
    >>> [brackets.meets(token) for token, _ in tokens("FILTER(?a<ex:b#>)")]
    [False, False, False, True, False]
    """

    def __init__(self) -> None:
        self.open: list[str] = []
        self._last = self._before = ""

    def meets(self, token: str) -> bool:
        """Take the next token; tell whether it looks like an IRI and may be a comparison with all that follows.

        Only expressions compare, and they stand in round brackets, `<` after what has a value. No expression
        has `//`, so an IRI with an authority is always one.
        """
        unsure = (
            is_iri(token)
            and bool(self.open)
            and self.open[-1] == "("
            and self._ends_value()
            and not _WITH_AUTHORITY.match(token)
        )
        if token in _OPENING:
            self.open.append(token)
        elif token in _CLOSING and self.open:
            self.open.pop()
        self._before, self._last = self._last, token
        return unsure

    def _ends_value(self) -> bool:
        last = self._last
        if last == ">":
            return self._before == ">"
        if not last or is_word(last):
            return last.upper().endswith(("TRUE", "FALSE"))
        return last in (")", "}", ":") or len(last) > 1 or last.isalnum()


def tokens(text: str) -> Iterator[Token]:
    """Give the tokens of a SPARQL text one after another, without comments.

    Parameters:
        text: a query or an update; need not be right.

    >>> [token for token, _ in tokens('SELECT * { ?s ex:p "SERVICE"@en } # SERVICE')]
    ['SELECT', '*', '{', '?s', 'ex:p', '"SERVICE"', '@en', '}']
    >>> [token for token, _ in tokens("true.SERVICE<http://example.org/>")]
    ['true', '.', 'SERVICE', '<http://example.org/>']
    """
    for match in _TOKEN.finditer(text):
        token = match.group()
        if len(token) == 1:
            if token != "#":
                yield token, match.start()
        elif token[0] == "#":
            continue
        elif token[0].isalpha() and ":" not in token and not _WORD.fullmatch(token):
            # Characters that a name may have, but no colon: keywords, dots, minus signs.
            for part in _PART.finditer(token):
                yield part.group(), match.start() + part.start()
        else:
            yield token, match.start()


def decode_escapes(text: str) -> str:
    r"""Return a text with its code point escapes put in, as the specification has it.

    Our engine takes them only in strings and IRIs; so both readings have to be looked at.

    >>> decode_escapes(r"\u0053ERVICE")
    'SERVICE'
    """
    if "\\u" not in text and "\\U" not in text:
        return text
    return _ESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)), text)


def is_iri(token: str) -> bool:
    """Tell whether a token is an IRI in angle brackets."""
    return len(token) > 1 and token[0] == "<"


def is_word(token: str) -> bool:
    """Tell whether a token is a keyword, or several written without a space between.

    >>> [is_word(t) for t in ("SELECT", "ex:a", "?x", "<ex:a>")]
    [True, False, False, False]
    """
    return token[0].isascii() and token[0].isalpha() and ":" not in token


def is_prefixed(token: str) -> bool:
    """Tell whether a token is a prefixed name, or only a prefix with its colon; blank nodes are none."""
    return ":" in token and (token[0] == ":" or token[0].isalpha())


def is_unsure(found: Iterable[Token]) -> bool:
    """Tell whether some token looks like an IRI and may be a comparison, so that what follows cannot be relied on.

    >>> is_unsure(tokens("SELECT * { ?s <#p> ?o FILTER(?o < ?s && ?s > ?o) }"))
    False
    >>> is_unsure(tokens("SELECT * { FILTER(?o<?s&&?s>?o) }"))
    True
    """
    brackets = Brackets()
    return any(brackets.meets(token) for token, _ in found)
