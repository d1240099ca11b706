"""A door to knock at: a real server on a store of its own, with a token for every role."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree

import httpx
import pyoxigraph as ox

from kg.publisher import history
from kg.store import StoreFolder
from kg.tokens import Tokens
from loaders.syntaxes import find_syntax
from server.bench import free_port
from tests.conftest import REPOSITORY, SAMPLE
from tests.pace import wait_for

JSON = "application/json"


@dataclass(frozen=True)
class ServedDoor:
    """A running server, its store, and what opens its door.

    Parameters:
        address: of the server.
        folder: its store.
        process: the server's first process.
        secrets: tokens by their bearers' names: anna and ben contribute, cleo and dora curate.
        log: what the server prints.
    """

    address: str
    folder: StoreFolder
    process: subprocess.Popen[bytes]
    secrets: Mapping[str, str] = field(repr=False)
    log: Path
    client: httpx.Client = field(repr=False, default_factory=lambda: httpx.Client(timeout=90))

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        by: str | None = None,
        form: str = "yaml",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request.

        Parameters:
            body: bytes are sent as they are, as `form`; anything else as JSON.
            by: whose token is sent.
            form: short name of a syntax, or a media type.
            headers: to send beside or instead.
        """
        told = {"Accept": JSON}
        if by is not None:
            told["Authorization"] = f"Bearer {self.secrets[by]}"
        content = b""
        if isinstance(body, bytes):
            content, told["Content-Type"] = body, form if "/" in form else find_syntax(form).media_types[0]
        elif body is not None:
            content, told["Content-Type"] = json.dumps(body).encode(), JSON
        return self.client.request(method, self.address + path, content=content, headers=told | dict(headers or {}))

    def rows(self, query: str) -> list[list[str]]:
        """Return the answer to a query, without its head."""
        answer = self.client.post(self.address + "/sparql", data={"query": query}, headers={"Accept": "text/csv"})
        assert answer.status_code == 200, answer.text
        return [line.split(",") for line in answer.text.splitlines()[1:]]

    def state(self) -> frozenset[ox.Quad]:
        """Return all that is published."""
        with self.folder.snapshot() as snapshot:
            return frozenset(snapshot.store)

    def numbers(self) -> list[int]:
        """Return the numbers of all changes that the history tells of."""
        return [entry.number for entry in history(self.folder).entries(limit=10_000)][::-1]

    def workers(self) -> frozenset[int]:
        """Return the ids of the processes that answer requests, and of the writer."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        others = [p for p in Path(f"/proc/{self.process.pid}/task").glob("*/children") if p != children]
        return frozenset(int(pid) for path in [children, *others] for pid in path.read_text().split())

    def writer(self) -> int | None:
        """Return the id of the process that writes; None while it is started anew."""
        for pid in self.workers():
            with suppress(OSError):
                if b"kg.writing" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
        return None

    def leftovers(self) -> list[str]:
        """Return the names of copies that somebody forgot in the store's folder."""
        return [path.name for path in self.folder.path.glob("copy*")]


@contextmanager
def serve_door(sample: Path, work: Path) -> Iterator[ServedDoor]:
    """Serve a copy of a published store.

    Parameters:
        sample: folder of the store.
        work: an empty folder.
    """
    store, log = work / "store", work / "server.log"
    copytree(sample, store, symlinks=True)
    tokens = Tokens(store / "tokens.sqlite")
    secrets = {name: tokens.make(name, "contributor", days=1) for name in ("anna", "ben")}
    secrets |= {name: tokens.make(name, "curator", days=1) for name in ("cleo", "dora")}
    port = free_port()
    command = [sys.executable, "-m", "server.command", "serve", "--port", str(port)]
    command += ["--store", str(store), "--texts", str(SAMPLE / "texts")]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, stdout=output, stderr=output, env={**os.environ, "PYTHONPATH": "."}
        )
    door = ServedDoor(f"http://127.0.0.1:{port}", StoreFolder(store), process, secrets, log)
    try:
        _wait(door)
        yield door
    finally:
        door.client.close()
        process.terminate()
        process.wait(timeout=60)


def _wait(door: ServedDoor) -> None:
    def answers() -> bool:
        assert door.process.poll() is None, door.log.read_text("utf-8", "replace")
        return bool(door.client.get(door.address + "/changes"))

    wait_for(answers)
