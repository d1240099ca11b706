"""Inputs: the files that a command is given, or standard input, read and held against the texts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from kg.errors import MalformedError, Place, WhosaysError
from kg.settings import Settings
from kg.store import StoreFolder
from loaders.submissions import Submission, read_submission
from loaders.syntaxes import find_syntax, guess_form
from loaders.texts import Texts
from loaders.verifying import verify_contents
from server.terminal import make_console, show_verification

INPUT = click.Path(path_type=Path, allow_dash=True)
"""The type of an argument that names a file, or standard input by `-`."""

STANDARD_INPUT = "standard input"

input_format = click.option(
    "--input-format",
    metavar="FORM",
    help="Form of the input: yaml, ttl, trig, nt, nq, jsonld or rdf.  [by the file's ending, else by how it begins]",
)
replace_option = click.option(
    "--replace", is_flag=True, help="RDF takes the place of what is said of the nodes that it speaks of."
)


def read_input(path: Path, form: str | None = None, *, replace: bool = False, published: bool = False) -> Submission:
    """Read a file, or standard input.

    Parameters:
        path: of the file; `-` for standard input.
        form: of its syntax; None where its ending, else its beginning is to tell.
        replace: RDF is to take the place of what is said of the nodes that it speaks of.
        published: it is to be published, and the provenance, which everybody reads, will name it: then the folders
            of an absolute path are left out.

    Raises:
        MalformedError: it cannot be read, or is in no form that is taken.
    """
    standard = str(path) == "-"
    place = Place(STANDARD_INPUT if standard else str(path))
    try:
        data = sys.stdin.buffer.read() if standard else path.read_bytes()
    except OSError as error:
        raise MalformedError(
            f"cannot be read: {error.strerror or error}", mend="check the path and the permissions", place=place
        ) from error
    ending = "" if standard else path.suffix
    try:
        found = find_syntax(form or ending).name if form or ending else guess_form("", data)
    except MalformedError as error:
        raise MalformedError(error.problem, mend=f"{error.mend}; see --input-format", place=place) from error
    name = path.name if published and path.is_absolute() else place.file
    return Submission(data, found, name, "replace" if replace and found != "yaml" else "add")


def read_inputs(
    settings: Settings, paths: Sequence[Path], form: str | None, *, replace: bool = False, published: bool = False
) -> list[Submission]:
    """Read files that are to be judged together, and hold their passages against the texts.

    Parameters:
        settings: where store and texts are.
        paths, form, replace, published: see `read_input`.

    Raises:
        MalformedError, RecordError: a file cannot be read; the errors of other files are shown before.
        NotFoundError: there is no graph to judge them against.
        WhosaysError: passages do not match the texts.
    """
    if len(set(paths)) < len(paths):
        raise click.UsageError("the same file is named twice")
    problems: list[WhosaysError] = []
    submissions, contents = [], []
    with StoreFolder(settings.store).snapshot() as snapshot:
        for path in paths:
            try:
                submission = read_input(path, form, replace=replace, published=published)
                contents.append(read_submission(submission, snapshot.store))
                submissions.append(submission)
            except WhosaysError as error:
                problems.append(error)
        for problem in problems[:-1]:
            click.echo(f"error: {problem}", err=True)
        if problems:
            raise problems[-1]
        found = verify_contents(contents, snapshot.store, Texts(settings.texts))
    show_verification(make_console(stderr=True), found, settings.texts)
    return submissions
