"""Deciding: what HTTP and the command line do alike with what was judged.

What conforms is published, or put among the proposals; proposals are accepted by publishing them.
Where judging happens (in a cell, or in the process itself) is for the caller to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kg.errors import ParameterError
from kg.names import ID
from kg.proposals import Proposal, Proposals
from kg.provenance import Activity
from kg.publisher import Outcome, Plan, publish
from kg.store import StoreFolder
from kg.writing import commit
from loaders.judging import Verdict
from loaders.submissions import Submission
from loaders.syntaxes import find_syntax


class _NotConforming(Exception):
    """Ends the publishing of what does not conform."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__()
        self.verdict = verdict


def publish_planned(folder: StoreFolder, plan: Callable[[], Plan | Verdict | Outcome]) -> Outcome | Verdict:
    """Publish what was planned.

    Parameters:
        folder: the store; where a service runs, its writer commits.
        plan: makes the plan on the newest state, such as `loaders.judging.plan_submissions`; called again where
            another change came first.

    Returns:
        What was published; the verdict where it does not conform.

    Raises:
        WhosaysError: as `plan` and `kg.writing.commit` raise it.
    """

    def make() -> Plan | Outcome:
        made = plan()
        if isinstance(made, Verdict):
            raise _NotConforming(made)
        return made

    try:
        return publish(folder, make, commit)
    except _NotConforming as refusal:
        return refusal.verdict


def propose(
    proposals: Proposals, contributor: str, submission: Submission, verdict: Verdict, *, note: str = ""
) -> Proposal:
    """Put what conforms among the proposals.

    Parameters:
        proposals: of the store.
        contributor: slug of the agent who sends it.
        submission: as it was sent.
        verdict: on it.
        note: words to the curator.

    Raises:
        ParameterError: all of it is published already, or it would take something out; see also
            `kg.proposals.Proposals.submit`.
    """
    media_type = find_syntax(submission.form).media_types[0]
    return proposals.submit(
        contributor, submission.data, media_type, _new(verdict), documents=verdict.documents, note=note
    )


def revise(
    proposals: Proposals, proposal: int, revision: int, by: str, submission: Submission, verdict: Verdict
) -> Proposal:
    """Put a new version of a proposal, which conforms, in front of the old ones.

    Parameters:
        proposals: of the store.
        proposal: its number.
        revision: the newest one that the editor has seen.
        by: slug of the agent who edits.
        submission: as it was sent.
        verdict: on it.

    Raises:
        ParameterError: all of it is published already.
        NotFoundError, ConflictError, WhosaysError: see `kg.proposals.Proposals.edit`.
    """
    media_type = find_syntax(submission.form).media_types[0]
    return proposals.edit(
        proposal, revision, by, submission.data, media_type, _new(verdict), documents=verdict.documents
    )


def accept_proposals(
    proposals: Proposals,
    ids: Sequence[int],
    revisions: Sequence[int],
    curator: str,
    publish_quads: Callable[[str, Activity], Outcome | Verdict],
) -> list[Proposal] | Verdict:
    """Publish proposals in one change and mark them as accepted.

    Parameters:
        proposals: of the store.
        ids: their numbers.
        revisions: of each, the newest one that the curator has seen.
        curator: slug of the agent who accepts.
        publish_quads: publishes N-Quads for a purpose; see `loaders.judging.plan_quads`.

    Returns:
        The proposals; the verdict where they do not conform to what is published now.

    Raises:
        NotFoundError, ConflictError, ParameterError, WhosaysError: see `kg.proposals.Proposals.deciding`.
    """
    with proposals.deciding(ids, revisions, curator) as waiting:
        quads = "".join(revision.quads for revision in waiting.revisions)
        names = ", ".join(str(p.id) for p in waiting.proposals)
        source = ", ".join(f"proposal {r.proposal}, revision {r.number}" for r in waiting.revisions)
        by = ", ".join(sorted({p.contributor for p in waiting.proposals}))
        note = f"accepts proposal{'s' if len(ids) > 1 else ''} {names} by {by}"
        outcome = publish_quads(quads, Activity(ID + curator, "accept", note, source))
        if isinstance(outcome, Outcome):
            return waiting.accepted(outcome.number or int(outcome.snapshot))
    return outcome


def _new(verdict: Verdict) -> str:
    if verdict.takes_out:
        raise ParameterError(
            "this would take out or alter what is published, and a proposal only adds",
            mend="propose new assertions that supersede the old ones; a curator replaces entries and documents",
        )
    if not verdict.quads:
        raise ParameterError("all of this is published already", mend="propose what is not")
    return verdict.quads
