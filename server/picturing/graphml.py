"""A picture as GraphML, for Gephi, Cytoscape, visone, igraph and other tools that know networks.

Source: http://graphml.graphdrawing.org/specification.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from xml.etree import ElementTree as ET

from server.picturing.picture import Picture

MEDIA_TYPE = "application/graphml+xml"
_NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
_NODE = {"label": "string", "key": "string", "iri": "string", "kind": "string", "mark": "string", "weight": "double"}
_EDGE = {
    "kind": "string",
    "key": "string",
    "how": "string",
    "weight": "double",
    "label": "string",
    "assertions": "string",
}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def as_graphml(picture: Picture, name: Callable[[str], str], *, directed: bool) -> bytes:
    """Write a picture as GraphML.

    Parameters:
        picture: its nodes and ties; a tie names its assertions by their IRIs, with spaces between.
        name: gives what a thing is called.
        directed: whether ties lead from one node to the other.

    >>> as_graphml(Picture((), ()), str, directed=False).startswith(b"<?xml")
    True
    """
    root = ET.Element("graphml", xmlns=_NAMESPACE)
    for part, keys in (("node", _NODE), ("edge", _EDGE)):
        for key, kind in keys.items():
            ET.SubElement(root, "key", {"id": f"{part}-{key}", "for": part, "attr.name": key, "attr.type": kind})
    graph = ET.SubElement(root, "graph", id="picture", edgedefault="directed" if directed else "undirected")
    ids = {node.key: f"n{place}" for place, node in enumerate(picture.nodes)}  # names may not have all characters
    for node in picture.nodes:
        values = {"label": name(node.iri), "key": node.key, "iri": node.iri, "kind": node.kind, "mark": node.mark}
        _put(ET.SubElement(graph, "node", id=ids[node.key]), "node", {**values, "weight": f"{node.weight:g}"})
    for place, tie in enumerate(picture.ties):
        element = ET.SubElement(graph, "edge", id=f"e{place}", source=ids[tie.source], target=ids[tie.target])
        label = name(tie.label) if tie.label else ""
        values = {"kind": tie.kind, "key": tie.key, "how": tie.how, "weight": f"{tie.weight:g}", "label": label}
        _put(element, "edge", {**values, "assertions": " ".join(tie.assertions)})
    ET.indent(root)
    told: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return told


def _put(element: ET.Element, place: str, values: Mapping[str, str]) -> None:
    for key, value in values.items():
        if value:
            ET.SubElement(element, "data", key=f"{place}-{key}").text = _clean(value)


def _clean(text: str) -> str:
    return _CONTROL.sub("�", text)
