"""The benchmark of the door runs, on the smallest size, and what it prints is what it measured."""

import json
from pathlib import Path

import pytest

from server.bench import Times
from tests.server.calling import call


@pytest.mark.slow
def test_the_door_is_measured(tmp_path: Path) -> None:
    options = ["--size", "4000", "--rounds", "2", "--full-limit", "0", "--keep", tmp_path, "--format", "json"]
    done = call("bench", "door", *options)
    [figures] = json.loads(done.stdout)
    assert figures["size"] == 4_000
    assert figures["quads"] > 4_000
    assert figures["hub_assertions"] > 1
    assert figures["full_pyshacl"] == {"n": 0}
    for step in ("validate", "validate and commit", "publish over HTTP", "until it is served"):
        for case in ("ordinary", "hub"):
            times = figures["times"][f"{step}, {case}"]
            assert times["n"] == 24
            assert 0 < times["median_ms"] <= times["p95_ms"]


def test_times_are_told_by_median_and_by_what_the_slowest_take() -> None:
    times = Times([0.001] * 19 + [1.0])
    assert times.median == 1
    assert times.p95 == 1_000
    assert str(times) == "1.0 (1,000.0)"
