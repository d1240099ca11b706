"""Building: making the store hold just what the records say.

The records that changed since they were last published are published anew, each as a whole. Where
the store was changed too meanwhile, nobody's work is overwritten unasked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from kg.change import Change
from kg.digests import quads_digest
from kg.errors import ConflictError
from kg.names import shorten
from kg.provenance import (
    CONTENT_DIGEST,
    RECORD_DIGEST,
    SHAPES_DIGEST,
    Activity,
    describe_unit,
    published_units,
    same_rules,
    told_of_unit,
)
from kg.publisher import Draft, Outcome, Plan, make_plan, publish
from kg.sqlite_file import utc_now
from kg.store import Snapshot, StoreFolder
from kg.units import Unit, unit_quads
from kg.validation import NOTHING_WRONG, Report


@dataclass(frozen=True)
class Built:
    """What a build did.

    Parameters:
        snapshot: the snapshot that is now served.
        changed: short names of the graphs that were published, empty where all was up to date.
        removed: short names of the graphs that were taken out.
        report: the verdict; None where nothing was judged.
        added_quads, removed_quads: the size of the change.
    """

    snapshot: str
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    report: Report | None
    added_quads: int = 0
    removed_quads: int = 0


def build(
    folder: StoreFolder,
    units: Sequence[Unit],
    *,
    agent: str,
    overwrite: bool = False,
    commit: Callable[[StoreFolder, Plan], str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Built:
    """Make a store hold just what the units say.

    Parameters:
        folder: the store.
        units: everything that is to be published, the ontology included.
        agent: IRI of who publishes, for the provenance.
        overwrite: publish a record even where the store was changed meanwhile.
        commit: see `kg.publisher.publish`.
        progress: told what is being done.

    Returns:
        What changed.

    Raises:
        ConformanceError: the outcome would break the shapes; carries the report.
        ConflictError: the store holds something else than what was last published from a record.
        WhosaysError: a triple would stand in two graphs.
    """
    changed: list[Unit] = []
    removed: list[str] = []

    def plan() -> Plan | Outcome:
        with folder.newest() as snapshot:
            store = snapshot.store if snapshot else ox.Store()
            published = published_units(store)
            wanted = {unit.graph for unit in units}
            changed[:] = [u for u in units if published.get(u.graph, {}).get(RECORD_DIGEST) != u.digest]
            removed[:] = [graph for graph in published if graph not in wanted]
            if snapshot and not changed and not removed and same_rules(store):
                return Outcome(snapshot.name, None, NOTHING_WRONG)
            if not overwrite:
                for graph in [u.graph for u in changed if u.graph in published] + removed:
                    _check_unchanged(store, graph, published[graph])
            progress(f"publishing {', '.join(shorten(u.graph) for u in changed) or 'nothing new'}")
            draft = _draft(snapshot, units, changed, removed, agent)
            return make_plan(folder, snapshot, draft, whole=True, progress=progress)

    outcome = publish(folder, plan, commit)
    if outcome.number is None:
        return Built(outcome.snapshot, (), (), None)
    return Built(
        outcome.snapshot,
        tuple(shorten(u.graph) for u in changed),
        tuple(shorten(g) for g in removed),
        outcome.report,
        outcome.added_quads,
        outcome.removed_quads,
    )


def _draft(
    snapshot: Snapshot | None, units: Sequence[Unit], changed: Sequence[Unit], removed: Sequence[str], agent: str
) -> Draft:
    store = snapshot.store if snapshot else ox.Store()
    before = {quad for graph in [u.graph for u in changed] + list(removed) for quad in unit_quads(store, graph)}
    after = {quad for unit in changed for quad in unit.quads}
    at = utc_now()
    told = {quad for unit in changed for quad in describe_unit(unit, agent, at)}
    untold = {quad for graph in [u.graph for u in changed] + list(removed) for quad in told_of_unit(store, graph)}
    if not same_rules(store):  # all of it is judged anew
        fresh = {u.graph for u in changed}
        for unit in units:
            if unit.graph not in fresh:
                subject = ox.NamedNode(unit.graph)
                now = [q for q in describe_unit(unit, agent, at) if q.predicate == SHAPES_DIGEST]
                told.update(now)
                untold.update(q for q in told_of_unit(store, subject.value) if q.predicate == SHAPES_DIGEST)
    names = ", ".join(shorten(g).removeprefix("graph:") for g in [u.graph for u in changed] + list(removed))
    return Draft(
        Change(frozenset(after - before), frozenset(before - after)),
        Activity(agent, "build", f"builds {names}", ", ".join(u.source for u in changed)),
        Change(frozenset(told - untold), frozenset(untold - told)),
        graphs=tuple(u.graph for u in changed),
    )


def _check_unchanged(store: ox.Store, graph: str, published: Mapping[ox.NamedNode, str]) -> None:
    found = quads_digest(unit_quads(store, graph))
    if found != published.get(CONTENT_DIGEST):
        name = shorten(graph).removeprefix("graph:")
        raise ConflictError(
            f"`{name}` was changed in the store since its record was last published",
            mend=f"see the difference with `whosays export {name}`, take it into the record and build again; "
            "or publish the record over it with `whosays build --overwrite`",
        )
