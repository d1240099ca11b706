"""The benchmark of loading: how long it takes to get a generated corpus into a store that answers.

All load the same file of N-Quads, each in a process of its own, from an empty folder, and take turns:

- whosays: the file is loaded in bulk, the snapshot that readers get is made, opened, and asked something;
- whosays, inferring: the same with the ontology, and with what follows from it all, as after a build;
- oxigraph: Oxigraph's own loader, `oxigraph load`;
- rdflib: into memory, in pure Python; beyond a size it is not run, but reckoned from the largest run.

The time is that from the start of the process to its end. Those that are Python spend much of it on
reading modules, which on a small file is most of it: so theirs is told without that too, and what a
quad takes, and how that grows, is reckoned without it. The seconds of processor stand beside it
all: they tell how much of a difference is that of a machine that others used meanwhile. After each
turn, untimed, the quads in the store are counted. Memory is the most that the process had
resident at once, files that it had mapped included; it is looked at a hundred times a second.
"""

from __future__ import annotations

import json
import os
import re
import resource
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import pyoxigraph as ox

from kg.errors import NotFoundError, OverrunError, WhosaysError
from kg.store import StoreFolder  # what else is of ours is imported where it is used: a process that loads starts here

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS, ROUNDS_OF_LARGE, LARGE = 5, 3, 1_000_000

RDFLIB_LIMIT = 100_000
"""Quads beyond which rdflib is not run."""

OURS, INFERRING, AIMED_AT, SLOW = "whosays", "whosays, inferring", "oxigraph", "rdflib"
_OFTEN = 0.01
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """One loading.

    Parameters:
        seconds: from the start of the process to its end.
        work: seconds of them after the modules were read; None where the program does not tell.
        memory: the most bytes that were resident at once.
        cpu: seconds of processor that it took, all its threads and its start included.
    """

    seconds: float
    work: float | None
    memory: int
    cpu: float = 0.0

    @property
    def net(self) -> float:
        """Seconds without the start, where the program tells; else all."""
        return self.seconds if self.work is None else self.work


@dataclass(frozen=True)
class Loader:
    """A program that loads.

    Parameters:
        name: what it is called in the figures.
        command: gives the words that start it on a file and an empty folder.
        count: gives the quads that a folder holds then; None where the program tells them itself.
        limit: quads beyond which it is not run; None for no bound.
    """

    name: str
    command: Callable[[Path, Path], list[str]]
    count: Callable[[Path], int] | None
    limit: int | None = None


@dataclass
class Figures:
    """What was measured at one size.

    Parameters:
        size: quads in the file.
        bytes: of the file.
        runs: by loader, one for each round.
        extrapolated: by loader that was not run, the seconds that it would take by its largest run.
    """

    size: int
    bytes: int
    runs: dict[str, list[Run]] = field(default_factory=dict)
    extrapolated: dict[str, float] = field(default_factory=dict)

    def seconds(self, name: str, *, net: bool = False) -> list[float]:
        """Return the seconds of a loader, by round; `net` leaves its start out."""
        return [run.net if net else run.seconds for run in self.runs.get(name, ())]

    def per_quad(self, name: str) -> float | None:
        """Return the microseconds that a quad takes in the median round, without the start; None: it was not run."""
        seconds = self.seconds(name, net=True)
        return statistics.median(seconds) * 1e6 / self.size if seconds else None

    def ratios(self, name: str, *, net: bool = False) -> list[float]:
        """Return how many times as long as Oxigraph's loader another took, in each round.

        Parameters:
            name: of the loader.
            net: leave its start out.

        >>> figures = Figures(10, 1, {"whosays": [Run(3.0, 1.0, 0)], "oxigraph": [Run(2.0, None, 0)]})
        >>> figures.ratios("whosays"), figures.ratios("whosays", net=True)
        ([1.5], [0.5])
        """
        pairs = zip(self.seconds(name, net=net), self.seconds(AIMED_AT), strict=False)
        return [mine / its for mine, its in pairs]


def bench_load(sizes: Sequence[int] = SIZES, *, rounds: int | None = None, as_json: bool) -> None:
    """Measure loading.

    Parameters:
        sizes: quads, 3,000 or more.
        rounds: how often each loader has its turn; None for 5, and 3 from a million quads on.
        as_json: print JSON in place of a table.

    Raises:
        NotFoundError: Oxigraph's loader is not installed.
        WhosaysError: a loader failed, or loaded something else than the file.
    """
    from server.bench import show_json

    measured: list[Figures] = []
    for size in sorted(sizes):
        turns = rounds or (ROUNDS_OF_LARGE if size >= LARGE else ROUNDS)
        figures = measure(size, turns, make_loaders(), warm=not measured)
        for loader in make_loaders():
            before = next((f for f in reversed(measured) if loader.name in f.runs), None)
            if loader.name not in figures.runs and before is not None:
                figures.extrapolated[loader.name] = (before.per_quad(loader.name) or 0.0) * size / 1e6
        measured.append(figures)
    if as_json:
        show_json([_as_dict(f) for f in measured])
    else:
        _show(measured)


def make_loaders() -> tuple[Loader, ...]:
    """Return the programs that are measured, in the order of their turns."""
    programs = Path(sys.executable).parent

    def ours(kind: str) -> Callable[[Path, Path], list[str]]:
        return lambda file, folder: [sys.executable, "-m", "server.bench_load", kind, str(file), str(folder)]

    def oxigraph(file: Path, folder: Path) -> list[str]:
        return [str(programs / "oxigraph"), "load", "--location", str(folder), "--file", str(file)]

    return (
        Loader(OURS, ours("plain"), _count_snapshot),
        Loader(INFERRING, ours("inferring"), _count_snapshot),
        Loader(AIMED_AT, oxigraph, _count_database),
        Loader(SLOW, ours("rdflib"), None, RDFLIB_LIMIT),
    )


def measure(size: int, rounds: int, loaders: Sequence[Loader], *, warm: bool = False) -> Figures:
    """Measure one size.

    Parameters:
        size: quads, 3,000 or more.
        rounds: how often each loader has its turn.
        loaders: the programs.
        warm: let each have one more turn before, which does not count.

    Raises:
        WhosaysError: see `bench_load`.
    """
    from loaders.generator import write_corpus
    from server.bench import say  # not above: this module is also run by itself, to see what loading alone takes

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        file = Path(work) / "corpus.nq"
        say(f"{size:,}: writing the file")
        write_corpus(file, size, 1)
        figures = Figures(size, file.stat().st_size)
        for turn in range(1 - warm, rounds + 1):
            say(f"{size:,}: round {turn} of {rounds}")
            for loader in loaders:
                if loader.limit is None or size <= loader.limit:
                    run = load(loader, file, size)
                    if turn:
                        figures.runs.setdefault(loader.name, []).append(run)
    return figures


def load(loader: Loader, file: Path, size: int) -> Run:
    """Let a program load a file into a new folder, which is removed afterwards.

    Parameters:
        loader: the program.
        file: N-Quads.
        size: how many they are.

    Raises:
        NotFoundError: it is not installed.
        OverrunError: it failed.
        WhosaysError: it loaded something else.
    """
    folder = file.with_name("loaded")
    folder.mkdir()
    try:
        run, told = _run(loader, loader.command(file, folder))
        quads = loader.count(folder) if loader.count else told["quads"]
        if quads != size:
            raise WhosaysError(f"{loader.name} has {quads:,.0f} of {size:,} quads", mend="find out which are missing")
        return run
    finally:
        shutil.rmtree(folder)


def _run(loader: Loader, command: list[str]) -> tuple[Run, dict[str, float]]:
    with tempfile.TemporaryFile() as log:
        used = _processor_time()
        begun = time.perf_counter()
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        except OSError as error:
            raise NotFoundError(
                f"{loader.name} cannot be started: {error.strerror}", mend="install the extra: whosays[bench]"
            ) from error
        with process:
            try:
                peak = _watch(process)
            except BaseException:
                process.kill()
                raise
            seconds = time.perf_counter() - begun  # it has ended; what is left is to take note of it
        cpu = _processor_time() - used
        log.seek(0)
        printed = log.read().decode("utf-8", "replace")
    if process.returncode:
        lines = printed.strip().splitlines()[-12:]
        raise OverrunError(f"{loader.name} did not load the file", mend="\n  ".join(["it printed:", *lines]))
    told: dict[str, float] = json.loads(printed.splitlines()[-1]) if command[0] == sys.executable else {}
    return Run(seconds, told.get("seconds"), peak, cpu), told


def _watch(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end of a process; return the most bytes that it had resident.

    What the kernel tells of a child that has ended (`ru_maxrss`) will not do: it begins with the parent's memory.
    """
    peak, status = 0, Path(f"/proc/{process.pid}/status")
    end, ended = os.pidfd_open(process.pid), select.poll()  # not select(), which takes no number above 1,023
    ended.register(end, select.POLLIN)
    try:
        while not ended.poll(1_000 * _OFTEN):
            with suppress(OSError):
                found = _PEAK.search(status.read_text())
                peak = int(found[1]) * 1024 if found else peak
    finally:
        os.close(end)
    return peak


def _processor_time() -> float:
    """Return the seconds of processor that processes of ours have taken that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _count_snapshot(folder: Path) -> int:
    """Count what was in the file: what follows from it, and the ontology, stand in graphs of their own."""
    from kg.change import is_asserted
    from kg.names import ONTOLOGY_GRAPH

    ontology = ox.NamedNode(ONTOLOGY_GRAPH)
    with StoreFolder(folder).snapshot() as snapshot:
        graphs = (quad.graph_name for quad in snapshot.store)
        return sum(1 for graph in graphs if graph != ontology and is_asserted(graph))


def _count_database(folder: Path) -> int:
    return len(ox.Store.read_only(str(folder)))


# What the processes do that are Python.


def _load_here(kind: str, file: Path, folder: Path) -> dict[str, float]:
    if kind == "rdflib":
        return _load_by_rdflib(file)
    if kind == "inferring":
        from kg.inference import infer
        from kg.units import ontology_unit

    begun = time.perf_counter()
    store = StoreFolder(folder)
    with store.writer() as writer:
        writer.live.bulk_load(path=str(file), format=ox.RdfFormat.N_QUADS)
        if kind == "inferring":
            writer.live.bulk_extend(ontology_unit().quads)
            infer(writer.live)
        writer.publish()
    with store.snapshot() as snapshot:
        if not snapshot.query("ASK { ?a a ws:Assertion ; ws:holder ?holder }"):
            raise WhosaysError("the store does not answer", mend="find out what is missing")
    return {"seconds": time.perf_counter() - begun}


def _load_by_rdflib(file: Path) -> dict[str, float]:
    import rdflib

    begun = time.perf_counter()
    dataset = rdflib.Dataset()
    dataset.parse(str(file), format="nquads")
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "quads": sum(len(graph) for graph in dataset.graphs())}


# How it is told.


def _spread(values: Sequence[float], digits: int) -> str:
    if not values:
        return "–"
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f})"


def _show(measured: Sequence[Figures]) -> None:
    from server.bench import show_table

    columns = ["quads", "loader", "s (range)", "÷ oxigraph (range)", "without its start: s (range)"]
    columns += ["÷ oxigraph (range)", "processor s", "µs a quad", "growth", "peak MB"]
    rows: list[list[object]] = []
    for place, figures in enumerate(measured):
        before = measured[place - 1] if place else None
        for number, name in enumerate(loader.name for loader in make_loaders()):
            rows.append(["" if number else f"{figures.size:,}", name, *_row(figures, before, name)])
    notes = [
        "The loaders take turns; median and range of the rounds: "
        + ", ".join(f"{len(f.seconds(AIMED_AT))} at {f.size:,}" for f in measured)
        + ".",
        "÷ oxigraph: seconds to its seconds in the same round. Growth: of the time for a quad, from the size before.",
        f"≈: not run, reckoned from the largest size that was. {_versions()}",
    ]
    show_table("loading: a corpus in N-Quads, until the store answers", columns, rows, notes)


def _row(figures: Figures, before: Figures | None, name: str) -> list[str]:
    runs, per_quad = figures.runs.get(name, []), figures.per_quad(name)
    if per_quad is None:
        seconds = figures.extrapolated.get(name)
        return ["–", "", f"≈ {seconds:,.1f}" if seconds else "–", "", "", "", "", ""]
    earlier = before.per_quad(name) if before else None
    told = any(run.work is not None for run in runs)
    return [
        _spread(figures.seconds(name), 2),
        _spread(figures.ratios(name), 2) if name != AIMED_AT else "",
        _spread(figures.seconds(name, net=True), 2) if told else "",
        _spread(figures.ratios(name, net=True), 2) if told else "",
        f"{statistics.median(run.cpu for run in runs):,.2f}",
        f"{per_quad:,.2f}",
        f"× {per_quad / earlier:,.2f}" if earlier else "",
        f"{statistics.median(run.memory for run in runs) / 1e6:,.0f}",
    ]


def _versions() -> str:
    names = ("pyoxigraph", "oxigraph", "rdflib")
    return f"Versions: {', '.join(f'{name} {version(name)}' for name in names)}."


def _as_dict(figures: Figures) -> dict[str, object]:
    return {
        "size": figures.size,
        "bytes": figures.bytes,
        "loaders": {
            name: {
                "seconds": [round(run.seconds, 4) for run in runs],
                "work_seconds": [round(run.work, 4) for run in runs if run.work is not None],
                "processor_seconds": [round(run.cpu, 4) for run in runs],
                "us_per_quad": round(figures.per_quad(name) or 0.0, 3),
                "peak_bytes": [run.memory for run in runs],
                "ratios": [round(ratio, 3) for ratio in figures.ratios(name)],
                "work_ratios": [round(ratio, 3) for ratio in figures.ratios(name, net=True)],
            }
            for name, runs in figures.runs.items()
        },
        "extrapolated_seconds": {name: round(seconds, 2) for name, seconds in figures.extrapolated.items()},
    }


if __name__ == "__main__":
    _kind, _file, _folder = sys.argv[1:]
    print(json.dumps(_load_here(_kind, Path(_file), Path(_folder))))
