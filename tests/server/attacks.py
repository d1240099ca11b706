"""Attacks on the endpoint: queries that are bombs, connections that mean no good, a server to try them on.

`DEEP` bombs nest, or go on and on, until the engine's stack is full; they may be answered, refused, or end
their worker. `ENDLESS` ones take hours, or all memory, and must be stopped. `LARGE` are large and honest, and
must be answered. What is asked between two attacks is a point query whose answer is known.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, IncompleteRead
from pathlib import Path
from urllib.parse import quote, urlencode

import pyoxigraph as ox

from server.bench_peers import RESULTS, Peer, descendants
from server.load import Load, make_load

E = "http://example.org/"
SUBJECTS = 5_000
"""Subjects in the database: each points to the next, to one of the others and to one of seven kinds, and has a name."""

QUERY = "application/sparql-query"
FORM = "application/x-www-form-urlencoded"

_cross = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i"
_prefix = f"PREFIX e: <{E}> "
_fresh = itertools.count()


def _nest(count: int, before: str, inside: str, after: str) -> str:
    return before * count + inside + after * count


def _numbered(count: int, text: str) -> str:
    """Repeat a text with numbers: `@0` is its own, `@1` the next one."""
    return "".join(text.replace("@0", str(n)).replace("@1", str(n + 1)) for n in range(count))


def _where(inside: str) -> str:
    return f"{_prefix}SELECT * WHERE {{ {inside} }}"


def _value(expression: str) -> str:
    return _where(f"BIND({expression} AS ?x)")


DEEP: dict[str, Callable[[int], str]] = {
    "groups": lambda n: _where(_nest(n, "{", "", "}")),
    "groups, unclosed": lambda n: _where("{" * n),
    "groups of patterns": lambda n: _where(_nest(n, "{ ?s e:p ?o ", "", "}")),
    "OPTIONAL in OPTIONAL": lambda n: _where(_nest(n, "OPTIONAL { ?s e:p ?o ", "", "}")),
    "OPTIONAL after OPTIONAL": lambda n: _where("e:s1 e:p ?v0 " + _numbered(n, "OPTIONAL { ?v@0 e:p ?v@1 } ")),
    "BIND after BIND": lambda n: _where("BIND(1 AS ?v0) " + _numbered(n, "BIND(?v@0+1 AS ?v@1) ")),
    "UNION after UNION": lambda n: _where("{}" + " UNION {}" * n),
    "UNION in UNION": lambda n: _where(_nest(n, "{} UNION {", "", "}")),
    "MINUS in MINUS": lambda n: _where(_nest(n, "?s e:p ?o MINUS { ", "?s e:p ?o", "}")),
    "MINUS after MINUS": lambda n: _where("e:s1 e:p ?o " + "MINUS { ?o e:p e:s1 } " * n),
    "GRAPH in GRAPH": lambda n: _where(_nest(n, "GRAPH ?g { ", "?s e:p ?o", "}")),
    "path: one after the other": lambda n: _where(f"e:s1 {'/'.join(['e:p'] * n)} ?o"),
    "path: or": lambda n: _where(f"e:s1 {'|'.join(['e:p'] * n)} ?o"),
    "path: + of +": lambda n: _where(f"e:s4990 {_nest(n, '(', 'e:p', ')+')} ?o"),
    "path: * of *": lambda n: _where(f"e:s4990 {_nest(n, '(', 'e:p', ')*')} ?o"),
    "path: ? of +": lambda n: _where(f"e:s4990 ({_nest(n, '(', 'e:p', ')?')})+ ?o"),
    "path: inverse of inverse": lambda n: _where(f"e:s1 {_nest(n, '^(', 'e:p', ')')} ?o"),
    "path: brackets": lambda n: _where(f"e:s1 {_nest(n, '(', 'e:p', ')')} ?o"),
    "EXISTS in EXISTS": lambda n: _where("e:s1 e:p ?o " + _nest(n, "FILTER EXISTS { ?s e:p ?o ", "", "}")),
    "EXISTS after EXISTS": lambda n: _where("e:s1 e:p ?o " + "FILTER EXISTS { ?o e:p ?q } " * n),
    "FILTER brackets": lambda n: _where(f"e:s1 e:p ?o FILTER({_nest(n, '(', 'true', ')')})"),
    "FILTER after FILTER": lambda n: _where("e:s1 e:p ?o " + "FILTER(?o != e:s1) " * n),
    "FILTER: not not": lambda n: _where(f"e:s1 e:p ?o FILTER({'!' * n}true)"),
    "FILTER: and": lambda n: _where(f"e:s1 e:p ?o FILTER({'&&'.join(['true'] * n)})"),
    "FILTER: or": lambda n: _where(f"e:s1 e:p ?o FILTER({'||'.join(['false'] * n)})"),
    "subselects": lambda n: _where(_nest(n, "{ SELECT * { ", "e:s1 e:p ?o", "} }")),
    "subselects that count": lambda n: _where(_nest(n, "{ SELECT (COUNT(*) AS ?n) { ", "e:s1 e:p ?o", "} }")),
    "sums": lambda n: _value("+".join(["1"] * n)),
    "products": lambda n: _value("*".join(["1"] * n)),
    "signs": lambda n: _value(_nest(n, "-(", "1", ")")),
    "IF in IF": lambda n: _value(_nest(n, "IF(true, ", "1", ", 2)")),
    "COALESCE in COALESCE": lambda n: _value(_nest(n, "COALESCE(", "1", ")")),
    "CONCAT in CONCAT": lambda n: _value(_nest(n, "CONCAT(", '"a"', ")")),
    "one wide CONCAT": lambda n: _value(f"CONCAT({','.join(['?v'] * n)})"),
    "IN in IN": lambda n: _value(_nest(n, "(1 IN (", "1", "))")),
    "triple terms": lambda n: _where(f"?s ?p {_nest(n, '<<( e:s1 e:p ', 'e:o', ' )>>')}"),
    "triple terms in a call": lambda n: _value(_nest(n, "TRIPLE(e:a, e:b, ", "1", ")")),
    "reified triples": lambda n: _where(f"{_nest(n, '<< ', 'e:s1 e:p e:o', ' e:p e:o >>')} e:p ?o"),
    "annotations": lambda n: _where(f"?s e:p ?o {_nest(n, '{| e:p ?o ', '', '|}')}"),
    "blank nodes": lambda n: _where(f"?s e:p {_nest(n, '[ e:p ', '?o', ']')}"),
    "lists": lambda n: _where(f"?s e:p {_nest(n, '( ', '?o', ')')}"),
    "one long list": lambda n: _where(f"?s e:p ({' ?o' * n})"),
    "a chain of joins": lambda n: _where("e:s1 e:p ?v0 . " + _numbered(n, "?v@0 e:p ?v@1 . ")),
    "a star of joins": lambda n: _where(_numbered(n, "e:s1 e:p ?v@0 . ")),
    "HAVING": lambda n: f"SELECT (1 AS ?x) {{}} HAVING {_nest(n, '(', 'true', ')')}",
    "ORDER BY": lambda n: f"SELECT * {{}} ORDER BY {_nest(n, '(', '1', ')')}",
    "many keys": lambda n: f"{_where('?s e:p ?o')} ORDER BY {_numbered(n, 'DESC(?k@0) ')} LIMIT 1",
    "many prefixes": lambda n: _numbered(n, f"PREFIX a@0: <{E}> ") + "SELECT * {}",
    "many VALUES": lambda n: _where("VALUES ?x { 1 } " * n),
    "many brackets of nothing": lambda n: "(" * n,
}
"""By the number of levels; a level has up to 9 tokens."""

ENDLESS: dict[str, str] = {
    "count": f"SELECT (COUNT(*) AS ?n) {{ {_cross} }}",
    "count distinct": f"SELECT (COUNT(DISTINCT ?c) AS ?n) {{ {_cross} }}",
    "sum": f"SELECT (SUM(STRLEN(STR(?i))) AS ?n) {{ {_cross} }}",
    "sample": f"SELECT (SAMPLE(?a) AS ?n) {{ {_cross} }}",
    "grouped": f"SELECT ?a (COUNT(*) AS ?n) {{ {_cross} }} GROUP BY ?a",
    "many groups": f"SELECT ?a ?d ?g (COUNT(*) AS ?n) {{ {_cross} }} GROUP BY ?a ?d ?g",
    "HAVING nothing": f"SELECT ?a {{ {_cross} }} GROUP BY ?a HAVING (COUNT(*) < 0)",
    "concatenated": f"SELECT (GROUP_CONCAT(STR(?c)) AS ?n) {{ {_cross} }}",
    "ordered": f"SELECT * {{ {_cross} }} ORDER BY ?i ?f ?c",
    "ordered, few wanted": f"SELECT * {{ {_cross} }} ORDER BY RAND() LIMIT 1",
    "distinct": f"SELECT DISTINCT ?a ?d ?g {{ {_cross} }} OFFSET 100000000",
    "reduced": f"SELECT REDUCED ?a {{ {_cross} FILTER(?a = ?d && ?d != ?a) }}",
    "far offset": f"SELECT * {{ {_cross} }} OFFSET 1000000000000 LIMIT 1",
    "asked in vain": f"ASK {{ {_cross} FILTER(CONCAT(STR(?a), STR(?d)) = STR(?g)) }}",
    "filtered to nothing": f"SELECT * {{ {_cross} FILTER(STR(?a) = STR(?i) && STR(?a) != STR(?i)) }}",
    "not exists": f"SELECT (COUNT(*) AS ?n) {{ {_cross} FILTER NOT EXISTS {{ ?c ?x ?y . ?y ?z ?i }} }}",
    "optional": f"{_prefix}SELECT (COUNT(*) AS ?n) {{ ?a ?b ?c OPTIONAL {{ ?d ?e ?f OPTIONAL {{ ?g ?h ?i }} }} }}",
    "union of crosses": f"SELECT (COUNT(*) AS ?n) {{ {' UNION '.join([f'{{ {_cross} }}'] * 50)} }}",
    "all paths": _prefix + "SELECT (COUNT(*) AS ?n) { ?s (e:p|!e:p)* ?o . ?o (e:p|!e:p)* ?x }",
    "paths of paths": _prefix + "SELECT (COUNT(*) AS ?n) { ?s (e:p+/e:q+)+ ?o }",
    "back and forth": _prefix + "SELECT (COUNT(*) AS ?n) { ?s (e:q/^e:k/e:k/^e:q)+ ?o . ?o (e:q|^e:q)+ ?x }",
    "subselect in vain": f"SELECT (COUNT(*) AS ?n) {{ {{ SELECT DISTINCT ?a ?i {{ {_cross} }} }} ?x ?y ?a }}",
    "described": f"DESCRIBE ?a ?d {{ {_cross} FILTER(?a = ?i && ?b != ?h && ?b = ?h) }}",
    "doubled by CONCAT": _where('BIND("abcdefgh" AS ?v0) ' + _numbered(40, "BIND(CONCAT(?v@0, ?v@0) AS ?v@1) ")),
    "doubled by REPLACE": _where('BIND("aaaaaaaa" AS ?v0) ' + _numbered(40, 'BIND(REPLACE(?v@0, "a", "aa") AS ?v@1) ')),
    "doubled by ENCODE_FOR_URI": _where(
        'BIND("%%%%%%%%" AS ?v0) ' + _numbered(40, "BIND(ENCODE_FOR_URI(CONCAT(?v@0, ?v@0)) AS ?v@1) ")
    ),
    "REGEX": f'SELECT (COUNT(*) AS ?n) {{ {_cross} FILTER REGEX(STR(?a), "(a|a?)+(.*)*(.+)+[^x]{{1,99}}$") }}',
    "REGEX made anew": f'SELECT (COUNT(*) AS ?n) {{ {_cross} FILTER REGEX("x", CONCAT(STR(?a), "(x{{1,99}}){{9}}")) }}',
    "hashes": f"SELECT (COUNT(*) AS ?n) {{ {_cross} FILTER(SHA512(CONCAT(STR(?a), STR(?i))) = 'x') }}",
    "made triples": f"SELECT (COUNT(*) AS ?n) {{ {_cross} FILTER(TRIPLE(?a, ?b, ?i) = TRIPLE(?d, ?e, ?c)) }}",
    "construct in vain": f"CONSTRUCT {{ ?a ?b ?i }} {{ {_cross} FILTER(STR(?a) = STR(?i) && STR(?i) = STR(?b)) }}",
}
"""None of them has an answer before its deadline."""

STREAMS: dict[str, str] = {
    "rows": f"SELECT * {{ {_cross} }}",
    "statements": f"CONSTRUCT {{ ?a ?b ?i }} {{ {_cross} }}",
    "statements of blank nodes": f"CONSTRUCT {{ [] ?b [ ?e ?i ] }} {{ {_cross} }}",
    "wide rows": f"SELECT * {{ {_cross} BIND(CONCAT(STR(?a), STR(?d), STR(?g)) AS ?x) BIND(CONCAT(?x, ?x) AS ?y) }}",
    "random rows": f"SELECT (RAND() AS ?r) ?a {{ {_cross} }}",
}
"""They begin at once and do not end."""


def _terms(count: int) -> str:
    return " ".join(f"<{E}s{n}>" for n in range(count))


LARGE: dict[str, tuple[str, int]] = {
    "VALUES of 20,000": (_where(f"VALUES ?s {{ {_terms(20_000)} }} ?s e:p ?o"), SUBJECTS),
    "VALUES of 20,000 rows": (_where(f"VALUES (?s ?n) {{ {'(e:s1 7) ' * 20_000} }} ?s e:p ?o"), 20_000),
    "IN of 20,000": (_where(f"e:s1 e:p ?o FILTER(?o IN ({_terms(20_000).replace(' ', ', ')}))"), 1),
    "UNION of 300": (_where(" UNION ".join(f"{{ e:s{n} e:p ?o }}" for n in range(300))), 300),
    "a long literal": (_where(f'BIND("{"x" * 900_000}" AS ?x)'), 1),
    "a long comment": (_where("e:s1 e:p ?o") + " # " + "x" * 900_000, 1),
    "much white space": (_where("e:s1" + " \n" * 400_000 + " e:p ?o"), 1),
}
"""Large and honest queries, and how many rows they have."""

SERVICES = (
    "SELECT * { SERVICE <@@> { ?s ?p ?o } }",
    "SELECT * { SERVICE SILENT <@@> { ?s ?p ?o } }",
    "select*{service<@@>{?s ?p ?o}}",
    "SELECT * { VALUES ?x { <@@> } SERVICE ?x { ?s ?p ?o } }",
    "PREFIX x: <@@> SELECT * { SERVICE x: { ?s ?p ?o } }",
    "BASE <@@> SELECT * { SERVICE <> { ?s ?p ?o } }",
    "SELECT * { \\u0053ERVICE <@@> { ?s ?p ?o } }",
    "SELECT * { S\\u0045RVICE\\u0020<@@> { ?s ?p ?o } }",
    "SELECT * { \\U00000053ERVICE <@@> { ?s ?p ?o } }",
    "SELECT * { ?s ?p 1SERVICE <@@> { ?s ?p ?o } }",
    "SELECT * { ?s ?p ?o.SERVICE <@@> { ?s ?p ?o } }",
    "SELECT * { ?s ?p 'x'SERVICE <@@> { ?s ?p ?o } }",
    "SELECT * { ?s ?p 'x'@en SERVICE <@@> { ?s ?p ?o } }",
    "SELECT * { ?s ?p '''x''' SERVICE <@@> { ?s ?p ?o } }",
    "SELECT * { # \" '\n SERVICE <@@> { ?s ?p ?o } }",
    "SELECT * { ?s ?p '\\'' SERVICE <@@> { ?s ?p ?o } # '\n }",
    "SELECT * { ?s ?p ?o FILTER(?s < ?o) SERVICE <@@> { ?s ?p ?o } FILTER(?s > ?o) }",
    "SELECT * { SERVICE # <http://x/>\n <@@> { ?s ?p ?o } }",
    "SELECT * { SERVICE\r<@@> { ?s ?p ?o } }",
    "SELECT * { OPTIONAL { SERVICE <@@> { ?s ?p ?o } } }",
    "SELECT * { FILTER EXISTS { SERVICE <@@> { ?s ?p ?o } } }",
    "SELECT * { { SELECT * { SERVICE <@@> { ?s ?p ?o } } } }",
    "CONSTRUCT { ?s ?p ?o } { SERVICE <@@> { ?s ?p ?o } }",
    "ASK { SERVICE <@@> { ?s ?p ?o } }",
    "DESCRIBE ?s { SERVICE <@@> { ?s ?p ?o } }",
    "SELECT * { GRAPH ?g { SERVICE <@@> { ?s ?p ?o } } }",
    "SELECT * { SERVICE <@@> { SERVICE <@@> { ?s ?p ?o } } }",
    "SELECT * FROM <@@> { ?s ?p ?o }",
    "SELECT * FROM NAMED <@@> { GRAPH ?g { ?s ?p ?o } }",
    "SELECT * FROM <file:///etc/passwd> FROM NAMED <file:///etc/hostname> { ?s ?p ?o }",
    "DESCRIBE <@@>",
    "SELECT * { GRAPH <@@> { ?s ?p ?o } }",
)
"""Queries that would reach out; `@@` stands for an address that listens."""

OUTWARD = (
    "LOAD <@@>",
    "LOAD SILENT <@@>",
    "LOAD <@@> INTO GRAPH <http://example.org/g>",
    "LOAD <file:///etc/passwd>",
    "L\\u004fAD <@@>",
    "INSERT DATA { <e:a> <e:b> <e:c> };LOAD <@@>",
    "INSERT { ?s ?p ?o } WHERE { SERVICE <@@> { ?s ?p ?o } }",
    "DELETE { ?s ?p ?o } WHERE { SERVICE SILENT <@@> { ?s ?p ?o } }",
    "INSERT { ?s ?p ?o } WHERE { VALUES ?x { <@@> } SERVICE ?x { ?s ?p ?o } }",
    "INSERT { ?s ?p ?o } WHERE { \\u0053ERVICE <@@> { ?s ?p ?o } }",
    "INSERT { ?s ?p ?o } WHERE { { SELECT * { OPTIONAL { SERVICE <@@> { ?s ?p ?o } } } } }",
    "INSERT { ?s ?p ?o } USING <@@> WHERE { SERVICE <@@> { ?s ?p ?o } }",
)
"""Updates that would."""


# The server.


def make_database(folder: Path) -> Path:
    """Make the database that is attacked, and return its folder.

    Parameters:
        folder: an empty folder.
    """
    node = [ox.NamedNode(f"{E}s{n}") for n in range(SUBJECTS)]
    p, q, k, name = (ox.NamedNode(E + word) for word in ("p", "q", "k", "name"))
    store = ox.Store(str(folder / "db"))
    for n, subject in enumerate(node):
        for predicate, value in (
            (p, node[(n + 1) % SUBJECTS]),
            (q, node[n * 7_919 % SUBJECTS]),
            (k, ox.NamedNode(f"{E}k{n % 7}")),
            (name, ox.Literal(f"name {n}")),
        ):
            store.add(ox.Quad(subject, predicate, value))
    store.flush()
    del store  # lets go of the folder
    return folder / "db"


def make_server(database: Path, log: Path, *options: str, **settings: object) -> Peer:
    """Return a server that is attacked, not started yet.

    Parameters:
        database: it serves this one, plainly.
        log: what it prints goes there.
        options: of the command, such as `--writable`.
        settings: by their names.
    """

    def command(port: int) -> list[str]:
        given = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        begin = [sys.executable, "-m", "server.command", "serve", "--plain", *options, *given]
        return [*begin, "--store", str(database), "--port", str(port)]

    return Peer("the server", command, "/sparql", log)


def family(peer: Peer) -> dict[str, list[int]]:
    """Return the ids of a server's processes, by what they are."""
    assert peer.process is not None
    found: dict[str, list[int]] = {"front": [], "nursery": [], "worker": [], "other": []}
    nurseries: set[int] = set()
    for pid in descendants(peer.process.pid):
        with suppress(OSError):
            told = Path(f"/proc/{pid}/stat").read_text()
            parent = int(told.rpartition(")")[2].split()[1])
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
            if parent in nurseries:
                kind = "worker"
            elif b"server.engine.nursery" in words:
                kind = "nursery"
                nurseries.add(pid)
                found["front"].append(parent)
            else:
                kind = "other"
            found[kind].append(pid)
    found["other"] = [pid for pid in found["other"] if pid not in found["front"]]
    return found


def zombies(peer: Peer) -> list[int]:
    """Return the ids of a server's processes that ended and that nobody buried."""
    assert peer.process is not None
    found = []
    for pid in descendants(peer.process.pid):
        with suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                found.append(pid)
    return found


def outward(peer: Peer) -> list[str]:
    """Return the connections that a server's processes have to elsewhere than this machine's loopback."""
    assert peer.process is not None
    sockets: set[str] = set()
    for pid in (peer.process.pid, *descendants(peer.process.pid)):
        with suppress(OSError):  # it ended meanwhile
            for handle in os.scandir(f"/proc/{pid}/fd"):
                with suppress(OSError):
                    sockets.add(os.readlink(handle))
    found = []
    for table, near in (("tcp", ("0100007F", "00000000")), ("tcp6", ("0" * 32, "0" * 24 + "01000000"))):
        with suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                words = line.split()
                if f"socket:[{words[9]}]" in sockets and words[2].partition(":")[0] not in near:
                    found.append(words[2])
    return found


def files_of_front(peer: Peer) -> int:
    """Return how many files the front has open."""
    return len(os.listdir(f"/proc/{family(peer)['front'][0]}/fd"))


def memory_of_front(peer: Peer) -> int:
    """Return the bytes of memory that the front has; the workers' is bounded by their caps."""
    pages = Path(f"/proc/{family(peer)['front'][0]}/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def ask_point(peer: Peer) -> float:
    """Ask a point query never asked before, see that the answer is right, and return the seconds that it took."""
    number = next(_fresh)
    began = time.monotonic()
    body = peer.ask(f"SELECT ?o {{ <{E}s{number % SUBJECTS}> <{E}p> ?o }} # {number}", patience=30)
    took = time.monotonic() - began
    rows = json.loads(body)["results"]["bindings"]
    assert [row["o"]["value"] for row in rows] == [f"{E}s{(number + 1) % SUBJECTS}"]
    return took


@dataclass(frozen=True)
class Reply:
    """What a client was answered.

    Parameters:
        status: of HTTP; 0 where the connection ended before.
        headers: by name, in lower case.
        body: as far as it came, up to a megabyte.
        size: bytes of all that came.
        whole: whether the body has an end that shows.
        seconds: that it took.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    size: int
    whole: bool
    seconds: float


def send(
    peer: Peer,
    text: str | bytes,
    *,
    method: str = "POST",
    path: str = "/sparql",
    content: str = QUERY,
    headers: dict[str, str] | None = None,
    patience: float = 30.0,
) -> Reply:
    """Send a request on a connection of its own, and take the answer as it comes.

    Parameters:
        text: the body.
        content: its media type.
        patience: seconds that the server may be silent.
    """
    began = time.monotonic()
    connection = HTTPConnection(*peer.address, timeout=patience)
    body, size, whole = bytearray(), 0, True
    try:
        told = {"Accept": f"{RESULTS}, application/n-triples;q=0.9", **(headers or {})}
        if text:
            told["Content-Type"] = content
        try:
            connection.request(method, path, text.encode() if isinstance(text, str) else text, told)
            answer = connection.getresponse()
        except (OSError, HTTPException):
            return Reply(0, {}, b"", 0, False, time.monotonic() - began)
        try:
            while piece := answer.read(262_144):
                size += len(piece)
                if len(body) < 1_000_000:
                    body += piece
            whole = not answer.length
        except (IncompleteRead, OSError):
            whole = False
        given = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, given, bytes(body), size, whole, time.monotonic() - began)
    finally:
        connection.close()


def get(query: str, **parameters: str) -> str:
    """Return the path of a query that is asked by GET."""
    return "/sparql?" + urlencode({"query": query, **parameters})


# While others ask.


@dataclass(frozen=True)
class Meanwhile:
    """How a well-behaved client fares, in quiet and while the server is attacked.

    Parameters:
        quiet, attacked: the slices, in their order.
    """

    quiet: list[Load]
    attacked: list[Load]

    @property
    def throughput(self) -> float:
        """Share of the requests per second that is left: median over pairs of neighbouring slices."""
        return statistics.median(b.rate / a.rate for a, b in zip(self.quiet, self.attacked, strict=True))

    def quantile(self, share: float) -> tuple[float, float]:
        """Return the milliseconds of this share of the requests, in quiet and attacked: medians over slices."""
        quiet, attacked = ([load.quantile(share) for load in loads] for loads in (self.quiet, self.attacked))
        return statistics.median(quiet), statistics.median(attacked)

    @property
    def errors(self) -> Counter[str]:
        """Answers that were not good, by what was wrong."""
        return sum((load.errors for load in (*self.quiet, *self.attacked)), Counter())

    def __str__(self) -> str:
        p50, p95, p99 = (self.quantile(share) for share in (0.5, 0.95, 0.99))
        rates = [statistics.median(load.rate for load in loads) for loads in (self.quiet, self.attacked)]
        return (
            f"requests/s {rates[0]:,.0f} quiet, {rates[1]:,.0f} attacked ({self.throughput:.0%}); "
            f"p50 {p50[0]:.2f}, {p50[1]:.2f} ms; p95 {p95[0]:.2f}, {p95[1]:.2f} ms; p99 {p99[0]:.2f}, {p99[1]:.2f} ms; "
            f"errors {dict(self.errors)}"
        )


def measure_meanwhile(
    peer: Peer, *, bombs: int = 8, clients: int = 1, slices: int = 5, seconds: float = 1.0, stranger: str = ""
) -> Meanwhile:
    """Measure how well-behaved clients fare while so many bombs go off at once.

    Slices in quiet and under attack take turns, because machines wander.

    Parameters:
        bombs: how many at once; each is sent again as soon as it is stopped.
        clients: how many ask point queries never asked before.
        slices: of each kind.
        seconds: of each slice; the bombs have been going off for a second when it begins.
        stranger: address that the bombs say they come from, where the server believes it.
    """
    measured = Meanwhile([], [])
    _slice(peer, clients, seconds)  # until all is warm
    for _ in range(slices):
        measured.quiet.append(_slice(peer, clients, seconds))
        with bombarding(peer, bombs, stranger):
            time.sleep(1.0)
            measured.attacked.append(_slice(peer, clients, seconds))
        time.sleep(0.2)
    return measured


@contextmanager
def bombarding(peer: Peer, bombs: int, stranger: str = "") -> Iterator[None]:
    """Have so many bombs go off all the while, half of them endless, half deep; at the end they are hung up on."""
    over = threading.Event()
    kinds = list(ENDLESS.values()), [DEEP[name](4_000) for name in _NESTED]
    headers = {"X_Forwarded_For": stranger} if stranger else {}

    def bombard(number: int) -> None:
        texts = kinds[number % 2]
        for turn in itertools.count(number // 2):
            if over.is_set():
                return
            text = texts[turn % len(texts)]
            with suppress(OSError), socket.create_connection(peer.address, timeout=0.1) as connection:
                connection.sendall(request("POST", "/sparql", text.encode(), **headers))
                while not over.is_set():
                    with suppress(TimeoutError):
                        connection.recv(65_536)
                        break

    threads = [threading.Thread(target=bombard, args=(number,)) for number in range(bombs)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


_NESTED = ("groups", "OPTIONAL in OPTIONAL", "triple terms")


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """Return the bytes of a request; in the names of headers `_` stands for `-`."""
    told = {"Host": "localhost", "Content-Type": QUERY, "Content-Length": str(len(body))} if body else {"Host": "x"}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


def _slice(peer: Peer, clients: int, seconds: float) -> Load:
    first = next(_fresh) * 1_000_000

    def point(number: int) -> bytes:
        query = f"SELECT ?o {{ <{E}s{number % SUBJECTS}> <{E}p> ?o }} # {number}"
        return request("GET", f"/sparql?query={quote(query, safe='')}", Accept=RESULTS)

    def check(number: int, body: bytes) -> bool:
        return f'"{E}s{(number + 1) % SUBJECTS}"'.encode() in body

    return make_load(peer.address, point, clients=clients, seconds=seconds, first=first, check=check)
