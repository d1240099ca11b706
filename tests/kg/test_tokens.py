"""Tokens: what is told of a secret, which is nothing, and who gets in with it."""

import logging
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import NotFoundError, ParameterError, WhosaysError
from kg.names import ID
from kg.sqlite_file import SqliteFile
from kg.tokens import Bearer, Role, Tokens, is_token


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "tokens.sqlite"


@pytest.fixture
def tokens(path: Path) -> Tokens:
    return Tokens(path)


def alter(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_token_says_who_acts_and_in_which_role(tokens: Tokens) -> None:
    anna, ben = tokens.make("anna", "contributor", days=None), tokens.make("ben", "curator", days=30)
    assert tokens.check(anna) == Bearer("anna", "contributor")
    assert tokens.check(ben) == Bearer("ben", "curator")
    assert Bearer("anna", "contributor").agent == ID + "anna"


@pytest.mark.parametrize(
    ("role", "wanted", "may"),
    [
        ("contributor", "contributor", True),
        ("contributor", "curator", False),
        ("curator", "contributor", True),
        ("curator", "curator", True),
    ],
)
def test_a_curator_may_all_that_a_contributor_may(role: Role, wanted: Role, may: bool) -> None:
    assert Bearer("anna", role).may(wanted) is may


def test_a_token_has_256_random_bits_and_is_a_bearer_token_of_rfc_6750(tokens: Tokens) -> None:
    secrets = [tokens.make("anna", "contributor", days=None) for _ in range(20)]
    assert len({secret[21:64] for secret in secrets}) == 20
    for secret in secrets:
        assert re.fullmatch(r"whosays_[0-9a-f]{12}_[A-Za-z0-9_-]{43}_[0-9a-f]{8}", secret)


def test_reading_where_there_are_none_makes_no_file(tokens: Tokens, path: Path) -> None:
    other = Tokens(path.with_name("other.sqlite")).make("anna", "curator", days=None)
    assert tokens.list() == []
    assert tokens.check(other) is None
    with pytest.raises(NotFoundError):
        tokens.revoke("anna")
    assert not path.exists()


@given(at=st.integers(0, 72), new=st.sampled_from("0aZ_-é "))
def test_one_wrong_character_is_seen_without_a_look_at_the_store(at: int, new: str) -> None:
    good = "whosays_0123456789ab_" + "x" * 43 + "_2103bc8f"
    assert is_token(good)
    assert len(good) == 73
    wrong = good[:at] + new + good[at + 1 :]
    assert is_token(wrong) == (wrong == good)


@given(st.text())
def test_any_text_is_judged_without_an_error(text: str) -> None:
    assert not is_token(text)


@pytest.mark.parametrize("text", ["", "whosays_", "Bearer x", "whosays_0123456789ab_" + "x" * 43 + "_2103bc8f\n"])
def test_what_is_no_token_gets_nobody_in(tokens: Tokens, text: str) -> None:
    tokens.make("anna", "curator", days=None)
    assert tokens.check(text) is None


def test_a_right_id_with_another_secret_gets_nobody_in(tokens: Tokens, path: Path, tmp_path: Path) -> None:
    elsewhere = Tokens(tmp_path / "elsewhere.sqlite")
    foreign = elsewhere.make("anna", "curator", days=None)
    tokens.make("ben", "curator", days=None)
    alter(path, f"UPDATE token SET id = '{foreign[8:20]}'")
    assert elsewhere.check(foreign) is not None
    assert tokens.check(foreign) is None
    assert tokens.list()[0].last_used is None


def test_an_expired_token_gets_nobody_in(tokens: Tokens, path: Path) -> None:
    secret = tokens.make("anna", "contributor", days=1)
    expires = tokens.list()[0].expires
    assert expires is not None
    left = datetime.fromisoformat(expires) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(days=1)
    assert tokens.check(secret) is not None
    alter(path, f"UPDATE token SET expires = '{datetime.now(UTC).isoformat(timespec='seconds')}'")
    assert tokens.check(secret) is None


@pytest.mark.parametrize("days", [0, -1, 36_501, 10**12])
def test_a_life_out_of_range_is_refused(tokens: Tokens, days: int) -> None:
    with pytest.raises(ParameterError, match="1 to 36,500 days"):
        tokens.make("anna", "contributor", days=days)


def test_a_revoked_token_gets_nobody_in_and_keeps_its_date(tokens: Tokens, path: Path) -> None:
    secret, other = (tokens.make("anna", "contributor", days=None) for _ in range(2))
    kept = tokens.make("ben", "contributor", days=None)
    (entry,) = tokens.revoke(secret[8:20])
    assert entry.id == secret[8:20]
    assert entry.revoked
    assert tokens.check(secret) is None
    assert tokens.check(other) is not None
    alter(path, f"UPDATE token SET revoked = '2001-01-01T00:00:00+00:00' WHERE id = '{entry.id}'")
    dates = [e.revoked for e in tokens.revoke("anna")]
    assert len(dates) == 2
    assert "2001-01-01T00:00:00+00:00" in dates
    assert tokens.check(other) is None
    assert tokens.check(kept) is not None


def test_a_leaked_token_can_be_revoked_by_itself(tokens: Tokens) -> None:
    secret = tokens.make("anna", "contributor", days=None)
    assert [entry.name for entry in tokens.revoke(secret)] == ["anna"]
    assert tokens.check(secret) is None


def test_use_is_noted_to_the_day_and_once_a_day(tokens: Tokens, path: Path) -> None:
    secret = tokens.make("anna", "contributor", days=None)
    assert tokens.list()[0].last_used is None
    tokens.check(secret)
    today = datetime.now(UTC).date().isoformat()
    assert tokens.list()[0].last_used == today
    alter(path, "CREATE TRIGGER once BEFORE UPDATE ON token BEGIN SELECT RAISE(ABORT, 'written again'); END")
    assert tokens.check(secret) is not None


@pytest.mark.parametrize("name", ["", "Anna", "anna doe", "anna/1", "anna\n", "https://example.org/anna", "änna"])
def test_a_name_is_an_agents_slug(tokens: Tokens, name: str) -> None:
    with pytest.raises(ParameterError, match="jane-doe"):
        tokens.make(name, "contributor", days=None)


def test_a_role_is_one_of_two(tokens: Tokens) -> None:
    with pytest.raises(ParameterError, match="`contributor`, `curator`"):
        tokens.make("anna", "owner", days=None)  # type: ignore[arg-type]


def test_the_secret_is_in_no_file_repr_error_or_log(
    tokens: Tokens, path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = tokens.make("anna", "contributor", days=None)
    random = secret[21:64]
    said = [repr(tokens), repr(tokens.list()), repr(tokens.check(secret)), repr(vars(tokens))]
    mistakes: list[Callable[[], object]] = [
        lambda: tokens.make(secret, "contributor", days=None),
        lambda: tokens.make("anna", secret, days=None),  # type: ignore[arg-type]
        lambda: tokens.revoke(secret.upper()),
        lambda: tokens.revoke(random),
        lambda: tokens.revoke(secret + " "),
    ]
    for mistake in mistakes:
        with pytest.raises(WhosaysError) as caught:
            mistake()
        said += [str(caught.value), repr(caught.value), repr(caught.value.args)]
    with closing(sqlite3.connect(path)) as connection:
        said += list(connection.iterdump())
        said += [file.read_bytes().decode("latin-1") for file in path.parent.iterdir()]
    said += [caplog.text, *capsys.readouterr()]
    assert not any(random.lower() in text.lower() for text in said)


def test_the_file_and_its_log_are_their_owners_only(tokens: Tokens, path: Path) -> None:
    tokens.make("anna", "contributor", days=None)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE token SET name = 'ben'")
        connection.commit()
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == {"tokens.sqlite": 0o600, "tokens.sqlite-wal": 0o600, "tokens.sqlite-shm": 0o600}


def test_a_file_that_others_may_read_is_closed_to_them(tokens: Tokens, path: Path) -> None:
    tokens.make("anna", "contributor", days=None)
    path.chmod(0o644)
    tokens.list()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_none_of_ours_is_a_clear_error(tokens: Tokens, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(WhosaysError, match="backup"):
        tokens.list()


def test_a_file_of_another_schema_is_a_clear_error(tokens: Tokens, path: Path) -> None:
    tokens.make("anna", "contributor", days=None)
    alter(path, "PRAGMA user_version = 99")
    with pytest.raises(WhosaysError, match="schema 99"):
        tokens.list()


MAKE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from kg.tokens import Tokens
tokens = Tokens(Path(sys.argv[1]))
def make_and_use(number):
    secret = tokens.make(f"agent-{number}", "contributor", days=None)
    assert tokens.check(secret).name == f"agent-{number}"
with ThreadPoolExecutor(4) as pool:
    list(pool.map(make_and_use, range(12)))
"""


def test_processes_and_threads_make_the_file_and_write_to_it_at_once(tokens: Tokens, path: Path) -> None:
    started = [subprocess.Popen([sys.executable, "-c", MAKE, path]) for _ in range(3)]
    assert [process.wait(timeout=120) for process in started] == [0, 0, 0]
    entries = tokens.list()
    assert len(entries) == 36
    assert all(entry.last_used for entry in entries)
    assert [file.name for file in path.parent.iterdir()] == ["tokens.sqlite"]


def test_one_who_writes_waits_for_another_and_is_told_when_it_takes_too_long(
    tokens: Tokens, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens.make("anna", "contributor", days=None)
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert len(tokens.list()) == 1
        with monkeypatch.context() as patch:
            patch.setattr(SqliteFile, "WAIT", 0.05)
            with pytest.raises(WhosaysError, match="run again"):
                tokens.make("ben", "contributor", days=None)
        release = threading.Timer(0.1, connection.execute, ["COMMIT"])
        release.start()
        tokens.make("ben", "contributor", days=None)
        release.join()
    assert len(tokens.list()) == 2


def test_who_reads_and_then_writes_in_one_transaction_is_not_overtaken(tokens: Tokens) -> None:
    tokens.make("anna", "contributor", days=None)
    other = threading.Thread(target=tokens.make, args=("ben", "contributor"), kwargs={"days": None})
    with tokens._file.writing() as connection:
        (count,) = connection.execute("SELECT count(*) FROM token").fetchone()
        other.start()
        other.join(0.2)
        assert other.is_alive()
        connection.execute("UPDATE token SET name = ?", (f"one-of-{count}",))
    other.join(20)
    assert [entry.name for entry in tokens.list()] == ["ben", "one-of-1"]
