"""Cells: whatever a call does, it ends in time, is told plainly, and harms no other."""

import ctypes
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rdflib import Graph

from kg.cells import GIBIBYTE, Cells
from kg.errors import (
    BusyError,
    ConformanceError,
    MalformedError,
    OverrunError,
    Place,
    RecordError,
    TextError,
    WhosaysError,
)
from kg.validation import Report, Result
from loaders.placing import PlacingErrors
from loaders.records import RecordErrors
from loaders.verifying import PassageErrors
from tests.pace import PATIENCE, wait_for, within

REPOSITORY = Path(__file__).parent.parent.parent
WARMED: list[int] = []


class Oddity(Exception):
    """An exception that pickles but does not come back."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


def loop() -> None:
    while True:
        pass


def loop_in_native_code() -> None:
    ctypes.CDLL(None).sleep(600)


def swallow_memory() -> int:
    return len([bytes(64 * 1024 * 1024) for _ in range(1000)])


def overflow_the_stack() -> None:
    ctypes.string_at(0)  # what an overflow ends in: a segmentation fault


def recurse(depth: int = 0) -> int:
    return recurse(depth + 1)


def leave() -> None:
    sys.exit(3)


def raise_conformance_error() -> None:
    report = Report((Result("ex:a", "ex:p", '"v"', "is wrong", "Violation", "ex:Shape"),), Graph())
    raise ConformanceError("does not conform", report, mend="mend it")


def raise_malformed_error() -> None:
    raise MalformedError("bad", mend="do better", place=Place("a.ttl", 7))


def raise_record_errors() -> None:
    raise RecordErrors([RecordError("one", mend="m", place=Place("r.yaml", n)) for n in (5, 2)])


def raise_key_error() -> None:
    raise KeyError("missing")


def raise_oddity() -> None:
    raise Oddity("a", "b")


def return_a_function() -> object:
    return lambda: None


def warm_up() -> None:
    WARMED.append(os.getpid())


def fail_to_warm_up() -> None:
    raise ValueError("no graph")


def warmed() -> tuple[list[int], int]:
    return WARMED, os.getpid()


@pytest.fixture(scope="module")
def cells() -> Iterator[Cells]:
    with Cells(
        workers=2, deadline=5.0, memory=GIBIBYTE, waiting=8, warm_up=warm_up, preload=["kg.validation"]
    ) as cells:
        yield cells


@pytest.mark.parametrize(
    ("function", "arguments", "words"),
    [
        (loop, (), r"took longer than 0\.5 s"),
        (loop_in_native_code, (), r"took longer than 0\.5 s"),
        (os.abort, (), "SIGABRT"),
        (os._exit, (0,), "exit code 0"),
        (os._exit, (9,), "exit code 9"),
        (overflow_the_stack, (), "SIGSEGV"),
        (os.kill, (0, signal.SIGWINCH), None),
        (recurse, (), "nested too deeply"),
        (leave, (), "ended its process"),
    ],
)
def test_a_call_that_overruns_is_stopped_and_the_next_works(
    cells: Cells, function: object, arguments: tuple[int, ...], words: str | None
) -> None:
    begun = time.monotonic()
    if words is None:
        cells.run(function, *arguments, deadline=0.5)  # type: ignore[arg-type]
    else:
        with pytest.raises(OverrunError, match=words) as caught:
            cells.run(function, *arguments, deadline=0.5)  # type: ignore[arg-type]
        assert caught.value.mend
    assert within(time.monotonic() - begun, 2)
    assert [cells.run(divmod, n, 2) for n in range(4)] == [divmod(n, 2) for n in range(4)]


def test_a_call_that_swallows_memory_is_stopped(cells: Cells) -> None:
    with pytest.raises(OverrunError, match=r"more than 1 GiB"):
        cells.run(swallow_memory)
    assert cells.run(abs, -1) == 1


def test_an_answer_too_big_for_the_memory_is_an_overrun(cells: Cells) -> None:
    with pytest.raises(OverrunError):
        cells.run(bytes, 900 * 1024**2)
    assert cells.run(abs, -1) == 1


def test_errors_come_through_whole(cells: Cells) -> None:
    with pytest.raises(MalformedError) as malformed:
        cells.run(raise_malformed_error)
    assert malformed.value.place == Place("a.ttl", 7)
    assert (malformed.value.problem, malformed.value.mend) == ("bad", "do better")
    assert str(malformed.value) == "a.ttl:7: bad\n  mend: do better"
    with pytest.raises(ConformanceError) as conformance:
        cells.run(raise_conformance_error)
    assert conformance.value.report.violations[0].focus == "ex:a"
    with pytest.raises(RecordErrors) as records:
        cells.run(raise_record_errors)
    assert [p.place.line for p in records.value.problems if p.place] == [2, 5]
    with pytest.raises(KeyError) as key:
        cells.run(raise_key_error)
    assert "raise_key_error" in key.value.__notes__[0]
    with pytest.raises(RuntimeError, match="Oddity"):
        cells.run(raise_oddity)
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        cells.run(return_a_function)


def _classes(kind: type[WhosaysError]) -> list[type[WhosaysError]]:
    return [kind, *(c for s in kind.__subclasses__() for c in _classes(s))]


@pytest.mark.parametrize("kind", _classes(WhosaysError), ids=lambda c: c.__name__)
def test_every_error_can_be_pickled(kind: type[WhosaysError]) -> None:
    several: dict[type[WhosaysError], type[WhosaysError]] = {
        RecordErrors: RecordError, PlacingErrors: MalformedError, PassageErrors: TextError,
    }  # fmt: skip
    if kind in several:
        error: WhosaysError = kind([several[kind]("p", mend="m", place=Place("f", 1))])  # type: ignore[arg-type]
    elif issubclass(kind, ConformanceError):
        error = kind("p", Report((), Graph()), mend="m")
    else:
        error = kind("p", mend="m", place=Place("f", 1))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error)
    assert {k: str(v) for k, v in vars(again).items() if k != "report"} == {
        k: str(v) for k, v in vars(error).items() if k != "report"
    }


def test_each_process_is_warmed_up_once(cells: Cells) -> None:
    for _ in range(5):
        pids, own = cells.run(warmed)
        assert pids == [own]


def test_a_process_that_cannot_warm_up_is_told_at_once() -> None:
    with pytest.raises(WhosaysError, match="ValueError: no graph"):
        Cells(workers=1, warm_up=fail_to_warm_up)


def test_a_process_that_dies_idle_is_replaced_unnoticed(cells: Cells) -> None:
    for _ in range(3):
        os.kill(cells.run(os.getpid), signal.SIGKILL)
        time.sleep(0.05)
        assert cells.run(abs, -1) == 1


def test_eight_threads_at_once_get_their_own_answers(cells: Cells) -> None:
    def ask(n: int) -> bool:
        if n % 40 == 7:
            with pytest.raises(OverrunError):
                cells.run(os.abort, deadline=60)
        return cells.run(divmod, n, 7, deadline=60) == divmod(n, 7)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(200)))


def hold(until: Path) -> None:
    while not until.exists():
        time.sleep(0.01)


def test_too_many_calls_are_refused_as_busy(tmp_path: Path) -> None:
    with Cells(workers=1, deadline=PATIENCE, waiting=1) as cells, ThreadPoolExecutor(2) as threads:
        first = [threads.submit(cells.run, hold, tmp_path / "go") for _ in range(2)]
        time.sleep(0.5)
        with pytest.raises(BusyError, match="too many"):
            cells.run(abs, -1)
        (tmp_path / "go").touch()
        assert [f.result() for f in first] == [None, None]
        assert cells.run(abs, -1) == 1
        slow = threads.submit(cells.run, hold, tmp_path / "on")
        time.sleep(0.5)
        with pytest.raises(BusyError, match="no process became free"):
            cells.run(abs, -1, deadline=0.2)
        (tmp_path / "on").touch()
        assert slow.result() is None


def test_closing_ends_the_call_under_way_and_leaves_no_process() -> None:
    cells = Cells(workers=2, deadline=30.0)
    pids = {cells.run(os.getpid) for _ in range(4)}
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(cells.run, loop)
        time.sleep(0.3)
        cells.close()
        with pytest.raises(OverrunError):
            call.result(timeout=PATIENCE)
    assert not [pid for pid in pids if _alive(pid)]
    with pytest.raises(WhosaysError, match="closed"):
        cells.run(abs, -1)


KEEPER = """
import threading, time, os
from kg.cells import Cells
from tests.kg.test_cells import loop, loop_in_native_code

if __name__ == "__main__":
    cells = Cells(workers=3, deadline=600)
    pids = set()
    threads = [threading.Thread(target=cells.run, args=(f,), daemon=True) for f in (loop, loop_in_native_code)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    print(*(c._process.pid for c in cells._cells), flush=True)
    time.sleep(600)
"""


def test_no_process_outlives_its_keeper(tmp_path: Path) -> None:
    script = tmp_path / "keeper.py"
    script.write_text(KEEPER)
    keeper = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}
    )
    assert keeper.stdout is not None
    pids = [int(p) for p in keeper.stdout.readline().split()]
    assert len(pids) == 3
    assert all(_alive(p) for p in pids)
    keeper.kill()
    keeper.wait()
    keeper.stdout.close()
    assert within(wait_for(lambda: not any(map(_alive, pids))), 5)


def test_no_core_is_dumped_and_threads_are_left_to_the_caller(cells: Cells) -> None:
    import resource

    assert cells.run(resource.getrlimit, resource.RLIMIT_CORE) == (0, 0)
    assert cells.run(resource.getrlimit, resource.RLIMIT_AS) == (GIBIBYTE, GIBIBYTE)
    assert cells.run(threading.active_count) == 1


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state not in "ZX"
