"""Coding in a real browser: told as one types, by keyboard, beside a text, on a phone, and without script."""

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from kg.settings import Settings
from tests.door import ServedDoor, serve_door
from tests.server.browsing import PHONE, Visit, suggest, visiting
from tests.server.coding.filling import choose_kind, fill_in, pick

WHERE = "/code/bridge-toll?start=109&end=254"


@pytest.fixture(scope="module")
def door(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDoor]:
    with serve_door(sample_settings.store, tmp_path_factory.mktemp("coding")) as served:
        served.ask("POST", "/validate", b"entries: []")  # which waits until the cells are ready
        yield served


@pytest.fixture
def coder(door: ServedDoor, browser: Browser) -> Iterator[Visit]:
    with visiting(browser, door.address) as visit:
        visit.sign_in(door.secrets["anna"], "/")
        yield visit


def select(page: Page, start: int, end: int) -> None:
    """Tell the page, as the reading page does, that a stretch of the text was selected to be coded."""
    told = {"document": "bridge-toll", "start": start, "end": end}
    page.evaluate("detail => document.dispatchEvent(new CustomEvent('whosays:selected', {detail}))", told)


def waiting(door: ServedDoor, words: str) -> list[int]:
    found = door.ask("GET", "/proposals?state=waiting&limit=1000", by="cleo").json()
    told = {p["id"]: door.ask("GET", f"/proposals/{p['id']}", by="cleo").json() for p in found}
    return [number for number, one in told.items() if words in one["revisions"][-1]["source"]]


def test_an_assertion_is_coded_and_proposed_without_touching_the_mouse(door: ServedDoor, coder: Visit) -> None:
    page = coder.go(WHERE)
    fill_in(page, "Bridges with tolls annoy the Ruritanians.")
    summary = page.locator("[data-summary]")
    expect(summary).to_have_text("Nothing is wrong with it.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text(re.compile(r"Proposal \d+ waits for a curator"))).to_be_visible()
    assert len(waiting(door, "annoy the Ruritanians")) == 1
    expect(page.locator("#code-content-gloss")).to_have_value("Bridges with tolls annoy the Ruritanians.")


def test_what_is_wrong_is_told_beside_its_field_as_one_types_and_what_is_missing_only_later(coder: Visit) -> None:
    page = coder.go(WHERE)
    page.locator("#code-voice-1-holder").fill("Ruritanians")
    quantifier = page.locator('[data-control="voice-1.holderQuantifier"] .remarks')
    page.locator("#code-voice-1-act").focus()
    expect(page.locator("[data-summary]")).to_contain_text("still to be filled in")
    expect(page.locator('[data-control="content.gloss"] .remarks li')).to_have_count(0)
    page.locator("#code-content-gloss").fill("The toll is not fair")
    expect(page.locator('[data-control="content.gloss"] .remarks')).to_contain_text("in the positive")
    expect(quantifier).to_contain_text("nothing says how many of it hold the stance")
    expect(quantifier).to_be_visible()
    page.keyboard.press("Control+Shift+Enter")
    expect(page.locator('[data-control="content.about"] .remarks')).to_contain_text("about at least one entry")
    assert page.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"
    page.locator("#code-voice-1-holderQuantifier").select_option("many")
    expect(quantifier.locator("li")).to_have_count(0)


def test_a_proposition_worded_nearly_the_same_is_offered_and_taken_by_one_press(coder: Visit) -> None:
    page = coder.go(WHERE)
    page.locator("#code-content-gloss").fill("The toll at Tellbrück ruins the border towns.")
    offered = page.locator("[data-similar]")
    expect(offered).to_contain_text("The toll at Tellbrück ruins the Ruritanian border towns.")
    offered.get_by_role("button").first.click()
    expect(page.locator("#code-content-use")).to_have_value(re.compile(r"\[tellbruck-toll-ruins-border-towns\]$"))
    expect(page.locator("#code-content-gloss")).to_be_hidden()
    page.get_by_role("button", name="Word a new one instead").click()
    expect(page.locator("#code-content-gloss")).to_have_value("The toll at Tellbrück ruins the border towns.")


def test_names_are_suggested_in_every_script_and_shown_in_the_language_of_the_reader(
    door: ServedDoor, browser: Browser
) -> None:
    with visiting(browser, door.address, locale="de-DE") as visit:
        page = visit.sign_in(door.secrets["anna"], quote(WHERE))
        pick(page, "#code-voice-1-holder", "Зворник", "Miloš Zvornik")
        expect(page.locator("#code-voice-1-holder")).to_have_value("Miloš Zvornik [milos-zvornik]")
        page.locator("#code-voice-1-holder").fill("")
        pick(page, "#code-voice-1-holder", "ruritani", "Ruritanien")
        expect(page.locator("#code-voice-1-holder")).to_have_value("Ruritanien [ruritania]")


def test_what_is_described_in_the_form_is_suggested_too(coder: Visit) -> None:
    page = coder.go(WHERE)
    page.keyboard.press("Alt+n")
    label = page.locator('[data-is~="Factor"] input[name$=".prefLabel"]')
    expect(label).to_be_focused()
    label.fill("weariness of the drivers")
    choose_kind(page, "CausalClaim", "#code-content-effect")
    pick(page, "#code-content-effect", "wear", "weariness of the drivers")
    expect(page.locator("#code-content-effect")).to_have_value("weariness of the drivers")


def test_voices_are_added_by_keyboard_and_nothing_typed_is_lost(coder: Visit) -> None:
    page = coder.go(WHERE)
    pick(page, "#code-voice-1-holder", "edda", "Edda Tannhof")
    page.locator("#code-content-gloss").fill("Kept all along.")
    page.keyboard.press("Alt+v")
    expect(page.locator("#code-voice-2-holder")).to_be_focused()
    expect(page.locator("#code-voice-1-act")).to_have_value("reports")
    choose_kind(page, "Quantity", "#code-content-unit")
    expect(page.locator("#code-content-gloss")).to_have_value("Kept all along.")
    expect(page.locator("#code-voice-1-holder")).to_have_value("Edda Tannhof [edda-tannhof]")
    page.reload()
    expect(page.get_by_text("Taken up where you left off.")).to_be_visible()
    expect(page.locator("#code-content-gloss")).to_have_value("Kept all along.")
    expect(page.locator("#code-voice-2-holder")).to_be_visible()
    page.get_by_role("button", name="Begin anew").click()
    expect(page.locator("#code-content-gloss")).to_have_value("")


def test_what_is_chosen_while_the_form_is_made_anew_is_not_lost(coder: Visit) -> None:
    page = coder.go(WHERE)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if held or route.request.method != "POST":
            route.continue_()
        else:
            held.append(route)

    page.route("**/code/bridge-toll*", hold)
    with page.expect_request("**/code/bridge-toll*"):
        page.keyboard.press("Alt+v")
    page.locator("#code-content-type").select_option("CausalPathway")
    page.locator("#code-content-gloss").fill("Written meanwhile.")
    page.wait_for_timeout(500)
    held[0].continue_()
    expect(page.locator("#code-voice-2-holder")).to_be_visible()
    expect(page.locator("fieldset.parts")).to_be_visible()
    expect(page.locator("#code-content-gloss")).to_have_value("Written meanwhile.")


def test_more_values_are_added_in_place(coder: Visit) -> None:
    page = coder.go(WHERE)
    pick(page, "#code-content-about", "toll on", "toll on the bridge at Tellbrück")
    page.locator('[data-control="content.about"] [data-more]').click()
    second = page.locator("#code-content-about-2")
    expect(second).to_be_focused()
    expect(second).to_have_value("")
    pick(page, "#code-content-about-2", "bordu", "Borduria")
    expect(page.locator("#code-content-about")).to_have_value(re.compile("tellbruck-toll"))


def test_the_question_mark_lists_the_keys_except_where_one_writes(coder: Visit) -> None:
    page = coder.go(WHERE)
    keys = page.locator("#code-keys")
    page.locator("#code-content-gloss").focus()
    page.keyboard.press("?")
    expect(keys).to_be_hidden()
    page.locator("[data-check]").focus()
    page.keyboard.press("?")
    expect(keys).to_be_visible()
    page.keyboard.press("?")
    expect(keys).to_be_hidden()


def test_beside_a_text_the_form_opens_for_what_is_selected_and_tells_when_it_is_proposed(
    door: ServedDoor, coder: Visit
) -> None:
    page = coder.go("/documents/bridge-toll")
    select(page, 385, 433)
    panel = page.locator("aside[data-coding]")
    expect(panel.locator("blockquote")).to_contain_text("Ruritanians used to look on Borduria")
    expect(panel.locator("#code-voice-1-holder")).to_be_focused()
    page.evaluate("document.addEventListener('whosays:proposed', e => window.told = e.detail.proposal)")
    fill_in(page, "The text beside the form stays.")
    page.keyboard.press("Control+Enter")
    expect(panel).to_contain_text("waits for a curator")
    assert page.evaluate("window.told") in waiting(door, "The text beside the form stays.")
    assert coder.axe() == []


def test_escape_closes_the_form_beside_a_text_and_it_is_there_again_as_it_was(coder: Visit) -> None:
    page = coder.go("/documents/bridge-toll")
    select(page, 0, 49)
    page.locator("#code-content-gloss").fill("Half a thought.")
    page.keyboard.press("Escape")
    expect(page.locator("form[data-code]")).to_have_count(0)
    select(page, 0, 49)
    expect(page.locator("#code-content-gloss")).to_have_value("Half a thought.")


def test_without_script_the_same_is_proposed(door: ServedDoor, browser: Browser) -> None:
    with visiting(browser, door.address, script=False) as visit:
        page = visit.sign_in(door.secrets["ben"], quote(WHERE))
        page.locator("#code-voice-1-holder").fill("Ruritania")
        page.locator("#code-voice-1-act").select_option("resents")
        page.locator("#code-content-type").select_option("Evaluation")
        page.get_by_role("button", name="Show its fields").click()
        page.locator("#code-content-gloss").fill("Without script it is as good.")
        page.locator("#code-content-about").fill("toll on the bridge at Tellbrück")
        page.locator("#code-content-evaluated").fill("tellbruck-toll")
        page.locator("#code-content-gloss").press("Tab")
        page.locator("#code-content-about").press("Enter")
        expect(page.locator("[data-summary]")).to_contain_text("One thing is wrong or missing")
        expect(page.locator('[data-control="content.image"]')).to_contain_text("what the judgement is")
        page.locator("#code-content-valence").select_option("negative")
        page.get_by_role("button", name="Propose it").click()
        expect(page.get_by_text(re.compile(r"Proposal \d+ waits for a curator"))).to_be_visible()
    assert len(waiting(door, "Without script it is as good.")) == 1


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_form_suits_a_phone_and_those_who_cannot_see(door: ServedDoor, browser: Browser, dark: bool) -> None:
    with visiting(browser, door.address, PHONE, dark=dark) as visit:
        page = visit.sign_in(door.secrets["anna"], quote(WHERE))
        assert visit.overflow() == 0
        assert visit.axe() == []
        page.keyboard.press("Alt+v")
        choose_kind(page, "CausalPathway", "fieldset.parts")
        page.get_by_role("button", name="Add one").click()
        expect(page.locator("#code-part-1-claim")).to_be_visible()
        suggest(page.locator("#code-voice-1-holder"), "b")
        page.keyboard.press("Control+Shift+Enter")
        expect(page.locator('[aria-invalid="true"]').first).to_be_visible()
        for fold in page.locator(".code-form details").all():
            fold.evaluate("fold => { fold.open = true; }")
        assert visit.overflow() == 0
        assert visit.axe() == []
        visit.go("/code/bridge-toll")
        assert visit.overflow() == 0
        assert visit.axe() == []


def test_who_is_not_signed_in_comes_back_to_the_passage_after_signing_in(door: ServedDoor, browser: Browser) -> None:
    with visiting(browser, door.address) as visit:
        page = visit.go(WHERE)
        page.locator("main").get_by_role("link", name="Sign in").click()
        page.get_by_label("Token").fill(door.secrets["anna"])
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#code-voice-1-holder")).to_be_visible()
        expect(page.locator("blockquote")).to_contain_text("black-letter")


def test_hostile_names_are_suggested_as_text(door: ServedDoor, coder: Visit) -> None:
    label = "Evil <img src=x onerror=alert(1)> \u202e name"
    record = f"entries: [{{id: evil-one, type: Person, prefLabel: '{label}'}}]".encode()
    assert door.ask("POST", "/assertions", record, by="cleo").status_code == 201
    page = coder.go(WHERE)
    option = suggest(page.locator("#code-voice-1-holder"), "evil").first
    expect(option).to_contain_text("<img src=x onerror=alert(1)>")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Alt+v")
    expect(page.locator("#code-voice-1-holder")).to_have_value(re.compile(r"\[evil-one\]$"))
    assert page.locator(".code-form img").count() == 0
