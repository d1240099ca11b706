"""Folders of users' queries: what counts, what is left out and told of, and that a change is seen at once."""

import os
import threading
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.errors import ConflictError, MalformedError, NotFoundError, ParameterError, RecordError, WhosaysError
from kg.queries import get_query, load_queries, query_folders, read_collection
from kg.query_folders import MAX_BYTES, changing, check_free, check_name, query_digest, remove_query, save_query
from kg.saved_queries import check_query
from kg.settings import Settings
from kg.store import Snapshot

TEXT = "# What is {0}?\n# All that is {0}.\nSELECT ?a {{ ?a ?b ?c }}\n"


def test_a_user_s_query_stands_beside_those_that_whosays_brings(tmp_path: Path) -> None:
    (tmp_path / "mine.rq").write_text(TEXT.format("mine"), "utf-8")
    queries = load_queries(tmp_path)
    assert queries.keys() - load_queries().keys() == {"mine"}
    assert not queries["mine"].brought
    assert queries["counts"].brought
    assert get_query("mine", tmp_path).title == "What is mine?"
    with pytest.raises(NotFoundError):
        get_query("mine")


def test_the_one_that_counts_more_stays_and_the_other_is_told_of(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
        (folder / "same.rq").write_text(TEXT.format(folder.name), "utf-8")
    (one / "counts.rq").write_text(TEXT.format("mine"), "utf-8")
    found = read_collection(one, two)
    assert found.queries["same"].title == "What is one?"
    assert found.queries["counts"].title == "How much is there?"
    assert [str(e.place) for e in found.problems] == ["counts.rq", "same.rq"]


def test_a_file_that_cannot_be_read_does_no_harm_to_the_others(tmp_path: Path) -> None:
    (tmp_path / "good.rq").write_text(TEXT.format("good"), "utf-8")
    (tmp_path / "no-heading.rq").write_text("SELECT * {}", "utf-8")
    (tmp_path / "not-utf-8.rq").write_bytes(b"# \xff\n# D.\nASK {}")
    (tmp_path / "Capital.rq").write_text(TEXT.format("x"), "utf-8")
    (tmp_path / "too-large.rq").write_text(TEXT.format("x") + "#" * MAX_BYTES, "utf-8")
    (tmp_path / "folder.rq").mkdir()
    os.mkfifo(tmp_path / "pipe.rq")
    (tmp_path / "gone.rq").symlink_to(tmp_path / "nowhere")
    (tmp_path / "update.rq").write_text("# T?\n# D.\nDELETE WHERE { ?a ?b ?c }", "utf-8")
    (tmp_path / "bad-choice.rq").write_text(
        "# T?\n# D.\n# - x: choice of passage-behind. X\nASK { VALUES ?x { 1 } }", "utf-8"
    )
    (tmp_path / "notes.txt").write_text("no query", "utf-8")
    found = read_collection(tmp_path)
    assert found.queries.keys() - load_queries().keys() == {"good"}
    assert {e.place.file for e in found.problems if e.place} == {
        *("no-heading.rq", "not-utf-8.rq", "Capital.rq", "too-large.rq", "folder.rq", "pipe.rq", "update.rq"),
        "bad-choice.rq",
    }
    assert all(e.mend for e in found.problems)
    assert not any(str(tmp_path) in str(e) for e in found.problems)


def test_a_change_is_seen_at_once_and_nothing_is_read_twice(tmp_path: Path) -> None:
    assert read_collection(tmp_path) is read_collection(tmp_path)
    for number in range(20):
        save_query(tmp_path, "mine", TEXT.format(number))
        assert get_query("mine", tmp_path).title == f"What is {number}?"
        assert read_collection(tmp_path) is read_collection(tmp_path)
    remove_query(tmp_path, "mine")
    assert "mine" not in load_queries(tmp_path)


def test_a_query_is_never_half_written(tmp_path: Path) -> None:
    texts = [TEXT.format("short"), TEXT.format("l" * 40_000)]
    save_query(tmp_path, "mine", texts[0])
    done = threading.Event()

    def write() -> None:
        for number in range(60):
            save_query(tmp_path, "mine", texts[number % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not done.is_set():
        found = read_collection(tmp_path)
        assert not found.problems
        seen.add(found.queries["mine"].text)
    writer.join()
    assert seen <= set(texts)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.rq"]


def test_line_ends_are_kept_and_lines_fall_away_all_the_same(tmp_path: Path) -> None:
    text = "# Q?\r\n# D.\r\n# - x: text, optional. X\r\nASK { VALUES ?x { 'a' }\r\n?s ?p ?x . # if x\r\n}"
    save_query(tmp_path, "mine", text)
    saved = get_query("mine", tmp_path)
    assert saved.text == text
    assert query_digest(tmp_path, "mine") == saved.digest
    check_query("mine", text)
    bound = saved.bind(Snapshot(ox.Store(), "0"), {})
    assert "?s" not in bound


def test_a_choice_never_asks_another_endpoint(tmp_path: Path) -> None:
    heading = "# T?\n# D.\n# - x: choice of offices-from-wikidata. X\n"
    (tmp_path / "mine.rq").write_text(f"{heading}ASK {{ VALUES ?x {{ 1 }} }}", "utf-8")
    (problem,) = read_collection(tmp_path).problems
    assert "SERVICE" in str(problem)
    assert "mine" not in load_queries(tmp_path)


@pytest.mark.parametrize("name", ["", "-a", "A", "a.b", "../a", "a/b", "a" * 65, "ä", "a\n"])
def test_names_are_plain(name: str) -> None:
    with pytest.raises(ParameterError, match="cannot be the name"):
        check_name(name)


def test_a_name_that_is_taken_is_not_free(tmp_path: Path) -> None:
    settings, store = tmp_path / "settings", tmp_path / "store"
    settings.mkdir()
    save_query(settings, "mine", TEXT.format("mine"))
    check_free("mine", store)
    with pytest.raises(ConflictError, match="setting"):
        check_free("mine", store, settings)
    with pytest.raises(ConflictError, match="Whosays brings it"):
        check_free("counts", store)


def test_only_one_changes_a_folder_at_a_time(tmp_path: Path) -> None:
    order = []
    with changing(tmp_path / "new"):
        other = threading.Thread(target=lambda: _enter(tmp_path / "new", order))
        other.start()
        other.join(0.2)
        order.append("first")
    other.join()
    assert order == ["first", "second"]


def _enter(folder: Path, order: list[str]) -> None:
    with changing(folder):
        order.append("second")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(WhosaysError, match="cannot be written"), changing(tmp_path / "file"):
        pass


def test_the_folder_of_the_store_comes_last(tmp_path: Path) -> None:
    assert query_folders(Settings(store=tmp_path))[-1] == tmp_path / "queries"


@pytest.mark.parametrize(
    "text",
    [
        "# T?\n# D.\nSELECT ?a { ?a ?b }",
        "# T?\n# D.\nSELECT ?a { ?a ?b ?c . } ; DELETE WHERE { ?a ?b ?c }",
        "# T?\n# D.\nSELECT (ws:unheard(?a) AS ?b) { ?a ?c ?d }",
        "# T?\n# D.\nSELECT ?a FROM <http://e.org/> { ?a ?b ?c }",
        "# T?\n# D.\n# - x: text, optional. X\nSELECT ?a { VALUES ?x { 'a' } ?a ?b # if x\n ?c }",
    ],
)
def test_what_does_not_parse_however_it_is_called_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        check_query("mine", text)


def test_a_heading_is_needed() -> None:
    with pytest.raises(RecordError, match=r"mine\.rq:1"):
        check_query("mine", "SELECT ?a { ?a ?b ?c }")


def test_every_query_that_whosays_brings_passes_the_check_of_users_queries() -> None:
    for name, saved in load_queries().items():
        check_name(name)
        check_query(name, saved.text)
