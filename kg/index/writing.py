"""Putting things, passages and assertions into the tables, and taking them out again.

The whole graph is put in at once, in large batches. After a change just what it touches is taken out and put in anew;
each assertion keeps its row as long as it is there, and postings are altered where it left or came.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

from kg.filters import KINDS
from kg.index.bits import alter_packed, pack_rows
from kg.index.entries import (
    DIGEST,
    GLOSS_NAME,
    PASSAGE_KINDS,
    POSTED,
    THING_KINDS,
    Name,
    Place,
    Stance,
    read_kind,
    read_names,
    read_place,
    read_stance,
)
from kg.index.reading import Reading
from kg.index.schema import KIND_BITS, NODE
from kg.words import spaced_words, split_words

Quote: TypeAlias = Callable[[str, int, int], str | None]
"""Gives the words of a passage: digest of the document's text, start, end; None where there is no text."""

Key: TypeAlias = tuple[int, int]
"""Facet and value, by their numbers."""

KIND_NAMES = tuple(KINDS)
"""Kinds of content by number."""

_TEXT = {"names": "words", "glosses": "words", "said": "words", "parts": "name"}
_BATCH = 5_000


class Nodes:
    """The numbers of IRIs, which are given as they come.

    Parameters:
        connection: to the index.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[str, int] = {}
        self._fresh: list[tuple[int, str]] = []
        self._last = int(connection.execute("SELECT coalesce(max(id), 0) FROM node").fetchone()[0])
        self._begins_empty = not self._last

    def find(self, iri: str) -> int | None:
        """Return the number of an IRI, None where it has none."""
        number = self._known.get(iri)
        if number is None and not self._begins_empty:
            row = self._connection.execute("SELECT id FROM node WHERE iri = ?", (iri,)).fetchone()
            if row:
                number = self._known[iri] = row[0]
        return number

    def number(self, iri: str) -> int:
        """Return the number of an IRI, a new one where it has none yet."""
        number = self.find(iri)
        if number is None:
            self._last += 1
            number = self._known[iri] = self._last
            self._fresh.append((number, iri))
        return number

    def maybe(self, iri: str | None) -> int | None:
        """Return the number of an IRI, None of none."""
        return None if iri is None else self.number(iri)

    def save(self) -> None:
        """Write the new ones down."""
        self._connection.executemany("INSERT INTO node VALUES (?, ?)", self._fresh)
        self._fresh.clear()


class Filling:
    """What is done to the tables in one transaction.

    Parameters:
        connection: to the index, in a transaction.
        reading: the state of the graph that is put in.
        quote: words of passages; None where none may be indexed.
    """

    def __init__(self, connection: sqlite3.Connection, reading: Reading, quote: Quote | None) -> None:
        self._connection = connection
        self._reading = reading
        self._quote = quote
        self.nodes = Nodes(connection)

    # The whole.

    def put_all_things(self, iris: Iterable[str]) -> None:
        """Put all things in, passages among them, into tables that have none.

        Parameters:
            iris: of what may be a thing, in any order, each once.
        """
        for batch in _batches(iris):
            self._put_things(batch)

    def put_all_stances(self, iris: Iterable[str]) -> None:
        """Put all assertions in, into tables that have none.

        Parameters:
            iris: of what may be one, each once.
        """
        postings: dict[Key, list[int]] = {}
        row = 0
        for batch in _batches(iris):
            stances = [stance for iri in batch if (stance := read_stance(self._reading, iri))]
            keys = [self._keys(stance) for stance in stances]
            self._put_stances(
                [(row + n, stance, key) for n, (stance, key) in enumerate(zip(stances, keys, strict=True))]
            )
            for n, of_one in enumerate(keys):
                for key in of_one:
                    postings.setdefault(key, []).append(row + n)
            row += len(stances)
        self._connection.executemany(
            "INSERT INTO posting VALUES (?, ?, ?, ?)",
            ((*key, len(rows), pack_rows(rows)) for key, rows in postings.items()),
        )
        self.nodes.save()

    # After a change.

    def renew_things(self, iris: Iterable[str]) -> None:
        """Take things out, and put in what is there of them now."""
        iris = sorted(set(iris))
        for iri in iris:
            number = self.nodes.find(iri)
            if number is not None:
                self._drop_thing(number)
        self._put_things(iris)

    def renew_stances(self, iris: Iterable[str]) -> None:
        """Take assertions out, and put in what is there of them now."""
        left: dict[Key, set[int]] = {}
        came: dict[Key, set[int]] = {}
        (last,) = self._connection.execute("SELECT coalesce(max(id), -1) FROM assertion").fetchone()
        put: list[tuple[int, Stance, list[Key]]] = []
        for iri in sorted(set(iris)):
            number = self.nodes.find(iri)
            old = (
                number is not None
                and self._connection.execute("SELECT id, facets FROM assertion WHERE node = ?", (number,)).fetchone()
            )
            before: set[Key] = set()
            row = last + 1
            if old:
                row, before = old["id"], set(read_keys(old["facets"]))
                self._connection.execute("DELETE FROM assertion WHERE id = ?", (row,))
                self._connection.execute("DELETE FROM evidence WHERE assertion = ?", (row,))
            stance = read_stance(self._reading, iri)
            keys = self._keys(stance) if stance else []
            if stance:
                put.append((row, stance, keys))
                last = max(last, row)
            for key in before.difference(keys):
                left.setdefault(key, set()).add(row)
            for key in set(keys) - before:
                came.setdefault(key, set()).add(row)
        self._put_stances(put)
        for key in sorted(left.keys() | came.keys()):
            self._alter_posting(key, came.get(key, set()), left.get(key, set()))
        self.nodes.save()

    def renew_words(self) -> None:
        """Put the words of all passages in anew: texts have come, or are no longer there."""
        passages = self._connection.execute(
            "SELECT p.node, t.kind, p.starts, p.ends, n.iri FROM passage AS p JOIN node AS n ON n.id = p.document"
            " JOIN thing AS t ON t.node = p.node"
        ).fetchall()
        self._connection.execute("INSERT INTO said(said) VALUES ('delete-all')")
        self._connection.execute("UPDATE passage SET digest = NULL WHERE digest IS NOT NULL")
        digests = {iri: self._reading.text(iri, DIGEST) for iri in {row["iri"] for row in passages}}
        self._put_words((row["node"], row["kind"], row["starts"], row["ends"], digests[row["iri"]]) for row in passages)

    # Things.

    def _put_things(self, iris: Sequence[str]) -> None:
        things: list[tuple[int, int]] = []
        named: list[tuple[int, int, tuple[Name, ...]]] = []
        placed: list[tuple[int, int, Place]] = []
        for iri in iris:
            kind = read_kind(self._reading, iri)
            place = read_place(self._reading, iri) if kind in PASSAGE_KINDS else None
            names = read_names(self._reading, iri)
            if kind is None or not (place or names):
                continue
            number, of_kind = self.nodes.number(iri), THING_KINDS.index(kind)
            things.append((number, of_kind))
            named.append((number, of_kind, names))
            if place:
                placed.append((number, of_kind, place))
        self._connection.executemany("INSERT INTO thing VALUES (?, ?)", things)
        self._connection.executemany(
            "INSERT INTO name VALUES (?, ?, ?, ?, ?, ?)",
            ((node, n, *name, name.folded) for node, _, names in named for n, name in enumerate(names)),
        )
        self._connection.executemany(
            "INSERT INTO passage VALUES (?, ?, ?, ?, NULL)",
            ((node, self.nodes.number(place.document), place.start, place.end) for node, _, place in placed),
        )
        for table, rows in _full_text(named).items():
            self._connection.executemany(f"INSERT INTO {table}(rowid, {_TEXT[table]}) VALUES (?, ?)", rows)
        self._put_words((node, kind, place.start, place.end, place.digest) for node, kind, place in placed)
        self.nodes.save()

    def _put_words(self, passages: Iterable[tuple[int, int, int, int, str | None]]) -> None:
        for node, kind, start, end, digest in passages:
            words = self._quote(digest, start, end) if self._quote and digest else None
            if words is not None:
                self._connection.execute(
                    "INSERT INTO said(rowid, words) VALUES (?, ?)", (full_number(kind, node), spaced_words(words))
                )
                self._connection.execute("UPDATE passage SET digest = ? WHERE node = ?", (digest, node))

    def _drop_thing(self, node: int) -> None:
        thing = self._connection.execute("SELECT kind FROM thing WHERE node = ?", (node,)).fetchone()
        if thing is None:
            return
        kind = thing["kind"]
        names = self._connection.execute("SELECT sort, text, language FROM name WHERE node = ? ORDER BY place", (node,))
        for table, rows in _full_text([(node, kind, tuple(Name(*row) for row in names))]).items():
            for row in rows:
                self._forget(table, *row)
        passage = self._connection.execute("SELECT * FROM passage WHERE node = ?", (node,)).fetchone()
        if passage and passage["digest"] is not None:
            # A table that keeps no text must be told what it is to forget. Where the text is gone, the row stays and
            # is passed over, as that of a passage which is not there.
            words = self._quote(passage["digest"], passage["starts"], passage["ends"]) if self._quote else None
            if words is not None:
                self._forget("said", full_number(kind, node), spaced_words(words))
        for table in ("thing", "name", "passage"):
            self._connection.execute(f"DELETE FROM {table} WHERE node = ?", (node,))

    def _forget(self, table: str, number: int, text: str) -> None:
        self._connection.execute(
            f"INSERT INTO {table}({table}, rowid, {_TEXT[table]}) VALUES ('delete', ?, ?)", (number, text)
        )

    # Assertions.

    def _put_stances(self, stances: Sequence[tuple[int, Stance, list[Key]]]) -> None:
        number, maybe = self.nodes.number, self.nodes.maybe
        rows = []
        evidence: list[tuple[int, int]] = []
        for row, s, keys in stances:
            rows.append((
                row, number(s.iri), number(s.holder), maybe(s.speaker), number(s.act), maybe(s.family),
                number(s.polarity), number(s.certainty), maybe(s.basis), maybe(s.standing), number(s.document),
                maybe(s.proposition), maybe(s.content), KIND_NAMES.index(s.kind), maybe(s.reports), maybe(s.within),
                s.depth, number(s.reporter), s.day, s.earliest, s.latest, s.start, write_keys(keys),
            ))  # fmt: skip
            evidence += [(number(passage), row) for passage in s.passages]
        self._connection.executemany(f"INSERT INTO assertion VALUES ({', '.join('?' * 23)})", rows)
        self._connection.executemany("INSERT INTO evidence VALUES (?, ?)", evidence)
        self.nodes.save()

    def _keys(self, stance: Stance) -> list[Key]:
        return [
            (POSTED.index(facet), value if isinstance(value, int) else self.nodes.number(value))
            for facet, value in stance.postings
        ]

    def _alter_posting(self, key: Key, came: Iterable[int], left: Iterable[int]) -> None:
        found = self._connection.execute("SELECT assertions FROM posting WHERE facet = ? AND value = ?", key).fetchone()
        assertions, total = alter_packed(found["assertions"] if found else b"", came, left)
        if total:
            self._connection.execute("INSERT OR REPLACE INTO posting VALUES (?, ?, ?, ?)", (*key, total, assertions))
        else:
            self._connection.execute("DELETE FROM posting WHERE facet = ? AND value = ?", key)


def full_number(kind: int, node: int) -> int:
    """Return the number of a thing in the full-text tables.

    >>> full_number(1, 7) >> KIND_BITS
    1
    """
    return kind << KIND_BITS | node


def write_keys(keys: Iterable[Key]) -> bytes:
    """Return facets and values as they are kept with an assertion.

    >>> read_keys(write_keys([(1, 7), (9, 3)]))
    [(1, 7), (9, 3)]
    """
    return array("q", (full_number(*key) for key in keys)).tobytes()


def read_keys(kept: bytes) -> list[Key]:
    """Return the facets and values that are kept with an assertion."""
    return [(key >> KIND_BITS, key & NODE) for key in array("q", kept)]


def _full_text(named: Iterable[tuple[int, int, tuple[Name, ...]]]) -> dict[str, list[tuple[int, str]]]:
    """Return what the full-text tables are given of names: table to number and text."""
    given: dict[str, list[tuple[int, str]]] = {"names": [], "glosses": [], "parts": []}
    for node, kind, names in named:
        if THING_KINDS[kind] in ("unlisted", *PASSAGE_KINDS) or not names:
            continue
        number = full_number(kind, node)
        words = "\n".join(spaced_words(name.text) for name in names)
        given["glosses" if THING_KINDS[kind] == "proposition" else "names"].append((number, words))
        parts = "\n".join(" ".join(split_words(name.text)) for name in names if name.sort != GLOSS_NAME)
        if parts:
            given["parts"].append((number, parts))
    return given


def _batches(items: Iterable[str]) -> Iterator[list[str]]:
    items = iter(items)
    while batch := list(islice(items, _BATCH)):
        yield batch
