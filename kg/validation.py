"""Validation: does a graph conform to the shapes, and if not, what is wrong in plain words.

pySHACL judges an rdflib graph (never a pyoxigraph store: with it, pySHACL 0.40 gives wrong
verdicts). The ontology is part of what is judged, because the shapes rely on its subclasses
and concept schemes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pyoxigraph as ox
import pyshacl
from rdflib import BNode, Graph, URIRef
from rdflib import Literal as RdfLiteral
from rdflib.namespace import SH
from rdflib.term import Node

from kg.errors import WhosaysError
from kg.names import Term
from kg.shapes import QueryingGraph, quick_shapes

Severity = Literal["Violation", "Warning", "Info"]
MAX_DEPTH = 50


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
    """

    results: tuple[Result, ...]
    graph: Graph

    @property
    def violations(self) -> tuple[Result, ...]:
        """What makes the graph fail."""
        return tuple(r for r in self.results if r.severity == "Violation")

    @property
    def conforms(self) -> bool:
        """True where there is no violation; warnings and infos do not count."""
        return not self.violations


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
