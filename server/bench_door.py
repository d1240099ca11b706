"""The benchmark of the door: what one new assertion costs, on graphs of growing size.

A corpus is generated, and a real server started on it. One new assertion, with the author's report,
a proposition and a passage, held by an ordinary agent or by the one with most assertions (the worst
hub), about the state that is spoken of most, is

- validated and published in this process, with the store open as the writer has it;
- validated, published and asked back over HTTP.

The cases take turns. Beside them, once for each size up to a limit, a full run of pySHACL on the
whole graph, by the same shapes in the form that is quickest for it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox

from kg.change import View
from kg.names import ID
from kg.publisher import Plan, commit_to, history, publish
from kg.store import Snapshot, StoreFolder
from kg.tokens import Tokens
from kg.validation import validate
from loaders.judging import judge_submissions, plan_submissions, warm_up
from loaders.submissions import Submission
from server.bench import Times, free_port, generated_store, say, show_json, show_table

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
FULL_LIMIT = 1_000_000
"""Quads beyond which a full run is extrapolated."""

ROUNDS, EACH = 5, 12
_AGENT = ID + "bench"
_CASES = ("ordinary", "hub")

_TURTLE = """
@prefix ws: <https://w3id.org/whosays/ontology#> .
@prefix id: <https://w3id.org/whosays/id/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
<{document}/bench{n}> a ws:Assertion ; ws:holder <{holder}> ; ws:holderBasis ws:holderBasis-named {quantifier};
  ws:act ws:act-states ; ws:polarity ws:polarity-affirms ; ws:certainty ws:certainty-unhedged ;
  ws:basis ws:basis-stated ; ws:statedIn <{document}> ; ws:evidencedBy <{document}/{n}-{end}> ;
  ws:proposition id:bench-{n} ;
  ws:coder <{coder}> ; ws:coded "2026-01-01"^^xsd:date ; ws:status ws:status-published .
<{document}/bench{n}/report> a ws:Assertion ; ws:holder <{creator}> ; ws:holderBasis ws:holderBasis-named ;
  ws:act ws:act-reports ; ws:polarity ws:polarity-affirms ; ws:certainty ws:certainty-unhedged ;
  ws:basis ws:basis-stated ; ws:statedIn <{document}> ; ws:evidencedBy <{document}/{n}-{end}> ;
  ws:reports <{document}/bench{n}> ; ws:coder <{coder}> ; ws:coded "2026-01-01"^^xsd:date ;
  ws:status ws:status-published .
id:bench-{n} a ws:Relation ; ws:gloss "The measured bridge {n} holds."@en ; ws:about <{state}> ;
  ws:subject <{state}> ; ws:relation ws:relation-cooperatesWith .
<{document}/{n}-{end}> a ws:Passage ; ws:inDocument <{document}> ; ws:start {n} ; ws:end {end} ;
  ws:digest "0123456789abcdef" .
"""


@dataclass(frozen=True)
class Scene:
    """What new assertions are made of.

    Parameters:
        document, creator, coder, state: IRIs.
        holders: by case, the holder and whether it is a population.
        degrees: by case, how many assertions the holder has.
    """

    document: str
    creator: str
    coder: str
    state: str
    holders: dict[str, tuple[str, bool]]
    degrees: dict[str, int]

    def submission(self, case: str, n: int) -> Submission:
        """Make the n-th new assertion."""
        holder, population = self.holders[case]
        text = _TURTLE.format(
            document=self.document,
            creator=self.creator,
            coder=self.coder,
            state=self.state,
            holder=holder,
            quantifier="; ws:holderQuantifier ws:quantifier-many " if population else "",
            n=n,
            end=n + 1,
        )
        return Submission(text.encode(), "turtle", "bench.ttl")


@dataclass
class Figures:
    """What was measured at one size.

    Parameters:
        size: quads asked for.
        rounds: of `EACH`.
        quads: quads in the store, what is inferred included.
        hub: assertions of the worst hub.
        times: by what was done and case.
        full: seconds of the full runs.
        extrapolated: seconds of a full run, reckoned from a smaller size.
    """

    size: int
    rounds: int
    quads: int = 0
    hub: int = 0
    times: dict[str, Times] = field(default_factory=dict)
    full: Times = field(default_factory=Times)
    extrapolated: float | None = None

    def of(self, what: str, case: str) -> Times:
        """Return the times of one thing done."""
        return self.times.setdefault(f"{what}, {case}", Times())


def bench_door(
    sizes: tuple[int, ...] = SIZES, *, rounds: int = ROUNDS, as_json: bool, folder: Path | None, full_limit: int
) -> None:
    """Measure the door.

    Parameters:
        sizes: quads.
        rounds: of `EACH`, at every size.
        as_json: print JSON in place of a table.
        folder: where the stores are kept and looked for; None for a place that is cleared.
        full_limit: quads up to which a full run is made.
    """
    measured: list[Figures] = []
    for size in sizes:
        with generated_store(folder, "door", size) as store:
            figures = measure(store, size, rounds=rounds, full=size <= full_limit)
        last = next((f for f in reversed(measured) if f.full.seconds), None)
        if not figures.full.seconds and last is not None:
            figures.extrapolated = last.full.median / 1_000 * figures.quads / last.quads
        measured.append(figures)
    if as_json:
        show_json([_as_dict(f) for f in measured])
    else:
        _show(measured)


def measure(folder: StoreFolder, size: int, *, rounds: int, full: bool) -> Figures:
    """Measure one size.

    Parameters:
        folder: a store filled with a corpus.
        size: quads asked for.
        rounds: of `EACH`.
        full: make a full run too.
    """
    figures = Figures(size, rounds)
    with folder.snapshot() as snapshot:
        figures.quads = len(snapshot.store)
        scene = find_scene(snapshot)
        figures.hub = scene.degrees["hub"]
        if full:
            triples = list(View(snapshot.store).triples())
            say(f"{size:,}: full run of pySHACL on {len(triples):,} asserted triples")
            for _ in range(3 if size <= 10_000 else 1):
                assert figures.full.time(lambda: validate(triples)).conforms
            del triples
    numbers = count(2 * int(folder.current_name() or 0))  # a store that is kept has some already
    say(f"{size:,}: in process")
    _measure_here(folder, scene, figures, numbers)
    say(f"{size:,}: over HTTP")
    _measure_http(folder, scene, figures, numbers)
    return figures


def find_scene(snapshot: Snapshot) -> Scene:
    """Find a document, an ordinary holder, the worst hub and the state that is spoken of most."""

    def ask(query: str) -> list[tuple[str, int]]:
        rows = snapshot.query(query)
        assert isinstance(rows, ox.QuerySolutions)
        return [(row[0].value, int(row[1].value)) for row in rows]

    holders = ask("SELECT ?h (COUNT(*) AS ?n) { ?a ws:holder ?h } GROUP BY ?h ORDER BY DESC(?n)")
    populations = {iri for iri, _ in ask("SELECT ?c (1 AS ?n) { ?c a ws:Collective }")}
    joint = {iri for iri, _ in ask("SELECT DISTINCT ?c (1 AS ?n) { ?c ws:hasMember ?m }")}
    state = ask("SELECT ?s (COUNT(*) AS ?n) { ?s a ws:State . ?p ws:about ?s } GROUP BY ?s ORDER BY DESC(?n) LIMIT 1")
    document = ask("SELECT ?d ?n { ?d ws:digest ?x ; ws:textLength ?n ; ws:language ?l } ORDER BY DESC(?n) LIMIT 1")[0][
        0
    ]
    creator = ask(f"SELECT ?c (1 AS ?n) {{ <{document}> ws:creator ?c }} LIMIT 1")[0][0]
    coder = ask("SELECT ?c (1 AS ?n) { ?a ws:coder ?c } LIMIT 1")[0][0]
    others = [(iri, n) for iri, n in holders if iri not in (creator, coder)]
    chosen = {"hub": others[0], "ordinary": others[len(others) // 2]}
    return Scene(
        document,
        creator,
        coder,
        state[0][0],
        {case: (iri, iri in populations and iri not in joint) for case, (iri, _) in chosen.items()},
        {case: n for case, (_, n) in chosen.items()},
    )


def _measure_here(folder: StoreFolder, scene: Scene, figures: Figures, numbers: Iterator[int]) -> None:
    warm_up(folder.path)
    with folder.writer() as writer, history(folder).kept_open():

        def commit(_folder: StoreFolder, plan: Plan) -> str:
            return commit_to(writer, plan)

        for turn in range(figures.rounds + 1):
            for _ in range(EACH):
                for case in _CASES:
                    one = scene.submission(case, next(numbers))
                    seen = Times() if not turn else figures.of("validate", case)  # the first round warms up
                    verdict = seen.time(partial(judge_submissions, folder.path, [one], _AGENT))
                    assert verdict.conforms, verdict.findings
                    seen = Times() if not turn else figures.of("validate and commit", case)
                    seen.time(partial(_publish, folder, one, commit))
                    time.sleep(0.03)  # the next snapshot is opened ahead, as between two people's requests


def _publish(folder: StoreFolder, one: Submission, commit: Callable[[StoreFolder, Plan], str]) -> None:
    def plan() -> Plan:
        made = plan_submissions(folder.path, [one], _AGENT)
        assert isinstance(made, Plan), made
        return made

    publish(folder, plan, commit)


def _measure_http(folder: StoreFolder, scene: Scene, figures: Figures, numbers: Iterator[int]) -> None:
    secret = Tokens(folder.path / "tokens.sqlite").make("bench", "curator", days=1)
    with _server(folder) as client:
        for turn in range(figures.rounds + 1):
            for _ in range(EACH):
                for case in _CASES:
                    n = next(numbers)
                    body = scene.submission(case, n).data
                    seen = Times() if not turn else figures.of("validate over HTTP", case)
                    status, text = seen.time(partial(client.send, "POST", "/validate", body))
                    assert '"conforms": true' in text, text
                    start = time.perf_counter()
                    seen = Times() if not turn else figures.of("publish over HTTP", case)
                    status, text = seen.time(partial(client.send, "POST", "/assertions", body, secret))
                    assert status == 201, text
                    question = f"ASK {{ <{scene.document}/bench{n}> a ws:Assertion ; ws:standing ?standing }}"
                    address = f"/sparql?format=csv&query={quote(question)}"
                    while "true" not in client.send("GET", address)[1]:
                        assert time.perf_counter() < start + 60, "the new assertion is not served"
                    if turn:
                        figures.of("until it is served", case).seconds.append(time.perf_counter() - start)
                    time.sleep(0.03)


class _Client:
    """One connection to a server, kept open."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=120)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def send(self, method: str, path: str, body: bytes | None = None, secret: str = "") -> tuple[int, str]:
        """Send a request and read the answer."""
        headers = {"Content-Type": "text/turtle"} if body else {}
        if secret:
            headers["Authorization"] = f"Bearer {secret}"
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode()


@contextmanager
def _server(folder: StoreFolder) -> Iterator[_Client]:
    port = free_port()
    command = [sys.executable, "-m", "server.command", "serve", "--port", str(port), "--store", str(folder.path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    try:
        for _ in range(600):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        client = _Client(port)
        yield client
        client.close()
    finally:
        process.terminate()
        process.wait(60)


def _full(figures: Figures) -> str:
    if figures.full.seconds:
        return f"{figures.full.median / 1_000:,.1f} s"
    return f"≈ {figures.extrapolated:,.0f} s" if figures.extrapolated else "–"


def _ratio(figures: Figures) -> str:
    seconds = figures.full.median / 1_000 if figures.full.seconds else figures.extrapolated
    median = figures.of("validate", "ordinary").median
    return f"{seconds * 1_000 / median:,.0f} ×" if seconds else "–"


def _show(measured: list[Figures]) -> None:
    steps = list(dict.fromkeys(key for f in measured for key in f.times))
    columns = ["milliseconds: median (p95)", *(f"{f.size:,}" for f in measured)]
    rows: list[list[object]] = [
        ["quads in the store", *(f"{f.quads:,}" for f in measured)],
        ["assertions of the hub", *(f"{f.hub:,}" for f in measured)],
        *([step, *(f.times.get(step, Times()) for f in measured)] for step in steps),
        ["full run of pySHACL", *map(_full, measured)],
        ["full run ÷ validate, ordinary", *map(_ratio, measured)],
    ]
    rounds = measured[0].rounds if measured else 0
    notes = [f"{rounds} rounds of {EACH}, the cases taking turns; ≈ is extrapolated from the largest size measured."]
    show_table("the door: one new assertion, with report, proposition and passage", columns, rows, notes)


def _as_dict(figures: Figures) -> dict[str, object]:
    return {
        "size": figures.size,
        "quads": figures.quads,
        "hub_assertions": figures.hub,
        "times": {key: times.as_dict() for key, times in figures.times.items()},
        "full_pyshacl": figures.full.as_dict(),
        "full_pyshacl_extrapolated_s": figures.extrapolated,
    }
