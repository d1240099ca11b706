"""Answering: from a question to the bytes of its answer, in the process that a worker is.

The engine writes pieces of 8 KiB. They are gathered, so that nothing leaves before the answer has
begun well, counted, compressed where that is wanted, and stopped when there are too many.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import IO, cast
from urllib.parse import parse_qsl

import pyoxigraph as ox

from kg.errors import BusyError, MalformedError, NotFoundError, OverrunError, ParameterError, RefusedError, WhosaysError
from kg.filters import read_filters
from kg.index import Index
from kg.names import PREFIXES
from kg.saved_queries import prepare
from kg.sparql import check_query, is_pure
from kg.store import Functions, Snapshot
from server.engine.assertions import FORMS, write_assertions
from server.engine.messages import BODY, END, HEAD, Ask, End, Failed, Head, Why, pack, pack_object
from server.formats import QUAD_FORMATS, RDF_FORMATS, RESULT_FORMATS

FIRST = 65_536
"""Bytes that are gathered before the head of an answer is sent."""

NEXT = 262_144
"""Bytes that are gathered between pieces."""

_ROW_MARKS = {
    ox.QueryResultsFormat.JSON: b'}},{"',
    ox.QueryResultsFormat.XML: b"<result>",
    ox.QueryResultsFormat.TSV: b"\n",
    ox.QueryResultsFormat.CSV: b"\n",
    ox.RdfFormat.N_TRIPLES: b"\n",
    ox.RdfFormat.N_QUADS: b"\n",
}


_WHY = {
    MalformedError: "malformed", ParameterError: "parameter", NotFoundError: "missing", RefusedError: "refused",
    OverrunError: "bytes", BusyError: "busy",
}  # fmt: skip


class StoppedError(Exception):
    """An answer that may not go on.

    Parameters:
        failed: what the client is told.
    """

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.problem)
        self.failed = failed


class Sink:
    """A file that the engine writes an answer into.

    Parameters:
        send: takes messages as they travel.
        ask: the question, for its limits.
        head: sent before the first piece.
        mark: bytes that stand once for each row; None where rows cannot be told.

    >>> sent = []
    >>> sink = Sink(sent.append, Ask("query", ""), Head("1", "text/csv"), b"\\n")
    >>> sink.write(b"a\\r\\n1\\r\\n"), sink.close(-1).rows
    (6, 1)
    """

    def __init__(self, send: Callable[[bytes], None], ask: Ask, head: Head, mark: bytes | None) -> None:
        self._send = send
        self._ask = ask
        self._head = head
        self._mark = mark
        self._gathered = bytearray()
        self._edge = b""
        self._begun = False
        self.tail = b""
        self._marks = 0
        self._bytes = 0
        self._packer = zlib.compressobj(1, zlib.DEFLATED, 31) if ask.gzip else None

    def write(self, data: bytes) -> int:
        """Take a piece of the answer; return its length.

        Raises:
            StoppedError: there is too much of it.
        """
        self._gathered += data
        self.tail = data[-8:]
        if len(self._gathered) >= (NEXT if self._begun else FIRST):
            self._flush()
        return len(data)

    def flush(self) -> None:
        """Do nothing: the engine need not wait."""

    def close(self, first_row: int) -> End:
        """Send what is left, and the end.

        Parameters:
            first_row: what to add to the marks that were counted, to have the number of rows.
        """
        self._count()
        end = End(self._marks + first_row if self._mark else -1, self._bytes)
        rest = self._packed() + (self._packer.flush() if self._packer else b"")
        head = b"" if self._begun else pack_object(HEAD, self._head)
        self._send(head + pack(BODY, rest) + pack_object(END, end))
        return end

    def _flush(self) -> None:
        self._count()
        piece = self._packed()
        self._gathered.clear()
        if not self._begun:
            self._begun = True
            self._send(pack_object(HEAD, self._head) + pack(BODY, piece))
        elif piece:
            self._send(pack(BODY, piece))

    def _packed(self) -> bytes:
        return self._packer.compress(self._gathered) if self._packer else bytes(self._gathered)

    def _count(self) -> None:
        self._bytes += len(self._gathered)
        if self._mark:
            width = len(self._mark) - 1
            seen = self._edge + self._gathered if width else self._gathered
            self._marks += seen.count(self._mark)
            self._edge = bytes(seen[-width:]) if width else b""
        if self._ask.bytes and self._bytes > self._ask.bytes:
            raise StoppedError(
                Failed("bytes", f"the answer has more than {self._ask.bytes:,} bytes", "ask for less: LIMIT and OFFSET")
            )
        if self._ask.rows and self._mark and self._marks > self._ask.rows + 1:
            raise StoppedError(
                Failed("rows", f"the answer has more than {self._ask.rows:,} rows", "ask for less: LIMIT and OFFSET")
            )


def answer(
    snapshot: Snapshot,
    ask: Ask,
    send: Callable[[bytes], None],
    functions: Functions | None = None,
    index: Index | None = None,
) -> None:
    """Answer a question, as messages.

    Parameters:
        snapshot: what is asked.
        ask: the question.
        send: takes the messages; may be called several times.
        functions: custom functions by name.
        index: of the graph; needed for assertions.

    Raises:
        StoppedError: the answer may not go on, or there is none.
    """
    try:
        if ask.kind == "graph":
            _send_graph(snapshot, ask, send)
        elif ask.kind == "assertions":
            _send_assertions(snapshot, ask, send, index)
        else:
            _send_results(snapshot, ask, send, functions)
    except WhosaysError as error:
        why = next((why for kind, why in _WHY.items() if isinstance(error, kind)), "error")
        raise StoppedError(Failed(cast(Why, why), error.problem, error.mend)) from error
    except RuntimeError as error:
        raise StoppedError(Failed("malformed", f"the query cannot be evaluated: {error}", "leave that out")) from error


def _send_results(snapshot: Snapshot, ask: Ask, send: Callable[[bytes], None], functions: Functions | None) -> None:
    pure = False
    if ask.limits is not None:
        check_query(ask.text, services=ask.services, limits=ask.limits)
        pure = is_pure(ask.text)
    text = ask.text if ask.saved is None else prepare(ask.saved, snapshot, dict(ask.values)).text
    results = snapshot.query(
        text,
        functions=functions,
        default_graphs=ask.default_graphs,
        named_graphs=ask.named_graphs,
    )
    statements = isinstance(results, ox.QueryTriples)
    media_type = ask.rdf_type if statements else ask.result_type
    form = (RDF_FORMATS if statements else RESULT_FORMATS).get(media_type)
    if form is None:
        offered = ", ".join(RDF_FORMATS if statements else RESULT_FORMATS)
        raise StoppedError(Failed("unacceptable", f"this answer can be had as: {offered}", "ask for one of them"))
    sink = Sink(send, ask, Head(snapshot.name, media_type, pure), _ROW_MARKS.get(form))
    if isinstance(results, ox.QueryTriples):
        assert isinstance(form, ox.RdfFormat)
        results.serialize(cast(IO[bytes], sink), form)
        sink.close(0)
        return
    assert isinstance(form, ox.QueryResultsFormat)
    tabular = form in (ox.QueryResultsFormat.CSV, ox.QueryResultsFormat.TSV)
    if isinstance(results, ox.QueryBoolean):
        sink.write(
            f"{'true' if bool(results) else 'false'}\n".encode() if tabular else results.serialize(format=form) or b""
        )
        sink.close(1 if form == ox.QueryResultsFormat.JSON else 0)
        return
    results.serialize(cast(IO[bytes], sink), form)
    sink.close(_first_row(form, sink))


def _first_row(form: ox.QueryResultsFormat, sink: Sink) -> int:
    """Rows beyond the marks: JSON has one mark less than rows, where there are any; tables have a heading."""
    if form == ox.QueryResultsFormat.JSON:
        return 0 if sink.tail.endswith(b"[]}}") else 1
    return 0 if form == ox.QueryResultsFormat.XML else -1


def _send_graph(snapshot: Snapshot, ask: Ask, send: Callable[[bytes], None]) -> None:
    form = {**RDF_FORMATS, **QUAD_FORMATS}.get(ask.rdf_type)
    if form is None:
        raise StoppedError(
            Failed("unacceptable", f"a graph can be had as: {', '.join(RDF_FORMATS)}", "ask for one of them")
        )
    sink = Sink(send, ask, Head(snapshot.name, ask.rdf_type), _ROW_MARKS.get(form))
    if ask.text:
        graph = ox.NamedNode(ask.text)
        if not snapshot.store.contains_named_graph(graph):
            raise NotFoundError(f"there is no graph {graph}", mend="see `SELECT DISTINCT ?g { GRAPH ?g {} }`")
        snapshot.store.dump(cast(IO[bytes], sink), form, from_graph=graph, prefixes=_mentioned(snapshot, form))
    elif snapshot.union:
        results = snapshot.query("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }")
        assert isinstance(results, ox.QueryTriples)
        results.serialize(cast(IO[bytes], sink), form)
    else:
        snapshot.store.dump(cast(IO[bytes], sink), form, from_graph=ox.DefaultGraph())
    sink.close(0)


def _send_assertions(snapshot: Snapshot, ask: Ask, send: Callable[[bytes], None], index: Index | None) -> None:
    if index is None:
        raise NotFoundError("this graph has no assertions", mend="ask at /sparql")
    values = dict(ask.values)
    (form,), (language,) = values["format"], values["lang"]
    sink = Sink(send, ask, Head(snapshot.name, FORMS[form].media_type), None)
    write_assertions(snapshot, index, read_filters(parse_qsl(ask.text)), form, language, sink.write)
    sink.close(0)


def _mentioned(snapshot: Snapshot, form: ox.RdfFormat) -> dict[str, str] | None:
    return (
        dict(PREFIXES)
        if snapshot.union and form in (ox.RdfFormat.TURTLE, ox.RdfFormat.TRIG, ox.RdfFormat.RDF_XML)
        else None
    )
