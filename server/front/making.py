"""Making the front: the application that the server runs, put together from the settings."""

from __future__ import annotations

import asyncio
import gc
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast, get_args

from a2wsgi import WSGIMiddleware
from werkzeug.exceptions import ClientDisconnected

from kg.plain_store import PlainFolder
from kg.settings import Settings
from kg.store import StoreFolder
from server.access_log import AccessLog
from server.budget import Budget
from server.engine.pool import Pool, Size
from server.engine.worker import Bench
from server.front.application import Behind, Front
from server.front.keeping import Answers
from server.front.operations import Operations
from server.front.questions import CutError, Questions
from server.front.requests import Message, Receive, Scope, Send
from server.metrics import Death, Metrics, forget_dead

GARBAGE = 20_000, 10, 100
"""How seldom garbage is looked for: a request leaves hardly any, and with the usual numbers a third of a request's time
goes into looking."""


class State:
    """Tells the state of a graph in a word: which snapshot is the newest, and when it was made.

    Parameters:
        folder: the store.
        on_change: called when it is another than when it was last asked for.

    >>> State(StoreFolder(Path("no-such-folder")))()
    '0-0'
    """

    def __init__(self, folder: StoreFolder, on_change: Callable[[], None] = lambda: None) -> None:
        self._folder = folder
        self._on_change = on_change
        self._name: str | None = None
        self._told = "0-0"

    def __call__(self) -> str:
        """Return the state."""
        name = self._folder.current_name()
        if name != self._name and name is not None:
            told = self.of(name)
            if told.endswith("-0"):  # replaced this very moment
                return told
            if self._name is not None:
                self._on_change()
            self._name, self._told = name, told
        return self._told

    def of(self, name: str) -> str:
        """Return the state that a snapshot is; it ends in `-0` where the snapshot is no more."""
        try:
            return f"{name}-{(self._folder.snapshots / name).stat().st_mtime_ns:x}"
        except OSError:
            return f"{name}-0"


def create_front() -> Front:
    """Make the application from the settings in the environment; what the production server calls."""
    settings = Settings.load()
    for handler in logging.getLogger("_granian").handlers:  # its loggers are below that one, where no filter helps
        handler.addFilter(_is_no_cut)
    folder = PlainFolder(settings.store) if settings.plain else StoreFolder(settings.store)
    forget_dead()
    metrics = Metrics()
    pool = Pool(
        Bench(folder, settings.query_memory, None if settings.plain else settings),
        Size(settings.workers, settings.slow_queries, waiting=settings.waiting),
        alone=not settings.services,
        on_death=lambda why: metrics.death(cast(Death, why) if why in get_args(Death) else "crash"),
    )
    work = Path(tempfile.mkdtemp(prefix="whosays-front-"))
    budgets = (
        _budget(work / "anybody", settings.budget_seconds, settings.budget_window),
        _budget(work / "bearers", settings.token_budget_seconds, settings.budget_window),
    )
    log = AccessLog(settings.access_log)
    answers = Answers(settings.cache_bytes, settings.cache_answer_bytes)
    state = State(folder, metrics.commit)
    questions = Questions(settings, pool, answers, budgets, log, metrics, state.of)

    tasks: list[asyncio.Task[None]] = []

    async def start() -> None:
        await pool.start()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE)
        tasks.append(asyncio.get_running_loop().create_task(questions.keep_charging()))

    async def stop() -> None:
        for task in tasks:
            task.cancel()
        await pool.close()
        log.close()
        for budget in budgets:
            if budget is not None:
                budget.close()
        for path in work.iterdir():
            path.unlink()
        work.rmdir()

    operations = Operations(settings, questions, state)
    return Front(settings, questions, operations, state, _behind(settings, questions), start, stop)


def _is_no_cut(record: logging.LogRecord) -> bool:
    """Tell whether what the server logs is more than that an answer was cut, which the access log tells."""
    raised = record.exc_info[1] if record.exc_info else None
    return not isinstance(raised, CutError) and CutError.__name__ not in record.getMessage()


def _budget(path: Path, seconds: float, window: float) -> Budget | None:
    return Budget(path, seconds, window) if seconds else None


def _behind(settings: Settings, questions: Questions) -> Behind:
    if settings.plain:
        from server.plain import create_plain_app

        app = create_plain_app(settings)
    else:
        from server.app import create_app

        app = create_app(settings, questions)

    def terminated(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.input_terminated"] = True  # else a body without a length is taken for an empty one
        return app(environ, start_response)

    middleware = WSGIMiddleware(cast(Any, terminated), workers=settings.threads)

    async def behind(scope: Scope, receive: Receive, send: Send) -> None:
        async def next_message() -> Message:  # a2wsgi takes coroutines, the server gives futures
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnected("the body has no end")
            return message

        await middleware(cast(Any, scope), cast(Any, next_message), cast(Any, send))

    return behind
