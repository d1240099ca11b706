"""Turtle, TriG, N-Triples and N-Quads looked through before they are parsed.

The parser recurses into triple terms and, nested 100,000 deep, brings its process down; so
nesting is counted first, by a tokeniser that knows strings, IRIs and comments. What the
tokeniser cannot make out is refused, so nothing is hidden from it. On the way it notes the
line on which each subject first stands.

Source: RDF 1.1 Turtle, https://www.w3.org/TR/turtle/#sec-grammar-grammar (terminals), and
RDF 1.1 TriG, https://www.w3.org/TR/trig/#sec-grammar.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from kg.errors import MalformedError, Place
from kg.names import ID

_TOKEN = re.compile(
    r"""
    (?P<string>\"\"\"(?:[^"\\]++|\\.|"(?!""))*+\"\"\" | '''(?:[^'\\]++|\\.|'(?!''))*+'''
             | "(?!"")(?:[^"\\\n\r]++|\\.)*+" | '(?!'')(?:[^'\\\n\r]++|\\.)*+')
  | (?P<iri><(?:[^<>"{}|^`\\\x00-\x20]++|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*+>)
  | (?P<comment>\#[^\n\r]*+)
  | (?P<at>@[A-Za-z]++(?:-[A-Za-z0-9]++)*+)
  | (?P<name>(?:[\w:%\-]|\\.)++(?:\.++(?:[\w:%\-]|\\.)++)*+)
  | (?P<other>[^\s;,])
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSING = re.compile(r"\s*+\)")
_PLAIN = re.compile(r"[\w\-]+\Z")  # spares the cost of urljoin
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U(000[0-9A-Fa-f]{5}|0010[0-9A-Fa-f]{4})")


@dataclass(frozen=True)
class Scan:
    """What was seen on the way.

    Parameters:
        lines: the line on which each subject first stands, by IRI; those of resources inside
            brackets are not looked for.
        blank: the first line that has a blank node; None where there is none.
    """

    lines: Mapping[str, int]
    blank: int | None


def scan_turtle(text: str, name: str, *, depth: int = 100) -> Scan:
    """Look through a text in Turtle, TriG, N-Triples or N-Quads.

    Parameters:
        text: the content.
        name: for messages.
        depth: how deep brackets may nest.

    Raises:
        MalformedError: it nests deeper, has triple terms, or has a string or an IRI that does not end.

    >>> scan_turtle("PREFIX ex: <http://example.org/>\\nex:a ex:p 1 .\\n<b> ex:p '((' .", "x.ttl").lines
    {'http://example.org/a': 2, 'https://w3id.org/whosays/id/b': 3}
    """
    return _Scanner(text, name, depth).scan()


class _Scanner:
    def __init__(self, text: str, name: str, depth: int) -> None:
        self.text, self.name, self.limit = text, name, depth
        self.base = ID
        self.prefixes: dict[str, str] = {}
        self.lines: dict[str, int] = {}
        self.blank: int | None = None
        self.position, self.counted, self.line = 0, 0, 1
        self.depth = 0
        self.directive: list[str] = []  # what has been read of one
        self.fresh = True  # a statement begins here

    def scan(self) -> Scan:
        for match in _TOKEN.finditer(self.text):
            kind = match.lastgroup
            if kind == "other":
                self.position = match.start()
                self._other(match.group(), match.start())
            elif kind == "comment":
                continue
            elif self.directive:
                self._directive(match.group())
            elif self.fresh:
                self.position = match.start()
                self._begin(kind or "", match.group())
            elif kind == "name" and self.blank is None and self.text.startswith("_:", match.start()):
                self.position = match.start()
                self._blank()
        return Scan(self.lines, self.blank)

    def _line(self) -> int:
        self.line += self.text.count("\n", self.counted, self.position)
        self.counted = self.position
        return self.line

    def _other(self, token: str, start: int) -> None:
        if token == "~" or self.text.startswith(("<<", "{|"), start):
            raise self._error("a triple stands inside a triple (RDF 1.2)", "say it with an Assertion; see ontology/")
        if token in "([{":
            self.depth += 1
            if self.depth > self.limit:
                raise self._error(f"brackets nest deeper than {self.limit}", "nest less deeply")
            self.fresh = token == "{" or (self.fresh and self.depth == 0)
            if token == "[" or (token == "(" and not _CLOSING.match(self.text, start + 1)):
                self._blank()
        elif token in ")]}":
            self.depth -= 1
            self.fresh = token == "}"
        elif token == ".":
            self.fresh, self.directive = True, []
        elif token in "\"'":
            raise self._error("a string does not end", "close it; a string of several lines has three quotes each side")
        elif token == "<":
            raise self._error("`<` begins no IRI", "write <, the IRI, and >; no spaces, quotes or braces in it")

    def _begin(self, kind: str, token: str) -> None:
        word = token.upper()
        if word in ("@PREFIX", "@BASE", "PREFIX", "BASE", "VERSION", "@VERSION"):
            self.directive = [word.removeprefix("@")]
        elif kind == "name" and word == "GRAPH":
            pass
        else:
            self.fresh = False
            if kind == "name" and token.startswith("_:"):
                self._blank()
            iri = self._iri(kind, token)
            if iri is not None and iri not in self.lines:
                self.lines[iri] = self._line()

    def _directive(self, token: str) -> None:
        self.directive.append(token)
        if self.directive[0] == "PREFIX" and len(self.directive) == 3:
            self.prefixes[self.directive[1].removesuffix(":")] = self._iri("iri", token) or ""
        elif self.directive[0] == "BASE" and len(self.directive) == 2:
            self.base = self._iri("iri", token) or self.base
        elif len(self.directive) < (3 if self.directive[0] == "PREFIX" else 2):
            return
        self.directive = []

    def _iri(self, kind: str, token: str) -> str | None:
        if kind == "iri":
            iri = _ESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)), token[1:-1])
            if _PLAIN.match(iri) and self.base.endswith("/"):
                return self.base + iri
            try:
                return iri if _SCHEME.match(iri) else urljoin(self.base, iri)
            except ValueError:
                return None
        prefix, colon, local = token.partition(":")
        if kind != "name" or not colon or prefix not in self.prefixes:
            return None
        return self.prefixes[prefix] + re.sub(r"\\(.)", r"\1", local)

    def _blank(self) -> None:
        if self.blank is None:
            self.blank = self._line()

    def _error(self, problem: str, mend: str) -> MalformedError:
        return MalformedError(problem, mend=mend, place=Place(self.name, self._line()))
