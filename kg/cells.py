"""Cells: processes in which foreign input is judged, and which are killed when they overrun.

Parsers and validators are handed what strangers send. What takes for ever, swallows memory or
crashes must not take the service with it, so it happens in a cell: a process with a cap on its
memory, killed at its deadline, replaced at once, and dying with the process that keeps it.

Each cell has a pipe of its own, and no lock is shared between cells; so one that dies, at
whatever moment, harms no other. (That is why this is not `pebble`: there an idle worker that
dies, or an exception that cannot be unpickled, breaks the pool for good, and a loop in native
code holds the one lock for three seconds. `concurrent.futures` cannot kill at all.)

Cells are forked from a small server process, which has imported nothing of the service but
`preload`, has no threads and no open store; so a new cell is ready in milliseconds and inherits
no locks.
"""

from __future__ import annotations

import contextlib
import fcntl
import multiprocessing
import os
import pickle
import queue
import resource
import signal
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from types import TracebackType
from typing import TypeVar

from kg.errors import BusyError, OverrunError, WhosaysError

Result = TypeVar("Result")

GIBIBYTE = 1024**3
PAUSE = 1.0
"""Seconds before a cell is tried again after its warming up failed."""

_DONE, _RAISED, _OVERRUN = b"d", b"r", b"o"


class Cells:
    """A few processes that run functions on foreign input; safe to use from many threads.

    Parameters:
        workers: how many processes.
        deadline: seconds that a call may take, and as long again it may wait for a free process.
        memory: bytes of address space that a process may have.
        waiting: how many calls may wait for a free process; any more are refused as busy.
        warm_up: called once in each process before its first call, for instance to open the graph;
            must be importable by name.
        preload: modules that are imported once, before the processes are forked.

    Raises:
        WhosaysError: no process could be started and warmed up.

    >>> with Cells(workers=1) as cells:
    ...     cells.run(divmod, 7, 2)
    (3, 1)
    """

    def __init__(
        self,
        workers: int = 2,
        *,
        deadline: float = 10.0,
        memory: int = 2 * GIBIBYTE,
        waiting: int = 32,
        warm_up: Callable[[], object] | None = None,
        preload: Sequence[str] = (),
    ) -> None:
        self.deadline = deadline
        self.memory = memory
        self._warm_up = warm_up
        self._places = threading.BoundedSemaphore(workers + waiting)
        self._idle: queue.LifoQueue[_Cell] = queue.LifoQueue()
        self._cells: set[_Cell] = set()
        self._lock = threading.Lock()
        self._closed = False
        multiprocessing.get_context("forkserver").set_forkserver_preload(["kg.cells", *preload])
        try:
            started = [self._begin() for _ in range(workers)]
            for cell in started:
                cell.wait_until_warm()
                self._idle.put(cell)
        except BaseException:
            self.close()
            raise

    def run(self, function: Callable[..., Result], /, *arguments: object, deadline: float | None = None) -> Result:
        """Call a function in a cell and return what it returns.

        Parameters:
            function: importable by name, as are the types of what it takes and returns.
            arguments: handed to it.
            deadline: seconds for this call, where not the usual.

        Raises:
            OverrunError: it took too long or too much memory, nested too deeply, or its process died.
            BusyError: too many calls wait already, or no process became free in time.
            Exception: whatever the function raised, with its traceback as a note.

        >>> with Cells(workers=1) as cells:
        ...     cells.run(time.sleep, 60, deadline=0.2)
        Traceback (most recent call last):
        kg.errors.OverrunError: took longer than 0.2 s and was stopped
          mend: send less at a time
        """
        limit = self.deadline if deadline is None else deadline
        task = pickle.dumps((function, arguments), pickle.HIGHEST_PROTOCOL)
        if not self._places.acquire(blocking=False):
            raise BusyError("too many calls are waiting", mend="try again in a moment")
        try:
            cell = self._take(time.monotonic() + limit)
            try:
                kind, answer = cell.ask(task, limit, self.memory)
            except BaseException:
                self._replace(cell)
                raise
            if kind == _OVERRUN:
                self._replace(cell)
            else:
                self._idle.put(cell)
                if self._closed:
                    cell.kill()
        finally:
            self._places.release()
        outcome = pickle.loads(answer)
        if kind == _DONE:
            return outcome  # type: ignore[no-any-return]
        raise outcome

    def close(self) -> None:
        """Kill all cells; a call that is under way ends with an OverrunError."""
        with self._lock:
            self._closed = True
            cells = list(self._cells)
            self._cells.clear()
        for cell in cells:
            cell.kill()

    def __enter__(self) -> Cells:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self) -> _Cell:
        with self._lock:
            if self._closed:
                raise WhosaysError("these cells are closed", mend="make new ones")
            cell = _Cell(self.memory, self._warm_up)
            self._cells.add(cell)
        return cell

    def _take(self, until: float) -> _Cell:
        while not self._closed:
            try:
                cell = self._idle.get(timeout=max(0.0, min(until - time.monotonic(), 0.5)))
            except queue.Empty:
                if time.monotonic() >= until:
                    raise BusyError("no process became free in time", mend="try again in a moment") from None
                continue
            if cell.is_idle():
                return cell
            self._replace(cell)  # it died while it had nothing to do, for instance for want of memory
        raise WhosaysError("these cells are closed", mend="make new ones")

    def _replace(self, cell: _Cell) -> None:
        cell.kill()
        with self._lock:
            self._cells.discard(cell)
        threading.Thread(target=self._refill, daemon=True).start()

    def _refill(self) -> None:
        while not self._closed:
            cell = None
            try:
                cell = self._begin()
                cell.wait_until_warm()
            except (WhosaysError, OSError):
                if cell is not None:
                    cell.kill()
                    with self._lock:
                        self._cells.discard(cell)
                time.sleep(PAUSE)
                continue
            self._idle.put(cell)
            return


class _Cell:
    """One process, and this end of its pipe."""

    def __init__(self, memory: int, warm_up: Callable[[], object] | None) -> None:
        context = multiprocessing.get_context("forkserver")
        self._pipe, other = context.Pipe()
        self._process: ForkServerProcess = context.Process(
            target=_serve, args=(other, memory, warm_up), name="whosays-cell", daemon=True
        )
        self._process.start()
        other.close()
        self._killing = threading.Lock()

    def wait_until_warm(self) -> None:
        """Wait for the word that the process takes calls.

        Raises:
            WhosaysError: the warming up failed.
        """
        try:
            message = self._pipe.recv_bytes()
        except (EOFError, OSError):
            raise WhosaysError(
                f"a process for foreign input did not start ({self._ending()})",
                mend="see its message; it may need more memory",
            ) from None
        if message[:1] == _RAISED:
            raise WhosaysError(
                f"a process for foreign input did not warm up: {pickle.loads(message[1:])}", mend="see that error"
            )

    def is_idle(self) -> bool:
        """Tell whether the process is there and waits for a call."""
        try:
            return not self._pipe.poll(0)
        except OSError:
            return False

    def ask(self, task: bytes, limit: float, memory: int) -> tuple[bytes, bytes]:
        """Send a call and wait for its answer.

        Raises:
            OverrunError: there was none.
        """
        try:
            self._pipe.send_bytes(task)
            if not self._pipe.poll(limit):
                raise OverrunError(f"took longer than {limit:g} s and was stopped", mend="send less at a time")
            message = self._pipe.recv_bytes()
        except (EOFError, OSError):
            raise OverrunError(
                f"the process that did it died ({self._ending()}); it may have needed more than "
                f"{memory / GIBIBYTE:.3g} GiB",
                mend="send less at a time; if it is small already, report it with what you sent",
            ) from None
        return message[:1], message[1:]

    def kill(self) -> None:
        """End the process, whatever it does."""
        with self._killing:
            if self._process.is_alive():
                self._process.kill()
            self._process.join()  # the pipe closes with this object: a thread may be waiting at it

    def _ending(self) -> str:
        self._process.join(1)
        code = self._process.exitcode
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return signal.Signals(-code).name
        return "closed" if code is None else f"exit code {code}"


def _serve(pipe: Connection, memory: int, warm_up: Callable[[], object] | None) -> None:
    """Take calls and answer them, until the pipe closes: what a cell does all its life."""
    keeper = multiprocessing.parent_process()
    assert keeper is not None
    # When the keeper's end of this pipe closes, the kernel sends SIGIO, which ends the process, be it in a
    # loop of native code. (PR_SET_PDEATHSIG will not do: the parent is the fork server, which outlives the
    # keeper as long as it has children.)
    fcntl.fcntl(keeper.sentinel, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(keeper.sentinel, fcntl.F_SETFL, fcntl.fcntl(keeper.sentinel, fcntl.F_GETFL) | os.O_ASYNC)
    if not keeper.is_alive():
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the keeper
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    try:
        if warm_up is not None:
            warm_up()
    except Exception as error:
        pipe.send_bytes(_RAISED + pickle.dumps(f"{type(error).__name__}: {error}"))
        return
    pipe.send_bytes(_DONE)
    while True:
        try:
            task = pipe.recv_bytes()
        except (EOFError, OSError):
            os._exit(0)
        kind, answer = _answer(task, memory)
        pipe.send_bytes(kind + answer)
        del task, answer


def _answer(task: bytes, memory: int) -> tuple[bytes, bytes]:
    try:
        function, arguments = pickle.loads(task)
        return _DONE, pickle.dumps(function(*arguments), pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        stopped = OverrunError(
            f"needed more than {memory / GIBIBYTE:.3g} GiB and was stopped", mend="send less at a time"
        )
    except RecursionError:
        stopped = OverrunError("nested too deeply and was stopped", mend="nest less deeply")
    except Exception as error:
        return _RAISED, _packed(error)
    except BaseException as error:
        stopped = OverrunError(f"ended its process ({type(error).__name__})", mend="report it with what you sent")
    return _OVERRUN, pickle.dumps(stopped)


def _packed(error: Exception) -> bytes:
    if not isinstance(error, WhosaysError):
        error.add_note("".join(traceback.format_exception(error)))
    try:
        packed = pickle.dumps(error)
        pickle.loads(packed)  # an exception with a signature of its own may pickle and not come back
    except Exception:
        packed = pickle.dumps(RuntimeError("".join(traceback.format_exception(error))))
    return packed
