"""Saved queries over HTTP: as forms and tables for people, in any format for programs.

    GET    /queries              the list
    GET    /queries/NAME         a query's answer; `limit`, `offset` and `labels` cut it and name what is in it
    GET    /queries/NAME.rq      its text; with parameters, that text bound, to run anywhere
    PUT    /queries/NAME         keep a query of one's own      (curator)
    DELETE /queries/NAME         remove it                      (curator)
    GET    /openapi.json         what the API takes and gives
    GET    /.well-known/sparql-examples   the queries as RDF

What is sent is parsed in a cell (`kg.cells`) before it is kept, since a query can be made to crash its
parser. `If-Match` and `If-None-Match` keep one curator from overwriting what another has just kept.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, render_template, request, url_for
from werkzeug.exceptions import NotAcceptable, PreconditionFailed, RequestEntityTooLarge, UnsupportedMediaType

from kg.errors import MalformedError, NotFoundError, ParameterError, RefusedError, WhosaysError
from kg.parameters import RESERVED, Parameter
from kg.queries import SavedQuery, get_query, list_choices, load_queries, page_links, prepare, read_collection
from kg.query_folders import (
    MAX_BYTES,
    changing,
    check_free,
    check_name,
    query_digest,
    query_folders,
    remove_query,
    resolve_choices,
    save_query,
)
from kg.query_text import with_prefixes
from kg.saved_queries import check_query, parse_query
from kg.settings import Settings
from kg.sparql import check_query as check_reach
from kg.store import Snapshot
from server.access import needs
from server.door import the_door
from server.examples import describe_examples
from server.formats import RDF_FORMATS
from server.front.negotiating import wanted
from server.openapi import describe_api
from server.problems import wants_page
from server.reader import Reader, the_reader
from server.tables import cell_value, make_table, table_labels

PAGE_ROWS = 100
"""Rows of a page for people."""

OFFERED = 300
"""Things that a form offers for a parameter; where there are more, they are typed."""

CHECK_SECONDS = 5.0
"""Seconds in which a query that is sent must parse."""

SPARQL = "application/sparql-query"
saved_queries = Blueprint("saved", __name__)


def folders() -> tuple[Path, ...]:
    """Return the folders of users' queries; the last is the one that is written to."""
    settings = current_app.config["SETTINGS"]
    assert isinstance(settings, Settings)
    return query_folders(settings)


@saved_queries.get("/queries")
def list_queries() -> str | Response:
    """The saved queries: a page for people, JSON for programs."""
    found = read_collection(*folders())
    if wants_page():
        return render_template("queries.html", queries=found.queries, problems=found.problems)
    told = [tell_query(q) for q in found.queries.values()]
    bad = [
        {"name": Path(e.place.file).stem if e.place else "", "problem": e.problem, "mend": e.mend}
        for e in found.problems
    ]
    return Response(json.dumps([*told, *bad], ensure_ascii=False), mimetype="application/json")


@saved_queries.get("/queries/<name>")
def run_query(name: str) -> str:
    """One saved query for people: a form, and the answer as a table. (Programs are answered by `server.front`.)"""
    saved = get_query(name, *folders())
    values = {key: request.args.getlist(key) for key in request.args if key != "format"}
    reader = the_reader()
    with reader.snapshot() as snapshot:
        return _show(reader, snapshot, saved, values)


@saved_queries.get("/queries/<name>.rq")
def show_text(name: str) -> Response:
    """A saved query's SPARQL: the file as it is, or, where parameters are given, the text that is run."""
    saved = get_query(name, *folders())
    if not request.args:
        response = Response(saved.text, content_type=f"{SPARQL}; charset=utf-8")
        response.set_etag(saved.digest)
        response.make_conditional(request)
        return response
    reader = the_reader()
    with reader.snapshot() as snapshot:
        text = prepare(saved, snapshot, request.args.to_dict(flat=False), run=reader.run).text
    return Response(with_prefixes(text), content_type=f"{SPARQL}; charset=utf-8")


@saved_queries.put("/queries/<name>")
def put_query(name: str) -> Response:
    """Keep a query of a user: 201 where it is new, 200 where it takes the place of an older one."""
    needs("curator")
    *before, folder = folders()
    check_name(name)
    check_free(name, folder, *before)
    text = _read_text()
    check_reach(text, services=the_reader().settings.services)  # before the engine sees it: an ASK is evaluated at once
    the_door().cells().run(check_query, name, text, deadline=CHECK_SECONDS)
    saved = resolve_choices(parse_query(name, text, f"{name}.rq"), load_queries(*folders()))
    with changing(folder):
        held = query_digest(folder, name)
        _hold_to(held)
        if held != saved.digest:
            save_query(folder, name, text)
    response = Response(
        json.dumps(tell_query(saved), ensure_ascii=False) + "\n", 200 if held else 201, mimetype="application/json"
    )
    response.headers["Location"] = url_for("saved.run_query", name=name)
    response.set_etag(saved.digest)
    return response


@saved_queries.delete("/queries/<name>")
def delete_query(name: str) -> Response:
    """Remove a query of a user: 204."""
    needs("curator")
    *before, folder = folders()
    check_name(name)
    check_free(name, folder, *before)
    with changing(folder):
        held = query_digest(folder, name)
        if held is None:
            raise NotFoundError(f"there is no saved query `{name}`", mend="see /queries for those there are")
        _hold_to(held)
        remove_query(folder, name)
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


@saved_queries.get("/openapi.json")
def show_api() -> Response:
    """What the API takes and gives: OpenAPI 3.1."""
    told = describe_api(load_queries(*folders()), base_address())
    return Response(json.dumps(told, ensure_ascii=False) + "\n", mimetype="application/json")


@saved_queries.get("/.well-known/sparql-examples")
def show_examples() -> Response:
    """The saved queries as RDF, in the form of the SIB's collection."""
    media_type = wanted(request.headers.get("Accept", ""), request.args.get("format", "")).rdf_type
    if not media_type:
        raise NotAcceptable(f"the examples can be had as: {', '.join(RDF_FORMATS)}")
    body = describe_examples(load_queries(*folders()), base_address(), RDF_FORMATS[media_type])
    return Response(body, content_type=media_type)


def base_address() -> str:
    """Return the address under which the server is known, without the slash at its end."""
    settings = current_app.config["SETTINGS"]
    assert isinstance(settings, Settings)
    return (settings.base or request.host_url).rstrip("/")


def tell_query(saved: SavedQuery) -> dict[str, object]:
    """Return a saved query as JSON tells it."""
    return {
        "name": saved.name,
        "title": saved.title,
        "description": saved.description,
        "form": saved.form,
        "address": url_for("saved.run_query", name=saved.name),
        "text": url_for("saved.show_text", name=saved.name),
        "brought": saved.brought,
        "parameters": [_tell_parameter(p) for p in saved.parameters],
    }


def _tell_parameter(parameter: Parameter) -> dict[str, object]:
    told = {key: value for key, value in vars(parameter).items() if key != "source"}
    return told | ({"choices": parameter.choices} if parameter.choices else {})


def _read_text() -> str:
    """Return the query that the request brings.

    Raises:
        UnsupportedMediaType: it is not sent as text or SPARQL (415).
        RequestEntityTooLarge: it is larger than is taken (413).
        MalformedError: it is not UTF-8.
    """
    if request.mimetype not in (SPARQL, "text/plain"):
        raise UnsupportedMediaType(f"send the query as {SPARQL} or text/plain")
    data = request.get_data()
    if len(data) > MAX_BYTES:
        raise RequestEntityTooLarge(f"a saved query has {MAX_BYTES:,} bytes at most")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("the query is not UTF-8", mend="encode it as UTF-8") from error


def _hold_to(held: str | None) -> None:
    """Hold the request to what it says of the present state.

    Raises:
        PreconditionFailed: somebody has changed it (412).
    """
    there = held is not None
    match, none_match = request.if_match, request.if_none_match
    if (match and not (there and match.contains(str(held)))) or (
        none_match and there and (none_match.star_tag or none_match.contains_weak(str(held)))
    ):
        raise PreconditionFailed("the query was changed meanwhile; get it again with its ETag, and send it anew")


def _show(reader: Reader, snapshot: Snapshot, saved: SavedQuery, values: dict[str, list[str]]) -> str:
    table, problem, text, pages, offset, bound = None, None, saved.text, {}, 0, False
    own = {name: words for name, words in values.items() if name not in RESERVED}
    address = url_for("saved.run_query", name=saved.name)
    if not saved.needed or any(any(words) for words in own.values()):
        asked = (
            values if saved.form != "SELECT" or any(values.get("limit", ())) else {**values, "limit": [str(PAGE_ROWS)]}
        )
        try:
            prepared = prepare(saved, snapshot, asked, run=reader.run)
            text, offset = prepared.bound, prepared.offset
            if saved.form in ("SELECT", "ASK"):  # statements are for programs; `id/` shows them to people
                table = make_table(reader.run(snapshot, prepared.text))
                links = page_links(values, prepared, len(table.rows))
                pages = {relation: f"{address}?{query}" for relation, query in links}
            bound = True
        except (ParameterError, RefusedError, MalformedError) as error:
            problem = error
    return render_template(
        "query.html",
        saved=saved,
        values=values,
        offered={p.name: _offer(reader, snapshot, p) for p in saved.parameters},
        table=table,
        offset=offset,
        labels=table_labels(snapshot, table) if table else {},
        problem=problem,
        text=text,
        cell=cell_value,
        pages=pages,
        bound=bound,
        links=[(short, _address(address, own, format=short)) for short in _SHORT[saved.form in ("SELECT", "ASK")]],
        text_link=_address(url_for("saved.show_text", name=saved.name), own if bound else {}),
    )


_SHORT = {True: ("csv", "json", "xml", "tsv"), False: ("ttl", "jsonld", "nt", "rdf")}


def _offer(reader: Reader, snapshot: Snapshot, parameter: Parameter) -> list[tuple[str, str]]:
    """Return what a form offers for a parameter; nothing where there is too much of it."""
    if parameter.choices:
        return [(choice, choice) for choice in parameter.choices]
    if parameter.type == "boolean":
        return [("true", "true"), ("false", "false")]
    try:
        found = list_choices(snapshot, parameter, OFFERED + 1, reader.run)
    except WhosaysError:
        return []  # who asks the query that they are chosen from is told
    return found if len(found) <= OFFERED else []


def _address(path: str, values: dict[str, list[str]], **more: str) -> str:
    pairs: Sequence[tuple[str, str]] = [(k, v) for k, words in values.items() for v in words if v]
    query = urlencode([*pairs, *more.items()])
    return f"{path}?{query}" if query else path
