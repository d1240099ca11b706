"""Records: what is refused, what is completed, where each triple goes."""

import pyoxigraph as ox
import pytest

from kg.names import CONTENTS_GRAPH, ID, REGISTER_GRAPH, WS, document_graph
from loaders.records import RecordErrors, parse_record

HEAD = "id: toll\ntype: Document\ntitle: On tolls\ncreator: anna\n"
STANCE = (
    "  - {id: toll/s1a, holder: ruritanians, act: fears, polarity: affirms, evidencedBy: toll/0-5, proposition: war}\n"
)


def triples(source: str) -> set[tuple[str, str, str]]:
    def short(term: object) -> str:
        return str(getattr(term, "value", term)).removeprefix(ID).removeprefix(WS)

    return {(short(q.subject), short(q.predicate), short(q.object)) for q in parse_record(source, "r.yaml").quads}


@pytest.mark.parametrize(
    ("source", "line", "words", "mend"),
    [
        ("entries:\n  - {id: a, type: State, prefLable: A}\n", 2, "`prefLable` is no key", "prefLabel"),
        ("entries:\n  - {id: a, type: Statte}\n", 2, "`Statte` is no class", "State"),
        ("entries:\n  - {type: State}\n", 2, "without `id:`", "name"),
        ("entries:\n  - {id: United States, type: State}\n", 2, "is not a name", "hyphens"),
        ("entries:\n  - {id: a, type: State}\n  - {id: a, type: State}\n", 3, "defined twice", "line 2"),
        ("entries:\n  - {id: a, type: Leader}\n", 2, "inferred", "Person"),
        ("entries:\n  - {id: a, type: Assertion}\n", 2, "does not belong in the register", "document"),
        ("entries:\n  - id: a\n    type: Office\n    officeKind: king\n", 4, "no value of `officeKind`", "headOfState"),
        ("entries:\n  - {id: a, type: State, belongsTo: {id: b, type: State}}\n", 2, "inside `belongsTo`", "its own"),
        ("entries:\n  - {id: a, type: State, prefLabel: ''}\n", 2, "empty", "leave"),
        (HEAD + "assertions:\n  - {id: toll/s1a, standing: onRecord}\n", 6, "computed", "leave it out"),
        (HEAD + "assertions:\n  - {id: toll/s1a, act: supportz}\n", 6, "no value of `act`", "supports"),
        (HEAD + "assertions:\n  - {id: toll/s1a, assertions: []}\n", 6, "inside an entry", "left margin"),
        (HEAD + "assertions: words\n", 5, "not a list", "dash"),
        ("title: On tolls\n", 1, "neither", "entries"),
        ("id: a/b\ntype: Document\n", 1, "cannot name a document", "slug"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_mend(source: str, line: int, words: str, mend: str) -> None:
    with pytest.raises(RecordErrors) as caught:
        parse_record(source, "r.yaml")
    text = str(caught.value)
    assert f"r.yaml:{line}: " in text
    assert words in text
    assert mend in text


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(RecordErrors) as caught:
        parse_record("entries:\n  - {id: a, type: X}\n  - {id: b, type: Y}\n  - {id: c, typ: State}\n", "r.yaml")
    assert len(caught.value.problems) == 4


def test_the_authors_plain_report_is_added_where_another_holds() -> None:
    found = triples(HEAD + "defaults: {basis: stated}\nassertions:\n" + STANCE)
    assert ("toll/s1a/report", "reports", "toll/s1a") in found
    assert ("toll/s1a/report", "holder", "anna") in found
    assert ("toll/s1a/report", "statedIn", "toll") in found
    assert ("toll/s1a/report", "evidencedBy", "toll/0-5") in found


def test_the_authors_own_stance_and_a_reported_one_need_no_report() -> None:
    own = triples(HEAD + "assertions:\n" + STANCE.replace("ruritanians", "anna"))
    assert not any(p == "reports" for _, p, _ in own)
    nested = HEAD + (
        "assertions:\n  - id: toll/s1b\n    holder: anna\n    act: reports\n    polarity: denies\n"
        "    reports: {id: toll/s1a, holder: ruritanians, act: fears, proposition: war}\n"
    )
    found = triples(nested)
    assert ("toll/s1b", "reports", "toll/s1a") in found
    assert ("toll/s1a", "statedIn", "toll") in found
    assert not any(s.endswith("/report") for s, _, _ in found)


def test_two_creators_leave_the_report_to_the_coder() -> None:
    with pytest.raises(RecordErrors, match="2 creators"):
        parse_record(HEAD.replace("anna", "[anna, bela]") + "assertions:\n" + STANCE, "r.yaml")


def test_defaults_hold_where_an_assertion_does_not_say_otherwise() -> None:
    found = triples(HEAD + "defaults: {polarity: denies, certainty: unhedged}\nassertions:\n" + STANCE)
    assert ("toll/s1a", "polarity", "polarity-affirms") in found
    assert ("toll/s1a", "certainty", "certainty-unhedged") in found


def test_an_act_that_is_named_like_a_property_is_the_act() -> None:
    found = triples(HEAD + "assertions:\n" + STANCE.replace("fears", "supports"))
    assert ("toll/s1a", "act", "act-supports") in found


def test_contents_go_to_the_shared_graph_and_know_their_document() -> None:
    record = parse_record(
        HEAD + "propositions:\n  - {id: war, gloss: There is war.}\nfactors: [{id: f, prefLabel: friction}]\n", "r.yaml"
    )
    graphs = {(q.subject.value.removeprefix(ID), q.graph_name.value) for q in record.quads}  # type: ignore[union-attr]
    assert graphs == {("toll", document_graph("toll")), ("war", CONTENTS_GRAPH), ("f", CONTENTS_GRAPH)}
    assert ("war", "http://www.w3.org/2000/01/rdf-schema#isDefinedBy", "toll") in triples(
        HEAD + "propositions:\n  - {id: war, gloss: There is war.}\n"
    )


def test_the_register_has_a_graph_of_its_own_and_text_has_a_language() -> None:
    record = parse_record("entries: [{id: a, type: State, prefLabel: {en: A, ko: [가, 나]}, altLabel: B}]", "r.yaml")
    assert {q.graph_name for q in record.quads} == {ox.NamedNode(REGISTER_GRAPH)}
    literals = {(q.object.value, q.object.language) for q in record.quads if isinstance(q.object, ox.Literal)}
    assert literals == {("A", "en"), ("가", "ko"), ("나", "ko"), ("B", "en")}


def test_a_place_is_known_for_every_entry_and_key() -> None:
    record = parse_record(HEAD + "assertions:\n  - id: toll/s1a\n    holder: anna\n    act: fears\n", "r.yaml")
    assert str(record.place(ID + "toll/s1a")) == "r.yaml:6"
    assert str(record.place(ID + "toll/s1a", WS + "act")) == "r.yaml:8"
    assert record.place(ID + "nothing") is None
