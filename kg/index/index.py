"""The index as others use it: brought in step with a snapshot, then asked."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import uuid4

import pyoxigraph as ox

from kg.change import Change
from kg.errors import BusyError, NotFoundError, WhosaysError
from kg.filters import Filters
from kg.history import History
from kg.index.answers import AssertionRow, Explored, Found, Hit
from kg.index.entries import ALTERNATIVE, DIGEST, GLOSS, HOLDER, LABELS, NAMES, TYPE
from kg.index.exploring import explore, list_assertions
from kg.index.reading import Columns, Lookups, Reading
from kg.index.schema import IndexFile, clear
from kg.index.searching import find_similar, search, suggest
from kg.index.stances import StanceRow, list_stances
from kg.index.touched import find_touched
from kg.index.writing import Filling, Quote
from kg.inference import needs_rebuild
from kg.names import PROV, PROVENANCE_GRAPH
from kg.provenance import change_iri
from kg.store import Snapshot, StoreFolder

_ENDED = ox.NamedNode(PROV + "endedAtTime")
_PROVENANCE = ox.NamedNode(PROVENANCE_GRAPH)


@dataclass(frozen=True)
class _State:
    """What the index is of: a snapshot's number, when that was made, and a mark for the words of passages."""

    number: int
    marker: str
    texts: str


class Index:
    """Search, facets and rows of assertions, in a file beside the store.

    Processes and threads may use it at once. Who asks while it is brought in step gets the state before.

    Parameters:
        folder: the store.
        quote: gives the words of a passage, by the digest of the document's text, start and end, or None where there
            is no text; None where no words may be indexed.

    >>> import tempfile
    >>> from pathlib import Path
    >>> Index(StoreFolder(Path(tempfile.mkdtemp()))).search("toll").total
    0
    """

    def __init__(self, folder: StoreFolder, quote: Quote | None = None) -> None:
        self._folder = folder
        self.quote = quote
        self._file = IndexFile(folder.path)
        self._at: tuple[str, int] | None = None
        self._texts: str | None = None

    def catch_up(self, snapshot: Snapshot) -> bool:
        """Bring the index to a snapshot; where it is there already, or further, that takes no time.

        What the changes between touch is made anew, or all of it where it is not known what they were, where they are
        most of the graph, and where the ontology changed.

        Parameters:
            snapshot: in general the newest.

        Returns:
            Whether it is there now; it is not where others have been at it for long.

        Raises:
            BusyError: there is none yet, and others are making it for long; where there is one, it stays as it is.
            WhosaysError: the file cannot be written.
        """
        if self._at == (snapshot.name, self._inode()):
            return True
        try:
            with self._file.locked():
                if self._at != (snapshot.name, self._inode()):
                    self._follow_or_mend(snapshot)
                    self._at = snapshot.name, self._inode()
        except BusyError:
            if not self._file.is_ours():
                raise
            return False
        return True

    def search(
        self, words: str, *, kinds: Sequence[str] = (), language: str = "en", limit: int = 20, offset: int = 0
    ) -> Found:
        """Find things by their names in all languages and scripts, propositions by glosses, passages by their words.

        Parameters:
            words: what somebody typed; each word begins a word of what is found, or is inside a name.
            kinds: some of `kg.index.HIT_KINDS`; all where none is given.
            language: of the labels, where there is such a name.
            limit, offset: for paging.

        Raises:
            ParameterError: there is no such kind.
        """
        with self._reading() as connection:
            return search(
                connection, self.quote, words, kinds=kinds, language=language, limit=limit, offset=max(offset, 0)
            )

    def suggest(self, words: str, kinds: Sequence[str], *, language: str = "en", limit: int = 10) -> list[Hit]:
        """Return what somebody who is typing may be about to name.

        Parameters:
            words: what they typed so far: the beginning of a name, a part of one, words of a gloss.
            kinds: some of `kg.index.HIT_KINDS`; all but passages where none is given.
            language: of the labels, where there is such a name.
            limit: how many at most.

        Raises:
            ParameterError: there is no such kind.
        """
        with self._reading() as connection:
            return suggest(connection, words, kinds, language=language, limit=limit)

    def similar(self, gloss: str, *, limit: int = 5) -> list[Hit]:
        """Return propositions that are worded nearly the same, the likest first; the score is of 100.

        Parameters:
            gloss: in any language.
            limit: how many at most.
        """
        with self._reading() as connection:
            return find_similar(connection, gloss, limit=limit)

    def explore(
        self, filters: Filters, *, limit: int = 50, offset: int = 0, values: int = 12, language: str = "en"
    ) -> Explored:
        """Return which assertions are asked for, and how many there would be by each value of each facet.

        Parameters:
            filters: what is asked for.
            limit, offset: rows of the page.
            values: how many values of a facet; those that are chosen come besides.
            language: of labels and glosses, where there are such.
        """
        with self._reading() as connection:
            return explore(
                connection, filters, limit=limit, offset=max(offset, 0), values=max(values, 1), language=language
            )

    def assertions(self, filters: Filters, *, limit: int = 20_000, language: str = "en") -> list[AssertionRow]:
        """Return the assertions that are asked for, document by document in the order of the text.

        Parameters:
            filters: what is asked for.
            limit: how many at most.
            language: of the glosses, where there are such.
        """
        with self._reading() as connection:
            return list_assertions(connection, filters, limit=limit, language=language)

    def stances(self, filters: Filters, *, limit: int = 100_000) -> list[StanceRow]:
        """Return the assertions that are asked for, have a content and have not been withdrawn, in short rows.

        Parameters:
            filters: what is asked for.
            limit: how many at most.

        Returns:
            In the order of their IRIs.
        """
        with self._reading() as connection:
            return list_stances(connection, filters, limit=limit)

    # In step.

    def _inode(self) -> int:
        try:
            return self._file.path.stat().st_ino
        except OSError:
            return 0

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._file.reading() as connection:
                yield connection
        except WhosaysError as error:
            if not _is_broken(error):
                raise
            self._file.remove()
            raise WhosaysError(f"the index {self._file.path} was broken", mend="ask again; it is made anew") from error

    def _follow_or_mend(self, snapshot: Snapshot) -> None:
        try:
            self._follow(snapshot)
        except WhosaysError as error:
            if not _is_broken(error):
                raise
            self._file.remove()
            self._follow(snapshot)

    def _follow(self, snapshot: Snapshot) -> None:
        known = self._at is not None and self._at[1] == self._inode() != 0
        if not known and not self._file.is_ours():
            self._file.remove()
        with self._file.writing() as connection:
            row = connection.execute("SELECT * FROM state").fetchone()
            state = _State(**dict(row)) if row else None
            number = int(snapshot.name)
            if state and state.number > number and int(self._folder.current_name() or 0) >= state.number:
                return  # somebody still reads an older snapshot
            changes = self._changes(state, snapshot, connection)
            reading: Reading
            if changes is None:
                reading, texts = Columns(snapshot.store), uuid4().hex
                clear(connection)
                _fill(Filling(connection, reading, self.quote), reading)
                connection.execute("ANALYZE")
            else:
                assert state is not None
                reading, texts = Lookups(snapshot.store), state.texts
                filling = Filling(connection, reading, self.quote)
                if texts != self._texts and self._words_differ(connection, reading):
                    filling.renew_words()
                    texts = uuid4().hex
                if changes:
                    things, stances = find_touched(changes, reading)
                    filling.renew_things(things)
                    filling.renew_stances(stances)
            after = _State(number, _marker(snapshot, number), texts)
            if after != state:
                connection.execute("DELETE FROM state")
                connection.execute("INSERT INTO state VALUES (?, ?, ?)", (after.number, after.marker, after.texts))
            self._texts = texts

    def _changes(self, state: _State | None, snapshot: Snapshot, connection: sqlite3.Connection) -> list[Change] | None:
        """Return the changes from a state to a snapshot; None where all is to be made anew."""
        number = int(snapshot.name)
        if state is None or state.number > number or _marker(snapshot, state.number) != state.marker:
            return None
        history = History(self._folder.path / "history.sqlite")
        entries = history.entries(before=number + 1, limit=number - state.number)
        if [entry.number for entry in entries] != list(range(number, state.number, -1)):
            return None
        (nodes,) = connection.execute("SELECT max(id) FROM node").fetchone()
        if sum(entry.added + entry.removed for entry in entries) > (nodes or 0):
            return None
        try:
            changes = [history.change(entry.number) for entry in reversed(entries)]
        except NotFoundError:
            return None
        return None if any(map(needs_rebuild, changes)) else changes

    def _words_differ(self, connection: sqlite3.Connection, reading: Reading) -> bool:
        """Tell whether texts have come or gone since the words of passages were put in."""
        rows = connection.execute(
            "SELECT iri, max(digest IS NOT NULL) FROM passage JOIN node ON node.id = document GROUP BY document"
        )
        for iri, there in rows:
            digest = reading.text(iri, DIGEST)
            has = bool(self.quote and digest and self.quote(digest, 0, 1) is not None)
            if has != bool(there):
                return True
        return False


def make_index(folder: StoreFolder, quote: Quote | None = None) -> None:
    """Bring the index of a store to its newest snapshot, so that nobody who asks later has to wait for it.

    Parameters:
        folder: the store; where nothing was ever published there is nothing to do.
        quote: as for `Index`.

    Raises:
        BusyError: others are making it for long.
        WhosaysError: the file cannot be written.
    """
    with folder.newest() as snapshot:
        if snapshot is not None:
            Index(folder, quote).catch_up(snapshot)


def _marker(snapshot: Snapshot, number: int) -> str:
    """Return when a change was made, as the provenance in a snapshot tells; empty where it does not."""
    found = snapshot.store.quads_for_pattern(ox.NamedNode(change_iri(number)), _ENDED, None, _PROVENANCE)
    return min((quad.object.value for quad in found if isinstance(quad.object, ox.Literal)), default="")


def _is_broken(error: WhosaysError) -> bool:
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _fill(filling: Filling, reading: Columns) -> None:
    things = dict.fromkeys(node for name in (TYPE, *LABELS, ALTERNATIVE, GLOSS) for node in reading.having(name))
    things |= dict.fromkeys(node for use in reading.having(NAMES) for node in reading.nodes(use, NAMES))
    filling.put_all_things(things)
    reading.forget({TYPE})
    filling.put_all_stances(list(reading.having(HOLDER)))
