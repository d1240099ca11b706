"""Drafts: the ways in which the published graph may be changed.

Assertions are added, superseded and retracted; a document is replaced as a whole; a change is
undone. An assertion is never deleted: one that was coded wrongly is superseded by a better one or
retracted for a reason, and stays in the graph with its status.

Every function here takes the state to be changed and returns a draft; `kg.publisher` judges it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pyoxigraph as ox

from kg.change import Change, make_change
from kg.errors import ConflictError, NotFoundError, ParameterError
from kg.history import History
from kg.names import ID, RDF, WS, Term, shorten
from kg.provenance import Activity, Kind
from kg.publisher import Draft
from kg.units import Unit, unit_quads

_TYPE = ox.NamedNode(RDF + "type")
_ASSERTION = ox.NamedNode(WS + "Assertion")
_STATUS, _NOTE = ox.NamedNode(WS + "status"), ox.NamedNode(WS + "note")
_REPORTS, _SUPERSEDES = ox.NamedNode(WS + "reports"), ox.NamedNode(WS + "supersedes")
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # what no XML can carry
_SUPERSEDED, _RETRACTED = ox.NamedNode(WS + "status-superseded"), ox.NamedNode(WS + "status-retracted")


def add(
    store: ox.Store, quads: Iterable[ox.Quad], *, agent: str, source: str = "", kind: Kind = "add", note: str = ""
) -> Draft:
    """Draft the adding of statements to what is published.

    What a new assertion supersedes gets the status superseded, and so does the report by which the
    author told of it, where the new one is reported too.

    Parameters:
        store: the state to be changed.
        quads: what to add, each in its graph.
        agent: IRI of who publishes.
        source: what they were made from.
        kind, note: what the change is for; by default the assertions that are added.

    >>> add(ox.Store(), [], agent=ID + "anna").change
    Change(added=frozenset(), removed=frozenset())
    """
    new = set(quads)
    new |= _superseded_reports(store, new)
    removed: set[ox.Quad] = set()
    for old in sorted(
        {q.object.value for q in new if q.predicate == _SUPERSEDES and isinstance(q.object, ox.NamedNode)}
    ):
        added, gone = _set_status(store, ox.NamedNode(old), _SUPERSEDED)
        new |= added
        removed |= gone
    change = make_change(store, new, removed)
    if any(q.predicate == _SUPERSEDES for q in change.added) and kind == "add":
        kind = "supersede"
    return Draft(change, Activity(agent, kind, note or _told("adds", change.added), source))


def replace(store: ox.Store, unit: Unit, *, agent: str) -> Draft:
    """Draft the replacing of all that a document says, shared contents that it defines included.

    Parameters:
        store: the state to be changed.
        unit: the document as it is to be.
        agent: IRI of who publishes.
    """
    before = unit_quads(store, unit.graph)
    change = Change(unit.quads - before, frozenset(before - unit.quads))
    verb = "replaces" if before else "adds"
    note = f"{verb} {shorten(unit.document or unit.graph)}"
    return Draft(change, Activity(agent, "replace", note, unit.source), graphs=(unit.graph,))


def retract(store: ox.Store, assertion: str, reason: str, *, agent: str, language: str = "en") -> Draft:
    """Draft the retracting of an assertion: its status becomes retracted, and a note says why.

    Parameters:
        store: the state to be changed.
        assertion: its IRI.
        reason: why, in words.
        agent: IRI of who retracts.
        language: tag of the language that the reason is in.

    Raises:
        NotFoundError: there is no such assertion.
        ParameterError: the reason is empty, or no text; what is named is no IRI.
        ConflictError: it is retracted already.
    """
    if not reason.strip():
        raise ParameterError("no reason is given", mend="say why the assertion is retracted")
    if odd := _NO_TEXT.search(reason):
        raise ParameterError(f"the reason has the character U+{ord(odd.group()):04X}", mend="remove it")
    try:
        node = ox.NamedNode(assertion)
    except ValueError as error:
        raise ParameterError("what was given as an assertion is no IRI", mend="give its name") from error
    typed = next(iter(store.quads_for_pattern(node, _TYPE, _ASSERTION)), None)
    if typed is None:
        raise NotFoundError(f"there is no assertion `{shorten(assertion)}`", mend="check the spelling")
    added, removed = _set_status(store, node, _RETRACTED)
    if not added:
        raise ConflictError(f"`{shorten(assertion)}` is retracted already", mend="nothing is left to do")
    added |= {ox.Quad(node, _NOTE, ox.Literal(reason.strip(), language=language), typed.graph_name)}
    note = f"retracts {shorten(assertion)}: {reason.strip()}"
    return Draft(make_change(store, added, removed), Activity(agent, "retract", note))


def undo(store: ox.Store, history: History, number: int, *, agent: str) -> Draft:
    """Draft the undoing of a change: what it added goes, what it removed comes back.

    Parameters:
        store: the state to be changed.
        history: of the store.
        number: of the change.
        agent: IRI of who undoes it.

    Raises:
        NotFoundError: there is no such change.
        ConflictError: a later change has altered the same statements.
    """
    entry, change = history.entry(number), history.change(number)
    missing = [q for q in change.added if q not in store]
    present = [q for q in change.removed if q in store]
    if missing or present:
        names = sorted({shorten(str(q.subject).strip("<>")) for q in [*missing, *present]})
        later = [str(e.number) for e in history.entries(_first_subject([*missing, *present])) if e.number > number]
        raise ConflictError(
            f"change {number} cannot be undone: {', '.join(names[:5])} {'was' if len(names) == 1 else 'were'} "
            f"altered since{', by change ' + ', '.join(later) if later else ''}",
            mend="undo the later change first, or publish what is right now",
        )
    activity = Activity(agent, "undo", f"undoes change {number}: {entry.activity.note}", undoes=number)
    return Draft(change.inverse(), activity)


def _first_subject(quads: Iterable[ox.Quad]) -> str:
    return min(q.subject.value for q in quads if isinstance(q.subject, ox.NamedNode))


def _set_status(store: ox.Store, node: ox.NamedNode, status: ox.NamedNode) -> tuple[set[ox.Quad], set[ox.Quad]]:
    old = set(store.quads_for_pattern(node, _STATUS, None))
    return {ox.Quad(node, _STATUS, status, q.graph_name) for q in old} - old, {q for q in old if q.object != status}


def _superseded_reports(store: ox.Store, new: Iterable[ox.Quad]) -> set[ox.Quad]:
    """Where both the old and the new assertion are reported, the new report supersedes the old one."""
    quads = list(new)
    reporters: dict[Term, ox.Quad] = {q.object: q for q in quads if q.predicate == _REPORTS}
    found = set()
    for quad in quads:
        if quad.predicate != _SUPERSEDES or quad.subject not in reporters:
            continue
        report = reporters[quad.subject]
        for old in store.quads_for_pattern(None, _REPORTS, quad.object):
            if old.subject != report.subject:
                found.add(ox.Quad(report.subject, _SUPERSEDES, old.subject, report.graph_name))
    return found


def _told(verb: str, quads: Iterable[ox.Quad]) -> str:
    nodes = {q.subject.value for q in quads if q.predicate == _TYPE and isinstance(q.subject, ox.NamedNode)}
    assertions = {
        q.subject.value
        for q in quads
        if q.predicate == _TYPE and q.object == _ASSERTION and isinstance(q.subject, ox.NamedNode)
    }
    names = sorted(iri.removeprefix(ID) for iri in assertions or nodes if not iri.endswith("/report"))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{verb} {', '.join(names[:3])}{more}" if names else f"{verb} statements"
