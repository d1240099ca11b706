"""What the page for coding shows: the document, the passage, the form as it is filled, and what is wrong with it.

What the shapes say of a thing is shown beside the control that it concerns: that of the property; where
a shape looks at several, the first that its message names; else at the head of the thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import pyoxigraph as ox

from kg.errors import NotFoundError, WhosaysError
from kg.forms import class_form, keys, part_field
from kg.names import ID, RDF, WS, shorten
from kg.reports import Finding
from kg.store import Snapshot
from kg.terms import terms
from loaders.filled_forms import SHARED, FilledForm
from loaders.form_records import MadeRecord

_NAMED = re.compile(r"`(\w+):`")
_REPORT = "/report"
_DOCUMENT = """
SELECT ?title ?digest ?length ?creator ?publisher WHERE {{
  {document} a ws:Document .
  OPTIONAL {{ {document} ws:title ?title }} OPTIONAL {{ {document} ws:digest ?digest }}
  OPTIONAL {{ {document} ws:textLength ?length }}
  OPTIONAL {{ {document} ws:creator ?creator }} OPTIONAL {{ {document} ws:publisher ?publisher }}
}}"""
_SENTENCES = """
SELECT ?number ?start ?end (COUNT(?assertion) AS ?count) WHERE {{
  ?sentence ws:inDocument {document} ; ws:sentenceNumber ?number ; ws:start ?start ; ws:end ?end .
  OPTIONAL {{ ?assertion ws:evidencedBy ?sentence }}
}}
GROUP BY ?number ?start ?end
ORDER BY ?start
LIMIT {limit} OFFSET {offset}"""
_SENTENCE_AT = """
SELECT ?number WHERE {{
  ?sentence ws:inDocument {document} ; ws:sentenceNumber ?number ; ws:start ?start ; ws:end ?end .
  FILTER(?end > {start})
}}
ORDER BY ?start
LIMIT 1"""
_HOLDERS = """
SELECT ?holder (COUNT(*) AS ?count) WHERE {{ ?assertion ws:statedIn {document} ; ws:holder ?holder }}
GROUP BY ?holder
ORDER BY DESC(?count) ?holder
LIMIT {limit}"""


@dataclass(frozen=True)
class CodedDocument:
    """A published document, as far as coding needs it.

    Parameters:
        name: its slug.
        title: what it is called.
        digest: of its text; None where it is not coded from a text.
        creators, publishers: their slugs.
    """

    name: str
    title: str
    digest: str | None
    creators: tuple[str, ...]
    publishers: tuple[str, ...]


@dataclass(frozen=True)
class SentenceRow:
    """A sentence that can be chosen.

    Parameters:
        number: in the document, from 1.
        start, end: in code points.
        count: how many assertions rest on it.
        words: None where the text is not at hand.
    """

    number: int
    start: int
    end: int
    count: int
    words: str | None = None


@dataclass(frozen=True)
class Remark:
    """Something that is to be said of a form.

    Parameters:
        control: name of the control that it stands beside, or place in the form; empty where it concerns no part of it.
        severity: `Violation` keeps it out; `Warning` and `Info` do not.
        problem: what is wrong.
        mend: what to do.
        found: the value found, in words.
        missing: True where nothing was written there yet.
        line: of the record, where the record itself is written.
    """

    control: str
    severity: str
    problem: str
    mend: str
    found: str = ""
    missing: bool = False
    line: int | None = None


@dataclass(frozen=True)
class Checked:
    """The outcome of a check.

    Parameters:
        remarks: what is to be said.
        record: the record that was made, as YAML.
        similar: propositions that are worded nearly the same: slug, gloss, likeness from 0 to 1.
    """

    remarks: tuple[Remark, ...]
    record: str = ""
    similar: tuple[Mapping[str, object], ...] = ()
    by_control: Mapping[str, list[Remark]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found: dict[str, list[Remark]] = {}
        for remark in self.remarks:
            found.setdefault(remark.control, []).append(remark)
        object.__setattr__(self, "by_control", found)

    @property
    def conforms(self) -> bool:
        """True where nothing keeps it out."""
        return not any(remark.severity == "Violation" for remark in self.remarks)

    def at(self, place: str) -> list[Remark]:
        """Return what is said of a control, or of anything at a place (`voice-1.` with a dot)."""
        if not place.endswith("."):
            return self.by_control.get(place, [])
        return [r for r in self.remarks if r.control.startswith(place)]

    def told(self) -> dict[str, object]:
        """Return it as JSON tells it."""
        return {
            "conforms": self.conforms,
            "remarks": [asdict(remark) for remark in self.remarks],
            "similar": list(self.similar),
            "record": self.record,
        }


NOT_CHECKED = Checked(())
"""Of a form that nobody has asked about yet."""


def read_document(snapshot: Snapshot, name: str) -> CodedDocument:
    """Return a published document.

    Parameters:
        snapshot: of the graph.
        name: its slug.

    Raises:
        NotFoundError: there is none of that name.
    """
    try:
        node = ox.NamedNode(ID + name)
    except ValueError:
        node = ox.NamedNode(ID + "-")
    rows = _rows(snapshot, _DOCUMENT.format(document=node))
    if not rows:
        raise NotFoundError(f"there is no document `{name[:100]}`", mend="see the home page for those there are")

    def values(key: str) -> tuple[str, ...]:
        return tuple(sorted({row[key] for row in rows if key in row}))

    creators, publishers = (tuple(map(shorten, values(key))) for key in ("creator", "publisher"))
    return CodedDocument(
        name, next(iter(values("title")), name), next(iter(values("digest")), None), creators, publishers
    )


def read_sentences(snapshot: Snapshot, document: str, *, limit: int, offset: int) -> list[SentenceRow]:
    """Return sentences of a document, in order, without their words.

    Parameters:
        snapshot: of the graph.
        document: slug.
        limit, offset: which of them.
    """
    text = _SENTENCES.format(document=ox.NamedNode(ID + document), limit=limit, offset=offset)
    rows = _rows(snapshot, text)
    return [SentenceRow(int(r["number"]), int(r["start"]), int(r["end"]), int(r["count"])) for r in rows]


def sentence_at(snapshot: Snapshot, document: str, start: int) -> int | None:
    """Return the number of the sentence that a position lies in, or of the next one."""
    rows = _rows(snapshot, _SENTENCE_AT.format(document=ox.NamedNode(ID + document), start=start))
    return int(rows[0]["number"]) if rows else None


def read_holders(snapshot: Snapshot, document: str, *, limit: int = 60) -> list[str]:
    """Return the slugs of those who hold something in a document, who holds most first."""
    rows = _rows(snapshot, _HOLDERS.format(document=ox.NamedNode(ID + document), limit=limit))
    return [shorten(row["holder"]) for row in rows]


def is_published(snapshot: Snapshot, name: str) -> bool:
    """Tell whether anything is published under a name."""
    try:
        node = ox.NamedNode(ID + name)
    except ValueError:
        return False
    return next(iter(snapshot.store.quads_for_pattern(node, ox.NamedNode(RDF + "type"), None)), None) is not None


def remarks_of(
    filled: FilledForm, made: MadeRecord, findings: Iterable[Finding], error: WhosaysError | None = None
) -> tuple[Remark, ...]:
    """Return what is to be said of a form, each thing beside the control that it concerns.

    Parameters:
        filled: the form.
        made: the record made of it.
        findings: what the shapes say.
        error: what kept the record from being read.
    """
    remarks = [Remark(t.control, "Violation", t.problem, t.mend) for t in made.troubles]
    told = {t.control for t in made.troubles}
    for single in getattr(error, "problems", None) or ([error] if error else []):
        line = single.place.line if single.place else None
        control = (made.control_at(line) or "") if line else ""
        remarks.append(Remark(control, "Violation", _plain(single.problem), _plain(single.mend)))
    for finding in findings:
        control = _control(filled, made.places, finding)
        if control in told or f"{control}.id" in told:
            continue  # said already, by who could not make head or tail of it
        remarks.append(
            Remark(
                control,
                finding.severity,
                _plain(finding.expected),
                _plain(finding.mend),
                finding.found or "",
                missing=bool(control) and not filled.value(control) and finding.found is None,
            )
        )
    unique = {(r.control, r.severity, r.problem): r for r in remarks}
    return tuple(sorted(unique.values(), key=lambda r: r.severity != "Violation"))


def remarks_of_source(findings: Iterable[Finding], error: WhosaysError | None = None) -> tuple[Remark, ...]:
    """Return what is to be said of a record that was written by hand, with its lines."""
    remarks = [
        Remark("source", "Violation", one.problem, one.mend, line=one.place.line if one.place else None)
        for one in getattr(error, "problems", None) or ([error] if error else [])
    ]
    remarks += [
        Remark("source", f.severity, f"{shorten(f.subject)}: {f.expected}", f.mend, f.found or "", line=f.line)
        for f in findings
    ]
    return tuple(remarks)


def _control(filled: FilledForm, places: Mapping[str, str], finding: Finding) -> str:
    place = places.get(finding.subject) or places.get(finding.subject.removesuffix(_REPORT), "")
    if not place:
        return "passage" if re.search(r"/\d+-\d+\Z", finding.subject) else ""
    entry = filled.entry(place)
    assert entry is not None
    own = keys().get(finding.path or "")
    if finding.subject.endswith(_REPORT) and own not in SHARED:
        own = None
    named = [own] if own else [*_NAMED.findall(finding.mend), *_NAMED.findall(finding.expected)]
    for key in named:
        if entry.class_name == "Assertion" and key in SHARED:
            return f"shared.{key}"
        if entry.class_name == "Assertion" and key == "evidencedBy":
            return "passage"
        if entry.class_name == "Assertion" and key in ("proposition", "reports"):
            return "content.use" if place == filled.voices[-1].place else place
        if entry.form.field(key):
            return f"{place}.{key}"
        parts = part_field(entry.class_name) if place == "content" and entry.class_name else None
        if parts and class_form(parts.classes[0]).field(key):
            return f"{place}.{parts.key}"
    return place


def _plain(text: str) -> str:
    """Return a message with the names of controls in place of the keys of records."""

    def label(found: re.Match[str]) -> str:
        term = terms().get(WS + found[1])
        return f"“{term.label}”" if term else f"“{found[1]}”" if found[1] != "id" else "a name"

    return _NAMED.sub(label, text)


def _rows(snapshot: Snapshot, text: str) -> Sequence[Mapping[str, str]]:
    """Return rows with the values of what is bound."""
    solutions = snapshot.query(text)
    assert isinstance(solutions, ox.QuerySolutions)
    names = [variable.value for variable in solutions.variables]
    return [{n: t.value for n in names if isinstance(t := row[n], ox.NamedNode | ox.Literal)} for row in solutions]
