"""Problems: how an error is told, as a page, in plain text or as JSON (RFC 9457)."""

from __future__ import annotations

import json

from flask import Response, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from kg.errors import (
    BusyError,
    ConflictError,
    MalformedError,
    NotFoundError,
    OverrunError,
    ParameterError,
    RecordError,
    RefusedError,
    TextError,
    WhosaysError,
)

_STATUS = (
    (NotFoundError, 404),
    (ConflictError, 409),
    (OverrunError, 413),  # what was sent is too much to be dealt with in time
    (BusyError, 503),
    (MalformedError, 400),
    (RecordError, 400),
    (ParameterError, 400),
    (RefusedError, 400),
    (TextError, 422),
)


def status_of(error: WhosaysError) -> int:
    """Return the HTTP status by which one of our errors is told.

    >>> status_of(NotFoundError("no such thing", mend="look again"))
    404
    """
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def explain(error: Exception) -> Response:
    """Answer with one of our errors."""
    assert isinstance(error, WhosaysError)
    status = status_of(error)
    single = getattr(error, "problems", None) or [error]
    response = _problem(status, error.problem, error.mend, str(error), [_told(e) for e in single])
    if status == 503:
        response.headers["Retry-After"] = "1"
    return response


def explain_http(error: Exception) -> BaseResponse:
    """Answer with an error of HTTP, such as 404 or 413."""
    assert isinstance(error, HTTPException)
    if error.code is None or error.code < 400:
        return error.get_response()
    mend = str(error.description or "")
    response = _problem(error.code, error.name, mend, f"{error.name}\n  mend: {mend}", [])
    for name, value in error.get_headers():
        if name.lower() in ("www-authenticate", "allow", "retry-after"):
            response.headers[name] = value
    return response


def wants_page() -> bool:
    """Tell whether the client is a browser that shows pages."""
    best = request.accept_mimetypes.best_match(["application/sparql-results+json", "text/html"])
    return best == "text/html" and "text/html" in request.headers.get("Accept", "")


def _problem(status: int, problem: str, mend: str, text: str, problems: list[dict[str, object]]) -> Response:
    if wants_page():
        return Response(render_template("problem.html", status=status, problem=problem, mend=mend), status)
    best = request.accept_mimetypes.best_match(["text/plain", "application/problem+json", "application/json"])
    if best in ("application/problem+json", "application/json"):
        told = {"title": problem, "status": status, "detail": mend, "problems": problems}
        return Response(json.dumps(told, ensure_ascii=False) + "\n", status, mimetype="application/problem+json")
    return Response(f"{text}\n", status, mimetype="text/plain")


def _told(error: WhosaysError) -> dict[str, object]:
    place = error.place
    return {
        "problem": error.problem,
        "mend": error.mend,
        "file": place.file if place else None,
        "line": place.line if place else None,
    }
