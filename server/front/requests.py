"""A request, as the front reads it, and its body."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from server.front.protocol import ProtocolError

LONGEST = 1_000
"""Bytes of a header that are read: what is kept with answers must not grow by what nobody looks at."""

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PATIENCE = 60
"""Seconds in which a body must have come."""


class Request:
    """What a request says before its body.

    Parameters:
        scope: of ASGI.

    >>> request = Request({"method": "GET", "path": "/sparql", "headers": [(b"accept", b"text/csv")]})
    >>> request.accept, request.reads
    ('text/csv', True)
    """

    __slots__ = (
        "accept",
        "accept_encoding",
        "authorization",
        "content_type",
        "forwarded",
        "host",
        "if_none_match",
        "method",
        "path",
        "peer",
        "query_string",
        "raw_path",
        "scheme",
    )

    def __init__(self, scope: Scope) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        self.query_string: bytes = scope.get("query_string", b"")
        self.scheme: str = scope.get("scheme", "http")
        client = scope.get("client")
        self.peer: str = client[0] if client else ""
        accept = encoding = content = authorization = known = forwarded = host = b""
        for name, value in scope["headers"]:  # a chain, because this is done for every request
            if name == b"accept":
                accept = b"%b, %b" % (accept, value) if accept else value
            elif name == b"accept-encoding":
                encoding = value
            elif name == b"host":
                host = value
            elif name == b"if-none-match":
                known = b"%b, %b" % (known, value) if known else value
            elif name == b"content-type":
                content = value
            elif name == b"authorization":
                authorization = value
            elif name == b"x-forwarded-for":
                forwarded = b"%b, %b" % (forwarded, value) if forwarded else value
        self.accept = accept[:LONGEST].decode("latin-1")
        self.accept_encoding = encoding[:LONGEST].decode("latin-1")
        self.content_type = content[:LONGEST].decode("latin-1")
        self.authorization = authorization.decode("latin-1")
        self.if_none_match = known
        self.forwarded = forwarded[-LONGEST:].decode("latin-1")  # the nearest stand last
        self.host = host[:LONGEST].decode("latin-1")

    @property
    def address(self) -> str:
        """The address that it was sent to, without what follows the question mark."""
        path = quote(self.raw_path.partition(b"?")[0], safe="/%:@!$&'()*+,;=~")
        return f"{self.scheme}://{self.host}{path}"

    def knows(self, tag: bytes, *, any_will_do: bool = False) -> bool:
        """Tell whether the client has an answer already, by its If-None-Match; only who reads can have one.

        Parameters:
            tag: of the answer.
            any_will_do: whether `*` counts, as it does where it is sure that there is an answer.

        Source: RFC 9110, section 13.1.2 (weak comparison)
        """
        told = self.if_none_match
        if not told or not self.reads:
            return False
        return tag.removeprefix(b"W/") in told or (any_will_do and told.strip() == b"*")

    @property
    def reads(self) -> bool:
        """Whether it asks for something and brings nothing."""
        return self.method in ("GET", "HEAD")


async def read_body(receive: Receive, most: int) -> bytes:
    """Return the body of a request.

    Parameters:
        receive: of ASGI.
        most: bytes.

    Raises:
        ProtocolError: it is larger (413), does not come (408), or the client left before its end (400).
    """
    try:
        async with asyncio.timeout(PATIENCE):
            body = await _gather(receive, most)
    except TimeoutError:
        raise ProtocolError(408, f"the body has not come within {PATIENCE} s", "send all of it") from None
    if len(body) > most:
        raise ProtocolError(413, f"the body is larger than {most:,} bytes", "send less")
    return body


async def _gather(receive: Receive, most: int) -> bytes:
    pieces: list[bytes] = []
    size, more = 0, True
    while more and size <= most:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ProtocolError(400, "the body has no end", "send all of it")
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        more = message.get("more_body", False)
    return b"".join(pieces)
