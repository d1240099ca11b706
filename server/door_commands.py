"""The commands of the door: validate, publish, supersede, retract, undo, and the history.

They judge in their own process what their own user gives them, by the functions that the door over
HTTP uses too, and commit through the service's writer where one runs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import pyoxigraph as ox

from kg.errors import NotFoundError
from kg.history import Entry, History, make_patch
from kg.names import ID, SH, WS, document_graph, expand, shorten
from kg.publisher import Outcome, Plan, history
from kg.reports import as_json, as_text
from kg.settings import Settings
from kg.store import StoreFolder
from kg.tokens import check_agent
from loaders.deciding import publish_planned
from loaders.judging import (
    Verdict,
    judge_submissions,
    plan_retraction,
    plan_submissions,
    plan_superseding,
    plan_undoing,
)
from server.inputs import INPUT, input_format, read_inputs, replace_option
from server.telling import tell_entry, tell_outcome
from server.terminal import TABLE_OR_JSON, clean, make_console, print_rows, with_settings, with_store

SHACL_FORMATS = {
    "turtle": ox.RdfFormat.TURTLE,
    "jsonld": ox.RdfFormat.JSON_LD,
    "ntriples": ox.RdfFormat.N_TRIPLES,
}
"""Forms of the standard SHACL report."""

outcome_format = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the answer.",
)
_NUMBER = click.IntRange(1, 2**53)
_by = click.option("--by", default="whosays-team", show_default=True, help="Name of the agent who publishes.")


def agent_iri(name: str) -> str:
    """Return the IRI of who acts.

    Raises:
        ParameterError: it is no agent's name.

    >>> agent_iri("anna")
    'https://w3id.org/whosays/id/anna'
    """
    return ID + check_agent(name)


def show_verdict(verdict: Verdict, form: str) -> None:
    """Print a verdict; where it does not conform, end with exit code 1.

    Parameters:
        verdict: what to print.
        form: `text`, `json`, or one of `SHACL_FORMATS`.
    """
    if form == "json":
        click.echo(as_json(verdict.findings, complete=verdict.complete))
    elif form in SHACL_FORMATS:
        triples = ox.parse(verdict.shacl.encode(), format=ox.RdfFormat.N_TRIPLES)
        body = ox.serialize(triples, format=SHACL_FORMATS[form], prefixes={"sh": SH, "ws": WS}) or b""
        click.echo(body.decode().removesuffix("\n"))
    else:
        click.echo(clean(as_text(verdict.findings, complete=verdict.complete)), nl=False)
    if not verdict.conforms:
        sys.exit(1)


def publish_here(folder: StoreFolder, plan: Callable[[], Plan | Verdict | Outcome]) -> Outcome | Verdict:
    """Publish what is planned in this process, and say on a terminal that it is being done.

    Parameters:
        folder: the store.
        plan: makes the plan; called again where another change came first.
    """
    with make_console(stderr=True).status("validating and publishing"):
        return publish_planned(folder, plan)


def _finish(folder: StoreFolder, plan: Callable[[], Plan | Verdict | Outcome], form: str) -> None:
    """Publish what is planned and print what came of it; where it does not conform, end with exit code 1."""
    outcome = publish_here(folder, plan)
    if isinstance(outcome, Verdict):
        show_verdict(outcome, form)
    elif form == "json":
        click.echo(json.dumps(tell_outcome(outcome), ensure_ascii=False, indent=2))
    elif outcome.number is None:
        click.echo("nothing to do: all of this is published already")
    else:
        for result in outcome.report.results:
            click.echo(clean(f"{result.severity.lower()}: {shorten(result.focus)}\n  {result.message}"), err=True)
        click.echo(
            f"published change {outcome.number}: {outcome.added_quads:,} quads added, "
            f"{outcome.removed_quads:,} removed; take it back with `whosays undo {outcome.number}`"
        )


@click.command("validate")
@click.argument("files", nargs=-1, required=True, type=INPUT)
@input_format
@replace_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", *SHACL_FORMATS]),
    default="text",
    show_default=True,
    help="Form of the report; turtle, jsonld and ntriples give the standard SHACL report.",
)
@with_settings
def validate_command(
    settings: Settings, files: tuple[Path, ...], input_format: str | None, replace: bool, form: str
) -> None:
    """Check FILES by the shapes, together with what is published; nothing is kept.

    FILES are records in YAML (a whole document, register entries, an addition with `to:`) or RDF: Turtle,
    TriG, N-Triples, N-Quads, JSON-LD, RDF/XML. Several are judged together; `-` is standard input.

    Exit code 0: they conform, with or without warnings; 1: they do not; 2: they cannot be read.

    \b
    whosays validate my-document.yaml new-entries.yaml
    whosays validate - --input-format ttl --format json < new.ttl
    """
    submissions = read_inputs(settings, files, input_format, replace=replace)
    with make_console(stderr=True).status("validating"):
        verdict = judge_submissions(settings.store, submissions, ID + "anybody")
    show_verdict(verdict, form)


@click.command("publish")
@click.argument("files", nargs=-1, required=True, type=INPUT)
@input_format
@replace_option
@_by
@outcome_format
@with_settings
def publish_command(
    settings: Settings, files: tuple[Path, ...], input_format: str | None, replace: bool, by: str, form: str
) -> None:
    """Publish FILES in one change, if they conform; they may be whatever `whosays validate` takes.

    The record of a whole document takes the place of what is published of it, register entries take the
    place of the entries of their names; additions (`to:`) and RDF are added. A published assertion is
    never overwritten: see `whosays supersede` and `whosays retract`.

    Exit code 0: published; 1: they do not conform; 2: they cannot be read.
    """
    agent = agent_iri(by)
    submissions = read_inputs(settings, files, input_format, replace=replace, published=True)
    _finish(StoreFolder(settings.store), partial(plan_submissions, settings.store, submissions, agent), form)


@click.command("supersede")
@click.argument("old")
@click.argument("file", type=INPUT)
@input_format
@_by
@outcome_format
@with_settings
def supersede_command(settings: Settings, old: str, file: Path, input_format: str | None, by: str, form: str) -> None:
    """Publish FILE, an addition, whose assertion takes the place of the published assertion OLD.

    OLD stays in the graph with the status superseded. Where FILE has several new assertions, write
    `supersedes: OLD` into the one that is meant.
    """
    agent = agent_iri(by)
    [submission] = read_inputs(settings, [file], input_format, published=True)
    plan = partial(plan_superseding, settings.store, submission, expand(old), agent)
    _finish(StoreFolder(settings.store), plan, form)


@click.command("retract")
@click.argument("name")
@click.option("--reason", required=True, help="Why, in a sentence; it is published as a note of the assertion.")
@_by
@outcome_format
@with_store
def retract_command(folder: StoreFolder, name: str, reason: str, by: str, form: str) -> None:
    """Retract the published assertion NAME: it stays in the graph with the status retracted and the reason."""
    _finish(folder, partial(plan_retraction, folder.path, expand(name), reason, agent_iri(by)), form)


@click.command("undo")
@click.argument("number", type=_NUMBER)
@_by
@outcome_format
@with_store
def undo_command(folder: StoreFolder, number: int, by: str, form: str) -> None:
    """Undo the change NUMBER: what it added goes, what it removed comes back.

    Exit code 1: a later change has altered the same statements, or the graph would not conform without it.
    """
    _finish(folder, partial(plan_undoing, folder.path, number, agent_iri(by)), form)


@click.command("history")
@click.argument("name", required=False)
@click.option("--before", type=_NUMBER, metavar="NUMBER", help="Only changes before this one.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many at most.")
@click.option("--change", type=_NUMBER, metavar="NUMBER", help="Print what one change added and removed, as RDF Patch.")
@click.option("--format", "form", type=TABLE_OR_JSON, default="table", show_default=True)
@with_store
def history_command(
    folder: StoreFolder, name: str | None, before: int | None, limit: int, change: int | None, form: str
) -> None:
    """Tell who changed what and when, the newest first: of all, or of an assertion, an entry, a document NAME.

    \b
    whosays history my-document
    whosays history --change 7
    """
    noted, newest = history(folder), int(folder.current_name() or 0)
    if change is not None:
        if name is not None:
            raise click.UsageError("give a NAME or --change, not both")
        if change > newest:
            raise NotFoundError(f"there is no change {change}", mend="see `whosays history` for those there are")
        click.echo(make_patch(noted.change(change)), nl=False)
        return
    entries = _entries(noted, name, before, newest, limit)
    if form == "json":
        click.echo(json.dumps([tell_entry(e) for e in entries], ensure_ascii=False, indent=2))
        return
    rows = [
        (e.number, e.at, shorten(e.activity.agent), e.activity.kind, e.activity.note, e.added, e.removed)
        for e in entries
    ]
    print_rows(("change", "at", "by", "kind", "note", "added", "removed"), rows)


def _entries(noted: History, name: str | None, before: int | None, newest: int, limit: int) -> list[Entry]:
    if name is None:
        return noted.entries(before=before, upto=newest, limit=limit)
    iri = expand(name)  # a document is meant with all that its graph says, the register by `register`
    found = {
        entry.number: entry
        for one in (iri, document_graph(iri))
        for entry in noted.entries(one, before=before, upto=newest, limit=limit)
    }
    if not found and before is None:
        raise NotFoundError(f"no change concerns `{name}`", mend="check the spelling, or leave the name out")
    return [found[number] for number in sorted(found, reverse=True)][:limit]
