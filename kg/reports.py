"""Reports for people and programs: what a validation found, where, and how to mend it.

A shape's message has two halves, before and after its first colon: what is expected, and what to
do. A finding adds what the reader needs beside them: the place in the file, what the thing is
called, the value that was found.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass

import pyoxigraph as ox

from kg.change import View
from kg.errors import Place
from kg.names import RDFS, SKOS, WS, shorten
from kg.validation import Report, Result, Severity

_LABELS = [ox.NamedNode(iri) for iri in (SKOS + "prefLabel", WS + "gloss", WS + "title", RDFS + "label")]
_MOST = 200
"""The most characters of a value that are shown."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or seems odd.

    Parameters:
        severity: only a Violation keeps content out.
        subject: IRI of the node.
        label: what it is called; its short name where it has no label.
        path: IRI of the property; None where the node as a whole is meant.
        found: the value found, in words; None where there is none.
        expected: what the shape asks for.
        mend: what to do.
        file, line: where the content says it, if it does.
        shape: IRI of the shape.
        published: True where the node is not in what was sent, but is published and would break.
    """

    severity: Severity
    subject: str
    label: str
    path: str | None
    found: str | None
    expected: str
    mend: str
    file: str | None
    line: int | None
    shape: str
    published: bool

    def __str__(self) -> str:
        where = f"{Place(self.file, self.line)}: " if self.file else ""
        what = shorten(self.subject) + (f" “{self.label}”" if self.label != shorten(self.subject) else "")
        path = f" {shorten(self.path)}" if self.path else ""
        found = f", found {self.found}" if self.found else ""
        published = " (published already)" if self.published else ""
        return f"{where}{self.severity.lower()}: {what}{published}{path}{found}\n  {self.expected}: {self.mend}".rstrip(
            ": "
        )


def explain(
    report: Report,
    view: View,
    own: Collection[str] | None = None,
    where: Callable[[str, str | None], Place | None] = lambda _iri, _path: None,
) -> tuple[Finding, ...]:
    """Put a report into words.

    Parameters:
        report: the report.
        view: the state that was judged, for the labels.
        own: IRIs of the nodes that the content speaks of; None where there is no content but a whole graph.
        where: where the content says something of a node.

    Returns:
        One finding for each result, in the report's order.
    """
    return tuple(_explain(result, view, own, where) for result in report.results)


def as_json(findings: Iterable[Finding], *, complete: bool = True) -> str:
    """Return findings as JSON: the verdict, and violations, warnings and infos apart.

    Parameters:
        findings: of one report.
        complete: False where judging stopped because enough was wrong already.

    >>> as_json([])
    '{"conforms": true, "complete": true, "violations": [], "warnings": [], "infos": []}'
    """
    found = list(findings)
    by_severity = {
        key: [asdict(f) for f in found if f.severity == severity]
        for key, severity in (("violations", "Violation"), ("warnings", "Warning"), ("infos", "Info"))
    }
    verdict = {"conforms": not by_severity["violations"], "complete": complete, **by_severity}
    return json.dumps(verdict, ensure_ascii=False)


def as_text(findings: Iterable[Finding], *, complete: bool = True) -> str:
    """Return findings in words, violations first, then what may stay.

    >>> as_text([])
    'conforms\\n'
    """
    found = list(findings)
    count = sum(1 for f in found if f.severity == "Violation")
    rest = len(found) - count
    also = f"; {rest} warning{'s' if rest != 1 else ''}" if rest else ""
    more = "" if complete else " or more"
    verdict = f"{count}{more} violation{'s' if count != 1 else ''}{also}" if count else f"conforms{also}"
    return "".join(f"{f}\n" for f in found) + verdict + "\n"


def _explain(
    result: Result, view: View, own: Collection[str] | None, where: Callable[[str, str | None], Place | None]
) -> Finding:
    place = where(result.focus, result.path)
    expected, _, mend = result.message.partition(": ")
    return Finding(
        severity=result.severity,
        subject=result.focus,
        label=_label(result.focus, view),
        path=result.path,
        found=_value(result, view),
        expected=expected,
        mend=mend,
        file=place.file if place else None,
        line=place.line if place else None,
        shape=result.shape,
        published=own is not None and result.focus not in own,
    )


def _value(result: Result, view: View) -> str | None:
    value = result.value
    if value is None or value == f"<{result.focus}>":
        return None
    if not value.startswith("<"):
        return _short(value)
    iri = value.strip("<>")
    label = _label(iri, view)
    return _short(f"{shorten(iri)} “{label}”" if label != shorten(iri) else label)


def _label(iri: str, view: View) -> str:
    try:
        node = ox.NamedNode(iri)
    except ValueError:
        return iri
    for predicate in _LABELS:
        values = [o for o in view.objects(node, predicate) if isinstance(o, ox.Literal)]
        if values:
            return _short(min(values, key=lambda v: (v.language != "en", v.value)).value)
    return shorten(iri)


def _short(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
