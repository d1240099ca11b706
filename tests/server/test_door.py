"""The door over HTTP: one verdict whatever the syntax, changes that are atomic, told, and can be undone."""

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pyoxigraph as ox
import pytest

from kg.names import ID, PROVENANCE_GRAPH, SH, WS, document_graph
from kg.settings import Settings
from server.door import CELLS, MAX_BODY, READING, Door
from tests.additions import BRIDGE, FORMS, REPLY, REPLY_GRAPH, addition, as_form, assertion, iri, quads_of, reply_record
from tests.conftest import SAMPLE
from tests.door import JSON, ServedDoor, serve_door
from tests.pace import wait_for

GOOD = addition("good")
BAD = addition("bad", evidencedBy="bridge-toll/0-49", speaker="atlantis")
WARNED = GOOD.replace(b"clear.", b"not unclear.")
MISFIT = reply_record(old="creator: kazimir-vlastok", new="creator: kazimir-vlastok\npublisher: atlantis")


@pytest.fixture(scope="module")
def door(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDoor]:
    with serve_door(sample_settings.store, tmp_path_factory.mktemp("door")) as served:
        yield served


@pytest.fixture(autouse=True)
def nothing_is_left_lying(door: ServedDoor) -> Iterator[None]:
    yield
    assert door.leftovers() == []
    assert door.numbers() == list(range(1, int(door.folder.current_name() or 0) + 1))


def publish(door: ServedDoor, record: bytes) -> int:
    answer = door.ask("POST", "/assertions", record, by="cleo")
    assert answer.status_code == 201, answer.text
    return int(answer.json()["change"])


def told(answer: httpx.Response, kind: str = "violations") -> set[tuple[str, ...]]:
    """What a verdict says, but for the place in a file."""
    return {
        tuple(str(v) for key, v in sorted(finding.items()) if key not in ("line", "file"))
        for finding in answer.json()[kind]
    }


def statuses(door: ServedDoor, name: str) -> set[str]:
    found = {q.object for q in door.state() if q.subject == iri(name) and q.predicate == ox.NamedNode(WS + "status")}
    return {str(o).strip("<>").removeprefix(WS + "status-") for o in found}


@pytest.mark.parametrize("form", FORMS)
def test_the_verdict_is_the_same_in_every_syntax(door: ServedDoor, form: str) -> None:
    before = door.state()
    for record, status in ((GOOD, 201), (BAD, 422)):
        answer = door.ask("POST", "/validate", as_form(record, form), form=form)
        expected = door.ask("POST", "/validate", record)
        assert answer.status_code == expected.status_code == 200
        assert answer.json()["conforms"] == (status == 201)
        assert told(answer) == told(expected)
    assert len(told(expected)) >= 2
    assert door.state() == before


@pytest.mark.parametrize("form", FORMS[1:])
def test_a_whole_document_gets_the_same_verdict_as_its_record(door: ServedDoor, form: str) -> None:
    answer = door.ask("POST", "/validate?mode=replace", as_form(MISFIT, form), form=form)
    assert told(answer) == told(door.ask("POST", "/validate", MISFIT))
    assert not answer.json()["conforms"]
    assert door.ask("POST", "/validate?mode=replace", as_form(reply_record(), form), form=form).json()["conforms"]


@pytest.mark.parametrize("form", FORMS[1:])
def test_register_entries_get_the_same_verdict_as_their_record(door: ServedDoor, form: str) -> None:
    entries = b"entries:\n  - {id: third-bank, type: Collective, prefLabel: third bank, hasMember: borduria}\n"
    answer = door.ask("POST", "/validate", as_form(entries, form), form=form)
    assert told(answer) == told(door.ask("POST", "/validate", entries))
    assert not answer.json()["conforms"]


def test_a_violation_is_told_with_label_value_and_line(door: ServedDoor) -> None:
    record = addition("told", proposition="{id: view-told, type: Evaluation, gloss: It is told., evaluated: borduria}")
    found = door.ask("POST", "/validate", record).json()["violations"]
    assert [f["label"] for f in found] == ["It is told."] * len(found) != []
    (wrong,) = (f for f in door.ask("POST", "/validate", BAD).json()["violations"] if f["path"] == WS + "speaker")
    line = next(n for n, text in enumerate(BAD.decode().splitlines(), 1) if "speaker" in text)
    assert (wrong["subject"], wrong["found"], wrong["line"]) == (f"{REPLY}/bad", "atlantis", line)
    assert wrong["expected"]
    assert wrong["mend"]
    assert wrong["shape"].startswith(WS)
    assert not wrong["published"]


def test_a_verdict_for_people(door: ServedDoor) -> None:
    answer = door.ask("POST", "/validate", BAD, headers={"Accept": "text/plain"})
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "the body:16: violation: reply-from-borduria/bad ws:speaker, found atlantis" in answer.text
    assert "violations" in answer.text.splitlines()[-1]
    good = door.ask("POST", "/validate", GOOD, headers={"Accept": "text/plain"})
    assert good.text == "conforms\n"


@pytest.mark.parametrize(
    ("media_type", "form"),
    [
        ("text/turtle", ox.RdfFormat.TURTLE),
        ("application/ld+json", ox.RdfFormat.JSON_LD),
        ("application/n-triples", ox.RdfFormat.N_TRIPLES),
        ("application/rdf+xml", ox.RdfFormat.RDF_XML),
    ],
)
def test_the_standard_shacl_report(door: ServedDoor, media_type: str, form: ox.RdfFormat) -> None:
    for record, conforms in ((BAD, "false"), (GOOD, "true")):
        answer = door.ask("POST", "/validate", record, headers={"Accept": media_type})
        assert answer.headers["Content-Type"].startswith(media_type)
        triples = {q.triple for q in ox.parse(answer.content, format=form)}
        said = [t.object for t in triples if t.predicate == ox.NamedNode(SH + "conforms")]
        assert [o.value for o in said if isinstance(o, ox.Literal)] == [conforms]
        focus = {t.object for t in triples if t.predicate == ox.NamedNode(SH + "focusNode")}
        assert focus == ({iri("reply-from-borduria/bad")} if record == BAD else set())


def test_warnings_are_told_apart_and_keep_nothing_out(door: ServedDoor) -> None:
    verdict = door.ask("POST", "/validate", WARNED).json()
    assert verdict["conforms"]
    assert verdict["violations"] == []
    assert [w["path"] for w in verdict["warnings"]] == [WS + "gloss"]
    answer = door.ask("POST", "/assertions", WARNED.replace(b"good", b"warned"), by="cleo")
    assert answer.status_code == 201
    assert [w["severity"] for w in answer.json()["warnings"]] == ["Warning"]


@pytest.mark.parametrize(
    ("body", "form", "place"),
    [
        (GOOD + b"  - [\n", "yaml", "the body:"),
        (GOOD.replace(b"holder:", b"hodler:"), "yaml", "the body:12"),
        (b"<a> a <b> .\n<a> a\n", "ttl", "the body:"),
        (b"<a> a <b> .\n_:x a <b> .\n", "ttl", "the body:2"),
        (b'{"@id": ', "jsonld", "the body:1"),
        (b"<rdf:RDF", "rdf", "the body"),
        (b"\xff\xfe", "nt", "the body:1"),
        (f"<{ID}x> a <{WS}Agnet> .\n".encode(), "nt", "the body:1"),
        (b"", "ttl", "the body is empty"),
    ],
)
def test_what_cannot_be_read_is_400_with_its_place(door: ServedDoor, body: bytes, form: str, place: str) -> None:
    before = door.state()
    answer = door.ask("POST", "/validate", body, form=form, headers={"Accept": "text/plain"})
    assert answer.status_code == 400
    assert answer.text.startswith(place)
    assert "mend:" in answer.text
    told = door.ask("POST", "/assertions", body, form=form, by="cleo", headers={"Accept": "application/problem+json"})
    assert told.status_code == 400
    assert all(problem["problem"] and problem["mend"] for problem in told.json()["problems"])
    assert door.state() == before


@pytest.mark.parametrize("form", ["image/png", "text/plain", "application/octet-stream", "text/turtle; charset=utf-16"])
def test_a_form_that_is_not_taken_is_415(door: ServedDoor, form: str) -> None:
    before = door.state()
    for path in ("/validate", "/assertions", "/proposals"):
        answer = door.ask("POST", path, GOOD, form=form, by="cleo")
        assert answer.status_code == 415
        assert "text/turtle" in answer.json()["detail"] or "UTF-8" in answer.json()["detail"]
    assert door.state() == before


def test_a_body_that_is_too_large_is_413(door: ServedDoor) -> None:
    before = door.state()
    large = b"#" * (MAX_BODY + 1)
    assert door.ask("POST", "/validate", large).status_code == 413
    assert door.ask("POST", "/assertions", large, by="cleo").status_code == 413
    assert door.ask("PUT", "/documents/reply-from-borduria", large, by="cleo").status_code == 413
    assert door.ask("POST", "/retractions", {"reason": "x" * 1_100_000}, by="cleo").status_code == 413
    assert door.state() == before
    nearly = GOOD + b"#" * (MAX_BODY - len(GOOD))
    assert door.ask("POST", "/validate", nearly).json()["conforms"]


def test_what_is_published_is_served_at_once_and_published_once(door: ServedDoor) -> None:
    answer = door.ask("POST", "/assertions", addition("served"), by="cleo")
    assert answer.status_code == 201
    number = answer.json()["change"]
    assert answer.headers["Location"] == f"/changes/{number}"
    assert door.rows("SELECT ?holder { id:reply-from-borduria\\/served ws:holder ?holder }") == [
        [ID + "kazimir-vlastok"]
    ]
    again = door.ask("POST", "/assertions", addition("served"), by="cleo")
    assert (again.status_code, again.json()["change"]) == (200, None)
    assert door.folder.current_name() == f"{number:06d}"


@pytest.mark.parametrize("form", FORMS)
def test_every_syntax_publishes_the_same_statements_in_the_same_graphs(door: ServedDoor, form: str) -> None:
    record = addition(f"in-{form}")
    before = door.state()
    answer = door.ask("POST", "/assertions", as_form(record, form), form=form, by="cleo")
    assert answer.status_code == 201, answer.text
    asserted = {REPLY_GRAPH, ID.replace("/id/", "/graph/propositions")}
    new = {q for q in door.state() - before if str(q.graph_name).strip("<>") in asserted}
    assert new == set(quads_of(record))


def test_what_does_not_conform_is_422_with_the_report_and_nothing_is_published(door: ServedDoor) -> None:
    before = door.state()
    record = addition("half", assertion("other-half", evidencedBy="bridge-toll/0-49"))
    answer = door.ask("POST", "/assertions", record, by="cleo")
    assert answer.status_code == 422
    assert {f["subject"] for f in answer.json()["violations"]} == {f"{REPLY}/other-half"}
    assert door.state() == before


def test_an_assertion_is_never_overwritten(door: ServedDoor) -> None:
    publish(door, addition("kept"))
    before = door.state()
    answer = door.ask("POST", "/assertions?mode=replace", addition("kept", certainty="possible"), by="cleo")
    assert answer.status_code == 409
    assert "supersedes" in answer.json()["detail"]
    assert door.ask("POST", "/assertions?mode=over", GOOD, by="cleo").status_code == 400
    assert door.state() == before


def test_a_document_is_replaced_as_a_whole(door: ServedDoor) -> None:
    publish(door, addition("swept-away"))
    address = "/documents/reply-from-borduria"
    answer = door.ask("PUT", address, reply_record(without="s7a"), by="cleo")
    assert answer.status_code == 201
    said = {q.subject for q in door.state() if q.graph_name == ox.NamedNode(REPLY_GRAPH)}
    assert iri("reply-from-borduria/s6b") in said
    assert not {iri("reply-from-borduria/s7a"), iri("reply-from-borduria/swept-away")} & said
    assert iri("view-swept-away") not in {q.subject for q in door.state()}
    assert door.ask("PUT", address, reply_record(), by="cleo").status_code == 201
    assert door.ask("PUT", address, reply_record(), by="cleo").status_code == 200
    with_it = {q for q in door.state() if q.graph_name == ox.NamedNode(REPLY_GRAPH)}
    assert with_it == {q for q in quads_of(reply_record()) if q.graph_name == ox.NamedNode(REPLY_GRAPH)}


def test_only_the_document_that_is_named_is_replaced(door: ServedDoor) -> None:
    before = door.state()
    for body in (reply_record(), addition("elsewhere"), b"entries:\n  - {id: x, type: Issue, prefLabel: X}\n"):
        answer = door.ask("PUT", "/documents/bridge-toll", body, by="cleo")
        assert answer.status_code == 400
        assert "bridge-toll" in answer.json()["title"]
    assert door.state() == before


def test_a_change_that_breaks_what_others_published_is_refused(door: ServedDoor) -> None:
    before = door.state()
    bridge = (SAMPLE / "records" / "documents" / "bridge-toll.yaml").read_text("utf-8")
    start = bridge.index("  - id: bridge-toll/s14c\n") - 1
    shorter = bridge[:start] + bridge[bridge.index("\n  # ", start) :]
    broken = door.ask("PUT", "/documents/bridge-toll", shorter.encode(), by="cleo")
    assert broken.status_code == 422
    assert [(f["subject"], f["found"]) for f in broken.json()["violations"] if f["published"]] == [
        (f"{REPLY}/s7a", "borduria-improves-toll-receipt")
    ]
    place = b"entries:\n  - {id: kazimir-vlastok, type: Place, prefLabel: no agent any more}\n"
    answer = door.ask("POST", "/assertions", place, by="cleo")
    assert answer.status_code == 422
    hurt = {f["subject"] for f in answer.json()["violations"] if f["published"]}
    assert {REPLY, f"{REPLY}/s1a"} <= hurt
    assert door.state() == before


def test_the_provenance_tells_who_when_and_by_which_rules(door: ServedDoor) -> None:
    number = publish(door, addition("with-provenance"))
    (row,) = door.rows(
        f"""SELECT ?who ?kind ?shapes ?ontology ?source (SAMPLE(?g) AS ?graph) WHERE {{ GRAPH <{PROVENANCE_GRAPH}> {{
          <https://w3id.org/whosays/change/{number}> a prov:Activity ; prov:wasAssociatedWith ?who ;
            prov:endedAtTime ?at ; dcterms:type ?kind ; ws:shapesDigest ?shapes ; ws:ontologyDigest ?ontology ;
            ws:madeFrom ?source ; prov:generated ?g
          FILTER(?g = <{REPLY_GRAPH}> && ?at > "2020-01-01T00:00:00Z"^^xsd:dateTime) }} }}
        GROUP BY ?who ?kind ?shapes ?ontology ?source"""
    )
    assert row[:2] == [ID + "cleo", "add"]
    assert [len(digest) for digest in row[2:4]] == [64, 64]
    assert row[4:] == ["the body", REPLY_GRAPH]
    entry = door.ask("GET", f"/changes/{number}").json()
    assert (entry["by"], entry["kind"], entry["shapes"]) == ("cleo", "add", row[2])


def test_what_is_superseded_stays_with_its_status_and_so_does_its_report(door: ServedDoor) -> None:
    publish(door, addition("old", holder="borduria"))
    publish(door, addition("new", holder="borduria", supersedes="reply-from-borduria/old"))
    assert statuses(door, "reply-from-borduria/old") == {"superseded"}
    assert statuses(door, "reply-from-borduria/old/report") == {"superseded"}
    assert (
        statuses(door, "reply-from-borduria/new") == statuses(door, "reply-from-borduria/new/report") == {"published"}
    )
    assert door.ask("GET", "/changes?limit=1").json()[0]["kind"] == "supersede"


def test_an_assertion_is_retracted_for_a_reason(door: ServedDoor) -> None:
    publish(door, addition("wrong"))
    told = {"assertion": "reply-from-borduria/wrong", "reason": "It was misread."}
    assert door.ask("POST", "/retractions", told, by="cleo").status_code == 201
    assert statuses(door, "reply-from-borduria/wrong") == {"retracted"}
    assert ["It was misread."] in door.rows("SELECT ?note { id:reply-from-borduria\\/wrong ws:note ?note }")
    assert door.ask("POST", "/retractions", told, by="cleo").status_code == 409
    assert door.ask("POST", "/retractions", told | {"assertion": "nothing"}, by="cleo").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"assertion": "reply-from-borduria/s1a"}',
        b'{"assertion": "reply-from-borduria/s1a", "reason": " "}',
        b'{"assertion": "reply-from-borduria/s1a", "reason": "\\ud800"}',
        b'{"assertion": "reply-from-borduria/s1a", "reason": "a\\u0000b"}',
        b'{"assertion": "\\ud800", "reason": "x"}',
        b'{"assertion": "no name", "reason": "x"}',
        b'{"assertion": 7, "reason": "x"}',
        b"[" * 100_000,
    ],
)
def test_a_retraction_that_makes_no_sense_is_400(door: ServedDoor, body: bytes) -> None:
    before = door.state()
    answer = door.ask("POST", "/retractions", body, by="cleo", form=JSON)
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert door.state() == before


def test_a_change_is_undone_and_the_undoing_too(door: ServedDoor) -> None:
    def asserted() -> set[ox.Quad]:
        return {q for q in door.state() if q.graph_name != ox.NamedNode(PROVENANCE_GRAPH)}

    before = asserted()
    number = publish(door, addition("undone"))
    after = asserted()
    undone = door.ask("POST", f"/changes/{number}/undo", by="cleo")
    assert undone.status_code == 201
    assert asserted() == before
    again = door.ask("POST", f"/changes/{undone.json()['change']}/undo", by="cleo")
    assert again.status_code == 201
    assert asserted() == after
    entry = door.ask("GET", f"/changes/{undone.json()['change']}").json()
    assert (entry["kind"], entry["undoes"]) == ("undo", number)


def test_a_change_that_another_was_built_on_is_not_undone(door: ServedDoor) -> None:
    number = publish(door, addition("built-on"))
    told = {"assertion": "reply-from-borduria/built-on", "reason": "It was misread."}
    later = door.ask("POST", "/retractions", told, by="cleo").json()["change"]
    answer = door.ask("POST", f"/changes/{number}/undo", by="cleo")
    assert answer.status_code == 409
    assert f"by change {later}" in answer.json()["title"]
    assert door.ask("POST", "/changes/1000/undo", by="cleo").status_code == 404


def test_undoing_what_others_refer_to_is_422(door: ServedDoor) -> None:
    number = publish(door, addition("referred-to"))
    publish(door, addition("referring", proposition="view-referred-to"))
    answer = door.ask("POST", f"/changes/{number}/undo", by="cleo")
    assert answer.status_code == 422
    assert {f["subject"] for f in answer.json()["violations"] if f["published"]} >= {f"{REPLY}/referring"}


def test_the_history_of_an_assertion_and_of_a_document(door: ServedDoor) -> None:
    first = publish(door, addition("storied"))
    told = {"assertion": "reply-from-borduria/storied", "reason": "It was misread."}
    second = door.ask("POST", "/retractions", told, by="cleo").json()["change"]
    of_assertion = door.ask("GET", "/changes?about=reply-from-borduria/storied").json()
    assert [(e["change"], e["kind"]) for e in of_assertion] == [(second, "retract"), (first, "add")]
    of_document = door.ask("GET", f"/changes?about={REPLY_GRAPH}&limit=1000").json()
    assert [e["change"] for e in of_document][:2] == [second, first]
    assert [e["change"] for e in of_document][-1] == 1
    older = door.ask("GET", f"/changes?about={REPLY_GRAPH}&before={second}&limit=1").json()
    assert [e["change"] for e in older] == [first]
    other = door.ask("GET", f"/changes?about={document_graph(BRIDGE)}").json()
    assert first not in [e["change"] for e in other]


def test_one_change_as_a_patch(door: ServedDoor) -> None:
    number = publish(door, addition("patched"))
    answer = door.ask("GET", f"/changes/{number}", headers={"Accept": "application/rdf-patch"})
    assert answer.text.startswith("TX .\n")
    assert answer.text.endswith("TC .\n")
    lines = [line.removeprefix("A ") for line in answer.text.splitlines() if line.startswith("A ")]
    assert set(ox.parse("\n".join(lines).encode(), format=ox.RdfFormat.N_QUADS)) == set(quads_of(addition("patched")))


@pytest.mark.parametrize("path", ["/changes/0", "/changes/1000000", "/changes/99999999999999999999999", "/changes/x"])
def test_a_change_that_is_not_there_is_404(door: ServedDoor, path: str) -> None:
    assert door.ask("GET", path).status_code == 404
    assert door.ask("GET", path, headers={"Accept": "application/rdf-patch"}).status_code == 404


@pytest.mark.parametrize("query", ["limit=x", "before=-1", "before=1.5", "limit=" + "9" * 20])
def test_a_history_that_cannot_be_told_is_400(door: ServedDoor, query: str) -> None:
    assert door.ask("GET", f"/changes?{query}").status_code == 400


def test_twenty_publish_at_once_and_none_is_lost(door: ServedDoor) -> None:
    keys = [f"crowd-{n}" for n in range(20)]
    before = len(door.numbers())
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda key: door.ask("POST", "/assertions", addition(key), by="cleo"), keys))
    assert {a.status_code for a in answers} <= {201, 409}, [a.text for a in answers]
    published = [key for key, a in zip(keys, answers, strict=True) if a.status_code == 201]
    assert published == keys
    said = {q.subject for q in door.state()}
    assert {iri(f"reply-from-borduria/{key}") for key in published} <= said
    assert sorted(a.json()["change"] for a in answers) == list(range(before + 1, before + 21))


def test_who_comes_too_late_is_judged_again(door: ServedDoor) -> None:
    publish(door, addition("reported", holder="kazimir-vlastok"))
    reports = [addition(f"reporter-{n}", reports="reply-from-borduria/reported") for n in range(6)]
    assert all(door.ask("POST", "/validate", r).json()["conforms"] for r in reports)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda record: door.ask("POST", "/assertions", record, by="dora"), reports))
    assert sorted(a.status_code for a in answers) == [201] + [422] * 5
    reporters = [q for q in door.state() if q.predicate == ox.NamedNode(WS + "reports")]
    assert len([q for q in reporters if q.object == iri("reply-from-borduria/reported")]) == 1


def test_the_service_goes_on_when_its_writer_is_killed(door: ServedDoor) -> None:
    """Readers see whole commits, and who is told that nothing was published finds nothing."""
    keys = [f"killed-{n}" for n in range(16)]
    kills = 0
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(door.ask, "POST", "/assertions", addition(key), by="cleo") for key in keys]
        while not all(w.done() for w in waiting):
            writer = door.writer()
            if writer is not None:
                os.kill(writer, signal.SIGKILL)
                kills += 1
            assert door.rows("SELECT (COUNT(*) AS ?n) { ?s a ws:Assertion }") != [["0"]]
            time.sleep(0.1)
    answers = [w.result() for w in waiting]
    assert {a.status_code for a in answers} <= {201, 503}
    assert kills > 0
    said = {q.subject for q in door.state()}
    for key, answer in zip(keys, answers, strict=True):
        assert (iri(f"reply-from-borduria/{key}") in said) == (answer.status_code == 201), answer.text
    wait_for(lambda: door.writer() is not None)
    publish(door, addition("after-the-killing"))


def test_the_writer_stays_while_the_service_runs(door: ServedDoor) -> None:
    """Its input was closed as soon as it was started, so that it ended at once and was started again and again."""
    wait_for(lambda: door.writer() is not None)
    writer = door.writer()
    time.sleep(2.5)
    assert door.writer() == writer is not None
    publish(door, addition("by-the-writer"))
    assert door.writer() == writer


def test_answers_are_what_they_say_they_are(door: ServedDoor) -> None:
    answer = door.ask("POST", "/validate", GOOD, headers={"Accept": "image/png"})
    assert answer.headers["Content-Type"] == JSON
    assert json.loads(answer.text)["conforms"]
    assert door.client.delete(door.address + "/validate").status_code == 405


def test_who_waits_for_judgement_leaves_threads_for_reading() -> None:
    assert CELLS + Door(Settings(threads=32)).waiting + READING == 32
    assert Door(Settings(threads=4)).waiting == 0
