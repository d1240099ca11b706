"""The pool: workers, who of them is idle, and which question runs how.

A question goes to an idle worker. It is *quick* for its first 50 ms, which nearly all never pass.
Then it is *slow*: its worker gets a low priority, later the lowest, and another one takes its place
among the quick, which go first. Of the slow ones a few run at once; the others stand still (SIGSTOP)
and take turns, so that one of a second does not wait behind one of ten.
(As multilevel feedback queues do, since Corbató's CTSS of 1962.) A question that was slow lately, or that
is long, is slow from its beginning, and never takes the last idle worker.

Everything here happens in the thread of the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import socket
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from server.engine.handles import QUICK, WorkerHandle, failure
from server.engine.messages import Ask, Why
from server.engine.nursery import NUMBER
from server.engine.running import Running
from server.engine.waiting import Waiting
from server.engine.worker import Bench

TICK = 0.01
"""Seconds between looks at what runs."""

LONG = 1.0
"""Seconds of running after which a question has the last place of all."""

TURN = 0.2
"""Seconds that a slow question runs before another one gets its turn."""

REMEMBERED = 1_024
"""Questions that were slow and are remembered."""

LOOK_OUT = 0.025
"""Seconds between looks for a new snapshot."""


@dataclass(frozen=True)
class Size:
    """How many questions are answered at once.

    Parameters:
        quick: workers that are kept for quick questions.
        slow: slow questions that run at once.
        still: slow questions that may stand still.
        waiting: questions that may wait for a worker.
    """

    quick: int = 2
    slow: int = 2
    still: int = 48
    waiting: int = 256


class Pool:
    """Workers that answer questions; see the module.

    Parameters:
        bench: what workers work with.
        size: how many.
        alone: workers can reach no network.
        on_death: told when a worker was killed or died: why.
    """

    def __init__(
        self,
        bench: Bench,
        size: Size | None = None,
        *,
        alone: bool = True,
        on_death: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.bench = bench
        self.size = size or Size()
        self._alone = alone
        self._on_death = on_death
        self._workers: set[WorkerHandle] = set()
        self._idle: list[WorkerHandle] = []
        self._unborn: deque[WorkerHandle] = deque()
        self._waiting, self._waiting_slow = Waiting(), Waiting()
        self._were_slow: dict[Hashable, None] = {}
        self._still: deque[WorkerHandle] = deque()
        self.loop: asyncio.AbstractEventLoop
        self._nursery: subprocess.Popen[bytes] | None = None
        self._plug: socket.socket | None = None
        self._heart: asyncio.Task[None] | None = None
        self._closed = False

    async def start(self) -> None:
        """Start the nursery and the first workers; return when one of them is ready.

        Raises:
            TimeoutError: none was ready within a minute.
        """
        self.loop = asyncio.get_running_loop()
        self._start_nursery()
        self._heart = asyncio.get_running_loop().create_task(self._beat())
        self._provide()
        async with asyncio.timeout(60):
            while not self._idle:
                await asyncio.sleep(TICK)

    async def ask(self, ask: Ask, running: Running) -> None:
        """Have a question answered; return when the answer has begun, or is whole.

        Parameters:
            ask: the question.
            running: where the answer goes.

        Raises:
            FailedError: there is no answer.
        """
        is_slow = ask.limits is not None or _name(ask) in self._were_slow
        waiting = self._waiting_slow if is_slow else self._waiting
        if len(self._idle) > is_slow:
            self._begin(self._idle.pop(), ask, running, is_slow)
        else:
            running.stop = lambda why: self._give_up(running, why)
            waiting.add(ask, running)
            if len(waiting) > self.size.waiting:
                self._give_up(waiting.surplus(), "busy")
            self._provide()
        await running.wait_until_begun()

    def running(self) -> list[Running]:
        """Return the questions that are being answered or wait, the oldest first."""
        found = [w.running for w in self._workers if w.running is not None] + [
            running for waiting in (self._waiting, self._waiting_slow) for _, running in waiting
        ]
        return sorted(found, key=lambda r: r.arrived)

    def cancel(self, running_id: str, why: Why = "cancelled") -> bool:
        """Stop a question; tell whether there was one of that name."""
        found = [r for r in self.running() if r.id == running_id]
        for running in found:
            running.stop(why)
        return bool(found)

    def memory(self) -> int:
        """Return the bytes of memory that all workers have, what they share counted in each."""
        return sum(worker.resident() for worker in self._workers)

    async def close(self) -> None:
        """Kill all workers and the nursery."""
        self._closed = True
        if self._heart is not None:
            self._heart.cancel()
        for worker in list(self._workers):
            worker.kill("cancelled")
        if self._plug is not None:
            asyncio.get_running_loop().remove_reader(self._plug.fileno())
            self._plug.close()
        if self._nursery is not None:
            self._nursery.terminate()
            await asyncio.get_running_loop().run_in_executor(None, self._nursery.wait)

    # The nursery.

    def _start_nursery(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "server.engine.nursery", str(theirs.fileno())]
            self._nursery = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[theirs.fileno()])
        assert self._nursery.stdin is not None
        with self._nursery.stdin as pipe:
            pipe.write(pickle.dumps((self.bench, self._alone)))
        ours.setblocking(False)
        self._plug = ours
        asyncio.get_running_loop().add_reader(ours.fileno(), self._hear_nursery)

    def _hear_nursery(self) -> None:
        assert self._plug is not None
        try:
            data = self._plug.recv(4096 * NUMBER)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._restart_nursery()
            return
        for at in range(0, len(data), NUMBER):
            worker = self._unborn.popleft()
            worker.is_born(int.from_bytes(data[at : at + NUMBER], "big"))

    def _restart_nursery(self) -> None:
        assert self._plug is not None
        asyncio.get_running_loop().remove_reader(self._plug.fileno())
        self._plug.close()
        if self._nursery is not None:
            self._nursery.poll()
        self._unborn.clear()
        for worker in list(self._workers):  # they die with it
            worker.kill("error")
        if not self._closed:
            self._on_death("nursery")
            self._start_nursery()
            self._provide()

    # Workers come and go.

    def _provide(self) -> None:
        """Have as many workers ready, or on their way, as there are to be for quick questions."""
        if self._closed or self._plug is None:
            return
        free = sum(1 for w in self._workers if not w.is_slow)
        wanted = self.size.quick + bool(self._waiting_slow)
        most = self.size.quick + self.size.slow + self.size.still + 1
        for _ in range(min(wanted - free, most - len(self._workers))):
            self._spawn()

    def _spawn(self) -> None:
        assert self._plug is not None
        ours, theirs = socket.socketpair()
        worker = WorkerHandle(self)
        with theirs:
            try:
                socket.send_fds(self._plug, [b"."], [theirs.fileno()])
            except OSError:  # the nursery is dying, which is heard in a moment
                ours.close()
                return
        self._workers.add(worker)
        self._unborn.append(worker)
        loop = asyncio.get_running_loop()
        worker.opening = loop.create_task(self._connect(worker, ours))

    @staticmethod
    async def _connect(worker: WorkerHandle, ours: socket.socket) -> None:
        ours.setblocking(False)
        await asyncio.get_running_loop().create_connection(lambda: worker, sock=ours)

    def is_idle(self, worker: WorkerHandle) -> None:
        """Give a worker that has nothing to do its next question, or let it rest."""
        if self._waiting:
            self._begin(worker, *self._waiting.take(self._answered))
        elif self._waiting_slow and self._idle:
            self._begin(worker, *self._waiting_slow.take(self._answered), is_slow=True)
        elif len(self._idle) >= self.size.quick + self.size.slow:
            worker.kill("renewed")
        else:
            self._idle.append(worker)

    def _answered(self) -> Counter[str]:
        """How many questions of each client are being answered."""
        return Counter(w.running.client for w in self._workers if w.running is not None)

    def is_gone(self, worker: WorkerHandle, why: str) -> None:
        """Take note that a worker is no more."""
        self._workers.discard(worker)
        with contextlib.suppress(ValueError):
            self._idle.remove(worker)
        with contextlib.suppress(ValueError):
            self._still.remove(worker)
        if not self._closed:
            self._on_death(why)
        self._provide()

    def _begin(self, worker: WorkerHandle, ask: Ask, running: Running, is_slow: bool = False) -> None:
        worker.begin(ask, running)
        if is_slow:
            self._slow_down(worker, time.monotonic())

    def is_done(self, ask: Ask, *, was_slow: bool) -> None:
        """Take note of how a question went."""
        if was_slow:
            self._were_slow[_name(ask)] = None
            if len(self._were_slow) > REMEMBERED:
                del self._were_slow[next(iter(self._were_slow))]
        elif self._were_slow:
            self._were_slow.pop(_name(ask), None)

    def _give_up(self, running: Running, why: Why) -> None:
        self._waiting.remove(running)
        self._waiting_slow.remove(running)
        running.failed = failure(why)
        running.wake()

    # What runs how.

    async def _beat(self) -> None:
        looked = 0.0
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            self._look_at_running(now)
            self._give_turns(now)
            if now - looked > LOOK_OUT:
                looked = now
                self._look_at_memory()
                self._refresh()

    def _look_at_running(self, now: float) -> None:
        for worker in [w for w in self._workers if w.running is not None]:
            running = worker.running
            if running is None:  # turned away this very moment
                continue
            if running.seconds > running.deadline:
                worker.kill("deadline")
            elif now - running.arrived > running.patience:
                worker.kill(running.why_over)
            elif not worker.is_slow and now - running.started > QUICK:
                self._slow_down(worker, now)
            if worker.is_slow and not worker.is_last and running.seconds > LONG:
                worker.slow_down_more()
            if worker.is_home and now - running.started > TICK:
                worker.leave_home()
        for waiting in (self._waiting, self._waiting_slow):
            for _, running in [w for w in waiting if now - w[1].arrived > min(w[1].deadline, w[1].patience)]:
                self._give_up(running, running.why_over)

    def _slow_down(self, worker: WorkerHandle, now: float) -> None:
        worker.slow_down(now)
        if len(self._active()) > self.size.slow:
            self._halt(worker, now)
            if len(self._still) > self.size.still:
                self._turn_away()
        self._provide()

    def _turn_away(self) -> None:
        """Stop the youngest question of the client who has the most slow ones, since there are too many."""
        slow = [(w, w.running) for w in self._workers if w.is_slow and w.running is not None]
        most = self._answered()
        max(slow, key=lambda one: (most[one[1].client], one[1].arrived))[0].kill("busy")

    def _look_at_memory(self) -> None:
        """Stop the largest of the slow questions, where all workers together have more than they may."""
        if not self._still:
            return  # so few are held by the cap that each has
        held = {worker: worker.resident() for worker in self._workers}
        if sum(held.values()) > self.bench.memory * (self.size.quick + self.size.slow):
            max(self._still, key=held.__getitem__).kill("memory")

    def _active(self) -> list[WorkerHandle]:
        return [w for w in self._workers if w.is_slow and w not in self._still]

    def _halt(self, worker: WorkerHandle, now: float) -> None:
        worker.halt(now)
        self._still.append(worker)

    def _give_turns(self, now: float) -> None:
        if not self._still:
            return
        active = sorted(self._active(), key=lambda w: w.turn_since)
        if len(active) >= self.size.slow and now - active[0].turn_since > TURN:
            self._halt(active.pop(0), now)
        while self._still and len(active) < self.size.slow:
            turns = Counter(w.running.client for w in active if w.running is not None)
            worker = min(self._still, key=lambda w: turns[w.running.client if w.running is not None else ""])
            self._still.remove(worker)
            worker.go_on(now)
            active.append(worker)

    def _refresh(self) -> None:
        """Have idle workers open a new snapshot before anybody asks them, one after the other."""
        name = self.bench.folder.current_name()
        stale = [w for w in self._idle if w.snapshot != name]
        if stale and not any(w.refreshing for w in self._workers):
            self._idle.remove(stale[0])
            stale[0].refresh(name)


def _name(ask: Ask) -> Hashable:
    return hash((ask.kind, ask.text, ask.values, ask.default_graphs, ask.named_graphs))
