"""The publisher: judged and committed on one state, never over somebody else's change, never by halves."""

import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as run
from hypothesis import strategies as st

from kg import drafts
from kg.change import Change, View, as_stored, is_asserted, make_change
from kg.errors import BusyError, ConflictError, ConformanceError, StaleError, WhosaysError
from kg.inference import infer, inferred_graphs
from kg.names import ID, PROVENANCE_GRAPH, REGISTER_GRAPH
from kg.provenance import SHAPES_DIGEST, Activity, change_marker
from kg.publisher import (
    Draft,
    Outcome,
    Plan,
    commit_plan,
    commit_to,
    history,
    make_plan,
    publish,
    recover,
)
from kg.settings import Settings
from kg.store import Snapshot, StoreFolder, Writer
from kg.units import Unit
from kg.validation import validate
from tests.additions import REPLY, REPLY_GRAPH, addition, iri, quads_of, reply_record
from tests.conftest import REPOSITORY

ANNA = ID + "anna"
REGISTER = ox.NamedNode(REGISTER_GRAPH)


@pytest.fixture
def folder(tmp_path: Path, sample_settings: Settings) -> StoreFolder:
    """A copy of the sample's published store."""
    shutil.copytree(sample_settings.store, tmp_path / "store", symlinks=True)
    return StoreFolder(tmp_path / "store")


def plan_with(folder: StoreFolder, draft: Callable[[Snapshot], Draft]) -> Plan | Outcome:
    with folder.snapshot() as snapshot:
        return make_plan(folder, snapshot, draft(snapshot))


def adding(key: str, **changes: str) -> Callable[[Snapshot], Draft]:
    quads = quads_of(addition(key, **changes))
    return lambda snapshot: drafts.add(snapshot.store, quads, agent=ANNA)


def plan_adding(folder: StoreFolder, key: str, **changes: str) -> Plan:
    plan = plan_with(folder, adding(key, **changes))
    assert isinstance(plan, Plan)
    return plan


def state(folder: StoreFolder) -> set[ox.Quad]:
    with folder.snapshot() as snapshot:
        return set(snapshot.store)


def numbers(folder: StoreFolder) -> list[int]:
    return [entry.number for entry in history(folder).entries(limit=10_000)][::-1]


def test_what_is_published_is_there_with_what_follows_and_who_did_it(folder: StoreFolder) -> None:
    before = state(folder)
    outcome = publish(folder, lambda: plan_adding(folder, "x"))
    assert (outcome.snapshot, outcome.number) == ("000002", 2)
    new = state(folder) - before
    assert {q for q in new if is_asserted(q.graph_name)} == set(quads_of(addition("x")))
    assert outcome.added_quads == len(new)
    assert change_marker(2) in new
    assert iri("reply-from-borduria/x") in {q.subject for q in new if q.graph_name in inferred_graphs_of(folder)}
    entry = history(folder).entry(2)
    assert (entry.activity.agent, entry.added, entry.removed) == (ANNA, len(quads_of(addition("x"))), 0)
    assert history(folder).change(2).added == set(quads_of(addition("x")))


def inferred_graphs_of(folder: StoreFolder) -> list[ox.NamedNode]:
    with folder.snapshot() as snapshot:
        return inferred_graphs(snapshot.store)


def test_what_does_not_conform_is_neither_committed_nor_noted(folder: StoreFolder) -> None:
    before = state(folder)
    with pytest.raises(ConformanceError) as caught:
        publish(folder, lambda: plan_adding(folder, "x", evidencedBy="bridge-toll/0-49"))
    assert {r.focus for r in caught.value.report.violations} == {f"{REPLY}/x"}
    assert state(folder) == before
    assert numbers(folder) == [1]


def test_an_agent_that_others_refer_to_is_not_taken_out(folder: StoreFolder) -> None:
    def gone(snapshot: Snapshot) -> Draft:
        own = snapshot.store.quads_for_pattern(iri("kazimir-vlastok"), None, None, REGISTER)
        return Draft(make_change(snapshot.store, [], own), Activity(ANNA, "replace"))

    before = state(folder)
    with pytest.raises(ConformanceError) as caught:
        publish(folder, lambda: plan_with(folder, gone))
    assert {REPLY, f"{REPLY}/s1a"} <= {r.focus for r in caught.value.report.violations}
    assert state(folder) == before


def test_a_plan_is_not_committed_on_another_state(folder: StoreFolder) -> None:
    first, second = plan_adding(folder, "x"), plan_adding(folder, "y")
    commit_plan(folder, first)
    with pytest.raises(StaleError, match="planned on snapshot 000001, the newest is 000002"):
        commit_plan(folder, second)
    assert numbers(folder) == [1, 2]
    assert iri("reply-from-borduria/y") not in {q.subject for q in state(folder)}


def test_who_was_too_late_plans_again_and_nobody_commits_meanwhile(folder: StoreFolder) -> None:
    planned: list[str] = []

    def plan() -> Plan:
        made = plan_adding(folder, "x")
        planned.append(str(made.base))
        if len(planned) == 1:
            commit_plan(folder, plan_adding(folder, "y"))
        return made

    assert publish(folder, plan).number == 3
    assert planned == ["000001", "000002"]
    assert numbers(folder) == [1, 2, 3]


def test_who_was_too_late_is_judged_by_what_came_first(folder: StoreFolder) -> None:
    """Each of two reports of one assertion conforms; both together do not."""
    publish(folder, lambda: plan_adding(folder, "told"))
    report = {"reports": "reply-from-borduria/told"}
    seen: list[Plan] = []

    def plan() -> Plan:
        made = plan_adding(folder, "second", **report)
        if not seen:
            commit_plan(folder, plan_adding(folder, "first", **report))
        seen.append(made)
        return made

    with pytest.raises(ConformanceError):
        publish(folder, plan)
    assert len(seen) == 1
    assert iri("reply-from-borduria/second") not in {q.subject for q in state(folder)}
    assert numbers(folder) == [1, 2, 3]


PUBLISH = """
import sys
from pathlib import Path
from kg import drafts
from kg.publisher import make_plan, publish
from kg.store import StoreFolder
from kg.writing import commit
from tests.additions import addition, quads_of
folder, name = StoreFolder(Path(sys.argv[1])), sys.argv[2]

def plan(key):
    with folder.snapshot() as snapshot:
        draft = drafts.add(snapshot.store, quads_of(addition(key)), agent="https://w3id.org/whosays/id/" + name)
        return make_plan(folder, snapshot, draft)

for number in range(int(sys.argv[3])):
    publish(folder, lambda: plan(f"{name}-{number}"), commit)
"""


def start_publishing(folder: StoreFolder, name: str, count: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", PUBLISH, str(folder.path), name, str(count)]
    return subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE)


def test_processes_that_publish_at_once_lose_nothing(folder: StoreFolder) -> None:
    names = ["anna", "ben", "cleo"]
    processes = [start_publishing(folder, name, 7) for name in names]
    for process in processes:
        _, error = process.communicate(timeout=240)
        assert process.returncode == 0, error.decode()
    said = {q.subject for q in state(folder)}
    assert {iri(f"reply-from-borduria/{name}-{n}") for name in names for n in range(7)} <= said
    assert numbers(folder) == list(range(1, 23))
    by = [entry.activity.agent.removeprefix(ID) for entry in history(folder).entries()][:-1]
    assert sorted(by) == sorted(names * 7)
    assert history(folder).entry(22).number == int(folder.current_name() or 0)


def test_another_process_that_has_the_store_open_is_told(folder: StoreFolder) -> None:
    plan = plan_adding(folder, "x")
    with folder.writer(), pytest.raises(BusyError):
        commit_plan(folder, plan)
    assert numbers(folder) == [1]


def test_other_rules_are_a_conflict_until_all_is_judged_anew(folder: StoreFolder) -> None:
    with folder.writer() as writer:
        old = list(writer.live.quads_for_pattern(None, SHAPES_DIGEST, None))
        new = [ox.Quad(q.subject, q.predicate, ox.Literal("others"), q.graph_name) for q in old]
        writer.commit(added=new, removed=old)
    with pytest.raises(ConflictError, match="whosays build"):
        plan_adding(folder, "x")
    with folder.snapshot() as snapshot:
        assert make_plan(folder, snapshot, adding("x")(snapshot), whole=True).report.conforms


def test_a_statement_in_two_graphs_is_refused(folder: StoreFolder) -> None:
    def twice(snapshot: Snapshot) -> Draft:
        one = next(snapshot.store.quads_for_pattern(iri("bridge-toll/s1a"), None, None, None))
        other = ox.Quad(one.subject, one.predicate, one.object, ox.NamedNode(REPLY_GRAPH))
        return Draft(Change(frozenset([other])), Activity(ANNA, "add"))

    with pytest.raises(WhosaysError, match="the same statement would stand in graph:bridge-toll and graph:reply"):
        plan_with(folder, twice)


def die_after_noting(writer: Writer, plan: Plan) -> None:
    history(writer.folder).note(plan.entry, plan.draft.change)


def die_before_the_snapshot(writer: Writer, plan: Plan) -> None:
    die_after_noting(writer, plan)
    writer.live.bulk_extend(plan.whole.added)


@pytest.mark.parametrize("committed", [False, True])
def test_what_a_writer_left_behind_is_finished_or_forgotten(folder: StoreFolder, committed: bool) -> None:
    before = state(folder)
    plan = plan_adding(folder, "x")
    with folder.writer() as writer:
        (die_before_the_snapshot if committed else die_after_noting)(writer, plan)
    assert state(folder) == before
    with folder.writer() as writer:
        recover(writer)
        assert numbers(folder) == ([1, 2] if committed else [1])
        assert state(folder) == (before | set(as_stored(plan.whole.added)) if committed else before)
        recover(writer)
    assert publish(folder, lambda: plan_adding(folder, "y")).number == (3 if committed else 2)


def test_a_commit_that_fails_in_a_writer_that_goes_on_is_finished_by_the_next(folder: StoreFolder) -> None:
    """The database has the change, and its snapshot cannot be made, for something stands in its place."""
    in_the_way = folder.snapshots / "000002"
    with folder.writer() as writer:
        in_the_way.write_text("not a snapshot")
        with pytest.raises(WhosaysError, match="cannot be written"):
            commit_to(writer, plan_adding(folder, "x"))
        assert folder.current_name() == "000001"
        in_the_way.unlink()
        with pytest.raises(StaleError):
            commit_to(writer, plan_adding(folder, "y"))
        assert numbers(folder) == [1, 2]
        assert commit_to(writer, plan_adding(folder, "y")) == "000003"
    said = {q.subject for q in state(folder)}
    assert {iri("reply-from-borduria/x"), iri("reply-from-borduria/y")} <= said


def test_the_ontology_is_not_altered_by_undoing_the_build_that_brought_it(folder: StoreFolder) -> None:
    before = state(folder)
    with pytest.raises(ConflictError, match="would alter the ontology"):
        plan_with(folder, lambda s: drafts.undo(s.store, history(folder), 1, agent=ID + "anna"))
    assert state(folder) == before


def test_a_plan_survives_the_way_between_processes(folder: StoreFolder) -> None:
    plan = plan_adding(folder, "x")
    again = pickle.loads(pickle.dumps(plan))
    assert (again.whole, again.draft, again.entry, again.base) == (plan.whole, plan.draft, plan.entry, plan.base)
    assert again.report.results == plan.report.results


# Any sequence of changes: what is inferred, the history and the shapes stay in step with what is asserted.

VARIANTS = (
    reply_record(),
    reply_record(without="s7a"),
    reply_record(old="certainty: unhedged", new="certainty: possible"),
)
steps = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 3), st.just(0)),
    st.tuples(st.just("supersede"), st.integers(0, 3), st.integers(0, 3)),
    st.tuples(st.just("replace"), st.integers(0, len(VARIANTS) - 1), st.just(0)),
    st.tuples(st.just("retract"), st.integers(0, 3), st.just(0)),
    st.tuples(st.just("undo"), st.integers(0, 9), st.just(0)),
)


@cache
def variant(number: int) -> frozenset[ox.Quad]:
    return frozenset(quads_of(VARIANTS[number]))


def make_draft(folder: StoreFolder, snapshot: Snapshot, step: tuple[str, int, int]) -> Draft:
    kind, one, two = step
    if kind == "add":
        return adding(f"x{one}", holder="borduria" if one % 2 else "kazimir-vlastok")(snapshot)
    if kind == "supersede":
        return adding(f"y{one}{two}", supersedes=f"reply-from-borduria/x{two}", holder="borduria")(snapshot)
    if kind == "replace":
        return drafts.replace(snapshot.store, Unit(REPLY_GRAPH, REPLY, variant(one), "0" * 64, "r.yaml"), agent=ANNA)
    if kind == "retract":
        return drafts.retract(snapshot.store, f"{REPLY}/x{one}", "It was misread.", agent=ANNA)
    return drafts.undo(snapshot.store, history(folder), int(snapshot.name) - one, agent=ANNA)


def hold_to_the_history(folder: StoreFolder, sequence: list[tuple[str, int, int]]) -> None:
    done = 0
    with folder.writer() as writer:
        for step in sequence:
            with folder.snapshot() as snapshot:
                try:
                    draft = make_draft(folder, snapshot, step)
                    if not draft.change:
                        continue
                    plan = make_plan(folder, snapshot, draft)
                except WhosaysError:
                    continue
            commit_to(writer, plan)
            done += 1
    assert numbers(folder) == list(range(1, done + 2))
    replayed = ox.Store()
    for number in numbers(folder):
        change = history(folder).change(number)
        assert all(q in replayed for q in change.removed)
        assert not any(q in replayed for q in change.added)
        for quad in change.removed:
            replayed.remove(quad)
        replayed.extend(change.added)
    published = state(folder)
    assert {q for q in published if is_asserted(q.graph_name)} == set(replayed)
    infer(replayed)
    assert set(replayed) == {q for q in published if q.graph_name != ox.NamedNode(PROVENANCE_GRAPH)}
    assert validate(View(replayed).triples()).conforms
    assert not list(folder.path.glob("copy*"))


def in_a_copy(sample: Path, sequence: list[tuple[str, int, int]]) -> None:
    with TemporaryDirectory() as work:
        shutil.copytree(sample, Path(work) / "store", symlinks=True)
        hold_to_the_history(StoreFolder(Path(work) / "store"), sequence)


def test_a_story_of_changes_is_told_by_the_history(folder: StoreFolder) -> None:
    story = [("add", 0, 0), ("add", 1, 0), ("supersede", 2, 1), ("retract", 0, 0), ("undo", 1, 0), ("undo", 0, 0)]
    hold_to_the_history(folder, [*story, ("replace", 1, 0), ("undo", 0, 0), ("undo", 0, 0), ("replace", 2, 0)])
    assert len(numbers(folder)) >= 9


@pytest.mark.slow
@run(max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(steps, min_size=2, max_size=10))
def test_any_sequence_of_changes_is_told_by_the_history(
    sample_settings: Settings, sequence: list[tuple[str, int, int]]
) -> None:
    in_a_copy(sample_settings.store, sequence)
