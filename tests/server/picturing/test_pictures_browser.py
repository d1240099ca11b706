"""The pictures in a browser: drawn, reached by keyboard, opened, saved, and harmless to those who cannot see them."""

from __future__ import annotations

import re
import struct
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Browser, Page, expect

from server.picturing.kinds import KINDS
from tests.conftest import RunningServer
from tests.server.browsing import PHONE, Visit, visiting

SVG = "{http://www.w3.org/2000/svg}"
PATHS = [*KINDS, "network?ties=contents", "perceptions?whom=all"]
NAMES = """() => [...document.querySelectorAll('.drawing a')].map(a => a.querySelector('title').textContent)"""
FOCUSED = "() => document.activeElement.querySelector('title')?.textContent ?? ''"


def drawn(visit: Visit, path: str) -> Page:
    """Open a picture and wait until it is drawn."""
    page = visit.go(f"/pictures/{path}")
    page.wait_for_selector("figure[data-drawn]")
    return page


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("size", "dark"), [((1280, 900), False), (PHONE, True)])
def test_every_picture_is_drawn_and_fits(
    browser: Browser, server: RunningServer, path: str, size: tuple[int, int], dark: bool
) -> None:
    with visiting(browser, server.address, size, dark=dark) as visit:
        page = drawn(visit, path)
        told = page.evaluate("fetch(document.querySelector('figure').dataset.picture).then(answer => answer.json())")
        names = page.evaluate(NAMES)
        assert len(names) == len(told["nodes"]) + len(told["ties"])
        assert all(names)
        assert not visit.axe()
        assert visit.overflow() <= 0


def test_without_script_the_table_has_all_of_it(browser: Browser, server: RunningServer) -> None:
    with visiting(browser, server.address, script=False) as visit:
        page = visit.go("/pictures/network")
        expect(page.locator(".drawing")).to_be_hidden()
        page.locator("table.told a", has_text="open").first.click()
        expect(page.locator("#evidence blockquote, #evidence q").first).to_be_visible()


@pytest.fixture
def network(visit: Visit) -> Page:
    return drawn(visit, "network")


def test_a_tie_is_reached_by_keyboard_and_opens_both_sides_passages(network: Page) -> None:
    network.locator(".bar button", has_text="PNG").focus()
    network.keyboard.press("Tab")
    first = network.evaluate(FOCUSED)
    assert first in network.evaluate(NAMES)
    network.keyboard.press("End")
    last = network.evaluate(FOCUSED)
    assert " – " in last
    network.keyboard.press("Home")
    assert network.evaluate(FOCUSED) == first
    network.keyboard.press("End")
    network.keyboard.press("Enter")
    expect(network.locator("#evidence-title")).to_be_visible()
    expect(network.locator("#evidence")).to_be_focused()
    expect(network).to_have_url(re.compile("open="))
    assert network.locator("#evidence .said li").count() >= 2
    holders = last.split(" – ")
    text = network.locator("#evidence").inner_text()
    assert holders[0] in text
    assert holders[2].split(";")[0] in text
    expect(network.locator(".drawing a[aria-current]")).to_have_count(1)
    network.go_back()
    expect(network.locator("#evidence-title")).to_have_count(0)
    expect(network).not_to_have_url(re.compile("open="))


def test_the_arrows_lead_everywhere_in_a_matrix(visit: Visit) -> None:
    page = drawn(visit, "matrix")
    page.locator(".drawing [tabindex='0']").focus()
    seen, waiting = {page.evaluate(FOCUSED)}, [()]
    page.keyboard.press("Home")
    while waiting and len(seen) < 200:
        path = waiting.pop(0)
        for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
            page.keyboard.press("Home")
            for step in (*path, key):
                page.keyboard.press(step)
            name = page.evaluate(FOCUSED)
            if name not in seen:
                seen.add(name)
                waiting.append((*path, key))
    assert seen == set(page.evaluate(NAMES))


def test_what_hangs_together_lights_up_and_pictures_grow(network: Page) -> None:
    network.locator(".drawing a").last.focus()
    expect(network.locator(".drawing svg")).to_have_class(re.compile("lit"))
    width = int(network.locator(".drawing svg").get_attribute("width") or 0)
    network.get_by_role("button", name="Larger").click()
    assert int(network.locator(".drawing svg").get_attribute("width") or 0) > width
    network.get_by_role("button", name="Smaller").click()
    assert abs(int(network.locator(".drawing svg").get_attribute("width") or 0) - width) <= 1


def test_a_row_of_the_table_opens_in_place_too(network: Page) -> None:
    network.locator("table.told a[data-key]").first.click()
    expect(network.locator("#evidence-title")).to_be_visible()
    expect(network.locator("tr.opened")).to_have_count(1)
    opened = network.url
    network.goto(opened)
    expect(network.locator("#evidence-title")).to_be_visible()
    network.wait_for_selector("figure[data-drawn]")
    expect(network.locator(".drawing a[aria-current]")).to_have_count(1)


@pytest.mark.parametrize("path", PATHS)
def test_it_is_saved_as_svg_and_png_that_stand_for_themselves(
    browser: Browser, server: RunningServer, path: str
) -> None:
    with visiting(browser, server.address, dark=True) as visit:
        page = drawn(visit, path)
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save as SVG").click()
        text = saved.value.path().read_text("utf-8")
        root = ET.fromstring(text)
        assert "var(" not in text
        assert not {name for part in root.iter() for name in part.attrib if name in ("class", "style", "href")}
        assert [part.text for part in root.findall(f"{SVG}title")] == [KINDS[path.partition("?")[0]].title]
        paper = root.find(f"{SVG}rect")
        assert paper is not None
        assert paper.attrib["fill"] == "#ffffff"
        size = (int(root.attrib["width"]), int(root.attrib["height"]))
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save as PNG").click()
        image = saved.value.path().read_bytes()
        assert image[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", image[16:24]) == (2 * size[0], 2 * size[1])


@pytest.mark.parametrize("path", ["network", "network?ties=contents", "causes"])
def test_the_same_picture_comes_out_every_time(browser: Browser, server: RunningServer, path: str) -> None:
    shapes = []
    for _ in range(2):
        with visiting(browser, server.address) as visit:
            shapes.append(drawn(visit, path).locator(".drawing svg").inner_html())
    assert shapes[0] == shapes[1]


OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll('.drawing a')].filter(a => a.querySelector('circle, rect'));
  const over = (a, b) => a.x + a.width > b.x + 2 && b.x + b.width > a.x + 2 && a.y + a.height > b.y + 2
    && b.y + b.height > a.y + 2;
  const places = boxes.map(box => box.getBBox());
  return places.flatMap((a, i) => places.slice(i + 1).filter(b => over(a, b))).length;
}"""


@pytest.mark.parametrize(
    "path", ["network?isolates=1&stances=all", "network?ties=contents&isolates=1", "causes", "arguments"]
)
def test_names_do_not_lie_over_each_other(visit: Visit, path: str) -> None:
    assert drawn(visit, path).evaluate(OVERLAPS) == 0


@pytest.mark.parametrize("path", list(KINDS))
def test_it_is_light(visit: Visit, path: str) -> None:
    sizes: list[int] = []
    visit.page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    drawn(visit, path)
    visit.page.wait_for_load_state("networkidle")
    assert 0 < sum(sizes) <= 300_000
