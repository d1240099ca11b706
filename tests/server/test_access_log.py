"""The access log: whole lines, no secrets, and never in the way."""

import json
import os
import re
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import SettingError
from kg.tokens import Tokens
from server import access_log
from server.access_log import AccessLog, check_target, query_hash
from tests.conftest import REPOSITORY
from tests.pace import wait_for, within


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


@pytest.fixture
def log(path: Path) -> Iterator[AccessLog]:
    log = AccessLog(str(path))
    yield log
    log.close()


def add(log: AccessLog, number: int = 0, **other: object) -> None:
    entry = {
        "request": f"r{number}", "client": "192.0.2.7", "method": "GET", "path": "/sparql", "query": "ASK {}",
        "status": 200, "ms": 1.5, "rows": 1, "size": 36, "cache": "miss", "outcome": "ok",
    }  # fmt: skip
    log.add(**{**entry, **other})  # type: ignore[arg-type]


def read(path: Path) -> list[dict[str, object]]:
    text = path.read_bytes()
    assert text == b"" or text.endswith(b"\n")
    return [json.loads(line) for line in text.splitlines()]


def test_a_request_is_one_line(log: AccessLog, path: Path) -> None:
    before = datetime.now(UTC)
    add(log, ms=3.25)
    log.flush()
    (entry,) = read(path)
    moment = str(entry.pop("time"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", moment)
    assert within(abs((datetime.fromisoformat(moment) - before).total_seconds()), 5)
    assert entry == {
        "id": "r0", "client": "192.0.2.7", "method": "GET", "path": "/sparql", "query": query_hash("ASK {}"),
        "status": 200, "ms": 3.25, "rows": 1, "bytes": 36, "cache": "miss", "outcome": "ok",
    }  # fmt: skip


def test_what_there_is_none_of_is_null(log: AccessLog, path: Path) -> None:
    add(log, query=None, rows=None)
    log.flush()
    (entry,) = read(path)
    assert entry["query"] is None
    assert entry["rows"] is None


def test_lines_are_written_by_themselves_soon(log: AccessLog, path: Path) -> None:
    for number in range(3):
        add(log, number)
        waited = wait_for(lambda number=number: len(read(path)) > number)
        assert within(waited, 10)


def test_closing_writes_what_has_gathered(log: AccessLog, path: Path) -> None:
    for number in range(2500):
        add(log, number)
    log.close()
    assert [entry["id"] for entry in read(path)] == [f"r{number}" for number in range(2500)]


def test_the_query_and_tokens_are_never_in_it(log: AccessLog, path: Path, tmp_path: Path) -> None:
    secret = Tokens(tmp_path / "tokens.sqlite").make("anna", "curator", days=None)
    add(log, path=f"/queries?token={secret}&about=x", query=f"# {secret}\nASK {{}}")
    add(log, path=f"/{secret}/x", request=secret, client=secret, method=secret)
    add(log, path=f"/{'x' * 440}/{secret}")
    log.flush()
    text = path.read_text("ascii")
    assert not any(secret[start : start + 8] in text for start in range(21, 64))
    assert "about" not in text
    assert "ASK" not in text
    assert [entry["path"] for entry in read(path)][:2] == ["/queries", f"/{secret[:20]}_.../x"]


TEXTS = st.text(st.characters(exclude_categories=()), max_size=700)


@given(TEXTS, TEXTS, TEXTS, TEXTS, TEXTS | st.binary() | st.none())
def test_whatever_is_sent_becomes_one_line_that_is_read_again(
    request: str, client: str, method: str, path: str, query: str | bytes | None
) -> None:
    row = (
        1e9,
        request,
        client,
        method,
        path,
        None if query is None else query_hash(query),
        200,
        1.0,
        None,
        10**12,
        "none",
        "error",
    )
    line = access_log._line(row)  # type: ignore[arg-type]
    assert len(line) <= select.PIPE_BUF
    assert line.index(b"\n") == len(line) - 1
    assert all(32 <= byte < 127 for byte in line[:-1])
    entry = json.loads(line)
    assert path.partition("?")[0].startswith(entry["path"]) or "whosays_" in path
    assert client.startswith(entry["client"]) or "whosays_" in client


@pytest.mark.parametrize("character", ["\x00", "\x7f", "😀", "\ud800", '"'])
def test_a_line_of_the_longest_characters_is_still_whole(character: str) -> None:
    word = character * 700
    row = (1e9, word, word, word, word, None, 200, 1.0, None, 1, "none", "ok")
    line = access_log._line(row)  # type: ignore[arg-type]
    assert len(line) <= select.PIPE_BUF
    assert json.loads(line)["path"].startswith(character * 50)


WRITE = """
import sys
from threading import Thread
from server.access_log import AccessLog
log = AccessLog(sys.argv[1])
def write(thread):
    for n in range(1500):
        path = "/" + "x" * (n % 300)
        log.add(f"{sys.argv[2]}-{thread}-{n}", "192.0.2.7", "GET", path, None, 200, 1, 1, 1, "hit", "ok")
threads = [Thread(target=write, args=(t,)) for t in range(2)]
[t.start() for t in threads]
[t.join() for t in threads]
log.close()
"""


def write_from_processes(target: str, **options: object) -> list[subprocess.Popen[bytes]]:
    return [
        subprocess.Popen([sys.executable, "-c", WRITE, target, str(number)], cwd=REPOSITORY, **options)  # type: ignore[call-overload]
        for number in range(3)
    ]


def expect_all(entries: list[dict[str, object]]) -> None:
    expected = {f"{process}-{thread}-{n}" for process in range(3) for thread in range(2) for n in range(1500)}
    ids = [entry["id"] for entry in entries]
    assert len(ids) == len(expected)
    assert set(ids) == expected


def test_processes_and_threads_write_whole_lines_to_one_file(path: Path) -> None:
    for process in write_from_processes(str(path)):
        assert process.wait(timeout=60) == 0
    expect_all(read(path))


def test_processes_write_whole_lines_to_one_pipe() -> None:
    reading, writing = os.pipe()
    processes = write_from_processes("-", stderr=writing)
    os.close(writing)
    with open(reading, "rb") as pipe:
        entries = [json.loads(line) for line in pipe]
    for process in processes:
        assert process.wait(timeout=60) == 0
    expect_all(entries)


def test_a_file_that_was_moved_away_is_made_anew(log: AccessLog, path: Path) -> None:
    add(log, 1)
    log.flush()
    moved = path.rename(path.with_name("access.log.1"))
    add(log, 2)
    log.flush()
    path.unlink()
    path.write_text("")
    add(log, 3)
    log.flush()
    assert [entry["id"] for entry in read(moved)] == ["r1"]
    assert [entry["id"] for entry in read(path)] == ["r3"]


def test_a_full_disk_costs_lines_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    log = AccessLog("/dev/full")
    for number in range(10):
        add(log, number)
        log.flush()
    log.close()
    told = capfd.readouterr().err
    assert told.count("cannot be written: No space left") == 1


OVERFLOW = """
import resource, sys
from server.access_log import AccessLog
log = AccessLog(sys.argv[1])
def write(*numbers):
    with log._writing:
        for n in numbers:
            log.add(f"r{n}", "192.0.2.7", "GET", "/sparql", None, 200, 1, 1, 1, "hit", "ok")
    log.flush()
write(0)
size = len(open(sys.argv[1]).read())
resource.setrlimit(resource.RLIMIT_FSIZE, (3 * size + 20, resource.RLIM_INFINITY))
write(1, 2, 3, 4, 5)
write(6)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
write(7)
log.close()
"""
"""The file may not grow beyond the middle of its fourth line, then it may."""


def test_a_writing_that_was_cut_short_leaves_whole_lines_and_is_told_later(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OVERFLOW, path], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=True
    )
    *before, lost, last = read(path)
    assert [entry["id"] for entry in before] == ["r0", "r1", "r2"]
    assert lost["lost"] == 4
    assert last["id"] == "r7"
    first, second = done.stderr.splitlines()
    assert "cannot be written: no space left" in first
    assert "is written again" in second


def test_what_was_lost_is_counted_over_all_failures(log: AccessLog, path: Path) -> None:
    path.mkdir()
    for number in range(7):
        add(log, number)
        log.flush()
    path.rmdir()
    add(log, 7)
    log.flush()
    lost, last = read(path)
    assert lost["lost"] == 7
    assert last["id"] == "r7"


def test_a_disk_that_stands_still_holds_nobody_up_and_fills_no_memory(
    log: AccessLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_log, "MOST", 500)
    with log._writing:  # held by a writing that does not end
        before = threading.active_count()
        for number in range(2000):
            add(log, number)
        assert threading.active_count() == before
        assert len(log._rows) == 500
    log.close()
    lost, *entries = read(path)
    assert lost["lost"] == 1500
    assert len(entries) == 500


def test_none_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log = AccessLog("")
    add(log)
    log.close()
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_cannot_be_written_is_told_before_the_start(tmp_path: Path, path: Path) -> None:
    check_target(str(path))
    check_target("")
    with pytest.raises(SettingError, match="No such file or directory"):
        check_target(str(tmp_path / "nowhere" / "access.log"))
