"""Validation: does a graph conform to the shapes, and if not, what is wrong in plain words.

pySHACL judges an rdflib graph (never a pyoxigraph store: with it, pySHACL 0.40 gives wrong
verdicts). The ontology is part of what is judged, because the shapes rely on its subclasses
and concept schemes.

`validate` hands a whole graph to pySHACL, and is what the others are held against. `validate_store`
judges a whole store, passing over what is plainly right (`kg.plain`). `validate_change` judges what
a change can alter, with no more of the graph than that takes (see `kg.reach`), so its cost grows
with the change and not with the store. All come to the same verdict:

    results after = results before, on what the change does not touch + results of `validate_change`
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Literal, TypeAlias

import pyoxigraph as ox
import pyshacl
from pyshacl.graph_abstraction import DataGraph
from pyshacl.shapes_graph import ShapesGraph
from pyshacl.validator import Validator
from rdflib import BNode, Graph, URIRef
from rdflib import Literal as RdfLiteral
from rdflib.namespace import RDFS, SH
from rdflib.term import Node

from kg.change import Change, View
from kg.errors import ENOUGH, WhosaysError
from kg.names import ID, RDF, Term
from kg.paths import Neighbourhood
from kg.plain import plain_check
from kg.reach import Reach, Touch, all_classes, by_target, reaches, touches
from kg.shapes import QueryingGraph, quick_shapes
from kg.vocabulary import ontology_quads

Severity = Literal["Violation", "Warning", "Info"]
_Told: TypeAlias = tuple[str, Node, list[tuple[Node, Node, Node]]]
"""What pySHACL tells of one result: in words, its node, its triples."""
MAX_DEPTH = 50

_BATCH, _PORTION = 500, 2_000
_TYPE = ox.NamedNode(RDF + "type")


@dataclass(frozen=True)
class Result:
    """One thing that the shapes have to say of a node.

    Parameters:
        focus: IRI of the node.
        path: IRI of the property; None where the node as a whole is meant or the path is complex.
        value: the value found, as SPARQL would write it; None where there is none.
        message: what is wrong and how to mend it.
        severity: only a Violation makes a graph fail.
        shape: IRI of the shape.
    """

    focus: str
    path: str | None
    value: str | None
    message: str
    severity: Severity
    shape: str


@dataclass(frozen=True)
class Report:
    """The outcome of a validation.

    Parameters:
        results: violations first, then warnings and infos, each by focus node.
        graph: the standard SHACL report.
        complete: False where judging stopped because enough was wrong already.
    """

    results: tuple[Result, ...]
    graph: Graph
    complete: bool = True

    @property
    def violations(self) -> tuple[Result, ...]:
        """What makes the graph fail."""
        return tuple(r for r in self.results if r.severity == "Violation")

    @property
    def conforms(self) -> bool:
        """True where there is no violation; warnings and infos do not count."""
        return not self.violations


NOTHING_WRONG = Report((), Graph())
"""The verdict on what is not there."""


def validate(triples: Iterable[ox.Triple]) -> Report:
    """Judge a graph by the shapes.

    Parameters:
        triples: everything that counts, the ontology included.

    Returns:
        The report.

    Raises:
        WhosaysError: pySHACL could not come to a verdict.

    Source: SHACL, https://www.w3.org/TR/shacl/ (section 3.6 for the report).
    """
    graph = QueryingGraph(bind_namespaces="none")
    graph.addN((_term(t.subject), URIRef(t.predicate.value), _term(t.object), graph) for t in triples)
    _, report, text = pyshacl.validate(
        graph,
        shacl_graph=quick_shapes(),
        inference="none",
        advanced=False,
        meta_shacl=False,
        allow_warnings=True,
        max_validation_depth=MAX_DEPTH,
    )
    if not isinstance(report, Graph):
        raise WhosaysError(
            f"the validation came to no verdict: {text}", mend="report this with the record that caused it"
        )
    return Report(tuple(sorted(_results(report), key=_order)), report)


def validate_change(store: ox.Store, change: Change, *, enough: int = ENOUGH) -> Report:
    """Judge a change by the shapes: every node whose verdict it can alter, as it would be afterwards.

    Parameters:
        store: the state before, which conforms; holds the ontology.
        change: what is to be added and removed, outside the ontology's graph.
        enough: violations after which judging stops; the report is then not complete.

    Returns:
        The report. Its focus nodes may lie outside the change: the assertions of an agent that is removed, say.

    >>> validate_change(ox.Store(), Change()).conforms
    True
    """
    return _judge([affected(store, change)], View(store, change), enough)


def validate_store(store: ox.Store) -> Report:
    """Judge a whole store; says what `validate` says, several times quicker.

    Parameters:
        store: holds the ontology.

    >>> validate_store(ox.Store()).conforms
    True
    """
    view = View(store)
    return _judge(_everything(view), view, sys.maxsize)


def _everything(view: View) -> Iterator[dict[Reach, set[Term]]]:
    """Give all nodes with the shapes that they have to keep to, in portions."""
    classes: dict[Term, set[str]] = {}
    for triple in view.triples(None, _TYPE):
        if isinstance(triple.object, ox.NamedNode):
            classes.setdefault(triple.subject, set()).add(triple.object.value)
    nodes = iter(classes.items())
    while portion := list(islice(nodes, _PORTION)):
        waiting: dict[Reach, set[Term]] = {}
        for node, types in portion:
            for name in all_classes(types):
                for reach in by_target().get(name, ()):
                    waiting.setdefault(reach, set()).add(node)
        yield waiting


def _judge(portions: Iterable[Mapping[Reach, set[Term]]], view: View, enough: int) -> Report:
    """Judge nodes by shapes, a portion at a time."""
    validator, shapes = _validator()
    executor = validator.make_executor()
    results: list[_Told] = []
    wrong, complete = 0, True
    for portion in portions:
        for batch in _batches(_not_plain(portion, Neighbourhood(view))):
            if wrong >= enough:
                complete = False
                break
            graph = DataGraph.from_rdflib(_graph_for(batch, view))
            for reach, nodes in batch:
                focus = [_term(node) for node in nodes]
                conforms, found = shapes.lookup_shape_from_node(reach.shape).validate(executor, graph, focus=focus)  # type: ignore[arg-type]
                wrong += 0 if conforms else len(found)
                results += found
    report, _ = Validator.create_validation_report(shapes, wrong == 0, results)
    return Report(tuple(sorted(_results(report), key=_order)), report, complete)


def make_ready() -> None:
    """Read the shapes and parse their queries, so that the first change is judged as quickly as any other.

    >>> make_ready()
    """
    validator, shapes = _validator()
    executor = validator.make_executor()
    near = Neighbourhood(View(ox.Store()))
    graph = DataGraph.from_rdflib(QueryingGraph())
    touches()
    for reach in reaches():
        plain_check(reach.shape)(ox.NamedNode(ID), near)
        shapes.lookup_shape_from_node(reach.shape).validate(executor, graph, focus=[URIRef(ID)])


def affected(store: ox.Store, change: Change) -> dict[Reach, set[Term]]:
    """Return by shape the nodes whose verdict a change can alter.

    Parameters:
        store: the state before.
        change: what is to be added and removed.

    >>> affected(ox.Store(), Change())
    {}
    """
    before = View(store)
    near = Neighbourhood(View(store, change))
    classes_before: dict[Term, frozenset[str]] = {}
    classes_after: dict[Term, frozenset[str]] = {}

    def classes(node: Term, view: View, known: dict[Term, frozenset[str]]) -> frozenset[str]:
        if node not in known:
            known[node] = all_classes(view.types(node))
        return known[node]

    starts: dict[Touch, set[Term]] = {}
    found: dict[Reach, set[Term]] = {}
    index = touches()
    for triple in {quad.triple for quad in change}:
        retyped: frozenset[str] = frozenset()
        if triple.predicate == _TYPE:
            after = classes(triple.subject, near.view, classes_after)
            retyped = after ^ classes(triple.subject, before, classes_before)
            for name in retyped & after:
                for reach in by_target().get(name, ()):
                    found.setdefault(reach, set()).add(triple.subject)
        for touch in (*index.get(triple.predicate, ()), *index.get(None, ())):
            if touch.member_of is None or touch.member_of in retyped:
                starts.setdefault(touch, set()).add(triple.object if touch.inverse else triple.subject)
    for touch, nodes in starts.items():
        for node in near.walk(nodes, touch.back):
            if isinstance(node, ox.Literal):
                continue
            own = classes(node, near.view, classes_after)
            for reach in touch.reaches:
                if not own.isdisjoint(reach.targets):
                    found.setdefault(reach, set()).add(node)
    return found


def _not_plain(waiting: Mapping[Reach, set[Term]], near: Neighbourhood) -> dict[Reach, set[Term]]:
    """Leave out what plainly conforms."""
    rest = {}
    for reach, nodes in waiting.items():
        check = plain_check(reach.shape)
        doubtful = {node for node in nodes if not check(node, near)}
        if doubtful:
            rest[reach] = doubtful
    return rest


def _batches(waiting: Mapping[Reach, set[Term]]) -> Iterator[list[tuple[Reach, list[Term]]]]:
    """Give what is to be judged in portions, so that a change that concerns very many nodes takes no more memory."""
    batch: list[tuple[Reach, list[Term]]] = []
    room = _BATCH
    for reach in sorted(waiting, key=lambda r: str(r.shape)):
        nodes = sorted(waiting[reach], key=str)
        while nodes:
            batch.append((reach, nodes[:room]))
            room, nodes = room - len(batch[-1][1]), nodes[room:]
            if not room:
                yield batch
                batch, room = [], _BATCH
    if batch:
        yield batch


def _graph_for(batch: Iterable[tuple[Reach, list[Term]]], view: View) -> Graph:
    """Fetch what the verdicts on some nodes rest on."""
    near = Neighbourhood(view)
    for reach, nodes in batch:
        for edge in reach.edges:
            for node in near.walk(nodes, edge.prefix):
                if edge.step.inverse or not isinstance(node, ox.Literal):
                    near.follow(node, edge.step)
    graph = QueryingGraph(bind_namespaces="none")
    graph.addN((s, p, o, graph) for s, p, o in _class_tree())
    graph.addN((_term(t.subject), URIRef(t.predicate.value), _term(t.object), graph) for t in near.triples)
    return graph


@cache
def _class_tree() -> tuple[tuple[Node, URIRef, Node], ...]:
    subclass = ox.NamedNode(str(RDFS.subClassOf))
    return tuple(
        (_term(t.subject), RDFS.subClassOf, _term(t.object))
        for t in ontology_quads()
        if t.predicate == subclass and isinstance(t.object, ox.NamedNode)
    )


@cache
def _validator() -> tuple[Validator, ShapesGraph]:
    """Return pySHACL with our shapes read; reading them takes longer than judging a small change."""
    options = {"inplace": True, "allow_warnings": True, "max_validation_depth": MAX_DEPTH}
    validator = Validator(DataGraph.from_rdflib(Graph()), shacl_graph=quick_shapes(), options=options)
    shapes = validator.shacl_graph
    list(shapes.shapes)
    return validator, shapes


def _order(result: Result) -> tuple[int, str, str]:
    return ("Violation", "Warning", "Info").index(result.severity), result.focus, result.path or ""


def _results(report: Graph) -> Iterable[Result]:
    for node in report.objects(None, SH.result):  # nested details say the same less plainly
        path, value = report.value(node, SH.resultPath), report.value(node, SH.value)
        severity = str(report.value(node, SH.resultSeverity)).removeprefix(str(SH))
        assert severity in ("Violation", "Warning", "Info")
        yield Result(
            focus=str(report.value(node, SH.focusNode)),
            path=str(path) if isinstance(path, URIRef) else None,
            value=None if value is None or isinstance(value, BNode) else value.n3(),
            message=" ".join(str(report.value(node, SH.resultMessage) or "").split()),
            severity=severity,  # type: ignore[arg-type]
            shape=str(report.value(node, SH.sourceShape)),
        )


def _term(term: Term) -> Node:
    if isinstance(term, ox.NamedNode):
        return URIRef(term.value)
    if isinstance(term, ox.BlankNode):
        return BNode(term.value)
    if isinstance(term, ox.Literal):
        if term.language:
            return RdfLiteral(term.value, lang=term.language, normalize=False)
        return RdfLiteral(term.value, datatype=URIRef(term.datatype.value), normalize=False)
    raise WhosaysError(f"{term} is not RDF 1.1", mend="triple terms cannot be validated yet")
