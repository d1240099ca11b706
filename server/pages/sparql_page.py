"""The SPARQL page: an editor, the saved queries, and the answer.

GET /sparql?edit=TEXT or ?saved=NAME   the page with a query in it; `server.app` leads here
GET /sparql/answer?query=TEXT          the page with the answer as a table, for browsers without scripts
GET /sparql/terms                      what the editor completes, as JSON

An address with `query=` is for programs and answered by `server.front`; so the text of the page travels as
`edit=`. With scripts the page asks `/sparql` like any other client and shows the answer itself.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

import pyoxigraph as ox
from flask import Blueprint, Response, render_template, request

from kg.errors import BusyError, MalformedError, OverrunError, ParameterError, RefusedError, WhosaysError
from kg.labels import find_labels
from kg.names import PREFIXES
from kg.queries import get_query, load_queries
from kg.query_text import query_form
from server.pages.sparql_terms import terms_as_json
from server.problems import status_of
from server.reader import the_reader
from server.saved import folders
from server.tables import Table, cell_value, make_table
from server.visitors import language, visitor

sparql_page = Blueprint("sparql_page", __name__)

SHOWN = 500
"""Rows of an answer that the page without scripts shows."""

AT_ONCE = 2
"""Queries of pages without scripts that run at once; each keeps a thread of the pages waiting."""

FORMATS = {"rows": ("csv", "tsv", "json", "xml"), "statements": ("ttl", "nt", "rdf", "jsonld")}
"""Short names of the formats that an answer can be taken away in."""

EXAMPLE = """SELECT ?holder ?act ?gloss ?passage
WHERE {
  ?assertion ws:holder ?holder ; ws:act ?act ; ws:proposition ?proposition ; ws:evidencedBy ?passage .
  ?proposition ws:gloss ?gloss .
}
LIMIT 50"""

_POSITION = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)
_NAME = re.compile(r"([\w.-]*):[^\s:]*\Z")
_turns = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class Fault:
    """Where a query does not parse, and why.

    Parameters:
        line, column: counted from 1.
        words: what is wrong.
        near: the line.
    """

    line: int
    column: int
    words: str
    near: str

    @property
    def caret(self) -> str:
        """A mark that stands below the column, where `near` is written above it."""
        return " " * (self.column - 1) + "^"


@dataclass(frozen=True)
class Answer:
    """What the page without scripts shows of an answer.

    Parameters:
        table: the first rows; None for statements, which are taken away.
        labels: what the things of the table are called.
        rows: how many there are in all.
        links: formats and addresses to take it away.
    """

    table: Table | None
    labels: Mapping[str, str]
    rows: int
    links: tuple[tuple[str, str], ...]


def show_editor() -> str:
    """Return the page: with the query that the address brings, a saved one, or an example.

    Raises:
        NotFoundError: there is no such saved query.
    """
    saved = request.args.get("saved", "")
    text = get_query(saved, *folders()).text if saved else request.args.get("edit", "") or EXAMPLE
    return _page(text)


@sparql_page.get("/sparql/answer")
def show_answer() -> Response:
    """The page with the answer below; 400 and the place that is wrong where the query does not parse."""
    text = request.args.get("query", "").replace("\r\n", "\n")
    try:
        return Response(_page(text, answer=_ask(text)))
    except (MalformedError, RefusedError, ParameterError, OverrunError, BusyError) as error:
        return Response(_page(text, problem=error, fault=find_fault(text, error.problem)), status_of(error))


@sparql_page.get("/sparql/terms")
def show_terms() -> Response:
    """What the editor completes: the prefixes, and the terms of the ontology with labels and definitions."""
    body = terms_as_json()
    response = Response(body, mimetype="application/json")
    response.set_etag(sha256(body.encode()).hexdigest()[:16])
    response.cache_control.public = True
    response.cache_control.max_age = 3600
    response.make_conditional(request)
    return response


def find_fault(text: str, problem: str) -> Fault | None:
    """Return where a query does not parse, in words that are shorter than the parser's.

    Parameters:
        text: the query.
        problem: what the engine says of it.

    Returns:
        None where the engine names no position.

    >>> fault = find_fault("ASK {\\n  ?a foo:b ?c }", "no query: error at 2:10: one of OPTIONAL, Prefix not found")
    >>> fault.line, fault.column, fault.words
    (2, 6, 'the prefix `foo:` is not declared')
    """
    found = _POSITION.search(problem)
    if found is None:
        return None
    lines = text.split("\n")
    line = min(int(found[1]), len(lines))
    near = lines[line - 1]
    column = min(int(found[2]), len(near) + 1)
    words = "the query does not parse here"
    if "Prefix not found" in found[3] and (name := _NAME.search(near, 0, column - 1)):
        column, words = name.start() + 1, f"the prefix `{name[1]}:` is not declared"
    elif "SELECT contains a variable that is unbound" in found[3]:
        words = "SELECT names a variable that the pattern does not bind, or that is not grouped by"
    elif "IRI parsing failed" in found[3]:
        words = "this is no IRI"
    return Fault(line, column, words, near)


def _page(
    text: str, *, answer: Answer | None = None, problem: WhosaysError | None = None, fault: Fault | None = None
) -> str:
    who = visitor()
    return render_template(
        "sparql.html",
        text=text,
        prefixes=PREFIXES,
        queries=load_queries(*folders()),
        may_save=who is not None and who.may("curator"),
        seconds=the_reader().settings.query_seconds,
        answer=answer,
        shown=SHOWN,
        problem=problem,
        fault=fault,
        cell=cell_value,
        formats=FORMATS,
    )


def _ask(text: str) -> Answer:
    """Answer a query, unless others keep those busy who could.

    Raises:
        MalformedError, RefusedError, OverrunError: it is no query, may not be asked, or takes too much.
        BusyError: too many run already.
    """
    form = query_form(text)
    links = _links(text, FORMATS["rows" if form in ("SELECT", "ASK") else "statements"])
    if form not in ("SELECT", "ASK"):
        return Answer(None, {}, 0, links)
    if not _turns.acquire(blocking=False):
        raise BusyError("others are asking here at this moment", mend="ask again in a few seconds")
    try:
        with the_reader().snapshot() as snapshot:
            whole = make_table(the_reader().run(snapshot, text))
            table = Table(whole.columns, whole.rows[:SHOWN])
            named = (term.value for row in table.rows for term in row if isinstance(term, ox.NamedNode))
            return Answer(table, find_labels(snapshot, named, language()), len(whole.rows), links)
    finally:
        _turns.release()


def _links(text: str, formats: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((short, f"/sparql?query={quote(text, safe='')}&format={short}") for short in formats)


__all__ = ["FORMATS", "Fault", "find_fault", "show_editor", "sparql_page"]
