"""Proposals: what contributors would add, waiting in a file of their own until a curator decides.

Nothing of a proposal is published before it is accepted. An edit keeps every earlier revision; a
rejection keeps its reason; nothing is ever deleted.

    waiting ──▶ accepted   by a curator, in the change that published it
            ──▶ rejected   by a curator, for a reason
            ──▶ withdrawn  by its contributor

To accept is to publish, and that happens in another store, so it takes two steps. While a curator
is deciding, a lock beside the file keeps every other edit and decision out (a lock of the system's:
it goes when the process dies); submitting and reading go on. First the change is published, its
provenance naming the proposals; then they are marked. Where publishing fails, nothing is marked.
Where the process dies between the two, the provenance tells, and `mark_published` makes up for it.

Who decides names the revisions seen: one that was edited meanwhile is not decided unread. To decide
many is one transaction, all or none.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from kg.errors import ConflictError, NotFoundError, ParameterError
from kg.sqlite_file import SqliteFile, check_unicode, utc_now
from kg.tokens import check_agent

State: TypeAlias = Literal["waiting", "accepted", "rejected", "withdrawn"]
"""Where a proposal stands; only one that waits can be edited or decided."""

MOST = 1_000
"""The most proposals that `find` returns at once."""

_LARGEST = 2**63 - 1  # of SQLite's integers
_SCHEMA = """
CREATE TABLE proposal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    contributor TEXT NOT NULL,
    created TEXT NOT NULL,
    note TEXT NOT NULL,
    revision INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'accepted', 'rejected', 'withdrawn')),
    decided_by TEXT,
    decided TEXT,
    reason TEXT,
    change INTEGER,
    CHECK ((state = 'waiting') = (decided_by IS NULL) AND (state = 'waiting') = (decided IS NULL)),
    CHECK ((state = 'rejected') = (reason IS NOT NULL) AND (state = 'accepted') = (change IS NOT NULL))
);
CREATE INDEX proposal_state ON proposal (state, id);
CREATE INDEX proposal_contributor ON proposal (contributor, id);
CREATE TABLE revision (
    proposal INTEGER NOT NULL REFERENCES proposal,
    number INTEGER NOT NULL,
    by TEXT NOT NULL,
    made TEXT NOT NULL,
    source NOT NULL,
    media_type TEXT NOT NULL,
    quads TEXT NOT NULL,
    PRIMARY KEY (proposal, number)
);
CREATE TABLE concerns (
    document TEXT NOT NULL,
    proposal INTEGER NOT NULL REFERENCES proposal,
    PRIMARY KEY (document, proposal)
) WITHOUT ROWID;
CREATE INDEX concerns_proposal ON concerns (proposal, document);
"""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A proposal, without its content.

    Parameters:
        id: its number, from 1.
        contributor: slug of the agent who sent it.
        created, decided: UTC, ISO 8601 to the second.
        note: the contributor's words to the curator.
        documents: IRIs of the documents that it concerns, in order.
        revision: number of the newest revision, from 1.
        state: where it stands.
        decided_by: slug of the agent who decided, None while it waits.
        reason: why it was rejected.
        change: number of the change that published it.
    """

    id: int
    contributor: str
    created: str
    note: str
    documents: tuple[str, ...]
    revision: int
    state: State
    decided_by: str | None = None
    decided: str | None = None
    reason: str | None = None
    change: int | None = None


@dataclass(frozen=True)
class Revision:
    """One version of a proposal's content.

    Parameters:
        proposal: the proposal's number.
        number: from 1.
        by: slug of the agent who sent or edited it.
        made: UTC, ISO 8601 to the second.
        source: as it was sent.
        media_type: of the source.
        quads: what the source amounts to, as N-Quads.
    """

    proposal: int
    number: int
    by: str
    made: str
    source: str | bytes
    media_type: str
    quads: str


class Proposals:
    """The proposals of a store.

    Who may do what is for the caller to know, from the bearer's role; here only withdrawing is the
    contributor's own.

    Parameters:
        path: the file, `proposals.sqlite` in the store's folder; made with the first proposal.

    >>> import tempfile
    >>> proposals = Proposals(Path(tempfile.mkdtemp()) / "proposals.sqlite")
    >>> line = '<ex:a> <ex:b> "c" <ex:g> .'
    >>> one = proposals.submit("anna", line, "application/n-quads", line, documents=["ex:d"])
    >>> with proposals.deciding([one.id], [one.revision], "ben") as waiting:
    ...     published = [revision.quads for revision in waiting.revisions]
    ...     _ = waiting.accepted(7)
    >>> accepted = proposals.get(one.id)
    >>> accepted.state, accepted.decided_by, accepted.change
    ('accepted', 'ben', 7)
    """

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, _SCHEMA, version=1)

    def submit(
        self,
        contributor: str,
        source: str | bytes,
        media_type: str,
        quads: str,
        *,
        documents: Iterable[str] = (),
        note: str = "",
    ) -> Proposal:
        """Put a proposal among those that wait.

        Parameters:
            contributor: slug of the agent who sends it.
            source: as it was sent.
            media_type: of the source.
            quads: what the source amounts to, as N-Quads, not empty.
            documents: IRIs of the documents that it concerns.
            note: words to the curator.

        Raises:
            ParameterError: no agent's name, no quads, or text that is not Unicode.
        """
        check_agent(contributor)
        _check_content(source, media_type, quads, note, *(documents := list(documents)))
        with self._file.writing() as connection:
            now = utc_now()
            cursor = connection.execute(
                "INSERT INTO proposal (contributor, created, note, revision, state) VALUES (?, ?, ?, 1, 'waiting')",
                (contributor, now, note),
            )
            proposal = cursor.lastrowid or 0
            _add_revision(connection, Revision(proposal, 1, contributor, now, source, media_type, quads))
            _set_documents(connection, proposal, documents)
            return _fetch(connection, proposal)

    def get(self, proposal: int) -> Proposal:
        """Return a proposal, without its content; NotFoundError where there is none of that number."""
        with self._file.reading() as connection:
            return _fetch(connection, proposal)

    def revisions(self, proposal: int) -> list[Revision]:
        """Return all versions of a proposal's content, the oldest first; NotFoundError as `get`."""
        with self._file.reading() as connection:
            _fetch(connection, proposal)
            rows = connection.execute("SELECT * FROM revision WHERE proposal = ? ORDER BY number", (proposal,))
            return [Revision(**row) for row in rows]

    def content(self, proposal: int) -> Revision:
        """Return the newest version of a proposal's content; NotFoundError as `get`."""
        with self._file.reading() as connection:
            return _content(connection, _fetch(connection, proposal))

    def find(
        self,
        *,
        state: State | None = None,
        contributor: str | None = None,
        document: str | None = None,
        after: int = 0,
        limit: int = 50,
    ) -> list[Proposal]:
        """Return the proposals that meet all that is asked, in the order of their numbers.

        Parameters:
            state: where they stand.
            contributor: slug of the agent who sent them.
            document: IRI of a document that they concern.
            after: only those with a larger number, to go on where a page ended.
            limit: how many at most, 1 to `MOST`.

        Raises:
            ParameterError: no state, or a number out of its range.
        """
        if state is not None and state not in get_args(State):
            raise ParameterError(
                "what was given as a state is none", mend=f"give one of {', '.join(f'`{s}`' for s in get_args(State))}"
            )
        if not 1 <= limit <= MOST:
            raise ParameterError(f"{limit} is no limit for a page", mend=f"give a number from 1 to {MOST:,}")
        if not 0 <= after <= _LARGEST:
            raise ParameterError(f"{after} is no proposal's number", mend="give that of the last one of a page, or 0")
        asked = {
            "state = ?": state,
            "contributor = ?": contributor,
            "id IN (SELECT proposal FROM concerns WHERE document = ?)": document,
        }
        given = {test: value for test, value in asked.items() if value is not None}
        tests = " AND ".join(["id > ?", *given])
        check_unicode(*given.values())
        with self._file.reading() as connection:
            rows = connection.execute(
                f"SELECT * FROM proposal WHERE {tests} ORDER BY id LIMIT ?", (after, *given.values(), limit)
            )
            return [_proposal(connection, row) for row in rows.fetchall()]

    def edit(
        self,
        proposal: int,
        revision: int,
        by: str,
        source: str | bytes,
        media_type: str,
        quads: str,
        *,
        documents: Iterable[str] | None = None,
    ) -> Proposal:
        """Put a new version of the content in front of the old ones, which are kept.

        Parameters:
            proposal: its number.
            revision: the newest one that the editor has seen.
            by: slug of the agent who edits.
            source, media_type, quads: the new content.
            documents: IRIs of the documents that it concerns now; None where they stay.

        Raises:
            NotFoundError, ConflictError, ParameterError, WhosaysError: as `deciding` and `submit`.
        """
        check_agent(by)
        documents = documents if documents is None else list(documents)
        _check_content(source, media_type, quads, *(documents or ()))
        with self._file.locked(), self._file.writing() as connection:
            _waiting(connection, [proposal], [revision])
            number = revision + 1
            _add_revision(connection, Revision(proposal, number, by, utc_now(), source, media_type, quads))
            connection.execute("UPDATE proposal SET revision = ? WHERE id = ?", (number, proposal))
            if documents is not None:
                _set_documents(connection, proposal, documents)
            return _fetch(connection, proposal)

    @contextlib.contextmanager
    def deciding(self, ids: Sequence[int], revisions: Sequence[int], by: str) -> Iterator[Deciding]:
        """Keep proposals as they are while they are published, and mark them afterwards.

        In the block, the same process may read and submit, but neither edit nor decide otherwise.

        Parameters:
            ids: their numbers.
            revisions: of each, the newest one that the curator has seen.
            by: slug of the curator.

        Raises:
            NotFoundError: there is none of a number.
            ConflictError: one waits no more, or was edited meanwhile.
            ParameterError: none or one twice is named, or not one revision of each; no agent's name.
            WhosaysError: somebody else was deciding for longer than ten seconds.
        """
        check_agent(by)
        with self._file.locked():
            with self._file.reading() as connection:
                proposals = _waiting(connection, ids, revisions)
                contents = tuple(_content(connection, p) for p in proposals)
            yield Deciding(tuple(proposals), contents, by, self._file)

    def accept(self, ids: Sequence[int], revisions: Sequence[int], by: str, change: int) -> list[Proposal]:
        """Mark proposals as accepted, once they are published; see `deciding` for publishing safely.

        Parameters:
            ids, revisions, by: as for `deciding`, and so is what it raises.
            change: number of the change that published them.
        """
        with self.deciding(ids, revisions, by) as waiting:
            return waiting.accepted(change)

    def reject(
        self, ids: Sequence[int], by: str, reason: str, *, revisions: Sequence[int] | None = None
    ) -> list[Proposal]:
        """Reject proposals for a reason.

        Parameters:
            ids: their numbers.
            by: slug of the curator.
            reason: why, for the contributor to read.
            revisions: of each, the newest one that the curator has seen; None for whatever it is now.

        Raises:
            NotFoundError, ConflictError, ParameterError, WhosaysError: as `deciding`; no reason.
        """
        check_agent(by)
        check_unicode(reason)
        if not reason.strip():
            raise ParameterError(
                "a proposal is not rejected without a reason", mend="say in a sentence what the contributor should know"
            )
        with self._file.locked(), self._file.writing() as connection:
            found = _waiting(connection, ids, revisions)
            return [_decide(connection, p.id, "rejected", by, reason, None) for p in found]

    def withdraw(self, proposal: int, by: str) -> Proposal:
        """Take a proposal back.

        Parameters:
            proposal: its number.
            by: slug of its contributor.

        Raises:
            NotFoundError, ConflictError, WhosaysError: as `deciding`.
            ParameterError: it is somebody else's.
        """
        check_agent(by)
        with self._file.locked(), self._file.writing() as connection:
            if (owner := _fetch(connection, proposal).contributor) != by:
                raise ParameterError(
                    f"proposal {proposal} is `{owner}`'s, and `{by}` cannot withdraw it",
                    mend="ask its contributor, or a curator to reject it",
                )
            _waiting(connection, [proposal], None)
            return _decide(connection, proposal, "withdrawn", by, None, None)

    def mark_published(self, ids: Sequence[int], change: int, by: str) -> list[Proposal]:
        """Mark proposals as accepted that a change has published, where the process died before it could.

        To do it again changes nothing. The revision that is marked is the newest.

        Parameters:
            ids: their numbers, from the change's provenance.
            change: its number.
            by: slug of the curator.

        Raises:
            NotFoundError, ParameterError, WhosaysError: as `deciding`.
            ConflictError: one was decided otherwise meanwhile.
        """
        check_agent(by)
        _check_change(change)
        with self._file.locked(), self._file.writing() as connection:
            found = [_fetch(connection, proposal) for proposal in _check_ids(ids)]
            left = [p.id for p in found if p.change != change]
            if left:
                _waiting(connection, left, None)
            for proposal in left:
                _decide(connection, proposal, "accepted", by, None, change)
            return [_fetch(connection, p.id) for p in found]


@dataclass(frozen=True)
class Deciding:
    """Proposals that nobody else can alter for now.

    Parameters:
        proposals: in the order in which they were named.
        revisions: of each, the content that is to be published.
        by: slug of the curator.
    """

    proposals: tuple[Proposal, ...]
    revisions: tuple[Revision, ...]
    by: str
    _file: SqliteFile

    def accepted(self, change: int) -> list[Proposal]:
        """Mark all of them as accepted, once they are published.

        Parameters:
            change: number of the change that published them.

        Raises:
            ConflictError: it was said before.
            ParameterError: no number of a change.
        """
        _check_change(change)
        with self._file.writing() as connection:
            _waiting(connection, [p.id for p in self.proposals], [p.revision for p in self.proposals])
            return [_decide(connection, p.id, "accepted", self.by, None, change) for p in self.proposals]


def _proposal(connection: sqlite3.Connection, row: sqlite3.Row) -> Proposal:
    documents = connection.execute("SELECT document FROM concerns WHERE proposal = ? ORDER BY document", (row["id"],))
    return Proposal(documents=tuple(d for (d,) in documents), **row)


def _fetch(connection: sqlite3.Connection, proposal: int) -> Proposal:
    row = None
    if 0 < proposal <= _LARGEST:
        row = connection.execute("SELECT * FROM proposal WHERE id = ?", (proposal,)).fetchone()
    if row is None:
        raise NotFoundError(f"there is no proposal {proposal}", mend="see `whosays proposals list`")
    return _proposal(connection, row)


def _content(connection: sqlite3.Connection, proposal: Proposal) -> Revision:
    row = connection.execute(
        "SELECT * FROM revision WHERE proposal = ? AND number = ?", (proposal.id, proposal.revision)
    ).fetchone()
    return Revision(**row)


def _waiting(connection: sqlite3.Connection, ids: Sequence[int], revisions: Sequence[int] | None) -> list[Proposal]:
    found = [_fetch(connection, proposal) for proposal in _check_ids(ids)]
    if revisions is not None and len(revisions) != len(found):
        raise ParameterError(
            f"{len(found)} proposals are named, and {len(revisions)} revisions", mend="name one revision of each"
        )
    problems = []
    for proposal, seen in zip(found, revisions or [p.revision for p in found], strict=True):
        if proposal.state != "waiting":
            where = f", in change {proposal.change}" if proposal.change else ""
            deed = f"{proposal.state} by `{proposal.decided_by}` on {proposal.decided}{where}"
            problems.append(f"proposal {proposal.id} waits no more: it was {deed}")
        elif proposal.revision != seen:
            by = _content(connection, proposal).by
            problems.append(f"proposal {proposal.id} is at revision {proposal.revision}, by `{by}`; {seen} was seen")
    if problems:
        raise ConflictError("; ".join(problems), mend="nothing was done; look at them as they are now, and decide anew")
    return found


def _decide(
    connection: sqlite3.Connection, proposal: int, state: State, by: str, reason: str | None, change: int | None
) -> Proposal:
    connection.execute(
        "UPDATE proposal SET state = ?, decided_by = ?, decided = ?, reason = ?, change = ? WHERE id = ?",
        (state, by, utc_now(), reason, change, proposal),
    )
    return _fetch(connection, proposal)


def _add_revision(connection: sqlite3.Connection, revision: Revision) -> None:
    connection.execute("INSERT INTO revision VALUES (?, ?, ?, ?, ?, ?, ?)", astuple(revision))


def _set_documents(connection: sqlite3.Connection, proposal: int, documents: Iterable[str]) -> None:
    connection.execute("DELETE FROM concerns WHERE proposal = ?", (proposal,))
    connection.executemany("INSERT INTO concerns VALUES (?, ?)", [(d, proposal) for d in sorted(set(documents))])


def _check_ids(ids: Sequence[int]) -> Sequence[int]:
    if not ids:
        raise ParameterError("no proposal is named", mend="name at least one by its number")
    proposal, times = Counter(ids).most_common(1)[0]
    if times > 1:
        raise ParameterError(f"proposal {proposal} is named {times} times", mend="name it once")
    return ids


def _check_change(change: int) -> None:
    if not 0 < change <= _LARGEST:
        raise ParameterError(f"{change} is no number of a change", mend="give that of the change that published it")


def _check_content(source: str | bytes, media_type: str, quads: str, *others: str) -> None:
    check_unicode(media_type, quads, *others, *([source] if isinstance(source, str) else []))
    if not quads.strip():
        raise ParameterError("the proposal amounts to no statement at all", mend="send at least one assertion")
