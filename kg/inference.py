"""What is inferred and not asserted, computed when the graph is built.

The rules are SPARQL queries in `kg/rules/`, run in the order of their names over the union of
all graphs; what they construct and nobody asserts goes into one graph of its own. The days
that EDTF dates can mean, and the sentences that a passage overlaps, are added here: SPARQL cannot
compute the first and takes a comparison of all with all for the second. Causal links go into
one graph a holder: there, and only there, the same triple may stand in several graphs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from importlib import resources

import pyoxigraph as ox

from kg.dates import date_bounds
from kg.names import CAUSAL, INFERRED_GRAPH, PREFIXES, WS, XSD, Term, causal_graph

_INFERRED = ox.NamedNode(INFERRED_GRAPH)
_EARLIEST, _LATEST = ox.NamedNode(WS + "earliest"), ox.NamedNode(WS + "latest")
_DATE = ox.NamedNode(XSD + "date")
_DATE_PROPERTIES = [ox.NamedNode(WS + name) for name in ("issued", "date", "time", "effectiveDate")]
_TENURE_PROPERTIES = [ox.NamedNode(WS + name) for name in ("startDate", "attestedAt", "endDate")]
_IN_DOCUMENT, _OVERLAPS = ox.NamedNode(WS + "inDocument"), ox.NamedNode(WS + "overlaps")
_START, _END = ox.NamedNode(WS + "start"), ox.NamedNode(WS + "end")
_SENTENCE_NUMBER = ox.NamedNode(WS + "sentenceNumber")


def infer(store: ox.Store) -> None:
    """Make the inferred graphs of a store anew.

    Parameters:
        store: holds the asserted graphs and the ontology; its inferred graphs are replaced.
    """
    for graph in inferred_graphs(store):
        store.remove_graph(graph)
    rules = sorted(
        (r for r in resources.files("kg").joinpath("rules").iterdir() if r.name[0].isdigit()), key=lambda r: r.name
    )
    for rule in rules:
        triples = store.query(rule.read_text("utf-8"), prefixes=dict(PREFIXES), use_default_graph_as_union=True)
        assert isinstance(triples, ox.QueryTriples)
        _add(store, set(triples))
    _add(store, set(_bounds(store)))
    _add(store, set(_overlaps(store)))
    store.extend(list(_causal(store)))


def inferred_graphs(store: ox.Store) -> list[ox.NamedNode]:
    """Return the graphs of a store that hold what is inferred."""
    return [
        graph
        for graph in store.named_graphs()
        if isinstance(graph, ox.NamedNode) and (graph == _INFERRED or graph.value.startswith(CAUSAL))
    ]


def _add(store: ox.Store, triples: set[ox.Triple]) -> None:
    store.extend(
        [
            ox.Quad(t.subject, t.predicate, t.object, _INFERRED)
            for t in triples
            if next(store.quads_for_pattern(t.subject, t.predicate, t.object), None) is None
        ]
    )


def _bounds(store: ox.Store) -> Iterator[ox.Triple]:
    """Give the sortable days of every date; a tenure runs from its first known day to its last."""
    dates: dict[ox.NamedNode, list[str]] = {}
    for predicate in (*_DATE_PROPERTIES, *_TENURE_PROPERTIES):
        for quad in store.quads_for_pattern(None, predicate, None):
            if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.Literal):
                dates.setdefault(quad.subject, []).append(quad.object.value)
    for node, texts in dates.items():
        bounds = [date_bounds(text) for text in texts]
        firsts = [first for first, _ in bounds if first]
        if firsts:
            yield ox.Triple(node, _EARLIEST, ox.Literal(min(firsts).isoformat(), datatype=_DATE))
        lasts = [last for _, last in bounds if last]
        if len(lasts) == len(bounds):
            yield ox.Triple(node, _LATEST, ox.Literal(max(lasts).isoformat(), datatype=_DATE))


def _overlaps(store: ox.Store) -> Iterator[ox.Triple]:
    """Give for every passage the sentences that it touches, so that coverage is a count and not a comparison."""
    spans = {
        subject: (int(_value(store, subject, _START)), int(_value(store, subject, _END)))
        for quad in store.quads_for_pattern(None, _IN_DOCUMENT, None)
        if isinstance(subject := quad.subject, ox.NamedNode)
    }
    sentences: dict[Term, list[tuple[int, int, ox.NamedNode]]] = {}
    for quad in store.quads_for_pattern(None, _SENTENCE_NUMBER, None):
        assert isinstance(quad.subject, ox.NamedNode)
        document = next(iter(store.quads_for_pattern(quad.subject, _IN_DOCUMENT, None))).object
        sentences.setdefault(document, []).append((*spans[quad.subject], quad.subject))
    for row in sentences.values():
        row.sort(key=lambda sentence: sentence[:2])
    for quad in store.quads_for_pattern(None, _IN_DOCUMENT, None):
        assert isinstance(quad.subject, ox.NamedNode)
        start, end = spans[quad.subject]
        row = sentences.get(quad.object, [])
        for _, ends, sentence in row[: bisect_left(row, end, key=lambda sentence: sentence[0])]:
            if ends > start:
                yield ox.Triple(quad.subject, _OVERLAPS, sentence)


def _value(store: ox.Store, subject: ox.NamedNode, predicate: ox.NamedNode) -> str:
    value = next(iter(store.quads_for_pattern(subject, predicate, None))).object
    assert isinstance(value, ox.Literal)
    return value.value


def _causal(store: ox.Store) -> Iterator[ox.Quad]:
    query = resources.files("kg").joinpath("rules", "causal.rq").read_text("utf-8")
    solutions = store.query(query, prefixes=dict(PREFIXES), use_default_graph_as_union=True)
    assert isinstance(solutions, ox.QuerySolutions)
    for solution in solutions:
        holder, cause, link, effect = (solution[name] for name in ("holder", "cause", "link", "effect"))
        assert isinstance(holder, ox.NamedNode)
        assert isinstance(cause, ox.NamedNode)
        assert isinstance(link, ox.NamedNode)
        yield ox.Quad(cause, link, effect, ox.NamedNode(causal_graph(holder.value)))
