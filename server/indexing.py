"""Making the index of a store anew in a process of its own: it takes a minute where there are a million quads.

    python -m server.indexing        for the settings of the environment

The server does this where there is no index yet and the store is large; whatever else it answers goes on meanwhile.
"""

from __future__ import annotations

import subprocess
import sys
from os import environ
from pathlib import Path

from kg.index import make_index
from kg.settings import Settings
from kg.store import StoreFolder
from loaders.quotes import shown_quotes
from loaders.texts import Texts

LARGE = 64_000_000
"""Bytes of a store whose index is not made beside other work."""


def needs_process(store: Path) -> bool:
    """Tell whether a store is large and has no index.

    Parameters:
        store: its folder.

    >>> needs_process(Path("/nowhere"))
    False
    """
    if (store / "index.sqlite").exists():
        return False
    return sum(path.stat().st_size for path in store.glob("current/*") if path.is_file()) > LARGE


def index_in_process(settings: Settings) -> None:
    """Make the index in a process of its own, and wait for it.

    Parameters:
        settings: which store, and which texts.
    """
    command = [sys.executable, "-m", "server.indexing"]
    subprocess.run(command, env=environ | settings.as_environment(), stdin=subprocess.DEVNULL, check=False)


def main() -> None:
    """Make the index of the store that the environment names."""
    settings = Settings.load()
    make_index(StoreFolder(settings.store), shown_quotes(Texts(settings.texts), settings))


if __name__ == "__main__":
    main()
