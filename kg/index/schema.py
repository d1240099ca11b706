"""The file of the index: its tables, and how it is opened.

`index.sqlite` lies in the store's folder, and all that is in it follows from the graph and from the user's own copies
of the texts. It may be deleted at any time: it is made anew, as it is where it has another schema or is broken. It is
in no backup and in no export.

The words of passages lie in full-text tables that keep no text (`content=''`). Whatever is put into these is cut and
folded before (`kg.words`), so that a tokenizer that knows ASCII only is enough.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from kg.sqlite_file import SqliteFile

NAME = "index.sqlite"
"""The file's name in the store's folder."""

VERSION = 1
"""Of the schema and of how words are cut: a file of another version is made anew."""

KIND_BITS = 40
"""In full-text tables a row's number is that of the node, and above these bits that of its kind."""

NODE = (1 << KIND_BITS) - 1
"""The bits of the node."""

_SCHEMA = """
CREATE TABLE state (
    number INTEGER NOT NULL,    -- of the snapshot
    marker TEXT NOT NULL,       -- when that was made: a snapshot of another graph can have the same number
    texts TEXT NOT NULL         -- another one whenever the words of all passages were put in anew
);
CREATE TABLE node (id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE);
CREATE TABLE thing (node INTEGER PRIMARY KEY, kind INTEGER NOT NULL);
CREATE TABLE name (
    node INTEGER NOT NULL,
    place INTEGER NOT NULL,
    sort INTEGER NOT NULL,      -- of `entries.Name`
    text TEXT NOT NULL,
    language TEXT NOT NULL,
    folded TEXT,                -- the beginning; NULL of a gloss
    PRIMARY KEY (node, place)
) WITHOUT ROWID;
CREATE INDEX name_folded ON name (folded, node) WHERE folded IS NOT NULL;
CREATE TABLE passage (
    node INTEGER PRIMARY KEY,
    document INTEGER NOT NULL,
    starts INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    digest TEXT                 -- of the text that its words are from; NULL where they are not indexed
);
CREATE INDEX passage_document ON passage (document, starts);
CREATE VIRTUAL TABLE names USING fts5(words, content='', tokenize='ascii', prefix='1 2 3');
CREATE VIRTUAL TABLE glosses USING fts5(words, content='', tokenize='ascii', prefix='1 2 3');
CREATE VIRTUAL TABLE said USING fts5(words, content='', tokenize='ascii', prefix='1 2 3');
CREATE VIRTUAL TABLE parts USING fts5(name, content='', tokenize='trigram case_sensitive 1');
CREATE TABLE assertion (
    id INTEGER PRIMARY KEY,     -- the bit that stands for it in postings
    node INTEGER NOT NULL UNIQUE,
    holder INTEGER NOT NULL,
    speaker INTEGER,
    act INTEGER NOT NULL,
    family INTEGER,
    polarity INTEGER NOT NULL,
    certainty INTEGER NOT NULL,
    basis INTEGER,
    standing INTEGER,
    document INTEGER NOT NULL,
    proposition INTEGER,
    content INTEGER,            -- the proposition that its reports come to at last
    kind INTEGER NOT NULL,
    reports INTEGER,
    within_ INTEGER,
    depth INTEGER NOT NULL,
    reporter INTEGER NOT NULL,
    day TEXT,
    earliest TEXT,
    latest TEXT,
    starts INTEGER NOT NULL,    -- of its first passage
    facets BLOB NOT NULL        -- its postings
);
CREATE INDEX assertion_place ON assertion (document, starts, depth, id);
CREATE INDEX assertion_holder ON assertion (holder);
CREATE INDEX assertion_proposition ON assertion (proposition);
CREATE INDEX assertion_reports ON assertion (reports) WHERE reports IS NOT NULL;
CREATE INDEX assertion_days ON assertion (earliest, latest, id);
CREATE TABLE evidence (
    passage INTEGER NOT NULL,
    assertion INTEGER NOT NULL,
    PRIMARY KEY (passage, assertion)
) WITHOUT ROWID;
CREATE INDEX evidence_assertion ON evidence (assertion, passage);
CREATE TABLE posting (
    facet INTEGER NOT NULL,
    value INTEGER NOT NULL,     -- a node, or a number such as a year
    total INTEGER NOT NULL,
    assertions BLOB NOT NULL,   -- see `bits`
    PRIMARY KEY (facet, value)
);
CREATE INDEX posting_total ON posting (facet, total DESC, value);
"""

TABLES = ("state", "node", "thing", "name", "passage", "assertion", "evidence", "posting")
FULL_TEXT = ("names", "glosses", "said", "parts")
"""Words of things by their names, of propositions, of passages; stretches of three characters of names."""


class IndexFile(SqliteFile):
    """The file of the index.

    Parameters:
        folder: the store's folder.

    >>> import tempfile
    >>> with IndexFile(Path(tempfile.mkdtemp())).reading() as connection:
    ...     [row["n"] for row in connection.execute("SELECT count(*) AS n FROM assertion")]
    [0]
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / NAME, _SCHEMA, version=VERSION, durable=False)

    def remove(self) -> None:
        """Remove the file, with what SQLite has beside it: what is left of an old one must not get into a new one."""
        for end in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + end).unlink(missing_ok=True)

    def is_ours(self) -> bool:
        """Tell whether the file is there, can be read and has this schema."""
        if not self.path.exists():
            return False
        try:
            with contextlib.closing(
                sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=rw", uri=True)
            ) as connection:
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                connection.execute("SELECT * FROM state").fetchall()
        except sqlite3.DatabaseError:
            return False
        return bool(version == VERSION)

    def _connect(self) -> sqlite3.Connection:
        connection = super()._connect()
        connection.execute("PRAGMA mmap_size = 1073741824")
        connection.execute("PRAGMA cache_size = -16384")
        connection.execute("PRAGMA temp_store = MEMORY")
        return connection


def clear(connection: sqlite3.Connection) -> None:
    """Empty all tables."""
    for table in TABLES:
        connection.execute(f"DELETE FROM {table}")
    for table in FULL_TEXT:
        connection.execute(f"INSERT INTO {table}({table}) VALUES ('delete-all')")
