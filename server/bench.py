"""Benchmarks: every figure that we claim, by a command that anybody can repeat.

Each prints medians and spreads, with the peers taking turns in the same run, because machines
wander; what matters is how they stand to one another, and how cost grows with size.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console
from rich.table import Table

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
@click.argument("name", type=click.Choice(["door", "all"]))
@click.option("--size", "sizes", type=int, multiple=True, help="Quads; more than once for several.  [10 k to 10 M]")
@click.option("--full-limit", type=int, default=1_000_000, help="Quads up to which a full run is made.  [1,000,000]")
@click.option("--keep", type=click.Path(path_type=Path), help="Folder in which the generated stores are kept.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def bench_command(name: str, sizes: tuple[int, ...], full_limit: int, keep: Path | None, form: str) -> None:
    """Measure NAME, beside its peers; `all` runs one after the other.

    At ten million quads this takes about half an hour and 5 GB of disk.
    """
    from server.bench_door import SIZES, bench_door

    assert name in ("door", "all")
    bench_door(sizes or SIZES, as_json=form == "json", folder=keep, full_limit=full_limit)


def show_json(figures: object) -> None:
    """Print figures as JSON."""
    click.echo(json.dumps(figures, ensure_ascii=False, indent=2))
