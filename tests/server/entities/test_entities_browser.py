"""Pages of things and citations as a visitor uses them: copying, by keyboard, without script, in print."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import RunningServer
from tests.server.browsing import PHONE, Visit, visiting

PATHS = (
    "/id/ruritania",
    "/id/kazimir-vlastok",
    "/id/bridge-toll/s12e",
    "/id/tellbruck-toll-level",
    "/cite/bridge-toll",
)


def test_the_permanent_address_is_copied_by_keyboard(visit: Visit) -> None:
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visit.go("/id/bridge-toll/s11b")
    button = page.get_by_role("button", name="Copy")
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_text("Copied.").wait_for(state="attached")
    assert page.evaluate("navigator.clipboard.readText()") == "https://w3id.org/whosays/id/bridge-toll/s11b"


def test_where_copying_is_not_allowed_the_address_is_selected(visit: Visit) -> None:
    page = visit.go("/id/bridge-toll")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("copy it with Ctrl+C").wait_for(state="attached")
    assert page.evaluate("getSelection().toString()") == "https://w3id.org/whosays/id/bridge-toll"


def test_without_script_everything_is_there(browser: Browser, server: RunningServer) -> None:
    with visiting(browser, server.address, script=False) as visit:
        page = visit.go("/id/bridge-toll/s11b")
        assert page.get_by_label("Permanent address").input_value().endswith("/bridge-toll/s11b")
        assert page.get_by_role("button", name="Copy").count() == 0
        page.get_by_role("link", name="Cite").click()
        expect(page.get_by_role("heading", name="BibTeX")).to_be_visible()
        assert "@misc{bridge-toll-s11b," in page.locator("#bibtex-text").input_value()


def test_from_a_state_to_the_passage_and_its_citation(visit: Visit, tmp_path: Path) -> None:
    page = visit.go("/id/borduria")
    page.get_by_role("link", name="the assertion bridge-toll/s11b").first.click()
    expect(page.locator("h1")).to_contain_text("Borduria fears")
    page.get_by_role("link", name="Cite").click()
    with page.expect_download() as taken:
        page.get_by_role("link", name="Download bridge-toll-s11b.json").click()
    file = tmp_path / taken.value.suggested_filename
    taken.value.save_as(file)
    (item,) = json.loads(file.read_text("utf-8"))
    assert item["URL"] == "https://w3id.org/whosays/id/bridge-toll/s11b"


def test_names_follow_the_language_that_is_chosen(visit: Visit) -> None:
    page = visit.go("/id/ruritania")
    page.get_by_role("link", name="Deutsch").click()
    expect(page.locator("h1 bdi[lang=de]")).to_have_text("Ruritanien")
    page = visit.go("/id/tellbruck-toll")
    assert page.locator("h1").inner_text() == "Brückenzoll in Tellbrück"


@pytest.mark.parametrize("path", PATHS)
def test_a_page_prints_cleanly(visit: Visit, path: str) -> None:
    page = visit.go(path)
    page.emulate_media(media="print")
    for unwanted in (".top nav", ".top form", "footer", ".share button", ".takes button"):
        for found in page.locator(unwanted).all():
            assert not found.is_visible(), unwanted
    assert page.locator("h1").is_visible()
    assert len(page.pdf()) > 1_000


@pytest.mark.parametrize("path", PATHS)
def test_a_page_can_be_used_on_a_phone(browser: Browser, server: RunningServer, path: str) -> None:
    with visiting(browser, server.address, PHONE, dark=True) as visit:
        page = visit.go(path)
        assert visit.overflow() <= 0
        assert visit.axe() == []
        page.keyboard.press("Tab")
        assert page.locator(":focus").inner_text() == "To the content"
