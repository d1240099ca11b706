"""The store on disk: one Oxigraph database that is written, and immutable snapshots that are read.

    whosays-store/
      live/              the database; opened only by the one writer, under `writer.lock`
      snapshots/000007/  hard-linked copies; what readers open, never written again
      current            link to the newest snapshot; replaced in one step
      history.sqlite     every change, see `kg.history`

A commit is one transaction on `live`, then a snapshot, then the link. A reader holds a shared
lock on its snapshot for as long as it has it open, because a snapshot that is deleted under a
reader makes its queries swallow memory; the writer removes only what it can lock.

What is to be committed is planned on a snapshot, by anybody, and committed only where that is still
the newest. Who was too late plans again, and takes the *turn*: while somebody has it, nobody else commits.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pyoxigraph as ox

from kg.errors import BusyError, MalformedError, NotFoundError, WhosaysError
from kg.names import PREFIXES
from kg.sparql import has_dataset

Results: TypeAlias = ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples
Functions: TypeAlias = Mapping[ox.NamedNode, Callable[..., ox.Literal | ox.NamedNode | None]]


@dataclass(frozen=True)
class Snapshot:
    """A state of the graph that does not change.

    Parameters:
        store: the database, read-only.
        name: the snapshot's number, which grows with each commit.
        union: whether the default graph is the union of all graphs, and our prefixes need no declaration; else the
            database is asked as it stands.
    """

    store: ox.Store
    name: str
    union: bool = True

    def query(
        self,
        text: str,
        *,
        functions: Functions | None = None,
        default_graphs: Iterable[str] = (),
        named_graphs: Iterable[str] = (),
    ) -> Results:
        """Answer a SPARQL query, in general over the union of all published graphs.

        Parameters:
            text: SPARQL 1.1; the prefixes of `kg.names.PREFIXES` need no declaration.
            functions: custom functions by name.
            default_graphs, named_graphs: IRIs of the dataset, where the request gives one.

        Raises:
            MalformedError: the query does not parse; the message has the position.
        """
        default: list[ox.NamedNode | ox.BlankNode | ox.DefaultGraph] = [ox.NamedNode(g) for g in default_graphs]
        named: list[ox.NamedNode | ox.BlankNode] = [ox.NamedNode(g) for g in named_graphs]
        given = bool(default or named)
        union = self.union and not given and not has_dataset(text)  # the engine's union would pass over FROM
        try:
            return self.store.query(
                text,
                prefixes=dict(PREFIXES) if self.union else None,
                use_default_graph_as_union=union,
                default_graph=default if given else None,
                named_graphs=named if given else None,
                custom_functions=dict(functions) if functions else None,
            )
        except SyntaxError as error:
            raise MalformedError(f"the query does not parse: {error}", mend="see the position named in it") from error
        except RuntimeError as error:
            raise MalformedError(f"the query cannot be evaluated: {error}", mend="leave that out") from error


class StoreFolder:
    """The folder that holds the database and its snapshots.

    Parameters:
        path: the folder; made when it is first written.

    >>> import tempfile
    >>> folder = StoreFolder(Path(tempfile.mkdtemp()) / "store")
    >>> quad = ox.Quad(ox.NamedNode("ex:a"), ox.NamedNode("ex:b"), ox.Literal("c"), ox.NamedNode("ex:g"))
    >>> with folder.writer() as writer:
    ...     writer.commit(added=[quad], removed=[])
    '000001'
    >>> with folder.snapshot() as snapshot:
    ...     len(snapshot.store)
    1
    """

    union = True
    """Whether its snapshots are asked as the union of their graphs; see `Snapshot`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.live = path / "live"
        self.snapshots = path / "snapshots"
        self.current = path / "current"
        self._current = str(self.current)

    def current_name(self) -> str | None:
        """Return the number of the newest snapshot, None where nothing was ever published."""
        try:
            return os.readlink(self._current).rpartition("/")[2]  # asked with every request
        except OSError:
            return None

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Open the newest snapshot for reading, and keep it from being removed meanwhile.

        Raises:
            NotFoundError: nothing was ever published here.
        """
        while True:
            name = self.current_name()
            if name is None:
                raise NotFoundError(
                    f"there is no graph in {self.path}", mend="run `whosays build`, or name another --store"
                )
            try:
                lock = os.open(self._lock(name), os.O_RDONLY)
            except FileNotFoundError:
                continue  # replaced and removed between the two calls
            try:
                fcntl.flock(lock, fcntl.LOCK_SH)
                if (self.snapshots / name).is_dir():
                    yield Snapshot(ox.Store.read_only(str(self.snapshots / name)), name, self.union)
                    return
            finally:
                os.close(lock)

    @contextlib.contextmanager
    def newest(self) -> Iterator[Snapshot | None]:
        """Open the newest snapshot, or give None where nothing was ever published here."""
        if self.current_name() is None:
            yield None
        else:
            with self.snapshot() as snapshot:
                yield snapshot

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Keep all others from committing; wait until they keep us no longer from it.

        Raises:
            WhosaysError: the folder cannot be written.
        """
        lock = self._open_lock("turn.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    @contextlib.contextmanager
    def copy(self, snapshot: Snapshot | None) -> Iterator[Path]:
        """Make a writable copy of a snapshot, to try a change on; it is removed afterwards.

        Parameters:
            snapshot: None for an empty database.

        Returns:
            The copy's folder; who opens it as a store lets go of it before the end.
        """
        self._make()
        for left in self.path.glob("copy.*"):
            with contextlib.suppress(OSError), _locked_folder(left):
                shutil.rmtree(left)  # whoever made it died
        path = Path(tempfile.mkdtemp(prefix="copy.", dir=self.path))
        try:
            with _locked_folder(path):
                if snapshot is not None:
                    snapshot.store.backup(str(path / "store"))
                yield path / "store"
        except BaseException:
            gc.collect()  # a store that hangs in an exception's frames still writes to its folder
            raise
        finally:
            shutil.rmtree(path, ignore_errors=True)

    @contextlib.contextmanager
    def writer(self) -> Iterator[Writer]:
        """Open the database for writing; one writer at a time.

        Raises:
            WhosaysError: another process is writing, or the folder cannot be written.
        """
        lock = self._open_lock("writer.lock")
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BusyError(
                    f"another process is writing to {self.path}", mend="wait until it has finished, then run again"
                ) from error
            writer = Writer(self, self._open_live())
            try:
                yield writer
            finally:
                del writer.live  # closes the database, so that the next process can open it
        finally:
            os.close(lock)

    def _open_live(self) -> ox.Store:
        try:
            return ox.Store(str(self.live))
        except OSError:
            gc.collect()  # an earlier one of this process hangs in a circle of references
            return ox.Store(str(self.live))

    def _open_lock(self, name: str) -> int:
        self._make()
        with _explained(self.path):
            return os.open(self.path / name, os.O_RDWR | os.O_CREAT, 0o644)

    def _make(self) -> None:
        with _explained(self.path):
            self.snapshots.mkdir(parents=True, exist_ok=True)

    def _lock(self, name: str) -> Path:
        return self.snapshots / f"{name}.lock"

    def _publish(self, live: ox.Store) -> str:
        name = f"{int(self.current_name() or 0) + 1:06d}"
        target = self.snapshots / name
        shutil.rmtree(target, ignore_errors=True)  # left by a writer that died before the link was set
        live.backup(str(target))
        self._lock(name).touch()
        link = self.path / f"current.{os.getpid()}"
        link.unlink(missing_ok=True)
        link.symlink_to(target.relative_to(self.path))
        link.replace(self.current)
        self._remove_unread(keep=name)
        return name

    def _remove_unread(self, keep: str) -> None:
        for snapshot in self.snapshots.iterdir():
            if not snapshot.is_dir() or snapshot.name == keep:
                continue
            lock_path = self._lock(snapshot.name)
            lock = os.open(lock_path, os.O_RDWR | os.O_CREAT)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # somebody reads it; a later commit removes it
            else:
                shutil.rmtree(snapshot)
                lock_path.unlink()
            finally:
                os.close(lock)


class Writer:
    """The one who may write.

    Parameters:
        folder: the store's folder.
        live: the database, open for writing.
    """

    def __init__(self, folder: StoreFolder, live: ox.Store) -> None:
        self.folder = folder
        self.live = live

    def commit(self, *, added: Iterable[ox.Quad], removed: Iterable[ox.Quad]) -> str:
        """Apply a change in one transaction and make it the snapshot that readers get.

        Parameters:
            added, removed: quads in named graphs, without blank nodes.

        Returns:
            The new snapshot's number.
        """
        update = ";\n".join(
            f"{verb} DATA {{\n{''.join(lines)}}}"
            for verb, lines in (("DELETE", _by_graph(removed)), ("INSERT", _by_graph(added)))
            if lines
        )
        if update:
            with _explained(self.folder.path):
                self.live.update(update)
        return self.publish()

    def publish(self) -> str:
        """Make the database as it stands the snapshot that readers get; return its number."""
        with _explained(self.folder.path):
            return self.folder._publish(self.live)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # the second is how the database tells of some
        raise WhosaysError(
            f"{path} cannot be written: {getattr(error, 'strerror', None) or error}",
            mend="name another --store, or see that there is room and permission to write",
        ) from error


@contextlib.contextmanager
def _locked_folder(path: Path) -> Iterator[None]:
    """Hold the lock of a folder, which goes when the process dies.

    Raises:
        OSError: somebody else has it.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _by_graph(quads: Iterable[ox.Quad]) -> list[str]:
    return [f"GRAPH {quad.graph_name} {{ {quad.triple} }}\n" for quad in quads]
