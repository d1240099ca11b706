"""The budget: nobody gets more than it over the time, and all get it back."""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import SettingError
from server.budget import Budget

CLIENT = "192.0.2.7"
ANOTHER = "198.51.100.1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "budget"


@contextlib.contextmanager
def opened(path: Path, seconds: float = 10, window: float = 60) -> Iterator[Budget]:
    budget = Budget(path, seconds, window)
    try:
        yield budget
    finally:
        budget.close()


class Clock:
    """A clock that stands still, but for what a test lets pass."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("server.budget.time", clock)
    return clock


def test_who_has_used_it_up_waits_until_it_has_drained(path: Path, clock: Clock) -> None:
    with opened(path, seconds=10, window=60) as budget:
        assert budget.wait(CLIENT) == 0
        budget.charge(CLIENT, 9)
        assert budget.wait(CLIENT) == 0
        budget.charge(CLIENT, 6)
        assert budget.wait(CLIENT) == pytest.approx(30)
        assert budget.wait(ANOTHER) == 0
        clock.now += 29
        assert budget.wait(CLIENT) == pytest.approx(1)
        clock.now += budget.wait(CLIENT)
        assert budget.wait(CLIENT) == 0
        clock.now += 60
        budget.charge(CLIENT, 10.5)
        assert budget.wait(CLIENT) == pytest.approx(3)


QUERIES = st.lists(st.tuples(st.floats(0, 30), st.floats(0, 20)), max_size=60)
"""Pauses before a query, and seconds that it takes."""


@given(QUERIES, st.floats(1, 100), st.floats(1, 100))
def test_in_any_time_no_more_gets_through_than_flows_off_the_bucket_and_one_query(
    tmp_path_factory: pytest.TempPathFactory, queries: list[tuple[float, float]], seconds: float, window: float
) -> None:
    clock = Clock()
    used: list[tuple[float, float]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.budget.time", clock)
        with opened(tmp_path_factory.mktemp("budget") / "b", seconds, window) as budget:
            for pause, took in queries:
                clock.now += pause
                if budget.wait(CLIENT) == 0:
                    budget.charge(CLIENT, took)
                    used.append((clock.now, took))
    for first in range(len(used)):
        for last in range(first, len(used)):
            span = used[last][0] - used[first][0]
            total = sum(took for _, took in used[first:last])  # the last one is the query that was let in
            assert total <= seconds * (1 + span / window) * 1.001 + 0.001 * seconds


@given(st.floats(0.1, 1000), st.floats(0.1, 1000), st.floats(1, 1000))
def test_who_waits_as_long_as_told_may_ask_and_not_much_sooner(
    tmp_path_factory: pytest.TempPathFactory, took: float, seconds: float, window: float
) -> None:
    clock = Clock(time.monotonic())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.budget.time", clock)
        with opened(tmp_path_factory.mktemp("budget") / "b", seconds, window) as budget:
            budget.charge(CLIENT, took)
            told = budget.wait(CLIENT)
            assert (told > 0) == (took - seconds > 0) or abs(took - seconds) * window / seconds < 0.01
            if told > 0.01:
                clock.now += told - 0.005
                assert budget.wait(CLIENT) > 0
                clock.now += 0.005
                assert budget.wait(CLIENT) == 0


def test_nothing_is_counted_where_it_is_off(path: Path) -> None:
    with opened(path, seconds=0) as budget:
        budget.charge(CLIENT, 1e9)
        assert budget.wait(CLIENT) == 0
    assert not path.exists()


@pytest.mark.parametrize("seconds", [0.0, -5.0, float("nan")])
def test_what_is_no_time_gives_nothing_back(path: Path, seconds: float, clock: Clock) -> None:
    with opened(path, seconds=10) as budget:
        budget.charge(CLIENT, 20)
        before = budget.wait(CLIENT)
        budget.charge(CLIENT, seconds)
        assert budget.wait(CLIENT) == before > 0
    assert clock.now == 1000.0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2:3::4", "2001:db8:1:2:ffff::", True),
        ("2001:db8:1:2::", "2001:db8:1:3::", False),
        ("192.0.2.7", "192.0.2.8", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.8", False),
        ("anna", "anna", True),
        ("anna", "ben", False),
    ],
)
def test_the_client_is_an_address_or_a_network_of_64_bits(path: Path, one: str, other: str, same: bool) -> None:
    with opened(path) as budget:
        budget.charge(one, 20)
        assert (budget.wait(other) > 0) == same


def test_another_table_has_another_key(tmp_path: Path) -> None:
    with opened(tmp_path / "a") as one, opened(tmp_path / "b") as other:
        places = [(one._place(f"192.0.2.{n}"), other._place(f"192.0.2.{n}")) for n in range(50)]
    assert len({a for a, _ in places}) > 45
    assert sum(a == b for a, b in places) < 3


CHARGE = """
import sys
from pathlib import Path
from server.budget import Budget
budget = Budget(Path(sys.argv[1]), 10, 60)
for _ in range(5000):
    budget.charge("192.0.2.7", 0.01)
"""


def test_processes_and_threads_share_one_and_lose_nothing(path: Path) -> None:
    started = time.monotonic()
    processes = [subprocess.Popen([sys.executable, "-c", CHARGE, path]) for _ in range(2)]
    with opened(path) as budget:
        threads = [
            threading.Thread(target=lambda: [budget.charge(CLIENT, 0.01) for _ in range(5000)]) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [process.wait(timeout=60) for process in processes] == [0, 0]
        waited = budget.wait(CLIENT)
        passed = time.monotonic() - started
    # 200 seconds were charged: the brim is reached 190 × 6 seconds after the first charge at the earliest
    assert 190 * 6 - passed - 1 <= waited <= 190 * 6


def test_a_process_that_dies_with_the_lock_leaves_it_open(path: Path) -> None:
    hold = (
        "import sys, fcntl, os; f = open(sys.argv[1], 'r+b'); fcntl.lockf(f, fcntl.LOCK_EX);"
        "print('held', flush=True); sys.stdin.read()"
    )
    with opened(path) as budget:
        holder = subprocess.Popen(
            [sys.executable, "-c", hold, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            charging = threading.Thread(target=budget.charge, args=(CLIENT, 20))
            charging.start()
            charging.join(0.2)
            assert charging.is_alive()
            assert budget.wait(CLIENT) == 0
            holder.kill()
            charging.join(10)
        assert not charging.is_alive()
        assert budget.wait(CLIENT) > 0


def test_a_file_that_is_no_budget_or_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"something else")
    with pytest.raises(SettingError, match="is no budget"):
        Budget(tmp_path / "other", 10, 60)
    with pytest.raises(SettingError, match="cannot be made"):
        Budget(tmp_path / "nowhere" / "budget", 10, 60)
    assert (tmp_path / "other").read_bytes() == b"something else"
