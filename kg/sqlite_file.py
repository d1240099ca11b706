"""A SQLite file in the store's folder: what is kept beside the graph, such as tokens and proposals.

The file is in WAL mode and readable by its owner only. Each operation opens it anew, so that server
processes, their threads and the command line may use it at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from kg.errors import BusyError, ParameterError, WhosaysError


class SqliteFile:
    """A SQLite file that several processes and threads use at once.

    Each use opens the file anew: a connection belongs to one thread and does not outlive a fork. The
    file comes into being whole, with its schema and in WAL mode, by a hard link: nobody ever sees
    half of it. Only SQLite opens the file itself, because closing any other descriptor on it would
    drop the locks of the whole process (sqlite.org/howtocorrupt.html, 2.2).

    Parameters:
        path: the file; made, readable by its owner only, when it is first written.
        schema: SQL that makes the tables.
        version: of the schema, kept as `user_version`.
        durable: False where a power cut may take the last transactions (never halves of them).

    >>> file = SqliteFile(Path(tempfile.mkdtemp()) / "a.sqlite", "CREATE TABLE word (form TEXT)", version=1)
    >>> with file.writing() as connection:
    ...     _ = connection.execute("INSERT INTO word VALUES ('said')")
    >>> with file.reading() as connection:
    ...     [row["form"] for row in connection.execute("SELECT * FROM word")]
    ['said']
    """

    WAIT = 10.0
    """How long one who writes waits for another, in seconds."""

    def __init__(self, path: Path, schema: str, *, version: int, durable: bool = True) -> None:
        self.path = path
        self.schema = schema
        self.version = version
        self.durable = durable

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Open the file for reading: one state, whatever others write meanwhile; a file that is not there is empty.

        Raises:
            WhosaysError: the file cannot be read.
        """
        with self._explained():
            if self.path.exists():
                with contextlib.closing(self._connect()) as connection:
                    connection.execute("BEGIN")
                    yield connection
            else:
                with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
                    connection.row_factory = sqlite3.Row
                    connection.executescript(self.schema)
                    yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction, which is undone where the block raises.

        Raises:
            WhosaysError: the file cannot be written, or others write to it for longer than `WAIT`.
        """
        with self._explained():
            if not self.path.exists():
                self._make()
            with contextlib.closing(self._connect()) as connection:
                connection.execute("BEGIN IMMEDIATE")  # a read that turns into a write is refused at once, not queued
                yield connection
                connection.execute("COMMIT")

    @contextlib.contextmanager
    def kept_open(self) -> Iterator[None]:
        """Hold a connection, so that no use in the meantime is the last to close the file, which takes longest."""
        with self._explained():
            if not self.path.exists():
                self._make()
            with contextlib.closing(self._connect()) as connection:
                connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
                yield

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep all other threads and processes out that ask for this too; reading and writing go on.

        The lock is the system's, on a file beside this one, and goes when the process dies.

        Raises:
            BusyError: another had it for longer than `WAIT`.
        """
        with self._explained():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            deadline = time.monotonic() + self.WAIT
            while not _try_lock(lock):
                if time.monotonic() > deadline:
                    raise BusyError(
                        f"somebody else keeps {self.path.name} locked", mend="wait until that is done, then do it again"
                    )
                time.sleep(0.01)
            yield
        finally:
            os.close(lock)

    def _connect(self) -> sqlite3.Connection:
        if self.path.stat().st_mode & 0o077:
            self.path.chmod(0o600)
        address = f"{self.path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(address, uri=True, timeout=self.WAIT, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA synchronous = {'FULL' if self.durable else 'NORMAL'}")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version != self.version:
                raise WhosaysError(
                    f"{self.path} has schema {version}, this Whosays knows {self.version}",
                    mend="use the Whosays that wrote it, or take the file from a backup of this one",
                )
        except BaseException:
            connection.close()
            raise
        return connection

    def _make(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.path.parent, prefix=f"{self.path.name}.") as folder:
            new = Path(folder) / self.path.name
            new.touch(mode=0o600)
            with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(self.schema)
                connection.execute(f"PRAGMA user_version = {self.version}")
            with contextlib.suppress(FileExistsError):  # another was quicker
                self.path.hardlink_to(new)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            mend = _MENDS.get((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF)
            if mend is None:
                raise
            raise WhosaysError(f"{self.path} cannot be used: {error}", mend=mend) from error
        except OSError as error:
            raise WhosaysError(
                f"{self.path} cannot be used: {error.strerror}", mend="name another --store, or correct the permissions"
            ) from error


def utc_now() -> str:
    """Return the time, UTC, ISO 8601 to the second.

    >>> len(utc_now())
    25
    """
    return datetime.now(UTC).isoformat(timespec="seconds")


def check_unicode(*texts: str) -> None:
    """See that texts can be kept: SQLite's are UTF-8, which half a surrogate pair (JSON lets it through) is not.

    Raises:
        ParameterError: one cannot.

    >>> check_unicode("Nordmark", "\U0001f30d")
    """
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ParameterError(
                f"character {error.start + 1} of a text is half a surrogate pair, not Unicode",
                mend="send the text as UTF-8",
            ) from error


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


_MENDS = {
    sqlite3.SQLITE_BUSY: "somebody else writes to it for long; run again",
    sqlite3.SQLITE_FULL: "make room on the disk and run again",
    sqlite3.SQLITE_IOERR: "look after the disk and run again",
    sqlite3.SQLITE_READONLY: "correct the permissions of the file and of its folder",
    sqlite3.SQLITE_CANTOPEN: "correct the permissions of the file and of its folder",
    sqlite3.SQLITE_NOTADB: "take the file from a backup",
    sqlite3.SQLITE_CORRUPT: "take the file from a backup",
}
