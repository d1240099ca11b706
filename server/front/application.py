"""The ASGI application: which address is whose.

/sparql                         queries                           here
/store                          graphs, for reading               here (writing: behind)
/queries/NAME                   saved queries, for programs       here (pages, changes: behind)
/explore?format=                assertions, as a file             here (the page: behind)
/running, /healthz, /metrics    the service itself                here
everything else                 pages, the door, linked data      behind: Flask, in threads
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple
from urllib.parse import urlencode

from kg.errors import ParameterError, WhosaysError
from kg.filters import is_typed, read_filters, write_filters
from kg.languages import FALLBACK, LANGUAGES
from kg.query_folders import get_query, query_folders
from kg.settings import Settings
from kg.sparql import TextLimits, check_query, is_pure
from server.access_log import Outcome
from server.clients import client_of
from server.engine.assertions import FORMS
from server.engine.messages import Ask
from server.front.negotiating import takes_gzip, wanted
from server.front.operations import Operations
from server.front.protocol import Operating, ProtocolError, graph_iri, read_operation, read_pairs, with_base
from server.front.questions import Question, Questions
from server.front.requests import Message, Receive, Request, Scope, Send, read_body
from server.front.sending import send_problem
from server.metrics import Kind
from server.problems import status_of

Behind = Callable[[Scope, Receive, Send], Awaitable[None]]

LONG = 2_000
"""Characters from which on a query is checked by the worker: the front would keep everybody waiting meanwhile."""

FORM = 65_536
"""Bytes that a form may have beside the query."""

_KINDS: dict[str, Kind] = {
    "sparql": "query", "update": "update", "store": "graph", "queries": "saved", "id": "resource", "graph": "resource",
    "running": "other", "healthz": "other", "metrics": "other",
}  # fmt: skip
_OUTCOMES: dict[int, Outcome] = {429: "budget", 503: "busy", 504: "deadline"}


class Exchange(NamedTuple):
    """A request and the way back.

    Parameters:
        request: what it says.
        scope, receive, send: of ASGI.
        began: when it came, by `time.perf_counter`.
    """

    request: Request
    scope: Scope
    receive: Receive
    send: Send
    began: float


@dataclass(frozen=True)
class Front:
    """The application.

    Parameters:
        settings: what is served, and within which bounds.
        questions: what answers questions.
        operations: what answers requests about the service itself.
        state: tells the state of the graph: the newest snapshot's name, a hyphen, when it was made.
        behind: answers whatever is not ours.
        start, stop: called when the server starts and stops.
    """

    settings: Settings
    questions: Questions
    operations: Operations
    state: Callable[[], str]
    behind: Behind
    start: Callable[[], Awaitable[None]]
    stop: Callable[[], Awaitable[None]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; see ASGI, https://asgi.readthedocs.io/en/latest/specs/main.html."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        exchange = Exchange(Request(scope), scope, receive, send, time.perf_counter())
        try:
            await self._handler(exchange.request)(exchange)
        except ProtocolError as error:
            allow = [(b"allow", error.allow.encode())] if error.allow else []
            await self._refuse(exchange, error.status, error.problem, error.mend, *allow)
        except WhosaysError as error:
            await self._refuse(exchange, status_of(error), error.problem, error.mend)

    def _handler(self, request: Request) -> Callable[[Exchange], Awaitable[None]]:
        """Who answers a request.

        Raises:
            ProtocolError: the method does nothing there (405).
        """
        path = request.path
        if not request.reads:
            allow = self.operations.methods(path)
            if allow and request.method not in allow.split(", "):
                raise ProtocolError(405, f"{request.method} does nothing here", f"use {allow}", allow)
            if request.method == "OPTIONS":
                return self._tell_methods
        if path == "/sparql":
            return self._answer_query if not request.reads or _asks(request.query_string) else self._pass_on
        if path == "/store" or path.startswith("/store/"):
            return self._answer_graph if request.reads else self._pass_on
        if path.startswith("/queries/"):
            return self._answer_saved if request.reads and self._is_for_programs(request) else self._pass_on
        if path == "/explore" and b"format=" in request.query_string:
            return self._answer_assertions if request.reads and not self.settings.plain else self._pass_on
        return self._operate if self.operations.is_mine(path) else self._pass_on

    # Queries.

    async def _answer_query(self, exchange: Exchange) -> None:
        request = exchange.request
        body = b"" if request.reads else await read_body(exchange.receive, self.settings.query_bytes * 3 + FORM)
        content = "" if request.reads else f"{request.method} {request.content_type}"
        key = (request.query_string, request.accept, request.accept_encoding, body, content, request.host)
        state = self.state()
        if await self._has_sent_kept(exchange, state, key, "query"):
            return
        operating = read_operation("query", request.method, request.query_string, request.content_type, body)
        is_long = len(operating.text) > LONG
        if not is_long:
            self._check(operating.text)
        takes = wanted(request.accept, operating.format)
        ask = Ask(
            "query",
            with_base(operating.text, request.address),
            takes.result_type,
            takes.rdf_type,
            operating.default_graphs,
            operating.named_graphs,
            gzip=takes_gzip(request.accept_encoding),
            rows=self.settings.answer_rows or 0,
            bytes=self.settings.answer_bytes,
            limits=self._limits if is_long else None,
            services=self.settings.services,
        )
        pure = not is_long and is_pure(operating.text)
        await self._answer(exchange, state, key, ask, "query", pure, operating)

    async def _answer_saved(self, exchange: Exchange) -> None:
        request = exchange.request
        saved = get_query(request.path.removeprefix("/queries/"), *query_folders(self.settings))
        key = (saved, request.query_string, request.accept, request.accept_encoding)
        state = self.state()
        if await self._has_sent_kept(exchange, state, key, "saved"):
            return
        self._check(saved.text)
        values: dict[str, tuple[str, ...]] = {}
        for name, value in _pairs(request.query_string):
            values[name] = (*values.get(name, ()), value)
        page = request.path, dict(values)
        takes = wanted(request.accept, values.pop("format", ("",))[-1])
        ask = Ask(
            "saved",
            saved.name,
            takes.result_type,
            takes.rdf_type,
            saved=saved,
            values=tuple(values.items()),
            gzip=takes_gzip(request.accept_encoding),
            rows=self.settings.answer_rows or 0,
            bytes=self.settings.answer_bytes,
        )
        await self._answer(exchange, state, key, ask, "saved", _is_pure(saved.text), page=page)

    async def _answer_graph(self, exchange: Exchange) -> None:
        request = exchange.request
        graph, form = read_graph_address(request)
        key = (request.path, graph, form, request.accept, request.accept_encoding)
        state = self.state()
        if await self._has_sent_kept(exchange, state, key, "graph"):
            return
        takes = wanted(request.accept, form, quads=True)
        gzip = takes_gzip(request.accept_encoding)
        ask = Ask("graph", graph, takes.result_type, takes.rdf_type, gzip=gzip, bytes=self.settings.answer_bytes)
        await self._answer(exchange, state, key, ask, "graph", pure=True)

    async def _answer_assertions(self, exchange: Exchange) -> None:
        request = exchange.request
        pairs = _pairs(request.query_string)
        asked = dict(pairs)
        form, language = asked.get("format", ""), asked.get("lang", "")
        try:
            filters = write_filters(read_filters(pairs))
        except ParameterError:
            form = ""
        if form not in FORMS or any(is_typed(name, value.strip()) for name, value in pairs):
            await self._pass_on(exchange)  # to the page, which knows what is meant, or tells what is wrong
            return
        language = language if language in LANGUAGES else FALLBACK
        gzip = takes_gzip(request.accept_encoding)
        key = (request.path, *filters, form, language, gzip)
        state = self.state()
        if await self._has_sent_kept(exchange, state, key, "page"):
            return
        values = (("format", (form,)), ("lang", (language,)))
        ask = Ask("assertions", urlencode(filters), values=values, gzip=gzip, bytes=self.settings.answer_bytes)
        await self._answer(exchange, state, key, ask, "page", pure=True, filename=f"assertions.{form}")

    async def _has_sent_kept(self, exchange: Exchange, state: str, key: tuple[object, ...], kind: Kind) -> bool:
        kept = self.questions.answers.get(state, key)
        if kept is None:
            return False
        request = exchange.request
        await self.questions.send_kept(kept, request, exchange.send, kind, self._client(request), exchange.began)
        return True

    async def _answer(
        self,
        exchange: Exchange,
        state: str,
        key: tuple[object, ...],
        ask: Ask,
        kind: Kind,
        pure: bool,
        operating: Operating | None = None,
        page: tuple[str, dict[str, tuple[str, ...]]] | None = None,
        filename: str = "",
    ) -> None:
        request = exchange.request
        bearer = await self.operations.bearer(request) if request.authorization else None
        question = Question(
            request,
            key,
            ask,
            kind,
            pure,
            self._client(request),
            bearer.name if bearer else "",
            operating.id if operating else "",
            operating.deadline if operating else None,
            page,
            filename,
        )
        await self.questions.answer(question, state, exchange.receive, exchange.send, exchange.began)

    def _check(self, text: str) -> None:
        check_query(text, services=self.settings.services, limits=self._limits)

    @cached_property
    def _limits(self) -> TextLimits:
        return TextLimits(self.settings.query_bytes, self.settings.query_tokens)

    # Everything else.

    async def _operate(self, exchange: Exchange) -> None:
        await self.operations.answer(exchange.request, exchange.send)

    async def _tell_methods(self, exchange: Exchange) -> None:
        """Answer OPTIONS; those behind know their own methods."""
        request = exchange.request
        allow = self.operations.methods(request.path)
        if not allow:
            told: list[Message] = []

            async def note(message: Message) -> None:
                told.append(message)

            await self.behind(exchange.scope, exchange.receive, note)
            allow = next((v.decode("latin-1") for name, v in told[0]["headers"] if name == b"allow"), "")
            if not allow:
                for message in told:
                    await exchange.send(message)
                return
        await self.operations.tell_methods(request.path, allow, exchange.send)

    async def _pass_on(self, exchange: Exchange) -> None:
        """Let those behind answer, and note what became of it."""
        status, size = 500, 0

        async def send(message: Message) -> None:
            nonlocal status, size
            status = message.get("status", status)
            size += len(message.get("body", b""))
            await exchange.send(message)

        try:
            await self.behind(exchange.scope, exchange.receive, send)
        finally:
            outcome = _OUTCOMES.get(status) or ("ok" if status < 400 else "error" if status >= 500 else "refused")
            self._note(exchange, status, size, outcome)

    def _note(self, exchange: Exchange, status: int, size: int, outcome: Outcome) -> None:
        request = exchange.request
        took = (time.perf_counter() - exchange.began) * 1_000
        self.questions.metrics.request(_kind(request), outcome)
        client = self._client(request)
        self.questions.log.add(
            "", client, request.method, request.path, None, status, took, None, size, "none", outcome
        )

    async def _refuse(
        self, exchange: Exchange, status: int, problem: str, mend: str, *headers: tuple[bytes, bytes]
    ) -> None:
        await send_problem(exchange.send, exchange.request, status, problem, mend, *headers, *self.questions.open)
        self._note(exchange, status, 0, "refused")

    def _client(self, request: Request) -> str:
        if not request.forwarded:
            return request.peer
        return client_of(request.peer, request.forwarded, self.settings.proxies)

    def _is_for_programs(self, request: Request) -> bool:
        if self.settings.plain or request.path.endswith(".rq"):
            return False
        form = dict(_pairs(request.query_string)).get("format", "")
        return form != "html" if form else not wanted(request.accept).page

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.start()
                except Exception as error:
                    await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
                    raise
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


_is_pure = lru_cache(256)(is_pure)


def read_graph_address(request: Request) -> tuple[str, str]:
    """Return which graph a request of the Graph Store HTTP Protocol names, and the format that it asks for.

    Parameters:
        request: its address names the graph by `?graph=` or `?default`, or is the graph's name itself.

    Returns:
        The graph's IRI, empty for the default graph; what `format=` says.

    Raises:
        ProtocolError: it names none, or several (400).

    Source: https://www.w3.org/TR/sparql11-http-rdf-update/#graph-identification

    >>> read_graph_address(Request({"method": "GET", "path": "/store", "query_string": b"default", "headers": []}))
    ('', '')
    """
    pairs = _pairs(request.query_string)
    form = next((value for name, value in pairs if name == "format"), "")
    named = [value for name, value in pairs if name == "graph"]
    default = any(name == "default" for name, _ in pairs)
    if request.path.startswith("/store/") and not named and not default:
        return graph_iri(request.address), form
    if len(named) + default != 1:
        raise ProtocolError(
            400, "the address names no graph" if not named else "the address names several graphs",
            "end it in `?default`, or in `?graph=` and one IRI",
        )  # fmt: skip
    return graph_iri(named[0]) if named else "", form


def _kind(request: Request) -> Kind:
    """What a request is about, by its address."""
    first = request.path.partition("/")[2].partition("/")[0]
    if first == "graph" and not request.reads:
        return "graph"
    return _KINDS.get(first) or ("page" if request.reads else "door")


def _asks(query_string: bytes) -> bool:
    """Whether an address brings an operation of the protocol, or tries to."""
    return (
        b"query=" in query_string
        or b"update=" in query_string
        or b"default-graph-uri" in query_string
        or b"named-graph-uri" in query_string
    )


def _pairs(query_string: bytes) -> list[tuple[str, str]]:
    return read_pairs(query_string, "the address")
