"""The SPARQL 1.1 Protocol: what a request asks for.

Source: https://www.w3.org/TR/sparql11-protocol/ (sections 2.1 and 2.2)
"""

from __future__ import annotations

import re
from binascii import a2b_qp
from typing import Literal, NamedTuple
from urllib.parse import unquote_to_bytes

import pyoxigraph as ox

FORM, QUERY, UPDATE = "application/x-www-form-urlencoded", "application/sparql-query", "application/sparql-update"

MOST_PAIRS = 1_000
"""Parameters that an address or a form may have."""

Operation = Literal["query", "update"]

_GRAPHS = {
    "query": ("default-graph-uri", "named-graph-uri"),
    "update": ("using-graph-uri", "using-named-graph-uri"),
}
_RELATIVE = re.compile(r"<(?![A-Za-z][A-Za-z0-9+.\-]*:)[^<>\"{}|^`\x00-\x20]*>")
_NO_CODE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ALL_GRAPHS = frozenset(name for pair in _GRAPHS.values() for name in pair)


class ProtocolError(Exception):
    """A request that the protocol does not know.

    Parameters:
        status: of the answer.
        problem, mend: for people.
        allow: methods, where the status is 405.
    """

    def __init__(self, status: int, problem: str, mend: str, allow: str = "") -> None:
        super().__init__(problem)
        self.status, self.problem, self.mend, self.allow = status, problem, mend, allow


class Operating(NamedTuple):
    """One operation of the protocol.

    Parameters:
        operation: a query or an update.
        text: of it.
        default_graphs, named_graphs: IRIs of the dataset, where the request gives one.
        format: short name of a format or a media type, where the request asks for one by `format=`.
        id: the name that the client gives to the query, empty for none.
        deadline: seconds that the client asks for by `timeout=`; None where it does not.
    """

    operation: Operation
    text: str
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    format: str = ""
    id: str = ""
    deadline: float | None = None


def media_type_of(content_type: str) -> str:
    """Return the media type in a Content-Type, without its parameters.

    >>> media_type_of("Application/SPARQL-Query; charset=UTF-8")
    'application/sparql-query'
    """
    return content_type.partition(";")[0].strip().lower()


def read_operation(operation: Operation, method: str, query_string: bytes, content_type: str, body: bytes) -> Operating:
    """Return what a request asks for.

    Parameters:
        operation: what this address is for.
        method: of HTTP; HEAD is taken for GET.
        query_string: of the address, undecoded.
        content_type: as the request says.
        body: all of it.

    Raises:
        ProtocolError: it is no request of the protocol; with status 400, 405 or 415.

    >>> read_operation("query", "GET", b"query=ASK%7B%7D", "", b"").text
    'ASK{}'
    """
    pairs = read_pairs(query_string, "the address")
    if operation == "query" and method == "GET" and len(pairs) == 1 and pairs[0][0] == "query":
        return Operating(operation, pairs[0][1])  # as nearly all are
    media_type = media_type_of(content_type)
    direct = QUERY if operation == "query" else UPDATE
    if method in ("GET", "HEAD"):
        if operation == "update":
            raise ProtocolError(405, "an update is sent by POST", "use POST", "POST, OPTIONS")
        texts = [value for name, value in pairs if name == operation]
    elif method != "POST":
        allow = "GET, HEAD, POST, OPTIONS" if operation == "query" else "POST, OPTIONS"
        raise ProtocolError(405, f"{method} does nothing here", f"use {allow}", allow)
    elif media_type == FORM:
        check_charset(content_type)
        pairs = pairs + read_pairs(body, "the body")
        texts = [value for name, value in pairs if name == operation]
    elif media_type == direct:
        check_charset(content_type)
        if any(name in ("query", "update") for name, _ in pairs):
            raise ProtocolError(400, f"the {operation} stands in the body and in the address", "send it once")
        texts = [_decoded(body, "the body")]
    else:
        raise ProtocolError(415, f"a body of `{media_type or 'no type'}` is no {operation}", f"send {direct} or {FORM}")
    names = {name for name, _ in pairs}
    other = "update" if operation == "query" else "query"
    if other in names:
        raise ProtocolError(400, f"`{other}` has no meaning at this address", f"send `{operation}=`")
    if len(texts) != 1:
        raise ProtocolError(
            400, f"{len(texts)} parameters `{operation}` in one request", f"send exactly one parameter `{operation}`"
        )
    default, named = _GRAPHS[operation]
    strange = (names & _ALL_GRAPHS) - {default, named}
    if strange:
        raise ProtocolError(400, f"`{min(strange)}` has no meaning for a {operation}", f"use `{default}`")
    return Operating(
        operation,
        texts[0],
        tuple(graph_iri(value) for name, value in pairs if name == default),
        tuple(graph_iri(value) for name, value in pairs if name == named),
        _last(pairs, "format"),
        _id(_last(pairs, "query-id")),
        _deadline(_last(pairs, "timeout")),
    )


def with_base(text: str, address: str) -> str:
    """Return a query or update whose relative IRIs are resolved against the address that it was sent to.

    Parameters:
        text: of the query or update.
        address: without what follows the question mark.

    Raises:
        ProtocolError: the request names a host that is none (400).

    Source: RFC 3986, section 5.1.3, to which https://www.w3.org/TR/sparql11-query/#relIRIs refers

    >>> with_base("ASK { <a> ?p ?o }", "http://localhost/sparql")
    'BASE <http://localhost/sparql> ASK { <a> ?p ?o }'
    >>> with_base("ASK { <http://example.org/a> ?p ?o }", "http://localhost/sparql")
    'ASK { <http://example.org/a> ?p ?o }'
    """
    return f"BASE <{graph_iri(address)}> {text}" if _RELATIVE.search(text) else text


def read_pairs(text: bytes, place: str) -> list[tuple[str, str]]:
    """Return the parameters in an address or a form.

    Raises:
        ProtocolError: it is not encoded as it should, or there are too many (400).
    """
    if not text:
        return []
    if text.count(b"&") >= MOST_PAIRS:
        raise ProtocolError(400, f"{place} has more than {MOST_PAIRS:,} parameters", "send fewer")
    if not text.isascii():
        raise ProtocolError(400, f"{place} is not UTF-8, percent-encoded", "encode it so")
    pairs = []
    try:
        for pair in text.replace(b"+", b" ").split(b"&"):
            if pair:
                name, _, value = pair.partition(b"=")
                pairs.append((_unquoted(name), _unquoted(value)))
    except UnicodeDecodeError as error:
        raise ProtocolError(400, f"{place} is not UTF-8, percent-encoded", "encode it so") from error
    return pairs


def _unquoted(text: bytes) -> str:
    """Undo percent-encoding: what `urllib.parse.unquote` does, in a tenth of its time, which each new query pays.

    Quoted-printable is the same code with another sign, and is read in C.

    >>> _unquoted(b"%E2%82%AC=%3D%"), _unquoted(b"100%")
    ('€==%', '100%')
    """
    if b"%" not in text:
        return text.decode("ascii")
    if _NO_CODE.search(text) or b"\n" in text or b"\r" in text:
        return unquote_to_bytes(text).decode("utf-8")
    return a2b_qp(text.replace(b"=", b"%3D").replace(b"%", b"=")).decode("utf-8")


def _decoded(body: bytes, place: str) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ProtocolError(400, f"{place} is not UTF-8", "encode it as UTF-8") from error


def check_charset(content_type: str) -> None:
    """See that a body is said to be encoded as UTF-8, or nothing is said.

    Raises:
        ProtocolError: it is said to be encoded otherwise (400).
    """
    for part in content_type.split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in ("utf-8", "utf8", "us-ascii"):
            raise ProtocolError(400, f"the charset is `{value.strip()[:40]}`", "encode it as UTF-8")


def graph_iri(iri: str) -> str:
    """Return the IRI of a graph.

    Raises:
        ProtocolError: it is none (400).
    """
    try:
        return ox.NamedNode(iri).value
    except ValueError as error:
        raise ProtocolError(400, f"`{iri[:200]}` is not an IRI", "give the whole IRI of a graph") from error


def _last(pairs: list[tuple[str, str]], name: str) -> str:
    return next((value for key, value in reversed(pairs) if key == name), "")


def _id(text: str) -> str:
    if text and not (len(text) <= 64 and text.isascii() and text.replace("-", "").isalnum()):
        raise ProtocolError(400, "`query-id` is no name of a query", "use up to 64 letters, digits and hyphens")
    return text


def _deadline(text: str) -> float | None:
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise ProtocolError(400, f"`timeout` is `{text[:40]}`", "give a number of seconds, such as 2.5")
    return seconds
