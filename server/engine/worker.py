"""A worker: the process that answers one question at a time on the newest snapshot.

It is forked by the nursery, is killed at any moment without harm, and dies with the nursery, which
dies with the front. Questions are answered in a thread with a large stack, because the engine
descends one frame for each level of nesting; what is too deep even for that ends this process only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

from kg.index import Index
from kg.keeper import Keeper
from kg.settings import Settings
from kg.store import Functions, Snapshot, StoreFolder
from loaders.functions import query_functions
from loaders.quotes import shown_quotes
from loaders.texts import Texts
from server.engine.answering import StoppedError, answer
from server.engine.messages import ASK, FAILED, REFRESH, Ask, Failed, Unpacker, pack, pack_object, unpack_object

STACK = 512 * 1024**2
"""Bytes of the stack on which questions are answered."""

_DEATH_SIGNAL = 1
_MALLOC = {-8: 1, -2: 16 << 20, -1: 1 << 30, -3: 32 << 20}
"""M_ARENA_MAX, M_TOP_PAD, M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc; analytical queries gain a tenth."""

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Bench:
    """What a worker works with.

    Parameters:
        folder: the store.
        memory: bytes of address space that a question may take beyond what the worker has at rest.
        settings: for the functions of the whosays graph; None where there are none.
    """

    folder: StoreFolder
    memory: int
    settings: Settings | None


def work(plug: socket.socket, bench: Bench) -> None:
    """Answer questions until the front hangs up: all that a worker does.

    Parameters:
        plug: the worker's end of the socket.
        bench: what it works with.
    """
    _libc.prctl(_DEATH_SIGNAL, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # where the machine has no memory left, we go first
    if hasattr(_libc, "mallopt"):  # glibc grows the memory of a thread page by page, and gives it back as readily
        for number, value in _MALLOC.items():
            _libc.mallopt(number, value)
    threading.stack_size(STACK)
    thread = threading.Thread(target=_answer_all, args=(plug, bench))
    thread.start()
    thread.join()


def _answer_all(plug: socket.socket, bench: Bench) -> None:
    worker = _Worker(plug, bench)
    worker.refresh()
    plug.sendall(threading.get_native_id().to_bytes(8, "big"))
    unpacker = Unpacker()
    while data := plug.recv(65_536):
        for kind, body in unpacker.feed(data):
            if kind == ASK:
                worker.answer(unpack_object(kind, body))  # type: ignore[arg-type]
            else:
                worker.refresh()
                plug.sendall(pack(REFRESH, b""))


class _Worker:
    def __init__(self, plug: socket.socket, bench: Bench) -> None:
        self._plug = plug
        self._bench = bench
        self._keeper = Keeper(bench.folder)
        self._texts = Texts(bench.settings.texts) if bench.settings else None
        self._index = self._make_index(bench.settings)
        self._snapshot: Snapshot | None = None
        self._functions: tuple[str, Functions | None] = "", None

    def refresh(self) -> None:
        """Open the newest snapshot, where it is not, and set the cap on memory anew."""
        if self._bench.folder.current_name() in (None, self._functions[0]):
            return
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        with self._keeper.snapshot() as snapshot:
            self._snapshot = snapshot
            self._functions = snapshot.name, self._make_functions(snapshot)
        size = int(Path("/proc/self/statm").read_bytes().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        with contextlib.suppress(ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (size + self._bench.memory, resource.RLIM_INFINITY))

    def answer(self, ask: Ask) -> None:
        try:
            self.refresh()
            if self._snapshot is None:
                raise StoppedError(Failed("missing", "nothing was published yet", "run `whosays build`"))
            answer(self._snapshot, ask, self._plug.sendall, self._functions[1], self._index)
        except StoppedError as stopped:
            self._fail(stopped.failed)
        except MemoryError:
            self._fail(Failed("memory", "the query needs more memory than it may have", "ask for less at a time"))
            os._exit(1)
        except OSError:
            os._exit(1)  # the front hung up
        except Exception as error:
            self._fail(
                Failed("error", f"the query failed: {type(error).__name__}: {error}", "report it with the query")
            )

    def _fail(self, failed: Failed) -> None:
        with contextlib.suppress(OSError):
            self._plug.sendall(pack_object(FAILED, failed))

    def _make_index(self, settings: Settings | None) -> Index | None:
        if settings is None or self._texts is None:
            return None
        return Index(self._bench.folder, shown_quotes(self._texts, settings))

    def _make_functions(self, snapshot: Snapshot) -> Functions | None:
        settings = self._bench.settings
        if settings is None or self._texts is None:
            return None
        return query_functions(snapshot, self._texts, settings)
