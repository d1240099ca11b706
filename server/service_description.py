"""The service description: what the endpoint speaks, takes and gives, in RDF.

A function of what it is told: no request, no store. Who calls it serialises what it returns.

Source: https://www.w3.org/TR/sparql11-service-description/; the names of formats, https://www.w3.org/ns/formats/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pyoxigraph as ox

from kg.names import RDF, WS, XSD, Term

SD = "http://www.w3.org/ns/sparql-service-description#"
VOID = "http://rdfs.org/ns/void#"
FORMATS = "http://www.w3.org/ns/formats/"
SERVICE_PREFIXES: Mapping[str, str] = {"sd": SD, "void": VOID, "formats": FORMATS, "ws": WS, "xsd": XSD}
"""Prefixes for serialising a service description."""

RESULT_FORMATS = (
    "SPARQL_Results_JSON",
    "SPARQL_Results_XML",
    "SPARQL_Results_CSV",
    "SPARQL_Results_TSV",
    "Turtle",
    "N-Triples",
    "RDF_XML",
    "JSON-LD",
)
"""Names of the formats of answers."""

INPUT_FORMATS = ("Turtle", "N-Triples", "RDF_XML", "JSON-LD", "TriG", "N-Quads")
"""Names of the formats that are taken in where the service can be written to."""

FUNCTIONS = (WS + "quote", WS + "label")
"""The functions of our own."""

SIZES_QUERY = "SELECT ?graph (COUNT(*) AS ?triples) WHERE { GRAPH ?graph { ?s ?p ?o } } GROUP BY ?graph"
"""Asks for the named graphs with their sizes; it looks at every statement."""

NAMES_QUERY = "SELECT ?graph WHERE { GRAPH ?graph {} }"
"""Asks for the names of the named graphs alone; it looks at none."""

_SIMPLE = ox.NamedNode("http://www.w3.org/ns/entailment/Simple")


def describe_service(
    endpoint: str,
    *,
    plain: bool,
    writable: bool,
    functions: Iterable[str] = FUNCTIONS,
    services: Iterable[str] = (),
    graphs: Mapping[str, int | None] | None = None,
    default_size: int | None = None,
) -> list[ox.Triple]:
    """Return the description of a SPARQL service.

    Parameters:
        endpoint: the address at which it is asked.
        plain: True where the default graph is as stored, False where it is the union of all named graphs.
        writable: True where updates are taken, from whomever.
        functions: IRIs of functions that are no part of SPARQL.
        services: endpoints that SERVICE may reach; where there are none, federation is no feature.
        graphs: the named graphs, each with the number of its triples where that is known.
        default_size: the number of triples of the default graph, where that is known.

    Returns:
        Triples in a fixed order; blank nodes have fixed labels, so that the same is always told in the same bytes.

    >>> told = describe_service("http://localhost/sparql", plain=False, writable=False)
    >>> any(t.object == ox.NamedNode(SD + "UnionDefaultGraph") for t in told)
    True
    """
    return list(_service(endpoint, plain, writable, functions, services, graphs or {}, default_size))


def _service(
    endpoint: str,
    plain: bool,
    writable: bool,
    functions: Iterable[str],
    services: Iterable[str],
    graphs: Mapping[str, int | None],
    default_size: int | None,
) -> Iterator[ox.Triple]:
    service, dataset, default = (ox.BlankNode(name) for name in ("service", "dataset", "default"))
    yield _say(service, RDF + "type", ox.NamedNode(SD + "Service"))
    yield _say(service, SD + "endpoint", ox.NamedNode(endpoint))
    for language in ("SPARQL11Query", *(["SPARQL11Update"] if writable else [])):
        yield _say(service, SD + "supportedLanguage", ox.NamedNode(SD + language))
    for name in RESULT_FORMATS:
        yield _say(service, SD + "resultFormat", ox.NamedNode(FORMATS + name))
    for name in INPUT_FORMATS if writable else ():
        yield _say(service, SD + "inputFormat", ox.NamedNode(FORMATS + name))
    features = [("UnionDefaultGraph", not plain), ("BasicFederatedQuery", any(True for _ in services))]
    features.append(("EmptyGraphs", plain and writable))
    for feature in (name for name, has in features if has):
        yield _say(service, SD + "feature", ox.NamedNode(SD + feature))
    for function in map(ox.NamedNode, functions):
        yield _say(service, SD + "extensionFunction", function)
        yield _say(function, RDF + "type", ox.NamedNode(SD + "Function"))
    yield _say(service, SD + "defaultEntailmentRegime", _SIMPLE)
    yield _say(service, SD + "defaultDataset", dataset)
    yield _say(dataset, RDF + "type", ox.NamedNode(SD + "Dataset"))
    yield _say(dataset, SD + "defaultGraph", default)
    yield from _graph(default, default_size)
    for number, (name, size) in enumerate(sorted(graphs.items())):
        named, graph = ox.BlankNode(f"named{number}"), ox.BlankNode(f"graph{number}")
        yield _say(dataset, SD + "namedGraph", named)
        yield _say(named, RDF + "type", ox.NamedNode(SD + "NamedGraph"))
        yield _say(named, SD + "name", ox.NamedNode(name))
        yield _say(named, SD + "graph", graph)
        yield from _graph(graph, size)


def _graph(graph: ox.BlankNode, size: int | None) -> Iterator[ox.Triple]:
    yield _say(graph, RDF + "type", ox.NamedNode(SD + "Graph"))
    if size is not None:
        yield _say(graph, VOID + "triples", ox.Literal(size))


def _say(subject: ox.NamedNode | ox.BlankNode, predicate: str, value: Term) -> ox.Triple:
    return ox.Triple(subject, ox.NamedNode(predicate), value)
