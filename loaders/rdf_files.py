"""RDF files: Turtle, TriG, N-Triples, N-Quads, RDF/XML and JSON-LD, recognised by their ending."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox

from kg.errors import MalformedError, Place
from kg.names import ID


def read_rdf(path: Path) -> list[ox.Triple]:
    """Read the triples of an RDF file, whatever graph they stand in.

    Raises:
        MalformedError: the file is missing, its ending is unknown, or it does not parse; names file and line.
    """
    rdf_format = ox.RdfFormat.from_extension(path.suffix.removeprefix("."))
    if rdf_format is None:
        raise MalformedError(
            f"`{path.suffix}` is no RDF format",
            mend="use .yaml, .ttl, .trig, .nt, .nq, .rdf or .jsonld",
            place=Place(str(path)),
        )
    try:
        return [quad.triple for quad in ox.parse(path=str(path), format=rdf_format, base_iri=ID)]
    except SyntaxError as error:
        raise MalformedError(
            f"not valid {rdf_format.name}: {error.msg}", mend="correct it there", place=Place(str(path), error.lineno)
        ) from error
    except OSError as error:
        raise MalformedError(
            f"cannot be read: {error.strerror or error}", mend="check the path", place=Place(str(path))
        ) from error
