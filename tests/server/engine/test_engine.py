"""The engine room: caps that show, questions that are stopped, processes that die and come back."""

import csv
import gzip
import io
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.settings import Settings
from server.bench_peers import Peer, descendants
from server.engine.messages import BODY, END, HEAD, Ask, End, Head, Unpacker, pack, pack_object, unpack_object
from tests.door import serve_door
from tests.pace import wait_for, within
from tests.server.attacks import (
    ENDLESS,
    RESULTS,
    STREAMS,
    SUBJECTS,
    E,
    Reply,
    ask_point,
    family,
    get,
    make_database,
    make_server,
    request,
    send,
)

ROWS, BYTES = 3_000, 300_000
SOON = 1.0

JSON, XML = RESULTS, "application/sparql-results+xml"
CSV, TSV = "text/csv", "text/tab-separated-values"
TURTLE, NT = "text/turtle", "application/n-triples"


@contextmanager
def served(folder: Path, *options: str, **settings: object) -> Iterator[Peer]:
    peer = make_server(make_database(folder), folder / "log", *options, **settings)
    peer.start()
    try:
        yield peer
    finally:
        peer.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with served(
        tmp_path_factory.mktemp("engine"), query_seconds=1, query_memory="300 MB", answer_rows=ROWS, answer_bytes=BYTES
    ) as peer:
        yield peer


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Peer]:
    """A server of its own, to be killed."""
    with served(tmp_path, query_seconds=20) as peer:
        yield peer


def running(peer: Peer) -> list[dict[str, str]]:
    return list(json.loads(send(peer, "", method="GET", path="/running").body))


def lives(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody has buried yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# Messages.


@given(st.lists(st.tuples(st.sampled_from([HEAD, BODY, END]), st.binary(max_size=300))), st.lists(st.integers(1, 50)))
def test_messages_come_out_as_they_went_in_however_they_are_cut(
    messages: list[tuple[bytes, bytes]], steps: list[int]
) -> None:
    wire = b"".join(pack(kind, body) for kind, body in messages)
    unpacker, got = Unpacker(), []
    for step in [*steps, len(wire)]:
        got += unpacker.feed(wire[:step])
        wire = wire[step:]
    assert got == messages


@pytest.mark.parametrize(
    "value", [Head("1", "text/csv", True), End(3, 4), Ask("query", "ASK {}", values=(("a", ("b",)),))]
)
def test_objects_travel(value: Head | End | Ask) -> None:
    kind = {Head: HEAD, End: END, Ask: b"a"}[type(value)]
    assert unpack_object(kind, pack_object(kind, value)[5:]) == value


# Caps.


def count(reply: Reply, media_type: str) -> int:
    """How many rows or statements an answer has; it must parse."""
    body = gzip.decompress(reply.body) if reply.headers.get("content-encoding") == "gzip" else reply.body
    if media_type == CSV:
        return len(list(csv.reader(io.StringIO(body.decode(), newline="")))) - 1
    if media_type in (TURTLE, NT):
        form = ox.RdfFormat.from_media_type(media_type)
        assert form is not None
        return len(list(ox.parse(body, form)))
    form_of_rows = ox.QueryResultsFormat.from_media_type(media_type)
    assert form_of_rows is not None
    solutions = ox.parse_query_results(body, format=form_of_rows)
    assert isinstance(solutions, ox.QuerySolutions)
    return len(list(solutions))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("media_type", [JSON, XML, CSV, TSV, TURTLE, NT])
def test_an_answer_is_whole_and_right_or_is_seen_not_to_be(server: Peer, media_type: str, packed: bool) -> None:
    """However large it would be: below the caps it is whole, above them refused, or cut after its beginning."""
    seen = set()
    for wanted in (0, 1, 2, 500, ROWS - 1, ROWS, ROWS + 50, SUBJECTS - 1, SUBJECTS * 3):
        head = "CONSTRUCT { ?s ?p ?o }" if media_type in (TURTLE, NT) else "SELECT ?s ?o"
        text = f"{head} {{ ?s ?p ?o }} LIMIT {wanted} # {packed}"
        headers = {"Accept": media_type} | ({"Accept-Encoding": "gzip"} if packed else {})
        reply = send(server, text, headers=headers)
        if reply.status == 200 and reply.whole:
            assert count(reply, media_type) == wanted
            assert wanted <= ROWS or media_type == TURTLE, "rows of Turtle are not counted"
            seen.add("whole")
        elif reply.status == 200:
            assert reply.size < 2 * BYTES
            seen.add("cut")
        else:
            assert reply.status == 413, reply
            assert b"LIMIT" in reply.body
            seen.add("refused")
    assert "whole" in seen
    assert len(seen) > 1


@pytest.mark.alone
@pytest.mark.parametrize("form", ["json", "xml", "csv", "tsv"])
def test_a_deadline_in_the_midst_of_an_answer_cuts_it(tmp_path: Path, form: str) -> None:
    with served(tmp_path, query_seconds=1.2) as peer:
        for headers in ({}, {"Accept-Encoding": "gzip"}):
            reply = send(peer, "", method="GET", path=get(STREAMS["rows"], format=form), headers=headers)
            assert (reply.status, reply.whole) == (200, False)


@pytest.mark.alone
def test_the_deadline_is_told(server: Peer) -> None:
    reply = send(server, ENDLESS["count"])
    assert reply.status == 504
    assert reply.whole
    assert reply.seconds > 0.9
    assert within(reply.seconds, 1 + SOON)


@pytest.mark.alone
def test_the_memory_cap_is_told(tmp_path: Path) -> None:
    with served(tmp_path, query_seconds=30, query_memory="300 MB") as peer:
        for name in ("doubled by CONCAT", "ordered"):
            reply = send(peer, ENDLESS[name], patience=60)
            assert reply.status == 503, name
            assert b"memory" in reply.body
            assert within(ask_point(peer), SOON)


# Who hangs up, cancels, has asked too much.


@pytest.mark.parametrize("text", [ENDLESS["count"], STREAMS["rows"]])
def test_who_hangs_up_stops_the_query(mortal: Peer, text: str) -> None:
    with socket.create_connection(mortal.address) as connection:
        connection.sendall(request("POST", "/sparql", text.encode()))
        wait_for(lambda: len(running(mortal)) == 1)
    assert within(wait_for(lambda: running(mortal) == []), SOON)


def test_a_query_is_cancelled_by_its_id(mortal: Peer) -> None:
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(send, mortal, "", method="GET", path=get(ENDLESS["count"], **{"query-id": "first"}))
        other = pool.submit(send, mortal, "", method="GET", path=get(ENDLESS["sum"], timeout="2"))
        wait_for(lambda: len(running(mortal)) == 2)
        assert send(mortal, "", method="DELETE", path="/running/first").status == 200
        assert first.result().status == 503
        assert b"cancelled" in first.result().body
        assert other.result().status == 504
    assert send(mortal, "", method="DELETE", path="/running/first").status == 404


def test_two_queries_of_one_id_are_both_watched(mortal: Peer) -> None:
    """The end of one took the watch over the other away, so that it went on when its client had left."""
    path = get(ENDLESS["count"], **{"query-id": "same"})
    with socket.create_connection(mortal.address) as connection:
        connection.sendall(request("GET", f"{path}&timeout=15"))
        wait_for(lambda: len(running(mortal)) == 1)
        assert (
            send(mortal, "", method="GET", path=get(ENDLESS["sum"], timeout="0.3", **{"query-id": "same"})).status
            == 504
        )
    assert within(wait_for(lambda: running(mortal) == []), SOON)


def test_a_budget_is_spent_and_lies_do_not_fill_it(tmp_path: Path) -> None:
    with served(tmp_path, query_seconds=1.5, budget_seconds=2, budget_window=30) as peer:
        statuses = [send(peer, f"{ENDLESS['count']} # {n}").status for n in range(4)]
        assert statuses[0] == 504
        assert statuses[-1] == 429
        refused = send(peer, f"SELECT * {{ <{E}s1> <{E}p> ?o }}")
        assert refused.status == 429
        assert 0 < int(refused.headers["retry-after"]) <= 30
        for lie in ("203.0.113.1", "127.0.0.2", "::1"):
            assert send(peer, "ASK { ?s ?p 1 }", headers={"X-Forwarded-For": lie}).status == 429


def test_holders_of_tokens_have_a_budget_and_a_deadline_of_their_own(
    sample_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"QUERY_SECONDS": 1, "TOKEN_QUERY_SECONDS": 3, "BUDGET_SECONDS": 1, "TOKEN_BUDGET_SECONDS": 100}
    for name, value in settings.items():
        monkeypatch.setenv(f"WHOSAYS_{name}", str(value))
    with serve_door(sample_settings.store, tmp_path) as door:

        def ask(text: str, by: str | None = None) -> tuple[int, float]:
            began = time.monotonic()
            answer = door.ask("POST", "/sparql", text.encode(), by=by, form="application/sparql-query")
            return answer.status_code, time.monotonic() - began

        assert ask(ENDLESS["count"])[0] == 504
        ask(ENDLESS["sum"])
        assert ask("ASK { ?s ?p 'new' }")[0] == 429
        status, took = ask(ENDLESS["count"], "anna")
        assert (status, took > 2.5) == (504, True)
        assert ask("ASK { ?s ?p 'newer' }", "anna")[0] == 200
        assert door.ask("GET", "/running").status_code == 401
        assert door.ask("GET", "/running", by="anna").status_code == 403
        assert door.ask("GET", "/running", by="cleo").status_code == 200


# Processes that die.


@pytest.mark.alone
@pytest.mark.parametrize("kind", ["worker", "nursery", "front"])
def test_a_process_that_is_killed_is_replaced(mortal: Peer, kind: str) -> None:
    for pid in family(mortal)[kind]:
        os.kill(pid, signal.SIGKILL)
    assert within(wait_for(lambda: ask_point(mortal) < SOON), 15)
    for _ in range(10):
        assert within(ask_point(mortal), SOON)
    assert family(mortal)[kind]


def test_a_query_whose_worker_is_killed_is_told(mortal: Peer) -> None:
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(send, mortal, ENDLESS["count"])
        wait_for(lambda: len(running(mortal)) == 1)
        for pid in family(mortal)["worker"]:
            os.kill(pid, signal.SIGKILL)
        assert told.result().status == 503


@pytest.mark.parametrize("ends", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("busy", [False, True])
def test_nothing_is_left_of_a_server_that_ends(mortal: Peer, ends: signal.Signals, busy: bool) -> None:
    assert mortal.process is not None
    with ThreadPoolExecutor(2) as pool:
        if busy:
            for name in ("count", "sum"):
                pool.submit(send, mortal, ENDLESS[name])
            wait_for(lambda: len(running(mortal)) == 2)
        processes = [mortal.process.pid, *descendants(mortal.process.pid)]
        mortal.process.send_signal(ends)
        assert within(wait_for(lambda: mortal.process is None or mortal.process.poll() is not None), 5)
        assert within(wait_for(lambda: not any(map(lives, processes))), 1)


def test_a_reload_changes_the_front_and_nobody_notices(mortal: Peer) -> None:
    assert mortal.process is not None
    front = family(mortal)["front"]
    mortal.process.send_signal(signal.SIGHUP)
    assert within(wait_for(lambda: family(mortal)["front"] not in (front, [])), 15)
    assert within(wait_for(lambda: ask_point(mortal) < SOON), 5)
    assert within(wait_for(lambda: len(family(mortal)["front"]) == 1), 15)
