"""The benchmark of the index: what a search and the explorer take, beside the same asked of the engine in SPARQL.

The explorer's question is the total and the counts of all ten facets, which is one query for each in SPARQL; that of a
search is everything whose name or gloss has the words. Both take turns, round after round, on the same snapshot; the
first round warms up. SPARQL is answered in a process that is killed at a deadline, and is asked no more once it has
spent its patience.

Beside that: how long the index takes to be made anew, and to follow one new assertion that was published.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import pyoxigraph as ox

from kg.cells import GIBIBYTE, Cells
from kg.change import Change
from kg.errors import OverrunError
from kg.filters import FACETS, KINDS, Filters, matching_sparql
from kg.index import Index
from kg.index.schema import IndexFile
from kg.names import ID, document_graph, shorten
from kg.provenance import Activity
from kg.publisher import Draft, Plan, make_plan, publish
from kg.store import Snapshot, StoreFolder
from kg.words import split_words
from server.bench import generated_store, say, show_json, show_table
from server.bench_questions import ROUNDS, Tally

SIZES = (50_000, 1_000_000)

DEADLINE = 60.0
"""Seconds after which SPARQL is given up."""

PATIENCE = 60.0
"""Seconds that SPARQL may have spent on a question and be asked again."""

_PATHS: Mapping[str, str] = {
    "holder": "?assertion ws:holder ?value",
    "state": "?assertion ws:holder/ws:belongsTo? ?value . ?value a ws:State",
    "act": "?assertion ws:act ?value",
    "target": "?assertion ws:proposition/ws:about ?value FILTER NOT EXISTS { ?value a ws:Issue }",
    "issue": "?assertion ws:proposition/ws:about/skos:broader* ?value . ?value a ws:Issue",
    "polarity": "?assertion ws:polarity ?value",
    "certainty": "?assertion ws:certainty ?value",
    "standing": "?assertion ws:standing ?value",
    "kind": f"?assertion ws:proposition/a ?value FILTER(?value IN ({', '.join(f'<{iri}>' for iri in KINDS.values())}))",
    "document": "?assertion ws:statedIn ?value",
}


@dataclass(frozen=True)
class Question:
    """What is asked of both.

    Parameters:
        name: in the figures.
        ask: asks the index; returns how many there are.
        queries: the same in SPARQL; the first has the total as its rows or in its first row.
    """

    name: str
    ask: Callable[[], int]
    queries: tuple[str, ...]


@dataclass
class Figures:
    """What was measured at one size.

    Parameters:
        size: quads asked for.
        quads: quads in the store, what is inferred included.
        assertions: how many there are.
        anew: seconds that making the index takes.
        megabytes: of its file.
        change: what following one new assertion takes.
        index, sparql: by question.
    """

    size: int
    quads: int = 0
    assertions: int = 0
    anew: float = 0.0
    megabytes: float = 0.0
    change: Tally = field(default_factory=Tally)
    index: dict[str, Tally] = field(default_factory=dict)
    sparql: dict[str, Tally] = field(default_factory=dict)


def bench_pages(sizes: Sequence[int] = SIZES, *, rounds: int = ROUNDS, as_json: bool, folder: Path | None) -> None:
    """Measure the index.

    Parameters:
        sizes: quads, 3,000 or more.
        rounds: how often each question has its turn.
        as_json: print JSON in place of a table.
        folder: where the stores are kept and looked for; None for a place that is cleared.
    """
    measured = []
    for size in sorted(sizes):
        with generated_store(folder, "pages", size) as store:
            measured.append(measure(store, size, rounds))
    if as_json:
        show_json([_as_dict(figures) for figures in measured])
    else:
        _show(measured)


def measure(folder: StoreFolder, size: int, rounds: int) -> Figures:
    """Measure one size.

    Parameters:
        folder: a store filled with a corpus.
        size: quads asked for.
        rounds: as for `bench_pages`.
    """
    figures = Figures(size)
    IndexFile(folder.path).remove()
    index = Index(folder)
    say(f"{size:,}: making the index")
    with folder.snapshot() as snapshot:
        begun = time.perf_counter()
        index.catch_up(snapshot)
        figures.anew = time.perf_counter() - begun
        figures.quads = len(snapshot.store)
    figures.assertions = index.explore(Filters()).total
    figures.megabytes = IndexFile(folder.path).path.stat().st_size / 1e6
    for turn in range(rounds + 1):
        say(f"{size:,}: new assertions, {f'round {turn} of {rounds}' if turn else 'warming up'}")
        seconds = _follow_one(folder, index)
        if turn:
            figures.change.seconds.append(seconds)
    questions = make_questions(index)
    with Cells(1, deadline=DEADLINE, memory=8 * GIBIBYTE, warm_up=partial(_open, folder.path)) as cells:
        for turn in range(rounds + 1):
            say(f"{size:,}: questions, {f'round {turn} of {rounds}' if turn else 'warming up'}")
            for question in questions:
                _ask(question, figures, cells, folder.path, turn)
    return figures


def make_questions(index: Index) -> list[Question]:
    """Make the questions, of what occurs most in the graph and of what occurs seldom.

    Parameters:
        index: of the graph that is asked.
    """
    explored = index.explore(Filters(), values=40)
    of_most = _narrow(index, "holder")
    gloss = next(row.gloss for row in explored.rows if row.proposition)
    state = explored.facets["state"][0].label
    years = [year for year, _ in explored.years]
    searches = {
        f"search, a state that is spoken of most ({state})": state,
        "search, three words of a gloss": " ".join(split_words(gloss)[-3:]),
        "search, a word that most have": "the",
    }
    questions = [Question(name, _searching(index, words), (_search_sparql(words),)) for name, words in searches.items()]
    explorations = {
        "explorer, nothing chosen": Filters(),
        "explorer, the holder of most": of_most,
        "explorer, a holder of few": Filters({"holder": (explored.facets["holder"][-1].iri,)}),
        "explorer, a target and a polarity": _narrow(index, "target", "polarity"),
        "explorer, an issue and half of the years": Filters(
            _narrow(index, "issue").chosen, since=f"{years[len(years) // 2]:04}-01-01"
        ),
        "explorer, a state, an act and a kind": _narrow(index, "state", "act", "kind"),
    }
    for name, filters in explorations.items():
        texts = (f"SELECT (COUNT(*) AS ?n) WHERE {{ {{ {matching_sparql(filters)} }} }}", *_facets_sparql(filters))
        questions.append(Question(name, _exploring(index, filters), texts))
    return questions


def _narrow(index: Index, *facets: str) -> Filters:
    """Choose of each facet the value that most have, of those that are left."""
    filters = Filters()
    for facet in facets:
        value = index.explore(filters).facets[facet][0]
        filters = Filters({**filters.chosen, facet: (value.iri,)})
    return filters


def _searching(index: Index, words: str) -> Callable[[], int]:
    return lambda: index.search(words).total


def _exploring(index: Index, filters: Filters) -> Callable[[], int]:
    return lambda: index.explore(filters).total


def _search_sparql(words: str) -> str:
    tests = " && ".join(f"CONTAINS(LCASE(STR(?name)), {ox.Literal(word)})" for word in split_words(words))
    named = "skos:prefLabel|skos:altLabel|ws:title|ws:gloss|^ws:names/ws:printedAs"
    return f"SELECT DISTINCT ?thing WHERE {{ ?thing {named} ?name FILTER({tests}) }}"


def _facets_sparql(filters: Filters) -> list[str]:
    texts = []
    for facet in FACETS:
        others = {name: iris for name, iris in filters.chosen.items() if name != facet}
        matching = matching_sparql(Filters(others, filters.since, filters.until))
        texts.append(
            f"SELECT ?value (COUNT(DISTINCT ?assertion) AS ?n) WHERE {{ {{ {matching} }} {_PATHS[facet]} }}"
            " GROUP BY ?value ORDER BY DESC(?n) LIMIT 12"
        )
    return texts


def _ask(question: Question, figures: Figures, cells: Cells, path: Path, turn: int) -> None:
    tally = figures.index.setdefault(question.name, Tally())
    begun = time.perf_counter()
    tally.rows = question.ask()
    seconds = time.perf_counter() - begun
    if turn:
        tally.seconds.append(seconds)
    tally = figures.sparql.setdefault(question.name, Tally())
    if tally.goes_on(PATIENCE):
        try:
            seconds, tally.rows = cells.run(ask_sparql, path, question.queries)
        except OverrunError:
            tally.over = DEADLINE
        else:
            if turn:
                tally.seconds.append(seconds)


def ask_sparql(path: Path, queries: Sequence[str]) -> tuple[float, int]:
    """Answer queries one after the other, in the process that is asked.

    Parameters:
        path: of the store.
        queries: SPARQL.

    Returns:
        Seconds, and the total that the first tells: its only number, or its rows.
    """
    snapshot = _open(path)
    begun = time.perf_counter()
    answers = []
    for text in queries:
        solutions = snapshot.query(text)
        assert isinstance(solutions, ox.QuerySolutions)
        answers.append(list(solutions))
    seconds = time.perf_counter() - begun
    if len(queries) == 1:
        return seconds, len(answers[0])
    return seconds, int(answers[0][0]["n"].value)


@cache
def _open(path: Path) -> Snapshot:
    context = StoreFolder(path).snapshot()
    snapshot = context.__enter__()
    _held.append(context)
    return snapshot


_held: list[object] = []


def _follow_one(folder: StoreFolder, index: Index) -> float:
    """Publish one more assertion, return how long the index takes to follow, and take it back."""
    row = next(row for row in index.explore(Filters(), limit=1_000).rows if row.proposition and not row.depth)
    subject = ox.NamedNode(f"{ID}{shorten(row.document)}/measured-{time.time_ns()}")
    graph = ox.NamedNode(document_graph(row.document))
    with folder.snapshot() as snapshot:
        quads = snapshot.store.quads_for_pattern(ox.NamedNode(row.iri), None, None, graph)
        added = frozenset(ox.Quad(subject, quad.predicate, quad.object, graph) for quad in quads)
    change = Change(added)
    seconds = []
    for step in (change, change.inverse()):
        draft = Draft(step, Activity(ID + "whosays-team", "add", "a measurement", "generated"))
        publish(folder, partial(_plan, folder, draft))
        with folder.snapshot() as snapshot:
            begun = time.perf_counter()
            index.catch_up(snapshot)
            seconds.append(time.perf_counter() - begun)
    return seconds[0]


def _plan(folder: StoreFolder, draft: Draft) -> Plan:
    with folder.snapshot() as snapshot:
        return make_plan(folder, snapshot, draft)


# How it is told.


def _show(measured: Sequence[Figures]) -> None:
    names = list(dict.fromkeys(name for figures in measured for name in figures.index))
    columns = ["milliseconds: median (range)"]
    for figures in measured:
        columns += [f"index at {figures.size:,}", "in SPARQL", "how many"]
    rows: list[list[object]] = []
    for name in names:
        row: list[object] = [name]
        for figures in measured:
            index, sparql = figures.index.get(name, Tally()), figures.sparql.get(name, Tally())
            row += [index, sparql, f"{index.rows:,}"]
        rows.append(row)
    rows.append(["following one new assertion", *(cell for f in measured for cell in (f.change, "–", "1"))])
    notes = [
        f"{f.size:,}: {f.quads:,} quads, {f.assertions:,} assertions; made anew in {f.anew:.1f} s, {f.megabytes:.1f} MB"
        for f in measured
    ]
    notes.append(
        "In SPARQL a search is for any part of a name, the explorer is one query for each facet and the total."
    )
    show_table("search and explorer: the index, and the same in SPARQL", columns, rows, notes)


def _as_dict(figures: Figures) -> dict[str, object]:
    def told(tally: Tally) -> dict[str, object]:
        return {"seconds": [round(each, 5) for each in tally.seconds], "rows": tally.rows, "over": tally.over}

    return {
        "size": figures.size,
        "quads": figures.quads,
        "assertions": figures.assertions,
        "anew_seconds": round(figures.anew, 2),
        "megabytes": round(figures.megabytes, 1),
        "change": told(figures.change),
        "index": {name: told(tally) for name, tally in figures.index.items()},
        "sparql": {name: told(tally) for name, tally in figures.sparql.items()},
    }
