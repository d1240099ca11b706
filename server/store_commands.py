"""The commands for a store as a whole: backup, restore, dump, and generate."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click
import pyoxigraph as ox

from kg.backup import backup, dump, restore
from kg.errors import ParameterError
from kg.names import GRAPH, expand
from kg.settings import Settings
from kg.store import StoreFolder
from loaders.generator import fill_store, generate_lines, write_corpus
from loaders.syntaxes import SYNTAXES
from server.terminal import FILE, make_console, replacing, tell_step, with_store

DUMP_FORMATS = {
    "nquads": ox.RdfFormat.N_QUADS,
    "trig": ox.RdfFormat.TRIG,
    "turtle": ox.RdfFormat.TURTLE,
    "ntriples": ox.RdfFormat.N_TRIPLES,
    "rdfxml": ox.RdfFormat.RDF_XML,
    "jsonld": ox.RdfFormat.JSON_LD,
}
"""Standard formats that a graph can be written in."""


@click.command("backup")
@click.argument("target", type=FILE)
@with_store
def backup_command(folder: StoreFolder, target: Path) -> None:
    """Write graph, history, proposals, tokens and users' queries into the one file TARGET, also while a service runs.

    The file is readable by its owner only: it holds what is not published. One that is there is replaced.
    """
    if target.exists() and not target.is_file():
        raise ParameterError(f"{target} is no file", mend="name a file; one that is there is replaced")
    with make_console(stderr=True).status("backing up"):
        manifest = backup(folder, target)
    click.echo(f"wrote {target}: snapshot {manifest.snapshot}, {manifest.quads:,} quads")


@click.command("restore")
@click.argument("source", type=FILE)
@click.option("--store", type=FILE, help="Folder of the database that is made.  [whosays-store]")
def restore_command(source: Path, store: Path | None) -> None:
    """Make a store from the backup SOURCE, and prove that it equals what was saved. Nothing is overwritten."""
    settings = Settings.load(store=store)
    with make_console(stderr=True).status("restoring"):
        manifest = restore(source, StoreFolder(settings.store))
    click.echo(f"restored {settings.store}: snapshot {manifest.snapshot}, {manifest.quads:,} quads, equal to the saved")


@click.command("dump")
@click.option("--output", "-o", type=FILE, help="File to write; one that is there is replaced.  [standard output]")
@click.option("--format", "form", type=click.Choice([*DUMP_FORMATS]), help="[by the file's ending, else nquads]")
@click.option("--graph", help="Only this named graph: a document's name, register, propositions, links, ...")
@with_store
def dump_command(folder: StoreFolder, output: Path | None, form: str | None, graph: str | None) -> None:
    """Write the published graph in a standard format.

    N-Quads and TriG keep the named graphs; Turtle, N-Triples, RDF/XML and JSON-LD hold their union.
    """
    chosen = DUMP_FORMATS[form] if form else _by_ending(output)
    name = None if graph is None else expand(graph) if ":" in graph else GRAPH + graph
    with folder.snapshot() as snapshot:
        if output is None:
            dump(snapshot, sys.stdout.buffer, chosen, graph=name)
            return
        with replacing(output) as path, path.open("wb") as file:
            dump(snapshot, file, chosen, graph=name)
        click.echo(f"wrote {output}: snapshot {snapshot.name}")


@click.command("generate")
@click.option("--quads", type=int, required=True, help="How many.")
@click.option("--seed", type=int, required=True, help="Another seed gives another corpus, the same one the same.")
@click.option(
    "--output", "-o", type=FILE, help="File to write, as N-Quads; one that is there is replaced.  [standard output]"
)
@click.option("--store", type=FILE, help="Folder of a new database to fill instead, the ontology included.")
def generate_command(quads: int, seed: int, output: Path | None, store: Path | None) -> None:
    """Make a corpus of invented documents for measuring, in the proportions of our own coded ones."""
    if output is not None and store is not None:
        raise click.UsageError("give --output or --store, not both")
    console = make_console(stderr=True)
    if store is not None:
        with console.status("") as status:
            name = fill_store(StoreFolder(store), quads, seed, progress=partial(tell_step, console, status))
        click.echo(f"filled {store}: snapshot {name}")
    elif output is not None:
        with replacing(output) as path, console.status("generating"):
            write_corpus(path, quads, seed)
        click.echo(f"wrote {output}: {quads:,} quads")
    else:
        sys.stdout.buffer.writelines(line.encode() for line in generate_lines(quads, seed))


def _by_ending(output: Path | None) -> ox.RdfFormat:
    ending = output.suffix.lower().removeprefix(".") if output else ""
    if not ending:
        return ox.RdfFormat.N_QUADS
    for syntax in SYNTAXES:
        if ending in syntax.endings and syntax.rdf_format is not None:
            return syntax.rdf_format
    raise ParameterError(f"the ending `.{ending}` tells no format", mend=f"give --format: {', '.join(DUMP_FORMATS)}")
