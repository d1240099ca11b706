"""What front and workers say to each other: a kind, a length, a body.

The front sends one `Ask`, or the order to open the newest snapshot. A worker answers with a head,
pieces of the body and an end, or with a failure at any point. A small answer is one write.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from kg.saved_queries import SavedQuery
from kg.sparql import TextLimits

ASK, REFRESH = b"a", b"r"
HEAD, BODY, END, FAILED = b"h", b"b", b"e", b"f"

_FRAME = struct.Struct("!cI")

Kind = Literal["query", "saved", "graph", "assertions"]
Why = Literal[
    "malformed", "parameter", "missing", "unacceptable", "refused", "memory", "rows", "bytes", "deadline", "busy",
    "cancelled", "gone", "error",
]  # fmt: skip


class Ask(NamedTuple):
    """A question to a worker.

    Parameters:
        kind: a query; a saved query, whose values are bound by the worker; the statements of a graph; assertions,
            as a file.
        text: SPARQL, the name of a saved query, the graph's IRI, empty for the default graph, or what is asked for
            of the explorer, as in its address.
        result_type: media type for rows and truth values; empty where the client takes none that there is.
        rdf_type: media type for statements; empty likewise.
        default_graphs, named_graphs: IRIs of the dataset, where the request gives one.
        saved: the saved query.
        values: what is given for its parameters; of assertions, `format` and `lang`.
        gzip: whether the answer is to be compressed.
        rows: largest number of rows; 0 for any.
        bytes: largest number of bytes before compression; 0 for any.
        limits, services: see `kg.sparql.check_query`, for a text that is still to be checked, since it is long and
            the front has no time to read it; None where that is done.
    """

    kind: Kind
    text: str
    result_type: str = ""
    rdf_type: str = ""
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    saved: SavedQuery | None = None
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    gzip: bool = False
    rows: int = 0
    bytes: int = 0
    limits: TextLimits | None = None
    services: tuple[str, ...] = ()


class Head(NamedTuple):
    """How an answer begins.

    Parameters:
        snapshot: name of the one that was asked.
        media_type: of the body.
        pure: whether a text that the worker checked is known to have the same answer whenever it is asked.
    """

    snapshot: str
    media_type: str
    pure: bool = False


class End(NamedTuple):
    """How an answer ends.

    Parameters:
        rows: how many there were, as far as they can be told from the body; -1 where they cannot.
        bytes: before compression.
    """

    rows: int
    bytes: int


class Failed(NamedTuple):
    """Why there is no answer, or no more of it.

    Parameters:
        why: in one word.
        problem, mend: for people.
    """

    why: Why
    problem: str
    mend: str


_OBJECTS: dict[bytes, Callable[..., Ask | Head | End | Failed]] = {ASK: Ask, HEAD: Head, END: End, FAILED: Failed}


def pack(kind: bytes, body: bytes) -> bytes:
    """Return a message as it travels.

    >>> list(Unpacker().feed(pack(BODY, b"abc") + pack(BODY, b"")))
    [(b'b', b'abc'), (b'b', b'')]
    """
    return _FRAME.pack(kind, len(body)) + body


def pack_object(kind: bytes, value: Ask | Head | End | Failed) -> bytes:
    """Return a message with an object in it as it travels."""
    return pack(kind, pickle.dumps(tuple(value), pickle.HIGHEST_PROTOCOL))


def unpack_object(kind: bytes, body: bytes) -> Ask | Head | End | Failed:
    """Return the object of a message.

    >>> unpack_object(END, pack_object(END, End(1, 2))[5:])
    End(rows=1, bytes=2)
    """
    return _OBJECTS[kind](*pickle.loads(body))


class Unpacker:
    """Takes what comes out of a socket and gives whole messages."""

    def __init__(self) -> None:
        self._left = b""

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Give the messages that are whole with this piece: kind and body."""
        if self._left:
            data = self._left + data
        at, size = 0, len(data)
        while size - at >= 5:
            kind, length = _FRAME.unpack_from(data, at)
            if size - at - 5 < length:
                break
            yield kind, data[at + 5 : at + 5 + length]
            at += 5 + length
        self._left = data[at:] if at else data
