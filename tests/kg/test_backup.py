"""Backup, restore and dump: what comes back is what was there, and what was damaged does not come back."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.backup import BESIDE, backup, dataset_digest, dump, restore
from kg.errors import ConflictError, NotFoundError, ParameterError, WhosaysError
from kg.names import CAUSAL
from kg.query_folders import changing, load_queries, remove_query, save_query
from kg.store import Snapshot, StoreFolder

FEW = settings(max_examples=20)
NODES = st.sampled_from([ox.NamedNode(f"https://example.org/{name}") for name in ("a", "b", "c/d", "é", "f-1")])
TERMS = st.sampled_from([ox.NamedNode(f"https://example.org/terms#{name}") for name in ("knows", "says")])
GRAPHS = st.sampled_from(
    [ox.NamedNode(f"https://example.org/graph/{n}") for n in (1, 2)] + [ox.NamedNode(CAUSAL + "a")]
)
# RDF/XML cannot hold control characters
TEXTS = st.text(st.characters(codec="utf-8", min_codepoint=32, exclude_categories=["Cc", "Cs", "Cn"]), max_size=8)
LITERALS = (
    TEXTS.map(ox.Literal)
    | st.builds(lambda text: ox.Literal(text, language="en"), TEXTS)
    | st.builds(lambda text: ox.Literal(text, datatype=ox.NamedNode("https://example.org/kind")), TEXTS)
)
QUADS = st.frozensets(st.builds(ox.Quad, NODES, TERMS, NODES | LITERALS, GRAPHS), min_size=1, max_size=12)
GRAPH = ox.NamedNode("https://example.org/graph/1")
QUERY = "# Who votes?\n# All who do, é included.\nSELECT ?who WHERE { ?who ?how ?what }\n"


def quad(name: str) -> ox.Quad:
    return ox.Quad(
        ox.NamedNode("https://example.org/a"), ox.NamedNode("https://example.org/says"), ox.Literal(name), GRAPH
    )


@contextlib.contextmanager
def made(*quads: ox.Quad) -> Iterator[StoreFolder]:
    with tempfile.TemporaryDirectory() as path:
        folder = StoreFolder(Path(path) / "store")
        with folder.writer() as writer:
            writer.commit(added=quads, removed=[])
        yield folder


@pytest.fixture
def folder() -> Iterator[StoreFolder]:
    with made(quad("one"), quad("two")) as folder:
        for name in BESIDE:
            with contextlib.closing(sqlite3.connect(folder.path / name, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("CREATE TABLE word (form TEXT)")
                connection.execute("INSERT INTO word VALUES (?)", (name,))
        save(folder, "who-votes", QUERY)
        yield folder


def save(folder: StoreFolder, name: str, text: str) -> None:
    with changing(folder.path / "queries"):
        save_query(folder.path / "queries", name, text)


def held(folder: StoreFolder) -> set[ox.Quad]:
    with folder.snapshot() as snapshot:
        return set(snapshot.store)


def words(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT form FROM word")]


# Back and forth.


@FEW
@given(QUADS)
def test_what_is_restored_equals_what_was_saved(quads: frozenset[ox.Quad]) -> None:
    with made(*quads) as folder, tempfile.TemporaryDirectory() as path:
        saved = backup(folder, Path(path) / "a.tar")
        other = StoreFolder(Path(path) / "other")
        assert restore(Path(path) / "a.tar", other) == saved
        assert held(other) == quads
        assert other.current_name() == folder.current_name() == saved.snapshot
        assert (saved.quads, saved.dataset) == (len(quads), dataset_digest(quads))


def test_a_restored_store_can_be_written_and_goes_on_counting(folder: StoreFolder, tmp_path: Path) -> None:
    with folder.writer() as writer:
        writer.commit(added=[quad("three")], removed=[quad("one")])
    backup(folder, tmp_path / "a.tar")
    other = StoreFolder(tmp_path / "other")
    restore(tmp_path / "a.tar", other)
    with other.writer() as writer:
        assert writer.commit(added=[quad("four")], removed=[quad("two")]) == "000003"
    assert held(other) == {quad("three"), quad("four")}
    assert held(folder) == {quad("two"), quad("three")}


def test_what_is_kept_beside_the_graph_comes_along(folder: StoreFolder, tmp_path: Path) -> None:
    saved = backup(folder, tmp_path / "a.tar")
    other = StoreFolder(tmp_path / "other")
    restore(tmp_path / "a.tar", other)
    for name in BESIDE:
        assert words(other.path / name) == [name]
        assert (other.path / name).stat().st_mode & 0o777 == 0o600
        assert name in saved.files


def test_queries_that_users_have_saved_come_along_and_can_be_changed_there(folder: StoreFolder, tmp_path: Path) -> None:
    saved = backup(folder, tmp_path / "a.tar")
    other = StoreFolder(tmp_path / "other")
    restore(tmp_path / "a.tar", other)
    assert "queries/who-votes.rq" in saved.files
    restored = other.path / "queries" / "who-votes.rq"
    assert restored.read_text("utf-8") == QUERY
    assert restored.stat().st_mode & 0o777 == 0o644
    assert not load_queries(other.path / "queries")["who-votes"].brought
    save(other, "who-votes", QUERY + "LIMIT 1")
    remove_query(other.path / "queries", "who-votes")


def test_what_can_be_no_query_is_not_kept_and_does_no_harm(folder: StoreFolder, tmp_path: Path) -> None:
    queries = folder.path / "queries"
    (queries / "Capital.rq").write_text(QUERY)
    (queries / "large.rq").write_text("#" * 200_000)
    (queries / "notes.txt").write_text("mine")
    (queries / "folder.rq").mkdir()
    (queries / "gone.rq").symlink_to("nowhere")
    saved = backup(folder, tmp_path / "a.tar")
    assert [name for name in saved.files if name.startswith("queries/")] == ["queries/who-votes.rq"]
    restore(tmp_path / "a.tar", StoreFolder(tmp_path / "other"))
    assert [path.name for path in (tmp_path / "other" / "queries").iterdir()] == ["who-votes.rq"]


def test_a_store_without_queries_gets_no_folder_for_them(tmp_path: Path) -> None:
    with made(quad("one")) as folder:
        backup(folder, tmp_path / "a.tar")
    restore(tmp_path / "a.tar", StoreFolder(tmp_path / "other"))
    assert not (tmp_path / "other" / "queries").exists()


def test_a_backup_can_be_read_by_its_owner_only_and_leaves_nothing_beside_it(
    folder: StoreFolder, tmp_path: Path
) -> None:
    target = tmp_path / "a.tar"
    target.write_text("an older one")
    backup(folder, target)
    backup(folder, target)
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [target]
    with tarfile.open(target) as tar:
        assert tar.getnames()[0] == "manifest.json"


def test_a_backup_is_of_one_state_while_another_writes(folder: StoreFolder, tmp_path: Path) -> None:
    with folder.writer() as writer, contextlib.closing(sqlite3.connect(folder.path / BESIDE[0])) as history:
        history.execute("INSERT INTO word VALUES ('not committed')")
        for number in range(5):
            before = held(folder)
            with folder.snapshot() as snapshot:
                writer.commit(added=[quad(f"during {number}")], removed=[])
                assert set(snapshot.store) == before
            saved = backup(folder, tmp_path / f"{number}.tar")
            writer.commit(added=[quad(f"after {number}")], removed=[])
            other = StoreFolder(tmp_path / f"store-{number}")
            assert restore(tmp_path / f"{number}.tar", other) == saved
            assert held(other) == before | {quad(f"during {number}")}
            assert words(other.path / BESIDE[0]) == [BESIDE[0]]


def test_the_order_of_quads_does_not_alter_the_digest_and_each_quad_does() -> None:
    one, two = quad("one"), quad("two")
    assert dataset_digest([one, two]) == dataset_digest([two, one])
    assert len({dataset_digest(quads) for quads in ([], [one], [two], [one, two], [one, one])}) == 5


# What is refused.


def test_nothing_published_is_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="whosays build"):
        backup(StoreFolder(tmp_path / "store"), tmp_path / "a.tar")


def test_a_backup_that_cannot_be_written_says_so(folder: StoreFolder, tmp_path: Path) -> None:
    with pytest.raises(WhosaysError, match="check the path"):
        backup(folder, tmp_path / "nowhere" / "a.tar")


def test_a_store_that_holds_a_graph_is_not_overwritten(folder: StoreFolder, tmp_path: Path) -> None:
    backup(folder, tmp_path / "a.tar")
    with made(quad("other")) as other:
        with pytest.raises(ConflictError, match="not there yet"):
            restore(tmp_path / "a.tar", other)
        assert held(other) == {quad("other")}


@pytest.mark.parametrize("name", BESIDE)
def test_tokens_and_proposals_are_not_overwritten(folder: StoreFolder, tmp_path: Path, name: str) -> None:
    backup(folder, tmp_path / "a.tar")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / name).write_text("somebody's")
    with pytest.raises(ConflictError, match=name):
        restore(tmp_path / "a.tar", StoreFolder(tmp_path / "other"))
    assert (tmp_path / "other" / name).read_text() == "somebody's"


def test_queries_are_not_overwritten(folder: StoreFolder, tmp_path: Path) -> None:
    backup(folder, tmp_path / "a.tar")
    other = StoreFolder(tmp_path / "other")
    save(other, "mine", QUERY)
    with pytest.raises(ConflictError, match=r"queries/mine\.rq"):
        restore(tmp_path / "a.tar", other)
    remove_query(other.path / "queries", "mine")  # an empty folder, with its lock, is in nobody's way
    restore(tmp_path / "a.tar", other)
    assert "who-votes" in load_queries(other.path / "queries")


def rewritten(change: Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]) -> Callable[[bytes], bytes]:
    def rewrite(content: bytes) -> bytes:
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            members = [(member, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]
        change(members)
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:") as tar:
            for member, data in members:
                member.size = len(data) if member.isreg() else 0
                tar.addfile(member, io.BytesIO(data))
        return out.getvalue()

    return rewrite


def in_manifest(change: Callable[[dict[str, object]], object]) -> Callable[[bytes], bytes]:
    def edit(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        table = json.loads(members[0][1])
        change(table)
        members[0] = members[0][0], json.dumps(table).encode()

    return rewritten(edit)


def renamed(name: str, *, listed: bool) -> Callable[[bytes], bytes]:
    def edit(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        old, members[-1][0].name = members[-1][0].name, name
        if listed:
            table = json.loads(members[0][1])
            table["files"][name] = table["files"].pop(old)
            members[0] = members[0][0], json.dumps(table).encode()

    return rewritten(edit)


def linked(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    members[-1][0].type, members[-1][0].linkname = tarfile.SYMTYPE, "/etc/passwd"


def altered(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    member, data = members[1]
    members[1] = member, bytes([data[0] ^ 1]) + data[1:] if data else b"x"


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "nothing at all": lambda _: b"",
    "another file": lambda _: b"<html>not found</html>" * 100,
    "another tar": rewritten(lambda members: members.pop(0)),  # type: ignore[arg-type]
    "cut in a header": lambda content: content[:700],
    "cut in a file": lambda content: content[: len(content) // 2],
    "cut at the end": lambda content: content[: content.rfind(b"tokens.sqlite")],
    "one bit turned": rewritten(altered),
    "a file left out": rewritten(lambda members: members.pop()),  # type: ignore[arg-type]
    "a file twice": rewritten(lambda members: members.append(members[-1])),
    "a path upwards": renamed("../evil", listed=False),
    "a path upwards, listed": renamed("store/../../evil", listed=True),
    "an absolute path, listed": renamed("/tmp/evil", listed=True),
    "a path upwards among the queries, listed": renamed("queries/../../evil.rq", listed=True),
    "a hidden query, listed": renamed("queries/.evil.rq", listed=True),
    "what is no query among the queries, listed": renamed("queries/evil.py", listed=True),
    "a hidden file, listed": renamed("store/.evil", listed=True),
    "a link": rewritten(linked),
    "another number of quads": in_manifest(lambda table: table.update(quads=3)),
    "another dataset digest": in_manifest(lambda table: table.update(dataset="0" * 64)),
    "another format": in_manifest(lambda table: table.update(format=2)),
    "a snapshot with a path": in_manifest(lambda table: table.update(snapshot="../../x")),
    "a key too many": in_manifest(lambda table: table.update(more=1)),
    "a key too few": in_manifest(lambda table: table.pop("dataset")),
    "a list for the files": in_manifest(lambda table: table.update(files=["store/CURRENT"])),
    "a manifest of another kind": rewritten(lambda members: members.__setitem__(0, (members[0][0], b"[]"))),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_backup_is_refused_and_leaves_nothing_behind(
    folder: StoreFolder, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    backup(folder, tmp_path / "a.tar")
    content = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(damage(content))
    with pytest.raises(WhosaysError, match="mend:"):
        restore(tmp_path / "a.tar", StoreFolder(tmp_path / "inner" / "other"))
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.tar", "inner"]


def test_files_of_another_database_are_refused_though_their_checksums_agree(tmp_path: Path) -> None:
    with made(quad("one")) as folder, made(quad("two")) as other:
        first, second = backup(folder, tmp_path / "a.tar"), backup(other, tmp_path / "b.tar")
    forge = in_manifest(lambda table: table.update(dataclasses.asdict(second), dataset=first.dataset))
    (tmp_path / "c.tar").write_bytes(forge((tmp_path / "b.tar").read_bytes()))
    with pytest.raises(WhosaysError, match="quads that are not the 1 that were saved"):
        restore(tmp_path / "c.tar", StoreFolder(tmp_path / "third"))


def test_a_backup_that_is_not_there_is_not_restored(tmp_path: Path) -> None:
    with pytest.raises(WhosaysError, match="No such file"):
        restore(tmp_path / "a.tar", StoreFolder(tmp_path / "other"))
    assert not list(tmp_path.iterdir())


# Dumps.


@FEW
@given(QUADS, st.sampled_from([ox.RdfFormat.N_QUADS, ox.RdfFormat.TRIG]))
def test_a_dump_of_the_dataset_is_the_dataset(quads: frozenset[ox.Quad], form: ox.RdfFormat) -> None:
    store, out = ox.Store(), io.BytesIO()
    store.extend(quads)
    dump(Snapshot(store, "000001"), out, form)
    assert set(ox.parse(out.getvalue(), format=form)) == quads


@FEW
@given(
    QUADS,
    st.sampled_from([ox.RdfFormat.N_TRIPLES, ox.RdfFormat.TURTLE, ox.RdfFormat.RDF_XML, ox.RdfFormat.JSON_LD]),
    st.booleans(),
)
def test_a_dump_of_the_union_or_of_a_graph_holds_each_triple_once(
    quads: frozenset[ox.Quad], form: ox.RdfFormat, whole: bool
) -> None:
    store, out = ox.Store(), io.BytesIO()
    store.extend(quads)
    graph = min(str(q.graph_name)[1:-1] for q in quads)
    dump(Snapshot(store, "000001"), out, form, graph=None if whole else graph)
    triples = [q.triple for q in ox.parse(out.getvalue(), format=form)]
    assert set(triples) == {q.triple for q in quads if whole or q.graph_name == ox.NamedNode(graph)}
    assert len(triples) == len(set(triples))


def test_a_graph_that_is_not_there_and_a_format_that_is_not_ours_are_refused() -> None:
    snapshot = Snapshot(ox.Store(), "000001")
    with pytest.raises(NotFoundError, match="there is no graph"):
        dump(snapshot, io.BytesIO(), ox.RdfFormat.N_QUADS, graph="https://example.org/graph/9")
    with pytest.raises(ParameterError, match="use one of: JSON-LD, N-Quads"):
        dump(snapshot, io.BytesIO(), ox.RdfFormat.N3)
