"""What is to be inferred, as SPARQL says it: the specification that the rules of `kg.rules` are held to.

The queries in `rules/`, beside this file, run in the order of their names over the union of all
graphs, each seeing what those before it gave. This was how the store was built at first; it is
plain and slow. Bounds of dates and overlaps, which SPARQL cannot say well, are computed here by
comparing all with all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyoxigraph as ox

from kg.dates import date_bounds
from kg.inference import inferred_graphs
from kg.names import INFERRED_GRAPH, PREFIXES, WS, XSD, causal_graph

RULES = Path(__file__).parent / "rules"
INFERRED = ox.NamedNode(INFERRED_GRAPH)
DATES = ("issued", "date", "time", "effectiveDate", "startDate", "attestedAt", "endDate")


def specify(store: ox.Store) -> None:
    """Make the inferred graphs of a store anew, as the specification has it."""
    for graph in inferred_graphs(store):
        store.remove_graph(graph)
    for rule in sorted(RULES.glob("[0-9]*.rq")):
        triples = store.query(rule.read_text("utf-8"), prefixes=dict(PREFIXES), use_default_graph_as_union=True)
        assert isinstance(triples, ox.QueryTriples)
        _add(store, set(triples))
    _add(store, set(_bounds(store)))
    _add(store, set(_overlaps(store)))
    store.extend(list(_causal(store)))


def _add(store: ox.Store, triples: Iterable[ox.Triple]) -> None:
    store.extend(
        [
            ox.Quad(t.subject, t.predicate, t.object, INFERRED)
            for t in triples
            if next(store.quads_for_pattern(t.subject, t.predicate, t.object), None) is None
        ]
    )


def _bounds(store: ox.Store) -> Iterator[ox.Triple]:
    dates: dict[ox.NamedNode, list[str]] = {}
    for name in DATES:
        for quad in store.quads_for_pattern(None, ox.NamedNode(WS + name), None):
            if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.Literal):
                dates.setdefault(quad.subject, []).append(quad.object.value)
    day = ox.NamedNode(XSD + "date")
    for node, texts in dates.items():
        bounds = [date_bounds(text) for text in texts]
        firsts = [first for first, _ in bounds if first]
        if firsts:
            yield ox.Triple(node, ox.NamedNode(WS + "earliest"), ox.Literal(min(firsts).isoformat(), datatype=day))
        lasts = [last for _, last in bounds if last]
        if len(lasts) == len(bounds):
            yield ox.Triple(node, ox.NamedNode(WS + "latest"), ox.Literal(max(lasts).isoformat(), datatype=day))


def _overlaps(store: ox.Store) -> Iterator[ox.Triple]:
    spans = store.query(
        "SELECT ?node ?document ?start ?end ?number "
        "WHERE { ?node ws:inDocument ?document ; ws:start ?start ; ws:end ?end "
        "OPTIONAL { ?node ws:sentenceNumber ?number } }",
        prefixes=dict(PREFIXES),
        use_default_graph_as_union=True,
    )
    assert isinstance(spans, ox.QuerySolutions)
    rows: dict[str, list[tuple[ox.NamedNode, int, int, bool]]] = {}
    for row in spans:
        node, start, end = row["node"], row["start"], row["end"]
        assert isinstance(node, ox.NamedNode)
        assert isinstance(start, ox.Literal)
        assert isinstance(end, ox.Literal)
        of_document = rows.setdefault(str(row["document"]), [])
        of_document.append((node, int(start.value), int(end.value), row["number"] is not None))
    for of_document in rows.values():
        for passage, start_of_passage, end_of_passage, _ in of_document:
            for sentence, start_of_sentence, end_of_sentence, is_sentence in of_document:
                if is_sentence and start_of_sentence < end_of_passage and end_of_sentence > start_of_passage:
                    yield ox.Triple(passage, ox.NamedNode(WS + "overlaps"), sentence)


def _causal(store: ox.Store) -> Iterator[ox.Quad]:
    query = (RULES / "causal.rq").read_text("utf-8")
    solutions = store.query(query, prefixes=dict(PREFIXES), use_default_graph_as_union=True)
    assert isinstance(solutions, ox.QuerySolutions)
    for solution in solutions:
        holder, cause, link, effect = (solution[name] for name in ("holder", "cause", "link", "effect"))
        assert isinstance(holder, ox.NamedNode)
        assert isinstance(cause, ox.NamedNode)
        assert isinstance(link, ox.NamedNode)
        yield ox.Quad(cause, link, effect, ox.NamedNode(causal_graph(holder.value)))
