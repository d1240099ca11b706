"""Benchmarks: every figure that we claim, by a command that anybody can repeat.

Each prints medians and spreads, with the peers taking turns in the same run, because machines
wander; what matters is how they stand to one another, and how cost grows with size.
"""

from __future__ import annotations

import json
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console
from rich.table import Table

from kg.store import StoreFolder
from loaders.generator import fill_store

Result = TypeVar("Result")


@dataclass
class Times:
    """How long something took, again and again.

    Parameters:
        seconds: one each time.

    >>> Times([0.001, 0.003, 0.002]).median
    2.0
    """

    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Milliseconds."""
        return statistics.median(self.seconds) * 1_000

    @property
    def p95(self) -> float:
        """Milliseconds that all but the slowest twentieth take at most."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] * 1_000

    def time(self, function: Callable[[], Result]) -> Result:
        """Call a function and note how long it took."""
        start = time.perf_counter()
        result = function()
        self.seconds.append(time.perf_counter() - start)
        return result

    def __str__(self) -> str:
        if not self.seconds:
            return "–"
        return f"{self.median:,.1f} ({self.p95:,.1f})" if len(self.seconds) > 1 else f"{self.median:,.0f}"

    def as_dict(self) -> dict[str, float | int]:
        """Return the figures, in milliseconds, for JSON."""
        if not self.seconds:
            return {"n": 0}
        return {"median_ms": round(self.median, 2), "p95_ms": round(self.p95, 2), "n": len(self.seconds)}


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], notes: Sequence[str] = ()) -> None:
    """Print figures as a table, with notes below."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 180
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right" if rows and column != columns[0] else "left")
    for row in rows:
        table.add_row(*map(str, row))
    console.print(table)
    for note in notes:
        console.print(note, markup=False)


@click.command("bench")
@click.argument("name", type=click.Choice(["door", "endpoint", "load", "pages", "questions", "all"]))
@click.option(
    "--size", "sizes", type=int, multiple=True, help="Quads; more than once for several.  [by what is measured]"
)
@click.option(
    "--full-limit", type=int, default=1_000_000, help="door: quads up to which a full run is made.  [1,000,000]"
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    help="door, pages, questions: folder in which the generated stores are kept.",
)
@click.option("--rounds", type=click.IntRange(1), help="Turns of each.  [5; load from a million on 3]")
@click.option("--seconds", type=click.FloatRange(0.05), default=1.0, help="endpoint: length of a turn.  [1]")
@click.option(
    "--only",
    multiple=True,
    metavar="CASE",
    help="endpoint: a kind of query; questions: a saved query; more than once for several.  [all]",
)
@click.option("--clients", type=click.IntRange(1), multiple=True, help="endpoint: how many ask at once.  [1, 8 and 32]")
@click.option("--peer", "peers", multiple=True, metavar="SERVER", help="endpoint: a server to measure.  [all]")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def bench_command(
    name: str,
    sizes: tuple[int, ...],
    full_limit: int,
    keep: Path | None,
    rounds: int | None,
    seconds: float,
    only: tuple[str, ...],
    clients: tuple[int, ...],
    peers: tuple[str, ...],
    form: str,
) -> None:
    """Measure NAME, beside its peers; `all` runs one after the other.

    door: what one new assertion costs, on 10 k to 10 M quads; at the last it takes about half an hour and 5 GB of disk.
    endpoint: requests a second and latencies beside other SPARQL servers, on 100 k triples, in about ten minutes.
    load: a corpus of 10 k, 100 k and 1 M quads, until the store answers, beside Oxigraph's own loader and rdflib.
    pages: search and explorer on 50 k and 1 M quads, beside the same asked of the engine in SPARQL.
    questions: every saved query on 10 k, 100 k and 1 M quads, with all its parameters; on the smallest beside rdflib.
    """
    from server.bench_cases import CASES
    from server.bench_door import ROUNDS as DOOR_ROUNDS
    from server.bench_door import SIZES, bench_door
    from server.bench_endpoint import PEERS, SIZE, bench_endpoint
    from server.bench_endpoint import ROUNDS as ENDPOINT_ROUNDS
    from server.bench_load import SIZES as LOAD_SIZES
    from server.bench_load import bench_load
    from server.bench_pages import SIZES as PAGES_SIZES
    from server.bench_pages import bench_pages
    from server.bench_questions import ROUNDS as QUESTION_ROUNDS
    from server.bench_questions import SIZES as QUESTION_SIZES
    from server.bench_questions import bench_questions
    from server.bench_values import local_queries

    as_json = form == "json"
    known = {"endpoint": [case.name for case in CASES], "questions": [query.name for query in local_queries()]}
    chosen = {which: [word for word in only if word in words] for which, words in known.items()}
    _check_choice("--only", only, known.get(name) or [word for words in known.values() for word in words])
    _check_choice("--peer", peers, PEERS)
    if name in ("door", "all"):
        bench_door(sizes or SIZES, rounds=rounds or DOOR_ROUNDS, as_json=as_json, folder=keep, full_limit=full_limit)
    if name == "endpoint" or (name == "all" and (chosen["endpoint"] or not only)):
        for size in sizes or (SIZE,):
            bench_endpoint(
                size,
                rounds=rounds or ENDPOINT_ROUNDS,
                seconds=seconds,
                only=chosen["endpoint"],
                clients=clients,
                names=peers,
                as_json=as_json,
            )
    if name in ("load", "all"):
        bench_load(sizes or LOAD_SIZES, rounds=rounds, as_json=as_json)
    if name in ("pages", "all"):
        bench_pages(sizes or PAGES_SIZES, rounds=rounds or QUESTION_ROUNDS, as_json=as_json, folder=keep)
    if name == "questions" or (name == "all" and (chosen["questions"] or not only)):
        bench_questions(
            sizes or QUESTION_SIZES,
            rounds=rounds or QUESTION_ROUNDS,
            only=chosen["questions"],
            as_json=as_json,
            folder=keep,
        )


def _check_choice(option: str, given: Sequence[str], known: Sequence[str]) -> None:
    for word in given:
        if word not in known:
            raise click.UsageError(f"{option} {word}: there is none of that name; use one of: {', '.join(known)}")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def say(what: str) -> None:
    """Tell on standard error what is being done."""
    print(f"{what} …", file=sys.stderr, flush=True)


@contextmanager
def generated_store(kept: Path | None, name: str, size: int) -> Iterator[StoreFolder]:
    """Give a store with a generated corpus.

    Parameters:
        kept: folder in which it is kept from one run to the next; None for one that is removed.
        name: of the store in it.
        size: quads.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as cleared:
        folder = StoreFolder((kept or Path(cleared)) / f"{name}-{size}")
        if folder.current_name() is None:
            fill_store(folder, size, 1, progress=lambda step: say(f"{size:,}: {step}"))
        yield folder


def show_json(figures: object) -> None:
    """Print figures as JSON."""
    click.echo(json.dumps(figures, ensure_ascii=False, indent=2))
