"""Updates, cut into their operations: which graphs they can alter, and what they are given as their dataset.

An update is read as far as its brackets and first words tell, and no farther: whether it is right is the
engine's to say. What cannot be told apart for sure (words with no space between, a `<` that may compare or begin
an IRI) is an operation of no kind, of which nothing is promised.

Sources: SPARQL 1.1 Update, https://www.w3.org/TR/sparql11-update/; its grammar,
https://www.w3.org/TR/sparql11-query/#rUpdate; SPARQL 1.1 Protocol, 2.2.3 (specifying an RDF dataset),
https://www.w3.org/TR/sparql11-protocol/#update-operation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import pyoxigraph as ox

from kg.errors import MalformedError
from kg.names import PREFIXES
from kg.sparql_tokens import Token, is_iri, is_prefixed, is_unsure, is_word, tokens

Kind: TypeAlias = Literal[
    "insert data", "delete data", "delete where", "modify", "clear", "drop", "create", "add", "move", "copy", "load"
]
"""The kinds of operations."""

ANY = "*"
"""Stands for any graph."""

_TRANSFERS: Mapping[str, Literal["add", "move", "copy"]] = {"ADD": "add", "MOVE": "move", "COPY": "copy"}
_IN_QUADS = frozenset({"A", "TRUE", "FALSE"})


@dataclass(frozen=True)
class Operation:
    """One operation of an update.

    Parameters:
        kind: None where it cannot be told.
        text: as it is written.
        prologue: the declarations that hold for it, on one line.
        start: where it stands in the update, counted in characters from 0.
        graphs: names of the graphs that it may alter, as they are written; the empty one is the default graph, a
            variable any graph that the variable is bound to, `ANY` any graph at all.
        reads_default: whether it takes from the default graph by name, as `COPY DEFAULT` does.
        with_graph: what stands after `WITH`.
        using, using_named: what stands after `USING` and `USING NAMED`.
        delete, insert: its templates, in their brackets; what `DELETE WHERE` has is template and pattern in one.
        pattern: what stands after `WHERE`, in its brackets.
        where: where the word `WHERE` stands in the update.
    """

    kind: Kind | None
    text: str
    prologue: str
    start: int
    graphs: frozenset[str] = frozenset()
    reads_default: bool = False
    with_graph: str = ""
    using: tuple[str, ...] = ()
    using_named: tuple[str, ...] = ()
    delete: str = ""
    insert: str = ""
    pattern: str = ""
    where: int = 0

    @property
    def template_variables(self) -> tuple[str, ...]:
        """Names of the variables of the templates, in alphabetical order."""
        return tuple(sorted({t[1:] for t, _ in tokens(f"{self.delete} {self.insert}") if is_variable(t)}))


def is_variable(token: str) -> bool:
    """Tell whether a token is a variable."""
    return len(token) > 1 and token[0] in "?$"


def read_update(text: str) -> list[Operation]:
    """Cut an update into its operations.

    Parameters:
        text: the update; need not be right.

    >>> [(o.kind, sorted(o.graphs)) for o in read_update("CLEAR GRAPH <ex:g> ; DELETE WHERE { GRAPH ?g { ?s ?p 1 } }")]
    [('clear', ['<ex:g>']), ('delete where', ['?g'])]
    """
    found = list(tokens(text))
    unsure = is_unsure(found)
    operations = []
    prologue: list[str] = []
    position = 0
    while position < len(found):
        declared = _declaration(found, position)
        if declared:
            prologue += [token for token, _ in found[position : position + declared]]
            position += declared
            continue
        end = _end(found, position)
        if end > position:
            piece = found[position:end]
            operations.append(_Reader(text, piece, " ".join(prologue)).operation(unsure))
        position = end + 1
    return operations


def touched_graphs(update: str) -> frozenset[str] | None:
    """Return the names of all graphs that an update can alter; the empty name is the default graph.

    Parameters:
        update: the prefixes of `kg.names.PREFIXES` need no declaration.

    Returns:
        Whole IRIs; None where it can be any graph.

    >>> sorted(touched_graphs("WITH graph:register DELETE { ?s ?p ?o } WHERE { GRAPH <ex:g> { ?s ?p ?o } }"))
    ['https://w3id.org/whosays/graph/register']
    >>> touched_graphs("CLEAR ALL") is None
    True
    """
    found: set[str] = set()
    by_prologue: dict[str, set[str]] = {}
    for operation in read_update(update):
        if operation.kind is None or any(g == ANY or is_variable(g) for g in operation.graphs):
            return None
        by_prologue.setdefault(operation.prologue, set()).update(operation.graphs)
    for prologue, names in by_prologue.items():
        resolved = resolve_names(prologue, names)
        if resolved is None:
            return None
        found.update(resolved.values())
    return frozenset(found)


def resolve_names(prologue: str, names: Iterable[str]) -> dict[str, str] | None:
    """Return the whole IRIs that names of graphs stand for, as the engine resolves them.

    Parameters:
        prologue: declarations of prefixes and base.
        names: as they are written: IRIs and prefixed names; the empty one stands for itself.

    Returns:
        By name; None where one cannot be resolved.

    >>> resolve_names("BASE <http://example.org/a/> PREFIX b: <../b#>", ["<x>", "b:y"])
    {'<x>': 'http://example.org/a/x', 'b:y': 'http://example.org/b#y'}
    """
    wanted = list(names)
    terms = [name for name in wanted if name]
    if not all(is_iri(term) or is_prefixed(term) for term in terms):
        return None
    try:
        rows = ox.Store().query(
            f"{prologue} SELECT ?g {{ VALUES ?g {{ {' '.join(terms)} }} }}", prefixes=dict(PREFIXES)
        )
    except SyntaxError:
        return None
    assert isinstance(rows, ox.QuerySolutions)
    iris = [row["g"].value for row in rows if isinstance(row["g"], ox.NamedNode)]
    return {name: "" for name in wanted if not name} | dict(zip(terms, iris, strict=True))


def with_using(update: str, default: Sequence[str], named: Sequence[str]) -> str:
    """Return an update with a dataset for the WHERE of each of its operations, as the protocol has it.

    `DELETE WHERE` takes no `USING`, so it is written in full: `DELETE { … } USING … WHERE { … }`.

    Parameters:
        update: as it was sent.
        default: IRIs of graphs whose union is the default graph (`using-graph-uri`).
        named: IRIs of named graphs (`using-named-graph-uri`).

    Raises:
        MalformedError: the update has `USING`, `USING NAMED` or `WITH` of its own, or an operation of no kind that
            we know; what is given is no IRI.

    >>> with_using("DELETE WHERE { ?s ?p 1 }", ["http://example.org/g"], [])
    'DELETE { ?s ?p 1 } USING <http://example.org/g> WHERE { ?s ?p 1 }'
    """
    if not default and not named:
        return update
    clauses = [f"USING {_named(iri)} " for iri in default] + [f"USING NAMED {_named(iri)} " for iri in named]
    given, pieces, at = "".join(clauses), [], 0
    for operation in read_update(update):
        if operation.kind is None:
            raise no_kind(operation)
        if operation.using or operation.using_named or operation.with_graph:
            raise MalformedError(
                "the request names graphs that the update is to use, and the update does so itself",
                mend="leave out using-graph-uri and using-named-graph-uri, or USING and WITH",
            )
        if operation.kind in ("modify", "delete where"):
            template = f"{operation.pattern} " if operation.kind == "delete where" else ""
            pieces += [update[at : operation.where], template, given]
            at = operation.where
    return "".join([*pieces, update[at:]])


def no_kind(operation: Operation) -> MalformedError:
    """Return the error of an operation that cannot be told apart."""
    begins = " ".join(operation.text[:60].split())
    return MalformedError(
        f"what the operation that begins `{begins}` does cannot be told",
        mend="put spaces between words, and around the signs `<` and `>` where they compare",
    )


def _named(iri: str) -> str:
    try:
        return str(ox.NamedNode(iri))
    except ValueError as error:
        raise MalformedError(f"`{iri[:200]}` is not an IRI", mend="give the whole IRI of a graph") from error


def _declaration(found: Sequence[Token], position: int) -> int:
    """Return how many tokens the declaration at a place has; none where there is no declaration."""
    words = [token for token, _ in found[position : position + 3]]
    first = words[0].upper()
    if first == "PREFIX" and len(words) == 3 and words[1].endswith(":") and is_iri(words[2]):
        return 3
    if len(words) > 1 and ((first == "BASE" and is_iri(words[1])) or (first == "VERSION" and words[1][0] in "\"'")):
        return 2
    return 0


def _end(found: Sequence[Token], position: int) -> int:
    depth = 0
    for number in range(position, len(found)):
        token = found[number][0]
        depth += (token == "{") - (token == "}")
        if token == ";" and depth == 0:
            return number
    return len(found)


class _Reader:
    """Reads one operation."""

    def __init__(self, text: str, found: Sequence[Token], prologue: str) -> None:
        self.text, self.found, self.prologue = text, found, prologue
        self.start, self.end = found[0][1], found[-1][1] + len(found[-1][0])
        self.words = [token.upper() if is_word(token) else token for token, _ in found]
        self.at = 0

    def operation(self, unsure: bool) -> Operation:
        read = None if unsure else self._read()
        return read if read is not None and self.at == len(self.found) else self._make(None, {ANY})

    def _make(self, kind: Kind | None, graphs: Iterable[str], *, reads_default: bool = False) -> Operation:
        text = self.text[self.start : self.end]
        return Operation(kind, text, self.prologue, self.start, frozenset(graphs), reads_default)

    def _read(self) -> Operation | None:
        if self._take("INSERT", "DATA") or self._take("DELETE", "DATA"):
            kind: Kind = "insert data" if self.words[0] == "INSERT" else "delete data"
            return self._make(kind, self._quads(*self._group(), ""))
        if self._take("DELETE", "WHERE"):
            where = self.found[1][1]
            first, last = self._group()
            made = self._make("delete where", self._quads(first, last, ""))
            block = self._slice(first, last)
            return replace(made, delete=block, pattern=block, where=where)
        if self._next() in ("INSERT", "DELETE", "WITH"):
            return self._modify()
        if self._take("CLEAR") or self._take("DROP"):
            self._take("SILENT")
            return self._make("clear" if self.words[0] == "CLEAR" else "drop", {self._target()})
        if self._take("CREATE"):
            self._take("SILENT")
            return self._make("create", {self._target()})
        if self._take("LOAD"):
            self.at = len(self.found)
            return self._make("load", {ANY})
        if self._next() in _TRANSFERS:
            return self._transfer(_TRANSFERS[self.words[0]])
        return None

    def _transfer(self, kind: Literal["add", "move", "copy"]) -> Operation:
        self.at += 1
        self._take("SILENT")
        source = self._target()
        target = self._target() if self._take("TO") else ANY
        return self._make(kind, {source, target} if kind == "move" else {target}, reads_default=source == "")

    def _modify(self) -> Operation | None:
        with_graph = delete = insert = ""
        graphs: set[str] = set()
        if self._take("WITH"):
            with_graph = self._name()
        if self._take("DELETE"):
            first, last = self._group()
            delete, graphs = self._slice(first, last), self._quads(first, last, with_graph)
        if self._take("INSERT"):
            first, last = self._group()
            insert = self._slice(first, last)
            graphs |= self._quads(first, last, with_graph)
        using: list[str] = []
        using_named: list[str] = []
        while self._take("USING"):
            (using_named if self._take("NAMED") else using).append(self._name())
        if not (delete or insert) or self._next() != "WHERE":
            return None
        where = self.found[self.at][1]
        self.at += 1
        pattern = self._slice(*self._group())
        return replace(
            self._make("modify", graphs),
            with_graph=with_graph,
            using=tuple(using),
            using_named=tuple(using_named),
            delete=delete,
            insert=insert,
            pattern=pattern,
            where=where,
        )

    def _next(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def _take(self, *words: str) -> bool:
        if self.words[self.at : self.at + len(words)] != list(words):
            return False
        self.at += len(words)
        return True

    def _name(self) -> str:
        name = self._next()
        self.at += 1
        return name if name and (is_iri(name) or is_prefixed(name)) else ANY

    def _target(self) -> str:
        if self._take("DEFAULT"):
            return ""
        if self._take("ALL") or self._take("NAMED"):
            return ANY
        self._take("GRAPH")
        return self._name()

    def _group(self) -> tuple[int, int]:
        """Take a group in curly brackets; return its first token and the one after its last."""
        first, depth = self.at, 0
        while self.at < len(self.words) and (depth or self.at == first):
            depth += (self._next() == "{") - (self._next() == "}")
            self.at += 1
        if depth or self._opening(first) != "{":
            self.at = len(self.words) + 1  # no operation that we know
        return first, min(self.at, len(self.words))

    def _opening(self, first: int) -> str:
        return self.words[first] if first < len(self.words) else ""

    def _slice(self, first: int, last: int) -> str:
        if first >= last:
            return ""
        token, start = self.found[last - 1]
        return self.text[self.found[first][1] : start + len(token)]

    def _quads(self, first: int, last: int, default: str) -> set[str]:
        """Return the graphs that a template, or data, speak of."""
        graphs: set[str] = set()
        position = first + 1
        while position < last - 1:
            word = self.words[position]
            if word == "GRAPH" and position + 2 < last and self.words[position + 2] == "{":
                name = self.words[position + 1]
                graphs.add(name if is_iri(name) or is_prefixed(name) or is_variable(name) else ANY)
                depth, position = 1, position + 3
                while depth and position < last:
                    depth += (self.words[position] == "{") - (self.words[position] == "}")
                    position += 1
                continue
            if word in ("{", "}") and "|" not in self.words[position - 1 : position + 2]:
                graphs.add(ANY)  # neither of a graph nor of an annotation
            elif is_word(word) and word not in _IN_QUADS:
                graphs.add(ANY)
            elif word != ".":
                graphs.add(default)
            position += 1
        return graphs
