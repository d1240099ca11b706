"""The front's end of one worker: its socket, its process, and the question that it answers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

from server.engine.messages import (
    ASK,
    BODY,
    END,
    FAILED,
    HEAD,
    REFRESH,
    Ask,
    End,
    Failed,
    Head,
    Unpacker,
    Why,
    pack,
    pack_object,
    unpack_object,
)
from server.engine.running import Running

if TYPE_CHECKING:
    from server.engine.pool import Pool

QUICK = 0.05
"""Seconds for which a question is taken for a quick one."""

PROCESSORS = frozenset(os.sched_getaffinity(0))
HOME = PROCESSORS - {min(PROCESSORS)} or PROCESSORS
"""Processors of a worker while its question is a matter of microseconds: not the first, else the system lets it take
that of the front, which has just woken it, and the two run in turns; a third fewer questions a second."""

KEPT = 256 * 1024**2
"""Bytes that a worker may have grown by and go on."""

_MESSAGES: dict[Why, tuple[str, str]] = {
    "deadline": ("the query took longer than {:g} s and was stopped", "ask for less; who has a token has more time"),
    "busy": ("too many queries are waiting", "try again in a moment"),
    "cancelled": ("the query was cancelled", "ask again, if that was not meant"),
    "gone": ("the client hung up", "ask again"),
    "memory": (
        "the query needed more memory than it may have, or nests too deeply, and was stopped",
        "ask for less at a time",
    ),
}


class WorkerHandle(asyncio.Protocol):
    """The front's end of one worker."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.ask: Ask | None = None
        self.running: Running | None = None
        self.opening: asyncio.Task[None] | None = None
        self.is_slow = False
        self.is_last = False
        self.is_home = False
        self.refreshing = False
        self.turn_since = 0.0
        self.snapshot: str | None = None
        self._number = 0
        self._handle = -1
        self._at_rest = 0
        self._thread = 0
        self._transport: asyncio.Transport | None = None
        self._unpacker = Unpacker()
        self._gone = False

    def is_born(self, number: int) -> None:
        self._number = number
        with contextlib.suppress(OSError):
            self._handle = os.pidfd_open(number)
        if self._gone:
            self._signal(signal.SIGKILL)
            self._forget()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._gone:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if not self._thread:
            self._thread = int.from_bytes(data[:8], "big")
            self.snapshot = self.pool.bench.folder.current_name()
            self._at_rest = self.resident()
            self._settle(HOME)
            self.pool.is_idle(self)
            return
        running = self.running
        for kind, body in self._unpacker.feed(data):
            if running is None:
                break
            if kind == BODY:
                running.take(body)
            elif kind == HEAD:
                running.head = cast(Head, unpack_object(kind, body))
                self.snapshot = running.head.snapshot
            elif kind == END:
                running.end = cast(End, unpack_object(kind, body))
            elif kind == FAILED:
                running.failed = cast(Failed, unpack_object(kind, body))
        if running is None:
            if self.refreshing:
                self.refreshing = False
                self.pool.is_idle(self)
            return
        over = running.end is not None or running.failed is not None
        if over:
            self._finish(running)
        if running.head is not None or over:
            running.wake()

    def connection_lost(self, _: Exception | None) -> None:
        self.kill("memory" if self.running is not None else "crash")

    def begin(self, ask: Ask, running: Running) -> None:
        assert self._transport is not None
        self.ask, self.running = ask, running
        running.started = time.monotonic()
        running.stop = self.kill
        running.pause = self._pause
        self._transport.write(pack_object(ASK, ask))

    def refresh(self, name: str | None) -> None:
        assert self._transport is not None
        self.snapshot, self.refreshing = name, True
        self._transport.write(pack(REFRESH, b""))

    def leave_home(self) -> None:
        """Let the worker run on any processor, because its question takes longer."""
        self._settle(PROCESSORS)

    def slow_down(self, now: float) -> None:
        self.is_slow, self.turn_since = True, now
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self._thread, 19)

    def slow_down_more(self) -> None:
        """Let the worker run only where nobody else wants to; it is then a quarter slower even where nobody does."""
        self.is_last = True
        with contextlib.suppress(OSError):
            os.sched_setscheduler(self._thread, os.SCHED_IDLE, os.sched_param(0))

    def halt(self, now: float) -> None:
        if self.running is not None:
            self.running.stopped_at = now
        self._signal(signal.SIGSTOP)

    def go_on(self, now: float) -> None:
        if self.running is not None:
            self.running.stood_still += now - self.running.stopped_at
            self.running.stopped_at = 0.0
        self.turn_since = now
        self._signal(signal.SIGCONT)

    def kill(self, why: Why | str) -> None:
        """End the worker's life, and tell whoever waits for its answer why."""
        if self._gone:
            return
        self._gone = True
        self._signal(signal.SIGKILL)
        if self._transport is not None:
            self._transport.abort()
        running, self.running = self.running, None
        if self.ask is not None and running is not None:
            self.pool.is_done(self.ask, was_slow=self.is_slow)
        if running is not None and running.end is None and running.failed is None:
            running.failed = failure(cast(Why, why), running.deadline)
            running.wake()
        self.pool.is_gone(self, why)
        if self._handle >= 0:
            self._forget()

    def _finish(self, running: Running) -> None:
        self.running = None
        if self.ask is not None:
            self.pool.is_done(self.ask, was_slow=running.seconds > QUICK)
        running.stop = lambda _: None
        running.pause = lambda _: None
        if self._transport is not None:
            self._transport.resume_reading()
        if not self.is_home:
            self._settle(HOME)
        if self.is_slow and self.resident() > self._at_rest + KEPT:
            self.kill("renewed")
            return
        if self.is_slow:
            try:
                os.sched_setscheduler(self._thread, os.SCHED_OTHER, os.sched_param(0))
                os.setpriority(os.PRIO_PROCESS, self._thread, 0)
            except OSError:  # only the administrator may raise a priority
                self.kill("renewed")
                return
            self.is_slow = self.is_last = False
        self.pool.is_idle(self)

    def _settle(self, processors: frozenset[int]) -> None:
        self.is_home = processors is HOME
        with contextlib.suppress(OSError):
            os.sched_setaffinity(self._thread, processors)

    def _pause(self, pause: bool) -> None:
        if self._transport is not None and not self._transport.is_closing():
            (self._transport.pause_reading if pause else self._transport.resume_reading)()

    def resident(self) -> int:
        with contextlib.suppress(OSError):
            return int(Path(f"/proc/{self._number}/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return 0

    def _signal(self, number: int) -> None:
        if self._handle >= 0:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._handle, number)

    def _forget(self) -> None:
        os.close(self._handle)
        self._handle = -1


def failure(why: Why, deadline: float = 0.0) -> Failed:
    """Return why there is no answer, in words.

    >>> failure("busy").mend
    'try again in a moment'
    """
    problem, mend = _MESSAGES.get(why, ("the query failed", "report it with the query"))
    return Failed(why, problem.format(deadline), mend)
