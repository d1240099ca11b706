"""The web application: home page, saved queries, SPARQL.

Every request reads one snapshot, from beginning to end. Views are thin: what they do is done in
`kg` and `loaders`.
"""

from __future__ import annotations

from threading import Thread
from urllib.parse import quote as url_quote

import pyoxigraph as ox
from flask import Blueprint, Flask, Response, current_app, redirect, render_template, request, url_for
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from kg.errors import MalformedError, ParameterError, RefusedError, WhosaysError
from kg.keeper import Keeper
from kg.names import PREFIXES, XSD, shorten
from kg.queries import get_query, load_queries
from kg.settings import Settings
from kg.store import Results, Snapshot, StoreFolder
from loaders.quotes import quote_functions
from loaders.texts import Texts
from server.door import Door, door
from server.formats import RDF_FORMATS, RESULT_FORMATS, SHORT_NAMES, choose_format
from server.guards import check_query
from server.ontology import ontology_pages
from server.problems import explain, explain_http, wants_page
from server.proposals import proposals
from server.tables import cell_value, make_table, table_labels

MAX_QUERY_BYTES = 1_000_000
pages = Blueprint("pages", __name__)


class Reader(Keeper):
    """Keeps the newest snapshot open, and answers queries over it with quotes.

    Parameters:
        settings: where the store and the texts are.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(StoreFolder(settings.store))
        self.settings = settings
        self.texts = Texts(settings.texts)

    def run(self, snapshot: Snapshot, text: str, **dataset: list[str]) -> Results:
        """Answer a query over a snapshot, quotes included."""
        check_query(text, self.settings.services)
        functions = quote_functions(snapshot, self.texts, self.settings)
        return snapshot.query(text, functions=functions, **dataset)


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application.

    Parameters:
        settings: by default those of the environment.

    Returns:
        A WSGI application.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_QUERY_BYTES
    served = settings is None
    settings = settings or Settings.load()
    app.config["SETTINGS"] = settings
    app.config["READER"] = Reader(settings)
    app.config["DOOR"] = Door(settings)
    if served:
        Thread(target=app.config["DOOR"].cells, daemon=True).start()  # so that the first request need not wait
    for blueprint in (pages, ontology_pages, door, proposals):
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
    queries = load_queries()
    with reader.snapshot() as snapshot:
        tables = {
            name: make_table(snapshot.query(queries[name].bind(snapshot, {})))
            for name in ("documents", "coverage", "counts")
        }
        labels = {iri: label for table in tables.values() for iri, label in table_labels(snapshot, table).items()}
        return render_template(
            "home.html", tables=tables, labels=labels, queries=queries, snapshot=snapshot.name, cell=cell_value
        )


@pages.get("/queries")
def list_queries() -> str | Response:
    """The saved queries: a page for people, JSON for programs."""
    queries = load_queries()
    if wants_page():
        return render_template("queries.html", queries=queries)
    return _json(
        [
            {
                "name": q.name,
                "title": q.title,
                "description": q.description,
                "address": url_for("pages.run_query", name=q.name),
                "parameters": [vars(p) for p in q.parameters],
            }
            for q in queries.values()
        ]
    )


@pages.get("/queries/<name>")
def run_query(name: str) -> str | Response:
    """One saved query: as a form with its answer for people, in any result format for programs."""
    reader = _reader()
    saved = get_query(name)
    values = {key: request.args.getlist(key) for key in request.args if key != "format"}
    page = request.args.get("format") == "html" or ("format" not in request.args and wants_page())
    with reader.snapshot() as snapshot:
        if not page:
            return _answer(reader.run(snapshot, saved.bind(snapshot, values)))
        table, problem, text = None, None, saved.text
        ready = all(p.optional or p.default for p in saved.parameters) or any(any(v) for v in values.values())
        if ready:
            try:
                text = saved.bind(snapshot, values)
                table = make_table(reader.run(snapshot, text))
            except (ParameterError, RefusedError) as error:
                problem = error
        return render_template(
            "query.html",
            saved=saved,
            values=values,
            table=table,
            labels=table_labels(snapshot, table) if table else {},
            problem=problem,
            text=text,
            cell=cell_value,
            links=[(short, _link(name, short)) for short in ("csv", "json", "xml", "tsv")],
        )


def _link(name: str, short: str) -> str:
    pairs = [(k, v) for k in request.args if k != "format" for v in request.args.getlist(k) if v]
    query = "&".join(f"{url_quote(k)}={url_quote(v)}" for k, v in [*pairs, ("format", short)])
    return f"{url_for('pages.run_query', name=name)}?{query}"


@pages.route("/sparql", methods=["GET", "POST", "OPTIONS"])
def sparql() -> str | Response | BaseResponse:
    """The SPARQL 1.1 Protocol's query operation: GET, POST of a form, POST of the query itself.

    Source: https://www.w3.org/TR/sparql11-protocol/#query-operation
    """
    if request.method == "OPTIONS":
        return Response(
            status=204,
            headers={
                "Access-Control-Allow-Methods": "GET, POST",
                "Access-Control-Allow-Headers": "Accept, Content-Type",
            },
        )
    reading = request.method in ("GET", "HEAD")
    source = request.args if reading or request.mimetype == "application/sparql-query" else request.form
    if request.method == "POST" and request.mimetype not in (
        "application/sparql-query",
        "application/x-www-form-urlencoded",
    ):
        return Response(
            "POST takes application/sparql-query or application/x-www-form-urlencoded\n",
            status=415,
            mimetype="text/plain",
        )
    if "update" in request.args or "update" in request.form:
        raise RefusedError("this endpoint only reads", mend="send a query, not an update")
    if request.mimetype == "application/sparql-query":
        try:
            queries = [request.get_data().decode("utf-8")]
        except UnicodeDecodeError as error:
            raise MalformedError("the query is not UTF-8", mend="encode it as UTF-8") from error
    else:
        queries = source.getlist("query")
    if not queries and reading:
        if wants_page():
            return render_template("sparql.html", prefixes=PREFIXES)
        return redirect(url_for("pages.list_queries"))
    if len(queries) != 1:
        raise MalformedError(f"{len(queries)} queries in one request", mend="send exactly one parameter `query`")
    reader = _reader()
    dataset = {"default_graphs": source.getlist("default-graph-uri"), "named_graphs": source.getlist("named-graph-uri")}
    for graph in [g for graphs in dataset.values() for g in graphs]:
        _check_iri(graph)
    with reader.snapshot() as snapshot:
        return _answer(reader.run(snapshot, queries[0], **dataset))


def _check_iri(iri: str) -> None:
    try:
        ox.NamedNode(iri)
    except ValueError as error:
        raise MalformedError(f"`{iri}` is not an IRI", mend="give the whole IRI of a graph") from error


def _answer(results: Results) -> Response:
    rows = isinstance(results, ox.QuerySolutions | ox.QueryBoolean)
    offered = RESULT_FORMATS if rows else RDF_FORMATS
    short = request.args.get("format")
    if short is not None:
        media_type = SHORT_NAMES.get(short, short)
        accept = MIMEAccept([(media_type, 1)])
    else:
        accept = request.accept_mimetypes
    chosen = choose_format(accept, offered)
    if chosen is None:
        names = ", ".join(offered)
        return Response(f"this answer can be had as: {names}\n", status=406, mimetype="text/plain")
    media_type, form = chosen
    if isinstance(results, ox.QueryBoolean) and form in (ox.QueryResultsFormat.CSV, ox.QueryResultsFormat.TSV):
        body = f"{'true' if bool(results) else 'false'}\n".encode()
    elif isinstance(results, ox.QueryTriples):
        assert isinstance(form, ox.RdfFormat)
        body = results.serialize(format=form) or b""
    else:
        assert isinstance(form, ox.QueryResultsFormat)
        body = results.serialize(format=form) or b""
    return Response(
        body, content_type=media_type if media_type.startswith("application/") else f"{media_type}; charset=utf-8"
    )


def _json(value: object) -> Response:
    return Response(current_app.json.dumps(value), mimetype="application/json")


def is_link(term: object) -> bool:
    """Tell whether a term in a table can be followed on the web."""
    return isinstance(term, ox.NamedNode) and term.value.startswith(("http://", "https://"))


def is_number(term: object) -> bool:
    """Tell whether a term in a table is a number."""
    return isinstance(term, ox.Literal) and term.datatype.value in (XSD + "integer", XSD + "decimal")


def describe_address(term: ox.NamedNode) -> str:
    """Return the address at which this server tells what it holds of a resource."""
    return f"/sparql?format=ttl&query={url_quote(f'DESCRIBE {term}')}"


pages.app_template_test("link")(is_link)
pages.app_template_test("numeric")(is_number)
pages.app_template_filter("described_at")(describe_address)

__all__ = ["Reader", "create_app"]
