"""What the tests of the server share: a store of their own with the options that name it, and a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from kg.settings import Settings
from tests.conftest import SAMPLE, RunningServer
from tests.server.browsing import Visit, open_browser, visiting
from tests.server.calling import copy_store


@pytest.fixture
def store(tmp_path: Path, sample_settings: Settings) -> Path:
    return copy_store(sample_settings.store, tmp_path / "store")


@pytest.fixture
def options(store: Path) -> list[object]:
    return ["--store", store, "--texts", SAMPLE / "texts"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window; tests of pages are skipped where there is none."""
    with open_browser() as opened:
        yield opened


@pytest.fixture
def visit(browser: Browser, server: RunningServer) -> Iterator[Visit]:
    """A visitor of the sample, with a laptop."""
    with visiting(browser, server.address) as opened:
        yield opened
