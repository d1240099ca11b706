"""The benchmark of the saved queries: what each costs, on graphs of growing size, beside rdflib on the smallest.

Every saved query is asked with what it needs, and once more with each parameter that it may be given.
Values are those that occur most often in the generated graph, so that each question is the worst of its
kind. What is timed is what a worker does: the parameters are bound, the query is answered from an open
snapshot, all rows are written as JSON. The questions take turns, round after round; the first round
warms up. What asks other endpoints is left out.

rdflib has the same quads in memory, their union as the default graph, and is given the bound text; what
it spends on binding is nothing. Both answer in processes that are killed at a deadline.
"""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from kg.cells import GIBIBYTE, Cells
from kg.errors import OverrunError
from kg.names import PREFIXES, WS
from kg.queries import prepare
from kg.settings import Settings
from kg.store import Functions, Snapshot, StoreFolder
from loaders.functions import query_functions
from loaders.texts import Texts
from server.bench import generated_store, say, show_json, show_table
from server.bench_values import Case, local_queries, make_cases
from server.engine.answering import answer
from server.engine.messages import END, Ask, End, Unpacker, unpack_object

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 5

AIM = 0.3
"""Seconds that a question should take at most."""

DEADLINE = 60.0
"""Seconds after which a question is given up."""

PATIENCE = 30.0
"""Seconds that a question may have spent and be asked again."""

RDFLIB_SECONDS = 5.0
"""Seconds after which rdflib is given up, and that it may have spent and be asked again."""

_JSON = "application/sparql-results+json"
_MEMORY = 12 * GIBIBYTE


@dataclass
class Tally:
    """What was measured of a question.

    Parameters:
        seconds: one each round.
        rows: of the answer; -1 where there was none.
        over: seconds in which no answer came; None where all came.
        failed: what went wrong, empty for nothing.
    """

    seconds: list[float] = field(default_factory=list)
    rows: int = -1
    over: float | None = None
    failed: str = ""

    @property
    def median(self) -> float | None:
        """Seconds; None where not all answers came."""
        return statistics.median(self.seconds) if self.seconds and self.over is None and not self.failed else None

    def goes_on(self, patience: float) -> bool:
        """Tell whether it is to be asked again."""
        return self.over is None and not self.failed and sum(self.seconds) < patience

    def is_late(self) -> bool:
        """Tell whether it takes longer than it should.

        >>> Tally([0.2, 0.4, 0.5]).is_late(), Tally([0.1]).is_late()
        (True, False)
        """
        return self.over is not None or (self.median or 0.0) > AIM

    def __str__(self) -> str:
        if self.failed:
            return "failed"
        if self.over is not None:
            return f"> {self.over:g} s"
        if not self.seconds:
            return "–"
        told = [f"{each * 1_000:,.1f}" for each in (statistics.median(self.seconds), *_ends(self.seconds))]
        return "{} ({}–{})".format(*told)


@dataclass
class Figures:
    """What was measured at one size.

    Parameters:
        size: quads asked for.
        quads: quads in the store, what is inferred included.
        tallies: by question.
        rdflib: by question, where rdflib was asked too.
        left_out: questions that nothing in the graph answers to, with the reason.
    """

    size: int
    quads: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    rdflib: dict[str, Tally] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def bench_questions(
    sizes: Sequence[int] = SIZES,
    *,
    rounds: int = ROUNDS,
    only: Sequence[str] = (),
    as_json: bool,
    folder: Path | None,
) -> None:
    """Measure the saved queries.

    Parameters:
        sizes: quads, 3,000 or more.
        rounds: how often each question has its turn.
        only: names of saved queries; all where none is given.
        as_json: print JSON in place of a table.
        folder: where the stores are kept and looked for; None for a place that is cleared.
    """
    measured: list[Figures] = []
    for size in sorted(sizes):
        with generated_store(folder, "questions", size) as store:
            measured.append(measure(store, size, rounds, only, with_rdflib=not measured))
    if as_json:
        show_json([_as_dict(f) for f in measured])
    else:
        _show(measured)


def measure(
    folder: StoreFolder, size: int, rounds: int, only: Sequence[str] = (), *, with_rdflib: bool = False
) -> Figures:
    """Measure one size.

    Parameters:
        folder: a store filled with a corpus.
        size: quads asked for.
        rounds, only: as for `bench_questions`.
        with_rdflib: measure rdflib too.
    """
    figures = Figures(size)
    texts: dict[str, str] = {}
    say(f"{size:,}: choosing what is asked")
    with folder.snapshot() as snapshot:
        figures.quads = len(snapshot.store)
        cases: list[Case] = []
        for query in local_queries():
            if not only or query.name in only:
                cases += make_cases(snapshot, query, figures.left_out)
        if with_rdflib:
            texts = {case.name: prepare(case.query, snapshot, dict(case.values)).text for case in cases}
        with tempfile.TemporaryDirectory() as work, _cells(partial(_open, folder.path)) as ours:
            if not with_rdflib:
                _ask_all(figures, cases, rounds, ours, folder)
                return figures
            file = Path(work) / "graph.nq"
            with file.open("wb") as out:
                snapshot.store.dump(out, format=ox.RdfFormat.N_QUADS)
            with _cells(partial(_read_into_rdflib, file)) as theirs:
                _ask_all(figures, cases, rounds, ours, folder, theirs, file, texts)
    return figures


def growth(before: Figures, after: Figures, name: str) -> float | None:
    """Return by what a question's time is multiplied where the graph is ten times as large.

    >>> one, two = Figures(10, 10, {"q": Tally([1.0])}), Figures(1000, 1000, {"q": Tally([4.0])})
    >>> growth(one, two, "q")
    2.0
    """
    old, new = before.tallies.get(name, Tally()).median, after.tallies.get(name, Tally()).median
    if not old or not new or after.quads <= before.quads:
        return None
    return float((new / old) ** (1 / math.log10(after.quads / before.quads)))


def _ask_all(
    figures: Figures,
    cases: Sequence[Case],
    rounds: int,
    ours: Cells,
    folder: StoreFolder,
    theirs: Cells | None = None,
    file: Path = Path(),
    texts: Mapping[str, str] | None = None,
) -> None:
    for turn in range(rounds + 1):
        say(f"{figures.size:,}: {f'round {turn} of {rounds}' if turn else 'warming up'}, {len(cases)} questions")
        for case in cases:
            tally = figures.tallies.setdefault(case.name, Tally())
            if tally.goes_on(PATIENCE):
                _ask(tally, ours, DEADLINE, turn, ask_here, folder.path, case)
            if theirs is not None and texts is not None and turn:
                tally = figures.rdflib.setdefault(case.name, Tally())
                if tally.goes_on(RDFLIB_SECONDS):
                    _ask(tally, theirs, RDFLIB_SECONDS, turn, ask_rdflib, file, texts[case.name])


def _ask(tally: Tally, cells: Cells, deadline: float, turn: int, function: Any, *arguments: object) -> None:
    cells.run(time.monotonic, deadline=10 * DEADLINE)  # a process that was killed has been replaced by then
    try:
        seconds, tally.rows = cells.run(function, *arguments, deadline=deadline)
    except OverrunError as error:
        if "took longer" in error.problem:
            tally.over = deadline
        else:
            tally.failed = error.problem
    except Exception as error:
        tally.failed = f"{type(error).__name__}: {error}"[:200]
    else:
        if turn:
            tally.seconds.append(seconds)


@contextmanager
def _cells(warm_up: Any) -> Iterator[Cells]:
    with Cells(1, deadline=DEADLINE, memory=_MEMORY, warm_up=warm_up, preload=["server.bench_questions"]) as cells:
        yield cells


# What the processes do.


def ask_here(path: Path, case: Case) -> tuple[float, int]:
    """Answer a question as a worker does.

    Parameters:
        path: of the store.
        case: the question.

    Returns:
        Seconds, and rows.
    """
    snapshot, functions = _open(path)
    ask = Ask("saved", case.query.name, _JSON, "text/turtle", saved=case.query, values=case.values)
    sent: list[bytes] = []
    begun = time.perf_counter()
    answer(snapshot, ask, sent.append, functions)
    seconds = time.perf_counter() - begun
    for kind, body in Unpacker().feed(b"".join(sent)):
        if kind == END:
            end = unpack_object(kind, body)
            assert isinstance(end, End)
            return seconds, end.rows
    raise AssertionError("the answer has no end")


def ask_rdflib(file: Path, text: str) -> tuple[float, int]:
    """Let rdflib answer a question.

    Parameters:
        file: what it has in memory, N-Quads.
        text: SPARQL.

    Returns:
        Seconds, and rows.
    """
    dataset = _read_into_rdflib(file)
    begun = time.perf_counter()
    rows = len(list(dataset.query(text, initNs=dict(PREFIXES))))
    return time.perf_counter() - begun, rows


@cache
def _open(path: Path) -> tuple[Snapshot, Functions]:
    """Open a snapshot, and keep it open as long as the process lives."""
    context = StoreFolder(path).snapshot()
    snapshot = context.__enter__()
    _held.append(context)
    return snapshot, query_functions(snapshot, Texts(path / "no-texts"), Settings(store=path))


_held: list[object] = []


@cache
def _read_into_rdflib(file: Path) -> Any:
    import rdflib
    from rdflib.plugins.sparql.operators import register_custom_function

    def quote(*_: object) -> Any:
        raise rdflib.plugins.sparql.sparql.SPARQLError("there is no text")

    register_custom_function(rdflib.URIRef(WS + "quote"), quote)
    dataset = rdflib.Dataset(default_union=True)
    with file.open("rb") as source:
        dataset.parse(source, format="nquads")
    return dataset


# How it is told.


def _ends(seconds: Iterable[float]) -> tuple[float, float]:
    ordered = sorted(seconds)
    return ordered[0], ordered[-1]


def _show(measured: Sequence[Figures]) -> None:
    names = list(dict.fromkeys(name for figures in measured for name in figures.tallies))
    columns = ["milliseconds: median (range)"]
    for place, figures in enumerate(measured):
        columns += [f"{figures.size:,}", f"rows of {figures.size:,}"]
        columns += [f"rdflib at {figures.size:,}"] if not place else [f"growth to {figures.size:,}"]
    rows: list[list[object]] = []
    for name in names:
        row: list[object] = [name]
        for place, figures in enumerate(measured):
            tally = figures.tallies.get(name, Tally())
            row += [tally, f"{tally.rows:,}" if tally.rows >= 0 else "–"]
            if not place:
                row.append(figures.rdflib.get(name, Tally()))
            else:
                times = growth(measured[place - 1], figures, name)
                row.append(f"× {times:,.1f}" if times else "–")
        rows.append(row)
    show_table(
        "the saved queries: each with what it needs, and with each parameter beside", columns, rows, _notes(measured)
    )


def _seconds(tally: Tally) -> str:
    return f"> {tally.over:g} s" if tally.median is None else f"{tally.median:.2f} s"


def _notes(measured: Sequence[Figures]) -> list[str]:
    notes = [
        "The questions take turns. Values are those that occur most often. Growth: of the time, where the graph is "
        "ten times as large. rdflib: in memory, on the smallest graph.",
        f"A question is asked again as long as it has spent less than {PATIENCE:g} s (rdflib {RDFLIB_SECONDS:g} s).",
    ]
    for figures in measured:
        late = [f"{name} ({_seconds(tally)})" for name, tally in figures.tallies.items() if tally.is_late()]
        notes.append(f"{figures.size:,} ({figures.quads:,} in the store), over {AIM:g} s: {'; '.join(late) or 'none'}.")
        empty = [name for name, tally in figures.tallies.items() if tally.rows == 0]
        if empty or figures.left_out:
            told = [*empty, *(f"{name} ({why})" for name, why in figures.left_out.items())]
            notes.append(f"{figures.size:,}, no rows: {'; '.join(told)}.")
        for who, tallies in (("", figures.tallies), ("rdflib: ", figures.rdflib)):
            notes += [f"{figures.size:,}, failed: {who}{name}: {t.failed}" for name, t in tallies.items() if t.failed]
        other = [n for n, t in figures.rdflib.items() if t.rows >= 0 and t.rows != figures.tallies[n].rows]
        if other:
            notes.append(f"{figures.size:,}, rdflib has another number of rows: {'; '.join(other)}.")
    return notes


def _as_dict(figures: Figures) -> dict[str, object]:
    return {
        "size": figures.size,
        "quads": figures.quads,
        "questions": {name: _tally_as_dict(tally) for name, tally in figures.tallies.items()},
        "rdflib": {name: _tally_as_dict(tally) for name, tally in figures.rdflib.items()},
        "late": [name for name, tally in figures.tallies.items() if tally.is_late()],
        "left_out": figures.left_out,
    }


def _tally_as_dict(tally: Tally) -> dict[str, object]:
    return {
        "ms": [round(seconds * 1_000, 3) for seconds in tally.seconds],
        "rows": tally.rows,
        "longer_than_s": tally.over,
        "failed": tally.failed,
    }
