"""Settings: one dataclass, from the command line, else the environment, else one TOML file, else the default.

A setting has one name everywhere: `query_seconds` in the dataclass and in the file, which is one flat
table, `WHOSAYS_QUERY_SECONDS` in the environment. The file is the one that `--config` names, else
`WHOSAYS_CONFIG`, else `whosays.toml` in the current folder if it is there. Relative paths in it go
out from its folder. Whatever makes no sense is told with its place; nothing is passed over.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from kg.errors import Place, SettingError
from kg.setting_values import (
    Flag,
    Folder,
    Kind,
    LogFile,
    OrNone,
    Seconds,
    Several,
    Size,
    Whole,
    Words,
    endpoint,
    host_name,
    is_loopback,
    network,
    one_of,
    web_address,
)
from kg.settings_file import read_settings_file

Quotes = Literal["none", "passage", "document"]
Readers = Literal["loopback", "all", "none"]

_DAY = 86_400.0


def _count(low: int, high: int) -> Whole:
    return Whole(f"a whole number from {low} to {high}", low, high)


def _seconds(low: float) -> Seconds:
    return Seconds(f"a number of seconds from {low:g} to {_DAY:.0f}", low, _DAY)


def _size(low: int) -> Size:
    return Size(f"a size from {low} bytes to 1 TiB, such as 512 MiB, 2 GB or 1000000", low, 1 << 40)


_KINDS: dict[str, Kind[Any]] = {
    "store": Folder(),
    "records": Folder(),
    "texts": Folder(),
    "quotes": one_of(*get_args(Quotes)),
    "host": Words("an address or a name, such as 127.0.0.1", host_name),
    "port": _count(1, 65_535),
    "base": OrNone(Words("an address such as https://example.org/whosays", web_address)),
    "proxies": Several("addresses or networks, such as 10.0.0.0/8", network),
    "services": Several("whole IRIs of HTTP or HTTPS", endpoint),
    "queries": OrNone(Folder()),
    "plain": Flag(),
    "writable": Flag(),
    "cors": Flag(),
    "query_seconds": _seconds(0.01),
    "token_query_seconds": _seconds(0.01),
    "query_memory": _size(1_000_000),
    "query_bytes": _size(1),
    "query_tokens": _count(1, 10**9),
    "answer_bytes": _size(1),
    "answer_rows": OrNone(_count(1, 10**15)),
    "threads": _count(1, 1024),
    "workers": _count(1, 256),
    "slow_queries": _count(1, 256),
    "waiting": _count(0, 100_000),
    "cache_bytes": _size(0),
    "cache_answer_bytes": _size(0),
    "budget_seconds": _seconds(0),
    "token_budget_seconds": _seconds(0),
    "budget_window": _seconds(1),
    "access_log": LogFile("a file, `-` for standard error, or none"),
    "metrics": one_of(*get_args(Readers)),
}
"""What each setting takes."""


@dataclass(frozen=True)
class Settings:
    """What a user can set. Sizes are in bytes, times in seconds.

    Parameters:
        store: folder of the database.
        records: folder of the curated records.
        texts: folder of the user's copies of the documents.
        quotes: how much of a text is shown: nothing, the passage, or the document; where it is not given,
            the document if the service is `local`, else the passage.
        host: address that the server listens on.
        port: its port.
        base: public address of the server, for links; None where that is the one asked for.
        proxies: addresses of reverse proxies and their networks, whose word on who asks is believed.
        services: endpoints that `SERVICE` may reach, each a whole IRI.
        queries: folder of the users' own saved queries.
        plain: whether any Oxigraph database is served as it is, without pages, shapes and rules.
        writable: whether a plain database may be written, without a token: on the loopback only.
        cors: whether pages of other sites may read.
        query_seconds: deadline of a query.
        token_query_seconds: the same for holders of a token; where it is not given, 60 or `query_seconds`,
            whichever is more.
        query_memory: what a query's process may take beyond what it has at rest.
        query_bytes: the longest query that is read.
        query_tokens: the most tokens that a query may have, lists of data not counted.
        answer_bytes: a larger answer is cut, and is seen to be.
        answer_rows: an answer of more rows is cut, and is seen to be; None for no bound.
        threads: threads for pages and the door.
        workers: processes that answer quick queries.
        slow_queries: how many queries may run longer than 50 ms at once.
        waiting: how many queries may wait, before more are turned away.
        cache_bytes: memory for answers that are kept.
        cache_answer_bytes: the largest answer that is kept.
        budget_seconds: seconds of queries that a client has in each window; 0 for no bound, which it is
            where it is not given and the service is `local`.
        token_budget_seconds: the same for holders of a token; 240.
        budget_window: length of that window.
        access_log: file of the access log, `-` for standard error, empty for none; where it is not given,
            none if the service is `local`, else standard error.
        metrics: who may read the metrics: those on the machine itself, all, or none.

    >>> Settings.load({"WHOSAYS_PORT": "9000", "WHOSAYS_QUERY_MEMORY": "2 GB"}).query_memory
    2000000000
    """

    store: Path = Path("whosays-store")
    records: Path = Path(str(resources.files("kg") / "records"))
    texts: Path = Path("texts")
    quotes: Quotes = "document"
    host: str = "127.0.0.1"
    port: int = 8000
    base: str | None = None
    proxies: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    queries: Path | None = None
    plain: bool = False
    writable: bool = False
    cors: bool = True
    query_seconds: float = 10.0
    token_query_seconds: float = 60.0
    query_memory: int = 1_610_612_736
    query_bytes: int = 1_000_000
    query_tokens: int = 20_000
    answer_bytes: int = 1_000_000_000
    answer_rows: int | None = None
    threads: int = 32
    workers: int = 2
    slow_queries: int = 2
    waiting: int = 128
    cache_bytes: int = 64 << 20
    cache_answer_bytes: int = 1 << 20
    budget_seconds: float = 0.0
    token_budget_seconds: float = 0.0
    budget_window: float = 60.0
    access_log: str = ""
    metrics: Readers = "loopback"

    @property
    def local(self) -> bool:
        """Whether only this machine can ask: it listens on the loopback, and nothing says that it is passed on.

        >>> Settings().local, Settings(base="https://example.org").local
        (True, False)
        """
        name = urlsplit(self.base or "").hostname
        return is_loopback(self.host) and not self.proxies and (name is None or is_loopback(name))

    @classmethod
    def load(cls, environment: Mapping[str, str] = os.environ, config: Path | None = None, **given: object) -> Settings:
        """Return the settings.

        Parameters:
            environment: where the ``WHOSAYS_`` variables are looked up; an empty one is one not given.
            config: the file; None for the one that the environment names, or `whosays.toml`.
            given: what the command line gives, as text or as it is; None means not given.

        Raises:
            SettingError: a value that makes no sense.
        """
        return cls.trace(environment, config, **given)[0]

    @classmethod
    def trace(
        cls, environment: Mapping[str, str] = os.environ, config: Path | None = None, **given: object
    ) -> tuple[Settings, dict[str, str]]:
        """Return the settings, and where each comes from: `option`, a variable, a line of the file, or `default`.

        Parameters:
            environment, config, given: as for `load`.

        Raises:
            SettingError: a value that makes no sense.

        >>> Settings.trace({"WHOSAYS_PORT": "9000"}, host="::1")[1]["port"]
        'WHOSAYS_PORT'
        """
        values: dict[str, Any] = {}
        places: dict[str, Place] = {}
        path = config or Path(environment.get("WHOSAYS_CONFIG") or "whosays.toml")
        if config or environment.get("WHOSAYS_CONFIG") or path.exists():
            for name, (value, place) in read_settings_file(path).items():
                kind = _KINDS.get(name) or _unknown(name, place)
                values[name] = kind.beside(_check(kind, name, value, place), path.parent)
                places[name] = place
        origins = dict.fromkeys(_KINDS, "default") | {name: str(place) for name, place in places.items()}
        for name, kind in _KINDS.items():
            if value := environment.get(variable := variable_name(name)):
                values[name], origins[name] = _check(kind, variable, kind.from_text(value)), variable
                places.pop(name, None)
        for name, value in given.items():
            kind = _KINDS.get(name) or _unknown(name)
            if value is not None:
                values[name] = _check(kind, name, kind.from_text(value) if isinstance(value, str) else value)
                origins[name] = "option"
                places.pop(name, None)
        settings = cls(**values)
        open_to_others = {"quotes": "passage", "budget_seconds": 60.0, "token_budget_seconds": 240.0, "access_log": "-"}
        defaults: dict[str, Any] = {} if settings.local else open_to_others
        defaults["token_query_seconds"] = max(cls.token_query_seconds, settings.query_seconds)
        settings = cls(**{**defaults, **values})
        _check_together(settings, values, places)
        return settings, origins

    def as_environment(self) -> dict[str, str]:
        """Return the variables by which `load` gives these settings in another process, whatever file is there.

        >>> Settings.load(Settings(port=9000).as_environment()) == Settings(port=9000)
        True
        """
        texts = {name: kind.text(getattr(self, name)) for name, kind in _KINDS.items()}
        if not self.texts.is_dir():
            del texts["texts"]  # the default, which need not be there
        return {variable_name(name): text for name, text in texts.items()} | {"WHOSAYS_CONFIG": os.devnull}


def setting_kind(name: str) -> Kind[Any]:
    """Return what kind of value a setting takes.

    >>> setting_kind("quotes").takes
    'one of: none, passage, document'
    """
    return _KINDS[name]


def variable_name(name: str) -> str:
    """Return the name of a setting in the environment.

    >>> variable_name("query_seconds")
    'WHOSAYS_QUERY_SECONDS'
    """
    return f"WHOSAYS_{name.upper()}"


def unknown_setting(name: str) -> tuple[str, str]:
    """Return what is wrong with a name that no setting has, and its mend with the nearest that one has.

    >>> unknown_setting("query-second")
    ('there is no setting `query-second`', 'did you mean `query_seconds`? `whosays config` prints all')
    """
    near = get_close_matches(name.lower().replace("-", "_"), list(_KINDS), n=1, cutoff=0.6)
    mend = f"did you mean `{near[0]}`? `whosays config` prints all" if near else "`whosays config` prints all"
    return f"there is no setting `{name}`", mend


def _unknown(name: str, place: Place | None = None) -> Kind[Any]:
    problem, mend = unknown_setting(name)
    raise SettingError(problem, mend=mend, place=place)


def _check(kind: Kind[Any], name: str, value: object, place: Place | None = None) -> object:
    try:
        return kind.check(value)
    except ValueError as error:
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        shown = shown if len(shown) <= 80 else f"{shown[:80]}…"
        raise SettingError(f"`{name}` is `{shown}`", mend=f"give {kind.takes}", place=place) from error


def _check_together(settings: Settings, given: Mapping[str, object], places: Mapping[str, Place]) -> None:
    if "texts" in given and not settings.texts.is_dir():
        raise SettingError(
            f"there is no folder {settings.texts} for the texts",
            mend="name the folder that holds your copies, or leave --texts and WHOSAYS_TEXTS out",
            place=places.get("texts"),
        )
    if settings.writable and not settings.plain:
        raise SettingError(
            "`writable` is for `plain` databases only: a graph of Whosays is written through the door, with a token",
            mend="leave it out, or set `plain` too",
            place=places.get("writable"),
        )
    if settings.writable and not settings.local:
        raise SettingError(
            "a database that is `writable` without a token may be served on the loopback only, behind no proxy",
            mend="leave it out, or let `host` be 127.0.0.1, `proxies` and `base` none",
            place=places.get("writable"),
        )
