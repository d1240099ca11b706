"""Fixtures: the sample graph, built once a worker from the sample records and texts."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

import httpx
import hypothesis
import pytest

from kg.build import build
from kg.names import ID
from kg.settings import Settings
from kg.store import Snapshot, StoreFolder
from kg.units import ontology_unit
from loaders.corpus import make_units, read_folder
from server.bench import free_port
from tests.pace import PATIENCE, wait_for

# Machines wander; the run has a limit of its own.
hypothesis.settings.register_profile("whosays", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("whosays")
gc.set_threshold(100_000, 50, 50)  # a worker holds many graphs: to look through them often took 12 s of 174

SAMPLE = Path(str(resources.files("kg") / "sample"))
REPOSITORY = Path(__file__).parent.parent


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test that is marked `alone` wait for the others, and them for it: what it measures is then its own."""
    how = fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH
    with Path(__file__).open() as running, (REPOSITORY / "pyproject.toml").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # so that who waits to be alone is not passed by
        fcntl.flock(running, how)
        fcntl.flock(turn, fcntl.LOCK_UN)
        return (yield)


@pytest.fixture(scope="session")
def sample_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The sample graph, published."""
    settings = Settings(
        store=tmp_path_factory.mktemp("sample") / "store", records=SAMPLE / "records", texts=SAMPLE / "texts"
    )
    units = [ontology_unit(), *make_units(read_folder(settings.records))]
    build(StoreFolder(settings.store), units, agent=ID + "whosays-team")
    return settings


@pytest.fixture
def sample(sample_settings: Settings) -> Iterator[Snapshot]:
    """A snapshot of the sample graph."""
    with StoreFolder(sample_settings.store).snapshot() as snapshot:
        yield snapshot


@pytest.fixture(scope="session")
def curated(tmp_path_factory: pytest.TempPathFactory) -> StoreFolder:
    """The curated records, published: built once a run, by whichever worker needs them first."""
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "curated"
    root.mkdir(exist_ok=True)
    folder = StoreFolder(root / "store")
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.current_name() is None:
            units = [ontology_unit(), *make_units(read_folder(Settings().records))]
            build(folder, units, agent=ID + "whosays-team")
    return folder


@dataclass(frozen=True)
class RunningServer:
    """A server process of its own, and its address."""

    address: str
    process: subprocess.Popen[bytes]

    def ask(self, method: str, path: str, **options: object) -> httpx.Response:
        """Send a request on a connection of its own; without certificates, which take 40 ms to load."""
        return httpx.request(method, self.address + path, timeout=PATIENCE, verify=False, **options)  # type: ignore[arg-type]

    def get(self, path: str, **options: object) -> httpx.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, **options: object) -> httpx.Response:
        return self.ask("POST", path, **options)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)


def start_server(settings: Settings) -> RunningServer:
    port = free_port()
    command = [sys.executable, "-m", "server.command", "serve", "--port", str(port)]
    command += ["--store", str(settings.store), "--texts", str(settings.texts)]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": "."}
    )
    running = RunningServer(f"http://127.0.0.1:{port}", process)

    def answers() -> bool:
        assert process.poll() is None, "the server stopped while starting"
        return bool(running.get("/"))

    wait_for(answers)
    return running


@pytest.fixture(scope="session")
def server(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A real server on a copy of the sample graph."""
    store = tmp_path_factory.mktemp("served") / "store"
    shutil.copytree(sample_settings.store, store, symlinks=True)
    running = start_server(replace(sample_settings, store=store))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def texts_folder() -> Path:
    """The five source texts; the test is skipped where they are absent, unless they are required."""
    for folder in (os.environ.get("WHOSAYS_TEXTS", ""), str(REPOSITORY / "texts")):
        if folder and len(list(Path(folder).glob("*.txt"))) >= 5:
            return Path(folder)
    message = "the source texts are absent: set WHOSAYS_TEXTS to the folder that has them"
    if "texts" in os.environ.get("WHOSAYS_REQUIRE", ""):
        pytest.fail(message)
    pytest.skip(message)
