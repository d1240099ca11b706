"""The soak: a short one goes well, and one that meets a wrong answer, an error or growth says so."""

from collections.abc import Callable
from dataclasses import replace

import pytest

import server.soak
from kg.store import Snapshot
from server.soak import ALLOWANCE_BYTES, ALLOWANCE_FILES, READS, Known, Usage, find_known, soak_server


def finding(change: Callable[[Known], Known]) -> Callable[[Snapshot], Known]:
    return lambda snapshot: change(find_known(snapshot))


@pytest.mark.slow
def test_a_short_soak_finds_nothing_off() -> None:
    soak, usage, off = soak_server(8, 8, 5_000)
    assert not off, [*soak.wrong, *soak.errors, *soak.printed]
    assert soak.latencies.keys() == {*READS, "write"}
    assert soak.acknowledged == soak.begun > 0
    assert soak.snapshot > 1
    assert min(usage.memory) > 10_000_000
    assert min(usage.files) > 10


@pytest.mark.slow
def test_a_wrong_answer_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(known: Known) -> Known:
        return replace(known, saved=known.saved[1:])

    monkeypatch.setattr(server.soak, "find_known", finding(change))
    soak, _, off = soak_server(2, 4, 5_000)
    assert off == [f"{soak.off['wrong']} wrong answers"]
    assert all(told.startswith("saved: ") for told in soak.wrong)


@pytest.mark.slow
def test_clients_that_fail_by_themselves_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """They once died one by one, and the soak said that all was well."""

    def change(known: Known) -> Known:
        return replace(known, subjects=[])

    monkeypatch.setattr(server.soak, "find_known", finding(change))
    soak, _, off = soak_server(2, 4, 5_000)
    assert off == [f"{soak.off['errors']} errors"]
    assert any("IndexError" in told for told in soak.errors)


def test_memory_and_files_may_grow_by_so_much_and_no_more() -> None:
    base, files = 100_000_000, 100
    most, most_files = int(base * 1.2) + ALLOWANCE_BYTES, int(files * 1.2) + ALLOWANCE_FILES
    assert Usage([base] * 3 + [most] * 3, [files] * 3 + [most_files] * 3).grows() == []
    assert len(Usage([base] * 3 + [most + 2] * 3, [files] * 6).grows()) == 1
    assert len(Usage([base] * 6, [files] * 3 + [most_files + 2] * 3).grows()) == 1
