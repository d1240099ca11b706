"""What the rules of inference look up: the asserted triples, by the few questions that a rule asks.

The same questions are answered in two ways. `Lookups` asks the store each time, which suits a
change that touches a few nodes of a large graph; `Columns` reads each property once and keeps it
in memory, which suits the whole graph.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeGuard, TypeVar, cast

import pyoxigraph as ox

from kg.change import View, is_asserted
from kg.names import RDF, RDFS, WS, Term
from kg.positions import Node, Positions, Row, integer

T = TypeVar("T")

TYPE = ox.NamedNode(RDF + "type")
SUBCLASS = ox.NamedNode(RDFS + "subClassOf")
IN_DOCUMENT = ox.NamedNode(WS + "inDocument")
START, END = ox.NamedNode(WS + "start"), ox.NamedNode(WS + "end")
SENTENCE_NUMBER = ox.NamedNode(WS + "sentenceNumber")


def is_node(term: object) -> TypeGuard[Node]:
    """Tell whether a term can be the subject of a triple.

    >>> is_node(ox.NamedNode("ex:a")), is_node(ox.Literal("a"))
    (True, False)
    """
    return isinstance(term, ox.NamedNode | ox.BlankNode)


class Facts(ABC):
    """Asserted triples, looked up by subject, by value or by property."""

    def __init__(self) -> None:
        self._once: dict[tuple[object, Term], object] = {}

    @abstractmethod
    def objects(self, subject: Term, predicate: ox.NamedNode) -> Collection[Term]:
        """Return the values of a property."""

    @abstractmethod
    def subjects(self, predicate: ox.NamedNode, value: Term) -> Iterable[Node]:
        """Give the nodes that have a value for a property, a few at a time."""

    @abstractmethod
    def pairs(self, predicate: ox.NamedNode) -> Iterator[tuple[Node, Term]]:
        """Give all subjects of a property with their values."""

    @abstractmethod
    def overlapping(self, document: Term, start: int, end: int) -> Iterable[Node]:
        """Give the passages of a document, sentences included, that share a character with a span.

        Parameters:
            document: the document.
            start, end: code points; the end is exclusive.
        """

    def has(self, subject: Term, predicate: ox.NamedNode, value: Term) -> bool:
        """Tell whether a triple is asserted."""
        return value in self.objects(subject, predicate)

    def once(self, function: Callable[[Facts, Term], T], node: Term) -> T:
        """Return what a function gives for these facts and a node, computed the first time only."""
        key = function, node
        if key not in self._once:
            self._once[key] = function(self, node)
        return cast(T, self._once[key])

    def is_a(self, node: Term, kind: ox.NamedNode) -> bool:
        """Tell whether a node is said to be of a class or of one below it."""
        return any(c == kind or kind in self.once(classes_above, c) for c in self.objects(node, TYPE))

    def members(self, kind: ox.NamedNode) -> Iterator[Node]:
        """Give the nodes that are said to be of a class or of one below it; a node may come twice."""
        return (node for node, c in self.pairs(TYPE) if c == kind or kind in self.once(classes_above, c))

    def between(self, first: ox.NamedNode, value: Term, second: ox.NamedNode, other: Term) -> Iterator[Node]:
        """Give the nodes that have one value for a property and another for a second; a node may come twice.

        It looks from both sides in turns and stops when the rarer one is done.
        """
        for left, right in zip(self.subjects(first, value), self.subjects(second, other), strict=False):
            if self.has(left, second, other):
                yield left
            if self.has(right, first, value):
                yield right


class Lookups(Facts):
    """Facts that are asked of the store one by one.

    Parameters:
        view: the asserted triples, before or after a change.
        positions: of the passages of the store, those that the change adds included.

    >>> a, b = ox.NamedNode("ex:a"), ox.NamedNode("ex:b")
    >>> store = ox.Store()
    >>> store.add(ox.Quad(a, TYPE, b))
    >>> facts = Lookups(View(store), Positions(store))
    >>> facts.is_a(a, b), list(facts.subjects(TYPE, b)) == [a]
    (True, True)
    """

    def __init__(self, view: View, positions: Positions) -> None:
        super().__init__()
        self.view = view
        self._positions = positions
        self._values: dict[tuple[Term, ox.NamedNode], Collection[Term]] = {}

    def objects(self, subject: Term, predicate: ox.NamedNode) -> Collection[Term]:
        key = subject, predicate
        found = self._values.get(key)
        if found is None:
            found = self._values[key] = self.view.objects(subject, predicate)
        return found

    def has(self, subject: Term, predicate: ox.NamedNode, value: Term) -> bool:
        found = self._values.get((subject, predicate))
        return self.view.has(subject, predicate, value) if found is None else value in found

    def subjects(self, predicate: ox.NamedNode, value: Term) -> Iterable[Node]:
        return (t.subject for t in self.view.triples(None, predicate, value) if is_node(t.subject))

    def pairs(self, predicate: ox.NamedNode) -> Iterator[tuple[Node, Term]]:
        return ((t.subject, t.object) for t in self.view.triples(None, predicate) if is_node(t.subject))

    def overlapping(self, document: Term, start: int, end: int) -> Iterable[Node]:
        return (
            node
            for node in self._positions.row(document).overlapping(start, end)
            if document in self.objects(node, IN_DOCUMENT)
            and any(starts < end and ends > start for starts, ends in spans(self, node))
        )


class Columns(Facts):
    """Facts that are read from the store a property at a time, and kept.

    Parameters:
        store: its inferred graphs are not seen; its asserted ones must not change meanwhile.

    >>> a, b = ox.NamedNode("ex:a"), ox.NamedNode("ex:b")
    >>> store = ox.Store()
    >>> store.add(ox.Quad(a, TYPE, b))
    >>> Columns(store).objects(a, TYPE) == (b,)
    True
    """

    def __init__(self, store: ox.Store) -> None:
        super().__init__()
        self._store = store
        self._values: dict[ox.NamedNode, dict[Term, tuple[Term, ...]]] = {}
        self._nodes: dict[ox.NamedNode, dict[Term, list[Node]]] = {}
        self._terms: dict[Term, Term] = {}

    def forget(self, keep: Collection[ox.NamedNode]) -> None:
        """Let go of all properties but some, which frees memory; what is asked for again is read again."""
        for columns in (self._values, self._nodes):
            for predicate in [p for p in columns if p not in keep]:
                del columns[predicate]

    def objects(self, subject: Term, predicate: ox.NamedNode) -> Collection[Term]:
        column = self._values.get(predicate)
        return (self._column(predicate) if column is None else column).get(subject, ())

    def subjects(self, predicate: ox.NamedNode, value: Term) -> Iterable[Node]:
        column = self._nodes.get(predicate)
        if column is None:
            column = self._nodes[predicate] = {}
            for node, of_node in self.pairs(predicate):
                column.setdefault(of_node, []).append(node)
        return column.get(value, ())

    def pairs(self, predicate: ox.NamedNode) -> Iterator[tuple[Node, Term]]:
        column = self._values.get(predicate)
        column = self._column(predicate) if column is None else column
        return ((cast(Node, subject), value) for subject, values in column.items() for value in values)

    def overlapping(self, document: Term, start: int, end: int) -> Iterable[Node]:
        return self.once(_row, document).overlapping(start, end)

    def _column(self, predicate: ox.NamedNode) -> dict[Term, tuple[Term, ...]]:
        column: dict[Term, tuple[Term, ...]] = {}
        self._values[predicate] = column
        shared = self._terms.setdefault
        for quad in self._store.quads_for_pattern(None, predicate, None):
            if is_asserted(quad.graph_name):
                subject, value = shared(quad.subject, quad.subject), shared(quad.object, quad.object)
                column[subject] = (*column.get(subject, ()), value)
        return column


def classes_above(facts: Facts, kind: Term) -> frozenset[Term]:
    """Return the classes above a class, without itself unless it stands above itself."""
    above: set[Term] = set()
    waiting = [kind]
    while waiting:
        for parent in facts.objects(waiting.pop(), SUBCLASS):
            if isinstance(parent, ox.NamedNode) and parent not in above:
                above.add(parent)
                waiting.append(parent)
    return frozenset(above)


def spans(facts: Facts, passage: Term) -> list[tuple[int, int]]:
    """Return where a passage starts and ends: one pair, or as many as can be made of what it says."""
    starts = [n for start in facts.objects(passage, START) if (n := integer(start)) is not None]
    ends = [n for end in facts.objects(passage, END) if (n := integer(end)) is not None]
    return [(start, end) for start in starts for end in ends]


def _row(facts: Facts, document: Term) -> Row:
    nodes = facts.subjects(IN_DOCUMENT, document)
    return Row((*span, node) for node in nodes for span in spans(facts, node))
