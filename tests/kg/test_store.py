"""The store: atomic commits, immutable snapshots, one writer."""

import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.errors import MalformedError, NotFoundError, WhosaysError
from kg.store import StoreFolder

GRAPH = ox.NamedNode("https://example.org/graph")


def quad(name: str) -> ox.Quad:
    node = ox.NamedNode(f"https://example.org/{name}")
    return ox.Quad(node, node, ox.Literal(f'{name} "quoted" \\ \n line', language="en"), GRAPH)


@pytest.fixture
def folder(tmp_path: Path) -> StoreFolder:
    return StoreFolder(tmp_path / "store")


def test_nothing_published_is_a_clear_error(folder: StoreFolder) -> None:
    with pytest.raises(NotFoundError, match="whosays build"), folder.snapshot():
        pass


def test_a_commit_is_read_back_exactly(folder: StoreFolder) -> None:
    with folder.writer() as writer:
        writer.commit(added=[quad("a"), quad("b")], removed=[])
        writer.commit(added=[quad("c")], removed=[quad("a")])
    with folder.snapshot() as snapshot:
        assert set(snapshot.store) == {quad("b"), quad("c")}


def test_a_reader_keeps_its_snapshot_while_others_commit(folder: StoreFolder) -> None:
    with folder.writer() as writer:
        writer.commit(added=[quad("a")], removed=[])
        with folder.snapshot() as before:
            for name in "bcdef":
                writer.commit(added=[quad(name)], removed=[])
            assert (folder.snapshots / before.name).is_dir()
            assert set(before.store) == {quad("a")}
        writer.commit(added=[quad("g")], removed=[])
    assert [p.name for p in folder.snapshots.iterdir() if p.is_dir()] == [folder.current_name()]


def test_a_copy_leaves_the_store_alone(folder: StoreFolder) -> None:
    with folder.writer() as writer:
        writer.commit(added=[quad("a")], removed=[])
    with folder.snapshot() as snapshot:
        with folder.copy(snapshot) as database:
            copy = ox.Store(str(database))
            copy.add(quad("b"))
            assert len(copy) == 2
            del copy
        assert set(snapshot.store) == {quad("a")}
    assert not list(folder.path.glob("copy*"))


def test_only_one_may_write(folder: StoreFolder) -> None:
    with folder.writer(), pytest.raises(WhosaysError, match="another process is writing"), folder.writer():
        pass


DIE_WHILE_WRITING = """
import os, sys
from pathlib import Path
from kg.store import StoreFolder
folder = StoreFolder(Path(sys.argv[1]))
with folder.writer() as writer, folder.copy(None):
    writer.live.update("INSERT DATA { GRAPH <ex:g> { <ex:lost> <ex:p> 1 } }")
    os._exit(9)
"""


def test_a_writer_that_dies_leaves_readers_the_last_commit(folder: StoreFolder) -> None:
    with folder.writer() as writer:
        writer.commit(added=[quad("a")], removed=[])
    died = subprocess.run([sys.executable, "-c", DIE_WHILE_WRITING, folder.path], check=False)
    assert died.returncode == 9
    assert list(folder.path.glob("copy*"))
    with folder.snapshot() as snapshot:
        assert set(snapshot.store) == {quad("a")}
    with folder.writer() as writer:
        writer.commit(added=[quad("b")], removed=[])
    with folder.copy(None):
        assert len(list(folder.path.glob("copy*"))) == 1


def test_a_query_that_does_not_parse_is_told_with_its_position(folder: StoreFolder) -> None:
    with folder.writer() as writer:
        writer.commit(added=[quad("a")], removed=[])
    with folder.snapshot() as snapshot, pytest.raises(MalformedError, match=r"1:\d+"):
        snapshot.query("SELECT * WHERE { ?s ?p }")
