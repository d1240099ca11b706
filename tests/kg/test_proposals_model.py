"""Proposals against a plain dictionary, whatever is done to them in whatever order."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kg.errors import ConflictError, ParameterError
from kg.proposals import MOST, Proposals

QUADS = "<https://example.org/a> <https://example.org/b> <https://example.org/c> ."

AGENTS = st.sampled_from(["anna", "ben", "cleo"])
TEXTS = st.text(max_size=20)
SOURCES = st.one_of(TEXTS, st.binary(max_size=20))
STATEMENTS = TEXTS.map("x".__add__)
DOCUMENTS = st.lists(st.sampled_from(["ex:1", "ex:2", "ex:3"]), max_size=3)
STALE = st.sampled_from([0, 0, 0, -1, 1])
PLACES = st.integers(0, 99)  # of a proposal among those that there are, counted round and round
CHOICES = st.lists(PLACES, min_size=1, max_size=4)


class Waiting(RuleBasedStateMachine):
    """The file against a plain dictionary: every call has the same outcome, and all is there at every step."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.proposals = Proposals(Path(self.folder.name) / "proposals.sqlite")
        self.model: dict[int, dict[str, object]] = {}
        self.history: dict[int, list[tuple[str, str | bytes, str, str]]] = {}
        self.submit("anna", "source", "text/turtle", QUADS, [], "")

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(by=AGENTS, source=SOURCES, kind=TEXTS, quads=STATEMENTS, documents=DOCUMENTS, note=TEXTS)
    def submit(self, by: str, source: str | bytes, kind: str, quads: str, documents: list[str], note: str) -> None:
        sent = self.proposals.submit(by, source, kind, quads, documents=documents, note=note)
        assert sent.id == len(self.model) + 1
        about = tuple(sorted(set(documents)))
        self.model[sent.id] = {"contributor": by, "note": note, "documents": about, "state": "waiting"}
        self.model[sent.id] |= {"decided_by": None, "reason": None, "change": None}
        self.history[sent.id] = [(by, source, kind, quads)]

    @rule(place=PLACES, stale=STALE, by=AGENTS, source=SOURCES, quads=STATEMENTS, documents=DOCUMENTS | st.none())
    def edit(
        self, place: int, stale: int, by: str, source: str | bytes, quads: str, documents: list[str] | None
    ) -> None:
        (number,) = self.numbers([place])

        def call() -> object:
            return self.proposals.edit(number, self.seen(number) + stale, by, source, "", quads, documents=documents)

        if self.expect([number], stale, call):
            self.history[number].append((by, source, "", quads))
            if documents is not None:
                self.model[number]["documents"] = tuple(sorted(set(documents)))

    @rule(places=CHOICES, stale=STALE, by=AGENTS, change=st.integers(1, 99))
    def accept(self, places: list[int], stale: int, by: str, change: int) -> None:
        ids = self.numbers(places)
        seen = [self.seen(i) for i in ids[:-1]] + [self.seen(ids[-1]) + stale]
        if self.expect(ids, stale, lambda: self.proposals.accept(ids, seen, by, change)):
            self.decide(ids, state="accepted", decided_by=by, change=change)

    @rule(places=CHOICES, by=AGENTS)
    def fail_to_publish(self, places: list[int], by: str) -> None:
        ids = self.numbers(places)

        def call() -> None:
            with self.proposals.deciding(ids, [self.seen(i) for i in ids], by):
                raise ZeroDivisionError

        if all(self.model[i]["state"] == "waiting" for i in ids):
            with pytest.raises(ZeroDivisionError):
                call()
        else:
            with pytest.raises(ConflictError):
                call()

    @rule(places=CHOICES, by=AGENTS, reason=STATEMENTS)
    def reject(self, places: list[int], by: str, reason: str) -> None:
        ids = self.numbers(places)
        if self.expect(ids, 0, lambda: self.proposals.reject(ids, by, reason)):
            self.decide(ids, state="rejected", decided_by=by, reason=reason)

    @rule(place=PLACES, by=AGENTS)
    def withdraw(self, place: int, by: str) -> None:
        (number,) = self.numbers([place])
        if self.model[number]["contributor"] != by:
            with pytest.raises(ParameterError):
                self.proposals.withdraw(number, by)
        elif self.expect([number], 0, lambda: self.proposals.withdraw(number, by)):
            self.decide([number], state="withdrawn", decided_by=by)

    @rule(places=CHOICES, by=AGENTS, change=st.integers(1, 3))
    def mark_published(self, places: list[int], by: str, change: int) -> None:
        ids = self.numbers(places)
        left = [i for i in ids if self.model[i]["change"] != change]
        if self.expect(left, 0, lambda: self.proposals.mark_published(ids, change, by)):
            self.decide(left, state="accepted", decided_by=by, change=change)

    def numbers(self, places: list[int]) -> list[int]:
        """Return the proposals at some places, each once."""
        return list(dict.fromkeys(place % len(self.model) + 1 for place in places))

    def seen(self, number: int) -> int:
        return len(self.history[number])

    def expect(self, ids: list[int], stale: int, call: Callable[[], object]) -> bool:
        """Make a call and see that it conflicts just where the model says so."""
        if stale or any(self.model[i]["state"] != "waiting" for i in ids):
            with pytest.raises(ConflictError):
                call()
            return False
        call()
        return True

    def decide(self, ids: list[int], **values: object) -> None:
        for number in ids:
            self.model[number] |= values

    @invariant()
    def nothing_is_lost(self) -> None:
        found = self.proposals.find(limit=MOST)
        assert [p.id for p in found] == list(self.model)
        for proposal in found:
            assert {key: getattr(proposal, key) for key in self.model[proposal.id]} == self.model[proposal.id]
            assert (proposal.decided is None) == (proposal.state == "waiting")
            assert proposal.revision == self.seen(proposal.id)
            kept = self.proposals.revisions(proposal.id)
            assert [(r.by, r.source, r.media_type, r.quads) for r in kept] == self.history[proposal.id]
            assert kept[-1] == self.proposals.content(proposal.id)

    @invariant()
    def what_is_looked_for_is_found(self) -> None:
        for document in ("ex:1", "ex:2"):
            expected = [i for i, p in self.model.items() if document in str(p["documents"])]
            assert [p.id for p in self.proposals.find(document=document)] == expected
        waiting = [i for i, p in self.model.items() if p["state"] == "waiting"]
        assert [p.id for p in self.proposals.find(state="waiting")] == waiting


TestAgainstAModel = Waiting.TestCase
TestAgainstAModel.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # a step is a write to the disk
)
