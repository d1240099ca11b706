"""Proportions of a corpus: how many of what, how often each value occurs, how skewed popularity is.

They are measured on quads, and those of our own coded documents are kept beside this module in
`proportions.json`, so that the generator makes the same corpus even after a record was changed; a
test holds the two together.

Classes are told apart further than the ontology does where the numbers differ: an assertion is an
`Own` (the author's stance), a `Reported` (a stance that somebody reports) or a `Report`, and a
document with a digest is a `CodedDocument`. Everything is counted per *stance*, an assertion with a
proposition. Texts are seen only by their length.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from statistics import fmean, pstdev
from typing import TypeAlias

import pyoxigraph as ox

from kg.names import RDF, Term

_TYPE = ox.NamedNode(RDF + "type")
_UNCOUNTED = frozenset({"type", "exactMatch", "inDocument", "statedIn", "isDefinedBy"})
_WAYS = ("act", "polarity", "certainty", "basis")


@dataclass(frozen=True)
class Proportions:
    """What a corpus is made of.

    Parameters:
        quads: how many it was measured on.
        stances: assertions with a proposition among them.
        classes: nodes of each class per stance.
        numbers: for a property of a class (``Own.note``), the share of nodes with 0, 1, 2 … values.
        values: for a property of a class, the share of each concept, or of each class of node.
        ways: for a class of assertions, the share of each way of taking a stance: the class of the content, act,
            polarity, certainty and basis, with blanks between; they go together, and not in every combination.
        lengths: for a property of a class, the mean length of its texts, in characters.
        depths: the share of stances within 0, 1, 2 … reports.
        sentence_stances: the share of sentences with 0, 1, 2 … stances.
        document_sentences: mean and standard deviation of the natural logarithm of sentences in a coded document.
        repeated: the share of stances to a proposition that another stance is taken to already.
        crossing: the share of these where the proposition is defined in another document.
        factor_repeated: the share of uses of a factor that are not its first.
        popularity: Zipf's exponent of the references to the entries of each class.
    """

    quads: int
    stances: int
    classes: Mapping[str, float]
    numbers: Mapping[str, tuple[float, ...]]
    values: Mapping[str, Mapping[str, float]]
    ways: Mapping[str, Mapping[str, float]]
    lengths: Mapping[str, float]
    depths: tuple[float, ...]
    sentence_stances: tuple[float, ...]
    document_sentences: tuple[float, float]
    repeated: float
    crossing: float
    factor_repeated: float
    popularity: Mapping[str, float]

    def mean(self, name: str) -> float:
        """Return the mean number of values of a property, 0 where it never occurs.

        Parameters:
            name: class and property, such as ``Own.evidencedBy``.
        """
        return sum(number * share for number, share in enumerate(self.numbers.get(name, ())))

    def to_json(self) -> str:
        """Return the proportions as `proportions.json` holds them: a line for each entry."""
        lines = []
        for name, value in asdict(self).items():
            if isinstance(value, dict):
                rows = ",\n".join(f"  {json.dumps(key)}: {json.dumps(row)}" for key, row in value.items())
                lines.append(f"{json.dumps(name)}: {{\n{rows}\n}}")
            else:
                lines.append(f"{json.dumps(name)}: {json.dumps(value)}")
        return "{" + ",\n".join(lines) + "}\n"


@cache
def coded_proportions() -> Proportions:
    """Return the proportions of our own coded documents.

    >>> coded_proportions().values["Own.polarity"]["polarity-affirms"] > 0.9
    True
    """
    table = json.loads(resources.files("loaders").joinpath("proportions.json").read_text("utf-8"))
    table["numbers"] = {name: tuple(shares) for name, shares in table["numbers"].items()}
    for name in ("depths", "sentence_stances", "document_sentences"):
        table[name] = tuple(table[name])
    return Proportions(**table)


def zipf_exponent(uses: Iterable[int]) -> float:
    """Return the exponent of the Zipf distribution that makes given numbers of uses likeliest.

    Parameters:
        uses: how often each of several things is used, in any order.

    Source: Clauset, Shalizi and Newman, Power-law distributions in empirical data (2009), section 3.1,
    for ranks that are bounded above.

    >>> round(zipf_exponent([1200 // rank for rank in range(1, 40)]), 1)
    1.0
    """
    ordered = sorted(uses, reverse=True)
    logs = [math.log(rank) for rank in range(1, len(ordered) + 1)]
    wanted = sum(n * log for n, log in zip(ordered, logs, strict=True)) / max(1, sum(ordered))
    low, high = 0.0, 5.0
    for _ in range(40):
        middle = (low + high) / 2
        weights = [math.exp(-middle * log) for log in logs]
        mean = sum(w * log for w, log in zip(weights, logs, strict=True)) / max(1e-9, sum(weights))
        low, high = (middle, high) if mean > wanted else (low, middle)
    return low


def measure_proportions(quads: Iterable[ox.Quad]) -> Proportions:
    """Measure a corpus.

    Parameters:
        quads: the register and the coded documents, without the ontology and what is inferred.

    Returns:
        The proportions; shares are rounded to four digits.

    >>> measure_proportions([]).stances
    0
    """
    table: defaultdict[str, defaultdict[Term, list[Term]]] = defaultdict(lambda: defaultdict(list))
    size = 0
    for quad in quads:
        size += 1
        table[_local(quad.predicate)][quad.subject].append(quad.object)
    types = {node: _local(values[0]) for node, values in table.pop("type", {}).items()}
    reporter = {values[0]: node for node, values in table["reports"].items()}
    kinds = {node: _kind(node, name, table, reporter) for node, name in types.items()}
    counts = Counter(kinds.values())
    stances = {node: values[0] for node, values in table["proposition"].items() if types.get(node) == "Assertion"}
    total = max(1, len(stances))
    numbers, values, lengths = _properties(table, types, kinds, counts)
    repeats = len(stances) - len(set(stances.values()))
    home = {node: values[0] for node, values in table["isDefinedBy"].items()}
    crossings = sum(1 for node, proposition in stances.items() if table["statedIn"][node][0] != home.get(proposition))
    return Proportions(
        quads=size,
        stances=len(stances),
        classes=_rounded({name: number / total for name, number in sorted(counts.items())}),
        numbers=numbers,
        values=values,
        ways=_ways(table, types, kinds),
        lengths=lengths,
        depths=_shares(Counter(_depth(stance, reporter) for stance in stances)),
        sentence_stances=_shares(_stances_by_sentence(table, types, stances)),
        document_sentences=_document_sentences(table, types),
        repeated=round(repeats / total, 4),
        crossing=round(crossings / max(1, repeats), 4),
        factor_repeated=_factor_repeated(table, types),
        popularity=_popularity(table, types, kinds),
    )


_Table: TypeAlias = Mapping[str, Mapping[Term, list[Term]]]


def _local(term: Term) -> str:
    return term.value.rsplit("#", 1)[-1].rsplit("/", 1)[-1] if isinstance(term, ox.NamedNode) else ""


def _kind(node: Term, name: str, table: _Table, reporter: Mapping[Term, Term]) -> str:
    if name == "Document":
        return "CodedDocument" if node in table["digest"] else name
    if name != "Assertion":
        return name
    return "Report" if node in table["reports"] else "Reported" if node in reporter else "Own"


def _properties(
    table: _Table, types: Mapping[Term, str], kinds: Mapping[Term, str], counts: Mapping[str, int]
) -> tuple[dict[str, tuple[float, ...]], dict[str, dict[str, float]], dict[str, float]]:
    numbers: defaultdict[str, Counter[int]] = defaultdict(Counter)
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    texts: defaultdict[str, list[int]] = defaultdict(list)
    for predicate, subjects in table.items():
        for node, objects in subjects.items():
            name = f"{kinds.get(node, '')}.{predicate}"
            numbers[name][len(objects)] += 1
            for value in objects:
                if isinstance(value, ox.Literal):
                    texts[name].append(len(value.value))
                elif predicate not in _UNCOUNTED:
                    found[name][types.get(value, _local(value))] += 1
    for name, row in numbers.items():
        row[0] = counts.get(name.split(".")[0], 0) - row.total()
    return (
        {name: _shares(row) for name, row in sorted(numbers.items())},
        {name: _rounded({v: n / row.total() for v, n in row.most_common()}) for name, row in sorted(found.items())},
        _rounded({name: fmean(row) for name, row in sorted(texts.items())}),
    )


def _ways(table: _Table, types: Mapping[Term, str], kinds: Mapping[Term, str]) -> dict[str, dict[str, float]]:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for content in ("proposition", "reports"):
        for node, objects in table[content].items():
            if types[node] == "Assertion":
                way = [types.get(objects[0], ""), *(_local(table[key][node][0]) for key in _WAYS)]
                found[kinds[node]][" ".join(way)] += 1
    return {
        kind: _rounded({way: n / row.total() for way, n in row.most_common()}) for kind, row in sorted(found.items())
    }


def _depth(stance: Term, reporter: Mapping[Term, Term]) -> int:
    depth = 0
    while stance in reporter:
        stance, depth = reporter[stance], depth + 1
    return depth


def _stances_by_sentence(table: _Table, types: Mapping[Term, str], stances: Iterable[Term]) -> Counter[int]:
    """Count the stances that begin in each sentence, by the first passage that supports them."""
    rows: defaultdict[Term, list[tuple[int, Term]]] = defaultdict(list)
    for node, name in types.items():
        if name == "Sentence":
            rows[table["inDocument"][node][0]].append((_start(table, node), node))
    for row in rows.values():
        row.sort(key=lambda pair: pair[0])
    numbers: Counter[Term] = Counter({node: 0 for row in rows.values() for _, node in row})
    for stance in stances:
        start = min(_start(table, passage) for passage in table["evidencedBy"][stance])
        row = rows[table["statedIn"][stance][0]]
        if row:
            numbers[row[max(0, bisect_right(row, start, key=lambda pair: pair[0]) - 1)][1]] += 1
    return Counter(numbers.values())


def _start(table: _Table, passage: Term) -> int:
    value = table["start"][passage][0]
    assert isinstance(value, ox.Literal)
    return int(value.value)


def _document_sentences(table: _Table, types: Mapping[Term, str]) -> tuple[float, float]:
    numbers = Counter(values[0] for node, values in table["inDocument"].items() if types[node] == "Sentence")
    logs = [math.log(number) for number in numbers.values()] or [0.0]
    return round(fmean(logs), 4), round(pstdev(logs), 4)


def _factor_repeated(table: _Table, types: Mapping[Term, str]) -> float:
    used = [
        value
        for predicate, subjects in table.items()
        for values in subjects.values()
        for value in values
        if types.get(value) == "Factor" and predicate != "opposite"
    ]
    return round(1 - len(set(used)) / max(1, len(used)), 4)


def _popularity(table: _Table, types: Mapping[Term, str], kinds: Mapping[Term, str]) -> dict[str, float]:
    """Leave out the coder, who is always the same, and the author's own stances, of which a document decides."""
    uses: defaultdict[str, Counter[Term]] = defaultdict(Counter)
    for predicate, subjects in table.items():
        if predicate in ("coder", "drawnBy") or predicate in _UNCOUNTED:
            continue
        for node, values in subjects.items():
            if predicate == "holder" and kinds.get(node) != "Reported":
                continue
            for value in values:
                if value in types:
                    uses[types[value]][value] += 1
    return _rounded({name: zipf_exponent(row.values()) for name, row in sorted(uses.items()) if len(row) > 1})


def _shares(row: Mapping[int, int]) -> tuple[float, ...]:
    total = max(1, sum(row.values()))
    return tuple(round(row.get(number, 0) / total, 4) for number in range(max(row, default=-1) + 1))


def _rounded(row: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in row.items()}
