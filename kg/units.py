"""Units: what is published as a whole, a document's record, the register, the ontology."""

from __future__ import annotations

from dataclasses import dataclass

import pyoxigraph as ox

from kg.digests import quads_digest
from kg.names import CONTENTS_GRAPH, GRAPH, ID, ONTOLOGY_GRAPH, RDFS
from kg.vocabulary import ontology_quads

_CONTENTS = ox.NamedNode(CONTENTS_GRAPH)
_DEFINED_BY = ox.NamedNode(RDFS + "isDefinedBy")


@dataclass(frozen=True)
class Unit:
    """What is published as a whole.

    Parameters:
        graph: IRI of its named graph.
        document: IRI of the document, None for register and ontology.
        quads: all that it says, shared contents included.
        digest: of what it was made from.
        source: where it came from, for the provenance.
    """

    graph: str
    document: str | None
    quads: frozenset[ox.Quad]
    digest: str
    source: str


def ontology_unit() -> Unit:
    """Return the ontology with its schemes as a unit.

    The store holds no blank nodes: class expressions stay in the files.

    >>> ontology_unit().graph
    'https://w3id.org/whosays/graph/ontology'
    """
    graph = ox.NamedNode(ONTOLOGY_GRAPH)
    quads = frozenset(
        ox.Quad(t.subject, t.predicate, t.object, graph)
        for t in ontology_quads()
        if isinstance(t.subject, ox.NamedNode) and not isinstance(t.object, ox.BlankNode)
    )
    return Unit(ONTOLOGY_GRAPH, None, quads, quads_digest(quads), "ontology/")


def unit_quads(store: ox.Store, graph: str) -> set[ox.Quad]:
    """Return what a unit amounts to in a store: its graph, and the shared contents that its document defines.

    Parameters:
        store: where to look.
        graph: IRI of the unit's graph.

    >>> unit_quads(ox.Store(), ONTOLOGY_GRAPH)
    set()
    """
    quads = set(store.quads_for_pattern(None, None, None, ox.NamedNode(graph)))
    document = ox.NamedNode(graph.replace(GRAPH, ID))
    for definition in store.quads_for_pattern(None, _DEFINED_BY, document, _CONTENTS):
        quads.update(store.quads_for_pattern(definition.subject, None, None, _CONTENTS))
    return quads
