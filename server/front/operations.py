"""Operations: what is being answered and how to stop it, whether all is well, and the figures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from kg.errors import NotFoundError
from kg.settings import Settings
from kg.tokens import Bearer, Tokens
from server.clients import is_local
from server.engine.messages import Ask
from server.front.protocol import ProtocolError
from server.front.questions import Questions
from server.front.requests import Request, Send
from server.front.sending import OPEN, send_bytes
from server.metrics import CONTENT_TYPE

FRESH = (b"cache-control", b"no-store")

_READ = "GET, HEAD, OPTIONS"


_OPEN = ("/sparql", "/store", "/queries", "/id/", "/graph/", "/ontology", "/openapi.json", "/.well-known/")
"""Addresses that the pages of other sites may read."""


class Operations:
    """What answers requests about the service itself, for one front.

    Parameters:
        settings: who may see what.
        questions: what answers questions.
        state: tells the state of the graph.
    """

    def __init__(self, settings: Settings, questions: Questions, state: Callable[[], str]) -> None:
        self._settings = settings
        self._questions = questions
        self._state = state

    def is_mine(self, path: str) -> bool:
        """Tell whether an address is about the service itself."""
        return path in ("/running", "/healthz", "/metrics") or path.startswith("/running/")

    async def answer(self, request: Request, send: Send) -> None:
        """Answer a request about the service itself.

        Raises:
            ProtocolError: the method does nothing here (405), or it is not for the one who asks (401, 403).
            NotFoundError: there is no such query.
        """
        if request.path.startswith("/running/"):
            await self._cancel(request, send)
            return
        if not request.reads:
            raise ProtocolError(405, f"{request.method} does nothing here", "use GET", "GET, HEAD, OPTIONS")
        if request.path == "/running":
            await self._tell_running(request, send)
        elif request.path == "/healthz":
            await self._tell_health(request, send)
        else:
            await self._tell_metrics(request, send)

    async def bearer(self, request: Request) -> Bearer | None:
        """Return who makes a request; None where it has no token that is known."""
        scheme, _, token = request.authorization.partition(" ")
        if scheme.lower() != "bearer" or not token or self._settings.plain:
            return None
        tokens = Tokens(self._settings.store / "tokens.sqlite")
        return await asyncio.get_running_loop().run_in_executor(None, tokens.check, token.strip())

    def methods(self, path: str) -> str:
        """Return what can be done at an address of the protocols or of the service itself; empty for any other."""
        if path == "/sparql":
            return "GET, HEAD, POST, OPTIONS"
        if path == "/store" or path.startswith("/store/"):
            writable = self._settings.writable if self._settings.plain else path == "/store"
            return "GET, HEAD, PUT, POST, DELETE, OPTIONS" if writable else _READ
        if path == "/update":
            return "POST, OPTIONS"
        if path.startswith("/running/"):
            return "DELETE, OPTIONS"
        return _READ if self.is_mine(path) else ""

    async def tell_methods(self, path: str, allow: str, send: Send) -> None:
        """Answer OPTIONS: what can be done at an address, and which of it from the pages of other sites: reading.

        Parameters:
            path: of the address.
            allow: the methods.
            send: of ASGI.
        """
        headers = [(b"allow", allow.encode())]
        reading = ("GET", "HEAD", "POST") if path == "/sparql" else ("GET", "HEAD")
        open_to_all = ", ".join(method for method in allow.split(", ") if method in reading)
        if self._settings.cors and open_to_all and path.startswith(_OPEN):
            headers += [
                *OPEN,
                (b"access-control-allow-methods", open_to_all.encode()),
                (b"access-control-allow-headers", b"Accept, Authorization, Content-Type, If-None-Match"),
                (b"access-control-max-age", b"86400"),
            ]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _tell_running(self, request: Request, send: Send) -> None:
        if not (self._settings.plain and self._is_near(request)):
            bearer = await self.bearer(request)
            if bearer is None:
                raise ProtocolError(401, "this needs a token of a curator", "send it as `Authorization: Bearer ...`")
            if not bearer.may("curator"):
                raise ProtocolError(403, "this needs the role curator", "ask a curator")
        told = [
            {"id": r.id, "client": r.client, "seconds": round(r.seconds, 3), "query": r.text[:10_000]}
            for r in self._questions.pool.running()
        ]
        await send_bytes(send, request, 200, "application/json", json.dumps(told).encode(), FRESH)

    async def _cancel(self, request: Request, send: Send) -> None:
        """Stop a query: whoever knows its id may, because only the one who got it and curators do."""
        if request.method != "DELETE":
            raise ProtocolError(405, f"{request.method} does nothing here", "use DELETE", "DELETE, OPTIONS")
        if not self._questions.pool.cancel(request.path.removeprefix("/running/")):
            raise NotFoundError("no query of that id is running", mend="it may have ended")
        await send_bytes(send, request, 200, "application/json", b'{"cancelled": true}\n', FRESH)

    async def _tell_health(self, request: Request, send: Send) -> None:
        """Tell whether queries are answered, by answering one."""
        status = 200
        try:
            async with asyncio.timeout(5):
                head, _ = await self._questions.ask(Ask("query", "ASK {}", "text/csv"))
            told = {"status": "ok", "snapshot": head.snapshot}
        except Exception as error:
            told, status = {"status": "failing", "why": f"{type(error).__name__}: {error}"}, 503
        await send_bytes(send, request, status, "application/json", json.dumps(told).encode() + b"\n", FRESH)

    async def _tell_metrics(self, request: Request, send: Send) -> None:
        readers = self._settings.metrics
        if readers == "none" or (readers == "loopback" and not self._is_near(request)):
            raise ProtocolError(403, "the metrics are not for you", "see the setting `metrics`")
        metrics = self._questions.metrics
        metrics.gauge("cache_bytes", self._questions.answers.size)
        metrics.gauge("running_queries", len(self._questions.pool.running()))
        metrics.gauge("snapshot", float(self._state().partition("-")[0]))
        metrics.gauge("workers_memory", float(self._questions.pool.memory()))
        await send_bytes(send, request, 200, CONTENT_TYPE, metrics.render(), FRESH)

    def _is_near(self, request: Request) -> bool:
        return is_local(request.peer, request.forwarded or None, self._settings.proxies)
