"""The command `whosays`.

Exit codes: 0 done; 1 the content does not conform, or the store changed meanwhile; 2 something
could not be read, found or understood.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import pyoxigraph as ox
from rich.markup import escape

from kg.build import build as build_graph
from kg.change import Change, View
from kg.errors import ConflictError, ConformanceError, WhosaysError
from kg.index import make_index
from kg.names import ID, expand, sparql_prefixes
from kg.queries import get_query, load_queries, prepare, query_folders
from kg.reports import Finding, as_text, explain
from kg.settings import Settings
from kg.sparql import check_query
from kg.store import StoreFolder
from kg.units import ontology_unit
from kg.validation import Report
from kg.writing import commit
from loaders.corpus import make_units, read_folder, verify_texts
from loaders.export import export_document
from loaders.functions import query_functions
from loaders.quotes import shown_quotes
from loaders.records import Record
from loaders.skeleton import make_skeleton, passage_line
from loaders.texts import Span, Texts, read_text
from server.bench import bench_command
from server.config_command import Trace, config_command, with_all_settings
from server.door_commands import (
    history_command,
    publish_command,
    retract_command,
    supersede_command,
    undo_command,
    validate_command,
)
from server.proposal_commands import proposals
from server.soak import soak_command
from server.store_commands import backup_command, dump_command, generate_command, restore_command
from server.tables import Table, as_csv, as_json, make_table, print_table
from server.terminal import FILE, make_console, open_folder, show_verification, tell_step, with_settings
from server.token_commands import tokens

FORMATS = click.Choice(["table", "csv", "json"])


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="whosays")
def cli() -> None:
    """Whosays: a knowledge graph of who asserts what.

    Start with `whosays build`, then `whosays query who-asserts-what --about united-states`, or
    `whosays serve` and a browser. What you have coded is checked by `whosays validate` and let in by
    `whosays publish`; `whosays history` and `whosays undo` look and go back.

    Settings can also be given by environment variables: WHOSAYS_STORE, WHOSAYS_RECORDS, WHOSAYS_TEXTS,
    WHOSAYS_QUOTES, WHOSAYS_HOST, WHOSAYS_PORT, WHOSAYS_SERVICES.
    """


@cli.command()
@click.argument("file", type=FILE)
@click.option("--name", help="Slug that the document is to have.  [made from the file's name]")
@click.option("--output", "-o", type=FILE, help="Where to write the record; never overwrites.")
def new(file: Path, name: str | None, output: Path | None) -> None:
    """Make the skeleton of a record from the text FILE: digest, length, sentences by position."""
    slug = name or "-".join("".join(c if c.isalnum() and c.isascii() else " " for c in file.stem.lower()).split())
    skeleton = make_skeleton(read_text(file), slug)
    if output is None:
        click.echo(skeleton, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8") as out:
            out.write(skeleton)
    except FileExistsError as error:
        raise WhosaysError(f"{output} exists", mend="choose another --output; nothing was overwritten") from error
    except OSError as error:
        raise WhosaysError(f"{output} cannot be written: {error.strerror}", mend="check the folder") from error
    click.echo(f"wrote {output}")


@cli.command()
@click.argument("file", type=FILE)
@click.argument("name")
@click.argument("start", type=int)
@click.argument("end", type=int)
def passage(file: Path, name: str, start: int, end: int) -> None:
    """Print the record's line for the passage from START to END of the text FILE of the document NAME."""
    text = read_text(file)
    if not 0 <= start < end <= len(text):
        raise WhosaysError(f"the text has {len(text)} characters", mend="give 0 <= START < END <= that number")
    click.echo(passage_line(name, text, Span(start, end)))
    click.echo(f"  # {' '.join(text[start:end].split())}", err=True)


@cli.command()
@click.option("--overwrite", is_flag=True, help="Publish a record even where the store was changed meanwhile.")
@with_settings
def build(settings: Settings, overwrite: bool) -> None:
    """Read the records, check them against texts and shapes, and publish what changed.

    Where anything is wrong, nothing is published and the store stays as it was.
    """
    console = make_console(stderr=True)
    with console.status("reading the records"):
        records = read_folder(settings.records)
    console.print(f"read {len(records)} records from {settings.records}")
    show_verification(console, verify_texts(records, Texts(settings.texts)), settings.texts)
    with console.status("") as status:
        try:
            outcome = build_graph(
                StoreFolder(settings.store),
                [ontology_unit(), *make_units(records)],
                agent=ID + "whosays-team",
                overwrite=overwrite,
                commit=commit,
                progress=partial(tell_step, console, status),
            )
        except ConformanceError as error:
            status.stop()
            click.echo(as_text(_explain(error.report, records), complete=error.report.complete), nl=False)
            raise
    quote = shown_quotes(Texts(settings.texts), settings)
    with console.status("indexing"):
        make_index(StoreFolder(settings.store), quote)
    if not outcome.changed and not outcome.removed and outcome.report is None:
        console.print(f"up to date: snapshot {outcome.snapshot} of {settings.store}")
        return
    for finding in _explain(outcome.report, records) if outcome.report else ():
        console.print(str(finding), style="yellow", markup=False, soft_wrap=True)
    console.print(
        f"published snapshot {outcome.snapshot} of {settings.store}: {outcome.added_quads:,} quads added, "
        f"{outcome.removed_quads:,} removed; conforms to the shapes"
    )


def _explain(report: Report, records: list[Record]) -> tuple[Finding, ...]:
    if not report.results:
        return ()
    view = View(ox.Store(), Change(frozenset(q for r in records for q in r.quads)))
    return explain(report, view, where=lambda iri, path: next((p for r in records if (p := r.place(iri, path))), None))


@cli.command("query", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.argument("name", required=False)
@click.option("--format", "form", type=FORMATS, default="table", show_default=True)
@with_settings
@click.pass_context
def query(context: click.Context, settings: Settings, name: str | None, form: str) -> None:
    """Run the saved query NAME; give its parameters as --param value. Without NAME: list them.

    All take --limit and --offset, and --labels with a language tag, such as en, for names beside the IRIs.

    \b
    whosays query who-asserts-what --about united-states
    whosays query who-asserts-what --holder south-koreans --format csv
    """
    if name is None:
        console = make_console()
        for saved in load_queries(*query_folders(settings)).values():
            console.print(f"[bold]{escape(saved.name)}[/bold]  {escape(saved.title)}")
            for parameter in saved.parameters:
                optional = " (optional)" if parameter.optional or parameter.default else ""
                console.print(
                    f"    --{parameter.name.replace('_', '-')} {parameter.example}{optional}: {parameter.description}",
                    markup=False,
                )
        return
    saved = get_query(name, *query_folders(settings))
    values = _extra_options(context.args)
    with StoreFolder(settings.store).snapshot() as snapshot:
        text = prepare(saved, snapshot, values).text
        check_query(text, services=settings.services)
        table = make_table(snapshot.query(text, functions=query_functions(snapshot, Texts(settings.texts), settings)))
        _print(table, form, lambda: print_table(make_console(), snapshot, table))


def _extra_options(arguments: list[str]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    rest = list(arguments)
    while rest:
        option, equals, value = rest.pop(0).partition("=")
        if not option.startswith("--"):
            raise click.UsageError(f"`{option}` stands alone; parameters are given as --param value")
        if not equals:
            if not rest:
                raise click.UsageError(f"{option} needs a value")
            value = rest.pop(0)
        values.setdefault(option.removeprefix("--"), []).append(value)
    return values


def _print(table: Table, form: str, for_people: Callable[[], None]) -> None:
    if form == "json":
        click.echo(as_json(table))
    elif form == "csv":
        click.echo(as_csv(table))
    else:
        for_people()


@cli.command()
@click.argument("text", required=False)
@click.option("--format", "form", type=FORMATS, default="table", show_default=True)
@with_settings
def sparql(settings: Settings, text: str | None, form: str) -> None:
    """Answer the SPARQL query TEXT (or the one on standard input) over the published graph.

    The usual prefixes (ws, id, graph, skos, …) need no declaration.
    """
    words = text if text is not None else sys.stdin.read()
    check_query(words, services=settings.services)
    with StoreFolder(settings.store).snapshot() as snapshot:
        table = make_table(snapshot.query(words, functions=query_functions(snapshot, Texts(settings.texts), settings)))
        _print(table, form, lambda: print_table(make_console(), snapshot, table))


@cli.command()
def prefixes() -> None:
    """Print the prefixes that queries may use without declaring them."""
    click.echo(sparql_prefixes(), nl=False)


@cli.command()
@click.option("--format", "form", type=FORMATS, default="table", show_default=True)
@with_settings
def documents(settings: Settings, form: str) -> None:
    """List the coded documents."""
    _saved(settings, "documents", form)


@cli.command()
@click.option("--format", "form", type=FORMATS, default="table", show_default=True)
@with_settings
def coverage(settings: Settings, form: str) -> None:
    """Tell how much of each document is coded: sentences accounted for, and counts of what they assert."""
    _saved(settings, "coverage", form)


def _saved(settings: Settings, name: str, form: str) -> None:
    with StoreFolder(settings.store).snapshot() as snapshot:
        table = make_table(snapshot.query(get_query(name).bind(snapshot, {})))
        _print(table, form, partial(print_table, make_console(), snapshot, table))


@cli.command("export")
@click.argument("document")
@with_settings
def export(settings: Settings, document: str) -> None:
    """Print the record of a published DOCUMENT, as the store holds it."""
    with StoreFolder(settings.store).snapshot() as snapshot:
        click.echo(export_document(snapshot, expand(document)), nl=False)


@cli.command()
@with_all_settings
def serve(trace: Trace) -> None:
    """Serve the published graph: pages, saved queries and SPARQL over HTTP.

    With --plain: any Oxigraph database, as a SPARQL server.
    """
    from server.serving import serve as run

    settings, _ = trace()
    if not settings.plain:
        open_folder(settings)
    run(settings, lambda: trace()[0])


for command in (
    validate_command,
    publish_command,
    supersede_command,
    retract_command,
    undo_command,
    history_command,
    proposals,
    tokens,
    backup_command,
    restore_command,
    dump_command,
    generate_command,
    bench_command,
    soak_command,
    config_command,
):
    cli.add_command(command)


def main() -> None:
    """Run the command; errors that are ours become one clear message and an exit code."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except WhosaysError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1 if isinstance(error, ConformanceError | ConflictError) else 2)
    except BrokenPipeError:
        sys.exit(0)


if __name__ == "__main__":
    main()
