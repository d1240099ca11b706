"""The reading page in a real browser: text and cards find each other, and what is selected is counted right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from playwright.sync_api import Browser, Page, expect

from kg.settings import Settings
from kg.tokens import Tokens
from loaders.texts import cut_sentences
from server.reading.segments import Span
from tests.conftest import SAMPLE, RunningServer, start_server
from tests.pace import wait_for, within
from tests.server.browsing import LAPTOP, PHONE, Visit, see_address, visiting
from tests.server.calling import copy_store
from tests.server.reading.documents_to_read import ODD, coded, large_passages, large_text, put

BRIDGE = "/documents/bridge-toll"


@dataclass(frozen=True)
class OddServer:
    """A server with documents that are hard to show, and the token of a contributor."""

    running: RunningServer
    token: str


@pytest.fixture(scope="module")
def odd(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OddServer]:
    folder = tmp_path_factory.mktemp("odd")
    store = copy_store(sample_settings.store, folder / "store")
    sentences = [Span(s.start, s.end) for s in cut_sentences(ODD)]
    large = large_text()
    put(store, coded("odd", ODD, [*((s, "Evaluation") for s in sentences[:3]), (Span(2, 9), "Relation")]))
    put(store, coded("large", large, large_passages(large, 2_000)))
    texts = folder / "texts"
    texts.mkdir()
    (texts / "odd.txt").write_bytes(ODD.encode())
    (texts / "large.txt").write_bytes(large.encode())
    token = Tokens(store / "tokens.sqlite").make("carla", "contributor", days=None)
    running = start_server(replace(sample_settings, store=store, texts=texts))
    yield OddServer(running, token)
    running.stop()


@pytest.fixture
def coder(browser: Browser, odd: OddServer) -> Iterator[Visit]:
    """A contributor before the odd text; what is handed over for coding is kept in `window.seen`."""
    with visiting(browser, odd.running.address) as visit:
        visit.sign_in(odd.token, "/documents/odd")
        page = visit.page
        page.evaluate(
            "window.seen = [];"
            "document.addEventListener('whosays:selected',"
            " e => { window.seen.push(e.detail); e.stopImmediatePropagation(); }, true)"
        )
        page.evaluate(
            "document.querySelector('[data-coding]').dataset.ready = ''"
        )  # whether or not that island is built
        yield visit


def chosen(page: Page) -> list[str]:
    keys: list[str] = page.eval_on_selector_all(".card.chosen", "found => found.map(card => card.dataset.key)")
    return keys


def wait_until(page: Page, expression: str) -> None:
    """Ask the page over and over; Playwright's own way of it evaluates strings, which the policy forbids."""
    wait_for(lambda: page.evaluate(expression))


def in_view(page: Page, selector: str) -> bool:
    """Tell whether an element can be seen: within the window and within what it scrolls in."""
    found: bool = page.evaluate(
        """selector => { const one = document.querySelector(selector), box = one.getBoundingClientRect();
        const list = one.closest('[data-cards]')?.getBoundingClientRect();
        const inside = outer => box.top < outer.bottom - 8 && box.bottom > outer.top + 8;
        return inside({top: 0, bottom: innerHeight}) && (!list || inside(list)); }""",
        selector,
    )
    return found


@pytest.mark.parametrize("size", [LAPTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_everybody_can_use_the_page(browser: Browser, server: RunningServer, size: tuple[int, int], dark: bool) -> None:
    with visiting(browser, server.address, size, dark=dark) as visit:
        visit.go(BRIDGE)
        assert visit.axe() == []
        assert visit.overflow() <= 0


def test_a_mark_finds_its_card_and_the_address_follows(visit: Visit) -> None:
    page = visit.go(BRIDGE)
    page.locator('.mark[data-p="255-336"]').first.click()
    expect(page.locator(".card.chosen")).to_have_count(1)
    assert chosen(page) == ["s4a"]
    see_address(page, "?assertion=s4a#255-336")
    page.locator('.mark[data-p="2677-2721"]').first.click()  # it lies within others
    see_address(page, "#2677-2721")
    page.locator('.mark[data-p="2677-2721"]').first.click()  # again: the next one around it
    see_address(page, "#2677-2733")
    wait_until(page, "document.querySelector('.card.chosen').getBoundingClientRect().top < innerHeight - 50")
    assert in_view(page, ".card.chosen")


def test_a_card_finds_its_passage(visit: Visit) -> None:
    page = visit.go(BRIDGE)
    card = page.locator('.card[data-spans="3216-3302"]').first
    card.scroll_into_view_if_needed()
    card.locator(".head").click(position={"x": 200, "y": 5})
    wait_until(page, "document.getElementById('3216-3302').getBoundingClientRect().top < innerHeight")
    assert in_view(page, '.mark[data-p="3216-3302"]')
    assert page.locator('.mark[data-p="3216-3302"].chosen').count() > 0


def test_the_keyboard_goes_through_the_assertions(visit: Visit) -> None:
    page = visit.go(BRIDGE)
    for _ in range(3):
        page.keyboard.press("j")
    assert chosen(page) == ["s3a"]
    page.keyboard.press("k")
    assert chosen(page) == ["s1b"]
    assert page.evaluate("document.activeElement.dataset.key") == "s1b"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.p") == "0-49"
    page.keyboard.press("Enter")  # the reference is a link to its first card
    assert page.evaluate("document.activeElement.dataset.key") == "s1a"
    page.keyboard.press("Escape")
    assert chosen(page) == []
    see_address(page, BRIDGE)


def test_an_address_leads_to_an_assertion_or_a_passage(visit: Visit) -> None:
    page = visit.go(f"{BRIDGE}?assertion=s17b")
    expect(page.locator(".card.chosen")).to_have_count(1)
    wait_until(page, "scrollY > 300")
    page = visit.go(f"{BRIDGE}#2313-2346")
    wait_until(page, "document.querySelectorAll('.card.chosen').length === 1")
    assert "2313-2346" in (page.locator(".card.chosen").get_attribute("data-spans") or "")
    page = visit.go(f"{BRIDGE}?x#2300-2320")  # a stretch that is nobody's passage
    wait_until(page, "CSS.highlights.has('found')")
    words = page.evaluate("String([...CSS.highlights.get('found')][0])")
    assert words == (SAMPLE / "texts" / "bridge-toll.txt").read_bytes().decode()[2300:2320]


def test_what_is_hidden_stays_hidden_for_those_who_get_the_address(visit: Visit) -> None:
    page = visit.go(BRIDGE)
    page.get_by_role("checkbox", name="quantity").uncheck()
    expect(page.locator(".card.kind-quantity")).to_be_hidden()
    see_address(page, "?hide=quantity")
    page.reload()
    expect(page.locator(".card.kind-quantity")).to_be_hidden()
    decoration = "getComputedStyle(document.querySelector('.mark.kind-quantity')).textDecorationLine"
    assert page.evaluate(decoration) == "none"


def test_the_cards_keep_step_with_the_text(visit: Visit) -> None:
    page = visit.go(BRIDGE)
    page.mouse.move(300, 500)
    page.mouse.wheel(0, 1200)
    wait_until(page, "document.querySelector('[data-cards]').scrollTop > 500")
    first = page.evaluate(
        "Math.min(...[...document.querySelectorAll('.sentence')].filter(s => s.getBoundingClientRect().top > 0)"
        ".map(s => Number(s.querySelector('[data-s]').dataset.s)))"
    )
    card = page.evaluate(
        "(() => { const top = document.querySelector('[data-cards]').getBoundingClientRect().top + 20;"
        "const cards = [...document.querySelectorAll('.card')];"
        "return Number(cards.find(card => card.getBoundingClientRect().bottom > top).dataset.place) })()"
    )
    assert abs(first - card) < 700


def test_the_page_works_without_script(browser: Browser, server: RunningServer) -> None:
    with visiting(browser, server.address, script=False) as visit:
        page = visit.go(BRIDGE)
        page.locator('.ref[data-p="255-336"]').click()
        see_address(page, "#card-5")
        page.locator("#card-5 .number").click()
        see_address(page, "#255-336")
        page.locator('input[value="quantity"]').uncheck()
        expect(page.locator(".card.kind-quantity")).to_be_hidden()
        expect(page.locator(".scripted")).to_be_hidden()


def test_on_a_phone_the_cards_are_a_sheet_below(browser: Browser, server: RunningServer) -> None:
    with visiting(browser, server.address, PHONE, has_touch=True) as visit:
        page = visit.go(BRIDGE)
        page.locator(".margin > summary").tap()
        expect(page.locator(".cards")).to_be_hidden()
        page.locator('.mark[data-p="0-49"] [data-s]').first.tap()
        expect(page.locator(".cards")).to_be_visible()
        assert chosen(page) == ["s1a"]
        box = page.locator(".beside").bounding_box()
        assert box is not None
        assert box["y"] > 300
        assert in_view(page, ".card.chosen")


def test_in_print_the_text_comes_first_and_then_all_cards(visit: Visit) -> None:
    page = visit.go(BRIDGE)
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('.beside')).position") == "static"
    list_height, scroll_height = page.evaluate(
        "(list => [list.clientHeight, list.scrollHeight])(document.querySelector('[data-cards]'))"
    )
    assert list_height == scroll_height
    assert page.evaluate("document.querySelector('.text').getBoundingClientRect().bottom") <= page.evaluate(
        "document.querySelector('.beside').getBoundingClientRect().top + 1"
    )
    assert len(page.pdf()) > 20_000


def select(page: Page, start: str, end: str) -> None:
    """Select from before one word to after another, as a mouse would; the words occur once each."""
    page.evaluate(
        """([start, end]) => {
        const walker = document.createTreeWalker(document.querySelector('[data-text]'), NodeFilter.SHOW_TEXT);
        let from, to; while (walker.nextNode()) { const node = walker.currentNode;
          if (!from && node.data.includes(start)) from = [node, node.data.indexOf(start)];
          if (node.data.includes(end)) to = [node, node.data.indexOf(end) + end.length]; }
        document.getSelection().setBaseAndExtent(...from, ...to); }""",
        [start, end],
    )
    page.locator(".select-this").wait_for()


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("bridge", "bridge"), ("日本語", "ここに"), ("fox", "family"), ("Cafe", "reversed"), (" is ended", "a family "),
        ("العربية", "left"), ("𝔅lack", "𝔅𝔅𝔅 stand"), ("again", "𝔅lack"), ("alert", "nothing"),
    ],
)  # fmt: skip
def test_what_is_selected_is_counted_in_code_points(coder: Visit, start: str, end: str) -> None:
    page = coder.page
    select(page, start, end)
    page.get_by_role("button", name="Code this").click()
    (seen,) = page.evaluate("window.seen")
    expected = ODD[ODD.index(start) : ODD.index(end) + len(end)]
    words = ODD[seen["start"] : seen["end"]]
    assert seen["document"] == "odd"
    assert words == expected.strip()
    assert words == words.strip()


def test_a_sentence_is_selected_by_key_made_longer_and_coded(coder: Visit) -> None:
    page = coder.page
    page.keyboard.press("s")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("c")
    (seen,) = page.evaluate("window.seen")
    first = cut_sentences(ODD)[0]
    assert (seen["start"], seen["end"]) == (first.start, first.end - 1)


def test_the_button_of_a_sentence_hands_it_over_and_is_a_link_without_that_island(coder: Visit) -> None:
    page = coder.page
    sentence = cut_sentences(ODD)[1]
    page.get_by_role("link", name="Code sentence 2", exact=True).click()
    assert page.evaluate("window.seen") == [{"document": "odd", "start": sentence.start, "end": sentence.end}]
    address = page.get_by_role("link", name="Code sentence 2", exact=True).get_attribute("href")
    assert address == f"/code/odd?start={sentence.start}&end={sentence.end}"


def test_a_strange_text_is_shown_as_it_is(browser: Browser, odd: OddServer) -> None:
    with visiting(browser, odd.running.address, PHONE) as visit:
        page = visit.go("/documents/odd")
        shown = page.evaluate(
            "[...document.querySelectorAll('[data-s]')].map(s => [Number(s.dataset.s), s.textContent])"
        )
        assert all(ODD[start : start + len(words)] == words for start, words in shown)
        assert visit.overflow() <= 0
        assert visit.axe() == []


@pytest.mark.alone
def test_a_large_document_opens_soon_and_scrolls(browser: Browser, odd: OddServer) -> None:
    odd.running.get("/documents/large", headers={"Accept": "text/html"})  # what is coded is read once
    with visiting(browser, odd.running.address) as visit:
        page = visit.go("/documents/large")
        timing = page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
        assert timing["encodedBodySize"] < 300_000
        assert within(timing["domContentLoadedEventEnd"], 5_000)  # about 0.8 s on a quiet machine
        page.evaluate("window.scrollTo({top: document.documentElement.scrollHeight / 2, behavior: 'instant'})")
        wait_until(page, "document.querySelector('[data-cards]').scrollTop > 1000")
        last = page.locator(".card[data-key]").last.get_attribute("data-spans")
        page = visit.go(f"/documents/large?#{last}")
        wait_until(page, "document.querySelector('.card.chosen')")
        wait_until(page, f"document.querySelector('[data-p=\"{last}\"]').getBoundingClientRect().top < innerHeight")
