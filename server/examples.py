"""The saved queries as RDF, so that other tools find them: the convention of the SIB's collection.

Source: https://github.com/sib-swiss/sparql-examples. Each query is a `sh:SPARQLExecutable` with a comment, its
text, the endpoint that answers it, and prefixes that are declared once for all. The text is the one
with example values, and declares its prefixes too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pyoxigraph as ox

from kg.names import OWL, PREFIXES, RDF, RDFS, SH, XSD
from kg.queries import SavedQuery
from kg.query_text import Form, with_prefixes

PATH = "/.well-known/sparql-examples"
SCHEMA = "https://schema.org/"
SPEX = "https://purl.expasy.org/sparql-examples/ontology#"

_FORMS: Mapping[Form, tuple[str, str]] = {
    "SELECT": (SH + "SPARQLSelectExecutable", SH + "select"),
    "ASK": (SH + "SPARQLAskExecutable", SH + "ask"),
    "CONSTRUCT": (SH + "SPARQLConstructExecutable", SH + "construct"),
    "DESCRIBE": (SPEX + "SPARQLDescribeExecutable", SPEX + "describe"),
}
_CLASS = re.compile(r"(?<![\w:.-])ws:([A-Z]\w*)")
_SERVICE = re.compile(r"\bSERVICE\s+(?:SILENT\s+)?<([^<>\s]+)>", re.IGNORECASE)
_SHARED = ox.BlankNode("sparql_examples_prefixes")


def describe_examples(queries: Mapping[str, SavedQuery], base_address: str, form: ox.RdfFormat) -> bytes:
    """Return the saved queries as RDF.

    Parameters:
        queries: by name.
        base_address: of the server, without the slash at its end.
        form: the syntax.

    >>> from kg.queries import load_queries
    >>> told = describe_examples(load_queries(), "http://localhost", ox.RdfFormat.TURTLE)
    >>> b"sh:SPARQLSelectExecutable" in told
    True
    """
    triples = [*_prefixes(), *(t for saved in queries.values() for t in _query(saved, base_address))]
    prefixes = {"sh": SH, "rdfs": RDFS, "owl": OWL, "schema": SCHEMA, "spex": SPEX, "ex": f"{base_address}{PATH}/"}
    return ox.serialize(triples, format=form, prefixes=prefixes) or b""


def _query(saved: SavedQuery, base_address: str) -> Iterator[ox.Triple]:
    node = ox.NamedNode(f"{base_address}{PATH}/{saved.name}")
    kind, holds_text = _FORMS[saved.form]
    for one in (SH + "SPARQLExecutable", kind):
        yield _triple(node, RDF + "type", ox.NamedNode(one))
    yield _triple(node, RDFS + "label", ox.Literal(saved.title, language="en"))
    yield _triple(node, RDFS + "comment", ox.Literal(f"{saved.title} {saved.description}", language="en"))
    yield _triple(node, SH + "prefixes", _SHARED)
    yield _triple(node, holds_text, ox.Literal(with_prefixes(saved.text)))
    for keyword in dict.fromkeys(_CLASS.findall(saved.text)):
        yield _triple(node, SCHEMA + "keywords", ox.Literal(keyword))
    yield _triple(node, SCHEMA + "target", ox.NamedNode(f"{base_address}/sparql"))
    for endpoint in dict.fromkeys(_SERVICE.findall(saved.text)):
        yield _triple(node, SPEX + "federatesWith", ox.NamedNode(endpoint))


def _prefixes() -> Iterator[ox.Triple]:
    yield _triple(_SHARED, RDF + "type", ox.NamedNode(OWL + "Ontology"))
    yield _triple(_SHARED, OWL + "imports", ox.NamedNode(SH.removesuffix("#")))
    for prefix, iri in PREFIXES.items():
        one = ox.BlankNode(f"prefix_{prefix}")
        yield _triple(_SHARED, SH + "declare", one)
        yield _triple(one, SH + "prefix", ox.Literal(prefix))
        yield _triple(one, SH + "namespace", ox.Literal(iri, datatype=ox.NamedNode(XSD + "anyURI")))


def _triple(
    subject: ox.NamedNode | ox.BlankNode, predicate: str, value: ox.NamedNode | ox.BlankNode | ox.Literal
) -> ox.Triple:
    return ox.Triple(subject, ox.NamedNode(predicate), value)
