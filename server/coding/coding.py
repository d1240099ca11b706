"""Coding: the form for an assertion, made from the shapes, and the proposals that are made with it.

    GET  /code/NAME                   the document's sentences, to choose one
    GET  /code/NAME?start=&end=       the form for the passage between two positions
    GET  /code/NAME?proposal=N        the form that a proposal was made with, or its record where no form makes it
    POST /code/NAME?…                 `intent=check` says what is wrong, `propose` proposes; the others alter the form

Whoever contributes may; what the form says becomes a record, and goes the way of `POST /proposals`. Without script
each button sends the form and gets it back, with all that was written in it. The island `coding` asks for JSON
(`Accept: application/json`) as one types, and for the form alone (`X-Fragment: 1`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.wrappers import Response as BaseResponse

from kg.errors import ConflictError, ParameterError, WhosaysError
from kg.forms import class_form, new_things, part_field, proposition_kinds
from kg.names import ID
from kg.proposals import Proposal
from kg.store import Snapshot
from kg.tokens import Bearer
from kg.vocabulary import vocabulary
from loaders import deciding
from loaders.filled_forms import (
    SHARED,
    STRUCTURE,
    FilledForm,
    Value,
    add_new,
    add_part,
    add_voice,
    drop,
    empty_form,
    read_pairs,
)
from loaders.form_reading import read_form, same_record
from loaders.form_records import MadeRecord, Surroundings, make_record
from loaders.judging import Verdict, judge_submissions
from loaders.submissions import Submission
from loaders.syntaxes import find_syntax
from server.access import bearer, needs
from server.coding.page import (
    NOT_CHECKED,
    Checked,
    CodedDocument,
    Remark,
    SentenceRow,
    is_published,
    read_document,
    read_holders,
    read_sentences,
    remarks_of,
    remarks_of_source,
    sentence_at,
)
from server.door import MAX_BODY, json_response, the_door
from server.pages.suggesting import called, form_value, value_of
from server.proposals import read_words, the_proposals
from server.reader import the_reader
from server.telling import source_text
from server.visitors import language

coding = Blueprint("coding", __name__)

SENTENCES = 100
"""Sentences on a page to choose from."""

_SUBJECT = re.compile(rf"^<{re.escape(ID)}([^>]+)>", re.MULTILINE)
_FEWEST_WORDS = 3
"""Words that a gloss must have before others are likened to it."""
_LIKENESS = 75.0
"""Of 100: what is less like the gloss is passed over."""


@dataclass
class Page:
    """A form on its way to the browser.

    Parameters:
        document: that is coded.
        filled: the form; None where a record itself is written.
        checked: what is wrong with it.
        source: the record, where that is written itself.
        media_type: of the source.
        proposal: that is altered; None where there is none yet.
        blanks: name of the control that more blanks were asked for.
        said: what has been done.
        focus: place in the form to go to.
    """

    document: CodedDocument
    filled: FilledForm | None
    checked: Checked = NOT_CHECKED
    source: str = ""
    media_type: str = "application/yaml"
    proposal: Proposal | None = None
    blanks: str = ""
    said: str = ""
    focus: str = ""


@coding.get("/code/<name>")
def show_form(name: str) -> BaseResponse | str:
    """The form for a passage, or for a proposal; the sentences, where neither is named."""
    given = request.args
    with the_reader().snapshot() as snapshot:
        document = read_document(snapshot, name)
        who = bearer()
        if who is None or not who.may("contributor"):
            return _render("code.html", snapshot, Page(document, _begun(document, None, snapshot)), who=None)
        if "proposal" in given:
            page = _open(snapshot, document, who, _number("proposal"))
            page.said = given.get("done", "") and "sent"
            return _render("code.html", snapshot, page, who=who)
        if "start" in given or "end" in given:
            return _render("code.html", snapshot, Page(document, _begun(document, who, snapshot)), who=who)
        start = max(1, _number("from") if "from" in given else 1)
        rows = _with_words(document, read_sentences(snapshot, name, limit=SENTENCES + 1, offset=start - 1))
        return render_template(
            "code_choose.html", document=document, sentences=rows[:SENTENCES], first=start, page_length=SENTENCES,
            more=len(rows) > SENTENCES,
        )  # fmt: skip


@coding.post("/code/<name>")
def take_form(name: str) -> BaseResponse | str:
    """Do what the button says; the form comes back with all that was written into it."""
    request.max_content_length = request.max_form_memory_size = MAX_BODY
    intent = request.form.get("intent", "check")
    with the_reader().snapshot() as snapshot:
        document = read_document(snapshot, name)
        if "source" in request.form:
            page = Page(document, None, source=request.form["source"].replace("\r\n", "\n"))
            page.media_type = request.form.get("media_type", page.media_type)
        else:
            page = Page(document, read_pairs(name, request.form.items(multi=True)))
        try:
            who = needs("contributor")
            if "proposal" in request.args:
                page.proposal = _seen(who, _number("proposal"))
        except HTTPException as error:
            remark = Remark("", "Violation", error.name, str(error.description or ""))
            page.checked = Checked((remark,))
            return _answer(snapshot, page, None, error.code or 403)
        if intent == "propose":
            return _propose(snapshot, page, who)
        if intent == "check":
            page.checked, _ = _check(snapshot, page, who)
        elif page.filled is not None:
            _alter(snapshot, page, page.filled, intent)
        return _answer(snapshot, page, who, 200)


# --- what the buttons do


def _alter(snapshot: Snapshot, page: Page, filled: FilledForm, intent: str) -> None:
    """Alter the form; what is no button of ours leaves it as it is."""
    verb, _, what = intent.partition(":")
    if verb == "voice":
        page.focus = add_voice(filled).place
    elif verb == "part" and (part := add_part(filled)):
        page.focus = part.place
    elif verb == "new":
        page.focus = add_new(filled, what or request.form.get("new-class", "")).place
    elif verb == "drop":
        drop(filled, what)
    elif verb == "more":
        page.blanks = page.focus = what
    elif verb == "take":
        filled.use = value_of(snapshot, [what], language()).get(what, what)
        page.focus = "content"
    elif verb == "other":
        filled.use = ""
        page.focus = "content"


def _check(
    snapshot: Snapshot, page: Page, who: Bearer, *, firmly: bool = False
) -> tuple[Checked, tuple[Submission, Verdict] | None]:
    """Judge what was written; the verdict is None where it could not be judged.

    Parameters:
        firmly: the names that are made must be free among what waits, too.
    """
    if page.filled is None:
        try:
            judged = _judge(page.source.encode(), find_syntax(page.media_type).name, who)
        except WhosaysError as error:
            return Checked(remarks_of_source((), error)), None
        return Checked(remarks_of_source(judged[1].findings)), judged
    made = make_record(page.filled, _surroundings(snapshot, page, firmly=firmly))
    similar = _similar(snapshot, page.filled, made)
    try:
        judged = _judge(made.source.encode(), "yaml", who)
    except WhosaysError as error:
        return Checked(remarks_of(page.filled, made, (), error), made.source, similar), None
    remarks = remarks_of(page.filled, made, judged[1].findings)
    return Checked(remarks, made.source, similar), judged if not made.troubles else None


def _judge(source: bytes, form: str, who: Bearer) -> tuple[Submission, Verdict]:
    door = the_door()
    submission = Submission(source, form, "the record", "add", door.settings.texts)
    return submission, door.cells().run(judge_submissions, door.settings.store, [submission], who.agent)


def _propose(snapshot: Snapshot, page: Page, who: Bearer) -> BaseResponse | str:
    page.checked, judged = _check(snapshot, page, who, firmly=True)
    if judged is None or not judged[1].conforms:
        return _answer(snapshot, page, who, 422)
    submission, verdict = judged
    try:
        if page.proposal is None:
            note = read_words("note", page.filled.note.strip() if page.filled else "")
            proposal = deciding.propose(the_proposals(), who.name, submission, verdict, note=note)
        else:
            revision = _whole(request.form.get("revision", ""))
            proposal = deciding.revise(
                the_proposals(), page.proposal.id, revision, who.name, submission, verdict
            )  # fmt: skip
    except WhosaysError as error:
        remark = Remark("", "Violation", error.problem, error.mend)
        page.checked = replace(page.checked, remarks=(remark, *page.checked.remarks))
        return _answer(snapshot, page, who, 409 if isinstance(error, ConflictError) else 422)
    address = url_for("coding.show_form", name=page.document.name, proposal=proposal.id)
    if _takes_json():
        return json_response({"proposal": proposal.id, "revision": proposal.revision, "address": address}, 201)
    return redirect(f"{address}&done=1", 303)


# --- where a form comes from


def _begun(document: CodedDocument, who: Bearer | None, snapshot: Snapshot) -> FilledForm:
    """Return the form for the passage that the address names."""
    passages = [f"{_number('start')}-{_number('end')}"] if "start" in request.args or "end" in request.args else []
    filled = empty_form(document.name, passages, {"coded": datetime.now(UTC).date().isoformat(), "status": "published"})
    kind = request.args.get("kind", "")
    if kind in proposition_kinds():
        filled.content.class_name = kind
    if who is not None:
        if is_published(snapshot, who.name):
            filled.shared["coder"] = value_of(snapshot, [who.name], language())[who.name]
        else:
            entry = add_new(filled, "Person")
            entry.name = who.name
            entry.values["prefLabel"] = [Value(who.name, "en")]
            filled.shared["coder"] = form_value(who.name, who.name)
    return filled


def _open(snapshot: Snapshot, document: CodedDocument, who: Bearer, number: int) -> Page:
    """Return the page of a proposal: its form where one makes the same record, else the record."""
    proposal = _seen(who, number)
    revision = the_proposals().content(number)
    page = Page(document, None, source=source_text(revision), media_type=revision.media_type, proposal=proposal)
    if find_syntax(revision.media_type).name != "yaml" or request.args.get("as") == "record":
        return page
    filled = read_form(page.source, document.name)
    if filled is None:
        return page
    again = make_record(filled, _surroundings(snapshot, page, firmly=False))
    if again.troubles or not same_record(again.source, page.source, document.creators, document.publishers):
        return page
    _dress(snapshot, filled)
    page.filled = filled
    return page


def _dress(snapshot: Snapshot, filled: FilledForm) -> None:
    """Write beside the names of published things what they are called."""
    references = [
        (entry, asked.key) for entry in filled.entries for asked in entry.form.fields if asked.kind == "reference"
    ]
    names = {text for entry, key in references for text in entry.texts(key)} | {filled.use, *filled.shared.values()}
    values = value_of(snapshot, (name for name in names if name and is_published(snapshot, name)), language())
    for entry, key in references:
        if key in entry.values:
            entry.values[key] = [Value(values.get(v.text, v.text)) for v in entry.values[key]]
    filled.use = values.get(filled.use, filled.use)
    if "coder" in filled.shared:
        filled.shared["coder"] = values.get(filled.shared["coder"], filled.shared["coder"])


def _seen(who: Bearer, number: int) -> Proposal:
    """Return a proposal that one may see."""
    proposal = the_proposals().get(number)
    if proposal.contributor != who.name and not who.may("curator"):
        raise Forbidden("a contributor sees the own proposals only")
    return proposal


# --- what is around it


def _surroundings(snapshot: Snapshot, page: Page, *, firmly: bool) -> Surroundings:
    reader, name = the_reader(), page.document.name
    text = reader.texts.find(page.document.digest) if page.document.digest else None
    tag = language()

    @cache
    def published(slug: str) -> bool:
        return is_published(snapshot, slug)

    @cache
    def waiting() -> frozenset[str]:
        if not firmly:
            return frozenset()
        own = page.proposal.id if page.proposal else None
        found = the_proposals().find(state="waiting", document=ID + name, limit=1_000)
        quads = (the_proposals().content(p.id).quads for p in found if p.id != own)
        return frozenset(slug for one in quads for slug in _SUBJECT.findall(one))

    return Surroundings(
        called=lambda words, classes: called(reader, snapshot, words, classes, in_language=tag),
        is_published=published,
        is_taken=lambda slug: published(slug) or slug in waiting(),
        sentence=lambda start: sentence_at(snapshot, name, start),
        words=lambda start, end: None if text is None else text[start:end],
        length=None if text is None else len(text),
    )


def _similar(snapshot: Snapshot, filled: FilledForm, made: MadeRecord) -> tuple[dict[str, object], ...]:
    """Return propositions that are worded nearly as the gloss is."""
    gloss = next(iter(filled.content.texts("gloss")), "")
    if filled.use.strip() or len(gloss.split()) < _FEWEST_WORDS:
        return ()
    hits = the_reader().index_of(snapshot).similar(gloss, limit=5)
    near = [hit for hit in hits if hit.score >= _LIKENESS and hit.iri not in made.places]
    return tuple({"name": hit.iri.removeprefix(ID), "label": hit.label[:300]} for hit in near)


def _excerpts(page: Page) -> list[tuple[str, int, int, str | None]]:
    """Return the passages with their words, where these may be shown."""
    found = []
    for passage in page.filled.passages if page.filled else ():
        if span := re.search(r"([0-9]{1,9})\s*-\s*([0-9]{1,9})\]?\Z", passage.strip()):
            start, end = int(span[1]), int(span[2])
            found.append((passage, start, end, _quoted(page.document, start, end)))
    return found


def _with_words(document: CodedDocument, rows: list[SentenceRow]) -> list[SentenceRow]:
    return [replace(row, words=_quoted(document, row.start, row.end)) for row in rows]


def _quoted(document: CodedDocument, start: int, end: int) -> str | None:
    reader = the_reader()
    if reader.settings.quotes == "none" or document.digest is None or not start < end:
        return None
    words = reader.texts.quote(document.digest, start, end)
    return words[:5_000] if words else None


# --- answers


def _answer(snapshot: Snapshot, page: Page, who: Bearer | None, status: int) -> BaseResponse:
    if _takes_json():
        return json_response(page.checked.told(), status if who is None else 200)
    return Response(_render("code.html", snapshot, page, who=who, anew=False), status)


def _render(template: str, snapshot: Snapshot, page: Page, *, who: Bearer | None, anew: bool = True) -> str:
    fragment = bool(request.headers.get("X-Fragment"))
    agents = value_of(snapshot, read_holders(snapshot, page.document.name), language())
    return render_template(
        "code_form.html" if fragment else template,
        page=page,
        document=page.document,
        filled=page.filled,
        checked=page.checked,
        who=who,
        invite=who is None and anew,
        excerpts=_excerpts(page),
        agents=list(agents.values()),
        authors=[agents.get(name, name) for name in page.document.creators],
        kinds=[class_form(kind) for kind in proposition_kinds()],
        new_things={heading: [class_form(name) for name in names] for heading, names in new_things().items()},
        parts=part_field(page.filled.content.class_name or "Proposition") if page.filled else None,
        structure=(*STRUCTURE, *SHARED),
        shared=[field for field in class_form("Assertion").fields if field.key in SHARED],
        family=_family,
        classes_above=lambda name: sorted(vocabulary().parents.get(name, ())),
        address=_address(),
        fragment=fragment,
    )


def _family(class_name: str) -> str:
    """Return the accent of a kind of proposition, as the style sheet calls it."""
    names: dict[str, str] = {"CausalClaim": "causal", "CausalPathway": "pathway", "Proposition": "plain", "": "plain"}
    return names.get(class_name, class_name.lower())


def _address() -> str:
    """Return the address that the form is sent to: this one."""
    kept = {k: request.args[k] for k in ("start", "end", "proposal") if k in request.args}
    return url_for("coding.show_form", name=(request.view_args or {}).get("name", ""), **kept)  # type: ignore[arg-type]


def _takes_json() -> bool:
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def _number(key: str) -> int:
    return _whole(request.args.get(key, ""), key)


def _whole(text: str, key: str = "revision") -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 12:
        raise ParameterError(f"`{key}` is `{text[:40]}`", mend="give a whole number, such as 120")
    return int(text)
