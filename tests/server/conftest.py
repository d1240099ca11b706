"""What the tests of the command line share: a store of their own, and the options that name it."""

from pathlib import Path

import pytest

from kg.settings import Settings
from tests.conftest import SAMPLE
from tests.server.calling import copy_store


@pytest.fixture
def store(tmp_path: Path, sample_settings: Settings) -> Path:
    return copy_store(sample_settings.store, tmp_path / "store")


@pytest.fixture
def options(store: Path) -> list[object]:
    return ["--store", store, "--texts", SAMPLE / "texts"]
