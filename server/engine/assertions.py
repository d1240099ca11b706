"""Assertions as files: all that the explorer shows, whole, as CSV, JSON or Turtle.

The index says which they are, and the store what there is of each, so that nothing has to be found anew as a query
would have to; the explorer shows the query that finds the same.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import IO, Any, NamedTuple, cast

import pyoxigraph as ox

from kg.errors import BusyError, OverrunError
from kg.filters import Filters
from kg.index import AssertionRow, Index
from kg.labels import find_labels
from kg.names import PREFIXES, WS
from kg.store import Snapshot
from server.tables import tame


class Form(NamedTuple):
    """A form in which assertions can be had.

    Parameters:
        name: what it is called.
        media_type: of the file.
        most: assertions that one file can have; who needs more asks `/sparql`, or takes a dump.
    """

    name: str
    media_type: str
    most: int


FORMS: Mapping[str, Form] = {
    "csv": Form("CSV", "text/csv", 30_000),
    "json": Form("JSON", "application/json", 30_000),
    "ttl": Form("Turtle", "text/turtle", 10_000),
}
"""The forms by their short names."""

AT_ONCE = 1_000
"""Assertions whose names are looked up by one query."""

NAMED = ("holder", "speaker", "reporter", "act", "polarity", "certainty", "basis", "standing", "document")
"""What of an assertion is given by its IRI and by its name."""

COLUMNS = (
    "assertion", *(column for name in NAMED for column in (name, f"{name} IRI")), "kind", "content", "content IRI",
    "date", "passage", "start", "end", "quote",
)  # fmt: skip

_DIGEST = ox.NamedNode(WS + "digest")


def write_assertions(
    snapshot: Snapshot, index: Index, filters: Filters, form: str, language: str, write: Callable[[bytes], object]
) -> None:
    """Write all assertions that are asked for.

    Parameters:
        snapshot: of the graph.
        index: where they are found.
        filters: which.
        form: one of `FORMS`.
        language: in which names are liked.
        write: takes the file, piece by piece.

    Raises:
        OverrunError: they are more than the form can have.
        BusyError: the index is not there yet, or behind.
    """
    most = FORMS[form].most
    if not index.catch_up(snapshot):
        raise BusyError("the index is being made", mend="ask again in a minute")
    rows = index.assertions(filters, limit=most + 1, language=language)
    if len(rows) > most:
        raise OverrunError(f"these are more than {most:,} assertions", mend="choose a filter, or take a dump")
    if form == "ttl":
        _write_turtle(snapshot, rows, write)
    else:
        told = _told(snapshot, index, rows, language)
        for piece in as_csv(told) if form == "csv" else _as_json(told):
            write(piece.encode())


def as_csv(told: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Give assertions as CSV, with a row for each of their passages.

    Parameters:
        told: assertions, as they are in JSON.

    >>> next(as_csv([])).split(",")[:3]
    ['assertion', 'holder', 'holder IRI']
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in told:
        names = [cell for name in NAMED for cell in _named(one[name])]
        for passage in one["passages"] or [{}]:
            place = [passage.get(key) for key in ("iri", "start", "end")]
            row = [one["assertion"], *names, one["kind"], *_named(one["content"]), one["date"], *place]
            writer.writerow([*row, tame(passage.get("quote") or "")])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def _named(thing: Mapping[str, str] | None) -> tuple[str, str]:
    return ("", "") if thing is None else (tame(thing["label"]), thing["iri"])


def _as_json(told: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    before = "["
    for one in told:
        yield before + json.dumps(one, ensure_ascii=False, separators=(",", ":"))
        before = ",\n"
    yield "]\n" if before != "[" else "[]\n"


def _write_turtle(snapshot: Snapshot, rows: Sequence[AssertionRow], write: Callable[[bytes], object]) -> None:
    """Write all that the graph says of assertions, of their contents and of their passages."""
    things = dict.fromkeys(
        iri for row in rows for iri in (row.iri, row.proposition, *(passage[0] for passage in row.passages)) if iri
    )
    said = (
        triple
        for iri in things
        for triple in dict.fromkeys(q.triple for q in snapshot.store.quads_for_pattern(ox.NamedNode(iri), None, None))
    )
    ox.serialize(said, cast(IO[bytes], _Written(write)), format=ox.RdfFormat.TURTLE, prefixes=dict(PREFIXES))


class _Written(io.RawIOBase):
    """What an engine writes into, as a file."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._write(bytes(data))
        return len(data)


def _told(snapshot: Snapshot, index: Index, rows: Sequence[AssertionRow], language: str) -> Iterator[dict[str, Any]]:
    quote = index.quote

    @cache
    def digest_of(document: str) -> str | None:
        found = snapshot.store.quads_for_pattern(ox.NamedNode(document), _DIGEST, None, None)
        return next((quad.object.value for quad in found if isinstance(quad.object, ox.Literal)), None)

    def words(document: str, start: int, end: int) -> str | None:
        digest = None if quote is None else digest_of(document)
        return None if quote is None or digest is None else quote(digest, start, end)

    for first in range(0, len(rows), AT_ONCE):
        some = rows[first : first + AT_ONCE]
        iris = {iri for row in some for name in NAMED if (iri := getattr(row, name)) is not None}
        names = find_labels(snapshot, iris, language)
        for row in some:
            passages = [
                {"iri": iri, "start": start, "end": end, "quote": words(row.document, start, end)}
                for iri, start, end in row.passages
            ]
            yield _tell(row, names) | {"passages": passages}


def _tell(row: AssertionRow, names: Mapping[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {"assertion": row.iri}
    for name in NAMED:
        iri = getattr(row, name)
        told[name] = None if iri is None else {"iri": iri, "label": names[iri]}
    content = row.reports or row.proposition
    return told | {
        "kind": row.kind,
        "content": None if content is None else {"iri": content, "label": row.gloss},
        "date": row.day,
    }
