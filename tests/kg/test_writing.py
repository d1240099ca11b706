"""The writer: a process that keeps the store open, may die at any moment, and leaves nothing by halves."""

import contextlib
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Client
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg import drafts
from kg.change import is_asserted
from kg.errors import StaleError, WhosaysError
from kg.names import ID
from kg.publisher import Plan, history, make_plan, publish
from kg.settings import Settings
from kg.store import StoreFolder
from kg.writing import SOCKET, commit
from tests.additions import addition, iri, quads_of
from tests.conftest import REPOSITORY
from tests.pace import wait_for

ANNA = ID + "anna"


@pytest.fixture
def folder(tmp_path: Path, sample_settings: Settings) -> StoreFolder:
    """A copy of the sample's published store."""
    shutil.copytree(sample_settings.store, tmp_path / "store", symlinks=True)
    return StoreFolder(tmp_path / "store")


class Writers:
    """Writers of one store, started anew when one dies, as the service does."""

    def __init__(self, folder: StoreFolder, start: str = "kg.writing.run_writer(folder)") -> None:
        self.folder = folder
        self.start_with = start
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        code = f"import sys, kg.writing; from kg.store import StoreFolder; from pathlib import Path\n\
folder = StoreFolder(Path(sys.argv[1])); {self.start_with}"
        self.process = subprocess.Popen([sys.executable, "-c", code, str(self.folder.path)], cwd=REPOSITORY)
        self.wait_until_it_listens()
        return self.process

    def wait_until_it_listens(self) -> None:
        def listens() -> bool:
            assert self.process.poll() is None, "the writer ended while it was starting"
            with near(self.folder) as address, Client(address, "AF_UNIX") as connection:
                connection.recv()
            return True

        wait_for(listens)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


@contextlib.contextmanager
def near(folder: StoreFolder) -> Iterator[str]:
    descriptor = os.open(folder.path, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)


@pytest.fixture
def writers(folder: StoreFolder) -> Iterator[Writers]:
    writers = Writers(folder)
    yield writers
    if writers.process.poll() is None:
        writers.end(signal.SIGKILL)


def plan(folder: StoreFolder, key: str) -> Plan:
    with folder.snapshot() as snapshot:
        return make_plan(folder, snapshot, drafts.add(snapshot.store, quads_of(addition(key)), agent=ANNA))


def said(folder: StoreFolder) -> set[str]:
    """The keys of what was added to the sample."""
    with folder.snapshot() as snapshot:
        subjects = {q.subject.value for q in snapshot.store if isinstance(q.subject, ox.NamedNode)}
    return {s.removeprefix(ID + "view-") for s in subjects if s.startswith(ID + "view-")}


def told(folder: StoreFolder) -> list[int]:
    return [entry.number for entry in history(folder).entries(limit=10_000)][::-1]


def in_step(folder: StoreFolder) -> None:
    """The history tells of the published state, of no more and no less."""
    assert told(folder) == list(range(1, int(folder.current_name() or 0) + 1))
    replayed = ox.Store()
    for number in told(folder):
        change = history(folder).change(number)
        for quad in change.removed:
            replayed.remove(quad)
        replayed.extend(change.added)
    with folder.snapshot() as snapshot:
        assert {q for q in snapshot.store if is_asserted(q.graph_name)} == set(replayed)


@pytest.mark.usefixtures("writers")
def test_plans_are_committed_through_the_one_who_has_the_store_open(folder: StoreFolder) -> None:
    with pytest.raises(WhosaysError, match="another process is writing"), folder.writer():
        pass
    assert commit(folder, plan(folder, "a")) == "000002"
    assert commit(folder, plan(folder, "b")) == "000003"
    assert said(folder) == {"a", "b"}
    in_step(folder)


def test_where_nobody_listens_the_store_is_opened_on_the_spot(folder: StoreFolder) -> None:
    assert commit(folder, plan(folder, "a")) == "000002"
    (folder.path / SOCKET).touch()  # of a writer that died
    assert commit(folder, plan(folder, "b")) == "000003"
    in_step(folder)


@pytest.mark.usefixtures("writers")
def test_the_writer_refuses_a_plan_on_an_older_state(folder: StoreFolder) -> None:
    first, second = plan(folder, "a"), plan(folder, "b")
    commit(folder, first)
    with pytest.raises(StaleError, match="planned on snapshot 000001"):
        commit(folder, second)
    assert said(folder) == {"a"}
    in_step(folder)


@pytest.mark.usefixtures("writers")
def test_only_the_owner_may_speak_to_the_writer(folder: StoreFolder) -> None:
    assert (folder.path / SOCKET).stat().st_mode & 0o777 == 0o600


def test_nonsense_does_not_stop_the_writer(folder: StoreFolder, writers: Writers) -> None:
    for sent in (b"", b"\x00\x00\x00\x04abcd", b"\xff" * 40, pickle.dumps("no plan")):
        with near(folder) as address, socket.socket(socket.AF_UNIX) as plug:
            plug.connect(address)
            plug.sendall(sent)
    with near(folder) as address, Client(address, "AF_UNIX") as connection:
        connection.recv()
        connection.send("no plan")
        assert isinstance(connection.recv(), WhosaysError)
    assert commit(folder, plan(folder, "a")) == "000002"
    assert writers.process.poll() is None


def test_a_store_with_a_long_path_has_a_writer_too(tmp_path: Path, sample_settings: Settings) -> None:
    path = tmp_path / ("long-" * 20) / ("longer-" * 20) / "store"
    shutil.copytree(sample_settings.store, path, symlinks=True)
    writers = Writers(StoreFolder(path))
    try:
        assert commit(writers.folder, plan(writers.folder, "a")) == "000002"
        assert writers.end(signal.SIGTERM) == 0
    finally:
        writers.process.kill()


def test_the_writer_ends_when_told_to_and_lets_go_of_the_store(folder: StoreFolder, writers: Writers) -> None:
    commit(folder, plan(folder, "a"))
    assert writers.end(signal.SIGTERM) == 0
    assert commit(folder, plan(folder, "b")) == "000003"


def test_the_writer_ends_with_whoever_started_it(folder: StoreFolder) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "kg.writing", str(folder.path)], cwd=REPOSITORY, stdin=subprocess.PIPE
    )
    assert process.stdin is not None
    wait_for((folder.path / SOCKET).exists)
    process.stdin.close()
    assert process.wait(timeout=60) == 0


def publish_many(folder: StoreFolder, keys: list[str], published: list[str], failed: list[str]) -> None:
    for key in keys:
        try:
            publish(folder, lambda key=key: plan(folder, key), commit)  # type: ignore[misc]
            published.append(key)
        except WhosaysError:
            failed.append(key)


def test_opening_the_database_anew_loses_no_plan(folder: StoreFolder) -> None:
    """The writer hung up on whoever came while it closed the database."""
    writers = Writers(folder, "kg.writing.REOPEN = 2; kg.writing.run_writer(folder)")
    published: list[str] = []
    failed: list[str] = []
    try:
        crowd = [
            threading.Thread(target=publish_many, args=(folder, [f"{name}{n}" for n in range(6)], published, failed))
            for name in "abc"
        ]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join(timeout=240)
        assert (failed, len(published)) == ([], 18)
        assert said(folder) == set(published)
        in_step(folder)
    finally:
        writers.process.kill()
        writers.process.wait()


@pytest.mark.slow
def test_who_sent_a_plan_to_a_writer_that_is_killed_learns_whether_it_is_in(
    folder: StoreFolder, writers: Writers
) -> None:
    published: list[str] = []
    failed: list[str] = []
    keys = [f"k{n}" for n in range(40)]
    crowd = threading.Thread(target=publish_many, args=(folder, keys, published, failed))
    crowd.start()
    pause = 0.05
    kills = 0
    while crowd.is_alive():
        time.sleep(pause)
        pause = 0.05 + (pause * 7) % 0.3
        sure = set(published)
        assert sure <= said(folder)  # what was answered is served, also while the writer dies
        writers.end(signal.SIGKILL)
        kills += 1
        with contextlib.suppress(AssertionError):  # somebody else has opened the store, and will let go
            writers.start()
    crowd.join()
    assert kills >= 3
    if writers.process.poll() is None:
        writers.end(signal.SIGTERM)
    publish(folder, lambda: plan(folder, "last"))
    assert said(folder) == {*published, "last"}
    in_step(folder)
    for key in said(folder):
        with folder.snapshot() as snapshot:
            assert {q for q in snapshot.store if q.subject == iri(f"reply-from-borduria/{key}")} >= {
                q for q in quads_of(addition(key)) if q.subject == iri(f"reply-from-borduria/{key}")
            }
    assert len(published) + len(failed) == len(keys)
    assert len(published) >= 10
    assert not list(folder.path.glob("copy*"))
