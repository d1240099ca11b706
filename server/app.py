"""The web application: home page, SPARQL, and what the blueprints bring.

Every request reads one snapshot, from beginning to end. Views are thin: what they do is done in
`kg` and `loaders`.
"""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pyoxigraph as ox
from flask import Blueprint, Flask, Response, render_template, request, url_for
from flask_compress import Compress
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from kg.errors import WhosaysError
from kg.labels import find_labels
from kg.languages import LANGUAGES
from kg.names import XSD, shorten
from kg.queries import load_queries
from kg.settings import Settings
from server.citing.citing import citing
from server.coding.coding import coding
from server.door import Door, door
from server.formats import RDF_FORMATS
from server.front.negotiating import wanted
from server.islands.build import BUILT
from server.linked_data import linked_data
from server.ontology import ontology_pages
from server.pages.explorer import explorer
from server.pages.home import overview
from server.pages.review import review
from server.pages.searching import searching
from server.pages.signing_in import signing_in
from server.pages.sparql_page import show_editor, sparql_page
from server.pages.suggesting import suggesting
from server.pages.validate_page import validating
from server.picturing.pictures import pictures
from server.policy import POLICY
from server.problems import explain, explain_http
from server.proposals import proposals
from server.reader import Reader, the_reader
from server.reading.reading import reading
from server.saved import folders, saved_queries
from server.service_description import describe_service
from server.updates import updates
from server.visitors import csrf_field, csrf_token, keep_language, language, visitor

if TYPE_CHECKING:
    from server.front.questions import Questions

MAX_QUERY_BYTES = 1_000_000
COMPRESSED = ["text/html", "text/css", "text/javascript", "image/svg+xml", "application/json"]
"""Media types of what is compressed here; the front compresses answers to questions itself."""

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
    if questions is not None:  # so that the first request need not wait
        Thread(target=app.config["DOOR"].cells, daemon=True).start()
        Thread(target=app.config["READER"].keep_index, daemon=True).start()
    for blueprint in (
        pages,
        saved_queries,
        ontology_pages,
        door,
        proposals,
        updates,
        linked_data,
        signing_in,
        citing,
        reading,
        review,
        explorer,
        pictures,
        searching,
        sparql_page,
        validating,
        coding,
        suggesting,
    ):
        app.register_blueprint(blueprint)
    app.jinja_env.globals.update(
        shorten=shorten, island=island, visitor=visitor, csrf_field=csrf_field, csrf_token=csrf_token,
        language=language, languages=lambda: LANGUAGES, in_language=in_language, here=here, navigation=navigation,
    )  # fmt: skip
    app.register_error_handler(WhosaysError, explain)
    app.register_error_handler(HTTPException, explain_http)
    app.after_request(_secure)
    app.config.update(COMPRESS_MIMETYPES=COMPRESSED, COMPRESS_ALGORITHM=["br", "gzip"], COMPRESS_BR_LEVEL=5)
    Compress(app)
    return app


def _secure(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.method in ("GET", "HEAD", "OPTIONS") or request.path == "/sparql":
        response.headers.setdefault("Access-Control-Allow-Origin", "*")
    response.vary.add("Accept")
    if response.mimetype == "text/html":
        response.vary.update(("Cookie", "Accept-Language"))
        response.headers.setdefault("Cache-Control", "no-cache, private")
        keep_language(response)
    return response


def island(name: str) -> Markup:
    """Return what loads an island, the TypeScript of a page; nothing where islands were not built.

    Parameters:
        name: of its file in ``islands/src``, without the ending.
    """
    found = ""
    for ending, tag in (
        ("css", '<link rel="stylesheet" href="{}">'),
        ("js", '<script type="module" src="{}"></script>'),
    ):
        if (BUILT / f"{name}.{ending}").exists():
            found += Markup(tag).format(url_for("static", filename=f"built/{name}.{ending}"))
    return Markup(found)


def here() -> str:
    """Return the address of the page, for links that come back to it."""
    return request.full_path.removesuffix("?")


def in_language(tag: str) -> str:
    """Return the address of the page with names in another language."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    return f"{request.path}?{urlencode([*kept, ('lang', tag)])}"


def navigation() -> list[tuple[str, str]]:
    """Return where the main navigation leads: addresses and words."""
    who = visitor()
    return [
        ("/explore", "Explore"), ("/pictures", "Pictures"), ("/queries", "Questions"), ("/sparql", "SPARQL"),
        ("/validate", "Validate"), *([("/review", "Review")] if who else []), ("/ontology", "Ontology"),
    ]  # fmt: skip


@pages.get("/opensearch.xml")
def show_opensearch() -> Response:
    """How browsers search here. Source: https://github.com/dewitt/opensearch"""
    text = render_template("opensearch.xml", root=request.url_root)
    return Response(text, mimetype="application/opensearchdescription+xml")


@pages.get("/")
def home() -> str:
    """The home page: search, counts, documents, questions."""
    reader = the_reader()
    with reader.snapshot() as snapshot:
        there = overview(reader, snapshot)
        labels = find_labels(snapshot, there.iris, language())
        return render_template(
            "home.html", there=there, labels=labels, queries=load_queries(*folders()), snapshot=snapshot.name
        )


@pages.get("/sparql")
def sparql() -> Response:
    """Where no query is asked: the page to write one for people, the description of the service for programs."""
    form = request.args.get("format", "")
    takes = wanted(request.headers.get("Accept", ""), form)
    if form == "html" or (takes.page and not form):
        return Response(show_editor())
    media_type = takes.rdf_type or "text/turtle"
    with the_reader().snapshot() as snapshot:
        graphs = {graph.value: None for graph in snapshot.store.named_graphs() if isinstance(graph, ox.NamedNode)}
    settings = the_reader().settings
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
