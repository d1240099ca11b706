"""The endpoint under attack: bombs, liars, clients that mean no good. After each, who asks honestly is answered.

What the attacks are stands in `tests.server.attacks`. One server bears them all; in the end it is
looked at once more: the same front, the same number of processes, files and bytes.
"""

import gzip
import json
import os
import resource
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import quote

import pytest

from kg.settings import Settings
from server.bench_peers import Peer
from tests.door import ServedDoor, serve_door
from tests.pace import PATIENCE, wait_for, within
from tests.server.attacks import (
    DEEP,
    ENDLESS,
    FORM,
    LARGE,
    OUTWARD,
    QUERY,
    SERVICES,
    STREAMS,
    E,
    ask_point,
    family,
    files_of_front,
    get,
    make_database,
    make_server,
    measure_meanwhile,
    memory_of_front,
    outward,
    request,
    send,
    zombies,
)
from tests.server.test_fuzz import Trap

pytestmark = [pytest.mark.slow, pytest.mark.alone]

POINT = f"SELECT ?o {{ <{E}s1> <{E}p> ?o }}"
DEADLINE = 0.5
"""Seconds that bombs are given, by the parameter `timeout`, so that many can be tried."""

BOMB = f"/sparql?timeout={DEADLINE}"
CAP = 600_000_000
"""Bytes that a query may take."""

SOON = 1.0
"""Seconds in which an honest query is to be answered after each attack."""

CACHE = 2_000_000
STRANGER = "203.0.113.7"
"""An address from which the attacks come, as a proxy tells."""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_database(tmp_path_factory.mktemp("attacked"))


@pytest.fixture(scope="module")
def server(database: Path) -> Iterator[Peer]:
    low, high = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(high, 8_192) if high > 0 else 8_192, high))
    peer = make_server(
        database,
        database.parent / "log",
        query_seconds=2,
        query_memory=str(CAP),
        cache_bytes=CACHE,
        proxies="127.0.0.1",
        budget_seconds=0,
        metrics="all",
    )
    peer.start()
    try:
        for _ in range(20):
            ask_point(peer)
        before, memory, files = family(peer), peer.memory(), files_of_front(peer)
        yield peer
        for _ in range(50):  # what was hung up on is cleared away
            time.sleep(0.1)
            if files_of_front(peer) <= files + 8 and len(family(peer)["worker"]) <= 4:
                break
        after = family(peer)
        assert after["front"] == before["front"], "the front died and was started anew"
        assert after["nursery"] == before["nursery"]
        assert len(after["worker"]) <= 4, after
        assert zombies(peer) == []
        assert files_of_front(peer) <= files + 8
        assert peer.memory() < memory + 150_000_000
        told = (database.parent / "log").read_text("utf-8", "replace")
        assert "Traceback" not in told
    finally:
        peer.stop()
        resource.setrlimit(resource.RLIMIT_NOFILE, (low, high))


@pytest.fixture(autouse=True)
def stands(server: Peer) -> Iterator[None]:
    front = family(server)["front"]
    yield
    assert within(wait_for(lambda: ask_point(server)), SOON)
    assert family(server)["front"] == front
    assert outward(server) == []


# Queries.


@pytest.mark.parametrize("name", DEEP)
def test_deep_queries_are_answered_or_end_their_worker_only(server: Peer, name: str) -> None:
    reply = send(server, DEEP[name](1_500), path=BOMB)
    assert reply.status in (200, 400, 413, 503, 504)
    assert reply.whole or reply.status == 200


@pytest.mark.parametrize("levels", [4_000, 9_000, 20_000, 500_000])
def test_groups_in_groups(server: Peer, levels: int) -> None:
    reply = send(server, DEEP["groups"](levels), path=BOMB)
    assert reply.status in ((200, 503, 504) if levels < 10_000 else (413,)), reply
    assert reply.whole


def test_behind_the_guards_the_stack_and_the_death_of_workers_hold(database: Path) -> None:
    peer = make_server(
        database, database.parent / "unguarded", query_seconds=2, query_bytes="10 MB", query_tokens=10_000_000
    )
    names = (
        "groups", "OPTIONAL in OPTIONAL", "BIND after BIND", "UNION after UNION", "EXISTS in EXISTS", "path: + of +",
        "FILTER brackets", "subselects", "signs", "triple terms", "blank nodes",
    )  # fmt: skip
    peer.start()
    try:
        front = family(peer)["front"]
        for name in names:
            assert send(peer, DEEP[name](20_000)).status in (200, 400, 503, 504), name
            assert within(ask_point(peer), SOON)
        assert send(peer, DEEP["groups"](200_000)).status in (200, 503, 504)
        assert within(ask_point(peer), SOON)
        assert family(peer)["front"] == front
    finally:
        peer.stop()


@pytest.mark.parametrize("name", ENDLESS)
def test_endless_queries_are_stopped_and_the_client_is_told(server: Peer, name: str) -> None:
    reply = send(server, ENDLESS[name], path=BOMB)
    assert reply.status in (503, 504), reply
    assert reply.whole
    assert within(reply.seconds, DEADLINE + SOON)
    assert "stopped" in json.loads(reply.body)["title"]


@pytest.mark.parametrize("name", STREAMS)
def test_answers_without_end_are_cut_so_that_it_shows(server: Peer, name: str) -> None:
    reply = send(server, STREAMS[name], path=BOMB)
    assert reply.status in (200, 504)
    assert reply.whole == (reply.status == 504), "an answer that was cut looks whole"
    assert within(reply.seconds, DEADLINE + SOON)


@pytest.mark.parametrize("name", LARGE)
def test_large_honest_queries_are_answered(server: Peer, name: str) -> None:
    text, rows = LARGE[name]
    reply = send(server, text, path="/sparql?format=csv")
    if reply.status == 504 or not reply.whole:
        pytest.skip("this machine is too busy to do it within the deadline")
    assert reply.status == 200, reply
    assert reply.body.count(b"\r\n") == rows + 1 or reply.size > 1_000_000


def test_a_hundred_bombs_of_a_stranger_keep_nobody_waiting(server: Peer) -> None:
    texts = [f"{text} # {n}" for n in range(4) for text in ENDLESS.values()][:100]
    with ThreadPoolExecutor(100) as pool:
        told = [pool.submit(send, server, text, headers={"X-Forwarded-For": STRANGER}) for text in texts]
        time.sleep(0.3)
        took = [ask_point(server) for _ in range(20)]
        statuses = {one.result().status for one in told}
    assert within(sorted(took)[18], SOON)
    assert statuses <= {503, 504}


def test_a_query_that_is_long_to_read_keeps_nobody_waiting(server: Peer) -> None:
    text = f"SELECT * {{ VALUES ?x {{ {'1 ' * 480_000} }} }}"
    with ThreadPoolExecutor(4) as pool:
        told = [pool.submit(send, server, f"{text} # {n}", headers={"X-Forwarded-For": STRANGER}) for n in range(4)]
        took = []
        while not all(one.done() for one in told):
            took.append(ask_point(server))
    assert within(sorted(took)[len(took) // 2], 0.1)


# Reaching out.


def test_no_query_reaches_out(server: Peer) -> None:
    trap = Trap()
    try:
        for text in SERVICES:
            for reply in (
                send(server, text.replace("@@", f"http://127.0.0.1:{trap.port}/x")),
                send(server, "", method="GET", path=get(text.replace("@@", f"http://127.0.0.1:{trap.port}/x"))),
            ):
                assert reply.status == (400 if "SERVICE" in text.upper() or "\\u" in text else reply.status), text
                assert reply.status in (200, 400), text
                assert b"root:" not in reply.body
        outside = f"http://127.0.0.1:{trap.port}/g"
        for name in ("default-graph-uri", "named-graph-uri"):
            assert send(server, "", method="GET", path=get("SELECT * { ?s ?p ?o }", **{name: outside})).whole
        assert send(server, "", method="GET", path=f"/store?graph={quote(outside, safe='')}").status == 404
        time.sleep(0.1)
        assert trap.calls == 0
    finally:
        trap.close()


def test_workers_have_no_network_where_the_system_lets_them_leave_it(server: Peer) -> None:
    processes = family(server)
    own = os.readlink(f"/proc/{processes['front'][0]}/ns/net")
    theirs = {os.readlink(f"/proc/{pid}/ns/net") for pid in processes["worker"]}
    if theirs == {own}:
        pytest.skip("the system does not let a process leave the network")
    assert own not in theirs


def test_no_update_reaches_out(tmp_path: Path) -> None:
    trap = Trap()
    peer = make_server(make_database(tmp_path), tmp_path / "log", "--writable")
    peer.start()
    try:
        for text in (*OUTWARD, *(text for text in SERVICES if "SERVICE" in text)):
            update = text.replace("@@", f"http://127.0.0.1:{trap.port}/x")
            assert send(peer, update, path="/update", content="application/sparql-update").status == 400, text
            assert send(peer, f"update={quote(update, safe='')}", path="/update", content=FORM).status == 400, text
        time.sleep(0.1)
        assert trap.calls == 0
        assert within(ask_point(peer), SOON)
    finally:
        peer.stop()
        trap.close()


def test_no_saved_query_and_no_update_of_a_graph_reaches_out(sample_settings: Settings, tmp_path: Path) -> None:
    trap = Trap()
    with serve_door(sample_settings.store, tmp_path) as door:
        for number, text in enumerate(SERVICES):
            if "SERVICE" in text:
                body = f"# title: x\n# description: x\n{text.replace('@@', f'http://127.0.0.1:{trap.port}/x')}"
                put(door, f"/queries/reaching-{number}", body.encode(), "application/sparql-query")
        for text in OUTWARD:
            body = text.replace("@@", f"http://127.0.0.1:{trap.port}/x")
            put(door, "/update", body.encode(), "application/sparql-update", "POST")
        time.sleep(0.1)
    trap.close()
    assert trap.calls == 0


def put(door: ServedDoor, path: str, body: bytes, form: str, method: str = "PUT") -> None:
    answer = door.ask(method, path, body, by="cleo", form=form)
    assert 400 <= answer.status_code < 500, (body, answer.text)


# Connections.


def connect(server: Peer) -> socket.socket:
    return socket.create_connection(server.address, timeout=PATIENCE)


def read_to_end(connection: socket.socket, most: int = 10_000_000) -> bytes:
    """Read until the server closes the connection, says nothing for a second, or has said so much."""
    connection.settimeout(1)
    got = bytearray()
    with suppress(OSError):
        while (piece := connection.recv(65_536)) and len(got) < most:
            got += piece
    return bytes(got)


def bodies_larger_than_queries_may_be(server: Peer) -> None:
    for content in (QUERY, FORM):
        assert send(server, b"query=" + b"x" * 20_000_000, content=content).status in (0, 413)
    with connect(server) as connection:
        connection.sendall(b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n")  # fmt: skip
        with suppress(OSError):
            for _ in range(1_000):
                connection.sendall(b"ffff\r\n" + b"x" * 65_535 + b"\r\n")
        assert read_to_end(connection)[:12] in (b"HTTP/1.1 413", b"")


def bodies_that_are_packed(server: Peer) -> None:
    bomb = gzip.compress(b"SELECT * {}" + b" " * 200_000_000, 9)
    for content in (QUERY, FORM):
        reply = send(server, bomb, content=content, headers={"Content-Encoding": "gzip"})
        assert 400 <= reply.status < 500


def bodies_byte_by_byte(server: Peer) -> None:
    with connect(server) as connection:
        for byte in request("POST", "/sparql", POINT.encode(), Connection="close"):
            connection.sendall(bytes([byte]))
            time.sleep(0.002)
        assert b"/s2" in read_to_end(connection)


def bodies_that_never_come(server: Peer) -> None:
    with ExitStack() as stack:
        for _ in range(200):
            connection = stack.enter_context(connect(server))
            connection.sendall(request("POST", "/sparql", b"x" * 1_000)[:-1_000])
        assert within(ask_point(server), SOON)


def clients_that_hang_up_at_once(server: Peer) -> None:
    texts = [POINT, *ENDLESS.values(), *STREAMS.values()]
    for number in range(500):
        connection = connect(server)
        connection.sendall(request("POST", "/sparql", f"{texts[number % len(texts)]} # {number}".encode()))
        if number % 2:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


def idle_connections(server: Peer) -> None:
    with ExitStack() as stack:
        for _ in range(1_000):
            stack.enter_context(connect(server))
        assert within(ask_point(server), SOON)


def half_requests(server: Peer) -> None:
    with ExitStack() as stack:
        for text in (
            b"G",
            b"GET /sparql?que",
            b"GET /sparql HTTP/1.1\r\nHo",
            b"POST /sparql HTTP/1.1\r\nContent-Le",
        ) * 50:
            stack.enter_context(connect(server)).sendall(text)
        assert within(ask_point(server), SOON)


def headers_without_end(server: Peer) -> None:
    for lines in (
        b"X: " + b"x" * 2_000_000,
        b"".join(b"X%d: x\r\n" % n for n in range(20_000)),
        b"Accept: a/b\r\n" * 90,
    ):
        with connect(server) as connection, suppress(OSError):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + lines + b"\r\n\r\n")
            assert read_to_end(connection)[9:10] in (b"2", b"4", b"")
    with connect(server) as connection, suppress(OSError):
        connection.sendall(b"GET /sparql?query=" + b"x" * 2_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_to_end(connection)[9:10] in (b"4", b"")


def pipelined_requests(server: Peer) -> None:
    asked = [request("GET", get(f"SELECT ?o {{ <{E}s{n}> <{E}p> ?o }}", format="csv")) for n in range(300)]
    with connect(server) as connection:
        sender = threading.Thread(target=lambda: connection.sendall(b"".join(asked)))
        sender.start()
        got = read_to_end(connection)
        sender.join()
    assert [int(line.rpartition(b"/s")[2]) for line in got.split(b"\r\n") if line.startswith(E.encode())] == [
        *range(1, 301)
    ]


def only_the_head(server: Peer) -> None:
    for text in (ENDLESS["count"], ENDLESS["ordered"]):
        reply = send(server, "", method="HEAD", path=get(text))
        assert (reply.status in (503, 504), reply.size) == (True, 0)
    for text in STREAMS.values():
        reply = send(server, "", method="HEAD", path=get(text))
        assert (reply.status, reply.size) == (200, 0)
    time.sleep(0.2)
    assert json.loads(send(server, "", method="GET", path="/running").body) == []


def deadlines_of_their_own(server: Peer) -> None:
    begun = False
    for seconds in (0.2, 0.4, 0.8, 1.6):  # until some rows were sent before the end
        reply = send(server, "", method="GET", path=get(STREAMS["rows"], timeout=str(seconds)))
        assert reply.status == 504 or not reply.whole
        assert within(reply.seconds, seconds + SOON)
        begun = begun or reply.status == 200
    assert begun
    assert within(send(server, "", method="GET", path=get(ENDLESS["count"], timeout="99999")).seconds, 2 + SOON)
    for strange in ("-1", "0", "nan", "inf", "1e999", "1e-999", "x", "9" * 5_000, "٣"):
        assert send(server, "", method="GET", path=get(POINT, timeout=strange)).status in (200, 400), strange


def names_of_queries(server: Peer) -> None:
    with ThreadPoolExecutor(8) as pool:
        told = [
            pool.submit(send, server, "", method="GET", path=get(f"{text} # {n}", **{"query-id": "same"}))
            for n in range(8)
            for text in (f"SELECT ?o {{ <{E}s{n}> <{E}p> ?o }}", ENDLESS["count"])
        ]
        replies = [one.result() for one in told]
    for n in range(8):
        assert f'"{E}s{n + 1}"'.encode() in replies[2 * n].body
        assert replies[2 * n + 1].status == 504
    for strange in ("a b", "../x", "x\r\nSet-Cookie: a=b", "é", "x" * 65, "<script>", "a/b", "%00", "-" * 64):
        reply = send(server, "", method="GET", path=get(POINT, **{"query-id": strange}))
        assert reply.status == 400, strange
        assert "set-cookie" not in reply.headers


def names_of_others(server: Peer) -> None:
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(send, server, "", method="GET", path=get(ENDLESS["sum"], **{"query-id": "mine"}))
        time.sleep(0.1)
        for strange in ("", "*", "0", "min", "minee", "mine/", "%2e%2e", "mine%00", "MINE", "mine?x", "x" * 9_000):
            reply = send(server, "", method="DELETE", path=f"/running/{strange}")
            assert reply.status == (200 if strange == "mine?x" else 404), strange
        assert told.result().status == 503
    for method in ("GET", "POST", "PUT", "PATCH"):
        assert send(server, "", method=method, path="/running/mine").status == 405


def lies_about_who_asks(server: Peer) -> None:
    for lie in ("127.0.0.1", "::1", "x", ",,,,", "1" * 10_000, ", ".join(["127.0.0.1"] * 500), "\x7f", "203.0.113.7"):
        assert send(server, "", method="GET", path=get(POINT), headers={"X-Forwarded-For": lie}).status in (200, 400)
    assert send(server, "", method="GET", path="/running", headers={"X-Forwarded-For": STRANGER}).status == 401


def many_small_answers(server: Peer) -> None:
    def ask(first: int) -> None:
        with connect(server) as connection:
            for number in range(first, first + 1_000):
                connection.sendall(request("GET", get(f"{POINT} # {number}"), Accept="text/csv"))
                assert connection.recv(65_536).startswith(b"HTTP/1.1 200")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(0, 4_000, 1_000)))
    assert 0 < cached_bytes(server) <= CACHE


def large_headers_with_small_answers(server: Peer) -> None:
    memory = server.memory()
    for number in range(300):
        large = f"text/csv, {number}{'x' * 300_000}"
        assert send(server, "", method="GET", path=get(POINT), headers={"Accept": large}).status == 200
        other = {"Accept-Encoding": large, "Host": f"h{number}.{'x' * 50_000}"}
        assert send(server, "", method="GET", path=get(POINT), headers=other).status in (200, 400, 431)
    assert server.memory() < memory + 60_000_000
    assert cached_bytes(server) <= CACHE


def cached_bytes(server: Peer) -> float:
    text = send(server, "", method="GET", path="/metrics").body.decode()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith("whosays_cache_bytes "))


def accept_headers(server: Peer) -> None:
    ranges = ", ".join(f"text/x{n};q=0.{n % 10}" for n in range(10_000))
    for accept in (
        ranges,
        f"text/csv, {ranges}",
        "," * 100_000,
        ";q=" * 50_000,
        "*/*;q=nan",
        "text/csv;q=1e9",
        '"' * 9_999,
    ):
        reply = send(server, "", method="GET", path=get(POINT), headers={"Accept": accept})
        assert reply.status in (200, 406), accept[:40]
        assert within(reply.seconds, SOON)


def formats_of_nonsense(server: Peer) -> None:
    for form in ("nonsense", "../../etc/passwd", "x" * 9_000, "a/b;c=d", "\0", "text/html", "*/*", "json,csv"):
        assert send(server, "", method="GET", path=get(POINT, format=form)).status in (200, 400, 406), form


def percent_signs(server: Peer) -> None:
    for text in ("%", "%4", "%zz", "%00", "%ff%fe", "%25" * 50_000, "%41" * 100_000, "%C0%AF", "+" * 100_000):
        assert send(server, "", method="GET", path=f"/sparql?query={text}").status in (400, 413, 414), text[:20]
        assert send(server, f"query={text}", content=FORM).status in (400, 413), text[:20]
    reply = send(server, "query=" + "%41" * 1_000_000, content=FORM)
    assert reply.status in (400, 413)
    for path in ("//sparql", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/store/%00", "/sparql/", "/%ff", "*"):
        reply = send(server, "", method="GET", path=path)
        assert reply.status < 500, path
        assert b"root:" not in reply.body


def ten_thousand_parameters(server: Peer) -> None:
    many = "&".join(f"p{n}={n}" for n in range(10_000))
    assert send(server, "", method="GET", path=f"{get(POINT)}&{many}").status in (400, 414)
    assert send(server, f"query={quote(POINT)}&{many}", content=FORM).status == 400
    graphs = "&".join(f"default-graph-uri=http://x/{n}" for n in range(900))
    assert send(server, f"query={quote(POINT)}&{graphs}", content=FORM).status == 200


def tags(server: Peer) -> None:
    tag = send(server, "", method="GET", path=get(POINT)).headers["etag"]
    other = get(f"SELECT ?o {{ <{E}s7> <{E}p> ?o }}")
    for known in (
        tag,
        f"{tag}, {tag}",
        '"x"',
        'W/"',
        "W/" * 5_000,
        ", ".join(['"a"'] * 10_000),
        tag[:-2] + '"',
        tag[3:8],
    ):
        reply = send(server, "", method="GET", path=other, headers={"If-None-Match": known})
        assert reply.status == 200, known[:80]
        assert b"/s8" in reply.body
    assert send(server, "", method="GET", path=get(POINT), headers={"If-None-Match": tag}).status == 304
    assert send(server, "", method="GET", path=get(ENDLESS["count"]), headers={"If-None-Match": "*"}).status == 504


def who_reads_nothing(server: Peer) -> None:
    memory, whole = memory_of_front(server), server.memory()
    with ExitStack() as stack:
        for number in range(40):
            connection = stack.enter_context(connect(server))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            connection.sendall(
                request("POST", "/sparql", f"{STREAMS['wide rows']} # {number}".encode(), X_Forwarded_For=STRANGER)
            )
        for _ in range(10):
            time.sleep(0.1)
            assert within(ask_point(server), SOON)
            assert memory_of_front(server) < memory + 40 * 4_000_000
            assert server.memory() < whole + 4 * CAP  # two quick and two slow, by the caps that they have
        waited = wait_for(lambda: json.loads(send(server, "", method="GET", path="/running").body) == [])
        assert within(waited, 20)  # all had their turn


def requests_of_nonsense(server: Peer) -> None:
    body = request("GET", get(POINT))
    for text in (
        b"\0" * 10_000,
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 9_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500,
        b"GET /sparql HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /sparql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST /sparql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        b"POST /sparql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + body,
        b"POST /sparql HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n",
        b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"TRACE /sparql HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        with connect(server) as connection, suppress(OSError):
            connection.sendall(text)
            got = read_to_end(connection)
            assert b" 500 " not in got[:20], text[:60]
            assert b"/s2" not in got or b"chunked\r\nContent" in text


ATTACKS: tuple[Callable[[Peer], None], ...] = (
    bodies_larger_than_queries_may_be, bodies_that_are_packed, bodies_byte_by_byte, bodies_that_never_come,
    clients_that_hang_up_at_once, idle_connections, half_requests, headers_without_end, pipelined_requests,
    only_the_head, deadlines_of_their_own, names_of_queries, names_of_others, lies_about_who_asks, many_small_answers,
    large_headers_with_small_answers, accept_headers, formats_of_nonsense, percent_signs, ten_thousand_parameters, tags,
    who_reads_nothing, requests_of_nonsense,
)  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_connections_that_mean_no_good(server: Peer, attack: Callable[[Peer], None]) -> None:
    attack(server)


# Meanwhile.


def test_meanwhile_others_hardly_notice(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"query_seconds": 3, "query_memory": "600 MB", "proxies": "127.0.0.1", "budget_seconds": 0}
    peer = make_server(database, database.parent / "meanwhile", **settings)
    peer.start()
    try:
        measured = measure_meanwhile(peer, stranger=STRANGER)
    finally:
        peer.stop()
    with capsys.disabled():
        print(f"\n8 bombs at once: {measured}")
    assert not measured.errors
    (quiet, attacked), (_, late) = measured.quantile(0.5), measured.quantile(0.95)
    assert measured.throughput >= 0.7
    assert attacked <= 1.5 * quiet + 1.0
    assert within(late, 10.0)
