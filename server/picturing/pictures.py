"""The pictures: who agrees with whom, who stands where, what causes what, drawn from the assertions asked for.

    GET /pictures                        what there is
    GET /pictures/KIND?FILTERS&OPTIONS   a picture with its table; `open=KEY` with the passages behind a node or tie
        &format=json|csv|graphml         its data
        &part=evidence                   those passages alone, as a piece of a page

The filters are those of the explorer (`kg.filters`), the options those of the picture (`server.picturing.kinds`); the
address holds both. The page has the picture as a table; the drawing is made in the browser from `format=json`.
What was made last is kept, so that opening a tie need not make the picture again.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from threading import Lock
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, render_template, request, url_for
from werkzeug.exceptions import NotFound

from kg.errors import ParameterError
from kg.filters import FACETS, Filters, assertions_sparql, read_filters, write_filters, write_value
from kg.labels import find_labels
from kg.names import shorten, sparql_prefixes
from kg.store import Snapshot
from server.linked_data import local_address
from server.pages.explorer import HEADINGS, resolve
from server.picturing.evidence import MOST, find_evidence, names_needed
from server.picturing.graphml import MEDIA_TYPE, as_graphml
from server.picturing.kinds import KINDS, Kind
from server.picturing.material import MOST_ROWS, Material
from server.picturing.naming import name_things
from server.picturing.options import read_options, write_options
from server.picturing.picture import HOWS, Picture, what_is_left_out
from server.picturing.tables import Name, as_csv, tie_words
from server.reader import Reader, the_reader
from server.visitors import language

pictures = Blueprint("pictures", __name__)

KEPT = 16
"""Pictures that are kept."""

VALUES = 60
"""Values of a facet that the form offers."""

OFFERED = ("holder", "document", "issue", "state", "act", "target")
"""Facets that the form offers; all of `kg.filters.FACETS` are taken from the address."""

FORMATS = ("json", "csv", "graphml")


@dataclass(frozen=True)
class _Asked:
    """A picture that is asked for, with what it is made from."""

    kind: Kind
    filters: Filters
    options: Mapping[str, str]
    material: Material
    pairs: Sequence[tuple[str, str]]

    def address(self, **more: str) -> str:
        """Return where it is found, with more in the address."""
        return _address(self.kind.name, [*self.pairs, *more.items()])


@pictures.get("/pictures")
def list_pictures() -> str:
    """What pictures there are."""
    return render_template("pictures.html", kinds=KINDS.values())


@pictures.get("/pictures/<kind>")
def show_picture(kind: str) -> Response:
    """A picture: as a page, as data, or the passages behind one part of it."""
    if kind not in KINDS:
        raise NotFound(f"there is no picture `{kind[:80]}`; there are: {', '.join(KINDS)}")
    form = request.args.get("format", "html")
    if form not in ("html", *FORMATS):
        raise ParameterError(
            f"a picture cannot be had as `{form[:80]}`", mend=f"use one of: html, {', '.join(FORMATS)}"
        )
    reader = the_reader()
    with reader.snapshot() as snapshot:
        problem = None
        try:
            asked = _read(reader, snapshot, KINDS[kind], list(request.args.items(multi=True)))
        except ParameterError as error:
            if form != "html":
                raise
            problem, asked = error, _read(reader, snapshot, KINDS[kind], [])
        picture = _made(snapshot, asked)
        if request.args.get("part") == "evidence":
            return Response(render_template("picture_evidence.html", **_evidence(snapshot, asked, picture)))
        name = _names(snapshot, asked, picture)
        if form == "html":
            return Response(_page(reader, snapshot, asked, picture, name, problem), 400 if problem else 200)
        return _data(asked, picture, name, form)


def _read(reader: Reader, snapshot: Snapshot, kind: Kind, pairs: list[tuple[str, str]]) -> _Asked:
    index = reader.index_of(snapshot)  # which stances are read from
    filters, options = read_filters(resolve(reader, snapshot, pairs)), read_options(kind.options, pairs)
    material = Material(
        lambda filters: index.stances(filters, limit=MOST_ROWS),
        lambda text: reader.run(snapshot, text),
        filters,
        options,
    )
    return _Asked(kind, filters, options, material, [*write_filters(filters), *write_options(kind.options, options)])


class _Kept:
    """The pictures that were made last."""

    def __init__(self) -> None:
        self._pictures: OrderedDict[object, Picture] = OrderedDict()
        self._lock = Lock()

    def get(self, key: object) -> Picture | None:
        with self._lock:
            if key in self._pictures:
                self._pictures.move_to_end(key)
            return self._pictures.get(key)

    def put(self, key: object, picture: Picture) -> None:
        with self._lock:
            self._pictures[key] = picture
            while len(self._pictures) > KEPT:
                self._pictures.popitem(last=False)


def _made(snapshot: Snapshot, asked: _Asked) -> Picture:
    kept = current_app.extensions.setdefault("whosays-pictures", _Kept())
    assert isinstance(kept, _Kept)
    key = (snapshot.name, asked.kind.name, tuple(asked.pairs))
    picture = kept.get(key)
    if picture is None:
        picture = asked.kind.draw(asked.material)
        kept.put(key, picture)
    return picture


def _names(snapshot: Snapshot, asked: _Asked, picture: Picture) -> Name:
    contents = [node.iri for node in picture.nodes if asked.kind.name in ("arguments", "perceptions")]
    marks = {node.mark for node in picture.nodes if ":" in node.mark}
    return name_things(snapshot, asked.material, picture.mentioned() | marks, language(), contents)


def _evidence(snapshot: Snapshot, asked: _Asked, picture: Picture) -> dict[str, object]:
    """Return what the template of the passages behind a node or tie needs."""
    key = request.args.get("open", "")
    item = picture.find(key) if key else None
    found = find_evidence(asked.material, item.assertions) if item else {}
    name = _names(snapshot, asked, picture)
    return {
        "key": key,
        "item": item,
        "title": tie_words(picture, item, name) if item else "",
        "thing": getattr(item, "iri", "") if item else "",
        "evidence": found,
        "more": max(0, len(item.assertions) - MOST) if item else 0,
        "names": find_labels(snapshot, sorted(names_needed(found)), language()),
        "short": shorten,
    }


def _data(asked: _Asked, picture: Picture, name: Name, form: str) -> Response:
    disposition = {"Content-Disposition": f'attachment; filename="{asked.kind.name}.{form}"'}
    if form == "csv":
        return Response(
            as_csv(asked.kind.table(picture, name)), content_type="text/csv; charset=utf-8", headers=disposition
        )
    if form == "graphml":
        directed = asked.kind.directed or asked.options.get("ties") == "contents"
        return Response(as_graphml(picture, name, directed=directed), mimetype=MEDIA_TYPE, headers=disposition)
    return Response(json.dumps(_told(asked, picture, name), ensure_ascii=False), mimetype="application/json")


def _told(asked: _Asked, picture: Picture, name: Name) -> dict[str, object]:
    """Return a picture as JSON has it: what is drawn from, and what others can work with."""
    nodes = [
        asdict(node)
        | {"label": name(node.iri), "whoNames": [name(iri) for iri in node.who], "markName": _mark(node.mark, name)}
        for node in picture.nodes
    ]
    ties = [
        asdict(tie) | {"labelName": name(tie.label) if tie.label else "", "holderNames": [name(h) for h in tie.holders]}
        for tie in picture.ties
    ]
    return {
        "kind": asked.kind.name,
        "title": asked.kind.title,
        "read": asked.kind.read,
        "options": dict(asked.options),
        "filters": write_filters(asked.filters),
        "leftOut": _left_out(asked, picture),
        "nodes": nodes,
        "ties": ties,
        "hows": HOWS,
    }


def _mark(mark: str, name: Name) -> str:
    return name(mark) if ":" in mark else mark


def _left_out(asked: _Asked, picture: Picture) -> str:
    told = what_is_left_out(picture, asked.kind.parts)
    return f"The strongest are drawn; {told}." if told else ""


def _page(
    reader: Reader, snapshot: Snapshot, asked: _Asked, picture: Picture, name: Name, problem: ParameterError | None
) -> str:
    explored = reader.index_of(snapshot).explore(asked.filters, limit=1, values=VALUES, language=language())
    query = sparql_prefixes() + assertions_sparql(asked.filters)
    facets = [
        (facet, HEADINGS[facet], [(write_value(facet, v.iri), v.label, v.count) for v in values if not v.chosen])
        for facet in OFFERED
        if (values := explored.facets.get(facet, ()))
    ]
    chosen_iris = [(facet, iri) for facet in FACETS for iri in asked.filters.chosen.get(facet, ())]
    labels = find_labels(snapshot, (iri for _, iri in chosen_iris), language())
    chosen = [
        (facet, write_value(facet, iri), labels[iri], asked_without(asked, facet, write_value(facet, iri)))
        for facet, iri in chosen_iris
    ]
    return render_template(
        "picture.html",
        kind=asked.kind,
        kinds=KINDS.values(),
        asked=asked,
        filters=asked.filters,
        facets=facets,
        headings=HEADINGS,
        chosen=chosen,
        picture=picture,
        table=asked.kind.table(picture, name),
        left_out=_left_out(asked, picture),
        cut=picture.cut or explored.total > MOST_ROWS,
        query=query,
        joins=sparql_prefixes() + asked.kind.query.replace("VALUES", "# VALUES") if asked.kind.query else "",
        ask=lambda text: "/sparql?" + urlencode({"query": text}),
        problem=problem,
        local=local_address,
        switch=lambda kind: _address(kind.name, write_filters(asked.filters)),
        explore="/explore?" + urlencode(write_filters(asked.filters)),
        **_evidence(snapshot, asked, picture),
    )


def asked_without(asked: _Asked, name: str, value: str) -> str:
    """Return the address of a picture with one choice taken out."""
    return _address(asked.kind.name, [pair for pair in asked.pairs if pair != (name, value)])


def _address(kind: str, pairs: Sequence[tuple[str, str]]) -> str:
    told = urlencode(pairs)
    base = url_for("pictures.show_picture", kind=kind)
    return f"{base}?{told}" if told else base
