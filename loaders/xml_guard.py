"""RDF/XML looked through before it is parsed.

The RDF/XML parser expands entities and slows down with the square of the nesting, of the
namespaces and of the attributes, so a plain XML parser goes first: it refuses every DOCTYPE, counts
them all, tells the line of what is not well formed (which the RDF parser does not), and
notes the line of each subject. It reads the bytes as UTF-8, whatever they declare.

Source: RDF 1.1 XML Syntax, https://www.w3.org/TR/rdf-syntax-grammar/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urljoin
from xml.parsers import expat

from kg.errors import MalformedError, Place
from kg.names import ID, RDF

MAX_NAMESPACES = 200
MAX_ATTRIBUTES = 1_000
_ABOUT, _ID, _NODE, _RESOURCE, _PARSE_TYPE, _ROOT = (
    f"{RDF} {name}" for name in ("about", "ID", "nodeID", "resource", "parseType", "RDF")
)
_OF_PROPERTIES = frozenset({_ID, _PARSE_TYPE, f"{RDF} datatype"})
_XML_BASE = "http://www.w3.org/XML/1998/namespace base"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


Kind = Literal["root", "node", "property", "text"]


@dataclass(frozen=True)
class Scan:
    """What was seen on the way.

    Parameters:
        lines: the line on which each subject (``rdf:about``) first stands, by IRI.
        blank: the first line that has a node without an IRI; None where none was seen.
    """

    lines: Mapping[str, int]
    blank: int | None


def scan_xml(data: bytes, name: str, *, depth: int = 100) -> Scan:
    """Look through RDF/XML.

    Parameters:
        data: the content, in UTF-8.
        name: for messages.
        depth: how deep elements may nest.

    Raises:
        MalformedError: it is not well formed, has a DOCTYPE, nests deeper, or has too many namespaces or attributes.

    >>> scan_xml(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "x.rdf")
    Traceback (most recent call last):
    kg.errors.MalformedError: x.rdf:1: a DOCTYPE is not taken
      mend: leave it out, and write entities out
    """
    parser = expat.ParserCreate(encoding="UTF-8", namespace_separator=" ")
    lines: dict[str, int] = {}
    blank: int | None = None
    bases = [ID]
    kinds: list[Kind] = ["root"]
    namespaces = 0

    def error(problem: str, mend: str, line: int) -> MalformedError:
        return MalformedError(problem, mend=mend, place=Place(name, line))

    def doctype(*_: object) -> None:
        raise error("a DOCTYPE is not taken", "leave it out, and write entities out", parser.CurrentLineNumber)

    def start(element: str, attributes: dict[str, str]) -> None:
        nonlocal blank
        if len(attributes) > MAX_ATTRIBUTES:
            raise error(
                f"more than {MAX_ATTRIBUTES} attributes in one element",
                "write them as elements",
                parser.CurrentLineNumber,
            )
        base = attributes.get(_XML_BASE)
        bases.append(_resolve(bases[-1], base) if base is not None else bases[-1])
        if len(bases) > depth + 1:
            raise error(f"elements nest deeper than {depth}", "nest less deeply", parser.CurrentLineNumber)
        about = attributes.get(_ABOUT)
        if about is not None:
            lines.setdefault(_resolve(bases[-1], about), parser.CurrentLineNumber)
        kind, is_blank = _kind(kinds[-1], element, attributes)
        kinds.append(kind)
        if is_blank and blank is None:
            blank = parser.CurrentLineNumber

    def end(_: str) -> None:
        bases.pop()
        kinds.pop()

    def start_namespace(*_: object) -> None:
        nonlocal namespaces
        namespaces += 1
        if namespaces > MAX_NAMESPACES:
            raise error(
                f"more than {MAX_NAMESPACES} namespaces in one place",
                "declare fewer prefixes",
                parser.CurrentLineNumber,
            )

    def end_namespace(*_: object) -> None:
        nonlocal namespaces
        namespaces -= 1

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartNamespaceDeclHandler = start_namespace
    parser.EndNamespaceDeclHandler = end_namespace
    try:
        parser.Parse(data, True)
    except expat.ExpatError as problem:
        raise error(
            f"not well-formed XML: {expat.ErrorString(problem.code)} (column {problem.offset + 1})",
            "correct it there; a file that is cut off ends too early",
            problem.lineno,
        ) from problem
    return Scan(lines, blank)


def _kind(parent: Kind, element: str, attributes: Mapping[str, str]) -> tuple[Kind, bool]:
    """Return what an element stands for, and whether it makes a node without an IRI."""
    if parent == "text" or element == _ROOT:
        return ("text" if parent == "text" else "root"), False
    if parent in ("root", "property"):
        return "node", _ABOUT not in attributes and _ID not in attributes
    parse_type = attributes.get(_PARSE_TYPE)
    if parse_type == "Resource":
        return "node", True
    if parse_type is not None:
        return ("property", True) if parse_type == "Collection" else ("text", False)
    said = any(a not in _OF_PROPERTIES and not a.startswith("http://www.w3.org/XML/") for a in attributes)
    return "property", _NODE in attributes or (said and _RESOURCE not in attributes)


def _resolve(base: str, iri: str) -> str:
    if _SCHEME.match(iri):
        return iri
    try:
        return urljoin(base, iri)
    except ValueError:
        return iri
