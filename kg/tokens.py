"""Tokens: who may propose and who may curate.

A token is a bearer token (RFC 6750) in four parts, told apart by their lengths:

    whosays_<12 hexadecimal digits>_<43 characters>_<8 hexadecimal digits>
             public id               256 random bits  CRC-32 of all before it

The prefix lets scanners for secrets find a token that slipped into a file, and the checksum tells
a mistyped token from an unknown one without a look at the store. Of the whole only the SHA-256 is
kept. A slow hash would buy nothing: it is there to make the guessing of *weak* secrets dear, and
nobody guesses 256 random bits (NIST SP 800-63B-3, 5.1.2.2: from 112 bits of entropy on, an approved
one-way function is enough; below, salt and a key derivation function are needed).

A token is looked up by its public id and compared by its hash in constant time; for an unknown id
the same work is done on a hash that nothing has. The secret is in no repr, no message and no file,
not even where somebody gives it in the place of a name.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import sqlite3
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from kg.errors import NotFoundError, ParameterError
from kg.names import ID
from kg.sqlite_file import SqliteFile, utc_now

Role: TypeAlias = Literal["contributor", "curator"]
"""What a bearer may do; a curator may do all that a contributor may."""

LONGEST = 36_500
"""The longest life of a token that expires, in days."""

_AGENT = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
_TOKEN = re.compile(r"(whosays_([0-9a-f]{12})_[A-Za-z0-9_-]{43}_)([0-9a-f]{8})")
_NOBODY = bytes(32)
_SCHEMA = """
CREATE TABLE token (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('contributor', 'curator')),
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    made TEXT NOT NULL,
    expires TEXT,
    last_used TEXT,
    revoked TEXT
);
CREATE INDEX token_name ON token (name);
"""


@dataclass(frozen=True)
class Bearer:
    """Who acts with a token.

    Parameters:
        name: the agent's slug.
        role: what it may do.

    >>> anna = Bearer("anna", "contributor")
    >>> anna.agent, anna.may("contributor"), anna.may("curator")
    ('https://w3id.org/whosays/id/anna', True, False)
    """

    name: str
    role: Role

    @property
    def agent(self) -> str:
        """The agent's IRI, for the provenance."""
        return ID + self.name

    def may(self, role: Role) -> bool:
        """Tell whether the bearer may do what a role may."""
        return self.role in ("curator", role)


@dataclass(frozen=True)
class TokenEntry:
    """What is known of a token; not its secret.

    Parameters:
        id: the public id, which is part of the token.
        name: slug of the agent who acts with it.
        role: what it may do.
        made, expires, revoked: UTC, ISO 8601 to the second; None where it never expires, is not revoked.
        last_used: the day, UTC; None where it never was.
    """

    id: str
    name: str
    role: Role
    made: str
    expires: str | None
    last_used: str | None
    revoked: str | None


Entries: TypeAlias = list[TokenEntry]


def check_agent(name: str) -> str:
    """Return the name of an agent if it is one as the register writes it.

    Parameters:
        name: a slug.

    Raises:
        ParameterError: it is none. The message does not repeat it: it may be a token given by mistake.

    >>> check_agent("jane-doe")
    'jane-doe'
    """
    if not _AGENT.fullmatch(name):
        raise ParameterError(
            f"what was given as an agent's name ({len(name)} characters) is none",
            mend="write it as in the register: lower-case letters, digits and hyphens, such as `jane-doe`",
        )
    return name


def is_token(text: str) -> bool:
    """Tell whether a text is a token without slips: parts, lengths and checksum agree.

    It says nothing on whether anybody has it.

    >>> is_token("whosays_0123456789ab_and-so-on")
    False
    """
    match = _TOKEN.fullmatch(text)
    return match is not None and match[3] == _checksum(match[1])


class Tokens:
    """The tokens of a store.

    Parameters:
        path: the file, `tokens.sqlite` in the store's folder; made with the first token.

    >>> import tempfile
    >>> tokens = Tokens(Path(tempfile.mkdtemp()) / "tokens.sqlite")
    >>> secret = tokens.make("jane-doe", "curator", days=90)
    >>> tokens.check(secret)
    Bearer(name='jane-doe', role='curator')
    >>> [entry.name for entry in tokens.revoke("jane-doe")]
    ['jane-doe']
    >>> tokens.check(secret) is None
    True
    """

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, _SCHEMA, version=1)

    def make(self, name: str, role: Role, *, days: int | None) -> str:
        """Make a token. An agent may have several, so that one can follow another without a gap.

        Parameters:
            name: slug of the agent who acts with it.
            role: `contributor` or `curator`.
            days: how long it is good for, in days; None for ever.

        Returns:
            The token, which is seen this once.

        Raises:
            ParameterError: no agent's name, no role, or no number of days from 1 to `LONGEST`.
        """
        check_agent(name)
        if role not in get_args(Role):
            raise ParameterError(
                "what was given as a role is none", mend=f"give one of {', '.join(f'`{r}`' for r in get_args(Role))}"
            )
        if days is not None and not 1 <= days <= LONGEST:
            raise ParameterError(
                f"a token cannot be good for {days} days", mend=f"give 1 to {LONGEST:,} days, or none for ever"
            )
        now = datetime.now(UTC)
        expires = None if days is None else (now + timedelta(days=days)).isoformat(timespec="seconds")
        public = secrets.token_hex(6)
        body = f"whosays_{public}_{secrets.token_urlsafe(32)}_"
        token = body + _checksum(body)
        with self._file.writing() as connection:
            connection.execute(
                "INSERT INTO token (id, name, role, digest, made, expires) VALUES (?, ?, ?, ?, ?, ?)",
                (public, name, role, _digest(token), now.isoformat(timespec="seconds"), expires),
            )
        return token

    def list(self) -> Entries:
        """Return all tokens, the revoked and the expired too, by name and age."""
        with self._file.reading() as connection:
            return [_entry(row) for row in connection.execute("SELECT * FROM token ORDER BY name, made, id")]

    def revoke(self, name: str) -> Entries:
        """Revoke all tokens of an agent, or one.

        Parameters:
            name: the agent's slug, the token's public id, or the token itself.

        Returns:
            The tokens; one that was revoked before keeps its date.

        Raises:
            NotFoundError: there is no such token.
        """
        match = _TOKEN.fullmatch(name)
        wanted = match[2] if match else name
        known = bool(_AGENT.fullmatch(wanted))
        entries = []
        if known and self._file.path.exists():
            with self._file.writing() as connection:
                connection.execute(
                    "UPDATE token SET revoked = ? WHERE (id = ? OR name = ?) AND revoked IS NULL",
                    (utc_now(), wanted, wanted),
                )
                found = connection.execute(
                    "SELECT * FROM token WHERE id = ? OR name = ? ORDER BY made, id", (wanted, wanted)
                )
                entries = [_entry(row) for row in found]
        if not entries:
            raise NotFoundError(
                f"no token has the name or id {f'`{wanted}`' if known else 'that was given'}",
                mend="see `whosays tokens list`",
            )
        return entries

    def check(self, secret: str) -> Bearer | None:
        """Return who acts with a token, None where it is mistyped, unknown, expired or revoked.

        Parameters:
            secret: the token as it came.
        """
        if not is_token(secret):
            return None
        digest = _digest(secret)
        public = secret[8:20]
        with self._file.reading() as connection:
            row = connection.execute("SELECT * FROM token WHERE id = ?", (public,)).fetchone()
        same = hmac.compare_digest(digest, _NOBODY if row is None else row["digest"])
        now = utc_now()
        if row is None or not same or row["revoked"] or (row["expires"] and row["expires"] <= now):
            return None
        today = now[:10]
        if row["last_used"] != today:
            with self._file.writing() as connection:
                connection.execute("UPDATE token SET last_used = ? WHERE id = ?", (today, public))
        return Bearer(row["name"], row["role"])


def _checksum(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _entry(row: sqlite3.Row) -> TokenEntry:
    return TokenEntry(**{key: row[key] for key in row.keys() if key != "digest"})  # noqa: SIM118
