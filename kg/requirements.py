"""What the shapes ask of each class: which properties, how many values, of what kind, and which rules beside.

Read from the shapes as they stand in their files, for people who want to know without reading SHACL.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from rdflib import Graph, URIRef
from rdflib.collection import Collection
from rdflib.namespace import RDFS, SH, SKOS
from rdflib.term import Node

from kg.names import WS
from kg.shapes import shapes_graph


@dataclass(frozen=True)
class Requirement:
    """What the shapes ask of one property of a class.

    Parameters:
        shape: local name of the shape.
        property: IRI of the property.
        count: how many values, such as ``1``, ``0..1``, ``1..*``; ``*`` where any number will do.
        values: what a value must be: IRIs of classes, datatypes or schemes, or words.
        message: what somebody is told who breaks it.
    """

    shape: str
    property: str
    count: str
    values: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class Rule:
    """What the shapes ask beyond one property of a class.

    Parameters:
        shape: local name of the shape.
        title: what it is about, in a few words.
        message: what somebody is told who breaks it.
        warning: True where a graph that breaks it conforms all the same.
    """

    shape: str
    title: str
    message: str
    warning: bool


@dataclass(frozen=True)
class ClassRequirements:
    """What the shapes ask of a class.

    Parameters:
        shape: local name of its node shape.
        properties: one by one.
        rules: over several properties, or beyond them.
    """

    shape: str
    properties: tuple[Requirement, ...]
    rules: tuple[Rule, ...]


@cache
def requirements() -> Mapping[str, ClassRequirements]:
    """Return what the shapes ask of each class, by the class's IRI.

    >>> holder = requirements()[WS + "Assertion"].properties[0]
    >>> holder.property == WS + "holder", holder.count, holder.values == (WS + "Agent",)
    (True, '1', True)
    """
    shapes = shapes_graph()
    targets: dict[str, list[Node]] = {}
    for shape, target in shapes.subject_objects(SH.targetClass):
        targets.setdefault(str(target), []).append(shape)
    return {target: _class_requirements(target, found, shapes) for target, found in sorted(targets.items())}


@cache
def property_counts() -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Return how often each property may stand, by its IRI: pairs of the class's IRI and the count.

    >>> property_counts()[WS + "speaker"] == ((WS + "Assertion", "0..1"),)
    True
    """
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for target, asked in requirements().items():
        for requirement in asked.properties:
            found[requirement.property] = (*found.get(requirement.property, ()), (target, requirement.count))
    return found


def _class_requirements(target: str, node_shapes: list[Node], shapes: Graph) -> ClassRequirements:
    main = f"{target}Shape"
    properties: dict[str, Requirement] = {}
    rules = [_rule(s, shapes) for s in sorted(node_shapes, key=str) if str(s) != main]
    for shape in shapes.objects(URIRef(main), SH.property):
        path = shapes.value(shape, SH.path)
        if isinstance(path, URIRef) and str(path) not in properties:
            properties[str(path)] = Requirement(
                shape=_name(shape),
                property=str(path),
                count=_count(shape, shapes),
                values=tuple(_values(shape, shapes)),
                message=_message(shape, shapes),
            )
        else:
            rules.append(_rule(shape, shapes))
    return ClassRequirements(_name(URIRef(main)), tuple(properties.values()), tuple(rules))


def _rule(shape: Node, shapes: Graph) -> Rule:
    title = shapes.value(shape, SH.name) or shapes.value(shape, RDFS.label)
    return Rule(_name(shape), str(title), _message(shape, shapes), shapes.value(shape, SH.severity) == SH.Warning)


def _name(shape: Node) -> str:
    return str(shape).removeprefix(WS)


def _message(shape: Node, shapes: Graph) -> str:
    return " ".join(str(shapes.value(shape, SH.message) or "").split())


def _count(shape: Node, shapes: Graph) -> str:
    least, most = shapes.value(shape, SH.minCount), shapes.value(shape, SH.maxCount)
    low, high = str(least or 0), str(most or "*")
    if shapes.value(shape, SH.uniqueLang):
        return f"{low}..1 in each language" if low == "0" else "1 in each language"
    if low == high:
        return low
    return "*" if (low, high) == ("0", "*") else f"{low}..{high}"


def _values(shape: Node, shapes: Graph) -> Iterator[str]:
    for predicate in (SH["class"], SH.datatype):
        yield from (str(value) for value in shapes.objects(shape, predicate))
    for other in shapes.objects(shape, SH.node):
        scheme = next((v for p in shapes.objects(other, SH.property) for v in _scheme(p, shapes)), None)
        label = shapes.value(other, RDFS.label)
        yield from (str(value) for value in (scheme or label,) if value)
    for alternatives in shapes.objects(shape, SH["or"]):
        for alternative in Collection(shapes, alternatives):
            yield from _values(alternative, shapes)


def _scheme(shape: Node, shapes: Graph) -> Iterator[Node]:
    if shapes.value(shape, SH.path) == SKOS.inScheme:
        yield from shapes.objects(shape, SH.hasValue)
