"""Citing: a document as what it is; an assertion or a passage as what was found in it.

    GET /cite/NAME                  a page with the citation in words and in every format
    GET /cite/NAME?format=bibtex    BibTeX    application/x-bibtex
    GET /cite/NAME?format=csl       CSL-JSON  application/vnd.citationstyles.csl+json
    GET /cite/NAME?format=ris       RIS       application/x-research-info-systems
    GET /cite/NAME?format=text      in words  text/plain

A document has its own authors, publisher and date. An assertion is cited as an entry of this dataset: what is asserted
and by whom is its title, who coded it are its authors, and where it stands is told with it, with the number of the
change that it was found at. What was withdrawn says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyoxigraph as ox
from flask import Blueprint, Response, render_template, request
from werkzeug.exceptions import NotAcceptable

from kg.describing import Run
from kg.errors import NotFoundError
from kg.labels import find_names
from kg.languages import FALLBACK
from kg.names import ID, RDF, SKOS, WS, Term, shorten
from server.citing.author_names import Author, read_author
from server.citing.citations import ENTRY, FORMS, OTHER, Cited, as_bibtex, as_csl, as_ris, as_text, key_of
from server.entities.date_words import date_in_words
from server.entities.lines import WITHDRAWN, Passage, gather, iris, name_of, values_of
from server.entities.voices import as_text as read_out
from server.reader import the_reader

DATASET_TITLE = "Whosays: who asserts what"


@dataclass(frozen=True)
class Format:
    """A format of citations.

    Parameters:
        title: what it is called.
        media_type: of the answer.
        ending: of the file.
        write: writes a citation in it.
    """

    title: str
    media_type: str
    ending: str
    write: Callable[[Cited], str]


FORMATS: Mapping[str, Format] = {
    "text": Format("In words", "text/plain", "txt", lambda cited: as_text(cited) + "\n"),
    "bibtex": Format("BibTeX", "application/x-bibtex", "bib", as_bibtex),
    "csl": Format("CSL-JSON", "application/vnd.citationstyles.csl+json", "json", as_csl),
    "ris": Format("RIS", "application/x-research-info-systems", "ris", as_ris),
}
"""By short name."""

_OF_DOCUMENT = tuple(
    WS + name for name in ("title", "creator", "publisher", "kind", "issued", "inSeries", "webPage", "language")
)
_OF_ASSERTION = tuple(WS + name for name in ("coder", "coded", "status", "statedIn"))
_PERSON = ox.NamedNode(WS + "Person")
citing = Blueprint("citing", __name__)

Own = Mapping[str, Sequence[Term]]


@citing.get("/cite/<path:name>")
def cite(name: str) -> Response:
    """How a document, an assertion or a passage is cited."""
    wanted = _wanted_format()
    reader = the_reader()
    with reader.snapshot() as snapshot:
        cited = make_citation(
            lambda text: reader.run(snapshot, text), _name(name), change=int(snapshot.name), today=_today()
        )
    key = key_of(cited.key)
    if wanted == "html":
        told = [(short, f.title, f.write(cited).rstrip(), f"{key}.{f.ending}") for short, f in FORMATS.items()]
        return Response(render_template("cite.html", iri=_name(name), name=name, title=cited.title, told=told))
    form = FORMATS[wanted]
    response = Response(form.write(cited), content_type=f"{form.media_type}; charset=utf-8")
    if wanted != "text":
        response.headers["Content-Disposition"] = f'attachment; filename="{key}.{form.ending}"'
    return response


def make_citation(run: Run, iri: str, *, change: int, today: str) -> Cited:
    """Return how something is cited.

    Parameters:
        run: answers a query, with ``ws:quote``.
        iri: a document, an assertion or a passage.
        change: number of the newest change of the dataset.
        today: the day of access, ISO 8601.

    Raises:
        NotFoundError: there is no such thing, or it is nothing that is cited.
    """
    own = values_of(run, [iri], (RDF + "type", *_OF_DOCUMENT, *_OF_ASSERTION)).get(iri, {})
    classes = iris(own.get(RDF + "type", ()))
    if WS + "Document" in classes:
        return _document(run, iri, own, today=today)
    if WS + "Assertion" in classes:
        return _assertion(run, iri, own, change=change, today=today)
    if WS + "Passage" in classes:
        return _passage(run, iri, today=today)
    raise NotFoundError(
        f"`{shorten(iri)}` is nothing that is cited",
        mend="cite a document, an assertion or a passage; for all else its permanent address is enough",
    )


@dataclass(frozen=True)
class _Known:
    """What is known of a document, with the names of all that it names, in its own language where they have such."""

    own: Own
    names: Mapping[str, str]
    authors: Sequence[Author]

    def text(self, name: str) -> str:
        return next((v.value for v in self.own.get(WS + name, ()) if isinstance(v, ox.Literal)), "")

    @property
    def publisher(self) -> str:
        return " and ".join(name_of(p, self.names) for p in iris(self.own.get(WS + "publisher", ())))


def _document(run: Run, iri: str, own: Own, *, today: str) -> Cited:
    known = _know(run, own)
    kinds = [kind.removeprefix(WS) for kind in iris(own.get(WS + "kind", ()))]
    form = next((FORMS[kind] for kind in kinds if kind in FORMS), OTHER)
    container = known.text("inSeries") or (known.publisher if form.in_publisher else "")
    web = known.text("webPage")
    return Cited(
        key=shorten(iri),
        form=form,
        title=known.text("title") or shorten(iri),
        authors=known.authors,
        publisher=known.publisher,
        container=container,
        issued=known.text("issued"),
        address=web if web.startswith(("http://", "https://")) else iri,
        accessed=today,
        language=known.text("language"),
        notes=[f"In {DATASET_TITLE}: {iri}"] if web else [],
    )


def _assertion(run: Run, iri: str, own: Own, *, change: int, today: str) -> Cited:
    gathered = gather(run, [iri])
    coders = iris(own.get(WS + "coder", ()))
    names = find_names(run, gathered.mentioned() | set(coders))
    line = gathered.line(iri, names)
    documents = iris(own.get(WS + "statedIn", ()))
    status = next((WITHDRAWN[s] for s in iris(own.get(WS + "status", ())) if s in WITHDRAWN), "")
    coded = sorted(v.value for v in own.get(WS + "coded", ()) if isinstance(v, ox.Literal))
    notes = [f"Assertion {shorten(iri)}"]
    if documents:
        notes.append(f"Found in: {_found_in(run, documents[0], line.passages)}")
    if status:
        notes.append(f"This assertion was {status} later")
    return Cited(
        key=shorten(iri),
        form=ENTRY,
        title=read_out(line.pieces),
        authors=_authors(run, coders, names),
        publisher="",
        container=DATASET_TITLE,
        issued=coded[0] if coded else "",
        address=iri,
        accessed=today,
        language="en",
        version=f"change {change}",
        notes=notes,
    )


def _passage(run: Run, iri: str, *, today: str) -> Cited:
    found = gather(run, [], [iri]).passages.get(iri)
    if found is None or found.document is None:
        raise NotFoundError(f"`{shorten(iri)}` is in no document", mend="ask a curator to mend its record")
    own = values_of(run, [found.document], _OF_DOCUMENT).get(found.document, {})
    document = _document(run, found.document, own, today=today)
    notes = [f"{found.place[:1].upper()}{found.place[1:]}", *document.notes]
    return Cited(**{**vars(document), "key": shorten(iri), "address": iri, "notes": notes})


def _found_in(run: Run, document: str, passages: Iterable[Passage]) -> str:
    """Return a document and the places in it, in one sentence."""
    own = values_of(run, [document], _OF_DOCUMENT).get(document, {})
    known = _know(run, own)
    issued = known.text("issued")
    told = [
        " and ".join(author.name for author in known.authors),
        f"“{known.text('title') or shorten(document)}”",
        known.text("inSeries") or known.publisher,
        date_in_words(issued) if issued else "",
        " and ".join(passage.place for passage in passages),
    ]
    return ", ".join(part for part in told if part)


def _know(run: Run, own: Own) -> _Known:
    """Look up the names that a document's citation has, in the document's own language where there are such."""
    creators = iris(own.get(WS + "creator", ()))
    tag = next((v.value for v in own.get(WS + "language", ()) if isinstance(v, ox.Literal)), FALLBACK)
    names = find_names(run, [*creators, *iris(own.get(WS + "publisher", ()))], tag)
    return _Known(own, names, _authors(run, creators, names))


def _authors(run: Run, agents: Sequence[str], names: Mapping[str, str]) -> list[Author]:
    """Return agents as authors; nobody for a person who is not named, as of an unsigned text."""
    told = values_of(run, agents, (RDF + "type", SKOS + "altLabel", WS + "named"))
    found = []
    for agent in agents:
        own = told.get(agent, {})
        if any(isinstance(v, ox.Literal) and v.value in ("false", "0") for v in own.get(WS + "named", ())):
            continue
        others = [v.value for v in own.get(SKOS + "altLabel", ()) if isinstance(v, ox.Literal)]
        found.append(read_author(name_of(agent, names), others, person=_PERSON in own.get(RDF + "type", ())))
    return found


def _name(name: str) -> str:
    """Return the IRI that an address names.

    Raises:
        NotFoundError: it is none, so nothing can have it.
    """
    try:
        return ox.NamedNode(ID + name).value
    except ValueError as error:
        raise NotFoundError(
            f"`{name}` is not a name", mend="names have letters, digits, hyphens and slashes"
        ) from error


def _wanted_format() -> str:
    """Return the short name of the format that is asked for.

    Raises:
        NotAcceptable: it cannot be had (406).
    """
    asked = request.args.get("format")
    media = {form.media_type: short for short, form in FORMATS.items()}
    if asked is None:
        best = request.accept_mimetypes.best_match(["text/html", *media], "text/html")
        return media.get(best or "", "html")
    found = asked if asked in FORMATS or asked == "html" else media.get(asked)
    if found is None:
        raise NotAcceptable(f"a citation can be had as: {', '.join(FORMATS)}, html")
    return found


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
