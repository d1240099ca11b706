"""The syntaxes that content may come in, and how to tell which one it is.

One table says all: short names, media types and file endings. A request says its media type, a
file has an ending, and standard input is guessed from how it begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

import pyoxigraph as ox

from kg.errors import MalformedError, Place


@dataclass(frozen=True)
class Syntax:
    """A syntax that content may come in.

    Parameters:
        name: short name, which is also its first file ending.
        title: what people call it.
        media_types: those it is known by, the registered one first.
        endings: of files, without the dot.
        rdf_format: what the RDF parser calls it; None for our YAML records.
    """

    name: str
    title: str
    media_types: tuple[str, ...]
    endings: tuple[str, ...]
    rdf_format: ox.RdfFormat | None


SYNTAXES = (
    Syntax(
        "yaml",
        "a record in YAML",
        ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"),
        ("yaml", "yml"),
        None,
    ),
    Syntax("ttl", "Turtle", ("text/turtle", "application/x-turtle"), ("ttl", "turtle"), ox.RdfFormat.TURTLE),
    Syntax("trig", "TriG", ("application/trig", "application/x-trig"), ("trig",), ox.RdfFormat.TRIG),
    Syntax("nt", "N-Triples", ("application/n-triples",), ("nt", "n-triples", "ntriples"), ox.RdfFormat.N_TRIPLES),
    Syntax("nq", "N-Quads", ("application/n-quads",), ("nq", "n-quads", "nquads"), ox.RdfFormat.N_QUADS),
    Syntax(
        "jsonld",
        "JSON-LD",
        ("application/ld+json", "application/json"),
        ("jsonld", "json-ld", "json"),
        ox.RdfFormat.JSON_LD,
    ),
    Syntax(
        "rdf",
        "RDF/XML",
        ("application/rdf+xml", "application/xml", "text/xml"),
        ("rdf", "rdfxml", "rdf/xml", "owl", "xml"),
        ox.RdfFormat.RDF_XML,
    ),
)

_FORMS = {form: syntax for syntax in SYNTAXES for form in (*syntax.media_types, *syntax.endings)}
_TAKEN = ", ".join(f"{s.name} ({s.media_types[0]})" for s in SYNTAXES)
_QUAD = re.compile(rb'\s*(?:#.*\n\s*)*(?:<[^>]*>|_:\S+)\s+<[^>]*>\s+(?:<[^>]*>|_:\S+|"(?:[^"\\]|\\.)*"\S*)\s*(<|_:)')
_YAML_KEY = re.compile(rb"\s*(?:#.*\n\s*)*[A-Za-z]+:(?:\s|\Z)")


def find_syntax(form: str) -> Syntax:
    """Return the syntax that a short name, an ending or a media type stands for.

    Parameters:
        form: such as ``ttl``, ``.ttl``, ``turtle``, or ``text/turtle; charset=utf-8``.

    Raises:
        MalformedError: it is not taken, or the media type names a charset that is not UTF-8.

    >>> find_syntax("text/turtle").name, find_syntax(".owl").title
    ('ttl', 'RDF/XML')
    """
    plain, *parameters = (part.strip().lower() for part in form.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8", "us-ascii"):
            raise MalformedError(f"the charset {value.strip()} is not taken", mend="send UTF-8")
    syntax = _FORMS.get(plain.removeprefix("."))
    if syntax is None:
        raise MalformedError(f"`{form[:100]}` is no form that is taken", mend=f"use one of: {_TAKEN}")
    return syntax


def guess_form(name: str, data: bytes) -> str:
    """Return the short name of the syntax that content is probably in.

    Parameters:
        name: of the file, whose ending counts first; may be empty or ``-``.
        data: the content; only its beginning is looked at.

    Raises:
        MalformedError: neither tells.

    >>> guess_form("x.trig", b""), guess_form("-", b"<?xml version='1.0'?>"), guess_form("-", b"entries:\\n  - id: a")
    ('trig', 'rdf', 'yaml')
    """
    ending = PurePath(name).suffix.lower().removeprefix(".")
    if ending in _FORMS:
        return _FORMS[ending].name
    start = data[:100_000].removeprefix(b"\xef\xbb\xbf").lstrip()
    if re.match(rb"<\?xml|<!--|<!DOCTYPE|<(?:\w+:)?RDF[\s>]", start, re.IGNORECASE):
        return "rdf"
    if re.match(rb'[\[{]\s*(?:["{}\[\]]|\Z)', start):
        return "jsonld"
    if _YAML_KEY.match(start) or re.match(rb"---\s|\{\s*(?:id|entries):", start):
        return "yaml"
    if _QUAD.match(start):
        return "nq"
    if re.match(rb"[@<#_\[({]|(?:PREFIX|BASE|GRAPH)\s|[\w.-]*:\S", start, re.IGNORECASE):
        return "trig"  # which includes Turtle and N-Triples
    raise MalformedError("cannot tell in which form this is", mend=f"say which: {_TAKEN}", place=Place(name or "-"))
