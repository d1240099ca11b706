"""The pictures in the README, taken of a real server on the sample, so that they stay true: `make screenshots`.

    python -m tests.end_to_end.screenshots [NAME ...]      all, or those that are named

Only the sample is shown, whose texts are our own.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from kg.build import build
from kg.names import ID
from kg.settings import Settings
from kg.store import StoreFolder
from kg.units import ontology_unit
from loaders.corpus import make_units, read_folder
from tests.additions import addition
from tests.conftest import SAMPLE
from tests.door import ServedDoor, serve_door
from tests.server.browsing import open_browser, visiting

FOLDER = Path(__file__).parent / "screenshots"
SIZE = (1280, 800)
PAGES = {
    "home": "/",
    "explorer": "/explore?target=ruritania",
    "reading": "/documents/bridge-toll#1849-1892",
    "coding": "/code/bridge-toll?start=1265&end=1437",
    "review": "/review",
    "entity": "/id/borduria",
    "causes": "/pictures/causes",
    "network": "/pictures/network",
    "matrix": "/pictures/matrix",
    "sparql": "/sparql",
}


def take(names: list[str]) -> None:
    """Take the pictures.

    Parameters:
        names: of the pages; all where none is named.
    """
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        settings = Settings(store=Path(work) / "sample", records=SAMPLE / "records", texts=SAMPLE / "texts")
        build(
            StoreFolder(settings.store),
            [ontology_unit(), *make_units(read_folder(settings.records))],
            agent=ID + "whosays-team",
        )
        served = Path(work) / "served"
        served.mkdir()
        with serve_door(settings.store, served) as door, open_browser() as browser:
            _propose(door)
            for name in names or PAGES:
                with visiting(browser, door.address, SIZE) as visit:
                    page = visit.sign_in(door.secrets["cleo"]) if name in ("coding", "review") else visit.page
                    _take(visit.go(PAGES[name]), name)
                    print(FOLDER / f"{name}.png", page.title())


def _propose(door: ServedDoor) -> None:
    for key in ("clear", "fair"):
        door.ask("POST", "/proposals?note=See+the+last+sentence.", addition(key), by="anna")


def _take(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    if name == "sparql":
        page.get_by_role("button", name="Ask", exact=True).click()
        page.locator("main table").first.wait_for()
        page.evaluate("window.scrollTo(0, 260)")
    page.wait_for_timeout(500)
    page.screenshot(path=str(FOLDER / f"{name}.png"))


if __name__ == "__main__":
    take(sys.argv[1:])
