"""The command `whosays`.

Exit codes: 0 done; 1 the content does not conform, or the store changed meanwhile; 2 something
could not be read, found or understood.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
import pyoxigraph as ox
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from kg.errors import ConflictError, ConformanceError, NotFoundError, WhosaysError
from kg.names import ID, expand, shorten, sparql_prefixes
from kg.publisher import asserted_triples, ontology_unit, publish
from kg.queries import get_query, load_queries
from kg.settings import Settings
from kg.store import StoreFolder
from kg.validation import Report, Result, validate
from loaders.corpus import make_units, read_folder, read_records, verify_texts
from loaders.export import export_document
from loaders.quotes import quote_functions
from loaders.rdf_files import read_rdf
from loaders.records import Record, record_files
from loaders.skeleton import make_skeleton, passage_line
from loaders.texts import Span, Texts, read_text
from server.guards import check_query
from server.tables import Table, as_csv, as_json, make_table, print_table

P = ParamSpec("P")
R = TypeVar("R")

FORMATS = click.Choice(["table", "csv", "json"])
YAML = (".yaml", ".yml")


def _console(*, stderr: bool = False) -> Console:
    console = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = 200
    return console


def _settings(command: Callable[P, R]) -> Callable[..., R]:
    """Give a command the options that every command has."""

    @click.option("--store", type=click.Path(path_type=Path), help="Folder of the database.  [whosays-store]")
    @click.option(
        "--records", type=click.Path(path_type=Path), help="Folder of the curated records.  [those that Whosays brings]"
    )
    @click.option("--texts", type=click.Path(path_type=Path), help="Folder of your copies of the documents.  [texts]")
    @wraps(command)
    def with_settings(*args: Any, store: Path | None, records: Path | None, texts: Path | None, **options: Any) -> R:
        return command(*args, settings=Settings.load(store=store, records=records, texts=texts), **options)  # type: ignore[arg-type]

    return with_settings


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="whosays")
def cli() -> None:
    """Whosays: a knowledge graph of who asserts what.

    Start with `whosays build`, then `whosays query who-asserts-what --about united-states`, or
    `whosays serve` and a browser. Every option can also be set by an environment variable:
    WHOSAYS_STORE, WHOSAYS_RECORDS, WHOSAYS_TEXTS, WHOSAYS_QUOTES, WHOSAYS_HOST, WHOSAYS_PORT,
    WHOSAYS_SERVICES.
    """


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Slug that the document is to have.  [made from the file's name]")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Where to write the record; never overwrites.")
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
@click.argument("file", type=click.Path(path_type=Path))
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
@_settings
def build(settings: Settings, overwrite: bool) -> None:
    """Read the records, check them against texts and shapes, and publish what changed.

    Where anything is wrong, nothing is published and the store stays as it was.
    """
    console = _console(stderr=True)
    with console.status("reading the records"):
        records = read_folder(settings.records)
    console.print(f"read {len(records)} records from {settings.records}")
    _verify(console, records, settings)
    with console.status("") as status:
        try:
            outcome = publish(
                StoreFolder(settings.store),
                [ontology_unit(), *make_units(records)],
                agent=ID + "whosays-team",
                overwrite=overwrite,
                progress=partial(_tell, console, status),
            )
        except ConformanceError as error:
            status.stop()
            _print_report(_console(), error.report, records)
            raise
    if not outcome.changed and not outcome.removed and outcome.report is None:
        console.print(f"up to date: snapshot {outcome.snapshot} of {settings.store}")
        return
    for result in outcome.report.results if outcome.report else ():
        console.print(_describe(result, records), style="yellow", markup=False)
    console.print(
        f"published snapshot {outcome.snapshot} of {settings.store}: {outcome.added_quads:,} quads added, "
        f"{outcome.removed_quads:,} removed; conforms to the shapes"
    )


def _tell(console: Console, status: Status, step: str) -> None:
    """Say what is being done: in place on a terminal, as a line elsewhere."""
    if console.is_terminal:
        status.update(f"{step} …")
    else:
        console.print(f"{step} …")


def _verify(console: Console, records: list[Record], settings: Settings) -> None:
    texts = Texts(settings.texts)
    found = verify_texts(records, texts)
    missing = [v for v in found if not v.text_found]
    for verification in found:
        if verification.text_found and not verification.problems:
            console.print(
                f"  {shorten(verification.document)}: {verification.passages} passages verified against the text"
            )
    if missing:
        console.print(
            f"  no text for {', '.join(shorten(v.document) for v in missing)} in {settings.texts}: "
            "passages are not verified, quotes not shown"
        )
    problems = [p for v in found for p in v.problems]
    if problems:
        for problem in problems:
            console.print(str(problem), style="red", markup=False)
        raise WhosaysError(f"{len(problems)} passages do not match the texts; nothing was published", mend="see above")


@cli.command("validate")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "turtle"]),
    default="text",
    show_default=True,
    help="Form of the report.",
)
@_settings
def validate_files(settings: Settings, files: tuple[Path, ...], form: str) -> None:
    """Check records or RDF FILES, together with the curated records, against the shapes.

    Exit code 0: they conform; 1: they do not; 2: they cannot be read.
    """
    console = _console(stderr=True)
    own = read_records(f for f in files if f.suffix in YAML)
    triples = {t for f in files if f.suffix not in YAML for t in read_rdf(f)}
    given = {f.resolve() for f in files}
    documents = {r.document for r in own if r.document}
    others: list[Record] = []
    for path in record_files(settings.records):
        try:
            others += [
                r
                for r in read_records([path])
                if path.resolve() not in given and (r.document is None or r.document not in documents)
            ]
        except WhosaysError as error:
            console.print(f"left out, because it cannot be read: {error}", style="yellow", markup=False)
    if own:
        _verify(console, own, settings)
    units = [ontology_unit(), *make_units(own), *make_units(others)]
    with console.status(f"validating {len(files)} files together with {len(others)} records"):
        triples.update(asserted_triples(units))
        report = validate(triples)
    subjects = {
        str(t.subject.value) for r in own for t in (q.triple for q in r.quads) if isinstance(t.subject, ox.NamedNode)
    }
    subjects |= {
        t.subject.value
        for f in files
        if f.suffix not in YAML
        for t in read_rdf(f)
        if isinstance(t.subject, ox.NamedNode)
    }
    mine = Report(tuple(r for r in report.results if r.focus in subjects), report.graph)
    elsewhere = len(report.violations) - len(mine.violations)
    if form == "turtle":
        click.echo(report.graph.serialize(format="turtle"))
    elif form == "json":
        click.echo(json.dumps([vars(r) for r in mine.results], ensure_ascii=False, indent=2))
    else:
        _print_report(_console(), mine, own)
    if elsewhere:
        console.print(f"{elsewhere} violations in other records, which may rest on these files", style="yellow")
    if not mine.conforms:
        sys.exit(1)
    console.print(f"{', '.join(map(str, files))}: conforms")


def _print_report(console: Console, report: Report, records: list[Record]) -> None:
    for result in report.results:
        console.print(
            _describe(result, records),
            markup=False,
            soft_wrap=True,
            style="" if result.severity == "Violation" else "yellow",
        )


def _describe(result: Result, records: list[Record]) -> str:
    place = next((p for r in records if (p := r.place(result.focus, result.path))), None)
    where = f"{place}: " if place else ""
    path = f" {shorten(result.path)}" if result.path else ""
    value = (
        f", found {shorten(result.value.strip('<>'))}"
        if result.value and result.value.strip("<>") != result.focus
        else ""
    )
    return f"{where}{result.severity.lower()}: {shorten(result.focus)}{path}{value}\n  {result.message}"


@cli.command("query", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.argument("name", required=False)
@click.option("--format", "form", type=FORMATS, default="table", show_default=True)
@_settings
@click.pass_context
def query(context: click.Context, settings: Settings, name: str | None, form: str) -> None:
    """Run the saved query NAME; give its parameters as --param value. Without NAME: list them.

    \b
    whosays query who-asserts-what --about united-states
    whosays query who-asserts-what --holder south-koreans --format csv
    """
    if name is None:
        console = _console()
        for saved in load_queries().values():
            console.print(f"[bold]{escape(saved.name)}[/bold]  {escape(saved.title)}")
            for parameter in saved.parameters:
                optional = " (optional)" if parameter.optional or parameter.default else ""
                console.print(
                    f"    --{parameter.name.replace('_', '-')} {parameter.example}{optional}: {parameter.description}",
                    markup=False,
                )
        return
    saved = get_query(name)
    values = _extra_options(context.args)
    with StoreFolder(settings.store).snapshot() as snapshot:
        text = saved.bind(snapshot, values)
        check_query(text, settings.services)
        table = make_table(snapshot.query(text, functions=quote_functions(snapshot, Texts(settings.texts), settings)))
        _print(table, form, lambda: print_table(_console(), snapshot, table))


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
@_settings
def sparql(settings: Settings, text: str | None, form: str) -> None:
    """Answer the SPARQL query TEXT (or the one on standard input) over the published graph.

    The usual prefixes (ws, id, graph, skos, …) need no declaration.
    """
    words = text if text is not None else sys.stdin.read()
    check_query(words, settings.services)
    with StoreFolder(settings.store).snapshot() as snapshot:
        table = make_table(snapshot.query(words, functions=quote_functions(snapshot, Texts(settings.texts), settings)))
        _print(table, form, lambda: print_table(_console(), snapshot, table))


@cli.command()
def prefixes() -> None:
    """Print the prefixes that queries may use without declaring them."""
    click.echo(sparql_prefixes(), nl=False)


@cli.command()
@click.option("--format", "form", type=FORMATS, default="table", show_default=True)
@_settings
def documents(settings: Settings, form: str) -> None:
    """List the coded documents."""
    _saved(settings, "documents", form)


@cli.command()
@click.option("--format", "form", type=FORMATS, default="table", show_default=True)
@_settings
def coverage(settings: Settings, form: str) -> None:
    """Tell how much of each document is coded: sentences accounted for, and counts of what they assert."""
    _saved(settings, "coverage", form)


def _saved(settings: Settings, name: str, form: str) -> None:
    with StoreFolder(settings.store).snapshot() as snapshot:
        table = make_table(snapshot.query(get_query(name).bind(snapshot, {})))
        _print(table, form, partial(print_table, _console(), snapshot, table))


@cli.command("export")
@click.argument("document")
@_settings
def export(settings: Settings, document: str) -> None:
    """Print the record of a published DOCUMENT, as the store holds it."""
    with StoreFolder(settings.store).snapshot() as snapshot:
        click.echo(export_document(snapshot, expand(document)), nl=False)


@cli.command()
@click.option("--store", type=click.Path(path_type=Path), help="Folder of the database.  [whosays-store]")
@click.option("--texts", type=click.Path(path_type=Path), help="Folder of your copies of the documents.  [texts]")
@click.option("--host", help="Address to listen on.  [127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on.  [8000]")
def serve(store: Path | None, texts: Path | None, host: str | None, port: int | None) -> None:
    """Serve the published graph: pages, saved queries and SPARQL over HTTP."""
    from server.serving import serve as run

    settings = Settings.load(store=store, texts=texts, host=host, port=port)
    if StoreFolder(settings.store).current_name() is None:
        raise NotFoundError(f"there is no graph in {settings.store}", mend="run `whosays build` first")
    run(settings)


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
