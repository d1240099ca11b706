"""Reading for pages: the newest snapshot, and queries over it, which run where they can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import cached_property
from typing import TYPE_CHECKING

import pyoxigraph as ox
from flask import current_app

from kg.errors import BusyError, MalformedError, OverrunError, ParameterError, WhosaysError
from kg.index import Index
from kg.keeper import Keeper
from kg.names import WS
from kg.settings import Settings
from kg.sparql import check_query
from kg.store import Results, Snapshot, StoreFolder
from loaders.functions import query_functions
from loaders.quotes import shown_quotes
from loaders.texts import Texts
from server.engine.messages import Ask
from server.engine.running import FailedError
from server.indexing import index_in_process, needs_process

if TYPE_CHECKING:
    from server.front.questions import Questions

_DIGEST = ox.NamedNode(WS + "digest")

LOOK_OUT = 0.1
"""Seconds between looks for a commit that the index has to follow."""

ROWS = 100_000
"""Rows that a page can have."""


class Reader(Keeper):
    """Keeps the newest snapshot open for what is quick and ours, and has everything else answered by the engine.

    Parameters:
        settings: where the store and the texts are.
        questions: the engine; None where there is none, as in a notebook: queries run in this process then.
    """

    def __init__(self, settings: Settings, questions: Questions | None = None) -> None:
        super().__init__(StoreFolder(settings.store))
        self.settings = settings
        self.texts = Texts(settings.texts)
        self._questions = questions

    @cached_property
    def index(self) -> Index:
        """The index of search and facets."""
        return Index(self.folder, shown_quotes(self.texts, self.settings))

    def index_of(self, snapshot: Snapshot) -> Index:
        """Return the index of search and facets, in step with a snapshot."""
        self.index.catch_up(snapshot)
        return self.index

    def keep_index(self) -> None:
        """Bring the index in step after every commit, for as long as the process lives; whoever asks need not wait."""
        if needs_process(self.settings.store):
            index_in_process(self.settings)
        while True:
            with contextlib.suppress(WhosaysError, OSError), self.snapshot() as snapshot:  # whoever asks is told
                self.index.catch_up(snapshot)
            time.sleep(LOOK_OUT)

    def words(self, snapshot: Snapshot, document: str, start: int, end: int) -> str | None:
        """Return the words of a passage, None where there is no copy of the text, or nothing of it may be shown.

        Parameters:
            snapshot: where the document is.
            document: its IRI.
            start, end: in code points.
        """
        if self.settings.quotes == "none":
            return None
        found = snapshot.store.quads_for_pattern(ox.NamedNode(document), _DIGEST, None, None)
        digest = next((q.object.value for q in found if isinstance(q.object, ox.Literal)), None)
        return None if digest is None else self.texts.quote(digest, start, end)

    def run(self, snapshot: Snapshot, text: str) -> Results:
        """Answer a SELECT or ASK, quotes and labels included.

        Parameters:
            snapshot: of the one who asks; the engine asks the newest.
            text: SPARQL.

        Raises:
            MalformedError, RefusedError: it is no query, or may not be asked.
            OverrunError, BusyError: it takes too much, or too many are waiting.
        """
        check_query(text, services=self.settings.services)
        if self._questions is None:
            return snapshot.query(text, functions=query_functions(snapshot, self.texts, self.settings))
        ask = Ask("query", text, "application/sparql-results+json", rows=ROWS)
        try:
            future = asyncio.run_coroutine_threadsafe(
                self._questions.ask(ask, client="pages"), self._questions.pool.loop
            )
            _, body = future.result()
        except FailedError as error:
            raise _as_ours(error) from None
        return ox.parse_query_results(body, ox.QueryResultsFormat.JSON)


def the_reader() -> Reader:
    """Return the reader of the application that answers the request."""
    found = current_app.config["READER"]
    assert isinstance(found, Reader)
    return found


def _as_ours(error: FailedError) -> WhosaysError:
    failed = error.failed
    kinds: dict[str, type[WhosaysError]] = {
        "malformed": MalformedError, "parameter": ParameterError, "busy": BusyError, "cancelled": BusyError,
        "deadline": OverrunError, "memory": OverrunError, "rows": OverrunError, "bytes": OverrunError,
    }  # fmt: skip
    return kinds.get(failed.why, WhosaysError)(failed.problem, mend=failed.mend)
