"""The explorer's answers: which assertions are asked for, how many there are by each facet, and their rows.

What is chosen is a set of bits for each facet, for the days and for the words; what is asked for is what all have in
common, and the counts of a facet are made without its own. Values are counted from the most frequent downwards, until
no other can come among those that are shown; where few assertions are left, from these.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import and_

from kg.filters import FACETS, MAX_WORDS, Filters
from kg.index.answers import AssertionRow, Explored, FacetValue
from kg.index.bits import Bits, bits_of, count_common, flags_of, rows_of, unpack_bits
from kg.index.entries import POSTED
from kg.index.naming import as_list, find_iris, find_labels
from kg.index.schema import NODE
from kg.index.searching import match_word
from kg.index.writing import KIND_NAMES, read_keys
from kg.words import split_words

FEW = 1_500
"""Assertions up to which facets are counted one assertion after the other."""

_PAGE = 1_000
_WORDS = f"""
SELECT assertion.id FROM glosses JOIN assertion ON assertion.proposition = glosses.rowid & {NODE}
WHERE glosses MATCH :match
UNION ALL
SELECT evidence.assertion FROM said JOIN passage ON passage.node = said.rowid & {NODE}
JOIN evidence ON evidence.passage = passage.node
WHERE said MATCH :match AND passage.digest IS NOT NULL"""


def explore(
    connection: sqlite3.Connection, filters: Filters, *, limit: int, offset: int, values: int, language: str
) -> Explored:
    """Answer what the explorer asks; see `kg.index.Index.explore`."""
    parts = choose(connection, filters)
    asked = reduce(and_, parts.values())
    counted: dict[str, list[tuple[int, int]]] = {}
    few: dict[Bits, Counter[tuple[int, int]]] = {}
    for facet in FACETS:
        bits = _without(parts, facet)
        chosen = _numbers(connection, filters.chosen.get(facet, ()))
        if bits.bit_count() <= FEW:
            if bits not in few:
                few[bits] = _count_few(connection, bits)
            counted[facet] = _most(few[bits], POSTED.index(facet), values, chosen)
        else:
            counted[facet] = _count_many(connection, bits, POSTED.index(facet), values, chosen)
    ids = list(_in_order(connection, asked, limit, offset))
    return Explored(
        rows=tuple(_read_rows(connection, ids, language)),
        total=asked.bit_count(),
        facets=_named(connection, counted, filters, language),
        years=_years(connection, _without(parts, "days")),
    )


def list_assertions(
    connection: sqlite3.Connection, filters: Filters, *, limit: int, language: str
) -> list[AssertionRow]:
    """Return the assertions that are asked for; see `kg.index.Index.assertions`."""
    asked = reduce(and_, choose(connection, filters).values())
    ids = list(_in_order(connection, asked, limit, 0))
    return [row for n in range(0, len(ids), _PAGE) for row in _read_rows(connection, ids[n : n + _PAGE], language)]


# Which are asked for.


def choose(connection: sqlite3.Connection, filters: Filters) -> dict[str, Bits]:
    """Return the set of assertions that each part of the filters asks for, by its name.

    Parameters:
        connection: to the index.
        filters: what is asked for.
    """
    everything = _posting(connection, "all", 0)
    parts = {"all": everything}
    if not filters.withdrawn:
        parts["all"] &= ~_posting(connection, "withdrawn", 0)
    for facet, iris in filters.chosen.items():
        bits = 0
        for number in _numbers(connection, iris).values():
            bits |= _posting(connection, facet, number)
        parts[facet] = bits
    if filters.since or filters.until:
        parts["days"] = _on_days(connection, filters)
    for n, word in enumerate(split_words(filters.words)[:MAX_WORDS]):
        parts[f"word {n}"] = bits_of(row[0] for row in connection.execute(_WORDS, {"match": match_word(word)}))
    return parts


def _without(parts: Mapping[str, Bits], name: str) -> Bits:
    return reduce(and_, (bits for part, bits in parts.items() if part != name))


def _posting(connection: sqlite3.Connection, facet: str, value: int) -> Bits:
    row = connection.execute(
        "SELECT assertions FROM posting WHERE facet = ? AND value = ?", (POSTED.index(facet), value)
    ).fetchone()
    return unpack_bits(row["assertions"]) if row else 0


def _numbers(connection: sqlite3.Connection, iris: Iterable[str]) -> dict[str, int]:
    """Return the numbers of IRIs; what the index does not know has none."""
    found = {}
    for iri in iris:
        row = connection.execute("SELECT id FROM node WHERE iri = ?", (iri,)).fetchone()
        if row:
            found[iri] = row["id"]
    return found


def _on_days(connection: sqlite3.Connection, filters: Filters) -> Bits:
    rows = connection.execute(
        "SELECT id FROM assertion INDEXED BY assertion_days"
        " WHERE (:since IS NULL OR latest >= :since OR (latest IS NULL AND earliest IS NOT NULL))"
        " AND (:until IS NULL OR earliest <= :until OR (earliest IS NULL AND latest IS NOT NULL))",
        {"since": filters.since, "until": filters.until},
    )
    return bits_of(row[0] for row in rows)


# How many there are.


def _count_few(connection: sqlite3.Connection, bits: Bits) -> Counter[tuple[int, int]]:
    counts: Counter[tuple[int, int]] = Counter()
    rows = connection.execute(
        "SELECT facets FROM assertion WHERE id IN (SELECT value FROM json_each(?))", (as_list(rows_of(bits)),)
    )
    for (facets,) in rows:
        counts.update(read_keys(facets))
    return counts


def _most(
    counts: Mapping[tuple[int, int], int], facet: int, values: int, chosen: Mapping[str, int]
) -> list[tuple[int, int]]:
    found = sorted(((value, n) for (f, value), n in counts.items() if f == facet), key=lambda pair: -pair[1])
    shown = dict(found[:values])
    for number in chosen.values():
        shown.setdefault(number, counts.get((facet, number), 0))
    return list(shown.items())


def _count_many(
    connection: sqlite3.Connection, bits: Bits, facet: int, values: int, chosen: Mapping[str, int]
) -> list[tuple[int, int]]:
    flags = flags_of(bits)
    counts: dict[int, int] = {}
    best: list[int] = []
    rows = connection.execute(
        "SELECT value, total, assertions FROM posting WHERE facet = ? ORDER BY total DESC, value", (facet,)
    )
    for value, total, assertions in rows:
        if len(best) >= values and total <= best[values - 1]:
            break
        count = count_common(assertions, bits, flags)
        if count:
            counts[value] = count
            best = sorted((*best, count), reverse=True)[:values]
    shown = dict(sorted(counts.items(), key=lambda pair: -pair[1])[:values])
    for number in chosen.values():
        if number not in shown:
            shown[number] = counts.get(number) or (_posting(connection, POSTED[facet], number) & bits).bit_count()
    return list(shown.items())


def _named(
    connection: sqlite3.Connection,
    counted: Mapping[str, Sequence[tuple[int, int]]],
    filters: Filters,
    language: str,
) -> dict[str, tuple[FacetValue, ...]]:
    numbers = {value for pairs in counted.values() for value, _ in pairs}
    iris, labels = find_iris(connection, numbers), find_labels(connection, numbers, language)
    facets: dict[str, tuple[FacetValue, ...]] = {}
    for facet, pairs in counted.items():
        chosen = filters.chosen.get(facet, ())
        found = [FacetValue(iris[v], labels[v].text, n, iris[v] in chosen) for v, n in pairs]
        found.sort(key=lambda value: (-value.count, value.label, value.iri))
        known = {value.iri for value in found}
        # What the graph does not know can be chosen and taken back like everything else.
        facets[facet] = (*found, *(FacetValue(iri, iri, 0, True) for iri in chosen if iri not in known))
    return facets


def _years(connection: sqlite3.Connection, bits: Bits) -> tuple[tuple[int, int], ...]:
    flags = flags_of(bits)
    rows = connection.execute(
        "SELECT value, assertions FROM posting WHERE facet = ? ORDER BY value", (POSTED.index("year"),)
    )
    counts = ((year, count_common(assertions, bits, flags)) for year, assertions in rows)
    return tuple((year, count) for year, count in counts if count)


# Their rows.


def _in_order(connection: sqlite3.Connection, bits: Bits, limit: int, offset: int) -> Iterator[int]:
    """Give the rows of a set, document by document in the order of the text."""
    if bits.bit_count() <= FEW:
        rows = connection.execute(
            "SELECT assertion.id FROM assertion JOIN node ON node.id = document"
            " WHERE assertion.id IN (SELECT value FROM json_each(?))"
            " ORDER BY iri, starts, depth, assertion.id LIMIT ? OFFSET ?",
            (as_list(rows_of(bits)), max(limit, 0), offset),
        )
        yield from (row for (row,) in rows)
        return
    flags = flags_of(bits)
    documents = connection.execute(
        "SELECT value, assertions FROM posting JOIN node ON node.id = value WHERE facet = ? ORDER BY iri",
        (POSTED.index("document"),),
    ).fetchall()
    for document, assertions in documents:
        if limit <= 0:
            return
        count = count_common(assertions, bits, flags)
        if offset >= count:
            offset -= count
            continue
        rows = connection.execute("SELECT id FROM assertion WHERE document = ? ORDER BY starts, depth, id", (document,))
        wanted = [row for (row,) in rows if row < len(flags) and flags[row]][offset : offset + limit]
        yield from wanted
        limit -= len(wanted)
        offset = 0


def _read_rows(connection: sqlite3.Connection, ids: Sequence[int], language: str) -> Iterator[AssertionRow]:
    listed = as_list(ids)
    found = {
        row["id"]: row
        for row in connection.execute("SELECT * FROM assertion WHERE id IN (SELECT value FROM json_each(?))", (listed,))
    }
    places: dict[int, list[sqlite3.Row]] = {}
    for place in connection.execute(
        "SELECT assertion, node, starts, ends FROM evidence JOIN passage ON passage.node = evidence.passage"
        " WHERE assertion IN (SELECT value FROM json_each(?)) ORDER BY assertion, starts, ends, node",
        (listed,),
    ):
        places.setdefault(place["assertion"], []).append(place)
    keys = {row: read_keys(found[row]["facets"]) for row in ids}
    target, issue = POSTED.index("target"), POSTED.index("issue")
    numbers = {found[row][name] for row in ids for name in _NODES} - {None}
    numbers |= {value for of_row in keys.values() for facet, value in of_row if facet in (target, issue)}
    numbers |= {place["node"] for of_row in places.values() for place in of_row}
    iris = find_iris(connection, numbers)
    contents = {found[row]["content"] for row in ids} - {None}
    glosses = find_labels(connection, contents, language)

    for row in ids:
        a = found[row]
        gloss = glosses.get(a["content"])
        yield AssertionRow(
            iri=iris[a["node"]],
            holder=iris[a["holder"]],
            speaker=iris.get(a["speaker"]),
            act=iris[a["act"]],
            family=iris.get(a["family"], ""),
            polarity=iris[a["polarity"]],
            certainty=iris[a["certainty"]],
            basis=iris.get(a["basis"], ""),
            standing=iris.get(a["standing"]),
            document=iris[a["document"]],
            proposition=iris.get(a["proposition"]),
            gloss=gloss.text if gloss else "",
            kind=KIND_NAMES[a["kind"]],
            reports=iris.get(a["reports"]),
            within=iris.get(a["within_"]),
            depth=a["depth"],
            reporter=iris[a["reporter"]],
            day=a["day"],
            earliest=a["earliest"],
            latest=a["latest"],
            passages=tuple((iris[p["node"]], p["starts"], p["ends"]) for p in places.get(row, ())),
            targets=tuple(sorted(iris[value] for facet, value in keys[row] if facet == target)),
            issues=tuple(sorted(iris[value] for facet, value in keys[row] if facet == issue)),
        )


_NODES = (
    *("node", "holder", "speaker", "act", "family", "polarity", "certainty", "basis", "standing", "document"),
    *("proposition", "reports", "within_", "reporter"),
)
