"""The first five minutes, in a real browser: a reader, a coder and a curator who have never heard of SPARQL.

The reader finds who disagrees with whom, reads the passage that proves it, sees it drawn, and cites it. The coder adds
an assertion while reading. The curator looks at it beside its passage and accepts it, and the reader finds it.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from kg.settings import Settings
from tests.door import ServedDoor, serve_door
from tests.server.browsing import open_browser, visiting
from tests.server.coding.filling import fill_in


@pytest.fixture(scope="module")
def door(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDoor]:
    with serve_door(sample_settings.store, tmp_path_factory.mktemp("story")) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


def test_a_reader_finds_who_disagrees_reads_the_passage_sees_it_drawn_and_cites_it(
    door: ServedDoor, browser: Browser
) -> None:
    with visiting(browser, door.address) as visit:
        page = visit.go("/")
        page.get_by_role("link", name="Who disagrees with whom").first.click()
        table = page.locator("main table").first
        expect(table).to_be_visible()
        assert table.locator("tbody tr").count() > 0

        page.get_by_role("link", name="Whosays", exact=True).click()
        page.get_by_label("Search names, matters, contents and passages").fill("toll")
        page.keyboard.press("Enter")
        page.locator(".hit a").first.wait_for()
        page.get_by_role("link", name=re.compile("^Passages")).click()
        page.locator(".hit .label a").first.click()
        expect(page).to_have_url(re.compile(r"/documents/[a-z-]+(\?assertion=\w+)?#\d+-\d+$"))
        expect(page.locator("main")).to_contain_text("toll")

        page.get_by_role("navigation", name="Main").get_by_role("link", name="Pictures").click()
        page.locator("main").get_by_role("link", name=re.compile("network", re.IGNORECASE)).first.click()
        expect(page.locator("main svg").first).to_be_visible()
        assert page.locator("main table").count() >= 1

        visit.go("/documents/bridge-toll")
        page.get_by_role("link", name="Cite").first.click()
        expect(page.locator("main")).to_contain_text("@")
        expect(page.locator("main")).to_contain_text("TY  - ")


def test_a_coder_adds_an_assertion_the_curator_accepts_it_and_the_reader_finds_it(
    door: ServedDoor, browser: Browser
) -> None:
    gloss = "The drivers are weary of waiting at the bridge."
    with visiting(browser, door.address) as coder:
        page = coder.sign_in(door.secrets["anna"], "/documents/bridge-toll")
        page.get_by_role("link", name=re.compile(r"^Code sentence \d+")).nth(2).click()
        form = page.locator("#code-voice-1-holder")
        expect(form).to_be_visible()
        fill_in(page, gloss)
        expect(page.locator("[data-summary]")).to_have_text("Nothing is wrong with it.")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text(re.compile(r"Proposal \d+ waits for a curator")).first).to_be_visible()

    with visiting(browser, door.address) as curator:
        page = curator.sign_in(door.secrets["cleo"], "/")
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Review").click()
        card = page.locator("[data-card]").filter(has_text=gloss)
        expect(card.locator("mark").first).to_be_visible()  # the passage that it rests on stands beside it
        card.get_by_role("button", name="Accept").click()
        expect(page.get_by_text("Accepted and published")).to_be_visible()

    with visiting(browser, door.address) as reader:
        page = reader.go("/search?q=weary+waiting")
        page.get_by_role("link", name=gloss).first.click()
        expect(page.locator("main")).to_contain_text("Ruritania")
        page = reader.go("/explore?act=resents&holder=ruritania")
        expect(page.locator(".assertions")).to_contain_text(gloss)
        page.locator(".assertion").filter(has_text=gloss).locator(".where a").click()
        expect(page).to_have_url(re.compile(r"/documents/bridge-toll(\?assertion=\w+)?#\d+-\d+$"))
        expect(page.locator("main")).to_contain_text(gloss)
