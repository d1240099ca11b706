"""Competency questions: each is answered over the curated graph as a careful reader of the texts would answer it.

`python -m tests.questions.test_questions NAME…` prints answers from a store that is built already,
`--write` writes them into the CSV files for review; see README.md beside this file.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from kg.names import Term, shorten
from kg.queries import get_query
from kg.settings import Settings
from kg.store import Snapshot, StoreFolder
from loaders.quotes import QUOTE
from server.tables import cell_value, make_table

FOLDER = Path(__file__).parent
MODULES = ("register", "documents", "discourse", "contents", "provenance")

Answer = list[tuple[str, ...]]
"""The heading, then the rows in order of their text."""


@dataclass(frozen=True)
class Question:
    """A competency question.

    Parameters:
        name: of its files.
        text: the question in plain words.
        exercises: the module of the ontology, and what of it the question exercises.
        sparql: the query; empty where a saved query answers the question.
        saved: the words that follow `whosays query` on the command line: name, parameter=value …
        columns: which columns of the saved query make the answer; all where none is named.
        only: a column and the one value that it must have, where the saved query answers more than was asked.
    """

    name: str
    text: str
    exercises: str
    sparql: str = ""
    saved: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    only: tuple[str, str] | None = None


def load_questions() -> dict[str, Question]:
    """Return the competency questions by name."""
    paths = sorted([*FOLDER.glob("*.rq"), *FOLDER.glob("*.txt")])
    return {path.stem: parse_question(path.stem, path.read_text("utf-8")) for path in paths}


def parse_question(name: str, text: str) -> Question:
    """Read a question from the text of its file.

    >>> parse_question("q", "# Who?\\n# register: all\\n# saved query: positions on=japan\\n# columns: holder").columns
    ('holder',)
    """
    lines = text.splitlines()
    question, exercises = (line.removeprefix("# ") for line in lines[:2])
    fields = dict(line.removeprefix("# ").split(": ", 1) for line in lines[2:] if line.startswith("# "))
    if "saved query" not in fields:
        return Question(name, question, exercises, sparql=text)
    column, _, value = fields.get("only", "").partition(" ")
    return Question(
        name,
        question,
        exercises,
        saved=tuple(fields["saved query"].split()),
        columns=tuple(fields.get("columns", "").split()),
        only=(column, value) if column else None,
    )


def answer(snapshot: Snapshot, question: Question) -> Answer:
    """Return the answer of a question: heading and rows, with IRIs in their short form."""
    text = question.sparql
    if question.saved:
        values = dict(word.split("=", 1) for word in question.saved[1:])
        text = get_query(question.saved[0]).bind(snapshot, {name: [value] for name, value in values.items()})
    table = make_table(snapshot.query(text, functions={QUOTE: lambda _: None}))
    columns = question.columns or tuple(column for column in table.columns if column != "quote")
    rows = [dict(zip(table.columns, map(_cell, row), strict=True)) for row in table.rows]
    if question.only:
        rows = [row for row in rows if row[question.only[0]] == question.only[1]]
    return [columns, *sorted({tuple(row[column] for column in columns) for row in rows})]


def _cell(term: Term | None) -> str:
    value = cell_value(term)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return shorten(str(value)) if re.match(r"https?://", str(value)) else str(value)


def as_csv(answer: Answer) -> str:
    """Return an answer as the text of its CSV file."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(answer)
    return out.getvalue()


def read_csv(path: Path) -> Answer:
    """Return the answer that a CSV file holds."""
    with path.open(encoding="utf-8", newline="") as file:
        heading, *rows = csv.reader(file)
    return [tuple(heading), *sorted({tuple(row) for row in rows})]


QUESTIONS = load_questions()


def test_there_are_at_least_sixty_on_all_modules() -> None:
    assert len(QUESTIONS) >= 60
    assert {question.exercises.split(":")[0] for question in QUESTIONS.values()} == set(MODULES)


def test_each_question_has_one_expected_answer() -> None:
    assert {path.stem for path in FOLDER.glob("*.csv")} == set(QUESTIONS)
    assert len(QUESTIONS) == len([*FOLDER.glob("*.rq"), *FOLDER.glob("*.txt")])
    for question in QUESTIONS.values():
        assert question.text.endswith("?"), question.name


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_a_question_is_answered_as_expected(curated: StoreFolder, name: str) -> None:
    expected = read_csv(FOLDER / f"{name}.csv")
    assert len(expected) > 1, "an answer without rows tests nothing"
    with curated.snapshot() as snapshot:
        assert answer(snapshot, QUESTIONS[name]) == expected


def main(words: Sequence[str]) -> None:
    """Print the answers of the questions that are named, or write all of them (`--write`)."""
    names = [word for word in words if word != "--write"] or sorted(QUESTIONS)
    with StoreFolder(Settings.load().store).snapshot() as snapshot:
        for name in names:
            text = as_csv(answer(snapshot, QUESTIONS[name]))
            if "--write" in words:
                (FOLDER / f"{name}.csv").write_text(text, "utf-8")
            else:
                print(f"# {QUESTIONS[name].text}\n{text}")


if __name__ == "__main__":
    main(sys.argv[1:])
