"""The benchmark of the endpoint: its questions are new and right, its verdicts follow from its figures, and it runs."""

import json
import os
import signal
import subprocess
import sys
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from kg.errors import OverrunError, WhosaysError
from server.bench_cases import CASES, Question, make_questions
from server.bench_endpoint import AIMED_AT, OURS, PATIENCE, SLOW, Result, Tally, compare, measure
from server.bench_peers import Data, Peer, descendants, make_data, make_peers, memory_of, serving
from server.load import Load
from tests.conftest import REPOSITORY
from tests.server.calling import call

BY_NAME = {case.name: case for case in CASES}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return make_data(tmp_path_factory.mktemp("bench"), 3_000)


@pytest.fixture(scope="module")
def questions(data: Data) -> dict[str, Question]:
    return {question.case.name: question for question in make_questions(data.database, CASES[:5])}


@pytest.fixture(scope="module")
def oxigraph(data: Data) -> Iterator[Peer]:
    peer = make_peers(data)[AIMED_AT]
    with serving([peer]):
        yield peer


def sent(question: Question, peer: Peer, number: int) -> str:
    address = question.requests(peer)(number).split()[1].decode()
    return parse_qs(urlsplit(address).query)["query"][0]


def tally(*rates: float, latency: float = 0.01, over: float | None = None) -> Tally:
    return Tally(dict(enumerate(rates)), array("d", [latency] * 10), over=over)


def result(ours: Tally, theirs: Tally, slow: Tally, *, case: str = "point-new", clients: int = 1) -> Result:
    return Result(BY_NAME[case], clients, {OURS: ours, AIMED_AT: theirs, SLOW: slow})


@pytest.mark.parametrize("name", [case.name for case in CASES[:5]])
def test_a_request_brings_the_query_and_is_new_unless_it_is_to_be_repeated(
    name: str, questions: dict[str, Question], oxigraph: Peer
) -> None:
    question = questions[name]
    texts = [sent(question, oxigraph, number) for number in range(40)]
    assert len(set(texts)) == (1 if question.case.repeated else 40)
    assert texts == [question.query(0 if question.case.repeated else number) for number in range(40)]


def test_an_answer_with_a_row_too_few_is_wrong(questions: dict[str, Question], oxigraph: Peer) -> None:
    question = questions["point-new"]
    body = oxigraph.ask(question.query(7))
    told = json.loads(body)
    told["results"]["bindings"].pop()
    assert question.is_right(7, body)
    assert not question.is_right(7, json.dumps(told).encode())


def test_an_answer_of_a_megabyte_is_one(data: Data, tmp_path: Path) -> None:
    [question] = make_questions(make_data(tmp_path, 10_000).database, [BY_NAME["result-1MB"]])
    assert 0.98e6 < question.size < 1.02e6
    [smaller] = make_questions(data.database, [BY_NAME["result-1MB"]])
    assert smaller.rows == (3_000,)  # all there is


def test_a_server_with_other_data_is_found_out(questions: dict[str, Question], oxigraph: Peer, tmp_path: Path) -> None:
    other = make_peers(make_data(tmp_path, 3_500))[AIMED_AT]
    other.name = "other"
    for question in questions.values():
        compare(question, [oxigraph])
    with serving([other]), pytest.raises(WhosaysError, match="other answers otherwise than the data"):
        compare(questions["saved-repeated"], [oxigraph, other])


def test_peers_take_turns_and_no_request_is_sent_twice(questions: dict[str, Question], oxigraph: Peer) -> None:
    question = questions["point-new"]
    before = question.sent[oxigraph.name]
    measured = measure(question, [oxigraph], 2, rounds=3, seconds=0.1).tallies[oxigraph.name]
    assert list(measured.rates) == [1, 2, 3]
    assert min(measured.rates.values()) > 10
    assert question.sent[oxigraph.name] - before > measured.asked == len(measured.latencies)  # the first is to warm up
    assert not measured.errors


def test_the_ratio_is_that_within_each_round() -> None:
    assert tally(30, 50, 80).ratios(tally(10, 50)) == [3, 1]


def test_an_aim_is_met_by_the_median_ratio_and_by_being_ahead_of_rdflib_endpoint() -> None:
    quick, slow = tally(100, 100, 100), tally(5, latency=0.1)
    assert result(tally(30, 36, 90), quick, slow).is_met()
    assert not result(tally(30, 34, 90), quick, slow).is_met()
    assert not result(tally(36, 36, 36, latency=0.2), quick, slow).is_met()  # more a second, yet each takes longer
    assert result(tally(36, 36, 36), quick, Tally(over=PATIENCE)).is_met()
    failing = tally(100, 100)
    failing.errors["status 503"] = 1
    assert not result(failing, quick, slow).is_met()
    assert not result(Tally(over=1.0), quick, slow).is_met()
    assert Result(BY_NAME["point-new"], 1, {AIMED_AT: quick}).is_met() is None


@pytest.mark.parametrize(
    ("case", "aims"),
    [
        ("point-new", [0.35, 0.35, 0.35]),
        ("point-repeated", [1.1, 1.1, 1.5]),
        ("saved-repeated", [1.1, 1.1, 1.5]),
        ("analytical-new", [0.95, 0.95, 0.95]),
        ("result-1MB", [0.95, 0.95, 0.95]),
        ("result-100MB", [0.95, 0.95, 0.95]),
    ],
)
def test_the_aims_are_those_that_were_set(case: str, aims: list[float]) -> None:
    assert [BY_NAME[case].aim(clients) for clients in (1, 8, 32)] == aims


def test_a_round_that_was_given_up_leaves_no_figure() -> None:
    given_up = tally(5)
    given_up.add(1, Load(1, 1.0, array("d", [0.5]), unanswered=3, asked=4), 12.0)
    assert given_up.rate is None
    assert given_up.over == 12
    assert not given_up.is_ahead_of(tally(1))
    counted = Tally()
    counted.add(1, Load(1, 1.0, array("d", [0.5]), errors=Counter(cut=2), asked=3), 12.0)
    assert counted.errors == {"cut": 2}
    assert counted.rate == 1


def test_a_server_that_does_not_start_is_told_with_what_it_printed(data: Data, tmp_path: Path) -> None:
    peer = make_peers(data)[AIMED_AT]
    peer.command = lambda _: [sys.executable, "-c", "print('no port for me'); raise SystemExit(3)"]
    peer.log = tmp_path / "log"
    with pytest.raises(OverrunError, match="no port for me"):
        peer.start()


def test_a_server_that_is_ended_leaves_no_process(tmp_path: Path) -> None:
    begin = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    process = subprocess.Popen([sys.executable, "-c", begin])
    peer = Peer("x", lambda _: [], "/", tmp_path / "log", process=process)
    while not (children := descendants(process.pid)):
        assert process.poll() is None
    assert peer.memory() == pytest.approx(memory_of(process.pid), rel=0.5)
    peer.stop()
    assert process.returncode == -signal.SIGTERM
    assert not any(Path(f"/proc/{child}/fd/0").exists() for child in children)


@pytest.mark.slow
def test_a_benchmark_that_is_ended_leaves_no_server(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "server.command", "bench", "endpoint", "--peer", "oxigraph", "--size", "3000"]
    with subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": ".", "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as bench:
        assert bench.stderr is not None
        while b"1 clients" not in (line := bench.stderr.readline()):
            assert line, "the benchmark ended"
        [server] = descendants(bench.pid)
        bench.terminate()
        assert bench.wait(30) == 128 + signal.SIGTERM
    assert not Path(f"/proc/{server}").exists()
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_endpoint_is_measured() -> None:
    chosen = [word for name in ("point-new", "saved-repeated", "result-1MB") for word in ("--only", name)]
    options = ["--size", 3_000, "--rounds", 2, "--seconds", 0.2, "--clients", 2, "--format", "json", *chosen]
    told = json.loads(call("bench", "endpoint", *options).stdout)
    assert told["size"] == 3_000
    assert [(r["case"], r["clients"]) for r in told["results"]] == [
        ("point-new", 2),
        ("saved-repeated", 2),
        ("result-1MB", 2),
    ]
    for measured in told["results"]:
        assert list(measured["peers"]) == [OURS, AIMED_AT, SLOW]
        assert measured["met"] in (True, False)
        assert len(measured["ratios"]) == 2
        for figures in measured["peers"].values():
            assert figures["errors"] == {}
            assert figures["longer_than_s"] is None
            assert len(figures["requests_per_second"]) == 2
            assert 0 < figures["p50_ms"] <= figures["p95_ms"] <= figures["p99_ms"]
    assert all(told["memory_bytes"][name] > 1_000_000 for name in (OURS, AIMED_AT, SLOW))


def test_a_name_that_there_is_not_is_told_with_those_there_are() -> None:
    assert "use one of: point-new" in call("bench", "endpoint", "--only", "points", status=2).stderr
    assert "use one of: whosays" in call("bench", "endpoint", "--peer", "virtuoso", status=2).stderr
