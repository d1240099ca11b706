"""Proposals on the command line: sending, looking through, deciding."""

import json
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.names import ID
from kg.store import StoreFolder
from tests.server.calling import call
from tests.server.test_door_commands import BETTER, NEW, WRONG, write


@pytest.fixture
def two(options: list[object]) -> None:
    """Proposal 1, by anna, and proposal 2, by ben, both waiting."""
    told = call("proposals", "submit", "-", "--by", "anna", "--note", "please look", *options, stdin=NEW)
    assert told.stdout == "proposal 1@1: waiting\n"
    call("proposals", "submit", "-", "--by", "ben", *options, stdin=BETTER)


def published(store: Path, name: str) -> bool:
    with StoreFolder(store).snapshot() as snapshot:
        return any(snapshot.store.quads_for_pattern(ox.NamedNode(ID + name), None, None))


def listed(store: Path, *arguments: object) -> list[tuple[int, str]]:
    found = json.loads(call("proposals", "list", *arguments, "--store", store, "--format", "json").stdout)
    return [(proposal["id"], proposal["state"]) for proposal in found]


@pytest.mark.usefixtures("two")
def test_proposals_wait_and_are_listed(store: Path) -> None:
    assert not published(store, "bridge-toll/x1")
    assert listed(store) == [(1, "waiting"), (2, "waiting")]
    assert listed(store, "--contributor", "ben") == [(2, "waiting")]
    assert listed(store, "--document", "bridge-toll", "--state", "waiting") == [(1, "waiting"), (2, "waiting")]
    assert listed(store, "--document", "reply-from-borduria") == listed(store, "--state", "accepted") == []
    table = call("proposals", "list", "--store", store).stdout
    assert "please look" in table
    assert "2 rows" in table


@pytest.mark.usefixtures("two")
def test_a_proposal_is_shown_with_what_it_says(store: Path, options: list[object]) -> None:
    call("proposals", "edit", "1", "-", "--by", "carla", *options, stdin=NEW.replace("fears", "expects"))
    text = call("proposals", "show", 1, "--store", store).stdout
    assert text.startswith("proposal 1@2 by anna, ")
    assert "note: please look" in text
    assert "act: expects" in text
    told = json.loads(call("proposals", "show", 1, "--store", store, "--format", "json").stdout)
    assert [(r["number"], r["by"]) for r in told["revisions"]] == [(1, "anna"), (2, "carla")]
    assert told["revisions"][0]["source"] == NEW
    assert told["revisions"][0]["media_type"] == "application/yaml"


def test_what_others_wrote_gives_no_orders_to_the_terminal(options: list[object], store: Path) -> None:
    call("proposals", "submit", "-", "--by", "anna", "--note", "red \x1b[31m\x9b2J", *options, stdin=NEW)
    for arguments in (["list"], ["show", 1]):
        shown = call("proposals", *arguments, "--store", store).stdout
        assert "red �[31m�2J" in shown
        assert not {"\x1b", "\x9b"} & set(shown)


@pytest.mark.usefixtures("two")
def test_proposals_are_accepted_together_in_one_change(store: Path) -> None:
    told = call("proposals", "accept", "1", "2@1", "--by", "carla", "--store", store)
    assert told.stdout == "proposal 1@1: accepted, in change 2\nproposal 2@1: accepted, in change 2\n"
    assert published(store, "bridge-toll/x1")
    assert published(store, "bridge-toll/x2")
    [entry] = json.loads(call("history", "bridge-toll/x2", "--store", store, "--format", "json").stdout)
    assert (entry["kind"], entry["by"]) == ("accept", "carla")
    assert entry["note"] == "accepts proposals 1, 2 by anna, ben"
    assert "waits no more" in call("proposals", "accept", 1, "--by", "carla", "--store", store, status=1).stderr


@pytest.mark.usefixtures("two")
def test_one_that_was_edited_is_not_decided_unread(options: list[object], store: Path) -> None:
    call("proposals", "edit", "1@1", "-", "--by", "anna", *options, stdin=NEW.replace("fears", "expects"))
    accept = call("proposals", "accept", "1@1", "2", "--by", "carla", "--store", store, status=1)
    assert "is at revision 2" in accept.stderr
    call("proposals", "edit", "1@1", "-", "--by", "anna", *options, stdin=NEW, status=1)
    call("proposals", "reject", "1@1", "--reason", "no", "--by", "carla", "--store", store, status=1)
    assert listed(store, "--state", "waiting") == [(1, "waiting"), (2, "waiting")]
    assert not published(store, "bridge-toll/x2")


@pytest.mark.usefixtures("two")
def test_one_that_no_longer_conforms_still_waits(options: list[object], store: Path) -> None:
    entries = "entries: [{id: nordmark, type: State, prefLabel: Nordmark}]\n"
    call("publish", "-", *options, stdin=entries)
    ours = NEW.replace("x1", "x3").replace("ruritania", "nordmark")
    call("proposals", "submit", "-", "--by", "anna", *options, stdin=ours)
    call("undo", 2, "--store", store)
    told = call("proposals", "accept", 1, 3, "--by", "carla", "--store", store, status=1)
    assert "violation: bridge-toll/x3" in told.stdout
    form = ["--format", "json"]
    told = call("proposals", "accept", 3, "--by", "carla", "--store", store, *form, status=1)
    assert not json.loads(told.stdout)["conforms"]
    assert listed(store) == [(1, "waiting"), (2, "waiting"), (3, "waiting")]
    assert not published(store, "bridge-toll/x1")


@pytest.mark.usefixtures("two")
def test_proposals_are_rejected_for_a_reason_or_withdrawn(store: Path) -> None:
    assert "rejected" in call("proposals", "reject", 2, "--reason", "twice", "--by", "carla", "--store", store).stdout
    assert "reason: twice" in call("proposals", "show", 2, "--store", store).stdout
    assert "`anna`'s" in call("proposals", "withdraw", 1, "--by", "ben", "--store", store, status=2).stderr
    done = call("proposals", "withdraw", 1, "--by", "anna", "--store", store, "--format", "json")
    assert [p["state"] for p in json.loads(done.stdout)] == ["withdrawn"]
    assert listed(store) == [(1, "withdrawn"), (2, "rejected")]
    call("proposals", "withdraw", 1, "--by", "anna", "--store", store, status=1)


def test_what_does_not_conform_is_not_proposed(options: list[object], store: Path, tmp_path: Path) -> None:
    done = call("proposals", "submit", write(tmp_path, "wrong.yaml", WRONG), "--by", "anna", *options, status=1)
    assert "wrong.yaml:5: violation: bridge-toll/x1" in done.stdout
    assert listed(store) == []
    call("publish", "-", *options, stdin=NEW)
    again = call("proposals", "submit", "-", "--by", "anna", *options, stdin=NEW, status=2)
    assert "published already" in again.stderr


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", 9], "no proposal 9"),
        (["show", "x"], "not a valid integer"),
        (["accept", "x", "--by", "carla"], "`x` is no proposal"),
        (["accept", "1@", "--by", "carla"], "`1@` is no proposal"),
        (["accept", 9, "--by", "carla"], "no proposal 9"),
        (["accept", 1, 1, "--by", "carla"], "named 2 times"),
        (["accept", 1], "--by"),
        (["accept", 1, "--by", "Carla C"], "agent's name"),
        (["reject", 1, "--by", "carla", "--reason", " "], "without a reason"),
        (["reject", 1, "--by", "carla"], "--reason"),
        (["list", "--state", "lost"], "'lost' is not one of"),
    ],
)
def test_what_cannot_be_done_is_told_with_exit_code_2(store: Path, arguments: list[object], words: str) -> None:
    assert words in call("proposals", *arguments, "--store", store, status=2).stderr
    assert listed(store) == [(1, "waiting"), (2, "waiting")]


def test_proposals_need_a_store(tmp_path: Path) -> None:
    assert "whosays build" in call("proposals", "list", "--store", tmp_path / "none", status=2).stderr
    assert not (tmp_path / "none").exists()
