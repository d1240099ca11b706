"""The benchmark of the endpoint: Whosays beside Oxigraph's own server and rdflib-endpoint.

All three serve the same triples at once, and take turns under load: one after the other for a short
while, round after round, for each kind of query and number of clients. Before any of it is timed
their answers are compared, and of those that are timed a sample is looked into. What counts is the
ratio within a round, since machines wander; the aims are ratios to Oxigraph's server.

An answer that takes a peer longer than its patience is told as such, and the peer is started anew,
since it would work on. rdflib-endpoint has little patience to spend, and is asked no more where a
case has used it up.
"""

from __future__ import annotations

import statistics
import tempfile
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kg.errors import WhosaysError
from server.bench import say, show_json, show_table
from server.bench_cases import CASES, Case, Question, make_questions, read_rows
from server.bench_peers import DEADLINE, Peer, make_data, make_peers, serving
from server.load import Load, make_load, quantile

SIZE = 100_000
CLIENTS = (1, 8, 32)
ROUNDS = 5
SECONDS = 1.0
OURS, AIMED_AT, SLOW = "whosays", "oxigraph", "rdflib-endpoint"
PEERS = (OURS, AIMED_AT, SLOW)

PATIENCE = 12.0
"""Seconds that rdflib-endpoint may spend on a case with one number of clients, all rounds together."""


@dataclass
class Tally:
    """What was measured of a peer, in one case with so many clients.

    Parameters:
        rates: good answers a second, by round.
        latencies: seconds, of all rounds.
        errors: by what was wrong.
        bytes: of the good answers.
        asked: requests sent, in all rounds.
        spent: seconds of load so far.
        over: seconds in which an answer did not come, and was given up; None where all came.
    """

    rates: dict[int, float] = field(default_factory=dict)
    latencies: array[float] = field(default_factory=lambda: array("d"))
    errors: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    asked: int = 0
    spent: float = 0.0
    over: float | None = None

    def add(self, turn: int, load: Load, patience: float) -> None:
        """Add what came of a round."""
        self.asked += load.asked
        self.spent += load.seconds
        self.errors.update(load.errors)
        if load.unanswered:
            self.over = patience
            return
        self.rates[turn] = load.rate
        self.latencies.extend(load.latencies)
        self.bytes += load.bytes

    @property
    def rate(self) -> float | None:
        """Good answers a second in the median round; None where a round was given up."""
        return statistics.median(self.rates.values()) if self.rates and self.over is None else None

    def ratios(self, other: Tally) -> list[float]:
        """Return how it stands to another, in each round that both ran through."""
        both = self.rates.keys() & other.rates.keys()
        return [self.rates[turn] / other.rates[turn] for turn in sorted(both) if other.rates[turn]]

    def is_ahead_of(self, other: Tally) -> bool:
        """Tell whether it is better in every figure: requests a second, p50, p95 and p99."""
        if self.rate is None or other.rate is None:
            return self.rate is not None
        shares = (0.5, 0.95, 0.99)
        times = ((quantile(self.latencies, s), quantile(other.latencies, s)) for s in shares)
        return self.rate > other.rate and all(ours < theirs for ours, theirs in times)


@dataclass
class Result:
    """A case with so many clients, measured.

    Parameters:
        case: the kind of query.
        clients: how many asked at once.
        tallies: by peer.
    """

    case: Case
    clients: int
    tallies: dict[str, Tally]

    def ratios(self) -> list[float]:
        """Return how we stand to Oxigraph's server, by round."""
        ours, theirs = self.tallies.get(OURS), self.tallies.get(AIMED_AT)
        return ours.ratios(theirs) if ours and theirs else []

    def is_met(self) -> bool | None:
        """Tell whether the aim is met; None where not all peers were measured."""
        if not self.tallies.keys() >= set(PEERS):
            return None
        ours, ratios = self.tallies[OURS], self.ratios()
        if ours.rate is None or ours.errors or not ratios:
            return False
        return statistics.median(ratios) >= self.case.aim(self.clients) and ours.is_ahead_of(self.tallies[SLOW])


def bench_endpoint(
    size: int = SIZE,
    *,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
    only: Sequence[str] = (),
    clients: Sequence[int] = (),
    names: Sequence[str] = (),
    as_json: bool,
) -> None:
    """Measure the endpoint.

    Parameters:
        size: triples.
        rounds: how often every peer has its turn.
        seconds: how long a turn is.
        only: names of cases; all where none is given.
        clients: how many clients; 1, 8 and 32 where none is given.
        names: of peers; all where none is given.
        as_json: print JSON in place of a table.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        say(f"{size:,}: making the data")
        data = make_data(Path(folder), size)
        questions = make_questions(data.database, [case for case in CASES if not only or case.name in only])
        peers = [peer for name, peer in make_peers(data).items() if not names or name in names]
        say(f"{size:,}: starting {', '.join(peer.name for peer in peers)}")
        with serving(peers):
            results = []
            for question in questions:
                say(f"{question.case.name}: comparing the answers")
                compare(question, peers)
                for number in clients or CLIENTS:
                    say(f"{question.case.name}: {number} clients")
                    results.append(measure(question, peers, number, rounds, seconds))
            memory = {peer.name: peer.memory() for peer in peers}
    if as_json:
        show_json(_as_dict(size, rounds, seconds, results, memory))
    else:
        _show(size, rounds, seconds, results, memory)


def compare(question: Question, peers: Sequence[Peer]) -> None:
    """See that all peers give the same answer, and the one that the data has.

    Parameters:
        question: what is asked; it notes who is late.
        peers: the servers.

    Raises:
        WhosaysError: they differ.
    """
    numbers = range(1 if question.case.repeated or question.case.size else 5)
    for number in numbers:
        known: tuple[str, list[str]] | None = None
        for peer in peers:
            if peer.name in question.late:
                continue
            try:
                body = peer.ask(question.query(number), patience=PATIENCE if peer.name == SLOW else DEADLINE)
            except OSError:
                question.late.add(peer.name)
                peer.restart()
                continue
            if not question.is_right(number, body):
                raise _differ(peer.name, "the data", question, number)
            if question.case.ordered:
                rows = read_rows(body)
                known = known or (peer.name, rows)
                if rows != known[1]:
                    raise _differ(peer.name, known[0], question, number)
    question.sent.update({peer.name: len(numbers) for peer in peers})


def _differ(one: str, other: str, question: Question, number: int) -> WhosaysError:
    return WhosaysError(
        f"{one} answers otherwise than {other} to:\n{question.query(number)}", mend="find out which of them is right"
    )


def measure(question: Question, peers: Sequence[Peer], clients: int, rounds: int, seconds: float) -> Result:
    """Measure a case with so many clients, the peers taking turns.

    Parameters:
        question: what is asked.
        peers: the servers; one that is given up on is started anew.
        clients: how many ask at once.
        rounds: how often each has its turn; before them goes a short one that is not counted.
        seconds: how long a turn is.
    """
    case = question.case
    tallies = {peer.name: Tally(over=PATIENCE if peer.name in question.late else None) for peer in peers}
    if case.requests:  # two seconds of work each: 32 clients take the better part of a minute
        rounds = min(rounds, max(2, 24 // clients))
    for turn in range(rounds + 1):
        for peer in peers:
            tally, slow = tallies[peer.name], peer.name == SLOW
            if tally.over is not None or (slow and tally.spent >= PATIENCE) or (not turn and (slow or case.requests)):
                continue
            load = make_load(
                peer.address,
                question.requests(peer),
                clients=clients,
                seconds=seconds if turn else seconds / 4,
                requests=clients * case.requests or None,
                first=question.sent[peer.name],
                check=None if case.requests else question.is_right,
                every=8,
                patience=PATIENCE if slow else DEADLINE,
            )
            question.sent[peer.name] += load.asked
            if load.unanswered:
                peer.restart()
            if not turn:
                tally.errors.update(load.errors)
                continue
            tally.add(turn, load, PATIENCE if slow else DEADLINE)
            if case.requests and load.latencies and not 0.9 < load.bytes / len(load.latencies) / question.size < 1.5:
                tally.errors["wrong"] += len(load.latencies)
        question.late |= {name for name, tally in tallies.items() if tally.over is not None}
    return Result(case, clients, tallies)


def _show(size: int, rounds: int, seconds: float, results: Sequence[Result], memory: dict[str, int]) -> None:
    columns = ["case", "clients", "server", "requests/s (range)", "p50 ms", "p95 ms", "p99 ms", "errors"]
    columns += ["÷ oxigraph (range)", "aim", "met"]
    rows: list[list[object]] = []
    for result in results:
        for place, (name, tally) in enumerate(result.tallies.items()):
            row: list[object] = ["", ""] if place else [result.case.name, result.clients]
            row += [name, *_figures(tally)]
            if name == OURS and (ratios := result.ratios()):
                met = result.is_met()
                row += [_spread(ratios, 2), f"{result.case.aim(result.clients):.2f}"]
                row.append("–" if met is None else "yes" if met else "no")
            else:
                row += ["", "", ""]
            rows.append(row)
    judged = [result.is_met() for result in results if result.is_met() is not None]
    notes = [
        f"{rounds} rounds of {seconds:g} s, the servers taking turns; requests/s: median and range of the rounds.",
        "Met: the aim, and ahead of rdflib-endpoint in every figure.",
        f"> {PATIENCE:g} s: not all had their answer in that time.",
        *([f"Aims met: {sum(map(bool, judged))} of {len(judged)}."] if judged else []),
        f"Memory at the end: {', '.join(f'{name} {bytes_ / 1e6:,.0f} MB' for name, bytes_ in memory.items())}.",
    ]
    show_table(f"the endpoint: {size:,} triples", columns, rows, notes)


def _figures(tally: Tally) -> list[str]:
    errors = ", ".join(f"{count} × {why}" for why, count in tally.errors.items())
    if tally.rate is None:
        told = "–" if tally.over is None else f"> {tally.over:g} s"
        return ["–", told, told, told, errors]
    times = [f"{quantile(tally.latencies, share):,.2f}" for share in (0.5, 0.95, 0.99)]
    return [_spread(list(tally.rates.values()), 0 if tally.rate >= 100 else 2), *times, errors]


def _spread(values: Sequence[float], digits: int) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f})"


def _as_dict(
    size: int, rounds: int, seconds: float, results: Sequence[Result], memory: dict[str, int]
) -> dict[str, object]:
    return {
        "size": size,
        "rounds": rounds,
        "seconds": seconds,
        "results": [
            {
                "case": result.case.name,
                "clients": result.clients,
                "aim": result.case.aim(result.clients),
                "met": result.is_met(),
                "ratios": [round(ratio, 3) for ratio in result.ratios()],
                "peers": {name: _tally_as_dict(tally) for name, tally in result.tallies.items()},
            }
            for result in results
        ],
        "memory_bytes": memory,
    }


def _tally_as_dict(tally: Tally) -> dict[str, object]:
    return {
        "requests_per_second": [round(rate, 2) for rate in tally.rates.values()],
        "p50_ms": round(quantile(tally.latencies, 0.5), 3),
        "p95_ms": round(quantile(tally.latencies, 0.95), 3),
        "p99_ms": round(quantile(tally.latencies, 0.99), 3),
        "answers": len(tally.latencies),
        "bytes": tally.bytes,
        "errors": dict(tally.errors),
        "longer_than_s": tally.over,
    }
