"""What is being answered: one question, its worker, and the answer as it comes."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from server.engine.messages import End, Failed, Head, Why

AHEAD = 1024**2
"""Bytes of an answer that may wait for a slow client before its worker has to wait too."""


class FailedError(Exception):
    """There is no answer, or no more of it.

    Parameters:
        failed: why.
    """

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.problem)
        self.failed = failed


@dataclass(eq=False)
class Running:
    """A question that is being answered.

    Parameters:
        id: by which it can be stopped.
        client: who asked.
        text: what was asked, for who lists what is running.
        deadline: seconds of running that it may take.
        patience: seconds that it may take from its arrival to the end of its running, waiting included.
    """

    id: str
    client: str
    text: str
    deadline: float
    patience: float
    arrived: float = field(default_factory=time.monotonic)
    started: float = 0.0
    stopped_at: float = 0.0
    stood_still: float = 0.0
    charged: float = 0.0
    head: Head | None = None
    end: End | None = None
    failed: Failed | None = None
    pieces: deque[bytes] = field(default_factory=deque)
    pause: Callable[[bool], None] = lambda _: None
    stop: Callable[[Why], None] = lambda _: None
    _size: int = 0
    _paused: bool = False
    _waiter: asyncio.Future[None] | None = None

    @property
    def why_over(self) -> Why:
        """Why it ends when the patience is at an end: the client wanted no more, or too many run at once."""
        return "deadline" if self.patience <= self.deadline else "busy"

    @property
    def seconds(self) -> float:
        """How long it has run, without the time in which it was made to wait."""
        if not self.started:
            return 0.0
        still = time.monotonic() - self.stopped_at if self.stopped_at else 0.0
        return time.monotonic() - self.started - self.stood_still - still

    def take(self, piece: bytes) -> None:
        """Take a piece of the body from the worker."""
        if not piece:
            return
        self.pieces.append(piece)
        self._size += len(piece)
        if self._size > AHEAD and not self._paused:
            self._paused = True
            self.pause(True)

    def wake(self) -> None:
        """Tell who waits that there is something new."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait_until_begun(self) -> None:
        """Wait for the head.

        Raises:
            FailedError: there is no answer.
        """
        while self.head is None and self.failed is None:
            await self._wait()
        if self.failed is not None:
            raise FailedError(self.failed)

    def whole(self) -> bytes | None:
        """Return the body, where all of it is there."""
        if self.end is None:
            return None
        return self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)

    async def rest(self) -> AsyncIterator[bytes]:
        """Give the body piece by piece, as it comes.

        Raises:
            FailedError: it is cut.
        """
        while True:
            while self.pieces:
                piece = self.pieces.popleft()
                self._size -= len(piece)
                if self._paused and self._size < AHEAD // 4:
                    self._paused = False
                    self.pause(False)
                yield piece
            if self.failed is not None:
                raise FailedError(self.failed)
            if self.end is not None:
                return
            await self._wait()

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
