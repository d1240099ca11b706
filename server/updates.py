"""Writing by the SPARQL protocols, through the door: updates, and graphs as wholes.

    POST   /update                        SPARQL 1.1 Update                      (curator)
    PUT, POST, DELETE /store?graph=IRI    the Graph Store HTTP Protocol          (curator)
    PUT, POST, DELETE /graph/NAME         the same, the graph named by the address

Neither is committed as it is sent: what it comes to on the newest state is worked out in a cell, and what differs is
judged, committed, kept in the history and can be undone, like everything that comes in by the door.
"""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, request

from kg.names import GRAPH
from kg.sparql import TextLimits, check_update
from loaders.graph_store import How, plan_graph
from loaders.updating import plan_update
from server.access import needs
from server.door import MAX_BODY, show_outcome, the_door
from server.front.application import read_graph_address
from server.front.protocol import ProtocolError, read_operation, with_base
from server.parts import read_parts
from server.plain import explain_protocol, front_request

updates = Blueprint("updates", __name__)
updates.register_error_handler(ProtocolError, explain_protocol)


@updates.post("/update")
def update() -> Response:
    """Carry out an update: 201 with the change, 200 where nothing changes, 422 with the report."""
    agent = needs("curator").agent
    request.max_content_length = MAX_BODY
    body = request.get_data()
    asked = read_operation("update", request.method, request.query_string, request.content_type or "", body)
    settings = the_door().settings
    limits = TextLimits(MAX_BODY, MAX_BODY)
    check_update(asked.text, services=settings.services, limits=limits)
    plan = partial(
        plan_update,
        using=asked.default_graphs,
        using_named=asked.named_graphs,
        services=settings.services,
        source="an update",
        texts=settings.texts,
    )
    return show_outcome(the_door().publish(plan, with_base(asked.text, front_request().address), agent))


@updates.route("/store", methods=["PUT", "POST", "DELETE"])
@updates.route("/graph/<path:name>", methods=["PUT", "POST", "DELETE"])
def change_graph(name: str | None = None) -> Response:
    """Put, add to, or empty a graph."""
    agent = needs("curator").agent
    request.max_content_length = MAX_BODY
    graph = read_graph_address(front_request())[0] if name is None else GRAPH + name
    how: How = "delete" if request.method == "DELETE" else "put" if request.method == "PUT" else "post"
    parts = [] if how == "delete" else read_parts()
    plan = partial(plan_graph, source="the graph store", texts=the_door().settings.texts)
    return show_outcome(the_door().publish(plan, graph, parts, how, agent))
