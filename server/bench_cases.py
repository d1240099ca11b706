"""The questions that endpoints are measured by, fitted to the data at hand.

Each kind of query stands here once, as text; what makes it new each time is a literal with the
number of the request, which alters no answer. The same texts serve the soak.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pyoxigraph as ox

from kg.names import WS, XSD
from server.bench_peers import RESULTS, Peer

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PREFIX = f"PREFIX ws: <{WS}>\n"
POINT = 'SELECT ?p ?o { <SUBJECT> ?p ?o FILTER(STR(?o) != "NUMBER") }'
_SAVED = """
SELECT ?holder ?act ?polarity (COUNT(?assertion) AS ?n) {
  { SELECT ?state { ?state a ws:State . ?p ws:about ?state } GROUP BY ?state ORDER BY DESC(COUNT(?p)) ?state LIMIT 1 }
  ?proposition ws:about ?state .
  ?assertion ws:proposition ?proposition ; ws:holder ?holder ; ws:act ?act ; ws:polarity ?polarity .
} GROUP BY ?holder ?act ?polarity ORDER BY DESC(?n) ?holder ?act ?polarity LIMIT 50"""
ANALYTICAL = """
SELECT ?one ?other (COUNT(*) AS ?n) {
  ?a ws:proposition ?proposition ; ws:holder ?one ; ws:polarity ?yes .
  ?b ws:proposition ?proposition ; ws:holder ?other ; ws:polarity ?no .
  FILTER(STR(?one) < STR(?other)) FILTER(?yes != ?no) FILTER(STR(?one) != "NUMBER")
} GROUP BY ?one ?other ORDER BY DESC(?n) ?one ?other LIMIT 100"""
_SCAN = 'SELECT ?s ?p ?o { ?s ?p ?o FILTER(STR(?o) != "NUMBER") } LIMIT ROWS'
_PRODUCT = 'SELECT ?s ?p ?class ?o { ?s ?p ?o FILTER(STR(?o) != "NUMBER") ?x a ?class } LIMIT ROWS'


@dataclass(frozen=True)
class Case:
    """A kind of query.

    Parameters:
        name: what it is called.
        text: SPARQL; SUBJECT, NUMBER and ROWS stand for what is put in.
        last: the variable by which the rows of an answer are counted.
        repeated: the same text again and again, in place of a new one each time.
        ordered: every peer must give the very same rows.
        size: bytes that the answer is to have; 0 for what comes.
        requests: for each client in a round, in place of going by time.
    """

    name: str
    text: str
    last: str
    repeated: bool = False
    ordered: bool = True
    size: int = 0
    requests: int = 0

    def aim(self, clients: int) -> float:
        """Return the ratio to Oxigraph's server that is aimed at."""
        if self.repeated:
            return 1.5 if clients >= 32 else 1.1
        return 0.35 if self.name == "point-new" else 0.95


CASES = (
    Case("point-new", POINT, "o"),
    Case("point-repeated", POINT, "o", repeated=True),
    Case("saved-repeated", _SAVED, "n", repeated=True),
    Case("analytical-new", ANALYTICAL, "n"),
    Case("result-1MB", _SCAN, "o", ordered=False, size=1_000_000),
    Case("result-100MB", _PRODUCT, "o", ordered=False, size=100_000_000, requests=1),
)


@dataclass
class Question:
    """A case on the data at hand.

    Parameters:
        case: the kind of query.
        text: its text, with what is put in for ROWS.
        subjects: what SUBJECT stands for, in turn.
        rows: how many rows the answer has, for each subject.
        size: bytes of the answer in the engine's own JSON; 0 where it differs from subject to subject.
        sent: how many requests each peer was sent, so that a new one is new.
        late: peers that did not answer in their patience.
    """

    case: Case
    text: str
    subjects: tuple[str, ...]
    rows: tuple[int, ...]
    size: int
    sent: Counter[str] = field(default_factory=Counter)
    late: set[str] = field(default_factory=set)

    def query(self, number: int) -> str:
        """Return the query with a number."""
        text = self.text.replace("SUBJECT", self.subjects[number % len(self.subjects)])
        return text.replace("NUMBER", f"n{number}")

    def requests(self, peer: Peer) -> Callable[[int], bytes]:
        """Return what makes the bytes of the request with a number."""
        end = f" HTTP/1.1\r\nHost: {peer.address[0]}:{peer.port}\r\nAccept: {RESULTS}\r\n\r\n"

        def encode(text: str) -> bytes:
            return f"GET {peer.path}?query={quote(text, safe='')}{end}".encode()

        if self.case.repeated:
            always = encode(self.query(0))
            return lambda _: always
        before, after = encode(self.text).split(b"NUMBER")
        starts = [before.replace(b"SUBJECT", quote(s, safe="").encode()) for s in self.subjects]
        several = len(starts)
        return lambda number: b"%bn%d%b" % (starts[number % several], number, after)

    def is_right(self, number: int, body: bytes) -> bool:
        """Tell whether an answer has the rows that it must have."""
        return self.count(body) == self.rows[0 if self.case.repeated else number % len(self.rows)]

    @property
    def mark(self) -> bytes:
        """What stands once in every row; inside a value its quotation marks would be escaped."""
        return b'"%b":' % self.case.last.encode()

    def count(self, body: bytes) -> int:
        """Return how many rows an answer has."""
        return body.count(self.mark)


def make_questions(database: Path, cases: Sequence[Case]) -> list[Question]:
    """Fit the cases to a database: which subjects are asked for, and how many rows are as many bytes as wanted."""
    store = ox.Store.read_only(str(database))
    subjects = [row[0].value for row in _select(store, PREFIX + "SELECT ?a { ?a a ws:Passage } ORDER BY ?a LIMIT 1000")]
    return [_fit(store, case, subjects) for case in cases]


def _fit(store: ox.Store, case: Case, subjects: Sequence[str]) -> Question:
    if "SUBJECT" in case.text:
        asked = tuple(subjects[:1] if case.repeated else subjects)
        counts = tuple(sum(1 for _ in store.quads_for_pattern(ox.NamedNode(s), None, None)) for s in asked)
        return Question(case, PREFIX + case.text, asked, counts, 0)
    rows = 1_000
    for _ in range(3):
        question = Question(case, PREFIX + case.text.replace("ROWS", str(rows)), ("",), (0,), 0)
        found = _Measure(question)
        with io.BufferedWriter(found, 1 << 20) as file:
            _select(store, question.query(0)).serialize(file, format=ox.QueryResultsFormat.JSON)
        question.rows, question.size = (found.rows,), found.bytes
        if not case.size or abs(found.bytes - case.size) < case.size // 100:
            break
        rows = max(1, found.rows * case.size // found.bytes)  # rows differ in length, hence again with what came out
    return question


class _Measure(io.RawIOBase):
    """A file that keeps nothing but the length and the number of rows of the answer that is written to it."""

    def __init__(self, question: Question) -> None:
        self.bytes = self.rows = 0
        self._question = question
        self._tail = b""

    def writable(self) -> bool:
        """Tell that it can be written."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Take the next bytes."""
        piece = bytes(data)  # it is given as a view of something that is reused
        whole = self._tail + piece
        self.rows += self._question.count(whole)
        self.bytes += len(piece)
        self._tail = whole[-len(self._question.mark) + 1 :]
        return len(piece)


def _select(store: ox.Store, text: str) -> ox.QuerySolutions:
    found = store.query(text)
    assert isinstance(found, ox.QuerySolutions)
    return found


def read_rows(body: bytes) -> list[str]:
    """Return the rows of an answer in JSON in a form in which those of different servers are equal, sorted.

    >>> row = b'{"o": {"value": "a", "type": "literal", "datatype": "http://www.w3.org/2001/XMLSchema#string"}}'
    >>> same = b'{"o": {"type": "literal", "value": "a"}}'
    >>> head = b'{"head": {}, "results": {"bindings": ['
    >>> read_rows(head + row + b"]}}") == read_rows(head + same + b"]}}")
    True
    """
    rows = json.loads(body)["results"]["bindings"]
    for row in rows:
        for term in row.values():
            if term.get("datatype") == XSD + "string":
                del term["datatype"]
    return sorted(json.dumps(row, sort_keys=True) for row in rows)
