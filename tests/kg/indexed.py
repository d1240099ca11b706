"""What an index holds, made comparable: by names instead of numbers, the full-text tables word by word."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pyoxigraph as ox

from kg.change import Change
from kg.history import Entry, History
from kg.index.bits import rows_of, unpack_bits
from kg.index.entries import POSTED, THING_KINDS
from kg.index.schema import FULL_TEXT, KIND_BITS, NODE, IndexFile
from kg.inference import infer, infer_change, needs_rebuild
from kg.provenance import Activity, describe_change
from kg.store import Snapshot, StoreFolder


def contents(folder: StoreFolder) -> dict[str, set[tuple[object, ...]]]:
    """Return all that the index of a store holds."""
    with IndexFile(folder.path).reading() as connection:
        iris = {None: None} | dict(map(tuple, connection.execute("SELECT id, iri FROM node")))
        found: dict[str, set[tuple[object, ...]]] = {
            "thing": {(iris[n], THING_KINDS[k]) for n, k in connection.execute("SELECT node, kind FROM thing")},
            "name": {(iris[row["node"]], *list(row)[1:]) for row in connection.execute("SELECT * FROM name")},
            "passage": {
                (iris[row["node"]], iris[row["document"]], *list(row)[2:])
                for row in connection.execute("SELECT * FROM passage")
            },
        }
        rows = {row["id"]: row for row in connection.execute("SELECT * FROM assertion")}
        number_of = {row: iris[content["node"]] for row, content in rows.items()}
        plain = {"id", "facets", "depth", "kind", "day", "earliest", "latest", "starts"}
        found["assertion"] = {
            tuple(iris[row[key]] if key not in plain else row[key] for key in row.keys() if key not in ("id", "facets"))  # noqa: SIM118
            for row in rows.values()
        }
        found["evidence"] = {
            (iris[p], number_of[a]) for p, a in connection.execute("SELECT passage, assertion FROM evidence")
        }
        found["posting"] = {
            (POSTED[facet], value if POSTED[facet] == "year" else iris.get(value), total, number_of[row])
            for facet, value, total, packed in connection.execute("SELECT * FROM posting")
            for row in rows_of(unpack_bits(packed))
        }
        for table in FULL_TEXT:
            found[table] = set(_words(connection, table, iris))
        return found


def _words(
    connection: sqlite3.Connection, table: str, iris: dict[int | None, str | None]
) -> Iterable[tuple[object, ...]]:
    connection.execute(f"CREATE VIRTUAL TABLE temp.every_{table} USING fts5vocab('main', '{table}', 'instance')")
    for term, number, place in connection.execute(f'SELECT term, doc, "offset" FROM temp.every_{table}'):
        yield term, iris[number & NODE], THING_KINDS[number >> KIND_BITS], place


class Graph:
    """A graph in memory that is published change by change, with its history, and has an index beside it.

    Parameters:
        folder: for the history and the index; no database is in it.
        quads: what is published first, asserted graphs only.
    """

    def __init__(self, folder: Path, quads: Iterable[ox.Quad]) -> None:
        self.folder = StoreFolder(folder)
        self.store = ox.Store()
        self.number = 0
        self.commit(Change(frozenset(quads)))

    def snapshot(self) -> Snapshot:
        """Return the state of the graph; it holds until the next change."""
        return Snapshot(self.store, f"{self.number:06d}")

    def commit(self, change: Change, *, noted: bool = True) -> None:
        """Publish a change that nobody judges, with what follows from it, as the publisher would.

        Parameters:
            change: of the asserted graphs.
            noted: whether the history tells of it.
        """
        self.number += 1
        activity, now = Activity("ex:anna", "add", "a change", "a.yaml"), f"2026-01-01T00:00:{self.number:02d}"
        if noted:
            entry = Entry(self.number, now, activity, "s" * 64, "o" * 64, len(change.added), len(change.removed))
            History(self.folder.path / "history.sqlite").note(entry, change)
        inferred = None if needs_rebuild(change) else infer_change(self.store, change)
        for quad in (*change.removed, *(inferred.removed if inferred else ())):
            self.store.remove(quad)
        self.store.extend(
            [*change.added, *(inferred.added if inferred else ()), *describe_change(self.number, activity, now, set())]
        )
        if inferred is None:
            infer(self.store)
