"""What the malicious and the careless might send: a corpus for the door.

`REFUSED` must be refused, by every address, and leave no trace; `ODD` is strange and may pass; `HEAVY`
takes too long. Each is a form and bytes, in which `@PORT@` stands for that of a listening socket which nobody may call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from kg.names import (
    CONTENTS_GRAPH,
    ID,
    INFERRED_GRAPH,
    LINKS_GRAPH,
    ONTOLOGY_GRAPH,
    PROVENANCE_GRAPH,
    RDF,
    WS,
    document_graph,
    sparql_prefixes,
)
from loaders.jsonld_guard import CONTEXT
from tests.additions import REPLY, addition, as_form, assertion

Case = tuple[str, Callable[[], bytes]]
GOOD = addition("good")
OUTSIDE = "http://127.0.0.1:@PORT@/"


def yaml(text: str | bytes) -> Case:
    return "yaml", lambda: text.encode() if isinstance(text, str) else text


def entry(text: str) -> Case:
    return yaml(f"entries:\n  - {{id: x, type: Issue, {text}}}\n")


def said(**changes: str) -> Case:
    return yaml(addition("hostile", **changes))


def turtle(text: str, form: str = "ttl") -> Case:
    return form, lambda: (sparql_prefixes() + f"BASE <{ID}>\n" + text).encode()


def trig(graph: str, text: str = "<x> a ws:Issue") -> Case:
    return turtle(f"GRAPH <{graph}> {{ {text} }}", "trig")


def lines(made: Iterable[str], form: str = "nt") -> Case:
    return form, lambda: "".join(made).encode()


def jsonld(value: object) -> Case:
    return "jsonld", lambda: value.encode() if isinstance(value, str) else json.dumps(value).encode()


def xml(inside: str, before: str = "", about: str = "x") -> Case:
    head = (
        f'<?xml version="1.0"?>{before}<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        f'xmlns:ws="{WS}" xmlns:skos="http://www.w3.org/2004/02/skos/core#">'
    )
    return "rdf", lambda: f'{head}<ws:Issue rdf:about="{ID}{about}">{inside}</ws:Issue></rdf:RDF>'.encode()


def assertions_of_nothing(count: int) -> list[str]:
    return [f"<{REPLY}/a{n}> <{RDF}type> <{WS}Assertion> .\n" for n in range(count)]


def cycle_of_reports(length: int, *, closed: bool) -> bytes:
    """A chain of reports of reports, by the author of the reply; the last is of the first where it is closed."""
    made = [assertion(f"r{n}", act="reports", reports=f"reply-from-borduria/r{n + 1}") for n in range(length)]
    last = {"reports": "reply-from-borduria/r0"} if closed else {}
    return addition(f"r{length}", *made, **last)


def laughs(many: int = 9) -> str:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, many))
    return f'<!DOCTYPE rdf:RDF [<!ENTITY l0 "ha">{entities}]>'


def about_many(count: int) -> bytes:
    """A proposition about very many things, which come along."""
    names = ", ".join(f"thing-{n}" for n in range(count))
    entries = "".join(f"  - {{id: thing-{n}, type: Issue, prefLabel: T}}\n" for n in range(count))
    return GOOD.replace(b"about: tellbruck-toll", f"about: [{names}]".encode()) + b"entries:\n" + entries.encode()


REFUSED: dict[str, Case] = {
    # YAML
    "yaml: deep lists": yaml("entries: " + "[" * 100_000),
    "yaml: deep mappings": yaml("".join(" " * n + "a:\n" for n in range(1_500))),
    "yaml: billion laughs": yaml(
        "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 12))
    ),
    "yaml: itself inside itself": yaml("entries: &a [*a]\n"),
    "yaml: an object of Python": yaml("entries: !!python/object/apply:os.system ['touch /tmp/hostile']\n"),
    "yaml: two documents": yaml("entries: []\n---\nentries: []\n"),
    "yaml: a merge key": yaml("entries:\n  - {<<: {id: x}, type: Issue, prefLabel: X}\n"),
    "yaml: NUL": yaml(b"entries:\n  - {id: x, type: Issue, prefLabel: a\x00b}\n"),
    "yaml: NUL, escaped": entry('prefLabel: "a\\0b"'),
    "yaml: half a surrogate pair": entry('prefLabel: "\\ud800"'),
    "yaml: noncharacter": entry('prefLabel: "\\uffff"'),
    "yaml: UTF-16": yaml("entries:\n".encode("utf-16")),
    "yaml: UTF-32": yaml("entries:\n".encode("utf-32")),
    "yaml: UTF-16 without a mark": yaml("entries:\n".encode("utf-16-le")),
    "yaml: Latin-1": yaml("entries:\n  - {id: x, type: Issue, prefLabel: Zürich}\n".encode("latin-1")),
    "yaml: a surrogate as bytes": yaml(b"entries:\n  - {id: x, type: Issue, prefLabel: \xed\xa0\x80}\n"),
    "yaml: overlong": yaml(b"entries:\n  - {id: x, type: Issue, prefLabel: \xc0\xaf}\n"),
    "yaml: a huge text": entry("prefLabel: " + "x" * 9_000_000),
    "yaml: a huge number": yaml(GOOD.replace(b"valence: positive", b"valence: positive, about: " + b"9" * 100_000)),
    "yaml: a hundred thousand entries of nothing": yaml("entries:\n" + "  - {}\n" * 100_000),
    "yaml: an empty mapping": yaml("{}"),
    "yaml: a list": yaml("[entries]"),
    "yaml: nothing": yaml("# nothing\n"),
    "yaml: ids that are no names": yaml("entries:\n  - {id: {a: b}, type: Issue, prefLabel: X}\n"),
    "yaml: an id that is a list": yaml("entries:\n  - {id: [x], type: Issue, prefLabel: X}\n"),
    "yaml: a type that is a mapping": yaml("entries:\n  - {id: x, type: {a: b}, prefLabel: X}\n"),
    "yaml: a type that is a list": yaml("entries:\n  - {id: x, type: [Issue, Agent], prefLabel: X}\n"),
    "yaml: entries that are words": yaml("entries: hello\n"),
    "yaml: entries that are words, in an addition": yaml(GOOD + b"entries: hello\n"),
    "yaml: an entry that is a word, in an addition": yaml(GOOD + b"entries: [hello]\n"),
    "yaml: an entry that is a word": yaml("entries: [hello]\n"),
    "yaml: to nobody": yaml(GOOD.replace(b"to: reply-from-borduria", b"to: [a, {b: c}]")),
    "yaml: to elsewhere": yaml(GOOD.replace(b"to: reply-from-borduria", b"to: ../../etc/passwd")),
    "yaml: defaults that are words": yaml(b"to: reply-from-borduria\ndefaults: hello\n"),
    "yaml: JSON-LD keywords": yaml('"@context": "http://127.0.0.1:@PORT@/"\n"@graph": []\n'),
    "yaml: a keyword in an entry": entry('"@id": "http://example.org/", prefLabel: X'),
    "yaml: a name that climbs": yaml("entries:\n  - {id: x/../../y, type: Issue, prefLabel: X}\n"),
    "yaml: a name from right to left": yaml("entries:\n  - {id: x\u202eab, type: Issue, prefLabel: X}\n"),
    "yaml: a language tag": entry('prefLabel: {"en onmouseover=": X}'),
    "yaml: assertions of another document": said(evidencedBy="bridge-toll/0-49"),
    "yaml: an agent that is a number": said(holder="7"),
    "yaml: a document with a slash": yaml("id: a/b\ntype: Document\ntitle: X\n"),
    "yaml: a date for ever": said(saidOn="1" * 50_000),
    "yaml: a date of brackets": said(saidOn='"' + "[" * 5_000 + '"'),
    "yaml: a date of many": said(saidOn='"[' + ",".join(["1999"] * 5_000) + '"'),
    "yaml: a date too far": said(saidOn='"Y-17E7000000000000"'),
    "yaml: a date of unknowns": said(saidOn='"' + "X" * 3_000 + '"'),
    "yaml: an interval of intervals": said(saidOn="1999/" * 2_000),
    "yaml: a cycle of sixty reports": ("yaml", lambda: cycle_of_reports(60, closed=True)),
    "yaml: a name without end": yaml("entries:\n  - {id: " + "x" * 1_000_000 + "}\n"),
    "yaml: a key without end": entry("x" * 500 + ": 1, " + "x" * 500 + ": 2"),
    "yaml: a word without end": entry("prefLabel: X, broader: [" + "X" * 1_000_000 + "]"),
    "yaml: a cycle of one": said(reports="reply-from-borduria/hostile"),
    "yaml: no YAML": yaml("{" * 50 + "\t: @`%"),
    # Turtle and its kin
    "ttl: deep blank nodes": turtle("<x> <y> " + "[ <y> " * 50_000),
    "ttl: deep lists": turtle("<x> <y> " + "( " * 50_000),
    "ttl: deep triples": turtle("<x> <y> " + "<<( " * 20_000),
    "ttl: blank nodes": turtle("[] a ws:Issue ; skos:prefLabel 'X'@en ."),
    "ttl: a list": turtle("<x> a ws:Issue ; ws:about ( <y> <z> ) ."),
    "ttl: a triple in a triple": turtle("<x> a ws:Issue ; ws:about <<( <a> <b> <c> )>> ."),
    "ttl: a reified triple": turtle("<x> a ws:Issue {| ws:note 'n' |} ."),
    "ttl: a text with a direction": turtle('<x> a ws:Issue ; skos:prefLabel "X"@en--rtl .'),
    "ttl: NUL": turtle('<x> a ws:Issue ; skos:prefLabel "a\x00b"@en .'),
    "ttl: NUL, escaped": turtle('<x> a ws:Issue ; skos:prefLabel "a\\u0000b"@en .'),
    "ttl: half a surrogate pair": turtle('<x> a ws:Issue ; skos:prefLabel "\\uD800"@en .'),
    "ttl: beyond Unicode": turtle('<x> a ws:Issue ; skos:prefLabel "\\U00110000"@en .'),
    "ttl: a space in an IRI": turtle("<x\\u0020y> a ws:Issue ."),
    "ttl: an IRI within an IRI": turtle("<x> a ws:Issue ; ws:about <y\\u003E\\u003Cz> ."),
    "ttl: an IRI without end": turtle("<" + "x" * 1_000_000),
    "ttl: a long IRI": turtle(f"<{'x' * 100_000}> a ws:Issue ."),
    "ttl: a huge text": turtle(f'<x> a ws:Issue ; skos:prefLabel "{"x" * 9_000_000}"@en .'),
    "ttl: a file": turtle("BASE <file:///etc/> <passwd> a ws:Issue ."),
    "ttl: a script": turtle("<javascript:alert(1)> a ws:Issue ."),
    "ttl: a prefix abroad": turtle(f"@prefix x: <{OUTSIDE}> . x:a a ws:Issue ."),
    "ttl: letters that look alike": turtle("<\u0440eply> a ws:Issue ; skos:prefLabel 'X'@en ."),
    "ttl: not composed": turtle("<e\u0301> a ws:Issue ; skos:prefLabel 'X'@en ."),
    "ttl: nothing to see": turtle("<x\u200b> a ws:Issue ; skos:prefLabel 'X'@en ."),
    "ttl: percent": turtle("<x%2F..%2Fy> a ws:Issue ; skos:prefLabel 'X'@en ."),
    "ttl: many prefixes and no end": turtle("".join(f"@prefix p{n}: <http://e/{n}> .\n" for n in range(20_000)) + "<"),
    "nq: a graph without a name": lines([f"<{ID}x> <{WS}about> <{ID}y> _:g .\n"], "nq"),
    "nt: one huge line": lines([f"<{ID}x> <{WS}about> " + "<" * 5_000_000]),
    "nt: two hundred thousand tiny statements": lines(f"<e:{n}> <e:p> <e:o> .\n" for n in range(200_000)),
    "nt: too many tiny statements": lines(f"<e:{n}> <e:p> <e:o> .\n" for n in range(200_001)),
    "nt: sixty assertions of nothing": lines(assertions_of_nothing(60)),
    # What the rules rest on
    "rules: a subclass": turtle("ws:Place rdfs:subClassOf ws:Agent ."),
    "rules: a subclass of one's own": turtle("<x> a ws:Issue ; rdfs:subClassOf ws:Agent ."),
    "rules: a shape": turtle("<x> a sh:NodeShape ; sh:targetClass ws:Assertion ; sh:deactivated true ."),
    "rules: no shape any more": turtle("ws:Assertion-holder sh:deactivated true ."),
    "rules: a rule": turtle("<x> a ws:Issue ; sh:rule <y> ; sh:js <z> ."),
    "rules: a query": turtle("<x> a sh:SPARQLConstraint ; sh:select 'SELECT $this WHERE { ?a ?b ?c . ?d ?e ?f }' ."),
    "rules: the same as another": turtle("<kazimir-vlastok> owl:sameAs <amalia-orvosd> ."),
    "rules: an import": turtle(f"<{WS.removesuffix('#')}> owl:imports <{OUTSIDE}> ."),
    "rules: a symmetric property": turtle("ws:holder a owl:SymmetricProperty ."),
    "rules: another family": turtle("ws:act-states ws:family ws:family-will ."),
    "rules: a new act": turtle("<act-x> a ws:Act ; skos:inScheme ws:ActScheme ."),
    "rules: a leader": turtle("<x> a ws:Leader ; skos:prefLabel 'X'@en ."),
    "rules: a standing": turtle("<reply-from-borduria/s1a> ws:standing ws:standing-disavowed ."),
    "rules: a digest of the shapes": turtle(f"<{ONTOLOGY_GRAPH}> ws:shapesDigest 'x' ."),
    "rules: a change": turtle("<https://w3id.org/whosays/change/1> a prov:Activity ."),
    "graph: ontology": trig(ONTOLOGY_GRAPH),
    "graph: inferred": trig(INFERRED_GRAPH),
    "graph: provenance": trig(PROVENANCE_GRAPH),
    "graph: propositions": trig(CONTENTS_GRAPH),
    "graph: links": trig(LINKS_GRAPH),
    "graph: another document": trig(document_graph("bridge-toll")),
    "graph: somebody's causes": trig("https://w3id.org/whosays/graph/causal/borduria", "<a> ws:raises <b>"),
    "graph: elsewhere": trig("http://example.org/graph"),
    "graph: from one document into another": trig(
        document_graph("reply-from-borduria"), "<bridge-toll/s1a> ws:note 'no'@en"
    ),
    # JSON-LD
    "jsonld: deep lists": jsonld("[" * 500_000),
    "jsonld: deep objects": jsonld('{"@graph": ' * 50_000),
    "jsonld: a remote context": jsonld({"@context": OUTSIDE, "@id": "x", "@type": "Issue"}),
    "jsonld: remote contexts": jsonld({"@context": [OUTSIDE, {"a": OUTSIDE}], "@id": "x"}),
    "jsonld: an import": jsonld({"@context": {"@import": OUTSIDE}, "@id": "x", "@type": WS + "Issue"}),
    "jsonld: a context in a term": jsonld({"@context": {"a": {"@id": "e:a", "@context": OUTSIDE}}, "a": {"@id": "x"}}),
    "jsonld: a context further in": jsonld({"@id": "x", WS + "about": {"@context": OUTSIDE, "@id": "y"}}),
    "jsonld: a file as context": jsonld({"@context": "file:///etc/passwd", "@id": "x"}),
    "jsonld: half a surrogate pair": jsonld('{"@id": "x", "e:p": "\\ud800"}'),
    "jsonld: NUL": jsonld({"@id": "x", "@type": WS + "Issue", "e:p": "a\0b"}),
    "jsonld: a huge number": jsonld('{"@id": "x", "e:p": ' + "9" * 100_000 + "}"),
    "jsonld: a number beyond numbers": jsonld('{"@id": "x", "e:p": 1e999999}'),
    "jsonld: no number": jsonld('{"@id": "x", "e:p": NaN}'),
    "jsonld: a key twice": jsonld('{"@id": "x", "@id": "y", "@type": "e:T"}'),
    "jsonld: a word": jsonld('"x"'),
    "jsonld: null": jsonld("null"),
    "jsonld: a list in a list": jsonld({"@id": "x", "e:p": {"@list": [{"@list": ["a"]}]}}),
    "jsonld: JSON inside": jsonld({"@id": "x", "e:p": {"@type": "@json", "@value": {"a": [1]}}}),
    "jsonld: turned round": jsonld({"@id": ID + "x", "@reverse": {WS + "holder": {"@id": ID + "y"}}}),
    "jsonld: no name": jsonld({"@context": CONTEXT, "entries": [{"type": "Issue", "prefLabel": {"en": "X"}}]}),
    "jsonld: a name that is a number": jsonld({"@id": 7, "@type": WS + "Issue"}),
    "jsonld: terms of terms": jsonld(
        {"@context": {f"t{n}": f"t{n + 1}:x" for n in range(5_000)}, "@id": "x", "t0": "y"}
    ),
    "jsonld: a term that is itself": jsonld({"@context": {"a": "a:a", "b": "c:b", "c": "b:c"}, "@id": "x", "b": "y"}),
    # RDF/XML
    "rdf: billion laughs": xml("<skos:prefLabel>&l8;</skos:prefLabel>", laughs()),
    "rdf: one entity": xml("<skos:prefLabel>&a;</skos:prefLabel>", '<!DOCTYPE rdf:RDF [<!ENTITY a "b">]>'),
    "rdf: a file": xml(
        "<skos:prefLabel>&a;</skos:prefLabel>", '<!DOCTYPE rdf:RDF [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    ),
    "rdf: an entity abroad": xml(
        "<skos:prefLabel>&a;</skos:prefLabel>", f'<!DOCTYPE rdf:RDF [<!ENTITY a SYSTEM "{OUTSIDE}">]>'
    ),
    "rdf: a DTD abroad": xml("", f'<!DOCTYPE rdf:RDF SYSTEM "{OUTSIDE}">'),
    "rdf: a parameter entity": xml("", f'<!DOCTYPE rdf:RDF [<!ENTITY % p SYSTEM "{OUTSIDE}"> %p;]>'),
    "rdf: quadratic": xml("&a;" * 50_000, f'<!DOCTYPE rdf:RDF [<!ENTITY a "{"x" * 50_000}">]>'),
    "rdf: deep": xml("<ws:about><ws:Issue>" * 20_000),
    "rdf: another encoding": (
        "rdf",
        lambda: '<?xml version="1.0" encoding="utf-16"?><rdf:RDF/>'.encode("utf-16"),
    ),
    "rdf: a literal of XML": xml('<ws:note rdf:parseType="Literal"><b>x</b></ws:note>'),
    "rdf: a collection": xml('<ws:about rdf:parseType="Collection"><ws:Issue/></ws:about>'),
    "rdf: a resource without name": xml('<ws:about rdf:parseType="Resource"><ws:note>n</ws:note></ws:about>'),
    "rdf: included": xml(f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{OUTSIDE}"/>'),
    "rdf: a base abroad": xml('<ws:about rdf:resource="y"/>', about='" xml:base="http://example.org/" rdf:ID="z'),
    "rdf: NUL": xml("<ws:note>a\0b</ws:note>"),
    "rdf: half a surrogate pair": xml("<ws:note>&#xD800;</ws:note>"),
    "rdf: many attributes": xml("", about="x" + "".join(f'" ws:p{n}="v' for n in range(50_000))),
    "rdf: one thing twice": xml('<ws:about rdf:ID="a" rdf:resource="b"/><ws:about rdf:ID="a" rdf:resource="c"/>'),
    "rdf: cut off": ("rdf", lambda: as_form(GOOD, "rdf")[:-40]),
}

ODD: dict[str, Case] = {
    "a mark of the order of bytes": yaml(b"\xef\xbb\xbf" + GOOD),
    "lines of another system": yaml(GOOD.replace(b"\n", b"\r\n")),
    "a chain of sixty reports": ("yaml", lambda: cycle_of_reports(60, closed=False)),
    "about a hundred things": ("yaml", lambda: about_many(100)),
    "a text of spaces": yaml(GOOD.replace(b"The receipt called good is clear.", b"The" + b" a" * 20_000 + b".")),
    "a text of full stops": yaml(GOOD.replace(b"is clear.", b"is " + b"a.b." * 10_000)),
    "a text of nots": yaml(GOOD.replace(b"is clear.", b"is " + b"not un" * 10_000 + b".")),
    "a text of quotation marks": yaml(GOOD.replace(b"is clear.", b"is " + "“".encode() * 20_000 + b".")),
    "a text from right to left": yaml(GOOD.replace(b"is clear.", "is \u202ereaelc\u202c.".encode())),
    "a text of many scripts": yaml(GOOD.replace(b"is clear.", "is 명확하다 🧾\u0301\u0301\u0301.".encode())),
    "a far date": said(saidOn='"Y170000002"'),
    "a date with everything": said(saidOn='"{1667,1668-12,1670..1672}"'),
    "a season": said(saidOn="2001-21~"),
}

HEAVY: dict[str, Case] = {
    "a cycle of a thousand reports": ("yaml", lambda: cycle_of_reports(1_000, closed=True)),
    "a chain of five thousand reports": ("yaml", lambda: cycle_of_reports(5_000, closed=False)),
    "about ten thousand things": ("yaml", lambda: about_many(10_000)),
    "twenty thousand assertions of nothing": lines(assertions_of_nothing(20_000)),
}
"""What takes longer than is allowed, and so is sent once, all at a time."""
