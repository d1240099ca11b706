"""Foreign content: every syntax is read alike, and what is hostile or broken is refused in plain words."""

import dataclasses
import json
import os
import pickle
import socket
import time

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kg.cells import Cells
from kg.errors import MalformedError, RecordError, WhosaysError
from kg.names import ID, WS
from kg.vocabulary import make_context
from loaders.foreign import Content, Limits, read_content
from loaders.jsonld_guard import CONTEXT
from loaders.records import parse_record
from loaders.syntaxes import SYNTAXES, find_syntax, guess_form
from tests.pace import within

RECORD = (
    "entries:\n  - id: ruritania\n    type: State\n    prefLabel: Ruritania\n  - {id: b, type: Issue, prefLabel: B}\n"
)
TURTLE = f"""@prefix ws: <{WS}> .
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
# (((( not a bracket
<ruritania> a ws:State ; skos:prefLabel "Ruritania"@en .
<b> a ws:Issue ; skos:prefLabel 'B'@en .
"""
QUADS = [q.triple for q in parse_record(RECORD, "r.yaml").quads]
RDF_HEAD = (
    f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:ws="{WS}" '
    'xmlns:skos="http://www.w3.org/2004/02/skos/core#" xmlns:e="http://e/">\n'
)
SAMPLES: dict[str, bytes] = {
    "yaml": RECORD.encode(),
    "ttl": TURTLE.encode(),
    "trig": (TURTLE + "GRAPH <http://e/g> { <c> a ws:State . }\n").encode(),
    "nt": ox.serialize(QUADS, format=ox.RdfFormat.N_TRIPLES) or b"",
    "nq": ox.serialize(QUADS, format=ox.RdfFormat.N_QUADS) or b"",
    "jsonld": json.dumps(
        {
            "@context": CONTEXT,
            "entries": [
                {"id": "ruritania", "type": "State", "prefLabel": {"en": "Ruritania"}},
                {"id": "b", "type": "Issue", "prefLabel": {"en": "B"}},
            ],
        },
        indent=1,
    ).encode(),
    "rdf": (
        '<?xml version="1.0"?>\n' + RDF_HEAD + '<ws:State rdf:about="ruritania"><skos:prefLabel xml:lang="en">'
        'Ruritania</skos:prefLabel></ws:State>\n<ws:Issue rdf:about="b"><skos:prefLabel xml:lang="en">B'
        "</skos:prefLabel></ws:Issue></rdf:RDF>"
    ).encode(),
}
FORMS = tuple(SAMPLES)


def turtle(statement: str) -> bytes:
    return f"@prefix e: <http://e/> .\n{statement}".encode()


def jsonld(**more: object) -> bytes:
    return json.dumps({"@id": "a", "@type": "http://e/T", **more}).encode()


def xml(inside: str) -> bytes:
    return f'{RDF_HEAD}<rdf:Description rdf:about="a">{inside}</rdf:Description></rdf:RDF>'.encode()


@pytest.mark.parametrize("form", FORMS)
def test_every_syntax_says_the_same_and_knows_its_lines(form: str) -> None:
    content = read_content(SAMPLES[form], form, f"x.{form}")
    assert {q.triple for q in content.quads} >= set(QUADS)
    assert {ID + "ruritania", ID + "b"} <= content.lines.keys()
    if form != "yaml":
        assert (content.record is None) == (form != "yaml")
    first = {"yaml": 2, "ttl": 4, "trig": 4, "jsonld": 5, "rdf": 3}.get(form)
    if first is not None:
        assert content.lines[ID + "ruritania"] == first
    assert str(content.place(ID + "b")).startswith(f"x.{form}:")
    assert content.place(ID + "nobody") is None


def test_graph_names_stay_as_given() -> None:
    graphs = {str(q.graph_name) for q in read_content(SAMPLES["trig"], "trig", "x").quads}
    assert graphs == {"DEFAULT", "<http://e/g>"}


@pytest.mark.parametrize("form", FORMS)
def test_content_comes_out_of_a_cell_whole(form: str) -> None:
    content = read_content(SAMPLES[form], form, "x")
    again = pickle.loads(pickle.dumps(content))
    assert again == content
    if content.record is not None:
        assert again.record.quads == content.record.quads


@pytest.mark.parametrize(
    ("given_form", "name"),
    [("text/turtle; charset=UTF-8", "ttl"), ("application/ld+json", "jsonld"), (".TRIG", "trig"), ("rdf/xml", "rdf")],
)
def test_a_form_has_many_names(given_form: str, name: str) -> None:
    assert find_syntax(given_form).name == name


def test_no_form_has_two_meanings() -> None:
    forms = [form for s in SYNTAXES for form in (*s.media_types, *s.endings)]
    assert len(forms) == len(set(forms))


@pytest.mark.parametrize("form", ["text/html", "", "text/turtle; charset=latin-1", "n3"])
def test_an_unknown_form_is_told_what_is_taken(form: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read_content(b"", form, "x")
    assert caught.value.mend


@pytest.mark.parametrize("form", FORMS)
def test_the_form_is_guessed_from_the_ending_or_the_beginning(form: str) -> None:
    assert guess_form(f"x.{form}", b"") == form
    guessed = guess_form("-", SAMPLES[form])
    assert guessed == {"ttl": "trig", "nt": "trig", "nq": "trig"}.get(form, form)
    assert read_content(SAMPLES[form], guessed, "-").quads
    assert guess_form("-", b'<http://e/a> <http://e/b> "c"@en <http://e/g> .') == "nq"
    with pytest.raises(MalformedError, match="cannot tell"):
        guess_form("-", b"\x00\x01")


def test_our_context_cut_down_to_what_is_used_says_the_same() -> None:
    document = {
        "id": "toll/s1a",
        "type": "Assertion",
        "act": ["wants", "fears"],
        "polarity": "affirms",
        "holder": ["anna", "wd:Q1"],
        "evidencedBy": {"id": "toll/0-5", "type": "Passage", "start": "0", "end": 5},
        "ws:gloss": "said",
        "gloss": {"en": "said", "ko": "말"},
        "coded": "2026-01-01",
    }
    whole = json.dumps({**document, **make_context()}).encode()
    expected = set(ox.parse(whole, format=ox.RdfFormat.JSON_LD, base_iri=ID))
    assert len(expected) > 10
    assert set(read_content(json.dumps({**document, "@context": CONTEXT}).encode(), "jsonld", "x").quads) == expected
    assert set(read_content(whole, "jsonld", "x").quads) == expected


# What is refused, where it is, and how to mend it.

DEEP = 101
REFUSED: list[tuple[str, bytes, str, int | None]] = [
    ("ttl", turtle("e:a e:p [ e:q 1 ] ."), "without an IRI", 2),
    ("ttl", turtle("e:a e:p () .\n\ne:b e:p (1) ."), "without an IRI", 4),
    ("ttl", turtle("_:x e:p 1 ."), "without an IRI", 2),
    ("nt", b"<http://e/a> <http://e/p> <http://e/b> .\n<http://e/a> <http://e/p> _:b .", "without an IRI", 2),
    ("trig", turtle("[] { e:a e:p 1 }"), "without an IRI", None),
    ("jsonld", jsonld(**{"http://e/p": {"http://e/q": 1}}), "without an IRI", 1),
    ("jsonld", jsonld(**{"http://e/p": {"@id": "_:x"}}), "blank node", None),
    ("jsonld", jsonld(**{"_:p": 1}), "blank node", None),
    ("rdf", xml("<e:p><e:C/></e:p>"), "without an IRI", 2),
    ("rdf", xml("<e:p>x</e:p>\n<e:p rdf:parseType='Resource'><e:q>x</e:q></e:p>"), "without an IRI", 3),
    ("rdf", xml("<e:p rdf:parseType='Literal'><b>x</b></e:p>\n<e:p rdf:nodeID='x'/>"), "without an IRI", 3),
    ("ttl", turtle("e:a e:p <<( e:a e:p 1 )>> ."), "triple", 2),
    ("ttl", turtle("e:a e:p e:b {| e:q 1 |} ."), "triple", 2),
    ("ttl", turtle("e:a e:p e:b ~ e:r ."), "triple", 2),
    ("ttl", turtle('e:a e:p "x"@ar--rtl .'), "direction", 2),
    ("jsonld", jsonld(**{"http://e/p": {"@value": "x", "@direction": "rtl"}}), "direction", None),
    ("jsonld", jsonld(**{"http://e/p": {"@value": "x", "@language": "not a tag"}}), "no language tag", None),
    ("jsonld", jsonld(**{"@context": CONTEXT, "prefLabel": {"en-123456789": "x"}}), "no language tag", None),
    ("ttl", turtle("e:a e:p " + "(" * DEEP + ")" * DEEP + " ."), "deeper than 100", 2),
    ("ttl", turtle("e:a e:p " + "[ e:p " * DEEP + "]" * DEEP + " ."), "deeper than 100", 2),
    ("nt", b"<http://e/a> <http://e/p> " + b"<<( <http://e/a> <http://e/p> " * 10**5, "triple", 1),
    ("jsonld", b'{"@id":"a","http://e/p":' + b"[" * DEEP + b"]" * DEEP + b"}", "deeper than 100", 1),
    ("jsonld", b'{"http://e/p":' * 10**5 + b"1" + b"}" * 10**5, "deeper than 100", 1),
    ("rdf", xml("<e:p><e:C>" * DEEP + "</e:C></e:p>" * DEEP), "deeper than 100", 2),
    ("yaml", b"a: " + b"[" * 10**5, "too deeply", 1),
    ("yaml", b"a: " + b"{a: " * 10**5, "too deeply", 1),
    ("yaml", b"a:\n  " + b"- " * 10**5, "too deeply", 2),
    ("yaml", b"a: &a [x]\nb: [*a, *a]\n", "anchor", 1),
    ("yaml", b"a: 1\nb: !!python/object:os.system x", "tag", 2),
    ("ttl", turtle('e:a e:p "' + "x" * 100_001 + '" .'), "more than 100,000 bytes", 2),
    ("ttl", turtle('e:a e:p "' + "é" * 50_001 + '" .'), "more than 100,000 bytes", 2),
    ("ttl", turtle("e:a e:p <http://e/" + "x" * 2_000 + "> ."), "more than 2,000 characters", 2),
    ("ttl", turtle('e:a e:p "\\u0000" .'), r"U\+0000", 2),
    ("ttl", turtle('e:a e:p "\x07" .'), r"U\+0007", 2),
    ("jsonld", jsonld(**{"http://e/p": "\x01"}), r"U\+0001", 1),
    ("ttl", turtle("e:a e:p 1 .").decode().encode("utf-16"), "UTF-16", 1),
    ("rdf", xml("").decode().encode("utf-16-le"), r"U\+0000", 1),
    ("ttl", turtle("e:a e:p '\xe9' .").decode().encode("latin-1"), r"byte 34", 2),
    ("ttl", turtle('e:a e:p "open .\n'), "string does not end", 2),
    ("ttl", turtle("e:a e:p <open .\n"), "begins no IRI", 2),
    ("ttl", turtle("e:a e:p 1"), "not valid Turtle", 2),
    ("ttl", turtle("e:a e:p f:b ."), "not valid Turtle", 2),
    ("nt", b"<a> <http://e/p> <http://e/b> .", "not valid N-Triples", 1),
    ("jsonld", b'{"@id": "a",\n "@type"', "not valid JSON", 2),
    ("jsonld", b'{"@id": "a", "@id": "b"}', "stands twice", None),
    ("jsonld", b'{"@id": "a", "http://e/p": NaN}', "no JSON number", None),
    ("jsonld", b'{"@id": "a", "http://e/p": 1e999}', "too large", None),
    ("jsonld", b'{"@id": "a", "http://e/p": ' + b"1" * 5000 + b"}", "too many digits", None),
    ("jsonld", b'{"@id": "a", "http://e/p": "\\ud800"}', "half a character", None),
    ("jsonld", b'"text"', "neither an object", None),
    ("jsonld", b'{"http://e/p": null, "@id": "a"}', "says nothing", None),
    ("jsonld", jsonld(holder="b"), "`holder` is explained by no @context", 1),
    ("jsonld", jsonld(**{"@foo": 1}), "no keyword", None),
    ("jsonld", jsonld(**{"my key": 1}), "is no key", None),
    ("jsonld", jsonld(**{"http://e/p": {"@id": "a b"}}), "is no IRI", None),
    ("jsonld", jsonld(**{"@context": CONTEXT, "holder": "United States"}), "is no IRI", None),
    ("jsonld", jsonld(**{"@context": CONTEXT, "holdr": "b"}), "explained by no", 1),
    ("jsonld", jsonld(**{"@context": CONTEXT, "act": "wantz"}), "explained by no", 1),
    ("rdf", b'<!DOCTYPE a [<!ENTITY b "c">]>\n' + xml("<e:p>&b;</e:p>"), "DOCTYPE", 1),
    ("rdf", b'<!DOCTYPE a SYSTEM "file:///etc/passwd">' + xml(""), "DOCTYPE", 1),
    ("rdf", xml("<e:p>&b;</e:p>"), "undefined entity", 2),
    ("rdf", xml("<e:p>")[:-30], "not well-formed", 2),
    ("rdf", b'<?xml version="1.0" encoding="iso-8859-1"?>' + xml("<e:p>x</e:p>"), "UTF-8", None),
    (
        "rdf",
        b"<a " + b" ".join(b'xmlns:e%d="http://e/"' % n for n in range(300)) + b"/>",
        "more than 200 namespaces",
        1,
    ),
]


@pytest.mark.parametrize(("form", "data", "words", "line"), REFUSED, ids=[f"{f}-{w[:30]}" for f, _, w, _ in REFUSED])
def test_what_is_not_taken_is_told_with_place_and_mend(form: str, data: bytes, words: str, line: int | None) -> None:
    begun = time.monotonic()
    with pytest.raises((MalformedError, RecordError), match=words) as caught:
        read_content(data, form, "x")
    assert caught.value.mend
    assert caught.value.place is not None
    assert caught.value.place.file == "x"
    if line is not None:
        assert caught.value.place.line == line
    assert len(str(caught.value)) < 2000
    assert within(time.monotonic() - begun, 2)


TAKEN = [
    ("ttl", turtle("e:a e:p <(((((> , '((' , \"\"\"<<( ' \" [[ \"\"\" , 'it\\'s (' , e:b\\'\\( . # (( << '")),
    ("ttl", b"\xef\xbb\xbf" + turtle("e:a e:p 1 .")),
    ("ttl", turtle("e:a e:p () .")),
    ("ttl", turtle("e:a e:p '''\n'it''s'\n''', \"\", '', 1.5, -.5e3, true, e:x.y .")),
    ("trig", turtle("e:g { e:a e:p 1 . e:b e:p 2 } { e:c e:p 3 }")),
    ("jsonld", jsonld(**{"http://e/p": '[[[{{{ \\" ]'})),
    ("jsonld", jsonld(**{"@context": CONTEXT, "act": "wants", "holder": "b"})),
    ("jsonld", jsonld(**{"http://e/p": {"@type": "@json", "@value": {"@foo": ["a b"], "my key": None}}})),
    ("rdf", xml("<e:p>&lt;!DOCTYPE </e:p><!-- <!DOCTYPE -->")),
]


@pytest.mark.parametrize(("form", "data"), TAKEN)
def test_what_only_looks_hostile_is_taken(form: str, data: bytes) -> None:
    assert read_content(data, form, "x").quads


def test_the_tokeniser_sees_no_string_where_the_parser_sees_none() -> None:
    for tricky in ('e:a e:p """x"""" , "(" .', 'e:a e:p "a\nb" .', "e:a e:p 'x\\' ."):
        with pytest.raises(MalformedError):
            read_content(turtle(tricky), "ttl", "x")


def test_a_literal_limit_and_the_others_can_be_moved() -> None:
    data = turtle("e:a e:p 1, 2, 3 .")
    assert len(read_content(data, "ttl", "x", Limits(quads=3)).quads) == 3
    for limits in (Limits(quads=2), Limits(size=10), Limits(iri=5), dataclasses.replace(Limits(), literal=0)):
        with pytest.raises(MalformedError, match="more than"):
            read_content(data, "ttl", "x", limits)


# Nothing is fetched, nothing is opened.


@pytest.fixture
def listener() -> "socket.socket":
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    return listening


def _remote_documents(address: str) -> list[tuple[str, bytes]]:
    scoped = {"p": {"@id": "http://e/p", "@context": address}}
    contexts: list[object] = [
        address, [address], [{"a": "http://e/a"}, [address]], {"@import": address}, [{"@import": address}], scoped,
        {"p": {"@id": "http://e/p", "@context": [None, {"q": {"@id": "http://e/q", "@context": address}}]}},
    ]  # fmt: skip
    documents = [jsonld(**{"@context": c, "http://e/p": 1, "p": {"@id": "b"}}) for c in contexts]
    documents.append(jsonld(**{"http://e/p": {"@id": "b", "@context": address}}))
    documents.append(jsonld(**{"@graph": [[{"@id": "b", "@context": [address]}]]}))
    documents.append(b'{"\\u0040context": "' + address.encode() + b'", "@id": "a", "http://e/p": 1}')
    return [("jsonld", d) for d in documents]


def test_no_remote_context_is_fetched(listener: socket.socket) -> None:
    host, port = listener.getsockname()
    for address in (f"http://{host}:{port}/c", CONTEXT + "?", "file:///etc/passwd", "context.jsonld", ""):
        for form, data in _remote_documents(address):
            with pytest.raises(MalformedError, match=r"nothing is fetched") as caught:
                read_content(data, form, "x")
            assert "in its place" in caught.value.mend
    with pytest.raises(BlockingIOError):
        listener.accept()
    listener.close()


def test_no_address_in_any_syntax_is_fetched_or_opened(listener: socket.socket) -> None:
    host, port = listener.getsockname()
    for base in (f"http://{host}:{port}/", "file:///etc/"):
        quads = [
            *read_content(f"@base <{base}> . <passwd> <p> <hosts> .".encode(), "ttl", "x").quads,
            *read_content(
                jsonld(**{"@context": {"@base": base}, "http://e/p": {"@id": "passwd"}}), "jsonld", "x"
            ).quads,
            *read_content(
                f'<rdf:RDF xml:base="{base}" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e/"'
                ' xmlns:owl="http://www.w3.org/2002/07/owl#"><owl:Ontology rdf:about="a"><owl:imports '
                'rdf:resource="b"/></owl:Ontology></rdf:RDF>'.encode(),
                "rdf",
                "x",
            ).quads,
        ]
        assert all(str(q.subject.value).startswith(base) for q in quads if isinstance(q.subject, ox.NamedNode))
    with pytest.raises(BlockingIOError):
        listener.accept()
    listener.close()


@pytest.mark.parametrize("form", FORMS)
def test_the_name_is_never_opened(form: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    fifo = tmp_path_factory.mktemp("names") / f"pipe.{form}"
    os.mkfifo(fifo)  # opening it would wait for ever
    assert read_content(SAMPLES[form], form, str(fifo)).quads


# Bombs that no limit names run out in a cell.


def _many_contexts(n: int) -> bytes:
    terms = ",".join(f'"t{i}":"http://e/t{i}"' for i in range(n))
    nodes = ",".join(['{"@context":{},"@id":"x","t1":1}'] * n)
    return f'{{"@context":{{{terms}}},"@graph":[{nodes}]}}'.encode()


def test_many_contexts_with_many_terms_are_refused() -> None:
    assert len(read_content(_many_contexts(200), "jsonld", "x").quads) == 200
    with pytest.raises(MalformedError, match="too many"):
        read_content(_many_contexts(5000), "jsonld", "x")


def test_content_and_refusals_cross_from_a_cell() -> None:
    with Cells(workers=1, deadline=20.0) as cells:
        for form, data in SAMPLES.items():
            content = cells.run(read_content, data, form, "x")
            assert isinstance(content, Content)
            assert content == read_content(data, form, "x")
        for form, data, words, _ in REFUSED[:3]:
            with pytest.raises(MalformedError, match=words):
                cells.run(read_content, data, form, "x")


# Whatever comes, it is read or refused, and soon.

SPICE = [
    *rb"""( [ <<( {| " ''' \ < > # _:x @base { } "@context": null 1e999 \ud800 \u0000 &a; <![CDATA[ &#0; xmlns: *a ? %
    ~ @en--ltr ^^<x> rdf:parseType="Literal" rdf:li assertions: [] "@id": , "@value": """.split(),
    *(b'"""', b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b'"@id":"a b"', b"<!DOCTYPE a>", b'rdf:ID="a b"'),
    *(b"<?xml encoding='utf-16'?>", b"- ", b": ", b"&a ", b"!!binary ", b"---\n", b"\n", b"\t", b"\r"),
]


def _mutated(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for at, cut, new in edits:
        at %= len(data) + 1
        data = data[:at] + new + data[at + cut :]
    return data


def _is_read_or_refused(data: bytes, form: str) -> None:
    begun = time.monotonic()
    refusal, quads = None, ()
    try:
        quads = read_content(data, form, "x").quads
    except WhosaysError as error:
        refusal = error
    assert refusal is None or refusal.mend, str(refusal)
    assert not any(isinstance(t, ox.BlankNode | ox.Triple) for q in quads for t in (q.subject, q.object))
    assert within(time.monotonic() - begun, 2)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edits=st.lists(
        st.tuples(st.integers(0, 2000), st.integers(0, 30), st.one_of(st.binary(max_size=4), st.sampled_from(SPICE))),
        max_size=6,
    ),
    end=st.integers(0, 2000),
)
@example(edits=[], end=40)
def test_mutated_and_truncated_files_are_read_or_refused(
    form: str, edits: list[tuple[int, int, bytes]], end: int
) -> None:
    data = _mutated(SAMPLES[form], edits)
    _is_read_or_refused(data, form)
    _is_read_or_refused(data[:end], form)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=100)
@given(data=st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(SPICE), max_size=40).map(b"".join)))
def test_arbitrary_bytes_are_read_or_refused(form: str, data: bytes) -> None:
    _is_read_or_refused(data, form)


KEYS = st.sampled_from(
    [
        "@context",
        "@id",
        "@type",
        "@graph",
        "@value",
        "@language",
        "@list",
        "@set",
        "@reverse",
        "@nest",
        "@included",
        "@vocab",
        "@base",
        "@container",
        "@json",
        "@index",
        "id",
        "holder",
        "ex:a",
        "x y",
        "",
    ]
)
JSON: st.SearchStrategy[object] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.text(max_size=5), KEYS, st.just(CONTEXT)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=20,
)


@settings(max_examples=300)
@given(tree=JSON)
def test_any_json_is_read_or_refused(tree: object) -> None:
    _is_read_or_refused(json.dumps(tree).encode(), "jsonld")
    _is_read_or_refused(json.dumps(tree).encode(), "yaml")
