"""Tokens, backup, restore, dump and generate, on the command line."""

import json
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.names import REGISTER_GRAPH
from kg.settings import Settings
from kg.store import StoreFolder
from kg.tokens import Bearer, Tokens
from server.store_commands import DUMP_FORMATS
from tests.conftest import SAMPLE
from tests.server.calling import call, copy_store
from tests.server.test_command import whosays
from tests.server.test_door_commands import NEW


@pytest.fixture
def store(tmp_path: Path, sample_settings: Settings) -> Path:
    return copy_store(sample_settings.store, tmp_path / "store")


def quads_of(store: Path, graph: str | None = None) -> set[ox.Quad]:
    with StoreFolder(store).snapshot() as snapshot:
        return set(snapshot.store.quads_for_pattern(None, None, None, ox.NamedNode(graph) if graph else None))


def parse(text: str | bytes, form: ox.RdfFormat) -> set[ox.Quad]:
    return set(ox.parse(text.encode() if isinstance(text, str) else text, format=form))


def test_the_secret_of_a_token_is_seen_once(store: Path) -> None:
    made = call("tokens", "make", "jane-doe", "--role", "curator", "--store", store)
    secret = made.stdout.strip()
    assert made.stdout == f"{secret}\n"
    assert "only now" in made.stderr
    assert secret not in made.stderr
    tokens = Tokens(store / "tokens.sqlite")
    assert tokens.check(secret) == Bearer("jane-doe", "curator")
    said = [
        call("tokens", "list", "--store", store),
        call("tokens", "list", "--store", store, "--format", "json"),
        call("tokens", "make", secret, "--role", "curator", "--store", store, status=2),
        call("publish", "-", "--by", secret, "--store", store, stdin=NEW, status=2),
        call("tokens", "revoke", secret, "--store", store),
        call("tokens", "revoke", secret[:-1], "--store", store, status=2),
        call("history", "--store", store),
    ]
    random = secret.split("_", 2)[2]
    assert not any(random in done.stdout + done.stderr for done in said)
    assert not any(random.encode() in path.read_bytes() for path in store.rglob("*") if path.is_file())
    assert tokens.check(secret) is None


def test_tokens_are_listed_and_revoked(store: Path) -> None:
    call("tokens", "make", "anna", "--role", "contributor", "--days", 3, "--store", store)
    call("tokens", "make", "anna", "--role", "curator", "--store", store)
    call("tokens", "make", "ben", "--role", "contributor", "--store", store)

    def listed() -> list[dict[str, str | None]]:
        found = json.loads(call("tokens", "list", "--store", store, "--format", "json").stdout)
        assert isinstance(found, list)
        return found

    first, second, third = listed()
    assert [t["name"] for t in (first, second, third)] == ["anna", "anna", "ben"]
    assert {t["role"] for t in (first, second)} == {"contributor", "curator"}
    assert sorted(bool(t["expires"]) for t in (first, second)) == [False, True]
    assert "1 row" in call("tokens", "revoke", first["id"], "--store", store).stdout
    assert [bool(t["revoked"]) for t in listed()] == [True, False, False]
    assert "2 rows" in call("tokens", "revoke", "anna", "--store", store).stdout
    assert [bool(t["revoked"]) for t in listed()] == [True, True, False]
    assert "jane" not in call("tokens", "list", "--store", store).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["make", "anna"], "--role"),
        (["make", "anna", "--role", "owner"], "not one of"),
        (["make", "Anna A", "--role", "curator"], "agent's name"),
        (["make", "anna", "--role", "curator", "--days", 0], "0 days"),
        (["revoke", "nobody"], "no token"),
    ],
)
def test_tokens_that_cannot_be_are_told(store: Path, arguments: list[object], words: str) -> None:
    assert words in call("tokens", *arguments, "--store", store, status=2).stderr
    assert not (store / "tokens.sqlite").exists()


def test_no_token_is_made_for_a_store_that_is_not_there(tmp_path: Path) -> None:
    done = call("tokens", "make", "anna", "--role", "curator", "--store", tmp_path / "none", status=2)
    assert "whosays build" in done.stderr
    assert not (tmp_path / "none").exists()


def test_a_backup_is_restored_as_it_was(store: Path, tmp_path: Path) -> None:
    call("publish", "-", "--store", store, "--texts", SAMPLE / "texts", stdin=NEW)
    secret = call("tokens", "make", "anna", "--role", "curator", "--store", store).stdout.strip()
    target, other = tmp_path / "backup.tar", tmp_path / "other"
    count = f"{len(quads_of(store)):,} quads"
    assert count in call("backup", target, "--store", store).stdout
    assert target.stat().st_mode & 0o077 == 0
    assert count in call("restore", target, "--store", other).stdout
    assert quads_of(other) == quads_of(store)
    histories = [call("history", "--store", path, "--format", "json").stdout for path in (store, other)]
    assert histories[0] == histories[1]
    assert Tokens(other / "tokens.sqlite").check(secret) == Bearer("anna", "curator")
    call("undo", 2, "--store", other)  # a restored store can be written
    before = quads_of(other)
    assert "already" in call("restore", target, "--store", other, status=1).stderr
    assert quads_of(other) == before


def test_what_is_no_backup_is_not_restored(store: Path, tmp_path: Path) -> None:
    target, other = tmp_path / "backup.tar", tmp_path / "other"
    call("backup", target, "--store", store)
    target.write_bytes(target.read_bytes()[:100_000])
    assert "mend:" in call("restore", target, "--store", other, status=2).stderr
    assert "mend:" in call("restore", tmp_path / "nothing", "--store", other, status=2).stderr
    assert "mend:" in call("backup", tmp_path / "no" / "folder", "--store", store, status=2).stderr
    assert "is no file" in call("backup", "/dev/null", "--store", store, status=2).stderr
    assert "whosays build" in call("backup", tmp_path / "b.tar", "--store", other, status=2).stderr
    assert not (other / "current").exists()


@pytest.mark.parametrize("form", DUMP_FORMATS)
def test_the_graph_is_dumped_in_every_format(store: Path, tmp_path: Path, form: str) -> None:
    syntax, quads = DUMP_FORMATS[form], quads_of(store)
    if form not in ("nquads", "trig"):
        quads = {ox.Quad(q.subject, q.predicate, q.object) for q in quads}
    assert parse(call("dump", "--store", store, "--format", form).stdout, syntax) == quads
    path = tmp_path / f"dump.{syntax.file_extension}"
    path.write_text("what was there", "utf-8")
    assert f"wrote {path}" in call("dump", "--store", store, "--output", path).stdout
    assert parse(path.read_bytes(), syntax) == quads
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_one_named_graph_is_dumped(store: Path) -> None:
    for name in ("register", "graph:register", REGISTER_GRAPH):
        dumped = parse(call("dump", "--store", store, "--graph", name).stdout, ox.RdfFormat.N_QUADS)
        assert dumped == quads_of(store, REGISTER_GRAPH)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--graph", "atlantis"], "no graph"),
        (["--output", "/nowhere/dump.nq"], "/nowhere/dump.nq cannot be written"),
        (["--output", "dump.csv"], "`.csv` tells no format"),
        (["--format", "csv"], "not one of"),
    ],
)
def test_what_cannot_be_dumped_is_told(store: Path, arguments: list[object], words: str) -> None:
    assert words in call("dump", "--store", store, *arguments, status=2).stderr


def test_a_device_is_written_to_and_not_replaced(store: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.nq"
    kept.write_text("", "utf-8")
    link = tmp_path / "link.nq"
    link.symlink_to(kept)
    call("dump", "--store", store, "--output", link)
    assert link.is_symlink()
    assert parse(kept.read_bytes(), ox.RdfFormat.N_QUADS) == quads_of(store)


def test_the_same_seed_generates_the_same_corpus(tmp_path: Path) -> None:
    path, other = tmp_path / "corpus.nq", tmp_path / "store"
    asked = ["generate", "--quads", 3000, "--seed", 7]
    text = call(*asked).stdout
    assert len(text.splitlines()) == 3000
    assert "3,000 quads" in call(*asked, "--output", path).stdout
    assert path.read_text("utf-8") == text
    assert "snapshot 000001" in whosays(*asked, "--store", other).stdout
    assert parse(text, ox.RdfFormat.N_QUADS) < quads_of(other)
    assert call("generate", "--quads", 3000, "--seed", 8).stdout != text
    assert "there is a graph" in whosays(*asked, "--store", other, status=1).stderr
    assert "too small" in call("generate", "--quads", 30, "--seed", 7, "--output", path, status=2).stderr
    assert path.read_text("utf-8") == text
    assert "not both" in call(*asked, "--store", other, "--output", path, status=2).stderr
    assert "cannot be written" in call(*asked, "--output", tmp_path / "no" / "corpus.nq", status=2).stderr
