"""A plain server to talk to: any database of Oxigraph's behind the SPARQL protocols, on a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pyoxigraph as ox

from server.bench import free_port
from tests.conftest import REPOSITORY
from tests.pace import wait_for


@dataclass(frozen=True)
class PlainServer:
    """A running server.

    Parameters:
        address: of the server.
        process: its first process.
        log: what it prints.
        access: its access log.
    """

    address: str
    process: subprocess.Popen[bytes]
    log: Path
    access: Path
    client: httpx.Client = field(repr=False, default_factory=lambda: httpx.Client(timeout=60))

    def ask(self, method: str, path: str, **options: object) -> httpx.Response:
        """Send a request; the options are those of httpx."""
        return self.client.request(method, self.address + path, **options)  # type: ignore[arg-type]

    def query(self, text: str, **parameters: object) -> list[list[str]]:
        """Return the rows of an answer, without its head, each term in N-Triples."""
        answer = self.ask("GET", "/sparql", params={"query": text, **parameters}, headers={"Accept": "text/csv"})
        assert answer.status_code == 200, answer.text
        return [line.split(",") for line in answer.text.splitlines()[1:]]

    def update(self, text: str, **parameters: object) -> httpx.Response:
        """Send an update, and see that it is carried out."""
        answer = self.ask("POST", "/update", data={"update": text, **parameters})
        assert answer.status_code == 204, answer.text
        return answer

    def graph(self, name: str = "") -> frozenset[ox.Quad]:
        """Return what a graph holds, blank nodes named alike whenever they are alike."""
        parameters = {"graph": name} if name else {"default": ""}
        answer = self.ask("GET", "/store", params=parameters, headers={"Accept": "application/n-triples"})
        assert answer.status_code == 200, answer.text
        return alike(answer.content, ox.RdfFormat.N_TRIPLES)

    def lines(self) -> list[dict[str, object]]:
        """Return the access log, once all that has happened is written."""
        time.sleep(0.5)
        return [json.loads(line) for line in self.access.read_text("utf-8").splitlines()]


def alike(
    content: bytes | str, form: ox.RdfFormat = ox.RdfFormat.TURTLE, base: str | None = None
) -> frozenset[ox.Quad]:
    """Return statements such that the same content is always the same, whatever its blank nodes are called."""
    dataset = ox.Dataset(ox.parse(content, form, base_iri=base))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return frozenset(dataset)


@contextmanager
def serve_plain(work: Path, *options: str, store: Path | None = None) -> Iterator[PlainServer]:
    """Serve a database.

    Parameters:
        work: an empty folder.
        options: of the command, such as ``--writable``.
        store: the database; by default an empty one.
    """
    log, access, port = work / "server.log", work / "access.log", free_port()
    command = [sys.executable, "-m", "server.command", "serve", "--plain", "--port", str(port)]
    command += ["--store", str(store or work / "db"), "--set", f"access_log={access}", *options]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, stdout=output, stderr=output, env={**os.environ, "PYTHONPATH": "."}
        )
    served = PlainServer(f"http://127.0.0.1:{port}", process, log, access)
    try:
        _wait(served)
        yield served
    finally:
        served.client.close()
        process.terminate()
        process.wait(timeout=60)
    assert "Traceback" not in log.read_text("utf-8", "replace")


def _wait(served: PlainServer) -> None:
    def answers() -> bool:
        assert served.process.poll() is None, served.log.read_text("utf-8", "replace")
        return served.ask("GET", "/healthz").status_code == 200

    wait_for(answers)
