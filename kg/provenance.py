"""Provenance: who published what, when, from what, and by which shapes and ontology it was judged.

In the provenance graph stand, in the words of PROV-O,

- each *change* (`.../change/7`, an activity): who, when, what for, which graphs, which digests;
- each *unit* that was published whole from a record: when, from what, and digests by which a later
  build tells whether the record changed, or the store, or both.

Source: PROV-O, https://www.w3.org/TR/prov-o/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

import pyoxigraph as ox

from kg.digests import quads_digest
from kg.names import BASE, DCTERMS, ONTOLOGY_GRAPH, PROV, PROVENANCE_GRAPH, RDF, WS, XSD
from kg.shapes import shapes_digest
from kg.units import Unit, ontology_unit

Kind: TypeAlias = Literal["build", "add", "replace", "accept", "supersede", "retract", "undo", "update"]
"""What a change was for."""

RECORD_DIGEST = ox.NamedNode(WS + "recordDigest")
CONTENT_DIGEST = ox.NamedNode(WS + "contentDigest")
SHAPES_DIGEST = ox.NamedNode(WS + "shapesDigest")
ONTOLOGY_DIGEST = ox.NamedNode(WS + "ontologyDigest")

_GRAPH = ox.NamedNode(PROVENANCE_GRAPH)
_TYPE = ox.NamedNode(RDF + "type")
_MADE_FROM = ox.NamedNode(WS + "madeFrom")
_DATE_TIME = ox.NamedNode(XSD + "dateTime")
_UNIT_PROPERTIES = frozenset(
    [_TYPE, RECORD_DIGEST, CONTENT_DIGEST, SHAPES_DIGEST, ONTOLOGY_DIGEST, _MADE_FROM]
    + [ox.NamedNode(PROV + name) for name in ("generatedAtTime", "wasAttributedTo")]
)


@dataclass(frozen=True)
class Activity:
    """Who does what, and what for.

    Parameters:
        agent: IRI of who publishes.
        kind: what it is.
        note: in words.
        source: what it was made from: a file, a request, proposals.
        undoes: number of the change that it takes back.
    """

    agent: str
    kind: Kind
    note: str = ""
    source: str = ""
    undoes: int | None = None


def change_iri(number: int) -> str:
    """Return the name of a change.

    >>> change_iri(7)
    'https://w3id.org/whosays/change/7'
    """
    return f"{BASE}change/{number}"


@cache
def ontology_digest() -> str:
    """Return a digest of the ontology as it is published."""
    return ontology_unit().digest


def change_marker(number: int) -> ox.Quad:
    """Return the statement by which a database tells that it holds a change.

    >>> change_marker(7).predicate == _TYPE
    True
    """
    return ox.Quad(ox.NamedNode(change_iri(number)), _TYPE, ox.NamedNode(PROV + "Activity"), _GRAPH)


def describe_change(number: int, activity: Activity, at: str, graphs: Iterable[str]) -> list[ox.Quad]:
    """Return what the provenance graph says of a change.

    Parameters:
        number: of the snapshot that it leads to.
        activity: who does what.
        at: when, ISO 8601.
        graphs: IRIs of the named graphs that it alters.
    """
    subject = change_iri(number)
    quads = [
        change_marker(number),
        _say(subject, ox.NamedNode(PROV + "endedAtTime"), ox.Literal(at, datatype=_DATE_TIME)),
        _say(subject, ox.NamedNode(PROV + "wasAssociatedWith"), ox.NamedNode(activity.agent)),
        _say(subject, ox.NamedNode(DCTERMS + "type"), ox.Literal(activity.kind)),
        _say(subject, SHAPES_DIGEST, ox.Literal(shapes_digest())),
        _say(subject, ONTOLOGY_DIGEST, ox.Literal(ontology_digest())),
        *(_say(subject, ox.NamedNode(PROV + "generated"), ox.NamedNode(graph)) for graph in sorted(graphs)),
    ]
    if activity.note:
        quads.append(_say(subject, ox.NamedNode(DCTERMS + "description"), ox.Literal(activity.note)))
    if activity.source:
        quads.append(_say(subject, _MADE_FROM, ox.Literal(activity.source)))
    if activity.undoes is not None:
        undone = ox.NamedNode(change_iri(activity.undoes))
        quads.append(_say(subject, ox.NamedNode(PROV + "wasInformedBy"), undone))
    return quads


def describe_unit(unit: Unit, agent: str, at: str) -> list[ox.Quad]:
    """Return what the provenance graph says of a unit that is published whole.

    Parameters:
        unit: the unit.
        agent: IRI of who publishes.
        at: when, ISO 8601.
    """
    return [
        _say(unit.graph, _TYPE, ox.NamedNode(PROV + "Entity")),
        _say(unit.graph, ox.NamedNode(PROV + "generatedAtTime"), ox.Literal(at, datatype=_DATE_TIME)),
        _say(unit.graph, ox.NamedNode(PROV + "wasAttributedTo"), ox.NamedNode(agent)),
        _say(unit.graph, _MADE_FROM, ox.Literal(unit.source)),
        _say(unit.graph, RECORD_DIGEST, ox.Literal(unit.digest)),
        _say(unit.graph, CONTENT_DIGEST, ox.Literal(quads_digest(unit.quads))),
        _say(unit.graph, ONTOLOGY_DIGEST, ox.Literal(ontology_digest())),
        _say(unit.graph, SHAPES_DIGEST, ox.Literal(shapes_digest())),
    ]


def told_of_unit(store: ox.Store, graph: str) -> list[ox.Quad]:
    """Return what the provenance graph of a store says of a unit."""
    found = store.quads_for_pattern(ox.NamedNode(graph), None, None, _GRAPH)
    return [quad for quad in found if quad.predicate in _UNIT_PROPERTIES]


def published_units(store: ox.Store) -> Mapping[str, Mapping[ox.NamedNode, str]]:
    """Return for each unit that was published whole what the provenance graph says of it."""
    units: dict[str, dict[ox.NamedNode, str]] = {}
    for digest in store.quads_for_pattern(None, RECORD_DIGEST, None, _GRAPH):
        assert isinstance(digest.subject, ox.NamedNode)
        units[digest.subject.value] = {
            quad.predicate: quad.object.value
            for quad in told_of_unit(store, digest.subject.value)
            if isinstance(quad.object, ox.Literal)
        }
    return units


def same_rules(store: ox.Store) -> bool:
    """Tell whether a store was published by the shapes and the ontology that we have now."""
    graph = ox.NamedNode(ONTOLOGY_GRAPH)
    return all(
        ox.Quad(graph, predicate, ox.Literal(digest), _GRAPH) in store
        for predicate, digest in ((SHAPES_DIGEST, shapes_digest()), (ONTOLOGY_DIGEST, ontology_digest()))
    )


def _say(subject: str, predicate: ox.NamedNode, value: ox.NamedNode | ox.Literal) -> ox.Quad:
    return ox.Quad(ox.NamedNode(subject), predicate, value, _GRAPH)
