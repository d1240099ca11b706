"""Names: the namespaces, the prefixes, the named graphs, and how names are shortened and expanded.

Terms stand under ``ontology#``, resources under ``id/``, graphs under ``graph/`` of
https://w3id.org/whosays/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import pyoxigraph as ox

Term: TypeAlias = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
"""What can stand in a triple."""

BASE = "https://w3id.org/whosays/"
ONTOLOGY = BASE + "ontology"
WS = ONTOLOGY + "#"
ID = BASE + "id/"
GRAPH = BASE + "graph/"
CAUSAL = GRAPH + "causal/"

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
OWL = "http://www.w3.org/2002/07/owl#"
XSD = "http://www.w3.org/2001/XMLSchema#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
DCTERMS = "http://purl.org/dc/terms/"
PROV = "http://www.w3.org/ns/prov#"
SH = "http://www.w3.org/ns/shacl#"
EDTF = "http://id.loc.gov/datatypes/edtf/EDTF"

REGISTER_GRAPH = GRAPH + "register"
CONTENTS_GRAPH = GRAPH + "propositions"
ONTOLOGY_GRAPH = GRAPH + "ontology"
LINKS_GRAPH = GRAPH + "links"
INFERRED_GRAPH = GRAPH + "inferred"
PROVENANCE_GRAPH = GRAPH + "provenance"

PREFIXES: Mapping[str, str] = {
    "ws": WS,
    "id": ID,
    "graph": GRAPH,
    "rdf": RDF,
    "rdfs": RDFS,
    "owl": OWL,
    "xsd": XSD,
    "skos": SKOS,
    "dcterms": DCTERMS,
    "prov": PROV,
    "sh": SH,
    "wd": "http://www.wikidata.org/entity/",
}


def document_graph(document: str) -> str:
    """Return the graph that holds what a document's record says.

    Parameters:
        document: the document's IRI or its slug.

    >>> document_graph("park-2013")
    'https://w3id.org/whosays/graph/park-2013'
    """
    return GRAPH + document.removeprefix(ID)


def causal_graph(holder: str) -> str:
    """Return the graph of the causal links that a holder has on record.

    Parameters:
        holder: the holder's IRI.

    >>> causal_graph("https://w3id.org/whosays/id/victor-cha")
    'https://w3id.org/whosays/graph/causal/victor-cha'
    """
    return CAUSAL + holder.removeprefix(ID)


def shorten(iri: str) -> str:
    """Return an IRI in its shortest readable form: a slug, a prefixed name or itself.

    >>> shorten("https://w3id.org/whosays/id/united-states")
    'united-states'
    >>> shorten("https://w3id.org/whosays/ontology#act-wants")
    'ws:act-wants'
    """
    if iri.startswith(ID):
        return iri.removeprefix(ID)
    best = max((p for p in PREFIXES.items() if iri.startswith(p[1])), key=lambda p: len(p[1]), default=None)
    return f"{best[0]}:{iri.removeprefix(best[1])}" if best else iri


def expand(name: str) -> str:
    """Return the IRI for a slug, a prefixed name, or an IRI in or without angle brackets.

    >>> expand("united-states")
    'https://w3id.org/whosays/id/united-states'
    >>> expand("wd:Q30")
    'http://www.wikidata.org/entity/Q30'
    """
    name = name.removeprefix("<").removesuffix(">")
    prefix, colon, rest = name.partition(":")
    if not colon:
        return ID + name
    if not rest.startswith("//") and prefix in PREFIXES:
        return PREFIXES[prefix] + rest
    return name


def sparql_prefixes() -> str:
    """Return the PREFIX lines that stand before saved queries and in the SPARQL page.

    >>> "PREFIX ws: <https://w3id.org/whosays/ontology#>" in sparql_prefixes()
    True
    """
    return "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in PREFIXES.items())
