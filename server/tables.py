"""Answers as tables: for people on the terminal, as CSV or JSON for programs."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass

import pyoxigraph as ox
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from kg.labels import find_labels
from kg.names import XSD, Term
from kg.store import Results, Snapshot

Cell = str | int | float | bool | None
_NUMBER = re.compile(r"[+-]?[0-9]+([.][0-9]+)?(e[+-]?[0-9]+)?", re.ASCII)
_FRACTIONS = (XSD + "decimal", XSD + "double")


@dataclass(frozen=True)
class Table:
    """An answer as rows.

    Parameters:
        columns: names.
        rows: a cell is None where the answer leaves it unbound.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Term | None, ...], ...]


def make_table(results: Results) -> Table:
    """Return the rows of any query's results.

    >>> make_table(ox.Store().query("SELECT (1 AS ?one) WHERE {}")).columns
    ('one',)
    """
    if isinstance(results, ox.QuerySolutions):
        columns = tuple(v.value for v in results.variables)
        return Table(columns, tuple(tuple(solution[c] for c in columns) for solution in results))
    if isinstance(results, ox.QueryBoolean):
        answer = ox.Literal("true" if bool(results) else "false", datatype=ox.NamedNode(XSD + "boolean"))
        return Table(("answer",), ((answer,),))
    return Table(("subject", "predicate", "object"), tuple((t.subject, t.predicate, t.object) for t in results))


def cell_value(term: Term | None) -> Cell:
    """Return a term as a plain value: an IRI or a text as string, a number as number."""
    if term is None:
        return None
    if isinstance(term, ox.Literal):
        if term.datatype.value == XSD + "boolean":
            return term.value == "true"
        if term.datatype.value == XSD + "integer":
            return int(term.value)
        return float(term.value) if term.datatype.value in _FRACTIONS else term.value
    return term.value if isinstance(term, ox.NamedNode) else str(term)


def table_labels(snapshot: Snapshot, table: Table) -> dict[str, str]:
    """Return the labels of all resources in a table."""
    return find_labels(snapshot, (term.value for row in table.rows for term in row if isinstance(term, ox.NamedNode)))


def as_json(table: Table) -> str:
    """Return a table as a JSON list, one object a row; unbound cells are null."""
    rows = [dict(zip(table.columns, map(cell_value, row), strict=True)) for row in table.rows]
    return json.dumps(rows, ensure_ascii=False, indent=2)


def as_csv(table: Table) -> str:
    """Return a table as CSV with a heading line."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(["" if (value := cell_value(term)) is None else value for term in row] for row in table.rows)
    return out.getvalue().removesuffix("\n")


def tame(text: str) -> str:
    """Return a text that a spreadsheet does not take for a formula; numbers stay what they are.

    >>> tame("=1+1"), tame("-2+cmd"), tame("-5")
    ("'=1+1", "'-2+cmd", '-5')
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _NUMBER.fullmatch(text) else text


def print_table(console: Console, snapshot: Snapshot, table: Table) -> None:
    """Print a table for people: resources by their labels, empty columns left out."""
    labels = table_labels(snapshot, table)
    shown = [i for i in range(len(table.columns)) if not table.rows or any(row[i] is not None for row in table.rows)]
    rich = RichTable(show_lines=len(shown) > 4)
    for i in shown:
        rich.add_column(table.columns[i].replace("_", " "), overflow="fold")
    for row in table.rows:
        rich.add_row(*(_text(row[i], labels) for i in shown))
    console.print(rich)
    console.print(f"{len(table.rows)} row{'s' if len(table.rows) != 1 else ''}", style="dim")


def _text(term: Term | None, labels: dict[str, str]) -> Text:
    if isinstance(term, ox.NamedNode):
        return Text(labels[term.value])
    return Text("" if term is None else str(cell_value(term)))
