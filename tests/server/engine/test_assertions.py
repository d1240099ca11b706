"""Assertions as files: whole, in pieces, within bounds."""

import csv
import io
import json

import pyoxigraph as ox
import pytest

from kg.errors import BusyError, OverrunError
from kg.filters import Filters, read_filters
from kg.index import Index
from kg.settings import Settings
from kg.store import Snapshot, StoreFolder
from loaders.quotes import shown_quotes
from loaders.texts import Texts
from server.engine.assertions import COLUMNS, FORMS, write_assertions


@pytest.fixture
def index(sample_settings: Settings) -> Index:
    return Index(StoreFolder(sample_settings.store), shown_quotes(Texts(sample_settings.texts), sample_settings))


def written(snapshot: Snapshot, index: Index, form: str, filters: Filters | None = None, language: str = "en") -> bytes:
    pieces: list[bytes] = []
    write_assertions(snapshot, index, filters or Filters(), form, language, pieces.append)
    return b"".join(pieces)


def test_the_forms_tell_of_the_same_assertions(sample: Snapshot, index: Index) -> None:
    told = json.loads(written(sample, index, "json"))
    lines = list(csv.DictReader(io.StringIO(written(sample, index, "csv").decode())))
    triples = list(ox.parse(written(sample, index, "ttl"), format=ox.RdfFormat.TURTLE))
    assert tuple(lines[0]) == COLUMNS
    held = {str(t.subject.value) for t in triples if "#holder" in t.predicate.value}  # type: ignore[union-attr]
    assert {one["assertion"] for one in told} == {line["assertion"] for line in lines} == held
    assert len(lines) == sum(len(one["passages"]) or 1 for one in told)


def test_nothing_found_is_a_file_too(sample: Snapshot, index: Index) -> None:
    nobody = read_filters([("holder", "nobody")])
    assert json.loads(written(sample, index, "json", nobody)) == []
    assert written(sample, index, "csv", nobody).decode().strip() == ",".join(COLUMNS)
    assert list(ox.parse(written(sample, index, "ttl", nobody), format=ox.RdfFormat.TURTLE)) == []


@pytest.mark.parametrize("form", FORMS)
def test_more_than_a_form_can_have_is_told(
    sample: Snapshot, index: Index, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.engine.assertions.FORMS", {form: FORMS[form]._replace(most=10)})
    with pytest.raises(OverrunError, match="more than 10 assertions"):
        written(sample, index, form)
    assert written(sample, index, form, read_filters([("holder", "edda-tannhof")]))


def test_no_words_are_shown_where_texts_are_not(sample: Snapshot, sample_settings: Settings) -> None:
    silent = Index(StoreFolder(sample_settings.store))
    quotes = [passage["quote"] for one in json.loads(written(sample, silent, "json")) for passage in one["passages"]]
    assert quotes
    assert set(quotes) == {None}


def test_an_index_that_is_behind_is_not_taken(sample: Snapshot, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "catch_up", lambda *_: False)
    with pytest.raises(BusyError, match="index"):
        written(sample, index, "csv")
