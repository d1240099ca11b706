"""The soak: a real server under mixed reads and writes for minutes, every answer checked.

So many clients ask at once, each what chance gives it: point and analytical queries never sent
before, a saved query, the same query again and again (with the tag that came last time), queries
that they hang up on, and queries whose deadline they set too short. Some of them publish new
assertions by the door. What is asked for is chosen so that no write alters it, hence the right
answer is known; beside that

- no answer may be older than what was acknowledged before it was asked for;
- the number of new assertions that a reader sees lies between those acknowledged before and those begun since;
- whoever has written sees it in the next answer, which has another tag and a later snapshot.

All the while the memory and the open files of the server's processes are looked at.
"""

from __future__ import annotations

import gc
import json
import random
import socket
import statistics
import sys
import tempfile
import threading
import time
from array import array
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from importlib import resources
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import click
import pyoxigraph as ox

from kg.names import XSD
from kg.store import Snapshot, StoreFolder
from kg.tokens import Tokens
from loaders.generator import fill_store
from server.bench import show_json, show_table
from server.bench_cases import ANALYTICAL, POINT, PREFIX, read_rows
from server.bench_door import Scene, find_scene
from server.bench_peers import RESULTS, Peer, memory_of, open_files_of, serving
from server.load import quantile

Kind = Literal["point", "analytical", "cached", "saved", "seen", "hung up", "deadline", "write"]

READS: dict[Kind, int] = {
    "point": 40,
    "cached": 25,
    "saved": 10,
    "analytical": 10,
    "seen": 10,
    "hung up": 2,
    "deadline": 2,
}
"""How often what is asked for."""

SIZE = 20_000
WRITERS = 4
"""One client in so many writes."""

WRITES, PAUSE = 0.5, 0.25
"""How often a writer writes, and how many seconds it rests after it."""

PATIENCE = 60.0
SHORT = 0.2
"""Seconds that a query is given which takes hours."""

LONG_ENOUGH = 60.0
"""Seconds below which nothing is said about memory: it takes so long until all is warm."""

GROWTH = 1.2
ALLOWANCE_BYTES, ALLOWANCE_FILES = 64_000_000, 64

_TAIL = 30
"""Lines of what the server printed that are shown where something is off."""

_SAVED = "documents"
_DIGEST = "0123456789abcdef"
"""Of the passages of what is written, see `server.bench_door`."""

_SEEN = (
    f'SELECT (COUNT(*) AS ?n) {{ ?passage ws:digest "{_DIGEST}" ; ws:start ?start FILTER(STR(?start) != "NUMBER") }}'
)
_ENDLESS = (
    'SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(STR(?c) != STR(?i) && STR(?a) != "NUMBER") }'
)


@dataclass(frozen=True)
class Known:
    """Right answers, which no write alters.

    Parameters:
        scene: what is written.
        subjects: what point queries ask for.
        points: their answers.
        analytical, saved: the answers to these.
        room: how many assertions can be written, each with a character of its own.
    """

    scene: Scene
    subjects: tuple[str, ...]
    points: Mapping[str, list[str]]
    analytical: list[str]
    saved: list[str]
    room: int


def find_known(snapshot: Snapshot) -> Known:
    """Work out the right answers, in this process."""

    def ask(text: str) -> list[str]:
        found = snapshot.query(text)
        assert isinstance(found, ox.QuerySolutions)
        told = found.serialize(format=ox.QueryResultsFormat.JSON)
        assert told is not None
        return read_rows(told)

    scene = find_scene(snapshot)
    passages = (
        f"SELECT ?x {{ ?x a ws:Passage ; ws:inDocument ?d FILTER(?d != <{scene.document}>) }} ORDER BY ?x LIMIT 500"
    )
    rows = snapshot.query(passages)
    assert isinstance(rows, ox.QuerySolutions)
    subjects = tuple(row[0].value for row in rows)
    saved = (resources.files("kg") / "queries" / f"{_SAVED}.rq").read_text("utf-8")
    points = {s: ask(POINT.replace("SUBJECT", s)) for s in subjects}
    length = snapshot.query(f"SELECT ?n {{ <{scene.document}> ws:textLength ?n }}")
    assert isinstance(length, ox.QuerySolutions)
    room = int(next(length)[0].value)
    return Known(scene, subjects, points, ask(ANALYTICAL), ask(saved), room)


@dataclass
class Soak:
    """What is known so far; all clients share it.

    Parameters:
        known: the right answers.
        peer: the server.
        secret: a token of a curator.
        end: when no more is begun, on the monotonic clock.
        clients: how many ask at once.

    Attributes:
        latencies: seconds, by kind.
        wrong, errors: what was not as it must be, the first of each; and how many there were.
        begun, acknowledged: writes.
        snapshot: the newest that a writer saw its own write in.
        printed: what the server printed at last.
    """

    known: Known
    peer: Peer
    secret: str = field(repr=False)
    end: float
    clients: int
    latencies: dict[Kind, array[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    off: Counter[str] = field(default_factory=Counter)
    begun: int = 0
    acknowledged: int = 0
    snapshot: int = 0
    printed: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def took(self, kind: Kind, seconds: float) -> None:
        """Note a request that went as it must."""
        with self.lock:
            self.latencies.setdefault(kind, array("d")).append(seconds)

    def note(self, which: Literal["wrong", "errors"], kind: Kind, what: str) -> None:
        """Note what was not as it must be."""
        with self.lock:
            self.off[which] += 1
            told = self.wrong if which == "wrong" else self.errors
            if len(told) < 20:
                told.append(f"{kind}: {' '.join(what.split())}")


class _WrongError(Exception):
    pass


@dataclass(frozen=True)
class _Told:
    status: int
    tag: str
    snapshot: int
    body: bytes


class _Client(threading.Thread):
    """One of those who ask, one thing after the other."""

    def __init__(self, soak: Soak, number: int) -> None:
        super().__init__(daemon=True)
        self.soak = soak
        self.number = number
        self.chance = random.Random(number)
        self.asked = 0
        self.tag = ""
        self.connection = HTTPConnection(*soak.peer.address, timeout=PATIENCE)

    def run(self) -> None:
        """Ask until the end."""
        soak, kinds, weights = self.soak, [*READS], [*READS.values()]
        room = soak.known.room - soak.clients
        while time.monotonic() < soak.end:
            writes = self.number % WRITERS == 0 and self.chance.random() < WRITES and soak.begun < room
            kind: Kind = "write" if writes else self.chance.choices(kinds, weights)[0]
            self.asked += 1
            start = time.perf_counter()
            try:
                self._do(kind)
                soak.took(kind, time.perf_counter() - start)
            except _WrongError as error:
                soak.note("wrong", kind, str(error))
            except Exception as error:  # whatever it is: a client that dies unheard would leave all well
                soak.note("errors", kind, f"{type(error).__name__}: {error}")
                self.connection.close()
            if writes:
                time.sleep(PAUSE)
        self.connection.close()

    def _do(self, kind: Kind) -> None:
        known = self.soak.known
        if kind == "point":
            subject = self.chance.choice(known.subjects)
            self._compare(self._read(self._new(POINT.replace("SUBJECT", subject))), known.points[subject])
        elif kind == "analytical":
            self._compare(self._read(self._new(ANALYTICAL)), known.analytical)
        elif kind == "saved":
            self._compare(self._read("", path=f"/queries/{_SAVED}"), known.saved)
        elif kind == "cached":
            self._ask_again()
        elif kind == "seen":
            self._count()
        elif kind == "hung up":
            self._hang_up()
        elif kind == "deadline":
            self._overrun()
        else:
            self._write()

    def _new(self, text: str) -> str:
        return PREFIX + text.replace("NUMBER", f"{self.number}-{self.asked}")

    def _read(self, query: str, *, path: str = "", tag: str = "") -> _Told:
        """Ask, and see that the answer is not older than what was acknowledged before."""
        acknowledged = self.soak.snapshot
        told = self._send(
            "GET", path or f"/sparql?query={quote(query, safe='')}", {"If-None-Match": tag} if tag else {}
        )
        if told.status not in ((200, 304) if tag else (200,)):
            raise ValueError(f"status {told.status}: {told.body[:300].decode('utf-8', 'replace')}")
        if told.status == 200 and told.snapshot < acknowledged:
            raise _WrongError(f"an answer of snapshot {told.snapshot}, after one of {acknowledged} was acknowledged")
        return told

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> _Told:
        self.connection.request(method, path, body, {"Accept": RESULTS, **headers})
        answer: HTTPResponse = self.connection.getresponse()
        text = answer.read()
        snapshot = answer.getheader("Whosays-Snapshot", "0")
        return _Told(answer.status, answer.getheader("ETag", ""), int(snapshot), text)

    def _compare(self, told: _Told, known: list[str]) -> None:
        rows = read_rows(told.body)
        if rows != known:
            raise _WrongError(f"{len(rows)} rows, not the {len(known)} known ones: {rows[:2]}")

    def _ask_again(self) -> None:
        tag = self.tag if self.chance.random() < 0.5 else ""
        told = self._read(PREFIX + ANALYTICAL, tag=tag)
        if told.status == 304:
            if told.tag and told.tag != tag:
                raise _WrongError(f"304 with the tag {told.tag}, when {tag} was sent")
            return
        self._compare(told, self.soak.known.analytical)
        if not told.tag:
            raise _WrongError("an answer without a tag")
        self.tag = told.tag

    def _count(self) -> None:
        before = self.soak.acknowledged
        [row] = json.loads(self._read(self._new(_SEEN)).body)["results"]["bindings"]
        seen = int(row["n"]["value"])
        if not before <= seen <= self.soak.begun:
            raise _WrongError(f"{seen} writes seen, when {before} were acknowledged and {self.soak.begun} begun")

    def _hang_up(self) -> None:
        query = quote(self._new(_ENDLESS), safe="")
        host, port = self.soak.peer.address
        with socket.create_connection((host, port), timeout=PATIENCE) as connection:
            connection.sendall(f"GET /sparql?query={query} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            time.sleep(self.chance.random() * 0.2)

    def _overrun(self) -> None:
        told = self._send("GET", f"/sparql?timeout={SHORT}&query={quote(self._new(_ENDLESS), safe='')}", {})
        if told.status not in (503, 504):
            raise _WrongError(f"status {told.status} to a query that cannot have ended")

    def _write(self) -> None:
        soak = self.soak
        with soak.lock:
            number = soak.begun
            soak.begun += 1
        submission = soak.known.scene.submission("hub" if number % 2 else "ordinary", number)
        asked = f"{PREFIX}ASK {{ <{soak.known.scene.document}/bench{number}> a ws:Assertion ; ws:standing ?standing }}"
        before = self._read(asked)
        headers = {
            "Content-Type": "text/turtle",
            "Authorization": f"Bearer {soak.secret}",
            "Accept": "application/json",
        }
        told = self._send("POST", "/assertions", headers, submission.data)
        if told.status != 201:
            raise ValueError(f"status {told.status}: {told.body[:300].decode('utf-8', 'replace')}")
        with soak.lock:
            soak.acknowledged += 1
        after = self._read(asked)
        if json.loads(before.body)["boolean"] or not json.loads(after.body)["boolean"]:
            raise _WrongError("what was written is not seen in the next answer, or was seen before")
        if after.tag == before.tag or after.snapshot <= before.snapshot:
            raise _WrongError(f"tag and snapshot do not tell of the write: {before.tag} and {after.tag}")
        with soak.lock:
            soak.snapshot = max(soak.snapshot, after.snapshot)


@dataclass
class Usage:
    """Memory and open files of the server's processes, as they were looked at.

    Parameters:
        memory: bytes.
        files: how many.

    >>> Usage([100_000_000] * 6 + [500_000_000] * 3, [10] * 9).grows()
    ['memory grew from 100 to 500 MB']
    """

    memory: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def grows(self) -> list[str]:
        """Tell what grew from the first third to the last, beyond what is allowed."""
        told = []
        first, last = ends(self.memory)
        if last > first * GROWTH + ALLOWANCE_BYTES:
            told.append(f"memory grew from {first / 1e6:,.0f} to {last / 1e6:,.0f} MB")
        first, last = ends(self.files)
        if last > first * GROWTH + ALLOWANCE_FILES:
            told.append(f"open files grew from {first:,.0f} to {last:,.0f}")
        return told


def ends(values: list[int]) -> tuple[float, float]:
    """Return the medians of the first third and of the last.

    >>> ends([1, 1, 2, 2, 3, 3])
    (1.0, 3.0)
    """
    third = max(1, len(values) // 3)
    return float(statistics.median(values[:third] or [0])), float(statistics.median(values[-third:] or [0]))


def soak_server(seconds: float, clients: int, size: int = SIZE) -> tuple[Soak, Usage, list[str]]:
    """Start a server on a generated store, and soak it.

    Parameters:
        seconds: how long.
        clients: how many ask at once.
        size: quads of the store, before anything is written.

    Returns:
        What happened; memory and files; what is off, in words: nothing where all is well.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        folder = StoreFolder(Path(work) / "store")
        fill_store(folder, size, 1)
        gc.collect()  # the database would hang in a circle of references, and keep the server from opening it
        with folder.snapshot() as snapshot:
            known = find_known(snapshot)
        secret = Tokens(folder.path / "tokens.sqlite").make("soak", "curator", days=1)
        begin = [sys.executable, "-m", "server.command", "serve", "--store", str(folder.path)]
        peer = Peer("whosays", lambda port: [*begin, "--port", str(port)], "/sparql", Path(work) / "whosays.log")
        with serving([peer]):
            soak = Soak(known, peer, secret, time.monotonic() + seconds, clients)
            crowd = [_Client(soak, number) for number in range(clients)]
            for client in crowd:
                client.start()
            usage = _look(soak, seconds)
            for client in crowd:
                client.join(PATIENCE * 2)
            if any(client.is_alive() for client in crowd):
                soak.note("errors", "point", "a client is not answered")
            _count_at_last(soak)
        soak.printed = peer.log.read_text("utf-8", "replace").splitlines()[-_TAIL:]
    told = [f"{count:,} {'wrong answers' if which == 'wrong' else which}" for which, count in soak.off.items()]
    return soak, usage, told + (usage.grows() if seconds >= LONG_ENOUGH else [])


def _look(soak: Soak, seconds: float) -> Usage:
    usage, step = Usage(), max(0.25, seconds / 300)
    while time.monotonic() < soak.end:
        assert soak.peer.process is not None
        usage.memory.append(memory_of(soak.peer.process.pid))
        usage.files.append(open_files_of(soak.peer.process.pid))
        time.sleep(step)
    return usage


def _count_at_last(soak: Soak) -> None:
    with suppress(OSError):
        body = soak.peer.ask(PREFIX + _SEEN, patience=PATIENCE)
        [row] = json.loads(body)["results"]["bindings"]
        if row["n"] != {"type": "literal", "value": str(soak.acknowledged), "datatype": XSD + "integer"}:
            soak.note("wrong", "seen", f"{row['n']['value']} writes at the end, {soak.acknowledged} acknowledged")
        return
    soak.note("errors", "seen", "no answer at the end")


@click.command("soak")
@click.option("--seconds", type=click.FloatRange(1), default=600.0, show_default=True, help="How long.")
@click.option("--clients", type=click.IntRange(1), default=32, show_default=True, help="How many ask at once.")
@click.option("--size", type=click.IntRange(5_000), default=SIZE, show_default=True, help="Quads of the store.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def soak_command(seconds: float, clients: int, size: int, form: str) -> None:
    """Keep a server of its own busy with mixed reads and writes, and check every answer.

    The exit code is 1 where an answer was wrong, something failed that was not asked for, or memory grew.
    """
    soak, usage, off = soak_server(seconds, clients, size)
    if form == "json":
        show_json(_as_dict(soak, usage, off))
    else:
        _show(soak, usage, off, seconds, clients)
    if off:
        sys.exit(1)


def _show(soak: Soak, usage: Usage, off: list[str], seconds: float, clients: int) -> None:
    rows = [
        [kind, f"{len(times):,}", *(f"{quantile(times, share):,.1f}" for share in (0.5, 0.95, 0.99))]
        for kind, times in sorted(soak.latencies.items())
    ]
    (memory, memory_last), (files, files_last) = ends(usage.memory), ends(usage.files)
    notes = [
        f"Written and seen: {soak.acknowledged:,} of {soak.begun:,}.",
        f"Memory, first third and last: {memory / 1e6:,.0f} and {memory_last / 1e6:,.0f} MB; "
        f"open files: {files:,.0f} and {files_last:,.0f}.",
        *(f"wrong: {told}" for told in soak.wrong),
        *(f"error: {told}" for told in soak.errors),
        *(["the server printed at last:", *soak.printed] if off else []),
        f"Off: {'; '.join(off)}." if off else "All answers right, no error that was not asked for.",
    ]
    columns = ["kind", "as it must be", "p50 ms", "p95 ms", "p99 ms"]
    show_table(f"the soak: {clients} clients, {seconds:g} s", columns, rows, notes)


def _as_dict(soak: Soak, usage: Usage, off: list[str]) -> dict[str, object]:
    return {
        "requests": {kind: len(times) for kind, times in sorted(soak.latencies.items())},
        "p99_ms": {kind: round(quantile(times, 0.99), 2) for kind, times in sorted(soak.latencies.items())},
        "writes": {"begun": soak.begun, "acknowledged": soak.acknowledged},
        "wrong": soak.off["wrong"],
        "errors": soak.off["errors"],
        "samples": [*soak.wrong, *soak.errors],
        "memory_bytes": ends(usage.memory),
        "open_files": ends(usage.files),
        "printed": soak.printed if off else [],
        "off": off,
    }
