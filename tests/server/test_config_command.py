"""The command `whosays config`, and the settings that `whosays serve` takes."""

import json
from pathlib import Path

import pytest

from kg.settings import Settings
from tests.server.calling import call


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.__dataclass_fields__:
        monkeypatch.delenv(f"WHOSAYS_{name.upper()}", raising=False)


def test_it_prints_what_is_in_effect_and_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("whosays.toml").write_text('# ours\nquery_seconds = 30\ncache_bytes = "32 MiB"\n')
    monkeypatch.setenv("WHOSAYS_HOST", "0.0.0.0")
    lines = call("config", "--port", 9000, "--set", "answer-rows=10", "--plain").stdout.splitlines()
    told = {line.split(" = ")[0]: line.split(" = ")[1].split("  # ") for line in lines}
    told = {name: (value.strip(), origin) for name, (value, origin) in told.items()}
    assert told["query_seconds"] == ("30", "whosays.toml:2")
    assert told["cache_bytes"] == ('"32 MiB"', "whosays.toml:3")
    assert told["host"] == ('"0.0.0.0"', "WHOSAYS_HOST")
    assert told["port"] == ("9000", "option")
    assert told["answer_rows"] == ("10", "option")
    assert told["plain"] == ("true", "option")
    assert told["budget_seconds"] == ("60", "default")
    assert told["services"] == ("[]", "default")
    assert told["base"] == ('"none"', "default")
    assert told["# texts"] == ('"texts"', "default, which is not there")
    assert len(told) == len(Settings.__dataclass_fields__)


def test_what_it_prints_is_a_file_of_settings(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    options = ["--host", "::", "--set", "proxies=10.0.0.0/8 ::1", "--set", "query_memory=2 GB", "--set", "access_log="]
    printed = call("config", *options).stdout
    Path("kept.toml").write_text(printed)
    kept = Settings.load({}, Path("kept.toml"))
    assert (kept.host, kept.proxies, kept.query_memory) == ("::", ("10.0.0.0/8", "::1"), 2 * 10**9)
    assert kept.access_log == ""
    again = call("config", "--config", "kept.toml").stdout
    assert [line.split("  # ")[0].rstrip() for line in again.splitlines()] == [
        line.split("  # ")[0].rstrip() for line in printed.splitlines()
    ]


def test_json_is_for_programs() -> None:
    Path("whosays.toml").write_text("port = 9000\n")
    told = json.loads(call("config", "--format", "json", "--store", "db").stdout)
    assert told["port"] == {"value": 9000, "from": "whosays.toml:1"}
    assert told["store"] == {"value": "db", "from": "option"}
    assert told["cors"] == {"value": True, "from": "default"}
    assert list(told) == list(Settings.__dataclass_fields__)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port", "x"], "`port` is `x`"),
        (["--set", "query_second=3"], "did you mean `query_seconds`?"),
        (["--set", "environment=3"], "there is no setting `environment`"),
        (["--set", "config=x"], "there is no setting `config`"),
        (["--set", "port"], "has no value"),
        (["--set", "port=1", "--set", "port=2"], "`port` is given twice"),
        (["--port", "1", "--set", "port=2"], "`port` is given twice"),
        (["--config", "nowhere.toml"], "nowhere.toml cannot be read"),
        (["--writable"], "`writable` is for `plain` databases only"),
        (["--plain", "--writable", "--host", "0.0.0.0"], "on the loopback only"),
    ],
)
@pytest.mark.parametrize("command", ["config", "serve"])
def test_what_makes_no_sense_is_told(command: str, options: list[str], words: str) -> None:
    assert words in call(command, *options, status=2).stderr


def test_a_variable_that_is_no_setting_is_told_and_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHOSAYS_QUERY_SECOND", "5")
    done = call("config")
    assert "WHOSAYS_QUERY_SECOND is passed over" in done.stderr
    assert "did you mean `query_seconds`?" in done.stderr
    assert done.stdout.startswith("store = ")
