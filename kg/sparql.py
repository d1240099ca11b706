"""What can be told of a SPARQL text without evaluating it: its size, its reach, whether it is pure.

From Python the engine's `SERVICE` and `LOAD` cannot be switched off, so the words are looked for beforehand.
What cannot be told for sure is told on the safe side: refused, or no pure function. Most texts are short and
have none of the words; those are not even cut into tokens.

Updates are read by `kg.sparql_updates`. Sources: https://www.w3.org/TR/sparql11-query/ and
https://www.w3.org/TR/sparql11-update/.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kg.errors import OverrunError, RefusedError
from kg.names import PREFIXES, WS, XSD
from kg.sparql_tokens import Brackets, Token, decode_escapes, is_iri, is_prefixed, is_unsure, is_word, tokens

PURE_FUNCTIONS = frozenset({WS + "quote", WS + "label"})
"""Functions of ours whose value depends on nothing but snapshot and texts, beside the casts of XML Schema."""

_SERVICE = re.compile("SERVICE", re.IGNORECASE | re.ASCII)
_SERVICE_OR_LOAD = re.compile("SERVICE|LOAD", re.IGNORECASE | re.ASCII)
_DATASET = re.compile("FROM|USING|WITH", re.IGNORECASE | re.ASCII)
_IMPURE = re.compile("NOW|RAND|UUID|BNODE|SERVICE", re.IGNORECASE | re.ASCII)
_MAY_CALL = re.compile(r"(?:>|:[^\s<>{}\"(]*+)(?:\s|#[^\n\r]*+)*+\(")
_GLUED = re.compile("SERVICE|^PREFIX", re.IGNORECASE | re.ASCII)
_ABSOLUTE = re.compile(r"<[A-Za-z][A-Za-z0-9+.\-]*:[^\\]*>")
_LATE_DOTS = re.compile(r"[^.]*\.+[^.]+\.")
_SHORT = 1_000
"""Characters up to which it is quicker to look whether there can be a call than to cut the text into tokens."""

_FREE_WORDS = frozenset({"A", "TRUE", "FALSE", "UNDEF"})


@dataclass(frozen=True)
class TextLimits:
    """How long a query or update may be.

    Parameters:
        size: bytes in UTF-8.
        tokens: how many, those of plain data not counted: `VALUES` blocks, `INSERT DATA` and `DELETE DATA`,
            `IN` lists, as far as they hold terms and what separates them.
    """

    size: int = 1_000_000
    tokens: int = 20_000


USUAL = TextLimits()


def check_query(text: str, *, services: Collection[str] = (), limits: TextLimits = USUAL) -> None:
    """Refuse a query that is too long, or would reach out of this machine.

    Parameters:
        text: SPARQL.
        services: absolute IRIs of endpoints that it may reach; only a whole IRI that stands in the query is compared.
        limits: how long it may be.

    Raises:
        RefusedError: it has a SERVICE clause to anything else, or one may be hidden in it.
        OverrunError: it is too long.

    >>> check_query("SELECT * { SERVICE <http://example.org/> { ?s ?p ?o } }")
    Traceback (most recent call last):
    kg.errors.RefusedError: SERVICE is not allowed here
      mend: ask the other endpoint directly
    """
    _check(text, services, limits, _SERVICE)


def check_update(text: str, *, services: Collection[str] = (), limits: TextLimits = USUAL) -> None:
    """Refuse an update that is too long, or would reach out of this machine; see `check_query`.

    >>> check_update("LOAD <http://example.org/data.ttl>")
    Traceback (most recent call last):
    kg.errors.RefusedError: LOAD is not allowed here
      mend: fetch the file yourself and send what it holds
    """
    _check(text, services, limits, _SERVICE_OR_LOAD)


def is_pure(text: str) -> bool:
    """Tell whether a query has the same answer whenever it is asked of the same snapshot.

    It has not where `NOW`, `RAND`, `UUID`, `STRUUID`, `BNODE` or `SERVICE` occur, or a function that is neither a
    cast nor one of `PURE_FUNCTIONS`. A query that may only seem to have one of them is not called pure.

    Parameters:
        text: a query.

    >>> is_pure("SELECT (ws:quote(?p) AS ?q) { ?p a ws:Passage } # RAND()")
    True
    >>> is_pure("SELECT (RAND() AS ?r) {}")
    False
    """
    decoded = decode_escapes(text)
    named = _IMPURE.search(decoded)
    if not named and len(text) <= _SHORT and not _MAY_CALL.search(text):
        return True
    found = list(tokens(text))
    if is_unsure(found) or (named and not _IMPURE.search(text)):
        return False
    declared = dict(PREFIXES)
    for position, (token, _) in enumerate(found):
        if is_word(token):
            if named and _IMPURE.search(token):
                return False
        elif is_prefixed(token) or is_iri(token):
            after = found[position + 1][0] if position + 1 < len(found) else ""
            before = found[position - 1][0].upper() if position else ""
            if before == "PREFIX" and is_iri(after):
                declared[token[:-1]] = after[1:-1]
            elif is_prefixed(token) and _GLUED.search(token.partition(":")[0]):
                return False  # may be a keyword and a name with no space between
            elif after == "(" and not _is_pure_function(token, declared):
                return False
    return True


def has_dataset(text: str) -> bool:
    """Tell whether a query or an update says itself which graphs it is about: `FROM`, `USING` or `WITH`.

    >>> has_dataset("SELECT * FROM <http://example.org/g> { ?s ?p ?o }"), has_dataset("ASK { ?s ?p 'FROM' }")
    (True, False)
    """
    if not _DATASET.search(text):
        return False
    before = ""
    prefixes = {f"{prefix}:" for prefix in PREFIXES}
    for token, _ in tokens(text):
        if is_word(token) and _DATASET.search(token):
            return True
        if is_prefixed(token):
            own = token[: token.index(":") + 1]
            if before == "PREFIX":
                prefixes.add(token)
            elif own not in prefixes and _DATASET.search(own):
                return True
        before = token.upper()
    return False


def _check(text: str, services: Collection[str], limits: TextLimits, words: re.Pattern[str]) -> None:
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    if size > limits.size:
        raise OverrunError(
            f"{size:,} bytes are more than the {limits.size:,} that are taken", mend="send less at a time"
        )
    decoded = decode_escapes(text)
    if len(text) > limits.tokens:
        _check_length(text, limits)
    if words.search(decoded):
        for reading in {text, decoded}:
            _check_reach(list(tokens(reading)), services)


def _check_length(text: str, limits: TextLimits) -> None:
    if any(count > limits.tokens for count in _counts(text)):
        raise OverrunError(
            f"more than {limits.tokens:,} words and signs, those of plain data not counted",
            mend="put long lists of terms into VALUES, or ask in parts",
        )


def _counts(text: str) -> Iterator[int]:
    """Give, token by token, how many there were so far that count."""
    count, data = 0, _Data()
    brackets = Brackets()
    for token, _ in tokens(text):
        unsure = brackets.meets(token)
        if not data.holds(token, brackets):
            count += len(token) if unsure else 1
        yield count


class _Data:
    """Tells which tokens are plain data: terms, and what separates them, in a block or list that holds only those."""

    def __init__(self) -> None:
        self._block = self._list = 0  # how many brackets were open when it began, itself included
        self._values = False
        self._before = ""

    def holds(self, token: str, brackets: Brackets) -> bool:
        """Tell whether a token, which the brackets have met, is plain data."""
        depth, before = len(brackets.open), self._before
        self._before = token.upper()
        if self._block:
            if depth < self._block:
                self._block = 0
                return False
            # A row of VALUES has round brackets of its own.
            row = self._values and depth <= self._block + 1 and token in ("(", ")")
            return row or self._is_plain(token)
        if self._list:
            if depth < self._list:
                self._list = 0
                return False
            return depth == self._list and (self._is_plain(token) if token not in "+-" else before in (",", "("))
        if token == "{" and (self._values or before == "DATA"):
            self._block, self._values = depth, self._values and before != "DATA"
        elif token == "(" and before == "IN":
            self._list = depth
        elif self._before == "VALUES":
            self._values = True
        elif token[0] not in "?$()":
            self._values = False
        return False

    @staticmethod
    def _is_plain(token: str) -> bool:
        if len(token) == 1:
            return token in ",;.^+-:" or token.isdigit() or token in "aA"
        return token.upper() in _FREE_WORDS if is_word(token) else True


def _check_reach(found: Sequence[Token], services: Collection[str]) -> None:
    unsure = is_unsure(found)
    depth = 0
    for position, (token, _) in enumerate(found):
        depth += (token == "{") - (token == "}")
        word = token.upper()
        before = found[position - 1][0] if position else ""
        if is_word(token):
            if "LOAD" in word:
                raise _no_load()
            if "SERVICE" in word and not (word == "SERVICE" and _goes_to(found[position + 1 : position + 3], services)):
                raise _no_service()
        elif is_prefixed(token):
            prefix, _, local = word.partition(":")
            after = found[position + 1][0] if position + 1 < len(found) else ""
            if "SERVICE" in prefix and after == "{" and before.upper() != "GRAPH":
                raise _no_service()
            if "SERVICE" in local and (late := _LATE_DOTS.match(local)) and "SERVICE" in local[late.end() :]:
                raise _no_service()
            if "LOAD" in prefix and depth == 0 and not (before and is_word(before)):
                raise _no_load()
    if unsure:
        raise RefusedError(
            "the query or update names SERVICE or LOAD, and has a `<` that may compare or begin an IRI",
            mend="put spaces around the signs `<` and `>` where they compare",
        )


def _goes_to(after: Sequence[Token], services: Collection[str]) -> bool:
    rest = [token for token, _ in after]
    if rest and rest[0].upper() == "SILENT":
        rest = rest[1:]
    return bool(rest) and bool(_ABSOLUTE.fullmatch(rest[0])) and rest[0][1:-1] in services


def _is_pure_function(token: str, declared: Mapping[str, str]) -> bool:
    if is_iri(token):
        function = token[1:-1]
    else:
        prefix, _, local = token.partition(":")
        function = declared.get(prefix, "") + local
    return function.startswith(XSD) or function in PURE_FUNCTIONS


def _no_service() -> RefusedError:
    return RefusedError("SERVICE is not allowed here", mend="ask the other endpoint directly")


def _no_load() -> RefusedError:
    return RefusedError("LOAD is not allowed here", mend="fetch the file yourself and send what it holds")
