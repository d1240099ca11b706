"""Plain mode: writing to any Oxigraph database over the SPARQL protocols.

    POST   /update             SPARQL 1.1 Update
    PUT, POST, DELETE /store   the Graph Store HTTP Protocol

There is one writer, a cell (`kg.cells`) that has the database open. It may be killed over an update
that is a bomb: what was not committed is then as if it had never been. After each change it makes
the snapshot that is read from then on, and only then the client is answered.

Without `writable` all of this is refused; with it, no token is needed, which is why it is for the
loopback only, and why the pages of other sites, which a browser on this machine may show, are refused.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlsplit

import pyoxigraph as ox
from flask import Flask, Response, request
from werkzeug.exceptions import Forbidden, HTTPException

from kg.cells import Cells
from kg.errors import MalformedError, NotFoundError, WhosaysError
from kg.plain_store import PlainFolder
from kg.setting_values import is_loopback
from kg.settings import Settings
from kg.sparql import TextLimits, check_update
from kg.sparql_updates import with_using
from kg.store import Writer
from loaders.updating import STACK, in_deep_thread
from server.formats import RDF_FORMATS
from server.front.application import read_graph_address
from server.front.negotiating import wanted
from server.front.protocol import ProtocolError, read_operation, with_base
from server.front.requests import Request
from server.front.sending import content_type, tell_problem
from server.parts import Part, read_parts
from server.problems import status_of
from server.service_description import SERVICE_PREFIXES, describe_service

WAITING = 64
"""Writes that may wait for the writer."""


def create_plain_app(settings: Settings) -> Flask:
    """Make the application that writes.

    Parameters:
        settings: which database, and whether it may be written.

    Returns:
        A WSGI application.
    """
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # an address names a graph as it is
    writer = _PlainWriter(settings)
    app.before_request(_refuse_other_sites)
    app.register_error_handler(WhosaysError, _explain)
    app.register_error_handler(HTTPException, _explain_http)
    app.register_error_handler(ProtocolError, explain_protocol)
    app.add_url_rule("/update", "update", partial(_update, settings, writer), methods=["POST"])
    store = partial(_change_graph, writer)
    app.add_url_rule("/store", "store", store, methods=["PUT", "POST", "DELETE"])
    app.add_url_rule("/store/<path:rest>", "graph", store, methods=["PUT", "POST", "DELETE"])
    app.add_url_rule("/", "home", _tell)
    app.add_url_rule("/sparql", "sparql", partial(_describe, settings))
    return app


def _refuse_other_sites() -> None:
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site", "none")
    name = urlsplit(f"//{request.host}").hostname or ""  # another than ours, where a name was bound to this machine
    if (
        not is_loopback(name)
        or (origin and urlsplit(origin).netloc != request.host)
        or site not in ("none", "same-origin")
    ):
        raise Forbidden("pages of other sites may not write here")


def explain_protocol(error: Exception) -> Response:
    """Answer with an error of the protocol."""
    assert isinstance(error, ProtocolError)
    return _tell_problem(error.status, error.problem, error.mend, {"Allow": error.allow} if error.allow else {})


def _explain(error: Exception) -> Response:
    assert isinstance(error, WhosaysError)
    status = status_of(error)
    return _tell_problem(status, error.problem, error.mend, {"Retry-After": "1"} if status == 503 else {})


def _explain_http(error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kept = {name: value for name, value in error.get_headers() if name == "Allow"}
    return _tell_problem(error.code or 500, error.name, error.description or "", kept)


def _tell_problem(status: int, problem: str, mend: str, headers: dict[str, str]) -> Response:
    media_type, body = tell_problem(request.headers.get("Accept", ""), status, problem, mend)
    return Response(body, status, content_type=media_type, headers=headers)


def front_request() -> Request:
    """Return the request of Flask as the front has it."""
    return Request(request.environ["asgi.scope"])


class _PlainWriter:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._cells: Cells | None = None
        if settings.writable:
            threading.Thread(target=self._cell, daemon=True).start()

    def cells(self) -> Cells:
        if not self._settings.writable:
            raise Forbidden("this database is served for reading; start with --writable to write it")
        return self._cell()

    def _cell(self) -> Cells:
        with self._lock:
            if self._cells is None:
                self._cells = Cells(
                    1,
                    deadline=self._settings.token_query_seconds,
                    memory=self._settings.query_memory + STACK + 2 * 1024**3,
                    waiting=WAITING,
                    warm_up=partial(open_database, self._settings.store),
                    preload=["server.plain"],
                )
            return self._cells


def _update(settings: Settings, writer: _PlainWriter) -> Response:
    cells = writer.cells()
    body = request.get_data()
    asked = read_operation("update", request.method, request.query_string, request.content_type or "", body)
    check_update(asked.text, services=settings.services, limits=TextLimits(settings.query_bytes, settings.query_tokens))
    text = with_base(asked.text, front_request().address)
    text = with_using(text, asked.default_graphs, asked.named_graphs)
    cells.run(apply_update, settings.store, text)
    return _done(204)


def _change_graph(writer: _PlainWriter, rest: str = "") -> Response:
    cells = writer.cells()
    told = front_request()
    bare = request.method == "POST" and not rest and not request.query_string
    graph = f"{request.host_url}store/{uuid.uuid4()}" if bare else read_graph_address(told)[0]
    if request.method == "DELETE":
        cells.run(remove_graph, writer._settings.store, graph)
        return _done(204)
    parts = read_parts()
    created = cells.run(put_graph, writer._settings.store, graph, parts, request.method == "PUT")
    response = _done(201 if created else 204)
    if bare:
        response.headers["Location"] = graph
    return response


def _done(status: int) -> Response:
    response = Response(status=status)
    del response.headers["Content-Type"]  # there is nothing in it
    return response


def _tell() -> Response:
    return Response("A SPARQL 1.1 server: /sparql, /update, /store\n", mimetype="text/plain")


def _describe(settings: Settings) -> Response:
    """The description of the service, on a bare GET."""
    told = describe_service(f"{request.host_url}sparql", plain=True, writable=settings.writable, functions=())
    media_type = wanted(request.headers.get("Accept", ""), request.args.get("format", "")).rdf_type or "text/turtle"
    body = ox.serialize(told, format=RDF_FORMATS[media_type], prefixes=dict(SERVICE_PREFIXES))
    response = Response(body, content_type=content_type(media_type).decode(), headers={"Vary": "Accept"})
    if settings.cors:
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response


# What the writer does, in its cell.


@cache
def open_database(path: Path) -> Writer:
    """Open a database for writing, and make it the snapshot that is read.

    Parameters:
        path: its folder; made where it is not there.
    """
    context = PlainFolder(path).writer()
    writer = context.__enter__()
    _open.append(context)
    writer.publish()
    return writer


_open: list[object] = []
"""What keeps the databases of this process open."""


def apply_update(path: Path, text: str) -> None:
    """Run an update, in one transaction.

    Raises:
        MalformedError: it does not parse, or cannot be evaluated.
    """
    writer = open_database(path)
    try:
        in_deep_thread(lambda: writer.live.update(text))
    except SyntaxError as error:
        raise MalformedError(f"the update does not parse: {error}", mend="see the position named in it") from error
    except (OSError, RuntimeError, ValueError) as error:
        raise MalformedError(f"the update cannot be carried out: {error}", mend="leave that out") from error
    writer.publish()


def put_graph(path: Path, graph: str, parts: list[Part], replace: bool) -> bool:
    """Put statements into a graph, in one transaction; tell whether it was not there.

    Parameters:
        path: of the database.
        graph: its IRI, empty for the default graph.
        parts: the statements.
        replace: take out what was there.

    Raises:
        MalformedError: they cannot be read.
    """
    writer = open_database(path)
    existed = not graph or writer.live.contains_named_graph(ox.NamedNode(graph))
    name = f"GRAPH {ox.NamedNode(graph)}" if graph else "DEFAULT"
    lines = "".join(f"{quad.triple} .\n" for part in parts for quad in _read(part, graph))
    data = f"{name} {{ {lines} }}" if graph else lines
    steps = ([f"DROP SILENT {name}"] if replace else []) + ([f"CREATE SILENT {name}"] if graph else [])
    apply_update(path, ";\n".join([*steps, f"INSERT DATA {{ {data} }}"]))
    return not existed


def remove_graph(path: Path, graph: str) -> None:
    """Take a graph out.

    Raises:
        NotFoundError: there is none of that name.
    """
    writer = open_database(path)
    if graph and not writer.live.contains_named_graph(ox.NamedNode(graph)):
        raise NotFoundError(f"there is no graph {graph}", mend="nothing is left to do")
    apply_update(path, f"DROP GRAPH {ox.NamedNode(graph)}" if graph else "DROP DEFAULT")


def _read(part: Part, graph: str) -> Iterator[ox.Quad]:
    data, media_type = part
    form = ox.RdfFormat.from_media_type(media_type)
    if form is None:
        raise MalformedError(f"`{media_type}` is no RDF", mend="send text/turtle, application/n-triples …")
    try:
        yield from ox.parse(data, form, base_iri=graph or None, without_named_graphs=True, rename_blank_nodes=True)
    except (SyntaxError, ValueError) as error:
        raise MalformedError(f"the content does not parse: {error}", mend="see the position named in it") from error
