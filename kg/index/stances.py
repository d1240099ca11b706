"""Stances for the pictures: the assertions with a content of their own, without their passages and words.

A picture looks at all assertions that are asked for, and shows a few; to read whole rows would take most of its time.
"""

from __future__ import annotations

import sqlite3
from functools import reduce
from operator import and_
from typing import NamedTuple

from kg.filters import Filters
from kg.index.bits import flags_of, rows_of
from kg.index.exploring import choose
from kg.index.naming import as_list, find_iris
from kg.index.writing import KIND_NAMES

FEW = 5_000
"""Assertions up to which each is looked up by its number; where more are asked for, all are read."""

_COLUMNS = "id, node, holder, act, family, polarity, standing, proposition, kind, day, earliest, latest"
_NODES = slice(1, 8)


class StanceRow(NamedTuple):
    """An assertion with a content, as far as pictures need it; see `kg.index.AssertionRow`."""

    iri: str
    holder: str
    act: str
    family: str
    polarity: str
    standing: str
    proposition: str
    kind: str
    day: str | None
    earliest: str | None
    latest: str | None


def list_stances(connection: sqlite3.Connection, filters: Filters, *, limit: int) -> list[StanceRow]:
    """Return the assertions that are asked for and have a content; see `kg.index.Index.stances`."""
    bits = reduce(and_, choose(connection, filters).values())
    wanted = "proposition IS NOT NULL AND standing IS NOT NULL"
    if bits.bit_count() <= FEW:
        query = f"SELECT {_COLUMNS} FROM assertion WHERE id IN (SELECT value FROM json_each(?)) AND {wanted}"
        rows = [tuple(row) for row in connection.execute(query, (as_list(rows_of(bits)),))]
    else:
        flags = flags_of(bits)
        found = connection.execute(f"SELECT {_COLUMNS} FROM assertion WHERE {wanted}")
        rows = [tuple(row) for row in found if row[0] < len(flags) and flags[row[0]]]
    numbers = {number for row in rows[:limit] for number in row[_NODES]} - {None}
    iris: dict[int | None, str] = {None: ""}
    iris.update(find_iris(connection, numbers).items())
    return sorted(
        StanceRow(iris[node], iris[holder], iris[act], iris[family], iris[polarity], iris[standing], iris[content],
                  KIND_NAMES[kind], day, earliest, latest)
        for _, node, holder, act, family, polarity, standing, content, kind, day, earliest, latest in rows[:limit]
    )  # fmt: skip
