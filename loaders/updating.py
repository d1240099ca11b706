"""Updating: a SPARQL update, tried on a copy of the graph, and what it changed there drafted as a change.

The text of an update is never committed. Its operations run one after another on a scratch copy of the newest
snapshot (one alone, which says which statements it means, needs none); what differs afterwards is judged and
committed like any other addition, and goes into the history. All of it happens in a cell (`kg.cells`), for an
update can be a bomb.

*What WHERE sees.* A query sees the union of all graphs as its default graph, and so does the WHERE of an update
here, unless it says otherwise by `WITH` or `USING`. The engine has no such thing for updates, and `USING` for each
graph, the one way to say it in SPARQL, grows with the square of their number (a join over 100 graphs of 100
statements: 3.7 s, over their union 0.07 s). So WHERE is answered as a query, `SELECT DISTINCT` of the variables
that the templates have, and the templates are then filled from those rows, as `VALUES`, in an empty store. What
stands there afterwards is what the operation means to remove or to add, and all that has to be looked at.

*What may be changed* are statements in named graphs, those that are asserted: each template says `GRAPH` or is
under `WITH`.
"""

from __future__ import annotations

import re
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pyoxigraph as ox

from kg.change import Change, View, is_asserted, make_change
from kg.errors import MalformedError, OverrunError, ParameterError
from kg.names import PREFIXES, Term, shorten
from kg.provenance import Activity
from kg.publisher import Draft, Outcome, Plan
from kg.sparql import TextLimits, check_update
from kg.sparql_updates import ANY, Operation, is_variable, no_kind, read_update, resolve_names, with_using
from kg.store import Snapshot, StoreFolder
from loaders.foreign import DOOR, Limits, read_content
from loaders.judging import Verdict, plan_draft
from loaders.placing import place
from loaders.verifying import check_contents

Result = TypeVar("Result")
Row = tuple[Term | None, ...]

MAX_CHANGE = 200_000
"""Statements that one request may add and remove, and rows that one WHERE may give."""

STACK = 512 * 1024**2
"""Bytes of stack for the engine: 4,000 nested groups overflow the usual 8 MB."""

PATIENCE = 2.0
"""Seconds until a thread that has ended must have given back its stack, so that there is room for the next."""

_BY_STATEMENT = ("insert data", "delete data", "modify", "delete where")
_ROWS = 5_000
"""Rows that are filled into a template at a time."""

_STOP = "DROP GRAPH <urn:x-whosays:none>"
_POSITION = re.compile(r"error at (\d+):(\d+)")
_LIMITS = TextLimits(size=DOOR.size, tokens=DOOR.size)  # the cell sees to the rest
_NO_LIMIT = Limits(size=10**12, quads=MAX_CHANGE)


def plan_update(
    path: Path,
    text: str,
    agent: str,
    *,
    using: Sequence[str] = (),
    using_named: Sequence[str] = (),
    services: Sequence[str] = (),
    source: str = "",
    texts: Path | None = None,
) -> Plan | Verdict | Outcome:
    """Plan the publishing of what a SPARQL update changes.

    Parameters:
        path: the store's folder.
        text: the update; the prefixes of `kg.names.PREFIXES` need no declaration.
        agent: IRI of who publishes.
        using, using_named: IRIs of graphs that the request gives as the dataset of every WHERE.
        services: endpoints that SERVICE may reach.
        source: what the update was made from, for the provenance.
        texts: folder of the texts that new passages are held against, where they are there.

    Returns:
        A plan; the verdict where the outcome does not conform; an outcome where nothing changes.

    Raises:
        RefusedError: it would reach out of this machine.
        MalformedError: it does not parse, or would add what the store does not hold.
        ParameterError: it would change what is not for an update to change.
        OverrunError: it is too long, or changes too much.
        ConflictError: it would alter the ontology.
    """
    check_update(text, services=services, limits=_LIMITS)
    text = with_using(text, using, using_named)
    operations = read_update(text)
    folder = StoreFolder(path)

    def draft(snapshot: Snapshot) -> Draft:
        in_deep_thread(lambda: _check_operations(text, operations))
        if len(operations) == 1 and operations[0].kind in _BY_STATEMENT:
            change = in_deep_thread(lambda: make_change(snapshot.store, *_meant(operations[0], snapshot.store)))
        else:
            with folder.copy(snapshot) as database:
                change = in_deep_thread(lambda: _try_out(operations, database, snapshot.store))
        change = check_change(change, snapshot.store, texts=texts)
        return Draft(change, Activity(agent, "update", tell_change("updates", change), source))

    return plan_draft(path, draft)


def in_deep_thread(work: Callable[[], Result]) -> Result:
    """Do something in a thread with a large stack, and return what comes of it.

    Parameters:
        work: what to do. Whatever of the engine it makes, it uses up: results belong to their thread.

    Raises:
        MemoryError: there is no room for the stack.

    >>> in_deep_thread(lambda: 6 * 7)
    42
    """
    done: list[Result] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:
            traceback.clear_frames(error.__traceback__)  # they hold a database open that is removed next
            raised.append(error)

    usual = threading.stack_size(STACK)
    try:
        thread = _start(run)
    finally:
        threading.stack_size(usual)
    thread.join()
    if raised:
        raise raised[0]
    return done[0]


def _start(run: Callable[[], None]) -> threading.Thread:
    until = time.monotonic() + PATIENCE
    while True:
        thread = threading.Thread(target=run)
        try:
            thread.start()
            return thread
        except RuntimeError:  # there is no room; the last one has ended for Python, but its stack may still be there
            if time.monotonic() > until:
                raise MemoryError(f"no room for a stack of {STACK:,} bytes") from None
            time.sleep(0.01)


def check_graph(graph: str) -> None:
    """See that a graph is for a request to change.

    Parameters:
        graph: its IRI; empty for the default graph.

    Raises:
        ParameterError: it is the default graph, or one that follows from others.
    """
    if not graph:
        raise ParameterError(
            "this would change the default graph, which is the union of all others and holds nothing itself",
            mend="name the graph that is to change: GRAPH <…> { … } in each template, or WITH <…>",
        )
    if not is_asserted(ox.NamedNode(graph)):
        raise ParameterError(
            f"this would change {shorten(graph)}, which is worked out with every change and never written",
            mend="change the assertions that it follows from",
        )


def check_change(change: Change, store: ox.Store, *, texts: Path | None = None) -> Change:
    """See that a change may be asked for, by the rules of whatever is sent to the door.

    Parameters:
        change: what somebody would add and remove.
        store: the state before.
        texts: folder of the texts that new passages are held against, where they are there.

    Returns:
        The change, with the definitions of new shared contents.

    Raises:
        ParameterError: it concerns a graph that is not for a request to change.
        MalformedError: it adds what the store does not hold, or what may not be said.
        PassageErrors: passages do not match their text.
    """
    for graph in {quad.graph_name for quad in change}:
        check_graph(graph.value if isinstance(graph, ox.NamedNode) else "")
    if not change.added:
        return change
    data = ox.serialize(change.added, format=ox.RdfFormat.N_QUADS) or b""
    try:
        content = read_content(data, "nq", "", _NO_LIMIT)
    except MalformedError as error:
        raise MalformedError(error.problem, mend=error.mend) from error  # the line is of no text that anybody wrote
    placed = place(content.quads, View(store, change))
    check_contents([content], store, texts)
    return Change(change.added | frozenset(q for q in placed if q not in store), change.removed)


def tell_change(verb: str, change: Change) -> str:
    """Return a note that sums a change up.

    >>> tell_change("updates", Change())
    'updates nothing'
    """
    graphs = sorted({shorten(q.graph_name.value) for q in change if isinstance(q.graph_name, ox.NamedNode)})
    if not graphs:
        return f"{verb} nothing"
    more = f" and {len(graphs) - 3} more" if len(graphs) > 3 else ""
    counts = f"{len(change.added):,} statements added, {len(change.removed):,} removed"
    return f"{verb} {', '.join(graphs[:3])}{more}: {counts}"


def difference(before: ox.Store, after: ox.Store, graphs: Iterable[str] | None) -> Change:
    """Return what differs between two states of a store.

    Both are read side by side. The engine gives a graph's statements in an order of its own which is the same in
    both states, so that most statements are only compared with their like; whatever the order, the answer is right.

    Parameters:
        before, after: the states.
        graphs: IRIs of the graphs to look at, the empty one for the default graph; None for all.

    Raises:
        OverrunError: more than `MAX_CHANGE` statements differ.

    >>> quad = ox.Quad(ox.NamedNode("ex:a"), ox.NamedNode("ex:b"), ox.Literal("c"), ox.NamedNode("ex:g"))
    >>> store = ox.Store()
    >>> store.add(quad)
    >>> difference(ox.Store(), store, ["ex:g"]).added == {quad}
    True
    """
    added: set[ox.Quad] = set()
    removed: set[ox.Quad] = set()
    wanted: list[ox.NamedNode | ox.DefaultGraph | None] = [None]
    if graphs is not None:
        wanted = [ox.NamedNode(graph) if graph else ox.DefaultGraph() for graph in sorted(graphs)]
    for graph in wanted:
        old, new = (iter(s.quads_for_pattern(None, None, None, graph)) for s in (before, after))
        was, now = next(old, None), next(new, None)
        while was is not None or now is not None:
            if was == now:
                was, now = next(old, None), next(new, None)
            elif now is not None and now not in before:
                added.add(now)
                now = next(new, None)
            elif was is not None and was not in after:
                removed.add(was)
                was = next(old, None)
            else:
                was, now = next(old, None), next(new, None)
            if len(added) + len(removed) > MAX_CHANGE:
                raise OverrunError(f"more than {MAX_CHANGE:,} statements would change", mend="change less at a time")
    return Change(frozenset(added), frozenset(removed))


class _Trial:
    """An update on a copy of the store.

    Parameters:
        before: the state before.
        after: the copy.
    """

    def __init__(self, before: ox.Store, after: ox.Store) -> None:
        self.before, self.after = before, after
        self.concerned: set[ox.Quad] = set()  # by templates and data
        self.graphs: set[str] = set()  # that were filled or emptied as a whole

    def change(self) -> Change:
        """Return what the operations have changed so far."""
        whole = difference(self.before, self.after, self.graphs)
        is_there = {quad: quad in self.after for quad in self.concerned}
        was_there = {quad: quad in self.before for quad in self.concerned}
        added = {q for q in self.concerned if is_there[q] and not was_there[q]}
        removed = {q for q in self.concerned if was_there[q] and not is_there[q]}
        return Change(whole.added | added, whole.removed | removed)

    def do(self, operation: Operation) -> None:
        """Do one operation."""
        if operation.kind in _BY_STATEMENT:
            new, gone = _meant(operation, self.after)
            self._alter(gone, new)
        else:
            with _Explained():
                self.after.update(f"{operation.prologue}\n{operation.text}", prefixes=dict(PREFIXES))
            self.graphs |= set(_resolved(operation, operation.graphs))

    def _alter(self, gone: Sequence[ox.Quad], new: Sequence[ox.Quad]) -> None:
        for quad in gone:
            self.after.remove(quad)
            self._note(quad)
        for quad in new:
            self._note(quad)
        self.after.extend(new)

    def _note(self, quad: ox.Quad) -> None:
        self.concerned.add(quad)
        if len(self.concerned) > MAX_CHANGE:
            raise OverrunError(f"more than {MAX_CHANGE:,} statements would change", mend="change less at a time")


def _try_out(operations: Sequence[Operation], database: Path, before: ox.Store) -> Change:
    trial = _Trial(before, ox.Store(str(database)))
    for operation in operations:
        trial.do(operation)
    return trial.change()


def _check_operations(text: str, operations: Sequence[Operation]) -> None:
    for operation in operations:
        _check_syntax(text, operation)
    for operation in operations:
        _check_operation(operation)


def _check_operation(operation: Operation) -> None:
    if operation.kind is None or operation.kind == "load":
        raise no_kind(operation)
    if operation.reads_default:
        raise ParameterError(
            "this would copy the default graph, which is the union of all others", mend="name the graph to copy"
        )
    if ANY in operation.graphs:
        if operation.kind not in ("clear", "drop"):
            raise no_kind(operation)
        raise ParameterError("this would empty all graphs", mend="name the graphs that are to be emptied")
    for graph in _resolved(operation, [name for name in operation.graphs if not is_variable(name)]):
        check_graph(graph)


def _check_syntax(text: str, operation: Operation) -> None:
    """Let the engine parse an operation: one that fails comes first, so that nothing else is done."""
    try:
        ox.Store().update(f"{operation.prologue} {_STOP};\n{operation.text}", prefixes=dict(PREFIXES))
    except SyntaxError as error:
        raise MalformedError(
            f"the update does not parse: {_placed(text, operation, error)}", mend="see the position named in it"
        ) from error
    except RuntimeError:
        return


def _placed(text: str, operation: Operation, error: SyntaxError) -> str:
    """Return what the engine says of an operation, with the position in the whole update."""
    first = text.count("\n", 0, operation.start)
    indent = operation.start - (text.rfind("\n", 0, operation.start) + 1)

    def position(match: re.Match[str]) -> str:
        line, column = int(match[1]) - 1, int(match[2])
        return f"error at {first + line}:{column}" if line > 1 else f"error at {first + 1}:{column + indent}"

    return _POSITION.sub(position, str(error), count=1)


def _resolved(operation: Operation, names: Iterable[str]) -> list[str]:
    resolved = resolve_names(operation.prologue, names)
    if resolved is None:
        raise no_kind(operation)
    return list(resolved.values())


def _solve(store: ox.Store, operation: Operation, variables: Sequence[str]) -> list[Row]:
    """Answer the WHERE of an operation: over the graphs that it names, else over the union of all."""
    head = f"SELECT DISTINCT {' '.join(f'?{name}' for name in variables)} WHERE" if variables else "ASK"
    own = operation.using or operation.using_named
    names = operation.using if own else (operation.with_graph,) if operation.with_graph else ()
    default: list[ox.NamedNode | ox.BlankNode | ox.DefaultGraph] = [*_nodes(operation, names)]
    named: list[ox.NamedNode | ox.BlankNode] = [*_nodes(operation, operation.using_named)]
    with _Explained():
        found = store.query(
            f"{operation.prologue}\n{head} {operation.pattern}",
            prefixes=dict(PREFIXES),
            use_default_graph_as_union=not own and not default,
            default_graph=default if own or default else None,
            named_graphs=named if own else None,
        )
        if isinstance(found, ox.QueryBoolean):
            return [()] if bool(found) else []
        assert isinstance(found, ox.QuerySolutions)
        rows: list[Row] = [tuple(row[name] for name in variables) for row in islice(found, MAX_CHANGE + 1)]
    if len(rows) > MAX_CHANGE:
        raise OverrunError(f"WHERE gives more than {MAX_CHANGE:,} rows", mend="change less at a time")
    return rows


def _nodes(operation: Operation, names: Iterable[str]) -> list[ox.NamedNode]:
    return [ox.NamedNode(iri) for iri in _resolved(operation, dict.fromkeys(names))]


def _blocks(variables: Sequence[str], rows: Sequence[Row]) -> Iterator[str]:
    head = f"VALUES ({' '.join(f'?{name}' for name in variables)})"
    if not variables:
        yield from [""] * len(rows)
        return
    for start in range(0, len(rows), _ROWS):
        lines = (" ".join("UNDEF" if t is None else _term(t) for t in row) for row in rows[start : start + _ROWS])
        yield f"{head} {{ ({') ('.join(lines)}) }}"


def _term(term: Term) -> str:
    if isinstance(term, ox.BlankNode):
        raise MalformedError("the update makes a node without an IRI", mend="leave BNODE out, and name the node")
    return str(term)


def _meant(operation: Operation, store: ox.Store) -> tuple[list[ox.Quad], list[ox.Quad]]:
    """Return the statements that an operation means to add to a store, and those that it means to remove."""
    if operation.kind == "insert data":
        return _filled(operation, [operation.text]), []
    if operation.kind == "delete data":
        return [], _filled(operation, ["INSERT" + operation.text[len("DELETE") :]])
    variables = operation.template_variables
    rows = _solve(store, operation, variables)
    with_graph = f"WITH {operation.with_graph} " if operation.with_graph else ""
    new, gone = (
        _filled(operation, (f"{with_graph}INSERT {template} WHERE {{ {b} }}" for b in _blocks(variables, rows)))
        if template
        else []
        for template in (operation.insert, operation.delete)
    )
    return new, gone


def _filled(operation: Operation, texts: Iterable[str]) -> list[ox.Quad]:
    """Return the statements that templates or data speak of: what insertions of them put into an empty store."""
    store = ox.Store()
    with _Explained():
        for text in texts:
            store.update(f"{operation.prologue}\n{text}", prefixes=dict(PREFIXES))
            if len(store) > MAX_CHANGE:
                raise OverrunError(f"more than {MAX_CHANGE:,} statements would change", mend="change less at a time")
    return list(store)


class _Explained:
    """Tells in our words what the engine says of an update that parses."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, SyntaxError):
            raise MalformedError(f"the update does not parse: {error}", mend="see what it names") from error
        if isinstance(error, RuntimeError | OSError):
            raise ParameterError(f"the update cannot be carried out: {error}", mend="correct or leave that") from error
