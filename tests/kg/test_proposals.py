"""Proposals: they wait, are decided once, and nothing of them is lost."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kg.errors import ConflictError, NotFoundError, ParameterError, WhosaysError
from kg.proposals import MOST, Proposal, Proposals, Revision
from kg.sqlite_file import SqliteFile

QUADS = "<https://example.org/a> <https://example.org/b> <https://example.org/c> ."


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "proposals.sqlite"


@pytest.fixture
def proposals(path: Path) -> Proposals:
    return Proposals(path)


def send(proposals: Proposals, contributor: str = "anna", *documents: str) -> int:
    return proposals.submit(contributor, QUADS, "application/n-quads", QUADS, documents=documents).id


def edit(proposals: Proposals, proposal: int, revision: int, by: str = "cleo") -> Proposal:
    return proposals.edit(proposal, revision, by, b"edited", "text/turtle", QUADS)


def sound(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        checks = connection.execute("PRAGMA integrity_check").fetchall() + list(
            connection.execute("PRAGMA foreign_key_check")
        )
    return checks == [("ok",)]


def test_a_proposal_waits_with_all_that_was_sent(proposals: Proposals) -> None:
    sent = proposals.submit(
        "anna", b"\xff\x00source", "application/trig", QUADS, documents=["ex:2", "ex:1", "ex:2"], note="see page 3"
    )
    assert proposals.get(sent.id) == sent
    assert sent == Proposal(
        id=1,
        contributor="anna",
        created=sent.created,
        note="see page 3",
        documents=("ex:1", "ex:2"),
        revision=1,
        state="waiting",
    )
    assert sent.created.endswith("+00:00")
    content = Revision(1, 1, "anna", sent.created, b"\xff\x00source", "application/trig", QUADS)
    assert proposals.content(1) == content
    assert proposals.revisions(1) == [content]


def test_an_edit_keeps_every_earlier_revision(proposals: Proposals) -> None:
    send(proposals)
    assert edit(proposals, 1, 1).revision == 2
    edited = proposals.edit(1, 2, "anna", "third", "text/turtle", QUADS + "\n", documents=["ex:new"])
    assert edited.documents == ("ex:new",)
    assert [(r.number, r.by, r.source) for r in proposals.revisions(1)] == [
        (1, "anna", QUADS),
        (2, "cleo", b"edited"),
        (3, "anna", "third"),
    ]
    assert proposals.content(1).quads == QUADS + "\n"


def test_what_was_edited_meanwhile_is_neither_edited_nor_accepted_unread(proposals: Proposals) -> None:
    send(proposals)
    edit(proposals, 1, 1)
    with pytest.raises(ConflictError, match=r"at revision 2, by `cleo`; 1 was seen"):
        edit(proposals, 1, 1)
    with pytest.raises(ConflictError, match="revision 2"):
        proposals.accept([1], [1], "ben", 7)
    with pytest.raises(ConflictError, match="revision 2"):
        proposals.reject([1], "ben", "unclear", revisions=[1])
    assert proposals.get(1).state == "waiting"
    assert proposals.accept([1], [2], "ben", 7)[0].change == 7


def test_a_rejected_proposal_keeps_the_reason(proposals: Proposals) -> None:
    send(proposals)
    (rejected,) = proposals.reject([1], "ben", "the passage says the contrary")
    assert (rejected.state, rejected.decided_by, rejected.reason) == (
        "rejected",
        "ben",
        "the passage says the contrary",
    )
    assert proposals.content(1).quads == QUADS


@pytest.mark.parametrize("reason", ["", " \n"])
def test_nothing_is_rejected_without_a_reason(proposals: Proposals, reason: str) -> None:
    send(proposals)
    with pytest.raises(ParameterError, match="without a reason"):
        proposals.reject([1], "ben", reason)
    assert proposals.get(1).state == "waiting"


def test_only_its_contributor_withdraws_a_proposal(proposals: Proposals) -> None:
    send(proposals)
    with pytest.raises(ParameterError, match="`anna`'s"):
        proposals.withdraw(1, "ben")
    assert proposals.withdraw(1, "anna").state == "withdrawn"


DECISIONS: dict[str, Callable[[Proposals], object]] = {
    "edit": lambda p: edit(p, 1, 1),
    "accept": lambda p: p.accept([1], [1], "dora", 8),
    "reject": lambda p: p.reject([1], "dora", "unclear"),
    "withdraw": lambda p: p.withdraw(1, "anna"),
    "mark_published": lambda p: p.mark_published([1], 8, "dora"),
}


@pytest.mark.parametrize("again", DECISIONS)
@pytest.mark.parametrize("first", ["accept", "reject", "withdraw"])
def test_what_is_decided_stays_decided_and_the_error_says_by_whom(proposals: Proposals, first: str, again: str) -> None:
    send(proposals)
    if first == "accept":
        proposals.accept([1], [1], "ben", 7)
    elif first == "reject":
        proposals.reject([1], "ben", "unclear")
    else:
        proposals.withdraw(1, "anna")
    before = proposals.get(1)
    with pytest.raises(ConflictError, match=rf"proposal 1 waits no more: it was \w+ by `{before.decided_by}` on 2"):
        DECISIONS[again](proposals)
    assert proposals.get(1) == before
    assert len(proposals.revisions(1)) == 1


def test_many_are_decided_all_or_none(proposals: Proposals) -> None:
    for _ in range(4):
        send(proposals)
    proposals.reject([2], "ben", "unclear")
    proposals.withdraw(3, "anna")
    with pytest.raises(ConflictError, match=r"proposal 2 .* proposal 3 "):
        proposals.accept([1, 2, 3, 4], [1, 1, 1, 1], "ben", 7)
    with pytest.raises(ConflictError):
        proposals.reject([1, 4, 2], "ben", "unclear")
    with pytest.raises(NotFoundError, match="no proposal 9"):
        proposals.mark_published([1, 4, 9], 7, "ben")
    assert [p.id for p in proposals.find(state="waiting")] == [1, 4]
    assert [p.id for p in proposals.accept([4, 1], [1, 1], "ben", 7)] == [4, 1]


def test_what_is_published_is_marked_and_only_then(proposals: Proposals) -> None:
    send(proposals)
    with pytest.raises(WhosaysError, match="shapes"), proposals.deciding([1], [1], "ben"):
        raise WhosaysError("breaks the shapes")
    with proposals.deciding([1], [1], "ben") as waiting:
        assert proposals.get(1).state == "waiting"
        assert send(proposals) == 2, "submitting goes on meanwhile"
        assert [revision.quads for revision in waiting.revisions] == [QUADS]
        waiting.accepted(7)
        with pytest.raises(ConflictError):
            waiting.accepted(8)
    assert proposals.get(1).change == 7


def test_a_block_that_says_nothing_of_a_change_marks_nothing(proposals: Proposals) -> None:
    send(proposals)
    with proposals.deciding([1], [1], "ben"):
        pass
    assert proposals.get(1).state == "waiting"


@pytest.mark.parametrize("other", DECISIONS)
def test_while_one_decides_others_wait(proposals: Proposals, path: Path, other: str) -> None:
    send(proposals)
    raised: list[Exception] = []

    def decide() -> None:
        try:
            DECISIONS[other](Proposals(path))
        except WhosaysError as error:
            raised.append(error)

    with proposals.deciding([1], [1], "ben") as waiting:
        thread = threading.Thread(target=decide)
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        waiting.accepted(7)
    thread.join(20)
    assert [type(error) for error in raised] == [ConflictError]
    assert proposals.get(1).decided_by == "ben"
    assert proposals.get(1).revision == 1


def test_one_who_waits_too_long_is_told(proposals: Proposals, monkeypatch: pytest.MonkeyPatch) -> None:
    send(proposals)
    monkeypatch.setattr(SqliteFile, "WAIT", 0.05)
    with (
        proposals.deciding([1], [1], "ben"),
        pytest.raises(WhosaysError, match="somebody else"),
        proposals.deciding([1], [1], "dora"),
    ):
        pass


def test_marking_what_a_change_published_may_be_done_again(proposals: Proposals) -> None:
    for _ in range(3):
        send(proposals)
    proposals.accept([2], [1], "ben", 7)
    before = proposals.get(2)
    first = proposals.mark_published([1, 2, 3], 7, "dora")
    assert [(p.state, p.change, p.decided_by) for p in first] == [
        ("accepted", 7, "dora"),
        ("accepted", 7, "ben"),
        ("accepted", 7, "dora"),
    ]
    assert first[1] == before
    assert proposals.mark_published([1, 2, 3], 7, "cleo") == first
    with pytest.raises(ConflictError, match="in change 7"):
        proposals.mark_published([1], 8, "dora")


def test_proposals_are_found_by_state_contributor_and_document_page_by_page(proposals: Proposals) -> None:
    for number in range(10):
        send(proposals, "anna" if number % 2 else "ben", "ex:even" if number < 5 else "ex:odd", f"ex:{number}")
    proposals.reject([2, 4], "cleo", "unclear")

    def numbers(found: list[Proposal]) -> list[int]:
        return [p.id for p in found]

    assert numbers(proposals.find()) == list(range(1, 11))
    assert numbers(proposals.find(contributor="anna", state="waiting")) == [6, 8, 10]
    assert numbers(proposals.find(document="ex:even", contributor="anna")) == [2, 4]
    assert numbers(proposals.find(document="ex:nowhere")) == []
    assert numbers(proposals.find(limit=4)) == [1, 2, 3, 4]
    assert numbers(proposals.find(limit=4, after=8)) == [9, 10]


def test_reading_where_there_are_none_makes_no_file(proposals: Proposals, path: Path) -> None:
    assert proposals.find() == []
    with pytest.raises(NotFoundError, match="no proposal 1"):
        proposals.get(1)
    assert not path.exists()


WRONG: dict[str, Callable[[Proposals], object]] = {
    "no page": lambda p: p.find(limit=0),
    "page too long": lambda p: p.find(limit=MOST + 1),
    "after nothing": lambda p: p.find(after=-1),
    "after too much": lambda p: p.find(after=2**63),
    "no state": lambda p: p.find(state="open"),  # type: ignore[arg-type]
    "half a character to look for": lambda p: p.find(document="\ud800"),
    "nobody": lambda p: send(p, "Anna Doe"),
    "nobody decides": lambda p: p.accept([1], [1], "", 7),
    "no quads": lambda p: p.submit("anna", "", "text/turtle", " \n"),
    "half a character in the source": lambda p: p.submit("anna", "\ud800", "text/turtle", QUADS),
    "half a character in the note": lambda p: p.submit("anna", "", "text/turtle", QUADS, note="\udfff"),
    "half a character in the reason": lambda p: p.reject([1], "ben", "\ud800"),
    "none named": lambda p: p.reject([], "ben", "unclear"),
    "one named twice": lambda p: p.accept([1, 1], [1, 1], "ben", 7),
    "too few revisions": lambda p: p.accept([1], [], "ben", 7),
    "too many revisions": lambda p: p.accept([1], [1, 1], "ben", 7),
    "no change": lambda p: p.accept([1], [1], "ben", 0),
    "change too large": lambda p: p.mark_published([1], 2**63, "ben"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_parameter_is_told_and_alters_nothing(proposals: Proposals, case: str) -> None:
    send(proposals)
    before = proposals.find()
    with pytest.raises(ParameterError, match="mend: "):
        WRONG[case](proposals)
    assert proposals.find() == before


@pytest.mark.parametrize("number", [0, -1, 2, 2**63, 2**200])
def test_a_number_that_nothing_has_is_told(proposals: Proposals, number: int) -> None:
    send(proposals)
    calls: list[Callable[[], object]] = [
        lambda: proposals.get(number),
        lambda: proposals.content(number),
        lambda: proposals.revisions(number),
        lambda: proposals.withdraw(number, "anna"),
        lambda: edit(proposals, number, 1),
        lambda: proposals.accept([number], [1], "ben", 7),
    ]
    for call in calls:
        with pytest.raises(NotFoundError, match=f"no proposal {number}"):
            call()


def test_a_revision_that_sqlite_cannot_count_is_a_conflict(proposals: Proposals) -> None:
    send(proposals)
    with pytest.raises(ConflictError):
        edit(proposals, 1, 2**200)


DECIDE = """
import sys, time
from pathlib import Path
from kg.errors import ConflictError
from kg.proposals import Proposals
proposals = Proposals(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
try:
    with proposals.deciding([1, 2], [1, 1], sys.argv[2]) as waiting:
        time.sleep(0.3)
        waiting.accepted(int(sys.argv[3]))
    print("won", flush=True)
except ConflictError as error:
    print(error.problem, flush=True)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_of_processes_that_decide_at_once_one_wins(proposals: Proposals, path: Path) -> None:
    send(proposals)
    send(proposals)
    rivals = {name: start(DECIDE, path, name, number) for number, name in enumerate(["ben", "dora", "emil"], 7)}
    for rival in rivals.values():
        assert rival.stdout
        assert rival.stdout.readline() == "ready\n"
    for rival in rivals.values():
        assert rival.stdin
        rival.stdin.write("go\n")
        rival.stdin.flush()
    said = {name: rival.communicate(timeout=60)[0] for name, rival in rivals.items()}
    (winner,) = [name for name, words in said.items() if words == "won\n"]
    assert all(f"by `{winner}`" in words for name, words in said.items() if name != winner)
    assert {p.decided_by for p in proposals.find()} == {winner}
    assert len({p.change for p in proposals.find()}) == 1


DIE_IN_A_TRANSACTION = """
import os, signal, sys
from pathlib import Path
from kg.proposals import Proposals
proposals = Proposals(Path(sys.argv[1]))
with proposals._file.writing() as connection:
    connection.execute("UPDATE proposal SET note = 'half done'")
    connection.execute("PRAGMA cache_spill = 1")
    connection.execute("INSERT INTO revision SELECT 1, 2, 'ben', '', zeroblob(20000000), '', ''")
    os.kill(os.getpid(), signal.SIGKILL)
"""

DIE_WHILE_DECIDING = """
import os, signal, sys
from pathlib import Path
from kg.proposals import Proposals
with Proposals(Path(sys.argv[1])).deciding([1], [1], "ben"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("code", [DIE_IN_A_TRANSACTION, DIE_WHILE_DECIDING])
def test_a_process_that_is_killed_leaves_the_file_sound_and_unlocked(
    proposals: Proposals, path: Path, code: str
) -> None:
    send(proposals)
    before = proposals.get(1), proposals.revisions(1)
    with start(code, path) as process:
        assert process.wait(timeout=60) == -signal.SIGKILL
    assert (proposals.get(1), proposals.revisions(1)) == before
    assert sound(path)
    assert proposals.accept([1], [1], "dora", 7)[0].decided_by == "dora"


SUBMIT_ON_AND_ON = """
import sys
from pathlib import Path
from kg.proposals import Proposals
proposals = Proposals(Path(sys.argv[1]))
while True:
    sent = proposals.submit("anna", "x" * 50_000, "text/turtle", "<ex:a> <ex:b> <ex:c> .", documents=["ex:d"])
    print(sent.id, flush=True)
"""


@pytest.mark.parametrize("count", [1, 7, 30])
def test_what_was_answered_before_a_kill_is_there_after_it(proposals: Proposals, path: Path, count: int) -> None:
    with start(SUBMIT_ON_AND_ON, path) as process:
        assert process.stdout
        answered = [int(process.stdout.readline()) for _ in range(count)]
        os.kill(process.pid, signal.SIGKILL)
        answered += [int(line) for line in process.stdout if line.endswith("\n")]
    assert sound(path)
    found = proposals.find(document="ex:d", limit=MOST)
    assert {p.id for p in found} >= set(answered)
    assert all(proposals.content(p.id).source == "x" * 50_000 for p in found)
