"""What the index reads of the graph: all graphs as one, what is inferred included, by the few questions it asks.

As in `kg.facts`, the same questions are answered in two ways: `Columns` reads each property once and keeps it, which
suits the whole graph; `Lookups` asks the store each time, which suits a change.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple, TypeAlias, TypeVar, cast

import pyoxigraph as ox

from kg.names import Term

T = TypeVar("T")


class Words(NamedTuple):
    """A text.

    Parameters:
        text: the words.
        language: tag, empty where there is none.
    """

    text: str
    language: str


Value: TypeAlias = str | Words
"""What a property has: the IRI of a thing, or a text."""


class Reading(ABC):
    """A state of the graph, read by subject or by value; blank nodes are passed over."""

    def __init__(self) -> None:
        self._once: dict[tuple[object, str], object] = {}

    @abstractmethod
    def values(self, node: str, predicate: str) -> Collection[Value]:
        """Return the values of a property, each once."""

    @abstractmethod
    def subjects(self, predicate: str, node: str) -> Collection[str]:
        """Return the things that have a thing for a property."""

    def nodes(self, node: str, predicate: str) -> list[str]:
        """Return the things among the values of a property."""
        return [value for value in self.values(node, predicate) if isinstance(value, str)]

    def words(self, node: str, predicate: str) -> list[Words]:
        """Return the texts among the values of a property."""
        return [value for value in self.values(node, predicate) if isinstance(value, Words)]

    def one(self, node: str, predicate: str) -> str | None:
        """Return the thing that a property has; the first by name, should there be several."""
        return min(self.nodes(node, predicate), default=None)

    def text(self, node: str, predicate: str) -> str | None:
        """Return the text that a property has; the first, should there be several."""
        return min((words.text for words in self.words(node, predicate)), default=None)

    def once(self, function: Callable[[Reading, str], T], node: str) -> T:
        """Return what a function gives for this state and a thing, computed the first time only."""
        found = self._once.get((function, node))
        if found is None:
            found = self._once[function, node] = function(self, node)
        return cast(T, found)

    def number(self, node: str, predicate: str) -> int | None:
        """Return the whole number that a property has, None where it has none."""
        text = self.text(node, predicate)
        return int(text) if text is not None and text.isascii() and text.isdigit() else None


class Lookups(Reading):
    """Looks into the store each time, and remembers.

    Parameters:
        store: of a snapshot.

    >>> store = ox.Store()
    >>> store.add(ox.Quad(ox.NamedNode("ex:a"), ox.NamedNode("ex:b"), ox.NamedNode("ex:c"), ox.NamedNode("ex:g")))
    >>> Lookups(store).one("ex:a", "ex:b"), Lookups(store).subjects("ex:b", "ex:c")
    ('ex:c', ('ex:a',))
    """

    def __init__(self, store: ox.Store) -> None:
        super().__init__()
        self._store = store
        self._values: dict[tuple[str, str], Collection[Value]] = {}

    def values(self, node: str, predicate: str) -> Collection[Value]:
        found = self._values.get((node, predicate))
        if found is None:
            quads = self._store.quads_for_pattern(ox.NamedNode(node), ox.NamedNode(predicate), None, None)
            found = tuple(dict.fromkeys(v for quad in quads if (v := _value(quad.object)) is not None))
            self._values[node, predicate] = found
        return found

    def subjects(self, predicate: str, node: str) -> Collection[str]:
        quads = self._store.quads_for_pattern(None, ox.NamedNode(predicate), ox.NamedNode(node), None)
        return tuple(dict.fromkeys(q.subject.value for q in quads if isinstance(q.subject, ox.NamedNode)))


class Columns(Reading):
    """Reads a property at a time, and keeps it.

    Parameters:
        store: of a snapshot.
    """

    def __init__(self, store: ox.Store) -> None:
        super().__init__()
        self._store = store
        self._values: dict[str, dict[str, tuple[Value, ...]]] = {}
        self._subjects: dict[str, dict[str, list[str]]] = {}
        self._shared: dict[str, str] = {}

    def values(self, node: str, predicate: str) -> Collection[Value]:
        column = self._values.get(predicate)
        return (self._column(predicate) if column is None else column).get(node, ())

    def subjects(self, predicate: str, node: str) -> Collection[str]:
        column = self._subjects.get(predicate)
        if column is None:
            column = self._subjects[predicate] = {}
            for subject, values in self._column(predicate).items():
                for value in values:
                    if isinstance(value, str):
                        column.setdefault(value, []).append(subject)
        return column.get(node, ())

    def having(self, predicate: str) -> Iterable[str]:
        """Give the things that have a property."""
        return self._values.get(predicate) or self._column(predicate)

    def forget(self, keep: Collection[str]) -> None:
        """Let go of all properties but some, which frees memory."""
        for columns in (self._values, self._subjects):
            for predicate in [p for p in columns if p not in keep]:
                del columns[predicate]

    def _column(self, predicate: str) -> dict[str, tuple[Value, ...]]:
        column: dict[str, tuple[Value, ...]] = {}
        self._values[predicate] = column
        shared = self._shared.setdefault
        # Half the time of `quads_for_pattern`: neither the property nor the graph is looked up for each.
        solutions = self._store.query(
            f"SELECT ?s ?o {{ ?s {ox.NamedNode(predicate)} ?o }}", use_default_graph_as_union=True
        )
        assert isinstance(solutions, ox.QuerySolutions)
        for solution in solutions:
            node, value = solution[0], _value(solution[1])
            if value is None or not isinstance(node, ox.NamedNode):
                continue
            subject = shared(node.value, node.value)
            if isinstance(value, str):
                value = shared(value, value)
            before = column.get(subject)
            if before is None:
                column[subject] = (value,)
            elif value not in before:
                column[subject] = (*before, value)
        return column


def _value(term: Term) -> Value | None:
    if isinstance(term, ox.NamedNode):
        return term.value
    return Words(term.value, term.language or "") if isinstance(term, ox.Literal) else None
