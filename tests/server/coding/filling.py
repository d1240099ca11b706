"""Filling in the form of the coding page as a coder does, by keyboard."""

from playwright.sync_api import Page, expect

from tests.server.browsing import take_suggestion


def pick(page: Page, field: str, typed: str, option: str) -> None:
    """Type some letters, and take a suggestion by keyboard."""
    take_suggestion(page.locator(field), typed, option)


def choose_kind(page: Page, kind: str, field: str) -> None:
    page.locator("#code-content-type").select_option(kind)
    expect(page.locator(field)).to_be_visible()


def fill_in(page: Page, gloss: str) -> None:
    """All that an evaluation of the toll by Ruritania needs."""
    pick(page, "#code-voice-1-holder", "rurit", "Ruritania")
    page.locator("#code-voice-1-act").select_option("resents")
    choose_kind(page, "Evaluation", "#code-content-evaluated")
    page.locator("#code-content-gloss").fill(gloss)
    pick(page, "#code-content-about", "toll on", "toll on the bridge at Tellbrück")
    pick(page, "#code-content-evaluated", "toll on", "toll on the bridge at Tellbrück")
    page.locator("#code-content-valence").select_option("negative")
