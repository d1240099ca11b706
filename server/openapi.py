"""The API as OpenAPI 3.1 tells it: each saved query with its parameters, and the rest in short form.

Source: https://spec.openapis.org/oas/v3.1.1.html. It is made from the saved queries each time, so that
there is nothing to keep in step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TypeAlias

from kg.parameters import Parameter
from kg.queries import SavedQuery
from kg.saved_queries import MAX_LIMIT, MAX_OFFSET, MAX_VALUES
from server.formats import RDF_FORMATS, RESULT_FORMATS, SHORT_NAMES

Json: TypeAlias = dict[str, object]

SYNTAXES = (
    "application/yaml",
    "text/turtle",
    "application/trig",
    "application/n-triples",
    "application/n-quads",
    "application/ld+json",
    "application/rdf+xml",
)
"""Media types in which content is sent to the door."""

_LANGUAGE = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"
_SCHEMAS: Mapping[str, Json] = {
    "integer": {"type": "integer"},
    "decimal": {"type": "number"},
    "date": {"type": "string", "format": "date"},
    "boolean": {"type": "boolean"},
    "language": {"type": "string", "pattern": _LANGUAGE},
}
_MEANINGS = {
    400: "cannot be read, or a parameter is wrong",
    401: "needs a token",
    403: "the token is for another role",
    404: "nothing has that name",
    406: "cannot be had in a format that the client takes",
    409: "in conflict with what is published",
    412: "was changed meanwhile",
    413: "too large, or too hard to judge in time",
    415: "is in no form that is taken",
    422: "does not conform to the shapes; the report says why",
    429: "the client has used up its budget of query seconds; Retry-After says when to try again",
    503: "busy (Retry-After says when to try again), or stopped because it needed too much memory",
    504: "stopped at its deadline",
}


def describe_api(queries: Mapping[str, SavedQuery], base_address: str) -> Json:
    """Return the API's description.

    Parameters:
        queries: the saved queries, by name.
        base_address: of the server, without the slash at its end.

    >>> from kg.queries import load_queries
    >>> describe_api(load_queries(), "http://localhost")["openapi"]
    '3.1.1'
    """
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Whosays",
            "summary": "A knowledge graph of who asserts what.",
            "description": "Reading is open. What writes needs a bearer token with the role that is named.",
            "version": version("whosays"),
            "license": {"name": "Apache 2.0 (code), CC BY 4.0 (ontology and records)"},
        },
        "servers": [{"url": base_address}],
        "tags": [
            {"name": "saved queries", "description": "Questions with parameters."},
            {"name": "keeping queries", "description": "Adding and removing saved queries."},
            {"name": "SPARQL", "description": "The standard protocols."},
            {"name": "the door", "description": "Validating, publishing, proposing."},
        ],
        "paths": {
            **{f"/queries/{saved.name}": {"get": _saved(saved)} for saved in queries.values()},
            **_keeping(),
            **_sparql(),
            **_door(),
        },
        "components": {
            "parameters": _RESERVED,
            "responses": {f"problem{status}": _problem(meaning) for status, meaning in _MEANINGS.items()},
            "schemas": {"Problem": _PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _saved(saved: SavedQuery) -> Json:
    table = saved.form in ("SELECT", "ASK")
    names = ("limit", "offset", "labels", "format") if saved.form == "SELECT" else ("format",)
    parameters = [_parameter(p) for p in saved.parameters]
    ok: Json = {
        "description": saved.description or saved.title,
        "content": {media_type: {} for media_type in (RESULT_FORMATS if table else RDF_FORMATS)},
    }
    if saved.form == "SELECT":
        ok["headers"] = {
            "Link": {
                "description": 'With `limit`: the next page (`rel="next"`) and the one before (`rel="prev"`).',
                "schema": {"type": "string"},
            }
        }
    return {
        "operationId": saved.name,
        "tags": ["saved queries"],
        "summary": saved.title,
        "description": saved.description,
        "parameters": [*parameters, *({"$ref": f"#/components/parameters/{name}"} for name in names)],
        "responses": {"200": ok, **_problems(400, 406, 429, 503, 504)},
    }


def _parameter(parameter: Parameter) -> Json:
    one = dict(_SCHEMAS.get(parameter.type, {"type": "string"}))
    if parameter.choices:
        one["enum"] = list(parameter.choices)
    takes = {
        "iri": "an IRI, a prefixed name, a slug or a label"
        + (f" of something that is {parameter.of}" if parameter.of else ""),
        "choice": f"a value of the first column of the saved query `{parameter.of}`, or its label",
    }.get(parameter.type)
    schema: Json = {"type": "array", "items": one, "maxItems": MAX_VALUES}
    if parameter.default is not None:
        schema["default"] = [_example(parameter, parameter.default)]
    return {
        "name": parameter.name,
        "in": "query",
        "required": not parameter.optional and parameter.default is None,
        "description": f"{parameter.description}. Takes {takes}." if takes else f"{parameter.description}.",
        "schema": schema,
        "style": "form",
        "explode": True,
        "example": [_example(parameter, parameter.example)],
    }


def _example(parameter: Parameter, word: str) -> object:
    if parameter.type == "integer":
        return int(word)
    if parameter.type == "decimal":
        return float(word)
    return word.lower() == "true" if parameter.type == "boolean" else word


def _keeping() -> Json:
    name = _path("name", "The query's name.", pattern="^[a-z0-9][a-z0-9-]{0,63}$")
    match: Sequence[Json] = [
        {"name": header, "in": "header", "description": what, "schema": {"type": "string"}}
        for header, what in (
            ("If-Match", "The ETag of what is to be replaced or removed."),
            ("If-None-Match", "`*`: only where there is none of that name."),
        )
    ]
    text: Json = {
        "application/sparql-query": {"schema": {"type": "string"}},
        "text/plain": {"schema": {"type": "string"}},
    }
    return {
        "/queries": {"get": _operation("list-queries", "The saved queries", json=True, tag="keeping queries")},
        "/queries/{name}.rq": {
            "get": {
                "operationId": "show-query",
                "tags": ["keeping queries"],
                "summary": "A saved query's SPARQL; with its parameters given, the text that is run",
                "parameters": [name],
                "responses": {"200": {"description": "the text", "content": {"application/sparql-query": {}}}}
                | _problems(400, 404),
            }
        },
        "/queries/{name}": {
            "put": _writing("put-query", "Keep a query of one's own (curator)", text, 400, 409, 412, 413, 415)
            | {"parameters": [name, *match], "tags": ["keeping queries"]},
            "delete": {
                "operationId": "delete-query",
                "tags": ["keeping queries"],
                "summary": "Remove a query of one's own (curator)",
                "parameters": [name, match[0]],
                "security": [{"token": []}],
                "responses": {"204": {"description": "removed"}, **_problems(401, 403, 404, 409, 412)},
            },
        },
        "/.well-known/sparql-examples": {
            "get": {
                "operationId": "sparql-examples",
                "tags": ["keeping queries"],
                "summary": "The saved queries as sh:SPARQLExecutable",
                "responses": {"200": {"description": "RDF", "content": {m: {} for m in RDF_FORMATS}}, **_problems(406)},
            }
        },
    }


def _sparql() -> Json:
    any_answer: Json = {"description": "the answer", "content": {m: {} for m in (*RESULT_FORMATS, *RDF_FORMATS)}}
    query: Json = {"name": "query", "in": "query", "required": True, "schema": {"type": "string"}}
    graphs = [
        {
            "name": f"{kind}-graph-uri",
            "in": "query",
            "schema": {"type": "array", "items": {"type": "string", "format": "uri"}},
        }
        for kind in ("default", "named")
    ]
    graph = [
        {"name": "graph", "in": "query", "schema": {"type": "string", "format": "uri"}},
        {"name": "default", "in": "query", "allowEmptyValue": True, "schema": {"type": "string"}},
    ]
    form: Json = {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}
    content: Json = {m: {} for m in RDF_FORMATS}
    return {
        "/sparql": {
            "get": {
                "operationId": "query",
                "tags": ["SPARQL"],
                "summary": "SPARQL 1.1 Protocol: query",
                "parameters": [query, *graphs],
                "responses": {"200": any_answer, **_problems(400, 406, 429, 503, 504)},
            },
            "post": {
                "operationId": "query-by-post",
                "tags": ["SPARQL"],
                "summary": "SPARQL 1.1 Protocol: query",
                "requestBody": {"required": True, "content": {**form, "application/sparql-query": {}}},
                "responses": {"200": any_answer, **_problems(400, 406, 413, 415, 429, 503, 504)},
            },
        },
        "/update": {
            "post": _writing(
                "update",
                "SPARQL 1.1 Protocol: update, judged by the shapes (curator)",
                {**form, "application/sparql-update": {}},
                *(400, 409, 413, 415, 422, 503),
            )
            | {"tags": ["SPARQL"]}
        },
        "/store": {
            "parameters": graph,
            "get": {
                "operationId": "get-graph",
                "tags": ["SPARQL"],
                "summary": "Graph Store HTTP Protocol: a graph",
                "responses": {"200": {"description": "the graph", "content": content}, **_problems(400, 404, 406)},
            },
            **{
                method: _writing(
                    f"{method}-graph", f"Graph Store HTTP Protocol: {what} (curator)", body, 400, 404, 409, 422
                )
                | {"tags": ["SPARQL"]}
                for method, what, body in (
                    ("put", "make a graph hold just this", content),
                    ("post", "add to a graph", content),
                    ("delete", "empty a graph", None),
                )
            },
        },
    }


def _door() -> Json:
    content: Json = {media_type: {} for media_type in SYNTAXES}
    as_json: Json = {"application/json": {"schema": {"type": "object"}}}
    number = _path("number", "The change's number.")
    wrong = (400, 409, 413, 415, 422, 503)
    validate = _writing("validate", "What the shapes say of the body; nothing is kept", content, 400, 413, 415, 503)
    del validate["security"]
    proposal = _path("id", "The proposal's number.")
    listed = [
        {"name": name, "in": "query", "schema": {"type": "string"}}
        for name in ("state", "contributor", "document", "after", "limit")
    ]
    changes = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in ("about", "before", "limit")]
    mode: Json = {"name": "mode", "in": "query", "schema": {"type": "string", "enum": ["add", "replace"]}}
    revision: Json = {"name": "revision", "in": "query", "schema": {"type": "integer"}}
    note: Json = {"name": "note", "in": "query", "schema": {"type": "string"}}
    return {
        "/validate": {"post": validate},
        "/assertions": {
            "post": _writing("publish", "Publish the body (curator)", content, *wrong) | {"parameters": [mode]}
        },
        "/documents/{name}": {
            "put": _writing("put-document", "Publish a document as a whole (curator)", content, *wrong)
            | {"parameters": [_path("name", "The document's slug.")]}
        },
        "/retractions": {"post": _writing("retract", "Retract an assertion (curator)", as_json, *wrong)},
        "/changes": {"get": _operation("list-changes", "The history", json=True) | {"parameters": changes}},
        "/changes/{number}": {"get": _operation("show-change", "One change", json=True) | {"parameters": [number]}},
        "/changes/{number}/undo": {
            "post": _writing("undo", "Take a change back (curator)", None, 404, 409, 422) | {"parameters": [number]}
        },
        "/proposals": {
            "get": _operation("list-proposals", "Proposals (contributor)", json=True, everybody=False)
            | {"parameters": listed},
            "post": _writing("propose", "Propose the body (contributor)", content, *wrong) | {"parameters": [note]},
        },
        "/proposals/{id}": {
            "get": _operation("show-proposal", "One proposal (contributor)", json=True, everybody=False)
            | {"parameters": [proposal]},
            "put": _writing("revise", "A new version of it (contributor)", content, *wrong)
            | {"parameters": [proposal, revision]},
        },
        "/proposals/{id}/withdraw": {
            "post": _writing("withdraw", "Take one's own back (contributor)", None, 404, 409)
            | {"parameters": [proposal]}
        },
        "/proposals/decisions": {
            "post": _writing("decide", "Accept or reject proposals, all or none (curator)", as_json, 400, 404, 409, 422)
        },
    }


def _operation(name: str, summary: str, *, json: bool, everybody: bool = True, tag: str = "the door") -> Json:
    told: Json = {
        "operationId": name,
        "tags": [tag],
        "summary": summary,
        "responses": {
            "200": {"description": "done", "content": {"application/json": {}} if json else {}},
            **_problems(400, 404, *(() if everybody else (401, 403))),
        },
    }
    return told if everybody else told | {"security": [{"token": []}]}


def _writing(name: str, summary: str, content: Json | None, *problems: int) -> Json:
    told = _operation(name, summary, json=True, everybody=False)
    responses: Json = {
        **{status: {"description": what, "content": {"application/json": {}}} for status, what in _DONE.items()},
        **_problems(401, 403, *problems),
    }
    body: Json = {"requestBody": {"required": True, "content": content}} if content else {}
    return told | body | {"responses": responses}


def _path(name: str, what: str, **schema: object) -> Json:
    return {"name": name, "in": "path", "required": True, "description": what, "schema": {"type": "string", **schema}}


def _problems(*statuses: int) -> Json:
    return {str(status): {"$ref": f"#/components/responses/problem{status}"} for status in sorted({*statuses})}


def _problem(meaning: str) -> Json:
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": meaning, "content": {"application/problem+json": reference, "text/plain": {}}}


_DONE = {"200": "done, or nothing new", "201": "something new was made"}
_PROBLEM: Json = {
    "type": "object",
    "description": "A problem as RFC 9457 has it; `detail` says how to mend it.",
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "problems": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["title", "status"],
}
_RESERVED: Json = {
    "limit": {
        "name": "limit",
        "in": "query",
        "description": "Rows at most; without it, all.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
    },
    "offset": {
        "name": "offset",
        "in": "query",
        "description": "Rows that are left out at the beginning.",
        "schema": {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0},
    },
    "labels": {
        "name": "labels",
        "in": "query",
        "description": "A language tag: beside each column `x` comes `xLabel`, with what its things are called.",
        "schema": {"type": "string", "pattern": _LANGUAGE},
        "example": "en",
    },
    "format": {
        "name": "format",
        "in": "query",
        "description": "A short name, or a media type; it goes before the Accept header.",
        "schema": {"type": "string"},
        "examples": {short: {"value": short, "summary": media_type} for short, media_type in SHORT_NAMES.items()},
    },
}
