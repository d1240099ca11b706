"""Installed from the wheel in an empty environment, in another folder: build, ask, serve."""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from server.bench import free_port
from server.islands.build import BUILT
from tests.conftest import REPOSITORY, SAMPLE
from tests.pace import PATIENCE, wait_for

pytestmark = pytest.mark.slow


def run(*command: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("WHOSAYS_", "PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False, env=clean | environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed from a wheel into an environment that shares only the locked dependencies."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", cwd=REPOSITORY)
    run(sys.executable, "-m", "venv", folder / "env", cwd=folder)
    python = folder / "env" / "bin" / "python"
    [wheel] = (folder / "dist").glob("*.whl")
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", wheel, cwd=folder)
    [site] = (folder / "env").glob("lib/python*/site-packages")
    dependencies = Path(next(p for p in sys.path if p.endswith("site-packages")))
    (site / "dependencies.pth").write_text(f"{dependencies}\n", "utf-8")
    return folder / "env" / "bin" / "whosays"


def test_the_wheel_ships_every_room_but_the_tests(installed: Path) -> None:
    [site] = installed.parent.parent.glob("lib/python*/site-packages")
    assert {"ontology", "kg", "loaders", "shapes", "server"} <= {p.name for p in site.iterdir()}
    assert not (site / "tests").exists()
    assert list((site / "kg" / "records").glob("register/*.yaml"))
    assert not list(site.glob("kg/records/**/*.txt"))
    built = {path.name for path in BUILT.glob("*.js")}  # none where Node could not be had
    assert {path.name for path in (site / "server" / "static" / "built").glob("*.js")} == built
    assert not (site / "server" / "islands" / "node_modules").exists()


def test_it_builds_answers_and_serves_in_another_folder(installed: Path, tmp_path: Path) -> None:
    run(installed, "build", "--records", SAMPLE / "records", "--texts", SAMPLE / "texts", cwd=tmp_path)
    asked = run(installed, "query", "who-asserts-what", "--about", "ruritania", "--format", "csv", cwd=tmp_path)
    rows = list(csv.DictReader(io.StringIO(asked.stdout)))
    assert rows
    assert not any(row["quote"] for row in rows)  # no texts here
    port = free_port()
    server = subprocess.Popen(
        [installed, "serve", "--port", str(port)], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        assert f"http://127.0.0.1:{port}" in server.stdout.readline()
        asked = {"query": "ASK { ?s ?p ?o }"}
        wait_for(lambda: httpx.get(f"http://127.0.0.1:{port}/sparql", params=asked).json()["boolean"])
    finally:
        server.terminate()
        server.communicate(timeout=PATIENCE)
