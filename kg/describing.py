"""What the graph holds of a resource: the queries that tell it, and the description that their answers make.

A description starts from the node and stays bounded, whatever the size of the store:

- its own statements, and the first few of those that point to it, for each property;
- the assertions that concern it, by section and page: what is said of it, what it holds or voices, the stances
  to it, what is stated in it, what it supports, the chain of voices that it stands in;
- of each of these assertions, the statements of itself, of its content and of its passages;
- the labels of everything mentioned.

Every query is a text made by a function, with names put in as terms, so that it can be run wherever queries are
run; `describe` takes the function that runs them. Statements come with the graph that they stand in.

Source: what a description should hold, https://www.w3.org/TR/cooluris/, section 4; concise bounded
descriptions, https://www.w3.org/submissions/CBD/, here without blank nodes, of which the store has none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from itertools import chain

import pyoxigraph as ox

from kg.errors import NotFoundError
from kg.languages import Name, nearness
from kg.names import PROV, PROVENANCE_GRAPH, RDFS, SKOS, WS, shorten
from kg.store import Results
from kg.terms import PropertyTerm, terms
from kg.vocabulary import vocabulary

Run = Callable[[str], Results]
"""Runs a query over one snapshot."""

PAGE = 25
"""Assertions of each section that a page of a description has; also statements of a page of a graph."""
FEW = 20
"""Statements that point to a resource, for each property; of its own, of properties that can have very many values."""
OWN = 1_000
"""Statements of a resource itself that a description has at most."""
BATCH = 400
"""Resources whose labels one query asks for, which keeps its text short."""
ENOUGH = 1_000
"""Assertions that are counted and paged through; what comes after them is for a query."""

_ROW = "?graph ?subject ?predicate ?object"
_MANY = (WS + "holds", WS + "takesStanceTo", WS + "perceives")
_LABELS = (SKOS + "prefLabel", RDFS + "label", WS + "title", WS + "gloss")
_FOREIGN = (
    *(RDFS + name for name in ("isDefinedBy", "subClassOf", "subPropertyOf", "seeAlso")),
    *(SKOS + name for name in ("broader", "related", "inScheme", "topConceptOf", "exactMatch", "closeMatch")),
    *(PROV + name for name in ("generated", "wasAssociatedWith", "wasAttributedTo", "wasInformedBy")),
)
_SECTIONS: Mapping[str, str] = {
    "voices": "{node} (ws:within|ws:reports)+ ?assertion",
    "stances": "?assertion ws:proposition {node} ; ws:holder ?holder",
    "said": "VALUES ?how {{ {hows} }} ?content ?how {node} . ?assertion ws:proposition ?content",
    "held": "{{ ?assertion ws:holder {node} }} UNION {{ ?assertion ws:speaker {node} }}",
    "stated": "?assertion ws:statedIn {node}",
    "supported": "?assertion ws:evidencedBy {node}",
}
SECTIONS = tuple(_SECTIONS)
"""Kinds of assertions that concern a resource."""


@dataclass(frozen=True)
class Outline:
    """The beginning of a description: what a resource is, and which assertions concern it.

    Parameters:
        iri, own, pointing, assertions, counts, page, cut: as in `Description`.
    """

    iri: str
    own: tuple[ox.Quad, ...]
    pointing: tuple[ox.Quad, ...]
    assertions: Mapping[str, Sequence[str]]
    counts: Mapping[str, int]
    page: int
    cut: bool

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-min(max(self.counts.values(), default=0), ENOUGH) // PAGE))


@dataclass(frozen=True)
class Description(Outline):
    """What is told of a resource.

    Parameters:
        iri: the resource.
        own: its own statements.
        pointing: statements that point to it, those of `assertions` aside.
        assertions: section to IRIs, in order, of the assertions on this page.
        counts: section to how many there are, at most ``ENOUGH + 1``, which means more than ``ENOUGH``.
        page: counted from 1.
        cut: True where it has more statements of its own than are told.
        about: statements of the assertions, their contents and passages, and of the graphs that it stands in.
        labels: the statements that say what everything mentioned is called.
    """

    about: tuple[ox.Quad, ...]
    labels: tuple[ox.Quad, ...]

    def quads(self) -> list[ox.Quad]:
        """Return all statements, each once, those of the resource itself first."""
        return list(dict.fromkeys(chain(self.own, self.pointing, self.about, self.labels)))

    def names(self, language: str = "en") -> Mapping[str, Name]:
        """Return what everything mentioned is called; see `pick_names`."""
        return pick_names(self.quads(), language)


def describe(run: Run, iri: str, page: int = 1) -> Description:
    """Describe a resource.

    Parameters:
        run: answers a query over one snapshot; it is called some ten times, one after the other.
        iri: the resource.
        page: which part of the assertions of each section, counted from 1.

    Raises:
        NotFoundError: the graph holds nothing of it, or there is no such page.

    >>> from kg.store import Snapshot
    >>> store, anna = ox.Store(), ox.NamedNode("https://w3id.org/whosays/id/anna")
    >>> register = ox.NamedNode("https://w3id.org/whosays/graph/register")
    >>> store.add(ox.Quad(anna, ox.NamedNode(SKOS + "prefLabel"), ox.Literal("Anna", language="en"), register))
    >>> describe(Snapshot(store, "1").query, anna.value).names()[anna.value]
    'Anna'
    """
    begun = outline(run, iri, page)
    own, assertions = begun.own, begun.assertions
    nodes = dict.fromkeys(a for found in assertions.values() for a in found)
    about = read_quads(run(statements_query(nodes))) if nodes else []
    contents = {WS + "proposition", WS + "evidencedBy"}
    further = dict.fromkeys(
        [q.object.value for q in (*own, *about) if q.predicate.value in contents and isinstance(q.object, ox.NamedNode)]
        + sorted({q.graph_name.value for q in own if isinstance(q.graph_name, ox.NamedNode)})
    )
    about += read_quads(run(statements_query(set(further) - nodes.keys() - {iri}))) if further else []
    stated = (*own, *begun.pointing, *about)
    mentioned = {iri, *further} | {value for q in stated for value in map(_iri, _parts(q)) if value}
    return Description(
        **{field.name: getattr(begun, field.name) for field in fields(begun)},
        about=_sorted(about),
        labels=_sorted(find_labels(run, mentioned)),
    )


def outline(run: Run, iri: str, page: int = 1) -> Outline:
    """Begin to describe a resource: what `describe` does first, and all that a page of our own needs of it.

    Parameters:
        run, iri, page: as in `describe`.

    Raises:
        NotFoundError: the graph holds nothing of it, or there is no such page.

    >>> outline(ox.Store().query, "https://w3id.org/whosays/id/nobody")
    Traceback (most recent call last):
    kg.errors.NotFoundError: the graph holds nothing of `nobody`
      mend: check the spelling
    """
    predicates = run(pointing_query(iri))
    assert isinstance(predicates, ox.QuerySolutions)
    pointing = [value for row in predicates if (value := _iri(row["predicate"]))]
    statements = read_quads(run(describe_query(iri, pointing)))
    if not statements:
        raise NotFoundError(f"the graph holds nothing of `{shorten(iri)}`", mend="check the spelling")
    own = [q for q in statements if _iri(q.subject) == iri]
    assertions, counts = _concerned(run, iri, page)
    if page > 1 and not any(assertions.values()):
        raise NotFoundError(f"the description of `{shorten(iri)}` has no page {page}", mend="begin with the first")
    return Outline(
        iri=iri,
        own=_sorted(own),
        pointing=_sorted(q for q in statements if _iri(q.subject) != iri),
        assertions=assertions,
        counts=counts,
        page=page,
        cut=len([q for q in own if q.predicate.value not in _MANY]) >= OWN,
    )


def pointing_query(iri: str) -> str:
    """Return the query for the properties by which anything points to a resource; its rows are predicates.

    It costs a look for each property that relates resources, so that `describe_query` need only ask for few.

    >>> "EXISTS" in pointing_query("https://w3id.org/whosays/id/ruritania")
    True
    """
    looked = f"FILTER EXISTS {{ GRAPH ?graph {{ ?subject ?predicate {ox.NamedNode(iri)} }} }}"
    return f"SELECT ?predicate WHERE {{ VALUES ?predicate {{ {_terms(_pointing())} }} {looked} }}"


def describe_query(iri: str, pointing: Iterable[str] = ()) -> str:
    """Return the query for a resource's own statements and those that point to it.

    Its rows are graph, subject, predicate and object.

    Parameters:
        iri: the resource.
        pointing: properties whose statements that point to it are asked for, the first few of each.

    >>> "LIMIT 20" in describe_query("https://w3id.org/whosays/id/ruritania")
    True
    """
    node = ox.NamedNode(iri)
    own = f"BIND({node} AS ?subject) GRAPH ?graph {{ {node} ?predicate ?object }} FILTER(?predicate NOT IN ({_many()}))"
    any_way = f"BIND({node} AS ?object) GRAPH ?graph {{ ?subject ?predicate {node} }}"
    blocks = [_block(own, OWN), _block(any_way, FEW)]
    blocks += [_block(_statement(str(node), p, "?object"), FEW) for p in _MANY]
    blocks += [_block(_statement("?subject", p, str(node)), FEW) for p in pointing]
    return f"SELECT DISTINCT {_ROW} WHERE {{\n{' UNION '.join(blocks)}\n}}"


def assertions_query(iri: str, page: int = 1) -> str:
    """Return the query for the assertions that concern a resource.

    Its rows are section and assertion, in order, at most ``PAGE`` a section: those stated in a document as its text
    has them, all others by date, the newest first. Where there are more than ``ENOUGH``, the rest is out of reach.

    >>> "OFFSET 25" in assertions_query("https://w3id.org/whosays/id/ruritania", page=2)
    True
    """
    window = f"LIMIT {PAGE} OFFSET {(page - 1) * PAGE}"
    found = []
    for section in SECTIONS:
        # By number or date only: to sort by name, the engine fetches both names anew for each comparison.
        if section == "stated":
            key, order = "OPTIONAL { ?assertion ws:evidencedBy/ws:start ?start }", "MIN(?start)"
        else:
            key, order = "OPTIONAL { ?assertion ws:earliest ?day }", "DESC(MAX(?day))"
        inner = f"{{ {{ {_concerning(section, iri)} }} {key} }} GROUP BY ?assertion"
        found.append(f'{{ SELECT ("{section}" AS ?section) ?assertion WHERE {inner} ORDER BY {order} {window} }}')
    return f"SELECT ?section ?assertion WHERE {{\n{' UNION '.join(found)}\n}}"


def counts_query(iri: str) -> str:
    """Return the query that counts the assertions that concern a resource.

    Its rows are section and number; nothing is counted beyond ``ENOUGH + 1``.

    >>> "COUNT" in counts_query("https://w3id.org/whosays/id/ruritania")
    True
    """
    found = [
        f'{{ SELECT ("{section}" AS ?section) (COUNT(*) AS ?number) WHERE {{ {_concerning(section, iri)} }} }}'
        for section in SECTIONS
    ]
    return f"SELECT ?section ?number WHERE {{\n{' UNION '.join(found)}\n}}"


def statements_query(iris: Iterable[str]) -> str:
    """Return the query for the statements of resources, and of the parts that belong to them alone.

    Parts are the steps of a causal pathway and the other reading of an assertion. The rows are graph, subject,
    predicate and object.

    >>> "VALUES" in statements_query(["https://w3id.org/whosays/id/ruritania"])
    True
    """
    nodes = _terms(iris)
    said = f"GRAPH ?graph {{ ?subject ?predicate ?object }} FILTER(?predicate NOT IN ({_many()}))"
    whole = f"VALUES ?whole {{ {nodes} }} ?whole ws:hasStep|ws:otherReading ?subject"
    parts = f"{{ SELECT DISTINCT ?subject WHERE {{ {whole} }} }}"
    return f"SELECT {_ROW} WHERE {{\n{{ VALUES ?subject {{ {nodes} }} {said} }}\nUNION {{ {parts} {said} }}\n}}"


def labels_query(iris: Iterable[str]) -> str:
    """Return the query for the statements that say what resources are called.

    An assertion has no name of its own and goes by its content, which is given too. The rows are graph, subject,
    predicate and object.

    >>> "skos:prefLabel" in labels_query(["https://w3id.org/whosays/id/ruritania"])
    False
    >>> SKOS + "prefLabel" in labels_query(["https://w3id.org/whosays/id/ruritania"])
    True
    """
    nodes = _terms(iris)
    given = f"VALUES ?subject {{ {nodes} }}"
    contents = f"VALUES ?assertion {{ {nodes} }} ?assertion ws:proposition ?subject ."
    blocks = [f"{given} {_statement('?subject', p, '?object')}" for p in (*_LABELS, WS + "proposition")]
    blocks.append(f"{contents} {_statement('?subject', WS + 'gloss', '?object')}")
    union = " } UNION { ".join(blocks)
    return f"SELECT DISTINCT {_ROW} WHERE {{\n{{ {union} }}\n}}"


def find_labels(run: Run, iris: Iterable[str]) -> list[ox.Quad]:
    """Return the statements that say what resources are called; see `labels_query`.

    Terms of the ontology are left out: they are explained at their own names, and `pick_names` knows them.

    >>> find_labels(ox.Store().query, [WS + "holder"])
    []
    """
    wanted = sorted(set(iris) - terms().keys())
    batches = (wanted[i : i + BATCH] for i in range(0, len(wanted), BATCH))
    return list(dict.fromkeys(quad for batch in batches for quad in read_quads(run(labels_query(batch)))))


def quotes_query(passages: Iterable[str]) -> str:
    """Return the query for the words of passages, for pages only: quotes are in no export.

    Its rows are passage and quote, which is unbound where the text is not at hand.

    >>> "ws:quote" in quotes_query(["https://w3id.org/whosays/id/bridge-toll/0-49"])
    True
    """
    return f"SELECT ?passage (ws:quote(?passage) AS ?quote) WHERE {{ VALUES ?passage {{ {_terms(passages)} }} }}"


def graph_query(graph: str, *, limit: int | None = None, offset: int = 0) -> str:
    """Return the query for the statements of a named graph.

    Parameters:
        graph: its IRI.
        limit, offset: of the statements; None for all. The order is the same for as long as the snapshot is.

    Returns:
        A query whose rows are graph, subject, predicate and object.

    >>> "LIMIT 5" in graph_query("https://w3id.org/whosays/graph/register", limit=5)
    True
    """
    window = f" LIMIT {limit} OFFSET {offset}" if limit is not None else ""
    name = ox.NamedNode(graph)
    return f"SELECT {_ROW} WHERE {{ GRAPH {name} {{ ?subject ?predicate ?object }} BIND({name} AS ?graph) }}{window}"


def size_query(graph: str, *, enough: int = ENOUGH) -> str:
    """Return the query for the number of statements of a named graph, counted up to ``enough + 1``.

    >>> "1001" in size_query("https://w3id.org/whosays/graph/register")
    True
    """
    inner = f"{{ SELECT ?s WHERE {{ GRAPH {ox.NamedNode(graph)} {{ ?s ?p ?o }} }} LIMIT {enough + 1} }}"
    return f"SELECT (COUNT(*) AS ?number) WHERE {{ {inner} }}"


def provenance_query(graph: str) -> str:
    """Return the query for who put a named graph there, when and from what, with the newest of its changes.

    The rows are graph, subject, predicate and object.

    >>> "prov#generated" in provenance_query("https://w3id.org/whosays/graph/register")
    True
    """
    name, kept = ox.NamedNode(graph), ox.NamedNode(PROVENANCE_GRAPH)
    generated, ended = ox.NamedNode(PROV + "generated"), ox.NamedNode(PROV + "endedAtTime")
    changes = (
        f"{{ SELECT ?subject WHERE {{ GRAPH {kept} {{ ?subject {generated} {name} ; {ended} ?at }} }} "
        f"ORDER BY DESC(?at) LIMIT {FEW} }}"
    )
    other = f"FILTER(?predicate != {generated} || ?object = {name})"
    return (
        f"SELECT {_ROW} WHERE {{\nBIND({kept} AS ?graph)\n"
        f"{{ BIND({name} AS ?subject) GRAPH {kept} {{ {name} ?predicate ?object }} }}\n"
        f"UNION {{ {changes} GRAPH {kept} {{ ?subject ?predicate ?object }} {other} }}\n}}"
    )


def read_quads(results: Results) -> list[ox.Quad]:
    """Return the statements that rows of graph, subject, predicate and object are, each once.

    >>> store = ox.Store()
    >>> store.add(ox.Quad(ox.NamedNode("ex:a"), ox.NamedNode("ex:b"), ox.Literal("c"), ox.NamedNode("ex:g")))
    >>> len(read_quads(store.query(graph_query("ex:g"))))
    1
    """
    assert isinstance(results, ox.QuerySolutions)
    found: dict[ox.Quad, None] = {}
    for row in results:
        graph, subject, predicate, value = row["graph"], row["subject"], row["predicate"], row["object"]
        assert isinstance(graph, ox.NamedNode)
        assert isinstance(subject, ox.NamedNode)
        assert isinstance(predicate, ox.NamedNode)
        assert value is not None
        found[ox.Quad(subject, predicate, value, graph)] = None
    return list(found)


def read_counts(results: Results) -> dict[str, int]:
    """Return the numbers in rows of section and number."""
    assert isinstance(results, ox.QuerySolutions)
    return {str(row["section"].value): int(row["number"].value) for row in results}


def pick_names(quads: Collection[ox.Quad | ox.Triple], language: str = "en") -> dict[str, Name]:
    """Return what resources are called, from statements: an assertion goes by its content, a term by its label.

    Parameters:
        quads: among others, those that give labels.
        language: the one preferred; where it is missing, see `kg.languages`.

    Returns:
        IRI to name, for those that have one.

    >>> anna, name = ox.NamedNode("ex:anna"), ox.NamedNode(SKOS + "prefLabel")
    >>> pick_names([ox.Quad(anna, name, ox.Literal("Anna", language="en"))])
    {'ex:anna': 'Anna'}
    """
    best: dict[str, tuple[tuple[int, int, str], Name]] = {}
    contents: dict[str, str] = {}
    for quad in quads:
        subject, value = _iri(quad.subject), quad.object
        if subject is None:
            continue
        if isinstance(value, ox.Literal) and quad.predicate.value in _LABELS:
            rank = (nearness(value.language, language), -_LABELS.index(quad.predicate.value), value.value)
            if subject not in best or rank > best[subject][0]:
                best[subject] = (rank, Name(value.value, value.language or ""))
        elif isinstance(value, ox.NamedNode) and quad.predicate.value == WS + "proposition":
            contents[subject] = value.value
    known = {part.value for q in quads for part in _parts(q) if isinstance(part, ox.NamedNode)} & terms().keys()
    names = {iri: name for iri, (_, name) in best.items()} | {iri: Name(terms()[iri].label, "en") for iri in known}
    return names | {a: names[p] for a, p in contents.items() if a not in names and p in names}


def _concerned(run: Run, iri: str, page: int) -> tuple[dict[str, list[str]], dict[str, int]]:
    results = run(assertions_query(iri, page))
    assert isinstance(results, ox.QuerySolutions)
    found: dict[str, list[str]] = {section: [] for section in SECTIONS}
    for row in results:
        section, assertion = row["section"], row["assertion"]
        assert isinstance(section, ox.Literal)
        if isinstance(assertion, ox.NamedNode):
            found[section.value].append(assertion.value)
    if page == 1 and all(len(assertions) < PAGE for assertions in found.values()):
        return found, {section: len(assertions) for section, assertions in found.items()}
    return found, read_counts(run(counts_query(iri)))


def _concerning(section: str, iri: str) -> str:
    """Return a pattern that gives each assertion of a section once, no more than enough of them."""
    pattern = _SECTIONS[section].format(node=ox.NamedNode(iri), hows=_hows())
    return f"SELECT DISTINCT ?assertion WHERE {{ {pattern} }} LIMIT {ENOUGH + 1}"


def _block(pattern: str, limit: int) -> str:
    return f"{{ SELECT {_ROW} WHERE {{ {pattern} }} LIMIT {limit} }}"


def _statement(subject: str, predicate: str, value: str) -> str:
    """Return a pattern for a statement with a known predicate, all its four parts bound to variables."""
    name = ox.NamedNode(predicate)
    known = [(v, t) for v, t in (("?subject", subject), ("?predicate", str(name)), ("?object", value)) if v != t]
    binds = "".join(f" BIND({term} AS {variable})" for variable, term in known)
    return f"GRAPH ?graph {{ {subject} {name} {value} }}{binds}"


@cache
def _pointing() -> tuple[str, ...]:
    """Return the properties that are followed backwards: those between resources, sections and codings aside."""
    aside = {"holder", "speaker", "statedIn", "evidencedBy", "proposition", "within", "reports", "coder"}
    aside |= {iri.removeprefix(WS) for iri in _MANY} | {"about", "reportedBy"}
    own = (p.name for p in vocabulary().properties.values() if p.is_relation and not p.scheme)
    return (*(WS + name for name in own if name not in aside), *_FOREIGN)


@cache
def _hows() -> str:
    """Return the properties by which a content speaks of something."""
    return _terms(
        term.iri
        for term in terms().values()
        if isinstance(term, PropertyTerm)
        and term.kind == "object property"
        and not (term.scheme or term.derived)
        and any(vocabulary().is_a(domain.removeprefix(WS), "Proposition") for domain in term.domains)
    )


def _many() -> str:
    return ", ".join(str(ox.NamedNode(p)) for p in _MANY)


def _terms(iris: Iterable[str]) -> str:
    return " ".join(str(ox.NamedNode(iri)) for iri in iris)


def _iri(term: object) -> str | None:
    return term.value if isinstance(term, ox.NamedNode) else None


def _parts(statement: ox.Quad | ox.Triple) -> tuple[object, ...]:
    return statement.subject, statement.predicate, statement.object


def _sorted(quads: Iterable[ox.Quad]) -> tuple[ox.Quad, ...]:
    return tuple(sorted(quads, key=str))
