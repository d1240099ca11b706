"""Reading a document in the browser: its text with what is asserted in it, or its outline.

    GET /documents/NAME     the text, where the user has it and it may be shown; beside it the assertions

`?assertion=KEY` chooses an assertion, `#START-END` a passage, `?hide=KIND` hides a kind. The setting `quotes` says how
much of the text is shown: all of it, the words of coded passages in the outline, or nothing. What waits as a proposal
is shown to whom it concerns. What is coded of a document is read once for each snapshot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import pyoxigraph as ox
from flask import Blueprint, render_template, request
from markupsafe import Markup

from kg.describing import pick_names
from kg.errors import NotFoundError
from kg.languages import Name
from kg.names import ID, WS, shorten
from kg.store import Snapshot
from kg.terms import terms
from server.entities.date_words import date_in_words
from server.linked_data import local_address
from server.proposals import the_proposals
from server.reader import Reader, the_reader
from server.reading.cards import GLYPHS, KIND_NAMES, Card
from server.reading.coded_document import CodedDocument, read_coded
from server.reading.html import SIGNS, code_html, paragraph_html, reference_html, state_html
from server.reading.page import ReadingPage, reading_page
from server.visitors import language, visitor

reading = Blueprint("reading", __name__)

KEPT = 8
"""Documents that are kept as they were read, for each snapshot."""

WAITING = 100
"""Proposals that are shown in one document."""


@dataclass(frozen=True)
class Read:
    """A document as it is read in one language.

    Parameters:
        coded: what is coded of it.
        names: what everything is called.
        page: what is shown.
        has_text: whether its text is at hand.
        bodies: the page without its head, for those who may code and those who may not.
    """

    coded: CodedDocument
    names: Mapping[str, Name]
    page: ReadingPage
    has_text: bool
    bodies: dict[bool, Markup] = field(default_factory=dict)


_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z")
_DATES = {"issued": "", "archived": "archived", "captured": "captured", "released": "released"}
_kept: WeakKeyDictionary[Snapshot, dict[tuple[str, str], Read]] = WeakKeyDictionary()


@reading.get("/documents/<name>")
def show_document(name: str) -> str:
    """A document to read: its text, or its outline, and what is asserted in it."""
    reader = the_reader()
    iri = _iri(name)
    with reader.snapshot() as snapshot:
        waiting = _waiting(iri)
        read = _read(reader, snapshot, iri, waiting) if waiting else _kept_or_read(reader, snapshot, iri)
    coded, names, page = read.coded, read.names, read.page
    asked, hidden = request.args.get("assertion", ""), request.args.getlist("hide")
    chosen = [card for card in page.cards if asked and card.answers(asked)]
    who = visitor()
    codes, curates = (who is not None and who.may(role) for role in ("contributor", "curator"))
    body = read.bodies.get(codes) if not (chosen or hidden) else None
    if body is None and page.cards:
        body = _body(read, name, chosen, hidden, codes=codes, curates=curates)
        if not (chosen or hidden):
            read.bodies[codes] = body
    return render_template(
        "document.html",
        name=name,
        iri=iri,
        coded=coded,
        page=page,
        names=names,
        title=names.get(iri, Name(shorten(iri))),
        authors=_terms(coded, "creator"),
        publishers=_terms(coded, "publisher"),
        kind=next((_called(t, names) for t in _terms(coded, "kind")), ""),
        dates=_dates(coded, names),
        tag=_tag(coded),
        asked=asked,
        chosen=chosen,
        quotes=reader.settings.quotes,
        has_text=read.has_text,
        codes=codes,
        body=body or "",
    )


def _body(
    read: Read, name: str, chosen: Sequence[Card], hidden: Sequence[str], *, codes: bool, curates: bool
) -> Markup:
    text = render_template(
        "reading.html",
        name=name,
        coded=read.coded,
        page=read.page,
        tag=_tag(read.coded),
        addresses=_addresses(read.page.cards),
        chosen_numbers={card.number for card in chosen},
        chosen_passages={str(span) for card in chosen for span in card.spans},
        hidden=hidden,
        codes=codes,
        curates=curates,
        glyphs=GLYPHS,
        kind_names=KIND_NAMES,
        signs=SIGNS,
        paragraph_html=paragraph_html,
        reference_html=reference_html,
        state_html=state_html,
        code_html=code_html,
    )
    return Markup(text)


def _addresses(cards: Iterable[Card]) -> dict[str, str]:
    """Return where the holders, contents and assertions of cards can be read about."""
    told = {voice.iri for card in cards for voice in card.voices}
    pieces = (piece for card in cards for voice in card.voices for piece in voice.pieces)
    told |= {piece.iri for piece in pieces if piece.iri and piece.iri not in terms()}
    told |= {card.content.iri for card in cards if card.content and card.content.iri}
    return {iri: address for iri in told if (address := local_address(iri))}


def _iri(name: str) -> str:
    try:
        return ox.NamedNode(ID + name).value
    except ValueError as error:
        raise NotFoundError("there is no such document", mend="see the documents on the home page") from error


def _kept_or_read(reader: Reader, snapshot: Snapshot, iri: str) -> Read:
    kept, key = _kept.setdefault(snapshot, {}), (iri, language())
    found = kept.get(key)
    if found is None:
        found = _read(reader, snapshot, iri, {})
        while len(kept) >= KEPT:
            kept.pop(next(iter(kept)), None)
        kept[key] = found
    return found


def _read(reader: Reader, snapshot: Snapshot, iri: str, waiting: Mapping[int, str]) -> Read:
    coded = read_coded(snapshot, iri, waiting)
    names = pick_names(coded.naming, language())
    text = reader.texts.find(coded.digest) if coded.digest else None
    quotes = reader.settings.quotes
    page = reading_page(coded, names, text if quotes != "none" else None, whole=quotes == "document")
    return Read(coded, names, page, text is not None)


def _waiting(iri: str) -> Mapping[int, str]:
    """Return the proposals in a document that the visitor may see: number to N-Quads."""
    who = visitor()
    if who is None or not who.may("contributor"):
        return {}
    own = None if who.may("curator") else who.name
    found = the_proposals().find(state="waiting", contributor=own, document=iri, limit=WAITING)
    return {proposal.id: the_proposals().content(proposal.id).quads for proposal in found}


def _terms(coded: CodedDocument, name: str) -> list[ox.NamedNode]:
    return [value for value in coded.own.get(WS + name, ()) if isinstance(value, ox.NamedNode)]


def _called(term: ox.NamedNode, names: Mapping[str, Name]) -> str:
    known = terms().get(term.value)
    return known.label if known else names.get(term.value, shorten(term.value))


def _dates(coded: CodedDocument, names: Mapping[str, Name]) -> list[tuple[str, str]]:
    """Return the document's dates in words, the misleading ones named as what they are, and on what they rest."""
    found = []
    for name, what in _DATES.items():
        for value in coded.own.get(WS + name, ()):
            if isinstance(value, ox.Literal):
                basis = ", ".join(_called(b, names) for b in _terms(coded, "issuedBasis")) if name == "issued" else ""
                found.append((f"{what} {date_in_words(value.value)}".strip(), basis))
    return found


def _tag(coded: CodedDocument) -> str:
    """Return the tag of the language of the text; empty where it is not known."""
    values = (v.value for v in coded.own.get(WS + "language", ()) if isinstance(v, ox.Literal))
    return next((value for value in values if _LANGUAGE.match(value)), "")
