"""The benchmark of loading: what is timed is what was loaded, memory is the program's own, and it runs."""

import json
import sys
from pathlib import Path

import pytest

from kg.errors import NotFoundError, OverrunError, WhosaysError
from loaders.generator import write_corpus
from server.bench_load import (
    AIMED_AT,
    INFERRING,
    LARGE,
    OURS,
    RDFLIB_LIMIT,
    SLOW,
    Figures,
    Loader,
    Run,
    load,
    make_loaders,
    measure,
)
from tests.server.calling import call

BY_NAME = {loader.name: loader for loader in make_loaders()}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "corpus.nq"
    write_corpus(path, 3_000, 1)
    return path


def runs(*seconds: float, start: float | None = None) -> list[Run]:
    return [Run(each, None if start is None else each - start, 1) for each in seconds]


@pytest.mark.parametrize("name", BY_NAME)
def test_each_loader_loads_the_whole_file_and_leaves_nothing(name: str, file: Path) -> None:
    run = load(BY_NAME[name], file, 3_000)
    assert run.memory > 5_000_000
    assert 0 < run.net <= run.seconds
    assert 0 < run.cpu < run.seconds * 64
    assert (run.work is None) == (name == AIMED_AT)
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("name", BY_NAME)
def test_a_quad_too_few_is_found_out(name: str, file: Path, tmp_path: Path) -> None:
    shorter = tmp_path / "corpus.nq"
    shorter.write_text("".join(file.read_text("utf-8").splitlines(keepends=True)[1:]), "utf-8")
    with pytest.raises(WhosaysError, match="has 2,999 of 3,000 quads"):
        load(BY_NAME[name], shorter, 3_000)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_loader_that_fails_is_told_with_what_it_printed(name: str, tmp_path: Path) -> None:
    broken = tmp_path / "corpus.nq"
    broken.write_text("<no quad")
    with pytest.raises(OverrunError, match="it printed:"):
        load(BY_NAME[name], broken, 1)
    assert list(tmp_path.iterdir()) == [broken]


def test_a_loader_that_is_not_installed_is_told(file: Path) -> None:
    with pytest.raises(NotFoundError, match=r"whosays\[bench\]"):
        load(Loader("x", lambda *_: ["/no/such/program"], lambda _: 0), file, 3_000)


def test_memory_is_the_most_that_the_program_had_and_not_ours(file: Path) -> None:
    ours = bytearray(300_000_000)  # which a child's `ru_maxrss` would begin with
    lines = "import time; x = bytearray({}); time.sleep(0.1); del x; print('{{\"quads\": 3000}}')"
    small, large = (
        load(Loader("x", lambda *_, n=n: [sys.executable, "-c", lines.format(n)], None), file, 3_000).memory
        for n in (1, 100_000_000)
    )
    assert len(ours) == 300_000_000
    assert small < 50_000_000
    assert 100_000_000 < large < 150_000_000


def test_ratios_are_within_rounds_and_a_quad_is_reckoned_without_the_start() -> None:
    figures = Figures(1_000, 1, {OURS: runs(3.0, 5.0, 4.0, start=1.0), AIMED_AT: runs(1.0, 2.0, 4.0)})
    assert figures.ratios(OURS) == [3.0, 2.5, 1.0]
    assert figures.ratios(OURS, net=True) == [2.0, 2.0, 0.75]
    assert figures.per_quad(OURS) == 3_000
    assert figures.per_quad(AIMED_AT) == 2_000
    assert figures.per_quad(SLOW) is None


def test_each_has_its_turn_in_each_round_and_the_warming_up_does_not_count() -> None:
    loaders = [BY_NAME[AIMED_AT], Loader(SLOW, BY_NAME[SLOW].command, None, limit=2_999)]
    figures = measure(3_000, 2, loaders, warm=True)
    assert {name: len(each) for name, each in figures.runs.items()} == {AIMED_AT: 2}
    assert figures.bytes > 3_000 * 50


def test_rdflib_is_run_on_no_more_than_it_can_do_in_time() -> None:
    assert BY_NAME[SLOW].limit == RDFLIB_LIMIT < LARGE


@pytest.mark.slow
def test_loading_is_measured() -> None:
    told = call("bench", "load", "--size", 4_000, "--size", 3_000, "--rounds", 1, "--format", "json").stdout
    small, large = json.loads(told)
    assert (small["size"], large["size"]) == (3_000, 4_000)
    for figures in (small, large):
        assert list(figures["loaders"]) == [OURS, INFERRING, AIMED_AT, SLOW]
        for measured in figures["loaders"].values():
            assert len(measured["seconds"]) == len(measured["ratios"]) == 1
            assert measured["us_per_quad"] > 0
            assert measured["processor_seconds"][0] > 0
            assert measured["peak_bytes"][0] > 5_000_000
        assert figures["loaders"][AIMED_AT]["ratios"] == [1]
    table = call("bench", "load", "--size", 3_000, "--rounds", 1).stdout
    assert "whosays, inferring" in table
