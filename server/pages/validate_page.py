"""The validate page: a file or a text, and the report beside the lines that it concerns.

GET  /validate   the page
POST /validate   a form of people: the page with the report; with `X-Fragment: 1` the report alone, for the island.
                 `intent=propose` (contributor) and `intent=publish` (curator) pass on what conforms
                 Any other body is a program's, and answered by `server.door`

What is sent goes through the same door as everything else: it is judged in a cell, and nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePath

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from kg.errors import BusyError, MalformedError, OverrunError, WhosaysError
from kg.names import ID, shorten
from kg.reports import Finding
from kg.tokens import Bearer
from loaders import deciding
from loaders.judging import Verdict, judge_submissions, plan_submissions
from loaders.submissions import Submission
from loaders.syntaxes import SYNTAXES, find_syntax, guess_form
from server.access import needs
from server.door import MAX_BODY, the_door, validate
from server.problems import status_of
from server.proposals import the_proposals

validating = Blueprint("validating", __name__)

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
"""Media types of what people send; in them a program sends nothing."""

WHOLE = 400
"""Lines up to which a text is shown whole; of a longer one, what is wrong and what stands around it."""

AROUND = 2
"""Lines around one that a note belongs to."""

WIDEST = 400
"""Characters of a line that are shown."""

EDITABLE = 500_000
"""Bytes up to which what was sent as a file comes back as a text to edit."""

MOST_NOTES = 500
"""Notes that a page shows."""


@dataclass(frozen=True)
class Note:
    """One thing that is wrong with what was sent, or seems odd.

    Parameters:
        kind: problem (it cannot be read or taken), violation, warning or info; the last two keep nothing out.
        line: counted from 1; None where it is not known.
        subject: IRI of the node; empty for a problem.
        label: what the node is called.
        path: the property, shortened; empty where the node as a whole is meant.
        found: the value, in words; empty where there is none.
        expected: what should be there, or what is wrong.
        mend: what to do.
        published: the node is published already, and would break.
    """

    kind: str
    line: int | None
    subject: str
    label: str
    path: str
    found: str
    expected: str
    mend: str
    published: bool = False


@dataclass(frozen=True)
class Line:
    """A line of the text with its notes; or, where `number` is 0, so many lines that are left out.

    Parameters:
        number: counted from 1.
        text: of the line, cut where it is very long.
        notes: that belong to it.
        left_out: how many lines stand here that are not shown.
    """

    number: int
    text: str = ""
    notes: tuple[Note, ...] = ()
    left_out: int = 0


@dataclass(frozen=True)
class Judged:
    """A report, as the page shows it.

    Parameters:
        conforms: nothing keeps it out.
        complete: False where judging stopped because enough was wrong.
        syntax: what it was read as, in words; empty where that could not be told.
        notes: violations and problems first, then by line.
        lines: of the text, with their notes.
        size: bytes.
        error: why there is no verdict, where that is no fault of the text; None else.
    """

    conforms: bool
    complete: bool
    syntax: str
    notes: tuple[Note, ...]
    lines: tuple[Line, ...]
    size: int
    error: WhosaysError | None = None

    @property
    def shown(self) -> tuple[Note, ...]:
        """The notes that the page shows."""
        return self.notes[:MOST_NOTES]

    @property
    def elsewhere(self) -> list[tuple[str, str, tuple[Note, ...]]]:
        """Notes without a line, by the node that they are about: its IRI, what it is called, and the notes."""
        rest = sorted((n for n in self.shown if n.line is None), key=lambda n: (n.subject, n.kind))
        return [(iri, (found := tuple(notes))[0].label, found) for iri, notes in groupby(rest, lambda n: n.subject)]

    def count(self, *kinds: str) -> int:
        """Return how many notes are of some kinds."""
        return sum(1 for note in self.notes if note.kind in kinds)


@validating.get("/validate")
def show_form() -> str:
    """The page, with what became of what was proposed or published from it."""
    done = {
        name: number for name in ("proposed", "published") if (number := request.args.get(name, "")[:12]).isdecimal()
    }
    return render_template("validate.html", syntaxes=SYNTAXES, text="", chosen="", name="", judged=None, done=done)


@validating.post("/validate")
def judge_form() -> BaseResponse:
    """Judge what people send by a form; a program's body goes to `server.door.validate`."""
    if request.mimetype not in FORMS:
        return validate()
    request.max_content_length = request.max_form_memory_size = MAX_BODY + 100_000
    intent = request.form.get("intent", "check")
    who = needs("contributor") if intent == "propose" else needs("curator") if intent == "publish" else None
    data, name = _sent()
    fragment = bool(request.headers.get("X-Fragment"))
    whole = 0 if fragment else WHOLE  # who edits the text beside the report need not see it twice
    chosen = request.form.get("form", "")
    passed_on, judged = None, None
    try:
        submission = _submission(data, name, chosen)
        verdict = _judge(submission, who)
        passed_on = _pass_on(submission, verdict, intent, who)
        judged = judge_text(data, submission.form, verdict, whole)
    except WhosaysError as error:
        judged = refuse_text(data, error, whole)
    if passed_on is not None:
        return redirect(passed_on, 303, Response=Response)
    status = status_of(judged.error) if judged.error is not None else 200
    if fragment:
        return Response(render_template("validate_report.html", judged=judged), status)
    text = data.decode("utf-8", "replace") if len(data) <= EDITABLE else ""
    page = render_template(
        "validate.html", syntaxes=SYNTAXES, text=text, chosen=chosen, name=name, judged=judged, done={}
    )
    return Response(page, status)


def judge_text(data: bytes, form: str, verdict: Verdict, whole: int = WHOLE) -> Judged:
    """Return a verdict as the page shows it.

    Parameters:
        data: what was judged.
        form: short name of its syntax.
        verdict: on it.
        whole: lines up to which all of it is shown.
    """
    notes = _in_order(_note(finding) for finding in verdict.findings)
    lines = lay_out(data, notes, whole)
    return Judged(verdict.conforms, verdict.complete, find_syntax(form).title, notes, lines, len(data))


def refuse_text(data: bytes, error: WhosaysError, whole: int = WHOLE) -> Judged:
    """Return what keeps a text from being judged at all, as the page shows it.

    Parameters:
        data: what was sent.
        error: what its reading raised.
        whole: lines up to which all of it is shown.
    """
    if isinstance(error, BusyError | OverrunError):
        return Judged(False, True, "", (), (), len(data), error)
    single: Sequence[WhosaysError] = getattr(error, "problems", None) or [error]
    notes = _in_order(
        Note("problem", e.place.line if e.place else None, "", "", "", "", e.problem, e.mend) for e in single
    )
    return Judged(False, True, "", notes, lay_out(data, notes, whole), len(data))


def lay_out(data: bytes, notes: Iterable[Note], whole: int = WHOLE) -> tuple[Line, ...]:
    """Return the lines of a text with their notes: all of a short one, of a long one those that matter.

    Parameters:
        data: the text.
        notes: those without a line, or with one that is not there, are left out.
        whole: lines up to which all of it is shown.

    >>> note = Note("warning", 600, "", "", "", "", "", "")
    >>> [(line.number, line.left_out, len(line.notes)) for line in lay_out(b"x\\n" * 1_000, [note])]
    [(0, 597, 0), (598, 0, 0), (599, 0, 0), (600, 0, 1), (601, 0, 0), (602, 0, 0), (0, 398, 0)]
    """
    by_line: dict[int, list[Note]] = {}
    for note in list(notes)[:MOST_NOTES]:
        if note.line is not None:
            by_line.setdefault(note.line, []).append(note)
    text = data.decode("utf-8", "replace").removesuffix("\n").split("\n")
    count = len(text)
    near = {n + step for n in by_line for step in range(-AROUND, AROUND + 1)}
    wanted = [n for n in (range(1, count + 1) if count <= whole else sorted(near)) if 1 <= n <= count]
    found: list[Line] = []
    last = 0
    for number in [*wanted, count + 1]:
        if number > last + 1:
            found.append(Line(0, left_out=number - last - 1))
        if number <= count:
            line = text[number - 1].removesuffix("\r")
            shown = line if len(line) <= WIDEST else f"{line[:WIDEST]}…"
            found.append(Line(number, shown, tuple(by_line.get(number, ()))))
        last = number
    return tuple(found) if wanted else ()


def _sent() -> tuple[bytes, str]:
    """Return what was sent, and the name of its file; a file goes before a text."""
    file = request.files.get("file")
    if file is not None and file.filename:
        return file.read(), PurePath(file.filename).name[:200]
    text = request.form.get("text", "").replace("\r\n", "\n")  # which is how forms send line ends
    return text.encode("utf-8", "replace"), PurePath(request.form.get("name", "")).name[:200]


def _submission(data: bytes, name: str, chosen: str) -> Submission:
    if not data.strip():
        raise MalformedError("there is nothing to judge", mend="paste a text, or choose a file")
    form = find_syntax(chosen).name if chosen else guess_form(name, data)
    return Submission(data, form, name or "the text", "add", the_door().settings.texts)


def _judge(submission: Submission, who: Bearer | None) -> Verdict:
    agent = who.agent if who else ID + "anybody"
    return the_door().cells().run(judge_submissions, the_door().settings.store, [submission], agent)


def _pass_on(submission: Submission, verdict: Verdict, intent: str, who: Bearer | None) -> str | None:
    """Propose or publish what conforms, where that is meant; return where it is told."""
    if who is None or not verdict.conforms:
        return None
    if intent == "propose":
        note = request.form.get("note", "")[:10_000]
        proposal = deciding.propose(the_proposals(), who.name, submission, verdict, note=note)
        return url_for("validating.show_form", proposed=proposal.id)
    outcome = the_door().publish(plan_submissions, [submission], who.agent, None)
    number = None if isinstance(outcome, Verdict) else outcome.number
    if number is None:  # it is there already, or was overtaken
        raise MalformedError("nothing of this is new", mend="change something, or leave it")
    return url_for("validating.show_form", published=number)


def _note(finding: Finding) -> Note:
    return Note(
        finding.severity.lower(),
        finding.line,
        finding.subject,
        finding.label,
        shorten(finding.path) if finding.path else "",
        finding.found or "",
        finding.expected,
        finding.mend,
        finding.published,
    )


_ORDER = ("problem", "violation", "warning", "info")


def _in_order(notes: Iterable[Note]) -> tuple[Note, ...]:
    return tuple(sorted(notes, key=lambda n: (_ORDER.index(n.kind), n.line is None, n.line or 0)))
