"""What each shape can reach: worked out once from the shapes, so that a change is judged where it tells.

Every constraint looks at edges of the graph, each at the end of a path from the focus node. So:

- a changed triple can alter the verdict of a shape on just those nodes from which such a path leads
  to it (of several changed edges on one path, the first has an unchanged way to it, so one walk
  back, in the state after the change, finds them all);
- the verdict on a node rests on no more than what those paths and edges hold.

`sh:class` looks at the classes of a value; it alters only where a change of type makes the value
one of the class, or no longer one, so that a new type of a much named agent costs nothing.

Source: RDF4J's ShaclSail validates a transaction in the same way,
https://rdf4j.org/documentation/programming/shacl/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

import pyoxigraph as ox
from rdflib import BNode, Graph, URIRef, Variable
from rdflib.collection import Collection
from rdflib.namespace import RDF, RDFS, SH
from rdflib.paths import AlternativePath, InvPath, MulPath, SequencePath
from rdflib.paths import Path as RdfPath
from rdflib.plugins.sparql.algebra import translatePath
from rdflib.plugins.sparql.parserutils import CompValue
from rdflib.term import Node

from kg.errors import WhosaysError
from kg.paths import HERE, Choice, Path, Repeat, Sequence, Step, join, reverse
from kg.shapes import prepared_query, quick_shapes
from kg.vocabulary import ontology_quads

_TYPE = ox.NamedNode(str(RDF.type))
_SUBCLASS = ox.NamedNode(str(RDFS.subClassOf))
_ANYTHING = ""
_LISTS = (SH["or"], SH["and"], SH.xone)
_PAIRS = (SH.equals, SH.disjoint, SH.lessThan, SH.lessThanOrEquals)
_LOCAL = {
    RDF.type, RDFS.label, RDFS.comment, SH.targetClass, SH.path, SH.name, SH.description, SH.message, SH.severity,
    SH.order, SH.group, SH.defaultValue, SH.deactivated, SH.minCount, SH.maxCount, SH.datatype, SH.nodeKind,
    SH.hasValue, SH["in"],
    SH.pattern, SH.flags, SH.minLength, SH.maxLength, SH.uniqueLang, SH.languageIn, SH.minInclusive, SH.maxInclusive,
    SH.minExclusive, SH.maxExclusive, RDFS.seeAlso,
}  # fmt: skip


@dataclass(frozen=True)
class Edge:
    """An edge that a constraint looks at.

    Parameters:
        prefix: the path from the focus node to where the edge is.
        step: the edge.
        member_of: where only this matters: the class (IRI) that the node is, or is not, a member of;
            empty for being of any class at all.
    """

    prefix: Path
    step: Step
    member_of: str | None = None


@dataclass(frozen=True, eq=False)  # there is one for each shape, and it is looked up very often
class Reach:
    """What one shape looks at.

    Parameters:
        shape: as the shapes graph names it.
        targets: IRIs of the classes whose members it is for.
        edges: all that its constraints look at.
    """

    shape: Node
    targets: frozenset[str]
    edges: tuple[Edge, ...]


@dataclass(frozen=True, eq=False)
class Touch:
    """Where to walk back from a changed triple, and for which shapes.

    Parameters:
        back: the path from the edge to the focus nodes.
        inverse: it starts at the triple's object.
        member_of: see `Edge`.
        reaches: the shapes that look at the edge in this way.
    """

    back: Path
    inverse: bool
    member_of: str | None
    reaches: tuple[Reach, ...] = field(repr=False)


@cache
def superclasses() -> Mapping[str, frozenset[str]]:
    """Return for the IRI of every class of the ontology those of all classes above it, itself included.

    >>> from kg.names import WS
    >>> WS + "Agent" in superclasses()[WS + "State"]
    True
    """
    direct: dict[str, set[str]] = {}
    for triple in ontology_quads():
        if triple.predicate == _SUBCLASS and isinstance(triple.object, ox.NamedNode):
            assert isinstance(triple.subject, ox.NamedNode)
            direct.setdefault(triple.subject.value, set()).add(triple.object.value)
    closed = {}
    for name in direct.keys() | {parent for parents in direct.values() for parent in parents}:
        reached, fresh = {name}, {name}
        while fresh:
            fresh = {parent for child in fresh for parent in direct.get(child, ())} - reached
            reached |= fresh
        closed[name] = frozenset(reached)
    return closed


def all_classes(types: set[str]) -> frozenset[str]:
    """Return classes together with all above them; a node of any class is also one of `""`, anything.

    Parameters:
        types: IRIs of the classes that a node is said to be of.
    """
    known = superclasses()
    closed = frozenset(c for t in types for c in known.get(t, (t,)))
    return closed | {_ANYTHING} if closed else closed


@cache
def reaches() -> tuple[Reach, ...]:
    """Return what each shape with a target looks at.

    Raises:
        WhosaysError: a shape uses something whose reach cannot be worked out; names the shape.

    >>> len(reaches()) > 150
    True
    """
    shapes = quick_shapes()
    found = []
    for shape in sorted(set(shapes.subjects(SH.targetClass)), key=str):
        targets = frozenset(str(c) for c in shapes.objects(shape, SH.targetClass))
        edges = tuple(dict.fromkeys(_Compiler(shapes, shape).shape_edges(shape, HERE, ())))
        found.append(Reach(shape, targets, edges))
    return tuple(found)


@cache
def touches() -> Mapping[ox.NamedNode | None, tuple[Touch, ...]]:
    """Return by predicate how to find the nodes that a changed triple concerns; under None for any predicate."""
    grouped: dict[tuple[ox.NamedNode | None, Path, bool, str | None], list[Reach]] = {}
    for reach in reaches():
        for edge in reach.edges:
            key = (edge.step.predicate, reverse(edge.prefix), edge.step.inverse, edge.member_of)
            grouped.setdefault(key, []).append(reach)
    by_predicate: dict[ox.NamedNode | None, list[Touch]] = {}
    for (predicate, back, inverse, member_of), users in grouped.items():
        by_predicate.setdefault(predicate, []).append(Touch(back, inverse, member_of, tuple(users)))
    return {predicate: tuple(found) for predicate, found in by_predicate.items()}


@cache
def by_target() -> Mapping[str, tuple[Reach, ...]]:
    """Return the shapes that a node has to keep to, by the IRI of its class."""
    found: dict[str, list[Reach]] = {}
    for reach in reaches():
        for target in reach.targets:
            found.setdefault(target, []).append(reach)
    return {target: tuple(users) for target, users in found.items()}


def read_path(shapes: Graph, node: Node) -> Path:
    """Read a property path of a shapes graph.

    Parameters:
        shapes: the shapes.
        node: what `sh:path` leads to.

    Raises:
        WhosaysError: it is no path that is understood.
    """
    if isinstance(node, URIRef):
        return Step(_term(node))
    if shapes.value(node, RDF.first) is not None:
        return Sequence(tuple(read_path(shapes, part) for part in Collection(shapes, node)))
    [(kind, value)] = shapes.predicate_objects(node)
    if kind == SH.inversePath:
        return reverse(read_path(shapes, value))
    if kind == SH.alternativePath:
        return Choice(tuple(read_path(shapes, part) for part in Collection(shapes, value)))
    inner = read_path(shapes, value)
    if kind == SH.zeroOrMorePath:
        return Repeat(inner)
    if kind == SH.oneOrMorePath:
        return join(inner, Repeat(inner))
    if kind == SH.zeroOrOnePath:
        return Choice((HERE, inner))
    raise WhosaysError(f"the path <{kind}> is not understood", mend="say it in another way; see kg/reach.py")


class _Compiler:
    """Gathers the edges that a shape and the shapes nested in it look at."""

    def __init__(self, shapes: Graph, top: Node) -> None:
        self.shapes = shapes
        self.top = top

    def shape_edges(self, shape: Node, at: Path, above: tuple[Node, ...]) -> Iterator[Edge]:
        if shape in above:
            raise self._unknown("a shape that contains itself")
        above = (*above, shape)
        path = self.shapes.value(shape, SH.path)
        values = at
        if path is not None:
            compiled = read_path(self.shapes, path)
            if compiled == Step(_TYPE) and set(self.shapes.predicates(shape)) - {RDF.type, SH.name, SH.message} == {
                SH.path, SH.minCount
            }:  # fmt: skip
                yield Edge(at, Step(_TYPE), _ANYTHING)
                return
            yield from _path_edges(compiled, at)
            values = join(at, compiled)
        for predicate, value in self.shapes.predicate_objects(shape):
            if predicate == SH["class"]:
                yield Edge(values, Step(_TYPE), str(value))
            elif predicate in (SH.node, SH.property, SH["not"]):
                yield from self.shape_edges(value, values, above)
            elif predicate in _LISTS:
                for part in Collection(self.shapes, value):
                    yield from self.shape_edges(part, values, above)
            elif predicate in _PAIRS:
                yield Edge(at, Step(_term(value)))
            elif predicate == SH.sparql:
                for edge in self.query_edges(str(self.shapes.value(value, SH.select))):
                    yield Edge(join(at, edge.prefix), edge.step)
            elif predicate not in _LOCAL:
                raise self._unknown(f"<{predicate}>")

    def query_edges(self, text: str) -> Iterator[Edge]:
        """Give the edges that a SPARQL constraint looks at, each with the way to it from `$this`."""
        patterns = list(_patterns(prepared_query(text).algebra))
        ways: dict[Node, Path] = {Variable("this"): HERE}
        waiting = patterns
        while waiting:
            ready = [p for p in waiting if p[0] in ways] or [p for p in waiting if p[2] in ways]
            if not ready:
                raise self._unknown("a query with a pattern that does not hang together with $this")
            subject, predicate, object_ = ready[0]
            forward = subject in ways
            if isinstance(predicate, Variable):
                if not forward:
                    raise self._unknown("a query with a variable predicate on the way back")
                yield Edge(ways[subject], Step(None))
            else:
                path = self.query_path(predicate)
                path = path if forward else reverse(path)
                start, end = (subject, object_) if forward else (object_, subject)
                yield from _path_edges(path, ways[start])
                ways.setdefault(end, join(ways[start], path))
            waiting = [p for p in waiting if p is not ready[0]]

    def query_path(self, predicate: Node | RdfPath) -> Path:
        """Read a path of a SPARQL query."""
        if isinstance(predicate, URIRef):
            return Step(_term(predicate))
        if isinstance(predicate, InvPath):
            return reverse(self.query_path(predicate.arg))
        if isinstance(predicate, SequencePath):
            return Sequence(tuple(self.query_path(part) for part in predicate.args))
        if isinstance(predicate, AlternativePath):
            return Choice(tuple(self.query_path(part) for part in predicate.args))
        if isinstance(predicate, MulPath):
            inner = self.query_path(predicate.path)
            return {"*": Repeat(inner), "+": join(inner, Repeat(inner)), "?": Choice((HERE, inner))}[predicate.mod]
        raise self._unknown(f"a query with the path {predicate}")

    def _unknown(self, what: str) -> WhosaysError:
        return WhosaysError(
            f"what the shape {self.top} looks at cannot be worked out: it uses {what}",
            mend="say it in another way; see kg/reach.py for what is understood",
        )


def _path_edges(path: Path, at: Path) -> Iterator[Edge]:
    """Give every edge on a path, with the way to it."""
    if isinstance(path, Step):
        yield Edge(at, path)
    elif isinstance(path, Choice):
        for part in path.parts:
            yield from _path_edges(part, at)
    elif isinstance(path, Repeat):
        yield from _path_edges(path.part, join(at, path))
    else:
        for part in path.parts:
            yield from _path_edges(part, at)
            at = join(at, part)


def _patterns(node: object) -> Iterator[tuple[Node, Node, Node]]:
    """Give the triple patterns of a parsed query, those in its filters included."""
    if isinstance(node, CompValue):
        for key, value in node.items():
            if key == "triples":  # rdflib leaves those of some nested groups as one flat list
                flat = [term for part in value for term in part]
                for i in range(0, len(flat), 3):
                    subject, predicate, object_ = flat[i : i + 3]
                    yield subject, translatePath(predicate) or predicate, object_
            else:
                yield from _patterns(value)
    elif isinstance(node, list | tuple):
        for part in node:
            yield from _patterns(part)


def _term(node: Node) -> ox.NamedNode:
    assert isinstance(node, URIRef)
    assert not isinstance(node, BNode)
    return ox.NamedNode(str(node))
