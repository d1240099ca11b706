"""What is inferred and not asserted: made anew for a whole store, or brought up to date after a change.

The rules stand in `kg.rules`. What they give and nobody asserts goes into one graph of its own.
Causal links go into one graph a holder: there, and only there, the same triple may stand in
several graphs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyoxigraph as ox

from kg.change import Change, View, is_asserted
from kg.errors import WhosaysError
from kg.facts import END, IN_DOCUMENT, START, SUBCLASS, TYPE, Columns, Lookups, is_node, spans
from kg.names import CAUSAL, INFERRED_GRAPH, ONTOLOGY_GRAPH, shorten
from kg.positions import Positions
from kg.rules import Key, Rule, make_rules
from kg.rules.properties import INVERSE, SYMMETRIC
from kg.rules.standing import FAMILY

_ONTOLOGY = ox.NamedNode(ONTOLOGY_GRAPH)
_AXIOMS = frozenset({SUBCLASS, INVERSE, FAMILY})
_BATCH = 200_000
"""Quads that are written at once; each takes about a kilobyte meanwhile."""


def infer(store: ox.Store) -> None:
    """Make the inferred graphs of a store anew.

    Parameters:
        store: holds the asserted graphs and the ontology; its inferred graphs are replaced, not in one transaction.

    Raises:
        WhosaysError: the ontology would have a property inferred by two rules.
    """
    for graph in inferred_graphs(store):
        store.remove_graph(graph)
    batch: list[ox.Quad] = []
    for quad in _all_inferred(store):
        batch.append(quad)
        if len(batch) == _BATCH:
            store.bulk_extend(batch)
            batch.clear()
    store.bulk_extend(batch)


def infer_change(store: ox.Store, change: Change, *, positions: Positions | None = None) -> Change:
    """Return what a change of the asserted graphs alters in the inferred ones.

    What it costs depends on what the change touches, not on the size of the store.

    Parameters:
        store: the state before, its inferred graphs up to date.
        change: what is added to and taken out of the asserted graphs; other graphs in it are passed over.
        positions: kept from change to change, it saves reading all passages of a document for each new one.

    Returns:
        The inferred quads to add and to remove, which with the change lead to what `infer` would give.

    Raises:
        WhosaysError: the change alters what the rules themselves rest on; see `needs_rebuild`.

    >>> from kg.names import GRAPH, ID, WS
    >>> graph, part_of = ox.NamedNode(GRAPH + "register"), ox.NamedNode(WS + "partOf")
    >>> city, county, state = (ox.NamedNode(ID + name) for name in ("city", "county", "state"))
    >>> store = ox.Store()
    >>> store.add(ox.Quad(county, part_of, state, graph))
    >>> change = Change(frozenset([ox.Quad(city, part_of, county, graph)]))
    >>> [str(quad.triple) == f"{city} {part_of} {state}" for quad in infer_change(store, change).added]
    [True]
    """
    if needs_rebuild(change):
        raise WhosaysError(
            "the change alters classes, properties or acts of the ontology, on which all inference rests",
            mend="apply it, and infer the whole store anew",
        )
    positions = positions or Positions(store)
    positions.trim()
    before, after = Lookups(View(store), positions), Lookups(View(store, change), positions)
    for node in filter(is_node, {q.subject for q in change.added if q.predicate in (IN_DOCUMENT, START, END)}):
        for document in after.objects(node, IN_DOCUMENT):
            for start, end in spans(after, node):
                positions.row(document).add((start, end, node))
    rules = make_rules(after)
    rule_of = _rule_of(rules)
    readers: dict[ox.NamedNode, list[Rule]] = {}
    for rule in rules:
        for predicate in rule.reads:
            readers.setdefault(predicate, []).append(rule)
    keys: set[Key] = set()
    for facts, quads in ((before, change.removed), (after, change.added)):
        for triple in {q.triple for q in quads if is_asserted(q.graph_name)}:
            for rule in readers.get(triple.predicate, ()):
                keys.update(rule.keys(facts, triple))
            owner = rule_of.get(triple.predicate)
            if owner:  # what is now asserted is no longer inferred, and the other way round
                keys.update(owner.own(triple))
    added: set[ox.Quad] = set()
    removed: set[ox.Quad] = set()
    for key in keys:
        graph = key.graph
        stored = () if after.view.is_new(key.subject) else store.quads_for_pattern(*key[:3], graph)
        old = {quad.object for quad in stored}
        new = {
            value
            for value in rule_of[key.predicate].derive(after, key)
            if key.holder or not after.has(key.subject, key.predicate, value)
        }
        added.update(ox.Quad(key.subject, key.predicate, value, graph) for value in new - old)
        removed.update(ox.Quad(key.subject, key.predicate, value, graph) for value in old - new)
    return Change(frozenset(added), frozenset(removed))


def needs_rebuild(change: Change) -> bool:
    """Tell whether a change alters what the rules rest on, so that the whole store must be inferred anew.

    It does where it touches the ontology's graph, or says elsewhere what only the ontology says:
    which class is below which, which property is inverse or symmetric, which act is of which family.

    >>> needs_rebuild(Change())
    False
    """
    return any(
        quad.graph_name == _ONTOLOGY
        or (is_asserted(quad.graph_name) and (quad.predicate in _AXIOMS or quad.object == SYMMETRIC))
        for quad in change
    )


def inferred_graphs(store: ox.Store) -> list[ox.NamedNode]:
    """Return the graphs of a store that hold what is inferred."""
    return [
        graph
        for graph in store.named_graphs()
        if isinstance(graph, ox.NamedNode) and (graph.value == INFERRED_GRAPH or graph.value.startswith(CAUSAL))
    ]


def _all_inferred(store: ox.Store) -> Iterator[ox.Quad]:
    facts = Columns(store)
    rules = make_rules(facts)
    _rule_of(rules)
    while rules:
        rule = rules.pop(0)
        for key in set(rule.seeds(facts)):
            graph = key.graph
            for value in set(rule.derive(facts, key)):
                if key.holder or not facts.has(key.subject, key.predicate, value):
                    yield ox.Quad(key.subject, key.predicate, value, graph)
        facts.forget({TYPE, SUBCLASS, *(predicate for later in rules for predicate in later.reads)})


def _rule_of(rules: Iterable[Rule]) -> dict[ox.NamedNode, Rule]:
    found: dict[ox.NamedNode, Rule] = {}
    for rule in rules:
        for predicate in rule.infers:
            if found.setdefault(predicate, rule) is not rule:
                raise WhosaysError(
                    f"`{shorten(predicate.value)}` would be inferred by two rules",
                    mend="take back its being inverse or symmetric in the ontology, or the other rule",
                )
    return found
