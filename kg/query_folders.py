"""Where saved queries come from: those that Whosays brings, and the folders of users.

A user's query is a file NAME.rq: in the folder that the settings name, or in that of the store, where
the server keeps what is sent to it. Where two have one name, the one that Whosays brings counts, then
the one of the settings' folder. A file that cannot be read is told of, and does no harm to the others.

Every request asks for the queries, so a folder is read again only when a file of it has changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path

from kg.digests import text_digest
from kg.errors import ConflictError, NotFoundError, ParameterError, Place, RecordError, WhosaysError
from kg.saved_queries import SavedQuery, parse_query
from kg.settings import Settings
from kg.sparql import check_query as check_reach

MAX_BYTES = 100_000
"""Bytes that a user's query can have."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_Signature = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True)
class Collection:
    """The saved queries of some folders.

    Parameters:
        queries: by name; those that Whosays brings come first.
        problems: of files that are left out.
    """

    queries: Mapping[str, SavedQuery]
    problems: tuple[WhosaysError, ...]


def query_folders(settings: Settings) -> tuple[Path, ...]:
    """Return the folders of users' queries, the one that counts first.

    >>> query_folders(Settings(store=Path("s")))[-1].as_posix()
    's/queries'
    """
    return (*((settings.queries,) if settings.queries else ()), settings.store / "queries")


def load_queries(*folders: Path) -> dict[str, SavedQuery]:
    """Return the saved queries by name.

    Parameters:
        folders: of users, the one that counts first, beside what Whosays brings.

    Raises:
        RecordError: a heading of a query that Whosays brings cannot be read.

    >>> load_queries()["who-asserts-what"].title
    'Who asserts what?'
    """
    return dict(read_collection(*folders).queries)


def get_query(name: str, *folders: Path) -> SavedQuery:
    """Return a saved query.

    Raises:
        NotFoundError: none has that name.
    """
    queries = read_collection(*folders).queries
    if name not in queries:
        raise NotFoundError(f"there is no saved query `{name[:80]}`", mend=f"use one of: {', '.join(queries)}")
    return queries[name]


def read_collection(*folders: Path) -> Collection:
    """Return the saved queries of folders, and what is wrong with the files that are left out.

    Parameters:
        folders: of users, the one that counts first, beside what Whosays brings; one that is not there is empty.
    """
    signatures = tuple(_signature(folder) for folder in folders)
    held = _held.get(folders)
    if held is None or held[0] != signatures:
        held = signatures, _read(folders)
        _held[folders] = held
    return held[1]


_held: dict[tuple[Path, ...], tuple[tuple[_Signature, ...], Collection]] = {}


@contextlib.contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Keep all others from changing the queries of a folder, which is made where it is not there.

    Raises:
        WhosaysError: the folder cannot be written.
    """
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def save_query(folder: Path, name: str, text: str) -> None:
    """Write a user's query: whole or not at all, also where the machine stops in the midst of it.

    Parameters:
        folder: where; who compares before writing does both while `changing` it.
        name: of the query, as `check_name` lets it pass.
        text: the whole file, as `kg.saved_queries.check_query` lets it pass.

    Raises:
        WhosaysError: the folder cannot be written.
    """
    with _explained(folder):
        descriptor, beside = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            Path(beside).chmod(0o644)
            Path(beside).replace(folder / f"{name}.rq")
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
        _sync(folder)


def remove_query(folder: Path, name: str) -> None:
    """Remove a user's query.

    Raises:
        WhosaysError: the folder cannot be written.
    """
    with _explained(folder):
        (folder / f"{name}.rq").unlink()
        _sync(folder)


def query_digest(folder: Path, name: str) -> str | None:
    """Return what tells a user's file from any other, as `SavedQuery.digest`; None where there is none.

    >>> query_digest(Path("no-such-folder"), "who-votes") is None
    True
    """
    try:
        return text_digest((folder / f"{name}.rq").read_bytes().decode("utf-8", "replace"))[:16]
    except FileNotFoundError:
        return None


def check_name(name: str) -> None:
    """See that a word can be the name of a user's query.

    Raises:
        ParameterError: it cannot.

    >>> check_name("who-votes")
    """
    if not _NAME.fullmatch(name):
        raise ParameterError(
            f"`{name[:80]}` cannot be the name of a query",
            mend="use up to 64 small letters, digits and hyphens, and begin with a letter or digit",
        )


def check_free(name: str, folder: Path, *before: Path) -> None:
    """See that a name is not taken by a query that counts more than those of a folder.

    Parameters:
        name: of the query.
        folder: where it is to be.
        before: folders that count more.

    Raises:
        ConflictError: it is taken.

    >>> check_free("who-votes", Path("no-such-folder"))
    """
    taken = get_query(name, *before) if name in read_collection(*before).queries else None
    if taken is not None and folder not in before:
        who = "Whosays brings it" if taken.brought else "it is in the folder of the setting `queries`"
        raise ConflictError(f"the saved query `{name}` cannot be changed: {who}", mend="choose another name")


def resolve_choices(saved: SavedQuery, queries: Mapping[str, SavedQuery]) -> SavedQuery:
    """Return a saved query whose choices know the queries that they are made from.

    Parameters:
        saved: the query.
        queries: all others, by name.

    Raises:
        RecordError: a choice of something else than a saved SELECT without parameters and SERVICE.
    """
    resolved = []
    for parameter in saved.parameters:
        if parameter.type == "choice":
            source = queries.get(str(parameter.of))
            if source is None or source.form != "SELECT" or source.parameters:
                raise RecordError(
                    f"`{parameter.name}` is a choice of `{parameter.of}`, which is no saved SELECT without parameters",
                    mend="name one that is",
                    place=Place(f"{saved.name}.rq"),
                )
            try:
                check_reach(source.text)  # it is run to look a value up, before the query itself is checked
            except WhosaysError as error:
                raise RecordError(
                    f"`{parameter.name}` is a choice of `{parameter.of}`: {error.problem}",
                    mend="choose from a query that asks nobody else",
                    place=Place(f"{saved.name}.rq"),
                ) from error
            parameter = replace(parameter, source=source.text)
        resolved.append(parameter)
    return replace(saved, parameters=tuple(resolved))


@cache
def _brought() -> dict[str, SavedQuery]:
    root = Path(str(resources.files("kg") / "queries"))
    read = {
        path.stem: parse_query(path.stem, path.read_text("utf-8"), str(path), brought=True)
        for path in sorted(root.glob("*.rq"))
    }
    return {name: resolve_choices(saved, read) for name, saved in read.items()}


def _signature(folder: Path) -> _Signature:
    found = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".rq"):
                with contextlib.suppress(OSError):  # it was removed between the two calls
                    at = entry.stat()
                    found.append((entry.name, at.st_mtime_ns, at.st_size, at.st_ino))
    return tuple(sorted(found))


def _read(folders: tuple[Path, ...]) -> Collection:
    queries = dict(_brought())
    problems: list[WhosaysError] = []
    own: dict[str, SavedQuery] = {}
    for folder in folders:
        for name, *_ in _signature(folder):
            try:
                saved = _read_file(folder / name)
                if saved.name in queries or saved.name in own:
                    raise RecordError(
                        f"there is a saved query `{saved.name}` already, which counts",
                        mend="give the file another name",
                        place=Place(name),
                    )
                own[saved.name] = saved
            except WhosaysError as error:
                problems.append(error)
    for saved in own.values():
        try:
            queries[saved.name] = resolve_choices(saved, {**_brought(), **own})
        except WhosaysError as error:
            problems.append(error)
    return Collection(queries, tuple(problems))


def _read_file(path: Path) -> SavedQuery:
    place = Place(path.name)  # without its folder: everybody reads the list
    try:
        check_name(path.stem)
        at = path.stat()
        if not stat.S_ISREG(at.st_mode) or at.st_size > MAX_BYTES:
            raise RecordError(f"no file of at most {MAX_BYTES:,} bytes", mend="make it one", place=place)
        saved = parse_query(path.stem, path.read_bytes().decode("utf-8"), path.name)
    except OSError as error:
        raise RecordError(f"cannot be read: {error.strerror}", mend="check the permissions", place=place) from error
    except UnicodeDecodeError as error:
        raise RecordError("is not UTF-8", mend="save it as UTF-8", place=place) from error
    except ParameterError as error:
        raise RecordError(error.problem, mend=error.mend, place=place) from error
    return saved


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WhosaysError(
            f"the queries in {folder.name} cannot be written: {error.strerror}",
            mend="see that there is room and permission",
        ) from error
