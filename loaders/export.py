"""Export: what the store holds of a document, written as a record again.

Reading the outcome gives the same quads. Comments and nesting of the original record are not in
the store and so not in the export; what the loader adds by itself (the author's plain reports) is
left out again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import pyoxigraph as ox
import yaml

from kg.errors import NotFoundError
from kg.names import CONTENTS_GRAPH, ID, RDF, RDFS, SKOS, WS, document_graph
from kg.store import Snapshot
from kg.vocabulary import SECTIONS, concept_prefix, vocabulary
from loaders.records import parse_record, plain_report

_DEFAULT_KEYS = ("coder", "coded", "status", "holderBasis", "polarity", "certainty", "basis")
_DEFINED_BY = RDFS + "isDefinedBy"
_BORROWED = {SKOS + name: name for name in ("prefLabel", "altLabel", "definition", "broader")} | {
    "http://purl.org/dc/terms/source": "source"
}

Entry = dict[str, object]


class _Dumper(yaml.SafeDumper):
    """Writes every scalar as plain as YAML allows: records are read as strings anyway."""


_Dumper.yaml_implicit_resolvers = {}


def export_document(snapshot: Snapshot, document: str) -> str:
    """Return the record of a published document.

    Parameters:
        snapshot: the published graph.
        document: the document's IRI.

    Raises:
        NotFoundError: no such document is published.
    """
    quads = document_quads(snapshot, document)
    if not quads:
        raise NotFoundError(f"no document `{document.removeprefix(ID)}` is published", mend="see `whosays documents`")
    entries: dict[str, Entry] = {}
    for quad in quads:
        assert isinstance(quad.subject, ox.NamedNode)
        _put(entries.setdefault(quad.subject.value, {"id": quad.subject.value.removeprefix(ID)}), quad)
    head = entries.pop(document)
    assertions = [e for e in entries.values() if e.get("type") == "Assertion"]
    defaults = _defaults(assertions)
    added = {str(e["id"]) for e in assertions if _is_plain_report(e, head, entries)}
    sections: dict[str, list[Entry]] = {}
    for entry in sorted(entries.values(), key=_order):
        class_name = str(entry["type"])
        section = _section(class_name)
        if entry["id"] in added:
            continue
        if SECTIONS[section][1] == class_name:
            del entry["type"]
        if section == "assertions":
            for key, value in defaults.items():
                if entry.get(key) == value:
                    del entry[key]
        sections.setdefault(section, []).append(entry)
    record = {key: head[key] for key in ("id", "type", *(k for k in head if k not in ("id", "type")))}
    parts = [_dump(record, flow=False)]
    if defaults:
        parts.append(_dump({"defaults": defaults}, flow=False))
    parts += [_dump({name: sections[name]}) for name in SECTIONS if name in sections]
    text = "\n".join(parts)
    parse_record(text, f"{record['id']}.yaml")
    return text


def document_quads(snapshot: Snapshot, document: str) -> list[ox.Quad]:
    """Return all that the store holds of a document: its graph and the contents that it defines."""
    quads = list(snapshot.store.quads_for_pattern(None, None, None, ox.NamedNode(document_graph(document))))
    contents = ox.NamedNode(CONTENTS_GRAPH)
    for definition in snapshot.store.quads_for_pattern(
        None, ox.NamedNode(_DEFINED_BY), ox.NamedNode(document), contents
    ):
        quads += snapshot.store.quads_for_pattern(definition.subject, None, None, contents)
    return quads


def _put(entry: Entry, quad: ox.Quad) -> None:
    iri, term = quad.predicate.value, quad.object
    if iri == RDF + "type":
        assert isinstance(term, ox.NamedNode)
        entry["type"] = term.value.removeprefix(WS)
        return
    if iri == _DEFINED_BY or iri in (WS + "inDocument", WS + "statedIn", WS + "citingDocument"):
        return  # said by the section
    key = _BORROWED.get(iri) or iri.removeprefix(WS)
    prop = vocabulary().properties.get(key)
    if isinstance(term, ox.NamedNode):
        value = term.value.removeprefix(concept_prefix(prop.scheme) if prop and prop.scheme else ID)
        _append(entry, key, value)
    elif isinstance(term, ox.Literal) and term.language:
        languages = entry.setdefault(key, {})
        assert isinstance(languages, dict)
        _append(languages, term.language, term.value)
    elif isinstance(term, ox.Literal):
        _append(entry, key, term.value)


def _append(entry: Entry, key: str, value: str) -> None:
    there = entry.get(key)
    if there is None:
        entry[key] = value
    else:
        entry[key] = sorted([*there, value] if isinstance(there, list) else [str(there), value])


def _section(class_name: str) -> str:
    known = vocabulary()
    for section, (_, base) in SECTIONS.items():
        if class_name == base:
            return section
    return next(
        s
        for s, (_, base) in SECTIONS.items()
        if known.is_a(class_name, base) or (class_name == "PathwayStep" and base == "Proposition")
    )


def _is_plain_report(entry: Entry, head: Entry, entries: Mapping[str, Entry]) -> bool:
    name = str(entry["id"])
    inner = entries.get(ID + name.removesuffix("/report"))
    if not name.endswith("/report") or inner is None or isinstance(head.get("creator"), list):
        return False
    return entry == plain_report(inner, head.get("creator"))


def _defaults(assertions: Iterable[Entry]) -> Entry:
    entries = list(assertions)
    defaults: Entry = {}
    for key in _DEFAULT_KEYS:
        values = Counter(str(e[key]) for e in entries if isinstance(e.get(key), str))
        if entries and sum(values.values()) == len(entries):
            defaults[key] = values.most_common(1)[0][0]
    return defaults


def _order(entry: Entry) -> tuple[object, ...]:
    start = entry.get("start")
    return (int(str(start)) if start is not None else 0, str(entry["id"]))


def _dump(value: Mapping[str, object], *, flow: bool | None = None) -> str:
    plain = {key: _plain(item) for key, item in value.items()}
    return yaml.dump(plain, Dumper=_Dumper, allow_unicode=True, sort_keys=False, default_flow_style=flow, width=120)


def _plain(value: object) -> object:
    """Text that is only English needs no language map."""
    if isinstance(value, dict):
        if set(value) == {"en"}:
            return value["en"]
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
