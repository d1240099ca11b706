"""Questions: what happens between a request that asks something and its answer.

An answer that is kept is sent at once. Whoever asks the same while it is being worked out waits for
that one answer. The others go through the budget to the engine; the answer is sent as soon as it is
sure to have begun well, and is cut so that it shows where it may not go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import secrets
import sys
import time
from collections.abc import Callable, Hashable
from hashlib import blake2b
from typing import NamedTuple

from kg.saved_queries import Prepared, page_links
from kg.settings import Settings
from server.access_log import AccessLog, Outcome
from server.budget import Budget
from server.engine.handles import QUICK
from server.engine.messages import Ask, Head, Why
from server.engine.pool import Pool
from server.engine.running import FailedError, Running
from server.front.keeping import Answers, Headers, Kept
from server.front.requests import Receive, Request, Send
from server.front.sending import OPEN, SAFE, content_type, send_problem, send_whole
from server.metrics import Kind, Metrics

STATUS: dict[Why, int] = {
    "malformed": 400, "parameter": 400, "refused": 400, "missing": 404, "unacceptable": 406, "rows": 413, "bytes": 413,
    "deadline": 504, "memory": 503, "busy": 503, "cancelled": 503, "gone": 503, "error": 500,
}  # fmt: skip
"""HTTP statuses by why there is no answer."""

_OUTCOMES: dict[Why, Outcome] = {
    "deadline": "deadline", "memory": "memory", "rows": "cut", "bytes": "cut", "cancelled": "cancelled",
    "gone": "gone", "busy": "busy", "error": "error",
}  # fmt: skip


CHARGING = 0.5
"""Seconds between chargings of what runs."""

PATIENCE = 6
"""Times its deadline that a question may wait and run, all in all, when many run at once."""


class CutError(Exception):
    """Ends an answer that has begun: the server breaks the connection, so that the client sees it."""


class Question(NamedTuple):
    """A request that asks something.

    Parameters:
        request: as it came.
        key: what the answer depends on beside the state of the graph.
        ask: what the engine is asked.
        kind: of what is asked, for the metrics.
        pure: whether the answer follows from key and state alone.
        client: who asks.
        bearer: name of who holds a token; empty for anybody.
        id: what the client calls it; empty where it has no name.
        deadline: seconds that the client asks for.
        page: address of a saved query and what was given for its parameters, for links to other pages of the answer.
        filename: what the answer is called where it is kept as a file; empty where it is not.
    """

    request: Request
    key: tuple[Hashable, ...]
    ask: Ask
    kind: Kind
    pure: bool
    client: str
    bearer: str = ""
    id: str = ""
    deadline: float | None = None
    page: tuple[str, dict[str, tuple[str, ...]]] | None = None
    filename: str = ""


class Questions:
    """What answers questions, for one front.

    Parameters:
        settings: deadlines, bounds, budgets.
        pool: the engine.
        answers: those that are kept.
        budgets: of anybody, and of holders of tokens; None where there is no bound.
        log, metrics: where it is noted what happened.
        state_of: tells the state of the graph that a snapshot is.
    """

    def __init__(
        self,
        settings: Settings,
        pool: Pool,
        answers: Answers,
        budgets: tuple[Budget | None, Budget | None],
        log: AccessLog,
        metrics: Metrics,
        state_of: Callable[[str], str],
    ) -> None:
        self.settings = settings
        self.pool = pool
        self.answers = answers
        self.log = log
        self.metrics = metrics
        self._budgets = budgets
        self._state_of = state_of
        self._flying: dict[Hashable, tuple[Running, asyncio.Future[Kept | None]]] = {}
        self._spending: dict[Running, tuple[Budget, str]] = {}
        self._watchers: dict[Running, asyncio.Task[None]] = {}
        self.open = OPEN if settings.cors else []

    async def send_kept(self, kept: Kept, request: Request, send: Send, kind: Kind, client: str, began: float) -> None:
        """Send an answer that is kept, or 304 where the client has it."""
        known = request.knows(kept.tag, any_will_do=True)
        if known:
            await send_whole(send, 304, [h for h in kept.headers if h[0] != b"content-length"], b"")
        else:
            await send_whole(send, 200, kept.headers, kept.body, head=request.method == "HEAD")
        self.metrics.request(kind, "ok", cache="hit")
        self.log.add(
            "",
            client,
            request.method,
            request.path,
            kept.text,
            304 if known else 200,
            (time.perf_counter() - began) * 1_000,
            None if kept.rows < 0 else kept.rows,
            0 if known else len(kept.body),
            "hit",
            "ok",
        )

    async def answer(self, question: Question, state: str, receive: Receive, send: Send, began: float) -> None:
        """Answer a question that no kept answer answers.

        Parameters:
            question: what is asked.
            state: of the graph.
            receive, send: of ASGI.
            began: when the request came, by `time.perf_counter`.

        Raises:
            CutError: the answer could not be sent to its end.
        """
        request = question.request
        tag = _tag(question, state)
        if question.pure and request.knows(tag):
            kept = Kept(
                self._headers(Head(state.partition("-")[0], ""), question, tag, ""), b"", tag, -1, question.ask.text
            )
            await self.send_kept(kept, request, send, question.kind, question.client, began)
            return
        while question.pure and (flying := self._flying.get(question.key)) is not None:
            found = await asyncio.shield(flying[1])
            if found is None:
                break
            if _number(_state(found.tag)) >= _number(state):  # else the graph was changed before this was asked
                await self.send_kept(found, request, send, question.kind, question.client, began)
                return
        budget = self._budgets[1 if question.bearer else 0]
        payer = f"token {question.bearer}" if question.bearer else question.client
        if budget is not None and (wait := budget.wait(payer)) > 0:
            later = (b"retry-after", b"%d" % math.ceil(wait))
            problem = "your queries have taken all the time that you have for now"
            await send_problem(send, request, 429, problem, "wait, then go on", later, *self.open)
            self._note(question, None, 429, "budget", 0, began)
            return
        running = self._begin(question)
        if budget is not None:
            self._spending[running] = budget, payer
        if question.pure and question.key not in self._flying:
            self._flying[question.key] = running, asyncio.get_running_loop().create_future()
        try:
            await self._send(question, running, tag, receive, send, began)
        finally:
            if running.end is None and running.failed is None:
                running.stop("gone")
            if budget is not None:
                self._charge(running)
                del self._spending[running]
            self._land(question, running)

    async def ask(self, ask: Ask, *, client: str = "") -> tuple[Head, bytes]:
        """Answer a question of our own pages, whole.

        Raises:
            FailedError: there is no answer.
        """
        deadline = self.settings.query_seconds
        running = Running(secrets.token_hex(8), client, ask.text, deadline, deadline * PATIENCE)
        try:
            await self.pool.ask(ask, running)
            body = b"".join([piece async for piece in running.rest()])
        finally:
            if running.end is None and running.failed is None:
                running.stop("gone")
        assert running.head is not None
        return running.head, body

    async def keep_charging(self) -> None:
        """Charge what runs while it runs: who starts many queries at once shall not have them for nothing."""
        while True:
            await asyncio.sleep(CHARGING)
            for running in list(self._spending):
                self._charge(running)

    def _charge(self, running: Running) -> None:
        budget, payer = self._spending[running]
        since = running.seconds - running.charged
        running.charged += since
        budget.charge(payer, since)

    def _begin(self, question: Question) -> Running:
        most = self.settings.token_query_seconds if question.bearer else self.settings.query_seconds
        deadline = min(most, question.deadline or most)
        patience = question.deadline or deadline * PATIENCE
        text = question.ask.text if question.kind == "query" else question.request.path
        return Running(question.id or secrets.token_hex(8), question.client, text, deadline, patience)

    async def _send(
        self, question: Question, running: Running, tag: bytes, receive: Receive, send: Send, began: float
    ) -> None:
        watch = asyncio.get_running_loop().call_later(QUICK, self._watch, receive, running)
        size, status, begun = 0, 200, False
        try:
            await self.pool.ask(question.ask, running)
            assert running.head is not None
            body = running.whole()
            pure = question.pure or running.head.pure
            if running.head.snapshot != _state(tag).partition("-")[0]:
                tag = _tag(question, self._state_of(running.head.snapshot))  # newer than when the request came
            if not pure:
                tag = b""  # it follows from more than the state
            headers = self._headers(running.head, question, tag, running.id)
            headers += _links(question, running)
            kept = None
            if body is not None:
                size = len(body)
                kept = self._keep(question, running, tag, [*headers, (b"content-length", b"%d" % size)], body)
            self._land(question, running, kept)  # who waits for the same need not wait for a client that reads slowly
            if tag and question.request.knows(tag, any_will_do=True):
                size, status = 0, 304
                await send_whole(send, status, headers, b"")
            elif body is not None:
                headers.append((b"content-length", b"%d" % size))
                await send_whole(send, status, headers, body, head=question.request.method == "HEAD")
            else:
                begun = True
                size = await self._stream(question, running, tag, headers, send)
        except FailedError as error:
            status = STATUS[error.failed.why]
            if begun:
                raise CutError(error.failed.problem) from None
            more = [(b"retry-after", b"1")] if error.failed.why == "busy" else []
            await send_problem(
                send, question.request, status, error.failed.problem, error.failed.mend, *more, *self.open
            )
        finally:
            watch.cancel()
            if (watcher := self._watchers.pop(running, None)) is not None:
                watcher.cancel()
            why = running.failed.why if running.failed is not None else None
            outcome = "ok" if why is None else _OUTCOMES.get(why, "refused")
            if why is None and running.end is None:
                outcome = "gone"
            self._note(question, running, status, outcome, size, began)

    async def _stream(self, question: Question, running: Running, tag: bytes, headers: Headers, send: Send) -> int:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if question.request.method == "HEAD":
            running.stop("gone")
            await send({"type": "http.response.body", "body": b""})
            return 0
        size, pieces = 0, []
        async for piece in running.rest():
            size += len(piece)
            if size <= self.answers.largest:
                pieces.append(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        if size <= self.answers.largest:
            self._keep(question, running, tag, [*headers, (b"content-length", b"%d" % size)], b"".join(pieces))
        return size

    def _land(self, question: Question, running: Running, kept: Kept | None = None) -> None:
        """Let those go on who wait for this answer, which they get where all of it is there."""
        flying = self._flying.get(question.key)
        if flying is not None and flying[0] is running:
            del self._flying[question.key]
            flying[1].set_result(kept)

    def _watch(self, receive: Receive, running: Running) -> None:
        """Look whether the client is still there, now that it is worth it."""

        async def look() -> None:
            with contextlib.suppress(asyncio.CancelledError):
                while (await receive())["type"] != "http.disconnect":
                    pass
                running.stop("gone")

        self._watchers[running] = asyncio.get_running_loop().create_task(look())

    def _headers(self, head: Head, question: Question, tag: bytes, running_id: str) -> Headers:
        headers: Headers = [
            (b"vary", b"Accept, Accept-Encoding"),
            (b"whosays-snapshot", head.snapshot.encode()),
            *SAFE,
            *self.open,
        ]
        if head.media_type:
            headers.append((b"content-type", content_type(head.media_type)))
        if tag:
            headers += [(b"etag", tag), (b"cache-control", b"no-cache")]
        else:
            headers.append((b"cache-control", b"no-store"))
        if question.ask.gzip:
            headers.append((b"content-encoding", b"gzip"))
        if question.filename:
            headers.append((b"content-disposition", f"attachment; filename={question.filename}".encode()))
        if running_id:
            headers.append((b"whosays-query", running_id.encode()))
        return headers

    def _keep(self, question: Question, running: Running, tag: bytes, headers: Headers, body: bytes) -> Kept | None:
        assert running.end is not None
        if not tag:
            return None
        kept = [h for h in headers if h[0] != b"whosays-query"]
        length = sum(map(sys.getsizeof, (question.ask.text, *question.key)))
        answer = Kept(kept, body, tag, running.end.rows, question.ask.text)
        self.answers.keep(_state(tag), question.key, answer, length)
        return answer

    def _note(
        self, question: Question, running: Running | None, status: int, outcome: Outcome, size: int, began: float
    ) -> None:
        seconds = running.seconds if running is not None else None
        self.metrics.request(question.kind, outcome, seconds, "miss")
        rows = running.end.rows if running is not None and running.end is not None else -1
        self.log.add(
            running.id if running is not None else "",
            question.client,
            question.request.method,
            question.request.path,
            question.ask.text,
            status,
            (time.perf_counter() - began) * 1_000,
            None if rows < 0 else rows,
            size,
            "miss" if question.pure else "none",
            outcome,
        )


def _links(question: Question, running: Running) -> Headers:
    """Where other pages of the answer to a saved query are."""
    if question.page is None:
        return []
    path, given = question.page
    limit, offset = (given.get(name, ("",))[-1] for name in ("limit", "offset"))
    prepared = Prepared("", int(limit) if limit else None, int(offset or 0), "")
    rows = running.end.rows if running.end is not None else None
    links = page_links(given, prepared, rows)
    return [(b"link", f'<{path}?{query}>; rel="{relation}"'.encode()) for relation, query in links]


def _tag(question: Question, state: str) -> bytes:
    """The tag that stands for a question and a state of the graph."""
    return b'W/"%s-%s"' % (state.encode(), blake2b(repr(question.key).encode(), digest_size=12).hexdigest().encode())


def _number(state: str) -> int:
    return int(state.partition("-")[0])


def _state(tag: bytes) -> str:
    """Return the state of the graph that a tag stands for."""
    return tag[3:].decode().rpartition("-")[0]
