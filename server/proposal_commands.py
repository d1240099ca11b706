"""The commands `whosays proposals`: sending, looking through and deciding proposals."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import get_args

import click

from kg.errors import ParameterError
from kg.names import expand, shorten
from kg.proposals import MOST, Proposal, Proposals, State
from kg.provenance import Activity
from kg.publisher import Outcome
from kg.settings import Settings
from kg.store import StoreFolder
from loaders.deciding import accept_proposals, propose, revise
from loaders.judging import Verdict, judge_submissions, plan_quads
from loaders.submissions import Submission
from server.door_commands import agent_iri, outcome_format, publish_here, show_verdict
from server.inputs import INPUT, input_format, read_inputs
from server.telling import source_text, tell_proposal
from server.terminal import TABLE_OR_JSON, clean, make_console, print_rows, with_settings, with_store

_NAME = re.compile("([0-9]{1,15})(?:@([0-9]{1,15}))?")
_who = click.option("--by", required=True, help="Name of the agent who does it.")


@click.group()
def proposals() -> None:
    """Propose content, and accept or reject what others propose.

    Nothing of a proposal is published before it is accepted. Where ID is given as NUMBER@REVISION, the
    command is refused if the proposal was edited since that revision.
    """


@proposals.command("list")
@click.option("--state", type=click.Choice(get_args(State)), help="Only those that stand there.")
@click.option("--contributor", help="Only those of this agent.")
@click.option("--document", help="Only those that concern this document.")
@click.option("--format", "form", type=TABLE_OR_JSON, default="table", show_default=True)
@with_store
def list_proposals(
    folder: StoreFolder, state: State | None, contributor: str | None, document: str | None, form: str
) -> None:
    """List the proposals."""
    found = list(_find(_proposals(folder), state, contributor, expand(document) if document else None))
    if form == "json":
        click.echo(json.dumps([asdict(p) for p in found], ensure_ascii=False, indent=2))
        return
    rows = [
        (f"{p.id}@{p.revision}", p.state, p.contributor, p.created, _names(p), p.note, p.decided_by, p.reason)
        for p in found
    ]
    print_rows(("id", "state", "contributor", "created", "documents", "note", "decided by", "reason"), rows)


@proposals.command("show")
@click.argument("number", type=int, metavar="ID")
@outcome_format
@with_store
def show_proposal(folder: StoreFolder, number: int, form: str) -> None:
    """Show a proposal with its newest content, or, as JSON, with all that it ever was."""
    revisions = _proposals(folder).revisions(number)
    proposal = _proposals(folder).get(number)
    if form == "json":
        click.echo(json.dumps(tell_proposal(proposal, revisions), ensure_ascii=False, indent=2))
        return
    newest = revisions[-1]
    lines = [
        f"proposal {proposal.id}@{newest.number} by {proposal.contributor}, {proposal.created}: {proposal.state}",
        f"documents: {_names(proposal)}",
        *([f"note: {proposal.note}"] if proposal.note else []),
        *([f"decided by {proposal.decided_by}, {proposal.decided}"] if proposal.decided_by else []),
        *([f"reason: {proposal.reason}"] if proposal.reason else []),
        *([f"published in change {proposal.change}"] if proposal.change else []),
        f"content ({newest.media_type}), by {newest.by}, {newest.made}:",
        "",
        source_text(newest).removesuffix("\n"),
    ]
    click.echo(clean("\n".join(lines)))


@proposals.command("submit")
@click.argument("file", type=INPUT)
@input_format
@_who
@click.option("--note", default="", help="Words to the curator.")
@outcome_format
@with_settings
def submit_proposal(settings: Settings, file: Path, input_format: str | None, by: str, note: str, form: str) -> None:
    """Propose FILE (whatever `whosays validate` takes; `-` is standard input), if it conforms."""
    submission, verdict = _judge(settings, file, input_format, by, form)
    _tell([propose(_proposals(StoreFolder(settings.store)), by, submission, verdict, note=note)], form)


@proposals.command("edit")
@click.argument("seen", metavar="ID")
@click.argument("file", type=INPUT)
@input_format
@_who
@outcome_format
@with_settings
def edit_proposal(settings: Settings, seen: str, file: Path, input_format: str | None, by: str, form: str) -> None:
    """Put FILE in front of what the proposal ID was, if it conforms; earlier versions are kept."""
    store = _proposals(StoreFolder(settings.store))
    [number], [revision] = _seen(store, [seen])
    submission, verdict = _judge(settings, file, input_format, by, form)
    _tell([revise(store, number, revision, by, submission, verdict)], form)


@proposals.command("accept")
@click.argument("seen", nargs=-1, required=True, metavar="ID...")
@_who
@outcome_format
@with_store
def accept(folder: StoreFolder, seen: tuple[str, ...], by: str, form: str) -> None:
    """Publish proposals in one change, all or none.

    Exit code 1: they do not conform to what is published by now; then they still wait.
    """
    store = _proposals(folder)
    ids, revisions = _seen(store, seen)

    def publish(quads: str, activity: Activity) -> Outcome | Verdict:
        return publish_here(folder, partial(plan_quads, folder.path, quads, activity))

    outcome = accept_proposals(store, ids, revisions, by, publish)
    if isinstance(outcome, Verdict):
        show_verdict(outcome, form)
    else:
        _tell(outcome, form)


@proposals.command("reject")
@click.argument("seen", nargs=-1, required=True, metavar="ID...")
@click.option("--reason", required=True, help="Why, for the contributor to read.")
@_who
@outcome_format
@with_store
def reject(folder: StoreFolder, seen: tuple[str, ...], reason: str, by: str, form: str) -> None:
    """Reject proposals for a reason, all or none; they are kept."""
    store = _proposals(folder)
    ids, revisions = _seen(store, seen)
    _tell(store.reject(ids, by, reason, revisions=revisions), form)


@proposals.command("withdraw")
@click.argument("number", type=int, metavar="ID")
@_who
@outcome_format
@with_store
def withdraw(folder: StoreFolder, number: int, by: str, form: str) -> None:
    """Take back a proposal of one's own; it is kept."""
    _tell([_proposals(folder).withdraw(number, by)], form)


def _proposals(folder: StoreFolder) -> Proposals:
    return Proposals(folder.path / "proposals.sqlite")


def _find(store: Proposals, state: State | None, contributor: str | None, document: str | None) -> Iterator[Proposal]:
    page = store.find(state=state, contributor=contributor, document=document, limit=MOST)
    while page:
        yield from page
        after = page[-1].id
        page = store.find(state=state, contributor=contributor, document=document, after=after, limit=MOST)


def _seen(store: Proposals, names: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return numbers and revisions; where no revision is said, the newest is meant."""
    ids, revisions = [], []
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None:
            raise ParameterError(f"`{name}` is no proposal", mend="give its number, as 3, or the revision too, as 3@2")
        ids.append(int(match[1]))
        revisions.append(int(match[2]) if match[2] else store.get(ids[-1]).revision)
    return ids, revisions


def _judge(settings: Settings, file: Path, input_format: str | None, by: str, form: str) -> tuple[Submission, Verdict]:
    agent = agent_iri(by)
    [submission] = read_inputs(settings, [file], input_format)
    with make_console(stderr=True).status("validating"):
        verdict = judge_submissions(settings.store, [submission], agent)
    if not verdict.conforms:
        show_verdict(verdict, form)
    return submission, verdict


def _tell(told: list[Proposal], form: str) -> None:
    if form == "json":
        click.echo(json.dumps([asdict(p) for p in told], ensure_ascii=False, indent=2))
        return
    for proposal in told:
        change = f", in change {proposal.change}" if proposal.change else ""
        click.echo(f"proposal {proposal.id}@{proposal.revision}: {proposal.state}{change}")


def _names(proposal: Proposal) -> str:
    return ", ".join(shorten(iri) for iri in proposal.documents)
