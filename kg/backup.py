"""Backup, restore and dump: the way out of a store for all of it, and back.

A backup is one file, a plain tar (the database's files are compressed already):

    manifest.json      what the rest must be: every file with its SHA-256, and a digest of all quads
    store/000012.sst   the files of one snapshot
    queries/votes.rq   the saved queries that users have sent
    history.sqlite     and what else is kept beside the graph, where it is there

It is taken from a snapshot, which nobody writes to, and so goes on while the service runs and others
commit. The snapshot is held first and the rest is copied after it: the SQLite files tell of no less
than the graph, and a change that they tell of beyond it is forgotten by the next writer
(`kg.publisher.recover`). A restored store is opened and its quads are digested before it is put in
its place. Checksums show damage, not malice: who can write the file can write the manifest.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, BinaryIO, Final

import pyoxigraph as ox

from kg.errors import ConflictError, NotFoundError, ParameterError, Place, WhosaysError
from kg.names import PREFIXES
from kg.query_folders import MAX_BYTES
from kg.sqlite_file import utc_now
from kg.store import Snapshot, StoreFolder

FORMAT: Final = 1
BESIDE: Final = ("history.sqlite", "proposals.sqlite", "tokens.sqlite")
"""What is kept beside the graph in a store's folder, and its users' queries, which have a folder of their own."""

QUERIES: Final = "queries"
"""That folder; a file in it that cannot be a query, by its name or its size, is not kept."""

_MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 16_000_000
_FILE = re.compile(r"store/[A-Za-z0-9_-][A-Za-z0-9._-]*\Z")
_QUERY = re.compile(rf"{QUERIES}/[a-z0-9][a-z0-9-]{{0,63}}\.rq\Z")
_SNAPSHOT = re.compile(r"[0-9]{6,12}\Z")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """What a backup holds.

    Parameters:
        format: version of the layout.
        at: when it was taken, UTC, ISO 8601.
        snapshot: number of the snapshot.
        quads: how many there are.
        dataset: digest of the quads, whatever their order; see `dataset_digest`.
        files: name in the backup to SHA-256, hexadecimal.
    """

    format: int
    at: str
    snapshot: str
    quads: int
    dataset: str
    files: Mapping[str, str]


def dataset_digest(quads: Iterable[ox.Quad]) -> str:
    """Return a digest of a set of quads without blank nodes, whatever their order, in constant memory.

    Parameters:
        quads: each of them once.

    Returns:
        64 hexadecimal digits: the sum of the SHA-256 of all lines of N-Quads, modulo 2 to the power of 256.

    Source: AdHash of Bellare and Micciancio, A new paradigm for collision-free hashing (1997).

    >>> dataset_digest([]) == "0" * 64
    True
    """
    total = 0
    for quad in quads:
        total += int.from_bytes(hashlib.sha256(str(quad).encode()).digest(), "big")
    return f"{total % (1 << 256):064x}"


def backup(folder: StoreFolder, target: Path) -> Manifest:
    """Write the newest snapshot, and what is kept beside it, into one file.

    Parameters:
        folder: the store; others may read and write it meanwhile.
        target: the file, readable by its owner only; replaced, where it is there, once the new one is complete.

    Returns:
        What it holds.

    Raises:
        NotFoundError: nothing was ever published here.
        WhosaysError: the file cannot be written.
    """
    with folder.snapshot() as snapshot, _explained(target), _beside(target) as work:
        copies = [path for name in BESIDE if (path := _copy_sqlite(folder.path / name, work))]
        files = {f"store/{path.name}": path for path in sorted((folder.snapshots / snapshot.name).iterdir())}
        files = {name: path for name, path in files.items() if _is_kept(path)}
        files |= {f"{QUERIES}/{path.name}": path for path in _copy_queries(folder.path / QUERIES, work)}
        files |= {path.name: path for path in copies}
        manifest = Manifest(
            FORMAT,
            utc_now(),
            snapshot.name,
            len(snapshot.store),
            dataset_digest(snapshot.store),
            {name: _file_digest(path) for name, path in files.items()},
        )
        whole = work / "backup"
        with whole.open("xb") as file:
            whole.chmod(0o600)
            _write_tar(file, manifest, files)
            os.fsync(file.fileno())
        whole.replace(target)
    return manifest


def restore(source: Path, folder: StoreFolder) -> Manifest:
    """Make a store from a backup.

    Parameters:
        source: the file.
        folder: a store that nothing was ever published to.

    Returns:
        What was restored; the snapshot has the number that it had.

    Raises:
        ConflictError: there is a graph in the folder, or something beside it.
        WhosaysError: the file is no backup, is cut short or was changed; the folder is as it was.
    """
    _check_empty(folder)
    base = folder.path if folder.path.is_dir() else folder.path.parent
    with _explained(folder.path):
        base.mkdir(parents=True, exist_ok=True)
    with _explained(source), tempfile.TemporaryDirectory(dir=base, prefix="restore.") as path:
        work = Path(path)
        manifest = _extract(source, work)
        _verify(source, manifest, work / "store")
        with folder.turn():
            _check_empty(folder)
            _put_in_place(manifest, work, folder)
    return manifest


def dump(snapshot: Snapshot, out: BinaryIO, form: ox.RdfFormat, *, graph: str | None = None) -> None:
    """Write the graph in a standard format, quad by quad.

    Parameters:
        snapshot: the state to write.
        out: where to.
        form: N-Quads and TriG keep the named graphs; N-Triples, Turtle, RDF/XML and JSON-LD hold their union.
        graph: IRI of the only named graph to write.

    Raises:
        NotFoundError: there is no such graph.
        ParameterError: the format is another.

    >>> store = ox.Store()
    >>> store.add(ox.Quad(ox.NamedNode("ex:a"), ox.NamedNode("ex:b"), ox.Literal("c"), ox.NamedNode("ex:g")))
    >>> out = io.BytesIO()
    >>> dump(Snapshot(store, "000001"), out, ox.RdfFormat.N_TRIPLES)
    >>> out.getvalue()
    b'<ex:a> <ex:b> "c" .\\n'
    """
    if form not in _FORMATS:
        raise ParameterError(f"a graph is not written as {form.name}", mend=f"use one of: {', '.join(_NAMES)}")
    chosen = ox.NamedNode(graph) if graph is not None else None
    if chosen is not None and not snapshot.store.contains_named_graph(chosen):
        raise NotFoundError(f"there is no graph {graph}", mend="leave the graph out, or name one that is there")
    quads = snapshot.store.quads_for_pattern(None, None, None, chosen)
    items: Iterable[ox.Quad] | Iterable[ox.Triple] = quads
    if form not in (ox.RdfFormat.N_QUADS, ox.RdfFormat.TRIG):
        items = (q.triple for q in quads) if chosen is not None else _union(snapshot.store, quads)
    ox.serialize(items, out, format=form, prefixes=dict(PREFIXES))


_FORMATS = frozenset(
    {ox.RdfFormat.N_QUADS, ox.RdfFormat.TRIG, ox.RdfFormat.N_TRIPLES, ox.RdfFormat.TURTLE}
    | {ox.RdfFormat.RDF_XML, ox.RdfFormat.JSON_LD}
)
_NAMES = sorted(form.name for form in _FORMATS)


def _union(store: ox.Store, quads: Iterable[ox.Quad]) -> Iterator[ox.Triple]:
    """Give each triple once: causal graphs may share some."""
    for quad in quads:
        if next(store.quads_for_pattern(quad.subject, quad.predicate, quad.object)).graph_name == quad.graph_name:
            yield quad.triple


# Writing.


def _is_kept(path: Path) -> bool:
    return path.is_file() and not path.name.startswith("LO")  # LOCK and LOG belong to who has it open


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=".backup.") as path:
        yield Path(path)


def _copy_sqlite(path: Path, work: Path) -> Path | None:
    """Copy a SQLite file as of one moment, whatever others write to it."""
    if not path.exists():
        return None
    copy = work / path.name
    with (
        contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as old,
        contextlib.closing(sqlite3.connect(copy)) as new,
    ):
        old.backup(new)
    return copy


def _copy_queries(folder: Path, work: Path) -> list[Path]:
    """Copy the queries of users, each as it is at one moment: others may replace and remove them meanwhile."""
    copies = []
    (work / QUERIES).mkdir()
    for path in sorted(folder.glob("*.rq")):
        if not (_QUERY.match(f"{QUERIES}/{path.name}") and path.is_file()):
            continue
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
            if len(content) <= MAX_BYTES:
                copy = work / QUERIES / path.name
                copy.write_bytes(content)
                copies.append(copy)
    return copies


def _write_tar(file: IO[bytes], manifest: Manifest, files: Mapping[str, Path]) -> None:
    with tarfile.open(fileobj=file, mode="w:", format=tarfile.PAX_FORMAT) as tar:
        text = json.dumps(asdict(manifest), indent=1).encode()
        tar.addfile(_member(_MANIFEST, len(text)), io.BytesIO(text))
        for name, path in files.items():
            with path.open("rb") as content:
                tar.addfile(_member(name, path.stat().st_size), content)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# Reading.


def _check_empty(folder: StoreFolder) -> None:
    there = [name for name in ("current", "live", *BESIDE) if os.path.lexists(folder.path / name)]
    there += [f"{QUERIES}/{path.name}" for path in (folder.path / QUERIES).glob("*.rq")]
    if there:
        raise ConflictError(
            f"there is a graph in {folder.path} already ({', '.join(there)})",
            mend="restore into a --store that is not there yet; nothing is overwritten",
        )


def _damaged(source: Path, what: str) -> WhosaysError:
    return WhosaysError(what, mend="take another backup; nothing was restored", place=Place(str(source)))


def _extract(source: Path, work: Path) -> Manifest:
    """Write the files of a backup under the names that the manifest gives, each as it must be, and nothing else."""
    (work / "store").mkdir()
    (work / QUERIES).mkdir()
    try:
        with tarfile.open(source, "r:") as tar:
            manifest = _read_manifest(source, tar)
            missing = dict(manifest.files)
            while (member := tar.next()) is not None:
                digest = missing.pop(member.name, None)
                if digest is None or not _is_plain(member):
                    raise _damaged(source, f"the backup holds `{member.name}`, which is not in its manifest")
                if _write_member(tar, member, work / member.name) != digest:
                    raise _damaged(source, f"`{member.name}` in the backup is not what it was when it was written")
    except (tarfile.TarError, EOFError) as error:
        raise _damaged(source, f"this is no backup, or one that was cut short: {error}") from error
    if missing:
        raise _damaged(source, f"the backup was cut short: `{min(missing)}` is missing")
    return manifest


def _is_plain(member: tarfile.TarInfo) -> bool:
    return member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and member.sparse is None


def _write_member(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> str:
    content = tar.extractfile(member)
    assert content is not None
    digest = hashlib.sha256()
    with path.open("xb") as file:
        path.chmod(0o600)
        while block := content.read(_BLOCK):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _read_manifest(source: Path, tar: tarfile.TarFile) -> Manifest:
    member = tar.next()
    if member is None or member.name != _MANIFEST or not _is_plain(member) or member.size > _LARGEST_MANIFEST:
        raise _damaged(source, "this is no backup: it does not begin with a manifest")
    content = tar.extractfile(member)
    assert content is not None
    try:
        table = json.loads(content.read())
        if table["format"] != FORMAT:
            raise WhosaysError(
                f"the backup has format {table['format']}, this Whosays knows {FORMAT}",
                mend="use the Whosays that wrote it",
                place=Place(str(source)),
            )
        manifest = Manifest(**table)
        names = {str(name): _DIGEST.match(digest) for name, digest in manifest.files.items()}
        sound = (
            all(names.values())
            and all(name in BESIDE or _FILE.match(name) or _QUERY.match(name) for name in names)
            and _SNAPSHOT.match(manifest.snapshot)
            and int(manifest.snapshot) > 0
            and isinstance(manifest.quads, int)
            and _DIGEST.match(manifest.dataset)
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(source, f"the manifest of the backup cannot be read: {error}") from error
    if not sound:
        raise _damaged(source, "the manifest of the backup has names, numbers or digests that make no sense")
    return manifest


def _verify(source: Path, manifest: Manifest, database: Path) -> None:
    try:
        store = ox.Store.read_only(str(database))
        quads, digest = len(store), dataset_digest(store)
    except (OSError, ValueError, RuntimeError) as error:
        raise _damaged(source, f"the database in the backup cannot be opened: {error}") from error
    if (quads, digest) != (manifest.quads, manifest.dataset):
        raise _damaged(source, f"the backup holds {quads:,} quads that are not the {manifest.quads:,} that were saved")


def _put_in_place(manifest: Manifest, work: Path, folder: StoreFolder) -> None:
    """Move everything to where `kg.store` looks for it, the link last: until then nobody sees it."""
    snapshot = folder.snapshots / manifest.snapshot
    lock, link = snapshot.with_name(f"{snapshot.name}.lock"), work / "current"
    placed = [snapshot, folder.live, lock]
    try:
        (work / "store").rename(snapshot)
        ox.Store.read_only(str(snapshot)).backup(str(folder.live))
        lock.touch()
        for name in BESIDE:
            if (work / name).exists():
                placed.append((work / name).rename(folder.path / name))
        for query in sorted((work / QUERIES).iterdir()):
            (folder.path / QUERIES).mkdir(exist_ok=True)
            query.chmod(0o644)  # as `kg.query_folders` leaves it: nothing in it is secret
            placed.append(query.rename(folder.path / QUERIES / query.name))
        link.symlink_to(snapshot.relative_to(folder.path))
        link.rename(folder.current)
    except BaseException:
        for path in placed:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise WhosaysError(f"{path}: {problem}", mend="check the path, the permissions and the room on disk") from error
