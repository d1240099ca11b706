"""The web application: home page, SPARQL, and what the blueprints bring.

Every request reads one snapshot, from beginning to end. Views are thin: what they do is done in
`kg` and `loaders`.
"""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import pyoxigraph as ox
from flask import Blueprint, Flask, Response, current_app, render_template, request, url_for
from werkzeug.exceptions import HTTPException

from kg.errors import WhosaysError
from kg.names import PREFIXES, XSD, shorten
from kg.queries import load_queries
from kg.settings import Settings
from server.door import Door, door
from server.formats import RDF_FORMATS
from server.front.negotiating import wanted
from server.linked_data import linked_data
from server.ontology import ontology_pages
from server.problems import explain, explain_http
from server.proposals import proposals
from server.reader import Reader
from server.saved import folders, saved_queries
from server.service_description import describe_service
from server.tables import cell_value, make_table, table_labels
from server.updates import updates

if TYPE_CHECKING:
    from server.front.questions import Questions

MAX_QUERY_BYTES = 1_000_000
pages = Blueprint("pages", __name__)


def create_app(settings: Settings | None = None, questions: Questions | None = None) -> Flask:
    """Make the application.

    Parameters:
        settings: by default those of the environment.
        questions: the engine that answers queries; None where they are answered in this process.

    Returns:
        A WSGI application.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_QUERY_BYTES
    settings = settings or Settings.load()
    app.config["SETTINGS"] = settings
    app.config["READER"] = Reader(settings, questions)
    app.config["DOOR"] = Door(settings)
    if questions is not None:
        Thread(target=app.config["DOOR"].cells, daemon=True).start()  # so that the first request need not wait
    for blueprint in (pages, saved_queries, ontology_pages, door, proposals, updates, linked_data):
        app.register_blueprint(blueprint)
    app.jinja_env.globals.update(shorten=shorten)
    app.register_error_handler(WhosaysError, explain)
    app.register_error_handler(HTTPException, explain_http)
    app.after_request(_secure)
    return app


def _reader() -> Reader:
    reader = current_app.config["READER"]
    assert isinstance(reader, Reader)
    return reader


def _secure(response: Response) -> Response:
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'",
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.method in ("GET", "HEAD", "OPTIONS") or request.path == "/sparql":
        response.headers.setdefault("Access-Control-Allow-Origin", "*")
    response.vary.add("Accept")
    return response


@pages.get("/")
def home() -> str:
    """The home page: documents, saved queries, counts, how to ask."""
    reader = _reader()
    queries = load_queries(*folders())
    with reader.snapshot() as snapshot:
        tables = {
            name: make_table(snapshot.query(queries[name].bind(snapshot, {})))
            for name in ("documents", "coverage", "counts")
        }
        labels = {iri: label for table in tables.values() for iri, label in table_labels(snapshot, table).items()}
        return render_template(
            "home.html", tables=tables, labels=labels, queries=queries, snapshot=snapshot.name, cell=cell_value
        )


@pages.get("/sparql")
def sparql() -> Response:
    """Where no query is asked: the page to write one for people, the description of the service for programs."""
    form = request.args.get("format", "")
    takes = wanted(request.headers.get("Accept", ""), form)
    if form == "html" or (takes.page and not form):
        return Response(render_template("sparql.html", prefixes=PREFIXES))
    media_type = takes.rdf_type or "text/turtle"
    with _reader().snapshot() as snapshot:
        graphs = {graph.value: None for graph in snapshot.store.named_graphs() if isinstance(graph, ox.NamedNode)}
    settings = _reader().settings
    told = describe_service(
        url_for("pages.sparql", _external=True), plain=False, writable=True, services=settings.services, graphs=graphs
    )
    return Response(ox.serialize(told, format=RDF_FORMATS[media_type]), content_type=media_type)


def is_link(term: object) -> bool:
    """Tell whether a term in a table can be followed on the web."""
    return isinstance(term, ox.NamedNode) and term.value.startswith(("http://", "https://"))


def is_number(term: object) -> bool:
    """Tell whether a term in a table is a number."""
    return isinstance(term, ox.Literal) and term.datatype.value in (XSD + "integer", XSD + "decimal")


pages.app_template_test("link")(is_link)
pages.app_template_test("numeric")(is_number)
