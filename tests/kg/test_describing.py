"""What the graph holds of a resource: whole where it is small, bounded where it is large, never pasted together."""

from collections.abc import Callable
from itertools import chain

import pyoxigraph as ox
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kg import describing
from kg.describing import (
    ENOUGH,
    FEW,
    OWN,
    PAGE,
    SECTIONS,
    assertions_query,
    counts_query,
    describe,
    describe_query,
    graph_query,
    labels_query,
    pick_names,
    pointing_query,
    provenance_query,
    quotes_query,
    read_quads,
    size_query,
    statements_query,
)
from kg.errors import NotFoundError
from kg.names import BASE, GRAPH, ID, INFERRED_GRAPH, PROV, PROVENANCE_GRAPH, RDF, REGISTER_GRAPH, SKOS, WS
from kg.store import Snapshot

TEXTS: dict[str, Callable[[str], str]] = {
    "pointing": pointing_query,
    "describe": lambda iri: describe_query(iri, [WS + "cause", iri]),
    "assertions": assertions_query,
    "counts": counts_query,
    "statements": lambda iri: statements_query([iri]),
    "labels": lambda iri: labels_query([iri]),
    "quotes": lambda iri: quotes_query([iri]),
    "graph": lambda iri: graph_query(iri, limit=5, offset=2),
    "size": size_query,
    "provenance": provenance_query,
}
ROWS = ("graph", "subject", "predicate", "object")


def node(name: str) -> ox.NamedNode:
    return ox.NamedNode(ID + name)


def quad(subject: str, predicate: str, value: str | ox.NamedNode | ox.Literal, graph: str = REGISTER_GRAPH) -> ox.Quad:
    target = ox.NamedNode(ID + value) if isinstance(value, str) else value
    return ox.Quad(node(subject), ox.NamedNode(predicate), target, ox.NamedNode(graph))


def iri_of(term: object) -> str:
    return term.value if isinstance(term, ox.NamedNode) else ""


def values(quads: list[ox.Quad], subject: str, predicate: str) -> set[str]:
    return {iri_of(q.object) for q in quads if iri_of(q.subject) == subject and q.predicate.value == predicate}


@pytest.fixture
def quads(sample: Snapshot) -> list[ox.Quad]:
    return list(sample.store)


# --- the texts


@given(st.text(max_size=30))
@example("x> ?p ?o } } #")
@example("}")
@example("a b")
@example("\\u003e")
def test_no_name_breaks_out_of_a_query(name: str) -> None:
    store = ox.Store()
    for text in TEXTS.values():
        try:
            whole = ox.NamedNode(ID + name).value
        except ValueError:
            with pytest.raises(ValueError, match="IRI"):
                text(ID + name)
            continue
        results = Snapshot(store, "1").query(text(whole), functions={ox.NamedNode(WS + "quote"): lambda _: None})
        assert isinstance(results, ox.QuerySolutions)
        list(results)


@pytest.mark.parametrize("name", ["describe", "statements", "labels", "graph", "provenance"])
def test_statements_come_with_their_graph(sample: Snapshot, name: str) -> None:
    iri = GRAPH + "bridge-toll" if name in ("graph", "provenance") else ID + "bridge-toll/s22c"
    results = sample.query(TEXTS[name](iri))
    assert isinstance(results, ox.QuerySolutions)
    assert {v.value for v in results.variables} == set(ROWS)
    found = read_quads(results)
    assert found
    assert all(q in sample.store for q in found)


def test_the_provenance_of_a_graph_tells_who_when_and_from_what(sample: Snapshot) -> None:
    found = read_quads(sample.query(provenance_query(GRAPH + "bridge-toll")))
    assert {q.predicate.value for q in found} >= {PROV + "wasAttributedTo", PROV + "generatedAtTime", WS + "madeFrom"}
    changes = {iri_of(q.subject) for q in found if q.predicate.value == PROV + "generated"}
    assert changes == {BASE + "change/1"}
    assert not [q for q in found if q.predicate.value == PROV + "generated" and iri_of(q.object) == REGISTER_GRAPH]


def test_the_size_of_a_graph_is_counted_no_further_than_asked(sample: Snapshot) -> None:
    def size(enough: int) -> str:
        results = sample.query(size_query(GRAPH + "bridge-toll", enough=enough))
        assert isinstance(results, ox.QuerySolutions)
        return str(next(iter(results))["number"])

    whole = len(list(sample.store.quads_for_pattern(None, None, None, ox.NamedNode(GRAPH + "bridge-toll"))))
    assert whole > 100
    assert size(10) == str(ox.Literal(11))
    assert size(1_000_000) == str(ox.Literal(whole))


# --- descriptions


def concerning(quads: list[ox.Quad], iri: str) -> dict[str, set[str]]:
    """The assertions that concern a resource, found by going through all statements."""
    content = {
        s: iri_of(q.object) for q in quads if q.predicate.value == WS + "proposition" and (s := iri_of(q.subject))
    }
    hows = {p.strip("<>") for p in describing._hows().split()}
    speaking = {iri_of(q.subject) for q in quads if q.predicate.value in hows and iri_of(q.object) == iri}

    def pointing(*names: str) -> set[str]:
        wanted = {WS + name for name in names}
        return {iri_of(q.subject) for q in quads if q.predicate.value in wanted and iri_of(q.object) == iri}

    voices, found = {iri}, set[str]()
    while voices:
        found |= voices
        chained = [q for q in quads if q.predicate.value == WS + "reports"]
        voices = {iri_of(q.object) for q in chained if iri_of(q.subject) in voices} | {
            iri_of(q.subject) for q in chained if iri_of(q.object) in voices
        }
        voices -= found
    return {
        "voices": found if len(found) > 1 else set(),  # the assertion itself stands among them
        "stances": pointing("proposition"),
        "said": {a for a, p in content.items() if p in speaking},
        "held": pointing("holder", "speaker"),
        "stated": pointing("statedIn"),
        "supported": pointing("evidencedBy"),
    }


@pytest.mark.parametrize(
    "name",
    [
        "ruritania",
        "tellbruck-toll",
        "bridge-toll",
        "amalia-orvosd",
        "bridge-toll/s22c",
        "bridge-toll/s12a/report",
        "bridge-toll/1265-1355",
        "bridge-toll/n1",
        "tolls-divide-neighbours-more-than-rivers",
        "tellbruck-toll-ruins-border-towns-by-way-of-ferry",
        "border-town-decline",
        "whosays-team",
    ],
)
def test_all_assertions_that_concern_a_resource_are_found(sample: Snapshot, quads: list[ox.Quad], name: str) -> None:
    wanted = concerning(quads, ID + name)
    pages = [describe(sample.query, ID + name, 1)]
    pages += [describe(sample.query, ID + name, number) for number in range(2, pages[0].pages + 1)]
    for section in SECTIONS:
        found = [a for page in pages for a in page.assertions[section]]
        assert len(found) == len(set(found))
        assert set(found) == wanted[section]
        assert pages[0].counts[section] == len(wanted[section])


def test_of_each_assertion_its_statements_content_and_passages_are_told(sample: Snapshot, quads: list[ox.Quad]) -> None:
    told = set(describe(sample.query, ID + "bridge-toll/s22c").quads())
    content, passage = ID + "tolls-divide-neighbours-more-than-rivers", ID + "bridge-toll/2740-2858"
    for name in (ID + "bridge-toll/s22c", ID + "bridge-toll/s22c/report", content, passage, GRAPH + "bridge-toll"):
        assert {q for q in quads if iri_of(q.subject) == name} <= told, name
    assert told <= set(quads)


def test_a_pathway_comes_with_its_steps(sample: Snapshot, quads: list[ox.Quad]) -> None:
    pathway = ID + "tellbruck-toll-ruins-border-towns-by-way-of-ferry"
    (holding,) = describe(sample.query, pathway).assertions["stances"]
    told = describe(sample.query, holding).quads()
    steps = values(quads, pathway, WS + "hasStep")
    assert len(steps) == 4
    assert all(values(told, step, WS + "claim") == values(quads, step, WS + "claim") for step in steps)


def test_everything_mentioned_has_a_name(sample: Snapshot) -> None:
    for name in ("bridge-toll/s22c", "ruritania", "amalia-orvosd"):
        description = describe(sample.query, ID + name)
        names, labelled = description.names(), (SKOS + "prefLabel", WS + "title", WS + "gloss")
        for q in chain(description.own, description.about):
            for part in (q.subject, q.predicate, q.object):
                if isinstance(part, ox.NamedNode) and any(
                    next(sample.store.quads_for_pattern(part, ox.NamedNode(p), None), None) for p in labelled
                ):
                    assert part.value in names
    assert describe(sample.query, ID + "ruritania").names("de")[ID + "ruritania"] == "Ruritanien"
    assert describe(sample.query, ID + "ruritania").names()[WS + "holder"] == "holder"


def test_an_assertion_goes_by_the_gloss_of_its_content(sample: Snapshot) -> None:
    argument = describe(sample.query, ID + "ferry-and-railway-clear-tellbruck-toll")
    (premised,) = values(list(argument.own), argument.iri, WS + "conclusion")
    assert premised == ID + "reply-from-borduria/s4a"
    (content,) = values(list(sample.store), premised, WS + "proposition")
    assert argument.names()[premised] == argument.names()[content]


@pytest.mark.parametrize("iri", [ID + "atlantis", ID + "bridge-toll/s999", BASE + "change/77"])
def test_what_is_not_there_is_not_found(sample: Snapshot, iri: str) -> None:
    with pytest.raises(NotFoundError):
        describe(sample.query, iri)


def test_a_page_that_is_not_there_is_not_found(sample: Snapshot) -> None:
    with pytest.raises(NotFoundError, match="no page 2"):
        describe(sample.query, ID + "ruritania", 2)


def test_what_only_others_point_to_is_described(sample: Snapshot) -> None:
    description = describe(sample.query, ID + "whosays-team")
    assert any(q.predicate.value.startswith(PROV) for q in description.pointing)


# --- bounds


@pytest.fixture(scope="module")
def crowded() -> Snapshot:
    """A holder with 130 assertions, in a state with 60 citizens and more names than are told."""
    store = ox.Store()
    for number in range(130):
        name = f"d/a{number}"
        store.add(quad(name, RDF + "type", ox.NamedNode(WS + "Assertion"), GRAPH + "d"))
        store.add(quad(name, WS + "holder", "anna", GRAPH + "d"))
        store.add(quad("anna", WS + "holds", name, INFERRED_GRAPH))
        day = ox.Literal(f"19{number % 90 + 10}-01-01", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#date"))
        store.add(quad(name, WS + "earliest", day, INFERRED_GRAPH))
    for number in range(60):
        store.add(quad(f"citizen{number}", WS + "belongsTo", "utopia"))
        store.add(quad(f"event{number}", WS + "actor", "utopia"))
    for number in range(OWN + 5):
        store.add(quad("utopia", SKOS + "altLabel", ox.Literal(f"name {number}", language="en")))
    return Snapshot(store, "000001")


def test_pages_share_out_the_assertions_the_newest_first(crowded: Snapshot) -> None:
    whole, rest = divmod(130, PAGE)
    pages = [describe(crowded.query, ID + "anna", page) for page in range(1, whole + 2)]
    found = [a for page in pages for a in page.assertions["held"]]
    assert [len(page.assertions["held"]) for page in pages] == [PAGE] * whole + [rest]
    assert len(set(found)) == 130
    assert {page.counts["held"] for page in pages} == {130}
    assert pages[0].pages == whole + 1
    days = [
        q.object.value
        for a in found
        for q in crowded.store.quads_for_pattern(ox.NamedNode(a), ox.NamedNode(WS + "earliest"), None)
        if isinstance(q.object, ox.Literal)
    ]
    assert days == sorted(days, reverse=True)
    with pytest.raises(NotFoundError):
        describe(crowded.query, ID + "anna", whole + 2)


def test_a_crowd_does_not_hide_the_few(crowded: Snapshot) -> None:
    description = describe(crowded.query, ID + "utopia")
    by_property = [q.predicate.value for q in description.pointing]
    assert by_property.count(WS + "actor") >= FEW
    assert by_property.count(WS + "belongsTo") >= FEW
    assert len(by_property) <= 3 * FEW
    assert len(description.own) == OWN
    assert description.cut
    held = describe(crowded.query, ID + "anna")
    assert sum(q.predicate.value == WS + "holds" for q in held.own) == FEW
    assert not held.cut


def test_no_more_is_counted_than_enough(monkeypatch: pytest.MonkeyPatch, crowded: Snapshot) -> None:
    assert ENOUGH > PAGE
    monkeypatch.setattr(describing, "ENOUGH", PAGE + 10)
    description = describe(crowded.query, ID + "anna")
    assert description.counts["held"] == PAGE + 11
    assert description.pages == 2


def test_the_preferred_language_wins_over_a_better_kind_of_label() -> None:
    said = [
        quad("a", SKOS + "prefLabel", ox.Literal("가", language="ko")),
        quad("a", WS + "title", ox.Literal("A", language="en")),
        quad("b", WS + "title", ox.Literal("title", language="en")),
        quad("b", SKOS + "prefLabel", ox.Literal("label", language="en")),
    ]
    names = pick_names(said)
    assert (names[ID + "a"], names[ID + "b"]) == ("A", "label")
    assert pick_names(said, "ko")[ID + "a"] == "가"


def test_provenance_of_a_graph_never_published_whole_is_told_by_its_changes(sample: Snapshot) -> None:
    found = read_quads(sample.query(provenance_query(GRAPH + "propositions")))
    assert {iri_of(q.subject) for q in found} == {BASE + "change/1"}
    assert {iri_of(q.graph_name) for q in found} == {PROVENANCE_GRAPH}
