"""A change, and the state that it leads to, without anything being written yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import pyoxigraph as ox

from kg.names import CAUSAL, INFERRED_GRAPH, PROVENANCE_GRAPH, RDF, XSD, Term

_TYPE = ox.NamedNode(RDF + "type")
_APART = frozenset({INFERRED_GRAPH, PROVENANCE_GRAPH})


def is_asserted(graph: object) -> bool:
    """Tell whether a graph holds what somebody put there: neither inferred nor provenance.

    Parameters:
        graph: the graph name of a quad.

    >>> is_asserted(ox.NamedNode(INFERRED_GRAPH)), is_asserted(ox.NamedNode("https://w3id.org/whosays/graph/register"))
    (False, True)
    """
    return not isinstance(graph, ox.NamedNode) or not (graph.value in _APART or graph.value.startswith(CAUSAL))


@dataclass(frozen=True)
class Change:
    """What is to be added to a graph and taken out of it.

    Parameters:
        added: quads that were not there.
        removed: quads that were there.

    >>> Change().inverse() == Change()
    True
    """

    added: frozenset[ox.Quad] = frozenset()
    removed: frozenset[ox.Quad] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)

    def __len__(self) -> int:
        return len(self.added) + len(self.removed)

    def __iter__(self) -> Iterator[ox.Quad]:
        return chain(self.added, self.removed)

    def __getstate__(self) -> tuple[bytes, bytes]:
        # As N-Quads: quads one by one take twenty times as long between processes.
        return _as_n_quads(self.added), _as_n_quads(self.removed)

    def __setstate__(self, state: tuple[bytes, bytes]) -> None:
        for name, text in zip(("added", "removed"), state, strict=True):
            object.__setattr__(self, name, frozenset(ox.parse(text, format=ox.RdfFormat.N_QUADS)))

    def inverse(self) -> Change:
        """Return the change that takes this one back."""
        return Change(self.removed, self.added)


def _as_n_quads(quads: Iterable[ox.Quad]) -> bytes:
    return ox.serialize(quads, format=ox.RdfFormat.N_QUADS) or b""


NO_CHANGE = Change()
"""Nothing added, nothing removed."""


def make_change(store: ox.Store, added: Iterable[ox.Quad], removed: Iterable[ox.Quad]) -> Change:
    """Return what really alters in a store where quads are taken out and then others put in.

    Parameters:
        store: the state before.
        added, removed: may overlap, and may name what is there already or never was.
    """
    new, old = set(added), set(removed)
    return Change(
        frozenset(q for q in new if q not in store),
        frozenset(q for q in old - new if q in store),
    )


def as_stored(quads: Iterable[ox.Quad]) -> tuple[ox.Quad, ...]:
    """Return statements as the store gives them back: it has one way only to write a number, a date, a truth value.

    What is read must be brought to this form before it is compared with what is published.

    Parameters:
        quads: in any order, which is kept.

    >>> seven = ox.Literal("007", datatype=ox.NamedNode(XSD + "integer"))
    >>> [quad.object.value for quad in as_stored([ox.Quad(ox.NamedNode("ex:a"), ox.NamedNode("ex:b"), seven)])]
    ['7']
    """
    quads = tuple(quads)
    odd = {q.object for q in quads if isinstance(q.object, ox.Literal) and _has_forms(q.object)}
    literals = {ox.NamedNode(f"ex:{number}"): literal for number, literal in enumerate(odd)}
    store = ox.Store()
    store.extend(ox.Quad(name, name, literal) for name, literal in literals.items())
    kept = {literals[q.subject]: q.object for q in store if isinstance(q.subject, ox.NamedNode)}
    return tuple(
        ox.Quad(q.subject, q.predicate, kept[q.object], q.graph_name)
        if isinstance(q.object, ox.Literal) and q.object in kept
        else q
        for q in quads
    )


def _has_forms(literal: ox.Literal) -> bool:
    datatype = literal.datatype.value
    return datatype.startswith(XSD) and datatype != XSD + "string"


class View:
    """The asserted triples of a store, as they would be after a change.

    What is inferred and the provenance are not seen. A triple is given once, in whatever graph it stands.

    Parameters:
        store: the state before.
        change: what is laid over it.

    >>> graph = ox.NamedNode("https://w3id.org/whosays/graph/register")
    >>> a, p = ox.NamedNode("ex:a"), ox.NamedNode("ex:p")
    >>> store = ox.Store()
    >>> store.add(ox.Quad(a, p, ox.Literal("old"), graph))
    >>> new = Change(frozenset([ox.Quad(a, p, ox.Literal("new"), graph)]), frozenset(store))
    >>> [o.value for o in View(store, new).objects(a, p)], [o.value for o in View(store).objects(a, p)]
    (['new'], ['old'])
    """

    def __init__(self, store: ox.Store, change: Change | None = None) -> None:
        self.store = store
        self.change = change or Change()
        self._removed = self.change.removed
        self._out: dict[Term, list[ox.Triple]] = {}
        self._in: dict[Term, list[ox.Triple]] = {}
        self._known: dict[tuple[Term | None, Term | None], bool] = {}
        for triple in {q.triple for q in self.change.added if is_asserted(q.graph_name)}:
            self._out.setdefault(triple.subject, []).append(triple)
            self._in.setdefault(triple.object, []).append(triple)

    def triples(
        self, subject: Term | None = None, predicate: ox.NamedNode | None = None, object_: Term | None = None
    ) -> Iterator[ox.Triple]:
        """Give the triples that match a pattern; None matches anything.

        A literal has no triples of its own.
        """
        if isinstance(subject, ox.Literal):
            return
        fresh: Iterable[ox.Triple]
        if subject is not None:
            fresh = self._out.get(subject, ())
        elif object_ is not None:
            fresh = self._in.get(object_, ())
        else:
            fresh = (t for triples in self._out.values() for t in triples)
        seen = set()
        for triple in fresh:
            if (predicate is None or triple.predicate == predicate) and (object_ is None or triple.object == object_):
                seen.add(triple)
                yield triple
        if subject is not None and self.is_new(subject):
            return
        if subject is None and object_ is not None and self._is_newly_named(object_):
            return
        for quad in self.store.quads_for_pattern(subject, predicate, object_):
            if is_asserted(quad.graph_name) and quad not in self._removed and (not seen or quad.triple not in seen):
                yield quad.triple

    def is_new(self, node: Term) -> bool:
        """Tell whether a node has its first triples from the change, so that the store need not be asked for others."""
        return node in self._out and not self._stored(node, None)

    def objects(self, subject: Term, predicate: ox.NamedNode) -> list[Term]:
        """Return the values of a property."""
        return [t.object for t in self.triples(subject, predicate)]

    def subjects(self, predicate: ox.NamedNode, value: Term) -> list[Term]:
        """Return the nodes that have a value for a property."""
        return [t.subject for t in self.triples(None, predicate, value)]

    def has(
        self, subject: Term | None = None, predicate: ox.NamedNode | None = None, object_: Term | None = None
    ) -> bool:
        """Tell whether any triple matches a pattern."""
        return next(self.triples(subject, predicate, object_), None) is not None

    def types(self, node: Term) -> set[str]:
        """Return the IRIs of the classes that a node is said to be of."""
        return {o.value for o in self.objects(node, _TYPE) if isinstance(o, ox.NamedNode)}

    def _is_newly_named(self, node: Term) -> bool:
        return node in self._out and not self._stored(None, node)

    def _stored(self, subject: Term | None, object_: Term | None) -> bool:
        assert not isinstance(subject, ox.Literal)
        key = subject, object_
        found = self._known.get(key)
        if found is None:
            found = next(self.store.quads_for_pattern(subject, None, object_), None) is not None
            self._known[key] = found
        return found
