"""Taking away what the explorer shows: all of it, whole, as CSV, JSON or Turtle.

The index says which assertions they are and the store what there is of each, so that no query has to find them anew,
which in a large graph would take longer than its deadline. The explorer shows the query that finds the same.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyoxigraph as ox
from flask import Response

from kg.errors import OverrunError, ParameterError
from kg.filters import Filters
from kg.index import AssertionRow
from kg.labels import find_labels
from kg.names import PREFIXES
from kg.store import Snapshot
from server.picturing.tables import tame
from server.reader import Reader
from server.visitors import language

FORMS: Mapping[str, tuple[str, str]] = {
    "csv": ("CSV", "text/csv"),
    "json": ("JSON", "application/json"),
    "ttl": ("Turtle", "text/turtle"),
}
"""Short name of a form to what it is called and its media type."""

MOST = 50_000
"""Assertions that are taken away at once; who needs more asks `/sparql`, or takes a dump."""

AT_ONCE = 1_000
"""Assertions whose names are looked up by one query."""

NAMED = ("holder", "speaker", "reporter", "act", "polarity", "certainty", "basis", "standing", "document")
"""What of an assertion is given by its IRI and by its name."""

COLUMNS = (
    "assertion", *(column for name in NAMED for column in (name, f"{name} IRI")), "kind", "content", "content IRI",
    "date", "passage", "start", "end", "quote",
)  # fmt: skip


def take_away(reader: Reader, snapshot: Snapshot, filters: Filters, form: str) -> Response:
    """Return all assertions that are asked for, as a file.

    Parameters:
        reader, snapshot: where they are.
        filters: which.
        form: one of `FORMS`.

    Raises:
        ParameterError: there is no such form.
        OverrunError: they are more than `MOST`.
    """
    if form not in FORMS:
        raise ParameterError(f"assertions cannot be had as `{form[:40]}`", mend=f"use one of: html, {', '.join(FORMS)}")
    rows = reader.index_of(snapshot).assertions(filters, limit=MOST + 1, language=language())
    if len(rows) > MOST:
        raise OverrunError(
            f"these are more than {MOST:,} assertions", mend="choose a filter, ask at /sparql, or take a dump"
        )
    body: str | bytes
    match form:
        case "csv":
            body = as_csv(_told(reader, snapshot, rows))
        case "json":
            body = json.dumps(list(_told(reader, snapshot, rows)), ensure_ascii=False, separators=(",", ":"))
        case _:
            body = as_turtle(snapshot, rows)
    response = Response(body, content_type=f"{FORMS[form][1]}; charset=utf-8")
    response.headers["Content-Disposition"] = f"attachment; filename=assertions.{form}"
    return response


def as_csv(told: Iterable[Mapping[str, object]]) -> str:
    """Write assertions as CSV, with a row for each of their passages.

    Parameters:
        told: assertions, as they are in JSON.

    >>> as_csv([]).split(",")[:3]
    ['assertion', 'holder', 'holder IRI']
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in told:
        cells = [one["assertion"]]
        for name in (*NAMED, "kind", "content"):
            value = one[name]
            if isinstance(value, Mapping):
                cells += [tame(str(value["label"])), value["iri"]]
            else:
                cells += [value] if name == "kind" else ["", ""]
        passages = one["passages"]
        assert isinstance(passages, list)
        for passage in passages or [{}]:
            place = [passage.get(key) for key in ("iri", "start", "end")]
            writer.writerow([*cells, one["date"], *place, tame(passage.get("quote") or "")])
    return out.getvalue()


def as_turtle(snapshot: Snapshot, rows: Sequence[AssertionRow]) -> bytes:
    """Write all that the graph says of assertions, of their contents and of their passages.

    Parameters:
        snapshot: of the graph.
        rows: the assertions.
    """
    things = dict.fromkeys(
        iri for row in rows for iri in (row.iri, row.proposition, *(passage[0] for passage in row.passages)) if iri
    )
    said = (
        triple
        for iri in things
        for triple in dict.fromkeys(q.triple for q in snapshot.store.quads_for_pattern(ox.NamedNode(iri), None, None))
    )
    return ox.serialize(said, format=ox.RdfFormat.TURTLE, prefixes=dict(PREFIXES)) or b""


def _told(reader: Reader, snapshot: Snapshot, rows: Sequence[AssertionRow]) -> Iterator[dict[str, object]]:
    for first in range(0, len(rows), AT_ONCE):
        some = rows[first : first + AT_ONCE]
        iris = {iri for row in some for name in NAMED if (iri := getattr(row, name)) is not None}
        names = find_labels(snapshot, iris, language())
        for row in some:
            yield _tell(reader, snapshot, row, names)


def _tell(reader: Reader, snapshot: Snapshot, row: AssertionRow, names: Mapping[str, str]) -> dict[str, object]:
    told: dict[str, object] = {"assertion": row.iri}
    for name in NAMED:
        iri = getattr(row, name)
        told[name] = None if iri is None else {"iri": iri, "label": names[iri]}
    content = row.reports or row.proposition
    passages = [
        {"iri": iri, "start": start, "end": end, "quote": reader.words(snapshot, row.document, start, end)}
        for iri, start, end in row.passages
    ]
    return told | {
        "kind": row.kind,
        "content": None if content is None else {"iri": content, "label": row.gloss},
        "date": row.day,
        "passages": passages,
    }
