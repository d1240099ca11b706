"""Telling: what the history, a publication and a proposal are in JSON, over HTTP and on the command line alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from kg.history import Entry
from kg.names import shorten
from kg.proposals import Proposal, Revision
from kg.publisher import Outcome


def tell_entry(entry: Entry) -> dict[str, object]:
    """Return a change of the history as JSON has it.

    >>> from kg.provenance import Activity
    >>> activity = Activity("https://w3id.org/whosays/id/anna", "add")
    >>> tell_entry(Entry(1, "2026-01-01T00:00:00+00:00", activity, "", "", 2, 0))["by"]
    'anna'
    """
    return {
        "change": entry.number,
        "at": entry.at,
        "by": shorten(entry.activity.agent),
        "kind": entry.activity.kind,
        "note": entry.activity.note,
        "source": entry.activity.source,
        "undoes": entry.activity.undoes,
        "added": entry.added,
        "removed": entry.removed,
        "shapes": entry.shapes,
        "ontology": entry.ontology,
    }


def tell_outcome(outcome: Outcome) -> dict[str, object]:
    """Return what was published as JSON has it.

    >>> from kg.validation import NOTHING_WRONG
    >>> tell_outcome(Outcome("000007", 7, NOTHING_WRONG, 3, 0))
    {'snapshot': '000007', 'change': 7, 'added': 3, 'removed': 0, 'warnings': []}
    """
    return {
        "snapshot": outcome.snapshot,
        "change": outcome.number,
        "added": outcome.added_quads,
        "removed": outcome.removed_quads,
        "warnings": [asdict(r) for r in outcome.report.results],
    }


def tell_proposal(proposal: Proposal, revisions: Iterable[Revision]) -> dict[str, object]:
    """Return a proposal as JSON has it, with every version of its content."""
    return asdict(proposal) | {"revisions": [asdict(r) | {"source": source_text(r)} for r in revisions]}


def source_text(revision: Revision) -> str:
    """Return the content of a proposal as it was sent, as text.

    >>> source_text(Revision(1, 1, "anna", "", b"id: a", "application/yaml", ""))
    'id: a'
    """
    source = revision.source
    return source.decode("utf-8", "replace") if isinstance(source, bytes) else source
