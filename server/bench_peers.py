"""Servers that are measured side by side: each a process of its own, on the same triples.

The triples stand in the default graph, since that is what all of them serve alike. Whosays and
Oxigraph's server open equal copies of one database; rdflib-endpoint loads the same triples from a
file, into memory. Each server is what its own command starts.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox

from kg.errors import MalformedError, NotFoundError, OverrunError
from loaders.generator import generate_quads
from server.bench import free_port

HOST = "127.0.0.1"
RESULTS = "application/sparql-results+json"

DEADLINE = 300
"""Seconds that Whosays gives a query here; Oxigraph's server sets no deadline unless told to."""

_BEGINNING, _ENDING = 600.0, 10.0


@dataclass(frozen=True)
class Data:
    """The same triples, as each server wants them.

    Parameters:
        folder: holds two copies of a database, and a file.
        size: how many triples.
    """

    folder: Path
    size: int

    @property
    def database(self) -> Path:
        """Folder of the database that Whosays serves."""
        return self.folder / "whosays"

    @property
    def copy(self) -> Path:
        """Folder of its copy, for Oxigraph's server."""
        return self.folder / "oxigraph"

    @property
    def file(self) -> Path:
        """The triples as N-Triples."""
        return self.folder / "triples.nt"


def make_data(folder: Path, size: int) -> Data:
    """Make the triples of a generated corpus, in the default graph.

    Parameters:
        folder: an empty folder.
        size: how many triples, 3,000 or more.

    >>> import tempfile
    >>> data = make_data(Path(tempfile.mkdtemp()), 3000)
    >>> len(ox.Store.read_only(str(data.copy)))
    3000
    """
    data = Data(folder, size)
    store = ox.Store(str(data.database))
    store.bulk_extend(ox.Quad(q.subject, q.predicate, q.object) for q in generate_quads(size, 1))
    store.optimize()
    store.flush()
    with data.file.open("wb") as file:
        store.dump(file, format=ox.RdfFormat.N_TRIPLES, from_graph=ox.DefaultGraph())
    del store  # lets go of the folder
    shutil.copytree(data.database, data.copy)
    return data


@dataclass
class Peer:
    """A server.

    Parameters:
        name: what it is called in the figures.
        command: gives the words that start it on a port.
        path: of its SPARQL endpoint.
        log: where what it prints goes.
        environment: variables that it is given besides our own.

    Attributes:
        port: where it listens.
        process: its first process.
    """

    name: str
    command: Callable[[int], list[str]]
    path: str
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return HOST, self.port

    def start(self) -> None:
        """Start it, and wait until it answers a query.

        Raises:
            NotFoundError: its program is not installed.
            OverrunError: it ended, or did not answer in ten minutes.
        """
        self.port = free_port()
        with self.log.open("ab") as log:
            try:
                self.process = subprocess.Popen(
                    self.command(self.port),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **self.environment},
                    start_new_session=True,
                )
            except OSError as error:
                raise NotFoundError(
                    f"{self.name} cannot be started: {error.strerror}", mend="install the extra: whosays[bench]"
                ) from error
        end = time.monotonic() + _BEGINNING
        while time.monotonic() < end:
            with suppress(OSError, HTTPException, MalformedError):
                self.ask("ASK {}", patience=5.0)
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        told = self.log.read_text("utf-8", "replace").strip().splitlines()[-12:]
        self.stop()
        raise OverrunError(f"{self.name} does not answer", mend="\n  ".join(["it printed:", *told]))

    def stop(self) -> None:
        """End it, all its processes with it."""
        process, self.process = self.process, None
        if process is None:
            return
        family = []
        for pid in descendants(process.pid):
            with suppress(ProcessLookupError):
                family.append(os.pidfd_open(pid))  # not its number alone, which another process may have by then
        process.terminate()
        try:
            process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for one in family:  # it may be deep in a query that nobody waits for
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(one, signal.SIGKILL)
            ended = select.poll()  # not select(), which takes no number above 1,023
            ended.register(one, select.POLLIN)
            ended.poll(1_000 * _ENDING)
            os.close(one)

    def restart(self) -> None:
        """End it and start it anew."""
        self.stop()
        self.start()

    def ask(self, query: str, *, patience: float = DEADLINE) -> bytes:
        """Return its answer to a query, as JSON.

        Parameters:
            query: SPARQL, all its prefixes declared.
            patience: seconds that it may be silent.

        Raises:
            OSError: it does not answer, or not in time.
            MalformedError: it answers otherwise than with 200.
        """
        connection = HTTPConnection(*self.address, timeout=patience)
        try:
            connection.request("GET", f"{self.path}?query={quote(query, safe='')}", headers={"Accept": RESULTS})
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise MalformedError(
                f"{self.name} answers with status {answer.status}: {body[:300].decode('utf-8', 'replace')}",
                mend="see that it serves SPARQL",
            )
        return body

    def memory(self) -> int:
        """Return the bytes of memory that all its processes hold."""
        return memory_of(self.process.pid) if self.process else 0


@contextmanager
def serving(peers: list[Peer]) -> Iterator[None]:
    """Have servers run meanwhile; also where we are told to end, none is left behind."""

    def end(*_: object) -> None:
        sys.exit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, end)
    try:
        for peer in peers:
            peer.start()
        yield
    finally:
        for peer in peers:
            peer.stop()
        signal.signal(signal.SIGTERM, before)


def make_peers(data: Data) -> dict[str, Peer]:
    """Return the servers that are measured, by name; none is started yet."""
    programs = Path(sys.executable).parent

    def whosays(port: int) -> list[str]:
        begin = [sys.executable, "-m", "server.command", "serve", "--plain"]
        return [*begin, "--store", str(data.database), "--port", str(port)]

    def oxigraph(port: int) -> list[str]:
        return [str(programs / "oxigraph"), "serve-read-only", "-l", str(data.copy), "--bind", f"{HOST}:{port}"]

    def rdflib(port: int) -> list[str]:
        return [str(programs / "rdflib-endpoint"), "serve", str(data.file), "--host", HOST, "--port", str(port)]

    settings = {"WHOSAYS_QUERY_SECONDS": str(DEADLINE)}
    peers = (
        Peer("whosays", whosays, "/sparql", data.folder / "whosays.log", settings),
        Peer("oxigraph", oxigraph, "/query", data.folder / "oxigraph.log"),
        Peer("rdflib-endpoint", rdflib, "/", data.folder / "rdflib-endpoint.log"),
    )
    return {peer.name: peer for peer in peers}


def descendants(pid: int) -> list[int]:
    """Return the ids of the processes that a process started, and those that they started."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *descendants(child)]
    return found


def memory_of(pid: int) -> int:
    """Return the bytes of memory that a process and its descendants hold.

    It is what is resident, pages that several processes share being divided between them (Pss).

    >>> memory_of(os.getpid()) > 1_000_000
    True
    """
    total = 0
    for one in (pid, *descendants(pid)):
        with suppress(OSError):
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def open_files_of(pid: int) -> int:
    """Return how many files, sockets and pipes a process and its descendants have open.

    >>> open_files_of(os.getpid()) > 2
    True
    """
    total = 0
    for one in (pid, *descendants(pid)):
        with suppress(OSError):
            total += len(os.listdir(f"/proc/{one}/fd"))
    return total
