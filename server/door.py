"""The door over HTTP: validating for everybody, proposing for contributors, publishing for curators.

    POST /validate                 what the shapes say of the body
    POST /assertions               publish the body               (curator)
    PUT  /documents/NAME           publish a document as a whole  (curator)
    POST /retractions              retract an assertion           (curator)
    GET  /changes, /changes/N      the history
    POST /changes/N/undo           undo a change                  (curator)

Proposals are in `server.proposals`. Whatever is sent is read, judged and worked out in a cell
(`kg.cells`), which may crash or be killed without harm; what is left to do here is to commit the
plan. Who may is told by a bearer token (RFC 6750).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pyoxigraph as ox
from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import UnsupportedMediaType

from kg.cells import GIBIBYTE, Cells
from kg.errors import MalformedError, NotFoundError, ParameterError
from kg.history import make_patch
from kg.names import ID, WS, expand
from kg.publisher import Outcome, Plan, history
from kg.reports import as_json, as_text
from kg.settings import Settings
from kg.store import StoreFolder
from loaders.deciding import publish_planned
from loaders.judging import (
    Verdict,
    judge_submissions,
    plan_retraction,
    plan_submissions,
    plan_undoing,
    warm_up,
)
from loaders.submissions import Mode, Submission
from loaders.syntaxes import find_syntax
from server.access import needs
from server.asked import MOST, asked_number
from server.formats import RDF_FORMATS, choose_format
from server.telling import tell_entry, tell_outcome

MAX_BODY = 10_000_000
"""Bytes that a request to the door may bring."""

CELLS = 2
MEMORY = 3 * GIBIBYTE
"""Bytes of address space of a process that judges; the large stack that an update runs on is in it."""

READING = 8
"""Threads that are never taken by requests which wait for a cell, so that reading goes on."""

DEADLINE = 20.0
"""Seconds in which a submission must be judged."""

door = Blueprint("door", __name__)


@dataclass
class Door:
    """What judges and publishes, one for each server process.

    Parameters:
        settings: where the store is.
    """

    settings: Settings
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _cells: Cells | None = None

    @property
    def folder(self) -> StoreFolder:
        """The store."""
        return StoreFolder(self.settings.store)

    @property
    def waiting(self) -> int:
        """How many requests may wait for a cell."""
        return max(0, self.settings.threads - CELLS - READING)

    def cells(self) -> Cells:
        """Return the processes that judge; they are started when they are first needed."""
        with self._lock:
            if self._cells is None:
                ready = partial(warm_up, self.settings.store)
                self._cells = Cells(
                    CELLS,
                    deadline=DEADLINE,
                    memory=MEMORY,
                    waiting=self.waiting,
                    warm_up=ready,
                    preload=["loaders.ready"],
                )
            return self._cells

    def publish(self, plan: Callable[..., Plan | Verdict | Outcome], *arguments: object) -> Outcome | Verdict:
        """Publish what a cell plans; give the verdict where it does not conform."""
        return publish_planned(self.folder, lambda: self.cells().run(plan, self.settings.store, *arguments))


def the_door() -> Door:
    """Return the door of the application that answers the request."""
    found = current_app.config["DOOR"]
    assert isinstance(found, Door)
    return found


def read_body(*, mode: Mode = "add") -> Submission:
    """Return what the request brings.

    Raises:
        MalformedError: the body is empty.
        UnsupportedMediaType: it is in no form that is taken (415).
        RequestEntityTooLarge: it is larger than is taken (413).
    """
    request.max_content_length = MAX_BODY
    data = request.get_data()
    if not data:
        raise MalformedError("the body is empty", mend="send a record or RDF, with its Content-Type")
    try:
        syntax = find_syntax(request.content_type or "application/octet-stream")
    except MalformedError as error:
        raise UnsupportedMediaType(f"{error.problem}; {error.mend}") from error
    return Submission(data, syntax.name, "the body", mode, the_door().settings.texts)


def validate() -> Response:
    """Judge the body, together with what is published; nothing is kept. (`server.pages.validate_page` leads here.)

    200 with the verdict, whatever it is; 400 where the body cannot be read.
    """
    submission = read_body(mode=_mode())
    verdict = the_door().cells().run(judge_submissions, the_door().settings.store, [submission], ID + "anybody")
    return show_verdict(verdict, 200)


@door.post("/assertions")
def add_assertions() -> Response:
    """Publish the body: 201 with the change; 422 with the report where it does not conform."""
    agent = needs("curator").agent
    return _publish(read_body(mode=_mode()), agent)


@door.put("/documents/<name>")
def put_document(name: str) -> Response:
    """Publish a document as a whole; what was published of it and is not in the body goes."""
    agent = needs("curator").agent
    submission = read_body(mode="replace")
    return _publish(submission, agent, only=ID + name)


@door.post("/retractions")
def retract() -> Response:
    """Retract an assertion: JSON with `assertion` and `reason`."""
    agent = needs("curator").agent
    told = read_json("assertion", "reason")
    return show_outcome(the_door().publish(plan_retraction, expand(told["assertion"]), told["reason"], agent))


@door.get("/changes")
def list_changes() -> Response:
    """Tell the history, the newest first: `about=` a node or graph, `before=` a change, `limit=`."""
    about = request.args.get("about")
    folder = the_door().folder
    entries = history(folder).entries(
        expand(about) if about else None,
        before=asked_number("before", MOST),
        upto=int(folder.current_name() or 0),
        limit=min(asked_number("limit", 50), 1_000),
    )
    return json_response([tell_entry(e) for e in entries])


@door.get("/changes/<int:number>")
def show_change(number: int) -> Response:
    """Tell one change: JSON, or an RDF Patch with what it added and removed."""
    noted = history(the_door().folder)
    entry = noted.entry(number)
    if number > int(the_door().folder.current_name() or 0):
        raise NotFoundError(f"there is no change {number}", mend="see /changes for those there are")
    best = request.accept_mimetypes.best_match(["application/json", "application/rdf-patch"])
    if best == "application/rdf-patch":
        return Response(make_patch(noted.change(number)), mimetype="application/rdf-patch")
    return json_response(tell_entry(entry))


@door.post("/changes/<int:number>/undo")
def undo(number: int) -> Response:
    """Undo a change, where nothing else was built on it."""
    agent = needs("curator").agent
    return show_outcome(the_door().publish(plan_undoing, number, agent))


def show_outcome(outcome: Outcome | Verdict) -> Response:
    """Answer with what was published (201), with nothing new (200), or with what is wrong (422)."""
    if isinstance(outcome, Verdict):
        return show_verdict(outcome, 422)
    response = json_response(tell_outcome(outcome), 201 if outcome.number else 200)
    if outcome.number:
        response.headers["Location"] = f"/changes/{outcome.number}"
    return response


def show_verdict(verdict: Verdict, status: int) -> Response:
    """Answer with a verdict: JSON, text for people, or the standard SHACL report in any RDF syntax."""
    best = request.accept_mimetypes.best_match(["application/json", "text/plain", *RDF_FORMATS])
    if best in (None, "application/json"):
        body = as_json(verdict.findings, complete=verdict.complete)
        return Response(f"{body}\n", status, mimetype="application/json")
    if best == "text/plain":
        return Response(as_text(verdict.findings, complete=verdict.complete), status, mimetype="text/plain")
    chosen = choose_format(request.accept_mimetypes, RDF_FORMATS)
    assert chosen is not None
    assert isinstance(chosen[1], ox.RdfFormat)
    triples = ox.parse(verdict.shacl.encode(), format=ox.RdfFormat.N_TRIPLES)
    body_bytes = ox.serialize(triples, format=chosen[1], prefixes=_PREFIXES)
    return Response(body_bytes, status, mimetype=chosen[0])


_PREFIXES = {"sh": "http://www.w3.org/ns/shacl#", "ws": WS}


def read_json(*keys: str) -> dict[str, str]:
    """Return the texts that a JSON body must have.

    Raises:
        MalformedError: it is no JSON object, or lacks one.
    """
    told = read_object()
    for key in keys:
        if not isinstance(told.get(key), str) or not str(told[key]).strip():
            raise MalformedError(f"the body has no `{key}`", mend=f"send JSON with {', '.join(keys)}")
    return {key: str(told[key]) for key in keys}


def read_object() -> dict[str, object]:
    """Return the JSON object that the body is.

    Raises:
        MalformedError: it is none.
    """
    try:
        told = request.get_json(force=True, silent=True)
    except RecursionError:
        told = None
    if not isinstance(told, dict):
        raise MalformedError("the body is no JSON object", mend='send JSON, such as {"reason": "..."}')
    return told


def json_response(value: object, status: int = 200) -> Response:
    """Answer with JSON."""
    return Response(json.dumps(value, ensure_ascii=False) + "\n", status, mimetype="application/json")


def _publish(submission: Submission, agent: str, only: str | None = None) -> Response:
    return show_outcome(the_door().publish(plan_submissions, [submission], agent, only))


def _mode() -> Mode:
    mode = request.args.get("mode", "add")
    if mode not in ("add", "replace"):
        raise ParameterError(f"there is no mode `{mode}`", mend="use add or replace")
    return "replace" if mode == "replace" else "add"
