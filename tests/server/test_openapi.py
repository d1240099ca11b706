"""The API's description: valid, complete, and true of the server."""

import openapi_spec_validator
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.parameters import ParameterType
from kg.queries import load_queries, parse_query
from kg.settings import Settings
from server.app import create_app
from server.openapi import describe_api
from tests.conftest import RunningServer

QUERIES = load_queries()
EXAMPLES = {
    "iri": "id:japan",
    "text": '"words"',
    "integer": "12",
    "decimal": "1.5",
    "date": '"1998-01-01"^^xsd:date',
    "boolean": "true",
    "language": '"en"',
    "concept of ActScheme": "ws:act-wants",
    "choice of issues": "id:japan",
}


def test_the_description_is_valid() -> None:
    openapi_spec_validator.validate(describe_api(QUERIES, "http://localhost:8000"))


@settings(max_examples=12)  # the validator takes half a second
@given(st.lists(st.sampled_from(sorted(EXAMPLES)), max_size=6), st.sampled_from(["SELECT ?p0", "ASK", "CONSTRUCT { }"]))
def test_it_is_valid_whatever_is_saved(types: list[str], form: str) -> None:
    heading = "".join(f"# - p{i}: {kind}{', optional' * (i % 2)}. It\n" for i, kind in enumerate(types))
    blocks = "\n".join(f"VALUES ?p{i} {{ {EXAMPLES[kind]} }}" for i, kind in enumerate(types))
    saved = parse_query("mine", f"# Q?\n# D.\n{heading}{form} WHERE {{ {blocks} }}", "mine.rq")
    openapi_spec_validator.validate(describe_api({"mine": saved}, "http://localhost"))


def test_every_saved_query_and_parameter_is_in_it(server: RunningServer) -> None:
    told = server.get("/openapi.json").json()
    assert told["servers"] == [{"url": server.address}]
    for name, saved in QUERIES.items():
        parameters = told["paths"][f"/queries/{name}"]["get"]["parameters"]
        assert [p["name"] for p in parameters if "name" in p] == [p.name for p in saved.parameters]
        assert {p["name"] for p in parameters if p.get("required")} == {p.name for p in saved.needed}
    act = next(p for p in told["paths"]["/queries/who-asserts-what"]["get"]["parameters"] if p.get("name") == "act")
    assert "wants" in act["schema"]["items"]["enum"]


def test_every_type_of_parameter_is_described() -> None:
    kinds = {kind.partition(" ")[0] for kind in EXAMPLES}
    assert kinds == set(ParameterType.__args__)  # type: ignore[attr-defined]


AT_THE_FRONT = ("/sparql", "/update", "/store")
"""Answered before Flask is asked."""


def test_what_is_told_of_is_there(sample_settings: Settings) -> None:
    routes = create_app(sample_settings).url_map.bind("localhost")
    paths = describe_api({}, "")["paths"]
    assert isinstance(paths, dict)
    for path, told in paths.items():
        if path not in AT_THE_FRONT:
            allowed = set(routes.allowed_methods(path.format(name="documents", number=1, id=1)))
            assert {method.upper() for method in told} - {"PARAMETERS"} <= allowed, path
