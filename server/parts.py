"""The parts of a request's body: one, or several of `multipart/form-data`."""

from __future__ import annotations

from typing import TypeAlias

from flask import request

from loaders.syntaxes import SYNTAXES
from server.front.protocol import ProtocolError, check_charset, media_type_of

_TAKEN = [media_type for syntax in SYNTAXES if syntax.rdf_format is not None for media_type in syntax.media_types]

Part: TypeAlias = tuple[bytes, str]
"""What was sent, and its media type."""


def read_parts() -> list[Part]:
    """Return what the request of Flask brings.

    Raises:
        ProtocolError: it is no RDF (415), or a part of a form is no file (400).

    Source: https://www.w3.org/TR/sparql11-http-rdf-update/#graph-management (multipart/form-data)
    """
    if request.mimetype == "multipart/form-data":
        parts = [(file.read(), _checked(file.content_type or "")) for _, file in request.files.items(multi=True)]
        if request.form or not parts:
            raise ProtocolError(400, "a part of the form is no file", "give each part a file name and a media type")
        return parts
    return [(request.get_data(), _checked(request.content_type or "text/turtle"))]


def _checked(content_type: str) -> str:
    media_type = media_type_of(content_type)
    if media_type not in _TAKEN:
        raise ProtocolError(415, f"`{media_type[:100]}` is no RDF", f"send one of: {', '.join(_TAKEN)}")
    check_charset(content_type)
    return media_type
