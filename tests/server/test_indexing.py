"""Making the index in a process of its own, where the store is large."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from kg.filters import Filters
from kg.index import Index
from kg.settings import Settings
from kg.store import StoreFolder
from server import indexing


def test_a_large_store_without_index_gets_one_from_another_process(
    sample_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    shutil.copytree(sample_settings.store, store, symlinks=True)
    (store / "index.sqlite").unlink(missing_ok=True)
    assert not indexing.needs_process(store)  # it is small
    monkeypatch.setattr(indexing, "LARGE", 1_000)
    assert indexing.needs_process(store)
    indexing.index_in_process(replace(sample_settings, store=store))
    assert not indexing.needs_process(store)
    assert Index(StoreFolder(store)).explore(Filters()).total > 0
