"""How the front answers: whole, piece by piece, or with a problem (RFC 9457)."""

from __future__ import annotations

import json

from server.front.keeping import Headers
from server.front.negotiating import problem_type
from server.front.requests import Request, Send

OPEN = [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"*")]
"""What lets the pages of other sites read."""

SAFE = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"referrer-policy", b"same-origin"),
]
"""What keeps an answer from being taken for a page."""


def content_type(media_type: str) -> bytes:
    """Return the header's value: a text says how it is encoded.

    >>> content_type("text/csv"), content_type("application/json")
    (b'text/csv; charset=utf-8', b'application/json')
    """
    told = media_type.startswith("text/") and "charset=" not in media_type
    return (f"{media_type}; charset=utf-8" if told else media_type).encode("latin-1")


async def send_whole(send: Send, status: int, headers: Headers, body: bytes, *, head: bool = False) -> None:
    """Send an answer whose body is there.

    Parameters:
        send: of ASGI.
        status, headers: its length among them.
        body: all of it.
        head: only the headers are wanted.
    """
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})


async def send_bytes(
    send: Send, request: Request, status: int, media_type: str, body: bytes, *more: tuple[bytes, bytes]
) -> None:
    """Send an answer that is not kept."""
    headers = [(b"content-type", content_type(media_type)), (b"content-length", b"%d" % len(body)), *SAFE, *more]
    await send_whole(send, status, headers, body, head=request.method == "HEAD")


async def send_problem(
    send: Send, request: Request, status: int, problem: str, mend: str, *more: tuple[bytes, bytes]
) -> None:
    """Send what is wrong; see `tell_problem`."""
    media_type, body = tell_problem(request.accept, status, problem, mend)
    headers = [
        (b"content-type", media_type.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"vary", b"Accept"),
        (b"cache-control", b"no-store"),
        *SAFE,
        *more,
    ]
    await send_whole(send, status, headers, body, head=request.method == "HEAD")


def tell_problem(accept: str, status: int, problem: str, mend: str) -> tuple[str, bytes]:
    """Return what is wrong, as text or as `application/problem+json`, whichever the client takes.

    Parameters:
        accept: its Accept header.
        status: of the answer.
        problem, mend: for people.

    Returns:
        The media type and the body.

    >>> tell_problem("", 404, "there is no such thing", "look again")
    ('text/plain; charset=utf-8', b'there is no such thing\\n  mend: look again\\n')
    """
    media_type = problem_type(accept)
    if media_type.startswith("text/"):
        return media_type, f"{problem}\n  mend: {mend}\n".encode()
    told = {"title": problem, "status": status, "detail": mend}
    return media_type, (json.dumps(told, ensure_ascii=False) + "\n").encode()
