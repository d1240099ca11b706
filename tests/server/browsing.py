"""A real browser for tests: Chromium, driven by Playwright, that takes note of everything that goes wrong in a page.

What a page may not do, on any visit: write an error to the console, break the content security policy, fail to load
something, or raise in a script. `Visit.close` fails a test where it did.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response, expect, sync_playwright

from server.islands.build import BUILT, MODULES
from tests.pace import PATIENCE

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
AXE = MODULES / "axe-core" / "axe.min.js"
AXE_OPTIONS = "{resultTypes: ['violations'], preload: false, selectors: false}"
"""What is told only costs time otherwise: a page of 10,000 elements takes five seconds."""
LAPTOP, PHONE = (1280, 900), (360, 740)
PATIENCE_MS = PATIENCE * 1000


def find_chromium() -> str | None:
    """Where the browser is, None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


def need_browser() -> str:
    """Return where the browser is; skip the test where there is none, unless browsers are required."""
    found = find_chromium()
    missing = "no Chromium was found: install Debian's package `chromium`" if found is None else ""
    missing = missing or ("" if AXE.exists() and BUILT.exists() else "the islands are not built: run `make islands`")
    if missing and "browser" in os.environ.get("WHOSAYS_REQUIRE", ""):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    assert found is not None
    return found


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start Chromium without a window."""
    path = need_browser()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page of the server, as a visitor has it open.

    Parameters:
        page: of Playwright.
        address: of the server.
        faults: what went wrong; expected answers such as 401 can be taken out with `expect`.
    """

    page: Page
    address: str
    faults: list[str] = field(default_factory=list)
    _expected: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"error in a script: {error}"))
        self.page.on("requestfailed", self._on_failure)
        self.page.on("response", self._on_response)

    def go(self, path: str) -> Page:
        """Open an address of the server and wait until all is loaded."""
        self.page.goto(self.address + path, wait_until="load")
        return self.page

    def expect(self, words: str) -> None:
        """Say that a fault that has these words is part of the story."""
        self._expected.append(words)

    def check(self) -> None:
        """Fail where anything went wrong that was not expected."""
        found = [fault for fault in self.faults if not any(words in fault for words in self._expected)]
        assert not found, "\n".join(found)

    def axe(self, *, exclude: str = "") -> list[str]:
        """Return what axe-core calls serious or critical on this page, in words."""
        self.page.evaluate(AXE.read_text("utf-8"))  # by the debugger, past the policy, as an extension would
        context = f"{{exclude: [['{exclude}']]}}" if exclude else "document"
        result: dict[str, Any] = self.page.evaluate(f"axe.run({context}, {AXE_OPTIONS})")
        return [
            f"{v['id']} ({v['impact']}): {v['help']}: {[node['html'][:200] for node in v['nodes'][:3]]}"
            for v in result["violations"]
            if v["impact"] in ("serious", "critical")
        ]

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return width

    def sign_in(self, token: str, onwards: str = "/") -> Page:
        """Sign in with a token and go on."""
        self.go(f"/signin?next={onwards}")
        self.page.get_by_label("Token").fill(token)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_load_state("load")
        return self.page

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{message.type} on the console: {message.text} ({message.location.get('url', '')})")

    def _on_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a script or a reader changed their mind
            self.faults.append(f"not loaded: {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.faults.append(f"{response.status} for {response.url}")


@contextmanager
def visiting(
    browser: Browser,
    address: str,
    size: tuple[int, int] = LAPTOP,
    *,
    dark: bool = False,
    script: bool = True,
    **options: Any,
) -> Iterator[Visit]:
    """Open a window of one's own, with no cookies, and see at its end that nothing went wrong.

    Parameters:
        browser: see `open_browser`.
        address: of the server.
        size: of the window, width and height in pixels.
        dark: the visitor likes dark pages.
        script: False where the visitor's browser runs no scripts.
        options: more for Playwright's `new_context`.
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        **options,
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        visit = Visit(context.new_page(), address)
        yield visit
        visit.check()
    finally:
        context.close()


def see_address(page: Page, part: str) -> None:
    """See that the address comes to end in this; what moves in a page changes it a little after the page."""
    expect(page).to_have_url(re.compile(f"{re.escape(part)}$"))


def suggest(field: Locator, typed: str) -> Locator:
    """Type into a field with suggestions, and return those that answer all that was typed."""
    field.press_sequentially(typed)
    shown = field.page.locator(f"#{field.get_attribute('aria-controls')}")
    expect(shown).to_have_attribute("aria-busy", "false")
    expect(shown).to_be_visible()
    return shown.get_by_role("option")


def take_suggestion(field: Locator, typed: str, option: str) -> None:
    """Type some letters, go to a suggestion by keyboard, and take it."""
    shown = suggest(field, typed)
    wanted = shown.filter(has=field.page.locator("bdi").get_by_text(option, exact=True)).first
    expect(wanted).to_be_visible()
    for _ in range(shown.count()):
        field.press("ArrowDown")
        if wanted.get_attribute("aria-selected") == "true":
            break
    expect(field).to_have_attribute("aria-activedescendant", wanted.get_attribute("id") or "")
    field.press("Enter")
    expect(field).to_have_attribute("aria-expanded", "false")
