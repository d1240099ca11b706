"""Judging: what the door does with what it is sent, each a function that a cell can run.

A cell (`kg.cells`) is a process that may be killed. It gets the folder of the store and what was
sent, opens the newest snapshot itself, and gives back a plan that can be committed, or a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyoxigraph as ox

from kg import drafts
from kg.change import Change, View
from kg.errors import ConformanceError, ParameterError, Place
from kg.keeper import Keeper
from kg.names import WS, document_graph, shorten
from kg.positions import Positions
from kg.provenance import Activity
from kg.publisher import Draft, Outcome, Plan, check_rules, history, make_plan
from kg.reports import Finding, explain
from kg.store import Snapshot, StoreFolder
from kg.validation import NOTHING_WRONG, Report, make_ready, validate_change
from loaders.foreign import Content
from loaders.submissions import Submission, concerned_documents, draft_submission, read_submission
from loaders.superseding import supersede
from loaders.verifying import check_contents

_STATUS = ox.NamedNode(WS + "status")

LOOK_OUT = 0.02
"""Seconds between a cell's looks for a newer snapshot."""

NEAR = 20
"""Changes that are followed; where more were made in the meantime, passages are read anew."""


@dataclass(frozen=True)
class Verdict:
    """What the shapes say of something.

    Parameters:
        conforms: nothing keeps it out.
        complete: False where judging stopped because enough was wrong.
        findings: in words.
        shacl: the standard report, as N-Triples.
        quads: what was judged, added statements only, as N-Quads.
        documents: IRIs of the documents that it concerns.
        takes_out: whether published statements would go, others than the status of what is superseded.
    """

    conforms: bool
    complete: bool
    findings: tuple[Finding, ...]
    shacl: str
    quads: str = ""
    documents: tuple[str, ...] = ()
    takes_out: bool = False


def warm_up(path: Path) -> None:
    """Make a process ready: read the shapes, where it was not forked from one that has, and open the newest snapshot.

    Parameters:
        path: the store's folder.
    """
    make_ready()
    desk = _desk(path)
    if desk.folder.current_name() is not None:
        with desk.snapshot():
            pass


def judge_submissions(path: Path, submissions: Sequence[Submission], agent: str) -> Verdict:
    """Judge what was sent, together, without publishing it.

    Parameters:
        path: the store's folder.
        submissions: what was sent.
        agent: IRI of who asks.

    Raises:
        MalformedError, RecordError: it cannot be read, or says what may not be said.
        PassageErrors: passages do not match their text.
        ConflictError: it would overwrite assertions, or the graph was published by other shapes.
    """
    with _desk(path).snapshot() as snapshot:
        check_rules(snapshot.store)
        contents, draft = _read(submissions, snapshot, agent)
        report = validate_change(snapshot.store, draft.change)
        return _verdict(report, snapshot.store, draft.change, contents)


def plan_submissions(
    path: Path, submissions: Sequence[Submission], agent: str, only: str | None = None
) -> Plan | Verdict | Outcome:
    """Plan the publishing of what was sent.

    Parameters:
        path: the store's folder.
        submissions: what was sent, published together or not at all.
        agent: IRI of who publishes.
        only: IRI of a document, where nothing is meant but that document as a whole.

    Returns:
        A plan; the verdict where it does not conform; an outcome where all of it is published already.

    Raises:
        MalformedError, RecordError: it cannot be read, or says what may not be said.
        PassageErrors: passages do not match their text.
        ConflictError: it would overwrite assertions.
        ParameterError: it is not the document that was meant.
    """
    contents: list[Content] = []

    def draft(snapshot: Snapshot) -> Draft:
        found, made = _read(submissions, snapshot, agent)
        contents.extend(found)
        if only is not None and made.graphs != (document_graph(only),):
            raise ParameterError(
                f"what was sent is not the document `{shorten(only)}` as a whole",
                mend="send the whole record of that document, its digest included",
            )
        return made

    return plan_draft(path, draft, contents)


def plan_quads(path: Path, quads: str, activity: Activity) -> Plan | Verdict | Outcome:
    """Plan the adding of statements that were placed already; see `plan_submissions`.

    Parameters:
        path: the store's folder.
        quads: as N-Quads.
        activity: who adds them, what for.
    """

    def draft(snapshot: Snapshot) -> Draft:
        added = ox.parse(quads.encode(), format=ox.RdfFormat.N_QUADS)
        return drafts.add(
            snapshot.store,
            added,
            agent=activity.agent,
            source=activity.source,
            kind=activity.kind,
            note=activity.note,
        )

    return plan_draft(path, draft)


def plan_superseding(path: Path, submission: Submission, old: str, agent: str) -> Plan | Verdict | Outcome:
    """Plan the publishing of an addition whose one assertion supersedes another; see `plan_submissions`.

    Parameters:
        path: the store's folder.
        submission: what was sent.
        old: IRI of the assertion that is superseded.
        agent: IRI of who publishes.

    Raises:
        NotFoundError, ParameterError: see `loaders.superseding.supersede`.
    """
    contents: list[Content] = []

    def draft(snapshot: Snapshot) -> Draft:
        content = supersede(read_submission(submission, snapshot.store), old, snapshot.store)
        contents.append(content)
        return draft_submission(submission, content, snapshot.store, agent=agent)

    return plan_draft(path, draft, contents)


def plan_retraction(path: Path, assertion: str, reason: str, agent: str) -> Plan | Verdict | Outcome:
    """Plan the retracting of an assertion; see `kg.drafts.retract` for parameters and errors."""
    return plan_draft(path, lambda snapshot: drafts.retract(snapshot.store, assertion, reason, agent=agent))


def plan_undoing(path: Path, number: int, agent: str) -> Plan | Verdict | Outcome:
    """Plan the undoing of a change; see `kg.drafts.undo` for parameters and errors."""
    noted = history(StoreFolder(path))
    return plan_draft(path, lambda snapshot: drafts.undo(snapshot.store, noted, number, agent=agent))


def plan_draft(
    path: Path, draft: Callable[[Snapshot], Draft], contents: Sequence[Content] = ()
) -> Plan | Verdict | Outcome:
    """Plan the publishing of a draft.

    Parameters:
        path: the store's folder.
        draft: makes the draft on the newest snapshot.
        contents: what it was read from, to tell the places of what is wrong.

    Returns:
        A plan; the verdict where it does not conform; an outcome where nothing changes.
    """
    desk = _desk(path)
    with desk.snapshot() as snapshot:
        made = draft(snapshot)
        if not made.change:
            return Outcome(snapshot.name, None, NOTHING_WRONG)
        try:
            return make_plan(desk.folder, snapshot, made, positions=desk.positions(snapshot))
        except ConformanceError as error:
            return _verdict(error.report, snapshot.store, made.change, contents)


def _read(submissions: Sequence[Submission], snapshot: Snapshot, agent: str) -> tuple[list[Content], Draft]:
    contents, made = [], []
    for submission in submissions:
        content = read_submission(submission, snapshot.store)
        contents.append(content)
        made.append(draft_submission(submission, content, snapshot.store, agent=agent))
        check_contents([content], snapshot.store, submission.texts)
    if len(made) == 1:
        return contents, made[0]
    added = frozenset(q for d in made for q in d.change.added)
    removed = frozenset(q for d in made for q in d.change.removed) - added
    note = "; ".join(d.activity.note for d in made)
    activity = Activity(agent, made[0].activity.kind, note, ", ".join(s.name for s in submissions))
    graphs = tuple(g for d in made for g in d.graphs)
    return contents, Draft(Change(added, removed), activity, graphs=graphs)


def _verdict(report: Report, store: ox.Store, change: Change, contents: Sequence[Content]) -> Verdict:
    def where(iri: str, path: str | None) -> Place | None:
        return next((p for c in contents if (p := c.place(iri, path))), None)

    own = {q.subject.value for q in change.added if isinstance(q.subject, ox.NamedNode)}
    own |= {q.subject.value for c in contents for q in c.quads if isinstance(q.subject, ox.NamedNode)}
    return Verdict(
        report.conforms,
        report.complete,
        explain(report, View(store, change), own, where),
        report.graph.serialize(format="nt"),
        (ox.serialize(change.added, format=ox.RdfFormat.N_QUADS) or b"").decode(),
        tuple(concerned_documents(change.added)),
        any(q.predicate != _STATUS for q in change.removed),
    )


class _Desk(Keeper):
    """What a cell has at hand: the newest snapshot, and where passages lie in it."""

    def __init__(self, folder: StoreFolder) -> None:
        super().__init__(folder, ahead=LOOK_OUT)
        self._positions: tuple[int, Positions] | None = None

    def positions(self, snapshot: Snapshot) -> Positions:
        """Return where passages lie: followed from the snapshot asked about last, where that is near."""
        number = int(snapshot.name)
        if self._positions is None or not 0 <= number - self._positions[0] <= NEAR:
            self._positions = number, Positions(snapshot.store)
        at, positions = self._positions
        for between in range(at + 1, number + 1):
            positions.follow(snapshot.store, history(self.folder).change(between))
        self._positions = number, positions
        return positions


@cache
def _desk(path: Path) -> _Desk:
    return _Desk(StoreFolder(path))
