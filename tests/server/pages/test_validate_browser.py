"""The validate page in a real browser: the report keeps up with what one types, beside the lines that it concerns."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from kg.settings import Settings
from tests.additions import addition, as_form
from tests.conftest import RunningServer
from tests.door import ServedDoor, serve_door
from tests.pace import within
from tests.server.browsing import PHONE, Visit, see_address, visiting
from tests.server.pages.test_validate_page import BAD, BAD_LINE, GOOD


@pytest.fixture(scope="module")
def door(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDoor]:
    with serve_door(sample_settings.store, tmp_path_factory.mktemp("proposing")) as served:
        yield served


@pytest.fixture(autouse=True, scope="module")
def judging(server: RunningServer) -> None:
    """Have the processes that judge started, which takes seconds."""
    server.post("/validate", content=GOOD, headers={"Content-Type": "application/yaml"})


def text(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Text", exact=True)


def verdict(page: Page) -> Locator:
    return page.locator("[data-verdict]")


def drop(page: Page, name: str, content: str) -> None:
    """Drop a file on the page."""
    page.evaluate(
        """([name, content]) => { const data = new DataTransfer();
        data.items.add(new File([content], name));
        for (const kind of ["dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true})); }""",
        [name, content],
    )


@pytest.mark.alone
def test_the_report_keeps_up_with_what_one_types(visit: Visit) -> None:
    page = visit.go("/validate")
    text(page).fill(BAD)
    expect(verdict(page)).to_have_text("It does not conform: one violation.")
    expect(page.locator("[data-announce]")).to_have_text("It does not conform: one violation.")
    note = page.locator(f"#line-{BAD_LINE}")
    expect(note).to_contain_text("An assertion needs exactly one holder")
    expect(note.locator("code").first).to_have_text("    holder: tellbruck-toll")
    begun = time.perf_counter()
    text(page).fill(GOOD)
    expect(verdict(page)).to_have_text("It conforms.")
    assert within(time.perf_counter() - begun, 3)
    text(page).fill("")
    expect(verdict(page)).to_be_hidden()


def test_the_line_is_marked_beside_the_text_and_the_report_leads_to_it(visit: Visit) -> None:
    page = visit.go("/validate")
    text(page).fill(BAD)
    mark = page.locator(".gutter .mark.violation")
    expect(mark).to_have_count(1)
    page.get_by_role("link", name=f"line {BAD_LINE}").click()
    assert page.evaluate("document.activeElement.id") == "text"
    chosen = text(page).evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd)")
    assert chosen == "    holder: tellbruck-toll"
    box, area = mark.bounding_box(), text(page).bounding_box()
    assert box is not None
    assert area is not None
    assert area["y"] <= box["y"] <= area["y"] + area["height"]


def test_the_numbers_scroll_with_the_text(visit: Visit) -> None:
    page = visit.go("/validate")
    lines = "\n".join(f"# {n}" for n in range(1, 1_001))  # at once, as when pasted; `fill` takes a layout for each line
    text(page).evaluate("(area, lines) => { area.value = lines; area.dispatchEvent(new Event('input')); }", lines)
    text(page).evaluate("area => { area.scrollTop = 1000; }")
    page.wait_for_function("document.querySelector('.gutter pre').style.transform === 'translateY(-1000px)'")


def test_a_file_is_dropped_and_read_into_the_text(visit: Visit) -> None:
    page = visit.go("/validate")
    drop(page, "mine.yaml", BAD)
    expect(verdict(page)).to_have_text("It does not conform: one violation.")
    assert text(page).input_value() == BAD


def test_a_file_is_chosen_and_recognised_by_its_ending(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "mine.nt"
    path.write_bytes(as_form(addition("good"), "nt"))
    page = visit.go("/validate")
    page.get_by_label("or a file").set_input_files(path)
    expect(verdict(page)).to_have_text("It conforms.")
    expect(page.locator("[data-found]")).to_contain_text("Read as N-Triples")


@pytest.mark.alone
def test_a_file_of_ten_megabytes_does_not_freeze_the_page(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    lines = 9_900_000 // 9
    path.write_text("# filler\n" * lines + BAD, "utf-8")
    page = visit.go("/validate")
    page.evaluate(
        """() => { window.longest = 0; let last = performance.now();
        const look = () => { const now = performance.now(); window.longest = Math.max(window.longest, now - last);
        last = now; requestAnimationFrame(look); }; look(); }"""
    )
    page.get_by_label("or a file").set_input_files(path)
    expect(verdict(page)).to_have_text("It does not conform: one violation.")
    assert text(page).input_value() == ""
    expect(page.locator(f"#line-{lines + BAD_LINE}")).to_contain_text("An assertion needs exactly one holder")
    assert within(page.evaluate("window.longest"), 1_500)
    page.get_by_role("link", name=f"line {lines + BAD_LINE}").click()  # there is no text to go to: the report's line
    see_address(page, f"#line-{lines + BAD_LINE}")


def test_a_file_that_is_too_large_is_told_without_being_sent(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "huge.ttl"
    path.write_bytes(b"#" * 10_000_001)
    page = visit.go("/validate")
    page.get_by_label("or a file").set_input_files(path)
    expect(page.locator(".verdict")).to_contain_text("larger than the 10 MB")


def test_what_was_chosen_as_the_syntax_is_held_to(visit: Visit) -> None:
    page = visit.go("/validate")
    text(page).fill(GOOD)
    expect(verdict(page)).to_have_text("It conforms.")
    page.get_by_label("Written in").select_option(label="Turtle")
    expect(verdict(page)).to_contain_text("It cannot be taken")


def test_a_contributor_proposes_what_conforms_and_nothing_else(browser: Browser, door: ServedDoor) -> None:
    with visiting(browser, door.address) as visit:
        visit.sign_in(door.secrets["anna"])
        page = visit.go("/validate")
        propose = page.get_by_role("button", name="Propose this")
        text(page).fill(BAD)
        expect(verdict(page)).to_contain_text("It does not conform")
        expect(propose).to_be_disabled()
        text(page).fill(GOOD)
        expect(propose).to_be_enabled()
        propose.click()
        expect(page.get_by_text(re.compile(r"It is proposal \d+"))).to_be_visible()
    (proposal,) = door.ask("GET", "/proposals", by="anna").json()
    assert proposal["state"] == "waiting"


def test_a_curator_publishes_a_file(browser: Browser, door: ServedDoor, tmp_path: Path) -> None:
    path = tmp_path / "more.yaml"
    path.write_bytes(addition("from-a-file"))
    with visiting(browser, door.address) as visit:
        visit.sign_in(door.secrets["cleo"])
        page = visit.go("/validate")
        page.get_by_label("or a file").set_input_files(path)
        expect(verdict(page)).to_have_text("It conforms.")
        page.get_by_role("button", name="Publish this").click()
        expect(page.get_by_text("It is published, as change")).to_be_visible()
        page.get_by_role("link", name=re.compile(r"^\d+$")).click()
        expect(page.get_by_role("main")).to_contain_text("more.yaml")


def test_hostile_texts_are_shown_as_text(visit: Visit) -> None:
    page = visit.go("/validate")
    text(page).fill(BAD.replace("tellbruck-toll", "'<img src=x onerror=alert(1)>'", 1) + "\u202e" + "x" * 100_000)
    expect(verdict(page)).to_contain_text("It cannot be taken")
    assert page.locator("[data-found] img").count() == 0
    assert visit.overflow() <= 0


def test_it_is_done_by_keyboard(visit: Visit) -> None:
    page = visit.go("/validate")
    text(page).focus()
    page.keyboard.insert_text(BAD)
    page.keyboard.press("Tab")
    expect(page.get_by_label("or a file")).to_be_focused()
    expect(verdict(page)).to_contain_text("It does not conform")
    link = page.get_by_role("link", name=f"line {BAD_LINE}")
    link.focus()
    page.keyboard.press("Enter")
    expect(text(page)).to_be_focused()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 900), PHONE], ids=["laptop", "phone"])
def test_nothing_serious_for_axe_and_no_scrolling_sideways(
    browser: Browser, server: RunningServer, size: tuple[int, int], dark: bool
) -> None:
    with visiting(browser, server.address, size, dark=dark) as visit:
        page = visit.go("/validate")
        assert visit.axe() == []
        text(page).fill(BAD)
        expect(verdict(page)).to_contain_text("It does not conform")
        assert visit.axe() == []
        assert visit.overflow() <= 0


def test_without_scripts_the_form_does_it(browser: Browser, server: RunningServer) -> None:
    with visiting(browser, server.address, script=False) as visit:
        page = visit.go("/validate")
        text(page).fill(BAD)
        page.get_by_role("button", name="Validate").click()
        expect(verdict(page)).to_have_text("It does not conform: one violation.")
        page.get_by_role("link", name=f"line {BAD_LINE}").click()
        expect(page.locator(f"#line-{BAD_LINE} .note")).to_be_in_viewport()
        assert text(page).input_value() == BAD
