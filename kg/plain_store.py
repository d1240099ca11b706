"""Any Oxigraph database, served as it stands.

Beside the database lies a folder of our own with its snapshots (on the same file system, since they
are hard links), so that it can be read while it is written; see `kg.store`.

    people.db/            the database
    .people.db.whosays/   snapshots/, current, the writer's lock
"""

from __future__ import annotations

from pathlib import Path

from kg.errors import NotFoundError
from kg.store import StoreFolder


class PlainFolder(StoreFolder):
    """A database of somebody else's, and our snapshots of it.

    Parameters:
        database: its folder.

    >>> PlainFolder(Path("/data/people.db")).path
    PosixPath('/data/.people.db.whosays')
    """

    union = False

    def __init__(self, database: Path) -> None:
        super().__init__(database.absolute().parent / f".{database.name}.whosays")
        self.live = database

    def publish(self, *, create: bool = False) -> str:
        """Make the database as it stands the snapshot that is read; return its number.

        Parameters:
            create: make an empty database where there is none.

        Raises:
            NotFoundError: there is no database.
            WhosaysError: another process has it open, or it cannot be read.
        """
        if not create and not (self.live / "CURRENT").is_file():
            raise NotFoundError(f"there is no database in {self.live}", mend="name the folder of one, or allow writing")
        with self.writer() as writer:
            return writer.publish()
