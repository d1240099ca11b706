"""The shapes: read from `shapes/`, and made quicker to judge by without changing what they say.

pySHACL validates a nested shape node by node and everything else set by set, and it parses each
SPARQL constraint anew for every focus node. So, once, when the shapes are loaded:

- a node shape's targets are handed down to its property shapes (*hoisting*), which are then
  shapes with targets of their own;
- a value's membership in a concept scheme (`sh:node` of a shape that asks for `skos:inScheme`)
  becomes the list of the scheme's concepts (`sh:in`);

and `QueryingGraph` keeps the parsed queries. The shapes as published are those in the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

from rdflib import Graph, URIRef
from rdflib.collection import Collection
from rdflib.namespace import RDF, SH, SKOS
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.query import Result
from rdflib.term import Node

from kg.digests import text_digest
from kg.names import WS
from kg.vocabulary import concept_prefix, vocabulary


def shape_files() -> list[str]:
    """Return the names of the shape files.

    >>> "discourse.ttl" in shape_files()
    True
    """
    return sorted(f.name for f in resources.files("shapes").iterdir() if f.name.endswith(".ttl"))


@cache
def shapes_digest() -> str:
    """Return a digest of the shapes as they stand in their files."""
    return text_digest("".join(_read(name) for name in shape_files()))


@cache
def shapes_graph() -> Graph:
    """Return the shapes as they stand in their files."""
    graph = Graph()
    for name in shape_files():
        graph.parse(data=_read(name), format="turtle")
    return graph


@cache
def quick_shapes() -> Graph:
    """Return the shapes in the form that pySHACL judges fastest by; the verdicts are the same.

    >>> len(list(quick_shapes().subjects(SH.targetClass))) > len(list(shapes_graph().subjects(SH.targetClass)))
    True
    """
    graph = Graph()
    graph += shapes_graph()
    for shape, target in list(graph.subject_objects(SH.targetClass)):
        for part in list(graph.objects(shape, SH.property)):
            graph.add((part, SH.targetClass, target))
    for shape in set(shapes_graph().subjects(SH.targetClass)):
        graph.remove((shape, SH.property, None))
    for concept_shape, scheme in _concept_shapes(shapes_graph()):
        concepts: list[Node] = [URIRef(concept_prefix(scheme) + c) for c in vocabulary().concepts[scheme]]
        for shape in list(graph.subjects(SH.node, concept_shape)):
            allowed = Collection(graph, None, concepts)  # type: ignore[arg-type]
            graph.remove((shape, SH.node, concept_shape))
            graph.add((shape, SH["in"], allowed.uri))
    return graph


def _concept_shapes(shapes: Graph) -> Iterator[tuple[Node, str]]:
    """Give each shape that says nothing but in which scheme a concept is, and that scheme."""
    for part in shapes.subjects(SH.path, SKOS.inScheme):
        scheme = shapes.value(part, SH.hasValue)
        for shape in shapes.subjects(SH.property, part):
            others = set(shapes.predicates(shape)) - {RDF.type, SH.property, SH.message, SH.name}
            if isinstance(scheme, URIRef) and str(scheme).startswith(WS) and not others:
                yield shape, str(scheme)


@cache
def _prepared(query: str) -> Query:
    return prepareQuery(query)


class QueryingGraph(Graph):
    """A graph that parses each query once, however often it is asked."""

    def query(self, query_object: str | Query, *args: Any, **options: Any) -> Result:
        """Answer a query as `rdflib.Graph.query` does."""
        text = _prepared(query_object) if isinstance(query_object, str) else query_object
        return super().query(text, *args, **options)


def _read(name: str) -> str:
    return resources.files("shapes").joinpath(name).read_text("utf-8")
