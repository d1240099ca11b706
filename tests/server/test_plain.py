"""Plain mode: any database of Oxigraph's, as it stands; written only where that is asked for, by nobody far away."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pyoxigraph as ox
import pytest

from server.bench import free_port
from tests.conftest import REPOSITORY
from tests.pace import within
from tests.server.plain_server import PlainServer, serve_plain


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that somebody else has made, blank nodes and all."""
    path = tmp_path_factory.mktemp("theirs") / "people.db"
    store = ox.Store(str(path))
    store.update("""INSERT DATA { <x:a> <x:knows> [ <x:name> "B" ] . GRAPH <x:g> { <x:a> <x:name> "A" , "A" } }""")
    store.update("""INSERT DATA { GRAPH <x:h> { <x:a> <x:name> "A" } }""")
    del store
    return path


@pytest.fixture(scope="module")
def reader(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainServer]:
    with serve_plain(tmp_path_factory.mktemp("reader"), store=database) as served:
        yield served


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainServer]:
    with serve_plain(tmp_path_factory.mktemp("writer"), "--writable") as served:
        yield served


def test_a_database_is_served_as_it_stands(reader: PlainServer) -> None:
    assert reader.query("SELECT ?n { <x:a> <x:knows> ?b . ?b <x:name> ?n }") == [["B"]]
    assert reader.query("SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }") == [["2"]]
    assert reader.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }") == [["2"]]
    assert len(reader.graph()) == 2
    assert len(reader.graph("x:h")) == 1


def test_our_prefixes_and_functions_are_not_there(reader: PlainServer) -> None:
    for query in (
        "SELECT * { ?s a ws:Assertion }",
        "SELECT (<https://w3id.org/whosays/ontology#label>(<x:a>) AS ?l) {}",
    ):
        assert reader.ask("GET", "/sparql", params={"query": query}).status_code == 400


@pytest.mark.parametrize("path", ["/update", "/store?default", "/store?graph=x:g", "/store/a"])
def test_without_leave_nothing_is_written(reader: PlainServer, path: str) -> None:
    before = [reader.graph(), reader.graph("x:g")]
    for method in ("POST",) if path == "/update" else ("PUT", "POST", "DELETE"):
        answer = reader.ask(method, path, content="CLEAR ALL", headers={"Content-Type": "application/sparql-update"})
        assert answer.status_code in (403, 405)
        if answer.status_code == 405:
            assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
        else:
            assert "--writable" in answer.text
    assert [reader.graph(), reader.graph("x:g")] == before
    assert "SPARQL11Update" not in reader.ask("GET", "/sparql").text


def test_pages_and_door_are_not_there(reader: PlainServer) -> None:
    for path in ("/queries", "/ontology", "/changes", "/proposals", "/id/a", "/graph/a", "/openapi.json"):
        assert reader.ask("GET", path).status_code == 404
    for path in ("/assertions", "/validate", "/proposals"):
        assert reader.ask("POST", path, content="x").status_code == 404


def test_the_database_can_be_served_and_is_unharmed(database: Path, reader: PlainServer, tmp_path: Path) -> None:
    with serve_plain(tmp_path, store=database) as other:
        assert other.query("SELECT ?n { ?b <x:name> ?n }") == reader.query("SELECT ?n { ?b <x:name> ?n }") == [["B"]]
    store = ox.Store(str(database))
    assert len(store) == 4
    del store


def refusal(*options: str) -> str:
    """Return why a server does not start."""
    command = [sys.executable, "-m", "server.command", "serve", "--plain", "--port", str(free_port()), *options]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    return done.stderr


def test_writing_without_a_token_is_for_the_loopback_only(tmp_path: Path) -> None:
    assert "loopback" in refusal("--writable", "--host", "0.0.0.0", "--store", str(tmp_path / "db"))
    assert not (tmp_path / "db").exists()


def test_there_must_be_a_database_to_read(tmp_path: Path) -> None:
    assert "there is no database" in refusal("--store", str(tmp_path / "nothing"))
    assert not (tmp_path / "nothing").exists()


def test_what_is_written_is_there_for_the_very_next_reader(writer: PlainServer) -> None:
    for number in range(30):
        writer.update(f"DELETE WHERE {{ <x:n> <x:is> ?old }} ; INSERT DATA {{ <x:n> <x:is> {number} }}")
        assert writer.query("SELECT ?n { <x:n> <x:is> ?n }") == [[str(number)]]


def test_many_may_write_at_once_and_nothing_is_lost(writer: PlainServer) -> None:
    writer.update("DROP ALL ; INSERT DATA { <x:counter> <x:is> 0 }")
    add = "DELETE { ?c <x:is> ?n } INSERT { ?c <x:is> ?m } WHERE { ?c <x:is> ?n BIND(?n + 1 AS ?m) }"
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: writer.update(add), range(40)))
    assert writer.query("SELECT ?n { <x:counter> <x:is> ?n }") == [["40"]]


def test_a_reader_sees_no_half_of_an_update(writer: PlainServer) -> None:
    writer.update("DROP ALL ; INSERT DATA { <x:a> <x:is> 0 . <x:b> <x:is> 0 }")
    wrong: list[list[str]] = []
    done = threading.Event()

    def read() -> None:
        with httpx.Client() as client:
            while not done.is_set():
                query = {"query": "SELECT ?a ?b { <x:a> <x:is> ?a . <x:b> <x:is> ?b }", "format": "csv"}
                rows = client.get(f"{writer.address}/sparql", params=query).text.split()[1:]
                wrong.extend([row] for row in rows if len(set(row.split(","))) != 1)

    reading = threading.Thread(target=read)
    reading.start()
    for number in range(1, 25):
        changed = " ; ".join(
            f"DELETE WHERE {{ <x:{name}> <x:is> ?o }} ; INSERT DATA {{ <x:{name}> <x:is> {number} }}" for name in "ab"
        )
        writer.update(changed)
    done.set()
    reading.join()
    assert wrong == []


def test_an_update_that_fails_changes_nothing_and_the_next_one_works(writer: PlainServer) -> None:
    writer.update("DROP ALL ; INSERT DATA { <x:kept> <x:is> 1 }")
    nested = "INSERT DATA { <x:a> <x:b> 1 } ; INSERT { <x:c> <x:d> 2 } WHERE {" + "{" * 2_500 + "}" * 2_500 + "}"
    for text, statuses in (
        ("CLEAR ALL ; CREATE GRAPH <x:g> ; CREATE GRAPH <x:g>", {400}),
        ("CLEAR ALL ; INSERT DATA { <x:a> <x:b> }", {400}),
        (nested, {204, 400, 413}),
    ):
        answer = writer.ask("POST", "/update", data={"update": text})
        assert answer.status_code in statuses
        assert ["1"] in writer.query("SELECT ?n { <x:kept> <x:is> ?n }")
    writer.update("INSERT DATA { <x:after> <x:is> 2 }")
    assert writer.query("SELECT ?n { <x:after> <x:is> ?n }") == [["2"]]


def test_a_bomb_of_an_update_is_stopped_and_undone(tmp_path: Path) -> None:
    with serve_plain(tmp_path, "--writable", "--set", "token_query_seconds=2") as served:
        served.update("INSERT DATA { <x:kept> <x:is> 1 }")
        values = " ".join(f"VALUES ?v{n} {{ {' '.join(map(str, range(100)))} }}" for n in range(8))
        bomb = f"CLEAR ALL ; INSERT {{ <x:b> <x:b> ?n }} WHERE {{ SELECT (SUM(?v1 + ?v7) AS ?n) {{ {values} }} }}"
        began = time.monotonic()
        answer = served.ask("POST", "/update", data={"update": bomb})
        assert answer.status_code == 413
        assert "mend: " in answer.text
        assert within(time.monotonic() - began, 15)
        assert served.query("SELECT ?n { <x:kept> <x:is> ?n }") == [["1"]]
        served.update("INSERT DATA { <x:after> <x:is> 2 }")
        assert served.query("SELECT ?n { <x:after> <x:is> ?n }") == [["2"]]


def test_what_was_written_outlives_the_server(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        with serve_plain(tmp_path / str(number), "--writable", store=tmp_path / "db") as served:
            assert len(served.query("SELECT * { ?s ?p ?o }")) == number
            served.update(f"INSERT DATA {{ <x:a> <x:n> {number} }}")
    store = ox.Store(str(tmp_path / "db"))
    assert len(store) == 2
    del store
