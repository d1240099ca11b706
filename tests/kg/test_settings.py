"""Settings: where they come from, what they take, and what is told of those that make no sense."""

import dataclasses
import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg import settings as module
from kg.errors import SettingError
from kg.setting_values import as_toml
from kg.settings import Settings, setting_kind
from tests.conftest import REPOSITORY


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def load(toml: str = "", environment: dict[str, str] | None = None, **options: object) -> Settings:
    Path("whosays.toml").write_text(toml, "utf-8")
    return Settings.load(environment or {}, **options)


def refused(toml: str = "", environment: dict[str, str] | None = None, **options: object) -> SettingError:
    with pytest.raises(SettingError) as caught:
        load(toml, environment, **options)
    assert caught.value.mend
    return caught.value


def test_the_dataclass_its_docstring_its_kinds_and_the_readme_hold_together() -> None:
    names = [field.name for field in dataclasses.fields(Settings)]
    assert list(module._KINDS) == names
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    for name in names:
        assert f"\n        {name}: " in (Settings.__doc__ or "")
        assert f"| `{name}`: " in readme
        assert f"| `WHOSAYS_{name.upper()}` |" in readme


def test_the_defaults_are_values_that_settings_take() -> None:
    for field in dataclasses.fields(Settings):
        kind = setting_kind(field.name)
        assert kind.check(kind.plain(field.default)) == field.default
    assert Settings.load({}) == Settings()


def test_the_option_comes_before_the_environment_the_file_and_the_default() -> None:
    file, environment = "port = 1\nthreads = 1\nworkers = 1\n", {"WHOSAYS_PORT": "2", "WHOSAYS_THREADS": "2"}
    settings = load(file, environment, port="3", workers=None)
    assert (settings.port, settings.threads, settings.workers, settings.waiting) == (3, 2, 1, Settings.waiting)
    _, origins = Settings.trace(environment, port="3")
    told = [origins[name] for name in ("port", "threads", "workers", "waiting")]
    assert told == ["option", "WHOSAYS_THREADS", "whosays.toml:3", "default"]


def test_an_empty_variable_is_one_that_is_not_given() -> None:
    assert load("port = 1\n", {"WHOSAYS_PORT": ""}).port == 1


def test_the_file_is_the_one_named_else_that_of_the_environment_else_the_one_here(tmp_path: Path) -> None:
    for number, name in enumerate(["here", "there", "whosays"], 1):
        (tmp_path / f"{name}.toml").write_text(f"port = {number}\n")
    environment = {"WHOSAYS_CONFIG": "there.toml"}
    assert Settings.load(environment, Path("here.toml")).port == 1
    assert Settings.load(environment).port == 2
    assert Settings.load({}).port == 3
    (tmp_path / "whosays.toml").unlink()
    assert Settings.load({}).port == Settings.port
    for options in ({"environment": {"WHOSAYS_CONFIG": "nowhere.toml"}}, {"config": Path("nowhere.toml")}):
        with pytest.raises(SettingError, match=r"nowhere\.toml cannot be read: No such file"):
            Settings.load(**{"environment": {}, **options})  # type: ignore[arg-type]


def test_paths_in_a_file_go_out_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "etc" / "texts").mkdir(parents=True)
    lines = ['store = "db"', 'texts = "texts"', 'queries = "/srv/q"', 'access_log = "a.log"']
    (tmp_path / "etc" / "w.toml").write_text("\n".join(lines))
    settings = Settings.load({"WHOSAYS_RECORDS": "r"}, Path("etc/w.toml"))
    assert (settings.store, settings.texts, settings.records) == (Path("etc/db"), Path("etc/texts"), Path("r"))
    assert (settings.queries, settings.access_log) == (Path("/srv/q"), "etc/a.log")
    for word, log in (("-", "-"), ("none", ""), ("", "")):
        (tmp_path / "etc" / "w.toml").write_text(f'access_log = "{word}"\nqueries = "none"\n')
        settings = Settings.load({}, Path("etc/w.toml"))
        assert (settings.access_log, settings.queries) == (log, None)


def test_values_of_several_lines_have_the_line_that_they_begin_on() -> None:
    toml = (
        '# a\nservices = [\n  "http://a.example/x",\n  # port = 3\n]\n\nstore = """\nport = 4"""\n"port" = 5 # here\n'
    )
    settings = load(toml)
    assert settings.services == ("http://a.example/x",)
    assert settings.port == 5
    origins = Settings.trace({})[1]
    assert [origins[name] for name in ("services", "store", "port")] == [f"whosays.toml:{line}" for line in (2, 7, 9)]


@pytest.mark.parametrize(
    ("toml", "line", "words"),
    [
        ("\nquery_second = 5\n", 2, ["there is no setting `query_second`", "did you mean `query_seconds`?"]),
        ("Query-Seconds = 5", 1, ["there is no setting `Query-Seconds`", "did you mean `query_seconds`?"]),
        ("zzz = 5", 1, ["there is no setting `zzz`", "`whosays config` prints all"]),
        ("[limits]\nport = 3", 1, ["there is no setting `limits`"]),
        ("store = 'x'\nport.x = 3", 2, ["`port` is", "give a whole number from 1 to 65535"]),
        ('port = "8000"', 1, ["`port` is `8000`", "give a whole number from 1 to 65535"]),
        ("port = true", 1, ["`port` is `true`"]),
        ("port = 8000.0", 1, ["`port` is `8000.0`"]),
        ("port = 65536", 1, ["`port` is `65536`"]),
        ("plain = 1", 1, ["`plain` is `1`", "give true or false"]),
        ('plain = "true"', 1, ["`plain` is `true`"]),
        ("query_seconds = nan", 1, ["`query_seconds` is `nan`"]),
        ("query_seconds = inf", 1, ["`query_seconds` is `inf`"]),
        ("query_seconds = -1", 1, ["`query_seconds` is `-1`"]),
        ("query_seconds = 2026-11-22", 1, ["`query_seconds` is `2026-11-22`"]),
        ('query_memory = "2 gigs"', 1, ["`query_memory` is `2 gigs`", "such as 512 MiB, 2 GB"]),
        ('answer_bytes = "1.0001 kB"', 1, ["`answer_bytes` is `1.0001 kB`"]),
        ("answer_rows = 0", 1, ["`answer_rows` is `0`", "or none"]),
        ('quotes = "all"', 1, ["`quotes` is `all`", "one of: none, passage, document"]),
        ('services = "http://a.example/x"', 1, ["`services` is"]),
        ('services = ["ftp://a.example/x"]', 1, ["`services` is", "whole IRIs"]),
        ('services = ["http://a.example/ x"]', 1, ["`services` is"]),
        ('proxies = ["10.0.0.1/8"]', 1, ["`proxies` is", "10.0.0.0/8"]),
        ('proxies = ["proxy.example"]', 1, ["`proxies` is"]),
        ('base = "example.org"', 1, ["`base` is", "https://example.org/whosays"]),
        ('base = "https://u:p@example.org"', 1, ["`base` is"]),
        ('base = "https://example.org/?x"', 1, ["`base` is"]),
        ('base = "https://example.org:99999"', 1, ["`base` is"]),
        ('base = "https://[::1"', 1, ["`base` is"]),
        ('host = "a b"', 1, ["`host` is `a b`"]),
        ('store = ""', 1, ["`store` is ``", "the name of a folder"]),
        ('store = "a\\u0000b"', 1, ["`store` is"]),
        ("port = 1\nport = 2", 2, ["this is no TOML"]),
        ("a = 1\n\nport =\n", 3, ["this is no TOML"]),
        ('texts = "nowhere"', 1, ["there is no folder nowhere"]),
        ("port = 1\nwritable = true", 2, ["`writable` is for `plain` databases only"]),
        ('plain = true\nwritable = true\nhost = "0.0.0.0"', 2, ["loopback only"]),
        ('plain = true\nwritable = true\nproxies = ["10.0.0.1"]', 2, ["loopback only"]),
    ],
)
def test_what_makes_no_sense_in_the_file_is_told_with_its_line(toml: str, line: int, words: list[str]) -> None:
    error = refused(toml)
    assert str(error.place) == f"whosays.toml:{line}"
    for word in words:
        assert word in str(error)


def test_what_is_wrong_in_the_file_is_told_even_where_something_comes_before_it() -> None:
    assert "`port` is `x`" in str(refused('port = "x"', {"WHOSAYS_PORT": "1"}, port=2))


def test_what_makes_no_sense_elsewhere_is_told_by_its_name() -> None:
    assert str(refused(environment={"WHOSAYS_PORT": "x"})).startswith("`WHOSAYS_PORT` is `x`\n")
    assert str(refused(port="99999")).startswith("`port` is `99999`\n")
    assert "`WHOSAYS_PLAIN` is `maybe`" in str(refused(environment={"WHOSAYS_PLAIN": "maybe"}))
    assert "there is no setting `ports`" in str(refused(ports=1))
    assert refused("writable = true", {"WHOSAYS_WRITABLE": "yes"}).place is None


@pytest.mark.parametrize("data", [b"\xff = 1", b"port = 1\n\xfe"])
def test_a_file_that_is_no_text_is_told(data: bytes) -> None:
    Path("whosays.toml").write_bytes(data)
    with pytest.raises(SettingError, match="UTF-8"):
        Settings.load({})


@pytest.mark.parametrize(
    ("given", "local"),
    [
        ({}, True),
        ({"host": "localhost"}, True),
        ({"host": "127.1.2.3"}, True),
        ({"host": "::1"}, True),
        ({"base": "http://127.0.0.1:8000"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"host": "192.0.2.7"}, False),
        ({"base": "https://example.org"}, False),
        ({"proxies": "127.0.0.1"}, False),
    ],
)
def test_what_others_can_reach_shows_less_and_bounds_more(given: dict[str, str], local: bool) -> None:
    settings = load(**given)
    assert settings.local is local
    told = (settings.quotes, settings.budget_seconds, settings.token_budget_seconds, settings.access_log)
    assert told == (("document", 0, 0, "") if local else ("passage", 60, 240, "-"))
    own = {"quotes": "none", "budget_seconds": "5", "token_budget_seconds": "0", "access_log": "none"}
    settings = load(**given, **own)
    told = (settings.quotes, settings.budget_seconds, settings.token_budget_seconds, settings.access_log)
    assert told == ("none", 5, 0, "")


def test_who_has_a_token_has_no_shorter_deadline_unless_it_is_set() -> None:
    assert load().token_query_seconds == 60
    assert load(query_seconds="120").token_query_seconds == 120
    assert load(query_seconds="120", token_query_seconds="30").token_query_seconds == 30


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0), ("1000", 1000), ("1 kB", 1000), ("1KB", 1000), ("1 KiB", 1024), ("1.5 GiB", 3 << 29),
        ("2 gb", 2 * 10**9), ("0.5 MB", 500_000), ("12 B", 12), ("1 TiB", 1 << 40),
    ],
)  # fmt: skip
def test_sizes_are_written_as_people_write_them(text: str, size: int) -> None:
    assert load(f'cache_bytes = "{text}"').cache_bytes == size
    assert load(environment={"WHOSAYS_CACHE_BYTES": text}).cache_bytes == size


@pytest.mark.parametrize("text", ["-1", "1 XB", "1..5 GB", "GB", "1e3", "2 TiB", "١ kB", "1 kB kB", "1" * 30])
def test_what_is_no_size_is_told(text: str) -> None:
    assert f"is `{text}`" in str(refused(f'cache_bytes = "{text}"'))


NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=20)
FOLDERS = NAMES.filter(str.strip).map(Path)
ADDRESSES = st.ip_addresses().map(str)
SIZES = st.integers(1_000_000, 1 << 40)
SECONDS = st.floats(1, 86_400)
COUNTS = st.integers(1, 256)
ANY = st.fixed_dictionaries(
    {},
    optional={
        "store": FOLDERS,
        "records": FOLDERS,
        "queries": FOLDERS,
        "quotes": st.sampled_from(["none", "passage", "document"]),
        "host": ADDRESSES,
        "port": st.integers(1, 65_535),
        "base": st.sampled_from(["http://127.0.0.1:80", "https://example.org/a/b/", "https://example.org"]),
        "proxies": st.lists(ADDRESSES, max_size=3),
        "services": st.lists(st.sampled_from(["http://a.example/x", "https://b.example:80/y?z"]), max_size=2),
        "plain": st.booleans(),
        "cors": st.booleans(),
        "query_seconds": SECONDS,
        "token_query_seconds": SECONDS,
        "query_memory": SIZES,
        "answer_bytes": SIZES,
        "cache_bytes": st.integers(0, 1 << 40),
        "answer_rows": st.integers(1, 10**15),
        "waiting": st.integers(0, 100_000),
        "workers": COUNTS,
        "budget_seconds": st.floats(0, 86_400),
        "budget_window": SECONDS,
        "access_log": NAMES.filter(lambda name: name != "none" and not name.endswith("/")),
        "metrics": st.sampled_from(["loopback", "all", "none"]),
    },
)


@given(ANY)
def test_another_process_reads_the_same_settings_from_the_environment(given_: dict[str, object]) -> None:
    Path("whosays.toml").write_text("this would be no TOML")
    settings = Settings.load({"WHOSAYS_CONFIG": os.devnull}, **given_)
    environment = settings.as_environment()
    assert all(isinstance(value, str) and "\0" not in value and value for value in environment.values())
    assert Settings.load(environment) == settings


@given(ANY)
def test_what_is_written_as_toml_is_read_as_the_same_settings(given_: dict[str, object]) -> None:
    settings = Settings.load({"WHOSAYS_CONFIG": os.devnull}, **given_)
    names = [field.name for field in dataclasses.fields(Settings) if field.name != "texts"]
    written = [f"{name} = {as_toml(setting_kind(name).plain(getattr(settings, name)))}\n" for name in names]
    assert load("".join(written)) == settings


@given(st.text() | st.sampled_from(["port = 9\n", 'a = """\n', "[x]\n", "# é\r\n"]), st.integers(0, 3))
def test_whatever_stands_in_the_file_is_read_or_told(text: str, times: int) -> None:
    data = (text * times).encode("utf-8", "surrogatepass")
    Path("whosays.toml").write_bytes(data)
    try:
        readable = isinstance(tomllib.loads(data.decode()).get("port", 9), int)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        readable = False
    if readable and set(tomllib.loads(data.decode())) <= {"port"}:
        Settings.load({})
    else:
        with pytest.raises(SettingError, match=r"whosays\.toml"):
            Settings.load({})
