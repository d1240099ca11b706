"""The metrics: what all processes have counted, and what is left of those that are no more."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from server import metrics as module
from server.metrics import BOUNDS, CONTENT_TYPE, Metrics, forget_dead, prepare
from tests.conftest import REPOSITORY
from tests.pace import wait_for, within


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = prepare()
    yield folder
    del os.environ[module.FOLDER]
    shutil.rmtree(folder)


@pytest.fixture
def metrics(folder: Path) -> Metrics:
    metrics = Metrics()
    assert [path.name for path in folder.iterdir() if path.name.isdigit()] == [str(os.getpid())]
    return metrics


def read(metrics: Metrics) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()) if name != "pid")
            key = sample.name + (f"{{{labels}}}" if labels else "")
            found[key] = found.get(key, 0) + sample.value
    return found


def test_requests_are_counted_by_kind_and_outcome(metrics: Metrics) -> None:
    metrics.request("query", "ok")
    metrics.request("query", "ok")
    metrics.request("update", "refused")
    told = read(metrics)
    assert told["whosays_requests_total{kind=query,outcome=ok}"] == 2
    assert told["whosays_requests_total{kind=update,outcome=refused}"] == 1
    assert sum(value for name, value in told.items() if name.startswith("whosays_requests_total")) == 3
    assert told["whosays_query_seconds_count"] == 0


def test_the_times_of_queries_fall_into_buckets_by_their_upper_bound(metrics: Metrics) -> None:
    times = [0.0, 0.001, 0.0011, 0.05, 7.0, 60.0, 61.0, 1e6]
    for seconds in times:
        metrics.request("query", "ok", seconds=seconds)
    told = read(metrics)
    for bound in BOUNDS:
        assert told[f"whosays_query_seconds_bucket{{le={bound}}}"] == sum(seconds <= bound for seconds in times)
    assert told["whosays_query_seconds_bucket{le=+Inf}"] == told["whosays_query_seconds_count"] == len(times)
    assert told["whosays_query_seconds_sum"] == pytest.approx(sum(times))


def test_the_rest_is_counted(metrics: Metrics) -> None:
    metrics.request("query", "ok", cache="hit")
    metrics.request("query", "ok", cache="miss")
    metrics.request("saved", "ok", cache="hit")
    metrics.death("memory")
    metrics.commit()
    metrics.gauge("cache_bytes", 4096)
    metrics.gauge("running_queries", 3)
    metrics.gauge("running_queries", 2)
    metrics.gauge("snapshot", 7)
    metrics.gauge("workers_memory", 1e8)
    told = read(metrics)
    assert told["whosays_cache_hits_total"] == 2
    assert told["whosays_cache_misses_total"] == 1
    assert told["whosays_worker_deaths_total{why=memory}"] == 1
    assert told["whosays_worker_deaths_total{why=crash}"] == 0
    assert told["whosays_commits_total"] == 1
    assert told["whosays_cache_bytes"] == 4096
    assert told["whosays_running_queries"] == 2
    assert told["whosays_snapshot"] == 7
    assert told["whosays_process_memory{process=workers}"] == 1e8
    assert told["whosays_process_memory{process=front}"] > 10_000_000


def test_the_text_is_that_of_prometheus(metrics: Metrics) -> None:
    text = metrics.render().decode()
    assert CONTENT_TYPE.startswith("text/plain; version=")
    assert "# TYPE whosays_query_seconds histogram\n" in text
    assert "# TYPE whosays_requests_total counter\n" in text
    assert text.endswith("\n")


COUNT = """
import sys, time
from server.metrics import Metrics
metrics = Metrics()
for _ in range(3000):
    metrics.request("query", "ok", seconds=0.5, cache="miss")
metrics.gauge("running_queries", 2)
metrics.gauge("snapshot", int(sys.argv[1]))
metrics.gauge("workers_memory", 1e8)
print("done", flush=True)
sys.stdin.read()
"""


def start(snapshot: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", COUNT, str(snapshot)],
        cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "done\n"
    return process


def test_processes_are_added_up_and_keep_their_counts_when_they_are_killed(metrics: Metrics, folder: Path) -> None:
    requests, running = "whosays_requests_total{kind=query,outcome=ok}", "whosays_running_queries"
    metrics.gauge("snapshot", 8)
    with start(9) as one, start(7) as other:
        told = read(metrics)
        assert (told[requests], told[running], told["whosays_snapshot"]) == (6000, 4, 9)
        assert told["whosays_query_seconds_sum"] == 3000
        assert told["whosays_process_memory{process=workers}"] == 2e8
        one.kill()
        one.wait(10)
        forget_dead()
        told = read(metrics)
        assert (told[requests], told[running], told["whosays_snapshot"]) == (6000, 2, 8)
        assert told["whosays_process_memory{process=workers}"] == 1e8
        other.kill()
        other.wait(10)
        forget_dead()
        forget_dead()
        assert read(metrics)[requests] == 6000
        assert not (folder / str(other.pid)).exists()


def test_while_processes_are_forgotten_no_count_ever_falls(metrics: Metrics, folder: Path) -> None:
    name = str(os.getpid())
    for number in range(1, 31):  # files as of thirty processes that have died
        metrics.request("query", "ok")
        shutil.copyfile(folder / name, folder / str(4_000_000 + number))
    total = sum(range(1, 31)) + 30
    ended = threading.Event()

    def forget_all() -> None:
        forget_dead()
        ended.set()

    thread = threading.Thread(target=forget_all)
    thread.start()
    while not ended.is_set():
        assert read(metrics)["whosays_requests_total{kind=query,outcome=ok}"] == total
    thread.join()
    assert read(metrics)["whosays_requests_total{kind=query,outcome=ok}"] == total


def test_threads_lose_no_count(metrics: Metrics) -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [
            threading.Thread(target=lambda: [metrics.request("page", "ok") for _ in range(5000)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert read(metrics)["whosays_requests_total{kind=page,outcome=ok}"] == 20_000


def test_without_a_folder_a_process_counts_for_itself() -> None:
    metrics = Metrics()
    metrics.request("query", "ok")
    assert read(metrics)["whosays_requests_total{kind=query,outcome=ok}"] == 1
    folder = metrics._folder
    del metrics
    assert within(wait_for(lambda: not folder.exists()), 5)
