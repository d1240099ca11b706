"""Finding things by words: names before glosses, glosses before passages, each ranked by BM25.

Every word begins a word of what is found; of scripts without spaces it may stand anywhere. A thing whose name is just
what was typed comes first, and among things of like rank those that many assertions speak of. Names that have what was
typed inside a word come last. What people type is never read as a query language: it is cut into words first.

Source: BM25 as in SQLite's FTS5, https://www.sqlite.org/fts5.html#the_bm25_function
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from rapidfuzz.fuzz import token_sort_ratio

from kg.errors import ParameterError
from kg.index.answers import HIT_KINDS, Found, Hit
from kg.index.entries import FOLDED, POSTED, THING_KINDS
from kg.index.naming import Label, as_list, find_iris, find_labels
from kg.index.schema import KIND_BITS, NODE
from kg.index.writing import Quote
from kg.words import fold, is_unspaced, spaced_words, split_words

MAX_WORDS = 20
"""Words of a search that are looked at; those that come after are passed over."""

RANKED = 200
"""Things of one rank that are put in order by how often they are spoken of."""

ALIKE = 55.0
"""Likeness of two glosses, of 100, below which they are not told as worded nearly the same."""

_SHORTEST_PART = 3
_CANDIDATES = 60
_RARE = 8
_NAMED = tuple(kind for kind in HIT_KINDS if kind not in ("proposition", "passage"))
_SPOKEN_OF = as_list(POSTED.index(facet) for facet in ("holder", "target", "issue", "document"))


class _Match(NamedTuple):
    number: int
    score: float


def match_word(word: str) -> str:
    """Return what FTS5 is asked for a word, as `kg.words.split_words` gives it.

    >>> match_word("toll"), match_word("小泉")
    ('"toll"*', '"小 泉"')
    """
    return f'"{" ".join(word)}"' if is_unspaced(word) else f'"{word}"*'


def search(
    connection: sqlite3.Connection,
    quote: Quote | None,
    words: str,
    *,
    kinds: Sequence[str],
    language: str,
    limit: int,
    offset: int,
) -> Found:
    """Find things; see `kg.index.Index.search`."""
    wanted = _check_kinds(kinds) or HIT_KINDS
    typed = list(dict.fromkeys(split_words(words)))[:MAX_WORDS]
    if not typed:
        return Found((), {}, 0)
    match = " ".join(map(match_word, typed))
    part = _part(typed)
    counts = {kind: count for kind, count in _count(connection, match, part) if count}
    matches = islice(_ranked(connection, fold(words.strip()), match, part, wanted), offset, offset + limit)
    hits = _as_hits(connection, quote, list(matches), typed, language)
    return Found(tuple(hits), counts, sum(counts.get(kind, 0) for kind in dict.fromkeys(wanted)))


def suggest(
    connection: sqlite3.Connection, words: str, kinds: Sequence[str], *, language: str, limit: int
) -> list[Hit]:
    """Return what somebody may be about to name; see `kg.index.Index.suggest`."""
    wanted = _check_kinds(kinds) or tuple(kind for kind in HIT_KINDS if kind != "passage")
    typed = list(dict.fromkeys(split_words(words)))[:MAX_WORDS]
    if not typed:
        return []
    match, part = " ".join(map(match_word, typed)), _part(typed)
    matches = islice(_ranked(connection, fold(words.strip()), match, part, wanted, begun=True), limit)
    return list(_as_hits(connection, None, list(matches), typed, language))


def find_similar(connection: sqlite3.Connection, gloss: str, *, limit: int) -> list[Hit]:
    """Return propositions that are worded nearly the same; see `kg.index.Index.similar`."""
    rare = _rarest(connection, set(split_words(gloss)))
    if not rare:
        return []
    match = " OR ".join(map(match_word, rare))
    rows = connection.execute(
        "SELECT rowid FROM glosses WHERE glosses MATCH ? ORDER BY rank LIMIT ?", (match, _CANDIDATES)
    )
    nodes = [row[0] & NODE for row in rows]
    asked = spaced_words(gloss)
    best: dict[int, tuple[float, Label]] = {}
    for node, text, tag in connection.execute(
        "SELECT node, text, language FROM name WHERE node IN (SELECT value FROM json_each(?))", (as_list(nodes),)
    ):
        likeness = token_sort_ratio(asked, spaced_words(text), score_cutoff=ALIKE)
        if likeness and (node not in best or likeness > best[node][0]):
            best[node] = likeness, Label(text, tag)
    iris = find_iris(connection, best)
    hits = [
        Hit(iris[node], "proposition", label.text, label.language, "", None, None, None, round(likeness, 1))
        for node, (likeness, label) in best.items()
    ]
    return sorted(hits, key=lambda hit: (-hit.score, hit.label, hit.iri))[:limit]


def _check_kinds(kinds: Iterable[str]) -> tuple[str, ...]:
    kinds = tuple(kinds)
    for kind in kinds:
        if kind not in HIT_KINDS:
            raise ParameterError(f"`{kind[:80]}` is no kind of thing", mend=f"use some of: {', '.join(HIT_KINDS)}")
    return kinds


def _part(typed: Sequence[str]) -> str | None:
    """Return what is looked for inside words: the whole of what was typed, where it is long enough."""
    text = " ".join(typed)
    return f'"{text}"' if len(text) >= _SHORTEST_PART and not any(map(is_unspaced, typed)) else None


# In order.


def _ranked(
    connection: sqlite3.Connection,
    name: str,
    match: str,
    part: str | None,
    kinds: Collection[str],
    *,
    begun: bool = False,
) -> Iterator[_Match]:
    """Give what matches, the best first, each once.

    Parameters:
        name: what was typed, folded.
        match: the same for FTS5, word by word.
        part: the same as a stretch inside a name, None where it is too short.
        kinds: of what is wanted.
        begun: whether things whose name begins with what was typed come before others.
    """
    seen: set[int] = set()
    named = [kind for kind in _NAMED if kind in kinds]
    steps: list[Iterator[_Match]] = []
    if named:
        steps.append(_by_name(connection, name, named, exactly=True))
        if begun:
            steps.append(_by_name(connection, name, named, exactly=False))
        steps.append(_by_words(connection, "names", match, named, 2.0))
    if "proposition" in kinds:
        steps.append(_by_words(connection, "glosses", match, ["proposition"], 1.0))
    if "passage" in kinds:
        steps.append(_by_words(connection, "said", match, ["passage"], 0.5))
    if named and part:
        steps.append(_by_words(connection, "parts", part, named, 0.1))
    for step in steps:
        for found in step:
            if found.number not in seen:
                seen.add(found.number)
                yield found


def _by_name(connection: sqlite3.Connection, name: str, kinds: Sequence[str], *, exactly: bool) -> Iterator[_Match]:
    """Give things with a name, or with one that begins so, those that are spoken of most first."""
    text = name[:FOLDED]
    if not text:
        return
    end = text if exactly else text + "\U0010ffff"
    rows = connection.execute(
        f"SELECT DISTINCT thing.kind << {KIND_BITS} | thing.node FROM name JOIN thing USING (node)"
        " WHERE folded >= ? AND folded <= ? AND thing.kind IN (SELECT value FROM json_each(?)) LIMIT ?",
        (text, end, _numbers(kinds), 1_000),
    )
    found = [_Match(row[0], 4.0 if exactly else 3.0) for row in rows]
    spoken = _spoken_of(connection, found)
    yield from sorted(found, key=lambda m: (-spoken.get(m.number & NODE, 0), m.number))


def _by_words(
    connection: sqlite3.Connection, table: str, match: str, kinds: Sequence[str], weight: float
) -> Iterator[_Match]:
    """Give what the words are found in, by BM25; the first of them also by how much they are spoken of."""
    first, last = (_number(kind) << KIND_BITS for kind in (kinds[0], kinds[-1]))
    more = f" AND EXISTS (SELECT 1 FROM passage WHERE node = said.rowid & {NODE} AND digest IS NOT NULL)"
    rows = connection.execute(
        f"SELECT rowid, -rank FROM {table} WHERE {table} MATCH ? AND rowid BETWEEN ? AND ?"
        f" AND rowid >> {KIND_BITS} IN (SELECT value FROM json_each(?)) {more if table == 'said' else ''}"
        " ORDER BY rank, rowid",
        (match, first, last | NODE, _numbers(kinds)),
    )
    found = [_Match(*row) for row in islice(rows, RANKED)]
    spoken = _spoken_of(connection, found) if table in ("names", "parts") else {}
    scored = [
        _Match(number, weight * score * (1 + math.log10(1 + spoken.get(number & NODE, 0)))) for number, score in found
    ]
    yield from sorted(scored, key=lambda match: (-match.score, match.number))
    for number, score in rows:
        yield _Match(number, weight * score)


def _spoken_of(connection: sqlite3.Connection, found: Iterable[_Match]) -> dict[int, int]:
    """Return how many assertions have a thing as holder, target, issue or document."""
    rows = connection.execute(
        "SELECT value, sum(total) FROM posting WHERE facet IN (SELECT value FROM json_each(?))"
        " AND value IN (SELECT value FROM json_each(?)) GROUP BY value",
        (_SPOKEN_OF, as_list(match.number & NODE for match in found)),
    )
    return dict(rows.fetchall())


def _count(connection: sqlite3.Connection, match: str, part: str | None) -> Iterator[tuple[str, int]]:
    names = "SELECT rowid FROM names WHERE names MATCH ?"
    if part:
        names += f" UNION SELECT rowid FROM parts WHERE parts MATCH ? AND rowid >> {KIND_BITS} <> ?"
    parameters = (match, part, _number("proposition")) if part else (match,)
    by_kind = f"SELECT rowid >> {KIND_BITS}, count(*) FROM ({names}) GROUP BY 1"
    for kind, count in connection.execute(by_kind, parameters):
        yield THING_KINDS[kind], count
    (count,) = connection.execute("SELECT count(*) FROM glosses WHERE glosses MATCH ?", (match,)).fetchone()
    yield "proposition", count
    (count,) = connection.execute(
        f"SELECT count(*) FROM said JOIN passage ON passage.node = said.rowid & {NODE}"
        " WHERE said MATCH ? AND said.rowid BETWEEN ? AND ? AND digest IS NOT NULL",
        (match, (first := _number("passage") << KIND_BITS), first | NODE),
    ).fetchone()
    yield "passage", count


def _number(kind: str) -> int:
    return THING_KINDS.index(kind)


def _numbers(kinds: Iterable[str]) -> str:
    return as_list(map(_number, kinds))


def _rarest(connection: sqlite3.Connection, words: Collection[str]) -> list[str]:
    """Return those of some words that fewest glosses have, of those that any has."""
    counts = {}
    for word in sorted(words)[: 2 * MAX_WORDS]:
        query = "SELECT count(*) FROM (SELECT 1 FROM glosses WHERE glosses MATCH ? LIMIT 5000)"
        (counts[word],) = connection.execute(query, (match_word(word),)).fetchone()
    return sorted((word for word, count in counts.items() if count), key=lambda word: (counts[word], word))[:_RARE]


# As hits.


def _as_hits(
    connection: sqlite3.Connection, quote: Quote | None, matches: Sequence[_Match], typed: Sequence[str], language: str
) -> Iterator[Hit]:
    nodes = [match.number & NODE for match in matches]
    iris, labels = find_iris(connection, nodes), find_labels(connection, nodes, language)
    places = {
        row["node"]: row
        for row in connection.execute(
            "SELECT passage.*, iri FROM passage JOIN node ON node.id = passage.document"
            " WHERE node IN (SELECT value FROM json_each(?))",
            (as_list(nodes),),
        )
    }
    names: dict[int, list[str]] = {}
    for node, text in connection.execute(
        "SELECT node, text FROM name WHERE node IN (SELECT value FROM json_each(?)) ORDER BY node, place",
        (as_list(nodes),),
    ):
        names.setdefault(node, []).append(text)
    for match, node in zip(matches, nodes, strict=True):
        kind, label, place = THING_KINDS[match.number >> KIND_BITS], labels[node], places.get(node)
        if place:
            words = quote(place["digest"], place["starts"], place["ends"]) if quote and place["digest"] else None
            where = (place["iri"], place["starts"], place["ends"])
            yield Hit(iris[node], kind, label.text, label.language, words or "", *where, round(match.score, 4))
        else:
            matched = _matched(label.text, names.get(node, ()), typed)
            yield Hit(iris[node], kind, label.text, label.language, matched, None, None, None, round(match.score, 4))


def _matched(label: str, names: Iterable[str], typed: Sequence[str]) -> str:
    """Return the name that has most of what was typed; empty where that is the label."""
    best = max((label, *names), key=lambda name: _likeness(name, typed))
    return "" if best == label or _likeness(best, typed) == _likeness(label, typed) else best


def _likeness(name: str, typed: Sequence[str]) -> tuple[int, bool]:
    words = f" {spaced_words(name)}"
    found = sum(f" {' '.join(word) if is_unspaced(word) else word}" in words for word in typed)
    return found, " ".join(typed) in words
