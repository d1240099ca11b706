"""The keeper: the newest snapshot is opened once, and an older one stays whole for whoever still reads it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.errors import NotFoundError
from kg.keeper import Keeper
from kg.store import StoreFolder
from tests.pace import wait_for, within


def quad(number: int) -> ox.Quad:
    node = ox.NamedNode(f"https://example.org/{number}")
    return ox.Quad(node, node, node, ox.NamedNode("https://example.org/graph"))


@pytest.fixture
def folder(tmp_path: Path) -> StoreFolder:
    folder = StoreFolder(tmp_path / "store")
    with folder.writer() as writer:
        writer.commit(added=[quad(0)], removed=[])
    return folder


def test_a_snapshot_is_opened_once_until_there_is_a_newer_one(folder: StoreFolder) -> None:
    keeper = Keeper(folder)
    with keeper.snapshot() as first, keeper.snapshot() as again:
        assert first is again
    with folder.writer() as writer:
        writer.commit(added=[quad(1)], removed=[])
    with keeper.snapshot() as newer:
        assert set(newer.store) == {quad(0), quad(1)}


def test_who_reads_an_older_snapshot_keeps_it_whole(folder: StoreFolder) -> None:
    keeper = Keeper(folder)
    with keeper.snapshot() as first, folder.writer() as writer:
        for number in range(1, 4):
            writer.commit(added=[quad(number)], removed=[])
            with keeper.snapshot() as newer:
                assert len(newer.store) == number + 1
        assert set(first.store) == {quad(0)}


def test_many_threads_open_one_snapshot(folder: StoreFolder) -> None:
    keeper = Keeper(folder)

    def name(_: int) -> int:
        with keeper.snapshot() as snapshot:
            return id(snapshot)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(name, range(40)))) == 1


def test_nothing_published_is_told_and_found_later(tmp_path: Path) -> None:
    folder = StoreFolder(tmp_path / "empty")
    keeper = Keeper(folder)
    with pytest.raises(NotFoundError, match="whosays build"), keeper.snapshot():
        pass
    with folder.writer() as writer:
        writer.commit(added=[quad(0)], removed=[])
    with keeper.snapshot() as snapshot:
        assert len(snapshot.store) == 1


def test_a_newer_snapshot_is_opened_before_anybody_asks(folder: StoreFolder) -> None:
    keeper = Keeper(folder, ahead=0.01)
    with folder.writer() as writer:
        name = writer.commit(added=[quad(1)], removed=[])
    assert within(wait_for(lambda: name in keeper._open, step=0.01), 20)
    with keeper.snapshot() as snapshot:
        assert snapshot.name == name
