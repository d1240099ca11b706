"""The publisher: the one that writes to the store.

A *unit* is what is published as a whole: a document's record, the register, the ontology. Of
each, the provenance graph says when it came in, from what, with which shapes, and what it
amounted to, so that a later run can tell whether the record changed, or the store, or both.

The way of a build: changed units → scratch copy of the store → shapes → inference → one triple
in one graph → commit in one transaction → snapshot. Where anything fails, the store stays as
it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyoxigraph as ox

from kg.digests import quads_digest
from kg.errors import ConflictError, ConformanceError, WhosaysError
from kg.inference import infer, inferred_graphs
from kg.names import (
    CAUSAL,
    CONTENTS_GRAPH,
    GRAPH,
    ID,
    INFERRED_GRAPH,
    ONTOLOGY_GRAPH,
    PROV,
    PROVENANCE_GRAPH,
    RDF,
    RDFS,
    WS,
    XSD,
    shorten,
)
from kg.shapes import shapes_digest
from kg.store import StoreFolder
from kg.validation import Report, validate
from kg.vocabulary import ontology_quads

Progress = Callable[[str], None]

_PROVENANCE = ox.NamedNode(PROVENANCE_GRAPH)
_CONTENTS = ox.NamedNode(CONTENTS_GRAPH)
_DEFINED_BY = ox.NamedNode(RDFS + "isDefinedBy")
_RECORD_DIGEST = ox.NamedNode(WS + "recordDigest")
_CONTENT_DIGEST = ox.NamedNode(WS + "contentDigest")
_SHAPES_DIGEST = ox.NamedNode(WS + "shapesDigest")


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


@dataclass(frozen=True)
class Outcome:
    """What a build did.

    Parameters:
        snapshot: the snapshot that is now served.
        changed: short names of the graphs that were published, empty where all was up to date.
        removed: short names of the graphs that were taken out.
        report: the validation report, None where nothing was validated.
        added_quads, removed_quads: the size of the change.
    """

    snapshot: str
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    report: Report | None
    added_quads: int = 0
    removed_quads: int = 0


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


def publish(
    folder: StoreFolder,
    units: Sequence[Unit],
    *,
    agent: str,
    overwrite: bool = False,
    progress: Progress = lambda _: None,
) -> Outcome:
    """Make a store hold just what the units say.

    Parameters:
        folder: the store.
        units: everything that is to be published, the ontology included.
        agent: who publishes, for the provenance.
        overwrite: publish a record even where the store was changed meanwhile.
        progress: told what is being done.

    Returns:
        What changed.

    Raises:
        ConformanceError: the outcome would break the shapes; carries the report.
        ConflictError: the store holds something else than what was last published from a record.
        WhosaysError: a triple would stand in two graphs.
    """
    with folder.writer() as writer:
        published = _provenance(writer.live)
        wanted = {unit.graph: unit for unit in units}
        shapes = shapes_digest()
        changed = [u for u in units if published.get(u.graph, {}).get(_RECORD_DIGEST) != u.digest]
        removed = [graph for graph in published if graph not in wanted]
        same_shapes = all(p.get(_SHAPES_DIGEST) == shapes for p in published.values())
        current = folder.current_name()
        if not changed and not removed and same_shapes and current:
            return Outcome(current, (), (), None)
        if not overwrite:
            for graph in [u.graph for u in changed if u.graph in published] + removed:
                _check_unchanged(writer.live, graph, published[graph])

        with writer.scratch() as scratch:
            progress(f"publishing {', '.join(shorten(u.graph) for u in changed) or 'nothing new'}")
            for graph in [u.graph for u in changed] + removed:
                for quad in _content(scratch, graph):
                    scratch.remove(quad)
            scratch.extend([quad for unit in changed for quad in unit.quads])
            _write_provenance(scratch, changed, units, removed, shapes, agent)
            progress(f"validating {len(scratch):,} quads")
            report = validate(_asserted(scratch))
            if not report.conforms:
                count = len(report.violations)
                raise ConformanceError(
                    f"{count} violation{'s' if count != 1 else ''} of the shapes; nothing was published",
                    report,
                    mend="mend what the report names and run again; the store is as it was",
                )
            progress("inferring")
            infer(scratch)
            _check_single(scratch)
            progress("committing")
            before, after = set(writer.live), set(scratch)
        added, gone = after - before, before - after
        name = writer.commit(added=added, removed=gone)
    return Outcome(
        name,
        tuple(shorten(u.graph) for u in changed),
        tuple(shorten(g) for g in removed),
        report,
        len(added),
        len(gone),
    )


def asserted_triples(units: Iterable[Unit]) -> list[ox.Triple]:
    """Return what units say as one graph, to be validated."""
    return [quad.triple for unit in units for quad in unit.quads]


def _content(store: ox.Store, graph: str) -> list[ox.Quad]:
    """Return what a unit amounts to in a store: its graph, and the shared contents that its document defines."""
    quads = list(store.quads_for_pattern(None, None, None, ox.NamedNode(graph)))
    document = ox.NamedNode(graph.replace(GRAPH, ID))
    for definition in list(store.quads_for_pattern(None, _DEFINED_BY, document, _CONTENTS)):
        quads += store.quads_for_pattern(definition.subject, None, None, _CONTENTS)
    return quads


def _provenance(store: ox.Store) -> dict[str, dict[ox.NamedNode, str]]:
    graphs: dict[str, dict[ox.NamedNode, str]] = {}
    for quad in store.quads_for_pattern(None, None, None, _PROVENANCE):
        if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.Literal):
            graphs.setdefault(quad.subject.value, {})[quad.predicate] = quad.object.value
    return graphs


def _check_unchanged(store: ox.Store, graph: str, provenance: Mapping[ox.NamedNode, str]) -> None:
    found = quads_digest(_content(store, graph))
    if found != provenance.get(_CONTENT_DIGEST):
        name = shorten(graph).removeprefix("graph:")
        raise ConflictError(
            f"`{name}` was changed in the store since its record was last published",
            mend=f"see the difference with `whosays export {name}`, take it into the record and build again; "
            "or publish the record over it with `whosays build --overwrite`",
        )


def _write_provenance(
    store: ox.Store, changed: Sequence[Unit], units: Sequence[Unit], removed: Iterable[str], shapes: str, agent: str
) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for graph in [u.graph for u in changed] + list(removed):
        for quad in store.quads_for_pattern(ox.NamedNode(graph), None, None, _PROVENANCE):
            store.remove(quad)
    for unit in units:
        for quad in store.quads_for_pattern(ox.NamedNode(unit.graph), _SHAPES_DIGEST, None, _PROVENANCE):
            store.remove(quad)
        _say(store, unit.graph, _SHAPES_DIGEST, ox.Literal(shapes))
    ontology = next((u.digest for u in units if u.graph == ONTOLOGY_GRAPH), "")
    for unit in changed:
        _say(store, unit.graph, ox.NamedNode(RDF + "type"), ox.NamedNode(PROV + "Entity"))
        _say(
            store,
            unit.graph,
            ox.NamedNode(PROV + "generatedAtTime"),
            ox.Literal(now, datatype=ox.NamedNode(XSD + "dateTime")),
        )
        _say(store, unit.graph, ox.NamedNode(PROV + "wasAttributedTo"), ox.NamedNode(agent))
        _say(store, unit.graph, ox.NamedNode(WS + "madeFrom"), ox.Literal(unit.source))
        _say(store, unit.graph, _RECORD_DIGEST, ox.Literal(unit.digest))
        _say(store, unit.graph, _CONTENT_DIGEST, ox.Literal(quads_digest(unit.quads)))
        _say(store, unit.graph, ox.NamedNode(WS + "ontologyDigest"), ox.Literal(ontology))


def _say(store: ox.Store, subject: str, predicate: ox.NamedNode, value: ox.NamedNode | ox.Literal) -> None:
    store.add(ox.Quad(ox.NamedNode(subject), predicate, value, _PROVENANCE))


def _check_single(store: ox.Store) -> None:
    """A triple that stands in two graphs gives two rows in the union; causal graphs are read one at a time."""
    seen: dict[ox.Triple, ox.Quad] = {}
    for quad in store:
        if isinstance(quad.graph_name, ox.NamedNode) and quad.graph_name.value.startswith(CAUSAL):
            continue
        other = seen.setdefault(quad.triple, quad)
        if other.graph_name != quad.graph_name:
            graphs = " and ".join(sorted(shorten(str(g.graph_name).strip("<>")) for g in (other, quad)))
            raise WhosaysError(
                f"the same statement stands in {graphs}: {quad.triple}",
                mend="keep it in one record; the other refers to it by name",
            )


def _asserted(store: ox.Store) -> Iterable[ox.Triple]:
    inferred = {INFERRED_GRAPH, *(g.value for g in inferred_graphs(store)), PROVENANCE_GRAPH}
    return (q.triple for q in store if not (isinstance(q.graph_name, ox.NamedNode) and q.graph_name.value in inferred))
