"""Submissions: what becomes of what is said already, by what is sent and how."""

import pyoxigraph as ox
import pytest

from kg.errors import ConflictError, MalformedError, RecordError
from kg.names import ID, LINKS_GRAPH, SKOS, WS, sparql_prefixes
from kg.publisher import Draft
from kg.store import Snapshot
from loaders.submissions import Mode, Submission, concerned_documents, draft_submission, read_submission
from tests.additions import FORMS, REPLY, REPLY_GRAPH, addition, as_form, assertion, iri, quads_of, reply_record

ANNA = ID + "anna"


def draft(snapshot: Snapshot, data: bytes | str, form: str = "yaml", mode: Mode = "add") -> Draft:
    if isinstance(data, str):
        data = (sparql_prefixes() + f"@base <{ID}> .\n" + data).encode()
    submission = Submission(data, form, f"sent.{form}", mode)
    return draft_submission(submission, read_submission(submission, snapshot.store), snapshot.store, agent=ANNA)


def entries(*lines: str) -> bytes:
    return ("entries:\n" + "".join(f"  - {line}\n" for line in lines)).encode()


@pytest.mark.parametrize("form", FORMS)
def test_an_addition_adds_what_it_says_whatever_its_syntax(sample: Snapshot, form: str) -> None:
    made = draft(sample, as_form(addition("x"), form), form)
    assert made.change.added == set(quads_of(addition("x")))
    assert not made.change.removed
    assert (made.activity.agent, made.activity.kind, made.activity.source) == (ANNA, "add", f"sent.{form}")


@pytest.mark.parametrize("form", FORMS)
def test_a_whole_document_stands_for_what_is_published_of_it(sample: Snapshot, form: str) -> None:
    made = draft(sample, as_form(reply_record(without="s7a"), form), form, "replace")
    assert made.graphs == (REPLY_GRAPH,)
    assert made.activity.kind == "replace"
    assert iri("reply-from-borduria/s7a") in {q.subject for q in made.change.removed}
    assert not made.change.added
    same = draft(sample, as_form(reply_record(), form), form, "replace")
    assert not same.change


def test_rdf_is_added_unless_it_is_to_replace(sample: Snapshot) -> None:
    data = as_form(reply_record(without="s7a"), "nt")
    assert not draft(sample, data, "nt").change


def test_an_entry_of_a_record_says_all_there_is_to_say(sample: Snapshot) -> None:
    made = draft(sample, entries("{id: kazimir-vlastok, type: Person, prefLabel: Kazimir Vlastok}"))
    gone = {q.object.value for q in made.change.removed if isinstance(q.object, ox.Literal)}
    assert gone == {"Kazimír Vlašťok"}
    assert {q.object.value for q in made.change.added if isinstance(q.object, ox.Literal)} == {"Kazimir Vlastok"}
    assert made.activity.note == "replaces what is said of kazimir-vlastok"


def test_matches_of_an_entry_stay_where_it_is_replaced(sample: Snapshot) -> None:
    store = ox.Store()
    store.extend(sample.store)
    match = ox.Quad(
        iri("kazimir-vlastok"),
        ox.NamedNode(SKOS + "exactMatch"),
        ox.NamedNode("http://www.wikidata.org/entity/Q1"),
        ox.NamedNode(LINKS_GRAPH),
    )
    store.add(match)
    made = draft(Snapshot(store, "1"), entries("{id: kazimir-vlastok, type: Person, prefLabel: Kazimir Vlastok}"))
    assert match not in made.change.removed


def test_an_assertion_is_never_overwritten(sample: Snapshot) -> None:
    with pytest.raises(ConflictError, match=r"`reply-from-borduria/s1a` is published and would be overwritten"):
        draft(
            sample, "<reply-from-borduria/s1a> a ws:Assertion ; ws:statedIn <reply-from-borduria> .", "ttl", "replace"
        )
    whole = [q for q in quads_of(reply_record()) if q.subject == iri("reply-from-borduria/s1a")]
    same = ox.serialize(whole, format=ox.RdfFormat.N_QUADS) or b""
    assert not draft(sample, same, "nq", "replace").change


@pytest.mark.parametrize("form", ["ttl", "nt"])
def test_a_number_that_is_written_otherwise_is_the_same_number(sample: Snapshot, form: str) -> None:
    """The store writes `063` as `63`; replaced by itself, the number was lost."""
    start = ox.NamedNode(WS + "start")
    node = iri("reply-from-borduria/65-192")
    own = list(sample.store.quads_for_pattern(node, None, None, ox.NamedNode(REPLY_GRAPH)))
    odd = [
        ox.Triple(q.subject, q.predicate, ox.Literal("065", datatype=q.object.datatype))
        if q.predicate == start and isinstance(q.object, ox.Literal)
        else q.triple
        for q in own
    ]
    data = ox.serialize(odd, format=ox.RdfFormat.N_TRIPLES) or b""
    assert not draft(sample, data, form, "replace").change
    assert not draft(sample, data, form).change
    record = reply_record(old="start: 65, end: 192", new="start: 065, end: 192")
    assert not draft(sample, record).change


def test_an_addition_knows_the_creators_of_its_document(sample: Snapshot) -> None:
    made = draft(sample, addition("x", holder="borduria"))
    reports = [q for q in made.change.added if q.predicate == ox.NamedNode(WS + "reports")]
    assert [(q.subject, q.object) for q in reports] == [
        (iri("reply-from-borduria/x/report"), iri("reply-from-borduria/x"))
    ]
    with pytest.raises(RecordError, match="no document `atlantis` is published"):
        draft(sample, addition("x").replace(b"to: reply-from-borduria", b"to: atlantis"))


def test_entries_come_with_an_addition(sample: Snapshot) -> None:
    data = (
        addition("x", speaker="bridge-guild")
        + b"entries:\n  - {id: bridge-guild, type: Organization, prefLabel: guild}\n"
    )
    added = draft(sample, data).change.added
    assert iri("bridge-guild") in {q.subject for q in added}


@pytest.mark.parametrize(
    ("data", "form"),
    [(b"entries:\n  - {id: x, type: Isue, prefLabel: X}\n", "yaml"), (f"<{ID}x> a <{WS}Isue> .".encode(), "nt")],
)
def test_what_may_not_be_said_is_told_with_its_line(sample: Snapshot, data: bytes, form: str) -> None:
    with pytest.raises((RecordError, MalformedError)) as caught:
        draft(sample, data, form)
    assert str(caught.value).startswith(f"sent.{form}:{2 if form == 'yaml' else 1}: ")


def test_the_documents_that_are_concerned_are_named(sample: Snapshot) -> None:
    assert concerned_documents(draft(sample, addition("x", assertion("y"))).change.added) == [REPLY]
    assert concerned_documents(draft(sample, entries("{id: x, type: Issue, prefLabel: X}")).change.added) == []


def test_a_name_that_something_else_has_is_taken(sample: Snapshot) -> None:
    with pytest.raises(ConflictError, match="is a ws:Assertion, not a ws:Citation"):
        draft(sample, "<reply-from-borduria/s7a> a ws:Citation ; ws:citingDocument <reply-from-borduria> .", "ttl")
