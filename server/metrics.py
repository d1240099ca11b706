"""Metrics: what Prometheus reads at `/metrics`, counted over all processes that answer HTTP.

Each process counts in a file of its own that it has in memory, one number of 8 bytes a series, so that
counting takes no system call, and nothing is lost with a process that is killed. Who is asked for the
metrics adds all files up. `prometheus_client` has such a mode too, which takes 5.3 µs a request (two
counters and a histogram, without looking up labels); this takes 1.2. The text is written by `prometheus_client`.

The folder of the files is made by `prepare` before the processes start, which find it by a variable
of the environment. When a process has died, `forget_dead` adds its counts to those of others that are
no more, and drops what it had: memory, running queries.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import shutil
import tempfile
import threading
import weakref
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from server.access_log import Cache, Outcome

Kind: TypeAlias = Literal["query", "saved", "update", "graph", "resource", "door", "page", "other"]
"""What was asked for: SPARQL query, saved query, update, graph store, linked data, the door, a page for people."""

Death: TypeAlias = Literal["deadline", "memory", "busy", "cancelled", "gone", "crash", "renewed"]
"""Why a process that evaluates queries ended; `busy` for one with too many beside it, `crash` is by itself, `renewed`
because it is not needed, or not fit to go on."""

Gauge: TypeAlias = Literal["cache_bytes", "running_queries", "snapshot", "workers_memory"]
"""What goes up and down, and is set by each process for itself."""

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""The media type of the metrics."""

FOLDER = "WHOSAYS_METRICS_FOLDER"
"""The environment variable that names the folder."""

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the histogram of query times, in seconds."""

_REQUESTS = [(kind, outcome) for kind in get_args(Kind) for outcome in get_args(Outcome)]
_SERIES: list[tuple[str, ...]] = [
    *(("requests", *labels) for labels in _REQUESTS),
    *(("bucket", str(bound)) for bound in (*BOUNDS, "+Inf")),
    ("seconds",),
    ("cache", "hit"),
    ("cache", "miss"),
    *(("death", why) for why in get_args(Death)),
    ("commits",),
    *(("gauge", name) for name in get_args(Gauge)),
]
_PLACE = {series: place for place, series in enumerate(_SERIES)}
_REQUEST = {labels: _PLACE["requests", *labels] for labels in _REQUESTS}
_BUCKET = _PLACE["bucket", str(BOUNDS[0])]
_SECONDS = _PLACE["seconds",]
_HIT, _MISS = _PLACE["cache", "hit"], _PLACE["cache", "miss"]
_SIZE = 8 * len(_SERIES)
_DEAD = "dead"
_PREFIX = "whosays-metrics-"


class Metrics:
    """The counts of this process, and the sum of all; safe for threads.

    Parameters:
        folder: that all processes share; by default the one that `prepare` made, else one of its own.

    >>> metrics = Metrics(Path(tempfile.mkdtemp()))
    >>> metrics.request("query", "ok", seconds=0.004, cache="miss")
    >>> [line for line in metrics.render().decode().splitlines() if line.startswith("whosays_requests_total")]
    ['whosays_requests_total{kind="query",outcome="ok"} 1.0']
    """

    def __init__(self, folder: Path | None = None) -> None:
        shared = folder or os.environ.get(FOLDER)
        self._folder = Path(shared or tempfile.mkdtemp(prefix=_PREFIX))
        if not shared:
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._lock = threading.Lock()
        path = self._folder / str(os.getpid())
        with _alone(self._folder), path.open("a+b") as file:
            file.truncate(_SIZE)
            self._memory = mmap.mmap(file.fileno(), _SIZE)
        self._counts = memoryview(self._memory).cast("d")
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Sum(self._folder))

    def request(self, kind: Kind, outcome: Outcome, seconds: float | None = None, cache: Cache = "none") -> None:
        """Count a request that was answered.

        Parameters:
            kind: what was asked for.
            outcome: how it ended.
            seconds: that its query took, where it had one that was evaluated.
            cache: whether the answer was kept ready.
        """
        counts = self._counts
        with self._lock:
            counts[_REQUEST[kind, outcome]] += 1
            if seconds is not None:
                counts[_BUCKET + bisect_left(BOUNDS, seconds)] += 1
                counts[_SECONDS] += seconds
            if cache != "none":
                counts[_HIT if cache == "hit" else _MISS] += 1

    def death(self, why: Death) -> None:
        """Count a process that evaluated queries and ended."""
        with self._lock:
            self._counts[_PLACE["death", why]] += 1

    def commit(self) -> None:
        """Count a commit."""
        with self._lock:
            self._counts[_PLACE["commits",]] += 1

    def gauge(self, name: Gauge, value: float) -> None:
        """Set what goes up and down.

        Parameters:
            name: `cache_bytes` and `running_queries` are added up over the processes, of `snapshot` the
                highest counts, `workers_memory` is told for each.
            value: bytes, number of queries, number of the snapshot.
        """
        self._counts[_PLACE["gauge", name]] = value

    def render(self) -> bytes:
        """Return the metrics of all processes, in the text format of Prometheus."""
        return generate_latest(self._registry)


def prepare() -> Path:
    """Make the folder in which the processes count; call it before they start, and remove the folder at the end.

    >>> folder = prepare()
    >>> os.environ.pop(FOLDER) == str(folder)
    True
    >>> folder.rmdir()
    """
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    os.environ[FOLDER] = str(folder)
    return folder


def forget_dead() -> None:
    """Keep the counts of processes that have died, and drop what they had."""
    if FOLDER not in os.environ:
        return
    folder = Path(os.environ[FOLDER])
    with _alone(folder):
        for path in folder.iterdir():
            if path.name.isdecimal() and not Path(f"/proc/{path.name}").exists():
                _bury(folder, path.name)


def _bury(folder: Path, name: str) -> None:
    try:
        counts = _read(folder / name)
    except FileNotFoundError:
        return
    dead = folder / _DEAD
    sums = _read(dead) if dead.exists() else array("d", bytes(_SIZE))
    for place, (series, *_) in enumerate(_SERIES):
        if series != "gauge":
            sums[place] += counts[place]
    written = folder / ".dead"
    written.write_bytes(sums.tobytes())
    written.replace(dead)
    (folder / name).unlink()


def _read(path: Path) -> array[float]:
    return array("d", path.read_bytes())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let no other process change or read the set of files meanwhile."""
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class _Sum(Collector):
    """Adds up what the processes have counted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        with _alone(self._folder):
            files = {p.name: _read(p) for p in self._folder.iterdir() if not p.name.startswith(".")}
        sums = dict(zip(_SERIES, map(sum, zip(*files.values(), strict=True)), strict=True))
        living = {int(name): dict(zip(_SERIES, counts, strict=True)) for name, counts in files.items() if name != _DEAD}

        requests = CounterMetricFamily("whosays_requests", "Requests answered.", labels=["kind", "outcome"])
        for labels in _REQUESTS:
            if count := sums["requests", *labels]:
                requests.add_metric(labels, count)
        yield requests

        below, buckets = 0.0, []
        for bound in map(str, (*BOUNDS, "+Inf")):
            below += sums["bucket", bound]
            buckets.append((bound, below))
        seconds = HistogramMetricFamily("whosays_query_seconds", "Seconds that queries took which were evaluated.")
        seconds.add_metric([], buckets, sums["seconds",])
        yield seconds

        yield CounterMetricFamily("whosays_cache_hits", "Answers that were kept ready.", sums["cache", "hit"])
        yield CounterMetricFamily("whosays_cache_misses", "Answers that were not kept ready.", sums["cache", "miss"])
        yield CounterMetricFamily("whosays_commits", "Changes committed.", sums["commits",])
        deaths = CounterMetricFamily("whosays_worker_deaths", "Query processes that ended.", labels=["why"])
        for why in get_args(Death):
            deaths.add_metric([why], sums["death", why])
        yield deaths

        yield GaugeMetricFamily("whosays_cache_bytes", "Memory of answers kept ready.", sums["gauge", "cache_bytes"])
        yield GaugeMetricFamily("whosays_running_queries", "Queries being evaluated.", sums["gauge", "running_queries"])
        newest = max((counts["gauge", "snapshot"] for counts in living.values()), default=0.0)
        yield GaugeMetricFamily("whosays_snapshot", "Number of the snapshot that is served.", newest)
        memory = GaugeMetricFamily(
            "whosays_process_memory",
            "Resident memory in bytes, of a front and of its workers.",
            labels=["process", "pid"],
        )
        for pid, counts in sorted(living.items()):
            memory.add_metric(["front", str(pid)], _resident(pid))
            memory.add_metric(["workers", str(pid)], counts["gauge", "workers_memory"])
        yield memory


def _resident(pid: int) -> float:
    try:
        return float(Path(f"/proc/{pid}/statm").read_text().split()[1]) * mmap.PAGESIZE
    except OSError:
        return 0.0  # it has just died, or the system has no such file
