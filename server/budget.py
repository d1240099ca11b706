"""The budget: how many seconds of queries a client may have in a time, counted over all processes.

A leaky bucket: each query adds the seconds that it took, and the bucket drains `seconds / window` a
second; who has filled it waits until it is below the brim. So a client may have the budget at once, and
the same again in each window: in n windows at most n + 1 budgets, and the query that was let in last.

Of a bucket one number is kept, the time at which it will be empty (it is how cells were metered on
ATM lines: ITU-T I.371, the virtual scheduling algorithm, where this time is the "theoretical arrival
time"). A number of 8 bytes is read whole, so asking needs no lock. Charging takes one on the number,
for a millionth of a second; it ends with a process that dies.

The numbers are a table in a file that all processes have in memory. A client's place is a hash of its
address under a key that is drawn with the file, so that nobody can aim at another's place; two clients
share one by chance, with 1,000 of them at work each with a probability of 1 in 130.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import ipaddress
import mmap
import os
import secrets
import tempfile
import threading
import time
from functools import lru_cache
from pathlib import Path

from kg.errors import SettingError

_PLACES = 1 << 17
_KEY = 32
_SIZE = _KEY + 8 * _PLACES
_NO_TIME = 0.001
"""Seconds of waiting that count as none: who waits as long as it was told must not come too early by a rounding."""


class Budget:
    """The budget of each client; safe for threads.

    Parameters:
        path: the file of the table; made by whoever comes first. It should be new with each start of the service.
        seconds: of queries that a client may have; 0 for no bound.
        window: in how many seconds.

    Raises:
        SettingError: the file cannot be made, or is no such table.

    >>> budget = Budget(Path(tempfile.mkdtemp()) / "budget", seconds=10, window=60)
    >>> budget.charge("192.0.2.7", 15)
    >>> 29 < budget.wait("192.0.2.7") <= 30, budget.wait("192.0.2.8")
    (True, 0.0)
    >>> budget.close()
    """

    def __init__(self, path: Path, seconds: float, window: float) -> None:
        self.seconds = seconds
        self.window = window
        self._lock = threading.Lock()
        if seconds <= 0:
            return
        try:
            if not path.exists():
                _make(path)
            self._file = path.open("r+b", buffering=0)
            if os.fstat(self._file.fileno()).st_size != _SIZE:
                self._file.close()
                raise SettingError(f"{path} is no budget", mend="name another file: it is made")
            self._memory = mmap.mmap(self._file.fileno(), _SIZE)
        except OSError as error:
            raise SettingError(
                f"the budget {path} cannot be made: {error.strerror or error}", mend="check the folder"
            ) from error
        self._key = self._memory[:_KEY]
        self._empty_at = memoryview(self._memory)[_KEY:].cast("d")

    def charge(self, client: str, seconds: float) -> None:
        """Count what a client has used.

        Call it also while a query runs, so that queries at the same time count before they end.

        Parameters:
            client: an address, or the name of somebody who is known; of an IPv6 address the network of
                64 bits counts, all of which one client may have.
            seconds: of queries; not negative.
        """
        if self.seconds <= 0 or not seconds > 0:
            return
        place = self._place(client)
        more = seconds * self.window / self.seconds
        at = _KEY + 8 * place
        with self._lock:  # locks on files are between processes, not between threads
            fcntl.lockf(self._file, fcntl.LOCK_EX, 8, at)
            try:
                self._empty_at[place] = max(self._empty_at[place], time.monotonic()) + more
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 8, at)

    def wait(self, client: str) -> float:
        """Return in how many seconds a client may ask again, 0 where it may now.

        Parameters:
            client: as for `charge`.
        """
        if self.seconds <= 0:
            return 0.0
        left = self._empty_at[self._place(client)] - time.monotonic() - self.window
        return left if left > _NO_TIME else 0.0

    def close(self) -> None:
        """Let go of the file."""
        if self.seconds > 0:
            self._empty_at.release()
            self._memory.close()
            self._file.close()
            self.seconds = 0.0

    def _place(self, client: str) -> int:
        digest = hashlib.blake2b(_counted(client).encode("utf-8", "surrogatepass"), key=self._key, digest_size=8)
        return int.from_bytes(digest.digest(), "little") % _PLACES


def _make(path: Path) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_KEY))
            file.truncate(_SIZE)  # a file with a hole: only what is used takes room
        with contextlib.suppress(FileExistsError):
            os.link(name, path)  # it comes into being whole; another process may have been quicker
    finally:
        os.unlink(name)


@lru_cache(maxsize=4096)
def _counted(client: str) -> str:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv4Address):
        return client
    mapped = address.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network((int(address), 64), strict=False))
