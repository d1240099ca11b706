"""The kinds of values that settings take: how each is read, what it takes, how it is written.

A value comes as text, from the environment or the command line, or as TOML has it, from the file of
settings. `from_text` turns the first into the second, `check` turns the second into what the program
uses, and is strict: the text "8000" is no number in the file. `plain` turns it back.
"""

from __future__ import annotations

import ipaddress
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar
from urllib.parse import urlsplit

import pyoxigraph as ox

Plain: TypeAlias = bool | int | float | str | list[str]
"""A value as TOML has it."""

T = TypeVar("T")

_UNITS = {
    "TiB": 1 << 40,
    "TB": 10**12,
    "GiB": 1 << 30,
    "GB": 10**9,
    "MiB": 1 << 20,
    "MB": 10**6,
    "KiB": 1 << 10,
    "kB": 1000,
    "B": 1,
}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([a-z]*)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Kind(ABC, Generic[T]):
    """A kind of value.

    Parameters:
        takes: what it takes, as words that follow "give".
    """

    takes: str

    def from_text(self, text: str) -> object:
        """Return what a text means, as TOML would have it; what it cannot mean is left for `check`."""
        return text

    @abstractmethod
    def check(self, value: object) -> T:
        """Return the value that is used.

        Raises:
            ValueError: it is of another type, or impossible.
        """

    def plain(self, value: T) -> Plain:
        """Return a value as TOML has it."""
        assert isinstance(value, bool | int | float | str)
        return value

    def text(self, value: T) -> str:
        """Return the text by which `from_text` and `check` give the value again."""
        plain = self.plain(value)
        if isinstance(plain, bool):
            return "true" if plain else "false"
        return " ".join(plain) if isinstance(plain, list) else str(plain)

    def beside(self, value: T, folder: Path) -> T:  # noqa: ARG002
        """Return the value as one that stands in a file of that folder, from where its paths go out."""
        return value


@dataclass(frozen=True)
class Whole(Kind[int]):
    """A whole number from `low` to `high`.

    >>> port = Whole("a port", 1, 65_535)
    >>> port.check(port.from_text("8000"))
    8000
    """

    low: int
    high: int

    def from_text(self, text: str) -> object:
        return int(text) if re.fullmatch("-?[0-9]{1,18}", text, re.ASCII) else text

    def check(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise ValueError(value)
        return value


@dataclass(frozen=True)
class Seconds(Kind[float]):
    """A number of seconds from `low` to `high`.

    >>> Seconds("seconds", 0.1, 60).check(2)
    2.0
    """

    low: float
    high: float

    def from_text(self, text: str) -> object:
        return float(text) if re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?(e-?[0-9]{1,3})?", text, re.ASCII) else text

    def check(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            raise ValueError(value)
        return float(value)

    def plain(self, value: float) -> Plain:
        return int(value) if value.is_integer() else value


@dataclass(frozen=True)
class Size(Kind[int]):
    """A number of bytes, or a text such as "512 MiB", "2 GB".

    >>> size = Size("a size", 0, 1 << 40)
    >>> size.check("1.5 GiB"), size.plain(1_610_612_736), size.text(2_000)
    (1610612736, '1.5 GiB', '2000')
    """

    low: int
    high: int

    def check(self, value: object) -> int:
        if isinstance(value, str):
            match = _SIZE.fullmatch(value.strip())
            units = {name.lower(): bytes_ for name, bytes_ in _UNITS.items()}
            unit = units.get(match[2].lower() or "b") if match else None
            if match is None or unit is None:
                raise ValueError(value)
            whole, _, part = match[1].partition(".")
            exact = int(whole + part) * unit
            value, rest = divmod(exact, 10 ** len(part))
            if rest:
                raise ValueError(value)  # parts of a byte
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise ValueError(value)
        return value

    def plain(self, value: int) -> Plain:
        for name, unit in _UNITS.items():
            if 1 < unit <= value and value * 10 % unit == 0:
                return f"{value // unit}{f'.{value * 10 // unit % 10}' if value % unit else ''} {name}"
        return value

    def text(self, value: int) -> str:
        return str(value)


@dataclass(frozen=True)
class Flag(Kind[bool]):
    """True or false.

    >>> flag = Flag()
    >>> flag.check(flag.from_text("yes")), flag.check(flag.from_text("0"))
    (True, False)
    """

    takes: str = "true or false"

    def from_text(self, text: str) -> object:
        words = {
            "true": True,
            "yes": True,
            "on": True,
            "1": True,
            "false": False,
            "no": False,
            "off": False,
            "0": False,
        }
        return words.get(text.lower(), text)

    def check(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError(value)
        return value


@dataclass(frozen=True)
class Words(Kind[str]):
    """A text that a function lets pass, as it is or better written.

    >>> Words("a text", str.strip).check(" a ")
    'a'
    """

    reading: Callable[[str], str]

    def check(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(value)
        return self.reading(value)


@dataclass(frozen=True)
class LogFile(Kind[str]):
    """Where a log goes: `-` for standard error, a file, or nothing, which is also written `none`.

    >>> log = LogFile("a file")
    >>> log.check("none"), log.beside("a.log", Path("/var/log")), log.beside("-", Path("/var/log"))
    ('', '/var/log/a.log', '-')
    """

    def check(self, value: object) -> str:
        text = str(value) if isinstance(value, Path) else value
        if not isinstance(text, str) or "\0" in text or text.endswith("/"):
            raise ValueError(value)
        return "" if text == "none" else text

    def plain(self, value: str) -> Plain:
        return value or "none"

    def beside(self, value: str, folder: Path) -> str:
        return value if value in ("", "-") else str(folder / value)


@dataclass(frozen=True)
class Folder(Kind[Path]):
    """A folder, which need not be there.

    >>> Folder().beside(Path("texts"), Path("/srv"))
    PosixPath('/srv/texts')
    """

    takes: str = "the name of a folder"

    def check(self, value: object) -> Path:
        if not isinstance(value, str | Path) or not str(value).strip() or "\0" in str(value):
            raise ValueError(value)
        return Path(value)

    def plain(self, value: Path) -> Plain:
        return str(value)

    def beside(self, value: Path, folder: Path) -> Path:
        return folder / value


@dataclass(frozen=True)
class Several(Kind[tuple[str, ...]]):
    """Texts that a function lets pass; as text, separated by spaces.

    >>> several = Several("numbers", lambda text: str(int(text)))
    >>> several.check(several.from_text("1 02")), several.text(()), several.check(several.from_text("none"))
    (('1', '2'), 'none', ())
    """

    reading: Callable[[str], str]

    def from_text(self, text: str) -> object:
        return [] if text == "none" else text.split()

    def check(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise ValueError(value)
        return tuple(self.reading(item) for item in value)

    def plain(self, value: tuple[str, ...]) -> Plain:
        return list(value)

    def text(self, value: tuple[str, ...]) -> str:
        return " ".join(value) or "none"


class OrNone(Kind[T | None]):
    """A kind of value that may be wanting, which is written `none`: TOML has no word for it.

    Parameters:
        kind: the kind where it is not.

    >>> rows = OrNone(Whole("a number of rows", 1, 10))
    >>> rows.check("none") is None, rows.check(3), rows.text(None), rows.takes
    (True, 3, 'none', 'a number of rows, or none')
    """

    def __init__(self, kind: Kind[T]) -> None:
        super().__init__(f"{kind.takes}, or none")
        object.__setattr__(self, "kind", kind)
        self.kind: Kind[T]

    def from_text(self, text: str) -> object:
        return text if text == "none" else self.kind.from_text(text)

    def check(self, value: object) -> T | None:
        return None if value == "none" else self.kind.check(value)

    def plain(self, value: T | None) -> Plain:
        if value is None:
            return "none"
        plain = self.kind.plain(value)
        return "./none" if plain == "none" else plain  # a folder of that name

    def text(self, value: T | None) -> str:
        return "none" if value is None else super().text(value)

    def beside(self, value: T | None, folder: Path) -> T | None:
        return None if value is None else self.kind.beside(value, folder)


def one_of(*choices: str) -> Words:
    """Return the kind of value that is one of a few words.

    >>> one_of("all", "none").takes
    'one of: all, none'
    """

    def reading(text: str) -> str:
        if text not in choices:
            raise ValueError(text)
        return text

    return Words(f"one of: {', '.join(choices)}", reading)


def host_name(text: str) -> str:
    """Return a name or address to listen on.

    Raises:
        ValueError: it can be none.

    >>> host_name("::1")
    '::1'
    """
    if not re.fullmatch(r"[A-Za-z0-9._:%-]{1,255}", text):
        raise ValueError(text)
    return text


def network(text: str) -> str:
    """Return the address of a machine or of a network (RFC 4632).

    Raises:
        ValueError: it is none.

    >>> network("10.0.0.0/8"), network("::1")
    ('10.0.0.0/8', '::1')
    """
    ipaddress.ip_network(text)
    return text


def web_address(text: str) -> str:
    """Return a public address without the stroke at its end.

    Raises:
        ValueError: it is none, or has a user, a query or a fragment.

    >>> web_address("https://example.org/whosays/")
    'https://example.org/whosays'
    """
    parts = urlsplit(endpoint(text))
    if not parts.hostname or "@" in parts.netloc or "?" in text or "#" in text or parts.port == 0:
        raise ValueError(text)
    return text.rstrip("/")


def endpoint(text: str) -> str:
    """Return the whole IRI of an endpoint.

    Raises:
        ValueError: it is none of HTTP.

    >>> endpoint("https://query.wikidata.org/sparql")
    'https://query.wikidata.org/sparql'
    """
    if not re.match("https?://[^/]", text, re.IGNORECASE):
        raise ValueError(text)
    return ox.NamedNode(text).value


def is_loopback(host: str) -> bool:
    """Tell whether an address or a name is that of the machine itself, which others cannot reach.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def as_toml(value: Plain) -> str:
    """Return a value as it is written in TOML.

    >>> as_toml(["a", "b"]), as_toml(True), as_toml("1 MB")
    ('["a", "b"]', 'true', '"1 MB"')
    """
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return f"[{', '.join(map(as_toml, value))}]"
    return ("false", "true")[value] if isinstance(value, bool) else repr(value)
