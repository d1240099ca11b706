"""The terminal: what all commands share, the options that they take and how they speak.

What was asked for goes to standard output; what is told on the way goes to standard error. What
others wrote is shown without the characters by which a text could give orders to a terminal.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from kg.errors import NotFoundError, WhosaysError
from kg.names import shorten
from kg.settings import Settings
from kg.store import StoreFolder
from loaders.corpus import Verification

P = ParamSpec("P")
R = TypeVar("R")

FILE = click.Path(path_type=Path)
TABLE_OR_JSON = click.Choice(["table", "json"])

_ORDERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def make_console(*, stderr: bool = False) -> Console:
    """Return a console; where it is no terminal, lines are cut at 200 characters."""
    console = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = 200
    return console


def with_settings(command: Callable[P, R]) -> Callable[..., R]:
    """Give a command the options that say where store, records and texts are."""

    @click.option("--store", type=FILE, help="Folder of the database.  [whosays-store]")
    @click.option("--records", type=FILE, help="Folder of the curated records.  [those that Whosays brings]")
    @click.option("--texts", type=FILE, help="Folder of your copies of the documents.  [texts]")
    @wraps(command)
    def with_options(*args: Any, store: Path | None, records: Path | None, texts: Path | None, **options: Any) -> R:
        return command(*args, settings=Settings.load(store=store, records=records, texts=texts), **options)  # type: ignore[arg-type]

    return with_options


def with_store(command: Callable[P, R]) -> Callable[..., R]:
    """Give a command the option that says where the store is; a graph must have been published to it."""

    @click.option("--store", type=FILE, help="Folder of the database.  [whosays-store]")
    @wraps(command)
    def with_option(*args: Any, store: Path | None, **options: Any) -> R:
        return command(*args, folder=open_folder(Settings.load(store=store)), **options)  # type: ignore[arg-type]

    return with_option


def open_folder(settings: Settings) -> StoreFolder:
    """Return the store.

    Raises:
        NotFoundError: nothing was ever published to it.
    """
    folder = StoreFolder(settings.store)
    if folder.current_name() is None:
        raise NotFoundError(
            f"there is no graph in {settings.store}", mend="run `whosays build`, or name another --store"
        )
    return folder


def clean(text: str) -> str:
    """Return a text without the characters that a terminal obeys instead of showing them.

    >>> clean("red \\x1b[31m")
    'red \ufffd[31m'
    """
    return _ORDERS.sub("\ufffd", text)


def tell_step(console: Console, status: Status, step: str) -> None:
    """Say what is being done: in place on a terminal, as a line elsewhere."""
    if console.is_terminal:
        status.update(f"{step} …")
    else:
        console.print(f"{step} …")


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table for people; None is shown as nothing."""
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else clean(str(cell))) for cell in row))
    console = make_console()
    console.print(table)
    count = table.row_count
    console.print(f"{count} row{'s' if count != 1 else ''}", style="dim")


def show_verification(console: Console, found: Sequence[Verification], texts: Path) -> None:
    """Tell how passages fared against the texts.

    Parameters:
        console: where to.
        found: one verification a document.
        texts: the folder of the texts.

    Raises:
        WhosaysError: passages do not match.
    """
    for verification in found:
        if verification.text_found and not verification.problems:
            console.print(
                f"  {shorten(verification.document)}: {verification.passages} passages verified against the text"
            )
    missing = [shorten(v.document) for v in found if not v.text_found]
    if missing:
        console.print(f"  no text for {', '.join(missing)} in {texts}: passages are not verified, quotes not shown")
    problems = [p for v in found for p in v.problems]
    if problems:
        for problem in problems:
            console.print(str(problem), style="red", markup=False)
        raise WhosaysError(f"{len(problems)} passages do not match the texts; nothing was published", mend="see above")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file to write, which takes the place of another once it is complete.

    Parameters:
        path: of the other; a link, a device or a pipe is written to as it is.

    Raises:
        WhosaysError: it cannot be written.
    """
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            yield path
            return
        with tempfile.TemporaryDirectory(dir=path.absolute().parent, prefix=".whosays.") as work:
            whole = Path(work) / "whole"
            yield whole
            whole.replace(path)
    except OSError as error:
        raise WhosaysError(f"{path} cannot be written: {error.strerror or error}", mend="check the folder") from error
