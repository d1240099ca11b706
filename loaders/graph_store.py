"""The graph store: one graph put, added to or emptied as a whole, through the door.

The write operations of the Graph Store Protocol, each a function that a cell can run. What is sent is read by
the guarded readers; its triples go to the graph that the request names, and what differs from what is published
is judged and committed like any other change. Reading is the engine's.

Source: SPARQL 1.1 Graph Store HTTP Protocol, https://www.w3.org/TR/sparql11-http-rdf-update/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import pyoxigraph as ox

from kg.change import Change
from kg.errors import MalformedError, NotFoundError, OverrunError, ParameterError, Place
from kg.names import shorten
from kg.provenance import Activity, Kind
from kg.publisher import Draft, Outcome, Plan
from kg.store import Snapshot
from loaders.foreign import DOOR, read_content
from loaders.judging import Verdict, plan_draft
from loaders.syntaxes import SYNTAXES, find_syntax
from loaders.updating import check_change, check_graph, tell_change

How: TypeAlias = Literal["put", "post", "delete"]
"""What becomes of a graph: it holds just what is sent, also what is sent, or nothing."""

_KINDS: Mapping[How, tuple[Kind, str]] = {
    "put": ("replace", "replaces"),
    "post": ("add", "adds to"),
    "delete": ("replace", "empties"),
}
_RDF = ", ".join(syntax.media_types[0] for syntax in SYNTAXES if syntax.rdf_format is not None)


def plan_graph(
    path: Path,
    graph: str,
    parts: Sequence[tuple[bytes, str]],
    how: How,
    agent: str,
    *,
    source: str = "",
    texts: Path | None = None,
) -> Plan | Verdict | Outcome:
    """Plan the publishing of one graph's new state.

    Parameters:
        path: the store's folder.
        graph: IRI of the graph; empty for the default graph, which is refused.
        parts: what was sent, each part with its media type: one, or several of `multipart/form-data`; none to delete.
        how: what becomes of the graph.
        agent: IRI of who publishes.
        source: what it was made from, for the provenance.
        texts: folder of the texts that new passages are held against, where they are there.

    Returns:
        A plan; the verdict where the outcome does not conform; an outcome where nothing changes.

    Raises:
        MalformedError: what was sent does not parse, is no RDF, or holds what the store does not hold.
        ParameterError: the graph is not for a request to change, or what was sent names another one.
        NotFoundError: there is no such graph to delete.
        OverrunError: the graph is too large to be replaced at once.
        ConflictError: it would alter the ontology.
    """
    check_graph(_checked_iri(graph))
    node = ox.NamedNode(graph)
    sent = frozenset(quad for number, part in enumerate(parts, 1) for quad in _read(part, node, number, len(parts)))

    def draft(snapshot: Snapshot) -> Draft:
        store = snapshot.store
        removed: frozenset[ox.Quad] = frozenset()
        if how != "post":
            removed = _held(store, node) - sent
        if how == "delete" and not removed:
            raise NotFoundError(f"there is no graph {shorten(graph)}", mend="nothing is left to do")
        change = Change(frozenset(quad for quad in sent if quad not in store), removed)
        change = check_change(change, store, texts=texts)
        kind, verb = _KINDS[how]
        return Draft(change, Activity(agent, kind, tell_change(verb, change), source), graphs=(graph,))

    return plan_draft(path, draft)


def _checked_iri(graph: str) -> str:
    try:
        return ox.NamedNode(graph).value if graph else ""
    except ValueError as error:
        raise MalformedError(f"`{graph[:200]}` is not an IRI", mend="give the whole IRI of a graph") from error


def _read(part: tuple[bytes, str], graph: ox.NamedNode, number: int, count: int) -> list[ox.Quad]:
    data, media_type = part
    name = "the body" if count == 1 else f"part {number}"
    if find_syntax(media_type).rdf_format is None:
        raise MalformedError(f"{media_type} is no RDF", mend=f"send one of: {_RDF}", place=Place(name))
    quads = []
    for quad in read_content(data, media_type, name).quads:
        if quad.graph_name not in (ox.DefaultGraph(), graph):
            raise ParameterError(
                f"the content speaks of {shorten(str(quad.graph_name).strip('<>'))}, the request of "
                f"{shorten(graph.value)}",
                mend="send each graph by itself, or leave the names of graphs out",
                place=Place(name),
            )
        quads.append(ox.Quad(quad.subject, quad.predicate, quad.object, graph))
    return quads


def _held(store: ox.Store, graph: ox.NamedNode) -> frozenset[ox.Quad]:
    held = set()
    for quad in store.quads_for_pattern(None, None, None, graph):
        held.add(quad)
        if len(held) > DOOR.quads:
            raise OverrunError(
                f"{shorten(graph.value)} holds more than {DOOR.quads:,} statements", mend="change it by SPARQL updates"
            )
    return frozenset(held)
