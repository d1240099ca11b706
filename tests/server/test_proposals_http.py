"""Proposals over HTTP: seen by whom they concern, published by a curator's word only, decided once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pyoxigraph as ox
import pytest

from kg.names import ID, WS
from kg.settings import Settings
from tests.additions import FORMS, REPLY, addition, as_form, assertion, iri
from tests.door import ServedDoor, serve_door


@pytest.fixture(scope="module")
def door(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDoor]:
    with serve_door(sample_settings.store, tmp_path_factory.mktemp("door")) as served:
        yield served


@pytest.fixture(autouse=True)
def in_step(door: ServedDoor) -> Iterator[None]:
    yield
    assert door.leftovers() == []
    assert door.numbers() == list(range(1, int(door.folder.current_name() or 0) + 1))


def propose(door: ServedDoor, key: str, by: str = "anna", **changes: str) -> int:
    answer = door.ask("POST", "/proposals?note=see+the+last+sentence", addition(key, **changes), by=by)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/proposals/{answer.json()['id']}"
    return int(answer.json()["id"])


def decide(
    door: ServedDoor, deed: str, *ids: int, revision: int = 1, by: str = "cleo", **more: object
) -> httpx.Response:
    body = {deed: [{"id": number, "revision": revision} for number in ids]} | more
    return door.ask("POST", "/proposals/decisions", body, by=by)


def tell(door: ServedDoor, number: int, by: str = "cleo") -> dict[str, object]:
    answer = door.ask("GET", f"/proposals/{number}", by=by)
    assert answer.status_code == 200
    return dict(answer.json())


def is_published(door: ServedDoor, key: str) -> bool:
    (row,) = door.rows(f"SELECT (COUNT(*) AS ?n) WHERE {{ <{REPLY}/{key}> ?p ?o }}")
    return row != ["0"]


def test_a_proposal_waits_out_of_sight_until_it_is_accepted(door: ServedDoor) -> None:
    before = door.state()
    number = propose(door, "seen")
    assert door.state() == before
    assert not is_published(door, "seen")
    assert is_published(door, "s1a")
    told = tell(door, number, by="anna")
    assert (told["state"], told["note"], told["documents"]) == ("waiting", "see the last sentence", [REPLY])
    revisions = told["revisions"]
    assert isinstance(revisions, list)
    assert revisions[0]["source"] == addition("seen").decode()
    accepted = decide(door, "accept", number)
    assert accepted.status_code == 200
    assert [(p["id"], p["state"], p["decided_by"]) for p in accepted.json()] == [(number, "accepted", "cleo")]
    assert is_published(door, "seen")
    change = door.ask("GET", f"/changes/{accepted.json()[0]['change']}").json()
    assert (change["by"], change["kind"]) == ("cleo", "accept")
    assert f"accepts proposal {number} by anna" in change["note"]
    assert change["source"] == f"proposal {number}, revision 1"


@pytest.mark.parametrize("form", FORMS)
def test_every_syntax_may_be_proposed(door: ServedDoor, form: str) -> None:
    answer = door.ask("POST", "/proposals", as_form(addition(f"in-{form}"), form), form=form, by="ben")
    assert answer.status_code == 201
    assert decide(door, "accept", answer.json()["id"]).status_code == 200
    assert is_published(door, f"in-{form}")


def test_what_does_not_conform_is_not_even_proposed(door: ServedDoor) -> None:
    answer = door.ask("POST", "/proposals", addition("bad", evidencedBy="bridge-toll/0-49"), by="anna")
    assert answer.status_code == 422
    assert answer.json()["violations"]
    known = door.ask("POST", "/assertions", addition("known"), by="cleo")
    assert known.status_code == 201
    assert door.ask("POST", "/proposals", addition("known"), by="anna").status_code == 400
    assert door.ask("POST", "/proposals?note=" + "x" * 10_001, addition("long"), by="anna").status_code == 400


def test_a_contributor_sees_the_own_proposals_only(door: ServedDoor) -> None:
    hers, his = propose(door, "hers"), propose(door, "his", by="ben")
    assert {p["contributor"] for p in door.ask("GET", "/proposals?limit=1000", by="anna").json()} == {"anna"}
    assert door.ask("GET", "/proposals?contributor=ben", by="anna").status_code == 403
    for method, rest in (("GET", ""), ("PUT", "?revision=1"), ("POST", "/withdraw")):
        body = addition("mine") if method == "PUT" else None
        assert door.ask(method, f"/proposals/{his}{rest}", body, by="anna").status_code == 403
    assert tell(door, his)["state"] == "waiting"
    assert tell(door, his)["revision"] == 1
    everybodys = [p["id"] for p in door.ask("GET", "/proposals?limit=1000", by="cleo").json()]
    assert {hers, his} <= set(everybodys)
    assert everybodys == sorted(everybodys)
    only_his = door.ask("GET", f"/proposals?contributor=ben&state=waiting&after={his - 1}&limit=1", by="cleo").json()
    assert [p["id"] for p in only_his] == [his]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("state=nonsense", 400),
        ("limit=0", 400),
        ("limit=x", 400),
        ("after=-1", 400),
        ("after=" + "9" * 30, 400),
        ("document=reply-from-borduria", 200),
        ("document=nothing", 200),
        ("document=%00%ff", 200),
    ],
)
def test_a_list_that_makes_no_sense_is_400(door: ServedDoor, query: str, status: int) -> None:
    assert door.ask("GET", f"/proposals?{query}", by="cleo").status_code == status


@pytest.mark.parametrize("path", ["/proposals/0", "/proposals/1000000", "/proposals/" + "9" * 40])
def test_a_proposal_that_is_not_there_is_404(door: ServedDoor, path: str) -> None:
    assert door.ask("GET", path, by="cleo").status_code == 404
    assert door.ask("POST", f"{path}/withdraw", by="anna").status_code == 404
    assert door.ask("PUT", f"{path}?revision=1", addition("x"), by="cleo").status_code == 404


def test_a_curator_edits_and_then_accepts_what_was_edited(door: ServedDoor) -> None:
    number = propose(door, "draft")
    edited = door.ask("PUT", f"/proposals/{number}?revision=1", addition("edited"), by="cleo")
    assert edited.status_code == 200
    assert edited.json()["revision"] == 2
    assert decide(door, "accept", number, revision=1).status_code == 409
    assert tell(door, number)["state"] == "waiting"
    assert decide(door, "accept", number, revision=2).status_code == 200
    assert is_published(door, "edited")
    assert not is_published(door, "draft")
    revisions = tell(door, number, by="anna")["revisions"]
    assert isinstance(revisions, list)
    assert [(r["number"], r["by"]) for r in revisions] == [(1, "anna"), (2, "cleo")]


def test_a_stale_or_wrong_edit_changes_nothing(door: ServedDoor) -> None:
    number = propose(door, "steady")
    address = f"/proposals/{number}"
    assert (
        door.ask("PUT", f"{address}?revision=1", addition("steady", certainty="possible"), by="anna").status_code == 200
    )
    assert door.ask("PUT", f"{address}?revision=1", addition("other"), by="anna").status_code == 409
    assert door.ask("PUT", address, addition("other"), by="anna").status_code == 400
    wrong = addition("other", evidencedBy="bridge-toll/0-49")
    assert door.ask("PUT", f"{address}?revision=2", wrong, by="anna").status_code == 422
    assert door.ask("PUT", f"{address}?revision=2", b"\xff", by="anna").status_code == 400
    assert tell(door, number)["revision"] == 2


def test_a_rejected_proposal_keeps_its_reason(door: ServedDoor) -> None:
    number = propose(door, "rejected")
    for body in ({}, {"reason": " "}, {"reason": 7}, {"reason": "x" * 10_001}, {"reason": "\ud800"}):
        assert decide(door, "reject", number, **body).status_code == 400  # type: ignore[arg-type]
    assert decide(door, "reject", number, reason="The passage says the contrary.").status_code == 200
    told = tell(door, number, by="anna")
    assert (told["state"], told["reason"]) == ("rejected", "The passage says the contrary.")
    assert decide(door, "accept", number).status_code == 409
    assert not is_published(door, "rejected")


def test_a_proposal_is_withdrawn_by_its_contributor_alone(door: ServedDoor) -> None:
    number = propose(door, "withdrawn")
    assert door.ask("POST", f"/proposals/{number}/withdraw", by="cleo").status_code == 403
    assert door.ask("POST", f"/proposals/{number}/withdraw", by="anna").json()["state"] == "withdrawn"
    assert door.ask("POST", f"/proposals/{number}/withdraw", by="anna").status_code == 409
    assert decide(door, "accept", number).status_code == 409


def test_many_are_decided_at_once_or_none(door: ServedDoor) -> None:
    first, second, third = (propose(door, f"many-{n}", by="ben") for n in range(3))
    before = door.state()
    assert decide(door, "accept", first, second, 1_000_000).status_code == 404
    assert decide(door, "accept", first, first).status_code == 400
    assert decide(door, "reject", first, 1_000_000, reason="no").status_code == 404
    assert decide(door, "reject", third, reason="no").status_code == 200
    assert decide(door, "accept", first, second, third).status_code == 409
    assert [tell(door, n)["state"] for n in (first, second)] == ["waiting", "waiting"]
    assert door.state() == before
    accepted = decide(door, "accept", first, second)
    assert accepted.status_code == 200
    assert len({p["change"] for p in accepted.json()}) == 1
    assert is_published(door, "many-0")
    assert is_published(door, "many-1")


def test_what_no_longer_conforms_is_not_accepted_and_goes_on_waiting(door: ServedDoor) -> None:
    assert door.ask("POST", "/assertions", addition("base"), by="cleo").status_code == 201
    one = propose(door, "one", reports="reply-from-borduria/base")
    two = propose(door, "two", by="ben", reports="reply-from-borduria/base")
    innocent = propose(door, "innocent")
    assert decide(door, "accept", one, two).status_code == 422  # together they report it twice
    assert decide(door, "accept", one).status_code == 200
    before = door.state()
    refused = decide(door, "accept", two, innocent)
    assert refused.status_code == 422
    assert refused.json()["violations"]
    assert door.state() == before
    assert [tell(door, n)["state"] for n in (two, innocent)] == ["waiting", "waiting"]
    assert decide(door, "accept", innocent).status_code == 200


def test_a_proposal_brings_the_register_entries_that_it_needs(door: ServedDoor) -> None:
    entry = b"entries:\n  - {id: bridge-guild, type: Organization, prefLabel: bridge guild}\n"
    answer = door.ask("POST", "/proposals", addition("guild", holder="bridge-guild") + entry, by="anna")
    assert answer.status_code == 201
    assert door.rows(f"SELECT ?p {{ <{ID}bridge-guild> ?p ?o }}") == []
    assert decide(door, "accept", answer.json()["id"]).status_code == 200
    assert door.rows(f"SELECT ?h {{ <{REPLY}/guild> ws:holder ?h }}") == [[ID + "bridge-guild"]]


def test_two_curators_at_once_decide_once(door: ServedDoor) -> None:
    numbers = [propose(door, f"contested-{n}") for n in range(4)]
    for number in numbers:
        with ThreadPoolExecutor(4) as pool:
            deeds = [("accept", "cleo"), ("accept", "dora"), ("reject", "cleo"), ("reject", "dora")]
            answers = list(pool.map(lambda d, n=number: decide(door, d[0], n, by=d[1], reason="no"), deeds))  # type: ignore[misc]
        assert sorted(a.status_code for a in answers) == [200, 409, 409, 409], [a.text for a in answers]
        (winner,) = (a.json()[0] for a in answers if a.status_code == 200)
        assert tell(door, number)["state"] == winner["state"]
        assert is_published(door, f"contested-{number - numbers[0]}") == (winner["state"] == "accepted")


def test_many_contributors_at_once_lose_nothing(door: ServedDoor) -> None:
    keys = [f"crowd-{n}" for n in range(12)]
    with ThreadPoolExecutor(12) as pool:
        numbers = list(pool.map(lambda key: propose(door, key), keys))
    assert len(set(numbers)) == 12
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: decide(door, "accept", n), numbers))
    assert [a.status_code for a in answers] == [200] * 12, [a.text for a in answers]
    assert all(is_published(door, key) for key in keys)
    subjects = {q.subject for q in door.state() if q.predicate == ox.NamedNode(WS + "holder")}
    assert {iri(f"reply-from-borduria/{key}") for key in keys} <= subjects


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"accept": []}',
        b'{"accept": [1]}',
        b'{"accept": [{"id": 1}]}',
        b'{"accept": [{"id": true, "revision": 1}]}',
        b'{"accept": [{"id": 1.5, "revision": 1}]}',
        b'{"accept": [{"id": 1, "revision": 1}], "reject": []}',
        b'{"accept": {"id": 1}}',
    ],
)
def test_a_decision_that_makes_no_sense_is_400(door: ServedDoor, body: bytes) -> None:
    answer = door.ask("POST", "/proposals/decisions", body, by="cleo", form="application/json")
    assert answer.status_code == 400


def test_more_than_one_assertion_may_be_proposed_together(door: ServedDoor) -> None:
    body = addition("pair-1", assertion("pair-2"))
    number = door.ask("POST", "/proposals", body, by="anna").json()["id"]
    assert decide(door, "accept", number).status_code == 200
    assert is_published(door, "pair-1")
    assert is_published(door, "pair-2")
