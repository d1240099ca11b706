"""The command line, run as a user runs it."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kg.settings import Settings
from tests.conftest import REPOSITORY, SAMPLE, RunningServer
from tests.server.calling import call, copy_store

BROKEN = "id: broken\ntype: Document\ntitle: On errors\ncreator: amalia-orvosd\nkind: opEd\nlanguage: en\n"


def whosays(*arguments: object, status: int = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "server.command", *map(str, arguments)],
        input=stdin, capture_output=True, text=True, check=False, cwd=REPOSITORY, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    return done


@pytest.fixture
def options(sample_settings: Settings) -> list[object]:
    return ["--store", sample_settings.store, "--texts", sample_settings.texts, "--records", sample_settings.records]


def test_help_names_every_command() -> None:
    text = whosays("--help").stdout
    names = ["new", "build", "validate", "query", "sparql", "serve", "documents", "coverage", "export", "publish"]
    names += ["supersede", "retract", "undo", "history", "proposals", "tokens", "backup", "restore", "dump", "generate"]
    for name in names:
        assert f"\n  {name} " in text
        assert call(name, "--help").stdout.startswith("Usage: ")


def test_every_command_and_setting_is_in_the_readme() -> None:
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    for line in whosays("--help").stdout.split("Commands:")[1].splitlines():
        if line.startswith("  ") and line[2] != " ":
            assert f"whosays {line.split()[0]}" in readme
    for name in Settings.__dataclass_fields__:
        assert f"WHOSAYS_{name.upper()}" in readme


def test_who_asserts_what_in_every_format(options: list[object]) -> None:
    base = ["query", "who-asserts-what", "--about", "ruritania", *options]
    rows = json.loads(whosays(*base, "--format", "json").stdout)
    assert rows
    for row in rows:
        assert all(row[column] for column in ("holder", "reporter", "act", "gloss", "document", "passage", "quote"))
    read = list(csv.DictReader(io.StringIO(whosays(*base, "--format", "csv").stdout)))
    assert [r["assertion"] for r in read] == [r["assertion"] for r in rows]
    assert "Amália Örvösd" in whosays(*base).stdout


def test_coverage_is_a_list_of_one_object_a_document(options: list[object]) -> None:
    listed = json.loads(whosays("coverage", "--format", "json", *options).stdout)
    assert {row["document"].rsplit("/", 1)[-1] for row in listed} == {"bridge-toll", "reply-from-borduria"}
    for row in listed:
        assert row["accounted"] == row["sentences"] > 0
        assert all(isinstance(row[key], int) for key in ("assertions", "perceptions", "arguments", "causal_claims"))


def test_documents_sparql_export_and_prefixes(options: list[object]) -> None:
    assert "In Defence of a Small Fee" in whosays("documents", *options).stdout
    assert json.loads(whosays("sparql", "ASK { ?s ?p ?o }", "--format", "json", *options).stdout) == [{"answer": True}]
    assert whosays("sparql", "--format", "csv", *options, stdin="SELECT (1 AS ?x) {}").stdout == "x\n1\n"
    assert whosays("export", "bridge-toll", *options).stdout.startswith("id: bridge-toll\n")
    assert "PREFIX ws:" in whosays("prefixes").stdout


def test_new_makes_a_skeleton_and_never_overwrites(tmp_path: Path) -> None:
    text = SAMPLE / "texts" / "bridge-toll.txt"
    whosays("new", text, "--name", "toll", "--output", tmp_path / "toll.yaml")
    assert "sentenceNumber: 1" in (tmp_path / "toll.yaml").read_text("utf-8")
    assert "exists" in whosays("new", text, "--output", tmp_path / "toll.yaml", status=2).stderr
    assert "- {id: toll/0-3" in whosays("passage", text, "toll", 0, 3).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["query", "atlantis"], "no saved query"),
        (["query", "who-asserts-what", "--about", "atlantis"], "nothing in the graph"),
        (["query", "who-asserts-what", "--abuot", "x"], "no parameter"),
        (["sparql", "SELECT"], "does not parse"),
        (["sparql", "ASK { SERVICE <http://x/> {} }"], "SERVICE"),
        (["export", "atlantis"], "no document"),
        (["new", "/nowhere.txt"], "No such file"),
        (["validate", "/nowhere.yaml"], "No such file"),
        (["validate", "/nowhere.ttl"], "No such file"),
        (["validate", "README.md"], "`.md` is no form"),
    ],
)
def test_what_cannot_be_done_is_told_with_exit_code_2(options: list[object], arguments: list[str], words: str) -> None:
    takes = [] if arguments[0] == "new" else options
    done = whosays(*arguments, *takes, status=2)
    assert words in done.stderr
    assert "mend:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_that_cannot_be_written_is_told(work: Path) -> None:
    options = ["--records", work / "records", "--texts", SAMPLE / "texts", "--store", work / "records" / "a-file"]
    (work / "records" / "a-file").write_text("", "utf-8")
    assert "cannot be written" in whosays("build", *options, status=2).stderr


def test_a_port_that_is_taken_or_impossible_is_told(options: list[object], server: RunningServer) -> None:
    port = server.address.rsplit(":", 1)[1]
    assert "cannot listen" in whosays("serve", *options[:4], "--port", port, status=2).stderr
    assert "from 1 to 65535" in whosays("serve", *options[:4], "--port", 99999, status=2).stderr


def test_no_store_is_told(tmp_path: Path) -> None:
    assert "whosays build" in whosays("documents", "--store", tmp_path / "none", status=2).stderr


@pytest.fixture
def work(tmp_path: Path, sample_settings: Settings) -> Path:
    shutil.copytree(SAMPLE / "records", tmp_path / "records")
    copy_store(sample_settings.store, tmp_path / "store")
    return tmp_path


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        (BROKEN + "colour: red\n", 2, "broken.yaml:7: `colour` is no key"),
        (BROKEN + "publisher: atlantis\n", 1, "broken.yaml:7: violation: broken"),
        (BROKEN + "note: [\n", 2, "not valid YAML"),
        (BROKEN + "passages: [{id: broken/0-9, start: 0, end: 9, digest: 0123456789abcdef}]\n", 1, "broken/0-9"),
    ],
)
def test_a_bad_record_is_told_and_nothing_is_published(work: Path, source: str, status: int, words: str) -> None:
    path = work / "records" / "documents" / "broken.yaml"
    path.write_text(source, "utf-8")
    before = os.readlink(work / "store" / "current")
    options = ["--store", work / "store", "--records", work / "records", "--texts", SAMPLE / "texts"]
    done = whosays("build", *options, status=status)
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert os.readlink(work / "store" / "current") == before
    told = call("validate", path, *options, status=status)
    assert words in told.stdout + told.stderr


def test_a_passage_with_a_wrong_digest_or_beyond_the_end_is_told(work: Path) -> None:
    path = work / "records" / "documents" / "reply-from-borduria.yaml"
    path.write_text(path.read_text("utf-8").replace("digest: ", "digest: 0", 2), "utf-8")
    options = ["--store", work / "store", "--records", work / "records"]
    done = whosays("build", *options, "--texts", SAMPLE / "texts", status=1)
    assert "digest" in done.stdout + done.stderr


def test_a_missing_texts_folder_is_told(work: Path) -> None:
    options = ["--store", work / "store", "--records", work / "records"]
    done = whosays("build", *options, "--texts", work / "nowhere", status=2)
    assert "there is no folder" in done.stderr
    assert "mend:" in done.stderr
    assert "up to date" in whosays("build", *options).stderr
