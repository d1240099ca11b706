"""The writer: one process that keeps the store open for writing while a service runs.

To open a database takes longer than to commit to it, so a service has a writer of its own, which
listens on a socket in the store's folder. Whoever wants to commit (a server's worker, the command
line) sends the plan there; where nobody listens, the store is opened on the spot. The writer only
commits: what is in a plan was parsed, judged and worked out elsewhere. It may die at any moment and
be started again; see `kg.publisher.recover`.

The socket belongs to the store's owner (mode 0600); plans travel as pickles between processes of
that one user.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from types import FrameType

from kg.errors import BusyError, WhosaysError
from kg.publisher import Plan, commit_plan, commit_to, history, recover
from kg.store import StoreFolder, Writer

REOPEN = 500
"""Commits after which the database is opened anew: snapshots take longer as commits pile up."""

PATIENCE = 0.02
"""Seconds between tries to open a store that another process has open."""

WAIT = 10.0
"""Seconds for which a store that another process has open is tried."""

READY = "ready"
"""What the writer says when it takes a plan."""

SOCKET = "writer.sock"


def commit(folder: StoreFolder, plan: Plan) -> str:
    """Put a plan into a store: through the writer that has it open, else by opening it.

    Parameters and what it returns are those of `kg.publisher.commit_plan`.

    Raises:
        StaleError: see there.
        BusyError: another process that takes no plans has the store open for longer than `WAIT`, or the writer
            died before the change was in; nothing was published.
        WhosaysError: the writer died, and it cannot be told whether the change is in.
    """
    until = time.monotonic() + WAIT
    while True:
        try:
            with _connect(folder) as connection:
                _listens(connection)
                try:
                    connection.send(plan)
                    answer = connection.recv()
                except (EOFError, OSError):
                    answer = _find_out(folder, plan)
            break
        except OSError:
            try:
                return commit_plan(folder, plan)
            except BusyError:  # a writer opens the store now, or closes it
                if time.monotonic() > until:
                    raise
                time.sleep(PATIENCE)
    if isinstance(answer, Exception):
        raise answer
    return str(answer)


def _listens(connection: Connection) -> None:
    """Wait for the word of the writer that it takes a plan.

    Raises:
        OSError: it hung up; it has taken nothing.
    """
    try:
        connection.recv()
    except EOFError as error:
        raise ConnectionResetError("the writer hung up") from error


def _find_out(folder: StoreFolder, plan: Plan) -> str | WhosaysError:
    """Tell whether a plan was committed by a writer that died over it: the snapshot, or what to raise."""
    number = plan.entry.number
    until = time.monotonic() + WAIT
    while not _is_recovered(folder):
        if time.monotonic() > until:
            return WhosaysError(
                "the writer stopped while it was committing", mend="see `whosays history` whether the change is there"
            )
        time.sleep(PATIENCE)
    noted = history(folder)
    if noted.newest() >= number and (noted.entry(number), noted.change(number)) == (plan.entry, plan.draft.change):
        return f"{number:06d}"
    return BusyError("the writer stopped while it was committing; nothing was published", mend="send it again")


def _is_recovered(folder: StoreFolder) -> bool:
    """Finish or forget what a writer that died had begun, unless a new writer has done so."""
    try:
        with folder.writer() as writer:
            recover(writer)
            return True
    except BusyError:
        try:
            with _connect(folder) as connection:
                _listens(connection)
                return True
        except OSError:
            return False


def run_writer(folder: StoreFolder) -> None:
    """Keep a store open and commit what is sent, until told to stop.

    Parameters:
        folder: the store; where another process has it open, it is waited for.
    """
    orders = _Orders()
    path = folder.path / SOCKET
    while not orders.stop:
        with _when_free(folder) as writer, history(folder).kept_open():
            recover(writer)
            path.unlink(missing_ok=True)
            with _near(path) as address, Listener(address, "AF_UNIX") as listener:
                path.chmod(0o600)
                for _ in range(REOPEN):
                    with listener.accept() as connection, orders.busy():
                        _serve(connection, writer)
                    if orders.stop:
                        break


@contextlib.contextmanager
def _when_free(folder: StoreFolder) -> Iterator[Writer]:
    with contextlib.ExitStack() as stack:
        while True:
            try:
                writer = stack.enter_context(folder.writer())
                break
            except BusyError:
                time.sleep(PATIENCE)
        yield writer


def _serve(connection: Connection, writer: Writer) -> None:
    try:
        connection.send(READY)
        plan = connection.recv()
    except Exception:  # whoever sent nonsense, or hung up
        return
    answer: object
    try:
        answer = commit_to(writer, plan)
    except Exception as error:
        answer = error if isinstance(error, WhosaysError) else WhosaysError(f"the commit failed: {error}")
    with contextlib.suppress(OSError):
        connection.send(answer)


class _Orders:
    """The order to stop, which waits until a commit is finished."""

    def __init__(self) -> None:
        self.stop = False
        self._busy = False
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the service's to hear

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        self._busy = True
        try:
            yield
        finally:
            self._busy = False

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stop = True
        if not self._busy:
            raise SystemExit(0)


@contextlib.contextmanager
def _connect(folder: StoreFolder) -> Iterator[Connection]:
    with _near(folder.path / SOCKET) as address:
        plug = socket.socket(socket.AF_UNIX)
        try:
            plug.connect(address)
        except OSError:
            plug.close()
            raise
    with Connection(plug.detach()) as connection:
        yield connection


@contextlib.contextmanager
def _near(path: Path) -> Iterator[str]:
    """Give a short name for a socket: the system takes no more than 107 bytes."""
    if len(os.fsencode(path)) < 100:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _stop_with_keeper() -> None:
    """Whoever started this holds the other end of standard input; when they are gone, it ends."""
    while os.read(0, 1024):  # not sys.stdin, whose lock a thread may not hold when the process ends
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_stop_with_keeper, daemon=True).start()
    run_writer(StoreFolder(Path(sys.argv[1])))
