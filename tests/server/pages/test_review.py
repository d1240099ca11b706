"""The queue of proposals in the browser: what curators and contributors see there, and what they can do."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from kg.settings import Settings
from server.visitors import COOKIE, csrf_of
from tests.additions import addition
from tests.door import ServedDoor, serve_door
from tests.pace import wait_for
from tests.server.browsing import PHONE, Visit, visiting


@pytest.fixture(scope="module")
def door(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDoor]:
    with serve_door(sample_settings.store, tmp_path_factory.mktemp("review")) as served:
        yield served


def propose(door: ServedDoor, key: str, by: str = "anna", **changes: str) -> int:
    answer = door.ask("POST", f"/proposals?note=note-{key}", addition(key, **changes), by=by)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def state(door: ServedDoor, number: int) -> str:
    return str(door.ask("GET", f"/proposals/{number}", by="cleo").json()["state"])


def page(door: ServedDoor, by: str, address: str = "/review") -> str:
    answer = door.client.get(
        door.address + address, headers={"Cookie": f"{COOKIE}={door.secrets[by]}", "Accept": "text/html"}
    )
    assert answer.status_code == 200
    return answer.text


def post(door: ServedDoor, by: str, **fields: object) -> tuple[int, str, str]:
    answer = door.client.post(
        door.address + "/review",
        data={"csrf": csrf_of(door.secrets[by])} | fields,
        headers={"Cookie": f"{COOKIE}={door.secrets[by]}", "Accept": "text/html"},
        follow_redirects=False,
    )
    return answer.status_code, answer.headers.get("Location", ""), answer.text


@pytest.fixture
def curator(door: ServedDoor, browser: Browser) -> Iterator[Visit]:
    with visiting(browser, door.address) as visit:
        visit.sign_in(door.secrets["cleo"], "/review")
        yield visit


def test_who_is_not_signed_in_is_led_to_where_one_signs_in(door: ServedDoor) -> None:
    answer = door.client.get(f"{door.address}/review?state=all", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/signin?next=%2Freview%3Fstate%3Dall"


def test_a_proposal_stands_beside_its_passage_with_holder_act_and_content(door: ServedDoor) -> None:
    number = propose(door, "beside")
    text = page(door, "cleo")
    card = text[text.index(f'id="proposal-{number}"') :]
    assert "note-beside" in card
    assert "The receipt called beside is clear." in card
    assert "/id/kazimir-vlastok" in card
    assert "/documents/reply-from-borduria#562-634" in card
    assert '<section class="proposed kind-evaluation' in card


def test_a_contributor_sees_the_own_proposals_only_and_cannot_decide(door: ServedDoor) -> None:
    number = propose(door, "mine", by="anna")
    assert f'id="proposal-{number}"' in page(door, "anna")
    assert f'id="proposal-{number}"' not in page(door, "ben")
    assert "Accept" not in page(door, "anna")
    assert post(door, "ben", do=f"accept {number}.1")[0] == 403
    assert post(door, "ben", do=f"withdraw {number}.1")[0] == 403
    assert state(door, number) == "waiting"
    assert post(door, "anna", do=f"withdraw {number}.1")[0] == 303
    assert state(door, number) == "withdrawn"


def test_nothing_is_decided_by_a_forged_request(door: ServedDoor) -> None:
    number = propose(door, "forged")
    assert post(door, "cleo", do=f"accept {number}.1", csrf="")[0] == 403
    assert state(door, number) == "waiting"


def test_a_rejection_needs_a_reason_and_the_contributor_reads_it(door: ServedDoor) -> None:
    number = propose(door, "unsound")
    status, _, text = post(door, "cleo", do=f"reject {number}.1")
    assert status == 409
    assert "there is no reason" in text
    assert post(door, "cleo", do=f"reject {number}.1", **{f"reason-{number}.1": "Read <b>again</b>."})[0] == 303
    assert "Read &lt;b&gt;again&lt;/b&gt;." in page(door, "anna", "/review?state=rejected")


def test_what_was_edited_meanwhile_is_not_decided_unread(door: ServedDoor) -> None:
    number = propose(door, "edited")
    edited = door.ask("PUT", f"/proposals/{number}?revision=1", addition("edited", certainty="probable"), by="anna")
    assert edited.status_code == 200
    status, _, text = post(door, "cleo", do=f"accept {number}.1")
    assert status == 409
    assert 'role="alert"' in text
    assert state(door, number) == "waiting"
    assert "revision 2" in page(door, "cleo")


def test_many_are_decided_at_once_all_or_none(door: ServedDoor) -> None:
    first, second = propose(door, "many-1"), propose(door, "many-2")
    status, _, _ = post(door, "cleo", do="accept", chosen=[f"{first}.1", f"{second}.7"])
    assert status == 409
    assert {state(door, first), state(door, second)} == {"waiting"}
    status, onwards, _ = post(door, "cleo", do="accept", chosen=[f"{first}.1", f"{second}.1"])
    assert (status, onwards) == (303, f"/review?done=accept&numbers={first}%2C{second}")
    assert {state(door, first), state(door, second)} == {"accepted"}


def test_what_no_longer_conforms_is_told_and_stays_waiting(door: ServedDoor) -> None:
    first, second = propose(door, "same-key", certainty="probable"), propose(door, "same-key")
    assert post(door, "cleo", do=f"accept {first}.1")[0] == 303
    status, _, text = post(door, "cleo", do=f"accept {second}.1")
    assert status in (409, 422)
    assert 'role="alert"' in text
    assert state(door, second) == "waiting"
    assert post(door, "cleo", do=f"reject {second}.1", reason="It is there.")[0] == 303


def test_a_curator_works_through_the_queue_by_keyboard(door: ServedDoor, curator: Visit) -> None:
    first, second, third = (propose(door, f"key-{n}") for n in (1, 2, 3))
    opened = curator.go("/review?contributor=anna")
    card = opened.locator(f"#proposal-{second}")
    while not card.evaluate("card => card === document.activeElement"):
        opened.keyboard.press("j")
    opened.keyboard.press("k")
    expect(opened.locator(f"#proposal-{first}")).to_be_focused()
    opened.keyboard.press("j")
    opened.keyboard.press("r")
    opened.keyboard.type("Nobody says so.")
    opened.keyboard.press("Enter")
    expect(opened.get_by_text(f"Rejected: {second}.")).to_be_visible()
    opened.wait_for_load_state()  # the keys do something once the page is whole
    assert (state(door, first), state(door, second)) == ("waiting", "rejected")
    opened.locator(f"#proposal-{third}").focus()
    opened.keyboard.press("a")
    expect(opened.get_by_text(f"Accepted and published: {third}.")).to_be_visible()
    assert state(door, third) == "accepted"


def test_enter_in_a_reason_never_accepts_also_without_script(door: ServedDoor, browser: Browser) -> None:
    number = propose(door, "enter")
    with visiting(browser, door.address, script=False) as visit:
        opened = visit.sign_in(door.secrets["cleo"], "/review")
        opened.get_by_role("checkbox", name=f"Proposal {number}", exact=True).check()
        opened.get_by_label("Reason for rejecting those that are ticked").fill("No.")
        opened.keyboard.press("Enter")
        opened.wait_for_timeout(300)
        assert state(door, number) == "waiting"
        opened.locator("fieldset").get_by_role("button", name="Reject").click()
        wait_for(lambda: state(door, number) == "rejected")


def test_hostile_proposals_are_shown_harmlessly(door: ServedDoor, curator: Visit) -> None:
    long = "long " * 2_000
    number = propose(
        door, "hostile",
        proposition="{id: view-hostile, type: Evaluation, gloss: \"<script>alert(1)</script> \u202e evil.\", "
        "about: tellbruck-toll, evaluated: tellbruck-toll, valence: positive}",
        note=f'"<img src=x onerror=alert(1)> {long}"',
    )  # fmt: skip
    opened = curator.go("/review")
    expect(opened.locator(f"#proposal-{number}")).to_contain_text("<script>alert(1)</script>")
    assert curator.overflow() <= 0


def test_the_queue_is_for_everybody(door: ServedDoor, browser: Browser) -> None:
    propose(door, "accessible")
    for size, dark in ((PHONE, False), ((1280, 900), True)):
        with visiting(browser, door.address, size, dark=dark) as visit:
            visit.sign_in(door.secrets["cleo"], "/review")
            assert visit.axe() == []
            assert visit.overflow() <= 0
