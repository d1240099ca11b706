"""The shapes: read from `shapes/`, and made quicker to judge by without changing what they say.

pySHACL validates a nested shape node by node and everything else set by set, and it parses each
SPARQL constraint anew for every focus node. So, once, when the shapes are loaded:

- a node shape's targets are handed down to its property shapes (*hoisting*), which are then
  shapes with targets of their own;
- a value's membership in a concept scheme (`sh:node` of a shape that asks for `skos:inScheme`)
  becomes the list of the scheme's concepts (`sh:in`);

and `QueryingGraph` keeps the parsed queries, and does not ask one that a node cannot answer for want
of an edge that the query begins with. The shapes as published are those in the files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from rdflib import Graph, URIRef, Variable
from rdflib.collection import Collection
from rdflib.namespace import OWL, RDF, RDFS, SH, SKOS
from rdflib.paths import AlternativePath, MulPath, OneOrMore, Path, SequencePath
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.parserutils import CompValue
from rdflib.plugins.sparql.sparql import Query
from rdflib.query import Result
from rdflib.term import Node

from kg.digests import text_digest
from kg.names import WS
from kg.vocabulary import concept_prefix, vocabulary

_FEW = 4


def shape_files() -> list[str]:
    """Return the names of the shape files.

    >>> "discourse.ttl" in shape_files()
    True
    """
    return sorted(f.name for f in resources.files("shapes").iterdir() if f.name.endswith(".ttl"))


_PROLOGUE = re.compile(r"\A\s*(PREFIX (ws|rdf|rdfs|owl): <[^>]*>\s*)*")


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


def prepared_query(query: str) -> Query:
    """Return a parsed query; it is parsed once, however often it is asked, with prefixes before it or without.

    Parameters:
        query: SPARQL that uses no prefixes but ws, rdf, rdfs and owl.
    """
    return _prepared(_PROLOGUE.sub("", query).strip())


@cache
def _prepared(query: str) -> Query:
    return prepareQuery(query, initNs={"ws": WS, "rdf": RDF, "rdfs": RDFS, "owl": OWL})


@cache
def needed_edges(query: str) -> tuple[tuple[frozenset[URIRef], Node | None], ...]:
    """Return what `$this` must have for a query to have an answer: of each edge the predicates and the value.

    Parameters:
        query: a SPARQL constraint.

    >>> needed_edges("SELECT $this { $this ws:partOf ?other }")[0][1] is None
    True
    """
    return tuple(_edges_of_this(prepared_query(query).algebra))


def _edges_of_this(part: CompValue) -> Iterator[tuple[frozenset[URIRef], Node | None]]:
    if part.name in ("SelectQuery", "Project", "Distinct", "Filter"):
        yield from _edges_of_this(part.p)
    elif part.name == "Join":
        yield from _edges_of_this(part.p1)
        yield from _edges_of_this(part.p2)
    elif part.name == "BGP":
        for subject, path, value in part.triples:
            first = _first_step(path)
            if subject == Variable("this") and first:
                plain = isinstance(path, URIRef) and isinstance(value, URIRef)
                yield first, value if plain else None


def _first_step(path: Node | Path) -> frozenset[URIRef]:
    """Return the predicates that a path can begin with, none where it need not begin with any of them."""
    if isinstance(path, URIRef):
        return frozenset([path])
    if isinstance(path, AlternativePath):
        parts = [_first_step(part) for part in path.args]
        return frozenset().union(*parts) if all(parts) else frozenset()
    if isinstance(path, SequencePath):
        return _first_step(path.args[0])
    if isinstance(path, MulPath) and path.mod == OneOrMore:
        return _first_step(path.path)
    return frozenset()


class QueryingGraph(Graph):
    """A graph that parses each query once, however often it is asked.

    >>> graph = QueryingGraph()
    >>> len(graph.query("SELECT $this { $this ws:partOf+ $this }", initBindings={"this": URIRef("ex:a")}))
    0
    """

    def query(  # the names are rdflib's
        self,
        query_object: str | Query,
        processor: Any = "sparql",
        result: Any = "sparql",
        initNs: Mapping[str, Any] | None = None,  # noqa: N803
        initBindings: Mapping[str, Any] | None = None,  # noqa: N803
        use_store_provided: bool = True,
        **options: Any,
    ) -> Result:
        """Answer a query as `rdflib.Graph.query` does."""
        rest = (processor, result, initNs, initBindings, use_store_provided)
        if not isinstance(query_object, str):
            return super().query(query_object, *rest, **options)
        this = (initBindings or {}).get("this")
        if isinstance(this, URIRef) and not self._has_all(this, needed_edges(query_object)):
            nothing = Result("SELECT")
            nothing.bindings = []
            return nothing
        return super().query(prepared_query(query_object), *rest, **options)

    def _has_all(self, node: URIRef, edges: Iterable[tuple[frozenset[URIRef], Node | None]]) -> bool:
        for predicates, value in edges:
            if len(predicates) > _FEW:
                if predicates.isdisjoint(self.predicates(node)):
                    return False
            elif all((node, predicate, value) not in self for predicate in predicates):
                return False
        return True


def _read(name: str) -> str:
    return resources.files("shapes").joinpath(name).read_text("utf-8")
