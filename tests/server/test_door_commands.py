"""Validating, publishing, superseding, retracting, undoing and looking back, on the command line."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.change import Change, is_asserted
from kg.digests import passage_digest
from kg.history import read_patch
from kg.names import ID, SH, WS
from kg.settings import Settings
from kg.store import StoreFolder
from loaders.foreign import read_content
from loaders.syntaxes import SYNTAXES
from tests.conftest import REPOSITORY, SAMPLE, start_server
from tests.server.calling import call

NEW = """\
to: bridge-toll
defaults: {coder: whosays-team, coded: 2026-11-22, status: published, holderBasis: named,
           polarity: affirms, certainty: unhedged, basis: stated}
assertions:
  - {id: bridge-toll/x1, holder: ruritania, act: fears, evidencedBy: bridge-toll/0-49,
     proposition: tellbruck-toll-small}
"""
BETTER = NEW.replace("x1", "x2").replace("ruritania", "borduria")
TWO = BETTER + BETTER[BETTER.index("  - ") :].replace("x2", "x3")
WRONG = NEW.replace("holder: ruritania, ", "")
ODD = """\
to: bridge-toll
propositions:
  - {id: tolls-grow, type: Proposition, gloss: Tolls grow, about: tellbruck-toll}
"""
ENTRIES = "entries: [{id: nordmark, type: State, prefLabel: Nordmark}]\n"
X1, X2 = ox.NamedNode(ID + "bridge-toll/x1"), ox.NamedNode(ID + "bridge-toll/x2")
TEXT = (SAMPLE / "texts" / "bridge-toll.txt").read_text("utf-8")


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def asserted(store: Path) -> set[ox.Quad]:
    with StoreFolder(store).snapshot() as snapshot:
        return {quad for quad in snapshot.store if is_asserted(quad.graph_name)}


def statuses(store: Path, node: ox.NamedNode) -> set[str]:
    with StoreFolder(store).snapshot() as snapshot:
        found = snapshot.store.quads_for_pattern(node, ox.NamedNode(WS + "status"), None)
        return {quad.object.value.removeprefix(WS) for quad in found if isinstance(quad.object, ox.NamedNode)}


def in_form(record: str, form: str) -> bytes:
    """The same content in another syntax."""
    if form == "yaml":
        return record.encode()
    syntax = next(s for s in SYNTAXES if s.name == form)
    assert syntax.rdf_format is not None
    voices = (["amalia-orvosd"], ["strelsau-courier"])
    quads = read_content(record.encode(), "yaml", "x", voices=lambda _: voices).quads
    named = syntax.rdf_format.supports_datasets and form != "jsonld"
    return ox.serialize(quads if named else [q.triple for q in quads], format=syntax.rdf_format) or b""


FORMS = [syntax.name for syntax in SYNTAXES]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_content_has_the_same_verdict_in_every_form(options: list[object], tmp_path: Path, form: str) -> None:
    good = write(tmp_path, f"good.{form}", in_form(NEW, form))
    assert call("validate", good, *options).stdout == "conforms\n"
    told = call("validate", "-", "--input-format", form, *options, stdin=in_form(WRONG, form), status=1)
    assert "1 violation\n" in told.stdout
    assert "bridge-toll/x1" in told.stdout
    assert "ws:holder" in told.stdout
    report = json.loads(
        call("validate", "-", *options, "--format", "json", stdin=in_form(WRONG, form), status=1).stdout
    )
    assert [(f["subject"], f["path"], f["file"]) for f in report["violations"]] == [
        (X1.value, WS + "holder", "standard input")
    ]


@pytest.mark.parametrize(
    ("form", "syntax"),
    [
        ("turtle", ox.RdfFormat.TURTLE),
        ("jsonld", ox.RdfFormat.JSON_LD),
        ("ntriples", ox.RdfFormat.N_TRIPLES),
    ],
)
@pytest.mark.parametrize(("content", "conforms"), [(NEW, True), (WRONG, False)])
def test_the_report_is_a_standard_shacl_report(
    options: list[object], form: str, syntax: ox.RdfFormat, content: str, conforms: bool
) -> None:
    done = call("validate", "-", *options, "--format", form, stdin=content, status=0 if conforms else 1)
    quads = list(ox.parse(done.stdout.encode(), format=syntax))
    [verdict] = [q.object for q in quads if q.predicate.value == SH + "conforms"]
    assert verdict == ox.Literal(conforms)
    focus = [q.object for q in quads if q.predicate.value == SH + "focusNode"]
    assert focus == ([] if conforms else [X1])


def test_a_warning_is_told_apart_and_keeps_nothing_out(options: list[object]) -> None:
    told = json.loads(call("validate", "-", *options, "--format", "json", stdin=ODD).stdout)
    assert told["conforms"]
    assert not told["violations"]
    assert [f["subject"] for f in told["warnings"]] == [ID + "tolls-grow"]
    words = call("validate", "-", *options, stdin=ODD).stdout
    assert "standard input:3: warning: tolls-grow “Tolls grow”" in words
    assert words.endswith("conforms; 1 warning\n")
    assert "warning: tolls-grow" in call("publish", "-", *options, stdin=ODD).stderr


def test_a_whole_record_and_entries_are_validated(options: list[object], tmp_path: Path) -> None:
    record = SAMPLE / "records" / "documents" / "reply-from-borduria.yaml"
    done = call("validate", record, *options)
    assert done.stdout == "conforms\n"
    assert "reply-from-borduria: 12 passages verified" in done.stderr
    bad = write(tmp_path, "entries.yaml", ENTRIES.replace(", prefLabel: Nordmark", ""))
    assert f"{bad}:1: violation: nordmark" in call("validate", bad, *options, status=1).stdout


def test_files_are_judged_together(options: list[object], tmp_path: Path) -> None:
    entries = write(tmp_path, "entries.yaml", ENTRIES)
    addition = write(tmp_path, "addition.yaml", NEW.replace("holder: ruritania", "holder: nordmark"))
    assert "nordmark" in call("validate", addition, *options, status=1).stdout
    assert call("validate", addition, entries, *options).stdout == "conforms\n"


def test_what_is_published_and_would_break_is_told(options: list[object]) -> None:
    with_member = "entries:\n  - {id: whosays-team, type: Place, prefLabel: Whosays team}\n"
    told = json.loads(call("validate", "-", *options, "--format", "json", stdin=with_member, status=1).stdout)
    assert any(f["published"] for f in told["violations"])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("broken.yaml", "to: [\n", "broken.yaml:2: not valid YAML"),
        ("broken.ttl", "<a> <b> <c> .\n<a> <b> .\n", "broken.ttl:2: not valid Turtle"),
        ("broken.jsonld", '{"@id": ', "broken.jsonld"),
        ("broken.rdf", "<rdf:RDF", "broken.rdf"),
        ("broken.nt", "<a>", "broken.nt:1"),
        ("key.yaml", NEW + "colour: red\n", "key.yaml:7: `colour`"),
        ("notes.md", "# Notes", "`.md` is no form"),
        ("notes", "Dear all,", "cannot tell in which form"),
        ("latin.yaml", "id: Örvösd".encode("latin-1"), "UTF-8"),
        ("nowhere.yaml", None, "No such file"),
        (".", None, "Is a directory"),
        ("to-nothing.yaml", NEW.replace("bridge-toll", "atlantis"), "no document `atlantis`"),
        ("rules.ttl", "<https://w3id.org/whosays/ontology#State> <ex:p> <ex:o> .", "not for the door"),
    ],
)
@pytest.mark.parametrize("command", ["validate", "publish"])
def test_what_cannot_be_read_is_told_with_exit_code_2(
    options: list[object], store: Path, tmp_path: Path, command: str, name: str, content: str | bytes | None, words: str
) -> None:
    path = tmp_path / name if content is None else write(tmp_path, name, content)
    before = os.readlink(store / "current")
    done = call(command, path, *options, status=2)
    assert words in done.stderr
    assert "mend:" in done.stderr
    assert os.readlink(store / "current") == before


def test_all_files_that_cannot_be_read_are_told(options: list[object], tmp_path: Path) -> None:
    broken = [write(tmp_path, f"{name}.yaml", "to: [\n") for name in ("one", "two")]
    done = call("validate", *broken, *options, status=2)
    assert all(f"error: {path}:2: " in done.stderr for path in broken)
    assert "twice" in call("validate", "-", "-", *options, status=2).stderr


def test_without_a_graph_there_is_nothing_to_judge_by(tmp_path: Path) -> None:
    for arguments in (["validate", "-"], ["publish", "-"], ["undo", 1], ["history"], ["retract", "a", "--reason", "b"]):
        done = call(*arguments, "--store", tmp_path / "none", stdin=NEW, status=2)
        assert "whosays build" in done.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("form", FORMS)
def test_passages_are_verified_against_the_text(options: list[object], form: str) -> None:
    right = passage_digest(TEXT[0:9])
    record = NEW + f"passages: [{{id: bridge-toll/0-9, start: 0, end: 9, digest: {right}}}]\n"
    assert "bridge-toll: 1 passages verified" in call("validate", "-", *options, stdin=in_form(record, form)).stderr
    wrong = record.replace(right, right[::-1])
    for command in ("validate", "publish"):
        done = call(command, "-", *options, stdin=in_form(wrong, form), status=2)
        assert "does not match the text" in done.stderr
        assert "standard input:" in done.stderr


def test_a_real_pipe(options: list[object]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "server.command", "validate", "-", *map(str, options)],
        input=WRONG, capture_output=True, text=True, check=False, cwd=REPOSITORY,
    )  # fmt: skip
    assert done.returncode == 1
    assert "standard input:5: violation: bridge-toll/x1" in done.stdout
    assert done.stderr == ""


def test_what_was_published_is_undone_and_done_again(options: list[object], store: Path, tmp_path: Path) -> None:
    path = write(tmp_path, "new.yaml", NEW)
    before = asserted(store)
    assert call("publish", path, *options).stdout.startswith("published change 2: ")
    after = asserted(store)
    assert after > before
    assert X1 in {quad.subject for quad in after - before}
    assert "nothing to do" in call("publish", path, *options).stdout
    assert "published change 3: " in call("undo", 2, "--store", store).stdout
    assert asserted(store) == before
    assert json.loads(call("undo", 3, "--store", store, "--format", "json", "--by", "anna").stdout)["change"] == 4
    assert asserted(store) == after
    listed = json.loads(call("history", "--store", store, "--format", "json").stdout)
    assert [(e["change"], e["kind"], e["by"], e["undoes"]) for e in listed] == [
        (4, "undo", "anna", 3),
        (3, "undo", "whosays-team", 2),
        (2, "add", "whosays-team", None),
        (1, "build", "whosays-team", None),
    ]
    for number, (added, removed) in {2: (after - before, set()), 3: (set(), after - before)}.items():
        change = read_patch(call("history", "--change", number, "--store", store).stdout)
        assert change == Change(frozenset(added), frozenset(removed))


def test_history_of_an_assertion_and_of_a_document(options: list[object], store: Path) -> None:
    call("publish", "-", *options, stdin=NEW)
    call("publish", "-", *options, stdin=ENTRIES)

    def numbers(*arguments: object) -> list[int]:
        entries = json.loads(call("history", *arguments, "--store", store, "--format", "json").stdout)
        return [entry["change"] for entry in entries]

    assert numbers() == [3, 2, 1]
    assert numbers("--before", 3) == [2, 1]
    assert numbers("--limit", 2) == [3, 2]
    assert numbers("bridge-toll/x1") == [2]
    assert numbers("bridge-toll") == [2, 1]
    assert numbers("bridge-toll", "--limit", 1) == [2]
    assert numbers("reply-from-borduria") == [1]
    assert numbers("register") == [3, 1]
    assert numbers("nordmark", "--before", 3) == []
    table = call("history", "nordmark", "--store", store).stdout
    assert "replaces what is said of nordmark" in table
    assert "1 row\n" in table
    refused: list[tuple[list[object], str]] = [
        (["atlantis"], "no change concerns `atlantis`"),
        (["--change", 9], "no change 9"),
        (["nordmark", "--change", 2], "not both"),
        (["--before", "x"], "not a valid integer"),
        (["--change", 10**30], "not in the range"),
    ]
    for arguments, words in refused:
        assert words in call("history", *arguments, "--store", store, status=2).stderr


def test_what_does_not_conform_is_not_published(options: list[object], store: Path) -> None:
    before = asserted(store)
    done = call("publish", "-", *options, stdin=WRONG, status=1)
    assert "standard input:5: violation: bridge-toll/x1" in done.stdout
    assert not json.loads(call("publish", "-", *options, "--format", "json", stdin=WRONG, status=1).stdout)["conforms"]
    assert asserted(store) == before
    assert len(json.loads(call("history", "--store", store, "--format", "json").stdout)) == 1


def test_rdf_is_added_or_takes_the_place_of_what_is_said(options: list[object], store: Path) -> None:
    prefixes = call("prefixes").stdout
    first = prefixes + 'id:nordmark a ws:State ; skos:prefLabel "Nordmark"@en .'
    second = first.replace('"Nordmark"', '"North Mark"')
    call("publish", "-", *options, stdin=first)
    assert "skos:prefLabel" in call("publish", "-", *options, stdin=second, status=1).stdout
    call("validate", "-", "--replace", *options, stdin=second)
    call("publish", "-", "--replace", *options, stdin=second)
    labels = {q.object for q in asserted(store) if q.subject == ox.NamedNode(ID + "nordmark")}
    assert ox.Literal("North Mark", language="en") in labels
    assert ox.Literal("Nordmark", language="en") not in labels
    call("publish", "-", *options, stdin=NEW)
    altered = in_form(NEW.replace("fears", "expects"), "ttl")
    assert "would be overwritten" in call("publish", "-", "--replace", *options, stdin=altered, status=1).stderr


def test_a_document_is_replaced_as_a_whole(options: list[object], store: Path) -> None:
    before = asserted(store)
    call("publish", "-", *options, stdin=NEW.replace("bridge-toll", "reply-from-borduria").replace("0-49", "0-63"))
    assert asserted(store) > before
    call("publish", SAMPLE / "records" / "documents" / "reply-from-borduria.yaml", *options)
    assert asserted(store) == before


def test_the_folders_of_this_machine_are_not_published(options: list[object], store: Path, tmp_path: Path) -> None:
    path = write(tmp_path, "new.yaml", NEW)
    call("publish", path, *options)
    dumped = call("dump", "--store", store).stdout
    assert '"new.yaml"' in dumped
    assert str(tmp_path) not in dumped
    [entry] = json.loads(call("history", "bridge-toll/x1", "--store", store, "--format", "json").stdout)
    assert entry["source"] == "new.yaml"


def test_an_assertion_is_retracted_for_a_reason(options: list[object], store: Path) -> None:
    call("publish", "-", *options, stdin=NEW)
    assert statuses(store, X1) == {"status-published"}
    assert "published change 3" in call("retract", "bridge-toll/x1", "--reason", "misread", "--store", store).stdout
    assert statuses(store, X1) == {"status-retracted"}
    assert any(q.subject == X1 and q.object == ox.Literal("misread", language="en") for q in asserted(store))
    again = call("retract", "bridge-toll/x1", "--reason", "misread", "--store", store, status=1)
    assert "retracted already" in again.stderr
    for name, reason, words in [("bridge-toll/x9", "a", "no assertion"), ("bridge-toll/x1", " ", "no reason")]:
        assert words in call("retract", name, "--reason", reason, "--store", store, status=2).stderr
    assert "--reason" in call("retract", "bridge-toll/x1", "--store", store, status=2).stderr


def test_an_assertion_is_superseded_by_the_one_of_a_file(options: list[object], store: Path) -> None:
    call("publish", "-", *options, stdin=NEW)
    before = asserted(store)
    assert "published change 3" in call("supersede", "bridge-toll/x1", "-", *options, stdin=BETTER).stdout
    assert statuses(store, X1) == statuses(store, ox.NamedNode(X1.value + "/report")) == {"status-superseded"}
    assert statuses(store, X2) == {"status-published"}
    [entry] = json.loads(call("history", "bridge-toll/x2", "--store", store, "--format", "json").stdout)
    assert entry["kind"] == "supersede"
    call("undo", 3, "--store", store)
    assert asserted(store) == before


def test_undoing_is_refused_where_a_later_change_built_on_it(options: list[object], store: Path) -> None:
    call("publish", "-", *options, stdin=NEW)
    call("retract", "bridge-toll/x1", "--reason", "misread", "--store", store)
    assert "by change 3" in call("undo", 2, "--store", store, status=1).stderr
    assert "no change 9" in call("undo", 9, "--store", store, status=2).stderr
    call("publish", "-", *options, stdin=ENTRIES)
    call("publish", "-", *options, stdin=BETTER.replace("borduria", "nordmark"))
    done = call("undo", 4, "--store", store, status=1)
    assert "violation: bridge-toll/x2" in done.stdout
    assert "(published already)" in done.stdout


@pytest.mark.parametrize(
    ("old", "content", "words"),
    [
        ("bridge-toll/x1", TWO, "2 assertions could supersede"),
        ("bridge-toll/x1", ENTRIES, "0 assertions could supersede"),
        ("bridge-toll/x9", BETTER, "no assertion `bridge-toll/x9`"),
        ("ruritania", BETTER, "no assertion `ruritania`"),
    ],
)
def test_a_file_that_does_not_tell_what_supersedes_is_refused(
    options: list[object], store: Path, old: str, content: str, words: str
) -> None:
    call("publish", "-", *options, stdin=NEW)
    before = asserted(store)
    done = call("supersede", old, "-", *options, stdin=content, status=2)
    assert words in done.stderr
    assert "mend:" in done.stderr
    assert asserted(store) == before


def test_what_a_file_says_itself_is_left_to_it(options: list[object], store: Path) -> None:
    call("publish", "-", *options, stdin=NEW)
    record = SAMPLE / "records" / "documents" / "reply-from-borduria.yaml"
    assert "whole record" in call("supersede", "bridge-toll/x1", record, *options, status=2).stderr
    said = TWO.replace("{id: bridge-toll/x3,", "{id: bridge-toll/x3, supersedes: bridge-toll/x1,")
    call("supersede", "bridge-toll/x1", "-", *options, stdin=said)
    assert statuses(store, X1) == {"status-superseded"}
    supersedes = [q for q in asserted(store) if q.predicate.value == WS + "supersedes" and q.object == X1]
    assert [q.subject for q in supersedes] == [ox.NamedNode(ID + "bridge-toll/x3")]


def test_nobody_without_a_name_publishes(options: list[object], store: Path) -> None:
    for name in ("Jane Doe", "", "a/b"):
        assert "agent's name" in call("publish", "-", *options, "--by", name, stdin=NEW, status=2).stderr
    call("publish", "-", *options, "--by", "jane-doe", stdin=NEW)
    assert json.loads(call("history", "--store", store, "--format", "json").stdout)[0]["by"] == "jane-doe"


@pytest.mark.slow
def test_while_a_service_runs_commands_commit_through_it(options: list[object], store: Path, tmp_path: Path) -> None:
    running = start_server(Settings(store=store, texts=SAMPLE / "texts"))
    try:

        def served(subject: str) -> bool:
            query = f"ASK {{ <{ID}{subject}> ?p ?o }}"
            answer = running.get("/sparql", params={"query": query}, headers={"Accept": "application/json"})
            return bool(answer.json()["boolean"])

        call("publish", "-", *options, stdin=NEW)
        assert served("bridge-toll/x1")
        call("undo", 2, "--store", store)
        assert not served("bridge-toll/x1")
        records = shutil.copytree(SAMPLE / "records", tmp_path / "records")
        write(records / "register", "more.yaml", ENTRIES)
        assert "published snapshot 000004" in call("build", *options, "--records", records).stderr
        assert served("nordmark")
        call("publish", "-", *options, stdin=BETTER)
        call("backup", tmp_path / "backup.tar", "--store", store)
    finally:
        running.stop()
    call("restore", tmp_path / "backup.tar", "--store", tmp_path / "restored")
    assert asserted(tmp_path / "restored") == asserted(store)
