"""What plainly conforms, told without pySHACL.

Most of what comes to the door is right, and for most shapes that can be seen at a glance: the
property is not there, its one value is of the class that is asked for. pySHACL takes a third of a
millisecond to say so for one shape and one node. Here each shape is turned into a function that
answers true, false, or that it does not know; what is not plainly right goes to pySHACL, which has
the last word and words what is wrong. So a mistake here could hide a violation and never invent
one; the property tests hold both against full runs of pySHACL.

Source: SHACL, https://www.w3.org/TR/shacl/#core-components
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache
from typing import TypeAlias

import pyoxigraph as ox
from rdflib import Graph, URIRef
from rdflib import Literal as RdfLiteral
from rdflib.collection import Collection
from rdflib.namespace import RDF, RDFS, SH
from rdflib.term import Node

from kg.names import XSD, Term
from kg.paths import Neighbourhood, Step
from kg.reach import all_classes, read_path
from kg.shapes import needed_edges, quick_shapes

Verdict: TypeAlias = bool | None
Check: TypeAlias = Callable[[Term, Neighbourhood], Verdict]
_OnValues: TypeAlias = Callable[[Term, Sequence[Term], Neighbourhood], Verdict]

_TYPE = Step(ox.NamedNode(str(RDF.type)))
_SILENT = {
    RDF.type, RDFS.label, RDFS.comment, RDFS.seeAlso, SH.targetClass, SH.path, SH.name, SH.description, SH.message,
    SH.severity, SH.order, SH.group, SH.defaultValue, SH.flags,
}  # fmt: skip
_LEXICAL = {
    XSD + "integer": re.compile(r"[+-]?[0-9]{1,18}\Z"),
    XSD + "decimal": re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?\Z"),
    XSD + "boolean": re.compile(r"(true|false)\Z"),
}


@cache
def plain_check(shape: Node) -> Check:
    """Return the function that tells whether a node plainly conforms to a shape.

    Parameters:
        shape: as `kg.shapes.quick_shapes` names it.

    >>> from kg.change import View
    >>> from kg.names import ID, WS
    >>> check = plain_check(URIRef(WS + "AgentShape"))
    >>> check(ox.NamedNode(ID + "anna"), Neighbourhood(View(ox.Store())))
    True
    """
    return _compile(quick_shapes(), shape)


def _compile(shapes: Graph, shape: Node) -> Check:
    path = shapes.value(shape, SH.path)
    checks = [check for p, o in shapes.predicate_objects(shape) if (check := _check(shapes, shape, p, o))]
    if path is None:

        def on_node(node: Term, near: Neighbourhood) -> Verdict:
            return _all(check(node, (node,), near) for check in checks)

        return on_node
    compiled = read_path(shapes, path)
    if isinstance(compiled, Step):
        step = compiled

        def on_step(node: Term, near: Neighbourhood) -> Verdict:
            values = () if isinstance(node, ox.Literal) and not step.inverse else near.follow(node, step)
            return _all(check(node, values, near) for check in checks)

        return on_step

    def on_path(node: Term, near: Neighbourhood) -> Verdict:
        values = tuple(near.walk([node], compiled))
        return _all(check(node, values, near) for check in checks)

    return on_path


def _check(shapes: Graph, shape: Node, parameter: Node, value: Node) -> _OnValues | None:
    """Turn one constraint into a function of the focus node and its value nodes."""
    if parameter in _SILENT:
        return None
    if parameter == SH.minCount:
        least = int(str(value))
        return lambda _node, values, _near: len(values) >= least
    if parameter == SH.maxCount:
        most = int(str(value))
        return lambda _node, values, _near: len(values) <= most
    if parameter == SH.hasValue:
        wanted = _term(value)
        return lambda _node, values, _near: wanted in values
    if parameter == SH.sparql:
        return _query(str(shapes.value(value, SH.select)))
    if parameter == SH.disjoint:
        other = Step(ox.NamedNode(str(value)))
        return lambda node, values, near: _disjoint(values, near.follow(node, other))
    if parameter in (SH.lessThan, SH.lessThanOrEquals):
        return _less(Step(ox.NamedNode(str(value))), strictly=parameter == SH.lessThan)
    if parameter == SH.uniqueLang:
        return lambda _node, values, _near: _unique_languages(values)
    each = _each(shapes, shape, parameter, value)
    return lambda _node, values, near: _all(each(v, near) for v in values)


def _each(shapes: Graph, shape: Node, parameter: Node, value: Node) -> Check:
    """Turn a constraint on each value node into a function of one."""
    if parameter == SH["class"]:
        wanted = str(value)
        return lambda v, near: _is_a(v, wanted, near)
    if parameter == SH.datatype:
        datatype = str(value)
        return lambda v, _near: _has_datatype(v, datatype)
    if parameter == SH["in"]:
        allowed = frozenset(_term(part) for part in Collection(shapes, value))
        return lambda v, _near: v in allowed
    if parameter == SH.nodeKind and value == SH.IRI:
        return lambda v, _near: isinstance(v, ox.NamedNode)
    if parameter == SH.pattern:
        flags = re.IGNORECASE if str(shapes.value(shape, SH.flags) or "") == "i" else re.NOFLAG
        pattern = re.compile(str(value), flags)
        return lambda v, _near: not isinstance(v, ox.BlankNode | ox.Triple) and bool(pattern.search(v.value))
    if parameter in (SH.minLength, SH.maxLength):
        bound, least = int(str(value)), parameter == SH.minLength
        return lambda v, _near: _has_length(v, bound, least)
    if parameter == SH.minInclusive:
        bound = int(str(value))
        return lambda v, _near: True if (number := _integer(v)) is not None and number >= bound else None
    if parameter in (SH.node, SH.property):
        return _compile(shapes, value)
    if parameter == SH["not"]:
        inner = _compile(shapes, value)
        return lambda v, near: None if (found := inner(v, near)) is None else not found
    if parameter == SH["or"]:
        parts = [_compile(shapes, part) for part in Collection(shapes, value)]
        return lambda v, near: _any(part(v, near) for part in parts)
    if parameter == SH["and"]:
        parts = [_compile(shapes, part) for part in Collection(shapes, value)]
        return lambda v, near: _all(part(v, near) for part in parts)
    return lambda _v, _near: None


def _all(verdicts: Iterable[Verdict]) -> Verdict:
    known: Verdict = True
    for verdict in verdicts:
        if verdict is False:
            return False
        if verdict is None:
            known = None
    return known


def _any(verdicts: Iterable[Verdict]) -> Verdict:
    known: Verdict = False
    for verdict in verdicts:
        if verdict:
            return True
        if verdict is None:
            known = None
    return known


def _is_a(node: Term, wanted: str, near: Neighbourhood) -> bool:
    if isinstance(node, ox.Literal):
        return False
    types = {t.value for t in near.follow(node, _TYPE) if isinstance(t, ox.NamedNode)}
    return wanted in all_classes(types)


def _has_datatype(value: Term, datatype: str) -> Verdict:
    if not isinstance(value, ox.Literal) or value.datatype.value != datatype:
        return False
    if datatype in _LEXICAL:
        return True if _LEXICAL[datatype].match(value.value) else None
    if datatype == XSD + "date":
        try:
            return (len(value.value) == 10 and bool(date.fromisoformat(value.value))) or None
        except ValueError:
            return None
    return True if datatype == XSD + "string" or not datatype.startswith(XSD) else None


def _has_length(value: Term, bound: int, least: bool) -> bool:
    if not isinstance(value, ox.NamedNode | ox.Literal):
        return False
    return len(value.value) >= bound if least else len(value.value) <= bound


def _unique_languages(values: Sequence[Term]) -> Verdict:
    tags = [v.language.lower() for v in values if isinstance(v, ox.Literal) and v.language]
    return True if len(tags) == len(set(tags)) else None


def _disjoint(values: Sequence[Term], others: Sequence[Term]) -> Verdict:
    if not values or not others:
        return True
    if any(isinstance(term, ox.Literal) for term in (*values, *others)):
        return None
    return set(values).isdisjoint(others)


def _less(other: Step, *, strictly: bool) -> _OnValues:
    def check(node: Term, values: Sequence[Term], near: Neighbourhood) -> Verdict:
        others = near.follow(node, other)
        if not values or not others:
            return True
        small, large = [_integer(v) for v in values], [_integer(v) for v in others]
        if None in small or None in large:
            return None
        return all(a < b if strictly else a <= b for a in small for b in large)  # type: ignore[operator]

    return check


def _query(text: str) -> _OnValues:
    """A query that must begin with an edge which `$this` does not have gives no answer."""
    needed = [
        ([Step(ox.NamedNode(str(p))) for p in predicates], None if value is None else _term(value))
        for predicates, value in needed_edges(text)
    ]

    def check(node: Term, _values: Sequence[Term], near: Neighbourhood) -> Verdict:
        for steps, value in needed:
            found = [v for step in steps for v in near.follow(node, step)]
            if not found or (value is not None and value not in found):
                return True
        return None

    return check


def _integer(term: Term) -> int | None:
    plain = isinstance(term, ox.Literal) and term.datatype.value == XSD + "integer"
    return int(term.value) if plain and _LEXICAL[XSD + "integer"].match(term.value) else None  # type: ignore[union-attr]


def _term(node: Node) -> Term:
    if isinstance(node, URIRef):
        return ox.NamedNode(str(node))
    assert isinstance(node, RdfLiteral)
    if node.language:
        return ox.Literal(str(node), language=node.language)
    return ox.Literal(str(node), datatype=ox.NamedNode(str(node.datatype))) if node.datatype else ox.Literal(str(node))
