"""The access log: one line of JSON a request, for people who run the service and their programs.

    {"time": "2026-11-22T10:28:15.250Z", "id": "…", "client": "192.0.2.7", "method": "GET", "path": "/sparql",
     "query": "f3a9…", "status": 200, "ms": 3.25, "rows": 12, "bytes": 2048, "cache": "miss", "outcome": "ok"}

A request pays for a tuple in a queue and the hash of its query; a thread writes what has gathered five
times a second, or when there are a thousand lines. Several processes may write to one file: a lock on
it is held for each writing, a writing that the disk cut short is taken back to its last whole line, and a
file that was moved away is made anew. What cannot be written is dropped, counted and told in the next
line that can be; no request ever waits for the log or fails by it.

What is never in it: the query itself, anything after the question mark of an address, headers, tokens.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, TypeAlias

from kg.errors import SettingError

Outcome: TypeAlias = Literal[
    "ok", "deadline", "memory", "cut", "cancelled", "gone", "refused", "busy", "budget", "error"
]
"""How a request ended: `gone` is a client that left, `cut` an answer that grew too large."""

Cache: TypeAlias = Literal["hit", "miss", "none"]
"""Whether the answer was kept ready; `none` where it is not one that may be kept."""

_Row: TypeAlias = tuple[float, str, str, str, str, str | None, int, float, int | None, int, str, str]

PAUSE = 0.2
"""Seconds between writings."""

MANY = 1000
"""Lines after which a writing does not wait for that."""

MOST = 100_000
"""Lines that may wait, when the disk stands still."""

_BREATH = 50
_LONGEST = ((500, 100), (50, 25))
"""Characters of a path and of other words; the lesser where a line would be longer than a pipe takes at once."""

_SECRET = re.compile(r"(whosays_[0-9a-f]{12})_[A-Za-z0-9_-]+")
_encode = json.JSONEncoder().encode


class AccessLog:
    """The access log; safe for threads.

    Parameters:
        target: a file, `-` for standard error, empty for none. A file that cannot be opened is told on
            standard error, and tried again with each writing.

    >>> log = AccessLog("")
    >>> log.add("7f", "192.0.2.7", "GET", "/sparql", "ASK {}", 200, 1.5, 1, 36, "miss", "ok")
    >>> log.close()
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._rows: deque[_Row] = deque()
        self._lost = 0
        self._failing = False
        self._file = -1
        self._gathering = False
        self._some = threading.Event()
        self._many = threading.Event()
        self._closed = threading.Event()
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._keep_writing, name="whosays-access-log", daemon=True)
        if target:
            self._thread.start()

    def add(
        self,
        request: str,
        client: str,
        method: str,
        path: str,
        query: str | bytes | None,
        status: int,
        ms: float,
        rows: int | None,
        size: int,
        cache: Cache,
        outcome: Outcome,
    ) -> None:
        """Note a request.

        Parameters:
            request: its id.
            client: its address.
            method: GET, POST …
            path: of its address, percent-encoded or not; what follows a question mark is left out.
            query: the text of the query, of which a hash is kept; None where there is none.
            status: of the answer.
            ms: milliseconds that it took.
            rows: in the answer; None where they are not counted.
            size: of the answer's body, in bytes.
            cache: whether the answer was kept ready.
            outcome: how it ended.
        """
        if not self._target:
            return
        if len(self._rows) >= MOST:
            self._lost += 1
            return
        hashed = None if query is None else query_hash(query)
        self._rows.append(
            (time.time(), request, client, method, path[:2000], hashed, status, ms, rows, size, cache, outcome)
        )
        if not self._gathering:
            self._gathering = True
            self._some.set()
        elif len(self._rows) == MANY:
            self._many.set()

    def flush(self) -> None:
        """Write what has gathered."""
        with self._writing:
            self._gathering = False  # before the queue is emptied: who comes later wakes the thread again
            lines: list[bytes] = []
            for number in range(len(self._rows)):
                if number % _BREATH == _BREATH - 1:
                    time.sleep(0.0005)  # lets the thread that answers requests go on
                lines.append(_line(self._rows.popleft()))
            if lines:
                self._write(lines)

    def close(self) -> None:
        """Write what has gathered, and let go of the file."""
        if self._thread.is_alive():
            self._closed.set()
            self._some.set()
            self._many.set()
            self._thread.join(5)
            if self._thread.is_alive():
                return  # the disk stands still, and nobody is to wait for it
        self.flush()
        self._let_go()

    def _keep_writing(self) -> None:
        while not self._closed.is_set():
            self._some.wait()
            self._some.clear()
            self._many.wait(PAUSE)
            self._many.clear()
            self.flush()

    def _write(self, lines: list[bytes]) -> None:
        lost, self._lost = self._lost, 0
        if lost:
            lines.insert(0, f'{{"time": "{_second(int(time.time()))}Z", "lost": {lost}}}\n'.encode())
        try:
            written = self._write_to_standard_error(lines) if self._target == "-" else self._write_to_file(lines)
            problem = "" if written == len(lines) else "no space left"
        except OSError as error:
            written, problem = 0, error.strerror or str(error)
        self._lost += len(lines) - written
        if lost and not written:
            self._lost += lost - 1  # that they were lost was not told either
        if bool(problem) != self._failing:
            self._failing = bool(problem)
            told = f"cannot be written: {problem}; lines are dropped" if problem else "is written again"
            with contextlib.suppress(OSError, ValueError):
                print(f"the access log {self._target} {told}", file=sys.stderr, flush=True)

    def _write_to_file(self, lines: Sequence[bytes]) -> int:
        """Write lines to the file; return how many are in it whole."""
        self._open()
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            before = os.fstat(self._file).st_size
            data = b"".join(lines)
            count = os.write(self._file, data)
            if count == len(data):
                return len(lines)
            whole = data[:count].rfind(b"\n") + 1
            os.ftruncate(self._file, before + whole)
            return data.count(b"\n", 0, whole)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _write_to_standard_error(self, lines: Sequence[bytes]) -> int:
        """Write lines in pieces that a pipe takes whole, whoever else writes to it; return how many it took."""
        done = 0
        while done < len(lines):
            size, end = 0, done
            while end < len(lines) and size + len(lines[end]) <= select.PIPE_BUF:
                size += len(lines[end])
                end += 1
            try:
                os.write(2, b"".join(lines[done:end]))
            except OSError:
                if done:
                    return done
                raise
            done = end
        return done

    def _open(self) -> None:
        if self._file >= 0:
            try:
                there, held = os.stat(self._target), os.fstat(self._file)
            except FileNotFoundError:
                self._let_go()
            else:
                if (there.st_dev, there.st_ino) != (held.st_dev, held.st_ino):
                    self._let_go()
        if self._file < 0:
            self._file = _open_file(self._target)

    def _let_go(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def check_target(target: str) -> None:
    """Check that a log can be written, before the service starts.

    Parameters:
        target: as for `AccessLog`.

    Raises:
        SettingError: it cannot.

    >>> check_target("-")
    """
    if target in ("", "-"):
        return
    try:
        os.close(_open_file(target))
    except OSError as error:
        raise SettingError(
            f"the access log {target} cannot be written: {error.strerror or error}",
            mend="make its folder, or set `access_log` to another file, `-` or none",
        ) from error


def query_hash(query: str | bytes) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of a query, in UTF-8.

    >>> query_hash("ASK {}")
    '819ea91ed5f12b38'
    """
    data = query if isinstance(query, bytes) else query.encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:16]


def _open_file(target: str) -> int:
    return os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)


def _line(row: _Row) -> bytes:
    """Return a line: ASCII, without secrets, and no longer than a pipe takes at once."""
    at, request, client, method, path, query, status, ms, rows, size, cache, outcome = row
    path = path.partition("?")[0]
    hashed = "null" if query is None else f'"{query}"'
    line = ""
    for longest, word in _LONGEST:
        line = (
            f'{{"time": "{_second(int(at))}.{int(at % 1 * 1000):03d}Z", "id": {_encode(request[:word])}, '
            f'"client": {_encode(client[:word])}, "method": {_encode(method[:word])}, '
            f'"path": {_encode(path[:longest])}, "query": {hashed}, "status": {status}, "ms": {ms:.3f}, '
            f'"rows": {"null" if rows is None else rows}, "bytes": {size}, "cache": "{cache}", "outcome": "{outcome}"}}'
        )
        line = line.replace("\x7f", "\\u007f")
        if "whosays_" in line:
            line = _SECRET.sub(r"\1_...", line)
        if len(line) < select.PIPE_BUF:
            break
    return line.encode("ascii") + b"\n"


@lru_cache(maxsize=4)
def _second(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()[:19]
