"""The publisher: the one way into the store.

Whatever is to be published is a change of the asserted graphs. From the change and the snapshot
that it is made for follows a *plan*: the verdict of the shapes, what is inferred, what the
provenance will say. Planning writes nothing and may be done by anybody, anywhere, also where a bomb
in the input does no harm. A plan is committed as it is, in one transaction, and only on the very
state that it was made on; where another change came first it is made anew, never committed over it.

    change ─▶ plan (judge, infer, describe) ─▶ still the newest state? ─▶ history ─▶ commit ─▶ snapshot
                 ▲                                      │ no
                 └──────────────────────────────────────┘ (from now on nobody else commits meanwhile)

Where anything fails, the store stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from kg.change import NO_CHANGE, Change, is_asserted
from kg.errors import ConflictError, ConformanceError, StaleError
from kg.history import Entry, History
from kg.inference import infer, infer_change, inferred_graphs, needs_rebuild
from kg.names import shorten
from kg.positions import Positions
from kg.provenance import Activity, change_marker, describe_change, ontology_digest, same_rules
from kg.shapes import shapes_digest
from kg.sqlite_file import utc_now
from kg.store import Snapshot, StoreFolder, Writer
from kg.validation import Report, validate_change, validate_store

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Draft:
    """What somebody would publish.

    Parameters:
        change: of the asserted graphs.
        activity: who does what.
        provenance: what else the provenance graph is to say, or no longer to say.
        graphs: IRIs of named graphs that the change is to be reported for, beside those that it alters.
    """

    change: Change
    activity: Activity
    provenance: Change = NO_CHANGE
    graphs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A draft, judged and worked out, ready to be committed on one state of the graph.

    Parameters:
        base: the snapshot that it was made on; None for an empty store.
        draft: what it is made from.
        whole: all quads to add and remove: asserted, inferred and provenance.
        report: the verdict; there is no violation in it.
        entry: what the history will tell.
    """

    base: str | None
    draft: Draft
    whole: Change
    report: Report
    entry: Entry


@dataclass(frozen=True)
class Outcome:
    """What was published.

    Parameters:
        snapshot: the snapshot that is now served.
        number: of the change; None where nothing had to be changed.
        report: the verdict.
        added_quads, removed_quads: the size of the change, what is inferred included.
    """

    snapshot: str
    number: int | None
    report: Report
    added_quads: int = 0
    removed_quads: int = 0


def make_plan(
    folder: StoreFolder,
    snapshot: Snapshot | None,
    draft: Draft,
    *,
    whole: bool = False,
    positions: Positions | None = None,
    progress: Progress = lambda _: None,
) -> Plan:
    """Judge a draft and work out all that follows from it.

    Parameters:
        folder: the store.
        snapshot: the state that it is made on; None for a store that nothing was ever published to.
        draft: what is to be published.
        whole: judge and infer the whole graph anew where shapes or ontology are others than it was published by.
        positions: of the passages in this snapshot, where they are kept from one plan to the next.
        progress: told what is being done.

    Raises:
        ConformanceError: the outcome would break the shapes; carries the report.
        ConflictError: shapes or ontology are others or would be, and `whole` is not asked for.
        ConflictError: a triple would stand in two graphs.
    """
    store = snapshot.store if snapshot else ox.Store()
    change = draft.change
    _check_single(store, change)
    rebuild = snapshot is None or needs_rebuild(change) or not same_rules(store)
    if rebuild and not whole:
        check_rules(store)
        raise ConflictError(
            "this would alter the ontology, on which everything that is published rests",
            mend="alter the files of the ontology and run `whosays build`",
        )
    if rebuild:
        with folder.copy(snapshot) as database:
            report, inferred = _judge_anew(database, change, progress)
    else:
        progress(f"validating a change of {len(change):,} quads")
        report = _conforming(validate_change(store, change))
        progress("inferring")
        inferred = infer_change(store, change, positions=positions)
    number, at = int(snapshot.name if snapshot else 0) + 1, utc_now()
    altered = {q.graph_name.value for q in change if isinstance(q.graph_name, ox.NamedNode)}
    told = describe_change(number, draft.activity, at, altered | set(draft.graphs))
    everything = Change(
        change.added | inferred.added | draft.provenance.added | frozenset(told),
        change.removed | inferred.removed | draft.provenance.removed,
    )
    entry = Entry(
        number, at, draft.activity, shapes_digest(), ontology_digest(), len(change.added), len(change.removed)
    )
    return Plan(snapshot.name if snapshot else None, draft, everything, report, entry)


def check_rules(store: ox.Store) -> None:
    """See that a change of a store may be judged by itself, because all the rest was judged by the same rules.

    Parameters:
        store: the state that the change is made on.

    Raises:
        ConflictError: it was published by other shapes or another ontology.
    """
    if not same_rules(store):
        raise ConflictError(
            "the graph was published by other shapes or another ontology than these",
            mend="run `whosays build`, which judges all of it anew",
        )


def publish(
    folder: StoreFolder, plan: Callable[[], Plan | Outcome], commit: Callable[[StoreFolder, Plan], str] | None = None
) -> Outcome:
    """Commit a plan on the state that it was made on.

    Parameters:
        folder: the store.
        plan: makes the plan on the newest state, or says that there is nothing to do; called again where another
            change came first.
        commit: puts the plan into the store; by default by opening it here.

    Raises:
        ConformanceError, ConflictError, WhosaysError: as `plan` raises them; nothing was published then.
    """
    commit = commit or commit_plan
    in_turn = False
    while True:
        with folder.turn() if in_turn else nullcontext():
            made = plan()
            if isinstance(made, Outcome):
                return made
            try:
                with nullcontext() if in_turn else folder.turn():
                    name = commit(folder, made)
            except StaleError:
                in_turn = True
                continue
            return Outcome(name, made.entry.number, made.report, len(made.whole.added), len(made.whole.removed))


def commit_plan(folder: StoreFolder, plan: Plan) -> str:
    """Open the store and put a plan into it.

    Parameters:
        folder: the store.
        plan: what to commit.

    Returns:
        The number of the new snapshot.

    Raises:
        StaleError: the plan was made on another state than the newest.
        BusyError: another process has the store open.
    """
    with folder.writer() as writer:
        return commit_to(writer, plan)


def commit_to(writer: Writer, plan: Plan) -> str:
    """Put a plan into a store that is open for writing, after what a commit that failed has left; see `commit_plan`."""
    recover(writer)
    current = writer.folder.current_name()
    if current != plan.base:
        raise StaleError(
            f"the graph changed meanwhile: this was planned on snapshot {plan.base}, the newest is {current}",
            mend="plan it anew on the newest",
        )
    history(writer.folder).note(plan.entry, plan.draft.change)
    return writer.commit(added=plan.whole.added, removed=plan.whole.removed)


def recover(writer: Writer) -> None:
    """Finish or forget what a commit that failed, or a writer that died over it, had begun."""
    noted = history(writer.folder)
    newest, current = noted.newest(), int(writer.folder.current_name() or 0)
    if newest > current:
        if change_marker(newest) in writer.live:
            writer.publish()
        else:
            noted.forget_after(current)


def history(folder: StoreFolder) -> History:
    """Return the history of a store."""
    return History(folder.path / "history.sqlite")


def _judge_anew(database: Path, change: Change, progress: Progress) -> tuple[Report, Change]:
    """Apply a change to a copy of the store, judge all of it, and infer all anew."""
    store = ox.Store(str(database))
    before = set(_inferred(store))
    for quad in change.removed:
        store.remove(quad)
    store.bulk_extend(change.added)
    progress(f"validating {len(store) - len(before):,} quads")
    report = _conforming(validate_store(store))
    progress("inferring")
    infer(store)
    after = set(_inferred(store))
    return report, Change(frozenset(after - before), frozenset(before - after))


def _conforming(report: Report) -> Report:
    if not report.conforms:
        count = len(report.violations)
        more = "" if report.complete else " or more"
        raise ConformanceError(
            f"{count}{more} violation{'s' if count != 1 else ''} of the shapes; nothing was published",
            report,
            mend="mend what the report names and try again; the store is as it was",
        )
    return report


def _inferred(store: ox.Store) -> Iterable[ox.Quad]:
    return (q for graph in inferred_graphs(store) for q in store.quads_for_pattern(None, None, None, graph))


def _check_single(store: ox.Store, change: Change) -> None:
    """A triple that stands in two graphs gives two rows in the union, so that nothing of it counts right."""
    seen: dict[ox.Triple, ox.Quad] = {}
    for quad in change.added:
        others = store.quads_for_pattern(quad.subject, quad.predicate, quad.object)
        standing = [q for q in others if is_asserted(q.graph_name) and q not in change.removed]
        other = next((q for q in standing if q.graph_name != quad.graph_name), None) or seen.get(quad.triple)
        if other is not None:
            graphs = " and ".join(sorted(shorten(str(g.graph_name).strip("<>")) for g in (other, quad)))
            raise ConflictError(
                f"the same statement would stand in {graphs}: {quad.triple}",
                mend="keep it in one of them; the other refers to it by name",
            )
        seen[quad.triple] = quad
