"""The history: every change of the graph, who made it, when and from what, and what it added and removed.

One SQLite file in the store's folder. A change is written down before it is committed, under the
number that the snapshot will have; it counts once that snapshot is the current one. A writer that
died in between left a note of a change that was committed or was not: `Writer` asks the database
which, by the change's own statement in the provenance graph, and finishes or forgets it.

What was added and removed is kept as an RDF Patch, the asserted quads only; the rest follows from
them. Nothing is ever deleted from here.

Source: RDF Patch, https://afs.github.io/rdf-delta/rdf-patch.html
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from kg.change import Change
from kg.errors import NotFoundError
from kg.provenance import Activity
from kg.sqlite_file import SqliteFile

_SCHEMA = """
CREATE TABLE change (
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    agent TEXT NOT NULL,
    kind TEXT NOT NULL,
    note TEXT NOT NULL,
    source TEXT NOT NULL,
    undoes INTEGER,
    shapes TEXT NOT NULL,
    ontology TEXT NOT NULL,
    added INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    patch BLOB NOT NULL
);
CREATE TABLE concerns (
    iri TEXT NOT NULL,
    number INTEGER NOT NULL REFERENCES change ON DELETE CASCADE,
    PRIMARY KEY (iri, number)
) WITHOUT ROWID;
CREATE INDEX concerns_number ON concerns (number);
"""
_FIELDS = "number, at, agent, kind, note, source, undoes, shapes, ontology, added, removed"


@dataclass(frozen=True)
class Entry:
    """One change, as the history tells of it.

    Parameters:
        number: of the snapshot that it led to.
        at: when it was planned, UTC, ISO 8601.
        activity: who did what.
        shapes, ontology: digests of those that it was judged by.
        added, removed: how many asserted quads.
    """

    number: int
    at: str
    activity: Activity
    shapes: str
    ontology: str
    added: int
    removed: int


class History:
    """The history of a store.

    Parameters:
        path: the file, `history.sqlite` in the store's folder; made with the first change.

    >>> import tempfile
    >>> history = History(Path(tempfile.mkdtemp()) / "history.sqlite")
    >>> history.entries()
    []
    """

    def __init__(self, path: Path) -> None:
        # The database beside it does not outlive a power cut any better.
        self._file = SqliteFile(path, _SCHEMA, version=1, durable=False)

    def kept_open(self) -> AbstractContextManager[None]:
        """Hold the file open, which makes noting many changes quicker."""
        return self._file.kept_open()

    def note(self, entry: Entry, change: Change) -> None:
        """Write a change down, before it is committed.

        Parameters:
            entry: what is told of it.
            change: the asserted quads that it adds and removes.
        """
        a = entry.activity
        row = (entry.number, entry.at, a.agent, a.kind, a.note, a.source, a.undoes, entry.shapes, entry.ontology)
        concerned = {
            (term.value, entry.number)
            for quad in change
            for term in (quad.subject, quad.graph_name)
            if isinstance(term, ox.NamedNode)
        }
        with self._file.writing() as connection:
            connection.execute(
                f"INSERT INTO change ({_FIELDS}, patch) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, entry.added, entry.removed, zlib.compress(make_patch(change).encode())),
            )
            connection.executemany("INSERT INTO concerns VALUES (?, ?)", sorted(concerned))

    def forget_after(self, number: int) -> None:
        """Strike out what was noted and never committed.

        Parameters:
            number: of the newest change that was committed.
        """
        with self._file.writing() as connection:
            connection.execute("DELETE FROM change WHERE number > ?", (number,))

    def newest(self) -> int:
        """Return the number of the newest change noted, committed or not; 0 where there is none."""
        with self._file.reading() as connection:
            return int(connection.execute("SELECT coalesce(max(number), 0) FROM change").fetchone()[0])

    def entries(
        self, iri: str | None = None, *, before: int | None = None, upto: int | None = None, limit: int = 50
    ) -> list[Entry]:
        """Return changes, the newest first.

        Parameters:
            iri: of an assertion, a register entry, any node, or a named graph that they concern.
            before: only older ones, by number; for paging.
            upto: the newest that counts, by number.
            limit: how many at most.
        """
        ceiling = min(before - 1 if before is not None else 2**62, upto if upto is not None else 2**62)
        chosen = "SELECT number FROM concerns WHERE iri = :iri" if iri else "SELECT number FROM change"
        with self._file.reading() as connection:
            rows = connection.execute(
                f"SELECT {_FIELDS} FROM change WHERE number IN ({chosen}) AND number <= :ceiling "
                "ORDER BY number DESC LIMIT :limit",
                {"iri": iri, "ceiling": ceiling, "limit": limit},
            )
            return [_entry(row) for row in rows]

    def entry(self, number: int) -> Entry:
        """Return one change.

        Raises:
            NotFoundError: there is none of this number.
        """
        return _entry(self._row(number))

    def change(self, number: int) -> Change:
        """Return what one change added and removed.

        Raises:
            NotFoundError: there is none of this number.
        """
        return read_patch(zlib.decompress(self._row(number)["patch"]).decode())

    def _row(self, number: int) -> sqlite3.Row:
        row = None
        if 0 < number < 2**63:  # SQLite's integers
            with self._file.reading() as connection:
                row = connection.execute("SELECT * FROM change WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise NotFoundError(f"there is no change {number}", mend="see `whosays history` for those there are")
        assert isinstance(row, sqlite3.Row)
        return row


def make_patch(change: Change) -> str:
    """Return a change as an RDF Patch.

    >>> make_patch(Change())
    'TX .\\nTC .\\n'
    """
    rows = (
        f"{verb} {quad} .\n" for verb, quads in (("D", change.removed), ("A", change.added)) for quad in _sort(quads)
    )
    return "".join(["TX .\n", *rows, "TC .\n"])


def read_patch(text: str) -> Change:
    """Return the change that an RDF Patch says.

    >>> quad = ox.Quad(ox.NamedNode("ex:a"), ox.NamedNode("ex:b"), ox.Literal("c\\nd"), ox.NamedNode("ex:g"))
    >>> read_patch(make_patch(Change(frozenset([quad])))).added == {quad}
    True
    """

    def quads(verb: str) -> frozenset[ox.Quad]:
        lines = "".join(line[2:] + "\n" for line in text.split("\n") if line.startswith(verb + " "))
        return frozenset(ox.parse(lines.encode(), format=ox.RdfFormat.N_QUADS))

    return Change(quads("A"), quads("D"))


def _sort(quads: Iterable[ox.Quad]) -> list[str]:
    return sorted(str(quad) for quad in quads)


def _entry(row: sqlite3.Row) -> Entry:
    activity = Activity(row["agent"], row["kind"], row["note"], row["source"], row["undoes"])
    return Entry(row["number"], row["at"], activity, row["shapes"], row["ontology"], row["added"], row["removed"])
