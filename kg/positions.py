"""Where the passages of documents lie, so that those around a place are found without reading the others.

No index of the store is ordered by position, and reading a document's passages takes some twenty
microseconds each. A row holds them by their start.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from collections.abc import Iterable
from operator import itemgetter
from typing import TypeAlias

import pyoxigraph as ox

from kg.change import Change
from kg.names import PREFIXES, WS, XSD, Term

Node: TypeAlias = ox.NamedNode | ox.BlankNode
"""What can be the subject of a triple."""

Passage: TypeAlias = tuple[int, int, Node]
"""Start and end of a passage as code points, the end exclusive, and the passage."""

_INTEGER = ox.NamedNode(XSD + "integer")
_IN_DOCUMENT, _START, _END = (ox.NamedNode(WS + name) for name in ("inDocument", "start", "end"))
_PLACING = frozenset([_IN_DOCUMENT, _START, _END])
_start = itemgetter(0)
_PASSAGES = "SELECT ?node ?start ?end WHERE {{ ?node ws:inDocument {} ; ws:start ?start ; ws:end ?end }}"


class Row:
    """The passages of one document by their start.

    Parameters:
        passages: in any order.

    >>> a, b = ox.NamedNode("ex:a"), ox.NamedNode("ex:b")
    >>> Row([(0, 10, a), (10, 20, b)]).overlapping(5, 10) == [a]
    True
    """

    def __init__(self, passages: Iterable[Passage]) -> None:
        self._passages = sorted(passages, key=_start)
        self._longest = max((end - start for start, end, _ in self._passages), default=0)

    def add(self, passage: Passage) -> None:
        """Put in a passage, unless it is there."""
        start, end, _ = passage
        first, last = (side(self._passages, start, key=_start) for side in (bisect_left, bisect_right))
        if passage not in self._passages[first:last]:
            insort(self._passages, passage, key=_start)
            self._longest = max(self._longest, end - start)

    def overlapping(self, start: int, end: int) -> list[Node]:
        """Return the passages that share a character with a span."""
        first = bisect_right(self._passages, start - self._longest, key=_start)
        last = bisect_left(self._passages, end, key=_start)
        return [node for _, ends, node in self._passages[first:last] if ends > start]


class Positions:
    """The rows of the documents that were asked about last, kept from one change of a store to the next.

    What it gives are candidates: passages that have gone or moved may be among them, and none is
    missing as long as every passage that comes into the store is put in here. So whoever writes to
    the store by other ways than `kg.inference.infer_change` makes a new one afterwards.

    Parameters:
        store: where the passages are read from.
        documents: how many rows are kept from change to change; a passage in a row takes about 300 bytes.
    """

    def __init__(self, store: ox.Store, *, documents: int = 256) -> None:
        self._store = store
        self._documents = documents
        self._rows: OrderedDict[Term, Row] = OrderedDict()

    def row(self, document: Term) -> Row:
        """Return the row of a document, read from the store where it is not kept."""
        row = self._rows.pop(document, None) or Row(self._read(document))
        self._rows[document] = row
        return row

    def follow(self, store: ox.Store, change: Change) -> None:
        """Go over to a later state of the store.

        Parameters:
            store: the later state.
            change: what leads there.
        """
        self._store = store
        for node in {q.subject for q in change.added if q.predicate in _PLACING}:
            for document in store.quads_for_pattern(node, _IN_DOCUMENT, None):
                if document.object in self._rows:
                    bounds = [
                        integer(next((q.object for q in store.quads_for_pattern(node, p, None)), None))
                        for p in (_START, _END)
                    ]
                    if bounds[0] is not None and bounds[1] is not None and isinstance(node, ox.NamedNode):
                        self._rows[document.object].add((bounds[0], bounds[1], node))

    def trim(self) -> None:
        """Let go of the rows that were asked for longest ago, where there are more than are to be kept.

        Not while a change is looked into: what it adds is in the rows and not yet in the store.
        """
        while len(self._rows) > self._documents:
            self._rows.popitem(last=False)

    def _read(self, document: Term) -> list[Passage]:
        rows = self._store.query(_PASSAGES.format(document), prefixes=dict(PREFIXES), use_default_graph_as_union=True)
        assert isinstance(rows, ox.QuerySolutions)
        found = []
        for row in rows:
            node, start, end = row["node"], integer(row["start"]), integer(row["end"])
            if isinstance(node, ox.NamedNode | ox.BlankNode) and start is not None and end is not None:
                found.append((start, end, node))
        return found


def integer(term: Term | None) -> int | None:
    """Return the value of an integer, None for anything else.

    >>> integer(ox.Literal(12)), integer(ox.Literal("twelve"))
    (12, None)
    """
    if isinstance(term, ox.Literal) and term.datatype == _INTEGER:
        try:
            return int(term.value)
        except ValueError:
            return None
    return None
