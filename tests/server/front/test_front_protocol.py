"""The protocol as the front reads it: whatever is sent is an operation or refused, and never anything else."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, quote_plus, urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kg.names import PREFIXES
from server.formats import QUAD_FORMATS, RDF_FORMATS, RESULT_FORMATS
from server.front.negotiating import problem_type, takes_gzip, wanted
from server.front.protocol import FORM, QUERY, UPDATE, Operation, ProtocolError, read_operation, read_pairs, with_base

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
iris = st.lists(st.sampled_from(["http://example.org/é", "x:a", PREFIXES["ws"]]), max_size=3)


@given(texts, iris, iris, st.sampled_from(["query", "update"]), st.booleans())
def test_what_is_sent_is_what_is_read(
    text: str, default: list[str], named: list[str], operation: Operation, form: bool
) -> None:
    names = {
        "query": ("default-graph-uri", "named-graph-uri"), "update": ("using-graph-uri", "using-named-graph-uri"),
    }[operation]  # fmt: skip
    pairs = [(names[0], iri) for iri in default] + [(names[1], iri) for iri in named]
    if form:
        body = urlencode([(operation, text), *pairs]).encode()
        read = read_operation(operation, "POST", b"", f"{FORM}; charset=utf-8", body)
    else:
        media_type = QUERY if operation == "query" else UPDATE
        read = read_operation(operation, "POST", urlencode(pairs).encode(), media_type, text.encode())
    assert (read.operation, read.text) == (operation, text)
    assert read.default_graphs == tuple(default)
    assert read.named_graphs == tuple(named)


@given(
    st.sampled_from(["query", "update"]),
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY"]),
    st.one_of(st.binary(max_size=40), st.builds(lambda t: b"query=" + t, st.binary(max_size=20))),
    st.one_of(st.sampled_from([FORM, QUERY, UPDATE, "", f"{QUERY};charset=utf-16"]), st.text(max_size=20)),
    st.one_of(st.binary(max_size=40), st.builds(lambda t: b"update=" + t, st.binary(max_size=20))),
)
def test_anything_else_is_refused_in_words(
    operation: Operation, method: str, address: bytes, content_type: str, body: bytes
) -> None:
    try:
        read = read_operation(operation, method, address, content_type, body)
    except ProtocolError as error:
        refused = error
    else:
        refused = None
    if refused is not None:
        assert refused.status in (400, 405, 415)
        assert refused.problem
        assert refused.mend
        assert bool(refused.allow) is (refused.status == 405)
    else:
        assert read.operation == operation
        assert method == "POST" or (operation == "query" and method in ("GET", "HEAD"))


@pytest.mark.parametrize(
    ("text", "relative"),
    [
        ("ASK { <a> ?p ?o }", True),
        ("ASK { <> ?p ?o }", True),
        ("ASK { <#a> ?p ?o }", True),
        ("ASK { <//x.example/a> ?p ?o }", True),
        ("ASK { <x:a> ?p <http://example.org/> }", False),
        ("ASK { FILTER(?a < ?b && ?b > ?c) }", False),
        ("ASK { ?s ?p '<' , '>' }", False),
    ],
)
def test_a_base_is_given_where_something_is_relative(text: str, relative: bool) -> None:
    assert (with_base(text, "http://x.example/sparql") != text) is relative
    assert with_base(text, "http://x.example/sparql").endswith(text)


@pytest.mark.parametrize("host", ["x> a", "x y", "{", "x\\u003e"])
def test_a_host_that_is_none_gets_into_no_query(host: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        with_base("ASK { <a> ?p ?o }", f"http://{host}/sparql")
    assert caught.value.status == 400


@given(st.text(max_size=80), st.one_of(st.just(""), st.text(max_size=20)))
def test_whatever_is_accepted_only_what_we_have_is_offered(accept: str, form: str) -> None:
    for quads in (False, True):
        takes = wanted(accept, form, quads=quads)
        assert takes.result_type in {"", *RESULT_FORMATS}
        assert takes.rdf_type in {"", *RDF_FORMATS, *(QUAD_FORMATS if quads else ())}
    assert takes_gzip(accept) in (True, False)
    assert problem_type(accept).partition(";")[0] in ("text/plain", "application/problem+json")


def test_statements_come_with_their_graphs_only_where_they_may() -> None:
    assert wanted("application/n-quads").rdf_type == ""
    assert wanted("application/n-quads", quads=True).rdf_type == "application/n-quads"


@pytest.mark.parametrize(
    ("form", "rows", "graph"),
    [
        ("json", "application/sparql-results+json", "application/ld+json"),
        ("xml", "application/sparql-results+xml", "application/rdf+xml"),
        ("turtle", "", "text/turtle"),
        ("application/rdf xml", "", "application/rdf+xml"),  # a plus sign that nobody encoded
        ("csv", "text/csv", ""),
        ("nonsense", "", ""),
    ],
)
def test_formats_by_the_names_that_clients_give_them(form: str, rows: str, graph: str) -> None:
    takes = wanted("image/png", form)
    assert (takes.result_type, takes.rdf_type) == (rows, graph)


@given(st.text(max_size=60), st.binary(max_size=60), st.text("aé%+=&3DfF \n_", max_size=30))
def test_percent_encoding_is_undone_as_the_standard_library_does(text: str, raw: bytes, odd: str) -> None:
    encoded = f"a={quote_plus(text)}&b={quote_plus(text, safe='/:?=')}&{quote(odd, safe='%+=&')}&{raw.hex()}"
    expected = parse_qsl(encoded, keep_blank_values=True, errors="replace")
    assume("\ufffd" not in str(expected))
    assert read_pairs(encoded.encode("ascii"), "it") == expected
