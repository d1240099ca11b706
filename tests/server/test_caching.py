"""Answers that are kept: the same as fresh ones, of the newest state only, told apart by their tags, bounded."""

from __future__ import annotations

import gzip
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.access_log import query_hash
from tests.pace import within
from tests.server.plain_server import PlainServer, serve_plain

NUMBERS = " ".join(map(str, range(130)))
SLOW = "SELECT (COUNT(*) AS ?n) {" + "".join(f" VALUES ?{name} {{ {NUMBERS} }}" for name in "abc") + " }"
KEPT = 200_000


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainServer]:
    bounds = ["--set", f"cache_bytes={KEPT}", "--set", "cache_answer_bytes=100000"]
    with serve_plain(tmp_path_factory.mktemp("caching"), "--writable", *bounds) as served:
        served.update("INSERT DATA { <x:a> <x:b> 1 , 'é'@fr . GRAPH <x:g> { <x:c> <x:d> <x:e> } }")
        yield served


def ask(plain: PlainServer, query: str, method: str = "GET", **headers: str) -> httpx.Response:
    place = "params" if method in ("GET", "HEAD") else "data"
    return plain.ask(
        method, "/sparql", **{place: {"query": query}}, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def figures(plain: PlainServer) -> dict[str, float]:
    """The metrics, those with labels named with them."""
    told = plain.ask("GET", "/metrics")
    assert told.headers["Content-Type"].startswith("text/plain; version=")
    return {
        sample.name + "".join(f" {v}" for v in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(told.text)
        for sample in family.samples
    }


def slow(number: int) -> str:
    """A query that takes a while, unlike any other."""
    return f"{SLOW} # {number} {time.time_ns()}"


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("query", "accept"),
    [
        ("SELECT * { ?s ?p ?o } ORDER BY ?o", f"application/sparql-results+{form}") for form in ("json", "xml")
    ]
    + [
        ("SELECT * { ?s ?p ?o } ORDER BY ?o", f"text/{form}") for form in ("csv", "tab-separated-values")
    ]
    + [("ASK {}", "application/sparql-results+json"), ("ASK {}", "text/csv")]
    + [
        ("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }", media_type)
        for media_type in ("text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json")
    ],
)  # fmt: skip
def test_a_kept_answer_is_the_fresh_one_byte_for_byte(
    plain: PlainServer, query: str, accept: str, method: str, encoding: str
) -> None:
    plain.update(f"INSERT DATA {{ <x:a> <x:b> {time.time_ns()} }}")  # whatever was kept is kept no longer
    before = figures(plain)
    told = {"Accept": accept, "Accept_Encoding": encoding}
    answers = [ask(plain, query, method, **told) for _ in range(3)]
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].content
    ignored = {"whosays-query", "date"}
    for answer in answers[1:]:
        kept, fresh = (
            {k: v for k, v in a.headers.items() if k not in ignored} for a in (answer, answers[0])
        )  # fmt: skip
        assert kept == fresh
    after = figures(plain)
    assert after["whosays_cache_hits_total"] - before["whosays_cache_hits_total"] == 2
    assert after["whosays_cache_misses_total"] - before["whosays_cache_misses_total"] == 1


def test_get_and_post_give_the_same_bytes(plain: PlainServer) -> None:
    query = "SELECT * { ?s ?p ?o } ORDER BY ?o"
    assert ask(plain, query).content == ask(plain, query, "POST").content


@pytest.mark.parametrize(
    "told",
    ["{tag}", '"other", {tag}', '{tag} , W/"other"', "{strong}", '"a,b",{strong}', "*"],
)
def test_who_has_the_answer_is_not_sent_it_again(plain: PlainServer, told: str) -> None:
    query = f"SELECT * {{ ?s ?p ?o }} # {time.time_ns()}"
    first = ask(plain, query)
    tag = first.headers["ETag"]
    assert re.fullmatch(r'W/"[0-9a-f-]+"', tag)
    known = told.format(tag=tag, strong=tag.removeprefix("W/"))
    for method in ("GET", "HEAD"):
        answer = ask(plain, query, method, If_None_Match=known)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == tag
        assert answer.headers["Vary"] == first.headers["Vary"]
        assert answer.headers["Cache-Control"] == first.headers["Cache-Control"]
    # RFC 9110, 13.1.2: 304 is for GET and HEAD alone.
    assert ask(plain, query, "POST", If_None_Match=known).status_code == 200


def test_a_tag_outlives_the_cache(plain: PlainServer) -> None:
    """It stands for state and request: nothing need be kept to know it, and nothing is evaluated."""
    query = f"SELECT * {{ ?s ?p ?o }} # {time.time_ns()}"
    tag = ask(plain, query).headers["ETag"]
    for number in range(300):
        ask(plain, f"ASK {{}} # {number} {'x' * 1_000}")
    misses = figures(plain)["whosays_cache_misses_total"]
    assert ask(plain, query, If_None_Match=tag).status_code == 304
    assert figures(plain)["whosays_cache_misses_total"] == misses


@pytest.mark.parametrize("told", ['"nonsense"', 'W/""', "", '"*"', "{cut}"])
def test_who_has_another_answer_is_sent_this_one(plain: PlainServer, told: str) -> None:
    tag = ask(plain, "ASK {}").headers["ETag"]
    assert ask(plain, "ASK {}", If_None_Match=told.format(cut=tag[:-3] + '"')).status_code == 200


def test_a_star_does_not_hide_what_is_wrong(plain: PlainServer) -> None:
    assert ask(plain, "ASK {", If_None_Match="*").status_code == 400
    assert ask(plain, "SELECT (RAND() AS ?r) {}", If_None_Match="*").status_code == 200
    assert plain.ask("GET", "/store?graph=x:nothing", headers={"If-None-Match": "*"}).status_code == 404


def test_formats_and_encodings_and_datasets_have_tags_of_their_own(plain: PlainServer) -> None:
    query = {"query": "SELECT * { ?s ?p ?o }"}
    tags = [
        plain.ask("GET", "/sparql", params={**query, **more}, headers=headers).headers["ETag"]
        for more in ({}, {"default-graph-uri": "x:g"}, {"named-graph-uri": "x:g"})
        for headers in (
            {"Accept": "text/csv", "Accept-Encoding": "gzip"},
            {"Accept": "text/csv", "Accept-Encoding": "identity"},
            {"Accept": "application/json", "Accept-Encoding": "gzip"},
        )
    ]
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize(
    "path", ["/sparql?query=SELECT * {?s ?p ?o} ORDER BY ?o", "/store?default", "/store?graph=x:g"]
)
def test_after_a_commit_everything_is_new(plain: PlainServer, path: str) -> None:
    first = plain.ask("GET", path)
    assert plain.ask("GET", path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    number = time.time_ns()
    plain.update(f"INSERT DATA {{ <x:n> <x:n> {number} . GRAPH <x:g> {{ <x:n> <x:n> {number} }} }}")
    second = plain.ask("GET", path, headers={"If-None-Match": first.headers["ETag"]})
    assert second.status_code == 200
    assert str(number) in second.text
    assert second.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize(
    "call", ["NOW()", "RAND()", "UUID()", "STRUUID()", "BNODE()", "now()", "\\u004eOW()", "IF(true, RAND(), 1)"]
)
def test_what_is_no_function_of_the_state_is_never_kept(plain: PlainServer, call: str) -> None:
    misses = figures(plain)
    answers = [ask(plain, f"SELECT ({call} AS ?x) {{}}") for _ in range(2)]
    if answers[0].status_code == 400:  # this engine takes escapes in strings and IRIs only
        assert "\\" in call
        return
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert "ETag" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
    assert answers[0].text != answers[1].text
    assert figures(plain)["whosays_cache_hits_total"] == misses["whosays_cache_hits_total"]


def test_the_words_alone_do_no_harm(plain: PlainServer) -> None:
    query = f"SELECT ('RAND()' AS ?now) {{}} # UUID() {time.time_ns()}"
    assert "ETag" in ask(plain, query).headers
    hits = figures(plain)["whosays_cache_hits_total"]
    ask(plain, query)
    assert figures(plain)["whosays_cache_hits_total"] == hits + 1


def test_what_is_wrong_is_never_kept(plain: PlainServer) -> None:
    for _ in range(2):
        answer = ask(plain, "SELECT * {")
        assert answer.status_code == 400
        assert "ETag" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"


def test_who_asks_the_same_at_once_is_answered_once(plain: PlainServer) -> None:
    before, query = figures(plain), slow(1)
    seen: list[int] = []
    with ThreadPoolExecutor(6) as threads:
        asked = [threads.submit(ask, plain, query) for _ in range(6)]
        while not all(each.done() for each in asked):
            seen.append(len(plain.ask("GET", "/running").json()))
            time.sleep(0.02)
    answers = [each.result() for each in asked]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["results"]["bindings"][0]["n"]["value"] for answer in answers} == {str(130**3)}
    after = figures(plain)
    assert max(seen) == 1
    assert after["whosays_cache_misses_total"] - before["whosays_cache_misses_total"] == 1
    assert after["whosays_query_seconds_count"] - before["whosays_query_seconds_count"] == 1


def test_who_waits_for_an_answer_has_it_though_the_graph_is_changed_meanwhile(plain: PlainServer) -> None:
    """Each of them asked the engine by itself then, and what was kept of the newer state was forgotten."""
    before, query = settled(plain), slow(1)
    with ThreadPoolExecutor(6) as threads:
        asked = [threads.submit(ask, plain, query) for _ in range(6)]
        while not plain.ask("GET", "/running").json() and not all(each.done() for each in asked):
            time.sleep(0.02)
        time.sleep(0.2)
        plain.update(f"INSERT DATA {{ <x:meanwhile> <x:at> {time.time_ns()} }}")
        ask(plain, "ASK { <x:meanwhile> ?p ?o }")
    assert {each.result().json()["results"]["bindings"][0]["n"]["value"] for each in asked} == {str(130**3)}
    gained = settled(plain)["whosays_query_seconds_count"] - before["whosays_query_seconds_count"]
    assert gained == 2  # the one and the ASK


def test_who_reads_slowly_holds_up_nobody_who_asks_the_same(plain: PlainServer) -> None:
    """Whoever waited for an answer once waited until the first one had taken all of it."""
    long = "REPLACE(" * 3 + '"x"' + ', "x", "xxxxxxxxxxx")' * 3  # of 1,331 letters
    query = f"SELECT ?a ?b ?long {{ VALUES ?a {{ {NUMBERS} }} VALUES ?b {{ {NUMBERS} }} BIND({long} AS ?long) }}"
    host, port = plain.address.removeprefix("http://").split(":")
    request = httpx.Request("GET", plain.address + "/sparql", params={"query": query, "format": "csv"})
    path = request.url.raw_path.decode()
    with socket.socket() as slow_one:
        slow_one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        slow_one.connect((host, int(port)))
        headers = "Accept: */*\r\nAccept-Encoding: identity"
        slow_one.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{headers}\r\n\r\n".encode())
        assert slow_one.recv(100).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        headers_of_other = {"Accept": "*/*", "Accept-Encoding": "identity"}
        answer = plain.ask("GET", "/sparql", params={"query": query, "format": "csv"}, headers=headers_of_other)
        assert answer.status_code == 200
        assert answer.text.count("\n") == 130**2 + 1  # 22 MB, more than any buffer on the way takes
        assert within(time.monotonic() - began, 20)


def test_if_the_first_one_leaves_the_others_are_answered(plain: PlainServer) -> None:
    query = slow(2)
    host, port = plain.address.removeprefix("http://").split(":")
    path = httpx.Request("GET", plain.address + "/sparql", params={"query": query}).url.raw_path.decode()
    head = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n\r\n"
    answers: list[httpx.Response] = []
    with socket.create_connection((host, int(port))) as first:
        first.sendall(head.encode())
        time.sleep(0.1)
        other = threading.Thread(target=lambda: answers.append(ask(plain, query)))
        other.start()
        time.sleep(0.1)
    other.join(60)
    assert [answer.status_code for answer in answers] == [200]


def test_the_bound_holds_and_what_is_used_stays(plain: PlainServer) -> None:
    ask(plain, "SELECT ('often' AS ?x) {}", Accept_Encoding="identity")
    text = "y" * 900
    for number in range(400):
        assert ask(plain, f"SELECT ('{number} {text}' AS ?x) {{}}", Accept_Encoding="identity").status_code == 200
        if number % 20 == 0:
            ask(plain, "SELECT ('often' AS ?x) {}", Accept_Encoding="identity")
            assert figures(plain)["whosays_cache_bytes"] <= KEPT
    before = figures(plain)
    ask(plain, "SELECT ('often' AS ?x) {}", Accept_Encoding="identity")
    ask(plain, f"SELECT ('0 {text}' AS ?x) {{}}", Accept_Encoding="identity")
    after = figures(plain)
    assert after["whosays_cache_hits_total"] - before["whosays_cache_hits_total"] == 1
    assert after["whosays_cache_misses_total"] - before["whosays_cache_misses_total"] == 1
    assert KEPT / 2 < after["whosays_cache_bytes"] <= KEPT


def test_what_is_too_large_is_not_kept(plain: PlainServer) -> None:
    query = f"SELECT ('{'z' * 101_000}' AS ?x) {{}} # {time.time_ns()}"
    for _ in range(2):
        hits = figures(plain)["whosays_cache_hits_total"]
        answer = ask(plain, query, "POST", Accept_Encoding="identity")
        assert len(answer.content) > 100_000
        assert figures(plain)["whosays_cache_hits_total"] == hits


def test_what_is_streamed_and_not_too_large_is_kept_whole(plain: PlainServer) -> None:
    query = f"SELECT ?a {{ VALUES ?a {{ {' '.join(map(str, range(12_000)))} }} }} # {time.time_ns()}"
    first, second = (ask(plain, query, "POST", Accept="text/csv", Accept_Encoding="identity") for _ in range(2))
    assert 65_536 < len(first.content) < 100_000
    assert second.content == first.content
    assert int(second.headers["Content-Length"]) == len(first.content)


# What is noted.


def test_a_request_is_logged_once_with_what_became_of_it(plain: PlainServer) -> None:
    plain.lines()
    mark = f"#{time.time_ns()}"
    count = len(plain.lines())
    query = f"SELECT ?x {{ VALUES ?x {{ 1 2 3 }} }} {mark}"
    tag = ask(plain, query, Accept_Encoding="identity").headers["ETag"]
    ask(plain, query, Accept_Encoding="identity")
    ask(plain, query, Accept_Encoding="identity", If_None_Match=tag)
    ask(plain, f"SELECT * {{ {mark}", Authorization="Bearer whosays_0123456789ab_secret")
    plain.ask("GET", "/sparql", params={"query": slow(3), "timeout": "0.05"})
    plain.update(f"INSERT DATA {{ <x:l> <x:l> 1 }} {mark}")
    plain.ask("PUT", "/store?graph=x:l", content="<x:a>", headers={"Content-Type": "text/turtle"})
    plain.ask("GET", "/store?graph=x:none")
    plain.ask("PATCH", "/sparql")
    plain.ask("GET", "/nothing?secret=whosays_0123456789ab_secret")
    lines = plain.lines()[count:]
    told = [(line["method"], line["path"], line["status"], line["outcome"], line["cache"]) for line in lines]
    assert told == [
        ("GET", "/sparql", 200, "ok", "miss"), ("GET", "/sparql", 200, "ok", "hit"),
        ("GET", "/sparql", 304, "ok", "hit"),
        ("GET", "/sparql", 400, "refused", "miss"), ("GET", "/sparql", 504, "deadline", "miss"),
        ("POST", "/update", 204, "ok", "none"), ("PUT", "/store", 400, "refused", "none"),
        ("GET", "/store", 404, "refused", "miss"), ("PATCH", "/sparql", 405, "refused", "none"),
        ("GET", "/nothing", 404, "refused", "none"),
    ]  # fmt: skip
    assert [line["rows"] for line in lines[:2]] == [3, 3]
    assert lines[0]["query"] == lines[1]["query"] == query_hash(query)
    assert lines[0]["bytes"] == lines[1]["bytes"] > lines[2]["bytes"] == 0  # type: ignore[operator]
    written = plain.access.read_text("utf-8")
    assert "secret" not in written
    assert mark not in written


def settled(server: PlainServer) -> dict[str, float]:
    """The figures when they change no more: a request is counted after its answer has been sent."""
    last = figures(server)
    while True:
        time.sleep(0.2)
        told = figures(server)
        if {k: v for k, v in told.items() if "requests" in k} == {k: v for k, v in last.items() if "requests" in k}:
            return told
        last = told


def test_the_metrics_count_each_request_once(plain: PlainServer) -> None:
    before = settled(plain)
    query = f"ASK {{}} # {time.time_ns()}"
    ask(plain, query)
    ask(plain, query)
    ask(plain, "ASK {")
    plain.update("INSERT DATA { <x:m> <x:m> 1 }")
    plain.ask("GET", "/store?default")
    plain.ask("PUT", "/store?graph=x:m", content="<x:a>", headers={"Content-Type": "text/turtle"})
    after = settled(plain)
    gained = {k: after[k] - before.get(k, 0) for k in after if k.startswith("whosays_requests_total")}
    assert {k.removeprefix("whosays_requests_total "): v for k, v in gained.items() if v} == {
        "query ok": 2, "query refused": 1, "update ok": 1, "graph ok": 1, "graph refused": 1,
    }  # fmt: skip
    assert after["whosays_snapshot"] == before["whosays_snapshot"] + 1
    assert after["whosays_running_queries"] == 0
    buckets = {k: v for k, v in after.items() if k.startswith("whosays_query_seconds_bucket")}
    assert list(buckets.values()) == sorted(buckets.values())
    assert buckets["whosays_query_seconds_bucket +Inf"] == after["whosays_query_seconds_count"]


def test_health_is_told_from_a_query_that_was_answered(plain: PlainServer) -> None:
    answer = plain.ask("GET", "/healthz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.headers["Cache-Control"] == "no-store"
    assert plain.ask("HEAD", "/healthz").content == b""


def test_compressed_answers_are_kept_compressed(plain: PlainServer) -> None:
    query = f"SELECT * {{ ?s ?p ?o }} ORDER BY ?o # {time.time_ns()}"
    raw: list[bytes] = []
    options: dict[str, Any] = {"params": {"query": query}, "headers": {"Accept-Encoding": "gzip"}}
    for _ in range(2):
        with plain.client.stream("GET", plain.address + "/sparql", **options) as answer:
            raw.append(b"".join(answer.iter_raw()))
    assert raw[0] == raw[1]
    assert gzip.decompress(raw[0]) == ask(plain, query, Accept_Encoding="identity").content
